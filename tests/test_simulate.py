"""A simulated experiment, event by event: what is shown to whom, what is stored of it, and that nobody sees what they must not."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import numpy as np
import pytest
from clickfilms import Shuffled, films

from recommender.experiment.assign import arm_of
from recommender.experiment.lists import SHOWN
from recommender.experiment.plan import Arm, Plan, Simulation
from recommender.experiment.simulate import TIMED, simulate
from recommender.experiment.world import CONTEXTS, World
from recommender.rank import diversify, mask, top
from recommender.serve.events import Event
from recommender.stats.effects import ratio_effect
from recommender.stats.moments import Moments
from recommender.types import Query

CATALOG = films()
FIRST = date(2026, 3, 2)  # of day 0
PLAN = Plan(
    "small",
    "Told the moment, people click more.",
    (Arm("old", "plain", False, 0.4), Arm("new", "shuffled", True, 0.5)),
    holdout=0.1,
    days=5,
    frozen=date(2026, 3, 1),
    simulation=Simulation(viewers=120, days_before=3, seed=3),
)


def happened(plan: Plan = PLAN) -> list[dict[str, Any]]:
    """All events, one dict each, in the order of storing; each batch whole."""
    rows = []
    for batch in simulate(plan, CATALOG, {"plain": Shuffled(CATALOG), "shuffled": Shuffled(CATALOG)}):
        n = len(batch["viewer"])
        assert all(np.ndim(values) == 0 or len(values) == n for values in batch.values())
        columns = [np.full(n, values, object) if np.ndim(values) == 0 else values.tolist() for values in batch.values()]
        rows += [dict(zip(batch, row)) for row in zip(*columns)]
    return rows


@cache
def stored() -> tuple[Event, ...]:
    """Every row as an Event, which checks it. Unknown stars are nan in a column of numbers."""
    return tuple(Event(**(row | {"note": json.loads(row["note"]), "stars": None if np.isnan(row["stars"]) else row["stars"]})) for row in happened())


def day(event: Event) -> int:
    return (datetime.fromtimestamp(event.at, UTC).date() - FIRST).days


def lists() -> dict[str, list[Event]]:
    """recommendation -> its impressions in the order of places."""
    found: dict[str, list[Event]] = {}
    for event in stored():
        if event.kind == "impression":
            found.setdefault(event.recommendation or "", []).append(event)
    return {key: sorted(shown, key=lambda e: e.position or 0) for key, shown in found.items()}


def test_every_event_is_one_and_says_it_is_simulated() -> None:
    assert {e.kind for e in stored()} == {"impression", "click", "watched", "rating", "hide"}
    assert all(e.simulated for e in stored())
    assert len({(e.viewer, e.id) for e in stored()}) == len(stored())
    assert set(happened(replace(PLAN, days=1))[0]) <= {f.name for f in fields(Event)}


def test_the_same_plan_gives_the_same_events_and_another_seed_others() -> None:
    def without_clock(plan: Plan) -> list[dict]:
        return [
            {k: v for k, v in row.items() if k != "stars" or v == v} | {"note": row["note"] if "min" in row["note"] else ""} for row in happened(plan)
        ]

    first = without_clock(PLAN)
    assert first == without_clock(PLAN)
    assert first != without_clock(replace(PLAN, simulation=replace(PLAN.simulation, seed=4)))


def test_nobody_gets_two_arms_before_the_first_day_all_get_the_control_and_the_holdout_does_not_come() -> None:
    for e in stored():
        own = arm_of(PLAN, e.viewer)
        assert own is not None
        assert (e.experiment, e.arm) == (PLAN.name, own.name)
        assert e.model == ("shuffled" if day(e) >= 0 and own.name == "new" else "plain")
    assert {e.arm for e in stored()} == {"old", "new"}
    assert {day(e) for e in stored()} == set(range(-3, 5))


def test_a_visit_shows_the_best_films_that_are_left_by_the_model_of_the_arm_told_what_the_arm_tells() -> None:
    world = World.make(CATALOG, 120, 1.0, 3)
    past = {f"sim-small-{n}": profile.items for n, profile in enumerate(world.histories(10**9))}
    model, gone = Shuffled(CATALOG), dict[str, set]()
    acts: dict[str, list[Event]] = {}
    for e in stored():
        acts.setdefault(e.recommendation or "", []).append(e)
    assert len(lists()) > 150
    for key, shown in sorted(lists().items(), key=lambda item: item[1][0].at):
        e = shown[0]
        told = CONTEXTS.index(next(c for c in CONTEXTS if (c.time_of_day, c.device) == (e.time_of_day, e.device))) if e.model == "shuffled" else 99
        line = model.line(int(past[e.viewer][0]), told)
        hidden = [*past[e.viewer], *gone.setdefault(e.viewer, set())]
        best = top(mask(line, np.array(hidden)), SHOWN)
        assert [s.film for s in shown] == CATALOG.ids[best].tolist()
        assert [s.position for s in shown] == list(range(SHOWN))
        np.testing.assert_allclose([s.score or 0 for s in shown], line[best])
        gone[e.viewer] |= {CATALOG.index(a.film or 0) for a in acts[key] if a.kind in ("click", "hide")}
    assert sum(map(len, gone.values())) > 50


def test_what_is_told_to_models_is_the_moment_only_where_the_arm_tells_it() -> None:
    models = {"plain": Shuffled(CATALOG), "shuffled": Shuffled(CATALOG)}
    for _ in simulate(PLAN, CATALOG, models):
        pass
    assert {(q.context.time_of_day, q.context.device) for q in models["plain"].asked} - {(None, None)} <= {("morning", "mobile")}  # the warming
    assert all(q.context.time_of_day and q.context.device for q in models["shuffled"].asked)


def test_one_visit_a_day_whose_hour_is_of_its_time_of_day() -> None:
    hours = {"morning": range(5, 12), "afternoon": range(12, 17), "evening": range(17, 21), "night": (21, 22, 23, 0, 1, 2, 3, 4)}
    visits = {(e.viewer, day(e)) for e in stored()}
    assert len(visits) == len(lists())
    for e in stored():
        assert e.local_hour in hours[e.time_of_day or ""]
        assert (datetime.fromtimestamp(e.at, UTC).hour == e.local_hour) or e.kind in ("watched", "rating", "hide")
    places = {(e.recommendation, e.film): e.position for e in stored() if e.kind == "impression"}
    assert all(places[e.recommendation, e.film] == e.position for e in stored())
    begun = {(e.recommendation, e.film): e.at for e in stored() if e.kind == "click"}
    watched = {(e.recommendation, e.film): e for e in stored() if e.kind == "watched"}
    assert set(begun) == set(watched)
    for key, e in watched.items():
        assert e.note["minutes"] >= 1
        assert e.at >= min(begun[key] + 60 * e.note["minutes"], begun[key] // 86_400 * 86_400 + 86_399)
    assert {(e.recommendation, e.film) for e in stored() if e.kind == "rating"} < set(watched)


def test_only_a_sample_of_lists_of_the_experiment_is_timed_and_by_the_clock() -> None:
    timed = [e for e in stored() if "ms" in e.note]
    assert all(e.kind == "impression" and e.position == 0 and e.arm and day(e) >= 0 and e.note["ms"] > 0 for e in timed)
    for arm in ("old", "new"):
        visits = sum(e.arm == arm and e.position == 0 and e.kind == "impression" and day(e) >= 0 for e in stored())
        assert sum(e.arm == arm for e in timed) == min(visits, TIMED)


def counts(plan: Plan) -> dict[str, Moments]:
    """Arm -> clicks and films shown of each viewer in the experiment."""
    by: dict[str, dict[str, list[int]]] = {"old": {}, "new": {}}
    for batch in simulate(plan, CATALOG, {"plain": Shuffled(CATALOG), "shuffled": Shuffled(CATALOG)}):
        if batch["at"][0] >= datetime(2026, 3, 2, tzinfo=UTC).timestamp():
            for viewer, arm, kind in zip(batch["viewer"], batch["arm"], batch["kind"]):
                if arm and kind in ("impression", "click"):
                    by[arm].setdefault(viewer, [0, 0])[kind == "impression"] += 1
    return {arm: Moments.of(np.array(list(viewers.values()))) for arm, viewers in by.items()}


def test_a_varied_arm_shows_the_list_that_is_varied_and_the_other_the_best() -> None:
    varied = replace(PLAN, days=1, arms=(Arm("old", "plain", False, 0.4), Arm("new", "plain", False, 0.5, variety=0.6)))
    rows = [row for row in happened(replace(varied, simulation=Simulation(viewers=60, days_before=0, seed=3))) if row["kind"] == "impression"]
    profiles = World.make(CATALOG, 60, 1.0, 3).histories(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
    model, seen = Shuffled(CATALOG), set()
    for viewer in {row["viewer"] for row in rows}:
        asked = Query(profiles[int(viewer.rpartition("-")[2])])
        scores = mask(model.score([asked])[0], asked.profile.items)
        arm = arm_of(varied, viewer)
        best = diversify(scores, CATALOG.genres, SHOWN, 0.6) if arm and arm.name == "new" else top(scores, SHOWN)
        assert [row["film"] for row in rows if row["viewer"] == viewer] == CATALOG.ids[best].tolist()
        seen.add(arm and arm.name)
    assert seen >= {"old", "new"}


def test_a_planted_lift_is_found_in_its_size() -> None:
    plain = replace(PLAN, holdout=0.0, arms=(Arm("old", "plain", False), Arm("new", "plain", False)), days=10)
    planted = replace(plain, simulation=Simulation(viewers=1500, days_before=1, seed=8, lift=0.5))
    found = counts(planted)
    effect = ratio_effect(found["old"], found["new"], 0, 1).relative
    assert effect.lo < 0.5 < effect.hi
    assert effect.lo > 0.2
    nothing = counts(replace(planted, simulation=replace(planted.simulation, lift=0.0)))
    assert nothing["old"].mean.tolist() == found["old"].mean.tolist()  # the control is as it was
    none = ratio_effect(nothing["old"], nothing["new"], 0, 1).relative
    assert none.lo < 0 < none.hi


@pytest.mark.parametrize(
    ("plan", "error", "said"),
    [
        (replace(PLAN, frozen=None), ValueError, "not frozen"),
        (replace(PLAN, simulation=None), ValueError, "has no simulation"),
        (replace(PLAN, arms=(Arm("old", "plain", False, 0.4), Arm("new", "oracle", True, 0.5))), LookupError, "'oracle'"),
    ],
)
def test_what_cannot_be_simulated_is_said(plan: Plan, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        happened(plan)


def test_viewers_who_have_seen_everything_are_named() -> None:
    few, plan = films(24), replace(PLAN, simulation=Simulation(viewers=30, days_before=0))
    with pytest.raises(ValueError, match=r"viewer sim-small-\d+ has \d films left to be shown, wanted 10"):
        for _ in simulate(plan, few, {"plain": Shuffled(few), "shuffled": Shuffled(few)}):
            pass
