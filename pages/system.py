"""Speed under load, releases, growth beyond one machine, health."""

from recommender.ui import router, system

frame = router.enter()

system.stage(frame)
