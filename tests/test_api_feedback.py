"""POST /feedback: what is acknowledged is stored, once, and the next answer knows of it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any, get_args

import pytest

from recommender.api import metrics
from recommender.api.answered import Data, Stored
from recommender.api.asked import Said
from recommender.serve.events import KINDS, Event
from recommender.serve.feedback import Feedback, FeedbackError, for_now
from recommender.settings import settings

JSON = {"Content-Type": "application/json"}
WILD = ["'; DROP TABLE events; --", "<script>alert(1)</script>", "\u202eevil\u202c", "🎬" * 20, "a\0b", "\x1b[2J", "../../etc/passwd", "ﷺ"]
READER = "reader-42"
pytestmark = pytest.mark.usefixtures("forgotten")


@pytest.fixture(scope="module")
def desk(api):
    return api.app.state.desk.service


@pytest.fixture(scope="module")
def say(api):
    """What is answered to an event, or to a body of several, which has the form that the documentation gives it."""

    def say(status: int = 201, **body: Any) -> dict[str, Any]:
        got = api.post("/feedback", content=json.dumps(body), headers=JSON)
        assert got.status_code == status, got.text
        assert got.headers["content-type"] == ("application/json" if status < 300 else "application/problem+json")
        if status < 300:
            Stored.model_validate(got.json(), strict=True)
        return got.json()

    return say


@pytest.fixture(scope="module")
def picks(api):
    """The ids of the first films for somebody."""

    def picks(user_id: str | int, **more: Any) -> list[int]:
        return [film["id"] for film in api.post("/recommendations", json={"user_id": user_id, **more}).json()["recommendations"]]

    return picks


def stored(viewer: str) -> list[Event]:
    """What a program that starts now would find of a viewer."""
    store = Feedback.open(settings().database_url)
    try:
        return store.events(viewer)
    finally:
        store.close()


# ---- the next answer knows


@pytest.mark.parametrize("who", [READER, "vera", "sam"])
@pytest.mark.parametrize(("kind", "more"), [("hide", {}), ("dislike", {}), ("watched", {}), ("love", {}), ("like", {}), ("rating", {"rating": 3.5})])
def test_a_film_that_somebody_spoke_of_is_gone_from_the_next_answer(say, picks, who: str, kind: str, more: dict) -> None:
    before, others = picks(who, k=40), picks("another", k=40)
    assert say(user_id=who, kind=kind, movie_id=before[0], **more)["stored"] == 1
    after = picks(who, k=40)
    assert before[0] not in after
    assert len(after) == 40
    if who != "vera":  # whose row is mixed by genre, so that any film that goes may move the others
        assert (after[:39] == before[1:]) == (kind == "hide")
    assert picks("another", k=40) == others


def test_likes_move_the_ranking_and_undo_moves_it_back(say, picks, api) -> None:
    before = picks(READER, k=50)
    for n, title in enumerate(("Toy Story (1995)", "A Bug's Life", "Chicken Run")):
        say(user_id=READER, kind="like", title=title, id=f"like-{n}")
    liked = picks(READER, k=50)
    gone = {1, 2355, 3751}
    assert [i for i in before if i not in gone] != [i for i in liked if i in before]
    said = api.post("/recommendations", json={"user_id": READER}).json()
    assert said["metadata"]["viewer"] == {"id": READER, "known": "feedback"}
    assert any("liked" in film["recommendation_reason"] for film in said["recommendations"])
    say(events=[{"user_id": READER, "kind": "undo", "target": f"like-{n}"} for n in range(3)])
    assert picks(READER, k=50) == before


@pytest.mark.parametrize("kind", ["impression", "click", "list"])
def test_what_says_nothing_of_a_taste_moves_nothing(say, picks, kind: str) -> None:
    before = picks(READER)
    say(user_id=READER, kind=kind, movie_id=before[0])
    assert picks(READER) == before


def test_a_film_not_to_be_used_is_no_reason(say, api) -> None:
    def named() -> set[str]:
        films = api.post("/recommendations", json={"user_id": "jonas", "reasons": 1000, "k": 30}).json()["recommendations"]
        return {r["subject"] for film in films for r in film["reasons"] if r["kind"] == "film"}

    film = sorted(named())[0]
    say(user_id="jonas", kind="unuse", title=film)
    assert film not in named()


# ---- stored for good, once


def test_what_is_acknowledged_is_on_the_disk_with_all_that_was_said(say) -> None:
    say(
        user_id=READER, kind="rating", title="fargo", rating=4.5, id="mine_1", recommendation="a0b1c2", position=3, time_of_day="night",
        device="tablet", at="2020-11-22T23:30:00+05:30", note={"from": "a test", "n": [1, 2.5, None]},
    )  # fmt: skip
    (event,) = stored(READER)
    assert (event.kind, event.film, event.stars, event.id, event.recommendation, event.position) == ("rating", 608, 4.5, "mine_1", "a0b1c2", 3)
    assert (event.time_of_day, event.device, event.local_hour, event.at) == ("night", "tablet", 23, 1606068000.0)
    assert (event.note, event.simulated) == ({"from": "a test", "n": [1, 2.5, None]}, False)


def test_without_a_time_or_an_id_an_event_gets_both(say) -> None:
    now = time.time()
    (id_,) = say(user_id=READER, kind="click", movie_id=1)["ids"]
    say(user_id=READER, kind="click", movie_id=1, at=12.5)
    first, second = stored(READER)
    assert (first.id, second.at) == (id_, 12.5)
    assert now - 1 <= first.at <= time.time() + 1
    assert first.id != second.id


def test_a_retry_does_no_harm(say) -> None:
    body = {"user_id": READER, "kind": "like", "movie_id": 1, "id": "once"}
    assert say(201, **body) == {"stored": 1, "known": 0, "ids": ["once"]}
    assert say(200, **body) == {"stored": 0, "known": 1, "ids": ["once"]}
    assert say(201, events=[body, {**body, "id": "twice"}, {**body, "user_id": "another"}]) == {
        "stored": 2,
        "known": 1,
        "ids": ["once", "twice", "once"],
    }
    assert [event.id for event in stored(READER)] == ["once", "twice"]
    assert [event.id for event in stored("another")] == ["once"]


def test_an_id_that_was_used_stands_for_what_was_said_first(say, desk) -> None:
    say(201, user_id=READER, kind="like", movie_id=1, id="once")
    assert say(200, user_id=READER, kind="dislike", movie_id=2, id="once") == {"stored": 0, "known": 1, "ids": ["once"]}
    both = [{"user_id": READER, "kind": kind, "movie_id": 3, "id": "twice"} for kind in ("love", "hide")]
    assert say(201, events=both) == {"stored": 1, "known": 1, "ids": ["twice", "twice"]}
    assert [(event.kind, event.film) for event in stored(READER)] == [("like", 1), ("love", 3)]


def test_the_last_word_on_a_film_counts_whatever_its_date(say, picks, desk) -> None:
    say(user_id=READER, kind="love", movie_id=1, at=time.time() + 240)  # a clock that is a little fast
    say(user_id=READER, kind="dislike", movie_id=1, at=0)
    assert desk.feedback.taste(READER).opinions[1].kind == "dislike"


def test_only_what_is_new_is_counted(say) -> None:
    counted = lambda: {kind: metrics.STORED.labels(kind)._value.get() for kind in ("like", "click")}
    one, other = {"user_id": READER, "kind": "like", "movie_id": 1, "id": "a"}, {"user_id": READER, "kind": "click", "movie_id": 1, "id": "b"}
    say(**one)
    before = counted()
    say(events=[one, other, one])
    assert counted() == {"like": before["like"], "click": before["click"] + 1}


@pytest.mark.parametrize(
    ("status", "bad"),
    [
        (422, {"user_id": READER, "kind": "rating", "movie_id": 1}),
        (404, {"user_id": READER, "kind": "like", "title": "xqzzy"}),
        (409, {"user_id": READER, "kind": "like", "title": "hamlet"}),
        (409, {"user_id": READER, "kind": "undo", "target": "never"}),
        (403, {"user_id": "mia", "kind": "like", "title": "Pulp Fiction"}),
        (422, {"user_id": "No One", "kind": "like", "movie_id": 1}),
        (422, {"user_id": READER, "kind": "like", "movie_id": 1, "note": {"x": "y" * 5000}}),
    ],
)
def test_of_several_events_all_are_stored_or_none(say, status: int, bad: dict) -> None:
    good = {"user_id": READER, "kind": "like", "movie_id": 1}
    say(status, events=[good, bad, {**good, "user_id": "mia", "kind": "list"}])
    assert stored(READER) == stored("mia") == []


def test_all_films_that_cannot_be_taken_are_told_at_once(say) -> None:
    titles = ("hamlet", "The Matrix", "titanic")
    said = say(409, events=[{"user_id": READER, "kind": "like", "title": title} for title in titles])
    assert [(e["where"], e["wrong"]) for e in said["errors"]] == [("body.events.0.title", "'hamlet'"), ("body.events.2.title", "'titanic'")]
    assert {c["title"] for c in said["choices"]} == {"Hamlet", "Titanic"}
    assert say(404, user_id=READER, kind="like", movie_id=99_999)["errors"][0]["where"] == "body.movie_id"


def test_an_undo_takes_back_what_is_stored_before_it_and_nothing_of_others(say) -> None:
    say(events=[{"user_id": READER, "kind": "hide", "movie_id": 1, "id": "h"}, {"user_id": READER, "kind": "undo", "target": "h", "id": "u"}])
    assert say(409, user_id="another", kind="undo", target="h")["title"] == "nothing to undo"
    say(409, events=[{"user_id": READER, "kind": "undo", "target": "later"}, {"user_id": READER, "kind": "hide", "movie_id": 2, "id": "later"}])
    assert [event.id for event in stored(READER)] == ["h", "u"]


# ---- who, and what


def test_kinds_are_those_of_the_house_but_what_its_own_pages_send() -> None:
    assert set(get_args(Said.model_fields["kind"].annotation)) == set(KINDS) - {"prefer", "vote"}


def test_one_person_is_one_however_they_are_named(say, desk) -> None:
    say(events=[{"user_id": name, "kind": "list", "movie_id": 1} for name in ("Inês", "INES", "ines")])
    assert len(stored("ines")) == 3
    say(events=[{"user_id": number, "kind": "list", "movie_id": 1} for number in (17, "17", "ml-17", "ml-017")])
    assert len(stored("ml-17")) == 4
    if desk.dataset_users():
        assert desk.person("ml-17").listed


def test_a_user_of_a_data_set_that_is_not_here_is_known_by_feedback(say, api) -> None:
    say(user_id=999_999_999, kind="like", title="The Matrix")
    made = api.post("/recommendations", json={"user_id": "ml-999999999"}).json()["metadata"]
    assert made["viewer"] == {"id": "ml-999999999", "known": "feedback"}
    assert made["notes"] == ["ml-999999999 is not in the data set here."]


def test_nobody_speaks_for_simulated_viewers(say) -> None:
    said = say(422, user_id="sim-plan-7", kind="like", movie_id=1)
    assert said["errors"][0]["where"] == "body.user_id"
    assert stored("sim-plan-7") == []


def test_a_childs_limit_holds(say, desk) -> None:
    for kind in ("like", "click", "list", "watched"):
        assert say(403, user_id="mia", kind=kind, title="Pulp Fiction")["title"] == "over the limit"
    offered = say(404, user_id="mia", kind="like", title="silence of the lams")["choices"]
    assert all(desk.catalog.allowed("PG")[desk.catalog.index(c["id"])] for c in offered)
    say(user_id="mia", kind="like", title="Toy Story (1995)")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"kind": "like", "movie_id": 1}, "required"),
        ({"user_id": READER, "movie_id": 1}, "required"),
        ({"user_id": READER, "kind": "like"}, "movie_id or title"),
        ({"user_id": READER, "kind": "like", "movie_id": 1, "title": "Heat"}, "movie_id or title"),
        ({"user_id": READER, "kind": "like", "movie_id": 1, "rating": 5}, "rating for a rating"),
        ({"user_id": READER, "kind": "like", "movie_id": 1, "target": "x"}, "target for a undo"),
        ({"user_id": READER, "kind": "undo"}, "target for a undo"),
        ({"user_id": READER, "kind": "undo", "movie_id": 1, "target": "x"}, "no film"),
        ({"user_id": READER, "kind": "undo", "target": "x", "id": "x"}, "another event"),
        ({"user_id": READER, "kind": "like", "movie_id": 1, "film": 2}, "'film' is no field"),
        ({"user_id": READER, "kind": "like", "movie_id": 1, "simulated": True}, "'simulated' is no field"),
        ({"user_id": READER, "kind": "lik", "movie_id": 1}, "'like'"),
        ({"user_id": READER, "kind": "vote", "movie_id": 1}, "'like'"),
        ({"user_id": READER, "kind": "like", "movie_id": 1, "at": "2026-11-22T10:00"}, "pattern"),
        ({"user_id": READER, "kind": "like", "movie_id": 1, "at": "1960-01-01T00:00:00Z"}, "since 1970"),
        ({"user_id": READER, "kind": "like", "movie_id": 1, "at": "0001-01-01T00:00:00+23:00"}, "since 1970"),
        ({"user_id": READER, "kind": "like", "movie_id": 1, "at": 2**33 - 1}, "a time that has been"),
        ({"user_id": READER, "kind": "like", "movie_id": 1, "at": "2242-01-01T00:00:00Z"}, "a time that has been"),
        ({"user_id": READER, "kind": "like", "movie_id": 1, "note": {"x": "y" * 5000}}, "4096 bytes"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_wanted(say, body: dict, wanted: str) -> None:
    assert wanted in " ".join(e["wanted"] for e in say(422, **body)["errors"])
    assert stored(READER) == []


TEXTS = [5, True, "", "x" * 65, *WILD]
WRONG: dict[str, list[Any]] = {
    "user_id": [True, -1, 10**9, 1.5, None, [], {}, "", "x" * 65, "A B", *WILD],
    "kind": [None, 1, "LIKE", "", *WILD],
    "movie_id": [True, -1, 1.5, 10**30, "1", [1]],
    "title": [5, True, "", "x" * 301, []],
    "rating": [True, 0, 5.5, 4.3, "5", 10**400],
    "target": TEXTS,
    "id": TEXTS,
    "recommendation": TEXTS,
    "position": [True, -1, 2**31, 1.5, "1"],
    "time_of_day": [1, "noon", "Evening", *WILD],
    "device": [1, "phone", *WILD],
    "at": [True, -1, 2**33, 10**400, "yesterday", "2026-02-30T10:00:00Z", [], *WILD],
    "note": [[], "x", 5, None, True],
}  # fmt: skip


@pytest.mark.parametrize("field", WRONG)
def test_no_field_takes_what_it_is_not(say, field: str) -> None:
    kind = {"rating": "rating", "target": "undo"}.get(field, "like")
    base = {"user_id": READER, "kind": kind, **({} if field in ("title", "target") else {"movie_id": 1})}
    for value in WRONG[field]:
        say(422, **{**base, field: value})
    assert stored(READER) == []


@pytest.mark.parametrize("wild", WILD)
def test_hostile_words_are_titles_of_no_film_and_stay_what_they_are_in_a_note(say, wild: str) -> None:
    say(404, user_id=READER, kind="like", title=wild)
    say(user_id=READER, kind="like", movie_id=1, note={wild: wild})
    (event,) = stored(READER)
    assert event.note == {wild: wild}


@pytest.mark.parametrize("number", ["NaN", "1e400", "-Infinity", "9" * 5000])
def test_numbers_that_are_none_are_refused(api, number: str) -> None:
    for field in ("rating", "at", "position", "movie_id", "user_id"):
        said = {"user_id": f'"{READER}"', "kind": '"rating"', "movie_id": "1", "rating": "5", field: number}
        body = "{" + ", ".join(f'"{name}": {value}' for name, value in said.items()) + "}"
        got = api.post("/feedback", content=body, headers=JSON)
        assert got.status_code in (400, 422), (body[:80], got.text)
    got = api.post("/feedback", content=f'{{"user_id": "{READER}", "kind": "like", "movie_id": 1, "note": {{"x": {number}}}}}', headers=JSON)
    assert got.status_code in (400, 422), got.text
    assert stored(READER) == []


def test_bodies_that_are_none(say, api) -> None:
    one = {"user_id": READER, "kind": "click", "movie_id": 1}
    say(422, events=[])
    say(422, events=[one] * 101)
    say(422, events=one)
    say(422, events=[one], user_id=READER)
    say(422, events=[[one]])
    for body in ("[]", "null", "5", '"x"', "[" * 5000 + "]" * 5000):
        assert api.post("/feedback", content=body, headers=JSON).status_code in (400, 422), body[:10]
    assert say(events=[one] * 100)["stored"] == 100


# ---- what a person may ask of their data


def test_a_person_gets_all_that_is_stored_of_them_and_has_it_deleted(say, api, picks) -> None:
    before = picks("vera")
    say(user_id="vera", kind="hide", movie_id=before[0], id="h", note={"why": "no"})
    say(user_id="sam", kind="hide", movie_id=before[0])
    mine = api.get("/api/my_data", params={"user_id": "Vera"}).json()
    Data.model_validate(mine, strict=True)
    assert (mine["viewer"], mine["person"]) == ("vera", None)
    assert [(e["kind"], e["film"], e["id"], e["note"]) for e in mine["events"]] == [("hide", before[0], "h", {"why": "no"})]
    assert picks("vera") != before
    gone = api.delete("/api/my_data", params={"user_id": "vera"})
    assert (gone.status_code, gone.json()) == (200, {"removed": 1})
    assert stored("vera") == []
    assert len(stored("sam")) == 1
    assert picks("vera") == before
    assert api.delete("/api/my_data", params={"user_id": "vera"}).json() == {"removed": 0}


def test_nobody_gets_or_deletes_what_was_simulated(api, desk) -> None:
    desk.feedback.add([Event("sim-plan-1", "click", 1, simulated=True)])
    for name in ("sim-plan-1", "A B", "", "x" * 65, *WILD):
        for asked in (api.get, api.delete):
            assert asked("/api/my_data", params={"user_id": name}).status_code == 422
    assert len(stored("sim-plan-1")) == 1


# ---- when nothing can be stored


def test_where_the_store_is_away_nothing_is_acknowledged(say, api, desk, monkeypatch) -> None:
    def away(*_: object) -> int:
        raise FeedbackError("the feedback database at /secret/place cannot be used")

    monkeypatch.setattr(Feedback, "add", away)
    said = say(503, user_id=READER, kind="like", movie_id=1)
    assert "secret" not in json.dumps(said)
    monkeypatch.undo()
    assert stored(READER) == []

    passing = for_now()
    monkeypatch.setattr(api.app.state.desk, "_service", replace(desk, feedback=passing))
    say(503, user_id=READER, kind="like", movie_id=1)  # what ends with the program is no store
    assert passing.events(READER) == []
    for ask in (api.get, api.delete):  # nobody is told that nothing is stored of them, or that it is gone
        assert ask("/api/my_data", params={"user_id": READER}).status_code == 503
    ask = lambda **body: api.post("/recommendations", json={"k": 5, **body}).status_code
    assert [ask(user_id=READER), ask(user_id="me-0123456789ab"), ask(viewer="Somebody’s child")] == [503] * 3  # a limit may be theirs
    assert [ask(user_id="vera"), ask(viewer="Vera"), ask(liked_movies=["Heat"])] == [503, 503, 200]  # she may have hidden films
    passing.close()
