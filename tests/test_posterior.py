"""What to believe of an effect: against Monte Carlo, against the p value, and worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recommender.stats.bayes import (
    Normal,
    Share,
    chance_to_beat,
    credible,
    expected_loss,
    posterior,
    share_chance_to_beat,
    share_expected_loss,
)
from recommender.stats.effects import Effect, mean_effect
from recommender.stats.moments import Moments

DRAWS = 1_000_000


def effect(estimate: float, se: float) -> Effect:
    around = mean_effect(Moments.of(np.array([[0.0], [2.0]])), Moments.of(np.array([[0.0], [2.0]])))
    return around._replace(absolute=around.absolute._replace(estimate=estimate), se=se)


# -- effects -----------------------------------------------------------------------------------------------------------


def test_a_flat_prior_leaves_what_the_data_say() -> None:
    rng = np.random.default_rng(0)
    found = mean_effect(*(Moments.of(rng.normal(mean, 1, (800, 1))) for mean in (0, 0.1)))
    assert posterior(found) == (found.absolute.estimate, found.se)
    assert 2 * (1 - chance_to_beat(found)) == pytest.approx(found.p, abs=1e-3)  # p of Student's t, some 1,600 degrees of freedom
    assert credible(found)[1:] == pytest.approx(found.absolute[1:], rel=2e-2)


def test_a_prior_as_sure_as_the_data_meets_them_half_way() -> None:
    # precisions 1 / 0.4 ** 2 each: the mean is half-way, the variance half
    found = posterior(effect(1.0, 0.4), Normal(0.0, 0.4))
    assert found == pytest.approx((0.5, 0.4 / math.sqrt(2)))


def test_the_posterior_is_that_of_the_densities_multiplied() -> None:
    x = np.linspace(-8, 8, 20_001)
    density = stats.norm.pdf(0.7, x, 0.5) * stats.norm.pdf(x, -0.2, 1.1)
    density /= density.sum()
    mean, sd = posterior(effect(0.7, 0.5), Normal(-0.2, 1.1))
    assert (mean, sd) == pytest.approx((density @ x, math.sqrt(density @ x**2 - (density @ x) ** 2)), abs=1e-6)


@pytest.mark.parametrize("estimate, se", [(0.3, 1.0), (-0.5, 0.4), (2.0, 0.3), (0.0, 1.0)])
@pytest.mark.parametrize("prior", [None, Normal(0.1, 0.7)])
def test_chance_and_losses_are_those_of_draws_from_the_posterior(estimate: float, se: float, prior: Normal | None) -> None:
    found = effect(estimate, se)
    drawn = np.random.default_rng(1).normal(*posterior(found, prior), DRAWS)
    assert chance_to_beat(found, prior) == pytest.approx((drawn > 0).mean(), abs=0.002)
    loss = expected_loss(found, prior)
    assert loss.ship == pytest.approx(np.maximum(-drawn, 0).mean(), abs=0.003)
    assert loss.keep == pytest.approx(np.maximum(drawn, 0).mean(), abs=0.003)
    assert credible(found, prior, 0.9)[1:] == pytest.approx(np.quantile(drawn, [0.05, 0.95]), abs=0.01)


@given(estimate=st.floats(-50, 50), se=st.floats(0.01, 10))
def test_what_one_decision_gains_on_the_other_is_the_mean(estimate: float, se: float) -> None:
    loss, turned = expected_loss(effect(estimate, se)), expected_loss(effect(-estimate, se))
    assert loss.keep - loss.ship == pytest.approx(estimate, abs=1e-9)
    assert min(loss) >= 0
    assert loss == pytest.approx((turned.keep, turned.ship), abs=1e-9)
    assert chance_to_beat(effect(estimate, se)) + chance_to_beat(effect(-estimate, se)) == pytest.approx(1)


def test_where_nothing_varies() -> None:
    assert [chance_to_beat(effect(x, 0.0)) for x in (-1.0, 0.0, 2.0)] == [0, 0.5, 1]
    assert [tuple(expected_loss(effect(x, 0.0))) for x in (-1.0, 0.0, 2.0)] == [(1, 0), (0, 0), (0, 2)]
    assert posterior(effect(1.0, 0.0), Normal(0, 1)) == (1, 0)


# -- shares of units ---------------------------------------------------------------------------------------------------

ARMS = [
    (Share(12, 100), Share(18, 100)),
    (Share(0, 20), Share(0, 20)),
    (Share(500, 10_000), Share(3, 40)),  # one posterior far narrower than the other
    (Share(39, 40), Share(40, 40)),
    (Share(2, 3000), Share(2990, 3000)),
    (Share(5000, 1_000_000), Share(5100, 1_000_000)),
]


@pytest.mark.parametrize("control, treatment", ARMS)
@pytest.mark.parametrize("prior", [(1.0, 1.0), (0.5, 0.5), (2.0, 30.0)])
def test_shares_against_draws(control: Share, treatment: Share, prior: tuple[float, float]) -> None:
    rng = np.random.default_rng(2)
    c, t = (rng.beta(prior[0] + arm.hits, prior[1] + arm.n - arm.hits, DRAWS) for arm in (control, treatment))
    assert share_chance_to_beat(control, treatment, prior) == pytest.approx((t > c).mean(), abs=0.002)
    loss, spread = share_expected_loss(control, treatment, prior), 5 * (t - c).std() / math.sqrt(DRAWS)
    assert loss.ship == pytest.approx(np.maximum(c - t, 0).mean(), abs=spread)
    assert loss.keep == pytest.approx(np.maximum(t - c, 0).mean(), abs=spread)


def test_small_shares_by_hand() -> None:
    # Beta(2, 1) against Beta(1, 1): P(t > c) = integral of 2 t * t = 2/3;  E max(c - t, 0) = integral of t^2 (1 - t) = 1/12
    assert share_chance_to_beat(Share(0, 0), Share(1, 1)) == pytest.approx(2 / 3)
    assert share_expected_loss(Share(0, 0), Share(1, 1)) == pytest.approx((1 / 12, 1 / 12 + 2 / 3 - 1 / 2))


@given(a=st.integers(0, 60), b=st.integers(0, 60))
def test_two_shares_exchanged_are_exchanged(a: int, b: int) -> None:
    control, treatment = Share(a, 60), Share(b, 60)
    assert share_chance_to_beat(control, treatment) + share_chance_to_beat(treatment, control) == pytest.approx(1)
    loss = share_expected_loss(control, treatment)
    assert loss == pytest.approx(share_expected_loss(treatment, control)[::-1])
    assert loss.keep - loss.ship == pytest.approx((b - a) / 62)  # the posterior means are (hits + 1) / 62


# -- what cannot be ----------------------------------------------------------------------------------------------------


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(ValueError, match=r"prior's sd == 0.0, must be above 0"):
        posterior(effect(1.0, 1.0), Normal(0.0, 0.0))
    with pytest.raises(ValueError, match="11 hits of 10 units, must be within 0 and 10"):
        share_chance_to_beat(Share(11, 10), Share(1, 10))
    with pytest.raises(ValueError, match=r"Beta\(0, 1\), both numbers must be above 0"):
        share_expected_loss(Share(1, 10), Share(1, 10), (0, 1))
