"""The charts of the plan of an experiment: power over viewers, the smallest effect over days."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from recommender.ui.curves import BLUE, GOLD, spread
from recommender.ui.exp_forest import over
from recommender.ui.vega import DIM, FAMILIES, IVORY, NIGHT, SOFT, ZERO, Spec, axis, dress, layer, n, names, q, records, tips, within

GREEN = FAMILIES["collaborative"][0]
PLACE = {"shape": "diamond", "size": 170, "filled": True, "color": IVORY, "opacity": 1}  # of this experiment
STEPS = [v * 10**e for e in range(1, 8) for v in (1, 3)]  # of an axis of viewers: 10, 30, 100, …


def days_of(days: int) -> list[int]:
    """Ticks of an axis of days, from 1: each, or every second, or every week."""
    return list(range(1, days + 1, 1 if days <= 14 else 2 if days <= 28 else 7))


def power_curves(points: pd.DataFrame, marks: pd.DataFrame, target: float, here: int, place: tuple[float, str], height: int = 380) -> Spec:
    """Power over viewers, a line for each effect. points: effect, viewers, power, chosen, plain (a broken line, no name), hover.

    marks: effect, viewers, power, said (where a line meets the target); here: viewers of this experiment; place: its power, and what that is called.
    """
    low, high = float(points["viewers"].min()), float(points["viewers"].max())
    ticks = [v for v in STEPS if low <= v <= high]
    look = {"title": "viewers in all", "grid": False, "values": ticks, "format": "~s", "labelOverlap": True}
    x = q("viewers", axis=look, scale={"type": "log", "domain": [low, high], "nice": False})
    y = q("power", axis=axis("chance to find it (power)", format=".0%"), scale=within(0, 1.04))
    ink = {"condition": {"test": "datum.chosen", "value": GOLD}, "value": BLUE}
    broad = {"condition": {"test": "datum.chosen", "value": 3}, "value": 1.8}
    hover = tips(effect="Effect", hover="Power", viewers="Viewers")
    hover[2] = q("viewers", title="Viewers", format=",.0f")
    inside = low <= here <= high
    rows = [{"viewers": min(max(here, low), high), "power": place[0], "name": place[1]}]
    side = {"align": "right", "dx": -10} if here > (low * high) ** 0.5 else {"align": "left", "dx": 10}
    layers = [
        layer("rule", {"color": DIM, "strokeDash": [4, 4]}, rows=[{"power": target, "name": f"target {target:.0%}"}], y=y),
        layer("rule", {"color": IVORY, "strokeWidth": 1.4, "strokeDash": [2, 3]}, rows=rows, x=x),
        layer("line", {"strokeWidth": 1.6, "strokeDash": [5, 4], "color": GOLD, "opacity": 0.75}, "datum.plain", x=x, y=y),
        layer("line", {}, "!datum.plain", x=x, y=y, detail=n("effect"), color=ink, strokeWidth=broad),
        layer("point", {"opacity": 0, "size": 120}, "!datum.plain", x=x, y=y, tooltip=hover),
        layer(
            "point", {"size": 60, "strokeWidth": 2, "opacity": 1, "fill": NIGHT}, rows=records(marks), x=x, y=y, stroke=ink,
            tooltip=tips(effect="Effect", said="Viewers for the target"),
        ),
        layer(
            "text", {"align": "right", "dx": -9, "dy": -9, "fontSize": 12}, rows=records(marks), x=x, y=y, text=n("effect"), color=ink,
        ),
        layer("text", {**side, "color": IVORY, "fontSize": 12, "baseline": "middle"}, rows=rows, x=x, y={"value": height - 14}, text=n("name")),
    ]  # fmt: skip
    if inside:
        layers.append(layer("point", PLACE, rows=rows, x=x, y=y))
    return dress(layers, points, height)


def detectable(points: pd.DataFrame, wanted: float, now: int, height: int = 380) -> Spec:
    """The smallest effect that would be found, over days. points: series, day (from 1), mde, viewers, chosen, hover.

    wanted: the effect that is looked for; now: the day that is read.
    """
    days = int(points["day"].max())
    high = max(min(float(points["mde"].max()), 4 * float(points["mde"].min())), wanted) * 1.12
    along = within(0.6, days * 1.34)
    x = q("day", axis={"title": "day of the experiment", "grid": False, "values": days_of(days)}, scale=along)
    y = q("mde", axis=axis("smallest effect found", format=".0%"), scale=within(0, high))
    ink = {"condition": {"test": "datum.chosen", "value": GOLD}, "value": SOFT}
    dash = {"condition": {"test": "datum.chosen", "value": [1, 0]}, "value": [5, 4]}
    hover = [n("series", title="Estimate"), q("day", title="Day"), n("hover", title="Smallest effect"), q("viewers", title="Viewers", format=",.0f")]
    ends = points[points["day"] == days].sort_values("mde")
    ends = ends.assign(at=spread(ends["mde"].to_numpy(float), 0.05 * high, high))
    clipped = {"clip": True}
    named = [{"mde": wanted, "from": 0.6, "to": days, "name": f"looked for: {100 * wanted:g}%"}]
    return dress(
        [
            layer("rule", {"color": GREEN, "strokeWidth": 1.6, "strokeDash": [4, 4]}, rows=named, x=q("from", scale=along), x2={"field": "to"}, y=y),
            layer("text", {"align": "left", "dx": 4, "dy": -8, "color": "#7fd6a8", "fontSize": 12}, rows=named, x={"value": 0}, y=y, text=n("name")),
            layer("rule", {"color": IVORY, "strokeWidth": 1.4, "strokeDash": [2, 3]}, rows=[{"day": now}], x=x),
            layer("line", {"strokeWidth": 2.4, **clipped}, x=x, y=y, color=ink, detail=n("series"), strokeDash=dash),
            layer("point", {"size": 50, "filled": True, "opacity": 1, **clipped}, x=x, y=y, color=ink, tooltip=hover),
            layer("point", PLACE, f"datum.chosen && datum.day == {now}", x=x, y=y),
            layer("text", {"align": "left", "dx": 10, "fontSize": 12}, rows=records(ends), x=x, y=q("at"), text=n("series"), color=ink),
        ],
        points,
        height,
    )  # fmt: skip


DOSES = ("#8a7d6b", "#9fd3ee", BLUE, GOLD, "#ff9d7a")  # from none to the strongest


def claims(points: pd.DataFrame, marks: pd.DataFrame, order: Sequence[str]) -> Spec:
    """Effects by metric, a lane a dose, with what is claimed. points: row, dose, x, lo, hi, sure, said, hover, n; marks: row, x, name."""
    lanes = list(dict.fromkeys(points["dose"]))
    low = min(0.0, float(points["lo"].min()))
    high = max(float(points["hi"].max()), float(marks["x"].max()) if len(marks) else 0.0)
    scale = within(low - 0.04 * (high - low), high + 0.2 * (high - low))
    tone = n("dose", scale={"domain": lanes, "range": [*DOSES[: len(lanes) - 1], DOSES[3]] if len(lanes) < 5 else list(DOSES)}, legend=None)
    y, lane = names(list(order)), n("dose", sort=lanes, scale={"domain": lanes, "paddingOuter": 0.4})
    hover = tips(row="Metric", dose="Dose", hover="Effect", n="Viewers")
    fill = {"condition": {"test": "datum.sure", **tone}, "value": NIGHT}
    x = q("x", scale=scale, axis=axis("effect of telling the context", format="+.0%", labelExpr=ZERO))
    far = points.assign(end=points["hi"].clip(upper=high))
    return dress(
        [
            layer("rule", {"color": IVORY, "strokeWidth": 1.4}, rows=[{"at": 0.0}], x=q("at", scale=scale)),
            layer("rule", {"strokeWidth": 2.2}, x=q("lo", scale=scale), x2={"field": "hi"}, y=y, yOffset=lane, color=tone, tooltip=hover),
            layer("point", {"size": 64, "strokeWidth": 2, "opacity": 1}, x=x, y=y, yOffset=lane, stroke=tone, fill=fill, tooltip=hover),
            layer(
                "tick",
                {"thickness": 3, "size": 96, "color": IVORY},
                rows=records(marks),
                x=q("x", scale=scale),
                y=y,
                tooltip=[n("name", title="Claim")],
            ),
            layer("text", {"color": IVORY, "dy": -58, "fontSize": 12}, rows=records(marks), x=q("x", scale=scale), y=y, text=n("name")),
            *over({"align": "left", "dx": 8, "fontSize": 11}, x=q("end", scale=scale), y=y, yOffset=lane, text=n("label"), color=tone),
        ],
        far.assign(label=[f"{d} {s}" for d, s in zip(far["dose"], far["said"])]),
        len(order) * 132,
    )
