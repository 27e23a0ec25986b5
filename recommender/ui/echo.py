"""Widgets that stand at what is stored, and callbacks that hear a hand and no echo.

A browser sends all values of its widgets with every message. One that it sent before it had heard of a new value brings the old one back, which
Streamlit takes for a change; and a choice that was renamed comes back as a word nobody knows.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import streamlit as st

LATE = 2.0  # seconds in which an old value is taken for an echo


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
