"""Who is trained on and who is examined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.interactions import Interactions
from recommender.types import TIMES_OF_DAY, Context, Query


@dataclass(frozen=True)
class UserSplit:
    """Three groups of viewers, none in two: models learn from `fit`, the hybrid's gate from `gate`, cards report on `exam`."""

    fit: Interactions
    gate: Interactions
    exam: Interactions


def split_users(interactions: Interactions, gate: float, exam: float, seed: int) -> UserSplit:
    """Draw the groups by user; shares are of all users. Because models are inductive, the examined are strangers to them."""
    if not 0 < gate + exam < 1:
        raise ValueError(f"gate + exam == {gate + exam}, must lie between 0 and 1")
    draw = np.random.default_rng(seed).random(interactions.n_users)[interactions.users]
    return UserSplit(
        fit=interactions.where(draw >= gate + exam),
        gate=interactions.where(draw < gate),
        exam=interactions.where((draw >= gate) & (draw < gate + exam)),
    )


def leave_last(interactions: Interactions, least: int = 5) -> tuple[list[Query], np.ndarray]:
    """For each user with `least` interactions or more: all but the last, with the local time of day of the last; and the last film."""
    queries, targets = [], []
    for user in np.flatnonzero(interactions.lengths >= least).tolist():
        r = interactions.rows(user)
        profile = interactions.profile(user)
        part = int(interactions.times_of_day[r.stop - 1])
        context = Context(time_of_day=TIMES_OF_DAY[part] if part >= 0 else None)
        queries.append(Query(profile.keep(np.arange(len(profile)) < len(profile) - 1), context))
        targets.append(profile.items[-1])
    return queries, np.array(targets, np.int64)
