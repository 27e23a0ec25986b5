"""Which experiments there are, where the log of each comes from, and the limit below which nothing of people is shown: for the page and the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from recommender.catalog import Catalog
from recommender.experiment import plan as plans
from recommender.experiment.log import Log
from recommender.experiment.outcomes import outcomes
from recommender.experiment.plan import Plan
from recommender.experiment.reading import read
from recommender.experiment.results import Day, Reading
from recommender.serve.columns import Recorded
from recommender.serve.feedback import Feedback, FeedbackError

LEAST = 20  # people of an experiment and of each of its arms, below whom somebody's own history could be read off its figures


class TooFew(ValueError):
    """Fewer people than LEAST: nothing is shown of them."""


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


@dataclass(frozen=True)
class Planned:
    """An experiment that can be read: its plan and where its log comes from."""

    plan: Plan
    source: File | Stored

    def __hash__(self) -> int:
        return hash((self.plan.name, self.plan.frozen, self.source))


@dataclass(frozen=True)
class Shelf:
    """All plans by name; what of them can be read; name -> why it cannot be read yet; folder -> what is wrong with its files."""

    plans: dict[str, Plan]
    found: dict[str, Planned]
    waiting: dict[str, str]
    problems: dict[str, str]


def shelf(folder: Path, recorded: Callable[[], Iterable[Recorded]]) -> Shelf:
    """All experiments of a folder, as they are now. `recorded` asks the store what it has, once for each that has no log of its own."""
    known, found, waiting, problems = dict[str, Plan](), dict[str, Planned](), dict[str, str](), dict[str, str]()
    for path in sorted(folder.glob("*/plan.json")):
        try:
            plan = known[path.parent.name] = _plan(File.of(path))
            source = source_of(plan, path.with_name("log.npz"), recorded)
            if isinstance(source, str):
                waiting[plan.name] = source
            else:
                found[plan.name] = Planned(plan, source)
        except FeedbackError as error:
            problems[path.parent.name] = f"{path.parent.name}: {error}"
        except (ValueError, LookupError, OSError) as error:
            problems[path.parent.name] = str(error).replace(f"{folder}/", "")
    return Shelf(known, dict(sorted(found.items(), key=lambda each: first(each[1].plan))), waiting, problems)


@lru_cache(maxsize=64)
def _plan(file: File) -> Plan:
    return plans.read(Path(file.path))


def first(plan: Plan) -> tuple[bool, int, str]:
    """Which experiment is offered first: those on people, then those with the most viewers."""
    return plan.simulated, -(plan.simulation.viewers if plan.simulation else 0), plan.name


def source_of(plan: Plan, file: Path, recorded: Callable[[], Iterable[Recorded]]) -> File | Stored | str:
    """The file of the log, or the store where there is none or people take part; a word of why it cannot be read where too few have come."""
    if file.exists() and plan.simulated:
        return File.of(file)
    stored = {(r.experiment, r.simulated): r for r in recorded()}.get((plan.name, plan.simulated))
    if stored is None:
        return File.of(file) if file.exists() else "has not run yet"
    if stored.viewers < LEAST:
        return f"has {stored.viewers} of the {LEAST} viewers below whom nothing is shown, so that nobody’s own history can be read off it"
    return Stored(plan.name, plan.simulated, stored.events)


def log_of(planned: Planned, feedback: Feedback, catalog: Catalog) -> Log:
    """The log of an experiment, from its file or out of the store."""
    if isinstance(planned.source, File):
        return Log.load(Path(planned.source.path))
    events = feedback.outcomes(planned.plan.name)
    return outcomes(planned.plan, events[events["simulated"] == planned.source.simulated], catalog).log


@lru_cache(maxsize=32)
def result(planned: Planned, until: int | None, feedback: Feedback, catalog: Catalog) -> Reading:
    """What may be shown of what an experiment says by the end of a day, worked out once for each version of its log.

    Raises TooFew where fewer people had come, ValueError where the day is none of the experiment or the log cannot be read.
    """
    return shown(read(planned.plan, log_of(planned, feedback, catalog), until))


def shown(reading: Reading) -> Reading:
    """What may be shown of a reading: of simulated viewers all; of people what rests on at least LEAST of each arm. TooFew where that is nothing."""
    if reading.simulated:
        return reading
    if few := {arm: n for arm, n in reading.counts.items() if n < LEAST}:
        said = ", ".join(f"{n} in {arm}" for arm, n in few.items())
        raise TooFew(f"experiment {reading.plan.name} has {said}; wanted {LEAST} people in each arm, so that nobody's own history can be read off it")
    return replace(reading, over_time=tuple(_of_many(reading)))


def _of_many(reading: Reading) -> Iterator[Day]:
    """The days by which LEAST of both arms had come; what a day says by itself only where LEAST of both came on it."""
    came = {(e.arm, e.day): e.came for e in reading.exposures}
    until = {(arm, day): sum(e.new for e in reading.exposures if e.arm == arm and e.day <= day) for arm, day in came}
    for day in reading.over_time:
        both = [(arm, day.day) for arm in (reading.plan.control.name, day.arm)]
        if min(until[each] for each in both) >= LEAST:
            yield day if min(came[each] for each in both) >= LEAST else replace(day, alone=None)


def overview(plan: Plan, recorded: Iterable[Recorded], has_log: bool) -> dict[str, Any]:
    """An experiment in a line: what it is, and what was recorded of it."""
    stored = [r for r in recorded if (r.experiment, r.simulated) == (plan.name, plan.simulated)]
    return {
        "name": plan.name,
        "on": "simulated viewers" if plan.simulated else "people",
        "frozen": plan.frozen and str(plan.frozen),
        "days": plan.days,
        "viewers": sum(r.viewers for r in stored),
        "events": sum(r.events for r in stored),
        "log": has_log,
        "hypothesis": plan.hypothesis,
    }
