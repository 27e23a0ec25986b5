"""The blind vote: what is sent to the browser before it holds no name of a list, not even hidden; names, sides and the tally come after."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from recommender.compare import lists, votes
from recommender.compare.lists import Side
from recommender.compare.votes import Ballot, Share, Tally
from recommender.serve.feedback import Event, FeedbackError
from recommender.ui import cards, cmp_charts, exhibits, kit, words
from recommender.ui.cmp_lists import Stand, listed
from recommender.ui.cmp_sides import named
from recommender.ui.state import Frame
from recommender.ui.words import counted

KEY = "mq_cmp_ballot"
SECRET = secrets.token_bytes(32)  # of this process: the order of the lists cannot be worked out from what is public
SEALED = "drawn"
MODES: dict[votes.Mode, str] = {"lists": "Two lists, no names", "one": "One list made of both"}
HOW = {
    "lists": "The same viewer, the same moment, two lists without their names, left and right drawn by lot. The names come after the vote.",
    "one": "Both lists take turns in one list, a coin saying who goes first in each round (team draft: Radlinski, Kurup & Joachims, CIKM 2008). "
    "Tick what you would watch; each tick is a point for the list that brought the film.",
}


@dataclass(frozen=True, eq=False)
class Open:
    """A ballot with what to call its two lists once it is over."""

    ballot: Ballot
    called: dict[str, str]


def vote(found: Stand) -> None:
    """Choose what to vote on, vote, and see who it was."""
    frame = found.frame
    with st.container(horizontal=True, key="mq_cmp_vote_bar", gap="medium"):
        mode: votes.Mode = exhibits.choose("ballot", "How", votes.MODES, "lists", MODES.__getitem__)
        letters = {f"{a.letter}-{b.letter}".lower(): (a, b) for a, b in itertools.combinations(found.columns, 2)}
        says = lambda o: "Two drawn by lot, unnamed" if o == SEALED else f"{o.upper().replace('-', ' against ')}"
        pair = exhibits.choose("pair", "Between", (SEALED, *letters), SEALED, says)
    exhibits.title(*_asked(mode, found, letters.get(pair)))
    over: tuple[Open, dict] | None = st.session_state.get("mq_cmp_over")
    if over and over[1].get("about") == (mode, pair, frame.viewer.id):
        return _revealed(found, *over)
    try:
        ballot = _open(frame, mode, [column.side for column in letters[pair]] if pair in letters else None)
    except LookupError as error:
        st.info(f"Nothing to vote on: {words.md(str(error))}.", icon=":material/info:")
        return
    if reason := _pointless(frame, ballot):
        st.info(reason, icon=":material/info:")
        if pair in letters:
            _counted(frame, ballot.ballot.pair, ballot.called)
        return
    _drawn(frame, ballot, None)
    st.session_state["mq_cmp_open"] = (ballot, {"about": (mode, pair, frame.viewer.id)})


def _asked(mode: str, found: Stand, pair: tuple | None) -> tuple[str, str]:
    head = "Which would you rather watch from?" if mode == "lists" else "What would you watch?"
    more = "Which two they are is drawn by lot, too." if pair is None else f"Who has seen {pair[0].letter} and {pair[1].letter} above is not blind."
    return head, f"{HOW[mode]} {more}"


def _open(frame: Frame, mode: votes.Mode, sides: list[Side] | None) -> Open:
    """The ballot of this turn, two lists drawn by lot where none are named; the same after a reload, a new one after each vote."""
    mine = _mine(frame)
    sides = sides or _lot(frame, mine)
    keys = votes.names(sides)
    if keys[0] == keys[1]:
        raise LookupError("it is the same list on both sides")
    made = [listed(frame, side, votes.SHOWN) for side in sides]
    if not all(len(m.items) for m in made):
        raise LookupError("one of the two lists holds no film")
    seed = votes.seed_of(SECRET, mode, frame.viewer.id, sorted(keys), len(mine))
    called = {key: _called(side, key) for key, side in zip(keys, sides)}
    return Open(votes.ballot(mode, {key: m.items for key, m in zip(keys, made)}, seed), called)


def _lot(frame: Frame, mine: list[dict[str, Any]]) -> list[Side]:
    """Two lists by lot, of those that say anything for this viewer."""
    every = [Side(model, frame.asked) for model in lists.loaded(frame.service)]
    able = [side.model for side in every if not listed(frame, side, votes.SHOWN).silent]
    seed = votes.seed_of(SECRET, "pair", frame.viewer.id, len(mine))
    return [Side(model, frame.asked) for model in votes.secret_pair(able, seed, [note.get("pair", ()) for note in mine])]


def _called(side: Side, key: str) -> str:
    """A list by name, with what was moved or the other moment."""
    more = key.removeprefix(side.model).strip("+@").replace("+", ", ").replace("=", " ").replace("@", ", ")
    return named(side.model) + (f" ({more.replace('penalty', 'λ')})" if more else "")


def _pointless(frame: Frame, made: Open) -> str:
    """Why there is nothing to vote on, or nothing blind any more."""
    if made.ballot.same:
        return "The two lists hold the same films in the same order: there is nothing to choose between."
    seen = {note.get("films") for note in _mine(frame)}
    if made.ballot.fingerprint in seen:
        return "You have voted on these two lists and seen which is which, so a second vote would not be blind. Change a list, or let two be drawn."
    return ""


# -- what is sent to the browser ---------------------------------------------------------------------------------------


def _drawn(frame: Frame, made: Open, note: dict[str, Any] | None) -> None:
    """Before the vote: films, and nothing that tells whose they are. After it: everything."""
    ballot, catalog = made.ballot, frame.service.catalog
    shown = (ballot.one,) if ballot.mode == "one" else ballot.lists
    data: dict[str, Any] = {
        "mode": ballot.mode,
        "token": token(ballot),
        "lists": [[cards.facts(catalog, int(item)) for item in films] for films in shown],
    }
    if note is not None:
        preferred = note["preferred"]
        data["names"] = [made.called[key] for key in ballot.shown]
        data["picked"] = ballot.shown.index(preferred) if preferred in ballot.shown and ballot.mode == "lists" else None
        data["teams"] = ballot.teams.tolist()
        data["ticked"] = note.get("ticked")
    kit.view("ballot", data, key=KEY)


def token(ballot: Ballot) -> str:
    """Says which ballot a click belongs to; its seed cannot be worked out from it."""
    return f"{votes.seed_of(SECRET, 'token', ballot.seed):016x}"


# -- the vote ----------------------------------------------------------------------------------------------------------


def cast(frame: Frame, act: dict[str, Any]) -> None:
    """Store a vote, if the ballot it belongs to is still open."""
    kept: tuple[Open, dict] | None = st.session_state.get("mq_cmp_open")
    if kept is None or act.get("do") != "vote" or act.get("token") != token(kept[0].ballot):
        return
    ballot = kept[0].ballot
    try:
        note = votes.vote_by(ballot, _places(act["ticked"])) if ballot.mode == "one" else votes.vote_for(ballot, act["pick"])
    except (ValueError, KeyError):
        return
    here = frame.asked
    st.session_state["mq_cmp_open"] = None
    problem, again = _store(frame, Event(frame.viewer.id, "vote", id=ballot.id, time_of_day=here.time_of_day, device=here.device, note=note))
    if problem and not again:
        st.session_state.setdefault("mq_cmp_unstored", []).append((frame.viewer.id, note))
    st.session_state["mq_cmp_over"] = (kept[0], {**kept[1], "note": note, "problem": problem})


def _places(ticked: Any) -> list[int]:
    return [place for place in ticked if type(place) is int] if isinstance(ticked, list) else []


def _store(frame: Frame, event: Event) -> tuple[str, bool]:
    """Store it; what went wrong, in words, and whether it is that this ballot was voted on before, in another window."""
    try:
        stored = frame.service.record([event])
    except (FeedbackError, ValueError, KeyError) as error:
        return f"Not stored: {words.told(error.args[0])}", False
    return ("", False) if stored else ("Not counted: these two lists were voted on before, in another window, and the first vote stands.", True)


def _mine(frame: Frame) -> list[dict[str, Any]]:
    """Notes of this viewer's votes, stored or not."""
    return [note for viewer, note in _all(frame) if viewer == frame.viewer.id]


def _all(frame: Frame) -> list[tuple[str, dict[str, Any]]]:
    try:
        stored = [(event.viewer, event.note) for event in frame.service.feedback.votes()]
    except FeedbackError:
        stored = []
    return stored + st.session_state.get("mq_cmp_unstored", [])


# -- after it ----------------------------------------------------------------------------------------------------------


def _revealed(found: Stand, made: Open, over: dict[str, Any]) -> None:
    """Who it was, whether it was stored, all votes so far, and the way on."""
    note, ballot = over["note"], made.ballot
    st.html(f'<div class="mq-ev mq-ev-box mq-cx-box"><p>{escape(said(note, ballot, made.called))}</p></div>')
    if over["problem"]:
        st.warning(words.md(over["problem"]), icon=":material/cloud_off:")
    st.button("Next vote", key="mq_cmp_next", icon=":material/arrow_forward:", on_click=_next)
    _drawn(found.frame, made, note)
    _counted(found.frame, ballot.pair, made.called)


def _next() -> None:
    st.session_state["mq_cmp_over"] = None


def said(note: dict[str, Any], ballot: Ballot, called: dict[str, str]) -> str:
    """The vote in a sentence."""
    left, right = (called[key] for key in ballot.shown)
    if ballot.mode == "one":
        credits = [note["credits"][key] for key in ballot.shown]
        return f"“{left}” brought {credits[0]} of the {counted(sum(credits), 'film')} you ticked, “{right}” {credits[1]}."
    chosen = note["preferred"]
    picked = f"You chose the {'left' if chosen == ballot.shown[0] else 'right'} one, “{called[chosen]}”." if chosen else "You saw no difference."
    return f"{picked} Left was “{left}”, right was “{right}”."


def _counted(frame: Frame, pair: tuple[str, str], called: dict[str, str]) -> None:
    """All votes between the two, with intervals."""
    found = votes.tally(pair, _all(frame))
    rows = shares(found, called)
    first = called[found.pair[0]]
    if rows.empty:
        exhibits.title("No vote prefers one yet", f"{counted(sum(found.even.values()), 'vote')} saw no difference.")
        return
    spec = cmp_charts.tally(rows, f"share that went to “{first}”")
    exhibits.draw("tally", _verdict(found, called), _counts(found, first), spec, "all votes stored here between these two", rows)


def shares(found: Tally, called: dict[str, str]) -> pd.DataFrame:
    """A row for each way of counting that has anything to count."""
    ways: list[tuple[str, Share, str]] = [
        ("Votes between\ntwo lists", found.first["lists"], "vote"),
        ("Votes by\nmore ticks", found.first["one"], "vote"),
        ("Films ticked", found.credited, "film"),
    ]
    rows = [
        {
            "row": name,
            "x": share.value,
            "lo": np.nan if share.lo is None else share.lo,
            "hi": np.nan if share.hi is None else share.hi,
            "n": int(share.of),
            "said": f"{share.part:g} of {counted(int(share.of), unit)}",
            "span": "–" if share.lo is None or share.hi is None else f"{100 * share.lo:.0f}% to {100 * share.hi:.0f}%",
        }
        for name, share, unit in ways
        if share.of
    ]
    return pd.DataFrame(rows, columns=["row", "x", "lo", "hi", "n", "said", "span"])


def _verdict(found: Tally, called: dict[str, str]) -> str:
    a, b = (f"“{called[key]}”" for key in found.pair)
    shares_of = [s for s in (*found.first.values(), found.credited) if s.lo is not None and s.hi is not None]
    if any(s.lo > 0.5 for s in shares_of if s.lo is not None):
        return f"{a} is preferred to {b} beyond chance"
    if any(s.hi < 0.5 for s in shares_of if s.hi is not None):
        return f"{b} is preferred to {a} beyond chance"
    return f"{a} and {b} cannot be told apart yet"


def _counts(found: Tally, first: str) -> str:
    even = sum(found.even.values())
    none = f" {counted(even, 'vote')} saw no difference." if even else ""
    return (
        f"The share that went to “{first}”, with 95% intervals (Wilson; for films ticked, bootstrap over votes).{none} "
        f"By {counted(found.voters, 'viewer')} of this house: not a sample of anyone."
    )
