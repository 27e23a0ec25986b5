"""Viewers: who can be asked for, what they said and what they want."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from recommender.api import browsed, browsed_taste
from recommender.api.depends import Answering
from recommender.api.parameters import WHERE, OnPage, UserId
from recommender.api.people import person
from recommender.api.problems import documented
from recommender.api.reach import lasting
from recommender.serve import history
from recommender.serve.events import Event
from recommender.serve.portrait import groups, portrait
from recommender.serve.service import Service
from recommender.serve.viewers import Viewer
from recommender.serve.wire import choice
from recommender.types import Context

router = APIRouter(tags=["viewers"])


class _Stands(NamedTuple):
    """One thing that stands of a film: since when [unix s, 0 where unknown], and the stars of a rating."""

    at: float
    item: int
    said: str
    stars: float | None


@router.get("/api/users", operation_id="users", response_model=browsed.Users)
def users(service: Answering, page: OnPage) -> JSONResponse:
    """Who can be asked for: the demo viewers, those that people of the household made, and the numbers of MovieLens where its data set is here."""
    if service.settings.household:
        lasting(service)
    own = service.feedback.viewers(service.catalog) if service.settings.household else {}
    known = [("demo", viewer) for viewer in service.viewers.values()] + [("made here", viewer) for viewer in own.values()]
    listed = [
        {"id": viewer.id, "name": viewer.name, "known": how, "line": viewer.line, "certificate": viewer.certificate} for how, viewer in page.of(known)
    ]
    return JSONResponse({**page.facts(len(known)), "users": listed, "data_set": _data_set(service)})


@router.get("/api/user_history", operation_id="user_history", response_model=browsed.History, responses=documented(404, 409))
def user_history(service: Answering, user_id: UserId, page: OnPage) -> JSONResponse:
    """What a viewer said and did: what stands of each film, and everything line by line; the page is that of both lists."""
    who = person(service, user_id, where=WHERE)
    events = service.feedback.events(who.viewer.id, history.TOLD)
    stands, lines = _standing(service, who.viewer, events), history.lines(events, service.catalog)
    films = [browsed.stands(one.item, one.said, one.stars, one.at, service.catalog) for one in page.of(stands)]
    return JSONResponse(
        {
            "user": browsed.user(who),
            "notes": list(who.notes),
            "stands": {**page.facts(len(stands)), "films": films},
            "log": {**page.facts(len(lines)), "lines": [_line(line, service, who.viewer) for line in page.of(lines)]},
        }
    )


@router.get("/api/user_preferences", operation_id="user_preferences", response_model=browsed_taste.Wants, responses=documented(404, 409))
def user_preferences(
    service: Answering,
    user_id: UserId,
    people: Annotated[int, Query(ge=0, le=200, description="directors and actors in the portrait")] = 20,
) -> JSONResponse:
    """What a viewer set by hand and asked for, and their taste beside the average viewer's."""
    who = person(service, user_id, where=WHERE)
    profile = service.query(who.viewer, Context()).profile
    made = portrait(profile, service.catalog, groups(service.atlas))
    return JSONResponse(browsed_taste.wants(who, service.atlas, made, people))


def _data_set(service: Service) -> dict[str, Any] | None:
    data = service.interactions
    if data is None:
        return None
    return {"name": service.settings.dataset, "users": data.n_users, "first": int(data.user_ids.min()), "last": int(data.user_ids.max())}


def _standing(service: Service, viewer: Viewer, events: Sequence[Event]) -> list[_Stands]:
    """What stands of each film: the latest first, then what came without a date, the last first."""
    ids, taste, since = service.catalog.ids, service.feedback.taste(viewer.id), {event.id: event.at for event in events}
    said = taste.watched | taste.opinions
    found = []
    for item, stars, at in zip(viewer.profile.items.tolist(), viewer.profile.ratings.tolist(), viewer.profile.times.tolist()):
        opinion = said.get(int(ids[item]))
        found.append(_Stands(opinion.at, item, opinion.kind, opinion.stars) if opinion else _Stands(at, item, "rating", stars))
    for kind, items, by in (("list", viewer.listed, taste.listed), ("hide", viewer.hidden, taste.hidden), ("unuse", viewer.unused, taste.unused)):
        found.extend(_Stands(since.get(by.get(int(ids[item]), ""), 0.0), item, kind, None) for item in items)
    found.reverse()
    return sorted(found, key=lambda one: -one.at)


def _line(line: history.Line, service: Service, viewer: Viewer) -> dict[str, Any]:
    """One line of the log, as in browsed.Line. A film over the limit, or one that is gone, is not named."""
    item = _visible(line.film, service, viewer)
    movie = None if item is None else choice(item, service.catalog)
    return {
        "id": line.id, "kind": line.kind, "at": browsed.when(line.at), "text": line.text, "movie": movie, "row": line.row, "state": line.state
    }  # fmt: skip


def _visible(film: int | None, service: Service, viewer: Viewer) -> int | None:
    try:
        item = None if film is None else service.catalog.index(film)
    except KeyError:
        return None
    return item if item is not None and service.may_see(viewer, item) else None
