"""data/films.csv: the catalogue of facts that stands in the repository. It never holds prose."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recommender.catalog import Catalog
from recommender.load import files
from recommender.types import CERTIFICATES

FIELDS = ("id", "title", "year", "genres", "directors", "actors", "certificate", "minutes", "imdb", "tmdb", "also")


def genre_matrix(genres: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], np.ndarray]:
    """All names in alphabetical order, and bool (I, G) of which film has which."""
    names = tuple(sorted({g for film in genres for g in film}))
    column = {name: g for g, name in enumerate(names)}
    has = np.zeros((len(genres), len(names)), bool)
    for item, film in enumerate(genres):
        has[item, [column[g] for g in film]] = True
    return names, has


def write_films(catalog: Catalog, path: Path) -> None:
    """Write the facts; several values stand in one field with bars between. The file is whole or not there."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    for i in range(len(catalog)):
        lists = (catalog.genres_of(i), catalog.directors[i], catalog.actors[i], catalog.also[i])
        if bad := [v for values in (*lists, (catalog.titles[i],)) for v in values if "|" in v or "\n" in v]:
            raise files.DataError(f"film id {catalog.ids[i]}: {bad[0]!r} has a bar or a line end in it, wanted neither")
        genres, directors, actors, also = ("|".join(values) for values in lists)
        minutes = "" if math.isnan(catalog.minutes[i]) else f"{catalog.minutes[i]:g}"
        numbers = [n or "" for n in (catalog.imdb_ids[i], catalog.tmdb_ids[i])]
        row = (catalog.ids[i], catalog.titles[i], catalog.years[i] or "", genres, directors, actors, catalog.certificates[i], minutes, *numbers, also)
        writer.writerow(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(out.getvalue(), encoding="utf-8", newline="")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def read_films(path: Path) -> Catalog:
    """Read what write_films wrote; any fault is a DataError with its line."""
    ids, years, minutes, imdb, tmdb = (list[int]() for _ in range(5))
    titles, certificates = list[str](), list[str]()
    genres, directors, actors, also = (list[tuple[str, ...]]() for _ in range(4))
    seen: set[int] = set()
    for line, f in files.csv_lines(path, FIELDS):
        film = files.whole(path, line, "id", f[0])
        if film in seen:
            raise files.fault(path, line, f"film id {film} stands twice", "each film once")
        if not f[1].strip():
            raise files.fault(path, line, "the title is empty", "a title")
        if f[6] not in ("", *CERTIFICATES):
            raise files.fault(path, line, f"certificate is {files.short(f[6])}", f"one of {', '.join(CERTIFICATES)}, or nothing")
        seen.add(film)
        ids.append(film)
        titles.append(f[1])
        certificates.append(f[6])
        for column, value, name in ((years, f[2], "year"), (minutes, f[7], "minutes"), (imdb, f[8], "imdb"), (tmdb, f[9], "tmdb")):
            column.append(files.whole(path, line, name, value) if value else 0)
        for lists, value in ((genres, f[3]), (directors, f[4]), (actors, f[5]), (also, f[10])):
            lists.append(tuple(value.split("|")) if value else ())
            if not all(lists[-1]):
                raise files.fault(path, line, f"{files.short(value)} has an empty value between bars", "values between bars")
    if not ids:
        raise files.fault(path, None, "there is no film in it", "one film a line")
    names, has = genre_matrix(genres)
    runs = np.where(np.array(minutes) > 0, np.array(minutes, float), math.nan)
    return Catalog(
        np.array(ids), tuple(titles), np.array(years), has, names, tuple(directors), tuple(actors), tuple(certificates),
        runs, np.array(imdb), np.array(tmdb), also=tuple(also),
    )  # fmt: skip
