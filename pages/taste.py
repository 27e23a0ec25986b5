"""Rate, like, hide, watch-list, import; the taste the models see."""

from recommender.ui import router, taste_page

frame = router.enter()

taste_page.stage(frame)
