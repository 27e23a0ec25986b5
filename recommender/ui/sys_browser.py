"""The part "In a browser": what a real browser measured, from click to paint, and what fifty of them cost the process."""

from __future__ import annotations

import streamlit as st

from recommender.ui import exhibits
from recommender.ui.reports import Opened, beside

COMMAND = "python -m recommender.loadtest --browsers 50"


def section() -> None:
    """Every figure of the report; or the command that measures them."""
    opened = beside("browser")
    if opened is None:
        return exhibits.missing("How long from a click to what it paints?", "browser.json", COMMAND)
    _figures(opened)


def _figures(opened: Opened) -> None:
    """All rows as a table."""
    exhibits.title("What a browser sees", f"{len(opened.table):,} figures.")
    st.dataframe(opened.table.drop(columns=["spread"]), hide_index=True, width="stretch")
    exhibits.note("browser", opened, opened.table)
