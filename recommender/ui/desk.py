"""The front desk, opened once for the whole process."""

from __future__ import annotations

import gc
import sys

import streamlit as st
from threadpoolctl import threadpool_limits

from recommender.serve.service import Service
from recommender.settings import settings
from recommender.ui import sign

_open: list[Service] = []  # filled once: tells whether the skeleton is worth drawing


@st.cache_resource(show_spinner=False)
def _service() -> Service:
    service = Service.open(settings())
    service.warm()
    threadpool_limits(1)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
    # Streamlit collects garbage after every run; what is loaded now stays for good and need not be looked at again.
    gc.collect()
    gc.freeze()
    _open.append(service)
    return service


def desk() -> Service:
    """The service, with a skeleton of the page while it is opened for the first time.

    The place of the skeleton is taken in every run: what follows must not move up a step, or the page is built anew.
    """
    place = st.empty()
    if not _open:
        with place:
            sign.skeleton()
    service = _service()
    place.empty()
    return service
