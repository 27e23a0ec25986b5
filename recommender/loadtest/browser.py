"""One Chromium before one dashboard: when things were painted, what the server's share of it was, and what went over the line."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from recommender.loadtest import evening
from recommender.loadtest.acts import ROW, Act

WATCH = Path(__file__).with_name("watch.js").read_text("utf-8")
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
LONGEST = 30  # seconds to wait for anything
QUIET = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"


@dataclass
class Line:
    """What went over HTTP [bytes] and over the socket: (monotonic s, bytes, to the server?) of each message."""

    http: int = 0
    frames: list[tuple[float, int, bool]] = field(default_factory=list)

    def tapped(self, page: Page) -> Line:
        """Listen to a page from now on."""
        devtools = page.context.new_cdp_session(page)
        devtools.on("Network.loadingFinished", lambda e: self._loaded(e["encodedDataLength"]))
        devtools.on("Network.webSocketFrameSent", lambda e: self._framed(e, True))
        devtools.on("Network.webSocketFrameReceived", lambda e: self._framed(e, False))
        devtools.send("Network.enable")
        return self

    def since(self, n: int) -> dict[str, float | int]:
        """Messages from number n on: bytes both ways, how many came, and ms from the first question to the last of the answer."""
        frames = self.frames[n:]
        out, into = [f for f in frames if f[2]], [f for f in frames if not f[2]]
        server = 1000 * (into[-1][0] - out[0][0]) if out and into else 0.0
        return {"sent": sum(f[1] for f in out), "received": sum(f[1] for f in into), "messages": len(into), "server_ms": max(server, 0.0)}

    def _loaded(self, bytes_: float) -> None:
        self.http += int(bytes_)

    def _framed(self, event: dict[str, Any], sent: bool) -> None:
        data, binary = event["response"]["payloadData"], event["response"]["opcode"] == 2
        size = len(data) * 3 // 4 - data.endswith("=") - data.endswith("==") if binary else len(data)
        self.frames.append((event["timestamp"], size, sent))


@contextmanager
def chromium() -> Iterator[Browser]:
    """A fresh Chromium without a cache; OSError where there is none."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise OSError("Chromium is not installed; on Debian: apt-get install chromium")
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def visitor(browser: Browser) -> BrowserContext:
    """Somebody who was never here, at 1440 px, in the evening, with motion as it comes."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id=evening.zone())
    context.add_init_script(WATCH)
    context.add_init_script(f"marqueeWatch.arm(() => {ROW}, 0);")
    context.set_default_timeout(1000 * LONGEST)
    return context


def visit(context: BrowserContext, address: str) -> tuple[Page, Line, dict[str, float]]:
    """Open an address: the page, its line, and [ms] from then to the first row painted and to the end of all that follows; `at` is unix s."""
    page = context.new_page()
    line = Line().tapped(page)
    page.goto(address, wait_until="commit")
    painted = page.evaluate("marqueeWatch.painted")
    calm(page, line)
    told = line.since(0)
    return page, line, {"ms": painted["ms"], "at": painted["at"] / 1000, "http": line.http, **told}


def calm(page: Page, line: Line) -> None:
    """Wait until the script has ended and nothing has come for a while."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:  # the policy of the page forbids what wait_for_function does
        n = len(line.frames), line.http
        page.wait_for_timeout(120)
        if n == (len(line.frames), line.http) and page.evaluate(QUIET):
            return


def done(page: Page, line: Line, act: Act) -> dict[str, Any]:
    """Do it once: ms from the input to the frame that shows what was wanted, and what went over the socket; `failed` names what went wrong."""
    try:
        target = page.locator(act.target).first
        if act.words is not None:
            target.fill(act.words)
        elif act.press is None:
            target.hover()  # a hand is there before it clicks; this also scrolls
            page.wait_for_timeout(150)
        page.evaluate(f"marqueeWatch.arm(() => {act.wanted})")
        before = len(line.frames)
        if act.press is None:
            page.mouse.down()
            page.mouse.up()
        else:
            page.keyboard.press(act.press)
        late = f"new Promise((_, no) => setTimeout(() => no(new Error('not painted')), {1000 * LONGEST}))"
        painted = page.evaluate(f"Promise.race([marqueeWatch.painted, {late}])")
    except Error as error:
        return {"act": act.name, "failed": str(error).splitlines()[0][:200]}
    calm(page, line)
    return {"act": act.name, "ms": painted["ms"], "feedback_ms": painted["slowest"], **line.since(before)}
