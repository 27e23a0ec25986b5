"""The charts of an experiment's health: who came, in which shares, how alike the arms were before; and what many A/A runs gave."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recommender.ui.curves import BLUE, GOLD, spread
from recommender.ui.exp_curves import days_of
from recommender.ui.exp_words import LOOKS
from recommender.ui.vega import DIM, FAMILIES, IVORY, NIGHT, RANGED, SOFT, ZERO, Spec, axis, dress, layer, n, names, q, records, tips, within

ALARM, CALM = LOOKS["invalid"].tone, LOOKS["ship"].tone
ARMS = (SOFT, GOLD, BLUE, FAMILIES["collaborative"][0], FAMILIES["content"][0])  # by number, the control first
SHAPES = ("square", "circle", "triangle-up", "diamond", "cross")
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LANE = 54  # px an arm takes


def _arm(order: Sequence[str]) -> tuple[Spec, Spec]:
    """Colour and shape by arm."""
    look = lambda those: {"domain": list(order), "range": [those[i % len(those)] for i in range(len(order))]}
    return n("arm", scale=look(ARMS), legend=None), n("arm", scale=look(SHAPES), legend=None)


def exposures(points: pd.DataFrame, order: Sequence[str], days: int, height: int = 440) -> Spec:
    """Viewers a day: who came as lines, who came for the first time as bars. points: arm, day (from 1), new, came. days: of the plan."""
    colour, shape = _arm(order)
    last, high = int(points["day"].max()), 1.12 * float(points[["came", "new"]].to_numpy().max())
    wide = max(days, last)
    x = q("day", axis={"title": "day of the experiment", "grid": False, "values": days_of(wide)}, scale=within(0.4, wide * 1.24))
    y = q("came", axis={"title": "viewers", "format": "~s", "tickCount": 5, "labelExpr": ZERO}, scale=within(0, high))
    half = 0.36 / len(order)
    bars = points.assign(
        left=[day + (2 * order.index(arm) - len(order)) * half for day, arm in zip(points["day"], points["arm"])],
    )
    bars = bars.assign(right=bars["left"] + 2 * half * 0.86, none=0)
    ends = points[points["day"] == last].sort_values("came")
    ends = ends.assign(at=spread(ends["came"].to_numpy(float), 0.07 * high, high))
    hover = [
        n("arm", title="Arm"),
        q("day", title="Day"),
        q("came", title="Came", format=",.0f"),
        q("new", title="For the first time", format=",.0f"),
    ]
    return dress(
        [
            layer(
                "rect", {"opacity": 0.5, "cornerRadius": 1}, rows=records(bars), x=q("left", scale=within(0.4, wide * 1.24)), x2={"field": "right"},
                y=q("none", scale=within(0, high)), y2={"field": "new"}, color=colour, tooltip=hover,
            ),
            layer("line", {"strokeWidth": 2.2}, x=x, y=y, color=colour),
            layer(
                "point", {"filled": True, "size": 60, "opacity": 1, "stroke": NIGHT, "strokeWidth": 1},
                x=x, y=y, color=colour, shape=shape, tooltip=hover,
            ),
            layer("text", {"align": "left", "dx": 11, "fontSize": 12, "limit": 130}, rows=records(ends), x=x, y=q("at"), text=n("arm"), color=colour),
        ],
        points,
        height,
    )  # fmt: skip


def ratio(points: pd.DataFrame) -> Spec:
    """Shares of the viewers: found (dot), planned (tick), and as far as chance goes (band). points: row, found, planned, lo, hi, ok, said, hover."""
    ends = points[["found", "planned", "lo", "hi"]].to_numpy(float)
    room = float(ends.max() - ends.min()) or 0.01
    scale = within(float(ends.min()) - 0.25 * room, float(ends.max()) + 1.1 * room)
    order = points["row"].tolist()
    y = names(order)
    x = q("found", axis=axis("share of the viewers who came", format=".1%"), scale=scale)
    ink = {"condition": {"test": "datum.ok", "value": CALM}, "value": ALARM}
    shape = {"condition": {"test": "datum.ok", "value": "circle"}, "value": "cross"}
    hover = tips(row="Arm", said="Found", hover="Planned")
    return dress(
        [
            layer("bar", {"height": 20, "color": "#4a4037", "cornerRadius": 3}, x=q("lo", scale=scale), x2={"field": "hi"}, y=y, tooltip=hover),
            layer("tick", {"thickness": 2, "size": 34, "color": IVORY}, x=q("planned", scale=scale), y=y, tooltip=hover),
            layer("rule", {"strokeWidth": 2}, x=q("planned", scale=scale), x2={"field": "found"}, y=y, color=ink),
            layer("point", {"size": 150, "filled": True, "opacity": 1}, x=x, y=y, color=ink, shape=shape, tooltip=hover),
            layer("text", {"align": "left", "dx": 12, "fontSize": 12, "color": IVORY}, x=q("far", scale=scale), y=y, text=n("said")),
        ],
        points.assign(far=points[["found", "hi"]].max(axis=1)),
        len(order) * LANE,
    )


def daily(points: pd.DataFrame, alarm: float, height: int = 190) -> Spec:
    """The p-value that may be looked at daily, on a logarithmic axis. points: day (from 1), p (above 0), said."""
    last, low = int(points["day"].max()), min(float(points["p"].min()) / 3, alarm / 10)
    x = q("day", axis={"title": "day of the experiment", "grid": False, "values": days_of(last)}, scale=within(0.6, last + 0.6))
    ticks = [10.0**e for e in range(0, -60, -max(1, round(-np.log10(low) / 4))) if 10.0**e >= low]
    y = q(
        "p",
        axis={"title": "p, valid at every look", "values": ticks, "labelExpr": tenfolds(ticks)},
        scale={"type": "log", "domain": [low, 1.6], "nice": False},
    )
    ink = {"condition": {"test": f"datum.p < {alarm}", "value": ALARM}, "value": CALM}
    shape = {"condition": {"test": f"datum.p < {alarm}", "value": "cross"}, "value": "circle"}
    named = [{"p": alarm, "name": "alarm below .001"}]
    return dress(
        [
            layer("rule", {"color": ALARM, "strokeDash": [4, 4], "strokeWidth": 1.6}, rows=named, y=y),
            layer("text", {"align": "right", "dy": -8, "color": ALARM, "fontSize": 12}, rows=named, x={"value": "width"}, y=y, text=n("name")),
            layer("line", {"strokeWidth": 1.8, "color": SOFT}, x=x, y=y),
            layer("point", {"filled": True, "size": 80, "opacity": 1}, x=x, y=y, color=ink, shape=shape, tooltip=tips(day="Day", said="p")),
        ],
        points,
        height,
    )


def tenfolds(ticks: Sequence[float]) -> str:
    """What stands at each tick: 1, .1, .01, .001, 10⁻⁴ and so on."""
    powers = [round(np.log10(tick)) for tick in ticks]
    said = {e: f"10{str(e).translate(RAISED)}" if e < -3 else f"{10.0**e:g}".removeprefix("0") for e in powers}
    return f"({ {str(-e): name for e, name in said.items()} })['' + round(-log(datum.value) / LN10)]"


def love(points: pd.DataFrame, order: Sequence[str], arms: Sequence[str], edge: float) -> Spec:
    """Standardised differences before the experiment. points: row, arm, d, lo, hi, ok, hover, span; edge: where a difference is called one."""
    most = 1.15 * max(edge, float(points[["lo", "hi"]].abs().to_numpy().max()))
    scale = within(-most, most)
    colour, shape = _arm(arms)
    y = names(list(order))
    place: Spec = {"y": y, "yOffset": n("arm", sort=list(arms))} if points["arm"].nunique() > 1 else {"y": y}
    hover = tips(row="Metric", arm="Arm", hover="Difference", span="95% interval")
    fill = {"condition": {"test": "datum.ok", "value": NIGHT}, "value": ALARM}
    x = q("d", axis=axis("difference, in standard deviations", format="+.2~f", labelExpr=ZERO), scale=scale)
    return dress(
        [
            layer("rect", {"color": CALM, "opacity": 0.08}, rows=[{"from": -edge, "to": edge}], x=q("from", scale=scale), x2={"field": "to"}),
            layer("rule", {"color": IVORY, "strokeWidth": 1.4}, rows=[{"at": 0.0}], x=q("at", scale=scale)),
            layer("rule", {"color": DIM, "strokeDash": [4, 4]}, rows=[{"at": -edge}, {"at": edge}], x=q("at", scale=scale)),
            layer("rule", {"strokeWidth": 2.2}, RANGED, x=q("lo", scale=scale), x2={"field": "hi"}, color=colour, tooltip=hover, **place),
            layer("point", {"size": 90, "strokeWidth": 2, "opacity": 1}, x=x, stroke=colour, fill=fill, shape=shape, tooltip=hover, **place),
        ],
        points,
        len(order) * 36,
    )


def alarms(points: pd.DataFrame, level: float, order: Sequence[str]) -> Spec:
    """How often runs without an effect are called one, with intervals, by method. points: row, rate, lo, hi, ok, said."""
    high = 1.5 * max(float(points["hi"].max()), 2 * level)
    scale = within(0, high)
    y = names(list(order))
    ink = {"condition": {"test": "datum.ok", "value": CALM}, "value": ALARM}
    shape = {"condition": {"test": "datum.ok", "value": "circle"}, "value": "cross"}
    named = [{"at": level, "name": f"promised: {100 * level:g}%"}]
    hover = tips(row="Method", said="False alarms")
    x = q("lo", scale=scale, axis=axis("runs in which nothing is called an effect", format=".0%"))
    return dress(
        [
            layer("rule", {"color": IVORY, "strokeDash": [4, 4], "strokeWidth": 1.5}, rows=named, x=q("at", scale=scale)),
            layer("text", {"align": "left", "baseline": "middle", "dx": 3, "color": IVORY}, rows=named, x=q("at"), y={"value": -9}, text=n("name")),
            layer("rule", {"strokeWidth": 2.4}, x=x, x2={"field": "hi"},
                  y=y, color=ink, tooltip=hover),
            layer("point", {"size": 110, "filled": True, "opacity": 1}, x=q("rate", scale=scale), y=y, color=ink, shape=shape, tooltip=hover),
            layer("text", {"align": "right", "fontSize": 12, "color": IVORY}, x={"value": "width"}, y=y, text=n("said")),
        ],
        points,
        len(order) * 60,
    )  # fmt: skip


def histogram(points: pd.DataFrame, level: float, height: int = 300) -> Spec:
    """p-values of runs without an effect, flat where the method is sound.

    points: left, right, runs, expected, lo, hi (as far as chance goes), said, chance.
    """
    high = 1.25 * float(points[["runs", "hi"]].to_numpy().max())
    x = q("left", axis=axis("p-value of a run", grid=False, values=[0, 0.25, 0.5, 0.75, 1], format=".2~f"), scale=within(0, 1))
    y = q("runs", axis={"title": "runs", "tickCount": 5}, scale=within(0, high))
    ink = {"condition": {"test": f"datum.right <= {level} + 1e-9", "value": ALARM}, "value": GOLD}
    hover = [n("said", title="p"), q("runs", title="Runs"), n("chance", title="Chance gives")]
    return dress(
        [
            layer(
                "rect", {"color": "#4a4037", "opacity": 0.75}, x=q("left", scale=within(0, 1)), x2={"field": "right"}, y=q("lo"), y2={"field": "hi"}
            ),
            layer(
                "rect",
                {"opacity": 0.82, "stroke": NIGHT, "strokeWidth": 2},
                x=x,
                x2={"field": "right"},
                y=y,
                y2={"field": "none"},
                color=ink,
                tooltip=hover,
            ),
            layer(
                "rule",
                {"color": IVORY, "strokeDash": [4, 4], "strokeWidth": 1.5},
                rows=records(points[["expected"]].head(1)),
                y=q("expected", scale=within(0, high)),
            ),
        ],
        points.assign(none=0),
        height,
    )


TONES = {look.word: look.tone for look in LOOKS.values()}


def verdicts(points: pd.DataFrame, order: Sequence[str]) -> Spec:
    """Shares of verdicts as one bar a kind of experiment. points: row, verdict, share, n. Words stand in the bars that have room."""
    look = {"domain": list(TONES), "range": list(TONES.values())}
    place = points.assign(to=points.groupby("row")["share"].cumsum())
    place = place.assign(left=place["to"] - place["share"], middle=place["to"] - place["share"] / 2)
    place["said"] = [f"{v} {100 * s:.0f}%" if s >= 0.5 else f"{100 * s:.0f}%" if s >= 0.07 else "" for v, s in zip(place["verdict"], place["share"])]
    y, scale = names([*order]), within(0, 1)
    hover = [n("row", title="Planted"), n("verdict", title="Verdict"), q("share", title="Runs", format=".1%"), q("n", title="Of", format=",.0f")]
    x = q("left", scale=scale, axis={"title": "share of the runs", "format": ".0%", "tickCount": 5})
    tone = n("verdict", scale=look, legend=None)
    bar = {"height": 26, "stroke": NIGHT, "strokeWidth": 2}
    return dress(
        [
            layer("bar", bar, "datum.share > 0", x=x, x2={"field": "to"}, y=y, color=tone, tooltip=hover),
            layer("text", {"color": "#17110d", "fontSize": 12, "fontWeight": 600}, x=q("middle", scale=scale), y=y, text=n("said"), tooltip=hover),
        ],
        place,
        len(order) * 42,
    )
