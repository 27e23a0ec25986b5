"""The stored feedback: what viewers did, kept for good in SQLite or PostgreSQL, and the taste that stands after it."""

from __future__ import annotations

import atexit
import csv
import io
import json
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, Row, Select, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from recommender.catalog import Catalog
from recommender.serve import checks, columns, tables
from recommender.serve.columns import Recorded
from recommender.serve.events import (
    ASPECTS,
    KINDS,
    NO_TASTE,
    OPINIONS,
    SILENT,
    Event,
    NotStored,
    Opinion,
    Taste,
    fold,
    note_of,
    preferences_of,
    standing,
)  # fmt: skip
from recommender.serve.tables import FeedbackError, events, metadata, people
from recommender.serve.viewers import SHAPES, Viewer
from recommender.types import CERTIFICATES, Profile

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = (
    "ASPECTS",
    "KINDS",
    "NO_TASTE",
    "OPINIONS",
    "SILENT",
    "Event",
    "Feedback",
    "FeedbackError",
    "Opinion",
    "Taste",
    "fold",
    "note_of",
    "preferences_of",
)

FIELDS = tuple(f.name for f in fields(Event))
_OWN = re.compile(r"me-[a-z0-9-]{1,61}")


@dataclass(frozen=True)
class Feedback:
    """One database of feedback. Threads and processes may share it; what a method has returned from is on the disk."""

    engine: Engine
    where: str  # the file, or host and name
    passing: bool = False  # whether it ends with the program

    @classmethod
    def open(cls, address: str) -> Self:
        """The database at an address such as sqlite:///FILE or postgresql://…, made or brought to the newest version. Raises FeedbackError."""
        url = tables.parsed(address)
        where = tables.place(url)
        with reached(where, url):
            made = tables.served(url, where)
        return cls(made, where)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    # -- what was done ---------------------------------------------------------------------------------------------

    def add(self, said: Iterable[Event]) -> list[Event]:
        """Store events, all or none, and give those that were new: one whose id its viewer has used is skipped, so that retries do no harm.
        An undo of what its viewer has not stored, or stored only after it, is NotStored, a ValueError.
        """
        batch = list(said)
        if not batch:
            return []
        with self._writing({event.viewer for event in batch}) as connection:
            _check_undos(connection, batch)
            new = self._insert(events).on_conflict_do_nothing(index_elements=["viewer", "id"]).returning(events.c.viewer, events.c.id)
            stored = set(map(tuple, connection.execute(new, [{**vars(event), "note": _json(event.note)} for event in batch])))
        keys = [(event.viewer, event.id) for event in batch]
        first = dict(zip(keys[::-1], batch[::-1]))
        return [first[key] for key in dict.fromkeys(keys) if key in stored]

    def add_columns(self, said: Mapping[str, Any]) -> int:
        """Store what simulated viewers did, all or none, and say how many events were new; known ids are skipped.

        said: fields of Event -> N values, or one for all; notes as text of JSON. What an event may not be is a ValueError; see columns.checked.
        """
        checked = columns.checked(said)
        with self._writing({f"experiment {name}" for name in set(checked.get("experiment", ()))}) as connection:
            return columns.insert(connection, checked)

    def outcomes(self, experiment: str) -> DataFrame:
        """Everything that was recorded in an experiment, one event a row; see columns.read."""
        with self.reading() as connection:
            return columns.read(connection, experiment)

    def experiments(self) -> list[Recorded]:
        """What experiments there are events of, the latest first."""
        with self.reading() as connection:
            return columns.recorded(connection)

    def drop_experiment(self, name: str) -> int:
        """Remove the simulated events of an experiment, and say how many there were. What people did stays."""
        with self._writing({f"experiment {name}"}) as connection:
            removed = connection.execute(delete(events).where(events.c.experiment == name, events.c.simulated)).rowcount
        with reached(self.where, self.engine.url):
            tables.clear_log(self.engine)
        return removed

    def events(self, viewer: str, kinds: Collection[str] | None = None) -> list[Event]:
        """A viewer's events in the order of storing, of some kinds or of all."""
        asked = select(events).where(events.c.viewer == viewer)
        return self.read(asked if kinds is None else asked.where(events.c.kind.in_(kinds)))

    def version(self, viewer: str) -> int:
        """A number that changes whenever the viewer or their taste may have; impressions, clicks and votes leave it as it is."""
        last = select(func.max(events.c.seq)).where(events.c.viewer == viewer, tables.SPEAKING).scalar_subquery()
        changed = select(people.c.changed).where(people.c.viewer == viewer).scalar_subquery()
        with self.reading() as connection:
            seq, seconds = connection.execute(select(last, changed)).one()
        return (seq or 0) + int(1e6 * (seconds or 0))

    def has(self, viewer: str) -> bool:
        """Whether anything is stored that this viewer did; what was simulated is not."""
        with self.reading() as connection:
            return connection.execute(select(events.c.seq).where(events.c.viewer == viewer, tables.REAL).limit(1)).first() is not None

    def taste(self, viewer: str) -> Taste:
        """What stands of all that a viewer did."""
        return fold(self.read(select(events).where(events.c.viewer == viewer, tables.SPEAKING)))

    def votes(self) -> list[Event]:
        """The votes of all viewers that were not taken back, in the order of storing."""
        voters = select(events.c.viewer).where(tables.VOTES)
        stored = self.read(select(events).where(events.c.viewer.in_(voters), tables.REAL, events.c.kind.in_(("vote", "undo"))))
        of: dict[str, list[Event]] = {}
        for event in stored:
            of.setdefault(event.viewer, []).append(event)
        kept = {(event.viewer, event.id) for theirs in of.values() for event in standing(theirs)}
        return [event for event in stored if (event.viewer, event.id) in kept]

    # -- people who made their own viewer --------------------------------------------------------------------------

    def add_viewer(self, viewer: Viewer) -> None:
        """Store a viewer somebody made of themselves, in place of the one of the same id: all but what they did. A ValueError names what is wrong."""
        checks.matching(_OWN, "me- and 1 to 61 small letters, digits and hyphens", "id", viewer.id)
        values = {
            "name": checks.line(40, "name", viewer.name),
            "line": checks.line(200, "line", viewer.line),
            "avatar": _json(_avatar(viewer.avatar)),
            "certificate": viewer.certificate and checks.one_of(CERTIFICATES, "certificate", viewer.certificate),
            "genres": _json([checks.line(40, "genre", genre) for genre in viewer.profile.genres]),
            "changed": (now := time.time()),
        }
        with self._writing({viewer.id}) as connection:
            new = self._insert(people).values(viewer=viewer.id, at=now, **values)
            connection.execute(new.on_conflict_do_update(index_elements=["viewer"], set_=values))

    def viewers(self, catalog: Catalog) -> dict[str, Viewer]:
        """Viewer id -> viewer, the oldest first. Genres that the catalogue does not know are left out."""
        with self.reading() as connection:
            return {row.viewer: _person(row, catalog) for row in connection.execute(select(people).order_by(people.c.at, people.c.viewer))}

    # -- what a person may ask of their data -----------------------------------------------------------------------

    def export(self, viewer: str) -> dict[str, Any]:
        """Everything stored of a viewer, ready for JSON: `person`, as they made their viewer (None where they did not), and every event."""
        with self.reading() as connection:
            person = connection.execute(select(people).where(people.c.viewer == viewer)).mappings().one_or_none()
            rows = connection.execute(select(events).where(events.c.viewer == viewer).order_by(events.c.seq)).mappings().all()
        read = {"note": json.loads, "avatar": json.loads, "genres": json.loads}
        with self._readable():
            plain = [
                {name: read.get(name, lambda value: value)(value) for name, value in row.items()} for row in ([person] if person else []) + [*rows]
            ]
        return {"viewer": viewer, "person": plain.pop(0) if person else None, "events": plain}

    def export_csv(self, viewer: str) -> str:
        """Every event of a viewer as CSV with a header. What a spreadsheet would take for a formula gets a quote before it (OWASP, CSV Injection)."""
        written = io.StringIO()
        rows = csv.DictWriter(written, [column.name for column in events.c], quoting=csv.QUOTE_NONNUMERIC)
        rows.writeheader()
        for event in self.export(viewer)["events"]:
            rows.writerow({name: _harmless(_json(value) if name == "note" else value) for name, value in event.items()})
        return written.getvalue()

    def forget(self, viewer: str) -> int:
        """Remove every row of a viewer from every table, and say how many there were. SQLite overwrites them in its files at once, unless somebody
        reads just then: the log beside the file is then cut back by whoever uses it last."""
        with self._writing({viewer}) as connection:
            removed = sum(connection.execute(delete(table).where(table.c.viewer == viewer)).rowcount for table in metadata.sorted_tables)
        with reached(self.where, self.engine.url):
            tables.clear_log(self.engine)
        return removed

    # -- how -------------------------------------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with reached(self.where, self.engine.url), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self, viewers: set[str]) -> Iterator[Connection]:
        """A transaction in which nobody else writes for these viewers: what is stored first has the smaller number and is seen first."""
        with reached(self.where, self.engine.url), tables.writing(self.engine).begin() as connection:
            for viewer in sorted(viewers):
                tables.lock(connection, viewer)
            yield connection

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that may say what to do where the row is there already."""
        return sqlite.insert(table) if self.engine.dialect.name == "sqlite" else postgresql.insert(table)

    def read(self, asked: Select) -> list[Event]:
        """Events by a query over their table, in the order of storing."""
        with self.reading() as connection:
            rows = connection.execute(asked.order_by(events.c.seq)).mappings().all()
        with self._readable():
            return [Event(**{**{name: row[name] for name in FIELDS}, "note": json.loads(row["note"])}) for row in rows]

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """What was stored by something else than this program, as a FeedbackError."""
        try:
            yield
        except ValueError as error:
            raise FeedbackError(f"the feedback database at {self.where} holds an event that cannot be read: {error}") from None


def _check_undos(connection: Connection, batch: list[Event]) -> None:
    """Every undo takes back what its viewer has stored, or does so earlier in the batch."""
    wanted: dict[str, list[str]] = {}
    for event in batch:
        if event.target is not None:
            wanted.setdefault(event.viewer, []).append(event.target)
    stored = {(viewer, id_) for viewer, ids in wanted.items() for id_ in _stored(connection, viewer, ids)}
    for event in batch:
        if event.target is not None and (event.viewer, event.target) not in stored:
            raise NotStored(f"target is {event.target!r}, wanted an event that {event.viewer!r} has stored before")
        stored.add((event.viewer, event.id))


def _stored(connection: Connection, viewer: str, ids: list[str], at_once: int = 1000) -> Iterator[str]:
    for n in range(0, len(ids), at_once):
        yield from connection.execute(select(events.c.id).where(events.c.viewer == viewer, events.c.id.in_(ids[n : n + at_once]))).scalars()


def _avatar(avatar: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(avatar, dict) or set(avatar) != {"shape", "hue"}:
        raise checks.refuse("avatar", avatar, "a shape and a hue")
    return {"shape": checks.one_of(tuple(SHAPES), "shape", avatar["shape"]), "hue": checks.whole(359, "hue", avatar["hue"])}


def _person(row: Row, catalog: Catalog) -> Viewer:
    genres = tuple(genre for genre in json.loads(row.genres) if genre in catalog.genre_names)
    return Viewer(row.viewer, row.name, row.line, json.loads(row.avatar), Profile(genres=genres), row.certificate)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


@contextmanager
def reached(where: str, url: URL) -> Iterator[None]:
    """What goes wrong on the way to a database, as a FeedbackError that names the place; drivers keep passwords to themselves."""
    try:
        yield
    except FeedbackError:
        raise
    except (SQLAlchemyError, CommandError, sqlite3.Error, OSError, ImportError) as error:
        said = (error.strerror if isinstance(error, OSError) else getattr(error, "orig", None)) or error
        reason = next(iter(str(said).strip().splitlines()), type(error).__name__)
        wanted = "a file that SQLite may read and write" if url.drivername == "sqlite" else "a PostgreSQL database that can be opened"
        raise FeedbackError(f"the feedback database at {where} cannot be used: {reason}; wanted {wanted}, named in DATABASE_URL") from None


def opened(address: str) -> tuple[Feedback, tuple[str, ...]]:
    """The store at an address; where it cannot be used, one that lasts as long as the program, and a line that says so."""
    try:
        return Feedback.open(address), ()
    except FeedbackError as error:
        return for_now(), (f"{error}. What is said here is lost when the program ends; mend that, and a server finds it by itself.",)


def for_now() -> Feedback:
    """A store of its own that lasts as long as the program, and leaves nothing behind."""
    folder = tempfile.mkdtemp(prefix="marquee-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return replace(Feedback.open(f"sqlite:///{Path(folder, 'feedback.sqlite')}"), passing=True)
