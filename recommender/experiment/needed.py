"""How many viewers a plan takes, if they are as those of an experiment that was run before."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import NamedTuple

from recommender.experiment import plan as plans
from recommender.experiment.log import Log
from recommender.experiment.metrics import METRICS
from recommender.experiment.plan import Plan
from recommender.experiment.sizing import course
from recommender.stats.power import sample_size


class Needed(NamedTuple):
    """Viewers who come, in all arms together, with and without CUPED; as_in: where mean, sd and what CUPED saves were measured, in how many days."""

    viewers: int
    with_cuped: int
    as_in: str
    days: int
    mean: float
    sd: float
    saved: float

    def sentence(self, plan: Plan) -> str:
        """How many viewers see what, and where that was measured."""
        shared = f", shared by {len(plan.treatments)} comparisons," if len(plan.treatments) > 1 else ""
        more = " To prove the guardrails within their margins may take more." if plan.guardrails else ""
        return (
            f"To see {100 * plan.mde:g}% of {METRICS[plan.primary].label.lower()} with power {plan.power:.0%} at alpha {plan.alpha:g}{shared} takes "
            f"{self.viewers:,} viewers who come, {self.with_cuped:,} with CUPED: as in {self.days} days of {self.as_in}, mean {self.mean:.4g}, "
            f"standard deviation {self.sd:.4g}.{more}"
        )


def needed(plan: Plan, folder: Path) -> Needed | None:
    """What finds the plan's smallest effect in its smallest arm at alpha / comparisons (the first step of Holm), by the control of the other
    experiment of a folder that was frozen last; None where there is none that measured the metric. Raises PlanError or LogError for a file that
    cannot be read."""
    logs = [(plans.read(path.with_name("plan.json")), path) for path in folder.glob("*/log.npz")]
    for before, path in sorted(logs, key=lambda one: (one[0].frozen or date.min, one[0].name), reverse=True):
        if before.name == plan.name:
            continue
        run = course(before, Log.load(path), plan.primary, before.treatments[0].name)
        day = min(plan.days, len(run.mean)) - 1
        if (base := run.baseline(day)) is None:
            continue
        pair = plan.control.share, min(arm.share for arm in plan.treatments)
        shares, saved = (pair[0] / sum(pair), pair[1] / sum(pair)), float(run.saved[day])
        everybody = sum(arm.share for arm in plan.arms) / sum(pair)
        alpha = plan.alpha / len(plan.treatments)
        plain, sharp = (round(everybody * sample_size(base, plan.mde, plan.power, shares, alpha, part)) for part in (0.0, saved))
        return Needed(plain, sharp, before.name, day + 1, base.mean, base.sd, saved)
    return None
