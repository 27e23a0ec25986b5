"""The recommendation itself: the first row of a Home page, alone and as long as asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from recommender.models import MODELS
from recommender.serve.carousels import Row
from recommender.serve.request import Request
from recommender.serve.viewers import Viewer
from recommender.types import ANY_FILM, Filters, Home, Query

TOP = "top"  # the key of the first row

if TYPE_CHECKING:
    from recommender.serve.service import Service


def first(asked: Request, k: int) -> tuple[Row | None, np.ndarray]:
    """The first row of Home and the k films that stand in it; no row where no model is there to rank one."""
    row = asked.planner.top()
    items = asked.choose(row, asked.offered, np.zeros(len(asked.catalog), bool), k) if row else np.empty(0, np.int64)
    return row, items


def picks(service: Service, viewer: Viewer, query: Query, k: int, filters: Filters = ANY_FILM) -> Home:
    """A Home page of its first row alone, with k films, or all there are where there are fewer."""
    started = time.perf_counter()
    asked = service.request(viewer, query, filters)
    row, items = first(asked, k)
    carousels = (asked.carousel(row, items),) if row else ()
    return Home(asked.strategy, carousels, {"total": 1000 * (time.perf_counter() - started)})


def missing(service: Service) -> tuple[str, ...]:
    """The shipped models that did not load."""
    return tuple(name for name, make in MODELS.items() if name not in service.models and getattr(make(), "shipped", True))
