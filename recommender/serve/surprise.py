"""One film drawn by lot from those that a viewer is expected to like, with the chance that it had to be drawn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from recommender import rank
from recommender.serve.inquiry import first_row
from recommender.serve.request import Request
from recommender.types import Recommendation

AMONG = 400  # best films by the score of the first row that are put into the hat
FAVOUR = 2.0  # lots of a film of the less known half, where others have one


@dataclass(frozen=True)
class Surprise:
    """The film drawn, explained as the first row explains it (None where none fits), the probability it was drawn with, the number of films in the
    hat, and both in words."""

    recommendation: Recommendation | None
    propensity: float
    among: int
    odds: str
    rule: str


def surprise(asked: Request, rng: np.random.Generator, avoid: Collection[int] = ()) -> Surprise:
    """Draw one film by the chances of `hat`; `avoid` are item numbers that are on the page already. Raises LookupError without a first row."""
    items, chances = hat(asked, avoid)
    if not len(items):
        return Surprise(None, 0.0, 0, "Nothing to draw from: no film that is not on the page yet fits.", _rule(asked))
    n = int(rng.choice(len(items), p=chances))
    found = asked.recommendations(first_row(asked)[0], items[[n]])[0]
    return Surprise(found, float(chances[n]), len(items), _odds(len(items), float(chances[n])), _rule(asked))


def hat(asked: Request, avoid: Collection[int] = ()) -> tuple[np.ndarray, np.ndarray]:
    """The films that may be drawn (K,), best first, and the probability of each (K,); both empty where nothing fits.

    In the hat are the best AMONG of the films that the first row is chosen from, seen ones and `avoid` left out, whose match is known and no less
    than the setting `least_match`. Each has one lot; one with fewer raters than half of them have, FAVOUR lots.
    """
    row, pool = first_row(asked)
    fits = pool.copy()
    fits[asked.seen] = False
    fits[list(avoid)] = False
    if asked.promise:
        fits &= asked.promise["chance"] >= asked.settings.least_match
    if not fits.any():
        return np.empty(0, np.int64), np.empty(0)
    items = rank.top(rank.mask(row.scores, ~fits), AMONG)
    raters = asked.catalog.raters[items]
    lots = np.where(raters < np.median(raters), FAVOUR, 1.0)
    return items, lots / lots.sum()


def _odds(among: int, chance: float) -> str:
    if among == 1:
        return "The only film that fits."
    return f"Drawn from {among} films that fit; this one had a chance of 1 in {1 / chance:.0f}."


def _rule(asked: Request) -> str:
    match = f", and your match is {asked.settings.least_match:.0%} or more" if asked.promise else ""
    return (
        f"By lot from films that may be shown and are not on the page, the first {AMONG} for you at most{match}; "
        f"the less known half has {FAVOUR:g} lots each, the other half one."
    )
