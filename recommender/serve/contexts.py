"""What a change of context does to one viewer's list: two rankings side by side, what time and device gave, and how the gate weighs its models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recommender import rank
from recommender.models.hybrid import Hybrid
from recommender.models.moment import Moment
from recommender.models.neighbours import EASE
from recommender.models.popularity import Popularity
from recommender.serve.routing import way
from recommender.serve.service import Service
from recommender.serve.viewers import Viewer
from recommender.types import ANY_FILM, DEVICES, TIMES_OF_DAY, Context, Filters, Profile, Query

Points = Callable[[Query, np.ndarray], tuple[np.ndarray, np.ndarray]]  # films (K,) -> points of time and of device, (K,) each
FAR = {
    "morning": "evening", "afternoon": "night", "evening": "morning", "night": "afternoon",
    "mobile": "tv", "tablet": "desktop", "desktop": "mobile", "tv": "mobile",
}  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """One film in two contexts: its place among all films ranked, and the score points that the time of day and the device gave it there."""

    item: int
    ranks: tuple[int, int]
    time: tuple[float, float]
    device: tuple[float, float]

    @property
    def rise(self) -> int:
        """Places it stands higher in the second context; negative where it stands lower."""
        return self.ranks[0] - self.ranks[1]


@dataclass(frozen=True)
class SideBySide:
    """The films among the first k of either context, in the order of the first, then of the second. model: whose ranking it is; `personal` unless
    too little is known of the viewer."""

    model: str
    personal: bool
    k: int
    films: tuple[Placed, ...]

    @property
    def leaving(self) -> tuple[Placed, ...]:
        """Among the first k of the first context only."""
        return tuple(f for f in self.films if f.ranks[1] > self.k)

    @property
    def entering(self) -> tuple[Placed, ...]:
        """Among the first k of the second context only."""
        return tuple(f for f in self.films if f.ranks[0] > self.k)

    @property
    def moved(self) -> tuple[Placed, ...]:
        """Among the first k of both, in another place."""
        return tuple(f for f in self.films if max(f.ranks) <= self.k and f.rise)


def contrast(context: Context) -> Context:
    """A context as different as there is: another part of the day, another kind of screen; evening on a TV where nothing is known."""
    return Context(FAR.get(context.time_of_day or "", "evening"), FAR.get(context.device or "", "tv"))


def side_by_side(
    service: Service, viewer: Viewer, profile: Profile, contexts: tuple[Context, Context], k: int = 12, filters: Filters = ANY_FILM
) -> SideBySide:
    """The first k films of each context, by the model that makes the viewer's first row, before that row is mixed by genre.

    Ranked are the films within the viewer's certificate and the filters that they have not rated. Raises LookupError where no model uses the context.
    """
    queries = [Query(profile, context) for context in contexts]
    personal = way(len(viewer.profile), service.models, service.settings) != "popular"
    scores, points = (_personal if personal else _popular)(service, queries)
    out = ~(service.catalog.allowed(viewer.certificate) & service.catalog.fits(filters))
    out[np.union1d(viewer.profile.items, profile.items)] = True
    ranked = [rank.mask(row, out) for row in scores]
    items = np.array(list(dict.fromkeys(int(i) for row in ranked for i in rank.top(row, k))), np.int64)
    (time_a, device_a), (time_b, device_b) = (points(query, items) for query in queries)
    films = tuple(
        Placed(
            int(item),
            (rank.rank_of(ranked[0], item), rank.rank_of(ranked[1], item)),
            (float(time_a[n]), float(time_b[n])),
            (float(device_a[n]), float(device_b[n])),
        )
        for n, item in enumerate(items)
    )
    return SideBySide("hybrid" if personal else "popularity", personal, k, films)


def _personal(service: Service, queries: list[Query]) -> tuple[np.ndarray, Points]:
    """The hybrid's scores (2, I), and what time and device gave of them."""
    hybrid = _hybrid(service)

    def points(query: Query, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = hybrid.contributions(query, items)
        return parts["time"], parts["device"]

    return hybrid.score(queries), points


def _popular(service: Service, queries: list[Query]) -> tuple[np.ndarray, Points]:
    """Scores (2, I) of popularity at this moment, films that anybody rated; and what time and device gave of them."""
    hybrid, popularity = _hybrid(service), service.models.get("popularity")
    if not isinstance(popularity, Popularity):
        raise LookupError("popularity did not load; no other model ranks films for somebody of whom so little is known")
    ease = service.models.get("ease")
    moment = Moment(popularity, hybrid, ease if isinstance(ease, EASE) else None)
    scores = np.where(popularity.parts_[2] > 0, moment.score(queries), -np.inf)
    return scores, lambda query, items: (popularity.lift(query.context.time_of_day)[items], hybrid.context_points([query])[1][0, items])


def _hybrid(service: Service) -> Hybrid:
    hybrid = service.models.get("hybrid")
    if not isinstance(hybrid, Hybrid):
        raise LookupError("the hybrid did not load; no other model uses the context")
    return hybrid


def gate(hybrid: Hybrid, profile: Profile) -> np.ndarray:  # (4, 4, 3)
    """The shares that the gate gives ease, content and sequence for this profile, by time of day and device."""
    queries = [Query(profile, Context(time, device)) for time in TIMES_OF_DAY for device in DEVICES]
    return hybrid.weights(queries).reshape(len(TIMES_OF_DAY), len(DEVICES), -1)
