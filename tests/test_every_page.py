"""Every page and every section of it in a real browser at three widths: nothing complains, nothing moves, nothing is cut off, and axe finds no fault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages import SECTIONS, SIZES, VIEWER, address, complaints, open_page, settled

pytestmark = pytest.mark.browser

AXE = Path(pytest.importorskip("axe_playwright_python", reason="axe is not installed").__file__).parent / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
STREAMLITS = {  # rule: what the page holds where Streamlit itself is at fault, and why it stays
    "presentation-role-conflict": (
        "[data-testid=stFileUploaderDropzone]",
        "a name on a section that is said to be mere decoration; the button in it is whole",
    ),
}
PLACES = {
    "picker": ("/", ".mq-person"),
    "for-you": (f"/?viewer={VIEWER}", ".mq-card .mq-art"),
    "film": (f"/?viewer={VIEWER}&film=912", "[role=dialog] .mq-bars"),
}

WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry);
}).observe({ type: "layout-shift", buffered: true });
"""
# What moved since the first text was painted: before it Streamlit lays empty boxes out, which nobody sees. The sum, and what moved most.
MOVED = """() => {
  const since = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
  const seen = window.shifts.filter((s) => s.startTime > since);
  const most = seen.sort((a, b) => b.value - a.value)[0]?.sources.map((s) => (s.node?.textContent ?? "").trim().slice(0, 40));
  return [seen.reduce((sum, s) => sum + s.value, 0), most];
}"""
# What is wider than the page, what stands outside it and is no part of something that scrolls, and words that stand outside their chart.
CUT = """() => {
  const found = [];
  const say = (what, e) => found.push(`${what}: ${e.tagName} ${(e.textContent ?? "").trim().slice(0, 40)}`);
  for (const e of [document.documentElement, document.querySelector("[data-testid=stMain]")]) if (e.scrollWidth > e.clientWidth) say("scrolls", e);
  const held = (e) => {
    for (let p = e.parentElement; p && p.dataset.testid !== "stMainBlockContainer"; p = p.parentElement)
      if (getComputedStyle(p).overflowX !== "visible") return true;
    return false;
  };
  for (const e of document.querySelectorAll("[data-testid=stMainBlockContainer] *, [role=dialog] *")) {
    const box = e.getBoundingClientRect();
    if (box.width && box.height && (box.right > innerWidth + 1 || box.left < -1) && !held(e)) say("outside the page", e);
  }
  for (const chart of document.querySelectorAll("svg.marks")) {
    const frame = chart.getBoundingClientRect();
    for (const e of chart.querySelectorAll("text")) {
      const box = e.getBoundingClientRect();
      if (box.width && e.textContent && (box.left < frame.left - 2 || box.right > frame.right + 2 || box.top < frame.top - 2)) say("outside its chart", e);
    }
  }
  for (const e of document.querySelectorAll(":is(h1, h2, h3):not(.mq-name)")) {
    const look = getComputedStyle(e);
    if (e.clientWidth > 2 && look.overflowX === "hidden" && look.textOverflow !== "ellipsis" && e.scrollWidth > e.clientWidth + 1) say("cut", e);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def windows(browser) -> Iterator[dict]:
    """One page for each width, with what it complains of."""
    made = {}
    for width, height in SIZES.items():
        context = browser.new_context(viewport={"width": width, "height": height}, timezone_id="Europe/Berlin", reduced_motion="reduce")
        context.set_default_timeout(60_000)
        context.add_init_script(WATCH)
        page = context.new_page()
        made[width] = page, complaints(page)
    yield made
    for page, _ in made.values():
        page.context.close()


def axe(page, rules: list[str] | None = None) -> dict[str, list[str]]:
    """What axe finds: rule -> what is at fault, as `impact: html`. All rules of TAGS, or those named."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    found = page.evaluate("only => axe.run({ runOnly: only, resultTypes: ['violations'] })", only)["violations"]
    return {v["id"]: [f"{v['impact']}: {node['html'][:200]}" for node in v["nodes"]] for v in found}


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
    """What is wrong with what is shown now."""
    found = [f"cut off: {line}" for line in page.evaluate(CUT)]
    for rule, nodes in (axe(page) if first or width == max(SIZES) else axe(page, ["target-size"]) if width == min(SIZES) else {}).items():
        where, _ = STREAMLITS.get(rule, ("", ""))
        if not (where and all(page.locator(where).count() for _ in nodes)):
            found += [f"axe, {rule}: {node}" for node in nodes]
    return found


def moved(page) -> list[str]:
    """What moved by itself while the page was opened, where it is more than a tenth (Web Vitals: good is below it)."""
    much, what = page.evaluate(MOVED)
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
