"""Two contexts side by side for the viewer of this visit: who moves, how far, and what time and device gave."""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from recommender.serve import phrases, signals
from recommender.serve.contexts import SideBySide, contrast, side_by_side
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Filters
from recommender.ui import cards, exhibits, kit, words
from recommender.ui.measures import signed
from recommender.ui.sidebar import ICONS
from recommender.ui.state import Frame
from recommender.ui.words import counted

SHOWN = 12  # films of each list
ANY = "any"


@st.fragment
def two_contexts(frame: Frame) -> None:
    """The choices, what they change in a sentence, and the two lists; a fragment of its own, so that a choice draws this alone."""
    here, there = frame.asked, contrast(frame.asked)
    left, right = st.columns(2, gap="medium")
    with left, st.container(key="mq_cx_a"):
        a = _chosen("a", here)
    with right, st.container(key="mq_cx_b"):
        b = _chosen("b", there)
    try:
        found = side_by_side(frame.service, frame.viewer, frame.query.profile, (a, b), SHOWN, frame.filters)
    except LookupError as error:
        st.info(f"Nothing to compare: {words.md(str(error))}.", icon=":material/info:")
        return
    with st.container(key="mq_cx_said"):
        exhibits.title(headline(found), spoken(found, (a, b)))
    if not found.personal:
        _popular(frame)
    off = _switched_off(frame)
    _legend()
    if off:
        st.caption(off)
    kit.view("slope", _drawn(frame, found, (a, b)), key="mq_cx_slope")
    exhibits.note("pair", _command(frame, found, a, bool(off)), figures(frame, found, (a, b)))


def _chosen(side: str, usual: Context) -> Context:
    """One context by two rows of choices, remembered in the address."""
    return Context(_part(side, "time", "Time of day", TIMES_OF_DAY, usual.time_of_day), _part(side, "device", "Device", DEVICES, usual.device))


def _part(side: str, name: str, label: str, options: tuple[str, ...], usual: str | None) -> str | None:
    says = lambda o: "Any" if o == ANY else f"{ICONS[o]} {words.named(o)}"
    picked = exhibits.choose(f"{side}-{name}", f"{side.upper()} · {label}", (*options, ANY), usual or ANY, says, pills=True)
    return None if picked == ANY else picked


# -- sentences ---------------------------------------------------------------------------------------------------------


def headline(found: SideBySide) -> str:
    """How many of the first films give way, in words for a passer-by."""
    new = len(found.entering)
    if new:
        return f"{new} of the first {found.k} films give way to others"
    return f"The same {found.k} films, {len(found.moved)} of them in another place" if found.moved else "The same films in the same order"


def spoken(found: SideBySide, contexts: tuple[Context, Context]) -> str:
    """Who moved and how far, and the most that the device and the time of day gave or took."""
    a, b = (words.moment(context) for context in contexts)
    if a == b:
        return f"Both sides are {a}: choose another moment on one of them."
    stayed = found.k - len(found.leaving)
    said = [f"From {a} (A) to {b} (B), {counted(len(found.leaving), 'film')} of {found.k} leave the list"]
    some = f"{len(found.moved)} of the {stayed}" if len(found.moved) < stayed else f"all {stayed}"
    said[0] += f" and {some} that stay change places." if stayed else "."
    far = max(found.films, key=lambda f: abs(f.rise), default=None)
    if far is not None and far.rise:
        said.append(f"The largest move is from place {far.ranks[0]:,} to place {far.ranks[1]:,}.")
    most = {name: max((p for f in found.films for p in pair(f)), key=abs, default=0.0) for name, pair in _PARTS.items()}
    said.append(
        f"At most the simulated device gave {signed(most['device'], 2)} points to a film, and the observed time of day {signed(most['time'], 2)}."
    )
    return " ".join(said)


_PARTS = {"time": lambda film: film.time, "device": lambda film: film.device}


def _popular(frame: Frame) -> None:
    """Said where the viewer's rows are not personal."""
    n, few = len(frame.viewer.profile), frame.service.settings.few_ratings
    rated = f"{frame.viewer.name} has rated {counted(n, 'film')}, fewer than {few}" if n else f"{frame.viewer.name} has rated nothing yet"
    said = (
        f"{rated}: hardly anything here is personal. The lists are those of everybody, moved a little by what was said of films: "
        "how popular a film is, how much more often than usual it is rated at "
        "this time of day (observed), and the points that the hybrid gives its genres on this device (simulated)."
    )
    st.html(f'<div class="mq-ev mq-ev-box mq-cx-box"><p>{escape(said)}</p></div>')


def _switched_off(frame: Frame) -> str:
    """What the app itself does not tell the models; here every signal is told, to show what it would do."""
    off = [v for v in frame.service.verdicts(frame.viewer).values() if not v.on]
    if not off:
        return ""
    names = phrases.listed([signals.NAMES[v.signal] for v in off])
    why = " ".join(words.md(v.why) for v in off)
    verb = "is" if len(off) == 1 else "are"
    return f"Everywhere else in the app, {names} {verb} not told to the models. {why} Here all is told, to show what it would do."


def _legend() -> None:
    st.html(
        '<div class="mq-ev mq-ev-legend mq-cx-legend"><span><i class="mq-cx-up">▲</i>stands higher in B</span>'
        '<span><i class="mq-cx-down">▼</i>stands lower in B</span><span><i class="mq-cx-solid"></i>points of the time of day, observed</span>'
        '<span><i class="mq-cx-striped"></i>points of the device, simulated</span></div>'
    )


# -- what is drawn -----------------------------------------------------------------------------------------------------


def _drawn(frame: Frame, found: SideBySide, contexts: tuple[Context, Context]) -> dict:
    """The two lists as plain data for web/slope.js."""
    sides = [
        {
            "name": words.moment(c).capitalize().replace(" on tv", " on TV"),
            "note": "now" if c == frame.asked else "",
            "time": c.time_of_day is not None,
            "device": c.device is not None,
        }
        for c in contexts
    ]
    films = [
        {**cards.facts(frame.service.catalog, f.item), "ranks": list(f.ranks), "time": list(f.time), "device": list(f.device)} for f in found.films
    ]
    return {"k": found.k, "sides": sides, "films": films}


def figures(frame: Frame, found: SideBySide, contexts: tuple[Context, Context]) -> pd.DataFrame:
    """The same as a table."""
    catalog = frame.service.catalog
    rows = [
        {
            "film": catalog.titles[f.item],
            **{f"rank_{side}": f.ranks[n] for n, side in enumerate("ab")},
            **{f"time_points_{side}": f.time[n] for n, side in enumerate("ab")},
            **{f"device_points_{side}_simulated": f.device[n] for n, side in enumerate("ab")},
        }
        for f in found.films
    ]
    return pd.DataFrame(rows).assign(a=words.moment(contexts[0]), b=words.moment(contexts[1]))


def _command(frame: Frame, found: SideBySide, context: Context, anyway: bool) -> str:
    """Where the lists come from, and how to see the first of them without the app. anyway: some signal is switched off there."""
    viewer = frame.viewer.id
    who = f"--user {viewer.removeprefix('ml-')}" if viewer.startswith("ml-") else f"--viewer {viewer}"
    when = "".join(f" --{name} {value}" for name, value in (("time-of-day", context.time_of_day), ("device", context.device)) if value)
    when += _limits(frame.filters)
    model = f" --model hybrid -k {found.k}" if found.personal else ""
    said = f"{escape(who)}{when}{' --anyway' if anyway else ''}{model}"
    return f"worked out now by “{words.md(words.model(found.model).lower())}” · `python -m recommender recommend {said}`"


def _limits(filters: Filters) -> str:
    """The filters of the sidebar as options of the command."""
    said = [f" --{name} {value}" for name, value in (("minutes", filters.minutes), ("certificate", filters.certificate)) if value]
    return "".join(said) + (" --in-colour" if filters.in_colour else "")
