"""The folder that one data set lives in beyond one machine: Parquet tables, the films, and a card of what is in them.

interactions: a row for each rating, as they come; `place` keeps the order of those that a user gave in one second.
histories: a row for each user, with lists of all they did, oldest first. Made once, with the only shuffle of all interactions.
common: a row for each film, with every film it shares a viewer with and how many. recommendations: a row for each user.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.load import read_films, write_films

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FLAT = "user long, item int, rating float, time long, time_of_day byte, place int"
LISTS = ("item", "rating", "time", "time_of_day")  # columns of a history
MAKES = {"interactions": "write", "histories": "write", "common": "fit"}  # table -> the command that makes it
DONE = "_SUCCESS"  # what Spark leaves in a table that is whole
NESTED = "user long, item array<int>, rating array<float>, time array<long>, time_of_day array<byte>"


@dataclass(frozen=True)
class Facts:
    """What the interactions are: sha256 is the data hash of cards, checksum that of the table, whatever the order of its rows."""

    source: str
    interactions: int
    users: int
    films: int
    sha256: str
    checksum: str


@dataclass(frozen=True)
class Store:
    """Where everything of one data set is: a folder that all machines see."""

    folder: Path

    def table(self, name: str) -> str:
        return str(self.folder / name)

    def read(self, spark: SparkSession, name: str) -> DataFrame:
        """One of the tables; FileNotFoundError where it is not there, or was not written to its end."""
        if not Path(self.table(name), DONE).exists():
            raise FileNotFoundError(f"{self.table(name)} is not there, or not whole; python -m recommender scale {MAKES[name]} makes it")
        return spark.read.parquet(self.table(name))

    def begin(self) -> None:
        """Other interactions are on their way: what is there counts as unfinished until it is made anew."""
        for name in ("facts.json", *(f"{table}/{DONE}" for table in MAKES)):
            (self.folder / name).unlink(missing_ok=True)

    @property
    def films(self) -> Path:
        return self.folder / "films.csv"

    def catalog(self) -> Catalog:
        return read_films(self.films)

    def facts(self) -> Facts:
        """The card of the data; FileNotFoundError where nothing has been written."""
        path = self.folder / "facts.json"
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there; python -m recommender scale write makes it")
        try:
            return Facts(**json.loads(path.read_text("utf-8")))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} is no card of a store ({error}); python -m recommender scale write makes one") from None

    def keep(self, catalog: Catalog, facts: Facts) -> Facts:
        """Write the films and the card beside the tables."""
        write_films(catalog, self.films)
        (self.folder / "facts.json").write_text(json.dumps(asdict(facts), indent=1) + "\n", "utf-8")
        return facts


def write(spark: SparkSession, store: Store, interactions: Interactions, catalog: Catalog, source: str) -> Facts:
    """Interactions that one machine has read -> the table of them. The publisher's user ids are kept, and the data hash of the cards."""
    x = interactions
    store.begin()
    columns = {
        "user": x.user_ids[x.users].astype(np.int64),
        "item": x.items.astype(np.int32),
        "rating": x.ratings.astype(np.float32),
        "time": x.times.astype(np.int64),
        "time_of_day": x.times_of_day.astype(np.int8),
        "place": (np.arange(len(x)) - np.searchsorted(x.users, x.users)).astype(np.int32),
    }
    spark.createDataFrame(pa.table(columns), FLAT).write.mode("overwrite").parquet(store.table("interactions"))
    found = store.read(spark, "interactions")
    return store.keep(catalog, Facts(source, len(x), len(np.unique(x.users)), len(catalog), x.fingerprint(), checksum(found)))


def describe(spark: SparkSession, store: Store, catalog: Catalog, source: str) -> Facts:
    """The card of interactions that no machine has seen whole: their data hash is made of the checksum and of what they come from."""
    from pyspark.sql import functions as f

    table = store.read(spark, "interactions")
    total, users = table.agg(f.count("*"), f.count_distinct("user")).first() or (0, 0)
    check = checksum(table)
    sha256 = hashlib.sha256(f"{source} {check}".encode()).hexdigest()
    return store.keep(catalog, Facts(source, total, users, len(catalog), sha256, check))


def checksum(table: DataFrame) -> str:
    """Number of rows, and the exclusive or of a hash of each: the same in whatever order and parts they lie."""
    from pyspark.sql import functions as f

    row = table.agg(f.count("*"), f.bit_xor(f.xxhash64("user", "item", "rating", "time", "time_of_day", "place"))).first() or (0, 0)
    return f"{row[0]}-{(row[1] or 0) & (2**64 - 1):016x}"


def gather(spark: SparkSession, store: Store) -> None:
    """interactions -> histories: each user's rows are brought to one place and sorted. ValueError where the table is not that of the card."""
    table, facts = store.read(spark, "interactions"), store.facts()
    if (found := checksum(table)) != facts.checksum:
        raise ValueError(f"{store.table('interactions')} has checksum {found}, its card says {facts.checksum}")
    ordered = table.repartition("user").sortWithinPartitions("user", "time", "place")
    ordered.mapInArrow(_close_up, NESTED).write.mode("overwrite").parquet(store.table("histories"))


def _close_up(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Rows sorted by user -> one row for each user; a user may reach over several batches."""
    open_rows: pa.Table | None = None
    for batch in batches:
        table = pa.Table.from_batches([batch])
        table = pa.concat_tables([open_rows, table]) if open_rows is not None else table
        users = table["user"].to_numpy()
        if not len(users):
            continue
        last = int(np.searchsorted(users, users[-1]))
        if last:
            yield _nested(table[:last])
        open_rows = table[last:]
    if open_rows is not None and len(open_rows):
        yield _nested(open_rows)


def _nested(table: pa.Table) -> pa.RecordBatch:
    users, starts = np.unique(table["user"].to_numpy(), return_index=True)
    offsets = pa.array(np.append(starts, len(table)).astype(np.int32))
    columns = [pa.ListArray.from_arrays(offsets, table[name].combine_chunks()) for name in LISTS]
    return pa.RecordBatch.from_arrays([pa.array(users), *columns], ["user", *LISTS])


def lists(column: pa.ListArray) -> tuple[np.ndarray, np.ndarray]:
    """A column of lists as (offsets (B + 1,), values (N,)): what a sparse matrix in rows is made of."""
    lengths = column.value_lengths().to_numpy()
    return np.concatenate([[0], np.cumsum(lengths)]), column.flatten().to_numpy(zero_copy_only=False)
