"""Effects made sharper by what was known of each unit before the experiment began.

Source: Deng, Xu, Kohavi & Walker, Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data, WSDM 2013,
section 3.2 (control variates, one or several) and appendix B (ratios, as metric and as covariate).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recommender.stats.effects import Effect, gradient, mean_effect, quadratic, ratio_effect, welch
from recommender.stats.moments import Moments

SINGULAR = 1e-9  # covariates that others make up to this share of their variance tell nothing more


class Cuped(NamedTuple):
    """An effect after adjustment and before it.

    rho is the multiple correlation, 0 to 1, of the metric with its covariates over the units of both arms; with large arms the variance of
    the effect falls by rho^2. saved is by how much it fell: 1 - adjusted / plain.
    """

    effect: Effect
    plain: Effect
    rho: float
    saved: float


def cuped(
    control: Moments,
    treatment: Moments,
    numerator: int,
    denominator: int | None,
    covariates: Sequence[int | tuple[int, int]],
    level: float = 0.95,
) -> Cuped:
    """Effect on the mean of a column, or on a ratio of two, adjusted by covariates: columns, or pairs of them whose ratio it is.

    A covariate must stand before the experiment begins, else a part of the effect goes with it. An arm's adjusted value is what it would show
    had its covariates been those of both arms together: y_arm - theta' (x_arm - x),  theta = Cov(x)+ Cov(x, y) over the n units of both. That
    draws the effect towards 0 by 1 / (n - 1) of it. Raises ValueError without a covariate, and as gradient does.
    """
    if not len(covariates):
        raise ValueError("0 covariates, wanted at least 1")
    measures = [(numerator, denominator), *(c if isinstance(c, tuple) else (c, None) for c in covariates)]
    whole = control + treatment
    middle, slopes = _linear(whole, measures)
    cov = slopes @ whole.cov @ slopes.T  # of the metric and the covariates, a unit
    theta = _least_squares(cov[1:, 1:], cov[1:, 0], np.array([quadratic(slope, whole.cov) for slope in slopes[1:]]))
    weights = np.concatenate([[1.0], -theta])
    values, variances = zip(*(_adjusted(m, measures, weights, middle) for m in (control, treatment)))
    effect = welch(values, variances, (control.n, treatment.n), level)
    if denominator is None:
        plain = mean_effect(control, treatment, numerator, level)
    else:
        plain = ratio_effect(control, treatment, numerator, denominator, level)
    if not plain.se:
        return Cuped(effect, plain, 0.0, 0.0)
    explained = min(max(float(theta @ cov[1:, 0] / cov[0, 0]), 0.0), 1.0)
    return Cuped(effect, plain, math.sqrt(explained), 1 - (effect.se / plain.se) ** 2)


def _linear(m: Moments, measures: list) -> tuple[np.ndarray, np.ndarray]:
    """Values (1 + C,) of the metric and its C covariates, and their derivatives (1 + C, M) by the means."""
    values, slopes = zip(*(gradient(m, *measure) for measure in measures))
    return np.array(values), np.array(slopes)


def _adjusted(m: Moments, measures: list, weights: np.ndarray, middle: np.ndarray) -> tuple[float, float]:
    """An arm's adjusted value and its variance."""
    values, slopes = _linear(m, measures)
    return float(middle[0] + weights @ (values - middle)), quadratic(weights @ slopes, m.cov) / m.n


def _least_squares(cov: np.ndarray, with_metric: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """theta (C,), over covariates brought to one scale; 0 for one without variance, shared where covariates say the same."""
    scale = np.sqrt(variances)
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    return inverse * (np.linalg.pinv(inverse[:, None] * cov * inverse, rcond=SINGULAR, hermitian=True) @ (inverse * with_metric))
