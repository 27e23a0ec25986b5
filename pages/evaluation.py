"""Offline league tables with intervals."""

from recommender.ui import evaluation, router

router.enter()

evaluation.stage()
