"""Logs of experiments with a known truth, from numpy alone: no film, no model."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from recommender.experiment.log import Log
from recommender.experiment.metrics import FIELDS
from recommender.experiment.plan import Arm, Plan

PLAN = Plan(
    "planted", "Told the moment, people click more.", (Arm("without", "hybrid", False), Arm("with", "hybrid", True)), frozen=date(2026, 11, 1)
)
SHOWN = 10  # films a visit


def log(viewers: int = 4000, lift: float = 0.0, seed: int = 0, plan: Plan = PLAN, before: int = 7, days: int = 14, slower: float = 0.0) -> Log:
    """Every viewer has a rate of coming and a rate of clicking of their own; in all arms but the first, clicks of days from 0 on are `lift` likelier,
    and the model is `slower` milliseconds slower. A click is watched for 10 to 120 minutes and gets stars, one film in 200 is hidden."""
    rng = np.random.default_rng(seed)
    shares = [arm.share for arm in plan.arms]
    arms = rng.choice(len(shares), viewers, p=np.array(shares) / sum(shares))
    span = np.arange(-before, days)
    rate, taste = rng.beta(2, 3, viewers), rng.beta(2, 28, viewers)
    visits = (rng.random((viewers, len(span))) < rate[:, None]).astype(float)
    better = 1 + lift * ((arms > 0)[:, None] & (span >= 0))
    clicks = rng.binomial(SHOWN, np.minimum(taste[:, None] * better, 1)) * visits
    minutes = np.rint(clicks * rng.uniform(10, 120, clicks.shape))
    stars = np.rint(2 * clicks * rng.uniform(2, 5, clicks.shape)) / 2
    timed = visits * (rng.random(visits.shape) < 0.1)
    sums = {
        "visits": visits,
        "shown": SHOWN * visits,
        "clicks": clicks,
        "watches": clicks,
        "minutes": minutes,
        "stars": stars,
        "rated": clicks,
        "diversity": np.rint(100 * visits * rng.uniform(0.5, 0.9, visits.shape)) / 100,
        "rare": rng.binomial(SHOWN, 0.5, visits.shape) * visits,
        "hides": rng.binomial(SHOWN, 0.005, visits.shape) * visits,
        "latency": np.rint(100 * timed * (rng.gamma(20, 0.15, visits.shape) + slower * (arms > 0)[:, None])) / 100,
        "timed": timed,
    }
    segments = {"history": (("short", "medium", "long"), rng.integers(3, size=viewers)), "device": (("mobile", "tv"), rng.integers(2, size=viewers))}
    return Log(span, arms, sums, segments, simulated=True, first=date(2026, 11, 1))


_packed: dict[str, bytes] = {}


def written(viewers: int, lift: float, seed: int, plan: Plan, **more: float) -> bytes:
    """Such a log as a file, packed once for all tests that ask for it."""
    asked = repr((viewers, lift, seed, plan, more))
    if asked not in _packed:
        with TemporaryDirectory() as folder:
            _packed[asked] = log(viewers, lift, seed, plan, **more).save(Path(folder, "log.npz")).read_bytes()
    return _packed[asked]


def by_hand(arms: list[int], days: int = 1, before: int = 0, **sums: list) -> Log:
    """A log of a few viewers: each field a list of one number a viewer, the same on every day from 0 on, or of one list of days a viewer; else 0.

    Without `visits` everybody comes on every day."""
    span = np.arange(-before, days)
    sums = {"visits": [1] * len(arms)} | sums
    filled = {name: np.zeros((len(arms), len(span))) for name in FIELDS}
    for name, values in sums.items():
        given = np.array(values, np.float64)
        filled[name][...] = given if given.ndim == 2 else given[:, None] * (span >= 0)
    return Log(span, np.array(arms), filled)
