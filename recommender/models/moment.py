"""What everybody watches, moved by the moment, and by the little that a newcomer has said."""

from __future__ import annotations

import numpy as np

from recommender.models.hybrid import Hybrid
from recommender.models.neighbours import EASE
from recommender.models.popularity import Popularity
from recommender.rank import standardise
from recommender.types import Explanation, Query, Reason, context_reasons

LIKES = 0.25  # spreads of popularity for each spread of what the viewer's films lead to; chosen in docs/experiments.md


class Moment:
    """Popularity over its spread, plus how much more often than usual the film is rated at this time of day, plus the points of the device that the
    hybrid learned; with `ease`, plus a share of where the viewer's own films lead."""

    def __init__(self, popularity: Popularity, hybrid: Hybrid, ease: EASE | None = None) -> None:
        self.popularity, self.hybrid, self.ease, self.catalog = popularity, hybrid, ease, popularity.catalog

    def score(self, queries: list[Query]) -> np.ndarray:
        lifts = np.stack([self.popularity.lift(q.context.time_of_day) for q in queries])
        likes = LIKES * standardise(self.ease.score(queries)) if self.ease else 0.0
        return standardise(self.popularity.score(queries)) + lifts + self.hybrid.context_points(queries)[1] + likes

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        parts = [self._scaled(self.popularity, 1.0, query, items)] + ([self._scaled(self.ease, LIKES, query, items)] if self.ease else [])
        lift, device = self.popularity.lift(query.context.time_of_day), self.hybrid.context_points([query])[1][0]
        context = context_reasons(query.context, lift[items], device[items], self.hybrid.simulates)
        return [Explanation.of([r for part in of for r in part]) for of in zip(*parts, context)]

    def _scaled(self, model: Popularity | EASE, share: float, query: Query, items: np.ndarray) -> list[list[Reason]]:
        """A part's own reasons, in points of the whole."""
        spread = float(model.score([query])[0].std())
        scale = share / (spread if spread > 1e-9 else 1.0)
        return [[Reason(r.kind, r.subject, r.weight * scale) for r in e.reasons] for e in model.explain(query, items)]
