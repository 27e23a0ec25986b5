"""Popularity at a moment: what everybody watches, moved by the part of day and by the device."""

from __future__ import annotations

import numpy as np

from recommender.models.hybrid import Hybrid
from recommender.models.popularity import Popularity
from recommender.rank import standardise
from recommender.types import Explanation, Query, Reason, context_reasons


class Moment:
    """Popular at this time, on this device: popularity over its spread, plus how much more often than usual the film is rated
    at this time of day, plus the points of the device that the hybrid learned."""

    def __init__(self, popularity: Popularity, hybrid: Hybrid) -> None:
        self.popularity, self.hybrid, self.catalog = popularity, hybrid, popularity.catalog

    def score(self, queries: list[Query]) -> np.ndarray:
        lifts = np.stack([self.popularity.lift(q.context.time_of_day) for q in queries])
        return standardise(self.popularity.score(queries)) + lifts + self.hybrid.context_points(queries)[1]

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        spread = float(self.popularity.score([query])[0].std())
        scaled = [[Reason(r.kind, r.subject, r.weight / spread) for r in e.reasons] for e in self.popularity.explain(query, items)]
        lift, device = self.popularity.lift(query.context.time_of_day), self.hybrid.context_points([query])[1][0]
        return [Explanation.of([*r, *c]) for r, c in zip(scaled, context_reasons(query.context, lift[items], device[items], self.hybrid.simulates))]
