"""The guided path: what its cards say is what the house says now; it is left, resumed, and holds where things are missing."""

from __future__ import annotations

import json

import pytest
from apps import act, again, opened, silent, text, views, where
from streamlit.testing.v1 import AppTest

from recommender.compare import lists
from recommender.compare.lists import Side
from recommender.serve import phrases
from recommender.settings import settings
from recommender.types import Context, Query
from recommender.ui import desk, league, reports, tour_steps
from recommender.ui.tour import KEY, NAME
from recommender.ui.tour_steps import STEPS

NOW = Context("evening", "desktop")


def at_step(n: int, page: str | None = None, **address: str) -> AppTest:
    return opened(page, **{"viewer": "vera", "time": NOW.time_of_day, "device": NOW.device, "tour": str(n), **address})


def card(at: AppTest) -> dict | None:
    return views(at).get("tour")


def do(at: AppTest, what: str) -> dict | None:
    act(at, KEY, do=what, step=card(at)["step"])
    return card(at)


def offered(at: AppTest) -> list[str]:
    return [b.label for b in at.sidebar.button if b.key == "mq_tour_start"]


# -- what is said -------------------------------------------------------------------------------------------------------


def test_the_first_step_says_what_is_known_of_the_viewer_and_tries_somebody_new():
    at, house = at_step(1), desk.desk()
    vera, sam = house.person("vera"), house.person("sam")
    said = card(at)
    ms = at.session_state["mq_rows"].home.timing_ms["total"]
    assert f"{vera.name}, “{vera.line}”, is {len(vera.profile)} films" in said["line"]
    assert f"in {ms:.0f} ms" in said["line"]
    said = do(at, "try")
    assert where(at, "viewer") == "sam"
    assert "is nothing yet" in said["line"]
    assert at.session_state["mq_rows"].home.strategy.why in said["line"]
    assert said["act"] == "Back to Vera"
    do(at, "try")
    assert where(at, "viewer") == "vera"
    assert not house.feedback.events("sam", ["rate", "like", "love", "click"]), f"{sam.name} has said nothing"


def test_a_wish_is_all_that_is_known_of_somebody_who_rated_nothing():
    assert "is the wish for Mystery and Thriller" in card(at_step(1, viewer="ines"))["line"]


def test_the_moment_says_what_is_told_and_then_what_moved():
    at, house = at_step(2), desk.desk()
    vera = house.person("vera")
    verdict = house.verdicts(vera)["time_of_day"]
    why = verdict.why[0].lower() + verdict.why[1:]
    said = card(at)
    assert not verdict.on
    assert said["line"] == f"Evening or night, this page stays as it is, because the time of day is {why}"
    assert house.moved(vera, house.query(vera, NOW), house.query(vera, Context("night", "desktop"))) == (0, 0)
    said = do(at, "try")
    told = [house.query(vera, Context(time, "desktop"), anyway=frozenset({"time_of_day"})) for time in ("evening", "night")]
    new, moved = house.moved(vera, *(Query(told[1].profile, q.context) for q in told))
    assert new + moved > 0
    assert said["line"].startswith("Evening became night: ")
    assert f"{moved} moved" in said["line"] or f"{moved} of your top 20 moved" in said["line"]
    assert said["line"].endswith(f"unless you insist, it is {why}")
    assert where(at, "time") == "night"
    said = do(at, "try")
    assert where(at, "time") == "evening"
    assert "stays as it is" in said["line"]
    assert not at.session_state["mq_anyway_time_of_day"]


def test_where_the_models_are_told_the_line_says_what_would_move():
    at, house = at_step(2), desk.desk()
    at.session_state["mq_anyway_time_of_day"] = True
    again(at)
    vera = house.person("vera")
    told = [house.query(vera, Context(time, "desktop"), anyway=frozenset({"time_of_day"})) for time in ("evening", "night")]
    new, moved = house.moved(vera, *(Query(told[1].profile, q.context) for q in told))
    assert card(at)["line"].startswith("From evening to night, ")
    assert str(new or moved) in card(at)["line"].split(":")[0]
    assert card(at)["act"] == "Change it to Night"


def test_the_reason_is_that_of_the_first_film_that_has_one_with_its_ranks():
    at, catalog = at_step(3), desk.desk().catalog
    rows = at.session_state["mq_rows"].home.carousels
    r = next(r for c in rows for r in c.recommendations if r.drops)
    drop = r.drops[0]
    said = card(at)
    assert said["line"].startswith(f"{catalog.titles[r.item]} says “{r.sentence}”, and that was tried: number {drop.before:,} by this model; without")
    assert f"without {catalog.titles[drop.film]} it would be number {drop.after:,}" in said["line"]
    assert f'[data-film="{catalog.ids[r.item]}"]' in " ".join(said["at"])
    said = do(at, "try")
    assert where(at, "film") == str(catalog.ids[r.item])
    assert said["act"] == "Close it"
    assert f"{drop.before:,}; without it {drop.after:,}" in json.dumps(views(at)["film"]["reasons"])
    assert not desk.desk().feedback.events("vera", ["click"]), "the path opened the film, not the viewer"
    do(at, "try")
    assert where(at, "film") is None


def test_a_reason_that_names_no_film_is_told_with_the_rule():
    at = at_step(3, viewer="sam")
    first = at.session_state["mq_rows"].home.carousels[0].recommendations[0]
    assert card(at)["line"].startswith(f"{desk.desk().catalog.titles[first.item]} says “{first.sentence}”")
    assert f"only where {settings().least_drop} places or more" in card(at)["line"]


def test_a_step_that_leads_on_closes_the_film():
    at = at_step(3)
    do(at, "try")
    do(at, "back")
    assert (where(at, "film"), where(at, "tour")) == (None, "2")
    assert "film" not in views(at)


def test_the_lists_share_what_the_card_counts():
    at, house = at_step(4, "compare"), desk.desk()
    vera = house.person("vera")
    home, ease, popular = (set(lists.made(house, vera, Side(name, NOW), 20).items.tolist()) for name in ("home", "ease", "popularity"))
    assert f"share {len(home & ease)} of 20" in card(at)["line"]
    said = do(at, "try")
    assert where(at, "second") == "popularity"
    assert f"and {phrases.PART_NAMES['popularity']} share {len(home & popular)} of 20" in said["line"]
    assert said["line"].split(";")[0] in text(at)
    assert "share" in do(at, "try")["line"]
    assert where(at, "second") is None


def test_the_league_has_the_leader_and_the_interval_of_the_page():
    at = at_step(5, "evaluation")
    first = league.tiles(reports.shelf().found)[0]
    said = card(at)
    assert said["line"].startswith(f"{first.question} {first.said}: ")
    assert league.interval(first.first) in said["line"]
    said = do(at, "try")
    assert where(at, "section") == "context"
    house = desk.desk()
    for verdict in house.verdicts(house.person("vera")).values():
        assert verdict.why[1:].rstrip(".") in said["line"]
    assert league.interval(first.first) in do(at, "try")["line"]


def test_the_verdict_is_that_of_the_page_and_a_planted_fault_changes_it():
    at = at_step(6, "experiments")
    said = card(at)
    why = said["line"].partition("”: ")[2]
    assert why.lower() in text(at).lower()
    assert ", simulated, is “" in said["line"]
    said = do(at, "try")
    assert where(at, "break") == "srm"
    assert "is “Invalid”: " in said["line"]
    assert why not in said["line"]
    assert "is “Invalid”" not in do(at, "try")["line"]


# -- the way ------------------------------------------------------------------------------------------------------------


def test_the_door_offers_the_path_and_it_waits_for_a_viewer():
    at = opened()
    assert views(at)["picker"]["tour"] == NAME
    assert card(at) is None
    act(at, "mq_who", do="tour")
    silent(at, "mq_who")
    said = card(at)
    house = desk.desk()
    most = max(house.viewers.values(), key=lambda v: len(v.profile))
    assert f"{len(house.viewers)} viewers wait here" in said["line"]
    assert f"{most.name} with {len(most.profile)}" in said["line"]
    assert not said["way"]
    said = do(at, "try")
    assert where(at, "viewer") is not None
    assert (said["step"], said["way"]) == (1, True)


def test_an_address_without_a_page_leads_to_the_step_and_its_page():
    at = at_step(4)
    assert "columns" in views(at)
    assert card(at)["title"] == STEPS[3].title
    assert (where(at, "viewer"), where(at, "tour")) == ("vera", "4")


def test_the_whole_path_forward_and_to_its_end():
    at = at_step(1)
    seen = []
    for _ in STEPS:
        seen.append((card(at)["step"], card(at)["title"]))
        do(at, "next")
    assert seen == [(n, step.title) for n, step in enumerate(STEPS, 1)]
    assert card(at) is None
    assert where(at, "tour") is None
    assert offered(at) == [NAME]


def test_it_is_left_and_resumed_on_another_page():
    at = at_step(4, "compare")
    assert offered(at) == []
    said = do(at, "skip")
    assert (said["step"], said["line"]) == (4, None)
    assert where(at, "tour") == "left-4"
    assert offered(at) == [f"Resume the tour · 4 of {len(STEPS)}"]
    at.switch_page("pages/for_you.py")
    again(at)
    assert card(at)["line"] is None
    at.sidebar.button(key="mq_tour_start").click()
    again(at)
    assert "columns" in views(at)
    assert "share" in card(at)["line"]
    do(at, "skip")
    do(at, "end")
    assert (card(at), where(at, "tour")) == (None, None)


def test_who_goes_elsewhere_is_not_led_back_and_may_resume():
    at = at_step(3)
    at.switch_page("pages/system.py")
    again(at)
    assert (card(at)["line"], where(at, "tour")) == (None, "3")
    do(at, "resume")
    assert "says “" in card(at)["line"]


def test_an_address_where_it_was_left_shows_the_chip_alone():
    at = opened(viewer="vera", tour="left-2")
    assert (card(at)["step"], card(at)["line"]) == (2, None)


@pytest.mark.parametrize("step", ["7", "<b>"])
def test_a_step_that_is_none_is_dropped(step: str):
    at = opened(viewer="vera", tour=step)
    assert (card(at), where(at, "tour")) == (None, None)


def test_a_click_on_a_card_of_before_does_nothing():
    at = at_step(2)
    act(at, KEY, do="next", step=1)
    assert where(at, "tour") == "2"


# -- what is missing ----------------------------------------------------------------------------------------------------


def test_without_reports_the_steps_say_so_and_go_on(folder):
    at = at_step(5, "evaluation")
    assert "No league has been played here" in card(at)["line"]
    assert card(at)["act"] == ""
    do(at, "next")
    assert card(at)["step"] == 6


def test_without_an_experiment_the_step_says_so(tmp_path, folder):
    (tmp_path / "experiments").unlink()
    (tmp_path / "experiments").mkdir()
    at = at_step(6, "experiments")
    assert "No experiment has been read here" in card(at)["line"]
    do(at, "next")
    assert where(at, "tour") is None


def test_a_report_that_is_broken_inside_costs_the_sentence(monkeypatch):
    monkeypatch.setattr(tour_steps.league, "spoken", lambda *_: {}["mean"])
    assert "nothing to point at here now (KeyError" in card(at_step(5, "evaluation"))["line"]


# -- in a browser -------------------------------------------------------------------------------------------------------

COLD = 120_000  # ms that a fresh server may take to its first page
COVERED = """() => {
  const [it, card] = ['[data-mq-tour]', '.mq-tour-card'].map((at) => document.querySelector(at)?.getBoundingClientRect());
  if (!it || !card) return null;
  const wide = Math.min(it.right, card.right) - Math.max(it.left, card.left), high = Math.min(it.bottom, card.bottom) - Math.max(it.top, card.top);
  return Math.max(0, wide) * Math.max(0, high) / (it.width * it.height);
}"""


def stands(page, n: int) -> None:
    """The card of a step is there, it has the focus, and what it points at wears the ring, in sight and uncovered."""
    page.wait_for_function("n => document.activeElement?.getAttribute('aria-label') === `Tour, step ${n} of 6`", arg=n)
    page.wait_for_function(f"() => (({COVERED})() ?? 1) < .02")
    assert page.locator("[data-mq-tour]").count() == 1
    assert page.locator("[data-mq-tour]").get_attribute("aria-describedby") == "mq-tour-said"
    box = page.locator("[data-mq-tour]").bounding_box()
    assert box
    assert 0 <= box["y"] < page.viewport_size["height"] - 40


def press(page, what: str) -> None:
    """Tab from the card to one of its buttons, and Enter."""
    for _ in range(5):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.tour") == what:
            return page.keyboard.press("Enter")
    pytest.fail(f"no tab stop of the card is {what}")


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_the_whole_path_by_keyboard(page, app_url, width: int):
    page.set_viewport_size({"width": width, "height": 900 if width > 800 else 844})
    page.goto(f"{app_url}/?viewer=vera&time=evening&tour=1")
    page.locator(".mq-tour-card").wait_for(timeout=COLD)
    for n in range(1, 7):
        stands(page, n)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if n == 3:
            press(page, "try")
            page.locator("[role=dialog] .mq-bars [data-mq-tour]").wait_for()
            page.locator("[role=dialog] .mq-tour-card").wait_for()
            page.keyboard.press("Escape")  # closes the film, not the path
            page.locator("[role=dialog]").wait_for(state="detached")
            page.locator(".st-key-mq_tour .mq-tour-card").wait_for()
            page.locator(".mq-tour-card").focus()
        press(page, "next")
    page.locator(".mq-tour-card").wait_for(state="detached")
    page.wait_for_url(lambda url: "tour=" not in url)
    page.wait_for_function("() => !document.querySelector('[data-mq-tour]')")
    assert page.complaints == []


@pytest.mark.browser
def test_escape_leaves_the_chip_resumes_and_a_reload_keeps_both(page, app_url):
    page.goto(f"{app_url}/?viewer=vera&time=evening&tour=2")
    page.locator(".mq-tour-card").wait_for(timeout=COLD)
    stands(page, 2)
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.activeElement?.dataset.tour === 'resume'")
    page.wait_for_url("**tour=left-2**")
    page.reload()
    page.locator(".mq-tour-chip").wait_for()
    page.locator(".mq-tour-chip [data-tour=resume]").focus()
    page.keyboard.press("Enter")
    stands(page, 2)
    page.reload()
    stands(page, 2)
    page.locator(".st-key-mq_link button").click()
    page.locator("[data-testid=stPopoverBody] code").wait_for()
    page.keyboard.press("Escape")  # closes what is open, not the path
    page.locator("[data-testid=stPopoverBody]").wait_for(state="detached")
    page.locator(".st-key-mq_pick_time button").nth(3).click()  # by hand: the sentence follows the page
    page.wait_for_function("() => document.querySelector('.mq-tour-line')?.textContent.startsWith('Night or evening')")
    assert page.complaints == []
