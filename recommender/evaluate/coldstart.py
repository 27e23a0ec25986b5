"""How much each model makes of a viewer's first ratings, and from how many on it is worth using."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from recommender.catalog import Catalog
from recommender.evaluate.metrics import hits_of_lists, ndcg, precision
from recommender.evaluate.rankings import milliseconds, rank
from recommender.evaluate.report import Contender, Paired, Row
from recommender.evaluate.split import Split
from recommender.interactions import Interactions
from recommender.stats.inference import bootstrap_means, holm, paired_differences
from recommender.types import Recommender

FIRST = (0, 1, 2, 3, 5, 8, 10, 15, 20, 50)
K = 10
LIKED = 4.0  # stars
POPULAR, COLLABORATIVE, BALANCED = "popularity", "ease", "hybrid"  # what the three routes of the app rest on


def questions(strangers: Interactions, known: int, candidates: np.ndarray, least: int = 10) -> Split:
    """What did viewers like after their first fifty ratings, when only the first `known` are given?

    The same viewers, right films and ranked films whatever `known` is, so that only the knowledge differs: the first fifty are never ranked.
    Viewers need `least` liked films after them.
    """
    first = max(FIRST)
    place = np.arange(len(strangers)) - np.searchsorted(strangers.users, strangers.users)
    right = (place >= first) & (strangers.ratings >= LIKED) & candidates[strangers.items]
    users = np.flatnonzero(np.bincount(strangers.users[right], minlength=strangers.n_users) >= least)
    right &= np.isin(strangers.users, users)
    starts = np.searchsorted(strangers.users, users)
    pairs = (np.searchsorted(users, strangers.users[right]), strangers.items[right])
    return Split(
        protocol="cold-start",
        variant="first ratings",
        seed=0,
        train=strangers.where(np.zeros(len(strangers), bool)),
        source=strangers,
        spans=np.stack([starts, starts + known], axis=1),
        users=users,
        relevant=sparse.csr_array((np.ones(right.sum(), bool), pairs), shape=(len(users), strangers.n_items)),
        at=strangers.times[starts + max(known - 1, 0)],
        times_of_day=np.full(len(users), -1),
        candidates=candidates,
        hidden=np.stack([starts, starts + first], axis=1),
        liked_from=3.0,  # as the app serves
    )


def run(
    models: dict[str, Recommender], labels: dict[str, str], strangers: Interactions, candidates: np.ndarray, catalog: Catalog, say: Callable = print
) -> tuple[list[Contender], list[Row], list[Paired], dict]:
    """Every model at every number of known ratings, for viewers none of them was trained on."""
    rows: list[Row] = []
    found: dict[tuple[str, int], np.ndarray] = {}
    contenders = []
    for name, model in models.items():
        for known in FIRST:
            split = questions(strangers, known, candidates)
            shown, _ = rank(model, split, K, name)
            hits, counts = hits_of_lists(shown, split.relevant), np.diff(split.relevant.indptr)
            found[name, known] = ndcg(hits, counts, K)
            values = np.column_stack([found[name, known], precision(hits, counts, K)])
            for metric, e in zip(("NDCG", "P"), bootstrap_means(values)):
                rows.append(Row(split.variant, name, metric, K, f"known={known}", *e))
        say(f"cold start · {name}: " + ", ".join(f"{known}: {found[name, known].mean():.3f}" for known in FIRST))
        contenders.append(Contender(name, labels[name], "", False, 1, 0.0, round(milliseconds(model, split), 3), 0.0))
    differences = compare(found, [name for name in models if name != POPULAR])
    return contenders, rows, differences, {"thresholds": thresholds(differences)}


def compare(found: dict[tuple[str, int], np.ndarray], names: list[str]) -> list[Paired]:
    """Each model less popularity at each number of known ratings; p corrected over the whole table."""
    table = []
    for known in FIRST:
        a = np.column_stack([found[name, known] for name in names])
        table += [(name, known, d) for name, d in zip(names, paired_differences(a, found[POPULAR, known][:, None]))]
    corrected = holm(np.array([d.p for *_, d in table])).tolist()
    return [
        Paired("first ratings", name, POPULAR, "NDCG", K, f"known={known}", d.delta, d.lo, d.hi, d.p, p, d.n)
        for (name, known, d), p in zip(table, corrected)
    ]


def thresholds(differences: list[Paired]) -> dict[str, int | None]:
    """The least number of known ratings from which on (and for all larger numbers tried) the hybrid, and EASE alone, beat popularity
    with a corrected p under .05; None where they never do."""
    return {"few": _from_on(differences, BALANCED), "many": _from_on(differences, COLLABORATIVE)}


def _from_on(differences: list[Paired], model: str) -> int | None:
    better = [d.delta > 0 and d.p_holm < 0.05 for d in differences if d.model == model]  # in the order of FIRST
    start = len(better)
    while start and better[start - 1]:
        start -= 1
    return FIRST[start] if start < len(better) else None
