"""What the POST routes answer, and the shapes of a film and a reason that other routes use too.

The models below describe the answers and are what the documentation shows; `film` and its kind make plain JSON of the same shape.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from recommender.catalog import Catalog
from recommender.serve import wire
from recommender.serve.evidence import spoken
from recommender.types import Explanation, Recommendation

REASONS = 5  # listed of a film, where nobody asks for more or fewer
MODEL = (
    "the model that ranks; popularity stands, on the popular way, for popularity moved by the moment and by what the viewer said of films (ease), "
    "as far as there are any"
)
Known = Literal["demo", "made here", "data set", "feedback", "ratings sent", "nobody"]


class Answered(BaseModel):
    """An answer has these members and no others."""

    model_config = ConfigDict(extra="forbid")


class Reason(Answered):
    """One part of a film's score."""

    kind: str = Field(description="film, genre, person, crowd, sequence, context, popularity, setting; or rest: all that are not listed, together")
    subject: str = Field(description="the film, genre, person or moment it is about")
    id: int | None = Field(None, description="MovieLens id, where it is a film; absent elsewhere")
    year: int | None = Field(None, description="of that film")
    weight: float = Field(description="points of the film's similarity_score")
    simulated: bool = Field(False, description="true where the signal was drawn from a rule instead of observed; absent elsewhere")


class Named(Answered):
    """A film by its title, and what tells it from its namesakes."""

    film: str
    id: int = Field(description="MovieLens id")
    year: int | None


class Without(Named):
    """What a film of the viewer's does for a recommended one."""

    rank_before: int = Field(description="rank of the recommended film as things stand")
    rank_after: int = Field(description="its rank without the viewer's film")


class Choice(Answered):
    """A film that a title may mean."""

    id: int = Field(description="MovieLens id")
    title: str
    year: int | None


class Film(Choice):
    """A film."""

    genres: list[str]
    vote_average: float | None = Field(description="mean of the MovieLens ratings, 0.5 to 5 stars; null where too few people rated it")
    vote_count: int | None = Field(description="how many people rated it; null where they are too few to say")


class Recommended(Film):
    """A film that is recommended, and why."""

    similarity_score: float = Field(description="the model's score; comparable within one answer only, and the weights of the reasons sum to it")
    match: int | None = Field(description="chance in percent of four stars or more; null where the model of ratings knows too little of the film")
    predicted_stars: float | None = Field(description="predicted rating, 0.5 to 5 stars; null as match")
    model: str = Field(description=MODEL)
    recommendation_reason: str = Field(description="the reason in one sentence")
    reasons: list[Reason] = Field(description="heaviest first; those of which the sentence speaks are always listed, unless none is asked for")
    exact: bool = Field(description="true where the reasons are the score taken apart; false where films were weighed by leaving each out in turn")
    without: list[Without] = Field(description="for each of the viewer's films that the sentence names: the rank without it")


def film(item: int, catalog: Catalog) -> dict[str, Any]:
    """What a film is, as in Film."""
    stars, raters = float(catalog.stars[item]), int(catalog.raters[item])
    known = math.isfinite(stars)
    return {
        **wire.choice(item, catalog),
        "genres": list(catalog.genres_of(item)),
        "vote_average": round(stars, 3) if known else None,
        "vote_count": raters if known else None,
    }


def recommended(r: Recommendation, catalog: Catalog, most: int = REASONS) -> dict[str, Any]:
    """A recommended film, as in Recommended, with the `most` heaviest reasons and the rest as one."""
    return {
        **film(r.item, catalog),
        "similarity_score": round(r.score, 9),
        "match": r.match,
        "predicted_stars": None if r.stars is None else round(r.stars, 2),
        "model": r.model,
        "recommendation_reason": r.sentence,
        "reasons": reasons(r.explanation, catalog, most, spoken(r)),
        "exact": r.explanation.exact,
        "without": wire.drops(r.drops, catalog),
    }


def reasons(e: Explanation, catalog: Catalog, most: int = REASONS, spoken: Collection[int] = ()) -> list[dict[str, Any]]:
    """The `most` heaviest reasons, those `spoken` of, by number, all that are simulated, and one of kind "rest" that holds what is left: they sum to
    what all of them sum to."""
    kept = {n for n, r in enumerate(e.reasons) if n < most or r.simulated or (most and n in spoken)}
    listed, left = ([r for n, r in enumerate(e.reasons) if (n in kept) is shown] for shown in (True, False))
    said = [wire.reason(r, catalog) for r in listed]
    if len(left) == 1 and most:
        return [*said, wire.reason(left[0], catalog)]
    rest = {"kind": "rest", "subject": f"{len(left)} other reasons", "weight": round(sum(r.weight for r in left), 9)}
    return [*said, rest] if left else said


class Signal(Answered):
    """What became of a part of the context."""

    value: str | None = Field(description="as asked")
    source: Literal["observed", "simulated"] = Field(description="what it is in the data that the models learned from")
    used: bool = Field(description="whether the models were told")
    why: str


class Route(Answered):
    """The way on which the answer was made."""

    name: Literal["popular", "balanced", "collaborative", "single"]
    why: str
    shares: dict[str, float] = Field(description="model -> its share; they sum to 1")


class WhoAsks(Answered):
    """Whom the answer is for."""

    id: str | None = Field(description="null where nobody was named")
    known: Known = Field(description="where what is known of them comes from")


class Metadata(Answered):
    """How the answer was made."""

    total_recommendations: int
    inference_time_ms: float = Field(description="measured: from the question, its titles and viewer looked up, to the list with its reasons")
    algorithms_used: list[str] = Field(description="the models that have a share")
    model_version: str
    request_id: str = Field(description="to be sent as `recommendation` with feedback about these films")
    fallback: bool = Field(description="whether this is less than was asked for")
    fallback_why: list[str] = Field(description="in what")
    route: Route
    viewer: WhoAsks
    signals: dict[str, Signal] = Field(description="time_of_day and device")
    notes: list[str]


class Recommendations(Answered):
    """Films for somebody, the best first."""

    strategy: Literal["popular", "balanced", "collaborative", "single"] = Field(description="the way on which the answer was made")
    recommendations: list[Recommended]
    metadata: Metadata


class Stored(Answered):
    """What became of the events that were sent; it is on the disk."""

    stored: int = Field(description="events that were new")
    known: int = Field(description="events whose id the viewer had used before: not stored again")
    ids: list[str] = Field(description="ids of all of them, in the order in which they were sent")


class Data(Answered):
    """Everything that is stored of somebody."""

    viewer: str = Field(description="the id under which it is stored")
    person: dict[str, Any] | None = Field(description="how they made their viewer; null where they did not")
    events: list[dict[str, Any]] = Field(description="all that they did, in the order of storing")


class Forgotten(Answered):
    """What was deleted."""

    removed: int = Field(description="rows that there were")
