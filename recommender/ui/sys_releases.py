"""The section "Releases": which models are served, since when, and which others there are."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Any

import streamlit as st

from recommender.serve.desk import shared
from recommender.serve.releases import COMMITTED, Release, ReleaseError, listed
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.ui import exhibits, sections
from recommender.ui.measures import signed

COMMAND = "python -m recommender refresh --data data/raw/ml-1m"


def section(service: Service) -> None:
    """What is at work; then all releases, the newest first."""
    desk = shared(settings())
    since = f", since {datetime.fromtimestamp(desk.since, UTC):%Y-%m-%d %H:%M} UTC" if desk.since else ""
    made = f"made {desk.made:%Y-%m-%d %H:%M} UTC" if desk.made else "the models that came with the code"
    exhibits.title("What is served now", f"Release {service.version}: {made}; at work in this process{since}.")
    if desk.problem:
        sections.problems((f"Another release could not be opened, and the one before stays at work: {desk.problem}",))
    there = listed(settings())
    if len(there) == 1:
        exhibits.missing("No other release has been made", "A release of refreshed models", COMMAND)
        return
    st.html(f'<ul class="mq-ev mq-sys-list">{"".join(_line(r, service.version) for r in reversed(there))}</ul>')


def _line(release: Release, at_work: str) -> str:
    try:
        version, facts = release.version, release.facts()
        said = _facts(facts) if facts else "the models that came with the code."
        mark = "mq-sys-now" if version == at_work else ""
    except (ReleaseError, OSError) as error:
        version, said, mark = release.name, str(error), "mq-sys-ill"
    now = " · at work" if mark == "mq-sys-now" else ""
    return f'<li class="{mark}"><b>{escape(version)}{now}</b>{escape(said)}</li>'


def _facts(facts: dict[str, Any]) -> str:
    """Its models, what they were fitted on, and the least sure result of its examination, as far as they are told."""
    parts = [f"fitted again: {', '.join(map(str, facts['models']))}"] if facts.get("models") else []
    try:
        parts.append(f"on {int(facts['data']['ratings']):,} ratings of the data set and {int(facts['feedback']['ratings']):,} of feedback")
        least = min(facts["exam"]["rows"], key=lambda row: row["difference"]["lo"])
        d = least["difference"]
        parts.append(
            f"least sure of {least['model']}: {signed(d['delta'], 4)} NDCG@10 [{signed(d['lo'], 4)}, {signed(d['hi'], 4)}] against the one before"
        )
    except (KeyError, TypeError, ValueError):
        parts.append("what it was examined on is not told")
    before = facts.get("parent", COMMITTED)
    return "; ".join([*parts, f"before it: {before}"]) + "."
