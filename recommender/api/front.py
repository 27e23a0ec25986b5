"""What stands before everything else: each request is answered, told in one line of the log, and counted."""

from __future__ import annotations

import time

from asgi_correlation_id import correlation_id
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recommender.api import metrics
from recommender.api.logs import log, places
from recommender.api.problems import Problem, answer, template

GONE = 499  # who asked went away before the answer


class Front:
    """Answers HEAD as GET, whose body the web server keeps, and a fault of ours with a 500 that tells nothing but the request's id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started, method, status = time.perf_counter(), scope["method"], GONE
        inner = {**scope, "method": "GET" if method == "HEAD" else method}

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(inner, receive, sending)
        except Exception as error:
            log.error("fault", request_id=correlation_id.get(), error=type(error).__qualname__, trace=places(error.__traceback__))
            if status == GONE:
                fault = Problem(500, "fault", "a fault of ours; the request's id leads to it in the log")
                await answer(fault)(inner, receive, sending)
        finally:
            self._told(scope, inner.get("marquee.key"), status, time.perf_counter() - started)

    def _told(self, scope: Scope, key: str | None, status: int, seconds: float) -> None:
        app: FastAPI = scope["app"]
        desk, route, method = app.state.desk, template(app, scope), scope["method"]
        metrics.asked(route, method, status, seconds)
        log.info(
            "request",
            request_id=correlation_id.get(),
            route=route,
            method=method if method in metrics.METHODS else "other",
            status=status,
            ms=round(1000 * seconds, 2),
            version=desk.service.version if desk.ready else None,
            key=key,
        )
