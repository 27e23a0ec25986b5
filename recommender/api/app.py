"""The application: the desk, what guards it, and the routes."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from recommender.api.problems import ProblemDetails, documented
from recommender.api.routes import explain, films, health, reports, viewers
from recommender.serve.desk import Desk
from recommender.settings import Settings

ROUTERS = (health.router, films.router, viewers.router, reports.router, explain.router)  # every file of routes/
EVERYWHERE = (400, 401, 403, 413, 415, 422, 429, 500, 503)  # what any route can answer with, by the guards before it


def create(desk: Desk, settings: Settings) -> FastAPI:
    """The REST API over a desk. The desk is opened while the application starts, unless it is open."""
    app = FastAPI(title="Marquee", description="Films recommended, each with a true reason.", responses=documented(*EVERYWHERE))
    app.state.desk, app.state.settings = desk, settings
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = lambda made=app.openapi: _with_problems(made())  # type: ignore[method-assign, misc]
    return app


def _with_problems(schema: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description with the shape that `documented` refers to."""
    schema.setdefault("components", {}).setdefault("schemas", {}).setdefault("ProblemDetails", ProblemDetails.model_json_schema())
    return schema
