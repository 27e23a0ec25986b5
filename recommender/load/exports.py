"""Film histories that people bring along: what Letterboxd, IMDb and Trakt let them download -> entries.

Which service a file comes from is told by its columns or keys. Letterboxd: the CSV files of its export zip; IMDb: the CSV of ratings, watch-list and
lists; Trakt: the JSON files of its export zip, and CSV files with the columns of its rating export. All text stays text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Literal, get_args

from recommender.load.files import short
from recommender.load.uploads import ExportError, Part, clean, head, parts, records, refusal, values
from recommender.settings import settings

__all__ = ["Entry", "Export", "ExportError", "Skipped", "read_export", "stronger", "together"]

Service = Literal["letterboxd", "imdb", "trakt"]
Kind = Literal["list", "watched", "rating"]  # the weakest word about a film first
KINDS: tuple[Kind, ...] = get_args(Kind)
NAMED = 50  # skipped rows that are named; all are counted

_WANTED = re.compile(r"(lists-)?(ratings|watched|diary|watchlist)\b(?!.*(shows|seasons|episodes|history)).*\.(csv|json)", re.IGNORECASE)
_ASIDE = {"deleted", "orphaned", "likes", "__macosx"}  # folders of a zip whose files are no history
_NO_FILM = re.compile(r"s[eé]rie|[eé]pisod|folge|game|juego|jeu|gioco|jogo|videospiel|podcast|music.?video|musikvideo", re.IGNORECASE)
_LETTERBOXD = {"date", "name", "year", "letterboxd uri"}
_IMDB = {"const", "title"}
_TRAKT_TIMES = ("rated_at", "watched_at", "last_watched_at", "listed_at")


@dataclass(frozen=True)
class Entry:
    """What a person said of one film. Unknown: year, imdb, tmdb and at 0; stars None where the film was only watched or listed."""

    title: str
    year: int = 0
    imdb: int = 0
    tmdb: int = 0
    stars: float | None = None  # 0.5 to 5
    at: int = 0  # unix seconds
    kind: Kind = "watched"


@dataclass(frozen=True)
class Skipped:
    """A row that gave no entry; `line` of a CSV file, or place in a JSON list, from 1."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True)
class Export:
    """One upload: rows == len(entries) + repeated + unread.

    what: the kinds of files in it, as a phrase; repeated: rows about a film of which a stronger entry stands; unread: rows skipped, the first
    NAMED of them in `skipped`.
    """

    service: Service
    what: str
    entries: tuple[Entry, ...]
    rows: int
    repeated: int = 0
    unread: int = 0
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class _Reading:
    """What one file gave."""

    service: Service
    what: str
    entries: list[Entry]
    skipped: list[Skipped]


def stronger(new: Entry, old: Entry) -> bool:
    """Whether of two entries for one film the new one stands: a rating beats watched, watched beats listed, of equals the later or else the new."""
    return (KINDS.index(new.kind), new.at) >= (KINDS.index(old.kind), old.at)


def read_export(content: bytes, name: str, most_bytes: int | None = None, most_lines: int | None = None) -> Export:
    """Read one uploaded file or zip. Raises ExportError with one line; limits default to the settings."""
    most_lines = most_lines or settings().import_lines
    found = sorted(parts(content, name, _is_wanted, most_bytes or settings().import_bytes), key=lambda part: "rating" in part.name.lower())
    readings: list[_Reading] = []
    for part in found:
        readings.append(_read(part, most_lines - sum(len(r.entries) + len(r.skipped) for r in readings)))
    services = sorted({r.service for r in readings})
    if len(services) > 1:
        raise refusal(name, f"it holds files of {' and '.join(services)}", "one service at a time")
    entries = [entry for r in readings for entry in r.entries]
    skipped = [row for r in readings for row in r.skipped]
    if not entries and not skipped:
        raise refusal(name, "there is no film in it", "at least one")
    kept = _merged(entries)
    what = ", ".join(dict.fromkeys(r.what for r in readings))
    rows = len(entries) + len(skipped)
    return Export(services[0], what, kept, rows, len(entries) - len(kept), len(skipped), tuple(skipped[:NAMED]))


def together(exports: Iterable[Export]) -> Export:
    """Several uploads of one person as one; of equal entries a file of ratings has the last word. Raises ExportError where services differ."""
    all_of = sorted(exports, key=lambda export: "rating" in export.what)
    if len(services := sorted({export.service for export in all_of})) != 1:
        raise refusal("these files", f"they come from {' and '.join(services) or 'nowhere'}", "one service at a time")
    entries = [entry for export in all_of for entry in export.entries]
    kept, skipped = _merged(entries), [row for export in all_of for row in export.skipped]
    what = ", ".join(dict.fromkeys(part for export in all_of for part in export.what.split(", ")))
    repeated = sum(export.repeated for export in all_of) + len(entries) - len(kept)
    return Export(services[0], what, kept, sum(e.rows for e in all_of), repeated, sum(e.unread for e in all_of), tuple(skipped[:NAMED]))


def _is_wanted(path: PurePosixPath) -> bool:
    aside = any(folder.lower() in _ASIDE for folder in path.parts[:-1])
    return not aside and _WANTED.fullmatch(path.name) is not None


def _merged(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The strongest entry of each film, in order of first appearance."""
    best: dict[tuple, Entry] = {}
    for entry in entries:
        key = ("imdb", entry.imdb) if entry.imdb else ("tmdb", entry.tmdb) if entry.tmdb else (entry.title.casefold(), entry.year)
        if key not in best or stronger(entry, best[key]):
            best[key] = entry
    return tuple(best.values())


def _read(part: Part, most: int) -> _Reading:
    return _read_json(part, most) if head(part).lstrip()[:1] in ("[", "{") else _read_csv(part, most)


def _collect(part: Part, service: Service, what: str, rows: Iterable[tuple[int, Entry | str]]) -> _Reading:
    """Sort what rows became, entries or reasons, into both."""
    reading = _Reading(service, what, [], [])
    for line, said in rows:
        if isinstance(said, Entry):
            reading.entries.append(said)
        else:
            reading.skipped.append(Skipped(clean(part.name, 100), line, said))
    return reading


# ---- CSV


def _read_csv(part: Part, most: int) -> _Reading:
    rows = records(part, most)
    line, first = next(rows, (1, []))
    if isinstance(first, str):
        raise refusal(part.name, first, "a header", line)
    header = [clean(column, 60).lower() for column in first]
    service, what, entry = _layout(part, header, line)

    def read(fields: list[str] | str) -> Entry | str:
        if isinstance(fields, str):
            return fields
        if len(fields) != len(header):
            return f"{len(fields)} fields in {short(','.join(fields))}, wanted {len(header)}"
        return entry(dict(zip(header, fields)))

    return _collect(part, service, what, ((line, read(fields)) for line, fields in rows))


def _layout(part: Part, header: list[str], line: int) -> tuple[Service, str, Callable[[dict[str, str]], Entry | str]]:
    """Whose columns these are, what they hold, and the way from a row to its entry."""
    has = set(header)
    if has >= _LETTERBOXD:
        unrated, what = _unrated(part, has)
        return "letterboxd", what, lambda row: _letterboxd(row, unrated)
    if has >= _IMDB and has & {"your rating", "you rated", "position"}:
        listed = "position" in has
        return "imdb", "watch-list or list" if listed else "ratings", lambda row: _imdb(row, listed)
    if has >= {"title", "year"} and has & {"imdb_id", "tmdb_id", "trakt_id"} and has & set(_TRAKT_TIMES):
        return "trakt", "ratings" if "rated_at" in has else "watch-list" if "listed_at" in has else "watched films", _trakt_row
    wanted = "the columns of Letterboxd (Date,Name,Year,Letterboxd URI), IMDb (Const,Your Rating,Title) or Trakt (rated_at,title,year,imdb_id)"
    raise refusal(part.name, f"the columns are {short(','.join(header), 120)}", wanted, line)


def _unrated(part: Part, has: set[str]) -> tuple[Kind, str]:
    """What a Letterboxd row without stars says: watched.csv and watchlist.csv have the same columns, so that only the name tells."""
    if "watched date" in has:
        return "watched", "diary"
    if "rating" in has:
        return "watched", "ratings"
    name = PurePosixPath(part.name).name.lower()
    if "watchlist" in name:
        return "list", "watch-list"
    if "watched" in name:
        return "watched", "watched films"
    raise refusal(part.name, "watched.csv and watchlist.csv of Letterboxd look alike inside", "one of both in the name of the file")


def _letterboxd(row: dict[str, str], unrated: Kind) -> Entry | str:
    stars = _stars(row.get("rating", ""), 5)
    if isinstance(stars, str):
        return stars
    at = _at(row.get("watched date", "")) or _at(row["date"])
    return _entry(row["name"], row["year"], stars=stars, at=at, kind="rating" if stars else unrated)


def _imdb(row: dict[str, str], listed: bool) -> Entry | str:
    if _NO_FILM.search(kind := row.get("title type", "")):
        return f"title type is {short(kind)}, wanted a film"
    stars = _stars(row.get("your rating") or row.get("you rated") or "", 10)
    if isinstance(stars, str):
        return stars
    if stars is None and not listed:
        return f"{short(row['title'])} has no rating, wanted 1 to 10"
    at = _at(row.get("date rated", "")) if stars else _at(row.get("created", ""))
    return _entry(row["title"], row.get("year", ""), row["const"], stars=stars, at=at, kind="rating" if stars else "list")


def _trakt_row(row: dict[str, str]) -> Entry | str:
    if (kind := row.get("type", "movie").strip().lower()) != "movie":
        return f"type is {short(kind)}, wanted movie"
    return _trakt({**row, "rating": row.get("rating") or None}, row["title"], row["year"], row.get("imdb_id"), row.get("tmdb_id"))


# ---- JSON


def _read_json(part: Part, most: int) -> _Reading:
    found = values(part)
    if len(found) > most:
        raise refusal(part.name, f"it has {len(found):,} entries", f"at most {most:,}")
    kinds = {key for value in found if isinstance(value, dict) for key in value}
    what = "ratings" if "rated_at" in kinds else "watch-list" if "listed_at" in kinds else "watched films"
    return _collect(part, "trakt", what, enumerate((_trakt_value(value) for value in found), 1))


def _trakt_value(value: object) -> Entry | str:
    if not isinstance(value, dict):
        return f"it is {_quoted(value)}, wanted an entry with a movie"
    movie = value.get("movie")
    if not isinstance(movie, dict):
        return f"it is about {_quoted(value.get('type', 'something else'))}, wanted a movie"
    ids = movie.get("ids")
    ids = ids if isinstance(ids, dict) else {}
    return _trakt(value, movie.get("title"), movie.get("year"), ids.get("imdb"), ids.get("tmdb"))


def _trakt(said: dict, title: object, year: object, imdb: object, tmdb: object) -> Entry | str:
    """The entry of a Trakt row; `said` holds when and how."""
    stars = _stars(said.get("rating"), 10)
    if isinstance(stars, str):
        return stars
    when = next((key for key in _TRAKT_TIMES if said.get(key)), None)
    if stars is None and when in (None, "rated_at") and not said.get("plays"):
        return "it was neither rated, watched nor listed, wanted one of them"
    kind: Kind = "rating" if stars else "list" if when == "listed_at" else "watched"
    return _entry(title, year, imdb, tmdb, stars, _at(said.get(when)) if when else 0, kind)


# ---- values


def _entry(
    title: object, year: object, imdb: object = None, tmdb: object = None, stars: float | None = None, at: int = 0, kind: Kind = "watched"
) -> Entry | str:
    """An entry of what a file says, unknown where it cannot be read; without title and ids there is none."""
    name, at_imdb, at_tmdb = clean(title) if isinstance(title, str) else "", _number(imdb, "tt"), _number(tmdb)
    if not name and not at_imdb and not at_tmdb:
        return "it has no title, wanted one"
    made = _number(year)
    name = name or (f"IMDb tt{at_imdb:07}" if at_imdb else f"TMDB {at_tmdb}")
    return Entry(name, made if 1870 <= made <= 2100 else 0, at_imdb, at_tmdb, stars, at, kind)


def _number(value: object, before: str = "") -> int:
    """A whole number of up to nine digits, written out or not; 0 where there is none."""
    found = re.fullmatch(rf"{before}([0-9]{{1,9}})(\.0)?", str(value).strip()) if isinstance(value, str | int | float) else None
    return int(found[1]) if found else 0


def _stars(value: object, best: int) -> float | str | None:
    """0.5 to 5 stars of a rating on a scale up to `best` (Letterboxd's has halves); None for no rating, a reason for a bad one."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    found = re.fullmatch(r"([0-9]{1,2})(?:[.,]([0-9])0*)?", str(value).strip()) if isinstance(value, str | int | float) else None
    points = float(f"{found[1]}.{found[2] or 0}") if found else 0.0
    step = 0.5 if best == 5 else 1
    if not step <= points <= best or points % step:
        return f"rating is {_quoted(value)}, wanted {step:g} to {best} in steps of {step:g}"
    return points * 5 / best


def _at(value: object) -> int:
    """Unix seconds of a date or time as ISO 8601 writes them (UTC where no zone is named); 0 where it cannot be read or lies before 1970."""
    if not isinstance(value, str):
        return 0
    try:
        found = datetime.fromisoformat(value.strip())
        seconds = int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return 0
    return seconds if 0 < seconds < 2**33 else 0


def _quoted(value: object) -> str:
    """A value as it is quoted in a reason; of lists and objects, which may be endless, only that they are one."""
    return short(value, 30) if isinstance(value, str | int | float) else "a list" if isinstance(value, list) else "an object"
