"""The click world: its taste, its contexts, its clicks and its visitors, each by the law that defines it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

import numpy as np
import pytest
from clickfilms import GENRES, films
from scipy import stats

from recommender.experiment.space import film_space, running_times, shrunken
from recommender.experiment.truth import DEVICE_SHARE, TIME_SHARE, Truth
from recommender.experiment.world import CONTEXTS, NOWHERE, World, hashed_normal
from recommender.types import Context

CATALOG = films()
WORLD = World.make(CATALOG, 300, dose=1.0, seed=4)
EVERYBODY, EVERYWHERE = np.arange(len(WORLD)), np.arange(len(CONTEXTS))
MOBILE = CONTEXTS.index(Context("afternoon", "mobile"))
SURE = 4.5  # standard errors


def drawn(world: World, n: int, seed: int = 0, k: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Viewers, contexts and lists of different films."""
    rng = np.random.default_rng(seed)
    lists = rng.random((n, len(world.catalog))).argsort(axis=1)[:, :k]
    return rng.integers(len(world), size=n), rng.integers(len(CONTEXTS), size=n), lists


# -- who they are ------------------------------------------------------------------------------------------------------


def test_a_seed_is_a_world_and_the_dose_leaves_the_people_as_they_are() -> None:
    again, other, stronger = (World.make(CATALOG, 300, dose, seed) for dose, seed in ((1.0, 4), (1.0, 5), (2.0, 4)))
    for f in fields(World):
        mine = getattr(WORLD, f.name)
        if isinstance(mine, np.ndarray):
            np.testing.assert_array_equal(getattr(again, f.name), mine)
            np.testing.assert_array_equal(getattr(stronger, f.name), mine)
            assert (getattr(other, f.name) != mine).any()
    mine, theirs = WORLD.histories(10**9, np.arange(5)), stronger.histories(10**9)
    for a, b in zip(mine, theirs):
        np.testing.assert_array_equal(a.items, b.items)
        np.testing.assert_array_equal(a.ratings, b.ratings)


def test_what_one_feels_about_a_film_is_the_same_whenever_asked_and_normal() -> None:
    a, b = np.meshgrid(np.arange(400), np.arange(500), indexing="ij")
    feels = hashed_normal(7, a, b)
    np.testing.assert_array_equal(hashed_normal(7, a[13:14, 40:50], b[13:14, 40:50]), feels[13:14, 40:50])
    assert stats.kstest(feels.ravel(), "norm").pvalue > 1e-3
    for other in (hashed_normal(8, a, b), np.roll(feels, 1, axis=0), np.roll(feels, 1, axis=1), hashed_normal(7, b + 1000, a)):
        assert abs(np.corrcoef(feels.ravel(), other.ravel())[0, 1]) < SURE / np.sqrt(feels.size)


def test_the_shares_of_viewers_are_those_of_the_truth() -> None:
    many = World.make(CATALOG, 4000, seed=1)
    points = np.isfinite(1 / (1 + many.apart)).sum(axis=1) - np.isinf(many.apart).sum(axis=1)
    assert stats.chisquare(np.bincount(points, minlength=4)[1:], 4000 * np.array(many.truth.ideals)).pvalue > 1e-3
    assert stats.binomtest(int((many.response == 0).sum()), 4000, many.truth.unmoved).pvalue > 1e-3
    np.testing.assert_allclose(many.response[many.response > 0].mean(), 1, atol=SURE * 0.5 / np.sqrt(2800))
    base = np.outer(TIME_SHARE, np.ones(4)) * np.array(DEVICE_SHARE)
    np.testing.assert_allclose(base.sum(), 1)
    np.testing.assert_allclose(many.habits.mean(axis=0), base.ravel(), atol=0.03)


# -- taste -------------------------------------------------------------------------------------------------------------


def test_a_film_at_an_ideal_point_is_liked_most_and_farther_ones_less() -> None:
    exact = World.make(CATALOG, 200, seed=2, truth=Truth(near=0.0))
    for viewer in range(200):
        own = exact.ideals[viewer][exact.apart[viewer] == 0]
        distance = np.sqrt(((exact.space[:, None] - own) ** 2).sum(axis=2)).min(axis=1)
        peak = exact.peak(np.array([viewer]), np.array([NOWHERE]))[0]
        np.testing.assert_allclose(peak, np.exp(-(distance**2) / (2 * exact.widths[viewer] ** 2)), atol=1e-12)
        assert peak[distance.argmin()] == pytest.approx(1, abs=1e-6)
        assert (np.diff(peak[np.argsort(distance)]) <= 1e-12).all()


def test_films_of_a_list_and_all_films_are_liked_alike() -> None:
    viewers, contexts, lists = drawn(WORLD, 50)
    everything = WORLD.liking(viewers, contexts)
    np.testing.assert_allclose(WORLD.liking(viewers, contexts, lists), np.take_along_axis(everything, lists, axis=1), atol=1e-12)


def test_liking_is_quality_taste_and_what_nobody_knows() -> None:
    t = WORLD.truth
    liking = WORLD.liking(EVERYBODY, np.full(300, NOWHERE))
    known = t.quality * WORLD.quality + t.taste * (WORLD.peak(EVERYBODY, np.full(300, NOWHERE)) - t.neutral)
    own = (liking - known) / t.own
    assert own.std() == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(own, WORLD.own(EVERYBODY))


def test_where_films_lie() -> None:
    space = film_space(CATALOG, Truth())
    np.testing.assert_allclose(np.linalg.norm(space[:, :6], axis=1), CATALOG.genres.any(axis=1))  # however many genres
    assert (CATALOG.genres.sum(axis=1) > 1).any()
    np.testing.assert_allclose(np.linalg.norm(space[0] - space[1]), np.sqrt(2))  # twins but for their genre
    known = np.isfinite(CATALOG.minutes)
    np.testing.assert_array_equal(running_times(CATALOG)[known], CATALOG.minutes[known])
    assert np.isfinite(space).all()
    # 3 raters of 5 stars and 1 of 1 star: mean of all 4; with 2 more at that mean (15 + 8) / 5 = 4.6 and (1 + 8) / 3 = 3
    two = replace(films(8), stars=np.array([5.0, 1.0, *[np.nan] * 6]), raters=np.array([3, 1, *[0] * 6]))
    np.testing.assert_allclose(shrunken(two, 2), [0.6, -1.0, *[0] * 6])


# -- context -----------------------------------------------------------------------------------------------------------


def test_at_dose_nothing_context_moves_nothing_at_all() -> None:
    none = replace(WORLD, dose=0.0)
    _, _, lists = drawn(WORLD, 300)
    calm, moved = none.chances(EVERYBODY, np.full(300, NOWHERE), lists), 0
    for context in EVERYWHERE:
        there = np.full(300, context)
        for mine, theirs in zip(none.chances(EVERYBODY, there, lists), calm):
            np.testing.assert_array_equal(mine, theirs)
        moved += sum((mine != theirs).any() for mine, theirs in zip(WORLD.chances(EVERYBODY, there, lists), calm))
    assert moved > 5 * len(EVERYWHERE) - 5


def test_a_genre_gains_the_log_odds_of_the_rule_times_dose_and_response() -> None:
    """log peak of a comedy less that of its twin without a genre, on mobile less nowhere: dose x response x (0.8 + 0.4 in the afternoon)."""
    double = replace(WORLD, dose=2.0)
    one = np.flatnonzero(np.isinf(WORLD.apart).sum(axis=1) == 2)
    pair = np.tile([GENRES.index("Comedy"), 6], (len(one), 1))
    gain = [np.log(double.peak(one, np.full(len(one), c), pair)) @ [1, -1] for c in (MOBILE, NOWHERE)]
    np.testing.assert_allclose(gain[0] - gain[1], 2 * double.response[one] * 1.2, atol=1e-9)
    assert (double.response[one] == 0).any()


def test_whom_context_does_not_move_likes_what_they_like_everywhere() -> None:
    still = np.flatnonzero(WORLD.response == 0)
    nowhere = WORLD.liking(still, np.full(len(still), NOWHERE))
    for context in EVERYWHERE:
        np.testing.assert_array_equal(WORLD.liking(still, np.full(len(still), context)), nowhere)


def test_a_film_longer_than_there_is_time_is_begun_and_finished_less() -> None:
    still = np.flatnonzero(WORLD.response == 0)
    long = np.full((len(still), 1), int(np.nanargmax(CATALOG.minutes)))  # on mobile in the afternoon there is one hour
    hours = (CATALOG.minutes[long[0, 0]] - 60) / 60
    there, nowhere = (WORLD.chances(still, np.full(len(still), c), long) for c in (MOBILE, NOWHERE))
    for mine, theirs in ((there.click, nowhere.click), (there.satisfied, nowhere.satisfied)):
        np.testing.assert_allclose(np.log(mine / (1 - mine)) - np.log(theirs / (1 - theirs)), -0.8 * hours)
    np.testing.assert_array_equal(there.stars, nowhere.stars)


# -- clicks ------------------------------------------------------------------------------------------------------------


def test_films_alike_are_clicked_less_the_further_down_by_the_closed_form() -> None:
    n, k = 60_000, 6
    viewers, contexts, lists = np.full(n, 3), np.full(n, MOBILE), np.full((n, k), 9)
    c = WORLD.chances(viewers[:1], contexts[:1], lists[:1])
    a, s, g = c.click[0, 0], c.satisfied[0, 0], WORLD.truth.patience[0]
    law = a * (g * (1 - a * s)) ** np.arange(k)
    np.testing.assert_allclose(WORLD.expected_click(viewers[:1], contexts[:1], lists[:1]).places[0], law)
    clicked = WORLD.visit(viewers, contexts, lists, np.random.default_rng(0)).clicked.mean(axis=0)
    assert (np.abs(clicked - law) < SURE * np.sqrt(law * (1 - law) / n)).all()
    assert (np.diff(clicked) < 0).all()


def test_expected_clicks_are_the_mean_of_simulated_ones() -> None:
    viewers, contexts, lists = drawn(WORLD, 40)
    many = np.repeat(np.arange(40), 3000)
    expected = WORLD.expected_click(viewers, contexts, lists)
    visit = WORLD.visit(viewers[many], contexts[many], lists[many], np.random.default_rng(1))
    places = visit.clicked.reshape(40, -1, 10).mean(axis=1)
    some = visit.clicked.any(axis=1).reshape(40, -1).mean(axis=1)
    for found, truth in ((places, expected.places), (some, expected.any)):
        z = (found - truth) / np.sqrt(truth * (1 - truth) / 3000)
        assert np.abs(z).max() < SURE
        assert z.std() == pytest.approx(1, abs=0.45)
    np.testing.assert_allclose(expected.clicks, expected.places.sum(axis=1))
    assert (expected.any <= expected.clicks + 1e-12).all()


def test_what_follows_a_click() -> None:
    viewers, contexts, lists = drawn(WORLD, 20_000)
    v = WORLD.visit(viewers, contexts, lists, np.random.default_rng(2))
    assert not (v.clicked & ~v.seen).any()
    assert not (v.hidden & ~v.seen).any()
    assert (v.seen[:, 1:] <= v.seen[:, :-1]).all()
    np.testing.assert_array_equal(v.minutes > 0, v.clicked)
    assert (v.minutes <= WORLD.minutes[lists]).all()
    assert not (~np.isnan(v.stars) & ~v.clicked).any()
    given = v.stars[~np.isnan(v.stars)]
    assert set(given) <= set(np.arange(0.5, 5.5, 0.5))
    finished = v.clicked & (v.minutes == WORLD.minutes[lists])
    assert not (finished[:, :-1] & v.seen[:, 1:]).any()  # the satisfied stop
    c = WORLD.chances(viewers, contexts, lists)
    assert abs(finished.sum() - c.satisfied[v.clicked].sum()) < SURE * np.sqrt(v.clicked.sum()) / 2 + 20
    for which, chance in ((finished, WORLD.truth.rates_finished), (v.clicked & ~finished, WORLD.truth.rates_left)):
        assert (~np.isnan(v.stars[which])).mean() == pytest.approx(chance, abs=SURE / 2 / np.sqrt(which.sum()))
    error = (v.stars - np.clip(c.stars, 0.5, 5))[~np.isnan(v.stars)]
    assert error.std() == pytest.approx(WORLD.truth.noise, abs=0.08)
    assert c.liking[v.hidden].mean() < c.liking[v.seen].mean() - 0.3


@pytest.mark.parametrize("lift", [0.4, -0.3])
def test_a_planted_lift_makes_clicks_so_much_likelier_and_lets_as_many_films_be_looked_at(lift: float) -> None:
    viewers, contexts, lists = drawn(WORLD, 40_000, k=6)
    planted = WORLD.visit(viewers, contexts, lists, np.random.default_rng(3), lift)
    expected = WORLD.expected_click(viewers, contexts, lists).clicks
    clicks = planted.clicked.sum(axis=1)
    assert clicks.mean() / expected.mean() - 1 == pytest.approx(lift, abs=SURE * clicks.std() / np.sqrt(len(clicks)) / expected.mean() + 0.01)
    plain = WORLD.visit(viewers, contexts, lists, np.random.default_rng(4))
    assert planted.seen.mean() == pytest.approx(plain.seen.mean(), abs=0.008)


# -- visits and histories ----------------------------------------------------------------------------------------------


def test_who_comes_when_and_where() -> None:
    many = World.make(CATALOG, 3000, seed=6)
    days = np.arange(-7, 14)
    comes, contexts = many.calendar(days, date(2026, 11, 2))  # a Monday
    np.testing.assert_array_equal(comes, many.calendar(days, date(2026, 11, 2))[0])
    weekend = (days % 7) >= 5
    working = comes[:, ~weekend].mean(axis=1)
    assert (working - many.rates).mean() == pytest.approx(0, abs=0.005)
    assert comes[:, weekend].mean() / comes[:, ~weekend].mean() == pytest.approx(many.truth.weekend, abs=0.06)
    found = np.stack([np.bincount(row, minlength=16) for row in contexts]) / len(days)
    assert np.abs((found - many.habits).mean(axis=0)).max() < 0.01
    assert np.corrcoef(found.ravel(), many.habits.ravel())[0, 1] > 0.85


def test_histories_hold_what_is_famous_and_liked() -> None:
    profiles = WORLD.histories(10**9)
    t = WORLD.truth
    lengths = np.array([len(p) for p in profiles])
    assert (lengths.min(), lengths.max()) == (10, 150)
    assert np.median(lengths) == pytest.approx(t.history, rel=0.15)
    liking = WORLD.liking(EVERYBODY, np.full(300, NOWHERE))
    gained = [row[p.items].mean() - row.mean() for row, p in zip(liking, profiles)]
    assert np.mean(gained) > 0.5
    assert np.mean([np.log(CATALOG.raters[p.items]).mean() for p in profiles]) > np.log(CATALOG.raters).mean() + 0.2
    off = np.concatenate([p.ratings - np.clip(t.average + WORLD.leniency[v] + liking[v, p.items], 0.5, 5) for v, p in enumerate(profiles)])
    assert off.std() == pytest.approx(t.noise, abs=0.1)
    assert all(np.all(np.diff(p.times) >= 0) and p.times.max() < 10**9 for p in profiles)
    alone = WORLD.histories(10**9, np.array([17]))[0]
    np.testing.assert_array_equal(alone.items, profiles[17].items)


@pytest.mark.parametrize("wrong", [{"dose": -1.0}, {"viewers": 0}, {"catalog": replace(CATALOG, raters=np.zeros(400, np.int64))}])
def test_a_world_that_makes_no_sense_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"wanted|must be"):
        World.make(**{"catalog": CATALOG, "viewers": 5, **wrong})
