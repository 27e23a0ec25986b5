"""Adjustment by what was known before: by hand, against least squares and tea-tasting, and as sharp as theory says."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import tea_tasting as tt

from recommender.stats.cuped import Cuped, cuped
from recommender.stats.effects import Effect, mean_effect, ratio_effect
from recommender.stats.moments import Moments

CLICKS, SHOWN, CLICKS_BEFORE, SHOWN_BEFORE = range(4)


def viewers(rng: np.random.Generator, n: int, lift: float = 1.0) -> np.ndarray:
    """(n, 4) clicks and films shown, now and before: everybody has a taste for clicking and a habit of coming that last."""
    taste, habit = rng.beta(3, 12, n), rng.gamma(3, 1, n)
    shown, before = (10 * (1 + rng.poisson(habit)) for _ in range(2))
    return np.column_stack([rng.binomial(shown, taste * lift), shown, rng.binomial(before, taste), before]).astype(np.float64)


def flat(e: Effect) -> tuple[float, ...]:
    return *e[:2], *e.absolute, *e.relative, *e[4:]


def test_an_adjustment_by_hand() -> None:
    # columns y, x; over both arms y deviates by -3 -1 1 3 and x by -2 0 0 2: theta = 12 / 8, rho^2 = 12^2 / (8 * 20)
    # y less 1.5 (x - 2): 4 3 and 5 4, so 3.5 and 4.5, each with variance 0.5 / 2; before it 2 and 6, each with 2 / 2
    found = cuped(Moments.of(np.array([[1, 0], [3, 2]])), Moments.of(np.array([[5, 2], [7, 4]])), 0, None, [1])
    assert (found.effect.control, found.effect.treatment) == pytest.approx((3.5, 4.5))
    assert found.effect.absolute.estimate == pytest.approx(1)
    assert found.effect.se == pytest.approx(np.sqrt(0.5))
    assert (found.plain.absolute.estimate, found.plain.se) == pytest.approx((4, np.sqrt(2)))
    assert found.rho == pytest.approx(np.sqrt(0.9))
    assert found.saved == pytest.approx(0.75)


def test_several_covariates_are_one_regression() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 3)) * [1, 1e4, 1e-4]
    y = 5 + x @ [0.7, -3e-5, 8e3] + rng.normal(size=500)
    arms = np.column_stack([y, x])[:200], np.column_stack([y + 0.2, x])[200:]
    control, treatment = map(Moments.of, arms)
    found = cuped(control, treatment, 0, None, [1, 2, 3])
    whole = np.concatenate(arms)
    fit = sm.OLS(whole[:, 0], sm.add_constant(whole[:, 1:] / [1, 1e4, 1e-4])).fit()
    rest = (fit.resid + whole[:, 0].mean())[:, None]
    assert flat(found.effect) == pytest.approx(flat(mean_effect(Moments.of(rest[:200]), Moments.of(rest[200:]))), rel=1e-8)
    assert found.rho == pytest.approx(np.sqrt(fit.rsquared))
    assert found.plain == mean_effect(control, treatment)


def test_agreement_with_tea_tasting() -> None:
    rng = np.random.default_rng(1)
    arms = viewers(rng, 400), viewers(rng, 700, 1.1)
    data = pd.DataFrame(np.concatenate(arms), columns=["clicks", "shown", "clicks_before", "shown_before"])
    data["variant"] = np.repeat([0, 1], [400, 700])
    theirs = tt.Experiment(
        mean=tt.Mean("clicks", covariate="clicks_before"),
        ratio=tt.RatioOfMeans("clicks", "shown", "clicks_before", "shown_before"),
        mixed=tt.RatioOfMeans("clicks", "shown", "clicks_before"),
        confidence=tt.Mean("clicks", covariate="shown_before", confidence_level=0.8),
    ).analyze(data)
    control, treatment = map(Moments.of, arms)
    ours = {
        "mean": cuped(control, treatment, CLICKS, None, [CLICKS_BEFORE]),
        "ratio": cuped(control, treatment, CLICKS, SHOWN, [(CLICKS_BEFORE, SHOWN_BEFORE)]),
        "mixed": cuped(control, treatment, CLICKS, SHOWN, [CLICKS_BEFORE]),
        "confidence": cuped(control, treatment, CLICKS, None, [SHOWN_BEFORE], level=0.8),
    }
    for name, found in ours.items():
        e, t = found.effect, theirs[name]
        assert (e.control, e.treatment, e.p) == pytest.approx((t.control, t.treatment, t.pvalue), rel=1e-9)
        assert e.absolute == pytest.approx((t.effect_size, t.effect_size_ci_lower, t.effect_size_ci_upper), rel=1e-9)
        assert e.relative == pytest.approx((t.rel_effect_size, t.rel_effect_size_ci_lower, t.rel_effect_size_ci_upper), rel=1e-9)
    assert ours["ratio"].plain == ratio_effect(control, treatment, CLICKS, SHOWN)


def test_it_is_unbiased_covers_and_saves_rho_squared() -> None:
    # y = 0.8 x + 0.6 e + 0.3 in the treatment: rho = 0.8, so the variance falls to 0.36; 3,000 experiments
    rng, runs = np.random.default_rng(2), 3000
    found: list[Cuped] = []
    for _ in range(runs):
        x, e = rng.normal(5, 1, (2, 250))
        y = 0.8 * x + 0.6 * e + 0.3 * (np.arange(250) >= 100)
        both = np.column_stack([y, x])
        found.append(cuped(Moments.of(both[:100]), Moments.of(both[100:]), 0, None, [1]))
    adjusted, plain = (np.array([e.absolute.estimate for e in effects]) for effects in zip(*((f.effect, f.plain) for f in found)))
    assert adjusted.mean() == pytest.approx(0.3, abs=4 * adjusted.std() / np.sqrt(runs))
    assert adjusted.var() / plain.var() == pytest.approx(0.36, rel=4 * np.sqrt(4 / runs) * 0.8)  # var of the log of such a ratio: 4 (1 - r^2) / n
    assert np.mean([f.saved for f in found]) == pytest.approx(0.64, abs=0.01)
    assert np.mean([f.rho for f in found]) == pytest.approx(0.8, abs=0.01)
    covered = np.mean([f.effect.absolute.lo <= 0.3 <= f.effect.absolute.hi for f in found])
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / runs))


def test_few_units_draw_the_effect_a_little_towards_0() -> None:
    # theta holds the covariance between the arms as well: of an effect of 3 over 10 units 1 / (10 - 1) goes with it
    rng, runs = np.random.default_rng(7), 2000
    x, e = rng.normal(5, 1, (2, runs, 10))
    y = 0.8 * x + 0.6 * e + 3 * (np.arange(10) >= 5)
    found = [cuped(Moments.of(v[:5]), Moments.of(v[5:]), 0, None, [1]).effect.absolute.estimate for v in np.stack([y, x], axis=2)]
    assert np.mean(found) == pytest.approx(3 * 8 / 9, abs=4 * np.std(found) / np.sqrt(runs))
    assert 4 * np.std(found) / np.sqrt(runs) < 0.1


def test_a_ratio_before_sharpens_a_ratio() -> None:
    rng, runs = np.random.default_rng(3), 1500
    pairs = [(Moments.of(viewers(rng, 200)), Moments.of(viewers(rng, 300))) for _ in range(runs)]
    found = [cuped(a, b, CLICKS, SHOWN, [(CLICKS_BEFORE, SHOWN_BEFORE)]) for a, b in pairs]
    adjusted, plain = (np.array([e.absolute.estimate for e in effects]) for effects in zip(*((f.effect, f.plain) for f in found)))
    rho = np.corrcoef(_linearised(viewers(rng, 200_000)))[0, 1]
    assert adjusted.var() / plain.var() == pytest.approx(1 - rho**2, rel=4 * np.sqrt(4 / runs) * 0.9)
    assert np.mean([f.rho for f in found]) == pytest.approx(rho, abs=0.02)
    assert np.mean([f.saved for f in found]) == pytest.approx(rho**2, abs=0.02)
    assert np.mean([f.effect.p <= 0.05 for f in found]) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / runs))


def _linearised(v: np.ndarray) -> np.ndarray:
    """(2, n) numerator less ratio times denominator, now and before."""
    return np.stack([v[:, a] - v[:, a].sum() / v[:, b].sum() * v[:, b] for a, b in ((CLICKS, SHOWN), (CLICKS_BEFORE, SHOWN_BEFORE))])


def test_what_tells_nothing_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    v = viewers(rng, 600)
    v = np.column_stack([v, 3 * v[:, CLICKS_BEFORE] + 1, np.full(600, 0.1)])
    control, treatment = Moments.of(v[:250]), Moments.of(v[250:])
    one = cuped(control, treatment, CLICKS, None, [CLICKS_BEFORE])
    for covariates in ([CLICKS_BEFORE, 4], [CLICKS_BEFORE, CLICKS_BEFORE], [CLICKS_BEFORE, 5], [4]):  # said twice, or the same for all
        assert flat(cuped(control, treatment, CLICKS, None, covariates).effect) == pytest.approx(flat(one.effect))
    constant = cuped(control, treatment, CLICKS, SHOWN, [5])
    assert flat(constant.effect) == pytest.approx(flat(constant.plain))
    assert (constant.rho, constant.saved) == pytest.approx((0, 0))


def test_no_variance_left() -> None:
    # y = 2 x in both arms: nothing is left to vary, and nothing differs at equal x
    v = np.random.default_rng(5).normal(3, 1, (60, 1)) @ [[2, 1]]
    found = cuped(Moments.of(v[:25]), Moments.of(v[25:]), 0, None, [1])
    assert (found.effect.se, found.effect.p) == (0, 1)
    assert (found.rho, found.saved) == pytest.approx((1, 1))
    # nothing varied to begin with
    v[:, 0] = 0.1
    found = cuped(Moments.of(v[:25]), Moments.of(v[25:]), 0, None, [1])
    assert (found.effect.p, found.rho, found.saved) == (1, 0, 0)


def test_what_cannot_adjust_is_refused() -> None:
    v = viewers(np.random.default_rng(6), 50)
    control, treatment = Moments.of(v[:25]), Moments.of(v[25:])
    with pytest.raises(ValueError, match="0 covariates, wanted at least 1"):
        cuped(control, treatment, CLICKS, SHOWN, [])
    with pytest.raises(ValueError, match="column 4, must be within 0 and 3"):
        cuped(control, treatment, CLICKS, SHOWN, [4])
    v[:, SHOWN_BEFORE] = 0
    with pytest.raises(ValueError, match=r"denominators in column 3 have mean 0\.0"):
        cuped(Moments.of(v[:25]), Moments.of(v[25:]), CLICKS, SHOWN, [(CLICKS_BEFORE, SHOWN_BEFORE)])
    with pytest.raises(ValueError, match="1 units in an arm, wanted at least 2"):
        cuped(Moments.of(v[:1]), treatment, CLICKS, None, [2])


def test_a_covariate_that_all_share_changes_nothing() -> None:
    # before, everybody had 0.7 a visit: the terms of its variance cancel but for their rounding, which may be below 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        some = viewers(rng, 300)
        some[:, CLICKS_BEFORE] = 0.7 * some[:, SHOWN_BEFORE]
        a, b = Moments.of(some[:150]), Moments.of(some[150:])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = cuped(a, b, CLICKS, SHOWN, [(CLICKS_BEFORE, SHOWN_BEFORE)])
        assert (found.rho, found.saved) == (0, 0)
        assert found.effect.absolute == pytest.approx(found.plain.absolute)
