"""`python -m recommender.loadtest.browsers`: many simulated browsers before one dashboard for an hour, and what they cost it.

Each is a tab that speaks Streamlit's own protocol and draws nothing: it picks a viewer, changes the moment, opens films, rates, hides, searches,
changes pages and tabs, thinks for 10 to 30 seconds between two acts, leaves, and comes back as a new visit. So what a visit leaves behind shows.

The file that it writes, anew every minute, holds `facts`, `samples` (every 30 s: minute, rss_mb, pss_mb, uss_mb, cpu_s, threads, tabs, acts) and
`acts` (act -> [minute, ms, bytes sent, bytes received] each) and `failed` (act and what went wrong -> how often). `collect` makes a report of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from websockets.exceptions import WebSocketException

from recommender.loadtest.__main__ import machine
from recommender.loadtest.acts import TITLES
from recommender.loadtest.dashboard import ENTRIES, Dashboard, commit, dashboard
from recommender.loadtest.tab import Answer, Tab
from recommender.settings import ROOT

LOOK, WRITE = 30.0, 60.0  # seconds between two samples, and two files
VISIT = (5, 25)  # acts of a visit
AWAY = (20.0, 60.0)  # seconds between two visits
MOST = 200_000  # acts of one run
GENRES = ("Comedy", "Drama", "Action", "Thriller")
TABS = {"context": "What is simulated", "taste": "Rate films", "evaluation": "Trade-offs", "experiments": "Health", "system": "Releases"}


@dataclass
class Crowd:
    """What all browsers have done so far; `began` is when the first one came [s, monotonic]."""

    think: tuple[float, float]
    began: float = field(default_factory=time.monotonic)
    acts: defaultdict[str, list[tuple[float, float, int, int]]] = field(default_factory=lambda: defaultdict(list))
    failed: Counter[str] = field(default_factory=Counter)
    tabs: int = 0
    visits: int = 0

    @property
    def n(self) -> int:
        return sum(map(len, self.acts.values()))

    def note(self, act: str, answer: Answer) -> None:
        self.acts[act].append((round((time.monotonic() - self.began) / 60, 2), round(answer.ms, 1), answer.sent, answer.received))
        self.failed.update(f"{act}: {problem}" for problem in answer.problems)

    async def does(self, act: str, done: Callable[[], Awaitable[Answer]]) -> None:
        """Do one act and note it; what cannot be done is a failure of the act."""
        try:
            self.note(act, await done())
        except (KeyError, StopIteration, TimeoutError, RuntimeError, WebSocketException, OSError) as error:
            self.failed[f"{act}: {type(error).__name__} {str(error)[:80]}"] += 1
            raise


async def visit(address: str, crowd: Crowd, rng: np.random.Generator, until: float) -> None:
    """One visit: who is watching, some acts with thought between them, gone."""
    async with Tab(address) as tab:
        crowd.tabs += 1
        crowd.visits += 1
        try:
            await crowd.does("first visit", tab.run)
            viewers = [v["id"] for v in tab.data("mq_who")["viewers"]]
            await crowd.does("pick a viewer", lambda: tab.act("mq_who", do="pick", viewer=viewers[rng.integers(len(viewers))]))
            for _ in range(rng.integers(*VISIT)):
                await asyncio.sleep(rng.uniform(*crowd.think))
                if time.monotonic() > until or crowd.n > MOST:
                    return
                act, done = chosen(tab, rng)
                await crowd.does(act, done)
        finally:
            crowd.tabs -= 1


def chosen(tab: Tab, rng: np.random.Generator) -> tuple[str, Callable[[], Awaitable[Answer]]]:
    """What somebody does next, given what is before them."""
    one = lambda of: of[int(rng.integers(len(of)))]
    if tab.dialog:
        film = tab.data("mq_film_view")["film"]["id"]
        mark = one(("love", "like", "dislike"))
        return one((
            ("rate", lambda: tab.act("mq_film_view", do="mark", film=film, mark=mark)),
            ("hide", lambda: tab.act("mq_film_view", do="hide", film=film)),
            ("list", lambda: tab.act("mq_film_view", do="list", film=film)),
            ("close", tab.close),
            ("close", tab.close),
        ))  # fmt: skip
    if "mq_home" not in tab.widgets:  # another page than For you
        page = next((name for name, hashed in tab.pages.items() if hashed == tab.page), "")
        if page in TABS and rng.random() < 0.5:
            return "tab", lambda: tab.turn(TABS[page])
        there = one(["", *tab.pages])
        return f"page {there or 'for_you'}", lambda: tab.run(page=there)
    films = [(film["id"], row["key"]) for row in tab.data("mq_home")["rows"] for film in row["films"]]
    moment = one((("mq_pick_time", "time of day", ("morning", "afternoon", "night")), ("mq_pick_device", "device", ("mobile", "tablet", "tv"))))
    word, genre, page = one(TITLES), one((*GENRES, None)), one([name for name in tab.pages if name])
    can = [
        (moment[1], lambda: tab.choose(moment[0], one(moment[2]))),
        ("search", lambda: tab.act("mq_home", do="find", words=word)),
        ("end of search", lambda: tab.act("mq_home", do="find", words="")),
        ("genre", lambda: tab.act("mq_home", do="genre", genre=genre)),
        (f"page {page}", lambda: tab.run(page=page)),
    ]
    if films:
        film, row = one(films)
        can += 3 * [("open a film", lambda: tab.act("mq_home", do="open", film=film, row=row))]
    return one(can)


async def person(address: str, crowd: Crowd, rng: np.random.Generator, until: float) -> None:
    """Comes, leaves, and comes back, until the end. Not all at once in the first half minute."""
    await asyncio.sleep(rng.uniform(0, 30))
    while time.monotonic() < until and crowd.n < MOST:
        with suppress(
            KeyError, StopIteration, TimeoutError, RuntimeError, WebSocketException, OSError
        ):  # noted by the act, or the line broke between two
            await visit(address, crowd, rng, until)
        await asyncio.sleep(rng.uniform(*AWAY))


async def observed(server: Dashboard, crowd: Crowd, samples: list[dict[str, Any]], save: Callable[[], None], until: float) -> None:
    """Look at the process every half minute, and save what is known every minute."""
    saved = time.monotonic()
    while time.monotonic() < until + LOOK:
        used = server.process.cpu_times()
        seconds = round(used.user + used.system, 1)
        minute = round((time.monotonic() - crowd.began) / 60, 2)
        samples.append(
            {"minute": minute, **server.memory(), "cpu_s": seconds, "threads": server.process.num_threads(), "tabs": crowd.tabs, "acts": crowd.n}
        )
        if time.monotonic() >= saved + WRITE:
            save()
            saved = time.monotonic()
        await asyncio.sleep(LOOK)


def measured(root: Path, entry: str, raw: Path | None, browsers: int, minutes: float, think: tuple[float, float], seed: int, out: Path) -> None:
    """Serve, let the browsers come, and write down what they took, at the end and on the way."""
    samples: list[dict[str, Any]] = []
    with dashboard(root, entry, raw) as server:
        opening = server.healthy()
        crowd = Crowd(think)
        facts = {
            "commit": commit(root), "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "entry": entry, "data": raw is not None,
            "browsers": browsers, "minutes": minutes, "think": think, "seed": seed, "health_s": round(opening, 2),
        }  # fmt: skip

        def save() -> None:
            made = {"facts": {**facts, "visits": crowd.visits}, "samples": samples, "failed": dict(crowd.failed), "acts": crowd.acts}
            part = out.with_suffix(".part")
            part.write_text(json.dumps(made), "utf-8")
            part.replace(out)

        async def all_of_them() -> None:
            until = time.monotonic() + 60 * minutes
            people = [person(server.address, crowd, np.random.default_rng([seed, n]), until) for n in range(browsers)]
            await asyncio.gather(*people, observed(server, crowd, samples, save, until))

        try:
            asyncio.run(all_of_them())
        finally:
            save()


def main() -> None:
    """Measure, and write the file."""
    parser = argparse.ArgumentParser(
        prog="python -m recommender.loadtest.browsers", description="Simulated browsers before one dashboard, on loopback."
    )
    parser.add_argument("--browsers", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--think", type=float, nargs=2, default=(10.0, 30.0), metavar="S", help="seconds between two acts, from and to")
    parser.add_argument("--data", type=Path, help="folder of fetched data sets; none where it is not said")
    parser.add_argument("--entry", choices=ENTRIES, default=ENTRIES[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout that is served")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended, too
    for name, value, most in (("--browsers", asked.browsers, 200), ("--minutes", asked.minutes, 120)):
        if not 0 < value <= most:
            parser.error(f"{name} is {value:g}, wanted more than 0 and at most {most}")
    if not 0 <= asked.think[0] <= asked.think[1]:
        parser.error(f"--think is {asked.think[0]:g} {asked.think[1]:g}, wanted the shorter time first")
    measured(asked.root.resolve(), asked.entry, asked.data, asked.browsers, asked.minutes, tuple(asked.think), asked.seed, asked.out)


if __name__ == "__main__":
    main()
