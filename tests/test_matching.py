"""Entries of a film history and the films of the catalogue: cases by hand, laws, and how often a title is taken for another film's."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from recommender.catalog import Catalog
from recommender.load import read_films, titles
from recommender.load.exports import Entry, stronger
from recommender.load.matching import CHOICES, Matching, match
from recommender.settings import ROOT, settings

FILMS = (  # title, year, imdb, tmdb, other titles
    ("Heat", 1995, 113277, 949, ()),
    ("The Matrix", 1999, 133093, 603, ()),
    ("Hamlet", 1990, 99726, 0, ()),
    ("Hamlet", 1996, 116477, 10549, ()),
    ("Il Postino", 1994, 110877, 11010, ("The Postman",)),
    ("The Postman", 1997, 0, 0, ()),
    ("Rocky II", 1979, 0, 0, ()),
    ("Rocky V", 1990, 0, 0, ()),
    ("The Texas Chainsaw Massacre", 1974, 0, 0, ()),
    ("Interview with the Vampire", 1994, 0, 0, ()),
    ("Bram Stoker's Dracula", 1992, 0, 0, ()),
    ("The Hunted", 1995, 0, 0, ()),
    ("The Boys", 1997, 0, 0, ()),
    ("Les Boys", 1997, 0, 0, ()),
    ("Star Wars: Episode IV - A New Hope", 1977, 0, 0, ()),
    ("Schindler's List", 1993, 0, 0, ()),
    ("Romeo and Juliet", 1996, 0, 0, ()),
    ("A Nightmare on Elm Street", 1984, 0, 0, ()),
    ("The Princess Mononoke", 1997, 0, 0, ()),
)


def catalogue(films: tuple = FILMS) -> Catalog:
    n = len(films)
    names, years, imdb, tmdb, also = zip(*films, strict=True)
    nobody: tuple[tuple[str, ...], ...] = ((),) * n
    return Catalog(
        np.arange(1, n + 1), names, np.array(years), np.zeros((n, 0), bool), (), nobody, nobody, ("",) * n, np.full(n, np.nan), np.array(imdb),
        np.array(tmdb), also=also,
    )  # fmt: skip


CATALOGUE = catalogue()


def fate(*entries: Entry, catalog: Catalog = CATALOGUE) -> list[tuple]:
    """(title and year, what became of it) of each entry, in no order."""
    found = match(entries, catalog)
    name = lambda i: f"{catalog.titles[i]} {catalog.years[i]}"
    return [
        *((m.entry, m.how, name(m.item)) for m in found.matched),
        *((u.entry, "unclear", *(name(c.item) for c in u.choices)) for u in found.unclear),
        *((e, "absent") for e in found.absent),
        *((m.entry, "repeated", name(m.item)) for m in found.repeated),
    ]


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        (Entry("whatever", 1900, imdb=113277), ("imdb", "Heat 1995")),
        (Entry("whatever", 1900, tmdb=949), ("tmdb", "Heat 1995")),
        (Entry("whatever", 1900, imdb=133093, tmdb=949), ("imdb", "The Matrix 1999")),
        (Entry("Heat", 1995), ("title and year", "Heat 1995")),
        (Entry("HEAT!", 1995), ("title and year", "Heat 1995")),
        (Entry("Matrix, The", 1999), ("title and year", "The Matrix 1999")),
        (Entry("The Postman", 1997), ("title and year", "The Postman 1997")),
        (Entry("The Postman", 1994), ("title and year", "Il Postino 1994")),
        (Entry("Rocky 2", 1979), ("title and year", "Rocky II 1979")),
        (Entry("Romeo & Juliet", 1996), ("title and year", "Romeo and Juliet 1996")),
        (Entry("Romeo + Juliet", 1996), ("title and year", "Romeo and Juliet 1996")),
        (Entry("Princess Mononoke", 1997), ("title and year", "The Princess Mononoke 1997")),
        (Entry("Schindlers List", 1993), ("title and year", "Schindler's List 1993")),
        (Entry("The Texas Chainsaw Massacre", 1975), ("title and year", "The Texas Chainsaw Massacre 1974")),
        (Entry("The Texas Chain Saw Masacre", 1974), ("near title", "The Texas Chainsaw Massacre 1974")),
        (Entry("Interview with the Vampire: The Vampire Chronicles", 1994), ("near title", "Interview with the Vampire 1994")),
        (Entry("The Boys", 1997), ("title and year", "The Boys 1997")),
        (Entry("Les Boys", 1997), ("title and year", "Les Boys 1997")),
        # not enough to be sure
        (Entry("Heat", 1996), ("unclear", "Heat 1995")),
        (Entry("Matrix", 1999), ("unclear", "The Matrix 1999")),
        (Entry("The Texas Chainsaw Massacre", 1978), ("unclear", "The Texas Chainsaw Massacre 1974")),
        (Entry("The Texas Chain Saw Masacre", 1975), ("unclear", "The Texas Chainsaw Massacre 1974")),
        (Entry("Dracula", 1992), ("unclear", "Bram Stoker's Dracula 1992")),
        (Entry("Haunted", 1995), ("unclear", "The Hunted 1995")),
        (Entry("Star Wars", 1977), ("unclear", "Star Wars: Episode IV - A New Hope 1977")),
        (Entry("Rocky IV", 1990), ("unclear", "Rocky V 1990")),
        (Entry("Hamlet", 1993), ("unclear", "Hamlet 1990", "Hamlet 1996")),
        (Entry("Heat"), ("unclear", "Heat 1995")),
        (Entry("Heat", 1995, imdb=93164), ("unclear", "Heat 1995")),  # another number at IMDb
        # other films
        (Entry("Heat", 1986), ("absent",)),
        (Entry("Heat", 1996, imdb=93164), ("absent",)),
        (Entry("The Texas Chainsaw Massacre", 2003), ("absent",)),
        (Entry("A Nightmare on Elm Street", 2010), ("absent",)),
        (Entry("Hamlet", 2009), ("absent",)),
        (Entry("List", 1993), ("absent",)),
        (Entry("!!!", 1995), ("absent",)),
        (Entry("千と千尋の神隠し", 2001), ("absent",)),
    ],
    ids=lambda value: f"{value.title} {value.year} {value.imdb or ''}" if isinstance(value, Entry) else None,
)
def test_one_entry(entry: Entry, wanted: tuple) -> None:
    assert fate(entry) == [(entry, *wanted)]


def test_of_two_entries_for_a_film_the_stronger_stands_and_the_other_is_told() -> None:
    early, late = Entry("Heat", 1995, stars=4.0, at=10, kind="rating"), Entry("Heat", 1995, 113277, stars=2.0, at=20, kind="rating")
    seen, listed = Entry("Heat", 1995, at=30), Entry("Heat", 1995, at=40, kind="list")
    for order in ((early, late, seen, listed), (listed, seen, late, early)):
        found = match(order, CATALOGUE)
        assert [m.entry for m in found.matched] == [late]
        assert {m.entry for m in found.repeated} == {early, seen, listed}
        assert all(stronger(late, m.entry) and not stronger(m.entry, late) for m in found.repeated)


def test_a_guess_gives_way_to_what_is_certain_and_to_another_guess() -> None:
    sure, guess = Entry("The Texas Chainsaw Massacre", 1974), Entry("The Texas Chainsaw Massacre", 1975)
    other = Entry("The Texas Chain Saw Masacre", 1974)
    assert [kind for _, kind, _ in fate(guess)] == ["title and year"]
    assert {(e, kind) for e, kind, _ in fate(guess, sure)} == {(sure, "title and year"), (guess, "unclear")}
    assert {(e, kind) for e, kind, _ in fate(guess, other)} == {(other, "unclear"), (guess, "unclear")}
    assert {(e, kind) for e, kind, _ in fate(guess, replace(guess, at=5))} == {(replace(guess, at=5), "title and year"), (guess, "repeated")}


def test_a_person_decides_what_is_unclear() -> None:
    found = match([Entry("Hamlet", 1993), Entry("Matrix", 1999, at=9), Entry("Heat", 1996), Entry("The Matrix", 1999, at=5)], CATALOGUE)
    matrix = found.matched[0].item
    places = {u.entry.title: n for n, u in enumerate(found.unclear)}
    decided = found.decided({places["Matrix"]: matrix, places["Heat"]: None})
    assert [u.entry.title for u in decided.unclear] == ["Hamlet"]
    assert [e.title for e in decided.absent] == ["Heat"]
    assert [(m.entry.at, m.how) for m in decided.matched] == [(9, "by hand")]
    assert [m.entry.at for m in decided.repeated] == [5]
    for picks in ({places["Hamlet"]: matrix}, {3: matrix}, {-1: None}):
        with pytest.raises(ValueError, match="wanted one of"):
            found.decided(picks)


def everything(found: Matching) -> list[Entry]:
    return [*(m.entry for m in (*found.matched, *found.repeated)), *(u.entry for u in found.unclear), *found.absent]


some_titles = st.sampled_from([title for title, *_ in FILMS] + ["Matrix, The", "Dracula", "Rocky", "Rocky 5", "Chainsaw Massacre"]) | st.text(
    max_size=20
)
some_entries = st.builds(
    Entry, some_titles, st.integers(1970, 2003) | st.just(0), st.sampled_from([0, 113277, 133093, 7]), st.sampled_from([0, 949, 8]),
    at=st.integers(0, 9), kind=st.sampled_from(["rating", "watched", "list"]),
)  # fmt: skip


@effort(max_examples=200)
@given(st.lists(some_entries, max_size=12))
def test_every_entry_has_one_fate_and_every_film_one_entry(entries: list[Entry]) -> None:
    found = match(entries, CATALOGUE)
    assert Counter(everything(found)) == Counter(entries)
    items = [m.item for m in found.matched]
    assert len(set(items)) == len(items)
    assert {m.item for m in found.repeated} <= set(items)
    for u in found.unclear:
        assert 1 <= len(u.choices) <= CHOICES
        assert len({c.item for c in u.choices}) == len(u.choices)
        assert [c.likeness for c in u.choices] == sorted((c.likeness for c in u.choices), reverse=True)
    for m in found.matched:
        assert m.how in ("imdb", "tmdb") or abs(CATALOGUE.years[m.item] - m.entry.year) <= 1


def test_no_entries_and_no_films() -> None:
    assert match([], CATALOGUE) == Matching()
    assert match([Entry("Heat", 1995)], catalogue(FILMS[:1])).matched
    empty = replace(CATALOGUE, **{name: getattr(CATALOGUE, name)[:0] for name in vars(CATALOGUE) if name not in ("genre_names", "text")})
    assert match([Entry("Heat", 1995)], empty).absent == (Entry("Heat", 1995),)


# ---- how good it is, on the real catalogue: no number but title and year is told. Figures are printed by `pytest -m data -s tests/test_matching.py`

SHARED = next((folder for folder in (settings().raw, ROOT.parent / "shared" / "data") if (folder / "movie-metadata").is_dir()), settings().raw)
Case = tuple[str, int, int]  # title, year, the item it is, or -1 where the film is not in the catalogue


def share(name: str, cases: list[Case], catalog: Catalog) -> Counter[str]:
    """What became of cases: right, wrong, unclear (with the film among the choices or without), absent. Printed with shares."""
    found = match([Entry(title, year, at=n) for n, (title, year, _) in enumerate(cases)], catalog)
    fates = Counter[str]()
    for m in (*found.matched, *found.repeated):
        truth = cases[m.entry.at][2]
        fates["right" if m.item == truth else "wrong"] += 1
        if m.item != truth:
            print(f"  wrong: {m.entry.title} ({m.entry.year}) -> {catalog.titles[m.item]} ({catalog.years[m.item]}), {m.how}, {m.likeness}")
    for u in found.unclear:
        truth = cases[u.entry.at][2]
        fates["unclear, offered" if truth in [c.item for c in u.choices] else "unclear, not offered" if truth >= 0 else "unclear"] += 1
    fates["absent"] = len(found.absent)
    print(f"{name}: {len(cases)}: " + ", ".join(f"{kind} {n} ({n / len(cases):.2%})" for kind, n in sorted(fates.items())))
    return fates


def accents_off(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def article_moved(text: str) -> str:
    return re.sub(r"^(The|A|An|Les?|La|Il|Das|Der|Die|El) (.+)$", r"\2, \1", text)


def typo(text: str, rng: np.random.Generator) -> str:
    """Two neighbouring letters swapped, somewhere behind the first."""
    at = int(rng.integers(1, max(len(text) - 1, 2)))
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


DISTORTIONS: dict[str, tuple[Callable[[str, np.random.Generator], str], int]] = {  # what is done to the title, years added
    "as it is": (lambda t, _: t, 0),
    "a year later": (lambda t, _: t, 1),
    "a year earlier": (lambda t, _: t, -1),
    "article behind": (lambda t, _: article_moved(t), 0),
    "article dropped": (lambda t, _: re.sub(r"^(The|A|An) ", "", t), 0),
    "no accents": (lambda t, _: accents_off(t), 0),
    "no punctuation": (lambda t, _: re.sub(r"[^\w\s&]", "", t), 0),
    "& for and": (lambda t, _: t.replace(" and ", " & "), 0),
    "subtitle cut": (lambda t, _: re.split(r": | - ", t)[0], 0),
    "one typing error": (typo, 0),
}


@pytest.fixture(scope="module")
def films() -> Catalog:
    return read_films(settings().films)


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_the_catalogue_finds_itself_in_other_words(films: Catalog, kind: str) -> None:
    change, years = DISTORTIONS[kind]
    rng = np.random.default_rng(0)
    cases = [(change(title, rng), int(films.years[i]) + years, i) for i, title in enumerate(films.titles)]
    fates = share(kind, cases, films)
    assert fates["wrong"] <= 0.005 * len(cases)


@pytest.mark.parametrize("years", [0, 1, -1])
def test_a_film_left_out_of_the_catalogue_is_taken_for_no_other(films: Catalog, years: int) -> None:
    fold = np.random.default_rng(0).integers(0, 4, len(films))
    total = Counter[str]()
    for f in range(4):
        kept = np.flatnonzero(fold != f)
        columns = {name: [getattr(films, name)[i] for i in kept] for name in ("titles", "directors", "actors", "certificates", "also")}
        rest = Catalog(
            films.ids[kept], tuple(columns["titles"]), films.years[kept], films.genres[kept], films.genre_names, tuple(columns["directors"]),
            tuple(columns["actors"]), tuple(columns["certificates"]), films.minutes[kept], films.imdb_ids[kept], films.tmdb_ids[kept],
            also=tuple(columns["also"]),
        )  # fmt: skip
        total += share(f"left out, {years:+d} years", [(films.titles[i], int(films.years[i]) + years, -1) for i in np.flatnonzero(fold == f)], rest)
    assert total["wrong"] <= 3  # the catalogue holds some films twice, under two titles


def tmdb_5000(folder: Path, films: Catalog) -> list[Case]:
    """Titles and years as TMDB, and so Letterboxd, has them."""
    items = {int(n): i for i, n in enumerate(films.tmdb_ids) if n}
    with (folder / "movie-metadata" / "tmdb_5000_movies.csv").open(encoding="utf-8", newline="") as file:
        return [(row["title"], int(row["release_date"][:4] or 0), items.get(int(row["id"]), -1)) for row in csv.DictReader(file)]


def imdb_names(folder: Path, films: Catalog) -> list[Case]:
    """Titles and years of the catalogue's films as IMDb has them."""
    lines = (folder / "movie-metadata" / "imdb_extra.dat").read_text("utf-8").splitlines()
    return [(fields[1], int(fields[2]), films.index(int(fields[0]))) for fields in (line.split("::") for line in lines)]


def latest_small(folder: Path, films: Catalog) -> list[Case]:
    """Titles and years of a later edition; a film is one of the catalogue's if its number at IMDb or TMDB is."""
    imdb, tmdb = ({int(n): i for i, n in enumerate(ids) if n} for ids in (films.imdb_ids, films.tmdb_ids))
    with (folder / "ml-latest-small" / "links.csv").open(newline="") as file:
        links = {row["movieId"]: (int(row["imdbId"]), int(row["tmdbId"] or 0)) for row in csv.DictReader(file)}
    with (folder / "ml-latest-small" / "movies.csv").open(encoding="utf-8", newline="") as file:
        rows = [(titles.parse(row["title"]), links[row["movieId"]]) for row in csv.DictReader(file)]
    return [(title, year, imdb.get(one, tmdb.get(two, -1))) for (title, year, _), (one, two) in rows]


@pytest.mark.data
@pytest.mark.parametrize("source", [tmdb_5000, imdb_names, latest_small])
def test_titles_as_others_write_them(films: Catalog, source: Callable[[Path, Catalog], list[Case]]) -> None:
    if not (SHARED / "movie-metadata").is_dir() or not (SHARED / "ml-latest-small").is_dir():
        pytest.skip(f"film facts and ml-latest-small are not in {SHARED.name}")
    cases = source(SHARED, films)
    inside, outside = [c for c in cases if c[2] >= 0], [c for c in cases if c[2] < 0]
    fates = share(f"{source.__name__}, in the catalogue", inside, films)
    assert fates["right"] >= 0.95 * len(inside)
    assert fates["wrong"] <= 0.002 * len(inside)
    for name, some in (
        ("all others", outside),
        ("others up to 2001", [c for c in outside if c[1] <= 2001]),
        ("later ones", [c for c in outside if c[1] > 2001]),
    ):
        if some:
            assert share(f"{source.__name__}, {name}", some, films)["wrong"] <= max(8, 0.002 * len(some))
