"""A forest plot for any width: names and figures stand over their line, the interval has the whole width beneath."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from recommender.stats.effects import Interval
from recommender.ui.curves import GOLD
from recommender.ui.vega import GRID, IVORY, NIGHT, SOFT, ZERO, Spec, axis, dress, layer, n, q, reach, within

WARN = "#ff9d7a"
HEAD, LANE, GAP, LIMIT, TICKS = 26, 38, 12, 8, 40  # px: a block's name, a line of it, what parts it from the next, a limit's name, its own axis


@dataclass(frozen=True)
class Lane:
    """One line of a forest: an effect with its fixed and its anytime interval; what stands over it at the left and right; sure: filled."""

    left: str
    right: str
    fixed: Interval
    anytime: Interval | None
    colour: str
    sure: bool
    hover: dict[str, str]


@dataclass(frozen=True)
class Block:
    """A name with its lines. word: what is said of it, at the right, in the colour tone; band: lies behind it; limit: a line and its name.

    scale: what 1 of the axis is; above 0 where the block has an axis of its own, in units of its own, `times` as many of which are its figures.
    """

    head: str
    word: str
    lanes: tuple[Lane, ...]
    tone: str = SOFT
    band: tuple[float, float] | None = None
    limit: tuple[float, str] | None = None
    scale: float = 0.0
    times: float = 1.0
    unit: str = ""


def tips(level: float) -> dict[str, str]:
    """What hovering says: field -> title."""
    return {"name": "What", "figure": "Effect", "span": f"Fixed {100 * level:g}%", "looked": f"Anytime {100 * level:g}%", "about": "Besides"}


def forest(blocks: Sequence[Block], title: str | None, level: float, lines: dict[str, tuple[float, str]] | None = None) -> Spec:
    """Blocks from above. Thick the fixed interval, thin the anytime one; names and figures stand over their line, so that a narrow screen has room.

    title: of the axis, None where blocks have axes of their own; level: of the intervals; lines: upright ones by name, where and in which colour.
    """
    lines = lines or {}
    low, high = _domain(blocks, lines)
    here = _placed(blocks, low, high)
    height = here.height
    x, y = within(low, high), {"domain": [0, height], "range": [0, height], "nice": False, "zero": False}
    number_axis = axis(title, format="+.3~%", tickCount=5, labelExpr=ZERO) if title else None
    at = lambda field: q(field, scale=x, axis=number_axis)
    up: dict[str, Any] = {"y": q("y", scale=y, axis=None)}
    hover = [n(f, title=t) for f, t in tips(level).items()]
    shade = n("colour", scale=None)
    fill = {"condition": {"test": "datum.sure", "field": "colour", "type": "nominal", "scale": None}, "value": NIGHT}
    whisker = {"orient": "vertical", "thickness": 1.6, "size": 11, "clip": True}
    beside = {"align": "right", "dx": -5, "dy": 1, "color": WARN, "baseline": "top", "fontSize": 11}
    behind = [
        layer("rect", {"color": GOLD, "opacity": 0.09, "clip": True}, rows=here.bands, x=at("x"), x2={"field": "x2"}, y2={"field": "y2"}, **up),
        *_uprights(lines, x, number_axis),
        layer("rect", {"color": WARN, "opacity": 0.08}, rows=here.limits, x=at("x"), x2={"value": "width"}, y2={"field": "y2"}, **up),
        layer("rule", {"color": WARN, "strokeWidth": 2, "clip": True}, rows=here.limits, x=at("x"), y2={"field": "y2"}, **up),
        *over(beside, here.limits, x=at("x"), text=n("name"), **up),
        layer("rule", {"color": GRID}, rows=here.ticks, x={"value": 0}, x2={"value": "width"}, **up),
        layer("text", {"baseline": "top", "dy": 4}, rows=here.ticks, x=at("x"), text=n("said"), **up),
        layer("text", {"align": "left", "baseline": "top", "dy": 4}, rows=here.units, x={"value": 0}, text=n("said"), **up),
    ]
    layers = [
        *(each for each in behind if each.get("data", {"values": here.rows})["values"]),
        layer("rule", {"strokeWidth": 1.6, "clip": True}, "isValid(datum.alo)", x=at("alo"), x2={"field": "ahi"}, color=shade, tooltip=hover, **up),
        *(layer("tick", whisker, x=at(end), color=shade, tooltip=hover, **up) for end in ("alo", "ahi")),
        layer("rule", {"strokeWidth": 6, "clip": True}, "isValid(datum.lo)", x=at("lo"), x2={"field": "hi"}, color=shade, tooltip=hover, **up),
        layer("point", {"size": 74, "strokeWidth": 2, "opacity": 1, "clip": True}, x=at("x"), stroke=shade, fill=fill, tooltip=hover, **up),
        *over({"align": "left", "dy": -14, "color": SOFT}, x={"value": 0}, text=n("left"), tooltip=hover, **up),
        *over({"align": "right", "dy": -14, "color": IVORY}, x={"value": "width"}, text=n("right"), tooltip=hover, **up),
        *over({"align": "left", "fontSize": 13, "fontWeight": 600, "color": IVORY}, here.heads, x={"value": 0}, text=n("head"), **up),
        *over({"align": "right", "fontWeight": 600}, here.heads, x={"value": "width"}, text=n("word"), color=shade, **up),
    ]
    return dress(layers, pd.DataFrame(here.rows), height)


def over(style: Spec, rows: list[Spec] | None = None, **encoding: Any) -> list[Spec]:
    """Words that stay legible where a line runs behind them."""
    plain = {key: value for key, value in encoding.items() if key not in ("color", "tooltip")}
    look = {"fontSize": 12, **style}
    return [
        layer("text", {**look, "color": NIGHT, "stroke": NIGHT, "strokeWidth": 4, "strokeJoin": "round"}, rows=rows, **plain),
        layer("text", look, rows=rows, **encoding),
    ]


def _domain(blocks: Sequence[Block], lines: dict[str, tuple[float, str]]) -> tuple[float, float]:
    """Wide enough for the fixed intervals, zero, lines, bands and limits; for the anytime ones as long as they leave the others room."""
    lanes = [(lane, block.scale or 1.0) for block in blocks for lane in block.lanes]
    near = [x / scale for lane, scale in lanes for x in lane.fixed] + [x for x, _ in lines.values()] + [0.0]
    near += [x for block in blocks for x in (*(block.band or ()), *((block.limit[0],) if block.limit else ()))]
    near = [x for x in near if math.isfinite(x)]
    low, high = min(near), max(near)
    room = (high - low) or 1.0
    far = [x / scale for lane, scale in lanes for x in (lane.anytime or lane.fixed) if math.isfinite(x)]
    return reach(max(min([*far, low]), low - room), min(max([*far, high]), high + room))


@dataclass
class _Places:
    """What is drawn, with where it stands in px from above; height: of all."""

    rows: list[Spec] = field(default_factory=list)
    heads: list[Spec] = field(default_factory=list)
    bands: list[Spec] = field(default_factory=list)
    limits: list[Spec] = field(default_factory=list)
    ticks: list[Spec] = field(default_factory=list)
    units: list[Spec] = field(default_factory=list)
    height: int = 0


def _placed(blocks: Sequence[Block], low: float, high: float) -> _Places:
    """Blocks from above, on an axis from low to high."""
    made = _Places()
    for block in blocks:
        top = made.height + HEAD
        made.heads.append({"y": made.height + 10, "head": block.head, "word": block.word, "colour": block.tone})
        made.rows += [_line(block, lane, top + LANE * i + 24, low, high) for i, lane in enumerate(block.lanes)]
        foot = top + LANE * len(block.lanes)
        if block.band:
            made.bands.append({"x": block.band[0], "x2": block.band[1], "y": top - 4, "y2": foot})
        if block.limit:
            made.limits.append({"x": block.limit[0], "name": block.limit[1], "y": foot, "y2": top + 16})
        if block.scale:
            by = block.scale * block.times
            made.ticks += [{"x": t / by, "said": _tick(t), "y": foot} for t in _nice(low * by, high * by)]
            made.units.append({"said": f"in {block.unit}", "y": foot + 18})
        made.height = foot + (LIMIT if block.limit else 0) + (TICKS if block.scale else 0) + GAP
    return made


def _tick(x: float) -> str:
    """'+50', '−.05', '0'."""
    return f"{x:+g}".replace("0.", ".", 1).replace("-", "−") if x else "0"


def _line(block: Block, lane: Lane, y: int, low: float, high: float) -> Spec:
    """A lane as a row of the chart; ends without end reach to the edge."""
    by = block.scale or 1.0
    inside = lambda x: (high if x > 0 else low) if math.isinf(x) else x / by
    ends = dict(zip(("x", "lo", "hi"), map(inside, lane.fixed))) | dict(zip(("alo", "ahi"), map(inside, (lane.anytime or lane.fixed)[1:])))
    if lane.anytime is None:
        ends |= {"alo": math.nan, "ahi": math.nan}
    return {"y": y, **ends, "left": lane.left, "right": lane.right, "colour": lane.colour, "sure": lane.sure, **lane.hover}


def _nice(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers within, about so many."""
    step = 10 ** math.floor(math.log10((high - low) / about))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= about + 0.5)
    return [round(k * step, 12) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _uprights(lines: dict[str, tuple[float, str]], x: Spec, number_axis: Spec | None) -> list[Spec]:
    """Zero, and lines with a name over the plot."""
    at, (low, high) = q("x", scale=x, axis=number_axis), x["domain"]
    made = [layer("rule", {"color": IVORY, "strokeWidth": 1.3, "opacity": 0.8}, rows=[{"x": 0.0}], x=at)]
    for name, (value, colour) in lines.items():
        rows, part = [{"x": value, "name": name}], (value - low) / (high - low)
        side = "left" if part < 0.25 else "right" if part > 0.75 else "center"
        made.append(layer("rule", {"color": colour, "strokeDash": [4, 4], "strokeWidth": 1.5}, rows=rows, x=at))
        made.append(layer("text", {"align": side, "color": colour}, rows=rows, x=at, y={"value": -8}, text=n("name")))
    return made
