"""Films: what there is, and what is like what."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse

from recommender.api import browsed
from recommender.api.depends import Answering
from recommender.api.parameters import MOST_ID, WHERE, Filtered, OneFilm, OnPage, PerhapsUserId
from recommender.api.people import person
from recommender.api.problems import documented
from recommender.api.titles import film, found, taken
from recommender.catalog import Catalog
from recommender.serve.alike import alike

router = APIRouter(tags=["films"])


@router.get("/api/movies", operation_id="movies", response_model=browsed.Movies)
def movies(
    service: Answering,
    filters: Filtered,
    page: OnPage,
    q: Annotated[
        str | None, Query(max_length=300, examples=["matirx"], description="a title or a person's name, typing errors forgiven; all films without")
    ] = None,
) -> JSONResponse:
    """Films by what people type, the likest first; or all there are, the most rated first."""
    catalog = service.catalog
    ordered = np.array(catalog.search(q, len(catalog)), np.int64) if q and q.strip() else _best_known(catalog)
    items = ordered[catalog.fits(filters)[ordered]].tolist()
    return JSONResponse({**page.facts(len(items)), "movies": [browsed.movie(item, catalog) for item in page.of(items)]})


@router.get("/api/movies/{movie_id}", operation_id="movie", response_model=browsed.Movie, responses=documented(404))
def movie(service: Answering, movie_id: Annotated[int, Path(ge=0, le=MOST_ID, examples=[2571], description="MovieLens id")]) -> JSONResponse:
    """One film."""
    return JSONResponse(browsed.movie(film(service, movie_id, "path.movie_id"), service.catalog))


@router.get("/api/movie_genres", operation_id="movie_genres", response_model=browsed.Genres)
def movie_genres(service: Answering) -> JSONResponse:
    """All genres, and how many films each has."""
    return JSONResponse(browsed.genres(service.catalog))


@router.get("/api/similar_movies", operation_id="similar_movies", response_model=browsed.SimilarMovies, responses=documented(403, 404, 409))
def similar_movies(
    service: Answering,
    wished: OneFilm,
    user_id: PerhapsUserId = None,
    k: Annotated[int, Query(ge=1, le=100, description="films in the answer")] = 12,
) -> JSONResponse:
    """Films like one film: what its card in the app shows. With a user_id, only films within that viewer's limit."""
    who = person(service, user_id, where=WHERE)
    meant = found(service, [wished], who.viewer)
    near = alike(meant[0].item, service.models, service.catalog, who.viewer.certificate, k)
    return JSONResponse(browsed.similar(meant[0].item, near, service.catalog, [*who.notes, *taken(service, [wished], meant)]))


def _best_known(catalog: Catalog) -> np.ndarray:  # (I,)
    """All films, the most rated first, then by id."""
    return np.lexsort((catalog.ids, -catalog.raters))
