"""Every page and section of the app in a real browser at three widths: no complaint, nothing moves, nothing is cut off, axe finds no fault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from walks import SECTIONS, SIZES, VIEWER, address, complaints, open_page, settled

from recommender.loadtest import evening

pytestmark = pytest.mark.browser

AXE = Path(pytest.importorskip("axe_playwright_python", reason="axe is not installed").__file__).parent / "axe.min.js"
LOOKING = Path(__file__).parent / "looking.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
STREAMLITS = {  # rule: what Streamlit itself is at fault with, where it is met, why it stays
    "presentation-role-conflict": (
        "[data-testid=stFileUploaderDropzone]",
        address("taste", "your-data"),
        "a name on a section that is called decoration; the button inside has its own",
    ),
}
AUDIT = """async ([only, theirs]) => {
  const done = await axe.run({ runOnly: only, resultTypes: ["violations"], elementRef: true });
  const told = (v, n) => [v.id, `${n.impact}: ${n.html.slice(0, 200)}`, n.element.matches(theirs[v.id] ?? ":not(*)")];
  return done.violations.flatMap((v) => v.nodes.map((n) => told(v, n)));
}"""
PLACES = {
    "picker": ("/", ".mq-person"),
    "for-you": (f"/?viewer={VIEWER}", ".mq-card .mq-art"),
    "film": (f"/?viewer={VIEWER}&film=912", "[role=dialog] .mq-bars"),
}


@pytest.fixture(scope="module")
def windows(browser) -> Iterator[dict]:
    """One page for each width, with what it complains of."""
    made = {}
    for width, height in SIZES.items():
        context = browser.new_context(viewport={"width": width, "height": height}, timezone_id=evening.zone(), reduced_motion="reduce")
        context.set_default_timeout(60_000)
        context.add_init_script(path=LOOKING)
        page = context.new_page()
        made[width] = page, complaints(page)
    yield made
    for page, _ in made.values():
        page.context.close()


def axe(page, rules: list[str] | None = None) -> list[tuple[str, str, bool]]:
    """What axe finds by all rules of TAGS, or by those named: rule, what is at fault, and whether it is Streamlit's."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    return page.evaluate(AUDIT, [only, {rule: where for rule, (where, *_) in STREAMLITS.items()}])


def sections(page, place: str) -> Iterator[str]:
    """The sections of the page that is open, one after the other, as a click on each tab opens them."""
    tabs = page.get_by_role("tab")
    for at in range(tabs.count()):
        tab = tabs.nth(at)
        if at:
            tab.click()
            page.wait_for_function("at => document.querySelectorAll('[role=tab]')[at].ariaSelected === 'true'", arg=at)
            page.wait_for_function(
                "() => document.querySelector('[role=tabpanel]:not([hidden]) :is(.mq-ev, .mq > *, [data-testid=stElementContainer])')"
            )
            settled(page)
        yield re.sub(r"[^a-z0-9]+", "-", tab.inner_text().lower()).strip("-")


def faults(page, width: int, first: bool) -> list[str]:
    """What is wrong with what is shown now; axe looks at all of it on the widest screen, at a page's first section on a telephone, and there else
    at the size of what is touched."""
    found = [f"cut off: {line}" for line in page.evaluate("looking.cut()")]
    if width == min(SIZES):
        found += [f"small: {line}" for line in page.evaluate("looking.small()")]
    if width == max(SIZES):
        found += [f"faint: {line}" for line in page.evaluate("looking.faint()")]
    whole = width == max(SIZES) or (first and width == min(SIZES))
    audited = axe(page) if whole else axe(page, ["target-size"]) if width == min(SIZES) else []
    return found + [f"axe, {rule}: {what}" for rule, what, theirs in audited if not theirs]


def moved(page) -> list[str]:
    """What moved by itself while the page was opened, where it is more than a tenth (Web Vitals: good is below it).

    A page that moved is opened once more: on a first visit Streamlit fetches parts of its own code late, and a slow machine shows it.
    """
    much, what = page.evaluate("looking.moved()")
    if much >= 0.1:
        page.reload()
        page.locator(".mq-person, .mq-art, [data-testid=stTabs] [role=tabpanel] *").first.wait_for(state="attached")
        settled(page)
        much, what = page.evaluate("looking.moved()")
    return [f"moved {much:.3f}: {what}"] if much >= 0.1 else []


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("place", [*PLACES, *SECTIONS])
def test_a_page_and_its_sections(windows, app_url, place, width):
    page, complained = windows[width]
    complained.clear()
    if place in PLACES:
        open_page(page, app_url, *PLACES[place])
        found = moved(page) + faults(page, width, True)
    else:
        open_page(page, app_url, address(place))
        found, seen = moved(page), []
        for name in sections(page, place):
            found += [f"{name}: {fault}" for fault in faults(page, width, not seen)]
            seen.append(name)
        assert sorted(seen) == sorted(SECTIONS[place][1])
    assert not found + complained, json.dumps(found + complained, indent=1)


def search(page, words: str, brings: str) -> None:
    page.get_by_role("searchbox").fill(words)
    page.locator(brings).first.wait_for()


def loved(page) -> None:
    """Say that the film of the address is loved, and close it: the rows say what changed."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Love", exact=True).click()
    dialog.locator("[aria-pressed=true]", has_text="Love").wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.locator(".mq-changes:not([hidden]) h2").wait_for()


def somebody_new(page) -> None:
    page.locator("[data-new]").click()
    page.locator(".mq-maker img").first.wait_for()


BROUGHT = {  # what an act brings onto a page: where it begins, and the act
    "found": ("for-you", lambda page: search(page, "casablanca", ".mq-found .mq-card .mq-art")),
    "nothing-found": ("for-you", lambda page: search(page, "qqqqzzzz", ".mq-empty")),
    "what-changed": ("film", loved),
    "a-new-viewer": ("picker", somebody_new),
}


@pytest.mark.parametrize("width", [min(SIZES), max(SIZES)])
@pytest.mark.parametrize("what", BROUGHT)
def test_what_an_act_brings(windows, app_url, forgotten, what, width):
    page, complained = windows[width]
    complained.clear()
    place, act = BROUGHT[what]
    open_page(page, app_url, *PLACES[place])
    act(page)
    settled(page)
    found = faults(page, width, True)
    assert not found + complained, json.dumps(found + complained, indent=1)


@pytest.mark.parametrize("rule", STREAMLITS)
def test_what_is_excused_still_occurs(windows, app_url, rule):
    """An excuse that is no longer needed is taken off the table."""
    page, _ = windows[max(SIZES)]
    where, place, _ = STREAMLITS[rule]
    open_page(page, app_url, place, where)
    assert any(theirs for _, _, theirs in axe(page, [rule]))
