"""The commands for what is stored of a viewer: bring a film history along, take everything away as a file, have it deleted."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.names import plain
from recommender.settings import settings

if TYPE_CHECKING:
    from recommender.catalog import Catalog
    from recommender.load.exports import Export
    from recommender.load.matching import Matching
    from recommender.serve.arrivals import Arrival
    from recommender.serve.feedback import Feedback
    from recommender.serve.viewers import Viewer

Unclear = StrEnum("Unclear", {w: w for w in ("skip", "first")})  # type: ignore[misc]
NAMED = 10  # films of a kind that the report names; --json names all

WhoseOption = Annotated[
    str, typer.Option("--viewer", help="A demo viewer, or one made in the app, by name or id; an id that sent feedback; a MovieLens user as ml-123.")
]


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


def _content(path: Path) -> bytes:
    """A file's bytes; ValueError where it is no file or too large, before it is read."""
    if not path.is_file():
        raise ValueError(f"{path} is {'a folder' if path.is_dir() else 'no file' if path.exists() else 'not there'}, wanted a file")
    if (size := path.stat().st_size) > (most := settings().import_bytes):
        raise ValueError(f"{path.name} has {size:,} bytes, wanted at most {most:,}")
    return path.read_bytes()


def bring(
    viewer: WhoseOption,
    files: Annotated[list[Path], typer.Option("--from", help="A file of Letterboxd, IMDb or Trakt: zip, CSV or JSON; may be given several times.")],
    unclear: Annotated[Unclear, typer.Option(help="Films that may be meant: leave them out, or take the likeliest.")] = Unclear.skip,  # type: ignore[attr-defined]
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be stored.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The whole report as JSON.")] = False,
) -> None:
    """Import ratings, watched films and a watch-list from Letterboxd, IMDb or Trakt, and say what became of every line."""
    from recommender.load import read_films
    from recommender.load.exports import read_export, together
    from recommender.load.matching import match
    from recommender.serve import arrivals

    feedback, catalog = _open(), read_films(settings().films)
    name, title = named(feedback, viewer)
    export = together(read_export(_content(path), path.name) for path in files)
    limit = _limit(feedback, name, catalog)
    found, over = arrivals.within(match(export.entries, catalog), catalog.allowed(limit))
    if unclear == "first":
        found = found.decided({place: asked.choices[0].item for place, asked in enumerate(found.unclear)})
    new = arrivals.arrival(name, feedback.events(name), export.service, found, catalog.ids)
    stored = 0 if dry_run else len(feedback.add(new.events))
    if as_json:
        facts = {"viewer": name, "stored": stored, "over_limit": over, "limit": limit}
        return typer.echo(json.dumps({**facts, **_report(export, found, new, catalog)}, ensure_ascii=False, indent=1))
    typer.echo(f"{arrivals.SERVICES[export.service]}, {export.what}: {export.rows:,} lines for {title} ({name})")
    for line in _lines(export, found, new, over, limit, catalog):
        typer.echo(f"  {line}")
    typer.echo(f"{len(new.events):,} would be stored" if dry_run else f"{stored:,} stored")


def _limit(feedback: Feedback, name: str, catalog: Catalog) -> str | None:
    from recommender.serve.viewers import load_viewers

    viewers: dict[str, Viewer] = load_viewers(settings().viewers, catalog) | feedback.viewers(catalog)
    return viewers[name].certificate if name in viewers else None


def _lines(export: Export, found: Matching, new: Arrival, over: int, limit: str | None, catalog: Catalog) -> list[str]:
    """What became of the lines, a count and a few names each; nothing where there are none."""
    film = lambda item: f"{catalog.titles[item]} ({catalog.years[item]})"
    unclear = [f"{u.entry.title} ({u.entry.year or '?'}): {' or '.join(film(c.item) for c in u.choices)}" for u in found.unclear]
    absent = [f"{entry.title} ({entry.year or '?'})" for entry in found.absent]
    unread = [f"{s.file} line {s.line}: {s.reason}" for s in export.skipped]
    repeated = export.repeated + len(found.repeated)
    told: tuple[tuple[int, str, list[str]], ...] = (
        (len(found.matched), "found in the catalogue", [film(m.item) for m in found.matched]),
        (new.known, "of them stand already", []),
        (new.kept, "of them were judged here since, which stays", []),
        (repeated, "say again of a film what another line says more fully", []),
        (len(unclear), "unclear: left out unless --unclear first", unclear),
        (len(absent), f"not in the catalogue, which ends in {catalog.years.max()}", absent),
        (over, f"over the limit of this viewer, {limit}: left out", []),
        (export.unread, "could not be read or are no film", unread),
    )
    return [f"{n:,} {said}{_some(names, n)}" for n, said, names in told if n]


def _some(names: list[str], n: int) -> str:
    return "".join(f"\n    {name}" for name in names[:NAMED]) + (f"\n    and {n - NAMED:,} more" if names and n > NAMED else "")


def _report(export: Export, found: Matching, new: Arrival, catalog: Catalog) -> dict[str, Any]:
    """All of it, ready for JSON."""
    film = lambda item: {"film": int(catalog.ids[item]), "title": catalog.titles[item], "year": int(catalog.years[item])}
    said = lambda entry: {"said_title": entry.title, "said_year": entry.year, "kind": entry.kind, "stars": entry.stars, "at": entry.at}
    return {
        "import": new.id,
        "service": export.service,
        "files_hold": export.what,
        "lines": export.rows,
        "new": len(new.events),
        "known": new.known,
        "kept": new.kept,
        "repeated": export.repeated + len(found.repeated),
        "unread": export.unread,
        "matched": [{**film(m.item), **said(m.entry), "how": m.how, "likeness": m.likeness} for m in found.matched],
        "unclear": [{**said(u.entry), "choices": [{**film(c.item), "likeness": c.likeness} for c in u.choices]} for u in found.unclear],
        "absent": [said(entry) for entry in found.absent],
        "skipped": [{"file": s.file, "line": s.line, "reason": s.reason} for s in export.skipped],
    }


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
    if feedback.has(name):  # an id that sent feedback to the REST API, and made no viewer
        return name, name
    found = viewer_named(viewers, name)
    same = [other.id for other in viewers.values() if plain(other.name) == plain(found.name)]
    if len(same) > 1:
        raise ValueError(f"viewer {name!r} is the name of {len(same)} viewers, wanted one of their ids: {', '.join(same)}")
    return found.id, found.name


def _open() -> Feedback:
    from recommender.serve.feedback import Feedback

    return Feedback.open(settings().database_url)
