"""The lists of the Taste page: watch-list, hidden films, films that are not used, and the history, each with the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from recommender.serve import history
from recommender.serve.history import Line
from recommender.ui import cards, dialog, kit, taste, words
from recommender.ui.state import Frame

KEY = "mq_lists"
STEP = 30  # films or lines that are shown at a time
OFF = {"list": "Remove", "hide": "Show again", "unuse": "Use again"}  # aspect -> what takes it back
ALL = {"list": "Empty the list", "hide": "Show all again", "unuse": "Use all again"}
NAMES = {"list": "Watch-list", "hide": "Hidden", "unuse": "Not used", "history": "History"}
SAYS = {
    "list": "Films you want to see. They stay in the rows, marked, unless you set otherwise.",
    "hide": "Films you never want to be shown. No row has them.",
    "unuse": "Films you have seen that no model is told of, so that they are no reason for any other.",
    "history": "What you said and did here, the latest first. Taken back, a thing counts as if it was never said.",
}
EMPTY = {
    "list": ("Nothing on the list yet", "Open a film anywhere and press Watch-list: it waits here for the right evening."),
    "hide": ("Nothing is hidden", "A film you hide leaves every row, and waits here in case you change your mind."),
    "unuse": ("Every film counts", "Where a film leads to bad picks, “Don’t use this title” takes it out of all reasoning, and it is listed here."),
    "history": ("Nothing said yet", "Rate a film, hide one, bring your films along: each thing is written down here, with a way back."),
}


def draw(frame: Frame) -> None:
    """One list at a time, 30 films or lines, then more."""
    st.session_state.setdefault("mq_list", "list")
    kit.view("shelf", _data(frame), key=KEY)


def apply(frame: Frame, act: dict[str, Any]) -> None:
    """What a click in the lists changes."""
    s, do, film, shown = st.session_state, act.get("do"), dialog.known(frame, act.get("film")), st.session_state.get("mq_list", "list")
    if do == "tab" and act.get("tab") in NAMES:
        s["mq_list"], s["mq_list_n"] = act["tab"], STEP
    elif do == "more":
        s["mq_list_n"] = s.get("mq_list_n", STEP) + STEP
    elif do == "clicks":
        s["mq_list_clicks"] = not s.get("mq_list_clicks")
    elif do == "open" and film is not None:
        dialog.open_film(film)
        taste.store(frame, [taste.said(frame, "click", film)])
    elif do == "off" and film is not None and shown in OFF:
        taste.store(frame, taste.undone(frame, frame.taste.standing(film)[shown]))
    elif do == "all" and shown in OFF:
        taste.store(frame, taste.undone(frame, [id_ for film in _films(frame)[shown] for id_ in frame.taste.standing(film)[shown]]))
    elif do == "undo":
        taste.store(frame, taste.undone(frame, next((line.undo for line in _lines(frame) if line.id == act.get("id")), ())))


def _films(frame: Frame) -> dict[str, Mapping[int, str]]:
    """Aspect -> the films of its list, oldest first, as stored."""
    mine = frame.taste
    return {"list": mine.listed, "hide": mine.hidden, "unuse": mine.unused}


def _lines(frame: Frame) -> tuple[Line, ...]:
    return history.lines(frame.service.feedback.events(frame.viewer.id, history.TOLD), frame.service.catalog)


def _data(frame: Frame) -> dict[str, Any]:
    shown, n = st.session_state["mq_list"], st.session_state.get("mq_list_n", STEP)
    films: dict[str, list[int]] = {
        aspect: [film for film in reversed(list(of)) if dialog.known(frame, film) is not None] for aspect, of in _films(frame).items()
    }
    tabs = [[key, name, len(films[key]) if key in films else None] for key, name in NAMES.items()]
    data: dict[str, Any] = {"tab": shown, "tabs": tabs, "says": SAYS[shown], "films": [], "lines": [], "left": 0, "all": "", "clicks": None}
    if shown == "history":
        data |= _told(frame, n)
    else:
        data |= {"films": [_film(frame, film, shown) for film in films[shown][:n]], "left": max(0, len(films[shown]) - n), "off": OFF[shown]}
        data["all"] = ALL[shown] if len(films[shown]) > 1 else ""
    title, line = EMPTY[shown]
    data["empty"] = None if data["films"] or data["lines"] else {"title": title, "line": line}
    return data


def _film(frame: Frame, film: int, aspect: str) -> dict[str, Any]:
    """A film of a list, and since when it is there."""
    catalog = frame.service.catalog
    at = _since(frame).get(frame.taste.standing(film)[aspect][-1])
    opinion = frame.taste.opinions.get(film)
    stars = f"you gave it ★ {opinion.stars:g}" if opinion and opinion.stars else ""
    return {**cards.facts(catalog, catalog.index(film)), "at": at, "said": stars}


def _since(frame: Frame) -> dict[str, float]:
    """Event -> when, of what stands; kept until something is stored."""
    kept: tuple[Any, dict[str, float]] | None = st.session_state.get("mq_list_since")
    if kept is None or kept[0] is not frame.taste:
        at = {event.id: event.at for event in frame.service.feedback.events(frame.viewer.id, ("list", "hide", "unuse"))}
        kept = st.session_state["mq_list_since"] = frame.taste, at
    return kept[1]


def _told(frame: Frame, n: int) -> dict[str, Any]:
    clicks, told = bool(st.session_state.get("mq_list_clicks")), _lines(frame)
    chosen = [line for line in told if clicks or line.kind != "click"]
    opened = sum(line.kind == "click" for line in told)
    rows = [_row(frame, line) for line in chosen[:n]]
    return {
        "lines": rows,
        "left": max(0, len(chosen) - n),
        "clicks": {"on": clicks, "say": f"also {words.counted(opened, 'film')} you opened"} if opened else None,
    }


def _row(frame: Frame, line: Line) -> dict[str, Any]:
    catalog, film = frame.service.catalog, dialog.known(frame, line.film)
    facts = cards.facts(catalog, catalog.index(film)) if film is not None else None
    return {"id": line.id, "at": line.at, "text": line.text, "film": facts, "row": line.row, "state": line.state, "undo": bool(line.undo)}
