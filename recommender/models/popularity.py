"""What everybody watches: the baseline to beat, and the answer for a person of whom nothing is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models.linear import damped
from recommender.types import TIMES_OF_DAY, Explanation, Query, Reason

DAY = 86_400  # seconds
MANY, AMONG_MOST = "many", ", among the most of all"  # what sentences may say of the top tenth


def unit(values: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """Values mapped so that the least among `among` (a mask) is 0 and the greatest 1."""
    chosen = values if among is None else values[among]
    low, high = chosen.min(), chosen.max()
    return (values - low) / max(high - low, 1e-12)


class Sums(NamedTuple):
    """All that Popularity learns from: sums over the ratings of each film. They may have been summed anywhere."""

    decayed: np.ndarray  # (I,) 0.5 ** (age / half_life), age counted from the newest rating of all
    stars: np.ndarray  # (I,)
    raters: np.ndarray  # (I,)
    parts_of_day: np.ndarray  # (4, I) ratings in each, where it is known
    overall: float  # mean stars of all ratings


@dataclass
class Popularity:
    """0.4 trending + 0.3 rating + 0.3 votes.

    Each is scaled to 0..1; a genre the viewer asked for adds its own points.
    """

    refits: ClassVar[bool] = True
    trending: float = 0.4
    rating: float = 0.3
    votes: float = 0.3
    half_life: float = 60.0  # days after which a vote counts half towards trending
    prior: float = 20.0  # ratings by which a film's mean is damped
    steady: float = 100.0  # ratings by which a film's mix of times of day is pulled to the usual one
    time_points: float = 2.0  # points for a film rated e times as often as usual at that time of day
    chosen_genre: float = 0.5  # points for a film of a genre the viewer asked for

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        n, items, known = interactions.n_items, interactions.items, interactions.times_of_day >= 0
        age = (interactions.times.max() - interactions.times) / DAY if len(interactions) else np.empty(0)
        of_day = np.zeros((len(TIMES_OF_DAY), n))
        np.add.at(of_day, (interactions.times_of_day[known], items[known]), 1)
        overall = interactions.ratings.mean() if len(interactions) else 3.5
        decayed = np.bincount(items, 0.5 ** (age / self.half_life), n)
        return self.of(Sums(decayed, np.bincount(items, interactions.ratings, n), interactions.raters, of_day, overall), catalog)

    def of(self, sums: Sums, catalog: Catalog) -> Self:
        """The fit from sums over ratings."""
        rating = damped(sums.stars, sums.raters, sums.overall, self.prior)
        self.parts_ = np.stack([sums.decayed, rating, sums.raters]).astype(np.float32)  # (3, I)
        self.means_ = damped(sums.stars, sums.raters, sums.overall, 1e-9).astype(np.float32)  # (I,) stars, not damped: what is said
        self.lifts_ = self._lifts(sums.parts_of_day)
        rated = sums.raters > 0
        self.tenths_ = np.quantile(self.parts_[[0, 2]][:, rated], 0.9, axis=1)  # (2,) least decayed and plain votes in the top tenth
        self.catalog = catalog
        return self

    def _lifts(self, counts: np.ndarray) -> np.ndarray:  # float32 (4, I)
        """Log of how much more often than usual a film is rated in each part of the day, of counts (4, I).

        A film's share of ratings in that part, with `steady` ratings of the usual mix added, over the share of all films.
        """
        usual = counts.sum(axis=1, keepdims=True) / max(counts.sum(), 1)
        share = (counts + self.steady * usual) / (counts.sum(axis=0) + self.steady)
        return np.log(np.maximum(share, 1e-9) / np.maximum(usual, 1e-9)).astype(np.float32)

    def lift(self, time_of_day: str | None) -> np.ndarray:  # (I,)
        """Score points of the time of day, observed; none where it is unknown."""
        return (
            np.zeros(len(self.means_)) if time_of_day is None else self.time_points * self.lifts_[TIMES_OF_DAY.index(time_of_day)].astype(np.float64)
        )

    def parts(self, among: np.ndarray | None = None) -> np.ndarray:  # (3, I)
        """Weighted points of trending, rating and votes, scaled over the films in `among`."""
        weights = (self.trending, self.rating, self.votes)
        return np.stack([w * unit(part.astype(np.float64), among) for w, part in zip(weights, self.parts_)])

    def in_genre(self, genre: str) -> np.ndarray:  # (I,)
        """Popularity scaled within one genre; films outside it get -inf."""
        among = self._members(genre)
        return np.where(among, self.parts(among).sum(axis=0), -np.inf)

    def explain_in_genre(self, genre: str, items: np.ndarray) -> list[Explanation]:
        return [Explanation.of(self._reasons(i, column)) for i, column in zip(items, self.parts(self._members(genre))[:, items].T)]

    def _members(self, genre: str) -> np.ndarray:
        return self.catalog.genres[:, self.catalog.genre(genre)]

    def score(self, queries: list[Query]) -> np.ndarray:
        base = self.parts().sum(axis=0)
        return np.stack([base + self.asked_for(q).sum(axis=0) for q in queries]).astype(np.float32)

    def asked_for(self, query: Query) -> np.ndarray:  # (number of chosen genres, I)
        """Points for the genres a viewer asked for, shared between them."""
        columns = [self.catalog.genre(name) for name in query.profile.genres]
        return self.catalog.genres[:, columns].T * (self.chosen_genre / max(len(columns), 1))

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        parts, asked = self.parts(), self.asked_for(query)
        answers = []
        for i in items:
            chosen = [Reason("genre", name, float(p)) for name, p in zip(query.profile.genres, asked[:, i]) if p]
            answers.append(Explanation.of([*self._reasons(i, parts[:, i]), *chosen]))
        return answers

    def _reasons(self, item: int, points: np.ndarray) -> list[Reason]:
        decayed, _, raters = self.parts_
        lately = f"{MANY} recent ratings" if decayed[item] >= self.tenths_[0] else "recent ratings"
        votes = f"{int(raters[item]):,} ratings{AMONG_MOST if raters[item] >= self.tenths_[1] else ''}"
        labels = (lately, f"{self.means_[item]:.1f} stars on average", votes)
        return [Reason("popularity", label, float(p)) for label, p in zip(labels, points)]
