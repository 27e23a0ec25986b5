"""For you: everything below the navigation bar is one view, redrawn as a fragment; the dialog opens from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from recommender.serve.feedback import Event
from recommender.serve.logbook import Page
from recommender.serve.request import Request
from recommender.types import Context, Home, Query
from recommender.ui import cards, company, dialog, kit, sign, taste, trial, whatchanged, words
from recommender.ui.state import Frame, put

KEY = "mq_home"
TRIED = {
    "route": "single",
    "why": "An experiment runs: what makes the first row is drawn for each viewer. Your data on Taste says more.",
    "weights": [],
}
UNTOLD = "the models are not told, so your top 20 stay as they are"


def stage(frame: Frame) -> None:
    """The page, and the film of the address where it names one."""
    asked = dialog.known(frame, st.query_params.get("film"))
    if asked is None:
        st.query_params.pop("film", None)
    st.session_state["mq_film"] = asked
    frame = trial.entered(frame)
    _note_change(frame)
    _fragment(frame)


@st.fragment
@sign.stored
def _fragment(frame: Frame) -> None:
    dialog.hear(frame)  # what was said in it as it closed
    for act in kit.acts(KEY):
        _apply(frame.now(), act)
    frame = frame.now()
    kit.view("home", _data(frame), key=KEY)
    if (drawn := st.session_state.pop("mq_unnoted", None)) is not None:  # after the rows are on their way: nobody waits for it
        taste.store(drawn.frame, _shown(drawn.frame, drawn))
    if st.session_state.get("mq_film") is not None:
        dialog.show(frame)


def _apply(frame: Frame, act: dict[str, Any]) -> None:
    """What a click or a typed word changes, before the page is drawn."""
    s, do, film = st.session_state, act.get("do"), dialog.known(frame, act.get("film"))
    if do == "find":
        s["mq_words"] = str(act.get("words") or "")[:80]
    elif do == "genre":
        put("genre", act["genre"].lower() if act.get("genre") in frame.service.catalog.genre_names else None)
    elif do == "unhide":
        taste.store(frame, taste.undone(frame, frame.taste.hidden.values()))
    elif do == "lot":
        company.draw_lot(frame, _on_page())
    elif do == "undo":
        whatchanged.take_back(frame, act.get("id"))
    elif do == "read":
        s["mq_changes"] = None
    elif do in ("list", "unuse", "reuse") and film is not None:
        taste.act(frame, act, film)
    elif do == "open" and film is not None:
        row = act.get("row")
        dialog.open_film(film, row if isinstance(row, str) else None)
        taste.store(frame, [taste.said(frame, "click", film)])


@dataclass(frozen=True, eq=False)
class Drawn:
    """The rows as last worked out, and what they were worked out for."""

    frame: Frame
    home: Home
    page: Page
    said: tuple[str, ...]  # the events that had spoken by then

    def request(self) -> Request:
        return self.frame.service.request(self.frame.viewer, self.frame.query, self.frame.filters)


def _home(frame: Frame) -> Home:
    """The rows, asked for again only when something that decides them has changed; then they are to be stored as shown."""
    kept: Drawn | None = st.session_state.get("mq_rows")
    if kept is None or not frame.asks_as(kept.frame):
        home = _light(frame.service.home(frame.viewer, frame.query, frame.filters))
        drawn = Drawn(frame, home, Page(frame.service.catalog, home.carousels), whatchanged.said(frame))
        st.session_state["mq_rows"] = st.session_state["mq_unnoted"] = drawn
        st.session_state["mq_changes"], st.session_state["mq_undo"] = None, ()  # places in a row that is no longer there say nothing
        same = kept is not None and kept.frame.service is frame.service and kept.frame.viewer.id == frame.viewer.id
        if kept is not None and same and kept.frame.viewer is not frame.viewer:
            new = [event for event in drawn.said if event not in kept.said]
            st.session_state["mq_changes"] = whatchanged.undoable(whatchanged.panel(frame, kept.request(), drawn.request()), new)
        kept = drawn
    st.session_state["mq_page"] = kept.page
    return kept.home


def _light(home: Home) -> Home:
    """Rows that a visit may hold: of the reasons only simulated ones, which mark a card; the dialog works a film's out again."""
    kept = lambda e: replace(e, reasons=tuple(reason for reason in e.reasons if reason.simulated))
    films = lambda c: tuple(replace(r, explanation=kept(r.explanation)) for r in c.recommendations)
    return replace(home, carousels=tuple(replace(c, recommendations=films(c)) for c in home.carousels))


def _shown(frame: Frame, drawn: Drawn) -> list[Event]:
    """The films of a page as events; in an experiment the first one notes how long the page took."""
    events = drawn.page.impressions(frame.viewer.id, taste.stamp(frame))
    if frame.trial and events:
        events[0] = replace(events[0], note={"ms": round(drawn.home.timing_ms["total"], 2)})
    return events


def _on_page() -> list[int]:
    """Item numbers of the films on the page now."""
    kept: Drawn | None = st.session_state.get("mq_rows")
    return [r.item for c in kept.home.carousels for r in c.recommendations] if kept else []


def _data(frame: Frame) -> dict[str, Any]:
    catalog, mine = frame.service.catalog, frame.taste
    query, genre = st.session_state.get("mq_words", "").strip(), frame.filters.genre
    data: dict[str, Any] = {
        "words": query, "genre": genre, "genres": list(catalog.genre_names), "taste": taste.data(mine), "hidden": len(mine.hidden),
        "unused": cards.named(catalog, mine.unused),
        "hero": None, "strategy": None, "changed": None, "changes": None, "rows": [], "found": None, "empty": None,
    }  # fmt: skip
    if query:
        return data | _search(frame, query, genre)
    if (other := company.beside(frame)) is not None:
        return data | company.data(frame, other)
    home = _home(frame)
    data["changes"] = st.session_state.get("mq_changes")
    if not any(c.recommendations for c in home.carousels):
        return data | {"empty": _all_gone(frame, genre, len(mine.hidden))}
    rows = [cards.row(catalog, c) for c in home.carousels if c.recommendations]
    if frame.trial:  # the viewer asked for nothing
        rows = [row | {"why": f"Ranked by one model: {row['model']}"} if row["key"] == "top" else row for row in rows]
    bill = f"First on your bill{words.now(frame.query.context.time_of_day)}"
    made = cards.strategy(home.strategy) | (TRIED if frame.trial else {})
    return data | {"hero": rows[0]["films"][0], "bill": bill, "strategy": made, "changed": st.session_state.get("mq_changed"), "rows": rows}


def _search(frame: Frame, query: str, genre: str | None) -> dict[str, Any]:
    catalog = frame.service.catalog
    items = [int(i) for i in frame.service.search(query, frame.viewer)]
    of_genre = [i for i in items if genre is None or catalog.genres[i, catalog.genre(genre)]]
    if not of_genre:
        return {"empty": _not_found(query, len(items), genre, frame.viewer.certificate)}
    films = [cards.card(catalog, r) for r in frame.service.cards(frame.viewer, frame.query, of_genre)]
    limit = f", nothing stricter than {frame.viewer.certificate}" if frame.viewer.certificate else ""
    line = f"{words.counted(len(films), 'film')} by title or person{f' in {genre}' if genre else ''}{limit}. Open one to see why it is not higher."
    return {"found": {"title": f"“{query}”", "line": line, "films": films}}


def _not_found(query: str, found: int, genre: str | None, limit: str | None) -> dict[str, Any]:
    line = "Neither a film nor a person of that name is in the catalogue, even with typing errors forgiven."
    if limit:  # there may be one over it, of which nothing is said
        line = f"Among films up to {limit} there is none of that name, and none with a person of that name, even with typing errors forgiven."
    if found:
        line = f"{words.counted(found, 'film')} fit, but none of them is filed under {genre}."
    return {"sign": "No such title", "title": f"Nothing for “{query}”", "line": line, "undo": {"do": "clear", "label": "Clear the search"}}


def _all_gone(frame: Frame, genre: str | None, hidden: int) -> dict[str, Any]:
    if hidden:
        line = f"You hid {words.counted(hidden, 'film')}."
        return {"sign": "House empty", "title": "Every film here is hidden", "line": line, "undo": {"do": "unhide", "label": "Show them again"}}
    if asked := words.filters(frame.filters):
        line = f"Nothing is left of {asked}. Running times are known of {int(np.isfinite(frame.service.catalog.minutes).sum()):,} films only."
        return {"sign": "House empty", "title": f"No film left{f' in {genre}' if genre else ''}", "line": line, "undo": None}
    line = "The viewer’s certificate limit and the genre leave nothing over. Try another genre."
    return {"sign": "House empty", "title": f"No film left{f' in {genre}' if genre else ''}", "line": line, "undo": None}


def _note_change(frame: Frame) -> None:
    """'Evening -> night: 6 of your top 20 are new, 9 moved', after a change of context by the same viewer."""
    s, now = st.session_state, frame.asked
    before: tuple[str, Context] | None = s.get("mq_seen")
    s["mq_seen"] = (frame.viewer.id, now)
    if before is None or before[0] != frame.viewer.id:
        s["mq_changed"], s["mq_words"] = None, ""  # what one viewer was looking for is not the next one's business
        if before is not None:
            put("genre", None)
    elif before[1] != now:
        told = frame.query
        then = frame.told(before[1]).context
        effect = moves(*frame.service.moved(frame.viewer, Query(told.profile, then), told)) if then != told.context else UNTOLD
        marked = " (the device is simulated)" if then.device != told.context.device and "device" in _simulated(frame) else ""
        s["mq_changed"] = f"{_changed(before[1], now)}: {effect}{marked}"
        st.toast(words.md(s["mq_changed"]), icon=":material/swap_vert:")  # the line itself may be out of sight


def _simulated(frame: Frame) -> tuple[str, ...]:
    """Signals that the models learned from a rule."""
    return tuple(getattr(frame.service.models.get("hybrid"), "simulates", ()))


def moves(new: int, moved: int) -> str:
    """How many of the first twenty are new, and how many of the others stand elsewhere, in words."""
    if new:
        return f"{new} of your top 20 {'is' if new == 1 else 'are'} new" + (f", {moved} moved" if moved else "")
    return f"{moved} of your top 20 moved" if moved else "your top 20 stay as they are"


def _changed(before: Context, now: Context) -> str:
    pairs = []
    if before.time_of_day != now.time_of_day:
        pairs.append((before.time_of_day or "any time", now.time_of_day or "any time"))
    if before.device != now.device:
        pairs.append((words.DEVICE.get(before.device or "", "any device"), words.DEVICE.get(now.device or "", "any device")))
    text = ", ".join(f"{a} → {b}" for a, b in pairs)
    return text[:1].upper() + text[1:]
