"""The Taste page: what its views are given, what clicks store, that the first row follows, and that hostile clicks do nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from apps import act, again, opened, text, views
from hands import becomes
from streamlit.testing.v1 import AppTest
from walks import settled

from recommender.interview import PICK
from recommender.serve.costs import cost_of, costs
from recommender.serve.portrait import portrait
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.types import NO_PREFERENCES, Context, Preferences, Profile
from recommender.ui import desk, dialog, echo, tst_dials, tst_find, tst_profile, tst_rate, tst_row

pytestmark = pytest.mark.usefixtures("forgotten")
FIND, RATE, PROFILE = "find-your-taste", "rate-films", "your-taste"
few = settings().few_ratings


def page(viewer: str, section: str = "", **address: str) -> AppTest:
    return opened("taste", **{"viewer": viewer, "time": "evening", "device": "tv", **({"taste": section} if section else {}), **address})


def drawn(at: AppTest, name: str) -> bool:
    return any(json.loads(c.proto.json).get("view") == name for c in at.get("bidi_component") if c.proto.json)


def row(at: AppTest) -> list[int]:
    return [film["id"] for film in views(at)["firstRow"]["films"]]


def stored(viewer: str) -> Preferences:
    return desk.desk().feedback.taste(viewer).preferences


def said(viewer: str) -> dict[int, str]:
    return {film: opinion.kind for film, opinion in desk.desk().feedback.taste(viewer).opinions.items()}


@pytest.mark.parametrize("section", ["map", "lists", "your-data"])
@pytest.mark.parametrize("viewer", ["sam", "mia"])
def test_the_other_sections_stand_without_the_row(section, viewer):
    at = page(viewer, section)
    assert not drawn(at, "firstRow")
    assert not at.warning
    assert len(at.tabs) == 6


# -- find --------------------------------------------------------------------------------------------------------------


def test_a_new_viewer_begins_with_the_questions_and_one_who_rated_with_their_taste():
    assert drawn(page("sam"), "findTaste")
    assert drawn(page("vera"), "portraitOf")


def test_the_order_of_the_sections_does_not_change_under_the_hand():
    at = page("walter")  # 8 ratings, less than many
    for _ in range(settings().many_ratings - 8):
        at = act(at, tst_find.KEY, do="step", step="films")
        act(at, tst_find.KEY, do="answer", film=views(at)["findTaste"]["film"]["id"], mark="like")
    assert len(said("walter")) == settings().many_ratings - 8
    assert drawn(at, "findTaste")


def test_a_pick_is_a_setting_that_moves_the_row_and_a_second_tap_takes_it_back():
    at = page("sam")
    groups, before = views(at)["findTaste"]["groups"], row(at)
    assert len(groups) >= 12
    assert all(len(g["films"]) == tst_find.FACES and not g["on"] for g in groups)
    act(at, tst_find.KEY, do="group", group=groups[2]["number"])
    assert stored("sam").groups == ((groups[2]["number"], PICK),)
    assert [g["number"] for g in views(at)["findTaste"]["groups"] if g["on"]] == [groups[2]["number"]]
    assert row(at) != before
    moved = views(at)["firstRow"]
    assert moved["changed"].startswith("Of the first 20, ")
    assert any(film["move"] for film in moved["films"])
    assert any("of what you set by hand" in line for line in moved["panel"]["why"])
    act(at, tst_find.KEY, do="group", group=groups[2]["number"])
    assert stored("sam").groups == ()
    assert row(at) == before


def test_the_row_beside_is_the_first_row_of_home():
    at = page("sam")
    act(at, tst_find.KEY, do="group", group=views(at)["findTaste"]["groups"][5]["number"])
    beside = row(at)
    at.switch_page("pages/for_you.py")
    home = views(again(at))["home"]
    assert [film["id"] for film in home["rows"][0]["films"]][:10] == beside


@pytest.mark.parametrize("group", [999, -1, "0", None, [1]])
def test_a_group_that_is_none_is_not_stored(group):
    at = page("sam")
    act(at, tst_find.KEY, do="group", group=group)
    assert stored("sam") == NO_PREFERENCES


def test_an_answer_is_stored_another_film_is_asked_about_and_more_is_settled():
    at = act(page("sam"), tst_find.KEY, do="step", step="films")
    first = views(at)["findTaste"]
    assert first["progress"] == 0
    act(at, tst_find.KEY, do="answer", film=first["film"]["id"], mark="love")
    second = views(at)["findTaste"]
    assert said("sam") == {first["film"]["id"]: "love"}
    assert second["film"]["id"] != first["film"]["id"]
    assert 0 < second["progress"] < 1
    act(at, tst_find.KEY, do="answer", film=first["film"]["id"], mark="dislike")  # a click on a card that is gone
    assert said("sam") == {first["film"]["id"]: "love"}
    act(at, tst_find.KEY, do="answer", film=second["film"]["id"], mark="hate")
    assert views(at)["findTaste"]["film"] == second["film"]


def test_a_film_they_have_not_seen_is_not_stored_and_does_not_come_again():
    at = act(page("sam"), tst_find.KEY, do="step", step="films")
    asked = []
    for _ in range(4):
        now = views(at)["findTaste"]
        asked.append(now["film"]["id"])
        act(at, tst_find.KEY, do="answer", film=asked[-1], mark="unseen")
    assert len(set(asked)) == 4
    assert views(at)["findTaste"]["progress"] == 0
    assert said("sam") == {}
    assert views(at)["findTaste"]["answered"] == 4
    act(at, tst_find.KEY, do="back")
    assert views(at)["findTaste"]["film"]["id"] == asked[-1]


def test_the_last_answer_is_taken_back_here_and_beside_the_row():
    at = act(page("sam"), tst_find.KEY, do="step", step="films")
    first = views(at)["findTaste"]["film"]["id"]
    for key, what in ((tst_find.KEY, "back"), (tst_row.KEY, "undo")):
        act(at, tst_find.KEY, do="answer", film=first, mark="like")
        assert said("sam") == {first: "like"}
        act(at, key, do=what)
        assert said("sam") == {}
        now = views(at)["findTaste"]
        assert (now["film"]["id"], now["answered"]) == (first, 0)


def test_it_says_from_when_on_answers_make_the_row():
    at = act(page("sam"), tst_find.KEY, do="step", step="films")
    assert f"From {few} on, your own films make it: {few} to go." in views(at)["findTaste"]["way"]
    for _ in range(few):
        act(at, tst_find.KEY, do="answer", film=views(at)["findTaste"]["film"]["id"], mark="love")
    assert "your own films make your first row" in views(at)["findTaste"]["way"]
    before = row(at)
    act(at, tst_find.KEY, do="answer", film=views(at)["findTaste"]["film"]["id"], mark="dislike")
    assert row(at) != before


def test_a_child_is_asked_within_the_limit():
    at = page("mia", FIND)
    faces = [film["certificate"] for g in views(at)["findTaste"]["groups"] for film in g["films"]]
    assert set(faces) <= {"G", "PG"}
    act(at, tst_find.KEY, do="step", step="films")
    for _ in range(5):
        film = views(at)["findTaste"]["film"]
        assert film["certificate"] in ("G", "PG")
        act(at, tst_find.KEY, do="answer", film=film["id"], mark="unseen")


def test_enough_leads_to_the_rows():
    at = act(page("sam"), tst_find.KEY, do="enough")
    assert drawn(at, "home")


def test_without_the_atlas_the_page_says_so(monkeypatch):
    monkeypatch.setattr(desk.desk(), "atlas", None)
    at = page("sam")
    assert any("groups of films did not load" in i.value for i in at.info)
    assert row(at)


# -- rate --------------------------------------------------------------------------------------------------------------


def test_a_search_finds_and_stars_are_kept():
    at = act(page("sam", RATE), tst_rate.KEY, do="find", words="casablanca")
    film = views(at)["rateFilms"]["found"][0]
    assert (film["title"], film["stars"], film["seen"]) == ("Casablanca", None, False)
    act(at, tst_rate.KEY, do="rate", film=film["id"], stars=4.5)
    now = views(at)["rateFilms"]
    assert (now["found"][0]["stars"], [f["id"] for f in now["mine"]]) == (4.5, [film["id"]])
    act(at, tst_rate.KEY, do="mark", film=film["id"], mark="love")
    now = views(at)["rateFilms"]["mine"][0]
    assert (now["mark"], now["stars"], now["said"]) == ("love", None, "you love it")
    act(at, tst_rate.KEY, do="list", film=film["id"])
    act(at, tst_rate.KEY, do="hide", film=film["id"])
    now = views(at)["rateFilms"]["mine"][0]
    assert (now["listed"], now["hidden"]) == (True, True)


def test_newest_first_a_page_at_a_time():
    at = page("vera", RATE)
    now = views(at)["rateFilms"]
    n = len(desk.desk().person("vera").profile)
    assert (len(now["mine"]), now["total"], now["more"]) == (tst_rate.PAGE, n, min(tst_rate.PAGE, n - tst_rate.PAGE))
    act(at, tst_rate.KEY, do="find", words="casablanca")
    film = views(at)["rateFilms"]["found"][0]["id"]
    act(at, tst_rate.KEY, do="rate", film=film, stars=3)
    assert views(at)["rateFilms"]["mine"][0]["id"] == film
    act(at, tst_rate.KEY, do="more")
    now = views(at)["rateFilms"]
    assert (len(now["mine"]), now["more"]) == (now["total"], 0)


def test_what_was_said_is_removed_whole_and_put_back():
    at = act(page("sam", RATE), tst_rate.KEY, do="find", words="casablanca")
    film = views(at)["rateFilms"]["found"][0]["id"]
    for stars in (2, 3, 4):
        act(at, tst_rate.KEY, do="rate", film=film, stars=stars)
    act(at, tst_rate.KEY, do="remove", film=film)
    now = views(at)["rateFilms"]
    assert (now["mine"], now["removed"], said("sam")) == ([], "Casablanca", {})
    act(at, tst_rate.KEY, do="again")
    now = views(at)["rateFilms"]
    assert ([f["stars"] for f in now["mine"]], now["removed"], said("sam")) == ([4], None, {film: "rating"})


def test_a_film_the_viewer_came_with_is_not_used_any_more_and_used_again():
    at = page("vera", RATE)
    film = views(at)["rateFilms"]["mine"][0]
    assert (film["own"], film["said"], film["unused"]) == (False, "from the start", False)
    act(at, tst_rate.KEY, do="remove", film=film["id"])
    assert views(at)["rateFilms"]["mine"][0]["unused"]
    assert views(at)["rateFilms"]["removed"] == film["title"]
    assert film["id"] in desk.desk().feedback.taste("vera").unused
    act(at, tst_rate.KEY, do="reuse", film=film["id"])
    assert views(at)["rateFilms"]["mine"][0] == film
    assert views(at)["rateFilms"]["removed"] is None
    before = len(desk.desk().feedback.events("vera"))
    act(at, tst_rate.KEY, do="again")  # a click on a line that is gone
    assert len(desk.desk().feedback.events("vera")) == before


def test_nothing_over_the_limit_is_found_or_rated():
    at = act(page("mia", RATE), tst_rate.KEY, do="find", words="alien")
    found = views(at)["rateFilms"]
    assert {f["certificate"] for f in found["found"]} <= {"G", "PG"}
    assert "nothing stricter than PG" in found["line"]
    catalog = desk.desk().catalog
    act(at, tst_rate.KEY, do="rate", film=int(catalog.ids[catalog.named("Alien")]), stars=5)
    assert said("mia") == {}


@pytest.mark.parametrize("film", [10**9, -1, "x", None, [1], 1.5e300])
def test_a_film_that_is_none_is_not_rated(film):
    act(page("sam", RATE), tst_rate.KEY, do="rate", film=film, stars=5)
    assert said("sam") == {}


# -- your taste --------------------------------------------------------------------------------------------------------


def test_the_plot_shows_the_portrait():
    at = page("vera", PROFILE)
    service = desk.desk()
    viewer = service.person("vera")
    made = {t.subject: t for t in portrait(service.query(viewer, Context()).profile, service.catalog).genres}
    ordered, far = (sorted(made, key=key) for key in (lambda name: -made[name].difference, lambda name: -abs(made[name].difference)))
    first = views(at)["portraitOf"]
    assert [r["subject"] for r in first["rows"]] == [name for name in ordered if name in far[: tst_profile.AT_FIRST]]
    assert first["more"] == len(made) - tst_profile.AT_FIRST
    act(at, tst_profile.KEY, do="all", aspect="genres")
    rows = views(at)["portraitOf"]["rows"]
    assert [r["subject"] for r in rows] == ordered
    assert sum(r["share"] for r in rows) == pytest.approx(1)
    for r in rows:
        trait = made[r["subject"]]
        assert (r["films"], r["share"], r["usual"], r["sure"]) == (len(trait.films), trait.share, trait.usual, trait.sure)
    assert views(at)["portraitOf"]["reach"] >= max(r["share"] for r in rows)


@pytest.mark.parametrize("aspect", list(tst_profile.ASPECTS))
def test_every_aspect_is_drawn_and_opens_its_films(aspect):
    at = page("vera", PROFILE, of=aspect)
    shown = views(at)["portraitOf"]
    assert shown["aspect"] == aspect
    subject, films = next((r["subject"], r["films"]) for r in shown["rows"] if r["films"])
    act(at, tst_profile.KEY, do="evidence", aspect=aspect, subject=subject)
    shown = views(at)["portraitOf"]
    assert (shown["open"], len(shown["films"])) == (subject, films)
    act(at, tst_profile.KEY, do="evidence", aspect=aspect, subject=subject)
    assert views(at)["portraitOf"]["films"] == []


def test_an_empty_profile_says_so_and_can_still_be_steered():
    at = page("sam", PROFILE)
    assert "Nothing is known of this taste yet" in text(at)
    shown = views(at)["portraitOf"]
    assert all(r["share"] is None and r["usual"] >= 0 for r in shown["rows"])
    before = row(at)
    act(at, tst_profile.KEY, do="nudge", aspect="genres", subject="Western", points=2)
    assert stored("sam").genres == (("Western", 2.0),)
    assert row(at) != before


def test_a_nudge_moves_the_row_says_why_and_is_undone():
    at = page("vera", PROFILE)
    before = row(at)
    act(at, tst_profile.KEY, do="nudge", aspect="genres", subject="Sci-Fi", points=1.5)
    assert stored("vera").genres == (("Sci-Fi", 1.5),)
    assert next(r["points"] for r in views(at)["portraitOf"]["rows"] if r["subject"] == "Sci-Fi") == 1.5
    moved = views(at)["firstRow"]
    assert row(at) != before
    assert any("of what you set by hand" in line for line in moved["panel"]["why"])
    act(at, tst_row.KEY, do="undo")
    assert stored("vera") == NO_PREFERENCES
    assert row(at) == before


@pytest.mark.parametrize(
    "what",
    [
        {"aspect": "genres", "subject": "Western", "points": 0.3},
        {"aspect": "genres", "subject": "Western", "points": 5},
        {"aspect": "genres", "subject": "Nonsense", "points": 1},
        {"aspect": "people", "subject": "Western", "points": 1},
        {"aspect": "__class__", "subject": "Western", "points": 1},
        {"aspect": "decades", "subject": "1990", "points": 1},
        {"aspect": "genres", "subject": ["Western"], "points": 1},
        {"aspect": "genres", "subject": "Western", "points": None},
    ],
)
def test_a_nudge_that_means_nothing_is_not_stored(what):
    act(page("vera", PROFILE), tst_profile.KEY, do="nudge", **what)
    assert stored("vera") == NO_PREFERENCES


def test_what_is_set_is_always_drawn():
    at = page("vera", PROFILE)
    drawn_at_first = [r["subject"] for r in views(at)["portraitOf"]["rows"]]
    rest = next(name for name in desk.desk().catalog.genre_names if name not in drawn_at_first)
    act(at, tst_profile.KEY, do="nudge", aspect="genres", subject=rest, points=-0.5)
    shown = {r["subject"]: r["points"] for r in views(at)["portraitOf"]["rows"]}
    assert shown[rest] == -0.5
    assert len(shown) == tst_profile.AT_FIRST


def test_a_person_is_switched_off_and_on():
    at = page("vera", PROFILE, of="people")
    person = views(at)["portraitOf"]["rows"][0]["subject"]
    before = row(at)
    act(at, tst_profile.KEY, do="person", subject=person)
    assert stored("vera").without == (person,)
    assert next(r["off"] for r in views(at)["portraitOf"]["rows"] if r["subject"] == person)
    assert row(at) != before
    act(at, tst_profile.KEY, do="person", subject=person)
    assert stored("vera").without == ()
    for nobody in ("Nobody At All", ["x"], None):
        act(at, tst_profile.KEY, do="person", subject=nobody)
    assert stored("vera").without == ()


def test_the_headline_names_only_what_is_beyond_chance():
    service = desk.desk()
    made = portrait(service.person("vera").profile, service.catalog)
    head, line = tst_profile.headline(made)
    assert head.startswith("More ")
    assert head.endswith("than the average viewer")
    assert f"{made.n} films" in line
    calm = replace(made, genres=tuple(replace(t, noise=1.0) for t in made.genres), decades=())
    assert tst_profile.headline(calm)[0].startswith("In genres and decades like the average viewer")


# -- dials -------------------------------------------------------------------------------------------------------------


def test_the_sliders_are_stored_and_their_cost_is_that_of_the_report():
    at = page("vera", PROFILE)
    at.select_slider(key="mq_tst_adventure").set_value(0.5)
    again(at)
    assert stored("vera") == Preferences(adventure=0.5)
    found = cost_of(costs(settings().artifacts / "reports"), Preferences(adventure=0.5), "hybrid", settings().diversity)
    assert found is not None
    assert f"on {found.n:,} viewers" in text(at)
    assert f"films with {found.raters:,.0f} raters instead of {found.own_raters:,.0f}" in text(at)
    assert "measured at this place" in text(at)
    at.select_slider(key="mq_tst_variety").set_value(0.8)
    again(at)
    assert stored("vera") == Preferences(adventure=0.5, variety=0.8)
    assert "nearest measured place: adventure 0, variety 0.7" in text(at)  # .8 was not measured
    assert "Both together" in text(at)
    at.button(key="mq_tst_reset").click()
    again(at)
    assert stored("vera") == NO_PREFERENCES
    assert (at.select_slider(key="mq_tst_adventure").value, at.select_slider(key="mq_tst_variety").value) == (0.0, "usual")
    assert at.button(key="mq_tst_reset").disabled


def test_a_value_from_before_a_reset_that_took_long_is_no_new_one(monkeypatch):
    """A browser sends all its sliders with every click: what it sent before it had heard of the reset is not what anybody chose after it."""
    now = [0.0]
    monkeypatch.setattr(echo, "time", SimpleNamespace(monotonic=lambda: now[0]))
    at = page("vera", PROFILE)
    at.select_slider(key="mq_tst_adventure").set_value(0.5)
    again(at)
    draw = tst_dials.draw
    with monkeypatch.context() as slow:
        slow.setattr(tst_dials, "draw", lambda frame: (draw(frame), now.append(now.pop() + 60)))
        at.button(key="mq_tst_reset").click()
        again(at)
    at.select_slider(key="mq_tst_adventure").set_value(0.5)
    at.toggle(key="mq_tst_seen").set_value(True)
    again(at)
    assert stored("vera") == Preferences(seen=True)
    assert at.select_slider(key="mq_tst_adventure").value == 0.0
    now[0] += echo.LATE
    at.select_slider(key="mq_tst_adventure").set_value(0.5)
    again(at)
    assert stored("vera") == Preferences(seen=True, adventure=0.5)


def test_without_the_report_no_cost_is_claimed(monkeypatch, tmp_path):
    monkeypatch.setattr(desk.desk(), "settings", settings().model_copy(update={"artifacts": tmp_path}))
    at = page("vera", PROFILE)
    at.select_slider(key="mq_tst_adventure").set_value(1.0)
    drawn = " ".join(str(e.proto.body) for e in again(at).get("html"))
    assert "was not measured here" in drawn
    assert "NDCG" not in drawn


def test_switches_and_the_model_of_the_first_row():
    at = page("vera", PROFILE)
    seen = {int(desk.desk().catalog.ids[i]) for i in desk.desk().person("vera").profile.items}
    assert not seen & set(row(at))
    at.toggle(key="mq_tst_seen").set_value(True)
    again(at)
    assert stored("vera").seen
    assert seen & set(row(at))
    at.toggle(key="mq_tst_listed").set_value(True)
    again(at)
    assert not stored("vera").listed
    at.selectbox(key="mq_tst_model").set_value("popularity")
    again(at)
    assert stored("vera").model == "popularity"
    assert views(at)["firstRow"]["why"].startswith("Ranked by one model, as you asked")


def test_a_model_of_the_address_is_not_stored_with_a_nudge():
    at = page("vera", PROFILE, model="als")
    act(at, tst_profile.KEY, do="nudge", aspect="decades", subject=1950, points=-1)
    assert stored("vera") == Preferences(decades=((1950, -1.0),))
    assert any("In this visit the sidebar has the first row made by" in c.value for c in at.caption)


# -- the row beside ----------------------------------------------------------------------------------------------------


def test_what_is_shown_is_stored_once_and_a_click_carries_its_place_here():
    at = page("vera", PROFILE)
    again(at)
    store = desk.desk().feedback
    here = [e for e in store.events("vera", ["impression"]) if e.row == "taste"]
    assert [e.film for e in here] == row(at)
    assert [e.position for e in here] == list(range(len(here)))
    film = row(at)[3]
    act(at, tst_row.KEY, do="open", film=film)
    (click,) = store.events("vera", ["click"])
    assert (click.film, click.row, click.position, click.recommendation) == (film, "taste", 3, here[0].recommendation)
    assert views(at)["film"]["film"]["id"] == film


def test_what_was_said_as_the_dialog_closed_is_kept():
    at = page("mia")
    film = row(at)[0]
    act(at, dialog.KEY, do="rate", film=film, stars=4)
    assert not at.get("dialog")
    assert said("mia")[film] == "rating"


def test_another_viewer_sees_no_moves_of_the_last_one():
    at = page("vera", PROFILE)
    act(at, tst_profile.KEY, do="nudge", aspect="genres", subject="War", points=2)
    at.query_params["viewer"] = "sam"
    at.session_state["mq_viewer"] = "sam"
    now = views(again(at))["firstRow"]
    assert (now["changed"], now["moved"], now["panel"]) == ("", False, None)
    assert now["title"] == "Top picks for Sam"


def test_shares_of_hundreds_of_films_sum_to_one(service: Service):
    rng = np.random.default_rng(0)
    items = rng.choice(len(service.catalog), 600, replace=False)
    profile = Profile(items, rng.integers(1, 6, 600), np.zeros(600))
    made = portrait(profile, service.catalog, np.where(service.atlas.known, service.atlas.group_, -1))
    for aspect in ("genres", "decades", "groups", "bands"):
        assert sum(t.share for t in getattr(made, aspect)) == pytest.approx(1)


# -- in a browser ------------------------------------------------------------------------------------------------------


ROW = "[...document.querySelectorAll('.mq-ten .mq-card')].map(c => c.dataset.film).join()"


@pytest.mark.browser
def test_a_new_viewer_gets_from_nothing_to_a_list_of_their_own_by_keyboard(page, app_url):
    page.goto(app_url + "/?viewer=sam")
    page.locator(".mq-card .mq-art").first.wait_for(timeout=90_000)  # the server may still be opening the house
    page.get_by_role("link", name="Taste").click()
    page.locator(".mq-kind").first.wait_for()
    page.locator(".mq-ten .mq-card").first.wait_for()
    settled(page)
    before = page.evaluate(ROW)
    top = page.evaluate("document.querySelector('.mq-kind').getBoundingClientRect().top")
    page.locator(".mq-kind").nth(2).focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"before => {ROW} !== before", arg=before)
    settled(page)
    page.locator('.mq-kind[aria-pressed="true"]').wait_for()
    page.wait_for_function("document.activeElement?.classList.contains('mq-kind')")
    assert page.evaluate("document.querySelector('.mq-kind').getBoundingClientRect().top") == top  # nothing jumps
    picked = page.evaluate(ROW)
    page.get_by_role("button", name="Next: a few films").click()
    for n in range(few + 1):
        film = page.locator(".mq-quiz").get_attribute("data-film")
        page.wait_for_function("document.activeElement?.dataset.mark")  # the hand stays on the answers
        page.keyboard.press("1")
        page.wait_for_function("film => document.querySelector('.mq-quiz:not(.mq-busy)')?.dataset.film !== film", arg=film)
        page.wait_for_function("n => document.querySelector('.mq-steps button[aria-current] span')?.textContent === `${n} answered`", arg=n + 1)
    becomes(page, lambda page: page.evaluate(ROW), lambda row: row != picked)
    settled(page)
    assert float(page.locator('[role="progressbar"]').get_attribute("aria-valuenow")) > 20
    beside = page.evaluate(ROW).split(",")
    page.get_by_role("button", name="That is enough").click()
    page.locator(".mq-rows .mq-row .mq-card").first.wait_for()
    settled(page)
    assert page.locator(".mq-rows .mq-row").first.locator(".mq-card").evaluate_all("cards => cards.map(c => c.dataset.film)")[:10] == beside
    assert [c for c in page.complaints if "404" not in c] == []
