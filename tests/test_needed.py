"""How many viewers a plan takes: of whom that is told, and how many for several arms."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from logs import PLAN, log
from scipy.stats import norm

from recommender.experiment import plan as plans
from recommender.experiment.needed import needed
from recommender.experiment.plan import Arm


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two experiments, the one that was frozen first written last."""
    for name, day, viewers in (("early", 3, 1000), ("late", 5, 2000)):
        plans.write(replace(PLAN, name=name, frozen=date(2026, 11, day)), tmp_path / name)
        log(viewers).save(tmp_path / name / "log.npz")
        os.utime(tmp_path / name / "log.npz", (1e9 - day, 1e9 - day))
    return tmp_path


def test_the_experiment_that_was_frozen_last_is_asked_and_never_the_plan_itself(folder: Path) -> None:
    asked = {name: needed(replace(PLAN, name=name), folder) for name in ("new", "late")}
    assert [found and found.as_in for found in asked.values()] == ["late", "early"]
    assert needed(PLAN, folder / "nowhere") is None


def test_several_arms_share_alpha(folder: Path) -> None:
    # n an arm is 2 (z + z)^2 sd^2 / effect^2; three arms have 3 n, two comparisons are tried at half of alpha
    three = replace(PLAN, arms=tuple(Arm(name, "hybrid", share=1 / 3) for name in "abc"), mde=0.1)
    for plan, alpha in ((replace(PLAN, mde=0.1), 0.05), (three, 0.025)):
        found = needed(plan, folder)
        assert found
        z = norm.isf(alpha / 2) + norm.isf(1 - plan.power)
        assert found.viewers == pytest.approx(len(plan.arms) * 2 * (z * found.sd / (0.1 * found.mean)) ** 2, rel=0.01)
        assert ("shared by 2 comparisons" in found.sentence(plan)) == (plan is three)
        assert found.sentence(plan).endswith("guardrails within their margins may take more.")
        assert "guardrails" not in found.sentence(replace(plan, guardrails={}))
        assert np.isclose(found.with_cuped, found.viewers * (1 - found.saved), rtol=0.01)
