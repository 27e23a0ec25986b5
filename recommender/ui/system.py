"""The System page: how fast it answers, which models are served, how far it grows, what did not load. Below the navigation all is one fragment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path

import streamlit as st

from recommender.ui import sections, sys_health, sys_load, sys_releases, sys_scale
from recommender.ui.reports import shelf
from recommender.ui.state import Frame

_WEB = Path(__file__).parent / "web"
_CSS = "\n".join((_WEB / f"{name}.css").read_text("utf-8") for name in ("evaluation", "system"))


@st.fragment
def stage(frame: Frame) -> None:
    """What is at work in one sentence; then the sections."""
    st.html(f"<style>{_CSS}</style>")
    reports, service = shelf(), frame.service
    load = reports.found.get("load")
    ill = sys_health.ills(service, reports)
    state = "Everything is open." if not ill else "One thing is out of order." if len(ill) == 1 else f"{len(ill)} things are out of order."
    about = f"{len(service.models)} models · {len(service.catalog):,} films · release {service.version}"
    st.html(f'<div class="mq-ev mq-ev-top"><small>System</small><h1>{escape(state)}</h1><p>{escape(about)}</p></div>')
    drawn: dict[str, Callable[[], None]] = {
        "Under load": partial(sys_load.section, load),
        "Releases": partial(sys_releases.section, service),
        "Beyond one machine": sys_scale.section,
        "Health": partial(sys_health.section, service, ill),
    }
    sections.draw("about", drawn)
