"""What a comparison found, as plain values for JSON and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from recommender.catalog import Catalog
from recommender.compare import lists, overlap
from recommender.compare.known import people
from recommender.compare.lists import Figures, HeldOut, Listed, places
from recommender.names import nearest
from recommender.serve.service import Service
from recommender.serve.viewers import Viewer
from recommender.types import ANY_FILM, Context, Filters

FEWEST, MOST = 2, 4  # lists side by side


def check(service: Service, who: Viewer, names: Sequence[str], hide: bool = False) -> HeldOut | None:
    """Whether lists can be put side by side for a viewer, and what of their ratings is hidden then.

    Raises ValueError for other than FEWEST to MOST lists or too short a profile, KeyError for a list that there is not.
    """
    if not FEWEST <= len(names) <= MOST:
        raise ValueError(f"{len(names)} lists are named, wanted {FEWEST} to {MOST}")
    known = lists.loaded(service)
    for name in names:
        if name not in known:
            raise KeyError(f"list {name!r} is unknown or did not load{nearest(name, list(known))}")
    held = lists.held_out(who.profile) if hide else None
    if hide and held is None:
        raise ValueError(f"{who.name} has {len(who.profile)} ratings, to hide the last fifth wants {lists.LEAST}")
    return held


def beside(
    service: Service,
    who: Viewer,
    moment: Context,
    names: Sequence[str],
    k: int,
    asked: Filters = ANY_FILM,
    told: frozenset[str] = frozenset(),
    held: HeldOut | None = None,
) -> dict[str, Any]:
    """The answer of `compare`: the first k films of each list for one viewer. told: signals that models are told although they are switched off;
    held: see check."""
    made = [lists.made(service, who, lists.Side(name, moment), k, asked, told, held) for name in names]
    found = answer(made, lists.figures(made, service.catalog, people(service), held), service.catalog, held)
    return {"viewer": who.name, "time_of_day": moment.time_of_day, "device": moment.device, "k": k, **found}


def answer(made: Sequence[Listed], figures: Sequence[Figures], catalog: Catalog, held: HeldOut | None = None) -> dict[str, Any]:
    """Every list with its films and figures, the place of every film in each (None where it does not stand), and both matrices of likeness."""
    liked = set(held.liked.tolist()) if held else set()
    lists = [
        {
            "list": of.side.key,
            "model": of.model,
            "films": [_film(catalog, item) for item in of.items.tolist()],
            "silent": of.silent,
            **{name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(f).items()},
        }
        for of, f in zip(made, figures, strict=True)
    ]
    items = [of.items for of in made]
    return {
        "lists": lists,
        "places": [
            {**_film(catalog, item), "places": [place or None for place in at], **({"hidden_and_liked": item in liked} if held else {})}
            for item, at in places(made).items()
        ],
        "jaccard": _rounded(overlap.matrix(items, overlap.jaccard).tolist()),
        "rbo": {"p": overlap.PATIENCE, "matrix": _rounded(overlap.matrix(items, overlap.rbo).tolist())},
        **({"hidden": held.hidden, "hidden_and_liked": len(held.liked)} if held else {}),
    }


def _film(catalog: Catalog, item: int) -> dict[str, Any]:
    return {"id": int(catalog.ids[item]), "title": catalog.titles[item]}


def _rounded(rows: list[list[float]]) -> list[list[float | None]]:
    """Four digits; None where there is nothing to compare."""
    return [[round(x, 4) if x == x else None for x in row] for row in rows]
