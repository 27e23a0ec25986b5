"""What the POST routes are asked. A field that there is not is refused, and the nearest that there is is named; values are taken as they are: no
text for a number, no number for yes or no.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator
from pydantic_core import PydanticCustomError

from recommender.api.answered import REASONS
from recommender.names import nearest
from recommender.serve.guests import LIKED
from recommender.types import CERTIFICATES, DEVICES, FAME, TIMES_OF_DAY

AHEAD = 300  # seconds by which the clock of whoever sends an event may be fast
MOST = 100  # films of one answer; events of one request
_DATE = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?"
_OFFSET = "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"

WHOLE = BeforeValidator(lambda x: int(x) if isinstance(x, float) and x.is_integer() else x)  # 5.0 is whole in JSON; stands after the bounds
Whole = Annotated[int, WHOLE]
FilmId = Annotated[int, Field(ge=0, le=2**31 - 1, description="MovieLens id"), WHOLE]
Title = Annotated[str, Field(min_length=1, max_length=300, description="a title as people write it; its year in brackets tells namesakes apart")]
AnyFilm = FilmId | Title
Stars = Annotated[float, Field(ge=0.5, le=5, multiple_of=0.5, allow_inf_nan=False, description="stars, in halves")]
UserId = (
    Annotated[int, Field(ge=0, lt=10**9, description="the number of a MovieLens user"), WHOLE]
    | Annotated[str, Field(min_length=1, max_length=64, description="small letters, digits and hyphens; or the name of a demo viewer")]
)
TimeOfDay = Annotated[Literal[TIMES_OF_DAY], Field(description="part of the day on the viewer's clock")]  # type: ignore[valid-type]
Device = Annotated[Literal[DEVICES], Field(description="what the viewer watches on; its effect is simulated")]  # type: ignore[valid-type]
Genre = Annotated[str, Field(min_length=1, max_length=40)]
Minutes = Annotated[int, Field(ge=1, le=1000, description="only films known to take no longer"), WHOLE]
Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]


class Asked(BaseModel):
    """A body, or a part of one, with these fields and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, data: Any) -> Any:
        odd = [name for name in data if name not in cls.model_fields] if isinstance(data, dict) else []
        if odd:
            raise _wrong(f"{odd[0][:80]!r} is no field here{nearest(odd[0][:80], list(cls.model_fields))}")
        return data


def _wrong(wanted: str) -> PydanticCustomError:
    return PydanticCustomError("wanted", "{wanted}", {"wanted": wanted})


class OneFilm(Asked):
    """A film by movie_id or by title."""

    movie_id: FilmId | None = None
    title: Title | None = None

    @property
    def field(self) -> str:
        """The field that names the film."""
        return "title" if self.movie_id is None else "movie_id"

    @property
    def film(self) -> int | str:
        """Its id, or its title."""
        return self.movie_id if self.movie_id is not None else self.title or ""

    @property
    def films(self) -> int:
        """How many films are named: one is wanted."""
        return (self.movie_id is not None) + (self.title is not None)


class Rating(OneFilm):
    """A film and the stars for it."""

    rating: Stars

    @model_validator(mode="after")
    def _one_film(self) -> Self:
        if self.films != 1:
            raise _wrong("wanted movie_id or title, one of them")
        return self


class Moment(Asked):
    """When and on what somebody watches; all of it may be unknown."""

    time_of_day: TimeOfDay | None = None
    device: Device | None = None
    at: Annotated[str, Field(pattern=f"^{_DATE}[T ]{_TIME}{_OFFSET}?$")] | None = Field(
        default=None, description="ISO 8601, as the viewer's clock shows it: gives the part of the day where time_of_day does not"
    )
    minutes: Minutes | None = None

    @field_validator("at")
    @classmethod
    def _a_day(cls, at: str | None) -> str | None:
        if at is not None:
            _parsed(at)
        return at

    @property
    def hour(self) -> int | None:
        """The hour on the viewer's clock, where it was told."""
        return None if self.at is None else _parsed(self.at).hour


class Wanted(Asked):
    """What must be true of a film to be shown, whatever its score. A film of which nobody knows what is asked for is left out."""

    genre: Genre | None = None
    decade: Annotated[int, Field(ge=1800, le=2990, multiple_of=10, description="first year of the decade: 1970"), WHOLE] | None = None
    certificate: Literal[CERTIFICATES] | None = Field(default=None, description="nothing stricter")  # type: ignore[valid-type]
    least_stars: Annotated[float, Field(ge=0.5, le=5, allow_inf_nan=False, description="least mean stars of all raters")] | None = None
    fame: Literal[FAME] | None = Field(default=None, description="the most rated quarter, the half below it, all others")  # type: ignore[valid-type]
    in_colour: bool = Field(default=False, description="nothing known to be in black and white")
    minutes: Minutes | None = None


class Recommend(Asked):
    """Who asks, what they like, and when; every field may be left out. Without anything: what is popular."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"user_id": "ines", "context": {"time_of_day": "evening", "device": "tv"}, "k": 5},
                {"liked_movies": ["The Matrix", "matirx"], "ratings": [{"title": "Fargo (1996)", "rating": 4.5}], "filters": {"decade": 1990}},
            ]
        }
    )

    user_id: UserId | None = None
    viewer: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="a viewer by name or id, instead of user_id; one that there is not is a 404"
    )
    liked_movies: list[AnyFilm] = Field(default=[], max_length=200, description="films that count five stars each, for this answer only")
    ratings: Annotated[list[Rating], Field(max_length=500)] | Annotated[dict[Title, Stars], Field(max_length=500)] = Field(
        default=[],
        description="for this answer only; the last of a film counts. Or as an object: {title or id: stars}, where digits are always an id",
    )
    preferred_genres: list[Genre] = Field(default=[], max_length=20, description="speak for who has hardly rated anything; otherwise the films do")
    context: Moment = Field(default_factory=Moment)
    model: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(default=None, description="one model instead of the first row of Home")
    k: Whole = Field(default=10, ge=1, le=MOST, description="films in the answer")
    exclude: list[AnyFilm] = Field(default=[], max_length=500, description="films that stay away from this answer")
    filters: Wanted = Field(default_factory=Wanted)
    anyway: bool = Field(default=False, description="tell the models also those signals that are switched off because they were not shown to help")
    reasons: Whole = Field(
        default=REASONS,
        ge=0,
        le=1000,
        description="heaviest reasons listed of a film, besides those of which its sentence speaks; the others stand together in one of kind rest",
    )

    @property
    def rated(self) -> list[tuple[str, int | str, float]]:
        """(where in the body, film as given, stars) of all films sent, in the order in which they count."""
        liked = [(f"liked_movies.{n}", film, LIKED) for n, film in enumerate(self.liked_movies)]
        if isinstance(self.ratings, dict):
            return liked + [(f"ratings.{key}", int(key) if _is_id(key) else key, stars) for key, stars in self.ratings.items()]
        return liked + [(f"ratings.{n}.{r.field}", r.film, r.rating) for n, r in enumerate(self.ratings)]


def _is_id(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < 10


def _parsed(at: str) -> datetime:
    try:
        return datetime.fromisoformat(at)
    except ValueError:
        raise _wrong("wanted a day that there is, in ISO 8601") from None


class Said(OneFilm):
    """One thing that somebody did. A film by movie_id or title, a rating with its stars, an undo with the id of the event it takes back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"user_id": "reader-42", "kind": "like", "title": "The Matrix (1999)", "id": "c-1"},
                {"user_id": "reader-42", "kind": "rating", "movie_id": 608, "rating": 4.5},
            ]
        }
    )

    user_id: UserId
    kind: Literal["impression", "click", "rating", "love", "like", "dislike", "hide", "list", "watched", "unuse", "undo"] = Field(
        description="hide: never show it; list: on the watch-list; unuse: no reasoning may use it; undo: take an event back"
    )
    rating: Stars | None = None
    target: Identifier | None = Field(default=None, description="the event that an undo takes back, by its id")
    id: Identifier | None = Field(default=None, description="the client's own id of the event: sent again, it is known and not stored twice")
    recommendation: Identifier | None = Field(default=None, description="request_id of the answer that the film stood in")
    position: Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE] | None = Field(default=None, description="place in that answer, from 0")
    time_of_day: TimeOfDay | None = None
    device: Device | None = None
    at: Annotated[float, Field(ge=0, lt=2**33, allow_inf_nan=False)] | Annotated[str, Field(pattern=f"^{_DATE}[T ]{_TIME}{_OFFSET}$")] | None = Field(
        default=None,
        description="when: seconds since 1970, or ISO 8601 with offset, not in the future; now where it is not given",
    )
    note: dict[str, Any] = Field(default={}, description="a small object, 4,096 bytes of JSON at most")

    @field_validator("at")
    @classmethod
    def _past(cls, at: float | str | None) -> float | str | None:
        seconds = _parsed(at).timestamp() if isinstance(at, str) else at
        if seconds is not None and seconds > time.time() + AHEAD:
            raise _wrong(f"wanted a time that has been, at most {AHEAD} s ahead of the clock here")
        return at

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.films != (self.kind != "undo"):
            wanted = "no film: target names the event" if self.kind == "undo" else "movie_id or title, one of them"
            raise _wrong(f"wanted, for kind {self.kind}, {wanted}")
        for name, kind in (("rating", "rating"), ("target", "undo")):
            if (getattr(self, name) is not None) != (self.kind == kind):
                raise _wrong(f"wanted {name} for a {kind} and for nothing else; this is a {self.kind}")
        return self

    @property
    def moment(self) -> tuple[float, int | None]:
        """Seconds since 1970, and the hour on the viewer's clock where it was told."""
        if isinstance(self.at, str):
            return _parsed(self.at).timestamp(), _parsed(self.at).hour
        return (time.time() if self.at is None else self.at), None


class Events(Asked):
    """Several things that people did: all of them are stored, or none."""

    events: list[Said] = Field(min_length=1, max_length=MOST)


Feedback = Annotated[
    Annotated[Said, Tag("event")] | Annotated[Events, Tag("events")],
    Discriminator(lambda body: "events" if isinstance(body, Events) or (isinstance(body, dict) and "events" in body) else "event"),
]
