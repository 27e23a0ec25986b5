"""What follows from a reading: ship, roll back, keep running, or no verdict at all, by the rule of the plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.experiment.health import WEEK
from recommender.experiment.metrics import METRICS
from recommender.experiment.plan import Plan
from recommender.experiment.results import Check, Decision, Guarded, Measured, Reading, Verdict
from recommender.experiment.said import chance, listed, percent, several, span
from recommender.experiment.sample import FEWEST, planned
from recommender.stats.effects import Interval
from recommender.stats.inference import holm
from recommender.stats.sequential import always_valid_p


@dataclass(frozen=True)
class Case:
    """What the rule asks of one arm. better, worse: the primary metric, proven by what counts at this look; p: of that, corrected over arms; few:
    whether it was measured on fewer than FEWEST viewers of an arm, which proves nothing."""

    measured: Measured
    guards: tuple[Guarded, ...]
    p: float
    better: bool
    worse: bool
    few: bool
    drifts: dict | None  # early and late effect of the novelty check where they differ

    def of(self, state: str) -> list[Guarded]:
        return [g for g in self.guards if g.state == state]


def decide(reading: Reading) -> tuple[Decision, ...]:
    """One decision an arm beside the control."""
    return tuple(_decision(reading, case) for case in _cases(reading))


def verdict(valid: bool, over: bool, better: bool, worse: bool, states: Sequence[str], waits: bool) -> Verdict:
    """The rule. over: the planned days are, after which nobody is given an arm; states: of the guardrails; waits: something warns against shipping
    yet (novelty, or no full week before the last day)."""
    if not valid:
        return "invalid"
    if worse or "worse" in states:
        return "roll back"
    if better and all(state == "safe" for state in states):
        return "keep running" if waits else "ship"
    return "roll back" if over else "keep running"


def rule(plan: Plan) -> str:
    """The rule in words."""
    name, viewers = METRICS[plan.primary].label.lower(), f" and {several(plan.viewers, 'viewer')}" if plan.viewers else ""
    corrected = ", corrected for the number of arms" if len(plan.treatments) > 1 else ""
    return (
        f"Invalid where a check that blocks fails. Roll back where {name} is proven worse or a guardrail is proven worse than its margin. Ship where "
        f"{name} is proven better and every guardrail is proven within its margin. At the planned end ({several(plan.days, 'day')}{viewers}) proven "
        f"means p < {_points(plan.alpha)}{corrected}, one-sided for guardrails; before it only what holds at every look counts, and shipping takes a "
        f"full week. A metric measured on fewer than {FEWEST} viewers of an arm proves nothing. A changing effect (novelty) turns ship into keep "
        f"running. Where nothing is proven by the last planned day: roll back, the control stays."
    )


def _points(alpha: float) -> str:
    """.05"""
    return f"{alpha:g}".removeprefix("0")


def _cases(reading: Reading) -> list[Case]:
    """Before the planned end p is of the anytime test, at it of the fixed one."""
    plan = reading.plan
    p = [m.p_holm for m in reading.primary] if reading.at_end else holm(np.array([_anytime_p(plan, m) for m in reading.primary])).tolist()
    novelty = next((check for check in reading.health if check.key == "novelty"), None)
    drifts = {row["arm"]: row for row in novelty.facts.get("arms", ()) if row["differs"]} if novelty else {}
    measured = next((check.facts["viewers"][plan.primary] for check in reading.health if check.key == "data"), None)
    number = {arm.name: n for n, arm in enumerate(plan.arms)}
    cases = []
    for m, each in zip(reading.primary, p):
        few = measured is not None and not math.isnan(m.best.se) and min(measured[0], measured[number[m.arm]]) < FEWEST
        proven, gain = each < plan.alpha and not few, m.better * m.best.absolute.estimate
        guards = tuple(g for g in reading.guardrails if g.measured.arm == m.arm)
        cases.append(Case(m, guards, float(each), proven and gain > 0, proven and gain < 0, few, drifts.get(m.arm)))
    return cases


def _anytime_p(plan: Plan, m: Measured) -> float:
    if math.isnan(m.best.se):
        return 1.0
    n = m.best.n_control + m.best.n_treatment
    return always_valid_p(m.best, n, planned(plan, plan.arm(m.arm), n), 1 - plan.alpha)


def _decision(reading: Reading, case: Case) -> Decision:
    over = reading.days >= reading.plan.days
    early = not over and reading.days < WEEK
    found = verdict(reading.valid, over, case.better, case.worse, [g.state for g in case.guards], early or case.drifts is not None)
    why = {"invalid": _invalid, "ship": _ship, "roll back": _roll_back, "keep running": _keep_running}[found](reading, case)
    return Decision(found, case.measured.arm, f"{heading(found, case.measured.arm)}{why}", rule(reading.plan), _reasons(reading, case))


def heading(verdict: Verdict, arm: str) -> str:
    """How the sentence of a decision begins; the reasons follow."""
    return {"invalid": "Invalid: ", "ship": f"Ship {arm}: ", "roll back": f"Roll back {arm}: ", "keep running": "Keep running: "}[verdict]


def _invalid(reading: Reading, case: Case) -> str:
    failed = [f"{check.label.lower()}: {check.said}" for check in _failed(reading)]
    return f"no effect is read while a check that blocks fails. {' '.join(text[0].upper() + text[1:] for text in failed)}"


def _ship(reading: Reading, case: Case) -> str:
    return f"{_when(reading)}, {_effect(reading, case)}, and {_all_safe(case)}."


def _roll_back(reading: Reading, case: Case) -> str:
    if beyond := case.of("worse"):
        harm = listed([f"{_moved(g.measured, reading.at_end)}, surely more than the {_bound(g)} that the plan bears" for g in beyond])
        return f"{_when(reading)}, {harm}, whatever else it does: {_moved(case.measured, reading.at_end)}."
    if case.worse:
        return f"{_when(reading)}, {_effect(reading, case)}, and that is the wrong way."
    if case.better:
        return f"{_when(reading)}, {_effect(reading, case)}, but {_unsure(reading, case)}; without that proof on the last day the control stays."
    if case.few:
        return f"{_when(reading)}, {_scarce(case)}, and the control stays."
    return f"{_when(reading)}, no effect on {_name(case.measured)} is shown, and the control stays. {_allowed(reading, case)}"


def _keep_running(reading: Reading, case: Case) -> str:
    if case.few:
        return f"{_when(reading)}, {_scarce(case)}."
    if not case.better:
        return f"{_when(reading)}, nothing is proven yet: {_effect(reading, case)}."
    if case.of("unsure"):
        return f"{_when(reading)}, {_effect(reading, case)}, but {_unsure(reading, case)} yet."
    if case.drifts:
        early, late = (percent(case.drifts[part]) for part in ("early", "late"))
        change = f"{early} in the first days, {late} later ({chance(case.drifts['p_holm'])})"
        return (
            f"{_when(reading)}, {_effect(reading, case)}, and {_all_safe(case)}, but the effect is changing: {change}. What will last is not known."
        )
    return f"{_when(reading)}, {_effect(reading, case)}, and {_all_safe(case)}, but no full week was seen, and people watch otherwise on weekends."


def _scarce(case: Case) -> str:
    return f"{_name(case.measured)} was measured on fewer than {FEWEST} viewers of an arm, which proves nothing"


def _when(reading: Reading) -> str:
    plan, seen = reading.plan, sum(exposure.new for exposure in reading.exposures)
    if reading.at_end:
        return f"at the planned end ({several(reading.days, 'day')}, {several(seen, 'viewer')})"
    viewers = f" and {seen:,} of {plan.viewers:,} viewers" if plan.viewers else ""
    return f"after {reading.days} of {several(plan.days, 'day')}{viewers}"


def _name(m: Measured) -> str:
    return METRICS[m.metric].label.lower()


def _interval(m: Measured, at_end: bool) -> Interval:
    """The relative one that counts at this look."""
    return m.best.relative if at_end else m.sharp_anytime_relative or m.anytime_relative


def _moved(m: Measured, at_end: bool) -> str:
    """latency rose by 3.0% [+1.0%, +5.0%]; in units of the metric where the control is 0."""
    interval = _interval(m, at_end)
    if math.isnan(m.best.se):
        return f"{_name(m)} could not be measured"
    if math.isnan(interval.estimate):
        lo, hi = m.best.absolute[1:] if at_end else (m.sharp_anytime or m.anytime)[1:]
        return f"{_name(m)} went from {m.best.control:.4g} to {m.best.treatment:.4g} [difference {lo:+.3g} to {hi:+.3g}] {METRICS[m.metric].unit}"
    size = percent(abs(interval.estimate)).lstrip("+")
    return f"{_name(m)} {'rose' if interval.estimate >= 0 else 'fell'} by {size} {span(interval)}"


def _effect(reading: Reading, case: Case) -> str:
    """With the p that counts."""
    if math.isnan(case.measured.best.se):
        return _moved(case.measured, reading.at_end)
    arms = f", corrected for {len(reading.primary)} arms" if len(reading.primary) > 1 else ""
    looks = "" if reading.at_end else ", by what holds at every look"
    return f"{_moved(case.measured, reading.at_end)} ({chance(case.p)}{arms}{looks})"


def _allowed(reading: Reading, case: Case) -> str:
    """Which effects are not ruled out, beside the smallest that is worth finding."""
    interval, mde = _interval(case.measured, reading.at_end), reading.plan.mde
    if math.isnan(interval.lo):
        return f"{_moved(case.measured, reading.at_end).capitalize()}, so no size of an effect is ruled out."
    most = interval.hi if case.measured.better > 0 else -interval.lo
    possible = f"at {100 * (1 - reading.plan.alpha):.3g}% confidence effects from {percent(interval.lo)} to {percent(interval.hi)} stay possible"
    gain = f"{'and with them' if most >= mde else 'but not'} a gain of {100 * mde:g}%, the smallest that the plan calls worth finding"
    return f"{_effect(reading, case).replace(_name(case.measured), 'It', 1)}: {possible}, {gain}."


def _all_safe(case: Case) -> str:
    n = len(case.guards)
    if not n:
        return "the plan has no guardrails"
    return "the guardrail is proven within its margin" if n == 1 else f"all {n} guardrails are proven within their margins"


def _bound(g: Guarded) -> str:
    """A margin as the relative change that it allows."""
    return f"{100 * g.margin:g}%"


def _unsure(reading: Reading, case: Case) -> str:
    each = [f"{_moved(g.measured, reading.at_end)}, where a loss of {_bound(g)} is borne" for g in case.of("unsure")]
    return f"{'one guardrail is' if len(each) == 1 else f'{len(each)} guardrails are'} not proven safe ({'; '.join(each)})"


def _failed(reading: Reading) -> list[Check]:
    return [check for check in reading.health if check.blocks and not check.ok]


def _reasons(reading: Reading, case: Case) -> tuple[str, ...]:
    """One line each: health, the primary metric, each guardrail, the end; no effect where a check that blocks fails."""
    failed, warned = _failed(reading), [check for check in reading.health if not check.ok and not check.blocks]
    lines = [f"Health: {'no check that blocks fails' if not failed else listed([check.label.lower() for check in failed]) + ' blocks the verdict'}."]
    lines += [f"Warning: {check.said}" for check in warned]
    if failed:
        return (*lines, "Effect and guardrails: not read.")
    proven = "proven better" if case.better else "proven worse" if case.worse else "not proven either way"
    lines.append(f"Primary metric {proven}: {_scarce(case) if case.few else _effect(reading, case)}.")
    said = {"safe": "within its margin for sure", "worse": "beyond its margin for sure", "unsure": "not proven within its margin"}
    lines += [f"Guardrail {said[g.state]} ({_bound(g)}): {_moved(g.measured, reading.at_end)}." for g in case.guards]
    end = _when(reading)
    return (*lines, f"{end[0].upper()}{end[1:]}.")
