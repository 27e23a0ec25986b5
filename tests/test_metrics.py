"""Metrics: worked by hand, by their laws, and against ranx and trec_eval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from scipy import sparse, stats

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
@effort(max_examples=40)
@given(seed=seeds, k=st.integers(1, 40))
def test_between_nothing_and_one(name: str, seed: int, k: int) -> None:
    hits, relevant = random_lists(seed)
    value = ALL[name](hits, relevant, k)
    assert value.shape == (len(hits),)
    assert ((value >= 0) & (value <= 1 + 1e-12)).all()
    np.testing.assert_array_equal(value > 0, hits[:, :k].any(axis=1))
    if name in ("R", "HR", "MRR", "MAP"):
        assert (ALL[name](hits, relevant, k + 1) >= value - 1e-12).all()  # a longer list never gives less
    np.testing.assert_allclose(value[:1], ALL[name](hits[:1], relevant[:1], k), rtol=1e-12)  # one user as in a batch


@ranked
@effort(max_examples=40)
@given(users=st.integers(1, 5), n=st.integers(1, 60), k=st.integers(1, 40))
def test_the_perfect_list_gives_one(name: str, users: int, n: int, k: int) -> None:
    hits = np.tile(np.arange(60) < n, (users, 1))
    bounds = {"P": min(n, k) / k, "R": min(n, k) / n, "MAP": min(n, k) / n}  # 1 only where k fits the number of relevant films
    np.testing.assert_allclose(ALL[name](hits, np.full(users, n), k), bounds.get(name, 1), rtol=1e-12)


@ranked
@effort(max_examples=40)
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


@effort(max_examples=40)
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


@effort(max_examples=40)
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


@effort(max_examples=20)
@given(seed=seeds, k=st.integers(1, 40))
def test_agrees_with_ranx(seed: int, k: int) -> None:
    hits, relevant = random_lists(seed)
    judged, run = as_trec(hits, relevant)
    theirs = {"P": "precision", "R": "recall", "NDCG": "ndcg", "MAP": "map", "HR": "hit_rate", "MRR": "mrr"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("numba.config.DISABLE_JIT", True)  # it would compile itself for minutes, for lists that take a moment
        from ranx import Qrels, Run, evaluate

        found = evaluate(Qrels(judged), Run(run), [f"{measure}@{k}" for measure in theirs.values()], return_mean=False, threads=1)
    for name, measure in theirs.items():
        np.testing.assert_allclose(metrics.RANKING[name](hits, relevant, k), found[f"{measure}@{k}"], atol=1e-9)


# -- had every film been as easy to meet -------------------------------------------------------------------------------


def test_inverse_propensities_by_hand() -> None:
    # the most popular film has 100 raters: weights (100 / 100, 100 / 25, 100 / 4, 100 / 1) to the power 1/2; no rater counts as one
    raters = np.array([100, 25, 4, 0])
    np.testing.assert_allclose(metrics.inverse_propensities(raters), [1, 2, 5, 10])
    np.testing.assert_allclose(metrics.inverse_propensities(raters, most=6), [1, 2, 5, 6])
    np.testing.assert_allclose(metrics.inverse_propensities(raters, power=1), [1, 4, 25, 100])
    np.testing.assert_allclose(metrics.inverse_propensities(raters, power=0), 1)


def test_weighted_metrics_by_hand() -> None:
    # weights 1 2 5 10. Relevant are films 0, 2 and 3; the list shows 2, 1, 0
    targets, shown = sparse.csr_array(np.array([[1, 0, 1, 1]])), np.array([[2, 1, 0]])
    weights = np.array([1.0, 2, 5, 10])
    np.testing.assert_allclose(metrics.weighted_recall(shown, targets, weights, 3), (5 + 1) / (1 + 5 + 10))
    np.testing.assert_allclose(metrics.weighted_recall(shown, targets, weights, 2), 5 / 16)
    np.testing.assert_allclose(metrics.weighted_ndcg(shown, targets, weights, 3), (5 * D[0] + 1 * D[2]) / (10 * D[0] + 5 * D[1] + 1 * D[2]))
    np.testing.assert_allclose(metrics.weighted_ndcg(shown, targets, weights, 2), 5 * D[0] / (10 * D[0] + 5 * D[1]))
    with pytest.raises(ValueError, match=r"relevant\[0\] == 0, must be >= 1"):
        metrics.weighted_ndcg(shown, sparse.csr_array((1, 4)), weights, 2)


def random_screens(seed: int, users: int = 20, films: int = 40, k: int = 12) -> tuple[np.ndarray, sparse.csr_array]:
    """Lists without repetition (users, k) and the relevant films (users, films), at least one each."""
    rng = np.random.default_rng(seed)
    relevant = rng.random((users, films)) < rng.uniform(0, 0.5, (users, 1))
    relevant[np.arange(users), rng.integers(0, films, users)] = True
    return np.argsort(rng.random((users, films)), axis=1)[:, :k], sparse.csr_array(relevant)


@effort(max_examples=40)
@given(seed=seeds, k=st.integers(1, 20))
def test_weighted_laws(seed: int, k: int) -> None:
    shown, targets = random_screens(seed)
    hits, relevant = metrics.hits_of_lists(shown, targets), np.diff(targets.indptr)
    same, weights = np.full(40, 3.0), np.random.default_rng(seed).uniform(0.1, 9, 40)
    np.testing.assert_allclose(metrics.weighted_recall(shown, targets, same, k), metrics.recall(hits, relevant, k))
    np.testing.assert_allclose(metrics.weighted_ndcg(shown, targets, same, k), metrics.ndcg(hits, relevant, k))
    best = np.argsort(-weights * (targets.toarray() + 1e-6), axis=1)[:, :k]  # the heaviest relevant films first
    np.testing.assert_allclose(metrics.weighted_ndcg(best, targets, weights, k), 1)
    for metric in (metrics.weighted_recall, metrics.weighted_ndcg):
        value = metric(shown, targets, weights, k)
        assert ((value >= 0) & (value <= 1 + 1e-12)).all()
        np.testing.assert_allclose(value, metric(shown, targets, 7 * weights, k))  # self-normalised: only their proportions count


def test_popularity_correction_undoes_the_selection() -> None:
    """Films are liked alike and seen in proportion to popularity; the corrected recall of a list gives its share of all that is liked."""
    rng = np.random.default_rng(0)
    seen = np.linspace(0.1, 1, 40)  # chance that a liked film was met
    targets = rng.random((20_000, 40)) < 0.5 * seen
    targets = targets[targets.any(axis=1)]
    shown = np.tile(np.arange(30, 40), (len(targets), 1))  # the ten most popular of forty: 1/4 of what is liked
    raters = targets.sum(axis=0)
    plain = metrics.recall(metrics.hits_of_lists(shown, sparse.csr_array(targets)), targets.sum(axis=1), 10).mean()
    corrected = metrics.weighted_recall(shown, sparse.csr_array(targets), metrics.inverse_propensities(raters, power=1), 10).mean()
    assert plain > 0.38  # 10 films met with .89 on average, of 40 with .55: .40
    assert corrected == pytest.approx(0.25, abs=0.03)  # self-normalised within a user: a small bias is left


# -- beyond accuracy ---------------------------------------------------------------------------------------------------


def test_novelty_and_popularity_by_hand() -> None:
    # of 16 users 8, 4, 1 and 0 rated the films: 1, 2, 4 and, as if one had, 4 bits
    raters, shown = np.array([8, 4, 1, 0]), np.array([[0, 1], [2, 3]])
    np.testing.assert_allclose(metrics.novelty(shown, raters, 16), [1.5, 4])
    np.testing.assert_allclose(metrics.popularity(shown, raters), [6, 0.5])


def test_diversity_by_hand() -> None:
    # two comedies: cosine 1; comedy and drama: 0; comedy with comedy-drama: 1 / sqrt(2); a film without a genre is like nothing
    genres = np.array([[1, 0], [1, 0], [0, 1], [1, 1], [0, 0]], bool)
    pairs = np.array([[0, 1], [0, 2], [0, 3], [3, 4]])
    np.testing.assert_allclose(metrics.intra_list_diversity(pairs, genres), [0, 1, 1 - 1 / np.sqrt(2), 1], atol=1e-12)
    # three films, three pairs: cosines 1, 0, 0
    np.testing.assert_allclose(metrics.intra_list_diversity(np.array([[0, 1, 2]]), genres), 2 / 3)
    with pytest.raises(ValueError, match="lists of 1 films, wanted at least 2"):
        metrics.intra_list_diversity(np.array([[0]]), genres)


@effort(max_examples=40)
@given(seed=seeds)
def test_diversity_is_that_of_the_pairs(seed: int) -> None:
    shown, _ = random_screens(seed)
    genres = np.random.default_rng(seed).random((40, 5)) < 0.4
    unit = genres / np.maximum(np.linalg.norm(genres, axis=1, keepdims=True), 1e-12)
    wanted = [1 - np.mean([unit[a] @ unit[b] for i, a in enumerate(row) for b in row[:i]]) for row in shown]
    np.testing.assert_allclose(metrics.intra_list_diversity(shown, genres), wanted, atol=1e-12)


def test_serendipity_by_hand() -> None:
    # Anna: films 1 and 2 are hits, 1 was to be expected: 1 of 3. Ben: his hit is popular with others and not in what he would see
    shown, hits = np.array([[1, 2, 3], [1, 4, 5]]), np.array([[1, 1, 0], [1, 0, 0]], bool)
    np.testing.assert_allclose(metrics.serendipity(hits, shown, np.array([[1, 0, 9], [4, 0, 9]])), [1 / 3, 1 / 3])
    np.testing.assert_allclose(metrics.serendipity(hits, shown, np.array([[1], [1]])), [1 / 3, 0])
    np.testing.assert_allclose(metrics.serendipity(hits, shown, shown), 0)


def test_calibration_by_hand() -> None:
    # a comedy, a drama, a comedy-drama, one without genres
    genres = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], bool)
    # comedy and comedy-drama: (1 + 1/2) / 2 and (1/2) / 2; twice the drama and the comedy-drama: 1/2 : 2 + 1/2
    taste = metrics.genre_shares(np.array([[1, 0, 1, 0], [0, 2, 1, 5], [0, 0, 0, 1]]), genres)
    np.testing.assert_allclose(taste, [[3 / 4, 1 / 4], [0.5 / 3, 2.5 / 3], [0, 0]])
    # half comedies, half dramas against the first taste: q = .99 * (1/2, 1/2) + .01 * (3/4, 1/4) = (.5025, .4975)
    wanted = 0.75 * np.log(0.75 / 0.5025) + 0.25 * np.log(0.25 / 0.4975)
    np.testing.assert_allclose(metrics.miscalibration(np.array([[0, 1]]), genres, taste[:1]), wanted)
    np.testing.assert_allclose(metrics.miscalibration(np.array([[0, 2]]), genres, taste[:1]), 0, atol=1e-12)
    # nothing of the only genre that is liked: q = .01, so 1 * ln(1 / .01)
    np.testing.assert_allclose(metrics.miscalibration(np.array([[1, 1]]), genres, np.array([[1.0, 0]])), np.log(100))
    with pytest.raises(ValueError, match=r"taste\[2\] sums to 0, must be 1"):
        metrics.miscalibration(np.array([[0], [0], [0]]), genres, taste)


@effort(max_examples=40)
@given(seed=seeds)
def test_calibration_is_a_divergence(seed: int) -> None:
    shown, targets = random_screens(seed)
    genres = np.random.default_rng(seed).random((40, 5)) < 0.4
    genres[~genres.any(axis=1), 0] = True
    taste = metrics.genre_shares(targets, genres)
    value = metrics.miscalibration(shown, genres, taste)
    assert ((value >= -1e-12) & (value <= np.log(100))).all()
    split = genres / genres.sum(axis=1, keepdims=True)
    wanted = [stats.entropy(p, 0.99 * split[row].mean(axis=0) + 0.01 * p) for p, row in zip(taste, shown)]
    np.testing.assert_allclose(value, wanted, atol=1e-12)


# -- the system as a whole ---------------------------------------------------------------------------------------------


def test_exposure_by_hand() -> None:
    seen = metrics.exposures(np.array([[0, 1], [0, 2]]), 4)
    assert seen.tolist() == [2, 1, 1, 0]
    assert metrics.coverage(seen) == 3 / 4
    # ascending shares 0 1/4 1/4 2/4 with weights -3 -1 1 3, over n - 1 = 3: (-1/4 + 1/4 + 6/4) / 3
    assert metrics.gini(seen) == pytest.approx(1 / 2)
    assert metrics.gini(np.full(7, 3)) == pytest.approx(0)
    assert metrics.gini(np.array([0, 0, 9])) == pytest.approx(1)
    with pytest.raises(ValueError, match="0 films shown of a catalogue of 3"):
        metrics.gini(np.zeros(3, int))


@effort(max_examples=40)
@given(seed=seeds)
def test_gini_is_half_the_mean_difference(seed: int) -> None:
    shown, _ = random_screens(seed)
    seen = metrics.exposures(shown, 40)
    apart = np.abs(seen[:, None] - seen).sum() / (40 * 39)  # mean difference of two films
    assert metrics.gini(seen) == pytest.approx(apart / (2 * seen.mean()))
    np.testing.assert_array_equal(seen, metrics.exposures(shown[:7], 40) + metrics.exposures(shown[7:], 40))


# -- predicted stars ---------------------------------------------------------------------------------------------------


def test_star_errors_by_hand() -> None:
    # Anna is missed by 1 and -1, Ben by 3: roots 1 and 3, and over all ratings sqrt((1 + 1 + 9) / 3)
    found = metrics.star_errors(np.array([0, 1, 0]), np.array([4.0, 5, 2]), np.array([3.0, 2, 3]), 2)
    assert found.squared.tolist() == [2, 9]
    assert found.counts.tolist() == [2, 1]
    np.testing.assert_allclose(found.rmse, [1, 3])
    np.testing.assert_allclose(found.mae, [1, 3])
    assert np.sqrt(found.squared.sum() / found.counts.sum()) == pytest.approx(np.sqrt(11 / 3))
    with pytest.raises(ValueError, match="users name 1 of 0 to 1, wanted all of 0 to 1"):
        metrics.star_errors(np.array([1]), np.ones(1), np.ones(1), 2)
    with pytest.raises(ValueError, match="users name 2 of 0 to 1, wanted all of 0 to 0"):
        metrics.star_errors(np.array([0, 1]), np.ones(2), np.ones(2), 1)
    with pytest.raises(ValueError, match="1 of 2 predicted or true stars are not finite"):
        metrics.star_errors(np.array([0, 0]), np.array([1, np.nan]), np.ones(2), 1)


@effort(max_examples=40)
@given(seed=seeds)
def test_star_errors_are_those_of_scikit_learn(seed: int) -> None:
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    rng = np.random.default_rng(seed)
    users = rng.permutation(np.concatenate([np.arange(6), rng.integers(0, 6, 60)]))
    predicted, stars = rng.uniform(0.5, 5, 66), rng.integers(1, 6, 66)
    found = metrics.star_errors(users, predicted, stars, 6)
    for u in range(6):
        assert found.rmse[u] == pytest.approx(root_mean_squared_error(stars[users == u], predicted[users == u]))
        assert found.mae[u] == pytest.approx(mean_absolute_error(stars[users == u], predicted[users == u]))
    assert np.sqrt(found.squared.sum() / found.counts.sum()) == pytest.approx(root_mean_squared_error(stars, predicted))
