"""The charts of the Context page: figures with intervals in rows, curves with intervals, heat maps, the rule and what was recovered of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from recommender.ui.curves import BLUE, BROKEN, GOLD, spread
from recommender.ui.measures import number, signed
from recommender.ui.vega import (
    DIM,
    FAMILIES,
    IVORY,
    NIGHT,
    RANGED,
    ROW,
    SOFT,
    ZERO,
    Spec,
    axis,
    dress,
    layer,
    n,
    named,
    names,
    q,
    reach,
    records,
    tips,
    within,
)
from recommender.ui.words import DEVICE

GREEN, PINK, GREY = FAMILIES["collaborative"][0], FAMILIES["content"][0], FAMILIES["baseline"][0]
DEVICE_LOOK = {"mobile": (BLUE, "triangle-up"), "tablet": (GREY, "cross"), "desktop": (GREEN, "square"), "tv": (GOLD, "circle")}
REAL, PLACEBO = "context", "context shuffled"
TRIAL_LOOK = {REAL: (GOLD, "circle"), PLACEBO: (GREY, "cross")}
COLD_TO_WARM = ["#62c0f3", "#2b5f7c", "#1b1613", "#7a521a", "#ffb52e"]  # blue less, amber more: two hues that every eye tells apart


def _series(look: dict[str, tuple[str, str]]) -> tuple[Spec, Spec]:
    """Colour and shape by series."""
    domain = list(look)
    return (
        n("series", scale={"domain": domain, "range": [colour for colour, _ in look.values()]}, legend=None),
        n("series", scale={"domain": domain, "range": [shape for _, shape in look.values()]}, legend=None),
    )


def intervals(
    points: pd.DataFrame,
    title: str,
    order: list[str],
    look: dict[str, tuple[str, str]],
    zero: str | None = None,
    domain: tuple[float, float] | None = None,
    mark: str = ".2~f",
) -> Spec:
    """A dot and whisker for each row and series. points: row, series, x, lo, hi, sure, said (beside the whisker), hover; lane where series share one.

    zero names an upright line at 0; domain is the reach of the axis, mark its number format. Hollow dots are not beyond noise.
    """
    low, high = domain or _reach(points, zero is not None)
    lanes = list(dict.fromkeys(points.get("lane", look)))
    off = n("lane" if "lane" in points else "series", sort=lanes, scale={"domain": lanes})
    x, y = q("x", axis=axis(title, format=mark), scale=within(low, high)), names(order)
    colour, shape = _series(look)
    ranged = bool(points["lo"].notna().any())
    hover = tips(row="Row", series="What", hover="Figure", **({"span": "95% interval"} if ranged else {}), n="Behind it")
    shown = points.assign(
        span=[f"{a} to {b}" for a, b in zip(points["lo"].map(number), points["hi"].map(number))], far=points["hi"].fillna(points["x"])
    )
    fill = {"condition": {"test": "datum.sure", **colour}, "value": NIGHT}
    place: dict[str, Any] = {"y": y, "yOffset": off} if len(lanes) > 1 else {"y": y}
    between: dict[str, Any] = {"x": q("lo", scale=within(low, high)), "x2": {"field": "hi"}}
    layers = [
        *([layer("rule", {"strokeWidth": 2.2, "clip": True}, RANGED, **between, color=colour, tooltip=hover, **place)] if ranged else []),
        layer("point", {"size": 46, "strokeWidth": 1.8, "opacity": 1}, x=x, stroke=colour, fill=fill, shape=shape, tooltip=hover, **place),
        layer("text", {"align": "left", "dx": 8}, x=q("far"), text=n("said"), **place),
    ]
    if zero is not None:
        rows = [{"at": 0.0, "name": zero}]
        layers.insert(0, layer("rule", {"color": IVORY, "strokeWidth": 1.4}, rows=rows, x=q("at", scale=within(low, high))))
        side = "left" if -low < 0.5 * (high - low) else "right"
        layers.append(layer("text", {"align": side, "color": IVORY, "baseline": "middle"}, rows=rows, x=q("at"), y={"value": -9}, text=n("name")))
    return dress(layers, shown, round(len(order) * (ROW if len(lanes) == 1 else 22 * len(lanes) if len(lanes) > 2 else 46)))


def _reach(points: pd.DataFrame, zero: bool) -> tuple[float, float]:
    ends = points[["lo", "x", "hi"]].to_numpy(float)
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    return reach(min(low, 0.0) if zero else low, max(high, 0.0) if zero else high, 0.34)


def curves(
    points: pd.DataFrame, x_title: str, y_title: str, look: dict[str, tuple[str, str]], zero: bool = False, mark: str = ".2~f", height: int = 360
) -> Spec:
    """Lines with bands. points: series, x, y, lo, hi, sure, hover; the names stand at the ends, moved apart. Hollow dots are not beyond noise."""
    low, high = reach(min(0.0, float(points["lo"].min())) if zero else float(points["lo"].min()), float(points["hi"].max()), 0.04)
    steps = sorted(points["x"].unique().tolist())
    room = (steps[-1] - steps[0]) or 1.0
    x = q(
        "x",
        axis={"title": x_title, "format": mark, "grid": False, "values": steps if len(steps) < 8 else np.linspace(steps[0], steps[-1], 5).tolist()},
        scale=within(steps[0] - 0.03 * room, steps[-1] + 0.62 * room),
    )
    y = q("y", axis=axis(y_title, format="+.3~f" if zero else ".2~f"), scale=within(low, high))
    colour, shape = _series(look)
    ends = points.assign(middle=points.groupby("series")["y"].transform("mean"), end=points["y"].round(3))
    ends = ends[points["x"] == steps[-1]].sort_values(["end", "middle"])
    ends = ends.assign(at=spread(ends["y"].to_numpy(), 0.07 * (high - low), high))
    hover = tips(series="What", hover="Figure", span="95% interval", n="Behind it")
    shown = points.assign(span=[f"{number(a)} to {number(b)}" for a, b in zip(points["lo"], points["hi"])])
    fill = {"condition": {"test": "datum.sure", **colour}, "value": NIGHT}
    bounds: dict[str, Any] = {"x": x, "y": q("lo", scale=within(low, high)), "y2": {"field": "hi"}, "color": colour}
    layers = [
        layer("area", {"opacity": 0.1}, RANGED, detail=n("series"), **bounds),
        layer("rule", {"strokeWidth": 2}, RANGED, tooltip=hover, **bounds),
        layer("line", {"strokeWidth": 2}, x=x, y=y, color=colour, detail=n("series")),
        layer("point", {"size": 52, "strokeWidth": 1.8, "opacity": 1}, x=x, y=y, stroke=colour, fill=fill, shape=shape, tooltip=hover),
        named(ends[["series", "x", "at"]], 12, x=x, y=q("at"), color=colour),
    ]
    if zero:
        layers.insert(0, layer("rule", {"color": IVORY, "strokeWidth": 1.4}, rows=[{"at": 0.0}], y=q("at", scale=within(low, high))))
    return dress(layers, shown, height)


def rule(points: pd.DataFrame) -> Spec:
    """Log-odds of each device for a film of a genre, the rule of the simulation. points: genre, series (device), x, said, hover."""
    order = points.groupby("genre")["x"].max().sort_values(ascending=False).index.tolist()
    low, high = reach(0.0, float(points["x"].max()), 0.66)
    colour, shape = _series(DEVICE_LOOK)
    x, y = q("x", axis=axis("log-odds at dose 1 · in brackets: the odds times"), scale=within(low, high)), names(order)
    hover = tips(row="Genre", series="Device", hover="Log-odds")
    return dress(
        [
            layer("rule", {"color": IVORY, "strokeWidth": 1.4}, rows=[{"at": 0.0}], x=q("at", scale=within(low, high))),
            layer(
                "rule",
                {"strokeWidth": 3, "strokeDash": [4, 3]},
                x=q("none", scale=within(low, high)),
                x2={"field": "x"},
                y=y,
                color=colour,
                tooltip=hover,
            ),
            layer("point", {"size": 90, "filled": True, "opacity": 1}, x=x, y=y, color=colour, shape=shape, tooltip=hover),
            layer("text", {"align": "left", "dx": 10, "fontSize": 12}, x=x, y=y, text=n("said"), color=colour),
        ],
        points.assign(row=points["genre"], none=0.0),
        len(order) * ROW,
    )


def running_time(points: pd.DataFrame, height: int) -> Spec:
    """Log-odds of the mobile device over the running time, a line for each dose. points: series (dose), minutes, x."""
    doses = list(dict.fromkeys(points["series"]))
    colour = n("series", scale={"domain": doses, "range": [SOFT, "#9fd3ee", BLUE][-len(doses) :]}, legend=None)
    x = q("minutes", axis={"title": "running time in minutes", "grid": False, "tickCount": 6}, scale=within(60, 235))
    y = q("x", axis=axis("log-odds of mobile", format="+.1~f"), scale=within(*reach(float(points["x"].min()), float(points["x"].max()))))
    ends = points[points["minutes"] == points["minutes"].max()]
    return dress(
        [
            layer("rule", {"color": IVORY, "strokeWidth": 1.4}, rows=[{"at": 0.0}], y=q("at")),
            layer("line", {"strokeWidth": 2.4, "strokeDash": [6, 4]}, x=x, y=y, color=colour, detail=n("series")),
            layer("text", {"align": "left", "dx": 6, "fontSize": 12}, rows=records(ends), x=x, y=y, text=n("series"), color=colour),
        ],
        points,
        height,
    )


def recovered(points: pd.DataFrame, height: int = 430) -> Spec:
    """What was learned over what was planted, in log-odds. points: device, genre, planted, recovered, lo, hi, n."""
    ends = points[["planted", "recovered", "lo", "hi"]].to_numpy(float)
    low, high = reach(float(np.nanmin(ends)), float(np.nanmax(ends)), 0.04)
    shown = points.assign(
        series=points["device"],
        value=[f"{signed(a, 2)} planted, {signed(b, 2)} recovered" for a, b in zip(points["planted"], points["recovered"])],
        span=[f"{signed(a, 2)} to {signed(b, 2)}" for a, b in zip(points["lo"], points["hi"])],
        name=_apart(points, high - low),
    )
    colour, shape = _series(DEVICE_LOOK)
    x = q("planted", axis=axis("planted log-odds", format="+.1~f", grid=False), scale=within(low, high))
    y = q("recovered", axis=axis("recovered log-odds", format="+.1~f"), scale=within(low, high))
    hover = tips(genre="Genre", series="Device", value="Log-odds", span="95% interval over draws", n="Viewers")
    return dress(
        [
            layer("line", BROKEN, rows=[{"planted": v, "recovered": v} for v in (low, high)], x=x, y=y),
            layer("rule", {"color": DIM, "opacity": 0.6}, rows=[{"at": 0.0}], y=q("at")),
            layer("rule", {"strokeWidth": 1.5, "opacity": 0.75}, RANGED, x=x, y=q("lo"), y2={"field": "hi"}, color=colour, tooltip=hover),
            layer("point", {"size": 70, "filled": True, "opacity": 1}, x=x, y=y, color=colour, shape=shape, tooltip=hover),
            layer("text", {"align": "left", "dx": 9, "dy": -5, "color": IVORY}, "datum.name != ''", x=x, y=y, text=n("name")),
        ],
        shown,
        height,
    )


def _apart(points: pd.DataFrame, span: float) -> list[str]:
    """Names of what was planted most, as far as there is room: the lines of the rule."""
    made, kept = [""] * len(points), list[tuple[float, float]]()
    place = points[["planted", "recovered"]].to_numpy(float)
    for i in np.argsort(-place[:, 0]).tolist():
        if place[i, 0] > 0.2 and all(abs(place[i, 0] - a) > 0.3 * span or abs(place[i, 1] - b) > 0.05 * span for a, b in kept):
            kept.append((place[i, 0], place[i, 1]))
            made[i] = f"{points['genre'].iloc[i]}, {DEVICE[points['device'].iloc[i]]}"
    return made


def heat(cells: pd.DataFrame, columns: list[str], order: list[str], most: float, hover: list[Spec]) -> Spec:
    """Rows by columns, blue for less and amber for more, `most` the brightest. cells: row, column, x, said, sure (outlined)."""
    look = {"title": None, "orient": "top", "labelAngle": 0, "labelColor": IVORY, "labelExpr": "split(datum.label, '\\n')", "labelPadding": 8}
    x = n("column", sort=columns, axis=look, scale={"domain": columns, "paddingInner": 0.04})
    y = {**names(order), "scale": {"domain": order, "paddingInner": 0.08}}
    colour = q("x", scale={"domain": [-most, -most / 2, 0, most / 2, most], "range": COLD_TO_WARM, "clamp": True, "interpolate": "rgb"}, legend=None)
    ink = {"condition": {"test": f"abs(datum.x) > {0.7 * most}", "value": "#17110d"}, "value": IVORY}
    return dress(
        [
            layer("rect", {"cornerRadius": 3}, x=x, y=y, tooltip=hover, color=colour),
            layer("rect", {"cornerRadius": 3, "fillOpacity": 0, "stroke": IVORY, "strokeWidth": 2}, "datum.sure", x=x, y=y),
            layer("text", {"fontSize": 12}, x=x, y=y, tooltip=hover, text=n("said"), color=ink),
        ],
        cells,
        len(order) * 27 + 20,
    )


def null(points: pd.DataFrame, title: str, order: list[str]) -> Spec:
    """A figure beside what chance makes of it (tick, and bar to chance_95). points: row, value, chance, chance_95, said, hover, sure."""
    low, high = 0.0, float(points[["value", "chance_95"]].max().max()) * 1.9
    scale = within(low, high)
    y = names(order)
    hover = tips(row="Signal", hover="Explained", by_chance="Shuffled within viewers")
    fill = {"condition": {"test": "datum.sure", "value": GOLD}, "value": NIGHT}
    return dress(
        [
            layer(
                "bar",
                {"height": 12, "color": "#4a4037", "cornerRadius": 2},
                x=q("none", scale=scale, axis=axis(title, format=".3~%")),
                x2={"field": "chance_95"},
                y=y,
                tooltip=hover,
            ),
            layer("tick", {"thickness": 2, "size": 18, "color": SOFT}, x=q("chance", scale=scale), y=y, tooltip=hover),
            layer("point", {"size": 80, "stroke": GOLD, "strokeWidth": 2, "opacity": 1}, x=q("value", scale=scale), y=y, fill=fill, tooltip=hover),
            layer("text", {"align": "left", "dx": 10, "fontSize": 12, "color": IVORY}, x=q("end", scale=scale), y=y, text=n("said")),
        ],
        points.assign(none=0.0, end=points[["value", "chance_95"]].max(axis=1)),
        len(order) * ROW,
    )


def funnel(points: pd.DataFrame) -> Spec:
    """How many are left at each step. points: row, users, said."""
    order = points["row"].tolist()
    high = float(points["users"].max()) * 1.5
    x, y = q("users", axis={"title": "viewers", "format": "~s", "tickCount": 4, "labelExpr": ZERO}, scale=within(0, high)), names(order)
    hover = tips(row="Step", said="Viewers")
    return dress(
        [
            layer("bar", {"color": GOLD, "opacity": 0.85, "cornerRadiusEnd": 3, "height": 16}, x=x, y=y, tooltip=hover),
            layer("text", {"align": "left", "dx": 7, "fontSize": 12, "color": IVORY}, x=x, y=y, text=n("said")),
        ],
        points,
        len(order) * ROW,
    )
