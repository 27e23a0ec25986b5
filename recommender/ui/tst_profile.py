"""Your taste: shares of what the viewer has seen beside the average viewer's, the films behind each, and a hand on every one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from recommender.serve.phrases import listed
from recommender.serve.portrait import Portrait, Trait, groups, portrait
from recommender.types import Preferences
from recommender.ui import cards, exhibits, kit, taste, tst_dials, tst_row
from recommender.ui.state import Frame
from recommender.ui.words import counted

KEY = "mq_taste_portrait"
ASPECTS = {"genres": "Genres", "decades": "Decades", "groups": "Kinds of film", "people": "People", "bands": "Popularity"}
STEERED = ("genres", "decades", "groups")
STEPS = tuple(n / 2 for n in range(-4, 5))  # points that a genre, a decade or a group may be given
AT_FIRST = 10  # rows of an aspect, those that differ most


@dataclass(frozen=True, eq=False)
class Painted:
    """A portrait and the profile it was made of."""

    frame: Frame
    made: Portrait


def apply(frame: Frame, act: dict[str, Any]) -> None:
    """What a click on a bar, a nudge or a switch changes."""
    s, do, aspect, subject = st.session_state, act.get("do"), act.get("aspect"), act.get("subject")
    if do == "evidence":
        s["mq_taste_evidence"] = None if s.get("mq_taste_evidence") == (aspect, subject) else (aspect, subject)
    elif do == "all":
        s["mq_taste_all"] = {*s.get("mq_taste_all", ()), str(aspect)}
    elif do == "nudge" and aspect in STEERED and act.get("points") in STEPS:
        _nudge(frame, aspect, subject, float(act["points"]))
    elif do == "person" and isinstance(subject, str) and subject in frame.service.catalog.people:
        without = tst_dials.stored(frame).without
        tst_dials.change(frame, without=tuple(p for p in without if p != subject) if subject in without else (*without, subject))
    elif do == "open":
        tst_row.apply(frame, act)


def _nudge(frame: Frame, aspect: str, subject: Any, points: float) -> None:
    """Give one genre, decade or group its points, none where they are 0."""
    if subject not in [t.subject for t in getattr(painted(frame), aspect)]:
        return
    given = dict(getattr(tst_dials.stored(frame), aspect))
    given.pop(subject, None)
    tst_dials.change(frame, **{aspect: (*given.items(), *(((subject, points),) if points else ()))})


def painted(frame: Frame) -> Portrait:
    """The portrait of what the models are told, worked out once for each state of the taste."""
    kept: Painted | None = st.session_state.get("mq_taste_painted")
    if kept is None or kept.frame.viewer is not frame.viewer:
        made = portrait(frame.query.profile, frame.service.catalog, groups(frame.service.atlas))
        kept = st.session_state["mq_taste_painted"] = Painted(frame, made)
    return kept.made


def draw(frame: Frame) -> None:
    """The sentence, the plot of one aspect, and the dials."""
    made = painted(frame)
    exhibits.title(*headline(made, len(frame.viewer.unused)))
    options = [a for a in ASPECTS if a != "groups" or made.groups]
    aspect = exhibits.choose("of", "Taste by", options, "genres", lambda a: ASPECTS[a])
    kit.view("portraitOf", _data(frame, made, aspect), key=KEY, newest=True)
    tst_dials.draw(frame)


# -- in words ----------------------------------------------------------------------------------------------------------


def headline(made: Portrait, unused: int = 0) -> tuple[str, str]:
    """What stands out, and of whom the figures are."""
    if not made.n:
        return "Nothing is known of this taste yet", "Rate a few films, or answer the questions under “Find your taste”, and it is drawn here."
    more, less = _outstanding(made)
    if more or less:
        parts = [f"more {listed(more)}" if more else "", f"less {listed(less)}" if less else ""]
        head = f"{', '.join(filter(None, parts))} than the average viewer"
        head = f"{head[0].upper()}{head[1:]}"
    else:
        head = "In genres and decades like the average viewer, as far as these films can tell"
    left = f" {counted(unused, 'film')} you asked not to use {'is' if unused == 1 else 'are'} left out." if unused else ""
    return head, (
        f"From {counted(made.n, 'film')} you rated or watched. The average viewer is all ratings of the data set together: "
        f"a film counts as often as people rated it.{left}"
    )


def _outstanding(made: Portrait) -> tuple[list[str], list[str]]:
    """Genres and decades that differ most and beyond chance, two of each direction at most."""
    sure = sorted((t for t in (*made.genres, *made.decades) if t.sure), key=lambda t: -abs(t.difference or 0))
    said = lambda t: f"{t.subject}s cinema" if isinstance(t.subject, int) else str(t.subject)
    more = [said(t) for t in sure if (t.difference or 0) > 0][:2]
    less = [said(t) for t in sure if (t.difference or 0) < 0][:2]
    return more, less


def _name(aspect: str, t: Trait) -> str:
    return f"{t.subject}s" if isinstance(t.subject, int) and aspect != "groups" else str(t.subject)


# -- the plot ----------------------------------------------------------------------------------------------------------


def _data(frame: Frame, made: Portrait, aspect: str) -> dict[str, Any]:
    now = tst_dials.stored(frame)
    traits = _ordered(made, aspect, now)
    open_ = st.session_state.get("mq_taste_evidence")
    mine = open_[1] if open_ and open_[0] == aspect else None
    shown = traits if aspect in st.session_state.get("mq_taste_all", ()) else _first(traits, aspect, now, mine)
    rows = [_row(frame, made, aspect, t, now) for t in shown]
    films = [cards.facts(frame.service.catalog, i) for t in traits if t.subject == mine for i in t.films]
    reach = max([0.02, *(abs(v) for r in rows for v in (r["share"] or 0, r["usual"], *(r["span"] or ())))])
    return {
        "aspect": aspect,
        "rows": rows,
        "open": mine,
        "films": films,
        "taste": taste.data(frame.taste),
        "reach": reach,
        "said": _said(made, aspect),
        "more": len(traits) - len(shown),
        "n": made.n,
        "steps": aspect in STEERED,
    }


def _ordered(made: Portrait, aspect: str, now: Preferences) -> list[Trait]:
    """As they are best read: decades and bands in their order, the rest by how much they are theirs; people who are switched off always."""
    traits: list[Trait] = list(getattr(made, aspect))
    if aspect in ("genres", "groups"):
        return sorted(traits, key=lambda t: -(t.difference if t.difference is not None else t.usual))
    if aspect == "people":
        known = {t.subject for t in traits}
        return [Trait(p, (), None, None, 0.0) for p in now.without if p not in known] + traits
    return traits


def _first(traits: list[Trait], aspect: str, now: Preferences, mine: Any) -> list[Trait]:
    """Those that are drawn at first, in their order: what is set, switched off or open, then what differs most from the average viewer."""
    if len(traits) <= AT_FIRST + 2 or aspect in ("decades", "bands"):
        return traits
    touched = {*now.without, mine if isinstance(mine, str | int) else None, *(dict(getattr(now, aspect)) if aspect in STEERED else ())}
    far = lambda t: (t.subject not in touched, -len(t.films) if aspect == "people" else -abs(t.difference if t.difference is not None else t.usual))
    kept = {t.subject for t in sorted(traits, key=far)[: max(AT_FIRST, len(touched))]}
    return [t for t in traits if t.subject in kept]


def _row(frame: Frame, made: Portrait, aspect: str, t: Trait, now: Preferences) -> dict[str, Any]:
    atlas = frame.service.atlas
    label = atlas.names[int(t.subject)].text if aspect == "groups" and atlas else _name(aspect, t)
    return {
        "subject": t.subject,
        "label": _band(made, int(t.subject)) if aspect == "bands" else label,
        "films": len(t.films),
        "stars": t.stars,
        "share": t.share,
        "usual": t.usual,
        "span": t.span,
        "sure": t.sure,
        "points": dict(getattr(now, aspect)).get(t.subject, 0.0) if aspect in STEERED else 0.0,
        "off": aspect == "people" and t.subject in now.without,
    }


def _band(made: Portrait, band: int) -> str:
    fewest, most = made.bounds[band]
    if band == 0:
        return f"Rated by {fewest:,} or more"
    return f"By {fewest:,} to {most:,}" if fewest else f"By {most:,} or fewer"


def _said(made: Portrait, aspect: str) -> str:
    if aspect == "people":
        return (
            "Directors and actors of at least two of these films. No grey band: among thousands of people, some meet twice by chance. "
            "A person who is switched off is no reason any more, and gives no points."
        )
    if aspect == "bands":
        theirs = f"The film in the middle of yours was rated by {made.raters:,.0f} people. " if made.raters is not None else ""
        usual = f"Of all ratings, it is {made.usual_raters:,.0f}. The first slider below moves it."
        return f"Films by how many people rated them, in fifths of all ratings. {theirs}{usual}"
    whole = "A film of several genres counts for each in part. " if aspect == "genres" else ""
    return f"{whole}Open one to see the films behind it; move its handle to have more or fewer of them in your rows."
