"""The section "Health": may the effect be looked at? Who came, in which shares, how alike the arms were before, and every check by name."""

from __future__ import annotations

import math
from html import escape
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from recommender.experiment.health import REFUSED
from recommender.experiment.metrics import METRICS
from recommender.experiment.results import Check, Reading
from recommender.ui import ctx_charts, exp_bars, exp_frame
from recommender.ui.exp_shelf import Shown
from recommender.ui.measures import chance_of, number, ranged, signed
from recommender.ui.vega import wrapped
from recommender.ui.words import counted

EDGE = 0.1  # standardised difference above which arms are called unlike: Austin, Statistics in Medicine 28(25), 2009
LEFT_OUT = {"holdout": "in the holdout", "never came": "who never came", "several arms": "who met several arms", "machines": "taken for a machine"}
SURE = NormalDist().inv_cdf(1 - REFUSED / 2)  # of a share that is refused


def section(shown: Shown) -> None:
    """The answer, the checks, then a picture of each that has figures."""
    st.html(_answer(shown.reading))
    st.html(listed(shown.reading))
    left, right = st.columns(2, gap="large")
    with left:
        _exposures(shown)
    with right:
        _ratio(shown)
        _daily(shown)
    left, right = st.columns(2, gap="large")
    with left:
        _balance(shown)
    with right:
        _read(shown)


def check(reading: Reading, key: str) -> Check | None:
    return next((c for c in reading.health if c.key == key), None)


# -- in words ----------------------------------------------------------------------------------------------------------


def _answer(reading: Reading) -> str:
    """One sentence, large: blocked, or not."""
    failed = [c for c in reading.health if not c.ok]
    blocking = [c for c in failed if c.blocks]
    if blocking:
        names = " and ".join(escape(c.label.lower()) for c in blocking)
        said = "No effect is read, and nothing below can be called a win, until the cause is found and the experiment is run again."
        return _said("bad", "✕", f"Blocked: {names}.", said)
    out = ", ".join(f"{n:,} {LEFT_OUT.get(why, why)}" for why, n in reading.left_out.items() if n and why != "never came")
    more = f"{counted(sum(reading.counts.values()), 'viewer')} are read{f'; left out: {escape(out)}' if out else '; nobody is left out'}."
    if failed:
        names = ", ".join(escape(c.label.lower()) for c in failed)
        said = f"Look at: {names}. It warns and does not block. {more}"
        return _said("open", "!", "The effect may be read, with care.", said)
    return _said("good", "✓", "The effect may be read.", more)


def _said(state: str, mark: str, head: str, more: str) -> str:
    return f'<div class="mq-ev mq-xp-answer mq-xp-{state}"><i aria-hidden="true">{mark}</i><div><b>{head}</b><p>{more}</p></div></div>'


def listed(reading: Reading) -> str:
    """Every check with mark, word and sentence; those that block say so."""
    return f'<ul class="mq-ev mq-xp-checks">{"".join(_row(c) for c in sorted(reading.health, key=_order))}</ul>'


def _order(c: Check) -> tuple[bool, bool]:
    """What fails first, and of that what blocks."""
    return c.ok, not c.blocks


def _row(c: Check) -> str:
    state, mark, word = ("good", "✓", "passes") if c.ok else ("bad", "✕", "blocks") if c.blocks else ("open", "!", "warns")
    can = "" if not c.blocks or not c.ok else "<em>can block</em>"
    return (
        f'<li class="mq-xp-{state}"><i aria-hidden="true">{mark}</i><div><b>{escape(c.label)} <span>{word}</span>{can}</b>'
        f"<p>{escape(c.said)}</p></div></li>"
    )


# -- in pictures -------------------------------------------------------------------------------------------------------


def _exposures(shown: Shown) -> None:
    """Who came on each day."""
    points = pd.DataFrame([{"arm": e.arm, "day": e.day + 1, "new": e.new, "came": e.came} for e in shown.reading.exposures])
    if not len(points):
        return
    new, came = points.groupby("day")["new"].sum(), points.groupby("day")["came"].sum()
    sentence = (
        f"{int(new.sum()):,} viewers came in {counted(len(came), 'day')}, {int(new.iloc[0]):,} of them on the first. "
        f"Lines are all who came on a day, bars those who came for the first time."
    )
    spec = exp_bars.exposures(points, [arm.name for arm in shown.plan.arms], shown.plan.days)
    exp_frame.draw(shown, "exposures", "Who came, day by day", sentence, spec, points)


def _ratio(shown: Shown) -> None:
    """Shares found and planned, with what chance would allow."""
    srm = check(shown.reading, "srm")
    if srm is None or not srm.facts:
        return
    points = shares(srm)
    head = "The arms got the viewers they were dealt" if srm.ok else "Not the shares that were dealt: the verdict is blocked"
    sentence = (
        f"{srm.said} The band is as far as chance goes in 999 of 1,000 experiments, the tick is the plan; beyond is a sample-ratio mismatch (SRM)."
    )
    exp_frame.draw(shown, "srm", head, sentence, exp_bars.ratio(points), points.drop(columns=["said", "hover"]))


def shares(srm: Check) -> pd.DataFrame:
    """The share of each arm: found, planned, and lo to hi, within which 999 of 1,000 sound experiments lie."""
    found, expected = (np.array(srm.facts[name], float) for name in ("observed", "expected"))
    total = found.sum()
    planned = expected / total
    reach = SURE * np.sqrt(planned * (1 - planned) / total)
    return pd.DataFrame(
        {
            "row": srm.facts["arms"],
            "found": found / total,
            "planned": planned,
            "lo": planned - reach,
            "hi": planned + reach,
            "ok": srm.ok,
            "said": [f"{int(k):,} · {k / total:.1%}" for k in found],
            "hover": [f"{e:,.0f} · {p:.1%}" for e, p in zip(expected, planned)],
        }
    )


def _daily(shown: Shown) -> None:
    """The same question asked after every day."""
    found = check(shown.reading, "srm-daily")
    p = (found.facts.get("p") or []) if found else []
    if found is None or not p:
        return
    points = pd.DataFrame({"day": range(1, len(p) + 1), "p": np.maximum(p, 1e-60), "said": [chance_of(x) for x in p]})
    head = "Asked every day, no alarm" if found.ok else "Asked every day, it sounds early"
    exp_frame.draw(shown, "srm_daily", head, found.said, exp_bars.daily(points, REFUSED), points.drop(columns="said"))


def _balance(shown: Shown) -> None:
    """A love plot: how alike the arms were in the days before, in standard deviations of a viewer."""
    found = check(shown.reading, "balance")
    rows = [
        made for row in (found.facts.get("rows", ()) if found else ()) if (made := standardised(row, shown.reading.counts, shown.plan.control.name))
    ]
    if found is None or not rows:
        st.html(f'<div class="mq-ev mq-ev-empty"><b>Balance before exposure</b><p>{escape(found.said if found else "Not asked.")}</p></div>')
        return
    points = pd.DataFrame(rows)
    most = max(points["d"].tolist(), key=abs)
    head = "Alike before anything was changed" if found.ok else "Unlike before anything was changed"
    sentence = f"{found.said} The largest difference is {signed(most, 3)} standard deviations; {number(EDGE, 1)} and more would be called unlike."
    spec = exp_bars.love(points, list(dict.fromkeys(points["row"])), [arm.name for arm in shown.plan.arms], EDGE)
    exp_frame.draw(shown, "balance", head, sentence, spec, points.drop(columns=["hover", "span"]))


def _read(shown: Shown) -> None:
    """Who is read in the end: multiple exposure and machines as steps from all viewers of the log."""
    reading = shown.reading
    left = len(shown.log)
    steps = [("all viewers", left)]
    for why, n in reading.left_out.items():
        left -= n
        if n or why in ("several arms", "machines"):
            steps.append((f"without those {LEFT_OUT.get(why, why)}", left))
    points = pd.DataFrame(steps, columns=["row", "users"]).assign(said=[f"{n:,}" for _, n in steps])
    points["row"] = [wrapped(row) for row in points["row"]]
    several, machines = (found.said if (found := check(reading, key)) else "" for key in ("several", "machines"))
    exp_frame.draw(shown, "read", "Who is read in the end", f"{several} {machines}", ctx_charts.funnel(points), points.drop(columns="said"))


def standardised(row: dict[str, Any], counts: dict[str, int], control: str) -> dict[str, Any] | None:
    """The difference before in standard deviations of a viewer, from the relative one and its interval, symmetric in the logarithm.

    d = log(t / c) / se * sqrt(1 / n_c + 1 / n_t)
    """
    estimate, lo, hi = row["relative"]
    sizes = counts.get(control, 0), counts.get(row["arm"], 0)
    if not (min(sizes) > 0 and -1 < lo < hi < math.inf):
        return None
    reach = (math.log1p(hi) - math.log1p(lo)) / 2 / NormalDist().inv_cdf(0.975)
    unit = math.sqrt(1 / sizes[0] + 1 / sizes[1])
    d, half = math.log1p(estimate) / reach * unit, 1.96 * unit
    name, ok = METRICS[row["metric"]].label, row["p_holm"] >= 0.01
    hover = f"{signed(d)} sd, {signed(100 * estimate, 1)}%, Holm {chance_of(row['p_holm'])}"
    return {"row": name, "arm": row["arm"], "d": d, "lo": d - half, "hi": d + half, "ok": ok, "hover": hover, "span": ranged(d - half, d + half)}
