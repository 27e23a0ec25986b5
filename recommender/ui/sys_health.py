"""The section "Health": what did not load, and what is not kept."""

from __future__ import annotations

from html import escape

import streamlit as st

from recommender.evaluate.report import ReportError
from recommender.serve.desk import shared
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.ui import exhibits, words
from recommender.ui.reports import Shelf, beside


def ills(service: Service, reports: Shelf) -> list[tuple[str, str]]:
    """What is out of order: where, and how."""
    found = [("Models and store", line) for line in service.problems]
    if service.feedback.passing:
        found.append(("Store", "what viewers say is lost when the app ends, unless the store comes back before"))
    if (problem := shared(settings()).problem) is not None:
        found.append(("Releases", problem))
    try:
        beside("bench")
    except ReportError as error:
        found.append(("Reports", str(error).replace(f"{settings().artifacts / 'reports'}/", "")))
    return found + [("Reports", line) for line in reports.problems]


def section(service: Service, ill: list[tuple[str, str]]) -> None:
    """What is out of order, or that nothing is; and which models answer."""
    lines = "".join(f'<li class="mq-sys-ill"><b>{escape(where)}</b>{escape(how)}</li>' for where, how in ill)
    exhibits.title("What is out of order", words.counted(len(ill), "thing") if ill else "Nothing: all models, the store and the reports are open.")
    if lines:
        st.html(f'<ul class="mq-ev mq-sys-list">{lines}</ul>')
    exhibits.title("Which models answer", ", ".join(f"{words.model(name)} ({name})" for name in service.models) or "None.")
