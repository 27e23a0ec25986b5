"""Who acts faster than the server answers loses nothing of it: every act counts, once, in the order in which it was made."""

from __future__ import annotations

from typing import Any

import apps
import pytest
from hands import becomes, card, drawn_alone, film_of, home, pick
from walks import open_page, settled

from recommender.types import Preferences

pytestmark = pytest.mark.browser
ACTS = """names => { for (const name of names)
    [...document.querySelectorAll('[role=dialog] .mq-acts button')].find(b => b.textContent.trim() === name).click(); }"""


def opened(page, at: int = 1) -> str:
    """A film of the first row in the dialog; its id."""
    chosen = card(page, 0, at)
    film = chosen.get_attribute("data-film")
    chosen.click()
    page.get_by_role("dialog").locator(".mq-bars").first.wait_for()
    becomes(page, film_of, film)
    return film


def reopened(page, url: str, film: str) -> None:
    page.goto(f"{url}/?viewer=vera&film={film}")
    page.get_by_role("dialog").locator(".mq-bars").first.wait_for()


def pressed(page, name: str) -> str:
    return page.get_by_role("dialog").locator(".mq-acts button", has_text=name).get_attribute("aria-pressed")


def stars(page):
    return page.get_by_role("dialog").get_by_role("slider", name="Your stars")


def rate(page) -> None:
    """A click on the slider, well to the right."""
    box = stars(page).bounding_box()
    stars(page).click(position={"x": 0.7 * box["width"], "y": box["height"] / 2})


def test_three_acts_at_once_all_stand(page, app_url, forgotten):
    home(page, app_url)
    film = opened(page)
    page.evaluate(ACTS, ["Love", "Watch-list", "Watched"])
    for name in ("Love", "Watch-list", "Watched"):
        becomes(page, lambda page, name=name: pressed(page, name), "true")
    reopened(page, app_url, film)
    assert [pressed(page, name) for name in ("Love", "Watch-list", "Watched")] == ["true"] * 3


def test_a_switch_pressed_an_odd_number_of_times_is_on(page, app_url, forgotten):
    """Were an act heard twice, or one of them not, it would be off."""
    home(page, app_url)
    film = opened(page)
    for _ in range(5):
        page.get_by_role("dialog").locator(".mq-acts button", has_text="Watch-list").click(delay=0)
    becomes(page, lambda _: len(forgotten.events("vera", ["list", "undo"])), 5)
    becomes(page, lambda page: pressed(page, "Watch-list"), "true")
    reopened(page, app_url, film)
    assert pressed(page, "Watch-list") == "true"


@pytest.mark.parametrize(("way", "out"), [("keys", "Escape"), ("mouse", "Escape"), ("keys", "Close")])
def test_stars_given_just_before_the_dialog_is_closed_stand(page, app_url, forgotten, way, out):
    home(page, app_url)
    film = opened(page)
    if way == "keys":
        stars(page).focus()
        for _ in range(7):
            page.keyboard.press("ArrowRight")
    else:
        rate(page)
    given = stars(page).input_value()
    assert float(given) > 0
    if out == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("dialog").get_by_role("button", name=out, exact=True).click()
    page.get_by_role("dialog").wait_for(state="detached")
    settled(page)
    reopened(page, app_url, film)
    assert stars(page).input_value() == given


def test_stars_and_hiding_at_once_both_stand(page, app_url, forgotten):
    home(page, app_url)
    film = opened(page)
    rate(page)
    given = stars(page).input_value()
    assert float(given) > 0
    page.evaluate(ACTS, ["Hide"])
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.locator(".mq-gone:not(.mq-unused)").first.wait_for()
    reopened(page, app_url, film)
    assert (stars(page).input_value(), pressed(page, "Hid")) == (given, "true")


# -- what is drawn anew under the hand -------------------------------------------------------------------------------------


def shown_alone(page, url: str) -> dict[str, Any]:
    """A dialog that no server draws anew; what it shows."""
    hero = apps.views(apps.opened(viewer="vera"))["home"]["hero"]["id"]
    film = apps.views(apps.opened(viewer="vera", film=str(hero)))["film"]
    open_page(page, url, "/", ".mq-person")  # what stands above it moves no more
    drawn_alone(page, [film])
    return film


def test_a_slider_under_the_hand_is_not_drawn_anew(page, app_url, forgotten):
    """While it is held, an answer waits; let go where it stood, it is drawn at once; moved, what the hand chose is told."""
    film = shown_alone(page, app_url)
    slider, listed = page.get_by_role("slider", name="Your stars"), page.locator(".mq-acts button", has_text="Watch-list")
    slider.dispatch_event("pointerdown")
    page.evaluate("data => redraw(0, data)", {**film, "listed": True})
    assert listed.get_attribute("aria-pressed") == "false"
    slider.dispatch_event("pointerup")
    becomes(page, lambda page: listed.get_attribute("aria-pressed"), "true")
    slider.hover()
    box = slider.bounding_box()
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + box["height"] / 2, steps=4)
    given = slider.input_value()
    assert float(given) > 3
    page.evaluate("data => redraw(0, data)", {**film, "hidden": True})
    assert slider.input_value() == given
    page.mouse.up()
    assert [(act["do"], act["stars"]) for act in page.evaluate("acts")] == [("rate", float(given))]


def answered(page, data: dict[str, Any]) -> None:
    """The answer of a server that heard every act."""
    page.evaluate("data => redraw(0, { ...data, heard: acts.at(-1).nth })", data)


@pytest.mark.parametrize("way", ["mouse", "keys"])
def test_a_button_under_a_press_is_not_drawn_anew(page, app_url, forgotten, way):
    """A browser makes a press a click only where it ends on the element on which it began: were it drawn anew in between, the click would be lost."""
    film = shown_alone(page, app_url)
    listed = page.locator(".mq-acts button", has_text="Watch-list")
    listed.scroll_into_view_if_needed()
    listed.hover()
    listed.focus()
    page.mouse.down() if way == "mouse" else page.keyboard.down(" ")
    for drawn in ({"watched": True}, {"watched": True, "hidden": True}):
        page.evaluate("data => redraw(0, data)", {**film, **drawn})
    assert page.locator(".mq-acts [aria-pressed=true]").count() == 0
    page.mouse.up() if way == "mouse" else page.keyboard.up(" ")
    becomes(page, lambda page: page.evaluate("globalThis.acts?.map(act => act.do)"), ["list"])
    answered(page, {**film, "watched": True, "hidden": True, "listed": True})
    becomes(page, lambda page: page.locator(".mq-acts [aria-pressed=true]").all_inner_texts(), ["Watch-list", "Hidden", "Watched"])


def test_stars_by_slow_keys_are_those_of_the_last_key(page, app_url, forgotten):
    """An answer between two keys, with the stars of the key before, does not take the slider back."""
    film = shown_alone(page, app_url)
    slider = page.get_by_role("slider", name="Your stars")
    slider.focus()
    for n in range(1, 8):
        page.keyboard.press("ArrowRight")
        page.evaluate("data => redraw(0, data)", {**film, "stars": (n - 1) / 2 or None})
    assert slider.input_value() == "3.5"
    page.keyboard.press("Escape")
    assert page.evaluate("acts.at(-1).stars") == 3.5
    page.evaluate("data => redraw(0, data)", {**film, "stars": 3.0})  # to the key before, and it comes after the last was told
    page.keyboard.press("ArrowRight")
    assert slider.input_value() == "4"
    page.keyboard.press("Escape")
    answered(page, {**film, "stars": 4.5})
    assert slider.input_value() == "4.5"


def test_a_search_is_for_all_that_was_typed_also_where_the_box_is_left(page, app_url):
    page.goto(app_url)
    drawn_alone(page, [apps.views(apps.opened(viewer="vera"))["home"]])
    page.get_by_role("searchbox").fill("ali")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("searchbox").press("End")
    page.keyboard.type("en")
    page.keyboard.press("Tab")
    assert page.evaluate("acts.at(-1)?.words") == "alien"


# -- an old value that comes back ----------------------------------------------------------------------------------------------


def test_a_model_that_was_kept_is_the_one_at_work(page, app_url, forgotten):
    """The name of the usual way changes with it; that the browser still says the old name is no choice."""
    open_page(page, app_url, "/compare?viewer=vera&time=evening&device=tv", ".mq-cmp-film")
    page.locator("[data-do=keep]").first.click()
    page.locator("[data-do=keep]", has_text="Back to the usual").wait_for()
    for device in ("Tablet", "Mobile"):
        pick(page, "device", device)
        page.wait_for_url(f"**device={device.lower()}**")
        settled(page)
        assert "model=" not in page.url


def test_a_reset_is_not_undone_by_the_next_click(page, app_url, forgotten):
    open_page(page, app_url, "/taste?viewer=vera&time=evening&device=tv&taste=your-taste")
    slider = page.get_by_role("slider", name="Familiar to adventurous").first
    slider.focus()
    for adventure in (0.25, 0.5):
        page.keyboard.press("ArrowRight")
        becomes(page, lambda _: forgotten.taste("vera").preferences, Preferences(adventure=adventure))
    page.locator(".st-key-mq_tst_reset button:enabled").wait_for()
    settled(page)
    page.evaluate("""async () => {
        document.querySelector('.st-key-mq_tst_reset button').click();
        await new Promise(done => setTimeout(done, 20));
        document.querySelector('.st-key-mq_tst_switches input').click(); }""")
    becomes(page, lambda page: slider.get_attribute("aria-valuetext"), "as it is")
    becomes(page, lambda _: forgotten.taste("vera").preferences, Preferences(listed=False))
    open_page(page, app_url, "/taste?viewer=vera&time=evening&device=tv&taste=your-taste")
    assert slider.get_attribute("aria-valuetext") == "as it is"
    assert page.locator(".st-key-mq_tst_switches input").first.is_checked()
