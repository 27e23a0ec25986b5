"""Quantiles with intervals from the places of ordered values: no distribution is assumed."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom


def quantile(values: np.ndarray, share: float) -> tuple[float, float, float]:
    """The quantile of values (n,) and its 95% interval from order statistics, whatever the distribution; nan where too few values bound it.

    The number of values below the true quantile is binomial: its middle 95% names the places of the bounds. That takes the values as independent
    of each other; where one slow answer delays those behind it they are not, and the interval is too short. Source: David & Nagaraja, Order
    Statistics, 3rd ed. 2003, section 7.1.
    """
    ordered = np.sort(np.asarray(values, float))
    n = len(ordered)
    low, high = int(binom.ppf(0.025, n, share)), int(binom.ppf(0.975, n, share)) + 1  # places from 1
    inside = low >= 1 and high <= n
    return float(np.quantile(ordered, share)), float(ordered[low - 1]) if inside else np.nan, float(ordered[high - 1]) if inside else np.nan
