"""Take the screenshots of this folder: `python docs/screenshots/take.py [address]`, with the app running at the address.

Home, the dialog and the picker at 390, 820 and 1440 px, as JPEG; needs Chromium and playwright.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
SIZES = {390: 844, 820: 1180, 1440: 900}
VIEWER, CONTEXT = "kenji", "time=evening&device=tv"


def settled(page: Page, what: str) -> None:
    page.locator(what).first.wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(900)


def take(page: Page, name: str, width: int) -> None:
    page.screenshot(path=HERE / f"{name}-{width}.jpg", type="jpeg", quality=82)


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
            page.close()
        chromium.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8501")
