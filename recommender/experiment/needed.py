"""How many viewers a plan takes, if they are as those of an experiment that was run before."""

from __future__ import annotations

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
        return (
            f"To see {100 * plan.mde:g}% of {METRICS[plan.primary].label.lower()} with power {plan.power:.0%} at alpha {plan.alpha:g} takes "
            f"{self.viewers:,} viewers who come, {self.with_cuped:,} with CUPED: as in {self.days} days of {self.as_in}, mean {self.mean:.4g}, "
            f"standard deviation {self.sd:.4g}."
        )


def needed(plan: Plan, folder: Path) -> Needed | None:
    """What finds the plan's smallest effect in its smallest arm, by the control of the latest other experiment of a folder; None where there is none
    that measured the metric. Raises PlanError or LogError for a file that cannot be read."""
    for path in sorted(folder.glob("*/log.npz"), key=lambda path: path.stat().st_mtime, reverse=True):
        before = plans.read(path.with_name("plan.json"))
        run = course(before, Log.load(path), plan.primary, before.treatments[0].name)
        day = min(plan.days, len(run.mean)) - 1
        if (base := run.baseline(day)) is None:
            continue
        pair = plan.control.share, min(arm.share for arm in plan.treatments)
        shares, saved = (pair[0] / sum(pair), pair[1] / sum(pair)), float(run.saved[day])
        everybody = sum(arm.share for arm in plan.arms) / sum(pair)
        plain, sharp = (round(everybody * sample_size(base, plan.mde, plan.power, shares, plan.alpha, part)) for part in (0.0, saved))
        return Needed(plain, sharp, before.name, day + 1, base.mean, base.sd, saved)
    return None
