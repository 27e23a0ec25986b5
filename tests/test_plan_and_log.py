"""A plan holds together or says what does not; a log survives its file, and says what is wrong with one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from logs import PLAN, log

from recommender.experiment import plan as plans
from recommender.experiment.log import Log, LogError
from recommender.experiment.metrics import FIELDS, METRICS
from recommender.experiment.plan import Plan, PlanError, Simulation


def test_a_plan_survives_json() -> None:
    whole = replace(PLAN, viewers=8000, holdout=0.0, guardrails={"latency": 0.2}, simulation=Simulation(dose=0.5, seed=3))
    assert Plan.read(whole.as_json()) == whole
    assert Plan.read(whole.as_json()).simulated
    assert not PLAN.simulated


def test_the_checksum_is_of_everything_planned() -> None:
    others = [
        replace(PLAN, mde=0.06),
        replace(PLAN, guardrails={"latency": 0.2}),
        replace(PLAN, arms=PLAN.arms[::-1]),
        replace(PLAN, hypothesis="No."),
    ]
    assert len({each.checksum for each in (PLAN, *others)}) == 5
    assert Plan.read(PLAN.as_json()).checksum == PLAN.checksum


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "Über"}, "name is 'Über'"),
        ({"name": "a/../b"}, "wanted 1 to 48 small letters"),
        ({"arms": []}, "arms are 0, wanted at least 2"),
        ({"arms": [{"name": "a", "model": "x"}, {"name": "a", "model": "y"}]}, "wanted each name once"),
        ({"holdout": 0.2}, "sum to 1.2, must be 1"),
        ({"primary": "joy"}, "metric 'joy' is not known"),
        ({"guardrails": {"joy": 0.1}}, "metric 'joy' is not known"),
        ({"guardrails": {"latency": -0.1}}, "margins of guardrails"),
        ({"alpha": 0}, "alpha is 0"),
        ({"days": 0}, "days is 0"),
        ({"mde": "much"}, "mde is 'much'"),
        ({"frozen": "yesterday"}, "frozen is 'yesterday'"),
        ({"simulation": {"viewers": 3}}, "simulation.viewers is 3"),
        ({"hypothesis": ""}, "hypothesis is '', wanted"),
        ({"arms": [{"name": "a\tb", "model": "x"}, {"name": "b", "model": "y"}]}, "name of an arm is 'a\\tb', wanted a line"),
        ({"secondary": ["relevance", "relevance"]}, "metrics are ctr, relevance, relevance, wanted each once"),
        ({"most_click": 3}, "most_click is 3"),
        ({"arms": [{"name": "a", "model": "x", "shares": 0.5}, {"name": "b", "model": "y"}]}, "arms.0.shares is 0.5"),
    ],
)
def test_a_plan_that_does_not_hold_is_named(change: dict, said: str) -> None:
    with pytest.raises(PlanError) as error:
        Plan.read(json.dumps(json.loads(PLAN.as_json()) | change), "plan.json")
    assert said in str(error.value)
    assert str(error.value).startswith("plan.json: ")


def test_what_is_no_json_is_a_plan_error() -> None:
    with pytest.raises(PlanError, match=r"plan\.json"):
        Plan.read("{not json", "plan.json")


def test_a_frozen_plan_is_not_written_over(tmp_path: Path) -> None:
    draft = replace(PLAN, frozen=None)
    plans.write(draft, tmp_path)
    plans.write(PLAN, tmp_path)  # freezing it is the last change
    plans.write(PLAN, tmp_path)  # the same once more does no harm
    with pytest.raises(PlanError, match="frozen since 2026-11-01"):
        plans.write(replace(PLAN, mde=0.01), tmp_path)
    assert plans.read(tmp_path / "plan.json") == PLAN


def test_a_metric_is_a_sum_over_another() -> None:
    for metric in METRICS.values():
        assert metric.above in FIELDS
        assert metric.below is None or metric.below in FIELDS
        assert metric.better in (1, -1)


def test_a_log_survives_its_file(tmp_path: Path) -> None:
    whole = log(viewers=300, seed=4)
    whole = replace(whole, arms=np.where(np.arange(300) == 7, -1, whole.arms), several=np.arange(300) % 50 == 0)
    back = Log.load(whole.save(tmp_path / "log.npz"))
    for name in FIELDS:
        np.testing.assert_allclose(back.sums[name], whole.sums[name], atol=1e-9)
    for name in ("arms", "days", "several"):
        np.testing.assert_array_equal(getattr(back, name), getattr(whole, name))
    assert (back.simulated, back.first) == (True, date(2026, 11, 1))
    assert back.segments.keys() == whole.segments.keys()
    for name, (labels, codes) in whole.segments.items():
        assert back.segments[name][0] == labels
        np.testing.assert_array_equal(back.segments[name][1], codes)


def test_a_log_that_cannot_be_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = log(viewers=50).save(tmp_path / "log.npz")
    before, calls = path.read_bytes(), []

    def full(*given, **how) -> None:
        calls.append(1)
        if len(calls) == 5:
            raise OSError("no space left on device")
        write(*given, **how)

    write = np.lib.format.write_array
    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="no space"):
        log(viewers=60).save(path)
    assert path.read_bytes() == before


def test_totals_by_hand() -> None:
    made = log(viewers=3, seed=0, before=1, days=3)
    made.sums["clicks"][:] = [[5, 1, 0, 2], [0, 0, 0, 0], [1, 1, 1, 1]]
    made.sums["visits"][:] = [[1, 1, 0, 1], [1, 0, 0, 0], [1, 0, 1, 1]]
    assert made.total("clicks").tolist() == [3, 0, 3]  # days 0 to 2
    assert made.total("clicks", until=0).tolist() == [1, 0, 1]
    assert made.total("clicks", before=True).tolist() == [5, 0, 1]
    assert made.exposed.tolist() == [0, 3, 1]  # the second never came: the day after the last
    assert made.keep(np.array([2, 0])).total("clicks").tolist() == [3, 3]


def test_a_log_that_is_none_is_named(tmp_path: Path) -> None:
    path = log(viewers=50).save(tmp_path / "log.npz")
    whole = path.read_bytes()
    (tmp_path / "short.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for name in ("short.npz", "text.npz", "other.npz", "absent.npz"):
        with pytest.raises(LogError, match=name) as error:
            Log.load(tmp_path / name)
        assert "pickle" not in str(error.value)


def test_a_log_must_hold_together() -> None:
    made = log(viewers=10)
    with pytest.raises(ValueError, match="log lacks clicks"):
        replace(made, sums={name: values for name, values in made.sums.items() if name != "clicks"})
    with pytest.raises(ValueError, match=r"clicks of shape \(9, 21\), wanted \(10, 21\)"):
        replace(made, sums=made.sums | {"clicks": made.sums["clicks"][:9]})
    with pytest.raises(ValueError, match="negative or not finite"):
        replace(made, sums=made.sums | {"clicks": made.sums["clicks"] - 1})
    with pytest.raises(ValueError, match="consecutive"):
        replace(made, days=made.days * 2)
