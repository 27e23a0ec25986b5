"""Who watches, when and on what; on every page. Says what the browser told and what was chosen instead."""

from __future__ import annotations

from functools import partial
from html import escape

import streamlit as st

from recommender.types import DEVICES, TIMES_OF_DAY
from recommender.ui import words
from recommender.ui.avatars import face
from recommender.ui.state import Choice, Frame, put

ICONS = {
    "morning": ":material/wb_twilight:", "afternoon": ":material/light_mode:", "evening": ":material/routine:", "night": ":material/bedtime:",
    "mobile": ":material/smartphone:", "tablet": ":material/tablet:", "desktop": ":material/computer:", "tv": ":material/tv:",
}  # fmt: skip


def draw(frame: Frame) -> None:
    """The viewer, then the two parts of the context."""
    viewer = frame.viewer
    with st.sidebar:
        who = f"<div><b>{escape(viewer.name)}</b><span>{escape(viewer.line)}</span></div>"
        st.html(f'<div class="mq-me"><img src="{face(viewer.avatar, viewer.name)}" alt="" width="64" height="64">{who}</div>')
        st.button("Switch viewer", icon=":material/swap_horiz:", on_click=put, args=("viewer", None), key="mq_switch", width="stretch")
        picks("Time of day", "time", TIMES_OF_DAY, frame.time, f"your browser ({st.context.timezone})" if st.context.timezone else "your browser")
        picks("Device", "device", DEVICES, frame.device, "your browser")
        st.caption("MovieLens does not record devices: what this changes is simulated.")


def picks(title: str, name: str, options: tuple[str, ...], choice: Choice, browser: str) -> None:
    """Four pills, one of them set, and a line that says where the setting comes from."""
    key = f"mq_pick_{name}"
    if st.session_state.get(key) != choice.value:  # set in every run, it would undo a click made while a run is under way
        st.session_state[key] = choice.value
    st.pills(title, options, format_func=lambda o: f"{ICONS[o]} {words.named(o)}", key=key, on_change=partial(_picked, name, key, choice.browser))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"mq_from_{name}"):
        if choice.chosen:
            st.caption("Chosen by you", width="content")
            label = f"Browser: {words.DEVICE.get(choice.browser, choice.browser)}" if choice.browser else "Reset"
            st.button(label, key=f"mq_reset_{name}", on_click=put, args=(name, None), type="tertiary")
        else:
            st.caption(f"From {browser}" if choice.value else "Not told by your browser: any", width="content")


def _picked(name: str, key: str, browser: str | None) -> None:
    value = st.session_state.get(key)
    put(name, None if value is None or value == browser else value)
