"""What an experiment says: who is read, effects as the raw sums give them, day by day as it would have been read then, segments, JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from logs import PLAN, by_hand, log
from scipy.stats import binom
from statsmodels.stats.meta_analysis import combine_effects

from recommender.experiment.log import UNASSIGNED, Log
from recommender.experiment.plan import Arm, Plan, Simulation
from recommender.experiment.reading import effects, guard, read
from recommender.experiment.results import Measured, Reading
from recommender.experiment.sample import Sample, planned
from recommender.experiment.segments import segments
from recommender.stats.effects import Effect, Interval, estimate, mean_effect, ratio_effect
from recommender.stats.inference import benjamini_hochberg, holm
from recommender.stats.moments import Moments
from recommender.stats.sequential import always_valid, always_valid_relative

THREE = replace(PLAN, arms=(Arm("a", "hybrid", share=0.4), Arm("b", "hybrid", share=0.3), Arm("c", "hybrid", share=0.3)))


@pytest.fixture(scope="module")
def some() -> Log:
    """With viewers of every kind: a holdout, a machine, several arms, some who never came."""
    whole = log(1500, lift=0.3, seed=1)
    clicks = whole.sums["clicks"].copy()
    clicks[7, 10] = 400
    arms = np.where(np.arange(len(whole)) % 50 == 0, UNASSIGNED, whole.arms)
    return replace(whole, arms=arms, sums=whole.sums | {"clicks": clicks}, several=np.isin(np.arange(len(whole)), [11, 23]))


@pytest.fixture(scope="module")
def found(some: Log) -> Reading:
    return read(PLAN, some)


def raw(whole: Log, arm: int, *names: str) -> Moments:
    """Sums of the viewers who are to be read, straight from the log."""
    keep = (whole.arms == arm) & (whole.total("visits") > 0) & ~whole.several & (whole.sums["clicks"].max(axis=1) <= PLAN.most_clicks)
    return Moments.of(np.column_stack([whole.total(name)[keep] for name in names]))


def same(a: Effect, b: Effect) -> None:
    assert [*a[:2], *a.absolute, *a.relative, *a[4:]] == pytest.approx([*b[:2], *b.absolute, *b.relative, *b[4:]], rel=1e-9, nan_ok=True)


# -- who is read, and what -----------------------------------------------------------------------------------------------


def test_who_is_left_out_and_why(some: Log, found: Reading) -> None:
    never = int(((some.total("visits") == 0) & (some.arms != UNASSIGNED)).sum())
    assert found.left_out == {"holdout": 30, "never came": never, "several arms": 2, "machines": 1}
    assert sum(found.counts.values()) + sum(found.left_out.values()) == len(some)
    assert found.counts == {arm.name: raw(some, n, "visits").n for n, arm in enumerate(PLAN.arms)}


def test_effects_are_those_of_the_raw_sums(some: Log, found: Reading) -> None:
    for m, names in ((found.primary[0], ("clicks", "shown")), (found.secondary[0], ("minutes",)), (found.secondary[1], ("stars", "rated"))):
        arms = [raw(some, arm, *names) for arm in (0, 1)]
        same(m.plain, ratio_effect(*arms, 0, 1) if len(names) == 2 else mean_effect(*arms))
    assert [m.metric for m in found.secondary] == ["engagement", "relevance"]


def test_an_effect_by_hand() -> None:
    # two days; control clicks 2 of 20 and 4 of 20, treatment 6 of 20 and 6 of 20: .15 and .3
    r = read(PLAN, by_hand([0, 0, 1, 1], days=2, clicks=[1, 2, 3, 3], shown=[10] * 4))
    assert (r.primary[0].plain.control, r.primary[0].plain.treatment) == pytest.approx((0.15, 0.3))
    assert r.primary[0].plain.relative.estimate == pytest.approx(1)
    assert r.primary[0].sharp is None
    assert r.primary[0].best is r.primary[0].plain
    assert [(d.day, d.n) for d in r.over_time] == [(0, 4), (1, 4)]


def test_a_machine_changes_nothing(some: Log) -> None:
    without = read(PLAN, some.keep(np.flatnonzero(np.arange(len(some)) != 7)))
    assert read(PLAN, some).primary == without.primary


def test_the_order_of_viewers_is_nothing(some: Log, found: Reading) -> None:
    turned = read(PLAN, some.keep(np.random.default_rng(0).permutation(len(some))))
    same(turned.primary[0].best, found.primary[0].best)
    assert turned.counts == found.counts
    assert [d.verdict for d in turned.decisions] == [d.verdict for d in found.decisions]


def test_with_the_arms_exchanged_the_effect_is_turned_around(some: Log, found: Reading) -> None:
    turned = read(PLAN, replace(some, arms=np.where(some.arms == UNASSIGNED, UNASSIGNED, 1 - some.arms)))
    for a, b in zip((*found.primary, *found.secondary), (*turned.primary, *turned.secondary)):
        assert a.best.absolute.estimate == pytest.approx(-b.best.absolute.estimate)
        assert (1 + a.best.relative.lo) * (1 + b.best.relative.hi) == pytest.approx(1)
        assert (a.chance, a.loss) == pytest.approx((1 - b.chance, b.loss_control))


# -- sharper, and at every look --------------------------------------------------------------------------------------------


def test_what_was_measured_before_sharpens_and_does_not_shift() -> None:
    apart, widths = [], []
    for seed in range(60):
        (m,) = effects(Sample.of(PLAN, log(600, lift=0.1, seed=seed)), ["ctr"], 0.95)
        assert m.sharp
        apart.append((m.sharp.absolute.estimate - m.plain.absolute.estimate) / m.plain.se)
        widths.append((m.sharp.absolute.hi - m.sharp.absolute.lo) / (m.plain.absolute.hi - m.plain.absolute.lo))
        assert m.saved == pytest.approx(m.rho**2, abs=0.05)
        assert widths[-1] == pytest.approx(np.sqrt(1 - m.saved), rel=0.01)
    assert max(widths) < 0.95
    assert abs(np.mean(apart)) < 4 * np.std(apart) / np.sqrt(60)


def test_nothing_before_nothing_sharper() -> None:
    m = read(PLAN, log(400, before=0)).primary[0]
    assert (m.sharp, m.sharp_anytime, m.sharp_anytime_relative, m.rho, m.saved) == (None, None, None, 0, 0)


def test_latency_is_not_sharpened(found: Reading) -> None:
    assert {g.measured.metric for g in found.guardrails if g.measured.sharp is None} == {"latency"}


def test_what_holds_at_every_look_is_wider(found: Reading) -> None:
    for m in (*found.primary, *found.secondary, *(g.measured for g in found.guardrails), *found.segments):
        pairs = [(m.plain.absolute, m.anytime), (m.plain.relative, m.anytime_relative)]
        pairs += [(m.sharp.absolute, m.sharp_anytime), (m.sharp.relative, m.sharp_anytime_relative)] if m.sharp else []
        for fixed, anytime in pairs:
            assert anytime
            assert anytime.lo < fixed.lo < fixed.estimate < fixed.hi < anytime.hi
            assert anytime.estimate == fixed.estimate


def test_what_holds_at_every_look_is_tuned_to_what_was_planned(some: Log) -> None:
    # of 1,000 viewers in three arms and a holdout, a control of .3 and an arm of .1 get 1,000 (.3 + .1) / .8
    plan = replace(PLAN, arms=(Arm("a", "x", share=0.3), Arm("b", "y", share=0.1), Arm("c", "z", share=0.4)), holdout=0.2)
    assert planned(replace(plan, viewers=1000), plan.arms[1], 77) == 500
    assert planned(replace(plan, simulation=Simulation(viewers=2000)), plan.arms[1], 77) == 800  # 400 are held out
    assert planned(plan, plan.arms[1], 77) == 77
    m = read(replace(PLAN, viewers=3000), some).primary[0]
    n = m.plain.n_control + m.plain.n_treatment
    assert m.sharp
    assert m.anytime == always_valid(m.plain, n, 3000)
    assert m.sharp_anytime == always_valid(m.sharp, n, 3000)
    assert m.sharp_anytime_relative == always_valid_relative(m.sharp, n, 3000)


def test_chances_follow_what_is_better() -> None:
    slow = read(PLAN, log(1000, slower=3.0))
    latency = next(g.measured for g in slow.guardrails if g.measured.metric == "latency")
    assert latency.better == -1
    assert latency.best.absolute.lo > 0
    assert latency.chance < 0.001
    assert latency.loss == pytest.approx(latency.best.absolute.estimate, rel=1e-3)
    assert latency.loss_control < 1e-3


# -- day by day ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("until", [0, 4, 12])
def test_until_is_the_log_cut_there(some: Log, until: int) -> None:
    kept = some.days <= until
    cut = replace(some, days=some.days[kept], sums={name: values[:, kept] for name, values in some.sums.items()})
    then, now = (dict(leaves(json.loads(read(PLAN, *args).as_json()))) for args in ((some, until), (cut,)))
    assert then == {path: pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value for path, value in now.items()}
    assert then[".days"] == until + 1


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """What is neither object nor list in JSON, by its path."""
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(each, f"{path}.{key}")
    else:
        yield path, value


def test_over_time_is_what_each_day_would_have_read(some: Log, found: Reading) -> None:
    assert [d.day for d in found.over_time] == list(range(14))
    for day in (0, 6, 13):  # the machine shows itself on the fourth day
        then, now = read(PLAN, some, day).primary[0], found.over_time[day]
        assert now.fixed == pytest.approx(then.best.relative)
        assert now.anytime == pytest.approx(then.sharp_anytime_relative)
        assert now.n == then.best.n_control + then.best.n_treatment


def test_a_day_by_itself_is_the_log_of_that_day(some: Log, found: Reading) -> None:
    day = 9
    kept = (some.days < 0) | (some.days == day)
    sums = {name: np.where(kept | (name == "visits") & (some.days <= day), values, 0) for name, values in some.sums.items()}
    alone = read(PLAN, replace(some, sums=sums, several=some.several | (np.arange(len(some)) == 7)), day).primary[0].best.relative
    assert found.over_time[day].alone == pytest.approx(alone)


@pytest.mark.parametrize("until", [-1, 14])
def test_a_day_that_is_none_is_refused(some: Log, until: int) -> None:
    with pytest.raises(ValueError, match="0 to 13"):
        read(PLAN, some, until)


def test_arms_that_the_plan_has_not_are_refused() -> None:
    with pytest.raises(ValueError, match="arms 0 to 2"):
        read(PLAN, by_hand([0, 1, 2]))


# -- families ----------------------------------------------------------------------------------------------------------------


def test_p_is_corrected_within_its_family() -> None:
    r = read(THREE, log(2000, lift=0.08, seed=2, plan=THREE))
    assert [(m.arm, m.metric) for m in r.primary] == [("b", "ctr"), ("c", "ctr")]
    assert len(r.secondary) == 4
    for family in (r.primary, r.secondary):
        assert [m.p_holm for m in family] == pytest.approx(holm(np.array([m.best.p for m in family])))
    assert len(r.decisions) == 2
    assert len(r.over_time) == 28
    assert [m.q for m in r.segments] == pytest.approx(benjamini_hochberg(np.array([m.best.p for m in r.segments])))
    assert len(r.segments) == 2 * 5


def test_segments_by_the_raw_sums(some: Log, found: Reading) -> None:
    tv = next(m for m in found.segments if m.segment == "device=tv")
    mine = some.keep(np.flatnonzero(some.segments["device"][1] == 1))
    same(tv.plain, ratio_effect(*(raw(mine, arm, "clicks", "shown") for arm in (0, 1)), 0, 1))
    assert [m.segment for m in found.segments] == ["history=short", "history=medium", "history=long", "device=mobile", "device=tv"]


def test_small_segments_are_left_out_and_named() -> None:
    whole = log(900)
    codes = (np.arange(len(whole)) < 60).astype(int)  # the second label has some 30 viewers an arm
    r = read(PLAN, replace(whole, segments={"size": (("many", "few"), codes)}))
    assert [m.segment for m in r.segments] == ["size=many"]
    dimension = r.dimensions[0]
    assert dimension.labels == ("many",)
    assert sum(dimension.left_out["few"]) == int((whole.total("visits")[:60] > 0).sum())
    assert dimension.p is None


def test_an_effect_on_one_label_alone_is_told_from_one_on_all() -> None:
    whole = log(4000, seed=4)
    codes = np.random.default_rng(0).integers(2, size=len(whole))
    more = np.where(((whole.arms == 1) & (codes == 1))[:, None] & (whole.days >= 0), 2, 1)
    differs = read(PLAN, replace(whole, sums=whole.sums | {"clicks": whole.sums["clicks"] * more}, segments={"x": (("a", "b"), codes)}))
    assert differs.dimensions[0].p < 1e-4
    assert [m.q < 0.05 for m in differs.segments] == [False, True]
    alike = [segments(Sample.of(PLAN, log(1000, lift=0.5, seed=seed)))[1] for seed in range(100)]
    assert sum(d.p < 0.05 for ds in alike for d in ds) <= binom.isf(1e-4, 200, 0.05)


def test_whether_labels_differ_is_cochrans_question() -> None:
    some = log(4000, lift=0.2, seed=6, before=0)
    codes = np.searchsorted([0.75, 0.9], np.random.default_rng(0).random(len(some)))  # labels of unlike sizes, with unlike effects
    more = np.where((some.arms == 1) & (codes == 2), 1.3, 1)[:, None]
    some = replace(some, sums=some.sums | {"clicks": some.sums["clicks"] * more}, segments={"x": (("a", "b", "c"), codes)})
    (dimension,) = read(PLAN, some).dimensions
    logs, variances = [], []
    for code in range(3):
        mine = some.keep(np.flatnonzero(codes == code))
        (c, var_c), (t, var_t) = (estimate(raw(mine, arm, "clicks", "shown"), 0, 1) for arm in (0, 1))
        logs.append(np.log(t / c))
        variances.append(var_c / c**2 + var_t / t**2)
    found = combine_effects(np.array(logs), np.array(variances))
    assert dimension.q == pytest.approx(found.q, rel=0.02)  # Student's quantile for the normal one
    assert dimension.p == pytest.approx(found.test_homogeneity().pvalue, rel=0.1)


# -- guardrails --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lo", "hi", "better", "state"),
    [
        (-0.09, 0.3, 1, "safe"), (-0.11, 0.3, 1, "unsure"), (-0.3, -0.11, 1, "worse"), (-0.3, -0.09, 1, "unsure"), (0.2, 0.3, 1, "safe"),
        (-0.3, 0.09, -1, "safe"), (-0.3, 0.11, -1, "unsure"), (0.11, 0.3, -1, "worse"), (0.09, 0.3, -1, "unsure"), (-0.3, -0.2, -1, "safe"),
        (float("nan"), float("nan"), 1, "unsure"),
    ],
)  # fmt: skip
def test_a_guardrail_by_hand(lo: float, hi: float, better: int, state: str) -> None:
    interval, nothing = Interval((lo + hi) / 2, lo, hi), Interval(0, -9, 9)
    effect = Effect(1, 1, nothing, interval, 0.5, 0.1, 10, 10)
    assert guard(Measured("ctr", "with", None, effect, nothing, nothing, better=better), 0.1, True, 20) == state
    wide = Effect(1, 1, nothing, nothing, 0.5, 0.1, 10, 10)
    assert guard(Measured("ctr", "with", None, wide, nothing, interval, better=better), 0.1, False, 20) == state


def test_guardrails_are_one_sided_at_alpha(some: Log, found: Reading) -> None:
    arms = [raw(some, arm, "diversity", "visits") for arm in (0, 1)]
    same(found.guardrails[0].measured.plain, ratio_effect(*arms, 0, 1, level=0.9))
    assert [(g.measured.metric, g.margin) for g in found.guardrails] == list(PLAN.guardrails.items())


# -- JSON --------------------------------------------------------------------------------------------------------------------


def strict(text: str) -> dict:
    def refused(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refused)


def unmeasured(whole: Log) -> Log:
    return replace(whole, sums=whole.sums | {name: np.zeros_like(whole.sums[name]) for name in ("timed", "latency", "hides", "rated", "stars")})


@pytest.mark.parametrize("whole", [log(300), unmeasured(log(300)), log(0), log(3), log(40, days=0), log(300, before=0), log(300, days=1)])
@pytest.mark.parametrize("plan", [PLAN, replace(PLAN, secondary=(), guardrails={}, primary="relevance"), replace(PLAN, primary="complaints")])
def test_all_of_it_is_strict_json(whole: Log, plan: Plan) -> None:
    said = strict(read(plan, whole).as_json())
    assert set(said) == {f.name for f in dataclasses.fields(Reading)} | {"checksum", "valid"}
    assert said["decisions"][0]["verdict"] in ("ship", "roll back", "keep running", "invalid")
    assert set(said["primary"][0]) == {f.name for f in dataclasses.fields(Measured)}
    assert said["primary"][0]["plain"].keys() >= {"control", "treatment", "absolute", "relative", "p", "se"}
    assert "nan" not in said["decisions"][0]["sentence"]
