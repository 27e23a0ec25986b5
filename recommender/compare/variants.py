"""One model with something moved, without training the others: a new object each time, the shared models stay as they are."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from scipy import sparse

from recommender.interactions import Interactions
from recommender.models.factors import PureSVD
from recommender.models.neighbours import EASE, ItemKNN, UserKNN
from recommender.types import Recommender

M = TypeVar("M")
TUNED = {"item_knn": "neighbours", "pure_svd": "factors", "ease": "penalty"}  # model -> what of it can be moved


@dataclass(frozen=True)
class Tuning:
    """What is moved on one list; None is as trained and as served.

    adventure: -1 (what everybody knows) to 1, as in Preferences; variety: 0 (plain top k) to 1, see rank.diversify; both instead of what the viewer
    set. neighbours: of item_knn, the strongest of those kept; factors: of pure_svd, the first; penalty: lambda of ease, which is fitted again.
    """

    adventure: float | None = None
    variety: float | None = None
    neighbours: int | None = None
    factors: int | None = None
    penalty: float | None = None

    def __post_init__(self) -> None:
        for name, low, high in (("adventure", -1, 1), ("variety", 0, 1)):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name} is {value}, must be within {low} and {high}")
        for name in ("neighbours", "factors", "penalty"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} is {value}, must be above 0")

    @property
    def moved(self) -> dict[str, float]:
        """What differs from as it was, by name."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}


AS_IS = Tuning()


def of(model: M, **changed: object) -> M:
    """A copy of a fitted model, sharing what it learned, with some attributes replaced."""
    variant = copy.copy(model)
    for name, value in changed.items():
        setattr(variant, name, value)
    return variant


def fewer_neighbours(model: ItemKNN, n: int) -> ItemKNN:
    """Each film keeps the n strongest of the neighbours it has; ties by number."""
    if n < 1:
        raise ValueError(f"neighbours == {n}, must be >= 1")
    weights = model.weights_.tocoo()
    order = np.lexsort((weights.row, -np.abs(weights.data), weights.col))
    columns = weights.col[order]
    place = np.arange(len(columns)) - np.searchsorted(columns, columns)
    kept = order[place < n]
    cut = sparse.csr_array((weights.data[kept], (weights.row[kept], weights.col[kept])), shape=weights.shape)
    return of(model, weights_=cut, neighbours=min(n, model.neighbours))


def fewer_factors(model: PureSVD, f: int) -> PureSVD:
    """The first f factors, those of the largest singular values: what a fit with f factors would have found."""
    if f < 1:
        raise ValueError(f"factors == {f}, must be >= 1")
    return of(model, factors_=np.ascontiguousarray(model.factors_[:, :f]), factors=min(f, model.factors))


def without_viewer(model: UserKNN, row: int) -> UserKNN:
    """The neighbours without one viewer of the data set, by row: their own ratings tell the model nothing of them."""
    raters = model.raters_
    data = np.where(raters.indices == row, np.float32(0), raters.data)
    return of(model, raters_=sparse.csr_array((data, raters.indices, raters.indptr), shape=raters.shape))


def refitted(model: EASE, interactions: Interactions, penalty: float, min_raters: int) -> tuple[EASE, float]:
    """EASE fitted again on the same films with another lambda, and the seconds it took."""
    started = time.perf_counter()
    fitted = EASE(penalty, model.neighbours, model.fade).fit(interactions.supported(min_raters), model.catalog)
    return fitted, time.perf_counter() - started


def tuned(model: Recommender, tuning: Tuning, refit: Recommender | None = None) -> Recommender:
    """The model with what concerns it moved, itself where nothing does. refit: EASE as fitted with the penalty asked for.

    Raises LookupError where another penalty is asked for and no such fit is given.
    """
    if isinstance(model, ItemKNN) and tuning.neighbours is not None:
        return fewer_neighbours(model, tuning.neighbours)
    if isinstance(model, PureSVD) and tuning.factors is not None:
        return fewer_factors(model, tuning.factors)
    if isinstance(model, EASE) and tuning.penalty not in (None, model.penalty):
        if not isinstance(refit, EASE) or refit.penalty != tuning.penalty:
            raise LookupError(f"EASE with lambda {tuning.penalty:g} is not fitted; it needs the data set")
        return refit
    return model
