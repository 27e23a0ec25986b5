"""Who gets which arm: by a keyed hash of the viewer's id, so that the same viewer always gets the same and nothing has to be stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import numpy as np

from recommender.experiment.log import UNASSIGNED
from recommender.experiment.plan import Arm, Plan


def bucket(viewer: str, salt: str) -> float:
    """A number in [0, 1) that is always the same for a viewer and a salt, and looks drawn anew for another of either.

    The first 53 bits of BLAKE2b (RFC 7693) of the id, keyed with the hash of the salt.
    """
    key = hashlib.blake2b(salt.encode(), digest_size=64).digest()
    return (int.from_bytes(hashlib.blake2b(viewer.encode(), digest_size=8, key=key).digest()) >> 11) / 2**53


def arm_of(plan: Plan, viewer: str) -> Arm | None:
    """What this viewer gets; None for the holdout, who get what everybody has."""
    code = int(arms_of(plan, [viewer])[0])
    return None if code == UNASSIGNED else plan.arms[code]


def arms_of(plan: Plan, viewers: Iterable[str]) -> np.ndarray:  # (V,)
    """The number of each viewer's arm in the plan, UNASSIGNED for the holdout.

    [0, 1) is cut in the proportions of the shares; each arm has the first part of its piece, as wide as its share, and the holdout has the rest of
    every piece. So with a smaller holdout and the same proportions everybody in an arm stays in it, and the new come from the holdout alone; that is
    all that is promised. Source: bucket ranges of GrowthBook's SDKs, their coverage being 1 - holdout here.
    """
    places = np.array([bucket(viewer, plan.salt) for viewer in viewers])
    shares = np.array([arm.share for arm in plan.arms])
    ends = np.cumsum(shares) / shares.sum()
    starts = ends - shares / shares.sum()
    arms = np.minimum(np.searchsorted(ends, places, "right"), len(shares) - 1)  # the last end may be below 1 by rounding
    return np.where((places - starts[arms] < shares[arms]) | (plan.holdout == 0), arms, UNASSIGNED)


def first_day(plan: Plan) -> date:
    """The date of day 0: the day after the plan was frozen. A ValueError where it was not."""
    if plan.frozen is None:
        raise ValueError(f"plan {plan.name} is not frozen, wanted one that no longer changes")
    return plan.frozen + timedelta(1)


def midnight(day: date) -> int:
    """Unix seconds; the viewers' clocks show universal time."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
