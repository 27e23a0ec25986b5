"""The viewers that an experiment is read on, and what they did, as moments of each arm.

Columns of a matrix of viewers: F fields summed over the days read, then the same F summed over the days before the experiment.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from recommender.experiment.log import UNASSIGNED, Log
from recommender.experiment.metrics import Metric
from recommender.experiment.plan import Arm, Plan
from recommender.experiment.results import Measured
from recommender.stats.bayes import chance_to_beat, expected_loss
from recommender.stats.cuped import Cuped, cuped
from recommender.stats.effects import UNDEFINED, Effect, mean_effect, ratio_effect
from recommender.stats.moments import Moments
from recommender.stats.sequential import always_valid, always_valid_relative

NEVER = 1 << 30  # a day after every other
FEWEST = 20  # viewers of an arm, below which a metric proves nothing: means of fewer are not near enough to normal


class Columns(NamedTuple):
    """Where a metric stands in a matrix of viewers: above / below (None: per viewer), and the same measured before (None: was not)."""

    above: int
    below: int | None = None
    before: tuple[int, int | None] | None = None


@dataclass(frozen=True, eq=False)
class Sample:
    """A plan and its log up to the day until which it is read."""

    plan: Plan
    log: Log

    @classmethod
    def of(cls, plan: Plan, log: Log, until: int | None = None) -> Sample:
        """Raises ValueError where the day is none of the experiment or the log has arms that the plan has not."""
        if len(log) and not UNASSIGNED <= log.arms.min() <= log.arms.max() < len(plan.arms):
            raise ValueError(f"log has arms {log.arms.min()} to {log.arms.max()}, wanted {UNASSIGNED} (holdout) to {len(plan.arms) - 1}")
        if until is None:
            return cls(plan, log)
        if not 0 <= until <= log.days[-1]:
            raise ValueError(f"until == {until}, wanted a day of the experiment: 0 to {log.days[-1]}")
        kept = log.days <= until
        return cls(plan, replace(log, days=log.days[kept], sums={name: values[:, : kept.sum()] for name, values in log.sums.items()}))

    @property
    def last(self) -> int:
        return int(self.log.days[-1]) if len(self.log.days) else -1

    @property
    def days(self) -> int:
        """Days of the experiment that are read."""
        return max(self.last + 1, 0)

    @cached_property
    def begin(self) -> int:
        """Number of days before the experiment, so also the place of its first day."""
        return int((self.log.days < 0).sum())

    @cached_property
    def came(self) -> np.ndarray:  # (V,)
        """Day on which a viewer first came, NEVER for those who did not; before anybody is left out."""
        visits = self.log.sums["visits"][:, self.begin :] > 0
        return np.where(visits.any(axis=1), visits.argmax(axis=1), NEVER) if self.days else np.full(len(self.log), NEVER)

    @cached_property
    def machine(self) -> np.ndarray:  # (V,)
        """Day from which a viewer counts as a machine, by the rule of the plan; NEVER for people."""
        clicks = self.log.sums["clicks"] > self.plan.most_clicks
        return np.where(clicks.any(axis=1), self.log.days[clicks.argmax(axis=1)], NEVER) if len(self.log.days) else np.full(len(self.log), NEVER)

    @cached_property
    def exposed(self) -> np.ndarray:  # (V,) bool
        """Viewers of an arm who came at least once: those that the health checks count."""
        return (self.log.arms != UNASSIGNED) & (self.came < NEVER)

    def kept(self, day: int) -> np.ndarray:  # (V,) bool
        """Viewers that are read by the end of a day: of an arm, of no other arm, came by then, no machine by then."""
        return (self.log.arms != UNASSIGNED) & ~self.log.several & (self.came <= day) & (self.machine > day)

    @cached_property
    def members(self) -> tuple[np.ndarray, ...]:
        """For each arm the numbers of the viewers that are read on all days."""
        kept = self.kept(self.last)
        return tuple(np.flatnonzero(kept & (self.log.arms == n)) for n in range(len(self.plan.arms)))

    @cached_property
    def at_end(self) -> bool:
        """Whether planned days and viewers are reached."""
        return self.days >= self.plan.days and int(self.exposed.sum()) >= (self.plan.viewers or 0)

    @cached_property
    def _sums(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Every field summed for each viewer over the days read, and over the days before."""
        during = {name: values[:, self.begin :].sum(axis=1) for name, values in self.log.sums.items()}
        return during, {name: values[:, : self.begin].sum(axis=1) for name, values in self.log.sums.items()}

    def totals(self, fields: Sequence[str]) -> np.ndarray:  # (V, 2 F)
        """Fields summed over the days read, then over the days before."""
        return np.column_stack([self._sums[part][name] for part in (0, 1) for name in fields])

    def viewers(self, metric: Metric) -> list[int]:
        """How many viewers of each arm have what a metric is divided by."""
        some = self.log.sums[metric.below or "visits"][:, self.begin :].sum(axis=1) > 0
        return [int(some[members].sum()) for members in self.members]

    def columns(self, metric: Metric, fields: Sequence[str]) -> Columns:
        """Where a metric stands in totals(fields)."""
        above, below = fields.index(metric.above), fields.index(metric.below) if metric.below else None
        before = (len(fields) + above, None if below is None else len(fields) + below)
        return Columns(above, below, before if self.begin and metric.covariate else None)


def planned(plan: Plan, arm: Arm, n: int) -> int:
    """Viewers that the plan gives an arm and the control together; where it says none, the n there are. Of the viewers of a simulation a part is held
    out; those that a plan counts are all in arms."""
    share = plan.control.share + arm.share
    if plan.viewers:
        return max(round(plan.viewers * share / (1 - plan.holdout)), 1)
    return max(round(plan.simulation.viewers * share) if plan.simulation else n, 1)


def fields_of(metrics: Sequence[Metric]) -> list[str]:
    """What of a log the metrics need, each once."""
    return list(dict.fromkeys(name for m in metrics for name in (m.above, m.below) if name))


def compare(control: Moments, treatment: Moments, columns: Columns, level: float) -> tuple[Effect, Cuped | None]:
    """The effect, and the same sharpened by what was measured before, None where nothing was.

    An effect of nan with p = 1 where an arm has fewer than two viewers or nothing to divide by.
    """
    above, below, before = columns
    if not all(measured(m, below) for m in (control, treatment)):
        return Effect(math.nan, math.nan, UNDEFINED, UNDEFINED, 1.0, math.nan, control.n, treatment.n), None
    if before and all(measured(m, before[1]) for m in (control, treatment)):
        covariate: int | tuple[int, int] = before[0] if before[1] is None else (before[0], before[1])
        sharp = cuped(control, treatment, above, below, [covariate], level)
        return sharp.plain, sharp
    if below is None:
        return mean_effect(control, treatment, above, level), None
    return ratio_effect(control, treatment, above, below, level), None


def measured(m: Moments, below: int | None) -> bool:
    """Whether an arm has a value: two viewers at least, and something to divide by."""
    return m.n >= 2 and (below is None or m.mean[below] > 0)


def measure(
    metric: Metric, arm: str, arms: tuple[Moments, Moments], columns: Columns, planned: int, level: float, segment: str | None = None
) -> Measured:
    """All that is said of a metric of one arm against the control: moments (control, treatment); planned: viewers of both by the plan."""
    plain, cuped = compare(*arms, columns, level)
    if math.isnan(plain.se):
        return Measured(metric.key, arm, segment, plain, UNDEFINED, UNDEFINED, better=metric.better, loss=math.nan, loss_control=math.nan)
    n, best = arms[0].n + arms[1].n, cuped.effect if cuped else plain
    chance, (ship, keep) = chance_to_beat(best), expected_loss(best)
    return Measured(
        metric.key,
        arm,
        segment,
        plain,
        always_valid(plain, n, planned, level),
        always_valid_relative(plain, n, planned, level),
        cuped.effect if cuped else None,
        always_valid(cuped.effect, n, planned, level) if cuped else None,
        always_valid_relative(cuped.effect, n, planned, level) if cuped else None,
        cuped.rho if cuped else 0.0,
        cuped.saved if cuped else 0.0,
        metric.better,
        chance if metric.better > 0 else 1 - chance,
        *((ship, keep) if metric.better > 0 else (keep, ship)),
    )
