"""The Context page: what the moment and the screen change, what the data can support, what is simulated. Below the navigation all is one fragment."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from recommender.ui import ctx_audit, ctx_learned, ctx_pair, ctx_real, ctx_reasons, ctx_rule, ctx_verdicts, sections, sign
from recommender.ui.reports import shelf
from recommender.ui.state import Frame

_WEB = Path(__file__).parent / "web"
_CSS = "\n".join((_WEB / f"{name}.css").read_text("utf-8") for name in ("evaluation", "context"))


@st.fragment
@sign.stored
def stage(frame: Frame) -> None:
    """Headline and a verdict for each signal; then the sections."""
    st.html(f"<style>{_CSS}</style>")
    found = shelf()
    ctx_verdicts.head(found, frame.service.verdicts(frame.viewer))
    sections.problems(found.problems)
    sections.draw(
        "part",
        {
            "Two contexts": partial(ctx_pair.two_contexts, frame),
            "What the data support": partial(ctx_audit.audit, found),
            "What is simulated": partial(ctx_rule.simulated, found),
            "What was learned": partial(ctx_learned.learned, frame, found),
            "Real context": partial(ctx_real.real, found),
            "Do reasons hold?": partial(ctx_reasons.reasons, found),
        },
    )
