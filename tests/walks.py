"""Every page of the app and every section of it by address, and when a page in a browser is complete."""

from __future__ import annotations

import re

SIZES = {390: 844, 820: 1180, 1440: 900}
VIEWER = "vera"
SECTIONS = {  # page: (what the address says beside the section, whose parameter stands last; the sections)
    "compare": ("time=evening&device=tv&see=", ("lists", "how-alike", "blind-vote")),
    "context": (
        "time=evening&device=tv&part=",
        ("two-contexts", "what-the-data-support", "what-is-simulated", "what-was-learned", "real-context", "do-reasons-hold"),
    ),
    "taste": ("time=evening&device=tv&taste=", ("your-taste", "rate-films", "find-your-taste", "map", "lists", "your-data")),
    "evaluation": ("section=", ("league", "trade-offs", "who-it-works-for", "stars", "context", "the-data")),
    "experiments": (
        "experiment=personal-varied&step=",
        ("plan", "health", "result", "over-time", "segments", "guardrails", "decision", "a-a", "other-ways-to-test"),
    ),
    "system": ("about=", ("models", "data", "lineage", "speed", "releases", "scale", "posters", "limits", "health")),
}
PROBE = re.compile(r"://[^/]+/[a-z_]+/_stcore/(health|host-config)$")
SETTLED = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    const waits = '[data-stale="true"], .mq-skeleton, [data-testid="stSkeleton"], [data-testid="stVegaLiteChart"]:not(:has(.marks))';
    return app?.dataset.testScriptState === "notRunning" && document.fonts.status === "loaded" && !document.querySelector(waits);
}"""


def address(page: str, section: str = "", viewer: str = VIEWER) -> str:
    """Where a section of a page stands; the page's first one where none is named."""
    asked = SECTIONS[page][0] if section else ""
    return f"/{page}?viewer={viewer}&{asked}{section}".rstrip("&")


def settled(page) -> None:
    """Wait until the script has run, fonts are there and charts are drawn."""
    page.wait_for_function(SETTLED)


def open_page(page, url: str, address: str, waits_for: str = "[data-testid=stTabs] [role=tabpanel] *") -> None:
    """Go to an address and wait until what it shows is complete."""
    page.goto(url + address)
    page.locator(waits_for).first.wait_for(state="attached")
    settled(page)


def complaints(page) -> list[str]:
    """A list that grows with what the page writes to the console as an error, fails at, or asks for in vain.

    Streamlit looks for its server one step below the address of a page before it looks at the root: that it is not there is no fault.
    """
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda said: found.append(said.text) if said.type == "error" and not PROBE.search(said.location["url"]) else None)
    page.on(
        "response", lambda answer: found.append(f"{answer.status} {answer.url}") if answer.status >= 400 and not PROBE.search(answer.url) else None
    )
    page.on("requestfailed", lambda asked: found.append(f"{asked.failure} {asked.url}") if asked.failure != "net::ERR_ABORTED" else None)
    return found
