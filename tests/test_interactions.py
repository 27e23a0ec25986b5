"""The laws of Interactions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.interactions import UNKNOWN, Interactions

U, I = 5, 7  # noqa: E741


@st.composite
def logs(draw: st.DrawFn) -> Interactions:
    """Rows in any order, many of them at the same second, each (user, film) once."""
    pairs = draw(st.lists(st.tuples(st.integers(0, U - 1), st.integers(0, I - 1)), unique=True, max_size=25))
    n = len(pairs)
    columns = np.array(pairs, np.int64).reshape(n, 2)
    times = np.array(draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), np.int64)
    stars = np.array(draw(st.lists(st.integers(1, 10), min_size=n, max_size=n)), float) / 2
    return Interactions.sorted(columns[:, 0], columns[:, 1], stars, times, n_users=U, n_items=I, times_of_day=(columns[:, 1] % 4).astype(np.int8))


def rows(x: Interactions) -> set[tuple]:
    return set(zip(x.users.tolist(), x.items.tolist(), x.ratings.tolist(), x.times.tolist(), x.times_of_day.tolist()))


@given(logs())
def test_sorted_by_user_then_time(x: Interactions) -> None:
    keys = list(zip(x.users.tolist(), x.times.tolist()))
    assert keys == sorted(keys)
    assert (x.times_of_day == x.items % 4).all()  # every column moved along
    assert (x.devices == UNKNOWN).all()


def test_ties_keep_file_order() -> None:
    # user 0 rates films 4, 2, 3 at second 9 in this order, and film 1 before them
    x = Interactions.sorted(np.array([0, 1, 0, 0, 0]), np.array([4, 0, 2, 1, 3]), np.full(5, 3.0), np.array([9, 1, 9, 5, 9]), n_users=2, n_items=5)
    assert x.items.tolist() == [1, 4, 2, 3, 0]


@given(logs())
def test_rows_and_profiles_are_all_there_is(x: Interactions) -> None:
    assert x.lengths.sum() == x.raters.sum() == len(x)
    for user in range(U):
        profile = x.profile(user)
        assert len(profile) == x.lengths[user] == (x.users == user).sum()
        assert profile.items.tolist() == x.items[x.users == user].tolist()
        assert (np.diff(profile.times) >= 0).all()


@given(logs())
def test_the_matrix_holds_each_row_once(x: Interactions) -> None:
    dense = x.matrix(x.ratings).toarray()
    assert dense.shape == (U, I)
    assert dense.dtype == np.float32
    assert (dense[x.users, x.items] == x.ratings).all()
    assert (dense > 0).sum() == len(x)
    assert x.matrix().sum() == len(x)


@given(logs(), st.integers(-1, 6))
def test_a_cut_in_time(x: Interactions, second: int) -> None:
    past = x.before(second)
    assert rows(past) == {row for row in rows(x) if row[3] < second}
    assert (past.n_users, past.n_items) == (U, I)


@given(logs(), st.integers(0, 4))
def test_supported_films_have_their_raters(x: Interactions, least: int) -> None:
    kept = x.supported(least)
    assert set(kept.items.tolist()) == {i for i in range(I) if x.raters[i] >= max(least, 1)}
    assert (kept.raters[kept.items] == x.raters[kept.items]).all()


@given(logs())
def test_the_fingerprint_is_that_of_the_content(x: Interactions) -> None:
    as_other_types = replace(x, users=x.users.astype(np.int32), items=x.items.astype(np.uint16), ratings=x.ratings.astype(np.float32))
    assert as_other_types.fingerprint() == x.fingerprint()
    if len(x):
        assert replace(x, ratings=np.where(np.arange(len(x)) == 0, 5.5 - x.ratings, x.ratings)).fingerprint() != x.fingerprint()
        assert x.where(np.arange(len(x)) > 0).fingerprint() != x.fingerprint()
    assert replace(x, n_items=I + 1).fingerprint() != x.fingerprint()


def test_columns_cannot_be_changed() -> None:
    x = Interactions(np.array([0]), np.array([0]), np.array([3.0]), np.array([9]), 1, 1)
    for name in ("users", "items", "ratings", "times", "times_of_day", "devices"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(x, name)[0] = 1


GOOD = {"users": np.array([0, 0, 1]), "items": np.array([0, 1, 0]), "ratings": np.array([3, 4, 5.0]), "times": np.array([1, 2, 0])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"items": np.array([0, 1])}, "items has 2 rows, users has 3; wanted equal numbers"),
        ({"times_of_day": np.array([0, 1])}, "times_of_day has 2 rows, users has 3"),
        ({"users": np.array([0, 1, 0])}, "rows are not sorted"),
        ({"times": np.array([2, 1, 0])}, "rows are not sorted"),
        ({"users": np.array([0, 0, 2])}, "users runs from 0 to 2; wanted 0 to 1"),
        ({"items": np.array([0, -1, 0])}, "items runs from -1 to 0; wanted 0 to 1"),
        ({"ratings": np.array([3, 4, 5.5])}, "ratings run from 3.0 to 5.5; wanted 0.5 to 5 stars"),
        ({"ratings": np.array([3, 4, np.nan])}, "ratings run from nan"),
        ({"user_ids": np.array([7])}, "user_ids has 1 rows, wanted n_users == 2"),
    ],
)
def test_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Interactions(**(GOOD | change), n_users=2, n_items=2)  # type: ignore[arg-type]


def test_unknown_user() -> None:
    with pytest.raises(ValueError, match="user number is 2, wanted 0 to 1"):
        Interactions(**GOOD, n_users=2, n_items=2).rows(2)
