"""The commands for what is stored of a viewer: take it away as a file, or have it deleted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.names import plain
from recommender.settings import settings

if TYPE_CHECKING:
    from recommender.serve.feedback import Feedback

WhoseOption = Annotated[str, typer.Option("--viewer", help="A demo viewer, or one made in the app, by name or id; or a MovieLens user as ml-123.")]


def export(
    viewer: WhoseOption,
    as_csv: Annotated[bool, typer.Option("--csv", help="The events as a table instead of everything as JSON.")] = False,
    to: Annotated[Path | None, typer.Option("--to", help="A file instead of the screen.")] = None,
) -> None:
    """Everything that is stored of a viewer: what they did, and how they made their viewer."""
    feedback = _open()
    name, _ = named(feedback, viewer)
    text = feedback.export_csv(name) if as_csv else json.dumps(feedback.export(name), ensure_ascii=False, indent=1) + "\n"
    if to is None:
        return typer.echo(text, nl=False)
    with to.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
    typer.echo(f"{to}: everything stored of {viewer}", err=True)


def forget(
    viewer: WhoseOption,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
) -> None:
    """Delete everything that is stored of a viewer, for good."""
    feedback = _open()
    name, title = named(feedback, viewer)
    if not yes:
        stored = feedback.export(name)
        rows = len(stored["events"]) + (stored["person"] is not None)
        typer.confirm(f"Delete all {rows:,} stored rows of {title} ({name})? They cannot be brought back.", abort=True)
    typer.echo(f"{feedback.forget(name):,} rows of {title} ({name}) deleted")


def named(feedback: Feedback, name: str) -> tuple[str, str]:
    """(id, name) of the viewer that is meant. A LookupError names the nearest, a ValueError those of one name."""
    from recommender.load import read_films
    from recommender.serve.viewers import load_viewers, viewer_named

    if re.fullmatch(r"ml-[0-9]{1,9}", name):
        return name, f"MovieLens user {name[3:]}"
    catalog = read_films(settings().films)
    viewers = load_viewers(settings().viewers, catalog) | feedback.viewers(catalog)
    if name in viewers:
        return name, viewers[name].name
    found = viewer_named(viewers, name)
    same = [other.id for other in viewers.values() if plain(other.name) == plain(found.name)]
    if len(same) > 1:
        raise ValueError(f"viewer {name!r} is the name of {len(same)} viewers, wanted one of their ids: {', '.join(same)}")
    return found.id, found.name


def _open() -> Feedback:
    from recommender.serve.feedback import Feedback

    return Feedback.open(settings().database_url)
