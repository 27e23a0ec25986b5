"""Films like one film: what a profile that holds nothing else leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from recommender import rank
from recommender.catalog import Catalog
from recommender.types import Profile, Query, Recommender

ASKED = ("ease", "content")  # the first that knows ENOUGH films like it answers
ENOUGH = 12


class Alike(NamedTuple):
    """Item numbers, nearest first, their scores (K,), and the model they are by; no film and None where no model knows ENOUGH."""

    items: tuple[int, ...]
    scores: np.ndarray
    model: str | None


def alike(item: int, models: Mapping[str, Recommender], catalog: Catalog, certificate: str | None = None, k: int = ENOUGH) -> Alike:
    """Up to k films that score above 0 for somebody who gave `item` five stars and nothing else, within a certificate."""
    alone = Query(Profile(np.array([item]), np.array([5.0]), np.array([0])))
    for name in ASKED:
        if name in models:
            scores = rank.mask(models[name].score([alone])[0], ~catalog.allowed(certificate))
            scores[item] = -np.inf
            above = rank.mask(scores, scores <= 0)
            if np.isfinite(above).sum() >= ENOUGH:
                items = rank.top(above, k)
                return Alike(tuple(items.tolist()), above[items], name)
    return Alike((), np.empty(0), None)
