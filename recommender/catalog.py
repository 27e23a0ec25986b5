"""What the films are, and finding one by what people type."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recommender.names import Names, plain, without_article
from recommender.types import CERTIFICATES, FAME, Filters, ReasonKind


@dataclass(frozen=True, eq=False)
class Catalog:
    """Parallel facts of I films. Unknown: year 0, minutes and stars nan, raters, imdb and tmdb id 0, empty people or certificate."""

    ids: np.ndarray  # (I,) external film ids
    titles: tuple[str, ...]  # as people say them: "The Matrix"
    years: np.ndarray  # (I,)
    genres: np.ndarray  # (I, G) bool
    genre_names: tuple[str, ...]
    directors: tuple[tuple[str, ...], ...]
    actors: tuple[tuple[str, ...], ...]
    certificates: tuple[str, ...]
    minutes: np.ndarray  # (I,) float, running time
    imdb_ids: np.ndarray  # (I,)
    tmdb_ids: np.ndarray  # (I,)
    text: tuple[str, ...] = ()  # overview and plot, only while training; never stored
    also: tuple[tuple[str, ...], ...] = ()  # other titles of each film, such as the original one
    in_colour: np.ndarray = field(default_factory=lambda: np.empty(0, bool))  # (I,) bool, false where known or suspected to be black and white
    stars: np.ndarray = field(default_factory=lambda: np.empty(0))  # (I,) mean of all raters, where there are enough to publish it
    raters: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))  # (I,) people, where there are enough to publish them

    def __post_init__(self) -> None:
        n = len(self.ids)
        if not self.also:
            object.__setattr__(self, "also", ((),) * n)
        if not len(self.in_colour):
            object.__setattr__(self, "in_colour", np.ones(n, bool))
        if not len(self.stars):
            object.__setattr__(self, "stars", np.full(n, np.nan))
        if not len(self.raters):
            object.__setattr__(self, "raters", np.zeros(n, np.int64))
        for name in (
            "titles",
            "years",
            "genres",
            "directors",
            "actors",
            "certificates",
            "minutes",
            "imdb_ids",
            "tmdb_ids",
            "in_colour",
            "stars",
            "raters",
        ):
            if len(getattr(self, name)) != n:
                raise ValueError(f"{name} has {len(getattr(self, name))} rows, ids has {n}; wanted equal numbers")
        for name in ("text", "also"):
            if getattr(self, name) and len(getattr(self, name)) != n:
                raise ValueError(f"{name} has {len(getattr(self, name))} rows, ids has {n}; wanted equal numbers or none")
        if self.genres.shape != (n, len(self.genre_names)):
            raise ValueError(f"genres has shape {self.genres.shape}, wanted {(n, len(self.genre_names))}")
        ids, counts = np.unique(self.ids, return_counts=True)
        if n and counts.max() > 1:
            raise ValueError(f"film id {ids[counts.argmax()]} stands {counts.max()} times, wanted once")

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {int(id_): n for n, id_ in enumerate(self.ids)}

    def index(self, film_id: int) -> int:
        """The item number of an external film id."""
        try:
            return self._numbers[int(film_id)]
        except KeyError:
            raise KeyError(f"film id {film_id} is not in the catalogue of {len(self)} films") from None

    def genres_of(self, item: int) -> tuple[str, ...]:
        return tuple(name for name, has in zip(self.genre_names, self.genres[item], strict=True) if has)

    def genre(self, name: str) -> int:
        """The column of a genre, upper and lower case alike."""
        for g, known in enumerate(self.genre_names):
            if known.lower() == name.lower():
                return g
        raise KeyError(f"genre {name!r} is unknown, wanted one of {', '.join(self.genre_names)}")

    @cached_property
    def people(self) -> dict[str, tuple[int, ...]]:
        """Director or actor -> the films they are in."""
        films: dict[str, list[int]] = {}
        for item in range(len(self)):
            for name in dict.fromkeys((*self.directors[item], *self.actors[item])):
                films.setdefault(name, []).append(item)
        return {name: tuple(items) for name, items in films.items()}

    @cached_property
    def linking_people(self) -> tuple[str, ...]:
        """Directors and actors of at least two films, in order of name: the others link nothing."""
        return tuple(sorted(name for name, films in self.people.items() if len(films) >= 2))

    @cached_property
    def named_features(self) -> tuple[tuple[ReasonKind, str], ...]:
        """What the first features of films are named by, in the order of their columns: genres, then people who link films."""
        return (*(("genre", name) for name in self.genre_names), *(("person", name) for name in self.linking_people))

    @cached_property
    def films_by_genre(self) -> np.ndarray:  # float32 (G, I)
        """`genres` turned, to be multiplied with points for each genre."""
        return self.genres.astype(np.float32).T

    def allowed(self, certificate: str | None) -> np.ndarray:  # (I,) bool
        """Films whose certificate is known and no stricter than `certificate`; all films for None."""
        if certificate is None:
            return np.ones(len(self), bool)
        if certificate not in CERTIFICATES:
            raise ValueError(f"certificate is {certificate!r}, wanted one of {', '.join(CERTIFICATES)}")
        return self._severity <= CERTIFICATES.index(certificate)

    @cached_property
    def _severity(self) -> np.ndarray:  # (I,) place in CERTIFICATES, behind all of them where unknown
        return np.array([CERTIFICATES.index(c) if c in CERTIFICATES else len(CERTIFICATES) for c in self.certificates], np.int8)

    def fits(self, filters: Filters) -> np.ndarray:  # (I,) bool
        """Films that pass all filters."""
        fit = self.allowed(filters.certificate)
        if filters.genre:
            fit &= self.genres[:, self.genre(filters.genre)]
        if filters.minutes:
            fit &= self.minutes <= filters.minutes
        if filters.decade is not None:
            fit &= (self.years >= filters.decade) & (self.years < filters.decade + 10)
        if filters.stars is not None:
            fit &= self.stars >= filters.stars
        if filters.fame:
            fit &= self._fame == FAME.index(filters.fame)
        return fit & self.in_colour if filters.in_colour else fit

    @cached_property
    def _fame(self) -> np.ndarray:  # (I,) place in FAME
        rated = self.raters[self.raters > 0]
        lowest, highest = np.quantile(rated, [0.25, 0.75]) if len(rated) else (0, 0)
        return np.where(self.raters == 0, 2, np.where(self.raters >= highest, 0, np.where(self.raters >= lowest, 1, 2)))

    @cached_property
    def decades(self) -> tuple[int, ...]:
        """First years of the decades in which any film was made, oldest first."""
        return tuple(int(d) for d in np.unique(self.years[self.years > 0] // 10 * 10))

    @cached_property
    def _titles(self) -> tuple[Names, np.ndarray]:
        """All titles, then all other titles; and the item number of each."""
        items = [*range(len(self)), *(i for i, also in enumerate(self.also) for _ in also)]
        names = [*self.titles, *(title for also in self.also for title in also)]
        return Names(names, [str(self.years[i]) for i in items]), np.array(items, np.int64)

    @cached_property
    def _people(self) -> tuple[Names, list[tuple[int, ...]]]:
        return Names(list(self.people)), list(self.people.values())

    def search(self, words: str, k: int = 20, cutoff: float = 70) -> list[int]:
        """Up to k item numbers for a title or a person's name, best first, typing errors forgiven.

        Likeness is that of Names, 0 to 100. A person's films come newest first; a title wins over a name that fits as well.
        """
        titles, items = self._titles
        best = np.zeros(len(self))
        np.maximum.at(best, items, titles.likeness(words))
        people, films = self._people
        likeness = people.likeness(words)
        for p in np.argsort(-likeness, kind="stable")[:3]:
            if likeness[p] >= max(cutoff, 77):
                own = list(films[p])
                best[own] = np.maximum(best[own], likeness[p] - 6)
        order = np.lexsort((-self.years, -best))[:k]
        return [int(i) for i in order if best[i] >= cutoff]

    @cached_property
    def _exact(self) -> tuple[dict[str, list[int]], ...]:
        """Plain title -> items: by title, by other title, by title without its article."""
        tables: tuple[dict[str, list[int]], ...] = ({}, {}, {})
        for i, title in enumerate(self.titles):
            tables[0].setdefault(plain(title), []).append(i)
            tables[2].setdefault(without_article(plain(title)), []).append(i)
            for other in self.also[i]:
                tables[1].setdefault(plain(other), []).append(i)
        return tables

    def called(self, title: str) -> list[int]:
        """The films of exactly this title, else of this other title, else of this title without its article; a year in brackets has to be theirs."""
        words, year = _dated(title)
        named = ([i for i in table.get(plain(words), ()) if year in (None, self.years[i])] for table in self._exact)
        return next(filter(None, named), [])

    def likest(self, title: str, k: int = 20) -> list[tuple[int, float]]:
        """The k films whose title, or other title, is most like this one, with that likeness (see Names); the likest first."""
        names, items = self._titles
        best = np.zeros(len(self))
        np.maximum.at(best, items, names.likeness(title))
        return [(int(i), float(best[i])) for i in np.lexsort((-self.years, -best))[:k]]

    def named(self, title: str) -> int:
        """The one film a person means by `title` (a year in brackets decides between namesakes); the nearest are named where none fits."""
        films = self.called(title)
        if len(films) == 1:
            return films[0]
        if films:
            raise KeyError(f"title {title!r} names {len(films)} films, add the year: {self._list(films)}")
        nearest = self._list(self.search(_dated(title)[0], k=5))
        raise KeyError(f"title {title!r} is not in the catalogue{f'; did you mean: {nearest}' if nearest else ''}")

    def _list(self, items: list[int]) -> str:
        return "; ".join(f"{self.titles[i]} ({self.years[i]})" for i in items[:5])


def _dated(title: str) -> tuple[str, int | None]:
    """A title without the year in brackets behind it, and that year: "Heat (1995)" -> ("Heat", 1995)."""
    found = re.fullmatch(r"(.+?)\s*\((\d{4})\)\s*", title)
    return (found[1], int(found[2])) if found else (title, None)
