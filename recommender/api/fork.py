"""The REST API and something else at one address."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send


class Fork:
    """Hands a request to the API where its path begins as one of the API's does, else to the application that it stands before."""

    def __init__(self, app: ASGIApp, api: FastAPI) -> None:
        self.app, self.api, self.names = app, api, names(api)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] == "http" and _first(scope["path"]) in self.names
        await (self.api if ours else self.app)(scope, receive, send)


def names(api: FastAPI) -> set[str]:
    """What paths of the API begin with."""
    return {_first(str(route.path)) for route in iter_route_contexts(api.routes)}


def _first(path: str) -> str:
    return path.split("/", 2)[1] if path.startswith("/") else path
