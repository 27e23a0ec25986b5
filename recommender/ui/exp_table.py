"""What stands beside the charts of an experiment's effects: the key, a note, the table of all figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import streamlit as st

from recommender.experiment.results import Reading

_CSS = (Path(__file__).parent / "web" / "exp_results.css").read_text("utf-8")
STROKES = ("thick", "thin", "band", "limit")


def style() -> None:
    """The look of what this file writes."""
    st.html(f"<style>{_CSS}</style>")


def key(level: float, more: dict[str, str]) -> None:
    """What the strokes of a forest mean, intervals of that level; more: other strokes (band, limit) or marks with their meaning."""
    meant = {"thick": f"fixed {100 * level:g}% interval", "thin": f"anytime {100 * level:g}% interval: holds at every look", **more}
    drawn = [f"<i class=mq-xr-{mark}></i>" if mark in STROKES else f"<i>{escape(mark)}</i>" for mark in meant]
    st.html(f'<div class="mq-ev mq-ev-legend">{"".join(f"<span>{mark}{escape(says)}</span>" for mark, says in zip(drawn, meant.values()))}</div>')


def ribbons(level: float) -> None:
    """What the ribbons of the course mean, intervals of that level."""
    meant = {"amber": f"fixed {100 * level:g}% interval: right for one look only", "blue": f"anytime {100 * level:g}% interval: right at every look"}
    st.html(f'<div class="mq-ev mq-ev-legend">{"".join(f"<span><i class=mq-xr-{tone}></i>{says}</span>" for tone, says in meant.items())}</div>')


def note(*lines: str) -> None:
    """Sentences in small print under a chart."""
    st.html("".join(f'<p class="mq-ev mq-xr-note">{escape(line)}</p>' for line in lines if line))


def figures(name: str, columns: Sequence[str], rows: Iterable[Sequence[str]], reading: Reading) -> None:
    """Every number, for those who read; grey where they are not to be read."""
    st.html(table(name, columns, rows, reading.valid))


def lines(name: str, rows: Sequence[dict[str, str]]) -> None:
    """A table of rows with the same keys, which stand over its columns."""
    style()
    st.html(table(name, [key[:1].upper() + key[1:] for key in rows[0]], [tuple(row.values()) for row in rows]))


def table(name: str, columns: Sequence[str], rows: Iterable[Sequence[str]], valid: bool = True) -> str:
    """A table that scrolls sideways where it is wider than the page; the first cell of a row names it."""
    head = "".join(f"<th scope='col'>{escape(c)}</th>" for c in columns)
    body = "".join(f"<tr><th scope='row'>{escape(first)}</th>{''.join(f'<td>{escape(x)}</td>' for x in rest)}</tr>" for first, *rest in rows)
    return (
        f'<div class="mq-ev mq-ev-box mq-xr-table{"" if valid else " mq-xr-grey"}"><h3>{escape(name)}</h3>'
        f'<div class="mq-ev-scroll" tabindex="0" role="region" aria-label="{escape(name)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div>"
    )
