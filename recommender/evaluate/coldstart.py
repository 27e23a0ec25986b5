"""How much each model makes of a viewer's first ratings, and from how many on it is worth using."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from recommender.catalog import Catalog
from recommender.evaluate.metrics import hits_of_lists, ndcg, precision
from recommender.evaluate.rankings import milliseconds, rank
from recommender.evaluate.report import Contender, Paired, Row
from recommender.evaluate.split import Split, relevant_films
from recommender.interactions import Interactions
from recommender.stats.inference import bootstrap_means, holm, paired_differences
from recommender.types import Recommender

FIRST = (0, 1, 2, 3, 5, 8, 10, 15, 20, 50)
K = 10
LIKED = 4.0  # stars
LATER, SAMPLED, NEXT = "first ratings, liked later", "random ratings, liked otherwise", "first ratings, next ten"
VARIANTS = (SAMPLED, LATER, NEXT)  # the first decides the routing
POPULAR, COLLABORATIVE, BALANCED = "popularity", "ease", "hybrid"  # what the three routes of the app rest on


def questions(strangers: Interactions, known: int, candidates: np.ndarray, variant: str = LATER, least: int = 10, seed: int = 0) -> Split:
    """Questions to viewers of whom `known` ratings are given, in three ways.

    LATER: the first ratings known; right is what the viewer liked after the first fifty. SAMPLED: the same, but the fifty are drawn at random
    from all ratings, as of somebody who names films instead of going through the pages of a site. In both the viewers, the right films and the
    ranked films are the same whatever `known` is, so that only the knowledge differs: the fifty are never ranked. NEXT: the first ratings
    known; right are the next ten films rated. Viewers need `least` liked films after the fifty.
    """
    most = max(FIRST)
    log = _drawn_first(strangers, most, seed) if variant == SAMPLED else strangers
    place = np.arange(len(log)) - np.searchsorted(log.users, log.users)
    right = (place >= most) & (log.ratings >= LIKED) & candidates[log.items]
    users = np.flatnonzero(np.bincount(log.users[right], minlength=log.n_users) >= least)
    if variant == NEXT:
        right = (place >= known) & (place < known + 10) & candidates[log.items]
    right &= np.isin(log.users, users)
    starts = np.searchsorted(log.users, users)
    pairs = (np.searchsorted(users, log.users[right]), log.items[right])
    return Split(
        protocol="cold-start",
        variant=variant,
        seed=seed,
        train=log.where(np.zeros(len(log), bool)),
        source=log,
        spans=np.stack([starts, starts + known], axis=1),
        users=users,
        relevant=relevant_films(*pairs, (len(users), log.n_items)),
        at=log.times[starts + max(known - 1, 0)],
        times_of_day=np.full(len(users), -1),
        candidates=candidates,
        hidden=None if variant == NEXT else np.stack([starts, starts + most], axis=1),
        liked_from=3.0,  # as the app serves
    )


def _drawn_first(log: Interactions, n: int, seed: int) -> Interactions:
    """The log with n rows of each user, drawn at random and in their order of time, before the others; times become places in that order."""
    chosen = np.random.default_rng(seed).random(len(log))
    by_draw = np.lexsort((chosen, log.users))
    later = np.empty(len(log), bool)
    later[by_draw] = np.arange(len(log)) - np.searchsorted(log.users, log.users) >= n  # lengths of users are the same in either order
    order = np.lexsort((np.arange(len(log)), later, log.users))
    columns = {name: getattr(log, name)[order] for name in ("users", "items", "ratings", "times_of_day", "devices")}
    return replace(log, **columns, times=np.arange(len(log)))


def run(
    models: dict[str, Recommender], labels: dict[str, str], strangers: Interactions, candidates: np.ndarray, catalog: Catalog, say: Callable = print
) -> tuple[list[Contender], list[Row], list[Paired], dict]:
    """Every model at every number of known ratings, for viewers none of them was trained on."""
    rows: list[Row] = []
    differences: list[Paired] = []
    contenders = []
    for variant in VARIANTS:
        found: dict[tuple[str, int], np.ndarray] = {}
        for name, model in models.items():
            for known in FIRST:
                split = questions(strangers, known, candidates, variant)
                shown, _ = rank(model, split, K, name)
                hits, counts = hits_of_lists(shown, split.relevant), np.diff(split.relevant.indptr)
                found[name, known] = ndcg(hits, counts, K)
                estimates = bootstrap_means(np.column_stack([found[name, known], precision(hits, counts, K)]))
                rows += [Row(variant, name, metric, K, f"known={known}", *e) for metric, e in zip(("NDCG", "P"), estimates)]
            say(f"{variant} · {name}: " + ", ".join(f"{known}: {found[name, known].mean():.3f}" for known in FIRST))
            if variant == VARIANTS[0]:
                contenders.append(Contender(name, labels[name], "", False, 1, 0.0, round(milliseconds(model, split), 3), 0.0))
        differences += compare(variant, found, [name for name in models if name != POPULAR])
    return contenders, rows, differences, {"thresholds": {variant: thresholds(differences, variant) for variant in VARIANTS}}


def compare(variant: str, found: dict[tuple[str, int], np.ndarray], names: list[str]) -> list[Paired]:
    """Each model less popularity at each number of known ratings; p corrected over the whole table."""
    table = []
    for known in FIRST:
        a = np.column_stack([found[name, known] for name in names])
        table += [(name, known, d) for name, d in zip(names, paired_differences(a, found[POPULAR, known][:, None]))]
    corrected = holm(np.array([d.p for *_, d in table])).tolist()
    return [
        Paired(variant, name, POPULAR, "NDCG", K, f"known={known}", d.delta, d.lo, d.hi, d.p, p, d.n) for (name, known, d), p in zip(table, corrected)
    ]


def thresholds(differences: list[Paired], variant: str) -> dict[str, int | None]:
    """few: the least number of known ratings from which on EASE or the hybrid beats popularity, at that number and all larger ones tried, with
    a corrected p under .05; many: the same for the hybrid. None where they never do."""
    table = [d for d in differences if d.variant == variant]
    return {"few": _from_on(table, (BALANCED, COLLABORATIVE)), "many": _from_on(table, (BALANCED,))}


def _from_on(differences: list[Paired], models: tuple[str, ...]) -> int | None:
    table = [{d.segment: d.delta > 0 and d.p_holm < 0.05 for d in differences if d.model == model} for model in models]
    better = [any(of.get(f"known={known}", False) for of in table) for known in FIRST]
    start = len(better)
    while start and better[start - 1]:
        start -= 1
    return FIRST[start] if start < len(better) else None
