"""A card for each served model: what it is, what it may use, what it is for and what not, and its figures as the reports have them.

Source: Mitchell et al., "Model Cards for Model Reporting", FAT* 2019, arXiv 1810.03993. Sentences stand in words.py; every figure is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recommender.about.words import ABOUT
from recommender.evaluate.contenders import RANKERS
from recommender.evaluate.report import Report, Row
from recommender.models import MODELS


@dataclass(frozen=True)
class Figure:
    """One figure of a model, and what popularity (or another yardstick) has in the same test. note: how the tested model differs from the served."""

    test: str
    metric: str
    found: Row
    beside: Row | None
    beside_name: str
    report: str
    note: str = ""


def at_home(cards: Mapping[str, dict], metric: str = "NDCG@10") -> list[Row]:
    """The served models on the same strangers, the best first: each one's own examination, as its card has it."""
    found = [(name, card.get("validation", {}).get(metric)) for name, card in cards.items() if name in ABOUT]
    rows = [Row("strangers", name, metric, None, None, v["mean"], v["lo"], v["hi"], v["n"]) for name, v in found if v]
    return sorted(rows, key=lambda row: -row.mean)


TESTS = (
    ("P1", "Next film (P1)", "stable order", "NDCG", 10, None),
    ("P2", "Hidden fifth (P2)", "80/20", "NDCG", 10, None),
    ("P4", "After today (P4)", "last", "NDCG", 10, None),
    ("cold-start", "Five random ratings known", "random ratings, liked otherwise", "NDCG", 10, "known=5"),
    ("cold-start", "Fifty random ratings known", "random ratings, liked otherwise", "NDCG", 10, "known=50"),
)


def figures(name: str, cards: Mapping[str, dict], reports: Mapping[str, Report]) -> list[Figure]:
    """What was measured of a model's rankings, as far as cards and reports are there. Tests it took no part in are left out."""
    own = {row.model: row for row in at_home(cards)}
    made = [Figure("Strangers’ last film", "NDCG@10", own[name], own.get("popularity"), "Popularity", "card.json")] if name in own else []
    for protocol, test, variant, metric, k, segment in TESTS:
        rows = {r.model: r for r in reports[protocol].rows if r[:5] == (variant, r.model, metric, k, segment)} if protocol in reports else {}
        if name in rows:
            note = "" if protocol == "cold-start" else otherwise(name, cards[name])
            made.append(Figure(test, f"{metric}@{k}", rows[name], rows.get("popularity"), "Popularity", protocol, note))
    return made


def stars(name: str, reports: Mapping[str, Report]) -> tuple[Figure | None, float | None]:
    """The error of predicted stars beside that of means alone, and how far off promises are on average; None where it predicts none."""
    report = reports.get("P3")
    rows = {r.model: r for r in report.rows if r[:5] == ("90/10", r.model, "RMSE", None, None)} if report else {}
    if report is None or name not in rows:
        return None, None
    told = [c for c in report.more.get("calibration", ()) if c["model"] == name]
    off = sum(abs(c["observed"] - c["predicted"]) * c["n"] for c in told) / sum(c["n"] for c in told) if told else None
    return Figure("Stars (P3)", "RMSE", rows[name], rows.get("biases"), report.label("biases"), "P3"), off


def otherwise(name: str, card: dict) -> str:
    """In what the model of P1, P2 and P4 differs from the served one, parameter by parameter; "" where in nothing."""
    tested = RANKERS[name].make(0) if name in RANKERS else None
    if tested is None:
        return ""
    if type(tested) is not type(MODELS[name]()):
        return "counts who watched it, without stars and dates"
    theirs = asdict(tested)  # type: ignore[call-overload]
    served = {key: tuple(v) if isinstance(v, list) else v for key, v in card["parameters"].items()}
    differing = [f"{key} {_plain(theirs[key])}, served {_plain(v)}" for key, v in served.items() if key in theirs and theirs[key] != v]
    return "; ".join(differing)


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return " and ".join(map(str, value)).replace("_", " ") or "nothing"
    return "all" if value == 1_000_000 else f"{value:g}" if isinstance(value, float) else str(value)
