"""What a person does with a page of the app, for the tests in a real browser: each act waits for what it brings about, not for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from walks import settled

from recommender.ui import kit

NARROW = "[document.documentElement, document.querySelector('[data-testid=stMain]')].every(e => e.scrollWidth <= e.clientWidth)"


def home(page, url: str, address: str = "/?viewer=vera") -> None:
    """Go to For you and wait for its rows."""
    page.goto(url + address)
    page.locator(".mq-card .mq-art").first.wait_for()
    settled(page)


def becomes(page, what: Callable[[Any], Any], wanted: Any) -> None:
    """Wait until what(page) is as wanted: a value, or a condition that it meets."""
    holds, end = wanted if callable(wanted) else lambda now: now == wanted, time.monotonic() + 60
    while not holds(what(page)):
        assert time.monotonic() < end, f"{what(page)} after a minute"
        page.wait_for_timeout(50)


def waited(page, expression: str, *, arg: Any = None, timeout: float | None = None) -> None:
    """Page.wait_for_function where the policy of a page forbids eval, by which Playwright looks a second time: every look is a call of its own."""
    end = time.monotonic() + (timeout or 60_000) / 1000
    while not _looked(page, expression, arg):
        assert time.monotonic() < end, f"not so in time: {expression}"
        page.wait_for_timeout(50)


def _looked(page, expression: str, arg: Any) -> bool:
    try:
        return bool(page.evaluate(expression, arg))
    except Exception as error:
        if "context was destroyed" in str(error):  # another page is on its way
            return False
        raise


def drawn_alone(page, shows: list[dict[str, Any]]) -> None:
    """What the drawing code makes of these views on the page that is open, without Streamlit. In the page, `redraw(n, data)` draws the n-th anew, and
    `acts` are those that a server would have been told last."""
    page.evaluate(
        """async ([source, shows]) => {
            document.documentElement.style.setProperty("--mq-night", "#100d0b"); // nothing is drawn before there are styles
            const kit = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
            kit.default({});
            const views = await globalThis.marqueeKit.ready;
            const told = (name, acts) => { globalThis.acts = acts; };
            const places = shows.map(() => document.createElement("div"));
            globalThis.redraw = (n, data) => views.inHand(views[data.view], { data, parentElement: places[n], setTriggerValue: told });
            shows.forEach((data, n) => {
                places[n].innerHTML = "<div class='mq'></div>";
                document.body.append(places[n]);
                redraw(n, data);
            });
        }""",
        [kit.scripts(), shows],
    )


def card(page, row: int, at: int):
    return page.locator(".mq-row").nth(row).locator(".mq-card").nth(at)


def order(page) -> list[str]:
    """The films of all rows, by id."""
    return page.locator(".mq-row .mq-card").evaluate_all("cards => cards.map(c => c.dataset.film)")


def focused(page) -> str | None:
    """The film that has the focus."""
    return page.evaluate("document.activeElement?.dataset.film ?? null")


def film_of(page) -> str | None:
    """The film that the address names."""
    return page.evaluate("new URLSearchParams(location.search).get('film')")


def pick(page, what: str, name: str) -> None:
    """Choose a pill of the sidebar: what is time or device."""
    pills = page.locator(f".st-key-mq_pick_{what}")
    pills.get_by_role("radio", name=name).or_(pills.locator("button", has_text=name)).first.click()


def tell(page) -> None:
    """Switch on every signal that the models are not told, and wait for rows that know of it.

    The switches are drawn by a script of their own, which may come after the rows: without the wait for them nothing would be told.
    """
    page.locator(".st-key-mq_link button").wait_for(state="attached")  # the end of the sidebar
    page.wait_for_function("[...document.querySelectorAll('[class*=st-key-mq_anyway_]')].every(e => e.querySelector('input'))")
    off = page.locator("[class*=st-key-mq_anyway_] input:not(:checked)")
    while n := off.count():
        before = order(page)
        off.first.locator("xpath=ancestor::label").click()
        page.wait_for_function("n => document.querySelectorAll('[class*=st-key-mq_anyway_] input:not(:checked)').length < n", arg=n)
        becomes(page, order, lambda rows, before=before: rows != before)
        settled(page)
