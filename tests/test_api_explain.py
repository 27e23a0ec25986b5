"""GET /api/explain, /api/why_not and /api/compare: what the commands say, with reasons that sum to the score and lists within a child's limit."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from browsing import got, refused
from pydantic import BaseModel
from typer.testing import CliRunner

from recommender.__main__ import app
from recommender.api.browsed_explain import Compared, Explained, Missing, Present
from recommender.serve import inquiry, wire
from recommender.serve.events import Event
from recommender.serve.service import Service
from recommender.types import Context, Preferences

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


WAYS = {"popular": ("sam", "ines", "jonas", "leila"), "balanced": ("walter",), "collaborative": ("vera", "kenji", "mia", "rosa", "dmitri")}
TOLD = {"time_of_day": "evening", "device": "tv"}


def weighed(reasons: list[dict]) -> dict:
    return {(r["kind"], r["subject"], r.get("id")): pytest.approx(r["weight"], abs=1e-6) for r in reasons}


def explains(explained: dict, film: dict, score: str, sentence: str) -> None:
    """The law: a film is explained as it was recommended."""
    assert explained["score"] == pytest.approx(film[score], abs=1e-6)
    assert explained["sentence"] == film[sentence]
    assert weighed(explained["reasons"]) == weighed(film["reasons"])
    assert explained["exact"] == film["exact"]


@pytest.mark.parametrize(("way", "viewer"), [(way, viewer) for way, viewers in WAYS.items() for viewer in viewers])
@pytest.mark.parametrize(("moment", "anyway"), [({}, False), (TOLD, True)])
def test_a_film_is_explained_as_it_was_recommended(api, way: str, viewer: str, moment: dict, anyway: bool) -> None:
    for k in (1, 6):
        made = api.post("/recommendations", json={"user_id": viewer, "k": k, "reasons": 1000, "context": moment, "anyway": anyway}).json()
        assert made["strategy"] == way
        for film in made["recommendations"]:
            said = got(api, "/api/explain", Explained, user_id=viewer, movie_id=film["id"], k=k, anyway=anyway, looked_into=3, **moment)
            explains(said, film, "similarity_score", "recommendation_reason")
            assert sum(part["points"] for part in said["parts"]) == pytest.approx(said["score"], abs=1e-4)
            assert (said["film"], said["year"]) == (film["title"], film["year"])
            if said["smallest_set"]:
                assert said["smallest_set"]["rank_before"] == said["rank"]


def test_what_somebody_sent_moves_what_is_explained(api, desk) -> None:
    desk.feedback.add([Event("explained-1", "like", film, id=f"e-{film}") for film in (MATRIX, FARGO)])
    made = api.post("/recommendations", json={"user_id": "explained-1", "k": 8, "reasons": 1000}).json()
    assert {"ease", "popularity"} == set(made["metadata"]["algorithms_used"])
    for film in made["recommendations"]:
        said = got(api, "/api/explain", Explained, user_id="explained-1", movie_id=film["id"], k=8)
        explains(said, film, "similarity_score", "recommendation_reason")
        gave = {part["part"]: part["points"] for part in said["parts"]}
        of_films = sum(r["weight"] for r in said["reasons"] if r["kind"] == "film")
        assert (gave["ease"], gave["popularity"]) == (pytest.approx(of_films, abs=1e-6), pytest.approx(said["score"] - of_films, abs=1e-6))
    desk.feedback.forget("explained-1")


@pytest.mark.parametrize(
    "who", [("--viewer", "leila"), ("--viewer", "walter"), ("--viewer", "kenji"), ("--likes", "The Matrix; Alien; Fargo (1996)")]
)
def test_the_commands_explain_what_they_recommend(command, who: tuple[str, str]) -> None:
    row = command("recommend", *who)["carousels"][0]
    for film in row["items"][:5]:
        explains(command("explain", *who, "--film", f"{film['title']} ({film['year']})"), film, "score", "reason")


def test_a_film_that_the_first_row_does_not_take_is_explained_by_its_scores(api, desk) -> None:
    """Nobody rated it, so that no first row of a newcomer takes it: it is ranked beside the films that are."""
    rare = next(i for i in np.flatnonzero(desk.catalog.raters == 0) if not desk.catalog.certificates[i])
    said = got(api, "/api/explain", Explained, user_id="leila", movie_id=int(desk.catalog.ids[rare]))
    assert said["among"] == "the films your first row is about, and this one"
    first = api.post("/recommendations", json={"user_id": "leila", "k": 1}).json()["recommendations"][0]
    best = got(api, "/api/explain", Explained, user_id="leila", movie_id=first["id"])
    assert (best["rank"], best["among"]) == (1, "the films your first row is about")
    assert said["score"] < best["score"]
    assert said["smallest_set"] is None


@pytest.mark.parametrize("wanted", [Preferences(), Preferences(adventure=0.5, genres=(("Comedy", 1.0),)), Preferences(model="als")])
@pytest.mark.parametrize("name", ["jonas", "walter", "kenji"])
def test_what_is_behind_sums_to_the_gap_or_is_no_matter_of_points(desk, name: str, wanted: Preferences) -> None:
    """Whatever the viewer set by hand; no points for what is not among the films that the row is chosen from."""
    viewer = replace(desk.person(name), preferences=wanted)
    asked = desk.request(viewer, desk.query(viewer, Context("evening", "tv"), anyway=("time_of_day", "device")))
    for item in (desk.catalog.index(MATRIX), desk.catalog.index(FARGO), int(viewer.profile.items[0]), 5, 700, 2000):
        if (found := inquiry.why_not(asked, item, ())) is None:
            continue
        said = wire.why_not(found, item, desk.catalog)
        if said["rank"] is None:
            assert said["behind"] == []
            assert said["kept_out"]
        else:
            assert sum(part["points"] for part in said["behind"]) == pytest.approx(said["gap"], abs=1e-4)


def sendable(said: Any) -> Iterator[tuple[int, str, int | None]]:
    """Every film that an answer names, as (id, title, year)."""
    if isinstance(said, list):
        for part in said:
            yield from sendable(part)
        return
    if not isinstance(said, dict):
        return
    if said.get("rival"):
        yield said["rival_id"], said["rival"], said["rival_year"]
    title = said.get("film") or said.get("title") or (said["subject"] if said.get("kind") in ("film", "sequence") and "id" in said else None)
    if isinstance(title, str):
        yield said["id"], title, said["year"]
    for part in said.values():
        yield from sendable(part)


def test_every_film_that_is_named_can_be_sent_back(api, desk) -> None:
    """Psycho and Sabrina were filmed twice: an id tells which."""
    named: list[tuple[int, str, int | None]] = []
    for viewer in ("vera", "jonas", "kenji"):
        made = api.post("/recommendations", json={"user_id": viewer, "k": 10, "reasons": 1000}).json()["recommendations"]
        why = got(api, "/api/explain", Explained, user_id=viewer, movie_id=made[0]["id"])
        assert [movie["title"] for movie in why["smallest_set"]["movies"]] == why["smallest_set"]["films"]
        missing = [got(api, "/api/why_not", Missing, user_id=viewer, movie_id=film) for film in (MATRIX, 1097)]
        parts = (made, why, missing)
        assert all(any(sendable(part)) for part in parts)
        named += [film for part in parts for film in sendable(part)]
        reasons = [r for one in [*made, why] for r in one["reasons"]]
        titles = set(desk.catalog.titles)
        assert all("id" in r for r in reasons if r["kind"] in ("film", "sequence") and r["subject"] in titles)
        assert not any("id" in r for r in reasons if r["kind"] not in ("film", "sequence"))
    for id_, title, year in named:
        item = desk.catalog.index(id_)
        assert (title, year) == (desk.catalog.titles[item], int(desk.catalog.years[item]) or None)
    assert {"Psycho"} <= {title for _, title, _ in named}


def test_a_model_that_tells_no_film_from_another_says_so(api) -> None:
    said = got(api, "/api/compare", Compared, user_id="sam", models="ease,popularity,als")
    assert [(of["list"], of["silent"], bool(of["films"])) for of in said["lists"]] == [
        ("ease", True, False), ("popularity", False, True), ("als", True, False)]  # fmt: skip
    assert ["tells no film from another for Sam" in note for note in said["notes"]] == [True, True]
    assert "no film from another" in got(api, "/api/explain", Explained, user_id="sam", movie_id=1, model="ease")["notes"][0]
    assert got(api, "/api/explain", Explained, user_id="sam", movie_id=1)["notes"] == []


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
    for path, more in (("/api/explain", {"title": "Fargo", "model": "eas"}), ("/api/compare", {"models": "ease,eas"})):
        assert refused(api, 404, path, user_id="kenji", **more)["type"] == "/problems/no-such-model"
    for models in ("ease", "ease,ease,ease,ease,ease"):
        assert "2 to 4" in refused(api, 422, "/api/compare", user_id="kenji", models=models)["detail"]
    assert "Sam has 0 ratings" in refused(api, 422, "/api/compare", user_id="sam", models="home,ease", hide_last_fifth=True)["detail"]
    for path in ("/api/explain", "/api/why_not"):
        refused(api, 422, path, user_id="kenji")
        refused(api, 422, path, user_id="kenji", title="Fargo", movie_id=FARGO)
        refused(api, 422, path, title="Fargo")
        assert {film["year"] for film in refused(api, 409, path, user_id="kenji", title="Sabrina")["choices"]} == {1954, 1995}


def test_models_are_named_in_any_letters_everywhere(api) -> None:
    assert got(api, "/api/explain", Explained, user_id="kenji", title="Fargo", model="EASE")["model"] == "ease"
    assert [of["list"] for of in got(api, "/api/compare", Compared, user_id="kenji", models="Home, EASE")["lists"]] == ["home", "ease"]


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
