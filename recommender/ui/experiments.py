"""The Experiments page: plan, health, result and verdict of an A/B test, on any of its days. Below the navigation all is one fragment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from recommender.ui import (
    exp_aa,
    exp_decision,
    exp_guards,
    exp_head,
    exp_health,
    exp_other,
    exp_plan,
    exp_result,
    exp_segments,
    exp_time,
    sections,
    sign,
    words,
)
from recommender.ui.exp_shelf import COMMAND, Experiments, Shown, experiments
from recommender.ui.exp_words import LOOKS
from recommender.ui.reports import Shelf, shelf
from recommender.ui.state import Frame

_WEB = Path(__file__).parent / "web"
_CSS = "\n".join((_WEB / f"{name}.css").read_text("utf-8") for name in ("evaluation", "context", "experiments"))

_TONES = ":root {" + "".join(f" --{look.style}: {look.tone};" for look in LOOKS.values()) + " }"


@st.fragment
@sign.stored
def stage(frame: Frame) -> None:
    """The verdict and what it rests on; then the sections."""
    st.html(f"<style>{_TONES}{_CSS}</style>")
    st.session_state["mq_xp_said"] = None
    there, reports = experiments(frame.service), shelf()
    if not there.found:
        _nothing(there)
        return
    sections.problems(there.problems)
    for name, why in there.waiting.items():
        st.caption(words.md(f"The experiment “{name}” {why}."))
    head, bar = st.container(key="mq_xp_head"), st.container(key="mq_xp_bar")
    with bar:
        asked = exp_head.controls(there, reports)
    try:
        shown = exp_head.shown(asked, reports)
    except sections.BROKEN as error:
        with head:
            exp_head.unread(asked, error)
        return
    with head:
        exp_head.verdict(shown)
    st.session_state["mq_xp_said"] = exp_head.told(shown)
    _sections(shown, reports)


def _sections(shown: Shown, reports: Shelf) -> None:
    """In the order in which an experiment is judged."""
    drawn: dict[str, Callable[[], None]] = {
        "Plan": partial(exp_plan.section, shown, reports),
        "Health": partial(exp_health.section, shown),
        "Result": partial(exp_result.section, shown),
        "Over time": partial(exp_time.section, shown),
        "Segments": partial(exp_segments.section, shown),
        "Guardrails": partial(exp_guards.section, shown),
        "Decision": partial(exp_decision.section, shown),
        "A/A": partial(exp_aa.section, shown),
        "Other ways to test": partial(exp_other.section, reports),
    }
    sections.draw("step", drawn)


def _nothing(there: Experiments) -> None:
    """No experiment yet, or none that was run: the commands that make one."""
    waits, why = next(iter(there.waiting.items()), ("", ""))
    said = f"“{waits}” is planned and {why}." if waits else "There is none yet."
    sign.board(
        "Nothing to read yet",
        "Experiments",
        f"{said} An experiment is planned first, then run, on simulated viewers or with people, and then read: here, or by command.",
    )
    with st.container(key="mq_board_more"):
        name = waits or "context"
        first = "" if waits else f"{COMMAND} plan {name}\n"
        st.code(f"{first}{COMMAND} run {name}\n{COMMAND} read {name}", language="bash", wrap_lines=True)
        for line in there.problems:
            st.caption(words.md(line))
