"""One film in a dialog. Opened from the fragment of the page at a single place, so that no run ever has two."""

from __future__ import annotations

from typing import Any

import streamlit as st

from recommender.ui import cards, kit
from recommender.ui.state import Frame
from recommender.ui.taste import taste

KEY = "mq_film_view"


def known(frame: Frame, film: Any) -> int | None:
    """The id of a film of the catalogue that this viewer may see; None for anything else an address or a click may hold."""
    catalog = frame.service.catalog
    try:
        item = catalog.index(int(film))
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return int(catalog.ids[item]) if catalog.allowed(frame.viewer.certificate)[item] else None


def open_film(film: int) -> None:
    st.session_state["mq_film"] = film
    st.query_params["film"] = str(film)


def _closed() -> None:
    st.session_state["mq_film"] = None
    st.query_params.pop("film", None)


@st.dialog("About this film", width=1040, on_dismiss=_closed)
def show(frame: Frame) -> None:
    """Draw the film of the session; a click inside redraws only this."""
    act, mine = kit.event(KEY), taste(frame.viewer.id)
    if act.get("do") == "open" and (other := known(frame, act.get("film"))) is not None:
        open_film(other)
    film: int | None = st.session_state.get("mq_film")
    if film is None:
        return
    if act.get("do") in ("mark", "list", "hide") and act.get("film") == film:
        mine.act(act, film)
    said = {"taste": mine.data(), "mark": mine.marks.get(film), "listed": film in mine.listed, "hidden": film in mine.hidden}
    kit.view("film", {**_details(frame, film), **said}, key=KEY)


def _details(frame: Frame, film: int) -> dict[str, Any]:
    catalog, service = frame.service.catalog, frame.service
    found = service.details(frame.viewer, frame.query, catalog.index(film), _model(frame, film))
    similar = service.cards(frame.viewer, frame.query, [int(i) for i in found.similar])
    kept = "Love, Like, Not for me, Hide and the watch-list are kept for this visit only."
    facts = cards.details(catalog, found, seen=found.recommendation.item in frame.viewer.profile.items)
    return {**facts, "similar": [cards.card(catalog, r) for r in similar], "kept": kept}


def _model(frame: Frame, film: int) -> str:
    """The model that put the film on the page; for a film found elsewhere, the one of the first row."""
    kept = st.session_state.get("mq_rows")
    if kept is None:
        return next(iter(frame.service.models))
    item = frame.service.catalog.index(film)
    for carousel in kept[1].carousels:
        for r in carousel.recommendations:
            if r.item == item:
                return r.model
    return kept[1].carousels[0].model if kept[1].carousels else next(iter(frame.service.models))
