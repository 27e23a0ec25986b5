"""What leaves the house: item numbers become ids and titles, dataclasses become plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from recommender.catalog import Catalog
from recommender.counterfactual import Smallest
from recommender.serve.answers import WhyNot
from recommender.serve.signals import Verdict
from recommender.types import Carousel, Context, Details, Drop, Explanation, Home, Query, Reason, Recommendation


def choice(item: int, catalog: Catalog) -> dict[str, Any]:
    """A film by id, title and year: what tells it from its namesakes, and names it in a request."""
    return {"id": int(catalog.ids[item]), "title": catalog.titles[item], "year": int(catalog.years[item]) or None}


def named(item: int | None, catalog: Catalog) -> dict[str, Any]:
    """A film by its title, with its id and year beside it."""
    said = {"id": None, "title": None, "year": None} if item is None else choice(item, catalog)
    return {"film": said["title"], "id": said["id"], "year": said["year"]}


def reason(r: Reason, catalog: Catalog) -> dict[str, Any]:
    """{"kind", "subject", "weight"}; films by title, with id and year, and "simulated" only where it is so."""
    film = choice(r.subject, catalog) if isinstance(r.subject, int) else {"title": r.subject}
    of = {"subject": film.pop("title"), **film}
    return {"kind": r.kind, **of, "weight": round(r.weight, 9), **({"simulated": True} if r.simulated else {})}


def reasons(e: Explanation, catalog: Catalog) -> list[dict[str, Any]]:
    return [reason(r, catalog) for r in e.reasons]


def film(r: Recommendation, catalog: Catalog) -> dict[str, Any]:
    """One card: what the film is, what is promised of it, and why it is here."""
    return {
        **choice(r.item, catalog),
        "genres": list(catalog.genres_of(r.item)),
        "score": round(r.score, 9),
        "match": r.match,
        "stars": r.stars and round(r.stars, 2),
        "reason": r.sentence,
        "reasons": reasons(r.explanation, catalog),
        "exact": r.explanation.exact,
        "without": drops(r.drops, catalog),
    }


def _part(name: str, points: float, simulated: bool) -> dict[str, Any]:
    """A share of a score; "simulated" only where it is so."""
    return {"part": name, "points": round(points, 9), **({"simulated": True} if simulated else {})}


def drops(found: tuple[Drop, ...], catalog: Catalog) -> list[dict[str, Any]]:
    """What films of the viewer's do for the rank of a recommended one."""
    return [{**named(d.film, catalog), "rank_before": d.before, "rank_after": d.after} for d in found]


def details(d: Details, catalog: Catalog) -> dict[str, Any]:
    """One film in full: score, rank, every reason, what each model gives, and the ranks without each of the heaviest films."""
    card = film(d.recommendation, catalog)
    parts = [_part(name, points, name in d.simulated) for name, points in d.contributions]
    behind = [{**reason, "evidence": said} for reason, said in zip(card["reasons"], d.evidence)] + card["reasons"][len(d.evidence) :]
    return {
        **named(d.recommendation.item, catalog), "model": d.recommendation.model, "score": card["score"], "rank": d.rank, "among": d.among,
        "reasons": behind, "exact": card["exact"], "sentence": card["reason"], "parts": parts, "without": drops(d.drops, catalog),
    }  # fmt: skip


def explained(d: Details, fewest: Smallest | None, heard: dict[str, Any], catalog: Catalog) -> dict[str, Any]:
    """The answer of `explain`: the film in full, the films that hold it, and what became of the context (see `signals`)."""
    return {**details(d, catalog), "smallest_set": smallest(fewest, catalog), "signals": heard}


def smallest(found: Smallest | None, catalog: Catalog) -> dict[str, Any] | None:
    """The fewest films without which a film leaves the first ten; None where it is not among them."""
    if found is None:
        return None
    movies = [choice(i, catalog) for i in found.films]
    return {
        "films": [movie["title"] for movie in movies], "movies": movies, "rank_before": found.before, "rank_after": found.after,
        "proven_smallest": found.minimal, "out_of_time": found.hurried,
    }  # fmt: skip


def why_not(w: WhyNot | None, item: int, catalog: Catalog) -> dict[str, Any]:
    """The answer of `why-not` about a film: where it stands, what it lacks, what keeps it away, and what would lift it; or that it is there."""
    return _missing(w, catalog) if w else {**named(item, catalog), "among_the_first": True}


def _missing(w: WhyNot, catalog: Catalog) -> dict[str, Any]:
    changes: list[dict[str, Any]] = []
    for c in w.changes:
        simulated = {"simulated": True} if c.context and any(getattr(c.context, name) for name in w.simulated) else {}
        changes.append(
            {"what": c.what, **named(c.film, catalog), "context": c.context and context(c.context), "rank": c.rank, "place": c.place, **simulated}
        )
    behind = [_part(name, points, {"time": "time_of_day"}.get(name, name) in w.simulated) for name, points in w.parts]
    rival = named(w.rival, catalog)
    return {
        **named(w.item, catalog), "model": w.model, "rank": w.rank, "among": w.among, "first": w.k, "gap": round(w.gap, 9),
        "rival": rival["film"], "rival_id": rival["id"], "rival_year": rival["year"],
        "behind": behind, "kept_out": list(w.kept_out), "changes": changes,
    }  # fmt: skip


def signals(asked: Context, told: Query, verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """Each signal of the context: its value, whether it was observed or simulated, whether the models were told, and why."""
    made = {}
    for name, v in verdicts.items():
        used = getattr(told.context, name) is not None
        made[name] = {"value": getattr(asked, name), "source": v.source, "used": used, "why": v.why}
    return made


def carousel(c: Carousel, catalog: Catalog) -> dict[str, Any]:
    simulated = {"simulated": True} if c.simulated else {}
    return {"title": c.title, "why": c.why, "model": c.model, "items": [film(r, catalog) for r in c.recommendations], **simulated}


def context(c: Context) -> dict[str, Any]:
    return {key: value for key, value in asdict(c).items() if value is not None}


def home(h: Home, viewer: str, asked: Context, told: Query, verdicts: Mapping[str, Verdict], catalog: Catalog) -> dict[str, Any]:
    """The answer of `recommend`: viewer, context and what became of it, strategy, carousels and timing."""
    return {
        "viewer": viewer,
        "context": context(asked),
        "signals": signals(asked, told, verdicts),
        "strategy": asdict(h.strategy),
        "carousels": [carousel(c, catalog) for c in h.carousels],
        "timing_ms": {key: round(value, 1) for key, value in h.timing_ms.items()},
    }
