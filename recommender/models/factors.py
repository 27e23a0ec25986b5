"""Latent factors of films; a viewer is folded in from what they watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from tqdm import trange

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models.linear import Additive, FoldIn, histories
from recommender.types import Query


@dataclass
class PureSVD(Additive):
    """Truncated singular value decomposition.

    score = r V V' with the leading right singular vectors V of the watched matrix.

    Source: Cremonesi, Koren & Turrin, "Performance of Recommender Algorithms on Top-N Recommendation Tasks", RecSys 2010.
    """

    refits: ClassVar[bool] = True
    factors: int = 50
    seed: int = 0

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        x = interactions.matrix()
        _, _, v = randomized_svd(x, min(self.factors, min(x.shape) - 1), n_iter=7, random_state=self.seed)
        self.factors_ = np.ascontiguousarray(v.T, np.float32)  # (I, F)
        self.catalog = catalog
        return self

    def score(self, queries: list[Query]) -> np.ndarray:
        return (histories(queries, len(self.factors_)) @ self.factors_) @ self.factors_.T

    def contributions(self, query: Query, items: np.ndarray) -> np.ndarray:
        watched = self.factors_[query.profile.items].astype(np.float64) * query.profile.weights[:, None]
        return watched @ self.factors_[items].T


@dataclass
class ALS(FoldIn):
    """Matrix factorisation of implicit feedback, with fold-in.

    Films watched are wanted with confidence 1 + alpha, all others not, with confidence 1.

    x_u = (Y'Y + alpha Y_u'Y_u + reg I)^-1 (1 + alpha) sum_j y_j, and the same for films in turn. In fold-in, alpha of each film is weighed by |w|;
    a film that speaks against the viewer's taste (w < 0) is one not wanted, with more confidence than those of which nothing is known.
    Source: Hu, Koren & Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008.
    """

    refits: ClassVar[bool] = True
    factors: int = 96
    alpha: float = 4.0
    reg: float = 10.0
    iterations: int = 12
    seed: int = 0

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        x = interactions.matrix()
        films = self.start(interactions.n_items)
        by_film = x.T.tocsr()
        for _ in trange(self.iterations, desc="ALS", leave=False, disable=None):
            viewers = self.solve(x, films)
            films = self.solve(by_film, viewers)
        self.factors_ = films.astype(np.float32)
        self.gram_ = films.T @ films  # (F, F)
        self.catalog = catalog
        return self

    def start(self, n_items: int) -> np.ndarray:  # (I, F)
        """The vectors of films before the first step."""
        return np.random.default_rng(self.seed).normal(0, 0.05, (n_items, self.factors))

    def solve(self, x: sparse.csr_array, y: np.ndarray) -> np.ndarray:
        """The best vector of each row of x, given the vectors y of its columns."""
        base = y.T @ y + self.reg * np.eye(self.factors)
        out = np.zeros((x.shape[0], self.factors))
        for row in range(x.shape[0]):
            mine = y[x.indices[x.indptr[row] : x.indptr[row + 1]]]
            if len(mine):
                out[row] = np.linalg.solve(base + self.alpha * mine.T @ mine, (1 + self.alpha) * mine.sum(axis=0))
        return out

    def fold(self, query: Query) -> tuple[np.ndarray, np.ndarray]:
        w = query.profile.weights[:, None].astype(np.float64)
        y = self.factors_[query.profile.items].astype(np.float64)
        return self.gram_ + self.reg * np.eye(len(self.gram_)) + self.alpha * (y.T * np.abs(w).T) @ y, (1 + self.alpha) * np.maximum(w, 0) * y
