"""How many units an effect takes: equal to statsmodels, true by simulation, and consistent with itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import NormalIndPower, TTestIndPower
from statsmodels.stats.proportion import power_proportions_2indep

from recommender.stats.effects import mean_effect, proportion_effect, ratio_effect
from recommender.stats.moments import Moments
from recommender.stats.power import Baseline, days_needed, minimum_detectable_effect, power, sample_size

MINUTES = Baseline(40.0, 90.0)
CLICKED = Baseline.of_proportion(0.1)

# -- against statsmodels -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.2, 0.8), (0.45, 0.45), (0.1, 0.3)])
@pytest.mark.parametrize("n", [20, 500, 20_000])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_means_are_as_in_statsmodels(shares: tuple[float, float], n: int, alpha: float) -> None:
    for relative in (0.02, 0.1, -0.3):
        theirs = TTestIndPower().power(abs(relative) * 40 / 90, n * shares[0], alpha, shares[1] / shares[0])
        ours = power(MINUTES, relative, n, shares, alpha)
        assert 0 <= ours <= 1
        assert ours == pytest.approx(theirs, abs=1e-9) or math.isnan(theirs)  # theirs is nan at scattered places where it is all but 1


@pytest.mark.parametrize("n", [300, 4000])
@pytest.mark.parametrize("relative", [-0.4, 0.1, 0.5])
def test_proportions_are_as_in_statsmodels(n: int, relative: float) -> None:
    control, treated = 0.1, 0.1 * (1 + relative)
    sd = math.sqrt((control * (1 - control) + treated * (1 - treated)) / 2)  # with equal arms, one sd that does for both
    theirs = NormalIndPower().power(abs(control - treated) / sd, n / 2, 0.05, 1)
    assert power(CLICKED, relative, n) == pytest.approx(theirs, abs=1e-12)
    pooled = power_proportions_2indep(treated - control, control, n / 2, return_results=False)  # with the pooled variance under the null
    assert power(CLICKED, relative, n) == pytest.approx(pooled, abs=0.01)


@pytest.mark.parametrize("ratio", [1, 4, 0.5])
def test_sample_sizes_are_as_in_statsmodels(ratio: float) -> None:
    shares = (1 / (1 + ratio), ratio / (1 + ratio))
    control = TTestIndPower().solve_power(0.05 * 40 / 90, None, 0.05, 0.8, ratio)
    assert sample_size(MINUTES, 0.05, 0.8, shares) == math.ceil(control * (1 + ratio) - 1e-4)


def test_the_rule_of_thumb() -> None:
    # 16 sd^2 / effect^2 in each arm for 80% (van Belle): 16 (90 / 2)^2 = 32,400
    assert sample_size(MINUTES, 0.05) / 2 == pytest.approx(32_400, rel=0.03)


# -- by simulation -----------------------------------------------------------------------------------------------------

RUNS = 2000


def rejected(p: list[float]) -> float:
    return float(np.mean(np.array(p) < 0.05))


def near(expected: np.ndarray) -> object:
    """Within four standard errors of a share of RUNS."""
    return pytest.approx(float(expected), abs=4 * math.sqrt(float(expected * (1 - expected)) / RUNS))


def test_the_power_of_means_with_unequal_shares_and_a_holdout() -> None:
    rng, shares, n = np.random.default_rng(0), (0.3, 0.6), 1000
    found = []
    for _ in range(RUNS):
        control, treatment = rng.gamma(4, 10, (300, 1)), rng.gamma(4, 10, (600, 1)) + 4  # sd 20, mean 40
        found.append(mean_effect(Moments.of(control), Moments.of(treatment)).p)
    assert rejected(found) == near(power(Baseline(40, 20), 0.1, n, shares))


def test_the_power_of_proportions() -> None:
    rng = np.random.default_rng(1)
    hits = rng.binomial(1000, (0.1, 0.13), (RUNS, 2))
    found = [proportion_effect(a, 1000, b, 1000).p for a, b in hits.tolist()]
    assert rejected(found) == near(power(CLICKED, 0.3, 2000))


def test_the_power_of_a_ratio() -> None:
    rng, n = np.random.default_rng(2), 400  # an arm
    shown = 10 * rng.geometric(0.3, (RUNS, 2, n))
    clicks = rng.binomial(shown, np.array([[0.1], [0.115]]))
    found = [ratio_effect(Moments.of(run[0]), Moments.of(run[1]), 0, 1).p for run in np.stack([clicks, shown], axis=-1)]
    linear = (clicks[:, 0] - 0.1 * shown[:, 0]) / shown[:, 0].mean()  # sd of one viewer's linearised value
    assert rejected(found) == pytest.approx(float(power(Baseline(0.1, float(linear.std())), 0.15, 2 * n)), abs=0.05)


def test_what_cuped_saves_is_saved_in_viewers() -> None:
    plain, less = sample_size(MINUTES, 0.05), sample_size(MINUTES, 0.05, variance_saved=0.3)
    assert less == pytest.approx(0.7 * plain, rel=1e-3)
    # a variance that is less by 0.3 is that of an sd of sqrt(0.7) * sd
    assert power(MINUTES, 0.05, 9000, variance_saved=0.3) == pytest.approx(float(power(Baseline(40, 90 * math.sqrt(0.7)), 0.05, 9000)))


# -- consistent with itself --------------------------------------------------------------------------------------------

EFFECTS = st.floats(0.02, 0.9)
TARGETS = st.floats(0.2, 0.99)


@given(relative=EFFECTS, target=TARGETS, share=st.floats(0.1, 0.6))
def test_a_sample_size_is_the_fewest_units(relative: float, target: float, share: float) -> None:
    for baseline in (MINUTES, CLICKED):
        n = sample_size(baseline, relative, target, (share, 0.4))
        assert power(baseline, relative, n, (share, 0.4)) >= target
        if (n - 1) * min(share, 0.4) >= 2:
            assert power(baseline, relative, n - 1, (share, 0.4)) < target + 1e-9


@given(relative=EFFECTS, target=TARGETS)
def test_the_smallest_effect_seen_by_enough_units_is_the_effect(relative: float, target: float) -> None:
    for baseline in (MINUTES, CLICKED):
        n = sample_size(baseline, relative, target)
        if n > 100:
            assert minimum_detectable_effect(baseline, n, target) == pytest.approx(relative, rel=0.01)
        assert power(baseline, minimum_detectable_effect(baseline, 5000, target), 5000) == pytest.approx(target)


def test_power_makes_a_curve() -> None:
    n = np.arange(100, 50_000, 500)
    curve = power(MINUTES, 0.05, n)
    assert curve.shape == n.shape
    assert (np.diff(curve) > 0).all()
    assert power(MINUTES, 0.0, 500) == pytest.approx(0.05)  # no effect: as many false alarms
    assert power(MINUTES, [-0.1, 0.1], 5000) == pytest.approx([power(MINUTES, 0.1, 5000)] * 2)


def test_a_metric_below_zero_has_an_effect_too() -> None:
    assert power(Baseline(-40, 90), 0.1, 5000) == power(MINUTES, 0.1, 5000)
    assert minimum_detectable_effect(Baseline(-40, 90), 5000) == pytest.approx(minimum_detectable_effect(MINUTES, 5000))


# -- days --------------------------------------------------------------------------------------------------------------


def test_days_count_units_once() -> None:
    # the rule by hand: 1,000 come on the first day, then fewer new ones every day, the same people coming back
    exposed = np.array([1000, 1500, 1800, 1950, 2000, 2000])
    wanted = sample_size(Baseline(40, 40), 0.13)
    assert 1800 < wanted < 1950
    assert days_needed(Baseline(40, 40), 0.13, exposed) == 4
    assert days_needed(Baseline(40, 40), 0.13, np.array([wanted - 1, wanted])) == 2
    assert days_needed(Baseline(40, 40), 0.05, exposed) is None


# -- what cannot be ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask, said",
    [
        (lambda: sample_size(MINUTES, 0.0), "relative effect == 0.0, must be finite and not 0: no number of units shows an effect of 0"),
        (lambda: sample_size(MINUTES, math.nan), "relative effect == nan"),
        (lambda: sample_size(MINUTES, 1e-9), "takes more than 1e[+]12 units"),
        (lambda: sample_size(MINUTES, 0.1, target=0.05), r"target == 0.05, must be above alpha \(0.05\) and below 1"),
        (lambda: sample_size(MINUTES, 0.1, target=1.0), "target == 1.0"),
        (lambda: sample_size(CLICKED, 9.5), "gives 1.05, must be within 0 and 1"),
        (lambda: power(MINUTES, 0.1, 100, shares=(0.7, 0.7)), r"shares \(0.7, 0.7\), wanted those of control and treatment"),
        (lambda: power(MINUTES, 0.1, 100, shares=(0.0, 0.7)), r"shares \(0.0, 0.7\)"),
        (lambda: power(MINUTES, 0.1, 3), "n == 3 units with shares .*, wanted at least 2 units in each arm"),
        (lambda: power(MINUTES, 0.1, 20, (0.01, 0.5)), "wanted at least 2 units in each arm"),
        (lambda: power(MINUTES, 0.1, 100, alpha=0.0), "alpha == 0.0, must be above 0 and below 1"),
        (lambda: power(MINUTES, 0.1, 100, variance_saved=1.0), "variance_saved == 1.0, must be at least 0 and below 1"),
        (lambda: minimum_detectable_effect(Baseline.of_proportion(0.9), 40), "40 units do not show any increase of a rate of 0.9"),
        (lambda: days_needed(MINUTES, 0.1, np.array([5, 4])), "never falling"),
        (lambda: days_needed(MINUTES, 0.1, np.array([])), "at least one day"),
        (lambda: Baseline(0.0, 1.0), "mean == 0.0, must be finite and not 0"),
        (lambda: Baseline(1.0, 0.0), "sd == 0.0, must be above 0"),
        (lambda: Baseline.of_proportion(1.0), "rate == 1.0, must be above 0 and below 1"),
    ],
)
def test_what_cannot_be_is_said(ask, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ask()


def test_a_normal_power_by_hand() -> None:
    # 0.1 against 0.15, 500 in each arm: se = sqrt((0.09 + 0.1275) / 500) = 0.020857, 0.05 / se = 2.3973, Phi(2.3973 - 1.96) = 0.669
    assert power(CLICKED, 0.5, 1000) == pytest.approx(stats.norm.cdf(2.3973 - 1.95996), abs=1e-4)
