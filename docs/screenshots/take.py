"""Take the screenshots of this folder: `PYTHONPATH=tests python docs/screenshots/take.py [address]`, with the app running at the address.

Picker, Home, dialog and every section of the other pages at 390, 820 and 1440 px, as JPEG; needs Chromium and playwright.
"""

import shutil
import sys
from pathlib import Path

import walks
from playwright.sync_api import Page, sync_playwright
from walks import SECTIONS, SIZES

HERE = Path(__file__).parent
VIEWER, CONTEXT = "kenji", "time=evening&device=tv"


def settled(page: Page, what: str) -> None:
    page.locator(what).first.wait_for(state="attached")
    walks.settled(page)
    page.wait_for_timeout(900)  # what fades in is there


def take(page: Page, name: str, width: int) -> None:
    page.screenshot(path=HERE / f"{name}-{width}.jpg", type="jpeg", quality=82)


def section(page: Page, address: str, name: str, width: int) -> None:
    """A section of a page in full length: the window grows to what it holds."""
    page.set_viewport_size({"width": width, "height": 6500})
    page.goto(address)
    settled(page, "[data-testid=stTabs] [role=tabpanel]:not([hidden]) *")
    bottom = page.evaluate("Math.ceil(document.querySelector('[data-testid=stMainBlockContainer]').getBoundingClientRect().bottom)")
    clip = {"x": 0, "y": 0, "width": width, "height": bottom}
    page.screenshot(path=HERE / f"{name}-{width}.jpg", type="jpeg", quality=75, clip=clip)
    page.set_viewport_size({"width": width, "height": SIZES[width]})


def main(address: str) -> None:
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        for width, height in SIZES.items():
            page = chromium.new_page(viewport={"width": width, "height": height}, bypass_csp=True)
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
            for place, (_, names) in SECTIONS.items():
                for name in names:
                    section(page, address + walks.address(place, name, VIEWER), f"{place}-{name}", width)
            page.close()
        chromium.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8501")
