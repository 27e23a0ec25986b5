"""What a viewer's own settings cost in accuracy and what they give for it, as the report of the study of sliders has it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from recommender.types import Preferences

REPORT = "sliders.json"
K = 10  # films that are counted
GIVEN = ("raters", "novelty", "diversity", "coverage")


@dataclass(frozen=True)
class Cost:
    """One measured place of both sliders, for the model that makes the first row.

    delta: NDCG@10 less that of the model's own setting, with its 95% interval, p corrected by Holm and n viewers; hits: the same for the share of
    viewers with a hit among ten, without its interval. Of the films shown: raters, the median number (own_raters where nothing is set); novelty in
    bits; diversity, 1 less likeness in genres; coverage, the share of all films that is shown to anybody.
    """

    model: str
    adventure: float
    variety: float
    delta: float
    lo: float
    hi: float
    p: float
    n: int
    hits: float
    raters: float
    own_raters: float
    novelty: float
    diversity: float
    coverage: float

    @property
    def said(self) -> str:
        """ "NDCG@10 -.143 [-.159, -.129] on 615 viewers; films with 495 raters instead of 1,176"; "" for the model's own setting."""
        if (self.delta, self.lo, self.hi) == (0, 0, 0):
            return ""
        span = f"{_signed(self.delta)} [{_signed(self.lo)}, {_signed(self.hi)}]"
        return f"NDCG@{K} {span} on {self.n:,} viewers; films with {self.raters:,.0f} raters instead of {self.own_raters:,.0f}"


Costs = dict[str, tuple[Cost, ...]]  # of each model, its own setting first


def costs(reports: Path) -> Costs:
    """All that was measured; nothing where the report is missing or cannot be read."""
    try:
        report = json.loads((reports / REPORT).read_text("utf-8"))
        rows = {(r["variant"], r["model"], r["metric"]): r for r in report["rows"]}
        pairs = {(d["variant"], d["model"], d["metric"]): d for d in report["differences"]}
        return {model: tuple(_cost(model, s, settings[0], rows, pairs) for s in settings) for model, settings in report["more"]["settings"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return {}


def cost_of(found: Costs, preferences: Preferences, model: str, variety: float | None = None) -> Cost | None:
    """The measured place nearest to these settings; None where the model was not measured.

    variety: what stands where the viewer set none, the model's own where that is None too.
    """
    measured = found.get(model, ())
    if not measured:
        return None
    wanted = next(v for v in (preferences.variety, variety, measured[0].variety) if v is not None)
    return min(measured, key=lambda c: ((c.adventure - preferences.adventure) / 2) ** 2 + (c.variety - wanted) ** 2)  # both run over a range of 1


def _cost(model: str, setting: dict, own: dict, rows: dict, pairs: dict) -> Cost:
    name = setting["variant"]
    given = {metric: float(rows[name, model, metric]["mean"]) for metric in GIVEN}
    first = {"delta": 0.0, "lo": 0.0, "hi": 0.0, "p_holm": 1.0, "n": rows[name, model, "NDCG"]["n"]}
    d, hits = (first, first) if setting is own else (pairs[name, model, "NDCG"], pairs[name, model, "HR"])
    cost = Cost(
        model=model,
        adventure=float(setting["adventure"]),
        variety=float(setting["variety"]),
        delta=float(d["delta"]),
        lo=float(d["lo"]),
        hi=float(d["hi"]),
        p=float(d["p_holm"]),
        n=int(d["n"]),
        hits=float(hits["delta"]),
        own_raters=float(rows[own["variant"], model, "raters"]["mean"]),
        **given,
    )
    if not all(map(isfinite, (cost.adventure, cost.variety, cost.lo, cost.hi, cost.hits, cost.own_raters, *given.values()))):
        raise ValueError(f"{REPORT} has a figure of {model!r} at {name} that is not finite")
    if not -1 <= cost.lo <= cost.delta <= cost.hi <= 1 or cost.n < 2:
        raise ValueError(f"{REPORT} says {cost.delta} [{cost.lo}, {cost.hi}] on {cost.n} viewers of {model!r} at {name}")
    return cost


def _signed(value: float) -> str:
    """+.012; a rounded zero has no minus."""
    return f"{round(value, 3) + 0.0:+.3f}".replace("0.", ".", 1)
