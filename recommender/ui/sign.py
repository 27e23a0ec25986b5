"""The lit sign and the quiet notices: loading, nothing trained yet, something that did not load, a store that is away, an error nobody thought of."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from html import escape
from pathlib import Path
from typing import ParamSpec
from uuid import uuid4

import streamlit as st
from streamlit.errors import FragmentHandledException

from recommender.serve.desk import shared
from recommender.serve.feedback import FeedbackError
from recommender.serve.service import Service
from recommender.serve.viewers import NoViewer
from recommender.settings import Settings, WrongSetting, settings
from recommender.ui import echo, words

P = ParamSpec("P")
_CSS = (Path(__file__).parent / "web" / "sign.css").read_text("utf-8")
_log = logging.getLogger(__name__)


def skeleton() -> None:
    """A page of posters to be, while the models are read."""
    row = '<div class="mq-bone mq-bone-title"></div><div class="mq-bones">' + '<div class="mq-bone"></div>' * 8 + "</div>"
    st.html(f'<div class="mq-skeleton" role="status" aria-label="Opening the house"><div class="mq-bone mq-bone-hero"></div>{row * 2}</div>')


def house(service: Service, also: tuple[str, ...] = ()) -> None:
    """What of the house did not open, quietly: models, the data set, the store; and `also`."""
    unread = (service.data.problem,) if service.data.problem else ()
    problems((*service.problems, *unread, *also), service.feedback.passing)


def problems(lines: tuple[str, ...], passing: bool = False) -> None:
    """What did not load: the app is open with the rest. `passing`: the store ends with the program, unless the lasting one comes
    back before, which is said aloud."""
    if passing:
        st.warning(
            "The store could not be opened: what is said here is lost when the app ends, unless the store comes back before.",
            icon=":material/database_off:",
        )
    if not lines:
        return
    with st.expander(
        f"{words.counted(len(lines), 'part')} of the house could not be opened; the rest is open", icon=":material/construction:", key="mq_problems"
    ):
        for line in lines:
            st.code(words.told(line), language=None, wrap_lines=True)


def nothing_trained(lines: tuple[str, ...]) -> None:
    """No model at all: say what to run."""
    board(
        "Dark tonight",
        "No model has been trained yet",
        "Marquee shows nothing it has not computed. Fetch the data, train the models, and open this page again.",
    )
    with st.container(key="mq_board_more"):
        st.code("python -m recommender fetch\npython -m recommender train all", language="bash")
        st.button("Look again", icon=":material/refresh:", key="mq_again", on_click=shared(settings()).again)
        for line in lines:
            st.caption(words.md(words.told(line)))


def kept_until(settings: Settings) -> str:
    """How long what viewers say is kept, where that is not for good; "" where it is."""
    passes = settings.disk_passes and settings.database_url.startswith("sqlite")
    return "Kept until this app restarts: the disk under it is not kept. docs/community-cloud.md says how to keep it for good." if passes else ""


def store_gone(error: FeedbackError) -> None:
    """What viewers said cannot be read or written now: say what is wrong, and let them try again; where the store is stands in the log."""
    _log.warning("the stored feedback was asked for in vain: %s", error)
    board(
        "Technical difficulties",
        "The projector has stopped",
        "What viewers say is kept in a database, and it cannot be used now. What was clicked just now may not be stored.",
    )
    with st.container(key="mq_board_more", horizontal_alignment="center"):
        st.button("Try again", icon=":material/refresh:", key="mq_again")
        st.code(words.told(error), language=None, wrap_lines=True)


def wrong_setting(error: WrongSetting) -> None:
    """The app cannot open as it was set up: say which setting is wrong, its value and what is wanted."""
    _log.error("%s", error)
    board("Technical difficulties", "Set up wrong", "Marquee reads its settings when it starts. Mend this one, and start the app again.")
    with st.container(key="mq_board_more", horizontal_alignment="center"):
        st.code(str(error), language=None, wrap_lines=True)


def stored(body: Callable[P, None]) -> Callable[P, None]:
    """Around the body of a fragment or dialog: a store that goes away while the app runs, or an error nobody thought of, costs that part, and it
    says so. Where the viewer was deleted meanwhile, in another window or by command, the whole page is asked for again, which asks who is watching.
    """

    @wraps(body)
    def tried(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with echo.run():
                body(*args, **kwargs)
        except FeedbackError as error:
            store_gone(error)
        except NoViewer:
            st.rerun()
        except FragmentHandledException:  # shown already, further inside
            raise
        except Exception as error:
            broken("This page", error)

    return tried


def broken(what: str, error: Exception) -> None:
    """An error nobody thought of: a sentence and a number on the screen, all the rest in the log under that number, and another try."""
    number = uuid4().hex[:8]
    _log.error("%s could not be drawn, number %s", what, number, exc_info=error)
    said = f"{escape(what)} could not be drawn, by a fault of ours. What happened stands in the log of the app under the number <b>{number}</b>."
    st.html(f'<style>{_CSS}</style><div class="mq-low" role="alert"><small>Technical difficulties</small><p>{said}</p></div>')
    st.button("Try again", icon=":material/refresh:", key=f"mq_again_{what}")


def board(small: str, title: str, sentence: str) -> None:
    st.html(f'<div class="mq-board"><div class="mq-sign"><small>{escape(small)}</small><h1>{escape(title)}</h1></div><p>{escape(sentence)}</p></div>')
