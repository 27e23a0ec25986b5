"""A small app for the tests: the offer of a data set alone, over a house with a catalogue and no models."""

import gc
from types import SimpleNamespace

import streamlit as st

from recommender.load import read_films
from recommender.serve import fetching
from recommender.serve.fetching import Fetching
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.ui import sys_fetch


@st.cache_resource
def job() -> Fetching:
    return Fetching(SimpleNamespace(settings=settings(), service=Service(settings(), read_films(settings().films), {}, {})))


@st.fragment
def stage() -> None:
    own = fetching.shared(settings())
    sys_fetch.section(SimpleNamespace(service=own._desk.service))
    gc.freeze()  # as the front desk does; else the libraries' many objects are looked at once more when it ends


if fetching.shared.__module__ == "recommender.serve.fetching" and fetching.shared.__name__ == "shared":  # no test has put another in its place
    fetching.shared = lambda _: job()
stage()
