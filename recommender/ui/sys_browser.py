"""The part "In a browser": from click to paint, and what an hour of many browsers costs the process."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from recommender.about.speed import SERVED, clicks
from recommender.ui import exhibits, sys_charts
from recommender.ui.measures import number
from recommender.ui.reports import Opened, beside
from recommender.ui.vega import wrapped

COMMAND = "python -m recommender.loadtest.collect paint.json hour.json"  # docs/performance.md says how its two files are made


def section() -> None:
    """Times and memory as far as the report has them, and all of it as a table; or the command that measures them."""
    opened = beside("browser")
    if opened is None:
        return exhibits.missing("How long from a click to what it paints?", "browser.json", COMMAND)
    points = _times(opened.table)
    if len(points):
        (medians, late), goal, slow = clicks(opened.report), opened.report.more["goals"]["click"]["at_most"], points["row"].iloc[0]
        head = "Every act is painted in time, by its median" if not late else f"{len(late)} of {len(medians)} acts are painted late, by their medians"
        times = [f"{number(ms)} ms ({metric.removeprefix('ms ')})" for metric, ms in points[points["row"] == slow][["metric", "ms"]].values]
        said = f"The slowest is “{slow}”: {', '.join(times)}; the goal is {goal:g} ms."
        spec = sys_charts.times(points.assign(row=[wrapped(r) for r in points["row"]]), goal, "the median", "it is painted")
        exhibits.draw("paint", head, said, spec, opened, points)
        shapes = {name: look for name, look in sys_charts.MARKED.items() if name != "p99"}
        exhibits.key({**shapes, **{kind: (colour, "square") for kind, colour in zip(sorted(set(points["workers"])), sys_charts.TONES)}})
    _memory(opened)
    with st.expander("All figures as a table", icon=":material/table_rows:", key="mq_sys_browser"):
        st.dataframe(opened.table.drop(columns=["label", "k", "spread"]), hide_index=True, width="stretch", height=420)


def _times(table: pd.DataFrame) -> pd.DataFrame:
    """Quantiles of the time from click to paint by act, the slowest median first: row, workers (one kind), metric, ms, lo, hi."""
    rows = table[table["metric"].isin(sys_charts.SHAPES) & (table["variant"] == SERVED)]
    acts = [str(segment).removeprefix("act=") for segment in rows["segment"]]
    made = rows.assign(row=acts, workers="click to paint", ms=rows["mean"])[["row", "workers", "metric", "ms", "lo", "hi"]]
    order = made[made["metric"] == "ms p50"].groupby("row")["ms"].max().sort_values(ascending=False).index
    return made.set_index("row").loc[order].reset_index() if len(made) else made


def _memory(opened: Opened) -> None:
    """How large the process grew."""
    samples = pd.DataFrame(opened.report.more.get("samples") or [])
    if not {"minute", "rss_mb"} <= set(samples):
        return
    goal = opened.report.more["goals"]["memory"]["at_most"]
    points = samples.assign(mb=samples["rss_mb"])[["minute", "mb"]]
    first, last, most = (float(v) for v in (points["mb"].iloc[0], points["mb"].iloc[-1], points["mb"].max()))
    head = "Memory stays under the goal" if most < goal else "Memory goes over the goal"
    said = f"{first:,.0f} MB at first, {last:,.0f} MB after {points['minute'].max():.0f} minutes, {most:,.0f} MB at most; the goal is {goal:,.0f} MB."
    exhibits.draw("memory", head, said, sys_charts.memory(points, goal), opened, points)
    if hour := opened.report.more.get("hour"):
        data = "with MovieLens 1M" if hour["data"] else "without a data set"
        st.caption(f"{hour['browsers']} simulated browsers, {data}, at commit {hour['commit']}; nobody watched.")
