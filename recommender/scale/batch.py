"""Recommendations for all users at once: the artifacts of the app, its `score` and its ranking, wherever the histories lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from recommender import artifacts, rank
from recommender.load import read_films
from recommender.scale.session import at_once
from recommender.scale.store import Store, lists
from recommender.types import Profile, Query, Recommender

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

AT_ONCE = 256  # users scored together
LISTED = "user long, item array<int>, film array<long>, score array<float>"


@cache
def _model(name: str, folder: Path, films: Path) -> Recommender:
    """One model, read once by each worker."""
    return artifacts.load(name, folder, read_films(films))


def recommend(spark: SparkSession, store: Store, folder: Path, name: str, k: int, users: DataFrame | None = None, called: str = "") -> None:
    """histories -> recommendations/model=NAME: for each user the k best films not seen, best first, as item numbers and film ids, with scores.

    folder holds the artifacts. Nobody knows where and when the lists will be read, so the context is unknown.
    users: only these histories; called: NAME, where it is another than the artifact's.
    """
    if k < 1:
        raise ValueError(f"k == {k}, must be >= 1")
    artifacts.card(name, folder)
    at_once(spark, AT_ONCE)
    histories = store.read(spark, "histories") if users is None else users
    listed = histories.select("user", "item", "rating", "time").mapInArrow(_ranked(name, folder, store.films, k), LISTED)
    listed.write.mode("overwrite").parquet(f"{store.table('recommendations')}/model={called or name}")


def _ranked(name: str, folder: Path, films: Path, k: int) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def ranked(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield top(batch, _model(name, folder, films), k)

    return ranked


def top(batch: pa.RecordBatch, model: Recommender, k: int) -> pa.RecordBatch:
    """The k best unseen films of each history of the batch."""
    offsets, items = lists(batch.column("item"))
    ratings, times = (lists(batch.column(name))[1] for name in ("rating", "time"))
    spans = [slice(start, stop) for start, stop in pairwise(offsets.tolist())]
    scores = model.score([Query(Profile(items[own], ratings[own], times[own])) for own in spans])
    best = [rank.top(rank.mask(row, items[own]), k) for row, own in zip(scores, spans)]
    ends = pa.array(np.append(0, np.cumsum([len(chosen) for chosen in best])).astype(np.int32))
    chosen = np.concatenate(best)
    values = np.concatenate([row[own] for row, own in zip(scores, best)])
    columns = [pa.ListArray.from_arrays(ends, pa.array(a)) for a in (chosen.astype(np.int32), model.catalog.ids[chosen], values)]
    return pa.RecordBatch.from_arrays([batch.column("user"), *columns], ["user", "item", "film", "score"])
