"""The films in black and white: what the marks mean, the one line a broken file gets, and well-known films in the real file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from recommender.catalog import Catalog
from recommender.load import DataError, read_films
from recommender.load.monochrome import COLOURS, read_monochrome
from recommender.settings import ROOT, settings

HEADER = "id,title,year,colour\n"
FILMS = (
    "id,title,year,genres,directors,actors,certificate,minutes,imdb,tmdb,also\n"
    "30,King Kong,1933,,,,,,,,\n"
    "10,King Kong,1976,,,,,,,,\n"
    '20,"Women, Men",1939,,,,,,,,\n'
    "40,Untold,,,,,,,,,\n"
)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    (tmp_path / "films.csv").write_text(FILMS)
    return read_films(tmp_path / "films.csv")


def marks(folder: Path, lines: str, header: str = HEADER) -> Path:
    path = folder / "monochrome.csv"
    path.write_text(header + lines)
    return path


# ---- what the marks mean


@pytest.mark.parametrize("word", COLOURS)
def test_a_marked_film_is_not_in_colour_and_all_others_are(tmp_path: Path, catalog: Catalog, word: str) -> None:
    in_colour = read_monochrome(marks(tmp_path, f'20,"Women, Men",1939,{word}\n'), catalog)
    assert in_colour.dtype == bool
    assert in_colour.tolist() == [True, True, False, True]  # by item number, not by id


def test_marks_add_up_in_any_order(tmp_path: Path, catalog: Catalog) -> None:
    lines = ["40,Untold,,bw\n", '20,"Women, Men",1939,part\n']
    one_way, other_way = (read_monochrome(marks(tmp_path, "".join(order)), catalog) for order in (lines, lines[::-1]))
    assert one_way.tolist() == other_way.tolist() == [True, True, False, False]


def test_a_file_without_marks_leaves_every_film_in_colour(tmp_path: Path, catalog: Catalog) -> None:
    assert read_monochrome(marks(tmp_path, ""), catalog).tolist() == [True] * 4


# ---- broken files


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("31,King Kong,1933,bw\n", "line 2: film id 31 is unknown, wanted one of the 4 films of the catalogue"),
        ("30,King Kung,1933,bw\n", "line 2: film id 30 is 'King Kung' of 1933, wanted 'King Kong' of 1933"),
        ("30,King Kong,1976,bw\n", "line 2: film id 30 is 'King Kong' of 1976, wanted 'King Kong' of 1933"),
        ("40,Untold,1950,bw\n", "line 2: film id 40 is 'Untold' of 1950, wanted 'Untold' of no year"),
        ("30,King Kong,1933,bw\n30,King Kong,1933,part\n", "line 3: film id 30 stands twice, wanted each film once"),
        ("30,King Kong,1933,colour\n", "line 2: colour is 'colour', wanted one of bw, part, unsure"),
        ("30,King Kong,1933,\n", "line 2: colour is '', wanted one of bw, part, unsure"),
        ("x,King Kong,1933,bw\n", "line 2: id is 'x', wanted a whole number >= 1"),
        ("30,King Kong,33 AD,bw\n", "line 2: film id 30 is 'King Kong' of 33 AD, wanted 'King Kong' of 1933"),
        ("30,King Kong,bw\n", "line 2: 3 fields in '30,King Kong,bw', wanted 4: id, title, year, colour"),
    ],
)
def test_a_fault_names_file_line_value_and_what_is_wanted(tmp_path: Path, catalog: Catalog, lines: str, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(f"{tmp_path.name}/monochrome.csv {message}") + "$"):
        read_monochrome(marks(tmp_path, lines), catalog)


def test_a_wrong_header_and_a_missing_file_are_named(tmp_path: Path, catalog: Catalog) -> None:
    with pytest.raises(DataError, match=r"monochrome\.csv line 1: the header is 'id,title,colour'"):
        read_monochrome(marks(tmp_path, "30,King Kong,bw\n", header="id,title,colour\n"), catalog)
    with pytest.raises(DataError, match=r"nowhere\.csv is not there, wanted a file"):
        read_monochrome(tmp_path / "nowhere.csv", catalog)


# ---- the real file


@pytest.fixture(scope="module")
def films() -> Catalog:
    return read_films(settings().films)


@pytest.fixture(scope="module")
def in_colour(films: Catalog) -> np.ndarray:
    return read_monochrome(ROOT / "data" / "monochrome.csv", films)


def named(films: Catalog, title: str, year: int) -> int:
    found = [i for i, t in enumerate(films.titles) if t == title and films.years[i] == year]
    assert len(found) == 1, f"{title} ({year}) stands {len(found)} times in films.csv"
    return found[0]


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("Nosferatu", 1922), ("King Kong", 1933), ("Casablanca", 1942), ("Hamlet", 1948), ("12 Angry Men", 1957), ("Psycho", 1960),
        ("Some Like It Hot", 1959), ("My Man Godfrey", 1936), ("The Last Picture Show", 1971), ("Young Frankenstein", 1974),
        ("Raging Bull", 1980), ("Dead Man", 1995), ("The General", 1998), ("Clerks", 1994),
        ("The Wizard of Oz", 1939), ("Wings of Desire", 1987), ("Schindler's List", 1993), ("Pleasantville", 1998),
    ],
)  # fmt: skip
def test_known_films_in_black_and_white(films: Catalog, in_colour: np.ndarray, title: str, year: int) -> None:
    assert not in_colour[named(films, title, year)]


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("Gone with the Wind", 1939), ("The Adventures of Robin Hood", 1938), ("Fantasia", 1940), ("Meet Me in St. Louis", 1944),
        ("My Man Godfrey", 1957), ("Vertigo", 1958), ("The Mummy", 1959), ("King Kong", 1976), ("Hamlet", 1996), ("Psycho", 1998),
        ("Toy Story", 1995), ("The Matrix", 1999),
    ],
)  # fmt: skip
def test_known_films_in_colour(films: Catalog, in_colour: np.ndarray, title: str, year: int) -> None:
    assert in_colour[named(films, title, year)]


def test_every_film_of_the_silent_years_is_marked(films: Catalog, in_colour: np.ndarray) -> None:
    assert not in_colour[films.years < 1930].any()
