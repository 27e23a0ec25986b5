"""Algorithms side by side: the same viewer, lists by different models or in different contexts, how alike they are, and a blind vote."""

from recommender.ui import compare, router

frame = router.enter()

compare.stage(frame)
