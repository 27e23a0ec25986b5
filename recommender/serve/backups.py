"""Backups of the stored feedback, and the way back: consistent while others write, checked before they count, never half a file.

SQLite is copied by its own backup interface (sqlite.org/backup.html) and packed by gzip; PostgreSQL is dumped by pg_dump in its custom format, from
one snapshot. A way back is one transaction in the store: servers that run see all of it or nothing, and numbers of events are given on where they
stood, so that no number is given twice.

Backups keep what a person has had deleted since, until they are pruned. No list of the forgotten is kept to be applied to them: hashes of names that
can be guessed would be personal data again.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy import URL, Connection, func, select, text

from recommender.serve import tables
from recommender.serve.feedback import Feedback, reached
from recommender.serve.releases import settle
from recommender.serve.tables import VERSIONS, FeedbackError, metadata

ENDS = {"sqlite": ".sqlite.gz", "postgresql+psycopg": ".pgdump"}
NAME = re.compile(r"marquee-[0-9]{8}-[0-9]{6}-[0-9]{6}(\.sqlite\.gz|\.pgdump)")
NAMES = [table.name for table in metadata.sorted_tables]

LEFT = re.compile(r"\.marquee-.*\.(part|plain|unpacked-[0-9]+(-wal|-shm|-journal)?)")  # unfinished files
STALE = 3600  # seconds without a change, after which nobody is at work on one

_COPY = re.compile(rb"COPY (?:\w+\.)?(\w+) \((.*)\) FROM stdin;\n")  # as pg_dump writes it


class Backup(NamedTuple):
    """A file, its size in bytes, and how many rows of each table it holds."""

    path: Path
    bytes: int
    rows: dict[str, int]


class Restored(NamedTuple):
    """How many rows of each table the store holds now, and the backup of what was there before; None where nothing was."""

    rows: dict[str, int]
    saved: Path | None


def backup(address: str, folder: Path, keep: int | None = None) -> Backup:
    """Copy the store at an address to a new file of a folder, check it, and remove the oldest but `keep`. FeedbackError where that cannot be done."""
    url = tables.parsed(address)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(folder)
    target = folder / f"marquee-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}{ENDS[url.drivername]}"
    part = folder / f".{target.name}.part"
    with reached(tables.place(url), url):
        try:
            part.touch(0o600)  # what people did is nobody else's to read
            rows = (_copy if url.drivername == "sqlite" else _dump)(url, part)
            settle(part)
            part.replace(target)
            settle(folder)
        finally:
            part.unlink(missing_ok=True)
    for old in _oldest(folder, target, keep) if keep else []:
        old.unlink()
    return Backup(target, target.stat().st_size, rows)


def restore(address: str, file: Path, folder: Path, replace: bool = False) -> Restored:
    """Put back what a backup holds. Where the store holds anything, only if it may be replaced, and after a backup of it to `folder`.

    A file that is damaged, of the other kind of database or of a version not known here is refused before anything is touched. FeedbackError.
    """
    url = tables.parsed(address)
    if not file.name.endswith(ENDS[url.drivername]):
        raise FeedbackError(f"{file.name} is no backup of {url.get_backend_name()}, wanted a file that ends with {ENDS[url.drivername]}")
    if not file.is_file():
        raise FeedbackError(f"{file} is not there, wanted a backup")
    Feedback.open(address).close()  # made, and of the newest version
    with reached(tables.place(url), url):
        return (_back_to_sqlite if url.drivername == "sqlite" else _back_to_postgresql)(url, file, _saver(address, folder, replace))


def _saver(address: str, folder: Path, replace: bool) -> Callable[[dict[str, int]], Path | None]:
    def save(held: dict[str, int]) -> Path | None:
        if not any(held.values()):
            return None
        if not replace:
            there = " and ".join(f"{n:,} rows of {name}" for name, n in held.items() if n)
            raise FeedbackError(f"the feedback database at {tables.place(tables.parsed(address))} holds {there}; wanted --yes to replace them")
        return backup(address, folder).path

    return save


def _oldest(folder: Path, made: Path, keep: int) -> list[Path]:
    """All but so many of a folder's backups; never the one just made, whatever the clock said before."""
    others = sorted((path for path in folder.glob("marquee-*") if NAME.fullmatch(path.name) and path != made), reverse=True)
    return others[keep - 1 :]


def _sweep(folder: Path) -> None:
    """Remove what a backup or restore that was killed left behind: it holds what people did. One under way has been written to since."""
    for path in folder.glob(".marquee-*"):
        if LEFT.fullmatch(path.name) and time.time() - path.stat().st_mtime > STALE:
            path.unlink(missing_ok=True)


# -- SQLite ------------------------------------------------------------------------------------------------------------


def _copy(url: URL, part: Path) -> dict[str, int]:
    source = Path(str(url.database)).resolve()
    if not source.is_file():
        raise FeedbackError(f"the feedback database at {url.database} is not there, so there is nothing to back up")
    plain = part.with_suffix(".plain")
    try:
        plain.touch(0o600)
        with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=tables.WAIT)) as live, closing(sqlite3.connect(plain)) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE").close()  # one file, without a log beside it
        rows = _checked(plain)
        with plain.open("rb") as whole, gzip.open(part, "wb", 6) as packed:
            shutil.copyfileobj(whole, packed, 1 << 20)
    finally:
        plain.unlink(missing_ok=True)
    with _unpacked(part, part.parent) as again:
        if _checked(again) != rows:
            raise FeedbackError(f"{part.name} does not read back as it was written; is the disk full or failing?")
    return rows


def _checked(file: Path) -> dict[str, int]:
    """The rows of each table of a whole SQLite file of a version known here; FeedbackError for any other."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            if (said := connection.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                raise FeedbackError(f"{file.name} is damaged: {said}")
            tables.known(str(connection.execute(f"SELECT version_num FROM {VERSIONS}").fetchone()[0]), file.name)
            return {name: int(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]) for name in NAMES}
    except (sqlite3.Error, TypeError) as error:
        raise FeedbackError(f"{file.name} holds no feedback database: {error}") from None


@contextmanager
def _unpacked(file: Path, folder: Path) -> Iterator[Path]:
    """The SQLite file of a backup, for a while, in a folder."""
    plain = folder / f".{file.name.strip('.')}.unpacked-{os.getpid()}"
    try:
        plain.touch(0o600)
        with gzip.open(file) as packed, plain.open("wb") as whole:
            shutil.copyfileobj(packed, whole, 1 << 20)
        yield plain
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FeedbackError(f"{file.name} is damaged: {error}") from None
    finally:
        for left in (plain, *plain.parent.glob(f"{plain.name}-*")):
            left.unlink(missing_ok=True)


def _back_to_sqlite(url: URL, file: Path, save: Callable[[dict[str, int]], Path | None]) -> Restored:
    live = Path(str(url.database))
    _sweep(live.parent)
    with _unpacked(file, live.parent) as kept:
        _checked(kept)
        Feedback.open(f"sqlite:///{kept.as_posix()}").close()  # an old version is brought up
        with closing(sqlite3.connect(live, timeout=tables.WAIT, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete = ON").close()
            connection.execute("ATTACH ? AS kept", (str(kept),))
            connection.execute("BEGIN IMMEDIATE")  # from here on nobody else writes, until all is done or nothing was
            count = lambda: {name: int(connection.execute(f"SELECT count(*) FROM main.{name}").fetchone()[0]) for name in NAMES}
            saved = save(count())
            for table in metadata.sorted_tables:
                columns = ", ".join(f'"{column.name}"' for column in table.columns)
                theirs = ", ".join(f'k."{column.name}"' for column in table.columns)  # SQLite takes an unknown "name" alone for a text
                connection.execute(f"DELETE FROM main.{table.name}")
                connection.execute(f"INSERT INTO main.{table.name} ({columns}) SELECT {theirs} FROM kept.{table.name} AS k")
            rows = count()
            connection.execute("COMMIT")
    return Restored(rows, saved)


# -- PostgreSQL --------------------------------------------------------------------------------------------------------


def _dump(url: URL, part: Path) -> dict[str, int]:
    with _connected(url) as connection:
        rows, snapshot = _counted(connection), connection.execute(select(func.pg_export_snapshot())).scalar_one()
        only = [f"--table={name}" for name in (*NAMES, VERSIONS)]
        open_ = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
        where = f"--dbname={open_.render_as_string(hide_password=False)}"
        secret = {"PGPASSWORD": str(url.password)} if url.password else {}  # not on the command line, where everybody may read it
        _ran(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", *only, f"--file={part}", where], secret)
    if (written := _held(part)) != rows:
        raise FeedbackError(f"{part.name} holds {written}, wanted {rows}")
    return rows


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    """A transaction that sees the database as it was at its beginning."""
    made = tables.engine(url)
    try:
        with made.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            yield connection
    finally:
        made.dispose()


def _counted(connection: Connection) -> dict[str, int]:
    return {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in metadata.sorted_tables}


def _held(file: Path) -> dict[str, int]:
    """The rows of each table of a whole dump of a version known here, read to its end; FeedbackError for any other."""
    rows, versions, wanted = dict[str, int](), list[bytes](), {*NAMES, VERSIONS}
    for table, _, lines in _lines(file):
        if table in rows or table not in wanted:
            raise FeedbackError(f"{file.name} is damaged, or holds no feedback database: it has {table!r}, wanted {', '.join(NAMES)}, each once")
        kept = list(lines) if table == VERSIONS else []
        rows[table], versions = sum(1 for _ in lines) + len(kept), versions + kept
    if set(rows) != wanted or rows.pop(VERSIONS) != 1:
        raise FeedbackError(f"{file.name} is damaged, or holds no feedback database: {', '.join(sorted(wanted - set(rows))) or VERSIONS} is missing")
    tables.known(versions[0].decode().strip(), file.name)
    return rows


def _lines(file: Path) -> Iterator[tuple[str, list[str], Iterator[bytes]]]:
    """Table, columns and lines of each table's data in a dump, as COPY takes them."""
    command = [_program("pg_restore"), "--data-only", "--file=-", str(file)]
    with tempfile.TemporaryFile() as said, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as reading:
        assert reading.stdout is not None
        for line in reading.stdout:
            if head := _COPY.fullmatch(line):
                yield head[1].decode(), [name.strip('"') for name in head[2].decode().split(", ")], _until_end(reading.stdout)
        if reading.wait():
            said.seek(0)
            raise FeedbackError(f"{file.name} cannot be read: {said.read().decode(errors='replace').strip().splitlines()[-1:]}")


def _until_end(written: IO[bytes]) -> Iterator[bytes]:
    """The lines of one table; the end of a file that was cut short ends them too."""
    for line in iter(written.readline, b""):
        if line == b"\\.\n":
            return
        yield line


def _back_to_postgresql(url: URL, file: Path, save: Callable[[dict[str, int]], Path | None]) -> Restored:
    _held(file)
    made = tables.engine(url)
    try:
        with made.begin() as connection:
            connection.execute(text(f"LOCK TABLE {', '.join(NAMES)} IN EXCLUSIVE MODE"))  # others read on; nobody else writes until all is done
            saved = save(_counted(connection))
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
            for name, columns, lines in _lines(file):
                if name in NAMES:
                    try:
                        _copied(connection, name, columns, lines)
                    except psycopg.Error as error:
                        raise FeedbackError(f"{file.name} is damaged: {str(error).splitlines()[0]}") from None
            stood = "pg_get_serial_sequence('events', 'seq')"
            connection.execute(text(f"SELECT setval({stood}, greatest(nextval({stood}), (SELECT max(seq) FROM events)))"))
            rows = _counted(connection)
    finally:
        made.dispose()
    return Restored(rows, saved)


def _copied(connection: Connection, table: str, columns: list[str], lines: Iterator[bytes]) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)))
    with driver.cursor() as cursor, cursor.copy(into) as copy:
        for line in lines:
            copy.write(line)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise FeedbackError(f"{name} is not on this machine, wanted the client programs of PostgreSQL (Debian: apt-get install postgresql-client)")
    return found


def _ran(command: list[str], more: dict[str, str]) -> None:
    done = subprocess.run([_program(command[0]), *command[1:]], env=os.environ | more, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FeedbackError(f"{command[0]} failed: {(done.stderr.strip() or 'without a word').splitlines()[-1]}")
