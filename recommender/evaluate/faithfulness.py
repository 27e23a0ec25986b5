"""How far the reasons of a model hold: films are taken away or given one by one, and the model is asked again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from math import inf
from pathlib import Path

import numpy as np

from recommender.counterfactual import BATCH, Scorer, Smallest, WhatIf, without
from recommender.evaluate.rankings import milliseconds, top_many
from recommender.evaluate.report import Contender, Paired, Row
from recommender.evaluate.split import NEW, POWER, Split, relevant_films
from recommender.interactions import Interactions
from recommender.models.content import Content
from recommender.stats.inference import bootstrap_means, holm, paired_differences
from recommender.types import Explanation, Query, Recommender

K = 10
KNOWN, SHORT = 40, 10  # first ratings that curves and smallest sets know; that claims are tried on, beside the whole history
STEPS = (0, 1, 2, 3, 5, 8, 12, 20, 30, 40)  # films taken away or given
FEW, DRAWS = 5, 3  # films of the shorter area, as many as a person reads; random orders of each viewer, averaged
OWN, RANDOM, POPULAR, LATEST = "own reasons", "random order", "most watched first", "latest first"
ORDERS = (OWN, RANDOM, POPULAR, LATEST)
DELETION, INSERTION = "deletion", "insertion"
TRIES, RANKS = 1000, (1, K)  # rescorings of one search, enough for every pair of 40 films; which films are to leave the list
SIZES = {"1": (1, 1), "2": (2, 2), "3": (3, 3), "4-5": (4, 5), "6-10": (6, 10), "over 10": (11, inf), "none": (0, 0)}
SET, CLAIM = "smallest set", "claim"
SHOWN, FALLS = 20, (1, 3, 5, 10)  # films of a list whose claims are tried; ranks that they lose
LENGTHS = {f"length=under {NEW}": (0, NEW - 1), f"length={NEW}-{POWER - 1}": (NEW, POWER - 1), f"length={POWER} or more": (POWER, inf)}
PLACES = {"rank=1": (1, 1), "rank=2-10": (2, 10), "rank=11-20": (11, SHOWN)}
FIRST, SECOND, CHANCE = "named=first", "named=second", "named=by chance"
LEAST = 20  # viewers behind a figure
SETTINGS = {"k": K, "known": KNOWN, "steps": STEPS, "few": FEW, "draws": DRAWS, "tries": TRIES}  # as a report keeps them
SETTINGS |= {"ranks": RANKS, "shown": SHOWN, "falls": FALLS, "short": SHORT}


def questions(strangers: Interactions, candidates: np.ndarray, known: int | None = KNOWN) -> Split:
    """Viewers with their first `known` ratings (all where None), the context unknown; `relevant` holds the films known, which are taken away."""
    users = np.flatnonzero(strangers.lengths)
    starts = np.searchsorted(strangers.users, users)
    lengths = np.minimum(strangers.lengths[users], known or len(strangers))
    rows = np.repeat(np.arange(len(users)), lengths)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return Split(
        protocol="explanations",
        variant=f"first {known} ratings" if known else "whole history",
        seed=0,
        train=strangers.where(np.zeros(len(strangers), bool)),
        source=strangers,
        spans=np.stack([starts, starts + lengths], axis=1),
        users=users,
        relevant=relevant_films(rows, strangers.items[starts[rows] + place], (len(users), strangers.n_items)),
        at=strangers.times[starts + lengths - 1],
        times_of_day=np.full(len(users), -1),
        candidates=candidates,
        liked_from=3.0,  # as the app serves
    )


def asked(split: Split) -> Iterator[tuple[Query, np.ndarray]]:
    """Each viewer's profile without a context, and the films (I,) that are ranked: the candidates the profile does not hold."""
    for row in range(len(split)):
        query = Query(split.queries(slice(row, row + 1))[0].profile)
        pool = split.candidates.copy()
        pool[query.profile.items] = False
        yield query, pool


def first(model: Recommender, query: Query, pool: np.ndarray, k: int = K) -> np.ndarray:  # (k,)
    """The best films of the pool (I,), best first."""
    return top_many(np.where(pool, model.score([query]), -np.inf), k)[0][0]


def importance(model: Recommender, query: Query, items: np.ndarray) -> np.ndarray:  # (n,)
    """Points that the reasons for items (K,) give to each film of the profile, added over the items.

    The reasons of the content model are genres and people that several films share: a film counts with all points that come
    through it. Reasons without a film (genres and people of the hybrid, context, popularity, a rest) count for none.
    """
    if isinstance(model, Content):
        return model.contributions(query, items).sum(axis=1)
    row = {film: n for n, film in enumerate(query.profile.items.tolist())}
    points = np.zeros(len(row))
    for explanation in model.explain(query, items):
        for r in explanation.reasons:
            if isinstance(r.subject, int):
                points[row[r.subject]] += r.weight
    return points


# -- deletion and insertion --------------------------------------------------------------------------------------------


def orders(points: np.ndarray, watched: np.ndarray, rng: np.random.Generator) -> np.ndarray:  # (3 + DRAWS, n)
    """Rows of a profile: by points (n,), ties at random; most `watched` (n,) first; latest first; and DRAWS times at random."""
    n = len(points)
    own = np.lexsort((rng.random(n), -points))
    return np.stack([own, np.argsort(-watched, kind="stable"), np.arange(n)[::-1], *(rng.permutation(n) for _ in range(DRAWS))])


def overlaps(score: Scorer, queries: list[Query], pool: np.ndarray, wanted: np.ndarray) -> np.ndarray:  # (B,)
    """Share of the films `wanted` (K,) that each query's first K of the pool (I,) hold."""
    found = []
    for start in range(0, len(queries), BATCH):
        scores = np.where(pool, score(queries[start : start + BATCH]), -np.inf)
        found.append(np.isin(top_many(scores, len(wanted))[0], wanted).mean(axis=1))
    return np.concatenate(found)


def curves(score: Scorer, query: Query, pool: np.ndarray, wanted: np.ndarray, orders: np.ndarray) -> np.ndarray:  # (2, O, S)
    """Share of the list `wanted` that stands when the first STEPS films of each order (O, n) are deleted, and when only they are known.

    Steps beyond the profile's length n repeat its end. Source: Petsiuk, Das & Saenko, RISE, BMVC 2018 (deletion, insertion); for recommenders,
    and why a few films must be looked at apart: Baklanov et al., Refining Fidelity Metrics for Explainable Recommendations, SIGIR 2025.
    """
    n = orders.shape[1]
    place = np.argsort(orders, axis=1)  # (O, n): when each film's turn comes
    gone = place[:, None] < np.minimum(STEPS, n)[:, None]  # (O, S, n)
    keep = np.stack([~gone, gone]).reshape(-1, n)
    distinct, which = np.unique(keep, axis=0, return_inverse=True)
    queries = [Query(query.profile.keep(mask), query.context) for mask in distinct]
    return overlaps(score, queries, pool, wanted)[which].reshape(2, len(orders), len(STEPS))


def areas(curves: np.ndarray, n: int, most: int | None = None) -> np.ndarray:
    """Area under curves (..., S) by the trapezoid rule, over the share of the n films from 0 to 1, or over that of the first `most`."""
    steps = np.minimum(STEPS, min(n, most or n))
    return np.trapezoid(curves, steps / steps[-1], axis=-1)


def curves_of(model: Recommender, split: Split, watched: np.ndarray, seed: int = 0) -> np.ndarray:  # (B, 2, len(ORDERS), S)
    """The curves of every viewer, random orders averaged; watched (I,): how many people watched each film."""
    found = []
    for row, (query, pool) in enumerate(asked(split)):
        wanted = first(model, query, pool)
        films, rng = query.profile.items, np.random.default_rng([seed, row])
        each = curves(model.score, query, pool, wanted, orders(importance(model, query, wanted), watched[films], rng))
        found.append(np.stack([each[:, 0], each[:, 3:].mean(axis=1), each[:, 1], each[:, 2]], axis=1))
    return np.stack(found)


def curve_rows(name: str, found: np.ndarray, lengths: np.ndarray) -> tuple[list[Row], list[Paired]]:
    """Areas and steps of a model's curves (B, 2, O, S), and own reasons less each other order; p not yet corrected."""
    whole = np.stack([areas(c, n) for c, n in zip(found, lengths.tolist())])  # (B, 2, O)
    few = np.stack([areas(c, n, FEW) for c, n in zip(found, lengths.tolist())])
    rows, differences = [], []
    for d, metric in enumerate((DELETION, INSERTION)):
        for o, order in enumerate(ORDERS):
            values = np.column_stack([whole[:, d, o], few[:, d, o], found[:, d, o]])
            segments = (None, f"first={FEW}", *(f"step={s}" for s in STEPS))
            rows += [Row(order, name, metric, K, segment, *e) for segment, e in zip(segments, bootstrap_means(values))]
        for segment, area in ((None, whole), (f"first={FEW}", few)):
            table = paired_differences(np.repeat(area[:, d, :1], len(ORDERS) - 1, axis=1), area[:, d, 1:])
            differences += [Paired(OWN, name, rival, metric, K, segment, t.delta, t.lo, t.hi, t.p, t.p, t.n) for rival, t in zip(ORDERS[1:], table)]
    return rows, differences


# -- the smallest sets -------------------------------------------------------------------------------------------------


def smallest_of(model: Recommender, split: Split, place: int, tries: int = TRIES) -> list[Smallest]:
    """For each viewer, the fewest films without which the film at rank `place` leaves the first K; bounded by rescorings alone."""
    found = []
    for query, pool in asked(split):
        item = int(first(model, query, pool)[place - 1])
        found.append(WhatIf(model.score, query, pool).smallest(item, K, tries, seconds=inf))
    return found


def smallest_rows(name: str, found: list[Smallest], lengths: np.ndarray, place: int) -> tuple[list[Row], dict]:
    """Shares of viewers by size of set, of sets proven to be smallest and of searches that their bounds ended; and the medians of sets found."""
    sizes = np.array([len(s.films) for s in found])
    columns = {f"size={label}": (sizes >= low) & (sizes <= high) for label, (low, high) in SIZES.items()}
    columns |= {"proven": np.array([s.minimal for s in found]), "bounded": np.array([s.hurried for s in found])}
    estimates = bootstrap_means(np.column_stack(list(columns.values())))
    rows = [Row(SET, name, f"rank {place}", K, segment, *e) for segment, e in zip(columns, estimates)]
    there = sizes > 0
    medians = {"size": float(np.median(sizes[there])), "share": float(np.median(sizes[there] / lengths[there]))} if there.any() else {}
    return rows, {"viewers": len(found), "found": int(there.sum()), **medians}


# -- do named films hold? ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Claims:
    """One row a claim, parallel (C,): whose, the rank of the film it is about, how the film behind it was named, and the ranks lost without that."""

    viewers: np.ndarray
    ranks: np.ndarray
    how: np.ndarray
    falls: np.ndarray

    def shares(self, mask: np.ndarray) -> np.ndarray:  # (V, len(FALLS))
        """Of the claims in mask (C,), the share of each viewer's that lose so many ranks or more; viewers without any are left out."""
        _, owner = np.unique(self.viewers[mask], return_inverse=True)
        held = self.falls[mask, None] >= np.array(FALLS)
        return np.stack([np.bincount(owner, column) for column in held.T], axis=1) / np.bincount(owner)[:, None]


def claims_of(model: Recommender, split: Split, seed: int = 0) -> Claims:
    """For the first SHOWN films of each viewer: the film named by the heaviest reason that raises it, and a second one of half that weight or
    more, taken away; and beside them another film of the profile by chance."""
    table = []
    for row, (query, pool) in enumerate(asked(split)):
        items, rng = first(model, query, pool, SHOWN), np.random.default_rng([seed, row])
        liked = query.profile.items[query.profile.weights > 0]
        pairs = [(n, film, how) for n, e in enumerate(model.explain(query, items)) for film, how in _spoken(e, liked, rng)]
        films = list(dict.fromkeys(film for _, film, _ in pairs))
        after = WhatIf(model.score, query, pool).ranks([without(query, [film]) for film in films], items)  # (films, SHOWN)
        table += [(row, n + 1, how, int(after[films.index(film), n]) - n - 1) for n, film, how in pairs]
    viewers, ranks, how, falls = zip(*table) if table else ((),) * 4
    return Claims(np.array(viewers, int), np.array(ranks, int), np.array(how, str), np.array(falls, int))


def _spoken(explanation: Explanation, liked: np.ndarray, rng: np.random.Generator) -> list[tuple[int, str]]:
    """The films that a sentence would name, and one of the others that the viewer liked, by chance; none where no film raises the item."""
    named: dict[int, float] = {}  # film -> points of its heaviest reason, heaviest first
    for r in explanation.reasons:
        if isinstance(r.subject, int):
            named.setdefault(r.subject, r.weight)
    raising = [(film, weight) for film, weight in named.items() if weight > 0][:2]
    spoken = [film for film, weight in raising if weight >= raising[0][1] / 2]
    if not spoken:
        return []
    others = np.setdiff1d(liked, spoken)
    return [*zip(spoken, (FIRST, SECOND)), *([(int(rng.choice(others)), CHANCE)] if len(others) else [])]


def claim_rows(name: str, claims: Claims, lengths: np.ndarray, known: int | None = None) -> list[Row]:
    """Mean over viewers of the share of claims that lose so many ranks; of whole histories (V,) long also by what was named, rank and length."""
    spoken, length = claims.how != CHANCE, lengths[claims.viewers]
    masks = {f"known={known}" if known else None: spoken}
    if not known:
        masks |= {how: claims.how == how for how in (FIRST, SECOND, CHANCE)}
        masks |= {place: spoken & (claims.ranks >= low) & (claims.ranks <= high) for place, (low, high) in PLACES.items()}
        masks |= {label: spoken & (length >= low) & (length <= high) for label, (low, high) in LENGTHS.items()}
    rows = []
    for segment, mask in masks.items():
        shares = claims.shares(mask)
        if len(shares) >= LEAST:
            rows += [Row(CLAIM, name, "holds", k, segment, *e) for k, e in zip(FALLS, bootstrap_means(shares))]
    return rows


# -- all of it ---------------------------------------------------------------------------------------------------------

NOTES = {
    "content": "a film counts with all points that come through it, those of shared genres and people too",
    "sequence": "reasons name the latest films only; the others follow in random order",
    "hybrid": "a film counts with the points of reasons that name it; those of genres and people are left out",
}


@dataclass(frozen=True, eq=False)
class Study:
    """Who is asked: viewers no model knows, the films that are ranked (I,) bool, and how many people watched each (I,).

    work: a folder that keeps what is done, so that a run goes on where it was; say prints a line of progress.
    """

    strangers: Interactions
    candidates: np.ndarray
    watched: np.ndarray
    work: Path
    say: Callable[[str], object] = print

    def of(self, name: str, model: Recommender) -> tuple[list[Row], list[Paired], dict]:
        """Everything about one model, read back where the same model was asked the same before."""
        path = self.work / f"explanations-{name}-{self._key(model)}.json"
        if not path.exists():
            self.work.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_text(json.dumps(self._ask(name, model)), "utf-8")
            part.replace(path)
        rows, differences, more = json.loads(path.read_text("utf-8"))
        return [Row(*r) for r in rows], [Paired(*d) for d in differences], more

    def _key(self, model: Recommender) -> str:
        """Of the viewers, the settings, and the model as its lists for the first viewers and its heaviest reasons for them show it."""
        split = questions(self.strangers, self.candidates)
        digest = hashlib.sha256(f"{split.checksum()} {SETTINGS}".encode())
        for query, pool in islice(asked(split), BATCH):
            items = first(model, query, pool)
            reasons = [[r.subject for r in e.reasons[:3]] for e in model.explain(query, items)]
            digest.update(f"{items.tolist()} {reasons}".encode())
        return digest.hexdigest()[:12]

    def _ask(self, name: str, model: Recommender) -> tuple[list[Row], list[Paired], dict]:
        split, brief, whole = (questions(self.strangers, self.candidates, known) for known in (KNOWN, SHORT, None))
        rows, differences = curve_rows(name, curves_of(model, split, self.watched), split.known)
        self.say(f"{name}: " + ", ".join(f"{r.metric} {r.variant} {r.mean:.3f}" for r in rows if r.segment is None))
        medians = {}
        for place in RANKS:
            sets, medians[f"rank {place}"] = smallest_rows(name, smallest_of(model, split, place), split.known, place)
            self.say(f"{name}: smallest sets for rank {place}, " + ", ".join(f"{r.segment} {r.mean:.3f}" for r in sets))
            rows += sets
        claims, few = claims_of(model, whole), claims_of(model, brief)
        said = claim_rows(name, claims, whole.known) + claim_rows(name, few, brief.known, SHORT)
        self.say(f"{name}: claims, " + ", ".join(f"{r.segment or 'all'} {r.k} ranks {r.mean:.3f}" for r in said if r.k == FALLS[1]))
        counts = {"whole": int((claims.how != CHANCE).sum()), f"known={SHORT}": int((few.how != CHANCE).sum())}
        return rows + said, differences, {"smallest": medians, "claims": counts}


def run(models: dict[str, Recommender], labels: dict[str, str], study: Study) -> tuple[list[Contender], list[Row], list[Paired], dict]:
    """Curves, smallest sets and claims of every model; p corrected over all of them."""
    split = questions(study.strangers, study.candidates)
    found = {name: study.of(name, model) for name, model in models.items()}
    contenders = [Contender(n, labels[n], "", False, 1, 0.0, round(milliseconds(m, split), 3), 0.0, NOTES.get(n, "")) for n, m in models.items()]
    rows = [row for of, _, _ in found.values() for row in of]
    differences = [d for _, of, _ in found.values() for d in of]
    corrected = holm(np.array([d.p for d in differences])).tolist()
    more = {"settings": SETTINGS, **{name: about for name, (_, _, about) in found.items()}}
    return contenders, rows, [d._replace(p_holm=p) for d, p in zip(differences, corrected)], more
