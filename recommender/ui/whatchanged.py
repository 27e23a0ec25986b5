"""What a new rating, mark or setting did to the first row, for the panel above the rows."""

from __future__ import annotations

from typing import Any

from recommender.serve import changes_said
from recommender.serve.changes import changed
from recommender.serve.request import Request
from recommender.ui import cards
from recommender.ui.state import Frame

SHOWN = 8  # films of the panel, those that moved furthest
VERBS = {"love": "loved", "like": "liked", "dislike": "said “not for me” to", "watched": "watched"}


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


def _said(frame: Frame, after: Request) -> dict[int, str]:
    """By item number, what the viewer said of a film where it was no rating."""
    catalog = after.catalog
    words = {}
    for film, opinion in (*frame.taste.watched.items(), *frame.taste.opinions.items()):
        if opinion.kind in VERBS:
            words[catalog.index(film)] = f"you {VERBS[opinion.kind]} {catalog.titles[catalog.index(film)]}"
    return words
