"""The section "Plan": what was fixed before the experiment began, and the calculator of viewers and days."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from recommender.experiment.metrics import METRICS
from recommender.experiment.plan import Arm, Plan
from recommender.experiment.sizing import Course
from recommender.stats import power as sizes
from recommender.stats.power import Baseline
from recommender.ui import cmp_sides, exhibits, exp_claims, exp_curves, exp_frame, words
from recommender.ui.exp_figures import label, share, unit
from recommender.ui.exp_shelf import Shown, course
from recommender.ui.measures import number
from recommender.ui.reports import Shelf
from recommender.ui.state import from_address, put

EFFECTS = (0.5, 1, 2, 3, 4, 5, 7.5, 8.5, 10, 12.7, 15, 15.3, 20, 30)  # percent
POWERS, ALPHAS = (0.7, 0.8, 0.9, 0.95), (0.01, 0.05, 0.1)
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)  # of the treatment; the control gets the rest
TIMES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # the baseline, of what was measured
CUPED = "CUPED, which takes out what viewers were like before the first day"
AROUND = (0.5, 1.0, 2.0)  # effects that are drawn, of the one that is asked for


@dataclass(frozen=True)
class Wanted:
    """What the calculator is asked: a relative effect on a metric, and how sure. times: the baseline, of what was measured."""

    metric: str
    effect: float
    power: float
    alpha: float
    share: float
    cuped: bool
    times: float

    @property
    def shares(self) -> tuple[float, float]:
        return 1 - self.share, self.share


def section(shown: Shown, reports: Shelf) -> None:
    """The plan, the calculator, and the claims that such an experiment would have to bear out."""
    st.html(planned(shown))
    _calculator(shown)
    exp_claims.section(reports)


# -- what was planned --------------------------------------------------------------------------------------------------


def planned(shown: Shown) -> str:
    """Hypothesis, arms, metrics and rule as a card."""
    plan = shown.plan
    rows = {
        "Primary metric": _metric(plan.primary),
        "Secondary": "<br>".join(_metric(m) for m in plan.secondary) or "none",
        "Guardrails": "<br>".join(_guard(m, margin) for m, margin in plan.guardrails.items()) or "none",
        "Smallest effect worth finding": _asked_for(plan),
        "Length": f"{words.counted(plan.days, 'day')}{f', {plan.viewers:,} viewers in all arms' if plan.viewers else ''}",
        "Left out": f"viewers with more than {plan.most_clicks} clicks on a day, as machines; viewers who met several arms",
        **_made(plan),
    }
    facts = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in rows.items())
    arms = "".join(_arm(arm, "control" if arm is plan.control else "treatment") for arm in plan.arms)
    rest = f"<li><small>holdout</small><b>{plan.holdout:.0%}</b><span>in no arm</span></li>" if plan.holdout else ""
    return (
        f'<div class="mq-ev mq-xp-plan"><blockquote><small>Hypothesis</small>{escape(plan.hypothesis)}</blockquote>'
        f'<ul class="mq-xp-arms">{arms}{rest}</ul>'
        f'<dl>{facts}</dl><p class="mq-xp-rule"><small>Rule</small>{escape(shown.decision.rule)}</p></div>'
    )


def _arm(arm: Arm, role: str) -> str:
    told = ("told time and device" if arm.context else "told no context") + (f", variety {arm.variety:g}" if arm.variety else "")
    gets = f"{escape(words.model(arm.model))}, {told} · {arm.share:.0%} of the viewers"
    return f"<li><small>{role}</small><b>{escape(arm.name)}</b><span>{gets}</span></li>"


def _metric(key: str) -> str:
    return f"{escape(METRICS[key].label)} <i>{escape(METRICS[key].about)}</i>"


def _guard(key: str, margin: float) -> str:
    worse = "more" if METRICS[key].better < 0 else "less"
    return f"{escape(METRICS[key].label)} <i>at most {100 * margin:g}% {worse}</i>"


def _asked_for(plan: Plan) -> str:
    how = f"found in {plan.power:.0%} of such experiments (power), with a false alarm in {100 * plan.alpha:g}% of those without an effect (α)"
    return f"{100 * plan.mde:g}% of the control <i>{how}</i>"


def _made(plan: Plan) -> dict[str, str]:
    """What a simulated experiment says of its viewers; what was planted stands where everybody sees it."""
    s = plan.simulation
    if s is None:
        return {"Viewers": "people who use the app"}
    lift = f", <b>a lift of {100 * s.lift:g}% planted</b>" if s.lift else ""
    return {"Viewers": f"{s.viewers:,} simulated, context at dose {s.dose:g} of the rule, {s.days_before} days before, seed {s.seed}{lift}"}


# -- the calculator ----------------------------------------------------------------------------------------------------


def _calculator(shown: Shown) -> None:
    exhibits.title(
        "How many viewers, how many days?", "Move what you want to find and how sure you want to be. What one viewer is like is read off the control."
    )
    asked = _asked(shown)
    run = course(shown, asked.metric)
    base = run.baseline(times=asked.times)
    if base is None:
        st.info(f"{label(asked.metric)} was not measured in the control, so nothing can be worked out for it.", icon=":material/info:")
        return
    saved = float(run.saved[-1]) if asked.cuped else 0.0
    try:
        viewers = sizes.sample_size(base, asked.effect, asked.power, asked.shares, asked.alpha, saved)
    except ValueError as error:
        st.info(f"No number of viewers: {words.md(str(error))}.", icon=":material/info:")
        return
    points = _by_day(asked, run)
    st.html(_answers(shown, asked, run, points, viewers))
    left, right = st.columns(2, gap="large")
    with left:
        _power(shown, asked, base, viewers, float(run.exposed[shown.day]), saved)
    with right:
        _detectable(shown, asked, points)


def _asked(shown: Shown) -> Wanted:
    """The controls of the calculator, all in the address; they begin as the plan has it."""
    plan = shown.plan
    metrics = list(dict.fromkeys((plan.primary, *plan.secondary)))
    with st.container(key="mq_xp_calculator"):
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            metric = exhibits.choose("for-metric", "Metric", metrics, plan.primary, label, pills=True)
            power = exhibits.choose("for-power", "Power", _with(POWERS, plan.power), plan.power, lambda p: f"{p:.0%}")
            alpha = exhibits.choose("for-alpha", "α, false alarms", _with(ALPHAS, plan.alpha), plan.alpha, lambda a: f"{100 * a:g}%")
            cuped = exhibits.choose("for-cuped", "CUPED", ("on", "off"), "on", str.capitalize)
        effect_at, baseline_at, share_at = st.columns(3, gap="medium")
        with effect_at:
            effect = _slide("for-effect", "Effect to find", _with(EFFECTS, 100 * plan.mde), 100 * plan.mde, lambda e: f"{e:g}%")
        with baseline_at:
            run = course(shown, metric)
            times = _slide("for-baseline", f"Baseline, {unit(metric).says}", TIMES, 1.0, lambda t: _base(run, metric, t))
        with share_at:
            usual = plan.arm(shown.arm).share / (plan.control.share + plan.arm(shown.arm).share)
            share = _slide("for-share", "Share of the treatment", _with(SHARES, usual), usual, lambda s: f"{s:.0%}")
    return Wanted(metric, effect / 100, power, alpha, share, cuped == "on", times)


def _with(options: tuple[float, ...], own: float) -> list[float]:
    """The options and the plan's own, in order."""
    own = round(own, 6)
    return sorted({*options, own})


def _slide(name: str, text: str, options: list[float] | tuple[float, ...], usual: float, shows) -> float:
    """A slider over numbers, remembered in the address but for the usual one."""
    by_slug = {f"{o:g}": o for o in options}
    kept = from_address(name, by_slug)
    if kept not in by_slug:
        put(name, None)
        kept = f"{usual:g}"
    key = f"mq_xp_slide_{name}"
    cmp_sides.slider(text, list(by_slug), kept, key, lambda slug: shows(by_slug[slug]), lambda: _slid(name, key, f"{usual:g}"))
    return by_slug[kept]


def _slid(name: str, key: str, usual: str) -> None:
    value = st.session_state.get(key)
    put(name, None if value in (None, usual) else value)


def _base(run: Course, metric: str, times: float) -> str:
    mean = float(run.mean[-1]) * times * unit(metric).times
    return f"{number(mean, 2)}{', as measured' if times == 1 else ''}"


# -- its answers -------------------------------------------------------------------------------------------------------


def _answers(shown: Shown, asked: Wanted, run: Course, points: pd.DataFrame, viewers: int) -> str:
    """Viewers, days, what the experiment as it stands would find, what CUPED saves."""
    here = points[points["chosen"] & (points["day"] == shown.day + 1)]["mde"].tolist()
    day, last = _first_day(points, asked.effect), words.counted(len(run.exposed), "day")
    tiles = [
        (f"{viewers:,}", f"viewers, each seen for up to {last}, to find {100 * asked.effect:g}%"),
        (f"Day {day}" if day else f"Over {last}", "when this experiment, with the viewers who came, finds as much"),
        (f"{100 * here[0]:.1f}%" if here else "–", f"the smallest effect found by day {shown.day + 1}, with {run.exposed[shown.day]:,.0f} viewers"),
        (share(float(run.saved[-1])) if asked.cuped else "Off", f"{'less variance by ' if asked.cuped else ''}{CUPED}"),
    ]
    return f'<div class="mq-ev mq-xp-answers">{"".join(f"<div><b>{escape(b)}</b><span>{escape(s)}</span></div>" for b, s in tiles)}</div>'


def _first_day(points: pd.DataFrame, effect: float) -> int | None:
    """The first day, from 1, by whose end so small an effect is found; None where there is none."""
    reached = points[points["chosen"] & (points["mde"] <= effect)]["day"].tolist()
    return min(reached, default=None)


@lru_cache(maxsize=2048)
def _least(base: Baseline, viewers: float, asked: Wanted, saved: float) -> float | None:
    try:
        return sizes.minimum_detectable_effect(base, viewers, asked.power, asked.shares, asked.alpha, saved)
    except ValueError:
        return None


def _power(shown: Shown, asked: Wanted, base: Baseline, viewers: int, here: float, saved: float) -> None:
    """Power curves around the effect that is asked for, with this experiment's place."""
    least = sizes.LEAST / min(asked.shares)
    needs = {f: sizes.sample_size(base, f * asked.effect, asked.power, asked.shares, asked.alpha, saved) for f in AROUND}
    grid = np.geomspace(max(least, min(needs.values()) / 12), max(max(needs.values()), here) * 2.2, 50)
    chance = lambda f, n, save: sizes.power(base, f * asked.effect, n, asked.shares, asked.alpha, save)
    rows = [_line(f"{100 * f * asked.effect:g}%", grid, chance(f, grid, saved), f == 1.0) for f in AROUND]
    if asked.cuped and saved > 0.01:
        rows.append(_line(f"{100 * asked.effect:g}% without CUPED", grid, chance(1.0, grid, 0.0), True, plain=True))
    marks = pd.DataFrame(
        {"effect": [f"{100 * f * asked.effect:g}%" for f in needs], "viewers": list(needs.values()), "power": asked.power,
         "chosen": [f == 1.0 for f in needs], "said": [f"{v:,}" for v in needs.values()]}
    )  # fmt: skip
    now = float(chance(1.0, max(here, least), saved))
    sentence = (
        f"A change of {100 * asked.effect:g}% is found with power {asked.power:.0%} by {viewers:,} viewers; the {int(here):,} that came "
        f"by day {shown.day + 1} find it with power {now:.0%}. Half the effect takes about four times as many: {needs[0.5]:,}."
        f"{' The broken line is without CUPED.' if asked.cuped and saved > 0.01 else ''}"
    )
    spec = exp_curves.power_curves(pd.concat(rows), marks, asked.power, int(here), (now, f"this experiment, {int(here):,}"))
    exp_frame.draw(shown, "power", "Who looks for half must ask four times as many", sentence, spec, pd.concat(rows))


def _line(effect: str, grid: np.ndarray, chance: np.ndarray, chosen: bool, plain: bool = False) -> pd.DataFrame:
    hover = [f"{p:.0%}" for p in chance]
    return pd.DataFrame({"effect": effect, "viewers": grid, "power": chance, "chosen": chosen, "plain": plain, "hover": hover})


def _by_day(asked: Wanted, run: Course) -> pd.DataFrame:
    """The smallest effect that is found by the end of each day, with what had been measured by then, with CUPED and without."""
    rows = []
    for series, saved in (("with CUPED", run.saved), ("without", np.zeros(len(run.exposed)))):
        for at, viewers in enumerate(run.exposed.tolist()):
            base = run.baseline(at, asked.times)
            least = _least(base, viewers, asked, float(saved[at])) if base else None
            if least is not None:
                rows.append((series, at + 1, least, viewers, asked.cuped == (series == "with CUPED"), f"{100 * least:.1f}%"))
    return pd.DataFrame(rows, columns=["series", "day", "mde", "viewers", "chosen", "hover"])


def _detectable(shown: Shown, asked: Wanted, points: pd.DataFrame) -> None:
    """The smallest effect over the days, with this experiment's place."""
    own = points[points["chosen"]]
    if not len(own):
        return exhibits.title("What each day makes visible", "Too few viewers came on every day for any effect to be found.")
    first, last, day = own.iloc[0], own.iloc[-1], _first_day(points, asked.effect)
    sentence = (
        f"On day {int(first['day'])} only an effect of {100 * first['mde']:.1f}% would be found, on day {int(last['day'])} one of "
        f"{100 * last['mde']:.1f}%; {100 * asked.effect:g}% {f'by day {day}' if day else 'on no day'}. More viewers come, and each says more."
    )
    spec = exp_curves.detectable(points, asked.effect, shown.day + 1)
    exp_frame.draw(shown, "mde", "What each day makes visible", sentence, spec, points.drop(columns="hover"))
