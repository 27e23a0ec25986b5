"""`python -m recommender.loadtest.paint`: what a person waits for in a real Chromium, from the start of the process and from every click.

Several checkouts can be measured in one run (`--root before=FOLDER --root after=FOLDER`): they take turns, so that what else the machine does
meets them alike. The file that it writes, anew after every turn, holds `facts` and `notes`, one object each, all with `root` and `round`:
`start` (health_s, row_s: from the start of the process to its first sign of life and to the first row painted in a fresh browser; visit_ms: of
that, from the address on; second_ms: another browser, later; http, received: bytes of the first visit; rss_mb, pss_mb, uss_mb),
`act` (ms: from the input to the second frame after the page held what was wanted; server_ms: from the question on the socket to the last of its
answer; sent, received: bytes; feedback_ms: the slowest event until its next paint, by the Event Timing API) and `memory` at the end of a turn.
`collect` makes a report of it.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Error
from rich.console import Console

from recommender.loadtest.__main__ import machine
from recommender.loadtest.acts import around, at_home
from recommender.loadtest.browser import chromium, done, visit, visitor
from recommender.loadtest.dashboard import commit, dashboard
from recommender.settings import ROOT

VIEWER = "/?viewer=vera"
Note = dict[str, Any]


@contextmanager
def _opened(root: Path, entry: str, raw: Path | None) -> Iterator[tuple[Any, Any, Any, Note]]:
    """A fresh server and a fresh browser before it: the server, its page and line, and what the start took."""
    with dashboard(root, entry, raw) as server, chromium() as browser:
        health = server.healthy()
        page, line, first = visit(visitor(browser), server.address + VIEWER)
        other = visitor(browser)
        second = visit(other, server.address + VIEWER)[2]
        other.close()
        took = {"health_s": health, "row_s": first["at"] - server.started, "visit_ms": first["ms"], "second_ms": second["ms"]}
        yield server, page, line, {**took, "http": first["http"], "received": first["received"], **server.memory()}


def turn(root: Path, entry: str, raw: Path | None, laps: int) -> Iterator[Note]:
    """Start, first and second visit, the acts, memory."""
    facts = {"entry": entry, "data": raw is not None}
    with _opened(root, entry, raw) as (server, page, line, took):
        yield {"what": "start", **facts, **took}
        for lap in range(laps):
            for act in (*at_home(lap), *(around() if lap % 3 == 2 else ())):
                yield {"what": "act", **facts, **done(page, line, act)}
        yield {"what": "memory", **facts, **server.memory()}


def measured(roots: dict[str, Path], rounds: int, laps: int, raw: Path | None, save: Callable[[list[Note]], None]) -> None:
    """Rounds in which every checkout has its turn, first one first, then the other; `app.py` with all acts, then the start of the other ways."""
    notes: list[Note] = []
    for number in range(rounds):
        order = list(roots.items())[:: 1 if number % 2 == 0 else -1]
        for name, root in order:
            ways = [("app.py", None, laps), ("server.py", None, 0), *([("app.py", raw, 0)] if raw else [])]
            for entry, data, many in ways:
                try:
                    notes.extend({"root": name, "round": number, **note} for note in turn(root, entry, data, many))
                except (Error, RuntimeError) as error:
                    notes.append({"root": name, "round": number, "what": "failed", "why": str(error).splitlines()[0][:200]})
                save(notes)
            Console().print(f"round {number + 1} of {rounds}: {name} done, {len(notes)} notes", highlight=False)


def main() -> None:
    """Measure, and write the file."""
    parser = argparse.ArgumentParser(prog="python -m recommender.loadtest.paint", description="From start and click to paint, in a real Chromium.")
    parser.add_argument("--root", action="append", metavar="NAME=FOLDER", help="a checkout to measure; this one, as after, where none is named")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--laps", type=int, default=6, help="over For you, a round; every third goes around all pages")
    parser.add_argument("--data", type=Path, help="folder of fetched data sets, for one more start a round")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended, too
    for name, value, most in (("--rounds", asked.rounds, 50), ("--laps", asked.laps, 100)):
        if not 1 <= value <= most:
            parser.error(f"{name} is {value}, wanted 1 to {most}")
    roots = {name: Path(folder).resolve() for name, _, folder in (word.partition("=") for word in asked.root or [f"after={ROOT}"])}
    if wrong := [str(folder) for folder in roots.values() if not (folder / "app.py").is_file()]:
        parser.error(f"{', '.join(wrong)}: no app.py there; wanted --root NAME=FOLDER of a checkout")
    facts = {"commits": {name: commit(root) for name, root in roots.items()}, "date": datetime.now(UTC).date().isoformat(), "machine": machine()}
    facts |= {"rounds": asked.rounds, "laps": asked.laps}
    measured(roots, asked.rounds, asked.laps, asked.data, lambda notes: _write(asked.out, {"facts": facts, "notes": notes}))


def _write(out: Path, made: dict[str, Any]) -> None:
    part = out.with_suffix(".part")
    part.write_text(json.dumps(made), "utf-8")
    part.replace(out)


if __name__ == "__main__":
    main()
