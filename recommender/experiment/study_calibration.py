"""The study of our own statistics: what they promise, tried on simulated viewers, as a report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import numpy
import scipy

from recommender.evaluate.report import Report, Row
from recommender.stats import calibration as proof

RUNS = 10_000
UNITS = 1_000  # viewers an arm
PEEKED, EVERY = 10_000, 100  # viewers in both arms, looked at after every so many
CHECKED = 10_000  # viewers whose shares are checked
BOOTSTRAPS = 4  # as many times fewer runs of the bootstrap, which resamples every run
PLANTED = (0.52, 0.48)


def calibration(say: Callable[[str], object] = print, runs: int = RUNS) -> Report:
    """Coverage, false positives, alarms under peeking, checks of shares and corrections for many comparisons; a line of progress each."""
    off = f"{PLANTED[0]:.0%} to {PLANTED[1]:.0%} of {CHECKED:,}"
    steps: dict[str, Callable[[], list[proof.Found]]] = {
        "one look": lambda: proof.one_look(runs, UNITS),
        "bootstrap": lambda: proof.bootstrapped(max(runs // BOOTSTRAPS, 1), UNITS),
        "peeking by viewers": lambda: proof.peeks(runs, PEEKED, EVERY),
        "peeking by days": lambda: proof.days(runs, UNITS),
        "shares": lambda: proof.allocation(runs, CHECKED),
        "shares off": lambda: proof.allocation(runs, CHECKED, shares=PLANTED, on=off),
        "many comparisons": lambda: proof.comparisons(runs),
    }
    found: list[proof.Found] = []
    for name, step in steps.items():
        found += step()
        say(f"{name}: done")
    untreated, treated = proof.populations()
    whole = untreated.whole
    return Report(
        protocol="calibration",
        dataset="simulated viewers",
        data_hash=hashlib.sha256(untreated.daily.tobytes() + treated.daily.tobytes() + untreated.before.tobytes()).hexdigest(),
        split_checksum="",
        seeds=[0],
        versions={m.__name__: m.__version__ for m in (numpy, scipy)},
        date=datetime.now(UTC).date().isoformat(),
        command="python -m recommender experiment study calibration",
        rows=[Row(f.method, f.on, f.metric, None, None, round(f.mean, 6), round(f.lo, 6), round(f.hi, 6), f.n) for f in found],
        more={
            "simulated": True,
            "runs": runs,
            "viewers_an_arm": UNITS,
            "peeked": {"viewers": PEEKED, "every": EVERY, "days": proof.DAYS},
            "checked": CHECKED,
            "lift": proof.LIFT,
            "without_minutes": round(float((whole[:, proof.MINUTES] == 0).mean()), 6),
            "mean_minutes": round(float(whole[:, proof.MINUTES].mean()), 6),
            "sd_minutes": round(float(whole[:, proof.MINUTES].std()), 6),
        },
    )
