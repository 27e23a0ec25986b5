"""A bandit over rows: what it loses on the way, where the visits go, and what is no longer known of the rows it left."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from recommender.ui import ctx_charts, exhibits, exp_frame
from recommender.ui import exp_other_charts as charts
from recommender.ui.ctx_charts import GREEN, GREY, PINK
from recommender.ui.curves import BLUE, GOLD
from recommender.ui.measures import number
from recommender.ui.reports import Opened
from recommender.ui.vega import Spec

SHADES = ((GOLD, "circle"), (BLUE, "triangle-up"), (GREEN, "square"), (PINK, "diamond"), (GREY, "cross"))
LEARNER, EVEN = "Thompson sampling", "equal shares"


def draw(opened: Opened) -> None:
    """Regret and the share of the best row by day; then what is known of each row at the end."""
    more = opened.report.more
    look = dict(zip(more["curves"], SHADES))
    regret, share = curves(more["curves"])
    head, sentence = bandit_said(opened)
    left, right = st.columns(2, gap="large")
    with left:
        exhibits.draw("ways_regret", head, sentence, _stamped(charts.by_day(regret, "clicks lost so far", look, "~s")), opened, regret)
    with right:
        best = more["rates"][0]
        said = f"Its rate is {best['rate']:.1%}, the next best {more['rates'][1]['rate']:.1%}. Simulated, mean of {more['runs']} runs."
        exhibits.draw(
            "ways_share",
            f"Visits that get the best row, {best['row']}",
            said,
            _stamped(charts.by_day(share, "share of visits", look, ".0%")),
            opened,
            share,
        )
    wide = known(more)
    order = list(dict.fromkeys(wide["row"]))
    spec = ctx_charts.intervals(wide, "width of the 95% interval of a row’s rate", order, look, None, (0.0, 2.1 * float(wide["x"].max())))
    exhibits.draw(
        "ways_known",
        "What is known of each row at the end, simulated",
        known_said(more),
        _stamped(spec),
        opened,
        wide.drop(columns=["said", "hover", "lo", "hi"]),
    )
    exhibits.key(look)
    st.caption(
        "Thompson sampling shows a row as often as it is likely to be the best; epsilon-greedy shows the best so far, but for a share of visits at "
        f"random. Simulated: {more['visitors']} visitors a day; the A/B test takes {more['tested']} days. A visit earns 1 where anything in the "
        "first row is clicked. Rates are known exactly and stay the same from day to day, which favours the bandit: weekends, novelty, habits "
        "would mislead it. Bands hold 95% of the runs."
    )


def _stamped(spec: Spec) -> Spec:
    return exp_frame.stamped(spec, "simulated")


def curves(found: dict[str, dict[str, list[float]]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Regret so far and share on the best row, by day: series, day, y, lo, hi, said."""
    regret, share = [], []
    for name, of in found.items():
        for day, (y, lo, hi, part) in enumerate(zip(of["regret"], of["lo"], of["hi"], of["share"], strict=True), 1):
            said = f"{number(y, 1)} clicks lost, {number(lo, 1)} to {number(hi, 1)}"
            regret.append({"series": name, "day": day, "y": y, "lo": lo, "hi": hi, "said": said})
            share.append({"series": name, "day": day, "y": part, "lo": math.nan, "hi": math.nan, "said": f"{part:.0%}"})
    return pd.DataFrame(regret), pd.DataFrame(share)


def bandit_said(opened: Opened) -> tuple[str, str]:
    """Who loses least, more than one where their intervals meet, and what each way costs with its interval over runs."""
    rows = opened.table[opened.table["metric"] == "regret"].sort_values("mean")
    found = rows.assign(lo=rows["lo"].fillna(rows["mean"]), hi=rows["hi"].fillna(rows["mean"]))
    leaders = found.loc[found["lo"] <= found["hi"].iloc[0], "model"].tolist()
    each = [
        f"{name} {number(mean, 0)}{f' [{number(lo, 0)}, {number(hi, 0)}]' if lo < hi else ''}"
        for name, mean, lo, hi in found[["model", "mean", "lo", "hi"]].values.tolist()
    ]
    head = f"{' and '.join(leaders)} {'loses' if len(leaders) == 1 else 'lose'} least, simulated"
    days = opened.report.more["days"]
    return head[0].upper() + head[1:], f"Clicks lost against the best row in {days} days, mean of runs: {'; '.join(each)}."


def known(more: dict[str, Any]) -> pd.DataFrame:
    """Width of what is known of each row at the end: row, series, x, sure, n (visits), said, hover; no interval."""
    rows = pd.DataFrame(more["known"])
    said = [f"{number(100 * x, 1)} points, {visits:,.0f} visits" for x, visits in zip(rows["width"], rows["visits"])]
    return pd.DataFrame(
        {
            "row": rows["row"], "series": rows["policy"], "x": rows["width"], "lo": math.nan, "hi": math.nan, "n": rows["visits"].round(),
            "sure": True, "said": said, "hover": said,
        }
    )  # fmt: skip


def known_said(more: dict[str, Any]) -> str:
    """The row that Thompson sampling knows least of, against equal shares, and how far adaptive means are off."""
    of = {(k["policy"], k["row"]): k for k in more["known"]}
    own = [k for k in more["known"] if k["policy"] == LEARNER]
    left = max(own, key=lambda k: k["width"])
    even, low = of[EVEN, left["row"]], [k for k in own if k["hi"] < 0]
    bias = "No row’s plain mean comes out surely too low"
    if low:
        worst = min(low, key=lambda k: k["bias"])
        bias = f"Plain means of {len(low)} of {len(own)} rows come out too low, most {worst['row']} by {number(-100 * worst['bias'], 2)} points"
    return (
        f"{LEARNER} gives {left['row']} {left['visits']:,.0f} visits and knows its rate to within {number(100 * left['width'], 1)} points; {EVEN} "
        f"give it {even['visits']:,.0f} and {number(100 * even['width'], 1)} points. {bias}. Simulated."
    )
