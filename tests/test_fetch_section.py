"""The offer of a data set on the System page: its conditions first, then progress, cancel, resume, and what went wrong in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import serving
from publisher import Server, publishing, zipped
from streamlit.testing.v1 import AppTest
from test_fetching import SET, USERS, ended, until

from recommender.load import read_films
from recommender.serve import fetching as room
from recommender.serve.fetching import Fetching
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.ui.sys_fetch import AGAINST, CONDITIONS, FAILED, TERMS

HALL = Path(__file__).with_name("hall.py")


@pytest.fixture
def server() -> Iterator[Server]:
    with publishing() as state:
        state.content = zipped(SET, pad=200_000)
        yield state


@pytest.fixture
def job(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fetching:
    own = settings().model_copy(update={"raw": tmp_path / "raw", "publisher": server.base})
    made = Fetching(SimpleNamespace(settings=own, service=Service(own, read_films(own.films), {}, {})), pause=0.001)
    monkeypatch.setattr(room, "shared", lambda _: made)
    monkeypatch.setattr(room, "free_memory", lambda: None)
    return made


def opened() -> AppTest:
    at = AppTest.from_file(str(HALL), default_timeout=60).run()
    assert not at.exception
    return at


def said(at: AppTest) -> str:
    parts = [e.proto.body for e in at.get("html")] + [x.value for kind in (at.caption, at.info, at.warning, at.code, at.markdown) for x in kind]
    return " ".join(map(str, parts))


def test_nothing_is_asked_of_the_publisher_before_its_conditions_are_accepted(job: Fetching, server: Server) -> None:
    at = opened()
    assert "No data set is here" in said(at)
    assert all(line in said(at) for _, line in CONDITIONS)
    assert TERMS in said(at)
    assert at.button(key="mq_fetch").disabled
    assert (server.requests, job.state.stage) == (0, "idle")
    at.checkbox(key="mq_fetch_accepted").check().run()
    assert not at.button(key="mq_fetch").disabled
    assert server.requests == 0
    at.button(key="mq_fetch").click().run()
    assert ended(job).stage == "done"
    at.run()
    assert f"{USERS} people" in said(at)
    assert "No warranty." in said(at)  # the publisher's own words


def test_two_windows_show_the_same_download_and_either_stops_it(job: Fetching, server: Server) -> None:
    server.pause_at = 65_536
    one, two = opened(), opened()
    one.checkbox(key="mq_fetch_accepted").check().run()
    one.button(key="mq_fetch").click().run()
    until(lambda: job.kept() > 0)
    two.run()
    for at in (one, two):
        at.run()
        assert "is on its way" in said(at)
        assert 'aria-current="step">Fetching' in said(at)
        assert not at.button(key="mq_fetch_cancel").disabled
    two.button(key="mq_fetch_cancel").click().run()
    server.go.set()
    assert ended(job).stage == "stopped"
    one.run()
    assert "Stopped. What came is kept" in said(one)
    assert one.button(key="mq_fetch").label == f"Go on from {job.kept() / 1000:.0f} kB"
    assert not one.button(key="mq_fetch").disabled  # accepted in this visit
    two.run()
    assert two.button(key="mq_fetch").disabled
    two.button(key="mq_fetch_discard").click().run()
    assert job.kept() == 0
    assert two.button(key="mq_fetch").label.startswith("Fetch it")


@pytest.mark.parametrize("kind", FAILED)
def test_what_went_wrong_is_said_in_plain_words(job: Fetching, kind: str) -> None:
    job.state = room.State("failed", kind=kind, said="ml-1m.zip: the words of the log")
    at = opened()
    head, line = FAILED[kind]
    assert f"{head.format(host='127.0.0.1')}.** {line}".replace("127.0.0.1", "127\\.0\\.0\\.1") in said(at)
    assert "the words of the log" in said(at)
    assert at.button(key="mq_fetch").disabled


@pytest.mark.parametrize("kind", AGAINST)
def test_it_is_not_offered_where_it_should_not_be(job: Fetching, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "obstacle", lambda _: (kind, "7 MB"))
    at = opened()
    assert AGAINST[kind].format(what="7 MB") in said(at)
    assert not at.button
    assert not at.checkbox
    assert "python -m recommender fetch" in said(at)


def test_a_data_set_that_cannot_be_read_is_told(job: Fetching) -> None:
    job._desk.service.data.folder.mkdir(parents=True)
    at = opened()
    assert "The data set cannot be read" in said(at)
    assert "ml-1m is there and cannot be read" in said(at)
    assert not at.button


@pytest.mark.browser
def test_cancel_and_resume_in_a_browser(server: Server, tmp_path: Path, page) -> None:
    server.pause_at = 65_536
    with serving(tmp_path / "log", str(HALL), MARQUEE_RAW=str(tmp_path / "raw"), MARQUEE_PUBLISHER=server.base) as url:
        page.goto(url)
        page.get_by_text("I have read the conditions").click()
        page.get_by_role("button", name="Fetch it").click()
        page.get_by_role("progressbar").wait_for()
        page.get_by_text(re.compile(r"(49|66) kB of")).wait_for()  # it draws itself again while something comes
        page.get_by_role("button", name="Cancel").click()
        page.get_by_text("Stopping;").wait_for()
        server.go.set()
        page.get_by_text("Stopped. What came is kept").wait_for()
        server.pause_at = None
        page.get_by_role("button", name="Go on from").click()
        page.get_by_text("The data set is here").wait_for()
        page.get_by_text("No warranty.").wait_for()
    assert len(server.asked) == 2
    assert server.asked[1].startswith("bytes=")
    assert [line for line in page.complaints if "404" not in line] == []  # the fonts lie beside app.py, not here
