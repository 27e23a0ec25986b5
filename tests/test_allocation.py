"""Did the arms get their shares? Against scipy, by simulation at one look and at a look a day, and worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from recommender.stats.allocation import srm, srm_sequence

# -- one look ----------------------------------------------------------------------------------------------------------


def test_two_arms_by_hand() -> None:
    # (5200 - 5000)^2 / 5000 twice = 16, one degree of freedom: p = 2 Phi(-4)
    found = srm([5200, 4800], [0.5, 0.5])
    assert found.p == pytest.approx(2 * stats.norm.sf(4))
    assert (found.observed, found.expected) == ((5200, 4800), (5000.0, 5000.0))
    assert found.p < 0.001


@pytest.mark.parametrize("shares", [(0.45, 0.45, 0.1), (45, 45, 10)])
def test_many_arms_and_a_holdout(shares: tuple[float, ...]) -> None:
    found = srm([460, 430, 110], shares)
    assert found.expected == pytest.approx((450, 450, 100))
    assert found.p == pytest.approx(stats.chi2.sf(100 / 450 + 400 / 450 + 100 / 100, 2))


def test_false_alarms_come_at_the_stated_rate() -> None:
    rng = np.random.default_rng(0)
    counts = rng.multinomial(10_000, [0.45, 0.45, 0.1], 4000)
    p = np.array([srm(row, [0.45, 0.45, 0.1]).p for row in counts])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.014)  # 4 standard errors
    assert stats.kstest(p, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(("n", "share"), [(20, 0.01), (50, 0.05), (100, 0.1), (200, 0.02), (39, 0.5)])
def test_an_arm_of_few_is_not_refused_more_often(n: int, share: float) -> None:
    # summed over all counts that the plan can give; chi-squared refuses the first in 1.7% of experiments
    p = np.array([srm([n - k, k], [1 - share, share]).p for k in range(n + 1)])
    chance = stats.binom.pmf(np.arange(n + 1), n, share)
    for alpha in (0.05, 0.001):
        assert chance @ (p < alpha) <= alpha
    assert p[0] == pytest.approx(stats.binomtest(0, n, share).pvalue)


def test_few_in_one_of_three_arms() -> None:
    # 9 where 1 is expected, or more: P(X >= 9) three times over, the other end being impossible as it is
    assert srm([50, 41, 9], [0.495, 0.495, 0.01]).p == pytest.approx(3 * stats.binom.sf(8, 100, 0.01))
    assert srm([50, 49, 1], [0.495, 0.495, 0.01]).p == 1


def test_a_planted_mismatch_is_caught() -> None:
    counts = np.random.default_rng(1).multinomial(10_000, [0.52, 0.48], 1000)
    assert np.mean([srm(row, [1, 1]).p < 0.001 for row in counts]) > 0.7  # z is 4 on average, 3.29 are needed: Phi(0.71) = 0.76


# -- a look a day ------------------------------------------------------------------------------------------------------


def test_the_evidence_is_the_odds_of_a_bet_unit_by_unit() -> None:
    # with a = (1, 1) the next unit is treated with chance (1 + treated so far) / (2 + all so far); the plan says a half
    arrivals = np.array([[1, 0], [0, 1], [1, 0], [1, 0]])
    bets = [(1 / 2) / (1 / 2), (1 / 3) / (1 / 2), (2 / 4) / (1 / 2), (3 / 5) / (1 / 2)]
    found = srm_sequence(arrivals, [1, 1], concentration=2)
    assert np.exp(found.evidence) == pytest.approx(np.cumprod(bets))
    assert found.p == pytest.approx([1, 1, 1, 1])  # 1, 2/3, 2/3, 4/5: never above 1


def test_the_bet_is_fair() -> None:
    # the mean of exp(evidence) over all counts that the plan can give is 1
    shares, n = np.array([0.3, 0.7]), 25
    odds = [math.exp(srm_sequence([[k, n - k]], shares, 50).evidence[0]) for k in range(n + 1)]
    assert np.dot(odds, stats.binom.pmf(np.arange(n + 1), n, 0.3)) == pytest.approx(1)


def test_how_a_day_is_cut_up_changes_nothing_at_its_end() -> None:
    arrivals = np.random.default_rng(2).multinomial(500, [0.5, 0.3, 0.2], 6)
    whole = srm_sequence(arrivals, [5, 3, 2])
    assert srm_sequence(arrivals.reshape(2, 3, 3).sum(axis=1), [5, 3, 2]).evidence == pytest.approx(whole.evidence[[2, 5]])
    assert (np.diff(whole.p) <= 0).all()
    assert (whole.p <= 1).all()


def test_an_alarm_once_raised_stays() -> None:
    found = srm_sequence([[300, 200], [200, 300], [500, 500]], [1, 1])
    assert found.p[0] == pytest.approx(math.exp(-found.evidence[0])) == found.p[1] == found.p[2]
    assert found.p[0] < 0.05
    assert found.evidence[2] < 0 < found.evidence[0]


def test_it_may_be_looked_at_daily_and_the_fixed_check_may_not() -> None:
    rng = np.random.default_rng(3)
    runs = rng.multinomial(700, [0.5, 0.5], (1000, 14))
    ever = np.mean([srm_sequence(days, [1, 1]).p[-1] < 0.05 for days in runs])
    fixed = np.mean([any(srm(counts, [1, 1]).p < 0.05 for counts in days.cumsum(axis=0)) for days in runs])
    assert ever <= 0.05
    assert fixed > 0.15


def test_a_planted_mismatch_is_caught_while_it_runs() -> None:
    runs = np.random.default_rng(4).multinomial(715, [0.52, 0.48], (500, 14))  # 10,010 units in all
    p = np.array([srm_sequence(days, [1, 1]).p for days in runs])
    assert (p[:, -1] < 0.05).mean() > 0.8
    assert (p[:, -1] < 0.001).mean() > 0.4
    assert (p[:, 6] < 0.05).mean() > 0.4  # half-way


def test_a_lost_holdout_is_caught_on_the_first_day() -> None:
    assert srm_sequence([[450, 450, 0]], [45, 45, 10]).p[0] < 1e-6


# -- what cannot be ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "counts, shares, said",
    [
        ([5, 5], [0.5, 0.3, 0.2], "one share an arm"),
        ([5], [1], "at least 2 arms"),
        ([5, 5], [1, 0], r"shares \[1.0, 0.0\], must all be above 0"),
        ([5, -1], [1, 1], "whole numbers from 0"),
        ([5, 1.5], [1, 1], "whole numbers from 0"),
        ([5, math.nan], [1, 1], "whole numbers from 0"),
        ([0, 0], [1, 1], "0 units in all arms, wanted at least 1"),
    ],
)
def test_what_fits_no_experiment_is_said(counts: list[float], shares: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        srm(counts, shares)
    with pytest.raises(ValueError, match=said):
        srm_sequence([counts], shares)


def test_a_prior_must_be_worth_something() -> None:
    with pytest.raises(ValueError, match="concentration == 0, must be above 0"):
        srm_sequence([[5, 5]], [1, 1], 0)
