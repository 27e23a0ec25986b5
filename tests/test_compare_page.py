"""The Compare page: what its columns hold, what its address says, what is said where there is nothing, and that a blind vote is blind."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from apps import act, opened, text, views, where
from hands import becomes, drawn_alone, home
from streamlit.testing.v1 import AppTest
from walks import open_page

from recommender.compare import known, lists, votes
from recommender.compare.lists import HOME, Side
from recommender.compare.variants import Tuning
from recommender.compare.votes import Share, Tally
from recommender.serve.feedback import Event, Feedback, FeedbackError
from recommender.types import Context
from recommender.ui import cmp_charts, cmp_lists, cmp_overlap, cmp_vote, desk, dialog, words

NOW = Context("evening", "tv")


def page(**address: str) -> AppTest:
    return opened("compare", **{"viewer": "kenji", "time": "evening", "device": "tv", **address})


def sent(at: AppTest) -> str:
    """Everything that goes to the browser in this run."""
    return " ".join(str(element.proto) for element in at.main) + " ".join(str(e.proto) for kind in KINDS for e in at.get(kind))


KINDS = (
    "bidi_component", "html", "vega_lite_chart", "download_button", "caption", "button", "button_group", "alert", "markdown", "popover", "slider",
)  # fmt: skip


# -- the columns --------------------------------------------------------------------------------------------------------


def test_the_columns_hold_what_the_lists_are():
    drawn, service = views(page())["columns"], desk.desk()
    kenji = service.person("kenji")
    made = [lists.made(service, kenji, Side(name, NOW), 20) for name in (HOME, "ease", "sequence")]
    assert [(c["letter"], c["model"], c["n"]) for c in drawn["lists"]] == [("A", "home", 20), ("B", "ease", 20), ("C", "sequence", 20)]
    for n, of in enumerate(made):
        shown = sorted((f for f in drawn["films"] if f["ranks"][n]), key=lambda f: f["ranks"][n])
        assert [f["id"] for f in shown] == service.catalog.ids[of.items].tolist()
    figures = lists.figures(made, service.catalog, known.people(service))
    for column, f in zip(drawn["lists"], figures):
        said = {of["name"]: of["say"] for of in column["figures"]}
        assert said["Novelty"] == f"{f.novelty:.2f} bits"
        assert said["Popularity"] == f"{f.raters:,.0f} raters"
        assert said["Only here"] == f"{f.alone} of 20"
        assert said["Predicted"] == f"★ {f.stars:.2f}"
        assert said["Took just now"].endswith(" ms")
        assert "Found again" not in said


def test_the_headline_counts_what_is_shared():
    at = page()
    films = views(at)["columns"]["films"]
    everywhere = sum(all(f["ranks"]) for f in films)
    assert f"Three lists compared: {everywhere} of {len(films)} films stand on all of them" in text(at)


def test_a_click_changes_a_list_and_the_address_and_forgets_what_was_moved():
    at = page(**{"second": "pure-svd", "second-factors": "5", "second-variety": "0.4"})
    assert [c["say"] for c in views(at)["columns"]["lists"][1]["chips"]] == ["variety 0.4", "factors 5"]
    act(at, cmp_lists.KEY, do="pick", slot="second", model="item-knn")
    assert (where(at, "second"), where(at, "second-factors"), where(at, "second-variety")) == ("item-knn", None, None)
    assert views(at)["columns"]["lists"][1]["code"] == "item_knn"
    act(at, cmp_lists.KEY, do="pick", slot="second", model="ease")
    assert where(at, "second") is None  # the usual one needs no word


def test_lists_come_and_go():
    at = page()
    at.button(key="mq_cmp_add").click().run()
    assert [c["slot"] for c in views(at)["columns"]["lists"]] == ["first", "second", "third", "fourth"]
    assert not [b for b in at.button if b.key == "mq_cmp_add"]  # four is the most
    act(at, cmp_lists.KEY, do="remove", slot="third")
    assert [(c["letter"], c["slot"]) for c in views(at)["columns"]["lists"]] == [("A", "first"), ("B", "second"), ("C", "fourth")]
    act(at, cmp_lists.KEY, do="remove", slot="first")
    assert len(views(at)["columns"]["lists"]) == 3


@pytest.mark.parametrize(
    "act_", [{"do": "pick", "slot": "fifth", "model": "ease"}, {"do": "pick", "slot": "first", "model": "<b>"}, {"do": "keep", "slot": None}]
)
def test_a_click_that_means_nothing_changes_nothing(act_):
    at = page()
    before = views(at)["columns"]["films"]
    act(at, cmp_lists.KEY, **act_)
    assert views(at)["columns"]["films"] == before


def test_the_address_says_it_all():
    at = page(first="item-knn", second="item-knn", third="none", k="10", hidden="fifth", **{"second-neighbours": "2", "first-time": "morning"})
    drawn, service = views(at)["columns"], desk.desk()
    kenji = service.person("kenji")
    held = lists.held_out(kenji.profile)
    sides = (Side("item_knn", Context("morning", "tv")), Side("item_knn", NOW, Tuning(neighbours=2)))
    for n, side in enumerate(sides):
        made = lists.made(service, kenji, side, 10, held=held)
        assert [f["id"] for f in sorted((f for f in drawn["films"] if f["ranks"][n]), key=lambda f: f["ranks"][n])] == service.catalog.ids[
            made.items
        ].tolist()
    assert [c["say"] for c in drawn["lists"][0]["chips"]] == ["morning on TV"]
    assert (where(at, "k"), where(at, "hidden"), where(at, "second-neighbours")) == ("10", "fifth", "2")


@pytest.mark.parametrize("bad", ["", "<script>", "../..", "%00", "none", "999"])
def test_hostile_addresses_fall_back(bad):
    names = ("first", "second", "k", "hidden", "p", "see", "ballot", "pair", "first-time", "second-lambda", "first-variety", "second-adventure")
    at = page(third="none", **dict.fromkeys(names, bad))
    assert [(c["model"], c["n"]) for c in views(at)["columns"]["lists"]] == [("home", 20), ("ease", 20)]


def test_the_length_of_the_lists_is_moved():
    at = page()
    at.select_slider(key="mq_cmp_k_pick").set_value(5).run()
    assert [c["n"] for c in views(at)["columns"]["lists"]] == [5, 5, 5]
    assert where(at, "k") == "5"


# -- what is hidden, what is empty --------------------------------------------------------------------------------------


def test_hidden_ratings_that_are_found_again_are_marked():
    at = page(k="50")
    at.toggle(key="mq_cmp_hide").set_value(True).run()
    service = desk.desk()
    kenji = service.person("kenji")
    held = lists.held_out(kenji.profile)
    liked = {int(service.catalog.ids[i]) for i in held.liked}
    drawn = views(at)["columns"]
    assert {f["id"] for f in drawn["films"] if f["hit"]} == liked & {f["id"] for f in drawn["films"]} != set()
    found = [sum(bool(f["ranks"][n]) and bool(f["hit"]) for f in drawn["films"]) for n in range(3)]
    said = [next(of["say"] for of in c["figures"] if of["name"] == "Found again") for c in drawn["lists"]]
    assert [s.partition(" of ")[0] for s in said] == [str(n) for n in found]
    assert f"Hidden: the latest {held.hidden} of {len(kenji.profile)} ratings." in text(at)
    assert "No model was trained on any of these ratings" in text(at)


def test_what_may_not_be_shown_is_no_film_to_find_again():
    at, service = page(hidden="fifth", genre="comedy", k="50"), desk.desk()
    held, genres = lists.held_out(service.person("kenji").profile), service.catalog.genres
    comedies = genres[held.liked, service.catalog.genre("Comedy")] > 0
    assert 0 < comedies.sum() < len(comedies)
    said = next(of["say"] for of in views(at)["columns"]["lists"][0]["figures"] if of["name"] == "Found again")
    assert f" of {comedies.sum()}, recall" in said
    assert f"stars or more can be found again; {(~comedies).sum()} more may not be shown now" in text(at)
    assert "Kenji, evening on TV, Comedy · the first 50 films" in text(at)


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ({}, ""),
        ({"genre": "comedy"}, "what must be true of a film"),
        ({"decade": "1980", "second-variety": "0.4"}, "what is tuned and what must be true of a film"),
        ({"third-time": "morning", "model": "als"}, "the other moments and the model of this visit"),
    ],
)
def test_the_command_of_the_lists_says_what_it_leaves_out(address, left):
    said = text(page(**address))
    assert "worked out now · `python -m recommender compare home ease sequence --viewer kenji" in said
    assert ("shows the lists without" in said) == bool(left)
    assert left in said


def test_a_person_of_the_data_set_was_learned_from():
    if not desk.desk().dataset_users():
        pytest.skip("no data set")
    said = text(page(viewer="ml-17", hidden="fifth", third="user-knn"))
    assert "A and B learned from this person, hidden ratings included, so hits there prove little; C did not learn from this person." in said


def test_a_viewer_of_few_ratings_hides_none():
    at = page(viewer="jonas", hidden="fifth")
    assert at.toggle(key="mq_cmp_hide").disabled
    assert not any(f["hit"] for f in views(at)["columns"]["films"])


def test_a_model_without_a_word_to_say_says_so():
    at = page(viewer="sam")
    ease = views(at)["columns"]["lists"][1]
    assert ease["n"] == 0
    assert "tells no film from another for Sam" in ease["empty"]
    assert not ease["keep"]
    assert "Nothing to vote on: one of the two lists holds no film" in text(page(viewer="sam", see="blind-vote", pair="a-b")).replace("\\", "")


def test_another_lambda_without_the_data_set_is_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(type(desk.desk()), "interactions", property(lambda self: None))
    shown = views(page(**{"second-lambda": "100"}))["columns"]
    assert [c["say"] for c in shown["lists"][1]["chips"]] == ["as trained: another λ needs the data set"]
    assert shown["films"] == views(page())["columns"]["films"]


# -- how alike ----------------------------------------------------------------------------------------------------------


def test_the_matrices_are_named_in_words():
    at = page(see="how-alike", p="0.8")
    said = text(at)
    assert "share most" in said
    assert "p = .80: the reader goes on to the next place with chance p" in said
    alts = [c.proto.alt for c in at.get("vega_lite_chart")]
    assert len(alts) == 3
    assert all(alts)


def test_pairs_that_are_alike_to_the_same_degree_are_all_named():
    found = SimpleNamespace(columns=[SimpleNamespace(letter=letter) for letter in "ABC"])
    said = lambda ab, ac, bc: cmp_overlap._closest(np.array([[1, ab, ac], [ab, 1, bc], [ac, bc, 1]]), found, "none", "{pairs}: {x}")
    assert said(0.6, 0.6, 0.48) == "A and B, A and C: .60"
    assert said(0.1, 0.2, 0.3) == "B and C: .30"
    assert said(0, 0, 0) == "none"


def test_a_heat_map_holds_its_numbers():
    pairs = zip(itertools.product(("A x", "B y"), repeat=2), (1, 0.3, 0.3, 1))
    cells = pd.DataFrame([{"row": a, "column": b, "x": x, "said": f"{x:.2f}"} for (a, b), x in pairs])
    spec = cmp_charts.heat(cells, ["A x", "B y"])
    assert [v["said"] for v in spec["data"]["values"]] == ["1.00", "0.30", "0.30", "1.00"]


# -- the blind vote -----------------------------------------------------------------------------------------------------


@pytest.fixture
def booth(forgotten):
    """Nobody has voted yet."""
    return desk.desk()


@pytest.mark.parametrize("mode", votes.MODES)
def test_before_the_vote_nothing_sent_names_the_two(booth, mode):
    """Two lists drawn by lot: neither their names nor their codes reach the browser before the vote, and both do after it."""
    at = page(viewer="vera", see="blind-vote", pair="drawn", ballot=mode)
    before, drawn = sent(at), views(at)["ballot"]
    assert set(drawn) == {"view", "mode", "token", "lists"}
    assert all(set(film) == {"id", "title", "year", "genres", "certificate", "minutes"} for films in drawn["lists"] for film in films)
    names = [words.model(m) for m in booth.models if words.model(m) not in ("Popularity",)]
    assert not [name for name in names if name in before]
    answer = {"pick": 0} if mode == "lists" else {"ticked": [0, 3]}
    act(at, cmp_vote.KEY, do="vote", token=drawn["token"], **answer)
    revealed = views(at)["ballot"]
    assert all(name in sent(at) for name in revealed["names"])
    assert len(set(revealed["names"])) == 2


def test_the_sides_are_told_by_the_seed_alone(booth, monkeypatch):
    """With one secret or another the browser gets the same two lists, left and right or right and left, and nothing else that differs."""
    seen = {}
    for secret in range(12):
        monkeypatch.setattr(cmp_vote, "SECRET", bytes([secret]) * 16)
        drawn = views(page(see="blind-vote", pair="a-b"))["ballot"]
        token = drawn.pop("token")
        seen.setdefault(json.dumps(drawn), set()).add(token)
    assert len(seen) == 2
    assert len(set.union(*seen.values())) == 12  # a token says neither order nor names
    one, other = (json.loads(of) for of in seen)
    assert one["lists"] == other["lists"][::-1]


def test_a_reload_shows_the_same_ballot_until_the_vote(booth):
    first, again = (views(page(see="blind-vote", pair="a-b"))["ballot"] for _ in range(2))
    assert first == again


def test_a_vote_is_stored_with_its_order_and_seed_and_counted(booth):
    at = page(see="blind-vote", pair="a-b")
    drawn = views(at)["ballot"]
    act(at, cmp_vote.KEY, do="vote", token=drawn["token"], pick=1)
    (stored,) = booth.feedback.votes()
    assert (stored.viewer, stored.time_of_day, stored.device) == ("kenji", "evening", "tv")
    note = stored.note
    assert sorted(note["shown"]) == note["pair"] == ["ease", "home"]
    assert note["preferred"] == note["shown"][1]
    kenji = booth.person("kenji")
    right = lists.made(booth, kenji, Side(note["shown"][1], NOW), votes.SHOWN)
    assert [f["id"] for f in drawn["lists"][1]] == booth.catalog.ids[right.items].tolist()
    made = votes.ballot("lists", {name: lists.made(booth, kenji, Side(name, NOW), 10).items for name in note["pair"]}, note["seed"])
    assert list(made.shown) == note["shown"]  # the seed tells the order again
    assert views(at)["ballot"]["picked"] == 1
    assert "cannot be told apart yet" in text(at)


def test_of_one_ballot_in_two_windows_the_first_vote_stands_and_the_second_is_told(booth):
    one, other = (page(see="blind-vote", pair="a-b") for _ in range(2))
    token = views(one)["ballot"]["token"]
    act(one, cmp_vote.KEY, do="vote", token=token, pick=0)
    act(other, cmp_vote.KEY, do="vote", token=token, pick=1)
    (stored,) = booth.feedback.votes()
    assert stored.note["preferred"] == stored.note["shown"][0]
    assert not one.warning
    assert [w.value.replace("\\", "") for w in other.warning] == [
        "Not counted: these two lists were voted on before, in another window, and the first vote stands."
    ]


def test_two_lists_are_drawn_by_lot_unless_two_are_named_and_then_it_is_said_who_is_not_blind(booth):
    assert "Which two they are is drawn by lot, too." in text(page(see="blind-vote"))
    assert "Who has seen A and C above is not blind." in text(page(see="blind-vote", pair="a-c"))


def test_a_second_vote_on_the_same_lists_is_not_taken_for_blind(booth):
    at = page(see="blind-vote", pair="a-b")
    act(at, cmp_vote.KEY, do="vote", token=views(at)["ballot"]["token"], pick=None)
    assert "You saw no difference." in text(at)
    at.button(key="mq_cmp_next").click().run()
    assert "a second vote would not be blind" in text(at)
    assert "a second vote would not be blind" in text(page(see="blind-vote", pair="a-b", ballot="one"))
    assert views(page(see="blind-vote", pair="a-c"))["ballot"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "0" * 16, "pick": 0},
        {"pick": 0},
        {"token": True, "pick": 7},
        {"token": True, "pick": 1.0},
        {"token": True, "pick": True},
        {"token": True, "ticked": [0]},
    ],
)
def test_a_vote_that_belongs_to_no_open_ballot_is_not_stored(booth, wrong):
    at = page(see="blind-vote", pair="a-b")
    token = views(at)["ballot"]["token"]
    act(at, cmp_vote.KEY, do="vote", **{name: token if value is True else value for name, value in wrong.items()})
    assert not booth.feedback.votes()
    assert "names" not in views(at)["ballot"]


def test_a_vote_that_cannot_be_stored_says_so_and_still_reveals(booth, monkeypatch):
    def broken(self, said):
        raise FeedbackError("the disk is full")

    at = page(see="blind-vote", pair="a-b")
    monkeypatch.setattr(Feedback, "add", broken)
    act(at, cmp_vote.KEY, do="vote", token=views(at)["ballot"]["token"], pick=0)
    assert [w.value.replace("\\", "") for w in at.warning] == ["Not stored: the disk is full"]
    assert views(at)["ballot"]["names"]
    at.button(key="mq_cmp_next").click().run()
    assert "a second vote would not be blind" in text(at)


def test_votes_of_everybody_count(booth):
    for n, viewer in enumerate(("vera", "amara", "rosa", "freya", "leila", "mia", "walter")):
        note = {"mode": "lists", "pair": ["ease", "home"], "shown": ["ease", "home"], "preferred": "ease", "seed": n, "films": "x"}
        booth.feedback.add([Event(viewer, "vote", note=note)])
    at = page(see="blind-vote", pair="a-b")
    act(at, cmp_vote.KEY, do="vote", token=views(at)["ballot"]["token"], pick=None)
    assert "“People who watched the same films” is preferred to “Your Home list” beyond chance" in text(at)
    assert "1 vote saw no difference. By 8 viewers of this house" in text(at)


def test_the_rows_of_a_tally():
    found = Tally(("ease", "home"), {"lists": Share(3, 4, 0.3, 0.95), "one": Share(0, 0)}, {"lists": 1, "one": 0}, Share(5, 8), 3)
    rows = cmp_vote.shares(found, {"ease": "E", "home": "H"})
    assert rows["said"].tolist() == ["3 of 4 votes", "5 of 8 films"]
    assert rows["span"].tolist() == ["30% to 95%", "–"]
    assert np.isnan(rows["lo"][1])


# -- the way home -------------------------------------------------------------------------------------------------------


def test_the_model_one_prefers_makes_the_first_row(booth):
    at = page(third="als")
    act(at, cmp_lists.KEY, do="keep", slot="third")
    kenji = booth.person("kenji")
    assert kenji.preferences.model == "als"
    drawn = views(at)["columns"]
    assert [c["kept"] for c in drawn["lists"]] == [False, False, True]
    assert drawn["lists"][0]["keep"] == "Back to the usual first row"
    first = booth.home(kenji, booth.query(kenji, NOW)).carousels[0]
    assert first.model == "als"
    shown = sorted((f for f in drawn["films"] if f["ranks"][0]), key=lambda f: f["ranks"][0])
    assert [f["id"] for f in shown] == [int(booth.catalog.ids[r.item]) for r in first.recommendations]
    act(at, cmp_lists.KEY, do="keep", slot="first")
    assert booth.person("kenji").preferences.model is None


def test_a_model_of_this_visit_can_be_kept_for_good(booth):
    at = page(model="als", third="als")
    column = views(at)["columns"]["lists"][2]
    assert (column["kept"], column["keep"]) == (False, "Use for my Home page")
    act(at, cmp_lists.KEY, do="keep", slot="third")
    assert booth.person("kenji").preferences.model == "als"
    assert views(at)["columns"]["lists"][2]["kept"]
    assert where(at, "model") is None


def test_a_film_is_explained_by_the_list_it_was_opened_from():
    at = page(third="none", second="pure-svd", hidden="fifth", **{"second-factors": "2"})
    drawn = views(at)["columns"]
    film = next(f for f in drawn["films"] if f["ranks"][1] == 3)
    act(at, cmp_lists.KEY, do="open", film=film["id"], list=1)
    place = views(at)["film"]["place"]
    assert place == "Number 3 of all films you have not seen, by “Latent factors”."
    assert where(at, "film") == str(film["id"])


def test_what_was_said_as_the_dialog_closed_is_kept(forgotten):
    at = page()
    film = views(at)["columns"]["films"][0]["id"]
    act(at, dialog.KEY, do="rate", film=film, stars=4)
    assert not at.get("dialog")
    assert desk.desk().feedback.taste("kenji").opinions[film].stars == 4


# -- in a browser -------------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_the_page_in_a_browser(page, app_url):
    """A film lights up in every list, by mouse and keyboard; a list is changed in its head."""
    open_page(page, app_url, "/compare?viewer=kenji&time=evening&device=tv")
    page.locator(".mq-cmp-film").nth(59).wait_for()
    first = page.locator("ol[data-at='0'] li.mq-all").first
    film = first.get_attribute("data-film")
    first.hover()
    page.wait_for_function("film => document.querySelectorAll(`li.mq-lit[data-film='${film}']`).length === 3", arg=film)
    page.mouse.move(5, 5)
    first.locator("button").focus()
    page.keyboard.press("ArrowRight")
    at = "[document.activeElement.parentElement.dataset.film, document.activeElement.closest('ol').dataset.at]"
    becomes(page, lambda page: page.evaluate(at), [film, "1"])  # the same film in the next list
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_text("by “People who watched the same films”").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.locator("#mq-cmp-second").select_option("als")
    page.wait_for_url("**second=als**")
    page.locator(".mq-cmp-grid h2", has_text="Latent factors (ALS)").wait_for()
    assert [c for c in page.complaints if "404" not in c] == []


@pytest.mark.browser
def test_a_blind_vote_in_a_browser(page, app_url):
    open_page(page, app_url, "/compare?viewer=vera&time=evening&device=tv&see=blind-vote&pair=drawn&ballot=one")
    page.locator("[data-tick]").nth(9).wait_for()
    films = "[...document.querySelectorAll('.mq-vote li b')].map(b => b.textContent)"
    before = page.evaluate(films)
    page.reload()
    page.locator("[data-tick]").nth(9).wait_for()
    assert page.evaluate(films) == before
    page.locator("[data-tick]").nth(1).click()
    page.locator("[data-tick]").nth(4).click()
    becomes(page, lambda page: page.locator("[data-tick][aria-pressed=true]").count(), 2)
    page.get_by_role("button", name="I would watch these 2").click()
    page.get_by_role("button", name="Next vote").wait_for()
    assert len(set(page.locator(".mq-vote li em").all_inner_texts())) == 2
    page.get_by_text("of the 2 films you ticked").wait_for()
    assert [c for c in page.complaints if "404" not in c] == []


HOSTILE = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>\'"`${window.ran=1}` </svg></option></select>'


@pytest.mark.browser
def test_hostile_words_are_only_words(page):
    """The drawing code alone, given lists and films that want to run in it."""
    film = {"id": 7, "title": HOSTILE, "year": HOSTILE, "genres": ["Comedy", HOSTILE], "certificate": HOSTILE, "minutes": 90}
    figure = {"name": HOSTILE, "say": HOSTILE, "why": HOSTILE, "x": 0.5}
    words_of = dict.fromkeys(("slot", "letter", "model", "code", "name", "keep", "empty"), HOSTILE)
    column = {**words_of, "n": 1, "chips": [{"say": HOSTILE, "why": HOSTILE, "lit": True}], "figures": [figure], "kept": False}
    films = [{**film, "ranks": [1, 1], "stars": 4.0, "hit": 5.0}]
    shows = [
        {"view": "columns", "k": 1, "lists": [column, {**column, "slot": "b"}], "films": films, "options": [[HOSTILE, HOSTILE]]},
        {"view": "columns", "k": 1, "lists": [{**column, "n": 0}, {**column, "slot": "b", "n": 0}], "films": [], "options": []},
        {"view": "ballot", "mode": "lists", "token": HOSTILE, "lists": [[film], [film]], "names": [HOSTILE, HOSTILE], "picked": 0},
        {"view": "ballot", "mode": "one", "token": HOSTILE, "lists": [[film]], "names": [HOSTILE, HOSTILE], "teams": [0], "ticked": [0]},
    ]
    page.goto("data:text/html,<meta charset=utf-8>")
    drawn_alone(page, shows)
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    assert page.locator("img, script").count() == 0
    assert page.locator(".mq-cmp-film").count() == 2
    assert page.locator(".mq-vote li").count() == 3


@pytest.mark.browser
def test_back_takes_back_what_was_chosen_and_leads_on(page, app_url):
    """A step back forgets what the address does not name any more, and the next one goes on from there."""
    home(page, app_url, "/?viewer=kenji&time=evening&device=tv")
    page.get_by_role("link", name="Compare").click()
    page.locator(".mq-cmp-film").first.wait_for()
    page.locator("#mq-cmp-first").select_option("als")
    page.wait_for_url("**first=als**")
    page.locator(".mq-cmp-grid h2", has_text="Latent factors (ALS)").wait_for()
    page.go_back()
    page.locator(".mq-cmp-grid h2", has_text="Your Home list").wait_for()
    becomes(page, lambda page: "first=" in page.url, False)
    page.go_back()
    page.locator(".mq-rows .mq-card").first.wait_for()
    page.wait_for_url("**viewer=kenji**")
