"""The section "A/A": how often the method is wrong over many runs in which both arms got the same, and what it says of planted faults."""

from __future__ import annotations

from html import escape
from itertools import pairwise

import numpy as np
import pandas as pd
import streamlit as st
from scipy.stats import binom

from recommender.evaluate.report import Row
from recommender.experiment.breaks import BREAKS
from recommender.ui import exhibits, exp_bars, exp_frame
from recommender.ui.exp_shelf import COMMAND, Shown
from recommender.ui.exp_words import LOOKS
from recommender.ui.measures import number
from recommender.ui.reports import Opened

FALSE, EVER, SAID, ALARM = "p below alpha", "ever on one of the days", "verdict", "alarm"  # metrics of the report
NOTHING = "A/A"
NAMES = {"fixed": "As measured", "fixed, CUPED": "With CUPED"}
LOOKED = {
    ("fixed", FALSE): "one look at the end",
    ("fixed, CUPED", FALSE): "one look, with CUPED",
    ("anytime, CUPED", FALSE): "one look, anytime",
    ("fixed, CUPED", EVER): "a look a day, fixed",
    ("anytime, CUPED", EVER): "a look a day, anytime",
}


def section(shown: Shown) -> None:
    """False alarms by method, p-values, and what the page would have said; or the command that writes the report."""
    if shown.report is None:
        exhibits.missing("How often is nothing called something?", "aa.json", f"{COMMAND} study aa")
        return
    opened = shown.report
    by_name = opened.report.more["p"]
    usual = "fixed, CUPED" if "fixed, CUPED" in by_name else next(iter(by_name))
    name = exhibits.choose("aa-of", "p-values of the effect", list(by_name), usual, lambda o: NAMES.get(o, o))
    left, right = st.columns(2, gap="large")
    with left:
        _errors(opened)
    with right:
        _histogram(opened, np.array(by_name[name], float))
    _verdicts(opened)


def spoken(opened: Opened | None) -> str:
    """The false-positive rate in one sentence, "" where there is no report or it does not say it."""
    found = _row(opened, NOTHING, "fixed, CUPED", FALSE) if opened else None
    if opened is None or found is None or not isinstance(opened.report.more.get("alpha"), float):
        return ""
    return f"Over {found.n:,} such runs the method called {_percent(found)} an effect, where {100 * _alpha(opened):g}% are promised."


def _row(opened: Opened, variant: str, model: str, metric: str) -> Row | None:
    return next((r for r in opened.report.rows if (r.variant, r.model, r.metric) == (variant, model, metric)), None)


def _alpha(opened: Opened) -> float:
    return float(opened.report.more["alpha"])


def _percent(row: Row) -> str:
    return f"{100 * row.mean:.1f}% [{100 * row.lo:.1f}%, {100 * row.hi:.1f}%]"


def _label(opened: Opened) -> str:
    return "simulated" if opened.report.more.get("simulated", True) else ""


def _draw(opened: Opened, key: str, head: str, sentence: str, spec: dict, figures: pd.DataFrame) -> None:
    exhibits.draw(f"exp_{key}", head, sentence, exp_frame.stamped(spec, _label(opened)), opened, figures)


def _errors(opened: Opened) -> None:
    """How often nothing is called an effect, by how it is looked at."""
    alpha = _alpha(opened)
    found = [(name, row) for (model, metric), name in LOOKED.items() if (row := _row(opened, NOTHING, model, metric))]
    points = pd.DataFrame(
        [{"row": name, "rate": r.mean, "lo": r.lo, "hi": r.hi, "ok": r.lo <= alpha, "said": f"{100 * r.mean:.1f}%", "n": r.n} for name, r in found]
    )
    once, daily, anytime = (_row(opened, NOTHING, *key) for key in (("fixed, CUPED", FALSE), ("fixed, CUPED", EVER), ("anytime, CUPED", EVER)))
    if once is None or daily is None or anytime is None:
        return
    sentence = (
        f"Both arms got the same, {once.n:,} times. One look at the end calls {_percent(once)} of them an effect, where {100 * alpha:g}% are "
        f"promised. Who looks on every day and stops at the first p below {number(alpha, 2)} is wrong in {_percent(daily)}; by the anytime "
        f"interval in {_percent(anytime)}."
    )
    worse = daily.lo > alpha
    head = "Peeking breaks the promise, the anytime interval keeps it" if worse and anytime.lo <= alpha else "How often nothing is called something"
    _draw(opened, "alarms", head, sentence, exp_bars.alarms(points, alpha, points["row"].tolist()), points.drop(columns=["ok", "said"]))


def _histogram(opened: Opened, counts: np.ndarray) -> None:
    """p-values of the same runs, counted in bins of one width."""
    bins, runs = len(counts), counts.sum()
    low, high = binom.ppf([0.025, 0.975], int(runs), 1 / bins)
    edges = np.linspace(0, 1, bins + 1)
    points = pd.DataFrame({"left": edges[:-1], "right": edges[1:], "runs": counts, "expected": runs / bins, "lo": low, "hi": high})
    points["said"] = [f"{a:.2f} to {b:.2f}" for a, b in pairwise(edges.tolist())]
    points["chance"] = f"{low:.0f} to {high:.0f}"
    inside = int(((counts >= low) & (counts <= high)).sum())
    sentence = (
        f"Where nothing is to be found, every p-value is as likely as another. {inside} of {bins} bars lie within the band that chance gives "
        f"95% of them; bars below {number(_alpha(opened), 2)} are the false alarms."
    )
    head = "Nothing to find looks flat" if inside >= binom.ppf(0.01, bins, 0.95) else "Not as flat as it should be"
    _draw(opened, "uniform", head, sentence, exp_bars.histogram(points, _alpha(opened)), points.drop(columns=["said", "chance"]))


def _verdicts(opened: Opened) -> None:
    """What the page would have said: of nothing, of a lift, of each fault."""
    rows = [r for r in opened.report.rows if r.metric == SAID and r.model in LOOKS]
    if not rows:
        return
    faults = opened.report.more.get("faults", {})
    order = list(dict.fromkeys(r.variant for r in rows))
    points = pd.DataFrame([{"row": r.variant, "verdict": LOOKS[r.model].word, "share": r.mean, "n": r.n} for r in rows])
    shipped = [r for r in rows if r.model == "ship" and r.variant not in faults]
    said = [f"{_planted(r)} the page shipped {_percent(r)} of {r.n:,} runs." for r in shipped]
    wrong = [r for r in rows if r.model == "ship" and r.variant in faults]
    said += [f"With a fault planted it shipped {100 * max(r.mean for r in wrong):.1f}% at most."] if wrong else []
    _draw(
        opened,
        "said",
        "What the page says of nothing, of something, and of each fault",
        " ".join(said),
        exp_bars.verdicts(points, order),
        points,
    )
    exhibits.key({look.word: (look.tone, shape) for look, shape in zip(LOOKS.values(), ("triangle-up", "triangle-down", "circle", "cross"))})
    lines = "".join(f"<li><b>{escape(str(name))}</b><span>{escape(str(what))}</span>{_caught(opened, name)}</li>" for name, what in faults.items())
    st.html(f'<ul class="mq-ev mq-xp-faults">{lines}</ul>')


def _planted(row: Row) -> str:
    return "With nothing to find" if row.variant == NOTHING else f"With {row.variant} to find"


def _caught(opened: Opened, fault: str) -> str:
    """How often the check of a fault sounds where it is planted, and where nothing is; "" where the report does not say."""
    key = next((found.check for found in BREAKS.values() if found.label == fault), "")
    true, shipped, false = _row(opened, fault, key, ALARM), _row(opened, fault, "ship", SAID), _row(opened, NOTHING, key, ALARM)
    if true is None or shipped is None or false is None:
        return ""
    return (
        f"<em>Its check sounds in {_percent(true)} of {true.n:,} runs; {_percent(shipped)} are shipped. "
        f"Without a fault it sounds in {_percent(false)} of {false.n:,}.</em>"
    )
