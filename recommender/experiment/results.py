"""What an experiment says: plain values for the page and for JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, Literal

from recommender.experiment.plan import Plan
from recommender.stats.effects import Effect, Interval

Verdict = Literal["ship", "roll back", "keep running", "invalid"]


@dataclass(frozen=True)
class Check:
    """One question about the health of an experiment. blocks: whether it takes the verdict away where it fails. facts: figures behind it."""

    key: str  # srm, srm-daily, balance, several, machines, novelty, before, …
    label: str
    ok: bool
    blocks: bool
    said: str  # one sentence with the figures
    p: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """One metric of one arm against the control.

    anytime: interval of the absolute and of the relative effect that holds at every look. sharp: the same with CUPED, None where nothing was
    measured before; rho: correlation with what was; saved: share of the variance that it took away. better: 1 or -1, as the metric's.
    chance: that the arm is better; loss, loss_control: what shipping it, or not, loses on average, in units of the metric.
    p_holm, q: p corrected within its family (secondary metrics: Holm; segments: Benjamini-Hochberg), None where nothing is corrected.
    """

    metric: str
    arm: str
    segment: str | None  # "dimension=label"
    plain: Effect
    anytime: Interval
    anytime_relative: Interval
    sharp: Effect | None = None
    sharp_anytime: Interval | None = None
    sharp_anytime_relative: Interval | None = None
    rho: float = 0.0
    saved: float = 0.0
    better: int = 1
    chance: float = 0.5
    loss: float = 0.0
    loss_control: float = 0.0
    p_holm: float | None = None
    q: float | None = None

    @property
    def best(self) -> Effect:
        """With CUPED where there is one: the effect that decides."""
        return self.sharp or self.plain


@dataclass(frozen=True)
class Guarded:
    """A guardrail: its effect, the relative loss that is borne, and whether it is within that for sure ("safe"), or beyond it ("worse").

    One-sided at the plan's alpha, so all intervals of `measured` are of level 1 - 2 alpha (90%): by the fixed relative interval at the planned end,
    by the anytime one before.
    """

    measured: Measured
    margin: float
    state: Literal["safe", "unsure", "worse"]


@dataclass(frozen=True)
class Dimension:
    """Do the relative effects on the primary metric differ between the labels of a dimension? Cochran's Q over those read, p of chi-squared.

    left_out: labels of too few viewers in an arm -> the viewers of control and treatment. p None where fewer than two labels are left.
    """

    name: str
    arm: str
    labels: tuple[str, ...]
    left_out: dict[str, tuple[int, int]]
    q: float = 0.0
    p: float | None = None


@dataclass(frozen=True)
class Day:
    """The primary metric of one arm up to and with one day, with CUPED where there is one."""

    arm: str
    day: int
    n: int
    fixed: Interval  # relative
    anytime: Interval  # relative
    alone: Interval | None = None  # relative effect of this day by itself, fixed


@dataclass(frozen=True)
class Exposure:
    """How many viewers came for the first time on a day, by arm, and how many came in all."""

    day: int
    arm: str
    new: int
    came: int


@dataclass(frozen=True)
class Decision:
    """What follows, by the rule that was planned. sentence: verdict, rule and reasons in a sentence; reasons: one line each."""

    verdict: Verdict
    arm: str
    sentence: str
    rule: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """Everything that Plan + Log say. counts: arm -> viewers; left_out: why -> viewers; at_end: whether planned days and viewers are reached."""

    plan: Plan
    simulated: bool
    days: int
    counts: dict[str, int]
    left_out: dict[str, int]
    at_end: bool
    health: tuple[Check, ...]
    exposures: tuple[Exposure, ...]
    primary: tuple[Measured, ...]  # one an arm beside the control
    secondary: tuple[Measured, ...]
    guardrails: tuple[Guarded, ...]
    over_time: tuple[Day, ...]
    segments: tuple[Measured, ...]
    decisions: tuple[Decision, ...]  # one an arm beside the control
    dimensions: tuple[Dimension, ...] = ()  # of the segments

    @property
    def valid(self) -> bool:
        return all(check.ok or not check.blocks for check in self.health)

    def plain(self) -> dict[str, Any]:
        """All of it as values of JSON; what is not a number is None."""
        found = _plain(asdict(self) | {"plan": json.loads(self.plan.as_json()), "checksum": self.plan.checksum, "valid": self.valid})
        assert isinstance(found, dict)
        return found

    def as_json(self) -> str:
        """All of it; what is not a number is null."""
        return json.dumps(self.plain(), indent=2, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """JSON's own values: named tuples as objects, numbers that are none as null."""
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not isfinite(value) else value
