"""How the size of an experiment grows with its days: who has come, how much one viewer varies, what CUPED saves. Read off the control of a log."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from recommender.experiment.log import Log
from recommender.experiment.metrics import METRICS
from recommender.experiment.plan import Plan
from recommender.experiment.sample import Columns, Sample, compare, measured
from recommender.stats.effects import estimate
from recommender.stats.moments import Moments
from recommender.stats.power import Baseline

COUNTS = ("ctr", "engagement", "visits", "complaints")  # their spread grows as the root of their mean; that of the others stays
LEAST = 20  # viewers of an arm from whom a spread is read


@dataclass(frozen=True, eq=False)
class Course:
    """By the end of each of D days: exposed, viewers of control and treatment who came; mean and sd of one viewer of the control; saved by CUPED.

    mean, sd and saved are nan on days on which an arm has fewer than 20 viewers or the metric was not measured.
    """

    metric: str
    exposed: np.ndarray  # (D,)
    mean: np.ndarray
    sd: np.ndarray  # of a ratio: of one viewer's linearised value
    saved: np.ndarray

    def baseline(self, day: int = -1, times: float = 1.0) -> Baseline | None:
        """What a viewer is like by the end of a day, with a mean so many times the measured one; None where nothing was measured or varies."""
        mean, sd = float(self.mean[day]), float(self.sd[day])
        if not (math.isfinite(mean) and mean != 0 and sd > 0):
            return None
        return Baseline(times * mean, sd * math.sqrt(times) if self.metric in COUNTS else sd)


def course(plan: Plan, log: Log, metric: str, arm: str) -> Course:
    """The course of a metric over all days of a log, of the control and one treatment."""
    sample, asked = Sample.of(plan, log), METRICS[metric]
    number = [a.name for a in plan.arms].index(arm)
    names = (asked.above, asked.below) if asked.below else (asked.above,)
    running = [log.sums[name][:, sample.begin :].cumsum(axis=1) for name in names]
    before = [log.total(name, before=True) for name in names]
    below = 1 if asked.below else None
    earlier = (len(names), below and len(names) + below) if sample.begin and asked.covariate else None
    found = np.full((sample.days, 4), math.nan)
    for day in range(sample.days):
        kept = sample.kept(day)
        two = [kept & (log.arms == n) for n in (0, number)]
        found[day, 0] = sum(int(mine.sum()) for mine in two)
        arms = [Moments.of(np.column_stack([*(total[mine, day] for total in running), *(b[mine] for b in before)])) for mine in two]
        if min(m.n for m in arms) >= LEAST and all(measured(m, below) for m in arms):
            mean, variance = estimate(arms[0], 0, below)
            sharp = compare(arms[0], arms[1], Columns(0, below, earlier), 0.95)[1]
            found[day, 1:] = mean, math.sqrt(variance * arms[0].n), min(max(sharp.saved, 0.0), 0.99) if sharp else 0.0
    return Course(metric, *found.T)
