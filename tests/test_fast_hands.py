"""Who acts faster than the server answers loses nothing of it: every act counts, once, in the order in which it was made."""

from __future__ import annotations

import pytest
from hands import becomes, card, film_of, home
from walks import settled

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
    settled(page)
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
