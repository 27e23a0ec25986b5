"""The experiment on people that runs now, where the setting names one: who is in it, what they get, and what the page says of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from recommender.experiment import plan as plans
from recommender.experiment.assign import arm_of, first_day
from recommender.experiment.plan import Plan, PlanError
from recommender.settings import settings
from recommender.ui import company
from recommender.ui.state import Frame, Trial, asking


def running(models: Collection[str]) -> Plan | None:
    """The plan of today, by universal time; None before its first day, after its last, and where it cannot run. models: those that loaded."""
    try:
        plan = _named(models)
    except PlanError:
        return None
    today = datetime.now(UTC).date()
    return plan if plan and first_day(plan) <= today < first_day(plan) + timedelta(plan.days) else None


def problems(models: Collection[str]) -> tuple[str, ...]:
    """Why no experiment can run although the setting names one."""
    try:
        _named(models)
    except PlanError as error:
        return (f"No experiment runs: {error}",)
    return ()


def _named(models: Collection[str]) -> Plan | None:
    """The plan that the setting names. A PlanError where it is not there, not frozen, not one on people, or lacks a model."""
    name = settings().experiment
    if not name:
        return None
    try:
        plan = plans.find(settings().artifacts / "experiments", name)
    except LookupError as error:
        raise PlanError(f"MARQUEE_EXPERIMENT is {name!r}: {error.args[0]}") from None
    if plan.simulated:
        raise PlanError(f"MARQUEE_EXPERIMENT is {name!r}, one on simulated viewers; wanted one on people: `experiment plan NAME --people`")
    if missing := sorted({arm.model for arm in plan.arms} - set(models)):
        raise PlanError(f"model {missing[0]!r} of {name} did not load, wanted those of all arms")
    return plan


def entered(frame: Frame) -> Frame:
    """The frame as the experiment has it: its model makes the first row, told the whole moment or nothing of it. The same frame for the holdout, for
    who chose a model by hand, or the variety where an arm has its own, and with company."""
    plan, own = running(frame.service.models), frame.viewer.preferences
    if plan is None or own.model is not None or company.beside(frame) is not None:
        return frame
    if own.variety is not None and any(arm.variety is not None for arm in plan.arms):
        return frame
    arm = arm_of(plan, frame.viewer.id)
    if arm is None:
        return frame
    anyway = frozenset(frame.service.verdicts(frame.viewer))
    viewer = asking(frame.viewer, arm.model, arm.variety)
    return replace(frame, viewer=viewer, model=arm.model, anyway=anyway, trial=Trial(plan.name, arm))


def said(models: Collection[str]) -> str:
    """That an experiment runs, for whoever wants to know what is stored; nothing where none does."""
    plan = running(models)
    if plan is None:
        return ""
    last = first_day(plan) + timedelta(plan.days - 1)
    return (
        f" Until {last} an experiment runs ({plan.name}): which model makes the first row of Home, how varied the rows are, and whether the models "
        "are told the moment, is drawn by lot for each viewer. What you are shown and do there is stored with its name and with what you got; who "
        "chooses by hand is not in it."
    )
