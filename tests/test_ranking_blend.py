"""The blend: a planted world, one query like many, nothing known, the same seed, and its parts worked by hand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models.ranking_blend import Between, Crowd, Films, RankingBlend
from recommender.types import Profile, Query
from recommender.world import checkerboard

EVEN = np.arange(0, 12, 2)


@cache
def world() -> tuple[Catalog, Interactions]:
    return checkerboard()


@cache
def fitted() -> RankingBlend:
    catalog, data = world()
    return RankingBlend(penalty=10, neighbours=20, prior=5).fit(data, catalog)


def seen(*items: int, stars: float = 4.0) -> Query:
    return Query(Profile(np.array(items), np.full(len(items), stars), np.arange(len(items)) * 60))


def test_it_learns_a_planted_world() -> None:
    scores = fitted().score([seen(*EVEN), seen(*(EVEN + 1))])
    fresh = np.arange(12, 40)
    assert scores[0, fresh[fresh % 2 == 0]].min() > scores[0, fresh[fresh % 2 == 1]].max()
    assert scores[1, fresh[fresh % 2 == 1]].min() > scores[1, fresh[fresh % 2 == 0]].max()


def test_a_batch_equals_its_queries_one_by_one() -> None:
    _, data = world()
    queries = [Query(data.profile(u)) for u in range(6)] + [seen(*EVEN), seen(3, stars=1.0), Query()]
    batch = fitted().score(queries)
    assert batch.dtype == np.float32
    assert batch.shape == (9, data.n_items)
    assert np.array_equal(batch, np.concatenate([fitted().score([q]) for q in queries]))


def test_nothing_known_and_everything_known_are_finite() -> None:
    _, data = world()
    scores = fitted().score([Query(), seen(*range(data.n_items)), seen(0, stars=0.5)])
    assert np.isfinite(scores).all()
    assert scores[0].argmax() == data.raters.argmax()


def test_the_same_seed_gives_the_same_scores() -> None:
    catalog, data = world()
    again = RankingBlend(penalty=10, neighbours=20, prior=5).fit(data, catalog)
    assert np.array_equal(again.score([seen(*EVEN)]), fitted().score([seen(*EVEN)]))


def test_explanations_name_films_and_do_not_claim_to_be_exact() -> None:
    reasons = fitted().explain(seen(*EVEN), np.array([14, 15]))
    assert not any(e.exact for e in reasons)
    assert {r.subject for r in reasons[0].reasons} == set(EVEN.tolist())
    assert reasons[0].total > reasons[1].total


def test_films_are_a_ridge_regression_on_the_others() -> None:
    """Each viewer counts as (length / median length)^-damping people."""
    _, data = world()
    weights, x, rest = Films(data, 10.0, 0.5).weights, data.matrix().toarray(), np.arange(1, data.n_items)
    voice = (data.lengths / np.median(data.lengths)) ** -0.5
    wanted = np.linalg.solve((x[:, rest].T * voice) @ x[:, rest] + 10 * np.eye(len(rest)), (x[:, rest].T * voice) @ x[:, 0])
    assert weights[0, 0] == 0
    assert weights[rest, 0] == pytest.approx(wanted, abs=1e-4)


def test_a_film_that_others_see_between_two_is_found_between_them() -> None:
    """Everybody watches 0, 1, 2, 3, ... in order: of the films not seen, 2 fits between 1 and 3."""
    users, items = np.repeat(np.arange(30), 10), np.tile(np.arange(10), 30)
    data = Interactions(users, items, np.full(300, 4.0), np.tile(np.arange(10), 30), 30, 10)
    expected, best = Between(data, reach=1, prior=5.0, trust=1.0)(seen(1, 3, 7).profile)
    assert expected.argmax() == 2
    assert expected.sum() == pytest.approx(4, rel=1e-5)  # four gaps
    assert (best <= expected + 1e-6).all()


def test_a_viewer_is_no_neighbour_of_their_own() -> None:
    users, items = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 2, 3, 4])
    data = Interactions(users, items, np.full(6, 4.0), np.arange(6), 3, 5)
    scores = Crowd(data, neighbours=2)(data.profile(0))
    assert scores[2] == pytest.approx(1)
    assert scores[[3, 4]] == pytest.approx([0, 0])
