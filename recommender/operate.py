"""The commands of whoever runs the house: nightly refresh, releases and the way back, backups of what is stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from recommender.settings import settings

if TYPE_CHECKING:
    from recommender.refresh import Outcome
    from recommender.serve.posters import Cache
    from recommender.serve.releases import Release
    from recommender.serve.service import Service
    from recommender.serve.tmdb import Client

KEPT_BACK = 3  # exit code: nothing is wrong, and nothing was promoted
SAID = 20  # films that could not be had, by name
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]

console = Console(width=max(Console().width, 140))  # names of releases are not cut, also in a pipe


def refresh(
    data: Annotated[Path | None, typer.Option("--data", help="Folder of a MovieLens data set; the fetched one where none is named.")] = None,
    models: Annotated[str, typer.Option("--models", help="Model names by commas; without any, those fitted in seconds.")] = "",
    margin: Annotated[
        float | None, typer.Option("--margin", min=0, help="How much worse in NDCG@10 a model may be; by the settings if not said.")
    ] = None,
    before: Annotated[
        Path | None, typer.Option("--before", help="Folder of the data that the committed artifacts were fitted on, where --data is other data.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Fit and examine, and put nothing to work.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fit models again on data and stored feedback, and put them to work if they are not worse: exit code 0; 3 if they may be, 2 for an error."""
    import torch

    from recommender.refresh import QUICK
    from recommender.refresh import refresh as run

    torch.set_num_threads(1)
    folder, names = data or settings().raw / settings().dataset, [name.strip() for name in models.split(",") if name.strip()] or QUICK
    outcome = run(settings(), folder, names, margin, dry_run, before, lambda line: typer.echo(line, err=True))
    if as_json:
        why = {"champion": outcome.champion, "release": outcome.release, "dry_run": dry_run, "passed": not outcome.why, "why": outcome.why}
        typer.echo(json.dumps({**why, **outcome.facts}, indent=1))
    else:
        _tell(outcome)
    if outcome.why:
        raise typer.Exit(KEPT_BACK)


def _tell(outcome: Outcome) -> None:
    table = _table("model", "viewers", "n", "at work", "candidate", "more", "95% interval")
    for row in outcome.examined:
        d = row.difference
        table.add_row(row.model, row.viewers, str(d.n), *(f"{v:.4f}" for v in row[2:4]), f"{d.delta:+.4f}", f"[{d.lo:+.4f}, {d.hi:+.4f}]")
    console.print(table, markup=False)
    for line in outcome.why:
        console.print(f"not promoted: {line}", markup=False, highlight=False)
    if not outcome.why:
        done = f"release {outcome.release} is at work" if outcome.release else "it would be promoted; nothing was changed"
        console.print(f"{done}; before it: {outcome.champion}", markup=False, highlight=False)


def releases(as_json: JsonOption = False) -> None:
    """Every release, what it was fitted on, how its examination ended, and which one is at work."""
    from recommender.serve.releases import listed

    now, all_ = _pointed(), [_facts(release) for release in listed(settings())]
    if now not in [facts["name"] for facts in all_]:
        typer.echo(f"no release is at work: the pointer says {now!r}; put one to work by `rollback NAME`", err=True)
    if as_json:
        return typer.echo(json.dumps([{**facts, "current": facts["name"] == now} for facts in all_], indent=1))
    table = _table("", "release", "before it", "fitted again", "ratings", "least sure of its models")
    for facts in all_:
        rows = facts.get("exam", {}).get("rows", [])
        least = min(rows, key=lambda row: row["difference"]["lo"], default=None)
        said = f"{least['model']} {least['difference']['delta']:+.4f} from {least['difference']['lo']:+.4f}" if least else facts.get("wrong", "")
        ratings = f"{facts['data']['ratings'] + facts['feedback']['ratings']:,}" if "data" in facts else ""
        mark = "at work" if facts["name"] == now else ""
        table.add_row(mark, facts["name"], facts.get("parent", ""), ", ".join(facts.get("models", ())), ratings, said)
    console.print(table, markup=False)


def _facts(release: Release) -> dict[str, Any]:
    from recommender.serve.releases import ReleaseError

    try:
        return {"name": release.name, "version": release.version, **release.facts()}
    except ReleaseError as error:
        return {"name": release.name, "version": release.version, "wrong": str(error)}


def rollback(
    name: Annotated[str | None, typer.Argument(help="A release, or committed; the one before the current one where none is named.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Put an earlier release to work, once all of it is found whole. Served processes follow within seconds."""
    from recommender.load import read_films
    from recommender.serve.releases import alone, named, switch, verify

    with alone(settings()):
        was, back = _pointed(), named(settings(), name or _before())
        verify(back, read_films(settings().films))
        switch(settings(), back)
    typer.echo(json.dumps({"before": was, "current": back.name, "version": back.version}) if as_json else f"{back.name} is at work; before it: {was}")


def _pointed() -> str:
    """The name that the pointer holds, or why it cannot be read."""
    from recommender.serve.releases import ReleaseError, pointed

    try:
        return pointed(settings())
    except ReleaseError as error:
        return str(error)


def _before() -> str:
    """The name of the release before the current one. ReleaseError where none can be told."""
    from recommender.serve.releases import COMMITTED, ReleaseError, current

    try:
        now = current(settings())
        if now.name != COMMITTED:
            return str(now.facts().get("parent", COMMITTED))
    except ReleaseError as error:
        raise ReleaseError(f"what came before the current release cannot be told: {error}; name one, or: rollback committed") from None
    raise ReleaseError("the committed artifacts are at work, and nothing is before them; name a release, as `releases` lists them")


def backup(
    to: Annotated[Path | None, typer.Option("--to", help="A folder; that of the settings where none is named.")] = None,
    keep: Annotated[int | None, typer.Option("--keep", min=1, help="Remove the oldest backups but so many; all stay if not said.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the stored feedback to a file, while it is used, and check the copy."""
    from recommender.serve.backups import backup as run

    made = run(settings().database_url, to or settings().backups, keep)
    rows = ", ".join(f"{n:,} {name}" for name, n in made.rows.items())
    facts = {"file": str(made.path), "bytes": made.bytes, "rows": made.rows}
    typer.echo(json.dumps(facts) if as_json else f"{made.path}: {rows}; {made.bytes / 1e6:.2f} MB")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Replace what is stored now, of which a backup is made first.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put back what a backup holds, in one step, under the feet of served processes. Who was forgotten since is to be forgotten again."""
    from recommender.serve.backups import restore as run

    done = run(settings().database_url, file, settings().backups, yes)
    if as_json:
        return typer.echo(json.dumps({"rows": done.rows, "saved": str(done.saved) if done.saved else None}))
    typer.echo(f"{', '.join(f'{n:,} {name}' for name, n in done.rows.items())} put back from {file.name}")
    if done.saved:
        typer.echo(f"what was there before: {done.saved}")
    typer.echo("people who had their data deleted after this backup are in it again: run forget for each of them")


def posters(
    viewer: Annotated[str | None, typer.Option("--viewer", help="Only the films of this viewer's Home page.")] = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="Only so many films, those that most people rated.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Delete every poster and what TMDB told of the films.")] = False,
) -> None:
    """Fetch posters and facts from TMDB with the key of the settings, the films that most people rated first; what is there already stays."""
    from recommender.serve.gallery import Gallery
    from recommender.serve.service import Service

    gallery = Gallery(settings())
    if clear:
        return typer.echo(f"{gallery.clear():,} films deleted")
    if gallery.own is None:
        raise ValueError(
            gallery.trouble.line if gallery.trouble else "no key of TMDB, wanted one in MARQUEE_TMDB_KEY; docs/posters.md says how to get it"
        )
    service = Service.open(settings())
    catalog = service.catalog
    items = _first_rows(service, viewer) if viewer else np.argsort(-catalog.raters, kind="stable")[:top].tolist()
    films = {int(catalog.tmdb_ids[i]): catalog.titles[i] for i in items if catalog.tmdb_ids[i]}
    gallery.cache.sweep()
    missed, ended = _fetched(gallery.cache, gallery.own, films)
    for title, why in list(missed.items())[:SAID]:
        typer.echo(f"{title}: {why}")
    if len(missed) > SAID:
        typer.echo(f"and {len(missed) - SAID:,} more")
    figures, without = gallery.cache.figures(), len(items) - len(films)
    unknown = f"; of {without:,} films TMDB's number is not known" if without else ""
    typer.echo(f"{figures.pictures:,} posters are kept, {figures.bytes / 1e6:.1f} MB; {figures.without:,} films have none{unknown}")
    if ended:
        typer.echo(f"error: {ended}; what is there stays, and the next run goes on from it", err=True)
        raise typer.Exit(2)


def _fetched(cache: Cache, client: Client, films: dict[int, str]) -> tuple[dict[str, str], str]:
    """Fetch what is not there yet: (title -> why it could not be had, what ended all of it early, if anything did)."""
    from recommender.serve.gallery import bring
    from recommender.serve.tmdb import Away, KeyRefused

    missed = dict[str, str]()
    try:
        for tmdb, title in tqdm(films.items(), unit="film"):
            if cache.known(tmdb) is not None:
                continue
            try:
                if (why := bring(cache, client, tmdb).why) != "":
                    missed[title] = why
            except Away as error:
                missed[title] = str(error)
                if client.line.resting:
                    return missed, str(error)
    except KeyRefused as error:
        return missed, str(error)
    except KeyboardInterrupt:
        return missed, "interrupted"
    return missed, ""


def _first_rows(service: Service, viewer: str) -> list[int]:
    """Item numbers of the films on a viewer's Home page, in its order."""
    from recommender.types import Context

    person = service.person(viewer)
    home = service.home(person, service.query(person, Context()))
    return list(dict.fromkeys(r.item for row in home.carousels for r in row.recommendations))


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim")
    for column in columns:
        table.add_column(column, justify="right" if column in ("n", "at work", "candidate", "more", "ratings") else "left")
    return table
