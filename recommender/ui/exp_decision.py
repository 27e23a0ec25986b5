"""The section "Decision": verdict, rule and reasons, and what would change it."""

from __future__ import annotations

from html import escape

import streamlit as st

from recommender.experiment.results import Decision
from recommender.ui import exp_figures
from recommender.ui.exp_shelf import Shown
from recommender.ui.exp_words import LOOKS
from recommender.ui.words import counted


def section(shown: Shown) -> None:
    """The verdict of each arm, and the rule that all share."""
    for decision in shown.reading.decisions:
        st.html(card(shown, decision))
    rule, checksum = shown.decision.rule, shown.plan.checksum
    st.html(f'<p class="mq-ev mq-xp-rule mq-xp-fixed"><b>The rule, fixed in plan {escape(checksum)}</b>{escape(rule)}</p>')


def card(shown: Shown, decision: Decision) -> str:
    """Verdict, sentence, rule, reasons, and what would change it."""
    look = LOOKS[decision.verdict]
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in decision.reasons)
    other = "".join(f"<li>{escape(line)}</li>" for line in changes(shown, decision))
    label = f"<em class='mq-xp-badge'>{escape(shown.label)}</em>" if shown.label else ""
    return (
        f'<section class="mq-ev mq-xp-card {look.style}"><header><i class="mq-xp-seal" aria-hidden="true">{look.mark}</i>'
        f"<div><small>{escape(decision.arm)} {label}</small><h2>{look.word}</h2></div></header><p>{escape(decision.sentence)}</p>"
        f"<div><section><h3>Reasons</h3><ul>{reasons}</ul></section><section><h3>What would change it</h3><ul>{other}</ul></section></div>"
        "</section>"
    )


def changes(shown: Shown, decision: Decision) -> list[str]:
    """What would have to be otherwise for another verdict, one line each."""
    reading, plan = shown.reading, shown.plan
    if decision.verdict == "invalid":
        failed = [c.label.lower() for c in reading.health if c.blocks and not c.ok]
        return [f"Nothing in these figures. Find why {' and '.join(failed)} failed, mend it, and run again under a new name."]
    found = next((m for m in reading.primary if m.arm == decision.arm), None)
    name = exp_figures.label(plan.primary).lower()
    lines = []
    if decision.verdict != "ship" and found is not None and exp_figures.called(found, reading) != exp_figures.BETTER:
        lines.append(f"To ship, {name} must be proven better; now it lies at {exp_figures.relative(found.best.relative)}.")
    unsafe = [g for g in reading.guardrails if g.measured.arm == decision.arm and g.state != "safe"]
    lines += [
        f"To ship, it takes proof that {exp_figures.label(g.measured.metric).lower()} is worse by less than {100 * g.margin:g}%." for g in unsafe
    ]
    if decision.verdict == "ship":
        lines.append(f"A guardrail proven to lose more than its margin, or {name} not proven better, would keep the control.")
        lines.append("A failed check that blocks would take the verdict away.")
    if decision.verdict == "keep running":
        left = plan.days - reading.days
        if left > 0:
            lines.append(f"{counted(left, 'more day')}: at the planned end the narrower fixed interval counts.")
        seen = sum(e.new for e in reading.exposures)
        if plan.viewers and seen < plan.viewers:
            lines.append(f"{plan.viewers - seen:,} more viewers: the plan ends with {plan.viewers:,}.")
        lines += [f"An effect that lasts: {c.said}" for c in reading.health if c.key == "novelty" and not c.ok]
    if decision.verdict == "roll back" and reading.at_end:
        lines.append("More days now would be a second look that the plan did not allow. A new plan, with more viewers, may ask again.")
    return lines
