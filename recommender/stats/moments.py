"""Number, means and covariances of units: enough for every mean, ratio and covariate, and they add up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Moments:
    """n units measured in M columns. Parts of a whole are added, in any order: `sum(parts, Moments.empty(M))`.

    Source of the sum: Chan, Golub & LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979.
    """

    n: int
    mean: np.ndarray  # (M,), 0 where n is 0
    cov: np.ndarray  # (M, M) over n - 1, 0 where n is below 2

    @classmethod
    def of(cls, values: np.ndarray) -> Moments:
        """Moments of values (n, M), a row a unit. Raises ValueError where values have another shape or are not finite."""
        v = np.asarray(values, np.float64)
        if v.ndim != 2:
            raise ValueError(f"values have shape {v.shape}, wanted (n, M): a row a unit, a column a measure")
        if not np.isfinite(v).all():
            columns = np.flatnonzero(~np.isfinite(v).all(axis=0)).tolist()
            raise ValueError(f"{(~np.isfinite(v)).sum()} of {v.size} values are not finite, in columns {columns}; wanted finite values")
        if not len(v):
            return cls.empty(v.shape[1])
        beyond = v - v[0]  # so that a column without spread has a variance of exactly 0
        shift = beyond.mean(axis=0)
        beyond -= shift
        return cls(len(v), v[0] + shift, beyond.T @ beyond / max(len(v) - 1, 1))

    @classmethod
    def empty(cls, columns: int) -> Moments:
        """Of nobody: added to others it changes nothing."""
        return cls(0, np.zeros(columns), np.zeros((columns, columns)))

    def __add__(self, other: Moments) -> Moments:
        """Moments of the units of both. Raises ValueError where their columns are not as many.

        With d = mean_b - mean_a:  mean = mean_a + d n_b / n,  (n - 1) cov = (n_a - 1) cov_a + (n_b - 1) cov_b + d d' n_a n_b / n
        """
        if len(self.mean) != len(other.mean):
            raise ValueError(f"moments of {len(self.mean)} and of {len(other.mean)} columns, wanted as many in both")
        if not self.n * other.n:
            return self if self.n else other
        n, apart = self.n + other.n, other.mean - self.mean
        within = (self.n - 1) * self.cov + (other.n - 1) * other.cov
        between = np.outer(apart, apart) * (self.n * other.n / n)
        return Moments(n, self.mean + apart * (other.n / n), (within + between) / (n - 1))

    def var(self, column: int) -> float:
        """Variance of a column, over n - 1."""
        return float(self.cov[column, column])
