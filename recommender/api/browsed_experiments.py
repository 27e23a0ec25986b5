"""What the GET routes of experiments answer: the reading of experiment/results.py, where what is no number is null."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field

from recommender.api.answered import Answered
from recommender.experiment.plan import Plan
from recommender.experiment.results import Reading

BRIEF = ("simulated", "checksum", "days", "counts", "valid", "at_end", "decisions", "health", "primary", "secondary", "guardrails")
Verdict = Literal["ship", "roll back", "keep running", "invalid"]


class Interval(Answered):
    """An estimate and the ends of its interval; null where nothing can be said, or where an end is infinite."""

    estimate: float | None
    lo: float | None
    hi: float | None


class Effect(Answered):
    """The values of both arms and their difference."""

    control: float | None
    treatment: float | None
    absolute: Interval
    relative: Interval = Field(description="(treatment - control) / control")
    p: float | None = Field(description="two-sided, of there being no difference")
    se: float | None = Field(description="standard error of the absolute effect")
    n_control: int
    n_treatment: int


class Measured(Answered):
    """One metric of one arm against the control. anytime: intervals that hold at every look; sharp: with what was measured before (CUPED)."""

    metric: str
    arm: str
    segment: str | None = Field(description="dimension=label; null for all viewers")
    plain: Effect
    anytime: Interval
    anytime_relative: Interval
    sharp: Effect | None = Field(description="the effect that decides, where there is one; else plain does")
    sharp_anytime: Interval | None
    sharp_anytime_relative: Interval | None
    rho: float | None = Field(description="correlation with what was measured before")
    saved: float | None = Field(description="share of the variance that CUPED took away")
    better: int = Field(description="1 where more is better, -1 where less is")
    chance: float | None = Field(description="that the arm is better")
    loss: float | None = Field(description="what shipping the arm loses on average, in units of the metric")
    loss_control: float | None = Field(description="what not shipping it loses")
    p_holm: float | None
    q: float | None


class Guarded(Answered):
    """A guardrail: the relative loss that is borne, and whether the loss is within it for sure, beyond it for sure, or neither."""

    measured: Measured
    margin: float
    state: Literal["safe", "unsure", "worse"]


class Check(Answered):
    """One question about the health of an experiment."""

    key: str
    label: str
    ok: bool
    blocks: bool = Field(description="whether it takes the verdict away where it fails")
    said: str
    p: float | None
    facts: dict[str, Any] = Field(description="figures behind it")


class Decision(Answered):
    """What follows, by the rule that was planned."""

    verdict: Verdict
    arm: str
    sentence: str
    rule: str
    reasons: list[str]


class Exposure(Answered):
    """How many came for the first time on a day, and how many came in all."""

    day: int = Field(description="from 0")
    arm: str
    new: int
    came: int


class Day(Answered):
    """The primary metric up to and with one day, relative to the control; alone: of that day by itself."""

    arm: str
    day: int = Field(description="from 0")
    n: int
    fixed: Interval
    anytime: Interval
    alone: Interval | None


class Dimension(Answered):
    """Whether effects differ between the labels of a dimension: Cochran's Q."""

    name: str
    arm: str
    labels: list[str]
    left_out: dict[str, list[int]] = Field(description="labels of too few viewers: those of control and treatment")
    q: float | None
    p: float | None


class Brief(Answered):
    """What an experiment says, without its course and its segments."""

    name: str
    hypothesis: str
    simulated: bool = Field(description="true where all its viewers are simulated")
    checksum: str = Field(description="of the plan")
    days: int = Field(description="days that are read")
    counts: dict[str, int] = Field(description="arm: viewers")
    valid: bool = Field(description="whether no check that blocks has failed")
    at_end: bool = Field(description="whether planned days and viewers are reached")
    decisions: list[Decision]
    health: list[Check]
    primary: list[Measured]
    secondary: list[Measured]
    guardrails: list[Guarded]


class Waiting(Answered):
    """An experiment that says nothing yet, and why."""

    name: str
    why: str


class Results(Answered):
    """What all experiments say."""

    results: list[Brief] = Field(description="on people first, then those with the most viewers")
    waiting: list[Waiting]
    damaged: list[str] = Field(description="experiments whose files cannot be read")


class ReadingOf(Answered):
    """Everything that an experiment says by the end of a day: the same as `experiment read --json`."""

    plan: Plan
    simulated: bool
    days: int
    counts: dict[str, int]
    left_out: dict[str, int] = Field(description="why viewers are not read: how many")
    at_end: bool
    health: list[Check]
    exposures: list[Exposure]
    primary: list[Measured]
    secondary: list[Measured]
    guardrails: list[Guarded]
    over_time: list[Day]
    segments: list[Measured]
    decisions: list[Decision]
    dimensions: list[Dimension]
    checksum: str
    valid: bool


class Overview(Answered):
    """An experiment in a line."""

    name: str
    on: Literal["simulated viewers", "people"]
    frozen: date | None
    days: int = Field(description="planned")
    viewers: int = Field(description="in the store")
    events: int | None = Field(description="in the store; null where they are of too few people to say")
    log: bool = Field(description="whether the log of its run is kept beside the plan")
    hypothesis: str
    waiting: str | None = Field(description="why nothing can be read yet; null where it can")


class Overviews(Answered):
    """All experiments that are planned."""

    experiments: list[Overview]
    damaged: list[str] = Field(description="experiments whose plan cannot be read")


def brief(found: Reading) -> dict[str, Any]:
    """What an experiment says in short, as in Brief: a part of its reading as `experiment read --json` gives it."""
    plain = found.plain()
    return {"name": found.plan.name, "hypothesis": found.plan.hypothesis, **{key: plain[key] for key in BRIEF}}
