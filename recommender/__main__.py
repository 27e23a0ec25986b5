"""The command line: `python -m recommender COMMAND`. Each command is a few lines over a room."""

from __future__ import annotations

import json
import os
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from recommender.examine import evaluate, tables
from recommender.names import nearest
from recommender.settings import ROOT, settings
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Profile, Query

if TYPE_CHECKING:
    from recommender.catalog import Catalog
    from recommender.interactions import Interactions
    from recommender.serve.service import Service
    from recommender.serve.viewers import Viewer

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Marquee: films recommended, explained and evaluated."
)
console = Console()

TimeOfDay = StrEnum("TimeOfDay", {t: t for t in TIMES_OF_DAY})  # type: ignore[misc]
Device = StrEnum("Device", {d: d for d in DEVICES})  # type: ignore[misc]
Dataset = StrEnum("Dataset", {d: d for d in ("ml-1m", "ml-100k", "ml-latest-small", "ml-32m")})  # type: ignore[misc]

ViewerOption = Annotated[str | None, typer.Option("--viewer", help="A demo viewer by name.")]
UserOption = Annotated[int | None, typer.Option("--user", help="A MovieLens user by id (needs the data set: see fetch).")]
LikesOption = Annotated[str | None, typer.Option("--likes", help='Films you like: "Title; Title (year)".')]
TimeOption = Annotated[TimeOfDay | None, typer.Option("--time-of-day", help="Local part of the day.")]
DeviceOption = Annotated[Device | None, typer.Option("--device", help="What the viewer watches on; its effect is simulated.")]
ModelOption = Annotated[str | None, typer.Option("--model", help="One model instead of the Home page: see the README for names.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
CountOption = Annotated[int, typer.Option("-k", min=1, max=100, help="Films a row.")]


@app.command()
def recommend(
    viewer: ViewerOption = None,
    user: UserOption = None,
    likes: LikesOption = None,
    time_of_day: TimeOption = None,
    device: DeviceOption = None,
    model: ModelOption = None,
    k: CountOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Rows of films for a viewer, each film with its reason."""
    from recommender.serve import wire

    service = _open(k)
    who = _who(service, viewer, user, likes)
    query = Query(who.profile, _context(time_of_day, device))
    home = service.home(who, query) if model is None else service.listing(who, query, _model(service, model), k)
    if as_json:
        return _print_json(wire.home(home, who.name, query.context, service.catalog))
    console.print(f"[bold]{who.name}[/] — {home.strategy.why}", highlight=False)
    for row in home.carousels:
        simulated = " · simulated: device" if row.simulated else ""
        table = Table(title=f"{row.title}  [dim]{row.model}{simulated}[/]", title_justify="left", expand=True, box=None, header_style="dim")
        for name, width in (("film", 3), ("year", None), ("match", None), ("reason", 5)):
            table.add_column(name, ratio=width, no_wrap=width is None)
        for r in row.recommendations:
            match = f"{r.match}%" if r.match is not None else "–"
            table.add_row(_plain(service.catalog.titles[r.item]), str(service.catalog.years[r.item]), match, _plain(r.sentence))
        console.print(table, "")
    console.print(f"[dim]{home.timing_ms['total']:.0f} ms[/]", highlight=False)


@app.command()
def explain(
    film: Annotated[str, typer.Option("--film", help="The film to explain, by title.")],
    viewer: ViewerOption = None,
    user: UserOption = None,
    likes: LikesOption = None,
    time_of_day: TimeOption = None,
    device: DeviceOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why a film stands where it stands for a viewer: every reason with its weight."""
    from recommender.serve import phrases, wire

    service = _open()
    who = _who(service, viewer, user, likes)
    query = Query(who.profile, _context(time_of_day, device))
    item = service.catalog.named(film)
    if not service.may_see(who, item):
        raise ValueError(f"film {service.catalog.titles[item]!r} is over the limit of {who.name}, {who.certificate}")
    found = service.details(who, query, item, _model(service, model) if model else "")
    r = found.recommendation
    if as_json:
        facts = {"film": service.catalog.titles[item], "model": r.model, "score": round(r.score, 6), "rank": found.rank}
        exact = {"exact": r.explanation.exact, "sentence": r.sentence}
        return _print_json({**facts, "reasons": wire.reasons(r.explanation, service.catalog), **exact})
    console.print(
        f"[bold]{_plain(service.catalog.titles[item])}[/] for {who.name}: rank {found.rank}, score {r.score:.4f} by {r.model}", highlight=False
    )
    console.print(f"{_plain(r.sentence)}.\n", highlight=False)
    table = Table(box=None, header_style="dim")
    for name in ("kind", "reason", "points"):
        table.add_column(name, justify="right" if name == "points" else "left")
    for reason in r.explanation.reasons:
        simulated = " (simulated)" if reason.simulated else ""
        table.add_row(reason.kind, _plain(phrases.subject(reason, service.catalog)) + simulated, f"{reason.weight:+.4f}")
    console.print(table)
    sums = "The points sum to the score." if r.explanation.exact else "Films by leave-one-out; with the rest, the points sum to the score."
    console.print(f"[dim]{sums}[/]")


@app.command()
def fetch(
    dataset: Annotated[Dataset, typer.Option(help="Which edition of MovieLens.")] = Dataset["ml-1m"],
    source: Annotated[Path | None, typer.Option("--from", help="A local folder or zip instead of the publisher's server.")] = None,
) -> None:
    """Get a MovieLens data set from GroupLens, check it and print its data card."""
    from recommender.datacard import data_card
    from recommender.fetch import fetch as get
    from recommender.load import load

    folder = get(dataset.value, settings().raw, source)
    console.print(data_card(*load(folder)).as_text(), markup=False, highlight=False)


@app.command()
def train(
    names: Annotated[list[str], typer.Argument(help="Model names, or all.")],
    data: Annotated[Path, typer.Option("--data", help="Folder of a MovieLens data set.")],
    metadata: Annotated[Path | None, typer.Option(help="Folder with film facts and texts; data/films.csv where there is none.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    dose: Annotated[float, typer.Option(min=0, help="How strongly the simulated device follows the rule in world.py.")] = 1.0,
    threads: Annotated[int, typer.Option(min=1, help="Processor cores to use.")] = 2,
) -> None:
    """Fit models, examine them on viewers they never saw, and write their artifacts."""
    import torch

    from recommender.models import MODELS
    from recommender.train import train as fit

    shipped = [name for name, make in MODELS.items() if getattr(make(), "shipped", True)]
    wanted = shipped if names == ["all"] else names
    for name in wanted:
        if name not in shipped:
            raise KeyError(f"model {name!r} cannot be trained to an artifact{nearest(name, shipped)}")
    torch.set_num_threads(threads)
    catalog, interactions = _training_data(data, metadata)
    started = time.perf_counter()
    for card in fit(wanted, catalog, interactions, settings().artifacts, settings().checkpoints, seed, dose, settings().min_raters):
        figures = ", ".join(f"{m} {v['mean']:.4f} [{v['lo']:.4f}, {v['hi']:.4f}]" for m, v in card["validation"].items() if isinstance(v, dict))
        console.print(f"{card['name']}: {figures} · {card['weights']['bytes'] / 1e6:.1f} MB · {card['seconds']:.0f} s", highlight=False)
    console.print(f"{len(wanted)} artifacts in {time.perf_counter() - started:.0f} s", highlight=False)


def _training_data(data: Path, metadata: Path | None) -> tuple[Catalog, Interactions]:
    """The data set with its film facts; the facts are written where the app reads them, unless other films stand there."""
    from recommender.artifacts import catalog_hash
    from recommender.load import load, read_films, write_films

    films = settings().films
    catalog, interactions = load(data, metadata or ROOT / "data" / "films.csv")
    if films.exists() and set(read_films(films).ids.tolist()) != set(catalog.ids.tolist()):
        raise ValueError(f"{films} holds other films than {data}; name places of your own in MARQUEE_FILMS and MARQUEE_ARTIFACTS")
    if not films.exists() or catalog_hash(read_films(films)) != catalog_hash(catalog):
        write_films(catalog, films)
    return catalog, interactions


app.command()(evaluate)
app.command()(tables)


@app.command()
def models(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the table in README.md.")] = False,
) -> None:
    """Every committed model: how well it ranked for viewers it never saw, its size, seed and date."""
    from recommender import artifacts

    cards = artifacts.cards(settings().artifacts)
    if markdown:
        return typer.echo(artifacts.as_markdown(cards))
    table = Table(box=None, header_style="dim")
    for column in artifacts.COLUMNS:
        table.add_column(column, justify="left" if column in ("model", "what it is") else "right")
    for card in cards:
        table.add_row(*artifacts.facts(card))
    console.print(table)


def _open(k: int = 20) -> Service:
    from recommender.serve.service import Service

    service = Service.open(settings().model_copy(update={"row_length": k}))
    for problem in service.problems:
        typer.echo(f"warning: {problem}", err=True)
    if not service.models:
        raise LookupError(f"no model loaded from {settings().artifacts}")
    service.dataset_users()  # where a data set is present, its exact user neighbours serve
    return service


def _who(service: Service, viewer: str | None, user: int | None, likes: str | None) -> Viewer:
    """The one viewer that was named; likes make a new one who gave each film five stars."""
    from recommender.serve.viewers import Viewer, viewer_named

    if sum(option is not None for option in (viewer, user, likes)) != 1:
        raise ValueError("wanted exactly one of --viewer, --user and --likes")
    if viewer is not None:
        return viewer_named(service.viewers, viewer)
    if user is not None:
        return service.dataset_viewer(user)
    titles = [title.strip() for title in (likes or "").split(";") if title.strip()]
    if not titles:
        raise ValueError(f'--likes is {likes!r}, wanted "Title; Title"')
    items = list(dict.fromkeys(service.catalog.named(title) for title in titles))
    return Viewer("you", "you", "", {"shape": "ghost", "hue": 0}, Profile(items, [5.0] * len(items), [0] * len(items)), None)  # type: ignore[arg-type]


def _context(time_of_day: TimeOfDay | None, device: Device | None) -> Context:
    return Context(time_of_day.value if time_of_day else None, device.value if device else None)


def _model(service: Service, name: str) -> str:
    if name not in service.models:
        raise KeyError(f"model {name!r} is unknown or did not load{nearest(name, list(service.models))}")
    return name


def _plain(text: str) -> str:
    """Text that rich must not read as markup."""
    from rich.markup import escape

    return escape(text)


def _print_json(answer: dict) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))


def main() -> None:
    """Run a command; what is wrong with the input is one line on stderr and exit code 2."""
    try:
        app()
    except BrokenPipeError:  # the reader, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ValidationError as error:
        wrong = error.errors()[0]
        typer.echo(f"error: setting MARQUEE_{str(wrong['loc'][0]).upper()} is {wrong['input']!r}: {wrong['msg']}", err=True)
        raise SystemExit(2) from None
    except (ValueError, LookupError, OSError) as error:
        typer.echo(f"error: {error.args[0] if isinstance(error, LookupError) and error.args else error}", err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
