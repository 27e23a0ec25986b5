"""GET /api/explain, /api/why_not and /api/compare: what the commands say, with reasons that sum to the score and lists within a child's limit."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from browsing import got, refused
from pydantic import BaseModel
from typer.testing import CliRunner

from recommender.__main__ import app
from recommender.api.browsed_explain import Compared, Explained, Missing, Present
from recommender.serve import inquiry
from recommender.serve.service import Service
from recommender.types import Context

MATRIX, FARGO = 2571, 608
WAIT = 5  # seconds


@pytest.fixture(scope="module")
def desk(api):
    return api.app.state.desk.service


@pytest.fixture
def command(desk, monkeypatch: pytest.MonkeyPatch):
    """What a command prints as JSON, over the same desk."""
    monkeypatch.setattr(Service, "open", lambda settings: desk)

    def run(*words: str) -> dict:
        done = CliRunner().invoke(app, [*words, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return run


def without_asker(said: dict) -> dict:
    return {name: value for name, value in said.items() if name not in ("user", "notes")}


def without_times(found: dict) -> dict:
    return {**found, "lists": [{**of, "ms": 0} for of in found["lists"]]}


@pytest.mark.parametrize("viewer", ["kenji", "jonas", "ines"])
@pytest.mark.parametrize("model", ["hybrid", "ease", "content", "popularity", "als", "sequence"])
def test_reasons_and_parts_sum_to_the_score(api, desk, viewer: str, model: str) -> None:
    said = got(api, "/api/explain", Explained, user_id=viewer, movie_id=FARGO, model=model, time_of_day="evening")
    assert said["model"] == model
    assert sum(reason["weight"] for reason in said["reasons"]) == pytest.approx(said["score"], abs=1e-4)
    assert sum(part["points"] for part in said["parts"]) == pytest.approx(said["score"], abs=1e-4)
    weights = [abs(reason["weight"]) for reason in said["reasons"]]
    assert weights == sorted(weights, reverse=True)


def test_the_rank_is_that_of_the_scores(api, desk) -> None:
    kenji, item = desk.person("kenji"), desk.catalog.index(FARGO)
    scores = desk.models["ease"].score([desk.query(kenji, Context())])[0]
    unseen = ~np.isin(np.arange(len(scores)), kenji.profile.items)
    said = got(api, "/api/explain", Explained, user_id="kenji", title="Fargo", model="ease")
    assert said["rank"] == 1 + (scores[unseen] > scores[item]).sum()
    assert said["id"] == FARGO


def test_explain_says_what_the_command_says(api, command) -> None:
    words = ("explain", "--viewer", "kenji", "--film", "Fargo", "--model", "hybrid", "--time-of-day", "night", "--device", "tv")
    asked = {"user_id": "kenji", "title": "Fargo", "model": "hybrid", "time_of_day": "night", "device": "tv", "looked_into": 1000}
    said = got(api, "/api/explain", Explained, **asked)
    assert without_asker(said) == command(*words)
    anyway = got(api, "/api/explain", Explained, **asked, anyway=True)
    assert without_asker(anyway) == command(*words, "--anyway")
    assert [signal["used"] for signal in anyway["signals"].values()] == [True, True]
    assert not all(signal["used"] for signal in said["signals"].values())
    few = got(api, "/api/explain", Explained, **{**asked, "looked_into": 2})
    assert [("evidence" in reason) for reason in few["reasons"]] == [True, True] + [False] * (len(few["reasons"]) - 2)
    assert len(few["without"]) <= 2 < len(said["without"])


def test_why_not_says_what_the_command_says(api, desk, command) -> None:
    said = got(api, "/api/why_not", Missing, user_id="kenji", title="starship trooper", minutes=150)
    assert without_asker(said) == command("why-not", "--viewer", "kenji", "--film", "Starship Troopers", "--minutes", "150")
    assert "Starship Troopers" in said["notes"][0]
    assert sum(part["points"] for part in said["behind"]) == pytest.approx(said["gap"], abs=1e-6)
    first = desk.home(desk.person("kenji"), desk.query(desk.person("kenji"), Context())).carousels[0].recommendations[0].item
    there = got(api, "/api/why_not", Present, user_id="kenji", movie_id=int(desk.catalog.ids[first]))
    assert there["among_the_first"] is True


def test_compare_says_what_the_command_says(api, command) -> None:
    words = ("compare", "home", "ease", "content", "--viewer", "kenji", "-k", "10", "--genre", "sci-fi", "--hide-last-fifth")
    asked = {"user_id": "kenji", "models": "home,ease, content", "k": 10, "genre": "sci-fi", "hide_last_fifth": True}
    said = got(api, "/api/compare", Compared, **asked)
    assert without_times(without_asker(said)) == without_times(command(*words))


def test_overlap_and_places_are_those_of_the_lists(api) -> None:
    said = got(api, "/api/compare", Compared, user_id="kenji", models="hybrid,ease,popularity", k=15)
    films = [[film["id"] for film in of["films"]] for of in said["lists"]]
    assert [len(set(ids)) for ids in films] == [15] * 3
    for a in range(3):
        for b in range(3):
            assert said["jaccard"][a][b] == pytest.approx(len(set(films[a]) & set(films[b])) / len(set(films[a]) | set(films[b])), abs=5e-5)
    for film in said["places"]:
        assert film["places"] == [ids.index(film["id"]) + 1 if film["id"] in ids else None for ids in films]
    assert {film["id"] for film in said["places"]} == set().union(*films)


def test_a_child_is_told_nothing_of_a_film_over_the_limit(api, desk) -> None:
    for path in ("/api/explain", "/api/why_not"):
        by_id = refused(api, 403, path, user_id="mia", movie_id=MATRIX)
        assert "Matrix" not in json.dumps(by_id)
        assert "R" not in by_id["detail"].split()
        refused(api, 403, path, user_id="mia", title="The Matrix")
    said = got(api, "/api/compare", Compared, user_id="mia", models="hybrid,popularity,home,ratings", k=50)
    assert {desk.catalog.certificates[desk.catalog.index(film["id"])] for film in said["places"]} <= {"G", "PG"}


def test_the_smallest_set_is_told_for_a_film_among_the_first(api, desk) -> None:
    kenji = desk.person("kenji")
    asked = desk.request(kenji, desk.query(kenji, Context()))
    best = int(np.argmax(np.where(asked.scores.pool, asked.scores["ease"], -np.inf)))
    said = got(api, "/api/explain", Explained, user_id="kenji", movie_id=int(desk.catalog.ids[best]), model="ease")
    assert (said["rank"], said["smallest_set"]["rank_before"]) == (1, 1)
    assert said["smallest_set"]["rank_after"] > inquiry.FIRST


@pytest.mark.parametrize(
    ("path", "shape", "more"),
    [
        ("/api/explain", Explained, {"title": "Fargo"}),
        ("/api/why_not", Missing, {"title": "Fargo"}),
        ("/api/compare", Compared, {"models": "home,ease"}),
    ],
)
def test_whoever_is_not_known_is_answered_as_somebody_new(api, path: str, shape: type[BaseModel], more: dict) -> None:
    said = got(api, path, shape, user_id="stranger-9", **more)
    assert said["user"]["known"] == "nobody"
    assert said["notes"]


def test_what_there_is_not_is_told_with_the_nearest(api) -> None:
    assert "did you mean ease" in refused(api, 404, "/api/explain", user_id="kenji", title="Fargo", model="eas")["detail"]
    assert "did you mean hybrid" in refused(api, 404, "/api/compare", user_id="kenji", models="hybrd,ease")["detail"]
    for models in ("ease", "ease,ease,ease,ease,ease"):
        assert "2 to 4" in refused(api, 422, "/api/compare", user_id="kenji", models=models)["detail"]
    assert "Sam has 0 ratings" in refused(api, 422, "/api/compare", user_id="sam", models="home,ease", hide_last_fifth=True)["detail"]
    for path in ("/api/explain", "/api/why_not"):
        refused(api, 422, path, user_id="kenji")
        refused(api, 422, path, user_id="kenji", title="Fargo", movie_id=FARGO)
        refused(api, 422, path, title="Fargo")
        assert {film["year"] for film in refused(api, 409, path, user_id="kenji", title="Sabrina")["choices"]} == {1954, 1995}


def test_slow_questions_leave_room_for_quick_ones(api, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, done = threading.Event(), threading.Event()
    monkeypatch.setattr(inquiry, "why_not", lambda *_: begun.set() or (done.wait(WAIT) and None))
    with ThreadPoolExecutor(4) as people:
        slow = [people.submit(api.get, "/api/why_not", params={"user_id": "vera", "movie_id": FARGO}) for _ in range(4)]
        assert begun.wait(WAIT)
        assert api.get("/api/recommend", params={"k": 1}).status_code == 200
        assert not any(one.done() for one in slow)
        done.set()
        assert [one.result().status_code for one in slow] == [200] * 4
