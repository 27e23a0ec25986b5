"""What the arms of a simulated experiment show: who comes when, what their arm's model is told, and the films it then ranks first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from recommender import rank
from recommender.experiment.assign import arms_of, first_day, midnight
from recommender.experiment.log import UNASSIGNED
from recommender.experiment.plan import Arm, Plan, Simulation
from recommender.experiment.world import CONTEXTS, NOWHERE, World
from recommender.types import Context, Profile, Query, Recommender

Say = Callable[[str], object]
SHOWN = 10  # films a visit
SPARE = 5  # films more for each day, ranked in case that those above were watched or hidden
BATCH = 64  # queries scored at once
CORES = 2
POOL = 100  # films among which a varied list is chosen


@dataclass(frozen=True, eq=False)
class Agenda:
    """N visits, by day and viewer, and what is shown in them. Everything but what then happens. The holdout does not come: nobody would look at it.

    arms: number of the viewer's arm in the plan; served: of the arm whose model makes the list, which is the control before day 0; lists: row of
    films and scores (R, D), best first. None of this depends on the dose.
    """

    names: np.ndarray  # (V,) ids of the viewers
    profiles: Sequence[Profile]  # what models see of them, throughout: that of the time before
    days: np.ndarray  # (N,)
    viewers: np.ndarray
    contexts: np.ndarray
    arms: np.ndarray
    served: np.ndarray
    lists: np.ndarray
    films: np.ndarray  # (R, D)
    scores: np.ndarray


def simulation(plan: Plan) -> Simulation:
    """How the plan is simulated. A ValueError where it is an experiment on people."""
    if plan.simulation is None:
        raise ValueError(f"plan {plan.name} has no simulation, wanted one: this is an experiment on people")
    return plan.simulation


def agenda(plan: Plan, world: World, models: dict[str, Recommender], say: Say) -> Agenda:
    """Deal out the arms, ask everybody's diary, and rank films once for each viewer, model and context told. LookupError names a missing model."""
    if missing := sorted({arm.model for arm in plan.arms} - set(models)):
        raise LookupError(f"model {missing[0]!r} of plan {plan.name} is not there, wanted one of {', '.join(sorted(models))}")
    span = np.arange(-simulation(plan).days_before, plan.days)
    names = np.array([f"sim-{plan.name}-{n}" for n in range(len(world))], object)
    arms = arms_of(plan, names)
    start = first_day(plan)
    comes, contexts = world.calendar(span, start)
    day, viewer = np.nonzero(comes.T & (arms != UNASSIGNED))
    context = contexts[viewer, day]
    served = np.where(span[day] < 0, 0, arms[viewer])
    say("What everybody watched before")
    profiles = world.histories(midnight(start + timedelta(int(span[0]))))
    depth = min(SHOWN + SPARE * len(span), len(world.catalog))
    lists, films, scores = _rankings(
        plan, models, world.catalog.genres, profiles, viewer, np.where([plan.arms[s].context for s in served], context, NOWHERE), served, depth, say
    )
    return Agenda(names, profiles, span[day], viewer, context, arms[viewer], served, lists, films, scores)


def _rankings(
    plan: Plan,
    models: dict[str, Recommender],
    genres: np.ndarray,
    profiles: Sequence[Profile],
    viewers: np.ndarray,
    told: np.ndarray,
    served: np.ndarray,
    depth: int,
    say: Say,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which row each visit needs (N,), and the rows: films and scores (R, D), -1 and 0 where the films come to an end."""
    used = sorted({_maker(arm) for arm in plan.arms})
    maker = np.array([used.index(_maker(arm)) for arm in plan.arms])[served]
    wanted, lists = np.unique(np.stack([maker, viewers, told], axis=1), axis=0, return_inverse=True)
    films, scores = np.full((len(wanted), depth), -1, np.int32), np.zeros((len(wanted), depth), np.float32)

    def rank_some(at: int) -> int:
        rows = range(at, min(at + BATCH, len(wanted)))
        for number in np.unique(wanted[rows, 0]).tolist():
            name, variety = used[number]
            own = [row for row in rows if wanted[row, 0] == number]
            queries = [query(profiles[wanted[row, 1]], wanted[row, 2]) for row in own]
            for row, asked, line in zip(own, queries, models[name].score(queries), strict=True):
                best = _best(line, asked, depth, variety, genres)
                films[row, : len(best)], scores[row, : len(best)] = best, line[best]
        return len(rows)

    done = 0
    with ThreadPoolExecutor(CORES) as pool:
        for n, ranked in enumerate(pool.map(rank_some, range(0, len(wanted), BATCH))):
            done += ranked
            if n % 16 == 0 or done == len(wanted):
                say(f"Lists: {done:,} of {len(wanted):,}")
    return lists.ravel(), films, scores


def _maker(arm: Arm) -> tuple[str, float]:
    """What makes the lists of an arm, but for the context: its model and their variety."""
    return arm.model, arm.variety or 0.0


def _best(scores: np.ndarray, asked: Query, k: int, variety: float, genres: np.ndarray) -> np.ndarray:
    """At most k films that the viewer has not seen, in the order of a list of such variety."""
    masked = rank.mask(scores, asked.profile.items)
    return rank.diversify(masked, genres, k, variety, pool=max(POOL, k)) if variety else rank.top(masked, k)


def query(profile: Profile, context: int) -> Query:
    """What a model is asked, by the number of a context or NOWHERE."""
    return Query(profile, CONTEXTS[context] if context >= 0 else Context())


def milliseconds(arm: Arm, model: Recommender, asked: Query) -> float:
    """How long one list of an arm takes, from the question to the films."""
    start = time.perf_counter()
    _best(model.score([asked])[0], asked, SHOWN, arm.variety or 0.0, model.catalog.genres)
    return 1000 * (time.perf_counter() - start)
