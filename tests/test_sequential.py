"""Intervals that may be looked at after every unit: against theory, by simulation with a peek at every step, and worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from recommender.stats.effects import Effect, Interval, mean_effect, proportion_effect
from recommender.stats.moments import Moments
from recommender.stats.sequential import always_valid, always_valid_p, always_valid_relative, critical, tuned

PLANNED = 2000


def effect(estimate: float, se: float = 1.0) -> Effect:
    """Of a control at 10, with its fixed 95% intervals; the relative one symmetric in the logarithm."""
    control, treatment = 10.0, 10.0 + estimate
    reach = 1.959964 * se / 10
    absolute = Interval(estimate, estimate - 1.959964 * se, estimate + 1.959964 * se)
    relative = Interval(estimate / 10, treatment / control * math.exp(-reach) - 1, treatment / control * math.exp(reach) - 1)
    return Effect(control, treatment, absolute, relative, 0.5, se, 500, 500)


# -- the formula -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [40, 700, 2000, 30_000])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_the_width_is_that_of_the_paper(n: int, level: float) -> None:
    rho2 = tuned(level) / PLANNED
    paper = math.sqrt(2 * (n * rho2 + 1) / (n**2 * rho2) * math.log(math.sqrt(n * rho2 + 1) / (1 - level)))  # of units with sd 1, se = 1 / sqrt(n)
    assert always_valid(effect(0, 1 / math.sqrt(n)), n, PLANNED, level).hi == pytest.approx(paper)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_it_is_tightest_where_it_was_planned_to_be(level: float) -> None:
    # at one and the same n, no other plan gives a shorter interval than the plan for that n
    widths = [float(critical(PLANNED, planned, level)) for planned in (200, 1900, 1990, PLANNED, 2010, 2100, 20_000)]
    assert min(widths) == widths[3]
    assert float(critical(PLANNED, PLANNED)) == pytest.approx(3.0351, abs=1e-4)  # (1 + x) = 9.212 is where 1 + x - log(1 + x) = 6.991


def test_the_evidence_is_a_bet_that_is_fair_if_there_is_no_effect() -> None:
    # E exp(z^2 x / (2 + 2 x)) / sqrt(1 + x) = 1 for z normal: twice the integral over z > 0, where 1 / p may be below 1
    x = tuned() * 500 / PLANNED

    def bet(z: float) -> float:
        p = always_valid_p(effect(z), 500, PLANNED)
        return 1 / p if p < 1 else math.exp(z * z * x / (2 + 2 * x)) / math.sqrt(1 + x)

    assert 2 * integrate.quad(lambda z: stats.norm.pdf(z) * bet(z), 0, 30)[0] == pytest.approx(1)


@given(estimate=st.floats(-6, 6), n=st.integers(10, 100_000), level=st.sampled_from([0.9, 0.95, 0.999]))
def test_p_and_interval_say_the_same(estimate: float, n: int, level: float) -> None:
    found, p = always_valid(effect(estimate), n, PLANNED, level), always_valid_p(effect(estimate), n, PLANNED, level)
    if abs(p - (1 - level)) > 1e-9:
        assert (found.lo > 0 or found.hi < 0) == (p < 1 - level)
    assert found.lo < found.estimate == estimate < found.hi


def test_it_is_always_wider_than_a_fixed_interval_and_shrinks_with_the_units() -> None:
    n = np.geomspace(20, 1e7, 200)
    assert critical(n, PLANNED).min() > 3.03 > stats.norm.ppf(0.975)
    assert (np.diff(critical(n, PLANNED) / np.sqrt(n)) < 0).all()
    assert stats.norm.sf(3.03) * 2 * 20 < 0.05  # so that twenty looks are safe one by one


# -- relative effects --------------------------------------------------------------------------------------------------


def test_the_relative_interval_is_widened_where_it_is_symmetric() -> None:
    found = always_valid_relative(effect(2.0, 0.5), PLANNED, PLANNED)
    reach = 3.035122 * 0.5 / 10
    assert found == pytest.approx((0.2, 1.2 * math.exp(-reach) - 1, 1.2 * math.exp(reach) - 1), rel=1e-5)
    assert found.lo > -1


def test_the_relative_interval_of_arms_that_differ_in_sign_is_widened_plainly() -> None:
    found = always_valid_relative(effect(0)._replace(relative=Interval(-1.5, -1.6, -1.4)), PLANNED, PLANNED)
    assert found == pytest.approx((-1.5, -1.5 - 0.1 * 3.035122 / 1.959964, -1.5 + 0.1 * 3.035122 / 1.959964), rel=1e-5)


@pytest.mark.parametrize("wide", [Interval(0.1, -1.0, 9.0), Interval(0.1, -0.9, math.inf)])
def test_a_relative_interval_without_end_stays_so(wide: Interval) -> None:
    assert always_valid_relative(effect(0)._replace(relative=wide), 100, PLANNED) == (0.1, -1, math.inf)


def test_a_control_at_nothing_has_no_relative_interval() -> None:
    nothing = Interval(math.nan, math.nan, math.nan)
    assert all(math.isnan(end) for end in always_valid_relative(effect(0)._replace(relative=nothing), 100, PLANNED))


def test_absolute_and_relative_agree_on_what_is_proven_for_real_moments() -> None:
    rng = np.random.default_rng(4)
    for shift in (0.0, 0.05, 0.1, 0.2, 0.4):
        arms = (Moments.of(rng.exponential(size=(1000, 1)) + add) for add in (0, shift))
        found = mean_effect(*arms)
        plain, relative = always_valid(found, PLANNED, PLANNED), always_valid_relative(found, PLANNED, PLANNED)
        assert relative.lo == pytest.approx(plain.lo / found.control, abs=0.02)
        assert relative.hi == pytest.approx(plain.hi / found.control, abs=0.04)
        assert relative.lo < found.relative.lo < found.relative.hi < relative.hi


# -- peeking -----------------------------------------------------------------------------------------------------------

RUNS, FROM = 2000, 50


@pytest.fixture(scope="module")
def walks() -> tuple[np.ndarray, np.ndarray]:
    """Units of both arms (T,) and z (RUNS, T) after every pair of them, of two arms alike, skewed and to a third at 0."""
    rng = np.random.default_rng(5)
    values = rng.exponential(size=(2, RUNS, PLANNED)) * (rng.random((2, RUNS, PLANNED)) < 2 / 3)
    n = np.arange(1, PLANNED + 1)[FROM - 1 :]
    sums, squares = values.cumsum(axis=2)[..., FROM - 1 :], (values**2).cumsum(axis=2)[..., FROM - 1 :]
    mean = sums / n
    se = np.sqrt(((squares / n - mean**2) / (n - 1)).sum(axis=0))
    return 2 * n, (mean[1] - mean[0]) / se


def ever(z: np.ndarray, reach: np.ndarray | float) -> float:
    """Share of the runs whose interval leaves the truth out at one look or more."""
    return float((np.abs(z) > reach).any(axis=1).mean())


def test_the_truth_is_in_all_intervals_at_once(walks: tuple[np.ndarray, np.ndarray]) -> None:
    n, z = walks
    assert ever(z, critical(n, PLANNED)) <= 0.05


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_without_end_the_truth_is_missed_as_often_as_is_stated(level: float) -> None:
    # z of a normal walk at 4,000 times, each 0.6% after the last, from far before to far beyond the plan; a little is missed between two looks
    n = np.geomspace(1e-2, 1e9, 4000) * PLANNED
    steps = np.random.default_rng(8).normal(size=(5000, 4000)) * np.sqrt(np.diff(n, prepend=0))
    missed = ever(steps.cumsum(axis=1) / np.sqrt(n), critical(n, PLANNED, level))
    assert 0.7 * (1 - level) < missed < 1 - level


def test_a_fixed_interval_does_not_stand_this_test(walks: tuple[np.ndarray, np.ndarray]) -> None:
    _, z = walks
    assert ever(z, stats.norm.ppf(0.975)) > 0.3
    assert ever(z[:, -1:], stats.norm.ppf(0.975)) == pytest.approx(0.05, abs=0.015)  # at one look it holds


def test_the_walk_is_what_the_effect_says() -> None:
    rng = np.random.default_rng(6)
    control, treatment = rng.exponential(size=(2, 300, 1))
    found = mean_effect(Moments.of(control), Moments.of(treatment))
    z = found.absolute.estimate / found.se
    interval = always_valid(found, 600, PLANNED)
    assert (interval.hi - interval.estimate) / found.se == pytest.approx(float(critical(600, PLANNED)))
    assert z == pytest.approx(stats.ttest_ind(treatment[:, 0], control[:, 0], equal_var=False).statistic)


def test_an_effect_is_found_before_the_planned_end() -> None:
    rng = np.random.default_rng(7)
    control, treatment = rng.normal(0, 1, 5000), rng.normal(0.2, 1, 5000)
    seen = [
        n
        for n in range(100, 5000, 100)
        if always_valid(mean_effect(Moments.of(control[:n, None]), Moments.of(treatment[:n, None])), 2 * n, 10_000).lo > 0
    ]
    assert seen
    assert seen[0] < 2500


# -- edges -------------------------------------------------------------------------------------------------------------


def test_where_nothing_varies() -> None:
    same, other = proportion_effect(0, 50, 0, 50), effect(1.0, 0.0)
    assert always_valid(same, 100, PLANNED) == (0, 0, 0)
    assert (always_valid_p(same, 100, PLANNED), always_valid_p(other, 100, PLANNED)) == (1, 0)


@pytest.mark.parametrize(
    "n, planned, level, said",
    [
        (0, 10, 0.95, "n == 0, must be above 0"),
        (10, 0, 0.95, "planned == 0, must be above 0"),
        (10, 10, 1.0, "level 1.0, must be above 0 and below 1"),
    ],
)
def test_what_cannot_be_is_said(n: int, planned: int, level: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        always_valid(effect(0), n, planned, level)
    with pytest.raises(ValueError, match=said):
        always_valid_p(effect(0), n, planned, level)
