"""Statistics against theory, against scipy, and worked by hand."""

from __future__ import annotations

import gc
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from recommender.stats.inference import (
    benjamini_hochberg,
    bootstrap_mean,
    bootstrap_means,
    bootstrap_ratio,
    holm,
    paired_difference,
    paired_differences,
)

# -- means -------------------------------------------------------------------------------------------------------------


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    # 3,000 columns of 80 units each: coverage near 95%, a percentile bootstrap a little under; 4 standard errors are 0.016
    columns = np.random.default_rng(0).normal(2, 3, (80, 3000))
    found = bootstrap_means(columns, draws=1000)
    assert np.mean([e.lo <= 2 <= e.hi for e in found]) == pytest.approx(0.942, abs=0.016)
    assert np.mean([e.hi - e.lo for e in found]) == pytest.approx(2 * 1.96 * 3 / np.sqrt(80), rel=0.03)


def test_an_interval_agrees_with_theory_and_is_reproducible() -> None:
    values = np.random.default_rng(1).exponential(size=2000)
    found = bootstrap_mean(values)
    low, high = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    assert found.mean == pytest.approx(values.mean())
    assert (found.lo, found.hi) == (pytest.approx(low, abs=0.005), pytest.approx(high, abs=0.005))
    assert found.n == 2000
    assert found == bootstrap_mean(values)
    assert found != bootstrap_mean(values, seed=1)


def test_a_bootstrap_equals_that_of_scipy() -> None:
    values = np.random.default_rng(2).lognormal(size=60)  # skewed, so that the two ends lie differently far
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(0)).confidence_interval
    ours = bootstrap_mean(values, draws=20_000)
    assert ours.lo == pytest.approx(theirs.low, abs=0.08 * stats.sem(values))
    assert ours.hi == pytest.approx(theirs.high, abs=0.08 * stats.sem(values))


def test_many_columns_get_what_each_gets_alone() -> None:
    values = np.random.default_rng(3).random((50, 4))
    for column, found in zip(values.T, bootstrap_means(values, seed=5, draws=300)):
        assert found == pytest.approx(bootstrap_mean(column, seed=5, draws=300))


def test_no_spread_no_width() -> None:
    assert bootstrap_mean(np.full(10, 0.25))[:3] == (0.25, 0.25, 0.25)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="1 values, wanted at least 2"):
        bootstrap_mean(np.ones(1))
    for use in (bootstrap_mean, lambda v: bootstrap_ratio(v, np.ones(3)), lambda v: paired_difference(np.ones(3), v)):
        with pytest.raises(ValueError, match=r"1 of \d values are not finite"):
            use(np.array([1, np.nan, 2]))
    for bad in (np.array([1, 0, 2]), np.array([1, np.nan, 2])):
        with pytest.raises(ValueError, match="must be above 0"):
            bootstrap_ratio(np.ones(3), bad)


# -- ratios ------------------------------------------------------------------------------------------------------------


def test_a_ratio_is_of_the_sums() -> None:
    # 1 + 9 squared stars over 1 + 4 ratings: sqrt(10 / 5), not the mean of sqrt(1) and sqrt(9 / 4)
    found = bootstrap_ratio(np.array([1.0, 9]), np.array([1, 4]), np.sqrt)
    assert found.mean == pytest.approx(np.sqrt(2))
    # a draw is twice the first (1), twice the second (1.5), or both
    assert (found.lo, found.hi) == (1, 1.5)
    assert found.n == 2


def test_equal_denominators_are_a_mean() -> None:
    values = np.random.default_rng(4).random(40)
    assert bootstrap_ratio(3 * values, np.full(40, 3)) == pytest.approx(bootstrap_mean(values))


def test_the_interval_of_an_rmse_covers_it() -> None:
    # users with 1 to 40 ratings each and errors of their own size; the truth is the root of the expected share of squares
    rng, users, trials = np.random.default_rng(5), 150, 400
    covered = 0
    for trial in range(trials):
        counts, size = rng.integers(1, 41, users), rng.gamma(4, 0.25, users)  # E[size^2] = 4 * 5 * 0.25^2 = 1.25
        squares = size**2 * rng.chisquare(counts)
        found = bootstrap_ratio(squares, counts, np.sqrt, seed=trial, draws=500)
        covered += found.lo <= np.sqrt(1.25) <= found.hi
    assert covered / trials == pytest.approx(0.94, abs=0.045)  # 4 standard errors


# -- differences -------------------------------------------------------------------------------------------------------


def test_p_is_uniform_where_nothing_differs() -> None:
    # 1,000 A/A comparisons over 200 units with a shared difficulty, as two equal models over the same users
    rng = np.random.default_rng(6)
    users = rng.normal(0, 2, (200, 1000))
    a, b = (users + rng.standard_t(4, users.shape) for _ in range(2))
    found = paired_differences(a, b, draws=400)
    p = np.array([d.p for d in found])
    assert stats.kstest(p, "uniform").pvalue > 0.001
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.028)  # 4 standard errors
    assert np.mean([d.lo <= 0 <= d.hi for d in found]) == pytest.approx(0.947, abs=0.028)


def test_p_is_that_of_every_change_of_signs() -> None:
    rng = np.random.default_rng(7)
    for shift in (0, 0.4, 0.8):
        a, b = rng.normal(shift, 1, 10), rng.normal(0, 1, 10)
        exact = stats.permutation_test((a, b), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples", n_resamples=np.inf)
        found = paired_difference(a, b, draws=8000)
        assert found.p == pytest.approx(exact.pvalue, abs=4 * np.sqrt(0.25 / 40_000))
        assert found.delta == pytest.approx(a.mean() - b.mean())


def test_p_and_interval_agree_with_the_t_test_where_units_are_many() -> None:
    rng = np.random.default_rng(8)
    a, b = rng.random((2, 3000))
    a = a + 0.015
    t = stats.ttest_rel(a, b)
    found = paired_difference(a, b, draws=4000)
    assert found.p == pytest.approx(t.pvalue, abs=0.01)
    interval = t.confidence_interval(0.95)
    assert (found.lo, found.hi) == (pytest.approx(interval.low, abs=0.001), pytest.approx(interval.high, abs=0.001))
    assert found.n == 3000


def test_a_difference_by_hand() -> None:
    # each of two units differs by 1: of the four changes of signs two lie as far out, p near 1/2; no draw of units gives another mean
    found = paired_difference(np.array([3.0, 5]), np.array([2.0, 4]), draws=2000)
    assert found[:3] == (1, 1, 1)
    assert found.p == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 10_000))
    # the same values twice: every change of signs is as far out as nothing
    assert paired_difference(np.arange(5.0), np.arange(5.0)) == (0, 0, 0, 1, 5)
    # p is never 0: with 5 * 200 changes of signs at least 1 / 1,001
    assert paired_difference(np.ones(100), np.zeros(100), draws=200).p == pytest.approx(1 / 1001)


def test_differences_of_many_columns() -> None:
    rng = np.random.default_rng(9)
    a, b = rng.random((60, 3)), rng.random((60, 1))
    for column, found in zip(a.T, paired_differences(a, b, seed=2, draws=300)):
        assert found == pytest.approx(paired_difference(column, b[:, 0], seed=2, draws=300))
    back = paired_difference(b[:, 0], a[:, 0], seed=2, draws=300)
    there = paired_difference(a[:, 0], b[:, 0], seed=2, draws=300)
    assert (back.delta, back.lo, back.hi, back.p) == pytest.approx((-there.delta, -there.hi, -there.lo, there.p))


def test_a_difference_of_two_rmses() -> None:
    # squares 1 + 9 against 4 + 16 over 1 + 4 ratings: sqrt(2) - sqrt(4); draws give 1 - 2, 1.5 - 2 or this
    found = paired_difference(np.array([1.0, 9]), np.array([4.0, 16]), denominators=np.array([1, 4]), transform=np.sqrt)
    assert found.delta == pytest.approx(np.sqrt(2) - 2)
    assert (found.lo, found.hi) == (-1, -0.5)
    rng = np.random.default_rng(10)
    a, b, counts = rng.random(30), rng.random(30), rng.integers(1, 9, 30)
    plain, root = paired_difference(a, b), paired_difference(a, b, denominators=counts, transform=np.sqrt)
    assert plain.p == root.p  # an increasing function of the same sums keeps their order


# -- many comparisons --------------------------------------------------------------------------------------------------


def test_holm_by_hand() -> None:
    # ascending .005 .01 .03 .04 times 4 3 2 1: .02 .03 .06 .04; never less than the one before: the last becomes .06
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.6, 0.7])), [1, 1])  # 2 * .6 stops at 1
    assert holm(np.array([])).tolist() == []
    for wrong in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="must be within 0 and 1"):
            holm(np.array([0.5, wrong]))


@effort(max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(p: list[float]) -> None:
    """A hypothesis is rejected when every set it is in is: its corrected p is the largest, over those sets, of size times smallest p."""
    for i, corrected in enumerate(holm(np.array(p))):
        sets = [s for size in range(1, len(p) + 1) for s in combinations(range(len(p)), size) if i in s]
        assert corrected == pytest.approx(max(min(1, len(s) * min(p[j] for j in s)) for s in sets))


def test_holm_keeps_the_promise_for_the_family() -> None:
    # 2,000 families of 10 comparisons, 7 of them of nothing: a false alarm in at most 5% (4 standard errors are 0.02)
    rng = np.random.default_rng(11)
    p = np.concatenate([rng.random((2000, 7)), rng.random((2000, 3)) * 0.002], axis=1)
    alarms = np.mean([(holm(row)[:7] <= 0.05).any() for row in p])
    assert alarms <= 0.05 + 0.02


def test_benjamini_hochberg_by_hand() -> None:
    # ascending .005 .01 .03 .04 times 4/1 4/2 4/3 4/4: .02 .02 .04 .04; never more than the one after
    np.testing.assert_allclose(benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.005])), [0.02, 0.04, 0.04, 0.02])
    np.testing.assert_allclose(benjamini_hochberg(np.array([0.6, 0.7])), [0.7, 0.7])  # 2 * .6 is more than the one after
    assert benjamini_hochberg(np.array([])).tolist() == []
    for wrong in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="must be within 0 and 1"):
            benjamini_hochberg(np.array([0.5, wrong]))


@pytest.fixture(scope="module")
def settled() -> None:
    """statsmodels looks through all objects for garbage with every family that it corrects: those of earlier tests are put aside."""
    gc.freeze()


@pytest.mark.usefixtures("settled")
@effort(max_examples=100)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_corrections_are_those_of_statsmodels(p: list[float]) -> None:
    for ours, theirs in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        np.testing.assert_allclose(ours(np.array(p)), multipletests(p, method=theirs)[1], rtol=1e-6, atol=1e-12)


def test_benjamini_hochberg_keeps_the_share_of_false_alarms() -> None:
    # 2,000 families of 10 comparisons, 7 of them of nothing: of what is called, 7 / 10 of 10% is false (4 standard errors are 0.01)
    rng = np.random.default_rng(12)
    p = np.concatenate([rng.random((2000, 7)), rng.random((2000, 3)) * 0.002], axis=1)
    called = np.array([benjamini_hochberg(row) <= 0.1 for row in p])
    false = called[:, :7].sum(axis=1) / np.maximum(called.sum(axis=1), 1)
    assert false.mean() == pytest.approx(0.07, abs=0.01)
