"""Interactions of any number, drawn where they will lie: few films are known to most, few users do most. Nobody is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from recommender.catalog import Catalog
from recommender.scale.store import FLAT, Facts, Store, describe

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TOGETHER = 1000  # users drawn from one seed: the same whatever the parts
TASTES = 20  # groups of films; film i belongs to i % TASTES
STARTS, DAYS = 1_100_000_000, 3 * 365  # unix seconds of the first possible rating; users come over so many days
MIX = np.array([0.15, 0.25, 0.35, 0.25])  # of the parts of the day


@dataclass(frozen=True)
class World:
    """What is drawn: activity lognormal, films by the law of Zipf and Mandelbrot, the film of rank r as 1 / (r + offset)^skew.

    own: share of a user's films that come from their own taste. Source of the law: Mandelbrot, Communication Theory, 1953.
    """

    users: int
    films: int
    mean: float  # interactions of a user
    least: int = 5
    spread: float = 1.1  # standard deviation of the log of activity
    skew: float = 1.5
    offset: float = 100.0
    own: float = 0.4
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("users", 1), ("films", TASTES), ("mean", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, must be >= {least}")

    @property
    def catalog(self) -> Catalog:
        """Films that are nothing but numbers, in genres named after the tastes."""
        n, none = self.films, ((),) * self.films
        genres = np.arange(n)[:, None] % TASTES == np.arange(TASTES)
        names = tuple(f"Taste {g:02}" for g in range(TASTES))
        blank = np.zeros(n, np.int64)
        titles = tuple(f"Film {i}" for i in range(n))
        return Catalog(np.arange(1, n + 1), titles, blank, genres, names, none, none, ("",) * n, np.full(n, np.nan), blank, blank)

    def draw(self, block: int) -> dict[str, np.ndarray]:
        """Columns of the interactions of TOGETHER users, user by user. Twice as many films are drawn as are wanted, because some come twice."""
        rng = np.random.default_rng([self.seed, block])
        users = np.arange(block * TOGETHER, min((block + 1) * TOGETHER, self.users))
        # mean of a lognormal: exp(mu + sigma^2 / 2)
        wanted = rng.lognormal(np.log(self.mean) - self.spread**2 / 2, self.spread, len(users)).astype(np.int64)
        wanted = np.clip(wanted, self.least, self.films // 4)
        owner = np.repeat(np.arange(len(users)), 2 * wanted)
        pairs = np.unique(owner * self.films + self._films(owner, rng.integers(0, TASTES, len(users)), rng))
        owner, items = np.divmod(pairs[np.lexsort((rng.random(len(pairs)), pairs // self.films))], self.films)
        place = np.arange(len(owner)) - np.searchsorted(owner, owner)
        owner, items, place = (column[place < wanted[owner]] for column in (owner, items, place))
        came = STARTS + rng.integers(0, DAYS * 86_400, len(users))
        return {
            "user": users[owner] + 1,
            "item": items.astype(np.int32),
            "rating": (rng.binomial(9, 0.68, len(owner)) / 2 + 0.5).astype(np.float32),
            "time": came[owner] + 30 * place,  # one every half minute, as people rate
            "time_of_day": rng.choice(4, len(owner), p=MIX).astype(np.int8),
            "place": place.astype(np.int32),
        }

    def _films(self, owner: np.ndarray, taste: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A film for each (N,) owner by the law, film 0 being of the first rank; one of their own taste is the one nearest in rank."""
        law = np.cumsum((np.arange(self.films) + 1 + self.offset) ** -self.skew)
        drawn = np.searchsorted(law / law[-1], rng.random(len(owner)))
        theirs = np.minimum(drawn - drawn % TASTES + taste[owner], self.films - 1)
        return np.where(rng.random(len(owner)) < self.own, theirs, drawn)


def draw(spark: SparkSession, store: Store, world: World, parts: int) -> Facts:
    """Draw the world into the table interactions, in `parts` files; the same for the same seed, whatever the parts."""
    store.begin()
    blocks = spark.range(0, -(-world.users // TOGETHER), 1, parts)
    blocks.mapInArrow(_drawn(world), FLAT).write.mode("overwrite").parquet(store.table("interactions"))
    return describe(spark, store, world.catalog, str(world))


def _drawn(world: World) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def drawn(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for block in batch.column(0).to_pylist():
                yield pa.RecordBatch.from_pydict(world.draw(block))

    return drawn
