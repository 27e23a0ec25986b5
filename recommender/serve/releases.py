"""Releases of the models: one folder each, and a pointer to the one at work.

A release is a folder settings.releases/NAME that holds every artifact (weights and card) and release.json: what it was made of and the
examination it passed. NAME is the moment it was made and a hash of all its weights, so that a folder can be checked against its name. A folder
whose name begins with a dot is being made or removed, and is no release.

The pointer is the file settings.releases/current, one line, replaced in one step by os.replace. It is no symbolic link: those need a right of
their own on Windows and do not exist on SMB shares, and what a network volume remembers of a link may be a minute old, while a file that is
opened is asked for anew (NFS, close-to-open). Where there is no pointer, the committed artifacts are at work.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from recommender import artifacts
from recommender.catalog import Catalog
from recommender.settings import Settings

CANDIDATE, GONE = ".candidate-", ".gone-"  # names begin so while a release is made or removed
POINTER, FACTS, LOCK, COMMITTED = "current", "release.json", ".lock", "committed"
NAME = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")


class ReleaseError(ValueError):
    """A release that cannot be used, or a change of releases that cannot be made now."""


@dataclass(frozen=True)
class Release:
    """A folder of models that are served together."""

    name: str
    folder: Path

    @property
    def version(self) -> str:
        """The name, with a hash of the weights, which the name of a refreshed release ends with already."""
        return f"{self.name}-{artifacts.version(self.folder)}" if self.name == COMMITTED else self.name

    @property
    def made(self) -> datetime | None:
        """When it was made; None for the committed artifacts."""
        return None if self.name == COMMITTED else datetime.strptime(self.name[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)

    def facts(self) -> dict[str, Any]:
        """What it was made of, and its examination; {} for the committed artifacts. ReleaseError where that cannot be read."""
        if self.name == COMMITTED:
            return {}
        try:
            found = json.loads((self.folder / FACTS).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ReleaseError(f"release {self.name!r}: {FACTS} cannot be read ({error})") from None
        if not isinstance(found, dict):
            raise ReleaseError(f"release {self.name!r}: {FACTS} holds a {type(found).__name__}, wanted an object")
        return found


# -- which there are ---------------------------------------------------------------------------------------------------


def pointed(settings: Settings) -> str:
    """The name that the pointer holds, whatever it is; that of the committed artifacts where there is no pointer."""
    try:
        return (settings.releases / POINTER).read_text("utf-8").strip()
    except FileNotFoundError:
        return COMMITTED
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{settings.releases / POINTER} cannot be read ({error}); wanted the name of a release") from None


def named(settings: Settings, name: str) -> Release:
    """A release by name. ReleaseError where there is none."""
    if name == COMMITTED:
        return Release(COMMITTED, settings.artifacts)
    if not NAME.fullmatch(name) or not (settings.releases / name / FACTS).is_file():
        there = ", ".join(release.name for release in listed(settings))
        raise ReleaseError(f"release {name!r} is not in {settings.releases}, wanted one of {there}")
    return Release(name, settings.releases / name)


def current(settings: Settings) -> Release:
    """The release at work. ReleaseError where the pointer names none."""
    return named(settings, pointed(settings))


def listed(settings: Settings) -> list[Release]:
    """The committed artifacts and all releases, the oldest first."""
    made = sorted(path for path in settings.releases.glob("*") if NAME.fullmatch(path.name) and (path / FACTS).is_file())
    return [Release(COMMITTED, settings.artifacts), *(Release(path.name, path) for path in made)]


def match(release: Release) -> None:
    """ReleaseError where a release does not hold the weights that its name tells of."""
    if release.name != COMMITTED and (found := artifacts.version(release.folder)) != release.name[-8:]:
        raise ReleaseError(f"release {release.name!r} cannot be used: its weights have the hash {found}, its name says {release.name[-8:]}")


def verify(release: Release, catalog: Catalog) -> None:
    """Read every model and the atlas as serving does; ReleaseError with all that is wrong."""
    match(release)
    models, problems = artifacts.load_all(release.folder, catalog)
    problems += artifacts.load_atlas(release.folder, catalog, models)[1]
    if problems:
        raise ReleaseError(f"release {release.name!r} cannot be used: {'; '.join(problems)}")


# -- how they come and go ----------------------------------------------------------------------------------------------


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Nobody else changes releases meanwhile; ReleaseError where somebody does.

    The lock is held by the operating system for the process: it is free again however that ends, so none is ever stale. What an interrupted
    refresh left behind is removed now; what a network volume hides there (.nfs..., .snapshot) is not ours.
    """
    settings.releases.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.releases / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ReleaseError(f"releases in {settings.releases} are being changed by another process; wait until it is done") from None
    try:
        for left in (path for name in (CANDIDATE, GONE, f".{POINTER}-") for path in settings.releases.glob(f"{name}*")):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield
    finally:
        lock.release()


@contextmanager
def candidate(settings: Settings, parent: Release) -> Iterator[Path]:
    """A hidden folder with all that the parent holds, to be changed and published; gone afterwards where it was not.

    Files are shared with the parent where the disk can do so (hard links): writers of artifacts replace a file and never change one.
    """
    folder = settings.releases / f"{CANDIDATE}{os.getpid()}"
    try:
        for path in sorted(parent.folder.glob("*/*")):
            if path.name in (artifacts.CARD, artifacts.WEIGHTS):
                share(path, folder / path.parent.name / path.name)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def share(source: Path, target: Path) -> None:
    """The same file under another name too, or a copy where the disk has no such names."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def publish(settings: Settings, folder: Path, facts: dict[str, Any], at: datetime) -> Release:
    """Make a release of a candidate's folder. It is on the disk, and not at work yet."""
    (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    for path in [p for p in folder.rglob("*") if p.is_file()] + [p for p in folder.rglob("*") if p.is_dir()] + [folder]:
        settle(path)
    release = Release(name := f"{at:%Y%m%d-%H%M%S}-{artifacts.version(folder)}", settings.releases / name)
    folder.rename(release.folder)
    settle(settings.releases)
    return release


def switch(settings: Settings, release: Release) -> None:
    """Put a release to work, in one step: whoever reads the pointer finds the old name or the new one."""
    part = settings.releases / f".{POINTER}-{os.getpid()}"
    part.write_text(release.name + "\n", "utf-8")
    settle(part)
    # Windows replaces no file that somebody is just reading
    for attempt in Retrying(retry=retry_if_exception_type(PermissionError), stop=stop_after_delay(5), wait=wait_fixed(0.02), reraise=True):
        with attempt:
            os.replace(part, settings.releases / POINTER)
    settle(settings.releases)


def prune(settings: Settings, keep: int) -> list[str]:
    """Remove the oldest releases but `keep`, never the current one nor its parent; their names."""
    now = current(settings)
    needed = {now.name, now.facts().get("parent"), COMMITTED}
    gone = [release for release in listed(settings)[1:][: -keep or None] if release.name not in needed]
    for release in gone:
        hidden = release.folder.rename(settings.releases / f"{GONE}{release.name}")  # from here on it is no release
        shutil.rmtree(hidden)
    return [release.name for release in gone]


def settle(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk. Windows has no such thing for folders."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() or os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
