"""Each planted fault is caught by its own check and leaves the rest alone; an A/A has nothing to find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from logs import PLAN, log
from scipy.stats import binom, kstest

from recommender.experiment.breaks import BREAKS, LOST, same_for_all
from recommender.experiment.health import checks
from recommender.experiment.log import UNASSIGNED, Log
from recommender.experiment.metrics import FIELDS
from recommender.experiment.plan import Arm
from recommender.experiment.reading import effects, read
from recommender.experiment.sample import Sample

ALL = pytest.mark.parametrize("name", BREAKS)
RUNS = 12
# A fault whose mark stands in another check too, rightly: who is lost by clicks was unlike before; alarm after alarm of the same ratio
TOO = {"srm": {"srm-daily", "balance"}}


@pytest.fixture(scope="module")
def whole() -> Log:
    some = log(3000, seed=7)
    return replace(some, arms=np.where(np.arange(len(some)) % 30 == 0, UNASSIGNED, some.arms))


def failed(log: Log) -> set[str]:
    return {check.key for check in checks(Sample.of(PLAN, log)) if not check.ok}


@ALL
def test_each_is_caught_by_its_check_and_by_no_other(name: str) -> None:
    found = [failed(BREAKS[name].plant(PLAN, log(8000, seed=seed), seed)) for seed in range(RUNS)]
    own = BREAKS[name].check
    assert all(own in keys for keys in found)
    others = sum(len(keys - {own} - TOO.get(name, set())) for keys in found)
    assert others <= binom.isf(1e-3, 3 * RUNS, 0.01)  # three checks have false alarms


def test_what_is_not_broken_raises_no_alarm_of_these() -> None:
    alarms = sum(len(failed(log(8000, seed=seed)) & {"srm", "novelty", "machines"}) for seed in range(RUNS))
    assert alarms <= binom.isf(1e-3, RUNS, 0.01)


@ALL
def test_the_control_and_the_days_before_stay_as_they_were(whole: Log, name: str) -> None:
    broken = BREAKS[name].plant(PLAN, whole, 0)
    for field in FIELDS:
        for arm in (0, UNASSIGNED):
            assert (broken.sums[field][broken.arms == arm] == whole.sums[field][whole.arms == arm]).all()
        if len(broken) == len(whole):
            assert (broken.sums[field][:, whole.days < 0] == whole.sums[field][:, whole.days < 0]).all()


@ALL
def test_the_same_seed_plants_the_same(whole: Log, name: str) -> None:
    one, again, other = (BREAKS[name].plant(PLAN, whole, seed) for seed in (1, 1, 2))
    assert all((one.sums[field] == again.sums[field]).all() for field in FIELDS)
    assert one.sums["clicks"].shape != other.sums["clicks"].shape or (one.sums["clicks"] != other.sums["clicks"]).any()


@ALL
def test_an_empty_log_can_be_broken(name: str) -> None:
    assert len(BREAKS[name].plant(PLAN, log(0), 0)) == 0


def test_those_who_clicked_least_are_lost(whole: Log) -> None:
    broken = BREAKS["srm"].plant(PLAN, whole, 0)
    came = [int(((some.arms == 1) & (some.total("visits") > 0)).sum()) for some in (whole, broken)]
    assert came[0] - came[1] == round(LOST * came[0])
    lost = sorted(whole.total("clicks")[(whole.arms == 1) & (whole.total("visits") > 0)])[: came[0] - came[1]]
    assert broken.total("clicks").sum() == whole.total("clicks").sum() - sum(lost)
    assert read(PLAN, broken).primary[0].best.absolute.estimate > read(PLAN, whole).primary[0].best.absolute.estimate
    assert read(PLAN, broken).decisions[0].verdict == "invalid"


def test_curiosity_fades() -> None:
    some = log(20_000, seed=1)
    broken = BREAKS["novelty"].plant(PLAN, some, 0)
    mine = some.arms == 1
    more = (broken.sums["clicks"][mine].sum(axis=0) / some.sums["clicks"][mine].sum(axis=0) - 1)[some.during]
    assert more[0] == pytest.approx(0.5, abs=0.06)
    assert more[2] == pytest.approx(0.25, abs=0.05)
    assert more[10:].mean() == pytest.approx(0.5 * (0.5 ** (np.arange(10, 14) / 2)).mean(), abs=0.01)
    assert (broken.sums["clicks"] <= some.sums["shown"]).all()


def test_a_machine_is_left_out_and_the_effect_stays(whole: Log) -> None:
    broken = read(PLAN, BREAKS["bot"].plant(PLAN, whole, 0))
    assert broken.left_out["machines"] == 1
    assert broken.primary[0].best.relative.estimate == pytest.approx(read(PLAN, whole).primary[0].best.relative.estimate, abs=0.01)
    kept = read(replace(PLAN, most_clicks=10**6), BREAKS["bot"].plant(PLAN, whole, 0))
    assert kept.primary[0].plain.relative.estimate > 0.5, "left in, it would have been the whole effect"


# -- A/A -----------------------------------------------------------------------------------------------------------------------


def test_an_a_a_is_the_control_dealt_anew(whole: Log) -> None:
    plan, aa = same_for_all(PLAN, whole, 0)
    mine = np.flatnonzero(whole.arms == 0)
    assert all((aa.sums[field] == whole.sums[field][mine]).all() for field in FIELDS)
    assert all((codes == whole.segments[name][1][mine]).all() for name, (_, codes) in aa.segments.items())
    assert {(arm.model, arm.context) for arm in plan.arms} == {(PLAN.control.model, PLAN.control.context)}
    assert len({arm.name for arm in plan.arms}) == 2
    assert read(plan, aa).at_end
    assert (same_for_all(PLAN, whole, 0)[1].arms == aa.arms).all()
    assert (same_for_all(PLAN, whole, 1)[1].arms != aa.arms).any()


def test_an_a_a_deals_by_the_shares_of_the_plan() -> None:
    plan = replace(PLAN, arms=(Arm("a", "x", share=0.5), Arm("b", "y", share=0.25), Arm("c", "z", share=0.15)), holdout=0.1)
    some = log(40_000, plan=plan, before=0, days=1)
    dealt, aa = same_for_all(plan, some, 3)
    assert [arm.share for arm in dealt.arms] == pytest.approx([0.5 / 0.9, 0.25 / 0.9, 0.15 / 0.9])
    assert dealt.holdout == 0
    assert np.bincount(aa.arms) / len(aa) == pytest.approx([arm.share for arm in dealt.arms], abs=0.012)


def test_p_of_an_a_a_is_uniform() -> None:
    some = log(2000, lift=0.5, seed=9)  # the arm that differs is not in it
    drawn = [effects(Sample.of(*same_for_all(PLAN, some, seed)), ["ctr"], 0.95)[0].best.p for seed in range(200)]
    assert kstest(drawn, "uniform").pvalue > 1e-3
