"""People whose stored taste the models learn from: who made a viewer of themselves, or sent feedback under an id of their own."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
from sqlalchemy import func, select

from recommender.catalog import Catalog
from recommender.serve import tables
from recommender.serve.events import Event, fold
from recommender.serve.feedback import Feedback
from recommender.serve.guests import blank
from recommender.serve.tables import events
from recommender.serve.tastes import served
from recommender.settings import Settings
from recommender.types import Profile

LEAST = 5  # films: as many as it takes to be asked for the last of them

_BORROWED = re.compile(r"ml-[0-9]{1,9}")  # a MovieLens user, played by whoever picked them


def mark(store: Feedback) -> int:
    """The number of the last stored event of a real viewer; 0 where there is none."""
    with store.reading() as connection:
        return connection.execute(select(func.max(events.c.seq)).where(tables.REAL)).scalar() or 0


def learners(store: Feedback, catalog: Catalog, settings: Settings, demo: Collection[str], until: int) -> dict[str, Profile]:
    """What stands of each person's taste up to event `until`, as films with stars, by their id, whoever spoke first first.

    Words are turned into stars as the models are served them (tastes.meaning). Films that a person keeps from the models are left out, and people
    with fewer than LEAST films; so are demo viewers and MovieLens users, whom anybody may play.
    """
    said: dict[str, list[Event]] = {}
    for event in store.read(select(events).where(tables.SPEAKING, events.c.seq <= until)):
        said.setdefault(event.viewer, []).append(event)
    own, found = store.viewers(catalog), dict[str, Profile]()
    for name, theirs in said.items():
        if name in demo or _BORROWED.fullmatch(name):
            continue
        person = served(own.get(name, blank(name)), fold(theirs), catalog, settings)
        profile = person.profile.keep(~np.isin(person.profile.items, list(person.unused)))
        if len(profile) >= LEAST:
            found[name] = profile
    return found
