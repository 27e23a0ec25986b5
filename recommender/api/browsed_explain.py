"""What explain, why_not and compare answer: the JSON of the commands of the same names, and who was asked for."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from recommender.api.answered import MODEL, Answered, Choice, Named, Reason, Signal, Without
from recommender.api.browsed import User, user
from recommender.api.people import Person


class Looked(Reason):
    """A reason, and what it rests on where that was looked into."""

    evidence: str | None = Field(None, description="in words; absent where it was not looked into, empty where it says it itself")


class Part(Answered):
    """What a model, a signal or the viewer's own settings give."""

    part: str
    points: float
    simulated: bool = Field(False, description="true where it comes from a signal drawn from a rule; absent elsewhere")


class Smallest(Answered):
    """The fewest of the viewer's films without which a film leaves the first ten; none where no set of them that was tried does that, as where it
    stands there for everybody."""

    films: list[str] = Field(description="by title; empty where none were found")
    movies: list[Choice] = Field(description="the same films")
    rank_before: int
    rank_after: int = Field(description="without these films; where there are none, without any film of the viewer's: still among the first ten then")
    proven_smallest: bool = Field(description="whether every smaller set was tried; false where no films were found")
    out_of_time: bool = Field(description="true where the search was ended before it was done")


class Asked(Answered):
    """Whom an answer is for."""

    user: User
    notes: list[str]


class Explained(Asked, Named):
    """Why a film stands where it stands."""

    model: str = Field(description=MODEL)
    score: float
    rank: int
    among: str = Field(description="what was ranked")
    reasons: list[Looked] = Field(description="all of them, heaviest first; their weights sum to the score")
    exact: bool = Field(description="true where the reasons are the score taken apart; false where films were weighed by leaving each out in turn")
    sentence: str = Field(description="as in a list of `k` films, where the film stands in it")
    parts: list[Part] = Field(description="the score by who gave it")
    without: list[Without] = Field(description="rank without each of the heaviest films")
    smallest_set: Smallest | None = Field(description="null where the film is not among the first ten by score")
    signals: dict[str, Signal]


class Change(Answered):
    """One thing that would lift a film."""

    what: str = Field(description="rate: give this film five stars; drop: do not use this film; context: this moment")
    film: str | None = Field(description="null where the context changes; with its id and year")
    id: int | None
    year: int | None
    context: dict[str, Any] | None
    rank: int
    place: int | None = Field(description="in the first row as it then is; null where it is not among the first")
    simulated: bool = Field(False, description="true where it rests on a signal drawn from a rule; absent elsewhere")


class Missing(Asked, Named):
    """Why a film is not among the first of the first row, and what would change that."""

    model: str = Field(description=MODEL)
    rank: int | None = Field(description="by score; null where it is not among the films that the row is chosen from")
    among: int
    first: int
    gap: float = Field(description="points to the last of the first")
    rival: str | None = Field(description="that film; with its id and year")
    rival_id: int | None
    rival_year: int | None
    behind: list[Part] = Field(description="where the points are missing; they sum to the gap. None where rank is null: then kept_out says why")
    kept_out: list[str] = Field(description="rules besides the score")
    changes: list[Change]


class Present(Asked, Named):
    """A film that is among the first."""

    among_the_first: bool


class Title(Answered):
    """A film in a list."""

    id: int
    title: str


class Made(Answered):
    """One list, and what it is like; null where too little is known."""

    side: str = Field(alias="list", description="what was asked for")
    model: str
    films: list[Title]
    silent: bool = Field(description="whether the model tells no film from another for this viewer, and so makes no list")
    n: int
    novelty: float | None = Field(description="bits, over the films whose number of raters is known")
    published: int = Field(description="how many those are")
    diversity: float | None = Field(description="mean distance of genres, 0 to 1")
    raters: float | None = Field(description="median")
    years: tuple[int, int, int, int, int] | None = Field(description="first, lower quartile, median, upper quartile, last")
    stars: float | None = Field(description="mean of the predicted stars")
    starred: int = Field(description="of how many films")
    alone: int = Field(description="films on no other list")
    ms: float
    hits: int | None = Field(description="hidden films that the viewer liked")
    recall: float | None = Field(description="their share of all of those")


class Place(Title):
    """Where a film stands in each list."""

    places: list[int | None]
    hidden_and_liked: bool | None = Field(None, description="absent where nothing was hidden")


class Overlap(Answered):
    """Rank-biased overlap of any two lists."""

    p: float
    matrix: list[list[float | None]]


class Compared(Asked):
    """Lists side by side."""

    viewer: str
    time_of_day: str | None
    device: str | None
    k: int
    lists: list[Made]
    places: list[Place]
    jaccard: list[list[float | None]]
    rbo: Overlap
    hidden: int | None = Field(None, description="ratings that no list knew of; absent where nothing was hidden")
    hidden_and_liked: int | None = None


def asked(who: Person, notes: list[str], found: dict[str, Any]) -> dict[str, Any]:
    """The answer of a command, and whom it is for."""
    return {"user": user(who), "notes": [*who.notes, *notes], **found}
