"""Moments of parts are the moments of the whole, however it was parted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommender.stats.moments import Moments

values = hnp.arrays(np.float64, st.tuples(st.integers(0, 12), st.just(3)), elements=st.floats(-1e3, 1e3))


def near(a: Moments, b: Moments) -> bool:
    return a.n == b.n and np.allclose(a.mean, b.mean, atol=1e-9) and np.allclose(a.cov, b.cov, atol=1e-6)


def test_moments_by_hand() -> None:
    # means 2 and 5; deviations -1 0 1 and -3 -1 4: variances 2 / 2 and 26 / 2, covariance (3 + 0 + 4) / 2
    m = Moments.of(np.array([[1, 2], [2, 4], [3, 9]]))
    assert m.n == 3
    assert m.mean.tolist() == [2, 5]
    assert m.cov.tolist() == [[1, 3.5], [3.5, 13]]
    assert m.var(1) == 13


def test_a_sum_by_hand() -> None:
    # 0 and 2, then 7: mean 3, deviations -3 -1 4, variance 26 / 2; within 2, between (7 - 1)^2 * 2 * 1 / 3 = 24
    whole = Moments.of(np.array([[0.0], [2]])) + Moments.of(np.array([[7.0]]))
    assert (whole.n, whole.mean[0], whole.var(0)) == (3, 3, 13)


@effort(max_examples=200)
@given(values)
def test_moments_are_those_of_numpy(v: np.ndarray) -> None:
    m = Moments.of(v)
    assert m.n == len(v)
    np.testing.assert_allclose(m.mean, v.mean(axis=0) if len(v) else np.zeros(3), atol=1e-9)
    np.testing.assert_allclose(m.cov, np.cov(v, rowvar=False) if len(v) > 1 else np.zeros((3, 3)), atol=1e-6)


@effort(max_examples=200)
@given(values, values, values)
def test_a_sum_is_of_all_units_in_any_order(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    first, second, third = (Moments.of(v) for v in (a, b, c))
    whole = Moments.of(np.concatenate([a, b, c]))
    assert near(sum([first, second, third], Moments.empty(3)), whole)
    assert near(first + (second + third), whole)
    assert near(third + first + second, whole)


def test_nobody_adds_nothing() -> None:
    some, nobody = Moments.of(np.array([[1.0, 5], [2, 3]])), Moments.empty(2)
    for m in (some + nobody, nobody + some):
        assert m.n == 2
        assert np.array_equal(m.mean, some.mean)
        assert np.array_equal(m.cov, some.cov)
    assert (nobody + nobody).n == 0
    assert near(Moments.of(np.empty((0, 2))), nobody)


def test_small_spreads_far_from_0_are_kept() -> None:
    v = np.random.default_rng(0).normal(0, 1e-3, (1000, 2)) + 1e8
    exact = np.cov(v - 1e8, rowvar=False)
    np.testing.assert_allclose(Moments.of(v).cov, exact, rtol=1e-6)
    np.testing.assert_allclose(sum((Moments.of(part) for part in np.split(v, 10)), Moments.empty(2)).cov, exact, rtol=1e-4)


def test_no_spread_is_exactly_none() -> None:
    for n in (3, 7, 10):  # the mean of seven times 0.1 is not 0.1 in floating point
        m = Moments.of(np.full((n, 1), 0.1))
        assert (m.mean[0], m.var(0)) == (0.1, 0)
    assert (m + Moments.of(np.full((4, 1), 0.1))).var(0) == 0


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match=r"values have shape \(3,\), wanted \(n, M\)"):
        Moments.of(np.ones(3))
    with pytest.raises(ValueError, match=r"2 of 6 values are not finite, in columns \[1\]"):
        Moments.of(np.array([[1, np.nan], [2, np.inf], [3, 4]]))
    with pytest.raises(ValueError, match="moments of 1 and of 2 columns"):
        Moments.empty(1) + Moments.empty(2)
