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


async def quickly() -> AsyncIterator[None]:
    """The turn of one list of films."""
    yield


async def storing() -> AsyncIterator[None]:
    """The turn of whoever has something stored."""
    yield


async def slowly() -> AsyncIterator[None]:
    """The turn of one slow question; it ends with the answer, not with whoever reads it."""
    yield


Answering = Annotated[Service, Depends(service)]
SLOW = Depends(slowly, scope="function", max_concurrency=1)  # one at a time, so that quick questions always find a thread
STORED = Depends(storing, scope="function", max_concurrency=1)  # one at a time, so that a store that hangs leaves the other threads free
LISTED = Depends(quickly, scope="function", max_concurrency=1)  # two at a time would take turns at the interpreter, and both end late
