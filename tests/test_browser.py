"""The app in a real browser: what only a browser can show. Skipped where there is no Chromium."""

from __future__ import annotations

import re

import pytest
from conftest import serving
from hands import NARROW, becomes, card, drawn_alone, film_of, focused, home, order, pick, tell
from walks import settled

pytestmark = pytest.mark.browser


def test_home_loads_without_a_complaint(page, app_url):
    home(page, app_url)
    assert page.locator(".mq-rows .mq-row").count() >= 10
    assert all(n == 20 for n in page.locator(".mq-rows .mq-row").evaluate_all("rows => rows.map(r => r.querySelectorAll('.mq-card').length)")[:3])
    assert page.complaints == []


def test_nothing_is_drawn_before_its_styles(page, app_url):
    """Streamlit brings the styles by a part of its own code that may come last; what is drawn without them stands elsewhere a moment later."""
    held = []
    page.route(re.compile(r"/static/js/Html\."), lambda route: held.append(route))
    page.goto(f"{app_url}/")
    page.locator(".mq").first.wait_for(state="attached")  # where people are drawn
    page.wait_for_timeout(1000)
    assert held
    assert not page.locator(".mq-person").count()
    held[0].continue_()
    page.locator(".mq-person").first.wait_for()
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--mq-night')")


def test_the_picker_by_keyboard(page, app_url):
    page.goto(app_url)
    page.locator(".mq-person").first.wait_for()
    settled(page)
    page.locator(".mq-person").first.focus()
    for _ in range(2):  # past the card of a new viewer and past Sam
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator(".mq-card").first.wait_for()
    page.wait_for_url("**viewer=ines**")
    assert page.complaints == []


def test_a_click_opens_the_dialog_and_escape_gives_the_focus_back(page, app_url):
    home(page, app_url)
    chosen = card(page, 0, 2)
    film = chosen.get_attribute("data-film")
    chosen.click()
    dialog = page.get_by_role("dialog")
    dialog.locator(".mq-bars").first.wait_for()
    settled(page)
    becomes(page, film_of, film)
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.wait_for_function("film => document.activeElement?.dataset.film === film", arg=film)
    becomes(page, film_of, None)
    assert page.complaints == []


def test_the_keyboard_walks_the_rows_and_opens_a_film(page, app_url):
    home(page, app_url)
    first, last = card(page, 0, 0), page.locator(".mq-row").first.locator(".mq-card").last
    first.focus()
    page.keyboard.press("ArrowRight")
    assert focused(page) == card(page, 0, 1).get_attribute("data-film")
    page.keyboard.press("End")
    assert focused(page) == last.get_attribute("data-film")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    assert focused(page) == card(page, 1, 0).get_attribute("data-film")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").locator(".mq-bars").first.wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("film => document.activeElement?.dataset.film === film", arg=card(page, 1, 0).get_attribute("data-film"))


def test_hover_shows_the_reason(page, app_url):
    home(page, app_url)
    card(page, 0, 1).hover()
    page.locator(".mq-ticket.mq-up .mq-said").wait_for()


def test_another_context_moves_the_rows_without_a_scroll_jump(page, app_url):
    home(page, app_url, "/?viewer=vera&time=morning&device=mobile")
    tell(page)
    page.mouse.move(900, 500)
    page.mouse.wheel(0, 600)
    page.wait_for_timeout(400)
    before, main = order(page), "document.querySelector('[data-testid=stMain]').scrollTop"
    top = page.evaluate(main)
    for what, name in (("time", "Night"), ("device", "TV")):
        pick(page, what, name)
        page.locator(".mq-changed", has_text=name).wait_for(state="attached")
    page.wait_for_url("**device=tv**")
    becomes(page, order, lambda rows: rows != before)
    settled(page)
    assert abs(page.evaluate(main) - top) < 80  # the line that tells what changed takes its place above


def test_a_row_stays_where_it_is_when_its_films_change(page, app_url):
    home(page, app_url, "/?viewer=amara&time=morning&device=mobile")
    tell(page)
    shown = "[...document.querySelector('.mq-row').querySelectorAll('.mq-card')].map(c => c.dataset.film).join()"
    before = page.evaluate(shown)
    pick(page, "time", "Night")
    page.wait_for_function(f"before => {shown} !== before", arg=before)
    settled(page)
    page.wait_for_timeout(500)
    assert page.locator(".mq-row .mq-track").evaluate_all("tracks => tracks.slice(0, 3).map(t => t.scrollLeft)") == [0, 0, 0]


def test_up_and_down_keep_the_card_below_the_bars(page, app_url):
    home(page, app_url)
    card(page, 0, 0).focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    bars = page.locator(".mq-tools").bounding_box()
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") > bars["y"] + bars["height"]


def test_on_a_touch_screen_the_reason_stands_below_the_film(browser, app_url):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce")
    page = context.new_page()
    home(page, app_url)
    assert page.title() == "For you · Marquee"
    assert card(page, 0, 0).locator(".mq-word").is_visible()
    assert len(set(page.locator(".mq-row").first.locator(".mq-card").evaluate_all("cards => cards.map(c => Math.round(c.offsetHeight))"))) == 1
    page.goto(app_url)
    page.locator(".mq-person").first.wait_for()
    assert page.locator(".mq-person span").first.is_visible()
    assert page.evaluate(NARROW)
    context.close()


def test_search_finds_and_finds_nothing(page, app_url):
    home(page, app_url)
    box = page.get_by_role("searchbox")
    box.click()
    box.press_sequentially("casablanka", delay=20)
    page.locator(".mq-found .mq-card", has_text="Casablanca").first.wait_for()
    assert page.evaluate("document.activeElement.type") == "search"
    box.fill("qqqqzzzz")
    page.locator(".mq-empty").wait_for()
    page.get_by_role("button", name="Clear the search").last.click()
    page.locator(".mq-hero:not([hidden])").wait_for()
    box.fill("casablanca")
    page.locator(".mq-found .mq-card", has_text="Casablanca").first.wait_for()
    box.press("Escape")
    page.locator(".mq-hero:not([hidden])").wait_for()
    assert (box.input_value(), page.evaluate("document.activeElement.type")) == ("", "search")


def test_one_click_takes_a_film_out_of_all_reasoning_and_one_puts_it_back(page, app_url):
    home(page, app_url, "/?viewer=kenji")
    row = page.locator(".mq-row", has_text="Because you watched").first
    title = row.locator("h2").inner_text()
    before = order(page)
    row.get_by_role("button", name="Do not use the film of this row").click()
    page.locator(".mq-unused:visible", has_text=title.removeprefix("Because you watched ")).wait_for()
    page.wait_for_function("title => ![...document.querySelectorAll('.mq-row h2')].some(h => h.textContent === title)", arg=title)
    assert order(page) != before
    page.locator(".mq-unused:visible").get_by_role("button", name="Use it again").click()
    page.wait_for_function("title => [...document.querySelectorAll('.mq-row h2')].some(h => h.textContent === title)", arg=title)
    assert order(page) == before
    assert page.complaints == []


def test_the_dialog_answers_where_a_film_stands(page, app_url):
    home(page, app_url, "/?viewer=kenji&film=1676")
    page.get_by_role("dialog").get_by_role("button", name="Where does it stand").click()
    page.locator(".mq-ask li", has_text="Starship Troopers is number").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Where does it stand in my list, and why?"
    assert page.complaints == []


def test_similar_films_swap_inside_the_dialog_and_hide_removes(page, app_url):
    home(page, app_url)
    film = card(page, 0, 0).get_attribute("data-film")
    card(page, 0, 0).click()
    dialog = page.get_by_role("dialog")
    dialog.locator(".mq-bars").first.wait_for()
    dialog.get_by_role("button", name="Hide").click()
    dialog.get_by_role("button", name="Hidden").wait_for()
    title = dialog.locator("h2").last.inner_text()
    dialog.locator(".mq-like .mq-card").first.click()
    page.wait_for_function("old => [...document.querySelectorAll('[role=dialog] .mq-film h2')].at(-1).innerText !== old", arg=title)
    page.wait_for_function("document.activeElement?.matches('.mq-film h2')")  # who reads on by keyboard or by ear begins at the new film
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.wait_for_function("film => !document.querySelector(`.mq-rows .mq-card[data-film='${film}']`)", arg=film)
    page.wait_for_function("document.activeElement?.classList.contains('mq-card')")
    page.get_by_role("button", name="Show it again").click()
    page.wait_for_function("film => document.querySelector(`.mq-rows .mq-card[data-film='${film}']`)", arg=film)
    assert page.complaints == []


def test_a_fresh_server_answers_compare_first(page, tmp_path):
    with serving(tmp_path / "cold.log") as url:
        page.goto(f"{url}/compare?viewer=vera")
        page.get_by_role("heading", name="Compare").wait_for()
        page.locator('[data-testid="stSidebar"]', has_text="Vera").wait_for(state="attached")
        assert "mq_" not in (tmp_path / "cold.log").read_text()
    assert page.get_by_text("encountered an error").count() == 0


HOSTILE = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>\'"`${window.ran=1}` M*A*S*H </svg>'


def test_a_hostile_title_is_only_a_title(page):
    """The drawing code alone, given a catalogue that wants to run in it."""
    film = {
        "id": 7,
        "title": HOSTILE,
        "year": HOSTILE,
        "genres": ["Comedy", HOSTILE],
        "certificate": HOSTILE,
        "minutes": 90,
        "match": 80,
        "stars": 4.1,
        "sentence": HOSTILE,
    }
    row = {"key": HOSTILE, "title": HOSTILE, "why": HOSTILE, "model": HOSTILE, "simulated": True, "films": [film]}
    taste = {"marks": {"7": "love"}, "list": [7]}
    strategy = {"route": HOSTILE, "why": HOSTILE, "weights": [[HOSTILE, 1.0]], "simulated": [HOSTILE]}
    shared = {
        "words": HOSTILE,
        "genre": HOSTILE,
        "genres": [HOSTILE],
        "taste": taste,
        "hero": film,
        "bill": HOSTILE,
        "strategy": strategy,
        "changed": HOSTILE,
        "changes": {"head": HOSTILE, "why": [HOSTILE], "films": [{**film, "from": 3, "to": None, "line": HOSTILE}]},
        "rows": [row],
    }
    bar = {"kind": HOSTILE, "label": HOSTILE, "weight": 0.4, "simulated": True}
    person = {"id": HOSTILE, "name": HOSTILE, "line": HOSTILE, "face": HOSTILE, "certificate": HOSTILE}
    empty = {"sign": HOSTILE, "title": HOSTILE, "line": HOSTILE, "undo": {"do": HOSTILE, "label": HOSTILE}}
    one = {
        "film": {**film, "directors": [HOSTILE], "actors": [HOSTILE]},
        "reasons": [bar],
        "how": HOSTILE,
        "contributions": [bar],
        "place": HOSTILE,
        "similar": [film],
        "kept": HOSTILE,
        "odds": HOSTILE,
    }
    shows = [
        {"view": "home", **shared},
        {"view": "home", **shared, "found": {"title": HOSTILE, "line": HOSTILE, "films": [film, {**film, "id": 8, "both": [[HOSTILE, 80]]}]}},
        {"view": "home", **shared, "empty": empty},
        {"view": "film", **one, "taste": taste},
        {"view": "picker", "own": [person], "viewers": [person]},
    ]
    page.set_content("<meta http-equiv='Content-Security-Policy' content=\"object-src 'none'\"><body></body>")  # a policy that would let it run
    drawn_alone(page, shows)
    page.locator(".mq-card").first.hover()
    page.locator(".mq-ticket.mq-up").first.wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate("window.ran") is None
    assert page.locator("script, img[src='x']").count() == 0
    assert page.locator(".mq-caption b").first.inner_text() == HOSTILE


def test_both_matches_are_whole_on_a_telephone(page, app_url):
    page.set_viewport_size({"width": 390, "height": 844})
    home(page, app_url, "/?viewer=leila&with=walter")
    both = page.locator(".mq-found .mq-caption em")
    assert both.count() >= 10
    reach = "all => all.map(em => em.getBoundingClientRect().right - em.closest('.mq-card').getBoundingClientRect().right)"
    assert max(both.evaluate_all(reach)) < 1
