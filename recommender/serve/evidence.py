"""How much stands behind a reason: how many people, how many of the viewer's own films."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recommender.catalog import Catalog
from recommender.models.neighbours import EASE, PUBLISHED
from recommender.models.popularity import Popularity
from recommender.serve.liking import rated_and_liked
from recommender.types import Profile, Reason, Recommender


def evidence(reason: Reason, item: int, profile: Profile, catalog: Catalog, models: Mapping[str, Recommender]) -> str:
    """A phrase for the screen; "" where the reason says it itself or nothing is known."""
    if reason.kind in ("film", "sequence"):
        return _people(int(reason.subject), item, models) if isinstance(reason.subject, int) else ""
    if reason.kind == "genre":
        return _own(catalog.genres[:, catalog.genre(str(reason.subject))], profile)
    if reason.kind == "person":
        return _own(np.isin(np.arange(len(catalog)), catalog.people.get(str(reason.subject), ())), profile)
    if reason.kind == "context":
        return "Simulated: drawn from a rule, observed nowhere" if reason.simulated else "Observed: when films were rated"
    return "Says nothing about you" if reason.kind == "popularity" else ""


def _people(film: int, item: int, models: Mapping[str, Recommender]) -> str:
    """How many people rated both films, where that is published; else how many rated the first."""
    ease, popularity = models.get("ease"), models.get("popularity")
    if isinstance(ease, EASE) and (both := ease.both(film, item)) is not None:
        return f"{both:,} people rated both" if both else f"Fewer than {PUBLISHED} people rated both"
    raters = int(popularity.parts_[2, film]) if isinstance(popularity, Popularity) else 0
    return f"{raters:,} people rated it" if raters else ""


def _own(films: np.ndarray, profile: Profile) -> str:
    """How many of the viewer's films are of this kind, and how many of those they liked."""
    rated, liked = rated_and_liked(films, profile)
    return f"You liked {liked} of the {rated} you rated" if rated else ""
