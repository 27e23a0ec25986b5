"""Questions about one film: why it is not among the first, what would change that, and which of the viewer's films hold it there."""

from __future__ import annotations

from itertools import product

import numpy as np

from recommender import rank
from recommender.counterfactual import Smallest, WhatIf, plus, ranks, without
from recommender.models.hybrid import Hybrid
from recommender.models.neighbours import EASE
from recommender.serve.request import Request
from recommender.types import DEVICES, TIMES_OF_DAY, Change, Context, Query, WhyNot

FIRST = 10  # films of the list that is asked about
SUGGESTED = 12  # films that might be rated, and films that might be dropped, tried
SHOWN = 3  # changes of each kind


def smallest(asked: Request, item: int, model: str, seconds: float = 1.0) -> Smallest | None:
    """The fewest films without which `item` leaves the first FIRST by this model; None where it is not among them."""
    whatif = WhatIf(asked.models[model].score, asked.query, asked.scores.pool)
    if not asked.scores.pool[item] or _rank(asked, model, item) > FIRST:
        return None
    return whatif.smallest(item, FIRST, seconds=seconds)


def why_not(asked: Request, item: int, signals: tuple[str, ...] = ("time_of_day", "device")) -> WhyNot | None:
    """Why a film is not among the first FIRST of the model that makes the first row; None where it is, and nothing else keeps it away.

    `signals` are those that the models are told; only their change is suggested. Every change was tried by scoring again.
    """
    model, seen = asked.main, item in asked.seen
    kept_out = _kept_out(asked, item)
    place = _rank(asked, model, item)
    if place <= FIRST and not kept_out:
        return None
    scores = rank.mask(asked.scores[model], ~asked.scores.pool)
    rival = int(rank.top(scores, FIRST)[-1])
    gap = max(float(asked.scores[model][rival]) - float(asked.scores[model][item]), 0.0)
    parts = _parts(asked, model, item, rival) if gap else ()
    changes = () if seen or place <= FIRST else _changes(asked, model, item, place, signals)
    return WhyNot(item, model, place, FIRST, gap, rival, parts, kept_out, changes)


def _rank(asked: Request, model: str, item: int) -> int:
    return int(ranks(asked.scores[model][None], np.array([item]), asked.scores.pool)[0, 0])


def _kept_out(asked: Request, item: int) -> tuple[str, ...]:
    """Rules besides the score that keep a film off this viewer's page."""
    viewer, filters, catalog = asked.viewer, asked.filters, asked.catalog
    minutes = catalog.minutes[item]
    chance = asked.promise["chance"][item] if asked.promise and asked.strategy.route != "popular" else np.nan
    certificate = catalog.certificates[item] or "no known certificate"
    rules = (
        (item in asked.seen, "you have seen it"),
        (item in asked.hidden, "you hid it"),
        (not catalog.allowed(viewer.certificate)[item], f"it has {certificate}, and the limit is {viewer.certificate}"),
        (not catalog.allowed(filters.certificate)[item], f"it has {certificate}, and you asked for {filters.certificate} at most"),
        (bool(filters.minutes) and not minutes <= (filters.minutes or 0), _too_long(minutes, filters.minutes)),
        (filters.in_colour and not catalog.in_colour[item], "it is in black and white, or may be"),
        (bool(filters.genre) and filters.genre not in catalog.genres_of(item), f"it is not filed under {filters.genre}"),
        (chance < asked.settings.least_match, f"its match is {chance:.0%}, and under {asked.settings.least_match:.0%} a film is not offered"),
    )
    return tuple(why for holds, why in rules if holds)


def _too_long(minutes: float, wanted: int | None) -> str:
    return f"it takes {minutes:.0f} minutes, and you have {wanted}" if np.isfinite(minutes) else "nobody knows how long it takes"


def _parts(asked: Request, model: str, item: int, rival: int) -> tuple[tuple[str, float], ...]:
    """By how many points each part of the score is behind the rival's, most first."""
    maker = asked.models[model]
    if not isinstance(maker, Hybrid):
        return ((model, float(asked.scores[model][rival]) - float(asked.scores[model][item])),)
    points = maker.contributions(asked.query, np.array([rival, item]))
    behind = [(name, float(of[0]) - float(of[1])) for name, of in points.items()]
    return tuple(sorted((part for part in behind if part[1]), key=lambda part: -part[1]))


def _changes(asked: Request, model: str, item: int, place: int, signals: tuple[str, ...]) -> tuple[Change, ...]:
    """What would lift the film most: films to rate, films not to use, another moment; the best of each kind, best first."""
    query = asked.query
    rate, drop = _neighbours(asked, item), _weights_down(asked, model, item)
    moments = _moments(query.context, signals)
    tried: list[Change] = [Change("rate", film, None, 0) for film in rate] + [Change("drop", film, None, 0) for film in drop]
    tried += [Change("context", None, context, 0) for context in moments]
    queries = [plus(query, film) for film in rate] + [without(query, [film]) for film in drop] + [Query(query.profile, c) for c in moments]
    if not queries:
        return ()
    pool = asked.scores.pool.copy()
    found = WhatIf(asked.models[model].score, query, pool).ranks(queries, np.array([item]))[:, 0]
    better = sorted((c._replace(rank=int(r)) for c, r in zip(tried, found) if r < place), key=lambda c: c.rank)
    return tuple(c for kind in ("rate", "drop", "context") for c in [c for c in better if c.what == kind][:SHOWN])


def _neighbours(asked: Request, item: int) -> list[int]:
    """Films not seen that lead most people to this one."""
    ease = asked.models.get("ease")
    if not isinstance(ease, EASE):
        return []
    toward = ease.weights_[:, [item]].toarray().ravel().astype(np.float64)
    toward[~asked.scores.pool] = -np.inf
    toward[item] = -np.inf
    return [int(i) for i in rank.top(np.where(toward > 0, toward, -np.inf), SUGGESTED)]


def _weights_down(asked: Request, model: str, item: int) -> list[int]:
    """Films of the viewer's that speak most against this one."""
    (explanation,) = asked.models[model].explain(asked.query, np.array([item]))
    against = [r for r in explanation.reasons if r.weight < 0 and r.kind in ("film", "sequence") and isinstance(r.subject, int)]
    return list(dict.fromkeys(int(r.subject) for r in against))[:SUGGESTED]


def _moments(now: Context, signals: tuple[str, ...]) -> list[Context]:
    """All other moments, as far as they differ in a signal that the models are told."""
    times = TIMES_OF_DAY if "time_of_day" in signals else (now.time_of_day,)
    devices = DEVICES if "device" in signals else (now.device,)
    return [context for t, d in product(times, devices) if (context := Context(t, d, now.at)) != now]
