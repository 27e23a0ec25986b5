"""What the data can support: who can tell anything of the hour at all, and whether the same person rates other genres at other hours."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from recommender.ui import ctx_charts, exhibits, league
from recommender.ui.ctx_charts import GOLD
from recommender.ui.measures import chance_of, number, signed
from recommender.ui.reports import Opened, Shelf
from recommender.ui.vega import n, q, tips, wrapped
from recommender.ui.words import counted

EDITIONS = {"audit-ml-1m": "MovieLens 1M", "audit-ml-100k": "MovieLens 100K"}
COMMAND = "python -m recommender evaluate audit --data data/raw/ml-1m"
HOME = "part of day, local"  # the signal that a model could use: what it is for the viewer


def audit(shelf: Shelf) -> None:
    """Choices of data set and signal; who can tell, how much is explained, where it would show."""
    there = [name for name in EDITIONS if name in shelf.found and shelf.found[name].report.more.get("signals")]
    if not there:
        return exhibits.missing("Does the hour shift what a person watches?", "audit-ml-1m.json", COMMAND)
    with st.container(horizontal=True, gap="medium", key="mq_ev_audit_choices"):
        name = exhibits.choose("edition", "Data", there, there[0], lambda o: EDITIONS[o])
        opened = shelf.found[name]
        told = {s["variant"]: s for s in opened.report.more["signals"]}
        signal = exhibits.choose("signal", "Signal and clock", list(told), HOME if HOME in told else next(iter(told)), str, listed=True, width=230)
    left, right = st.columns(2, gap="large")
    with left:
        _who(opened, told)
    with right:
        _explained(opened, told)
    _shifts(opened, told[signal])
    _checks(opened, told[signal])


def _who(opened: Opened, told: dict[str, dict]) -> None:
    """How many viewers are left at each step."""
    more = opened.report.more
    counts, usual = more["counts"], told.get(HOME) or next(iter(told.values()))
    steps = [
        ("all viewers", counts["users"]),
        ("whose clock is known", counts["with_zone"]),
        ("who came more than once", counts["more_than_one_session"]),
        ("at different parts of the day", usual["users"]),
    ]
    points = pd.DataFrame(steps, columns=["row", "users"])
    points = points.assign(said=[f"{u:,} · {u / counts['users']:.0%}" for u in points["users"]])
    share = usual["users"] / counts["users"]
    sentence = (
        f"Only who came at different parts of the day can show that the hour changes their taste: {usual['users']:,} of {counts['users']:,} "
        f"viewers. A pause of over {more['session_minutes']:g} minutes ends a session. By UTC, as stored, {counts['utc_another_part']:.0%} of the "
        "sessions would lie in another part of the day."
    )
    head = "Few can tell anything of the hour" if share < 0.5 else "How many can tell anything of the hour"
    exhibits.draw("who", head, sentence, ctx_charts.funnel(points), opened, points)


def _explained(opened: Opened, told: dict[str, dict]) -> None:
    """The share of the variance within viewers that each signal explains, beside what shuffled labels explain."""
    points = pd.DataFrame([_against_chance(variant, s["explained"], s["explained"]["p_holm"]) for variant, s in told.items()])
    points = points.assign(sure=points["p"] < league.SURE, hover=[f"{h} (Holm)" for h in points["hover"]])
    found = points[points["sure"]]
    usual = told.get(HOME) or next(iter(told.values()))
    e = usual["explained"]
    sentence = (
        f"Within one person, the part of the day on their own clock explains {e['value']:.3%} of what genres they rate; shuffled sessions explain "
        f"{e['chance']:.3%} on average and over {e['chance_95']:.3%} once in twenty ({chance_of(e['p_holm'])}, Holm). "
        "A filled dot is beyond noise after correction."
    )
    head = (
        f"{len(found)} of {len(points)} signals beyond chance after correction"
        if len(found)
        else "No signal explains more than chance after correction"
    )
    title = "variance explained · p after Holm"
    exhibits.draw("explained", head, sentence, ctx_charts.null(points, title, points["row"].tolist()), opened, points.drop(columns=["said", "hover"]))


def _against_chance(row: str, e: dict, p: float) -> dict:
    """What is explained beside what shuffled sessions explain. p: corrected or not, as the chart has it."""
    return {
        "row": row,
        **{k: e[k] for k in ("value", "chance", "chance_95")},
        "p": p,
        "said": f"{e['value']:.3%}, {chance_of(p)}",
        "hover": f"{e['value']:.3%}, {chance_of(p)}",
        "by_chance": f"{e['chance']:.3%} on average, {e['chance_95']:.3%} once in twenty",
    }


# -- where it would show -----------------------------------------------------------------------------------------------


def _shifts(opened: Opened, told: dict) -> None:
    """Genre by label: how much larger its share is then, for the same people; then one label with its intervals."""
    cells = shifts(opened, told["variant"])
    if not len(cells):
        return exhibits.title("Which genres, when", "The report holds no figures by genre for this signal.")
    labels = list(dict.fromkeys(cells["label"]))
    order = cells.groupby("genre")["x"].apply(lambda x: x.abs().max()).sort_values(ascending=False).index.tolist()
    most = max(5.0, float(cells["x"].abs().max()))
    shown = cells.assign(column=[f"{w}" for w in cells["label"]], row=cells["genre"])
    hover = [
        *tips(genre="Genre", label="When", hover="Shift", span="95% interval", chance="Chance"),
        q("n", title="Viewers", format=",.0f"),
        n("sure", title="Beyond noise"),
    ]
    exhibits.draw("shifts", *shift_said(cells, told), ctx_charts.heat(shown, labels, order, most, hover), opened, cells)
    st.caption(
        "Percentage points: how much larger the share of a genre is at that time than at the same viewers’ other times. Amber is more, blue is "
        "less; an outline marks what is beyond noise after correction for all cells (Holm). Colours are full at five points or the largest shift."
    )
    label = exhibits.choose("when", "With intervals", labels, labels[-1], str.capitalize)
    one = cells[cells["label"] == label].sort_values("x", ascending=False)
    one = one.assign(row=one["genre"], series="shift", said=[f"{signed(x, 1)}" for x in one["x"]])
    ends = cells[["lo", "hi"]].abs().max().max()
    spec = ctx_charts.intervals(
        one,
        "percentage points against their other times",
        one["row"].tolist(),
        {"shift": (GOLD, "circle")},
        "no shift",
        (-1.05 * ends, 1.25 * ends),
        "+~g",
    )
    exhibits.draw("when", f"{label.capitalize()}, genre by genre", when_said(one, label), spec, opened, one.drop(columns=["row", "series", "said"]))


def shifts(opened: Opened, variant: str) -> pd.DataFrame:
    """The cells of one signal: genre, label, x, lo, hi in percentage points, p (corrected), sure, n, and what hovering says."""
    pairs = opened.paired[(opened.paired["variant"] == variant) & (opened.paired["metric"] == "shift")]
    made = pd.DataFrame(
        {
            "label": pairs["model"],
            "genre": [str(s).partition("=")[2] for s in pairs["segment"]],
            **{name: 100 * pairs[column] for name, column in (("x", "delta"), ("lo", "lo"), ("hi", "hi"))},
            "p": pairs["p_holm"],
            "n": pairs["n"],
        }
    )
    return made.assign(
        sure=made["p"] < league.SURE,
        said=[signed(x, 1) for x in made["x"]],
        hover=[f"{signed(x, 1)} points" for x in made["x"]],
        span=[f"{signed(a, 1)} to {signed(b, 1)}" for a, b in zip(made["lo"], made["hi"])],
        chance=[f"{chance_of(p)} (Holm)" for p in made["p"]],
    )


def shift_said(cells: pd.DataFrame, told: dict) -> tuple[str, str]:
    """Headline and sentence: how many cells are beyond noise, the largest, and what the intervals leave room for."""
    found, most = int(cells["sure"].sum()), cells.sort_values("x", key=abs).iloc[-1]
    head = f"{found} of {len(cells)} shifts are beyond noise" if found else "No genre shifts beyond noise"
    interval = f"{signed(most['x'], 1)} points [{signed(most['lo'], 1)}, {signed(most['hi'], 1)}]"
    largest = f"The largest is {most['genre']} in {most['label']} sessions: {interval}, {chance_of(most['p'])} after Holm"
    return head, (
        f"{told['variant'].capitalize()}, {counted(told['users'], 'viewer')} with {told['sessions']:,} sessions, {len(cells)} cells. {largest}. "
        f"No interval reaches beyond {number(100 * told['at_most'], 1)} points."
    )


def when_said(one: pd.DataFrame, label: str) -> str:
    """How many of the intervals of one label leave zero, as they stand, and how many after correction."""
    out = int(((one["lo"] > 0) | (one["hi"] < 0)).sum())
    return (
        f"{out} of {len(one)} intervals of 95% leave zero taken one by one, where about {0.05 * len(one):.0f} would by chance alone; "
        f"after correction for all cells {int(one['sure'].sum())} remain."
    )


def _checks(opened: Opened, told: dict) -> None:
    """The same test done otherwise."""
    rows = [_against_chance("as above", told["explained"], told["explained"]["p"])]
    rows += [
        _against_chance(c["check"], c["explained"], c["explained"]["p"])
        for c in opened.report.more.get("checks", [])
        if c["variant"] == told["variant"]
    ]
    if len(rows) < 2:
        return
    points = pd.DataFrame(rows)
    points = points.assign(row=[wrapped(r) for r in points["row"]], sure=False)
    low, high = number(points["p"].min(), 3), number(points["p"].max(), 2)
    sentence = f"{told['variant'].capitalize()}: other sessions and other shuffles give p between {low} and {high}, not corrected."
    exhibits.draw(
        "checks",
        "The same, done otherwise",
        sentence,
        ctx_charts.null(points, "variance explained · p not corrected", points["row"].tolist()),
        opened,
        points.drop(columns=["said", "hover"]),
    )
