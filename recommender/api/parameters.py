"""Parameters that several GET routes take: who, which film, when, which films at all, and which page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from fastapi import Depends, Query, Request
from fastapi.dependencies.models import Dependant

from recommender.api.asked import Device, Genre, TimeOfDay, Title
from recommender.api.depends import Answering
from recommender.api.people import among, one_of, refused
from recommender.api.problems import LISTED, SHOWN
from recommender.catalog import Catalog
from recommender.types import CERTIFICATES, FAME, Context, Filters

T = TypeVar("T")
WHERE = "query"
MOST_ID = 2**31 - 1

Certificate = Literal[CERTIFICATES]  # type: ignore[valid-type]
Fame = Literal[FAME]  # type: ignore[valid-type]
_WHO = "a demo viewer by id or name, a number of MovieLens, or an id that has sent feedback"
UserId = Annotated[str, Query(min_length=1, max_length=64, examples=["ines"], description=_WHO)]
PerhapsUserId = Annotated[str | None, Query(min_length=1, max_length=64, examples=["mia"], description=_WHO)]


class Wished(NamedTuple):
    """A film as it was asked for: the parameter, and the id or the title in it."""

    where: str
    film: int | str


async def known_alone(request: Request) -> None:
    """Problem 422 for a parameter that the route does not have, and for one that is given twice, since none is a list."""
    known, given = list(_names(request.scope["route"].dependant)), request.query_params
    for name, value in given.multi_items():
        if name not in known:
            short = name[:SHOWN]
            wanted = among(f"one of {', '.join(known)}", short, known) if known else "no parameter here"
            raise refused(f"{WHERE}.{short}", value[:SHOWN], wanted)
        if len(given.getlist(name)) > 1:
            raise refused(f"{WHERE}.{name}", [one[:SHOWN] for one in given.getlist(name)[:LISTED]], "it once")


def _names(of: Dependant) -> Iterator[str]:
    """The parameters of a route and of all that it depends on."""
    yield from (field.alias for field in of.query_params)
    for inner in of.dependencies:
        yield from _names(inner)


async def one_film(
    title: Annotated[
        Title | None, Query(examples=["The Matrix"], description="as people write it; its year in brackets tells namesakes apart")
    ] = None,
    movie_id: Annotated[int | None, Query(ge=0, le=MOST_ID, examples=[2571], description="MovieLens id, instead of title")] = None,
) -> Wished:
    """The film by its title or by its id."""
    if title is not None and movie_id is not None:
        raise refused(f"{WHERE}.movie_id", movie_id, "title or movie_id, one of them")
    if movie_id is not None:
        return Wished(f"{WHERE}.movie_id", movie_id)
    if title is None:
        raise refused(f"{WHERE}.title", None, "title or movie_id, one of them")
    return Wished(f"{WHERE}.title", title)


async def moment(
    time_of_day: Annotated[TimeOfDay | None, Query(description="part of the day on the viewer's clock")] = None,
    device: Annotated[Device | None, Query(description="what the viewer watches on; its effect is simulated")] = None,
) -> Context:
    """When and on what somebody watches."""
    return Context(time_of_day, device)


async def filters(
    service: Answering,
    genre: Annotated[Genre | None, Query(description="only films of this genre, as /api/movie_genres names it", examples=["Comedy"])] = None,
    decade: Annotated[int | None, Query(ge=1800, le=2990, multiple_of=10, description="first year of the decade", examples=[1990])] = None,
    certificate: Annotated[Certificate | None, Query(description="nothing stricter, and nothing without one")] = None,
    minutes: Annotated[int | None, Query(ge=1, le=1000, description="only films known to take no longer")] = None,
    least_stars: Annotated[float | None, Query(ge=0.5, le=5, allow_inf_nan=False, description="least mean stars of all raters")] = None,
    fame: Annotated[Fame | None, Query(description="the most rated quarter of the films, the half below it, or all others")] = None,
    in_colour: Annotated[bool, Query(description="nothing known to be in black and white")] = False,
) -> Filters:
    """What a film must be."""
    return checked(service.catalog, Filters(genre, minutes, certificate, in_colour, decade, least_stars, fame), WHERE)


def checked(catalog: Catalog, asked: Filters, where: str) -> Filters:
    """Filters with the genre as the catalogue writes it; Problem 422 for a genre or a decade that it does not have."""
    if asked.decade is not None and asked.decade not in catalog.decades:
        raise refused(f"{where}.decade", asked.decade, f"one of {', '.join(map(str, catalog.decades))}")
    return asked if asked.genre is None else replace(asked, genre=one_of(f"{where}.genre", asked.genre, catalog.genre_names))


class Page(NamedTuple):
    """Which part of a list: the number of the page, from 1, and how many are on one."""

    page: int
    size: int

    def of(self, found: Sequence[T]) -> Sequence[T]:
        """What stands on this page; nothing behind the last one."""
        return found[(self.page - 1) * self.size : self.page * self.size]

    def facts(self, total: int) -> dict[str, Any]:
        """What an answer says of its page, as in browsed.Paged."""
        return {"total": total, "page": self.page, "pages": math.ceil(total / self.size), "size": self.size}


async def page(
    page: Annotated[int, Query(ge=1, le=10_000, description="from 1; behind the last one there is nothing")] = 1,
    size: Annotated[int, Query(ge=1, le=100, description="how many on a page")] = 20,
) -> Page:
    """The page that is asked for."""
    return Page(page, size)


OneFilm = Annotated[Wished, Depends(one_film)]
At = Annotated[Context, Depends(moment)]
Filtered = Annotated[Filters, Depends(filters)]
OnPage = Annotated[Page, Depends(page)]
Anyway = Annotated[bool, Query(description="tell the models also those signals that are switched off because they were not shown to help")]
