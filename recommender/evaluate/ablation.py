"""What context is worth: the hybrid with it, without it, and with a context that is shuffled within each viewer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from recommender.catalog import Catalog
from recommender.evaluate.metrics import hits_of_ranks, ndcg, ranks
from recommender.evaluate.rankings import rank
from recommender.evaluate.report import Contender, Paired, Row
from recommender.evaluate.split import Split
from recommender.interactions import UNKNOWN, Interactions
from recommender.models.hybrid import Hybrid
from recommender.rank import mask
from recommender.stats.inference import bootstrap_mean, holm, paired_difference
from recommender.types import Context, Explanation, Query, Recommender
from recommender.world import simulate_devices

K = 10
WITHOUT, WITH, SHUFFLED = "no context", "context", "context shuffled within user"
DOSES = (0.0, 0.5, 1.0)
OBSERVED, MOMENT = "part of day, observed", "moment of the request, observed (no context: the network trained without times)"


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
    """Films asked for, several a viewer: queries, films (N,), viewers (N,), and the scores of the hybrid's parts (N, 3, I)."""

    queries: list[Query]
    films: np.ndarray
    viewers: np.ndarray
    z: np.ndarray

    def by_viewer(self, hybrid: Hybrid, contexts: list[Context]) -> np.ndarray:  # (V,)
        """NDCG@K of the films asked for, each asked in these contexts: mean of each viewer."""
        found = []
        for start in range(0, len(self.queries), 256):
            rows = slice(start, min(start + 256, len(self.queries)))
            asked = [Query(q.profile, c) for q, c in zip(self.queries[rows], contexts[rows])]
            scores = np.stack([mask(s, q.profile.items) for s, q in zip(hybrid.blend(asked, self.z[rows]), asked)])
            found.append(ranks(scores, self.films[rows]))
        place = np.concatenate(found)
        values = ndcg(hits_of_ranks(place, K), np.ones(len(place), int), K)
        return np.bincount(self.viewers, values) / np.bincount(self.viewers)


def _ask(hybrid: Hybrid, log: Interactions, seed: int) -> Asked:
    queries, films, viewers = hybrid.questions(log, np.random.default_rng(seed))
    z = np.concatenate([hybrid.part_scores(queries[i : i + 128]) for i in range(0, len(queries), 128)])
    return Asked(queries, films, viewers, z)


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


def run(
    parts: dict[str, Recommender], gate: Interactions, exam: Interactions, catalog: Catalog, seed: int = 0, asked: int = 12, say: Callable = print
) -> tuple[list[Row], list[Paired]]:
    """Fit the gate anew for each signal on the viewers of `gate`, and ask those of `exam`; no part knows either."""
    blind: dict[str, Recommender] = {name: Blind(part) for name, part in parts.items()}

    def fitted(log: Interactions) -> Hybrid:
        return Hybrid(seed=seed, asked=asked).attach(blind).fit_gate(log, catalog)

    plain = fitted(_hide(gate, True, True))
    rows: list[Row] = []
    differences: list[Paired] = []
    variants: dict[str, tuple[Interactions, Interactions]] = {OBSERVED: (_hide(gate, False, True), _hide(exam, False, True))}
    for dose in DOSES:
        draw = lambda log, n, dose=dose: _hide(simulate_devices(log, catalog, dose, np.random.default_rng([seed, n])), True, False)
        variants[f"device, simulated at dose {dose:g}"] = draw(gate, 0), draw(exam, 1)
    for variant, (learned, examined) in variants.items():
        hybrid, questions = fitted(learned), _ask(plain, examined, seed)
        values = {
            WITHOUT: questions.by_viewer(plain, [Context()] * len(questions.queries)),
            WITH: questions.by_viewer(hybrid, [q.context for q in questions.queries]),
            SHUFFLED: questions.by_viewer(hybrid, _shuffled(questions, np.random.default_rng(seed))),
        }
        found = compare(variant, values)
        rows, differences = rows + found[0], differences + found[1]
        say(f"context · {variant}: " + ", ".join(f"{name} {v.mean():.4f}" for name, v in values.items()))
    return rows, differences


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
