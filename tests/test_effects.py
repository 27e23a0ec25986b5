"""Effects by hand, against scipy, statsmodels and tea-tasting, and as often right as they say."""

from __future__ import annotations

import warnings
from math import exp, isnan, log, sqrt

import numpy as np
import pandas as pd
import pytest
import tea_tasting as tt
from hypothesis import assume, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest
from statsmodels.stats.weightstats import CompareMeans

from recommender.stats.effects import FAR, Effect, Interval, estimate, mean_effect, proportion_effect, ratio_effect, welch
from recommender.stats.inference import bootstrap_effect
from recommender.stats.moments import Moments


def of(*values: float) -> Moments:
    return Moments.of(np.array(values, np.float64)[:, None])


def flat(e: Effect) -> tuple[float, ...]:
    return *e[:2], *e.absolute, *e.relative, *e[4:]


def viewers(rng: np.random.Generator, n: int, lift: float = 1.0) -> np.ndarray:
    """(n, 2) clicks and films shown; who comes often is shown more and clicks on less of it."""
    habit = rng.gamma(2, 1, n)
    shown = 10 * (1 + rng.poisson(habit))
    return np.column_stack([rng.binomial(shown, 0.3 * lift / (1 + 0.25 * habit)), shown]).astype(np.float64)


def near_share(share: float, runs: int) -> object:
    """Within four standard errors of a share found in so many runs."""
    return pytest.approx(share, abs=4 * sqrt(share * (1 - share) / runs))


def holds(interval: Interval, truth: float) -> bool:
    return interval.lo <= truth <= interval.hi


# -- means -------------------------------------------------------------------------------------------------------------


def test_a_mean_by_hand() -> None:
    # 1 3: mean 2, variance 2 / 2 = 1; 4 8: mean 6, variance 8 / 2 = 4. se = sqrt(5), df = 5^2 / (1 + 16) = 25 / 17
    # log 3 has variance 1 / 2^2 + 4 / 6^2 = 13 / 36, df = (13 / 36)^2 / (1 / 16 + 1 / 81) = 169 / 97
    e = mean_effect(of(1, 3), of(4, 8))
    wide, far = sqrt(5) * stats.t.ppf(0.975, 25 / 17), sqrt(13) / 6 * stats.t.ppf(0.975, 169 / 97)
    assert flat(e) == pytest.approx(
        (2, 6, 4, 4 - wide, 4 + wide, 2, 3 * exp(-far) - 1, 3 * exp(far) - 1, 2 * stats.t.sf(4 / sqrt(5), 25 / 17), sqrt(5), 2, 2)
    )


def test_a_mean_is_that_of_scipy_and_of_statsmodels() -> None:
    rng = np.random.default_rng(0)
    for n, m, level in ((5, 4, 0.95), (30, 200, 0.8), (1000, 10, 0.99)):
        a, b = rng.gamma(2, 3, n), rng.gamma(2, 4, m)
        e = mean_effect(of(*a), of(*b), level=level)
        t = stats.ttest_ind(b, a, equal_var=False)
        assert e.p == pytest.approx(t.pvalue, rel=1e-9)
        assert e.absolute == pytest.approx((b.mean() - a.mean(), *t.confidence_interval(level)), rel=1e-9)
        assert e.absolute[1:] == pytest.approx(CompareMeans.from_data(b, a).tconfint_diff(1 - level, usevar="unequal"), rel=1e-9)


def test_means_and_ratios_agree_with_tea_tasting() -> None:
    rng = np.random.default_rng(1)
    arms = viewers(rng, 300), viewers(rng, 500, 1.2)
    data = pd.DataFrame(np.concatenate(arms), columns=["clicks", "shown"])
    data["variant"] = np.repeat([0, 1], [300, 500])
    theirs = tt.Experiment(
        mean=tt.Mean("clicks"), ratio=tt.RatioOfMeans("clicks", "shown"), confidence=tt.RatioOfMeans("clicks", "shown", confidence_level=0.8)
    ).analyze(data)
    control, treatment = map(Moments.of, arms)
    ours = {
        "mean": mean_effect(control, treatment),
        "ratio": ratio_effect(control, treatment, 0, 1),
        "confidence": ratio_effect(control, treatment, 0, 1, 0.8),
    }
    for name, e in ours.items():
        t = theirs[name]
        assert (e.control, e.treatment, e.p) == pytest.approx((t.control, t.treatment, t.pvalue), rel=1e-9)
        assert e.absolute == pytest.approx((t.effect_size, t.effect_size_ci_lower, t.effect_size_ci_upper), rel=1e-9)
        assert e.relative == pytest.approx((t.rel_effect_size, t.rel_effect_size_ci_lower, t.rel_effect_size_ci_upper), rel=1e-9)
        assert e.absolute.estimate / e.se == pytest.approx(t.statistic)


columns = hnp.arrays(np.float64, st.integers(3, 12), elements=st.floats(0.5, 20))


@effort(max_examples=150)
@given(columns, columns, st.floats(0.1, 50), st.sampled_from([0.5, 0.9, 0.99]))
def test_laws_of_an_effect(a: np.ndarray, b: np.ndarray, unit: float, level: float) -> None:
    there, back = mean_effect(of(*a), of(*b), level=level), mean_effect(of(*b), of(*a), level=level)
    assume(there.se > 1e-3)
    # the other way round the difference changes its sign, the ratio becomes its reciprocal
    assert back.p == pytest.approx(there.p)
    assert back.absolute == pytest.approx((-there.absolute.estimate, -there.absolute.hi, -there.absolute.lo), abs=1e-9)
    if min(x.mean() * sqrt(len(x)) - FAR * x.std(ddof=1) for x in (a, b)) > 1e-9:
        assert np.log1p(back.relative) == pytest.approx(-np.log1p([there.relative.estimate, there.relative.hi, there.relative.lo]), abs=1e-9)
    # p is the smallest 1 - level whose interval leaves 0 out
    assume(abs(there.p - (1 - level)) > 1e-9)
    assert holds(there.absolute, 0) == (there.p > 1 - level)
    # another unit of measurement changes no relative effect
    scaled = mean_effect(of(*(unit * a)), of(*(unit * b)), level=level)
    assert scaled.p == pytest.approx(there.p)
    assert scaled.relative == pytest.approx(there.relative)
    assert scaled.absolute == pytest.approx([unit * x for x in there.absolute], abs=1e-9)
    assert there.relative.lo >= -1


def test_nothing_to_divide_by_and_nothing_that_varies() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        e = mean_effect(of(-1, 0, 1), of(1, 2, 3))
        assert all(map(isnan, e.relative))
        assert e.absolute.estimate == 2
        assert 0 < e.p < 1
        same, other = mean_effect(of(*[0.1] * 7), of(*[0.1] * 3)), mean_effect(of(*[0.1] * 7), of(*[0.2] * 3))
        assert (same.p, same.se, same.absolute, same.relative) == (1, 0, (0, 0, 0), (0, 0, 0))
        assert (other.p, other.se, other.absolute) == (0, 0, pytest.approx((0.1, 0.1, 0.1)))
        # everybody clicks on a third of what is shown: no ratio varies, though both of its columns do
        third = Moments.of(np.array([[1, 3], [2, 6], [5, 15]]) * 0.1)
        assert estimate(third, 0, 1) == (pytest.approx(1 / 3), 0)
        assert ratio_effect(third, third, 0, 1).p == 1
        # one arm varies: its degrees of freedom alone count
        assert mean_effect(of(1, 1, 1), of(1, 2, 3)).p == pytest.approx(2 * stats.t.sf(sqrt(3), 2))
        # no logarithm where the signs differ: 1 + relative = -2 with variance 0.49 * 2^2 / 1^4 + 1 / 1^2
        e = mean_effect(of(0.3, 1.7), of(-3, -1))
        spread = 0.49 * 4 + 1
        df = spread**2 / ((0.49 * 4) ** 2 + 1)
        assert e.relative == pytest.approx((-3, -3 - sqrt(spread) * stats.t.ppf(0.975, df), -3 + sqrt(spread) * stats.t.ppf(0.975, df)))
        # a control that is all noise says nothing of a relative effect: anything above -100%
        for least in (1e-3, 1e-15):
            assert mean_effect(of(-1, 1, least), of(1, 2, 3)).relative[1:] == (-1, np.inf)


def test_hardly_anything_in_the_treatment_is_no_certainty() -> None:
    # one of 500 viewers hid a film, and none of 500 others: the mean difference is one standard error, so nothing is known
    one, none = of(1, *[0] * 499), of(*[0] * 500)
    e = mean_effect(one, none)
    assert e.relative == pytest.approx((-1, -1, -1 + stats.t.ppf(0.975, 499)))
    assert mean_effect(of(*[1] * 50, *[0] * 450), none).relative.hi < -0.7
    # nor is it where an adjustment made a little of nothing
    e = welch((2e-3, 1e-5), (4e-6, 2.5e-11), (500, 500))
    assert e.relative[:2] == pytest.approx((-0.995, -1), abs=0.01)
    assert e.relative.hi > 0.9
    # the logarithm alone from FAR standard errors on
    e = welch((1.0, 1.0), (0.01, 0.11), (500, 500))
    reach = stats.t.ppf(0.975, 1 / ((1 / 12) ** 2 / 499 + (11 / 12) ** 2 / 499)) * sqrt(0.12)
    assert e.relative == pytest.approx((0, exp(-reach) - 1, exp(reach) - 1))


def test_a_share_that_all_have_does_not_vary() -> None:
    # 0.3 of what is shown to anybody: the terms of the variance cancel but for their rounding, which must not become an effect
    for shown in np.random.default_rng(9).gamma(2, 5, (100, 40, 1)):
        a, b = (Moments.of(part * [0.3, 1]) for part in (shown[:15], shown[15:]))
        e = ratio_effect(a, b, 0, 1)
        assert (e.p, e.se) == (1, 0)


def test_what_makes_no_effect_is_refused() -> None:
    some = Moments.of(np.array([[1.0, 0], [2, 0]]))
    for few in (Moments.empty(2), Moments.of(np.ones((1, 2)))):
        with pytest.raises(ValueError, match=f"{few.n} units in an arm, wanted at least 2"):
            mean_effect(some, few)
    for column in (2, -1):
        with pytest.raises(ValueError, match=f"column {column}, must be within 0 and 1"):
            mean_effect(some, some, column)
        with pytest.raises(ValueError, match=f"column {column}, must be within 0 and 1"):
            ratio_effect(some, some, 0, column)
    with pytest.raises(ValueError, match=r"denominators in column 1 have mean 0\.0, must be above 0"):
        ratio_effect(some, some, 0, 1)
    for level in (0, 1, 95, np.nan):
        for use in (lambda v: mean_effect(some, some, level=v), lambda v: proportion_effect(1, 5, 2, 5, v), lambda v: boot(level=v)):
            with pytest.raises(ValueError, match=f"level {level}, must be above 0 and below 1"):
                use(level)
    with pytest.raises(ValueError, match="1 units in an arm"):
        proportion_effect(1, 5, 0, 1)
    for hits in (-1, 6):
        with pytest.raises(ValueError, match=f"{hits} hits of 5 units, must be within 0 and 5"):
            proportion_effect(1, 5, hits, 5)


def test_where_nothing_differs_p_of_means_is_uniform() -> None:
    # arms of unlike size and spread, 4,000 pairs; a pooled variance would give p below 0.05 in about 20% of them
    rng, runs = np.random.default_rng(2), 4000
    a, b = rng.normal(3, 1, (runs, 90)), rng.normal(3, 3, (runs, 30))
    found = [mean_effect(of(*x), of(*y)) for x, y in zip(a, b)]
    p = np.array([e.p for e in found])
    assert stats.kstest(p, "uniform").pvalue > 0.001
    assert (p <= 0.05).mean() == near_share(0.05, runs)
    assert np.mean([holds(e.absolute, 0) for e in found]) == near_share(0.95, runs)


def test_intervals_of_means_hold_the_truth() -> None:
    rng, runs = np.random.default_rng(3), 4000
    a, b = rng.normal(4, 1, (runs, 60)), rng.normal(5, 3, (runs, 80))
    found = [mean_effect(of(*x), of(*y), level=0.9) for x, y in zip(a, b)]
    assert np.mean([holds(e.absolute, 1) for e in found]) == near_share(0.9, runs)
    assert np.mean([holds(e.relative, 0.25) for e in found]) == near_share(0.9, runs)


# -- ratios ------------------------------------------------------------------------------------------------------------


def test_a_ratio_by_hand() -> None:
    # 1 of 2 and 3 of 4: 4 / 6. Clicks less 2/3 of the films shown are -1/3 and 1/3, their variance 2/9; over the mean 3 squared, over 2 viewers
    m = Moments.of(np.array([[1, 2], [3, 4]]))
    assert estimate(m, 0, 1) == pytest.approx((2 / 3, 2 / 9 / 9 / 2))
    assert estimate(m, 0) == pytest.approx((2, 1))


def test_a_ratio_over_1_is_a_mean() -> None:
    v = np.random.default_rng(4).gamma(2, 1, (80, 1))
    a, b = (Moments.of(np.column_stack([part, np.ones(len(part))])) for part in (v[:30], v[30:]))
    assert flat(ratio_effect(a, b, 0, 1)) == pytest.approx(flat(mean_effect(a, b)))


def test_ratios_are_as_often_right_as_they_say() -> None:
    # clicks and films shown go together, so a variance without their covariance would be far too large
    rng, runs = np.random.default_rng(5), 3000
    arms = [[Moments.of(viewers(rng, n, lift)) for _ in range(runs)] for n, lift in ((200, 1), (300, 1), (300, 1.2))]
    nothing = np.array([ratio_effect(a, b, 0, 1).p for a, b in zip(arms[0], arms[1])])
    assert stats.kstest(nothing, "uniform").pvalue > 0.001
    assert (nothing <= 0.05).mean() == near_share(0.05, runs)
    truth = [sum(many, Moments.empty(2)).mean for many in (arms[0] + arms[1], arms[2])]
    before, after = (mean[0] / mean[1] for mean in truth)
    found = [ratio_effect(a, b, 0, 1) for a, b in zip(arms[0], arms[2])]
    assert np.mean([holds(e.absolute, 0.2 * before) for e in found]) == near_share(0.95, runs)
    assert np.mean([holds(e.relative, 0.2) for e in found]) == near_share(0.95, runs)
    assert after / before == pytest.approx(1.2, rel=0.003)


# -- shares ------------------------------------------------------------------------------------------------------------


def test_a_share_by_hand() -> None:
    # 10 of 100 and 20 of 100: pooled 0.15, z = 0.1 / sqrt(0.15 * 0.85 * 0.02); se = sqrt(0.0009 + 0.0016)
    e = proportion_effect(10, 100, 20, 100)
    assert (e.control, e.treatment, e.absolute.estimate, e.relative.estimate) == pytest.approx((0.1, 0.2, 0.1, 1))
    assert e.p == pytest.approx(2 * stats.norm.sf(0.1 / sqrt(0.15 * 0.85 * 0.02)))
    assert e.se == pytest.approx(0.05)


@effort(max_examples=150)
@given(st.integers(2, 80), st.integers(2, 80), st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.8, 0.95]))
def test_shares_are_those_of_statsmodels(n: int, m: int, share: float, other: float, level: float) -> None:
    a, b = round(n * share), round(m * other)
    e = proportion_effect(a, n, b, m, level)
    if 0 < a + b < n + m:
        assert e.p == pytest.approx(proportions_ztest([b, a], [m, n])[1], abs=1e-12)
    lo, hi = confint_proportions_2indep(b, m, a, n, method="newcomb", alpha=1 - level)
    assert e.absolute == pytest.approx((b / m - a / n, lo, hi), abs=1e-9)
    assert e.absolute.lo <= e.absolute.estimate <= e.absolute.hi
    if not a:
        assert all(map(isnan, e.relative))
        return
    # the relative interval leaves 0 out where the absolute one does, holds its estimate, and ends at -100%
    assert -1 <= e.relative.lo <= e.relative.estimate + 1e-12
    assert e.relative.estimate <= e.relative.hi + 1e-12
    for ends in zip(e.absolute[1:], e.relative[1:]):
        assert abs(ends[0]) < 1e-9 or np.sign(ends[0]) == np.sign(ends[1])


def test_no_hits_and_nothing_but_hits() -> None:
    assert proportion_effect(0, 10, 0, 10).p == proportion_effect(10, 10, 10, 10).p == 1
    none_left = proportion_effect(3, 10, 0, 10)
    assert none_left.relative[:2] == (-1, -1)
    assert none_left.relative.hi > 0
    assert proportion_effect(0, 50, 50, 50).p < 1e-9


def test_a_relative_interval_of_many_units_is_that_of_the_logarithm() -> None:
    # log of the ratio has variance (1 - p) / (n p) in each arm (Katz and others, Biometrics 34(3), 1978)
    e = proportion_effect(20_000, 100_000, 31_000, 150_000)
    reach = 1.959964 * sqrt(0.8 / 20_000 + (1 - 31 / 150) / 31_000)
    assert e.relative[1:] == pytest.approx((exp(log(31 / 30) - reach) - 1, exp(log(31 / 30) + reach) - 1), abs=1e-5)


def test_intervals_of_shares_hold_the_truth() -> None:
    # coverage summed over all outcomes, not simulated: near 95%, as Newcombe found
    n, m, a, b = 40, 60, 0.15, 0.3
    weight = stats.binom.pmf(np.arange(n + 1), n, a)[1:, None] * stats.binom.pmf(np.arange(m + 1), m, b)  # without a hit in the control:
    weight /= weight.sum()  # 0.0015, and no relative effect
    found = [[proportion_effect(i, n, j, m) for j in range(m + 1)] for i in range(1, n + 1)]
    assert (weight * [[holds(e.absolute, b - a) for e in row] for row in found]).sum() == pytest.approx(0.95, abs=0.01)
    assert (weight * [[holds(e.relative, b / a - 1) for e in row] for row in found]).sum() == pytest.approx(0.95, abs=0.01)


# -- bootstrap ---------------------------------------------------------------------------------------------------------


def boot(seed: int = 0, level: float = 0.95) -> Effect:
    v = viewers(np.random.default_rng(6), 500)
    return bootstrap_effect(v[:200], v[200:], seed, level=level)


def test_a_bootstrap_agrees_with_theory_and_is_reproducible() -> None:
    rng = np.random.default_rng(7)
    arms = viewers(rng, 800), viewers(rng, 1200, 1.05)
    control, treatment = map(Moments.of, arms)
    for columns, theory in ((2, ratio_effect(control, treatment, 0, 1, 0.9)), (1, mean_effect(control, treatment, 0, 0.9))):
        e = bootstrap_effect(arms[0][:, :columns], arms[1][:, :columns], draws=4000, level=0.9)
        assert (e.control, e.treatment, e.n_control, e.n_treatment) == pytest.approx((theory.control, theory.treatment, 800, 1200))
        assert e.se == pytest.approx(theory.se, rel=0.06)
        assert e.p == pytest.approx(theory.p, abs=0.03)
        for ours, theirs in ((e.absolute, theory.absolute), (e.relative, theory.relative)):
            assert ours == pytest.approx(theirs, abs=0.05 * (theirs.hi - theirs.lo))
    assert boot() == boot()
    assert boot() != boot(seed=1)


def test_the_arms_are_drawn_apart() -> None:
    # both arms hold the same values in the same order: drawn alike, no difference would ever vary
    v = np.arange(100.0)[:, None]
    e = bootstrap_effect(v, v)
    assert e.se == pytest.approx(np.sqrt(2 * v.var() / 100), rel=0.1)
    assert e.p > 0.9


def test_a_bootstrap_holds_the_truth() -> None:
    rng, runs = np.random.default_rng(8), 600
    found = [bootstrap_effect(rng.gamma(4, 1, (60, 1)), rng.gamma(4, 1.25, (60, 1)), seed=run, draws=500) for run in range(runs)]
    assert np.mean([holds(e.absolute, 1) for e in found]) == near_share(0.945, runs)
    assert np.mean([holds(e.relative, 0.25) for e in found]) == near_share(0.945, runs)


def test_a_bootstrap_by_hand() -> None:
    # nothing varies: every draw is the difference found, and p is that of none of 99 draws on the other side
    e = bootstrap_effect(np.ones((3, 1)), np.full((4, 1), 3.0), draws=99)
    assert flat(e) == (1, 3, 2, 2, 2, 2, 2, 2, 0.02, 0, 3, 4)
    assert bootstrap_effect(np.ones((3, 1)), np.ones((4, 1)), draws=99).p == 1
    # a ratio is of the sums: 4 / 6 to 8 / 6
    e = bootstrap_effect(np.array([[1.0, 2], [3, 4]]), np.array([[2.0, 2], [6, 4]]))
    assert (e.control, e.treatment, e.relative.estimate) == pytest.approx((2 / 3, 4 / 3, 1))


def test_what_cannot_be_drawn_is_refused_or_said() -> None:
    ones = np.ones((4, 2))
    assert all(map(isnan, bootstrap_effect(np.array([[0.0], [1]]), np.ones((3, 1))).relative))  # some draws of the control are 0
    with pytest.raises(ValueError, match=r"values of an arm have shape \(4, 3\)"):
        bootstrap_effect(np.ones((4, 3)), ones)
    with pytest.raises(ValueError, match="1 values, wanted at least 2"):
        bootstrap_effect(ones, ones[:1])
    with pytest.raises(ValueError, match="1 of 8 values are not finite"):
        bootstrap_effect(ones, np.where(np.eye(4, 2) * np.arange(2) > 0, np.nan, 1))
    for below in (np.zeros(4), np.array([1, -1, 2, 3])):
        with pytest.raises(ValueError, match="must not be below 0, and some above"):
            bootstrap_effect(ones, np.column_stack([np.ones(4), below]))
    with pytest.raises(ValueError, match="resamples have denominators of 0 alone"):
        bootstrap_effect(ones, np.column_stack([np.ones(4), [0, 0, 0, 1]]))
