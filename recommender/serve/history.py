"""What a viewer said and did, line by line in plain words: when, of which film, from which row, and whether it still stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recommender.catalog import Catalog
from recommender.serve import arrivals
from recommender.serve.events import ASPECTS, Event, preferences_of, standing
from recommender.types import NO_PREFERENCES

TOLD = ("rating", "love", "like", "dislike", "hide", "list", "watched", "unuse", "prefer", "vote", "click", "undo")  # all but what was shown
_SAID = {
    "love": "Loved it",
    "like": "Liked it",
    "dislike": "Said it is not for you",
    "hide": "Hid it",
    "list": "Put it on the watch-list",
    "watched": "Marked it as watched",
    "unuse": "Took it out of all reasoning",
    "vote": "Voted between two lists",
    "click": "Opened it",
}
_ROWS = {
    "top": "your first row",
    "next": "What comes next",
    "people": "people with your taste",
    "person": "a row about a person",
    "genre": "a row about a genre",
    "moment": "Popular for the moment",
    "popular": "Popular now",
    "gems": "Hidden gems",
    "stars": "Your highest predicted stars",
    "short": "Short films",
    "unmapped": "Off the map",
    "again": "Watch again",
}


@dataclass(frozen=True)
class Line:
    """One thing that was said or done, or one import as a whole.

    kind: of the event, or "import". id: of the event or the import. film: external id. undo: the events to take back.
    state: "stands", "replaced" by a later word of the same film, "taken back", or "done" where nothing can be taken back.
    """

    kind: str
    id: str
    at: float  # unix seconds
    text: str
    film: int | None
    row: str
    state: str
    undo: tuple[str, ...]


def lines(events: Sequence[Event], catalog: Catalog) -> tuple[Line, ...]:
    """The latest first; events of one viewer in the order of storing."""
    stand = {event.id for event in standing(events)}
    latest = {(event.film, ASPECTS.get(event.kind)): event.id for event in events if event.id in stand}
    brought = {one.id: one for one in arrivals.imports(events)}
    told: dict[str, Line] = {}
    for event in events:
        name = arrivals.of_import(event)
        if name is not None:
            told.setdefault(name, _import(brought[name]))
        elif event.kind in TOLD and event.kind != "undo":
            told[event.id] = _line(event, event.id in stand, latest, catalog)
    return tuple(reversed(told.values()))


def _import(one: arrivals.Brought) -> Line:
    n, service = len(one.events), arrivals.SERVICES.get(one.service, one.service)
    left = "" if len(one.stands) in (0, n) else f", {len(one.stands):,} of them stand"
    text = f"Brought {n:,} {'film' if n == 1 else 'films'} from {service}{left}"
    return Line("import", one.id, one.at, text, None, "", "stands" if one.stands else "taken back", tuple(event.id for event in one.stands))


def _line(event: Event, stands: bool, latest: dict, catalog: Catalog) -> Line:
    if event.kind in ("click", "vote"):
        state = "done"
    elif not stands:
        state = "taken back"
    else:
        state = "stands" if latest[event.film, ASPECTS.get(event.kind)] == event.id else "replaced"
    undo = (event.id,) if state in ("stands", "replaced") else ()
    return Line(event.kind, event.id, event.at, _text(event), event.film, row(event.row, catalog), state, undo)


def _text(event: Event) -> str:
    if event.kind == "rating":
        return f"Gave it ★ {event.stars:g}"
    return _settings(event) if event.kind == "prefer" else _SAID[event.kind]


def _settings(event: Event) -> str:
    """Which settings stood by hand after a "prefer"."""
    try:
        wanted = preferences_of(event.note)
    except ValueError:
        return "Changed your settings"
    named = {"without": "people", "listed": "the watch-list", "seen": "seen films", "groups": "kinds of film"}
    set_ = [named.get(name, name) for name in vars(NO_PREFERENCES) if getattr(wanted, name) != getattr(NO_PREFERENCES, name)]
    return f"Changed your settings; by hand then: {', '.join(set_)}" if set_ else "Changed your settings; nothing by hand then"


def row(key: str | None, catalog: Catalog) -> str:
    """A row of the Home page by its key, as it is called there; "" where it stood in none."""
    head, _, rest = (key or "").partition("-")
    if head == "because" and rest.isdigit():
        return next((f"Because you watched {catalog.titles[item]}" for item in _items([int(rest)], catalog)), "")
    if head == "in" and rest:
        return f"Popular in {rest}"
    return f"From the {rest}s" if head == "decade" and rest.isdigit() else _ROWS.get(key or "", "")


def _items(films: Iterable[int], catalog: Catalog) -> list[int]:
    """Item numbers of the films that are in the catalogue."""
    known = []
    for film in films:
        try:
            known.append(catalog.index(film))
        except KeyError:
            continue
    return known
