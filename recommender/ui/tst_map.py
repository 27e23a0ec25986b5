"""The map of films of the Taste page: where the viewer's films lie, and where their first row does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from recommender import artifacts
from recommender.catalog import Catalog
from recommender.models.atlas import Atlas
from recommender.serve.inquiry import first_row
from recommender.serve.service import Service
from recommender.types import Filters
from recommender.ui import dialog, kit, sign, taste, words
from recommender.ui.state import Frame

KEY = "mq_map"
K = 20  # films of the first row that are placed on it
GRID = 10_000  # steps of a side of the map, in which places are sent
SAID = {"love": "You loved it", "like": "You liked it", "dislike": "Not for you", "watched": "You watched it"}


def draw(frame: Frame) -> None:
    """All films as quiet dots, those of the viewer lit, those of the first row marked; lists beside it say the same in words."""
    atlas = frame.service.atlas
    if atlas is None:
        sign.board("No map", "The map is not drawn", "It is computed with the models, and did not load: python -m recommender train atlas")
        return
    drawn = np.flatnonzero(atlas.known & frame.service.catalog.allowed(frame.viewer.certificate))
    kit.view("places", places(frame.service.catalog, atlas, drawn), key="mq_map_places")
    kit.view("tastemap", {**lit(frame, atlas, drawn), "quality": quality(frame.service)}, key=KEY)


def apply(frame: Frame, act: dict[str, Any]) -> None:
    """What a click on the map changes."""
    film = dialog.known(frame, act.get("film"))
    if act.get("do") == "open" and film is not None:
        dialog.open_film(film)
        taste.store(frame, [taste.said(frame, "click", film)])


def places(catalog: Catalog, atlas: Atlas, drawn: np.ndarray) -> dict[str, Any]:
    """The films of the map (item numbers drawn (n,)), field by field: the same for everybody of one limit, so that it is sent once."""
    grid = np.rint((atlas.places_[drawn] + 1) / 2 * GRID).astype(int)
    genres = catalog.genres[drawn] @ (1 << np.arange(len(catalog.genre_names)))
    return {
        "ids": catalog.ids[drawn].tolist(),
        "titles": [catalog.titles[i] for i in drawn],
        "years": catalog.years[drawn].tolist(),
        "x": grid[:, 0].tolist(),
        "y": grid[:, 1].tolist(),
        "raters": atlas.raters_[drawn].tolist(),
        "group": atlas.group_[drawn].tolist(),
        "genres": genres.tolist(),
        "names": list(catalog.genre_names),
        "grid": GRID,
    }


def lit(frame: Frame, atlas: Atlas, drawn: np.ndarray) -> dict[str, Any]:
    """The viewer's films and the first row by film id, the groups with what of both lies in each, and which films the filters let pass."""
    catalog = frame.service.catalog
    mine, picks = _mine(frame), first(frame)
    on = set(drawn.tolist())
    fits = catalog.fits(frame.filters)[drawn] if frame.filters != Filters() else None
    asked = words.filters(frame.filters) or (f"{frame.filters.genre} films" if frame.filters.genre else "")
    return {
        "viewer": frame.viewer.id,
        "mine": [{"id": int(catalog.ids[i]), **said} for i, said in mine.items() if i in on],
        "picks": [{"id": int(catalog.ids[i]), "rank": n} for i, n in picks.items() if i in on],
        "off": _off(len([i for i in mine if i not in on]), len([i for i in picks if i not in on]), atlas),
        "groups": _groups(frame, atlas, drawn, mine, picks),
        "fits": "" if fits is None else "".join("01"[int(x)] for x in fits),
        "asked": asked,
        "levels": [f"{frame.service.settings.like_stars:g} stars or more", f"{frame.service.settings.disliked_to:g} stars or fewer"],
    }


def _mine(frame: Frame) -> dict[int, dict[str, str]]:
    """Item number of each film of the viewer's -> how they found it, and that in words; the latest last."""
    catalog, profile, settings = frame.service.catalog, frame.viewer.profile, frame.service.settings
    told = {**frame.taste.watched, **frame.taste.opinions}
    found = {}
    for item, stars in zip(profile.items.tolist(), profile.ratings.tolist()):
        opinion = told.get(int(catalog.ids[item]))
        kind = opinion.kind if opinion else "rating"
        way = "soso" if kind == "watched" else "liked" if stars >= settings.like_stars else "disliked" if stars <= settings.disliked_to else "soso"
        found[item] = {"way": way, "said": SAID.get(kind) or f"You gave it ★ {stars:g}"}
    return found


def first(frame: Frame) -> dict[int, int]:
    """Item number -> place in the first row, as it would be drawn now; worked out again only where something that decides it has changed."""
    kept: tuple[Frame, dict[int, int]] | None = st.session_state.get("mq_map_picks")
    same = kept is not None and kept[0].viewer is frame.viewer and (kept[0].query.context, kept[0].filters) == (frame.query.context, frame.filters)
    if kept is None or not same:
        asked = frame.service.request(frame.viewer, frame.query, frame.filters)
        try:
            chosen = asked.choose(first_row(asked)[0], asked.offered, np.zeros(len(frame.service.catalog), bool), K)
        except LookupError:
            chosen = np.empty(0, np.int64)
        kept = st.session_state["mq_map_picks"] = frame, {item: n for n, item in enumerate(chosen.tolist(), 1)}
    return kept[1]


def _groups(frame: Frame, atlas: Atlas, drawn: np.ndarray, mine: Mapping[int, dict], picks: Mapping[int, int]) -> list[dict[str, Any]]:
    """The groups that this viewer may see films of: name, middle, and how many of their films and of the first row lie in each."""
    known = {g.number: g for g in atlas.groups(frame.service.catalog.allowed(frame.viewer.certificate))}
    own, shown = (np.bincount(atlas.group_[[i for i in of if atlas.known[i]]], minlength=len(atlas.centres)) for of in (list(mine), list(picks)))
    rows = []
    for number, group in known.items():
        films = drawn[atlas.group_[drawn] == number]
        heart = films[atlas.core_[films]] if atlas.core_[films].any() else films
        x, y = np.median(atlas.places_[heart], axis=0)
        at = {"x": int((x + 1) / 2 * GRID), "y": int((y + 1) / 2 * GRID)}
        rows.append({"n": number, "name": group.name, **at, "films": len(films), "mine": int(own[number]), "picks": int(shown[number])})
    return sorted(rows, key=lambda row: (-row["mine"], -row["picks"], -row["films"]))


def _off(mine: int, picks: int, atlas: Atlas) -> str:
    """What of both is not on the map, and why."""
    said = [f"{n} {what}" for n, what in ((mine, "of your films"), (picks, "of your first row")) if n]
    return f"Not on the map: {' and '.join(said)}, which fewer than {atlas.least} people rated." if said else ""


def quality(service: Service) -> str:
    """How far the map can be trusted, by the figures of its card."""
    found = artifacts.card("atlas", service.folder)["validation"]
    near, kept, chance = found["nearest"], found["kept"], found["by_chance"]
    return (
        f"How good the map is: of the {near} films nearest to a film by the model, {near * kept:.1f} are among the {near} nearest here "
        f"({near * chance:.2f} by chance); trustworthiness {found['trustworthiness']:.2f} of 1. "
        "Which films lie close means something, how far apart groups lie does not."
    )
