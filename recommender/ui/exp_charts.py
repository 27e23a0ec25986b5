"""The charts of an experiment's result: effects with both kinds of interval in rows, what is believed of one, effects over the days."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from recommender.experiment.results import Day, Guarded, Measured, Reading
from recommender.stats.bayes import posterior
from recommender.stats.effects import Interval
from recommender.ui import exp_figures as say
from recommender.ui.curves import BLUE, GOLD
from recommender.ui.exp_figures import BETTER, UNREAD, UNSURE, WORSE
from recommender.ui.exp_forest import WARN, Block, Lane, forest, tips
from recommender.ui.measures import chance_of, number
from recommender.ui.vega import DIM, IVORY, NIGHT, SOFT, ZERO, Spec, axis, dress, layer, n, q, reach, within

EDGES = (-3.0, 4.0)  # of a guardrail, in margins
CUPED, PLAIN = "with CUPED", "as measured"
PEEKER, BOTH, NEITHER = "fixed alone leaves zero out: a peeker stops", "both leave zero out", "neither does"
END = "fixed alone leaves zero out, at the planned end: it counts"
WORDS = {BETTER: ("▲ better", GOLD), WORSE: ("▼ worse", WARN), UNSURE: ("○ not told apart", SOFT), UNREAD: (UNREAD, DIM)}


def lane(measured: Measured, reading: Reading, left: str, colour: str, absolute: bool = False, right: str = "", way: int = 1) -> Lane:
    """One line of a metric, of the effect that decides. way: -1 turns it round, so that harm lies at the right."""
    m, effect = measured, measured.best
    at_every_look = say.anytime(m)
    fixed, looked = (effect.absolute, at_every_look[0]) if absolute else (effect.relative, at_every_look[1])
    written = (lambda x: say.absolute(m.metric, x)) if absolute else say.relative
    hover = {
        "name": f"{say.label(m.metric)}{f', {m.segment}' if m.segment else ''}, {CUPED if m.sharp else PLAIN}",
        "figure": f"{say.percent(effect.relative.estimate)}, {say.absolute(m.metric, effect.absolute).partition(' [')[0]} {say.unit(m.metric).says}",
        "span": written(turned(fixed, way)).partition(" ")[2] or "–",
        "looked": written(turned(looked, way)).partition(" ")[2] or "–",
        "about": f"{chance_of(effect.p)}, {effect.n_control:,} and {effect.n_treatment:,} viewers" if say.known(effect.absolute) else "–",
    }
    sure = say.called(m, reading) in (BETTER, WORSE)
    missing = "" if say.known(fixed) else "no relative effect" if say.known(effect.absolute) else "no value"
    return Lane(left, missing or right or written(fixed), turned(fixed, way), turned(looked, way), colour if reading.valid else DIM, sure, hover)


def turned(interval: Interval, way: int) -> Interval:
    return interval if way > 0 else Interval(-interval.estimate, -interval.hi, -interval.lo)


def effects(measured: Sequence[Measured], reading: Reading, absolute: bool = False) -> Spec:
    """A block a metric, the first the primary one, which has the plan's smallest effect of interest behind it; as measured and with CUPED.

    Relative effects share an axis; absolute ones have each their own.
    """
    blocks, plain = [], say.unadjusted(reading)
    for m in measured:
        lanes = [lane(m, reading, CUPED, GOLD, absolute)] if m.sharp else []
        lanes.append(lane(say.unsharpened(m), plain, PLAIN, BLUE, absolute))
        primary = m.metric == reading.plan.primary
        scale = _widest(lanes) if absolute else 0.0
        mde = reading.plan.mde * (m.best.control / scale if absolute else 1.0)
        word, tone = WORDS[say.called(m, reading)]
        if not say.known(m.best.absolute):
            word = ""
        elif reading.valid:
            word = f"{word}, {chance_of(say.decisive_p(m, reading))}"
        blocks.append(
            Block(
                say.label(m.metric) + (" · primary" if primary else ""),
                word,
                tuple(lanes),
                tone,
                band=(-mde, mde) if primary and math.isfinite(mde) else None,
                scale=scale,
                times=say.unit(m.metric).times,
                unit=say.unit(m.metric).says,
            )
        )
    return forest(blocks, None if absolute else "effect, as a share of the control’s value", 1 - reading.plan.alpha)


def _widest(lanes: Iterable[Lane]) -> float:
    ends = [abs(x) for lane in lanes for x in lane.fixed if math.isfinite(x)]
    return max(ends, default=1.0) or 1.0


def segments(measured: Sequence[Measured], overall: Measured, reading: Reading, names: dict[str, str]) -> Spec:
    """A block a dimension, a line a segment; the effect over all viewers as an upright line. names: dimension -> heading."""
    blocks = []
    for dimension, heading in names.items():
        own = [m for m in measured if str(m.segment).startswith(f"{dimension}=")]
        lanes = []
        for m in own:
            viewers = m.best.n_control + m.best.n_treatment
            corrected = "–" if m.q is None or not math.isfinite(m.q) else "q < .001" if m.q < 0.001 else f"q = {number(m.q, 3 if m.q < 0.1 else 2)}"
            right = f"{say.percent(m.best.relative.estimate)} · {corrected}"
            lanes.append(lane(m, reading, f"{say.segment(m)[1]} · {viewers:,} viewers", GOLD, right=right))
        blocks.append(Block(heading, "", tuple(lanes)))
    x = overall.best.relative.estimate
    lines = {f"all viewers {say.percent(x)}": (x, GOLD if reading.valid else DIM)} if math.isfinite(x) else {}
    return forest(blocks, f"effect on {say.label(reading.plan.primary).lower()}", 1 - reading.plan.alpha, lines)


def guardrails(guarded: Sequence[Guarded], reading: Reading) -> Spec:
    """A block a guardrail, harm to the right, the margin as a limit, and its state as a word with a mark.

    Harm is drawn as a share of its own margin, so that all margins stand on one line; where one is 0, as a share of the control's value.
    """
    looks = {"safe": ("✓ safe", GOLD), "unsure": ("? unsure", BLUE), "worse": ("✕ worse", WARN)}
    blocks, by_margin = [], all(g.margin > 0 for g in guarded)
    for g in guarded:
        m, by = g.measured, g.margin if by_margin else 1.0
        word, colour = looks[g.state] if reading.valid else (UNREAD, DIM)
        e = m.plain
        change = f"{say.value(m.metric, e.control, e)} → {say.value(m.metric, e.treatment, e)} {say.unit(m.metric).says}"
        change = change if say.known(e.absolute) else "not measured"
        harm = turned(m.best.relative, -m.better)
        line = lane(m, reading, change, colour, right=say.relative(harm), way=-m.better)
        line = replace(
            line, sure=reading.valid and g.state != "unsure", fixed=_held(line.fixed, by), anytime=line.anytime and _held(line.anytime, by)
        )
        margin = (g.margin / by, f"margin {100 * g.margin:g}%")
        blocks.append(Block(say.label(m.metric), word, (line,), colour, limit=margin))
    return forest(blocks, f"harm, as a share of {'its margin' if by_margin else 'the control’s value'}", 1 - 2 * reading.plan.alpha)


def _held(interval: Interval, by: float) -> Interval:
    """In units of `by`, no farther than the edges of what is drawn."""
    return Interval(*(float(np.clip(x / by, *EDGES)) for x in interval))


# -- what is believed --------------------------------------------------------------------------------------------------


def belief(measured: Measured, reading: Reading, height: int = 230) -> Spec | None:
    """The posterior of the effect as a density, the part on the wrong side of zero shaded apart; None where it has no width."""
    believed = posterior(measured.best)
    times, better = say.unit(measured.metric).times, measured.better
    mean, sd = believed.mean * times, believed.sd * times
    if not (math.isfinite(mean) and sd > 0):
        return None
    low, high = reach(min(0.0, mean - 3.6 * sd), max(0.0, mean + 3.6 * sd))
    x = np.unique(np.concatenate([np.linspace(low, high, 161), [0.0]]))
    y = np.exp(-(((x - mean) / sd) ** 2) / 2)
    good, bad = (GOLD, WARN) if reading.valid else (DIM, DIM)
    at = q("x", scale=within(low, high), axis=axis(f"effect in {say.unit(measured.metric).says}", format="+.3~f", grid=False, labelExpr=ZERO))
    tall = q("y", scale=within(0, 1.24), axis=None)
    curve = [{"x": a, "y": b, "right": bool(a * better >= 0), "wrong": bool(a * better <= 0)} for a, b in zip(x.tolist(), y.tolist())]
    corners = {"right": (measured.chance, "better"), "left": (1 - measured.chance, "worse")}
    if better < 0:
        corners = {"left": corners["right"], "right": corners["left"]}
    words = [_corner(side, f"{say.likely(chance)} {word}") for side, (chance, word) in corners.items() if reading.valid]
    layers = [
        layer("area", {"color": good, "opacity": 0.45}, "datum.right", x=at, y=tall),
        layer("area", {"color": bad, "opacity": 0.75}, "datum.wrong", x=at, y=tall),
        layer("line", {"color": IVORY, "strokeWidth": 1.6}, x=at, y=tall),
        layer("rule", {"color": IVORY, "strokeWidth": 1.3}, rows=[{"x": 0.0}], x=at),
        *words,
    ]
    return dress(layers, pd.DataFrame(curve), height)


def _corner(side: str, said: str) -> Spec:
    style = {"align": side, "fontSize": 12, "color": IVORY}
    return layer("text", style, rows=[{"said": said}], x={"value": "width" if side == "right" else 0}, y={"value": 8}, text=n("said"))


# -- over time ---------------------------------------------------------------------------------------------------------


def state(day: Day, reading: Reading) -> str:
    """Which intervals leave zero out, and whether the fixed one counts on that day."""
    if say.leaves_out_zero(day.anytime):
        return BOTH
    counts = reading.at_end and day.day + 1 == reading.days
    return (END if counts else PEEKER) if say.leaves_out_zero(day.fixed) else NEITHER


LOOK = {BOTH: (GOLD, "circle"), END: (GOLD, "diamond"), PEEKER: (WARN, "triangle-up"), NEITHER: (SOFT, "square")}


def over_time(days: Sequence[Day], reading: Reading, read: str, height: int = 400) -> Spec:
    """Cumulative relative effect with both intervals as ribbons, each day alone as a dot, days on which a peeker stops as triangles.

    read: name of the upright line at the last day read. Days are counted from 1.
    """
    drawn = [d for d in days if say.known(d.fixed)]
    low, high = _tall(drawn)
    last = max(reading.plan.days, *(d.day + 1 for d in drawn))
    held = lambda v: float(np.clip(v, low, high)) if not math.isnan(v) else math.nan
    rows = [
        {
            "day": d.day + 1,
            "x": d.fixed.estimate,
            "lo": held(d.fixed.lo),
            "hi": held(d.fixed.hi),
            "alo": held(d.anytime.lo),
            "ahi": held(d.anytime.hi),
            "alone": held(d.alone.estimate) if d.alone else math.nan,
            "outside": bool(d.alone and not low <= d.alone.estimate <= high),
            "state": state(d, reading) if reading.valid else NEITHER,
            **_hover(d),
        }
        for d in drawn
    ]
    whole = {"title": "day of the experiment", "values": _days(last), "format": "d", "grid": False}
    x = q("day", axis=whole, scale=within(0.4, last + 0.6))
    y = lambda field: q(field, axis=axis("effect so far", format="+.3~%", labelExpr=ZERO), scale=within(low, high))
    named = tips(1 - reading.plan.alpha) | {"name": "Day", "figure": "So far", "about": "Day alone"}
    hover = [n(f, title=t) for f, t in named.items()]
    colour = GOLD if reading.valid else DIM
    shown = {k: (c if reading.valid else DIM, s) for k, (c, s) in LOOK.items()}
    shade = n("state", scale={"domain": list(shown), "range": [c for c, _ in shown.values()]}, legend=None)
    shape = n("state", scale={"domain": list(shown), "range": [s for _, s in shown.values()]}, legend=None)
    fill = {"condition": {"test": f"datum.state != '{NEITHER}'", **shade}, "value": NIGHT}
    layers = [
        layer("area", {"color": BLUE if reading.valid else DIM, "opacity": 0.16}, x=x, y=y("alo"), y2={"field": "ahi"}),
        layer("area", {"color": colour, "opacity": 0.3}, x=x, y=y("lo"), y2={"field": "hi"}),
        *(layer("line", {"color": BLUE if reading.valid else DIM, "strokeWidth": 1}, x=x, y=y(end)) for end in ("alo", "ahi")),
        layer("rule", {"color": IVORY, "strokeWidth": 1.3}, rows=[{"x": 0.0}], y=y("x")),
        *_moments(reading, max(d.day for d in drawn) + 1, read, last),
        layer("point", {"filled": True, "color": IVORY, "opacity": 0.75, "size": 20}, "isValid(datum.alone)", x=x, y=y("alone"), tooltip=hover),
        layer("line", {"color": colour, "strokeWidth": 2.4}, x=x, y=y("x")),
        layer("point", {"size": 90, "strokeWidth": 2, "opacity": 1}, x=x, y=y("x"), stroke=shade, fill=fill, shape=shape, tooltip=hover),
    ]
    return dress(layers, pd.DataFrame(rows), height)


def _tall(days: Sequence[Day]) -> tuple[float, float]:
    """Room for the fixed intervals from the second day on, and as much again for the rest."""
    later = days[1:] or days
    ends = [0.0, *(x for d in later for x in d.fixed if math.isfinite(x)), *(d.fixed.estimate for d in days)]
    low, high = min(ends), max(ends)
    room = 0.35 * ((high - low) or 1.0)
    far = [x for d in days for x in (*d.anytime[1:], d.alone.estimate if d.alone else 0.0) if math.isfinite(x)]
    return reach(max(min([low, *far]), low - room), min(max([high, *far]), high + room))


def _days(last: int) -> list[int]:
    step = max(1, math.ceil(last / 14))
    return list(range(1, last + 1, step))


def _hover(day: Day) -> dict[str, str]:
    return {
        "name": f"day {day.day + 1}, {day.n:,} viewers so far",
        "figure": say.percent(day.fixed.estimate),
        "span": say.relative(day.fixed).partition(" ")[2] or "–",
        "looked": say.relative(day.anytime).partition(" ")[2] or "–",
        "about": say.relative(day.alone) if day.alone else "–",
    }


def _moments(reading: Reading, until: int, read: str, last: int) -> list[Spec]:
    """Upright lines: the day that is read, and the planned end where that is another."""
    named = [(until, read, GOLD if reading.valid else DIM)] + ([(reading.plan.days, "planned end", SOFT)] if reading.plan.days != until else [])
    made = []
    for i, (day, name, colour) in enumerate(named):
        rows, x = [{"day": day, "name": name}], q("day")
        made.append(layer("rule", {"color": colour, "strokeDash": [3, 4]}, rows=rows, x=x))
        side = "right" if day > 0.6 * last else "left"
        made.append(layer("text", {"align": side, "color": colour, "baseline": "bottom"}, rows=rows, x=x, y={"value": -4 - 13 * i}, text=n("name")))
    return made
