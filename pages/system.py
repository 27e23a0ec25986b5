"""Model cards, data card, speed, limits."""

from recommender.ui import router, sign

router.enter()

sign.coming("System", "Here will stand what each model was trained on, how fast it answers, how much memory it needs, and what it cannot do.")
