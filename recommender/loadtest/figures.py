"""From what was noted under load to the figures of a report."""

from __future__ import annotations

from typing import Any

import numpy as np

from recommender.evaluate.report import Row
from recommender.loadtest.server import Look
from recommender.stats.places import quantile

QUANTILES = (0.5, 0.95, 0.99)


def figures(variant: str, users: int, answers: list[dict[str, Any]], looks: list[Look], warm: float) -> list[Row]:
    """Requests a second, times [ms] as users and as the server had them, failures, processors used and memory [MB]; the first `warm` seconds count
    for nothing. ValueError where nothing was answered after them."""
    first = min((a["at"] for a in answers), default=0.0)
    kept = [a for a in answers if a["at"] >= first + warm]
    if not kept:
        raise ValueError(f"{len(answers)} requests by {users} users, none of them after the first {warm:g} s; wanted a longer run")
    start, end = first + warm, max(a["at"] + a["ms"] / 1000 for a in kept)
    lists = [a for a in kept if a["path"] == "/recommendations" and not a["failed"]]
    told = [a for a in kept if a["path"] == "/feedback" and not a["failed"]]
    segment = f"users={users}"
    row = lambda metric, value, lo, hi, n: Row(variant, "hybrid", metric, None, segment, round(value, 3), round(lo, 3), round(hi, 3), n)
    plain = lambda metric, value, n: row(metric, value, value, value, n)
    rows = [
        plain("requests a second", len(kept) / (end - start), len(kept)),
        plain("failures", sum(a["failed"] for a in kept) / len(kept), len(kept)),
    ]
    for name, of in (("", [a["ms"] for a in lists]), ("server ", [a["server_ms"] for a in lists]), ("feedback ", [a["ms"] for a in told])):
        rows += [row(f"{name}ms p{round(100 * q)}", *bounded(np.array(of), q), len(of)) for q in QUANTILES if of]
    return rows + _used(plain, [look for look in looks if start <= look.at <= end])


def bounded(values: np.ndarray, share: float) -> tuple[float, float, float]:
    """The quantile with its interval; no interval is one without length."""
    value, lo, hi = quantile(values, share)
    return (value, lo, hi) if np.isfinite(lo) else (value, value, value)


def _used(plain: Any, looks: list[Look]) -> list[Row]:
    """Processors at work on average, between the first and the last look."""
    if len(looks) < 2:
        return []
    first, last = looks[0], looks[-1]
    share = lambda a, b: (b - a) / (last.at - first.at)
    return [
        plain("server processors", share(first.server, last.server), len(looks)),
        plain("users' processors", share(first.crowd, last.crowd), len(looks)),
        plain("server MB", max(look.megabytes for look in looks), len(looks)),
    ]
