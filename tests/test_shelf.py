"""Which experiments can be read, and what of people stays unsaid: fewer than LEAST in the store, in an arm, or on a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from logs import PLAN, by_hand, log

from recommender.experiment import plan as plans
from recommender.experiment.log import Log
from recommender.experiment.plan import Simulation
from recommender.experiment.reading import read
from recommender.experiment.results import Reading
from recommender.experiment.shelf import LEAST, File, Stored, TooFew, overview, shelf, shown
from recommender.serve.columns import Recorded
from recommender.serve.feedback import FeedbackError

SIMULATED = replace(PLAN, name="made-up", simulation=Simulation(viewers=300))
PEOPLE = replace(PLAN, name="people")


def recorded(viewers: int, simulated: bool = False, name: str = "people") -> Recorded:
    return Recorded(name, simulated, viewers, 7 * viewers, 0.0, 1.0)


def never() -> list[Recorded]:
    raise AssertionError("the store was asked")


def test_a_simulation_is_read_from_its_file_and_the_store_is_not_asked(tmp_path: Path) -> None:
    plans.write(SIMULATED, tmp_path / "made-up")
    path = log(300, plan=SIMULATED).save(tmp_path / "made-up" / "log.npz")
    there = shelf(tmp_path, never)
    assert (there.waiting, there.problems) == ({}, {})
    assert there.found["made-up"].source == File.of(path)


@pytest.mark.parametrize(("viewers", "found"), [(LEAST - 1, False), (LEAST, True)])
def test_people_wait_until_there_are_enough(tmp_path: Path, viewers: int, found: bool) -> None:
    plans.write(PEOPLE, tmp_path / "people")
    there = shelf(tmp_path, lambda: [recorded(500, simulated=True), recorded(viewers)])
    if found:
        assert there.found["people"].source == Stored("people", False, 7 * viewers)
    else:
        assert not there.found
        assert f"has {viewers} of the {LEAST} viewers" in there.waiting["people"]


def test_what_has_not_run_waits_and_what_is_damaged_is_told_without_its_folder(tmp_path: Path) -> None:
    plans.write(PEOPLE, tmp_path / "people")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "plan.json").write_text("{}")
    there = shelf(tmp_path, list)
    assert there.waiting == {"people": "has not run yet"}
    assert set(there.problems) == {"odd"}
    assert str(tmp_path) not in there.problems["odd"]


def test_a_store_that_is_away_costs_those_that_need_it(tmp_path: Path) -> None:
    plans.write(PEOPLE, tmp_path / "people")
    plans.write(SIMULATED, tmp_path / "made-up")
    log(300, plan=SIMULATED).save(tmp_path / "made-up" / "log.npz")

    def away() -> list[Recorded]:
        raise FeedbackError("the store is away")

    there = shelf(tmp_path, away)
    assert list(there.found) == ["made-up"]
    assert there.problems == {"people": "people: the store is away"}


def reading(counts: Sequence[int], simulated: bool = False) -> Reading:
    """So many viewers in each arm, who come on both days and click now and then."""
    arms = np.repeat([0, 1], counts)
    clicks = np.arange(len(arms)) % 3
    made = by_hand(arms.tolist(), days=2, shown=[10] * len(arms), clicks=clicks.tolist())
    return read(SIMULATED if simulated else PEOPLE, replace(made, simulated=simulated))


@pytest.mark.parametrize("counts", [(LEAST - 1, 60), (60, LEAST - 1), (0, 60)])
def test_nothing_is_shown_of_people_where_one_arm_has_few(counts: tuple[int, int]) -> None:
    with pytest.raises(TooFew, match=f"wanted {LEAST} people in each arm"):
        shown(reading(counts))
    assert shown(reading(counts, simulated=True)).counts == dict(zip(("without", "with"), counts))  # nobody's history


def on_days(come: Sequence[Sequence[int]]) -> Log:
    """So many people of each arm come on each day, always the first of them."""
    most = max(map(max, come))
    visits = [[float(n < day[arm]) for day in come] for arm in (0, 1) for n in range(most)]
    shown_, clicks = [[10 * v for v in of] for of in visits], [[v * (n % 3) for v in of] for n, of in enumerate(visits)]
    return by_hand([0] * most + [1] * most, days=len(come), visits=visits, shown=shown_, clicks=clicks)


def test_days_before_enough_had_come_are_left_out_and_a_day_of_few_says_nothing_by_itself() -> None:
    full = read(PEOPLE, on_days([(5, 30), (LEAST, LEAST), (3, 40), (40, LEAST - 1), (25, 25)]))
    found = shown(full)
    assert [day.day for day in full.over_time] == [0, 1, 2, 3, 4]
    assert [day.day for day in found.over_time] == [1, 2, 3, 4]
    assert [day.alone is not None for day in found.over_time] == [True, False, False, True]
    assert found.primary == full.primary


def test_an_experiment_in_a_line_counts_its_own_events() -> None:
    said = overview(PEOPLE, [recorded(50), recorded(9, simulated=True), recorded(30, name="other")], has_log=False)
    assert (said["on"], said["viewers"], said["events"], said["log"]) == ("people", 50, 350, False)
    assert overview(SIMULATED, [], has_log=True)["on"] == "simulated viewers"
