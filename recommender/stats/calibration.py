"""Do the intervals cover and the alarms keep silent as often as they say? Proof by simulation, on outcomes as skewed as those of viewers.

A made population is drawn once; every run draws units from it with replacement, so that the truth is known exactly: the difference of the
populations' own means, or nothing at all where both arms are drawn from one population (A/A). Each share stands with its Clopper-Pearson
interval over runs (Biometrika 26(4), 1934). Shapes: V units of a population, D days, R runs, N units of an arm, C columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, stdtrit
from scipy.stats import binomtest

from recommender.stats.allocation import srm, srm_sequence
from recommender.stats.cuped import cuped
from recommender.stats.effects import Effect, Interval, mean_effect, proportion_effect, ratio_effect
from recommender.stats.inference import benjamini_hochberg, bootstrap_effect, bootstrap_mean, holm
from recommender.stats.moments import Moments
from recommender.stats.sequential import always_valid, always_valid_p, always_valid_relative, critical

SIZE, DAYS, SLOTS = 10_000, 14, 10  # units of a population, days of an experiment, offers a visit
LIFT = 1.15  # of the treated population's chance to take an offer
MINUTES, TAKEN, OFFERED, ANY, BEFORE = range(5)  # columns of a unit, over all days
ALPHA = 0.05
BLOCK = 100  # runs held at once
COVERAGE, FALSE, EVER, ALARMS, DISCOVERIES = "coverage", "false positives", "ever significant", "SRM alarms", "false discoveries"


class Found(NamedTuple):
    """How often a method did something over n runs, with its interval. on: what it was tried on."""

    method: str
    on: str
    metric: str
    mean: float
    lo: float
    hi: float
    n: int


class Population(NamedTuple):
    """Units before and in an experiment, all of whom came in it at least once."""

    before: np.ndarray  # (V,) minutes in as many days before
    daily: np.ndarray  # (V, D, 3) minutes, offers taken, offers made

    @property
    def whole(self) -> np.ndarray:
        """(V, C) columns of the units over all days."""
        sums = self.daily.sum(axis=1)
        return np.column_stack([sums, sums[:, 1] > 0, self.before])


@cache
def populations(seed: int = 0, size: int = SIZE) -> tuple[Population, Population]:
    """An untreated population, and the same units treated. Most visits take nothing, few units take much, and units keep their habits.

    Of each unit: visits a day Bernoulli(Beta(0.8, 2.4)), offers taken of SLOTS a visit Binomial(Beta(1, 19)), minutes Gamma(0.5, 60) an offer.
    """
    rng = np.random.default_rng(seed)
    visit, take = rng.beta(0.8, 2.4, 3 * size), rng.beta(1, 19, 3 * size)
    came = rng.random((3 * size, DAYS)) < visit[:, None]
    kept = np.flatnonzero(came.any(axis=1))[:size]
    visit, take, came = visit[kept], take[kept], came[kept]
    earlier = _days(rng, rng.random((size, DAYS)) < visit[:, None], take)
    before = earlier[..., 0].sum(axis=1)
    return Population(before, _days(rng, came, take)), Population(before, _days(rng, came, LIFT * take))


def _days(rng: np.random.Generator, came: np.ndarray, take: np.ndarray) -> np.ndarray:
    offered = SLOTS * came
    taken = rng.binomial(offered, np.minimum(take, 1)[:, None])
    return np.stack([np.where(taken, rng.gamma(np.maximum(0.5 * taken, 0.5), 60), 0.0), taken, offered], axis=-1)


# -- intervals and p values at one look --------------------------------------------------------------------------------


class Method(NamedTuple):
    """A way to an interval and a p value from the moments of two arms (control, treatment), for a mean or a ratio of columns."""

    name: str
    on: str
    above: int
    below: int | None
    relative: bool
    find: Callable[[Moments, Moments], tuple[Interval, float]]

    def truth(self, control: np.ndarray, treatment: np.ndarray) -> float:
        """The effect between two populations with means (C,)."""
        c, t = (mean[self.above] / (1 if self.below is None else mean[self.below]) for mean in (control, treatment))
        return float(t / c - 1 if self.relative else t - c)


def _minutes(c: Moments, t: Moments) -> Effect:
    return mean_effect(c, t, MINUTES)


def _rate(c: Moments, t: Moments) -> Effect:
    return ratio_effect(c, t, TAKEN, OFFERED)


def _share(c: Moments, t: Moments) -> Effect:
    return proportion_effect(_sum(c, ANY), c.n, _sum(t, ANY), t.n)


def _offers_as_units(c: Moments, t: Moments) -> Effect:
    return proportion_effect(_sum(c, TAKEN), _sum(c, OFFERED), _sum(t, TAKEN), _sum(t, OFFERED))


def _sum(m: Moments, column: int) -> int:
    return round(m.mean[column] * m.n)


def _absolute(effect: Effect) -> tuple[Interval, float]:
    return effect.absolute, effect.p


def _relative(effect: Effect) -> tuple[Interval, float]:
    return effect.relative, 0.0 if effect.relative.lo > 0 or effect.relative.hi < 0 else 1.0


def _anytime(effect: Effect) -> tuple[Interval, float]:
    n = effect.n_control + effect.n_treatment
    return always_valid(effect, n, n), always_valid_p(effect, n, n)


def _anytime_relative(effect: Effect) -> tuple[Interval, float]:
    n = effect.n_control + effect.n_treatment
    return _relative(effect._replace(relative=always_valid_relative(effect, n, n)))


METHODS = (
    Method("Welch", "minutes", MINUTES, None, False, lambda c, t: _absolute(_minutes(c, t))),
    Method("Relative effect of a mean", "minutes", MINUTES, None, True, lambda c, t: _relative(_minutes(c, t))),
    Method("CUPED", "minutes", MINUTES, None, False, lambda c, t: _absolute(cuped(c, t, MINUTES, None, [BEFORE]).effect)),
    Method("Always valid, one look", "minutes", MINUTES, None, False, lambda c, t: _anytime(_minutes(c, t))),
    Method("Ratio, delta method", "click rate", TAKEN, OFFERED, False, lambda c, t: _absolute(_rate(c, t))),
    Method("Relative effect of a ratio", "click rate", TAKEN, OFFERED, True, lambda c, t: _relative(_rate(c, t))),
    Method("CUPED", "click rate", TAKEN, OFFERED, False, lambda c, t: _absolute(cuped(c, t, TAKEN, OFFERED, [BEFORE]).effect)),
    Method("Always valid, relative, one look", "click rate", TAKEN, OFFERED, True, lambda c, t: _anytime_relative(_rate(c, t))),
    Method("Proportion", "share with a click", ANY, None, False, lambda c, t: _absolute(_share(c, t))),
    Method("Wrong on purpose: offers as units", "click rate", TAKEN, OFFERED, False, lambda c, t: _absolute(_offers_as_units(c, t))),
)


def one_look(runs: int, units: int, seed: int = 0, methods: tuple[Method, ...] = METHODS) -> list[Found]:
    """Coverage of 95% intervals between two populations that differ, and false positives at 5% between two that do not, `units` an arm."""
    control, treatment = (p.whole for p in populations())
    rng, found = np.random.default_rng(seed), []
    covered, alarms = np.zeros((2, len(methods)), int)
    truths = [m.truth(control.mean(axis=0), treatment.mean(axis=0)) for m in methods]
    for _ in range(runs):
        c, t, alike = (Moments.of(_drawn(rng, arm, units)) for arm in (control, treatment, control))
        for number, method in enumerate(methods):
            interval, _ = method.find(c, t)
            covered[number] += interval.lo <= truths[number] <= interval.hi
            alarms[number] += method.find(c, alike)[1] < ALPHA
    for number, method in enumerate(methods):
        found.append(_share_of(method.name, method.on, COVERAGE, covered[number], runs))
        found.append(_share_of(method.name, method.on, FALSE, alarms[number], runs))
    return found


def bootstrapped(runs: int, units: int, seed: int = 0, draws: int = 1000) -> list[Found]:
    """The same for the percentile bootstrap of minutes."""
    control, treatment = (p.whole[:, [MINUTES]] for p in populations())
    truth = float(treatment.mean() - control.mean())
    rng, covered, alarms = np.random.default_rng(seed), 0, 0
    for run in range(runs):
        c, t, alike = (_drawn(rng, arm, units) for arm in (control, treatment, control))
        interval = bootstrap_effect(c, t, run, draws).absolute
        covered += interval.lo <= truth <= interval.hi
        alarms += bootstrap_effect(c, alike, run, draws).p < ALPHA
    return [_share_of("Bootstrap", "minutes", metric, hits, runs) for metric, hits in ((COVERAGE, covered), (FALSE, alarms))]


# -- many looks --------------------------------------------------------------------------------------------------------


def peeks(runs: int, units: int, every: int, seed: int = 0) -> list[Found]:
    """Share of A/A runs that are ever significant, looked at whenever `every` more units of both arms have come, up to `units`."""
    whole = populations()[0].whole
    n = every * np.arange(1, units // every + 1)
    found = []
    for on, columns in (("minutes", (MINUTES, None)), ("click rate", (TAKEN, OFFERED))):
        rng, parts = np.random.default_rng(seed), _parts(whole[:, columns[0]], np.ones(len(whole)) if columns[1] is None else whole[:, columns[1]])
        z = []
        for size in _blocks(runs):
            arrived = parts[rng.integers(len(parts), size=(size, 2, len(n), every // 2))].sum(axis=3)  # (R, arms, looks, parts)
            z.append(z_of(arrived.cumsum(axis=2)))
        found += _ever(on, f"a look every {every} viewers", np.concatenate(z), np.broadcast_to(n, (runs, len(n))), len(n) * every)
    return found


def days(runs: int, units: int, seed: int = 0) -> list[Found]:
    """The same with a look a day: `units` an arm, who come when they come, and of whom all that they did so far is counted."""
    untreated = populations()[0]
    sums = untreated.daily.cumsum(axis=1)  # (V, D, 3)
    here = (sums[..., 2] > 0).astype(float)
    found = []
    for on, above, below in (("minutes", sums[..., 0], here), ("click rate", sums[..., 1], sums[..., 2])):
        parts = _parts(above, below)
        parts[..., 0] = here
        rng, table, z, n = np.random.default_rng(seed), parts.reshape(len(parts), -1), [], []
        for size in _blocks(runs):
            drawn = rng.integers(len(parts), size=(2 * size, units)) + len(parts) * np.arange(2 * size)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=2 * size * len(parts)).reshape(2 * size, -1)
            arms = (counts.astype(float) @ table).reshape(size, 2, DAYS, -1)
            z.append(z_of(arms))
            n.append(arms[..., 0].sum(axis=1))
        found += _ever(on, f"a look on each of {DAYS} days", np.concatenate(z), np.concatenate(n), 2 * units)
    return found


def _parts(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """(..., 6) what the sums over units must hold for z_of."""
    return np.stack([np.ones(np.shape(above)), above, below, above * above, above * below, below * below], axis=-1)


def z_of(sums: np.ndarray) -> np.ndarray:
    """z (R, T) of the difference of two ratios from sums (R, 2, T, 6) over the units of each arm; a mean is a ratio to 1.

    With R = sum a / sum b:  var R = n / (n - 1) sum (a - R b)^2 / (sum b)^2
    """
    n, a, b, aa, ab, bb = np.moveaxis(sums, -1, 0)
    ratio = a / b
    variance = n / (n - 1) * (aa - 2 * ratio * ab + ratio * ratio * bb) / (b * b)
    return (ratio[:, 1] - ratio[:, 0]) / np.sqrt(variance.sum(axis=1))


def _ever(on: str, looks: str, z: np.ndarray, n: np.ndarray, planned: int) -> list[Found]:
    """Of a fixed interval and of one that is always valid, for z (R, T) after n (R, T) units."""
    bounds = {"Fixed interval": stdtrit(n - 2, 1 - ALPHA / 2), "Always valid": critical(n, planned)}
    return [_share_of(f"{name}, {looks}", on, EVER, (np.abs(z) > bound).any(axis=1).sum(), len(z)) for name, bound in bounds.items()]


# -- shares of units, and many comparisons -----------------------------------------------------------------------------


def allocation(runs: int, units: int, seed: int = 0, shares: tuple[float, ...] = (0.5, 0.5), on: str = "shares as planned") -> list[Found]:
    """Alarms of the checks of shares, planned as halves, at p < .05 and at p < .001, with the arrivals of DAYS days."""
    rng = np.random.default_rng(seed)
    first = populations()[0].daily[..., 2].astype(bool).argmax(axis=1)
    sizes = rng.multinomial(units, np.bincount(first, minlength=DAYS) / len(first), runs)  # (R, D): most come early
    arrivals = rng.multinomial(sizes, shares)  # (R, D, 2)
    halves = (0.5, 0.5)
    fixed = np.array([[srm(counts, halves).p for counts in run.cumsum(axis=0)] for run in arrivals])
    p = {
        "SRM, chi-squared, one look": fixed[:, -1],
        f"SRM, chi-squared, a look on each of {DAYS} days": fixed.min(axis=1),
        f"SRM, sequential, a look on each of {DAYS} days": np.array([srm_sequence(run, halves).p[-1] for run in arrivals]),
    }
    return [_share_of(name, f"{on}, p < {a}", ALARMS, (found < a).sum(), runs) for name, found in p.items() for a in (ALPHA, 0.001)]


def comparisons(runs: int, seed: int = 0, many: int = 20, true: int = 10, size: float = 3.0) -> list[Found]:
    """Of `many` comparisons at once, of which none or `true` have an effect of `size` standard errors: runs with a false alarm, and the mean
    share of false ones among the alarms (0 where there is none)."""
    rng, found = np.random.default_rng(seed), []
    for effects in (0, true):
        z = rng.normal(size=(runs, many)) + size * (np.arange(many) < effects)
        p = 2 * ndtr(-np.abs(z))
        for name, corrected in (("uncorrected", None), ("Holm", holm), ("Benjamini-Hochberg", benjamini_hochberg)):
            alarms = (p if corrected is None else np.apply_along_axis(corrected, 1, p)) < ALPHA
            false = alarms[:, effects:].sum(axis=1)
            on = f"{many} comparisons, {effects} true"
            found.append(_share_of(name, on, FALSE, (false > 0).sum(), runs))
            found.append(Found(name, on, DISCOVERIES, *bootstrap_mean(false / np.maximum(alarms.sum(axis=1), 1))))
    return found


def _drawn(rng: np.random.Generator, whole: np.ndarray, units: int) -> np.ndarray:
    return whole[rng.integers(len(whole), size=units)]


def _blocks(runs: int) -> Iterator[int]:
    for start in range(0, runs, BLOCK):
        yield min(BLOCK, runs - start)


def _share_of(method: str, on: str, metric: str, hits: int, runs: int) -> Found:
    interval = binomtest(int(hits), runs).proportion_ci(method="exact")
    return Found(method, on, metric, hits / runs, float(interval.low), float(interval.high), runs)
