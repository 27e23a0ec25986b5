"""The Evaluation page: how well the models foretell, with intervals, read from reports alone. Below the navigation all is one fragment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path

import pandas as pd
import streamlit as st

from recommender.ui import findings, league, sections, sign, standings
from recommender.ui.league import AHEAD, BEHIND, YARDSTICK, Tile
from recommender.ui.measures import chance_of, measure, number, signed
from recommender.ui.reports import COMMAND, Shelf, shelf

_CSS = (Path(__file__).parent / "web" / "evaluation.css").read_text("utf-8")
EDITIONS = {"ml-1m": "MovieLens 1M", "ml-100k": "MovieLens 100K", "ml-latest-small": "MovieLens latest-small"}
SECTIONS = ("League", "Trade-offs", "Who it works for", "Stars", "Context", "The data")


@st.fragment
@sign.stored
def stage() -> None:
    """Headline and a tile for each protocol; then the sections; then what none of it can tell."""
    st.html(f"<style>{_CSS}</style>")
    found = shelf()
    if not found.found:
        _nothing(found)
        return
    _headline(found)
    sections.problems(found.problems)
    drawn: tuple[Callable[[Shelf], None], ...] = (
        standings.standings,
        standings.tradeoffs,
        standings.groups,
        findings.stars,
        findings.context,
        findings.data,
    )
    sections.draw("section", {name: partial(section, found) for name, section in zip(SECTIONS, drawn, strict=True)})


def _nothing(found: Shelf) -> None:
    sign.board(
        "Not measured yet",
        "Evaluation",
        "Every number here is read from a report, and there is none yet. This command measures all models and writes the reports:",
    )
    with st.container(key="mq_board_more"):
        st.code(COMMAND, language="bash", wrap_lines=True)
    sections.problems(found.problems)


# -- the head ----------------------------------------------------------------------------------------------------------


def _headline(found: Shelf) -> None:
    made = league.tiles(found.found)
    if not made:
        st.html('<div class="mq-ev mq-ev-top"><small>Offline evaluation</small><h1>The protocols have not been run yet.</h1></div>')
        return
    reports = [found.found[t.protocol].report for t in made]
    viewers = max(int(t.first["n"]) for t in made)
    datasets = ", ".join(dict.fromkeys(EDITIONS.get(r.dataset, r.dataset) for r in reports))
    about = f"{datasets} · {viewers:,} viewers · measured {max(r.date for r in reports)} · brackets are 95% intervals"
    st.html(
        f'<div class="mq-ev mq-ev-top"><small>Offline evaluation</small><h1>{escape(league.headline(made))}</h1><p>{escape(about)}</p></div>'
        f'<div class="mq-ev mq-ev-tiles">{"".join(_tile(t) for t in made)}</div><div class="mq-ev mq-ev-legend">{_KEY}</div>'
        + (f'<p class="mq-ev mq-ev-aside">{escape(_caveat(made))}</p>' if any(t.public for t in made) else "")
    )


_KEY = (
    "<span><i>●</i>best model</span><span><i>┃</i>best baseline</span><span><i>◇</i>best published</span><span><i>┊</i>popularity</span>"
    "<span>the farther right, the better</span>"
)


def _caveat(made: list[Tile]) -> str:
    """What a published figure is not."""
    p4 = "; those of P4 are of all 1,209 users of a 5-core (3,416 films), ours of 3,706 films" if any(t.protocol == "P4" for t in made) else ""
    return (
        "“Ahead” of a published figure says where our interval lies, no more: published figures carry noise of their own and, "
        f"for P2 to P4, come from other splits{p4}."
    )


def _tile(tile: Tile) -> str:
    """One protocol: question, answer, where it lies; against the best baseline, a better one of another library, the best published figure."""
    first, best, public = tile.first, tile.best, tile.public
    said = f"<b>{escape(str(first['label']))}</b> {league.interval(first)}"
    rows = [f"<li><span>{said}</span>{'<i>is the best baseline</i>' if first['verdict'] == YARDSTICK else ''}</li>"]
    if best is not None and pd.notna(first["delta"]):
        how = {AHEAD: "ahead", BEHIND: "behind"}.get(first["verdict"], "level")
        rows.append(_row(f"{best['label']}, best baseline, {number(best['mean'])}", how, f"{signed(first['delta'])}, {chance_of(first['p'])}"))
    if tile.other is not None:
        value = float(tile.other["mean"])
        rows.append(_row(f"{tile.other['label']}, another library, {number(value)}", league.stance(first, value, tile.pick), "run here"))
    if public is not None:
        rows.append(_row(f"{public.label}, published, {number(public.value)}", league.stance(first, public.value, tile.pick), public.source))
    return (
        f"<section><small>{tile.protocol} · {escape(tile.question)}</small><p>{escape(tile.said)}</p>{_rail(tile)}<ul>{''.join(rows)}</ul></section>"
    )


def _row(what: str, how: str, detail: str) -> str:
    """Another's figure, and where ours stands beside it."""
    return f"<li><span>{escape(what)}<i>{escape(detail)}</i></span><em class='{_tone(how)}'>{how}</em></li>"


def _tone(how: str) -> str:
    return {"ahead": "mq-ev-good", "behind": "mq-ev-bad"}.get(how, "mq-ev-even")


def _rail(tile: Tile) -> str:
    """The tile's figures on one line, better to the right."""
    first, better = tile.first, measure(tile.pick.metric).better or 1
    near, far = first[["lo", "hi"]].fillna(first["mean"]).astype(float) * better
    known = [near * better, far * better, float(first["mean"])]
    known += [float(tile.best["mean"])] if tile.best is not None else []
    known += [tile.public.value] if tile.public else []
    known += [tile.popularity] if tile.popularity is not None else []
    low, high = min(x * better for x in known), max(x * better for x in known)

    def at(x: float) -> str:
        return f"{3 + 94 * (x * better - low) / ((high - low) or 1):.2f}%"

    marks = [f'<u style="left:{at(tile.popularity)}" class="mq-ev-crowd"></u>'] if tile.popularity is not None else []
    marks += [f'<u style="left:{at(float(tile.best["mean"]))}"></u>'] if tile.best is not None else []
    marks += [f'<s style="left:{at(tile.public.value)}"></s>'] if tile.public else []
    left, right = (at(end * better) for end in sorted((near, far)))
    dot = at(float(first["mean"]))
    whisker = f'<q style="left:{left};right:calc(100% - {right})"></q>'
    return f'<div class="mq-ev-rail" aria-hidden="true">{whisker}{"".join(marks)}<i style="left:{dot}"></i></div>'
