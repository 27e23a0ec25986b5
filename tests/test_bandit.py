"""A bandit over rows: regret by hand, slower than any fixed share, and what it no longer knows of the rows it left."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from recommender.experiment.bandit import EXPLORED, POLICIES, Runs, best_after, biases, epsilon_greedy, equal, run, thompson, widths

RATES = np.array([0.12, 0.20, 0.30])
VISITORS = np.full(30, 120)


def played(name: str, runs: int = 60, rates: np.ndarray = RATES, seed: int = 0) -> Runs:
    return run(POLICIES[name], rates, VISITORS, runs, np.random.default_rng(seed))


def test_regret_by_hand() -> None:
    always = lambda wins, visits, n, rng: np.tile([n - 2, 2], (len(wins), 1))
    found = run(always, np.array([0.5, 0.2]), np.array([10, 4]), 1, np.random.default_rng(0))
    assert found.visits[0].tolist() == [[8, 2], [2, 2]]
    assert found.regret[0] == pytest.approx([2 * 0.3, 2 * 0.3])
    assert found.cumulative[0] == pytest.approx([0.6, 1.2])
    found = run(always, np.array([0.2, 0.5]), np.array([10]), 1, np.random.default_rng(0))
    assert found.regret[0] == pytest.approx([8 * 0.3])


@pytest.mark.parametrize("name", POLICIES)
def test_every_visitor_gets_one_row_and_the_same_seed_the_same_run(name: str) -> None:
    first, again, other = played(name, 3), played(name, 3), played(name, 3, seed=1)
    assert (first.visits.sum(axis=2) == VISITORS).all()
    assert (first.wins <= first.visits).all()
    assert (first.visits >= 0).all()
    assert np.array_equal(first.wins, again.wins)
    assert not np.array_equal(first.wins, other.wins)


def test_equal_shares_differ_by_one_visitor_at_most_and_by_lot() -> None:
    given = equal(np.zeros((900, 0, 4), np.int64), np.zeros((900, 0, 4), np.int64), 10, np.random.default_rng(0))
    assert set(given.ravel().tolist()) == {2, 3}
    assert (given.sum(axis=1) == 10).all()
    assert given.mean(axis=0) == pytest.approx([2.5] * 4, abs=0.07)


def test_regret_of_equal_shares_is_what_arithmetic_says() -> None:
    found = played("equal shares")
    assert found.cumulative[:, -1].mean() == pytest.approx(VISITORS.sum() * (RATES.max() - RATES).mean())


def test_thompson_shows_a_row_as_often_as_it_is_likely_the_best() -> None:
    wins, visits = np.array([[[1, 6], [2, 0]]]), np.array([[[4, 10], [6, 2]]])  # 3 of 10 and 6 of 12 in two days
    given = thompson(wins, visits, 60_000, np.random.default_rng(0))
    x = np.linspace(0, 1, 20_001)
    best = np.trapezoid(beta.pdf(x, 7, 7) * beta.cdf(x, 4, 8), x)  # chance that the second is the better
    assert given[0, 1] / 60_000 == pytest.approx(best, abs=0.01)


def test_thompson_loses_far_less_than_equal_shares_and_ever_less() -> None:
    learned, fixed = played("Thompson sampling"), played("equal shares")
    assert learned.cumulative[:, -1].mean() < 0.35 * fixed.cumulative[:, -1].mean()
    daily = learned.regret.mean(axis=0)
    assert daily[-10:].mean() < 0.25 * daily[:3].mean()  # sublinear: the days cost less and less
    assert fixed.regret.mean(axis=0)[-1] == pytest.approx(fixed.regret.mean(axis=0)[0], rel=0.05)
    share = learned.visits.mean(axis=0)[:, 2] / VISITORS
    assert share[0] == pytest.approx(1 / 3, abs=0.04)  # before anything is known, all alike
    assert share[-1] > 0.85


def test_epsilon_greedy_keeps_exploring() -> None:
    given = epsilon_greedy(np.array([[[1, 9, 2]]]), np.array([[[10, 10, 10]]]), 300, np.random.default_rng(0))
    assert given.sum() == 300
    assert given[0, [0, 2]].tolist() == [EXPLORED * 100] * 2
    found = played("epsilon-greedy")
    assert found.regret.mean(axis=0)[-1] >= EXPLORED * 120 * (RATES.max() - RATES).mean() * 0.9  # a fixed toll a day
    assert found.cumulative[:, -1].mean() < played("equal shares").cumulative[:, -1].mean()


def test_a_test_that_ends_gives_everybody_the_row_that_did_best_in_it() -> None:
    visits = np.full((2, 2, 3), 50)
    wins = np.array([[[20, 20, 10], [10, 25, 10]], [[10, 10, 20], [20, 10, 11]]])
    rng = np.random.default_rng(0)
    assert best_after(2)(wins, visits, 50, rng).tolist() == [[0, 50, 0], [0, 0, 50]]
    assert best_after(3)(wins, visits, 30, rng).tolist() == [[10, 10, 10]] * 2
    later = np.concatenate([wins, np.array([[[0, 0, 0]], [[0, 0, 0]]])], axis=1)  # a bad day for the chosen one changes nothing
    shown = np.concatenate([visits, np.array([[[0, 50, 0]], [[0, 0, 50]]])], axis=1)
    assert best_after(2)(later, shown, 50, rng).tolist() == [[0, 50, 0], [0, 0, 50]]


def test_nothing_is_lost_where_all_rows_are_alike() -> None:
    for name in POLICIES:
        assert played(name, 5, np.full(3, 0.2)).cumulative.max() == 0


def test_what_is_rarely_shown_is_hardly_known_and_seems_worse_than_it_is() -> None:
    learned, fixed = played("Thompson sampling", 400), played("equal shares", 400)
    assert widths(learned)[:, 0].mean() > 1.5 * widths(fixed)[:, 0].mean()
    assert widths(learned)[:, 2].mean() < widths(fixed)[:, 2].mean()
    adaptive, even = biases(learned, RATES), biases(fixed, RATES)
    assert np.nanmean(adaptive[:, 0]) < -3 * np.nanstd(adaptive[:, 0]) / 20  # 400 runs
    assert abs(np.nanmean(even[:, 0])) < 4 * np.nanstd(even[:, 0]) / 20


def test_widths_by_hand() -> None:
    found = Runs(np.array([[[10, 0]]]), np.array([[[3, 0]]]), np.zeros((1, 1)))
    assert widths(found)[0] == pytest.approx([beta.ppf(0.975, 4, 8) - beta.ppf(0.025, 4, 8), 0.95])
    assert biases(found, np.array([0.2, 0.5]))[0, 0] == pytest.approx(0.1)
    assert np.isnan(biases(found, np.array([0.2, 0.5]))[0, 1])


def test_many_visitors_are_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.experiment.bandit.BLOCK", 7)
    given = thompson(np.zeros((2, 0, 3), np.int64), np.zeros((2, 0, 3), np.int64), 31, np.random.default_rng(0))
    assert given.sum(axis=1).tolist() == [31, 31]


@pytest.mark.parametrize("rates", [[], [[0.1]], [1.2], [-0.1], [np.nan]])
def test_rates_that_are_none_are_refused(rates: list) -> None:
    with pytest.raises(ValueError, match="rates are"):
        run(equal, np.array(rates, np.float64), VISITORS, 1, np.random.default_rng(0))
