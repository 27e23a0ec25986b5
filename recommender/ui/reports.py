"""Reports as the page reads them: opened once per version of the file, checked, as frames; a damaged one becomes a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from recommender.evaluate.report import Report, ReportError, files, read
from recommender.settings import settings

COMMAND = "python -m recommender evaluate all --data data/raw/ml-1m"


@dataclass(frozen=True, eq=False)
class Opened:
    """A report with its rows and differences as frames; segment None is all users, k None is a metric without one, lo and hi NaN are no interval."""

    file: str
    report: Report
    table: pd.DataFrame
    paired: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Shelf:
    """What could be read, by name, and a line for each file that could not."""

    found: dict[str, Opened]
    problems: tuple[str, ...]


def shelf() -> Shelf:
    """All reports of the artifacts folder, as they are now."""
    found, problems = {}, []
    for path in files(settings().artifacts / "reports"):
        try:
            stat = path.stat()
            found[path.stem] = _opened(str(path), stat.st_mtime_ns, stat.st_size)
        except (ReportError, OSError) as error:
            problems.append(str(error).replace(f"{path.parent}/", ""))
    return Shelf(found, tuple(problems))


def beside(name: str) -> Opened | None:
    """A report of the house's form that stands beside the others, such as "bench"; None where it is not there.

    Raises ReportError where it is damaged.
    """
    path = settings().artifacts / "reports" / f"{name}.json"
    if not path.is_file():
        return None
    stat = path.stat()
    return _opened(str(path), stat.st_mtime_ns, stat.st_size)


@st.cache_resource(show_spinner=False, max_entries=32)
def _opened(path: str, changed: int, size: int) -> Opened:
    """Read a file once per change. A resource, so that thousands of rows are shared and not copied in every run: nobody writes to them."""
    report = read(Path(path))
    try:
        table = _checked(report.table(), ("mean", "lo", "hi", "n"))
        paired = _checked(report.paired(), ("delta", "lo", "hi", "p_holm"))
        table.loc[table["lo"] == table["hi"], ["lo", "hi"]] = float("nan")
        labels = {c.model: c.label for c in report.models}
        for frame in (table, paired):
            frame.insert(1, "label", [labels.get(model, model) for model in frame["model"]])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ReportError(f"{path} holds figures that are none: {error}") from None
    return Opened(Path(path).name, report, table, paired)


def _checked(frame: pd.DataFrame, numbers: tuple[str, ...]) -> pd.DataFrame:
    """Numbers as numbers; k and segment as objects, where None means none; rows without a finite figure fall out."""
    for name in numbers:
        frame[name] = pd.to_numeric(frame[name], errors="raise").astype(float)
    frame["k"] = pd.Series([None if pd.isna(k) else int(k) for k in frame["k"]], dtype=object)
    frame["segment"] = pd.Series([None if pd.isna(s) else str(s) for s in frame["segment"]], dtype=object)
    kept = frame[numbers[0]].abs() < float("inf")
    return frame[kept].reset_index(drop=True)
