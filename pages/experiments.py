"""Plan, run and read an A/B test."""

from recommender.ui import experiments, router

frame = router.enter()

experiments.stage(frame)
