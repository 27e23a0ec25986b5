"""What was found out: evaluation reports, experiments, models."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.responses import JSONResponse

from recommender import artifacts
from recommender.api import browsed_experiments, browsed_reports
from recommender.api.depends import SLOW, Answering
from recommender.api.parameters import WHERE, Page
from recommender.api.people import among, refused
from recommender.api.problems import Problem, documented, shown
from recommender.api.reach import lasting
from recommender.evaluate.report import Paired, Report, ReportError, Row, files, latest
from recommender.experiment import shelf
from recommender.experiment.results import Reading
from recommender.experiment.shelf import LEAST, Shelf, TooFew
from recommender.models import MODELS
from recommender.serve.columns import Recorded
from recommender.serve.feedback import Feedback
from recommender.serve.service import Service

router = APIRouter(tags=["reports"])
ALL = "all"  # users, as a segment
COUNTED = 15  # seconds for which the store's experiments are not counted anew

ReportName = Annotated[str, InPath(min_length=1, max_length=64, examples=["P1"], description="of a report, as /api/evaluation lists them")]
ExperimentName = Annotated[
    str, InPath(min_length=1, max_length=64, examples=["blend"], description="of an experiment, as /api/experiments lists them")
]
Filter = Annotated[str | None, Query(min_length=1, max_length=80)]


# -- evaluation --------------------------------------------------------------------------------------------------------


@router.get("/api/evaluation", operation_id="evaluations", response_model=browsed_reports.Reports)
def evaluations(service: Answering) -> JSONResponse:
    """All evaluation reports, each in a line."""
    found, damaged = [], []
    for name, path in _reports(service).items():
        try:
            found.append(browsed_reports.facts(name, latest(path)))
        except ReportError:
            damaged.append(name)
    return JSONResponse({"reports": found, "damaged": damaged})


@router.get("/api/evaluation/{name}", operation_id="evaluation", response_model=browsed_reports.ReportOf, responses=documented(404))
def evaluation(
    service: Answering,
    name: ReportName,
    variant: Annotated[Filter, Query(description="only this form of the protocol")] = None,
    model: Annotated[Filter, Query(description="only this model", examples=["ease"])] = None,
    metric: Annotated[Filter, Query(description="only this metric", examples=["NDCG"])] = None,
    k: Annotated[int | None, Query(ge=1, le=10_000, description="only metrics at so many films")] = None,
    segment: Annotated[Filter, Query(description=f"only this segment, as dimension=value; {ALL} for all users", examples=[ALL])] = None,
    page: Annotated[int, Query(ge=1, le=10_000, description="from 1, of figures and differences alike")] = 1,
    size: Annotated[int, Query(ge=1, le=1000, description="how many on a page")] = 100,
) -> JSONResponse:
    """A report: its facts, its models and what they cost, and its figures and differences, those asked for."""
    report = _report(service, name)
    wanted = _Wanted(variant, model, metric, k, segment)
    wanted.check(report)
    on, rows, pairs = Page(page, size), [r for r in report.rows if wanted.fits(r)], [d for d in report.differences if wanted.fits(d)]
    return JSONResponse(
        {
            "report": browsed_reports.facts(name, report),
            "splits": report.splits,
            "models": [browsed_reports.tested(each) for each in report.models],
            "figures": {**on.facts(len(rows)), "rows": [browsed_reports.figure(row) for row in on.of(rows)]},
            "differences": {**on.facts(len(pairs)), "rows": [browsed_reports.difference(pair) for pair in on.of(pairs)]},
            "more": report.more,
        }
    )


class _Wanted(NamedTuple):
    """What of a report is asked for; None for everything."""

    variant: str | None
    model: str | None
    metric: str | None
    k: int | None
    segment: str | None

    def fits(self, row: Row | Paired) -> bool:
        """Whether a figure is one of those."""
        segment = None if self.segment == ALL else self.segment
        named = (("variant", self.variant), ("model", self.model), ("metric", self.metric), ("k", self.k))
        return all(value is None or getattr(row, field) == value for field, value in named) and (self.segment is None or row.segment == segment)

    def check(self, report: Report) -> None:
        """Problem 404 for what this report has nowhere."""
        rows: Sequence[Row | Paired] = [*report.rows, *report.differences]
        for field in ("variant", "model", "metric", "segment"):
            value, known = getattr(self, field), dict.fromkeys(str(getattr(row, field) or ALL) for row in rows)
            if value is not None and value not in known:
                wanted = among("one of this report's", value, list(known))
                raise Problem(404, "not in this report", f"{WHERE}.{field} is {shown(value)}: wanted {wanted}")


def _reports(service: Service) -> dict[str, Path]:
    return {path.stem: path for path in files(service.settings.artifacts / "reports")}


def _report(service: Service, name: str) -> Report:
    known = _reports(service)
    if name not in known:
        raise Problem(404, "no such report", f"path.name is {shown(name)}: wanted {among('a report', name, list(known))}")
    try:
        return latest(known[name])
    except ReportError:
        raise Problem(503, "damaged", f"the report {name} cannot be read; `python -m recommender evaluate` writes it anew") from None


# -- experiments -------------------------------------------------------------------------------------------------------


@router.get("/api/ab_test_results", operation_id="ab_test_results", response_model=browsed_experiments.Results, dependencies=[SLOW])
def ab_test_results(service: Answering) -> JSONResponse:
    """What every experiment says to the last day: verdict, health, effects with intervals. Most are simulated, and say so."""
    there = _experiments(service)
    results, waiting, damaged = list[dict[str, Any]](), dict(there.waiting), list(there.problems)
    for name in there.found:
        try:
            results.append(browsed_experiments.brief(_read(service, there, name, None)))
        except TooFew as error:
            waiting[name] = str(error)
        except (ValueError, LookupError):
            damaged.append(name)
    return JSONResponse({"results": results, "waiting": [{"name": name, "why": why} for name, why in waiting.items()], "damaged": damaged})


@router.get("/api/experiments", operation_id="experiments", response_model=browsed_experiments.Overviews)
def experiments(service: Answering) -> JSONResponse:
    """All experiments that are planned, and what was recorded of each."""
    there, recorded, folder = _experiments(service), _recorded(service), _folder(service)
    lines = []
    for plan in there.plans.values():
        said = shelf.overview(plan, recorded, (folder / plan.name / "log.npz").exists())
        few = not plan.simulated and said["viewers"] < LEAST
        lines.append({**said, "events": None if few else said["events"], "waiting": there.waiting.get(plan.name)})
    return JSONResponse({"experiments": lines, "damaged": list(there.problems)})


@router.get(
    "/api/experiments/{name}",
    operation_id="experiment",
    response_model=browsed_experiments.ReadingOf,
    responses=documented(404),
    dependencies=[SLOW],
)
def experiment(
    service: Answering,
    name: ExperimentName,
    day: Annotated[int | None, Query(ge=0, le=1000, description="only up to and with this day, the first being 0; to the last without")] = None,
) -> JSONResponse:
    """Everything that an experiment says: health, effects, guardrails, its course, its segments, and the verdict by the rule that was planned."""
    there = _experiments(service)
    if name in there.problems:
        raise _damaged(name)
    if name in there.waiting:
        raise Problem(404, "nothing to read yet", f"experiment {name} {there.waiting[name]}")
    if name not in there.found:
        wanted = among("an experiment", name, [*there.found, *there.waiting])
        raise Problem(404, "no such experiment", f"path.name is {shown(name)}: wanted {wanted}")
    try:
        last = _read(service, there, name, None).days - 1
        if day is not None and day > last:
            raise refused(f"{WHERE}.day", day, f"a day of the experiment, 0 to {last}")
        return JSONResponse(_read(service, there, name, day).plain())
    except TooFew as error:
        raise Problem(404, "nothing to read yet", str(error)) from None
    except (ValueError, LookupError):
        raise _damaged(name) from None


def _damaged(name: str) -> Problem:
    return Problem(503, "damaged", f"the files of experiment {name} cannot be read")


def _folder(service: Service) -> Path:
    return service.settings.artifacts / "experiments"


def _experiments(service: Service) -> Shelf:
    return shelf.shelf(_folder(service), lambda: _recorded(service))


def _read(service: Service, there: Shelf, name: str, day: int | None) -> Reading:
    return shelf.result(there.found[name], day, service.feedback, service.catalog)


def _recorded(service: Service) -> Iterable[Recorded]:
    lasting(service)
    return _counted(service.feedback, int(time.monotonic() / COUNTED))


@lru_cache(maxsize=4)
def _counted(feedback: Feedback, window: int) -> tuple[Recorded, ...]:
    """What the store has of each experiment, asked once in a window of time."""
    return tuple(feedback.experiments())


# -- models ------------------------------------------------------------------------------------------------------------


@router.get("/api/models", operation_id="models", response_model=browsed_reports.Models)
def models(service: Answering) -> JSONResponse:
    """All models: what each is, what it was trained on, and how well it ranked for viewers it never saw."""
    return JSONResponse({"version": service.version, "models": [_model(service, name) for name in MODELS]})


def _model(service: Service, name: str) -> dict[str, Any]:
    try:
        card = artifacts.card(name, service.folder)
    except artifacts.ArtifactError:
        card = None
    return browsed_reports.model(name, card, name in service.models)
