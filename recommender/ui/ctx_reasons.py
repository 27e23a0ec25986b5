"""Do the reasons hold? Films are taken away or given in the order of a model's own reasons, and in others; from a report."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from recommender.settings import settings
from recommender.ui import ctx_charts, exhibits, league
from recommender.ui.ctx_charts import BLUE, GOLD, GREEN, GREY
from recommender.ui.measures import chance_of, number, signed
from recommender.ui.reports import Opened, Shelf
from recommender.ui.vega import records, wrapped
from recommender.ui.words import counted

COMMAND = "python -m recommender evaluate explanations --data data/raw/ml-1m"
OWN, RANDOM = "own reasons", "random order"
ORDERS = {OWN: (GOLD, "circle"), "most watched first": (GREEN, "square"), "latest first": (BLUE, "triangle-up"), RANDOM: (GREY, "cross")}
GIVES = {"deletion": (GOLD, "circle"), "insertion": (BLUE, "triangle-up")}
NAMED = {
    "named=first": ("named first", GOLD, "circle"),
    "named=second": ("named second", BLUE, "triangle-up"),
    "named=by chance": ("another film, by chance", GREY, "cross"),
}
PLACES = {"rank 1": ("the film in first place", GOLD, "circle"), "rank 10": ("the film in tenth place", BLUE, "triangle-up")}
FEW = "first=5"


def reasons(shelf: Shelf) -> None:
    """All models against random; then one model step by step, its smallest sets; then the named films."""
    opened = shelf.found.get("explanations")
    if opened is None or not len(opened.table):
        return exhibits.missing("Do the reasons hold?", "explanations.json", COMMAND)
    _against_random(opened)
    models = list(dict.fromkeys(league.rows(opened.table, metric="deletion")["model"]))
    if models:
        model = exhibits.choose(
            "reasoner", "Model", models, "hybrid" if "hybrid" in models else models[0], opened.report.label, listed=True, width=260
        )
        left, right = st.columns(2, gap="large")
        with left:
            _curve(opened, model, "deletion", "Take away what the reasons name first, and the list falls apart", "films taken away")
        with right:
            _curve(opened, model, "insertion", "Give only what the reasons name first, and the list comes back", "films known")
        _sizes(opened, model)
    _claims(opened)


def _against_random(opened: Opened) -> None:
    """Area under the first five steps, own reasons less random order, of every model."""
    pairs = league.rows(opened.paired, against=RANDOM, segment=FEW)
    pairs = pairs[pairs["metric"].isin(GIVES)]
    if not len(pairs):
        return
    good = pairs["metric"].map({"deletion": -1, "insertion": 1})
    shown = pairs.assign(
        row=[wrapped(label) for label in pairs["label"]],
        series=pairs["metric"],
        x=good * pairs["delta"],
        lo=(good * pairs["lo"]).where(good > 0, good * pairs["hi"]),
        hi=(good * pairs["hi"]).where(good > 0, good * pairs["lo"]),
        sure=pairs["p_holm"] < league.SURE,
        hover=[f"{signed(d)}, {chance_of(p)}" for d, p in zip(pairs["delta"], pairs["p_holm"])],
    )
    shown = shown.assign(said=[signed(x) for x in shown["x"]])
    order = shown.groupby("row")["x"].mean().sort_values(ascending=False).index.tolist()
    spec = ctx_charts.intervals(shown, "of the list, more than at random", order, GIVES, "random order", mark="+.2~f")
    better = (shown["sure"] & (shown["x"] > 0)).groupby(shown["label"]).all()
    head = (
        f"Over the first five films, the reasons of {int(better.sum())} of {len(better)} models beat random order, both ways"
        if better.any()
        else "Over the first five films, no model’s reasons beat random order both ways"
    )
    best = records(shown.sort_values("x"))[-1]
    span = f"{signed(best['x'])} [{signed(best['lo'])}, {signed(best['hi'])}]"
    sentence = (
        f"{best['label']} gains most, by {best['series']}: {span} of its list against random order, {int(best['n']):,} "
        f"viewers. Deletion counts how much faster the list falls apart, insertion how much sooner it is there.{_beaten(opened)}"
    )
    exhibits.draw("faithful", head, sentence, spec, opened, shown.drop(columns=["row", "hover", "said"]))
    exhibits.key(GIVES)


def _beaten(opened: Opened) -> str:
    """Where, over the whole profile, an order that knows nothing of the reasons does better than they do, beyond noise."""
    pairs = league.rows(opened.paired, segment=None)
    pairs = pairs[pairs["metric"].isin(GIVES) & (pairs["p_holm"] < league.SURE)]
    worse = [r for r in records(pairs) if (r["delta"] > 0) == (r["metric"] == "deletion")]
    said = [f"{r['label']} to {r['against']} ({r['metric']} {signed(r['delta'])})" for r in worse]
    return f" Over the whole profile, reasons lose: {'; '.join(said)}." if said else ""


def _curve(opened: Opened, model: str, metric: str, head: str, what: str) -> None:
    table = league.rows(opened.table, model=model, metric=metric)
    table = table[[str(s).startswith("step=") for s in table["segment"]]]
    if not len(table):
        return exhibits.title(head, "The report holds no steps for this model.")
    points = table.assign(
        series=table["variant"],
        x=[int(str(s).partition("=")[2]) for s in table["segment"]],
        y=table["mean"],
        sure=True,
        hover=[number(x) for x in table["mean"]],
    )
    five = points[points["x"] == 5].set_index("series")["mean"]
    pair = next(iter(records(league.rows(opened.paired, model=model, metric=metric, against=RANDOM, segment=FEW))), None)
    holds = pair is not None and pair["p_holm"] < league.SURE and pair["delta"] * (1 if metric == "insertion" else -1) > 0
    own, random = (number(float(five.get(order, float("nan"))), 2) for order in (OWN, RANDOM))
    said = f"After five films, {own} of the list of {opened.report.label(model)} stands in the order of its own reasons, {random} in random order"
    tail = f" (area to five films {signed(pair['delta'])}, {chance_of(pair['p_holm'])})." if pair else "."
    shown_head = head if holds else head.split(",")[0] + f": no better than at random ({opened.report.label(model)})"
    spec = ctx_charts.curves(points, what, f"share of the first {int(points['k'].iloc[0])} films", ORDERS)
    exhibits.draw(metric, shown_head, said + tail, spec, opened, table)


def _shares(table: pd.DataFrame, rows: list[str], looks: dict[str, tuple[str, str, str]], by: str, of: str) -> tuple[pd.DataFrame, dict]:
    """Shares as the points of a chart, in rows and in the series that the column `by` names; and how each series looks."""
    said = {"said": [f"{x:.0%}" for x in table["mean"]], "hover": [f"{x:.1%} of {of}" for x in table["mean"]]}
    shown = table.assign(row=rows, series=[looks[value][0] for value in table[by]], x=table["mean"], sure=True, **said)
    return shown, {name: (colour, shape) for name, colour, shape in looks.values()}


def _sizes(opened: Opened, model: str) -> None:
    """How many films must go until the first film, and the tenth, leave the first ten."""
    table = league.rows(opened.table, variant="smallest set", model=model)
    table = table[table["metric"].isin(PLACES)]
    sized = table[[str(s).startswith("size=") for s in table["segment"]]]
    if not len(sized):
        return
    shown, look = _shares(sized, [_size(str(s).partition("=")[2]) for s in sized["segment"]], PLACES, "metric", "viewers")
    order = list(dict.fromkeys(shown["row"]))
    spec = ctx_charts.intervals(shown, "share of viewers", order, look, mark=".0%", domain=(0.0, min(1.12, 1.3 * float(shown["hi"].max()))))
    exhibits.draw("sizes", *sizes_said(opened, model, table), spec, opened, sized)
    exhibits.key(look)


def sizes_said(opened: Opened, model: str, table: pd.DataFrame) -> tuple[str, str]:
    """Headline and sentence: the median size of the sets found, and for how many they are proven to be smallest."""
    facts = (opened.report.more.get(model) or {}).get("smallest", {}).get("rank 1", {})
    proven = {r["segment"]: r["mean"] for r in records(table) if r["metric"] == "rank 1"}.get("proven")
    found = f": found for {facts['found']:,} of {facts['viewers']:,} viewers" if facts else ""
    sure = f", proven to be the smallest for {proven:.0%}" if proven is not None else ""
    size = facts.get("size")
    head = "How many films hold a recommendation up" if size is None else f"Half of the first films stand on {counted(round(size), 'film')} or fewer"
    return head, (
        f"The fewest of the viewer’s films without which a film leaves the first ten, by {opened.report.label(model)}. For the film in first "
        f"place{found}{sure}."
    )


def _size(value: str) -> str:
    return {"none": "no set found", "1": "one film"}.get(value, f"{value} films".replace("-", "–"))


def _claims(opened: Opened) -> None:
    """How often a recommendation falls when the film named for it is taken away."""
    least = settings().least_drop
    table = league.rows(opened.table, variant="claim", metric="holds", k=least)
    table = table[table["segment"].isin(NAMED)]
    if not len(table):
        return
    shown, look = _shares(table, [wrapped(label) for label in table["label"]], NAMED, "segment", "claims")
    first = shown[shown["segment"] == "named=first"].sort_values("x", ascending=False)
    order = list(dict.fromkeys([*first["row"], *shown["row"]]))
    spec = ctx_charts.intervals(shown, f"share that costs {least} ranks or more", order, look, mark=".0%", domain=(0.0, 1.12))
    best, worst = records(first)[0], records(first)[-1]
    chance = shown.loc[shown["segment"] == "named=by chance", "mean"]
    beside = f"; another film of the viewer’s, taken by chance, costs as much in {chance.min():.0%} to {chance.max():.0%}" if len(chance) else ""
    sentence = (
        f"Without the film named first, a recommendation falls by {least} ranks or more in {best['mean']:.0%} of cases with {best['label']} and in "
        f"{worst['mean']:.0%} with {worst['label']}{beside}. So the app tries each claim, and names a film only where it held."
    )
    exhibits.draw("claims", "How often a named film is a true reason", sentence, spec, opened, table)
    exhibits.key(look)
