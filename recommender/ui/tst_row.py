"""The first row beside the controls of the Taste page: its first films, how they moved with the last click, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from recommender.serve.logbook import Page
from recommender.serve.request import Request
from recommender.types import Carousel, Explanation, Recommendation
from recommender.ui import cards, dialog, kit, taste, whatchanged, words
from recommender.ui.state import Frame

KEY = "mq_taste_row"
K, SHOWN = 20, 10  # films that are compared, and posters that are drawn
SOURCE = ("", None)  # a film opened here is explained by the model that makes the first row


@dataclass(frozen=True, eq=False)
class Shown:
    """The first row as last worked out: item numbers of its first films, the match [%] of those drawn, what it is of, and the row before it."""

    frame: Frame
    request: Request
    title: str
    why: str
    items: tuple[int, ...]
    match: tuple[int | None, ...]
    before: Shown | None = None

    @property
    def moves(self) -> dict[int, tuple[int | None, int]]:
        """Place before, None where it was not there, and now, of each film that stands elsewhere than before."""
        old = self.before.items if self.before else self.items
        places = {item: n for n, item in enumerate(old, 1)}
        return {item: (places.get(item), n) for n, item in enumerate(self.items, 1) if places.get(item) != n}

    @property
    def light(self) -> Shown:
        """The same as a visit may hold it: scores of all films by all models, megabytes, are worked out again by who asks for them."""
        return replace(self, request=replace(self.request), before=self.before.light if self.before else None)


def apply(frame: Frame, act: dict[str, Any]) -> None:
    """What a click beside the row changes."""
    do, film = act.get("do"), dialog.known(frame, act.get("film"))
    if do == "undo":
        taste.take_back(frame)
    elif do == "why":
        st.session_state["mq_taste_why"] = act.get("on") is True
    elif do == "open" and film is not None:
        dialog.open_film(film)
        taste.store(frame, [taste.said(frame, "click", film)])


def shown(frame: Frame) -> Shown:
    """The first row, worked out again only where something that decides it has changed; then its films are stored as shown."""
    kept: Shown | None = st.session_state.get("mq_taste_shown")
    if kept is not None and frame.asks_as(kept.frame):
        return kept
    asked = frame.service.request(frame.viewer, frame.query, frame.filters)
    row = asked.planner.top()
    if row is None:
        raise LookupError("no model is loaded that makes a first row")
    items = asked.choose(row, asked.offered, np.zeros(len(frame.service.catalog), bool), K).tolist()
    before = kept if kept is not None and kept.frame.viewer.id == frame.viewer.id else None
    chance = asked.promise.get("chance") if asked.way != "popular" else None
    match = tuple(_match(chance, i) for i in items[:SHOWN])
    made = Shown(frame, asked, row.title, row.why, tuple(items), match, replace(before, before=None) if before else None)
    st.session_state["mq_taste_shown"], st.session_state["mq_taste_panel"] = made, None
    films = tuple(Recommendation(i, float(row.scores[i]), row.model, Explanation()) for i in items[:SHOWN])
    page = Page(frame.service.catalog, (Carousel("taste", row.title, row.why, row.model, films),))
    st.session_state["mq_taste_page"] = page
    taste.store(frame, page.impressions(frame.viewer.id, taste.stamp(frame)))
    return made


def stand(frame: Frame) -> None:
    """Clicks on this page are stored with the place of the film beside the controls, and with none that it had on another page."""
    kept: Shown | None = st.session_state.get("mq_taste_shown")
    here = kept is not None and kept.frame.viewer.id == frame.viewer.id
    st.session_state["mq_page"] = st.session_state.get("mq_taste_page") if here else None
    if kept is not None and frame.asks_as(kept.frame):
        st.session_state["mq_taste_shown"] = replace(kept, before=None)


def draw(frame: Frame) -> None:
    """The posters, what moved, and the reasons where they are wanted."""
    try:
        now = shown(frame)
    except LookupError as error:
        st.info(f"There is no first row: {words.md(str(error.args[0]))}.", icon=":material/info:")
        return
    catalog = frame.service.catalog
    moves = now.moves
    films = [{**cards.facts(catalog, i), "match": match, "move": _move(moves, i)} for i, match in zip(now.items, now.match)]
    moved = bool(now.before and now.items != now.before.items)
    wanted: bool | None = st.session_state.get("mq_taste_why")  # None: where there is room for it
    data = {"title": now.title, "why": now.why, "films": films, "taste": taste.data(frame.taste), "changed": _changed(now), "moved": moved}
    kit.view("firstRow", {**data, "wanted": wanted, "panel": _panel(now) if moved and wanted is not False else None, "k": K}, key=KEY)
    st.session_state["mq_taste_shown"] = now.light


def _panel(now: Shown) -> dict[str, Any] | None:
    """Why they moved; worked out once for each change."""
    kept = st.session_state.get("mq_taste_panel")
    if kept is None and now.before:
        kept = st.session_state["mq_taste_panel"] = whatchanged.panel(now.frame, now.before.request, now.request)
    return kept


def _changed(now: Shown) -> str:
    """'3 of the first 20 are new, 9 moved'; '' where nothing was done yet."""
    if now.before is None:
        return ""
    if now.items == now.before.items:
        return f"The first {K} stay as they are"
    new = sum(old is None for old, _ in now.moves.values())
    moved = len(now.moves) - new
    parts = [f"{new} {'is' if new == 1 else 'are'} new" if new else "", f"{moved} moved" if moved else ""]
    return f"Of the first {K}, {', '.join(filter(None, parts)) or 'some left'}"


def _move(moves: dict[int, tuple[int | None, int]], item: int) -> list[int | None] | None:
    return list(moves[item]) if item in moves else None


def _match(chance: np.ndarray | None, item: int) -> int | None:
    return None if chance is None or np.isnan(chance[item]) else round(100 * float(chance[item]))
