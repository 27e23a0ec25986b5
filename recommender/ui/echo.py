"""Widgets that stand at what is stored, and callbacks that hear a hand and no echo.

A browser sends all values of its widgets with every message. One that it sent before it had heard of a new value brings the old one back, which
Streamlit takes for a change; and a choice that was renamed comes back as a word nobody knows.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

LATE = 2.0  # seconds after the run that moved a widget in which its old value is taken for an echo


@contextmanager
def run() -> Iterator[None]:
    """Around a run of the script or of a fragment: however long it takes, the browser hears of it at its end, and so late may an echo come."""
    begun, echoes = time.monotonic(), st.session_state.setdefault("mq_echoes", {})
    try:
        yield
    finally:  # also where a click ends it early: from then on the session may not be asked
        echoes.update({key: (old, time.monotonic()) for key, (old, since) in echoes.items() if since >= begun})


def stand(key: str, value: Any) -> None:
    """The widget stands at this value in the run that goes on."""
    s = st.session_state
    if key not in s:
        s[key] = value
    elif s[key] != value:
        s.setdefault("mq_echoes", {})[key] = (s[key], time.monotonic())
        s[key] = value


def by_hand(key: str, options: Collection[Any]) -> bool:
    """In the callback of a widget: whether somebody chose what it says now, one of the options."""
    value = st.session_state.get(key)
    old, since = st.session_state.get("mq_echoes", {}).get(key, (None, -LATE))
    return value in options and not (value == old and time.monotonic() - since < LATE)
