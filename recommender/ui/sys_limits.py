"""The section "Limits": what the house cannot do or has not shown, each with the figure to look at first."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from recommender.about.limits import GROUPS, Limit, limits
from recommender.serve.service import Service
from recommender.ui import exhibits
from recommender.ui.reports import COMMAND, Opened, Shelf

WHOLE = "What is true of all of it: ratings in a log are not evenings with people, and what a simulation was told it will find."


def section(service: Service, shelf: Shelf, besides: Sequence[Opened]) -> None:
    """Group by group; and which reports others would need. besides: reports of speed."""
    reports = {name: opened.report for name, opened in shelf.found.items()} | {opened.report.protocol: opened.report for opened in besides}
    found = limits(reports, int(service.catalog.years.max()))
    exhibits.title("What it cannot do, or has not shown", WHOLE)
    for group in GROUPS:
        lines = "".join(_line(limit) for limit in found.limits if limit.group == group)
        if lines:
            st.html(f'<section class="mq-ev mq-sys-limits"><h3>{escape(group)}</h3><ul>{lines}</ul></section>')
    if found.absent:
        names = ", ".join(f"{name}.json" for name in found.absent)
        exhibits.missing("What is not known to be a limit", names, COMMAND)


def _line(limit: Limit) -> str:
    source = f"<i>{escape(limit.report)}.json</i>" if limit.report else ""
    return f"<li><b>{escape(limit.figure)}</b><div><strong>{escape(limit.head)}</strong><p>{escape(limit.said)} {source}</p></div></li>"
