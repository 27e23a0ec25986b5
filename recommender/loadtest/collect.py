"""`python -m recommender.loadtest.collect PAINT [HOUR] [--out FOLDER]`: from what `paint` and `browsers` noted to artifacts/reports/browser.json.

With --write also the tables of docs/performance.md. Rows of the report, one figure each; variant: what was served (before, after: a checkout; hour:
fifty simulated browsers), then the way where it is not app.py without a data set: "after, with data", "after, server.py".
metric (model is "app", segment None or "act=NAME"):
  health s, row s, visit ms, second ms, http kB, received kB      medians of starts, from the lowest to the highest
  ms p50, ms p95, server ms p50, server ms p95, received kB p50   of an act, with 95% intervals from order statistics where so many bound them
  rss MB, pss MB, uss MB                                          at the end of a turn; of the hour the most of all samples
  failures                                                        share of acts
`more` holds goals {variant of goal: at_most, unit}, ratios (act -> after / before of the medians of rounds: mean, lowest, highest), samples of the
hour (minute, rss_mb, pss_mb, uss_mb, cpu_s, threads, tabs, acts), failed (what went wrong -> how often), facts of both files.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from recommender import artifacts
from recommender.evaluate.report import Report, Row, read, write
from recommender.evaluate.tables import between
from recommender.loadtest.figures import bounded
from recommender.settings import ROOT, settings

PAGE = ROOT / "docs" / "performance.md"
GOALS = {"start": {"at_most": 8.0, "unit": "s"}, "click": {"at_most": 200.0, "unit": "ms"}, "memory": {"at_most": 1000.0, "unit": "MB"}}
STARTS = {"health_s": ("health s", 1), "row_s": ("row s", 1), "visit_ms": ("visit ms", 1), "second_ms": ("second ms", 1),
          "http": ("http kB", 1000), "received": ("received kB", 1000)}  # fmt: skip
MEMORY = {"rss_mb": "rss MB", "pss_mb": "pss MB", "uss_mb": "uss MB"}
Note = dict[str, Any]


def variant(note: Note) -> str:
    """Which checkout, and which way where it is not the plain one."""
    return note["root"] + (", server.py" if note["entry"] == "server.py" else "") + (", with data" if note["data"] else "")


def starts(notes: list[Note]) -> Iterator[Row]:
    """Medians over the turns, between the lowest and the highest; memory at the end of them."""
    for what, names in (("start", STARTS), ("memory", {name: (metric, 1) for name, metric in MEMORY.items()})):
        turns = defaultdict(list)
        for note in notes:
            if note["what"] == what:
                turns[variant(note)].append(note)
        for of, found in turns.items():
            for name, (metric, per) in names.items():
                values = [note[name] / per for note in found]
                value, lo, hi = (round(float(f(values)), 3) for f in (np.median, np.min, np.max))
                yield Row(of, "app", metric, None, None, value, lo, hi, len(values))


def acts(of: str, done: dict[str, list[Note]]) -> Iterator[Row]:
    """Quantiles of what each act took; `done` has ms, and where they are known server_ms and received."""
    for act, notes in sorted(done.items()):
        for name, metric, share, per in (
            ("ms", "ms p50", 0.5, 1), ("ms", "ms p95", 0.95, 1), ("server_ms", "server ms p50", 0.5, 1), ("server_ms", "server ms p95", 0.95, 1),
            ("received", "received kB p50", 0.5, 1000), ("sent", "sent kB p50", 0.5, 1000),
        ):  # fmt: skip
            values = np.array([note[name] / per for note in notes if name in note])
            if len(values):
                value, lo, hi = bounded(values, share)
                yield Row(of, "app", metric, None, f"act={act}", round(value, 3), round(lo, 3), round(hi, 3), len(values))


def by_act(notes: Iterable[Note], root: str) -> dict[str, list[Note]]:
    """Acts of a checkout that were answered."""
    found = defaultdict(list)
    for note in notes:
        if note["what"] == "act" and note["root"] == root and "failed" not in note:
            found[note["act"]].append(note)
    return found


def ratios(notes: list[Note]) -> dict[str, list[float]]:
    """after / before of each act, by the medians of each round: geometric mean, lowest and highest of the rounds that have both."""
    medians: dict[str, dict[int, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for root in ("before", "after"):
        for act, done in by_act(notes, root).items():
            for number in {note["round"] for note in done}:
                medians[act][number][root] = float(np.median([note["ms"] for note in done if note["round"] == number]))
    made = {}
    for act, rounds in medians.items():
        found = [m["after"] / m["before"] for m in rounds.values() if len(m) == 2]
        if found:
            made[act] = [round(float(f(found)), 3) for f in (lambda x: np.exp(np.mean(np.log(x))), np.min, np.max)]
    return made


def crowd(hour: dict[str, Any]) -> Iterator[Row]:
    """What fifty browsers waited for, and the most that the process held."""
    done = {act: [dict(zip(("minute", "ms", "sent", "received"), values)) for values in found] for act, found in hour["acts"].items()}
    yield from acts("hour", done)
    plain = lambda metric, value, n: Row("hour", "app", metric, None, None, value, value, value, n)
    n, failed = sum(map(len, done.values())), sum(hour["failed"].values())
    yield plain("failures", round(failed / max(n + failed, 1), 5), n + failed)
    for name, metric in MEMORY.items():
        values = [sample[name] for sample in hour["samples"]]
        yield plain(metric, max(values), len(values))


def report(paint: dict[str, Any], hour: dict[str, Any] | None) -> Report:
    """All of it as one report."""
    notes, facts = paint["notes"], paint["facts"]
    rows = [*starts(notes), *(row for root in facts["commits"] for row in acts(root, by_act(notes, root)))]
    more: dict[str, Any] = {"goals": GOALS, "machine": facts["machine"], "paint": facts, "ratios": ratios(notes)}
    more["not painted"] = sum("failed" in note or note["what"] == "failed" for note in notes)
    if hour:
        rows += crowd(hour)
        more |= {"hour": hour["facts"], "samples": hour["samples"], "failed": hour["failed"]}
    data = artifacts.card("hybrid", settings().artifacts)["data"]
    command = f"python -m recommender.loadtest.paint --rounds {facts['rounds']} --laps {facts['laps']}"
    return Report("browser", f"models of {data['ratings']:,} ratings", str(data["sha256"]), "", [0], {}, facts["date"], command, rows=rows, more=more)


def tables(told: Report) -> dict[str, str]:
    """The tables of docs/performance.md by the names of their markers."""
    known = {(r.variant, r.metric, r.segment): r for r in told.rows}

    def cell(variant: str, metric: str, segment: str | None = None, digits: int = 0) -> str:
        r = known.get((variant, metric, segment))
        return "–" if r is None else f"{r.mean:,.{digits}f}" + (f" [{r.lo:,.{digits}f}, {r.hi:,.{digits}f}]" if r.lo < r.hi else "")

    def line(act: str) -> list[str]:
        of, ratio = f"act={act}", told.more["ratios"].get(act)
        cells = [cell("before", "ms p50", of), *(cell("after", m, of) for m in ("ms p50", "ms p95", "server ms p50"))]
        return [act, *cells, cell("after", "received kB p50", of, 1), "{:.2f} [{:.2f}, {:.2f}]".format(*ratio) if ratio else "–"]

    started = sorted({r.variant for r in told.rows if r.metric == "row s"})
    start = [[v, cell(v, "row s", None, 1), *(cell(v, m) for m in ("visit ms", "second ms", "http kB", "received kB"))] for v in started]
    memory = [[v, *(cell(v, m) for m in MEMORY.values())] for v in sorted({r.variant for r in told.rows if r.metric == "rss MB"})]
    acts_ = sorted({r.segment.removeprefix("act=") for r in told.rows if r.segment and r.variant != "hour"})
    head = ["act", "before, ms", "after, ms", "after, p95", "server's share", "kB received", "after / before"]
    return {
        "start": _table(["", "start to first row, s", "visit to first row, ms", "another browser, ms", "HTTP, kB", "socket, kB"], start),
        "click": _table(head, [line(act) for act in acts_]),
        "memory": _table(["", "resident, MB", "proportional, MB", "own, MB"], memory),
    }


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---", *["---:"] * (len(head) - 1)], *rows)]
    return "\n".join(lines)


def main() -> None:
    """Write the report, and the page where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m recommender.loadtest.collect", description="A report of what browsers waited for.")
    parser.add_argument("paint", type=Path)
    parser.add_argument("hour", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where browser.json goes; the reports where there is none")
    parser.add_argument("--write", action="store_true", help="the tables of docs/performance.md, too")
    asked = parser.parse_args()
    load = lambda path: json.loads(path.read_text("utf-8"))
    path = write(report(load(asked.paint), load(asked.hour) if asked.hour else None), asked.out or settings().artifacts / "reports")
    Console().print(f"written to {path}", highlight=False)
    if asked.write:
        text = PAGE.read_text("utf-8")
        for name, table in tables(read(path)).items():
            text = between(text, f"speed: {name}", f"/speed: {name}", table)
        PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
