"""By how much a treatment differs from its control: means, ratios and proportions of two arms of independent units.

The value of an arm is a function of its means, so that its variance follows from Moments by the delta method; two values with their variances
make an Effect. A relative effect is (treatment - control) / control. Its interval, where both have one sign, is symmetric in the logarithm
of treatment / control: never below -100%, and missing the truth about as often on either side, where one symmetric about the estimate is
mostly too low. A treatment with next to nothing has no such logarithm: there the interval is no narrower than that of the difference.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, stdtr, stdtrit
from scipy.stats import binomtest

from recommender.stats.moments import Moments

FAR = 3.0  # standard errors from 0
ROUNDING = 1e-12  # a variance this small beside its own terms is 0; two values this near each other are one


class Interval(NamedTuple):
    """An estimate and the two ends of its interval."""

    estimate: float
    lo: float
    hi: float


UNDEFINED = Interval(math.nan, math.nan, math.nan)


class Effect(NamedTuple):
    """The values of two arms and their difference, with the two-sided p value of there being none.

    The relative effect is nan where the control is 0. Where nothing varies, p is 1 if the values are equal and 0 if not.
    """

    control: float
    treatment: float
    absolute: Interval
    relative: Interval
    p: float
    se: float  # of the absolute effect
    n_control: int
    n_treatment: int


def mean_effect(control: Moments, treatment: Moments, column: int = 0, level: float = 0.95) -> Effect:
    """Difference of the means of a column, the arms' variances their own. Source: Welch, Biometrika 34(1-2), 1947."""
    return _effect(control, treatment, column, None, level)


def ratio_effect(control: Moments, treatment: Moments, numerator: int, denominator: int, level: float = 0.95) -> Effect:
    """Difference of the ratios of sums of two columns, as clicks / impressions where the viewer is the unit.

    Source: Deng, Knoblich & Lu, Applying the Delta Method in Metric Analytics, KDD 2018, section 3.
    """
    return _effect(control, treatment, numerator, denominator, level)


def _effect(control: Moments, treatment: Moments, numerator: int, denominator: int | None, level: float) -> Effect:
    values, variances = zip(*(estimate(m, numerator, denominator) for m in (control, treatment)))
    return welch(values, variances, (control.n, treatment.n), level)


def estimate(m: Moments, numerator: int, denominator: int | None = None) -> tuple[float, float]:
    """The mean of a column, or the ratio of the means of two, and the variance of that value. Raises ValueError as gradient does."""
    value, slope = gradient(m, numerator, denominator)
    return value, quadratic(slope, m.cov) / m.n


def gradient(m: Moments, numerator: int, denominator: int | None = None) -> tuple[float, np.ndarray]:
    """The mean of a column or the ratio of the means of two, and its derivatives (M,) by the means of all columns.

    With R = mean_a / mean_b:  dR = (e_a - R e_b) / mean_b. Raises ValueError where an arm has fewer than two units, a column does not exist,
    or the denominators' mean is not above 0.
    """
    if m.n < 2:
        raise ValueError(f"{m.n} units in an arm, wanted at least 2")
    unit = np.eye(len(m.mean))
    for column in (numerator,) if denominator is None else (numerator, denominator):
        if not 0 <= column < len(unit):
            raise ValueError(f"column {column}, must be within 0 and {len(unit) - 1}")
    if denominator is None:
        return float(m.mean[numerator]), unit[numerator]
    below = float(m.mean[denominator])
    if not below > 0:
        raise ValueError(f"denominators in column {denominator} have mean {below}, must be above 0")
    ratio = float(m.mean[numerator]) / below
    return ratio, (unit[numerator] - ratio * unit[denominator]) / below


def quadratic(weights: np.ndarray, cov: np.ndarray) -> float:
    """Variance w' C w of a weighted sum of columns, exactly 0 where its terms cancel."""
    variance, terms = weights @ cov @ weights, np.abs(weights) @ np.abs(cov) @ np.abs(weights)
    return float(variance) if variance > ROUNDING * terms else 0.0


def welch(values: tuple[float, ...], variances: tuple[float, ...], units: tuple[int, int], level: float = 0.95) -> Effect:
    """The effect between two values (control, treatment) with variances of their own, estimated from so many units each.

    Student's t with the degrees of freedom of Welch (1947) and Satterthwaite (Biometrics Bulletin 2(6), 1946).
    """
    control, treatment = values
    se = math.sqrt(sum(variances))
    delta = treatment - control
    absolute = _around(delta, _reach(variances, units, level))
    p = 2 * stdtr(_freedom(variances, units), -abs(delta) / se) if se > 0 else math.isclose(control, treatment, rel_tol=ROUNDING)
    return Effect(control, treatment, absolute, _relative(values, variances, units, level), float(p), se, *units)


def proportion_effect(hits_control: int, n_control: int, hits_treatment: int, n_treatment: int, level: float = 0.95) -> Effect:
    """Difference of two shares of units, good for few hits too. Raises ValueError where hits do not fit their units.

    p is of the two-sample z test with pooled variance; se is unpooled; the absolute interval is Newcombe's from the two Wilson intervals
    (Statistics in Medicine 17(8), 1998, method 10), and the relative one is the ratio made of the same two (MOVER-R: Donner & Zou, Statistical
    Methods in Medical Research 21(4), 2012, equation 9), so that both hold 0 or neither does.
    """
    upper(level)  # refuses what is no level
    control, treatment = _share(hits_control, n_control, level), _share(hits_treatment, n_treatment, level)
    (c, c_lo, c_hi), (t, t_lo, t_hi) = control, treatment
    delta = t - c
    absolute = Interval(delta, delta - math.hypot(t - t_lo, c_hi - c), delta + math.hypot(t_hi - t, c - c_lo))
    pooled = (hits_control + hits_treatment) / (n_control + n_treatment)
    under_null = math.sqrt(pooled * (1 - pooled) * (1 / n_control + 1 / n_treatment))
    p = 2 * float(ndtr(-abs(delta) / under_null)) if under_null > 0 else 1.0  # only where nobody has a hit, or everybody
    se = math.sqrt(c * (1 - c) / n_control + t * (1 - t) / n_treatment)
    return Effect(c, t, absolute, _share_ratio(control, treatment), p, se, n_control, n_treatment)


def _share(hits: int, n: int, level: float) -> Interval:
    """A share and its score interval. Source: Wilson, JASA 22(158), 1927."""
    if n < 2:
        raise ValueError(f"{n} units in an arm, wanted at least 2")
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} hits of {n} units, must be within 0 and {n}")
    lo, hi = binomtest(hits, n).proportion_ci(level, method="wilson")
    return Interval(hits / n, float(lo), float(hi))


def _share_ratio(control: Interval, treatment: Interval) -> Interval:
    """treatment / control - 1 of two shares t, c with intervals (l, u) of their own: the roots r of

    t - r c = sqrt((t - l_t)^2 + r^2 (u_c - c)^2),  r c - t = sqrt((u_t - t)^2 + r^2 (c - l_c)^2)
    """
    (c, c_lo, c_hi), (t, t_lo, t_hi) = control, treatment
    if c == 0:
        return UNDEFINED
    low_t, high_t, low_c, high_c = (x * (2 * share - x) for x, share in ((t_lo, t), (t_hi, t), (c_lo, c), (c_hi, c)))
    lo = low_t / (t * c + math.sqrt(t * c * t * c - low_t * high_c)) if t > 0 else 0.0
    hi = (t * c + math.sqrt(t * c * t * c - high_t * low_c)) / low_c
    return Interval(t / c - 1, lo - 1, hi - 1)


def upper(level: float) -> float:
    """The quantile at the upper end of a two-sided interval: 0.975 of 0.95. Raises ValueError where level is not within 0 and 1."""
    if not 0 < level < 1:
        raise ValueError(f"level {level}, must be above 0 and below 1")
    return (1 + level) / 2


def _freedom(variances: tuple[float, ...], units: tuple[int, int]) -> float:
    """With w the control's share of the variance:  1 / df = w^2 / (n_c - 1) + (1 - w)^2 / (n_t - 1)"""
    share = variances[0] / sum(variances)
    return 1 / (share**2 / (units[0] - 1) + (1 - share) ** 2 / (units[1] - 1))


def _reach(variances: tuple[float, ...], units: tuple[int, int], level: float) -> float:
    """Half the width of the interval of a difference."""
    q = upper(level)
    total = sum(variances)
    return math.sqrt(total) * float(stdtrit(_freedom(variances, units), q)) if 0 < total < math.inf else total


def _around(middle: float, reach: float) -> Interval:
    return Interval(middle, middle - reach, middle + reach)


def _relative(values: tuple[float, ...], variances: tuple[float, ...], units: tuple[int, int], level: float) -> Interval:
    """(treatment - control) / control, symmetric in the logarithm. Where the treatment's value is not FAR from 0 the logarithm does not hold, and
    the wider ends count, of that and of the difference in shares of the control; with values of unlike sign only the latter is left.

    var log(t / c) = var_c / c^2 + var_t / t^2,  var(t / c) = (var_c max(1, t^2 / c^2) + var_t) / c^2
    """
    control, treatment = values
    if control == 0:
        return UNDEFINED
    ratio = treatment / control
    plain = _around(ratio - 1, _reach((variances[0] * max(1, ratio * ratio) / control / control, variances[1] / control / control), units, level))
    if ratio < 0:
        return plain
    if ratio == 0:
        return Interval(-1.0, -1.0, plain.hi)
    reach = _reach((variances[0] / control / control, variances[1] / treatment / treatment), units, level)
    lo, hi = ratio * math.exp(-reach) - 1, ratio * math.exp(reach) - 1 if reach < 700 else math.inf
    if abs(treatment) >= FAR * math.sqrt(variances[1]):
        return Interval(ratio - 1, lo, hi)
    return Interval(ratio - 1, max(min(lo, plain.lo), -1.0), max(hi, plain.hi))
