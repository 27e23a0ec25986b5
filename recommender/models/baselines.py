"""What every model must beat: chance, and what most people watched, ever or of late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.types import Explanation, Query, Reason

DAY = 86_400  # seconds


@dataclass
class Chance:
    """A random order of the films, the same each time the same profile asks."""

    seed: int = 0

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        self.catalog, self.n_items_ = catalog, np.array([interactions.n_items])
        return self

    def score(self, queries: list[Query]) -> np.ndarray:
        draws = [np.random.default_rng([self.seed, len(q.profile), *q.profile.items[-4:].tolist()]) for q in queries]
        return np.stack([rng.random(self.n_items_[0], np.float32) for rng in draws])

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        points = self.score([query])[0]
        return [Explanation.of([Reason("popularity", "chance", float(points[i]))]) for i in items]


@dataclass
class MostWatched:
    """Films by log(1 + number of ratings): all of them, or those of the `days` before the moment of the request.

    Where the moment is unknown, that of the viewer's latest film counts, else the latest of all; and the latest of all, too, where the
    request comes after it: else nobody would have watched anything in the days before.
    """

    refits: ClassVar[bool] = True
    days: int | None = None

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        self.catalog = catalog
        self.totals_ = np.log1p(interactions.raters).astype(np.float32)
        order = np.argsort(interactions.times, kind="stable")
        self.times_, self.items_ = interactions.times[order], interactions.items[order].astype(np.int32)
        return self

    def score(self, queries: list[Query]) -> np.ndarray:
        if self.days is None:
            return np.repeat(self.totals_[None], len(queries), axis=0)
        ends = [self._moment(q) for q in queries]
        spans = np.searchsorted(self.times_, [(end - self.days * DAY, end) for end in ends])
        lately = [np.bincount(self.items_[start:stop], minlength=len(self.totals_)) for start, stop in spans.tolist()]
        return np.log1p(np.stack(lately) + self.totals_ / (1 + self.totals_.sum())).astype(np.float32)  # all ratings break ties, and only ties

    def _moment(self, query: Query) -> int:
        end = int(self.times_[-1]) + 1
        if query.context.at is not None:
            return min(query.context.at, end)
        return min(int(query.profile.times[-1]), end) if len(query.profile) else end

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        points = self.score([query])[0]
        label = "ratings" if self.days is None else f"ratings of {self.days} days"
        return [Explanation.of([Reason("popularity", label, float(points[i]))]) for i in items]
