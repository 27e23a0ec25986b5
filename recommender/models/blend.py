"""Predicted stars from two views: a Bayesian factorisation and the viewer's stars for similar films, the nearest in time counting most."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import Ridge

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models.bayes import Bayes, Biases
from recommender.models.occasions import Occasions


@dataclass
class FilmNeighbours:
    """What a viewer's other stars say, as residuals of the damped means, weighted by squared similarity of the films.

    Similarity is the correlation of residuals over common raters, shrunk by n / (n + shrink), negative ones left out
    (Koren, "Factor in the Neighbors", TKDD 4(1), 2010, section 2.2). The same again with weights that fall with the
    number of the viewer's ratings in between.
    """

    shrink: float = 40.0  # common raters
    nearest: int = 15  # films
    reaches: tuple[float, ...] = (4.0, 60.0)  # ratings in between over which a weight falls e-fold
    damping: float = 0.05  # of the sum of weights

    def fit(self, interactions: Interactions, catalog: Catalog | None, checkpoint: Path | None = None) -> Self:
        self.known_, self.biases_ = interactions, Biases().fit(interactions, catalog)
        self.residuals_ = (interactions.ratings - self.biases_.predict(interactions)).astype(np.float32)
        rest, rated = interactions.matrix(self.residuals_).toarray(), interactions.matrix().toarray()
        common, power = rated.T @ rated, (rest**2).T @ rated  # (I, I): raters of both; squares of the row's film over them
        size = np.sqrt(power * power.T)
        self.similarity_ = np.divide(rest.T @ rest, size, out=np.zeros_like(size), where=size > 1e-5) * common / (common + self.shrink)
        np.fill_diagonal(self.similarity_, 0)
        return self

    def views(self, asked: Interactions) -> np.ndarray:  # (N, 4 + reaches)
        """Both biases, and residuals expected by the nearest films, by all films, and by films at each reach; asked.ratings is not read."""
        place = np.searchsorted(Occasions.key(self.known_), Occasions.key(asked))
        out = np.empty((len(asked), 4 + len(self.reaches)))
        out[:, 0], out[:, 1] = self.biases_.user_[asked.users], self.biases_.item_[asked.items]
        for user in np.unique(asked.users):
            mine, theirs = asked.rows(user), self.known_.rows(user)
            between = np.abs(place[mine, None] - 0.5 - np.arange(theirs.start, theirs.stop))
            weight = np.maximum(self.similarity_[np.ix_(asked.items[mine], self.known_.items[theirs])], 0) ** 2
            kinds = [self._nearest(weight), weight, *(weight * np.exp(-between / reach) for reach in self.reaches)]
            for k, w in enumerate(kinds, start=2):
                out[mine, k] = w @ self.residuals_[theirs] / (w.sum(axis=1) + self.damping)
        return out

    def _nearest(self, weight: np.ndarray) -> np.ndarray:
        if weight.shape[1] <= self.nearest:
            return weight
        return np.where(weight >= np.partition(weight, -self.nearest, axis=1)[:, [-self.nearest]], weight, 0)


@dataclass
class Blend:
    """Bayes plus a ridge regression of its error on what film neighbours say, learned on a held-out share of the known ratings.

    Both are then fitted again on all of them (stacking: Breiman, Machine Learning 24, 1996).
    """

    bayes: Bayes = field(default_factory=Bayes)
    neighbours: FilmNeighbours = field(default_factory=FilmNeighbours)
    held_out: float = 0.1
    ridge: float = 100.0
    seed: int = 0

    def fit(self, interactions: Interactions, catalog: Catalog | None, checkpoint: Path | None = None) -> Self:
        weights = checkpoint.with_stem(f"{checkpoint.stem}-weights") if checkpoint else None
        self.range_ = interactions.ratings.min(), interactions.ratings.max()
        if weights and weights.exists():
            self.weights_ = load_file(weights)["weights"]
        else:
            held = np.random.default_rng(self.seed).random(len(interactions)) < self.held_out
            self._fit(interactions.where(~held), catalog, checkpoint)
            asked = interactions.where(held)
            views = self._views(asked)
            line = Ridge(self.ridge).fit(views, asked.ratings - views[:, 0])
            self.weights_ = np.array([line.intercept_, *line.coef_])
            if weights:
                save_file({"weights": self.weights_}, weights)
        self._fit(interactions, catalog, checkpoint)
        if weights:
            weights.unlink()
        return self

    def _fit(self, known: Interactions, catalog: Catalog | None, checkpoint: Path | None) -> None:
        self.bayes.fit(known, catalog, checkpoint)
        self.neighbours.fit(known, catalog)

    def _views(self, asked: Interactions) -> np.ndarray:  # (N, 1 + views), the first Bayes' stars
        return np.column_stack([self.bayes.predict(asked), self.neighbours.views(asked)])

    def predict(self, asked: Interactions) -> np.ndarray:  # (N,)
        """Stars for each row; asked.ratings is not read."""
        views = self._views(asked)
        return np.clip(views[:, 0] + self.weights_[0] + views @ self.weights_[1:], *self.range_)
