"""Estimates with their uncertainty."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats


class Estimate(NamedTuple):
    """A mean with its 95% interval and the number of units behind it."""

    mean: float
    lo: float
    hi: float
    n: int


def bootstrap_mean(values: np.ndarray, seed: int = 0, draws: int = 2000) -> Estimate:
    """Percentile bootstrap over units. Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13."""
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        raise ValueError(f"{len(values)} values, wanted at least 2")
    result = stats.bootstrap((values,), np.mean, n_resamples=draws, method="percentile", rng=np.random.default_rng(seed), batch=200)
    return Estimate(float(values.mean()), float(result.confidence_interval.low), float(result.confidence_interval.high), len(values))
