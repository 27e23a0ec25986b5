"""Rate, like, hide, watch-list, import; the taste the models see."""

from recommender.ui import router, sign

router.enter()

sign.coming("Taste", "Here you will rate films, keep a watch-list, bring your own ratings, and see the taste that the models read from them.")
