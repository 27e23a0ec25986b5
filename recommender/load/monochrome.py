"""data/monochrome.csv: the films that are black and white, marked by hand, for people who want none of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recommender.catalog import Catalog
from recommender.load import files

FIELDS = ("id", "title", "year", "colour")
COLOURS = ("bw", "part", "unsure")  # black and white; long passages of it; not known well enough to be offered as colour


def read_monochrome(path: Path, catalog: Catalog) -> np.ndarray:
    """bool (I,) in_colour: False for every film of the file, whatever its word; True for all others, taken to be in colour.

    Title and year must be those of the catalogue, so that a mark cannot slip to a film of the same name.
    Raises DataError naming file, line, value and what is wanted.
    """
    in_colour = np.ones(len(catalog), bool)
    for line, (id_, title, year, colour) in files.csv_lines(path, FIELDS):
        film = files.whole(path, line, "id", id_)
        item = _item(path, line, film, catalog)
        known = (catalog.titles[item], str(catalog.years[item] or ""))
        if (title, year) != known:
            raise files.fault(path, line, f"film id {film} is {_named(title, year)}", _named(*known))
        if colour not in COLOURS:
            raise files.fault(path, line, f"colour is {files.short(colour)}", f"one of {', '.join(COLOURS)}")
        if not in_colour[item]:
            raise files.fault(path, line, f"film id {film} stands twice", "each film once")
        in_colour[item] = False
    return in_colour


def _item(path: Path, line: int, film: int, catalog: Catalog) -> int:
    try:
        return catalog.index(film)
    except KeyError:
        raise files.fault(path, line, f"film id {film} is unknown", f"one of the {len(catalog)} films of the catalogue") from None


def _named(title: str, year: str) -> str:
    return f"{title!r} of {year or 'no year'}"
