"""Who takes part in an evaluation: every model with the settings it was given for it. The only list of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, Self

import numpy as np

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models.baselines import Chance, MostWatched
from recommender.models.bayes import Bayes, Biases
from recommender.models.blend import Blend
from recommender.models.factors import ALS, PureSVD
from recommender.models.filler import Filler
from recommender.models.mixture import Mixture
from recommender.models.neighbours import EASE, ItemKNN
from recommender.models.ranking_blend import RankingBlend
from recommender.models.ratings import Ratings
from recommender.models.sequence import Sequence
from recommender.types import Query, Recommender

EVERYONE = 1_000_000
STABLE = ("stable order",)


class Candidate(NamedTuple):
    """A model under test. make: seed -> a model not yet fitted; trained: it starts at random, so several seeds tell its spread;
    variants: forms of the protocol it takes part in, all where None."""

    label: str
    family: str
    make: Callable[[int], Recommender]
    protocols: tuple[str, ...] = ("P1", "P2", "P4")
    trained: bool = False
    uses_time: bool = False
    note: str = ""
    variants: tuple[str, ...] | None = None


def _sequence(*knows: str, epochs: int = 32) -> Callable[[int], Sequence]:
    """The paper-grade Transformer: every viewer's last film of the training rows decides when to stop."""
    return lambda seed: Sequence(
        knows=knows,
        width=128,
        layers=2,
        length=200,
        dropout=0.25,
        rate=2e-3,
        epochs=epochs,
        average=0.995,
        cosine=True,
        examined=EVERYONE,
        seed=seed,
    )


def _filler(seed: int) -> Filler:
    return Filler(knows=("stars", "moment"), width=128, length=200, dropout=0.25, rate=2e-3, epochs=16, average=0.995, cosine=True, seed=seed)


def _linear() -> tuple[Recommender, ...]:
    return EASE(neighbours=EVERYONE, fade=5.0), EASE(neighbours=EVERYONE)


RANKERS: dict[str, Candidate] = {
    "chance": Candidate("Chance", "baseline", Chance),
    "popularity": Candidate("Popularity", "baseline", lambda seed: MostWatched()),
    "popularity_30d": Candidate("Popularity of the last 30 days", "baseline", lambda seed: MostWatched(days=30), uses_time=True),
    "item_knn": Candidate("Item neighbours", "collaborative", lambda seed: ItemKNN()),
    "ease": Candidate("EASE", "collaborative", lambda seed: EASE(neighbours=EVERYONE)),
    "ease_recent": Candidate("EASE, recent films first", "collaborative", lambda seed: EASE(neighbours=EVERYONE, fade=5.0), ("P1", "P4")),
    "pure_svd": Candidate("PureSVD", "collaborative", lambda seed: PureSVD(seed=seed)),
    "als": Candidate("ALS", "collaborative", lambda seed: ALS(factors=128, alpha=10.0, reg=100.0, seed=seed)),
    "ranking_blend": Candidate("EASE, user neighbours and gaps", "hybrid", lambda seed: RankingBlend(), ("P2",)),
    "gap_mixture": Candidate(
        "Mixture: gap Transformer, EASE, neighbours",
        "hybrid",
        lambda seed: Mixture((_filler(seed), RankingBlend(), EASE(neighbours=EVERYONE)), share=0.05, asked=6000, seed=seed),
        ("P2",),
        trained=True,
    ),
    "sequence": Candidate("Transformer", "sequential", _sequence("stars"), ("P1",), trained=True, variants=STABLE),
    "sequence_time": Candidate(
        "Transformer, knows the moment", "sequential", _sequence("stars", "moment"), ("P1",), trained=True, uses_time=True, variants=STABLE
    ),
    "sequence_time_16": Candidate(
        "Transformer, knows the moment, 16 epochs", "sequential", _sequence("stars", "moment", epochs=16), ("P4",), trained=True, uses_time=True
    ),
    "mixture": Candidate(
        "Mixture: Transformer, EASE",
        "hybrid",
        lambda seed: Mixture((_sequence("stars")(seed), *_linear()), seed=seed),
        ("P1",),
        trained=True,
        variants=STABLE,
    ),
    "mixture_time": Candidate(
        "Mixture that knows the moment",
        "hybrid",
        lambda seed: Mixture((_sequence("stars", "moment")(seed), *_linear(), MostWatched(days=30)), seed=seed),
        ("P1",),
        trained=True,
        uses_time=True,
        variants=STABLE,
    ),
    "mixture_time_16": Candidate(
        "Mixture that knows the moment, 16 epochs",
        "hybrid",
        lambda seed: Mixture((_sequence("stars", "moment", epochs=16)(seed), *_linear(), MostWatched(days=30)), seed=seed),
        ("P4",),
        trained=True,
        uses_time=True,
    ),
    "mixture_future": Candidate(
        "Mixture for all to come",
        "hybrid",
        lambda seed: Mixture((EASE(neighbours=EVERYONE), EASE(neighbours=EVERYONE, fade=20.0), ALS(seed=seed), MostWatched(days=30)), future=0.1),
        ("P4",),
        uses_time=True,
        note="weights learned on the last tenth of the training time",
    ),
}

ALWAYS = ("chance", "popularity", "popularity_30d", "item_knn", "ease")  # in every table of rankings
BASELINES = (*ALWAYS, "ease_recent")  # the best of them is what every model is compared with


class Rater(Protocol):
    """A model of stars. It may know users by number, so it is asked with rows of the same data set."""

    def fit(self, interactions: Interactions, catalog: Catalog, checkpoint: Path | None = None) -> Self: ...

    def predict(self, asked: Interactions) -> np.ndarray:
        """Stars (N,) for each row; asked.ratings is not read."""
        ...


@dataclass
class Folded:
    """The served model of stars, which knows nobody: each user is folded in from the ratings it was trained on."""

    model: Ratings

    def fit(self, interactions: Interactions, catalog: Catalog, checkpoint: Path | None = None) -> Self:
        self.model, self.train = self.model.fit(interactions, catalog, checkpoint), interactions
        return self

    def predict(self, asked: Interactions) -> np.ndarray:
        """Stars (N,) for each row, one query a user."""
        stars = np.empty(len(asked))
        for user in np.unique(asked.users).tolist():
            rows = asked.rows(user)
            stars[rows] = self.model.score([Query(self.train.profile(user))])[0, asked.items[rows]]
        return stars


class RaterCandidate(NamedTuple):
    """A model of stars under test; fields as in Candidate."""

    label: str
    family: str
    make: Callable[[int], Rater]
    uses_time: bool = False
    note: str = ""


def _bayes(seed: int) -> Bayes:
    return Bayes(sweeps=150, seed=seed)


RATERS: dict[str, RaterCandidate] = {
    "biases": RaterCandidate("User and film means", "baseline", lambda seed: Biases()),
    "ratings": RaterCandidate("Matrix factorisation, folded in", "collaborative", lambda seed: Folded(Ratings(seed=seed)), note="the served model"),
    "bayes": RaterCandidate("Bayesian factorisation", "collaborative", _bayes, uses_time=True, note="knows when each rating was given"),
    "bayes_blend": RaterCandidate(
        "Bayesian factorisation and film neighbours", "hybrid", lambda seed: Blend(_bayes(seed), seed=seed), uses_time=True, note="a blend"
    ),
}
