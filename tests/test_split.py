"""The four protocols: who is trained on, who is asked, what they know; worked by hand and by their laws."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from recommender.evaluate import runs
from recommender.evaluate.split import Split, core, leave_last_out, random_fifth, rating_folds, shuffle_ties, time_cut
from recommender.interactions import Interactions
from recommender.load import load
from recommender.settings import ROOT, settings
from recommender.world import checkerboard


def log(*rows: tuple[int, int, int], ids: tuple[int, ...] = ()) -> Interactions:
    """Interactions from (user, film, time) in file order; the stars are 1 to 5 in turn."""
    users, items, times = np.array(rows).T
    stars = 1 + np.arange(len(rows)) % 5
    return Interactions.sorted(
        users, items, stars, times, n_users=users.max() + 1, n_items=items.max() + 1, user_ids=np.array(ids or range(users.max() + 1))
    )


@cache
def sittings() -> Interactions:
    """A world in which people rate several films in one second, with stars of all kinds and a few stragglers outside the 5-core."""
    _, seen = checkerboard(80, 40, seed=3, density=0.5)
    rng = np.random.default_rng(0)
    few = (seen.users >= 76) & (rng.random(len(seen)) < 0.85)
    stars = rng.integers(1, 6, len(seen)).astype(np.float32)
    rough = Interactions.sorted(
        seen.users,
        seen.items,
        stars,
        seen.times // 500_000 * 500_000,
        n_users=80,
        n_items=40,
        times_of_day=rng.integers(-1, 4, len(seen)).astype(np.int8),
    )
    return rough.where(~few)


def pairs(*logs: Interactions) -> list[tuple[int, int, float, int]]:
    return sorted(row for i in logs for row in zip(i.users.tolist(), i.items.tolist(), i.ratings.tolist(), i.times.tolist()))


def right(split: Split) -> list[list[int]]:
    """The right films of each query."""
    return [split.relevant.indices[a:b].tolist() for a, b in zip(split.relevant.indptr, split.relevant.indptr[1:])]


def known(split: Split) -> list[list[int]]:
    return [q.profile.items.tolist() for q in split.queries(slice(None))]


# -- P1 ----------------------------------------------------------------------------------------------------------------

FIVE = log(
    *[(0, film, time) for film, time in zip((0, 1, 2, 3, 4), (1, 2, 3, 4, 5))],
    *[(1, film, time) for film, time in zip((4, 3, 2, 1, 0), (1, 2, 3, 4, 5))],
    *[(2, film, time) for film, time in zip((0, 1, 2, 3, 4), (5, 4, 3, 2, 1))],  # the file is not in order of time
    *[(3, film, time) for film, time in zip((2, 0, 4, 1, 3), (1, 1, 1, 7, 7))],  # films 1 and 3 in one second
    *[(4, film, time) for film, time in zip((3, 1, 0, 4, 2), (9, 9, 9, 9, 9))],  # all in one second
    *[(5, film, time) for film, time in zip((0, 1, 2, 3, 5), (1, 2, 3, 4, 5))],  # nobody else saw film 5: it goes, and then so does user 5
    ids=(10, 20, 30, 40, 50, 60),
)  # fmt: skip


def test_leave_last_out_by_hand() -> None:
    split = leave_last_out(FIVE)
    assert split.users.tolist() == [0, 1, 2, 3, 4]
    assert right(split) == [[4], [0], [0], [3], [2]]
    assert known(split) == [[0, 1, 2, 3], [4, 3, 2, 1], [4, 3, 2, 1], [2, 0, 4, 1], [3, 1, 0, 4]]
    assert split.at.tolist() == [5, 5, 5, 7, 9]
    assert split.candidates.tolist() == [True] * 5 + [False]
    assert split.sizes() == {"train": 20, "queries": 5, "users": 5, "test_items": 5, "films": 5}
    assert (split.protocol, split.variant, split.seed) == ("P1", "stable order", 0)


def test_the_core_by_hand() -> None:
    assert pairs(core(FIVE)) == pairs(FIVE.where(FIVE.users < 5))
    assert len(core(FIVE, 6)) == 0
    with pytest.raises(ValueError, match="no user is left"):
        leave_last_out(FIVE.where(FIVE.users < 4))  # every film has four raters, so nothing is left


@pytest.mark.parametrize("shuffled", [False, True])
def test_leave_last_out_tests_the_last_row_and_trains_on_all_others(shuffled: bool) -> None:
    split = leave_last_out(sittings(), shuffled, seed=4)
    whole = core(sittings())
    assert 0 < len(whole) < len(sittings())
    assert min(whole.lengths[whole.lengths > 0].min(), whole.raters[whole.raters > 0].min()) >= 5
    assert split.users.tolist() == np.unique(whole.users).tolist()
    stars = {(u, i): (s, t) for u, i, s, t in pairs(whole)}
    tested = [(u, i, *stars[u, i]) for u, (i,) in zip(split.users.tolist(), right(split))]
    assert sorted(pairs(split.train) + tested) == pairs(whole)  # nothing is lost, nothing stands in both
    for query, user, moment in zip(split.queries(slice(None)), split.users.tolist(), split.at.tolist()):
        assert query.profile.items.tolist() == split.train.profile(user).items.tolist()
        assert query.profile.weights.tolist() == [1.0] * len(query.profile)  # bad films were watched, too
        assert moment == whole.times[whole.rows(user)].max()
        assert query.context.at == moment
    if not shuffled:
        assert [item for (item,) in right(split)] == [whole.profile(u).items[-1] for u in split.users.tolist()]


def test_the_time_of_day_asked_for_is_that_of_the_last_film() -> None:
    whole = core(sittings())
    split = leave_last_out(sittings())
    last = [int(whole.times_of_day[whole.rows(u).stop - 1]) for u in split.users.tolist()]
    assert split.times_of_day.tolist() == last
    names = ("morning", "afternoon", "evening", "night", None)  # -1 is unknown, and the last of these
    assert [q.context.time_of_day for q in split.queries(slice(None))] == [names[part] for part in last]
    assert {-1, 0, 3} <= set(last)


def test_shuffled_ties_stay_within_a_user_and_a_second() -> None:
    stable = core(sittings())
    shuffled = shuffle_ties(stable, seed=1)
    assert pairs(shuffled) == pairs(stable)
    assert shuffled.users.tolist() == stable.users.tolist()
    assert shuffled.times.tolist() == stable.times.tolist()
    assert shuffled.items.tolist() != stable.items.tolist()
    assert dict(zip(zip(shuffled.users, shuffled.items), shuffled.times_of_day)) == dict(zip(zip(stable.users, stable.items), stable.times_of_day))
    # a film at a second of its own stays where it is
    alone = np.flatnonzero(np.diff(FIVE.times[:5]))
    assert shuffle_ties(FIVE, 1).items[:5][alone].tolist() == FIVE.items[:5][alone].tolist()


def makers(seed: int) -> dict[str, Split]:
    seen = sittings()
    timed = {f"P4 {name}": split for name, split in time_cut(seen, seed=seed).items()}
    return {"P1": leave_last_out(seen, seed=seed), "P1 shuffled": leave_last_out(seen, True, seed), "P2": random_fifth(seen, seed), **timed}


def test_a_checksum_names_the_test_items() -> None:
    first, again, other = makers(0), makers(0), makers(1)
    sums = {name: split.checksum() for name, split in first.items()}
    assert sums == {name: split.checksum() for name, split in again.items()}
    assert len(set(sums.values())) == len(sums)
    drawn = {"P1 shuffled", "P2"}
    assert {name for name in sums if sums[name] != other[name].checksum()} == drawn
    hand = leave_last_out(FIVE)
    ids, films = (np.array(column, "<i8").tobytes() for column in ([10, 20, 30, 40, 50], [4, 0, 0, 3, 2]))
    assert hand.checksum() == hashlib.sha256(ids + films).hexdigest()
    renamed = replace(hand.source, user_ids=np.array([11, 20, 30, 40, 50, 60]))
    assert replace(hand, source=renamed).checksum() != hand.checksum()


# -- P2 ----------------------------------------------------------------------------------------------------------------


def test_a_random_fifth_of_every_user() -> None:
    seen = sittings()
    split = random_fifth(seen, seed=5)
    tested = [(u, i) for u, items in zip(split.users.tolist(), right(split)) for i in items]
    trained = list(zip(split.train.users.tolist(), split.train.items.tolist()))
    assert not set(tested) & set(trained)
    assert sorted(tested + trained) == [(u, i) for u, i, _, _ in pairs(seen)]
    assert [len(items) for items in right(split)] == [max(1, int(seen.lengths[u]) // 5) for u in split.users.tolist()]
    assert split.users.tolist() == np.flatnonzero(seen.lengths >= 2).tolist()
    stars = {(u, i): s for u, i, s, _ in pairs(seen)}
    assert {stars[pair] for pair in tested} == {1, 2, 3, 4, 5}  # every rating is relevant
    for user, query in zip(split.users.tolist(), split.queries(slice(None))):
        own = split.train.profile(user)
        assert query.profile.items.tolist() == own.items.tolist()
        assert query.profile.ratings.tolist() == own.ratings.tolist()
        assert (query.profile.liked_from, query.profile.weights.min()) == (0, 1)
        assert query.context.at == own.times[-1]  # the moment of the test films is not given away
        assert query.context.time_of_day is None


def test_a_fifth_of_few_by_hand() -> None:
    # 1, 2, 9 and 10 ratings: nothing of one can be tested, at least one of two, 9 // 5 = 1, 10 // 5 = 2
    sizes = (1, 2, 9, 10)
    split = random_fifth(log(*[(u, film, film) for u, n in enumerate(sizes) for film in range(n)]))
    assert split.users.tolist() == [1, 2, 3]
    assert [len(items) for items in right(split)] == [1, 1, 2]
    assert split.train.lengths.tolist() == [1, 1, 8, 8]


# -- P3 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folds", [10, 5])
def test_folds_predict_every_rating_once(folds: int) -> None:
    seen = sittings()
    splits = list(rating_folds(seen, folds, seed=2))
    assert len(splits) == folds
    assert pairs(*[s.test for s in splits]) == pairs(seen)
    for s in splits:
        assert pairs(s.train, s.test) == pairs(seen)
        assert abs(len(s.test) - len(seen) / folds) < 1
    assert splits[3].variant == {10: "90/10 fold 3", 5: "80/20 fold 3"}[folds]
    assert len({s.checksum() for s in splits}) == folds
    assert [s.checksum() for s in rating_folds(seen, folds, seed=2)] == [s.checksum() for s in splits]
    assert next(rating_folds(seen, folds, seed=3)).checksum() != splits[0].checksum()


def test_the_variants_of_p3() -> None:
    found = runs.rating_splits(sittings(), folds=2)
    assert {name: [s.variant for s in splits] for name, splits in found.items()} == {
        "90/10": ["90/10 fold 0", "90/10 fold 1"],
        "80/20": ["80/20 fold 0"],
    }
    assert found["80/20"][0].sizes()["test_items"] == -(-len(sittings()) // 5)  # array_split makes the first folds the larger ones


# -- P4 ----------------------------------------------------------------------------------------------------------------

# Times in order: 1 2 2 3 4 5 6 9 10 10 11 12. The 0.7 quantile stands at 0.7 * 11 = 7.7, so the cut is the ninth time, 10.
ACROSS = log(
    (0, 0, 1), (0, 1, 2), (0, 2, 3),
    (1, 0, 2), (1, 1, 4), (1, 3, 10), (1, 4, 11),
    (2, 2, 10), (2, 0, 12),  # nothing before the cut: a cold user
    (3, 1, 5), (3, 2, 6), (3, 4, 9),
)  # fmt: skip


def test_a_cut_in_time_by_hand() -> None:
    split = time_cut(ACROSS, 0.7)
    assert list(split) == ["last", "successive", "all"]
    assert {s.variant for s in split.values()} == set(split)
    assert pairs(split["last"].train) == pairs(ACROSS.where(ACROSS.times < 10))
    last, successive, future = split.values()
    assert (last.users.tolist(), right(last), known(last), last.at.tolist()) == ([1, 2], [[4], [0]], [[0, 1, 3], [2]], [11, 12])
    assert successive.users.tolist() == [1, 1, 2, 2]
    assert right(successive) == [[3], [4], [2], [0]]
    assert known(successive) == [[0, 1], [0, 1, 3], [], [2]]
    assert successive.at.tolist() == [10, 11, 10, 12]
    assert (future.users.tolist(), right(future), known(future), future.at.tolist()) == ([1, 2], [[3, 4], [0, 2]], [[0, 1], []], [10, 10])
    assert successive.groups["warm"].tolist() == [True, True, False, False]
    assert all((s.groups["warm"] ^ s.groups["cold"]).all() for s in split.values())
    assert future.sizes() == {"train": 8, "queries": 2, "users": 2, "test_items": 4, "films": 5, "warm_users": 1, "cold_users": 1}


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.99])
def test_p4_trains_on_nothing_at_or_after_its_cut(quantile: int) -> None:
    """The promise of the protocol: nothing that is learned from is as late as anything that is asked."""
    seen = sittings()
    for split in time_cut(seen, quantile).values():
        times = {(u, i): t for u, i, _, t in pairs(seen)}
        asked = [times[u, i] for u, items in zip(split.users.tolist(), right(split)) for i in items]
        assert split.train.times.max() < min(asked)
        assert min(asked) >= (cut := np.quantile(seen.times, quantile, method="higher"))
        assert split.train.times.max() < cut
        assert len(split.train) == (seen.times < cut).sum()  # and on everything before
        assert split.at.min() >= cut


def test_successive_queries_know_all_before_and_nothing_after() -> None:
    seen = sittings()
    split = time_cut(seen)["successive"]
    cut = int(np.quantile(seen.times, 0.9, method="higher"))
    assert sorted(zip(split.users.tolist(), (i for (i,) in right(split)))) == [(u, i) for u, i, _, t in pairs(seen) if t >= cut]
    for query, user, (film,) in zip(split.queries(slice(None)), split.users.tolist(), right(split)):
        own = seen.profile(user).items.tolist()
        assert query.profile.items.tolist() == own[: own.index(film)]


def test_of_many_later_films_a_few_are_drawn_and_stand_for_all() -> None:
    seen = sittings()
    whole, few = time_cut(seen)["successive"], time_cut(seen, each=2)["successive"]
    assert whole.stands_for is not None
    assert (whole.stands_for == 1).all()
    asked, drawn = np.bincount(whole.users), np.bincount(few.users, minlength=whole.users.max() + 1)
    assert asked.max() > 2
    assert (drawn == np.minimum(asked, 2)).all()
    assert set(zip(few.users.tolist(), few.at.tolist())) <= set(zip(whole.users.tolist(), whole.at.tolist()))
    np.testing.assert_allclose(np.bincount(few.users, few.stands_for, len(asked)), asked)
    assert time_cut(seen, each=2, seed=1)["successive"].checksum() != few.checksum()


def test_no_time_to_cut() -> None:
    with pytest.raises(ValueError, match="no interaction is earlier than"):
        time_cut(log((0, 0, 7), (0, 1, 7), (1, 0, 7)))


# -- the real set, where somebody fetched it ---------------------------------------------------------------------------


@pytest.mark.data
def test_real_ml_1m() -> None:
    folders = [folder for folder in (settings().raw / "ml-1m", Path(ROOT).parent / "shared" / "data" / "ml-1m") if folder.is_dir()]
    if not folders:
        pytest.skip("ml-1m is not here; `python -m recommender fetch --dataset ml-1m` gets it")
    _, seen = load(folders[0])
    last, fifth, timed = leave_last_out(seen), random_fifth(seen), time_cut(seen)
    assert last.sizes() == {"train": 993_571, "queries": 6040, "users": 6040, "test_items": 6040, "films": 3416}
    assert last.checksum() == "5a3b49a93e00d6148207ea087fd39daf7d57ad77b204515e9820ed8ae538f95b"
    assert fifth.sizes() == {"train": 802_553, "queries": 6040, "users": 6040, "test_items": 197_656, "films": 3706}
    assert fifth.checksum() == "ef496df8661834db3fb1dd5c48c5527524b2126b06982a9e8fb2852ea8262da2"
    who = {"train": 900_188, "users": 1209, "films": 3706, "warm_users": 1180, "cold_users": 29}
    assert timed["last"].sizes() == who | {"queries": 1209, "test_items": 1209}
    assert timed["successive"].sizes() == who | {"queries": 23_471, "test_items": 23_471}
    assert timed["successive"].stands_for.sum() == pytest.approx(100_021)
    assert timed["all"].sizes() == who | {"queries": 1209, "test_items": 100_021}
    assert timed["last"].checksum() == "3715c8c572dc293a8ac2b0a17fb76d6170da47af560de0a9e685ee97b51fc76e"
    assert all(s.train.times.max() < s.at.min() for s in timed.values())
