"""What context is worth: the hybrid with it, without it, and with a context that is shuffled within each viewer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Self, cast

import numpy as np

from recommender.catalog import Catalog
from recommender.evaluate import recovery
from recommender.evaluate.metrics import hits_of_ranks, ndcg, ranks
from recommender.evaluate.rankings import rank
from recommender.evaluate.report import Contender, Paired, Row
from recommender.evaluate.split import Split
from recommender.interactions import UNKNOWN, Interactions
from recommender.models.hybrid import PARTS, Hybrid
from recommender.models.moment import Moment
from recommender.models.popularity import Popularity
from recommender.rank import mask
from recommender.stats.inference import bootstrap_mean, holm, paired_difference
from recommender.types import Context, Explanation, Query, Recommender
from recommender.world import simulate_devices

K = 10
WITHOUT, WITH, SHUFFLED = "no context", "context", "context shuffled within user"
DOSES = (0.0, 0.25, 0.5, 1.0)
DRAWS = 5  # of the devices at each dose, to tell what a gate recovers from the luck of one draw
NAMES = {"time_of_day": "part of day", "device": "device"}
MOMENT = "moment of the request, observed (no context: the network trained without times)"

Scores = Callable[[list[Query], slice], np.ndarray]  # queries, and which rows of all the questions they are -> (B, I)


class Blind:
    """A model that is not told the context, so that only the gate above it can use it."""

    def __init__(self, model: Recommender) -> None:
        self.model, self.catalog = model, model.catalog

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        return self

    def score(self, queries: list[Query]) -> np.ndarray:
        return self.model.score([Query(q.profile) for q in queries])

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        return self.model.explain(Query(query.profile), items)


@dataclass(frozen=True, eq=False)
class Asked:
    """Films asked for, several a viewer: queries, films (N,), viewers (N,)."""

    queries: list[Query]
    films: np.ndarray
    viewers: np.ndarray

    def by_viewer(self, scores: Scores, contexts: list[Context]) -> np.ndarray:  # (V,)
        """NDCG@K of the films asked for, each asked in these contexts: mean of each viewer."""
        found = []
        for start in range(0, len(self.queries), 256):
            rows = slice(start, min(start + 256, len(self.queries)))
            asked = [Query(q.profile, c) for q, c in zip(self.queries[rows], contexts[rows])]
            left = np.stack([mask(s, q.profile.items) for s, q in zip(scores(asked, rows), asked)])
            found.append(ranks(left, self.films[rows]))
        place = np.concatenate(found)
        values = ndcg(hits_of_ranks(place, K), np.ones(len(place), int), K)
        return np.bincount(self.viewers, values) / np.bincount(self.viewers)

    def conditions(self, without: Scores, told: Scores, seed: int) -> dict[str, np.ndarray]:
        """NDCG@K of each viewer (V,) with the context unknown, known, and shuffled within the viewer."""
        return {
            WITHOUT: self.by_viewer(without, [Context()] * len(self.queries)),
            WITH: self.by_viewer(told, [q.context for q in self.queries]),
            SHUFFLED: self.by_viewer(told, _shuffled(self, np.random.default_rng(seed))),
        }


class Trial(NamedTuple):
    """A signal put to the test: the log that holds it and no other, and the scores without and with it."""

    variant: str
    log: Interactions
    without: Scores
    told: Scores


def _hide(log: Interactions, part_of_day: bool, device: bool) -> Interactions:
    """The log without knowledge of the part of day, the device, or both."""
    unknown = np.full(len(log), UNKNOWN, np.int8)
    return replace(log, times_of_day=unknown if part_of_day else log.times_of_day, devices=unknown if device else log.devices)


def _shuffled(asked: Asked, rng: np.random.Generator) -> list[Context]:
    """The contexts of each viewer's questions, in random order."""
    order = np.arange(len(asked.queries))
    for viewer in np.unique(asked.viewers):
        rows = np.flatnonzero(asked.viewers == viewer)
        order[rows] = rng.permutation(rows)
    return [asked.queries[row].context for row in order]


def _named(signal: str, log: Interactions, dose: float) -> str:
    """ "part of day, observed" or "device, simulated at dose 1", as the log has it."""
    return f"{NAMES[signal]}, {_source(signal, log)}" + (f" at dose {dose:g}" if signal in log.simulated else "")


def _source(signal: str, log: Interactions) -> str:
    return "simulated" if signal in log.simulated else "observed"


def run(
    models: dict[str, Recommender],
    gate: Interactions,
    exam: Interactions,
    catalog: Catalog,
    dose: float = 1.0,
    seed: int = 0,
    asked: int = 12,
    draws: int = DRAWS,
    say: Callable = print,
) -> tuple[list[Row], list[Paired], dict]:
    """What each signal adds on the viewers of `exam`, whom none of `models` knows; and what else the report holds.

    To a gate over parts that hear no context, fitted anew for each signal and dose on the viewers of `gate`; and to the hybrid and
    to popularity as they are served, with devices drawn at the dose they learned from.
    """
    blank = Hybrid(seed=seed, asked=asked).attach({name: Blind(models[name]) for name in PARTS})
    queries, films, viewers = blank.questions(exam, np.random.default_rng(seed))
    z = np.concatenate([blank.part_scores(queries[i : i + 128]) for i in range(0, len(queries), 128)])  # (N, 3, I)

    def fitted(log: Interactions) -> Hybrid:
        return Hybrid(seed=seed, asked=asked).attach(blank.parts).fit_gate(log, catalog)

    def on_device(log: Interactions, dose: float, *draw: int) -> Interactions:
        return _hide(simulate_devices(log, catalog, dose, np.random.default_rng([seed, *draw])), True, False)

    plain, timely = fitted(_hide(gate, True, True)), fitted(_hide(gate, False, True))
    taught = {d: [fitted(on_device(gate, d, 0, n)) for n in range(draws)] for d in DOSES}
    timed, drawn = _hide(exam, False, True), on_device(exam, dose, 1)
    without = _blended(plain, z)
    trials = [Trial(_named("time_of_day", timed, 0), timed, without, _blended(timely, z))]
    for d, (gated, *_) in taught.items():
        log = on_device(exam, d, 1)
        trials.append(Trial(_named("device", log, d), log, without, _blended(gated, z)))
    served = _served(models, timed, drawn, dose, z)
    rows: list[Row] = []
    differences: list[Paired] = []
    for trial in [*trials, *served.values()]:
        there = Asked(blank.questions(trial.log, np.random.default_rng(seed))[0], films, viewers)
        values = there.conditions(trial.without, trial.told, seed)
        found = compare(trial.variant, values)
        rows, differences = rows + found[0], differences + found[1]
        say(f"context · {trial.variant}: " + ", ".join(f"{name} {v.mean():.4f}" for name, v in values.items()))
    signals = [{"model": m, "signal": s, "source": _source(s, trial.log), "variant": trial.variant} for (m, s), trial in served.items()]
    return rows, differences, {"signals": signals, **recovery.effects(taught, timely, gate, catalog)}


def _blended(hybrid: Hybrid, z: np.ndarray) -> Scores:
    """What a hybrid makes of the scores of parts that were told no context, z (N, 3, I)."""
    return lambda queries, rows: hybrid.blend(queries, z[rows])


def _served(models: dict[str, Recommender], timed: Interactions, drawn: Interactions, dose: float, z: np.ndarray) -> dict[tuple[str, str], Trial]:
    """The signals as they are served, by (model, signal): to the hybrid, whose sequence part hears them too, and to popularity."""
    hybrid, popularity = cast(Hybrid, models["hybrid"]), cast(Popularity, models["popularity"])

    def blended(queries: list[Query], rows: slice) -> np.ndarray:
        return hybrid.score(queries)

    def lifted(queries: list[Query], rows: slice) -> np.ndarray:
        return Moment(popularity, hybrid).score(queries)

    trial = lambda model, signal, log, without, told: Trial(f"{model}: {_named(signal, log, dose)}", log, without, told)
    return {
        ("hybrid", "time_of_day"): trial("served hybrid", "time_of_day", timed, _blended(hybrid, z), blended),
        ("hybrid", "device"): trial("served hybrid", "device", drawn, _blended(hybrid, z), blended),
        ("popularity", "time_of_day"): trial("popularity", "time_of_day", timed, lifted, lifted),
    }


def compare(variant: str, values: dict[str, np.ndarray]) -> tuple[list[Row], list[Paired]]:
    """Means per user of the three conditions, and what context adds to none and to a shuffled one."""
    rows = [Row(variant, name, "NDCG", K, None, *bootstrap_mean(v)) for name, v in values.items()]
    pairs = ((WITH, WITHOUT), (SHUFFLED, WITHOUT), (WITH, SHUFFLED))
    table = [paired_difference(values[a], values[b]) for a, b in pairs]
    corrected = holm(np.array([d.p for d in table])).tolist()
    return rows, [Paired(variant, a, b, "NDCG", K, None, d.delta, d.lo, d.hi, d.p, p, d.n) for (a, b), d, p in zip(pairs, table, corrected)]


def moment(split: Split, without: Recommender, aware: Recommender, seed: int = 0) -> tuple[list[Row], list[Paired]]:
    """The same for the moment of the request: asked when the film was rated, or after another of the same viewer's own pauses."""
    rng = np.random.default_rng(seed)
    pauses = [np.diff(split.source.times[start:stop]) for start, stop in split.spans.tolist()]
    latest = split.source.times[split.spans[:, 1] - 1]
    elsewhen = latest + np.array([rng.choice(p) if len(p) else 0 for p in pauses])

    def values(model: Recommender, asked: Split) -> np.ndarray:
        shown, _ = rank(model, asked, K)
        hits = shown == asked.relevant.indices[:, None]
        return ndcg(hits, np.ones(len(hits), int), K)

    return compare(MOMENT, {WITHOUT: values(without, split), WITH: values(aware, split), SHUFFLED: values(aware, replace(split, at=elsewhen))})


def conditions() -> list[Contender]:
    return [Contender(name, name.capitalize(), "hybrid", name != WITHOUT, 1, 0.0, 0.0, 0.0) for name in (WITHOUT, WITH, SHUFFLED)]
