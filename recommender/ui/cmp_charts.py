"""The charts of the Compare page: heat maps of likeness, agreement by depth, and what all votes say."""

from __future__ import annotations

import pandas as pd

from recommender.ui.curves import spread
from recommender.ui.vega import FAMILIES, IVORY, NIGHT, RANGED, SOFT, Spec, axis, dress, layer, n, names, q, records, tips, within

GOLD = FAMILIES["hybrid"][0]
DARK_TO_LIT = {
    0.0: "#1b1613",
    0.25: "#3b2a14",
    0.5899: "#6b4716",
    0.5901: "#c0882a",
    1.0: GOLD,
}  # a step where the ink turns from light to dark: no shade between carries either
PAIRS = [colour for colour, _ in FAMILIES.values()]  # a line for each pair of four lists


def heat(cells: pd.DataFrame, labels: list[str]) -> Spec:
    """Lists by lists from 0 to 1, the numbers in the cells. cells: row, column, x, said; labels begin with the letter of the list."""
    look = {"title": None, "labelColor": IVORY, "labelFontSize": 12, "labelAngle": 0, "labelPadding": 8, "grid": False}
    above = {**look, "orient": "top", "labelExpr": "split(datum.label, ' ')[0]", "labelFontSize": 14}
    x = n("column", sort=labels, axis=above, scale={"domain": labels, "paddingInner": 0.05})
    y = n("row", sort=labels, axis={**look, "labelLimit": 176}, scale={"domain": labels, "paddingInner": 0.06})
    colour = q("x", scale={"domain": list(DARK_TO_LIT), "range": list(DARK_TO_LIT.values()), "interpolate": "rgb"}, legend=None)
    hover = tips(row="List", column="and", said="Alike")
    ink = {"condition": {"test": "datum.x > 0.59", "value": "#17110d"}, "value": IVORY}
    layers = [
        layer("rect", {"cornerRadius": 4}, x=x, y=y, color=colour, tooltip=hover),
        layer("text", {"fontSize": 15, "fontWeight": 600}, x=x, y=y, text=n("said"), color=ink, tooltip=hover),
    ]
    return dress(layers, cells, 58 * len(labels))


def depth(points: pd.DataFrame, height: int = 300) -> Spec:
    """A line for each pair over the depth, named at its end. points: pair, depth, x."""
    pairs, deepest = list(dict.fromkeys(points["pair"])), int(points["depth"].max())
    colour = n("pair", scale={"domain": pairs, "range": PAIRS[: len(pairs)]}, legend=None)
    ticks = {"title": "depth d", "grid": False, "values": [1, *range(5, deepest + 1, 5)]}
    x, y = q("depth", axis=ticks, scale=within(1, 1.12 * deepest)), q("x", axis=axis("in common", format=".0%"), scale=within(0, 1.02))
    ends = points.groupby("pair", sort=False).tail(1).sort_values("x")
    ends = ends.assign(at=spread(ends["x"].to_numpy(), 0.06, 1.0))
    shown = points.assign(share=[f"{100 * value:.0f}%" for value in points["x"]])
    hover = tips(pair="Lists", depth="Depth", share="In common")
    style = {"align": "left", "dx": 10, "fontSize": 13, "fontWeight": 600}
    return dress(
        [
            layer("line", {"strokeWidth": 2.2}, x=x, y=y, color=colour, detail=n("pair")),
            layer("point", {"size": 26, "filled": True, "opacity": 1}, x=x, y=y, color=colour, tooltip=hover),
            layer("text", style, rows=records(ends), x=x, y=q("at", scale=within(0, 1.02)), text=n("pair"), color=colour),
        ],
        shown,
        height,
    )


def tally(points: pd.DataFrame, title: str) -> Spec:
    """Shares with their intervals around one half. points: row, x, lo, hi, n, said, span; a hollow dot cannot be told from one half."""
    order, scale = points["row"].tolist(), within(0, 1)
    x = q("x", axis=axis(title, format=".0%", values=[0, 0.25, 0.5, 0.75, 1]), scale=scale)
    y, hover = names(order), tips(row="Counted", said="Share", span="95% interval")
    fill = {"condition": {"test": "datum.lo > 0.5 || (isValid(datum.hi) && datum.hi < 0.5)", "value": GOLD}, "value": NIGHT}
    return dress(
        [
            layer("rule", {"color": IVORY, "strokeWidth": 1.4}, rows=[{"at": 0.5}], x=q("at", scale=scale)),
            layer("rule", {"strokeWidth": 2.4, "color": GOLD}, RANGED, x=q("lo", scale=scale), x2={"field": "hi"}, y=y, tooltip=hover),
            layer("point", {"size": 70, "stroke": GOLD, "strokeWidth": 2, "opacity": 1}, x=x, y=y, fill=fill, tooltip=hover),
            layer("text", {"dy": -13, "fontSize": 12, "color": SOFT}, x=q("middle", scale=scale), y=y, text=n("said")),
        ],
        points.assign(middle=points["x"].clip(0.12, 0.88)),
        46 * len(order),
    )
