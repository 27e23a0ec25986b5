"""What the log of an experiment says by its plan: health, effects, guardrails, the same day by day and in segments, and what follows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from recommender.experiment.decide import decide
from recommender.experiment.health import checks, exposures
from recommender.experiment.log import UNASSIGNED, Log
from recommender.experiment.metrics import METRICS
from recommender.experiment.plan import Plan
from recommender.experiment.results import Day, Guarded, Measured, Reading
from recommender.experiment.sample import FEWEST, NEVER, Columns, Sample, compare, fields_of, measure, planned
from recommender.experiment.segments import segments
from recommender.stats.effects import Effect
from recommender.stats.inference import holm
from recommender.stats.moments import Moments
from recommender.stats.sequential import always_valid_relative


def read(plan: Plan, log: Log, until: int | None = None) -> Reading:
    """Everything that Plan + Log say by the end of a day, that of the whole log if None. Pure: the same twice is the same.

    Raises ValueError where the day is none of the experiment or the log has arms that the plan has not.
    """
    sample = Sample.of(plan, log, until)
    level = 1 - plan.alpha
    cut, dimensions = segments(sample)
    reading = Reading(
        plan=plan,
        simulated=log.simulated,
        days=sample.days,
        counts={arm.name: len(members) for arm, members in zip(plan.arms, sample.members)},
        left_out=_left_out(sample),
        at_end=sample.at_end,
        health=checks(sample),
        exposures=exposures(sample),
        primary=corrected(effects(sample, [plan.primary], level)),
        secondary=corrected(effects(sample, plan.secondary, level)),
        guardrails=_guardrails(sample),
        over_time=tuple(day for number in range(1, len(plan.arms)) for day in _over_time(sample, number)),
        segments=cut,
        decisions=(),
        dimensions=dimensions,
    )
    return replace(reading, decisions=decide(reading))


def effects(sample: Sample, keys: Iterable[str], level: float) -> tuple[Measured, ...]:
    """Each metric of each arm beside the control, on all viewers and days that are read."""
    metrics = [METRICS[key] for key in keys]
    fields = fields_of(metrics)
    matrix = sample.totals(fields) if fields else np.empty((len(sample.log), 0))
    moments = [Moments.of(matrix[members]) for members in sample.members]
    return tuple(
        measure(metric, arm.name, (moments[0], mine), sample.columns(metric, fields), planned(sample.plan, arm, moments[0].n + mine.n), level)
        for metric in metrics
        for arm, mine in zip(sample.plan.treatments, moments[1:])
    )


def corrected(family: Sequence[Measured]) -> tuple[Measured, ...]:
    """The same with p corrected for all of them (Holm)."""
    p = holm(np.array([m.best.p for m in family]))
    return tuple(replace(m, p_holm=float(each)) for m, each in zip(family, p))


def _left_out(sample: Sample) -> dict[str, int]:
    """Why viewers of the log are not read -> how many; each stands at the first reason that holds."""
    log = sample.log
    why = {
        "holdout": log.arms == UNASSIGNED,
        "never came": sample.came == NEVER,
        "several arms": log.several,
        "machines": sample.machine < NEVER,
    }
    left, counts = np.ones(len(log), bool), {}
    for name, mask in why.items():
        counts[name] = int((left & mask).sum())
        left &= ~mask
    return counts


def _guardrails(sample: Sample) -> tuple[Guarded, ...]:
    plan = sample.plan
    found = effects(sample, plan.guardrails, 1 - 2 * plan.alpha)
    number = {arm.name: n for n, arm in enumerate(plan.arms)}
    viewers = {key: sample.viewers(METRICS[key]) for key in plan.guardrails}
    fewest = [min(viewers[m.metric][n] for n in (0, number[m.arm])) for m in found]
    margins = [plan.guardrails[m.metric] for m in found]
    return tuple(Guarded(m, margin, guard(m, margin, sample.at_end, n)) for m, margin, n in zip(found, margins, fewest))


def guard(m: Measured, margin: float, at_end: bool, viewers: int) -> Literal["safe", "unsure", "worse"]:
    """Non-inferiority: whether the loss, relative to the control, is below the margin for sure, above it for sure, or neither.

    Before the planned end by the interval that holds at every look. What could not be measured, or on fewer than FEWEST viewers of an arm, is unsure.
    """
    if viewers < FEWEST:
        return "unsure"
    relative = m.best.relative if at_end else m.sharp_anytime_relative or m.anytime_relative
    least, most = (-relative.hi, -relative.lo) if m.better > 0 else (relative.lo, relative.hi)  # loss
    return "safe" if most < margin else "worse" if least > margin else "unsure"


def _over_time(sample: Sample, number: int) -> list[Day]:
    """The primary metric of an arm after each day, on who was to be read by then; days on which nothing can be said are left out."""
    plan, metric = sample.plan, METRICS[sample.plan.primary]
    arm, level = plan.arms[number], 1 - plan.alpha
    fields = fields_of([metric])
    sums = np.stack([sample.log.sums[name][:, sample.begin :].T for name in fields], axis=1)  # (days, F, V)
    so_far = sums.cumsum(axis=0)
    before = sample.totals(fields)[:, len(fields) :].T  # (F, V)
    columns, days = sample.columns(metric, fields), list[Day]()
    for day in range(sample.days):
        kept = sample.kept(day)
        pair = [np.flatnonzero(kept & (sample.log.arms == n)) for n in (0, number)]
        effect, alone = (_on(values[day], before, pair, columns, level) for values in (so_far, sums))
        if not math.isnan(effect.relative.estimate):
            n = effect.n_control + effect.n_treatment
            anytime = always_valid_relative(effect, n, planned(plan, arm, n), level)
            by_itself = alone.relative if not math.isnan(alone.relative.estimate) else None
            days.append(Day(arm.name, day, n, effect.relative, anytime, by_itself))
    return days


def _on(values: np.ndarray, before: np.ndarray, pair: list[np.ndarray], columns: Columns, level: float) -> Effect:
    """The effect that decides, of values (F, V) between the viewers of two arms."""
    control, treatment = (Moments.of(np.concatenate([values[:, viewers], before[:, viewers]]).T) for viewers in pair)
    plain, sharp = compare(control, treatment, columns, level)
    return sharp.effect if sharp else plain
