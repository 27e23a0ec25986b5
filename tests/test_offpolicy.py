"""Off-policy estimates: by hand, right on average in a small world whose truth is known, and refusals where a log cannot carry them."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.experiment.offpolicy import (
    Logged,
    check,
    doubly_robust,
    draw,
    expected_rewards,
    ips,
    lots,
    snips,
    softmax_policy,
    supported,
    weights_of,
)
from recommender.serve.events import Event
from recommender.stats.effects import Interval

THREE = Logged(np.array([0, 1, 2]), np.array([0, 1, 0]), np.array([0.5, 0.25, 0.5]), np.array([1.0, 1.0, 0.0]))
TARGET = np.array([[0.25, 0.75], [0.5, 0.5], [0.75, 0.25]])


def test_three_decisions_by_hand() -> None:
    w = weights_of(THREE, TARGET)
    assert w.tolist() == [0.5, 2.0, 1.5]  # .25 / .5, .5 / .25, .75 / .5
    assert ips(THREE, w).estimate == pytest.approx((0.5 + 2.0) / 3)
    assert snips(THREE, w).estimate == pytest.approx((0.5 + 2.0) / 4)
    expected = np.array([[0.6, 0.2], [0.4, 0.8], [0.2, 0.4]])
    promised = [0.25 * 0.6 + 0.75 * 0.2, 0.5 * 0.4 + 0.5 * 0.8, 0.75 * 0.2 + 0.25 * 0.4]
    corrections = [0.5 * (1 - 0.6), 2.0 * (1 - 0.8), 1.5 * (0 - 0.2)]
    assert doubly_robust(THREE, w, expected, TARGET).estimate == pytest.approx(sum(promised + corrections) / 3)


def test_the_same_policy_gives_the_mean_of_the_rewards() -> None:
    log = Logged(np.arange(4), np.zeros(4, np.int64), np.full(4, 0.3), np.array([0.0, 1.0, 1.0, 0.0]))
    w = weights_of(log, np.full((4, 2), 0.3))
    assert ips(log, w).estimate == snips(log, w).estimate == 0.5


def test_one_viewer_is_one_unit_however_often_they_came() -> None:
    once = Logged(np.arange(6), np.zeros(6, np.int64), np.full(6, 0.5), np.array([0.0, 1, 1, 0, 1, 1]))
    thrice = Logged(*(np.repeat(column, 3) for column in (once.viewers, once.actions, once.propensities, once.rewards)))
    w = np.array([0.5, 1, 2, 1, 0.5, 1])
    for estimator in (ips, snips):
        assert estimator(thrice, np.repeat(w, 3)) == pytest.approx(estimator(once, w))


# -- a small world: 3 contexts, 4 films, every chance known -------------------------------------------------------------

TRUTH = np.array([[0.1, 0.5, 0.3, 0.7], [0.6, 0.2, 0.4, 0.1], [0.3, 0.3, 0.8, 0.2]])
OLD = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25]])
NEW = np.array([[0.1, 0.1, 0.3, 0.5], [0.7, 0.1, 0.1, 0.1], [0.1, 0.2, 0.6, 0.1]])
VALUE = float((NEW * TRUTH).sum(axis=1).mean())


def logged(n: int, rng: np.random.Generator, old: np.ndarray = OLD) -> tuple[Logged, np.ndarray]:
    """n decisions of as many viewers, and the context of each."""
    context = rng.integers(3, size=n)
    actions = draw(old[context], rng)
    rewards = (rng.random(n) < TRUTH[context, actions]).astype(float)
    return Logged(np.arange(n), actions, old[context, actions], rewards), context


def repeated(estimate, runs: int = 400, n: int = 400) -> list[Interval]:
    found = []
    for seed in range(runs):
        log, context = logged(n, np.random.default_rng(seed))
        found.append(estimate(log, weights_of(log, NEW[context]), context))
    return found


WRONG = np.tile([0.9, 0.1, 0.5, 0.5], (3, 1))  # rewards as no context has them
ESTIMATES = {
    "IPS": lambda log, w, c: ips(log, w),
    "SNIPS": lambda log, w, c: snips(log, w),
    "DR, rewards right": lambda log, w, c: doubly_robust(log, w, TRUTH[c], NEW[c]),
    "DR, rewards wrong": lambda log, w, c: doubly_robust(log, w, WRONG[c], NEW[c]),
    "DR, chances wrong": lambda log, w, c: doubly_robust(log, np.sqrt(w), TRUTH[c], NEW[c]),
}


@pytest.mark.parametrize("name", ESTIMATES)
def test_right_on_average_and_covered_as_often_as_promised(name: str) -> None:
    found = repeated(ESTIMATES[name])
    values = np.array([f.estimate for f in found])
    assert abs(values.mean() - VALUE) < 4 * values.std(ddof=1) / np.sqrt(len(values))
    covered = sum(f.lo <= VALUE <= f.hi for f in found)
    assert 362 <= covered <= 396  # binomial(400, .95) within 4 standard deviations


def test_wrong_where_rewards_and_chances_both_are() -> None:
    values = [f.estimate for f in repeated(lambda log, w, c: doubly_robust(log, np.sqrt(w), WRONG[c], NEW[c]), runs=100)]
    assert abs(np.mean(values) - VALUE) > 0.02


def test_a_good_reward_model_makes_the_estimate_surer() -> None:
    spread = {name: np.std([f.estimate for f in repeated(ESTIMATES[name], runs=200)]) for name in ("IPS", "SNIPS", "DR, rewards right")}
    assert spread["DR, rewards right"] < spread["SNIPS"] < spread["IPS"]


def test_rewards_are_learned_from_other_viewers() -> None:
    log, context = logged(3000, np.random.default_rng(0))
    features = np.zeros((3000, 4, 12))
    features[np.arange(3000)[:, None], np.arange(4), 4 * context[:, None] + np.arange(4)] = 1  # context and film, so that the model can be right
    assert np.abs(expected_rewards(log, features) - TRUTH[context]).max() < 0.15
    # rewards that are pure luck, and features that give each decision away: whoever looked at their own would know them all
    rng = np.random.default_rng(1)
    luck = Logged(np.arange(60), np.zeros(60, np.int64), np.ones(60), rng.integers(0, 2, 60).astype(float))
    own = np.eye(60)[:, None, :]
    promised = expected_rewards(luck, own)[:, 0]
    assert abs(np.corrcoef(promised, luck.rewards)[0, 1]) < 0.5
    with pytest.raises(ValueError, match=r"reward 0\.5, must be 0 or 1"):
        expected_rewards(Logged(np.arange(2), np.zeros(2, np.int64), np.ones(2), np.array([0.5, 1])), np.zeros((2, 1, 1)))


def test_where_nobody_was_ever_pleased_nothing_is_promised() -> None:
    log = Logged(np.arange(10), np.zeros(10, np.int64), np.ones(10), np.zeros(10))
    assert not expected_rewards(log, np.random.default_rng(0).random((10, 2, 3))).any()


# -- how far a log carries ---------------------------------------------------------------------------------------------


def test_effective_size() -> None:
    assert check(np.ones(500)).ess == pytest.approx(500)
    assert check(np.r_[np.zeros(499), 7.0]).ess == pytest.approx(1)
    assert check(np.array([0.5, 2.0, 1.5])).ess == pytest.approx(4**2 / (0.25 + 4 + 2.25))
    w = np.random.default_rng(0).exponential(size=1000)
    assert check(w).ess == pytest.approx(check(9 * w).ess)
    assert check(w).ess < 1000
    assert (check(w).largest, check(w).share) == (w.max(), w.max() / w.sum())


def test_warnings_follow_the_rule() -> None:
    even = np.ones((1000, 2)) / 2
    assert check(np.ones(1000), even, even).warnings == ()
    assert "effective size 99 of 99" in check(np.ones(99), even, even).warnings[0]  # fewer than 100
    few = np.r_[np.full(120, 25.0), np.zeros(2880)]  # 120 of 3,000: 4%
    assert "effective size 120 of 3000" in check(few, even, even).warnings[0]
    with pytest.raises(ValueError, match="would have taken none of them"):
        check(np.zeros(5))


def test_what_could_never_be_logged_is_noticed_and_refused() -> None:
    old, new = np.array([[0.5, 0.5, 0.0]]).repeat(400, 0), np.array([[0.3, 0.3, 0.4]]).repeat(400, 0)
    found = check(np.full(400, 0.6), old, new)
    assert found.unsupported == pytest.approx(0.4)
    assert "40.00% of the new policy's choices could never have been logged" in found.warnings[0]
    with pytest.raises(ValueError, match=r"40\.0% .* at most 1% may be"):
        supported(found)
    barely = check(np.ones(400), old, np.array([[0.5, 0.495, 0.005]]).repeat(400, 0))
    assert barely.warnings
    supported(barely)  # does not raise
    supported(check(np.ones(400), old, old))


def test_a_mean_weight_far_from_one_is_noticed_where_the_other_chances_are_unknown() -> None:
    rng = np.random.default_rng(0)
    log, context = logged(2000, rng)
    fair = weights_of(log, NEW[context])
    assert check(fair).warnings == ()
    assert "mean weight" in check(0.7 * fair).warnings[0]


def test_a_log_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="3 viewers, 2 actions"):
        Logged(np.arange(3), np.zeros(2, np.int64), np.ones(3), np.ones(3))
    for chance in (0.0, 1.5, np.nan):
        with pytest.raises(ValueError, match="propensity"):
            Logged(np.arange(1), np.zeros(1, np.int64), np.array([chance]), np.ones(1))


def test_a_policy_is_drawn_by_its_chances() -> None:
    policy = softmax_policy(np.tile([2.0, 1.0, -np.inf], (40_000, 1)), 1.0)
    assert policy[0] == pytest.approx([np.e / (1 + np.e), 1 / (1 + np.e), 0])
    share = np.bincount(draw(policy, np.random.default_rng(0)), minlength=3) / 40_000
    assert share == pytest.approx(policy[0], abs=0.01)
    assert share[2] == 0
    assert softmax_policy(np.array([[1.0, 0.0]]), 1e6)[0] == pytest.approx([0.5, 0.5], abs=1e-5)
    with pytest.raises(ValueError, match="temperature == 0"):
        softmax_policy(np.ones((1, 2)), 0)


# -- films drawn by lot in the app -------------------------------------------------------------------------------------


def shown(viewer: str, film: int, page: str, chance: float | None) -> Event:
    return Event(viewer, "impression", film, recommendation=page, row="surprise", position=0, propensity=chance)


def test_films_drawn_by_lot_are_read_with_what_came_of_them() -> None:
    stored = [
        Event("ada", "click", 1, recommendation="p"),  # the order does not matter
        shown("ada", 1, "p", 0.1),
        shown("ada", 2, "q", 0.2),
        shown("bo", 1, "r", 0.25),
        shown("bo", 5, "r", None),  # not by lot
        Event("sim-x-1", "impression", 1, recommendation="s", propensity=1.0, simulated=True, experiment="x", arm="a"),  # nobody was there
        Event("bo", "click", 5, recommendation="r"),
        Event("bo", "love", 1, recommendation="other"),  # on another page
        Event("bo", "hide", 1, recommendation="r"),  # no reward
    ]
    log = lots(stored)
    assert log.viewers.tolist() == [0, 0, 1]
    assert log.actions.tolist() == [1, 2, 1]
    assert log.propensities.tolist() == [0.1, 0.2, 0.25]
    assert log.rewards.tolist() == [1, 0, 0]
    # a new policy that draws each film twice as readily
    assert ips(log, 2 * np.ones(3)).estimate == pytest.approx(2 / 3)
    assert len(lots([])) == 0
