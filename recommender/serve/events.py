"""What a viewer did, one event at a time, and the taste that stands after all of it. Pure values; feedback.py stores them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from recommender.serve import checks
from recommender.serve.checks import refuse
from recommender.types import DEVICES, NO_PREFERENCES, TIMES_OF_DAY, Preferences

KINDS = ("impression", "click", "rating", "love", "like", "dislike", "hide", "list", "watched", "unuse", "prefer", "vote", "undo")
OPINIONS = ("rating", "love", "like", "dislike")  # the latest standing one of a film replaces the others
SILENT = ("impression", "click", "vote")  # kinds that say nothing of a taste
ASPECTS = {**dict.fromkeys(OPINIONS, "opinion"), "watched": "watched", "list": "list", "hide": "hide", "unuse": "unuse"}  # of a film
OF_NO_FILM = ("prefer", "vote", "undo")  # kinds that need not name one
ALWAYS = ("viewer", "kind", "id", "at", "simulated", "note")  # fields that are never unknown

VIEWER = re.compile(r"[a-z0-9-]{1,64}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EXPERIMENT = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")


_identifier = partial(checks.matching, _ID, "1 to 64 letters, digits, hyphens and underscores")
_device = partial(checks.one_of, DEVICES)
_any_number = partial(checks.number, lambda _: True, "a finite number")
CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "viewer": partial(checks.matching, VIEWER, "1 to 64 small letters, digits and hyphens"),
    "kind": partial(checks.one_of, KINDS),
    "film": partial(checks.whole, 2**63 - 1),
    "stars": partial(checks.number, lambda x: 0.5 <= x <= 5 and not x * 2 % 1, "0.5 to 5 in steps of 0.5"),
    "target": _identifier,
    "id": _identifier,
    "at": partial(checks.number, lambda x: 0 <= x < 2**33, "seconds since 1970, before the year 2242"),
    "recommendation": _identifier,
    "row": partial(checks.text, 120),
    "position": partial(checks.whole, 2**31 - 1),
    "model": partial(checks.text, 120),
    "score": _any_number,
    "propensity": partial(checks.number, lambda x: 0 < x <= 1, "a chance above 0 and up to 1"),
    "time_of_day": partial(checks.one_of, TIMES_OF_DAY),
    "device": _device,
    "seen_device": _device,
    "local_hour": partial(checks.whole, 23),
    "experiment": partial(checks.matching, _EXPERIMENT, "1 to 48 small letters, digits and hyphens, a hyphen not first"),
    "arm": partial(checks.text, 120),
    "simulated": checks.flag,
    "note": checks.note,
}


class NotStored(ValueError):
    """An undo names what its viewer has not stored before."""


@dataclass(frozen=True)
class Event:
    """One thing a viewer did or was shown. A ValueError names the field, its value and what is wanted.

    film: external id. target: the event that an undo takes back. recommendation: id of one drawn page or list; row, position (from 0), model, score
    and propensity: where in it the film stood. time_of_day, device: as the viewer or the browser says; seen_device: the class its User-Agent shows;
    local_hour: on the viewer's clock. experiment, arm: the plan by which the page was made, and what the viewer got by it; both or neither.
    simulated: nobody did this. note: a small object of JSON, such as the preferences of a "prefer".
    """

    viewer: str
    kind: str
    film: int | None = None
    stars: float | None = None
    target: str | None = None
    id: str = field(default_factory=lambda: uuid4().hex)
    at: float = field(default_factory=time.time)  # unix seconds
    recommendation: str | None = None
    row: str | None = None
    position: int | None = None
    model: str | None = None
    score: float | None = None
    propensity: float | None = None
    time_of_day: str | None = None
    device: str | None = None
    seen_device: str | None = None
    local_hour: int | None = None
    experiment: str | None = None
    arm: str | None = None
    simulated: bool = False
    note: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name, check in CHECKS.items():
            value = getattr(self, name)
            if value is not None or name in ALWAYS:
                object.__setattr__(self, name, check(name, value))
        if self.film is None and self.kind not in OF_NO_FILM:
            raise refuse("film", None, f"the film of this {self.kind}")
        for name, kind in (("stars", "rating"), ("target", "undo")):
            if (getattr(self, name) is not None) != (self.kind == kind):
                raise refuse(name, getattr(self, name), f"{'' if self.kind == kind else 'none but '}for a {kind}; this is a {self.kind}")
        if self.target == self.id:
            raise refuse("target", self.target, "another event than this undo itself")
        if (self.experiment is None) != (self.arm is None):
            raise refuse("arm", self.arm, "the arm of an experiment, or neither" if self.experiment else "an experiment with the arm, or neither")


@dataclass(frozen=True)
class Opinion:
    """What stands of one film: the kind of event, the stars of a rating, when, and the event's id."""

    kind: str
    stars: float | None
    at: float  # unix seconds
    id: str


@dataclass(frozen=True)
class Taste:
    """What stands of all that a viewer did. Films by external id, oldest first; of each film the latest event of an aspect counts.

    notes: one line for each stored thing that could not be read and was passed over.
    """

    opinions: dict[int, Opinion] = field(default_factory=dict)
    watched: dict[int, Opinion] = field(default_factory=dict)
    listed: dict[int, str] = field(default_factory=dict)
    hidden: dict[int, str] = field(default_factory=dict)
    unused: dict[int, str] = field(default_factory=dict)
    preferences: Preferences = NO_PREFERENCES
    notes: tuple[str, ...] = ()
    events: dict[tuple[int, str], tuple[str, ...]] = field(default_factory=dict)  # (film, aspect) -> ids of all that stand, oldest first

    def standing(self, film: int) -> dict[str, tuple[str, ...]]:
        """Aspect ("opinion", "watched", "list", "hide", "unuse") -> the events that switching it off must undo, oldest first."""
        return {aspect: self.events.get((film, aspect), ()) for aspect in dict.fromkeys(ASPECTS.values())}


NO_TASTE = Taste()


def standing(events: Iterable[Event]) -> list[Event]:
    """The events that no standing undo stored after them takes back, in the order of storing, without the undos."""
    undone, kept = set(), []
    for event in reversed(list(events)):
        if event.id in undone:
            continue
        if event.kind == "undo":
            undone.add(event.target)
        else:
            kept.append(event)
    return kept[::-1]


def fold(events: Iterable[Event]) -> Taste:
    """The taste after one viewer's events, given in the order of storing."""
    latest: dict[str, dict[int, Event]] = {aspect: {} for aspect in ASPECTS.values()}
    ids: dict[tuple[int, str], tuple[str, ...]] = {}
    preferences, notes = NO_PREFERENCES, []
    for event in standing(events):
        aspect = ASPECTS.get(event.kind)
        if aspect is not None and event.film is not None:
            latest[aspect].pop(event.film, None)
            latest[aspect][event.film] = event
            ids[event.film, aspect] = (*ids.get((event.film, aspect), ()), event.id)
        elif event.kind == "prefer":
            try:
                preferences = preferences_of(event.note)
            except ValueError as error:
                notes.append(f"preferences {event.id} are passed over: {error}")
    return Taste(
        opinions={film: _opinion(event) for film, event in latest["opinion"].items()},
        watched={film: _opinion(event) for film, event in latest["watched"].items()},
        listed={film: event.id for film, event in latest["list"].items()},
        hidden={film: event.id for film, event in latest["hide"].items()},
        unused={film: event.id for film, event in latest["unuse"].items()},
        preferences=preferences,
        notes=tuple(notes),
        events=ids,
    )


def _opinion(event: Event) -> Opinion:
    return Opinion(event.kind, event.stars, event.at, event.id)


_PREFERENCES = TypeAdapter(Preferences)


def note_of(preferences: Preferences) -> dict[str, Any]:
    """Preferences as the note of a "prefer"."""
    return asdict(preferences)


def preferences_of(note: dict[str, Any]) -> Preferences:
    """The preferences in the note of a "prefer"; what it does not name is as if never set. A ValueError says what cannot be read."""
    if odd := sorted(set(note) - {f.name for f in fields(Preferences)}):
        raise ValueError(f"{odd[0]!r} is no preference")
    try:
        return _PREFERENCES.validate_json(json.dumps(note), strict=True)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, wrong['loc']))} is {wrong['input']!r}: {wrong['msg']}".removeprefix(" is ")) from None
