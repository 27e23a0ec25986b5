"""Who watches, when and on what; on every page. Says what the browser told and what was chosen instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple
from functools import partial
from html import escape
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from recommender.serve.signals import SURE, Verdict
from recommender.types import DEVICES, FAME, TIMES_OF_DAY
from recommender.ui import company, state, words
from recommender.ui.avatars import face
from recommender.ui.echo import by_hand, stand
from recommender.ui.state import Choice, Frame, put

ICONS = {
    "morning": ":material/wb_twilight:", "afternoon": ":material/light_mode:", "evening": ":material/routine:", "night": ":material/bedtime:",
    "mobile": ":material/smartphone:", "tablet": ":material/tablet:", "desktop": ":material/computer:", "tv": ":material/tv:",
}  # fmt: skip

KNOWN_TO = {"": "few or many", "famous": "everybody: the most rated quarter", "known": "many: the half below it", "rare": "few: all others"}


def draw(frame: Frame) -> None:
    """The viewer, then the two parts of the context."""
    viewer = frame.viewer
    with st.sidebar:
        who = f"<div><b>{escape(viewer.name)}</b><span>{escape(viewer.line)}</span></div>"
        st.html(f'<div class="mq-me"><img src="{face(viewer.avatar, viewer.name)}" alt="" width="64" height="64">{who}</div>')
        st.button("Switch viewer", icon=":material/swap_horiz:", on_click=put, args=("viewer", None), key="mq_switch", width="stretch")
        picks("Time of day", "time", TIMES_OF_DAY, frame.time, f"your browser ({st.context.timezone})" if st.context.timezone else "your browser")
        told(frame, "time_of_day")
        picks("Device", "device", DEVICES, frame.device, "your browser")
        told(frame, "device")
        company.controls(frame)
        asked = sum(value not in (None, False) for value in astuple(frame.filters))
        with st.expander(f"What may be shown{f' · {asked} asked' if asked else ''}", icon=":material/tune:", key="mq_limits", expanded=bool(asked)):
            limits(frame)
        _ranked(frame)
        _share(frame)


def _ranked(frame: Frame) -> None:
    """Which model makes the first row, in this visit."""
    stored = frame.service.person(frame.viewer.id).preferences.model
    usual = f"as kept: {words.model(stored)}" if stored else "the usual way"
    _choice("First row by", "model", list(frame.service.models), frame.model or "", lambda m: words.model(m) if m else usual)


def _share(frame: Frame) -> None:
    """A link to this page as it is now: viewer, moment, model and filters in plain words."""
    link = st.popover(
        "A link to this page", icon=":material/link:", width="stretch", key="mq_link", on_change="rerun"
    )  # a click on the page is no run
    if not link.open:
        return
    with link:
        now = {"viewer": frame.viewer.id, "time": frame.asked.time_of_day, "device": frame.asked.device}
        asked = {**st.query_params.to_dict(), **{name: value for name, value in now.items() if value}}
        asked.pop("tour", None)  # a path through the house is one's own
        address = (st.context.url or "").split("?")[0]
        st.code(f"{address}?{urlencode(asked)}", language=None, wrap_lines=True)
        st.caption("Viewer, moment, model and filters; nothing else of you is in it.")


def told(frame: Frame, signal: str) -> None:
    """What the signal is and whether the models are told it, the figures behind a question mark; one that is off can be switched on all the same."""
    verdict = frame.service.verdicts(frame.viewer)[signal]
    st.caption(short(verdict, signal in frame.anyway), help=words.md(verdict.why))
    if not verdict.on:
        st.toggle("Use it anyway", key=f"mq_anyway_{signal}", persist_state="session")


def short(verdict: Verdict, anyway: bool = False) -> str:
    """A verdict in one line: observed or simulated, on or off, whether the models are told, and what was found."""
    heard = "told" if verdict.on else "told all the same" if anyway else "not told"
    head = f"**{verdict.source.capitalize()}, {'on' if verdict.on else 'off'}:** the models are {heard};"
    if verdict.delta is None or verdict.hi is None or verdict.p is None:
        return f"{head} what it adds is not known."
    if verdict.on:
        return f"{head} it helps{' inside the simulation' if verdict.source == 'simulated' else ''}."
    return f"{head} it {'does harm' if verdict.hi < 0 and verdict.p < SURE else 'adds nothing measurable'}."


def limits(frame: Frame) -> None:
    """What must be true of a film tonight: no model learns from it, and it holds in every row."""
    f, limit = frame.filters, frame.viewer.certificate
    certificates = [c.lower() for c in state.milder(frame.viewer)]
    _choice("I have", "minutes", state.MINUTES, str(f.minutes or ""), lambda m: f"{m} minutes" if m else "time for any length")
    _choice(
        "At most", "limit", certificates, (f.certificate or "").lower(), lambda c: c.upper() or (f"my limit, {limit}" if limit else "any certificate")
    )
    _choice("Picture", "colour", ["only"], "only" if f.in_colour else "", lambda c: "not in black and white" if c else "any picture")
    decades = {str(d): f"{d}s" for d in reversed(frame.service.catalog.decades)}
    _choice("Made in", "decade", list(decades), str(f.decade or ""), lambda d: decades.get(d, "any year"))
    _choice("Others gave", "stars", state.STARS, f"{f.stars:g}" if f.stars else "", lambda s: f"{s} stars or more" if s else "any stars")
    _choice("Known to", "fame", FAME, f.fame or "", lambda fame: KNOWN_TO[fame])
    if f.minutes:
        known = int(np.isfinite(frame.service.catalog.minutes).sum())
        st.caption(f"The running time is known of {known:,} of {len(frame.service.catalog):,} films; the others are left out.")


def _choice(label: str, name: str, options: Sequence[str], now: str, says: Callable[[str], str]) -> None:
    """One of a few words, or "" for none of them, remembered in the address."""
    key = f"mq_limit_{name}"
    choices = ("", *options)
    stand(key, now)
    st.selectbox(label, choices, format_func=says, key=key, on_change=_limited, args=(name, key, choices))


def _limited(name: str, key: str, choices: Sequence[str]) -> None:
    if by_hand(key, choices):
        put(name, st.session_state[key] or None)


def picks(title: str, name: str, options: tuple[str, ...], choice: Choice, browser: str) -> None:
    """Four pills, one of them set, and a line that says where the setting comes from."""
    key = f"mq_pick_{name}"
    stand(key, choice.value)
    changed = partial(_picked, name, key, choice.browser, (*options, None))
    st.pills(title, options, format_func=lambda o: f"{ICONS[o]} {words.named(o)}", key=key, on_change=changed)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"mq_from_{name}"):
        if choice.chosen:
            st.caption("Chosen by you", width="content")
            label = f"Browser: {words.DEVICE.get(choice.browser, choice.browser)}" if choice.browser else "Reset"
            st.button(label, key=f"mq_reset_{name}", on_click=put, args=(name, None), type="tertiary")
        else:
            st.caption(f"From {browser}" if choice.value else "Not told by your browser: any", width="content")


def _picked(name: str, key: str, browser: str | None, choices: Sequence[str | None]) -> None:
    value = st.session_state.get(key)
    if by_hand(key, choices):
        put(name, None if value is None or value == browser else value)
