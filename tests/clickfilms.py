"""A small catalogue for the click world, and models that rank without having learned anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.catalog import Catalog
from recommender.experiment.world import CONTEXTS
from recommender.types import Query

GENRES = ("Action", "Children's", "Comedy", "Documentary", "Drama", "Horror")


def films(n: int = 400, seed: int = 0) -> Catalog:
    """n films of up to three genres; the first seven are twins but for their genre: the six in turn, then none."""
    rng = np.random.default_rng(seed)
    genres = rng.random((n, len(GENRES))) < 0.25
    genres[:7] = np.eye(7, len(GENRES), dtype=bool)
    years, minutes = rng.integers(1930, 2001, n), rng.integers(60, 200, n).astype(float)
    stars, raters = rng.uniform(1.5, 4.8, n), rng.integers(20, 3000, n)
    for facts, value in ((years, 1990), (minutes, 40.0), (stars, 3.5), (raters, 500)):
        facts[:7] = value
    minutes[7:] = np.where(rng.random(n - 7) < 0.5, np.nan, minutes[7:])
    nobody, none = ((),) * n, np.zeros(n, np.int64)
    titles = tuple(f"Film {i}" for i in range(n))
    return Catalog(1000 + np.arange(n), titles, years, genres, GENRES, nobody, nobody, ("",) * n, minutes, none, none, stars=stars, raters=raters)


@dataclass
class Shuffled:
    """Ranks by chance: differently for each first film of a profile and each context it is told. Keeps what it was asked."""

    catalog: Catalog

    def __post_init__(self) -> None:
        self.asked: list[Query] = []

    def score(self, queries: list[Query]) -> np.ndarray:
        self.asked += queries
        return np.stack([self.line(int(q.profile.items[0]), CONTEXTS.index(q.context) if q.context in CONTEXTS else 99) for q in queries])

    def line(self, film: int, context: int) -> np.ndarray:
        return np.random.default_rng([film, context]).random(len(self.catalog)).astype(np.float32)
