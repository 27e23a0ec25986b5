"""What GET /api/user_preferences answers: what a viewer set and asked for, and the portrait of their taste."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import Field

from recommender.api.answered import Answered
from recommender.api.browsed import User, user
from recommender.api.people import Person
from recommender.models.atlas import Atlas
from recommender.serve.portrait import Portrait, Trait
from recommender.types import Preferences

Subject = str | int


class Given(Answered):
    """Points given by hand."""

    name: str
    points: float = Field(description="spreads of the model's scores over all films, -2 to 2")


class Set(Answered):
    """What the viewer set by hand; as if never touched where they did not."""

    adventure: float = Field(description="-1: what everybody knows; 1: what hardly anybody knows")
    variety: float | None = Field(description="0: alike; 1: varied; null for the way's own")
    genres: list[Given]
    decades: list[Given]
    groups: list[Given] = Field(description="kinds of film, as the atlas calls them")
    without: list[str] = Field(description="people who are no reason")
    model: str | None = Field(description="the one that makes the first row; null for the way's own")
    listed: bool = Field(description="whether films on the watch-list stay in the rows")
    seen: bool = Field(description="whether seen films do")


class TraitOf(Answered):
    """One genre, decade, kind of film, band of popularity or person."""

    name: str
    films: int = Field(description="of theirs")
    stars: float | None = Field(description="mean of what they gave those; null without any")
    share: float | None = Field(description="of their films; null where none counts")
    usual: float = Field(description="share of the average viewer's films")
    chance: tuple[float, float] | None = Field(
        description="where the shares of 95 in 100 lie who take as many films of all that were rated; null where nothing is claimed"
    )
    sure: bool = Field(description="whether the share lies outside of that")


class PortraitOf(Answered):
    """A taste as shares of what was seen, beside those of the average viewer: all ratings of the data set together."""

    films: int = Field(description="how many it is drawn from")
    raters: float | None = Field(description="median of how many people rated them; null without any")
    usual_raters: float = Field(description="the same over all ratings")
    genres: list[TraitOf]
    decades: list[TraitOf]
    groups: list[TraitOf]
    popularity: list[TraitOf] = Field(description="bands of films by how many people rated them, each with about as many of all ratings")
    people: list[TraitOf] = Field(description="directors and actors of at least two of their films, those of most films first")


class Wants(Answered):
    """What is known of a viewer's taste beside the single films."""

    user: User
    notes: list[str]
    certificate: str | None = Field(description="nothing stricter is shown; null for no limit")
    genres: list[str] = Field(description="asked for; they speak for who has hardly rated anything")
    settings: Set
    portrait: PortraitOf


def wants(who: Person, atlas: Atlas | None, made: Portrait, most: int) -> dict[str, Any]:
    """Everything, as in Wants; of people the first `most`."""
    viewer = who.viewer
    return {
        "user": user(who),
        "notes": list(who.notes),
        "certificate": viewer.certificate,
        "genres": list(viewer.profile.genres),
        "settings": _set(viewer.preferences, atlas),
        "portrait": _portrait(made, atlas, most),
    }


def _set(wanted: Preferences, atlas: Atlas | None) -> dict[str, Any]:
    given = lambda pairs, named: [{"name": named(subject), "points": points} for subject, points in pairs]
    return {
        "adventure": wanted.adventure,
        "variety": wanted.variety,
        "genres": given(wanted.genres, str),
        "decades": given(wanted.decades, str),
        "groups": given(wanted.groups, _group(atlas)),
        "without": list(wanted.without),
        "model": wanted.model,
        "listed": wanted.listed,
        "seen": wanted.seen,
    }


def _portrait(made: Portrait, atlas: Atlas | None, most: int) -> dict[str, Any]:
    bands = [f"{low:,} to {high:,} raters" for low, high in made.bounds]
    return {
        "films": made.n,
        "raters": made.raters,
        "usual_raters": made.usual_raters,
        "genres": _traits(made.genres, str),
        "decades": _traits(made.decades, str),
        "groups": _traits(made.groups, _group(atlas)),
        "popularity": _traits(made.bands, lambda band: bands[int(band)]),
        "people": _traits(made.people[:most], str),
    }


def _traits(traits: Sequence[Trait], named: Callable[[Subject], str]) -> list[dict[str, Any]]:
    return [
        {
            "name": named(t.subject),
            "films": len(t.films),
            "stars": None if t.stars is None else round(t.stars, 3),
            "share": None if t.share is None else round(t.share, 6),
            "usual": round(t.usual, 6),
            "chance": None if t.span is None else [round(end, 6) for end in t.span],
            "sure": t.sure,
        }
        for t in traits
    ]


def _group(atlas: Atlas | None) -> Callable[[Subject], str]:
    """What a group is called, by number."""
    return lambda group: atlas.names[int(group)].text if atlas and 0 <= int(group) < len(atlas.names) else f"group {group}"
