"""The commands of `python -m recommender scale`: fitting and listing beyond one machine, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.names import nearest
from recommender.settings import ROOT, settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from recommender.scale.store import Facts, Store

app = typer.Typer(no_args_is_help=True, help="Fit models and make lists beyond one machine, on Apache Spark.")
REPORT = "scale.json"

Folder = Annotated[Path, typer.Option("--store", help="Folder of the tables, seen by all machines.")]
Master = Annotated[str, typer.Option(help="Where Spark runs: local[2], spark://HOST:PORT, yarn, k8s://…")]
Memory = Annotated[str, typer.Option(help="Heap of each JVM.")]
Data = Annotated[Path | None, typer.Option("--data", help="Folder of a MovieLens data set; without it, interactions are drawn.")]
Users = Annotated[int, typer.Option(min=1, help="Users that are drawn.")]
Films = Annotated[int, typer.Option(min=20, help="Films that are drawn.")]
Mean = Annotated[float, typer.Option(min=1, help="Interactions of a drawn user, on average.")]
Seed = Annotated[int, typer.Option(help="Seed of what is drawn.")]
Scratch = Annotated[Path | None, typer.Option(help="Where shuffles are spilled; a temporary folder if not said.")]


@contextmanager
def _open(folder: Path, master: str, memory: str, scratch: Path | None = None) -> Iterator[tuple[SparkSession, Store]]:
    from recommender.scale.session import missing, session
    from recommender.scale.store import Store

    if wrong := missing():
        raise OSError(wrong)
    with session(master, memory, scratch=scratch) as spark:
        yield spark, Store(folder.resolve())


def _writing(spark: SparkSession, store: Store, data: Path | None, users: int, films: int, mean: float, seed: int) -> Callable[[], Facts]:
    """What brings interactions into the store: a data set that is read, or a world that is drawn."""
    from recommender.load import load
    from recommender.scale import synthetic
    from recommender.scale.store import write as put

    if data is None:
        world = synthetic.World(users, films, mean, seed=seed)
        return lambda: synthetic.draw(spark, store, world, parts=max(2, round(users * mean / 2e6)))

    def read() -> Facts:
        catalog, interactions = load(data, ROOT / "data" / "films.csv")
        return put(spark, store, interactions, catalog, data.resolve().name)

    return read


@app.command()
def write(
    store: Folder,
    data: Data = None,
    users: Users = 34_500,
    films: Films = 27_000,
    mean: Mean = 145,
    seed: Seed = 0,
    master: Master = "local[2]",
    memory: Memory = "2g",
) -> None:
    """Write interactions to Parquet, read from a MovieLens data set or drawn, and bring each user's together."""
    from recommender.scale.store import gather

    with _open(store, master, memory) as (spark, place):
        facts = _writing(spark, place, data, users, films, mean, seed)()
        gather(spark, place)
    typer.echo(f"{store}: {facts.interactions:,} interactions of {facts.users:,} users with {facts.films:,} films, checksum {facts.checksum}")


@app.command()
def fit(
    names: Annotated[list[str], typer.Argument(help="popularity, item_knn, ease, als, mllib (als by Spark's own library), or all but mllib.")],
    store: Folder,
    to: Annotated[Path | None, typer.Option("--to", help="Folder of the artifacts; artifacts in the store if not said.")] = None,
    most: Annotated[int | None, typer.Option(min=1, help="Only so many most rated films take part in ease.")] = None,
    master: Master = "local[2]",
    memory: Memory = "2g",
) -> None:
    """Fit models on the tables and write their artifacts, which the app loads as its own."""
    from recommender.scale import common
    from recommender.scale import fit as fits

    known = [*fits.FITS, "mllib"]
    wanted = list(fits.FITS) if names == ["all"] else names
    for name in wanted:
        if name not in known:
            raise KeyError(f"model {name!r} is not fitted beyond one machine{nearest(name, known)}")
    with _open(store, master, memory) as (spark, place):
        on = fits.prepare(spark, place, settings().min_raters)
        if {"item_knn", "ease"} & set(wanted):
            common.count(spark, place, on.films, spark.sparkContext.defaultParallelism)
        for name in wanted:
            started = time.perf_counter()
            model = fits.mllib(on) if name == "mllib" else fits.ease(on, most) if name == "ease" else fits.FITS[name](on)
            into, more = to or place.folder / "artifacts", {"fitted_by": fits.MLLIB} if name == "mllib" else {}
            card = fits.save("als" if name == "mllib" else name, model, place, into, started, **more)
            typer.echo(f"{name}: {card['weights']['bytes'] / 1e6:.1f} MB · {card['seconds']:.0f} s")


@app.command()
def recommend(
    name: Annotated[str, typer.Argument(help="Name of the model.")],
    store: Folder,
    artifacts: Annotated[Path | None, typer.Option(help="Folder of the artifacts; artifacts in the store if not said.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Films for each user.")] = 10,
    master: Master = "local[2]",
    memory: Memory = "2g",
) -> None:
    """Lists for all users by one model, in any artifact, to Parquet."""
    from recommender.scale.batch import recommend as listing

    with _open(store, master, memory) as (spark, place):
        listing(spark, place, (artifacts or place.folder / "artifacts").resolve(), name, k)
        typer.echo(f"{place.table('recommendations')}/model={name}: lists for {place.facts().users:,} users")


@app.command()
def same(
    store: Folder,
    data: Annotated[Path, typer.Option("--data", help="Folder of the MovieLens data set that the store was written from.")],
    strangers: Annotated[bool, typer.Option("--strangers/--no-strangers", help="Also examine both kinds of ALS on viewers they never saw.")] = True,
    master: Master = "local[2]",
    memory: Memory = "2g",
) -> None:
    """Hold the artifacts of `scale fit` and their lists against those of one machine, and write it into the report."""
    from recommender.load import load
    from recommender.scale import measure
    from recommender.scale.same import compared

    catalog, interactions = load(data, ROOT / "data" / "films.csv")
    with _open(store, master, memory) as (spark, place):
        found = compared(spark, place, interactions, catalog, settings(), strangers, typer.echo)
    measure.add(settings().artifacts / "reports" / REPORT, "same", found)


@app.command("measure")
def measured(
    store: Folder,
    data: Data = None,
    users: Users = 34_500,
    films: Films = 27_000,
    mean: Mean = 145,
    seed: Seed = 0,
    master: Master = "local[2]",
    memory: Memory = "3g",
    scratch: Scratch = None,
) -> None:
    """Take every step at one size and put what it costs into the report; sizes are measured one by one."""
    from recommender.scale import measure

    drawn = f" --users {users} --films {films} --mean {mean:g} --seed {seed}" if data is None else f" --data {data.resolve().name}"
    command, path = f"python -m recommender scale measure{drawn} --memory {memory}", settings().artifacts / "reports" / REPORT
    rows: list[measure.Cost] = []
    with _open(store, master, memory, scratch) as (spark, place):
        for row in measure.run(spark, place, _writing(spark, place, data, users, films, mean, seed), settings().min_raters, typer.echo):
            rows.append(row)
            measure.keep(path, rows, command, memory)


@app.command("tables")
def tables(
    write: Annotated[bool, typer.Option("--write", help="Put them between their markers in docs/scale.md.")] = False,
) -> None:
    """The tables of docs/scale.md, made of the report."""
    from recommender.scale import paper

    made, page = paper.blocks(settings().artifacts / "reports" / REPORT), ROOT / "docs" / "scale.md"
    if not write:
        return typer.echo("\n\n".join(f"# {name}\n\n{block}" for name, block in made.items()))
    page.write_text(paper.placed(page.read_text("utf-8"), made), "utf-8")
    typer.echo(f"{page}: {', '.join(made)}")
