"""The section "Models": a card for each served model. Its figures are those of its card and of the reports."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from recommender import artifacts
from recommender.about import models, speed
from recommender.about.models import Figure
from recommender.about.words import ABOUT, DEVICE, INPUTS, About
from recommender.evaluate.report import Report
from recommender.serve.service import Service
from recommender.ui import ctx_charts, curves, exhibits, sys_charts, words
from recommender.ui.measures import number
from recommender.ui.reports import Opened, Shelf
from recommender.ui.vega import FAMILIES, wrapped

TRAIN = "python -m recommender train all --data data/raw/ml-1m"
LICENCE = (
    "Learned from MovieLens 1M, so for research and with acknowledgement; commercial use needs the permission of GroupLens. "
    "The weights hold nobody’s history."
)


def section(service: Service, shelf: Shelf, bench: Opened | None) -> None:
    """A strip of models, and the card of the one that is chosen."""
    cards = found(service)
    if not cards:
        return exhibits.missing("Which models are at work?", "No card.json", TRAIN)
    names = [name for name in ABOUT if name in cards]
    name = exhibits.choose("card", "Model", names, names[0], lambda n: ABOUT[n].short, pills=True)
    reports = {key: opened.report for key, opened in shelf.found.items()}
    _card(name, cards[name], name in service.models, bench.report if bench else None)
    left, right = st.columns(2, gap="large")
    with left:
        _tests(name, cards, reports, shelf)
    with right:
        _among(name, cards)
    _judged(ABOUT[name])
    _details(name, cards[name])
    others = [words.model(other) for other in service.models if other not in ABOUT]
    if others:
        st.caption(words.md(f"Without a card: {', '.join(others)}, fitted in this process from the data set and never written to disk."))


def found(service: Service) -> dict[str, dict]:
    """The cards of the release at work that can be read, by model."""
    cards = {}
    for name in ABOUT:
        try:
            cards[name] = artifacts.card(name, service.folder)
        except artifacts.ArtifactError:
            continue  # told by the section Health
    return cards


def _card(name: str, card: dict, loaded: bool, bench: Report | None) -> None:
    """Name, one sentence, and the facts one asks for first."""
    about = ABOUT[name]
    colour = FAMILIES[about.family][0]
    facts = {
        "Learned from": _learned(card),
        "May use": "".join(_input(key, said, about) for key, said in INPUTS.items()),
        "Reasons": "sum to the score, exactly" if about.exact else "not exact: what the score loses without each film, and a rest",
        "One list takes": _speed(name, bench),
        "On disk": _size(card),
        "Made": f"{escape(str(card.get('date', '?')))}, in {_time(float(card.get('seconds', 0)))}, seed {escape(str(card.get('seed', '?')))}",
    }
    state = "" if loaded else " · did not load"
    rows = "".join(f"<div><dt>{escape(title)}</dt><dd>{said}</dd></div>" for title, said in facts.items())
    st.html(
        f'<article class="mq-ev mq-sys-card" style="--family:{colour}"><header><small>{escape(about.family)}{state}</small>'
        f"<h2>{escape(about.short)}</h2><p>{escape(about.says)}</p></header><dl>{rows}</dl></article>"
    )


def _learned(card: dict) -> str:
    data = card.get("data", {})
    said = f"{data.get('ratings', 0):,} ratings by {data.get('users', 0):,} people of {data.get('films', 0):,} films"
    return f"{said} <i>{escape(str(card.get('fitted_on', '')))} · data {escape(str(data.get('sha256', ''))[:12])}</i>"


def _input(key: str, said: str, about: About) -> str:
    """A signal as a chip: lit where the model's scores follow it."""
    used = key in about.inputs
    name = f"{key}, simulated" if key == DEVICE else key
    return f'<span class="mq-sys-chip{" mq-lit" if used else ""}" title="{escape(said)}">{"" if used else "not "}{escape(name)}</span>'


def _speed(name: str, bench: Report | None) -> str:
    timed = speed.of_model(name, bench)
    if timed is None:
        return "not measured yet <i>python -m recommender.bench --json artifacts/reports/bench.json</i>"
    p50, p99 = timed
    how = f"{p99.n:,} calls on one core, {escape(bench.date if bench else '')}"
    return f"{number(p50.mean, 2)} ms, 99 of 100 within {number(p99.mean, 2)} ms <i>{how}</i>"


def _size(card: dict) -> str:
    size = float(card["weights"].get("bytes", 0))
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"


# -- how good ----------------------------------------------------------------------------------------------------------


def _tests(name: str, cards: dict[str, dict], reports: dict[str, Report], shelf: Shelf) -> None:
    """The model against popularity, test by test; the model of stars by what its stars are worth."""
    error, off = models.stars(name, reports)
    if error is not None:
        return _stars(name, error, off, shelf.found["P3"])
    figures = models.figures(name, cards, reports)
    if not figures:
        return exhibits.missing(f"How good is {ABOUT[name].short}?", "No figure of it")
    points = pd.DataFrame([row for f in figures for row in _points(f, ABOUT[name].short)])
    look = {ABOUT[name].short: FAMILIES[ABOUT[name].family], "Popularity": FAMILIES["baseline"]}
    own = name == "popularity"
    spec = ctx_charts.intervals(
        points, "NDCG@10", list(dict.fromkeys(points["row"])), {k: v for k, v in look.items() if k in set(points["series"])},
        domain=(0.0, 1.18 * float(points["hi"].max())),
    )  # fmt: skip
    exhibits.draw("card_tests", *_against(figures, own), spec, _sources(figures, cards[name]), points.drop(columns=["said", "hover", "sure"]))
    if not own:
        exhibits.key({k: v for k, v in look.items() if k in set(points["series"])})
    notes = dict.fromkeys(f.note for f in figures if f.note)
    if notes:
        st.caption(words.md(f"P1, P2 and P4 examine the method fitted for them, with other settings than the served one: {'; '.join(notes)}."))


def _points(figure: Figure, short: str) -> list[dict[str, Any]]:
    """The model's and the yardstick's row of a chart; where both are one, it stands once."""
    pair = [(short, figure.found)]
    pair += [(figure.beside_name, figure.beside)] if figure.beside is not None and figure.beside.model != figure.found.model else []
    return [
        {
            "row": wrapped(figure.test), "series": series, "x": r.mean, "lo": r.lo, "hi": r.hi, "n": r.n, "sure": True,
            "said": number(r.mean), "hover": f"{figure.metric} {number(r.mean)}",
        }
        for series, r in pair
    ]  # fmt: skip


def _against(figures: list[Figure], own: bool) -> tuple[str, str]:
    """In how many tests the interval lies wholly above or below that of popularity."""
    best = max(figures, key=lambda f: f.found.mean)
    most = f"It finds most in “{best.test}”: {_span(best)}."
    if own:
        return "What the others are compared with", most
    pairs = [(f.found, f.beside) for f in figures if f.beside is not None]
    above, below = sum(a.lo > b.hi for a, b in pairs), sum(a.hi < b.lo for a, b in pairs)
    head = "Ahead of popularity everywhere" if above == len(pairs) else f"Ahead of popularity in {above} of {len(pairs)} tests"
    behind = f", wholly below it in {below}" if below else ""
    return head, f"Its 95% interval lies wholly above that of popularity in {above} of {words.counted(len(pairs), 'test')}{behind}. {most}"


def _span(figure: Figure) -> str:
    r = figure.found
    return f"{figure.metric} {number(r.mean)} [{number(r.lo)}, {number(r.hi)}]"


def _sources(figures: list[Figure], card: dict) -> str:
    return f"{', '.join(dict.fromkeys(f.report for f in figures))} · {card.get('date', '')}"


def _stars(name: str, error: Figure, off: float | None, opened: Opened) -> None:
    """Stars given over stars predicted, and the error beside that of means."""
    told = pd.DataFrame([c for c in opened.report.more.get("calibration", []) if c["model"] == name])
    against = f"; {error.beside_name} {number(error.beside.mean)}" if error.beside else ""
    said = f"RMSE {number(error.found.mean)} stars [{number(error.found.lo)}, {number(error.found.hi)}]{against}."
    if off is None:
        return exhibits.title("How far off are its stars?", said)
    shown = told.assign(label=ABOUT[name].short, family=ABOUT[name].family)
    said += f" What it promises is off by {number(off, 3)} stars on average; on the broken line a promise is kept."
    exhibits.draw("card_stars", "How far off are its stars?", said, curves.calibration(shown, 300), opened, told)


def _among(name: str, cards: dict[str, dict]) -> None:
    """All served models on the same strangers, this one lit."""
    rows = models.at_home(cards)
    if not rows:
        return exhibits.missing("Among the served models", "No card with an examination", TRAIN)
    points = pd.DataFrame([r._asdict() for r in rows])
    points = points.assign(
        row=[ABOUT[m].short for m in points["model"]],
        family=[ABOUT[m].family for m in points["model"]],
        lit=points["model"] == name,
        said=[number(x) for x in points["mean"]],
        hover=[f"NDCG@10 {number(r.mean)} [{number(r.lo)}, {number(r.hi)}]" for r in rows],
    )
    place = next((i for i, r in enumerate(rows, 1) if r.model == name), None)
    mine = next((r for r in rows if r.model == name), rows[0])
    head = f"Place {place} of {len(rows)} on strangers’ last film" if place else "Strangers’ last film"
    sentence = (
        f"{mine.n:,} people whom no model had seen, their last film among all they had not rated: {ABOUT[mine.model].short} has NDCG@10 "
        f"{number(mine.mean)} [{number(mine.lo)}, {number(mine.hi)}]; {ABOUT[rows[0].model].short} leads with {number(rows[0].mean)}."
    )
    drawn = points.drop(columns=["said", "hover", "lit", "variant", "k", "segment", "spread"])
    exhibits.draw("card_among", head, sentence, sys_charts.among(points, "NDCG@10"), f"card.json · {cards[rows[0].model].get('date', '')}", drawn)


# -- what for ----------------------------------------------------------------------------------------------------------


def _judged(about: About) -> None:
    """What it is meant for, what not, and its known limits."""
    limits = "".join(f"<li>{escape(line)}</li>" for line in about.limits)
    st.html(
        f'<div class="mq-ev mq-sys-three"><section><h3>Meant for</h3><p>{escape(about.meant)}</p></section>'
        f"<section><h3>Not for</h3><p>{escape(about.unfit)}</p></section><section><h3>Known limits</h3><ul>{limits}</ul></section></div>"
    )


def _details(name: str, card: dict) -> None:
    """For who checks: parameters, hashes, source, licence."""
    with st.expander("Parameters, hashes, source and licence", icon=":material/fingerprint:", key="mq_sys_details"):
        parameters = ", ".join(f"{key.replace('_', ' ')} {_value(value)}" for key, value in card["parameters"].items())
        simulated = ", ".join(card.get("simulated", ())) or "nothing"
        lines = {
            "Method": f"{artifacts.summary(name)}. {ABOUT[name].source}",
            "Parameters": parameters,
            "Fitted on": str(card.get("fitted_on", "not told")),
            "Simulated in training": simulated + (f", dose {card.get('dose', 0):g}" if card.get("simulated") else ""),
            "Examined by": str(card.get("validation", {}).get("protocol", "not told")),
            "Weights": str(card["weights"].get("sha256", "")),
            "Data": str(card.get("data", {}).get("sha256", "")),
            "Catalogue": str(card.get("catalog", "")),
            "Licence": LICENCE,
            "Command": f"python -m recommender train {name} --data data/raw/ml-1m",
        }
        rows = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(said)}</dd></div>" for key, said in lines.items())
        st.html(f'<dl class="mq-ev mq-sys-details">{rows}</dl>')


def _value(value: Any) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)
