"""What an evaluation found, as a small JSON file: the only thing that pages and docs read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import NamedTuple

import pandas as pd


class ReportError(ValueError):
    """A report file that cannot be read as one."""


class Row(NamedTuple):
    """One figure: the mean of a metric over users, with its 95% bootstrap interval; lo == hi where there is none, as for coverage.

    variant: which form of the protocol, such as "stable order"; segment: None for all users, else "dimension=value", such as "history=new";
    n: users behind it; spread: standard deviation of the mean over training seeds, None where there is one seed.
    """

    variant: str
    model: str
    metric: str
    k: int | None
    segment: str | None
    mean: float
    lo: float
    hi: float
    n: int
    spread: float | None = None


class Paired(NamedTuple):
    """model minus against, user by user, with its interval; p from a paired test, p_holm corrected for all pairs of one table."""

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
    p_holm: float
    n: int


class Contender(NamedTuple):
    """One model under test: what it is called and what it costs. ms_per_query is the median of queries asked one by one, on one core."""

    model: str
    label: str
    family: str  # baseline, collaborative, content, sequential, hybrid, other library
    uses_time: bool  # whether it knows the moment of the request
    seeds: int
    fit_seconds: float
    ms_per_query: float
    megabytes: float
    note: str = ""


@dataclass(frozen=True)
class Report:
    """One run of one protocol. splits: {variant, seed, checksum, sizes…} each; more: what only this protocol has, such as calibration."""

    protocol: str
    dataset: str
    data_hash: str
    split_checksum: str  # of the first split
    seeds: list[int]
    versions: dict[str, str]
    date: str
    command: str
    splits: list[dict] = field(default_factory=list)
    models: list[Contender] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    differences: list[Paired] = field(default_factory=list)
    more: dict = field(default_factory=dict)

    def table(self) -> pd.DataFrame:
        """rows as a frame, one column a field."""
        return pd.DataFrame(self.rows, columns=list(Row._fields))

    def paired(self) -> pd.DataFrame:
        """differences as a frame, one column a field."""
        return pd.DataFrame(self.differences, columns=list(Paired._fields))

    def mean(self, model: str, metric: str, k: int | None = 10, variant: str | None = None, segment: str | None = None) -> Row:
        """The one row that was asked for; variant None takes the first. Raises KeyError naming what is missing."""
        variant = variant or self.rows[0].variant
        for row in self.rows:
            if (row.variant, row.model, row.metric, row.k, row.segment) == (variant, model, metric, k, segment):
                return row
        raise KeyError(f"{self.protocol} has no {metric}@{k} of {model!r} for {segment or 'all users'} in {variant!r}")

    def label(self, model: str) -> str:
        return next((c.label for c in self.models if c.model == model), model)


OTHERS = ("api.json", "bench.json", "browser.json", "scale.json")  # without a table in docs: their own commands write them, some in other schemes


def files(folder: Path) -> list[Path]:
    """The reports of a folder, by name."""
    return [path for path in sorted(folder.glob("*.json")) if path.name not in OTHERS]


def write(report: Report, folder: Path) -> Path:
    """Write PROTOCOL.json, one figure a line so that a diff can be read; replaces the old one in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report.protocol}.json"
    plain = asdict(report)
    for name in ("models", "rows", "differences"):
        plain[name] = [row._asdict() for row in getattr(report, name)]
    part = path.with_suffix(".part")
    part.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {_lines(v)}" for k, v in plain.items()) + "\n}\n", "utf-8")
    part.replace(path)
    return path


def _lines(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in value) + "\n]"
    return json.dumps(value, ensure_ascii=False)


def latest(path: Path) -> Report:
    """One report as the file is now, read once for each version of it; ReportError as `read` has it. Nobody may change what is returned."""
    try:
        stat = path.stat()
    except OSError:
        return read(path)
    return _version(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _version(path: Path, changed: int, size: int) -> Report:
    return read(path)


def read(path: Path) -> Report:
    """Read one report; ReportError names the file and what is wrong with it."""
    try:
        raw = json.loads(path.read_text("utf-8"))
        raw["models"] = [Contender(**c) for c in raw["models"]]
        raw["rows"] = [Row(**r) for r in raw["rows"]]
        raw["differences"] = [Paired(**d) for d in raw["differences"]]
        if not all(isfinite(r.mean + r.lo + r.hi) for r in raw["rows"]) or not all(isfinite(d.delta + d.lo + d.hi) for d in raw["differences"]):
            raise ValueError("a figure is not finite")
        return Report(**raw)
    except FileNotFoundError:
        raise ReportError(f"{path} is not there; python -m recommender evaluate writes it") from None
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ReportError(f"{path} is not a report of this version: {error}") from None
