"""A viewer's taste as shares of what they have seen, beside those of the average viewer. Pure arithmetic over the catalogue.

The average viewer is everybody's ratings put together: a film counts as often as people rated it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.catalog import Catalog
from recommender.types import Profile

if TYPE_CHECKING:
    from recommender.models.atlas import Atlas

BANDS = 5  # of popularity, each with about as many of all ratings
LEAST = 2  # films of theirs that a director or an actor must have
Z = 1.959964  # 95% of a normal distribution lie within so many standard deviations


@dataclass(frozen=True)
class Trait:
    """One genre, decade, group, band or person.

    films: item numbers of theirs, newest first; stars: the mean they gave those, None without any. share: of their films, None where none counts;
    usual: of the average viewer's. noise: standard deviation of the share of somebody who takes as many films from what all viewers rated, None where
    nothing is claimed.
    """

    subject: str | int
    films: tuple[int, ...]
    stars: float | None
    share: float | None
    usual: float
    noise: float | None = None

    @property
    def difference(self) -> float | None:
        """Share less the usual one."""
        return None if self.share is None else self.share - self.usual

    @property
    def span(self) -> tuple[float, float] | None:
        """Where the shares of about 95 in 100 such chance viewers lie."""
        return None if self.noise is None else (max(0.0, self.usual - Z * self.noise), min(1.0, self.usual + Z * self.noise))

    @property
    def sure(self) -> bool:
        """Whether the difference is larger than that of about 95 in 100 such chance viewers."""
        return self.noise is not None and self.difference is not None and abs(self.difference) > Z * self.noise + 1e-12


@dataclass(frozen=True)
class Portrait:
    """A taste by genre, decade, group of films, popularity and people; the shares of each but the last sum to 1. n: films that were looked at.

    bands: the most rated films first, subject their place; bounds: fewest and most raters of each. raters: median of theirs, None where n is 0;
    usual_raters: median over all ratings.
    """

    n: int
    genres: tuple[Trait, ...]
    decades: tuple[Trait, ...]
    groups: tuple[Trait, ...]
    bands: tuple[Trait, ...]
    people: tuple[Trait, ...]
    bounds: tuple[tuple[int, int], ...]
    raters: float | None
    usual_raters: float


def groups(atlas: Atlas | None) -> np.ndarray | None:
    """The group of each film (I,), -1 where it has none; None without an atlas."""
    return np.where(atlas.known, atlas.group_, -1) if atlas else None


def portrait(profile: Profile, catalog: Catalog, groups: np.ndarray | None = None) -> Portrait:
    """The taste of a profile. groups (I,): the group of each film, below 0 where it has none; None where there are no groups.

    A film of several genres counts for each with an equal part; one without a genre, a year or a group is left out of those shares.
    """
    genres = catalog.genres / np.maximum(catalog.genres.sum(axis=1, keepdims=True), 1)
    decades = np.stack([catalog.years // 10 * 10 == first for first in catalog.decades], axis=1) if catalog.decades else np.empty((len(catalog), 0))
    numbers = np.unique(groups[groups >= 0]).tolist() if groups is not None else []
    grouped = np.stack([groups == g for g in numbers], axis=1) if groups is not None and numbers else np.empty((len(catalog), 0))
    band, bounds = bands(catalog.raters)
    banded = band[:, None] == np.arange(len(bounds))
    raters = catalog.raters
    return Portrait(
        n=len(profile),
        genres=_traits(catalog.genre_names, genres, profile, raters),
        decades=_traits(catalog.decades, decades, profile, raters),
        groups=_traits(numbers, grouped, profile, raters),
        bands=_traits(range(len(bounds)), banded, profile, raters),
        people=_people(profile, catalog),
        bounds=bounds,
        raters=float(np.median(raters[profile.items])) if len(profile) else None,
        usual_raters=_middle(raters),
    )


def bands(raters: np.ndarray) -> tuple[np.ndarray, tuple[tuple[int, int], ...]]:
    """The band of each film (I,), 0 for the most rated, and the fewest and most raters in each; films of as many raters stand in one band.

    Each of at most BANDS bands holds about as many ratings; films that nobody rated stand in the last.
    """
    sizes, of, counts = np.unique(-np.asarray(raters), return_inverse=True, return_counts=True)  # the most rated first
    ratings = -sizes * counts
    middle = (np.cumsum(ratings) - ratings / 2) / max(ratings.sum(), 1)
    used, band = np.unique(np.minimum((middle * BANDS).astype(int), BANDS - 1), return_inverse=True)
    bounds = tuple((int(-sizes[band == b].max()), int(-sizes[band == b].min())) for b in range(len(used)))
    return band[of], bounds


def _traits(subjects: Sequence[str | int], parts: np.ndarray, profile: Profile, raters: np.ndarray) -> tuple[Trait, ...]:
    """One trait for each column of parts (I, S), of which a row sums to 1, or to 0 where the film does not count."""
    parts = np.asarray(parts, np.float64)
    counted = parts.sum(axis=1) > 0
    newest = profile.items[::-1]
    mine = newest[counted[newest]]
    weights = raters * counted / max((raters * counted).sum(), 1)
    usual = weights @ parts
    deviation = np.sqrt(np.maximum(weights @ parts**2 - usual**2, 0))
    share = parts[mine].mean(axis=0) if len(mine) else None
    stars = dict(zip(profile.items.tolist(), profile.ratings.tolist()))
    made = []
    for s, subject in enumerate(subjects):
        films = tuple(mine[parts[mine, s] > 0].tolist())
        given = float(np.mean([stars[i] for i in films])) if films else None
        if share is None:
            made.append(Trait(subject, (), None, None, float(usual[s])))
        else:
            made.append(Trait(subject, films, given, float(share[s]), float(usual[s]), float(deviation[s] / np.sqrt(len(mine)))))
    return tuple(made)


def _people(profile: Profile, catalog: Catalog) -> tuple[Trait, ...]:
    """Directors and actors of at least LEAST of their films, those of most films first, then those who are most theirs.

    No noise is given: among thousands of people some meet twice by chance.
    """
    stars = dict(zip(profile.items.tolist(), profile.ratings.tolist()))
    found: dict[str, list[int]] = {}
    for item in profile.items[::-1].tolist():
        for name in dict.fromkeys((*catalog.directors[item], *catalog.actors[item])):
            found.setdefault(name, []).append(item)
    total = max(int(catalog.raters.sum()), 1)
    made = [
        Trait(
            name,
            tuple(films),
            float(np.mean([stars[i] for i in films])),
            len(films) / len(profile),
            float(catalog.raters[list(catalog.people[name])].sum() / total),
        )
        for name, films in found.items()
        if len(films) >= LEAST
    ]
    return tuple(sorted(made, key=lambda t: (-len(t.films), -(t.difference or 0), str(t.subject))))


def _middle(raters: np.ndarray) -> float:
    """The raters of the film of the middle one of all ratings; 0 where there are none."""
    ordered = np.sort(np.asarray(raters))
    behind = np.cumsum(ordered)
    return float(ordered[np.searchsorted(behind, behind[-1] / 2)]) if len(ordered) and behind[-1] else 0.0
