"""Record the short animation of README.md: `PYTHONPATH=tests python docs/screenshots/film.py [address]`, with the app running at the address.

A viewer is picked, a film is opened, and one of the films behind it is taken away: docs/screenshots/marquee.webp.
Needs Chromium, playwright and Pillow, which Streamlit brings.
"""

import io
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import walks
from PIL import Image
from playwright.sync_api import Page, sync_playwright

FILM = Path(__file__).with_name("marquee.webp")
SIZE, WIDTH = {"width": 1280, "height": 800}, 880  # of the window, of the picture
POINTER = """([x, y]) => {
    const made = () => document.documentElement.appendChild(Object.assign(document.createElement("i"), { id: "pointer" }));
    const dot = document.querySelector("#pointer") ?? made();
    dot.style = `position:fixed;z-index:9999999;left:${x - 11}px;top:${y - 11}px;width:22px;height:22px;border-radius:50%;
        background:#ffb52e99;border:2px solid #fff8e7;pointer-events:none`;
}"""
Shot = tuple[Image.Image, int]  # a picture, and for how many milliseconds it stands


def shoot(page: Page, milliseconds: int) -> Shot:
    image = Image.open(io.BytesIO(page.screenshot(type="png"))).convert("RGB")
    return image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS), milliseconds


def settled(page: Page, what: str) -> None:
    page.locator(what).first.wait_for()
    walks.settled(page)
    page.wait_for_timeout(900)


def click(page: Page, what: str, then: str, stands: int, after: Callable[[], None] = lambda: None) -> Iterator[Shot]:
    """The pointer on a thing, the click, and the page that follows."""
    target = page.locator(what).first
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None, f"{what} is not on the page"
    page.evaluate(POINTER, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    yield shoot(page, 900)
    target.click()
    settled(page, then)
    after()
    yield shoot(page, stands)


def scenes(page: Page, address: str) -> Iterator[Shot]:
    page.goto(address)
    settled(page, ".mq-person")
    yield shoot(page, 1200)
    yield from click(page, ".mq-person:has-text('Kenji')", ".mq-card .mq-art", 2000)
    page.mouse.wheel(0, 560)
    settled(page, ".mq-card .mq-art")
    yield shoot(page, 1800)
    yield from click(page, ".mq-row:nth-of-type(2) .mq-card >> nth=1", '[role="dialog"] .mq-bars', 2600)
    yield from click(page, '[role="dialog"] .mq-off', '[role="dialog"] .mq-unused:not([hidden])', 2600)
    page.keyboard.press("Escape")
    page.locator('[role="dialog"]').wait_for(state="detached")
    settled(page, ".mq-card")
    yield shoot(page, 2600)


def main(address: str) -> None:
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport=SIZE, reduced_motion="reduce", bypass_csp=True)
        pictures, durations = zip(*scenes(page, address))
        chromium.close()
    pictures[0].save(FILM, save_all=True, append_images=pictures[1:], duration=list(durations), loop=0, quality=72, method=6)
    print(f"{FILM.name}: {len(pictures)} pictures, {FILM.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8501")
