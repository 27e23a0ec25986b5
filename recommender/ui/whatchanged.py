"""What a new rating, mark or setting did to the first row, for the panel above the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from recommender.serve import changes_said
from recommender.serve.changes import changed
from recommender.serve.events import KINDS, SILENT
from recommender.serve.request import Request
from recommender.ui import cards, taste
from recommender.ui.state import Frame

SHOWN = 8  # films of the panel, those that moved furthest
VERBS = {"love": "loved", "like": "liked", "dislike": "said “not for me” to", "watched": "watched"}


def said(frame: Frame) -> tuple[str, ...]:
    """Ids of all events of the viewer that say something of a taste, undos included, in the order of storing."""
    return tuple(event.id for event in frame.service.feedback.events(frame.viewer.id, [kind for kind in KINDS if kind not in SILENT]))


def panel(frame: Frame, before: Request, after: Request) -> dict[str, Any] | None:
    """How many films moved, why, and the films themselves, each with its reason; None where nothing moved."""
    found = changed(before, after)
    if found.unchanged:
        return None
    catalog, said = after.catalog, _said(frame, after)
    head, *why = changes_said.sentences(found, catalog, said)
    far = sorted(found.moves, key=lambda m: -abs((m.places[0] or found.k + 1) - (m.places[1] or found.k + 1)))[:SHOWN]
    films = [
        {**cards.facts(catalog, m.item), "from": m.places[0], "to": m.places[1], "line": changes_said.line(m, found, catalog, said)}
        for m in found.moves
        if m in far
    ]
    return {"head": head, "why": why, "films": films}


def undoable(panel: dict[str, Any] | None, new: Sequence[str]) -> dict[str, Any] | None:
    """The panel with the id of the last of the events that made it, all of which its Undo takes back."""
    st.session_state["mq_undo"] = tuple(new) if panel else ()
    return panel and {**panel, "id": new[-1] if new else None}


def take_back(frame: Frame, panel: Any) -> None:
    """Undo what made the panel of this id, an undo among it included; nothing for a click on a panel of before."""
    new: tuple[str, ...] = st.session_state.get("mq_undo", ())
    if new and new[-1] == panel:
        st.session_state["mq_undo"] = ()
        taste.store(frame, taste.undone(frame, reversed(new)))


def _said(frame: Frame, after: Request) -> dict[int, str]:
    """By item number, what the viewer said of a film where it was no rating."""
    catalog = after.catalog
    words = {}
    for film, opinion in (*frame.taste.watched.items(), *frame.taste.opinions.items()):
        if opinion.kind in VERBS:
            words[catalog.index(film)] = f"you {VERBS[opinion.kind]} {catalog.titles[catalog.index(film)]}"
    return words
