"""How many people watched both of two films, for all pairs: X'X, summed over parts of the users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.dataset as parquet
from scipy import sparse

from recommender.scale.session import at_once
from recommender.scale.store import Store, lists

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BLOCK = 256  # films whose pairs are summed in one place
PARTIAL = "block int, starts binary, others binary, counts binary"
PAIRS = "film int, other array<int>, people array<int>"
ROWS, USERS = 256, 4096  # films and users read at a time: the list of a film may be as long as the catalogue


def raters(spark: SparkSession, store: Store) -> np.ndarray:  # (I,)
    """Number of people who rated each film."""
    found = store.read(spark, "interactions").groupBy("item").count().toArrow()
    counts = np.zeros(store.facts().films, np.int64)
    counts[found["item"].to_numpy()] = found["count"].to_numpy()
    return counts


def supported(counts: np.ndarray, min_raters: int) -> np.ndarray:
    """Item numbers of the films with at least so many raters; the others take no part, as on one machine (Interactions.supported)."""
    return np.flatnonzero(counts >= max(min_raters, 1))


def numbering(films: np.ndarray, n_items: int) -> np.ndarray:
    """int32 (I,): the place of each item number among films, -1 where it is none of them."""
    places = np.full(n_items, -1, np.int32)
    places[films] = np.arange(len(films))
    return places


def count(spark: SparkSession, store: Store, films: np.ndarray, parts: int) -> None:
    """histories -> common, for all pairs of films (S,).

    The users are cut into `parts` (of which each fits in the memory of one worker: 16 bytes an interaction); every part multiplies its own X'X, BLOCK
    films at a time, and the same blocks of all parts are added. X'X = sum_p X_p'X_p.
    """
    places = numbering(films, store.facts().films)
    at_once(spark, USERS)
    histories = store.read(spark, "histories").select("item").coalesce(parts)
    partial = histories.mapInArrow(_products(places, len(films)), PARTIAL)
    partial.groupBy("block").applyInArrow(_added(films), PAIRS).write.mode("overwrite").parquet(store.table("common"))


def watched(batches: Iterator[pa.RecordBatch], places: np.ndarray, n: int) -> sparse.csr_array:
    """int32 (U, S): ones where a user of these batches of histories watched one of the S films that have a place."""
    rows, columns, users = [], [], 0
    for batch in batches:
        offsets, items = lists(batch.column("item"))
        column = places[items]
        rows.append((users + np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)))[column >= 0].astype(np.int32))
        columns.append(column[column >= 0])
        users += len(offsets) - 1
    if not users:
        return sparse.csr_array((0, n), dtype=np.int32)
    where = np.concatenate(rows), np.concatenate(columns)
    return sparse.csr_array((np.ones(len(where[0]), np.int32), where), shape=(users, n))


def _products(places: np.ndarray, n: int) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a worker does with its part of the users: X'X of it, a block of rows at a time."""

    def products(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        x = watched(batches, places, n)
        by_film = x.T.tocsr()
        for start in range(0, n, BLOCK):
            pairs = sparse.csr_array(by_film[start : start + BLOCK] @ x)
            arrays = (pairs.indptr.astype(np.int64), pairs.indices.astype(np.int32), pairs.data.astype(np.int32))
            columns = [pa.array([start // BLOCK], pa.int32()), *(pa.array([a.tobytes()], pa.binary()) for a in arrays)]
            yield pa.RecordBatch.from_arrays(columns, ["block", "starts", "others", "counts"])

    return products


def _added(films: np.ndarray) -> Callable[[pa.Table], pa.Table]:
    """What adds the same block of all parts: rows of common, in item numbers of the catalogue."""

    def added(table: pa.Table) -> pa.Table:
        start = table["block"][0].as_py() * BLOCK
        total = np.zeros((min(BLOCK, len(films) - start), len(films)), np.int64)
        for starts, others, counts in zip(table["starts"], table["others"], table["counts"]):
            parts = (np.frombuffer(c.as_py(), d) for c, d in ((counts, np.int32), (others, np.int32), (starts, np.int64)))
            total += sparse.csr_array(tuple(parts), shape=total.shape).toarray()
        row, other = total.nonzero()
        offsets = pa.array(np.searchsorted(row, np.arange(len(total) + 1)).astype(np.int32))
        columns = [pa.ListArray.from_arrays(offsets, pa.array(a.astype(np.int32))) for a in (films[other], total[row, other])]
        return pa.Table.from_arrays([pa.array(films[start : start + BLOCK].astype(np.int32)), *columns], ["film", "other", "people"])

    return added


def gram(store: Store, films: np.ndarray) -> np.ndarray:  # float64 (S, S)
    """X'X of these films, of the table common, on the machine that solves."""
    places = numbering(films, store.facts().films)
    found = np.zeros((len(films), len(films)))
    for batch in parquet.dataset(store.table("common")).to_batches(batch_size=ROWS):
        offsets, others = lists(batch.column("other"))
        row = np.repeat(places[batch.column("film").to_numpy()], np.diff(offsets))
        chosen = (row >= 0) & (places[others] >= 0)
        found[row[chosen], places[others[chosen]]] = lists(batch.column("people"))[1][chosen]
    return found
