"""Entries of somebody's film history -> films of the catalogue: by number, by title and year, by a near title; in doubt it is left to the person.

A wrong film in a profile is worse than a question, so a title alone never decides: the year has to fit, remakes and namesakes stay apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
from rapidfuzz import fuzz, process

from recommender.catalog import Catalog
from recommender.load import titles
from recommender.load.exports import Entry, stronger
from recommender.names import plain, without_article

How = Literal["imdb", "tmdb", "title and year", "near title", "by hand"]
CHOICES = 5
SURE = 92.0  # likeness from which a near title of the same year is taken
CLEAR = 5.0  # by so much the next film has to be less like it
NEAR = 82.0  # likeness from which a film is offered as a choice
FAR_YEARS = 5  # the same title within so many years is offered as a choice
TELLING = 12  # letters of a title that hardly stands for two films: enough to be taken one year off, or for a longer title that it is part of
_PART, _SCRAP, _BOTH = 0.97, 0.88, 0.86  # what likeness counts of a telling part of a title, of any other part, and between two parts
_SHORTEST = 6  # letters of a title, or of a part of one, that may be near another
_LONGEST, _MOST_FORMS = 100, 4  # letters of a title that are compared; a title and its parts
_BLOCK = 1_000  # titles compared at once
_BREAK = re.compile(r":\s|\s[-–—]\s|\s?[()]\s?")  # between parts: "Star Wars: Episode IV - A New Hope"
_OWNED = re.compile(r"(?<=\w)['’]s\s|/")  # before or after which less of a part stands: "Bram Stoker's Dracula"
_WORDS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10"}
_NUMBERS = {**_WORDS, "v": "5", "x": "10"}


@dataclass(frozen=True)
class Match:
    """An entry and its film; likeness of the titles, 0 to 100."""

    entry: Entry
    item: int
    how: How
    likeness: float


@dataclass(frozen=True)
class Choice:
    """A film that an entry may mean; likeness of the titles, 0 to 100."""

    item: int
    likeness: float


@dataclass(frozen=True)
class Unclear:
    """An entry and up to CHOICES films that it may mean, likeliest first."""

    entry: Entry
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Matching:
    """What became of each entry; every entry stands in one of the four, and no film is matched twice.

    repeated: entries for a film of which a stronger entry is matched (a rating beats watched, watched beats listed, later beats earlier).
    """

    matched: tuple[Match, ...] = ()
    unclear: tuple[Unclear, ...] = ()
    absent: tuple[Entry, ...] = ()
    repeated: tuple[Match, ...] = ()

    def decided(self, picks: Mapping[int, int | None]) -> Matching:
        """The same after a person's word on unclear ones: place in `unclear` -> item number, or None for none of them. Raises ValueError."""
        for place, item in picks.items():
            offered = [choice.item for choice in self.unclear[place].choices] if 0 <= place < len(self.unclear) else []
            if not offered or item not in (None, *offered):
                raise ValueError(f"pick is {item} for unclear entry {place}, wanted one of {offered or f'0 to {len(self.unclear) - 1}'}")
        chosen = [(self.unclear[place], item) for place, item in picks.items()]
        new = [Match(u.entry, c.item, "by hand", c.likeness) for u, item in chosen for c in u.choices if c.item == item]
        matched, repeated = _strongest([*self.matched, *new])
        unclear = tuple(u for place, u in enumerate(self.unclear) if place not in picks)
        return Matching(matched, unclear, (*self.absent, *(u.entry for u, item in chosen if item is None)), (*self.repeated, *repeated))


def match(entries: Iterable[Entry], catalog: Catalog) -> Matching:
    """Find the film of each entry.

    Certain: the IMDb number, else the TMDB number, else the title (or another title) without accents and punctuation in the same year; a TELLING
    title may differ in its article. Taken where nothing certain names the same film and no entry of another title or year does: a TELLING title
    one year off; a TELLING one of the same year that is SURE and CLEAR and has the same numbers in it. Unclear, with choices: the same title within
    FAR_YEARS years or of unknown year, and all that is NEAR within a year. A film with another number at IMDb or TMDB than the entry's is
    never taken by its title. All others are absent.
    """
    index = _Index(catalog)
    certain: list[Match] = []
    likely: list[tuple[Match, tuple[Choice, ...]]] = []
    unclear: list[Unclear] = []
    rest: list[Entry] = []
    for entry in entries:
        found = index.by_number(entry) or index.by_title(entry)
        if isinstance(found, Match) and (found.how != "title and year" or catalog.years[found.item] == entry.year):
            certain.append(found)
        elif isinstance(found, Match):
            likely.append((found, (Choice(found.item, found.likeness),)))
        elif found:
            unclear.append(Unclear(entry, found))
        else:
            rest.append(entry)
    absent: list[Entry] = []
    for entry, choices in index.near(rest):
        if not choices:
            absent.append(entry)
        elif index.is_sure(entry, choices):
            likely.append((Match(entry, choices[0].item, "near title", choices[0].likeness), choices))
        else:
            unclear.append(Unclear(entry, choices))
    taken = {m.item for m in certain}
    claims: dict[int, set[tuple[str, int]]] = {}
    for m, _ in likely:
        claims.setdefault(m.item, set()).add((m.entry.title, m.entry.year))
    alone = {item for item, claim in claims.items() if item not in taken and len(claim) == 1}
    matched, repeated = _strongest([*certain, *(m for m, _ in likely if m.item in alone)])
    unclear += [Unclear(m.entry, choices) for m, choices in likely if m.item not in alone]
    return Matching(matched, tuple(unclear), tuple(absent), repeated)


def _strongest(matches: Sequence[Match]) -> tuple[tuple[Match, ...], tuple[Match, ...]]:
    """(one match a film, the weaker ones)."""
    best: dict[int, Match] = {}
    weaker: list[Match] = []
    for m in matches:
        old = best.get(m.item)
        if old is None or stronger(m.entry, old.entry):
            best[m.item] = m
            weaker += [old] if old else []
        else:
            weaker.append(m)
    return tuple(best.values()), tuple(weaker)


# ---- titles


def _key(title: str) -> str:
    """What two ways to write a title have in common: "The X-Files" and "X Files" -> "xfiles"."""
    words = without_article(plain(title.replace("+", " and "))).split()
    return "".join(_WORDS.get(word, word) for word in words)[:_LONGEST]


def _fronted(title: str) -> str:
    """A title with its article in front: "Matrix, The" -> "The Matrix"."""
    return titles.parse(title)[0] if "," in title and "(" not in title else title


def _forms(title: str) -> list[tuple[str, float]]:
    """(key, what its likeness counts) of a title as a whole, and of its parts that are long enough to tell it by."""
    forms = {_key(_fronted(title)): 1.0}
    for cut, most in ((_BREAK, _PART), (_OWNED, _SCRAP)):
        for key in map(_key, cut.split(title, _MOST_FORMS)):
            if len(key) >= _SHORTEST:
                forms.setdefault(key, most if len(key) >= TELLING else _SCRAP)
    return list(forms.items())[:_MOST_FORMS]


def _numbers(title: str) -> list[str]:
    """The numbers in a title, in order: those of "Rocky V" and of "Rocky" differ."""
    words = plain(title).split()
    return [digits for n, word in enumerate(words) for digits in re.findall(r"\d+", _NUMBERS.get(word, word) if n else word)]


class _Index:
    """The titles of a catalogue, prepared for matching."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._imdb = {int(n): i for i, n in enumerate(catalog.imdb_ids) if n}
        self._tmdb = {int(n): i for i, n in enumerate(catalog.tmdb_ids) if n}
        self._items: dict[str, list[int]] = {}
        rows = []
        for i in np.argsort(catalog.years, kind="stable").tolist():
            for name in dict.fromkeys((catalog.titles[i], *catalog.also[i])):
                forms = _forms(name)
                items = self._items.setdefault(forms[0][0], [])
                items += [] if i in items else [i]
                rows += [(key, i, counts) for key, counts in forms]
        self._items.pop("", None)
        self._keys = [key for key, _, _ in rows]
        self._item = np.array([i for _, i, _ in rows], np.int64)
        self._counts = np.array([counts for _, _, counts in rows], np.float32)
        self._year = catalog.years[self._item]

    def by_number(self, entry: Entry) -> Match | None:
        """The film with the entry's number at IMDb, else at TMDB."""
        for how, number, known in (("imdb", entry.imdb, self._imdb), ("tmdb", entry.tmdb, self._tmdb)):
            if number in known and not (how == "tmdb" and self._differs(entry, known[number])):
                return Match(entry, known[number], how, 100.0)  # type: ignore[arg-type]
        return None

    def by_title(self, entry: Entry) -> Match | tuple[Choice, ...]:
        """The one film of the same title in the same year, else one year off; else the films that have the title, with some years between."""
        title = _fronted(entry.title)
        key = _key(title)
        items = [i for i in self._items.get(key, []) if not entry.year or abs(self._catalog.years[i] - entry.year) <= FAR_YEARS]
        items.sort(key=lambda i: abs(self._catalog.years[i] - entry.year))
        for apart in (0, 1) if len(key) >= TELLING else (0,):
            found = [i for i in items if abs(self._catalog.years[i] - entry.year) <= apart]
            if len(found) > 1:  # "The Boys" and "Les Boys" of one year
                found = [i for i in found if plain(self._catalog.titles[i]) == plain(title)] or found
            if len(found) == 1 and (len(key) >= TELLING or self._is_called(found[0], title)) and not self._differs(entry, found[0]):
                return Match(entry, found[0], "title and year", 100.0)
            if found:
                break
        return tuple(Choice(i, 100.0) for i in items if i in found or not self._differs(entry, i))[:CHOICES]

    def _is_called(self, item: int, title: str) -> bool:
        """Whether the film has this title, article and all, or an other title like it."""
        return any(plain(_fronted(name)) == plain(title) for name in (self._catalog.titles[item], *self._catalog.also[item]))

    def _differs(self, entry: Entry, item: int) -> bool:
        """Whether the film is known by another number than the entry's."""
        pairs = ((entry.imdb, self._catalog.imdb_ids[item]), (entry.tmdb, self._catalog.tmdb_ids[item]))
        return any(ours and theirs and ours != theirs for ours, theirs in pairs)

    def near(self, entries: Sequence[Entry]) -> Iterable[tuple[Entry, tuple[Choice, ...]]]:
        """Each entry with the films within a year whose title, or a part of it, is NEAR its own; likest first, those of the same year before."""
        by_year: Callable[[Entry], int] = lambda entry: entry.year
        for year, group in groupby(sorted(entries, key=by_year), by_year):
            low, high = np.searchsorted(self._year, [year - 1, year + 2]) if year else (0, 0)
            same_year = list(group)
            for start in range(0, len(same_year), _BLOCK):
                yield from self._near(same_year[start : start + _BLOCK], slice(int(low), int(high)))

    def _near(self, entries: Sequence[Entry], window: slice) -> Iterable[tuple[Entry, tuple[Choice, ...]]]:
        forms = [(n, key, counts) for n, entry in enumerate(entries) for key, counts in _forms(entry.title)]
        own = np.array([n for n, _, _ in forms])
        likeness = process.cdist([key for _, key, _ in forms], self._keys[window], scorer=fuzz.ratio, score_cutoff=NEAR, dtype=np.float32)
        ours, theirs = np.array([counts for _, _, counts in forms], np.float32)[:, None], self._counts[window]
        likeness *= np.where((ours < 1) & (theirs < 1), np.float32(_BOTH), np.minimum(ours, theirs))
        items, place = np.unique(self._item[window], return_inverse=True)
        best = np.zeros((len(items), len(entries)), np.float32)
        by_entry = np.maximum.reduceat(likeness, np.searchsorted(own, np.arange(len(entries))), axis=0) if likeness.size else likeness[:0]
        if likeness.size:
            np.maximum.at(best, place, by_entry.T)
        off = self._catalog.years[items]
        for n, entry in enumerate(entries):
            candidates = [i for i in np.flatnonzero(best[:, n] >= NEAR) if not self._differs(entry, int(items[i]))]
            candidates.sort(key=lambda i: (-best[i, n], abs(off[i] - entry.year)))
            long = len(_key(_fronted(entry.title))) >= _SHORTEST
            yield entry, tuple(Choice(int(items[i]), round(float(best[i, n]), 1)) for i in candidates[:CHOICES]) if long else ()

    def is_sure(self, entry: Entry, choices: tuple[Choice, ...]) -> bool:
        """Whether the first choice is the film: TELLING, SURE, CLEAR, of the same year, and with the same numbers in its title."""
        first, after = choices[0], choices[1].likeness if len(choices) > 1 else 0.0
        names = (self._catalog.titles[first.item], *self._catalog.also[first.item])
        like = (name for name in names if any(fuzz.ratio(a, b) >= SURE for a, _ in _forms(entry.title) for b, _ in _forms(name)))
        return (
            first.likeness >= SURE
            and len(_key(entry.title)) >= TELLING
            and first.likeness - after >= CLEAR
            and self._catalog.years[first.item] == entry.year
            and any(_numbers(entry.title) == _numbers(name) for name in like)
        )
