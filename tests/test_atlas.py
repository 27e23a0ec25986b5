"""The atlas: groups are what their names say, places keep neighbours near, and nothing is told of films that few people rated."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.preprocessing import normalize

from recommender import artifacts
from recommender import train as training
from recommender.artifacts import ArtifactError
from recommender.catalog import Catalog
from recommender.load import read_films
from recommender.models.atlas import Atlas, _settled
from recommender.models.factors import ALS
from recommender.models.naming import FAMOUS, HALF, RATED, Films, name_groups
from recommender.settings import settings
from recommender.world import checkerboard

CATALOG, LOG = checkerboard()
MODELS = {"als": ALS(factors=4, iterations=3).fit(LOG, CATALOG)}
ANY = np.ones(len(CATALOG), bool)


def drawn(seed: int = 0, log=LOG) -> Atlas:
    return Atlas(fewest=2, most=4, perplexity=5, seed=seed).attach(MODELS).fit(log, CATALOG)


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return drawn()


# -- groups ------------------------------------------------------------------------------------------------------------


def test_films_watched_by_the_same_people_are_one_group(atlas) -> None:
    even, odd = atlas.group_[::2], atlas.group_[1::2]
    assert len(np.unique(even)) == len(np.unique(odd)) == 1
    assert even[0] != odd[0]


def test_no_film_would_move_to_another_group() -> None:
    x = normalize(np.array([[1.0, 0.1], [1, 0], [0.1, 1], [0, 1], [0.8, 0.6]]))
    settled = _settled(x, np.array([1.0, 4, 1, 4, 1]), np.array([0, 0, 1, 1, 1]))
    assert settled.tolist() == [0, 0, 1, 1, 0]
    rng = np.random.default_rng(0)
    x, weight = normalize(rng.normal(size=(300, 3))), rng.random(300)
    settled = _settled(x, weight, rng.integers(0, 6, 300))
    centres = normalize(np.stack([(weight[:, None] * x)[settled == g].sum(axis=0) for g in range(6)]))
    np.testing.assert_array_equal((x @ centres.T).argmax(axis=1), settled)


def test_there_are_as_many_groups_as_the_silhouette_says(atlas) -> None:
    tried = dict(atlas.quality["silhouettes"])
    assert set(tried) == {2, 3, 4}
    assert max(tried, key=tried.get) == 2 == atlas.quality["groups"] == len(atlas.centres)
    published = artifacts.card("atlas", settings().artifacts)["validation"]
    chosen, tried = published["groups"], dict(published["silhouettes"])
    assert all(tried[k] < tried[chosen] for k in tried if k < chosen)
    assert all(tried[k] - tried[chosen] < 0.01 for k in tried)  # nothing beyond it is better by more than chance


def test_groups_bear_their_genre_and_their_own_films(atlas) -> None:
    found = {g.name: g for g in atlas.groups(ANY)}
    assert set(found) == {"Comedies", "Action films"}
    for name, parity in (("Comedies", 0), ("Action films", 1)):
        assert len(found[name].films) == 6
        assert all(item % 2 == parity for item in found[name].films)
        assert (
            found[name].why
            == "20 well-known films that much the same people rated: 100% of them are what the name says, of all well-known films 50%."
        )


def test_faces_are_the_best_known_of_the_most_central_films(atlas) -> None:
    group = atlas.groups(ANY, faces=3, least=3)[0]
    own = np.flatnonzero(atlas.group_ == group.number)
    worth = {i: float(atlas.vectors[i] @ atlas.centres[group.number]) * np.log(LOG.raters[i]) for i in own.tolist()}
    assert list(group.films) == sorted(worth, key=lambda i: -worth[i])[:3]


def test_a_certificate_leaves_out_faces_and_groups_without_enough_of_them(atlas) -> None:
    mild = atlas.groups(CATALOG.allowed("PG"))
    assert [g.name for g in mild] == ["Comedies"]  # all odd films are R
    few = np.zeros(len(CATALOG), bool)
    few[[0, 2, 4, 1, 3, 5, 7]] = True
    assert [(g.name, set(g.films)) for g in atlas.groups(few)] == [("Action films", {1, 3, 5, 7})]


def test_closeness_is_in_spreads_and_highest_in_the_group(atlas) -> None:
    for g in range(len(atlas.centres)):
        near = atlas.closeness(g)
        assert (near.mean(), near.std()) == pytest.approx((0, 1), abs=1e-9)
        assert near[atlas.group_ == g].min() > near[atlas.group_ != g].max()
    with pytest.raises(LookupError, match="group number is 2, wanted 0 to 1"):
        atlas.closeness(2)
    with pytest.raises(LookupError, match="group number is -1"):
        atlas.closeness(-1)


# -- names -------------------------------------------------------------------------------------------------------------


def world(genres: dict[str, str], years: list[int]) -> Catalog:
    """Films with years; genres: name -> a digit a film, 1 where it has that genre."""
    n = len(years)
    return Catalog(
        ids=np.arange(n),
        titles=tuple(map(str, range(n))),
        years=np.array(years),
        genres=np.array([[c == "1" for c in marks] for marks in genres.values()]).T,
        genre_names=tuple(genres),
        directors=((),) * n,
        actors=(("Ann",),) * 12 + ((),) * (n - 12),
        certificates=("",) * n,
        minutes=np.full(n, np.nan),
        imdb_ids=np.zeros(n, int),
        tmdb_ids=np.zeros(n, int),
    )


def names(catalog: Catalog, groups: list[int]) -> list[str]:
    n = len(groups)
    return [name.text for name in name_groups(Films(np.arange(n), np.array(groups), np.ones(n), np.ones(n)), catalog)]


THREE = [0] * 20 + [1] * 20 + [2] * 20


def test_an_era_is_named_where_it_tells_groups_apart() -> None:
    comedies = world({"Comedy": "1" * 40 + "0" * 20, "Western": "0" * 40 + "1" * 20}, [1985] * 20 + [1995] * 20 + [1985, 1995] * 10)
    assert names(comedies, THREE) == ["Comedies of 1985", "Comedies of 1995", "Westerns"]
    spread = replace(comedies, years=np.array([*range(1980, 1990)] * 2 + [*range(1990, 2000)] * 2 + [1985, 1995] * 10))
    assert set(names(spread, THREE)) == {"Comedies of the 80s", "Comedies of the 90s", "Westerns"}


def test_two_genres_in_one_film_and_either_of_two() -> None:
    both = world({"Romance": "1" * 20 + "1" * 20 + "0" * 20, "Comedy": "1" * 20 + "0" * 20 + "1" * 20}, [0] * 60)
    assert names(both, THREE) == ["Romantic comedies", "Romances", "Comedies"]
    either = world({"Animation": "10" * 10 + "0" * 40, "Children's": "01" * 10 + "0" * 40, "War": "0" * 20 + "1" * 20 + "0" * 20}, [0] * 60)
    assert names(either, THREE)[:2] == ["Children's and animated films", "War films"]


def test_a_person_stands_beside_a_genre() -> None:
    film_noir = world({"Film-Noir": "0" * 10 + "1" * 10 + "0" * 40, "War": "0" * 20 + "1" * 20 + "0" * 20}, [0] * 60)  # Ann is in the first 12
    assert names(film_noir, THREE)[0] == "Film noir and Ann"


def test_a_name_holds_for_half_of_the_group_or_more() -> None:
    rare = world({"Western": "1" * 8 + "0" * 52, "Drama": "0" * 8 + "1" * 52}, [0] * 60)  # all westerns, but less than half of the group
    assert "Westerns" not in names(replace(rare, actors=((),) * 60), THREE)


def test_both_sides_of_an_and_fill_a_quarter_of_the_group() -> None:
    other = "0" * 20 + "1" * 40
    one_side = world({"Western": "1" * 16 + "0" * 44, "Musical": "0" * 16 + "1" * 4 + "0" * 16 + "1" * 4 + "0" * 20, "Drama": other}, [0] * 60)
    assert names(one_side, THREE)[0] == "Westerns"
    both = world({"Western": "1" * 12 + "0" * 48, "Musical": "0" * 12 + "1" * 8 + "0" * 40, "Drama": other}, [0] * 60)
    assert names(both, THREE)[0] == "Musicals and westerns"


def test_groups_that_are_alike_get_different_names() -> None:
    alike = world({"Drama": "1" * 60}, [0] * 60)
    assert len(set(names(alike, THREE))) == 3


def test_a_genre_without_words_of_its_own_is_named_plainly() -> None:
    assert names(world({"IMAX": "1" * 20 + "0" * 40, "War": "0" * 20 + "1" * 20 + "0" * 20}, [0] * 60), THREE)[0] == "Imax films"


# -- the map -----------------------------------------------------------------------------------------------------------


def test_places_fill_the_square_and_the_same_seed_gives_the_same(atlas) -> None:
    assert atlas.places_.dtype == np.float32
    assert np.abs(atlas.places_).max() == pytest.approx(1)
    assert atlas.places_.min(axis=0) == pytest.approx(-atlas.places_.max(axis=0), abs=1e-6)
    again = drawn()
    np.testing.assert_array_equal(again.places_, atlas.places_)
    np.testing.assert_array_equal(again.group_, atlas.group_)


def test_the_two_halves_of_the_world_lie_apart(atlas) -> None:
    even, odd = atlas.places_[::2], atlas.places_[1::2]
    apart = np.linalg.norm(even.mean(axis=0) - odd.mean(axis=0))
    assert apart > 2 * np.linalg.norm(even - even.mean(axis=0), axis=1).mean()
    assert atlas.quality["kept"] > atlas.quality["by_chance"]


def test_films_with_few_raters_have_no_place_no_group_and_no_figure() -> None:
    log = LOG.where((LOG.items > 1) | (LOG.users < 12))
    votes = log.raters
    assert 0 < votes[0] < 20 <= votes[2:].min()
    found = drawn(log=log)
    few = votes < 20
    assert np.isnan(found.places_[few]).all()
    assert np.isnan(found.stars_[few]).all()
    assert (found.group_[few] == -1).all()
    assert not found.raters_[few].any()
    assert not found.core_[few].any()
    for g in range(len(found.centres)):
        assert not found.closeness(g)[few].any()
        assert found.closeness(g)[~few].std() == pytest.approx(1)
    assert not {i for group in found.groups(ANY, faces=40) for i in group.films} & set(np.flatnonzero(few).tolist())


# -- artifact ----------------------------------------------------------------------------------------------------------


def test_what_is_read_back_is_what_was_written(atlas, tmp_path) -> None:
    artifacts.save("atlas", atlas, tmp_path)
    found, problems = artifacts.load_atlas(tmp_path, CATALOG, MODELS)
    assert problems == ()
    assert found.groups(ANY) == atlas.groups(ANY)
    np.testing.assert_array_equal(found.closeness(1), atlas.closeness(1))
    np.testing.assert_array_equal(found.places_, atlas.places_)


def test_an_atlas_that_cannot_be_used_is_one_line(atlas, tmp_path) -> None:
    missing = artifacts.load_atlas(tmp_path, CATALOG, MODELS)
    assert missing[0] is None
    assert "the file is missing; mend it with: python -m recommender train atlas --data DIR" in missing[1][0]
    artifacts.save("atlas", atlas, tmp_path)
    assert artifacts.load_atlas(tmp_path, CATALOG, {}) == (None, ("the atlas needs the model als, which did not load",))
    path = tmp_path / "atlas" / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    found, (problem,) = artifacts.load_atlas(tmp_path, CATALOG, MODELS)
    assert found is None
    assert "does not match the sha256" in problem
    with pytest.raises(ArtifactError):
        artifacts.card("nothing", tmp_path)


def test_training_draws_it_over_the_als_that_stands_there(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(training.BESIDE, "atlas", lambda: Atlas(fewest=2, most=3, perplexity=5))
    with pytest.raises(ArtifactError, match="train als"):
        list(training.train(["atlas"], CATALOG, LOG, tmp_path, tmp_path))
    artifacts.save("als", MODELS["als"], tmp_path)
    (card,) = training.train(["atlas"], CATALOG, LOG, tmp_path, tmp_path, seed=5)
    assert (card["name"], card["seed"], card["parameters"]["seed"], card["validation"]["films"]) == ("atlas", 5, 5, 40)
    assert json.loads((tmp_path / "atlas" / "card.json").read_text()) == card


# -- the committed one -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def films() -> Catalog:
    return read_films(settings().films)


@pytest.fixture(scope="module")
def published(films) -> Atlas:
    found, problems = artifacts.load_atlas(settings().artifacts, films, {"als": artifacts.load("als", settings().artifacts, films)})
    assert found, problems
    return found


def test_its_card_says_where_it_comes_from() -> None:
    card, als = (artifacts.card(name, settings().artifacts) for name in ("atlas", "als"))
    assert (card["data"], card["seed"], card["catalog"]) == (als["data"], als["seed"], als["catalog"])
    assert card["validation"]["by_chance"] < card["validation"]["kept"] < card["validation"]["trustworthiness"] < 1


def test_every_film_is_in_the_group_it_is_nearest_to(published) -> None:
    known = published.known
    nearest = published.likeness[:, known]
    own = nearest[published.group_[known], np.arange(known.sum())]
    np.testing.assert_allclose(own, nearest.max(axis=0), atol=1e-9)
    assert (published.group_[~known] == -1).all()
    assert np.isnan(published.places_[~known]).all()
    assert published.raters_[known].min() >= settings().min_raters


def test_names_differ_and_are_true_of_every_face(published, films) -> None:
    groups = published.groups(np.ones(len(films), bool))
    assert len({g.name for g in groups}) == len(groups) == len(published.centres)
    assert 18 <= len(groups) <= 28
    core = published.core_
    least = {"Highly rated": ("stars_", RATED), "Famous": ("raters_", FAMOUS)}
    genres = {"Westerns": "Western", "Horror films": "Horror", "Fantasy films": "Fantasy"}
    for g in groups:
        faces = np.array(g.films)
        assert 4 <= len(faces) <= 6
        assert (published.group_[faces] == g.number).all()
        for word, (fact, quantile) in least.items():
            if g.name.startswith(word):
                values = getattr(published, fact)
                assert (values[faces] >= np.quantile(values[core], quantile)).all()
        if "of the 90s" in g.name:
            assert (films.years[faces] // 10 == 199).all()
        if g.name in genres:
            assert films.genres[faces, films.genre(genres[g.name])].all()
        assert published.names[g.number].inside >= HALF


def test_children_find_faces_within_their_certificate(published, films) -> None:
    for certificate in ("G", "PG"):
        allowed = films.allowed(certificate)
        groups = published.groups(allowed)
        assert len(groups) >= 6
        assert all(allowed[list(g.films)].all() and len(g.films) >= 4 for g in groups)
