"""What one list for two people gives each of them, by the way their wishes are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.stats import rankdata

from recommender.evaluate.metrics import hits_of_lists, ndcg
from recommender.evaluate.rankings import top_many
from recommender.evaluate.report import Contender, Paired, Row
from recommender.evaluate.split import Split, UserSplit, relevant_films
from recommender.interactions import Interactions
from recommender.models.ratings import Ratings
from recommender.rank import HOWS, combine, comparable
from recommender.settings import Settings
from recommender.stats.inference import bootstrap_means, holm, paired_differences
from recommender.types import Recommender

K, HELD_OUT, LIKED, BATCH = 10, 0.2, 4.0, 128  # films shown, share of ratings held out, stars, queries scored at once
CANDIDATES = 400  # films of the collaborative model that each person's own first row is chosen from, as the app chooses
MEAN, LEAST = "mean of the two", "the worse served"  # the first decides
OWN, AVERAGE = "own", "average"  # no common list, but each person's own; and what the others are compared with
LABELS = {
    OWN: "Each their own list (no common one)",
    AVERAGE: "Average",
    "least misery": "Least misery",
    "most pleasure": "Most pleasure",
    "ranks": "Average of ranks",
    "chance": "Average chance of four stars",
    "popularity": "Popularity",
    "random": "Random",
}


def questions(strangers: Interactions, candidates: np.ndarray, seed: int = 0) -> Split:
    """Pairs of strangers drawn at random, everybody in one pair at most; queries 2p and 2p + 1 are pair p.

    Of each a random fifth of the ratings is held out and the rest known. Right are films they gave four stars or more in that fifth, but for those
    that the other one is known to have seen: no list for both may hold them. Pairs in which somebody has none are left out.
    """
    rng = np.random.default_rng(seed)
    held = rng.random(len(strangers)) < HELD_OUT
    known, right = strangers.where(~held), strangers.where(held & (strangers.ratings >= LIKED) & candidates[strangers.items])
    able = np.flatnonzero((right.lengths > 0) & (known.lengths > 0))
    users = rng.permutation(able)[: len(able) // 2 * 2]
    others = users.reshape(-1, 2)[:, ::-1].ravel()
    liked = (right.matrix()[users] > 0).toarray() & ~(known.matrix()[others] > 0).toarray()
    users, liked = (of[np.repeat(liked.any(axis=1).reshape(-1, 2).all(axis=1), 2)] for of in (users, liked))
    rows, items = liked.nonzero()
    spans = np.array([(r.start, r.stop) for r in map(known.rows, users.tolist())])
    return Split(
        protocol="together",
        variant=MEAN,
        seed=seed,
        train=strangers.where(np.zeros(len(strangers), bool)),
        source=known,
        spans=spans,
        users=users,
        relevant=relevant_films(rows, items, (len(users), strangers.n_items)),
        at=known.times[spans[:, 1] - 1],
        times_of_day=np.full(len(users), -1),
        candidates=candidates,
        liked_from=3.0,  # as the app serves
    )


@dataclass(frozen=True, eq=False)
class Wishes:
    """What each model says for all people (B, I), the chance of four stars (B, I), and the films each pair may be shown (B / 2, I) bool."""

    scores: dict[str, np.ndarray]
    chance: np.ndarray
    pools: np.ndarray


def wishes(models: dict[str, Recommender], split: Split, least_match: float) -> Wishes:
    """Scores, and the pool of each pair as the app makes it: what neither has seen, what neither is expected to dislike, and of that what the first
    row of at least one is chosen from."""
    queries = split.queries(slice(None))
    asked = {name: models[name] for name in ("hybrid", "ease", "popularity", "ratings")}
    scores = {name: np.concatenate([m.score(queries[i : i + BATCH]) for i in range(0, len(queries), BATCH)]) for name, m in asked.items()}
    ratings = models["ratings"]
    if not isinstance(ratings, Ratings):
        raise TypeError(f"the model ratings is {type(ratings).__name__}, wanted Ratings")
    chance = np.stack([ratings.chance(stars, len(q.profile)) for stars, q in zip(scores["ratings"], queries)])
    offered = split.candidates & ~((chance < least_match) & (ratings.raters_ > 0))
    for row, query in enumerate(queries):
        offered[row, query.profile.items] = False
    first, _ = top_many(np.where(offered, scores["ease"], -np.inf), CANDIDATES)
    chosen_from = np.zeros_like(offered)
    np.put_along_axis(chosen_from, first, True, axis=1)
    return Wishes(scores, chance, offered[0::2] & offered[1::2] & (chosen_from[0::2] | chosen_from[1::2]))


def values(w: Wishes, seed: int = 0) -> dict[str, np.ndarray]:
    """By way of putting together: (B, I), what the films of each person's list are ranked by; the same for both but for OWN."""
    rng, found = np.random.default_rng(seed), {name: np.empty(w.chance.shape) for name in LABELS}
    for p, pool in enumerate(w.pools):
        pair = slice(2 * p, 2 * p + 2)
        wants = comparable(w.scores["hybrid"][pair], pool)
        found[OWN][pair] = wants
        for how in HOWS:
            found[how][pair] = combine(wants, how)
        found["ranks"][pair] = rankdata(np.where(pool, wants, -np.inf), axis=1).mean(axis=0)
        found["chance"][pair] = w.chance[pair].mean(axis=0)
        found["popularity"][pair] = w.scores["popularity"][pair.start]
        found["random"][pair] = rng.random(len(pool))
    return found


def served(w: Wishes, ranked_by: dict[str, np.ndarray], relevant: sparse.csr_array) -> dict[str, np.ndarray]:
    """By way: NDCG (B / 2, 2) of each person's right films in the list."""
    outside, counts = ~np.repeat(w.pools, 2, axis=0), np.diff(relevant.indptr)
    found = {}
    for name, ranked in ranked_by.items():
        shown, _ = top_many(np.where(outside, -np.inf, ranked), K)
        found[name] = ndcg(hits_of_lists(shown, relevant), counts, K).reshape(-1, 2)
    return found


def alike(w: Wishes) -> np.ndarray:  # (B / 2,)
    """How far the wishes of the two agree: the correlation of their scores over their pool."""
    pairs = zip(w.scores["hybrid"].reshape(len(w.pools), 2, -1), w.pools)
    return np.array([np.corrcoef(scores[:, pool])[0, 1] for scores, pool in pairs])


def run(
    models: dict[str, Recommender], strangers: UserSplit, say: Callable = print, seed: int = 0
) -> tuple[list[Split], list[Contender], list[Row], list[Paired], dict]:
    """Every way of putting the wishes of two people together, on pairs of people whom none of the models knows."""
    split = questions(strangers.exam, strangers.fit.raters > 0, seed)
    w = wishes(models, split, Settings.model_fields["least_match"].default)
    found = served(w, values(w, seed), split.relevant)
    agreement = alike(w)
    middle = float(np.median(agreement))
    segments = {None: np.ones(len(agreement), bool), "taste=alike": agreement >= middle, "taste=apart": agreement < middle}
    rows: list[Row] = []
    differences: list[Paired] = []
    for variant, of in ((MEAN, np.mean), (LEAST, np.min)):
        figures = np.column_stack([of(found[name], axis=1) for name in LABELS])
        for segment, inside in segments.items():
            rows += [Row(variant, name, "NDCG", K, segment, *e) for name, e in zip(LABELS, bootstrap_means(figures[inside]))]
        differences += compare(variant, dict(zip(LABELS, figures.T)))
    for name in LABELS:
        say(f"together · {name}: {found[name].mean():.4f}, the worse served {found[name].min(axis=1).mean():.4f}")
    more = {"pairs": len(w.pools), "films": round(float(w.pools.sum(axis=1).mean()), 1), "median_agreement": round(middle, 4)}
    more["right"] = round(float(np.diff(split.relevant.indptr).mean()), 2)
    return [split], [Contender(name, label, "", False, 1, 0.0, 0.0, 0.0) for name, label in LABELS.items()], rows, differences, more


def compare(variant: str, figures: dict[str, np.ndarray]) -> list[Paired]:
    """Each way less the average, pair by pair (P,); p corrected over the table."""
    others = [name for name in figures if name != AVERAGE]
    found = paired_differences(np.column_stack([figures[name] for name in others]), figures[AVERAGE][:, None])
    corrected = holm(np.array([d.p for d in found])).tolist()
    return [Paired(variant, name, AVERAGE, "NDCG", K, None, d.delta, d.lo, d.hi, d.p, p, d.n) for name, d, p in zip(others, found, corrected)]
