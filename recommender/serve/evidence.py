"""What stands behind a score and its reasons: the models and settings it is made of, how many people, how many of the viewer's own films."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recommender.catalog import Catalog
from recommender.models.hybrid import Hybrid
from recommender.models.neighbours import EASE, PUBLISHED
from recommender.models.popularity import Popularity
from recommender.serve.liking import rated_and_liked
from recommender.types import Profile, Query, Reason, Recommendation, Recommender


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


def contributions(found: Recommendation, query: Query, models: Mapping[str, Recommender], steered: bool) -> tuple[tuple[str, float], ...]:
    """The score by model, time of day, device and, where it is steered, what the viewer set by hand; of the hybrid by its parts."""
    maker, reasons = models.get(found.model), found.explanation.reasons
    if isinstance(maker, Hybrid):
        parts = {name: float(points[0]) for name, points in maker.contributions(query, np.array([found.item])).items()}
        by_hand = found.score - sum(parts.values())
    else:
        by_hand = sum(r.weight for r in reasons if r.kind == "setting")
        parts = {name: r.weight for name, label in labels(query) for r in reasons if r.kind == "context" and r.subject == label}
        parts = {found.model: found.score - sum(parts.values()) - by_hand, **parts}
    unknown = {name for name, label in labels(query) if label is None}
    said = tuple((name, points) for name, points in parts.items() if name not in unknown)
    return (*said, ("settings", by_hand)) if steered else said


def labels(query: Query) -> tuple[tuple[str, str | None], ...]:
    """What is known of time of day and device, as reasons name it."""
    return ("time", query.context.time_of_day), ("device", query.context.device)
