"""What an experiment is to find out and how, fixed before it begins."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, field, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from recommender.experiment.metrics import METRICS
from recommender.names import nearest
from recommender.serve import checks

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
Share = Annotated[float, Field(gt=0, le=1)]
NOTHING_ELSE = ConfigDict(extra="forbid")  # a field that is misspelt is not one that was left out


class PlanError(ValueError):
    """A plan that cannot be read or does not hold: what is wrong, its value, what is wanted."""


@dataclass(frozen=True, config=NOTHING_ELSE)
class Arm:
    """One of the things compared: a model, told the context or not, and the share of viewers who get it.

    variety: how far its list is chosen for films unlike each other (rank.diversify), 0 for the best films as they come; None for people's own way.
    """

    name: str
    model: str
    context: bool = True
    share: Share = 0.5
    variety: Annotated[float | None, Field(ge=0, le=1)] = None


@dataclass(frozen=True, config=NOTHING_ELSE)
class Simulation:
    """What an experiment on simulated viewers needs beside the plan: who comes, how far context moves their taste, and the seed."""

    viewers: Annotated[int, Field(ge=20, le=200_000)] = 10_000
    days_before: Annotated[int, Field(ge=0, le=60)] = 7  # in which everybody gets the control
    dose: Annotated[float, Field(ge=0, le=5)] = 1.0  # of the rule by which context moves taste in experiment/world.py; 0 is none
    seed: Annotated[int, Field(ge=0)] = 0
    lift: Annotated[float, Field(ge=-0.9, le=10)] = 0.0  # planted: clicks in other arms than the first are this much likelier; only for tests


@dataclass(frozen=True, config=NOTHING_ELSE)
class Plan:
    """Hypothesis, arms, metrics and rule. The first arm is the control. `frozen` is the day from which it may no longer change.

    shares of arms and holdout sum to 1; who is held out gets what everybody has, and nothing of them is recorded. mde: smallest relative effect on
    the primary metric worth finding. guardrails: metric -> margin, the relative loss that is still borne. most_clicks: a viewer with more clicks on
    one day counts as a machine and is left out of every arm. viewers: planned number in all arms, None where nobody knows beforehand. simulation:
    None for an experiment on people.
    """

    name: str
    hypothesis: str
    arms: tuple[Arm, ...]
    primary: str = "ctr"
    secondary: tuple[str, ...] = ("engagement", "relevance")
    guardrails: dict[str, float] = field(default_factory=lambda: {"diversity": 0.1, "coverage": 0.1, "latency": 0.5, "complaints": 0.1})
    mde: Annotated[float, Field(gt=0, le=10)] = 0.05
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    power: Annotated[float, Field(gt=0, lt=1)] = 0.8
    days: Annotated[int, Field(ge=1, le=365)] = 14
    viewers: Annotated[int | None, Field(ge=2)] = None
    holdout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    most_clicks: Annotated[int, Field(ge=1)] = 50
    frozen: date | None = None
    simulation: Simulation | None = None

    @model_validator(mode="after")
    def _holds(self) -> Self:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"name is {self.name!r}, wanted 1 to 48 small letters, digits and hyphens")
        if len(self.arms) < 2:
            raise ValueError(f"arms are {len(self.arms)}, wanted at least 2: the control and what is compared with it")
        checks.line(300, "hypothesis", self.hypothesis)
        for arm in self.arms:
            checks.line(40, "name of an arm", arm.name)
        if len({arm.name for arm in self.arms}) < len(self.arms):
            raise ValueError(f"arms are {', '.join(arm.name for arm in self.arms)}, wanted each name once")
        if abs((total := sum(arm.share for arm in self.arms) + self.holdout) - 1) > 1e-9:
            raise ValueError(f"shares of arms and holdout sum to {total:g}, must be 1")
        for name in (self.primary, *self.secondary, *self.guardrails):
            if name not in METRICS:
                raise ValueError(f"metric {name!r} is not known, wanted one of {', '.join(METRICS)}")
        if len({self.primary, *self.secondary}) <= len(self.secondary):
            raise ValueError(f"metrics are {', '.join((self.primary, *self.secondary))}, wanted each once")
        if wrong := {name: margin for name, margin in self.guardrails.items() if not 0 <= margin < 10}:
            raise ValueError(f"margins of guardrails are {wrong}, must be 0 or more, and below 10")
        return self

    @property
    def control(self) -> Arm:
        return self.arms[0]

    @property
    def treatments(self) -> tuple[Arm, ...]:
        return self.arms[1:]

    @property
    def simulated(self) -> bool:
        return self.simulation is not None

    @property
    def salt(self) -> str:
        """What the assignment of this experiment hashes with the viewer's id."""
        return f"marquee/{self.name}"

    def arm(self, name: str) -> Arm:
        return next(arm for arm in self.arms if arm.name == name)

    def freeze(self, today: date) -> Plan:
        """The same plan, from this day on fixed."""
        return replace(self, frozen=today)

    @property
    def checksum(self) -> str:
        """Of all that was planned; it stands beside every result."""
        return hashlib.sha256(_PLAN.dump_json(self)).hexdigest()[:12]

    def as_json(self) -> str:
        return _PLAN.dump_json(self, indent=2).decode() + "\n"

    @classmethod
    def read(cls, text: str, where: str = "the plan") -> Plan:
        """A plan from JSON. A PlanError names the field, its value and what is wanted."""
        try:
            return _PLAN.validate_json(text)
        except ValidationError as error:
            wrong = error.errors()[0]
            field = ".".join(map(str, wrong["loc"]))
            value = f" is {wrong['input']!r}" if field else ""
            raise PlanError(f"{where}: {field}{value}: {wrong['msg'].removeprefix('Value error, ')}".replace(": : ", ": ")) from None


_PLAN = TypeAdapter(Plan)


def write(plan: Plan, folder: Path) -> Path:
    """Write plan.json into a folder of its own. One that is frozen is never written over with another: a PlanError."""
    path = folder / "plan.json"
    if path.exists() and (old := read(path)).frozen and asdict(old) != asdict(plan):
        raise PlanError(f"{path} is frozen since {old.frozen}; an experiment planned differently needs a name of its own")
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(plan.as_json(), "utf-8")
    part.replace(path)
    return path


def read(path: Path) -> Plan:
    """The plan of a file."""
    return Plan.read(path.read_text("utf-8"), str(path))


def find(home: Path, name: str) -> Plan:
    """The fixed plan of an experiment that is kept in a folder. A LookupError with the nearest names where there is none, a PlanError where it cannot
    be read, is called otherwise than its folder, or may still change."""
    known = sorted(path.parent.name for path in home.glob("*/plan.json"))
    if name not in known:
        raise LookupError(f"experiment {name!r} is not planned in {home}{nearest(name, known)}")
    plan = read(path := home / name / "plan.json")
    if plan.name != name:
        raise PlanError(f"{path} is the plan of {plan.name!r}, wanted that of {name!r}")
    if plan.frozen is None:
        raise PlanError(f"experiment {name} is not frozen, wanted a plan that `experiment plan` wrote")
    return plan
