"""The guided path through the house: where it is (in the address, `tour=3`, or `tour=left-3` where it was left), and the card or chip it shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from recommender.serve.service import Service
from recommender.ui import dialog, kit, tour_steps
from recommender.ui.state import Frame, from_address, put, remembered
from recommender.ui.tour_steps import STEPS, Said

KEY = "mq_tour_view"
NAME = "Five minutes through the house"
LEFT = "left-"
PLACES = tuple(before + str(n) for before in ("", LEFT) for n in range(1, len(STEPS) + 1))


def start() -> None:
    """Begin, or go on where it was left."""
    _go(_number(st.session_state.get("mq_tour")) or 1)


def hear() -> None:
    """What was clicked on the card or the chip, before anything else is asked of the address."""
    for act in kit.acts(KEY):
        _apply(act)


def _apply(act: dict[str, Any]) -> None:
    do, n = act.get("do"), _number(st.session_state.get("mq_tour"))
    if n is None or act.get("step") != n:
        return
    if do == "next" and n < len(STEPS):
        _go(n + 1)
    elif do == "back" and n > 1:
        _go(n - 1)
    elif do == "resume":
        _go(n)
    elif do == "skip":
        put("tour", f"{LEFT}{n}")
    elif do in ("next", "end"):
        put("tour", None)
    elif do == "try" and (does := st.session_state.get("mq_tour_does")):
        does()


def door(service: Service) -> None:
    """The first card, where nobody is watching yet."""
    n, here = _asked()
    with st.container(key="mq_tour"):
        if here and n is not None:
            _card(n, tour_steps.door(service), way=False)


@contextmanager
def beside(frame: Frame, page: StreamlitPage) -> Iterator[None]:
    """Around the page: first it is the one that the step is about, then the card says what it sees there."""
    n, open_ = _asked()
    here = open_ and n is not None and _there(n, page)
    place = st.container(key="mq_tour")  # in every run and before the page, so that the page stays where it is, and follows the card in order
    if not here:
        with st.sidebar:
            st.button(
                f"Resume the tour · {n} of {len(STEPS)}" if n else NAME, icon=":material/tour:", on_click=start, key="mq_tour_start", type="tertiary"
            )
    yield
    if n is None:
        return
    with place:
        if here:
            _card(n, tour_steps.say(STEPS[n - 1], frame))
        else:
            kit.view("tour", {"step": n, "of": len(STEPS), "line": None}, key=KEY)


# -- how ---------------------------------------------------------------------------------------------------------------


def _number(place: str | None) -> int | None:
    return int(place.removeprefix(LEFT)) if place in PLACES else None


def _asked() -> tuple[int | None, bool]:
    """The step by the address, and whether it is open."""
    place = from_address("tour", PLACES)
    return _number(place), place is not None and not place.startswith(LEFT)


def _go(n: int) -> None:
    """Open a step, and its page with it; a film that lies over the page is closed."""
    dialog.close()
    put("tour", str(n))
    st.session_state["mq_tour_go"] = True


def _there(n: int, page: StreamlitPage) -> bool:
    """Whether the page is that of the step. It is opened where a step was just asked for: by a click, or by an address that names no page."""
    wanted, shown = STEPS[n - 1].page, page.url_path or STEPS[0].page
    arrived = "mq_tour_here" not in st.session_state and not page.url_path
    st.session_state["mq_tour_here"] = True
    asked = st.session_state.pop("mq_tour_go", False) or arrived
    if asked and shown != wanted:
        st.switch_page(f"pages/{wanted}.py", query_params=remembered())
    return shown == wanted


def _card(n: int, said: Said, way: bool = True) -> None:
    """One step. `way`: whether it leads on; the first one, where nobody watches, waits for a viewer."""
    st.session_state["mq_tour_does"] = said.does
    data: dict[str, Any] = {"step": n, "of": len(STEPS), "name": NAME, "title": STEPS[n - 1].title if way else STEPS[0].title, "line": said.line}
    kit.view("tour", {**data, "at": list(said.at), "act": said.label, "way": way}, key=KEY)
