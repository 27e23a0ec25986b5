"""The profile picker: twelve demo viewers, and the people of MovieLens where the data set is present."""

from __future__ import annotations

import numpy as np
import streamlit as st

from recommender.serve.service import Service
from recommender.ui import kit, sign
from recommender.ui.avatars import face
from recommender.ui.state import put


def who(service: Service) -> None:
    """Ask who is watching; the answer goes into the address."""
    act = kit.event("mq_who")
    if act.get("do") == "pick" and act.get("viewer") in service.viewers:
        put("viewer", act["viewer"])
        st.rerun()
    sign.problems(service.problems)
    people = [
        {"id": v.id, "name": v.name, "line": v.line, "face": face(v.avatar, v.name), "certificate": v.certificate} for v in service.viewers.values()
    ]
    kit.view("picker", {"viewers": people}, key="mq_who")
    with st.container(key="mq_movielens", horizontal_alignment="center"):
        _movielens(service)


def _movielens(service: Service) -> None:
    """A person of the data set by number, or drawn at random, by taste where one is named."""
    people = service.dataset_users()
    if not people:
        st.caption("With the MovieLens data set here, its 6,040 people can be picked too: `python -m recommender fetch`")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="center", gap="small"):
        number = st.number_input(
            f"Or a MovieLens viewer, 1 to {people:,}", 1, people, value=None, step=1, placeholder="Number", key="mq_number", width=260
        )
        if st.button("Open", disabled=number is None, key="mq_open_number") and number:
            _go(int(number))
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="center", gap="small"):
        genres = service.catalog.genre_names
        genre = st.selectbox("Or anybody who favours", genres, index=None, placeholder="any genre", key="mq_favours", width=213)
        if st.button("At random", icon=":material/casino:", key="mq_random"):
            _go(service.dataset_pick(np.random.default_rng(), genre))


def _go(number: int) -> None:
    st.session_state["mq_viewer"] = f"ml-{number}"
    st.rerun()
