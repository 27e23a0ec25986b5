"""The charts of a league: standings, differences from the best baseline, trade-offs, groups of viewers."""

from __future__ import annotations

import math

import pandas as pd

from recommender.ui.league import AHEAD, BEHIND, LINES, PUBLIC, SURE, UNTESTED, YARDSTICK, Pick, line, own
from recommender.ui.measures import chance_of, measure, number, ranged, signed
from recommender.ui.vega import (
    COLOUR,
    IVORY,
    NIGHT,
    RANGED,
    ROW,
    SHAPE,
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
    tips,
    within,
    wrapped,
)


def told(table: pd.DataFrame) -> pd.DataFrame:
    """A standing with what its labels and tooltips say."""
    t = table
    return t.assign(
        row=[wrapped(label, bool(timed)) for label, timed in zip(t["label"], t["uses_time"])],
        value=[number(x) for x in t["mean"]],
        range=[ranged(lo, hi) for lo, hi in zip(t["lo"], t["hi"])],
        against=[_against(v, d, p) for v, d, p in zip(t["verdict"], t["delta"], t["p"])],
        cost=[_cost(*costs) for costs in zip(t["fit"], t["ms"], t["mb"])],
        note=t["note"].fillna("").replace("", "–"),
        sure=t["verdict"].isin((AHEAD, BEHIND, YARDSTICK)),
    )


def _against(verdict: str, delta: float, p: float) -> str:
    if verdict in (YARDSTICK, PUBLIC, UNTESTED) or pd.isna(delta):
        return verdict
    return f"{signed(delta)}, {chance_of(p)}: {verdict}"


def _cost(fit: float, ms: float, mb: float) -> str:
    """What was measured of seconds to fit, milliseconds a query and megabytes; 0 and NaN were not."""
    said = [(fit, f"{_time(fit)} to fit"), (ms, f"{ms:.2g} ms a query"), (mb, f"{mb:.2g} MB" if mb < 10 else f"{mb:.0f} MB")]
    return ", ".join(text for x, text in said if x > 0) or "not measured"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _dots(where: str, x: Spec, y: Spec, hover: list[Spec]) -> Spec:
    """Filled where the difference from the best baseline is beyond noise, hollow where not."""
    fill = {"condition": {"test": "datum.sure", **COLOUR}, "value": NIGHT}
    return layer("point", {"size": 44, "strokeWidth": 1.8, "opacity": 1}, where, x=x, y=y, tooltip=hover, stroke=COLOUR, fill=fill, shape=SHAPE)


def league(table: pd.DataFrame, pick: Pick, places: int) -> Spec:
    """A dot and whisker for each model, best first; published figures as upright marks without whiskers; far ones stand at the edge."""
    shown = told(table)
    low, high = _domain(table, pick)
    shown = shown.assign(
        start=low,
        far=~shown["mean"].between(low, high),
        edge=[f"◀ {number(x)}" if x < low else f"{number(x)} ▶" for x in shown["mean"]],
        at=shown["mean"].clip(low, high),
        end=shown["hi"].fillna(shown["mean"]),
    )
    way = {1: " · more is better", -1: " · less is better", 0: ""}[measure(pick.metric).better]
    scale = within(low, high)
    x, y = q("mean", axis=axis(f"{pick.title}{way}"), scale=scale), names(shown["row"].tolist())
    hover = tips(
        label="Model", value=pick.title, range="95% interval", n="Viewers", against="Best baseline", family="Family", cost="Costs", note="Note"
    )
    about = tips(label="Published", value=pick.title, source="Source")
    ours, public = f"datum.verdict != '{PUBLIC}' && !datum.far", f"datum.verdict == '{PUBLIC}' && !datum.far"
    sure_of = f"{ours} && {RANGED}"
    layers = [
        *lines({name: line(table, name) for name in LINES}, (low, high)),
        layer("rule", {**WHISKER, "clip": True}, sure_of, y=y, x=q("lo", scale=scale), x2={"field": "hi"}, color=COLOUR, tooltip=hover),
        *(layer("tick", {"thickness": 1.6, "size": 13, "clip": True}, sure_of, y=y, x=q(end, scale=scale), color=COLOUR) for end in ("lo", "hi")),
        _dots(ours, x, y, hover),
        layer("text", {"align": "left", "dx": 8, "color": IVORY, "fontSize": 12}, ours, y=y, x=q("end"), text=n("value")),
        layer(
            "rule",
            {"color": IVORY, "strokeWidth": 1, "strokeDash": [1, 4], "opacity": 0.6},
            public,
            y=y,
            x=q("start"),
            x2={"field": "mean"},
            tooltip=about,
        ),
        layer("tick", {"color": IVORY, "thickness": 3, "size": 18}, public, y=y, x=x, tooltip=about),
        layer("text", {"align": "left", "dx": 8, "fontSize": 12}, public, y=y, x=x, text=n("value")),
        layer("text", {"align": "left"}, f"datum.far && datum.mean < {low}", y=y, x=q("at"), text=n("edge"), tooltip=hover),
        layer("text", {"align": "right"}, f"datum.far && datum.mean > {high}", y=y, x=q("at"), text=n("edge"), tooltip=hover),
    ]
    return dress(layers, shown, places * ROW)


def _domain(table: pd.DataFrame, pick: Pick) -> tuple[float, float]:
    """From popularity to the best where more is better; else around the models alone: chance would flatten them."""
    crowd, near = line(table, "popularity"), table[~table["model"].isin(LINES)]
    if measure(pick.metric).better > 0 and crowd is not None:
        above = table[table["mean"] >= crowd]
        near = above if 2 * len(above) > len(table) else near
    near = near if len(near) > 1 else table
    low, high = reach(float(near[["mean", "lo"]].min().min()), float(near[["mean", "hi"]].max().max()), 0.16)
    return low - 0.12 * (high - low), high  # room at the left for the figures of those that lie outside


def differences(table: pd.DataFrame, pick: Pick, against: str, places: int) -> Spec:
    """Each model minus the best baseline, viewer by viewer, with its interval and Holm's p; far ones stand at the edge."""
    order = told(table)["row"].tolist()
    shown = told(own(table))
    shown = shown[shown["delta"].notna()]
    low, high = _near(shown, pick)
    shown = shown.assign(
        far=~shown["delta"].between(low, high),
        at=shown["delta"].clip(low, high),
        a=shown["dlo"].clip(low, high),
        b=shown["dhi"].clip(low, high),
        span=[f"{signed(a)} to {signed(b)}" for a, b in zip(shown["dlo"], shown["dhi"])],
        said=[chance_of(p) if p < SURE else "not told apart" for p in shown["p"]],
        edge=[f"◀ {signed(d)}" if d < low else f"{signed(d)} ▶" for d in shown["delta"]],
    )
    hover = tips(label="Model", against=f"Against {against}", span="95% interval", n="Viewers")
    scale = within(low, high)
    x, y = q("at", axis=axis(f"difference in {pick.title}", format="+.2~f"), scale=scale), names(order)
    zero, left = [{"at": 0.0, "name": f"{against}, best baseline"}], -low < 0.5 * (high - low)
    layers = [
        layer("rule", {"color": IVORY, "strokeWidth": 1.5}, rows=zero, x=q("at", scale=scale)),
        layer(
            "text",
            {"align": "left" if left else "right", "color": IVORY, "baseline": "middle"},
            rows=zero,
            x=q("at"),
            y={"value": -9},
            text=n("name"),
        ),
        layer("rule", WHISKER, "!datum.far", y=y, x=q("a", scale=scale), x2={"field": "b"}, color=COLOUR, tooltip=hover),
        _dots("!datum.far", x, y, hover),
        layer("text", {"align": "left", "dx": 9}, "!datum.far", y=y, x=q("b"), text=n("said")),
        layer("text", {"align": "left"}, f"datum.far && datum.delta < {low}", y=y, x=q("at"), text=n("edge"), tooltip=hover),
        layer("text", {"align": "right"}, f"datum.far && datum.delta > {high}", y=y, x=q("at"), text=n("edge"), tooltip=hover),
    ]
    return dress(layers, shown, places * ROW)


def _near(shown: pd.DataFrame, pick: Pick) -> tuple[float, float]:
    """A domain around the better ones; what is far worse would flatten them."""
    better = measure(pick.metric).better
    models = shown[~shown["model"].isin(LINES)] if better and not shown["model"].isin(LINES).all() else shown
    best = models.sort_values("delta", ascending=better < 0).head(max(4, int(0.6 * len(models)))) if better else models
    low, high = min(0.0, float(best["dlo"].min())), max(0.0, float(best["dhi"].max()))
    span = (high - low) or 1.0
    return low - 0.1 * span, high + 0.34 * span


# -- trade-offs and groups ---------------------------------------------------------------------------------------------


def tradeoff(both: pd.DataFrame, pick: Pick, title: str, log: bool = False, height: int = 430) -> Spec:
    """Accuracy (mean, lo, hi) over a price or a second virtue `x`; who is beaten in neither (front) is named and joined."""
    shown = told(both).assign(other=[f"{x:.2g}" if log else number(x) for x in both["x"]])
    low, high = reach(float(shown[["lo", "mean"]].min().min()), float(shown[["hi", "mean"]].max().max()), 0.04)
    least, most = float(shown["x"].min()), float(shown["x"].max())
    if log:
        x = q(
            "x",
            axis={"title": title, "format": "~g", "tickCount": 6, "grid": False},
            scale={"type": "log", "nice": False, "domain": [least / 1.4, most * 1.4]},
        )
    else:
        x = q("x", axis=axis(title, grid=False), scale=within(*reach(least, most)))
    y = q("mean", axis=axis(pick.title), scale=within(low, high))
    shown["named"] = _apart(shown, high - low, log)
    half = math.sqrt(least * most) if log else (least + most) / 2
    hover = tips(label="Model", value=pick.title, range="95% interval", other=title, cost="Costs")
    label = {"color": IVORY, "fontSize": 12, "dy": -11, "limit": 210}
    layers = [
        *lines({name: line(both, name) for name in LINES}, (low, high), across=True),
        layer("line", {"color": IVORY, "opacity": 0.4, "strokeWidth": 1.5}, "datum.front", x=x, y=y, order=q("x")),
        layer("rule", {"strokeWidth": 1.6, "opacity": 0.7}, RANGED, x=x, y=q("lo"), y2={"field": "hi"}, color=COLOUR, tooltip=hover),
        layer("point", {"size": 120, "filled": True, "opacity": 1}, x=x, y=y, color=COLOUR, shape=SHAPE, tooltip=hover),
        layer("text", {**label, "align": "left", "dx": -4}, f"datum.named && datum.x <= {half}", x=x, y=y, text=n("label")),
        layer("text", {**label, "align": "right", "dx": 4}, f"datum.named && datum.x > {half}", x=x, y=y, text=n("label")),
    ]
    return dress(layers, shown, height)


def _apart(shown: pd.DataFrame, tall: float, log: bool) -> list[bool]:
    """Which of the front have room for their name: the most accurate first, others where no named one is near."""
    x = [math.log(v) if log else v for v in shown["x"]]
    wide = (max(x) - min(x)) or 1.0
    kept: list[tuple[float, float]] = []
    made = [False] * len(shown)
    for i in sorted(range(len(shown)), key=lambda i: abs(shown["mean"].iloc[i] - shown["mean"].iloc[0])):
        here = x[i] / wide, shown["mean"].iloc[i] / tall
        if shown["front"].iloc[i] and not any(abs(here[0] - a) < 0.5 and abs(here[1] - b) < 0.045 for a, b in kept):
            kept.append(here)
            made[i] = True
    return made


def heat(cells: pd.DataFrame, pick: Pick, models: list[str], groups: list[str]) -> Spec:
    """Models by groups of viewers: the figure in each cell, its colour the share of the group's best."""
    look = {
        "title": None,
        "orient": "top",
        "labelAngle": 0,
        "labelColor": IVORY,
        "labelExpr": "split(datum.label, '\\n')",
        "labelLineHeight": 13,
        "labelPadding": 22,
    }
    x = n("group", sort=groups, axis=look, scale={"domain": groups, "paddingInner": 0.04})
    y = {**names(models), "scale": {"domain": models, "paddingInner": 0.08}}
    hover = [
        *tips(label="Model", who="Group", value=pick.title, range="95% interval", n="Viewers"),
        q("share", title="Of the group’s best", format=".0%"),
    ]
    warm = {"domain": [0, 0.5, 0.8, 0.95, 1], "range": ["#1b1613", "#3b2a17", "#7a521a", "#cf9327", "#ffc24d"]}
    ink = {"condition": {"test": "datum.share > 0.88", "value": "#17110d"}, "value": IVORY}
    layers = [
        layer("rect", {"cornerRadius": 3}, x=x, y=y, tooltip=hover, color=q("share", scale=warm, legend=None)),
        layer("text", {"fontSize": 12}, x=x, y=y, tooltip=hover, text=n("value"), color=ink),
    ]
    return dress(layers, cells, len(models) * ROW + 30)
