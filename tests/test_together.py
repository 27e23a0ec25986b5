"""One list for several people: the laws of putting wishes together, and who may see what."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from recommender import rank
from recommender.evaluate import report
from recommender.evaluate import together as study
from recommender.evaluate.metrics import ndcg
from recommender.evaluate.split import Split
from recommender.interactions import Interactions
from recommender.serve.carousels import CANDIDATES
from recommender.serve.inquiry import first_row
from recommender.serve.request import Request
from recommender.serve.service import Service
from recommender.serve.together import DEFAULT, EVEN, WHY, together
from recommender.settings import ROOT
from recommender.types import ANY_FILM, Context, Filters

EVENING = Context("evening", "tv")
PAIRS = [("vera", "kenji"), ("mia", "dmitri"), ("sam", "amara"), ("leila", "walter"), ("rosa", "freya")]


def ask(service: Service, name: str, filters: Filters = ANY_FILM, hidden: frozenset[int] = frozenset(), certificate: str | None = None) -> Request:
    viewer = service.viewers[name]
    viewer = replace(viewer, certificate=certificate) if certificate else viewer
    return service.request(viewer, service.query(viewer, EVENING), filters, hidden)


# -- putting together ------------------------------------------------------------------------------------------------------


def test_three_films_by_hand() -> None:
    """Ada wants them 3, 1 and 2, Bob 0, 1 and 4."""
    wants = np.array([[3.0, 1.0, 2.0], [0.0, 1.0, 4.0]])
    assert rank.combine(wants, "average").tolist() == [1.5, 1.0, 3.0]
    assert rank.combine(wants, "least misery").tolist() == [0.0, 1.0, 2.0]
    assert rank.combine(wants, "most pleasure").tolist() == [3.0, 1.0, 4.0]
    with pytest.raises(ValueError, match="how is 'vote', must be one of average, least misery, most pleasure"):
        rank.combine(wants, "vote")  # type: ignore[arg-type]


def test_wishes_are_spreads_above_the_average_film_of_the_pool() -> None:
    """In the pool of the first four films one has 0 0 2 2 points, the other 10 30 10 30: mean 1 and 20, spread 1 and 10."""
    pool = np.array([True] * 4 + [False])
    found = rank.comparable(np.array([[0, 0, 2, 2, 99], [10, 30, 10, 30, -99]]), pool)
    np.testing.assert_allclose(found[:, pool], [[-1, -1, 1, 1], [-1, 1, -1, 1]])
    assert (rank.comparable(np.full((2, 5), 7.0), pool) == 0).all()


@pytest.mark.parametrize("how", rank.HOWS)
def test_laws_of_every_way(how: rank.How) -> None:
    """No order of people, scale or level of anybody's scores matters, and a film that each wants more stands above."""
    rng = np.random.default_rng(7)
    for people in (2, 3, 5):
        scores, pool = rng.normal(size=(people, 60)) * 10.0 ** rng.integers(-3, 4, (people, 1)), rng.random(60) < 0.7
        wants = rank.comparable(scores, pool)
        values = rank.combine(wants, how)
        np.testing.assert_array_equal(rank.combine(wants[rng.permutation(people)], how), values)
        np.testing.assert_allclose(rank.combine(rank.comparable(3 * scores + 5, pool), how)[pool], values[pool])
        for a, b in combinations(np.flatnonzero(pool).tolist(), 2):
            if (wants[:, a] > wants[:, b]).all():
                assert values[a] > values[b]


# -- the list --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", rank.HOWS)
@pytest.mark.parametrize("pair", PAIRS)
def test_the_order_of_the_people_makes_no_difference(service: Service, pair: tuple[str, str], how: rank.How) -> None:
    one, two = (ask(service, name) for name in pair)
    found, turned = together([one, two], how, 10), together([two, one], how, 10)
    assert [(f.item, f.value, f.wants, f.ranks) for f in found.films] == [(f.item, f.value, f.wants[::-1], f.ranks[::-1]) for f in turned.films]
    assert [f.cards for f in found.films] == [f.cards[::-1] for f in turned.films]
    assert found.served == turned.served[::-1]
    assert together([ask(service, name) for name in pair], how, 10) == found


@pytest.mark.parametrize("how", rank.HOWS)
@pytest.mark.parametrize("name", ["vera", "mia", "walter", "jonas", "sam"])
def test_two_people_alike_get_their_own_ranking(service: Service, name: str, how: rank.How) -> None:
    found = together([ask(service, name), ask(service, name)], how)
    row, pool = first_row(ask(service, name))
    assert [f.item for f in found.films] == rank.top(rank.mask(row.scores, ~pool), 20).tolist()
    assert [f.ranks for f in found.films] == [(n, n) for n in range(1, 21)]
    assert found.served == pytest.approx((1, 1))
    assert found.better is None
    assert found.fairness.endswith(f"gives {service.viewers[name].name} 100% and {service.viewers[name].name} 100%: it serves you alike.")


@pytest.mark.parametrize("how", rank.HOWS)
@pytest.mark.parametrize("pair", PAIRS)
def test_a_film_better_for_both_stands_above(service: Service, pair: tuple[str, str], how: rank.How) -> None:
    """Brute force over all films that either row is chosen from and both may see."""
    asked = [ask(service, name) for name in pair]
    found = together(asked, how)
    rows = [first_row(a) for a in asked]
    pool = (rows[0][1] | rows[1][1]) & asked[0].offered & asked[1].offered
    pool[np.union1d(asked[0].seen, asked[1].seen)] = False
    assert found.among == pool.sum()
    a, b = (row.scores for row, _ in rows)
    for n, film in enumerate(found.films):
        better = np.flatnonzero(pool & (a > a[film.item]) & (b > b[film.item])).tolist()
        assert set(better) <= {f.item for f in found.films[:n]}
        assert film.ranks == tuple(1 + int((pool & (s > s[film.item])).sum()) for s in (a, b))
    values = [f.value for f in found.films]
    assert values == sorted(values, reverse=True)
    assert how != "least misery" or values == [min(f.wants) for f in found.films]


@pytest.mark.parametrize("how", rank.HOWS)
def test_a_childs_limit_and_everybodys_rules_bind(service: Service, how: rank.How) -> None:
    catalog = service.catalog
    dmitri = ask(service, "dmitri", Filters(minutes=110))
    gone = frozenset(f.item for f in together([ask(service, "mia"), dmitri], how).films[:3])
    for people in ([ask(service, "mia", hidden=gone), dmitri], [dmitri, ask(service, "mia", Filters(genre="Comedy"), gone)]):
        items = np.array([f.item for f in together(people, how, 60).films])
        assert len(items) >= 20
        assert set(np.array(catalog.certificates)[items]) <= {"G", "PG"}
        assert (catalog.minutes[items] <= 110).all()
        assert not set(items.tolist()) & (gone | set(service.viewers["mia"].profile.items) | set(service.viewers["dmitri"].profile.items))
        assert people[0] is not dmitri or catalog.genres[items, catalog.genre("Comedy")].all()
        for asked in people:
            assert not (asked.promise["chance"][items] < service.settings.least_match).any()


def test_each_sees_their_own_match_and_sentence(service: Service) -> None:
    people = [ask(service, name) for name in ("vera", "sam", "kenji")]
    found = together(people, k=12)
    items = np.array([f.item for f in found.films])
    for n, asked in enumerate(people):
        own = asked.recommendations(first_row(asked)[0], items)
        assert tuple(f.cards[n] for f in found.films) == own
        assert all(card.sentence for card in own)
        for card in own:
            chance = asked.promise["chance"][card.item]
            assert card.match == (None if np.isnan(chance) else round(100 * float(chance)))
    assert len({f.cards[0].sentence for f in found.films}) > 3


@pytest.mark.parametrize("pair", PAIRS)
def test_whom_it_serves_better_is_found_by_their_own_lists(service: Service, pair: tuple[str, str]) -> None:
    asked = [ask(service, name) for name in pair]
    for how in rank.HOWS:
        found, names = together(asked, how, 10), [a.viewer.name for a in asked]
        whole = together(asked, how, found.among).films
        for n, share in enumerate(found.served):
            best = sorted((f.wants[n] for f in whole), reverse=True)[:10]
            assert share == pytest.approx(sum(f.wants[n] for f in found.films) / sum(best))
            assert share <= 1 + 1e-9
            assert f"{names[n]} {share:.0%}" in found.fairness
        assert found.fairness.startswith("Of what the 10 of them that each wants most would give, this list gives ")
        gap = found.served[0] - found.served[1]
        assert found.better == (None if abs(gap) <= EVEN else int(gap < 0))
        assert found.fairness.endswith("alike." if found.better is None else f"it serves {names[found.better]} best.")


def test_no_film_for_all_says_so(service: Service) -> None:
    found = together([ask(service, "vera", Filters(minutes=1)), ask(service, "kenji")])
    assert (found.films, found.among, found.fairness) == ((), 0, "No film fits all of you.")
    with pytest.raises(ValueError, match="1 people, wanted 2 or more"):
        together([ask(service, "vera")])


def test_without_a_first_row_there_is_no_list(service: Service) -> None:
    bare = replace(service, models={"ratings": service.models["ratings"]})
    with pytest.raises(LookupError, match="no model is loaded that makes a first row"):
        together([ask(bare, "vera"), ask(bare, "kenji")])


# -- the study -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strangers() -> Interactions:
    """41 people, 25 of 60 films each."""
    rng = np.random.default_rng(4)
    users = np.repeat(np.arange(41), 25)
    items = np.concatenate([rng.choice(60, 25, replace=False) for _ in range(41)])
    stars, times = rng.integers(1, 6, len(users)).astype(np.float32), rng.integers(0, 10**6, len(users))
    return Interactions.sorted(users, items, stars, times, n_users=41, n_items=60)


def test_pairs_know_nothing_of_what_they_are_asked(strangers: Interactions) -> None:
    candidates = np.arange(60) > 4
    split = study.questions(strangers, candidates, seed=2)
    assert len(split) % 2 == 0
    assert 16 <= len(split) == len(set(split.users.tolist()))
    relevant, given = split.relevant.toarray(), strangers.matrix(strangers.ratings).toarray()
    queries = split.queries(slice(None))
    for b, query in enumerate(queries):
        other = queries[b + 1 - 2 * (b % 2)]
        right = set(np.flatnonzero(relevant[b]).tolist())
        assert right
        assert not right & (set(query.profile.items) | set(other.profile.items) | set(range(5)))
        rated = set(np.flatnonzero(given[split.users[b]]).tolist())
        assert set(query.profile.items) < rated
        liked = {i for i in rated if given[split.users[b], i] >= 4 and candidates[i]} - set(query.profile.items)
        assert right == liked - set(other.profile.items)
    known = sum(len(q.profile) for q in queries) / (25 * len(split))
    assert 0.75 < known < 0.85
    assert study.questions(strangers, candidates, seed=2).checksum() == split.checksum() != study.questions(strangers, candidates, seed=3).checksum()


def test_a_pair_by_hand() -> None:
    """Twelve films, two of them in no pool. Film 2 is right for the first person, film 3 for the second."""
    first, second = np.zeros(12), np.zeros(12)
    first[[2, 3, 4]], second[[3, 5]] = (9, 3, 2), (8, 6)
    pools = np.array([[True] * 10 + [False] * 2])
    chance = np.tile(np.linspace(1, 0, 12), (2, 1))
    w = study.Wishes({"hybrid": np.stack([first, second]), "popularity": np.tile(np.arange(12.0), (2, 1))}, chance, pools)
    relevant = study.relevant_films(np.array([0, 1]), np.array([2, 3]), (2, 12))
    found = study.served(w, study.values(w), relevant)
    at = lambda place: float(ndcg(np.eye(10, dtype=bool)[[place - 1]], np.array([1]), 10)[0])
    assert found["own"].tolist() == [[at(1), at(1)]]
    assert found["popularity"].tolist() == [[at(8), at(7)]]  # films 9, 8, ... 0
    assert found["chance"].tolist() == [[at(3), at(4)]]
    assert found["most pleasure"].tolist() == [[at(1), at(2)]]
    assert found["least misery"][0, 1] == at(1)  # the only film both want
    assert found["average"].tolist() == [[at(2), at(1)]]


def test_a_pair_is_no_business_of_another() -> None:
    rng = np.random.default_rng(0)
    scores, chance, pools = rng.normal(size=(4, 30)), rng.random((4, 30)), rng.random((2, 30)) < 0.8
    one, two = (
        study.values(study.Wishes({"hybrid": s, "popularity": s}, chance, pools)) for s in (scores, np.concatenate([scores[:2], -scores[2:]]))
    )
    for name in study.LABELS:
        np.testing.assert_array_equal(one[name][:2], two[name][:2])
        assert (name in ("chance", "random")) == bool((one[name][2:] == two[name][2:]).all())


@pytest.mark.parametrize("pair", [("vera", "kenji"), ("mia", "dmitri")])
def test_what_is_measured_is_what_is_served(service: Service, pair: tuple[str, str]) -> None:
    """Two demo viewers as a pair of the study get the list that they get at the desk, at no moment in particular and without a limit."""
    viewers = [replace(service.viewers[name], certificate=None) for name in pair]
    columns = [np.concatenate([getattr(v.profile, name) for v in viewers]) for name in ("items", "ratings", "times")]
    lengths, n = [len(v.profile) for v in viewers], len(service.catalog)
    log = Interactions(np.repeat([0, 1], lengths), *columns, n_users=2, n_items=n)
    ends = np.cumsum(lengths)
    asked = Split(
        protocol="together",
        variant=study.MEAN,
        seed=0,
        train=log,
        source=log,
        spans=np.stack([ends - lengths, ends], axis=1),
        users=np.arange(2),
        relevant=study.relevant_films(np.arange(2), np.arange(2), (2, n)),
        at=np.zeros(2),
        times_of_day=np.full(2, -1),
        candidates=np.ones(n, bool),
        liked_from=3.0,
    )
    w = study.wishes(service.models, asked, service.settings.least_match)
    found = study.values(w)
    requests = [service.request(v, service.query(v, Context())) for v in viewers]
    for how in rank.HOWS:
        served = together(requests, how)
        assert served.among == w.pools.sum()
        assert [f.item for f in served.films] == rank.top(rank.mask(found[how][0], ~w.pools[0]), 20).tolist()
        np.testing.assert_allclose([f.value for f in served.films], [found[how][0, f.item] for f in served.films], atol=1e-5)


def test_names_and_limits_are_those_of_the_app() -> None:
    assert study.CANDIDATES == CANDIDATES
    assert set(rank.HOWS) < set(study.LABELS)
    assert set(WHY) == set(rank.HOWS)


def test_the_default_is_what_the_report_bears_out() -> None:
    """No other way of the page gives more, to the two or to the worse served."""
    found = report.read(ROOT / "artifacts" / "reports" / "together.json")
    others = [d for d in found.differences if d.model in rank.HOWS]
    assert {d.against for d in others} == {DEFAULT}
    assert {(d.variant, d.model) for d in others} == {(v, how) for v in (study.MEAN, study.LEAST) for how in rank.HOWS if how != DEFAULT}
    assert all(d.delta < 0 for d in others)
    assert "no other way gave more" in WHY[DEFAULT]
