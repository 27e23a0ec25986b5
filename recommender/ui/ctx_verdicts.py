"""The head of the Context page: one verdict for each signal, from the reports, and the sentence that sums them up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from recommender.serve.phrases import listed
from recommender.serve.signals import Verdict
from recommender.ui import ctx_real, league, sections
from recommender.ui.ctx_charts import REAL
from recommender.ui.ctx_rule import dosed, level, lifts
from recommender.ui.measures import chance_of, number, signed
from recommender.ui.reports import Opened, Shelf
from recommender.ui.vega import records

PEOPLE = "Time, place and company", "told in a survey"
HELPS, HARMS, LEVEL, UNKNOWN = "helps", "harms", "no difference", "not measured"


@dataclass(frozen=True)
class Tile:
    """One signal: where it comes from, what was found, in a phrase, and the lines beneath. delta, lo, hi: the figure the rail shows, good to the
    right; None where nothing was measured; where: the doses at which a device is found."""

    signal: str
    source: str
    verdict: str
    said: str
    lines: tuple[str, ...]
    unit: str = ""
    delta: float | None = None
    lo: float | None = None
    hi: float | None = None
    where: str = ""


def head(shelf: Shelf, served: dict[str, Verdict]) -> None:
    """Headline and three tiles. served: whether the models of this viewer are told each signal."""
    tiles = _tiles(shelf.found.get("context"), shelf.found.get("depaulmovie"), served.get("time_of_day"), served.get("device"))
    dates = [shelf.found[name].report.date for name in ("context", "depaulmovie") if name in shelf.found]
    corrected = "p is corrected within each family of comparisons (Holm)"
    how = f"brackets are 95% intervals, {corrected} · a signal is observed, told or simulated, and always says which"
    about = f"measured {max(dates)} · {how}" if dates else ""
    st.html(
        f'<div class="mq-ev mq-ev-top"><small>Honest context</small><h1>{escape(headline(tiles))}</h1><p>{escape(about)}</p></div>'
        f'<div class="mq-ev mq-ev-tiles mq-cx-tiles">{"".join(_drawn(t) for t in tiles)}</div>'
    )


@lru_cache(maxsize=8)
def _tiles(study: Opened | None, named: Opened | None, time_served: Verdict | None, device_served: Verdict | None) -> tuple[Tile, ...]:
    """Worked out once for each version of the reports, which are opened once."""
    return (
        _kept("Time of day", "observed", partial(time_of_day, study, time_served)),
        _kept("Device", "simulated", partial(device, study, device_served)),
        _kept(*PEOPLE, partial(real, named)),
    )


def _kept(signal: str, source: str, made: Callable[[], Tile]) -> Tile:
    """A tile whose report is broken inside says so."""
    try:
        return made()
    except sections.BROKEN as error:
        return Tile(signal, source, UNKNOWN, "Cannot be read", (f"The report holds something unexpected ({type(error).__name__})",))


def headline(tiles: Sequence[Tile]) -> str:
    """The three verdicts in one breath."""
    said = {
        ("time", HELPS): "The time of day helps",
        ("time", HARMS): "The time of day does harm",
        ("time", LEVEL): "The time of day adds nothing measurable",
        ("device", HELPS): "a simulated device is found",
        ("device", HARMS): "a simulated device does harm",
        ("device", LEVEL): "a simulated device is not found",
        ("real", HELPS): "a context that people named helps",
        ("real", HARMS): "a context that people named does harm",
        ("real", LEVEL): "not even a context that people named beats its placebo",
    }
    parts = [said[kind, t.verdict] + t.where for kind, t in zip(("time", "device", "real"), tiles) if (kind, t.verdict) in said]
    if not parts:
        return "What the hour and the screen change, and how much of it is real."
    line = "; ".join(parts)
    return f"{line[0].upper()}{line[1:]}."


def time_of_day(study: Opened | None, served: Verdict | None) -> Tile:
    """The observed part of the day: what a gate that is told it gains; and beside it the moment itself, which is more than its hour."""
    table = lifts(study)
    tile = _lift("Time of day", "observed", _first(table[table["variant"] == "part of day, observed"]), served, ("adds to the list", "takes from it"))
    moment = _first(table[[str(v).startswith("moment of the request") for v in table["variant"]]])
    if moment is None:
        return tile
    said = f"{signed(moment['delta'])} [{signed(moment['lo'])}, {signed(moment['hi'])}], {_sure(moment)}"
    return replace(tile, lines=(*tile.lines, f"The moment itself, as the time since the last rating, for a network trained with it: {said}"))


def device(study: Opened | None, served: Verdict | None) -> Tile:
    """The simulated device at its strongest dose, and at dose 0 beside it."""
    table = dosed(lifts(study))
    full = table[table["dose"] == table["dose"].max()]
    where = found_at(table)
    tile = _lift("Device", "simulated", _first(full), served, (f"what was planted is found{where}", "what was planted does harm"))
    tile = replace(tile, where=where if tile.verdict == HELPS else "")
    zero = _first(table[(table["dose"] == 0)])
    if zero is None or tile.delta is None:
        return tile
    nothing = f"At dose 0, where nothing is planted: {signed(zero['delta'])}, {_sure(zero)}"
    return replace(tile, lines=(tile.lines[0], nothing, *tile.lines[1:]))


def found_at(table: pd.DataFrame) -> str:
    """At which doses the device lifts beyond noise: ' at full dose', ' at doses .5 and 1', ' at every dose'."""
    planted = table[(table["series"] == REAL) & (table["dose"] > 0)]
    found = planted.loc[planted["sure"] & (planted["delta"] > 0), "dose"].tolist()
    if found == [1.0] and len(planted) > 1:
        return " at full dose"
    if len(found) == len(planted) and len(found) > 1:
        return " at every dose"
    return f" at dose{'s' if len(found) > 1 else ''} {listed([f'{d:g}' for d in found])}" if found else ""


def real(opened: Opened | None) -> Tile:
    """Time, place and company that people named: the best model against itself with contexts shuffled within film."""
    if opened is None or not len(opened.table):
        return Tile(*PEOPLE, UNKNOWN, "Not measured yet", ("DePaulMovie: people who named all three",))
    variant = ctx_real.fairest(opened)
    table = ctx_real.standing(opened, variant, None)
    best, bare = (ctx_real.first_of(table, series) for series in (ctx_real.TOLD, ctx_real.UNTOLD))
    if best is None or best["delta"] is None:
        return Tile(*PEOPLE, UNKNOWN, "Not measured yet", ("The report holds no model that is told the context, with its placebo",))
    verdict = _verdict(-best["delta"], best["p"])
    phrases = {HELPS: f"{number(-best['delta'], 2)} stars less error than its placebo", HARMS: "Worse than its placebo"}
    said = phrases.get(verdict, "Not told apart from its placebo")
    due = {"lo": best["dlo"], "hi": best["dhi"], "p": best["p"]}
    lines = (
        f"Against itself, contexts shuffled within film: {signed(best['delta'])} [{signed(best['dlo'])}, {signed(best['dhi'])}], {_sure(due)}",
        f"{best['label']}, RMSE {number(best['x'])}, {int(best['n']):,} users of DePaulMovie, {variant}",
        *((f"Best model that is told no context: {bare['label']}, {number(bare['x'])}",) if bare else ()),
    )
    return Tile(*PEOPLE, verdict, said, lines, "stars of RMSE", -best["delta"], -best["dhi"], -best["dlo"])


def _first(table: pd.DataFrame) -> dict | None:
    rows = records(table[table["series"] == REAL]) if len(table) else []
    return rows[0] if rows else None


def _verdict(gain: float, p: float) -> str:
    return LEVEL if p >= league.SURE else HELPS if gain > 0 else HARMS


def _sure(row: Mapping[str, Any]) -> str:
    return chance_of(row["p"]) if row["p"] < league.SURE else level(row).replace("apart", "apart from none")


def _as_served(v: Verdict) -> str:
    """What a signal does to the whole model of this viewer, where that was measured."""
    if v.delta is None or v.lo is None or v.hi is None or v.p is None:
        return ""
    loss = " a loss of" if v.p < league.SURE and v.hi < 0 else ""
    return f", as served{loss} {signed(v.delta)} [{signed(v.lo)}, {signed(v.hi)}]"


def _lift(signal: str, source: str, row: dict | None, served: Verdict | None, said: tuple[str, str]) -> Tile:
    """A tile from one row of the context study and from what the app makes of it."""
    told = "" if served is None else f"In the app: {'listened to' if served.on else 'switched off'}"
    detail = "" if served is None else _as_served(served)
    if row is None:
        return Tile(signal, source, UNKNOWN, "Not measured yet", tuple(filter(None, (told + detail,))))
    verdict = _verdict(row["delta"], row["p"])
    phrase = {HELPS: said[0].capitalize(), HARMS: said[1].capitalize()}.get(verdict, "Adds nothing that can be told from zero")
    dose = f" at dose {row['dose']:g}" if "dose" in row else ""
    line = f"{signed(row['delta'])} [{signed(row['lo'])}, {signed(row['hi'])}] NDCG@{row['k']}{dose}, {_sure(row)}, {int(row['n']):,} viewers"
    return Tile(signal, source, verdict, phrase, tuple(filter(None, (line, told + detail))), f"NDCG@{row['k']}", row["delta"], row["lo"], row["hi"])


# -- drawing -----------------------------------------------------------------------------------------------------------


def _drawn(tile: Tile) -> str:
    """Signal, source, verdict, rail, lines."""
    lines = "".join(f"<li><span>{escape(line)}</span></li>" for line in tile.lines)
    simulated = " mq-cx-sim" if tile.source == "simulated" else ""
    return (
        f"<section class='{simulated}'><small>{escape(tile.signal)} <em>{escape(tile.source)}</em></small>"
        f"<p>{escape(tile.said)}</p>{_rail(tile)}<ul>{lines}</ul></section>"
    )


def _rail(tile: Tile) -> str:
    """The gain with its interval around nothing; good lies to the right."""
    if tile.delta is None or tile.lo is None or tile.hi is None:
        return '<div class="mq-ev-rail" aria-hidden="true"></div>'
    most = 1.15 * max(abs(tile.lo), abs(tile.hi), 1e-9)
    at = lambda x: f"{50 + 50 * x / most:.2f}%"
    whisker = f'<q style="left:{at(tile.lo)};right:calc(100% - {at(tile.hi)})"></q><i style="left:{at(tile.delta)}"></i>'
    return f'<div class="mq-ev-rail mq-cx-rail" aria-hidden="true"><u style="left:50%"></u>{whisker}<b style="left:50%">nothing</b></div>'
