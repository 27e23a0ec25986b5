"""What the GET routes of films and viewers answer: the shapes, and the plain JSON of each."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from pydantic import ConfigDict, Field

from recommender.api.answered import Answered, Choice, Film, Known, film
from recommender.api.people import Person
from recommender.catalog import Catalog
from recommender.serve.alike import Alike


def with_example(example: dict[str, Any]) -> ConfigDict:
    """The settings of an answer's model, with one answer for the documentation."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class Paged(Answered):
    """A part of a list."""

    total: int = Field(description="how many there are on all pages")
    page: int
    pages: int
    size: int = Field(description="how many are on a full page")


class User(Answered):
    """Who was asked for."""

    id: str
    name: str
    known: Known = Field(description="how the house knows them")


# -- films -------------------------------------------------------------------------------------------------------------


class Movie(Film):
    """A film and all that is known of it."""

    model_config = with_example(
        {
            "id": 2571, "title": "The Matrix", "year": 1999, "genres": ["Action", "Sci-Fi", "Thriller"], "vote_average": 4.316, "vote_count": 2590,
            "also": [], "certificate": "R", "minutes": 136, "directors": ["Lana Wachowski", "Lilly Wachowski"],
            "actors": ["Keanu Reeves", "Laurence Fishburne", "Carrie-Anne Moss", "Hugo Weaving"], "in_colour": True,
            "imdb_id": 133093, "tmdb_id": 603,
        }
    )  # fmt: skip

    also: list[str] = Field(description="other titles of it")
    certificate: str | None = Field(description="G, PG, PG-13, R or NC-17, or as it is called elsewhere; null where none is known")
    minutes: int | None = Field(description="running time")
    directors: list[str]
    actors: list[str]
    in_colour: bool = Field(description="false where it is known or suspected to be in black and white")
    imdb_id: int | None
    tmdb_id: int | None


class Movies(Paged):
    """Films: those that were searched for, the likest first; or all, the most rated first."""

    movies: list[Movie]


class Genre(Answered):
    """A genre of the catalogue."""

    name: str
    movies: int = Field(description="how many films have it")


class Genres(Answered):
    """All genres."""

    model_config = with_example({"genres": [{"name": "Action", "movies": 503}]})

    genres: list[Genre]


class Similar(Film):
    """A film like another."""

    similarity_score: float = Field(description="what the model gives it for somebody who gave the other five stars and nothing else")


class SimilarMovies(Answered):
    """Films like one film."""

    movie: Film
    model: str | None = Field(description="which model says so; null where none knows enough films like it")
    similar: list[Similar] = Field(description="the nearest first")
    notes: list[str]


def movie(item: int, catalog: Catalog) -> dict[str, Any]:
    """Everything known of a film, as in Movie."""
    minutes = float(catalog.minutes[item])
    return {
        **film(item, catalog),
        "also": list(catalog.also[item]),
        "certificate": catalog.certificates[item] or None,
        "minutes": int(minutes) if math.isfinite(minutes) else None,
        "directors": list(catalog.directors[item]),
        "actors": list(catalog.actors[item]),
        "in_colour": bool(catalog.in_colour[item]),
        "imdb_id": int(catalog.imdb_ids[item]) or None,
        "tmdb_id": int(catalog.tmdb_ids[item]) or None,
    }


def genres(catalog: Catalog) -> dict[str, Any]:
    """All genres, as in Genres."""
    return {"genres": [{"name": name, "movies": int(n)} for name, n in zip(catalog.genre_names, catalog.genres.sum(axis=0))]}


def similar(item: int, found: Alike, catalog: Catalog, notes: list[str]) -> dict[str, Any]:
    """Films like one, as in SimilarMovies."""
    near = [{**film(i, catalog), "similarity_score": round(float(s), 9)} for i, s in zip(found.items, found.scores)]
    return {"movie": film(item, catalog), "model": found.model, "similar": near, "notes": notes}


# -- viewers -----------------------------------------------------------------------------------------------------------


class Listed(User):
    """A viewer who can be asked for."""

    line: str = Field(description="who they are, in a sentence")
    certificate: str | None = Field(description="nothing stricter is shown to them; null for no limit")


class DataSet(Answered):
    """People of MovieLens, each of whom can be asked for by number."""

    name: str
    users: int
    first: int = Field(description="lowest number")
    last: int = Field(description="highest number")


class Users(Paged):
    """Who can be asked for by name."""

    users: list[Listed]
    data_set: DataSet | None = Field(description="null where no data set has been fetched")


class Stands(Answered):
    """One thing that stands of a film."""

    movie: Film
    said: str = Field(description="rating, love, like, dislike or watched; list: on the watch-list; hide: never shown; unuse: no reasoning uses it")
    stars: float | None = Field(description="of a rating")
    at: datetime | None = Field(description="null where that is not known")


class Line(Answered):
    """One thing that was said or done, or one import."""

    id: str = Field(description="of the event: POST /feedback takes it back with kind undo; or of the import")
    kind: str
    at: datetime
    text: str
    movie: Choice | None
    row: str = Field(description="where on Home the film stood; empty where it stood nowhere")
    state: str = Field(description="stands, replaced by a later word on the same film, taken back, or done where nothing can be taken back")


class Standing(Paged):
    """What stands, the latest first."""

    films: list[Stands]


class Log(Paged):
    """What was said and done, the latest first."""

    lines: list[Line]


class History(Answered):
    """What a viewer has said."""

    user: User
    notes: list[str]
    stands: Standing
    log: Log


def user(who: Person) -> dict[str, Any]:
    """Whoever was asked for, as in User."""
    return {"id": who.viewer.id, "name": who.viewer.name, "known": who.known}


def when(seconds: float) -> str | None:
    """A time as ISO 8601, in universal time; None for 0, which is unknown."""
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None


def stands(item: int, said: str, stars: float | None, at: float, catalog: Catalog) -> dict[str, Any]:
    """One thing that stands, as in Stands."""
    return {"movie": film(item, catalog), "said": said, "stars": stars, "at": when(at)}
