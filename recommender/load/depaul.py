"""DePaulMovie: stars that students gave the same films for different times, places and company.

Source: Zheng, Mobasher & Burke, "CARSKit: A Java-Based Context-Aware Recommendation Engine", ICDM Workshops 2015.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from recommender.load.files import csv_lines, fault, short, whole

FILE = "depaulmovie.inter"
CONDITIONS = {  # dimension -> what it can be
    "time": ("Weekday", "Weekend"),
    "location": ("Cinema", "Home"),
    "companion": ("Alone", "Family", "Partner"),
}
NOT_ASKED = "NA"  # the rating was given without a context in mind
COLUMNS = ("user_id:token", "item_id:token", "rating:float", *(f"{name}:token" for name in CONDITIONS))


@dataclass(frozen=True, eq=False)
class ContextRatings:
    """Stars with the context they were given for: parallel rows (N,) in file order; a user may rate a film once a context, or again.

    users and items are numbers from 0; contexts (N, D) are numbers of conditions, -1 where none was asked; conditions names them, by dimension.
    Interactions holds one row a viewing, in order of time. Here is no time, and the pair of user and film is not the unit.
    """

    users: np.ndarray
    items: np.ndarray
    stars: np.ndarray
    contexts: np.ndarray
    conditions: dict[str, tuple[str, ...]]
    n_users: int
    n_items: int

    def __post_init__(self) -> None:
        n, shape = len(self.users), (len(self.users), len(self.conditions))
        for name in ("items", "stars"):
            if len(getattr(self, name)) != n:
                raise ValueError(f"{name} has {len(getattr(self, name))} rows, users has {n}; wanted equal numbers")
        if self.contexts.shape != shape:
            raise ValueError(f"contexts is {self.contexts.shape}, wanted {shape}")
        for name, column, low, stop in self._ranges():
            if n and (column.min() < low or column.max() >= stop):
                raise ValueError(f"{name} runs from {column.min()} to {column.max()}; wanted {low} to {stop - 1}")
        for column in (self.users, self.items, self.stars, self.contexts):
            column.setflags(write=False)

    def _ranges(self) -> list[tuple[str, np.ndarray, int, int]]:
        """(name, column, lowest, one over the highest) of what numbers stand for."""
        numbered = [(name, self.contexts[:, d], -1, len(values)) for d, (name, values) in enumerate(self.conditions.items())]
        return [("users", self.users, 0, self.n_users), ("items", self.items, 0, self.n_items), *numbered]

    def __len__(self) -> int:
        return len(self.users)

    @cached_property
    def asked(self) -> np.ndarray:  # (N,) bool
        """Whether a context was asked for."""
        return np.asarray((self.contexts >= 0).any(axis=1))

    def where(self, rows: np.ndarray) -> ContextRatings:
        """The rows of a mask or a list; users, films and conditions keep their numbers."""
        return replace(self, users=self.users[rows], items=self.items[rows], stars=self.stars[rows], contexts=self.contexts[rows])

    def only(self, dimension: str) -> ContextRatings:
        """The same ratings with one dimension known and the others unknown."""
        names = list(self.conditions)
        if dimension not in names:
            raise ValueError(f"dimension is {dimension!r}, wanted one of {', '.join(names)}")
        return replace(self, contexts=np.where(np.array(names) == dimension, self.contexts, -1))

    @cached_property
    def pairs(self) -> np.ndarray:  # (N,)
        """One number for user and film."""
        return self.users.astype(np.int64) * self.n_items + self.items

    def shuffled(self, rng: np.random.Generator, by_pair: bool = False) -> ContextRatings:
        """The contexts of each user, or of each user and film, dealt anew among the rows for which one was asked; the others stay without."""
        rows = np.flatnonzero(self.asked)
        owners = (self.pairs if by_pair else self.users)[rows]
        home, dealt = rows[np.argsort(owners, kind="stable")], rows[np.lexsort((rng.random(len(rows)), owners))]
        contexts = self.contexts.copy()
        contexts[home] = self.contexts[dealt]
        return replace(self, contexts=contexts)

    def folds(self, k: int, rng: np.random.Generator, by_pair: bool) -> np.ndarray:  # (N,) 0..k-1
        """A fold for each row, of equal sizes; by_pair: all rows of one user and film share a fold."""
        units = np.unique(self.pairs, return_inverse=True)[1] if by_pair else np.arange(len(self))
        return (rng.permutation(units.max() + 1) % k)[units]

    def fingerprint(self) -> str:
        """sha256 over all columns: the data hash of reports."""
        digest = hashlib.sha256(f"{self.n_users},{self.n_items},{self.conditions}".encode())
        for column, dtype in ((self.users, "<i8"), (self.items, "<i8"), (self.stars, "<f4"), (self.contexts, "<i8")):
            digest.update(np.ascontiguousarray(column, dtype=dtype).tobytes())
        return digest.hexdigest()


def read_depaul(folder: Path) -> ContextRatings:
    """The ratings in depaulmovie.inter. Raises DataError with the file, the line, the value and what is wanted."""
    path = folder / FILE
    users: list[int] = []
    films: list[str] = []
    stars: list[int] = []
    contexts: list[list[int]] = []
    for line, (user, film, rating, *said) in csv_lines(path, COLUMNS, more=True):
        users.append(whole(path, line, "user id", user))
        films.append(_film(path, line, film))
        stars.append(_stars(path, line, rating))
        contexts.append([_condition(path, line, name, value) for name, value in zip(CONDITIONS, said)])
    if not users:
        raise fault(path, 1, "there is a header and nothing else", "ratings below it")
    (user_ids, numbers), (film_ids, items) = np.unique(users, return_inverse=True), np.unique(films, return_inverse=True)
    return ContextRatings(numbers, items, np.array(stars, np.float64), np.array(contexts), CONDITIONS, len(user_ids), len(film_ids))


def _film(path: Path, line: int, value: str) -> str:
    if not (value.startswith("tt") and value.isalnum()):
        raise fault(path, line, f"film id is {short(value)}", "tt and what IMDb has after it")
    return value


def _stars(path: Path, line: int, value: str) -> int:
    if value not in ("1", "2", "3", "4", "5"):
        raise fault(path, line, f"rating is {short(value)}", "1 to 5 stars in whole steps")
    return int(value)


def _condition(path: Path, line: int, name: str, value: str) -> int:
    known = CONDITIONS[name]
    if value == NOT_ASKED:
        return -1
    if value not in known:
        raise fault(path, line, f"{name} is {short(value)}", f"{', '.join(known)} or {NOT_ASKED}")
    return known.index(value)
