"""The claims that context-aware recommendations would have to bear out, beside what our runs give at each dose of simulated context."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from recommender.ui import exhibits, exp_curves, exp_frame
from recommender.ui.exp_figures import percent
from recommender.ui.exp_shelf import COMMAND
from recommender.ui.league import SURE
from recommender.ui.measures import chance_of
from recommender.ui.reports import Opened, Shelf
from recommender.ui.vega import records


def section(reports: Shelf) -> None:
    """The report "doses", or the command that writes it."""
    opened = reports.found.get("doses")
    if opened is None or not len(opened.paired):
        exhibits.missing("What the claims would take", "doses.json", f"{COMMAND} study doses")
        return
    more = opened.report.more
    points = found(opened)
    order = list(dict.fromkeys(points["row"]))
    marks = pd.DataFrame(
        [{"row": _label(more, m), "x": claim, "name": f"claimed {percent(claim)}"} for m, claim in more["claims"].items() if _label(more, m) in order]
    )
    spec = exp_frame.stamped(exp_curves.claims(points, marks, order), "simulated")
    exhibits.draw("exp_doses", headline(opened), spoken(opened), spec, opened, points.drop(columns=["said", "hover"]))
    st.html(needed(opened))


def found(opened: Opened) -> pd.DataFrame:
    """The relative effect of telling the context, by metric and dose: row, dose, x, lo, hi, sure, said, hover."""
    rows = [
        {
            "row": _label(opened.report.more, r["metric"]),
            "dose": r["variant"],
            "x": r["delta"],
            "lo": r["lo"],
            "hi": r["hi"],
            "sure": r["p_holm"] < SURE,
            "said": percent(r["delta"]),
            "hover": f"{percent(r['delta'])} [{percent(r['lo'])}, {percent(r['hi'])}], Holm {chance_of(r['p_holm'])}",
            "n": r["n"],
        }
        for r in records(opened.paired)
    ]
    return pd.DataFrame(rows)


def _label(more: dict[str, Any], metric: str) -> str:
    return str(more["metrics"].get(metric, {}).get("label", metric))


def headline(opened: Opened) -> str:
    """Which claims are reached at some dose, beyond noise, and which are ruled out at every one."""
    rows, claims = records(opened.paired), opened.report.more["claims"]
    by_metric = {m: [r for r in rows if r["metric"] == m] for m in claims}
    reached = sum(any(r["delta"] >= claims[m] and r["p_holm"] < SURE for r in mine) for m, mine in by_metric.items())
    out = sum(all(r["hi"] < claims[m] for r in mine) for m, mine in by_metric.items())
    if reached:
        return f"{reached} of {len(claims)} claims {'is' if reached == 1 else 'are'} reached at some dose"
    ruled = f"; {out} of {len(claims)} {'is' if out == 1 else 'are'} ruled out at every one" if out else ""
    return f"No claim is reached at any dose{ruled}"


def spoken(opened: Opened) -> str:
    """Metric by metric what is claimed, and what the strongest dose gives."""
    more, rows = opened.report.more, records(opened.paired)
    said = []
    for metric, claim in more["claims"].items():
        mine = [r for r in rows if r["metric"] == metric]
        if mine:
            last = mine[-1]
            ours = f"{percent(last['delta'])} [{percent(last['lo'])}, {percent(last['hi'])}] at {last['variant']}"
            said.append(f"{_label(more, metric)}: claimed {percent(claim)}, ours {ours}.")
    viewers = f"{more['viewers']:,} simulated viewers, {more['days']} days; the dose is how far context moves taste, 0 not at all."
    return f"{' '.join(said)} {viewers}"


def needed(opened: Opened) -> str:
    """How many viewers an A/B test takes to see the claim, with power 80% at 5%; where an effect of ours is beyond noise, to see that."""
    more = opened.report.more
    sure = {(r["metric"], r["variant"].removeprefix("dose ")) for r in records(opened.paired) if r["p_holm"] < SURE}
    columns = ["Viewers to see", "the claim", "the claim, with CUPED", *(["our effect", "our effect, with CUPED"] if sure else [])]
    head = "".join(f"<th scope='col'>{c}</th>" for c in columns)
    none = "" if sure else " No effect of ours is shown at any dose, so there is none to count viewers for."
    body = ""
    for metric, by_dose in more["needed"].items():
        for dose, n in by_dose.items():
            ours = [n.get("measured"), n.get("measured, with CUPED")] if (metric, dose) in sure else [None, None]
            cells = [n.get("claimed"), n.get("claimed, with CUPED"), *(ours if sure else [])]
            figures = "".join(f"<td>{f'{x:,}' if x else 'no effect shown'}</td>" for x in cells)
            body += f"<tr><th scope='row'>{escape(_label(more, metric))}, dose {escape(str(dose))}</th>{figures}</tr>"
    return (
        f'<div class="mq-ev mq-xp-needed{" mq-xp-wide" if sure else ""}">'
        '<div class="mq-ev-scroll" tabindex="0" role="region" aria-label="Viewers needed">'
        f"<table><caption>Simulated. Viewers in both arms, to find it in 80% of experiments, with a false alarm in 5%.{none}</caption>"
        f"<thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div></div>"
    )
