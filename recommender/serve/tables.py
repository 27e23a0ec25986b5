"""The database of the stored feedback: its tables, how it is reached, and how it is brought to the newest version."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    URL,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    false,
    func,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DisconnectionError
from tenacity import Retrying, retry_if_exception_message, stop_after_delay, wait_random

from recommender.serve.events import SILENT

MIGRATIONS = Path(__file__).parent / "migrations"
VERSIONS = "feedback_version"  # the table that says how new the others are
WAIT = 30  # seconds that a writer waits for another
ANSWER = 10  # seconds that a server has to answer, and that a connection may be silent before it is asked
HELD = "3s"  # so long who is answered waits for what another holds, such as a restore

_log = logging.getLogger(__name__)
metadata = MetaData()
# Literal, so that both databases know their indexes by them:
REAL = text("NOT simulated")
SPEAKING = text(f"NOT simulated AND kind NOT IN ({', '.join(repr(kind) for kind in SILENT)})")
VOTES = text("NOT simulated AND kind = 'vote'")
TRIED = text("experiment IS NOT NULL")

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),  # the order of storing
    Column("viewer", String(64), nullable=False),
    Column("id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("film", BigInteger),
    Column("stars", Double),
    Column("target", String(64)),
    Column("at", Double, nullable=False),
    Column("recommendation", String(64)),
    Column("row", Text),
    Column("position", Integer),
    Column("model", Text),
    Column("score", Double),
    Column("propensity", Double),
    Column("time_of_day", String(16)),
    Column("device", String(16)),
    Column("seen_device", String(16)),
    Column("local_hour", Integer),
    Column("note", Text, nullable=False),  # JSON
    Column("experiment", String(64)),
    Column("arm", Text),
    Column("simulated", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("viewer", "id", name="events_viewer_id"),
    sqlite_autoincrement=True,  # no number is given twice, also after a viewer was forgotten
)
Index("events_viewer_seq", events.c.viewer, events.c.seq)
Index("events_speaking", events.c.viewer, events.c.seq, sqlite_where=SPEAKING, postgresql_where=SPEAKING)
Index("events_votes", events.c.viewer, sqlite_where=VOTES, postgresql_where=VOTES)
Index("events_experiment", events.c.experiment, events.c.seq, sqlite_where=TRIED, postgresql_where=TRIED)
people = Table(
    "people",
    metadata,
    Column("viewer", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("avatar", Text, nullable=False),  # JSON
    Column("certificate", String(16)),
    Column("genres", Text, nullable=False),  # JSON
    Column("at", Double, nullable=False),  # unix seconds, when it was made
    Column("changed", Double, nullable=False, server_default="0"),  # and made anew
)


class FeedbackError(RuntimeError, OSError):
    """The stored feedback cannot be reached or read: where it is, without a password, what is wrong, and what to do."""


def parsed(address: str) -> URL:
    """The address of a database; postgres:// and postgresql:// are spoken by psycopg."""
    wanted = "wanted sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME in DATABASE_URL"
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # the error may repeat the address, and the password in it
        raise FeedbackError(f"the address of the feedback database cannot be read; {wanted}") from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise FeedbackError(f"the feedback database at {place(url)} is {url.drivername}; {wanted}")
    if url.drivername == "sqlite" and (url.database or ":memory:") == ":memory:":
        raise FeedbackError(f"the feedback database is in memory and would be lost; {wanted}")
    if url.drivername == "sqlite" and str(url.database).startswith("file:"):
        raise FeedbackError(f"the feedback database at {place(url)} is named by a URI; {wanted}")
    return url


def place(url: URL) -> str:
    """Where a database is: the file, or host, port and name."""
    if url.drivername == "sqlite":
        return str(url.database)
    return f"{url.host or 'this machine'}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def engine(url: URL, patient: bool = True) -> Engine:
    """Connections to the database. On SQLite every transaction begins by itself: those of `writing` take the lock for writing at once.

    patient: whether they wait for what another holds as long as it takes.
    """
    if url.drivername != "sqlite":
        silence = {"tcp_user_timeout": 1000 * ANSWER, "keepalives_idle": ANSWER, "keepalives_interval": 5, "keepalives_count": 2}
        given: dict[str, int | str] = {"connect_timeout": ANSWER, **silence, **({} if patient else {"options": f"-c lock_timeout={HELD}"})}
        waits = {name: value for name, value in given.items() if name not in url.query}
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=waits)
    _check_file(path := Path(str(url.database)))
    made = create_engine(url, hide_parameters=True, connect_args={"isolation_level": None, "timeout": WAIT})
    whole: list[tuple[int, int] | None] = []  # the file whose tables were brought up: from the first connection on, by whoever opened it
    event.listen(made, "do_connect", partial(_look_again, url, whole))
    event.listen(made, "connect", partial(_prepare, path, whole))
    event.listen(made, "checkout", partial(_check_still_there, path, whole))
    event.listen(made, "begin", _begin)
    return made


def served(url: URL, where: str) -> Engine:
    """Connections for those who are answered, to tables of the newest version."""
    made = engine(url)
    bring_up(made, where)
    if made.dialect.name == "sqlite":
        return made
    made.dispose()
    return engine(url, patient=False)


def _check_file(path: Path) -> None:
    """Room for a file, or a database; SQLite itself takes any very short file for an empty one and would write over it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        with path.open("rb") as file:
            if file.read(16) not in (b"", b"SQLite format 3\0"):
                raise OSError("file is not a database")


def writing(made: Engine) -> Engine:
    """The same connections, for transactions that write."""
    return made.execution_options(begin="BEGIN IMMEDIATE") if made.dialect.name == "sqlite" else made


def _prepare(path: Path, whole: list[tuple[int, int] | None], connection: Any, record: Any) -> None:
    """Readers and a writer side by side; what is committed is on the disk, what is deleted is overwritten (sqlite.org/pragma.html)."""
    for attempt in Retrying(
        retry=retry_if_exception_message(match=".*locked"), stop=stop_after_delay(WAIT), wait=wait_random(0.005, 0.05), reraise=True
    ):
        with attempt:  # the change takes the file for itself, and SQLite does not wait for that of its own accord
            connection.execute("PRAGMA journal_mode = WAL").close()
    for pragma in ("synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    record.info["file"] = _number(path)
    if not whole:
        whole.append(record.info["file"])


def _check_still_there(path: Path, whole: list[tuple[int, int] | None], connection: Any, record: Any, _: Any) -> None:
    """A file that was moved or deleted still takes what is written, and nobody finds it again: such a connection is given up for a new one."""
    if not record.info["file"] == whole[0] == _number(path):
        raise DisconnectionError(f"{path} is another file than it was")


def _look_again(url: URL, whole: list[tuple[int, int] | None], *_: Any) -> None:
    """Before a connection is made: where the file is gone or another than it was, what stands there now, or a new one, gets its tables."""
    if whole and _number(path := Path(str(url.database))) != whole[0]:
        _log.warning("%s is gone or another file than it was: its tables are made where there are none", path)
        _make_again(url)
        whole[0] = _number(path)


def _make_again(url: URL) -> None:
    """Tables in the file, by connections of its own. The numbers of events go on from the time in milliseconds, so that whoever remembers some of
    the file before takes none of this one for it."""
    made = engine(url)
    try:
        with made.connect() as connection:
            fresh = not inspect(connection).has_table(VERSIONS)
        bring_up(made, place(url))
        if fresh:
            with writing(made).begin() as connection:
                first = text(
                    "INSERT INTO sqlite_sequence SELECT 'events', :ms WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'events')"
                )
                connection.execute(first, {"ms": int(1000 * time.time())})
    finally:
        made.dispose()


def _number(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of the same name; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def lock(connection: Connection, name: str) -> None:
    """Keep other writers of the same name out until this transaction ends; on SQLite it is the only one that writes anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def clear_log(made: Engine) -> None:
    """On SQLite, move what stands in the log beside the file into the file, and empty the log."""
    if made.dialect.name == "sqlite":
        connection = made.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()


_one_at_a_time = threading.RLock()  # Alembic's context belongs to the process; the transaction in it may find that the file was deleted


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def known(version: str, what: str) -> None:
    """FeedbackError where a version of the tables, found in `what`, is none of those that can be brought to the newest."""
    if version not in {revision.revision for revision in _script().walk_revisions()}:
        raise FeedbackError(f"{what} has version {version!r}, which is not known here; wanted at most {_script().get_heads()[0]!r}")


def bring_up(made: Engine, where: str, to: str = "head") -> None:
    """Bring the tables to the newest version, or up to one. A version that is not known here is refused."""
    config, head = _config(), _script().get_heads()
    with made.connect() as connection:
        found = MigrationContext.configure(connection, opts={"version_table": VERSIONS}).get_current_heads()
    if list(found) == list(head):
        return
    for version in found:
        known(version, f"the feedback database at {where}")
    with _one_at_a_time, writing(made).begin() as connection:
        lock(connection, VERSIONS)
        config.attributes["connection"] = connection
        command.upgrade(config, to)
