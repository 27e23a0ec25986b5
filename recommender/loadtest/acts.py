"""What a person does in the browser, and what the page must hold before the act counts as answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

ROW = "!!document.querySelector('.mq-row .mq-art')"
PAGES = {
    "Compare": ("Lists", "How alike"),
    "Context": ("Two contexts", "What is simulated"),
    "Taste": ("Your taste", "Rate films"),
    "Evaluation": ("League", "Trade-offs"),
    "Experiments": ("Plan", "Health"),
    "System": (None, "Releases"),
}  # page -> its first tab, None where another may come first, and one that is opened
TITLES = ("matrix", "godfather", "star wars", "toy story", "alien", "vertigo", "fargo", "casablanca", "psycho", "titanic")


@dataclass(frozen=True)
class Act:
    """One input: a click on `target`, or the key `press` while the focus is in it; `wanted` is an expression of the page."""

    name: str
    target: str
    wanted: str
    press: str | None = None
    words: str | None = None  # typed before, which does not count


def at_home(lap: int) -> Iterator[Act]:
    """One lap over For you; ends as it began, but for the moment."""
    time, device = (("morning", "mobile"), ("night", "TV"))[lap % 2]
    yield Act("time of day", f".st-key-mq_pick_time button:has-text('{time.capitalize()}')", _holds(".mq-changed", f"→ {time}"))
    label = device if device == "TV" else device.capitalize()
    yield Act("device", f".st-key-mq_pick_device button:has-text('{label}')", _holds(".mq-changed", f"→ {device}"))
    yield Act("open a film", f".mq-row[data-key='top'] li:nth-child({lap % 5 + 1}) .mq-card", "!!document.querySelector('[role=dialog] .mq-film h2')")
    for name, button in (("rate", "[data-mark=love]"), ("list", "[data-do=list]"), ("hide", "[data-do=hide]")):
        for on in ("true", "false"):
            pressed = f"[role=dialog] {button}[aria-pressed={on}]"
            yield Act(name, f"[role=dialog] {button}", f"!!document.querySelector('{pressed}')")
    yield Act("close", "[role=dialog]", "!document.querySelector('[role=dialog]')", press="Escape")
    word = TITLES[lap % len(TITLES)]
    yield Act("search", ".mq-search input", _holds(".mq-found h2", word), press="Enter", words=word)
    yield Act("end of search", ".mq-clear", f"!document.querySelector('.mq-found') && {ROW}")
    yield Act("genre", ".mq-chip[data-genre='Comedy']", "!!document.querySelector('.mq-chip[data-genre=Comedy][aria-pressed=true]')")
    yield Act("end of genre", ".mq-chip[data-genre='']", "!!document.querySelector('.mq-chip[data-genre=\"\"][aria-pressed=true]')")


def around() -> Iterator[Act]:
    """Every page and another of its tabs, and back to For you."""
    for page, (first, other) in PAGES.items():
        link = f"[data-testid=stTopNavLink]:has-text('{page}')"
        yield Act(f"page {page}", link, f"document.title.startsWith('{page}') && ({_tab(first)})")
        yield Act("tab", f"[role=tab]:has-text('{other}')", _tab(other))
    yield Act("page For you", "[data-testid=stTopNavLink]:has-text('For you')", f"document.title.startsWith('For you') && {ROW}")


def _holds(place: str, text: str) -> str:
    return f"!!document.querySelector({json.dumps(place)})?.textContent.includes({json.dumps(text)})"


def _tab(name: str | None) -> str:
    """The tab is the open one, and something stands under it."""
    named = f"t.innerText.includes({json.dumps(name)})" if name else "true"
    tab = f"[...document.querySelectorAll('[role=tab][aria-selected=true]')].find(t => {named})"
    return f"(document.getElementById({tab}?.getAttribute('aria-controls'))?.innerText ?? '').length > 20"
