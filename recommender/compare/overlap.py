"""How much two ranked lists have in common: by what they hold, and by where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

PATIENCE = 0.9  # of the reader of a list: the chance p that they go on to the next place


def shared(a: np.ndarray, b: np.ndarray) -> np.ndarray:  # (L,)
    """X_d: how many films stand among the first d of both lists (K,), for each depth d = 1 to the length L of the longer one.

    A film joins at the deeper of its two places; below its end the shorter list counts as it is.
    """
    for name, films in (("a", a), ("b", b)):
        if len(np.unique(films)) != len(films):
            raise ValueError(f"list {name} of {len(films)} films names one twice; wanted each once")
    _, at_a, at_b = np.intersect1d(a, b, assume_unique=True, return_indices=True)
    return np.bincount(np.maximum(at_a, at_b), minlength=max(len(a), len(b))).cumsum()


def agreement(a: np.ndarray, b: np.ndarray) -> np.ndarray:  # (L,)
    """X_d / d: the share of the first d places that the two lists have in common."""
    x = shared(a, b)
    return x / np.arange(1, len(x) + 1)


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Films in both lists over films in either; nan where both are empty."""
    either = len(np.union1d(a, b))
    return len(np.intersect1d(a, b)) / either if either else float("nan")


def rbo(a: np.ndarray, b: np.ndarray, p: float = PATIENCE) -> float:
    """Rank-biased overlap, extrapolated: 1 for equal lists, 0 for disjoint ones; nan where a list is empty.

    RBO_ext = (1 - p) / p [ sum_{d=1..l} X_d / d p^d + sum_{d=s+1..l} X_s (d - s) / (s d) p^d ] + [ (X_l - X_s) / l + X_s / s ] p^l
    with s and l the lengths of the shorter and the longer list. Source: Webber, Moffat & Zobel, TOIS 28(4), 2010, equation 32.
    """
    _patience(p)
    s, length = sorted((len(a), len(b)))
    if not s:
        return float("nan")
    x, d = shared(a, b), np.arange(1, length + 1)
    beyond = np.where(d > s, x[s - 1] * (d - s) / (s * d), 0.0)
    seen = (1 - p) / p * ((x / d + beyond) * p**d).sum()
    return float(seen + ((x[-1] - x[s - 1]) / length + x[s - 1] / s) * p**length)


def head_weight(p: float, d: int) -> float:
    """The share of the whole weight of rank-biased overlap that the first d places carry. Source: as rbo, equation 21."""
    _patience(p)
    i = np.arange(1, d)
    return float(1 - p ** (d - 1) + (1 - p) / p * d * (np.log(1 / (1 - p)) - (p**i / i).sum()))


def matrix(lists: Sequence[np.ndarray], alike: Callable[[np.ndarray, np.ndarray], float]) -> np.ndarray:  # (n, n)
    """`alike` for every pair of lists."""
    return np.array([[alike(a, b) for b in lists] for a in lists], np.float64).reshape(len(lists), len(lists))


def _patience(p: float) -> None:
    if not 0 < p < 1:
        raise ValueError(f"p == {p}, must lie between 0 and 1")
