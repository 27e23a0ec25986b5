"""What an experiment says, for a terminal: verdicts, health, effects and guardrails; the rest of a reading stands in its JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recommender.experiment.metrics import METRICS
from recommender.experiment.results import Guarded, Measured, Reading
from recommender.experiment.said import chance, percent, span

WIDE = 140  # columns from which on every figure is printed
NOTHING = "–"
ROOMY = ("hypothesis", "control", "treatment", "at every look", "saved by CUPED")  # left out where there are fewer


def printed(found: Reading, console: Console) -> None:
    """The reading of an experiment, top to bottom."""
    on = "simulated viewers" if found.simulated else "people"
    lines = [f"[bold]{found.plan.name}[/], on {on}, {found.days} of {found.plan.days} days. {escape(found.plan.hypothesis)}"]
    lines += [f"[bold]{decision.verdict.upper()}[/]  {escape(decision.sentence)}" for decision in found.decisions]
    came = {**found.counts, **{f"left out: {why}": n for why, n in found.left_out.items() if n}}
    lines += [escape("Viewers: " + ", ".join(f"{name} {n:,}" for name, n in came.items()))]
    for line in lines:
        console.print(line, highlight=False)
    for rows in (
        [{"health": c.label, "": "holds" if c.ok else "blocks" if c.blocks else "warns", "what was found": c.said} for c in found.health],
        [_effect(m) for m in (*found.primary, *found.secondary)],
        [_guard(g) for g in found.guardrails],
    ):
        if rows:
            table(rows, console)
    console.print(f"[dim]{escape(found.decisions[0].rule)}[/]", highlight=False)


def _effect(m: Measured) -> dict[str, str]:
    """The sharpest figures of a metric; a dash for what could not be measured."""
    best, anytime = m.best, m.sharp_anytime_relative or m.anytime_relative
    known = not math.isnan(best.relative.estimate)
    return {
        "metric": METRICS[m.metric].label,
        "arm": m.arm,
        "control": _number(best.control),
        "treatment": _number(best.treatment),
        "effect": f"{percent(best.relative.estimate)} {span(best.relative)}" if known else NOTHING,
        "at every look": span(anytime) if known else NOTHING,
        "p": chance(best.p if m.p_holm is None else m.p_holm).removeprefix("p ").removeprefix("= ") if known else NOTHING,
        "saved by CUPED": f"{m.saved:.0%}" if m.sharp else "",
    }


def _number(x: float) -> str:
    return NOTHING if math.isnan(x) else f"{x:.4g}"


def _guard(g: Guarded) -> dict[str, str]:
    return {**_effect(g.measured), "margin": f"{100 * g.margin:g}%", "state": g.state}


def table(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Rows of the same columns; of a narrow terminal some are left out."""
    made = Table(box=None, header_style="dim")
    names = [name for name in rows[0] if console.width >= WIDE or name not in ROOMY]
    for name in names:
        made.add_column(name, overflow="fold")
    for row in rows:
        made.add_row(*(escape(_cell(row[name])) for name in names))
    console.print(made)


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
