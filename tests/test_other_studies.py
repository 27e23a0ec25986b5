"""The studies of other ways to test, on few viewers of the click world before the released models."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.evaluate.report import Report, read, write
from recommender.evaluate.tables import as_markdown
from recommender.experiment import study_bandit, study_interleaving, study_offpolicy
from recommender.experiment.stage import Stage
from recommender.experiment.world import NOWHERE

quiet = lambda line: None


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage.open(120)


def kept(report: Report, folder) -> Report:
    """As it comes back from its file, which refuses figures that are not finite; and it makes a table."""
    assert "simulated" in as_markdown(report)
    return read(write(report, folder))


def test_lists_are_the_best_films_that_the_viewer_has_not_seen(stage: Stage) -> None:
    viewers, contexts = np.array([3, 5, 3, 3]), np.array([0, 1, 0, 15])
    lists = stage.lists("hybrid", viewers, contexts)
    assert lists[0].tolist() == lists[2].tolist() != lists[3].tolist()  # the same question, and another
    for row, viewer in zip(lists, viewers):
        assert not set(row.tolist()) & set(stage.histories[viewer].items.tolist())
    scores = stage.scores("hybrid", viewers, contexts)
    assert (np.take_along_axis(scores, lists, axis=1).min(axis=1) >= np.partition(scores, -10, axis=1)[:, -10]).all()
    untold = stage.lists("hybrid", viewers, np.full(4, NOWHERE))
    assert untold[0].tolist() == untold[3].tolist()


def test_visits_are_of_viewers_who_come_at_most_once_a_day(stage: Stage) -> None:
    viewers, contexts = stage.visits(14)
    assert np.bincount(viewers).max() <= 14
    assert ((contexts >= 0) & (contexts < 16)).all()
    assert (np.diff(viewers) >= 0).all()


def test_interleaving_is_studied(stage: Stage, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_interleaving, "CHECKED", 4)
    monkeypatch.setattr(study_interleaving, "PAIRS", study_interleaving.PAIRS[3:4])
    found = kept(study_interleaving.interleaving(quiet, stage, repeats=3, runs=6), tmp_path)
    (pair,) = found.more["pairs"]
    assert pair["needed"]["A/B"]["lo"] <= pair["needed"]["A/B"]["viewers"]
    assert sum(pair["viewers"].values()) <= found.more["viewers"] == found.rows[0].n
    assert found.more["itself"]["share"]["lo"] < 0.5 < found.more["itself"]["share"]["hi"]
    viewers, contexts = stage.visits(14)
    lists = [stage.lists(name, viewers, told) for name, told in (("content", np.full(len(viewers), NOWHERE)), ("hybrid", contexts))]
    clicks = [stage.world.expected_click(viewers, contexts, films).clicks.sum() for films in lists]
    assert pair["truth"] == pytest.approx(clicks[1] / clicks[0] - 1, rel=1e-3)


def test_a_ranking_loses_to_a_better_one_both_ways(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_interleaving, "CHECKED", 2)
    viewers, contexts = stage.visits(14)
    liking = stage.world.liking(viewers, contexts)
    order = np.argsort(-liking, axis=1)
    told, rows = study_interleaving.compared(stage, viewers, contexts, order[:, 500:510], order[:, :10], 2, np.random.default_rng(0))
    assert told["truth"] > 0.3
    assert rows[0].lo > 0
    assert rows[1].lo > 0.5
    assert told["viewers"]["won"] > told["viewers"]["lost"]
    back, _ = study_interleaving.compared(stage, viewers, contexts, order[:, :10], order[:, 500:510], 2, np.random.default_rng(0))
    assert back["truth"] < 0
    assert back["share"]["hi"] < 0.5


def test_a_ranking_against_itself_wins_half_of_the_clicks(stage: Stage) -> None:
    viewers, contexts = stage.visits(14)
    order = np.argsort(-stage.world.liking(viewers, contexts), axis=1)
    steep = np.hstack([order[:, :5], order[:, -5:]])  # in any other order it would be another ranking
    found = study_interleaving.itself(stage, viewers, contexts, steep, 40, np.random.default_rng(0))
    assert found["viewers"] == len(np.unique(viewers))
    assert found["share"]["mean"] == pytest.approx(0.5, abs=0.015)
    assert found["t"]["lo"] < 0.05


def test_off_policy_estimates_are_studied(stage: Stage, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_offpolicy, "SIZES", (100, 300))
    found = kept(study_offpolicy.off_policy(quiet, stage, samples=3), tmp_path)
    assert len(found.rows) == 2 * 3 * 4 * 4  # sizes, policies, methods, measures
    assert [e["ess"] for e in found.more["effective"] if e["visits"] == 300] == sorted((e["ess"] for e in found.more["effective"][3:]), reverse=True)
    assert "could never have been logged" in found.more["refused"]["refused"]


def test_policies_are_chances_and_the_last_film_is_never_logged(stage: Stage) -> None:
    setting = study_offpolicy.prepared(stage, np.random.default_rng(1))
    for name, policy in setting.policies.items():
        assert policy.sum(axis=1) == pytest.approx(1)
        assert (policy[:, -1] == 0).all() or name == study_offpolicy.BEYOND
    log = study_offpolicy.logged(setting, 20_000, np.random.default_rng(0))
    assert log.rewards.mean() == pytest.approx(setting.value(study_offpolicy.OLD), abs=0.012)  # 4 standard errors
    assert log.propensities.tolist() == setting.policies[study_offpolicy.OLD][log.viewers, log.actions].tolist()
    assert np.isfinite(setting.features).all()


def test_a_bandit_is_studied_and_the_same_twice(stage: Stage, tmp_path) -> None:
    found = kept(study_bandit.bandit(quiet, stage, runs=4), tmp_path)
    assert found.rows == study_bandit.bandit(quiet, stage, runs=4).rows
    rates = [r["rate"] for r in found.more["rates"]]
    assert rates == sorted(rates, reverse=True)
    worst = found.more["days"] * found.more["visitors"] * (rates[0] - rates[-1])
    assert all(0 <= row.mean <= worst for row in found.rows)
    assert {len(curve["regret"]) for curve in found.more["curves"].values()} == {found.more["days"]}
    even = found.mean("equal shares", "regret", None).mean
    assert even == pytest.approx(found.more["days"] * found.more["visitors"] * (rates[0] - np.mean(rates)), rel=0.01)
