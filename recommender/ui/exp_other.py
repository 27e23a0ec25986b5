"""The section "Other ways to test" of the Experiments page: three reports, and the click world that they come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from recommender.experiment.interleave import preference, voted
from recommender.experiment.truth import TIME_RULE, Truth
from recommender.serve.feedback import FeedbackError
from recommender.ui import exhibits, exp_bandit, exp_interleaving, exp_offpolicy, exp_table, sections, words
from recommender.ui.desk import desk
from recommender.ui.measures import chance_of
from recommender.ui.reports import Opened, Shelf
from recommender.world import DEVICE_RULE

COMMAND = "python -m recommender experiment study"


def section(found: Shelf) -> None:
    """Each report drawn, or the command that writes it; one that is broken inside is told and does not take the others along."""
    _one(found, "interleaving", "One list made of both", exp_interleaving.draw)
    _one(found, "off-policy", "What another policy would have earned", exp_offpolicy.draw)
    _one(found, "bandit", "Learning while earning", exp_bandit.draw)
    _people()
    _world()


def _one(found: Shelf, name: str, what: str, draw: Callable[[Opened], None]) -> None:
    if name not in found.found:
        return exhibits.missing(what, f"{name}.json", f"{COMMAND} {name}")
    try:
        draw(found.found[name])
    except sections.BROKEN as error:
        st.warning(f"{name}.json does not hold what this chart needs ({type(error).__name__}). `{COMMAND} {name}` writes it anew.")


def _people() -> None:
    """Real votes by films ticked in one list made of two, on the Compare page, read as interleavings."""
    exhibits.title(
        "What people preferred", "Votes in one list made of two, from the Compare page, read in the same way: one viewer, one voice. Not simulated."
    )
    try:
        stored = desk().feedback.votes()
    except FeedbackError as error:
        st.caption(words.md(words.told(error)))
        return
    if read := preferences([(event.viewer, event.note) for event in stored]):
        exp_table.lines("Votes by pair", read)
    else:
        st.caption("Nobody has voted in this way yet: two lists side by side on the Compare page, then the blind vote in one list made of both.")


def preferences(stored: list[tuple[str, dict[str, Any]]]) -> list[dict[str, str]]:
    """Every pair that was voted on: viewers, the mean share of their ticks for the second list, and p; too few are said to be."""
    made = []
    for (first, second), credits in voted(stored).items():
        line = {"pair": f"{second} against {first}", "viewers": f"{len(credits):,}"}
        try:
            found = preference(credits)
        except ValueError as error:
            made.append(line | {"share for the first-named": str(error), "sign test": "–"})
            continue
        share = found.second
        told = f"{share.estimate:.0%} [{share.lo:.0%}, {share.hi:.0%}]"
        made.append(line | {"share for the first-named": told, "sign test": chance_of(found.p_sign)})
    return made


def _world() -> None:
    """All that is true in the click world, for whoever wants to know what the figures above rest on."""
    with st.expander("What is true in the click world", key="mq_xp_world"):
        st.caption("Every figure of this section is simulated: made-up viewers whose truth is written below. Another truth would give other figures.")
        st.dataframe(pd.DataFrame(parameters()), hide_index=True, width="stretch")


def parameters() -> list[dict[str, str]]:
    """The parameters and the rules of context, each with its value and meaning."""
    rules = [
        (f"{name}: {key}", told, "log-odds at dose 1") for name, rule in (("time", TIME_RULE), ("device", DEVICE_RULE)) for key, told in rule.items()
    ]
    return [{"parameter": name, "value": _plain(value), "meaning": about} for name, value, about in (*Truth().described(), *rules)]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {points:+g}" for name, points in value.items()) or "–"
    return ", ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else f"{value:g}"
