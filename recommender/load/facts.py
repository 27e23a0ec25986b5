"""What other sources know of MovieLens films: people, certificate, running time, numbers at IMDb and TMDB, and texts to learn from."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recommender.catalog import Catalog
from recommender.load import files, titles
from recommender.load.films import read_films
from recommender.load.formats import read_links
from recommender.types import CERTIFICATES

_BLANK = ("", "N/A")
_ROLE = re.compile(r"\s*\([^()]*\)\s*$")  # "Lee Unkrich(co-director)"


@dataclass(frozen=True)
class Facts:
    """Facts of one film; empty, 0 or nan where nobody knows."""

    year: int = 0
    directors: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    certificate: str = ""
    minutes: float = math.nan
    imdb: int = 0
    tmdb: int = 0
    text: str = ""  # prose of others: to compute features from, never to be stored or shown


@dataclass(frozen=True)
class Metadata:
    """Facts by MovieLens film id, and the ids by (title, year) for editions with numbers of their own."""

    facts: dict[int, Facts]
    ids: dict[tuple[str, int], int]

    def of(self, film: int, title: str, year: int, own_numbers: bool) -> Facts:
        key: int | None = self.ids.get((title.lower(), year)) if own_numbers else film
        return self.facts.get(key, Facts()) if key is not None else Facts()


def read_metadata(path: Path) -> Metadata:
    """Facts from a folder of other people's files, or from our own films.csv (which holds no texts)."""
    return _from_films(read_films(path)) if path.is_file() else _from_folder(path)


def _from_films(c: Catalog) -> Metadata:
    facts, ids = {}, {}
    for i, film in enumerate(c.ids.tolist()):
        ids[c.titles[i].lower(), int(c.years[i])] = film
        facts[film] = Facts(
            int(c.years[i]), c.directors[i], c.actors[i], c.certificates[i], float(c.minutes[i]), int(c.imdb_ids[i]), int(c.tmdb_ids[i])
        )
    return Metadata(facts, ids)


def _from_folder(folder: Path) -> Metadata:
    """Join imdb_extra.dat, links.csv, tmdb_overviews.csv and tmdb_5000_movies.csv; each of them may be absent."""
    names: dict[str, Callable] = {
        "imdb_extra.dat": _read_imdb, "links.csv": read_links, "tmdb_overviews.csv": _read_overviews, "tmdb_5000_movies.csv": _read_minutes,
    }  # fmt: skip
    found = {name: read(folder / name) if (folder / name).is_file() else {} for name, read in names.items()}
    if not any(found.values()):
        raise files.DataError(f"{folder} has none of {', '.join(names)}; wanted a folder with film facts")
    imdb, links, overviews, minutes = found.values()
    facts, ids = {}, {}
    for film in imdb.keys() | links.keys() | overviews.keys():
        known: dict = dict(imdb.get(film, {}))
        published, rows = overviews.get(film, ("", []))
        title, year, _ = titles.parse(published)
        if published:
            ids[title.lower(), year] = film
        elif known:
            ids[known["title"].lower(), known["year"]] = film
        imdb_id, tmdb_id = links.get(film, (0, 0))
        texts = (*dict.fromkeys(text for released, text in rows if abs(released - year) <= 1), known.pop("plot", ""))
        known.pop("title", None)
        facts[film] = Facts(**known, imdb=imdb_id, tmdb=tmdb_id, minutes=minutes.get(tmdb_id, math.nan), text="\n".join(t for t in texts if t))
    return Metadata(facts, ids)


def _people(field: str) -> tuple[str, ...]:
    names = (_ROLE.sub("", name).strip() for name in field.split(", "))
    return tuple(dict.fromkeys(name for name in names if name not in _BLANK))


def _read_imdb(path: Path) -> dict[int, dict]:
    columns = ("film id", "title", "year", "certificate", "release date", "genres", "director", "writers", "actors", "plot", "poster address")
    found = {}
    for line, f in files.split_lines(path, "utf-8", "::", columns):
        found[files.whole(path, line, "film id", f[0])] = {
            "title": f[1],
            "year": files.whole(path, line, "year", f[2], 1870),
            "certificate": f[3] if f[3] in CERTIFICATES else "",
            "directors": _people(f[6]),
            "actors": _people(f[8]),
            "plot": "" if f[9] in _BLANK else f[9],
        }
    return found


def _read_overviews(path: Path) -> dict[int, tuple[str, list[tuple[int, str]]]]:
    """Film id -> (title as published, [(year of release, overview)]); a title can have matched several films."""
    found: dict[int, tuple[str, list[tuple[int, str]]]] = {}
    for line, (film, title, overview, year) in files.csv_lines(path, ("MovieID", "Title", "overview", "release_year"), more=True):
        rows = found.setdefault(files.whole(path, line, "MovieID", film), (title, []))[1]
        if overview not in _BLANK:
            rows.append((files.whole(path, line, "release_year", year, 0), overview))
    return found


def _read_minutes(path: Path) -> dict[int, float]:
    """TMDB number -> running time; 0 and blank are unknown."""
    found = {}
    for line, (tmdb, minutes) in files.csv_lines(path, ("id", "runtime"), more=True):
        try:
            value = float(minutes or 0)
        except ValueError:
            raise files.fault(path, line, f"runtime is {files.short(minutes)}", "minutes") from None
        if value > 0:
            found[files.whole(path, line, "id", tmdb)] = value
    return found
