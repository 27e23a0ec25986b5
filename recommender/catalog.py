"""What the films are, and finding one by what people type."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rapidfuzz import fuzz, process, utils

from recommender.types import CERTIFICATES


@dataclass(frozen=True, eq=False)
class Catalog:
    """Parallel facts of I films. Unknown: year 0, minutes nan, imdb and tmdb id 0, empty people or certificate."""

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

    def __post_init__(self) -> None:
        n = len(self.ids)
        for name in ("titles", "years", "genres", "directors", "actors", "certificates", "minutes", "imdb_ids", "tmdb_ids"):
            if len(getattr(self, name)) != n:
                raise ValueError(f"{name} has {len(getattr(self, name))} rows, ids has {n}; wanted equal numbers")
        if not self.also:
            object.__setattr__(self, "also", ((),) * n)
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

    def allowed(self, certificate: str | None) -> np.ndarray:  # (I,) bool
        """Films whose certificate is known and no stricter than `certificate`; all films for None."""
        if certificate is None:
            return np.ones(len(self), bool)
        if certificate not in CERTIFICATES:
            raise ValueError(f"certificate is {certificate!r}, wanted one of {', '.join(CERTIFICATES)}")
        mild = CERTIFICATES[: CERTIFICATES.index(certificate) + 1]
        return np.array([c in mild for c in self.certificates])

    @cached_property
    def _search_keys(self) -> tuple[list[str], list[str], list[str]]:
        titles = [utils.default_process(t) for t in self.titles]
        people = list(self.people)
        return titles, people, [utils.default_process(p) for p in people]

    def search(self, words: str, k: int = 20, cutoff: float = 70) -> list[int]:
        """Up to k item numbers for a title or a person's name, best first, typing errors forgiven.

        Scores are rapidfuzz similarities (0 to 100); a person's films come in order of year, newest first.
        """
        wanted = utils.default_process(words)
        if not wanted:
            return []
        titles, people, people_keys = self._search_keys
        best: Counter[int] = Counter()
        for _, similarity, item in process.extract(wanted, titles, scorer=_likeness, limit=k, score_cutoff=cutoff):
            best[item] = similarity
        for _, similarity, p in process.extract(wanted, people_keys, scorer=_likeness, limit=3, score_cutoff=max(cutoff, 80)):
            for item in self.people[people[p]]:
                best[item] = max(best[item], similarity - 1)  # a title wins over a name when both fit alike
        return sorted(best, key=lambda i: (-best[i], -self.years[i]))[:k]

    def named(self, title: str) -> int:
        """The one film a person means by `title` (a year in brackets decides between namesakes); the nearest are named where none fits."""
        found = self.search(title.rsplit("(", 1)[0] if title.rstrip().endswith(")") else title, k=8)
        plain = utils.default_process(title)
        exact = [i for i in found if plain in (utils.default_process(self.titles[i]), utils.default_process(f"{self.titles[i]} ({self.years[i]})"))]
        if len(exact) == 1:
            return exact[0]
        nearest = "; ".join(f"{self.titles[i]} ({self.years[i]})" for i in (exact or found)[:5])
        if exact:
            raise KeyError(f"title {title!r} names {len(exact)} films, add the year: {nearest}")
        raise KeyError(f"title {title!r} is not in the catalogue{f'; did you mean: {nearest}' if nearest else ''}")


def _likeness(a: str, b: str, *, score_cutoff: float = 0, **_) -> float:
    """Whole-string likeness, or that of the typed words as a beginning or part of a longer name."""
    whole = fuzz.ratio(a, b)
    part = 0.0
    if len(a) >= 3 and len(b) > len(a):
        part = fuzz.partial_ratio(a, b) * (0.97 if b.startswith(a) else 0.9)
    words = fuzz.token_sort_ratio(a, b) * 0.95
    best = max(whole, part, words)
    return best if best >= score_cutoff else 0.0
