"""Named context: a survey of people who rated the same films for times, places and company they imagined; every model beside its placebos."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from recommender.serve.phrases import listed
from recommender.ui import ctx_charts, exhibits, league
from recommender.ui.ctx_charts import BLUE, GOLD, GREY
from recommender.ui.ctx_rule import level
from recommender.ui.measures import chance_of, number, signed
from recommender.ui.reports import Opened, Shelf
from recommender.ui.vega import IVORY, records, wrapped
from recommender.ui.words import counted

COMMAND = "python -m recommender evaluate depaulmovie --data data/raw/depaulmovie"
UNTOLD, TOLD, SHUFFLED, WITHIN = "told no context", "told the context", "context shuffled", "context shuffled within film"
LOOK = {TOLD: (GOLD, "circle"), WITHIN: (BLUE, "triangle-up"), SHUFFLED: (GREY, "cross"), UNTOLD: (IVORY, "square")}
SEGMENTS = {None: "All ratings", "context=known": "Ratings with a context"}


def real(shelf: Shelf) -> None:
    """The league of RMSE, then what each dimension gives."""
    opened = shelf.found.get("depaulmovie")
    if opened is None or not len(opened.table):
        return exhibits.missing("What a named context is worth", "depaulmovie.json", COMMAND)
    with st.container(horizontal=True, gap="medium", key="mq_ev_real_choices"):
        variant = exhibits.choose("folds", "Folds", league.variants(opened.table), fairest(opened), lambda v: v.capitalize())
        there = [s for s in SEGMENTS if s is None or s in set(opened.table["segment"])]
        segment = exhibits.choose("of", "Of", there, None, lambda s: SEGMENTS[s])
    table = standing(opened, variant, segment)
    _league(opened, table)
    _dimensions(opened, variant, segment)


def fairest(opened: Opened) -> str:
    """The folds that keep all ratings of one film by one user together, where there are such: the others test memory beside context."""
    variants = league.variants(opened.table)
    return next((v for v in variants if "together" in v), variants[0])


def standing(opened: Opened, variant: str, segment: str | None) -> pd.DataFrame:
    """RMSE of each model and of its placebos: key (the model it belongs to), series, x, lo, hi, n; delta, dlo, dhi, p against `against`:
    of one that knows the context its stricter placebo, of others the yardstick. One dimension alone is left out."""
    more, pairs = opened.report.more, _pairs(opened, variant, segment)
    suffixes = {f"_{suffix}": SHUFFLED if suffix == "shuffled" else WITHIN for suffix in more.get("placebos", {})}
    aware = {c.model for c in opened.report.models if c.uses_time}
    alone = tuple(f"_{d}" for d in more.get("dimensions", []))
    made = []
    for row in records(league.rows(opened.table, variant=variant, metric="RMSE", segment=segment)):
        suffix = next((s for s in suffixes if row["model"].endswith(s)), "")
        key = row["model"].removesuffix(suffix) if suffix else row["model"]
        if key.endswith(alone):
            continue
        series = suffixes[suffix] if suffix else TOLD if key in aware else UNTOLD
        against = f"{key}_within_film" if series == TOLD else str(more.get("yardstick"))
        found = pairs.get((row["model"], against), {})
        made.append({"key": key, "label": opened.report.label(key), "series": series, "x": row["mean"], **_difference(found), **_ends(row)})
    return pd.DataFrame(made)


def _ends(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("lo", "hi", "n")}


def _pairs(opened: Opened, variant: str, segment: str | None) -> dict[tuple[str, str], dict[str, Any]]:
    rows = records(league.rows(opened.paired, variant=variant, metric="RMSE", segment=segment))
    return {(row["model"], row["against"]): row for row in rows}


def _difference(pair: dict[str, Any]) -> dict[str, Any]:
    return {"delta": pair.get("delta"), "dlo": pair.get("lo"), "dhi": pair.get("hi"), "p": pair.get("p_holm")}


def _league(opened: Opened, table: pd.DataFrame) -> None:
    own = table[table["series"].isin((TOLD, UNTOLD))].sort_values("x")
    order = [wrapped(label) for label in own["label"]]
    beats = [series == TOLD and p is not None and p < league.SURE and d < 0 for series, p, d in zip(table["series"], table["p"], table["delta"])]
    shown = table.assign(
        row=[wrapped(label) for label in table["label"]],
        sure=[beat or series == UNTOLD for beat, series in zip(beats, table["series"])],
        said=[number(x, 3) if series in (TOLD, UNTOLD) else "" for x, series in zip(table["x"], table["series"])],
        hover=[f"RMSE {number(x, 4)}" for x in table["x"]],
        lane=[WITHIN if series == UNTOLD else series for series in table["series"]],
    )
    shown = shown.sort_values("series", key=lambda of: of.map(list(LOOK).index), kind="stable")
    spec = ctx_charts.intervals(shown, "RMSE in stars · less is better", order, LOOK)
    exhibits.draw("real", *league_said(table), spec, opened, table)
    exhibits.key(LOOK)
    st.caption(
        "Told in a survey: people rated films for situations that they imagined, not for evenings that were watched. Intervals are over "
        "users. Shuffled: the same contexts dealt anew among a user’s ratings; within film: among the user’s ratings of one film, "
        "which keeps all but what the situation itself says. A model’s dot is filled where it beats that second placebo beyond noise."
    )


def league_said(table: pd.DataFrame) -> tuple[str, str]:
    """Headline and sentence: the best model that is told the context, beside the best that is not, and against its own stricter placebo."""
    best, bare = (first_of(table, series) for series in (TOLD, UNTOLD))
    if best is None:
        return "What a named context is worth", "The report holds no model that is told the context."
    beside = f"; the best that is told none, {bare['label']}, by {number(bare['x'])}" if bare else ""
    said = f"{best['label']} is off by {number(best['x'])} stars (RMSE){beside}. "
    if best["delta"] is None:
        return "What a named context is worth", said + "What of it is the context’s own was not tested."
    due = {"delta": best["delta"], "lo": best["dlo"], "hi": best["dhi"], "p_holm": best["p"]}
    sure = best["p"] < league.SURE and best["delta"] < 0
    own = "gives" if sure else "can be shown to give"
    said += f"Against itself with contexts shuffled within film it is {_change(due)}: that is what the situation itself {own}."
    head = "Where people name the context, it helps" if sure else "Even a context that people named is not told apart from its placebo"
    return head, f"{said} {counted(int(best['n']), 'user')}."


def first_of(table: pd.DataFrame, series: str) -> dict[str, Any] | None:
    """The model with the least error of a series of `standing`."""
    found = records(table[table["series"] == series].sort_values("x")) if len(table) else []
    return found[0] if found else None


def _change(pair: dict[str, Any]) -> str:
    """'−.112 [−.13, −.09] (p < .001)'."""
    sure = chance_of(pair["p_holm"]) if pair["p_holm"] < league.SURE else level(pair)
    return f"{signed(pair['delta'])} [{signed(pair['lo'])}, {signed(pair['hi'])}] ({sure})"


def _dimensions(opened: Opened, variant: str, segment: str | None) -> None:
    """What the situation gives, all of it and one dimension at a time: the model less itself with contexts shuffled within film."""
    more, pairs = opened.report.more, _pairs(opened, variant, segment)
    best = str((more.get("best") or {}).get(variant))
    asked = {"all three": best, **{d: f"{best}_{d}" for d in more.get("dimensions", [])}}
    rows = [{"row": name, **pairs[(model, f"{model}_within_film")]} for name, model in asked.items() if (model, f"{model}_within_film") in pairs]
    if len(rows) < 2:
        return
    table = pd.DataFrame(rows)
    shown = table.assign(
        series=TOLD,
        x=table["delta"],
        sure=table["p_holm"] < league.SURE,
        said=[chance_of(r["p_holm"]) if r["p_holm"] < league.SURE else level(r) for r in rows],
        hover=[f"{signed(d)}, {chance_of(p)}" for d, p in zip(table["delta"], table["p_holm"])],
    )
    order = shown.sort_values("x")["row"].tolist()
    spec = ctx_charts.intervals(
        shown, "difference in RMSE, stars · less is better", order, {TOLD: (GOLD, "circle")}, "shuffled within film", mark="+.2~f"
    )
    apart = [r["row"].lower() for r in records(shown) if r["row"] != "all three" and r["sure"] and r["x"] < 0]
    sentence = f"{opened.report.label(best)}, told one dimension at a time, less the same with it shuffled within film: " + "; ".join(
        f"{r['row'].lower()} {_change(r)}" for r in records(shown)
    )
    exhibits.draw("dimensions", alone(apart), f"{sentence}. The dimensions were not compared with one another.", spec, opened, table)


def alone(apart: list[str]) -> str:
    """Headline: the dimensions that beat their placebo without the others."""
    if not apart:
        return "No dimension is told apart alone"
    return f"Only {apart[0]} is told apart alone" if len(apart) == 1 else f"{listed(apart).capitalize()} are each told apart alone"
