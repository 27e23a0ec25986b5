"""The sections of the Evaluation page that have a report of their own: cold start, stars, context, the data."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from recommender.settings import settings
from recommender.ui import curves, exhibits, league
from recommender.ui.curves import GOLD
from recommender.ui.league import LINES, SURE
from recommender.ui.measures import chance_of, number, signed, titled
from recommender.ui.reports import Opened, Shelf
from recommender.ui.vega import SOFT
from recommender.ui.words import counted

SERVED = ("served", "popularity:")  # what the app itself is worth with a signal stands on the Context page


def cold_start(shelf: Shelf) -> None:
    """Accuracy over the first ratings, with the thresholds of the hybrid's routing."""
    opened = shelf.found.get("cold-start")
    if opened is None or not len(opened.table):
        return exhibits.missing("How soon a viewer is known", "cold-start.json")
    steps = opened.table[[str(s).startswith("known=") for s in opened.table["segment"]]]
    with st.container(horizontal=True, gap="medium", key="mq_ev_cold_choices"):
        variants = league.variants(steps)
        variant = exhibits.choose("curve", "Cold start by", variants, variants[0], str, listed=True, width=290)
        steps = league.rows(steps, variant=variant)
        metric, k = _metric(steps, "curve")
    costs = {c.model: c for c in opened.report.models}
    points = league.rows(steps, metric=metric, k=k)
    points = points.assign(known=[int(s.partition("=")[2]) for s in points["segment"]], family=[league.family(m, costs) for m in points["model"]])
    marks, said = _thresholds(opened.report.more.get("thresholds") or {}, variant)
    spec = curves.cold_start(points, titled(metric, k), marks)
    exhibits.draw("cold", "How soon a viewer is known", f"{_first_lead(points)} {said}".strip(), spec, opened, points.drop(columns="family"))


def _metric(table: pd.DataFrame, name: str) -> tuple[str, int | None]:
    """The metric and the length of list of a report of its own."""
    names = league.metrics(table)
    metric = exhibits.choose(f"{name}-metric", "Metric", names, "NDCG" if "NDCG" in names else names[0], str)
    ks = league.cutoffs(league.rows(table, metric=metric))
    return metric, exhibits.choose(f"{name}-k", "k, films shown", ks, 10 if 10 in ks else ks[0], str)


def _first_lead(points: pd.DataFrame) -> str:
    """Who leads with least known and who with most, and where popularity stands then."""
    least, most = points["known"].min(), points["known"].max()
    first = points[points["known"] == least].sort_values("mean", ascending=False)
    last = points[points["known"] == most].sort_values("mean", ascending=False)
    crowd = last.loc[last["model"] == "popularity", "mean"].tolist()
    beside = f"; popularity has {number(crowd[0])} then" if crowd and last["model"].tolist()[0] != "popularity" else ""
    return (
        f"With {counted(int(least), 'rating')} known {first['label'].tolist()[0]} leads with {number(first['mean'].tolist()[0])}, "
        f"with {most} {last['label'].tolist()[0]} with {number(last['mean'].tolist()[0])}{beside}."
    )


def _thresholds(found: dict, variant: str) -> tuple[pd.DataFrame, str]:
    """Upright marks at the routing's thresholds, those in use and those measured, and the sentence."""
    measured = found.get(variant) or found
    used = {"few": settings().few_ratings, "many": settings().many_ratings}
    marks: list[tuple[int, str, str]] = []
    said = []
    for name, default in used.items():
        value = measured.get(name)
        if value == default:
            marks.append((default, f"{name}: {default}, as measured", GOLD))
        else:
            marks += [(default, f"{name}: {default} in use", SOFT)] + ([(value, f"{name}: {value} measured", GOLD)] if value is not None else [])
        said.append(f"“{name}” is {default} and measures {'nowhere: it never pays here' if value is None else value}")
    return pd.DataFrame(marks, columns=["at", "name", "shade"]), f"Thresholds of the routing: {'; '.join(said)}."


def stars(shelf: Shelf) -> None:
    """Whether predicted stars are worth what they say."""
    opened = shelf.found.get("P3")
    points = pd.DataFrame(opened.report.more.get("calibration") or []) if opened else pd.DataFrame()
    if opened is None or not len(points):
        return exhibits.missing("Are predicted stars worth what they say?", "P3.json", "python -m recommender evaluate P3 --data data/raw/ml-1m")
    costs = {c.model: c for c in opened.report.models}
    errors = league.rows(opened.table, variant=league.variants(opened.table)[0], metric="RMSE", segment=None).sort_values("mean")
    there = set(points["model"])
    models = list(dict.fromkeys([m for m in errors["model"] if m in there] + points["model"].tolist()))
    model = exhibits.choose("stars", "Model", models, models[0], opened.report.label, listed=True, width=320)
    shown = points[points["model"] == model]
    shown = shown.assign(label=opened.report.label(model), family=league.family(model, costs), off=(shown["observed"] - shown["predicted"]).abs())
    off = float((shown["off"] * shown["n"]).sum() / shown["n"].sum())
    worst = shown.sort_values("off").iloc[-1]
    sentence = (
        f"{opened.report.label(model)}: its promises are off by {number(off, 2)} stars on average; "
        f"farthest where it predicted {worst['predicted']:.2f} and {worst['observed']:.2f} were given ({worst['n']:,.0f} ratings)."
    )
    exhibits.draw("stars", "Are predicted stars worth what they say?", sentence, curves.calibration(shown), opened, shown.drop(columns="family"))
    beside = [f"{opened.report.label(name)} {number(v, 2)}" for name in (model, *LINES) if (v := league.line(errors, name)) is not None]
    st.caption(f"On the broken line a prediction is worth what it says. Large dots stand for many ratings. RMSE in stars: {', '.join(beside)}.")


def context(shelf: Shelf) -> None:
    """What the moment and a simulated device add to the hybrid."""
    opened = shelf.found.get("context")
    if opened is None or not len(opened.paired):
        return exhibits.missing("What context adds", "context.json")
    with st.container(horizontal=True, gap="medium", key="mq_ev_context_choices"):
        metric, k = _metric(opened.paired, "context")
    fitted = opened.paired[[not str(v).startswith(SERVED) for v in opened.paired["variant"]]]
    there = league.rows(fitted, metric=metric, k=k, segment=None).drop(columns="p").rename(columns={"p_holm": "p"})
    none = "no context" if "no context" in set(there["against"]) else str(there["against"].iloc[0])
    there = league.rows(there, against=none)
    at = {name: _mean(there, name) for name in LINES}
    shown = there[~there["model"].isin(LINES)]
    shown = shown.assign(shuffled=shown["model"].str.contains("shuffled"), sure=shown["p"] < SURE)
    spec = curves.context(shown, titled(metric, k), at)
    exhibits.draw("context", "What context adds", _lifts(shown, titled(metric, k)), spec, opened, shown)
    st.caption(
        "Observed is the moment of the request. The device is simulated: MovieLens never recorded one. Dose is how strongly the simulation ties "
        "taste to the device; at dose 0 there is nothing to find, so a lift there would be an error of the method. "
        "Shuffled: the same contexts, dealt out anew within each viewer. Filled dots are beyond noise, hollow ones are not. "
        "What each signal adds to the models as they are served stands on the Context page."
    )


def _mean(pairs: pd.DataFrame, model: str) -> float | None:
    found = pairs.loc[pairs["model"] == model, "delta"]
    return float(found.mean()) if len(found) else None


def _lifts(shown: pd.DataFrame, title: str) -> str:
    """'observed +.021 (p < .001); device dose 0 +.002 (not told apart from none); …'"""
    with_it, lost = shown[~shown["shuffled"]], shown[shown["shuffled"]]
    said = [
        f"{variant} {signed(delta)} ({chance_of(p) if p < SURE else 'not told apart'})"
        for variant, delta, p in zip(with_it["variant"], with_it["delta"], with_it["p"])
    ]
    left = int(((lost["p"] < SURE) & (lost["delta"] > 0)).sum())
    after = f" Shuffled within viewer, {f'{left} of {len(lost)} lifts remain' if left else 'no lift remains'}." if len(lost) else ""
    return f"{title} with context against none: {'; '.join(said)}.{after}"


# -- the data ----------------------------------------------------------------------------------------------------------


def data(shelf: Shelf, only: tuple[str, ...] = ()) -> None:
    """What the ratings are like: how long the tail, how empty the matrix, how few the evenings, whose clock. only: these drawings, else all."""
    opened = shelf.found.get("data")
    if opened is None:
        return exhibits.missing("What the data are like", "data.json", "python -m recommender evaluate data --data data/raw/ml-1m")
    more = opened.report.more
    _sizes(more)
    drawn = {"tail": _tail, "hours": _hours, "sessions": _sessions, "stars": _stars, "lengths": _lengths, "growth": _growth}
    parts = [name for name in only or drawn if isinstance(more.get(name), list) and more[name]]
    for i in range(0, len(parts), 2):
        for column, name in zip(st.columns(2, gap="large"), parts[i : i + 2]):
            with column:
                drawn[name](opened, pd.DataFrame(more[name]))


def _sizes(more: dict[str, Any]) -> None:
    """The large numbers: how much there is, how empty the matrix is, how much was rated within one second."""
    sizes = more.get("sizes") or {}
    empty, tied = 1 - sizes["density"] if "density" in sizes else None, (more.get("ties") or {}).get("share")
    cells = [(f"{v:,.0f}", k.replace("_", " ")) for k, v in sizes.items() if isinstance(v, int | float) and v > 1]
    cells += [(f"{empty:.1%}", "of all viewer and film pairs are empty")] if empty is not None else []
    cells += [(f"{tied:.0%}", "of the ratings share their second with another")] if tied is not None else []
    cells += [(f"{more['films_for_half']:,}", "films have half of the ratings")] if more.get("films_for_half") else []
    st.html(f'<div class="mq-ev mq-ev-sizes">{"".join(f"<div><b>{escape(v)}</b><span>{escape(k)}</span></div>" for v, k in cells)}</div>')


def _tail(opened: Opened, points: pd.DataFrame) -> None:
    films, ratings = (points[f"share_of_{name}"].tolist() for name in ("films", "ratings"))
    at = min(range(len(films)), key=lambda i: abs(films[i] - 0.2))
    sentence = f"The most-rated {films[at]:.0%} of the films have {ratings[at]:.0%} of the ratings."
    head = "A few films have most of the ratings" if ratings[at] > 0.5 else "How the ratings fall on the films"
    exhibits.draw("tail", head, sentence, curves.tail(points), opened, points)


def _hours(opened: Opened, points: pd.DataFrame) -> None:
    local, utc = (points.sort_values(clock)["hour"].tolist()[-1] if clock in points else None for clock in ("local", "utc"))
    if local is None:
        head, sentence = "When they rated", f"By UTC, as stored, the busiest hour begins at {utc}:00; what time that was for a viewer, nobody knows."
    else:
        head = "Whose clock it is matters"
        sentence = f"On viewers’ own clocks the busiest hour begins at {local}:00; by UTC, as stored, it would seem to be {utc}:00."
    exhibits.draw("hours", head, sentence, curves.hours(points), opened, points)


def _sessions(opened: Opened, points: pd.DataFrame) -> None:
    sitting = opened.report.more.get("sitting") or {}
    once, pause = sitting.get("one_only"), f"A pause of over {sitting['gap_hours']:g} hours ends a sitting." if "gap_hours" in sitting else ""
    if once is None:
        most = points.sort_values("users").iloc[-1]
        sentence = f"{most['users'] / points['users'].sum():.0%} of the viewers came in {most['sessions']} sittings. {pause}".strip()
    else:
        sentence = f"{once:.0%} of the viewers rated everything in one sitting: their time of day says little about their taste. {pause}".strip()
    head = "Most came once" if once is not None and once > 0.5 else "How often they came"
    exhibits.draw("sessions", head, sentence, curves.bars(points, "sessions", "users", "sittings", "viewers"), opened, points)


def _stars(opened: Opened, points: pd.DataFrame) -> None:
    whole = points["count"].sum()
    mean, high = (points["stars"] * points["count"]).sum() / whole, points.loc[points["stars"] >= 4, "count"].sum() / whole
    sentence = f"{mean:.2f} stars on average; {high:.0%} of the ratings are four stars or more."
    shown = points.assign(stars=[f"{s:g}" for s in points["stars"]])
    head = "Ratings are kind" if high > 0.5 else "How many stars they gave"
    exhibits.draw("starcounts", head, sentence, curves.bars(shown, "stars", "count", "stars", "ratings"), opened, points)


def _lengths(opened: Opened, points: pd.DataFrame) -> None:
    bins = [f"{low}" if low == high else f"{low}–{high}" for low, high in zip(points["low"], points["high"])]
    shown = pd.DataFrame({"ratings": bins, "viewers": points["users"]})
    most, viewers = shown.sort_values("viewers").iloc[-1], shown["viewers"].sum()
    sentence = f"The commonest length of a history is {most['ratings']} ratings ({most['viewers'] / viewers:.0%} of the viewers)."
    exhibits.draw("lengths", "Some rate a lot", sentence, curves.bars(shown, "ratings", "viewers", "ratings of a viewer", "viewers"), opened, shown)


def _growth(opened: Opened, points: pd.DataFrame) -> None:
    busiest, whole = points.sort_values("ratings").iloc[-1], points["ratings"].sum()
    when = _month(busiest["month"]) + ("" if busiest["month"] == busiest["until"] else f" to {_month(busiest['until'])}")
    inside = points[points["month"].str[:4] == points["until"].str[:4]]  # bars that lie in one year
    years = inside.groupby(inside["month"].str[:4])["ratings"].sum() / whole
    one = len(years) > 0 and years.max() > 0.75
    also = f", {years.max():.0%} into the year {years.idxmax()}" if one else ""
    sentence = f"{busiest['ratings'] / whole:.0%} of all ratings fall into {when}{also}."
    exhibits.draw("growth", "One busy year" if one else "When they rated", sentence, curves.months(points), opened, points)


def _month(month: str) -> str:
    """'November 2000' for 2000-11."""
    return date.fromisoformat(f"{month}-01").strftime("%B %Y")
