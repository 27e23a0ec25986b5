"""People without a viewer of their own: what they sent under an id, and what somebody says for one answer only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from recommender.serve.tastes import by_stars, served
from recommender.serve.viewers import Viewer
from recommender.settings import Settings
from recommender.types import Profile

if TYPE_CHECKING:
    from recommender.serve.service import Service

LIKED = 5.0  # stars of a film that somebody says they like, and no more


def blank(name: str = "you") -> Viewer:
    """Somebody of whom nothing is known, by an id."""
    return Viewer(name, "you", "", {"shape": "ghost", "hue": 0}, Profile(), None)


def guest(service: Service, name: str) -> Viewer | None:
    """Whoever sent feedback under an id, as they are now; None where nothing is stored of it."""
    if not service.feedback.has(name):
        return None
    return served(blank(name), service.feedback.taste(name), service.catalog, service.settings)


def joined(viewer: Viewer, stars: Mapping[int, float], settings: Settings) -> Viewer:
    """The viewer with stars for some films (item number -> stars), in place of what they had said of these: nothing of it is stored."""
    if not stars:
        return viewer
    old = viewer.profile.keep(~np.isin(viewer.profile.items, list(stars)))
    spoken = old.speaks if len(old.speaks) else [by_stars(s, settings) for s in old.ratings.tolist()]
    profile = replace(
        old,
        items=np.append(old.items, list(stars)),
        ratings=np.append(old.ratings, list(stars.values())),
        times=np.append(old.times, np.full(len(stars), old.times.max(initial=0))),
        speaks=np.append(spoken, [by_stars(s, settings) for s in stars.values()]),
    )
    return replace(viewer, profile=profile, unused=viewer.unused - stars.keys())
