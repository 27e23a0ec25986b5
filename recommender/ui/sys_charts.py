"""The charts of the System page: times and rates of runs, one row each; cost of each step by size."""

from __future__ import annotations

import pandas as pd

from recommender.ui.curves import BLUE, GOLD
from recommender.ui.vega import COLOUR, DIM, IVORY, NIGHT, ROW, SHAPE, WHISKER, Spec, axis, dress, layer, n, names, q, reach, tips, within

SHAPES = {"ms p50": "circle", "ms p95": "square", "ms p99": "diamond"}
TONES = (GOLD, BLUE, "#7fd6a8", "#e59bd0")
TICKS = [v * 10**e for e in range(-1, 6) for v in (1, 2, 5)]


def _ink(workers: pd.Series) -> Spec:
    kinds = sorted(set(workers))
    return n("workers", scale={"domain": kinds, "range": [TONES[i % len(TONES)] for i in range(len(kinds))]}, legend=None)


def times(points: pd.DataFrame, goal: float, of: str = "p99", until: str = "the list is there") -> Spec:
    """Quantiles of the time by run, on a logarithmic axis, with the goal of one as a line. points: row, workers, metric, ms, lo, hi."""
    low, high = min(goal, float(points[["ms", "lo"]].min().min())) / 1.35, max(goal, float(points[["ms", "hi"]].max().max())) * 1.35
    ticks = [t for t in TICKS if low <= t <= high]
    look = {"title": f"milliseconds until {until}", "values": ticks, "format": "~f", "labelOverlap": True}
    scale = {"type": "log", "domain": [low, high], "nice": False}
    x, y, ink = q("ms", axis=look, scale=scale), names(list(dict.fromkeys(points["row"]))), _ink(points["workers"])
    shape = n("metric", scale={"domain": list(SHAPES), "range": list(SHAPES.values())}, legend=None)
    said = points.assign(said=[f"{v:.1f} ms" for v in points["ms"]], what=points["metric"].str.removeprefix("ms "))
    hover = tips(row="Run", what="Quantile", said="Time")
    mark = [{"ms": goal, "name": f"goal for {of}: {goal:g} ms"}]
    side = {"align": "right", "dx": -3} if goal * goal > low * high else {"align": "left", "dx": 3}  # where there is more room
    layers = [
        layer("rule", {"color": DIM, "strokeDash": [4, 4]}, rows=mark, x=x),
        layer("text", {**side, "baseline": "middle"}, rows=mark, x=x, y={"value": -10}, text=n("name")),
        layer("line", {"strokeWidth": 1.2, "opacity": 0.7}, x=x, y=y, detail=n("row"), color=ink),
        layer("rule", WHISKER, "isValid(datum.lo) && isValid(datum.hi)", x=q("lo", scale=scale), x2={"field": "hi"}, y=y, color=ink),
        layer(
            "point", {"filled": True, "size": 90, "opacity": 1, "stroke": NIGHT, "strokeWidth": 1}, x=x, y=y, color=ink, shape=shape, tooltip=hover
        ),
    ]
    return dress(layers, said, (points["row"].nunique() + 1) * ROW)


def rates(points: pd.DataFrame) -> Spec:
    """Requests a second by run, as bars. points: row, workers, requests a second."""
    shown = pd.DataFrame({"row": points["row"], "workers": points["workers"], "rate": points["requests a second"]})
    shown["said"] = [f"{v:.0f}" if v >= 10 else f"{v:.1f}" for v in shown["rate"]]
    scale = within(0, float(shown["rate"].max()) * 1.15)
    x, y = q("rate", axis=axis("requests a second"), scale=scale), names(shown["row"].tolist())
    layers = [
        layer(
            "bar", {"cornerRadiusEnd": 3, "opacity": 0.85}, x=x, y=y, color=_ink(shown["workers"]), tooltip=tips(row="Run", said="Requests a second")
        ),
        layer("text", {"align": "left", "dx": 6}, x=x, y=y, text=n("said")),
    ]
    return dress(layers, shown, (len(shown) + 1) * ROW)


def growth(points: pd.DataFrame, measure: str, title: str) -> Spec:
    """Cost of each step, one row each, dearest first, on a logarithmic axis; a point for each size. points: step, interactions, and the measure."""
    shown = pd.DataFrame({"step": points["step"], "interactions": points["interactions"], "cost": points[measure].clip(lower=0.1)})
    shown["size"] = [sized(v) for v in shown["interactions"]]
    shown = shown.sort_values(["interactions", "cost"], ascending=[True, False], ignore_index=True)
    dearest = shown.sort_values("cost", ascending=False)["step"].drop_duplicates().tolist()
    low, high = float(shown["cost"].min()) / 1.35, float(shown["cost"].max()) * 1.35
    ticks = [t for t in TICKS if low <= t <= high]
    look = {"title": title, "values": ticks, "format": "~s", "labelOverlap": True}
    x, y = q("cost", axis=look, scale={"type": "log", "domain": [low, high], "nice": False}), names(dearest)
    tones = sizes(shown["interactions"].tolist())
    ink = n("size", scale={"domain": list(tones), "range": [tone for tone, _ in tones.values()]}, legend=None)
    hover = [n("row", title="Step"), q("interactions", title="Interactions", format=",.0f"), q("cost", title=title, format=",.1f")]
    point = {"filled": True, "size": 90, "opacity": 1, "stroke": NIGHT, "strokeWidth": 1}
    layers = [
        layer("line", {"strokeWidth": 1.2, "opacity": 0.7, "color": DIM}, x=x, y=y, detail=n("row")),
        layer("point", point, x=x, y=y, color=ink, tooltip=hover),
    ]
    return dress(layers, shown.rename(columns={"step": "row"}), (len(dearest) + 1) * ROW)


def sized(interactions: float) -> str:
    """19 M interactions."""
    return f"{interactions / 1e6:.2g} M interactions" if interactions < 1e8 else f"{interactions / 1e6:,.0f} M interactions"


def sizes(interactions: list[float]) -> dict[str, tuple[str, str]]:
    """What colours of growth mean, the smallest first."""
    return {sized(v): (TONES[i % len(TONES)], "circle") for i, v in enumerate(sorted(set(interactions)))}


MARKED = {"p50": (IVORY, "circle"), "p95": (IVORY, "square"), "p99": (IVORY, "diamond")}


def keys(workers: list[int]) -> dict[str, tuple[str, str]]:
    """What shapes and colours of the times mean."""
    by_colour = {f"{w} worker{'s' * (w > 1)}": (TONES[i % len(TONES)], "square") for i, w in enumerate(sorted(set(workers)))}
    return {**MARKED, **by_colour}


LATE = "#ff9d7a"  # what misses its goal


def goals(points: pd.DataFrame) -> Spec:
    """How much of its goal each thing takes, one row each, the goal at 1, on a logarithmic axis. points: row, share, lo, hi, said, met, n."""
    low, high = min(0.1, float(points[["share", "lo"]].min().min())) / 1.3, max(1.0, float(points[["share", "hi"]].max().max())) * 1.6
    ticks = [t for t in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10) if low <= t <= high]
    look = {"title": "share of what the goal allows", "values": ticks, "format": "~%", "labelOverlap": True}
    scale = {"type": "log", "domain": [low, high], "nice": False}
    x, y = q("share", axis=look, scale=scale), names(points["row"].tolist())
    ink = n("met", scale={"domain": ["yes", "no"], "range": [GOLD, LATE]}, legend=None)
    mark, named = [{"share": 1.0, "name": "the goal"}], {"align": "left", "dx": 9, "fontSize": 12}
    shown = points.assign(base=low, met=["yes" if met else "no" for met in points["met"]])
    shown = shown.assign(far=shown["hi"].fillna(shown["share"]), near=shown["lo"].fillna(shown["share"]))
    sides = [
        (f"datum.far <= {(low * high) ** 0.5}", "far", named),
        (f"datum.far > {(low * high) ** 0.5}", "near", {**named, "align": "right", "dx": -9}),
    ]
    halo = {"stroke": NIGHT, "strokeWidth": 5}
    said = [
        layer("text", look, where, x=q(end, scale=scale), y=y, text=n("said")) for where, end, style in sides for look in ({**style, **halo}, style)
    ]
    layers = [
        layer("rule", {"color": IVORY, "strokeWidth": 1.4}, rows=mark, x=x),
        layer("text", {"align": "center", "baseline": "middle", "color": IVORY}, rows=mark, x=x, y={"value": -10}, text=n("name")),
        layer("rule", {"strokeWidth": 1.2, "opacity": 0.45}, x=q("base", scale=scale), x2={"field": "share"}, y=y, color=ink),
        layer("rule", WHISKER, "isValid(datum.lo) && isValid(datum.hi)", x=q("lo", scale=scale), x2={"field": "hi"}, y=y, color=ink),
        layer("point", {"filled": True, "size": 80, "opacity": 1}, x=x, y=y, color=ink, tooltip=tips(row="What", said="Measured", met="Goal met")),
    ]
    return dress([*layers, *said], shown, (len(points) + 1) * ROW)


def among(points: pd.DataFrame, title: str) -> Spec:
    """All served models on the same viewers, the best first; one is lit. points: row, family, mean, lo, hi, n, said, lit."""
    low, high = reach(0.0, float(points["hi"].max()), 0.16)
    x, y = q("mean", axis=axis(title), scale=within(low, high)), names(points["row"].tolist())
    light = {"condition": {"test": "datum.lit", "value": 1}, "value": 0.75}
    layers = [
        layer("rule", WHISKER, x=q("lo", scale=within(low, high)), x2={"field": "hi"}, y=y, color=COLOUR, opacity=light),
        layer(
            "point",
            {"filled": True, "size": 90},
            x=x, y=y, color=COLOUR, shape=SHAPE, opacity=light, tooltip=tips(row="Model", hover="Figure", n="Viewers"),
        ),
        layer("text", {"align": "left", "dx": 8, "fontSize": 12}, x=q("hi"), y=y, text=n("said"), opacity=light | {"value": 0.8}),
    ]  # fmt: skip
    return dress(layers, points, (len(points) + 1) * 26)


def memory(points: pd.DataFrame, goal: float, height: int = 260) -> Spec:
    """Memory of the process [MB] over minutes, with the goal as a line. points: minute, mb."""
    x = q("minute", axis={"title": "minutes", "grid": False, "tickCount": 6}, scale=within(0, float(points["minute"].max()) or 1.0))
    most = 1.12 * max(goal, float(points["mb"].max()))
    y = q("mb", axis=axis("memory of the process, MB"), scale=within(0, most))
    mark, hover = [{"mb": goal, "name": f"goal: {goal:,.0f} MB"}], [q("minute", title="Minute", format=".0f"), q("mb", title="MB", format=",.0f")]
    layers = [
        layer("rule", {"color": DIM, "strokeDash": [4, 4]}, rows=mark, y=y),
        layer("text", {"align": "right", "dy": 11}, rows=mark, x={"value": "width"}, y=y, text=n("name")),
        layer("line", {"color": GOLD, "strokeWidth": 2.2}, x=x, y=y),
        layer("point", {"opacity": 0, "size": 90}, x=x, y=y, tooltip=hover),
    ]
    return dress(layers, points, height)
