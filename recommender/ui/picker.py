"""The profile picker: viewers people made, twelve demo viewers, and the people of MovieLens where the data set is present."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import streamlit as st

from recommender.serve.feedback import FeedbackError
from recommender.serve.service import Service
from recommender.serve.viewers import SHAPES, Viewer
from recommender.types import Profile
from recommender.ui import kit, sign, tour, trial, words
from recommender.ui.avatars import face
from recommender.ui.state import put

HUES = (8, 32, 48, 96, 152, 184, 212, 262, 320)
FACES = "mq_faces"
LONGEST = 24  # characters of a name
CHILD = "PG"  # the limit that a child's profile starts with
LIMITS = {"G": "G: films for everybody", "PG": "PG: some scenes may not suit small children", "PG-13": "PG-13: not for children under 13"}


def who(service: Service, unknown: str = "") -> None:
    """Ask who is watching; the answer goes into the address. unknown: whom the address named, who is not there."""
    act = kit.event("mq_who")
    own = _own(service)
    if act.get("do") == "pick" and act.get("viewer") in {**service.viewers, **own}:
        put("viewer", act["viewer"])
        st.rerun()
    if act.get("do") == "tour":
        tour.start()
    sign.house(service, trial.problems(service.models))
    if unknown:
        shown, borrowed = words.md(unknown[:40]), unknown.lower().startswith("ml-")
        why = " The people of MovieLens come with the data set, which is not here." if borrowed and service.interactions is None else ""
        st.info(f"Nobody called “{shown}” is here, or not any more.{why} Who is watching instead?", icon=":material/person_off:")
    people = {"own": [_person(v) for v in own.values()], "viewers": [_person(v) for v in service.viewers.values()]}
    kit.view("picker", {**people, "tour": tour.NAME}, key="mq_who")
    with st.container(key="mq_movielens", horizontal_alignment="center"):
        _movielens(service)
    if act.get("do") == "new":
        _new(service)


def _own(service: Service) -> dict[str, Viewer]:
    """Viewers that people made here, where whoever opens the app may see them; a line where they cannot be read."""
    if not service.settings.household:
        return {}
    try:
        return service.feedback.viewers(service.catalog)
    except FeedbackError as error:
        st.warning(f"Viewers that people made here cannot be read now: {words.md(words.told(error))}", icon=":material/cloud_off:")
        return {}


def _person(v: Viewer) -> dict[str, str | None]:
    return {"id": v.id, "name": v.name, "line": v.line, "face": face(v.avatar, v.name), "certificate": v.certificate}


# -- a viewer of one's own ---------------------------------------------------------------------------------------------


@st.dialog("Add a viewer", width="medium")
def _new(service: Service) -> None:
    """A name, a face, whether it is a child's, genres they like; stored, they are watching."""
    with st.container(key="mq_new"):
        _form(service)


def _form(service: Service) -> None:
    st.html('<p class="mq-maker-title" aria-hidden="true">Add a viewer</p>')
    name = st.text_input("Name", max_chars=LONGEST, placeholder="What you are called", key="mq_new_name")
    avatar = _avatar()
    child = st.toggle("For a child", key="mq_new_child", help="Nothing over the limit is ever shown to this viewer, by whatever way.")
    limit = st.segmented_control("Nothing stricter than", list(LIMITS), default=CHILD, key="mq_new_limit", required=True) if child else None
    if limit:
        st.caption(words.md(LIMITS[limit]))
    genres = st.pills("Genres you like, if you want to say", service.catalog.genre_names, selection_mode="multi", key="mq_new_genres")
    made = Viewer(f"me-{uuid4().hex[:12]}", " ".join(name.split()), _line(genres, limit), avatar, Profile(genres=tuple(genres)), limit)
    if st.button("Start watching", type="primary", key="mq_new_store", width="stretch"):  # not dimmed: a name is sent by the click
        if made.name:
            _store(service, made)
        else:
            st.error("A name is wanted first.", icon=":material/badge:")
    st.caption("Kept in this app\u2019s database, without a password: whoever opens the app" + _reach(service))
    if until := sign.kept_until(service.settings):
        st.caption(until)


def _reach(service: Service) -> str:
    if service.settings.household:
        return " can watch as this viewer. The Taste page deletes all of it."
    return " with the link of this viewer can watch as them. Keep the link: this page does not list them. The Taste page deletes all of it."


def _avatar() -> dict[str, str | int]:
    """The face as last picked; the first time one drawn at random."""
    act = kit.event(FACES)
    rng = np.random.default_rng()
    kept = st.session_state.setdefault("mq_new_face", {"shape": str(rng.choice(list(SHAPES))), "hue": int(rng.choice(HUES))})
    if act.get("shape") in SHAPES and act.get("hue") in HUES:
        kept = st.session_state["mq_new_face"] = {"shape": act["shape"], "hue": act["hue"]}
    shapes = [{"shape": shape, "face": face({"shape": shape, "hue": kept["hue"]})} for shape in SHAPES]
    kit.view("faces", {"shapes": shapes, "hues": HUES, **kept}, key=FACES)
    return kept


def _line(genres: list[str], limit: str | None) -> str:
    """Who they are, in one sentence, from what they said."""
    child = f"nothing over {limit}" if limit else ""
    said = "; ".join(filter(None, (f"Likes {', '.join(genres[:3])}{' and more' if len(genres) > 3 else ''}" if genres else "", child)))
    return said[:1].upper() + said[1:] or "New here"


def _store(service: Service, made: Viewer) -> None:
    """Keep the viewer and let them in: first to what tells the house their taste."""
    try:
        service.feedback.add_viewer(made)
    except (FeedbackError, ValueError) as error:
        st.error(f"Not stored: {words.md(words.told(error))}", icon=":material/cloud_off:")
        return
    for key in ("mq_new_face", "mq_new_name", "mq_new_child", "mq_new_limit", "mq_new_genres"):
        st.session_state.pop(key, None)
    put("viewer", made.id)
    st.switch_page("pages/taste.py", query_params={"viewer": made.id})


# -- people of the data set --------------------------------------------------------------------------------------------


def _movielens(service: Service) -> None:
    """A person of the data set by number, or drawn at random, by taste where one is named."""
    people = service.dataset_users()
    if not people:
        st.caption("With the MovieLens data set here, its 6,040 people can be picked too: the System page fetches it, under Data.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="center", gap="small"):
        number = st.number_input(
            f"Or a MovieLens viewer, 1 to {people:,}", 1, people, value=None, step=1, placeholder="Number", key="mq_number", width=216
        )
        opened = st.button("Open", key="mq_open_number", width=122)  # never dimmed: the number counts when the box is left, by this very click
    if opened and number:
        _go(int(number))
    elif opened:
        st.caption(f"A number is wanted first, 1 to {people:,}.")
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="center", gap="small"):
        genres = service.catalog.genre_names
        genre = st.selectbox("Or anybody who favours", genres, index=None, placeholder="any genre", key="mq_favours", width=216)
        if st.button("At random", icon=":material/casino:", key="mq_random", width=122):
            _go(service.dataset_pick(np.random.default_rng(), genre))


def _go(number: int) -> None:
    st.session_state["mq_viewer"] = f"ml-{number}"
    st.rerun()
