"""One list for several people: the laws of putting wishes together, and who may see what."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from recommender import rank
from recommender.serve.inquiry import first_row
from recommender.serve.request import Request
from recommender.serve.service import Service
from recommender.serve.together import EVEN, together
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
