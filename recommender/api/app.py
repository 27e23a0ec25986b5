"""The application: the desk, what guards it, and the routes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import fastapi_offline
from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import Depends, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from recommender import __version__
from recommender.api import examples, guard, problems
from recommender.api.front import Front
from recommender.api.guard import Guard, Origins
from recommender.api.logs import log, places
from recommender.api.parameters import known_alone
from recommender.api.problems import ProblemDetails, documented
from recommender.api.rate import Rate
from recommender.api.reach import Reach
from recommender.api.routes import explain, feedback, films, health, recommendations, reports, viewers
from recommender.serve.desk import Desk
from recommender.settings import Settings

ROUTERS = (
    recommendations.router,
    feedback.router,
    films.router,
    viewers.router,
    explain.router,
    reports.router,
)
EVERYWHERE = (400, 401, 403, 405, 408, 413, 415, 422, 429, 500, 503)  # what any route can answer with, by what stands before it
THREADS = 4  # answers made at a time: one list, one slow question, one thing to store, and whatever is quick: a store that hangs holds not all
HARMLESS = re.compile(r"[A-Za-z0-9_-]{8,64}")  # ids of requests that are taken over; feedback may name them as its `recommendation`
ASSETS = Path(fastapi_offline.__file__).parent / "static"
TOLD = ("X-Request-ID", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After")  # headers that web pages may read
ASKED = ("GET", "HEAD", "POST", "DELETE")
SENT = ("Authorization", "X-API-Key", "X-Request-ID")
DESCRIPTION = """Films recommended, each with a true reason: the front desk of Marquee over HTTP. Every answer is what the app would show.

Every error is a problem of RFC 9457. Send a key as `Authorization: Bearer KEY` or `X-API-Key: KEY` where the server has keys; where it has none,
it answers its own machine only. Whoever may ask may read and delete what is stored of anybody: programs have keys, people have not. Whatever is
simulated says so.
"""
TAGS = [
    {"name": "recommendations", "description": "What to watch, for anybody, and why."},
    {"name": "feedback", "description": "What somebody did or said, stored for good; the next answer heeds it."},
    {"name": "films", "description": "What films there are, and what is like what."},
    {"name": "viewers", "description": "Who may be asked for, and their taste."},
    {"name": "explain", "description": "Why a film, why not, and several models side by side."},
    {"name": "reports", "description": "How well the models were measured."},
    {"name": "health", "description": "For machines that watch: no key, no limit."},
]


def create(desk: Desk, settings: Settings, threads: int | None = THREADS) -> FastAPI:
    """The REST API over a desk, which is opened in the background while the application starts, unless it is open.

    threads: answers made at a time; None leaves that to who else is served by the process. ValueError where a setting would guard badly.
    """
    guard.check(settings)
    rate = Rate(settings)
    app = FastAPI(
        title="Marquee",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=documented(*EVERYWHERE),
        lifespan=_lifespan,
        middleware=[
            Middleware(CorrelationIdMiddleware, validator=lambda id_: HARMLESS.fullmatch(id_) is not None),
            Middleware(Front),
            Middleware(Origins, allow_origins=settings.api_origins, allow_methods=ASKED, allow_headers=SENT, expose_headers=TOLD),
            Middleware(Guard, settings=settings, rate=rate),
        ],
    )
    app.state.desk, app.state.settings, app.state.rate, app.state.threads = desk, settings, rate, threads
    app.state.reach = Reach(desk)
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(known_alone)])
    app.include_router(health.router)
    problems.install(app)
    _docs(app)
    app.openapi = lambda made=app.openapi: _completed(made(), bool(settings.api_keys))  # type: ignore[method-assign, misc]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the desk in a thread, so that /health answers at once; at the end close it, when all requests are answered."""
    if app.state.threads is not None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = app.state.threads
    desk: Desk = app.state.desk
    opening = asyncio.create_task(asyncio.to_thread(_open, app.state.reach))
    looking = asyncio.create_task(app.state.reach.look_on())
    yield
    looking.cancel()
    await opening
    await app.state.rate.close()
    desk.close()
    if desk.ready:
        desk.service.feedback.close()


def _open(reach: Reach) -> None:
    """Open the desk; where that fails, or something of it is missing, /ready says so, and the log why."""
    desk = reach.desk
    try:
        if not desk.ready:
            desk.open()
        service = desk.service
        told = {"version": service.version, "models": len(service.models), "problems": list(service.problems)}
        if service.models:
            log.info("ready", **told)
        else:
            log.error("no models are loaded", **told)
        reach.look()
    except Exception as error:
        log.error("the desk did not open", error=type(error).__qualname__, trace=places(error.__traceback__))


def _docs(app: FastAPI) -> None:
    """Pages to read and try the API, whose files come from this machine."""

    def docs() -> HTMLResponse:
        files = "/docs/files"
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Marquee: REST API",
            swagger_js_url=f"{files}/swagger-ui-bundle.js",
            swagger_css_url=f"{files}/swagger-ui.css",
            swagger_favicon_url=f"{files}/favicon.png",
            swagger_ui_parameters={"defaultModelsExpandDepth": 0, "displayRequestDuration": True, "tryItOutEnabled": True},
        )

    app.add_api_route(f"{problems.TYPES}{{name}}", problems.means, include_in_schema=False)
    app.add_api_route("/docs", docs, include_in_schema=False, response_class=HTMLResponse)
    app.mount("/docs/files", StaticFiles(directory=ASSETS))


def _completed(schema: dict[str, Any], keys: bool) -> dict[str, Any]:
    """The OpenAPI description with the shape that `documented` refers to, and the keys."""
    parts = schema.setdefault("components", {})
    shape = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    parts.setdefault("schemas", {}).update({**shape.pop("$defs"), "ProblemDetails": shape})
    examples.shown(parts["schemas"])
    parts["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "one of the keys in MARQUEE_API_KEYS"},
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "the same"},
    }
    schema["security"] = [{"bearer": []}, {"key": []}, *([] if keys else [{}])]
    for path in guard.OPEN:
        schema["paths"][path]["get"]["security"] = []
    return schema
