"""A film history that somebody brings along, as events: what of it would be stored, what stands already, and how all of it is taken back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from uuid import uuid4

import numpy as np

from recommender.load.exports import Entry
from recommender.load.matching import Matching
from recommender.serve.events import ASPECTS, Event, Taste, fold, standing

SERVICES = {"letterboxd": "Letterboxd", "imdb": "IMDb", "trakt": "Trakt"}


@dataclass(frozen=True)
class Arrival:
    """What an import stores: events, the oldest first. known: entries that stand already; kept: ratings older than what the viewer said here."""

    id: str
    service: str
    events: tuple[Event, ...] = ()
    known: int = 0
    kept: int = 0


@dataclass(frozen=True)
class Brought:
    """One import that was stored: when, from which service, and what of it still stands."""

    id: str
    service: str
    at: float  # unix seconds
    events: tuple[Event, ...]
    stands: tuple[Event, ...]


def within(matching: Matching, allowed: np.ndarray) -> tuple[Matching, int]:
    """Only what leads to films in allowed (I,) bool, and how many entries lead to others alone."""
    matched = tuple(m for m in matching.matched if allowed[m.item])
    repeated = tuple(m for m in matching.repeated if allowed[m.item])
    asked = [replace(u, choices=tuple(c for c in u.choices if allowed[c.item])) for u in matching.unclear]
    unclear = tuple(u for u in asked if u.choices)
    over = len(matching.matched) - len(matched) + len(asked) - len(unclear)
    return Matching(matched, unclear, matching.absent, repeated), over


def arrival(viewer: str, events: Sequence[Event], service: str, matching: Matching, ids: np.ndarray, now: float | None = None) -> Arrival:
    """What the matched entries add to all that a viewer did (`events`, in the order of storing). ids (I,): external film ids.

    An event's id says whose it is, from where, of which film and what: the same file again adds nothing. What was taken back since is added anew.
    A rating stays out where the viewer said something of the film here on a later day, or the file names none.
    """
    taste, used = fold(events), {event.id for event in events}
    now = time.time() if now is None else now
    name, new, known, kept = uuid4().hex[:12], [], 0, 0
    for m in matching.matched:
        film, entry = int(ids[m.item]), m.entry
        stands = taste.standing(film)[ASPECTS[entry.kind]]
        own = next(id_ for id_ in _ids(viewer, service, film, entry) if id_ not in used or id_ in stands)
        if own in stands or (stands and entry.kind != "rating"):
            known += 1
        elif entry.kind == "rating" and _said_later(taste, film, entry):
            kept += 1
        else:
            note = {"import": name, "from": service, "on": now}
            new.append(Event(viewer, entry.kind, film, stars=entry.stars, id=own, at=float(entry.at or now), note=note))
    return Arrival(name, service, tuple(sorted(new, key=lambda event: event.at)), known, kept)


def _ids(viewer: str, service: str, film: int, entry: Entry) -> Iterator[str]:
    """The id of what an entry says of a film the first time, and each time after it was taken back."""
    for again in range(1_000_000):
        said = "\n".join(map(str, (viewer, service, film, entry.kind, entry.stars or "", again)))
        yield f"in-{sha256(said.encode()).hexdigest()[:40]}"


def _said_later(taste: Taste, film: int, entry: Entry) -> bool:
    opinion = taste.opinions.get(film)
    return opinion is not None and opinion.at >= entry.at


def imports(events: Iterable[Event]) -> tuple[Brought, ...]:
    """The imports among all that a viewer did, the latest first."""
    events = list(events)
    stand = {event.id for event in standing(events)}
    of: dict[str, list[Event]] = {}
    for event in events:
        if (name := of_import(event)) is not None:
            of.setdefault(name, []).append(event)
    return tuple(
        Brought(name, str(theirs[0].note.get("from")), float(theirs[0].note.get("on", 0)), tuple(theirs), tuple(e for e in theirs if e.id in stand))
        for name, theirs in reversed(of.items())
    )


def of_import(event: Event) -> str | None:
    """The import that an event came with."""
    name = event.note.get("import")
    return name if isinstance(name, str) and event.kind != "undo" else None


def take_back(brought: Brought, stamp: dict[str, Any] | None = None) -> list[Event]:
    """Undos of all of an import that still stands."""
    return [Event(event.viewer, "undo", target=event.id, **(stamp or {})) for event in brought.stands]
