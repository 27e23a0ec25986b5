"""What time and device change; what is observed and what is simulated."""

from recommender.ui import router, sign

router.enter()

sign.coming(
    "Context",
    "Here you will see what the hour and the screen change in the order of films, and which of those signals are observed and which are simulated.",
)
