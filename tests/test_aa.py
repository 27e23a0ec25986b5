"""The study of the whole reading: what it plants, what it counts, and its table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from logs import PLAN, log

from recommender.evaluate import report as reports
from recommender.evaluate import trials
from recommender.evaluate.report import Report
from recommender.experiment import study_aa as aa
from recommender.experiment.breaks import BREAKS, same_for_all

RUNS, FEWER = 6, 3


@pytest.fixture(scope="module")
def made() -> Report:
    return aa.tried(replace(PLAN, guardrails={"diversity": 0.1}), log(1500, days=7), lambda line: None, RUNS, FEWER)


def test_a_planted_lift_is_as_large_as_it_says() -> None:
    plan, some = same_for_all(PLAN, log(6000, seed=1), 0)
    _, more = aa._lifted(plan, some, 0.1, 0)
    for arm, days, lift in ((1, some.during, 0.1), (0, some.during, 0), (1, ~some.during, 0)):
        before, after = (each.sums["clicks"][some.arms == arm][:, days].sum() for each in (some, more))
        assert after / before - 1 == pytest.approx(lift, abs=0.01 if lift else 0)
    assert (more.sums["clicks"] <= more.sums["shown"]).all()


def test_what_is_drawn_again_is_as_large_and_of_the_control() -> None:
    some = log(2000, seed=2)
    plan, drawn = aa._redrawn(PLAN, some, 0)
    assert len(drawn) == len(some)
    control = {row.tobytes() for row in some.sums["clicks"][some.arms == 0]}
    assert {row.tobytes() for row in drawn.sums["clicks"]} <= control
    assert abs((drawn.arms == 1).mean() - 0.5) < 0.05
    assert {arm.model for arm in plan.arms} == {PLAN.control.model}


def test_shares_are_counted_over_all_runs(made: Report) -> None:
    assert {row.variant for row in made.rows} == {aa.NOTHING, "a lift of 5%", *(fault.label for fault in BREAKS.values())}
    for variant in {row.variant for row in made.rows}:
        verdicts = [row for row in made.rows if (row.variant, row.metric) == (variant, aa.SAID)]
        assert sum(row.mean for row in verdicts) == pytest.approx(1)
        assert {row.n for row in verdicts} == {RUNS if variant == aa.NOTHING else FEWER}
    assert all(row.lo <= row.mean <= row.hi for row in made.rows)
    assert [sum(counts) for counts in (*made.more["p"].values(), made.more["p_srm"])] == [RUNS] * 3


def test_the_interval_of_a_share_is_exact() -> None:
    # none of six: the upper end solves (1 - p)^6 = .025
    row = aa._share("A/A", "verdict", "ship", [False] * 6)
    assert (row.mean, row.lo, row.hi, row.n) == (0, 0, pytest.approx(1 - 0.025 ** (1 / 6), abs=1e-6), 6)


def test_the_table_says_what_the_report_does(made: Report, tmp_path) -> None:
    path = reports.write(made, tmp_path)
    assert path.stat().st_size < 30_000
    table = trials.aa(reports.read(path))
    assert table.count("| ---") >= 3
    for words in ("invalid", "ever on one of 7 days", "Sample ratio", "Novelty", "A machine", "| Diversity | 100.0%", f"dealt anew {RUNS:,} times"):
        assert words in table
    place = next(n for n, row in enumerate(made.rows) if row.model == "ship")
    changed = replace(made, rows=[row._replace(mean=0.4321) if n == place else row for n, row in enumerate(made.rows)])
    assert "43.2%" in trials.aa(changed)
    assert np.isfinite([row.mean for row in made.rows]).all()
