"""Why a film stands where it stands, why another does not, and models side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from recommender.api import browsed_explain
from recommender.api.asked import MOST
from recommender.api.depends import SLOW, Answering
from recommender.api.parameters import WHERE, Anyway, At, Filtered, OneFilm, UserId
from recommender.api.people import model_named, person
from recommender.api.problems import Problem, documented
from recommender.api.titles import found, taken
from recommender.compare.answer import beside, check
from recommender.compare.lists import loaded
from recommender.serve import inquiry, routing, wire
from recommender.serve.details import EXPLAINED, details, explaining
from recommender.serve.picks import TOP
from recommender.serve.signals import SIGNALS

router = APIRouter(tags=["explain"], dependencies=[SLOW])


@router.get("/api/explain", operation_id="explain", response_model=browsed_explain.Explained, responses=documented(403, 404, 409))
def explain(
    service: Answering,
    user_id: UserId,
    wished: OneFilm,
    at: At,
    model: Annotated[
        str | None,
        Query(min_length=1, max_length=40, examples=["ease"], description="as /api/models names it; without, the one that makes the first row"),
    ] = None,
    anyway: Anyway = False,
    looked_into: Annotated[
        int, Query(ge=0, le=1000, description="heaviest reasons of which it is told what they rest on, and the rank without their film")
    ] = EXPLAINED,
    k: Annotated[
        int, Query(ge=1, le=MOST, description="films of the list that the film stood in: its sentence names those of the viewer's films tried there")
    ] = 10,
) -> JSONResponse:
    """Why a film stands where it stands for a viewer: every reason with its weight, and the rank without each of the heaviest films.

    Score, reasons and sentence are those of /recommendations for the same viewer, moment, `model` and `k`. What is sent along there counts for that
    answer only: ask it with `reasons` of 1000 for all of them.
    """
    who = person(service, user_id, where=WHERE)
    meant = found(service, [wished], who.viewer)
    name, item = "" if model is None else model_named(f"{WHERE}.model", model, service.models), meant[0].item
    query = service.query(who.viewer, at, anyway=_told(anyway))
    asked = service.request(who.viewer, query)
    row = explaining(asked, item, name, TOP if model is None else None)
    told, fewest = details(asked, row, item, looked_into, k), inquiry.smallest(asked, item, row)
    said = wire.explained(told, fewest, wire.signals(at, query, service.verdicts(who.viewer)), service.catalog)
    silent = [routing.silence(row.model, who.viewer.name)] if asked.silent(row, asked.may_see) else []
    return JSONResponse(browsed_explain.asked(who, [*taken(service, [wished], meant), *silent], said))


@router.get(
    "/api/why_not",
    operation_id="why_not",
    response_model=browsed_explain.Missing | browsed_explain.Present,
    responses=documented(403, 404, 409),
)
def why_not(service: Answering, user_id: UserId, wished: OneFilm, at: At, filters: Filtered, anyway: Anyway = False) -> JSONResponse:
    """Why a film is not among the first ten of a viewer's first row: its rank, what it lacks, what holds it back, and what would change that."""
    who = person(service, user_id, where=WHERE)
    meant = found(service, [wished], who.viewer)
    query = service.query(who.viewer, at, anyway=_told(anyway))
    missing = inquiry.why_not(service.request(who.viewer, query, filters), meant[0].item, service.told(who.viewer, _told(anyway)))
    said = wire.why_not(missing, meant[0].item, service.catalog)
    return JSONResponse(browsed_explain.asked(who, list(taken(service, [wished], meant)), said))


@router.get("/api/compare", operation_id="compare", response_model=browsed_explain.Compared, responses=documented(404, 409))
def compare(
    service: Answering,
    user_id: UserId,
    models: Annotated[
        str, Query(min_length=1, max_length=200, examples=["hybrid,ease"], description="two to four by name, with commas; home for Home's first row")
    ],
    at: At,
    filters: Filtered,
    k: Annotated[int, Query(ge=5, le=50, description="films of each list")] = 20,
    anyway: Anyway = False,
    hide_last_fifth: Annotated[
        bool, Query(description="make the lists from the first four fifths of the ratings, and say what of the rest they find")
    ] = False,
) -> JSONResponse:
    """Lists by several models side by side: shared films, overlap, and what each list is like."""
    who = person(service, user_id, where=WHERE)
    names = [model_named(f"{WHERE}.models", name.strip(), loaded(service)) for name in models.split(",")]
    try:
        held = check(service, who.viewer, names, hide_last_fifth)
    except ValueError as error:
        raise Problem(422, "not wanted", f"{WHERE}.models: {error}") from None
    said = beside(service, who.viewer, at, names, k, filters, frozenset(_told(anyway)), held)
    silent = [routing.silence(made["model"], who.viewer.name) for made in said["lists"] if made["silent"]]
    return JSONResponse(browsed_explain.asked(who, silent, said))


def _told(anyway: bool) -> tuple[str, ...]:
    """Signals that the models are told although they are switched off."""
    return tuple(SIGNALS) if anyway else ()
