"""How much telling the hybrid the moment and the screen is worth in the click world, by how far context moves taste there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import numpy as np

from recommender import rank
from recommender.evaluate.report import Contender, Paired, Report, Row
from recommender.experiment.assign import first_day, midnight
from recommender.experiment.lists import BATCH, SHOWN, agenda
from recommender.experiment.metrics import METRICS, Metric
from recommender.experiment.offpolicy import draw
from recommender.experiment.plan import Arm, Plan, Simulation
from recommender.experiment.sample import Columns, compare
from recommender.experiment.simulate import Batch, happen
from recommender.experiment.stage import Stage, facts, short
from recommender.experiment.world import CONTEXTS, World
from recommender.stats.cuped import Cuped
from recommender.stats.effects import Effect, estimate
from recommender.stats.inference import holm
from recommender.stats.moments import Moments
from recommender.stats.power import Baseline, sample_size
from recommender.types import Context, Query

VIEWERS, DOSES = 20_000, (0.0, 0.5, 1.0, 2.0)
CLAIMED = {"ctr": 0.127, "engagement": 0.085, "relevance": 0.153}  # what the brief of this project says of context-aware over not
MEASURED = tuple(METRICS[name] for name in CLAIMED)
ASKED, TRUTHS = 3_000, 1_000  # viewers whose first lists are compared, by models and by the truth
RARELY = 0.01  # a viewer's contexts that come less often are left out of their average
TRUTH = "both, by the truth"
TOLD: dict[str, Callable[[Context], Context]] = {
    "nothing": lambda context: Context(),
    "time": lambda context: Context(context.time_of_day),
    "device": lambda context: Context(None, context.device),
    "both": lambda context: context,
}
SUMS = ("clicks", "shown", "minutes", "stars", "rated")
LABELS = {"not told": "Hybrid, not told the context", "told": "Hybrid, told the context"}
PLAN = Plan(
    "doses",
    "Told the time of day and the device, the hybrid makes viewers click more.",
    (Arm("not told", "hybrid", False), Arm("told", "hybrid", True)),
    frozen=date(2001, 1, 1),
)

_short = partial(short, digits=5)


def doses(say: Callable[[str], object] = print, stage: Stage | None = None) -> Report:
    """The same viewers, visits and lists at each dose; only what viewers then want differs."""
    stage = stage or Stage.open(VIEWERS)
    plan = replace(PLAN, viewers=len(stage.world), simulation=Simulation(viewers=len(stage.world), seed=stage.world.seed))
    prepared = agenda(plan, stage.world, stage.models, say)
    rows, found, controls = list[Row](), list[tuple[float, Metric, Effect, Cuped | None]](), list[Moments]()
    for dose in DOSES:
        totals = summed(plan, happen(plan, replace(stage.world, dose=dose), prepared), len(stage.world))
        arms = [Moments.of(totals[came]) for came in (np.unique(prepared.viewers[(prepared.arms == n) & (prepared.days >= 0)]) for n in range(2))]
        for metric in MEASURED:
            columns = _columns(metric)
            effect, sharp = compare(arms[0], arms[1], columns, 0.95)
            found.append((dose, metric, effect, sharp))
            rows += [_row(dose, metric, arm.name, m, columns) for arm, m in zip(plan.arms, arms)]
            controls.append(arms[0])
            lift = effect.relative
            say(f"dose {dose:g}: {metric.label} {lift.estimate:+.2%} [{lift.lo:+.2%}, {lift.hi:+.2%}]")
    p_holm = holm(np.array([effect.p for _, _, effect, _ in found]))
    differences = [_paired(dose, metric, effect, p) for (dose, metric, effect, _), p in zip(found, p_holm.tolist())]
    needed: dict[str, dict[str, dict[str, int | None]]] = {metric.key: {} for metric in MEASURED}
    for (dose, metric, effect, sharp), control, p in zip(found, controls, p_holm.tolist()):
        needed[metric.key][f"{dose:g}"] = _needed(control, metric, effect.relative.estimate if p < 0.05 else None, sharp)
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
        "first_lists": first_lists(stage, say),
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


def first_lists(stage: Stage, say: Callable[[str], object]) -> list[dict[str, Any]]:
    """By dose and by what is told: exact change in clicks on the list of a visit in a context of the viewer's habits, as a share of the same ranking
    told nothing. "the truth": films ranked by their true chance of a click but for what nobody can know; told both, or neither, that is on average
    over the viewer's habits. With the 95% interval over viewers."""
    viewers = np.arange(min(ASKED, len(stage.world)))
    contexts = draw(stage.world.habits[viewers], np.random.default_rng(0))
    asked = {name: _ranked(stage, viewers, [tell(CONTEXTS[c]) for c in contexts.tolist()]) for name, tell in TOLD.items()}
    found = []
    for dose in DOSES:
        world = replace(stage.world, dose=dose)
        clicks = {name: world.expected_click(viewers, contexts, lists).clicks for name, lists in asked.items()}
        few = viewers[:TRUTHS]
        known = [world.expected_click(few, contexts[few], lists).clicks for lists in _by_truth(stage, world, few, contexts[few])]
        compared = {**{name: (clicks["nothing"], clicks[name]) for name in TOLD if name != "nothing"}, TRUTH: (known[0], known[1])}
        for name, (without, told) in compared.items():
            lift, variance = estimate(Moments.of(np.column_stack([told - without, without])), 0, 1)
            reach = 1.959964 * math.sqrt(variance)
            found.append({"dose": dose, "told": name, "lift": _short(lift), "lo": _short(lift - reach), "hi": _short(lift + reach), "n": len(told)})
            say(f"dose {dose:g}: first list, told {name} {lift:+.2%} [{lift - reach:+.2%}, {lift + reach:+.2%}]")
    return found


def _ranked(stage: Stage, viewers: np.ndarray, told: list[Context]) -> np.ndarray:  # (B, K)
    queries = [Query(stage.histories[v], context) for v, context in zip(viewers.tolist(), told, strict=True)]
    scores = (line for at in range(0, len(queries), BATCH) for line in stage.models["hybrid"].score(queries[at : at + BATCH]))
    return np.stack([rank.top(rank.mask(line, query.profile.items), SHOWN) for line, query in zip(scores, queries)])


def _by_truth(stage: Stage, world: World, viewers: np.ndarray, contexts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lists (B, K) by the chance of a click without the viewers' own noise: on average over their habits, and in the context of the visit."""
    blind = replace(world, truth=replace(world.truth, own=0.0))
    films = np.arange(len(world.catalog))[None]
    without, told = list[np.ndarray](), list[np.ndarray]()
    for viewer, context in zip(viewers.tolist(), contexts.tolist()):
        usual = np.flatnonzero(world.habits[viewer] > RARELY)
        here = np.append(usual, context)
        chances = blind.chances(np.full(len(here), viewer), here, np.repeat(films, len(here), axis=0)).click
        for lists, scores in ((without, world.habits[viewer, usual] @ chances[:-1]), (told, chances[-1])):
            lists.append(rank.top(rank.mask(scores, stage.histories[viewer].items), SHOWN))
    return np.stack(without), np.stack(told)


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


def _needed(control: Moments, metric: Metric, shown: float | None, sharp: Cuped | None) -> dict[str, int | None]:
    """Viewers in both arms with which an effect is seen with 80% power at 5%: the one claimed and the one shown, None where none was; the same with
    CUPED."""
    columns = _columns(metric)
    value, variance = estimate(control, columns.above, columns.below)
    baseline, saved = Baseline(value, math.sqrt(variance * control.n)), max(sharp.saved, 0.0) if sharp else 0.0
    return {
        f"{name}{how}": sample_size(baseline, lift, variance_saved=less) if lift else None
        for how, less in (("", 0.0), (", with CUPED", saved))
        for name, lift in (("claimed", CLAIMED[metric.key]), ("measured", shown))
    }
