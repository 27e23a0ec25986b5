"""What the GET routes of evaluation reports and models answer."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from recommender import artifacts
from recommender.api.answered import Answered
from recommender.api.browsed import Paged
from recommender.evaluate.report import Contender, Paired, Report, Row
from recommender.serve.phrases import PART_NAMES


class Facts(Answered):
    """A report in a line: what ran, on what, and when."""

    name: str
    protocol: str
    dataset: str
    data_hash: str
    split_checksum: str
    seeds: list[int]
    versions: dict[str, str]
    date: str
    command: str
    models: int
    rows: int
    differences: int


class Reports(Answered):
    """All evaluation reports."""

    reports: list[Facts]
    damaged: list[str] = Field(description="reports that cannot be read")


class Tested(Answered):
    """One model under test and what it costs."""

    model: str
    label: str
    family: str
    uses_time: bool = Field(description="whether it knows the moment of the request")
    seeds: int
    fit_seconds: float
    ms_per_query: float = Field(description="median of queries asked one by one, on one core")
    megabytes: float
    note: str


class Figure(Answered):
    """The mean of a metric over users, with its 95% interval."""

    variant: str = Field(description="which form of the protocol")
    model: str
    metric: str
    k: int | None
    segment: str | None = Field(description="dimension=value; null for all users")
    mean: float
    lo: float | None = Field(description="null where there is no interval, as for coverage")
    hi: float | None
    n: int = Field(description="users behind it")
    spread: float | None = Field(description="standard deviation of the mean over training seeds; null where there is one")


class Difference(Answered):
    """One model less another, user by user, with its 95% interval."""

    variant: str
    model: str
    against: str
    metric: str
    k: int | None
    segment: str | None
    delta: float
    lo: float
    hi: float
    p: float
    p_holm: float = Field(description="corrected for all pairs of one table")
    n: int


class Figures(Paged):
    """Rows of a report that fit what was asked for."""

    rows: list[Figure]


class Differences(Paged):
    """Differences of a report that fit what was asked for."""

    rows: list[Difference]


class ReportOf(Answered):
    """A report: its facts, and a page of its figures and of its differences."""

    report: Facts
    splits: list[dict[str, Any]]
    models: list[Tested]
    figures: Figures
    differences: Differences
    more: dict[str, Any] = Field(description="what only this report has")


class Estimate(Answered):
    """A figure with its 95% interval, of n viewers."""

    mean: float
    lo: float
    hi: float
    n: int


class ModelOf(Answered):
    """A model: what it is, what it was trained on, and how well it ranked for viewers it never saw."""

    name: str
    label: str = Field(description="as it is called on the screen")
    what: str
    loaded: bool
    date: str | None = Field(description="when it was trained; null where it has no card, as what is fitted when the data set is opened")
    parameters: dict[str, Any] | None
    data: dict[str, Any] | None = Field(description="what it was trained on: hash, ratings, users, films")
    fitted_on: str | None
    seed: int | None
    seconds: float | None
    bytes: int | None = Field(description="of its weights")
    sha256: str | None = Field(description="of its weights")
    simulated: list[str] = Field(description="signals it learned from a rule instead of from what was observed")
    protocol: str | None
    figures: dict[str, Estimate]


class Models(Answered):
    """All models."""

    version: str = Field(description="of the models that answer now, as model_version in the answers")
    models: list[ModelOf]


def facts(name: str, report: Report) -> dict[str, Any]:
    """A report in a line, as in Facts."""
    said = ("protocol", "dataset", "data_hash", "split_checksum", "seeds", "versions", "date", "command")
    counts = {part: len(getattr(report, part)) for part in ("models", "rows", "differences")}
    return {"name": name, **{field: getattr(report, field) for field in said}, **counts}


def figure(row: Row) -> dict[str, Any]:
    """A row, as in Figure; equal ends are no interval."""
    return row._asdict() | ({"lo": None, "hi": None} if row.lo == row.hi else {})


def difference(pair: Paired) -> dict[str, Any]:
    """A difference, as in Difference."""
    return pair._asdict()


def tested(contender: Contender) -> dict[str, Any]:
    """A model under test, as in Tested."""
    return contender._asdict()


def model(name: str, card: dict[str, Any] | None, loaded: bool) -> dict[str, Any]:
    """A model by its card, as in ModelOf."""
    known = card or {}
    weights, validation = known.get("weights", {}), known.get("validation") or {}
    return {
        "name": name,
        "label": PART_NAMES[name],
        "what": artifacts.summary(name),
        "loaded": loaded,
        **{field: known.get(field) for field in ("date", "parameters", "data", "fitted_on", "seed", "seconds")},
        "bytes": weights.get("bytes"),
        "sha256": weights.get("sha256"),
        "simulated": known.get("simulated", []),
        "protocol": validation.get("protocol"),
        "figures": {metric: estimate for metric, estimate in validation.items() if isinstance(estimate, dict)},
    }
