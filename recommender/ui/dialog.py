"""One film in a dialog. Opened from the fragment of the page at a single place, so that no run ever has two."""

from __future__ import annotations

from typing import Any

import streamlit as st

from recommender.serve import inquiry, phrases
from recommender.types import Query
from recommender.ui import cards, kit, sign, taste
from recommender.ui.state import Frame

Source = tuple[str, str | None]  # the model that explains a film, and the key of its row on the Home page
KEY = "mq_film_view"
FOUND = "found"  # the row of what a search found: explained by the model that makes the first row
QUESTION = "Where does it stand in my list, and why?"


def known(frame: Frame, film: Any) -> int | None:
    """The id of a film of the catalogue that this viewer may see; None for anything else an address or a click may hold."""
    catalog = frame.service.catalog
    try:
        item = catalog.index(int(film))
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return int(catalog.ids[item]) if catalog.allowed(frame.viewer.certificate)[item] else None


def open_film(film: int, row: str | None = None) -> None:
    """Of the row in which it was clicked, where there was one."""
    st.session_state["mq_film"], st.session_state["mq_film_row"] = film, row
    st.query_params["film"] = str(film)


def close() -> None:
    """No film is asked for any more."""
    st.session_state["mq_film"] = None
    st.query_params.pop("film", None)


def hear(frame: Frame) -> None:
    """What was done in the dialog, also where it has closed since."""
    for act in kit.acts(KEY):
        _apply(frame.now(), act)


def _apply(frame: Frame, act: dict[str, Any]) -> None:
    do, film, other = act.get("do"), known(frame, act.get("film")), known(frame, act.get("other"))
    if do == "open" and film is not None and st.session_state.get("mq_film") is not None:
        open_film(film)
    elif do == "ask":
        st.session_state["mq_asked_of"] = film
    elif do in ("mark", "rate", "list", "hide", "watched") and film is not None:
        taste.act(frame, act, film)
    elif do in ("unuse", "reuse") and other is not None:
        taste.act(frame, act, other)


@st.dialog("About this film", width=1040, on_dismiss=close)
@sign.stored
def show(frame: Frame, source: Source | None = None) -> None:
    """Draw the film of the session; a click inside redraws only this. source: what explains it, where it is not the row that it was clicked in."""
    hear(frame)
    film: int | None = st.session_state.get("mq_film")
    if film is None:  # closed by the same message that brought the act: the page behind it has not run
        st.rerun()
    frame = frame.now()
    mine = frame.taste
    opinion = mine.opinions.get(film)
    said: dict[str, Any] = {"taste": taste.data(mine), "mark": opinion and opinion.kind, "stars": opinion and opinion.stars}
    said |= {"listed": film in mine.listed, "hidden": film in mine.hidden, "watched": film in mine.watched}
    said["question"] = QUESTION
    lot = st.session_state.get("mq_lot")
    said["odds"] = lot[1] if lot and lot[0] == film and st.session_state.get("mq_film_row") == "lot" else None
    said["unused"] = cards.named(frame.service.catalog, mine.unused)
    said["asked"] = _answer(frame, film)
    kit.view("film", {**_details(frame, film, source), **said}, key=KEY, newest=True)


def _details(frame: Frame, film: int, source: Source | None) -> dict[str, Any]:
    catalog, service = frame.service.catalog, frame.service
    model, row = source or _source(frame, film)
    query = frame.query
    found = service.details(frame.viewer, query, catalog.index(film), model, row)
    similar = service.cards(frame.viewer, query, [int(i) for i in found.similar])
    kept = "What you say here is kept, and changes the rows when this is closed. The Taste page shows all of it, and takes it back."
    facts = cards.details(catalog, found, seen=found.recommendation.item in frame.viewer.profile.items)
    return {**facts, "similar": [cards.card(catalog, r) for r in similar], "kept": kept}


def _answer(frame: Frame, film: int) -> list[str] | None:
    """What was found when the question was asked of this film, by these films and at this moment; None where it was not asked."""
    query = frame.query
    told, viewer = query.profile, frame.viewer
    rated = tuple(zip(told.items.tolist(), told.ratings.tolist(), told.weights.tolist()))
    key = (frame.service.version, film, rated, query.context, frame.filters, viewer.id, viewer.hidden, viewer.preferences)
    if st.session_state.pop("mq_asked_of", None) == film:
        st.session_state["mq_answer"] = (key, _place(frame, film, query))
    kept = st.session_state.get("mq_answer")
    return kept[1] if kept and kept[0] == key else None


def _place(frame: Frame, film: int, query: Query) -> list[str]:
    """Why the film is not among the first of the viewer's list, or the least that holds it there."""
    service, item = frame.service, frame.service.catalog.index(film)
    if not {"popularity", "hybrid", "content"} & set(service.models):
        return ["No model is loaded that makes a first row."]
    request = service.request(frame.viewer, query, frame.filters)
    found = inquiry.why_not(request, item, service.told(frame.viewer, frame.anyway))
    if found is not None:
        return phrases.why_not(found, service.catalog)
    held = inquiry.held(request, item)
    return phrases.held(held, service.catalog) if held else []


def _source(frame: Frame, film: int) -> Source:
    """The model and the row that put the film on the page; for a film found elsewhere, the model of the first row."""
    item, asked, kept = frame.service.catalog.index(film), st.session_state.get("mq_film_row"), st.session_state.get("mq_rows")
    rows = kept.home.carousels if kept else ()
    if asked == FOUND:
        return "", None
    for carousel in sorted(rows, key=lambda c: c.key != asked):  # the row that was clicked in, then the others
        for r in carousel.recommendations:
            if r.item == item:
                return r.model, carousel.key
    return rows[0].model if rows else next(iter(frame.service.models)), None
