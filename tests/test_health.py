"""Can an experiment be believed? Each check by hand, its false alarms, and what it must not mistake for a fault."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from logs import PLAN, by_hand, log
from scipy.stats import binom, chisquare

from recommender.experiment.health import EARLY, checks, exposures, novelty
from recommender.experiment.log import UNASSIGNED, Log
from recommender.experiment.plan import Arm, Plan
from recommender.experiment.results import Check
from recommender.experiment.said import percent
from recommender.experiment.sample import Sample

THREE = replace(PLAN, arms=(Arm("a", "hybrid", share=0.5), Arm("b", "hybrid", share=0.3), Arm("c", "hybrid", share=0.2)))


def asked(plan: Plan, log: Log, until: int | None = None) -> dict[str, Check]:
    return {check.key: check for check in checks(Sample.of(plan, log, until))}


def dealt(*counts: int) -> list[int]:
    return [arm for arm, n in enumerate(counts) for _ in range(n)]


# -- the sample ratio ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("counts", "ok"), [((50, 50), True), ((60, 40), True), ((66, 34), True), ((67, 33), False), ((33, 67), False)])
def test_a_sample_ratio_by_hand(counts: tuple[int, int], ok: bool) -> None:
    # of 100 with halves planned chi-squared is (a - 50)^2 / 25: 10.24 at 66, p .0014; 11.56 at 67, p .0007
    check = asked(PLAN, by_hand(dealt(*counts)))["srm"]
    assert (check.ok, check.blocks) == (ok, True)
    assert check.p == pytest.approx(chisquare(counts).pvalue)
    assert check.facts["observed"] == list(counts)
    assert check.facts["expected"] == [50, 50]


def test_the_ratio_is_that_of_the_plan_also_beside_a_holdout() -> None:
    plan = replace(PLAN, arms=(Arm("a", "hybrid", share=0.6), Arm("b", "hybrid", share=0.2)), holdout=0.2)
    check = asked(plan, by_hand([*dealt(75, 25), *[UNASSIGNED] * 90]))["srm"]
    assert check.ok
    assert check.facts["expected"] == pytest.approx([75, 25])
    assert not asked(plan, by_hand([*dealt(50, 50), *[UNASSIGNED] * 90]))["srm"].ok


def test_the_ratio_counts_those_who_came_before_anybody_is_left_out() -> None:
    fair = by_hand(dealt(100, 100), clicks=[0] * 100 + [999] * 60 + [0] * 40)
    assert asked(PLAN, fair)["srm"].facts["observed"] == [100, 100]
    assert asked(PLAN, replace(fair, several=np.arange(200) >= 140))["srm"].ok
    away = by_hand(dealt(100, 100), visits=[1] * 100 + [1] * 40 + [0] * 60)
    assert asked(PLAN, away)["srm"].facts["observed"] == [100, 40]
    assert not asked(PLAN, away)["srm"].ok


def test_the_ratio_looked_at_daily_names_the_day_of_its_alarm() -> None:
    # from the third day on nobody new comes to the treatment
    first = [0] * 100 + [0] * 100 + [2] * 300
    visits = [[int(day >= start) for day in range(4)] for start in first]
    check = asked(PLAN, by_hand(dealt(100, 100)[:200] + [0] * 300, days=4, visits=visits))["srm-daily"]
    assert not check.ok
    assert not check.blocks
    assert "on day 3" in check.said
    assert len(check.facts["p"]) == 4


# -- who is left out ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "ok"), [(0, True), (1, True), (2, False)])
def test_more_than_one_in_a_hundred_who_met_both_arms_block(n: int, ok: bool) -> None:
    check = asked(PLAN, replace(by_hand(dealt(50, 50)), several=np.arange(100) < n))["several"]
    assert (check.ok, check.blocks, check.facts["viewers"]) == (ok, True, n)


@pytest.mark.parametrize(("found", "ok", "blocks"), [((0, 0), True, True), ((0, 1), False, False), ((5, 5), False, False), ((0, 15), False, True)])
def test_machines_warn_and_block_where_one_arm_has_them(found: tuple[int, int], ok: bool, blocks: bool) -> None:
    # 15 of 15 in one of two halves: p = 2 / 2^15
    clicks = [51 if k < n else 50 for n in found for k in range(100)]
    check = asked(PLAN, by_hand(dealt(100, 100), clicks=clicks, shown=[100] * 200))["machines"]
    assert (check.ok, check.blocks, check.facts["counts"]) == (ok, blocks, list(found))


def test_a_machine_is_one_by_a_single_day() -> None:
    days = by_hand(dealt(1, 1), days=2, clicks=[[50, 50], [0, 51]])
    assert Sample.of(PLAN, days).machine.tolist() == [1 << 30, 1]
    assert asked(PLAN, days, until=0)["machines"].ok
    assert not asked(PLAN, days)["machines"].ok


# -- before, and later ---------------------------------------------------------------------------------------------------


def test_arms_unlike_before_the_experiment_are_seen() -> None:
    fair = log(2000, seed=3)
    assert asked(PLAN, fair)["balance"].ok
    minutes = fair.sums["minutes"] * np.where((fair.arms == 1)[:, None] & (fair.days < 0), 1.5, 1)
    check = asked(PLAN, replace(fair, sums=fair.sums | {"minutes": minutes}))["balance"]
    assert not check.ok
    assert not check.blocks
    assert "engagement" in check.said
    assert {row["metric"] for row in check.facts["rows"] if row["p_holm"] < 0.01} == {"engagement"}
    after = fair.sums["minutes"] * np.where((fair.arms == 1)[:, None] & (fair.days >= 0), 1.5, 1)
    assert asked(PLAN, replace(fair, sums=fair.sums | {"minutes": after}))["balance"].ok, "what the arms did later is no imbalance"


def test_balance_says_where_nothing_was_measured() -> None:
    assert "Nothing was measured before" in asked(PLAN, log(100, before=0))["balance"].said


def drift(log: Log, plan: Plan = PLAN) -> dict:
    return novelty(Sample.of(plan, log)).facts["arms"][0]


def test_the_early_and_the_late_effect_by_hand() -> None:
    # six days: the first two against the last four; control 1/10 then 1/10, treatment 4/10 then 2/10
    clicks = [[1] * 6, [1] * 6, [4, 4, 2, 2, 2, 2], [4, 4, 2, 2, 2, 2]]
    found = drift(by_hand(dealt(2, 2), days=6, clicks=clicks, shown=[10] * 4))
    assert (found["early"], found["late"]) == pytest.approx((3, 1))


@pytest.mark.parametrize("primary", ["ctr", "engagement"])
def test_the_error_of_a_change_is_that_of_leaving_out_viewer_after_viewer(primary: str) -> None:
    plan, some = replace(PLAN, primary=primary, secondary=()), log(240, lift=0.2, seed=5)

    def change(log: Log) -> float:
        row = drift(log, plan)
        return np.log((1 + row["early"]) / (1 + row["late"]))

    whole, row = change(some), drift(some, plan)
    variance = 0.0
    for arm in (0, 1):
        mine = np.flatnonzero((some.arms == arm) & (some.total("visits") > 0))
        left = np.array([change(some.keep(np.delete(np.arange(len(some)), viewer))) for viewer in mine])
        variance += (len(mine) - 1) / len(mine) * ((left - left.mean()) ** 2).sum()
    assert whole / row["z"] == pytest.approx(np.sqrt(variance), rel=0.03)


def test_a_lasting_effect_is_no_novelty() -> None:
    runs = 300
    alarms = sum(not novelty(Sample.of(PLAN, log(400, lift=0.5, seed=seed))).ok for seed in range(runs))
    assert alarms <= binom.isf(1e-4, runs, 0.01)


def test_novelty_is_not_asked_of_a_few_days() -> None:
    assert "too early" in asked(PLAN, log(200, days=2 * EARLY - 1))["novelty"].said
    assert "too early" not in asked(PLAN, log(200, days=2 * EARLY))["novelty"].said


# -- exposure and data ---------------------------------------------------------------------------------------------------


def test_exposures_count_first_visits_and_visits() -> None:
    some = by_hand([0, 0, 1, UNASSIGNED], days=3, visits=[[1, 1, 0], [0, 1, 1], [1, 0, 0], [1, 1, 1]])
    rows = {(e.day, e.arm): (e.new, e.came) for e in exposures(Sample.of(PLAN, some))}
    assert rows == {
        (0, "without"): (1, 1), (1, "without"): (1, 2), (2, "without"): (0, 1),
        (0, "with"): (1, 1), (1, "with"): (0, 0), (2, "with"): (0, 0),
    }  # fmt: skip
    check = asked(PLAN, some)["exposures"]
    assert not check.ok
    assert check.facts["empty"] == [1, 2]


def test_a_full_week_is_seven_days() -> None:
    some = log(100)
    assert not asked(PLAN, some, until=5)["days"].ok
    assert asked(PLAN, some, until=6)["days"].ok


def test_what_was_not_measured_is_named() -> None:
    some = log(300)
    assert asked(PLAN, some)["data"].ok
    untimed = np.where((some.arms == 1)[:, None], 0, some.sums["timed"])
    check = asked(PLAN, replace(some, sums=some.sums | {"timed": untimed}))["data"]
    assert not check.ok
    assert not check.blocks
    assert "latency" in check.said
    assert check.facts["viewers"]["latency"][1] == 0
    for n in (19, 20):
        assert asked(PLAN, by_hand(dealt(n, 50), **dict.fromkeys(("shown", "rated", "timed"), [1] * (n + 50))))["data"].ok == (n == 20)


def test_sound_experiments_are_seldom_refused() -> None:
    runs, failed = 200, dict[str, int]()
    for seed in range(runs):
        for check in checks(Sample.of(THREE, log(500, seed=seed, plan=THREE))):
            failed[check.key] = failed.get(check.key, 0) + (not check.ok)
            assert check.said.endswith((".", "?"))
    assert failed["srm"] + failed["srm-daily"] <= binom.isf(1e-4, 2 * runs, 0.001)
    assert max(failed["balance"], failed["novelty"]) <= binom.isf(1e-4, runs, 0.01)
    assert not any(failed[key] for key in ("several", "machines", "exposures", "days", "data"))


@pytest.mark.parametrize("some", [log(0), by_hand(dealt(3, 3), visits=[0] * 6), log(20, days=0)])
def test_an_experiment_without_viewers_is_asked_all_the_same(some: Log) -> None:
    found = asked(PLAN, some)
    assert found["srm"].ok
    assert found["srm"].p is None
    assert not found["data"].ok


def test_a_difference_from_nothing_is_told_without_a_percentage() -> None:
    before = by_hand(dealt(30, 30), days=1, before=1, visits=[[1, 1]] * 60, clicks=[[0, 0]] * 30 + [[1, 0]] * 30, shown=[[10, 10]] * 60)
    assert "(from 0 to 0.1 in with)" in asked(PLAN, before)["balance"].said
    assert (percent(float("inf")), percent(float("-inf"))) == ("+∞", "−∞")
