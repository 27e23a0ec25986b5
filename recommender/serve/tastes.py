"""A viewer as they are now: what was written down of them, and what they have said since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from recommender.catalog import Catalog
from recommender.serve.feedback import Opinion, Taste
from recommender.serve.viewers import Viewer
from recommender.settings import Settings
from recommender.types import Preferences, Profile


def served(viewer: Viewer, taste: Taste, catalog: Catalog, settings: Settings) -> Viewer:
    """The viewer with their stored taste. What they said of a film counts instead of the rating it came with, and as said just then.

    Films that left the catalogue, or are over the viewer's certificate, are passed over; so is a model or a person that no longer exists.
    """
    said = taste.watched | taste.opinions  # an opinion says more than "watched"
    mine = {item: said[film] for film, item in _known(said, viewer, catalog)}
    return replace(
        viewer,
        profile=_profile(viewer.profile, mine, settings),
        hidden=frozenset(item for _, item in _known(taste.hidden, viewer, catalog)),
        listed=tuple(item for _, item in _known(taste.listed, viewer, catalog)),
        unused=frozenset(item for _, item in _known(taste.unused, viewer, catalog)),
        preferences=_possible(taste.preferences, catalog),
    )


def _known(films: Iterable[int], viewer: Viewer, catalog: Catalog) -> list[tuple[int, int]]:
    """(film id, item number) of the films that are in the catalogue and within the viewer's limit."""
    allowed, found = catalog.allowed(viewer.certificate), []
    for film in films:
        try:
            item = catalog.index(film)
        except KeyError:
            continue
        if allowed[item]:
            found.append((film, item))
    return found


def _profile(base: Profile, said: dict[int, Opinion], settings: Settings) -> Profile:
    """The base, oldest first, less what was said anew; then what was said, in the order of saying."""
    old = base.keep(~np.isin(base.items, list(said)))
    new = sorted(said.items(), key=lambda pair: pair[1].at)
    meant = [meaning(opinion, settings) for _, opinion in new]
    speaks = [*(by_stars(stars, settings) for stars in old.ratings.tolist()), *(weight for _, weight in meant)]
    return replace(
        base,
        items=np.append(old.items, [item for item, _ in new]),
        ratings=np.append(old.ratings, [stars for stars, _ in meant]),
        times=np.append(old.times, [int(opinion.at) for _, opinion in new]),
        speaks=np.array(speaks, np.float32),
    )


def meaning(opinion: Opinion, settings: Settings) -> tuple[float, float]:
    """The stars that a word stands for, and how far it speaks for the viewer's taste (below 0: against)."""
    said = {
        "love": (settings.love_stars, settings.love_weight),
        "like": (settings.like_stars, settings.like_weight),
        "dislike": (settings.dislike_stars, settings.dislike_weight),
        "watched": (settings.watched_stars, settings.watched_weight),
    }
    if opinion.stars is None:
        return said[opinion.kind]
    return opinion.stars, by_stars(opinion.stars, settings)


def by_stars(stars: float, settings: Settings) -> float:
    """How far a film rated so speaks: as one loved, liked or disliked, or not at all."""
    if stars >= settings.love_stars:
        return settings.love_weight
    if stars >= Profile.liked_from:
        return settings.like_weight
    return settings.dislike_weight if stars <= settings.disliked_to else 0.0


def _possible(wanted: Preferences, catalog: Catalog) -> Preferences:
    """What of the preferences still means something."""
    return replace(
        wanted,
        genres=tuple((name, points) for name, points in wanted.genres if name in catalog.genre_names),
        without=tuple(person for person in wanted.without if person in catalog.people),
    )
