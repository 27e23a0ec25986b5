"""Where everything on the screen comes from: files, what is prepared of them, models, reports, pages; and what is out of date.

A report is stale where it says that it was made of other data, other weights or another release than those at work.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from recommender.artifacts import WEIGHTS, catalog_hash
from recommender.catalog import Catalog
from recommender.evaluate.report import Report
from recommender.evaluate.runs import STUDIED
from recommender.models.hybrid import PARTS

STAGES = ("Files", "Prepared", "Models", "Reports", "Pages")
RATED = {"ml-1m": "MovieLens 1M", "ml-100k": "MovieLens 100K", "depaulmovie": "DePaulMovie"}
SERVED, WORLD = "ml-1m", "click world"  # the data set of the models; what studies of experiments say they are of
PAGES = {
    "For you": ("context",),
    "Taste": ("sliders",),
    "Context": ("audit-ml-1m", "audit-ml-100k", "context", "depaulmovie", "explanations"),
    "Evaluation": ("P1", "P2", "P3", "P4", "cold-start", "context", "data"),
    "Experiments": ("aa", "doses", "interleaving", "off-policy", "bandit"),
    "System": ("P1", "P2", "P3", "P4", "cold-start", "data", "load", "bench", "browser", "scale"),
}
BOXES = {  # reports that stand together in the drawing; all others are studies
    "Protocols": ("P1", "P2", "P3", "P4"),
    "Experiments": ("aa", "doses", "interleaving", "off-policy", "bandit"),
    "Operations": ("api", "bench", "browser", "load", "scale"),
}
LIVE = ("For you", "Compare", "Taste", "Context", "Experiments")  # pages that ask the models themselves


@dataclass(frozen=True)
class Node:
    """One thing of the house. hash: of data, catalogue or weights, "" where it has none; stale: why it is out of date, "" where it is not; silent:
    whether it names neither data, weights nor release of what is served, so that nobody can tell."""

    key: str
    stage: str
    name: str
    hash: str = ""
    date: str = ""
    command: str = ""
    versions: str = ""
    stale: str = ""
    silent: bool = False


def box(node: Node) -> str:
    """With what a thing stands together in the drawing; "" where it stands alone."""
    if node.stage == "Models" and node.name != "hybrid":
        return "Its parts" if node.name in PARTS else "Other models"
    return next((name for name, reports in BOXES.items() if node.name in reports), "Studies") if node.stage == "Reports" else ""


class Graph(NamedTuple):
    """What there is, stage by stage, and what was made from what: (from, to)."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]

    @property
    def stale(self) -> list[Node]:
        return [node for node in self.nodes if node.stale]

    @property
    def silent(self) -> list[Node]:
        """Reports that name nothing by which they could be checked against what is served."""
        return [node for node in self.nodes if node.silent]


class Written(NamedTuple):
    """What a report says of its own making; `release` and `data_hash` are "" where it does not say."""

    name: str
    dataset: str
    data_hash: str
    release: str
    date: str
    command: str
    versions: Mapping[str, str]

    @classmethod
    def of(cls, report: Report) -> Written:
        """A report of the house's own form."""
        release = str(report.more.get("release", ""))
        return cls(report.protocol, report.dataset, report.data_hash, release, report.date, report.command, report.versions)


def written(name: str, raw: Mapping[str, Any]) -> Written:
    """A report of any scheme as parsed JSON: the house's own, or facts under `facts`."""
    facts = {**raw, **raw.get("facts", {})}
    release = raw.get("more", {}).get("release") or facts.get("release", "")
    said = [str(facts.get(key, "") or "") for key in ("dataset", "data_hash", "date", "command")]
    return Written(name, said[0], said[1], str(release), said[2], said[3], facts.get("versions") or {})


def weights_hash(folder: Path, names: Iterable[str]) -> str:
    """sha256 over the sha256 of the weights of all models, as the studies of the click world write it."""
    parts = sorted((folder / name / WEIGHTS).read_bytes() for name in names)
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def graph(cards: Mapping[str, dict], loaded: Iterable[str], reports: Iterable[Written], catalog: Catalog, release: str, weights: str) -> Graph:
    """The whole house. cards: by model, of the release at work; loaded: models that answer; weights: weights_hash of the committed models."""
    reports = list(reports)
    data = Counter(card.get("data", {}).get("sha256", "") for card in cards.values()).most_common(1)
    served = data[0][0] if data else ""
    nodes, edges = _made(cards, set(loaded), catalog, served, reports)
    dates = {name: str(card.get("date", "")) for name, card in cards.items()}
    for report in reports:
        nodes.append(
            Node(
                f"report {report.name}", "Reports", report.name, report.data_hash or report.release, report.date, report.command,
                ", ".join(f"{name} {v}" for name, v in report.versions.items()), stale(report, served, release, weights, dates), silent(report),
            )
        )  # fmt: skip
        edges += [(origin, f"report {report.name}") for origin in _origins(report, cards)]
    old = {node.name for node in nodes if node.stage == "Reports" and node.stale}
    there = {report.name for report in reports}
    for page in dict.fromkeys([*PAGES, *LIVE]):
        reads = [name for name in PAGES.get(page, ()) if name in there]
        late = [name for name in reads if name in old]
        nodes.append(Node(f"page {page}", "Pages", page, stale=f"draws {', '.join(late)}" if late else ""))
        edges += [(f"report {name}", f"page {page}") for name in reads]
        edges += [("model hybrid", f"page {page}")] if page in LIVE and "hybrid" in cards else []
    known = {node.key for node in nodes}
    return Graph(tuple(nodes), tuple(edge for edge in edges if known.issuperset(edge)))


def stale(report: Written, served: str, release: str, weights: str, dates: Mapping[str, str]) -> str:
    """Why a report is out of date, "" where nothing says so. dates: of the models' cards, for reports that name no weights."""
    if report.release and report.release != release:
        return f"measured on {report.release}, {release} is at work"
    if report.dataset == SERVED and served and report.data_hash not in ("", served):
        return f"of data {report.data_hash[:12]}, the models are of {served[:12]}"
    if WORLD in report.dataset and weights and report.data_hash not in ("", weights):
        return f"of weights {report.data_hash[:12]}, the committed ones are {weights[:12]}"
    newer = [name for name in STUDIED.get(report.name, ()) if dates.get(name, "") > report.date]
    return f"of {report.date}, before {', '.join(newer)} of {max(dates[name] for name in newer)}" if newer else ""


def silent(report: Written) -> bool:
    """Whether a report names nothing of what is served."""
    return not report.release and not (report.data_hash and (report.dataset == SERVED or WORLD in report.dataset))


def _made(
    cards: Mapping[str, dict], loaded: set[str], catalog: Catalog, served: str, reports: list[Written]
) -> tuple[list[Node], list[tuple[str, str]]]:
    """Files, what is prepared of them, models; and the lines between them."""
    sets = {report.dataset: report.data_hash for report in reports if report.dataset in RATED}
    films = catalog_hash(catalog)
    nodes = [Node(f"set {name}", "Files", RATED[name], command=_fetch(name)) for name in sorted(sets, key=list(RATED).index)]
    nodes += [
        Node("films.csv", "Files", "films.csv"),
        Node("monochrome.csv", "Files", "monochrome.csv"),
        Node("viewers.json", "Files", "viewers.json"),
    ]
    nodes += [Node(f"ratings {name}", "Prepared", f"Ratings, {RATED[name]}", found) for name, found in sets.items()]
    nodes += [Node("catalogue", "Prepared", "Catalogue", films)]
    edges = [(f"set {name}", f"ratings {name}") for name in sets] + [("films.csv", "catalogue"), ("monochrome.csv", "catalogue")]
    edges += [("viewers.json", f"page {page}") for page in LIVE]
    origin = next((f"ratings {name}" for name, found in sets.items() if found == served), "ratings")
    if served and origin == "ratings":
        nodes.append(Node(origin, "Prepared", "Ratings, of the models", served))
    for name, card in cards.items():
        wrong = [
            "did not load" if name not in loaded else "",
            "of another catalogue" if card.get("catalog") != films else "",
            "of other data than the rest" if card.get("data", {}).get("sha256", "") != served else "",
        ]
        weights, command = str(card["weights"].get("sha256", "")), f"python -m recommender train {name} --data data/raw/ml-1m"
        nodes.append(Node(f"model {name}", "Models", name, weights, str(card.get("date", "")), command, stale=", ".join(filter(None, wrong))))
        edges += [(origin, f"model {name}"), ("catalogue", f"model {name}")]
    edges += [(f"model {part}", "model hybrid") for part in PARTS]
    return nodes, edges


def _fetch(name: str) -> str:
    return f"python -m recommender fetch --dataset {name}" if name.startswith("ml-") else ""


def _origins(report: Written, cards: Mapping[str, dict]) -> list[str]:
    """What a report was made from: models where it examines served ones, else ratings."""
    if report.name in STUDIED:
        return [f"model {name}" for name in STUDIED[report.name] if name in cards]
    if report.release or WORLD in report.dataset or report.dataset.startswith("the experiment "):
        return ["model hybrid"]
    return [f"ratings {report.dataset}"]
