"""The commands for experiments: plan one and fix it, run it on simulated viewers, read what it says, and study how well all of that works."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from recommender.names import nearest
from recommender.settings import settings

if TYPE_CHECKING:
    from pandas import DataFrame

    from recommender.experiment.log import Log
    from recommender.experiment.plan import Plan
    from recommender.serve.feedback import Feedback

app = typer.Typer(no_args_is_help=True, help="Plan an experiment, run it on simulated viewers, read what it says.")

NameArgument = Annotated[str, typer.Argument(help="Of the experiment: small letters, digits and hyphens.")]
FolderOption = Annotated[Path | None, typer.Option("--folder", help="Where experiments are kept; artifacts/experiments otherwise.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


@app.command()
def plan(
    name: NameArgument,
    hypothesis: Annotated[str, typer.Option(help="What is expected, in a sentence.")],
    arms: Annotated[
        list[str],
        typer.Option("--arm", help="NAME=MODEL, with :blind where it is not told the context, :0.3 for a varied list; the first is the control."),
    ],
    primary: Annotated[str, typer.Option(help="The metric that decides.")] = "ctr",
    secondary: Annotated[list[str] | None, typer.Option(help="A metric that is looked at too; may be repeated.")] = None,
    guardrails: Annotated[list[str] | None, typer.Option("--guardrail", help="METRIC=MARGIN, the relative loss that is borne; repeated.")] = None,
    mde: Annotated[float, typer.Option(help="Smallest relative effect worth finding.")] = 0.05,
    power: Annotated[float, typer.Option(help="Chance to find it.")] = 0.8,
    alpha: Annotated[float, typer.Option(help="Chance of an alarm where there is nothing.")] = 0.05,
    days: Annotated[int, typer.Option(help="Planned days.")] = 14,
    viewers: Annotated[int | None, typer.Option(help="Planned viewers in all arms; of a simulation those there are, 10,000 if not said.")] = None,
    holdout: Annotated[float, typer.Option(help="Share of viewers who are left as they are.")] = 0.0,
    simulate: Annotated[bool, typer.Option("--simulate/--people", help="On simulated viewers, or on those who use the app.")] = True,
    dose: Annotated[float | None, typer.Option(help="How far context moves the taste of simulated viewers; 1 if not said.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the simulation; 0 if not said.")] = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fix what an experiment is to find out and how, and say how many viewers that takes. Once written, a plan is never changed."""
    from recommender.experiment import plan as plans
    from recommender.experiment.needed import needed

    share = (1 - holdout) / max(len(arms), 1)
    given: dict[str, Any] = {
        "name": name,
        "hypothesis": hypothesis,
        "arms": [_arm(text, share) for text in arms],
        "primary": primary,
        "secondary": [metric for metric in ("engagement", "relevance") if metric != primary] if secondary is None else secondary,
        "mde": mde,
        "power": power,
        "alpha": alpha,
        "days": days,
        "holdout": holdout,
        "frozen": datetime.now(UTC).date().isoformat(),
    }
    if guardrails:
        given["guardrails"] = _margins(guardrails)
    if simulate:
        said = {"dose": dose, "seed": seed, "viewers": viewers}
        given["simulation"] = {name: value for name, value in said.items() if value is not None}
    elif dose is not None or seed is not None:
        raise ValueError("--dose and --seed are of a simulation, wanted neither with --people")
    else:
        given["viewers"] = viewers
    made = plans.Plan.read(json.dumps(given), f"plan {name}")
    _check_models(made)
    found = needed(made, _home(folder))
    path = plans.write(made, _home(folder) / name)
    if as_json:
        plain = {"plan": json.loads(made.as_json()), "checksum": made.checksum, "needed": found and found._asdict()}
        return typer.echo(json.dumps(plain, ensure_ascii=False, indent=1))
    typer.echo(f"{path}: fixed on {made.frozen}, checksum {made.checksum}")
    typer.echo(found.sentence(made) if found else f"How many viewers it takes is not known: nothing here was run yet that measures {made.primary}.")


@app.command()
def run(name: NameArgument, folder: FolderOption = None) -> None:
    """Run a plan on simulated viewers: what they do goes into the store, marked as simulated, and its log beside the plan."""
    import torch
    from tqdm import tqdm

    from recommender.experiment.outcomes import outcomes
    from recommender.experiment.simulate import simulate
    from recommender.serve.feedback import Feedback
    from recommender.serve.service import Service

    made = _plan(name, folder)
    if made.simulation is None:
        raise ValueError(f"experiment {name} is one on people, wanted a simulated one; set MARQUEE_EXPERIMENT={name} and the app runs it")
    torch.set_num_threads(1)  # lists are made on several cores, each on one
    feedback, service = Feedback.open(settings().database_url), Service.open(settings())
    for problem in service.problems:
        typer.echo(f"warning: {problem}", err=True)
    feedback.drop_experiment(name)
    given = 0
    with tqdm(total=made.simulation.days_before + made.days, unit=" days") as bar:
        for batch in simulate(made, service.catalog, service.models, bar.set_description_str):
            feedback.add_columns(batch)
            given += len(batch["viewer"])
            bar.update()
    events = _of(made, feedback)
    if len(events) != given:
        raise ValueError(
            f"the store has {len(events):,} events of {name}, wanted {given:,}: another run of it ended meanwhile, or was begun; run it again"
        )
    log = outcomes(made, events, service.catalog).log
    path = log.save(_home(folder) / name / "log.npz")
    typer.echo(f"{given:,} events of {len(log):,} simulated viewers stored; {path}: {path.stat().st_size:,} bytes")


@app.command()
def read(
    name: NameArgument,
    until: Annotated[int | None, typer.Option(min=0, help="Only up to and with this day, the first being 0.")] = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """What an experiment says: its health, its effects, and the verdict by the rule that was planned."""
    from recommender.experiment.printed import printed
    from recommender.experiment.reading import read as read_log

    made = _plan(name, folder)
    found = read_log(made, _log(made, folder), until)
    if as_json:
        return typer.echo(found.as_json(), nl=False)
    printed(found, _console())


@app.command("list")
def list_all(folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Every experiment that is planned, and what was recorded of it."""
    from recommender.experiment.plan import PlanError
    from recommender.experiment.printed import table
    from recommender.experiment.shelf import overview
    from recommender.serve.feedback import Feedback

    recorded = Feedback.open(settings().database_url).experiments()
    rows = []
    for path in sorted(_home(folder).glob("*/plan.json")):
        try:
            made = _plan(path.parent.name, folder)
        except PlanError as error:
            typer.echo(f"warning: {error}", err=True)
            continue
        rows.append(overview(made, recorded, path.with_name("log.npz").exists()))
    if as_json:
        return typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    if not rows:
        return typer.echo(f"No experiment is planned in {_home(folder)}.")
    table(rows, _console())


@app.command()
def drop(name: NameArgument, yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False) -> None:
    """Delete what simulated viewers did in an experiment from the store. The plan, its log, and what people did stay."""
    from recommender.serve.feedback import Feedback

    feedback = Feedback.open(settings().database_url)
    stored = {r.experiment: r.events for r in feedback.experiments() if r.simulated}
    if name not in stored:
        raise LookupError(f"experiment {name!r} has no simulated events in {feedback.where}{nearest(name, list(stored))}")
    if not yes:
        typer.confirm(f"Delete {stored[name]:,} simulated events of {name}?", abort=True)
    typer.echo(f"{feedback.drop_experiment(name):,} simulated events of {name} deleted")


@app.command()
def study(name: Annotated[str, typer.Argument(help="calibration, aa, doses, interleaving, off-policy, bandit, or all.")]) -> None:
    """Study how well experiments work, and write artifacts/reports."""
    from recommender.evaluate import report
    from recommender.experiment.studies import STUDIES

    if name not in (known := [*STUDIES, "all"]):
        raise LookupError(f"study {name!r} is not known{nearest(name, known)}")
    for each in STUDIES if name == "all" else (name,):
        found = STUDIES[each](lambda line: typer.echo(line, err=True))
        typer.echo(f"{report.write(found, settings().artifacts / 'reports')}: {len(found.rows)} figures")


# -- how ----------------------------------------------------------------------------------------------------------------------


def _console() -> Console:
    """As wide as the terminal or COLUMNS say; wide where neither does."""
    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200)


def _home(folder: Path | None) -> Path:
    return folder or settings().artifacts / "experiments"


def _arm(text: str, share: float) -> dict[str, Any]:
    """NAME=MODEL[:context|:blind][:VARIETY]"""
    found = _ARM.fullmatch(text)
    if not found:
        raise ValueError(f"--arm is {text!r}, wanted NAME=MODEL, NAME=MODEL:blind or NAME=MODEL:blind:0.3")
    name, model, told, variety = found.groups()
    return {"name": name, "model": model, "context": told != "blind", "share": share, "variety": variety and float(variety)}


_ARM = re.compile(r"([^=]+)=([^:]+)(?::(context|blind))?(?::([01]|[01]?\.\d+))?")


def _margins(texts: Sequence[str]) -> dict[str, float]:
    """METRIC=MARGIN of each"""
    margins: dict[str, float] = {}
    for text in texts:
        metric, _, margin = text.partition("=")
        if metric in margins:
            raise ValueError(f"--guardrail is {text!r}, wanted each metric once")
        try:
            margins[metric] = float(margin)
        except ValueError:
            raise ValueError(f"--guardrail is {text!r}, wanted METRIC=MARGIN such as diversity=0.1") from None
    return margins


def _check_models(made: Plan) -> None:
    from recommender import artifacts

    known = [card["name"] for card in artifacts.cards(settings().artifacts)]
    for arm in made.arms:
        if arm.model not in known:
            raise KeyError(f"model {arm.model!r} of arm {arm.name} is not known{nearest(arm.model, known)}")


def _plan(name: str, folder: Path | None) -> Plan:
    from recommender.experiment import plan as plans

    return plans.find(_home(folder), name)


def _of(made: Plan, feedback: Feedback) -> DataFrame:
    """What the store has of the experiment: of simulated viewers, or of people."""
    events = feedback.outcomes(made.name)
    return events[events["simulated"] == made.simulated]


def _log(made: Plan, folder: Path | None) -> Log:
    """Of a simulation from beside the plan, as the page reads it; else from the store."""
    from recommender.experiment.log import Log
    from recommender.experiment.outcomes import outcomes
    from recommender.serve.feedback import Feedback
    from recommender.serve.service import Service

    path = _home(folder) / made.name / "log.npz"
    if made.simulated and path.exists():
        return Log.load(path)
    run = f"python -m recommender experiment run {made.name}"
    events = _of(made, Feedback.open(settings().database_url))
    if events.empty and path.exists():
        return Log.load(path)
    if events.empty:
        doing = run if made.simulated else f"MARQUEE_EXPERIMENT={made.name} and people in the app"
        raise LookupError(f"experiment {made.name} has no events yet, wanted some: {doing}")
    found = outcomes(made, events, Service.open(settings()).catalog)
    if found.moved:
        typer.echo(f"warning: {found.moved:,} viewers met another arm than the assignment gives them", err=True)
    if made.simulated:
        typer.echo(f"warning: read from the store, which may have a run that was broken off or still goes on; {run} writes the whole log", err=True)
    return found.log
