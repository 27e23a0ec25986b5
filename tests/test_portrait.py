"""The taste profile: hand-worked shares, the laws that shares obey, the viewer who is the average, and the one of whom nothing is known."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from recommender.catalog import Catalog
from recommender.serve.portrait import Trait, bands, portrait
from recommender.types import Profile

NAMES = ("Comedy", "Drama", "War")
#            film    0          1          2        3         4: no genre, no year
GENRES = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], bool)
RATERS = np.array([40, 30, 20, 10, 0])


def catalogue(raters: np.ndarray = RATERS) -> Catalog:
    n = len(GENRES)
    return Catalog(
        ids=np.arange(n) + 100,
        titles=tuple(f"Film {i}" for i in range(n)),
        years=np.array([1994, 1999, 1984, 1990, 0]),
        genres=GENRES,
        genre_names=NAMES,
        directors=(("Ana",), ("Ana",), ("Bo",), ("Bo",), ()),
        actors=(("Cy",), (), ("Ana",), (), ("Cy",)),
        certificates=("",) * n,
        minutes=np.full(n, np.nan),
        imdb_ids=np.zeros(n, int),
        tmdb_ids=np.zeros(n, int),
        raters=raters,
    )


def of(*items: int, stars: float = 4.0) -> Profile:
    return Profile(np.array(items), np.full(len(items), stars), np.arange(len(items)))


def by_name(traits: tuple[Trait, ...]) -> dict:
    return {t.subject: t for t in traits}


def test_a_case_by_hand():
    profile = Profile(np.array([0, 1, 3]), np.array([5.0, 4.0, 1.0]), np.arange(3))
    found = by_name(portrait(profile, catalogue()).genres)
    # theirs: 1 + 1/2 of 3 films are comedy, 1/2 drama, 1 war
    assert [found[n].share for n in NAMES] == pytest.approx([1.5 / 3, 0.5 / 3, 1 / 3])
    # everybody's 100 ratings of films with a genre: 40 + 15 comedy, 15 + 20 drama, 10 war
    assert [found[n].usual for n in NAMES] == pytest.approx([0.55, 0.35, 0.1])
    assert found["War"].difference == pytest.approx(1 / 3 - 0.1)
    # newest first; stars are the plain mean of those films
    assert (found["Comedy"].films, found["Comedy"].stars) == ((1, 0), 4.5)
    # war is 1 with chance .1: a standard deviation of .3 for one film, of .3 / sqrt 3 for three
    assert found["War"].noise == pytest.approx(0.3 / np.sqrt(3))
    assert found["War"].span == pytest.approx((0, 0.1 + 1.959964 * 0.3 / np.sqrt(3)))
    assert not found["War"].sure


def test_decades_and_groups_by_hand():
    found = portrait(of(0, 2), catalogue(), groups=np.array([7, 7, 2, -1, -1]))
    assert [(t.subject, t.share) for t in found.decades] == [(1980, 0.5), (1990, 0.5)]
    assert [t.usual for t in found.decades] == pytest.approx([0.2, 0.8])
    # film 3 has 10 ratings and no group: 90 are left
    assert [(t.subject, t.share) for t in found.groups] == [(2, 0.5), (7, 0.5)]
    assert [t.usual for t in found.groups] == pytest.approx([20 / 90, 70 / 90])


@pytest.mark.parametrize("aspect", ["genres", "decades", "groups", "bands"])
def test_shares_sum_to_one_on_both_sides(aspect):
    rng = np.random.default_rng(0)
    for n in range(1, 6):
        profile = of(*dict.fromkeys([0, *rng.permutation(5)[:n].tolist()]))
        traits = getattr(portrait(profile, catalogue(), groups=np.array([1, 1, 0, 2, -1])), aspect)
        assert sum(t.share for t in traits) == pytest.approx(1)
        assert sum(t.usual for t in traits) == pytest.approx(1)


def test_who_is_exactly_the_average_differs_in_nothing():
    alike = catalogue(np.array([5, 5, 5, 5, 0]))
    found = portrait(of(0, 1, 2, 3), alike, groups=np.array([0, 1, 0, 1, -1]))
    for traits in (found.genres, found.decades, found.groups, found.bands, found.people):
        assert traits
        assert [t.difference for t in traits] == pytest.approx([0] * len(traits))
        assert not any(t.sure for t in traits)
    assert found.raters == found.usual_raters == 5


def test_an_empty_profile_claims_nothing():
    found = portrait(Profile(), catalogue())
    assert (found.n, found.people, found.raters) == (0, (), None)
    for t in (*found.genres, *found.decades, *found.bands):
        assert (t.films, t.stars, t.share, t.difference, t.noise, t.span, t.sure) == ((), None, None, None, None, None, False)
    assert by_name(found.genres)["Comedy"].usual == pytest.approx(0.55)  # the average viewer is still known


def test_people_of_at_least_two_films_of_theirs():
    found = portrait(of(0, 1, 2), catalogue()).people
    # Ana directed two and played in a third; Bo and Cy have one of theirs each
    assert [(t.subject, t.films, t.share) for t in found] == [("Ana", (2, 1, 0), 1.0)]
    assert found[0].usual == pytest.approx(90 / 100)
    assert found[0].noise is None
    assert not found[0].sure


def test_a_difference_is_sure_only_beyond_what_chance_gives():
    sharp = Trait("x", (1,), 4.0, 0.5, 0.3, 0.1)
    assert sharp.sure  # .2 > 1.96 * .1
    assert not replace(sharp, share=0.49).sure  # .19 is not
    assert replace(sharp, share=0.1).sure  # less counts as well as more


def test_bands_hold_about_as_many_ratings_and_equal_films_stand_together():
    raters = np.array([50, 10, 10, 10, 10, 10, 0])
    band, bounds = bands(raters)
    # 100 ratings: the middle of the first film is at .25, of the five that are alike at .75
    assert band.tolist() == [0, 1, 1, 1, 1, 1, 2]
    assert bounds == ((50, 50), (10, 10), (0, 0))
    rng = np.random.default_rng(1)
    raters = rng.integers(1, 500, 2000)
    band, bounds = bands(raters)
    held = np.bincount(band, raters) / raters.sum()
    assert np.abs(held - 0.2).max() < 0.01
    assert all(low > high for (low, _), (_, high) in pairwise(bounds))


def test_the_middle_rating_stands_at_its_film():
    # in the order of raters: 0, 10, 20 | 30, 40 ratings; the 50th of 100 is one of the film with 30
    assert portrait(of(2), catalogue()).usual_raters == 30
    assert portrait(of(2), catalogue()).raters == 20
