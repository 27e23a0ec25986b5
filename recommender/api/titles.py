"""A film by its id or by its title as people write it."""

from __future__ import annotations

from collections.abc import Sequence

from recommender.serve.service import Service
from recommender.serve.viewers import Viewer


def film(service: Service, wanted: int | str, where: str, viewer: Viewer | None = None) -> int:
    """The item number of a film by MovieLens id or by title. Problem 404 or 409 with `choices`, all within the viewer's limit."""
    return films(service, [(where, wanted)], viewer)[0]


def films(service: Service, wanted: Sequence[tuple[str, int | str]], viewer: Viewer | None = None) -> list[int]:
    """The item numbers of (where in the request, id or title); all that are in doubt are told in one Problem."""
    raise NotImplementedError
