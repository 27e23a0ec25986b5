"""Curves and bars of the Evaluation page: cold start, calibration of stars, context, and what the data are like."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recommender.ui.league import LINES
from recommender.ui.measures import chance_of, number, ranged, signed
from recommender.ui.vega import (
    COLOUR,
    DIM,
    FAMILIES,
    IVORY,
    NIGHT,
    RANGED,
    ROW,
    SHAPE,
    SOFT,
    WHISKER,
    Spec,
    axis,
    dress,
    layer,
    lines,
    n,
    names,
    q,
    reach,
    records,
    tips,
    within,
    wrapped,
)

GOLD, BLUE = FAMILIES["hybrid"][0], FAMILIES["sequential"][0]
BROKEN = {"color": DIM, "strokeDash": [4, 4], "strokeWidth": 1.6}


def cold_start(points: pd.DataFrame, title: str, marks: pd.DataFrame, height: int = 440) -> Spec:
    """Accuracy over the number of ratings known, in equal steps. points: model, label, family, known, mean, lo, hi, n; marks: at, name, shade.

    Popularity and chance are the broken lines; the names stand at the ends, moved apart.
    """
    steps = sorted(points["known"].unique().tolist())
    shown = points.assign(
        step=[steps.index(k) for k in points["known"]],
        value=[number(x) for x in points["mean"]],
        range=[ranged(lo, hi) for lo, hi in zip(points["lo"], points["hi"])],
        line=points["model"].isin(LINES),
    )
    low, high = reach(min(0.0, float(shown[["lo", "mean"]].min().min())), float(shown[["hi", "mean"]].max().max()))
    ends = shown[shown["step"] == len(steps) - 1].sort_values("mean")
    ends = ends.assign(
        at=spread(ends["mean"].to_numpy(), 0.045 * (high - low), high), name=[wrapped(label).split("\n")[0] for label in ends["label"]]
    )
    ticks = {"title": "ratings known of the viewer", "values": list(range(len(steps))), "labelExpr": f"{steps}[datum.value]", "grid": False}
    x = q("step", axis=ticks, scale=within(-0.15, len(steps) * 1.36))
    y, detail = q("mean", axis=axis(title), scale=within(low, high)), n("label")
    hover = tips(label="Model", known="Ratings known", value=title, range="95% interval", n="Viewers")
    marks = marks.assign(step=np.interp(marks["at"].astype(float), steps, range(len(steps))))
    layers = [
        layer("area", {"opacity": 0.13}, f"!datum.line && {RANGED}", x=x, y=q("lo"), y2={"field": "hi"}, color=COLOUR, detail=detail),
        layer("line", {"strokeWidth": 2.2}, "!datum.line", x=x, y=y, color=COLOUR, detail=detail),
        layer("point", {"filled": True, "size": 55, "opacity": 1}, "!datum.line", x=x, y=y, color=COLOUR, shape=SHAPE, tooltip=hover),
        layer("line", BROKEN, "datum.line", x=x, y=y, detail=detail),
        layer("point", {"opacity": 0, "size": 90}, "datum.line", x=x, y=y, tooltip=hover),
        layer(
            "text",
            {"align": "left", "dx": 9, "color": IVORY, "fontSize": 12, "limit": 120},
            rows=records(ends[["step", "at", "name"]]),
            x=x,
            y=q("at"),
            text=n("name"),
        ),
    ]
    for i, row in enumerate(records(marks)):
        layers.append(layer("rule", {"color": row["shade"], "strokeDash": [2, 3]}, rows=[row], x=x))
        inward = {"align": "right", "dx": 0} if row["step"] > 0.4 * len(steps) else {"align": "left", "dx": 3}  # the names of lines are to the right
        layers.append(
            layer(
                "text",
                {**inward, "baseline": "middle", "color": row["shade"]},
                rows=[row],
                x=x,
                y={"value": -6 - 13 * (i % 2)},
                text=n("name"),
            )
        )
    return dress(layers, shown, height)


def spread(at: np.ndarray, gap: float, high: float) -> np.ndarray:
    """Sorted heights moved apart to at least `gap`, the highest not above `high`."""
    made = at.astype(float).copy()
    for i in range(1, len(made)):
        made[i] = max(made[i], made[i - 1] + gap)
    for i in range(len(made) - 1, -1, -1):
        made[i] = min(made[i], high - gap * (len(made) - 1 - i))
    return made


def calibration(points: pd.DataFrame, height: int = 430) -> Spec:
    """Stars given over stars predicted, with intervals. points: label, family, predicted, observed, lo, hi, n."""
    shown = points.assign(
        value=[f"{x:.2f}" for x in points["observed"]],
        said=[f"{x:.2f}" for x in points["predicted"]],
        range=[f"{a:.2f} to {b:.2f}" for a, b in zip(points["lo"], points["hi"])],
    )
    whole = [1, 2, 3, 4, 5]
    x = q("predicted", scale=within(1, 5), axis={"title": "stars predicted", "values": whole, "grid": False, "format": "d"})
    y = q("observed", scale=within(1, 5), axis={"title": "stars given, on average", "values": whole, "format": "d"})
    hover = [*tips(label="Model", said="Predicted", value="Given", range="95% interval"), q("n", title="Ratings", format=",.0f")]
    size = q("n", scale={"range": [25, 420]}, legend=None)
    layers = [
        layer("line", BROKEN, rows=[{"predicted": 1, "observed": 1}, {"predicted": 5, "observed": 5}], x=x, y=y),
        layer("line", {"strokeWidth": 1.6, "opacity": 0.8}, x=x, y=y, color=COLOUR, detail=n("label")),
        layer("rule", {"strokeWidth": 1.8, "clip": True}, x=x, y=q("lo", scale=within(1, 5)), y2={"field": "hi"}, color=COLOUR, tooltip=hover),
        layer(
            "point", {"filled": True, "opacity": 1, "stroke": NIGHT, "strokeWidth": 1}, x=x, y=y, color=COLOUR, size=size, shape=SHAPE, tooltip=hover
        ),
    ]
    return dress(layers, shown, height)


def context(table: pd.DataFrame, title: str, at: dict[str, float | None]) -> Spec:
    """The lift over no context, a row for each variant and model: variant, label, shuffled, sure, delta, lo, hi, p, n.

    at: chance and popularity minus no context.
    """
    shown = table.assign(
        row=[wrapped(f"shuffled: {v}" if s else str(v)) for v, s in zip(table["variant"], table["shuffled"])],
        shade=[SOFT if s else GOLD for s in table["shuffled"]],
        against=[f"{signed(d)}, {chance_of(p)}" for d, p in zip(table["delta"], table["p"])],
        span=[f"{signed(a)} to {signed(b)}" for a, b in zip(table["lo"], table["hi"])],
    )
    low, high = min(0.0, float(shown["lo"].min())), max(0.0, float(shown["hi"].max()))
    room = (high - low) or 1.0
    low, high = low - 0.12 * room, high + 0.4 * room
    x, y = q("delta", axis=axis(f"lift in {title} over no context", format="+.2~f"), scale=within(low, high)), names(shown["row"].tolist())
    hover, shade = tips(row="What", against="Against no context", span="95% interval", n="Viewers"), n("shade", scale=None)
    fill = {"condition": {"test": "datum.sure", "field": "shade", "type": "nominal", "scale": None}, "value": NIGHT}
    layers = [
        *lines(at, (low, high)),
        layer("rule", {"color": IVORY, "strokeWidth": 1.5}, rows=[{"at": 0}], x=q("at", scale=within(low, high))),
        layer("rule", WHISKER, y=y, x=q("lo", scale=within(low, high)), x2={"field": "hi"}, color=shade, tooltip=hover),
        layer("point", {"size": 60, "strokeWidth": 2, "opacity": 1}, x=x, y=y, stroke=shade, fill=fill, tooltip=hover),
        layer("text", {"align": "left", "dx": 9}, y=y, x=q("hi"), text=n("against")),
    ]
    return dress(layers, shown, (len(shown) + 1) * (ROW + 5))


# -- the data ----------------------------------------------------------------------------------------------------------


def tail(points: pd.DataFrame, height: int = 280) -> Spec:
    """The share of the ratings that the most-rated share of the films has; the broken line is all films alike."""
    share = {"format": ".0%", "tickCount": 4}
    x = q("share_of_films", axis={**share, "title": "most-rated share of the films", "grid": False}, scale=within(0, 1))
    y = q("share_of_ratings", axis={**share, "title": "their share of the ratings"}, scale=within(0, 1))
    hover = [q("share_of_films", title="Films", format=".0%"), q("share_of_ratings", title="Ratings", format=".0%")]
    layers = [
        layer("area", {"color": GOLD, "opacity": 0.12}, x=x, y=y),
        layer("line", BROKEN, rows=[{"share_of_films": v, "share_of_ratings": v} for v in (0, 1)], x=x, y=y),
        layer("line", {"color": GOLD, "strokeWidth": 2.5}, x=x, y=y),
        layer("point", {"opacity": 0, "size": 160}, x=x, y=y, tooltip=hover),
    ]
    return dress(layers, points, height)


def hours(points: pd.DataFrame, height: int = 280) -> Spec:
    """Ratings by hour of the day, on the viewer's clock (where the edition knows it) and in UTC: a line each, named at its peak."""
    clocks = {"local": "viewers’ own clock", "utc": "UTC, as stored"}
    both = [
        pd.DataFrame({"hour": points["hour"], "clock": name, "share": points[column] / (points[column].sum() or 1)})
        for column, name in clocks.items()
        if column in points
    ]
    shown = pd.concat(both, ignore_index=True)
    peaks = records(shown.loc[shown.groupby("clock")["share"].idxmax()])
    x = q("hour", axis={"title": "hour of the day", "values": [0, 6, 12, 18, 23], "grid": False}, scale=within(0, 23))
    y = q("share", axis={"title": "share of the ratings", "format": ".0%", "tickCount": 4}, scale=within(0, float(shown["share"].max()) * 1.2))
    colour = n("clock", scale={"domain": list(clocks.values()), "range": [GOLD, BLUE]}, legend=None)
    hover = [n("clock", title="Clock"), q("hour", title="Hour"), q("share", title="Ratings", format=".1%")]
    layers = [
        layer("line", {"strokeWidth": 2.5, "interpolate": "monotone"}, x=x, y=y, color=colour),
        layer("point", {"filled": True, "size": 40, "opacity": 1}, x=x, y=y, color=colour, tooltip=hover),
    ]
    for up, row in enumerate(peaks):  # one above the other: their peaks may be near
        side = "right" if row["hour"] > 15 else "left" if row["hour"] < 6 else "center"
        layers.append(layer("text", {"align": side, "dy": -14 - 15 * up, "fontSize": 12}, rows=[row], x=x, y=y, text=n("clock"), color=colour))
    return dress(layers, shown, height)


def bars(points: pd.DataFrame, x: str, y: str, title: str, count: str, height: int = 280) -> Spec:
    """Counts as bars with their shares on top, in the order of the rows."""
    shown = points.assign(**{x: points[x].astype(str)}, share=points[y] / (points[y].sum() or 1))
    shown["top"] = [f"{s:.0%}" if s >= 0.005 else "" for s in shown["share"]]
    across = n(x, sort=shown[x].tolist(), axis={"title": title, "labelAngle": 0, "labelLimit": 64}, scale={"paddingInner": 0.25})
    up = q(y, axis={"title": count, "format": "~s", "tickCount": 4}, scale=within(0, float(shown[y].max()) * 1.1))
    hover = [n(x, title=title), q(y, title=count, format=",.0f"), q("share", title="Share", format=".1%")]
    return dress(
        [
            layer("bar", {"color": GOLD, "opacity": 0.85, "cornerRadiusEnd": 3}, x=across, y=up, tooltip=hover),
            layer("text", {"dy": -8}, x=across, y=up, text=n("top")),
        ],
        shown,
        height,
    )


def months(points: pd.DataFrame, height: int = 280) -> Spec:
    """Ratings by month as bars; month and until are the first and the last month of a bar, YYYY-MM."""
    whole = bool((points["month"] == points["until"]).all())
    title = "month" if whole else ["month that a bar begins with;", "months of few people are one bar"]
    look = {"title": title, "labelAngle": 0, "labelBound": True, "labelOverlap": True, "labelPadding": 4}
    x = n("month", sort=None, axis=look, scale={"paddingInner": 0.25})
    y = q("ratings", axis={"title": "ratings", "format": "~s", "tickCount": 4})
    hover = [n("month", title="From"), n("until", title="To"), q("ratings", title="Ratings", format=",.0f")]
    return dress([layer("bar", {"color": GOLD, "opacity": 0.85, "cornerRadiusEnd": 3}, x=x, y=y, tooltip=hover)], points, height)
