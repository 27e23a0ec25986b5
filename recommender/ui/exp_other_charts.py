"""The charts of other ways to test: viewers needed, on a scale of tenfolds, and what is lost on the way, day by day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recommender.ui.curves import spread
from recommender.ui.vega import IVORY, Spec, axis, dress, layer, n, named, names, q, reach, tips, within

Look = dict[str, tuple[str, str]]  # series -> (colour, shape)


def needed(points: pd.DataFrame, order: list[str], look: Look, most: float) -> Spec:
    """Viewers on a scale of tenfolds, cut off at `most`, for each row and series. points: row, series, x, lo, hi, said, hover, span."""
    low = max(1.0, float(np.nanmin(points[["x", "lo"]].to_numpy(float))) / 2)
    scale = {"type": "log", "domain": [low, most * 12], "nice": False}
    ticks = [10.0**e for e in range(int(np.ceil(np.log10(low))), int(np.log10(most)) + 1)]
    x = q("x", scale=scale, axis={"title": "viewers for a power of 80%", "values": ticks, "format": "~s", "grid": True})
    y, off = names(order), n("series", sort=list(look), scale={"domain": list(look)})
    colour, shape = _series(look)
    hover = tips(row="Pair", series="Test", hover="Viewers", span="95% interval")
    shown = points.assign(**{end: points[end].clip(upper=most) for end in ("x", "lo", "hi")}, far=points[["x", "hi"]].max(axis=1).clip(upper=most))
    return dress(
        [
            layer("rule", {"strokeWidth": 2.2}, x=q("lo", scale=scale), x2={"field": "hi"}, y=y, yOffset=off, color=colour, tooltip=hover),
            layer(
                "point",
                {"size": 60, "strokeWidth": 1.8, "filled": True, "opacity": 1},
                x=x,
                y=y,
                yOffset=off,
                color=colour,
                shape=shape,
                tooltip=hover,
            ),
            layer("text", {"align": "left", "dx": 8}, x=q("far", scale=scale), y=y, yOffset=off, text=n("said")),
        ],
        shown,
        len(order) * 46,
    )


def by_day(points: pd.DataFrame, title: str, look: Look, mark: str, height: int = 380) -> Spec:
    """A line a series over the days, with the band of most runs where there is one. points: series, day, y, lo, hi, said. Names stand at the ends."""
    days = sorted(points["day"].unique().tolist())
    low, high = reach(0.0, float(points[["y", "hi"]].max().max()), 0.04)
    ticks = [day for day in days if day % 7 == 0] or days
    x = q("day", axis={"title": "day", "grid": False, "values": ticks, "format": "d"}, scale=within(days[0] - 0.5, days[-1] * 1.6))
    y = lambda field: q(field, axis=axis(title, format=mark), scale=within(low, high))
    colour, _ = _series(look)
    ends = points[points["day"] == days[-1]].sort_values("y")
    ends = ends.assign(at=spread(ends["y"].to_numpy(), 0.065 * (high - low), high))
    hover = tips(series="Way", day="Day", said="Figure")
    return dress(
        [
            layer("area", {"opacity": 0.14}, "isValid(datum.lo)", x=x, y=y("lo"), y2={"field": "hi"}, color=colour, detail=n("series")),
            layer("line", {"strokeWidth": 2.2}, x=x, y=y("y"), color=colour, detail=n("series")),
            layer("point", {"opacity": 0, "size": 90}, x=x, y=y("y"), tooltip=hover),
            named(ends[["series", "day", "at"]], 9, x=x, y=y("at"), color=colour),
        ],
        points,
        height,
    )


def promised(spec: Spec, at: float, name: str) -> Spec:
    """The same chart with an upright line at what was promised, named above."""
    rows = [{"at": at, "name": name}]
    rule = layer("rule", {"color": IVORY, "strokeDash": [4, 4]}, rows=rows, x=q("at"))
    told = layer("text", {"align": "right", "dx": -3, "color": IVORY, "baseline": "middle"}, rows=rows, x=q("at"), y={"value": -9}, text=n("name"))
    return {**spec, "layer": [rule, *spec["layer"], told]}


def _series(look: Look) -> tuple[Spec, Spec]:
    """Colour and shape by series."""
    return (
        n("series", scale={"domain": list(look), "range": [colour for colour, _ in look.values()]}, legend=None),
        n("series", scale={"domain": list(look), "range": [shape for _, shape in look.values()]}, legend=None),
    )
