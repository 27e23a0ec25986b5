"""The drawing code in the browser (web/): one copy a page, and windows onto it that carry data alone.

A component's source travels with every mount whose message changes. So the 70 kB of drawing code are one component that
never changes (sent once, then known by its hash), and a view is a second, tiny component that waits for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import streamlit as st

from recommender.policy import policy

_WEB = Path(__file__).parent / "web"
_SCRIPTS = (
    "base",
    "hand",
    "palettes",
    "faces",
    "ink",
    "landscapes",
    "scenes",
    "patterns",
    "motifs",
    "poster",
    "cards",
    "art",
    "note",
    "hero",
    "changes",
    "tools",
    "home",
    "film",
    "picker",
    "slope",
    "compare",
    "tastemap",
    "lists",
    "taste",
    "lineage",
    "tour",
    "kit",
)
_STYLES = ("base", "hand", "cards", "home", "film", "picker", "changes", "tastemap", "lists", "art", "tour")


def _read(names: tuple[str, ...], kind: str) -> str:
    return "\n".join((_WEB / f"{name}.{kind}").read_text("utf-8") for name in names)


def scripts() -> str:
    """The drawing code as one module, and what the page may load."""
    return f"const POLICY = {json.dumps(policy())};\n{_read(_SCRIPTS, 'js')}"


_CSS = _read(_STYLES, "css")
_kit = st.components.v2.component("marquee_kit", html="<i hidden></i>", js=scripts(), isolate_styles=False)
_view = st.components.v2.component("marquee_view", html='<div class="mq"></div>', js=_read(("view",), "js"), isolate_styles=False)


def load() -> None:
    """The styles and the drawing code of a page; once per run, before any view."""
    st.html(f"<style>{_CSS}</style>")
    _kit(key="mq_kit")


def acts(key: str) -> Iterator[dict[str, Any]]:
    """What was done in the view `key` and was not given out before, in order: {"do": …}. Ask before the view is drawn.

    The browser tells an act again with those of the next seconds, for while a run is under way a message takes the place of one that waits; by its
    number `nth` each is given out once.
    """
    state = st.session_state.get(key) or {}
    told = state.get("acts") if hasattr(state, "get") else None
    heard: dict[str, int] = st.session_state.setdefault("mq_heard", {})
    for act in told if isinstance(told, list) else ():
        nth = act.get("nth") if isinstance(act, dict) else None
        if isinstance(nth, int) and nth > heard.get(key, 0):
            heard[key] = nth
            yield act


def event(key: str) -> dict[str, Any]:
    """The last of `acts(key)`, or nothing; for views where an act makes those before it pointless."""
    return next(iter([*acts(key)][::-1]), {})


def view(name: str, data: dict[str, Any], key: str, newest: bool = False) -> None:
    """Draw `data` with the view `name` of web/kit.js. Clicks come back through `acts(key)` in the next run.

    newest: an answer that was made before the last act was heard is not drawn, since another follows; for views with a slider, which may move on
    while the server works.
    """
    if newest:
        data = {**data, "heard": st.session_state.get("mq_heard", {}).get(key, 0)}
    _view(key=key, data={"view": name, **data}, on_acts_change=_nothing)


def _nothing() -> None:
    """A trigger exists only where a callback is named."""
