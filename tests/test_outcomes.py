"""From events to a log: every sum by hand, days by the calendar of universal time, segments by what was before; the same for people and simulated."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clickfilms import Shuffled, films
from conftest import opened

from recommender.catalog import Catalog
from recommender.experiment import outcomes as rooms
from recommender.experiment.assign import arm_of
from recommender.experiment.log import STEPS, Log
from recommender.experiment.metrics import FIELDS
from recommender.experiment.outcomes import outcomes
from recommender.experiment.plan import Arm, Plan, Simulation
from recommender.experiment.simulate import simulate
from recommender.serve.feedback import Event, Feedback

PLAN = Plan("by-hand", "x", (Arm("old", "ease"), Arm("new", "ease", False)), days=3, frozen=date(2026, 3, 1))
START = datetime(2026, 3, 2, tzinfo=UTC).timestamp()  # of day 0: the day after
IDS = {number: next(f"v{number}-{n}" for n in range(99) if arm_of(PLAN, f"v{number}-{n}") == PLAN.arms[number % 2]) for number in range(6)}


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """Four films: two dramas, a comedy, a drama and comedy; only the first is best known. The third has no known running time."""
    monkeypatch.setattr(rooms, "BEST_KNOWN", 1)
    genres = np.array([[1, 0], [1, 0], [0, 1], [1, 1]], bool)
    nobody, zero = ((),) * 4, np.zeros(4, int)
    return Catalog(
        np.array([40, 10, 30, 20]), ("a", "b", "c", "d"), zero + 1990, genres, ("Drama", "Comedy"), nobody, nobody, ("",) * 4,
        np.array([100.0, 90.0, np.nan, 120.0]), zero, zero, raters=np.array([9, 5, 7, 8]),
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path):
    with opened(f"sqlite:///{tmp_path / 'f.sqlite'}") as made:
        yield made


def event(number: int, kind: str, film: int, day: float, page: str = "p", **more: Any) -> Event:
    """Of viewer `number`, who is in arm number % 2."""
    given = {"arm": PLAN.arms[number % 2].name, "experiment": PLAN.name, "row": "first", "recommendation": f"{page}-{int(day // 1)}"}
    return Event(IDS[number], kind, film, at=START + 86_400 * day, **(given | more))


def page(number: int, films: list[int], day: float, **more: Any) -> list[Event]:
    return [event(number, "impression", film, day, position=n, **more) for n, film in enumerate(films)]


def untagged(event: Event) -> Event:
    return replace(event, experiment=None, arm=None)


def of(store: Feedback, catalog: Catalog, *events: Event, plan: Plan = PLAN):
    store.add(events)
    return outcomes(plan, store.outcomes(plan.name), catalog)


def test_every_sum_by_hand(store: Feedback, catalog: Catalog, tmp_path: Path) -> None:
    """Distances of the pairs of films 40, 10, 30, 20: 40 and 10 are the same, 0; 30 shares nothing with either, 1; 20 is 1 - 1/sqrt(2) from all."""
    part = 1 - 1 / np.sqrt(2)
    log, moved = of(
        store, catalog,
        *page(0, [40, 10, 30], 0.1), event(0, "click", 30, 0.1), event(0, "click", 40, 0.1),
        event(0, "watched", 30, 0.2, note={"minutes": 31}), event(0, "watched", 40, 0.2), event(0, "rating", 30, 0.3, stars=2.0),
        event(0, "rating", 30, 0.4, stars=4.5), event(0, "rating", 40, 0.4, stars=3.0), event(0, "hide", 10, 0.4),
        *page(0, [40, 20], 0.5, page="q", row="second"), *page(0, [30], 0.6, page="r", note={"ms": 2.5}),
        *page(1, [20, 30], 2.9, note={"ms": 4}), event(1, "watched", 30, 2.95), event(1, "like", 30, 2.95),
    )  # fmt: skip
    assert moved == 0
    assert (log.days.tolist(), log.arms.tolist(), log.several.tolist()) == ([0, 1, 2], [0, 1], [False, False])
    assert (log.first, log.simulated) == (date(2026, 3, 2), False)
    first = {"visits": 1, "shown": 6, "clicks": 2, "watches": 2, "minutes": 31 + 100, "stars": 4.5 + 3, "rated": 2}
    first |= {"diversity": (2 / 3 + part) / 2, "rare": 4, "hides": 1, "latency": 2.5, "timed": 1}
    last = dict.fromkeys(FIELDS, 0) | {"visits": 1, "shown": 2, "watches": 1, "diversity": part, "rare": 2, "latency": 8, "timed": 2}
    for name in FIELDS:
        assert log.sums[name] == pytest.approx(np.array([[first[name], 0, 0], [0, 0, last[name]]]), abs=STEPS[name] / 2), name
    log.save(tmp_path / "log.npz")
    assert all((Log.load(tmp_path / "log.npz").sums[name] == log.sums[name]).all() for name in FIELDS)


def test_days_are_those_of_universal_time_and_of_the_plan(store: Feedback, catalog: Catalog) -> None:
    just = 1e-5
    log, _ = of(
        store, catalog,
        *page(0, [40], 0), *page(0, [40, 10], 1 - just), *page(0, [40], 1), *page(0, [40], 3 - just), *page(0, [40], 3), *page(2, [40], 7),
        *map(untagged, [*page(0, [40] * 4, -just), *page(0, [40] * 5, -2), *page(4, [40], -1)]),
    )  # fmt: skip
    assert log.days.tolist() == [-2, -1, 0, 1, 2]
    assert log.sums["shown"].tolist() == [[5, 4, 3, 1, 1]]  # who came only after the end is not in it, nor who was never in it


def test_what_was_done_outside_before_the_app_joined_late_is_of_no_day(store: Feedback, catalog: Catalog) -> None:
    """The plan began a day before anybody was dealt to it: what they did on that day was not in it, and was not before it either."""
    log, _ = of(store, catalog, *map(untagged, [*page(0, [40], -1), *page(0, [40] * 3, 0.5)]), *page(0, [40, 10], 1))
    assert (log.days.tolist(), log.sums["shown"].tolist()) == ([-1, 0, 1], [[1, 0, 2]])


def test_who_met_several_arms_is_marked_and_the_first_of_the_experiment_counts(store: Feedback, catalog: Catalog) -> None:
    new = {"arm": "new"}
    before = {"simulated": True, **new}
    log, moved = of(
        store, catalog,
        *page(0, [40], 0), *page(0, [40], 1, **new),
        *page(2, [40], 0, **new),
        *page(4, [40], -1, **before), *page(4, [40], 1, simulated=True),
        *page(1, [40], -1, **before),
    )  # fmt: skip
    by_viewer = dict(zip([IDS[0], IDS[1], IDS[2], IDS[4]], zip(log.arms.tolist(), log.several.tolist()), strict=True))
    assert by_viewer == {IDS[0]: (0, True), IDS[2]: (1, False), IDS[4]: (0, False), IDS[1]: (1, False)}
    assert moved == 1  # v2, whom the assignment gives the old


def test_segments_are_what_was_before(store: Feedback, catalog: Catalog) -> None:
    on = {"device": "tv", "time_of_day": "night"}
    log, _ = of(
        store, catalog,
        *map(untagged, [*page(0, [40], -3, **on), *page(0, [40], -2, device="mobile"), *page(0, [40], -1, **on), event(0, "click", 30, -1)]),
        *map(untagged, [*page(2, [40], -1, device="mobile", time_of_day="morning"), event(2, "click", 20, -1), event(2, "click", 10, -1)]),
        *page(0, [40] * 9, 0, device="mobile", time_of_day="morning"), event(0, "click", 10, 0), event(0, "click", 10, 1),
        *page(2, [40], 0), *page(4, [40], 0, **on), event(4, "click", 30, 0),
    )  # fmt: skip
    said = {name: [labels[code] for code in codes] for name, (labels, codes) in log.segments.items()}
    assert said == {
        "history": ["3 or more", "1 or 2 visits", "no visit"],
        "device": ["tv", "mobile", "unknown"],
        "time": ["night", "morning", "unknown"],
        "genre": ["Comedy", "Drama", "unknown"],
    }
    nothing, _ = of(store, catalog, *page(0, [40], 0, experiment="other"), plan=replace(PLAN, name="other"))
    assert nothing.segments == {}  # one viewer: nothing to tell apart


def test_what_is_not_there_is_told(store: Feedback, catalog: Catalog) -> None:
    with pytest.raises(ValueError, match="experiment by-hand has 0 events, none of them of its days from 2026-03-02 on"):
        of(store, catalog)
    with pytest.raises(ValueError, match="has 1 events, none"):
        of(store, catalog, *page(0, [40], 5))
    with pytest.raises(LookupError, match="arm 'third' of experiment by-hand is not in its plan, wanted one of old, new"):
        of(store, catalog, *page(0, [40], 1, arm="third"))
    store.forget(IDS[0])
    with pytest.raises(LookupError, match="film 41 of the experiment is not in the catalogue"):
        of(store, catalog, *page(0, [41], 1))
    with pytest.raises(ValueError, match="is not frozen"):
        of(store, catalog, plan=replace(PLAN, frozen=None))


def test_a_simulated_experiment_is_summed_as_its_events_say(store: Feedback) -> None:
    known = films()
    plan = Plan(
        "small", "x", (Arm("old", "plain", False, 0.4), Arm("new", "shuffled", True, 0.5)), holdout=0.1, days=3, frozen=date(2026, 3, 1),
        simulation=Simulation(viewers=80, days_before=2, seed=3),
    )  # fmt: skip
    counts: dict[tuple[str, int, str], int] = {}
    minutes = 0.0
    for batch in simulate(plan, known, {"plain": Shuffled(known), "shuffled": Shuffled(known)}):
        store.add_columns(batch)
        for viewer, at, kind, note in zip(*(batch[name] for name in ("viewer", "at", "kind", "note"))):
            key = viewer, int((at - START) // 86_400), kind
            counts[key] = counts.get(key, 0) + 1
            minutes += json.loads(note).get("minutes", 0)
    log, moved = outcomes(plan, store.outcomes("small"), known)
    viewers = sorted({viewer for viewer, *_ in counts})
    assert moved == 0
    assert log.simulated
    assert not log.several.any()
    assert log.days.tolist() == [-2, -1, 0, 1, 2]
    assert len(log) == len(viewers) < 80  # without the holdout
    assert [plan.arms[code] for code in log.arms] == [arm_of(plan, viewer) for viewer in viewers]
    for name, kind in (("shown", "impression"), ("clicks", "click"), ("watches", "watched"), ("rated", "rating"), ("hides", "hide")):
        wanted = [[counts.get((viewer, int(day), kind), 0) for day in log.days] for viewer in viewers]
        assert log.sums[name].tolist() == wanted, name
    assert log.sums["minutes"].sum() == minutes
    assert log.sums["shown"].max() == 10
    assert {"history", "device", "time", "genre"} >= set(log.segments) >= {"device", "time"}
