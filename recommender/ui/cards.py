"""A film as plain data for the drawing code: facts from the catalogue, promises from a recommendation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from recommender.catalog import Catalog
from recommender.serve import phrases
from recommender.types import Carousel, Details, Reason, Recommendation, Strategy
from recommender.ui import words

_ON_A_DEVICE = re.compile(rf"\b(?:{'|'.join(map(re.escape, {*words.DEVICE.values(), *phrases.DEVICE_NAMES.values()}))})\b")


def facts(catalog: Catalog, item: int) -> dict[str, Any]:
    """What is true of the film for everyone."""
    minutes = float(catalog.minutes[item])
    return {
        "id": int(catalog.ids[item]),
        "title": catalog.titles[item],
        "year": int(catalog.years[item]),
        "genres": list(catalog.genres_of(item)),
        "certificate": catalog.certificates[item],
        "minutes": int(minutes) if np.isfinite(minutes) else 0,
    }


def card(catalog: Catalog, r: Recommendation) -> dict[str, Any]:
    """A film as one viewer sees it."""
    said = {"sentence": r.sentence, "simulated": _simulated(r), "falls": phrases.falls(r.drops, catalog)}
    return {**facts(catalog, r.item), "match": r.match, "stars": r.stars, **said}


def named(catalog: Catalog, films: Iterable[int]) -> list[dict[str, Any]]:
    """Films by id, as id and title."""
    return [{"id": film, "title": catalog.titles[catalog.index(film)]} for film in films]


def _simulated(r: Recommendation) -> bool:
    """Whether the sentence speaks of a device, which no data set observed."""
    return bool(_ON_A_DEVICE.search(r.sentence)) and any(reason.simulated and reason.weight > 0 for reason in r.explanation.reasons)


def row(catalog: Catalog, c: Carousel) -> dict[str, Any]:
    """A carousel; `source` is the film that the whole row comes from, where there is one."""
    films = [card(catalog, r) for r in c.recommendations]
    source = int(c.key.removeprefix("because-")) if c.key.startswith("because-") else None
    return {
        "key": c.key,
        "source": source,
        "title": c.title,
        "why": c.why,
        "model": words.model(c.model),
        "name": c.model,
        "simulated": c.simulated,
        "films": films,
    }


def strategy(s: Strategy) -> dict[str, Any]:
    weights = [[words.model(name), float(share), name] for name, share in sorted(s.weights.items(), key=lambda w: -w[1])]
    return {"route": s.route, "why": s.why, "weights": weights, "simulated": list(s.simulated)}


def reason(catalog: Catalog, r: Reason) -> dict[str, Any]:
    """One bar of the dialog; films are named by title."""
    film = int(catalog.ids[r.subject]) if isinstance(r.subject, int) else None
    return {"kind": words.KIND[r.kind], "label": phrases.subject(r, catalog), "weight": float(r.weight), "simulated": r.simulated, "film": film}


def _contribution(name: str, weight: float, simulated: tuple[str, ...]) -> dict[str, Any]:
    return {"kind": "", "label": phrases.PART_NAMES[name], "weight": weight, "simulated": name in simulated}


def details(catalog: Catalog, d: Details, seen: bool, shown: int = 8) -> dict[str, Any]:
    """One film in full. Reasons after the first `shown` are added up, so that the bars still make the whole."""
    r, e = d.recommendation, d.recommendation.explanation
    opening = "You have seen it; it would be number" if seen else "Number"
    fall = {int(catalog.ids[drop.film]): f"Of all not seen number {drop.before:,}; without it {drop.after:,}" for drop in d.drops}
    bars = [{**reason(catalog, x), "behind": said} for x, said in zip(e.reasons[:shown], d.evidence)]
    bars = [{**bar, "fall": fall.get(bar["film"], "")} for bar in bars]
    rest = e.reasons[shown:]
    if rest:
        bars.append(
            {
                "kind": "The rest",
                "label": words.counted(len(rest), "smaller reason"),
                "weight": float(sum(x.weight for x in rest)),
                "simulated": False,
            }
        )
    how = (
        f"The parts add up to the score, {r.score:.2f}."
        if e.exact
        else f"Your latest films by leaving each out in turn; with what no single film accounts for, the parts add up to the score, {r.score:.2f}."
    )
    return {
        "film": {**card(catalog, r), "directors": list(catalog.directors[r.item]), "actors": list(catalog.actors[r.item])},
        "reasons": bars,
        "how": how,
        "contributions": [_contribution(name, weight, d.simulated) for name, weight in d.contributions],
        "place": f"{opening} {d.rank:,} of {d.among}, by “{words.model(r.model)}”.",
    }
