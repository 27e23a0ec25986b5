"""The dashboard and the REST API in one process, over one desk. Start it with `streamlit run server.py`, or `python -m recommender serve --app`."""

import logging.config
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from recommender.api import logs
from recommender.api.app import create
from recommender.api.fork import Fork
from recommender.api.shield import Shield
from recommender.serve.desk import shared
from recommender.settings import settings

api = create(shared(settings()), settings(), threads=None)  # Streamlit has measured how many its files need


@asynccontextmanager
async def together(_: st.App) -> AsyncIterator[None]:
    """Begin and end the API with the dashboard. Streamlit sets up the web server's log by then; it is set back to one line of JSON a request."""
    logging.config.dictConfig(logs.server())
    async with api.router.lifespan_context(api):
        yield


page = Path(st.__file__).with_name("static").joinpath("index.html").read_text("utf-8")
app = st.App(Path(__file__).with_name("app.py"), lifespan=together, middleware=[Middleware(Fork, api=api), Middleware(Shield, page=page)])
