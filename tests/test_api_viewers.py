"""GET /api/users, /api/user_history and /api/user_preferences: who there is, what stands of what they said, and their taste beside the usual one."""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime
from pathlib import Path

import pytest
from browsing import got, refused

from recommender.api import browsed, browsed_taste
from recommender.serve.dataset import Dataset
from recommender.serve.events import Event, note_of
from recommender.serve.feedback import Feedback
from recommender.serve.portrait import groups, portrait
from recommender.serve.viewers import Viewer
from recommender.types import Preferences, Profile

MATRIX, FARGO, TOYS = 2571, 608, 1


@pytest.fixture
def desk(api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The front desk with a store of its own, in which nobody has said anything."""
    service, store = api.app.state.desk.service, Feedback.open(f"sqlite:///{tmp_path / 'own.sqlite'}")
    monkeypatch.setattr(service, "feedback", store)
    monkeypatch.setattr(service, "people", {})
    yield service
    store.close()


def person(name: str, certificate: str | None = None) -> Viewer:
    return Viewer(f"me-{name.lower()}", name, "Made here", {"shape": "cat", "hue": 10}, Profile(), certificate)


def say(desk, viewer: str, at: float, kind: str, film: int | None = None, **more) -> str:
    event = Event(viewer, kind, film, at=at, **more)
    desk.feedback.add([event])
    return event.id


def test_the_pages_hold_everybody_once(api, desk) -> None:
    for name in ("Ada", "Bo", "Cy"):
        desk.feedback.add_viewer(person(name))
    pages = [got(api, "/api/users", browsed.Users, page=n, size=4) for n in range(1, 5)]
    said = [(user["id"], user["known"]) for page in pages for user in page["users"]]
    assert said == [*((name, "demo") for name in desk.viewers), ("me-ada", "made here"), ("me-bo", "made here"), ("me-cy", "made here")]
    assert {(page["total"], page["pages"]) for page in pages} == {(len(said), 4)}
    mia = next(user for page in pages for user in page["users"] if user["id"] == "mia")
    assert (mia["name"], mia["certificate"]) == ("Mia", "PG")


def test_where_strangers_share_it_nobody_who_made_a_viewer_is_listed(api, desk, monkeypatch) -> None:
    desk.feedback.add_viewer(person("Ada"))
    monkeypatch.setattr(desk, "settings", desk.settings.model_copy(update={"household": False}))
    assert {user["known"] for user in got(api, "/api/users", browsed.Users, size=100)["users"]} == {"demo"}


def test_the_numbers_of_the_data_set_are_told_where_it_is(api, desk, monkeypatch, tmp_path: Path) -> None:
    said = got(api, "/api/users", browsed.Users)["data_set"]
    assert (said is None) == (not desk.data.folder.is_dir())
    if said:
        assert (said["users"], said["first"], said["last"]) == (len(desk.interactions.user_ids), *desk.interactions.user_ids[[0, -1]].tolist())
    monkeypatch.setattr(desk, "data", Dataset(tmp_path / "ml-1m", desk.catalog))
    assert got(api, "/api/users", browsed.Users)["data_set"] is None


def test_what_a_demo_viewer_came_with_stands_the_last_first_without_a_date(api, desk) -> None:
    said = got(api, "/api/user_history", browsed.History, user_id="jonas")
    assert said["user"] == {"id": "jonas", "name": "Jonas", "known": "demo"}
    assert [(one["movie"]["id"], one["stars"], one["at"], one["said"]) for one in said["stands"]["films"]] == [
        (1266, 5, None, "rating"),
        (1201, 5, None, "rating"),
        (1304, 4, None, "rating"),
    ]
    assert (said["log"]["total"], said["log"]["pages"]) == (0, 0)


def test_what_was_said_stands_with_its_date_and_the_log_says_what_became_of_it(api, desk) -> None:
    say(desk, "reader", 1000, "like", MATRIX)
    say(desk, "reader", 2000, "rating", MATRIX, stars=2.5)
    wrong = say(desk, "reader", 3000, "rating", FARGO, stars=1)
    say(desk, "reader", 4000, "undo", target=wrong)
    say(desk, "reader", 5000, "love", FARGO)
    say(desk, "reader", 6000, "list", TOYS)
    say(desk, "reader", 7000, "hide", 2)
    say(desk, "reader", 8000, "unuse", MATRIX)
    said = got(api, "/api/user_history", browsed.History, user_id="reader")
    at = lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat()
    assert said["user"]["known"] == "feedback"
    assert [(one["movie"]["id"], one["said"], one["stars"], one["at"]) for one in said["stands"]["films"]] == [
        (MATRIX, "unuse", None, at(8000)),
        (2, "hide", None, at(7000)),
        (TOYS, "list", None, at(6000)),
        (FARGO, "love", None, at(5000)),
        (MATRIX, "rating", 2.5, at(2000)),
    ]
    assert [(line["kind"], line["movie"]["id"], line["state"]) for line in said["log"]["lines"]] == [
        ("unuse", MATRIX, "stands"),
        ("hide", 2, "stands"),
        ("list", TOYS, "stands"),
        ("love", FARGO, "stands"),
        ("rating", FARGO, "taken back"),
        ("rating", MATRIX, "stands"),
        ("like", MATRIX, "replaced"),
    ]
    assert said["log"]["lines"][4]["id"] == wrong  # so that it can be taken back
    second = got(api, "/api/user_history", browsed.History, user_id="reader", size=2, page=2)
    assert (second["stands"]["films"], second["log"]["lines"]) == (said["stands"]["films"][2:4], said["log"]["lines"][2:4])


def test_a_film_over_the_limit_is_not_named(api, desk) -> None:
    desk.feedback.add_viewer(person("Kid", "PG"))
    say(desk, "me-kid", 1000, "love", MATRIX)
    say(desk, "me-kid", 2000, "love", TOYS)
    answer = api.get("/api/user_history", params={"user_id": "me-kid"})
    assert "Matrix" not in answer.text
    assert [line["movie"] and line["movie"]["id"] for line in answer.json()["log"]["lines"]] == [TOYS, None]
    assert [one["movie"]["id"] for one in answer.json()["stands"]["films"]] == [TOYS]


def test_somebody_nobody_knows_is_told_so(api, desk) -> None:
    for path, model in (("/api/user_history", browsed.History), ("/api/user_preferences", browsed_taste.Wants)):
        said = got(api, path, model, user_id="no-one-yet")
        assert (said["user"]["id"], said["user"]["known"]) == ("no-one-yet", "nobody")
        assert "no-one-yet" in said["notes"][0]


def test_a_person_of_the_data_set_has_the_ratings_they_gave(api, desk) -> None:
    if not desk.data.folder.is_dir():
        pytest.skip("no data set")
    said = got(api, "/api/user_history", browsed.History, user_id="ml-7", size=100)
    profile = desk.dataset_viewer(7).profile
    assert [one["movie"]["id"] for one in said["stands"]["films"]] == desk.catalog.ids[profile.items[::-1]].tolist()
    assert said == got(api, "/api/user_history", browsed.History, user_id="7", size=100)


def test_what_was_set_by_hand_is_told_in_words(api, desk) -> None:
    group = desk.atlas.names[3].text
    wanted = Preferences(0.5, 0.25, (("War", -1.5),), ((1990, 1.0),), ((3, 2.0),), ("Tom Hanks",), "ease", False, True)
    say(desk, "vera", 1000, "prefer", note=note_of(wanted))
    said = got(api, "/api/user_preferences", browsed_taste.Wants, user_id="vera")["settings"]
    assert said == {
        "adventure": 0.5, "variety": 0.25, "genres": [{"name": "War", "points": -1.5}], "decades": [{"name": "1990", "points": 1.0}],
        "groups": [{"name": group, "points": 2.0}], "without": ["Tom Hanks"], "model": "ease", "listed": False, "seen": True,
    }  # fmt: skip
    assert got(api, "/api/user_preferences", browsed_taste.Wants, user_id="Inês")["genres"] == ["Mystery", "Thriller"]


def test_a_portrait_is_the_one_of_the_taste_page(api, desk) -> None:
    say(desk, "kenji", 1000, "unuse", int(desk.catalog.ids[desk.viewers["kenji"].profile.items[0]]))
    said = got(api, "/api/user_preferences", browsed_taste.Wants, user_id="kenji", people=3)["portrait"]
    viewer = desk.viewers["kenji"]
    made = portrait(viewer.profile.keep(viewer.profile.items != viewer.profile.items[0]), desk.catalog, groups(desk.atlas))
    assert said["films"] == made.n == len(viewer.profile) - 1
    for part in ("genres", "decades", "groups", "popularity"):
        assert sum(trait["share"] for trait in said[part]) == pytest.approx(1, abs=1e-4)
        assert sum(trait["usual"] for trait in said[part]) == pytest.approx(1, abs=1e-4)
    assert [trait["films"] for trait in said["genres"]] == [len(trait.films) for trait in made.genres]
    assert [trait["name"] for trait in said["people"]] == [trait.subject for trait in made.people[:3]]
    assert {trait["name"] for trait in said["groups"]} <= {name.text for name in desk.atlas.names}
    assert said["popularity"][0]["name"].endswith(f"{made.bounds[0][1]:,} raters")


def test_who_has_seen_nothing_has_a_portrait_of_unknown_shares(api, desk) -> None:
    said = got(api, "/api/user_preferences", browsed_taste.Wants, user_id="sam")["portrait"]
    assert (said["films"], said["raters"], said["people"]) == (0, None, [])
    assert {trait["share"] for trait in said["genres"]} == {None}


def test_what_groups_are_called_is_known_before_anybody_asks(api) -> None:
    fresh = copy(api.app.state.desk.service)
    fresh.viewers, fresh.atlas = {}, copy(fresh.atlas)
    vars(fresh.atlas).pop("names", None)
    fresh.warm()
    assert "names" in vars(fresh.atlas)


def test_whose_it_is_has_to_be_said(api) -> None:
    for path in ("/api/user_history", "/api/user_preferences"):
        refused(api, 422, path)
