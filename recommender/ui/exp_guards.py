"""The section "Guardrails" of the Experiments page: what must not be lost, and how much of a loss is borne."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from recommender.experiment.results import Guarded, Reading
from recommender.ui import exhibits, exp_charts, exp_frame, exp_result, exp_table
from recommender.ui import exp_figures as say
from recommender.ui.exp_charts import turned
from recommender.ui.exp_shelf import Shown

HEAD = "What must not be lost"


def section(shown: Shown) -> None:
    """Every guardrail with its margin."""
    exp_table.style()
    reading = shown.reading
    mine = [g for g in reading.guardrails if g.measured.arm == shown.arm]
    if not mine:
        return exhibits.title(HEAD, "The plan names no guardrail.")
    figures = pd.DataFrame([{**row, "margin": g.margin, "state": g.state} for g in mine for row in exp_result.flat(g.measured)])
    exp_frame.draw(shown, "guardrails", headline(mine, reading), said(mine, reading), exp_charts.guardrails(mine, reading), figures)
    level = 1 - 2 * reading.plan.alpha
    exp_table.key(level, {"limit": "margin: the loss that the plan bears", "✓": "safe", "?": "unsure", "✕": "worse"} if reading.valid else {})
    counts = "the fixed interval counts" if reading.at_end else "before the planned end the anytime interval counts"
    exp_table.note(
        f"Harm lies to the right, whichever way the metric runs. Safe: all of the interval lies below the margin; worse: all of it lies beyond; "
        f"unsure: the margin lies within. All margins stand on one line; what is farther off ends at the edge, with its "
        f"figures beside it. Here {counts}; one-sided at {100 * reading.plan.alpha:g}%, so intervals are of {100 * level:g}%."
    )
    exp_table.figures("Every guardrail", COLUMNS, [row(g, reading) for g in mine], reading)


def headline(mine: Sequence[Guarded], reading: Reading) -> str:
    """Which guardrails hold."""
    if not reading.valid:
        return f"{HEAD}: not to be read"
    worse, unsure = ([g for g in mine if g.state == state] for state in ("worse", "unsure"))
    if worse:
        return f"Worse than {'the margin' if len(worse) == 1 else 'their margins'}: {_names(worse)}"
    if unsure:
        return f"Not known to be safe{'' if reading.at_end else ' yet'}: {_names(unsure)}"
    return "The guardrail holds" if len(mine) == 1 else f"All {len(mine)} guardrails hold"


def _names(some: Sequence[Guarded]) -> str:
    return say.inside(say.label(g.measured.metric) for g in some)


def said(mine: Sequence[Guarded], reading: Reading) -> str:
    """Each that is not safe in figures, then those that are."""
    if not reading.valid:
        return say.unread(reading)
    parts = [_figures(g, reading) for state in ("worse", "unsure") for g in mine if g.state == state]
    safe = [g for g in mine if g.state == "safe"]
    parts += [f"Within the margin for sure: {_names(safe)}."] if safe else []
    return " ".join(parts)


def _figures(g: Guarded, reading: Reading) -> str:
    m = g.measured
    name = say.label(m.metric)
    if not say.known(m.best.relative):
        return f"{name}: no relative effect, since an arm was not measured or the control has none; so nothing is proven."
    counts = turned(m.best.relative if reading.at_end else say.anytime(m)[1], -m.better)
    said = {"worse": "all of it beyond", "unsure": "which is not below"}[g.state]
    return f"{name}, {say.values(m)}: harm {say.relative(counts)}, {said} the margin of {100 * g.margin:g}%."


COLUMNS = ("Guardrail", "State", "Margin", "Control", "Treatment", "Absolute effect", "Relative harm", "Anytime, relative harm")


def row(g: Guarded, reading: Reading) -> tuple[str, ...]:
    """A guardrail in the table."""
    m, e = g.measured, g.measured.plain
    return (
        f"{say.label(m.metric)}, {say.unit(m.metric).says}",
        g.state if reading.valid else "not to be read",
        f"{100 * g.margin:g}%",
        say.value(m.metric, e.control, e),
        say.value(m.metric, e.treatment, e),
        say.absolute(m.metric, m.best.absolute),
        say.relative(turned(m.best.relative, -m.better)),
        say.relative(turned(say.anytime(m)[1], -m.better)),
    )
