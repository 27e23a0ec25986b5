"""Which experiments there are, read once a version of their files, and what the Experiments page shows of one of them now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from recommender.experiment import plan as plans
from recommender.experiment import reading as readings
from recommender.experiment.breaks import BREAKS, same_for_all
from recommender.experiment.log import Log, LogError
from recommender.experiment.plan import Plan, PlanError
from recommender.experiment.results import Decision, Reading
from recommender.experiment.sizing import Course
from recommender.experiment.sizing import course as run_of
from recommender.settings import settings
from recommender.ui.reports import Opened

COMMAND = "python -m recommender experiment"
SEED = 0  # of what is planted and of who is relabelled: the same link shows the same


@dataclass(frozen=True)
class File:
    """A file as it is now, so that it is read once a version."""

    path: str
    changed: int
    size: int

    @classmethod
    def of(cls, path: Path) -> File:
        stat = path.stat()
        return cls(str(path), stat.st_mtime_ns, stat.st_size)


@dataclass(frozen=True)
class Kept:
    """An experiment of the shelf: its plan, the file of its log, and the days of it that can be read, from 0 to last."""

    plan: Plan
    log: File
    last: int


@dataclass(frozen=True)
class Experiments:
    """What could be read, by name; plans without a log, and a line for each file that could not."""

    found: dict[str, Kept]
    waiting: tuple[Plan, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Shown:
    """What the page shows now: one experiment, read on one day, with what was planted in it.

    plan, log: what was read, so with the arms of an A/A and with what was planted; arm: the treatment that is looked at; day: the last day that is
    read, last: the last there is, both from 0; aa: whether both arms got the same; broken: the name in BREAKS of what was planted, None for nothing;
    planted: what that was, in words; label: "simulated", or "" for people; report: the report of A/A runs, None where it was not written.
    """

    plan: Plan
    log: Log
    reading: Reading
    arm: str
    day: int
    last: int
    aa: bool = False
    broken: str | None = None
    planted: str = ""
    label: Literal["simulated", ""] = ""
    report: Opened | None = None
    file: File = File("", 0, 0)  # of the log

    @property
    def decision(self) -> Decision:
        return next(d for d in self.reading.decisions if d.arm == self.arm)

    @property
    def source(self) -> str:
        """Where the figures come from, for the line under a chart (Markdown)."""
        said = f"`{COMMAND} read {self.plan.name}{f' --until {self.day}' if self.day < self.last else ''}`"
        changed = [*(["A/A"] if self.aa else []), *([self.planted] if self.planted else [])]
        return " · ".join(filter(None, (self.label, f"plan {self.plan.checksum}", *changed, said)))


def experiments() -> Experiments:
    """All experiments of the artifacts folder, as they are now."""
    found, waiting, problems = {}, list[Plan](), []
    folder = settings().artifacts / "experiments"
    for path in sorted(folder.glob("*/plan.json")):
        try:
            plan = _plan(File.of(path))
            log = path.with_name("log.npz")
            if log.exists():
                file = File.of(log)
                found[plan.name] = Kept(plan, file, int(_log(file).days[-1]))
            else:
                waiting.append(plan)
        except (PlanError, LogError, OSError, IndexError) as error:
            problems.append(str(error).replace(f"{folder}/", ""))
    return Experiments(found, tuple(waiting), tuple(problems))


@st.cache_resource(show_spinner=False, max_entries=64)
def _plan(file: File) -> Plan:
    return plans.read(Path(file.path))


@st.cache_resource(show_spinner=False, max_entries=8)
def _log(file: File) -> Log:
    """A resource, so that millions of numbers are shared and not copied in every run: nobody writes to them."""
    return Log.load(Path(file.path))


@st.cache_resource(show_spinner=False, max_entries=8)
def changed(plan: Plan, file: File, aa: bool, broken: str | None) -> tuple[Plan, Log]:
    """The plan and the log of an experiment with both arms the same (A/A) or with a fault of BREAKS planted."""
    log = _log(file)
    if aa:
        plan, log = same_for_all(plan, log, SEED)
    if broken:
        log = BREAKS[broken].plant(plan, log, SEED)
    return plan, log


@st.cache_resource(show_spinner="Reading the experiment", max_entries=128)
def reading(plan: Plan, file: File, aa: bool, broken: str | None, until: int) -> Reading:
    """What an experiment says by the end of a day. Read once; the page shows it again without work."""
    return readings.read(*changed(plan, file, aa, broken), until)


def course(shown: Shown, metric: str) -> Course:
    """How viewers, spread and what CUPED saves grew over the days of what is shown."""
    return _course(shown.plan, shown.file, shown.aa, shown.broken, metric, shown.arm, shown.log)


@st.cache_resource(show_spinner=False, max_entries=64)
def _course(plan: Plan, file: File, aa: bool, broken: str | None, metric: str, arm: str, _log: Log) -> Course:
    return run_of(plan, _log, metric, arm)
