"""What stands behind a score and its reasons: the models and settings it is made of, how many people, how many of the viewer's own films."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recommender.catalog import Catalog
from recommender.models.hybrid import Hybrid
from recommender.models.neighbours import EASE, PUBLISHED
from recommender.models.popularity import AMONG_MOST, Popularity
from recommender.serve.liking import rated_and_liked
from recommender.serve.phrases import DEVICE_NAMES, TIME_NAMES
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
    """The score by model, time of day, device and, where it is steered, what the viewer set by hand; of the hybrid by its parts, and of a newcomer's
    first row by popularity and where their films lead."""
    maker, reasons = models.get(found.model), found.explanation.reasons
    if isinstance(maker, Hybrid):
        parts = {name: float(points[0]) for name, points in maker.contributions(query, np.array([found.item])).items()}
        by_hand = found.score - sum(parts.values())
    else:
        by_hand = sum(r.weight for r in reasons if r.kind == "setting")
        films = sum(r.weight for r in reasons if r.kind == "film") if isinstance(maker, Popularity) else 0.0  # EASE moves the row of a newcomer
        parts = {name: r.weight for name, label in labels(query) for r in reasons if r.kind == "context" and r.subject == label}
        parts = {found.model: found.score - sum(parts.values()) - by_hand - films, **({"ease": films} if films else {}), **parts}
    unknown = {name for name, label in labels(query) if label is None}
    said = tuple((name, points) for name, points in parts.items() if name not in unknown)
    return (*said, ("settings", by_hand)) if steered else said


def spoken(of: Recommendation) -> set[int]:
    """The numbers of the reasons of which the sentence speaks: films that it gives as causes, and what it names by a word of theirs."""
    causes, said = {drop.film for drop in of.drops}, of.sentence
    popular = said.startswith("Popular") or "high marks" in said
    told = lambda r: r.subject in causes if isinstance(r.subject, int) else _word(r) in said or (popular and r.kind == "popularity")
    return {n for n, r in enumerate(of.explanation.reasons) if told(r)}


def _word(reason: Reason) -> str:
    """By what a sentence names a reason."""
    subject = str(reason.subject).removesuffix(AMONG_MOST)
    return (TIME_NAMES | DEVICE_NAMES).get(subject, subject) if reason.kind == "context" else subject


def labels(query: Query) -> tuple[tuple[str, str | None], ...]:
    """What is known of time of day and device, as reasons name it."""
    return ("time", query.context.time_of_day), ("device", query.context.device)
