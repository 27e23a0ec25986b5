"""The section "Result" of the Experiments page: effects with both kinds of interval, with CUPED and without, and what is believed of them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from recommender.experiment.results import Measured, Reading
from recommender.stats.effects import Interval
from recommender.ui import exhibits, exp_charts, exp_frame, exp_table
from recommender.ui import exp_figures as say
from recommender.ui.exp_figures import BETTER, UNREAD, UNSURE
from recommender.ui.exp_shelf import Shown
from recommender.ui.measures import chance_of, number
from recommender.ui.words import counted


def section(shown: Shown) -> None:
    """Effects at the left, belief at the right, all figures beneath."""
    exp_table.style()
    reading = shown.reading
    measured = say.mine(reading, shown.arm)
    if not any(say.known(m.plain.absolute) for m in measured):
        return exhibits.title("There is nothing to compare yet", said(measured, reading, shown.arm, shown.aa))
    with st.container(horizontal=True, gap="medium", key="mq_xr_choices"):
        scale = exhibits.choose("effect", "Effect", ("relative", "absolute"), "relative", str.capitalize)
        metrics = [m.metric for m in measured if say.known(m.best.absolute)]
        asked = exhibits.choose("belief", "Belief about", metrics, metrics[0], say.label, listed=True, width=230)
    wide, close = st.columns([1.7, 1], gap="large")
    with wide:
        spec = exp_charts.effects(measured, reading, scale == "absolute")
        figures = pd.DataFrame([row for m in measured for row in flat(m)])
        exp_frame.draw(shown, "effects", headline(measured[0], reading), said(measured, reading, shown.arm, shown.aa), spec, figures)
        band = f"less than the {100 * reading.plan.mde:.3g}% that the plan looks for"
        marks = {"●": "beyond noise", "○": "not told apart"} if reading.valid else {}
        exp_table.key(1 - reading.plan.alpha, {**marks, "band": band})
        exp_table.note(*saved(measured), judged(reading) if reading.valid else "")
    with close:
        _belief(shown, next(m for m in measured if m.metric == asked))
    exp_table.figures("Every figure", COLUMNS, [row for m in measured for row in rows(m, reading)], reading)


def _belief(shown: Shown, m: Measured) -> None:
    head = f"Is {say.label(m.metric).lower()} better?"
    spec = exp_charts.belief(m, shown.reading)
    if spec is None:
        return exhibits.title(head, "It does not vary between viewers, so there is nothing to be unsure of.")
    figures = pd.DataFrame([{"metric": m.metric, "arm": m.arm, "chance_better": m.chance, "loss_if_shipped": m.loss, "loss_if_not": m.loss_control}])
    exp_frame.draw(shown, "belief", head, believed(m, shown.reading), spec, figures)


# -- sentences ---------------------------------------------------------------------------------------------------------


def headline(m: Measured, reading: Reading) -> str:
    """What the primary metric says, in a few words."""
    word, name = say.called(m, reading), say.label(m.metric)
    if word == UNREAD:
        return f"{name}: not to be read"
    if not say.known(m.best.absolute):
        return f"{name} cannot be compared yet"
    if word == UNSURE:
        return f"No effect on {name.lower()} is shown{'' if reading.at_end else ' yet'}"
    return f"{name} is {word}{f': {say.percent(m.best.relative.estimate)}' if say.known(m.best.relative) else ''}"


def said(measured: Sequence[Measured], reading: Reading, arm: str, aa: bool = False) -> str:
    """The primary metric in figures, by which interval it is judged, the secondary ones, and what both arms being the same makes of it."""
    if not reading.valid:
        return say.unread(reading)
    if not measured:
        return f"The reading holds no metric of the arm “{arm}”."
    first, *others = measured
    parts = [f"{values(first, reading)} {basis(first, reading)}"] if say.known(first.plain.absolute) else [_without_value(first, reading)]
    parts += [secondary(others, reading)] if others else []
    parts += ["Both arms got the same, so whatever is called better or worse here is a false alarm."] if aa else []
    return " ".join(parts)


def _without_value(m: Measured, reading: Reading) -> str:
    n_control, n = m.plain.n_control, m.plain.n_treatment
    why = "wanted are two in each at least" if min(n_control, n) < 2 else "in one of them there is nothing to divide by yet"
    viewers = f"{counted(n_control, 'viewer')} in “{reading.plan.control.name}” and {n:,} in “{m.arm}”"
    return f"{say.label(m.metric)} has no value in both arms: {viewers}, {why}."


def values(m: Measured, reading: Reading) -> str:
    """'As measured “with” has 7.35 against 7.00 clicks per 100 films in “without”. The effect is …'"""
    best = m.best
    change = say.relative(best.relative) if say.known(best.relative) else f"{say.absolute(m.metric, best.absolute)} {say.unit(m.metric).says}"
    how = "with CUPED" if m.sharp else "as measured"
    return f"“{m.arm}” has {say.values(m)} in “{reading.plan.control.name}”; the effect {how} is {change}, {chance_of(best.p)}."


def basis(m: Measured, reading: Reading) -> str:
    """Which interval counts on this day, and what it leaves open."""
    word, best, mde = say.called(m, reading), m.best, reading.plan.mde
    arms = len(reading.primary)
    corrected = f", corrected for {arms} arms," if arms > 1 else ""
    if not best.se > 0:
        return "It does not vary between viewers, so there is nothing to test."
    if not reading.at_end:
        looked = say.anytime(m)
        if word != UNSURE:
            return (
                f"The planned end is not reached, but the anytime interval, which alone counts before it{corrected or ','} leaves zero out as well."
            )
        if say.leaves_out_zero(looked[0]):
            return f"The anytime interval leaves zero out, but corrected for {arms} arms that is no proof."
        if say.leaves_out_zero(best.absolute):
            return "The fixed interval leaves zero out, but before the planned end only the anytime interval counts, and it still holds zero."
        return f"Neither interval leaves zero out before the planned end; the anytime one reaches {_reach(looked[1])}."
    if word != UNSURE:
        return f"At the planned end that is {word} beyond noise."
    if not say.known(best.relative):
        return "At the planned end that is not told apart from no effect."
    ruled_out = "is ruled out" if -mde < best.relative.lo and best.relative.hi < mde else "is not ruled out"
    return f"At the planned end{corrected} that is not told apart from no effect: one of {100 * mde:.3g}%, which the plan looks for, {ruled_out}."


def _reach(interval: Interval) -> str:
    return f"from {say.percent(interval.lo)} to {say.percent(interval.hi)}" if say.known(interval) else "over everything"


def judged(reading: Reading) -> str:
    """Which p stands beside the name of a metric."""
    of = "the fixed test, since the planned end is reached" if reading.at_end else "the anytime test, since the planned end is not reached"
    many = "the secondary metrics, and of the arms" if len(reading.primary) > 1 else "the secondary metrics"
    return f"The p beside a name decides: it is that of {of}, corrected for the number of {many} (Holm)."


def secondary(others: Sequence[Measured], reading: Reading) -> str:
    """The secondary metrics, by what can be said of them."""
    groups = {word: [m for m in others if say.known(m.best.absolute) and say.called(m, reading) == word] for word in (BETTER, "worse", UNSURE)}
    none = [m for m in others if not say.known(m.best.absolute)]
    parts = [f"{say.inside(map(_moved, found))} {_is(found)} {word}" for word, found in groups.items() if found]
    parts += [f"{say.inside(say.label(m.metric) for m in none)} {_is(none)} without a value"] if none else []
    corrected = ", p corrected for their number" if len(others) > 1 else ""
    return f"Secondary{corrected}: {'; '.join(parts)}."


def _is(found: Sequence[Measured]) -> str:
    return "is" if len(found) == 1 else "are"


def _moved(m: Measured) -> str:
    return f"{say.label(m.metric)} ({say.percent(m.best.relative.estimate)})" if say.known(m.best.relative) else say.label(m.metric)


def saved(measured: Sequence[Measured]) -> list[str]:
    """What CUPED did to the variance of each metric."""
    sharp = [m for m in measured if m.sharp and m.plain.se > 0]
    if not any(m.sharp for m in measured):
        return ["CUPED: nothing was measured of these viewers before the first day, so there is nothing to sharpen the effects with."]
    lines = [f"{say.label(m.metric).lower()} {say.share(m.saved)} (rho {number(m.rho, 2)}){_as_many(m.saved)}" for m in sharp]
    return [f"Of the variance of the effect, what was measured before the first day (CUPED) takes away: {'; '.join(lines)}."] if lines else []


def _as_many(saved: float) -> str:
    """', as good as 1.5 times the viewers' where that is worth a word."""
    return f", as good as {1 / (1 - saved):.1f} times the viewers" if 0.05 <= saved < 1 else ""


def believed(m: Measured, reading: Reading) -> str:
    """Chance and expected loss, in units of the metric."""
    if not reading.valid:
        return "Not to be read: a belief is worth no more than the data that it comes from."
    chance = say.likely(m.chance)
    return (
        f"{chance[:1].upper()}{chance[1:]} that “{m.arm}” is better, if all effects were as likely beforehand. On average over what is then "
        f"believed, shipping it costs {lost(m.loss, m)} {say.unit(m.metric).says}, not shipping it {lost(m.loss_control, m)}."
    )


def lost(x: float, m: Measured) -> str:
    """An expected loss in units of the screen; 'under .01' where it rounds to nothing."""
    times = say.unit(m.metric).times
    decimals = max(say.digits(times * m.best.se), 2)
    if round(times * x, decimals):
        return number(times * x, decimals)
    return f"under {number(10**-decimals, decimals)}" if m.best.se > 0 else "0"


# -- figures -----------------------------------------------------------------------------------------------------------

COLUMNS = (
    "Metric", "Control", "Treatment", "Absolute effect", "Relative effect", "Anytime, relative", "p", "p (Holm)", "Chance better", "Loss if shipped",
    "Loss if not", "rho", "Variance saved",
)  # fmt: skip


def rows(m: Measured, reading: Reading) -> list[tuple[str, ...]]:
    """A metric in the table: with CUPED, where there is one, and as measured."""
    unit, read = say.unit(m.metric), reading.valid
    made = []
    for name, e, looked in (("with CUPED", m.sharp, m.sharp_anytime_relative), ("as measured", m.plain, m.anytime_relative)):
        if e is None or looked is None:
            continue
        decides = e is m.best
        money = [lost(x, m) if decides and read and say.known(e.absolute) else "–" for x in (m.loss, m.loss_control)]
        made.append(
            (
                f"{say.label(m.metric)}, {unit.says}, {name}",
                say.value(m.metric, e.control, e),
                say.value(m.metric, e.treatment, e),
                say.absolute(m.metric, e.absolute),
                say.relative(e.relative),
                say.relative(looked),
                chance_of(e.p).removeprefix("p ").removeprefix("= ") if say.known(e.absolute) else "–",
                chance_of(m.p_holm).removeprefix("p ").removeprefix("= ") if decides and m.p_holm is not None and say.known(e.absolute) else "–",
                say.likely(m.chance) if decides and read and say.known(e.absolute) else "–",
                *money,
                number(m.rho, 2) if decides and m.sharp else "–",
                say.share(m.saved) if decides and m.sharp else "–",
            )
        )
    return made


def flat(m: Measured) -> list[dict[str, object]]:
    """A metric as rows of a CSV file, in the units of the metric."""
    made = []
    for name, e, looked, share in (
        ("cuped", m.sharp, m.sharp_anytime, m.sharp_anytime_relative),
        ("plain", m.plain, m.anytime, m.anytime_relative),
    ):
        if e is not None and looked is not None and share is not None:
            made.append(
                {
                    "metric": m.metric,
                    "arm": m.arm,
                    "segment": m.segment or "",
                    "kind": name,
                    "control": e.control,
                    "treatment": e.treatment,
                    **{f"absolute_{part}": x for part, x in e.absolute._asdict().items()},
                    **{f"relative_{part}": x for part, x in e.relative._asdict().items()},
                    "anytime_lo": looked.lo,
                    "anytime_hi": looked.hi,
                    "anytime_relative_lo": share.lo,
                    "anytime_relative_hi": share.hi,
                    "p": e.p,
                    "p_holm": m.p_holm,
                    "q": m.q,
                    "n_control": e.n_control,
                    "n_treatment": e.n_treatment,
                    "rho": m.rho,
                    "saved": m.saved,
                }
            )
    return made
