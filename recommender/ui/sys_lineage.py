"""The section "Lineage": one drawing from files to pages, with hashes and dates; what is out of date is lit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from recommender import artifacts
from recommender.about.lineage import STAGES, Graph, Node, Written, box, graph, weights_hash, written
from recommender.about.words import ABOUT
from recommender.evaluate.report import OTHERS
from recommender.serve.releases import COMMITTED, named
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.ui import exhibits, kit, sys_models, words
from recommender.ui.reports import Shelf


def section(service: Service, shelf: Shelf) -> None:
    """The drawing, what it says, and the same as a table."""
    found = drawn(service, shelf)
    exhibits.title(*said(found))
    kit.view("lineage", _view(found), key="mq_lineage")
    for node in _old(found):
        st.warning(words.md(f"{_named(node)}: {node.stale}."), icon=":material/history:")
    _table(found)


def drawn(service: Service, shelf: Shelf) -> Graph:
    """The graph of the release at work and of the reports as they are now, made once for each state of them."""
    folder = settings().artifacts / "reports"
    stamps = tuple((path.name, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.json")))
    return _graph(service.version, str(folder), stamps, service, shelf)


@st.cache_resource(show_spinner=False, max_entries=4)
def _graph(version: str, folder: str, stamps: tuple[tuple[str, int], ...], _service: Service, _shelf: Shelf) -> Graph:
    cards = sys_models.found(_service)
    committed = named(settings(), COMMITTED).folder
    there = [name for name in cards if (committed / name / artifacts.WEIGHTS).is_file()]
    reports = [Written.of(opened.report) for opened in _shelf.found.values()]
    reports += [report for name in OTHERS if (report := _other(Path(folder, name))) is not None]
    return graph(cards, _service.models, reports, _service.catalog, version, weights_hash(committed, there))


def _other(path: Path) -> Written | None:
    """A report that stands beside the others, of whichever scheme; None where it is not there or cannot be read."""
    try:
        return written(path.stem, json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def said(found: Graph) -> tuple[str, str]:
    """Whether all is of one piece, and how much there is."""
    count = {stage: sum(node.stage == stage for node in found.nodes) for stage in STAGES}
    old = _old(found)
    pages = [node.name for node in found.stale if node.stage == "Pages"]
    head = "Nothing is out of date" if not old else f"{words.counted(len(old), 'thing')} out of date"
    parts = f"{words.counted(count['Files'], 'file')}, {words.counted(count['Models'], 'model')}, {words.counted(count['Reports'], 'report')}"
    late = f" Out of date: {', '.join(_named(node) for node in old)}." if old else ""
    late += f" Drawn from them: {', '.join(pages)}." if pages else ""
    quiet = f" Of {', '.join(node.name for node in found.silent)} nobody can tell: they name nothing that is served." if found.silent else ""
    return head, f"{parts}, {words.counted(count['Pages'], 'page')}; a line leads from each thing to what was made of it.{late}{quiet}"


def _old(found: Graph) -> list[Node]:
    """What is itself out of date; a page only draws it."""
    return [node for node in found.stale if node.stage != "Pages"]


def _named(node: Node) -> str:
    return ABOUT[node.name].short if node.stage == "Models" and node.name in ABOUT else node.name


def _view(found: Graph) -> dict[str, Any]:
    """The graph as plain data for the drawing: things of a kind are one box, and have their lines together."""
    place = {node.key: f"{node.stage} {box(node)}" if box(node) else node.key for node in found.nodes}
    old = {node.key for node in found.stale}
    late = {(place[a], place[b]) for a, b in found.edges if a in old}
    edges = dict.fromkeys((place[a], place[b]) for a, b in found.edges)
    stages = [{"title": stage, "nodes": _boxes([node for node in found.nodes if node.stage == stage], place)} for stage in STAGES]
    head, sentence = said(found)
    return {"said": f"{head}. {sentence} The table below says the same.", "stages": stages, "edges": [(*edge, edge in late) for edge in edges]}


def _boxes(nodes: list[Node], place: dict[str, str]) -> list[dict[str, Any]]:
    """A stage, in the order of its things: each alone, or a box with its parts, and with their date where they have one."""
    made: list[dict[str, Any]] = []
    for key in dict.fromkeys(place[node.key] for node in nodes):
        here = [node for node in nodes if place[node.key] == key]
        if not box(here[0]):
            made.append(_thing(here[0], here[0].date))
            continue
        dates = {node.date for node in here}
        date = dates.pop() if len(dates) == 1 else ""
        parts = [_thing(node, "" if date else node.date) for node in here]
        made.append({"key": key, "name": box(here[0]), "note": date, "stale": "", "parts": parts})
    return made


def _thing(node: Node, date: str) -> dict[str, Any]:
    """A thing with the first digits of its hash, or the last of its release, and its date."""
    note = " · ".join(filter(None, (node.hash.rpartition("-")[2][:8], date)))
    return {"key": node.key, "name": _named(node), "note": note, "stale": node.stale}


def _table(found: Graph) -> None:
    """The same in rows: what, its hash, when and by which command it was made, from what, and its state."""
    names = {node.key: _named(node) for node in found.nodes}
    state = lambda node: node.stale or ("not told" if node.silent else "as served")
    rows = [
        {
            "stage": node.stage, "what": _named(node), "made from": ", ".join(names[a] for a, b in found.edges if b == node.key),
            "hash": node.hash[:16],
            "date": node.date, "command": node.command, "versions": node.versions, "state": state(node),
        }
        for node in found.nodes
    ]  # fmt: skip
    with st.expander("The lineage as a table, with commands and versions", icon=":material/table_rows:", key="mq_sys_lineage"):
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", height=480)
