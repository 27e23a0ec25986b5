"""Which film to ask about next: the one whose stars, as far as the viewer is likely to know it, settle most of what is open about their taste.

The Ratings model folds a viewer in by ridge regression, a Gaussian posterior of their bias and factors with covariance s^2 A^-1, where s^2 is
the variance of stars about the model. The variance of what it predicts for a film with design row f is s^2 f' A^-1 f, whatever the stars were.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.models.atlas import Atlas
from recommender.models.ratings import Ratings
from recommender.rank import mask, top

PICK = 0.5  # points that a group gives to films where a person picks it, as in the study of interviews
LIFT = 0.5  # log-odds that a viewer knows a film for each spread of its closeness to the nearest of the groups they picked


@dataclass(frozen=True)
class Question:
    """A film to ask about: the share of what is open that its stars would settle, and the chance that the viewer knows it."""

    item: int
    settles: float
    known: float

    @property
    def expected(self) -> float:
        """Share of what is open that asking is expected to settle."""
        return self.settles * self.known


@dataclass
class Interview:
    """What is open about a viewer's taste: the variance of their predicted stars, averaged over films by how many people rate them.

    Source of the criterion: A-optimal design, Pukelsheim, Optimal Design of Experiments, 1993, chapter 6.
    """

    ratings: Ratings
    atlas: Atlas

    @cached_property
    def design(self) -> np.ndarray:  # (I, 1 + F)
        """The design row of every film."""
        return self.ratings.design(np.arange(len(self.ratings.raters_)))

    @cached_property
    def matters(self) -> np.ndarray:  # (1 + F, 1 + F)
        """F' W F, W the share of each film in all ratings: the average variance of predicted stars is s^2 trace(F' W F A^-1)."""
        shares = self.ratings.raters_ / self.ratings.raters_.sum()
        return self.design.T @ (shares[:, None] * self.design)

    def open(self, items: np.ndarray) -> float:
        """Average variance of the predicted stars of somebody who rated these films, in units of s^2."""
        return float(np.trace(np.linalg.solve(self.ratings.precision(items), self.matters)))

    def progress(self, items: np.ndarray) -> float:
        """Share of what is open about somebody who rated nothing that the stars of these films have settled, 0 to 1."""
        return 1 - self.open(items) / self.open(np.empty(0, np.int64))

    def gains(self, covariance: np.ndarray) -> np.ndarray:  # (I,)
        """By how much one more rating of each film lowers the average variance.

        S' = S - S f f' S / (1 + f' S f) (Sherman & Morrison), so trace(M S) - trace(M S') = f' S M S f / (1 + f' S f).
        """
        f, through = self.design, self.design @ covariance
        return np.einsum("if,fg,ig->i", through, self.matters, through, optimize=True) / (1 + (through * f).sum(axis=1))

    def chances(self, picked: Collection[int] = ()) -> np.ndarray:  # (I,)
        """The chance that a viewer knows each film: the share of people who rated it, and with odds raised near the groups they picked."""
        share = self.atlas.raters_ / self.atlas.people_[0]
        if not picked:
            return share
        near = np.maximum(np.max([self.atlas.closeness(g) for g in picked], axis=0), 0)
        odds = share / (1 - share) * np.exp(LIFT * near)
        return odds / (1 + odds)

    def questions(
        self, items: np.ndarray, allowed: np.ndarray, asked: Collection[int] = (), k: int = 1, picked: Collection[int] = ()
    ) -> tuple[Question, ...]:
        """The k films to ask next of somebody who rated `items` (n,), best first: of allowed (I,) bool, not rated and not yet asked about.

        picked: groups of the atlas that they chose. Each film is chosen as if those before it were answered, so that they do not repeat each other.
        """
        may = allowed & self.atlas.known & (self.ratings.raters_ > 0)
        may[items] = False
        may[list(asked)] = False
        known, found = self.chances(picked), []
        covariance = np.linalg.inv(self.ratings.precision(items))
        for _ in range(k):
            settles = self.gains(covariance) / np.trace(self.matters @ covariance)
            best = top(mask(settles * known, ~may), 1)
            if not len(best):
                break
            item = int(best[0])
            found.append(Question(item, float(settles[item]), float(known[item])))
            may[item] = False
            through = covariance @ self.design[item]
            covariance -= np.outer(through, through) / (1 + self.design[item] @ through)
        return tuple(found)
