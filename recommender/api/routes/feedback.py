"""What people did, stored: the next answer knows of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import JSONResponse

from recommender.api import metrics
from recommender.api.answered import Data, Forgotten, Stored
from recommender.api.asked import Events, Feedback, Said
from recommender.api.depends import STORED, Answering
from recommender.api.people import SIMULATED, Person, person, refused
from recommender.api.problems import Problem, documented
from recommender.api.titles import films
from recommender.serve.events import Event, NotStored
from recommender.serve.service import Service

router = APIRouter(tags=["feedback"], dependencies=[STORED])
Whose = Annotated[str, Query(min_length=1, max_length=64, examples=["reader-42"], description="an id, or the name of a demo viewer")]


@router.post(
    "/feedback",
    operation_id="feedback",
    status_code=201,
    response_model=Stored,
    responses={200: {"model": Stored, "description": "every event was known already"}, **documented(403, 404, 409)},
)
def feedback(request: Request, service: Answering, body: Annotated[Feedback, Body()]) -> JSONResponse:
    """Store what somebody did, one event or up to 100, all or none. What is answered with 201 is on the disk, and the next answer knows of it.

    An id that nobody knew is known from then on. An event with an id that its user has used before is `known` and not stored again, whatever
    else it says: to retry does no harm, and to change what was said takes an id of its own.
    """
    said = [(f"body.events.{n}", one) for n, one in enumerate(body.events)] if isinstance(body, Events) else [("body", body)]
    people = {one.user_id: _somebody(service, one.user_id, where) for where, one in reversed(said)}
    items = _films(service, said, people)
    events = [_event(service, one, people[one.user_id], item, where) for (where, one), item in zip(said, items, strict=True)]
    try:
        stored = service.record(events, {event.viewer: people[one.user_id].viewer for event, (_, one) in zip(events, said)})
    except NotStored as error:
        raise Problem(409, "nothing to undo", str(error)) from None
    request.app.state.reach.stored()
    metrics.stored([event.kind for event in stored])
    told = {"stored": len(stored), "known": len(events) - len(stored), "ids": [event.id for event in events]}
    return JSONResponse(told, 201 if stored else 200)


@router.get("/api/my_data", operation_id="my_data", response_model=Data)
def my_data(service: Answering, user_id: Whose) -> JSONResponse:
    """Everything that is stored of somebody: how they made their viewer, and every event.

    Keys are of programs, not of people: whoever may ask at all may ask for anybody, and has to know who is asking them.
    """
    return JSONResponse(service.feedback.export(_stored_as(service, user_id)))


@router.delete("/api/my_data", operation_id="forget", response_model=Forgotten)
def forget(service: Answering, user_id: Whose) -> JSONResponse:
    """Delete everything that is stored of somebody, for good. As with the reading, whoever may ask at all may delete anybody's."""
    return JSONResponse({"removed": service.feedback.forget(_stored_as(service, user_id))})


def _stored_as(service: Service, user_id: str) -> str:
    """The id under which is stored what somebody said."""
    return _somebody(service, user_id, "query").viewer.id


def _somebody(service: Service, user_id: int | str, where: str) -> Person:
    who = person(service, user_id, where=where)
    if who.viewer.id.startswith(SIMULATED):
        raise refused(f"{where}.user_id", user_id, f"an id of somebody: those that begin with {SIMULATED} are of simulated viewers")
    return who


def _films(service: Service, said: Sequence[tuple[str, Said]], people: dict[int | str, Person]) -> list[int | None]:
    """The item number of each event's film, None for an undo."""
    found: list[int | None] = [None] * len(said)
    for user_id, who in people.items():
        theirs = [n for n, (_, one) in enumerate(said) if one.user_id == user_id and one.films]
        items = films(service, [(f"{said[n][0]}.{said[n][1].field}", said[n][1].film) for n in theirs], who.viewer)
        for n, item in zip(theirs, items):
            found[n] = item
    return found


def _event(service: Service, said: Said, who: Person, item: int | None, where: str) -> Event:
    at, hour = said.moment
    try:
        return Event(
            who.viewer.id,
            said.kind,
            None if item is None else int(service.catalog.ids[item]),
            stars=said.rating,
            target=said.target,
            at=at,
            recommendation=said.recommendation,
            position=said.position,
            time_of_day=said.time_of_day,
            device=said.device,
            local_hour=hour,
            note=said.note,
            id=said.id or uuid4().hex,
        )
    except ValueError as error:
        wrong, _, wanted = str(error).partition(", wanted ")
        raise Problem(422, "not wanted", f"{where}: {error}", errors=[{"where": where, "wrong": wrong, "wanted": wanted}]) from None
