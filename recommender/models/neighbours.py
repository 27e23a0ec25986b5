"""Models of likeness: film to film (kNN, EASE) and viewer to viewer (exact, or through taste communities)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models.linear import ItemItem, histories, strongest
from recommender.types import Explanation, Query, Reason

PUBLISHED = 20  # people, below which no count is published


@dataclass
class ItemKNN(ItemItem):
    """Item-item neighbours by cosine.

    W_ji = |watched both| / (sqrt(|j| |i|) + shrink). Pairs with fewer than `support` common viewers are left out."""

    refits: ClassVar[bool] = True
    neighbours: int = 100
    shrink: float = 20.0
    support: int = 20

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        x = interactions.matrix()
        common = (x.T @ x).toarray()
        self.weights_ = self.nearest(common, common.diagonal(), np.arange(len(common)))
        self.catalog = catalog
        return self

    def nearest(self, common: np.ndarray, raters: np.ndarray, films: np.ndarray) -> sparse.csr_array:
        """The columns `films` (B,) of W, of how many watched both films, float32 (I, B), and each one, float32 (I,)."""
        size = np.sqrt(raters)
        cosine = common / (np.outer(size, size[films]) + self.shrink)
        cosine[common < self.support] = 0
        cosine[films, np.arange(len(films))] = 0
        return strongest(cosine, self.neighbours)


@dataclass
class EASE(ItemItem):
    """Closed-form linear autoencoder between films.

    Its diagonal is zero and the strongest weights of each film are kept:
    P = (X'X + lambda I)^-1, W_ji = -P_ji / P_ii, W_ii = 0.
    Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, arXiv 1905.03375.
    """

    refits: ClassVar[bool] = True
    penalty: float = 1000.0  # lambda
    neighbours: int = 200
    fade: float = 0.0  # films back at which a film speaks 1/e as loud; 0: all alike

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        seen = np.flatnonzero(interactions.raters)  # the other films have no weights
        x = interactions.matrix()[:, seen]
        return self.solve((x.T @ x).toarray().astype(np.float64), seen, interactions.n_items, catalog)

    def solve(self, gram: np.ndarray, films: np.ndarray, n_items: int, catalog: Catalog) -> Self:
        """The fit from X'X, float64 (S, S), of `films` (S,) among n_items; it may have been summed anywhere."""
        p = np.linalg.inv(gram + self.penalty * np.eye(len(gram)))
        w = -p / p.diagonal()
        np.fill_diagonal(w, 0)
        kept = strongest(w, self.neighbours).tocoo()
        shape, where = (n_items, n_items), (films[kept.row], films[kept.col])
        self.weights_ = sparse.csr_array((kept.data, where), shape=shape)
        common = gram[kept.row, kept.col].astype(np.int32)
        pairs = sparse.csr_array((np.where(common < PUBLISHED, -1, common), where), shape=shape)  # -1, because 0 would not be stored
        self.both_ = pairs.data
        self.catalog = catalog
        return self

    def both(self, film: int, other: int) -> int | None:
        """How many people rated both films: 0 where they are fewer than PUBLISHED, None where the films have no weight between them."""
        row = slice(self.weights_.indptr[film], self.weights_.indptr[film + 1])
        at = np.flatnonzero(self.weights_.indices[row] == other)
        return max(int(self.both_[row][at[0]]), 0) if len(at) else None


@dataclass
class UserKNN:
    """User-user neighbours, exact.

    score_i = sum over the k most alike viewers of cosine(viewer, v) x [v watched i]. Films that speak against the viewer's taste lessen the likeness
    to those who watched them. Needs the data set: never shipped."""

    shipped: ClassVar[bool] = False
    neighbours: int = 100

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        self.watched_ = interactions.matrix()  # (U, I)
        self.raters_ = normalize(self.watched_).T.tocsr()  # (I, U), each viewer of length 1
        self.catalog = catalog
        return self

    def _crowd(self, query: Query) -> tuple[np.ndarray, np.ndarray]:
        """The nearest viewers (row numbers) and their likeness, which sums to 1."""
        likeness = (normalize(histories([query], self.watched_.shape[1])) @ self.raters_).toarray().ravel()  # (U,) cosine
        nearest = np.argpartition(-likeness, min(self.neighbours, len(likeness)) - 1)[: self.neighbours]
        nearest = np.sort(nearest[(likeness[nearest] > 0) & (likeness[nearest] < 1 - 1e-6)])  # at 1 stands the viewer, where they are in the data
        return nearest, likeness[nearest] / max(likeness[nearest].sum(), 1e-12)

    def score(self, queries: list[Query]) -> np.ndarray:
        rows = []
        for query in queries:
            nearest, likeness = self._crowd(query)
            rows.append(likeness @ self.watched_[nearest] if len(nearest) else np.zeros(self.watched_.shape[1]))
        return np.stack(rows).astype(np.float32)

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        nearest, likeness = self._crowd(query)
        watched = self.watched_[nearest][:, items].toarray() if len(nearest) else np.zeros((0, len(items)))
        points = likeness @ watched
        crowd = [f"{int((watched[:, k] > 0).sum())} of the {len(nearest)} viewers most like you" for k in range(len(items))]
        return [Explanation.of([Reason("crowd", name, float(p))] if p else []) for name, p in zip(crowd, points)]


@dataclass
class Communities:
    """User-user neighbours that may be published: taste communities.

    score_i = sum_c a_c share_ci over clusters c of at least `least` viewers, where share_ci is the part of them that gave
    film i `enjoyed` stars or more, and a_c (summing to 1) falls with the distance between viewer and cluster. So the score is
    the share of people with the viewer's taste who enjoyed the film. Films enjoyed by fewer than `known` count as enjoyed by none.
    """

    refits: ClassVar[bool] = True
    communities: int = 100
    least: int = 20  # people
    known: int = 5  # people
    enjoyed: float = 4.0  # stars
    nearest: int = 10  # communities a viewer is compared with
    sharpness: float = 6.0  # exponent on the likeness
    seed: int = 0

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        x = interactions.matrix()
        unit = normalize(x)
        wanted = max(1, min(self.communities, interactions.n_users // (2 * self.least)))
        u, s, _ = randomized_svd(unit, min(32, min(unit.shape) - 1), random_state=self.seed)
        place = normalize(u * s)
        home = KMeans(wanted, n_init=3, random_state=self.seed).fit_predict(place)
        home = _dissolve_small(place, home, self.least)
        members = sparse.csr_array((np.ones(len(home), np.float32), (home, np.arange(len(home)))))
        counts = (members @ interactions.matrix(interactions.ratings >= self.enjoyed)).toarray()
        counts[counts < self.known] = 0
        self.sizes_ = np.bincount(home).astype(np.int64)  # (C,) people
        self.shares_ = (counts / self.sizes_[:, None]).astype(np.float32)  # (C, I)
        self.norms_ = np.maximum(np.linalg.norm(self.shares_, axis=1), 1e-12)
        self.favourites_ = _favourite_genres(self.shares_, catalog.genres)
        self.catalog = catalog
        return self

    def name(self, community: int) -> str:
        """A community by its size and the genres it favours most."""
        genres = " and ".join(self.catalog.genre_names[g] for g in self.favourites_[community])
        return f"{self.sizes_[community]} viewers who favour {genres}"

    def _affinity(self, queries: list[Query]) -> np.ndarray:  # (B, C)
        """a_c: likeness to the power of sharpness over the nearest communities, summing to 1; equal shares by size for an empty profile."""
        likeness = np.asarray(normalize(histories(queries, self.shares_.shape[1])) @ self.shares_.T / self.norms_, np.float64)
        k = min(self.nearest, likeness.shape[1])
        floor = np.partition(likeness, -k, axis=1)[:, [-k]]
        weight = np.where(likeness >= floor, np.maximum(likeness, 0), 0) ** self.sharpness
        total = weight.sum(axis=1, keepdims=True)
        everyone = self.sizes_ / self.sizes_.sum()
        return np.where(total > 0, weight / np.where(total > 0, total, 1), everyone)

    def score(self, queries: list[Query]) -> np.ndarray:
        return (self._affinity(queries) @ self.shares_).astype(np.float32)

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        affinity = self._affinity([query])[0]
        points = affinity[:, None] * self.shares_[:, items]  # (C, K)
        return [Explanation.of([Reason("crowd", self.name(c), float(column[c])) for c in np.flatnonzero(column).tolist()]) for column in points.T]


def _favourite_genres(shares: np.ndarray, genres: np.ndarray, n: int = 2) -> np.ndarray:  # (C, n)
    """The genres that stand out in each community, against the other communities, in standard deviations."""
    taste = shares @ genres.astype(np.float32)
    taste = taste / np.maximum(taste.sum(axis=1, keepdims=True), 1e-12)
    lift = (taste - taste.mean(axis=0)) / (taste.std(axis=0) + 1e-6)
    return np.argsort(-lift, axis=1)[:, :n]


def _dissolve_small(place: np.ndarray, home: np.ndarray, least: int) -> np.ndarray:
    """Move the members of clusters under `least` people to their nearest large one; clusters are renumbered from 0."""
    sizes = np.bincount(home)
    large = np.flatnonzero(sizes >= least)
    if not len(large):
        if len(home) < least:
            raise ValueError(f"{len(home)} viewers, wanted at least {least} to form a community")
        return np.zeros_like(home)
    centres = np.stack([place[home == c].mean(axis=0) for c in large])
    lost = ~np.isin(home, large)
    moved = np.searchsorted(large, home)
    moved[lost] = (place[lost] @ centres.T).argmax(axis=1)
    return moved
