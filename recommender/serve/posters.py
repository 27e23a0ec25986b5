"""Posters and facts of films from TMDB on the disk: dated, within their time, whole, and within their space.

A picture lies in the folder that Streamlit serves, what is told of its film as one JSON file elsewhere. Several processes may write at once: every
file is written beside its place and moved there. TMDB's terms let nobody keep anything of theirs for longer than six months (docs/posters.md).
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, Field, ValidationError

from recommender.serve.tmdb import Film, ending
from recommender.settings import STATIC, Settings

DAY = 86_400.0
AGAIN = 7 * DAY  # seconds after which a film that had no picture is asked for again
GRACE = 3600.0  # seconds: a file that nothing names yet may belong to a process that is writing
_FILE = r"\d+-[A-Za-z0-9]+\.(?:jpg|png)"


class Entry(BaseModel):
    """What is kept of a film. Without a picture `why` says why there is none."""

    tmdb: int
    at: float = Field(gt=0)  # fetched [unix s]
    file: str | None = Field(None, pattern=rf"^{_FILE}$")
    size: int = Field(0, ge=0)  # bytes of the picture
    overview: str = ""
    minutes: int = Field(0, ge=0)
    cast: tuple[tuple[str, str], ...] = ()  # (name, part)
    why: str = ""


class Kept(NamedTuple):
    """What of it is remembered, for all films."""

    at: float
    file: str | None
    size: int


class Figures(NamedTuple):
    """How much is kept, and since when [unix s]."""

    pictures: int
    without: int
    bytes: int
    oldest: float | None
    newest: float | None


class Cache:
    """Entries by TMDB's number of the film. `clock` gives the time [unix s]."""

    def __init__(self, pictures: Path, facts: Path, days: int, most: int, clock: Callable[[], float] = time.time) -> None:
        """days: how long an entry is kept. most: bytes of all pictures."""
        self.pictures, self.facts, self.days, self.most, self.clock = pictures, facts, days, most, clock
        self._kept: dict[int, Kept] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings, clock: Callable[[], float] = time.time) -> Cache:
        return cls(settings.posters, settings.poster_facts, settings.poster_days, settings.poster_bytes, clock)

    @property
    def address(self) -> str:
        """What comes before a file's name in an address of the app."""
        return f"app/static/{self.pictures.resolve().relative_to(STATIC.resolve()).as_posix()}/"

    def known(self, tmdb: int) -> Kept | None:
        """What is remembered of a film and still holds; None where it has to be looked for."""
        kept = self._kept.get(tmdb)
        return kept if kept is not None and self._holds(kept) else None

    def entry(self, tmdb: int) -> Entry | None:
        """All that is kept of a film, from the disk; what does not hold any more, or is damaged, is deleted."""
        path = self._path(tmdb)
        try:
            found = Entry.model_validate_json(path.read_bytes())
        except (ValidationError, OSError):
            path.unlink(missing_ok=True)
            self._forget(tmdb)
            return None
        kept = Kept(found.at, found.file, found.size)
        if found.tmdb != tmdb or not self._holds(kept) or not self._whole(kept):
            self._delete(tmdb, kept)
            return None
        with self._lock:
            self._kept[tmdb] = kept
        return found

    def keep(self, film: Film, picture: bytes | None, why: str = "") -> Entry:
        """Store what was fetched: the picture first, so that no entry names one that is not there."""
        file = f"{film.tmdb}-{Path(film.poster).stem}.{ending(picture)}" if picture and film.poster else None
        if file and picture:
            _write(self.pictures / file, picture)
        size = len(picture) if picture and file else 0
        made = Entry(
            tmdb=film.tmdb, at=self.clock(), file=file, size=size, overview=film.overview, minutes=film.minutes, cast=film.cast, why=why
        )  # fmt: skip
        before = self._kept.get(film.tmdb)
        _write(self._path(film.tmdb), made.model_dump_json().encode())
        if before and before.file and before.file != file:
            (self.pictures / before.file).unlink(missing_ok=True)
        with self._lock:
            self._kept[film.tmdb] = Kept(made.at, file, size)
        return made

    def missing(self, tmdb: int, why: str) -> Entry:
        """Remember for a while that TMDB has nothing to give."""
        return self.keep(Film(tmdb, None, "", 0, ()), None, why)

    def sweep(self) -> None:
        """Read what is there; delete what is too old, damaged, named by nothing, or more than the space allows (the oldest first)."""
        for path in _files(self.facts, r"\d+\.json"):
            self.entry(int(path.stem))
        for tmdb in [t for t in list(self._kept) if not self._path(t).exists()]:
            self._forget(tmdb)
        named = {kept.file for kept in self._kept.values()}
        for path in [p for p in _files(self.pictures, rf"{_FILE}|\..*\.part") if p.name not in named]:
            if self.clock() - _changed(path) > GRACE:
                path.unlink(missing_ok=True)
        self._shrink()

    @property
    def over(self) -> bool:
        """Whether the pictures take more than their space."""
        return sum(kept.size for kept in list(self._kept.values())) > self.most

    def _shrink(self) -> None:
        """Down to nine tenths, so that not every new picture costs a walk."""
        total = sum(kept.size for kept in self._kept.values())
        if total <= self.most:
            return
        for tmdb, kept in sorted(self._kept.items(), key=lambda item: item[1].at):
            if total <= 0.9 * self.most:
                break
            self._delete(tmdb, kept)
            total -= kept.size

    def clear(self) -> int:
        """Delete everything; how many entries there were."""
        names = [int(path.stem) for path in _files(self.facts, r"\d+\.json")]
        for path in [*_files(self.facts, r"\d+\.json|\..*\.part"), *_files(self.pictures, rf"{_FILE}|\..*\.part")]:
            path.unlink(missing_ok=True)
        with self._lock:
            self._kept.clear()
        return len(names)

    def figures(self) -> Figures:
        """What is remembered; after a sweep all that is there."""
        kept = [k for k in list(self._kept.values()) if self._holds(k)]
        times = [k.at for k in kept]
        pictures = sum(k.file is not None for k in kept)
        return Figures(pictures, len(kept) - pictures, sum(k.size for k in kept), min(times, default=None), max(times, default=None))

    def _holds(self, kept: Kept) -> bool:
        """Whether its time has not run out; a date in the future means nothing."""
        age = self.clock() - kept.at
        return -DAY < age < (self.days * DAY if kept.file else min(AGAIN, self.days * DAY))

    def _whole(self, kept: Kept) -> bool:
        if kept.file is None:
            return True
        try:
            return (self.pictures / kept.file).stat().st_size == kept.size
        except OSError:
            return False

    def _delete(self, tmdb: int, kept: Kept) -> None:
        self._path(tmdb).unlink(missing_ok=True)
        if kept.file:
            (self.pictures / kept.file).unlink(missing_ok=True)
        self._forget(tmdb)

    def _forget(self, tmdb: int) -> None:
        with self._lock:
            self._kept.pop(tmdb, None)

    def _path(self, tmdb: int) -> Path:
        return self.facts / f"{int(tmdb)}.json"


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}-", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _files(folder: Path, name: str) -> list[Path]:
    """The files of a folder whose names are of this form; none where there is no folder."""
    try:
        return [Path(e.path) for e in os.scandir(folder) if re.fullmatch(name, e.name) and e.is_file(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return float("inf")
