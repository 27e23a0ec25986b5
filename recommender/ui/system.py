"""The System page: what the house is made of, how fast it is, and what it cannot do. Below the navigation all is one fragment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path

import streamlit as st

from recommender.evaluate.report import ReportError
from recommender.serve.service import Service
from recommender.ui import (
    sections,
    sign,
    sys_data,
    sys_health,
    sys_limits,
    sys_lineage,
    sys_models,
    sys_posters,
    sys_releases,
    sys_scale,
    sys_speed,
    words,
)
from recommender.ui.reports import Opened, beside, shelf
from recommender.ui.state import Frame, put

_WEB = Path(__file__).parent / "web"
_CSS = "\n".join((_WEB / f"{name}.css").read_text("utf-8") for name in ("evaluation", "system"))
MOVED = {"under-load": {"about": "speed", "speed": "under-load"}, "beyond-one-machine": {"about": "scale"}}  # addresses of before


@st.fragment
@sign.stored
def stage(frame: Frame) -> None:
    """What is at work in one sentence and three figures; then the sections."""
    st.html(f"<style>{_CSS}</style>")
    reports, service = shelf(), frame.service
    bench, browser = _whole("bench"), _whole("browser")
    ill = sys_health.ills(service, reports)
    _head(service, ill)
    drawn: dict[str, Callable[[], None]] = {
        "Models": partial(sys_models.section, service, reports, bench),
        "Data": partial(sys_data.section, frame, reports),
        "Lineage": partial(sys_lineage.section, service, reports),
        "Speed": partial(sys_speed.section, service, reports),
        "Releases": partial(sys_releases.section, service),
        "Scale": sys_scale.section,
        "Posters": partial(sys_posters.section, frame),
        "Limits": partial(sys_limits.section, service, reports, [r for r in (bench, browser) if r]),
        "Health": partial(sys_health.section, service, ill),
    }
    for name, value in MOVED.get(st.query_params.get("about", ""), {}).items():
        put(name, value)
    sections.draw("about", drawn)


def _whole(name: str) -> Opened | None:
    """The bench, or what browsers waited for, where it is there and whole; what is wrong with it is told by Health."""
    try:
        return beside(name)
    except ReportError:
        return None


def _head(service: Service, ill: list[tuple[str, str]]) -> None:
    """One sentence that is true now, and what there is in figures."""
    trained = {data["sha256"]: data["ratings"] for card in sys_models.found(service).values() if (data := card.get("data"))}
    state = "all is in order" if not ill else f"{words.counted(len(ill), 'thing')} out of order"
    learned = f", taught by {max(trained.values()):,} ratings" if trained else ""
    say = f"{words.counted(len(service.models), 'model')} for {len(service.catalog):,} films{learned}: {state}."
    st.html(f'<div class="mq-ev mq-ev-top"><small>System</small><h1>{escape(say)}</h1><p>Release {escape(service.version)}</p></div>')
