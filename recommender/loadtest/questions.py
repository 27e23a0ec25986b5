"""What is asked under load: hybrid lists with reasons for demo viewers and for ratings sent along, and some feedback between."""

from __future__ import annotations

from typing import Any

import numpy as np

from recommender.serve.service import Service
from recommender.types import DEVICES, TIMES_OF_DAY

K = 10  # films of an answer
FEWEST, MOST = 3, 50  # films that are sent along
DEMO = 0.5  # share of questions for demo viewers
TOLD = 0.1  # share of requests that send feedback
Question = dict[str, Any]  # path, body


def questions(service: Service, n: int, rng: np.random.Generator) -> list[Question]:
    """n requests in the order in which they may be sent; films are drawn as often as people rated them."""
    raters = np.asarray(service.catalog.raters, float)
    return [_feedback(service, number, raters, rng) if rng.random() < TOLD else _asked(service, raters, rng) for number in range(n)]


def _asked(service: Service, raters: np.ndarray, rng: np.random.Generator) -> Question:
    body: dict[str, Any] = {"model": "hybrid", "k": K, "context": {"time_of_day": _one(TIMES_OF_DAY, rng), "device": _one(DEVICES, rng)}}
    if rng.random() < DEMO:
        return {"path": "/recommendations", "body": {"user_id": _one(tuple(service.viewers), rng), **body}}
    films = _films(service, int(rng.integers(FEWEST, MOST + 1)), raters, rng)
    stars = rng.integers(1, 11, len(films)) / 2
    return {"path": "/recommendations", "body": {"ratings": [{"movie_id": f, "rating": float(s)} for f, s in zip(films, stars)], **body}}


def _feedback(service: Service, number: int, raters: np.ndarray, rng: np.random.Generator) -> Question:
    (film,) = _films(service, 1, raters, rng)
    kind = _one(("like", "love", "dislike", "list"), rng)
    return {"path": "/feedback", "body": {"user_id": f"load-{number % 50}", "kind": kind, "movie_id": film}}


def _films(service: Service, n: int, raters: np.ndarray, rng: np.random.Generator) -> list[int]:
    return service.catalog.ids[rng.choice(len(raters), n, replace=False, p=raters / raters.sum())].astype(int).tolist()


def _one(of: tuple[str, ...], rng: np.random.Generator) -> str:
    return of[int(rng.integers(len(of)))]
