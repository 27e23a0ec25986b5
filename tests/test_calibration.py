"""The simulated proof, small: that our methods keep what they promise, that one that does not is found, and that the proof counts right."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from recommender.evaluate.tables import as_markdown
from recommender.experiment.study_calibration import calibration
from recommender.stats import calibration as proof
from recommender.stats.effects import mean_effect, ratio_effect
from recommender.stats.moments import Moments
from recommender.stats.sequential import critical

Key = tuple[str, str, str]


def by_key(found: list[proof.Found]) -> dict[Key, proof.Found]:
    return {(f.method, f.on, f.metric): f for f in found}


def allows(found: proof.Found, share: float) -> bool:
    """Whether a true share is within four standard errors of the one found; for few runs as many as a binomial of them has."""
    return stats.binomtest(round(found.mean * found.n), found.n, share).pvalue > 6e-5


# -- one look ----------------------------------------------------------------------------------------------------------

PROMISED = [m for m in proof.METHODS if not m.name.startswith(("Always valid", "Wrong"))]
SURER = [m for m in proof.METHODS if m.name.startswith("Always valid")]
WRONG = [m for m in proof.METHODS if m.name.startswith("Wrong")]


@pytest.fixture(scope="module")
def looked() -> dict[Key, proof.Found]:
    return by_key(proof.one_look(800, 600, seed=1))


@pytest.mark.parametrize("method", PROMISED, ids=lambda m: f"{m.name} of {m.on}")
def test_intervals_cover_and_tests_err_as_often_as_they_say(looked: dict[Key, proof.Found], method: proof.Method) -> None:
    assert allows(looked[method.name, method.on, proof.COVERAGE], 0.95)
    assert allows(looked[method.name, method.on, proof.FALSE], 0.05)


@pytest.mark.parametrize("method", SURER, ids=lambda m: m.name)
def test_what_may_be_looked_at_always_is_surer_at_one_look(looked: dict[Key, proof.Found], method: proof.Method) -> None:
    assert looked[method.name, method.on, proof.COVERAGE].mean > 0.98
    assert looked[method.name, method.on, proof.FALSE].mean < 0.02


def test_a_method_that_is_wrong_is_found(looked: dict[Key, proof.Found]) -> None:
    (wrong,) = WRONG
    assert looked[wrong.name, wrong.on, proof.COVERAGE].mean < 0.8
    assert looked[wrong.name, wrong.on, proof.FALSE].mean > 0.2


def test_an_interval_a_fifth_too_short_is_found() -> None:
    welch = proof.METHODS[0]

    def short(c: Moments, t: Moments):
        interval, p = welch.find(c, t)
        e, lo, hi = interval
        return interval._replace(lo=e - 0.8 * (e - lo), hi=e + 0.8 * (hi - e)), p

    (covered, alarms) = proof.one_look(800, 300, methods=(welch._replace(find=short),))
    assert not allows(covered, 0.95)
    assert allows(alarms, 0.05)


def test_the_bootstrap_does_too() -> None:
    covered, alarms = proof.bootstrapped(150, 300, draws=400)
    assert allows(covered, 0.94)  # a percentile bootstrap of skewed values covers a little less
    assert allows(alarms, 0.055)


def test_a_population_is_skewed_has_habits_and_differs_from_its_treated_self() -> None:
    untreated, treated = (p.whole for p in proof.populations())
    assert 0.2 < (untreated[:, proof.MINUTES] == 0).mean() < 0.5
    assert stats.skew(untreated[:, proof.MINUTES]) > 2
    assert 0.3 < np.corrcoef(untreated[:, proof.MINUTES], untreated[:, proof.BEFORE])[0, 1] < 0.8
    assert treated[:, proof.TAKEN].sum() == pytest.approx(proof.LIFT * untreated[:, proof.TAKEN].sum(), rel=0.03)
    assert (treated[:, proof.OFFERED] == untreated[:, proof.OFFERED]).all()
    assert (untreated[:, proof.OFFERED] > 0).all()


# -- many looks --------------------------------------------------------------------------------------------------------


def test_peeking_raises_false_alarms_of_a_fixed_interval_and_not_of_the_other() -> None:
    found = by_key(proof.peeks(400, 3000, 100) + proof.days(400, 500))
    assert len(found) == 8
    for (name, on, _), f in found.items():
        if name.startswith("Fixed"):
            assert f.lo > 0.08, (name, on)
        else:
            assert f.hi < 0.06, (name, on)


def test_z_is_that_of_the_effect() -> None:
    rng = np.random.default_rng(0)
    taken = rng.poisson(2, (2, 80)).astype(float)
    offered = taken + rng.poisson(9, (2, 80)) + 1
    arms = [Moments.of(np.column_stack([a, b])) for a, b in zip(taken, offered)]
    for below, effect in ((offered, ratio_effect(*arms, 0, 1)), (np.ones_like(taken), mean_effect(*arms))):
        (z,) = proof.z_of(proof._parts(taken, below).sum(axis=1)[None, :, None])
        assert z[0] == pytest.approx(effect.absolute.estimate / effect.se)


def test_the_runs_that_are_ever_significant_are_counted() -> None:
    # of three runs the first is beyond both bounds once, the second only beyond the fixed one, the third beyond none
    n = np.full((3, 2), 1000)
    z = np.array([[0.0, 4.0], [-2.5, 0.0], [1.0, -1.0]])
    fixed, always = proof._ever("on", "looks", z, n, 1000)
    assert float(critical(1000, 1000)) == pytest.approx(3.035, abs=0.001)
    assert (fixed.mean, always.mean) == (2 / 3, 1 / 3)
    assert always.lo < 1 / 3 < always.hi


# -- shares, comparisons -----------------------------------------------------------------------------------------------


def test_checks_of_shares_keep_still_and_find_what_was_planted() -> None:
    still, off = (by_key(proof.allocation(runs, 10_000, shares=shares, on="x")) for runs, shares in ((900, (0.5, 0.5)), (150, (0.52, 0.48))))
    once, daily, sequential = dict.fromkeys(name for name, _, _ in still)
    assert allows(still[once, "x, p < 0.05", proof.ALARMS], 0.05)
    assert still[daily, "x, p < 0.05", proof.ALARMS].lo > 0.05
    assert still[sequential, "x, p < 0.05", proof.ALARMS].mean <= 0.05
    assert off[once, "x, p < 0.001", proof.ALARMS].mean > 0.65
    assert off[sequential, "x, p < 0.05", proof.ALARMS].mean > 0.75


def test_holm_holds_the_chance_of_any_false_alarm_and_bh_the_share_of_false_ones() -> None:
    found = by_key(proof.comparisons(1500))
    none, some = "20 comparisons, 0 true", "20 comparisons, 10 true"
    assert allows(found["uncorrected", none, proof.FALSE], 1 - 0.95**20)
    for name in ("Holm", "Benjamini-Hochberg"):
        assert allows(found[name, none, proof.FALSE], 0.05 if name != "Holm" else 1 - (1 - 0.05 / 20) ** 20)
    assert found["Holm", some, proof.FALSE].mean < 0.05
    assert found["Benjamini-Hochberg", some, proof.FALSE].mean > 0.1  # it does not promise this
    discoveries = found["Benjamini-Hochberg", some, proof.DISCOVERIES]
    assert discoveries.lo < 0.05 * 10 / 20 < discoveries.hi  # exactly q times the share of the comparisons without an effect
    assert found["uncorrected", some, proof.DISCOVERIES].lo > 0.045


def test_a_share_stands_with_its_exact_interval() -> None:
    # 0 of 20: Clopper and Pearson reach up to 1 - 0.025^(1/20)
    assert proof._share_of("m", "on", "metric", 0, 20)[3:] == (0, 0, pytest.approx(1 - math.pow(0.025, 1 / 20)), 20)


# -- the report --------------------------------------------------------------------------------------------------------


def test_the_study_makes_a_report_and_its_table() -> None:
    said: list[str] = []
    report = calibration(said.append, 20)
    assert len(said) == 7
    assert report.protocol == "calibration"
    table = as_markdown(report)
    assert "Simulated" in table
    rows = {(r.variant, r.model, r.metric) for r in report.rows}
    assert len(rows) == len(report.rows)
    for method in proof.METHODS:
        assert f"| {method.name} | {method.on} |" in table
    assert "—" not in table, "a cell without a figure"
    changed = report.rows[0]._replace(mean=0.1234)
    report.rows[0] = changed
    assert "12.3%" in as_markdown(report)
