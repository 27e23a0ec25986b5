"""The section "Data": fetching a set, and the card of the data that the models were made from."""

from __future__ import annotations

from html import escape

import streamlit as st

from recommender.about.data import CITED, SOURCES, answers
from recommender.serve.service import Service
from recommender.ui import exhibits, findings, sys_fetch
from recommender.ui.reports import Shelf
from recommender.ui.state import Frame

DRAWN = ("tail", "growth")


def section(frame: Frame, shelf: Shelf) -> None:
    """What is here and can be fetched; then the card."""
    sys_fetch.section(frame)
    exhibits.title("The card of the data", "Read it before believing anything that was learnt from it.")
    findings.data(shelf, DRAWN)
    if "data" in shelf.found:
        st.page_link("pages/evaluation.py", label="More drawings of the data", icon=":material/query_stats:", query_params={"section": "the-data"})
    told = _told(frame.service.version, tuple(opened.report.date for opened in shelf.found.values()), frame.service, shelf)
    items = "".join(f"<section><h3>{escape(asked)}</h3><p>{escape(said)}</p></section>" for asked, said in told)
    st.html(f'<div class="mq-ev mq-sys-three">{items}</div>')
    _licences()


@st.cache_resource(show_spinner=False, max_entries=4)
def _told(version: str, dates: tuple[str, ...], _service: Service, _shelf: Shelf) -> list[tuple[str, str]]:
    """The answers of the card, for one release and one state of the reports."""
    return answers(_service.catalog, {name: opened.report for name, opened in _shelf.found.items()})


def _licences() -> None:
    """Every source, on which terms, and whether it stands in the repository."""
    head = "".join(f"<th scope=col>{name}</th>" for name in ("What", "From", "On which terms", "In the repository"))
    rows = "".join(
        f"<tr><th scope=row>{escape(s.what)}</th><td>{escape(s.whose)}</td><td>{escape(s.terms)}</td><td>{'yes' if s.kept else 'no'}</td></tr>"
        for s in SOURCES
    )
    exhibits.title("Sources and licences", CITED)
    st.html(
        '<div class="mq-ev mq-ev-scroll mq-sys-terms" tabindex="0" role="region" aria-label="Sources and licences">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
