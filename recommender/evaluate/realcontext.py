"""What a context that people really named is worth: models of DePaulMovie in five folds, each beside its placebos.

A placebo is the same model, learned and examined with contexts dealt anew. Dealt among a user's ratings, they tell nothing. Dealt among a user's
ratings of one film, they still tell which films a page of the survey asked for together; only what is lost then is sure to be the context's.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recommender.evaluate.report import Contender, Paired, Row
from recommender.load.depaul import ContextRatings
from recommender.models.contextual import Chosen, GatedBlend, PostFilter, PreFilter, StarModel
from recommender.models.terms import Factorisation
from recommender.stats.inference import bootstrap_ratio, holm, paired_difference

FOLDS, DRAWS = 5, 2  # draws of each placebo
LEAST = 20  # users behind any figure
VARIANTS = {"random folds": False, "a film's ratings together": True}  # -> whether all rows of one user and film share a fold
KNOWN = "context=known"
YARDSTICK = "biases"
PLACEBOS = {"shuffled": "shuffled", "within_film": "shuffled within film"}  # suffix of a model's key -> of its label


@dataclass(frozen=True)
class Entry:
    """One model of the table; aware: it is told the context. make takes by_pair and the seed."""

    label: str
    family: str
    make: Callable[[bool, int], StarModel]
    aware: bool = True
    note: str = ""


def entries(dimensions: tuple[str, ...]) -> dict[str, Entry]:
    """The models by key, those without context first."""
    base, pair = ("user", "item"), ("user", "item", "user:item")
    by_user, by_item = (tuple(f"{side}:{d}" for d in dimensions) for side in base)

    def terms(*names: str) -> Callable[[bool, int], StarModel]:
        return lambda by_pair, seed: Factorisation(names, seed=seed)

    def machine(context: tuple[str, ...]) -> Callable[[bool, int], StarModel]:
        """Vectors, with or without an effect of the pair of user and film."""
        make = lambda effects, seed: Factorisation((*effects, *context), (*base, *context), seed=seed)
        return lambda by_pair, seed: Chosen([make(base, seed), make(pair, seed)], by_pair, seed)

    def user_context(by_pair: bool, seed: int) -> StarModel:
        plain = (*base, *dimensions, *by_user)
        return Chosen([Factorisation(plain, seed=seed), Factorisation((*plain, "user:situation"), seed=seed)], by_pair, seed)

    def gate(by_pair: bool, seed: int) -> StarModel:
        sets = (base, pair, (*base, *dimensions, *by_user, "user:situation"), (*base, *dimensions, *by_item))
        factors = Factorisation((*pair, *dimensions), (*base, *dimensions), seed=seed)
        return GatedBlend([*(Factorisation(names, seed=seed) for names in sets), factors], by_pair, seed=seed)

    pre = lambda by_pair, seed: Chosen([PreFilter(t, seed=seed) for t in (1.5, 2.0, 3.0, 5.0)], by_pair, seed)
    post = lambda by_pair, seed: Chosen([PostFilter(damping, seed=seed) for damping in (0.5, 1.0, 2.0, 5.0, 20.0)], by_pair, seed)
    return {
        "mean": Entry("Mean", "baseline", terms(), False),
        YARDSTICK: Entry("Biases", "baseline", terms(*base), False),
        "asked": Entry("Biases, asked or not", "baseline", terms(*base, "asked", "user:asked"), False, "knows whether a context was asked for"),
        "memory": Entry("Biases + same film before", "baseline", terms(*pair), False, "remembers the pair of user and film"),
        "factors": Entry("Matrix factorisation", "collaborative", machine(()), False),
        "context_bias": Entry("Context bias", "collaborative", terms(*base, *dimensions)),
        "item_context": Entry("Film × context", "collaborative", terms(*base, *dimensions, *by_item)),
        "user_context": Entry("User × context", "collaborative", user_context),
        "pre_filter": Entry("Pre-filter", "collaborative", pre),
        "post_filter": Entry("Post-filter", "collaborative", post),
        "machine": Entry("Factorisation machine", "collaborative", machine(dimensions)),
        "gate": Entry("Gated blend", "hybrid", gate, True, "our gate over biases, memory, user × context, film × context and factors"),
    }


GATE_PARTS = (YARDSTICK, "memory", "user_context", "item_context", "machine")  # in the order of the blend


@dataclass(frozen=True, eq=False)
class Errors:
    """Squared and absolute error of each rating (N,) when it was left out, and the mean seconds of a fit."""

    squared: np.ndarray
    absolute: np.ndarray
    seconds: float
    chosen: tuple[int, ...] = ()  # which candidate each fold took


def left_out(model: StarModel, data: ContextRatings, fold: np.ndarray) -> Errors:
    """Every fold predicted from the others."""
    error, seconds, chosen = np.empty(len(data)), 0.0, []
    for k in range(FOLDS):
        started = time.perf_counter()
        model.fit(data.where(fold != k))
        seconds += (time.perf_counter() - started) / FOLDS
        error[fold == k] = model.predict(data.where(fold == k)) - data.stars[fold == k]
        chosen += [model.best_] if isinstance(model, Chosen) else []
    return Errors(error**2, np.abs(error), seconds, tuple(chosen))


def mean_of(several: list[Errors]) -> Errors:
    """The mean errors of several draws of a placebo."""
    squared, absolute, seconds = (np.mean([getattr(e, name) for e in several], axis=0) for name in ("squared", "absolute", "seconds"))
    return Errors(squared, absolute, float(seconds))


def with_placebos(key: str, model: StarModel, data: ContextRatings, fold: np.ndarray, seed: int) -> dict[str, Errors]:
    """A model and its placebos; every model meets the same deals."""
    found = {key: left_out(model, data, fold)}
    for suffix in PLACEBOS:
        deals = [data.shuffled(np.random.default_rng([seed, draw]), by_pair=suffix == "within_film") for draw in range(DRAWS)]
        found[f"{key}_{suffix}"] = mean_of([left_out(model, deal, fold) for deal in deals])
    return found


def examine(data: ContextRatings, by_pair: bool, fold: np.ndarray, seed: int, say: Callable[[str], object]) -> tuple[dict[str, Errors], str]:
    """Errors of every model and placebo, and of the best model told one dimension at a time; the last value is the best."""
    found: dict[str, Errors] = {}
    table = entries(tuple(data.conditions))

    def measured(more: dict[str, Errors]) -> None:
        found.update(more)
        say(", ".join(f"{name} {np.sqrt(e.squared.mean()):.4f}" for name, e in more.items()))

    for key, entry in table.items():
        model = entry.make(by_pair, seed)
        measured(with_placebos(key, model, data, fold, seed) if entry.aware else {key: left_out(model, data, fold)})
    best = min((key for key, entry in table.items() if entry.aware), key=lambda key: found[key].squared.mean())
    for dimension in data.conditions:
        for key in dict.fromkeys((best, "user_context")):
            alone = entries((dimension,))[key].make(by_pair, seed)
            measured(with_placebos(f"{key}_{dimension}", alone, data.only(dimension), fold, seed))
    return found, best


def segments(data: ContextRatings) -> dict[str | None, np.ndarray]:
    """All rows, and those for which a context was asked."""
    return {None: np.ones(len(data), bool), KNOWN: data.asked}


def rows(variant: str, data: ContextRatings, found: dict[str, Errors]) -> list[Row]:
    """RMSE and MAE in stars over all ratings; intervals over users."""
    made = []
    for segment, inside in segments(data).items():
        users = np.unique(data.users[inside], return_inverse=True)[1]
        if users.max() + 1 < LEAST:
            raise ValueError(f"{users.max() + 1} users, wanted at least {LEAST}: a report tells of no single person")
        counts = np.bincount(users)
        for name, e in found.items():
            made.append(Row(variant, name, "RMSE", None, segment, *bootstrap_ratio(np.bincount(users, e.squared[inside]), counts, np.sqrt)))
            made.append(Row(variant, name, "MAE", None, segment, *bootstrap_ratio(np.bincount(users, e.absolute[inside]), counts)))
    return made


def contrasts(found: dict[str, Errors]) -> list[tuple[str, str]]:
    """(model, what it is compared with): the yardstick for each, and for each that knows the context its placebos."""
    pairs = [(name, YARDSTICK) for name in found if name not in (YARDSTICK, "mean")]
    pairs += [(name, f"{name}_{suffix}") for name in found for suffix in PLACEBOS if f"{name}_{suffix}" in found]
    more = [("user_context", "asked"), ("machine", "factors"), ("gate", "memory")]
    return [*pairs, *((a, b) for a, b in more if a in found and b in found)]


def paired(variant: str, data: ContextRatings, found: dict[str, Errors]) -> list[Paired]:
    """Differences of RMSE over the same ratings, users as units; p corrected over each segment's table."""
    made = []
    for segment, inside in segments(data).items():
        users = np.unique(data.users[inside], return_inverse=True)[1]
        counts, wanted = np.bincount(users), contrasts(found)
        sums = {name: np.bincount(users, e.squared[inside]) for name, e in found.items()}
        table = [paired_difference(sums[a], sums[b], denominators=counts, transform=np.sqrt) for a, b in wanted]
        corrected = holm(np.array([d.p for d in table])).tolist()
        made += [Paired(variant, a, b, "RMSE", None, segment, d.delta, d.lo, d.hi, d.p, p, d.n) for (a, b), d, p in zip(wanted, table, corrected)]
    return made


def contenders(data: ContextRatings, found: dict[str, Errors]) -> list[Contender]:
    """Every model, every dimension alone and every placebo that was examined, with its label."""
    table = entries(tuple(data.conditions))
    named = {key: (entry, entry.label) for key, entry in table.items()}
    named |= {f"{key}_{d}": (entry, f"{entry.label}, {d} alone") for key, entry in table.items() for d in data.conditions}
    named |= {f"{key}_{suffix}": (entry, f"{label}, {said}") for key, (entry, label) in named.items() for suffix, said in PLACEBOS.items()}
    return [
        Contender(key, label, entry.family, entry.aware, 1, round(found[key].seconds, 2), 0.0, 0.0, entry.note if key in table else "")
        for key, (entry, label) in named.items()
        if key in found
    ]


def gate_shares(data: ContextRatings, seed: int) -> list[dict]:
    """The gate's shares and points in each situation that LEAST users or more were asked about; learned from all ratings, pairs kept together."""
    blend = entries(tuple(data.conditions))["gate"].make(True, seed).fit(data)
    assert isinstance(blend, GatedBlend)
    situations, first, which = np.unique(data.contexts, axis=0, return_index=True, return_inverse=True)
    asked = data.where(first)
    shares, points = blend.weights(asked), blend.points(asked)
    made = []
    for s, situation in enumerate(situations.tolist()):
        rows = which.ravel() == s
        people = len(np.unique(data.users[rows]))
        if people < LEAST:
            continue
        names = {d: values[c] if c >= 0 else None for (d, values), c in zip(data.conditions.items(), situation)}
        weights = {name: round(float(w), 4) for name, w in zip(GATE_PARTS, shares[s])}
        counts = {"users": people, "ratings": int(rows.sum()), "stars": round(float(data.stars[rows].mean()), 4)}
        made.append({**names, **counts, "shares": weights, "points": round(float(points[s]), 4)})
    return made


def _sizes(data: ContextRatings) -> dict:
    """Counts of the data set."""
    return {
        "ratings": len(data),
        "users": data.n_users,
        "films": data.n_items,
        "pairs": len(np.unique(data.pairs)),
        "ratings_with_context": int(data.asked.sum()),
        "users_with_context": len(np.unique(data.users[data.asked])),
        "pairs_with_context": len(np.unique(data.pairs[data.asked])),
    }


def run(data: ContextRatings, seed: int, say: Callable[[str], object]) -> tuple[list[dict], list[Contender], list[Row], list[Paired], dict]:
    """Both ways to cut folds: how they were cut, models, figures, differences, and what else is told."""
    figures: list[Row] = []
    differences: list[Paired] = []
    told: dict[str, Contender] = {}
    splits, best, chosen = [], {}, {}
    for variant, by_pair in VARIANTS.items():
        fold = data.folds(FOLDS, np.random.default_rng(seed), by_pair)
        say(f"depaulmovie, {variant}")
        found, best[variant] = examine(data, by_pair, fold, seed, say)
        figures, differences = figures + rows(variant, data, found), differences + paired(variant, data, found)
        told = {c.model: c for c in contenders(data, found)} | told
        checksum = hashlib.sha256(fold.astype("<i8").tobytes()).hexdigest()
        splits.append({"variant": variant, "seed": seed, "checksum": checksum, "folds": FOLDS, "ratings": len(data), "users": data.n_users})
        chosen[variant] = {name: dict(sorted(Counter(e.chosen).items())) for name, e in found.items() if e.chosen}
    facts = {"yardstick": YARDSTICK, "placebos": PLACEBOS, "draws": DRAWS, "dimensions": list(data.conditions), "best": best}
    return splits, [*told.values()], figures, differences, {**facts, "sizes": _sizes(data), "chosen": chosen, "gate": gate_shares(data, seed)}
