"""How far a film that was disliked should speak against a viewer's taste, and a film that was loved for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from scipy import sparse

from recommender.evaluate.metrics import hits_of_lists, ndcg, recall
from recommender.evaluate.rankings import BATCH, milliseconds, top_many
from recommender.evaluate.report import Contender, Paired, Row
from recommender.evaluate.split import Split, random_fifth
from recommender.interactions import Interactions
from recommender.rank import ranks
from recommender.stats.inference import bootstrap_means, holm, paired_differences
from recommender.types import Profile, Query, Recommender

LIKED, LOVED, DISLIKED = 4.0, 5.0, 2.0  # stars from which a film is liked, and loved; stars up to which it is disliked
TODAY = "three stars or more 1, others 0"
DISLIKES = {f"disliked {w:g}": w for w in (-0.25, -0.5, -1.0, -2.0)}
CHOSEN = "both as chosen"
LOVES = {f"loved {w:g}": w for w in (1.5, 2.0)}
K, DEEP = 10, 50
HEIGHT, AMONG = "disliked, height", "disliked"  # share of the ranked films that stand below; how many stand among the first
BETTER: dict[tuple[str, int | None], int] = {("NDCG", K): 1, ("R", DEEP): 1, (HEIGHT, None): -1, (AMONG, DEEP): -1}  # -1 where less is better
SERVED = "hybrid"  # makes the first row
SURE = 0.05
RULE = (
    f"the smallest weight with which one of the four figures of the {SERVED} is better, Holm p < {SURE:g}, and none of any model worse; "
    "without one, as it is"
)


def questions(strangers: Interactions, candidates: np.ndarray, seed: int = 0) -> tuple[Split, sparse.csr_array]:
    """A random fifth of every stranger's ratings is held out, and right are those of LIKED stars or more; also the DISLIKED among them, bool (B, I).

    Viewers of whom no liked film is held out are left out.
    """
    split = random_fifth(strangers, seed)
    stars = strangers.matrix(strangers.ratings)[split.users].toarray()  # (B, I), 0 where not rated
    asked = split.relevant.toarray() & candidates
    liked, disliked = asked & (stars >= LIKED), asked & (stars <= DISLIKED)
    rows = liked.any(axis=1)
    fifth = replace(split, protocol="held-out fifth", variant="liked", candidates=candidates, liked_from=Profile.liked_from)
    return chosen(replace(fifth, relevant=sparse.csr_array(liked)), rows), sparse.csr_array(disliked[rows])


def chosen(split: Split, rows: np.ndarray) -> Split:
    """Only these questions (B,) bool."""
    per_question = ("spans", "users", "at", "times_of_day")
    return replace(split, relevant=split.relevant[np.flatnonzero(rows)], **{name: getattr(split, name)[rows] for name in per_question})


def spoken(profile: Profile, disliked: float, loved: float) -> Profile:
    """The profile with these weights for films of DISLIKED stars or fewer, and of LOVED or more; all others as the stars say."""
    return replace(profile, speaks=np.where(profile.ratings <= DISLIKED, disliked, np.where(profile.ratings >= LOVED, loved, profile.weights)))


def figures(model: Recommender, split: Split, disliked: sparse.csr_array, speak: Callable[[Profile], Profile]) -> np.ndarray:  # (B, 4)
    """BETTER of each viewer, if profiles speak so."""
    found = []
    for start in range(0, len(split), BATCH):
        rows = slice(start, min(start + BATCH, len(split)))
        queries = [Query(speak(q.profile), q.context) for q in split.queries(rows)]
        scores = np.where(split.candidates, model.score(queries), -np.inf)
        for row, query in enumerate(queries):
            scores[row, query.profile.items] = -np.inf
        right, wrong = split.relevant[rows], disliked[rows]
        shown, _ = top_many(scores, DEEP)
        hits, counts = hits_of_lists(shown, right), np.diff(right.indptr)
        heights = [_height(own, wrong.indices[wrong.indptr[row] : wrong.indptr[row + 1]]) for row, own in enumerate(scores)]
        found.append(np.column_stack([ndcg(hits, counts, K), recall(hits, counts, DEEP), heights, hits_of_lists(shown, wrong).sum(axis=1)]))
    return np.concatenate(found)


def _height(scores: np.ndarray, films: np.ndarray) -> float:
    """Mean share of the ranked films (those with a finite score) that stand below these films."""
    pool = np.isfinite(scores)
    return float(1 - (ranks(scores[None], films, pool)[0].mean() - 1) / (pool.sum() - 1))


def run(
    models: dict[str, Recommender], labels: dict[str, str], strangers: Interactions, candidates: np.ndarray, say: Callable = print
) -> tuple[list[Split], list[Contender], list[Row], list[Paired], dict]:
    """Every model with every weight, for viewers it was not trained on who disliked a film that is known and one that is held out."""
    split, disliked = questions(strangers, candidates)
    known = [(q.profile.ratings <= DISLIKED).any() for q in split.queries(slice(None))]
    rows = (np.diff(disliked.indptr) > 0) & np.array(known)
    split, disliked = chosen(split, rows), disliked[np.flatnonzero(rows)]
    values: dict[tuple[str, str], np.ndarray] = {}
    table: list[Row] = []

    def measure(way: str, name: str, weights: tuple[float, float]) -> None:
        values[way, name] = figures(models[name], split, disliked, partial(spoken, disliked=weights[0], loved=weights[1]))
        estimates = bootstrap_means(values[way, name])
        table.extend(Row(way, name, metric, k, None, *e) for (metric, k), e in zip(BETTER, estimates))
        say(f"dislikes · {name}, {way}: " + ", ".join(f"{metric} {e.mean:.4f}" for (metric, _), e in zip(BETTER, estimates)))

    ways = {TODAY: (0.0, 1.0), **{way: (w, 1.0) for way, w in DISLIKES.items()}, **{way: (0.0, w) for way, w in LOVES.items()}}
    for name in models:
        for way, weights in ways.items():
            measure(way, name, weights)
    differences = [d for of in (DISLIKES, LOVES) for d in compare(values, list(of), list(models))]
    picked = pick(differences, DISLIKES, 0.0), pick(differences, LOVES, 1.0)
    for name in models:
        measure(CHOSEN, name, picked)
    differences += compare(values, [CHOSEN], list(models))
    contenders = [Contender(name, labels[name], "", False, 1, 0.0, round(milliseconds(model, split), 3), 0.0) for name, model in models.items()]
    return [split], contenders, table, differences, {"rule": RULE, "weights": dict(zip(("disliked", "loved"), picked))}


def compare(values: dict[tuple[str, str], np.ndarray], ways: list[str], names: list[str]) -> list[Paired]:
    """Each way less TODAY for each model and figure; p corrected over all of them."""
    pairs = [(way, name) for way in ways for name in names]
    own = np.column_stack([values[pair] for pair in pairs])
    today = np.column_stack([values[TODAY, name] for _, name in pairs])
    found = paired_differences(own, today)
    corrected = holm(np.array([d.p for d in found])).tolist()
    keys = [(way, name, *figure) for way, name in pairs for figure in BETTER]
    return [
        Paired(way, name, TODAY, metric, k, None, d.delta, d.lo, d.hi, d.p, p, d.n)
        for (way, name, metric, k), d, p in zip(keys, found, corrected, strict=True)
    ]


def pick(differences: list[Paired], ways: dict[str, float], otherwise: float) -> float:
    """The weight by RULE; ways by size, the smallest first."""
    for way, weight in ways.items():
        sure = [(d.model, d.delta * BETTER[d.metric, d.k] > 0) for d in differences if d.variant == way and d.p_holm < SURE]
        if any(better for model, better in sure if model == SERVED) and all(better for _, better in sure):
            return weight
    return otherwise
