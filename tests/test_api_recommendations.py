"""POST /recommendations and its short form: what Home would show first, for whoever asks and of what as they write it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recommender.api.answered import Recommendations, reasons
from recommender.api.asked import Recommend
from recommender.api.problems import LISTED
from recommender.api.routes.recommendations import answer
from recommender.api.titles import MISTYPED
from recommender.serve import guests
from recommender.serve.events import Event, note_of
from recommender.serve.evidence import spoken
from recommender.serve.picks import picks
from recommender.serve.titles import Doubt, Meant, meant
from recommender.serve.viewers import Viewer
from recommender.types import ANY_FILM, Context, Drop, Explanation, Filters, Preferences, Profile, Reason, Recommendation

JSON = {"Content-Type": "application/json"}
NO_CONTEXT = Context()
FILTERS = {"decade": 1980, "certificate": "PG", "least_stars": 3.5, "fame": "famous", "in_colour": True}
EVENING = {"time_of_day": "evening", "device": "tv"}
WILD = [
    "'; DROP TABLE events; --",
    "<script>alert(1)</script>",
    "\u202eevil\u202c",
    "🎬" * 20,
    "a\0b",
    "\x1b[2J",
    "../../etc/passwd",
    "%00",
    "{{7*7}}",
    "ﷺ",
]


@pytest.fixture(scope="module")
def desk(api):
    return api.app.state.desk.service


@pytest.fixture(scope="module")
def ask(api):
    """The answer to a body, which has the form that the documentation gives it."""

    def ask(**body: Any) -> dict[str, Any]:
        got = api.post("/recommendations", json=body)
        assert got.status_code == 200, got.text
        Recommendations.model_validate(got.json(), strict=True)
        return got.json()

    return ask


@pytest.fixture(scope="module")
def refusal(api):
    """The problem that a body meets."""

    def refusal(status: int, **body: Any) -> dict[str, Any]:
        got = api.post("/recommendations", content=json.dumps(body), headers=JSON)
        assert (got.status_code, got.headers["content-type"]) == (status, "application/problem+json"), got.text
        return got.json()

    return refusal


def ids(made: dict[str, Any]) -> list[int]:
    return [film["id"] for film in made["recommendations"]]


def first_row(desk, viewer: Viewer, k: int, context: Context = NO_CONTEXT, filters: Filters = ANY_FILM, anyway: tuple[str, ...] = ()):
    """The first row of Home, drawn k films long."""
    longer = replace(desk, settings=desk.settings.model_copy(update={"row_length": k}))
    row = longer.home(viewer, longer.query(viewer, context, anyway=anyway), filters).carousels[0]
    assert row.key == "top"
    return [(int(desk.catalog.ids[r.item]), round(r.score, 9), r.sentence, r.match) for r in row.recommendations]


def as_shown(made: dict[str, Any]):
    return [(f["id"], f["similarity_score"], f["recommendation_reason"], f["match"]) for f in made["recommendations"]]


# ---- what Home would show


@pytest.mark.parametrize("name", ["sam", "ines", "jonas", "walter", "vera", "mia"])
@pytest.mark.parametrize(("k", "context", "anyway"), [(10, {}, False), (7, EVENING, True)])
def test_the_answer_is_the_first_row_of_home(ask, desk, name: str, k: int, context: dict, anyway: bool) -> None:
    made = ask(user_id=name, k=k, context=context, anyway=anyway, filters={"in_colour": True})
    told = ("time_of_day", "device") if anyway else ()
    assert as_shown(made) == first_row(desk, desk.person(name), k, Context(**context), Filters(in_colour=True), told)
    assert made["metadata"]["viewer"] == {"id": name, "known": "demo"}


@pytest.mark.parametrize("model", [None, "popularity"])
def test_films_that_somebody_is_expected_to_dislike_stay_away_as_at_home(desk, model: str | None) -> None:
    strict = replace(desk, settings=desk.settings.model_copy(update={"least_match": 0.85, "row_length": 30}))
    viewer = replace(strict.person("walter"), preferences=Preferences(model=model))
    query = strict.query(viewer, NO_CONTEXT)
    (row,) = picks(strict, viewer, query, 30).carousels
    assert [r.item for r in row.recommendations] == [r.item for r in strict.home(viewer, query).carousels[0].recommendations]
    assert [r.item for r in row.recommendations] != [r.item for r in picks(desk, viewer, query, 30).carousels[0].recommendations]


def test_nothing_asked_is_what_is_popular(ask, desk) -> None:
    made = ask()
    assert (made["strategy"], made["metadata"]["total_recommendations"]) == ("popular", 10)
    assert as_shown(made) == first_row(desk, guests.blank(), 10)
    assert made["metadata"]["viewer"] == {"id": None, "known": "nobody"}
    assert (made["metadata"]["fallback"], made["metadata"]["notes"]) == (False, [])


@pytest.mark.parametrize("model", ["ease", "content", "popularity", "Hybrid"])
def test_the_list_of_one_model(ask, desk, model: str) -> None:
    vera = desk.person("vera")
    made = ask(user_id="vera", model=model, k=12)
    (row,) = desk.listing(vera, desk.query(vera, Context()), model.lower(), 12).carousels
    assert as_shown(made) == [(int(desk.catalog.ids[r.item]), round(r.score, 9), r.sentence, r.match) for r in row.recommendations]
    assert (made["strategy"], made["metadata"]["algorithms_used"]) == ("single", [model.lower()])


def test_the_metadata_says_how_it_was_made(api, ask, desk) -> None:
    got = api.post("/recommendations", json={"user_id": "vera"}, headers={"X-Request-ID": "a-request-of-mine"})
    made = got.json()["metadata"]
    assert made["request_id"] == got.headers["X-Request-ID"] == "a-request-of-mine"
    assert made["model_version"] == desk.version
    assert made["route"]["name"] == got.json()["strategy"] == "collaborative"
    assert sum(made["route"]["shares"].values()) == pytest.approx(1)
    assert made["algorithms_used"] == [name for name, share in made["route"]["shares"].items() if share > 0] == ["ease", "content", "sequence"]
    assert 0 < made["inference_time_ms"] < 1000 * got.elapsed.total_seconds()


def test_a_film_is_told_as_the_catalogue_knows_it(ask, desk) -> None:
    rare = desk.catalog.raters == 0
    for film in ask(k=20)["recommendations"] + ask(model="content", user_id="vera", k=100)["recommendations"]:
        item = desk.catalog.index(film["id"])
        assert (film["title"], film["genres"]) == (desk.catalog.titles[item], list(desk.catalog.genres_of(item)))
        assert film["year"] == (int(desk.catalog.years[item]) or None)
        assert (film["vote_average"], film["vote_count"]) == (
            (None, None) if rare[item] else (round(float(desk.catalog.stars[item]), 3), int(desk.catalog.raters[item]))
        )
    assert ask(model="content", user_id="vera", filters={"fame": "rare"}, k=100)["recommendations"]


# ---- reasons


@pytest.mark.parametrize(
    "body", [{}, {"user_id": "vera"}, {"user_id": "jonas", "context": EVENING, "anyway": True}, {"user_id": "vera", "model": "ease"}]
)
@pytest.mark.parametrize("most", [0, 1, 5, 1000])
def test_reasons_sum_to_the_score_however_many_are_listed(ask, body: dict, most: int) -> None:
    for film in ask(**body, reasons=most)["recommendations"]:
        assert sum(r["weight"] for r in film["reasons"]) == pytest.approx(film["similarity_score"], abs=1e-6)
        named = [r for r in film["reasons"] if r["kind"] != "rest" and not r.get("simulated")]
        spoken = [r for r in named if r["subject"].split(", among")[0] in film["recommendation_reason"] or r["kind"] in ("context", "popularity")]
        assert len([r for r in named if r not in spoken]) <= (most + 1 if most else 0)
        assert most < 1000 or "rest" not in {r["kind"] for r in film["reasons"]}


def test_the_rest_of_the_reasons_is_one_that_hides_nothing_simulated(desk) -> None:
    made = Explanation.of(
        [
            Reason("genre", "Drama", 4.0),
            Reason("genre", "War", -3.0),
            Reason("context", "tv", 0.5, True),
            *(Reason("crowd", str(n), 0.25) for n in range(4)),
        ]
    )
    two = reasons(made, desk.catalog, 2)
    assert [(r["kind"], r["subject"], r["weight"], r.get("simulated", False)) for r in two] == [
        ("genre", "Drama", 4.0, False),
        ("genre", "War", -3.0, False),
        ("context", "tv", 0.5, True),
        ("rest", "4 other reasons", 1.0, False),
    ]
    assert [r["kind"] for r in reasons(made, desk.catalog, 6)] == ["genre", "genre", "context", "crowd", "crowd", "crowd", "crowd"]  # no rest of one
    assert [r["kind"] for r in reasons(made, desk.catalog, 0)] == ["context", "rest"]


@pytest.mark.parametrize("name", ["leila", "vera", "kenji", "rosa", "freya", "dmitri", "amara"])
def test_what_the_sentence_names_is_listed(ask, name: str) -> None:
    """Every film that is given as a cause is a listed reason, however few reasons are asked for; with none asked for there is none."""
    few, all_ = (ask(user_id=name, k=40, reasons=most)["recommendations"] for most in (1, 1000))
    assert any(film["without"] for film in few)
    for film, whole in zip(few, all_):
        listed = {r.get("id") for r in film["reasons"]}
        assert {cause["id"] for cause in film["without"]} <= listed
        assert sum(r["weight"] for r in film["reasons"]) == pytest.approx(film["similarity_score"], abs=1e-6)
        words = [r for r in whole["reasons"] if r["kind"] in ("genre", "person") and r["subject"] in film["recommendation_reason"]]
        assert all(r in film["reasons"] for r in words)
    assert all({r["kind"] for r in film["reasons"]} <= {"rest"} for film in ask(user_id=name, k=5, reasons=0)["recommendations"])


def test_a_reason_is_spoken_of_by_its_name() -> None:
    """By film only where the film is given as a cause; by the words of a moment, and of facts of popularity without how they compare."""
    reasons = (
        Reason("film", 7, 3.0), Reason("film", 8, 2.0), Reason("genre", "Drama", 1.0), Reason("genre", "War", 0.9), Reason("context", "tv", 0.5),
        Reason("popularity", "90 ratings, among the most of all", 0.4), Reason("popularity", "recent ratings", 0.3), Reason("film", "others", 0.1),
    )  # fmt: skip
    said = lambda sentence, *films: spoken(Recommendation(1, 8.2, "x", Explanation(reasons), sentence, drops=tuple(Drop(f, 1, 9) for f in films)))
    assert said("Because you liked A and Drama", 8) == {1, 2}
    assert said("Suits the evening on TV") == {4}
    assert said("Rated highly: 4.1 stars on average, 90 ratings") == {5}
    assert said("Popular when the data end: 3.1 stars") == {5, 6}
    assert said("Fits what you watched as a whole") == set()


# ---- one model


@pytest.mark.parametrize("model", ["ease", "item_knn", "pure_svd", "als", "encoder"])
@pytest.mark.parametrize("body", [{}, {"user_id": "nobody-7"}, {"user_id": "sam"}, {"filters": {"genre": "War"}}])
def test_a_model_with_nothing_to_go_on_makes_no_list_and_says_so(ask, model: str, body: dict) -> None:
    made = ask(model=model, k=3, **body)
    assert made["recommendations"] == []
    said = made["metadata"]
    assert said["fallback"]
    assert said["route"]["why"] in said["fallback_why"]
    assert "tells no film from another" in said["route"]["why"]
    assert not any("popular" in why or "unseen" in why for why in said["fallback_why"])


@pytest.mark.parametrize("model", ["popularity", "content", "hybrid", "sequence", "communities", "ratings"])
def test_a_model_that_tells_films_apart_answers_a_stranger_itself(ask, model: str) -> None:
    made = ask(model=model, k=3, user_id="nobody-7")
    assert len(made["recommendations"]) == 3
    assert made["metadata"]["fallback_why"] == ["Somebody was named whom nobody knows here; the model answers as for somebody new."]
    assert ask(k=3, user_id="nobody-7")["metadata"]["fallback_why"] == ["Somebody was named whom nobody knows here; what is popular answers."]


def test_a_film_of_which_a_model_knows_nothing_is_nothing_to_go_on(ask) -> None:
    assert ask(model="ease", liked_movies=["Storefront Hitchcock"])["recommendations"] == []
    assert len(ask(model="ease", liked_movies=["The Matrix"])["recommendations"]) == 10


def test_one_film_is_no_list_of_ties(desk, ask) -> None:
    """Where the filters leave one film, there is nothing to tell it from; where they leave two, a model that scores both alike makes no list."""
    viewer = guests.blank()
    asked = desk.request(viewer, desk.query(viewer, NO_CONTEXT))
    row, may = asked.row_of("ease"), np.zeros(len(desk.catalog), bool)
    may[7] = True
    assert not asked.silent(row, may)
    may[9] = True
    assert asked.silent(row, may)
    assert not asked.silent(asked.row_of("popularity"), may)


@pytest.mark.parametrize("name", ["sam", "jonas"])
def test_a_chosen_model_with_nothing_to_go_on_leaves_the_first_row_as_it_was(desk, name: str) -> None:
    chosen = replace(desk.person(name), preferences=Preferences(model="ease"))
    asked = desk.request(chosen, desk.query(chosen, NO_CONTEXT))
    assert (asked.chosen, asked.strategy.route) == ((None, "popular") if name == "sam" else ("ease", "single"))
    plain, (row,) = desk.person(name), picks(desk, chosen, desk.query(chosen, NO_CONTEXT), 5).carousels
    (usual,) = picks(desk, plain, desk.query(plain, NO_CONTEXT), 5).carousels
    assert ([r.item for r in row.recommendations] == [r.item for r in usual.recommendations]) == (name == "sam")


def test_whoever_chose_a_model_with_nothing_to_go_on_is_told(ask, desk) -> None:
    desk.feedback.add([Event("chooser-1", "prefer", note=note_of(Preferences(model="ease")), id="s")])
    made = ask(user_id="chooser-1")
    desk.feedback.forget("chooser-1")
    assert made["strategy"] == "popular"
    assert any("It was chosen for the first row" in why for why in made["metadata"]["fallback_why"])


def test_digits_taken_for_an_id_that_are_a_title_too_are_told(ask) -> None:
    """2010 is the id of Metropolis (1926) and a film of 1984; 608 is Fargo's id alone."""
    said = ask(ratings={"2010": 5, "608": 5})["metadata"]["notes"]
    assert len(said) == 1
    assert "ratings.2010 was taken for the film of this id, Metropolis (1926)" in said[0]
    assert ask(ratings=[{"title": "2010", "rating": 5}])["metadata"]["notes"] == []


# ---- what is sent along


def test_likes_are_five_stars_and_join_for_this_answer_only(ask, desk) -> None:
    liked = ask(liked_movies=["The Matrix", 608, "toy story (1995)"])
    films = [desk.catalog.named("The Matrix"), desk.catalog.index(608), desk.catalog.index(1)]
    you = desk.fresh(Viewer("you", "you", "", {}, Profile(films, [5, 5, 5], [0, 0, 0]), None))  # as the command line makes of likes
    assert as_shown(liked) == first_row(desk, you, 10)
    assert liked["metadata"]["viewer"] == {"id": None, "known": "ratings sent"}
    assert as_shown(ask(ratings=[{"title": "The Matrix", "rating": 5}, {"movie_id": 608, "rating": 5}, {"movie_id": 1, "rating": 5}])) == as_shown(
        liked
    )
    assert as_shown(ask(ratings={"The Matrix": 5, "608": 5.0, "1": 5})) == as_shown(liked)

    before = ask(user_id="vera")
    moved = ask(user_id="vera", liked_movies=["Toy Story (1995)", "Toy Story 2", "A Bug's Life"], ratings={"Chicken Run": 5})
    assert ids(moved) != ids(before)
    assert moved["metadata"]["viewer"] == {"id": "vera", "known": "demo"}
    assert as_shown(ask(user_id="vera")) == as_shown(before)


def test_of_one_film_the_last_rating_counts(ask) -> None:
    low = ask(ratings=[{"movie_id": 1, "rating": 0.5}])
    assert as_shown(ask(liked_movies=[1], ratings=[{"movie_id": 1, "rating": 4}, {"title": "Toy Story (1995)", "rating": 0.5}])) == as_shown(low)
    assert as_shown(ask(liked_movies=[1])) != as_shown(low)


def test_what_was_said_before_keeps_its_weight_beside_what_is_sent(desk) -> None:
    """Watched without a word speaks less than the stars it stands for would."""
    said = replace(
        guests.blank(), profile=Profile([3, 5, 7, 11], [3.5, 5, 1.5, 3.5], [0, 0, 9, 9], speaks=[0.5, 1.5, -0.25, 0.5]), unused=frozenset({3, 7})
    )
    made = guests.joined(said, {5: 2.0, 9: 5.0, 3: 3.0}, desk.settings)
    assert made.profile.items.tolist() == [7, 11, 5, 9, 3]
    assert made.profile.ratings.tolist() == [1.5, 3.5, 2.0, 5.0, 3.0]
    assert made.profile.speaks.tolist() == [-0.25, 0.5, -0.25, 1.5, 1.0]
    assert made.unused == {7}
    assert guests.joined(said, {}, desk.settings) is said


def test_films_left_out_are_not_in_the_answer_and_the_others_move_up(ask) -> None:
    plain = ask(user_id="vera", k=10)
    away = plain["recommendations"][0]
    without = ask(user_id="vera", exclude=[f"{away['title']} ({away['year']})", plain["recommendations"][3]["id"]], model="hybrid")
    assert not {away["id"], plain["recommendations"][3]["id"]} & set(ids(without))
    wanted = [i for i in ids(ask(user_id="vera", model="hybrid", k=12)) if i not in (away["id"], plain["recommendations"][3]["id"])][:10]
    assert ids(without) == wanted
    assert away["id"] not in ids(ask(user_id="vera", exclude=[away["id"]]))


def test_genres_speak_for_a_newcomer_and_films_for_who_has_rated(ask, desk) -> None:
    asked = replace(guests.blank(), profile=Profile(genres=("Horror", "War")))
    assert as_shown(ask(preferred_genres=["horror", "War", "Horror"])) == first_row(desk, asked, 10) != as_shown(ask())
    vera = ask(user_id="vera", preferred_genres=["Horror"])
    assert as_shown(vera) == as_shown(ask(user_id="vera"))
    assert vera["metadata"]["notes"] == ["preferred_genres change nothing here: what the viewer rated speaks. filters.genre shows one genre alone."]


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"genre": "horror"}, lambda c, i: "Horror" in c.genres_of(i)),
        ({"decade": 1940}, lambda c, i: 1940 <= c.years[i] < 1950),
        ({"certificate": "PG"}, lambda c, i: c.certificates[i] in ("G", "PG")),
        ({"least_stars": 4.2}, lambda c, i: c.stars[i] >= 4.2),
        ({"fame": "known"}, lambda c, i: 0 < c.raters[i] < np.quantile(c.raters[c.raters > 0], 0.75)),
        ({"in_colour": True}, lambda c, i: c.in_colour[i]),
        ({"minutes": 90}, lambda c, i: c.minutes[i] <= 90),
    ],
)
def test_filters_hold_for_every_film(ask, desk, filters: dict, holds) -> None:
    made = [desk.catalog.index(i) for i in ids(ask(user_id="vera", filters=filters, k=40))]
    assert made
    assert all(holds(desk.catalog, item) for item in made)
    assert not all(holds(desk.catalog, desk.catalog.index(i)) for i in ids(ask(user_id="vera", k=100)))


def test_the_time_there_is_and_the_longest_film_both_hold(ask, desk) -> None:
    for context, filters in (({"minutes": 85}, {"minutes": 200}), ({"minutes": 200}, {"minutes": 85}), ({"minutes": 85}, {})):
        assert all(desk.catalog.minutes[desk.catalog.index(i)] <= 85 for i in ids(ask(context=context, filters=filters)))


@pytest.mark.parametrize(
    ("context", "part"),
    [
        ({"at": "2026-11-22T04:59:59"}, "night"),
        ({"at": "2026-11-22T05:00"}, "morning"),
        ({"at": "2026-11-22T12:00:00Z"}, "afternoon"),
        ({"at": "2026-11-22 17:30:00.5+01:00"}, "evening"),
        ({"at": "2026-11-22T21:00-05:00"}, "night"),
        ({"at": "2026-11-22T21:00", "time_of_day": "morning"}, "morning"),
        ({}, None),
    ],
)
def test_the_part_of_the_day_is_told_or_read_off_the_clock(ask, context: dict, part: str | None) -> None:
    assert ask(context=context)["metadata"]["signals"]["time_of_day"]["value"] == part


def test_what_the_models_are_not_told_is_said_and_changes_nothing(ask, desk) -> None:
    made, told = ask(user_id="vera", context=EVENING), ask(user_id="vera", context=EVENING, anyway=True)
    for name, signal in made["metadata"]["signals"].items():
        verdict = desk.verdicts(desk.person("vera"))[name]
        assert (signal["value"], signal["used"], signal["why"], signal["source"]) == (EVENING[name], verdict.on, verdict.why, verdict.source)
        assert told["metadata"]["signals"][name]["used"]
    on = {name: EVENING[name] for name, verdict in desk.verdicts(desk.person("vera")).items() if verdict.on}
    assert len(on) < 2  # else this test needs another viewer
    assert as_shown(made) == as_shown(ask(user_id="vera", context=on)) != as_shown(told)
    kinds = [r for film in told["recommendations"] for r in film["reasons"] if r["kind"] == "context"]
    assert {r["subject"]: r.get("simulated", False) for r in kinds} == {"evening": False, "tv": True}


# ---- who


@pytest.mark.parametrize("name", ["Inês", "INES", " ines ", "inês"])
def test_a_demo_viewer_is_found_by_name(ask, name: str) -> None:
    assert ask(user_id=name)["metadata"]["viewer"] == {"id": "ines", "known": "demo"}
    assert ask(viewer=name)["metadata"]["viewer"] == {"id": "ines", "known": "demo"}


def test_a_user_of_movielens_by_number(ask, desk) -> None:
    if not desk.dataset_users():
        pytest.skip("no data set here")
    for name in (17, "17", "ml-17", "ml-0017"):
        made = ask(user_id=name)
        assert made["metadata"]["viewer"] == {"id": "ml-17", "known": "data set"}
        assert as_shown(made) == first_row(desk, desk.person("ml-17"), 10)


def test_an_id_that_nobody_knows_is_somebody_new_and_the_answer_says_so(ask) -> None:
    for name, id_ in (("never-seen", "never-seen"), (999_999_998, "ml-999999998")):
        made = ask(user_id=name)
        assert as_shown(made) == as_shown(ask())
        assert made["metadata"]["viewer"] == {"id": id_, "known": "nobody"}
        assert made["metadata"]["fallback"]
        assert id_ in " ".join(made["metadata"]["notes"])
    sent = ask(user_id="never-seen", liked_movies=[1])["metadata"]
    assert (sent["viewer"]["known"], sent["fallback"]) == ("ratings sent", False)


def test_people_who_made_their_viewer_are_found_by_id_and_in_a_household_by_name(api, ask, refusal, desk, monkeypatch) -> None:
    me = Viewer("me-api-test", "Zoë Quill", "Made for a test", {"shape": "owl", "hue": 1}, Profile(genres=("War",)), None)
    desk.feedback.add_viewer(me)
    try:
        mine = {"id": "me-api-test", "known": "made here"}
        assert ask(user_id="me-api-test")["metadata"]["viewer"] == ask(viewer="zoe quill")["metadata"]["viewer"] == mine
        assert ask(user_id="zoe-quill")["metadata"]["viewer"]["known"] == "nobody"
        monkeypatch.setattr(desk.settings, "household", False)
        assert ask(user_id="me-api-test")["metadata"]["viewer"] == ask(viewer="me-api-test")["metadata"]["viewer"] == mine
        assert "Zoë" not in refusal(404, viewer="zoe quil")["detail"]
        refusal(404, viewer="zoe quill")
    finally:
        desk.feedback.forget("me-api-test")
    assert ask(user_id="me-api-test")["metadata"]["viewer"]["known"] == "nobody"


def test_who_is_no_one_is_refused(refusal) -> None:
    for name in ("A B", "", "x" * 65, "naïve", *WILD, -1, 10**9, True, 1.5, ["ines"], {}):
        refusal(422, user_id=name)
    assert "Vera" in refusal(404, viewer="Verra")["detail"]
    assert "not both" in refusal(422, user_id="vera", viewer="vera")["detail"]


# ---- films by title


@pytest.mark.parametrize(
    ("words", "title", "exactly"),
    [
        ("matrix", "The Matrix", True),
        ("The Matrix (1999)", "The Matrix", True),
        ("matrix, the", "The Matrix", True),
        ("the matrix 1999", "The Matrix", True),
        ("the matrx", "The Matrix", False),
        ("pulp fictoin", "Pulp Fiction", False),
        ("shawshank", "The Shawshank Redemption", False),
        ("Postino, Il (The Postman) (1994)", "Il Postino", True),
        ("hamlet 1948", "Hamlet", True),
    ],
)
def test_titles_are_taken_as_people_write_them(desk, words: str, title: str, exactly: bool) -> None:
    found = meant(words, desk.catalog, np.ones(len(desk.catalog), bool))
    assert isinstance(found, Meant)
    assert (desk.catalog.titles[found.item], found.exactly) == (title, exactly)


@pytest.mark.parametrize(
    ("words", "several", "choices"),
    [
        ("hamlet", True, {"Hamlet"}),
        ("toy stroy", True, {"Toy Story", "Toy Story 2"}),
        ("toy story 3", False, {"Toy Story", "Toy Story 2"}),  # a number that is not the film's
        ("casablanca (1943)", False, {"Casablanca"}),  # nor a year
        ("ET", False, None),  # too short to be a mistyped one
        ("xqzzy", False, set()),
        ("!!!", False, set()),
        *((wild, False, None) for wild in WILD),
    ],
)
def test_in_doubt_there_are_choices_and_no_film(desk, words: str, several: bool, choices: set[str] | None) -> None:
    found = meant(words, desk.catalog, np.ones(len(desk.catalog), bool))
    assert isinstance(found, Doubt)
    assert found.several == several
    assert choices is None or {desk.catalog.titles[i] for i in found.choices} == choices


def test_a_title_taken_for_another_is_told(ask) -> None:
    assert ask(liked_movies=["matirx", "Fargo"])["metadata"]["notes"] == ["'matirx' was taken for The Matrix (1999)."]


def test_all_films_that_cannot_be_taken_are_told_at_once(refusal) -> None:
    said = refusal(409, liked_movies=["hamlet", "The Matrix"], ratings=[{"title": "star wars", "rating": 4}])
    assert [(e["where"], e["wrong"]) for e in said["errors"]] == [("body.liked_movies.0", "'hamlet'"), ("body.ratings.0.title", "'star wars'")]
    assert {c["title"] for c in said["errors"][0]["choices"]} == {"Hamlet"}
    assert len(said["errors"][0]["choices"]) == 5
    assert {c["title"] for c in said["choices"]} > {"Hamlet", "Star Wars: Episode IV - A New Hope"}
    several = refusal(404, liked_movies=["hamlet", "xqzzy", 99_999], exclude=["Fargo (1995)"])
    assert [e["where"] for e in several["errors"]] == ["body.liked_movies.0", "body.liked_movies.1", "body.liked_movies.2", "body.exclude.0"]
    assert several["errors"][3]["choices"] == [{"id": 608, "title": "Fargo", "year": 1996}]
    assert refusal(404, ratings={"99999": 3})["errors"][0]["where"] == "body.ratings.99999"


def test_no_request_looks_for_typing_errors_without_end(refusal, ask) -> None:
    unknown = refusal(404, liked_movies=[f"xqzzy {n}" for n in range(200)])
    assert len(unknown["errors"]) == LISTED
    nearly = [f"matirx{' ' * n}" for n in range(MISTYPED + 1)]
    assert refusal(422, liked_movies=nearly)["errors"][0]["where"] == f"body.liked_movies.{MISTYPED}"
    assert len(ask(liked_movies=nearly[1:])["metadata"]["notes"]) == MISTYPED


def test_a_childs_limit_holds_whatever_is_asked(ask, refusal, desk) -> None:
    may = desk.catalog.allowed("PG")
    for body in (
        {},
        {"model": "popularity"},
        {"filters": {"certificate": "NC-17"}},
        {"liked_movies": ["Toy Story (1995)"]},
        {"context": EVENING, "anyway": True},
    ):
        assert all(may[desk.catalog.index(i)] for i in ids(ask(user_id="mia", k=100, **body)))
    assert refusal(403, user_id="mia", liked_movies=["Pulp Fiction"])["errors"][0]["where"] == "body.liked_movies.0"
    offered = refusal(404, user_id="mia", liked_movies=["silence of the lams"])["choices"]
    assert all(may[desk.catalog.index(c["id"])] for c in offered)
    assert ask(liked_movies=["silence of the lams"])["metadata"]["notes"]


# ---- less than was asked for


def test_fewer_films_than_asked_for_are_a_fallback_with_its_reason(ask, refusal) -> None:
    made = ask(k=100, filters={"decade": 1920, "genre": "Horror"})
    n = made["metadata"]["total_recommendations"]
    assert 0 < n < 100
    assert made["metadata"]["fallback"]
    assert f"{n} of 100" in made["metadata"]["fallback_why"][0]
    none = ask(filters={"minutes": 1})
    assert none["recommendations"] == []
    assert "0 of 10" in none["metadata"]["fallback_why"][0]


def test_a_part_that_did_not_load_is_told_and_the_rest_answers(desk) -> None:
    less = replace(desk, models={n: m for n, m in desk.models.items() if n != "hybrid"}, problems=("artifacts/hybrid/card.json: missing",), people={})
    made = answer(less, Recommend(user_id="vera"), "body")
    assert made["strategy"] == "popular"
    assert len(made["recommendations"]) == 10
    assert made["metadata"]["fallback_why"] == ["The model hybrid did not load."]


# ---- refused


@pytest.mark.parametrize(
    ("body", "where", "wanted"),
    [
        ({"usr_id": 1}, "body", "user_id"),
        ({"context": {"devce": "tv"}}, "body.context", "device"),
        ({"filters": {"genres": "War"}}, "body.filters", "genre"),
        ({"ratings": [{"movie": 1, "rating": 3}]}, None, "movie_id"),
        ({"filters": {"genre": "Drma"}}, "body.filters.genre", "Drama"),
        ({"filters": {"decade": 1810}}, "body.filters.decade", "1970"),
        ({"preferred_genres": ["War", "Comdy"]}, "body.preferred_genres.1", "Comedy"),
        ({"context": {"at": "2026-02-30T10:00"}}, "body.context.at", "ISO 8601"),
        ({"ratings": [{"rating": 3}]}, None, "movie_id or title"),
        ({"ratings": [{"rating": 3, "movie_id": 1, "title": "Heat"}]}, None, "movie_id or title"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_wanted(refusal, body: dict, where: str | None, wanted: str) -> None:
    errors = refusal(422, **body)["errors"]
    assert any(wanted in e["wanted"] for e in errors)
    assert where is None or errors[0]["where"] == where


NUMBERS = [True, -1, 0, 101, 1.5, 10**30, "10", None, [], {}]
STARS = [True, 0, 5.5, -1, 4.3, 10**400, "5", None, []]
MANY = [{"movie_id": 1, "rating": 5}] * 501
TIMES = [5, "now", "2026-02-30T10:00", "2026-01-01T25:00", "２０２６-01-01T10:00", *WILD]
BAD: dict[str, list[Any]] = {
    "k": NUMBERS,
    "reasons": [True, -1, 1001, 0.5, 10**30, "5", None],
    "anyway": [1, "true", None],
    "liked_movies": [[True], [-1], [10**30], [1.5], [None], [""], ["x" * 301], "The Matrix", {}, [[1]], [1] * 201],
    "exclude": [[True], [-1], [""], "x", ["x" * 1_001], [1] * 501],
    "ratings": [*([{"movie_id": 1, "rating": s}] for s in STARS), *({"1": s} for s in STARS), [1], "x", {"": 5}, {"x" * 301: 5}, MANY],
    "preferred_genres": [["x" * 41], [1], [""], "War", ["War"] * 21, *([wild] for wild in WILD)],
    "context": [[], "evening", *({"time_of_day": x} for x in ("noon", 1)), {"device": "TV"}, {"minutes": 0}, *({"at": x} for x in TIMES)],
    "filters": [
        [], {"decade": True}, {"decade": -10}, {"decade": 1971},
        {"certificate": "X"}, {"least_stars": 0}, {"least_stars": 6}, {"fame": "huge"}, {"in_colour": 1},
        {"minutes": 0}, {"minutes": 10**9}, {"genre": 5}, *({"genre": wild} for wild in WILD),
    ],
    "model": [5, "", "x" * 41],
    "viewer": [5, "", "x" * 65],
}  # fmt: skip


@pytest.mark.parametrize("name", ["eese", *WILD])
def test_a_model_that_there_is_not_is_named_with_the_nearest(refusal, api, name: str) -> None:
    told = refusal(404, model=name)
    assert (told["type"], told["errors"][0]["where"]) == ("/problems/no-such-model", "body.model")
    assert "ease" in told["errors"][0]["wanted"]
    short = api.get("/api/recommend", params={"model": name})
    assert (short.status_code, short.json()["errors"][0]["where"]) == (404, "query.model")


def test_of_several_titles_the_one_that_the_problem_is_about_is_told(refusal) -> None:
    told = refusal(404, liked_movies=["Star Wars", "nope nope nope"])
    assert told["detail"].startswith("body.liked_movies.1 is 'nope nope nope': wanted the title of a film")
    assert [error["where"] for error in told["errors"]] == ["body.liked_movies.0", "body.liked_movies.1"]
    assert "and 1 more" in told["detail"]


def test_a_title_of_several_films_that_are_all_over_the_limit_is_over_the_limit(refusal) -> None:
    assert {film["year"] for film in refusal(409, liked_movies=["Psycho"])["choices"]} == {1960, 1998}
    told = refusal(403, viewer="mia", liked_movies=["Psycho"])
    assert (told["title"], told["choices"]) == ("over the limit", [])
    assert refusal(404, viewer="mia", liked_movies=["Psychq"])["title"] == "no such film"


@pytest.mark.parametrize("field", BAD)
def test_no_field_takes_what_it_is_not(refusal, field: str) -> None:
    for value in BAD[field]:
        refusal(422, **{field: value})


@pytest.mark.parametrize("number", ["NaN", "1e400", "-Infinity", "9" * 5000])
def test_numbers_that_are_none_are_refused(api, number: str) -> None:
    for body in (
        f'{{"k": {number}}}',
        f'{{"ratings": {{"1": {number}}}}}',
        f'{{"filters": {{"least_stars": {number}}}}}',
        f'{{"user_id": {number}}}',
    ):
        got = api.post("/recommendations", content=body, headers=JSON)
        assert got.status_code in (400, 422), (body[:40], got.text)
        assert got.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("wild", WILD)
def test_hostile_words_are_titles_of_no_film_and_names_of_no_viewer(refusal, wild: str) -> None:
    said = refusal(404, liked_movies=[wild], exclude=[wild], ratings={wild: 5})
    assert len(said["errors"]) == 3
    refusal(404, viewer=wild)
    refusal(422, **{wild: 1})


def test_a_whole_number_may_be_written_with_a_point(ask) -> None:
    written = ask(k=3.0, liked_movies=[1.0], filters={"decade": 1990.0, "minutes": 120.0}, user_id=17.0, reasons=2.0)
    assert as_shown(written) == as_shown(ask(k=3, liked_movies=[1], filters={"decade": 1990, "minutes": 120}, user_id=17, reasons=2))


def test_half_a_character_is_none(refusal) -> None:
    for body in ({"user_id": "a\ud800"}, {"liked_movies": ["matirx\udfff"]}, {"\ud83c": 1}, {"ratings": {"\ud800": 5}}):
        refusal(400, **body)


def test_a_million_letters_are_too_many(api) -> None:
    assert api.post("/recommendations", json={"liked_movies": ["x" * 10**6]}).status_code == 413


# ---- the short form, and several at once


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ({}, {}),
        ({"user_id": "vera", "time_of_day": "evening", "device": "tv", "k": 3}, {"user_id": "vera", "context": EVENING, "k": 3}),
        ({"model": "ease", "genre": "war", "minutes": 120}, {"model": "ease", "filters": {"genre": "War", "minutes": 120}}),
        ({"user_id": "vera", **FILTERS}, {"user_id": "vera", "filters": FILTERS}),
    ],
)  # fmt: skip
def test_the_short_form_gives_the_same_answer(api, ask, query: dict, body: dict) -> None:
    short, long = api.get("/api/recommend", params=query).json(), ask(**body)
    for made in (short, long):
        del made["metadata"]["request_id"], made["metadata"]["inference_time_ms"]
    assert short == long


def test_the_short_form_refuses_in_its_own_words(api) -> None:
    for query in ("user_id=A%20B", "k=0", "k=101", "k=ten", "time_of_day=noon", "device=radio", "genre=Drma", "minutes=0", "user_id="):
        got = api.get(f"/api/recommend?{query}")
        assert got.status_code == 422, got.text
        assert got.json()["errors"][0]["where"] == f"query.{query.partition('=')[0]}"


def test_answers_for_several_at_once_do_not_mix(ask) -> None:
    asked = [
        {"user_id": name, "k": k, "liked_movies": liked, "reasons": 2}
        for name, k, liked in (("sam", 5, []), ("vera", 6, []), ("mia", 7, []), ("kenji", 5, [1]), ("vera", 6, [1, 608]), ("jonas", 4, []))
    ]
    alone = [(as_shown(ask(**body)), body) for body in asked]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda body: ask(**body), asked * 4))
    for n, made in enumerate(together):
        shown, body = alone[n % len(asked)]
        assert as_shown(made) == shown
        assert made["metadata"]["viewer"]["id"] == body["user_id"]


def test_a_stranger_who_clicked_is_known_though_no_taste_is(ask, desk) -> None:
    desk.feedback.add([Event("clicked-once", "click", 1, id="c")])
    desk.feedback.add([Event("only-simulated", "click", 1, id="c", simulated=True)])
    made = ask(user_id="clicked-once")["metadata"]
    assert made["viewer"]["known"] == "feedback"
    assert "nothing of a taste" in made["notes"][0]
    assert ask(user_id="only-simulated")["metadata"]["viewer"]["known"] == "nobody"
    for name in ("clicked-once", "only-simulated"):
        desk.feedback.forget(name)
