"""Interleaving: credits by hand, no preference between a ranking and itself, and how many viewers it takes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kstest, ttest_1samp
from statsmodels.stats.power import tt_solve_power

from recommender.experiment.interleave import (
    NOBODY,
    Preference,
    Sensitivity,
    credited,
    draft,
    leanings,
    needed,
    preference,
    sensitivity,
    voted,
    votes,
)
from recommender.stats.effects import ratio_effect
from recommender.stats.moments import Moments


def test_a_draft_alternates_within_rounds_and_keeps_to_both_orders() -> None:
    first, second = np.tile(np.arange(8), (200, 1)), np.tile(np.arange(100, 108), (200, 1))  # nothing in common
    films, teams = draft(first, second, 6, np.random.default_rng(0))
    for row, team in zip(films, teams):
        assert row[team == 0].tolist() == [0, 1, 2]
        assert row[team == 1].tolist() == [100, 101, 102]
        assert all(set(team[i : i + 2]) == {0, 1} for i in (0, 2, 4))
    starts = int(teams[:, 0].sum())  # a fair coin: 200 x .5 within 4 standard deviations of 7.07
    assert abs(starts - 100) < 29


def test_a_short_draft_leaves_places_to_nobody_who_gets_no_credit() -> None:
    films, teams = draft(np.array([[1, 2]]), np.array([[2, 1]]), 4, np.random.default_rng(0))
    assert sorted(films[0, :2].tolist()) == [1, 2]
    assert films[0, 2:].tolist() == teams[0, 2:].tolist() == [NOBODY] * 2
    assert credited(np.zeros(1, np.int64), teams, np.ones((1, 4), bool)).sum() == 2


def test_credits_by_hand() -> None:
    # viewer 0 in two visits: clicks on teams 0 and 1, then on 1; viewer 1 none; viewer 2 twice on team 0
    viewers = np.array([0, 2, 0, 1])
    teams = np.array([[0, 1, 1], [0, 1, 0], [1, 0, 0], [0, 1, 1]])
    clicks = np.array([[1, 0, 1], [1, 0, 1], [1, 0, 0], [0, 0, 0]])
    assert credited(viewers, teams, clicks).tolist() == [[1, 2], [0, 0], [2, 0]]


def test_a_preference_by_hand() -> None:
    # shares of the second: 2/3, none, 0, 1, 1/2 -> mean of four (2/3 + 0 + 1 + 1/2) / 4
    found = preference(np.array([[1, 2], [0, 0], [2, 0], [0, 3], [1, 1]]))
    assert (found.won, found.even, found.lost, found.viewers) == (2, 1, 1, 5)
    assert found.second.estimate == pytest.approx((2 / 3 + 0 + 1 + 1 / 2) / 4)
    assert found.p_sign == 1.0  # two against one
    test = ttest_1samp([2 / 3, 0, 1, 1 / 2], 0.5)
    assert found.p == pytest.approx(test.pvalue)
    ci = test.confidence_interval()
    assert (found.second.lo, found.second.hi) == pytest.approx((max(ci.low, 0), min(ci.high, 1)))


def test_many_clicks_of_one_viewer_are_one_voice() -> None:
    few, many = np.array([[0, 1], [1, 0], [1, 0], [1, 0]]), np.array([[0, 500], [1, 0], [1, 0], [1, 0]])
    assert preference(few) == preference(many)


def test_the_two_rankings_change_places_and_so_does_the_preference() -> None:
    credits = np.random.default_rng(0).poisson((0.6, 0.9), (300, 2))
    there, back = preference(credits), preference(credits[:, ::-1])
    assert there.second.estimate == pytest.approx(1 - back.second.estimate)
    assert (there.won, there.lost) == (back.lost, back.won)
    assert (there.p, there.p_sign) == pytest.approx((back.p, back.p_sign))


def test_where_all_agree_the_sign_test_alone_decides() -> None:
    found = preference(np.array([[0, 2]] * 3))
    assert (found.second, found.p) == ((1.0, 0.0, 1.0), 0.25)  # 2 x (1/2)^3, not 0
    with pytest.raises(ValueError, match="1 viewers have a credited click"):
        preference(np.array([[0, 1], [0, 0]]))


def identical(seed: int, viewers: int = 120, k: int = 6) -> Preference:
    """A ranking against itself; every viewer clicks more at the top, and some viewers click far more than others."""
    rng = np.random.default_rng(seed)
    ranking = np.tile(np.arange(20), (viewers, 1))
    _, teams = draft(ranking, ranking, k, rng)
    eager = rng.beta(1, 2, (viewers, 1))
    return preference(credited(np.arange(viewers), teams, rng.random((viewers, k)) < eager / np.arange(1, k + 1)))


def test_no_preference_between_a_ranking_and_itself() -> None:
    found = [identical(seed) for seed in range(300)]
    assert kstest([f.p for f in found], "uniform").pvalue > 0.001
    alarms = sum(f.p < 0.05 for f in found)
    assert alarms <= 29  # binomial(300, .05): 29 or fewer in 99.9%
    assert sum(f.p_sign < 0.05 for f in found) <= 29
    assert abs(np.mean([f.second.estimate for f in found]) - 0.5) < 0.01


def test_a_better_ranking_is_preferred() -> None:
    rng, n = np.random.default_rng(1), 400
    good, bad = np.tile(np.arange(10), (n, 1)), np.tile(np.arange(10, 20), (n, 1))
    films, teams = draft(bad, good, 10, rng)
    clicks = rng.random(films.shape) < np.where(films < 10, 0.3, 0.15)
    found = preference(credited(np.arange(n), teams, clicks))
    assert found.second.lo > 0.5
    assert max(found.p, found.p_sign) < 1e-6
    assert found.won > found.lost


# -- how many viewers it takes -----------------------------------------------------------------------------------------


def arms(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shown = 10 * rng.integers(1, 5, n)
    control, treatment = (np.column_stack([rng.binomial(shown, rate), shown]) for rate in (0.10, 0.11))
    return control, treatment, rng.poisson((0.8, 1.2), (n, 2))


def once(n: int, seed: int, draws: int) -> Sensitivity:
    control, treatment, credits = arms(n, seed)
    return sensitivity(control[None], treatment[None], credits[None], draws=draws)


def test_what_a_viewer_tells_is_the_square_of_effect_over_error() -> None:
    control, treatment, credits = arms(4000)
    found = sensitivity(control[None], treatment[None], credits[None], draws=300)
    # 4,000 viewers in either arm are an A/B test of 8,000
    effect = ratio_effect(Moments.of(control), Moments.of(treatment), 0, 1)
    assert found.ab.estimate == pytest.approx((effect.absolute.estimate / effect.se) ** 2 / 8000, rel=1e-3)
    d = leanings(credits)
    assert found.interleaved.estimate == pytest.approx(float(ttest_1samp(d, 0).statistic) ** 2 / 4000, rel=1e-3)
    assert found.ratio.estimate == pytest.approx(found.interleaved.estimate / found.ab.estimate)
    assert all(part.lo < part.estimate < part.hi for part in found)


def test_repeats_make_effects_surer_and_leave_variances_as_they_are() -> None:
    control, treatment, credits = (np.stack(parts) for parts in zip(*(arms(2000, seed) for seed in range(20))))
    one, many = once(2000, 0, 400), sensitivity(control, treatment, credits, draws=400)
    truth = once(400_000, 99, draws=2)
    assert abs(many.ratio.estimate / truth.ratio.estimate - 1) < 0.25
    assert many.ratio.hi / many.ratio.lo < 0.5 * one.ratio.hi / one.ratio.lo


def test_the_interval_of_the_ratio_covers_it() -> None:
    truth = once(400_000, 99, draws=2).ratio.estimate
    covered = [lo <= truth <= hi for _, lo, hi in (once(3000, seed, draws=200).ratio for seed in range(100))]
    assert 86 <= sum(covered) <= 100  # binomial(100, .95): 86 or more in 99.97%


def test_who_does_not_click_leans_to_neither_side() -> None:
    assert leanings(np.array([[0, 0], [1, 3], [2, 0]])).tolist() == [0, 0.25, -0.5]


def test_viewers_needed_agree_with_statsmodels() -> None:
    assert needed(0.2**2) == pytest.approx(tt_solve_power(effect_size=0.2, alpha=0.05, power=0.8), rel=0.02)
    assert needed(0.0) == math.inf
    assert needed(0.04, power=0.9) > needed(0.04)


def test_nothing_to_compare_is_refused() -> None:
    same = np.tile([1.0, 10.0], (1, 5, 1))
    with pytest.raises(ValueError, match="clicks that vary and rates that differ"):
        sensitivity(same, same, np.tile([1, 0], (1, 5, 1)), draws=10)


# -- votes of real viewers ---------------------------------------------------------------------------------------------


def note(mode: str = "one", pair: tuple[str, str] = ("als", "ease"), **credits: object) -> dict:
    return {"mode": mode, "pair": list(pair), "preferred": None, "credits": credits}


def test_votes_of_a_viewer_are_added_up_and_what_is_no_draft_is_passed_over() -> None:
    stored = [
        ("ada", note(als=1, ease=2)),
        ("ada", note(als=0, ease=1)),
        ("bo", note(als=2, ease=0)),
        ("cy", note(mode="lists", als=5, ease=0)),
        ("cy", note(pair=("als", "hybrid"), als=5, hybrid=0)),
        ("di", note(als=True, ease=1)),
        ("di", {"mode": "one", "pair": ["als", "ease"]}),
        ("di", {}),
    ]
    assert votes(("ease", "als"), stored).tolist() == [[1, 3], [2, 0]]
    assert votes(("als", "sequence"), stored).shape == (0, 2)
    assert {pair: credits.tolist() for pair, credits in voted(stored).items()} == {("als", "ease"): [[1, 3], [2, 0]], ("als", "hybrid"): [[5, 0]]}
    assert (
        voted([("ada", {"mode": "one", "pair": 7}), ("ada", {"mode": "one", "pair": ["als", 2]}), ("ada", note(mode="lists", als=1, ease=0))]) == {}
    )
    with pytest.raises(ValueError, match="wanted 2 different lists"):
        votes(("als", "als"), stored)


def test_votes_that_the_app_stores_are_read() -> None:
    from recommender.compare.votes import ballot, vote_by

    asked = ballot("one", {"als": np.arange(10), "ease": np.arange(10, 20)}, seed=5)
    mine = [place for place, team in enumerate(asked.teams.tolist()) if asked.shown[team] == "ease"]
    assert votes(("als", "ease"), [("ada", vote_by(asked, mine[:2]))]).tolist() == [[0, 2]]
