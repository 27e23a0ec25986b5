"""The commands that examine models: every figure on a page or in the README comes from one of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.names import nearest
from recommender.settings import ROOT, as_markdown, settings

if TYPE_CHECKING:
    from recommender.evaluate.report import Report
    from recommender.evaluate.runs import Job

PROTOCOLS = ("P1", "P2", "P3", "P4", "cold-start", "context", "data", "audit", "explanations", "dislikes", "sliders", "together", "interview", "all")
REAL_CONTEXT = "depaulmovie"  # of a data set of its own, so no part of all
Protocol = StrEnum("Protocol", {p: p for p in (*PROTOCOLS, REAL_CONTEXT)})  # type: ignore[misc]


def evaluate(
    protocol: Annotated[Protocol, typer.Argument(help="P1 last film, P2 random fifth, P3 stars, P4 cut in time, a study, or all.")],
    data: Annotated[Path, typer.Option("--data", help="Folder of a MovieLens data set.")],
    names: Annotated[list[str] | None, typer.Option("--models", help="Only these and the baselines; may be repeated.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of the models that start at random.")] = 3,
    folds: Annotated[int, typer.Option(min=1, max=10, help="How many of the ten folds of P3.")] = 3,
    run_dir: Annotated[Path | None, typer.Option(help="Also write rankings and right films in the formats of TREC into this folder.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processor cores to use.")] = 2,
) -> None:
    """Examine models by published protocols, and write artifacts/reports. An interrupted run goes on where it was.

    cold-start, interview, context, explanations, dislikes, sliders and together examine the released models, on viewers those never saw; data
    describes the data set, audit asks whether the part of day or the weekend shifts the genres that one and the same person rates. depaulmovie
    reads a data set of that name.
    """
    import torch

    from recommender.evaluate import report, runs

    chosen = PROTOCOLS[:-1] if protocol.value == "all" else (protocol.value,)
    known = list(dict.fromkeys(name for p in chosen for name in runs.known_models(p)))
    for name in names or []:
        if name not in known:
            raise KeyError(f"model {name!r} takes no part in {', '.join(chosen)}{nearest(name, known)}")
    torch.set_num_threads(threads)
    if protocol.value == REAL_CONTEXT:
        command = f"python -m recommender evaluate {REAL_CONTEXT} --data {data.resolve().name}"
        found = runs.real_context(data, {"dataset": data.resolve().name, "versions": _versions(), "command": command}, typer.echo)
        return typer.echo(f"{report.write(found, settings().artifacts / 'reports')}: {len(found.rows)} figures")
    read = runs.read_data(data, settings().films)
    options = "".join(f" --models {n}" for n in names or []) + f" --seeds {seeds}" + (f" --folds {folds}" if "P3" in chosen else "")
    folder = data.resolve().name
    command = f"python -m recommender evaluate {protocol.value} --data {folder}"
    seedless = ("data", "audit", "explanations", "dislikes", "sliders", "together", "interview")
    facts = {"dataset": folder, "versions": _versions(), "command": command + ("" if protocol.value in seedless else options)}
    job = runs.Job(*read, names or known, list(range(seeds)), settings().evaluations, facts, folds, run_dir, typer.echo)
    for p in chosen:
        try:
            found = _study(p, data, job) if p not in runs.PROTOCOLS else runs.evaluate(p, job)
        except (LookupError, ValueError) as error:
            if protocol.value != "all":
                raise
            typer.echo(f"{p} left out: {error.args[0]}")
            continue
        typer.echo(f"{report.write(found, settings().artifacts / 'reports')}: {len(found.rows)} figures")


def tables(
    write: Annotated[bool, typer.Option("--write", help="Put them between their markers in README.md and docs/.")] = False,
) -> None:
    """The tables of README.md and docs/, made of artifacts/reports, the cards of the models and the settings."""
    from recommender.evaluate.tables import MARK, placed

    made = every_table(settings().artifacts)
    if not write:
        return typer.echo("\n\n".join(f"# {name}\n\n{block}" for name, block in made.items()))
    texts = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
    for page, text in placed({page: text for page, text in texts.items() if MARK.search(text)}, made).items():
        (ROOT / page).write_text(text, "utf-8")
        typer.echo(f"{page}: {', '.join(MARK.findall(text))}")


def every_table(folder: Path) -> dict[str, str]:
    """Name -> block: of the settings, the models, the headlines, and of every report in an artifacts folder."""
    from recommender import artifacts
    from recommender.evaluate.tables import blocks, headlines

    studied, lead = blocks(folder / "reports"), headlines(folder / "reports")
    return {**studied, "settings": as_markdown(), "models": artifacts.as_markdown(artifacts.cards(folder)), "headlines": lead}


def _study(name: str, data: Path, job: Job) -> Report:
    """A report that is no protocol: of the data set, or of the released models where they were made from it."""
    from recommender import artifacts
    from recommender.evaluate import audit, dataset, runs
    from recommender.train import strangers

    if name == "data":
        return dataset.describe(data, settings().films, job.facts)
    if name == "audit":
        return audit.audit(data, job.catalog, job.interactions, job.facts, job.say)
    card = artifacts.card("hybrid", settings().artifacts)
    made_from = card["data"]["sha256"]
    if made_from != job.interactions.fingerprint():
        raise LookupError(f"the released models were made from data {made_from[:12]}, not from {data.name}; python -m recommender train makes others")
    models, split = strangers([*runs.STUDIED[name]], job.catalog, job.interactions, settings().artifacts, min_raters=settings().min_raters)
    if name == "context":
        return runs.context(models, split, card["dose"], job)
    studies = {"cold-start": runs.cold_start, "explanations": runs.explanations, "dislikes": runs.weights, "sliders": runs.costs}
    return (studies | {"together": runs.together, "interview": runs.interviews})[name](models, split, job)


def _versions() -> dict[str, str]:
    """Of what figures depend on."""
    import platform

    import numpy
    import scipy
    import sklearn
    import torch

    return {"python": platform.python_version(), **{m.__name__: m.__version__ for m in (numpy, scipy, sklearn, torch)}}
