"""Estimates and differences with their uncertainty. The unit is whatever was sampled: one row, one unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.stats import false_discovery_control

from recommender.stats.effects import UNDEFINED, Effect, Interval, upper

LEVEL = (0.025, 0.975)  # of the 95% intervals
BLOCK = 250  # resamples held at once: at 6,000 units 12 MB


class Estimate(NamedTuple):
    """A mean with its 95% interval and the number of units behind it."""

    mean: float
    lo: float
    hi: float
    n: int


class Difference(NamedTuple):
    """By how much a mean exceeds another over the same units, its 95% interval, the two-sided p value and the number of units."""

    delta: float
    lo: float
    hi: float
    p: float
    n: int


def bootstrap_mean(values: np.ndarray, seed: int = 0, draws: int = 2000) -> Estimate:
    """Mean of values (B,) with its percentile bootstrap interval over units."""
    return bootstrap_means(np.asarray(values)[:, None], seed, draws)[0]


def bootstrap_means(values: np.ndarray, seed: int = 0, draws: int = 2000) -> list[Estimate]:
    """One estimate for each column of values (B, M). All columns are resampled alike, so a column gets the interval it would get alone.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    v = _finite(values)
    means = _resample(v, seed, draws) / len(v)
    return [Estimate(m, lo, hi, len(v)) for m, lo, hi in zip(v.mean(axis=0).tolist(), *_interval(means))]


def bootstrap_ratio(numerators: np.ndarray, denominators: np.ndarray, transform: Callable = np.asarray, seed: int = 0, draws: int = 2000) -> Estimate:
    """transform(sum of numerators (B,) / sum of denominators (B,)) with its percentile bootstrap interval over units.

    The RMSE over all ratings with users as units: squared errors and numbers of ratings per user, transform np.sqrt.
    """
    pair = _finite(np.stack([numerators, _positive(denominators)], axis=1))
    sums = _resample(pair, seed, draws)
    (lo,), (hi,) = _interval(transform(sums[:, :1] / sums[:, 1:]))
    return Estimate(float(transform(pair[:, 0].sum() / pair[:, 1].sum())), lo, hi, len(pair))


def paired_difference(
    a: np.ndarray,
    b: np.ndarray,
    seed: int = 0,
    draws: int = 2000,
    denominators: np.ndarray | None = None,
    transform: Callable = np.asarray,
) -> Difference:
    """Mean of a (B,) less mean of b (B,), measured on the same units; see paired_differences."""
    return paired_differences(np.asarray(a)[:, None], np.asarray(b)[:, None], seed, draws, denominators, transform)[0]


def paired_differences(
    a: np.ndarray,
    b: np.ndarray,
    seed: int = 0,
    draws: int = 2000,
    denominators: np.ndarray | None = None,
    transform: Callable = np.asarray,
) -> list[Difference]:
    """Each column of a (B, M) less the same column of b (B, M), or less b (B, 1) for all.

    The interval is the percentile bootstrap over units. p is of the randomisation test: were the two alike, each unit's values could
    change places, so the signs of its difference are drawn again, 5 * draws times. With denominators (B,) the difference is that of
    transform(sum a / sum denominators), as for two RMSEs; an increasing transform leaves p as it is.
    Source: Fisher, The Design of Experiments, 1935, section 21; Smucker, Allan & Carterette, CIKM 2007; p of a random sample of
    permutations never 0, Phipson & Smyth, SAGMB 9(1), 2010.
    """
    a, b = np.broadcast_arrays(_finite(a), _finite(b))
    n, m = a.shape
    weight = np.ones(n) if denominators is None else _positive(denominators)
    sums = _resample(_finite(np.column_stack([a, b, weight])), seed, draws)
    lo, hi = _interval(transform(sums[:, :m] / sums[:, -1:]) - transform(sums[:, m:-1] / sums[:, -1:]))
    delta = transform(a.sum(axis=0) / weight.sum()) - transform(b.sum(axis=0) / weight.sum())
    p = _randomisation(a - b, seed, 5 * draws)
    return [Difference(*row, n) for row in zip(delta.tolist(), lo, hi, p.tolist())]


def holm(p: np.ndarray) -> np.ndarray:
    """p values (M,) corrected for there being M of them. Source: Holm, Scandinavian Journal of Statistics 6(2), 1979."""
    p = _within_0_and_1(p)
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return corrected


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """p values (M,) such that of those at or below q a share of at most q is expected to be false alarms, for independent comparisons.

    Source: Benjamini & Hochberg, Journal of the Royal Statistical Society B 57(1), 1995.
    """
    p = _within_0_and_1(p)
    return false_discovery_control(p) if p.size else p


def bootstrap_effect(control: np.ndarray, treatment: np.ndarray, seed: int = 0, draws: int = 2000, level: float = 0.95) -> Effect:
    """Effect on the mean of values (n, 1), or on sum of the first column / sum of the second of values (n, 2), in two arms of their own units.

    Each arm is resampled by itself; percentile intervals. p is twice the share of draws on the other side of 0, as if one more lay there: the
    smallest 1 - level whose interval leaves 0 out. The relative effect is nan where the control of a draw is 0.
    Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 (two samples), 13 and 15.
    """
    q, seeds = upper(level), np.random.SeedSequence(seed).spawn(2)  # with one seed for both, the arms' draws would go together
    fractions = [_fraction(values) for values in (control, treatment)]
    c, t = (float(f[:, 0].sum() / f[:, 1].sum()) for f in fractions)
    drawn_c, drawn_t = (_drawn(f, one, draws) for f, one in zip(fractions, seeds))
    apart = drawn_t - drawn_c
    p = 2 * (1 + min((apart <= 0).sum(), (apart >= 0).sum())) / (draws + 1)
    absolute = Interval(t - c, *np.quantile(apart, (1 - q, q)).tolist())
    relative = Interval(t / c - 1, *np.quantile(drawn_t / drawn_c - 1, (1 - q, q)).tolist()) if c and drawn_c.all() else UNDEFINED
    return Effect(c, t, absolute, relative, min(float(p), 1.0), float(apart.std(ddof=1)), len(control), len(treatment))


def _fraction(values: np.ndarray) -> np.ndarray:
    """Values (n, 2) as they are, or (n, 1) over 1 each."""
    v = _finite(values)
    if v.ndim != 2 or v.shape[1] not in (1, 2):
        raise ValueError(f"values of an arm have shape {v.shape}, wanted (n, 1) or (n, 2)")
    if v.shape[1] == 1:
        return np.column_stack([v, np.ones(len(v))])
    if not ((v[:, 1] >= 0).all() and v[:, 1].any()):
        raise ValueError(f"denominators from {v[:, 1].min()} to {v[:, 1].max()}, must not be below 0, and some above")
    return v


def _drawn(fraction: np.ndarray, seed: np.random.SeedSequence, draws: int) -> np.ndarray:
    """(draws,) ratios of the sums of resampled units."""
    sums = _resample(fraction, seed, draws)
    if not sums[:, 1].all():
        raise ValueError(f"{(sums[:, 1] == 0).sum()} of {draws} resamples have denominators of 0 alone, wanted more units that have any")
    return sums[:, 0] / sums[:, 1]


def _resample(values: np.ndarray, seed: int | np.random.SeedSequence, draws: int) -> np.ndarray:
    """(draws, M) column sums of as many units, drawn with replacement. A draw is a row of counts, so that the sums are one product."""
    n, rng = len(values), np.random.default_rng(seed)
    sums = []
    for size in _blocks(draws):
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        sums.append(np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64) @ values)
    return np.concatenate(sums)


def _randomisation(differences: np.ndarray, seed: int, draws: int) -> np.ndarray:
    """(M,) share of sign changes of differences (B, M) whose sum lies as far from 0 as the sum found, which itself counts as one of them."""
    n, rng = len(differences), np.random.default_rng(seed)
    found = np.abs(differences.sum(axis=0)) - 1e-12 * np.abs(differences).sum(axis=0)  # so that rounding breaks no tie
    far = np.ones(differences.shape[1])
    for size in _blocks(draws):
        bits = np.unpackbits(rng.integers(256, size=(size, -(-n // 8)), dtype=np.uint8), axis=1, count=n)
        far += (np.abs((2.0 * bits - 1) @ differences) >= found).sum(axis=0)
    return far / (draws + 1)


def _blocks(draws: int) -> Iterator[int]:
    for start in range(0, draws, BLOCK):
        yield min(BLOCK, draws - start)


def _interval(draws: np.ndarray) -> tuple[list[float], list[float]]:
    lo, hi = np.quantile(draws, LEVEL, axis=0)
    return lo.tolist(), hi.tolist()


def _within_0_and_1(p: np.ndarray) -> np.ndarray:
    p = np.asarray(p, np.float64)
    if not ((p >= 0) & (p <= 1)).all():  # so is nan
        raise ValueError(f"p values {p[~((p >= 0) & (p <= 1))].tolist()}, must be within 0 and 1")
    return p


def _finite(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        raise ValueError(f"{len(values)} values, wanted at least 2")
    if not np.isfinite(values).all():
        raise ValueError(f"{(~np.isfinite(values)).sum()} of {values.size} values are not finite; leave such units out, and say how many")
    return values


def _positive(denominators: np.ndarray) -> np.ndarray:
    if not (np.asarray(denominators) > 0).all():
        raise ValueError(f"denominators from {np.min(denominators)}, must be above 0; leave such units out, and say how many")
    return denominators
