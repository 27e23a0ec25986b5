"""Plan, run and read an A/B test."""

from recommender.ui import router, sign

router.enter()

sign.coming("Experiments", "Here you will plan an A/B test, run it on simulated viewers, and read its verdict with the doubt that belongs to it.")
