"""Names for groups of films, drawn from the facts of the catalogue: the description that tells most about who is in and who is not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import log

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import xlogy

from recommender.catalog import Catalog

HALF, QUARTER = 0.5, 0.25  # of a group's films: for which a name must hold, and each side of its "and"
RATED, FAMOUS = 2 / 3, 3 / 4  # quantiles of stars and of raters, among the films told apart, from which a film is highly rated or famous
FEW = 8  # films of which a kind must consist

# genre -> as it stands before a noun, and as a noun; the order says which of two genres is the noun: the later one
WORDS = {
    "Children's": ("children's", "children's films"),
    "Animation": ("animated", "animated films"),
    "Action": ("action", "action films"),
    "Crime": ("crime", "crime films"),
    "War": ("war", "war films"),
    "Romance": ("romantic", "romances"),
    "Fantasy": ("fantasy", "fantasy films"),
    "Horror": ("horror", "horror films"),
    "Sci-Fi": ("science fiction", "science fiction films"),
    "Adventure": ("adventure", "adventures"),
    "Mystery": ("mystery", "mysteries"),
    "Film-Noir": ("noir", "film noir"),
    "Thriller": ("thriller", "thrillers"),
    "Drama": ("dramatic", "dramas"),
    "Musical": ("musical", "musicals"),
    "Comedy": ("comic", "comedies"),
    "Western": ("western", "westerns"),
    "Documentary": ("documentary", "documentaries"),
}


@dataclass(frozen=True, eq=False)
class Facts:
    """Facts that may describe a film, of one sort: a phrase each, the films (n, K) it holds for, and of how many parts it is made."""

    phrases: list[str]
    holds: np.ndarray  # (n, K) bool
    parts: np.ndarray  # (n,)

    @classmethod
    def of(cls, table: list[tuple[str, np.ndarray, int]]) -> Facts:
        return cls([phrase for phrase, *_ in table], np.stack([holds for _, holds, _ in table]), np.array([parts for *_, parts in table]))


@dataclass(frozen=True, eq=False)
class Name:
    """What a group is called, the films (K,) of which that is true, and its share of the group's own and of all films that shape the groups."""

    text: str
    holds: np.ndarray
    inside: float
    overall: float


@dataclass(frozen=True, eq=False)
class Films:
    """The films that are told apart, K parallel rows: item number, group (-1 for films that shape none), mean stars, raters."""

    items: np.ndarray
    groups: np.ndarray
    stars: np.ndarray
    raters: np.ndarray

    @property
    def shaping(self) -> np.ndarray:  # (K,) bool
        return self.groups >= 0

    @cached_property
    def member(self) -> np.ndarray:  # (N, K) bool
        return self.groups == np.arange(self.groups.max() + 1)[:, None]

    def filled(self, holds: np.ndarray) -> np.ndarray:  # (N,) bool
        """Of which groups a fact (K,) fills a quarter."""
        return self.member @ holds.astype(np.float64) >= QUARTER * self.member.sum(axis=1)


def name_groups(films: Films, catalog: Catalog) -> list[Name]:
    """One name for each group of films.

    Every name is [how it was received] [kind] [era]. Among those that hold for half of a group's films or more, the groups get different names
    with the most information in all: G2 of name and membership (Dunning, Computational Linguistics 19(1), 1993), less log n of the n films for
    each part of the name, as BIC charges for a parameter.
    """
    member, sizes, n = films.member, films.member.sum(axis=1)[:, None, None], int(films.shaping.sum())
    received, (eras, when) = _received(films), _eras(catalog.years[films.items], films)
    names: list[tuple[tuple[str, str, str], tuple[np.ndarray, ...]]] = []
    gains, inside, overall = [], [], []
    for phrase, liked, part in zip(received.phrases, received.holds, received.parts):
        kinds, fits = _kinds(catalog, films, people=not phrase)
        of, in_era = (kinds.holds & liked).astype(np.float32), eras.holds.T.astype(np.float32)
        both = np.stack([of[:, own] @ in_era[own] for own in member])  # (N, kinds, eras) films
        total = of[:, films.shaping] @ in_era[films.shaping]
        gain = _information(both, total, sizes, n) - log(n) * (part + kinds.parts[:, None] + eras.parts)
        true = (both >= HALF * sizes) & fits.T[:, :, None] & when.T[:, None, :]
        gains.append(np.where(true, gain, -np.inf).reshape(len(member), -1))
        inside.append((both / sizes).reshape(len(member), -1))
        overall.append((total / n).ravel())
        names += [
            ((phrase, kind, era), (liked, is_kind, is_era))
            for kind, is_kind in zip(kinds.phrases, kinds.holds)
            for era, is_era in zip(eras.phrases, eras.holds)
        ]
    return _assigned(names, np.hstack(gains), np.hstack(inside), np.concatenate(overall))


def _assigned(
    names: list[tuple[tuple[str, str, str], tuple[np.ndarray, ...]]], gains: np.ndarray, inside: np.ndarray, overall: np.ndarray
) -> list[Name]:
    """Different names for the groups, so that their gains (N, D) sum to the most; a group for which none is left is called mixed films."""
    groups, chosen = linear_sum_assignment(np.where(np.isfinite(gains), gains, -1e9), maximize=True)
    found = []
    for g, d in zip(groups.tolist(), chosen.tolist()):
        words, parts = names[d]
        text, holds = " ".join(filter(None, words)), np.logical_and.reduce(parts)
        if np.isfinite(gains[g, d]):
            found.append(Name(text[0].upper() + text[1:], holds, float(inside[g, d]), float(overall[d])))
        else:
            found.append(Name(f"Mixed films, {g + 1}", np.ones_like(holds), 1.0, 1.0))
    return found


def _information(both: np.ndarray, total: np.ndarray, sizes: np.ndarray, n: int) -> np.ndarray:
    """G2 of two traits of n films from the numbers that have both, the first and the second; below 0 where they shun each other."""
    found = 0.0
    for a, b, ab in ((total, sizes, both), (total, n - sizes, total - both), (n - total, sizes, sizes - both)):
        found = found + xlogy(ab, n * ab / np.maximum(a * b, 1))
    rest = n - total - sizes + both
    found = 2 * (found + xlogy(rest, n * rest / np.maximum((n - total) * (n - sizes), 1)))
    return np.where(both * n > total * sizes, found, -found)


def _received(films: Films) -> Facts:
    everything, among = np.ones(len(films.items), bool), films.shaping
    rated = films.stars >= np.quantile(films.stars[among], RATED)
    famous = films.raters >= np.quantile(films.raters[among], FAMOUS)
    return Facts.of([("", everything, 0), ("highly rated", rated, 1), ("famous", famous, 1)])


def _kinds(catalog: Catalog, films: Films, people: bool) -> tuple[Facts, np.ndarray]:
    """Genres, two in one film, either of two, or with `people` a genre or a person; and for which groups each may stand (n, N): of two, both
    fill a quarter."""
    genres = {name: has for name, has in zip(catalog.genre_names, catalog.genres[films.items].T) if has.sum() >= FEW}
    persons = {name: np.isin(films.items, of) for name, of in catalog.people.items() if people and len(of) >= FEW}
    filled = {name: films.filled(holds) for name, holds in (genres | persons).items()}
    everywhere = np.ones(len(films.member), bool)
    table = [("films", np.ones(len(films.items), bool), 0, everywhere), *((_noun(name), holds, 1, everywhere) for name, holds in genres.items())]
    for a, b in combinations(sorted(genres, key=_place), 2):
        if (genres[a] & genres[b]).sum() >= FEW:
            table.append((f"{_words(a)[0]} {_noun(b)}", genres[a] & genres[b], 2, everywhere))
        table.append((_either(a, b), genres[a] | genres[b], 2, filled[a] & filled[b]))
    for person in (name for name in persons if filled[name].any()):
        table += [(f"{_noun(name)} and {person}", of | persons[person], 2, filled[name] & filled[person]) for name, of in genres.items()]
    return _possible(table)


def _possible(table: list[tuple[str, np.ndarray, int, np.ndarray]]) -> tuple[Facts, np.ndarray]:
    """The facts that hold for a film and may stand for a group, and for which groups (n, N)."""
    table = [row for row in table if row[1].any() and row[3].any()]
    return Facts.of([row[:3] for row in table]), np.stack([row[3] for row in table])


def _place(genre: str) -> int:
    return list(WORDS).index(genre) if genre in WORDS else -1


def _words(genre: str) -> tuple[str, str]:
    return WORDS.get(genre, (genre.lower(), f"{genre.lower()} films"))


def _noun(genre: str) -> str:
    return _words(genre)[1]


def _either(a: str, b: str) -> str:
    """Films of either genre: "romances and musicals", "children's and animated films"."""
    if _noun(a).endswith(" films") and _noun(b).endswith(" films"):
        return f"{_words(a)[0]} and {_noun(b)}"
    return f"{_noun(a)} and {_noun(b)}"


def _eras(years: np.ndarray, films: Films) -> tuple[Facts, np.ndarray]:
    """Years, halves of decades, decades, two in a row, and all before one where that is at most half of the films; and for which groups
    each may stand (n, N): of two decades, both fill a quarter."""
    everywhere = np.ones(len(films.member), bool)
    within = lambda first, after: (years >= first) & (years < after)
    table = [("", np.ones(len(years), bool), 0, everywhere)]
    table += [(f"of {y}", years == y, 1, everywhere) for y in np.unique(years[years > 0]).tolist()]
    for d in np.unique(years[years > 0] // 10 * 10).tolist():
        spans = {"the": (d, d + 10), "the early": (d, d + 5), "the late": (d + 5, d + 10)}
        table += [(f"of {which} {_decade(d)}", within(*span), 1, everywhere) for which, span in spans.items()]
        both = films.filled(within(d, d + 10)) & films.filled(within(d + 10, d + 20))
        table.append((f"of the {_decade(d)} and {_decade(d + 10)}", within(d, d + 20), 1, both))
        table.append((f"from before {d}", within(1, d), 1, everywhere & (within(1, d)[films.shaping].mean() <= HALF)))
    return _possible(table)


def _decade(first: int) -> str:
    return f"{first % 100}s" if 1920 <= first < 2000 else f"{first}s"
