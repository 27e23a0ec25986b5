"""What was said while the store was away, on its way from the passing store into the lasting one."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import func, select

from recommender.catalog import Catalog
from recommender.serve.feedback import Feedback
from recommender.serve.tables import events


@dataclass
class Moving:
    """A passing store, and how far it was read. Ids of events and of viewers that people make are drawn at random, so none meets another's."""

    source: Feedback
    last: int = 0  # the number of the last event that was moved
    people: set[str] = field(default_factory=set)  # who was moved

    def to(self, store: Feedback, catalog: Catalog) -> None:
        """Store there what is new here since the last time. FeedbackError where that cannot be done: to try again does no harm."""
        with self.source.reading() as connection:
            last = connection.execute(select(func.max(events.c.seq))).scalar() or 0
        for name, viewer in self.source.viewers(catalog).items():
            if name not in self.people:
                store.add_viewer(viewer)
        store.add(self.source.read(select(events).where(events.c.seq > self.last, events.c.seq <= last)))
        self.last, self.people = last, {*self.source.viewers(catalog)}
