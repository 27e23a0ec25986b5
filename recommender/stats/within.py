"""Do labels of occasions go with what happens on them, within one and the same person? Regression and permutation test.

Each occasion holds some trials; each trial has or has not each of several outcomes. A shift is how much larger the share of an outcome is on
occasions with a label than on the same people's other occasions: the slope of a regression with a mean of its own for every person. (The
plain share less the person's mean is smaller than the truth where somebody has mostly one label.) For p the labels of a person change places
among the person's occasions, so neither differences between people nor what the trials of an occasion have in common raise an alarm.
Source: Wooldridge, Econometric Analysis of Cross Section and Panel Data, 2010, section 10.5 (the regression); Anderson, Canadian Journal of
Fisheries and Aquatic Sciences 58(3), 2001 (permutation within blocks); Phipson & Smyth, SAGMB 9(1), 2010 (p is never 0); Westfall & Young,
Resampling-Based Multiple Testing, 1993 (the largest of many).
Shapes: U people, S occasions, L labels, G outcomes, B shuffles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from recommender.stats.inference import bootstrap_ratio, holm

BLOCK = 100  # shuffles held at once: at 20,000 occasions 16 MB an array
EPSILON = 1e-12  # so that rounding breaks no tie


@dataclass(frozen=True, eq=False)
class Panel:
    """The occasions (S,) of the U people who have more than one label: nobody else tells anything."""

    people: np.ndarray  # 0 to U - 1, ascending
    begins: np.ndarray  # (U,) first occasion of each
    labels: np.ndarray  # 0 to n_labels - 1
    n_labels: int
    sizes: np.ndarray  # trials
    counts: np.ndarray  # (S, G) trials with the outcome

    def by_person(self, labels: np.ndarray) -> np.ndarray:
        """(B, U, L) trials of each person under each label, for labels (B, S)."""
        return np.stack([np.add.reduceat((labels == n) * self.sizes, self.begins, axis=1) for n in range(self.n_labels)], axis=2)

    @cached_property
    def trials(self) -> np.ndarray:
        """(U, L) as by_person, for the labels there are."""
        return self.by_person(self.labels[None])[0]

    @cached_property
    def shares(self) -> np.ndarray:
        """(U, G) share of each outcome among the trials of each person."""
        return np.add.reduceat(self.counts, self.begins) / self.trials.sum(axis=1, keepdims=True)

    @cached_property
    def beyond(self) -> np.ndarray:
        """(S, G) trials with the outcome, less those that the person's share lets expect."""
        return self.counts - self.sizes[:, None] * self.shares[self.people]

    @cached_property
    def variation(self) -> float:
        """Sum of squares of all trials and outcomes about their person's share."""
        return float((self.trials.sum(axis=1, keepdims=True) * self.shares * (1 - self.shares)).sum())

    @property
    def members(self) -> np.ndarray:
        """(L,) people who have the label; all of them have others too."""
        return (self.trials > 0).sum(axis=0)


def panel(people: np.ndarray, labels: np.ndarray, n_labels: int, sizes: np.ndarray, counts: np.ndarray) -> Panel:
    """The occasions that tell anything, of columns (S,) and counts (S, G) sorted by person. Raises ValueError where there is none."""
    some, first, numbers = np.unique(people, return_index=True, return_inverse=True)
    mixed = np.zeros(len(people), bool)
    if len(some):
        mixed = (np.minimum.reduceat(labels, first) < np.maximum.reduceat(labels, first))[numbers]
    if not mixed.any():
        raise ValueError(f"none of {len(some)} people has more than one label, wanted at least one")
    _, begins, numbers = np.unique(people[mixed], return_index=True, return_inverse=True)
    return Panel(numbers, begins, labels[mixed].astype(np.int64), n_labels, sizes[mixed].astype(np.float64), counts[mixed].astype(np.float64))


def regress(p: Panel, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shifts (B, L, G) [share of trials] and the share (B,) of the variation that all labels together explain, for labels (B, S).

    With d the indicator of a label, x of an outcome, and their means over the trials of a person, one label has
    shift = sum (d - mean d)(x - mean x) / sum (d - mean d)^2 = T_l / D_ll,  D = sum over people of diag(n) - n n' / sum n,
    and all of them explain sum over outcomes of T' D+ T.
    """
    n = p.by_person(labels)
    cross = np.stack([(labels == label) @ p.beyond for label in range(p.n_labels)], axis=1)  # T (B, L, G)
    spread = np.eye(p.n_labels) * n.sum(axis=1)[:, None, :] - np.swapaxes(n, 1, 2) @ (n / n.sum(axis=2, keepdims=True))  # D (B, L, L)
    own = np.broadcast_to(np.diagonal(spread, axis1=1, axis2=2)[:, :, None], cross.shape)
    shifts = np.divide(cross, own, out=np.zeros_like(cross), where=own > 0)
    explained = (cross * (np.linalg.pinv(spread, rcond=1e-9, hermitian=True) @ cross)).sum(axis=(1, 2))
    return shifts, explained / p.variation


def permuted(p: Panel, size: int, rng: np.random.Generator) -> np.ndarray:
    """(size, S) labels, each person's in a random order."""
    return p.labels[np.argsort(p.people + rng.random((size, len(p.people))), axis=1)]


def rotated(p: Panel, size: int, rng: np.random.Generator) -> np.ndarray:
    """(size, S) labels, each person's moved on by a random number of occasions, the last followed by the first.

    Neighbours stay neighbours, so what occasions in turn have in common raises no alarm. After Harris, arXiv:2012.06862.
    """
    lengths = np.diff(p.begins, append=len(p.people))
    step = rng.integers(lengths, size=(size, len(lengths)))[:, p.people]
    first = p.begins[p.people]
    return p.labels[first + (np.arange(len(p.people)) - first + step) % lengths[p.people]]


class Chance(NamedTuple):
    """A figure, its mean over shuffles, the one that a shuffle in twenty exceeds, and its p value."""

    value: float
    chance: float
    chance_95: float
    p: float


@dataclass(frozen=True, eq=False)
class Tested:
    """Shifts (T, G') of labels (T,) and outcomes (G',), two-sided p, p corrected for all of them; the variation explained, the largest shift."""

    labels: np.ndarray
    outcomes: np.ndarray
    shifts: np.ndarray
    p: np.ndarray
    p_holm: np.ndarray
    explained: Chance
    largest: Chance


def permutation_test(p: Panel, told: tuple[int, ...], least: int, shuffles: int, seed: int = 0, shuffled: Callable = permuted) -> Tested:
    """Test each label of `told` with each outcome, and all labels at once. Raises ValueError where no label or no outcome is left.

    least: people who must have a label, and people who must have an outcome, for it to be tested.
    """
    labels = np.array([n for n in told if p.members[n] >= least], np.int64)
    outcomes = np.flatnonzero((p.shares > 0).sum(axis=0) >= least)
    if not labels.size * outcomes.size:
        raise ValueError(f"{len(labels)} labels and {len(outcomes)} outcomes have {least} people behind them, wanted at least one of each")
    found, (explained,) = regress(p, p.labels[None])
    shifts = found[0][np.ix_(labels, outcomes)]
    rng, far, shares, largest = np.random.default_rng(seed), np.ones(shifts.shape), [], []
    for start in range(0, shuffles, BLOCK):
        others, share = regress(p, shuffled(p, min(BLOCK, shuffles - start), rng))
        sizes = np.abs(others[:, labels][:, :, outcomes])
        far += (sizes >= np.abs(shifts) - EPSILON).sum(axis=0)
        shares.append(share)
        largest.append(sizes.max(axis=(1, 2)))
    each = far / (shuffles + 1)
    globally = _chance(explained, np.concatenate(shares)), _chance(np.abs(shifts).max(), np.concatenate(largest))
    return Tested(labels, outcomes, shifts, each, holm(each.ravel()).reshape(each.shape), *globally)


def _chance(value: float, drawn: np.ndarray) -> Chance:
    p = (1 + (drawn >= value - EPSILON).sum()) / (len(drawn) + 1)
    return Chance(float(value), float(drawn.mean()), float(np.quantile(drawn, 0.95)), float(p))


def interval(p: Panel, label: int, outcome: int, seed: int = 0) -> tuple[float, float]:
    """95% bootstrap interval of one shift, over people."""
    n, have = p.trials[:, label], p.trials[:, label] > 0
    cross = np.add.reduceat((p.labels == label) * p.beyond[:, outcome], p.begins)
    found = bootstrap_ratio(cross[have], (n * (1 - n / p.trials.sum(axis=1)))[have], seed=seed)
    return found.lo, found.hi
