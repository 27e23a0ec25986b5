"""How the figures of an experiment stand on the screen: units, digits that fit their error, what an effect is called, tables."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from recommender.experiment.metrics import METRICS
from recommender.experiment.results import Measured, Reading
from recommender.experiment.sample import planned
from recommender.serve.phrases import listed
from recommender.stats.effects import Effect, Interval
from recommender.stats.inference import holm
from recommender.stats.sequential import always_valid_p
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
    "coverage": Unit(100, "rare films per 100"),
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


def share(x: float) -> str:
    """'33%', '−1%'; 0% without a sign."""
    return f"{'−' if round(100 * x) < 0 else ''}{abs(100 * x):.0f}%"


def likely(chance: float) -> str:
    """'97.5%', 'over 99.9%', 'under 0.1%'."""
    return "over 99.9%" if chance > 0.999 else "under 0.1%" if chance < 0.001 else f"{100 * chance:.1f}%"


def relative(interval: Interval) -> str:
    """'+5.2% [+1.2%, +9.3%]'."""
    decimals = 2 if interval.hi - interval.lo < 0.01 else 1
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
    return "0" if x == 0 else number(unit(metric).times * x, max(digits(unit(metric).times * effect.se), 1))


def segment(measured: Measured) -> tuple[str, str]:
    """The dimension and the label of a segment, as they stand on the screen."""
    dimension, _, name = str(measured.segment).partition("=")
    return dimension, "TV" if name == "tv" else name


def values(measured: Measured) -> str:
    """'7.35 against 7.00 clicks per 100 films', of what was measured, without adjustment."""
    e = measured.plain
    return f"{value(measured.metric, e.treatment, e)} against {value(measured.metric, e.control, e)} {unit(measured.metric).says}"


def anytime(measured: Measured) -> tuple[Interval, Interval]:
    """Absolute and relative, of the effect that decides."""
    return measured.sharp_anytime or measured.anytime, measured.sharp_anytime_relative or measured.anytime_relative


def called(measured: Measured, reading: Reading) -> Called:
    """What may be said: better or worse where p, corrected for its family, is below the plan's alpha."""
    if not reading.valid:
        return UNREAD
    effect = measured.best.absolute
    if not known(effect) or effect.estimate == 0 or decisive_p(measured, reading) >= reading.plan.alpha:
        return UNSURE
    return BETTER if effect.estimate * measured.better > 0 else WORSE


def decisive_p(measured: Measured, reading: Reading) -> float:
    """At the planned end p of the fixed test, corrected; before it that of the anytime test (Holm over the family), of segments their q."""
    if measured.q is not None:
        return measured.q
    if reading.at_end and measured.p_holm is not None:
        return measured.p_holm
    family = next((f for f in (reading.primary, reading.secondary) if measured in f), (measured,))
    p = [m.best.p if reading.at_end else anytime_p(m, reading) for m in family]
    return float(holm(np.array(p))[family.index(measured)])


def unsharpened(measured: Measured) -> Measured:
    """The same as it was measured, without CUPED."""
    if measured.sharp is None:
        return measured
    return replace(measured, sharp=None, sharp_anytime=None, sharp_anytime_relative=None, p_holm=None)


def unadjusted(reading: Reading) -> Reading:
    """All metrics as they were measured, without CUPED."""
    return replace(reading, primary=tuple(map(unsharpened, reading.primary)), secondary=tuple(map(unsharpened, reading.secondary)))


def anytime_p(measured: Measured, reading: Reading) -> float:
    """p of the test that may be looked at daily."""
    if not measured.best.se > 0:  # also nan
        return measured.best.p
    plan, n = reading.plan, measured.best.n_control + measured.best.n_treatment
    return always_valid_p(measured.best, n, planned(plan, plan.arm(measured.arm), n), 1 - plan.alpha)


def leaves_out_zero(interval: Interval) -> bool:
    return interval.lo > 0 or interval.hi < 0


def mine(reading: Reading, arm: str) -> list[Measured]:
    """The metrics of one arm, the primary one first."""
    return [m for m in (*reading.primary, *reading.secondary) if m.arm == arm]


def unread(reading: Reading) -> str:
    """'Not to be read: …' with the checks that take the verdict away; "" where it may be read."""
    failed = [check for check in reading.health if check.blocks and not check.ok]
    return (
        f"Not to be read: {' '.join(check.said for check in failed)} The figures are drawn in grey, and nothing follows from them." if failed else ""
    )


def inside(names: Iterable[str]) -> str:
    """'engagement time and relevance': labels inside a sentence."""
    return listed([name[:1].lower() + name[1:] for name in names])
