"""Lists for one viewer, each by one model or by the route of the Home page: which films, what they are like, and what they find again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.catalog import Catalog
from recommender.compare.variants import AS_IS, Tuning, of, tuned, without_viewer
from recommender.evaluate import metrics
from recommender.interactions import Interactions
from recommender.models.neighbours import UserKNN
from recommender.serve.liking import LIKED
from recommender.serve.service import Service
from recommender.serve.viewers import Viewer
from recommender.types import ANY_FILM, Context, Filters, Profile, Recommender

ANY_TIME = Context()
HOME = "home"  # in place of a model: the first row of the Home page
LEAST = 10  # ratings a viewer must have before some are hidden
PART = 5  # one rating in so many is hidden, the latest


@dataclass(frozen=True)
class Side:
    """One list to be made: by a model, by name, or as on the Home page; for which moment; with what moved."""

    model: str
    context: Context = ANY_TIME
    tuning: Tuning = AS_IS

    @property
    def key(self) -> str:
        """The list in plain words, without its moment: "ease", "ease+penalty=100"."""
        return "+".join([self.model, *(f"{name}={value:g}" for name, value in self.tuning.moved.items())])


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A viewer's ratings in two parts: the first four fifths are known, the last fifth, `hidden` of them, is not. liked: item numbers of the
    hidden films with LIKED stars or more that a list may hold; barred: how many others none may hold."""

    known: Profile
    hidden: int
    liked: np.ndarray
    barred: int = 0


@dataclass(frozen=True, eq=False)
class Listed:
    """One list as it was made: its films, best first, with predicted stars (K,), nan where unknown. model explains it, `row` is the key of its row
    on the Home page; service and viewer are what it was made from, whatever was moved or hidden included. ms: what making it took. No films, and
    `silent`, where the model tells no film from another for this viewer: any list would be made of ties."""

    side: Side
    items: np.ndarray
    stars: np.ndarray
    model: str
    row: str | None
    service: Service
    viewer: Viewer
    ms: float
    silent: bool = False


@dataclass(frozen=True)
class Figures:
    """What one list is like; None where too little is known.

    novelty [bits] and raters (median, 0 where fewer than published) are over the `published` films whose number of raters is known; years: first,
    lower quartile, median, upper quartile and last; stars: mean over the `starred` films that have predicted stars; alone: films on no other list;
    hits: hidden films that the viewer liked; recall: their share of all of those.
    """

    n: int
    novelty: float | None
    published: int
    diversity: float | None
    raters: float | None
    years: tuple[int, ...] | None
    stars: float | None
    starred: int
    alone: int
    ms: float
    hits: int | None = None
    recall: float | None = None


def loaded(service: Service) -> tuple[str, ...]:
    """What a list can be made by now."""
    return (HOME, *service.models) if service.models else ()


def held_out(profile: Profile, may_see: np.ndarray | None = None) -> HeldOut | None:
    """The profile with its last fifth hidden; None for fewer than LEAST ratings. may_see (I,) bool: the films that lists may hold; None for all."""
    n = len(profile)
    if n < LEAST:
        return None
    last = np.arange(n) >= n - n // PART
    liked = profile.items[last & (profile.ratings >= LIKED)]
    may = np.ones(len(liked), bool) if may_see is None else may_see[liked]
    return HeldOut(profile.keep(~last), int(last.sum()), liked[may], int((~may).sum()))


def made(
    service: Service,
    viewer: Viewer,
    side: Side,
    k: int,
    filters: Filters = ANY_FILM,
    anyway: frozenset[str] = frozenset(),
    held: HeldOut | None = None,
    refit: Recommender | None = None,
) -> Listed:
    """The first k films of one list, and how long they took. held: the viewer is known by that part only. refit: see variants.tuned.

    Raises LookupError where the model did not load, or nothing makes a first row.
    """
    if side.model not in loaded(service):
        raise LookupError(f"model {side.model!r} did not load")
    if k < 1:
        raise ValueError(f"k == {k}, must be >= 1")
    desk, who = _desk(service, viewer, side, held, refit), _asking(viewer, side.tuning, held)
    started = time.perf_counter()
    asked = desk.request(who, desk.query(who, side.context, anyway=anyway), filters)
    home = side.model == HOME
    row = asked.planner.top() if home else asked.row_of(side.model)
    if row is None:
        raise LookupError("no model is loaded that makes a first row")
    if side.tuning.variety is not None:
        row = replace(row, diversity=side.tuning.variety)
    allowed = asked.offered if home else asked.may_see
    silent = asked.silent(row, allowed)
    items = asked.choose(row, allowed, np.full(len(desk.catalog), silent), k)
    took = 1000 * (time.perf_counter() - started)
    stars = asked.promise["stars"][items] if asked.promise else np.full(len(items), np.nan)
    return Listed(side, items, stars, row.model, row.key if home else None, desk, who, took, silent)


def _desk(service: Service, viewer: Viewer, side: Side, held: HeldOut | None, refit: Recommender | None) -> Service:
    """The front desk with the one model that is moved in place of its own; itself where nothing is."""
    if side.model == HOME:
        return service
    model = tuned(service.models[side.model], side.tuning, refit)
    if held and isinstance(model, UserKNN) and viewer.id.startswith("ml-") and service.interactions is not None:
        model = without_viewer(model, row_of(service.interactions, viewer))
    if model is service.models[side.model]:
        return service
    return of(service, models={**service.models, side.model: model}, nobody={})


def row_of(interactions: Interactions, viewer: Viewer) -> int:
    """The row of a MovieLens viewer in the data set."""
    found = np.flatnonzero(interactions.user_ids == int(viewer.id.removeprefix("ml-")))
    if not len(found):
        raise LookupError(f"viewer {viewer.id} is not in the data set of {interactions.n_users} people")
    return int(found[0])


def _asking(viewer: Viewer, tuning: Tuning, held: HeldOut | None) -> Viewer:
    """The viewer as this list knows them: with a part of their ratings hidden, and what is moved instead of what they set."""
    who, set_now = replace(viewer, profile=held.known) if held else viewer, viewer.preferences
    adventure = set_now.adventure if tuning.adventure is None else tuning.adventure
    variety = set_now.variety if tuning.variety is None else tuning.variety
    return replace(who, preferences=replace(set_now, adventure=adventure, variety=variety))


# -- what they are like ------------------------------------------------------------------------------------------------


def places(lists: Sequence[Listed]) -> dict[int, tuple[int, ...]]:
    """Item number -> its place in each list from 1, 0 where it does not stand; in the order of the first list, then of the next."""
    found = [dict(zip(listed.items.tolist(), range(1, len(listed.items) + 1))) for listed in lists]
    return {item: tuple(of_list.get(item, 0) for of_list in found) for of_list in found for item in of_list}


def figures(lists: Sequence[Listed], catalog: Catalog, people: int, held: HeldOut | None = None) -> tuple[Figures, ...]:
    """What each list is like. people: how many the numbers of raters were counted over; 0 where that is not known."""
    where = places(lists)
    alone = [sum(at[n] > 0 and sum(map(bool, at)) == 1 for at in where.values()) for n in range(len(lists))]
    return tuple(_figures(listed, catalog, people, held, n) for listed, n in zip(lists, alone))


def _figures(listed: Listed, catalog: Catalog, people: int, held: HeldOut | None, alone: int) -> Figures:
    items, stars = listed.items, listed.stars[np.isfinite(listed.stars)]
    published, years = items[catalog.raters[items] > 0], catalog.years[items]
    years = years[years > 0]
    hits = np.isin(items, held.liked) if held else np.zeros(len(items), bool)
    return Figures(
        n=len(items),
        novelty=float(metrics.novelty(published[None], catalog.raters, people)[0]) if len(published) and people else None,
        published=len(published),
        diversity=float(metrics.intra_list_diversity(items[None], catalog.genres)[0]) if len(items) > 1 else None,
        raters=float(np.median(catalog.raters[items])) if len(items) else None,
        years=tuple(np.quantile(years, (0, 0.25, 0.5, 0.75, 1), method="nearest").astype(int).tolist()) if len(years) else None,
        stars=float(stars.mean()) if len(stars) else None,
        starred=len(stars),
        alone=alone,
        ms=listed.ms,
        hits=int(hits.sum()) if held else None,
        recall=float(metrics.recall(hits[None], np.array([len(held.liked)]), max(1, len(items)))[0]) if held and len(held.liked) else None,
    )
