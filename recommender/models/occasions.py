"""The occasion of a rating: sitting, page and place in the viewer's history, and the film's season; each may shift the stars."""

from __future__ import annotations

import numpy as np

from recommender.interactions import Interactions

SITTING = 3600  # seconds without a rating that end a sitting
SEASON = 90 * 86_400  # seconds
RUNS = (32, 8)  # ratings of one sitting in a row
STEPS = 32  # places in a history, as powers of two


class Occasions:
    """Numbered groups of ratings made alike: neighbouring ratings of a viewer err alike (a mood, a page of like films).

    `labels` (7, N) are the groups of each known row, one row a kind: sitting, run of 32, run of 8, second, place in the history,
    film and place, film and season; `sizes` (7,) says how many groups there are of each.
    """

    def __init__(self, known: Interactions) -> None:
        self.users, self.times = known.users.astype(np.int64), known.times.astype(np.int64)
        self.keys = self.key(known)
        self.start = int(self.times.min()) if len(known) else 0
        self.end = int(self.times.max()) if len(known) else 0
        row = np.arange(len(known))
        since = lambda starts: row - np.maximum.accumulate(np.where(starts, row, 0))
        history = np.diff(self.users, prepend=-1) > 0
        late = np.diff(self.times, prepend=0)
        sitting, second = history | (late > SITTING), history | (late > 0)
        place = since(sitting)
        starts = [sitting, *(sitting | (place % size == 0) for size in RUNS), second]
        self.near = np.stack([np.cumsum(s) - 1 for s in starts])  # (4, N)
        self.step = np.log2(1 + since(history)).astype(np.int64)
        self.labels = np.vstack([self.near, self._far(self.step, known)])
        seasons = (self.end - self.start) // SEASON + 1
        self.sizes = np.array([*(self.near.max(axis=1, initial=-1) + 1), STEPS, known.n_items * STEPS, known.n_items * seasons])

    def _far(self, step: np.ndarray, rows: Interactions) -> np.ndarray:  # (3, rows)
        items = rows.items.astype(np.int64)
        seasons = (self.end - self.start) // SEASON + 1
        season = (np.clip(rows.times.astype(np.int64), self.start, self.end) - self.start) // SEASON
        return np.stack([step, items * STEPS + step, items * seasons + season])

    def of(self, asked: Interactions) -> np.ndarray:  # (7, asked)
        """Groups of other rows: those of the same viewer's nearest known row in time, if that is of the same sitting or second; else -1."""
        if not len(self.users):
            return np.full((len(self.sizes), len(asked)), -1)
        users, times = asked.users.astype(np.int64), asked.times.astype(np.int64)
        before = np.searchsorted(self.keys, self.key(asked), side="right") - 1
        sides = np.clip(np.stack([before, before + 1]), 0, len(self.users) - 1)  # (2, asked)
        gaps = np.where(self.users[sides] == users, np.abs(self.times[sides] - times), np.iinfo(np.int64).max)
        nearest, gap = np.where(gaps[0] <= gaps[1], *sides), gaps.min(axis=0)
        reach = np.array([SITTING] * (1 + len(RUNS)) + [0])
        known = gap < np.iinfo(np.int64).max
        return np.vstack([np.where(gap <= reach[:, None], self.near[:, nearest], -1), self._far(np.where(known, self.step[nearest], 0), asked)])

    @staticmethod
    def key(rows: Interactions) -> np.ndarray:  # (N,)
        """One number for user and time, in the order of the rows."""
        return rows.users.astype(np.int64) * 2**33 + rows.times.astype(np.int64)
