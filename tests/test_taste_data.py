"""The map, the lists, the data and people's own viewers: what is drawn, what a click stores, what is left after all of it is taken back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import numpy as np
import pytest
from apps import act, again, opened, silent, told, views
from streamlit.testing.v1 import AppTest

from recommender.catalog import Catalog
from recommender.load import read_films
from recommender.serve import arrivals, history
from recommender.serve.events import Event, note_of
from recommender.serve.feedback import Feedback, FeedbackError
from recommender.serve.service import Service
from recommender.serve.viewers import Viewer
from recommender.settings import settings
from recommender.types import Context, Preferences, Profile
from recommender.ui import desk

pytestmark = pytest.mark.usefixtures("forgotten")
ME = Viewer("me-0123456789ab", "Zoë <b>🎬</b>", "Likes Comedy", {"shape": "fox", "hue": 212}, Profile(genres=("Comedy",)), None)


def page(viewer: str, section: str = "", **address: str) -> AppTest:
    return opened("taste" if section else None, **{"viewer": viewer, **({"taste": section} if section else {}), **address})


@pytest.fixture
def kept() -> Iterator[Feedback]:
    """The store of the app; nobody made a viewer before the test, nor after it."""
    feedback = Feedback.open(settings().database_url)
    _forget_all(feedback)
    yield feedback
    _forget_all(feedback)
    feedback.close()


def _forget_all(feedback: Feedback) -> None:
    for name in feedback.viewers(read_films(settings().films)):
        feedback.forget(name)


@pytest.fixture(scope="module")
def films() -> Catalog:
    return read_films(settings().films)


# -- the map --------------------------------------------------------------------------------------------------------------


def test_the_map_lights_what_the_viewer_said_and_places_the_first_row(service: Service) -> None:
    service.feedback.add([Event("vera", "dislike", 1), Event("vera", "watched", 2)])
    at = page("vera", "map")
    drawn, there = views(at)["tastemap"], views(at)["places"]
    on, person = set(there["ids"]), service.person("vera")
    seen = {int(service.catalog.ids[i]) for i in person.profile.items}
    assert {m["id"] for m in drawn["mine"]} == seen & on
    said = {m["id"]: (m["way"], m["said"]) for m in drawn["mine"]}
    assert (said[1], said[2]) == (("disliked", "Not for you"), ("soso", "You watched it"))
    rated = {int(service.catalog.ids[i]): s for i, s in zip(person.profile.items, person.profile.ratings)}
    ways = {film: "liked" if stars >= 4 else "disliked" if stars <= 2 else "soso" for film, stars in rated.items()}
    assert all(said[film][0] == ways[film] for film in said if film != 2)
    assert [p["rank"] for p in drawn["picks"]] == sorted(p["rank"] for p in drawn["picks"])
    assert not {p["id"] for p in drawn["picks"]} & seen
    assert sum(g["mine"] for g in drawn["groups"]) == len(drawn["mine"])
    assert sum(g["picks"] for g in drawn["groups"]) == len(drawn["picks"])


def test_every_film_lies_where_the_atlas_puts_it(service: Service) -> None:
    there, places = views(page("vera", "map"))["places"], service.atlas.places_
    items = [service.catalog.index(film) for film in there["ids"]]
    assert items == np.flatnonzero(service.atlas.known).tolist()
    got = np.stack([there["x"], there["y"]], axis=1) / there["grid"] * 2 - 1
    np.testing.assert_allclose(got, places[items], atol=1.1 / there["grid"])
    for n in (0, 500, 2000):
        named = [name for g, name in enumerate(there["names"]) if there["genres"][n] >> g & 1]
        assert tuple(named) == service.catalog.genres_of(items[n])


def test_a_childs_map_has_no_film_over_the_limit(service: Service) -> None:
    at = page("mia", "map")
    allowed = service.catalog.allowed("PG")
    assert all(allowed[service.catalog.index(film)] for film in views(at)["places"]["ids"])
    shown = views(at)["tastemap"]
    assert all(allowed[service.catalog.index(m["id"])] for m in shown["mine"] + shown["picks"])
    over = int(service.catalog.ids[~allowed][0])
    act(at, "mq_map", do="open", film=over)
    assert not at.get("dialog")


def test_filters_dim_what_does_not_fit(service: Service) -> None:
    assert views(page("vera", "map"))["tastemap"]["fits"] == ""
    at = page("vera", "map", decade="1940")
    there, fits = views(at)["places"], views(at)["tastemap"]["fits"]
    assert fits == "".join("1" if 1940 <= year < 1950 else "0" for year in there["years"])
    assert "1940s" in views(at)["tastemap"]["asked"]
    assert all(fits[there["ids"].index(p["id"])] == "1" for p in views(at)["tastemap"]["picks"])


def test_a_film_of_the_map_opens_and_the_line_on_quality_says_what_the_card_says(service: Service) -> None:
    at = page("vera", "map")
    act(at, "mq_map", do="open", film=1)
    assert len(at.get("dialog")) == 1
    card = json.loads((settings().artifacts / "atlas" / "card.json").read_text())["validation"]
    assert f"{card['nearest'] * card['kept']:.1f} are among the {card['nearest']}" in views(at)["tastemap"]["quality"]


# -- lists and history ----------------------------------------------------------------------------------------------------


def test_each_list_shows_its_films_the_latest_first_and_gives_them_back(kept: Feedback) -> None:
    kept.add([Event("vera", kind, film) for film, kind in ((1, "list"), (2, "list"), (3, "hide"), (4, "hide"), (5, "unuse"))])
    at = page("vera", "lists")
    shelf = views(at)["shelf"]
    assert ([f["id"] for f in shelf["films"]], [n for _, _, n in shelf["tabs"]]) == ([2, 1], [2, 2, 1, None])
    act(at, "mq_lists", do="off", film=2)
    assert list(kept.taste("vera").listed) == [1]
    act(at, "mq_lists", do="tab", tab="hide")
    assert [f["id"] for f in views(at)["shelf"]["films"]] == [4, 3]
    act(at, "mq_lists", do="all")
    assert kept.taste("vera").hidden == {}
    assert views(at)["shelf"]["empty"]["title"] == "Nothing is hidden"
    act(at, "mq_lists", do="tab", tab="unuse")
    act(at, "mq_lists", do="off", film=5)
    assert kept.taste("vera").unused == {}


def test_thirty_at_a_time(kept: Feedback, films: Catalog) -> None:
    kept.add([Event("vera", "list", int(film)) for film in films.ids[:70]])
    at = page("vera", "lists")
    assert (len(views(at)["shelf"]["films"]), views(at)["shelf"]["left"]) == (30, 40)
    act(at, "mq_lists", do="more")
    assert (len(views(at)["shelf"]["films"]), views(at)["shelf"]["left"]) == (60, 10)
    act(at, "mq_lists", do="tab", tab="hide")
    act(at, "mq_lists", do="tab", tab="list")
    assert len(views(at)["shelf"]["films"]) == 30


def test_the_history_undoes_one_thing_and_clicks_are_shown_when_asked_for(kept: Feedback) -> None:
    love, hide = Event("vera", "love", 1, row="because-2"), Event("vera", "hide", 3)
    kept.add([love, Event("vera", "click", 2), hide])
    at = act(page("vera", "lists"), "mq_lists", do="tab", tab="history")
    assert [line["text"] for line in views(at)["shelf"]["lines"]] == ["Hid it", "Loved it"]
    act(at, "mq_lists", do="undo", id=hide.id)
    assert kept.taste("vera").hidden == {}
    assert views(at)["shelf"]["lines"][0]["state"] == "taken back"
    act(at, "mq_lists", do="undo", id=hide.id)  # a second time there is nothing to take back
    assert len(kept.events("vera", ["undo"])) == 1
    act(at, "mq_lists", do="clicks")
    assert [line["text"] for line in views(at)["shelf"]["lines"]] == ["Hid it", "Opened it", "Loved it"]


@pytest.mark.parametrize(
    "what",
    [
        {"do": "off", "film": "x"}, {"do": "off", "film": 10**30}, {"do": "tab", "tab": "<b>"}, {"do": "undo", "id": "nobody"},
        {"do": "undo", "id": None}, {"do": "open", "film": -1}, {"do": "all", "film": 1}, {"do": 5}, {},
    ],
)  # fmt: skip
def test_clicks_with_nonsense_store_nothing(kept: Feedback, what: dict) -> None:
    kept.add([Event("vera", "hide", 3)])
    at = page("vera", "lists")
    before = len(kept.events("vera", [*history.TOLD]))
    act(at, "mq_lists", **what)
    assert len(kept.events("vera", [*history.TOLD])) == before
    assert views(at)["shelf"]["tab"] == "list"


def test_history_in_plain_words(films: Catalog) -> None:
    one = Event("vera", "rating", 1, stars=3.5, at=1, row="in-Comedy")
    two = Event("vera", "love", 1, at=2)
    three = Event("vera", "prefer", note=note_of(Preferences(adventure=0.5, genres=(("Comedy", 1.0),))), at=3)
    four = Event("vera", "list", 2, at=4, row="decade-1980")
    gone = Event("vera", "undo", target=four.id, at=5)
    note = {"import": "ab", "from": "imdb", "on": 6.0}
    came = [Event("vera", "rating", film, stars=4.0, at=0, note=note) for film in (3, 4)]
    back = Event("vera", "undo", target=came[0].id, at=7)
    told = history.lines([one, two, three, four, gone, *came, back], films)
    assert [(line.at, line.text, line.row, line.state, len(line.undo)) for line in told] == [
        (6.0, "Brought 2 films from IMDb, 1 of them stand", "", "stands", 1),
        (4, "Put it on the watch-list", "From the 1980s", "taken back", 0),
        (3, "Changed your settings; by hand then: adventure, genres", "", "stands", 1),
        (2, "Loved it", "", "stands", 1),
        (1, "Gave it ★ 3.5", "Popular in Comedy", "replaced", 1),
    ]


def test_rows_are_called_what_the_home_page_calls_them(service: Service) -> None:
    viewer = service.person("vera")
    plain = {"top": "your first row", "next": "What comes next"}
    for row in service.home(viewer, service.query(viewer, Context())).carousels:
        said = history.row(row.key, service.catalog)
        assert said, row.key
        if row.key.startswith(("because-", "in-", "decade-")) or row.key in ("gems", "short", "popular", "stars", "again", "unmapped"):
            assert said == row.title
        elif row.key in plain:
            assert said == plain[row.key]
    assert history.row(None, service.catalog) == history.row("because-999999", service.catalog) == history.row("x", service.catalog) == ""


# -- import, export, delete -----------------------------------------------------------------------------------------------

HEAD = "Date,Name,Year,Letterboxd URI,Rating"


def letterboxd(*rows: str) -> tuple[str, bytes, str]:
    return "ratings.csv", "\n".join([HEAD, *rows]).encode(), "text/csv"


BABE_AND_ALIEN = letterboxd("2024-05-02,Babe,1995,https://a,4.5", "2024-05-03,Alien,1979,https://b,1", "2024-05-04,Inception,2010,https://c,4")


def uploaded(at: AppTest, *files: tuple[str, bytes, str]) -> AppTest:
    at.file_uploader[0].set_value(list(files))
    return again(at)


def pressed(at: AppTest, key: str) -> AppTest:
    next(b for b in at.button if b.key and b.key.startswith(key)).click()
    return again(at)


def titles(kept: Feedback, films: Catalog, viewer: str) -> dict[str, float | None]:
    return {films.titles[films.index(film)]: opinion.stars for film, opinion in kept.taste(viewer).opinions.items()}


def test_nothing_is_stored_before_the_button_and_all_of_it_after(kept: Feedback, films: Catalog) -> None:
    at = uploaded(page("vera", "your-data"), BABE_AND_ALIEN)
    told = views(at)["arrivals"]
    assert told["head"] == "2 films found"
    assert (told["absent"], told["ends"]) == (["Inception (2010)"], "not in the catalogue, which ends in 2000")
    assert kept.events("vera", [*history.TOLD]) == []
    pressed(at, "mq_import_add")
    assert titles(kept, films, "vera") == {"Babe": 4.5, "Alien": 1.0}
    assert "arrivals" not in views(at)
    assert any("2 films from Letterboxd added" in h.proto.body for h in at.get("html"))


def test_the_same_file_again_has_nothing_to_add_and_the_import_is_undone_as_one(kept: Feedback, films: Catalog) -> None:
    kept.add([Event("vera", "like", 1)])
    before = kept.taste("vera")
    at = pressed(uploaded(page("vera", "your-data"), BABE_AND_ALIEN), "mq_import_add")
    uploaded(at, BABE_AND_ALIEN)
    assert [2, "stand already"] in views(at)["arrivals"]["sums"]
    assert next(b for b in at.button if b.key == "mq_import_add").disabled
    pressed(at, "mq_undo_")
    assert kept.taste("vera") == before
    assert not [b for b in at.button if b.key and b.key.startswith("mq_undo_")]


def test_undo_beside_the_first_row_after_an_import_takes_back_all_of_it(kept: Feedback) -> None:
    kept.add([Event("vera", "love", 1)])
    pressed(uploaded(page("vera", "your-data"), BABE_AND_ALIEN), "mq_import_add")
    act(page("vera", "rate-films"), "mq_taste_row", do="undo")
    assert list(kept.taste("vera").opinions) == [1]
    act(page("vera", "rate-films"), "mq_taste_row", do="undo")
    assert kept.taste("vera").opinions == {}


def test_a_person_says_which_film_is_meant(kept: Feedback, films: Catalog) -> None:
    at = uploaded(page("vera", "your-data"), letterboxd("2024-05-04,Hamlet,,https://c,3", "2024-05-04,Cinderella,,https://d,4"))
    asked = views(at)["arrivals"]["unclear"]
    hamlet = next(u for u in asked if u["title"] == "Hamlet")
    assert next(b for b in at.button if b.key == "mq_import_add").disabled
    wanted = hamlet["choices"][1]["id"]
    act(at, "mq_import", do="pick", place=hamlet["place"], film=wanted)
    act(at, "mq_import", do="pick", place=1 - hamlet["place"], film=None)
    for bad in ({"place": 99, "film": wanted}, {"place": hamlet["place"], "film": 1}, {"place": "x"}, {"place": None, "film": wanted}):
        act(at, "mq_import", do="pick", **bad)
    pressed(at, "mq_import_add")
    assert list(kept.taste("vera").opinions) == [wanted]


def test_a_child_is_brought_no_film_over_the_limit_nor_told_of_one(kept: Feedback, films: Catalog) -> None:
    at = uploaded(page("mia", "your-data"), BABE_AND_ALIEN)
    told = views(at)["arrivals"]
    assert [1, "over the limit of PG, left out"] in told["sums"]
    assert "Alien" not in json.dumps(told)
    pressed(at, "mq_import_add")
    assert list(titles(kept, films, "mia")) == ["Babe"]


@pytest.mark.parametrize(
    "content, said",
    [
        (b"%PDF-1.7 x", "a PDF"),
        (b"PK\x03\x04broken", "zip"),
        (b"a,b\n=1+1,2\n", "the columns are"),
        (b"\xff\xfe\x00", "Not read"),
        (b"[[[[", "no JSON"),
    ],
)
def test_a_file_that_is_no_export_is_refused_in_one_line(kept: Feedback, content: bytes, said: str) -> None:
    at = uploaded(page("vera", "your-data"), ("x.csv", content, "text/csv"))
    [line] = [e.value for e in at.error]
    assert said in line
    assert "arrivals" not in views(at)
    assert kept.events("vera", [*history.TOLD]) == []


def test_deleting_needs_the_name_and_leaves_nothing_of_a_demo_viewer(kept: Feedback) -> None:
    at = pressed(uploaded(page("vera", "your-data"), BABE_AND_ALIEN), "mq_import_add")
    for typed in ("", "vera"):  # not the name as it is written
        at.text_input(key="mq_forget_name").set_value(typed)
        pressed(at, "mq_forget")
        assert [w.value for w in at.warning] == ["Nothing was deleted: wanted the name as it is written, Vera."]
    assert kept.taste("vera").opinions
    at.text_input(key="mq_forget_name").set_value("Vera")
    pressed(at, "mq_forget")
    assert [e for e in kept.export("vera")["events"] if e["kind"] != "impression"] == []
    assert kept.taste("vera").opinions == {}
    assert "tastemap" not in views(at)
    assert next(b for b in at.button if b.key == "mq_switch")  # still watching


def test_an_own_viewer_deleted_is_no_more(kept: Feedback) -> None:
    kept.add_viewer(ME)
    kept.add([Event(ME.id, "love", 1)])
    at = page(ME.id, "your-data")
    at.text_input(key="mq_forget_name").set_value(ME.name)
    pressed(again(at), "mq_forget")
    assert "picker" in views(at)
    assert kept.export(ME.id) == {"viewer": ME.id, "person": None, "events": []}
    assert "picker" in views(page(ME.id))  # the link leads nowhere now


def test_the_files_of_an_import_say_what_the_store_holds(kept: Feedback) -> None:
    pressed(uploaded(page("vera", "your-data"), BABE_AND_ALIEN), "mq_import_add")
    rows = [row for row in csv.DictReader(io.StringIO(kept.export_csv("vera"))) if row["kind"] == "rating"]
    assert sorted(float(row["stars"]) for row in rows) == [1.0, 4.5]
    [one] = arrivals.imports(kept.events("vera"))
    assert {json.loads(row["note"])["import"] for row in rows} == {one.id}


# -- people's own viewers -------------------------------------------------------------------------------------------------


def test_own_viewers_stand_first_where_a_household_shares_the_app(kept: Feedback, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.add_viewer(ME)
    at = opened()
    drawn = views(at)["picker"]
    assert [v["name"] for v in drawn["own"]] == [ME.name]
    assert len(drawn["viewers"]) == 12
    act(at, "mq_who", do="pick", viewer=ME.id)
    assert "home" in views(again(at))


def test_elsewhere_only_the_link_leads_to_an_own_viewer(kept: Feedback, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.add_viewer(ME)
    service = desk.desk()
    monkeypatch.setattr(service, "settings", service.settings.model_copy(update={"household": False}))
    at = opened()
    assert views(at)["picker"]["own"] == []
    act(at, "mq_who", do="pick", viewer=ME.id)
    assert "picker" in views(again(at))
    assert "home" in views(page(ME.id))


def test_a_viewer_is_made_and_lands_on_the_taste_page(kept: Feedback, films: Catalog) -> None:
    at = opened()
    act(at, "mq_who", do="new")
    told(at, "mq_who", do="new")
    pressed(at, "mq_new_store")
    assert [e.value for e in at.error] == ["A name is wanted first."]
    assert not kept.viewers(films)
    told(at, "mq_who", do="new")
    at.text_input(key="mq_new_name").set_value("  李 <i>小龙</i>  ")
    at.toggle(key="mq_new_child").set_value(True)
    again(at)
    told(at, "mq_who", do="new")
    told(at, "mq_faces", shape="owl", hue=48)
    again(at)
    told(at, "mq_who", do="new")
    told(at, "mq_faces", shape="<b>", hue=9999)  # what no button says
    again(at)
    told(at, "mq_who", do="new")
    pressed(at, "mq_new_store")
    [made] = kept.viewers(films).values()
    assert (made.name, made.certificate, made.avatar) == ("李 <i>小龙</i>", "PG", {"shape": "owl", "hue": 48})
    assert made.id.startswith("me-")
    assert len(made.id) == 15
    silent(at, "mq_who")
    assert at.query_params["viewer"] in (made.id, [made.id])
    assert "places" not in views(at)
    assert at.button(key="mq_switch")


def test_a_store_that_goes_away_is_a_sign_with_a_way_to_try_again(kept: Feedback, monkeypatch: pytest.MonkeyPatch) -> None:
    service = desk.desk()

    def gone(*_: object) -> None:
        raise FeedbackError("the feedback database at db.example/films cannot be used: it is gone")

    at = page("vera")
    with monkeypatch.context() as patch:
        for name in ("version", "viewers", "events", "add"):
            patch.setattr(type(service.feedback), name, gone)
        again(at)
        assert any("The projector has stopped" in h.proto.body for h in at.get("html"))
        assert any("it is gone" in c.value for c in at.code)
        fresh = opened()
        assert not fresh.exception
        assert len(views(fresh)["picker"]["viewers"]) == 12
        assert any("cannot be read now" in w.value for w in fresh.warning)
    pressed(at, "mq_again")
    assert "home" in views(again(at))


def test_a_store_that_cannot_be_written_costs_the_part_that_wrote(kept: Feedback, monkeypatch: pytest.MonkeyPatch) -> None:
    service = desk.desk()
    kept.add([Event("vera", "hide", 3)])
    at = act(page("vera", "lists"), "mq_lists", do="tab", tab="hide")

    def full(*_: object) -> int:
        raise FeedbackError("the feedback database at x cannot be used: the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(service.feedback), "add", full)
        act(at, "mq_lists", do="off", film=3)
        assert any("The projector has stopped" in h.proto.body for h in at.get("html"))
    again(at)
    assert list(kept.taste("vera").hidden) == [3]
