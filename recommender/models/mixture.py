"""Several models as one: scores added with weights that were learned on films none of them was trained on."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.rank import standardise
from recommender.types import Context, Explanation, Query, Reason, Recommender

STEPS = (0.25, 0.5, 0.7, 1.4, 2.0, 4.0)
Fitter = Callable[[Recommender, Interactions], Recommender]


def _last(interactions: Interactions) -> np.ndarray:  # (N,) bool
    """The last row of each user with five or more."""
    last = np.zeros(len(interactions), bool)
    last[[interactions.rows(u).stop - 1 for u in np.flatnonzero(interactions.lengths >= 5).tolist()]] = True
    return last


def _climb(w: np.ndarray, z: np.ndarray, hidden: np.ndarray, right: np.ndarray, k: int = 10) -> np.ndarray:  # (M,)
    """Weights near w (M,) with the best mean NDCG@k: each in turn is tried at STEPS times its size, until none gets better."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(right.sum(axis=1), k) - 1]

    def ndcg(weights: np.ndarray) -> float:
        scores = np.einsum("m,nmi->ni", weights.astype(np.float32), z) + hidden
        near = np.argpartition(-scores, k, axis=1)[:, :k]
        order = np.take_along_axis(near, np.argsort(-np.take_along_axis(scores, near, axis=1), axis=1), axis=1)
        return float((np.take_along_axis(right, order, axis=1) @ discounts / ideal).mean())

    best, improved = ndcg(w), True
    while improved:
        improved = False
        for m, step in itertools.product(range(len(w)), STEPS):
            tried = w.copy()
            tried[m] *= step
            if (found := ndcg(tried)) > best + 1e-4:
                w, best, improved = tried, found, True
    return w


@dataclass
class Mixture:
    """score_i = sum_m w_m z_m,i with z the scores of a member over their spread.

    w >= 0 minimises the cross-entropy of right films among all unseen ones. Right is each viewer's last film, which is kept from the members;
    with `future`, all films of that last share of the data's time; with `share`, that share of every viewer's films, drawn at random.
    In the last two cases members of a closed form are then fitted again on everything. With `share`, where many films are right and only the
    first ten count, the weights then climb NDCG@10 of the same films one by one.
    Source: logarithmic opinion pool, Genest & Zidek, Statistical Science 1(1), 1986.
    """

    members: tuple[Recommender, ...]
    future: float = 0.0
    share: float = 0.0
    asked: int = 3000  # viewers the weights are learned from, at most
    seed: int = 0

    def fit(self, interactions: Interactions, catalog: Catalog, fitter: Fitter | None = None) -> Self:
        """fitter(member, rows) returns the fitted member; the default fits it on the spot."""
        fitter = fitter or (lambda member, rows: member.fit(rows, catalog))
        self.catalog = catalog
        kept = self._kept(interactions)
        rest = interactions.where(~kept)
        # A sequence model keeps every viewer's last film to itself already, to know when to stop.
        own = [not self.future and not self.share and getattr(member, "examined", 0) >= interactions.n_users for member in self.members]
        self.parts = {str(n): fitter(m, interactions if o else rest) for n, (m, o) in enumerate(zip(self.members, own))}
        right = interactions.where(kept)
        users = np.unique(right.users)
        users = np.sort(np.random.default_rng(self.seed).choice(users, min(self.asked, len(users)), replace=False))
        moments = [int(right.times[right.rows(u).start]) for u in users.tolist()]
        queries = [Query(replace(rest.profile(u), liked_from=0.0), Context(at=at)) for u, at in zip(users.tolist(), moments)]
        self.weights_ = self._learn(queries, right.matrix()[users].toarray(), interactions.raters > 0)
        if self.future or self.share:
            self.parts |= {str(n): fitter(m, interactions) for n, m in enumerate(self.members) if getattr(m, "refits", False)}
        return self

    def _kept(self, interactions: Interactions) -> np.ndarray:  # (N,) bool
        """The rows that the weights are learned from."""
        if self.future:
            return interactions.times >= np.quantile(interactions.times, 1 - self.future)
        if self.share:
            return (np.random.default_rng(self.seed).random(len(interactions)) < self.share) & (interactions.lengths >= 5)[interactions.users]
        return _last(interactions)

    def _learn(self, queries: list[Query], right: np.ndarray, rated: np.ndarray) -> np.ndarray:  # (M,)
        """Weights from right films (N, I), ones; a viewer's count as one together."""
        z = np.concatenate([self._members(queries[i : i + 128]) for i in range(0, len(queries), 128)])  # (N, M, I)
        hidden = np.zeros((len(z), z.shape[2]), np.float32)
        hidden[:, ~rated] = -1e9
        for row, query in enumerate(queries):
            hidden[row, query.profile.items] = -1e9
        y = right / right.sum(axis=1, keepdims=True)
        wanted = np.einsum("nmi,ni->m", z, y)

        def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
            logits = np.einsum("m,nmi->ni", w.astype(np.float32), z) + hidden
            total = logsumexp(logits, axis=1)
            p = np.exp(logits - total[:, None])
            return float((total.sum() - w @ wanted) / len(z)), (np.einsum("ni,nmi->m", p, z) - wanted).astype(float) / len(z)

        w = minimize(loss, np.ones(z.shape[1]), jac=True, method="L-BFGS-B", bounds=[(0, None)] * z.shape[1]).x
        return _climb(w, z, hidden, right > 0) if self.share else w

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
