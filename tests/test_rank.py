"""Laws of ranking and of splits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recommender import rank
from recommender.evaluate.split import leave_last, split_users
from recommender.interactions import Interactions

# few different values, so that ties are common; and any finite numbers
scores_of = st.integers(1, 40).flatmap(
    lambda n: arrays(np.float64, n, elements=st.one_of(st.integers(-2, 2).map(float), st.floats(-1e6, 1e6, allow_subnormal=False)))
)
masks = st.integers(0, 2**32 - 1)


def masked(scores: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    hidden = np.random.default_rng(seed).random(len(scores)) < 0.3
    return rank.mask(scores, hidden), hidden


# -- ranking -----------------------------------------------------------------------------------------------------------


@given(scores_of, st.integers(1, 50), masks)
def test_top_is_the_head_of_a_full_sort(scores: np.ndarray, k: int, seed: int) -> None:
    s, hidden = masked(scores, seed)
    wanted = [i for i in sorted(range(len(s)), key=lambda i: (-s[i], i)) if not hidden[i]][:k]  # ties by number
    assert rank.top(s, k).tolist() == wanted


@given(scores_of, masks)
def test_a_mask_hides_and_changes_nothing_else(scores: np.ndarray, seed: int) -> None:
    before = scores.copy()
    s, hidden = masked(scores, seed)
    np.testing.assert_array_equal(scores, before)
    np.testing.assert_array_equal(s[~hidden], before[~hidden])
    assert not np.isin(np.flatnonzero(hidden), rank.top(s, len(s))).any()
    np.testing.assert_array_equal(rank.mask(scores, np.flatnonzero(hidden)), s)  # by number or by boolean


@given(scores_of)
def test_rank_agrees_with_top(scores: np.ndarray) -> None:
    order = rank.top(scores, len(scores))
    assert [rank.rank_of(scores, i) for i in order] == list(range(1, len(scores) + 1))


@given(scores_of, st.integers(1, 3))
def test_standardise_keeps_the_order(scores: np.ndarray, rows: int) -> None:
    batch = np.stack([scores * (r + 1) for r in range(rows)])
    z = rank.standardise(batch)
    assert z.shape == batch.shape
    for before, after in zip(batch, z):
        order = np.argsort(before, kind="stable")
        assert (np.diff(after[order]) >= 0).all()
        assert after.std() == pytest.approx(1) or before.std() <= 1e-9
        np.testing.assert_allclose(rank.standardise(before), after)  # one row as in a batch
    np.testing.assert_array_equal(rank.standardise(np.full(4, 7.0)), np.full(4, 7.0))  # no spread, no division


def test_standardise_by_hand() -> None:
    # mean 3, deviations -2 0 2, spread sqrt(8/3) = 1.63: scores over the spread, not centred
    np.testing.assert_allclose(rank.standardise(np.array([1.0, 3, 5])), np.array([1, 3, 5]) / np.sqrt(8 / 3))


def test_nothing_to_rank() -> None:
    assert rank.top(np.full(3, -np.inf), 2).tolist() == []
    assert rank.diversify(np.full(3, -np.inf), np.ones((3, 1)), 2, 0.5).tolist() == []
    with pytest.raises(ValueError, match="k == 0, must be >= 1"):
        rank.top(np.ones(3), 0)
    for strength in (-0.1, 1.1):
        with pytest.raises(ValueError, match="must be within 0 and 1"):
            rank.diversify(np.ones(3), np.ones((3, 1)), 2, strength)


genres = arrays(bool, (40, 4))


@given(scores_of, genres, st.integers(1, 50), st.floats(0, 1), masks)
def test_diversify_chooses_each_once_and_never_the_masked(scores: np.ndarray, features: np.ndarray, k: int, strength: float, seed: int) -> None:
    s, hidden = masked(scores, seed)
    chosen = rank.diversify(s, features[: len(s)], k, strength)
    assert len(set(chosen.tolist())) == len(chosen) == min(k, (~hidden).sum())
    assert not hidden[chosen].any()
    if len(chosen) and strength < 1:
        assert s[chosen[0]] == s.max()  # with nothing chosen yet, only the score counts


@given(scores_of, genres, st.integers(1, 50))
def test_no_strength_is_the_plain_top(scores: np.ndarray, features: np.ndarray, k: int) -> None:
    scaled = (scores - scores.min()) / max(np.ptp(scores), 1e-12)
    assume(len(np.unique(scaled)) == len(np.unique(scores)))  # differences below a float's digits cannot be kept
    np.testing.assert_array_equal(rank.diversify(scores, features[: len(scores)], k, 0.0), rank.top(scores, k))


@given(scores_of, genres, st.floats(0, 1))
def test_diversify_keeps_its_promise_at_every_step(scores: np.ndarray, features: np.ndarray, strength: float) -> None:
    """Each choice is the best by score minus likeness to the nearest film chosen before it, written out in full."""
    f = features[: len(scores)].astype(float)
    unit = f / np.maximum(np.linalg.norm(f, axis=1, keepdims=True), 1e-12)
    scaled = (scores - scores.min()) / max(np.ptp(scores), 1e-12)
    chosen = rank.diversify(scores, features[: len(scores)], 6, strength).tolist()
    for n, item in enumerate(chosen):
        value = {
            i: (1 - strength) * scaled[i] - strength * max((float(unit[i] @ unit[j]) for j in chosen[:n]), default=0.0)
            for i in range(len(scores))
            if i not in chosen[:n]
        }
        assert value[item] >= max(value.values()) - 1e-9


def test_more_strength_more_kinds() -> None:
    # twelve films, the best eight of one genre: the first four show 1 genre when strength is 0 and never fewer with more strength
    scores, kind = np.linspace(1, 0, 12), np.repeat([0, 1, 2, 3], [8, 2, 1, 1])
    kinds = [len(set(kind[rank.diversify(scores, np.eye(4)[kind], 4, s)])) for s in np.linspace(0, 1, 21)]
    assert kinds == sorted(kinds)
    assert (kinds[0], kinds[-1]) == (1, 4)


def test_diversify_by_hand() -> None:
    # scores 1, 0.9, 0.5 (scaled 1, 0.8, 0); A and B comedies, C a drama. Strength 0.5: A first; then B 0.4 - 0.5 = -0.1, C 0 - 0 = 0
    assert rank.diversify(np.array([1.0, 0.9, 0.5]), np.array([[1, 0], [1, 0], [0, 1]]), 3, 0.5).tolist() == [0, 2, 1]
    assert rank.diversify(np.array([1.0, 0.9, 0.5]), np.array([[1, 0], [1, 0], [0, 1]]), 3, 0.4).tolist() == [0, 1, 2]  # B 0.48 - 0.4 > 0


# -- splits ------------------------------------------------------------------------------------------------------------


def random_log(seed: int, n_users: int = 60) -> Interactions:
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((n_users, 30)) < rng.uniform(0, 0.6, (n_users, 1)))
    times = rng.integers(0, 8, len(users))
    part = rng.integers(-1, 4, len(users)).astype(np.int8)
    stars = rng.integers(1, 6, len(users)).astype(float)
    return Interactions.sorted(users, items, stars, times, n_users=n_users, n_items=30, times_of_day=part)


@effort(max_examples=40)
@given(st.integers(0, 1000), st.integers(0, 1000))
def test_nobody_is_in_two_groups(data_seed: int, seed: int) -> None:
    log = random_log(data_seed)
    split = split_users(log, 0.2, 0.3, seed)
    groups = [set(part.users.tolist()) for part in (split.fit, split.gate, split.exam)]
    assert set.union(*groups) == set(log.users.tolist())
    assert sum(map(len, groups)) == len(set(log.users.tolist()))
    assert sum(map(len, (split.fit, split.gate, split.exam))) == len(log)
    for part in (split.fit, split.gate, split.exam):
        assert (part.n_users, part.n_items) == (log.n_users, log.n_items)
        for user in set(part.users.tolist()):  # whole, not in pieces
            np.testing.assert_array_equal(part.profile(user).items, log.profile(user).items)
    again = split_users(log, 0.2, 0.3, seed)
    np.testing.assert_array_equal(again.exam.users, split.exam.users)


def test_groups_have_the_stated_shares() -> None:
    n = 20_000
    log = Interactions.sorted(np.arange(n), np.zeros(n, int), np.full(n, 4.0), np.zeros(n, int), n_users=n, n_items=1)
    split = split_users(log, 0.1, 0.25, 0)
    assert len(split.gate) / n == pytest.approx(0.1, abs=4 * np.sqrt(0.1 * 0.9 / n))
    assert len(split.exam) / n == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / n))
    assert not np.array_equal(split.exam.users, split_users(log, 0.1, 0.25, 1).exam.users)
    for gate, exam in ((0.5, 0.5), (0, 0), (0.9, 0.3)):
        with pytest.raises(ValueError, match="must lie between 0 and 1"):
            split_users(log, gate, exam, 0)


@effort(max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 8))
def test_the_last_film_is_asked_for_and_never_shown(seed: int, least: int) -> None:
    log = random_log(seed)
    queries, targets = leave_last(log, least)
    users = np.flatnonzero(log.lengths >= least)
    assert len(queries) == len(targets) == len(users)
    for user, query, target in zip(users, queries, targets):
        whole, r = log.profile(user), log.rows(user)
        assert target == whole.items[-1]
        assert target not in query.profile.items
        np.testing.assert_array_equal(query.profile.items, whole.items[:-1])
        np.testing.assert_array_equal(query.profile.ratings, whole.ratings[:-1])
        part = log.times_of_day[r.stop - 1]
        assert query.context.time_of_day == (("morning", "afternoon", "evening", "night")[part] if part >= 0 else None)
        assert query.context.device is None  # simulated, so no figure rests on it
