"""What a comparison found, as plain values for JSON and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from recommender.catalog import Catalog
from recommender.compare import overlap
from recommender.compare.lists import Figures, HeldOut, Listed, places


def answer(made: Sequence[Listed], figures: Sequence[Figures], catalog: Catalog, held: HeldOut | None = None) -> dict[str, Any]:
    """Every list with its films and figures, the place of every film in each (None where it does not stand), and both matrices of likeness."""
    liked = set(held.liked.tolist()) if held else set()
    lists = [
        {
            "list": of.side.key,
            "model": of.model,
            "films": [_film(catalog, item) for item in of.items.tolist()],
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
