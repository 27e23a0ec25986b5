"""The frame around a chart: its title, the sentence that says it, where it comes from, its figures as CSV; and its choices in the address."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from html import escape
from typing import TypeVar

import pandas as pd
import streamlit as st

from recommender.ui import words
from recommender.ui.echo import by_hand, stand
from recommender.ui.reports import COMMAND, Opened
from recommender.ui.state import from_address, put
from recommender.ui.vega import FAMILIES, Spec

T = TypeVar("T")
EDGES = 76  # px a chart takes beside its plot: lines' names above, axis below
MARKS = {"circle": "●", "triangle-up": "▲", "square": "■", "diamond": "◆", "cross": "✚", "triangle-down": "▼"}


def title(head: str, sentence: str) -> None:
    """What a chart shows, and what it says."""
    st.html(f'<div class="mq-ev mq-ev-head"><h2>{escape(head)}</h2><p>{escape(sentence)}</p></div>')


def draw(key: str, head: str, sentence: str, spec: Spec, opened: Opened | str, figures: pd.DataFrame) -> None:
    """A chart in its frame; the sentence is also its text alternative. opened: the report, or a line that says where the figures come from."""
    with st.container(key=f"mq_ev_{key}", gap="small"):
        title(head, sentence)
        st.html(f"<style>.st-key-mq_chart_{key} {{ min-height: {spec['height'] + EDGES}px; }}</style>")  # the place is kept until it is drawn
        with st.container(key=f"mq_chart_{key}", gap=None):
            st.vega_lite_chart(spec=spec, width="stretch", key=f"mq_vega_{key}", alt=f"{head if head.endswith('?') else f'{head}.'} {sentence}")
        note(key, opened, figures)


def note(key: str, opened: Opened | str, figures: pd.DataFrame) -> None:
    """Where it comes from (of a report: file, date and command), and what is shown as CSV."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"mq_note_{key}"):
        st.caption(opened if isinstance(opened, str) else _made_by(opened), width="stretch")
        name = "live" if isinstance(opened, str) else opened.report.protocol.lower()
        st.download_button(
            "CSV", figures.to_csv(index=False).encode(), f"marquee-{name}-{key}.csv", "text/csv",
            icon=":material/download:", type="tertiary", on_click="ignore", key=f"mq_csv_{key}", help="The figures of this chart as CSV",
        )  # fmt: skip


def _made_by(opened: Opened) -> str:
    report = opened.report
    return f"{words.md(opened.file)} · {words.md(report.date)} · {words.md(report.dataset)} · `{report.command.replace('`', '')}`"


def legend(families: Sequence[str], verdicts: bool = True, public: bool = False, timed: bool = False) -> None:
    """What colours, shapes and fillings mean, once for the charts below."""
    keys = [f'<span><i style="color:{FAMILIES[f][0]}">{MARKS[FAMILIES[f][1]]}</i>{escape(f)}</span>' for f in FAMILIES if f in families]
    if verdicts:
        keys += ["<span><i>●</i>beyond noise</span>", "<span><i>○</i>not told apart from the best baseline</span>"]
    if public:
        keys.append("<span><i>┃</i>published by others</span>")
    if timed:
        keys.append("<span><i>◷</i>knows the moment of the request</span>")
    st.html(f'<div class="mq-ev mq-ev-legend">{"".join(keys)}</div>')


def key(look: dict[str, tuple[str, str]]) -> None:
    """What the colours and shapes of one chart mean: name -> (colour, shape)."""
    marks = [f'<span><i style="color:{colour}">{MARKS[shape]}</i>{escape(name)}</span>' for name, (colour, shape) in look.items()]
    st.html(f'<div class="mq-ev mq-ev-legend">{"".join(marks)}</div>')


def missing(what: str, file: str, command: str = COMMAND) -> None:
    """A friendly place where a report is not there yet."""
    st.html(f'<div class="mq-ev mq-ev-empty"><b>{escape(what)}</b><p>{escape(file)} has not been written yet. This command writes it:</p></div>')
    st.code(command, language="bash", wrap_lines=True)


# -- choices -----------------------------------------------------------------------------------------------------------


def slug(option: object) -> str:
    """An option as it stands in the address: 'stable order' is stable-order, 'history=new' history-new, None all."""
    return re.sub(r"[^a-z0-9.+]+", "-", str("all" if option is None else option).lower()).strip("-") or "all"


def choose(
    name: str,
    label: str,
    options: Sequence[T],
    default: T,
    says: Callable[[T], str],
    listed: bool = False,
    pills: bool = False,
    width: int | str = "content",
) -> T:
    """One of the options, remembered in the address; what is no option here falls back to the default. Never empty."""
    by_slug = {slug(o): o for o in options}
    usual = slug(default) if slug(default) in by_slug else next(iter(by_slug))
    kept = from_address(name, by_slug)
    if kept not in by_slug:
        put(name, None)
        kept = usual
    key = f"mq_ev_pick_{name}"
    stand(key, kept)
    show: Callable = st.selectbox if listed else partial(st.pills if pills else st.segmented_control, required=True, wrap=True)
    says_slug = lambda s: says(by_slug[s])
    off = len(by_slug) < 2
    show(label, list(by_slug), format_func=says_slug, key=key, on_change=_picked, args=(name, key, usual, by_slug), disabled=off, width=width)
    return by_slug[kept]


def _picked(name: str, key: str, usual: str, options: Collection[str]) -> None:
    value = st.session_state.get(key)
    if by_hand(key, (*options, None)):
        put(name, None if value in (None, usual) else value)
