"""Who asks: an id or a name, and how the house knows them."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.api.answered import Known
from recommender.serve.service import Service
from recommender.serve.viewers import Viewer


@dataclass(frozen=True)
class Person:
    """Somebody who asks. notes: sentences for the answer, such as that nobody knows the id."""

    viewer: Viewer
    known: Known
    notes: tuple[str, ...] = ()


def person(service: Service, user_id: str | int | None = None, viewer: str | None = None) -> Person:
    """Whoever `user_id` (an id, a number of MovieLens, the name of a demo viewer) or `viewer` (a name or an id) means; nobody where neither is given.

    A well-formed user_id that nobody knows is somebody new. Problem 422 for one that is none, 404 for a viewer that there is not.
    """
    raise NotImplementedError
