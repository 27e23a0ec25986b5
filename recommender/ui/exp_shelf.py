"""Which experiments there are, read once a version of their files, and what the Experiments page shows of one of them now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from recommender.experiment import plan as plans
from recommender.experiment import reading as readings
from recommender.experiment.breaks import BREAKS, same_for_all
from recommender.experiment.log import Log
from recommender.experiment.outcomes import outcomes
from recommender.experiment.plan import Plan
from recommender.experiment.results import Decision, Reading
from recommender.experiment.sizing import Course
from recommender.experiment.sizing import course as run_of
from recommender.serve.columns import Recorded
from recommender.serve.feedback import FeedbackError
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.ui.reports import Opened

COMMAND = "python -m recommender experiment"
LEAST = 20  # viewers
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
class Stored:
    """The events of an experiment in the store, read once for each number of them."""

    experiment: str
    simulated: bool
    events: int


@dataclass(frozen=True, eq=False)
class Kept:
    """An experiment of the shelf: its plan, where its log comes from, and the days of it that can be read, from 0 to last."""

    plan: Plan
    source: File | Stored
    service: Service
    last: int


@dataclass(frozen=True)
class Experiments:
    """What could be read, by name; name -> why a plan cannot be read yet; and a line for each file that could not."""

    found: dict[str, Kept]
    waiting: dict[str, str]
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
    log_of: File | Stored = File("", 0, 0)

    @property
    def decision(self) -> Decision:
        return next(d for d in self.reading.decisions if d.arm == self.arm)

    @property
    def source(self) -> str:
        """Where the figures come from, for the line under a chart (Markdown)."""
        said = f"`{COMMAND} read {self.plan.name}{f' --until {self.day}' if self.day < self.last else ''}`"
        changed = [*(["A/A"] if self.aa else []), *([self.planted] if self.planted else [])]
        return " · ".join(filter(None, (self.label, f"plan {self.plan.checksum}", *changed, said)))


def experiments(service: Service) -> Experiments:
    """All experiments of the artifacts folder, as they are now; those on people, and those that ran elsewhere, with what the store has of them."""
    found, waiting, problems = dict[str, Kept](), dict[str, str](), list[str]()
    folder = settings().artifacts / "experiments"
    for path in sorted(folder.glob("*/plan.json")):
        try:
            plan = _plan(File.of(path))
            source = _source(plan, path.with_name("log.npz"), service)
            if isinstance(source, str):
                waiting[plan.name] = source
            else:
                found[plan.name] = Kept(plan, source, service, _last(plan, source, service))
        except (ValueError, LookupError, OSError) as error:
            problems.append(str(error).replace(f"{folder}/", ""))
        except FeedbackError as error:
            problems.append(f"{path.parent.name}: {error}")
    ordered = dict(sorted(found.items(), key=lambda each: _first(each[1].plan)))
    return Experiments(ordered, waiting, tuple(problems))


def _first(plan: Plan) -> tuple[bool, int, str]:
    """Which experiment is offered first: those on people, then those with the most viewers."""
    return plan.simulated, -(plan.simulation.viewers if plan.simulation else 0), plan.name


def _source(plan: Plan, file: Path, service: Service) -> File | Stored | str:
    """The file of the log, or the store where there is none or people take part; a word of why it cannot be read where too few have come."""
    if file.exists() and plan.simulated:
        return File.of(file)
    recorded = {(r.experiment, r.simulated): r for r in _recorded(service)}.get((plan.name, plan.simulated))
    if recorded is None:
        return File.of(file) if file.exists() else "has not run yet"
    if recorded.viewers < LEAST:
        return f"has {recorded.viewers} of the {LEAST} viewers below whom nothing is shown, so that nobody’s own history can be read off it"
    return Stored(plan.name, plan.simulated, recorded.events)


@st.cache_data(show_spinner=False, ttl=15)
def _recorded(_service: Service) -> list[Recorded]:
    """What the store has of each experiment; asked again after some seconds, not in every run."""
    return _service.feedback.experiments()


@st.cache_resource(show_spinner=False, max_entries=64)
def _plan(file: File) -> Plan:
    return plans.read(Path(file.path))


@st.cache_resource(show_spinner="Opening the experiment", max_entries=4)
def _log(plan: Plan, source: File | Stored, _service: Service) -> Log:
    """A resource, so that millions of numbers are shared and not copied in every run: nobody writes to them."""
    if isinstance(source, File):
        return Log.load(Path(source.path))
    events = _service.feedback.outcomes(plan.name)
    return outcomes(plan, events[events["simulated"] == source.simulated], _service.catalog).log


@st.cache_data(show_spinner=False, max_entries=64)
def _last(plan: Plan, source: File | Stored, _service: Service) -> int:
    """The last day of a log, kept when the log itself is not."""
    return int(_log(plan, source, _service).days[-1])


def changed(kept: Kept, aa: bool, broken: str | None) -> tuple[Plan, Log]:
    """The plan and the log of an experiment with both arms the same (A/A) or with a fault of BREAKS planted."""
    return _changed(kept.plan, kept.source, aa, broken, kept.service)


@st.cache_resource(show_spinner=False, max_entries=4)
def _changed(plan: Plan, source: File | Stored, aa: bool, broken: str | None, _service: Service) -> tuple[Plan, Log]:
    log = _log(plan, source, _service)
    if aa:
        plan, log = same_for_all(plan, log, SEED)
    if broken:
        log = BREAKS[broken].plant(plan, log, SEED)
    return plan, log


def reading(kept: Kept, aa: bool, broken: str | None, until: int) -> Reading:
    """What an experiment says by the end of a day."""
    return _reading(kept.plan, kept.source, aa, broken, until, kept.service)


@st.cache_resource(show_spinner="Reading the experiment", max_entries=128)
def _reading(plan: Plan, source: File | Stored, aa: bool, broken: str | None, until: int, _service: Service) -> Reading:
    return readings.read(*_changed(plan, source, aa, broken, _service), until)


def course(shown: Shown, metric: str) -> Course:
    """How viewers, spread and what CUPED saves grew over the days of what is shown."""
    return _course(shown.plan, shown.log_of, shown.aa, shown.broken, metric, shown.arm, shown.log)


@st.cache_resource(show_spinner=False, max_entries=64)
def _course(plan: Plan, log_of: File | Stored, aa: bool, broken: str | None, metric: str, arm: str, _log: Log) -> Course:
    return run_of(plan, _log, metric, arm)
