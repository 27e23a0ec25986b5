"""What the charts and sentences of an experiment's result say, over readings made by hand: every branch of every sentence."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from logs import PLAN

from recommender.experiment.plan import Arm
from recommender.experiment.results import Check, Day, Dimension, Guarded, Measured, Reading
from recommender.stats.bayes import chance_to_beat, expected_loss
from recommender.stats.effects import UNDEFINED, Effect, Interval, welch
from recommender.stats.sequential import always_valid, always_valid_relative
from recommender.ui import exp_bars, exp_charts, exp_figures, exp_frame, exp_guards, exp_result, exp_segments, exp_time
from recommender.ui.exp_charts import END, NEITHER, PEEKER
from recommender.ui.vega import DIM

N = 2000
BLOCKED = Check("srm", "Sample ratio", False, True, "1,000 in without and 700 in with.", 1e-9)
NOTHING = Effect(math.nan, math.nan, UNDEFINED, UNDEFINED, 1.0, math.nan, N, N)


def effect(control: float = 0.07, treatment: float = 0.0735, se: float = 0.001, level: float = 0.95) -> Effect:
    return welch((control, treatment), (se**2 / 2, se**2 / 2), (N, N), level)


def measured(plain: Effect, sharp: Effect | None = None, metric: str = "ctr", arm: str = "with", better: int = 1, **more) -> Measured:
    """As sample.measure makes it, at half of the planned viewers."""
    looks = lambda e: (always_valid(e, 2 * N, 4 * N), always_valid_relative(e, 2 * N, 4 * N)) if e.se > 0 else (e.absolute, e.relative)
    best = sharp or plain
    chance, (ship, keep) = (chance_to_beat(best), expected_loss(best)) if best.se == best.se else (0.5, (math.nan, math.nan))
    anytime, anytime_relative = looks(plain)
    made = Measured(metric, arm, None, plain, anytime, anytime_relative, better=better)
    made = replace(made, chance=chance if better > 0 else 1 - chance, loss=ship if better > 0 else keep, loss_control=keep if better > 0 else ship)
    if sharp:
        at_every_look, relative = looks(sharp)
        made = replace(made, sharp=sharp, sharp_anytime=at_every_look, sharp_anytime_relative=relative, rho=0.6, saved=0.36)
    return replace(made, **more)


def reading(*primary: Measured, at_end: bool = True, health: tuple[Check, ...] = (), **more) -> Reading:
    rest = dict.fromkeys(("exposures", "secondary", "guardrails", "over_time", "segments", "decisions"), ()) | more
    return Reading(PLAN, True, 14 if at_end else 7, {"without": N, "with": N}, {}, at_end, health, primary=primary, **rest)


def rows(spec: dict) -> list[dict]:
    return spec["data"]["values"]


def text(spec: dict) -> str:
    """All of a chart as JSON, which knows no NaN and no infinity."""
    return json.dumps(spec, ensure_ascii=False, allow_nan=False)


def ends(interval: Interval, by: float = 1.0) -> list[float]:
    return pytest.approx([interval.lo / by, interval.hi / by])


# -- effects -----------------------------------------------------------------------------------------------------------


def test_the_intervals_drawn_are_those_of_the_reading() -> None:
    first = measured(effect(), effect(treatment=0.0731, se=0.0008))
    second = measured(effect(250, 262, 6), metric="engagement")
    drawn = rows(exp_charts.effects([first, second], reading(first, secondary=(second,))))
    assert len(drawn) == 3  # with CUPED and without, and one without
    for row, e, looked in zip(
        drawn, (first.sharp, first.plain, second.plain), (first.sharp_anytime_relative, first.anytime_relative, second.anytime_relative)
    ):
        assert row["x"] == pytest.approx(e.relative.estimate)
        assert [row["lo"], row["hi"]] == ends(e.relative)
        assert [row["alo"], row["ahi"]] == ends(looked)
    assert [row["left"] for row in drawn] == ["with CUPED", "as measured", "as measured"]


def test_absolute_effects_have_each_an_axis_in_units_of_the_screen() -> None:
    first, second = measured(effect()), measured(effect(250, 262, 6), metric="engagement")
    spec = exp_charts.effects([first, second], reading(first, secondary=(second,)), absolute=True)
    for row, m in zip(rows(spec), (first, second)):
        widest = max(abs(m.plain.absolute.lo), abs(m.plain.absolute.hi))
        assert [row["lo"], row["hi"]] == ends(m.plain.absolute, widest)
        assert [row["alo"], row["ahi"]] == ends(m.anytime, widest)
    ticks = {
        (each["said"], round(each["x"], 9))
        for part in spec["layer"]
        for each in part.get("data", {}).get("values", [])
        if "said" in each and "x" in each
    }
    most = max(abs(first.plain.absolute.lo), abs(first.plain.absolute.hi))
    assert ("+.5", round(0.005 / most, 9)) in ticks  # half a click per 100 films
    assert "in clicks per 100 films" in text(spec)
    assert "in minutes a viewer" in text(spec)


def test_the_smallest_effect_of_interest_lies_behind_the_primary_metric_alone() -> None:
    first, second = measured(effect()), measured(effect(250, 262, 6), metric="engagement")
    spec = exp_charts.effects([first, second], reading(first, secondary=(second,)))
    (band,) = [part["data"]["values"] for part in spec["layer"] if part["mark"]["type"] == "rect"]
    assert [(b["x"], b["x2"]) for b in band] == [(-PLAN.mde, PLAN.mde)]
    absolute = exp_charts.effects([first], reading(first), absolute=True)
    (band,) = [part["data"]["values"] for part in absolute["layer"] if part["mark"]["type"] == "rect"]
    assert band[0]["x2"] == pytest.approx(PLAN.mde * 0.07 / max(abs(first.plain.absolute.lo), abs(first.plain.absolute.hi)))


def test_what_is_not_to_be_read_is_grey_and_called_nothing() -> None:
    first = measured(effect(), effect(treatment=0.075, se=0.0005))
    found = reading(first, health=(BLOCKED,))
    guards = [Guarded(measured(effect(3, 5, 0.1, 0.9), metric="latency", better=-1), 0.5, "worse")]
    cut = [replace(first, segment="device=tv", q=1e-6)]
    specs = [
        exp_charts.effects([first], found),
        exp_charts.effects([first], found, absolute=True),
        exp_charts.guardrails(guards, found),
        exp_charts.segments(cut, first, found, {"device": "By device"}),
    ]
    for spec in specs:
        assert {row["colour"] for row in rows(spec)} == {DIM}
        assert not any(row["sure"] for row in rows(spec))
        assert not {"better", "worse", "✕", "▲"} & set(text(spec).replace(",", " ").replace('"', " ").split())
    belief = exp_charts.belief(first, found)
    assert belief is not None
    assert "better" not in text(belief)
    assert {part["mark"]["color"] for part in belief["layer"] if part["mark"]["type"] == "area"} == {DIM}
    course = exp_charts.over_time(days([(0.05, 0.01), (0.05, 0.01)]), found, "read here")
    assert {row["state"] for row in rows(course)} == {NEITHER}


def test_an_end_without_end_reaches_to_the_edge_and_what_does_not_exist_is_not_drawn() -> None:
    endless = replace(measured(effect()), anytime_relative=Interval(0.05, -1.0, math.inf))
    none = measured(effect(0, 0.01), metric="complaints", better=-1)
    nothing = measured(NOTHING, metric="relevance")
    spec = exp_charts.effects([endless, none, nothing], reading(endless, secondary=(none, nothing)))
    first, second, third = rows(spec)
    domain = next(p["encoding"]["x"]["scale"]["domain"] for p in spec["layer"] if "scale" in p["encoding"].get("x", {}))
    assert first["ahi"] == domain[1]
    assert (second["lo"], second["right"]) == (None, "no relative effect")
    assert (third["x"], third["right"]) == (None, "no value")
    assert text(spec)


def test_a_dot_is_filled_only_where_the_corrected_p_says_so() -> None:
    late = measured(effect(se=0.0015))  # p = .02
    assert late.plain.p == pytest.approx(0.02, abs=0.005)
    assert rows(exp_charts.effects([late], reading(late)))[0]["sure"]
    assert not rows(exp_charts.effects([late], reading(late, at_end=False)))[0]["sure"]  # before the end only the anytime interval counts
    assert not rows(exp_charts.effects([replace(late, p_holm=0.02)], reading(replace(late, p_holm=0.02), at_end=False)))[0]["sure"]
    several = replace(late, p_holm=0.06)
    assert not rows(exp_charts.effects([several], reading(several)))[0]["sure"]
    both = measured(effect(treatment=0.0702), effect())  # nothing as measured, something with CUPED
    sharp, plain = rows(exp_charts.effects([both], reading(both)))
    assert (sharp["sure"], plain["sure"]) == (True, False)


def test_far_anytime_intervals_leave_the_fixed_ones_room() -> None:
    far = replace(measured(effect()), anytime_relative=Interval(0.05, -0.9, 40.0))
    spec = exp_charts.effects([far], reading(far))
    low, high = next(p["encoding"]["x"]["scale"]["domain"] for p in spec["layer"] if "scale" in p["encoding"].get("x", {}))
    fixed = far.plain.relative
    assert low < min(fixed.lo, -PLAN.mde)
    assert max(fixed.hi, PLAN.mde) < high
    assert high - low < 5 * (fixed.hi + PLAN.mde)


# -- segments, guardrails, belief --------------------------------------------------------------------------------------


def test_segments_are_hollow_where_the_corrected_p_is_not_below_alpha_and_the_whole_is_a_line() -> None:
    whole = measured(effect())
    cut = [replace(whole, segment="device=tv", q=0.01), replace(whole, segment="device=mobile", q=0.2), replace(whole, segment="age=old", q=0.049)]
    spec = exp_charts.segments(cut, whole, reading(whole), {"device": "By device", "age": "By age"})
    assert [(row["left"].split(" · ")[0], row["sure"]) for row in rows(spec)] == [("TV", True), ("mobile", False), ("old", True)]
    assert all(f"{2 * N:,} viewers" in row["left"] for row in rows(spec))
    lines = [part["data"]["values"][0] for part in spec["layer"] if part["mark"]["type"] == "rule" and "strokeDash" in part["mark"]]
    assert [line["x"] for line in lines] == [pytest.approx(0.05)]
    assert "all viewers +5.0%" in text(spec)
    assert "q = .010" in text(spec)


@pytest.mark.parametrize("metric, better, way", [("latency", -1, 1), ("diversity", 1, -1)])
def test_harm_lies_at_the_right_whichever_way_a_metric_runs(metric: str, better: int, way: int) -> None:
    m = measured(effect(3, 3.3, 0.05, 0.9), metric=metric, better=better)
    spec = exp_charts.guardrails([Guarded(m, 0.25, "safe")], reading(m))
    (row,) = rows(spec)
    assert row["x"] == pytest.approx(0.1 * way / 0.25)  # in margins
    ends = [way * m.plain.relative.lo / 0.25, way * m.plain.relative.hi / 0.25]
    assert sorted([row["lo"], row["hi"]]) == [row["lo"], row["hi"]] == pytest.approx(sorted(ends))
    assert row["right"].startswith("+10.0%" if way > 0 else "−10.0%")
    limits = [
        part["data"]["values"][0]["x"] for part in spec["layer"] if part["mark"]["type"] == "rule" and part["mark"].get("color") == exp_charts.WARN
    ]
    assert limits == [1.0]
    assert "margin 25%" in text(spec)


def test_all_margins_stand_on_one_line_and_what_is_far_ends_at_the_edge() -> None:
    near, far = (measured(effect(3, treatment, 0.05, 0.9), metric="latency", better=-1) for treatment in (3.3, 30))
    spec = exp_charts.guardrails([Guarded(near, 0.1, "unsure"), Guarded(far, 0.5, "worse")], reading(near))
    assert [row["x"] for row in rows(spec)] == pytest.approx([1.0, exp_charts.EDGES[1]])
    assert "+900.0%" in rows(spec)[1]["right"]
    (none,) = rows(exp_charts.guardrails([Guarded(near, 0.0, "worse")], reading(near)))
    assert none["x"] == pytest.approx(0.1)


@pytest.mark.parametrize("state, word", [("safe", "✓ safe"), ("unsure", "? unsure"), ("worse", "✕ worse")])
def test_the_state_of_a_guardrail_is_a_word_with_a_mark(state, word) -> None:
    m = measured(effect(3, 3.3, 0.05, 0.9), metric="latency", better=-1)
    spec = exp_charts.guardrails([Guarded(m, 0.5, state)], reading(m))
    assert word in text(spec)
    assert "3.000 → 3.300 ms" in text(spec)
    assert rows(spec)[0]["sure"] == (state != "unsure")


@pytest.mark.parametrize("better", [1, -1])
def test_the_shaded_part_of_the_belief_is_its_chance_of_being_worse(better: int) -> None:
    m = measured(effect(treatment=0.0712), metric="ctr" if better > 0 else "complaints", better=better)
    spec = exp_charts.belief(m, reading(m))
    assert spec is not None
    x, y, wrong = (np.array([row[name] for row in rows(spec)]) for name in ("x", "y", "wrong"))
    assert np.trapezoid(np.where(wrong, y, 0), x) / np.trapezoid(y, x) == pytest.approx(1 - m.chance, abs=4e-3)
    corners = {p["encoding"]["x"]["value"]: p["data"]["values"][0]["said"] for p in spec["layer"] if p["mark"]["type"] == "text"}
    assert corners["width" if better > 0 else 0].endswith("better")
    assert corners["width" if better > 0 else 0].startswith(exp_figures.likely(m.chance))


def test_what_does_not_vary_has_no_density() -> None:
    m = measured(effect(1, 1, 0))
    assert exp_charts.belief(m, reading(m)) is None


# -- over time ---------------------------------------------------------------------------------------------------------


def days(course: list[tuple[float, float]], wide: float = 2.0) -> list[Day]:
    """Effects with half a fixed interval, the anytime one `wide` times as wide."""
    return [Day("with", i, 100 * (i + 1), Interval(x, x - h, x + h), Interval(x, x - wide * h, x + wide * h)) for i, (x, h) in enumerate(course)]


def test_the_course_is_that_of_the_reading_with_the_days_of_a_peeker_marked() -> None:
    course = days([(0.1, 0.2), (0.1, 0.08), (0.05, 0.06), (0.05, 0.02)], wide=1.5)
    course[1] = replace(course[1], alone=Interval(0.12, -0.1, 0.4))
    spec = exp_charts.over_time(course, reading(at_end=False), "read here, day 4")
    drawn = rows(spec)
    assert [row["day"] for row in drawn] == [1, 2, 3, 4]
    assert [row["state"] for row in drawn] == [NEITHER, PEEKER, NEITHER, exp_charts.BOTH]
    assert [row["alone"] for row in drawn] == [None, 0.12, None, None]
    for row, day in zip(drawn[1:], course[1:]):
        assert [row["lo"], row["hi"]] == ends(day.fixed)
        assert [row["alo"], row["ahi"]] == ends(day.anytime)
    assert "read here, day 4" in text(spec)
    assert "planned end" in text(spec)


def test_at_the_planned_end_the_fixed_interval_is_no_peek() -> None:
    course = days([(0.05, 0.06)] * 13 + [(0.05, 0.04)])
    assert rows(exp_charts.over_time(course, reading(), "read here"))[-1]["state"] == END
    assert rows(exp_charts.over_time(course, replace(reading(), at_end=False), "read here"))[-1]["state"] == PEEKER


def test_a_first_day_that_knows_nothing_does_not_flatten_the_rest() -> None:
    course = days([(0.1, 5.0), (0.05, 0.05), (0.05, 0.04)])
    spec = exp_charts.over_time(course, reading(at_end=False), "read here")
    low, high = next(p["encoding"]["y"]["scale"]["domain"] for p in spec["layer"] if "scale" in p["encoding"].get("y", {}))
    assert high - low < 0.5
    assert (rows(spec)[0]["lo"], rows(spec)[0]["hi"]) == (low, high)


PEEKS = {
    "no reason": ([(0.01, 0.05)] * 3, "On none of 3 days does either interval leave zero out"),
    "did not last": ([(0.1, 0.08), (0.01, 0.05)], "By day 2 it holds zero again: who stopped on day 1 stopped on what did not last."),
    "turned round": ([(0.1, 0.08), (-0.1, 0.05)], "By day 2 it says worse: who stopped on day 1 stopped on the opposite of what was to come."),
    "lasts": (
        [(0.1, 0.08), (0.1, 0.05)],
        "A peeker would have stopped on day 1, 13 days early; it still says so on day 2, but nobody could know that.",
    ),
    "today": ([(0.01, 0.08), (0.1, 0.08)], "A peeker would stop today, 12 days early."),
    "both at once": ([(0.0, 0.08), (0.1, 0.01)], "First called better by both intervals on day 2."),
    "one after the other": ([(0.1, 0.08), (0.1, 0.01)], "First called better by the fixed interval on day 1, by the anytime interval on day 2."),
    "the other way": ([(0.1, 0.08), (-0.1, 0.01)], "First called better by the fixed interval on day 1, by the anytime interval worse on day 2."),
    "gone again": ([(0.1, 0.01), (0.05, 0.04)], "both intervals on day 1. By day 2 the anytime interval holds zero again."),
    "at the end": ([(0.0, 0.08)] * 13 + [(0.1, 0.08)], "Day 14 is the planned end, where the fixed interval counts."),
    "one day": ([(0.1, 0.08)], "On day 1 the effect is +10.0% [+2.0%, +18.0%]. A course takes two days at least."),
    "no day": ([], "No day has an effect yet. A course takes two days at least."),
}


@pytest.mark.parametrize("case", PEEKS)
def test_what_a_daily_look_would_have_said(case: str) -> None:
    course, wanted = PEEKS[case]
    said = exp_time.peeked(days(course), reading(at_end=len(course) == PLAN.days))
    assert wanted in said
    assert ("zero again" in said) == (case in ("did not last", "gone again"))
    assert ("peeker" in said) == (case in ("today", "lasts", "one after the other"))


def test_a_call_on_less_is_better_is_named_by_what_is_good() -> None:
    assert exp_time.peeked(days([(-0.1, 0.08), (-0.1, 0.01)]), reading(at_end=False), better=-1).startswith("First called better by the fixed")
    assert exp_time.peeked(days([(0.1, 0.01), (0.1, 0.01)]), reading(at_end=False), better=-1).startswith("First called worse by both")


def test_where_both_arms_are_the_same_every_call_is_false() -> None:
    called, quiet = days([(0.1, 0.08), (0.1, 0.05)]), days([(0.01, 0.05)] * 2)
    assert exp_time.peeked(called, reading(at_end=False), aa=True).endswith(exp_time.FALSE)
    assert exp_time.peeked(quiet, reading(at_end=False), aa=True).endswith("both arms got the same.")
    assert "false" not in exp_time.peeked(called, reading(at_end=False))


# -- sentences of the result -------------------------------------------------------------------------------------------

BETTER, WORSE, NONE = "Click-through rate is better", "Click-through rate is worse", "No effect on click-through rate is shown"
RESULTS = {
    "better": (effect(), True, f"{BETTER}: +5.0%", "At the planned end that is better beyond noise."),
    "worse": (effect(treatment=0.066), True, f"{WORSE}: −5.7%", "At the planned end that is worse beyond noise."),
    "open": (effect(treatment=0.071, se=0.002), True, NONE, "one of 5%, which the plan looks for, is not ruled out."),
    "small": (effect(treatment=0.0701, se=0.001), True, NONE, "one of 5%, which the plan looks for, is ruled out."),
    "a loss stays open": (effect(treatment=0.068, se=0.0012), True, NONE, "one of 5%, which the plan looks for, is not ruled out."),
    "early and sure": (effect(treatment=0.08), False, f"{BETTER}: +14.3%", "the anytime interval, which alone counts before it, leaves zero out"),
    "early and fixed": (effect(se=0.0015), False, f"{NONE} yet", "only the anytime interval counts, and it still holds zero."),
    "early and open": (effect(se=0.01), False, f"{NONE} yet", "Neither interval leaves zero out before the planned end"),
    "no control": (effect(0, 0.01), True, BETTER, "the effect as measured is +1.000 [+.804, +1.196] clicks per 100 films"),
    "no spread": (effect(0, 0, 0), True, NONE, "It does not vary between viewers, so there is nothing to test."),
    "no value": (NOTHING, True, "Click-through rate cannot be compared yet", "in one of them there is nothing to divide by yet."),
}


@pytest.mark.parametrize("case", RESULTS)
def test_the_primary_metric_in_words(case: str) -> None:
    plain, at_end, head, wanted = RESULTS[case]
    m = measured(plain)
    found = reading(m, at_end=at_end)
    assert exp_result.headline(m, found) == head
    assert wanted in exp_result.said([m], found, "with")


def test_less_is_better_where_the_metric_says_so() -> None:
    m = measured(effect(3, 2.7, 0.05), metric="latency", better=-1)
    assert exp_result.headline(m, reading(m)) == "Latency is better: −10.0%"


def test_what_is_not_to_be_read_says_why_and_nothing_else() -> None:
    m = measured(effect())
    found = reading(m, health=(replace(BLOCKED, blocks=False, said="It was hot."), BLOCKED))
    cut = [replace(m, segment="device=tv", q=0.01)]
    guards = [Guarded(m, 0.1, "safe")]
    assert exp_result.headline(m, found) == "Click-through rate: not to be read"
    assert exp_guards.headline(guards, found).endswith("not to be read")
    texts = (
        exp_result.said([m], found, "with"),
        exp_time.peeked(days([(0.1, 0.01)] * 3), found),
        exp_segments.said(cut, [], found),
        exp_guards.said(guards, found),
    )
    for said in texts:
        assert said.startswith("Not to be read: 1,000 in without and 700 in with.")
        assert "better" not in said
    assert exp_result.believed(m, found).startswith("Not to be read")
    assert [line[8:11] for line in exp_result.rows(m, found)] == [("–", "–", "–")]  # no chance, no losses


def test_a_check_that_does_not_block_takes_nothing_away() -> None:
    m = measured(effect())
    warned = reading(m, health=(replace(BLOCKED, blocks=False),))
    assert exp_result.headline(m, warned) == "Click-through rate is better: +5.0%"


def test_secondary_metrics_are_said_by_what_is_known_of_them() -> None:
    first = measured(effect())
    others = (
        measured(effect(250, 275, 5), metric="engagement", p_holm=1e-4),
        measured(effect(3.5, 3.4, 0.02), metric="relevance", p_holm=1e-4),
        measured(effect(5, 5.01, 0.1), metric="visits", p_holm=0.9),
        measured(NOTHING, metric="complaints", better=-1, p_holm=1.0),
    )
    said = exp_result.said([first, *others], reading(first, secondary=others), "with")
    assert "engagement time (+10.0%) is better; relevance (−2.9%) is worse; visits (+0.2%) is not told apart; complaints is without a value." in said


def test_several_arms_share_what_may_be_called() -> None:
    plan = replace(PLAN, arms=(*(replace(arm, share=0.3) for arm in PLAN.arms), Arm("other", "ease", True, 0.4)))
    one, other = measured(effect(treatment=0.0765, se=0.0021)), measured(effect(treatment=0.07), arm="other")
    found = replace(reading(one, other, at_end=False), plan=plan)
    assert exp_figures.leaves_out_zero(exp_figures.anytime(one)[0])
    assert exp_figures.called(one, replace(found, primary=(one,))) == "better"
    assert exp_figures.called(one, found) == "not told apart"
    assert "corrected for 2 arms that is no proof" in exp_result.said([one], found, "with")


def test_both_arms_the_same_make_every_call_a_false_alarm() -> None:
    m = measured(effect())
    assert exp_result.said([m], reading(m), "with", aa=True).endswith("is a false alarm.")
    assert "false alarm" not in exp_result.said([m], reading(m), "with")


def test_what_cuped_saved() -> None:
    sharp, plain = measured(effect(), effect()), measured(effect())
    assert exp_result.saved([sharp, plain])[0].endswith("click-through rate 36% (rho .60), as good as 1.6 times the viewers.")
    assert "nothing was measured" in exp_result.saved([plain])[0]
    assert "click-through rate −1% (rho .60)." in exp_result.saved([replace(sharp, saved=-0.012)])[0]
    assert exp_result.saved([measured(effect(0, 0, 0), effect(0, 0, 0))]) == []


def test_belief_in_words_and_losses_in_units_of_the_screen() -> None:
    m = measured(effect(treatment=0.0712))
    said = exp_result.believed(m, reading(m))
    assert said.startswith("88.5% that “with” is better")
    assert (round(100 * m.loss, 2), round(100 * m.loss_control, 2)) == (0.01, 0.13)
    assert said.endswith("shipping it costs .01 clicks per 100 films, not shipping it .13.")
    assert "shipping it costs under .01 clicks" in exp_result.believed(measured(effect(treatment=0.08)), reading(m))


# -- sentences of segments and guardrails ------------------------------------------------------------------------------


def test_segments_in_words() -> None:
    whole = measured(effect())
    cut = [replace(whole, segment="device=tv", q=0.01), replace(whole, segment="device=mobile", q=0.2)]
    same, apart = Dimension("device", "with", ("tv", "mobile"), {}, 1.0, 0.4), Dimension("age", "with", ("old", "young"), {}, 9.0, 0.001)
    alone = Dimension("device", "with", ("tv",), {"mobile": (40, 30)})
    said = exp_segments.said(cut, [same], reading(whole))
    assert said.startswith("Click-through rate is beyond noise in 1 of 2 segments: better in TV (device, +5.0%).")
    assert "No segment differs from the others of its kind beyond noise (p = .40)." in said
    assert "planned end" not in said
    none = exp_segments.said(cut[1:], [same, apart], reading(whole, at_end=False))
    assert none.startswith("Click-through rate is beyond noise in none of 1 segment.")
    assert "The effect differs by age (p = .002)." in none  # twice .001, for two dimensions
    assert none.endswith("The planned end is not reached, so this is a first look.")
    assert "cannot be asked" in exp_segments.said(cut, [alone], reading(whole))
    assert exp_segments.small([alone]) == "Left out, with fewer than 100 viewers in an arm: by device mobile (40 and 30)."
    assert exp_segments.nothing([]).startswith("Nothing is known")
    assert "by device mobile (40 and 30)" in exp_segments.nothing([alone])


def test_many_segments_are_said_by_the_span_of_their_effects() -> None:
    lifts = (0.072, 0.0742, 0.0735, 0.0771, 0.0728)  # of 0.07: 2.9%, 6.0%, 5.0%, 10.1%, 4.0%
    cut = [replace(measured(effect(treatment=x)), segment=f"genre=G{n}", q=0.01) for n, x in enumerate(lifts)]
    said = exp_segments.said(cut, [], reading(cut[0]))
    assert said.startswith("Click-through rate is beyond noise in 5 of 5 segments: better in 5, from G0 (genre, +2.9%) to G3 (genre, +10.1%).")
    assert "better in G0 (genre, +2.9%), G1 (genre, +6.0%)" in exp_segments.said(cut[:4], [], reading(cut[0]))
    assert exp_segments.heading("history") == "By visits before"


def test_guardrails_in_words() -> None:
    slow = measured(effect(3, 5, 0.05, 0.9), metric="latency", better=-1)
    rare = measured(effect(0.5, 0.5, 0.001, 0.9), metric="coverage")
    none = measured(effect(0, 0, 0, 0.9), metric="complaints", better=-1)
    safe, worse, unsure = Guarded(rare, 0.1, "safe"), Guarded(slow, 0.5, "worse"), Guarded(none, 0.1, "unsure")
    found = reading(rare)
    assert exp_guards.headline([safe], found) == "The guardrail holds"
    assert exp_guards.headline([safe, safe], found) == "All 2 guardrails hold"
    assert exp_guards.headline([safe, unsure], found) == "Not known to be safe: complaints"
    assert exp_guards.headline([safe, unsure], replace(found, at_end=False)) == "Not known to be safe yet: complaints"
    assert exp_guards.headline([safe, unsure, worse], found) == "Worse than the margin: latency"
    said = exp_guards.said([safe, unsure, worse], found)
    assert said.startswith("Latency, 5.000 against 3.000 ms: harm +66.7% [")
    assert "all of it beyond the margin of 50%." in said
    looked = exp_figures.relative(slow.anytime_relative)
    assert looked in exp_guards.said([worse], replace(found, at_end=False))
    assert looked not in said
    assert "Complaints: no relative effect" in said
    assert said.endswith("Within the margin for sure: coverage.")


# -- figures -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x, said",
    [(0.0523, "+5.2%"), (-0.003, "−0.3%"), (0.0001, "0.0%"), (-0.0001, "0.0%"), (math.inf, "∞"), (-math.inf, "−∞"), (math.nan, "–")],
)
def test_percentages(x: float, said: str) -> None:
    assert exp_figures.percent(x) == said


@pytest.mark.parametrize("error, wanted", [(0.035, 3), (0.35, 2), (12.0, 0), (1.2, 1), (0.0, 0), (math.nan, 0)])
def test_decimals_follow_the_error(error: float, wanted: int) -> None:
    assert exp_figures.digits(error) == wanted


def test_simulated_stands_on_a_chart_and_only_there() -> None:
    m = measured(effect())
    spec = exp_charts.effects([m], reading(m))
    assert exp_frame.stamped(spec, "simulated")["title"]["text"] == "simulated"
    assert "title" not in exp_frame.stamped(spec, "")


def test_tenfolds_are_written_as_powers_below_a_thousandth() -> None:
    said = exp_bars.tenfolds([1.0, 0.1, 0.001, 1e-4, 1e-12])
    assert said.startswith("({'0': '1', '1': '.1', '3': '.001', '4': '10⁻⁴', '12': '10⁻¹²'})[")
