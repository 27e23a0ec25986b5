"""The experiment on people that runs now, where the setting names one: who is in it, what they get, and what the page says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from recommender.experiment import plan as plans
from recommender.experiment.assign import arm_of, first_day
from recommender.experiment.plan import Plan, PlanError
from recommender.settings import settings
from recommender.ui import company
from recommender.ui.state import Frame, Trial, asking


def running() -> Plan | None:
    """The plan of today, by universal time; None before its first day, after its last, and where it cannot be read."""
    try:
        plan = _named()
    except PlanError:
        return None
    today = datetime.now(UTC).date()
    return plan if plan and first_day(plan) <= today < first_day(plan) + timedelta(plan.days) else None


def problems() -> tuple[str, ...]:
    """Why no experiment can run although the setting names one."""
    try:
        _named()
    except PlanError as error:
        return (f"No experiment runs: {error}",)
    return ()


def _named() -> Plan | None:
    """The plan that the setting names. A PlanError where it is not there, not frozen or not one on people."""
    name = settings().experiment
    if not name:
        return None
    path = settings().artifacts / "experiments" / name / "plan.json"
    if not plans.NAME.fullmatch(name) or not path.is_file():
        raise PlanError(f"MARQUEE_EXPERIMENT is {name!r}, wanted the name of a plan in artifacts/experiments")
    plan = plans.read(path)
    if plan.frozen is None or plan.simulated:
        raise PlanError(f"MARQUEE_EXPERIMENT is {name!r}, wanted a plan on people that is frozen: `experiment plan {name} --people`")
    return plan


def entered(frame: Frame) -> Frame:
    """The frame as the experiment has it: its model makes the first row, told the whole moment or nothing of it. The same frame for the holdout, for
    who chose a model by hand, and with company."""
    plan = running()
    if plan is None or frame.model is not None or frame.viewer.preferences.model is not None or company.beside(frame) is not None:
        return frame
    arm = arm_of(plan, frame.viewer.id)
    if arm is None or arm.model not in frame.service.models:
        return frame
    anyway = frozenset(frame.service.verdicts(frame.viewer)) if arm.context else frame.anyway
    viewer = asking(frame.viewer, arm.model, arm.variety)
    return replace(frame, viewer=viewer, model=arm.model, anyway=anyway, trial=Trial(plan.name, arm))


def said() -> str:
    """That an experiment runs, for whoever wants to know what is stored; nothing where none does."""
    plan = running()
    if plan is None:
        return ""
    last = first_day(plan) + timedelta(plan.days - 1)
    return (
        f" Until {last} an experiment runs ({plan.name}): which model makes the first row of Home, and whether it is told the moment, is drawn by "
        "lot for each viewer. What you are shown and do there is stored with its name and with what you got; who chooses a model by hand is "
        "not in it."
    )
