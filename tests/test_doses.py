"""The study of doses: its sums are those of the events, its figures fit each other, and its table says them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from clickfilms import Shuffled, films

from recommender.evaluate import trials
from recommender.evaluate.report import Report, read, write
from recommender.experiment import study_doses
from recommender.experiment.assign import midnight
from recommender.experiment.plan import Simulation
from recommender.experiment.simulate import simulate
from recommender.experiment.stage import FIRST, Stage
from recommender.experiment.world import World
from recommender.stats.power import Baseline, sample_size

CATALOG = films()


@pytest.fixture(scope="module")
def found() -> Report:
    world = World.make(CATALOG, 400, 1.0, 0)
    return study_doses.doses(lambda line: None, Stage(world, {"hybrid": Shuffled(CATALOG)}, world.histories(midnight(FIRST))))


def test_sums_are_those_of_the_events() -> None:
    plan = replace(study_doses.PLAN, days=3, simulation=Simulation(viewers=120, days_before=2, seed=1))
    batches = list(simulate(plan, CATALOG, {"hybrid": Shuffled(CATALOG)}))
    totals = study_doses.summed(plan, batches, 120).reshape(120, 2, -1)
    by_hand = np.zeros_like(totals)
    for n, batch in enumerate(batches):  # days -2, -1, then 0, 1, 2
        for name, kind, stars, note in zip(batch["viewer"], batch["kind"], batch["stars"], batch["note"]):
            cell = by_hand[int(name.split("-")[-1]), int(n < 2)]
            cell[:2] += kind == "click", kind == "impression"
            if kind == "watched":
                cell[2] += json.loads(note)["minutes"]
            if kind == "rating":
                cell[3:] += stars, 1
    np.testing.assert_array_equal(totals, by_hand)
    assert by_hand[:, 0].sum(axis=0).min() > 2


def test_lifts_are_of_the_rows_and_the_visits_of_all_doses_the_same(found: Report) -> None:
    assert len(found.rows) == 24
    for d in found.differences:
        mean = {r.model: r.mean for r in found.rows if (r.variant, r.metric) == (d.variant, d.metric)}
        assert d.delta == pytest.approx(mean["told"] / mean["not told"] - 1, abs=3e-4)
        assert d.lo < d.delta < d.hi
        assert d.p_holm >= d.p
    assert len({(r.model, r.n) for r in found.rows}) == 2
    assert 300 < sum({r.model: r.n for r in found.rows}.values()) <= 400
    assert {d.variant for d in found.differences} == {"dose 0", "dose 0.5", "dose 1", "dose 2"}


def test_viewers_needed_are_those_of_the_control(found: Report) -> None:
    for r in (r for r in found.rows if r.model == "not told"):
        sd = (r.hi - r.mean) / 1.959964 * np.sqrt(r.n)
        needed = found.more["needed"][r.metric][r.variant.split()[1]]
        assert needed["claimed"] == pytest.approx(sample_size(Baseline(r.mean, sd), study_doses.CLAIMED[r.metric]), rel=0.01)
        assert needed["claimed, with CUPED"] <= needed["claimed"]
        pair = next(d for d in found.differences if (d.variant, d.metric) == (r.variant, r.metric))
        assert (needed["measured"] is None) == (pair.p_holm >= 0.05)


def test_the_table_has_a_line_a_metric_and_dose(found: Report, tmp_path) -> None:
    again = read(write(found, tmp_path))
    table = trials.doses(again).splitlines()
    lines = [line for line in table if line.startswith(("| Click", "| Engagement", "| Relevance"))]
    assert len(lines) == 12
    first = next(d for d in found.differences if (d.variant, d.metric) == ("dose 0", "ctr"))
    assert f"{100 * first.delta:+.1f}%" in lines[0]
    assert "+12.7%" in lines[0]
    assert "simulated" in table[0]
    told = [line for line in table if line.startswith(("| time", "| device", "| both"))]
    assert len(told) == 4
    assert f"{100 * found.more['first_lists'][0]['lift']:+.1f}%" in told[0]


def test_who_ranks_by_the_truth_gains_by_being_told_only_where_context_moves_anything(found: Report) -> None:
    truth = {f["dose"]: f for f in found.more["first_lists"] if f["told"] == study_doses.TRUTH}
    assert truth[0.0]["lift"] == truth[0.0]["lo"] == truth[0.0]["hi"] == 0
    assert truth[1.0]["lo"] > 0
    assert truth[2.0]["lift"] > truth[1.0]["lift"]
    by_chance = [f for f in found.more["first_lists"] if f["told"] != study_doses.TRUTH and f["dose"] == 0]
    assert all(f["lo"] - 0.05 < 0 < f["hi"] + 0.05 for f in by_chance)
