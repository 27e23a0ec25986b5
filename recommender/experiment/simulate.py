"""An experiment on made-up viewers: plan, world and released models -> events, one batch of columns a day, as people's feedback is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import numpy as np

from recommender.catalog import Catalog
from recommender.experiment.assign import first_day, midnight
from recommender.experiment.lists import SHOWN, Agenda, Say, agenda, milliseconds, query, simulation
from recommender.experiment.plan import Plan
from recommender.experiment.world import CONTEXTS, NOWHERE, Visit, World
from recommender.types import TIMES_OF_DAY, Recommender

Batch = dict[str, Any]  # a field of Event -> (N,) values, or one value for all; notes are JSON text
KINDS = ("impression", "click", "watched", "rating", "hide")
HOURS = ((5, 7), (12, 5), (17, 4), (21, 8))  # first hour and number of hours of each time of day, over midnight for the night
ROW = "experiment"
TIMED = 200  # lists an arm whose making is timed
GLANCE = 5  # seconds spent on each film looked at


def simulate(plan: Plan, catalog: Catalog, models: dict[str, Recommender], say: Say = lambda line: None) -> Iterator[Batch]:
    """Everything that happens in a frozen plan, day by day. The same plan gives the same events and ids; only measured milliseconds differ.

    catalog: with mean stars and raters, as the service has it. Before day 0 all get the control. A film once begun or hidden is not shown again.
    Raises ValueError where the plan is none of a simulation or not frozen, LookupError where a model is missing.
    """
    asked = simulation(plan)
    world = World.make(catalog, asked.viewers, asked.dose, asked.seed)
    prepared = agenda(plan, world, models, say)
    yield from happen(plan, world, prepared, models, say)


def happen(plan: Plan, world: World, prepared: Agenda, models: dict[str, Recommender] | None = None, say: Say = lambda line: None) -> Iterator[Batch]:
    """What happens in a world of the same viewers, of any dose, on the visits that were prepared. Without models no list is timed."""
    gone = np.zeros((len(world), len(world.catalog)), bool)
    timed = _timed(plan, prepared) & (models is not None)
    models = models or {}
    for arm, profile in product(plan.arms if models else (), prepared.profiles[:3]):
        milliseconds(arm, models[arm.model], query(profile, 0))  # warm
    for day in np.unique(prepared.days).tolist():
        visits = np.flatnonzero(prepared.days == day)
        viewers, contexts = prepared.viewers[visits], prepared.contexts[visits]
        films, scores = _shown(prepared, visits, gone)
        rng = np.random.default_rng([world.seed, 4, day + 1000])
        lift = simulation(plan).lift * ((day >= 0) & (prepared.served[visits] > 0))
        visit = world.visit(viewers, contexts, films, rng, lift)
        row, place = np.nonzero(visit.clicked | visit.hidden)
        gone[viewers[row], films[row, place]] = True
        clock = {int(n): _ms(plan, prepared, models, visits[n]) for n in np.flatnonzero(timed[visits])}
        yield _events(plan, world, prepared, visits, films, scores, visit, rng, clock)
        say(f"Day {day + 1} of {plan.days}")


def _shown(prepared: Agenda, visits: np.ndarray, gone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first films that are left of each visit's list, and their scores: (N, K) each."""
    films, scores = prepared.films[prepared.lists[visits]], prepared.scores[prepared.lists[visits]]
    free = (films >= 0) & ~gone[prepared.viewers[visits, None], films]
    if (left := free.sum(axis=1)).min(initial=SHOWN) < SHOWN:
        name = prepared.names[prepared.viewers[visits[left.argmin()]]]
        raise ValueError(f"viewer {name} has {left.min()} films left to be shown, wanted {SHOWN}: more films, or fewer days")
    first = np.argsort(~free, axis=1, kind="stable")[:, :SHOWN]
    return np.take_along_axis(films, first, axis=1), np.take_along_axis(scores, first, axis=1)


# -- the clock ---------------------------------------------------------------------------------------------------------------


def _timed(plan: Plan, prepared: Agenda) -> np.ndarray:
    """(N,) whether the making of the list is timed: TIMED visits of each arm, drawn at random."""
    chosen, rng = np.zeros(len(prepared.days), bool), np.random.default_rng([simulation(plan).seed, 5])
    for arm in range(len(plan.arms)):
        own = np.flatnonzero((prepared.arms == arm) & (prepared.days >= 0))
        chosen[rng.permutation(own)[:TIMED]] = True
    return chosen


def _ms(plan: Plan, prepared: Agenda, models: dict[str, Recommender], visit: int) -> str:
    """The note of a list that was timed."""
    arm = plan.arms[prepared.served[visit]]
    told = prepared.contexts[visit] if arm.context else NOWHERE
    return f'{{"ms": {milliseconds(arm, models[arm.model], query(prepared.profiles[prepared.viewers[visit]], told)):.3f}}}'


# -- events ------------------------------------------------------------------------------------------------------------------


def _events(
    plan: Plan,
    world: World,
    prepared: Agenda,
    visits: np.ndarray,
    films: np.ndarray,
    scores: np.ndarray,
    visit: Visit,
    rng: np.random.Generator,
    clock: dict[int, str],
) -> Batch:
    """One day as columns: everything shown, then the clicks, films watched, stars and hides."""
    day = int(prepared.days[visits[0]])
    tag = f"d{day}" if day >= 0 else f"b{-day}"
    happened = (np.ones(films.shape, bool), visit.clicked, visit.clicked, ~np.isnan(visit.stars), visit.hidden)
    rows, places = (np.concatenate(each) for each in zip(*(np.nonzero(mask) for mask in happened)))
    kinds = np.repeat(np.arange(len(KINDS)), [mask.sum() for mask in happened])
    hours, seconds = _times(prepared.contexts[visits], films.shape[1], rng)
    after = np.where(kinds == 0, 0, GLANCE * (places + 1) + kinds) + np.where(kinds >= 2, 60 * visit.minutes[rows, places], 0)
    ids = np.array([[f"{tag}-{kind}-{place}" for place in range(films.shape[1])] for kind in KINDS], object)
    names = prepared.names[prepared.viewers[visits]]
    notes = np.full(len(rows), "{}", object)
    notes[kinds == 2] = [f'{{"minutes": {m:.0f}}}' for m in visit.minutes[visit.clicked].tolist()]
    notes[[n * films.shape[1] for n in clock]] = list(clock.values())  # impressions stand first, visit by visit
    start = midnight(first_day(plan) + timedelta(day))
    contexts = prepared.contexts[visits][rows]
    return {
        "viewer": names[rows],
        "kind": np.array(KINDS, object)[kinds],
        "film": world.catalog.ids[films[rows, places]],
        "stars": np.where(kinds == 3, visit.stars[rows, places], np.nan),
        "id": ids[kinds, places],
        "at": start + np.minimum(seconds[rows] + after, 86_399).astype(np.float64),
        "recommendation": np.array([f"{name}-{tag}" for name in names], object)[rows],
        "row": ROW,
        "position": places,
        "model": np.array([arm.model for arm in plan.arms], object)[prepared.served[visits]][rows],
        "score": scores[rows, places].astype(np.float64),
        "propensity": 1.0,  # the best films in their order, without chance
        "time_of_day": np.array([context.time_of_day for context in CONTEXTS], object)[contexts],
        "device": np.array([context.device for context in CONTEXTS], object)[contexts],
        "local_hour": hours[rows],
        "note": notes,
        "experiment": plan.name,
        "arm": np.array([arm.name for arm in plan.arms], object)[prepared.arms[visits]][rows],
        "simulated": True,
    }


def _times(contexts: np.ndarray, shown: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The hour of each visit, and its second of the day, such that the last film is looked at within the hour."""
    first, many = np.array(HOURS)[contexts // (len(CONTEXTS) // len(TIMES_OF_DAY))].T
    hours = (first + rng.integers(many)) % 24
    return hours, 3600 * hours + rng.integers(3600 - GLANCE * (shown + 1) - len(KINDS), size=len(hours))
