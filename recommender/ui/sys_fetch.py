"""The head of the section "Data": what the house does without a data set, and fetching MovieLens 1M here, licence first."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from recommender.interactions import Interactions
from recommender.serve import fetching
from recommender.serve.fetching import STAGES, Fetching
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.ui import exhibits, words
from recommender.ui.state import Frame

_CSS = (Path(__file__).parent / "web" / "fetch.css").read_text("utf-8")

OFFERED = "ml-1m"  # the edition whose conditions are told here
TERMS = "https://files.grouplens.org/datasets/movielens/ml-1m-README.txt"
COMMAND = f"python -m recommender fetch --dataset {OFFERED}"
EVERY = 0.5  # seconds between two looks at what comes
WORKS = "every page: the models are fitted already, the twelve demo viewers and whoever is added rate, hide and compare, all reports are read"
MISSING = (
    "the 6,040 people of MovieLens among the viewers to pick",
    "the exact neighbours: the row “Watched by the viewers most like you”, and that model on the Compare page",
    "another penalty for EASE on the Compare page; training, evaluation and the nightly refresh",
)
CONDITIONS = (
    ("Research", "The ratings may be used for any kind of research."),
    (
        "Named",
        "Whoever publishes something made with them says so and cites Harper and Konstan (2015), “The MovieLens Datasets: History and Context”.",
    ),
    ("Not passed on", "They may not be given to others without separate permission."),
    ("Not for money", "Nothing commercial, and nothing that earns, without permission from the faculty of GroupLens."),
    ("No endorsement", "Nobody may say or hint that the University of Minnesota or GroupLens stands behind what is made of them."),
    ("No warranty", "Nobody vouches that they are right, or right for your purpose."),
)
STEPS = dict(zip(STAGES, ("Fetching", "Checking", "Unpacking", "Reading"), strict=True))
FAILED = {
    "network": ("{host} cannot be reached", "Is this computer online, and does its way out lead there? What came is kept."),
    "server": ("{host} has trouble of its own", "It is busy or being mended. Wait a few minutes; what came is kept."),
    "refused": ("{host} does not give it out", "The file is not there, or not for this computer. Nothing was stored."),
    "damaged": ("What came is not what was promised", "It did not match the publisher’s checksum, or was no sound zip. It was thrown away."),
    "disk": ("The disk does not take it", "It is full, or this app may not write there. What could be kept is kept."),
    "data": ("It came and cannot be read", "Whatever came is not the data set that this app knows."),
}
AGAINST = {
    "strangers": "Strangers share this app, so nobody fetches anything from here. Whoever runs it can, by command:",
    "closed": "This app may not write into {what}. Whoever runs it can fetch the data set by command, where it may:",
    "disk": "Only {what} of the disk are free here, and the data set wants 100 MB for a moment. Make room, then:",
    "memory": "Only {what} of memory are free here; reading the data set beside the models wants 400 MB. The app stays whole without it. By command:",
}


def section(frame: Frame) -> None:
    """The data set that is here; or the one that comes; or the offer."""
    job, service = fetching.shared(settings()), frame.service
    if job.state.running:
        st.fragment(_coming, run_every=EVERY)(job)
    elif (data := service.interactions) is not None:
        _here(job, service, data)
    elif service.data.problem:
        exhibits.title("The data set cannot be read", "The app goes on without it. Mend the folder or remove it; what is there then is read at once.")
        st.code(service.data.problem, language=None, wrap_lines=True)
    else:
        _offer(job)


def _here(job: Fetching, service: Service, data: Interactions) -> None:
    name = service.settings.dataset
    exhibits.title(
        "The data set is here",
        f"{name}: {len(data):,} ratings by {data.n_users:,} people, who can be picked as viewers; the exact neighbours come with them.",
    )
    with st.expander("The publisher’s own conditions", icon=":material/gavel:", expanded=job.state.stage == "done"):
        st.code(job.licence(), language=None, wrap_lines=True)


# -- the offer ---------------------------------------------------------------------------------------------------------


def _offer(job: Fetching) -> None:
    exhibits.title("No data set is here", f"What works without one: {WORKS}. What comes with one:")
    st.html(f'<ul class="mq-ev mq-sys-list">{"".join(f"<li>{escape(line)}</li>" for line in MISSING)}</ul>')
    if job.settings.dataset != OFFERED:
        st.caption(f"This app is set to another data set than {OFFERED}; it comes by command.")
        st.code(f"python -m recommender fetch --dataset {job.settings.dataset}", language="bash")
    elif against := fetching.obstacle(job.settings):
        kind, what = against
        st.info(AGAINST[kind].format(what=what), icon=":material/lock:")
        st.code(COMMAND, language="bash")
    else:
        _conditions(job)


def _conditions(job: Fetching) -> None:
    """The licence, to be accepted; only then the button is live."""
    exhibits.title("MovieLens 1M, by GroupLens", "Its publisher gives it out under conditions. In short, and in our words:")
    rows = "".join(f"<li><b>{escape(head)}</b>{escape(line)}</li>" for head, line in CONDITIONS)
    st.html(f'<ul class="mq-ev mq-sys-list">{rows}</ul>')
    st.markdown(f"What counts is [the publisher’s own text]({TERMS}).")
    st.caption(
        "The files stay on the computer that runs this app. Whoever can open the app can then look at what these people rated: "
        "where strangers can, ask GroupLens first."
    )
    if job.settings.disk_passes:
        st.caption("The disk under this app is not kept: after a restart the data set is to be fetched again.")
    _outcome(job)
    with st.container(key="mq_fetch_accept"):
        before = st.session_state.get("mq_accepted", False)  # in this visit, before something was stopped or failed
        accepted = st.checkbox("I have read the conditions and keep to them", value=before, key="mq_fetch_accepted")
    kept = job.kept()
    with st.container(horizontal=True, gap="small"):
        label = f"Go on from {_megabytes(kept)}" if kept else "Fetch it, about 6 MB"
        if st.button(label, type="primary", icon=":material/download:", disabled=not accepted, key="mq_fetch") and accepted:
            st.session_state["mq_accepted"] = True
            job.start()
            st.rerun()
        if kept and st.button("Throw away what came", key="mq_fetch_discard"):
            job.discard()
            st.rerun()
    st.caption(f"A zip or a folder that you have already: `{COMMAND} --from PATH`")


def _outcome(job: Fetching) -> None:
    """How the last try ended, where it did not end well."""
    state = job.state
    if state.stage == "stopped":
        st.info("Stopped. What came is kept, also over a restart of the app.", icon=":material/pause_circle:")
    elif state.stage == "failed":
        head, line = FAILED[state.kind]
        st.warning(f"**{words.md(head.format(host=urlsplit(job.settings.publisher).hostname))}.** {line}", icon=":material/cloud_off:")
        st.code(state.said, language=None, wrap_lines=True)


# -- what comes --------------------------------------------------------------------------------------------------------


def _coming(job: Fetching) -> None:
    """The stage, the bytes and the speed; it goes on where nobody looks."""
    state = job.state
    if not state.running:
        st.rerun()
    exhibits.title("MovieLens 1M is on its way", "It goes on if you leave this page, and every window shows the same.")
    now = STAGES.index(state.stage)
    marks = (' class="mq-fetch-done"', ' aria-current="step"', "")
    steps = "".join(f"<li{marks[(n > now) - (n < now) + 1]}>{STEPS[stage]}</li>" for n, stage in enumerate(STAGES))
    st.html(f'<style>{_CSS}</style><ol class="mq-ev mq-fetch">{steps}</ol>')
    with st.container(key="mq_fetch_coming"):
        st.progress(min(1.0, state.done / state.total) if state.total else (0.0 if now == 0 else 1.0), text=_how_far(job))
        if st.button("Cancel", disabled=state.stage != "fetching" or job.stopping, key="mq_fetch_cancel", help="What came is kept"):
            job.stop()
            st.rerun(scope="fragment")


def _how_far(job: Fetching) -> str:
    state = job.state
    if job.stopping:
        return "Stopping; the server has up to 20 seconds to answer"
    if state.stage != "fetching":
        return {"checking": "Comparing it with the publisher’s checksum", "unpacking": "Unpacking", "reading": "Reading a million ratings"}[
            state.stage
        ]
    far = f"{_megabytes(state.done)}{f' of {_megabytes(state.total)}' if state.total else ''}"
    return f"{far} · {state.speed / 1000:,.0f} kB a second" if state.speed is not None else far


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.0f} kB"
