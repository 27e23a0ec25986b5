"""The head of the Experiments page: which experiment, on which day, with what planted; its verdict, large, and what it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

import streamlit as st

from recommender.experiment.breaks import BREAKS
from recommender.experiment.decide import heading
from recommender.experiment.metrics import METRICS
from recommender.experiment.results import Measured
from recommender.serve.phrases import listed
from recommender.stats.effects import Interval
from recommender.ui import cmp_sides, exhibits, exp_aa, exp_figures, exp_shelf
from recommender.ui.echo import by_hand, stand
from recommender.ui.exp_shelf import Experiments, Kept, Shown
from recommender.ui.exp_words import LOOKS
from recommender.ui.reports import Shelf
from recommender.ui.state import from_address, put
from recommender.ui.words import counted

WHOLE = "none"  # nothing is planted


@dataclass(frozen=True)
class Asked:
    """What the controls say."""

    kept: Kept
    day: int
    aa: bool
    broken: str | None
    arm: str


# -- the controls ------------------------------------------------------------------------------------------------------


def controls(there: Experiments, reports: Shelf) -> Asked:
    """Which experiment, which arm where there are several, read on which day, A/A, and what is planted: all in the address."""
    with st.container(horizontal=True, key="mq_xp_choices", gap="small", vertical_alignment="bottom"):
        names = list(there.found)
        name = exhibits.choose("experiment", "Experiment", names, names[0], str, listed=True, width=200)
        kept = there.found[name]
        arms = [arm.name for arm in kept.plan.treatments]
        arm = exhibits.choose("arm", "Arm against the control", arms, arms[0], str, listed=True, width=200) if len(arms) > 1 else arms[0]
        with st.container(key="mq_xp_day", width=220):
            day = _day(kept.last)
        aa = _aa()
        broken = exhibits.choose("break", "Break it", (WHOLE, *BREAKS), WHOLE, lambda o: "Nothing" if o == WHOLE else BREAKS[o].label, pills=True)
    said = []
    if aa:
        often = exp_aa.spoken(reports.found.get("aa"))
        said.append(f"A/A: everybody here got the control, and a part of them was called something else, so whatever differs is luck. {often}")
    if broken != WHOLE:
        said.append(f"Planted: {BREAKS[broken].planted}")
    st.html(f'<p class="mq-ev mq-xp-planted">{escape(" ".join(said)) or "Nothing is planted: this is what was logged."}</p>')
    return Asked(kept, day, aa, None if broken == WHOLE else broken, arm)


def _day(last: int) -> int:
    """The day that is read, from 0, by a slider over 1 to last + 1."""
    days = [str(d) for d in range(1, last + 2)]
    kept = from_address("day", days)
    if kept not in days:
        put("day", None)
        kept = days[-1]
    if len(days) > 1:
        cmp_sides.slider("Read on day", days, kept, "mq_xp_day_pick", lambda d: f"{d} of {last + 1}", _turned)
        st.session_state["mq_xp_last"] = days[-1]
    return int(kept) - 1


def _turned() -> None:
    day = st.session_state["mq_xp_day_pick"]
    put("day", None if day == st.session_state.get("mq_xp_last") else day)


def _aa() -> bool:
    on = from_address("aa", ("on",)) is not None
    stand("mq_xp_aa", on)
    why = "Both arms get the same, so a method that is sound finds nothing. The section A/A shows how often ours does over many such runs."
    st.toggle("A/A", key="mq_xp_aa", on_change=_switched, help=why)
    return on


def _switched() -> None:
    if by_hand("mq_xp_aa", (True, False)):
        put("aa", "on" if st.session_state["mq_xp_aa"] else None)


# -- what is shown -----------------------------------------------------------------------------------------------------


def shown(asked: Asked, reports: Shelf) -> Shown:
    """The reading of what the controls say. Raises as the analysis does, where a log holds what no experiment can."""
    kept = asked.kept
    plan, log = exp_shelf.changed(kept, asked.aa, asked.broken)
    found = exp_shelf.reading(kept, asked.aa, asked.broken, asked.day)
    arms = [d.arm for d in found.decisions]
    return Shown(
        plan,
        log,
        found,
        asked.arm if asked.arm in arms else arms[0],
        asked.day,
        kept.last,
        asked.aa,
        asked.broken,
        BREAKS[asked.broken].label if asked.broken else "",
        "simulated" if found.simulated else "",
        reports.found.get("aa"),
        kept.source,
    )


def unread(asked: Asked, error: Exception) -> None:
    """An experiment that cannot be read costs its sections, not the page."""
    said = f"{asked.kept.plan.name}, day {asked.day + 1}: {str(error)[:300]}"
    st.html(
        f'<div class="mq-ev mq-xp-head mq-xp-invalid"><i class="mq-xp-seal" aria-hidden="true">?</i><div><small>No verdict</small>'
        f"<h1>Cannot be read</h1><p>{escape(said)}</p></div></div>"
    )


# -- the verdict -------------------------------------------------------------------------------------------------------


def verdict(now: Shown) -> None:
    """Word, sentence and facts; then what the verdict rests on, in four steps."""
    look = LOOKS[now.decision.verdict]
    badge = f"<em class='mq-xp-badge'>{escape(now.label)}</em>" if now.label else ""
    when = f"Verdict on day {now.day + 1} of {now.plan.days}: “{now.decision.arm}” against “{now.plan.control.name}”"
    why = _why(now)
    st.html(
        f'<div class="mq-ev mq-xp-head {look.style}"><i class="mq-xp-seal" aria-hidden="true">{look.mark}</i><div>'
        f"<small>{escape(when)} {badge}</small><h1>{escape(look.word)}</h1><strong>{escape(_act(now))}</strong>"
        f"<p>{escape(why[:1].upper() + why[1:])}</p></div>{_facts(now)}</div>"
        f'<ol class="mq-ev mq-xp-path">{"".join(_steps(now))}</ol>'
    )


def told(now: Shown) -> str:
    """The verdict and why, in one sentence, with whose it is."""
    return f"The verdict on “{now.plan.name}”, {now.label or 'on people'}, is “{LOOKS[now.decision.verdict].word}”: {_why(now)}"


def _why(now: Shown) -> str:
    return now.decision.sentence.removeprefix(heading(now.decision.verdict, now.decision.arm))


def _act(now: Shown) -> str:
    """What is to be done; of several arms more than one may be fit to ship, and one that is not leaves the others what they are."""
    arm, ruling = now.decision.arm, now.decision.verdict
    fit = [f"“{d.arm}”" for d in now.reading.decisions if d.verdict == "ship" and d.arm != arm]
    if ruling == "ship" and fit:
        return f"“{arm}” may go to everybody, and so may {listed(fit)}: take one."
    if ruling == "roll back" and len(now.reading.decisions) > 1:
        return f"“{arm}” is dropped; {f'{listed(fit)} may ship' if fit else 'no other arm is fit to ship'}."
    return LOOKS[ruling].act.format(arm=arm, control=now.plan.control.name)


def _facts(now: Shown) -> str:
    plan, viewers = now.plan, sum(now.reading.counts.values())
    wanted = f" of {plan.viewers:,} planned" if plan.viewers else ""
    rows = {
        "Days": span(now),
        "Viewers": f"{viewers:,}{wanted}",
        "Frozen": f"{plan.frozen:%-d %B %Y}" if plan.frozen else "not frozen: it may still change",
        "Plan": plan.checksum,
    }
    return f"<dl>{''.join(f'<div><dt>{k}</dt><dd>{escape(v)}</dd></div>' for k, v in rows.items())}</dl>"


def span(now: Shown) -> str:
    """The dates that are read: '1 to 14 November 2026', or days where the log has no date."""
    first: date | None = now.log.first
    if first is None:
        return f"{now.day + 1} of {now.plan.days}"
    last = first + timedelta(days=now.day)
    if last == first:
        return f"{first:%-d %B %Y}"
    near = "%-d" if (first.year, first.month) == (last.year, last.month) else "%-d %B" if first.year == last.year else "%-d %B %Y"
    return f"{first.strftime(near)} to {last:%-d %B %Y}"


def _steps(now: Shown) -> list[str]:
    """Health, effect, guardrails, length: each with a mark and a word."""
    return [_health(now), _effect(now), _guards(now), _length(now)]


def _step(state: str, title: str, said: str, more: str, rail: str = "") -> str:
    mark, word = {"good": ("✓", "holds"), "bad": ("✕", "fails"), "open": ("…", "open"), "none": ("—", "not read")}[state]
    head = f'<small><i aria-hidden="true">{mark}</i><span>{escape(title)}<span class="mq-xp-sr">: {word}</span></span></small>'
    return f'<li class="mq-xp-{state}">{head}<b>{escape(said)}</b>{rail}<span>{escape(more)}</span></li>'


def _health(now: Shown) -> str:
    failed = [check for check in now.reading.health if not check.ok]
    passed = len(now.reading.health) - len(failed)
    if not failed:
        return _step("good", "Health", f"{passed} of {passed} checks pass", "nobody was lost or counted twice")
    blocks = any(check.blocks for check in failed)
    worst = [f"“{check.label}”" for check in failed if check.blocks == blocks]
    named, one = listed(worst), len(worst) == 1
    return _step(
        "bad" if blocks else "open",
        "Health",
        f"{passed} of {len(now.reading.health)} checks pass",
        f"{named} {'blocks' if one else 'block'} the verdict" if blocks else f"{named} {'warns' if one else 'warn'}, without blocking",
    )


def primary(now: Shown) -> Measured | None:
    """The primary metric of the arm that is looked at."""
    return next((m for m in now.reading.primary if m.arm == now.arm), None)


def _effect(now: Shown) -> str:
    name = METRICS[now.plan.primary].label
    found = primary(now)
    if found is None or not now.reading.valid:
        return _step("none", name, "Not read", "what blocks the verdict blocks the effect")
    state = {exp_figures.BETTER: "good", exp_figures.WORSE: "bad"}.get(exp_figures.called(found, now.reading), "open")
    decides = found.best.relative if now.reading.at_end else exp_figures.anytime(found)[1]
    kind = "" if now.reading.at_end else "anytime, "
    more = f"{kind}{exp_figures.percent(decides.lo)} to {exp_figures.percent(decides.hi)} · {exp_figures.values(found)}"
    return _step(state, name, exp_figures.percent(found.best.relative.estimate), more, _rail(decides, found.better))


def _rail(decides: Interval, better: int) -> str:
    """The interval that decides around nothing; good lies to the right."""
    if not all(math.isfinite(x) for x in decides):
        return '<div class="mq-ev-rail" aria-hidden="true"></div>'
    middle, *ends = (better * x for x in decides)
    low, high = sorted(ends)
    most = 1.12 * max(abs(low), abs(high), 1e-9)
    at = lambda x: f"{50 + 50 * x / most:.2f}%"
    whisker = f'<q style="left:{at(low)};right:calc(100% - {at(high)})"></q><i style="left:{at(middle)}"></i>'
    return f'<div class="mq-ev-rail mq-cx-rail" aria-hidden="true"><u style="left:50%"></u>{whisker}</div>'


def _guards(now: Shown) -> str:
    mine = [g for g in now.reading.guardrails if g.measured.arm == now.arm]
    if not mine or not now.reading.valid:
        return _step("none", "Guardrails", "Not read" if mine else "None planned", "what blocks the verdict blocks them" if mine else "")
    worse = [METRICS[g.measured.metric].label.lower() for g in mine if g.state == "worse"]
    unsure = [METRICS[g.measured.metric].label.lower() for g in mine if g.state == "unsure"]
    said = f"{len(mine) - len(worse) - len(unsure)} of {len(mine)} safe"
    more = "none loses more than its margin"
    if worse:
        more = f"{listed(worse)} worse than the plan bears"
    elif unsure:
        more = f"{listed(unsure)} not proven safe{'' if now.reading.at_end else ' yet'}"
    return _step("bad" if worse else "open" if unsure else "good", "Guardrails", said, more)


def _length(now: Shown) -> str:
    end = now.reading.at_end
    left = now.plan.days - now.day - 1
    said = f"Day {now.day + 1} of {now.plan.days}"
    more = (
        "the planned end"
        if end
        else f"{counted(left, 'day')} to go: only the anytime interval counts, which allows daily looks"
        if left > 0
        else "viewers are missing"
    )
    return _step("good" if end else "open", "Length", said, more)
