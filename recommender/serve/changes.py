"""What a new rating, mark or setting did to the first row: which films moved, and why. Every cause is found by making the change undone and
scoring again; what cannot be shown so is told as plain arithmetic of places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from recommender import rank
from recommender.counterfactual import without
from recommender.serve.inquiry import first_row
from recommender.serve.request import Request
from recommender.types import Context, Profile, Query, Way

Gate = Literal["seen", "hidden", "limit", "filters", "listed", "chance", "candidates"]  # what keeps a film out of the row, whatever its score
Kind = Literal["rating", "ratings", "context", "settings", "way", "opened", "shut", "freed", "overtook", "passed", "variety"]
TRIED = 10  # films with a new or another rating that are undone one by one, the latest first; all of them together besides


class Why(NamedTuple):
    """Why a film moved.

    rating, ratings, context, settings, way: with that change undone, everything else as it now is, the film stands `ranks[0]` by score instead of
    `ranks[1]`, at least `least_drop` places away in the direction it came from (ranks[1] is None where only the old way still takes the film);
    `film` is the one whose rating is new, another or gone, and `points` what the change gives to the film's score, None where the scores are
    not of one kind.
    opened, shut: `gate` no longer, or now, keeps it out; chance: match before and now, as shares, None where unknown.
    freed, overtook, passed: `others` films that stood above it may no longer be shown (`film`, where it is one), fell below it, or now stand above.
    variety: its score moved it nowhere; others were chosen before it, or not, so that the row is mixed.
    """

    kind: Kind
    film: int | None = None
    ranks: tuple[int, int | None] | None = None
    points: float | None = None
    gate: Gate | None = None
    chance: tuple[float | None, float | None] = (None, None)
    others: int = 0


class Move(NamedTuple):
    """One film that moved: its place among the first k before and now, from 1, None where it is not there; and its rank by score among the films
    the row is chosen from, None where it is not one of them."""

    item: int
    places: tuple[int | None, int | None]
    ranks: tuple[int | None, int | None]
    why: Why


class Deed(NamedTuple):
    """What the viewer now says of a film: stars now and before, None where they do not count."""

    film: int
    stars: float | None
    old: float | None


@dataclass(frozen=True)
class Changed:
    """What moved among the first k films of the first row; in `moves` those that are there now by place, then those that left by their old place.
    `deeds` are the films of which the viewer says something else, oldest first."""

    k: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    moves: tuple[Move, ...]
    deeds: tuple[Deed, ...]
    least_match: float  # from this match on a film is offered
    way: Way  # in which the row is now made
    context: Context  # for which it is now made

    @property
    def came(self) -> tuple[Move, ...]:
        return tuple(m for m in self.moves if m.places[0] is None)

    @property
    def rose(self) -> tuple[Move, ...]:
        return tuple(m for m in self.moves if None not in m.places and m.places[1] < m.places[0])  # type: ignore[operator]

    @property
    def fell(self) -> tuple[Move, ...]:
        return tuple(m for m in self.moves if None not in m.places and m.places[1] > m.places[0])  # type: ignore[operator]

    @property
    def left(self) -> tuple[Move, ...]:
        return tuple(m for m in self.moves if m.places[1] is None)

    @property
    def unchanged(self) -> bool:
        """Whether the same films stand in the same order."""
        return not self.moves

    @property
    def groups(self) -> tuple[tuple[Move, ...], ...]:
        """The moves by their reason, the reason of most films first; within one in the order of moves."""
        found: dict[tuple, list[Move]] = {}
        for move in self.moves:
            found.setdefault((move.why.kind, move.why.film, move.why.gate), []).append(move)
        return tuple(tuple(of) for of in sorted(found.values(), key=len, reverse=True))


def changed(before: Request, after: Request, k: int = 20) -> Changed:
    """What moved among the first k of the first row between two requests of one viewer. Raises LookupError where no model makes a first row."""
    old, new = _Side(before, k), _Side(after, k)
    deeds = _deeds(before.query.profile, after.query.profile)
    items = [*new.shown, *(i for i in old.shown if i not in new.places)]
    moved = [i for i in items if old.places.get(i) != new.places.get(i)]
    causes = _causes(old, new, deeds) if moved else []
    moves = tuple(Move(i, (old.places.get(i), new.places.get(i)), (old.rank(i), new.rank(i)), _why(i, old, new, causes)) for i in moved)
    return Changed(k, tuple(old.shown), tuple(new.shown), moves, deeds, after.settings.least_match, after.way, after.query.context)


class _Side:
    """The first row before or after: the films it is chosen from (I,) bool, its scores, who is shown where."""

    def __init__(self, asked: Request, k: int) -> None:
        self.asked, self.k = asked, k
        self.row, self.pool = first_row(asked)

    @cached_property
    def shown(self) -> list[int]:
        return self.asked.choose(self.row, self.asked.offered, np.zeros(len(self.pool), bool), self.k).tolist()

    @cached_property
    def places(self) -> dict[int, int]:
        return {item: n for n, item in enumerate(self.shown, 1)}

    @cached_property
    def ranks(self) -> np.ndarray:  # (I,), only those of the pool count
        return rank.ranks(self.row.scores[None], np.arange(len(self.pool)), self.pool)[0]

    def rank(self, item: int) -> int | None:
        return int(self.ranks[item]) if self.pool[item] else None

    def above(self, item: int) -> np.ndarray:  # (I,) bool
        """Films that stand before one of the pool by score."""
        return self.pool & (self.ranks < self.ranks[item])

    def chance(self, item: int) -> float | None:
        chance = self.asked.promise["chance"][item] if self.asked.promise else np.nan
        return None if np.isnan(chance) else float(chance)

    def gate(self, item: int) -> Gate | None:
        """What keeps a film out of the row whatever its score; None where nothing does."""
        a = self.asked
        gates: tuple[tuple[Gate, bool], ...] = (
            ("seen", item in a.passed_over),
            ("hidden", item in a.hidden),
            ("limit", not a.catalog.allowed(a.viewer.certificate)[item]),
            ("filters", not a.catalog.fits(a.filters)[item]),
            ("listed", not a.may_see[item]),
            ("chance", not a.offered[item]),
            ("candidates", not self.row.among[item]),
        )
        return None if self.pool[item] else next((name for name, shuts in gates if shuts), "seen")


class _Cause(NamedTuple):
    """One change undone: the films then ranked (I,) bool, the rank of each film among them and itself (I,), and what the change gives to its score
    (I,), None where that means nothing."""

    kind: Kind
    film: int | None
    pool: np.ndarray
    ranks: np.ndarray
    points: np.ndarray | None


def _deeds(before: Profile, after: Profile) -> tuple[Deed, ...]:
    """Films that now speak, or spoke, otherwise: gone ones first, then in the order of the new profile."""
    old, new = ({i: of for i, *of in zip(p.items.tolist(), p.ratings.tolist(), p.weights.tolist())} for p in (before, after))
    gone = [Deed(i, None, of[0]) for i, of in old.items() if i not in new]
    return (*gone, *(Deed(i, of[0], old[i][0] if i in old else None) for i, of in new.items() if old.get(i) != of))


def _causes(old: _Side, new: _Side, deeds: tuple[Deed, ...]) -> list[_Cause]:
    """Each change undone alone, then, if they are several, all ratings together: the row made anew, its scores ranked among the films of now."""
    before, after = old.asked, new.asked
    undone = lambda films: replace(after, query=replace(after.query, profile=_restored(before.query.profile, after.query, films, deeds)))
    tried: list[tuple[Kind, int | None, Request]] = [("rating", d.film, undone([d.film])) for d in deeds[: -TRIED - 1 : -1]]
    if before.query.context != after.query.context:
        tried.append(("context", None, replace(after, query=replace(after.query, context=before.query.context))))
    if before.viewer.preferences != after.viewer.preferences:
        tried.append(("settings", None, replace(after, viewer=replace(after.viewer, preferences=before.viewer.preferences))))
    if len(deeds) > 1:
        tried.append(("ratings", None, undone([d.film for d in deeds])))
    causes = [_undone(kind, film, asked, new) for kind, film, asked in tried]
    if before.way != after.way:
        causes.append(_undone("way", None, _made_in(after, before.way), new))
    return causes


def _undone(kind: Kind, film: int | None, asked: Request, new: _Side) -> _Cause:
    """Ranks among the films of now; where the way is the old one, among those that it takes."""
    row, pool = first_row(asked)
    pool = pool if kind == "way" else new.pool
    points = None if kind in ("way", "settings") else new.row.scores - row.scores
    return _Cause(kind, film, pool, rank.ranks(row.scores[None], np.arange(len(pool)), pool)[0], points)


def _made_in(asked: Request, way: Way) -> Request:
    """The same request by settings that send so many ratings another way."""
    n = len(asked.viewer.profile)
    few, many = {"popular": (n + 1, n + 2), "balanced": (0, n + 1), "collaborative": (0, n)}[way]
    return replace(asked, settings=asked.settings.model_copy(update={"few_ratings": few, "many_ratings": many}))


def _restored(before: Profile, now: Query, films: list[int], deeds: tuple[Deed, ...]) -> Profile:
    """The profile of now, in which some films say what they said before, in their old place, or nothing where they said nothing."""
    profile, others = without(now, films).profile, [d.film for d in deeds if d.film not in films]
    for n in np.flatnonzero(np.isin(before.items, films)):
        earlier = np.setdiff1d(before.items[:n], others)
        at = int(np.flatnonzero(np.isin(profile.items, earlier)).max(initial=-1)) + 1
        speaks = np.insert(profile.speaks, at, before.weights[n]) if len(profile.speaks) else profile.speaks
        items, ratings, times = (np.insert(now, at, then[n]) for now, then in zip(_columns(profile), _columns(before)))
        profile = replace(profile, items=items, ratings=ratings, times=times, speaks=speaks)
    return profile


def _columns(p: Profile) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return p.items, p.ratings, p.times


# -- which reason holds ------------------------------------------------------------------------------------------------


def _why(item: int, old: _Side, new: _Side, causes: list[_Cause]) -> Why:
    """The reason of one move: a gate that a hand opened or shut, else the change that moved its score most, else a gate, else places."""
    was, now = old.places.get(item), new.places.get(item)
    up = was is None or (now is not None and now < was)
    gate = (old if up else new).gate(item)
    kind: Kind = "opened" if up else "shut"
    if gate is not None and gate not in ("chance", "candidates"):
        return Why(kind, gate=gate)
    moved = _moved(item, new, causes, up) if new.pool[item] else _by_way(item, new, causes)
    if moved:
        return moved
    if gate is not None:
        return Why(kind, gate=gate, chance=(old.chance(item), new.chance(item)) if gate == "chance" else (None, None))
    return _upward(item, old, new) if up else _downward(item, old, new)


def _moved(item: int, new: _Side, causes: list[_Cause], up: bool) -> Why | None:
    """The one change without which the film would stand lowest (or highest, if it went down), `least_drop` ranks away or more."""
    now = int(new.ranks[item])
    far = [(int(c.ranks[item]) - now if up else now - int(c.ranks[item])) for c in causes]
    alone = [n for n, c in enumerate(causes) if c.kind != "ratings"]
    for among in (alone, range(len(causes))):  # all ratings together only where none does it alone
        best = max(among, key=lambda n: far[n], default=None)
        if best is not None and far[best] >= new.asked.settings.least_drop:
            c = causes[best]
            return Why(c.kind, c.film, (int(c.ranks[item]), now), None if c.points is None else float(c.points[item]))
    return None


def _by_way(item: int, new: _Side, causes: list[_Cause]) -> Why | None:
    """The way, where a film that the row no longer takes would stand among its first by the old one."""
    way = next((c for c in causes if c.kind == "way"), None)
    return Why("way", ranks=(int(way.ranks[item]), None)) if way and way.pool[item] and way.ranks[item] <= new.k else None


def _upward(item: int, old: _Side, new: _Side) -> Why:
    """Films that stood above it and no longer do: by place where it stood in the row, else by score."""
    was = old.places.get(item)
    if was is not None:
        above = [i for i in old.shown[: was - 1] if i not in new.shown[: new.places[item] - 1]]
        rise = was - new.places[item]
    else:
        above = np.flatnonzero(old.above(item) & ~new.above(item)).tolist()
        rise = int(old.ranks[item]) - int(new.ranks[item])
    gone = [i for i in above if not new.pool[i]]
    if rise > 0 and len(gone) >= rise:
        return Why("freed", gone[0] if len(gone) == 1 else None, others=len(gone))
    return Why("overtook", others=len(above) - len(gone)) if rise > 0 else Why("variety")


def _downward(item: int, old: _Side, new: _Side) -> Why:
    """Films that now stand above it and did not: by place where it still stands in the row, else by score."""
    now = new.places.get(item)
    if now is not None:
        return Why("passed", others=len(set(new.shown[: now - 1]) - set(old.shown[: old.places[item] - 1])))
    count = int((new.above(item) & ~old.above(item)).sum())
    return Why("passed", others=count) if count and new.ranks[item] > new.k else Why("variety")
