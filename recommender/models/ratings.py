"""Biased matrix factorisation in PyTorch: the stars a viewer would give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models.linear import Additive
from recommender.models.loop import Loop
from recommender.types import Explanation, Query, Reason

CUTS = (0, 1, 2, 3, 5, 8, 12, 20, 35, 60, 1000)  # ratings known, when the penalties are chosen and the chance of four stars is learned
ON_BIAS, ON_FACTORS = (1.0, 2.0, 4.0, 6.0, 8.0, 12.0), (2.0, 4.0, 6.0, 8.0, 12.0, 16.0)  # penalties tried
Asked = list[tuple[np.ndarray, np.ndarray]]  # for each viewer: items and the stars they really got


def examination(interactions: Interactions, users: np.ndarray, rng: np.random.Generator) -> tuple[list[Query], Asked]:
    """For each user: what is known of them (a random four fifths of their ratings) and what is asked (the rest)."""
    known, asked = [], []
    for user in users:
        profile = interactions.profile(user)
        seen = rng.random(len(profile)) < 0.8
        known.append(Query(profile.keep(seen)))
        asked.append((profile.items[~seen], profile.ratings[~seen]))
    return known, asked


def shortened(known: list[Query], rng: np.random.Generator) -> list[list[Query]]:
    """For each length of CUTS the same viewers, known by so many of their ratings drawn at random, or by all where they have fewer."""
    return [[Query(q.profile.keep(rng.permutation(len(q.profile)) < length)) for q in known] for length in CUTS]


class Factorisation(nn.Module):
    """stars(u, i) = mu + b_u + b_i + p_u . q_i"""

    def __init__(self, n_users: int, n_items: int, factors: int, mean: float) -> None:
        super().__init__()
        self.mean = mean
        self.users, self.items = nn.Embedding(n_users, factors), nn.Embedding(n_items, factors)
        self.user_bias, self.item_bias = nn.Embedding(n_users, 1), nn.Embedding(n_items, 1)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=0.05)
        for table in (self.user_bias, self.item_bias):
            nn.init.zeros_(table.weight)

    def forward(self, user: torch.Tensor, item: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Stars (B,) and the squared size of the parameters behind each (B,)."""
        p, q, b, c = self.users(user), self.items(item), self.user_bias(user).squeeze(1), self.item_bias(item).squeeze(1)
        return self.mean + b + c + (p * q).sum(dim=1), (p**2).sum(dim=1) + (q**2).sum(dim=1) + b**2 + c**2


@dataclass
class Ratings(Additive):
    """Biased matrix factorisation of stars, with fold-in.

    Item factors and biases from mini-batch Adam on MSE + L2; any viewer is folded in by ridge regression.

    The average viewer is part of the averages, so that nothing but what a viewer said moves their stars. Early stopping is
    decided on viewers left out of training, folded in from four fifths of their ratings; the two ridge penalties on the same
    viewers with histories of every length: validated as it is served. Source: Koren, Bell & Volinsky, "Matrix Factorization
    Techniques for Recommender Systems", IEEE Computer 42(8), 2009.
    """

    factors: int = 64
    l2: float = 0.05
    rate: float = 1e-3  # of Adam
    batch: int = 2048
    epochs: int = 40
    patience: int = 3
    held_out: float = 0.05  # share of viewers
    seed: int = 0

    def fit(self, interactions: Interactions, catalog: Catalog, checkpoint=None) -> Self:
        torch.manual_seed(self.seed)
        rng = np.random.default_rng(self.seed)
        candidates = np.flatnonzero(interactions.lengths >= 5)
        examined = rng.choice(candidates, round(self.held_out * len(candidates)), replace=False)
        train = interactions.where(~np.isin(interactions.users, examined))
        known, asked = examination(interactions, examined, rng)
        histories, members = shortened(known, rng), np.unique(train.users)
        self.raters_ = train.raters.astype(np.int64)
        network = Factorisation(interactions.n_users, interactions.n_items, self.factors, float(train.ratings.mean()))
        columns = [torch.tensor(c) for c in (train.users.astype(np.int64), train.items.astype(np.int64), train.ratings.astype(np.float32))]

        def batches():
            for rows in torch.randperm(len(train)).split(self.batch):
                yield [c[rows] for c in columns]

        def loss(user: torch.Tensor, item: torch.Tensor, stars: torch.Tensor) -> torch.Tensor:
            guess, size = network(user, item)
            return ((guess - stars) ** 2 + self.l2 * size).mean()

        def error() -> float:
            self._take(network, members)
            return self.rmse(known, asked) if known else 0.0

        self.penalties_ = np.array([6.0, 6.0], np.float32)
        self.training = Loop("ratings", self.rate, self.epochs, self.patience, checkpoint).run(network, batches, loss, error)
        self._take(network, members)
        self.catalog = catalog
        if known:
            self._tune(histories, asked)
        self.calibration_ = self._calibrate(histories, asked)
        return self

    def _take(self, network: Factorisation, members: np.ndarray) -> None:
        """The films, with the mean bias and the mean factors of the users trained on (n,) in the averages: mu + mean b_u, b_i + mean p_u . q_i."""
        weight = lambda table: table.weight.detach().numpy().copy()
        self.factors_ = weight(network.items)
        self.mean_ = np.array([network.mean + weight(network.user_bias)[members].mean()], np.float32)
        self.bias_ = weight(network.item_bias)[:, 0] + self.factors_ @ weight(network.users)[members].mean(axis=0)
        cold = self.raters_ == 0
        self.factors_[cold], self.bias_[cold] = 0, 0

    def _answers(self, known: list[Query], asked: Asked) -> tuple[np.ndarray, np.ndarray]:
        guesses = [self._stars(q)[items] for q, (items, _) in zip(known, asked)]
        return np.concatenate(guesses), np.concatenate([stars for _, stars in asked])

    def rmse(self, known: list[Query], asked: Asked) -> float:
        """Root mean squared error in stars, guesses clipped to the scale."""
        guess, truth = self._answers(known, asked)
        return float(np.sqrt(np.mean((np.clip(guess, 0.5, 5) - truth) ** 2)))

    def _tune(self, histories: list[list[Query]], asked: Asked) -> None:
        """The ridge penalties: on the factors what errs least with whole histories, which tell most of them, then on the bias what errs least at all
        lengths together."""

        def error(bias: float, factors: float, lengths: list[list[Query]]) -> float:
            self.penalties_ = np.array([bias, factors], np.float32)
            return sum(self.rmse(known, asked) ** 2 for known in lengths)

        factors = min(ON_FACTORS, key=lambda f: min(error(bias, f, histories[-1:]) for bias in ON_BIAS))
        bias = min(ON_BIAS, key=lambda b: error(b, factors, histories))
        self.penalties_ = np.array([bias, factors], np.float32)

    def _calibrate(self, histories: list[list[Query]], asked: Asked) -> np.ndarray:  # (4,)
        """Log-odds of four stars or more, linear in `_evidence`; learned with histories of lengths from 0 on, as newcomers have."""
        truth = [stars >= 4 for _, stars in asked]
        if not truth or len(np.unique(np.concatenate(truth))) < 2:
            return np.array([2.0, 0.0, 0.0, 0.0])
        rows = [self._evidence(self._stars(q)[items], len(q.profile)) for known in histories for q, (items, _) in zip(known, asked)]
        line = LogisticRegression(C=100.0).fit(np.concatenate(rows), np.concatenate(truth * len(histories)))
        return np.array([*line.coef_[0], line.intercept_[0]])

    def _evidence(self, stars: np.ndarray, length: int) -> np.ndarray:  # (n, 3)
        """Predicted stars over the mean; the same, and a constant, as far as the history is short."""
        over, short = stars - self.mean_[0], 1 / (1 + length / 5)
        return np.stack([over, over * short, np.full(len(over), short)], axis=1)

    def design(self, items: np.ndarray) -> np.ndarray:  # (n, 1 + F)
        """What the viewer's bias and factors are multiplied with for the stars of each film."""
        return np.hstack([np.ones((len(items), 1)), self.factors_[items].astype(np.float64)])

    def precision(self, items: np.ndarray) -> np.ndarray:  # (1 + F, 1 + F)
        """A = F'F + penalties of a viewer who rated these films, F their design: the posterior covariance of bias and factors is s^2 A^-1."""
        f = self.design(items)
        penalty = np.full(f.shape[1], float(self.penalties_[1]))
        penalty[0] = self.penalties_[0]
        return f.T @ f + np.diag(penalty)

    def _ridge(self, query: Query) -> tuple[np.ndarray, np.ndarray]:
        """A (1 + F, 1 + F) and the terms of each film (n, 1 + F): the viewer's bias and factors are A^-1 sum(terms)."""
        items = query.profile.items
        residual = query.profile.ratings - self.mean_[0] - self.bias_[items]
        return self.precision(items), self.design(items) * residual[:, None]

    def _stars(self, query: Query) -> np.ndarray:  # (I,)
        base = self.mean_[0] + self.bias_
        if not len(query.profile):
            return base
        a, terms = self._ridge(query)
        viewer = np.linalg.solve(a, terms.sum(axis=0)).astype(np.float32)
        return base + viewer[0] + self.factors_ @ viewer[1:]

    def score(self, queries: list[Query]) -> np.ndarray:
        """Predicted stars, not clipped, so that the reasons can sum to them."""
        return np.stack([self._stars(q) for q in queries]).astype(np.float32)

    def contributions(self, query: Query, items: np.ndarray) -> np.ndarray:
        a, terms = self._ridge(query)
        return terms @ np.linalg.solve(a, self.design(items).T)

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        """Reasons from the viewer's films, and the film's own average, which is in every score."""
        base = self.mean_[0] + self.bias_[items]
        films = super().explain(query, items)
        return [Explanation.of([*e.reasons, Reason("popularity", "average stars", float(b))]) for e, b in zip(films, base)]

    def chance(self, stars: np.ndarray, length: int) -> np.ndarray:
        """Estimated chance that a viewer of `length` ratings, if they rate the film, gives four stars or more."""
        return 1 / (1 + np.exp(-(self._evidence(stars, length) @ self.calibration_[:3] + self.calibration_[3])))
