"""What was shown, as events: every film of a page with its place, its model and score, and the moment for which the page was made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from recommender.catalog import Catalog
from recommender.serve.feedback import Event
from recommender.types import Carousel, Recommendation


@dataclass(frozen=True, eq=False)
class Page:
    """One drawn page: its rows, and the id that everything done on it carries."""

    catalog: Catalog
    carousels: tuple[Carousel, ...]
    id: str = field(default_factory=lambda: uuid4().hex)

    def impressions(self, viewer: str, stamp: dict[str, Any]) -> list[Event]:
        """An impression for each film of the page. It was sent to the browser; whether somebody scrolled to it is not known."""
        ids = self.catalog.ids
        return [Event(viewer, "impression", int(ids[r.item]), **self._place(c, n), **stamp) for c in self.carousels for n, r in _films(c)]

    def place(self, film: int, row: str | None = None) -> dict[str, Any]:
        """Where a film, by id, stands on the page: in the row that is named, or in the first that has it; nothing where it is not there."""
        item = self.catalog.index(film)
        for carousel in sorted(self.carousels, key=lambda c: c.key != row):
            for n, r in _films(carousel):
                if r.item == item:
                    return self._place(carousel, n)
        return {}

    def _place(self, c: Carousel, n: int) -> dict[str, Any]:
        r = c.recommendations[n]
        return {"recommendation": self.id, "row": c.key, "position": n, "model": r.model, "score": r.score}


def _films(c: Carousel) -> Iterable[tuple[int, Recommendation]]:
    return enumerate(c.recommendations)
