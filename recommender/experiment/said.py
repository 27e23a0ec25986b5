"""Figures of an experiment in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from recommender.stats.effects import Interval


def percent(x: float) -> str:
    """+4.1%, −0.3%; 0.0% has no sign; +∞ is without an end."""
    if math.isinf(x):
        return "+∞" if x > 0 else "−∞"
    text = f"{100 * abs(x):.1f}%"
    return text if float(text[:-1]) == 0 else ("+" if x > 0 else "−") + text


def share(x: float) -> str:
    return f"{100 * x:.1f}%"


def span(interval: Interval) -> str:
    """[+2.6%, +5.7%]"""
    return f"[{percent(interval.lo)}, {percent(interval.hi)}]"


def chance(p: float) -> str:
    """p < .001, p = .004, p = .31"""
    return "p < .001" if p < 0.001 else f"p = {p:.{3 if p < 0.1 else 2}f}".replace("0.", ".", 1)


def several(n: int, one: str, many: str | None = None) -> str:
    """1 viewer, 2,041 viewers"""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(parts: Sequence[str]) -> str:
    """a, b and c"""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else "none"
