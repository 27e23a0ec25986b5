"""The section "Segments" of the Experiments page: whom the effect reaches, with false discoveries kept to a share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recommender.experiment.results import Dimension, Measured, Reading
from recommender.serve.phrases import listed
from recommender.stats.inference import holm
from recommender.ui import exhibits, exp_charts, exp_frame, exp_result, exp_table, measures
from recommender.ui import exp_figures as say
from recommender.ui.exp_figures import BETTER, WORSE
from recommender.ui.exp_shelf import Shown
from recommender.ui.measures import chance_of, number
from recommender.ui.words import counted

HEAD = "Whom does it reach?"
HEADINGS = {"history": "By visits before", "device": "By device before", "time": "By time of day before", "genre": "By genre clicked most before"}
FEW = 4  # segments that are named one by one


def section(shown: Shown) -> None:
    """The primary metric in every segment that is large enough."""
    exp_table.style()
    reading = shown.reading
    found = [m for m in reading.segments if m.arm == shown.arm and say.known(m.best.relative)]
    dimensions = [d for d in reading.dimensions if d.arm == shown.arm]
    overall = next((m for m in reading.primary if m.arm == shown.arm), None)
    if not found or overall is None:
        return exhibits.title(HEAD, nothing(dimensions))
    names = {d.name: heading(d.name) for d in dimensions if any(str(m.segment).startswith(f"{d.name}=") for m in found)}
    spec = exp_charts.segments(found, overall, reading, names)
    figures = pd.DataFrame([row for m in found for row in exp_result.flat(m)])
    exp_frame.draw(shown, "segments", HEAD, said(found, dimensions, reading), spec, figures)
    marks = {"●": f"beyond noise, q < {number(reading.plan.alpha, 2)}", "○": "not told apart"} if reading.valid else {}
    exp_table.key(1 - reading.plan.alpha, {**marks, "┊": "all viewers"})
    exp_table.note(
        "q: p corrected so that of the segments called, a share of at most that is expected to be false (Benjamini-Hochberg). That one segment is "
        "beyond noise and another is not does not make them differ; that is asked of each dimension apart (Cochran’s Q).",
        small(dimensions),
    )
    exp_table.figures("Every segment", COLUMNS, [row(m) for m in found], reading)


def heading(dimension: str) -> str:
    """What parts the viewers of a log, as it stands over its segments: all of it from before the first day."""
    return HEADINGS.get(dimension) or measures.dimension(dimension)


def nothing(dimensions: Sequence[Dimension]) -> str:
    """Why no segment is shown."""
    if not dimensions:
        return "Nothing is known of these viewers by which they could be told apart."
    return f"No segment has enough viewers in both arms yet. {small(dimensions)}".strip()


def said(found: Sequence[Measured], dimensions: Sequence[Dimension], reading: Reading) -> str:
    """Where the effect is beyond noise, and whether any dimension's segments differ from one another."""
    if not reading.valid:
        return say.unread(reading)
    groups = [(word, [m for m in found if say.called(m, reading) == word]) for word in (BETTER, WORSE)]
    parts = [f"{word} in {_named(some)}" for word, some in groups if some]
    name, beyond = say.label(reading.plan.primary), sum(len(some) for _, some in groups)
    of = counted(len(found), "segment")
    told = f"{beyond} of {of}: {'; '.join(parts)}." if parts else f"none of {of}."
    early = "" if reading.at_end else " The planned end is not reached, so this is a first look."
    return f"{name} is beyond noise in {told} {differ(dimensions, reading.plan.alpha)}{early}"


def differ(dimensions: Sequence[Dimension], alpha: float) -> str:
    """Whether the effect differs between the segments of any dimension, p corrected for the number of dimensions (Holm)."""
    tested = {d.name: d.p for d in dimensions if d.p is not None}
    if not tested:
        return "Whether segments differ from one another cannot be asked: no dimension has two that are large enough."
    corrected = dict(zip(tested, holm(np.array(list(tested.values()))).tolist()))
    apart = [f"{_by(name)} ({chance_of(p)})" for name, p in corrected.items() if p < alpha]
    if apart:
        return f"The effect differs {say.inside(apart)}."
    least = min(corrected.values())
    return f"No segment differs from the others of its kind beyond noise ({'least ' if len(corrected) > 1 else ''}{chance_of(least)})."


def _by(dimension: str) -> str:
    return f"by {heading(dimension).removeprefix('By ')}"


def _named(some: Sequence[Measured]) -> str:
    """A few one by one; many by their number and the span of their effects."""
    if len(some) <= FEW:
        return listed([_label(m) for m in some])
    least, *_, most = sorted(some, key=lambda m: m.best.relative.estimate)
    return f"{len(some)}, from {_label(least)} to {_label(most)}"


def _label(m: Measured) -> str:
    dimension, label = say.segment(m)
    return f"{label} ({dimension}, {say.percent(m.best.relative.estimate)})"


def small(dimensions: Sequence[Dimension]) -> str:
    """Segments that are left out, with their viewers."""
    out = [f"by {d.name} {', '.join(f'{label} ({a:,} and {b:,})' for label, (a, b) in d.left_out.items())}" for d in dimensions if d.left_out]
    return f"Left out, with fewer than 100 viewers in an arm: {'; '.join(out)}." if out else ""


COLUMNS = ("Segment", "Viewers", "Control", "Treatment", "Relative effect", "Anytime, relative", "p", "q")


def row(m: Measured) -> tuple[str, ...]:
    """A segment in the table."""
    e = m.best
    return (
        ": ".join(say.segment(m)),
        f"{e.n_control + e.n_treatment:,}",
        say.value(m.metric, e.control, e),
        say.value(m.metric, e.treatment, e),
        say.relative(e.relative),
        say.relative(say.anytime(m)[1]),
        *("–" if p is None else chance_of(p).removeprefix("p ").removeprefix("= ") for p in (e.p, m.q)),
    )
