"""Interleaving against the A/B test of the same two rankings: how many viewers each needs, and whether they agree."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from recommender.stats.effects import Interval
from recommender.ui import exhibits, exp_frame, exp_table
from recommender.ui import exp_other_charts as charts
from recommender.ui.curves import BLUE, GOLD
from recommender.ui.exp_figures import percent, relative
from recommender.ui.measures import chance_of, number
from recommender.ui.reports import Opened
from recommender.ui.vega import wrapped

TESTS = {"A/B": (BLUE, "triangle-up"), "interleaving": (GOLD, "circle")}
MOST = 1e7  # viewers, above which a test is out of reach: whiskers end there


def draw(opened: Opened) -> None:
    """The chart of viewers needed, a ranking against itself, and each pair in a table."""
    pairs = opened.report.more["pairs"]
    points = needs(pairs)
    spec = exp_frame.stamped(charts.needed(points, list(dict.fromkeys(points["row"])), TESTS, MOST), "simulated")
    head, sentence = needs_said(opened)
    exhibits.draw("ways_needed", head, sentence, spec, opened, points.drop(columns=["said", "span"]))
    exhibits.key(TESTS)
    alike = opened.report.more["itself"]
    st.caption(
        "Simulated. Team draft: a coin says who picks first in each round, and a click is a point for the ranking that brought the film; one "
        f"viewer, one voice. A ranking against itself, {alike['runs']:,} times with {alike['viewers']} viewers: a difference at the 5% level in "
        f"{_rate(alike['t'])} by the t test, in {_rate(alike['sign'])} by the sign test. Whiskers end at {MOST / 1e6:g} million viewers."
    )
    exp_table.lines("Pair by pair, simulated", [told(pair, opened) for pair in pairs])


def needs(pairs: list[dict[str, Any]]) -> pd.DataFrame:
    """Viewers that either test needs for each pair: row, series, x, lo, hi (infinite where no number is enough), said, hover, span."""
    made = []
    for pair in pairs:
        for test in TESTS:
            of = {name: math.inf if value is None else float(value) for name, value in pair["needed"][test].items()}
            said = _viewers(of["viewers"])
            made.append(
                {
                    "row": wrapped(pair["pair"]),
                    "series": test,
                    "x": of["viewers"],
                    "lo": of["lo"],
                    "hi": of["hi"],
                    "said": said,
                    "hover": said,
                    "span": f"{_viewers(of['lo'])} to {_viewers(of['hi'])}",
                }
            )
    return pd.DataFrame(made)


def needs_said(opened: Opened) -> tuple[str, str]:
    """Headline and sentence: for how many pairs it surely needs fewer viewers, where it needs more, and where it prefers the wrong one."""
    ratios = opened.table[opened.table["metric"] == "times fewer"].set_index("variant")
    pairs = opened.report.more["pairs"]
    fewer = [p["pair"] for p in pairs if ratios.loc[p["pair"], "lo"] > 1]
    more = [p["pair"] for p in pairs if ratios.loc[p["pair"], "hi"] < 1]
    against = [p["pair"] for p in pairs if (p["share"]["lo"] > 0.5 and p["truth"] < 0) or (p["share"]["hi"] < 0.5 and p["truth"] > 0)]
    best = max(pairs, key=lambda p: ratios.loc[p["pair"], "lo"])
    r = ratios.loc[best["pair"]]
    sure = "" if r["lo"] > 1 else ", which leaves open whether it is any"
    sentence = f"Most surely for {best['pair']}: {_times(r['mean'])} times fewer than the A/B test [{_times(r['lo'])}, {_times(r['hi'])}]{sure}."
    for pair in [p for p in pairs if p["pair"] in more]:
        sentence += (
            f" For {pair['pair']} it surely needs more: a draft shows about the first half of either list, where the true lift is "
            f"{percent(pair['truth_of_half'])}, not {percent(pair['truth'])}."
        )
    if against:
        sentence += f" For {_listed(against)} it prefers the ranking whose lists truly get fewer clicks."
    return f"Interleaving surely needs fewer viewers in {len(fewer)} of {len(pairs)} pairs, simulated", sentence


def told(pair: dict[str, Any], opened: Opened) -> dict[str, str]:
    """One pair as a line of the table: the true lift, and what an experiment of that many viewers said either way."""
    of = opened.table[opened.table["variant"] == pair["pair"]].set_index("metric")
    lift, share = (of.loc[name] for name in ("lift", "share"))
    shared = f"{share['mean']:.1%} [{share['lo']:.1%}, {share['hi']:.1%}]"
    return {
        "pair": pair["pair"],
        "true lift of clicks": percent(pair["truth"]),
        f"A/B of {lift['n']:,.0f} viewers": f"{relative(Interval(lift['mean'], lift['lo'], lift['hi']))}, {chance_of(pair['p']['A/B'])}",
        "interleaving of as many: share for the first-named": f"{shared}, {chance_of(pair['p']['interleaving'])}",
        "films in common": f"{pair['common']:.0%}",
    }


def _viewers(count: float) -> str:
    return f"{number(count, 0)}" if count <= MOST else f"over {MOST / 1e6:g} million"


def _times(ratio: float) -> str:
    return number(ratio, 1 if ratio >= 1 else 2) if math.isfinite(ratio) else "any number of"


def _rate(of: dict[str, float]) -> str:
    return f"{of['mean']:.1%} [{of['lo']:.1%}, {of['hi']:.1%}]"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
