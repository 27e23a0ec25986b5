"""Take the screenshots of this folder: `python docs/screenshots/take.py [address]`, with the app running at the address.

Picker, Home, dialog and the Taste, Compare, Evaluation, Context, Experiments and System pages at 390, 820 and 1440 px, as JPEG; needs Chromium and
playwright.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
SIZES = {390: 844, 820: 1180, 1440: 900}
SECTIONS = {
    "taste": ("time=evening&device=tv&taste=", ("find-your-taste", "rate-films", "your-taste", "map", "lists", "your-data")),
    "compare": ("time=evening&device=tv&see=", ("lists", "how-alike", "blind-vote")),
    "evaluation": ("protocol=p1&section=", ("league", "context", "the-data")),
    "context": (
        "time=evening&device=tv&part=",
        ("two-contexts", "what-the-data-support", "what-is-simulated", "what-was-learned", "real-context", "do-reasons-hold"),
    ),
    "system": ("card=hybrid&load=with-think-time&about=", ("models", "data", "lineage", "speed", "under-load", "releases", "scale", "limits")),
    "experiments": (
        "experiment=personal-varied&step=",
        ("plan", "health", "result", "over-time", "segments", "guardrails", "decision", "a-a", "other-ways-to-test"),
    ),
}
DRAWN = (
    ".mq-xp-fixed, .mq-slope li, .mq-cmp-film .mq-art, .mq-vote .mq-art, .mq-sys-list, .mq-sys-limits, [data-testid=stTabs] .mq-ev-empty, "
    "[data-testid=stTabs] .mq > *, [data-testid=stFileUploader]"
)
VIEWER, CONTEXT = "kenji", "time=evening&device=tv"


def settled(page: Page, what: str) -> None:
    page.locator(what).first.wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(900)


def take(page: Page, name: str, width: int) -> None:
    page.screenshot(path=HERE / f"{name}-{width}.jpg", type="jpeg", quality=82)


def section(page: Page, address: str, name: str, width: int) -> None:
    """A section of a page in full length: the window grows to what it holds."""
    page.set_viewport_size({"width": width, "height": 6500})
    page.goto(address)
    page.locator(f"[data-testid=stVegaLiteChart] .marks, {DRAWN}").first.wait_for(state="attached")
    settled(page, "[data-testid=stTabs]")
    bottom = page.evaluate("Math.ceil(document.querySelector('[data-testid=stMainBlockContainer]').getBoundingClientRect().bottom)")
    clip = {"x": 0, "y": 0, "width": width, "height": bottom}
    page.screenshot(path=HERE / f"{name}-{width}.jpg", type="jpeg", quality=75, clip=clip)
    page.set_viewport_size({"width": width, "height": SIZES[width]})


def main(address: str) -> None:
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        for width, height in SIZES.items():
            page = chromium.new_page(viewport={"width": width, "height": height})
            page.goto(address)
            settled(page, ".mq-person")
            take(page, "picker", width)
            page.goto(f"{address}/?viewer={VIEWER}&{CONTEXT}")
            settled(page, ".mq-card .mq-art")
            take(page, "home", width)
            page.locator(".mq-first").click()
            settled(page, '[role="dialog"] .mq-bars')
            take(page, "dialog", width)
            page.keyboard.press("Escape")
            page.locator('[role="dialog"]').wait_for(state="detached")
            page.mouse.move(width * 0.6, height / 2)
            page.mouse.wheel(0, height * 0.8)
            settled(page, ".mq-card")
            take(page, "rows", width)
            for place, (asked, names) in SECTIONS.items():
                for name in names:
                    section(page, f"{address}/{place}?viewer={VIEWER}&{asked}{name}", f"{place}-{name}", width)
            page.close()
        chromium.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8501")
