"""What the bench and browsers measured, beside their goals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from recommender.evaluate.report import Report, Row

SERVED = "after"  # the checkout in the report of browsers that is this one


class Judged(NamedTuple):
    """One thing of the bench beside its goal. share, lo, hi: of what the goal allows; nan where there is no interval."""

    row: str
    part: str
    share: float
    lo: float
    hi: float
    said: str
    met: bool
    n: int


def judged(report: Report, models: Mapping[str, str] | None = None) -> list[Judged]:
    """What the bench measured beside its goals, the farthest from its goal first; times by their 99th percentile. models: names for the screen."""
    made = []
    for r in report.rows:
        goal = report.more["goals"].get(r.variant)
        if goal is None or r.metric not in (goal["unit"], f"{goal['unit']} p99"):
            continue
        most, unit = goal["at_most"], goal["unit"]
        lo, hi = (r.lo / most, r.hi / most) if r.lo < r.hi else (math.nan, math.nan)
        name = f"{(models or {}).get(r.model, r.model)}: one list" if r.variant == "model" else r.model
        value = f"{r.mean:,.0f}" if r.mean >= 100 else f"{r.mean:.1f}" if r.mean >= 1 else f"{r.mean:.2f}"
        made.append(Judged(name, r.variant, r.mean / most, lo, hi, f"{value} of {most:,.0f} {unit}", r.mean < most, r.n))
    return sorted(made, key=lambda j: -j.share)


def clicks(browser: Report) -> tuple[list[Row], list[Row]]:
    """Medians of the time from click to paint [ms], one row for each act; and those of them that miss the goal."""
    medians = [r for r in browser.rows if (r.variant, r.metric) == (SERVED, "ms p50")]
    return medians, [r for r in medians if r.mean >= browser.more["goals"]["click"]["at_most"]]


def of_model(name: str, bench: Report | None) -> tuple[Row, Row] | None:
    """Median and 99th percentile [ms] of one list of scores; None where they were not measured."""
    rows = {r.metric: r for r in bench.rows if r.variant == "model" and r.model == name} if bench else {}
    return (rows["ms p50"], rows["ms p99"]) if {"ms p50", "ms p99"} <= set(rows) else None
