"""For you, with company: one list for two viewers, and a film by lot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import streamlit as st

from recommender.rank import How
from recommender.serve.logbook import Page
from recommender.serve.phrases import listed
from recommender.serve.surprise import surprise
from recommender.serve.together import DEFAULT, WHY, Shared, Together, together
from recommender.serve.viewers import Viewer
from recommender.types import CERTIFICATES, Carousel
from recommender.ui import cards, dialog, taste, words
from recommender.ui.echo import by_hand, stand
from recommender.ui.state import Frame, from_address, put

HOWS: tuple[How, ...] = get_args(How)
ROW, LOT = "together", "lot"


def others(frame: Frame) -> dict[str, str]:
    """Id -> name of the viewers one may watch with."""
    service = frame.service
    own = service.feedback.viewers(service.catalog) if service.settings.household else {}
    return {v.id: v.name for v in (*own.values(), *service.viewers.values()) if v.id != frame.viewer.id}


def beside(frame: Frame) -> Viewer | None:
    """Who watches with the viewer, by the address."""
    given = st.query_params.get("with", "").lower()
    name = from_address("with", [given] if given != frame.viewer.id else [])
    if name is None or name == frame.viewer.id:
        return None
    try:
        return frame.service.person(name)
    except KeyError:
        put("with", None)
        return None


def how() -> How:
    """The way of combining that is chosen."""
    words_of = {one.replace(" ", "-"): one for one in HOWS}
    return words_of.get(from_address("how", words_of) or "", DEFAULT)


def controls(frame: Frame) -> None:
    """Who watches too, and how both tastes are put together; in the sidebar."""
    names, other, combined = others(frame), beside(frame), how()
    if other is not None and other.id not in names:
        names[other.id] = other.name
    key, now = "mq_with_pick", other.id if other else ""
    choices = ("", *names)
    stand(key, now)
    st.selectbox("Watch together with", choices, format_func=lambda i: names.get(i, "nobody"), key=key, on_change=_chosen, args=(key, choices))
    if other:
        key = "mq_how_pick"
        stand(key, combined)
        st.radio("Your tastes put together by", HOWS, format_func=str.capitalize, captions=[WHY[one] for one in HOWS], key=key, on_change=_combined)


def _chosen(key: str, choices: Sequence[str]) -> None:
    if by_hand(key, choices):
        put("with", st.session_state[key] or None)


def _combined() -> None:
    if by_hand("mq_how_pick", HOWS):
        put("how", st.session_state["mq_how_pick"].replace(" ", "-"))


def data(frame: Frame, other: Viewer) -> dict[str, Any]:
    """The list of two as a page of cards, each with both matches."""
    found = _list(frame, other)
    names = (frame.viewer.name, other.name)
    if not found.films:
        line = f"No film is within both limits, unseen by both and likely to please {listed(list(names))}. Widen what may be shown."
        return {"empty": {"sign": "House empty", "title": f"Nothing for {listed(list(names))}", "line": line, "undo": None}}
    films = [_card(frame, film, (frame.viewer, other)) for film in found.films]
    line = f"{words.counted(len(films), 'film')} of {found.among:,} that may please both. {found.fairness} {found.why}"
    return {"found": {"title": f"For {listed(list(names))}", "line": line, "films": films}}


def _list(frame: Frame, other: Viewer) -> Together:
    """The list of two, worked out again only when something that decides it has changed, and then stored as shown."""
    query, combined = frame.query, how()
    key = (frame.viewer, other, frame.asked, frame.anyway, frame.filters, combined)
    kept = st.session_state.get("mq_together")
    if kept is None or not all(a is b or a == b for a, b in zip(kept[0], key)):
        service = frame.service
        theirs = service.query(other, frame.asked, anyway=frame.anyway)
        asked = [service.request(viewer, of, frame.filters) for viewer, of in ((frame.viewer, query), (other, theirs))]
        found = together(asked, combined)
        shown = Carousel(ROW, ROW, combined, found.films[0].cards[0].model if found.films else "", tuple(f.cards[0] for f in found.films))
        kept = st.session_state["mq_together"] = (key, found, page := Page(service.catalog, (shown,)))
        taste.store(frame, page.impressions(frame.viewer.id, taste.stamp(frame)))
    st.session_state["mq_page"] = kept[2]
    return kept[1]


def _card(frame: Frame, film: Shared, people: Sequence[Viewer]) -> dict[str, Any]:
    """Both matches and both reasons. Where one has a limit, only reasons that can name no film over it are said: those of who has the mildest."""
    mine = cards.card(frame.service.catalog, film.cards[0])
    both = [[viewer.name, of.match] for viewer, of in zip(people, film.cards)]
    limit = min((CERTIFICATES.index(v.certificate) for v in people if v.certificate), default=None)
    speaking = [pair for pair in zip(people, film.cards) if limit is None or pair[0].certificate == CERTIFICATES[limit]]
    said = ". ".join(f"{viewer.name}: {of.sentence[:1].lower()}{of.sentence[1:]}" for viewer, of in speaking)
    return {**mine, "match": None, "both": both, "sentence": said, "falls": ""}


def draw_lot(frame: Frame, on_page: Sequence[int]) -> None:
    """Draw a film by lot, store with which chance, and open it."""
    seed = int(np.random.default_rng().integers(2**31))
    found = surprise(frame.service.request(frame.viewer, frame.query, frame.filters), np.random.default_rng(seed), on_page)
    r = found.recommendation
    if r is None:
        st.toast(words.md(found.odds), icon=":material/casino:")
        return
    page = Page(frame.service.catalog, (Carousel(LOT, LOT, found.rule, r.model, (r,)),))
    taste.store(frame, [replace(e, propensity=found.propensity, note={"seed": seed}) for e in page.impressions(frame.viewer.id, taste.stamp(frame))])
    film = int(frame.service.catalog.ids[r.item])
    st.session_state["mq_lot"] = (film, f"{found.odds} {found.rule}", page)
    dialog.open_film(film, LOT)
