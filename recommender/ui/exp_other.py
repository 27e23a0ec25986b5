"""The section "Other ways to test" of the Experiments page."""

from __future__ import annotations

import streamlit as st

from recommender.ui.reports import Shelf


def section(found: Shelf) -> None:
    """To be drawn."""
    st.caption(", ".join(found.found))
