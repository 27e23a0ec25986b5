"""While the store of feedback is away: nobody is answered by an id, whenever it went; /ready, the figures and the log say so, until it is back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
import structlog
from fastapi.testclient import TestClient
from loops import apart
from tenacity import Retrying, retry_if_result, stop_after_delay
from test_api_core import figures, is_problem

from recommender.api import reach
from recommender.api.app import create
from recommender.serve.desk import Desk
from recommender.serve.feedback import Feedback, FeedbackError, for_now
from recommender.serve.service import Service

HOME = ("127.0.0.1", 50000)
LIKE = {"user_id": "reader-42", "kind": "like", "movie_id": 1}
ASKED = (  # of an id or a name that there is
    "/api/recommend?user_id=vera",
    "/api/recommend?user_id=Inês",
    "/api/recommend?user_id=17",
    "/api/recommend?user_id=me-somebody",
    "/api/recommend?user_id=reader-42",
    "/api/explain?user_id=vera&title=Fargo",
    "/api/why_not?user_id=vera&title=Fargo",
    "/api/compare?user_id=vera&models=ease,hybrid",
    "/api/similar_movies?title=Fargo&user_id=mia",
    "/api/user_history?user_id=vera",
    "/api/user_preferences?user_id=vera",
    "/api/my_data?user_id=vera",
    "/api/users",
    "/api/experiments",
)


class Store:
    """One that may be away, and of which the log must not repeat a word."""

    def __init__(self, store: Feedback) -> None:
        self.store, self.away, self.full, self.passing = store, False, False, False

    def __getattr__(self, name: str):
        if self.away or (self.full and name == "add"):
            try:
                raise ConnectionError("secret words of somebody")
            except ConnectionError:
                raise FeedbackError("the feedback database at /secret/place cannot be used") from None
        return getattr(self.store, name)


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    made = Feedback.open(f"sqlite:///{tmp_path / 'own.sqlite'}")
    yield Store(made)
    made.close()


@pytest.fixture
def service(api: TestClient, store: Store) -> Service:
    return replace(api.app.state.desk.service, feedback=store, people={})


@pytest.fixture
def own(api: TestClient, service: Service) -> TestClient:
    """The API over a store of its own, which nobody looks after."""
    desk = Desk(api.app.state.settings, watch=False)
    desk._service = service
    return TestClient(create(desk, desk.settings), "http://localhost", client=HOME, raise_server_exceptions=False)


@pytest.fixture(params=["away since the start", "away later"])
def away(request: pytest.FixtureRequest, own: TestClient, service: Service, store: Store) -> Iterator[TestClient]:
    own.post("/feedback", json={"user_id": "vera", "kind": "hide", "movie_id": 1})
    if request.param == "away later":
        store.away = True
        yield own
        return
    service.feedback, service.people = for_now(), {}
    yield own
    service.feedback.close()


def kept(api: TestClient) -> tuple[bool, float]:
    return api.get("/ready").json()["stored"], figures(api)["marquee_feedback_kept",]


def test_nobody_is_answered_by_an_id_whenever_the_store_went(away: TestClient) -> None:
    for path in ASKED:
        told = is_problem(away.get(path), 503)
        assert (told["type"], "secret" in json.dumps(told)) == ("/problems/store-away", False), path
    for body in (
        {"user_id": "vera"},
        {"user_id": "Vera"},
        {"user_id": "ines"},
        {"viewer": "Vera"},
        {"viewer": "vera"},
        {"viewer": "Somebody’s child"},
    ):
        assert away.post("/recommendations", json=body).status_code == 503, body
    assert away.delete("/api/my_data", params={"user_id": "vera"}).status_code == 503
    assert "nothing was changed" in is_problem(away.post("/feedback", json=LIKE), 503)["detail"]


def test_who_names_nobody_is_answered_all_the_same(away: TestClient) -> None:
    for body in ({}, {"liked_movies": ["Heat"]}, {"ratings": {"Fargo": 4}}):
        assert away.post("/recommendations", json=body).status_code == 200, body
    for path in ("/api/recommend", "/api/movies?q=heat", "/api/similar_movies?title=Fargo", "/api/models", "/ready"):
        assert away.get(path).status_code == 200, path
    assert is_problem(away.post("/recommendations", json={"user_id": "A B"}), 422)  # no id, whatever the store would say


def test_each_request_that_misses_the_store_is_counted_and_the_first_is_told(away: TestClient) -> None:
    before = figures(away).get(("marquee_store_errors_total",), 0)
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            away.post("/feedback", json=LIKE)
        away.get("/api/recommend?user_id=vera")
    assert figures(away)["marquee_store_errors_total",] == before + 4
    assert kept(away) == (False, 0)
    (line,) = [line for line in lines if line["event"] != "request"]
    assert (line["event"], line["log_level"]) == ("the store of feedback is out of reach", "error")
    assert line["where"].endswith("feedback.sqlite")
    assert "secret" not in json.dumps(line)


def test_it_is_known_while_nobody_asks(own: TestClient, store: Store) -> None:
    look = own.app.state.reach.look
    assert kept(own) == (True, 1)
    store.away = True
    with structlog.testing.capture_logs() as lines:
        look()
        look()
        assert kept(own) == (False, 0)
        store.away = False
        look()
        assert kept(own) == (True, 1)
    told = [(line["event"], line.get("error")) for line in lines if line["event"] != "request"]
    assert told == [("the store of feedback is out of reach", "ConnectionError"), ("the store of feedback is reached again", None)]


def test_a_disk_that_is_full_is_not_taken_for_mended_because_it_can_be_read(own: TestClient, store: Store, monkeypatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(reach.time, "monotonic", lambda: now[0])
    store.full = True
    is_problem(own.post("/feedback", json=LIKE), 503)
    own.app.state.reach.look()
    assert kept(own) == (False, 0)
    store.full = False
    own.post("/feedback", json=LIKE)
    assert kept(own) == (True, 1)
    store.full = True
    is_problem(own.post("/feedback", json={**LIKE, "id": "b"}), 503)
    now[0] += reach.QUIET
    own.app.state.reach.look()
    assert kept(own) == (True, 1)  # nobody was refused for a minute


@pytest.mark.parametrize("models", [True, False])
def test_a_start_without_models_is_no_start(api: TestClient, service: Service, monkeypatch, models: bool) -> None:
    desk = Desk(api.app.state.settings, watch=False)
    found = replace(service, models=service.models if models else {}, problems=("ease did not load",))
    monkeypatch.setattr(desk, "open", lambda: setattr(desk, "_service", found))
    app = create(desk, desk.settings)
    with structlog.testing.capture_logs() as lines, TestClient(app, "http://localhost", client=HOME):
        pass
    (line,) = [line for line in lines if line["event"] in ("ready", "no models are loaded")]
    assert (line["event"], line["log_level"]) == (("ready", "info") if models else ("no models are loaded", "error"))
    assert line["problems"] == ["ease did not load"]


def test_a_store_that_hangs_is_not_kept_in_and_holds_up_no_end(api: TestClient, own: TestClient, store: Store, monkeypatch) -> None:
    made, answers, asked = reach.Reach(own.app.state.desk), threading.Event(), threading.Event()
    monkeypatch.setattr(reach, "LOOKS", 0.01)
    monkeypatch.setattr(reach, "HANGS", 0.05)
    monkeypatch.setattr(store, "has", lambda id_: asked.set() or answers.wait(60), raising=False)

    async def lives() -> None:
        looking = asyncio.create_task(made.look_on())
        await asyncio.to_thread(asked.wait, 60)
        await asyncio.sleep(0.1)
        assert not made.kept
        answers.set()
        while not made.kept:
            await asyncio.sleep(0.01)
        answers.clear(), asked.clear()
        await asyncio.to_thread(asked.wait, 60)
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking

    try:
        apart(asyncio.wait_for(lives(), 60))
    finally:
        answers.set()


def test_a_start_without_the_store_is_told_at_once(api: TestClient, service: Service) -> None:
    desk = Desk(api.app.state.settings, watch=False)
    desk._service = replace(service, feedback=for_now())
    with structlog.testing.capture_logs() as lines, TestClient(create(desk, desk.settings), "http://localhost", client=HOME) as made:
        assert made.get("/ready").json()["stored"] is False
    assert any(line["event"] == "the store of feedback is out of reach" for line in lines)


def test_it_is_looked_after_as_long_as_the_application_lives(api: TestClient, own: TestClient, store: Store, monkeypatch) -> None:
    monkeypatch.setattr(reach, "LOOKS", 0.01)
    with own as made:
        for away in (True, False):
            store.away = away
            tried = Retrying(retry=retry_if_result(lambda stored, away=away: stored is away), stop=stop_after_delay(20))
            tried(lambda: made.get("/ready").json()["stored"])
