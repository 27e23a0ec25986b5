"""The lists themselves: what is drawn of them, what is said of them, and what is counted."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from recommender.compare import known, lists
from recommender.compare.lists import HOME, Figures, HeldOut, Listed, Side
from recommender.serve import phrases
from recommender.serve.liking import LIKED
from recommender.ui import cards, exhibits, kit, words
from recommender.ui.cmp_sides import Chosen, chips, code, coded, fit, named
from recommender.ui.exhibits import slug
from recommender.ui.measures import number
from recommender.ui.state import Frame
from recommender.ui.words import counted

KEY = "mq_cmp_view"
KEPT = 24  # lists of a visit that are not made again when one goes back to them


@dataclass(frozen=True, eq=False)
class Stand:
    """All that stands on the page: the columns, their lists, what each is like, where each film stands, and what is hidden of the viewer."""

    frame: Frame
    k: int
    columns: list[Chosen]
    made: list[Listed]
    figures: tuple[Figures, ...]
    places: dict[int, tuple[int, ...]]
    held: HeldOut | None
    seconds: list[float | None]


def stand(frame: Frame, columns: list[Chosen], k: int, held: HeldOut | None) -> Stand:
    """Make the lists, those kept from a run before as they were. Raises LookupError where one cannot be made."""
    service, made = frame.service, [listed(frame, column.side, k, held) for column in columns]
    seconds = [fit(service, column.side)[1] for column in columns]
    return Stand(frame, k, columns, made, lists.figures(made, service.catalog, known.people(service), held), lists.places(made), held, seconds)


def listed(frame: Frame, side: Side, k: int, held: HeldOut | None = None) -> Listed:
    """One list, as it was made before in this visit where nothing that decides it has changed."""
    kept: dict = st.session_state.setdefault("mq_cmp_made", {})
    refit, _ = fit(frame.service, side)
    key = (side, frame.viewer, frame.filters, frame.anyway, k, held is not None)
    found = kept.pop(key, None) or lists.made(frame.service, frame.viewer, side, k, frame.filters, frame.anyway, held, refit)
    kept[key] = found  # the latest last
    for old in list(kept)[:-KEPT]:
        del kept[old]
    return found


# -- sentences ---------------------------------------------------------------------------------------------------------

MEASURED = (
    "Novelty: mean of −log2 of the share of people who rated a film (Zhou et al., PNAS 2010), over films with a published number of raters. "
    "Diversity: 1 less the mean likeness of all pairs by genre (Ziegler et al., WWW 2005). Popularity: median number of raters. "
    "Predicted: mean of the stars predicted for this viewer, where enough people rated the film. Time: from the question to the list, measured once."
)
HOW_MANY = {2: "Two", 3: "Three", 4: "Four"}


def headline(found: Stand) -> str:
    """What the lists have in common, in words for a passer-by."""
    n, films = len(found.made), len(found.places)
    everywhere = sum(all(at) for at in found.places.values())
    if not films:
        return f"{HOW_MANY[n]} lists compared: none of them holds a film"
    if everywhere == films:
        return f"{HOW_MANY[n]} lists compared: the same {films} films on each"
    shared = f"none of {films} films stands" if not everywhere else f"{everywhere} of {films} films {'stands' if everywhere == 1 else 'stand'}"
    return f"{HOW_MANY[n]} lists compared: {shared} on {'both' if n == 2 else 'all of them'}"


def spoken(found: Stand) -> str:
    """For whom and when, and how many films each list shows alone."""
    told = words.moment(found.frame.asked)
    alone = phrases.listed([f"{c.letter} {f.alone}" for c, f in zip(found.columns, found.figures)])
    limits = f", {asked}" if (asked := asked_for(found.frame)) else ""
    return f"{found.frame.viewer.name}, {told}{limits} · the first {found.k} films of each · films that no other list shows: {alone}"


def asked_for(frame: Frame) -> str:
    """What must be true of a film, in words: "Comedy, films of 3.5 stars or more"; "" where nothing is asked for."""
    return ", ".join(filter(None, (frame.filters.genre, words.filters(frame.filters))))


def held_said(found: Stand) -> str:
    """What is hidden, what counts as found again, and which lists learned from what is hidden."""
    held, viewer = found.held, found.frame.viewer
    if held is None:
        return ""
    hidden = f"Hidden: the latest {held.hidden} of {len(viewer.profile)} ratings."
    barred = f"; {held.barred:,} more may not be shown now" if held.barred else ""
    share = "recall is the share that a list finds."
    liked = f"Of these, {counted(len(held.liked), 'film')} with {LIKED:g} stars or more can be found again{barred}; {share}"
    return f"{hidden} {liked} {_trained(found)} One person is an example, not a measurement."


def _trained(found: Stand) -> str:
    """Which lists learned from this viewer."""
    viewer = found.frame.viewer
    if not viewer.id.startswith("ml-"):
        return "No model was trained on any of these ratings: they are not part of the data set."
    learned = {c.letter: known.learned_from(found.frame.service, viewer, c.side) for c in found.columns}
    did, did_not, open_ = (phrases.listed(of) if (of := [n for n, is_ in learned.items() if is_ is state]) else "" for state in (True, False, None))
    parts = [
        f"{did} learned from this person, hidden ratings included, so hits there prove little" if did else "",
        f"{did_not} did not learn from this person" if did_not else "",
        f"whether {open_} did cannot be known: the data set here is not the one on the cards" if open_ else "",
    ]
    said = "; ".join(filter(None, parts))
    return f"{said[:1].upper()}{said[1:]}."


def legend(n: int) -> None:
    """What colours mean, and what the letters beside a film say."""
    keys = (
        ('<i class="mq-cmp-dot" style="--way:#ffb52e"></i>', "on every list"),
        *([('<i class="mq-cmp-dot" style="--way:#62c0f3"></i>', "on some")] if n > 2 else []),
        ('<i class="mq-cmp-dot mq-cmp-ring"></i>', "only here"),
    )
    spans = "".join(f"<span>{mark}{escape(what)}</span>" for mark, what in keys)
    spans += "<span>a letter and a number: its place in that list</span><span>★ predicted stars</span>"
    st.html(f'<div class="mq-ev mq-ev-legend mq-cmp-legend">{spans}</div>')


# -- what is drawn -----------------------------------------------------------------------------------------------------


def draw(found: Stand) -> None:
    """The columns, and where their figures come from."""
    if said := held_said(found):
        st.html(f'<div class="mq-ev mq-ev-box mq-cx-box"><p>{escape(said)}</p></div>')
    legend(len(found.made))
    kit.view("columns", _drawn(found), key=KEY)
    st.html(f'<p class="mq-ev-aside">{escape(MEASURED)}</p>')
    exhibits.note("columns", source(found), table(found))


def _drawn(found: Stand) -> dict:
    """The lists as plain data for web/compare.js."""
    catalog, viewer = found.frame.service.catalog, found.frame.viewer
    liked = dict(zip(viewer.profile.items.tolist(), viewer.profile.ratings.tolist())) if found.held else {}
    hits = set(found.held.liked.tolist()) if found.held else set()
    stars = {item: float(s) for m in found.made for item, s in zip(m.items.tolist(), m.stars) if np.isfinite(s)}
    films = [
        {**cards.facts(catalog, item), "ranks": list(at), "stars": stars.get(item), "hit": liked[item] if item in hits else None}
        for item, at in found.places.items()
    ]
    options = [[slug(model), coded(model)] for model in lists.loaded(found.frame.service)]
    columns = [_column(found, n) for n in range(len(found.columns))]
    return {"k": found.k, "lists": columns, "films": films, "options": options}


def _column(found: Stand, n: int) -> dict:
    column, made, figures, frame = found.columns[n], found.made[n], found.figures[n], found.frame
    model, home = column.side.model, frame.viewer.preferences.model
    own, stays = model == HOME, frame.model is None  # a model that the address names is there for this visit alone
    return {
        "slot": column.slot,
        "letter": column.letter,
        "model": slug(model),
        "code": code(model),
        "name": column.name,
        "n": len(made.items),
        "chips": chips(column, frame, found.seconds[n]),
        "figures": [_figure(*f) for f in _figures(figures, found.held)],
        "kept": model == home and stays,
        "keep": ("Back to the usual first row" if home else "") if own else "" if made.silent else "Use for my Home page",
        "empty": empty(column, made, frame),
    }


def empty(column: Chosen, made: Listed, frame: Frame) -> str:
    """Why a list holds no film."""
    if made.silent:
        return f"{named(column.side.model)} tells no film from another for {frame.viewer.name}: too little is known of them. It makes no list."
    asked = asked_for(frame)
    return f"Nothing is left of {asked}." if asked else "The viewer’s certificate limit leaves nothing over."


def _figure(name: str, say: str, why: str, x: float | None = None) -> dict:
    return {"name": name, "say": say, "why": why, "x": x}


def _figures(f: Figures, held: HeldOut | None) -> list[tuple]:
    """Name, value in words, what it means, and the length of its bar."""
    of = f" of {f.n}" if f.published < f.n else ""
    bits = "–" if f.novelty is None else f"{number(f.novelty, 2)} bits{f', {f.published}{of} films' if of else ''}"
    raters = "–" if f.raters is None else f"{f.raters:,.0f} raters" if f.raters else "too few to publish"
    years = "–" if f.years is None else f"{f.years[0]}–{f.years[-1]}"
    half = "" if f.years is None else f", the middle half {f.years[1]} to {f.years[3]}"
    stars = "–" if f.stars is None else f"★ {f.stars:.2f}{f', {f.starred} of {f.n} films' if f.starred < f.n else ''}"
    rows: list[tuple] = [
        ("Novelty", bits, "Mean of −log2 of the share of people who rated a film, over films with a published number of raters", f.novelty),
        ("Diversity", "–" if f.diversity is None else number(f.diversity, 2), "1 less the mean likeness of all pairs of films by genre", f.diversity),
        ("Popularity", raters, "Median number of people who rated a film", f.raters),
        ("Years", years, f"First and last year{half}"),
        ("Predicted", stars, "Mean of the stars predicted for this viewer, where enough people rated the film", f.stars),
        ("Only here", f"{f.alone} of {f.n}", "Films that no other list on this page shows", f.alone / f.n if f.n else None),
        ("Took just now", f"{f.ms:.0f} ms" if f.ms >= 10 else f"{f.ms:.1f} ms", "From the question to the list, measured when it was made just now"),
    ]
    if held is not None:
        found = "–" if f.recall is None else f"{f.hits} of {len(held.liked)}, recall {number(f.recall, 2)}"
        rows.append(("Found again", found, "Hidden films with four stars or more that stand in the list", f.recall))
    return rows


def table(found: Stand) -> pd.DataFrame:
    """The same as a table: a row for each film, with its place in every list."""
    catalog = found.frame.service.catalog
    hits = set(found.held.liked.tolist()) if found.held else set()
    rows = [
        {
            "film": catalog.titles[item],
            "year": int(catalog.years[item]),
            **{f"rank_{c.letter}_{c.side.key}": rank or None for c, rank in zip(found.columns, at)},
            **({"hidden_and_liked": item in hits} if found.held else {}),
        }
        for item, at in found.places.items()
    ]
    return pd.DataFrame(rows)


def source(found: Stand) -> str:
    """Where the figures come from: a command, and what of them it leaves out."""
    frame, sides = found.frame, [c.side for c in found.columns]
    more = {
        "what is tuned": any(side.tuning.moved for side in sides),
        "the other moments": any(side.context != frame.asked for side in sides),
        "what must be true of a film": bool(asked_for(frame)),
        "signals switched on by hand": bool(frame.anyway),
        "the model of this visit": frame.model is not None and any(side.model == HOME for side in sides),
    }
    left = [what for what, holds in more.items() if holds]
    return f"worked out now · `{command(found)}`{f' shows the lists without {phrases.listed(left)}' if left else ''}"


def command(found: Stand) -> str:
    """How to see the lists without the app, as the viewer's own settings have them."""
    viewer, here = found.frame.viewer.id, found.frame.asked
    who = f"--user {viewer.removeprefix('ml-')}" if viewer.startswith("ml-") else f"--viewer {viewer}"
    when = "".join(f" --{name} {value}" for name, value in (("time-of-day", here.time_of_day), ("device", here.device)) if value)
    models = " ".join(c.side.model for c in found.columns)
    return f"python -m recommender compare {models} {escape(who)}{when} -k {found.k}{' --hide-last-fifth' if found.held else ''}"
