"""What all additive models share: a score that is a sum over the viewer's films, and the reasons that follow from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.types import Explanation, Profile, Query, Reason


def speaking(profile: Profile, fade: float = 0.0) -> np.ndarray:  # float32 (n,)
    """How far each film speaks for the viewer: Profile.weights; with `fade`, a film that lies so many films back speaks 1/e as loud."""
    return profile.weights * np.exp(-np.arange(len(profile))[::-1] / fade).astype(np.float32) if fade else profile.weights


def histories(queries: list[Query], n_items: int, fade: float = 0.0) -> sparse.csr_array:
    """float32 (B, I): how far each film speaks for each viewer."""
    lengths = [len(q.profile) for q in queries]
    columns = np.concatenate([q.profile.items for q in queries]) if queries else np.empty(0, np.int64)
    values = np.concatenate([speaking(q.profile, fade) for q in queries]) if queries else np.empty(0, np.float32)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return sparse.csr_array((values, columns, starts), shape=(len(queries), n_items))


def strongest(matrix: np.ndarray, keep: int) -> sparse.csr_array:
    """The `keep` entries of largest size in each column of a dense (I, I), as float32 rows; ties as numpy leaves them."""
    n = matrix.shape[0]
    keep = min(keep, n)
    rows = np.argpartition(-np.abs(matrix), keep - 1, axis=0)[:keep]  # (keep, I)
    columns = np.broadcast_to(np.arange(matrix.shape[1]), rows.shape)
    values = matrix[rows, columns].astype(np.float32)
    kept = sparse.csr_array((values.ravel(), (rows.ravel(), columns.ravel())), shape=matrix.shape)
    kept.eliminate_zeros()
    kept.sort_indices()
    return kept


def entries(matrix: sparse.csr_array, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The entries (N,) of some rows, as places in matrix.data, and which of `rows` each belongs to (N,).

    For a few rows, scipy's indexing takes longer to check what it is given than to copy it.
    """
    starts, lengths = matrix.indptr[rows], matrix.indptr[rows + 1] - matrix.indptr[rows]
    row = np.repeat(np.arange(len(rows)), lengths)
    return np.arange(len(row)) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths), row


def block(matrix: sparse.csr_array, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:  # (R, K)
    """matrix[rows][:, columns] as a dense array."""
    found, row = entries(matrix, rows)
    different, which = np.unique(columns, return_inverse=True)
    place = np.full(matrix.shape[1], -1)
    place[different] = np.arange(len(different))
    column = place[matrix.indices[found]]
    among = column >= 0
    dense = np.zeros((len(rows), len(different)), matrix.dtype)
    dense[row[among], column[among]] = matrix.data[found[among]]
    return dense[:, which]


NAMED = 60  # films of a long history that are reasons of their own; the others are one reason together


class Additive(ABC):
    """A model whose score is sum_j contribution(j, i) over the viewer's films j: every film is an exact reason."""

    catalog: Catalog

    @abstractmethod
    def contributions(self, query: Query, items: np.ndarray) -> np.ndarray:  # (n, K)
        """Score points that each film of the profile (n,) gives to each of items (K,)."""

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        points = self.contributions(query, np.asarray(items))
        watched = query.profile.items
        heaviest = np.argsort(-np.abs(points), axis=0, kind="stable")  # (n, K)
        answers = []
        for column, order in zip(points.T, heaviest.T):
            order = order[: np.count_nonzero(column)]
            first, rest = order[:NAMED], order[NAMED:]
            reasons = [Reason("film", j, w) for j, w in zip(watched[first].tolist(), column[first].tolist())]
            if len(rest):
                reasons.append(Reason("film", f"{len(rest)} other films", float(column[rest].sum())))
            answers.append(Explanation.of(reasons))
        return answers


class ItemItem(Additive):
    """score_i = sum_j w_j W_ji with a sparse W (I, I): row j holds what film j gives to others."""

    weights_: sparse.csr_array
    fade: float = 0.0  # see speaking

    def score(self, queries: list[Query]) -> np.ndarray:
        return self._sums(queries)

    def less(self, query: Query, films: Sequence[int]) -> np.ndarray:  # (n, I)
        """Scores without each of these films in turn."""
        return self._sums_less(query, films)

    def _sums(self, queries: list[Query]) -> np.ndarray:  # float32 (B, I)
        fast = self._fast
        if len(queries) == 1 and not isinstance(fast, np.ndarray):  # the rows of one profile alone
            (profile,) = (q.profile for q in queries)
            found, row = entries(fast, profile.items)
            points = np.bincount(fast.indices[found], fast.data[found] * speaking(profile, self.fade)[row], fast.shape[1])
            return points.astype(np.float32)[None]
        return _dense(histories(queries, self.weights_.shape[0], self.fade) @ fast)

    def _sums_less(self, query: Query, films: Sequence[int]) -> np.ndarray:  # float32 (n, I)
        """sum_j w_j W_ji - w_f W_fi for each film f of the profile that is left out; where films fade, each place behind it changes."""
        profile = query.profile
        if self.fade:
            return self._sums([Query(profile.keep(profile.items != film), query.context) for film in films])
        away = np.asarray(films, np.int64)
        speaks = profile.weights @ (profile.items[:, None] == away)  # (n,)
        gives = np.zeros((len(away), self.weights_.shape[1]), np.float32)
        found, row = entries(self.weights_, away)
        gives[row, self.weights_.indices[found]] = self.weights_.data[found]
        return self._sums([query]) - speaks[:, None] * gives

    @property
    def _fast(self) -> np.ndarray | sparse.csr_array:
        """The weights in the form that multiplies fastest: dense where a quarter of them or more is kept."""
        if self.weights_.nnz < self.weights_.shape[0] ** 2 / 4:
            return self.weights_
        if self.__dict__.get("_dense_of") is not self.weights_:
            self._dense, self._dense_of = self.weights_.toarray(), self.weights_
        return self._dense

    def contributions(self, query: Query, items: np.ndarray) -> np.ndarray:
        return block(self.weights_, query.profile.items, items).astype(np.float64) * speaking(query.profile, self.fade)[:, None]


def _dense(matrix: np.ndarray | sparse.sparray) -> np.ndarray:
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


class FoldIn(Additive):
    """score_i = y_i . x with a viewer vector x = A^-1 sum_j c_j y_j: still a sum over films, so the reasons are exact."""

    factors_: np.ndarray  # (I, F)

    @abstractmethod
    def fold(self, query: Query) -> tuple[np.ndarray, np.ndarray]:
        """A (F, F), symmetric, and the terms c_j y_j of the films (n, F)."""

    def score(self, queries: list[Query]) -> np.ndarray:
        return (np.stack([self._viewer(q) for q in queries]) @ self._wide.T).astype(np.float32)

    @property
    def _wide(self) -> np.ndarray:
        """The factors in the precision of the viewers, (I, F), widened once."""
        if self.__dict__.get("_wide_of") is not self.factors_:
            self._widened, self._wide_of = self.factors_.astype(np.float64), self.factors_
        return self._widened

    def _viewer(self, query: Query) -> np.ndarray:  # (F,)
        a, terms = self.fold(query)
        return np.linalg.solve(a, terms.sum(axis=0))

    def contributions(self, query: Query, items: np.ndarray) -> np.ndarray:
        a, terms = self.fold(query)
        return terms @ np.linalg.solve(a, self.factors_[items].T.astype(np.float64))


def damped_means(interactions: Interactions, prior: float = 20.0) -> np.ndarray:  # (I,) stars
    """Mean stars of each film, pulled towards the overall mean as by `prior` further ratings of it."""
    total = np.bincount(interactions.items, interactions.ratings, interactions.n_items)
    return damped(total, interactions.raters, interactions.ratings.mean() if len(interactions) else 3.5, prior)


def damped(total: np.ndarray, raters: np.ndarray, overall: float, prior: float) -> np.ndarray:  # (I,) stars
    """Means of `raters` (I,) ratings that sum to `total` (I,), pulled towards the overall mean as by `prior` further ratings."""
    return (total + prior * overall) / (raters + prior)
