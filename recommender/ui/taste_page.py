"""The Taste page: find it, rate films, see it and steer it with the first row beside; map, lists, data. Below the navigation all is one fragment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from recommender.ui import dialog, kit, sections, sign, tst_data, tst_find, tst_lists, tst_map, tst_profile, tst_rate, tst_row
from recommender.ui.state import Frame

_WEB = Path(__file__).parent / "web"
_CSS = "\n".join((_WEB / f"{name}.css").read_text("utf-8") for name in ("evaluation", "context", "taste"))
FIND, RATE, PROFILE, MAP, LISTS, DATA = "Find your taste", "Rate films", "Your taste", "Map", "Lists", "Your data"


def stage(frame: Frame) -> None:
    """The page, and the film of the address where it names one."""
    asked = dialog.known(frame, st.query_params.get("film"))
    if asked is None:
        st.query_params.pop("film", None)
    st.session_state["mq_film"] = asked
    tst_row.stand(frame)
    _fragment(frame)


@st.fragment
@sign.stored
def _fragment(frame: Frame) -> None:
    st.html(f"<style>{_CSS}</style>")
    dialog.hear(frame)
    if _apply(frame):
        st.switch_page("pages/for_you.py")
    frame = frame.now()
    drawn = _sections(frame)
    sections.draw("taste", {name: drawn[name] for name in _order(frame)})
    if st.session_state.get("mq_film") is not None:
        dialog.show(frame, tst_row.SOURCE)


def _apply(frame: Frame) -> bool:
    """What clicks in the views change, before the page is drawn; whether the viewer leaves for the rows."""
    for view in (tst_row, tst_rate, tst_profile, tst_lists, tst_map):
        for act in kit.acts(view.KEY):
            view.apply(frame.now(), act)
    leaves = [tst_find.apply(frame.now(), act) for act in kit.acts(tst_find.KEY)]
    return any(leaves)


def _sections(frame: Frame) -> dict[str, Callable[[], None]]:
    beside = {FIND: tst_find.draw, RATE: tst_rate.draw, PROFILE: tst_profile.draw}
    alone = {MAP: tst_map.draw, LISTS: tst_lists.draw, DATA: tst_data.draw}
    return {**{name: partial(_beside, frame, draw) for name, draw in beside.items()}, **{name: partial(draw, frame) for name, draw in alone.items()}}


def _order(frame: Frame) -> list[str]:
    """Who has rated little begins with the questions; decided once for each viewer of a visit, so that no tab moves under the hand."""
    kept: tuple[str, bool] | None = st.session_state.get("mq_taste_order")
    if kept is None or kept[0] != frame.viewer.id:
        kept = st.session_state["mq_taste_order"] = (frame.viewer.id, len(frame.viewer.profile) < frame.service.settings.many_ratings)
    return [*((FIND, RATE, PROFILE) if kept[1] else (PROFILE, RATE, FIND)), MAP, LISTS, DATA]


def _beside(frame: Frame, section: Callable[[Frame], None]) -> None:
    """A section with the first row at its side; on a narrow screen the row stands at the lower edge."""
    left, right = st.columns([2, 1], gap="large")
    with left, st.container(key="mq_tst_main"):
        section(frame)
    with right, st.container(key="mq_tst_side"):
        tst_row.draw(frame)
