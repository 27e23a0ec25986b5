"""The sections Result, Over time, Segments and Guardrails over readings of planted logs, as they are drawn."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from logs import PLAN, log
from streamlit.testing.v1 import AppTest

from recommender.experiment.log import Log
from recommender.experiment.plan import Arm, Plan
from recommender.experiment.reading import read
from recommender.ui.exp_shelf import Shown
from recommender.ui.vega import DIM

HEADS = {"exp_result": 2, "exp_time": 1, "exp_segments": 1, "exp_guards": 1}  # charts of each section


def show(plan: Plan, made: Log, until: int | None = None, arm: str = "with", **more) -> Shown:
    reading = read(plan, made, until)
    return Shown(plan, made, reading, arm, reading.days - 1, int(made.days[-1]), label="simulated" if made.simulated else "", **more)


def draw(shown: Shown) -> AppTest:
    """All four sections, one below the other."""

    def page(shown) -> None:
        from recommender.ui import exp_guards, exp_result, exp_segments, exp_time

        for part in (exp_result, exp_time, exp_segments, exp_guards):
            part.section(shown)

    at = AppTest.from_function(page, kwargs={"shown": shown}, default_timeout=60).run()
    assert not at.exception
    return at


def text(at: AppTest) -> str:
    return " ".join(str(e.proto.body) for e in at.get("html"))


def charts(at: AppTest) -> list[dict]:
    return [json.loads(c.proto.spec) for c in at.get("vega_lite_chart")]


def rows(at: AppTest) -> list[list[dict]]:
    """What each chart draws, in order."""
    return [pa.ipc.open_stream(c.proto.data.data).read_all().to_pylist() for c in at.get("vega_lite_chart")]


def emptied(made: Log, *fields: str) -> Log:
    return replace(made, sums={name: 0 * values if name in fields else values for name, values in made.sums.items()})


@pytest.fixture(scope="module")
def lifted() -> Shown:
    return show(PLAN, log(4000, 0.1, 3))


def test_every_chart_is_said_to_be_simulated_and_speaks(lifted: Shown) -> None:
    at = draw(lifted)
    assert len(charts(at)) == sum(HEADS.values())
    assert all(chart["title"]["text"] == "simulated" for chart in charts(at))
    told = [c.proto.alt for c in at.get("vega_lite_chart")]
    assert told[0].startswith("Click-through rate is better: +")
    assert all(len(alternative) > 80 for alternative in told)
    assert all("simulated" in caption.value for caption in at.caption)
    people = draw(replace(lifted, label=""))
    assert not any("title" in chart for chart in charts(people))


def test_what_is_drawn_is_what_was_read(lifted: Shown) -> None:
    forest = rows(draw(lifted))[0]
    (first,) = lifted.reading.primary
    assert [forest[0][end] for end in ("lo", "hi")] == pytest.approx([first.best.relative.lo, first.best.relative.hi])
    assert [forest[1][end] for end in ("lo", "hi")] == pytest.approx([first.plain.relative.lo, first.plain.relative.hi])
    assert "Click-through rate is better: +" in text(draw(lifted))
    assert "Every figure" in text(draw(lifted))


def test_the_toggle_turns_to_absolute_effects_and_back(lifted: Shown) -> None:
    at = draw(lifted)
    at.segmented_control(key="mq_ev_pick_effect").set_value("absolute").run()
    assert not at.exception
    assert "in clicks per 100 films" in json.dumps(charts(at)[0])
    at.selectbox(key="mq_ev_pick_belief").set_value("engagement").run()
    assert "Is engagement time better?" in text(at)


def test_an_experiment_whose_arms_lost_viewers_is_drawn_in_grey_and_called_nothing() -> None:
    made = log(4000, 0.1, 3)
    lost = np.ones(len(made), bool)
    lost[np.flatnonzero(made.arms == 1)[:400]] = False
    shown = show(PLAN, made.keep(lost))
    assert not shown.reading.valid
    at = draw(shown)
    said = text(at)
    assert said.count("Not to be read:") == 5
    assert " is better" not in said
    assert "over 99.9%" not in said
    for drawn in rows(at):
        assert {row["colour"] for row in drawn if "colour" in row} <= {DIM}
        assert not any(row.get("sure") for row in drawn)


@pytest.mark.parametrize(
    "made, until, said",
    [
        (log(1000, 0.1, 1, before=0), None, "CUPED: nothing was measured of these viewers before the first day"),
        (log(1000, 0.1, 1), 0, "A course takes two days at least."),
        (emptied(log(400, 0, 1), "clicks", "minutes", "stars", "rated", "watches"), None, "It does not vary between viewers"),
        (emptied(log(400, 0, 1), "latency", "timed"), None, "Latency: no relative effect"),
        (log(150, 0, 1), None, "No segment has enough viewers in both arms yet."),
        (replace(log(1000, 0, 1), segments={}), None, "Nothing is known of these viewers"),
        (log(4, 0, 1, days=1), 0, "wanted are two in each at least"),
    ],
    ids=["no days before", "one day", "no clicks", "no clock", "few", "no segments", "nobody"],
)
def test_what_is_missing_is_said(made: Log, until: int | None, said: str) -> None:
    assert said in text(draw(show(PLAN, made, until)))


def test_the_arm_that_is_looked_at_is_the_one_that_is_drawn() -> None:
    plan = replace(PLAN, arms=(Arm("without", "hybrid", False, 0.4), Arm("with", "hybrid", True, 0.3), Arm("other", "ease", True, 0.3)))
    made = log(3000, 0.1, 2, plan=plan)
    for arm in ("with", "other"):
        shown = show(plan, made, arm=arm)
        drawn = rows(draw(shown))
        mine = next(m for m in shown.reading.primary if m.arm == arm)
        assert drawn[0][0]["x"] == pytest.approx(mine.best.relative.estimate)
        assert len(drawn[2]) == 14
        assert len(drawn[3]) == 5


def test_no_guardrail_is_said() -> None:
    assert "The plan names no guardrail." in text(draw(show(replace(PLAN, guardrails={}), log(1000, 0, 1))))
