"""The part "In a browser": from click to paint, and what an hour of many browsers costs the process."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from recommender.ui import exhibits, sys_charts
from recommender.ui.measures import number
from recommender.ui.reports import Opened, beside
from recommender.ui.vega import wrapped

COMMAND = "python -m recommender.loadtest.browsers --browsers 50 --minutes 60 --out browsers.json"
CLICK, MEMORY = 200.0, 1000.0  # goals: ms from click to paint, MB of the process


def section() -> None:
    """Times and memory as far as the report has them, and all of it as a table; or the command that measures them."""
    opened = beside("browser")
    if opened is None:
        return exhibits.missing("How long from a click to what it paints?", "browser.json", COMMAND)
    points = _times(opened.table)
    if len(points):
        slowest = max(points.to_dict("records"), key=lambda r: r["ms"])
        late = sorted({r["row"] for r in points.to_dict("records") if r["ms"] >= CLICK})
        head = "Every click is painted in time" if not late else f"{len(late)} of {points['row'].nunique()} acts are painted late"
        said = f"The slowest is {slowest['row']}: {number(slowest['ms'])} ms ({slowest['metric'].removeprefix('ms ')}), the goal is {CLICK:g} ms."
        spec = sys_charts.times(points.assign(row=[wrapped(r) for r in points["row"]]), CLICK)
        exhibits.draw("paint", head, said, spec, opened, points)
        exhibits.key({**sys_charts.MARKED, **{kind: (colour, "square") for kind, colour in zip(sorted(set(points["workers"])), sys_charts.TONES)}})
    _memory(opened)
    with st.expander("All figures as a table", icon=":material/table_rows:", key="mq_sys_browser"):
        st.dataframe(opened.table.drop(columns=["label", "k", "spread"]), hide_index=True, width="stretch", height=420)


def _times(table: pd.DataFrame) -> pd.DataFrame:
    """Quantiles of the time by act, the slowest first: row, workers (which kind of time), metric, ms, lo, hi."""
    rows = table[table["metric"].isin(sys_charts.SHAPES)]
    made = rows.assign(row=rows["model"], workers=rows["variant"], ms=rows["mean"])[["row", "workers", "metric", "ms", "lo", "hi"]]
    order = made.groupby("row")["ms"].max().sort_values(ascending=False).index
    return made.set_index("row").loc[order].reset_index() if len(made) else made


def _memory(opened: Opened) -> None:
    """How large the process grew."""
    samples = pd.DataFrame(opened.report.more.get("samples") or [])
    if not {"minute", "rss_mb"} <= set(samples):
        return
    points = samples.assign(mb=samples["rss_mb"])[["minute", "mb"]]
    first, last, most = (float(v) for v in (points["mb"].iloc[0], points["mb"].iloc[-1], points["mb"].max()))
    head = "Memory stays under the goal" if most < MEMORY else "Memory goes over the goal"
    said = (
        f"{first:,.0f} MB at first, {last:,.0f} MB after {points['minute'].max():.0f} minutes, {most:,.0f} MB at most; the goal is {MEMORY:,.0f} MB."
    )
    exhibits.draw("memory", head, said, sys_charts.memory(points, MEMORY), opened, points)
