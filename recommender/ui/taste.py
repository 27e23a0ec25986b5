"""What a click on a film stores, and what the drawing code is told of a viewer's taste."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import streamlit as st

from recommender.serve import arrivals, history
from recommender.serve.feedback import SILENT, Event, FeedbackError, Taste, note_of
from recommender.serve.logbook import Page
from recommender.types import Preferences
from recommender.ui import state
from recommender.ui.state import Frame

_log = logging.getLogger(__name__)
MARKS = ("love", "like", "dislike")
STARS = tuple(n / 2 for n in range(1, 11))
SWITCHES = {"list": "list", "hide": "hide", "watched": "watched", "unuse": "unuse", "reuse": "unuse"}  # what a click says -> the aspect it turns


def data(taste: Taste) -> dict[str, Any]:
    """Marks and the watch-list by film id."""
    return {"marks": {str(film): o.kind for film, o in taste.opinions.items() if o.kind in MARKS}, "list": list(taste.listed)}


def act(frame: Frame, act: dict[str, Any], film: int) -> None:
    """Store a click: marks and stars replace each other, the rest are switches; what is on is taken back by an undo."""
    do, standing, stands = act.get("do"), frame.taste.standing(film), frame.taste.opinions.get(film)
    if do == "mark":
        mark = act.get("mark")
        if mark not in MARKS:
            store(frame, undone(frame, standing["opinion"]))
        elif stands is None or stands.kind != mark:
            store(frame, [said(frame, mark, film)])
    elif do == "rate":
        stars = act.get("stars")
        if stars in STARS:
            store(frame, [said(frame, "rating", film, stars=float(stars))])
        elif not stars:
            store(frame, undone(frame, standing["opinion"]))
    elif do in SWITCHES:
        on = standing[SWITCHES[do]]
        if on or do != "reuse":
            store(frame, undone(frame, on) if on and do != "unuse" else [said(frame, SWITCHES[do], film)])


def prefer(frame: Frame, preferences: Preferences) -> None:
    """Store what the viewer set by hand."""
    if preferences != frame.viewer.preferences:
        store(frame, [Event(frame.viewer.id, "prefer", note=note_of(preferences), **stamp(frame))])


def said(frame: Frame, kind: str, film: int, **more: Any) -> Event:
    """An event of a film, with the moment, and the place on the page where the film stood."""
    page: Page | None = st.session_state.get("mq_page")
    return Event(frame.viewer.id, kind, film, **more, **stamp(frame), **(page.place(film, st.session_state.get("mq_film_row")) if page else {}))


def undone(frame: Frame, events: Iterable[str]) -> list[Event]:
    """Undos of these events."""
    return [Event(frame.viewer.id, "undo", target=event, **stamp(frame)) for event in events]


def take_back(frame: Frame) -> None:
    """Undo what was said last in this visit, an undo among it; in a new one what stands last, of an import all of it."""
    last: tuple[str, tuple[str, ...]] | None = st.session_state.get("mq_last")
    if last is not None and last[0] == frame.viewer.id:
        return store(frame, undone(frame, reversed(last[1])))
    latest = frame.service.latest(frame.viewer)
    if latest:
        brought = arrivals.imports(frame.service.feedback.events(frame.viewer.id, history.TOLD))
        whole = next((stands for one in brought if latest in (stands := [event.id for event in one.stands])), [latest])
        store(frame, undone(frame, whole))


def stamp(frame: Frame) -> dict[str, Any]:
    """The moment as the viewer says it, the true class of the device, the hour on their clock, and the experiment that the page belongs to."""
    asked = frame.asked
    moment = {"time_of_day": asked.time_of_day, "device": asked.device, "seen_device": state.browser_device(), "local_hour": state.browser_hour()}
    return moment | ({"experiment": frame.trial.experiment, "arm": frame.trial.arm.name} if frame.trial else {})


def store(frame: Frame, events: list[Event]) -> None:
    """Store what the viewer did; a click that means nothing any more is told, not raised.

    Where the store takes nothing, the page stands, and that what was shown and opened goes unnoted is a line in the log. What was said is not
    dropped in silence: a FeedbackError.
    """
    try:
        frame.service.record(events)
        if said := tuple(event.id for event in events if event.kind not in SILENT):
            st.session_state["mq_last"] = (frame.viewer.id, said)
    except FeedbackError as error:
        if any(event.kind not in SILENT for event in events):
            raise
        _log.warning("not noted what was shown or opened: %s", error)
    except (KeyError, ValueError) as error:
        st.toast(f"Not stored: {error.args[0]}", icon=":material/block:")
