"""What to believe of an effect, and what it would cost to act on it. More of the metric is taken to be better.

Effects of means and ratios: the posterior is normal, from the estimate and its standard error, with a normal prior or a flat one.
Shares of units: each arm has a Beta posterior, and the two are compared without approximation.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import betainc, betaincinv, betaln, expit, log_expit, logit, ndtr, ndtri
from scipy.stats import norm

from recommender.stats.effects import Effect, Interval, upper

POINTS, WEIGHTS = np.polynomial.legendre.leggauss(100)  # on each piece
TAIL = 1e-14  # of a Beta posterior beyond which it is left out


class Normal(NamedTuple):
    """Mean and standard deviation, in units of the metric."""

    mean: float
    sd: float


class Loss(NamedTuple):
    """What is lost on average, in units of the metric, by shipping (if the treatment is the worse) and by keeping the control (if the better)."""

    ship: float
    keep: float


class Share(NamedTuple):
    """Hits among n units of an arm."""

    hits: int
    n: int


def posterior(effect: Effect, prior: Normal | None = None) -> Normal:
    """The absolute effect given the data: precisions 1 / sd^2 add up, and means are weighted by them. Without a prior all effects are as likely.

    Source: Gelman et al., Bayesian Data Analysis, third edition, section 2.5. Raises ValueError where the prior's sd is not above 0.
    """
    if prior is None:
        return Normal(effect.absolute.estimate, effect.se)
    if not prior.sd > 0:
        raise ValueError(f"prior's sd == {prior.sd}, must be above 0")
    weight = prior.sd**2 / (prior.sd**2 + effect.se**2)
    return Normal(weight * effect.absolute.estimate + (1 - weight) * prior.mean, math.sqrt(weight) * effect.se)


def chance_to_beat(effect: Effect, prior: Normal | None = None) -> float:
    """How likely the treatment is better than the control; one half where nothing varies and they are equal."""
    mean, sd = posterior(effect, prior)
    return float(ndtr(mean / sd)) if sd > 0 else (1 + float(np.sign(mean))) / 2


def expected_loss(effect: Effect, prior: Normal | None = None) -> Loss:
    """What each decision loses on average. With z = mean / sd:  E max(effect, 0) = mean Phi(z) + sd phi(z)

    Source: Stucchio, Bayesian A/B Testing at VWO, 2015.
    """
    mean, sd = posterior(effect, prior)
    z = mean / sd if sd > 0 else 0.0
    gain = mean * float(ndtr(z)) + sd * float(norm.pdf(z)) if sd > 0 else max(mean, 0.0)
    return Loss(max(gain - mean, 0.0), gain)


def credible(effect: Effect, prior: Normal | None = None, level: float = 0.95) -> Interval:
    """The middle part of the posterior that holds the effect with chance `level`."""
    mean, sd = posterior(effect, prior)
    reach = sd * float(ndtri(upper(level)))
    return Interval(mean, mean - reach, mean + reach)


def share_chance_to_beat(control: Share, treatment: Share, prior: tuple[float, float] = (1.0, 1.0)) -> float:
    """How likely the treatment's share of hits is the larger, each arm Beta(a + hits, b + misses):  integral of f_t F_c.

    Source: Gelman et al., Bayesian Data Analysis, third edition, section 2.4. Raises ValueError naming hits, units or a prior that cannot be.
    """
    c, t = _beta(control, prior), _beta(treatment, prior)
    y, weights = _nodes(c, t)
    return float(np.exp(log_expit(y) * t[0] + log_expit(-y) * t[1] - betaln(*t)) * _below(c, y) @ weights)


def share_expected_loss(control: Share, treatment: Share, prior: tuple[float, float] = (1.0, 1.0)) -> Loss:
    """What each decision loses on average, in hits a unit:  E max(c - t, 0) = integral of F_t (1 - F_c), and with c and t exchanged."""
    c, t = _beta(control, prior), _beta(treatment, prior)
    y, weights = _nodes(c, t)
    weights = weights * expit(y) * expit(-y)  # dx / dy
    return Loss(float(_below(t, y) * _above(c, y) @ weights), float(_below(c, y) * _above(t, y) @ weights))


def _beta(arm: Share, prior: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= arm.hits <= arm.n:
        raise ValueError(f"{arm.hits} hits of {arm.n} units, must be within 0 and {arm.n}")
    if not min(prior) > 0:
        raise ValueError(f"prior Beta{tuple(prior)}, both numbers must be above 0")
    return prior[0] + arm.hits, prior[1] + arm.n - arm.hits


def _nodes(*posteriors: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Points and weights to integrate by over y = logit x, where all these densities are bells, on the pieces between their ends and middles."""
    edges = np.unique([y for a, b in posteriors for y in (logit(betaincinv(a, b, TAIL)), logit(a / (a + b)), -logit(betaincinv(b, a, TAIL)))])
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (POINTS + 1)).ravel(), (half * WEIGHTS).ravel()


def _below(arm: tuple[float, float], y: np.ndarray) -> np.ndarray:
    return betainc(*arm, expit(y))


def _above(arm: tuple[float, float], y: np.ndarray) -> np.ndarray:
    return betainc(*arm[::-1], expit(-y))
