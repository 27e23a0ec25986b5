"""Predicted stars that know the context: filters before and after the biases, a blend with a gate, a choice on validation.

Every model learns from ContextRatings and predicts stars (N,) for others. Shapes: N rows, L levels of a term, P parts, C conditions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax

from recommender.load.depaul import ContextRatings
from recommender.models.terms import Factorisation, Term, labels

VALIDATION = 5  # one of so many folds of what is learned from


class StarModel(Protocol):
    """What every model here can do; predict does not read asked.stars."""

    def fit(self, known: ContextRatings) -> Self: ...

    def predict(self, asked: ContextRatings) -> np.ndarray: ...


@dataclass
class Chosen:
    """The candidate with the least error on a validation part of what is learned from, fitted anew on all of it."""

    candidates: Sequence[StarModel]
    by_pair: bool = False  # how validation is cut off: see ContextRatings.folds
    seed: int = 0

    def fit(self, known: ContextRatings) -> Self:
        held = known.folds(VALIDATION, np.random.default_rng(self.seed), self.by_pair) == 0
        learned, asked = known.where(~held), known.where(held)
        errors = [np.mean((c.fit(learned).predict(asked) - asked.stars) ** 2) for c in self.candidates]
        self.best_ = int(np.argmin(errors))
        self.model_ = self.candidates[self.best_].fit(known)
        return self

    def predict(self, asked: ContextRatings) -> np.ndarray:
        return self.model_.predict(asked)


@dataclass
class PreFilter:
    """Biases after users and films were split in two by the condition under which their stars differ most, if they do by `threshold` of t.

    Welch's t, over the conditions of all dimensions; no variance counts less than that of rounding to whole stars, 1/12. Rows without a context
    stay with the other half. Sources: Adomavicius & Tuzhilin, Recommender Systems Handbook, 2011, section 7.3.1; Baltrunas & Ricci, UMUAI 24, 2014.
    """

    threshold: float = 3.0
    least: int = 4  # rows in each half
    seed: int = 0

    def fit(self, known: ContextRatings) -> Self:
        self.splits_ = {name: self.split(known, name) for name in ("user", "item")}
        self.model_ = Factorisation(seed=self.seed).fit(self.filtered(known))
        return self

    def split(self, known: ContextRatings, term: str) -> np.ndarray:  # (L, 2)
        """The dimension and the condition that split each level of a term off, both -1 where nothing does."""
        label, n = labels(known, term)
        best, found = np.full(n, self.threshold), np.full((n, 2), -1)
        for d, values in enumerate(known.conditions.values()):
            for value in range(len(values)):
                inside = known.contexts[:, d] == value
                t = self._t(label, n, known.stars, inside, (known.contexts[:, d] >= 0) & ~inside)
                found[t > best] = d, value
                best = np.maximum(best, t)
        return found

    def _t(self, label: np.ndarray, n: int, stars: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:  # (L,)
        """|t| of the stars inside against those outside, for each level; 0 where a side has too few."""
        halves = []
        for rows in (inside, outside):
            count, total, squares = (np.bincount(label[rows], stars[rows] ** power, minlength=n) for power in (0, 1, 2))
            enough = count >= max(self.least, 2)
            size = np.where(enough, count, 2)
            mean = total / size
            halves.append((enough, mean, np.maximum((squares - size * mean**2) / (size - 1), 1 / 12) / size))
        (some, a, va), (others, b, vb) = halves
        return np.where(some & others, np.abs(a - b) / np.sqrt(va + vb), 0.0)

    def filtered(self, data: ContextRatings) -> ContextRatings:
        """The same ratings by the halves of users and films as users and films of their own."""
        halves = {}
        for name in ("user", "item"):
            label, n = labels(data, name)
            dimension, value = self.splits_[name][label].T
            condition = data.contexts[np.arange(len(data)), dimension]
            halves[name] = label + n * ((dimension >= 0) & (condition == value))
        return replace(data, users=halves["user"], items=halves["item"], n_users=2 * data.n_users, n_items=2 * data.n_items)

    def predict(self, asked: ContextRatings) -> np.ndarray:
        return self.model_.predict(self.filtered(asked))


@dataclass
class PostFilter:
    """Biases, corrected by the mean of what they left in this situation, over everybody and then over this user, each damped.

    mean of n residuals -> sum / (n + damping). Source: Adomavicius & Tuzhilin, Recommender Systems Handbook, 2011, section 7.3.2.
    """

    damping: float = 5.0  # ratings
    terms: tuple[str, ...] = ("situation", "user:situation")
    seed: int = 0

    def fit(self, known: ContextRatings) -> Self:
        self.base_, self.shifts_ = Factorisation(seed=self.seed).fit(known), {}
        rest = known.stars - self.base_.unclipped(known)
        for name in self.terms:
            term = Term(known, name)
            self.shifts_[name] = (term.members @ rest) / (term.counts + self.damping)
            rest = rest - term.spread(self.shifts_[name])
        return self

    def predict(self, asked: ContextRatings) -> np.ndarray:
        shift = sum(Term(asked, name).spread(values) for name, values in self.shifts_.items())
        return np.clip(self.base_.unclipped(asked) + shift, *self.base_.range_)


@dataclass
class GatedBlend:
    """stars = sum over parts of g_p(context) z_p + points of each condition, with g = softmax(W [1, conditions]): Hybrid's gate, for stars.

    Learned on predictions for ratings the parts had not seen, with the loss squared error + pull x KL(uniform || gate) + ridge x |points|^2.
    """

    parts: Sequence[StarModel]
    by_pair: bool = False
    pulls: tuple[float, ...] = (0.0005, 0.005, 0.05)  # the one that serves a validation part best
    ridge: float = 0.01
    seed: int = 0

    def fit(self, known: ContextRatings) -> Self:
        self.range_ = known.stars.min(), known.stars.max()
        fold = known.folds(VALIDATION, np.random.default_rng(self.seed), self.by_pair)
        z = np.empty((len(known), len(self.parts)))
        for k in range(VALIDATION):
            learned, asked = known.where(fold != k), known.where(fold == k)
            z[fold == k] = np.stack([part.fit(learned).predict(asked) for part in self.parts], axis=1)
        self._learn(z, _design(known), known.stars, fold == 0)
        for part in self.parts:
            part.fit(known)
        return self

    def _learn(self, z: np.ndarray, x: np.ndarray, stars: np.ndarray, held: np.ndarray) -> None:
        """Weights and points, with the pull that leaves the least error on `held` (N,) when it is not learned from."""

        def error(pull: float) -> float:
            w, a = self._minimum(z[~held], x[~held], stars[~held], pull)
            return float(np.mean((_blend(z[held], x[held], w) + x[held, 1:] @ a - stars[held]) ** 2))

        self.pull_ = min(self.pulls, key=error)
        self.weights_, self.points_ = self._minimum(z, x, stars, self.pull_)

    def _minimum(self, z: np.ndarray, x: np.ndarray, stars: np.ndarray, pull: float) -> tuple[np.ndarray, np.ndarray]:
        """Weights (1 + C, P) and points (C,) of the least loss."""
        p, c = z.shape[1], x.shape[1]
        loss = lambda theta: gate_loss(theta, z, x, stars, pull, self.ridge)
        found = minimize(loss, np.zeros(c * p + c - 1), jac=True, method="L-BFGS-B").x
        return found[: c * p].reshape(c, p), found[c * p :]

    def weights(self, asked: ContextRatings) -> np.ndarray:  # (N, P)
        """The gate's shares of the parts in each row's context; they sum to 1."""
        return softmax(_design(asked) @ self.weights_, axis=1)

    def points(self, asked: ContextRatings) -> np.ndarray:  # (N,)
        """Stars that the context itself adds."""
        return _design(asked)[:, 1:] @ self.points_

    def predict(self, asked: ContextRatings) -> np.ndarray:
        z = np.stack([part.predict(asked) for part in self.parts], axis=1)
        return np.clip(_blend(z, _design(asked), self.weights_) + self.points(asked), *self.range_)


def gate_loss(theta: np.ndarray, z: np.ndarray, x: np.ndarray, stars: np.ndarray, pull: float, ridge: float) -> tuple[float, np.ndarray]:
    """The loss of GatedBlend and its gradient, at weights (1 + C, P) and points (C,) one after the other in theta."""
    (n, p), c = z.shape, x.shape[1]
    w, a = theta[: c * p].reshape(c, p), theta[c * p :]
    gate = softmax(x @ w, axis=1)
    blend = (gate * z).sum(axis=1)
    error = blend + x[:, 1:] @ a - stars
    value = np.mean(error**2) - pull * np.log(gate * p).mean() + ridge * (a**2).sum()
    logits = 2 * error[:, None] / n * gate * (z - blend[:, None]) + pull * (gate - 1 / p) / n
    return float(value), np.concatenate([(x.T @ logits).ravel(), 2 * x[:, 1:].T @ error / n + 2 * ridge * a])


def _blend(z: np.ndarray, x: np.ndarray, w: np.ndarray) -> np.ndarray:  # (N,)
    return (softmax(x @ w, axis=1) * z).sum(axis=1)


def _design(data: ContextRatings) -> np.ndarray:  # (N, 1 + C)
    """One and the conditions of each row as 0 and 1; an unknown context has none."""
    known = [data.contexts[:, [d]] == np.arange(len(values)) for d, values in enumerate(data.conditions.values())]
    return np.hstack([np.ones((len(data), 1)), *known])
