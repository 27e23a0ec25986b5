"""The Compare page: two to four lists side by side for one viewer, how alike they are, and a blind vote. Below the navigation all is one fragment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from recommender.compare import lists
from recommender.compare.lists import HOME, HeldOut
from recommender.serve.feedback import Event, FeedbackError, note_of
from recommender.ui import cmp_lists, cmp_overlap, cmp_sides, cmp_vote, dialog, kit, sections, sign, words
from recommender.ui.cmp_lists import Stand
from recommender.ui.cmp_sides import Chosen
from recommender.ui.echo import by_hand, stand
from recommender.ui.state import Choice, Frame, from_address, put

_WEB = Path(__file__).parent / "web"
_CSS = "\n".join((_WEB / f"{name}.css").read_text("utf-8") for name in ("evaluation", "context", "compare"))


def stage(frame: Frame) -> None:
    """The page, and the film of the address where it names one."""
    asked = dialog.known(frame, st.query_params.get("film"))
    if asked is None:
        st.query_params.pop("film", None)
    st.session_state["mq_film"] = asked
    _fragment(frame)


@st.fragment
@sign.stored
def _fragment(frame: Frame) -> None:
    st.html(f"<style>{_CSS}</style>")
    dialog.hear(frame)
    frame = frame.now()
    for act in kit.acts(cmp_lists.KEY):
        _apply(frame, act)
    for act in kit.acts(cmp_vote.KEY):
        cmp_vote.cast(frame, act)
    if said := st.session_state.pop("mq_cmp_kept", None):
        st.toast(said, icon=":material/home:")
    columns, k = cmp_sides.chosen(frame), _k()
    try:
        found = cmp_lists.stand(frame, columns, k, _held(frame))
    except LookupError as error:
        st.info(f"Nothing to compare: {words.md(str(error))}.", icon=":material/info:")
        _bar(frame, columns, k)
        return
    said = f"<h1>{escape(cmp_lists.headline(found))}</h1><p>{escape(cmp_lists.spoken(found))}</p>"
    st.html(f'<div class="mq-ev mq-ev-top"><small>Side by side</small>{said}</div>')
    _bar(frame, columns, k)
    sections.draw(
        "see",
        {
            "Lists": partial(cmp_lists.draw, found),
            "How alike": partial(cmp_overlap.alike, found),
            "Blind vote": partial(cmp_vote.vote, found),
        },
    )
    if st.session_state.get("mq_film") is not None:
        dialog.show(*_source(frame, found))


def standing(frame: Frame) -> Stand:
    """All that stands on the page now. Raises LookupError where a list cannot be made."""
    return cmp_lists.stand(frame, cmp_sides.chosen(frame), _k(), _held(frame))


# -- the controls ------------------------------------------------------------------------------------------------------


def _bar(frame: Frame, columns: list[Chosen], k: int) -> None:
    """How long the lists are, what is hidden, what is moved on each, and one more list."""
    with st.container(horizontal=True, key="mq_cmp_bar", gap="small"):
        with st.container(key="mq_cmp_k", width=300):
            cmp_sides.slider("Films of each list", cmp_sides.SHOWN, k, "mq_cmp_k_pick", str, _counted)
        for column in columns:
            cmp_sides.panel(frame, column)
        if len(columns) < len(cmp_sides.SLOTS):
            st.button("Add a list", icon=":material/add:", key="mq_cmp_add", type="tertiary", on_click=cmp_sides.add, args=(frame, columns))
    enough = len(frame.viewer.profile) >= lists.LEAST
    hidden = from_address("hidden", ("fifth",)) is not None and enough
    stand("mq_cmp_hide", hidden)
    why = "The lists are made from the first four fifths; what the viewer liked among the hidden films is marked where a list finds it again."
    label = "Hide the last fifth of what this viewer rated" + ("" if enough else f" (needs {lists.LEAST} ratings)")
    st.toggle(label, key="mq_cmp_hide", on_change=_hid, disabled=not enough, help=why)


def _k() -> int:
    return int(from_address("k", [str(n) for n in cmp_sides.SHOWN]) or 20)


def _counted() -> None:
    k = st.session_state["mq_cmp_k_pick"]
    put("k", None if k == 20 else str(k))


def _held(frame: Frame) -> HeldOut | None:
    if from_address("hidden", ("fifth",)) is None:
        return None
    return lists.held_out(frame.viewer.profile, frame.service.request(frame.viewer, frame.query, frame.filters).may_see)


def _hid() -> None:
    if by_hand("mq_cmp_hide", (True, False)):
        put("hidden", "fifth" if st.session_state["mq_cmp_hide"] else None)


# -- what a click does -------------------------------------------------------------------------------------------------


def _apply(frame: Frame, act: dict[str, Any]) -> None:
    """What a click in a column changes, before the page is drawn."""
    do, slot = act.get("do"), str(act.get("slot"))
    if do == "pick":
        cmp_sides.pick(frame, slot, str(act.get("model")))
    elif do == "remove" and slot in cmp_sides.SLOTS[2:]:
        cmp_sides.pick(frame, slot, cmp_sides.NONE)
    elif do == "keep":
        _keep(frame, slot)
    elif do == "open":
        _open(frame, act)


def _keep(frame: Frame, slot: str) -> None:
    """The model of a column makes the first row of the viewer's Home page from now on; their Home list itself: the usual one again."""
    column = next((c for c in cmp_sides.chosen(frame) if c.slot == slot), None)
    if column is None:
        return
    model = None if column.side.model == HOME else column.side.model
    stored = frame.service.person(frame.viewer.id).preferences
    if (stored.model, frame.model) == (model, None):
        return
    try:
        frame.service.record([Event(frame.viewer.id, "prefer", note=note_of(replace(stored, model=model)))])
    except (FeedbackError, ValueError) as error:
        st.toast(f"Not stored: {words.md(words.told(error))}", icon=":material/cloud_off:")
        return
    put("model", None)  # what was asked for this visit alone
    made = f"Your first row is now made by “{words.md(column.name)}”" if model else "Your first row is the usual one again"
    st.session_state["mq_cmp_kept"] = made
    st.rerun()  # the sidebar says it, too


def _open(frame: Frame, act: dict[str, Any]) -> None:
    """A film in the dialog, explained by the list it was clicked in."""
    film, at = dialog.known(frame, act.get("film")), act.get("list")
    if film is not None and type(at) is int:
        st.session_state["mq_cmp_from"] = at
        dialog.open_film(film)


@dataclass(frozen=True, eq=False)
class Column(Frame):
    """The frame of one list: its moment, its model with what was moved, and what it knows of the viewer, whatever is said meanwhile."""

    def now(self) -> Frame:
        return self


def _source(frame: Frame, found: Stand) -> tuple[Frame, tuple[str, str | None] | None]:
    """The frame of the list that a film was opened from, the model that explains it there and the key of its row on the Home page."""
    at = st.session_state.get("mq_cmp_from")
    if at is None or not 0 <= at < len(found.made):
        return frame, None
    made, context = found.made[at], found.columns[at].side.context
    time, device = Choice(context.time_of_day, frame.time.browser, True), Choice(context.device, frame.device.browser, True)
    return Column(made.service, made.viewer, time, device, frame.filters, frame.anyway), (made.model, made.row)
