"""Learning while earning: which of several rows should stand first, found out by Thompson sampling, and what that costs.

A visit earns 1 or 0. Every day the policy sees what all days before have earned, and gives each visitor of the day a row. Regret is what visitors
lost against the best row, known exactly where the rates are: the visits of each row times how far its rate lies below the best.
Sources: Chapelle & Li, An Empirical Evaluation of Thompson Sampling, NIPS 2011; Russo, Van Roy, Kazerouni, Osband & Wen, A Tutorial on Thompson
Sampling, Foundations and Trends in Machine Learning 11(1), 2018; Sutton & Barto, Reinforcement Learning, 2nd ed. 2018, section 2.2.
Shapes: R runs side by side, D days, A rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import beta

Policy = Callable[[np.ndarray, np.ndarray, int, np.random.Generator], np.ndarray]  # wins, visits (R, days so far, A), visitors now -> visits (R, A)
EXPLORED = 0.1  # share of visits that epsilon-greedy gives to chance
BLOCK = 4_000_000  # draws held at once


class Runs(NamedTuple):
    """What happened: visits and wins (R, D, A), and the regret (R, D) of each day [expected rewards lost]."""

    visits: np.ndarray
    wins: np.ndarray
    regret: np.ndarray

    @property
    def cumulative(self) -> np.ndarray:
        """(R, D) regret up to and with each day."""
        return self.regret.cumsum(axis=1)


def run(policy: Policy, rates: np.ndarray, visitors: np.ndarray, runs: int, rng: np.random.Generator) -> Runs:
    """Let a policy choose for visitors (D,) a day, rows earning at rates (A,) in [0, 1]. The same rng gives the same runs."""
    rates = np.asarray(rates, np.float64)
    if rates.ndim != 1 or not len(rates) or not ((rates >= 0) & (rates <= 1)).all():  # so is nan
        raise ValueError(f"rates are {rates.tolist()}, wanted one a row, each within 0 and 1")
    visits, wins = np.zeros((2, runs, len(visitors), len(rates)), np.int64)
    for day, n in enumerate(np.asarray(visitors).tolist()):
        visits[:, day] = policy(wins[:, :day], visits[:, :day], n, rng)
        wins[:, day] = rng.binomial(visits[:, day], rates)
    return Runs(visits, wins, visits @ (rates.max() - rates))


def thompson(wins: np.ndarray, visits: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Each visitor gets the row that is best in a draw of their own from Beta(1 + wins, 1 + losses): rows are shown as often as they may be best."""
    won, lost = wins.sum(axis=1), (visits - wins).sum(axis=1)
    given = np.zeros_like(won)
    for start in range(0, n, step := max(1, BLOCK // won.size)):
        size = (min(step, n - start), *won.shape)
        best = rng.beta(1.0 + won, 1.0 + lost, size=size).argmax(axis=2)
        given += (best[:, :, None] == np.arange(won.shape[1])).sum(axis=0)
    return given


def equal(wins: np.ndarray, visits: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Every row the same number of visits, what is left over by lot: an A/B test that goes on."""
    rows = wins.shape[2]
    order = rng.random((len(wins), rows)).argsort(axis=1)
    return n // rows + (order < n % rows)


def epsilon_greedy(wins: np.ndarray, visits: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """The row with the best mean so far, but EXPLORED of the visits to all alike; on the first day all alike."""
    if not visits.any():
        return equal(wins, visits, n, rng)
    explored = equal(wins, visits, round(EXPLORED * n), rng)
    explored[np.arange(len(wins)), _best(wins, visits)] += n - round(EXPLORED * n)
    return explored


def best_after(days: int) -> Policy:
    """An A/B test that ends: all rows alike for so many days, from then on everybody gets the one that had the best mean in them."""

    def choose(wins: np.ndarray, visits: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        if wins.shape[1] < days:
            return equal(wins, visits, n, rng)
        return n * (_best(wins[:, :days], visits[:, :days])[:, None] == np.arange(wins.shape[2]))

    return choose


def _best(wins: np.ndarray, visits: np.ndarray) -> np.ndarray:  # (R,)
    """The row with the best mean so far, the first among equals."""
    return (wins.sum(axis=1) / np.maximum(visits.sum(axis=1), 1)).argmax(axis=1)


POLICIES: dict[str, Policy] = {"Thompson sampling": thompson, "epsilon-greedy": epsilon_greedy, "equal shares": equal}


def widths(found: Runs, level: float = 0.95) -> np.ndarray:  # (R, A)
    """How wide the equal-tailed interval of each row's rate is at the end, from Beta(1 + wins, 1 + losses): what is not shown is not known."""
    wins, visits = found.wins.sum(axis=1), found.visits.sum(axis=1)
    lo, hi = (beta.ppf(q, 1.0 + wins, 1.0 + visits - wins) for q in ((1 - level) / 2, (1 + level) / 2))
    return hi - lo


def biases(found: Runs, rates: np.ndarray) -> np.ndarray:  # (R, A)
    """Mean reward of each row in each run less its rate; nan where it was never shown. Below 0 on average where rows that did badly by luck are left
    alone: Nie, Tian, Taylor & Zou, Why Adaptively Collected Data Have Negative Bias, AISTATS 2018."""
    wins, visits = found.wins.sum(axis=1), found.visits.sum(axis=1)
    return np.divide(wins, visits, out=np.full(wins.shape, np.nan), where=visits > 0) - rates
