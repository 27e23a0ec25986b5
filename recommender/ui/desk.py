"""The front desk of the process, and what is shown while it is opened."""

from __future__ import annotations

import streamlit as st

from recommender.serve.desk import shared
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.ui import sign


def opening() -> bool:
    """Whether the models are still to be opened, by the first visit of the process."""
    return shared(settings()).release is None


def desk() -> Service:
    """The service of the current release, with a skeleton of the page while it is opened for the first time.

    A run asks once and keeps what it got: the next run is of the next release. The place of the skeleton is taken in every run: what follows must
    not move up a step, or the page is built anew.
    """
    place = st.empty()
    if opening():
        with place:
            sign.skeleton()
    service = shared(settings()).service
    place.empty()
    return service
