"""What the guided path says at each step: one sentence from the live page or the reports, the thing it is about, and one act to try."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import streamlit as st

from recommender.serve import phrases
from recommender.serve.phrases import PART_NAMES
from recommender.serve.service import Service
from recommender.types import Carousel, Context, Query, Recommendation
from recommender.ui import cmp_lists, compare, dialog, home, league, sections, words
from recommender.ui.reports import COMMAND, shelf
from recommender.ui.state import Frame, put

OTHER = {"night": "evening"}  # the part of day that is tried, for the one that it is; else night
TIME = "mq_anyway_time_of_day"


@dataclass(frozen=True)
class Said:
    """A sentence, CSS selectors of what it is about (the first that can be seen is marked), and what a button does, where there is one."""

    line: str
    at: tuple[str, ...] = ()
    label: str = ""
    does: Callable[[], None] | None = None


class Step(NamedTuple):
    """One stop of the path: its name, the page it is on (a file of pages/), and what is said there."""

    title: str
    page: str
    say: Callable[[Frame], Said]


def say(step: Step, frame: Frame) -> Said:
    """What a step says now; where a report or a list is broken inside, that."""
    try:
        return step.say(frame)
    except (LookupError, *sections.BROKEN) as error:
        return Said(f"There is nothing to point at here now ({type(error).__name__}: {str(error)[:120]}); the next step does not need it.")


# -- who watches -------------------------------------------------------------------------------------------------------


def door(service: Service) -> Said:
    """Before anybody watches: who could."""
    known = sorted(service.viewers.values(), key=lambda v: len(v.profile))
    if not known:
        return Said("Nobody waits here: add a viewer of your own, and the path goes on.", (".mq-people-list",))
    first, last = known[0], known[-1]
    lead = next((v for v in service.viewers.values() if len(v.profile) >= service.settings.many_ratings), last)
    line = (
        f"{words.counted(len(known), 'viewer')} wait here, from {first.name} with {words.counted(len(first.profile), 'rating')} to {last.name} with "
        f"{len(last.profile)}: choose one, and the path goes on."
    )
    at = (f'.mq-person[data-viewer="{lead.id}"]', ".mq-people-list")
    return Said(line, at, f"Watch as {lead.name}", partial(put, "viewer", lead.id))


def viewer(frame: Frame) -> Said:
    """How little the models know of the viewer, and what they made of it."""
    who, told, kept = frame.viewer, frame.query.profile, st.session_state.get("mq_rows")
    newcomer = next((v for v in frame.service.viewers.values() if not len(v.profile) and not v.profile.genres), None)
    other = frame.service.viewers.get(st.session_state.get("mq_tour_from", ""))
    at = (".mq-me", ".mq-route", ".mq-hero")
    films, genres = words.counted(len(told), "film"), phrases.listed(list(told.genres)) if told.genres else ""
    knows = " and ".join(filter(None, (films if len(told) else "", f"the wish for {genres}" if genres else ""))) or "nothing yet"
    line = f"All that the models know of the taste of {who.name}, “{who.line}”, is {knows}"
    if kept is None:
        line += ", and no row was made of it."
    elif len(told):
        line += f": these rows were made from that in {kept.home.timing_ms['total']:.0f} ms, and nothing was trained for it."
    else:
        line += f", and the page says so: “{kept.home.strategy.why}”"
    if newcomer is not None and newcomer.id != who.id:
        return Said(line, at, f"See it for {newcomer.name}, who has rated nothing", partial(_watch, newcomer.id, who.id))
    return Said(line, at, f"Back to {other.name}", partial(_watch, other.id, "")) if other is not None else Said(line, at)


def _watch(viewer: str, left: str) -> None:
    """Another viewer for a while; `left` is whom to come back to."""
    st.session_state["mq_tour_from"] = left
    put("viewer", viewer)


# -- the moment --------------------------------------------------------------------------------------------------------


def moment(frame: Frame) -> Said:
    """What another time of day moves, and what that is worth; after the act, what it moved."""
    kept, verdict = st.session_state.get("mq_rows"), frame.service.verdicts(frame.viewer)["time_of_day"]
    frame = replace(frame, trial=kept.frame.trial if kept else None)
    now, was = frame.time.value, st.session_state.get("mq_tour_was")
    worth = _lower(verdict.why)
    if was is not None and was[0] != now:
        left = "" if verdict.on else "unless you insist, "
        line = f"{_named(was[0])} became {_named(now).lower()}: {_effect(frame, was[0], now)}; {left}it is {worth}"
        return Said(line, (".mq-changed", ".st-key-mq_pick_time", ".mq-eyebrow"), f"Back to {_named(was[0]).lower()}", partial(_back, was))
    then = OTHER.get(now or "", "night")
    on = frame.told(Context(then, frame.device.value)).context != frame.told(Context(None, frame.device.value)).context
    at = (".st-key-mq_pick_time", ".mq-eyebrow")
    change = partial(_change, then, (now, frame.time.chosen, bool(st.session_state.get(TIME))), not on)
    if on:
        line = f"From {_named(now).lower()} to {then}, {_effect(frame, now, then)}: the time of day is {worth}"
        return Said(line, at, f"Change it to {then.capitalize()}", change)
    line = f"{_named(now)} or {then}, this page stays as it is, because the time of day is {worth}"
    return Said(line, at, f"Tell them all the same, and change it to {then.capitalize()}", change)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _named(time: str | None) -> str:
    return (time or "any time").capitalize()


def _effect(frame: Frame, before: str | None, after: str | None) -> str:
    """'16 of your top 20 moved', from one time of day to another, of what the models are told."""
    then, here = (frame.told(Context(time, frame.device.value)) for time in (before, after))
    return home.moves(*frame.service.moved(frame.viewer, Query(here.profile, then.context), here))


def _change(then: str, was: tuple[str | None, bool, bool], tell: bool) -> None:
    """Another time of day; `tell`: the models are told although it does not help."""
    st.session_state["mq_tour_was"] = was
    if tell:
        st.session_state[TIME] = True
    put("time", then)


def _back(was: tuple[str | None, bool, bool]) -> None:
    """As it was before: time of day, whether that was chosen, whether the models were told by hand."""
    time, chosen, anyway = was
    st.session_state["mq_tour_was"] = None
    st.session_state[TIME] = anyway
    put("time", time if chosen else None)


# -- the reason --------------------------------------------------------------------------------------------------------


def reason(frame: Frame) -> Said:
    """The first film whose reason names films of the viewer, with its rank as things stand and without each of them."""
    kept, catalog = st.session_state.get("mq_rows"), frame.service.catalog
    carousels = [c for c in kept.home.carousels if c.recommendations] if kept else []
    if not carousels:
        return Said("No row stands here, so there is no film to give a reason for.", (".mq-empty", ".mq-rows"))
    found = next((place for place in _places(carousels) if place[2].drops), None)
    row, at, r = found or (carousels[0], 1, carousels[0].recommendations[0])
    title, film = catalog.titles[r.item], int(catalog.ids[r.item])
    why = f"“{r.sentence}”" if r.sentence else "nothing"
    if found is None:
        least = frame.service.settings.least_drop
        line = f"{title} says {why}: a film is named as the reason only where {least} places or more are lost without it, and none is here."
    else:
        line = f"{title} says {why}, and that was tried: {_lower(phrases.falls(r.drops, catalog))}."
    if st.session_state.get("mq_film") == film:
        named = (f'[role=dialog] .mq-bars li:has([data-other="{int(catalog.ids[r.drops[0].film])}"])',) if found else ()
        return Said(line, (*named, "[role=dialog] .mq-why section"), "Close it", dialog.close)
    card = f'.mq-row[data-key="{row.key}"] .mq-card[data-film="{film}"]'
    hero = (".mq-hero .mq-said",) if row is carousels[0] and at == 1 else ()
    return Said(line, (*hero, card, ".mq-hero"), "Open it: every reason and its weight", partial(dialog.open_film, film, row.key))


def _places(carousels: list[Carousel]) -> list[tuple[Carousel, int, Recommendation]]:
    """Every film of the page with its row and its place there, from 1."""
    return [(c, n, r) for c in carousels for n, r in enumerate(c.recommendations, 1)]


# -- side by side ------------------------------------------------------------------------------------------------------


def beside(frame: Frame) -> Said:
    """What the lists share, and what the first two do."""
    found = compare.standing(frame.now())
    first, second = found.columns[:2]
    shared = sum(bool(at[0] and at[1]) for at in found.places.values())
    line = f"{cmp_lists.headline(found)}; {first.name} and {second.name} share {shared} of {found.k}."
    if second.side.model == "popularity":
        return Said(line, (".mq-ev-top",), "Back to the usual second list", partial(put, "second", None))
    if "popularity" not in frame.service.models:
        return Said(line, (".mq-ev-top",))
    return Said(line, (".mq-ev-top",), f"Put “{PART_NAMES['popularity']}” second", partial(put, "second", "popularity"))


# -- how good it is ----------------------------------------------------------------------------------------------------


def evaluation(frame: Frame) -> Said:
    """Who leads the first league, by what interval; after the act, what context was worth on the same viewers."""
    found = shelf().found
    made = league.tiles(found)
    if not made:
        return Said(f"No league has been played here: `{COMMAND}` measures the models and writes the reports.", (".mq-board", ".mq-ev-top"))
    if st.session_state.get("mq_section") == "context":
        worth = [f"{signal.replace('_', ' ')} is {_lower(v.why).rstrip('.')}" for signal, v in frame.service.verdicts(frame.viewer).items()]
        line = f"What the house acts on, measured on viewers that the hybrid never saw: {'; '.join(worth)}."
        return Said(
            line, (".st-key-mq_ev_context .mq-ev-head", ".mq-ev-empty", ".mq-ev-top"), "Back to the league", partial(put, "section", "league")
        )
    first = made[0]
    said = league.spoken(league.standing(found[first.protocol], first.pick), first.pick)
    return Said(
        f"{first.question} {first.said}: {said}",
        (".mq-ev-tiles section", ".mq-ev-top"),
        "And what is context worth?",
        partial(put, "section", "context"),
    )


# -- whether it helps --------------------------------------------------------------------------------------------------


def experiment(frame: Frame) -> Said:
    """The verdict on the page; after the act, what a fault that is planted does to it."""
    line: str | None = st.session_state.get("mq_xp_said")
    if line is None:
        return Said("No experiment has been read here: the page says which command plans and runs one.", (".mq-board", ".mq-xp-head"))
    if st.session_state.get("mq_break") is None:
        return Said(line, (".mq-xp-head > div",), "Break it: lose some viewers of one arm", partial(put, "break", "srm"))
    return Said(line, (".mq-xp-head > div",), "Mend it", partial(put, "break", None))


STEPS = (
    Step("Who is watching", "for_you", viewer),
    Step("The moment", "for_you", moment),
    Step("The reason", "for_you", reason),
    Step("Side by side", "compare", beside),
    Step("How good it is", "evaluation", evaluation),
    Step("Whether it helps", "experiments", experiment),
)
