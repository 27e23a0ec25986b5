"""The study of the whole reading: experiments in which there is nothing to find, some in which there is, and some that are broken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import numpy as np
import scipy
from scipy.stats import binomtest

from recommender.evaluate.report import Report, Row
from recommender.experiment import plan as plans
from recommender.experiment.breaks import BREAKS, same_for_all
from recommender.experiment.log import UNASSIGNED, Log
from recommender.experiment.metrics import METRICS
from recommender.experiment.plan import Plan
from recommender.experiment.reading import read
from recommender.experiment.results import Reading, Verdict
from recommender.settings import settings

EXPERIMENT = "context-aware"
RUNS, FEWER = 1_000, 200  # of A/A; of planted effects and faults, each
BINS = 20
NOTHING = "A/A"
FIXED, SHARP, ANYTIME = "fixed", "fixed, CUPED", "anytime, CUPED"
FALSE, EVER, SAID, ALARM, PROVEN, SAFE = "p below alpha", "ever on one of the days", "verdict", "alarm", "proven better", "proven safe"
CHECKS = ("srm", "srm-daily", "several", "machines", "balance", "novelty")


def aa(say: Callable[[str], object] = print, runs: int = RUNS, fewer: int = FEWER) -> Report:
    """The committed experiment's control, dealt anew run after run. Raises PlanError or LogError where there is none."""
    folder = settings().artifacts / "experiments" / EXPERIMENT
    plan, log = plans.read(folder / "plan.json"), Log.load(folder / "log.npz")
    return tried(plan, log, say, runs, fewer)


def tried(plan: Plan, log: Log, say: Callable[[str], object], runs: int, fewer: int) -> Report:
    """The report on one plan and log: `runs` A/A experiments, and `fewer` each of a planted lift and of every planted fault."""
    nothing = _runs(lambda seed: same_for_all(plan, log, seed), runs, say, NOTHING)
    rows = [*_errors(nothing, plan), *_verdicts(NOTHING, nothing), *_alarms(NOTHING, nothing)]
    lift = f"a lift of {100 * plan.mde:g}%"
    found = _runs(lambda seed: _lifted(*_redrawn(plan, log, seed), plan.mde, seed), fewer, say, lift)
    rows += [*_power(lift, found, plan), *_verdicts(lift, found), *_guards(lift, found)]
    for fault in BREAKS.values():
        broken = _runs(lambda seed, plant=fault.plant: _planted(plant, *_redrawn(plan, log, seed), seed), fewer, say, fault.label)  # type: ignore[misc]
        rows += [*_power(fault.label, broken, plan), *_verdicts(fault.label, broken), *_alarms(fault.label, broken)]
    return Report(
        protocol="aa",
        dataset=f"the experiment {plan.name}{', simulated' if log.simulated else ''}",
        data_hash=_hash(log),
        split_checksum="",
        seeds=[0],
        versions={"numpy": np.__version__, "scipy": scipy.__version__},
        date=datetime.now(UTC).date().isoformat(),
        command="python -m recommender experiment study aa",
        rows=rows,
        more={
            "simulated": log.simulated,
            "experiment": plan.name,
            "plan": plan.checksum,
            "metric": METRICS[plan.primary].label,
            "alpha": plan.alpha,
            "mde": plan.mde,
            "days": nothing[0].days,
            "viewers": round(float(np.mean([sum(r.counts.values()) for r in nothing]))),
            "viewers_with_a_lift": round(float(np.mean([sum(r.counts.values()) for r in found]))),
            "runs": runs,
            "runs_planted": fewer,
            "faults": {fault.label: fault.planted for fault in BREAKS.values()},
            "p": {name: _histogram([of(r) for r in nothing]) for name, of in P.items()},
            "p_srm": _histogram([next(c.p for c in r.health if c.key == "srm") or 0.0 for r in nothing]),
        },
    )


# -- experiments ---------------------------------------------------------------------------------------------------------


def _runs(make: Callable[[int], tuple[Plan, Log]], runs: int, say: Callable[[str], object], name: str) -> list[Reading]:
    found = []
    for seed in range(runs):
        found.append(read(*make(seed)))
        if (seed + 1) % max(runs // 5, 1) == 0:
            say(f"{name}: {seed + 1:,} of {runs:,} experiments read")
    return found


def _redrawn(plan: Plan, log: Log, seed: int) -> tuple[Plan, Log]:
    """An A/A as large as the experiment itself: its control drawn with replacement, then dealt anew."""
    rng, control = np.random.default_rng([seed, 4]), np.flatnonzero(log.arms == 0)
    drawn = log.keep(rng.choice(control, int((log.arms != UNASSIGNED).sum())))
    return same_for_all(plan, drawn, seed)


def _lifted(plan: Plan, log: Log, lift: float, seed: int) -> tuple[Plan, Log]:
    """What the primary metric counts is so much more in the treatments: each click, or minute, brings another one with that chance."""
    above, below = METRICS[plan.primary].above, METRICS[plan.primary].below
    treated = (log.arms > 0)[:, None] & log.during
    values = log.sums[above]
    more = values + np.random.default_rng([seed, 5]).binomial(values.astype(np.int64), np.where(treated, lift, 0))
    return plan, replace(log, sums=log.sums | {above: np.minimum(more, log.sums[below]) if below == "shown" else more})


def _planted(plant: Callable[[Plan, Log, int], Log], plan: Plan, log: Log, seed: int) -> tuple[Plan, Log]:
    return plan, plant(plan, log, seed)


# -- what they say ---------------------------------------------------------------------------------------------------------

P: dict[str, Callable[[Reading], float]] = {FIXED: lambda r: r.primary[0].plain.p, SHARP: lambda r: r.primary[0].best.p}


def _share(variant: str, model: str, metric: str, those: Sequence[bool]) -> Row:
    """A share of runs with its interval. Source: Clopper & Pearson, Biometrika 26(4), 1934."""
    k, n = int(np.sum(those)), len(those)
    lo, hi = binomtest(k, n).proportion_ci(method="exact")
    return Row(variant, model, metric, None, None, round(k / n, 6), round(float(lo), 6), round(float(hi), 6), n)


def _errors(found: list[Reading], plan: Plan) -> list[Row]:
    """How often nothing is called something: at the end, and by who looks on every day."""
    arm = found[0].primary[0].arm
    days = [[day for day in r.over_time if day.arm == arm] for r in found]
    return [
        *(_share(NOTHING, name, FALSE, [of(r) < plan.alpha for r in found]) for name, of in P.items()),
        _share(NOTHING, ANYTIME, FALSE, [not each[-1].anytime.lo <= 0 <= each[-1].anytime.hi for each in days]),
        _share(NOTHING, SHARP, EVER, [any(not day.fixed.lo <= 0 <= day.fixed.hi for day in each) for each in days]),
        _share(NOTHING, ANYTIME, EVER, [any(not day.anytime.lo <= 0 <= day.anytime.hi for day in each) for each in days]),
    ]


def _power(variant: str, found: list[Reading], plan: Plan) -> list[Row]:
    """How often the primary metric is called better: at the end, and on any day by what holds at every look."""
    better, arm = METRICS[plan.primary].better, found[0].primary[0].arm
    ups = [[better * (day.anytime.lo if better > 0 else day.anytime.hi) > 0 for day in r.over_time if day.arm == arm] for r in found]
    return [
        *(_share(variant, n, PROVEN, [of(r) < plan.alpha and better * r.primary[0].best.absolute[0] > 0 for r in found]) for n, of in P.items()),
        _share(variant, ANYTIME, EVER, [any(days) for days in ups]),
    ]


def _verdicts(variant: str, found: list[Reading]) -> list[Row]:
    return [_share(variant, name, SAID, [r.decisions[0].verdict == name for r in found]) for name in get_args(Verdict)]


def _alarms(variant: str, found: list[Reading]) -> list[Row]:
    failed = [{check.key for check in r.health if not check.ok} for r in found]
    return [_share(variant, key, ALARM, [key in keys for keys in failed]) for key in CHECKS]


def _guards(variant: str, found: list[Reading]) -> list[Row]:
    """How often a guardrail that loses nothing is proven to be within its margin: what else it takes to ship."""
    return [
        _share(variant, METRICS[key].label, SAFE, [next(g.state for g in r.guardrails if g.measured.metric == key) == "safe" for r in found])
        for key in found[0].plan.guardrails
    ]


def _histogram(p: list[float]) -> list[int]:
    return np.histogram(p, bins=BINS, range=(0, 1))[0].tolist()


def _hash(log: Log) -> str:
    digest = hashlib.sha256(log.arms.tobytes())
    for name in sorted(log.sums):
        digest.update(log.sums[name].tobytes())
    return digest.hexdigest()[:16]
