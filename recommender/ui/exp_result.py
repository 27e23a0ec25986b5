"""The section "Result" of the Experiments page."""

from __future__ import annotations

import streamlit as st

from recommender.ui.exp_shelf import Shown


def section(shown: Shown) -> None:
    """To be drawn."""
    st.caption(shown.source)
