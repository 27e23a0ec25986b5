"""What is stored is there again, in order, for its viewer alone; what is forgotten is gone. The same laws on SQLite and on PostgreSQL."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import postgres as postgresql
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from conftest import opened
from hypothesis import HealthCheck, given
from hypothesis import settings as runs_of
from sqlalchemy import Connection, create_engine, event, inspect, make_url, text
from test_events import runs
from typer.testing import CliRunner

from recommender.__main__ import app, main
from recommender.load import read_films
from recommender.mine import named
from recommender.serve import tables
from recommender.serve.feedback import KINDS, SILENT, Event, Feedback, FeedbackError, fold
from recommender.serve.viewers import Viewer
from recommender.settings import ROOT, settings
from recommender.types import Profile

COLUMNS = [column.name for column in tables.events.c]
SHOWN = {"recommendation": "drawn-1", "row": "because", "position": 3, "model": "ease", "score": -0.1 / 3, "propensity": 0.2}
MOMENT = {"time_of_day": "evening", "device": "tv", "seen_device": "desktop", "local_hour": 23}
TRIED = {"experiment": "context", "arm": "told"}
FULL = Event("vera", "impression", 7, id="full", at=1.7e9 + 0.123456, note={"a": [1, None]}, **SHOWN, **MOMENT, **TRIED)  # type: ignore[arg-type]
ME = Viewer("me-0a1b", "Zoë 🎬", "Made this", {"shape": "owl", "hue": 200}, Profile(genres=("Drama", "Western")), "PG-13")


def liked(*films: int, viewer: str = "vera") -> list[Event]:
    return [Event(viewer, "like", film) for film in films]


# -- what is stored is there ----------------------------------------------------------------------------------------------


def test_what_was_done_is_there_after_opening_again(feedback: Feedback, address: str) -> None:
    done = [*liked(3, 1), FULL, Event("vera", "rating", 2, 4.5, note={"from": "import"})]
    assert len(feedback.add(done)) == 4
    with opened(address) as again:
        assert again.events("vera") == done
        assert again.events("vera", ("rating", "impression")) == done[2:]
        assert again.events("vera", ()) == []


def test_text_comes_back_to_the_letter(feedback: Feedback) -> None:
    odd = ["'", '"; DROP TABLE events; --', "%s %(x)s :x ?", "𝔐 🎬 é", "a\nb\tc\rd\\", " ", "=1+1"]
    done = [replace(FULL, id=f"e{n}", row=words, model=words, note={words: words, "nul": "\0"}) for n, words in enumerate(odd)]
    feedback.add(done)
    assert feedback.events("vera") == done
    assert [e["row"] for e in feedback.export("vera")["events"]] == odd


def test_the_same_event_again_changes_nothing(feedback: Feedback) -> None:
    first, second, third = liked(1, 2, 3)
    assert feedback.add([]) == []
    assert feedback.add([first]) == [first]
    version = feedback.version("vera")
    assert feedback.add([first]) == []
    assert feedback.add([replace(first, kind="hide")]) == []  # the id decides
    assert feedback.version("vera") == version
    assert feedback.add([third, first, second, replace(third, kind="hide")]) == [third, second]
    assert feedback.events("vera") == [first, third, second]


def test_a_batch_is_stored_whole_or_not_at_all(feedback: Feedback) -> None:
    with pytest.raises(ValueError, match="target is 'nowhere', wanted an event that 'vera' has stored before"):
        feedback.add([*liked(1, 2), Event("vera", "undo", target="nowhere")])
    assert feedback.events("vera") == []


def test_a_batch_that_the_database_refuses_half_way_leaves_nothing(feedback: Feedback) -> None:
    batch = liked(1, 2, 3)
    object.__setattr__(batch[2], "kind", None)  # past the checks of an event, and not past the table's
    with pytest.raises(FeedbackError, match=r"cannot be used: .*kind"):
        feedback.add(batch)
    assert feedback.events("vera") == []


def test_an_undo_may_follow_its_event_in_a_batch_and_not_go_before_it(feedback: Feedback) -> None:
    like = liked(1)[0]
    back = Event("vera", "undo", target=like.id)
    with pytest.raises(ValueError, match="target is"):
        feedback.add([back, like])
    assert feedback.add([like, back]) == [like, back]
    assert feedback.add([back]) == []  # a retry
    assert feedback.taste("vera").opinions == {}


def test_a_page_of_impressions_is_stored_in_order(feedback: Feedback) -> None:
    page = [replace(FULL, id=f"i{n}", position=n) for n in range(300)]
    assert len(feedback.add(page)) == 300
    assert [e.position for e in feedback.events("vera")] == list(range(300))


@runs_of(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(events=runs())
def test_the_stored_taste_is_the_fold_of_what_was_stored(feedback: Feedback, events: list[Event]) -> None:
    viewer = f"v{uuid4().hex}"
    known: list[Event] = []
    for e in events:
        if e.target is None or e.target in {earlier.id for earlier in known}:  # others would be refused
            known.append(replace(e, viewer=viewer))
    for n in range(0, len(known), 3):
        feedback.add(known[n : n + 3])
    assert feedback.events(viewer) == known
    assert feedback.taste(viewer) == fold(known)


# -- one viewer's and nobody else's ---------------------------------------------------------------------------------------


def test_nothing_of_a_viewer_reaches_another(feedback: Feedback) -> None:
    hers, his = liked(1, 2), liked(3, viewer="ben")
    feedback.add([hers[0], his[0], hers[1]])
    version = feedback.version("ben")
    feedback.add(liked(4))
    assert feedback.version("ben") == version
    assert feedback.events("ben") == his
    assert list(feedback.taste("ben").opinions) == [3]
    assert {e["viewer"] for e in feedback.export("ben")["events"]} == {"ben"}
    assert "vera" not in feedback.export_csv("ben")
    assert feedback.events("nobody") == []


def test_an_undo_of_what_another_did_is_refused(feedback: Feedback) -> None:
    hers = liked(1)[0]
    feedback.add([hers])
    with pytest.raises(ValueError, match=f"target is '{hers.id}', wanted an event that 'ben' has stored before"):
        feedback.add([Event("ben", "undo", target=hers.id)])
    assert list(feedback.taste("vera").opinions) == [1]


def test_two_viewers_may_use_the_same_id(feedback: Feedback) -> None:
    feedback.add([Event("vera", "like", 1, id="same")])
    assert len(feedback.add([Event("ben", "love", 2, id="same")])) == 1  # nobody can keep another's event out by its id
    feedback.add([Event("ben", "undo", target="same")])
    assert list(feedback.taste("vera").opinions) == [1]
    assert feedback.taste("ben").opinions == {}


def test_the_version_changes_with_what_may_change_the_viewer(feedback: Feedback) -> None:
    seen, like = [feedback.version("vera")], liked(1)[0]
    feedback.add([like])
    seen.append(feedback.version("vera"))
    assert seen[0] != seen[1]
    for kind in KINDS:
        more = {"stars": 3.0} if kind == "rating" else {"target": like.id} if kind == "undo" else {}
        feedback.add([Event("vera", kind, 1, **more)])
        if kind in SILENT:
            assert feedback.version("vera") == seen[-1]
        else:
            assert feedback.version("vera") not in seen
        seen.append(feedback.version("vera"))
    feedback.forget("vera")
    assert feedback.version("vera") not in seen[1:]


def test_the_version_of_ones_own_viewer_changes_when_it_is_made_anew(feedback: Feedback) -> None:
    feedback.add_viewer(ME)
    first = feedback.version(ME.id)
    feedback.add_viewer(replace(ME, certificate="G"))
    assert feedback.version(ME.id) > first > 0


@contextmanager
def statements(store: Feedback) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database meanwhile."""
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        asked.append((statement, values))

    event.listen(store.engine, "before_cursor_execute", note)
    yield asked
    event.remove(store.engine, "before_cursor_execute", note)


def test_version_and_taste_are_one_query_each_that_impressions_do_not_slow(feedback: Feedback) -> None:
    feedback.add([*liked(1), *(replace(FULL, id=f"i{n}") for n in range(50))])
    for ask in (feedback.version, feedback.taste):
        with statements(feedback) as asked:
            ask("vera")
        [(statement, values)] = [(s, v) for s, v in asked if s.startswith("SELECT")]
        with feedback.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET enable_seqscan = off")
            explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
            plan = str(connection.exec_driver_sql(f"{explain} {statement}", values).all())
        assert "events_speaking" in plan
        assert "events_viewer_seq" not in plan
        assert "SCAN events" not in plan


def test_votes_of_all_viewers_stand_until_taken_back(feedback: Feedback) -> None:
    votes = [Event(viewer, "vote", note={"for": n}, id="v") for n, viewer in enumerate(("vera", "ben", "ines"))]
    feedback.add([*votes, *liked(1), Event("ben", "undo", target="v"), Event("ben", "vote", id="w")])
    assert [(e.viewer, e.id) for e in feedback.votes()] == [("vera", "v"), ("ines", "v"), ("ben", "w")]
    feedback.add([Event("vera", "undo", target="v", id="u"), Event("vera", "undo", target="u")])
    assert [e.viewer for e in feedback.votes()] == ["vera", "ines", "ben"]


# -- people who made their own viewer -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def catalog():
    return read_films(settings().films)


def same(viewer: Viewer) -> tuple:
    return viewer.id, viewer.name, viewer.line, viewer.avatar, viewer.certificate, viewer.profile.genres, len(viewer.profile)


def test_a_viewer_somebody_made_is_there_again(feedback: Feedback, catalog) -> None:
    feedback.add_viewer(ME)
    other = replace(ME, id="me-2", name="Ann", certificate=None, profile=Profile())
    feedback.add_viewer(other)
    changed = replace(ME, name="Zoe", avatar={"shape": "cat", "hue": 0})
    feedback.add_viewer(changed)
    found = feedback.viewers(catalog)
    assert list(found) == [ME.id, "me-2"]  # the oldest first
    assert [same(v) for v in found.values()] == [same(changed), same(other)]


def test_genres_that_left_the_catalogue_are_left_out(feedback: Feedback, catalog) -> None:
    feedback.add_viewer(replace(ME, profile=Profile(genres=("Drama", "Opera"))))
    assert feedback.viewers(catalog)[ME.id].profile.genres == ("Drama",)


@pytest.mark.parametrize(
    "wrong",
    [{"id": "vera"}, {"id": "me-"}, {"id": "me-A"}, {"id": "me-" + "a" * 62}, {"name": " "}, {"name": "a" * 41}, {"name": "a\nb"}, {"name": "a\0"},
     {"name": "\u202eada"}, {"line": ""}, {"certificate": "X"}, {"avatar": {}}, {"avatar": {"shape": "snake", "hue": 3}},
     {"avatar": {"shape": "owl", "hue": 360}}],
)  # fmt: skip
def test_a_viewer_of_the_wrong_kind_is_refused(wrong: dict, tmp_path: Path, catalog) -> None:
    with opened(f"sqlite:///{tmp_path / 'f.sqlite'}") as store:
        with pytest.raises(ValueError, match=f"^({next(iter(wrong))}|hue|shape) is .*wanted"):
            store.add_viewer(replace(ME, **wrong))
        assert store.viewers(catalog) == {}


# -- processes ------------------------------------------------------------------------------------------------------------

BEGIN = "import sys\nfrom recommender.serve.feedback import Event, Feedback\n"
WRITE = (
    BEGIN
    + """
store = Feedback.open(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(sys.argv[3])):
    name = f"{sys.argv[2]}-{n}"
    store.add([Event("vera", "like", n, id=name), Event("vera", "undo", id=f"{name}-back", target=name)])
    print(name, flush=True)
"""
)
OPEN = (
    BEGIN
    + """
print("ready", flush=True)
sys.stdin.readline()
print(len(Feedback.open(sys.argv[1]).add([Event("vera", "like", 1, id=sys.argv[2])])))
"""
)


def started(script: str, *arguments: str) -> subprocess.Popen:
    """A Python of its own that gets ready, and then waits for a line."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def go(*processes: subprocess.Popen) -> None:
    """All at once, when all are ready."""
    for process in processes:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            pytest.fail(process.communicate()[1])
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def test_what_was_acknowledged_survives_kill_9(feedback: Feedback, address: str) -> None:
    writer = started(WRITE, address, "a", "100000")
    assert writer.stdout is not None
    go(writer)
    acknowledged = [writer.stdout.readline().strip() for _ in range(20)]
    writer.kill()  # SIGKILL, in the middle of writing
    acknowledged += writer.communicate()[0].split("\n")[:-1]  # what it had said by then
    assert writer.returncode == -9
    stored = [e.id for e in feedback.events("vera")]
    assert stored[: 2 * len(acknowledged)] == [id_ for name in acknowledged for id_ in (name, f"{name}-back")]
    assert len(stored) % 2 == 0  # both of a batch, or none
    assert len(feedback.add(liked(1))) == 1  # and it did not take the lock along


def test_two_processes_that_write_at_once_lose_nothing(address: str, feedback: Feedback) -> None:
    writers = [started(WRITE, address, name, "300") for name in "ab"]
    go(*writers)
    said = [writer.communicate(timeout=240) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], said
    stored = [e.id for e in feedback.events("vera")]
    assert len(stored) == 1200
    for name, (out, _) in zip("ab", said):
        mine = [f"{name}-{n}" for n in range(300)]
        assert out.split() == mine
        assert [id_ for id_ in stored if id_.startswith(name)] == [id_ for one in mine for id_ in (one, f"{one}-back")]


def test_writers_of_one_viewer_take_turns(feedback: Feedback) -> None:
    with ThreadPoolExecutor(1) as thread:
        with tables.writing(feedback.engine).begin() as connection:
            tables.lock(connection, "vera")
            waits = thread.submit(feedback.add, liked(1))
            with pytest.raises(TimeoutError):  # else a smaller number could come to light after a greater one, and leave the version as it was
                waits.result(0.5)
        assert len(waits.result(60)) == 1


def test_threads_may_share_a_store(feedback: Feedback) -> None:
    with ThreadPoolExecutor(8) as threads:
        added = list(threads.map(lambda n: len(feedback.add(liked(n))) + len(feedback.taste("vera").opinions), range(200)))
    assert min(added) >= 2  # one stored, and seen at once
    assert len(feedback.events("vera")) == 200


def test_several_processes_may_open_a_fresh_database_at_once(address: str) -> None:
    processes = [started(OPEN, address, f"e{n}") for n in range(4)]
    go(*processes)
    said = [process.communicate(timeout=120) for process in processes]
    assert [(process.returncode, out) for process, (out, _) in zip(processes, said)] == [(0, "1\n")] * 4, said
    with opened(address) as store:
        assert {e.id for e in store.events("vera")} == {"e0", "e1", "e2", "e3"}


# -- the tables -----------------------------------------------------------------------------------------------------------


def schema(connection: Connection) -> dict[str, list]:
    """Columns, keys and indexes of every table, as the database tells them."""
    found = inspect(connection)

    def plain(told: Any) -> Any:
        if isinstance(told, dict):
            return sorted((key, plain(value)) for key, value in told.items() if key != "comment")
        return sorted(map(plain, told), key=str) if isinstance(told, list) else str(told)

    asked = (found.get_columns, found.get_pk_constraint, found.get_unique_constraints, found.get_indexes)
    return {name: [plain(ask(name)) for ask in asked] for name in found.get_table_names() if name != tables.VERSIONS}


def test_the_migrations_make_what_the_tables_say(feedback: Feedback, address: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with feedback.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "version_table": tables.VERSIONS}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata) == []
        migrated = schema(connection)
    assert set(migrated) == set(tables.metadata.tables)
    with plain_database(address, tmp_path, request) as made:
        tables.metadata.create_all(made)
        assert schema(made) == migrated  # where an index holds only some rows, too


@contextmanager
def plain_database(address: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """Another empty database of the same kind, without us in between."""
    if address.startswith("sqlite"):
        engine = create_engine(f"sqlite:///{tmp_path / 'plain.sqlite'}")
        with engine.connect() as connection:
            yield connection
        return
    with postgresql.database(request.getfixturevalue("postgres"), f"t{uuid4().hex}") as fresh:
        engine = create_engine(tables.parsed(fresh))
        with engine.connect() as connection:
            yield connection
        engine.dispose()


def test_opening_twice_is_harmless(feedback: Feedback, address: str) -> None:
    feedback.add(liked(1))
    with opened(address) as again:
        assert len(again.add(liked(2))) == 1
    assert list(feedback.taste("vera").opinions) == [1, 2]


def test_a_database_of_the_first_version_is_brought_up_and_keeps_its_rows(address: str) -> None:
    engine = tables.engine(tables.parsed(address))
    tables.bring_up(engine, "here", "0001")
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO people (viewer, name, line, avatar, genres, at) VALUES ('me-1', 'Ann', 'x', '{}', '[]', 5)")
        connection.exec_driver_sql("INSERT INTO events (viewer, id, kind, film, at, note) VALUES ('me-1', 'a', 'like', 3, 5, '{}')")
    engine.dispose()
    with opened(address) as store:
        assert store.export("me-1")["person"]["name"] == "Ann"
        assert store.events("me-1") == [Event("me-1", "like", 3, id="a", at=5)]  # real, and of no experiment
        assert store.version("me-1") == 1


def test_a_database_newer_than_the_program_is_refused(feedback: Feedback, address: str) -> None:
    feedback.add(liked(1))
    with tables.writing(feedback.engine).begin() as connection:
        connection.execute(text(f"UPDATE {tables.VERSIONS} SET version_num = '9999'"))
    with pytest.raises(FeedbackError, match="version '9999', which is not known here; wanted at most '0003'") as error:
        Feedback.open(address)
    assert feedback.where in str(error.value)
    assert len(feedback.events("vera")) == 1


@pytest.mark.parametrize("held", [b"Title,Rating\nAlien,5\n" * 300, b"x", b"SQLite format 3\0" + b"broken" * 400])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, held: bytes) -> None:
    path = tmp_path / "feedback.sqlite"
    path.write_bytes(held)
    with pytest.raises(FeedbackError, match=r"feedback\.sqlite cannot be used: .*wanted a file that SQLite may read and write"):
        Feedback.open(f"sqlite:///{path}")
    assert path.read_bytes() == held
    assert [p.name for p in tmp_path.iterdir()] == ["feedback.sqlite"]


@contextmanager
def powerless() -> Iterator[None]:
    """Without the rights of root, who may write everywhere."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("name", ["feedback.sqlite", "folder/feedback.sqlite"])
def test_a_folder_that_may_not_be_written_is_refused(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        with powerless(), pytest.raises(FeedbackError, match=f"{name} cannot be used: .*wanted a file that SQLite may read and write"):
            Feedback.open(f"sqlite:///{folder}/{name}")
        assert os.listdir(folder) == []


@pytest.mark.parametrize(
    "wrong, named",
    [
        ("postgresql://u:geheim@127.0.0.1:1/films", "127.0.0.1:1/films"),
        ("postgres://u:geheim@127.0.0.1:1/films?connect_timeout=1", "127.0.0.1:1/films"),
        ("postgresql+psycopg://u:geheim@no-such-host.invalid/films", "no-such-host.invalid/films"),
        ("postgresql://u:geheim@127.0.0.1:1/films?nonsense=geheim", "127.0.0.1:1/films"),
        ("mysql://u:geheim@host/films", "host/films"),
        ("postgresql://u:geheim@host:port/films", "cannot be read"),
        ("geheim", "cannot be read"),
        ("", "cannot be read"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///file::memory:?uri=true", "named by a URI"),
    ],
)
def test_a_wrong_address_is_told_without_the_password(wrong: str, named: str) -> None:
    with pytest.raises(FeedbackError, match=r"wanted .*DATABASE_URL") as error:
        Feedback.open(wrong)
    assert named in str(error.value)
    assert "geheim" not in "".join(traceback.format_exception_only(error.value)) + repr(error.value)


def test_a_wrong_password_is_not_repeated(postgres: str) -> None:
    wrong = postgres.replace("@", "geheim@")
    with pytest.raises(FeedbackError, match="password authentication failed") as error:
        Feedback.open(f"{wrong}/postgres")
    assert wrong.split(":")[2].split("@")[0] not in str(error.value)


@pytest.mark.parametrize("error", [OSError(), ModuleNotFoundError("No module named 'psycopg'")])
def test_whatever_keeps_a_database_from_opening_is_told(monkeypatch, error: Exception) -> None:
    monkeypatch.setattr(tables, "engine", lambda url: (_ for _ in ()).throw(error))
    with pytest.raises(FeedbackError, match=f"127.0.0.1/films cannot be used: {str(error) or 'OSError'}; wanted a PostgreSQL database"):
        Feedback.open("postgresql://u:geheim@127.0.0.1/films")


def test_the_store_of_a_program_that_reached_none_is_gone_with_it(tmp_path: Path) -> None:
    script = """
from recommender.serve.feedback import Event, opened
store, [line] = opened("mysql://host/films")
store.add([Event("vera", "like", 1)])
print(store.where, line, sep="\\n")
"""
    place, line = subprocess.run([sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True, check=True).stdout.splitlines()
    assert line.startswith("the feedback database at host/films")
    assert line.endswith("What is said here is lost when the program ends; mend that, and a server finds it by itself.")
    assert place.endswith("feedback.sqlite")
    assert not Path(place).parent.exists()


def test_a_database_that_goes_away_is_told_so(feedback: Feedback) -> None:
    with tables.writing(feedback.engine).begin() as connection:
        connection.exec_driver_sql("DROP TABLE events")
    for ask in (lambda: feedback.add(liked(1)), lambda: feedback.taste("vera"), lambda: feedback.version("vera"), lambda: feedback.export("vera")):
        with pytest.raises(FeedbackError, match=r"the feedback database at .* cannot be used: .*events"):
            ask()


def test_an_event_that_cannot_be_read_is_told(feedback: Feedback) -> None:
    feedback.add(liked(1))
    with tables.writing(feedback.engine).begin() as connection:
        connection.exec_driver_sql("UPDATE events SET kind = 'adore'")
    with pytest.raises(FeedbackError, match="kind is 'adore'"):
        feedback.events("vera")


@pytest.mark.parametrize("note", ["{", "nonsense"])
def test_a_note_that_cannot_be_read_is_told_with_the_place(feedback: Feedback, note: str) -> None:
    feedback.add(liked(1))
    with tables.writing(feedback.engine).begin() as connection:
        connection.execute(text("UPDATE events SET note = :note"), {"note": note})
    for ask in (feedback.events, feedback.taste, feedback.export, feedback.export_csv):
        with pytest.raises(FeedbackError, match=r"the feedback database at .* holds an event that cannot be read"):
            ask("vera")


def test_nothing_is_written_to_a_file_that_nobody_finds_again(tmp_path: Path) -> None:
    address, path = f"sqlite:///{tmp_path / 'f.sqlite'}", tmp_path / "f.sqlite"
    with opened(address) as store:
        store.add(liked(1))
        remembered = store.version("vera")
        path.rename(tmp_path / "kept.sqlite")  # deleted, or moved away, while the app runs
        for log in tmp_path.glob("f.sqlite-*"):
            log.unlink()
        assert store.events("vera") == []  # its tables are made again
        store.add(liked(2))
        assert store.version("vera") > remembered, "what was remembered of the file before is not taken for this one's"
        store.add_viewer(ME)
        store.forget(ME.id)
        with opened(address) as after:  # the next program
            assert [e.film for e in after.events("vera")] == [2]


@pytest.mark.parametrize("spoil", [lambda path: path.write_text("words, and no database at all"), Path.mkdir])
def test_a_file_that_was_spoiled_meanwhile_is_refused_and_made_again_when_it_is_taken_away(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    address, path = f"sqlite:///{tmp_path / 'f.sqlite'}", tmp_path / "f.sqlite"
    with opened(address) as store:
        store.add(liked(1))
        path.unlink()
        spoil(path)
        for _ in range(2):
            with pytest.raises(FeedbackError, match=r"file is not a database|Is a directory"):
                store.events("vera")
        assert path.is_dir() or path.read_text().startswith("words"), "nobody writes over it"
        path.rmdir() if path.is_dir() else path.unlink()
        store.add(liked(2))
        assert [e.film for e in store.events("vera")] == [2]


def test_a_file_that_another_was_put_in_place_of_is_read_as_it_is(tmp_path: Path) -> None:
    address, path, other = f"sqlite:///{tmp_path / 'f.sqlite'}", tmp_path / "f.sqlite", tmp_path / "other.sqlite"
    old = tables.engine(make_url(f"sqlite:///{other}"))
    tables.bring_up(old, "other", "0001")
    old.dispose()
    with opened(address) as store:
        store.add(liked(1))
        store.close()
        store.events("vera")
        other.rename(path)
        assert store.events("vera") == []
        store.add(liked(2))
        assert [e.film for e in store.events("vera")] == [2]


def test_a_deleted_file_is_made_again_once_by_threads_that_find_it_gone_together(tmp_path: Path) -> None:
    address, path = f"sqlite:///{tmp_path / 'deep' / 'f.sqlite'}", tmp_path / "deep" / "f.sqlite"
    with opened(address) as store, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.add(liked(n)), range(8)))
        shutil.rmtree(path.parent)
        list(pool.map(lambda n: _tried(lambda: store.add(liked(n))), range(100, 108)))
        assert store.add(liked(200))  # whoever came in between tries again, and it is whole
        assert 200 in [e.film for e in store.events("vera")]


def _tried(what: Callable[[], object]) -> None:
    with suppress(FeedbackError):
        what()


def test_sqlite_writes_ahead_and_to_the_disk(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'f.sqlite'}") as store, store.engine.connect() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "secure_delete", "busy_timeout")]
    assert found == ["wal", 2, 1, 30_000]


# -- export and forget ----------------------------------------------------------------------------------------------------


def test_the_export_holds_every_field_of_every_event(feedback: Feedback) -> None:
    done = [FULL, Event(ME.id, "rating", 1, 0.5, id="r"), Event(ME.id, "undo", target="r"), replace(FULL, viewer=ME.id)]
    feedback.add_viewer(ME)
    feedback.add(done)
    found = feedback.export(ME.id)
    assert json.loads(json.dumps(found)) == found
    assert [set(e) for e in found["events"]] == [set(COLUMNS)] * 3
    assert [Event(**{k: v for k, v in e.items() if k != "seq"}) for e in found["events"]] == done[1:]
    assert {k: v for k, v in found["person"].items() if k not in ("at", "changed")} == {
        "viewer": ME.id, "name": ME.name, "line": ME.line, "avatar": ME.avatar, "certificate": "PG-13", "genres": ["Drama", "Western"]
    }  # fmt: skip
    assert set(found["person"]) == {column.name for column in tables.people.c}
    assert feedback.export("vera")["person"] is None
    assert feedback.export("vera")["events"][0]["score"] == FULL.score  # to the last digit


def test_the_table_is_harmless_in_a_spreadsheet(feedback: Feedback) -> None:
    formulas = ['=HYPERLINK("http://x.example","y")', "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", 'plain, "quoted"', "a=b"]
    feedback.add([replace(FULL, id=f"-{n}", row=row, score=-0.5) for n, row in enumerate(formulas)])
    written = feedback.export_csv("vera")
    head, *rows = csv.reader(io.StringIO(written, newline=""))
    assert head == COLUMNS
    assert [row[COLUMNS.index("row")] for row in rows] == [f"'{cell}" for cell in formulas[:6]] + formulas[6:]
    assert {row[COLUMNS.index("id")] for row in rows} == {f"'-{n}" for n in range(8)}
    assert {row[COLUMNS.index("score")] for row in rows} == {"-0.5"}  # a number, and not text
    assert {row[COLUMNS.index("at")] for row in rows} == {repr(FULL.at)}
    assert {row[COLUMNS.index("note")] for row in rows} == {'{"a": [1, null]}'}
    assert {row[COLUMNS.index("stars")] for row in rows} == {""}
    assert all(len(row) == len(COLUMNS) for row in rows)


def everything(store: Feedback) -> dict[str, list[dict]]:
    """Every row of every table that the database has, but for the version."""
    with store.engine.connect() as connection:
        names = set(inspect(connection).get_table_names()) - {tables.VERSIONS}
        return {name: [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}").mappings()] for name in names}


def test_forgetting_leaves_no_row_of_the_viewer_and_all_of_others(feedback: Feedback) -> None:
    other = replace(ME, id="me-2", name="Ann")
    for viewer in (ME, other):
        feedback.add_viewer(viewer)
        feedback.add(
            [replace(FULL, viewer=viewer.id), *liked(1, 2, viewer=viewer.id), Event(viewer.id, "undo", target="full"), Event(viewer.id, "vote")]
        )
    before = everything(feedback)
    assert all(any(row["viewer"] == ME.id for row in rows) for rows in before.values())  # something of theirs in every table
    assert set(before) == set(tables.metadata.tables)
    assert feedback.forget(ME.id) == 6
    after = everything(feedback)
    assert ME.id not in str(after)
    assert after == {name: [row for row in rows if row["viewer"] != ME.id] for name, rows in before.items()}
    assert feedback.taste(ME.id) == fold([])
    assert (feedback.version(ME.id), feedback.forget(ME.id)) == (0, 0)
    assert len(feedback.add([replace(FULL, viewer=ME.id)])) == 1  # the id is free again


def test_what_is_forgotten_is_in_no_file_of_sqlite(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'feedback.sqlite'}") as store:
        store.add_viewer(replace(ME, name="Nixenzweig", line="Rautenberg"))
        for n in range(60):  # among the rows of others, in many pages, some notes too long for one
            note = {"words": f"Quittenmus {n} " * (250 if n % 10 == 0 else 3)}
            store.add(
                [replace(FULL, viewer=ME.id, id=f"Zinnober-{n}", row=f"Kuckuck {n}", note=note), replace(FULL, id=f"e{n}", note={"n": "x" * 50 * n})]
            )
        store.add([Event(ME.id, "undo", target=f"Zinnober-{n}") for n in range(60)])
        held = lambda: b"".join(path.read_bytes() for path in tmp_path.iterdir())
        words = [b"Nixenzweig", b"Rautenberg", b"Quittenmus", b"Zinnober", b"Kuckuck", ME.id.encode()]
        assert all(word in held() for word in words)
        store.forget(ME.id)
        assert [word for word in words if word in held()] == []
        assert len(store.events("vera")) == 60
    assert [word for word in words if word in held()] == []


# -- the commands ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def mine(feedback: Feedback, address: str, monkeypatch: pytest.MonkeyPatch) -> Feedback:
    """The store that the commands open."""
    monkeypatch.setattr(settings(), "database_url", address)
    feedback.add(liked(1, 2))
    return feedback


def command(*words: str, typed: str = ""):
    return CliRunner().invoke(app, list(words), input=typed)


@pytest.mark.parametrize("name", ["vera", "Vera", "VERA"])
def test_export_prints_or_writes_everything(mine: Feedback, tmp_path: Path, name: str) -> None:
    shown = command("export", "--viewer", name)
    assert shown.exit_code == 0
    assert json.loads(shown.stdout) == mine.export("vera")
    assert command("export", "--viewer", name, "--csv", "--to", str(tmp_path / "v.csv")).exit_code == 0
    assert (tmp_path / "v.csv").read_bytes().decode() == mine.export_csv("vera")


def test_forget_asks_first(mine: Feedback) -> None:
    asked = command("forget", "--viewer", "vera", typed="n\n")
    assert asked.exit_code == 1
    assert "Delete all 2 stored rows of Vera (vera)?" in asked.output
    assert len(mine.events("vera")) == 2
    assert "2 rows of Vera (vera) deleted" in command("forget", "--viewer", "vera", typed="y\n").output
    assert mine.events("vera") == []


def test_forget_does_not_ask_when_told_so_and_takes_only_the_one_named(mine: Feedback) -> None:
    mine.add([*liked(1, viewer="ml-12"), *liked(1, viewer="ml-123")])
    assert command("forget", "--viewer", "ml-12", "--yes").output == "1 rows of MovieLens user 12 (ml-12) deleted\n"
    assert (len(mine.events("ml-123")), len(mine.events("vera"))) == (1, 2)


def test_forget_takes_an_id_that_only_sent_feedback(mine: Feedback) -> None:
    mine.add(liked(1, viewer="reader-42"))
    assert command("export", "--viewer", "reader-42").exit_code == 0
    assert command("forget", "--viewer", "reader-42", "--yes").output == "1 rows of reader-42 (reader-42) deleted\n"
    assert not mine.has("reader-42")
    assert command("forget", "--viewer", "reader-42", "--yes").exit_code != 0


def test_a_viewer_somebody_made_is_found_by_name_unless_two_have_it(mine: Feedback) -> None:
    mine.add_viewer(ME)
    assert named(mine, "zoë 🎬") == named(mine, ME.id) == (ME.id, ME.name)
    for id_, name in (("me-5", "Zoe 🎬"), ("me-6", "VERA")):
        mine.add_viewer(replace(ME, id=id_, name=name))
    assert named(mine, "vera") == ("vera", "Vera")  # an id
    for name, ids in (("Zoë 🎬", "me-0a1b, me-5"), ("Vera", "vera, me-6")):
        with pytest.raises(ValueError, match=f"is the name of 2 viewers, wanted one of their ids: {ids}"):
            named(mine, name)


@pytest.mark.parametrize(
    "words, said",
    [(["export", "--viewer", "vra"], "did you mean Vera"), (["forget", "--yes", "--viewer", "ml-x"], "viewer 'ml-x' is unknown")],
)
def test_an_unknown_viewer_is_told(mine: Feedback, monkeypatch, capsys, words: list[str], said: str) -> None:
    monkeypatch.setattr(sys, "argv", ["recommender", *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_a_store_that_cannot_be_reached_is_one_line(monkeypatch, capsys) -> None:
    monkeypatch.setattr(settings(), "database_url", "postgres://u:geheim@127.0.0.1:1/films")
    monkeypatch.setattr(sys, "argv", ["recommender", "export", "--viewer", "vera"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: the feedback database at 127.0.0.1:1/films cannot be used: ")
    assert "geheim" not in line


def test_the_tests_store_nothing_in_the_repository() -> None:
    assert "feedback.sqlite" in settings().database_url
    assert str(ROOT) not in settings().database_url
    assert os.environ["MARQUEE_DATABASE_URL"] == settings().database_url
