"""Several models as one: scores added with weights that were learned on films none of them was trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.rank import standardise
from recommender.types import Context, Explanation, Query, Reason, Recommender


@dataclass
class Mixture:
    """score_i = sum_m w_m z_m,i with z the scores of a member over their spread.

    Each viewer's last film is kept from the members; w >= 0 then minimises the cross-entropy of that film among all unseen ones.
    Source: logarithmic opinion pool, Genest & Zidek, Statistical Science 1(1), 1986.
    """

    members: tuple[Recommender, ...]
    asked: int = 3000  # viewers the weights are learned from, at most
    seed: int = 0

    def fit(self, interactions: Interactions, catalog: Catalog, fitter: Callable[[Recommender, Interactions], Recommender] | None = None) -> Self:
        """fitter(member, rows) returns the fitted member; the default fits it on the spot."""
        fitter = fitter or (lambda member, rows: member.fit(rows, catalog))
        self.catalog = catalog
        users = np.flatnonzero(interactions.lengths >= 5)
        last = np.zeros(len(interactions), bool)
        last[[interactions.rows(u).stop - 1 for u in users.tolist()]] = True
        rest = interactions.where(~last)
        # A sequence model keeps every viewer's last film to itself already, to know when to stop.
        own = [getattr(member, "examined", 0) >= len(users) for member in self.members]
        self.parts = {str(n): fitter(m, interactions if o else rest) for n, (m, o) in enumerate(zip(self.members, own))}
        rows = np.flatnonzero(last)
        rows = np.sort(np.random.default_rng(self.seed).choice(rows, min(self.asked, len(rows)), replace=False))
        queries = [Query(rest.profile(interactions.users[row]), Context(at=int(interactions.times[row]))) for row in rows]
        self.weights_ = self._learn(queries, interactions.items[rows], interactions.raters > 0)
        return self

    def _learn(self, queries: list[Query], answers: np.ndarray, rated: np.ndarray) -> np.ndarray:  # (M,)
        z = np.concatenate([self._members(queries[i : i + 128]) for i in range(0, len(queries), 128)])  # (N, M, I)
        hidden = np.zeros((len(z), z.shape[2]), np.float32)
        hidden[:, ~rated] = -1e9
        for row, query in enumerate(queries):
            hidden[row, query.profile.items] = -1e9
        at = np.arange(len(z))

        def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
            logits = np.einsum("m,nmi->ni", w.astype(np.float32), z) + hidden
            total = logsumexp(logits, axis=1)
            p = np.exp(logits - total[:, None])
            return float((total - logits[at, answers]).mean()), (np.einsum("ni,nmi->m", p, z) - z[at, :, answers].sum(axis=0)).astype(float) / len(z)

        return minimize(loss, np.ones(z.shape[1]), jac=True, method="L-BFGS-B", bounds=[(0, None)] * z.shape[1]).x

    def _members(self, queries: list[Query]) -> np.ndarray:  # float32 (B, M, I)
        return np.stack([standardise(part.score(queries)) for part in self.parts.values()], axis=1).astype(np.float32)

    def score(self, queries: list[Query]) -> np.ndarray:
        return np.einsum("m,bmi->bi", self.weights_.astype(np.float32), self._members(queries))

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        """The reasons of the members, in points of the mixture. Exact where all of theirs are."""
        reasons: list[list[Reason]] = [[] for _ in items]
        exact = True
        for weight, part in zip(self.weights_.tolist(), self.parts.values()):
            spread = float(part.score([query])[0].std())
            scale = weight / (spread if spread > 1e-9 else 1.0)
            for k, e in enumerate(part.explain(query, items)):
                exact = exact and e.exact
                reasons[k] += [Reason(r.kind, r.subject, r.weight * scale, r.simulated) for r in e.reasons]
        return [Explanation.of(r, exact) for r in reasons]
