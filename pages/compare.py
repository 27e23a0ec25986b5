"""Algorithms side by side, same viewer, same context."""

from recommender.ui import router, sign

router.enter()

sign.coming(
    "Compare", "Here two algorithms will stand side by side for the same viewer at the same moment, with what they share and where they differ."
)
