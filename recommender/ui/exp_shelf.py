"""Which experiments there are, read once a version of their files, and what the Experiments page shows of one of them now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import streamlit as st

from recommender.experiment import reading as readings
from recommender.experiment import shelf
from recommender.experiment.breaks import BREAKS, same_for_all
from recommender.experiment.log import Log
from recommender.experiment.plan import Plan
from recommender.experiment.results import Decision, Reading
from recommender.experiment.shelf import File, Planned, Stored
from recommender.experiment.sizing import Course
from recommender.experiment.sizing import course as run_of
from recommender.serve.columns import Recorded
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.ui.reports import Opened

COMMAND = "python -m recommender experiment"
SEED = 0  # of what is planted and of who is relabelled: the same link shows the same


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
    log_of: File | Stored = field(default_factory=lambda: File("", 0, 0))

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
    folder = settings().artifacts / "experiments"
    there = shelf.shelf(folder, lambda: _recorded(service))
    found, problems = dict[str, Kept](), list(there.problems.values())
    for name, planned in there.found.items():
        try:
            found[name] = Kept(planned.plan, planned.source, service, _last(planned.plan, planned.source, service))
        except (ValueError, LookupError, OSError) as error:
            problems.append(str(error).replace(f"{folder}/", ""))
    return Experiments(found, there.waiting, tuple(problems))


@st.cache_data(show_spinner=False, ttl=15)
def _recorded(_service: Service) -> list[Recorded]:
    """What the store has of each experiment; asked again after some seconds, not in every run."""
    return _service.feedback.experiments()


@st.cache_resource(show_spinner="Opening the experiment", max_entries=1)
def _log(plan: Plan, source: File | Stored, _service: Service) -> Log:
    """A resource, so that millions of numbers are shared and not copied; one, as it is soon opened again."""
    return shelf.log_of(Planned(plan, source), _service.feedback, _service.catalog)


@st.cache_data(show_spinner=False, max_entries=64)
def _last(plan: Plan, source: File | Stored, _service: Service) -> int:
    """The last day of a log, kept when the log itself is not."""
    return int(_log(plan, source, _service).days[-1])


def changed(kept: Kept, aa: bool, broken: str | None) -> tuple[Plan, Log]:
    """The plan and the log of an experiment with both arms the same (A/A) or with a fault of BREAKS planted."""
    return _changed(kept.plan, kept.source, aa, broken, kept.service)


@st.cache_resource(show_spinner=False, max_entries=2)
def _changed(plan: Plan, source: File | Stored, aa: bool, broken: str | None, _service: Service) -> tuple[Plan, Log]:
    log = _log(plan, source, _service)
    if aa:
        plan, log = same_for_all(plan, log, SEED)
    if broken:
        log = BREAKS[broken].plant(plan, log, SEED)
    return plan, log


def reading(kept: Kept, aa: bool, broken: str | None, until: int) -> Reading:
    """What an experiment says by the end of a day, as far as that may be shown; TooFew where fewer people had come."""
    return _reading(kept.plan, kept.source, aa, broken, until, kept.service)


@st.cache_resource(show_spinner="Reading the experiment", max_entries=128)
def _reading(plan: Plan, source: File | Stored, aa: bool, broken: str | None, until: int, _service: Service) -> Reading:
    return shelf.shown(readings.read(*_changed(plan, source, aa, broken, _service), until))


def course(shown: Shown, metric: str) -> Course:
    """How viewers, spread and what CUPED saves grew over the days of what is shown."""
    return _course(shown.plan, shown.log_of, shown.aa, shown.broken, metric, shown.arm, shown.log)


@st.cache_resource(show_spinner=False, max_entries=64)
def _course(plan: Plan, log_of: File | Stored, aa: bool, broken: str | None, metric: str, arm: str, _log: Log) -> Course:
    return run_of(plan, _log, metric, arm)
