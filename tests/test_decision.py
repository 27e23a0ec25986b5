"""Ship, roll back, keep running or invalid: the rule in all its cases, whole experiments of a known truth, and sentences that say what holds."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from logs import PLAN, by_hand, log
from scipy.stats import binom

from recommender.experiment.decide import decide, verdict
from recommender.experiment.log import Log
from recommender.experiment.plan import Arm, Plan
from recommender.experiment.reading import read
from recommender.experiment.results import Decision, Reading
from recommender.experiment.said import percent

BARE = replace(PLAN, guardrails={})
WIDE = replace(PLAN, guardrails=dict.fromkeys(PLAN.guardrails, 0.5))
YES_NO = (True, False)
STATES = [states for n in (0, 1, 2) for states in itertools.product(("safe", "unsure", "worse"), repeat=n)]
CASES = [c for c in itertools.product(YES_NO, YES_NO, YES_NO, YES_NO, STATES, YES_NO) if not (c[2] and c[3])]


def decision(plan: Plan, log: Log, until: int | None = None) -> Decision:
    return read(plan, log, until).decisions[0]


# -- the rule ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("valid", "at_end", "better", "worse", "states", "waits"), CASES)
def test_the_rule(valid: bool, at_end: bool, better: bool, worse: bool, states: tuple, waits: bool) -> None:
    found = verdict(valid, at_end, better, worse, states, waits)
    assert (found == "invalid") == (not valid)
    assert (found == "ship") == (valid and better and not waits and set(states) <= {"safe"})
    if valid and (worse or "worse" in states):
        assert found == "roll back"
    if valid and not at_end and not worse and "worse" not in states:
        assert found != "roll back"
    if found == "keep running" and at_end:
        assert better
        assert waits


# -- a known truth ---------------------------------------------------------------------------------------------------------


def test_no_effect_is_not_shipped() -> None:
    # without guardrails, which would only make shipping rarer; shipped by luck is p < .05 and upwards: 2.5%
    runs, short = 250, replace(BARE, days=7, secondary=())
    verdicts = [decision(short, replace(log(500, seed=seed, days=7), segments={})).verdict for seed in range(runs)]
    assert verdicts.count("ship") <= binom.isf(1e-3, runs, 0.025)
    assert verdicts.count("roll back") >= 0.93 * runs


def test_a_planted_lift_is_shipped_at_full_size() -> None:
    verdicts = [decision(WIDE, log(10_000, lift=0.08, seed=seed)).verdict for seed in range(5)]
    assert verdicts == ["ship"] * 5


def test_a_planted_loss_is_rolled_back() -> None:
    found = decision(WIDE, log(10_000, lift=-0.08, seed=1))
    assert found.verdict == "roll back"
    assert "fell by" in found.sentence
    assert "wrong way" in found.sentence


def test_a_better_but_much_slower_arm_is_rolled_back() -> None:
    found = decision(PLAN, log(4000, lift=0.3, slower=3.0))  # from 3 to 6 milliseconds, where half more is borne
    assert found.verdict == "roll back"
    assert "latency rose by" in found.sentence
    assert "surely more than the 50% that the plan bears" in found.sentence


def test_what_was_lost_unlike_takes_the_verdict_away() -> None:
    whole = log(4000, lift=0.5)
    assert decision(WIDE, whole).verdict == "ship"
    lost = whole.keep(np.flatnonzero((whole.arms == 0) | (np.arange(len(whole)) % 6 > 0)))
    found = decision(WIDE, lost)
    assert found.verdict == "invalid"
    assert found.sentence.startswith("Invalid: no effect is read while a check that blocks fails. Sample ratio: ")
    assert "Sample ratio" in found.sentence


def test_a_guardrail_that_was_not_measured_is_not_proven() -> None:
    whole = log(4000, lift=0.5)
    unmeasured = replace(whole, sums=whole.sums | {name: np.zeros_like(whole.sums[name]) for name in ("timed", "latency")})
    assert decision(WIDE, whole).verdict == "ship"
    found = decision(WIDE, unmeasured)
    assert found.verdict == "roll back"
    assert "latency could not be measured" in found.sentence


def test_a_primary_metric_that_was_not_measured_proves_nothing() -> None:
    whole = log(1000)
    unmeasured = replace(whole, sums=whole.sums | {name: np.zeros_like(whole.sums[name]) for name in ("rated", "stars")})
    plan = replace(BARE, primary="relevance", secondary=())
    assert decision(plan, unmeasured, 8).verdict == "keep running"
    found = decision(plan, unmeasured)
    assert found.verdict == "roll back"
    assert "Relevance could not be measured, so no size of an effect is ruled out" in found.sentence


def test_fewer_is_better_where_the_metric_says_so() -> None:
    plan = replace(BARE, primary="latency")
    assert decision(plan, log(2000, slower=1.0)).verdict == "roll back"
    assert decision(plan, log(2000, slower=-0.5)).verdict == "ship"


# -- when --------------------------------------------------------------------------------------------------------------------


def test_before_the_end_only_what_holds_at_every_look_decides() -> None:
    whole = log(10_000, lift=0.05)
    early = read(WIDE, whole, 8)
    (m,) = early.primary
    assert m.best.p < 0.05 / 2  # one look would have been enough
    assert m.sharp_anytime
    assert m.sharp_anytime.lo < 0
    assert early.decisions[0].verdict == "keep running"
    assert "by what holds at every look" in early.decisions[0].sentence
    assert decision(WIDE, log(10_000, lift=0.3), 8).verdict == "ship"


def test_the_end_is_that_of_days_and_viewers() -> None:
    whole = log(1000)
    came = int((whole.total("visits") > 0).sum())
    for viewers, at_end in ((None, True), (came, True), (came + 1, False)):
        assert read(replace(BARE, viewers=viewers), whole).at_end == at_end
    assert not read(BARE, whole, 12).at_end
    assert f"{came:,} of {came + 1:,} viewers" in decision(replace(BARE, viewers=came + 1), whole).sentence


def test_what_has_no_more_days_is_not_kept_running() -> None:
    # fewer viewers came than planned: what holds at every look decides, and after the last day it decides for good
    many = replace(BARE, viewers=5000)
    assert decision(many, log(1000), 12).verdict == "keep running"
    found = decision(many, log(1000))
    assert found.verdict == "roll back"
    assert "after 14 of 14 days and 963 of 5,000 viewers, no effect" in found.sentence
    assert "by what holds at every look" in found.sentence
    (m,) = read(many, log(1000)).primary
    assert m.sharp_anytime_relative
    assert f"effects from {percent(m.sharp_anytime_relative.lo)} to {percent(m.sharp_anytime_relative.hi)} stay" in found.sentence
    assert decision(many, log(1000, lift=0.8)).verdict == "ship"
    assert decision(replace(many, days=5), log(1000, lift=0.8, days=5)).verdict == "ship", "where a shorter one was planned, its end is its end"
    bound = replace(many, guardrails={"complaints": 0.0})
    assert "without that proof on the last day the control stays" in decision(bound, log(1000, lift=0.8)).sentence


def test_a_handful_of_viewers_proves_nothing() -> None:
    # 19 viewers who click once and 19 who click twice, without exception, are certain to the arithmetic
    plan = replace(PLAN, days=2, guardrails={"coverage": 0.1}, secondary=())
    for n, wanted, state in ((19, "roll back", "unsure"), (20, "ship", "safe")):
        arms = [0] * n + [1] * n
        some = by_hand(arms, days=2, clicks=[1] * n + [2] * n, shown=[10] * 2 * n, rare=[5] * 2 * n)
        found = read(plan, some)
        assert found.primary[0].best.p == 0
        assert found.guardrails[0].state == state
        assert found.decisions[0].verdict == wanted
    few = by_hand([0, 0, 1, 1], days=2, clicks=[1, 1, 2, 2], shown=[10] * 4, rare=[5] * 4)
    assert (
        "click-through rate was measured on fewer than 20 viewers of an arm, which proves nothing, and the control stays"
        in decision(plan, few).sentence
    )
    assert decision(plan, few, 0).sentence.startswith("Keep running: after 1 of 2 days, click-through rate was measured on fewer than 20 viewers")
    # two of many who gave stars are two
    rated = np.zeros(200)
    rated[[0, 1, 100, 101]] = 1
    starred = by_hand([0] * 100 + [1] * 100, days=2, rated=rated.tolist(), stars=(4 * rated + (np.arange(200) >= 100) * rated).tolist())
    assert decision(replace(plan, primary="relevance", guardrails={}), starred).verdict == "roll back"


def test_nothing_is_shipped_within_a_week() -> None:
    whole = log(10_000, lift=0.5)
    assert decision(WIDE, whole, 5).verdict == "keep running"
    assert "no full week was seen" in decision(WIDE, whole, 5).sentence
    assert decision(WIDE, whole, 6).verdict == "ship"
    assert decision(replace(WIDE, days=5), whole, 5).verdict == "ship", "where a shorter one was planned, its end is its end"


def test_a_changing_effect_is_not_shipped() -> None:
    whole = log(6000, seed=2)
    more = np.where((whole.arms == 1)[:, None] & (whole.days >= 0), 1 + 2 * 0.7 ** np.maximum(whole.days, 0), 1)
    fading = replace(whole, sums=whole.sums | {"clicks": np.minimum(np.rint(whole.sums["clicks"] * more), whole.sums["shown"])})
    found = decision(WIDE, fading)
    assert found.verdict == "keep running"
    assert "the effect is changing" in found.sentence


def test_several_arms_are_corrected_for() -> None:
    # p of the better of two arms lies between alpha / 2 and alpha: enough alone, not enough for two
    three = replace(BARE, arms=(*(replace(arm, share=1 / 3) for arm in PLAN.arms), Arm("third", "hybrid", share=1 / 3)))
    for seed in range(200):
        reading = read(three, log(300, lift=0.25, seed=seed, plan=three))
        best = min(reading.primary, key=lambda m: m.best.p)
        if 0.025 < best.best.p < 0.05 and best.best.absolute.lo > 0:
            break
    verdicts = {d.arm: d for d in reading.decisions}
    assert verdicts[best.arm].verdict == "roll back"
    assert "corrected for 2 arms" in verdicts[best.arm].sentence


# -- what is said ------------------------------------------------------------------------------------------------------------


SEEN = [
    read(plan, log(viewers, lift, seed, slower=slower), until)
    for plan in (PLAN, BARE, WIDE)
    for viewers, lift, slower in ((900, 0, 0), (900, 0.4, 0), (900, -0.4, 0), (900, 0.4, 3.0), (0, 0, 0))
    for until in (2, 8, None)
    for seed in (1,)
]


@pytest.mark.parametrize("reading", SEEN)
def test_the_sentence_has_the_figures_of_what_decides(reading: Reading) -> None:
    (found,), (m,) = reading.decisions, reading.primary
    heads = {"ship": "Ship with: ", "roll back": "Roll back with: ", "keep running": "Keep running: ", "invalid": "Invalid: "}
    assert found.sentence.startswith(heads[found.verdict])
    assert found.sentence.endswith(".")
    assert not re.search(r"nan|None|\.\.|  |inf", found.sentence)
    interval = m.best.relative if reading.at_end else m.sharp_anytime_relative or m.anytime_relative
    if interval.estimate == interval.estimate:
        assert f"[{percent(interval.lo)}, {percent(interval.hi)}]" in found.sentence
        assert f"{'rose' if interval.estimate >= 0 else 'fell'} by {abs(100 * interval.estimate):.1f}%" in found.sentence
    assert len([r for r in found.reasons if r.startswith("Guardrail")]) == len(reading.guardrails)
    assert "the control stays" in found.rule
    assert decide(reading) == reading.decisions


@pytest.mark.parametrize(("primary", "slower"), [("ctr", 0.0), ("latency", 0.02)])
def test_what_stays_possible_is_held_against_what_is_worth_finding(primary: str, slower: float) -> None:
    reading = read(replace(BARE, primary=primary), log(2000, slower=slower, seed=3))
    _, lo, hi = reading.primary[0].best.relative
    assert lo < 0 < hi
    most = hi if primary == "ctr" else -lo
    for mde, words in ((0.9 * most, "and with them a gain of"), (1.1 * most, "but not a gain of")):
        sentence = decide(replace(reading, plan=replace(reading.plan, mde=mde)))[0].sentence
        assert f"effects from {percent(lo)} to {percent(hi)} stay possible, {words}" in sentence


def test_every_verdict_was_seen() -> None:
    assert {reading.decisions[0].verdict for reading in SEEN} == {"ship", "roll back", "keep running"}
