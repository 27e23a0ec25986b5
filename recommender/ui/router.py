"""The way into every page. A page asks for the frame first; where the map has not been walked yet, it is walked now."""

from __future__ import annotations

import runpy
from contextvars import ContextVar
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from recommender.serve.feedback import FeedbackError
from recommender.settings import ROOT, WrongSetting
from recommender.ui import echo, kit, picker, posters, sidebar, sign, state, tour, trial
from recommender.ui.desk import desk, opening

_frame: ContextVar[state.Frame | None] = ContextVar("marquee_frame", default=None)


def enter() -> state.Frame:
    """The first line of every page.

    A fresh server runs a file of pages/ by itself when that is its first request; then the map (app.py) is run in its
    place, which runs the page inside the frame.
    """
    frame = _frame.get()
    if frame is None:
        runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
        st.stop()
    return frame


def run(pages: list[StreamlitPage]) -> None:
    """Draw the frame around the page that was asked for, or the picker where nobody is watching yet; a sign where there can be neither."""
    _title("")
    kit.load()
    try:
        with echo.run():
            _open(pages)
    except FeedbackError as error:
        sign.store_gone(error)
    except WrongSetting as error:
        sign.wrong_setting(error)
    except Exception as error:
        sign.broken("This page", error)


def _open(pages: list[StreamlitPage]) -> None:
    if "viewer" in st.query_params and opening():
        st.sidebar.empty()  # the skeleton leaves the sidebar its place
    service = desk()
    tour.hear()
    asked = st.query_params.get("viewer", "")
    viewer = state.viewer(service)
    if viewer and service.models:
        st.sidebar.empty()  # the page makes room for the sidebar before anything of it is painted
    page = st.navigation(pages, position="top" if viewer and service.models else "hidden")
    st.logo(str(Path(ROOT, "static", "logo.svg")), size="large")
    if not service.models:
        sign.nothing_trained(service.problems)
        return
    if viewer is None:
        _title("Who’s watching?")
        picker.who(service, asked)
        tour.door(service)
        return
    _title(page.title)
    frame = state.frame(service, viewer)
    sidebar.draw(frame)
    sign.house(service, trial.problems(service.models))
    posters.draw(frame)
    st.session_state.pop("mq_page", None)  # what was shown elsewhere is no place of a click here
    token = _frame.set(frame)
    try:
        with tour.beside(frame, page):
            page.run()
    finally:
        _frame.reset(token)


def _title(page: str) -> None:
    """What the tab of the browser says."""
    st.set_page_config(page_title=f"{page} · Marquee" if page else "Marquee", page_icon=str(Path(ROOT, "static", "icon.svg")), layout="wide")
