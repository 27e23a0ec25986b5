"""The app without a browser: the frame, the picker, For you, the dialog, every page, and hostile addresses."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from apps import act, again, opened, views, where
from streamlit.testing.v1 import AppTest

from recommender.serve.service import Service
from recommender.settings import settings
from recommender.ui import desk, state, words

pytestmark = pytest.mark.usefixtures("forgotten")
ROOT = Path(__file__).resolve().parents[1]
PAGES = ("compare", "context", "taste", "evaluation", "experiments", "system")


def ids(rows: list[dict]) -> list[int]:
    return [film["id"] for row in rows for film in row["films"]]


def test_nobody_is_watching_yet():
    at = opened()
    people = views(at)["picker"]["viewers"]
    assert len(people) == 12
    assert all(p["face"].startswith("data:image/svg+xml;base64,") for p in people)
    assert "home" not in views(at)


def test_the_picker_leads_to_the_rows():
    at = opened()
    act(at, "mq_who", do="pick", viewer="vera")
    home = views(again(at))["home"]
    assert len(home["rows"]) >= 10
    assert home["hero"] == home["rows"][0]["films"][0]
    assert all(film["sentence"] for row in home["rows"] for film in row["films"])
    assert where(at, "viewer") == "vera"


def test_no_film_stands_twice():
    shown = ids(views(opened(viewer="vera"))["home"]["rows"])
    assert len(shown) == len(set(shown))


def test_a_childs_page_keeps_the_limit():
    home = views(opened(viewer="mia"))["home"]
    assert {film["certificate"] for row in home["rows"] for film in row["films"]} <= {"G", "PG"}


def told_all(at: AppTest) -> AppTest:
    """With every signal told to the models, also those that are switched off."""
    for signal in ("time_of_day", "device"):
        at.session_state[f"mq_anyway_{signal}"] = True
    return again(at)


def test_another_hour_moves_the_films_and_says_so():
    at = told_all(opened(viewer="vera", time="morning", device="mobile"))
    before = ids(views(at)["home"]["rows"])
    at.pills(key="mq_pick_time").set_value("night")
    again(at)
    at.pills(key="mq_pick_device").set_value("tv")
    home = views(again(at))["home"]
    assert ids(home["rows"]) != before
    assert home["changed"].startswith("Mobile → TV: ")
    assert where(at, "time") == "night"
    assert any("Chosen by you" in c.value for c in at.caption)


def test_an_address_that_lags_behind_a_click_does_not_undo_it():
    at = opened(viewer="Vera", time="Morning", device="mobile")
    assert where(at, "viewer") == "vera"
    at.pills(key="mq_pick_time").set_value("evening")
    again(at)
    at.query_params["time"] = "morning"  # what the browser still shows when the next click comes at once
    at.pills(key="mq_pick_device").set_value("tv")
    again(at)
    assert (where(at, "time"), where(at, "device")) == ("evening", "tv")


def test_reset_goes_back_to_the_browser():
    at = opened(viewer="vera", time="night")
    at.button(key="mq_reset_time").click()
    again(at)
    assert "time" not in at.query_params
    assert not any("Chosen by you" in c.value for c in at.caption)


def test_another_viewer_starts_without_the_genre_and_the_words_of_the_last():
    at = opened(viewer="vera")
    act(at, "mq_home", do="genre", genre="Western")
    act(at, "mq_home", do="find", words="Casablanca")
    at.button(key="mq_switch").click()
    again(at)
    act(at, "mq_who", do="pick", viewer="mia")
    home = views(again(at))["home"]
    assert (home["genre"], home["words"]) == (None, "")


def test_the_dialog_says_what_the_card_said():
    at = opened(viewer="vera")
    for number in (1, 4, 7):
        row = views(at)["home"]["rows"][number]
        film = row["films"][2]
        act(at, "mq_home", do="open", film=film["id"], row=row["key"])
        assert views(at)["film"]["film"]["sentence"] == film["sentence"]


def test_a_sentence_about_a_device_says_that_it_is_simulated():
    films = [f for name in ("vera", "amara") for r in views(opened(viewer=name, device="tv"))["home"]["rows"] for f in r["films"]]
    spoken = [f for f in films if f["sentence"].endswith(" on TV") or f["sentence"].endswith(" for TV")]
    assert all(f["simulated"] for f in spoken)
    assert not any(f["simulated"] for f in films if "TV" not in f["sentence"])


def test_the_sidebar_says_of_each_signal_what_it_is_and_whether_it_is_told():
    at = opened(viewer="vera", time="morning", device="tv")
    service = Service.open(settings())
    for verdict in service.verdicts(service.viewers["vera"]).values():
        head = f"**{verdict.source.capitalize()}, {'on' if verdict.on else 'off'}:** the models are {'' if verdict.on else 'not '}told;"
        said = [c.help for c in at.caption if c.value.startswith(head)]
        assert said == [words.md(verdict.why)]
        there = [t for t in at.toggle if t.key == f"mq_anyway_{verdict.signal}"]
        assert len(there) == (not verdict.on)  # what is off can be switched on all the same


def test_a_signal_that_is_not_told_moves_nothing_and_says_so():
    service = Service.open(settings())
    off = [v.signal for v in service.verdicts(service.viewers["vera"]).values() if not v.on]
    if "time_of_day" not in off:
        pytest.skip("the time of day is told to the models")
    at = opened(viewer="vera", time="morning", device="tv")
    before = ids(views(at)["home"]["rows"])
    at.pills(key="mq_pick_time").set_value("night")
    home = views(again(at))["home"]
    assert ids(home["rows"]) == before
    assert home["changed"].startswith("Morning → night: the models are not told")
    at.toggle(key="mq_anyway_time_of_day").set_value(True)
    assert ids(views(again(at))["home"]["rows"]) != before


def test_a_film_is_taken_out_of_all_reasoning_and_put_back():
    at = opened(viewer="vera")
    before = views(at)["home"]["rows"]
    row = next(row for row in before if row["source"])
    assert row["title"].startswith("Because you watched ")
    act(at, "mq_home", do="unuse", film=row["source"])
    home = views(at)["home"]
    title = row["title"].removeprefix("Because you watched ")
    assert home["unused"] == [{"id": row["source"], "title": title}]
    assert not any(title in other["title"] for other in home["rows"])
    assert not any(title in film["sentence"] for other in home["rows"] for film in other["films"])
    assert row["source"] not in ids(home["rows"])  # seen is seen
    act(at, "mq_home", do="reuse", film=row["source"])
    home = views(at)["home"]
    assert home["unused"] == []
    assert ids(home["rows"]) == ids(before)


def test_the_dialog_shows_both_ranks_and_one_click_keeps_the_promise():
    at = opened(viewer="vera")
    row = next(row for row in views(at)["home"]["rows"] if row["key"] == "short")
    film = row["films"][0]
    act(at, "mq_home", do="open", film=film["id"], row=row["key"])
    drawn = views(at)["film"]
    bar = next(bar for bar in drawn["reasons"] if bar["film"])
    now, then = re.fullmatch(r"Of all not seen number ([\d,]+); without it ([\d,]+)", bar["fall"]).groups()
    assert f"Number {now} of all films you have not seen" in drawn["place"]
    act(at, "mq_film_view", do="unuse", film=film["id"], other=bar["film"])
    drawn = views(at)["film"]
    assert [f["id"] for f in drawn["unused"]] == [bar["film"]]
    assert f"Number {then} of all films you have not seen" in drawn["place"]
    act(at, "mq_film_view", do="reuse", film=film["id"], other=bar["film"])
    assert f"Number {now} of all films you have not seen" in views(at)["film"]["place"]


def test_why_not_is_answered_in_the_dialog():
    at = opened(viewer="kenji", film="1676")  # Starship Troopers
    drawn = views(at)["film"]
    assert drawn["asked"] is None
    act(at, "mq_film_view", do="ask", film=1676)
    lines = views(at)["film"]["asked"]
    assert any(re.fullmatch(r"Starship Troopers is number \d+ by score, of the \d+ films the row is chosen from\.", line) for line in lines)
    assert any(re.fullmatch(r".+, in place 10, has \d+(\.\d+)? points more\.", line) for line in lines)
    assert any("holds it back" in line for line in lines)
    assert any(line.startswith("If you gave ") for line in lines)
    act(at, "mq_film_view", do="list", film=1676)
    assert views(at)["film"]["asked"] == lines  # another click does not lose the answer
    act(at, "mq_film_view", do="mark", film=1676, mark="like")
    assert views(at)["film"]["asked"] is None  # but a film that is rated stands elsewhere


def test_limits_for_tonight_hold_and_stand_in_the_address():
    at = opened(viewer="vera")
    at.selectbox(key="mq_limit_minutes").set_value("95")
    again(at)
    at.selectbox(key="mq_limit_colour").set_value("only")
    rows = views(again(at))["home"]["rows"]
    assert (where(at, "minutes"), where(at, "colour")) == ("95", "only")
    assert rows
    assert all(0 < film["minutes"] <= 95 for row in rows for film in row["films"])
    at = opened(viewer="vera", minutes="30", limit="g")
    assert views(at)["home"]["empty"]["line"].startswith("Nothing is left of films of at most 30 minutes, G or milder.")
    assert where(opened(viewer="mia", limit="r"), "limit") == "r"
    assert all(film["certificate"] in ("G", "PG") for row in views(opened(viewer="mia", limit="r"))["home"]["rows"] for film in row["films"])


def test_switch_goes_back_to_the_picker():
    at = opened(viewer="vera")
    at.button(key="mq_switch").click()
    assert "picker" in views(again(at))
    assert "viewer" not in at.query_params


def test_a_card_opens_the_dialog():
    at = opened(viewer="vera")
    film = views(at)["home"]["rows"][2]["films"][3]
    act(at, "mq_home", do="open", film=film["id"])
    assert len(at.get("dialog")) == 1
    drawn = views(at)["film"]
    assert drawn["film"]["title"] == film["title"]
    assert drawn["reasons"]
    assert drawn["similar"]
    assert where(at, "film") == str(film["id"])


def test_what_is_said_of_a_film_is_kept_and_hiding_removes_it():
    at = opened(viewer="vera")
    film = views(at)["home"]["rows"][0]["films"][0]["id"]
    at = opened(viewer="vera", film=str(film))
    act(at, "mq_film_view", do="mark", film=film, mark="love")
    assert views(at)["film"]["mark"] == "love"
    act(at, "mq_film_view", do="list", film=film)
    act(at, "mq_film_view", do="hide", film=film)
    home = views(again(at))["home"]
    assert film not in ids(home["rows"])
    assert home["taste"]["list"] == [film]
    assert home["taste"]["marks"] == {str(film): "love"}


def test_an_act_that_is_told_again_is_heard_once_and_none_is_passed_over():
    film = views(opened(viewer="vera"))["home"]["rows"][0]["films"][0]["id"]
    at = opened(viewer="vera", film=str(film))
    on, love = {"do": "list", "film": film, "nth": 7}, {"do": "mark", "film": film, "mark": "love", "nth": 9}
    for told in ([on], [on, love], [on, love], "acts", [5, {}, {"do": "list", "film": film}, {"do": "list", "film": film, "nth": "9"}], [love, on]):
        at.session_state["mq_film_view"] = {"acts": told}
        again(at)
    assert (views(at)["film"]["listed"], views(at)["film"]["mark"]) == (True, "love")
    off = {"do": "list", "film": film, "nth": 10}
    at.session_state["mq_film_view"] = {"acts": [on, love, off, {**on, "nth": 11}, {**on, "nth": 12}]}  # three presses before one answer
    again(at)
    assert (views(at)["film"]["listed"], views(at)["film"]["mark"]) == (False, "love")


def test_what_was_said_as_the_dialog_closed_is_kept():
    at = opened(viewer="vera")
    film = views(at)["home"]["rows"][0]["films"][0]["id"]
    act(at, "mq_film_view", do="rate", film=film, stars=4)
    assert not at.get("dialog")
    assert views(opened(viewer="vera", film=str(film)))["film"]["stars"] == 4


def test_search_forgives_typing_errors():
    at = opened(viewer="vera")
    act(at, "mq_home", do="find", words="Casablanka")
    assert views(at)["home"]["found"]["films"][0]["title"] == "Casablanca"
    act(at, "mq_home", do="find", words="qqqqxxzz")
    assert "qqqqxxzz" in views(at)["home"]["empty"]["title"]


def test_a_genre_filters_the_rows():
    at = opened(viewer="vera")
    act(at, "mq_home", do="genre", genre="Western")
    rows = views(at)["home"]["rows"]
    assert rows
    assert all("Western" in film["genres"] for row in rows for film in row["films"])
    act(at, "mq_home", do="genre", genre="<script>")
    assert views(at)["home"]["genre"] is None


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_inside_the_frame(page):
    at = opened(viewer="vera")
    at.switch_page(f"pages/{page}.py")
    again(at)
    assert at.button(key="mq_switch")


@pytest.mark.parametrize("page", [*PAGES, "for_you"])
def test_every_page_opens_alone(page):
    at = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=60).run()
    assert not at.exception


@pytest.mark.parametrize("bad", ["", "nobody", "<script>alert(1)</script>", "ml-99999", "ml--1", "../../etc/passwd", "ml-1; drop", "%00", "ml-٣"])
def test_hostile_addresses_are_dropped(bad):
    at = opened(viewer=bad, time=bad, device=bad, film=bad)
    assert "picker" in views(at)
    at = opened(viewer="vera", time=bad, device=bad, film=bad, minutes=bad, limit=bad, colour=bad)
    assert len(views(at)["home"]["rows"]) >= 10
    assert not at.get("dialog")
    assert set(at.query_params) == {"viewer"}


def test_clicks_with_nonsense_change_nothing():
    at = opened(viewer="vera")
    for nonsense in ({"do": "open", "film": "x"}, {"do": "open", "film": 10**30}, {"do": "open"}, {"do": "list", "film": None}, {"do": 5}, {}):
        act(at, "mq_home", **nonsense)
        assert not at.get("dialog")
    for nonsense in ({"do": "unuse", "film": "x"}, {"do": "unuse", "film": 10**30}, {"do": "reuse", "film": 1}, {"do": "unuse"}):
        act(at, "mq_home", **nonsense)
        assert views(at)["home"]["unused"] == []
    at = opened(viewer="vera", film="1320")
    for nonsense in ({"do": "unuse", "film": 1320, "other": "<b>"}, {"do": "ask", "film": 5}, {"do": "unuse", "film": 1320}, {"do": "ask"}):
        act(at, "mq_film_view", **nonsense)
        assert views(at)["film"]["unused"] == []
        assert views(at)["film"]["asked"] is None


@pytest.mark.parametrize(
    "agent, device",
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148", "mobile"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140 Mobile Safari/537.36", "mobile"),
        ("Mozilla/5.0 (Linux; Android 15; SM-X910) Chrome/140 Safari/537.36", "tablet"),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X)", "tablet"),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 8.0)", "tv"),
        ("Mozilla/5.0 (Linux; Android 12; BRAVIA 4K)", "tv"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140 Safari/537.36", "desktop"),
        ("", None),
    ],
)
def test_the_device_is_read_from_the_browser(agent, device):
    assert state.device_of(agent) == device


def test_parts_of_the_day():
    assert [state.part_of_day(h) for h in (0, 4, 5, 11, 12, 16, 17, 20, 21, 23)] == (
        ["night"] * 2 + ["morning"] * 2 + ["afternoon"] * 2 + ["evening"] * 2 + ["night"] * 2
    )


def test_titles_mean_nothing_to_markdown():
    assert words.md("M*A*S*H") == r"M\*A\*S\*H"
    assert words.md(":red[x] <b>") == r"\:red\[x\] \<b\>"


# -- what a viewer says and sets ---------------------------------------------------------------------------------------


def test_a_word_changes_the_rows_at_once_says_why_and_can_be_taken_back():
    at = opened(viewer="kenji")
    before = views(at)["home"]["rows"][0]["films"]
    assert views(at)["home"]["changes"] is None
    film = before[1]["id"]
    act(at, "mq_home", do="open", film=film)
    act(at, "mq_film_view", do="mark", film=film, mark="love")
    again(at)
    changes = views(at)["home"]["changes"]
    moved = int(re.match(r"(\d+) films? of your first row moved: ", changes["head"])[1])
    after = [f["id"] for f in views(at)["home"]["rows"][0]["films"]]
    old = [f["id"] for f in before]
    assert film not in after
    assert moved == sum(i not in after or after.index(i) != n for n, i in enumerate(old)) + sum(i not in old for i in after)
    assert any(f"you loved {before[1]['title']}" in line for line in changes["why"])
    left = next(f for f in changes["films"] if f["id"] == film)
    assert (left["from"], left["to"]) == (2, None)
    act(at, "mq_home", do="undo", id="a panel of before")
    assert [f["id"] for f in views(at)["home"]["rows"][0]["films"]] == after
    act(at, "mq_home", do="undo", id=changes["id"])
    assert [f["id"] for f in views(at)["home"]["rows"][0]["films"]] == old


def test_undo_takes_back_what_its_panel_tells_of_and_nothing_older(forgotten):
    """A word taken away and given again: the word of another film stands all the while."""
    at = opened(viewer="kenji")
    first, film = (f["id"] for f in views(at)["home"]["rows"][0]["films"][1:3])
    for of in (first, film):
        act(at, "mq_home", do="open", film=of)
        act(at, "mq_film_view", do="mark", film=of, mark="love")
    act(at, "mq_film_view", do="mark", film=film, mark=None)
    again(at)
    for marks in ({first, film}, {first}, {first, film}):
        changes = views(at)["home"]["changes"]
        act(at, "mq_home", do="undo", id=changes["id"])
        act(at, "mq_home", do="undo", id=changes["id"])  # a second click on the same panel
        assert set(views(at)["home"]["taste"]["marks"]) == {str(of) for of in marks}


def test_what_changed_is_gone_when_the_row_is_another_one(forgotten):
    at = opened(viewer="kenji")
    film = views(at)["home"]["rows"][0]["films"][1]["id"]
    act(at, "mq_home", do="open", film=film)
    act(at, "mq_film_view", do="mark", film=film, mark="love")
    again(at)
    assert views(at)["home"]["changes"]
    act(at, "mq_home", do="genre", genre="Comedy")
    assert views(at)["home"]["changes"] is None


def test_a_child_is_not_told_that_there_is_no_such_film():
    at = opened(viewer="mia")
    act(at, "mq_home", do="find", words="Pulp Fiction")
    line = views(at)["home"]["empty"]["line"]
    assert line.startswith("Among films up to PG there is none of that name")
    assert "catalogue" not in line


def test_stars_given_in_the_dialog_are_kept_over_visits():
    at = opened(viewer="vera", film="1214")
    act(at, "mq_film_view", do="rate", film=1214, stars=4.5)
    assert views(at)["film"]["stars"] == 4.5
    assert views(opened(viewer="vera", film="1214"))["film"]["stars"] == 4.5  # another visit
    at = opened(viewer="vera", film="1214")
    act(at, "mq_film_view", do="rate", film=1214, stars=None)
    assert views(opened(viewer="vera", film="1214"))["film"]["stars"] is None


@pytest.mark.parametrize("stars", [7, -1, 2.3, "x", [5], {"a": 1}, 1e308])
def test_stars_that_are_none_change_nothing(stars):
    at = opened(viewer="vera", film="1214")
    act(at, "mq_film_view", do="rate", film=1214, stars=stars)
    assert views(at)["film"]["stars"] is None


def test_a_link_restores_viewer_moment_model_and_filters():
    at = opened(viewer="vera", time="night", device="tv", model="ease", genre="comedy", decade="1980", stars="3.5", fame="known")
    home = views(at)["home"]
    assert (home["genre"], home["strategy"]["route"]) == ("Comedy", "single")
    first = home["rows"][0]
    assert first["name"] == "ease"
    assert {f["year"] // 10 for f in first["films"]} == {198}
    assert all("Comedy" in f["genres"] for f in first["films"])
    for name, value in {
        "model": "oracle",
        "genre": "polka",
        "decade": "1941",
        "stars": "9",
        "fame": "me",
        "with": "nobody",
        "how": "by force",
    }.items():
        assert where(opened(viewer="vera", **{name: value}), name) is None


def test_two_watch_together_within_both_limits():
    at = opened(viewer="kenji", **{"with": "mia"})
    found = views(at)["home"]["found"]
    assert found["title"] == "For Kenji and Mia"
    assert found["films"]
    for film in found["films"]:
        assert film["certificate"] in ("G", "PG")
        assert [name for name, _ in film["both"]] == ["Kenji", "Mia"]
        assert film["sentence"].startswith("Mia: ")  # Kenji's reasons may name films over her limit
    least = views(opened(viewer="kenji", how="least-misery", **{"with": "mia"}))["home"]["found"]
    assert [f["id"] for f in least["films"]] != [f["id"] for f in found["films"]]
    assert "least" in least["line"]
    assert "with" not in opened(viewer="kenji", **{"with": "kenji"}).query_params


def test_a_film_by_lot_tells_its_chance_and_is_none_of_the_page():
    at = opened(viewer="mia")
    page = ids(views(at)["home"]["rows"])
    act(at, "mq_home", do="lot")
    drawn = views(at)["film"]
    assert drawn["film"]["id"] not in page
    assert drawn["film"]["certificate"] in ("G", "PG")
    assert re.search(r"Drawn from \d+ films that fit; this one had a chance of 1 in \d+\.", drawn["odds"])


def test_a_store_that_ends_with_the_program_says_so(monkeypatch):
    at = opened(viewer="vera")
    assert not any("lost when the app ends" in w.value for w in at.warning)
    service = desk.desk()
    monkeypatch.setattr(service, "feedback", replace(service.feedback, passing=True))
    assert any("lost when the app ends" in w.value for w in opened(viewer="vera").warning)
