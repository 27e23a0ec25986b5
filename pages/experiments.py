"""Plan, run and read an A/B test."""

from recommender.ui import experiments, router

router.enter()

experiments.stage()
