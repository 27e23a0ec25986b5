"""Fetching while the house is open: one thread that many look at; what arrives is used at once, and nothing is asked for unasked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from publisher import FILES, Server, publishing, zipped

from recommender.load import read_films
from recommender.serve import dataset as dataset_room
from recommender.serve import fetching as room
from recommender.serve.dataset import Dataset
from recommender.serve.fetching import Fetching, free_memory, obstacle
from recommender.serve.service import Service
from recommender.settings import Settings, settings

USERS = 8
RATINGS = "".join(f"{user}::{film}::{1 + (user + film) % 5}::978300760\n" for user in range(1, USERS + 1) for film in range(1, 5))
PEOPLE = "".join(f"{user}::F::1::10::48067\n" for user in range(1, USERS + 1))
MOVIES = "".join(f"{film}::Film {film} (1995)::Drama\n" for film in range(1, 5))
SET = {**FILES, "ratings.dat": RATINGS, "users.dat": PEOPLE, "movies.dat": MOVIES}


@pytest.fixture
def server() -> Iterator[Server]:
    with publishing() as state:
        state.content = zipped(SET, pad=200_000)
        yield state


@pytest.fixture(scope="module")
def catalog():
    return read_films(settings().films)


@pytest.fixture
def job(server: Server, tmp_path: Path, catalog) -> Fetching:
    own = settings().model_copy(update={"raw": tmp_path / "raw", "publisher": server.base})
    return Fetching(SimpleNamespace(settings=own, service=Service(own, catalog, {}, {})), pause=0.001)


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.005)


def ended(job: Fetching) -> room.State:
    until(lambda: not job.state.running)
    return job.state


def test_what_arrives_is_used_at_once(job: Fetching, server: Server) -> None:
    service = job._desk.service
    assert (service.dataset_users(), "user_knn" in service.models) == (0, False)
    with pytest.raises(KeyError, match="needs the data set"):
        service.dataset_viewer(3)
    assert server.requests == 0  # nothing is asked for before somebody says so
    assert job.start()
    assert ended(job).stage == "done"
    assert service.dataset_users() == USERS
    assert service.person("ml-3").profile.ratings.tolist() == [5, 1, 2, 3]  # 1 + (3 + film) % 5
    assert "user_knn" in service.models
    assert job.licence() == "USAGE LICENSE\n=============\n\nNo warranty."


def test_cancel_and_resume(job: Fetching, server: Server) -> None:
    server.pause_at = 65_536
    job.start()
    until(lambda: job.state.done >= 65_536 - 16_384)
    assert job.state.total == len(server.content)
    job.stop()
    assert job.stopping
    server.go.set()
    state = ended(job)
    assert (state.stage, state.done) == ("stopped", job.kept())
    assert 0 < job.kept() < len(server.content)
    other = Fetching(job._desk, pause=0.001)  # the app was started again
    assert other.kept() == state.done
    server.pause_at = None
    other.start()
    assert ended(other).stage == "done"
    assert server.asked == [None, f"bytes={state.done}-"]
    assert other.kept() == 0


def test_two_who_press_at_once_fetch_once(job: Fetching, server: Server) -> None:
    server.pause_at = 65_536
    gate, started = threading.Barrier(8), []

    def press() -> None:
        gate.wait()
        started.append(job.start())

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started) == [False] * 7 + [True]
    server.go.set()
    assert ended(job).stage == "done"
    assert server.asked == [None]


def test_what_is_under_way_is_not_thrown_away(job: Fetching, server: Server) -> None:
    server.pause_at = 65_536
    job.start()
    until(lambda: job.kept() > 0)
    job.discard()
    assert job.kept() > 0
    job.stop()
    server.go.set()
    ended(job)
    job.discard()
    assert (job.kept(), job.state.stage) == (0, "idle")
    server.pause_at = None
    job.start()
    assert ended(job).stage == "done"  # who stopped once may begin again


def test_failures_are_told_by_kind_and_can_be_tried_again(job: Fetching, server: Server) -> None:
    for break_it, mend, kind in (
        ({"md5": "0" * 32}, {"md5": None}, "damaged"),
        ({"status": [503] * 5}, {"status": []}, "server"),
        ({"content": zipped({**SET, "ratings.dat": "1::1::9::978300760\n"})}, {"content": zipped(SET)}, "data"),
    ):
        vars(server).update(break_it)
        job.start()
        state = ended(job)
        assert (state.stage, state.kind) == ("failed", kind)
        assert state.said
        vars(server).update(mend)
    job.start()
    assert ended(job).stage == "done"


def test_a_full_disk_is_told_without_places_of_this_computer(job: Fetching, tmp_path: Path) -> None:
    job.settings.raw.write_text("a file in the way")
    job.start()
    state = ended(job)
    assert (state.kind, state.said) == ("disk", "…/raw: File exists, wanted room and the right to write there")


def test_a_set_of_other_films_is_told_and_not_used(job: Fetching, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_room, "ratings", lambda *_: (_ for _ in ()).throw(dataset_room.DataError("none of its films are known")))
    job.start()
    state = ended(job)
    assert (state.stage, state.kind) == ("failed", "data")
    assert state.said == "ml-1m is there and cannot be read: none of its films are known"


def test_a_set_is_read_once_and_whoever_asks_meanwhile_waits_for_nothing(tmp_path: Path, catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in SET.items():
        (tmp_path / name).write_text(text)
    began, go, reads, real = threading.Event(), threading.Event(), [], dataset_room.ratings

    def slow(*args):
        reads.append(args)
        began.set()
        go.wait(20)
        return real(*args)

    monkeypatch.setattr(dataset_room, "ratings", slow)
    data = Dataset(tmp_path, catalog)
    reader = threading.Thread(target=data.read)
    reader.start()
    assert began.wait(20)
    assert data.read() is None
    go.set()
    reader.join()
    assert data.read().interactions.n_users == USERS
    assert len(reads) == 1


def test_a_folder_that_cannot_be_read_is_tried_again_when_it_changes(tmp_path: Path, catalog) -> None:
    folder = tmp_path / "ml-1m"
    folder.mkdir()
    data = Dataset(folder, catalog)
    assert data.read() is None
    assert data.problem.startswith("ml-1m is there and cannot be read: ")
    for name, text in SET.items():
        (folder / name).write_text(text)
    assert data.read() is not None
    assert data.problem is None


def test_a_new_release_keeps_what_was_read(tmp_path: Path, catalog) -> None:
    for name, text in SET.items():
        (tmp_path / name).write_text(text)
    before, after = Dataset(tmp_path, catalog), Dataset(tmp_path / "elsewhere", catalog)
    before.read()
    after.take(before)
    assert after._held.interactions is before._held.interactions
    assert after._held.neighbours is not before._held.neighbours


def test_what_speaks_against_fetching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Settings(raw=tmp_path / "a" / "b")
    monkeypatch.setattr(room, "free_memory", lambda: room.MEMORY)
    assert obstacle(here) is None
    assert obstacle(here.model_copy(update={"household": False})) == ("strangers", "")
    monkeypatch.setattr(room, "free_memory", lambda: room.MEMORY - 2**20)
    assert obstacle(here) == ("memory", f"{room.MEMORY // 2**20 - 1} MB")
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=7 * 2**20))
    assert obstacle(here) == ("disk", "7 MB")
    monkeypatch.setattr(room.os, "access", lambda *_: False)
    assert obstacle(here) == ("closed", "a/b")


@pytest.mark.parametrize(
    ("group", "free"),
    [
        ({}, 900 * 1024),
        ({"memory.max": "max", "memory.current": "1", "memory.stat": "inactive_file 0"}, 900 * 1024),
        ({"memory.max": "500000", "memory.current": "200000", "memory.stat": "anon 7\ninactive_file 50000"}, 350_000),
        ({"memory.max": "9000000", "memory.current": "0", "memory.stat": ""}, 900 * 1024),
    ],
)
def test_free_memory_is_the_least_of_machine_and_group(tmp_path: Path, group: dict[str, str], free: int) -> None:
    for name, text in {"proc/meminfo": "MemTotal: 1000 kB\nMemAvailable:   900 kB\n", **{f"sys/fs/cgroup/{n}": t for n, t in group.items()}}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert free_memory(tmp_path) == free
    assert free_memory(tmp_path / "elsewhere") is None
