"""The application: the desk, what guards it, and the routes."""

from __future__ import annotations

from fastapi import FastAPI

from recommender.serve.desk import Desk
from recommender.settings import Settings


def create(desk: Desk, settings: Settings) -> FastAPI:
    """The REST API over a desk. The desk is opened while the application starts, unless it is open."""
    app = FastAPI(title="Marquee", description="Films recommended, each with a true reason.")
    app.state.desk, app.state.settings = desk, settings
    return app
