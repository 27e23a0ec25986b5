"""What a route asks for before it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from recommender.api.problems import Problem
from recommender.serve.service import Service


async def service(request: Request) -> Service:
    """The service of the current release; 503 while no models are loaded."""
    desk = request.app.state.desk
    if not desk.ready:
        raise Problem(503, "not ready", "no models are loaded; ask /ready until it answers 200", {"Retry-After": "2"})
    return desk.service


async def turn() -> AsyncIterator[None]:
    """The turn of one request among those of its kind; it ends with the answer, not with whoever reads it."""
    yield


Answering = Annotated[Service, Depends(service)]
SLOW = Depends(turn, scope="function", max_concurrency=1)  # one at a time, so that quick questions always find a thread
STORED = Depends(turn, scope="function", max_concurrency=1)  # one at a time, so that a store that hangs leaves the other threads free
LISTED = Depends(turn, scope="function", max_concurrency=1)  # two at a time would take turns at the interpreter, and both end late
