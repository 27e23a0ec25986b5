"""How many units it takes to see an effect, how small an effect so many units show, and how many days that is.

Two-sided tests of the difference of two arms. Student's t with noncentrality for means and ratios, the normal for proportions, whose arms have
variances of their own. A ratio's sd is that of one unit's linearised value, so that sd / sqrt(n) is the error of the ratio of n units.
Source: Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd edition, 1988, chapters 2 and 12; Fleiss, Levin & Paik, Statistical
Methods for Rates and Proportions, 3rd edition, 2003, chapter 4.
Units: n counts the units of the whole experiment, of which control and treatment get their shares and other arms or a holdout the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammainccinv, gammaincinv, ndtr, ndtri, stdtrit

HALVES = (0.5, 0.5)
LEAST = 2  # units of an arm
MOST = 1e12  # units of an experiment
TAIL = 1e-17  # of the estimated sd that is left out
POINTS, WEIGHTS = np.polynomial.legendre.leggauss(80)


@dataclass(frozen=True)
class Baseline:
    """What a unit of the control arm is like over the whole experiment: its mean (or the ratio) and the standard deviation of one unit."""

    mean: float
    sd: float
    proportion: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and self.mean != 0):
            raise ValueError(f"mean == {self.mean}, must be finite and not 0: relative effects are shares of it")
        if not 0 < self.sd < math.inf:
            raise ValueError(f"sd == {self.sd}, must be above 0 and finite")

    @classmethod
    def of_proportion(cls, rate: float) -> Baseline:
        """A share of units: its sd follows from the rate, in the treatment arm from the rate there."""
        if not 0 < rate < 1:
            raise ValueError(f"rate == {rate}, must be above 0 and below 1")
        return cls(rate, math.sqrt(rate * (1 - rate)), True)

    def changed(self, relative: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Absolute size of a relative effect, and the variance of a unit that has it."""
        relative = np.asarray(relative, np.float64)
        mean = self.mean * (1 + relative)
        if self.proportion and not ((mean >= 0) & (mean <= 1)).all():
            raise ValueError(f"a relative effect of {relative} on a rate of {self.mean} gives {mean}, must be within 0 and 1")
        return np.abs(self.mean * relative), mean * (1 - mean) if self.proportion else np.full(relative.shape, self.sd**2)


def power(
    baseline: Baseline,
    relative: np.ndarray | float,
    n: np.ndarray | float,
    shares: tuple[float, float] = HALVES,
    alpha: float = 0.05,
    variance_saved: float = 0.0,
) -> np.ndarray:
    """Chance of p < alpha given a relative effect and n units; both may be arrays, the answer has their common shape. ValueError as checked below.

    shares: of control and treatment among n; variance_saved: share of the variance that CUPED takes away.
    """
    _check(shares, alpha, variance_saved)
    if not np.all(np.asarray(n) * min(shares) >= LEAST * (1 - 1e-9)):
        raise ValueError(f"n == {np.min(n):g} units with shares {shares}, wanted at least {LEAST} units in each arm")
    effect, treated = baseline.changed(relative)
    n_control, n_treatment = (np.asarray(n, np.float64) * share for share in shares)
    se = np.sqrt((baseline.sd**2 / n_control + treated / n_treatment) * (1 - variance_saved))
    if baseline.proportion:
        z = -ndtri(alpha / 2)
        return ndtr(effect / se - z) + ndtr(-effect / se - z)
    return _beyond_t(n_control + n_treatment - 2, effect / se, alpha)


def sample_size(
    baseline: Baseline,
    relative: float,
    target: float = 0.8,
    shares: tuple[float, float] = HALVES,
    alpha: float = 0.05,
    variance_saved: float = 0.0,
) -> int:
    """The fewest units of the whole experiment with which a relative effect is seen with power `target`.

    Raises ValueError where there is none: an effect of 0 has no sample size, nor has a target that is not between alpha and 1.
    """
    _check(shares, alpha, variance_saved)
    _check_target(target, alpha)
    if not (math.isfinite(relative) and relative != 0):
        raise ValueError(f"relative effect == {relative}, must be finite and not 0: no number of units shows an effect of 0")
    least = LEAST / min(shares)

    def beyond(n: float) -> float:
        return float(power(baseline, relative, n, shares, alpha, variance_saved)) - target

    n = least if beyond(least) >= 0 else _root(beyond, least, f"a relative effect of {relative}")
    near = max(math.ceil(n - 1e-6), math.ceil(least))  # brentq's tolerance
    return near if beyond(near) >= 0 else near + 1


def minimum_detectable_effect(
    baseline: Baseline,
    n: float,
    target: float = 0.8,
    shares: tuple[float, float] = HALVES,
    alpha: float = 0.05,
    variance_saved: float = 0.0,
) -> float:
    """The smallest relative increase that n units of the whole experiment show with power `target`. ValueError where a proportion leaves no room."""
    _check(shares, alpha, variance_saved)
    _check_target(target, alpha)
    most = (1 - baseline.mean) / baseline.mean if baseline.proportion else math.inf

    def beyond(relative: float) -> float:
        return float(power(baseline, relative, n, shares, alpha, variance_saved)) - target

    high = min(most, baseline.sd / abs(baseline.mean))
    while beyond(high) < 0 and high < most:
        high = min(most, 2 * high)
    if beyond(high) < 0:
        raise ValueError(f"{n:g} units do not show any increase of a rate of {baseline.mean} with power {target}, wanted more units")
    return float(brentq(beyond, 0.0, high, xtol=1e-12))


def days_needed(
    baseline: Baseline,
    relative: float,
    exposed: np.ndarray,
    target: float = 0.8,
    shares: tuple[float, float] = HALVES,
    alpha: float = 0.05,
    variance_saved: float = 0.0,
) -> int | None:
    """The first day, from 1, by whose end enough units have been exposed, None where the curve does not reach them.

    exposed (D,): units exposed by the end of each day, each counted once: those who come back add none. Raises ValueError where it falls.
    """
    curve = np.asarray(exposed, np.float64)
    if curve.ndim != 1 or not len(curve) or not (np.diff(curve, prepend=0.0) >= 0).all():  # so is nan
        raise ValueError(f"exposed {curve.tolist()}, wanted units by the end of each day, at least one day, never falling")
    wanted = sample_size(baseline, relative, target, shares, alpha, variance_saved)
    day = int(np.searchsorted(curve, wanted))
    return day + 1 if day < len(curve) else None


def _beyond_t(freedom: np.ndarray, shift: np.ndarray, alpha: float) -> np.ndarray:
    """Chance that |T| exceeds its quantile, T noncentral with so many degrees of freedom. scipy's own is nan at scattered places.

    T = (Z + shift) / s with s the estimated sd over the true one:  P = E[Phi(shift - t s) + Phi(-shift - t s)],  s^2 df chi-squared.
    """
    df, shift = (np.asarray(each, np.float64)[..., None] for each in np.broadcast_arrays(freedom, shift))
    low, high = np.sqrt(2 * gammaincinv(df / 2, TAIL) / df), np.sqrt(2 * gammainccinv(df / 2, TAIL) / df)
    s = low + (high - low) * (POINTS + 1) / 2
    density = (df - 1) * np.log(s) - df * (s * s - 1) / 2
    weights = WEIGHTS * np.exp(density - density.max(axis=-1, keepdims=True))
    far = stdtrit(df, 1 - alpha / 2) * s
    return ((ndtr(shift - far) + ndtr(-shift - far)) * weights).sum(axis=-1) / weights.sum(axis=-1)


def _root(beyond: Callable[[float], float], low: float, what: str) -> float:
    high = 2 * low
    while beyond(high) < 0:
        high *= 2
        if high > MOST:
            raise ValueError(f"{what} takes more than {MOST:g} units, wanted a larger effect")
    return float(brentq(beyond, low, high, xtol=1e-7, rtol=1e-14))


def _check(shares: tuple[float, float], alpha: float, variance_saved: float) -> None:
    if len(shares) != 2 or not (min(shares) > 0 and sum(shares) <= 1 + 1e-9):
        raise ValueError(f"shares {shares}, wanted those of control and treatment, above 0 and together at most 1")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha == {alpha}, must be above 0 and below 1")
    if not 0 <= variance_saved < 1:
        raise ValueError(f"variance_saved == {variance_saved}, must be at least 0 and below 1")


def _check_target(target: float, alpha: float) -> None:
    if not alpha < target < 1:
        raise ValueError(f"target == {target}, must be above alpha ({alpha}) and below 1")
