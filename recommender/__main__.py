"""The command line: `python -m recommender COMMAND`. Each command is a few lines over a room."""

from __future__ import annotations

import os
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from recommender.api.command import serve
from recommender.ask import explain, recommend, why_not
from recommender.beside import compare
from recommender.examine import evaluate, tables
from recommender.mine import bring, export, forget
from recommender.names import nearest
from recommender.operate import backup, posters, refresh, releases, restore, rollback
from recommender.scale.command import app as scale
from recommender.settings import ROOT, settings
from recommender.trials import app as experiment

if TYPE_CHECKING:
    from recommender.catalog import Catalog
    from recommender.interactions import Interactions

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Marquee: films recommended, explained and evaluated."
)
console = Console()

Dataset = StrEnum("Dataset", {d: d for d in ("ml-1m", "ml-100k", "ml-latest-small", "ml-32m")})  # type: ignore[misc]


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
    threads: Annotated[int, typer.Option(min=1, help="Processor cores to use, by each process.")] = 2,
) -> None:
    """Fit models, examine them on viewers they never saw, and write their artifacts; started by torchrun, on several processes."""
    import torch

    from recommender.models import BESIDE, MODELS, processes
    from recommender.train import train as fit

    shipped = [name for name, make in MODELS.items() if getattr(make(), "shipped", True)] + list(BESIDE)
    wanted = shipped if names == ["all"] else names
    for name in wanted:
        if name not in shipped:
            raise KeyError(f"model {name!r} cannot be trained to an artifact{nearest(name, shipped)}")
    torch.set_num_threads(threads)
    catalog, interactions = _training_data(data, metadata)
    started = time.perf_counter()
    with processes.joined():
        console.quiet = processes.rank() > 0
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


app.command()(recommend)
app.command()(explain)
app.command("why-not")(why_not)
app.command()(compare)
app.command("import")(bring)
app.command()(export)
app.command()(forget)
app.command()(evaluate)
app.command()(tables)
app.command()(serve)
for operation in (refresh, releases, rollback, backup, restore, posters):
    app.command()(operation)
app.add_typer(experiment, name="experiment")
app.add_typer(scale, name="scale")


@app.command()
def models(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the table in docs/results.md.")] = False,
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


def main() -> None:
    """Run a command; what is wrong with the input is one line on stderr and exit code 2."""
    try:
        app()
    except BrokenPipeError:  # the reader, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, LookupError, OSError) as error:
        typer.echo(f"error: {error.args[0] if isinstance(error, LookupError) and error.args else error}", err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
