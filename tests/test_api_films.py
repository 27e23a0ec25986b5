"""GET /api/movies, /api/movie_genres and /api/similar_movies: every film once, what fits, and films like a film within a child's limit."""

from __future__ import annotations

import numpy as np
import pytest
from browsing import got, refused

from recommender.api import browsed
from recommender.catalog import Catalog
from recommender.serve.alike import ENOUGH, alike
from recommender.types import Context, Query

MATRIX = 2571


@pytest.fixture(scope="module")
def desk(api):
    return api.app.state.desk.service


@pytest.fixture(scope="module")
def catalog(desk) -> Catalog:
    return desk.catalog


def test_the_pages_hold_every_film_once_the_most_rated_first(api, catalog) -> None:
    pages = [got(api, "/api/movies", browsed.Movies, page=n, size=100) for n in range(1, 1 + -(-len(catalog) // 100))]
    films = [film for page in pages for film in page["movies"]]
    assert sorted(film["id"] for film in films) == sorted(catalog.ids.tolist())
    raters = [film["vote_count"] or 0 for film in films]
    assert raters == sorted(raters, reverse=True)
    assert {(page["total"], page["pages"]) for page in pages} == {(len(catalog), len(pages))}
    assert got(api, "/api/movies", browsed.Movies, page=len(pages) + 1, size=100)["movies"] == []


@pytest.mark.parametrize(
    "params",
    [
        {"genre": "film-noir"},
        {"decade": 1970, "certificate": "PG"},
        {"minutes": 80, "in_colour": True},
        {"least_stars": 4.2, "fame": "famous"},
    ],
)
def test_filters_keep_what_fits_and_nothing_else(api, catalog, params) -> None:
    fits = np.ones(len(catalog), bool)
    if "genre" in params:
        fits &= catalog.genres[:, catalog.genre_names.index("Film-Noir")]
    if "decade" in params:
        fits &= (catalog.years // 10 == 197) & np.isin(catalog.certificates, ["G", "PG"])
    if "minutes" in params:
        fits &= (catalog.minutes <= 80) & catalog.in_colour
    if "least_stars" in params:
        fits &= (catalog.stars >= 4.2) & (catalog.raters >= np.quantile(catalog.raters[catalog.raters > 0], 0.75))
    first = got(api, "/api/movies", browsed.Movies, size=100, **params)
    assert first["total"] == fits.sum() > 0
    assert {film["id"] for film in first["movies"]} <= set(catalog.ids[fits].tolist())


def test_a_search_forgives_and_is_filtered(api) -> None:
    assert got(api, "/api/movies", browsed.Movies, q="matirx")["movies"][0]["id"] == MATRIX
    hitchcock = got(api, "/api/movies", browsed.Movies, q="hitchcok", size=100)
    assert hitchcock["movies"][0]["title"] == "Storefront Hitchcock"  # a title before a name
    assert all("Alfred Hitchcock" in film["directors"] for film in hitchcock["movies"][1:10])
    fifties = got(api, "/api/movies", browsed.Movies, q="hitchcok", decade=1950, size=100)
    assert [f for f in hitchcock["movies"] if f["year"] // 10 == 195] == fifties["movies"]
    assert got(api, "/api/movies", browsed.Movies, q="  ")["total"] == got(api, "/api/movies", browsed.Movies)["total"]
    assert got(api, "/api/movies", browsed.Movies, q="zzzzqqqq")["total"] == 0


def test_a_film_by_its_id(api, catalog) -> None:
    film, item = got(api, f"/api/movies/{MATRIX}", browsed.Movie), catalog.index(MATRIX)
    assert film == browsed.Movie.model_config["json_schema_extra"]["examples"][0]  # the documentation's example is the answer
    assert film["vote_average"] == pytest.approx(catalog.stars[item], abs=5e-4)
    unrated = int(np.flatnonzero(catalog.raters == 0)[0])
    alone = got(api, f"/api/movies/{catalog.ids[unrated]}", browsed.Movie)
    assert alone["vote_average"] is alone["vote_count"] is None
    refused(api, 404, "/api/movies/999999")
    refused(api, 422, "/api/movies/-1")


def test_genres_are_counted(api, catalog) -> None:
    said = got(api, "/api/movie_genres", browsed.Genres)["genres"]
    assert [genre["name"] for genre in said] == list(catalog.genre_names)
    assert said[0] == browsed.Genres.model_config["json_schema_extra"]["examples"][0]["genres"][0]
    for genre in said[:4]:
        assert got(api, "/api/movies", browsed.Movies, genre=genre["name"], size=1)["total"] == genre["movies"]


def test_films_like_a_film_are_those_of_its_card(api, desk) -> None:
    viewer, item = desk.viewers["kenji"], desk.catalog.index(MATRIX)
    card = desk.details(viewer, Query(viewer.profile, Context()), item, "")
    said = got(api, "/api/similar_movies", browsed.SimilarMovies, title="The Matrix")
    assert [film["id"] for film in said["similar"]] == desk.catalog.ids[list(card.similar)].tolist()
    assert (said["model"], said["movie"]["id"], said["notes"]) == ("ease", MATRIX, [])
    scores = [film["similarity_score"] for film in said["similar"]]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


def test_fewer_are_the_first_of_more(api) -> None:
    many = got(api, "/api/similar_movies", browsed.SimilarMovies, movie_id=MATRIX, k=100)
    few = got(api, "/api/similar_movies", browsed.SimilarMovies, movie_id=MATRIX, k=3)
    assert few["similar"] == many["similar"][:3]
    assert len({film["id"] for film in many["similar"]} - {MATRIX}) == len(many["similar"]) > ENOUGH


def test_a_film_that_hardly_anybody_rated_is_compared_by_its_content(api, catalog) -> None:
    rare = int(catalog.ids[np.flatnonzero(catalog.raters == 0)[0]])
    said = got(api, "/api/similar_movies", browsed.SimilarMovies, movie_id=rare)
    assert said["model"] == "content"
    assert rare not in {film["id"] for film in said["similar"]}


def test_which_model_answers_does_not_hang_on_how_many_films_are_wanted(desk) -> None:
    films = np.argsort(-desk.catalog.raters)[1000:1400].tolist()
    found = [alike(item, desk.models, desk.catalog, "G", 100) for item in films]
    assert [few.model for few in (alike(item, desk.models, desk.catalog, "G", 5) for item in films)] == [many.model for many in found]
    assert any(many.model == "ease" and ENOUGH <= len(many.items) < 100 for many in found)


class Flat:
    """Finds every film as good as any other, the one that is asked about too."""

    def __init__(self, films: int) -> None:
        self.films = films

    def score(self, queries: list[Query]) -> np.ndarray:
        return np.ones((len(queries), self.films), np.float32)


def test_a_film_is_not_like_itself(desk) -> None:
    assert alike(3, {"content": Flat(len(desk.catalog))}, desk.catalog, k=5).items == (0, 1, 2, 4, 5)


def test_where_no_model_knows_enough_none_is_named(desk) -> None:
    found = alike(0, {}, desk.catalog)
    assert (found.items, len(found.scores), found.model) == ((), 0, None)


def test_whoever_is_not_known_is_told_so_beside_what_a_title_was_taken_for(api) -> None:
    said = got(api, "/api/similar_movies", browsed.SimilarMovies, title="matirx", user_id="stranger-9")
    assert ["stranger-9" in said["notes"][0], "The Matrix" in said["notes"][1]] == [True, True]


def test_a_child_is_shown_no_film_over_the_limit(api, catalog) -> None:
    toys = got(api, "/api/similar_movies", browsed.SimilarMovies, title="Toy Story", user_id="mia", k=100)["similar"]
    grown = got(api, "/api/similar_movies", browsed.SimilarMovies, title="Toy Story", k=100)["similar"]
    assert {catalog.certificates[catalog.index(film["id"])] for film in toys} <= {"G", "PG"}
    assert {film["id"] for film in grown} - {film["id"] for film in toys}
    assert "Matrix" not in str(refused(api, 403, "/api/similar_movies", movie_id=MATRIX, user_id="mia"))


def test_what_names_no_one_film_comes_back_with_choices(api) -> None:
    assert {film["year"] for film in refused(api, 409, "/api/similar_movies", title="Sabrina")["choices"]} == {1954, 1995}
    for params in ({}, {"title": "Toy Story", "movie_id": 1}):
        assert "one of them" in refused(api, 422, "/api/similar_movies", **params)["detail"]
    assert "Comedy" in refused(api, 422, "/api/movies", genre="comdy")["detail"]
    assert "1990" in refused(api, 422, "/api/movies", decade=1850)["detail"]
