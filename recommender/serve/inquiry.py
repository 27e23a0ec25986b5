"""Questions about one film: where it stands in the viewer's first row, why not higher, what would change that, and what holds it there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from math import floor

import numpy as np

from recommender import rank
from recommender.counterfactual import Scorer, Smallest, WhatIf, plus, without
from recommender.models.neighbours import EASE
from recommender.rank import ranks
from recommender.serve.answers import Change, Held, WhyNot
from recommender.serve.carousels import CANDIDATES, Row
from recommender.serve.evidence import contributions
from recommender.serve.request import Request
from recommender.serve.tastes import by_stars
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Filters, Query, Recommendation

FIRST = 10  # films of the list that is asked about
SUGGESTED = 12  # films that might be rated, and films that might be dropped, tried
SHOWN = 3  # changes of each kind


@dataclass(frozen=True, eq=False)
class Standing:
    """A film and the films that the viewer's first row is chosen from: the row, the pool (I,) bool, the rank by score (None where it is not in
    the pool) and the place in the row as it is shown, from 1, variety and all (None where it is not among the first FIRST)."""

    row: Row
    pool: np.ndarray
    rank: int | None
    place: int | None


def standing(asked: Request, item: int) -> Standing:
    """Where a film stands for this request."""
    row, pool = first_row(asked)
    shown = asked.choose(row, asked.offered, np.zeros(len(pool), bool), FIRST).tolist()
    place = shown.index(item) + 1 if item in shown else None
    return Standing(row, pool, int(ranks(row.scores[None], np.array([item]), pool)[0, 0]) if pool[item] else None, place)


def smallest(asked: Request, item: int, row: Row, seconds: float = 0.5) -> Smallest | None:
    """The fewest films without which `item` leaves the first FIRST by a row's scores over the films not seen; None where it is not among them.

    Of a long profile only the films that weigh most in its reasons are tried.
    """
    pool = asked.pool(row)
    if not pool[item] or ranks(row.scores[None], np.array([item]), pool)[0, 0] > FIRST:
        return None
    whatif = WhatIf(_scorer(asked, row), asked.query, pool)
    return whatif.smallest(item, FIRST, seconds=seconds, order=[film for film, _ in _weights(row, item)])


def held(asked: Request, item: int, seconds: float = 0.5) -> Held | None:
    """Films without which `item` is not shown among the first FIRST of the first row, the row made anew; None where it is not shown there."""
    now = standing(asked, item)
    if now.place is None:
        return None
    whatif = WhatIf(_scorer(asked, now.row), asked.query, now.pool)
    order = [film for film, _ in _weights(now.row, item)]
    for k in (FIRST, 2 * FIRST, 4 * FIRST):  # a row mixed by genre lets a film stay that its score alone would not
        if now.rank is None or now.rank > k:
            continue
        found = whatif.smallest(item, k, seconds=seconds / 3, order=order)
        if not found.films:
            break
        then = standing(replace(asked, query=without(asked.query, found.films)), item)
        if then.place is None:
            return Held(now.place, found.films, then.rank)
    return Held(now.place, (), None)


def first_row(asked: Request) -> tuple[Row, np.ndarray]:
    """The first row and the films (I,) bool it is chosen from. Raises LookupError where no model makes one."""
    row = asked.planner.top()
    if row is None:
        raise LookupError(f"no model is loaded that makes a first row; loaded: {', '.join(asked.models) or 'none'}")
    pool = asked.offered & row.among
    pool[asked.passed_over] = False
    return row, pool


def _scorer(asked: Request, row: Row) -> Scorer:
    """What would score other queries as the row scores this one."""
    return row.rescore or asked.scores.scorer(row.model)


def _weights(row: Row, item: int) -> list[tuple[int, float]]:
    """What each of the viewer's films weighs in the reasons of one film, heaviest first."""
    points: dict[int, float] = {}
    for reason in row.explain(np.array([item]))[0].reasons:
        if reason.kind in ("film", "sequence") and isinstance(reason.subject, int):
            points[reason.subject] = points.get(reason.subject, 0.0) + reason.weight
    return sorted(points.items(), key=lambda pair: -pair[1])


def why_not(asked: Request, item: int, signals: Iterable[str]) -> WhyNot | None:
    """Why a film is not among the first FIRST of the viewer's first row; None where it is.

    `signals` are those that the models are told; only their change is suggested. Every change was tried by making the row anew.
    """
    found = standing(asked, item)
    if found.place is not None:
        return None
    row, kept_out = found.row, _kept_out(asked, found.row, item)
    rivals = rank.top(rank.mask(row.scores, ~found.pool), FIRST)
    rival = int(rivals[-1]) if len(rivals) else None
    gap = max(float(row.scores[rival]) - float(row.scores[item]), 0.0) if rival is not None else 0.0
    return WhyNot(
        item=item,
        model=row.model,
        rank=found.rank,
        among=int(found.pool.sum()),
        k=FIRST,
        gap=gap,
        rival=rival,
        parts=_parts(asked, row, item, rival) if found.rank is not None and rival is not None and gap else (),
        simulated=getattr(asked.models.get("hybrid"), "simulates", ()),
        kept_out=kept_out,
        changes=() if item in asked.seen else _changes(asked, found, item, tuple(signals)),
    )


def _kept_out(asked: Request, row: Row, item: int) -> tuple[str, ...]:
    """Rules besides the score that keep a film out of this viewer's first row."""
    viewer, filters, catalog = asked.viewer, asked.filters, asked.catalog
    certificate = catalog.certificates[item] or "no known certificate"
    chance = asked.promise["chance"][item] if asked.promise else np.nan
    rules = (
        (item in asked.seen, "you have seen it"),
        (item in asked.hidden, "you hid it"),
        (not catalog.allowed(viewer.certificate)[item], f"it has {certificate}, and the limit is {viewer.certificate}"),
        (not catalog.allowed(filters.certificate)[item], f"it has {certificate}, and you asked for {filters.certificate} at most"),
        (not catalog.fits(Filters(minutes=filters.minutes))[item], _too_long(catalog.minutes[item], filters.minutes)),
        (filters.in_colour and not catalog.in_colour[item], "it is in black and white, or may be"),
        (bool(filters.genre) and filters.genre not in catalog.genres_of(item), f"it is not filed under {filters.genre}"),
        (not catalog.fits(Filters(decade=filters.decade))[item], f"it is of {catalog.years[item]}, and you asked for the {filters.decade}s"),
        (not catalog.fits(Filters(stars=filters.stars))[item], _too_few_stars(catalog.stars[item], filters.stars)),
        (not catalog.fits(Filters(fame=filters.fame))[item], _other_fame(int(catalog.raters[item]), filters.fame)),
        (asked.may_see[item] and not asked.offered[item], _unlikely(chance, asked.settings.least_match)),
        (asked.offered[item] and not row.among[item] and item not in asked.seen, _outside(row)),
    )
    return tuple(why for holds, why in rules if holds)


def _too_long(minutes: float, wanted: int | None) -> str:
    return f"it takes {minutes:.0f} minutes, and you have {wanted}" if np.isfinite(minutes) else "nobody knows how long it takes"


def _too_few_stars(stars: float, wanted: float | None) -> str:
    return f"its raters gave it {stars:.1f} stars, and you asked for {wanted}" if np.isfinite(stars) else "too few people rated it to say its stars"


def _other_fame(raters: int, wanted: str | None) -> str:
    return f"{f'{raters:,}' if raters else 'too few'} people rated it, and you asked for {words_of_fame(wanted)}"


def words_of_fame(fame: str | None) -> str:
    """One of FAME as people say it."""
    return {"famous": "films that everybody knows", "known": "films that many know", "rare": "films that few know"}.get(fame or "", "any film")


def _unlikely(chance: float, least: float) -> str:
    return f"its match is {floor(100 * chance)}%, and under {least:.0%} a film is not offered" if np.isfinite(chance) else "too little is known of it"


def _outside(row: Row) -> str:
    if row.model == "hybrid":
        return f"your first row takes only the {CANDIDATES} films that your history leads to most, by what others watched"
    return "too few people rated it"


def _parts(asked: Request, row: Row, item: int, rival: int) -> tuple[tuple[str, float], ...]:
    """By how many points each part of the score is behind the rival's, most first."""
    both = zip((rival, item), row.explain(np.array([rival, item])))
    of = [Recommendation(film, float(row.scores[film]), row.model, explanation) for film, explanation in both]
    theirs, own = (dict(contributions(one, asked.query, asked.models, bool(asked.steering))) for one in of)
    behind = [(name, theirs.get(name, 0.0) - own.get(name, 0.0)) for name in theirs | own]
    return tuple(sorted((part for part in behind if part[1]), key=lambda part: -part[1]))


def _changes(asked: Request, found: Standing, item: int, signals: tuple[str, ...]) -> tuple[Change, ...]:
    """What would lift the film most: films to rate, films not to use, another moment; the best of each kind, best first.

    All are ranked quickly among the same films; the best of each kind are then tried in full, with the row made anew.
    """
    query = asked.query
    rate, drop = _neighbours(asked, item), _against(found.row, item)
    moments = _moments(query.context, signals)
    speaks = by_stars(5.0, asked.settings)
    tried = [Change("rate", film, None, 0) for film in rate] + [Change("drop", film, None, 0) for film in drop]
    tried += [Change("context", None, context, 0) for context in moments]
    queries = (
        [plus(query, film, speaks=speaks) for film in rate] + [without(query, [film]) for film in drop] + [Query(query.profile, c) for c in moments]
    )
    if not queries:
        return ()
    pool = found.pool.copy()
    pool[item] = True
    quick = WhatIf(_scorer(asked, found.row), query, pool).ranks(queries, np.array([item]))[:, 0]
    better: list[Change] = []
    for kind in ("rate", "drop", "context"):
        order = [n for n in np.argsort(quick, kind="stable") if tried[n].what == kind][:SHOWN]
        made = [(tried[n], standing(_changed(asked, tried[n], queries[n]), item)) for n in order]
        lifted = [c._replace(rank=s.rank, place=s.place) for c, s in made if s.rank is not None and (found.rank is None or s.rank < found.rank)]
        better += sorted(lifted, key=lambda c: c.place or FIRST + c.rank)
    return tuple(better)


def _changed(asked: Request, change: Change, query: Query) -> Request:
    """The request as it would be after the change: a film that has been rated has been seen."""
    viewer = asked.viewer
    if change.what == "rate" and change.film is not None:
        viewer = replace(viewer, profile=plus(Query(viewer.profile), change.film, speaks=by_stars(5.0, asked.settings)).profile)
    return replace(asked, viewer=viewer, query=query)


def _neighbours(asked: Request, item: int) -> list[int]:
    """Films not seen that lead most people to this one."""
    ease = asked.models.get("ease")
    if not isinstance(ease, EASE):
        return []
    toward = ease.weights_[:, [item]].toarray().ravel().astype(np.float64)
    toward[~asked.scores.pool] = -np.inf
    toward[item] = -np.inf
    return [int(i) for i in rank.top(np.where(toward > 0, toward, -np.inf), SUGGESTED)]


def _against(row: Row, item: int) -> list[int]:
    """Films of the viewer's that speak most against this one."""
    return [film for film, weight in reversed(_weights(row, item)) if weight < 0][:SUGGESTED]


def _moments(now: Context, signals: tuple[str, ...]) -> list[Context]:
    """All other moments, as far as they differ in a signal that the models are told."""
    times = TIMES_OF_DAY if "time_of_day" in signals else (now.time_of_day,)
    devices = DEVICES if "device" in signals else (now.device,)
    return [context for t, d in product(times, devices) if (context := Context(t, d, now.at)) != now]
