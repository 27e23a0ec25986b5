"""Predicted stars as a sum of named terms: biases, context effects and factorisation machines from one sampler.

Shapes: N rows, L levels of a term, F factors, S sweeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from recommender.load.depaul import ContextRatings


def labels(data: ContextRatings, term: str) -> tuple[np.ndarray, int]:
    """The level of each row (N,) of a term, -1 where unknown, and the number of levels.

    Terms: user, item, a dimension, "asked" (whether a context was asked for), "situation" (all dimensions at once), and "a:b", a level a pair.
    """
    if ":" in term:
        (a, n), (b, m) = (labels(data, part) for part in term.split(":"))
        return np.where((a >= 0) & (b >= 0), a * m + b, -1), n * m
    if term == "situation":
        sizes = [len(values) + 1 for values in data.conditions.values()]
        return np.where(data.asked, np.ravel_multi_index((data.contexts + 1).T, sizes), -1), int(np.prod(sizes))
    if term == "asked":
        return data.asked.astype(np.int64), 2
    simple = {"user": (data.users, data.n_users), "item": (data.items, data.n_items)}
    simple |= {name: (data.contexts[:, d], len(values)) for d, (name, values) in enumerate(data.conditions.items())}
    if term not in simple:
        raise ValueError(f"term is {term!r}, wanted one of asked, situation, {', '.join(simple)}, or two of them with a colon between")
    return simple[term]


class Term:
    """The rows of one term: a (L, N) matrix of ones sums what its levels hold; rows of unknown level fall out."""

    def __init__(self, data: ContextRatings, name: str) -> None:
        label, size = labels(data, name)
        rows = np.flatnonzero(label >= 0)
        self.label, self.known = np.maximum(label, 0), label >= 0
        self.members = sparse.csr_array((np.ones(len(rows)), (label[rows], rows)), shape=(size, len(label)))
        self.counts = np.asarray(self.members.sum(axis=1)).ravel()
        self.used = self.counts > 0

    def spread(self, values: np.ndarray) -> np.ndarray:  # (N, ...)
        """The value of each row's level, 0 where it is unknown."""
        return values[self.label] * self.known.reshape(-1, *[1] * (values.ndim - 1))


@dataclass
class Factorisation:
    """stars = m + sum of effects_t[level of t] + sum over pairs of `vectors` of <v_s, v_t>: a factorisation machine over named terms.

    With vectors of user and item alone it is biased matrix factorisation, without vectors a mixed model. Gibbs sampling with normal priors
    whose precisions, one a term and factor, are drawn too, so that each term is shrunk as far as the ratings ask for.
    Sources: Rendle, "Factorization Machines", ICDM 2010, and "with libFM", ACM TIST 3(3), 2012, section 3.3.
    """

    effects: tuple[str, ...] = ("user", "item")
    vectors: tuple[str, ...] = ()
    factors: int = 4
    sweeps: int = 80
    burn: int = 30  # first sweeps, not kept
    seed: int = 0

    def fit(self, known: ContextRatings) -> Self:
        self.range_ = known.stars.min(), known.stars.max()
        chain = _Chain(self, known)
        kept = []
        for sweep in range(self.sweeps):
            chain.step()
            if sweep >= self.burn:
                kept.append(chain.state())
        means, effects, vectors = zip(*kept)
        self.mean_ = float(np.mean(means))
        self.effects_ = {name: np.mean([e[name] for e in effects], axis=0) for name in self.effects}
        self.vectors_ = {name: np.stack([v[name] for v in vectors]) for name in self.vectors}  # (S, L, F)
        return self

    def unclipped(self, asked: ContextRatings) -> np.ndarray:  # (N,)
        """Expected stars, which may lie outside the scale."""
        found = np.full(len(asked), self.mean_)
        for name in self.effects:
            found += Term(asked, name).spread(self.effects_[name])
        if self.vectors:
            terms = {name: Term(asked, name) for name in self.vectors}
            found += np.mean([_pairs([terms[n].spread(self.vectors_[n][s]) for n in self.vectors]) for s in range(self.sweeps - self.burn)], axis=0)
        return found

    def predict(self, asked: ContextRatings) -> np.ndarray:
        return np.clip(self.unclipped(asked), *self.range_)


def _pairs(spread: list[np.ndarray]) -> np.ndarray:  # (N,)
    """sum_{s<t} <v_s, v_t> = (|sum_t v_t|^2 - sum_t |v_t|^2) / 2, of (N, F) each."""
    return ((np.sum(spread, axis=0) ** 2).sum(axis=1) - sum((v**2).sum(axis=1) for v in spread)) / 2


class _Chain:
    """The state of the sampler; `error` (N,) is stars less what the state predicts."""

    def __init__(self, model: Factorisation, known: ContextRatings) -> None:
        self.model, self.rng = model, np.random.default_rng(model.seed)
        self.terms = {name: Term(known, name) for name in {*model.effects, *model.vectors}}
        self.mean, self.noise = float(known.stars.mean()), 1.0
        self.effects = {name: np.zeros(len(self.terms[name].counts)) for name in model.effects}
        self.vectors = {name: 0.1 * self.rng.standard_normal((len(self.terms[name].counts), model.factors)) for name in model.vectors}
        self.tightness = dict.fromkeys(model.effects, 4.0)
        self.tightness_of_vectors = {name: np.full(model.factors, 10.0) for name in model.vectors}
        self.spread = {name: self.terms[name].spread(v) for name, v in self.vectors.items()}  # (N, F) each
        self.error = known.stars - self.mean
        if model.vectors:
            self.error = self.error - _pairs([*self.spread.values()])

    def state(self) -> tuple[float, dict[str, np.ndarray], dict[str, np.ndarray]]:
        return self.mean, {**self.effects}, {**self.vectors}

    def step(self) -> None:
        """One sweep: noise, mean, effects, vectors, each with its precision."""
        n = len(self.error)
        self.noise = self.rng.gamma(1 + n / 2) / (1 + (self.error**2).sum() / 2)
        shift = self.error.mean() + self.rng.standard_normal() / np.sqrt(self.noise * n)
        self.mean, self.error = self.mean + shift, self.error - shift
        for name in self.model.effects:
            self._draw_effect(name)
        for name in self.model.vectors:
            self._draw_vectors(name)

    def _draw_effect(self, name: str) -> None:
        term = self.terms[name]
        self.error += term.spread(self.effects[name])
        total = self.tightness[name] + self.noise * term.counts
        drawn = self.noise * (term.members @ self.error) / total + self.rng.standard_normal(len(total)) / np.sqrt(total)
        self.effects[name] = drawn * term.used
        self.tightness[name] = self.rng.gamma(1 + term.used.sum() / 2) / (0.02 + (self.effects[name] ** 2).sum() / 2)
        self.error -= term.spread(self.effects[name])

    def _draw_vectors(self, name: str) -> None:
        """v_l ~ N(A^-1 b, A^-1), A = precision + noise sum x x', b = noise sum x rest, with x the sum of the other terms' vectors."""
        term, k = self.terms[name], self.model.factors
        x = np.sum([v for n, v in self.spread.items() if n != name], axis=0)  # (N, F)
        self.error += np.einsum("nf,nf->n", x, self.spread[name])
        outer = np.einsum("nf,ng->nfg", x, x).reshape(len(x), -1)
        a = self.noise * (term.members @ outer).reshape(-1, k, k) + np.diag(self.tightness_of_vectors[name])
        b = self.noise * (term.members @ (x * self.error[:, None]))
        root = np.linalg.cholesky(np.linalg.inv(a))
        drawn = np.linalg.solve(a, b[:, :, None]) + root @ self.rng.standard_normal((len(a), k, 1))
        self.vectors[name] = drawn[:, :, 0] * term.used[:, None]
        self.spread[name] = term.spread(self.vectors[name])
        squares = (self.vectors[name] ** 2).sum(axis=0)
        self.tightness_of_vectors[name] = self.rng.gamma(1 + term.used.sum() / 2, size=k) / (0.1 + squares / 2)
        self.error -= np.einsum("nf,nf->n", x, self.spread[name])
