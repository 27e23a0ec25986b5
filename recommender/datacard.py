"""What a data set is like, in a dozen numbers: read them before believing anything learnt from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from recommender.catalog import Catalog
from recommender.interactions import UNKNOWN, Interactions
from recommender.types import TIMES_OF_DAY

SITTING_HOURS = 6  # a sitting ends where a user pauses longer than this
FEW = 20  # raters


@dataclass(frozen=True)
class DataCard:
    """Counts, and shares from 0 to 1. Shares of nothing are 0."""

    films: int  # in the catalogue
    rated_films: int
    users: int
    ratings: int
    density: float  # of the matrix users x rated films
    mean_stars: float
    ratings_per_user: tuple[int, int, int]  # fewest, median, most
    top_share: float  # of ratings, on the most-rated fifth of the rated films
    few_raters: int  # rated films with fewer than FEW raters
    first: int  # unix seconds
    last: int
    one_sitting: float  # of users, without a pause of more than SITTING_HOURS between any two ratings that follow each other
    local_time_known: float  # of ratings
    times_of_day: dict[str, float]  # of the ratings whose local time is known
    fingerprint: str

    def as_text(self) -> str:
        """A few aligned lines for the terminal."""
        fewest, median, most = self.ratings_per_user
        parts = ", ".join(f"{name} {share:.1%}" for name, share in self.times_of_day.items() if self.local_time_known)
        rows = {
            "films": f"{self.films:,}, of which {self.rated_films:,} are rated",
            "users": f"{self.users:,} with {fewest:,} to {most:,} ratings each, median {median:,}",
            "ratings": f"{self.ratings:,}, mean {self.mean_stars:.2f} stars",
            "sparsity": f"{1 - self.density:.2%} of the cells users x rated films are empty",
            "long tail": f"the most-rated fifth of the films has {self.top_share:.1%} of the ratings; {self.few_raters:,} have under {FEW} raters",
            "time": f"{_day(self.first)} to {_day(self.last)}",
            "one sitting": f"{self.one_sitting:.1%} of the users never paused for more than {SITTING_HOURS} hours",
            "local time": f"known for {self.local_time_known:.1%} of the ratings" + (f": {parts}" if parts else ""),
            "data hash": self.fingerprint[:16],
        }
        return "\n".join(f"{name:<12} {value}" for name, value in rows.items())


def _day(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d")


def data_card(catalog: Catalog, interactions: Interactions) -> DataCard:
    """Describe a data set of at least one rating."""
    x = interactions
    if not len(x):
        raise ValueError("ratings has 0 rows, wanted at least 1")
    raters = np.sort(x.raters[x.raters > 0])[::-1]
    lengths = x.lengths[x.lengths > 0]
    known = x.times_of_day[x.times_of_day != UNKNOWN]
    shares = np.bincount(known, minlength=len(TIMES_OF_DAY)) / max(len(known), 1)
    return DataCard(
        films=len(catalog),
        rated_films=len(raters),
        users=len(lengths),
        ratings=len(x),
        density=len(x) / (len(lengths) * len(raters)),
        mean_stars=float(x.ratings.mean(dtype=float)),
        ratings_per_user=(int(lengths.min()), int(np.median(lengths)), int(lengths.max())),
        top_share=float(raters[: max(len(raters) // 5, 1)].sum() / len(x)),
        few_raters=int((raters < FEW).sum()),
        first=int(x.times.min()),
        last=int(x.times.max()),
        one_sitting=_one_sitting(x),
        local_time_known=len(known) / len(x),
        times_of_day={name: float(share) for name, share in zip(TIMES_OF_DAY, shares)},
        fingerprint=x.fingerprint(),
    )


def _one_sitting(x: Interactions) -> float:
    """Share of users whose ratings follow each other without a long pause."""
    paused = (np.diff(x.times) > SITTING_HOURS * 3600) & (np.diff(x.users) == 0)
    return 1 - len(np.unique(x.users[1:][paused])) / int((x.lengths > 0).sum())
