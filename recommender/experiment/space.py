"""Films as points: what the taste of the click world looks at."""

from __future__ import annotations

import numpy as np

from recommender.catalog import Catalog
from recommender.experiment.truth import Truth


def film_space(catalog: Catalog, truth: Truth) -> np.ndarray:  # (I, G + 4)
    """Each film as a point: its genres as a vector of length 1, release year, running time, fame and mean stars, each on its scale."""
    genres = catalog.genres / np.maximum(np.sqrt(catalog.genres.sum(axis=1, keepdims=True)), 1)
    known = catalog.years > 0
    years = np.where(known, catalog.years, catalog.years[known].mean() if known.any() else 0)
    facts = (
        (years - years.mean()) / truth.year_scale,
        (running_times(catalog) - 100) / truth.minutes_scale,
        truth.fame_scale * standard(np.log1p(catalog.raters)),
        truth.stars_scale * standard(shrunken(catalog, truth.prior)),
    )
    return np.column_stack([genres, *facts])


def running_times(catalog: Catalog) -> np.ndarray:  # (I,) minutes
    """Running times; where unknown, the mean of its genres' known ones, or of all."""
    known = np.isfinite(catalog.minutes)
    usual = catalog.minutes[known].mean() if known.any() else 100.0
    has = catalog.genres[known].astype(np.float64)
    by_genre = (has.T @ catalog.minutes[known] + 5 * usual) / (has.sum(axis=0) + 5)
    count = catalog.genres.sum(axis=1)
    guess = np.where(count > 0, catalog.genres @ by_genre / np.maximum(count, 1), usual)
    return np.where(known, catalog.minutes, np.rint(guess))


def shrunken(catalog: Catalog, prior: float) -> np.ndarray:  # (I,) stars
    """Mean stars above the mean of all ratings, shrunken as if `prior` more people had given that mean."""
    sums = np.nan_to_num(catalog.stars) * catalog.raters
    average = sums.sum() / catalog.raters.sum()
    return (sums + prior * average) / (catalog.raters + prior) - average


def standard(values: np.ndarray) -> np.ndarray:
    """Spreads above the mean."""
    return (values - values.mean()) / max(values.std(), 1e-12)
