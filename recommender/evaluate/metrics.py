"""Metrics of ranked lists and of predicted stars, one number per user. Means and intervals are made by the caller.

Shapes: `hits` (B, K) bool, whether the film at each position of a user's list is relevant, best position first; `relevant` (B,) how many
films are relevant to the user, those no list can reach included; `shown` (B, K) item numbers; `k` the cut-off. A list shorter than k
counts as if it ended in misses. A user to whom nothing is relevant has no value: the caller leaves such users out and says how many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse


def ranks(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(B,) rank of one target film per row of scores (B, I), 1 for the best; ties count against the target."""
    own = scores[np.arange(len(scores)), targets]
    return (scores >= own[:, None]).sum(axis=1)


def hits_of_ranks(ranks: np.ndarray, k: int) -> np.ndarray:
    """(B, k) hits of lists with one relevant film each, from its rank."""
    return ranks[:, None] == np.arange(1, _cutoff(k) + 1)


def hits_of_lists(shown: np.ndarray, targets: sparse.csr_array) -> np.ndarray:
    """(B, K) hits of the lists, from the relevant films (B, I): a sparse matrix, non-zero where relevant."""
    relevant = targets.astype(bool).toarray()
    return np.take_along_axis(relevant, _items(shown, targets.shape[1]), axis=1)


# -- accuracy of a list ------------------------------------------------------------------------------------------------


def precision(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """Share of the first k that is relevant; divided by k, also where fewer than k films are relevant."""
    return _head(hits, relevant, k).sum(axis=1) / k


def recall(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """Share of all relevant films that stands among the first k."""
    return _head(hits, relevant, k).sum(axis=1) / relevant


def hit_rate(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """1 where any of the first k is relevant; success@k of TREC."""
    return _head(hits, relevant, k).max(axis=1)


def mrr(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """1 / rank of the first hit, 0 if it does not stand among the first k. Source: Voorhees, TREC-8 question answering report, 1999."""
    return (_head(hits, relevant, k) / _positions(hits, k)).max(axis=1)


def average_precision(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """Precision at the rank of each hit among the first k, summed, over the number of all relevant films.

    This is map_cut of trec_eval and map@k of ranx. Where more than k films are relevant, even a perfect list stays under 1; others divide
    by min(k, relevant). Source: Buckley & Voorhees, Retrieval System Evaluation, in TREC: Experiment and Evaluation in Information Retrieval, 2005.
    """
    h = _head(hits, relevant, k)
    return (h * h.cumsum(axis=1) / _positions(hits, k)).sum(axis=1) / relevant


def ndcg(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """Binary gain, discount 1 / log2(1 + rank), over the DCG of a list with min(k, relevant) hits at its head.

    Source: Järvelin & Kekäläinen, TOIS 20(4), 2002; the discount as in trec_eval's ndcg_cut.
    """
    ideal = np.cumsum(_discounts(k))[np.minimum(k, relevant) - 1]
    return _head(hits, relevant, k) @ _discounts(k)[: hits.shape[1]] / ideal


def own_hits_ndcg(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """A known mistake, kept for one footnote: the ideal is made of the list's own hits, so one hit at rank 1 and nothing else gives 1."""
    h = _head(hits, relevant, k)
    own = h.sum(axis=1).astype(int)
    ideal = np.concatenate([[1.0], np.cumsum(_discounts(k))])[own]  # 1 for no hit, where the DCG is 0
    return h @ _discounts(k)[: hits.shape[1]] / ideal


RANKING: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    "P": precision,
    "R": recall,
    "NDCG": ndcg,
    "HR": hit_rate,
    "MRR": mrr,
    "MAP": average_precision,
}


def _cutoff(k: int) -> int:
    if k < 1:
        raise ValueError(f"k == {k}, must be >= 1")
    return k


def _head(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """(B, at most k) the first k hits as numbers, once the two arguments are known to fit each other."""
    if np.shape(relevant) != hits.shape[:1]:
        raise ValueError(f"relevant has shape {np.shape(relevant)}, hits has {len(hits)} rows; wanted one number a row")
    if len(hits) and (least := np.min(relevant)) < 1:
        row = int(np.argmin(relevant))
        raise ValueError(f"relevant[{row}] == {least}, must be >= 1: leave users without a relevant film out, and say how many")
    wrong = np.flatnonzero(hits.sum(axis=1) > relevant)
    if len(wrong):
        raise ValueError(f"row {wrong[0]} has {hits[wrong[0]].sum()} hits and only {relevant[wrong[0]]} relevant films")
    return hits[:, : _cutoff(k)].astype(np.float64)


def _positions(hits: np.ndarray, k: int) -> np.ndarray:
    return np.arange(1, min(k, hits.shape[1]) + 1)


def _discounts(k: int) -> np.ndarray:
    return 1 / np.log2(np.arange(2, _cutoff(k) + 2))


# -- accuracy, had every film been as easy to meet ---------------------------------------------------------------------


def inverse_propensities(raters: np.ndarray, power: float = 0.5, most: float = np.inf) -> np.ndarray:
    """(I,) weight of a relevant film: (most popular / raters) ** power, clipped at `most`.

    Propensity, the chance that a film somebody likes was met and rated, is taken to grow with popularity ** power. raters (I,) come from
    the training part; no rater counts as one. Source: Yang et al., RecSys 2018 (power (gamma + 1) / 2); Saito et al.,
    WSDM 2020 (power 1/2); clipping after Schnabel et al., ICML 2016 and Saito et al.
    """
    held = np.maximum(np.asarray(raters, np.float64), 1)
    return np.minimum((held.max() / held) ** power, most)


def weighted_recall(shown: np.ndarray, targets: sparse.csr_array, weights: np.ndarray, k: int) -> np.ndarray:
    """Recall in which each relevant film counts with weights (I,); with inverse propensities, the self-normalised estimate.

    targets (B, I) is non-zero where relevant. Source: Yang et al., RecSys 2018 (SNIPS); Schnabel et al., ICML 2016.
    """
    gains, order = _gains(shown, targets, weights, k)
    return gains.sum(axis=1) / np.bincount(order.user, order.weight, len(shown))


def weighted_ndcg(shown: np.ndarray, targets: sparse.csr_array, weights: np.ndarray, k: int) -> np.ndarray:
    """NDCG in which each relevant film gains weights (I,); the ideal list begins with the heaviest of the user's relevant films."""
    gains, order = _gains(shown, targets, weights, k)
    inside = order.position < k
    ideal = np.bincount(order.user[inside], order.weight[inside] * _discounts(k)[order.position[inside]], len(shown))
    return gains @ _discounts(k)[: gains.shape[1]] / ideal


@dataclass(frozen=True)
class _Order:
    """Each relevant film of each user, heaviest first: whose it is, its weight, its place from 0."""

    user: np.ndarray
    weight: np.ndarray
    position: np.ndarray


def _gains(shown: np.ndarray, targets: sparse.csr_array, weights: np.ndarray, k: int) -> tuple[np.ndarray, _Order]:
    """(B, at most k) weight of each hit, 0 for a miss; and the relevant films in their ideal order."""
    relevant = sparse.csr_array(targets.astype(bool))
    relevant.eliminate_zeros()
    counts = np.diff(relevant.indptr)
    hits = _head(hits_of_lists(shown, relevant), counts, k)
    user, weight = np.repeat(np.arange(len(counts)), counts), weights[relevant.indices]
    order = np.lexsort((-weight, user))
    position = np.arange(len(user)) - np.repeat(relevant.indptr[:-1], counts)
    return hits * weights[shown[:, :k]], _Order(user, weight[order], position)


# -- beyond accuracy ---------------------------------------------------------------------------------------------------


def novelty(shown: np.ndarray, raters: np.ndarray, n_users: int) -> np.ndarray:
    """Mean of -log2(share of users who rated the film), in bits; a film without raters (I,) counts as if it had one.

    Source: mean self-information, Zhou et al., PNAS 107(10), 2010; Vargas & Castells, RecSys 2011.
    """
    bits = -np.log2(np.maximum(raters, 1) / n_users)
    return bits[_items(shown, len(raters))].mean(axis=1)


def popularity(shown: np.ndarray, raters: np.ndarray) -> np.ndarray:
    """Mean number of raters (I,) of the films shown. Source: average recommendation popularity, Abdollahpouri et al., FLAIRS 2019."""
    return np.asarray(raters, np.float64)[_items(shown, len(raters))].mean(axis=1)


def intra_list_diversity(shown: np.ndarray, features: np.ndarray) -> np.ndarray:
    """1 - mean cosine of all pairs of a list over features (I, G); films without any feature are like nothing.

    Source: Smyth & McClave, ICCBR 2001; Ziegler et al., WWW 2005.
    """
    k = shown.shape[1]
    if k < 2:
        raise ValueError(f"lists of {k} films, wanted at least 2: diversity is between films")
    f = np.asarray(features, np.float64)
    unit = f / np.maximum(np.linalg.norm(f, axis=1, keepdims=True), 1e-12)
    chosen = unit[_items(shown, len(f))]  # (B, K, G)
    # |sum of f|^2 = sum of |f|^2 + 2 * sum over pairs of f.f'
    pairs = (chosen.sum(axis=1) ** 2).sum(axis=1) - (chosen**2).sum(axis=(1, 2))
    return 1 - pairs / (k * (k - 1))


def serendipity(hits: np.ndarray, shown: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Share of the list that is relevant and not in `expected` (B, any), what popularity alone shows to the same user.

    Source: Ge, Delgado-Battenfeld & Jannach, RecSys 2010.
    """
    n = 1 + max(shown.max(initial=0), expected.max(initial=0))
    row = n * np.arange(len(shown))[:, None]  # so that a film is another number in each list
    return (hits & ~np.isin(shown + row, expected + row)).mean(axis=1)


def genre_shares(weights: np.ndarray | sparse.csr_array, genres: np.ndarray) -> np.ndarray:
    """(B, G) genre distribution of profiles or lists given as weights (B, I) over films; genres (I, G) bool, a film's weight split evenly.

    A row without any genre stays 0. Source: Steck, Calibrated Recommendations, RecSys 2018.
    """
    split = genres / np.maximum(genres.sum(axis=1, keepdims=True), 1)
    total = weights @ split
    return total / np.maximum(total.sum(axis=1, keepdims=True), 1e-12)


def miscalibration(shown: np.ndarray, genres: np.ndarray, taste: np.ndarray, alpha: float = 0.01) -> np.ndarray:
    """Kullback-Leibler divergence, in nats, of the list's genres from the user's taste (B, G); 0 is calibrated, -ln(alpha) the worst.

    The list's shares q are smoothed to (1 - alpha) q + alpha p, so that a missing genre costs much and not everything.
    Source: Steck, Calibrated Recommendations, RecSys 2018.
    """
    empty = np.flatnonzero(~np.isclose(taste.sum(axis=1), 1))
    if len(empty):
        raise ValueError(f"taste[{empty[0]}] sums to {taste[empty[0]].sum():.3g}, must be 1: leave users of unknown taste out, and say how many")
    users, k = shown.shape
    chosen = (np.ones(users * k), _items(shown, len(genres)).ravel(), np.arange(0, users * k + 1, k))
    q = (1 - alpha) * genre_shares(sparse.csr_array(chosen, shape=(users, len(genres))), genres) + alpha * taste
    return np.where(taste > 0, taste * np.log(np.where(taste > 0, taste, 1) / np.where(taste > 0, q, 1)), 0).sum(axis=1)


def _items(shown: np.ndarray, n_items: int) -> np.ndarray:
    if shown.size and not (shown.min() >= 0 and shown.max() < n_items):
        raise ValueError(f"shown runs from {shown.min()} to {shown.max()}; wanted 0 to {n_items - 1}")
    return shown


# -- the system as a whole ---------------------------------------------------------------------------------------------


def exposures(shown: np.ndarray, n_items: int) -> np.ndarray:
    """(I,) how often each film is shown; those of several batches add up."""
    return np.bincount(_items(shown, n_items).ravel(), minlength=n_items)


def coverage(exposures: np.ndarray) -> float:
    """Share of the catalogue that is shown to anyone. Source: Ge, Delgado-Battenfeld & Jannach, RecSys 2010."""
    return float((exposures > 0).mean())


def gini(exposures: np.ndarray) -> float:
    """0 if all films are shown equally often, 1 if a single one is always shown.

    Source: Shani & Gunawardana, Recommender Systems Handbook 2011, chapter 8: 1 / (n - 1) * sum of (2 j - n - 1) p_j, p ascending.
    """
    n, total = len(exposures), exposures.sum()
    if n < 2 or total == 0:
        raise ValueError(f"{total} films shown of a catalogue of {n}; wanted at least 1 of 2")
    return float((2 * np.arange(1, n + 1) - n - 1) @ np.sort(exposures) / total / (n - 1))


# -- predicted stars ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StarErrors:
    """Errors of predicted stars, summed per user; bootstrap_ratio makes the overall RMSE and MAE of sums and counts."""

    squared: np.ndarray  # (B,) stars^2
    absolute: np.ndarray  # (B,) stars
    counts: np.ndarray  # (B,) ratings

    @property
    def rmse(self) -> np.ndarray:  # (B,) stars
        return np.sqrt(self.squared / self.counts)

    @property
    def mae(self) -> np.ndarray:  # (B,) stars
        return self.absolute / self.counts


def star_errors(users: np.ndarray, predicted: np.ndarray, stars: np.ndarray, n_users: int) -> StarErrors:
    """Errors of parallel (N,) users 0..B-1, predicted and true stars; every user must have a rating."""
    error = np.asarray(predicted, np.float64) - stars
    if not np.isfinite(error).all():
        raise ValueError(f"{(~np.isfinite(error)).sum()} of {len(error)} predicted or true stars are not finite")
    counts = np.bincount(users, minlength=n_users)
    if len(counts) != n_users or counts.min(initial=1) < 1:
        raise ValueError(f"users name {np.count_nonzero(counts)} of 0 to {len(counts) - 1}, wanted all of 0 to {n_users - 1}")
    return StarErrors(np.bincount(users, error**2, n_users), np.bincount(users, np.abs(error), n_users), counts)
