"""A blend for ranking: films that go with the history, viewers with a like history, and films that others rate between those of the history.

Every rating counts as a film watched, whatever its stars: the question is which films a viewer comes to rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse
from scipy.linalg import lapack
from sklearn.preprocessing import normalize

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.rank import standardise
from recommender.types import Explanation, Profile, Query, Reason


def _inverse(gram: np.ndarray) -> np.ndarray:
    """Inverse of a positive definite matrix, by Cholesky: half the work of a general inverse."""
    factor, failed = lapack.spotrf(gram)
    if failed:
        raise ValueError(f"the Gram matrix of {len(gram)} columns is not positive definite; wanted a larger penalty")
    half, _ = lapack.spotri(factor)
    return np.triu(half) + np.triu(half, 1).T


class Films:
    """EASE on ones, viewers with long histories counting less: W_ji = -P_ji / P_ii, P = (X'DX + lambda I)^-1, D_uu = (n_u / median)^-damping.

    score = sum_j W_ji. Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, arXiv 1905.03375; D is ours.
    """

    def __init__(self, data: Interactions, penalty: float, damping: float) -> None:
        x, length = data.matrix(), np.maximum(data.lengths, 1)
        voice = (length / np.median(length)) ** -damping
        p = _inverse((x.T @ (sparse.diags_array(voice.astype(np.float32)) @ x)).toarray() + penalty * np.eye(data.n_items, dtype=np.float32))
        self.weights = -p / p.diagonal()  # (I, I)
        np.fill_diagonal(self.weights, 0)

    def __call__(self, profile: Profile) -> np.ndarray:
        return self.weights[profile.items].sum(axis=0)


class Crowd:
    """User neighbours: sum over the nearest viewers of cosine^2 x [watched i], cosines with rare films weighing more (log U / raters)."""

    def __init__(self, data: Interactions, neighbours: int) -> None:
        self.neighbours = neighbours
        self.rarity = np.log(data.n_users / (data.raters + 1.0)).clip(0.01).astype(np.float32)
        self.watched = data.matrix()  # (U, I)
        self.unit = normalize(self.watched @ sparse.diags_array(self.rarity)).T.tocsr()  # (I, U)

    def __call__(self, profile: Profile) -> np.ndarray:
        mine = self.rarity[profile.items]
        likeness = mine @ self.unit[profile.items] / max(float(np.linalg.norm(mine)), 1e-9)  # (U,)
        likeness[likeness > 1 - 1e-5] = 0  # the viewer, where they are in the data
        nearest = np.sort(np.argpartition(-likeness, min(self.neighbours, len(likeness)) - 1)[: self.neighbours])
        weight = likeness[nearest] ** 2
        return (weight / max(float(weight.sum()), 1e-9)) @ self.watched[nearest]


class Between:
    """Films that others rate in the gaps of this viewer's history.

    For the gap g between two films of the history, from what stands up to `reach` films before (j) and after (k) it:
    p(i | g) ~ q_i prod_j (p(i after j) / q_i)^c prod_k (p(i before k) / q_i)^c over films i not in the history; the score is the sum over gaps.
    p(. after j) are counts over all histories, smoothed towards popularity q as by `prior` further counts.
    """

    def __init__(self, data: Interactions, reach: int, prior: float, trust: float) -> None:
        self.reach = reach
        self.popularity = ((data.raters + 0.1) / (data.raters + 0.1).sum()).astype(np.float32)  # q
        follows = np.zeros((data.n_items, data.n_items), np.float32)
        for step in range(1, reach + 1):
            same = data.users[step:] == data.users[:-step]
            np.add.at(follows, (data.items[:-step][same], data.items[step:][same]), 1)
        c = trust / np.sqrt(reach)
        self.after, self.before = self._lift(follows, prior, c), self._lift(np.ascontiguousarray(follows.T), prior, c)  # (I, I)

    def _lift(self, counts: np.ndarray, prior: float, c: float) -> np.ndarray:
        return c * np.log((counts + prior * self.popularity) / ((counts.sum(axis=1, keepdims=True) + prior) * self.popularity))

    def __call__(self, profile: Profile) -> tuple[np.ndarray, np.ndarray]:
        """For each film (I,): how many gaps it fills, were each gap to miss one film, and its chance in its best gap."""
        n = len(profile)
        logit = np.tile(np.log(self.popularity), (n + 1, 1))  # gap g lies before film g
        logit[:, profile.items] = -50
        for step in range(1, min(self.reach, n) + 1):
            logit[step:] += self.after[profile.items[: n - step + 1]]
            logit[: n - step + 1] += self.before[profile.items[step - 1 :]]
        p = np.exp(logit, out=logit)
        p /= p.sum(axis=1, keepdims=True)
        return p.sum(axis=0), p.max(axis=0)


@dataclass
class RankingBlend:
    """EASE, user neighbours and films that belong between those of the history.

    score = z(EASE) + by_crowd z(crowd) + by_best log(best) + by_lift log(filled / raters), with z = score over its spread,
    best = a film's chance in its best gap, filled = the number of gaps it is expected to fill.

    Needs the data set (its user neighbours are people): never shipped."""

    refits: ClassVar[bool] = True
    shipped: ClassVar[bool] = False
    penalty: float = 600.0  # lambda of EASE
    damping: float = 0.35  # of viewers with long histories in EASE
    neighbours: int = 200  # viewers
    reach: int = 5  # films to either side of a gap
    prior: float = 200.0  # counts
    trust: float = 0.6  # in the neighbours of a gap, before division by sqrt(reach)
    by_crowd: float = 0.85
    by_best: float = 1.1
    by_lift: float = 0.3

    def fit(self, interactions: Interactions, catalog: Catalog, checkpoint=None) -> Self:
        self.catalog = catalog
        self.raters = interactions.raters
        self.films = Films(interactions, self.penalty, self.damping)
        self.crowd = Crowd(interactions, self.neighbours)
        self.between = Between(interactions, self.reach, self.prior, self.trust)
        return self

    def score(self, queries: list[Query]) -> np.ndarray:
        return np.stack([self._score(q.profile) for q in queries])

    def _score(self, profile: Profile) -> np.ndarray:  # float32 (I,)
        if not len(profile):
            return np.log(self.between.popularity)
        filled, best = self.between(profile)
        order = self.by_best * np.log(best + 1e-6) + self.by_lift * np.log(filled / (self.raters + 1) + 1e-7)
        return (standardise(self.films(profile)) + self.by_crowd * standardise(self.crowd(profile)) + order).astype(np.float32)

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        """What EASE, the heaviest part, owes to each film of the history; not exact."""
        items, watched = np.asarray(items), query.profile.items
        points = self.films.weights[np.ix_(watched, items)] / max(float(self.films(query.profile).std()), 1e-9)
        return [Explanation.of([Reason("film", j, float(w)) for j, w in zip(watched.tolist(), column)], exact=False) for column in points.T]
