"""Hero and explained rows for this viewer, now."""

from recommender.ui import home, router

frame = router.enter()

home.stage(frame)
