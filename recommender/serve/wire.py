"""What leaves the house: item numbers become ids and titles, dataclasses become plain JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from recommender.catalog import Catalog
from recommender.types import Carousel, Context, Explanation, Home, Reason, Recommendation


def reason(r: Reason, catalog: Catalog) -> dict[str, Any]:
    """{"kind", "subject", "weight"}; films by title, and "simulated" only where it is so."""
    subject = catalog.titles[r.subject] if isinstance(r.subject, int) else r.subject
    return {"kind": r.kind, "subject": subject, "weight": round(r.weight, 6), **({"simulated": True} if r.simulated else {})}


def reasons(e: Explanation, catalog: Catalog) -> list[dict[str, Any]]:
    return [reason(r, catalog) for r in e.reasons]


def film(r: Recommendation, catalog: Catalog) -> dict[str, Any]:
    """One card: what the film is, what is promised of it, and why it is here."""
    return {
        "id": int(catalog.ids[r.item]),
        "title": catalog.titles[r.item],
        "year": int(catalog.years[r.item]) or None,
        "genres": list(catalog.genres_of(r.item)),
        "score": round(r.score, 6),
        "match": r.match,
        "stars": r.stars and round(r.stars, 2),
        "reason": r.sentence,
        "reasons": reasons(r.explanation, catalog),
        "exact": r.explanation.exact,
    }


def carousel(c: Carousel, catalog: Catalog) -> dict[str, Any]:
    simulated = {"simulated": True} if c.simulated else {}
    return {"title": c.title, "why": c.why, "model": c.model, "items": [film(r, catalog) for r in c.recommendations], **simulated}


def context(c: Context) -> dict[str, Any]:
    return {key: value for key, value in asdict(c).items() if value is not None}


def home(h: Home, viewer: str, asked: Context, catalog: Catalog) -> dict[str, Any]:
    """The answer of `recommend`: viewer, context, strategy, carousels and timing."""
    return {
        "viewer": viewer,
        "context": context(asked),
        "strategy": asdict(h.strategy),
        "carousels": [carousel(c, catalog) for c in h.carousels],
        "timing_ms": {key: round(value, 1) for key, value in h.timing_ms.items()},
    }
