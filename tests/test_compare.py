"""Lists side by side: overlap against hand-worked cases and its definition, drafts, variants, what is hidden, what lists are like, and votes."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from recommender import rank
from recommender.compare import known, lists, overlap, variants, votes
from recommender.compare.lists import HOME, Side
from recommender.compare.variants import Tuning
from recommender.evaluate.split import split_users
from recommender.load import read_films
from recommender.models.factors import PureSVD
from recommender.models.neighbours import EASE, ItemKNN, UserKNN
from recommender.serve.feedback import Event
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.train import EXAM_SHARE, GATE_SHARE
from recommender.types import Context, Profile, Query
from recommender.world import checkerboard

NOW = Context("evening", "tv")
rankings = st.lists(st.integers(0, 30), unique=True, min_size=1, max_size=20).map(lambda films: np.array(films, np.int64))
patience = st.floats(0.05, 0.99)


# -- overlap -----------------------------------------------------------------------------------------------------------


def test_what_two_lists_share_at_each_depth():
    # Depth 1: 1 and 3, nothing. Depth 2: {1, 2} and {3, 1} share 1. Depth 3: {1, 2, 3} and {3, 1, 4} share 1 and 3.
    assert overlap.shared(np.array([1, 2, 3]), np.array([3, 1, 4])).tolist() == [0, 1, 2]
    assert overlap.agreement(np.array([1, 2, 3]), np.array([3, 1, 4])) == pytest.approx([0, 1 / 2, 2 / 3])


def test_rank_biased_overlap_by_hand():
    # p = 1/2, so (1 - p) / p = 1. Sum of X_d / d p^d: 0 + 1/2 x 1/4 + 2/3 x 1/8 = 5/24; beyond the end 2/3 x 1/8 = 2/24.
    assert overlap.rbo(np.array([1, 2, 3]), np.array([3, 1, 4]), 0.5) == pytest.approx(7 / 24)
    # Lengths 2 and 3: X = 1, 1, 2. Sum: 1/2 + 1/2 x 1/4 + 2/3 x 1/8 = 17/24; unseen third place of the shorter: 1 x 1 / (2 x 3) x 1/8 = 1/48;
    # tail: ((2 - 1) / 3 + 1/2) x 1/8 = 5/48.
    assert overlap.rbo(np.array([1, 2]), np.array([1, 3, 2]), 0.5) == pytest.approx(34 / 48 + 1 / 48 + 5 / 48)


def test_rank_biased_overlap_as_others_publish_it():
    """The example in the documentation of two other implementations, to the digits given there."""
    assert round(overlap.rbo(np.array([1, 2, 3, 4, 5]), np.array([2, 3, 4, 1, 5]), 0.9), 3) == 0.828


def test_the_weight_of_the_first_places_as_in_the_paper():
    """Webber, Moffat & Zobel: at p = .9 the first 10 places have 86% of the weight. And by its definition, place by place."""
    assert round(overlap.head_weight(0.9, 10), 2) == 0.86
    deep = np.arange(1, 4000)
    each = [(1 - 0.8) / 0.8 * (0.8 ** deep[r:] / deep[r:]).sum() for r in range(5)]
    assert overlap.head_weight(0.8, 5) == pytest.approx(sum(each))


@given(rankings, rankings, patience)
def test_rank_biased_overlap_is_symmetric_and_within_bounds(a, b, p):
    assert overlap.rbo(a, b, p) == pytest.approx(overlap.rbo(b, a, p))
    assert -1e-12 <= overlap.rbo(a, b, p) <= 1 + 1e-12


@given(rankings, patience)
def test_equal_lists_agree_fully_and_disjoint_ones_not_at_all(a, p):
    assert overlap.rbo(a, a, p) == pytest.approx(1)
    assert overlap.rbo(a, a + 100, p) == 0
    assert overlap.jaccard(a, a[::-1]) == 1
    assert overlap.jaccard(a, a + 100) == 0


@given(rankings, rankings, patience)
def test_even_lists_are_extrapolated_by_their_last_agreement(a, b, p):
    """The endless sum (1 - p) sum p^(d-1) A_d of the definition, with A_d staying what it is at the last depth."""
    k = min(len(a), len(b))
    at = overlap.agreement(a[:k], b[:k])
    d = np.arange(1, 6000)
    endless = (1 - p) * (p ** (d - 1.0) * np.append(at, np.full(len(d) - k, at[-1]))).sum()
    assert overlap.rbo(a[:k], b[:k], p) == pytest.approx(endless, abs=1e-6)


@pytest.mark.parametrize("p", [0.5, 0.9, 0.98])
def test_the_top_weighs_more(p):
    a, first, last = np.arange(10), np.arange(10), np.arange(10)
    first[0], last[9] = 50, 50
    assert overlap.rbo(a, first, p) < overlap.rbo(a, last, p)
    assert overlap.jaccard(a, first) == overlap.jaccard(a, last) == 9 / 11


def test_an_empty_list_is_like_nothing_known():
    none = np.empty(0, np.int64)
    assert math.isnan(overlap.rbo(none, np.array([1])))
    assert math.isnan(overlap.jaccard(none, none))
    assert overlap.jaccard(none, np.array([1])) == 0


def test_wrong_arguments_of_overlap_are_named():
    with pytest.raises(ValueError, match="list b of 2 films names one twice"):
        overlap.rbo(np.array([1, 2]), np.array([3, 3]))
    with pytest.raises(ValueError, match=r"p == 1\.0, must lie between 0 and 1"):
        overlap.rbo(np.array([1]), np.array([1]), 1.0)


def test_a_matrix_holds_every_pair():
    found = overlap.matrix([np.array([1, 2]), np.array([2, 3]), np.array([4, 5])], overlap.jaccard)
    assert found.tolist() == [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 1]]


# -- team draft --------------------------------------------------------------------------------------------------------


class Coins:
    """A generator whose coins are given: 0 where team 0 picks first."""

    def __init__(self, coins: list[int]) -> None:
        self.coins = iter(coins)

    def permutation(self, n: int) -> np.ndarray:
        return np.array([0, 1]) if next(self.coins) == 0 else np.array([1, 0])


def draft(a, b, k: int, coins: list[int]) -> tuple[list[int], list[int]]:
    films, teams = rank.team_draft(a, b, k, cast(np.random.Generator, Coins(coins)))
    return films.tolist(), teams.tolist()


def test_a_draft_by_hand():
    # Round 1: team 0 picks 1, team 1 picks 2. Round 2: team 1 first, 2 is gone, so 4; team 0: 1 and 2 are gone, so 3.
    assert draft([1, 2, 3], [2, 4, 1], 4, [0, 1]) == ([1, 2, 4, 3], [0, 1, 1, 0])
    assert draft([1, 2, 3], [2, 4, 1], 3, [0, 1]) == ([1, 2, 4], [0, 1, 1])  # cut within a round
    assert draft([1, 2], [1, 2], 4, [1, 0, 0]) == ([1, 2], [1, 0])  # the other team has nothing new, and then nobody


@given(rankings, rankings, st.integers(1, 25), st.integers(0, 2**32 - 1))
def test_a_draft_is_fair(a, b, k, seed):
    films, teams = rank.team_draft(a, b, k, np.random.default_rng(seed))
    assert len(set(films.tolist())) == len(films) <= k
    for at, (film, team) in enumerate(zip(films.tolist(), teams.tolist())):
        mine = (a, b)[team].tolist()
        assert film == next(i for i in mine if i not in films[:at].tolist())  # its team's best that was left
    pairs = teams[: len(teams) // 2 * 2].reshape(-1, 2)
    assert (pairs.sum(axis=1) == 1).all()  # in every round each team picks once


@given(rankings, rankings, st.integers(1, 25), st.lists(st.integers(0, 1), min_size=30, max_size=30))
def test_the_other_coins_give_the_other_list_the_same_chances(a, b, k, coins):
    films, teams = draft(a, b, k, coins)
    assert draft(b, a, k, [1 - c for c in coins]) == (films, [1 - team for team in teams])


def test_the_coin_is_even():
    first = [rank.team_draft(np.array([1, 2]), np.array([3, 4]), 1, np.random.default_rng(seed))[1][0] for seed in range(600)]
    assert 250 < sum(first) < 350


# -- variants ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world():
    return checkerboard()


def queries(n_items: int = 40) -> list[Query]:
    rng = np.random.default_rng(1)
    picked = [rng.permutation(n_items)[:5] for _ in range(6)]
    return [Query(Profile(films, np.full(5, 4.0), np.arange(5))) for films in picked]


def test_fewer_neighbours_are_the_strongest_of_those_kept(world):
    catalog, interactions = world
    model = ItemKNN(support=1, neighbours=12).fit(interactions, catalog)
    cut = variants.fewer_neighbours(model, 3)
    dense, kept = model.weights_.toarray(), cut.weights_.toarray()
    for film in range(dense.shape[1]):
        wanted = np.sort(np.abs(dense[:, film]))[-3:]
        assert np.sort(np.abs(kept[:, film]))[-3:] == pytest.approx(wanted)
        assert np.count_nonzero(kept[:, film]) == min(3, np.count_nonzero(dense[:, film]))
    assert set(kept[kept != 0]) <= set(dense[dense != 0])
    np.testing.assert_array_equal(variants.fewer_neighbours(model, 99).weights_.toarray(), dense)


def test_fewer_factors_are_what_a_smaller_fit_would_find(world):
    catalog, interactions = world
    cut = variants.fewer_factors(PureSVD(factors=12).fit(interactions, catalog), 2)
    v = np.linalg.svd(interactions.matrix().toarray())[2][:2]
    rows = np.stack([np.bincount(q.profile.items, minlength=40) for q in queries()])
    np.testing.assert_allclose(cut.score(queries()), rows @ v.T @ v, atol=1e-3)


def test_without_a_viewer_their_own_ratings_say_nothing(world):
    catalog, interactions = world
    model = UserKNN(neighbours=20).fit(interactions, catalog)
    others = UserKNN(neighbours=20).fit(interactions.where(interactions.users != 7), catalog)
    profile = interactions.profile(7)
    asked = [Query(profile.keep(np.arange(len(profile)) < len(profile) - 3))]
    cut = variants.without_viewer(model, 7)
    np.testing.assert_allclose(cut.score(asked), others.score(asked), atol=1e-6)
    assert np.abs(model.score(asked) - cut.score(asked)).max() > 1e-3  # else nothing was tried


def test_ease_fitted_again_is_ease_with_that_penalty(world):
    catalog, interactions = world
    model = EASE(penalty=50.0).fit(interactions, catalog)
    fitted, seconds = variants.refitted(model, interactions, 5.0, 1)
    np.testing.assert_array_equal(fitted.score(queries()), EASE(penalty=5.0).fit(interactions, catalog).score(queries()))
    assert seconds > 0
    assert np.abs(fitted.score(queries()) - model.score(queries())).max() > 1e-3


def test_a_model_that_is_not_concerned_is_itself(world):
    catalog, interactions = world
    ease = EASE(penalty=50.0).fit(interactions, catalog)
    assert variants.tuned(ease, Tuning(neighbours=3, factors=2, variety=0.5, penalty=50.0)) is ease
    with pytest.raises(LookupError, match="EASE with lambda 7 is not fitted"):
        variants.tuned(ease, Tuning(penalty=7.0))


@pytest.mark.parametrize("wrong", [{"adventure": 1.5}, {"variety": -0.1}, {"neighbours": 0}, {"factors": 0}, {"penalty": 0}])
def test_what_cannot_be_moved_so_far_is_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Tuning(**wrong)


def test_shared_models_are_never_changed(service):
    """Every kind of tuning is asked for; the models of the desk are the same objects with the same arrays and answers."""
    kenji = service.viewers["kenji"]
    before = {name: (model, copy.copy(vars(model)), model.score([Query(kenji.profile, NOW)])) for name, model in service.models.items()}
    for side in (
        Side("item_knn", NOW, Tuning(neighbours=2)),
        Side("pure_svd", NOW, Tuning(factors=2)),
        Side("ease", NOW, Tuning(adventure=1.0, variety=0.8)),
        Side(HOME, NOW, Tuning(adventure=-1.0)),
    ):
        lists.made(service, kenji, side, 10)
    for name, (model, held, scores) in before.items():
        assert service.models[name] is model
        assert all(vars(model)[key] is value for key, value in held.items())
        np.testing.assert_array_equal(model.score([Query(kenji.profile, NOW)]), scores)


# -- lists -------------------------------------------------------------------------------------------------------------


def test_a_list_is_what_the_desk_would_give(service):
    vera = service.viewers["vera"]
    home = service.home(vera, service.query(vera, NOW)).carousels[0]
    assert lists.made(service, vera, Side(HOME, NOW), 20).items.tolist() == [r.item for r in home.recommendations]
    ease = service.listing(vera, service.query(vera, NOW), "ease", 15).carousels[0]
    made = lists.made(service, vera, Side("ease", NOW), 15)
    assert made.items.tolist() == [r.item for r in ease.recommendations]
    assert made.stars.tolist() == pytest.approx([math.nan if r.stars is None else r.stars for r in ease.recommendations], nan_ok=True)


@pytest.mark.parametrize("name", ["item_knn", "pure_svd", "als"])
def test_what_is_moved_moves_the_list(service, name):
    kenji = service.viewers["kenji"]
    plain = lists.made(service, kenji, Side(name, NOW), 20)
    spread = lists.made(service, kenji, Side(name, NOW, Tuning(variety=0.8)), 20)
    rare = lists.made(service, kenji, Side(name, NOW, Tuning(adventure=1.0)), 20)
    one, two, three = lists.figures([plain, spread, rare], service.catalog, known.people(service))
    assert two.diversity > one.diversity
    assert three.novelty > one.novelty


def test_a_tuned_list_is_that_of_the_variant(service):
    kenji = service.viewers["kenji"]
    made = lists.made(service, kenji, Side("pure_svd", NOW, Tuning(factors=2)), 20)
    scores = rank.mask(variants.fewer_factors(service.models["pure_svd"], 2).score([Query(kenji.profile, NOW)])[0], kenji.profile.items)
    assert made.items.tolist() == rank.top(scores, 20).tolist()
    assert made.service is not service
    assert made.service.models["ease"] is service.models["ease"]


def test_a_child_never_sees_over_the_limit(service):
    mia = service.viewers["mia"]
    allowed = service.catalog.allowed(mia.certificate)
    for model in lists.loaded(service):
        assert allowed[lists.made(service, mia, Side(model, NOW), 50).items].all()


def test_a_model_that_tells_no_film_from_another_makes_no_list(service):
    sam = service.viewers["sam"]
    made = lists.made(service, sam, Side("ease", NOW), 20)
    assert (made.silent, len(made.items)) == (True, 0)
    assert not lists.made(service, sam, Side("popularity", NOW), 20).silent


def test_a_list_that_cannot_be_made_is_named(service):
    with pytest.raises(LookupError, match="model 'oracle' did not load"):
        lists.made(service, service.viewers["vera"], Side("oracle", NOW), 20)
    with pytest.raises(ValueError, match="k == 0"):
        lists.made(service, service.viewers["vera"], Side(HOME, NOW), 0)


@pytest.mark.parametrize("n, hidden", [(9, None), (10, 2), (14, 2), (15, 3), (32, 6)])
def test_the_last_fifth_is_hidden_from_ten_ratings_on(n, hidden):
    profile = Profile(np.arange(n), np.resize([5.0, 3.5, 4.0], n), np.arange(n))
    held = lists.held_out(profile)
    if hidden is None:
        assert held is None
        return
    assert held.hidden == hidden
    assert held.known.items.tolist() == list(range(n - hidden))
    assert held.liked.tolist() == [i for i in range(n - hidden, n) if i % 3 != 1]  # 3.5 stars are not enough


def test_hidden_films_may_come_back_and_known_ones_not(service):
    kenji = service.viewers["kenji"]
    held = lists.held_out(kenji.profile)
    made = lists.made(service, kenji, Side("hybrid", NOW), 50, held=held)
    assert np.isin(made.items, held.liked).any()
    assert not np.isin(made.items, held.known.items).any()
    assert made.viewer.profile.items.tolist() == held.known.items.tolist()
    whole = lists.made(service, kenji, Side("hybrid", NOW), 50)
    assert not np.isin(whole.items, kenji.profile.items).any()


def test_places_and_who_stands_alone(service):
    kenji = service.viewers["kenji"]
    made = [lists.made(service, kenji, Side(name, NOW), 12) for name in (HOME, "ease", "content")]
    where = lists.places(made)
    for item, at in where.items():
        assert [m.items[place - 1] == item if place else item not in m.items for m, place in zip(made, at)] == [True] * 3
    assert set(where) == {int(i) for m in made for i in m.items}
    alone = [f.alone for f in lists.figures(made, service.catalog, 6040)]
    assert alone == [sum(all(item not in o.items for o in made if o is not m) for item in m.items) for m in made]


def test_what_a_list_is_like_by_hand(service):
    """Three films, one of which too few people rated to publish their number."""
    catalog, base = service.catalog, lists.made(service, service.viewers["kenji"], Side("ease", NOW), 3)
    rare = int(np.flatnonzero(catalog.raters == 0)[0])
    a, b = np.argsort(-catalog.raters)[:2].tolist()
    listed = replace(base, items=np.array([a, b, rare]), stars=np.array([4.0, 3.0, np.nan]), ms=12.0)
    held = lists.HeldOut(Profile(), 3, np.array([b, 5, 6]))
    (f,) = lists.figures([listed], catalog, 6040, held)
    assert (f.n, f.published, f.starred, f.stars, f.alone, f.ms) == (3, 2, 2, 3.5, 3, 12.0)
    assert f.novelty == pytest.approx(np.mean([-math.log2(catalog.raters[i] / 6040) for i in (a, b)]))
    assert f.raters == catalog.raters[b]  # of the three numbers of raters the middle one
    assert f.years == tuple(np.sort(catalog.years[[a, b, rare]])[[0, 0, 1, 2, 2]].tolist())
    assert (f.hits, f.recall) == (1, pytest.approx(1 / 3))
    genres = catalog.genres.astype(float)
    cosine = lambda i, j: genres[i] @ genres[j] / max(np.linalg.norm(genres[i]) * np.linalg.norm(genres[j]), 1e-12)
    assert f.diversity == pytest.approx(1 - np.mean([cosine(a, b), cosine(a, rare), cosine(b, rare)]))


def test_nothing_liked_among_the_hidden_means_no_recall(service):
    made = lists.made(service, service.viewers["kenji"], Side("ease", NOW), 5)
    (f,) = lists.figures([made], service.catalog, 6040, lists.HeldOut(Profile(), 2, np.empty(0, np.int64)))
    assert (f.hits, f.recall) == (0, None)


# -- who was learned from ----------------------------------------------------------------------------------------------


def test_people_made_up_were_never_learned_from(service):
    assert known.learned_from(service, service.viewers["kenji"], Side("ease")) is False


def test_what_stands_behind_a_list(service):
    kenji, sam = service.viewers["kenji"], service.viewers["sam"]
    assert known.behind(service, kenji, Side("als")) == ("als",)
    assert known.behind(service, kenji, Side(HOME)) == ("hybrid", "ease", "content", "sequence")
    assert known.behind(service, sam, Side(HOME)) == ("popularity",)
    wants = replace(kenji, preferences=replace(kenji.preferences, model="als"))
    assert known.behind(service, wants, Side(HOME)) == ("als",)


@pytest.fixture(scope="module")
def fetched(service) -> Service:
    if not service.dataset_users():
        pytest.skip(f"no data set in {service.data.folder}")
    return service


def test_networks_left_some_people_out(fetched):
    data = fetched.interactions
    fit = set(split_users(data, GATE_SHARE, EXAM_SHARE, 0).fit.users.tolist())
    for row in range(12):
        viewer = fetched.dataset_viewer(int(data.user_ids[row]))
        assert known.learned_from(fetched, viewer, Side("sequence")) is (row in fit)
        assert known.learned_from(fetched, viewer, Side("ease")) is True
        assert known.learned_from(fetched, viewer, Side("user_knn")) is False


def test_where_the_cards_speak_of_other_data_it_is_not_known(fetched, monkeypatch):
    monkeypatch.setattr(known, "_fingerprint", lambda interactions: "another")
    assert known.learned_from(fetched, fetched.dataset_viewer(1), Side("ease")) is None


def test_hidden_ratings_are_hidden_from_the_neighbours_too(fetched):
    viewer = fetched.dataset_viewer(17)
    held = lists.held_out(viewer.profile)
    made = lists.made(fetched, viewer, Side("user_knn", NOW), 20, held=held)
    others = fetched.interactions.where(fetched.interactions.users != lists.row_of(fetched.interactions, viewer))
    scores = rank.mask(UserKNN().fit(others, fetched.catalog).score([Query(held.known, NOW)])[0], held.known.items)
    assert made.items.tolist() == rank.top(scores, 20).tolist()


# -- votes -------------------------------------------------------------------------------------------------------------

LISTS = {"ease": np.array([1, 2, 3]), "als": np.array([2, 4, 1])}


def test_a_ballot_is_decided_by_its_seed_alone():
    turned = dict(reversed(LISTS.items()))
    for seed in range(20):
        a, b = votes.ballot("lists", LISTS, seed), votes.ballot("lists", turned, seed)
        assert a.pair == b.pair == ("als", "ease")
        assert a.shown == b.shown
        assert [x.tolist() for x in a.lists] == [LISTS[name].tolist() for name in a.shown] == [x.tolist() for x in b.lists]
    left = [votes.ballot("lists", LISTS, seed).shown[0] for seed in range(600)]
    assert 250 < left.count("ease") < 350


def test_a_seed_needs_its_secret():
    assert votes.seed_of(b"one", "kenji", 3) == votes.seed_of(b"one", "kenji", 3) < 2**63
    assert len({votes.seed_of(b"one", "kenji", 3), votes.seed_of(b"two", "kenji", 3), votes.seed_of(b"one", "kenji", 4)}) == 3


def test_a_vote_between_two_lists():
    asked = next(b for seed in range(20) if (b := votes.ballot("lists", LISTS, seed)).shown == ("ease", "als"))
    assert votes.vote_for(asked, 0)["preferred"] == "ease"
    assert votes.vote_for(asked, 1)["preferred"] == "als"
    assert votes.vote_for(asked, None)["preferred"] is None
    assert votes.vote_for(asked, 1)["shown"] == ["ease", "als"]
    assert votes.vote_for(asked, 1)["seed"] == asked.seed
    with pytest.raises(ValueError, match="picked is 2"):
        votes.vote_for(asked, 2)
    with pytest.raises(ValueError, match="mode 'lists'"):
        votes.vote_by(asked, [0])


def test_a_vote_by_ticks():
    asked = votes.ballot("one", LISTS, 3)
    mine = [at for at, team in enumerate(asked.teams.tolist()) if asked.shown[team] == "ease"]
    theirs = [at for at in range(len(asked.teams)) if at not in mine]
    assert votes.vote_by(asked, mine)["credits"] == {"ease": len(mine), "als": 0}
    assert votes.vote_by(asked, mine)["preferred"] == "ease"
    assert votes.vote_by(asked, [mine[0], theirs[0]])["preferred"] is None
    assert votes.vote_by(asked, [])["preferred"] is None
    assert votes.vote_by(asked, [mine[0], mine[0]])["credits"]["ease"] == 1  # a tick counts once
    with pytest.raises(ValueError, match="must be places below"):
        votes.vote_by(asked, [99])


def test_a_vote_can_be_stored():
    for mode in votes.MODES:
        asked = votes.ballot(mode, {"ease+penalty=100": np.arange(50), "home": np.arange(50)[::-1]}, 5)
        note = votes.vote_for(asked, 0) if mode == "lists" else votes.vote_by(asked, range(10))
        assert Event("kenji", "vote", id=asked.id, note=note).note == note


def note(preferred: str | None, mode: str = "lists", **more) -> dict:
    return {"mode": mode, "pair": ["als", "ease"], "preferred": preferred, **more}


def test_votes_are_counted_with_wilsons_interval():
    cast_ = [("a", note("ease")), ("a", note("ease")), ("b", note("ease")), ("c", note("als")), ("c", note(None))]
    other = [("d", {"mode": "lists", "pair": ["als", "home"], "preferred": "als"})]
    found = votes.tally(("ease", "als"), cast_ + other)
    share = found.first["lists"]
    assert (share.part, share.of, found.even["lists"], found.voters) == (1, 4, 1, 3)
    # Wilson: (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n), p = 1/4, n = 4
    z, p, n = 1.959963984540054, 0.25, 4
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert (share.lo, share.hi) == pytest.approx(((middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)))


def test_ticks_are_counted_over_votes():
    ticks = [(3, 1), (2, 0), (1, 2)]  # ease, als
    cast_ = [("a", note("ease" if e > a else "als", "one", credits={"ease": e, "als": a})) for e, a in ticks]
    found = votes.tally(("als", "ease"), [*cast_, ("a", note(None, "one", credits={"ease": 0, "als": 0}))])
    assert (found.credited.part, found.credited.of) == (3, 9)
    assert found.credited.lo <= 1 / 3 <= found.credited.hi
    assert (found.first["one"].part, found.first["one"].of, found.even["one"]) == (1, 3, 1)
    alone = votes.tally(("als", "ease"), cast_[:1]).credited
    assert (alone.part, alone.of, alone.lo, alone.hi) == (1, 4, None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"pair": 7, "mode": "lists"},
        {"pair": ["ease", "als"], "mode": "lists", "preferred": "als"},
        note("home"),
        note("als", "some"),
        note("als", "one"),
        note("als", "one", credits={"als": "many", "ease": 1}),
        note("als", "one", credits={"als": -1, "ease": 1}),
    ],
)
def test_what_is_no_whole_vote_is_passed_over(wrong):
    found = votes.tally(("als", "ease"), [("a", wrong)])
    assert (found.voters, found.first["lists"].of, found.first["one"].of, found.credited.of) == (0, 0, 0, 0)


def test_two_lists_drawn_by_lot():
    models, done, seen = ["home", "ease", "als"], [], set()
    for seed in range(3):
        pair = votes.secret_pair(models, seed, done)
        assert pair[0] != pair[1]
        done.append(pair[::-1])
        seen.add(frozenset(pair))
    assert len(seen) == 3  # each pair once before any comes again
    assert votes.secret_pair(models, 9, done)
    with pytest.raises(LookupError, match="1 lists can be made"):
        votes.secret_pair(["home"], 0)


def test_lists_in_different_moments_have_names_of_their_own():
    same = votes.names([Side("ease", NOW), Side("als", NOW, Tuning(variety=0.4))])
    assert same == ("ease", "als+variety=0.4")
    assert votes.names([Side("ease", NOW), Side("ease", Context("morning"))]) == ("ease@evening-tv", "ease@morning-any")


def test_the_filters_hold_on_the_command_line() -> None:
    from recommender.__main__ import app

    words = [
        "compare",
        "home",
        "ease",
        "als",
        "--viewer",
        "kenji",
        "-k",
        "10",
        "--decade",
        "1980",
        "--genre",
        "comedy",
        "--certificate",
        "PG",
        "--json",
    ]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    answer = json.loads(found.stdout)
    catalog = read_films(settings().films)
    films = [catalog.index(f["id"]) for listed in answer["lists"] for f in listed["films"]]
    assert len(films) >= 10
    for item in films:
        assert (catalog.years[item] // 10, "Comedy" in catalog.genres_of(item), catalog.certificates[item] in ("G", "PG")) == (198, True, True)
    assert CliRunner().invoke(app, [*words[:-1], "--fame", "rare", "--least-stars", "9"]).exit_code != 0
