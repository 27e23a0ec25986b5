"""Posters of TMDB over the drawn ones, and what it tells of a film. The browser asks for the films it shows; without a key there is nothing of it.

A key is the process's own (settings) or one that this visitor typed: that is kept in the memory of the visit, is used for it alone, and goes with it.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from recommender.serve.gallery import Gallery, shared
from recommender.serve.tmdb import Client
from recommender.settings import STATIC, settings
from recommender.ui import kit
from recommender.ui.state import Frame

KEY, TYPED = "mq_art", "mq_tmdb"
ATTRIBUTION = "This product uses the TMDB API but is not endorsed or certified by TMDB."
MOST = 300  # films that one message may ask for
LOGO = "tmdb.svg"  # in static/, where somebody has put TMDB's logo


def gallery() -> Gallery:
    return shared(settings())


def client() -> Client | None:
    """TMDB by the key that holds in this visit: the typed one before that of the settings."""
    typed: Client | None = st.session_state.get(TYPED)
    return typed or gallery().own


def draw(frame: Frame) -> None:
    """Once on every page, before what it shows."""
    if client() is not None:
        _pictures(frame)


@st.fragment
def _pictures(frame: Frame) -> None:
    """Answers the browser's question for films; the page itself is not run for it."""
    kit.view("art", answer(frame, kit.event(KEY)), key=KEY)


def answer(frame: Frame, asked: dict[str, Any]) -> dict[str, Any]:
    """Addresses of the pictures that are there, films that have none, whether more will come; and what is told of the film `about`."""
    numbers, about = _numbers(frame, asked.get("films")), _numbers(frame, [asked.get("about")])
    by = client()
    said: dict[str, Any] = {"n": asked.get("n"), "at": gallery().cache.address, "pictures": {}, "none": [], "coming": False, "about": None}
    if by is None or not (numbers or about):
        return said
    found = gallery().have(filter(None, [*about.values(), *numbers.values()]), by)
    unknown = [film for film, tmdb in {**numbers, **about}.items() if not tmdb]
    said["pictures"] = {film: found.pictures[tmdb] for film, tmdb in numbers.items() if tmdb in found.pictures}
    said["none"] = unknown + [film for film, tmdb in numbers.items() if tmdb in found.none]
    said["coming"] = found.coming > 0
    said["about"] = next((_told(film, tmdb) for film, tmdb in about.items() if tmdb in found.pictures or tmdb in found.none), None)
    return said


def _numbers(frame: Frame, films: Any) -> dict[int, int]:
    """Film -> its number at TMDB, 0 where that is not known, for films that this viewer may see; anything else that was asked for is left out."""
    catalog, allowed = frame.service.catalog, frame.service.catalog.allowed(frame.viewer.certificate)
    numbers = {}
    for film in films[:MOST] if isinstance(films, list) else ():
        try:
            item = catalog.index(film)
        except (KeyError, ValueError, TypeError, OverflowError):
            continue
        if allowed[item]:
            numbers[int(catalog.ids[item])] = int(catalog.tmdb_ids[item])
    return numbers


def _told(film: int, tmdb: int) -> dict[str, Any] | None:
    """What TMDB tells of a film, as plain data; None where it tells nothing."""
    entry = gallery().cache.entry(tmdb)
    if entry is None:
        return None
    logo = f"app/static/{LOGO}" if (STATIC / LOGO).is_file() else None
    facts = {"overview": entry.overview, "minutes": entry.minutes, "cast": [list(part) for part in entry.cast]}
    return {"film": film, "tmdb": tmdb, **facts, "said": ATTRIBUTION, "logo": logo}
