"""Rate films: a search whose cards take stars and marks, and below it everything the viewer has said, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from recommender.serve.feedback import Opinion, Taste
from recommender.ui import cards, dialog, kit, taste, tst_row, words
from recommender.ui.state import Frame

KEY = "mq_taste_rate"
PAGE = 24  # films that are drawn at a time
SAID = {"love": "you love it", "like": "you like it", "dislike": "not for you", "watched": "watched"}


@dataclass(frozen=True)
class Removed:
    """A film by id that was taken out, the events that did it, and whether it was one the viewer came with."""

    viewer: str
    film: int
    events: tuple[str, ...]
    unused: bool


def apply(frame: Frame, act: dict[str, Any]) -> None:
    """What a click on a card, or a typed word, changes."""
    s, do, film = st.session_state, act.get("do"), dialog.known(frame, act.get("film"))
    if do == "find":
        s["mq_taste_words"] = str(act.get("words") or "")[:80]
    elif do == "more":
        s["mq_taste_more"] = s.get("mq_taste_more", PAGE) + PAGE
    elif do == "again":
        _put_back(frame)
    elif film is None:
        return
    elif do == "remove":
        _remove(frame, film)
    elif do == "open":
        tst_row.apply(frame, act)
    else:
        taste.act(frame, act, film)


def _remove(frame: Frame, film: int) -> None:
    """Take back all that was said of a film; what the viewer came with is not used any more."""
    standing = frame.taste.standing(film)
    events = (*standing["opinion"], *standing["watched"])
    undos = taste.undone(frame, events)
    if not events:
        undos = [taste.said(frame, "unuse", film)]
    taste.store(frame, undos)
    st.session_state["mq_taste_removed"] = Removed(frame.viewer.id, film, tuple(event.id for event in undos), unused=not events)


def _put_back(frame: Frame) -> None:
    """Take back the last removal."""
    gone = _gone(frame)
    if gone is not None:
        taste.store(frame, taste.undone(frame, gone.events))


def _gone(frame: Frame) -> Removed | None:
    """The last removal, as long as it stands."""
    gone: Removed | None = st.session_state.get("mq_taste_removed")
    if gone is None or gone.viewer != frame.viewer.id:
        return None
    mine = frame.taste
    stands = gone.film in mine.unused if gone.unused else gone.film not in mine.opinions and gone.film not in mine.watched
    return gone if stands else None


def draw(frame: Frame) -> None:
    """The search, what it found, and what was said."""
    s, catalog, mine = st.session_state, frame.service.catalog, frame.taste
    query, many = s.get("mq_taste_words", "").strip(), s.get("mq_taste_more", PAGE)
    found = frame.service.search(query, frame.viewer, PAGE) if query else []
    rated = frame.viewer.profile.items[::-1].tolist()
    gone = _gone(frame)
    stars = dict(zip(frame.viewer.profile.items.tolist(), frame.viewer.profile.ratings.tolist()))
    data = {
        "words": query,
        "found": [_slip(frame, mine, stars, int(i)) for i in found],
        "line": _line(frame, query, len(found)),
        "mine": [_slip(frame, mine, stars, i) for i in rated[:many]],
        "total": len(rated),
        "more": max(0, min(PAGE, len(rated) - many)),
        "removed": catalog.titles[catalog.index(gone.film)] if gone else None,
    }
    kit.view("rateFilms", data, key=KEY, newest=True)


def _slip(frame: Frame, mine: Taste, stars: dict[int, float], item: int) -> dict[str, Any]:
    """One film with all that was said of it."""
    catalog = frame.service.catalog
    film = int(catalog.ids[item])
    opinion = mine.opinions.get(film)
    own = opinion or mine.watched.get(film)
    return {
        **cards.facts(catalog, item),
        "mark": opinion.kind if opinion else None,
        "stars": _stars(opinion, stars.get(item)) if own is None or opinion else None,
        "listed": film in mine.listed,
        "hidden": film in mine.hidden,
        "unused": film in mine.unused,
        "seen": item in stars,
        "own": own is not None,
        "said": _said(own, item in stars),
    }


def _stars(opinion: Opinion | None, base: float | None) -> float | None:
    """The stars that were given, by the viewer here or in what they came with; a mark gives none."""
    return opinion.stars if opinion else base


def _said(own: Opinion | None, seen: bool) -> str:
    if own is None:
        return "from the start" if seen else ""
    return SAID.get(own.kind, "")


def _line(frame: Frame, query: str, found: int) -> str:
    if not query:
        return ""
    limit = f", nothing stricter than {frame.viewer.certificate}" if frame.viewer.certificate else ""
    if not found:
        return f"Neither a film nor a person called “{query}” is in the catalogue{limit}, even with typing errors forgiven."
    return f"{words.counted(found, 'film')} by title or person{limit}"
