"""What is simulated, and how strongly: the rule by which a device is drawn, and what a model gains from it dose by dose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from recommender.evaluate.report import Paired
from recommender.ui import ctx_charts, exhibits, league, words
from recommender.ui.ctx_charts import PLACEBO, REAL
from recommender.ui.measures import chance_of, number, signed, titled
from recommender.ui.reports import Opened, Shelf
from recommender.ui.vega import records
from recommender.world import DEVICE_RULE, MOBILE_PER_HOUR

COMMAND = "python -m recommender evaluate context --data data/raw/ml-1m"
ORIGIN = "recommender/world\\.py · a rule we made up, not a measurement"
FREE = 100  # minutes from which the rule counts
DOSED = re.compile(r"device, simulated at dose ([0-9.]+)")
NONE = "no context"


def simulated(shelf: Shelf) -> None:
    """The rule drawn, then the dose-response."""
    left, right = st.columns(2, gap="large")
    with left:
        _rule()
    with right:
        _running_time()
    doses(shelf)


def _rule() -> None:
    points = pd.DataFrame(
        [
            {
                "genre": genre,
                "series": device,
                "x": lift,
                "said": f"{words.DEVICE[device]} {signed(lift, 1)} (×{np.exp(lift):.1f})",
                "hover": signed(lift, 1),
            }
            for device, lifts in DEVICE_RULE.items()
            for genre, lift in lifts.items()
        ]
    )
    most = points.sort_values("x").iloc[-1]
    bare = [device for device, lifts in DEVICE_RULE.items() if not lifts]
    sentence = (
        f"The strongest line of the rule, at dose 1: a {most['genre'].lower()} has {np.exp(most['x']):.1f} times the odds of being watched on "
        f"{most['series']}. A film of several genres adds them up{f'; {bare[0]} has no genre of its own' if bare else ''}. Every line is simulated."
    )
    exhibits.draw("rule", "The rule that draws a device", sentence, ctx_charts.rule(points), ORIGIN, points.drop(columns=["said", "hover"]))


def _running_time() -> None:
    minutes = np.arange(60, 201, 10)
    points = pd.DataFrame(
        [{"series": f"dose {d:g}", "minutes": int(m), "x": d * MOBILE_PER_HOUR * (m - FREE) / 60} for d in (0.25, 0.5, 1.0) for m in minutes]
    )
    sentence = (
        f"For every hour beyond {FREE} minutes, the odds of mobile are multiplied by {np.exp(MOBILE_PER_HOUR):.2f} at dose 1, and by "
        f"{np.exp(MOBILE_PER_HOUR / 2):.2f} at dose .5; a shorter film gains as much. A dose scales the whole rule; dose 0 draws all devices alike."
    )
    height = len({genre for lifts in DEVICE_RULE.values() for genre in lifts}) * 33
    exhibits.draw("minutes", "And the shorter, the more mobile", sentence, ctx_charts.running_time(points, height), ORIGIN, points)


# -- dose and response -------------------------------------------------------------------------------------------------


def lifts(opened: Opened | None) -> pd.DataFrame:
    """What each variant of the context study adds to no context, known and shuffled: the report's pairs with p corrected, and whether it is sure."""
    if opened is None or not len(opened.paired):
        return pd.DataFrame(columns=[*Paired._fields, "sure"])
    pairs = opened.paired[(opened.paired["against"] == NONE) & (opened.paired["metric"] == "NDCG") & opened.paired["segment"].isna()]
    pairs = pairs.drop(columns="p").rename(columns={"p_holm": "p"})
    return pairs.assign(sure=pairs["p"] < league.SURE, series=[PLACEBO if "shuffled" in m else REAL for m in pairs["model"]])


def dosed(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `lifts` with a simulated device, weakest dose first, with the dose."""
    found = [DOSED.fullmatch(str(v)) for v in table["variant"]]
    kept = table[[m is not None for m in found]]
    return kept.assign(dose=[float(m[1]) for m in found if m]).sort_values("dose", kind="stable")


def doses(shelf: Shelf) -> None:
    """The lift over the dose, with its placebo."""
    opened = shelf.found.get("context")
    table = dosed(lifts(opened))
    if opened is None or not len(table):
        return exhibits.missing("How much a device is worth, dose by dose", "context.json", COMMAND)
    title = titled("NDCG", table["k"].iloc[0])
    points = table.assign(
        x=table["dose"],
        y=table["delta"],
        hover=[f"{signed(d)}, {chance_of(p)}" for d, p in zip(table["delta"], table["p"])],
    )
    spec = ctx_charts.curves(points, "dose of the simulation", f"lift in {title} over no context", ctx_charts.TRIAL_LOOK, zero=True)
    exhibits.draw("doses", headline(table), spoken(table, title), spec, opened, table)
    st.caption(
        "The device is simulated, the viewers are real and none of them was seen in training. At dose 0 there is nothing to find, so a lift there "
        "would be an error of the method. Shuffled: each viewer’s own devices, dealt out anew: what is left then is not due to the moment. "
        "Filled dots are beyond noise (Holm), hollow ones are not. A lift inside a simulation says that the method works, not that devices matter."
    )


def headline(table: pd.DataFrame) -> str:
    """Whether the lift follows the dose, as far as it is sure."""
    real = table[table["series"] == REAL]
    first, last = real.iloc[0], real.iloc[-1]
    nothing = first["dose"] == 0 and not first["sure"]
    if nothing and last["sure"] and last["delta"] > 0:
        return "No dose, no lift; more dose, more lift" if real["delta"].is_monotonic_increasing else "No dose, no lift; the full dose lifts"
    return "No dose lifts beyond noise" if not real["sure"].any() else "The lift dose by dose"


def spoken(table: pd.DataFrame, title: str) -> str:
    """'Dose 0: −.000 [−.002, .001], not told apart; … Shuffled within viewer, no lift remains.'"""
    real = table[table["series"] == REAL]
    said = "; ".join(f"dose {r['dose']:g} {span(r)}{'' if r['sure'] else f', {level(r)}'}" for r in records(real))
    return f"What the simulated device adds to {title}, {int(real['n'].max()):,} viewers: {said}.{_shuffled(table[table['series'] == PLACEBO])}"


def _shuffled(placebo: pd.DataFrame) -> str:
    """What is left of the lift when a viewer's devices are dealt out anew, and what a device that says nothing costs."""
    if not len(placebo):
        return ""
    n, left = len(placebo), int((placebo["sure"] & (placebo["delta"] > 0)).sum())
    said = f" Shuffled within viewer, {f'{left} of {n} lifts remain' if left else 'no lift remains'}"
    costs = sorted(-placebo.loc[placebo["sure"] & (placebo["delta"] < 0), "delta"])
    if not costs:
        return f"{said}."
    many = f"all {n} lose" if len(costs) == n else f"{len(costs)} of {n} {'loses' if len(costs) == 1 else 'lose'}"
    ends = list(dict.fromkeys(number(c) for c in (costs[0], costs[-1])))
    return f"{said}, and {many} beyond noise: a device that says nothing costs {' to '.join(ends)}."


def level(row: Mapping[str, Any]) -> str:
    """How to say that p, corrected, is not small: the interval of a row, which is not corrected, may leave zero all the same."""
    return "not after correction" if row["lo"] > 0 or row["hi"] < 0 else "not told apart"


def span(row: Mapping[str, Any]) -> str:
    """A lift with its interval: '+.011 [+.008, +.015]'."""
    return f"{signed(row['delta'])} [{signed(row['lo'])}, {signed(row['hi'])}]"
