"""What if: ranks after films are taken away, and the smallest set that takes a film out of the list."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.counterfactual import WhatIf, less, plus, without
from recommender.models.hybrid import PARTS
from recommender.models.neighbours import EASE
from recommender.models.sequence import Sequence, branches
from recommender.models.transformer import Transformer
from recommender.rank import rank_of, ranks
from recommender.serve.service import Service
from recommender.serve.standings import Scores
from recommender.types import Context, Profile, Query


@dataclass
class Linear:
    """score_i = sum of gives[j, i] over the films j of the profile, plus base_i."""

    gives: np.ndarray  # (I, I)
    base: np.ndarray  # (I,)
    asked: int = 0

    def __call__(self, queries: list[Query]) -> np.ndarray:
        self.asked += len(queries)
        return np.stack([self.base + self.gives[q.profile.items].sum(axis=0) for q in queries]).astype(np.float32)


def query(*films: int) -> Query:
    n = len(films)
    return Query(Profile(np.array(films, np.int64), np.full(n, 4.0), np.arange(n)), Context("evening"))


def world(n: int = 30, films: int = 6, seed: int = 0) -> tuple[Linear, Query, np.ndarray]:
    rng = np.random.default_rng(seed)
    model = Linear(rng.gamma(0.5, size=(n, n)), 0.1 * rng.random(n))
    q = query(*range(films))
    pool = np.ones(n, bool)
    pool[:films] = False
    return model, q, pool


def test_without_and_plus_change_only_the_films() -> None:
    q = query(3, 1, 2)
    assert without(q, [1]).profile.items.tolist() == [3, 2]
    assert without(q, [1]).context == q.context
    more = plus(q, 9, 4.5).profile
    assert (more.items.tolist(), more.ratings.tolist(), more.times.tolist()) == ([3, 1, 2, 9], [4, 4, 4, 4.5], [0, 1, 2, 2])
    assert plus(Query(), 5).profile.items.tolist() == [5]
    with pytest.raises(ValueError, match="twice"):
        plus(q, 1)


def test_ranks_agree_with_rank_of_and_leave_out_what_is_not_ranked() -> None:
    scores, all_four = np.array([[0.5, 0.5, 0.9, 0.1], [1.0, 2.0, 3.0, 3.0]]), np.arange(4)
    assert ranks(scores, all_four, np.array([True, True, True, True])).tolist() == [[2, 3, 1, 4], [4, 3, 1, 2]]  # ties by number
    # Film 2 is not ranked: it stands in nobody's way, and is itself compared with the other three.
    assert ranks(scores, all_four, np.array([True, True, False, True])).tolist() == [[1, 2, 1, 3], [3, 2, 1, 1]]
    assert ranks(scores, np.array([3, 0]), np.array([True, True, True, True])).tolist() == [[4, 2], [2, 4]]
    rng = np.random.default_rng(1)
    many = rng.integers(0, 9, (5, 40)).astype(float)
    for row, found in zip(many, ranks(many, np.arange(40), np.ones(40, bool))):
        by_hand = [1 + int((row > row[i]).sum() + (row[:i] == row[i]).sum()) for i in range(40)]
        assert found.tolist() == by_hand == [rank_of(row, i) for i in range(40)]


def test_the_smallest_set_by_hand() -> None:
    # Films 0 and 1 are rated. Film 2 gets 3 from film 0 and 3 from film 1; film 3 gets 4 from nothing. k = 1:
    # 2 leads with 6 against 4; without either one it has 3 and is second; so one film is enough, and the first is taken.
    gives = np.zeros((4, 4))
    gives[0, 2] = gives[1, 2] = 3
    model, pool = Linear(gives, np.array([0, 0, 0, 4.0])), np.array([False, False, True, True])
    found = WhatIf(model, query(0, 1), pool).smallest(2, k=1)
    assert (found.films, found.before, found.after, found.minimal, found.hurried) == ((0,), 1, 2, True, False)
    # With 5 from each, one alone still gives 5 > 4: both must go.
    gives[0, 2] = gives[1, 2] = 5
    found = WhatIf(model, query(0, 1), pool).smallest(2, k=1)
    assert (set(found.films), found.after, found.minimal) == ({0, 1}, 2, True)
    # With 5 points of its own it leads even for a viewer of whom nothing is known.
    model.base[2] = 5
    found = WhatIf(model, query(0, 1), pool).smallest(2, k=1)
    assert (found.films, found.before, found.after, found.minimal) == ((), 1, 1, False)


@pytest.mark.parametrize("seed", range(12))
def test_the_set_works_and_is_as_small_as_it_says(seed: int) -> None:
    model, q, pool = world(seed=seed)
    whatif = WhatIf(model, q, pool)
    places = np.where(pool, whatif.ranks([q])[0], 0)
    for k in (1, 3):
        item = int(np.flatnonzero(places == k)[0])
        found = whatif.smallest(item, k=k)
        smallest = next(
            (
                size
                for size in range(1, 7)
                if any(whatif.ranks([without(q, r)])[0, item] > k for r in itertools.combinations(q.profile.items.tolist(), size))
            ),
            None,
        )
        assert found.before == k
        if smallest is None:
            assert found.films == ()
            assert found.after <= k
        else:
            assert found.minimal
            assert len(found.films) == smallest
            assert found.after == whatif.ranks([without(q, found.films)])[0, item] > k


def test_a_tie_is_lost_to_the_smaller_number() -> None:
    # Without film 0, film 3 has 2 points as film 2 has; film 2 stands before it.
    gives = np.zeros((4, 4))
    gives[0, 3] = 1
    model = Linear(gives, np.array([0, 0, 2.0, 2.0]))
    found = WhatIf(model, query(0), np.array([False, True, True, True])).smallest(3, k=1)
    assert (found.films, found.after) == ((0,), 2)


def test_bounds_end_the_search_and_say_so() -> None:
    model, q, pool = world(n=60, films=20, seed=3)
    whatif = WhatIf(model, q, pool)
    item = int(np.flatnonzero((whatif.ranks([q])[0] == 1) & pool)[0])
    for bounds in ({"tries": 25}, {"seconds": -1.0}):
        model.asked = 0
        found = whatif.smallest(item, **bounds)
        assert found.hurried
        assert not found.minimal
        assert model.asked <= 25 + 2 * 20
        assert found.films == () or whatif.ranks([without(q, found.films)])[0, item] > 10


def test_only_films_of_the_list_can_leave_it() -> None:
    model, q, pool = world()
    whatif = WhatIf(model, q, pool)
    with pytest.raises(ValueError, match="not among the 24"):
        whatif.smallest(0)
    last = int(np.flatnonzero((whatif.ranks([q])[0] == 24) & pool)[0])
    with pytest.raises(ValueError, match="rank 24, wanted within the first 10"):
        whatif.smallest(last)


@pytest.mark.parametrize("name", ["ease", "item_knn", "content", "sequence", "hybrid", "als"])
def test_the_short_way_to_leave_a_film_out_is_to_score_the_shorter_profile(service: Service, name: str) -> None:
    model, profile = service.models[name], service.viewers["kenji"].profile
    stranger = int(np.setdiff1d(np.arange(len(service.catalog)), profile.items)[0])
    films = [int(profile.items[n]) for n in (0, 5, -3, -1)] + [stranger]
    for context in (Context(), Context("evening", "tv"), Context("morning", "mobile", at=int(profile.times.max()) + 3600)):
        asked = Query(profile, context)
        found = less(model, asked, films)
        wanted = model.score([without(asked, [film]) for film in films])
        assert found.shape == (5, len(service.catalog))
        np.testing.assert_allclose(found, wanted, atol=2e-5 * np.abs(wanted).max())


def test_a_fading_profile_is_scored_anew_without_a_film(service: Service) -> None:
    fading = EASE(fade=5.0)
    fading.weights_ = service.models["ease"].weights_
    asked = Query(service.viewers["kenji"].profile)
    film = int(asked.profile.items[4])  # films before it speak louder without it
    np.testing.assert_allclose(less(fading, asked, [film]), fading.score([without(asked, [film])]), atol=1e-6)


def test_reasons_are_the_same_whoever_worked_the_scores_out(service: Service) -> None:
    hybrid, asked = service.models["hybrid"], Query(service.viewers["vera"].profile, Context("night", "tablet"))
    items = np.array([10, 700])
    own = [hybrid.parts[name].score([asked])[0] for name in PARTS]
    assert hybrid.explain(asked, items, own) == hybrid.explain(asked, items)
    scores = service.request(service.viewers["vera"], asked).scores
    np.testing.assert_allclose(scores["hybrid"], hybrid.score([asked])[0], atol=1e-4)
    np.testing.assert_allclose(scores["sequence"], service.models["sequence"].score([asked])[0], atol=1e-4)


@pytest.mark.parametrize("clock", [False, True])
def test_some_positions_of_the_transformer_are_those_of_all(clock: bool) -> None:
    torch.manual_seed(1)
    network = Transformer(50, width=16, heads=2, layers=2, length=12, stars=True, clock=clock).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    films, stars = torch.randint(0, 50, (3, 7)), torch.randint(1, 11, (3, 7))
    times, devices = torch.randint(0, 5, (3, 7)), torch.randint(0, 5, (3, 7))
    moments = torch.cumsum(torch.randint(0, 10**6, (3, 8)), dim=1)
    at = torch.tensor([[6, 2], [0, 6], [3, 3]])
    with torch.inference_mode():
        every = network(films, times, devices, stars, moments)
        some = network(films, times, devices, stars, moments, at)
    torch.testing.assert_close(some, every[torch.arange(3)[:, None], at])


def test_what_begins_alike_stands_once_and_sees_what_is_before_it_on_its_own_way() -> None:
    places, back, ends = branches([np.array([3, 4, 5, 6]), np.array([3, 4, 5, 6]), np.array([3, 5, 6]), np.array([3, 4, 6])])
    assert places.tolist() == [3, 4, 5, 6, 5, 6, 5, 6, 6]
    assert ends.tolist() == [3, 5, 7, 8]
    seen = {node: {int(m): int(back[node, m]) for m in np.flatnonzero(back[node] >= 0)} for node in range(9)}
    assert seen[1] == {0: 1, 1: 0}
    assert seen[8] == {0: 2, 1: 1, 8: 0}
    assert seen[3] == {0: 3, 1: 2, 2: 1, 3: 0}
    assert seen[5] == {0: 3, 1: 2, 4: 1, 5: 0}
    assert seen[7] == {0: 2, 6: 1, 7: 0}  # without 4, the 3 is two films back


@pytest.mark.parametrize("n", [0, 1, 2, 9, 99, 100, 101, 130])  # it looks back on 100 films
def test_the_transformer_scores_without_a_film_what_it_scores_for_who_never_saw_it(service: Service, n: int) -> None:
    model, rng = service.models["sequence"], np.random.default_rng(n)
    profile = Profile(rng.choice(len(service.catalog), n, replace=False), rng.integers(1, 11, n) / 2, np.sort(rng.integers(0, 10**9, n)))
    query = Query(profile, Context("night", "tv"))
    assert isinstance(model, Sequence)
    wanted = [Query(profile, Context()), Query(profile, Context("night")), query]
    wanted += [Query(profile.keep(profile.items != film)) for film in profile.items[-model.looked_back :]]
    np.testing.assert_allclose(model._left_out(query)[1], model.score(wanted), atol=2e-5)


@st.composite
def asked(draw: st.DrawFn, n_items: int) -> Query:
    """Anybody: nobody at all, of one film, longer than the Transformer looks back, with films spoken against or not used, at any moment."""
    n = draw(st.sampled_from([0, 1, 2, 9, 40, 130]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    speaks = rng.choice([-1.0, -0.4, 0.0, 0.5, 1.0], n) if draw(st.booleans()) else np.empty(0)
    times = np.sort(rng.integers(9 * 10**8, 10**9, n))
    profile = Profile(rng.choice(n_items, n, replace=False), rng.integers(1, 11, n) / 2, times, speaks=speaks)
    at = draw(st.sampled_from([None, 10**9]))
    return Query(profile, Context(draw(st.sampled_from([None, "night"])), draw(st.sampled_from([None, "tv"])), at))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_whoever_asks_films_are_left_out_as_if_never_rated_and_reasons_sum(service: Service, data: st.DataObject) -> None:
    query = data.draw(asked(len(service.catalog)))
    profile = query.profile
    places = data.draw(st.lists(st.integers(0, max(len(profile) - 1, 0)), min_size=1, max_size=3))
    films = [int(profile.items[n]) for n in places if len(profile)] + [7]  # the same one twice, too; 7 may be a stranger's
    items, wanted = np.arange(0, len(service.catalog), 900), [without(query, [film]) for film in films]
    scores = Scores(service.models, query, np.ones(len(service.catalog), bool))
    for name, model in service.models.items():
        brute = model.score(wanted)
        for found in (less(model, query, films), scores.without(name, films)):
            np.testing.assert_allclose(found, brute, atol=2e-5 * max(1, np.abs(brute).max()), err_msg=name)
        own = scores[name]
        np.testing.assert_allclose(own, model.score([query])[0], atol=2e-5 * max(1, np.abs(own).max()), err_msg=name)
        for item, told in zip(items, scores.explain(name)(items)):
            if told.exact or name in ("sequence", "hybrid"):
                assert abs(told.total - own[item]) <= 1e-6 * max(1, abs(own[item])), (name, told.total, own[item])


def test_what_is_kept_of_one_question_never_answers_another(service: Service) -> None:
    """More questions than are kept, by several threads at a time; each query is dropped at once, so that its place in memory is used again."""
    model = service.models["sequence"]
    assert isinstance(model, Sequence)
    contexts = [Context(), Context("evening"), Context("evening", "tv"), Context("morning", "tv")]
    cases = [(viewer.profile, context) for viewer in list(service.viewers.values())[:3] for context in contexts]
    wanted = [model.score([Query(*case)])[0] for case in cases]

    def wrong(turn: int) -> float:
        n = turn * 5 % len(cases)
        query = Query(*cases[n])
        (told,) = model.explain(query, np.array([10]))
        return max(float(np.abs(model.own(query) - wanted[n]).max()), abs(told.total - float(wanted[n][10])))

    with ThreadPoolExecutor(4) as threads:
        assert max(threads.map(wrong, range(36))) < 1e-4
