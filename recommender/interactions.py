"""Who watched what when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from recommender.types import Profile

UNKNOWN = -1  # time of day or device that nobody recorded
SIGNALS = ("time_of_day", "device")  # what the columns of context hold


@dataclass(frozen=True, eq=False)
class Interactions:
    """Parallel columns (N,), sorted by user, then time, ties in file order.

    users and items are numbers from 0; ratings in stars; times in unix seconds.
    times_of_day (index into TIMES_OF_DAY, local time) and devices (index into DEVICES) are UNKNOWN (-1) where absent.
    simulated: those of SIGNALS that were drawn from a rule; whatever is learned from them carries their names to the screen.
    """

    users: np.ndarray
    items: np.ndarray
    ratings: np.ndarray
    times: np.ndarray
    n_users: int
    n_items: int
    user_ids: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))  # (U,) the publisher's ids
    times_of_day: np.ndarray = field(default_factory=lambda: np.empty(0, np.int8))
    devices: np.ndarray = field(default_factory=lambda: np.empty(0, np.int8))
    simulated: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.users)
        if not len(self.user_ids):
            object.__setattr__(self, "user_ids", np.arange(self.n_users))
        for name in ("times_of_day", "devices"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(n, UNKNOWN, np.int8))
        for name in ("items", "ratings", "times", "times_of_day", "devices"):
            if len(getattr(self, name)) != n:
                raise ValueError(f"{name} has {len(getattr(self, name))} rows, users has {n}; wanted equal numbers")
        for name in self.simulated:
            if name not in SIGNALS:
                raise ValueError(f"simulated names {name!r}, wanted {' or '.join(SIGNALS)}")
        if len(self.user_ids) != self.n_users:
            raise ValueError(f"user_ids has {len(self.user_ids)} rows, wanted n_users == {self.n_users}")
        for name, column, stop in (("users", self.users, self.n_users), ("items", self.items, self.n_items)):
            if n and (column.min() < 0 or column.max() >= stop):
                raise ValueError(f"{name} runs from {column.min()} to {column.max()}; wanted 0 to {stop - 1}")
        for name, column in (("times_of_day", self.times_of_day), ("devices", self.devices)):
            if n and not (column.min() >= UNKNOWN and column.max() < 4):
                raise ValueError(f"{name} runs from {column.min()} to {column.max()}; wanted {UNKNOWN} to 3")
        if n and not (self.ratings.min() >= 0.5 and self.ratings.max() <= 5):
            raise ValueError(f"ratings run from {self.ratings.min()} to {self.ratings.max()}; wanted 0.5 to 5 stars")
        step = np.diff(self.users)
        if (step < 0).any() or (np.diff(self.times)[step == 0] < 0).any():
            raise ValueError("rows are not sorted; wanted by user, then time (Interactions.sorted does it)")
        for column in (self.users, self.items, self.ratings, self.times, self.times_of_day, self.devices):
            column.setflags(write=False)

    @classmethod
    def sorted(cls, users: np.ndarray, items: np.ndarray, ratings: np.ndarray, times: np.ndarray, **rest) -> Interactions:
        """Build from rows in file order; the sort is stable, so ties keep that order."""
        order = np.lexsort((times, users))
        for name in ("times_of_day", "devices"):
            if name in rest:
                rest[name] = rest[name][order]
        return cls(users[order], items[order], ratings[order], times[order], **rest)

    def __len__(self) -> int:
        return len(self.users)

    @cached_property
    def _bounds(self) -> np.ndarray:  # (U + 1,) row range of each user
        return np.searchsorted(self.users, np.arange(self.n_users + 1))

    def rows(self, user: int) -> slice:
        """The rows of one user, oldest first."""
        if not 0 <= user < self.n_users:
            raise ValueError(f"user number is {user}, wanted 0 to {self.n_users - 1}")
        return slice(int(self._bounds[user]), int(self._bounds[user + 1]))

    @cached_property
    def lengths(self) -> np.ndarray:  # (U,)
        """Number of interactions of each user."""
        return np.diff(self._bounds)

    @cached_property
    def raters(self) -> np.ndarray:  # (I,)
        """Number of people who rated each film."""
        return np.bincount(self.items, minlength=self.n_items)

    def profile(self, user: int) -> Profile:
        r = self.rows(user)
        return Profile(self.items[r], self.ratings[r], self.times[r])

    def matrix(self, values: np.ndarray | None = None) -> sparse.csr_array:
        """float32 (U, I) of `values` (N,), or of ones."""
        data = np.ones(len(self), np.float32) if values is None else np.asarray(values, np.float32)
        return sparse.csr_array((data, (self.users, self.items)), shape=(self.n_users, self.n_items))

    def where(self, mask: np.ndarray) -> Interactions:
        """The rows where mask (N,) is true; users and items keep their numbers."""
        columns = ("users", "items", "ratings", "times", "times_of_day", "devices")
        return replace(self, **{name: getattr(self, name)[mask] for name in columns})

    def before(self, time: int) -> Interactions:
        """What had happened before `time` [unix s]."""
        return self.where(self.times < time)

    def supported(self, min_raters: int) -> Interactions:
        """Only films with at least `min_raters` raters: the rest are cold, and nothing about them is published."""
        return self.where(self.raters[self.items] >= min_raters)

    def fingerprint(self) -> str:
        """sha256 over users, items, ratings and times: the data hash on every card and report."""
        digest = hashlib.sha256(f"{self.n_users},{self.n_items}".encode())
        for column, dtype in ((self.users, "<i8"), (self.items, "<i8"), (self.ratings, "<f4"), (self.times, "<i8")):
            digest.update(np.ascontiguousarray(column, dtype=dtype).tobytes())
        return digest.hexdigest()
