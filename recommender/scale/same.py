"""Whether what Spark made is what one machine makes: weights, and the lists that follow from them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.dataset as parquet
from scipy import sparse

from recommender import artifacts, rank
from recommender.catalog import Catalog
from recommender.evaluate.metrics import hits_of_ranks, ndcg
from recommender.interactions import Interactions
from recommender.models.factors import ALS
from recommender.scale import batch, fit, store
from recommender.scale.store import Store, lists
from recommender.settings import Settings
from recommender.stats.inference import bootstrap_mean, paired_difference
from recommender.train import last_ranks, strangers
from recommender.types import Query, Recommender

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

K = 10


def compared(
    spark: SparkSession,
    place: Store,
    interactions: Interactions,
    catalog: Catalog,
    settings: Settings,
    examined: bool,
    say: Callable[[str], None],
) -> dict:
    """The artifacts in the store against the released ones, which one machine made of the same data; ValueError where it was other data.

    For each model, the largest difference of anything learned, and the share of all users whose K films are the same. ALS of MLlib is another
    model by its penalty: it is held against ours, and with `examined` both are on viewers they never saw, beside ours from another seed.
    """
    theirs = place.folder / "artifacts"
    found: dict = {}
    for name in fit.FITS:
        ours = artifacts.card(name, settings.artifacts)["data"]["sha256"]
        if ours != place.facts().sha256:
            raise ValueError(f"artifact {name} was made from data {ours[:12]}, the store holds {place.facts().sha256[:12]}; wanted the same")
        batch.recommend(spark, place, theirs, name, K)
        one = artifacts.load(name, settings.artifacts, catalog)
        found[name] = {**learned(one, artifacts.load(name, theirs, catalog)), **listed(one, read_lists(place, name), interactions)}
        say(f"{name}: {found[name]}")
    started, on = time.perf_counter(), fit.prepare(spark, place, settings.min_raters)
    other = Store(place.folder / "mllib")
    fit.save("als", fit.mllib(on), place, other.folder / "artifacts", started, fitted_by=fit.MLLIB)
    batch.recommend(spark, place, other.folder / "artifacts", "als", K, called="mllib")
    found["mllib"] = listed(artifacts.load("als", settings.artifacts, catalog), read_lists(place, "mllib"), interactions)
    say(f"mllib: {found['mllib']}")
    if examined:
        again = replace(ALS(), seed=1).fit(interactions.supported(settings.min_raters), catalog)
        found["another seed"] = listed(artifacts.load("als", settings.artifacts, catalog), own_lists(again, interactions), interactions)
        say(f"another seed: {found['another seed']}")
        found["mllib"] |= held_out(spark, other, interactions, catalog, settings)
        say(f"mllib: {found['mllib']}")
    return found


def learned(one: Recommender, other: Recommender) -> dict:
    """The largest difference between what two models learned, and that over the largest value, array by array."""
    worst: dict[str, dict[str, float | None]] = {}
    for name, mine in vars(one).items():
        if name.endswith("_") and not name.startswith("_"):
            theirs = getattr(other, name)
            if getattr(mine, "shape", None) != getattr(theirs, "shape", None):
                worst[name] = {"difference": None, "relative": None}  # of another shape: weights differ in which are kept
                continue
            size = np.abs(mine).max() or 1
            gap = float(np.nanmax(np.abs((mine - theirs).toarray() if sparse.issparse(mine) else mine.astype(np.float64) - theirs)))
            worst[name] = {"difference": gap, "relative": gap / float(size)}
    return {"learned": worst}


def read_lists(place: Store, name: str) -> dict[int, np.ndarray]:
    """User id -> item numbers, best first, of the table recommendations."""
    made: dict[int, np.ndarray] = {}
    for part in parquet.dataset(f"{place.table('recommendations')}/model={name}").to_batches(columns=["user", "item"]):
        offsets, items = lists(part.column("item"))
        made |= {user: items[a:b] for user, (a, b) in zip(part.column("user").to_pylist(), pairwise(offsets.tolist()))}
    return made


def own_lists(model: Recommender, interactions: Interactions) -> dict[int, np.ndarray]:
    """User id -> item numbers, best first, by a model on this machine."""
    made: dict[int, np.ndarray] = {}
    people = np.flatnonzero(interactions.lengths).tolist()
    for start in range(0, len(people), batch.AT_ONCE):
        users = people[start : start + batch.AT_ONCE]
        profiles = [interactions.profile(user) for user in users]
        for user, profile, scores in zip(users, profiles, model.score([Query(p) for p in profiles])):
            made[int(interactions.user_ids[user])] = rank.top(rank.mask(scores, profile.items), K)
    return made


def listed(model: Recommender, made: dict[int, np.ndarray], interactions: Interactions) -> dict:
    """Shares of users for whom the lists hold the same films in the same order as the model's own, and the same films; and of films in both.

    gap: the largest difference, in the model's own scores, between films that stand at one place of two lists, as a share of the list's range;
    a list that differs by less than rounding is a tie.
    """
    ordered, shared, gaps = [], [], [0.0]
    people = np.flatnonzero(interactions.lengths)
    for start in range(0, len(people), batch.AT_ONCE):
        profiles = [interactions.profile(int(user)) for user in people[start : start + batch.AT_ONCE]]
        for user, profile, scores in zip(people[start:], profiles, model.score([Query(p) for p in profiles])):
            own, theirs = rank.top(rank.mask(scores, profile.items), K), made[int(interactions.user_ids[user])]
            ordered.append(np.array_equal(own, theirs))
            shared.append(len(np.intersect1d(own, theirs)) / max(len(own), 1))
            if not ordered[-1]:
                gaps.append(float(np.abs(scores[own] - scores[theirs]).max() / max(np.ptp(scores), 1e-12)))
    more = {"overlap": float(np.mean(shared)), "gap": max(gaps)}
    return {"users": len(ordered), "same_order": float(np.mean(ordered)), "same_films": float(np.mean(np.array(shared) == 1)), **more}


def held_out(spark: SparkSession, other: Store, interactions: Interactions, catalog: Catalog, settings: Settings) -> dict:
    """NDCG of ALS by one machine and by MLlib, fitted without the viewers they are asked about, each with its interval; and MLlib's less ours."""
    known = strangers(["als"], catalog, interactions, settings.artifacts, min_raters=settings.min_raters)
    store.write(spark, other, known.split.fit, catalog, "the viewers that models learn from")
    values = {}
    for name, model in (("ours", known.models["als"]), ("mllib", _mllib(spark, other))):
        hits = hits_of_ranks(last_ranks(model, known.split.exam), K)
        values[name] = ndcg(hits, np.ones(len(hits), np.int64), K)
    return {
        "ndcg": {name: bootstrap_mean(v)._asdict() for name, v in values.items()},
        "difference": paired_difference(values["mllib"], values["ours"])._asdict(),
    }


def _mllib(spark: SparkSession, place: Store) -> ALS:
    return fit.mllib(fit.prepare(spark, place, 1))  # films with too few raters are gone already
