"""Blend: what like-minded films, like-minded viewers, neighbours in time and the weeks of a viewer say, weighed by a learned ranker.

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

LIKED = 4  # stars


def _inverse(gram: np.ndarray) -> np.ndarray:
    """Inverse of a positive definite matrix, by Cholesky: half the work of a general inverse."""
    factor, failed = lapack.spotrf(gram)
    if failed:
        raise ValueError(f"the Gram matrix of {len(gram)} columns is not positive definite; wanted a larger penalty")
    half, _ = lapack.spotri(factor)
    return np.triu(half) + np.triu(half, 1).T


class Films:
    """EASE on ones. W_ji = -P_ji / P_ii, P = (X'X + lambda I)^-1; score = sum_j W_ji. Source: Steck, WWW 2019, arXiv 1905.03375."""

    def __init__(self, data: Interactions, penalty: float) -> None:
        x = data.matrix()
        p = _inverse((x.T @ x).toarray() + penalty * np.eye(data.n_items, dtype=np.float32))
        self.weights = -p / p.diagonal()  # (I, I)
        np.fill_diagonal(self.weights, 0)

    def __call__(self, profile: Profile) -> np.ndarray:
        return self.weights[profile.items].sum(axis=0)


class Stars:
    """EASE whose films speak in two voices, liked or not: X = [L D] W with W_ii = 0 in both blocks.

    For film i with columns c = {l_i, d_i}: W_.i = -P_.c (P_cc)^-1 1, P = ([L D]'[L D] + lambda I)^-1 (Lagrange multipliers of both zeros).
    """

    def __init__(self, data: Interactions, penalty: float) -> None:
        n = data.n_items
        x = sparse.csr_array((np.ones(len(data), np.float32), (data.users, _voice(data.items, data.ratings, n))), shape=(data.n_users, 2 * n))
        p = _inverse((x.T @ x).toarray() + penalty * np.eye(2 * n, dtype=np.float32))
        i = np.arange(n)
        a, b, d = p[i, i], p[i, i + n], p[i + n, i + n]
        self.weights = -(p[:, :n] * (d - b) + p[:, n:] * (a - b)) / (a * d - b * b)  # (2 I, I)
        self.weights[i, i] = self.weights[i + n, i] = 0

    def __call__(self, profile: Profile) -> np.ndarray:
        return self.weights[_voice(profile.items, profile.ratings, self.weights.shape[1])].sum(axis=0)


def _voice(items: np.ndarray, stars: np.ndarray, n_items: int) -> np.ndarray:
    """The column of each film liked, or of the same film not liked."""
    return items + n_items * (stars < LIKED)


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
        """Expected number of times that each film (I,) is missing from the history were every gap to hold one, and its share of its best gap."""
        n = len(profile)
        logit = np.tile(np.log(self.popularity), (n + 1, 1))  # gap g lies before film g
        logit[:, profile.items] = -50
        for step in range(1, min(self.reach, n) + 1):
            logit[step:] += self.after[profile.items[: n - step + 1]]
            logit[: n - step + 1] += self.before[profile.items[step - 1 :]]
        p = np.exp(logit)
        p /= p.sum(axis=1, keepdims=True)
        return p.sum(axis=0), p.max(axis=0)


@dataclass
class Blend:
    """EASE, EASE by stars, user neighbours and films between, each standardised over the films and weighed.

    Needs the data set (its user neighbours are people): never shipped."""

    shipped: ClassVar[bool] = False
    penalty: float = 1000.0  # lambda of both linear autoencoders
    neighbours: int = 200  # viewers
    reach: int = 5  # films to either side of a gap
    prior: float = 200.0  # counts
    trust: float = 0.6  # in each neighbour of a gap, before division by sqrt(reach)
    by_stars: float = 0.5  # weights against 1 for EASE
    by_crowd: float = 0.4
    by_gaps: float = 0.6

    def fit(self, interactions: Interactions, catalog: Catalog, checkpoint=None) -> Self:
        self.catalog = catalog
        self.films = Films(interactions, self.penalty)
        self.stars = Stars(interactions, self.penalty)
        self.crowd = Crowd(interactions, self.neighbours)
        self.between = Between(interactions, self.reach, self.prior, self.trust)
        return self

    def score(self, queries: list[Query]) -> np.ndarray:
        return np.stack([self._score(q.profile) for q in queries])

    def _score(self, profile: Profile) -> np.ndarray:  # float32 (I,)
        if not len(profile):
            return np.log(self.between.popularity)
        parts = (self.films(profile), self.stars(profile), self.crowd(profile), np.sqrt(self.between(profile)[0]))
        weights = (1.0, self.by_stars, self.by_crowd, self.by_gaps)
        return np.asarray(sum(w * standardise(part) for w, part in zip(weights, parts)), np.float32)

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        """What EASE, the heaviest part, owes to each film of the history; not exact."""
        items, watched = np.asarray(items), query.profile.items
        points = self.films.weights[np.ix_(watched, items)] / max(float(self.films(query.profile).std()), 1e-9)
        return [Explanation.of([Reason("film", j, float(w)) for j, w in zip(watched.tolist(), column)], exact=False) for column in points.T]
