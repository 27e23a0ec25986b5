"""The commands for experiments: plan one and fix it, run it on simulated viewers, read what it says, and study how well all of that works."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from recommender.names import nearest
from recommender.settings import settings

if TYPE_CHECKING:
    from recommender.experiment.log import Log
    from recommender.experiment.plan import Plan
    from recommender.experiment.results import Guarded, Measured, Reading

app = typer.Typer(no_args_is_help=True, help="Plan an experiment, run it on simulated viewers, read what it says.")
console = Console()

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
    dose: Annotated[float, typer.Option(help="How far context moves the taste of simulated viewers.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
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
        given["guardrails"] = dict(map(_margin, guardrails))
    if simulate:
        given["simulation"] = {"dose": dose, "seed": seed} | ({} if viewers is None else {"viewers": viewers})
    else:
        given["viewers"] = viewers
    made = plans.Plan.read(json.dumps(given), f"plan {name}")
    _check_models(made)
    path = plans.write(made, _home(folder) / name)
    found = needed(made, _home(folder))
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
    from recommender.serve.service import Service

    made = _plan(name, folder)
    if made.simulation is None:
        raise ValueError(f"experiment {name} is one on people, wanted a simulated one; set MARQUEE_EXPERIMENT={name} and the app runs it")
    torch.set_num_threads(1)  # lists are made on several cores, each on one
    service = Service.open(settings())
    for problem in service.problems:
        typer.echo(f"warning: {problem}", err=True)
    service.feedback.drop_experiment(name)
    stored = 0
    with tqdm(total=made.simulation.days_before + made.days, unit=" days") as bar:
        for batch in simulate(made, service.catalog, service.models, bar.set_description_str):
            stored += service.feedback.add_columns(batch)
            bar.update()
    found = outcomes(made, service.feedback.outcomes(name), service.catalog)
    path = found.log.save(_home(folder) / name / "log.npz")
    typer.echo(f"{stored:,} events of {len(found.log):,} simulated viewers stored; {path}: {path.stat().st_size:,} bytes")


@app.command()
def read(
    name: NameArgument,
    until: Annotated[int | None, typer.Option(min=0, help="Only up to and with this day, the first being 0.")] = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """What an experiment says: its health, its effects, and the verdict by the rule that was planned."""
    from recommender.experiment.reading import read as read_log

    made = _plan(name, folder)
    found = read_log(made, _log(made, folder), until)
    if as_json:
        return typer.echo(found.as_json(), nl=False)
    _print(found)


@app.command("list")
def list_all(folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Every experiment that is planned, and what was recorded of it."""
    from recommender.experiment import plan as plans
    from recommender.serve.feedback import Feedback

    recorded = Feedback.open(settings().database_url).experiments()
    rows = []
    for path in sorted(_home(folder).glob("*/plan.json")):
        made = plans.read(path)
        stored = [r for r in recorded if (r.experiment, r.simulated) == (made.name, made.simulated)]
        counts = {"viewers": sum(r.viewers for r in stored), "events": sum(r.events for r in stored)}
        facts = {"on": "simulated viewers" if made.simulated else "people", "frozen": str(made.frozen or ""), "days": made.days}
        rows.append({"name": made.name, **facts, **counts, "log": path.with_name("log.npz").exists(), "hypothesis": made.hypothesis})
    if as_json:
        return typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    if not rows:
        return typer.echo(f"No experiment is planned in {_home(folder)}.")
    console.print(_table(tuple(rows[0]), [[_cell(value) for value in row.values()] for row in rows]))


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

    if name not in (*STUDIES, "all"):
        raise LookupError(f"study {name!r} is not known, wanted one of {', '.join(STUDIES)} or all{nearest(name, list(STUDIES))}")
    for each in STUDIES if name == "all" else (name,):
        found = STUDIES[each](lambda line: typer.echo(line, err=True))
        typer.echo(f"{report.write(found, settings().artifacts / 'reports')}: {len(found.rows)} figures")


# -- how ----------------------------------------------------------------------------------------------------------------------


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


def _margin(text: str) -> tuple[str, float]:
    """METRIC=MARGIN"""
    metric, _, margin = text.partition("=")
    try:
        return metric, float(margin)
    except ValueError:
        raise ValueError(f"--guardrail is {text!r}, wanted METRIC=MARGIN such as diversity=0.1") from None


def _check_models(made: Plan) -> None:
    from recommender import artifacts

    known = [card["name"] for card in artifacts.cards(settings().artifacts)]
    for arm in made.arms:
        if arm.model not in known:
            raise KeyError(f"model {arm.model!r} of arm {arm.name} is not known{nearest(arm.model, known)}")


def _plan(name: str, folder: Path | None) -> Plan:
    """A plan that no longer changes. LookupError with the nearest name, or a ValueError."""
    from recommender.experiment import plan as plans

    known = {path.parent.name: path for path in sorted(_home(folder).glob("*/plan.json"))}
    if name not in known:
        raise LookupError(f"experiment {name!r} is not planned in {_home(folder)}{nearest(name, list(known))}")
    made = plans.read(known[name])
    if made.frozen is None:
        raise ValueError(f"experiment {name} is not frozen, wanted a plan that `experiment plan` wrote")
    return made


def _log(made: Plan, folder: Path | None) -> Log:
    """From the store where it has the experiment, else from beside the plan."""
    from recommender.experiment.log import Log
    from recommender.experiment.outcomes import outcomes
    from recommender.serve.feedback import Feedback
    from recommender.serve.service import Service

    events = Feedback.open(settings().database_url).outcomes(made.name)
    events = events[events["simulated"] == made.simulated]
    if len(events):
        found = outcomes(made, events, Service.open(settings()).catalog)
        if found.moved:
            typer.echo(f"warning: {found.moved:,} viewers met another arm than the assignment gives them", err=True)
        return found.log
    path = _home(folder) / made.name / "log.npz"
    if not path.exists():
        doing = f"python -m recommender experiment run {made.name}" if made.simulated else f"MARQUEE_EXPERIMENT={made.name} and people in the app"
        raise LookupError(f"experiment {made.name} has no events yet, wanted some: {doing}")
    return Log.load(path)


# -- tables -------------------------------------------------------------------------------------------------------------------


def _print(found: Reading) -> None:
    """Verdicts, health, effects and guardrails; the rest stands in the JSON."""
    on = "simulated viewers" if found.simulated else "people"
    console.print(f"[bold]{found.plan.name}[/], on {on}, {found.days} of {found.plan.days} days. {found.plan.hypothesis}", highlight=False)
    for decision in found.decisions:
        console.print(f"[bold]{decision.verdict.upper()}[/]  {decision.sentence}", highlight=False)
    came = {**found.counts, **{f"left out: {why}": n for why, n in found.left_out.items() if n}}
    console.print("Viewers: " + ", ".join(f"{name} {n:,}" for name, n in came.items()), highlight=False)
    rows = [[check.label, "holds" if check.ok else "blocks" if check.blocks else "warns", check.said] for check in found.health]
    console.print(_table(("health", "", "what was found"), rows))
    console.print(_table(EFFECT, [_effect(m) for m in (*found.primary, *found.secondary)]))
    console.print(_table((*EFFECT, "margin", "state"), [_guard(g) for g in found.guardrails]))
    console.print(f"[dim]{found.decisions[0].rule}[/]", highlight=False)


EFFECT = ("metric", "arm", "control", "treatment", "effect", "at every look", "p", "saved by CUPED")


def _effect(m: Measured) -> list[str]:
    from recommender.experiment.metrics import METRICS
    from recommender.experiment.said import chance, percent, span

    best, anytime = m.best, m.sharp_anytime_relative or m.anytime_relative
    values = [f"{best.control:.4g}", f"{best.treatment:.4g}", f"{percent(best.relative.estimate)} {span(best.relative)}", span(anytime)]
    p = chance(best.p if m.p_holm is None else m.p_holm).removeprefix("p ").removeprefix("= ")
    return [METRICS[m.metric].label, m.arm, *values, p, f"{m.saved:.0%}" if m.sharp else ""]


def _guard(g: Guarded) -> list[str]:
    return [*_effect(g.measured), f"{100 * g.margin:g}%", g.state]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich.markup import escape

    table = Table(box=None, header_style="dim")
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
