"""Offline league tables with intervals."""

from recommender.ui import router, sign

router.enter()

sign.coming("Evaluation", "Here the models will be ranked by how well they foretold what people really rated, each number with its interval.")
