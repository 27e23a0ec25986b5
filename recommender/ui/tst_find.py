"""Find your taste: pick groups of films, then say what you think of a few films that tell most; the first row follows each click."""

from __future__ import annotations

from typing import Any

import streamlit as st

from recommender.interview import PICK
from recommender.models.atlas import Group
from recommender.serve import interview
from recommender.serve.feedback import Event
from recommender.ui import cards, kit, taste, tst_dials, words
from recommender.ui.state import Frame

KEY = "mq_taste_find"
ANSWERS, UNSEEN = ("love", "like", "dislike"), "unseen"
FACES = 4


def apply(frame: Frame, act: dict[str, Any]) -> bool:
    """What a click changes; whether the viewer has had enough."""
    do, kept = act.get("do"), _kept(frame)
    if do == "group":
        _pick(frame, act.get("group"))
    elif do == "step" and act.get("step") in ("groups", "films"):
        kept["step"] = act["step"]
    elif do == "answer":
        _answer(frame, kept, act)
    elif do == "back" and (said := _standing(frame, kept)):
        item, event = said[-1]
        kept["said"] = said[:-1]
        kept["asked"].discard(item)
        if event:
            taste.store(frame, taste.undone(frame, [event]))
    return do == "enough"


def _kept(frame: Frame) -> dict[str, Any]:
    """What this visit knows of the interview: the step, the films they have not seen, and what was said, oldest first."""
    kept = st.session_state.get("mq_taste_interview")
    if kept is None or kept["viewer"] != frame.viewer.id:
        kept = {"viewer": frame.viewer.id, "step": "groups", "asked": set(), "said": []}
        st.session_state["mq_taste_interview"] = kept
    return kept


def _pick(frame: Frame, group: Any) -> None:
    """Switch a group on or off."""
    if not any(g.number == group for g in _groups(frame)):
        return
    points = dict(tst_dials.stored(frame).groups)
    if points.pop(group, 0.0) <= 0:
        points[group] = PICK
    tst_dials.change(frame, groups=tuple(points.items()))


def _answer(frame: Frame, kept: dict[str, Any], act: dict[str, Any]) -> None:
    """Store what was said of the film that was asked about; one they have not seen is only remembered."""
    item, mark = kept.get("item"), act.get("mark")
    if item is None or act.get("film") != int(frame.service.catalog.ids[item]) or mark not in (*ANSWERS, UNSEEN):
        return
    said: Event | None = taste.said(frame, mark, act["film"]) if mark in ANSWERS else None
    if said:
        taste.store(frame, [said])
    else:
        kept["asked"].add(item)
    kept["said"].append((item, said.id if said else None))


def _standing(frame: Frame, kept: dict[str, Any]) -> list[tuple[int, str | None]]:
    """What was said here and not taken back elsewhere: item numbers with the event, None for a film they have not seen."""
    ids, mine = frame.service.catalog.ids, frame.taste
    return [(item, event) for item, event in kept["said"] if event is None or event in mine.standing(int(ids[item]))["opinion"]]


def _groups(frame: Frame) -> tuple[Group, ...]:
    atlas = frame.service.atlas
    return atlas.groups(frame.service.catalog.allowed(frame.viewer.certificate), FACES, FACES) if atlas else ()


def draw(frame: Frame) -> None:
    """Both steps as one view."""
    kept, groups = _kept(frame), _groups(frame)
    if not groups:
        st.info("The groups of films did not load, so there is nothing to pick from. “Rate films” works without them.", icon=":material/info:")
        return
    points = dict(frame.viewer.preferences.groups)
    picked = [g.number for g in groups if points.get(g.number, 0) > 0]
    step = kept["step"]
    data: dict[str, Any] = {"step": step, "picked": len(picked), "way": _way(frame), "answered": len(_standing(frame, kept))}
    if step == "groups":
        catalog = frame.service.catalog
        data["groups"] = [
            {"number": g.number, "name": g.name, "why": g.why, "on": g.number in picked, "films": [cards.facts(catalog, i) for i in g.films]}
            for g in groups
        ]
    else:
        data |= _question(frame, kept)
    kit.view("findTaste", data, key=KEY)


def _question(frame: Frame, kept: dict[str, Any]) -> dict[str, Any]:
    """The film to ask about, why this one, and how much is settled."""
    request = frame.service.request(frame.viewer, frame.query, frame.filters)
    try:
        found = interview.next_round(request, kept["asked"])
    except LookupError as error:
        return {"film": None, "progress": None, "line": f"{str(error.args[0]).capitalize()}."}
    kept["item"] = found.questions[0].item if found.questions else None
    if not found.questions:
        return {
            "film": None,
            "progress": found.progress,
            "line": "There is no film left to ask about: you were asked about all that would tell more.",
        }
    item, catalog = found.questions[0].item, frame.service.catalog
    people = {"directors": list(catalog.directors[item]), "actors": list(catalog.actors[item][:4])}
    film = {**cards.facts(catalog, item), **people}
    return {"film": film, "progress": found.progress, "line": interview.said(found.questions[0])}


def _way(frame: Frame) -> str:
    """What a pick and an answer do to the rows now, by how much this viewer has rated."""
    few, n = frame.service.settings.few_ratings, len(frame.viewer.profile)
    if n < few:
        return (
            f"With {words.counted(n, 'film')} rated, your first row is what everybody watches, moved by what you pick. "
            f"From {few} on, your own films make it: {few - n} to go."
        )
    return f"With {words.counted(n, 'film')} rated, your own films make your first row; every answer counts, and what you pick moves it besides."
