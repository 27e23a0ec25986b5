"""The section "Speed": what was measured beside its goals, under load, in a browser; and what this process is now."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from html import escape

import pandas as pd
import streamlit as st

from recommender.about.process import resident, versions
from recommender.about.speed import judged
from recommender.about.words import ABOUT
from recommender.serve.desk import shared
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.ui import exhibits, sys_browser, sys_charts, sys_load
from recommender.ui.reports import Opened, Shelf, beside
from recommender.ui.vega import wrapped
from recommender.ui.words import counted

COMMAND = "python -m recommender.bench --json artifacts/reports/bench.json"
SLOWEST = 3  # models that are drawn; the table has all


def section(service: Service, shelf: Shelf) -> None:
    """One of four looks at speed."""
    looks: dict[str, Callable[[], None]] = {
        "Against the goals": _goals,
        "Under load": partial(sys_load.section, shelf.found.get("load")),
        "In a browser": sys_browser.section,
        "This process": partial(_now, service),
    }
    names = list(looks)
    looks[exhibits.choose("speed", "Speed", names, names[0], str)]()


def _goals() -> None:
    """Each thing as a share of what its goal allows."""
    bench = beside("bench")
    if bench is None:
        return exhibits.missing("How fast is it, and how large?", "bench.json", COMMAND)
    rows = judged(bench.report, {name: about.short for name, about in ABOUT.items()})
    if not rows:
        raise ValueError("bench.json holds nothing that has a goal")
    models = [r for r in rows if r.part == "model"]
    shown = pd.DataFrame([r for r in rows if r.part != "model" or r in models[:SLOWEST]])
    late = [r for r in rows if not r.met]
    head = "Every goal is met on one core" if not late else f"{len(late)} of {len(rows)} goals {'is' if len(late) == 1 else 'are'} missed"
    missed = "; ".join(f"{r.row} ({r.said})" for r in late)
    unsure = sum(r.met and r.hi >= 1 for r in rows)
    near = f" Of {unsure} more the interval reaches over the goal." if unsure else ""
    slowest = (
        f"{models[0].row.partition(':')[0]}, the slowest of {counted(len(models), 'model')}, makes a list in {models[0].said}." if models else ""
    )
    sentence = f"{f'Over the goal: {missed}. ' if late else ''}{slowest} Times are what 99 of 100 calls stay under.{near}{_busy(bench)}"
    spec = sys_charts.goals(shown.assign(row=[wrapped(r) for r in shown["row"]]))
    exhibits.draw("goals", head, sentence, spec, bench, pd.DataFrame(rows))
    exhibits.key({"within the goal": (sys_charts.GOLD, "circle"), "over it": (sys_charts.LATE, "circle")})
    _table(bench)


def _busy(bench: Opened) -> str:
    """Whether the machine did more than this while it was measured."""
    machine = bench.report.more.get("machine", {})
    load, cores = float(machine.get("load", 0)), int(machine.get("cores", 1))
    return f" The machine was busy with more than this (load {load:g} on {cores} cores): a quiet one is faster." if load > cores else ""


def _table(bench: Opened) -> None:
    """All figures of the bench."""
    with st.expander("All figures as a table", icon=":material/table_rows:", key="mq_sys_bench"):
        wide = bench.table.pivot_table(index=["variant", "model"], columns="metric", values="mean", sort=False).reset_index()
        calls = bench.table.drop_duplicates(["variant", "model"])["n"].astype(int).tolist()
        names = {"variant": "part", "model": "what", "ms p50": "median, ms", "ms p99": "p99, ms", "s": "seconds"}
        st.dataframe(wide.assign(calls=calls).rename(columns=names), hide_index=True, width="stretch", height=420)


def _now(service: Service) -> None:
    """This process: since when, how large, on what."""
    since, now = shared(settings()).since, resident()
    started = datetime.fromtimestamp(since, UTC) if since else None
    cells = {
        f"{len(service.models)}": "models loaded",
        "–" if now is None else f"{now:,.0f} MB": "memory of this process now",
        _ago(time.time() - since) if since else "–": f"at work, since {started:%Y-%m-%d %H:%M} UTC" if started else "at work",
        f"{os.cpu_count()}": "cores of this machine",
    }
    on = ", ".join(f"{name} {version}" for name, version in versions().items())
    exhibits.title("This process, now", f"Release {service.version}, on {on}.")
    st.html(f'<div class="mq-ev mq-ev-sizes">{"".join(f"<div><b>{escape(v)}</b><span>{escape(k)}</span></div>" for v, k in cells.items())}</div>')
    st.caption("It keeps no times of its own pages. The REST API counts its answers and tells them at /metrics.")


def _ago(seconds: float) -> str:
    """'3 days', '2 hours', '5 minutes', 'a moment'."""
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return counted(int(seconds // size), name)
    return "a moment"
