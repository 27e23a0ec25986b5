"""The three formats MovieLens has been published in -> one plain description of films and ratings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from recommender.load import files

NO_GENRES = "(no genres listed)"


@dataclass(frozen=True)
class Raw:
    """A data set as its files say it; nothing is renumbered or sorted yet."""

    film_ids: np.ndarray  # (I,)
    titles: list[str]  # as published
    genres: list[tuple[str, ...]]
    ratings: pd.DataFrame  # user, film, rating, time
    ratings_file: Path
    first_line: int  # of the ratings
    zips: dict[int, str] = field(default_factory=dict)  # user id -> ZIP code; empty where the edition has none
    links: dict[int, tuple[int, int]] = field(default_factory=dict)  # film id -> (imdb, tmdb), 0 where unknown
    own_numbers: bool = False  # film ids are not those of the other editions


def _films(path: Path, rows: Iterable[tuple[int, int, str, tuple[str, ...]]]) -> tuple[np.ndarray, list[str], list[tuple[str, ...]]]:
    """Check (line, id, title, genres) rows and turn them into columns."""
    seen: dict[int, int] = {}
    titles, genres = [], []
    for line, film, title, names in rows:
        if film in seen:
            raise files.fault(path, line, f"film id {film} stands in line {seen[film]} already", "each film once")
        if not title.strip():
            raise files.fault(path, line, "the title is empty", "a title")
        if not all(names):
            raise files.fault(path, line, f"genres are {files.short('|'.join(names))}", f"names between bars, or {NO_GENRES}")
        seen[film] = line
        titles.append(title)
        genres.append(tuple(g for g in names if g != NO_GENRES))
    if not titles:
        raise files.fault(path, None, "there is no film in it", "one film a line")
    return np.fromiter(seen, np.int64, len(seen)), titles, genres


def _zips(path: Path, separator: str, columns: tuple[str, ...]) -> dict[int, str]:
    zips: dict[int, str] = {}
    for line, fields in files.split_lines(path, "latin-1", separator, columns):
        user = files.whole(path, line, "user id", fields[0])
        if user in zips:
            raise files.fault(path, line, f"user id {user} stands twice", "each user once")
        zips[user] = fields[-1]
    return zips


def read_1m(folder: Path) -> Raw:
    """MovieLens 1M: movies.dat, ratings.dat, users.dat with `::` between fields, latin-1."""
    path = folder / "movies.dat"
    lines = files.split_lines(path, "latin-1", "::", ("film id", "title", "genres"))
    films = _films(path, ((n, files.whole(path, n, "film id", f[0]), f[1], tuple(f[2].split("|"))) for n, f in lines))
    ratings = files.read_ratings(folder / "ratings.dat", "::", header=False, step=1)
    zips = _zips(folder / "users.dat", "::", ("user id", "gender", "age", "occupation", "ZIP code"))
    return Raw(*films, ratings, folder / "ratings.dat", 1, zips)


def read_100k(folder: Path) -> Raw:
    """MovieLens 100K: u.data (tabs), u.item and u.user (bars), u.genre."""
    names = [line.split("|")[0] for line in files.read_lines(folder / "u.genre", "latin-1") if line.strip()]
    path = folder / "u.item"
    columns = ("film id", "title", "release date", "video release date", "IMDb address", *names)

    def rows() -> Iterable[tuple[int, int, str, tuple[str, ...]]]:
        for line, fields in files.split_lines(path, "latin-1", "|", columns):
            flags = fields[5:]
            if set(flags) - {"0", "1"}:
                raise files.fault(path, line, f"genre flags are {files.short('|'.join(flags))}", "0 or 1 for each genre")
            chosen = tuple(name for name, flag in zip(names, flags) if flag == "1" and name != "unknown")
            yield line, files.whole(path, line, "film id", fields[0]), fields[1], chosen

    ratings = files.read_ratings(folder / "u.data", "\t", header=False, step=1)
    zips = _zips(folder / "u.user", "|", ("user id", "age", "gender", "occupation", "ZIP code"))
    return Raw(*_films(path, rows()), ratings, folder / "u.data", 1, zips, own_numbers=True)


def read_csv(folder: Path) -> Raw:
    """The CSV editions (latest-small, latest, 20M, 25M, 32M): movies.csv, ratings.csv and, where present, links.csv."""
    path = folder / "movies.csv"
    lines = files.csv_lines(path, ("movieId", "title", "genres"))
    films = _films(path, ((n, files.whole(path, n, "film id", f[0]), f[1], tuple(f[2].split("|"))) for n, f in lines))
    ratings = files.read_ratings(folder / "ratings.csv", ",", header=True, step=0.5)
    links = read_links(folder / "links.csv") if (folder / "links.csv").is_file() else {}
    return Raw(*films, ratings, folder / "ratings.csv", 2, links=links)


def read_links(path: Path) -> dict[int, tuple[int, int]]:
    """links.csv: film id -> (IMDb number, TMDB number), 0 where the field is empty."""
    links = {}
    for line, fields in files.csv_lines(path, ("movieId", "imdbId", "tmdbId")):
        film = files.whole(path, line, "film id", fields[0])
        imdb, tmdb = (files.whole(path, line, name, value or "0", 0) for name, value in zip(("imdbId", "tmdbId"), fields[1:]))
        links[film] = (imdb, tmdb)
    return links


def recognise(folder: Path) -> Raw:
    """Read a data set folder in whichever format it has."""
    if not folder.is_dir():
        if folder.is_file():
            with folder.open("rb") as file:
                files.sniff(folder, file.read(512))
        raise files.DataError(f"{folder} is {'a file' if folder.is_file() else 'not there'}, wanted the folder of a MovieLens data set")
    for name, reader in (("ratings.dat", read_1m), ("u.data", read_100k), ("ratings.csv", read_csv)):
        if (folder / name).exists():
            return reader(folder)
    raise files.DataError(f"{folder} has none of ratings.dat, u.data, ratings.csv; wanted the folder of a MovieLens data set")
