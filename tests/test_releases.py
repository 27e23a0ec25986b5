"""Releases are whole or not there; a change of them is one step, seen by running servers, and the way back is checked first."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from apps import act, again, opened, views
from typer.testing import CliRunner

from recommender import artifacts
from recommender.__main__ import app
from recommender.catalog import Catalog
from recommender.load import read_films
from recommender.serve import releases
from recommender.serve.desk import STORE_AGAIN, Desk, shared
from recommender.serve.events import Event
from recommender.serve.feedback import Feedback, FeedbackError
from recommender.serve.releases import COMMITTED, Release, ReleaseError
from recommender.serve.service import Service
from recommender.serve.viewers import Viewer
from recommender.settings import Settings, settings
from recommender.types import Context, Profile

FIRST = datetime(2026, 11, 22, 3, 15, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    """Settings with no release and a store of their own."""
    return Settings(releases=tmp_path / "releases", database_url=f"sqlite:///{tmp_path / 'f.sqlite'}", raw=tmp_path / "none")  # type: ignore[call-arg]


def made(house: Settings, hour: int = 3, change: str | None = None) -> Release:
    """A release of the models at work; `change` names one whose weights are those of another fit."""
    with releases.alone(house):
        parent = releases.current(house)
        with releases.candidate(house, parent) as folder:
            if change:
                model = artifacts.load(change, folder, _catalog(house))
                model.means_ = model.means_ + hour / 1000  # type: ignore[attr-defined]
                artifacts.save(change, model, folder, data={"sha256": ""}, validation={}, seconds=0)
            return releases.publish(house, folder, {"parent": parent.name}, FIRST.replace(hour=hour))


@cache
def _films(path: Path) -> Catalog:
    return read_films(path)


def _catalog(house: Settings) -> Catalog:
    return _films(house.films)


def test_without_a_pointer_the_committed_artifacts_are_at_work(house: Settings) -> None:
    assert releases.current(house) == Release(COMMITTED, house.artifacts)
    assert releases.current(house).version == f"committed-{artifacts.version(house.artifacts)}"


def test_the_version_changes_with_any_weights_and_with_nothing_else(house: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(house.artifacts, folder, ignore=shutil.ignore_patterns("reports", "experiments"))
    before = artifacts.version(folder)
    assert before == artifacts.version(house.artifacts)
    card = json.loads((folder / "ease" / "card.json").read_text())
    (folder / "ease" / "card.json").write_text(json.dumps({**card, "date": "2030-01-01"}))
    assert artifacts.version(folder) == before
    card["weights"]["sha256"] = "0" * 64
    (folder / "ease" / "card.json").write_text(json.dumps(card))
    assert artifacts.version(folder) != before


def test_a_release_shares_files_with_its_parent_and_never_changes_them(house: Settings) -> None:
    release = made(house, change="popularity")
    ease, popularity = (Path(name) / "weights.safetensors" for name in ("ease", "popularity"))
    assert (release.folder / ease).samefile(house.artifacts / ease)
    assert not (release.folder / popularity).samefile(house.artifacts / popularity)
    assert artifacts.version(house.artifacts) != artifacts.version(release.folder) == release.name[-8:]
    releases.verify(releases.named(house, COMMITTED), _catalog(house))
    releases.verify(release, _catalog(house))


def test_a_release_under_another_name_or_with_other_weights_is_refused(house: Settings) -> None:
    release = made(house)
    other = Release(release.name[:-8] + "00000000", house.releases / (release.name[:-8] + "00000000"))
    release.folder.rename(other.folder)
    with pytest.raises(ReleaseError, match="its name says 00000000"):
        releases.verify(other, _catalog(house))
    other.folder.rename(release.folder)
    weights = release.folder / "ease" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.unlink()  # a hard link: the committed file must stay as it is
    weights.write_bytes(content)
    with pytest.raises(ReleaseError, match="does not match the sha256"):
        releases.verify(release, _catalog(house))


@pytest.mark.parametrize("name", ["../artifacts", "20261122-031500-deadbeef", "", ".candidate-1", "/etc"])
def test_a_pointer_to_nothing_is_an_error_that_names_it(house: Settings, name: str) -> None:
    house.releases.mkdir()
    (house.releases / "current").write_text(name)
    with pytest.raises(ReleaseError, match="is not in"):
        releases.current(house)


STEPS = ("recommender.artifacts.save", "pathlib.Path.write_text", "os.fsync", "pathlib.Path.rename", "os.replace", "shutil.rmtree")


@pytest.mark.parametrize(
    ("step", "time"), [*((step, 1) for step in STEPS), ("os.fsync", 2), ("pathlib.Path.write_text", 2), ("pathlib.Path.write_text", 3)]
)
def test_whatever_step_fails_the_release_before_is_at_work_and_whole(house: Settings, monkeypatch: pytest.MonkeyPatch, step: str, time: int) -> None:
    """The same as being killed there, since nothing that cleans up is run: see the next test for a real kill."""
    old = made(house, 1)
    releases.switch(house, old)
    calls, really = [], _found(step)

    def fails(*args, **more):
        calls.append(1)
        if len(calls) == time:
            raise KeyboardInterrupt(step)
        return really(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(step, fails)
        try:
            releases.switch(house, made(house, 2, change="popularity"))
        except KeyboardInterrupt:
            assert releases.current(house) == old or step == "os.fsync"
    releases.match(releases.current(house))
    with releases.alone(house):
        assert {path.name for path in house.releases.iterdir()} == {".lock", "current", *(r.name for r in releases.listed(house)[1:])}
    for release in releases.listed(house):
        releases.match(release)


def _found(step: str) -> Callable:
    where, _, name = step.rpartition(".")
    return getattr({"recommender.artifacts": artifacts, "pathlib.Path": Path, "os": os, "shutil": shutil}[where], name)


KILLED = """
import os, signal, sys
from pathlib import Path
from datetime import datetime, UTC
from recommender.serve import releases
from recommender.settings import Settings
house = Settings(releases=Path(sys.argv[1]))
with releases.alone(house):
    with releases.candidate(house, releases.current(house)) as folder:
        print("half", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_refresh_leaves_no_lock_and_its_half_release_is_removed_next_time(house: Settings) -> None:
    env = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    done = subprocess.run([sys.executable, "-c", KILLED, str(house.releases)], capture_output=True, text=True, env=env, check=False)
    assert done.stdout == "half\n", done.stderr
    assert list(house.releases.glob(".candidate-*"))
    assert releases.listed(house) == [Release(COMMITTED, house.artifacts)]
    with releases.alone(house):
        assert not list(house.releases.glob(".candidate-*"))


def test_what_a_network_volume_hides_beside_releases_is_let_alone(house: Settings) -> None:
    hidden = house.releases / ".snapshot" / "nightly"
    hidden.mkdir(parents=True)
    (house.releases / ".nfs0001").touch()
    (house.releases / ".current-1").touch()
    with releases.alone(house):
        assert {path.name for path in house.releases.iterdir()} == {".lock", ".nfs0001", ".snapshot"}
    assert hidden.is_dir()


def test_two_changes_never_run_at_once(house: Settings) -> None:
    with releases.alone(house):
        with pytest.raises(ReleaseError, match="being changed by another process"), releases.alone(house):
            pass
        assert list(house.releases.iterdir()) == [house.releases / ".lock"]
    with releases.alone(house):
        pass


def test_readers_find_the_old_name_or_the_new_one_and_never_a_piece(house: Settings) -> None:
    """Names of different length: a reader of a file being written in place would see a mixture or nothing."""
    first, committed = made(house), releases.named(house, COMMITTED)
    wrong, done = [], threading.Event()

    def read() -> None:
        while not done.is_set():
            if releases.pointed(house) not in (first.name, COMMITTED):
                wrong.append(releases.pointed(house))

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(200):
        releases.switch(house, (first, committed)[n % 2])
    done.set()
    reader.join()
    assert not wrong


def test_the_oldest_go_but_never_the_one_at_work_nor_the_one_before_it(house: Settings) -> None:
    names = []
    for hour in range(1, 5):
        release = made(house, hour)
        releases.switch(house, release)
        names.append(release.name)
    releases.switch(house, releases.named(house, names[1]))  # gone back: its parent is names[0]
    assert releases.prune(house, keep=1) == [names[2]]
    assert [release.name for release in releases.listed(house)] == [COMMITTED, names[0], names[1], names[3]]


# -- the desk ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(house: Settings) -> Iterator[Desk]:
    opened = Desk(house, watch=False)
    opened.open()
    yield opened
    opened.close()


def test_a_desk_changes_to_the_new_release_and_lets_go_of_the_old(desk: Desk, house: Settings) -> None:
    release = made(house, change="popularity")
    before, store = weakref.ref(desk.service), desk.service.feedback
    assert not desk.look()
    releases.switch(house, release)
    assert desk.look()
    assert desk.service.version == release.name
    assert desk.made == FIRST
    assert desk.service.folder == release.folder
    assert desk.service.feedback is store, "the store is not opened again"
    assert before() is None, "nothing holds the old models"
    assert not desk.look()


def test_who_holds_the_old_service_goes_on_with_it(desk: Desk, house: Settings) -> None:
    held, viewer = desk.service, desk.service.viewers["kenji"]
    releases.switch(house, made(house, change="popularity"))
    desk.look()
    assert held is not desk.service
    assert held.home(viewer, held.query(viewer, Context())).carousels


@pytest.mark.parametrize("harm", ["gone", "cut", "no name"])
def test_a_release_that_does_not_open_leaves_the_old_one_at_work_and_says_so(
    desk: Desk, house: Settings, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    release, before = made(house, change="popularity"), desk.service
    if harm == "cut":
        weights = release.folder / "popularity" / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:100])
    releases.switch(house, release)
    if harm == "gone":
        shutil.rmtree(release.folder)
    if harm == "no name":
        (house.releases / "current").write_bytes(b"\xff\xfe")
    wanted = (house.releases / "current").read_bytes()
    for _ in range(3):
        assert not desk.look()
    assert desk.service is before
    assert desk.problem
    assert desk.ready
    assert [line.getMessage() for line in caplog.records] == [f"the release that is wanted does not open: {desk.problem}"]
    releases.switch(house, releases.named(house, COMMITTED))
    desk.look()
    assert desk.problem is None
    (house.releases / "current").write_bytes(wanted)  # and back to it at once
    desk.look()
    assert desk.problem


def test_a_process_that_starts_on_a_broken_release_serves_the_committed_artifacts(house: Settings) -> None:
    release = made(house, change="popularity")
    releases.switch(house, release)
    shutil.rmtree(release.folder / "ease")
    opened = Desk(house, watch=False)
    opened.open()
    assert opened.service.version.startswith(COMMITTED)
    assert opened.ready
    assert release.name in str(opened.problem)


def test_a_volume_that_fails_when_a_process_starts_costs_the_release_and_not_the_process(house: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    releases.switch(house, made(house))
    opened = Desk(house, watch=False)
    with monkeypatch.context() as patch:
        patch.setattr(releases, "match", lambda release: (_ for _ in ()).throw(OSError("stale file handle")))
        opened.open()
    assert opened.service.version.startswith(COMMITTED)
    assert opened.problem == "stale file handle"
    monkeypatch.setattr(opened, "_failed", ("", 0.0))  # the time until it is tried again is over
    assert opened.look()


def test_a_watching_desk_follows_by_itself(house: Settings) -> None:
    release = made(house)
    watching = Desk(house.model_copy(update={"look_seconds": 0.01}))
    watching.open()
    try:
        changed = threading.Event()
        really = watching._serve
        watching._serve = lambda *what: (really(*what), changed.set())  # type: ignore[assignment, method-assign]
        releases.switch(house, release)
        assert changed.wait(60)
        assert watching.service.version == release.name
    finally:
        watching.close()


def test_a_store_that_comes_back_is_gone_over_to_with_all_that_was_said_meanwhile(house: Settings, tmp_path: Path) -> None:
    (tmp_path / "f.sqlite").write_text("this is no database, and nobody may write over it")
    opened = Desk(house, watch=False)
    opened.open()
    service, passing = opened.service, opened.service.feedback
    assert passing.passing
    assert service.problems
    service.record([Event("vera", "love", film=1, id="first"), Event("vera", "undo", target="first"), Event("vera", "love", film=2)])
    passing.add_viewer(Viewer("me-1", "Ana", "likes owls", {"shape": "owl", "hue": 7}, Profile(), "PG"))
    assert list(service.taste(service.viewers["vera"]).opinions) == [2]
    for _ in range(2 * STORE_AGAIN):
        opened.look()
    assert service.feedback is passing, "it is still away"
    (tmp_path / "f.sqlite").unlink()
    for _ in range(STORE_AGAIN - 1):
        opened.look()
    assert service.feedback is passing, "it is tried every few looks"
    opened.look()
    assert opened.service is service
    assert not service.feedback.passing
    assert not service.problems
    passing.add([Event("vera", "love", film=3)])  # by whoever took the store before it was changed
    opened.look()
    with closing(Feedback.open(house.database_url)) as lasting:
        assert [(e.kind, e.film) for e in lasting.events("vera")] == [("love", 1), ("undo", None), ("love", 2), ("love", 3)]
        assert lasting.viewers(service.catalog)["me-1"].certificate == "PG"
    assert list(service.taste(service.viewers["vera"]).opinions) == [2, 3]
    opened.look()
    assert len(service.feedback.events("vera")) == 4


def test_nothing_is_gone_over_to_where_what_was_said_cannot_be_moved(house: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f.sqlite").write_text("this is no database, and nobody may write over it")
    opened = Desk(house, watch=False)
    opened.open()
    opened.service.record([Event("vera", "love", film=1)])
    (tmp_path / "f.sqlite").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(Feedback, "add", lambda *_: (_ for _ in ()).throw(FeedbackError("the disk is full")))
        for _ in range(STORE_AGAIN):
            opened.look()
        assert opened.service.feedback.passing
    for _ in range(STORE_AGAIN):
        opened.look()
    assert [e.film for e in opened.service.feedback.events("vera")] == [1]
    assert not opened.service.feedback.passing


@pytest.fixture
def at_home() -> Iterator[Desk]:
    """The desk of the app of this process, on a release whose models nobody held before; on the committed artifacts before and after."""
    shared(settings()).open()
    releases.switch(settings(), made(settings()))
    assert shared(settings()).look()
    yield shared(settings())
    releases.switch(settings(), releases.named(settings(), COMMITTED))
    shared(settings()).look()


@pytest.mark.usefixtures("forgotten")
def test_an_open_page_its_dialog_and_compare_go_over_to_the_new_release(at_home: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    at = act(opened(viewer="vera"), "mq_home", do="open", film=1)
    before, asked = weakref.ref(at_home.service), list[str]()
    assert views(at)["film"]["film"]["id"] == 1
    release = made(settings(), 2, change="popularity")
    releases.switch(settings(), release)
    at_home.look()
    really = Service.request
    monkeypatch.setattr(Service, "request", lambda self, *args, **more: asked.append(self.version) or really(self, *args, **more))
    assert views(again(at))["film"]["film"]["id"] == 1
    assert views(at)["home"]["rows"]
    at.switch_page("pages/compare.py")
    again(at)
    assert views(at)
    assert set(asked) == {release.name}
    assert at.session_state["mq_rows"].frame.service is at_home.service
    gc.collect()
    assert before() is None, "the page holds on to no old models"


# -- the commands ------------------------------------------------------------------------------------------------------


def test_the_commands_list_and_go_back(house: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "releases", house.releases)
    run = CliRunner().invoke
    assert isinstance(run(app, ["rollback"]).exception, ValueError), "nothing is before the committed artifacts"
    first = made(house, 1)
    releases.switch(house, first)
    second = made(house, 2)
    releases.switch(house, second)
    listed = json.loads(run(app, ["releases", "--json"]).stdout)
    assert [(r["name"], r["current"]) for r in listed] == [(COMMITTED, False), (first.name, False), (second.name, True)]
    assert second.name in run(app, ["releases"]).stdout
    assert json.loads(run(app, ["rollback", "--json"]).stdout) == {"before": second.name, "current": first.name, "version": first.name}
    assert run(app, ["rollback", COMMITTED]).exit_code == 0
    assert releases.pointed(house) == COMMITTED
    shutil.rmtree(second.folder / "ease")
    assert isinstance(run(app, ["rollback", second.name]).exception, ReleaseError)
    assert releases.pointed(house) == COMMITTED, "what is not whole is not gone back to"


@pytest.mark.parametrize("pointer", [b"20261122-031500-01234567", b"../../etc", b"\xff\xfe", b""])
def test_a_pointer_that_leads_nowhere_is_told_and_mended_by_name(house: Settings, monkeypatch: pytest.MonkeyPatch, pointer: bytes) -> None:
    monkeypatch.setattr(settings(), "releases", house.releases)
    run, release = CliRunner().invoke, made(house)
    (house.releases / releases.POINTER).write_bytes(pointer)
    listed = run(app, ["releases", "--json"])
    assert [(r["name"], r["current"]) for r in json.loads(listed.stdout)] == [(COMMITTED, False), (release.name, False)]
    assert "rollback NAME" in listed.stderr
    lost = run(app, ["rollback"]).exception
    assert isinstance(lost, ReleaseError)
    assert "rollback committed" in str(lost)
    assert run(app, ["rollback", release.name]).exit_code == 0
    assert releases.pointed(house) == release.name
    assert not run(app, ["releases"]).stderr
