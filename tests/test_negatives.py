"""Films that speak against a viewer's taste, or for it more than others: in every model that can use them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from recommender.catalog import Catalog
from recommender.models.content import Content, Encoder
from recommender.models.factors import ALS, PureSVD
from recommender.models.neighbours import EASE, Communities, ItemKNN, UserKNN
from recommender.models.popularity import Popularity
from recommender.types import Profile, Query, Recommender
from recommender.world import checkerboard

N = 40
CATALOG, LOG = checkerboard()  # even viewers watch even films, odd viewers odd ones
MAKE: dict[str, Callable[[], Recommender]] = {
    "ease": lambda: EASE(penalty=5.0),
    "item_knn": lambda: ItemKNN(shrink=1, support=2),
    "pure_svd": lambda: PureSVD(factors=4),
    "als": lambda: ALS(factors=8, reg=1),
    "encoder": lambda: Encoder(factors=8, reg=1, epochs=60, hidden=32, rate=0.01),
    "content": Content,
    "user_knn": UserKNN,
    "communities": Communities,
    "popularity": Popularity,
}
LINEAR = ("ease", "item_knn", "pure_svd", "als", "encoder", "content")  # a sum over films
every_model = pytest.mark.parametrize("name", MAKE)


@cache
def fitted(name: str) -> Recommender:
    return MAKE[name]().fit(LOG, CATALOG)


def viewer(items, weights, stars: float = 4.0) -> Query:
    items = np.asarray(items, int)
    return Query(Profile(items, np.full(len(items), stars), np.arange(len(items)), speaks=np.asarray(weights, np.float32)))


def score(name: str, items, weights) -> np.ndarray:
    return fitted(name).score([viewer(items, weights)])[0].astype(float)


def tiny() -> Catalog:
    """Three films of which nothing is known."""
    nobody: tuple = ((),) * 3
    return Catalog(
        np.arange(3), ("A", "B", "C"), np.zeros(3, int), np.zeros((3, 1), bool), ("Drama",), nobody, nobody, ("",) * 3,
        np.full(3, np.nan), np.zeros(3, int), np.zeros(3, int),
    )  # fmt: skip


@st.composite
def profiles(draw: st.DrawFn) -> Query:
    films = draw(st.lists(st.integers(0, N - 1), unique=True, max_size=20))
    return viewer(films, draw(st.lists(st.floats(-2, 2, width=16), min_size=len(films), max_size=len(films))))


@every_model
@effort(max_examples=25)
@given(st.lists(profiles(), min_size=1, max_size=4))
def test_a_batch_equals_its_singles(name: str, queries: list[Query]) -> None:
    model = fitted(name)
    np.testing.assert_allclose(model.score(queries), np.concatenate([model.score([q]) for q in queries]), atol=1e-5)


@every_model
@effort(max_examples=25)
@given(profiles())
def test_reasons_sum_to_the_score(name: str, query: Query) -> None:
    items = np.array([0, 1, 22, 39])
    scores = fitted(name).score([query])[0, items].astype(float)
    for e, wanted in zip(fitted(name).explain(query, items), scores, strict=True):
        assert e.exact
        assert e.total == pytest.approx(wanted, abs=1e-6)


@every_model
def test_what_the_stars_say_may_be_said_in_weights(name: str) -> None:
    """Bit for bit: a profile without weights is one with 1 from three stars on, and 0 below."""
    items, stars = np.arange(0, 20, 2), np.tile([5.0, 3, 2.5, 1, 4], 2)
    plain = Profile(items, stars, np.arange(10))
    told = replace(plain, speaks=np.tile([1.0, 1, 0, 0, 1], 2))
    np.testing.assert_array_equal(fitted(name).score([Query(plain)]), fitted(name).score([Query(told)]))


@pytest.mark.parametrize("name", LINEAR)
@effort(max_examples=15)
@given(profiles(), st.integers(0, 19))
def test_a_film_that_says_nothing_might_as_well_be_absent(name: str, query: Query, at: int) -> None:
    if not len(query.profile):
        return
    at %= len(query.profile)
    silent = np.where(np.arange(len(query.profile)) == at, 0, query.profile.weights)
    told = Query(replace(query.profile, speaks=silent))
    absent = Query(query.profile.keep(np.arange(len(query.profile)) != at))
    np.testing.assert_allclose(fitted(name).score([told]), fitted(name).score([absent]), atol=1e-5)


@pytest.mark.parametrize("name", LINEAR)
def test_a_disliked_film_lowers_the_films_like_it(name: str) -> None:
    """Of a viewer who likes both kinds: once odd films speak against, the other odd films fall, the more the louder, and more than even ones."""
    known, odd, even = [0, 2, 4, 6, 1, 3, 5, 7], np.arange(9, N, 2), np.arange(8, N, 2)
    told = [score(name, known, [1, 1, 1, 1, 1, w, w, w]) for w in (0.0, -0.5, -1.0, -2.0)]
    means = [scores[odd].mean() for scores in told]
    assert all(later < earlier - 1e-3 for earlier, later in pairwise(means)), means
    assert means[0] - means[2] > 2 * (told[0] - told[2])[even].mean()


@pytest.mark.parametrize("name", ["user_knn", "communities"])
def test_a_disliked_film_keeps_its_crowd_away(name: str) -> None:
    odd = np.arange(9, N, 2)
    without, against = (score(name, [0, 1, 3], [1, 1, w])[odd].mean() for w in (0.0, -1.0))
    assert against < 0.5 * without


@pytest.mark.parametrize("name", LINEAR)
def test_a_loved_film_raises_the_films_like_it(name: str) -> None:
    low, high = (score(name, [0, 1], [1, w])[np.arange(9, N, 2)].mean() for w in (1.0, 2.0))
    assert high > low + 1e-3


def test_popularity_does_not_listen() -> None:
    np.testing.assert_array_equal(score("popularity", [0, 1], [1, -2]), score("popularity", [], []))


@every_model
def test_nothing_but_dislikes(name: str) -> None:
    query = viewer([1, 3, 5], [-1, -1, -0.5])
    assert np.isfinite(fitted(name).score([query])).all()
    assert all(np.isfinite(e.total) for e in fitted(name).explain(query, np.arange(N)))


def test_als_by_hand() -> None:
    model = ALS(factors=1, alpha=2.0, reg=1.0)
    model.factors_, model.gram_, model.catalog = np.array([[1.0], [2], [3]], np.float32), np.array([[14.0]]), tiny()
    # y = 1, 2, 3; Y'Y + reg = 15. A wanted: x = 3 / (15 + 2) = 3/17. B not wanted besides: x = 3 / (15 + 2 (1 + 4)) = 3/25, and with weight -1/2,
    # 3 / (15 + 2 + 4) = 1/7. A loved with 2: x = 6 / (15 + 4) = 6/19
    for items, weights, x in (([0], [1], 3 / 17), ([0, 1], [1, -1], 3 / 25), ([0, 1], [1, -0.5], 1 / 7), ([0], [2], 6 / 19), ([1], [-1], 0)):
        np.testing.assert_allclose(model.score([viewer(items, weights)])[0], x * np.array([1, 2, 3]), rtol=1e-6)
    (reason,) = model.explain(viewer([0, 1], [1, -1]), np.array([2]))[0].reasons
    assert (reason.subject, reason.weight) == (0, pytest.approx(9 / 25))  # B lessens what A gives, and gives nothing itself


def test_linear_by_hand() -> None:
    ease = fitted("ease")
    assert isinstance(ease, EASE)
    w = ease.weights_.toarray()
    np.testing.assert_allclose(score("ease", [0, 1, 2], [1.5, -0.25, 1]), 1.5 * w[0] - 0.25 * w[1] + w[2], atol=1e-6)
    told = {r.subject: r.weight for r in ease.explain(viewer([0, 1], [1.5, -0.25]), np.array([3]))[0].reasons}
    assert told[1] == pytest.approx(-0.25 * w[1, 3])


def test_content_by_hand() -> None:
    content = fitted("content")
    assert isinstance(content, Content)
    cos, merit = content.weights_.toarray(), content.quality * content.quality_
    # how loud they speak together: 2 + 1 + 1 = 4, whose root is 2
    np.testing.assert_allclose(score("content", [0, 1, 2], [2, -1, 1]), (2 * cos[0] - cos[1] + cos[2]) / 2 + merit, atol=1e-6)
    np.testing.assert_allclose(score("content", [0], [-0.25]), -0.25 * cos[0] + merit, atol=1e-6)  # under 1 in all: not made louder
