"""How much telling the hybrid the moment and the screen is worth in the click world, by how far context moves taste there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

import numpy as np

from recommender.evaluate.report import Contender, Paired, Report, Row
from recommender.experiment.assign import first_day, midnight
from recommender.experiment.lists import agenda
from recommender.experiment.metrics import METRICS, Metric
from recommender.experiment.plan import Arm, Plan, Simulation
from recommender.experiment.sample import Columns, compare
from recommender.experiment.simulate import Batch, happen
from recommender.experiment.stage import Stage, facts
from recommender.stats.cuped import Cuped
from recommender.stats.effects import Effect, estimate
from recommender.stats.inference import holm
from recommender.stats.moments import Moments
from recommender.stats.power import Baseline, sample_size

VIEWERS, DOSES = 20_000, (0.0, 0.5, 1.0, 2.0)
CLAIMED = {"ctr": 0.127, "engagement": 0.085, "relevance": 0.153}  # what the brief of this project says of context-aware over not
MEASURED = tuple(METRICS[name] for name in CLAIMED)
SUMS = ("clicks", "shown", "minutes", "stars", "rated")
LABELS = {"not told": "Hybrid, not told the context", "told": "Hybrid, told the context"}
PLAN = Plan(
    "doses",
    "Told the time of day and the device, the hybrid makes viewers click more.",
    (Arm("not told", "hybrid", False), Arm("told", "hybrid", True)),
    frozen=date(2001, 1, 1),
)


def doses(say: Callable[[str], object] = print, stage: Stage | None = None) -> Report:
    """The same viewers, visits and lists at each dose; only what viewers then want differs."""
    stage = stage or Stage.open(VIEWERS)
    plan = replace(PLAN, viewers=len(stage.world), simulation=Simulation(viewers=len(stage.world), seed=stage.world.seed))
    prepared = agenda(plan, stage.world, stage.models, say)
    rows, found = list[Row](), list[tuple[float, Metric, Effect, Cuped | None]]()
    needed: dict[str, dict[str, dict[str, int | None]]] = {}
    for dose in DOSES:
        totals = summed(plan, happen(plan, replace(stage.world, dose=dose), prepared), len(stage.world))
        arms = [Moments.of(totals[came]) for came in (np.unique(prepared.viewers[(prepared.arms == n) & (prepared.days >= 0)]) for n in range(2))]
        for metric in MEASURED:
            columns = _columns(metric)
            effect, sharp = compare(arms[0], arms[1], columns, 0.95)
            found.append((dose, metric, effect, sharp))
            rows += [_row(dose, metric, arm.name, m, columns) for arm, m in zip(plan.arms, arms)]
            needed.setdefault(metric.key, {})[f"{dose:g}"] = _needed(arms[0], columns, metric, effect, sharp)
            lift = effect.relative
            say(f"dose {dose:g}: {metric.label} {lift.estimate:+.2%} [{lift.lo:+.2%}, {lift.hi:+.2%}]")
    p_holm = holm(np.array([effect.p for _, _, effect, _ in found]))
    differences = [_paired(dose, metric, effect, p) for (dose, metric, effect, _), p in zip(found, p_holm.tolist())]
    sharper = [
        {"dose": dose, "metric": metric.key, "saved": _short(sharp.saved), **dict(zip(("lift", "lo", "hi"), map(_short, sharp.effect.relative)))}
        for dose, metric, _, sharp in found
        if sharp
    ]
    more = {
        "claims": CLAIMED,
        "metrics": {metric.key: {"label": metric.label, "unit": metric.unit} for metric in MEASURED},
        "doses": DOSES,
        "viewers": len(stage.world),
        "days": plan.days,
        "days_before": Simulation().days_before,
        "needed": needed,
        "with_cuped": sharper,
    }
    models = [Contender(name, label, "hybrid", name == "told", 1, 0.0, 0.0, 0.0) for name, label in LABELS.items()]
    return Report(**facts(stage, "doses") | {"dataset": "the click world, simulated"}, models=models, rows=rows, differences=differences, more=more)


def summed(plan: Plan, batches: Iterable[Batch], viewers: int) -> np.ndarray:
    """(V, 2 F) SUMS of each viewer in the experiment, then before it."""
    totals = np.zeros((viewers, 2, len(SUMS)))
    begin = midnight(first_day(plan))
    for batch in batches:
        viewer = np.array([int(name.rpartition("-")[2]) for name in batch["viewer"]])
        when = (batch["at"] < begin).astype(int)
        minutes = np.array([float(note[12:-1]) if note.startswith('{"minutes') else 0.0 for note in batch["note"]])
        stars = batch["stars"]
        values = (batch["kind"] == "click", batch["kind"] == "impression", minutes, np.nan_to_num(stars), ~np.isnan(stars))
        for column, value in enumerate(values):
            np.add.at(totals[:, :, column], (viewer, when), value)
    return totals.reshape(viewers, -1)


def _columns(metric: Metric) -> Columns:
    above, below = SUMS.index(metric.above), SUMS.index(metric.below) if metric.below else None
    return Columns(above, below, (len(SUMS) + above, None if below is None else len(SUMS) + below))


def _row(dose: float, metric: Metric, arm: str, m: Moments, columns: Columns) -> Row:
    value, variance = estimate(m, columns.above, columns.below)
    reach = 1.959964 * math.sqrt(variance)
    return Row(f"dose {dose:g}", arm, metric.key, None, None, _short(value), _short(value - reach), _short(value + reach), m.n)


def _paired(dose: float, metric: Metric, effect: Effect, p_holm: float) -> Paired:
    """The relative effect, as a share of the control."""
    lift, lo, hi = map(_short, effect.relative)
    n = effect.n_control + effect.n_treatment
    return Paired(f"dose {dose:g}", "told", "not told", metric.key, None, None, lift, lo, hi, _short(effect.p), _short(p_holm), n)


def _needed(control: Moments, columns: Columns, metric: Metric, effect: Effect, sharp: Cuped | None) -> dict[str, int | None]:
    """Viewers in both arms with which an effect is seen with 80% power at 5%: the one claimed and the one measured, None where none was shown;
    the same with CUPED."""
    value, variance = estimate(control, columns.above, columns.below)
    baseline, saved = Baseline(value, math.sqrt(variance * control.n)), max(sharp.saved, 0.0) if sharp else 0.0
    shown = effect.relative.estimate if effect.p < 0.05 else None
    return {
        f"{name}{how}": sample_size(baseline, lift, variance_saved=less) if lift else None
        for how, less in (("", 0.0), (", with CUPED", saved))
        for name, lift in (("claimed", CLAIMED[metric.key]), ("measured", shown))
    }


def _short(x: float) -> float:
    return float(f"{x:.5g}")
