"""What time and device change; what is observed and what is simulated."""

from recommender.ui import context, router

frame = router.enter()

context.stage(frame)
