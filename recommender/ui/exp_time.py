"""The section "Over time" of the Experiments page: what somebody would have seen who looked every day, with an interval that allows it and one that
does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd

from recommender.experiment.results import Day, Reading
from recommender.ui import exhibits, exp_charts, exp_frame, exp_table
from recommender.ui import exp_figures as say
from recommender.ui.exp_charts import END, LOOK, PEEKER, state
from recommender.ui.exp_shelf import Shown
from recommender.ui.words import counted

HEAD = "What a daily look would have said"


class Call(NamedTuple):
    """The first day on which an interval leaves zero out, from 1, and the way it says."""

    day: int
    way: str


def section(shown: Shown) -> None:
    """The course of the primary metric."""
    exp_table.style()
    reading, name = shown.reading, say.label(shown.plan.primary).lower()
    days = [d for d in reading.over_time if d.arm == shown.arm and say.known(d.fixed)]
    sentence = " ".join(filter(None, (peeked(days, reading, _better(reading, shown.arm), shown.aa), drift(reading))))
    if len(days) < 2:
        return exhibits.title(HEAD, sentence)
    spec = exp_charts.over_time(days, reading, f"read here, day {shown.day + 1}")
    figures = pd.DataFrame([_flat(d) for d in days])
    exp_frame.draw(shown, "over_time", f"{HEAD}: {name}, cumulative", sentence, spec, figures)
    if reading.valid:
        exp_table.ribbons(1 - reading.plan.alpha)
        exhibits.key({says: look for says, look in LOOK.items() if says != END or state(days[-1], reading) == END})
    exp_table.note("Small dots: each day alone. Ribbons and dots that reach out of the picture end at its edge.")


def _better(reading: Reading, arm: str) -> int:
    return next((m.better for m in reading.primary if m.arm == arm), 1)


def peeked(days: Sequence[Day], reading: Reading, better: int = 1, aa: bool = False) -> str:
    """When each interval first left zero out, and whether the first call lasted until the day that is read."""
    if not reading.valid:
        return say.unread(reading)
    if len(days) < 2:
        so_far = f"On day {days[0].day + 1} the effect is {say.relative(days[0].fixed)}. " if days else "No day has an effect yet. "
        return f"{so_far}A course takes two days at least."
    fixed, anytime = (first(days, better, pick) for pick in (lambda d: d.fixed, lambda d: d.anytime))
    if fixed is None and anytime is None:
        said = f"On none of {len(days)} days does either interval leave zero out: somebody who looks every day had no reason to stop."
        return f"{said} That is as it should be: both arms got the same." if aa else said
    last = days[-1]
    again = f"By day {last.day + 1} the anytime interval holds zero again." if anytime and not say.leaves_out_zero(last.anytime) else ""
    return " ".join(filter(None, (_calls(fixed, anytime), again, _lasted(fixed, days, reading, better), FALSE if aa else "")))


FALSE = "Both arms got the same, so every such call is a false alarm."


def first(days: Sequence[Day], better: int, pick: Callable) -> Call | None:
    """The first day on which the interval that `pick` takes of a day leaves zero out."""
    found = next((d for d in days if say.leaves_out_zero(pick(d))), None)
    return Call(found.day + 1, _way(found, better)) if found else None


def _way(day: Day, better: int) -> str:
    return "better" if day.fixed.estimate * better > 0 else "worse"


def _calls(fixed: Call | None, anytime: Call | None) -> str:
    if fixed is None:
        return f"The anytime interval first calls it {anytime.way} on day {anytime.day}; the fixed interval never does." if anytime else ""
    if anytime is None:
        return f"First called {fixed.way} by the fixed interval on day {fixed.day}; by the anytime interval, which allows daily looks, on no day."
    if (fixed.day, fixed.way) == (anytime.day, anytime.way):
        return f"First called {fixed.way} by both intervals on day {fixed.day}."
    other = "" if anytime.way == fixed.way else f" {anytime.way}"
    return f"First called {fixed.way} by the fixed interval on day {fixed.day}, by the anytime interval{other} on day {anytime.day}."


def _lasted(fixed: Call | None, days: Sequence[Day], reading: Reading, better: int) -> str:
    """What became of the peeker's call."""
    last = days[-1]
    until, marked = last.day + 1, [d.day + 1 for d in days if state(d, reading) == PEEKER and d.day + 1 < reading.plan.days]
    if fixed is None or fixed.day not in marked:
        return f"Day {until} is the planned end, where the fixed interval counts." if state(last, reading) == END else ""
    only = f"On {counted(len(marked), 'day')} before the planned end the fixed interval alone leaves zero out."
    if until == fixed.day:
        return f"{only} A peeker would stop today, {counted(reading.plan.days - until, 'day')} early."
    if not say.leaves_out_zero(last.fixed):
        return f"{only} By day {until} it holds zero again: who stopped on day {fixed.day} stopped on what did not last."
    if _way(last, better) != fixed.way:
        return f"{only} By day {until} it says {_way(last, better)}: who stopped on day {fixed.day} stopped on the opposite of what was to come."
    early = counted(reading.plan.days - fixed.day, "day")
    return f"{only} A peeker would have stopped on day {fixed.day}, {early} early; it still says so on day {until}, but nobody could know that."


def drift(reading: Reading) -> str:
    """What the health check on novelty found, where it found something."""
    return next((check.said for check in reading.health if reading.valid and check.key == "novelty" and not check.ok), "")


def _flat(d: Day) -> dict[str, object]:
    return {
        "arm": d.arm,
        "day": d.day + 1,
        "viewers": d.n,
        "relative": d.fixed.estimate,
        "fixed_lo": d.fixed.lo,
        "fixed_hi": d.fixed.hi,
        "anytime_lo": d.anytime.lo,
        "anytime_hi": d.anytime.hi,
        "alone": d.alone.estimate if d.alone else None,
    }
