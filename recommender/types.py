"""The values that travel between the rooms, and the protocol every model speaks.

Shape letters used everywhere: U users, I items, B queries, F factors, T positions, K shown, G genres.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, Self

import numpy as np

if TYPE_CHECKING:
    from recommender.catalog import Catalog
    from recommender.interactions import Interactions

TIMES_OF_DAY = ("morning", "afternoon", "evening", "night")
DEVICES = ("mobile", "tablet", "desktop", "tv")
CERTIFICATES = ("G", "PG", "PG-13", "R", "NC-17")  # mildest first; anything else counts as unrated
FAME = ("famous", "known", "rare")  # the most rated quarter of the films that anybody rated, the half below it, all others

Way = Literal["popular", "balanced", "collaborative"]  # in which a Home page is made
ReasonKind = Literal["film", "genre", "person", "crowd", "sequence", "context", "popularity", "setting"]


def _one_of(name: str, value: object, wanted: tuple[str, ...]) -> None:
    if value is not None and value not in wanted:
        raise ValueError(f"{name} is {value!r}, must be one of {', '.join(wanted)}, or None for unknown")


@dataclass(frozen=True, eq=False)
class Profile:
    """What one viewer has watched and rated, oldest first; it may be empty.

    items (n,) item numbers, ratings (n,) stars, times (n,) unix seconds (0 where unknown);
    genres: names of genres the viewer asked for, the only thing known of a person who has rated nothing;
    liked_from: stars from which a film speaks for the viewer's taste (protocols that count every rating set it to 0);
    speaks (n,): how far each film speaks, below 0 where it speaks against; empty where the stars alone decide.
    """

    items: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    ratings: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    times: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    genres: tuple[str, ...] = ()
    liked_from: float = 3.0
    speaks: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))

    def __post_init__(self) -> None:
        for name, dtype in (("items", np.int64), ("ratings", np.float32), ("times", np.int64), ("speaks", np.float32)):
            array = np.array(getattr(self, name), dtype)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if not len(self.items) == len(self.ratings) == len(self.times):
            raise ValueError(f"profile has {len(self.items)} items, {len(self.ratings)} ratings and {len(self.times)} times; wanted equal numbers")
        if len(self.speaks) not in (0, len(self.items)) or not np.isfinite(self.speaks).all():
            raise ValueError(f"profile has {len(self.items)} items and {len(self.speaks)} finite weights; wanted one each, or none")
        if len(np.unique(self.items)) != len(self.items):
            raise ValueError("profile names a film twice; wanted each film once")
        if len(self.ratings) and not (self.ratings.min() >= 0.5 and self.ratings.max() <= 5):
            raise ValueError(f"profile has ratings from {self.ratings.min()} to {self.ratings.max()}; wanted 0.5 to 5 stars")

    def __len__(self) -> int:
        return len(self.items)

    @property
    def weights(self) -> np.ndarray:
        """(n,) how far each film speaks for the viewer's taste: `speaks`, or without it 1 from `liked_from` stars on, else 0."""
        return self.speaks if len(self.speaks) else (self.ratings >= self.liked_from).astype(np.float32)

    def keep(self, mask: np.ndarray) -> Profile:
        """The same profile with only the rows where mask (n,) is true."""
        kept = copy(self)  # some rows of what was checked need no check
        for name in ("items", "ratings", "times", "speaks"):
            column = getattr(self, name)
            array = column[mask].copy() if len(column) else column
            array.setflags(write=False)
            object.__setattr__(kept, name, array)
        return kept


@dataclass(frozen=True)
class Context:
    """When and on what the viewer watches; every part may be unknown (None)."""

    time_of_day: str | None = None  # local: morning 5-12, afternoon 12-17, evening 17-21, night 21-5
    device: str | None = None
    at: int | None = None  # unix seconds

    def __post_init__(self) -> None:
        _one_of("time_of_day", self.time_of_day, TIMES_OF_DAY)
        _one_of("device", self.device, DEVICES)


@dataclass(frozen=True)
class Filters:
    """What a film must be to be shown at all, whatever its score. No model knows of it, nothing is learned; None and False ask for nothing.

    minutes: longest running time; certificate: strictest of CERTIFICATES, besides the viewer's own limit; in_colour: nothing known to be in
    black and white; decade: its first year, such as 1970; stars: least mean stars of all raters; fame: one of FAME. A film of which nobody knows
    what is asked for does not fit.
    """

    genre: str | None = None
    minutes: int | None = None
    certificate: str | None = None
    in_colour: bool = False
    decade: int | None = None
    stars: float | None = None
    fame: str | None = None

    def __post_init__(self) -> None:
        _one_of("certificate", self.certificate, CERTIFICATES)
        _one_of("fame", self.fame, FAME)
        if self.minutes is not None and self.minutes < 1:
            raise ValueError(f"minutes is {self.minutes}, must be >= 1")
        if self.decade is not None and self.decade % 10:
            raise ValueError(f"decade is {self.decade}, must be its first year, such as 1970")
        if self.stars is not None and not 0.5 <= self.stars <= 5:
            raise ValueError(f"stars is {self.stars}, must be 0.5 to 5")


ANY_FILM = Filters()


@dataclass(frozen=True)
class Preferences:
    """What a viewer set by hand. Scores are moved by it after the models made them; points are spreads of the model's scores over all films.

    adventure: -1 (what everybody knows) to 1 (what hardly anybody knows); variety: 0 (alike) to 1 (varied), None for the way's own;
    genres, decades, groups: points added for a genre by name, a decade by its first year, a group of films by number, -2 to 2;
    without: people who are no reason; model: the one that makes the first row, None for the way's own; listed: whether films on the watch-list
    stay in the rows; seen: whether seen films do.
    """

    adventure: float = 0.0
    variety: float | None = None
    genres: tuple[tuple[str, float], ...] = ()
    decades: tuple[tuple[int, float], ...] = ()
    groups: tuple[tuple[int, float], ...] = ()
    without: tuple[str, ...] = ()
    model: str | None = None
    listed: bool = True
    seen: bool = False

    def __post_init__(self) -> None:
        if not -1 <= self.adventure <= 1:
            raise ValueError(f"adventure is {self.adventure}, must be within -1 and 1")
        if self.variety is not None and not 0 <= self.variety <= 1:
            raise ValueError(f"variety is {self.variety}, must be within 0 and 1")
        for name in ("genres", "decades", "groups"):
            for subject, points in getattr(self, name):
                if not -2 <= points <= 2:
                    raise ValueError(f"{name} gives {subject!r} {points} points, must be within -2 and 2")


NO_PREFERENCES = Preferences()


@dataclass(frozen=True, eq=False)
class Query:
    """All that a model may know."""

    profile: Profile = field(default_factory=Profile)
    context: Context = field(default_factory=Context)


class Reason(NamedTuple):
    """One part of a score: `weight` score points due to `subject`.

    subject is an item number for the kinds film and sequence (or a label for several films together), a name or label for all others.
    simulated is true where the signal behind it was drawn from a rule instead of observed.
    A named tuple, because a page of a long history makes a hundred thousand of them.
    """

    kind: ReasonKind
    subject: int | str
    weight: float
    simulated: bool = False


def simulated_in(context: Context, model: object) -> tuple[str, ...]:
    """Signals known in this context that the model learned from a rule and not from what was observed."""
    return tuple(name for name in getattr(model, "simulates", ()) if getattr(context, name) is not None)


def context_reasons(context: Context, time: np.ndarray, device: np.ndarray, simulates: tuple[str, ...]) -> list[list[Reason]]:
    """For each of K films: points due to the time of day (K,) and to the device (K,), as far as known; `simulates` names those from a rule."""
    known = ((context.time_of_day, time, "time_of_day" in simulates), (context.device, device, "device" in simulates))
    return [[Reason("context", label, float(points[k]), simulated) for label, points, simulated in known if label] for k in range(len(time))]


@dataclass(frozen=True)
class Explanation:
    """Reasons of one film's score, heaviest first. If exact, their weights sum to the score within 1e-6."""

    reasons: tuple[Reason, ...] = ()
    exact: bool = True

    @classmethod
    def of(cls, reasons: list[Reason], exact: bool = True) -> Explanation:
        return cls(tuple(sorted(reasons, key=lambda r: -abs(r.weight))), exact)

    @property
    def total(self) -> float:
        return sum(r.weight for r in self.reasons)


class Drop(NamedTuple):
    """What one film of the viewer's does for a recommended one: its rank by the same model as things stand, and without that film."""

    film: int
    before: int
    after: int


@dataclass(frozen=True)
class Recommendation:
    """One film as it is shown: where its score comes from and what can be promised about it."""

    item: int
    score: float
    model: str
    explanation: Explanation
    sentence: str = ""
    stars: float | None = None  # predicted stars, None where too few people rated the film
    match: int | None = None  # estimated chance in percent that the viewer gives it four stars or more
    drops: tuple[Drop, ...] = ()  # of the films that the sentence names


@dataclass(frozen=True)
class Carousel:
    """A row of films: what it is called, why it is here, which model made it."""

    key: str
    title: str
    why: str
    model: str
    recommendations: tuple[Recommendation, ...]
    simulated: bool = False


class Recommender(Protocol):
    """What every model can do. It sees queries, never user ids; no k, no filters, no files."""

    catalog: Catalog

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self: ...

    def score(self, queries: list[Query]) -> np.ndarray:
        """float32 (B, I), finite; a batch gives the same rows as its queries one by one."""
        ...

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        """One explanation for each of items (K,)."""
        ...


@dataclass(frozen=True)
class Strategy:
    """Which route a viewer was sent on, and why."""

    route: Way | Literal["single"]
    why: str  # one sentence for the screen
    weights: dict[str, float]  # model name -> share of the gate; sums to 1
    simulated: tuple[str, ...] = ()  # signals in use that were drawn from a rule, such as "device"
    silent: bool = False  # whether the one model tells no film from another for this viewer, and so makes no list


@dataclass(frozen=True)
class Home:
    """Everything the Home page draws for one query."""

    strategy: Strategy
    carousels: tuple[Carousel, ...]  # the first film of the first row is the hero
    timing_ms: dict[str, float]  # "models", "reasons", "total"


@dataclass(frozen=True)
class Details:
    """One film seen by one viewer: what the dialog draws."""

    recommendation: Recommendation
    rank: int  # by the same scores
    among: str  # what was ranked, as a phrase: "all films you have not seen"
    contributions: tuple[tuple[str, float], ...]  # (model or "context", score points) that sum to the score
    similar: tuple[int, ...]  # item numbers, nearest first
    drops: tuple[Drop, ...] = ()  # of the heaviest films among the reasons, by the model's ranking of all films not seen
    evidence: tuple[str, ...] = ()  # what each reason rests on, in the order of the reasons; "" where nothing is known
    simulated: tuple[str, ...] = ()  # contributions that come from a signal drawn from a rule: "time", "device"
