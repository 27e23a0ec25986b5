"""From a row of scores to a list of films. Pure functions, used alike by serving, evaluation and simulation."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

How = Literal["average", "least misery", "most pleasure"]  # in which the wishes of several people become one
HOWS: tuple[How, ...] = get_args(How)


def mask(scores: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """A copy of scores (I,) in which `hidden` (item numbers, or a boolean (I,)) can no longer be ranked."""
    masked = np.array(scores, np.float64)
    masked[hidden] = -np.inf
    return masked


def top(scores: np.ndarray, k: int) -> np.ndarray:
    """The k best item numbers of scores (I,), best first, ties by number; masked films never come."""
    if k < 1:
        raise ValueError(f"k == {k}, must be >= 1")
    scores = np.asarray(scores, np.float64)
    order = np.arange(len(scores))
    if k < len(scores):  # keep every tie with the k-th best, so that the number decides and not the partition
        order = np.flatnonzero(scores >= np.partition(scores, -k)[-k])
    order = order[np.argsort(-scores[order], kind="stable")][:k]
    return order[np.isfinite(scores[order])]


def ranks(scores: np.ndarray, items: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """(B, K): place of each of items (K,) by scores (B, I) among the films of pool (I,) bool and itself; 1 is best, ties by number."""
    items, films = np.asarray(items), np.flatnonzero(pool)
    places = np.empty((len(scores), len(items)), np.int64)
    for row, others in enumerate(scores[:, films]):
        own, ordered = scores[row, items], np.sort(others)
        above = np.searchsorted(ordered, own, side="right")
        places[row] = 1 + len(ordered) - above
        tied = np.flatnonzero(above - np.searchsorted(ordered, own, side="left") > pool[items])  # with others than itself
        places[row, tied] += ((others == own[tied, None]) & (films < items[tied, None])).sum(axis=1)
    return places


def rank_of(scores: np.ndarray, item: int) -> int:
    """1 for the best film; films with an equal score and a smaller number stand before."""
    return int(ranks(scores[None], np.array([item]), np.ones(len(scores), bool))[0, 0])


def standardise(scores: np.ndarray) -> np.ndarray:
    """Scores (..., I) divided by their spread over films. Not centred: a constant moves no film, and reasons stay additive."""
    spread = scores.std(axis=-1, keepdims=True)
    return scores / np.where(spread > 1e-9, spread, 1.0)


def diversify(scores: np.ndarray, features: np.ndarray, k: int, strength: float, pool: int = 100) -> np.ndarray:
    """k item numbers chosen one by one: score minus likeness to what was chosen.

    features (I, G) are compared by cosine; strength 0 gives the plain top k, 1 looks only at novelty.
    Source: maximal marginal relevance, Carbonell & Goldstein, SIGIR 1998.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength == {strength}, must be within 0 and 1")
    candidates = top(scores, pool)
    if not len(candidates):
        return candidates
    s = np.asarray(scores, np.float64)[candidates]
    s = (s - s.min()) / max(np.ptp(s), 1e-12)
    f = np.asarray(features, np.float64)[candidates]
    f = f / np.maximum(np.linalg.norm(f, axis=1, keepdims=True), 1e-12)
    chosen: list[int] = []
    likeness = np.zeros(len(candidates))  # to the nearest chosen film
    free = np.ones(len(candidates), bool)
    while len(chosen) < min(k, len(candidates)):
        value = np.where(free, (1 - strength) * s - strength * likeness, -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        free[best] = False
        likeness = np.maximum(likeness, f @ f[best])
    return candidates[chosen]


def team_draft(a: np.ndarray, b: np.ndarray, k: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One list of at most k films made of two rankings, and for each film the team that brought it: 0 for a, 1 for b.

    In every round a coin says which team picks first; each picks its best film that is not in the list yet. The list ends where a team has none left.
    Source: team-draft interleaving, Radlinski, Kurup & Joachims, CIKM 2008, algorithm 2.
    """
    if k < 1:
        raise ValueError(f"k == {k}, must be >= 1")
    rankings, drafted = [np.asarray(a).tolist(), np.asarray(b).tolist()], dict[int, int]()
    while len(drafted) < k:
        for team in rng.permutation(2).tolist()[: k - len(drafted)]:
            best = next((film for film in rankings[team] if film not in drafted), None)
            if best is None:
                return np.array([*drafted], np.int64), np.array([*drafted.values()], np.int64)
            drafted[best] = team
    return np.array([*drafted], np.int64), np.array([*drafted.values()], np.int64)


def comparable(scores: np.ndarray, pool: np.ndarray) -> np.ndarray:  # float64 (P, I)
    """Scores of several people (P, I), each as spreads above the person's own average film of the pool (I,) bool; 0 for all where there is no spread.

    Whoever's scores are larger, or further apart, counts no more for it. Source: Masthoff, Group Recommender Systems, Recommender Systems Handbook,
    2nd ed. 2015 (people use scales differently: normalise before putting together).
    """
    own = np.asarray(scores, np.float64)
    own = own - own[:, pool].mean(axis=1, keepdims=True)
    spread = own[:, pool].std(axis=1, keepdims=True)
    return np.where(spread > 1e-9, own / np.where(spread > 1e-9, spread, 1.0), 0.0)


def combine(wants: np.ndarray, how: How) -> np.ndarray:  # (I,)
    """What a group of people (P, I) wants: the mean of all, the least, or the most. A film that each wants more stands above, whichever it is.

    The order of the people makes no difference, to the last bit. Source: Masthoff, User Modeling and User-Adapted Interaction 14, 2004.
    """
    if how not in HOWS:
        raise ValueError(f"how is {how!r}, must be one of {', '.join(HOWS)}")
    ordered = np.sort(np.asarray(wants, np.float64), axis=0)
    return {"average": ordered.mean(axis=0), "least misery": ordered[0], "most pleasure": ordered[-1]}[how]
