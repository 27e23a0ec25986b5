"""Metrics: worked by hand, by their laws, and against ranx and trec_eval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from scipy import sparse

from recommender import rank
from recommender.evaluate import metrics

# Anna likes two films and gets them at ranks 1 and 3; Ben likes five, of which one stands at rank 4; Cem likes one, not in the list.
HITS = np.array([[1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], bool)
RELEVANT = np.array([2, 5, 1])
D = 1 / np.log2(np.arange(2, 8))  # 1, 0.63, 0.5, 0.43, 0.39, 0.36


@pytest.mark.parametrize(
    "metric, k, wanted",
    [
        (metrics.precision, 3, [2 / 3, 0, 0]),
        (metrics.precision, 4, [2 / 4, 1 / 4, 0]),
        (metrics.precision, 5, [2 / 5, 1 / 5, 0]),  # a list of four asked for five: the fifth is a miss
        (metrics.recall, 4, [1, 1 / 5, 0]),
        (metrics.recall, 2, [1 / 2, 0, 0]),
        (metrics.hit_rate, 3, [1, 0, 0]),
        (metrics.hit_rate, 4, [1, 1, 0]),
        (metrics.mrr, 4, [1, 1 / 4, 0]),
        (metrics.mrr, 3, [1, 0, 0]),
        (metrics.average_precision, 4, [(1 / 1 + 2 / 3) / 2, (1 / 4) / 5, 0]),  # trec_eval divides by all five of Ben's
        (metrics.average_precision, 2, [(1 / 1) / 2, 0, 0]),
        (metrics.ndcg, 4, [(D[0] + D[2]) / (D[0] + D[1]), D[3] / D[:4].sum(), 0]),  # ideal: 2 hits for Anna, 4 fit for Ben
        (metrics.ndcg, 5, [(D[0] + D[2]) / (D[0] + D[1]), D[3] / D[:5].sum(), 0]),
        (metrics.ndcg, 1, [1, 0, 0]),
        (metrics.own_hits_ndcg, 4, [(D[0] + D[2]) / (D[0] + D[1]), D[3], 0]),  # ideal for Ben: his one hit at rank 1
        (metrics.own_hits_ndcg, 2, [1, 0, 0]),  # Anna's second film is missing and she still gets full marks: the mistake
    ],
)
def test_accuracy_by_hand(metric, k: int, wanted: list[float]) -> None:
    np.testing.assert_allclose(metric(HITS, RELEVANT, k), wanted, rtol=1e-12)


def test_one_relevant_film_by_hand() -> None:
    scores = np.array([[3.0, 1, 2], [3, 1, 2], [2, 2, 2], [1, 2, 3]])
    r = metrics.ranks(scores, np.array([0, 2, 1, 0]))
    assert r.tolist() == [1, 2, 3, 3]  # ties count against the target
    one, hits = np.ones(4, int), metrics.hits_of_ranks(r, 3)
    np.testing.assert_array_equal(hits, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])
    np.testing.assert_allclose(metrics.ndcg(hits, one, 2), [1, 1 / np.log2(3), 0, 0])  # 1, 0.63
    np.testing.assert_allclose(metrics.ndcg(hits, one, 3), [1, 1 / np.log2(3), 1 / 2, 1 / 2])
    assert metrics.hit_rate(hits, one, 2).tolist() == [1, 1, 0, 0]
    np.testing.assert_allclose(metrics.mrr(hits, one, 3), [1, 1 / 2, 1 / 3, 1 / 3])


def test_hits_of_lists() -> None:
    targets = sparse.csr_array(np.array([[0, 2, 0, 1], [1, 0, 0, 0]]))  # any number but 0 is relevant
    shown = np.array([[3, 0, 1], [1, 2, 3]])
    np.testing.assert_array_equal(metrics.hits_of_lists(shown, targets), [[1, 0, 1], [0, 0, 0]])
    for wrong in (-1, 4):
        with pytest.raises(ValueError, match=r"shown runs from .* wanted 0 to 3"):
            metrics.hits_of_lists(np.array([[0, wrong]]), targets)


def test_what_has_no_value_is_refused() -> None:
    for metric in (*metrics.RANKING.values(), metrics.own_hits_ndcg):
        with pytest.raises(ValueError, match=r"relevant\[1\] == 0, must be >= 1: leave users without a relevant film out"):
            metric(HITS, np.array([2, 0, 1]), 3)
        with pytest.raises(ValueError, match="row 0 has 2 hits and only 1 relevant films"):
            metric(HITS, np.array([1, 1, 1]), 3)
        with pytest.raises(ValueError, match="wanted one number a row"):
            metric(HITS, np.array([1, 1]), 3)
        with pytest.raises(ValueError, match="k == 0, must be >= 1"):
            metric(HITS, RELEVANT, 0)


# -- laws --------------------------------------------------------------------------------------------------------------


def random_lists(seed: int, users: int = 30, most: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Hits (users, K) of lists and the number of relevant films, from none to far more than the list holds."""
    rng = np.random.default_rng(seed)
    hits = rng.random((users, rng.integers(1, most))) < rng.random((users, 1)) ** 2
    return hits, np.maximum(hits.sum(axis=1) + rng.integers(0, 20, users) * rng.integers(0, 2, users), 1)


ALL = {**metrics.RANKING, "own hits NDCG": metrics.own_hits_ndcg}
ranked = pytest.mark.parametrize("name", ALL)
seeds = st.integers(0, 2**32 - 1)


@ranked
@effort(deadline=None, max_examples=40)
@given(seed=seeds, k=st.integers(1, 40))
def test_between_nothing_and_one(name: str, seed: int, k: int) -> None:
    hits, relevant = random_lists(seed)
    value = ALL[name](hits, relevant, k)
    assert value.shape == (len(hits),)
    assert ((value >= 0) & (value <= 1 + 1e-12)).all()
    np.testing.assert_array_equal(value > 0, hits[:, :k].any(axis=1))
    np.testing.assert_allclose(value[:1], ALL[name](hits[:1], relevant[:1], k), rtol=1e-12)  # one user as in a batch


@ranked
@effort(deadline=None, max_examples=40)
@given(users=st.integers(1, 5), n=st.integers(1, 60), k=st.integers(1, 40))
def test_the_perfect_list_gives_one(name: str, users: int, n: int, k: int) -> None:
    hits = np.tile(np.arange(60) < n, (users, 1))
    bounds = {"P": min(n, k) / k, "R": min(n, k) / n, "MAP": min(n, k) / n}  # 1 only where k fits the number of relevant films
    np.testing.assert_allclose(ALL[name](hits, np.full(users, n), k), bounds.get(name, 1), rtol=1e-12)


@ranked
@effort(deadline=None, max_examples=40)
@given(seed=seeds, k=st.integers(1, 40))
def test_a_hit_further_up_never_gives_less(name: str, seed: int, k: int) -> None:
    hits, relevant = random_lists(seed)
    before = ALL[name](hits, relevant, k)
    for p in range(1, hits.shape[1]):
        better = hits.copy()
        better[:, [p - 1, p]] = np.sort(hits[:, [p - 1, p]], axis=1)[:, ::-1]  # a miss just above a hit changes places with it
        change = ALL[name](better, relevant, k) - before
        if name == "own hits NDCG" and p == k:  # its ideal grows with the hits: another reason not to use it
            continue
        assert (change >= -1e-12).all()


def test_own_hits_ndcg_can_fall_when_a_hit_comes_in() -> None:
    # one hit at rank 1: 1 / 1. A second hit enters at rank 3: 1.5 / 1.63 = 0.92. The standard NDCG rises from 0.61 to 0.92.
    hits = np.array([[1, 0, 0, 1], [1, 0, 1, 0]], bool)
    np.testing.assert_allclose(metrics.own_hits_ndcg(hits, np.array([2, 2]), 3), [1, 1.5 / (1 + D[1])])
    np.testing.assert_allclose(metrics.ndcg(hits, np.array([2, 2]), 3), np.array([1, 1.5]) / (1 + D[1]))


@effort(deadline=None, max_examples=40)
@given(seed=seeds, k=st.integers(1, 40))
def test_one_relevant_film_is_the_special_case(seed: int, k: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 30, (20, 25)).astype(float)
    target = np.random.default_rng(seed).integers(0, 25, 20)
    r, one = metrics.ranks(scores, target), np.ones(20, int)
    hits = metrics.hits_of_ranks(r, k)
    assert all(rank.rank_of(row, t) <= found for row, t, found in zip(scores, target, r))  # equal without ties
    np.testing.assert_allclose(metrics.ndcg(hits, one, k), np.where(r <= k, 1 / np.log2(1 + r), 0))
    np.testing.assert_allclose(metrics.mrr(hits, one, k), np.where(r <= k, 1 / r, 0))
    np.testing.assert_array_equal(metrics.average_precision(hits, one, k), metrics.mrr(hits, one, k))
    np.testing.assert_array_equal(metrics.recall(hits, one, k), metrics.hit_rate(hits, one, k))
    np.testing.assert_array_equal(metrics.recall(hits, one, k), r <= k)


# -- against others ----------------------------------------------------------------------------------------------------


def as_trec(hits: np.ndarray, relevant: np.ndarray) -> tuple[dict, dict]:
    """Judgements and runs with scores that never tie; the relevant films beyond the list are judged and not retrieved."""
    judged, run = {}, {}
    for u, (row, n) in enumerate(zip(hits, relevant)):
        beyond = [f"far{i}" for i in range(n - row.sum())]
        judged[f"u{u:04}"] = {**{f"film{p}": 1 for p in np.flatnonzero(row)}, **dict.fromkeys(beyond, 1)}
        run[f"u{u:04}"] = {f"film{p}": 1000.0 - p for p in range(len(row))}
    return judged, run


@effort(deadline=None, max_examples=40)
@given(seed=seeds, k=st.integers(1, 40))
def test_agrees_with_trec_eval(seed: int, k: int) -> None:
    import pytrec_eval

    hits, relevant = random_lists(seed)
    judged, run = as_trec(hits, relevant)
    theirs = {"P": f"P.{k}", "R": f"recall.{k}", "NDCG": f"ndcg_cut.{k}", "MAP": f"map_cut.{k}", "HR": f"success.{k}"}
    found = pytrec_eval.RelevanceEvaluator(judged, set(theirs.values())).evaluate(run)
    cut = {user: dict(list(films.items())[:k]) for user, films in run.items()}  # its reciprocal rank knows no k
    first = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank"}).evaluate(cut)
    for name, measure in theirs.items():
        wanted = [found[user][measure.replace(".", "_")] for user in run]
        np.testing.assert_allclose(metrics.RANKING[name](hits, relevant, k), wanted, atol=1e-9)
    np.testing.assert_allclose(metrics.mrr(hits, relevant, k), [first[user]["recip_rank"] for user in run], atol=1e-9)


@pytest.mark.timeout(900)  # ranx compiles itself on its first use, a minute or more
@pytest.mark.filterwarnings("ignore:.*unsafe cast")
@effort(deadline=None, max_examples=20)
@given(seed=seeds, k=st.integers(1, 40))
def test_agrees_with_ranx(seed: int, k: int) -> None:
    from ranx import Qrels, Run, evaluate

    hits, relevant = random_lists(seed)
    judged, run = as_trec(hits, relevant)
    theirs = {"P": "precision", "R": "recall", "NDCG": "ndcg", "MAP": "map", "HR": "hit_rate", "MRR": "mrr"}
    found = evaluate(Qrels(judged), Run(run), [f"{measure}@{k}" for measure in theirs.values()], return_mean=False, threads=1)
    for name, measure in theirs.items():
        np.testing.assert_allclose(metrics.RANKING[name](hits, relevant, k), found[f"{measure}@{k}"], atol=1e-9)
