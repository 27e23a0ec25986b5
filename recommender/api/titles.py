"""A film by its id or by its title as people write it. What is in doubt comes back with the films that may be meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from recommender.api.people import refused
from recommender.api.problems import LISTED, Problem, shown
from recommender.serve import titles
from recommender.serve.service import Service
from recommender.serve.titles import CHOICES, Doubt, Meant
from recommender.serve.viewers import Viewer
from recommender.serve.wire import choice

TITLES = {403: "over the limit", 404: "no such film", 409: "a title of several films"}
MISTYPED = 100  # titles of one request that are taken for what they nearly are


class Wrong(NamedTuple):
    """One film of a request that cannot be taken."""

    status: int
    where: str
    value: int | str
    wanted: str
    choices: tuple[int, ...] = ()


def film(service: Service, wanted: int | str, where: str, viewer: Viewer | None = None) -> int:
    """The item number of a film by MovieLens id or by title. Problem 404 or 409 with `choices`, 403 for a film over the viewer's limit."""
    return found(service, [(where, wanted)], viewer)[0].item


def films(service: Service, wanted: Sequence[tuple[str, int | str]], viewer: Viewer | None = None) -> list[int]:
    """The item numbers of (where in the request, id or title); those that cannot be taken are told in one Problem."""
    return [meant.item for meant in found(service, wanted, viewer)]


def found(service: Service, wanted: Sequence[tuple[str, int | str]], viewer: Viewer | None = None) -> list[Meant]:
    """As films, and whether each was named exactly. To look for a title with typing errors takes long, so that the request is answered when there are
    LISTED that cannot be taken, or more than MISTYPED that can."""
    allowed = service.catalog.allowed(viewer.certificate if viewer else None)
    made, wrong, mistyped = list[Meant](), list[Wrong](), 0
    for where, value in wanted:
        one = _meant(service, where, value, allowed)
        if isinstance(one, Meant):
            made.append(one)
            mistyped += not one.exactly
        else:
            wrong.append(one)
        if mistyped > MISTYPED:
            raise refused(where, value, f"an id or a title as it is: {MISTYPED} others of this request have typing errors already")
        if len(wrong) == LISTED:
            break
    if wrong:
        raise _problem(service, wrong)
    return made


def taken(service: Service, wanted: Sequence[tuple[str, int | str]], meant: Sequence[Meant]) -> Iterator[str]:
    """A sentence for each title that was taken for one that is not quite the same."""
    for (_, value), one in zip(wanted, meant):
        if not one.exactly:
            yield f"{value!r} was taken for {_named(service, one.item)}."


def _meant(service: Service, where: str, value: int | str, allowed: np.ndarray) -> Meant | Wrong:
    one = _by_id(service, value) if isinstance(value, int) else titles.meant(value, service.catalog, allowed)
    if isinstance(one, Doubt) and (one.choices or not one.several):
        status = 409 if one.several else 404
        several = "a title that one film alone has; its year in brackets, or its id, tells namesakes apart"
        unknown = "the MovieLens id of a film of the catalogue" if isinstance(value, int) else "the title of a film of the catalogue"
        return Wrong(status, where, value, several if one.several else unknown, one.choices)
    if isinstance(one, Doubt) or not allowed[one.item]:  # of several films none may be seen
        return Wrong(403, where, value, "a film within the viewer's limit")
    return one


def _by_id(service: Service, film_id: int) -> Meant | Doubt:
    try:
        return Meant(service.catalog.index(film_id), True)
    except KeyError:
        return Doubt(False, ())


def _problem(service: Service, wrong: Sequence[Wrong]) -> Problem:
    """All of it in one: forbidden if any is, else unknown if any is, else of several meanings."""
    status = min({one.status for one in wrong})
    first = next(one for one in wrong if one.status == status)
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    near = f"; may it be {' or '.join(_named(service, i) for i in first.choices[:CHOICES])}?" if first.choices else ""
    detail = f"{first.where} is {shown(first.value)}: wanted {first.wanted}{near}{more}"
    items = dict.fromkeys(item for one in wrong for item in one.choices)
    return Problem(status, TITLES[status], detail, errors=[_told(service, one) for one in wrong], choices=[choice(i, service.catalog) for i in items])


def _told(service: Service, one: Wrong) -> dict[str, Any]:
    choices = [choice(i, service.catalog) for i in one.choices]
    return {"where": one.where, "wrong": shown(one.value), "wanted": one.wanted, "choices": choices}


def _named(service: Service, item: int) -> str:
    return f"{service.catalog.titles[item]} ({service.catalog.years[item] or 'no year'})"
