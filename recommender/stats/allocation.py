"""Did the arms get the shares of units that the plan gives them? If not, units were lost unlike, and no effect can be believed."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln
from scipy.stats import binomtest, chisquare

FEW = 20  # units expected, below which the tail of chi-squared is too thin
CONCENTRATION = 1000.0  # units that the prior of a day-by-day check is worth: a half is expected within 1.6 points of a half


class Srm(NamedTuple):
    """Units found and expected in each arm, and the p value of the two agreeing."""

    p: float
    observed: tuple[int, ...]
    expected: tuple[float, ...]


class SrmDays(NamedTuple):
    """A check looked at after every day: p (D,) never rises and holds at every look; evidence (D,) is the Bayes factor against the plan [log]."""

    p: np.ndarray
    evidence: np.ndarray


def srm(counts: ArrayLike, shares: ArrayLike) -> Srm:
    """Sample-ratio mismatch of counts (A,) against shares (A,) in any unit; a holdout is an arm among others. For one look.

    Pearson's chi-squared with A - 1 degrees of freedom; where FEW are expected in an arm, the exact binomial test of the arm that is furthest off,
    times A for more than two arms (Bonferroni). Raises ValueError naming counts or shares that fit no experiment.
    Source: Fabijan et al., Diagnosing Sample Ratio Mismatch in Online Controlled Experiments, KDD 2019.
    """
    found, wanted = _checked(np.asarray(counts)[None], shares)
    expected = wanted * found.sum()
    if expected.min() < FEW:
        exact = min(binomtest(int(k), int(found.sum()), share).pvalue for k, share in zip(found[0], wanted))
        p = min(float(exact) * (len(wanted) if len(wanted) > 2 else 1), 1.0)
    else:
        p = float(chisquare(found[0], expected).pvalue)
    return Srm(p, tuple(found[0].tolist()), tuple(expected.tolist()))


def srm_sequence(arrivals: ArrayLike, shares: ArrayLike, concentration: float = CONCENTRATION) -> SrmDays:
    """Sample-ratio mismatch after every day, of arrivals (D, A): units seen for the first time that day, each in the arm that it got.

    The Bayes factor of shares drawn from a Dirichlet about the planned ones, a = concentration * shares, against the planned shares s:
        log B = log G(sum a) - log G(sum a + n) + sum_i (log G(a_i + n_i) - log G(a_i) - n_i log s_i),  p = 1 / largest B so far.
    Source: Lindon & Malek, Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022, arXiv:2011.03567.
    """
    if not 0 < concentration < math.inf:
        raise ValueError(f"concentration == {concentration}, must be above 0 and finite")
    found, wanted = _checked(arrivals, shares)
    n, a = found.cumsum(axis=0), concentration * wanted
    whole = gammaln(concentration) - gammaln(concentration + n.sum(axis=1))
    evidence = whole + (gammaln(a + n) - gammaln(a) - n * np.log(wanted)).sum(axis=1)
    return SrmDays(np.exp(-np.maximum(np.maximum.accumulate(evidence), 0)), evidence)


def _checked(counts: ArrayLike, shares: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Counts (D, A) of units, and shares (A,) that sum to 1."""
    found, given = np.asarray(counts), np.asarray(shares, np.float64)
    if found.ndim != 2 or given.shape != found.shape[1:] or len(given) < 2:
        raise ValueError(f"counts of shape {found.shape[-1:]} and shares of shape {given.shape}, wanted one share an arm and at least 2 arms")
    if not (np.isfinite(given) & (given > 0)).all():
        raise ValueError(f"shares {given.tolist()}, must all be above 0 and finite")
    if not (np.isfinite(found) & (found >= 0) & (found == np.floor(found))).all():
        raise ValueError(f"counts {found.tolist()}, must be whole numbers from 0")
    if not found.sum() > 0:
        raise ValueError("0 units in all arms, wanted at least 1")
    return found.astype(np.int64), given / given.sum()
