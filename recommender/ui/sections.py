"""The sections of a page as tabs: only the open one is worked out, and it stands in the address."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.errors import FragmentHandledException

from recommender.serve.feedback import FeedbackError
from recommender.serve.viewers import NoViewer
from recommender.ui import sign, words
from recommender.ui.exhibits import slug
from recommender.ui.state import from_address, put

BROKEN = (KeyError, ValueError, TypeError, IndexError, AttributeError)  # what a report that is broken inside may cause


def draw(address: str, sections: dict[str, Callable[[], None]]) -> None:
    """Tabs by name. `address` is the parameter of the address that holds the open one, none for the first."""
    key, slugs = f"mq_ev_{address}", {slug(name): name for name in sections}
    kept = from_address(address, slugs)
    if kept in slugs and st.session_state.get(key) != slugs[kept]:
        st.session_state[key] = slugs[kept]
    first = next(iter(sections))
    for tab, (name, section) in zip(st.tabs(list(sections), key=key, on_change=_turned, args=(address, key, first)), sections.items()):
        if tab.open:
            with tab:
                guarded(name, section)


def _turned(address: str, key: str, first: str) -> None:
    name = st.session_state.get(key)
    put(address, None if name in (None, first) else slug(name))


def guarded(name: str, section: Callable[[], None]) -> None:
    """A report that is whole as a file and broken inside costs its section, not the page; so does an error nobody thought of."""
    try:
        section()
    except (FeedbackError, NoViewer, FragmentHandledException):
        raise  # the page around it says it
    except BROKEN as error:
        st.warning(
            f"{name} cannot be drawn: a report holds something unexpected ({type(error).__name__}: {words.md(str(error)[:160])}).",
            icon=":material/broken_image:",
        )
    except Exception as error:
        sign.broken(name, error)


def problems(lines: tuple[str, ...]) -> None:
    """A line for each report that could not be read."""
    for line in lines:
        st.warning(words.md(line), icon=":material/broken_image:")
