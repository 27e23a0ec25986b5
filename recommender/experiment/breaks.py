"""Faults planted in the log of an experiment, to see whether its analysis catches them; and an experiment in which there is nothing to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from recommender.experiment.assign import arms_of
from recommender.experiment.log import Log
from recommender.experiment.plan import Plan

LOST = 0.15  # share of a treatment's viewers whose events are lost
CURIOUS = 0.5  # share of clicks that come on top on day 0, half as many after each
HALVED = 2.0  # days
RUSH = 1000  # clicks of a machine on a day


class Break(NamedTuple):
    """A fault: what it is called, what is planted, in a sentence, by which check it is to be caught, and how: plan, log, seed -> log."""

    label: str
    planted: str
    check: str
    plant: Callable[[Plan, Log, int], Log]


def same_for_all(plan: Plan, log: Log, seed: int = 0) -> tuple[Plan, Log]:
    """An A/A experiment: the viewers of the control alone, dealt anew into arms that all got the control, by the hash that deals real viewers with a
    salt that the seed makes. The truth is no effect, on anything.

    No number of viewers is planned, since there are fewer: its end is that of the planned days.
    """
    arms = [plan.control] + [replace(plan.control, name=f"{plan.control.name}, again {n}".removesuffix(" 1")) for n in range(1, len(plan.arms))]
    whole = sum(arm.share for arm in plan.arms)
    named = tuple(replace(arm, share=like.share / whole) for arm, like in zip(arms, plan.arms))
    simulation = plan.simulation and replace(plan.simulation, viewers=max(round(plan.simulation.viewers * plan.control.share), 20))
    same = replace(plan, arms=named, holdout=0.0, viewers=None, simulation=simulation)
    control = log.keep(np.flatnonzero(log.arms == 0))
    dealt = arms_of(replace(same, name=f"aa-{seed}"), map(str, range(len(control))))
    return same, replace(control, arms=dealt)


def lose(plan: Plan, log: Log, seed: int = 0) -> Log:
    """A logging fault: of each treatment the viewers with the fewest clicks are not in the log. The arm seems better for it."""
    order = np.random.default_rng([seed, 1]).permutation(len(log))  # among equals
    order = order[np.lexsort((log.total("visits")[order], log.total("clicks")[order]))]
    came = log.total("visits")[order] > 0
    keep = np.ones(len(log), bool)
    for n in range(1, len(plan.arms)):
        mine = order[came & (log.arms[order] == n)]
        keep[mine[: round(LOST * len(mine))]] = False
    return log.keep(np.flatnonzero(keep))


def wear_off(plan: Plan, log: Log, seed: int = 0) -> Log:
    """Novelty: in the treatments films that were shown and not clicked are clicked after all, out of curiosity, which fades day by day."""
    shown, clicks = log.sums["shown"], log.sums["clicks"]
    treated = (log.arms > 0)[:, None] & log.during
    rate = clicks[treated].sum() / max((shown - clicks)[treated].sum(), 1)
    chance = np.clip(rate * CURIOUS * 0.5 ** (np.maximum(log.days, 0) / HALVED), 0, 1)
    left = np.maximum(shown - clicks, 0).astype(np.int64)
    more = np.random.default_rng([seed, 2]).binomial(left, np.where(treated, chance, 0))
    return replace(log, sums=log.sums | {"clicks": clicks + more})


def click_all(plan: Plan, log: Log, seed: int = 0) -> Log:
    """A machine: one viewer of the first treatment comes on every day and clicks on everything, thousands of times. No such viewer: as it was."""
    mine = np.flatnonzero((log.arms == 1) & (log.total("visits") > 0))
    if not len(mine):
        return log
    viewer = int(np.random.default_rng([seed, 3]).choice(mine))
    rush = np.zeros((len(log), len(log.days)))
    rush[viewer, log.during] = RUSH
    more = {"visits": np.maximum(log.sums["visits"], rush > 0)} | {name: log.sums[name] + rush for name in ("shown", "clicks")}
    return replace(log, sums=log.sums | more)


BREAKS = {
    "srm": Break(
        "Sample ratio",
        f"a logging fault loses {LOST:.0%} of the treatment's viewers, those who clicked least, so that the arm seems better than it is.",
        "srm",
        lose,
    ),
    "novelty": Break(
        "Novelty",
        f"on the first day the treatment gets {CURIOUS:.0%} more clicks out of curiosity; every {HALVED:g} days half of that is gone.",
        "novelty",
        wear_off,
    ),
    "bot": Break("A machine", f"one viewer of the treatment clicks {RUSH:,} times a day.", "machines", click_all),
}
