"""The common look of all charts: Vega-Lite in few words, colours and shapes, named lines, labels.

Charts are Vega-Lite as plain dicts: written through Altair the same league took several times as long to build in every run.
"""

from __future__ import annotations

import math
import textwrap
from typing import Any

import pandas as pd

from recommender.ui.measures import number

Spec = dict[str, Any]

# Families by colour and by shape. Each colour has at least 4.5:1 on both surfaces of the theme, and any two stay apart under
# protanopia, deuteranopia and tritanopia (distance in OKLab at least .1 after Machado et al., IEEE TVCG 2009): tests/test_evaluation_page.py.
FAMILIES = {
    "hybrid": ("#ffb52e", "circle"),
    "sequential": ("#62c0f3", "triangle-up"),
    "collaborative": ("#16956d", "square"),
    "content": ("#d534ea", "diamond"),
    "baseline": ("#b3ab9f", "cross"),
    "other library": ("#eeece7", "triangle-down"),
}
NIGHT, GRID, IVORY, SOFT, DIM = "#100d0b", "#2a231d", "#f5ecdc", "#c3b6a2", "#a3967f"
ROW = 33  # px a model takes in a league
TOP = 34  # px above a plot, for the names of its lines
FONT = "Instrument Sans"
ZERO = "datum.value === 0 ? '0' : replace(datum.label, regexp('^([+−]?)0[.]([0-9]+)$'), '$1.$2')"  # 0 without sign, unit, decimals

# -- Vega-Lite in few words --------------------------------------------------------------------------------------------


def q(field: str, **more: Any) -> Spec:
    return {"field": field, "type": "quantitative", **more}


def n(field: str, **more: Any) -> Spec:
    return {"field": field, "type": "nominal", **more}


def tips(**titles: str) -> list[Spec]:
    """What hovering says: field=title; numbers of viewers with their thousands apart."""
    return [q(f, title=t, format=",.0f") if f == "n" else n(f, title=t) for f, t in titles.items()]


def layer(mark: str, style: Spec | None = None, where: str | None = None, rows: list[Spec] | None = None, **encoding: Any) -> Spec:
    """One layer over the chart's rows, those that `where` keeps, or over rows of its own."""
    made: Spec = {"mark": {"type": mark, **(style or {})}, "encoding": encoding}
    if where:
        made["transform"] = [{"filter": where}]
    if rows is not None:
        made["data"] = {"values": rows}
    return made


def records(rows: pd.DataFrame) -> list[Spec]:
    """Rows as plain values; what is no number is null."""
    return [{str(k): None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()} for row in rows.to_dict("records")]


def named(ends: pd.DataFrame, dx: int, **encoding: Any) -> Spec:
    """The names of lines, `dx` px behind their ends. ends: series, and what x and y name."""
    return layer("text", {"align": "left", "dx": dx, "fontSize": 12, "limit": 140}, rows=records(ends), text=n("series"), **encoding)


def dress(layers: list[Spec], rows: pd.DataFrame, height: int) -> Spec:
    """Layers over rows as one chart of a fixed height in the house's look."""
    words = {"labelColor": SOFT, "titleColor": SOFT, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500}
    return {
        "data": {"values": records(rows)},
        "layer": layers,
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},  # the height is that of the plot, axis and names come on top
        "background": "transparent",
        "padding": {"left": 2, "right": 6, "top": TOP, "bottom": 2},
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "mark": {"aria": False},  # a chart is told by its name and its axes; hundreds of marks named one by one tell nobody anything
            "axis": {**words, "gridColor": GRID, "domain": False, "ticks": False},
            "text": {"font": FONT, "color": SOFT, "fontSize": 11},
        },
    }


def axis(title: str | None, **more: Any) -> Spec:
    """A number axis; .25 instead of 0.25."""
    return {"title": title, "labelExpr": "replace(datum.label, regexp('^([+−]?)0[.]'), '$1.')", "tickCount": 5, **more}


def within(low: float, high: float) -> Spec:
    return {"domain": [low, high], "nice": False, "zero": False}


def reach(low: float, high: float, room: float = 0.0) -> tuple[float, float]:
    """A domain around [low, high] with `room` of its length more at the far end, for labels."""
    span = (high - low) or abs(high) or 1.0
    return low - 0.02 * span, high + (0.04 + room) * span


COLOURS = {"domain": list(FAMILIES), "range": [colour for colour, _ in FAMILIES.values()]}
COLOUR = n("family", scale=COLOURS, legend=None)
SHAPE = n("family", scale={"domain": list(FAMILIES), "range": [shape for _, shape in FAMILIES.values()]}, legend=None)
WHISKER = {"strokeWidth": 2.5}
RANGED = "isValid(datum.lo)"  # a figure that has an interval


def lines(at: dict[str, float | None], domain: tuple[float, float], across: bool = False) -> list[Spec]:
    """Chance and popularity as named lines, upright or across; one outside the domain is named at the edge it lies behind."""
    low, high = domain
    made = []
    for step, (name, value) in enumerate((name, v) for name, v in at.items() if v is not None):
        inside, place = low <= value <= high, min(max(value, low), high)
        arrow = "" if inside else ("▼ " if across else "◀ ") if value < low else ("▲ " if across else "▶ ")
        rows = [{"at": place, "name": f"{arrow}{name} {number(value)}"}]
        here = q("at", scale=within(low, high))
        if inside:
            rule = layer("rule", {"color": DIM, "strokeDash": [4, 4]}, rows=rows)
            made.append({**rule, "encoding": {"y" if across else "x": here, "tooltip": n("name", title="Line")}})
        if across:
            made.append(layer("text", {"align": "right", "dy": -6}, rows=rows, x={"value": "width"}, y=here, text=n("name")))
        else:
            left = place - low < 0.66 * (high - low)
            style = {"align": "left" if left else "right", "dx": 3 if left else -3, "baseline": "middle"}
            made.append(layer("text", style, rows=rows, x=here, y={"value": -8 - 13 * step}, text=n("name")))
    return made


def wrapped(label: str, timed: bool = False) -> str:
    """A label in at most two lines; ◷ marks what knows the moment of the request."""
    parts = textwrap.wrap(label, 27) or [label]
    parts = parts if len(parts) < 3 else [parts[0], textwrap.shorten(" ".join(parts[1:]), 27, placeholder="…")]
    return "\n".join(parts) + (" ◷" if timed else "")


def names(order: list[str]) -> Spec:
    """The labels of a league, one row each."""
    look = {
        "title": None,
        "labelExpr": "split(datum.label, '\\n')",
        "labelColor": IVORY,
        "labelFontSize": 12,
        "labelLimit": 176,
        "labelLineHeight": 12,
        "labelOverlap": False,
    }
    return n("row", sort=order, axis={**look, "labelPadding": 8, "grid": False}, scale={"domain": order, "paddingInner": 0.2, "paddingOuter": 0.3})
