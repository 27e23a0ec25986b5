"""The section "Beyond one machine": what fitting and listing cost on Spark as the data grow."""

from __future__ import annotations

import json
from html import escape

import pandas as pd
import streamlit as st

from recommender.settings import settings
from recommender.ui import exhibits, sys_charts

COMMAND = "python -m recommender scale measure"
FILE = "scale.json"
MEASURES = {"seconds": "seconds", "cpu_seconds": "seconds of processor", "peak_mb": "memory, MB", "shuffle_mb": "shuffled, MB"}


def section() -> None:
    """Time and memory over interactions; or the command that measures them."""
    path = settings().artifacts / "reports" / FILE
    if not path.is_file():
        exhibits.missing("What does it cost to grow?", FILE, COMMAND)
        return
    report = json.loads(path.read_text("utf-8"))
    rows = pd.DataFrame(report["rows"])
    if rows.empty:
        raise ValueError(f"{FILE} holds no rows")
    rows = rows[rows["items"] == rows["items"].max()]
    slopes = {row["step"]: row for row in report.get("growth", [])}
    facts = report["facts"]
    made = f"{FILE} · {facts.get('date', '')} · {facts.get('cores', '?')} cores · `{COMMAND}`"
    left, right = st.columns(2, gap="large")
    for place, measure in ((left, "seconds"), (right, "peak_mb")):
        with place:
            spec = sys_charts.growth(rows, measure, MEASURES[measure])
            head, sentence = _said(rows, measure, slopes)
            sentence += _busy(rows, facts.get("runs", {})) if measure == "seconds" else ""
            exhibits.draw(f"scale_{measure}", head, sentence, spec, made, rows[["step", "interactions", "users", "items", measure]])
    exhibits.key(sys_charts.sizes(rows["interactions"].tolist()))
    _table(slopes)


def _said(rows: pd.DataFrame, measure: str, slopes: dict[str, dict]) -> tuple[str, str]:
    """How far it was measured, and what grows fastest."""
    sizes, most = sorted(set(rows["interactions"])), max(rows.to_dict("records"), key=lambda row: row[measure])
    span = f"{sizes[0]:,} to {sizes[-1]:,} interactions" if len(sizes) > 1 else f"{sizes[0]:,} interactions"
    what = "time" if measure == "seconds" else "memory"
    value = f"{most[measure]:,.0f} s" if measure == "seconds" else f"{most[measure] / 1000:,.1f} GB"
    sentence = f"{span}, {int(most['items']):,} films: the most {what} is that of {most['step']}, {value} at {int(most['interactions']):,}."
    if slopes:
        fastest = max(slopes.values(), key=lambda row: row[measure])
        over = "users who get lists" if fastest["step"].startswith("recommend") else "interactions"
        sentence += f" Fastest grows {fastest['step']}: as {over} to the power of {fastest[measure]:g}; 1 would be in proportion."
    return ("How time grows" if measure == "seconds" else "How memory grows"), sentence


def _busy(rows: pd.DataFrame, runs: dict[str, dict]) -> str:
    """How busy the machine was at each size: seconds on the clock count what else it did."""
    loads = [f"{runs[str(size)]['load']:g}" for size in sorted(set(rows["interactions"])) if str(size) in runs]
    return f" The machine was busy with more than this: load {', '.join(loads)}, from the smallest size on." if loads else ""


def _table(slopes: dict[str, dict]) -> None:
    """The powers with which each step grows."""
    if not slopes:
        return
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in MEASURES.values())
    rows = "".join(
        f"<tr><th scope=row>{escape(step)}</th>{''.join(f'<td>{float(row[m]):.2f}</td>' for m in MEASURES)}</tr>" for step, row in slopes.items()
    )
    st.html(
        '<div class="mq-ev mq-ev-box"><h3>Powers of growth</h3><p>The slope of the logarithm of each cost over that of the interactions, or of the '
        "users that lists are made for: 1 is in proportion, 0 does not grow.</p>"
        '<div class="mq-ev-scroll" tabindex="0" role="region" aria-label="Powers of growth">'
        f"<table><thead><tr><th scope=col>step</th>{head}</tr></thead><tbody>{rows}</tbody></table></div></div>"
    )
