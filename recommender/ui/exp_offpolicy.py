"""Off-policy estimates against the truth: how far off, how often their intervals hold it, and how much of a log is left."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from recommender.ui import ctx_charts, exhibits, exp_frame
from recommender.ui import exp_other_charts as charts
from recommender.ui.ctx_charts import GREEN, GREY
from recommender.ui.curves import BLUE, GOLD
from recommender.ui.exp_figures import percent
from recommender.ui.measures import number, signed
from recommender.ui.reports import Opened

PLAIN = "mean of the log"  # what is said without weights
METHODS = {PLAIN: (GREY, "cross"), "IPS": (BLUE, "triangle-up"), "SNIPS": (GREEN, "square"), "DR": (GOLD, "circle")}
MEASURES = {"RMSE": "Error", "bias": "Bias", "coverage": "Coverage"}
PROMISED = 0.95


def draw(opened: Opened) -> None:
    """Choices of new policy and measure, and the chart; what is refused stands below."""
    more, table = opened.report.more, opened.table
    policies = [name for name in more["policies"] if f"policy={name}" in set(table["segment"])]
    with st.container(horizontal=True, gap="medium", key="mq_xp_off_choices"):
        policy = exhibits.choose("off-policy", "New policy", policies, policies[-1], str.capitalize)
        measure = exhibits.choose("off-measure", "Measured", list(MEASURES), "RMSE", lambda m: MEASURES[m])
    points = judged(opened, policy, measure)
    low = float(points[["x", "lo"]].min().min())
    domain = (max(0.0, low - 0.1), 1.08) if measure == "coverage" else None
    titles = {"RMSE": "error against the truth, clicks a visit", "bias": "bias, clicks a visit", "coverage": "95% intervals that hold the truth"}
    zero = "no bias" if measure == "bias" else None
    spec = ctx_charts.intervals(points, titles[measure], list(dict.fromkeys(points["row"])), METHODS, zero, domain, ".3~f")
    spec = charts.promised(spec, PROMISED, "promised") if measure == "coverage" else spec
    head, sentence = judged_said(opened, policy)
    exhibits.draw(
        f"ways_off_{measure.lower()}",
        head,
        sentence,
        exp_frame.stamped(spec, "simulated"),
        opened,
        points.drop(columns=["said", "hover", "lane"], errors="ignore"),
    )
    exhibits.key(METHODS)
    says, refused = more["policies"], more["refused"]
    left = f"Refused: “{refused['says']}”. {refused['refused']}." if refused["refused"] else f"“{refused['says']}” is not refused."
    st.caption(
        f"Simulated. Only the first film of a list is judged, drawn by lot so that its chance is known: {says['logging']['says']}. New policy: "
        f"{says[policy]['says']}. IPS weighs a visit by how much likelier the new policy shows its film, SNIPS divides by the sum of the weights, "
        f"DR adds a model of the clicks. {left} Weights alone would have said {number(refused['IPS'])}; the truth is {number(refused['value'])}."
    )


def judged(opened: Opened, policy: str, measure: str) -> pd.DataFrame:
    """One measure of every method and size of log: row, series, x, lo, hi, n (logs), sure, said, hover."""
    rows = opened.table[(opened.table["segment"] == f"policy={policy}") & (opened.table["metric"] == measure)]
    said = [f"{x:.0%}" if measure == "coverage" else signed(x, 4) if measure == "bias" else number(x, 4) for x in rows["mean"]]
    return pd.DataFrame(
        {
            "row": rows["variant"], "series": rows["model"], "x": rows["mean"], "lo": rows["lo"], "hi": rows["hi"], "n": rows["n"],
            "sure": True, "said": said, "hover": said,
        }
    )  # fmt: skip


def judged_said(opened: Opened, policy: str) -> tuple[str, str]:
    """Headline and sentence for the largest log: what is nearest, what the plain mean is off by, and how large the log really is."""
    more = opened.report.more
    size = [e for e in more["effective"] if e["policy"] == policy][-1]
    rows = opened.table[(opened.table["segment"] == f"policy={policy}") & (opened.table["variant"] == f"{size['visits']:,} visits")]
    error, held = (rows[rows["metric"] == name].set_index("model")["mean"] for name in ("RMSE", "coverage"))
    own = error.drop(PLAIN)
    best, least, most = str(own.idxmin()), held[list(own.index)].min(), held[list(own.index)].max()
    gain = more["policies"][policy]["value"] / more["policies"]["logging"]["value"] - 1
    low, high = (rows[rows["metric"] == "RMSE"].set_index("model")[end].to_dict() for end in ("lo", "hi"))
    head = f"No estimate comes surely nearer than the plain mean of the log for the {policy} policy, simulated"
    if high[best] < low[PLAIN]:
        head = f"{best} comes nearest for the {policy} policy, simulated"
    elif high[PLAIN] < low[best]:
        head = f"The plain mean of the log comes nearest for the {policy} policy, simulated"
    return head, (
        f"The {policy} policy truly earns {percent(gain)} against the log. With {size['visits']:,} visits {best} is off by {number(own.min(), 4)}, "
        f"the plain mean of the log by {number(error[PLAIN], 4)}. The weights leave {size['ess']:,.0f} effective visits; the heaviest counts "
        f"{number(size['largest'], 1)} times. 95% intervals by weights hold the truth in {least:.0%} to {most:.0%} of {more['samples']} logs, those "
        f"of the plain mean in {held[PLAIN]:.0%}."
    )
