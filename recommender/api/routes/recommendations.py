"""Films for somebody, each with its reason."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from asgi_correlation_id import correlation_id
from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from recommender.api import metrics
from recommender.api.answered import Recommendations, recommended
from recommender.api.asked import MOST, Moment, Recommend
from recommender.api.depends import LISTED, Answering
from recommender.api.parameters import WHERE, At, Filtered, PerhapsUserId, checked
from recommender.api.people import Person, model_named, one_of, person
from recommender.api.problems import documented
from recommender.api.titles import found, taken
from recommender.load.localtime import part_of_day
from recommender.serve import wire
from recommender.serve.guests import joined
from recommender.serve.picks import missing, picks
from recommender.serve.routing import silence
from recommender.serve.service import Service
from recommender.serve.signals import SIGNALS
from recommender.serve.viewers import Viewer
from recommender.types import TIMES_OF_DAY, Context, Filters, Home

router = APIRouter(tags=["recommendations"], dependencies=[LISTED])
PROBLEMS = documented(403, 404, 409)


@router.post("/recommendations", operation_id="recommend", response_model=Recommendations, responses=PROBLEMS)
def recommend(service: Answering, body: Recommend) -> JSONResponse:
    """Films for somebody, the best first, each with its reason: the first row that Home would show, or the list of one model.

    Films may be given by id or by title, as people write it. What is sent along counts for this answer only; POST /feedback is what stays.
    """
    return JSONResponse(answer(service, body, "body"))


@router.get("/api/recommend", operation_id="recommend_by_query", response_model=Recommendations, responses=PROBLEMS)
def recommend_by_query(
    service: Answering,
    at: At,
    filters: Filtered,
    user_id: PerhapsUserId = None,
    k: Annotated[int, Query(ge=1, le=MOST, description="films in the answer")] = 10,
    model: Annotated[str | None, Query(min_length=1, max_length=40, description="one model instead of the first row of Home")] = None,
) -> JSONResponse:
    """The same answer as POST /recommendations gives to the same question."""
    moment = Moment(time_of_day=at.time_of_day, device=at.device)
    return JSONResponse(answer(service, Recommend(user_id=user_id, context=moment, k=k, model=model), WHERE, filters))


@dataclass(frozen=True)
class _Asker:
    """Who asks, with what they sent for this answer; `sent`: how many films of theirs that is."""

    person: Person
    viewer: Viewer
    sent: int
    notes: tuple[str, ...]


def answer(service: Service, asked: Recommend, where: str, filters: Filters | None = None) -> dict[str, Any]:
    """The answer, as in Recommendations. where: the part of the request that it was asked in, for problems; filters: in place of those asked."""
    started = time.perf_counter()
    asker = _asker(service, asked, where)
    context, filters = _context(asked.context), filters or _filters(service, asked, where)
    query = service.query(asker.viewer, context, anyway=tuple(SIGNALS) if asked.anyway else ())
    model = None if asked.model is None else model_named(f"{where}.model", asked.model, service.models)
    k, viewer = asked.k, asker.viewer
    home = picks(service, viewer, query, k, filters) if model is None else service.listing(viewer, query, model, k, filters)
    row = [r for carousel in home.carousels for r in carousel.recommendations]
    shown = [recommended(r, service.catalog, asked.reasons) for r in row]
    seconds = time.perf_counter() - started
    strategy, signals = home.strategy, wire.signals(context, query, service.verdicts(viewer))
    lacking = list(_lacking(service, asked, asker, home))
    used = [name for name, share in strategy.weights.items() if share > 0]
    metrics.served(strategy.route, used, seconds, bool(strategy.simulated))
    return {
        "strategy": strategy.route,
        "recommendations": shown,
        "metadata": {
            "total_recommendations": len(shown),
            "inference_time_ms": round(1000 * seconds, 3),
            "algorithms_used": used,
            "model_version": service.version,
            "request_id": correlation_id.get() or "",
            "fallback": bool(lacking),
            "fallback_why": lacking,
            "route": {"name": strategy.route, "why": strategy.why, "shares": strategy.weights},
            "viewer": _who(asked, asker),
            "signals": signals,
            "notes": [*asker.person.notes, *asker.notes, *_numbers(service, asked), *_unheard(asked, strategy.weights)],
        },
    }


def _asker(service: Service, asked: Recommend, where: str) -> _Asker:
    """Whoever asks, with the films, genres and exclusions that they sent along."""
    who = person(service, asked.user_id, asked.viewer, where)
    rated = [(f"{where}.{place}", film, stars) for place, film, stars in asked.rated]
    away = [(f"{where}.exclude.{n}", film) for n, film in enumerate(asked.exclude)]
    wanted = [*((place, film) for place, film, _ in rated), *away]
    meant = found(service, wanted, who.viewer)
    stars: dict[int, float] = {}
    for one, (_, _, given) in zip(meant, rated):
        stars.pop(one.item, None)
        stars[one.item] = given
    viewer = joined(who.viewer, stars, service.settings)
    hidden = viewer.hidden | {one.item for one in meant[len(rated) :]}
    names = service.catalog.genre_names
    genres = tuple(dict.fromkeys(one_of(f"{where}.preferred_genres.{n}", genre, names) for n, genre in enumerate(asked.preferred_genres)))
    profile = replace(viewer.profile, genres=genres) if genres else viewer.profile
    return _Asker(who, replace(viewer, hidden=hidden, profile=profile), len(stars), tuple(taken(service, wanted, meant)))


def _context(moment: Moment) -> Context:
    """The part of the day as told, else by the viewer's clock; and the device."""
    hour = moment.hour
    by_clock = None if hour is None else TIMES_OF_DAY[int(part_of_day(np.array([hour]))[0])]
    return Context(moment.time_of_day or by_clock, moment.device)


def _filters(service: Service, asked: Recommend, where: str) -> Filters:
    wanted, limits = asked.filters, [m for m in (asked.context.minutes, asked.filters.minutes) if m is not None]
    minutes = min(limits, default=None)
    made = Filters(wanted.genre, minutes, wanted.certificate, wanted.in_colour, wanted.decade, wanted.least_stars, wanted.fame)
    return checked(service.catalog, made, f"{where}.filters")


def _numbers(service: Service, asked: Recommend) -> Iterator[str]:
    """What was taken for an id and is a title, too."""
    catalog = service.catalog
    for key, film, _ in asked.rated if isinstance(asked.ratings, dict) else ():
        if not key.startswith("ratings.") or not isinstance(film, int):
            continue
        item, titled = catalog.index(film), catalog.called(key.removeprefix("ratings."))
        if titled and item not in titled:
            meant = f"{catalog.titles[item]} ({catalog.years[item]})"
            yield f"{key} was taken for the film of this id, {meant}. To rate a film of this title, send ratings as a list."


def _unheard(asked: Recommend, shares: Mapping[str, float]) -> Iterator[str]:
    """What was sent along and cannot matter: genres move popularity alone."""
    if asked.preferred_genres and not shares.get("popularity"):
        yield "preferred_genres change nothing here: what the viewer rated speaks. filters.genre shows one genre alone."


def _lacking(service: Service, asked: Recommend, asker: _Asker, home: Home) -> Iterator[str]:
    """In what the answer is less than was asked for."""
    if service.problems:
        yield from (f"The model {name} did not load." for name in missing(service))
    if asked.user_id is not None and asker.person.known == "nobody" and not asker.sent:
        answers = "the model answers as for somebody new" if home.strategy.route == "single" else "what is popular answers"
        yield f"Somebody was named whom nobody knows here; {answers}."
    if home.strategy.silent:
        yield home.strategy.why
    wanted = asker.viewer.preferences.model
    if wanted in service.models and asked.model is None and home.strategy.route != "single":
        yield f"{silence(wanted, asker.viewer.name)} It was chosen for the first row, which is made as where no model was."
    films = sum(len(carousel.recommendations) for carousel in home.carousels)
    if films < asked.k and not home.strategy.silent:
        yield f"{films} of {asked.k} films: no more are unseen, within the limits, and not expected to be disliked."


def _who(asked: Recommend, asker: _Asker) -> dict[str, Any]:
    named = asked.user_id is not None or asked.viewer is not None
    known = "ratings sent" if asker.sent and asker.person.known == "nobody" else asker.person.known
    return {"id": asker.person.viewer.id if named else None, "known": known}
