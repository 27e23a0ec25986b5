"""Figures of a report as cells of a Markdown table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from recommender.evaluate.report import Paired, Report, Row

NONE = "—"  # in a cell without a figure
SURE = 0.05  # a Holm-corrected p below this gets a mark

Key = tuple[str, str, str, int | None, str | None]  # variant, model, metric, k, segment


class Column(NamedTuple):
    """One column of figures. form: "interval" 0.1 [0.0, 0.2] (0.1 without one), "mean" 0.1, "difference" to the baseline, "compared" 0.1 (+0.0)."""

    title: str
    metric: str
    form: str = "interval"
    k: int | None = 10
    variant: str = ""  # empty: the report's first
    segment: str | None = None

    def key(self, model: str) -> Key:
        return self.variant, model, self.metric, self.k, self.segment


class Figures(NamedTuple):
    """Rows and differences of a report by what they are about."""

    rows: dict[Key, Row]
    pairs: dict[Key, Paired]


def figures_of(report: Report) -> Figures:
    """Look-ups of a report's rows and differences."""
    rows = {(r.variant, r.model, r.metric, r.k, r.segment): r for r in report.rows}
    return Figures(rows, {(d.variant, d.model, d.metric, d.k, d.segment): d for d in report.differences})


def cell(figures: Figures, column: Column, model: str, digits: int = 3) -> str:
    """One figure as a column wants it; a mark stands where the corrected p of a difference is below SURE."""
    row, pair = figures.rows.get(column.key(model)), figures.pairs.get(column.key(model))
    if column.form == "difference":
        return difference(pair, digits)
    if row is None:
        return NONE
    if column.form == "interval" and row.lo < row.hi:
        return f"{row.mean:.{digits}f} [{row.lo:.{digits}f}, {row.hi:.{digits}f}]"
    beside = f" ({_delta(pair, digits)})" if column.form == "compared" and pair else ""
    return f"{row.mean:.{digits}f}{beside}"


def place(row: Row | None, less_is_better: bool) -> float:
    """What models are sorted by; those without a figure come last."""
    return math.inf if row is None else row.mean if less_is_better else -row.mean


def difference(pair: Paired | None, digits: int = 3) -> str:
    """+0.012* [0.008, 0.016]."""
    return f"{_delta(pair, digits)} [{pair.lo:+z.{digits}f}, {pair.hi:+z.{digits}f}]" if pair else NONE


def _delta(pair: Paired, digits: int) -> str:
    return f"{pair.delta:+z.{digits}f}{'*' if pair.p_holm < SURE else ''}"


def grid(header: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """A table in Markdown, the first column to the left, the others to the right."""
    titles = list(header)
    rows = [titles, ["---"] + ["---:"] * (len(titles) - 1), *lines]
    return "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in row) + " |" for row in rows)
