"""How the figures of an experiment stand on the screen: units, digits that fit their error, what an effect is called, tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal, NamedTuple

from recommender.experiment.metrics import METRICS
from recommender.experiment.results import Measured, Reading
from recommender.serve.phrases import listed
from recommender.stats.effects import Effect, Interval
from recommender.ui.measures import number, signed

Called = Literal["better", "worse", "not told apart", "not to be read"]
BETTER: Called = "better"
WORSE: Called = "worse"
UNSURE: Called = "not told apart"
UNREAD: Called = "not to be read"


class Unit(NamedTuple):
    """A metric on the screen: its value times `times`, in words."""

    times: float
    says: str


UNITS = {
    "ctr": Unit(100, "clicks per 100 films"),
    "engagement": Unit(1, "minutes a viewer"),
    "relevance": Unit(1, "stars"),
    "visits": Unit(1, "visits a viewer"),
    "diversity": Unit(1, "mean distance of genres"),
    "coverage": Unit(100, "lesser known films per 100"),
    "latency": Unit(1, "ms"),
    "complaints": Unit(1000, "hides per 1,000 films"),
}


def label(metric: str) -> str:
    return METRICS[metric].label


def unit(metric: str) -> Unit:
    return UNITS.get(metric, Unit(1, METRICS[metric].unit))


def digits(error: float, least: int = 0, most: int = 4) -> int:
    """Decimals that show an error to two figures: 3 for .035, 0 for 12."""
    if not (math.isfinite(error) and error > 0):
        return least
    return min(max(1 - math.floor(math.log10(error)), least), most)


def known(interval: Interval) -> bool:
    """Whether there is an estimate at all: a control of 0 has no relative effect."""
    return math.isfinite(interval.estimate)


def percent(x: float, decimals: int = 1) -> str:
    """'+5.2%', '−0.3%', 0.0% without a sign; '–' for what is no number, ∞ for what has no end."""
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if math.isnan(x):
        return "–"
    text = f"{100 * abs(x):.{decimals}f}%"
    return text if float(text[:-1]) == 0 else ("+" if x > 0 else "−") + text


def relative(interval: Interval) -> str:
    """'+5.2% [+1.2%, +9.3%]'."""
    decimals = digits(25 * (interval.hi - interval.lo), 1, 2)
    ends = f" [{percent(interval.lo, decimals)}, {percent(interval.hi, decimals)}]" if not math.isnan(interval.lo) else ""
    return f"{percent(interval.estimate, decimals)}{ends}" if known(interval) else "–"


def absolute(metric: str, interval: Interval) -> str:
    """'+.35 [+.08, +.62]' in units of the screen."""
    times = unit(metric).times
    decimals = digits(times * (interval.hi - interval.lo) / 4)
    said = [signed(times * x, decimals) if math.isfinite(x) else "–" for x in interval]
    return f"{said[0]} [{said[1]}, {said[2]}]" if known(interval) else "–"


def value(metric: str, x: float, effect: Effect) -> str:
    """A value of an arm, as finely as its effect is known: '7.35'."""
    return number(unit(metric).times * x, max(digits(unit(metric).times * effect.se), 1))


def values(measured: Measured) -> str:
    """'7.35 against 7.00 clicks per 100 films', of what was measured, without adjustment."""
    e = measured.plain
    return f"{value(measured.metric, e.treatment, e)} against {value(measured.metric, e.control, e)} {unit(measured.metric).says}"


def anytime(measured: Measured) -> tuple[Interval, Interval]:
    """Absolute and relative, of the effect that decides."""
    return measured.sharp_anytime or measured.anytime, measured.sharp_anytime_relative or measured.anytime_relative


def called(measured: Measured, reading: Reading) -> Called:
    """What may be said: at the planned end by p, corrected where it is one of several; before it by the anytime interval alone."""
    if not reading.valid:
        return UNREAD
    best = measured.best
    p = next((x for x in (measured.q, measured.p_holm) if x is not None), best.p)
    sure = p < reading.plan.alpha if reading.at_end or measured.q is not None else leaves_out_zero(anytime(measured)[0])
    if not (sure and known(best.absolute)) or best.absolute.estimate == 0:
        return UNSURE
    return BETTER if best.absolute.estimate * measured.better > 0 else WORSE


def leaves_out_zero(interval: Interval) -> bool:
    return interval.lo > 0 or interval.hi < 0


def unread(reading: Reading) -> str:
    """'Not to be read: …' with the checks that take the verdict away; "" where it may be read."""
    failed = [check for check in reading.health if check.blocks and not check.ok]
    return (
        f"Not to be read: {' '.join(check.said for check in failed)} The figures are drawn in grey, and nothing follows from them." if failed else ""
    )


def inside(names: Iterable[str]) -> str:
    """'engagement time and relevance': labels inside a sentence."""
    return listed([name[:1].lower() + name[1:] for name in names])


def table(name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in HTML that scrolls sideways where it is wider than the page."""
    head = "".join(f"<th scope='col'>{escape(c)}</th>" for c in columns)
    body = "".join(f"<tr><th scope='row'>{escape(first)}</th>{''.join(f'<td>{escape(x)}</td>' for x in rest)}</tr>" for first, *rest in rows)
    return (
        f'<div class="mq-ev mq-xr-table"><div class="mq-ev-scroll" tabindex="0" role="region" aria-label="{escape(name)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div>"
    )
