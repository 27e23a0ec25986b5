"""Which experiments there are, read once a version of their files, and what the Experiments page shows of one of them now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from recommender.experiment.log import Log
from recommender.experiment.plan import Plan
from recommender.experiment.results import Decision, Reading
from recommender.ui.reports import Opened

COMMAND = "python -m recommender experiment"


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

    @property
    def decision(self) -> Decision:
        return next(d for d in self.reading.decisions if d.arm == self.arm)

    @property
    def source(self) -> str:
        """Where the figures come from, for the line under a chart (Markdown)."""
        said = f"`{COMMAND} read {self.plan.name}{f' --until {self.day}' if self.day < self.last else ''}`"
        changed = [*(["A/A"] if self.aa else []), *([self.planted] if self.planted else [])]
        return " · ".join(filter(None, (self.label, f"plan {self.plan.checksum}", *changed, said)))
