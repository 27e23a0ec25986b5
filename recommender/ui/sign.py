"""The lit sign and the quiet notices: loading, nothing trained yet, something that did not load, a page to come."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from html import escape
from typing import ParamSpec

import streamlit as st

from recommender.serve.feedback import FeedbackError
from recommender.serve.viewers import NoViewer
from recommender.ui import words

P = ParamSpec("P")


def skeleton() -> None:
    """A page of posters to be, while the models are read."""
    row = '<div class="mq-bone mq-bone-title"></div><div class="mq-bones">' + '<div class="mq-bone"></div>' * 8 + "</div>"
    st.html(f'<div class="mq-skeleton" role="status" aria-label="Opening the house"><div class="mq-bone mq-bone-hero"></div>{row * 2}</div>')


def problems(lines: tuple[str, ...], passing: bool = False) -> None:
    """What did not load, quietly: the app is open with the rest. `passing`: the store ends with the program, unless the
    lasting one comes back before, which is said aloud."""
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
            st.code(line, language=None, wrap_lines=True)


def nothing_trained(lines: tuple[str, ...]) -> None:
    """No model at all: say what to run."""
    board(
        "Dark tonight",
        "No model has been trained yet",
        "Marquee shows nothing it has not computed. Fetch the data, train the models, and open this page again.",
    )
    with st.container(key="mq_board_more"):
        st.code("python -m recommender fetch\npython -m recommender train all", language="bash")
        for line in lines:
            st.caption(words.md(line))


def store_gone(error: FeedbackError) -> None:
    """What viewers said cannot be read or written now: say what is wrong, and let them try again."""
    board(
        "Technical difficulties",
        "The projector has stopped",
        "What viewers say is kept in a database, and it cannot be used now. What was clicked just now may not be stored.",
    )
    with st.container(key="mq_board_more", horizontal_alignment="center"):
        st.button("Try again", icon=":material/refresh:", key="mq_again")
        st.code(str(error), language=None, wrap_lines=True)


def stored(body: Callable[P, None]) -> Callable[P, None]:
    """Around the body of a fragment or dialog: a store that goes away while the app runs costs that part, and it says so.

    Where the viewer was deleted meanwhile, in another window or by command, the whole page is asked for again, which asks who is watching.
    """

    @wraps(body)
    def tried(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            body(*args, **kwargs)
        except FeedbackError as error:
            store_gone(error)
        except NoViewer:
            st.rerun()

    return tried


def coming(title: str, sentence: str) -> None:
    """A page that is announced and not built: one honest sentence."""
    board("Coming attraction", title, sentence)


def board(small: str, title: str, sentence: str) -> None:
    st.html(f'<div class="mq-board"><div class="mq-sign"><small>{escape(small)}</small><h1>{escape(title)}</h1></div><p>{escape(sentence)}</p></div>')
