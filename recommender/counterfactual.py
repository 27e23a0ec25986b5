"""What would be otherwise without some of the viewer's films, or with others: ranks found by scoring again, never read off the reasons."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.rank import ranks
from recommender.types import Query, Recommender

Scorer = Callable[[list[Query]], np.ndarray]  # as Recommender.score
BATCH = 64  # queries scored at once
KEPT = 40  # films of a long profile that the greedy search goes on with after its first step


def without(query: Query, films: Sequence[int]) -> Query:
    """The same query by a viewer who never rated these films."""
    return replace(query, profile=query.profile.keep(~np.isin(query.profile.items, list(films))))


def less(model: Recommender, query: Query, films: Sequence[int]) -> np.ndarray:
    """Scores (n, I) by a model without each of these films in turn: in the model's own short way, `less`, where it has one."""
    short = getattr(model, "less", None)
    return short(query, films) if short else model.score([without(query, [film]) for film in films])


def plus(query: Query, film: int, stars: float = 5.0, speaks: float = 1.0) -> Query:
    """The same query by a viewer who has rated one more film, just now; `speaks` is how far it does, where the profile says so of its films."""
    p = query.profile
    columns = ((p.items, film), (p.ratings, stars), (p.times, p.times.max(initial=0)))
    items, ratings, times = (np.append(column, value) for column, value in columns)
    weights = np.append(p.speaks, speaks) if len(p.speaks) else p.speaks
    return replace(query, profile=replace(p, items=items, ratings=ratings, times=times, speaks=weights))


@dataclass(frozen=True)
class Smallest:
    """The fewest films found whose removal takes a film out of the first k.

    films: item numbers, empty where none were found; before, after: its rank with and without them (or with no film at all, where none were
    found); minimal: no smaller set does it, every one having been tried; hurried: the search was ended by its bounds.
    """

    films: tuple[int, ...]
    before: int
    after: int
    minimal: bool
    hurried: bool = False


@dataclass(frozen=True, eq=False)
class WhatIf:
    """One model's scores for one query, asked again with films taken away or added. `pool` (I,) bool is ranked, whatever changes."""

    score: Scorer
    query: Query
    pool: np.ndarray

    def ranks(self, queries: list[Query], items: np.ndarray | None = None) -> np.ndarray:  # (B, K)
        """Places of items (K,), or of all films, for other queries."""
        items = np.arange(len(self.pool)) if items is None else np.asarray(items)
        found = [ranks(self.score(queries[i : i + BATCH]), items, self.pool) for i in range(0, len(queries), BATCH)]
        return np.concatenate(found) if found else np.zeros((0, len(items)), np.int64)

    def smallest(self, item: int, k: int = 10, tries: int = 3000, seconds: float = 1.0, order: Sequence[int] = ()) -> Smallest:
        """Greedy search for the fewest films of the profile without which `item` leaves the first k.

        Each step takes away the film without which the item's lead over the k-th best falls most; then films that were not needed are put
        back; then smaller sets are tried one by one, as far as the bounds on rescorings and seconds allow. With `order`, only its first KEPT films
        are tried where the profile is longer.
        Source: Ghazimatin et al., PRINCE, WSDM 2020; Tan et al., CountER, CIKM 2021 (the question, not the method).
        """
        if not self.pool[item]:
            raise ValueError(f"item {item} is not among the {int(self.pool.sum())} films that are ranked")
        films = [int(i) for i in self.query.profile.items]
        if order and len(films) > KEPT:
            films = [int(i) for i in order[:KEPT]]
        return _Search(self, item, k, tries, time.monotonic() + seconds, films).run()


class _OutOfTime(Exception):
    pass


class _Search:
    """One run of WhatIf.smallest. A removal is a tuple of films; a film is `out` where its lead over the k-th best other film is negative."""

    def __init__(self, whatif: WhatIf, item: int, k: int, tries: int, deadline: float, films: list[int]) -> None:
        self.whatif, self.item, self.k, self.left, self.deadline, self.films = whatif, item, k, tries, deadline, films
        self.everything = tuple(int(i) for i in whatif.query.profile.items)

    def run(self) -> Smallest:
        before = self._place(())
        if before > self.k:
            raise ValueError(f"item {self.item} has rank {before}, wanted within the first {self.k}")
        found: tuple[int, ...] = ()
        try:
            found = self._pruned(self._greedy())
            if not found:
                return Smallest((), before, self._place(self.everything), minimal=False)
            found, minimal = self._smaller(found)
        except _OutOfTime as stopped:
            found, minimal = found or stopped.args[0], False
            return Smallest(found, before, self._place(found or self.everything), minimal, hurried=True)
        return Smallest(found, before, self._place(found), minimal)

    def _place(self, removed: tuple[int, ...]) -> int:
        return int(self.whatif.ranks([without(self.whatif.query, removed)], np.array([self.item]))[0, 0])

    def _leads(self, removals: Sequence[tuple[int, ...]], best: tuple[int, ...] = ()) -> np.ndarray:
        """(R,) score of the item less that of the k-th best other film of the pool, below 0 where it is out; `best` is kept if time is out."""
        leads = []
        for start in range(0, len(removals), BATCH):
            part = removals[start : start + BATCH]
            self.left -= len(part)
            if self.left < 0 or time.monotonic() > self.deadline:
                raise _OutOfTime(best)
            queries = [without(self.whatif.query, r) for r in part]
            scores = np.where(self.whatif.pool, self.whatif.score(queries).astype(np.float64), -np.inf)
            own = scores[:, self.item].copy()
            scores[:, self.item] = -np.inf
            kth = np.partition(scores, -self.k, axis=1)[:, -self.k]
            tied = (scores == own[:, None]) & (np.arange(scores.shape[1]) < self.item)
            ahead = (scores > own[:, None]).sum(axis=1) + tied.sum(axis=1)
            leads.append(np.where(ahead >= self.k, np.minimum(own - kth, -1e-12), np.maximum(own - kth, 0)))
        return np.concatenate(leads)

    def _greedy(self) -> tuple[int, ...]:
        """Films whose removal takes the item out, one more in each step; empty where neither that nor an empty profile does."""
        removed: tuple[int, ...] = ()
        candidates = self.films
        while candidates:
            leads = self._leads([(*removed, film) for film in candidates])
            order = np.argsort(leads, kind="stable")
            removed = (*removed, candidates[order[0]])
            if leads[order[0]] < 0:
                return removed
            candidates = [candidates[n] for n in order[1:]][: KEPT if len(removed) == 1 else None]
        return self.everything if len(self.everything) > len(removed) and self._leads([self.everything])[0] < 0 else ()

    def _pruned(self, removed: tuple[int, ...]) -> tuple[int, ...]:
        """The same without films that need not be taken away, first taken first tried."""
        for film in removed:
            fewer = tuple(f for f in removed if f != film)
            if len(removed) > 1 and self._leads([fewer], removed)[0] < 0:
                removed = fewer
        return removed

    def _smaller(self, found: tuple[int, ...]) -> tuple[tuple[int, ...], bool]:
        """A smaller set where there is one, and whether what stands is proven smallest. The greedy search has tried each of its films alone."""
        for size in range(1 if len(self.films) < len(self.everything) else 2, len(found)):
            if math.comb(len(self.everything), size) > self.left:
                return found, False
            for part in _parts(itertools.combinations(self.everything, size), BATCH):
                leads = self._leads(part, found)
                if leads.min() < 0:
                    return part[int(leads.argmin())], True
        return found, True


def _parts(values: Iterator[tuple[int, ...]], size: int) -> Iterator[list[tuple[int, ...]]]:
    while part := list(itertools.islice(values, size)):
        yield part
