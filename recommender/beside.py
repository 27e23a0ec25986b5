"""The command that puts lists side by side for one viewer."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from recommender.ask import (
    ALL_SIGNALS,
    AnywayOption,
    CertificateOption,
    ColourOption,
    DecadeOption,
    DeviceOption,
    FameOption,
    GenreOption,
    JsonOption,
    LikesOption,
    MinutesOption,
    StarsOption,
    TimeOption,
    UserOption,
    ViewerOption,
    begin,
    filters,
    markup_free,
    print_json,
)

console = Console()
MEASURES = {
    "novelty": "novelty, bits",
    "diversity": "diversity by genre",
    "raters": "raters, median",
    "stars": "predicted stars",
    "alone": "on no other list",
    "ms": "milliseconds",
    "hits": "hidden and liked, found again",
    "recall": "recall of those",
}


def compare(
    names: Annotated[list[str], typer.Argument(help="Two to four models by name; home for the first row of the Home page.")],
    viewer: ViewerOption = None,
    user: UserOption = None,
    likes: LikesOption = None,
    time_of_day: TimeOption = None,
    device: DeviceOption = None,
    anyway: AnywayOption = False,
    genre: GenreOption = None,
    minutes: MinutesOption = None,
    certificate: CertificateOption = None,
    in_colour: ColourOption = False,
    decade: DecadeOption = None,
    least_stars: StarsOption = None,
    fame: FameOption = None,
    hide: Annotated[bool, typer.Option("--hide-last-fifth", help="Make the lists from the first four fifths of the ratings; find the rest.")] = False,
    k: Annotated[int, typer.Option("-k", min=5, max=50, help="Films of each list.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Lists by several models side by side: shared films, overlap, and what each list is like."""
    from recommender.compare.answer import beside, check

    service, who, moment, _ = begin(viewer, user, likes, time_of_day, device, anyway, None, k)
    asked = filters(service, genre, minutes, certificate, in_colour, decade, least_stars, fame)
    found = beside(service, who, moment, names, k, asked, frozenset(ALL_SIGNALS if anyway else ()), check(service, who, names, hide))
    if as_json:
        return print_json(found)
    _print(found, who.name, names)


def _print(found: dict[str, Any], who: str, names: list[str]) -> None:
    """Places of all films, what each list is like, and how alike any two are."""
    from recommender.serve import routing

    where = Table(title=f"{markup_free(who)}: places in each list", title_justify="left", box=None, header_style="dim")
    where.add_column("film")
    for name in names:
        where.add_column(name, justify="right")
    for film in found["places"]:
        mark = " ✓" if film.get("hidden_and_liked") else ""
        where.add_row(markup_free(film["title"]) + mark, *("–" if place is None else str(place) for place in film["places"]))
    like = Table(box=None, header_style="dim")
    for column in ("", *names):
        like.add_column(column, justify="right" if column else "left")
    for field, label in MEASURES.items():
        values = [of[field] for of in found["lists"]]
        if any(value is not None for value in values):
            like.add_row(label, *("–" if value is None else f"{value:g}" for value in values))
    for label, matrix in (("Jaccard with", found["jaccard"]), (f"rank-biased overlap, p {found['rbo']['p']:g}, with", found["rbo"]["matrix"])):
        for name, row in zip(names, matrix):
            like.add_row(f"{label} {name}", *("–" if x is None else f"{x:.2f}" for x in row))
    console.print(where, "", like)
    for made in found["lists"]:
        if made["silent"]:
            console.print(routing.silence(made["model"], markup_free(who)), highlight=False)
