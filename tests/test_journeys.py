"""What a person does here, from end to end, in a real browser: by mouse, by touch, by keyboard alone, in two tabs, on a slow line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hands import NARROW, becomes, card, film_of, focused, home, order, pick
from walks import SIZES, complaints, settled

from recommender.loadtest import evening

pytestmark = pytest.mark.browser
BUSY = 90_000  # ms that a step may take on a busy machine
SCROLLED = "document.querySelector('.mq-row .mq-track').scrollLeft"
SIDES = "[...document.querySelectorAll('.mq-cmp-grid li[data-film]')].map(li => li.dataset.film)"
ON_SCREEN = """() => { const at = document.activeElement, box = at.getBoundingClientRect(), over = document.elementFromPoint(
    Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 1), Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 1));
    return at.contains(over) || over?.closest('label')?.contains(at) || over?.contains(at); }"""
LOOK = """() => { const looks = []; let at = window.mqAt ??= document.activeElement;
    for (const el of [...at.querySelectorAll('*')].slice(0, 6).concat(at, at.parentElement, at.parentElement?.parentElement, at.closest('label')))
        if (el) { const s = getComputedStyle(el); looks.push(s.outline, s.boxShadow, s.borderColor, s.backgroundColor, s.color, s.opacity); }
    return looks.join('|'); }"""


@contextmanager
def visit(browser, width: int = 1440, **more: Any) -> Iterator[Any]:
    """A page of a person's own, by touch on a telephone; page.complaints is empty when it is left."""
    touch = {"has_touch": True, "is_mobile": True} if width < 640 else {}
    asked = {"reduced_motion": "reduce", **more}
    context = browser.new_context(viewport={"width": width, "height": SIZES[width]}, timezone_id=evening.zone(), **touch, **asked)
    page = context.new_page()
    page.set_default_timeout(BUSY)
    page.complaints = complaints(page)
    yield page
    left = [said for said in page.complaints if "ERR_ABORTED" not in said]  # what a page asked for when it was left
    context.close()
    assert left == []


def open_film(page, at: int, row: int = 0) -> str:
    """Open a film of a row; its id."""
    chosen = card(page, row, at)
    film = chosen.get_attribute("data-film")
    (chosen.tap if page.viewport_size["width"] < 640 else chosen.click)()
    page.get_by_role("dialog").locator(".mq-bars").first.wait_for()
    becomes(page, film_of, film)
    return film


def close(page) -> None:
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    becomes(page, film_of, None)


def said(page, name: str) -> None:
    """Press a button of the dialog, and wait until it is pressed."""
    page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()
    page.locator("[role=dialog] [aria-pressed=true]", has_text=name).wait_for()


def swipe(page, box: dict[str, float], far: int) -> None:
    """A finger on the middle of a box moves `far` px to the right."""
    finger, x, y = page.context.new_cdp_session(page), box["x"] + box["width"] / 2 - far / 2, box["y"] + 80
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for n in range(1, 12):
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + n * far / 11, "y": y}]})
        page.wait_for_timeout(16)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


# -- mouse and touch ---------------------------------------------------------------------------------------------------


def test_an_evening_by_mouse(browser, app_url):
    """Pick, change the moment, turn a row, open, love, keep, take both back, search, Back and Forward."""
    with visit(browser) as page:
        page.goto(app_url)
        page.locator(".mq-person", has_text="Dmitri").click()
        page.locator(".mq-card .mq-art").first.wait_for()
        page.wait_for_url("**viewer=dmitri**")
        settled(page)
        for what, name in (("time", "Morning"), ("device", "TV")):
            pick(page, what, name)
            page.locator(".mq-changed", has_text=name).wait_for(state="attached")
        page.wait_for_url("**device=tv**")
        page.locator(".mq-row .mq-lane").first.hover()
        page.locator(".mq-row .mq-on").first.click()
        becomes(page, lambda page: page.evaluate(SCROLLED) > 300, True)
        page.locator(".mq-row .mq-back").first.click()
        becomes(page, lambda page: page.evaluate(SCROLLED), 0)
        before = order(page)
        open_film(page, 1)
        said(page, "Love")
        close(page)
        becomes(page, lambda page: order(page) != before, True)
        page.locator(".mq-changes button[data-do=undo]").first.click()  # the line above the rows takes it back
        becomes(page, order, before)
        page.get_by_role("searchbox").fill("casablanca")
        page.locator(".mq-found .mq-card", has_text="Casablanca").first.wait_for()
        page.get_by_role("button", name="Clear the search").first.click()
        page.locator(".mq-rows .mq-row").nth(3).wait_for()
        becomes(page, order, before)
        page.get_by_role("link", name="Taste").click()
        page.get_by_role("tab", name="Lists").wait_for()
        page.go_back()
        page.locator(".mq-rows .mq-card").first.wait_for()
        page.wait_for_url("**device=tv**")
        page.go_forward()
        page.get_by_role("tab", name="Lists").wait_for()


def test_a_bus_ride_by_touch(browser, app_url):
    """A telephone: pick, swipe a row, open, give stars, hide, show again, reload."""
    with visit(browser, 390) as page:
        page.goto(app_url)
        page.locator(".mq-person", has_text="Jonas").tap()
        page.locator(".mq-card .mq-art").first.wait_for()
        settled(page)
        assert page.evaluate(NARROW)
        card(page, 0, 0).scroll_into_view_if_needed()
        swipe(page, page.locator(".mq-row .mq-track").first.bounding_box(), -220)
        becomes(page, lambda page: page.evaluate(SCROLLED) > 150, True)
        page.evaluate("document.querySelector('.mq-row .mq-track').scrollLeft = 0")
        film = open_film(page, 1)
        assert page.get_by_role("dialog").evaluate("d => d.getBoundingClientRect().right <= innerWidth && d.scrollWidth <= d.clientWidth")
        stars = page.get_by_role("dialog").get_by_role("slider", name="Your stars")
        stars.scroll_into_view_if_needed()
        box = stars.bounding_box()
        page.touchscreen.tap(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
        page.locator(".mq-stars output", has_text="★").wait_for()
        given = stars.input_value()
        assert float(given) >= 3
        page.get_by_role("dialog").get_by_role("button", name="Hide").tap()
        page.get_by_role("dialog").get_by_role("button", name="Hidden").wait_for()
        page.get_by_role("dialog").get_by_role("button", name="Close").tap()
        page.get_by_role("dialog").wait_for(state="detached")
        page.wait_for_function("film => !document.querySelector(`.mq-rows [data-film='${film}']`)", arg=film)
        page.get_by_role("button", name="Show it again").tap()
        page.locator(".mq-gone:not(.mq-unused)").first.wait_for(state="hidden")
        page.goto(f"{app_url}/?viewer=jonas&film={film}")
        page.reload()
        page.get_by_role("dialog").locator(".mq-bars").first.wait_for()
        becomes(page, lambda page: page.get_by_role("dialog").get_by_role("slider", name="Your stars").input_value(), given)


def test_an_hour_at_work(browser, app_url):
    """A tablet: other algorithms side by side, an experiment read part by part, and the page sent to somebody else."""
    with visit(browser, 820) as page:
        page.goto(f"{app_url}/compare?viewer=walter&time=evening&device=tv")
        page.locator(".mq-cmp-film").first.wait_for()
        settled(page)
        page.locator("#mq-cmp-second").select_option("als")
        page.wait_for_url("**second=als**")
        page.locator(".mq-cmp-grid :is(h2, h3)", has_text="Latent factors (ALS)").wait_for()
        shown = page.evaluate(SIDES)
        page.locator(".st-key-mq_link button").click()
        page.locator("[data-testid=stPopoverBody] code").wait_for()
        settled(page)
        link = page.locator("[data-testid=stPopoverBody] code").inner_text().strip()
        page.keyboard.press("Escape")
        page.locator("[data-testid=stPopoverBody]").wait_for(state="detached")
        with visit(browser, 1440) as friend:
            friend.goto(link)
            friend.locator(".mq-cmp-grid :is(h2, h3)", has_text="Latent factors (ALS)").wait_for()
            becomes(friend, lambda friend: friend.evaluate(SIDES), shown)
        page.goto(f"{app_url}/experiments?viewer=walter")
        page.locator(".mq-xp-head h1").wait_for()
        for part in ("Health", "Result", "Decision"):
            page.get_by_role("tab", name=part, exact=True).click()
            page.wait_for_url(f"**step={part.lower()}**")
            page.locator("[role=tabpanel]:not([hidden]) :is(.mq-ev, .mq-xp-decision, .stVegaLiteChart)").first.wait_for()
        page.go_back()
        page.wait_for_url("**step=result**")
        page.locator("[role=tab][aria-selected=true]", has_text="Result").wait_for()


# -- keyboard ----------------------------------------------------------------------------------------------------------


def tab_to(page, here: str, most: int = 30, back: bool = False) -> list[str]:
    """Tab until what has the focus matches a selector; what was passed. At each stop the focus can be seen: it changes how something looks."""
    passed = []
    for _ in range(most):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        passed.append(page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"))
        if page.evaluate("here => document.activeElement.matches(here)", here):
            seen(page)
            return passed
    raise AssertionError(f"{here} is not among {passed}")


def seen(page) -> None:
    """What has the focus is on the screen, not below a bar, and looks otherwise than without it."""
    page.wait_for_function("document.activeElement && document.activeElement !== document.body && document.activeElement.matches(':focus-visible')")
    page.wait_for_function(ON_SCREEN)
    page.evaluate("window.mqAt = document.activeElement")
    with_focus = page.evaluate(LOOK)
    page.evaluate(
        "(mqAt.closest('[role=dialog]')?.querySelector('.mq-acts button') ?? mqAt).focus(); if (document.activeElement === mqAt) mqAt.blur()"
    )
    without = page.evaluate(LOOK)
    page.evaluate("mqAt.focus({ preventScroll: true })")
    assert with_focus != without, page.evaluate("mqAt.outerHTML.slice(0, 200)")


def test_by_keyboard_from_the_picker_to_a_rated_film_and_on_to_compare(browser, app_url):
    with visit(browser) as page:
        page.goto(app_url)
        page.locator(".mq-person").first.wait_for()
        settled(page)
        tab_to(page, ".mq-person")
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        seen(page)
        page.keyboard.press("Enter")
        page.locator(".mq-card .mq-art").first.wait_for()
        page.wait_for_function("document.activeElement?.matches('.mq-hero .mq-first')")  # where the page begins, not lost with the picker
        settled(page)
        seen(page)
        tab_to(page, ".mq-row .mq-card", 4)
        first = focused(page)
        page.keyboard.press("PageDown")
        assert page.evaluate("cards => [...document.querySelectorAll(cards)].indexOf(document.activeElement)", ".mq-row:first-child .mq-card") >= 5
        page.keyboard.press("PageUp")
        assert focused(page) == first
        page.keyboard.press("ArrowRight")
        film = focused(page)
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        dialog.locator(".mq-bars").first.wait_for()
        settled(page)
        tab_to(page, ".mq-stars input")
        for _ in range(9):
            page.keyboard.press("ArrowRight")
        page.locator(".mq-kept").wait_for()
        page.wait_for_function("document.activeElement?.matches('.mq-stars input') && document.activeElement.value === '4.5'")
        settled(page)
        for _ in range(60):  # round and round: the dialog keeps it
            page.keyboard.press("Tab")
            assert page.evaluate("!!document.activeElement.closest('[role=dialog]')")
        close(page)
        gone = f"!document.querySelector(`.mq-rows [data-film='{film}']`)"
        page.wait_for_function(f"document.activeElement.matches('.mq-card') && (document.activeElement.dataset.film === '{film}' || {gone})")
        settled(page)
        tab_to(page, "a[href*=compare]", 45)
        page.keyboard.press("Enter")
        page.locator(".mq-cmp-film").first.wait_for()
        settled(page)
        tab_to(page, ".mq-cmp-film button, button.mq-cmp-film, li button", 45)


def test_nothing_that_a_click_takes_away_takes_the_focus_with_it(browser, app_url):
    """A row, a line and a search that go away leave the focus to what stands nearest; genres are one stop of the tab key."""
    with visit(browser) as page:
        home(page, app_url, "/?viewer=leila")
        page.get_by_role("searchbox").focus()
        passed = tab_to(page, ".mq-row .mq-card", 6)
        assert len(passed) <= 5  # the lot, the genres, two buttons of the banner, the first row
        page.locator("[data-genre='']").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.locator("[data-genre=Action][aria-pressed=true]").wait_for()
        settled(page)
        assert page.evaluate("document.activeElement.dataset.genre") == "Action"
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
        page.locator("[data-genre=''][aria-pressed=true]").wait_for()
        settled(page)
        unused = page.get_by_role("button", name="Do not use the film of this row").first
        unused.focus()
        page.keyboard.press("Enter")
        page.locator(".mq-unused:visible button").wait_for()
        settled(page)
        page.wait_for_function("document.activeElement?.matches('.mq-home button, .mq-home input')")
        page.locator(".mq-unused:visible button").focus()
        page.keyboard.press("Enter")
        page.locator(".mq-unused").first.wait_for(state="hidden")
        page.wait_for_function("document.activeElement?.matches('.mq-home button, .mq-home input')")
        page.locator(".st-key-mq_link button").focus()
        page.keyboard.press("Enter")
        page.locator("[data-testid=stPopoverBody] code").wait_for()
        settled(page)
        page.keyboard.press("Escape")
        page.locator("[data-testid=stPopoverBody]").wait_for(state="detached")
        page.wait_for_function("document.activeElement?.closest('.st-key-mq_link')")
        page.locator(".st-key-mq_switch button").focus()
        page.keyboard.press("Enter")
        page.wait_for_function("document.activeElement?.matches('.mq-person')")


NAMELESS = re.compile(r"^\s*- (button|link|textbox|searchbox|slider|combobox|checkbox|switch|radio|tab|img|spinbutton)(:| \[|$)", re.M)


def test_every_control_of_the_page_and_the_dialog_has_a_name(browser, app_url):
    with visit(browser) as page:
        home(page, app_url, "/?viewer=walter")
        assert NAMELESS.findall(page.locator("body").aria_snapshot()) == []
        open_film(page, 0)
        tree = page.get_by_role("dialog").aria_snapshot()
        assert NAMELESS.findall(tree) == []
        assert '- button "Love"' in tree


# -- motion ------------------------------------------------------------------------------------------------------------

MOVED = """() => { window.mqMoved = {}; const look = () => {
    const moves = a => a.playState === "running" && a.effect.getTiming().easing !== "step-end" && a.effect.getComputedTiming().activeDuration > 10;
    const dimmed = e => e.matches(".stElementContainer"); // by Streamlit, while it is drawn anew
    const ours = document.getAnimations().filter(a => moves(a) && a.effect.target?.closest(".mq, [role=dialog]") && !dimmed(a.effect.target));
    for (const a of ours) mqMoved[`${a.animationName ?? a.transitionProperty ?? "script"} of ${a.effect.target.outerHTML.slice(0, 80)}`] = 1;
    requestAnimationFrame(look); }; look(); }"""


@pytest.mark.parametrize("asked", ["reduce", "no-preference"])
def test_nothing_moves_for_those_who_asked_for_rest(browser, app_url, forgotten, asked):
    with visit(browser, reduced_motion=asked) as page:
        home(page, app_url, "/?viewer=walter&time=morning&device=tv")
        page.evaluate(MOVED)
        card(page, 0, 1).hover()
        film = card(page, 0, 0).get_attribute("data-film")
        page.locator("[data-genre=Drama]").click()
        page.locator("[data-genre=Drama][aria-pressed=true]").wait_for()
        page.wait_for_function("film => document.querySelector('.mq-row .mq-card')?.dataset.film !== film", arg=film)
        page.locator("[data-genre='']").click()
        page.locator("[data-genre=''][aria-pressed=true]").wait_for()
        open_film(page, 0)
        said(page, "Love")
        title = page.locator("[role=dialog] .mq-film h2").inner_text()
        page.locator("[role=dialog] .mq-like .mq-card").first.click()
        becomes(page, lambda page: page.locator("[role=dialog] .mq-film h2").inner_text(), lambda now: now != title)
        close(page)
        page.locator(".mq-changes:not([hidden]) h2").wait_for()
        page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        moved = page.evaluate("Object.keys(window.mqMoved)")
        assert bool(moved) == (asked == "no-preference"), moved


# -- two tabs ----------------------------------------------------------------------------------------------------------


def test_two_tabs_of_one_viewer_and_a_third_of_another(browser, app_url):
    """What is said in one tab stands in the other with its next act; what somebody else does, in neither."""
    with visit(browser) as one, visit(browser) as two, visit(browser) as other:
        home(one, app_url, "/?viewer=kenji")
        home(two, app_url, "/?viewer=kenji")
        home(other, app_url, "/?viewer=mia")
        theirs, film = order(other), open_film(one, 2)
        one.get_by_role("dialog").get_by_role("button", name="Hide").click()
        one.get_by_role("dialog").get_by_role("button", name="Hidden").wait_for()
        close(one)
        two.locator("[data-genre=Comedy]").click()
        two.locator("[data-genre=Comedy][aria-pressed=true]").wait_for()
        two.locator(".mq-gone", has_text="1 film hidden").wait_for()
        two.locator("[data-genre='']").click()
        two.locator("[data-genre=''][aria-pressed=true]").wait_for()
        becomes(two, lambda two: film in order(two), False)
        two.get_by_role("button", name="Show it again").click()
        becomes(two, lambda two: film in order(two), True)
        other.locator("[data-genre=Comedy]").click()
        other.locator("[data-genre=Comedy][aria-pressed=true]").wait_for()
        other.locator("[data-genre='']").click()
        becomes(other, order, theirs)


# -- a slow line -------------------------------------------------------------------------------------------------------


@contextmanager
def held(page) -> Iterator[Callable[[], None]]:
    """A line on which, from the call of what is given on, nothing reaches the server until the end."""
    waits: list[Callable[[], None]] = []
    holding: list[bool] = []

    def line(socket) -> None:
        server = socket.connect_to_server()
        socket.on_message(lambda message: waits.append(lambda: server.send(message)) if holding else server.send(message))

    page.route_web_socket("**/_stcore/stream", line)
    yield lambda: holding.append(True)
    holding.clear()
    for send in waits:
        send()


def test_a_click_shows_before_the_server_has_heard_of_it(browser, app_url):
    with visit(browser) as page:
        with held(page) as hold:
            home(page, app_url, "/?viewer=amara")
            hold()
            card(page, 0, 1).click()
            page.locator(".mq-card.mq-sent").wait_for()
            assert page.get_by_role("dialog").count() == 0
        page.get_by_role("dialog").locator(".mq-bars").first.wait_for()
        page.locator(".mq-sent").wait_for(state="detached")
