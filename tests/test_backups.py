"""Backups give back what was stored, whatever happens meanwhile; a damaged one touches nothing; passwords stay off the command line."""

from __future__ import annotations

import gzip
import json
import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from conftest import opened
from typer.testing import CliRunner

from recommender.__main__ import app
from recommender.serve import backups, tables
from recommender.serve.backups import backup, restore
from recommender.serve.events import Event
from recommender.serve.feedback import Feedback, FeedbackError
from recommender.serve.viewers import Viewer
from recommender.settings import settings
from recommender.types import Profile

ODD = {"text": 'tab\t newline\n back\\slash "quote" ü 映画 \\N \\.'}  # what COPY and SQL must not take for something else


def fill(store: Feedback, n: int = 30) -> None:
    store.add_viewer(Viewer("me-ana", "Ana", "likes \\\\N and \\\\.", {"shape": "owl", "hue": 7}, Profile(), "PG"))
    store.add([Event("me-ana", "rating", film=film, stars=3.5, note=ODD, row=ODD["text"][:100], propensity=0.1) for film in range(1, n + 1)])
    store.add([Event("api-1", "love", film=1), Event("api-2", "impression", film=2, score=0.1 + 0.2)])


def everything(store: Feedback) -> list[dict]:
    return [store.export(name) for name in ("me-ana", "api-1", "api-2", "late")]


def test_what_comes_back_is_what_was_stored_to_the_last_digit(feedback: Feedback, address: str, tmp_path: Path) -> None:
    fill(feedback)
    before = everything(feedback)
    made = backup(address, tmp_path / "kept")
    assert made.rows == {"events": 32, "people": 1}
    feedback.add([Event("late", "like", film=5)])
    feedback.forget("me-ana")
    done = restore(address, made.path, tmp_path / "kept", replace=True)
    assert done.rows == made.rows
    assert everything(feedback) == before, "the same connections see what was put back"


def test_numbers_go_on_after_a_restore_so_that_none_is_given_twice(feedback: Feedback, address: str, tmp_path: Path) -> None:
    fill(feedback)
    made = backup(address, tmp_path / "kept")
    feedback.add([Event("late", "like", film=5)])
    given = feedback.export("late")["events"][0]["seq"]
    restore(address, made.path, tmp_path / "kept", replace=True)
    feedback.add([Event("late", "like", film=6)])
    assert feedback.export("late")["events"][0]["seq"] > given


def test_a_fresh_store_takes_a_backup_and_gives_greater_numbers(feedback: Feedback, address: str, tmp_path: Path) -> None:
    fill(feedback)
    made = backup(address, tmp_path / "kept")
    last = feedback.export("api-2")["events"][0]["seq"]
    for name in ("me-ana", "api-1", "api-2"):
        feedback.forget(name)
    done = restore(address, made.path, tmp_path / "kept")
    assert done.saved is None, "an empty store is not backed up"
    feedback.add([Event("late", "like", film=6)])
    assert feedback.export("late")["events"][0]["seq"] > last


def test_a_store_that_holds_something_is_replaced_only_when_told_and_saved_first(feedback: Feedback, address: str, tmp_path: Path) -> None:
    fill(feedback)
    made = backup(address, tmp_path / "kept")
    feedback.add([Event("late", "like", film=5)])
    now = everything(feedback)
    with pytest.raises(FeedbackError, match="33 rows of events and 1 rows of people; wanted --yes"):
        restore(address, made.path, tmp_path / "kept")
    assert everything(feedback) == now
    saved = restore(address, made.path, tmp_path / "kept", replace=True).saved
    assert saved is not None
    restore(address, saved, tmp_path / "kept", replace=True)
    assert everything(feedback) == now


def test_a_backup_made_while_others_write_holds_whole_transactions(feedback: Feedback, address: str, tmp_path: Path) -> None:
    """Every writer stores pairs: a copy with half a pair has seen the inside of a transaction."""
    begun, done = threading.Event(), threading.Event()

    def write() -> None:
        n = 0
        while not done.is_set():
            feedback.add([Event("api-1", "like", film=n, id=f"a{n}"), Event("api-1", "watched", film=n, id=f"b{n}")])
            begun.set()
            n += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(60)
        made = [backup(address, tmp_path / "kept") for _ in range(2)]
    finally:
        done.set()
        writer.join()
    assert made[-1].rows["events"] > 0
    for one in made:
        restore(address, one.path, tmp_path / "kept", replace=True)
        ids = {event.id for event in feedback.events("api-1")}
        assert {i[1:] for i in ids if i[0] == "a"} == {i[1:] for i in ids if i[0] == "b"}
        assert len(ids) == one.rows["events"]


@pytest.mark.parametrize("harm", ["cut", "flipped", "text"])
def test_a_damaged_backup_is_refused_and_nothing_is_touched(feedback: Feedback, address: str, tmp_path: Path, harm: str) -> None:
    fill(feedback, 800)
    made = backup(address, tmp_path / "kept")
    whole = made.path.read_bytes()
    middle = len(whole) // 2
    broken = {"cut": whole[:middle], "flipped": whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :], "text": b"no backup"}[harm]
    made.path.write_bytes(broken)
    now, files = everything(feedback), sorted((tmp_path / "kept").iterdir())
    with pytest.raises(FeedbackError):
        restore(address, made.path, tmp_path / "kept", replace=True)
    assert everything(feedback) == now
    assert sorted((tmp_path / "kept").iterdir()) == files, "nothing is left behind"


def test_a_dump_whose_tables_bear_other_names_is_refused_and_nothing_is_touched(postgres: str, tmp_path: Path) -> None:
    """pg_dump's list of contents has no checksum: one letter of it may be another."""
    with opened(postgres) as store:
        fill(store, 50)
        made = backup(postgres, tmp_path / "kept")
        whole, now = made.path.read_bytes(), everything(store)
        for right, wrong in (
            (b"COPY public.events", b"COPY public.evants"),
            (b"COPY public.people", b"COPY public.peeple"),
            (b"(viewer, ", b"(viever, "),
        ):
            assert right in whole
            made.path.write_bytes(whole.replace(right, wrong))
            with pytest.raises(FeedbackError, match="damaged"):
                restore(postgres, made.path, tmp_path / "kept", replace=True)
            assert everything(store) == now


def test_who_is_answered_waits_three_seconds_for_a_locked_table_and_no_longer(postgres: str) -> None:
    with opened(postgres) as store, tables.engine(tables.parsed(postgres)).begin() as other:
        other.exec_driver_sql("LOCK TABLE events IN EXCLUSIVE MODE")
        with pytest.raises(FeedbackError, match="lock timeout"):
            store.add([Event("api-1", "love", film=1)])


def test_a_backup_of_a_version_not_known_here_is_refused(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'f.sqlite'}"
    with opened(address) as store, store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE feedback_version SET version_num = 'from-the-future'")
    with pytest.raises(FeedbackError, match=r"from-the-future.*not known here"):
        backup(address, tmp_path / "kept")
    assert not list((tmp_path / "kept").iterdir())


def test_a_backup_of_an_older_version_comes_back_in_the_newest(address: str, tmp_path: Path) -> None:
    old = tables.engine(tables.parsed(address))
    tables.bring_up(old, "old", "0001")
    with tables.writing(old).begin() as connection:
        connection.exec_driver_sql("INSERT INTO events (viewer, id, kind, film, at, note) VALUES ('api-1', 'a', 'love', 1, 1e9, '{}')")
    old.dispose()
    made = backup(address, tmp_path / "kept")
    with opened(address) as store:
        store.forget("api-1")
        restore(address, made.path, tmp_path / "kept")
        store.add([Event("api-1", "love", film=2)])
        assert [(event.film, event.simulated) for event in store.events("api-1")] == [(1, False), (2, False)]


def test_an_interrupted_restore_changes_nothing(feedback: Feedback, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure comes after the old rows were deleted, inside the transaction."""
    fill(feedback)
    made = backup(address, tmp_path / "kept")
    feedback.add([Event("late", "like", film=5)])
    now = everything(feedback)
    if address.startswith("sqlite"):
        with gzip.open(made.path) as packed:
            content = packed.read()
        file = tmp_path / "old.sqlite"
        file.write_bytes(content)
        with opened(f"sqlite:///{file}") as other, other.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE people")
            connection.exec_driver_sql("CREATE TABLE people (viewer TEXT)")
        made.path.write_bytes(gzip.compress(file.read_bytes()))
    else:
        monkeypatch.setattr(backups, "_copied", lambda *_: (_ for _ in ()).throw(OSError("the disk is gone")))
    with pytest.raises(FeedbackError):
        restore(address, made.path, tmp_path / "kept", replace=True)
    assert everything(feedback) == now


def test_only_so_many_backups_stay_and_other_files_do(tmp_path: Path) -> None:
    address, kept = f"sqlite:///{tmp_path / 'f.sqlite'}", tmp_path / "kept"
    Feedback.open(address).close()
    kept.mkdir()
    (kept / "marquee-notes.txt").touch()
    made = [backup(address, kept, keep=2).path for _ in range(4)]
    assert sorted(kept.iterdir()) == sorted([*made[-2:], kept / "marquee-notes.txt"])


def test_a_clock_that_goes_back_costs_no_fresh_backup(tmp_path: Path) -> None:
    address, kept = f"sqlite:///{tmp_path / 'f.sqlite'}", tmp_path / "kept"
    Feedback.open(address).close()
    kept.mkdir()
    later = [kept / f"marquee-2099010{n}-000000-000000.sqlite.gz" for n in (1, 2)]
    for path in later:
        path.touch()
    made = backup(address, kept, keep=2).path
    assert sorted(kept.iterdir()) == sorted([made, later[1]])


def test_what_a_killed_backup_left_behind_is_removed_and_one_under_way_is_not(tmp_path: Path) -> None:
    address, kept = f"sqlite:///{tmp_path / 'f.sqlite'}", tmp_path / "kept"
    Feedback.open(address).close()
    kept.mkdir()
    name = ".marquee-20261122-024000-000000.sqlite.gz"
    left = [
        folder / f"{name}{end}" for folder, end in ((kept, ".part"), (kept, ".plain"), (tmp_path, ".unpacked-12"), (tmp_path, ".unpacked-12-wal"))
    ]
    others = [kept / f"{name}.notes", kept / ".marquee-20261122-030000-000000.sqlite.gz.part"]
    for path in (*left, *others):
        path.touch()
    for path in (*left, others[0]):
        os.utime(path, (0, 0))
    made = backup(address, kept)
    restore(address, made.path, kept)
    assert [path for path in left if path.exists()] == []
    assert all(path.exists() for path in others)


def test_a_backup_is_for_its_owner_alone(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'f.sqlite'}"
    Feedback.open(address).close()
    made = backup(address, tmp_path / "kept").path
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700


def test_a_store_that_is_not_there_is_not_made_by_a_backup(tmp_path: Path) -> None:
    with pytest.raises(FeedbackError, match="not there"):
        backup(f"sqlite:///{tmp_path / 'none.sqlite'}", tmp_path / "kept")
    assert not (tmp_path / "none.sqlite").exists()


def test_the_password_is_never_on_a_command_line(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran, really = [], subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **more: ran.append(command) or really(command, **more))
    password = postgres.split(":")[2].split("@")[0]
    Feedback.open(f"{postgres}/postgres").close()
    backup(f"{postgres}/postgres", tmp_path)
    assert ran
    assert not [part for command in ran for part in command if password in str(part)]


def test_missing_programs_are_named(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Feedback.open(f"{postgres}/postgres").close()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FeedbackError, match=r"pg_dump is not on this machine.*postgresql-client"):
        backup(f"{postgres}/postgres", tmp_path / "kept")
    assert not list((tmp_path / "kept").iterdir())


def test_the_commands_back_up_refuse_and_restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"sqlite:///{tmp_path / 'f.sqlite'}"
    monkeypatch.setattr(settings(), "database_url", address)
    monkeypatch.setattr(settings(), "backups", tmp_path / "kept")
    with opened(address) as store:
        fill(store)
    run = CliRunner().invoke
    made = json.loads(run(app, ["backup", "--json"]).stdout)
    assert made["rows"] == {"events": 32, "people": 1}
    assert os.path.getsize(made["file"]) == made["bytes"]
    refused = run(app, ["restore", made["file"]])
    assert isinstance(refused.exception, FeedbackError)
    done = run(app, ["restore", made["file"], "--yes"])
    assert done.exit_code == 0, done.output
    assert "run forget for each" in done.stdout
