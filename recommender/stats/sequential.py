"""Intervals and p values that may be looked at after every unit: one chance of 1 - level to miss the truth, however often one looks.

An asymptotic confidence sequence with Gaussian mixture: with z = estimate / se, n units so far and x = n rho^2,

    half-width = se sqrt((1 + 1 / x) (log(1 + x) - 2 log(1 - level))),  1 / p = exp(z^2 x / (2 (1 + x))) / sqrt(1 + x)

rho says when the sequence is tightest: at `planned` units, where it is some 55% wider than a fixed 95% interval, and never less than that.
It holds from a number of units on from which means are about normal. Where the same units come back day after day, se falls with n standing
still; then twenty looks at 95% are still safe whatever their correlation, since a half-width of 3.03 se is missed
0.24% of the time.
Source: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, Annals of
Statistics 52(6), 2024, arXiv:2103.06476, section 2; Robbins, Annals of Mathematical Statistics 41(5), 1970.
Units: n and planned count the units of both arms.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import lambertw, ndtri

from recommender.stats.effects import Effect, Interval, upper


def tuned(level: float = 0.95) -> float:
    """planned * rho^2 for which the sequence is tightest at the planned units.

    The half-width is least where 1 + x - log(1 + x) = 1 - 2 log(1 - level), so 1 + x = -W(-(1 - level)^2 / e) on Lambert's lower branch.
    """
    upper(level)
    return float(-lambertw(-((1 - level) ** 2) / math.e, k=-1).real - 1)


def critical(n: np.ndarray | float, planned: int, level: float = 0.95) -> np.ndarray:
    """Half-width in standard errors after n units, of the shape of n. Raises ValueError where n or planned is not above 0."""
    x = _information(n, planned, level)
    return np.sqrt((1 + 1 / x) * (np.log1p(x) - 2 * math.log(1 - level)))


def always_valid(effect: Effect, n: int, planned: int, level: float = 0.95) -> Interval:
    """The interval of the absolute effect after n units."""
    estimate, reach = effect.absolute.estimate, effect.se * float(critical(n, planned, level))
    return Interval(estimate, estimate - reach, estimate + reach)


def always_valid_relative(effect: Effect, n: int, planned: int, level: float = 0.95) -> Interval:
    """The interval of the relative effect after n units, from its fixed interval, which must be of the same level.

    It is widened on the scale on which the fixed one is symmetric: the logarithm of treatment / control, or plainly where they differ in sign.
    """
    estimate, lo, hi = effect.relative
    by = float(critical(n, planned, level)) / float(ndtri(upper(level)))
    if not estimate > -1:  # also nan
        return Interval(estimate, estimate - by * (estimate - lo), estimate + by * (hi - estimate))
    if lo == -1 or hi == math.inf:
        return Interval(estimate, -1.0, math.inf)
    middle, reach = (math.log1p(hi) + math.log1p(lo)) / 2, by * (math.log1p(hi) - math.log1p(lo)) / 2
    return Interval(estimate, math.expm1(middle - reach), math.expm1(middle + reach) if middle + reach < 700 else math.inf)


def always_valid_p(effect: Effect, n: int, planned: int, level: float = 0.95) -> float:
    """The p value after n units: it is below 1 - level where the interval of that level leaves 0 out.

    Where nothing varies it is 1 if the arms are equal and 0 if not, as in the effect itself.
    """
    if effect.se == 0:
        return float(effect.absolute.estimate == 0)
    x = _information(n, planned, level)
    z = effect.absolute.estimate / effect.se
    return min(1.0, math.exp(float(np.log1p(x) / 2 - z * z * x / (1 + x) / 2)))


def _information(n: np.ndarray | float, planned: int, level: float) -> np.ndarray:
    """n rho^2."""
    if not planned > 0:
        raise ValueError(f"planned == {planned}, must be above 0 units")
    if not np.all(np.asarray(n) > 0):
        raise ValueError(f"n == {np.min(n)}, must be above 0 units")
    return tuned(level) * np.asarray(n, np.float64) / planned
