"""Tables of Spark -> fitted models, written as the artifacts of one machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from scipy import sparse

from recommender import artifacts
from recommender.models.factors import ALS
from recommender.models.neighbours import EASE, ItemKNN
from recommender.models.popularity import DAY, Popularity, Sums
from recommender.scale import alternating, common
from recommender.scale.session import at_once
from recommender.scale.store import Store, lists
from recommender.types import TIMES_OF_DAY, Recommender

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WEIGHTS = "film int, other array<int>, weight array<float>"
MLLIB = "Spark MLlib, whose penalty is another"
UNEXAMINED = {"protocol": "not examined: fitted beyond one machine, on all users"}


class Fitting(NamedTuple):
    """What every fit needs: the session, the data, raters (I,) of each film, and films (S,), those that take part."""

    spark: SparkSession
    store: Store
    raters: np.ndarray
    films: np.ndarray


def popularity(on: Fitting) -> Popularity:
    """One pass of SQL over the interactions. Ages count from a fixed moment and are set right afterwards: 0.5^(a + b) = 0.5^a 0.5^b."""
    from pyspark.sql import functions as f

    blank = Popularity()
    rows = on.store.read(on.spark, "interactions")
    origin = 1_000_000_000
    decayed = f.pow(f.lit(0.5), (f.lit(origin) - f.col("time")) / DAY / blank.half_life)
    of_day = [f.count_if(f.col("time_of_day") == part).alias(name) for part, name in enumerate(TIMES_OF_DAY)]
    sums = (f.sum(decayed).alias("decayed"), f.sum("rating").alias("stars"), f.max("time").alias("newest"))
    found = rows.groupBy("item").agg(*sums, *of_day).toArrow()
    columns = {name: np.zeros(len(on.raters)) for name in ("decayed", "stars", "newest", *TIMES_OF_DAY)}
    for name, column in columns.items():
        column[found["item"].to_numpy()] = found[name].to_numpy()
        column[np.setdiff1d(np.arange(len(column)), on.films)] = 0
    counts = np.zeros_like(on.raters)
    counts[on.films] = on.raters[on.films]
    fade = 0.5 ** ((columns["newest"].max() - origin) / DAY / blank.half_life)
    parts = np.stack([columns[name] for name in TIMES_OF_DAY])
    made = Sums(columns["decayed"] * fade, columns["stars"], counts, parts, columns["stars"].sum() / counts.sum())
    return blank.of(made, on.store.catalog())


def item_knn(on: Fitting) -> ItemKNN:
    """Each film's neighbours from its own row of the table common, wherever that lies; only those kept come to one place."""
    model, n = ItemKNN(), len(on.raters)
    at_once(on.spark, common.ROWS)
    rows = on.store.read(on.spark, "common").mapInArrow(_nearest(model, on.raters.astype(np.float32)), WEIGHTS).toArrow()
    table = rows.sort_by("film").combine_chunks()
    offsets, others = lists(table["other"].combine_chunks())
    films = np.repeat(table["film"].to_numpy(), np.diff(offsets))
    model.weights_ = sparse.csr_array((lists(table["weight"].combine_chunks())[1], (others, films)), shape=(n, n))
    model.weights_.sort_indices()
    model.catalog = on.store.catalog()
    return model


def _nearest(model: ItemKNN, raters: np.ndarray) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a worker does with rows of common: the columns of W for those films, by the very code of one machine."""

    def nearest(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            films = batch.column("film").to_numpy()
            offsets, others = lists(batch.column("other"))
            together = np.zeros((len(raters), len(films)), np.float32)
            together[others, np.repeat(np.arange(len(films)), np.diff(offsets))] = lists(batch.column("people"))[1]
            kept = sparse.csc_array(model.nearest(together, raters, films))
            ends = pa.array(kept.indptr.astype(np.int32))
            columns = [pa.ListArray.from_arrays(ends, pa.array(a)) for a in (kept.indices.astype(np.int32), kept.data)]
            yield pa.RecordBatch.from_arrays([batch.column("film"), *columns], ["film", "other", "weight"])

    return nearest


def ease(on: Fitting, most: int | None = None) -> EASE:
    """X'X of the table common, solved on one machine as there: (S, S) must fit in its memory six times. `most`: only so many most rated films."""
    films = on.films if most is None else np.sort(on.films[np.argsort(-on.raters[on.films], kind="stable")[:most]])
    return EASE().solve(common.gram(on.store, films), films, len(on.raters), on.store.catalog())


def mllib(on: Fitting, reg: float | None = None, iterations: int | None = None) -> ALS:
    """Factors of films by Spark MLlib, put into our model, which folds viewers in.

    With every rating 1 MLlib minimises what ours does, confidence 1 + alpha, but weighs the penalty of a viewer or film by its number of ratings:
    reg n_u |x_u|^2. So reg is by default ours over the mean number of a viewer; it starts at other random vectors, too.
    Source: Hu, Koren & Volinsky, ICDM 2008; Zhou et al., AAIM 2008 (the weighing).
    """
    from pyspark.ml.recommendation import ALS as Implicit
    from pyspark.sql import functions as f

    blank, facts = ALS(), on.store.facts()
    wanted = on.spark.createDataFrame(pa.table({"item": on.films.astype(np.int32)}))
    rows = on.store.read(on.spark, "interactions").join(f.broadcast(wanted), "item", "leftsemi")
    ones = rows.select(f.col("user").cast("int"), "item", f.lit(1.0).alias("rating"))
    weighted = blank.reg * facts.users / max(facts.interactions, 1) if reg is None else reg
    parameters: dict = {"rank": blank.factors, "maxIter": iterations or blank.iterations, "regParam": weighted, "alpha": blank.alpha}
    fitted = Implicit(userCol="user", itemCol="item", implicitPrefs=True, seed=blank.seed, **parameters).fit(ones)
    found = fitted.itemFactors.toArrow()
    films = np.zeros((facts.films, blank.factors))
    films[found["id"].to_numpy()] = lists(found["features"].combine_chunks())[1].reshape(-1, blank.factors)
    return alternating.filled(blank, films, on.store.catalog())


FITS: dict[str, Callable[[Fitting], Recommender]] = {"popularity": popularity, "item_knn": item_knn, "ease": ease, "als": alternating.fit}


def prepare(spark: SparkSession, store: Store, min_raters: int) -> Fitting:
    """Count raters, and leave out the films with too few of them."""
    counts = common.raters(spark, store)
    return Fitting(spark, store, counts, common.supported(counts, min_raters))


def save(name: str, model: Recommender, store: Store, folder: Path, started: float, **facts: object) -> dict:
    """One artifact as `python -m recommender train` writes it; its card says that it was not examined."""
    data = store.facts()
    about = {"sha256": data.sha256, "ratings": data.interactions, "users": data.users, "films": data.films}
    seconds = round(time.perf_counter() - started, 1)
    how = {"fitted_on": "all users", "fitted_by": "Spark", "training": None, "validation": UNEXAMINED}
    more: dict = {"data": about, "seed": 0, "dose": None, "seconds": seconds, **how}
    return artifacts.save(name, model, folder, **more | facts)
