"""What a film is made of: genres, people, certificate and the words of its plot; and a learned way from there to taste."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize
from torch import nn

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models.factors import ALS
from recommender.models.linear import ItemItem, block, damped_means, strongest
from recommender.models.loop import Loop
from recommender.models.popularity import unit
from recommender.types import CERTIFICATES, Explanation, Query, Reason

GENRE_WEIGHT = 2.0


def features(catalog: Catalog, terms: int) -> sparse.csr_array:
    """(I, G + people + certificates + terms), not normalised: genres multi-hot with weight 2, people and certificates
    multi-hot, TF-IDF of overview and plot with unit length. The words behind the term columns are forgotten."""
    genres = sparse.csr_array(catalog.genres.astype(np.float32) * GENRE_WEIGHT)
    people = catalog.linking_people
    person_rows = np.concatenate([np.array(catalog.people[p]) for p in people]) if people else np.empty(0, int)
    person_columns = np.repeat(np.arange(len(people)), [len(catalog.people[p]) for p in people])
    cast = sparse.csr_array((np.ones(len(person_rows), np.float32), (person_rows, person_columns)), shape=(len(catalog), len(people)))
    certificates = sparse.csr_array(np.array([[c == name for name in CERTIFICATES] for c in catalog.certificates], np.float32))
    return sparse.hstack([genres, cast, certificates, _terms(catalog, terms)], format="csr", dtype=np.float32)


def _terms(catalog: Catalog, terms: int) -> sparse.csr_array:
    if not any(catalog.text):
        return sparse.csr_array((len(catalog), 0), dtype=np.float32)
    vectorizer = TfidfVectorizer(max_features=terms, min_df=2, stop_words="english", sublinear_tf=True, dtype=np.float32)
    return sparse.csr_array(vectorizer.fit_transform(catalog.text))


@dataclass
class Content(ItemItem):
    """Likeness of genres, people, certificate and plot, and quality.

    score_i = sum_j w_j cos(i, j) / sqrt(n) + quality, with cosines under the floor cut off, and n the sum of |w|.

    Quality is damped rating x log(votes), scaled to 0..1. A cosine splits exactly into shared genres, shared people and
    the rest (certificate and plot), and so do the reasons.
    """

    refits: ClassVar[bool] = True
    terms: int = 3000
    floor: float = 0.3
    neighbours: int = 100
    quality: float = 0.2  # points of the best film

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        self.features_ = normalize(features(catalog, self.terms))
        cosine = (self.features_ @ self.features_.T).toarray()
        cosine[cosine < self.floor] = 0
        np.fill_diagonal(cosine, 0)
        self.weights_ = strongest(cosine, self.neighbours)
        self.quality_ = unit(damped_means(interactions) * np.log1p(interactions.raters)).astype(np.float32)
        self.catalog = catalog
        return self

    def score(self, queries: list[Query]) -> np.ndarray:
        return self._scaled(self._sums(queries), [q.profile.weights for q in queries])

    def less(self, query: Query, films: Sequence[int]) -> np.ndarray:
        profile = query.profile
        return self._scaled(self._sums_less(query, films), [profile.weights[profile.items != film] for film in films])

    def _scaled(self, sums: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:  # float32 (B, I)
        scale = np.array([_length(w) for w in weights]).astype(np.float32)
        return np.asarray(sums / scale[:, None] + self.quality * self.quality_, np.float32)

    def person_points(self, query: Query, person: str) -> np.ndarray:  # (I,)
        """What one shared person alone adds to the likeness of each film to the viewer's films, before the floor."""
        column, profile = self._person(person), query.profile
        return column * (profile.weights @ column[profile.items]) / _length(profile.weights)

    def due_to(self, query: Query, person: str) -> np.ndarray:  # (I,)
        """What one person is worth in the score of each film, as `explain` gives it: only through likenesses that pass the floor. 0 for somebody
        of fewer than two films, who links nothing."""
        if person not in self.catalog.linking_people:
            return np.zeros(len(self.quality_))
        column, profile = self._person(person), query.profile
        theirs = np.flatnonzero(column[profile.items])  # places in the profile
        linked = (self.weights_[profile.items[theirs]] > 0).astype(np.float64)  # (n of theirs, I)
        return column * (linked.T @ (profile.weights[theirs] * column[profile.items[theirs]])) / _length(profile.weights)

    def _person(self, person: str) -> np.ndarray:  # (I,)
        """The feature of one person in each film: only in theirs, so that no other is looked at."""
        films, at = list(self.catalog.people[person]), len(self.catalog.genre_names) + self.catalog.linking_people.index(person)
        column = np.zeros(len(self.quality_))
        column[films] = self.features_[films][:, [at]].toarray().ravel()
        return column

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        items = np.asarray(items)
        profile = query.profile
        if not len(profile):
            return [Explanation.of([self._merit(i)]) for i in items]
        linked = block(self.weights_, profile.items, items) > 0  # (n, K)
        share = linked * profile.weights[:, None] / _length(profile.weights)
        named, of = self.catalog.named_features, self.features_[items]
        told = np.unique(of.indices)  # features of these films (F,): those with names first
        mine, theirs = (block(self.features_, films, told).astype(np.float64) for films in (profile.items, items))  # (n, F), (K, F)
        first = int(np.searchsorted(told, len(named)))
        shared = (share.T @ mine[:, :first]) * theirs[:, :first]  # (K, named features)
        rest = (mine[:, first:] @ theirs[:, first:].T) * share  # (n, K)
        answers = []
        for k, item in enumerate(items):
            reasons = [Reason(named[told[c]][0], named[told[c]][1], float(shared[k, c])) for c in np.flatnonzero(shared[k])]
            reasons += [Reason("film", int(profile.items[j]), float(rest[j, k])) for j in np.flatnonzero(rest[:, k])]
            answers.append(Explanation.of([*reasons, self._merit(item)]))
        return answers

    def _merit(self, item: int) -> Reason:
        return Reason("popularity", "quality", self.quality * float(self.quality_[item]))


def _length(weights: np.ndarray) -> float:
    """By what the likeness to all films of a profile is divided: the root of how loud they speak together, for or against, 1 at least."""
    return np.sqrt(max(np.abs(weights).sum(), 1))


class Placement(nn.Module):
    """Film features -> a place among the films that people rated."""

    def __init__(self, inputs: int, hidden: int, factors: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(0.3), nn.Linear(inputs, hidden), nn.GELU(), nn.Dropout(0.3), nn.Linear(hidden, factors))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


@dataclass
class Encoder(ALS):
    """ALS with film factors encoded from content, so that unrated films have a place.

    The encoder (MLP) is trained to give the ALS factors of rated films; every film is then represented by its encoding,
    and viewers are folded in as in ALS. Source: Gantner et al., "Learning Attribute-to-Feature Mappings", ICDM 2010.
    """

    factors: int = 64
    terms: int = 3000
    hidden: int = 256
    epochs: int = 200
    patience: int = 15
    rate: float = 1e-3

    def fit(self, interactions: Interactions, catalog: Catalog, checkpoint=None) -> Self:
        super().fit(interactions, catalog)
        torch.manual_seed(self.seed)
        x = torch.from_numpy(normalize(features(catalog, self.terms)).toarray())
        scale = float(self.factors_[interactions.raters > 0].std())
        y = torch.from_numpy(self.factors_ / scale)
        rated = torch.from_numpy(np.flatnonzero(interactions.raters > 0))
        rated = rated[torch.randperm(len(rated))]
        examined, learned = rated[: len(rated) // 10], rated[len(rated) // 10 :]
        network = Placement(x.shape[1], self.hidden, self.factors)

        def batches():
            for rows in learned[torch.randperm(len(learned))].split(256):
                yield [x[rows], y[rows]]

        loss = lambda a, b: ((network(a) - b) ** 2).mean()
        error = lambda: float(loss(x[examined], y[examined]))
        self.training = Loop("encoder", self.rate, self.epochs, self.patience, checkpoint).run(network, batches, loss, error)
        with torch.inference_mode():
            self.factors_ = (network(x) * scale).numpy().copy()
        self.gram_ = self.factors_.astype(np.float64).T @ self.factors_
        return self
