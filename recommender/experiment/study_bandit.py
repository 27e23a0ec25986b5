"""A bandit over which row stands first, in the click world: what it loses on the way, against an A/B test that goes on and one that ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from recommender.evaluate.report import Report, Row
from recommender.experiment.bandit import POLICIES, Policy, Runs, best_after, biases, run, widths
from recommender.experiment.offpolicy import draw
from recommender.experiment.stage import Stage, facts, short
from recommender.stats.inference import bootstrap_mean

VIEWERS = 6_000
DAYS, VISITORS = 28, 400  # a day
TESTED = 14  # days after which the A/B test that ends gives everybody the row that did best
RUNS = 200
ROWS = {"popularity": "popularity", "item_knn": "item neighbours", "ease": "EASE", "content": "content", "hybrid": "hybrid"}


def bandit(say: Callable[[str], object] = print, stage: Stage | None = None, runs: int = RUNS) -> Report:
    """The same four weeks under each policy, `runs` times; a visit earns 1 where anything in the first row is clicked, at rates that are known."""
    stage = stage or Stage.open(VIEWERS)
    rates = true_rates(stage)
    order = sorted(rates, key=lambda name: -rates[name])
    earned, visitors = np.array([rates[name] for name in order]), np.full(DAYS, VISITORS)
    policies: dict[str, Policy] = {**POLICIES, "A/B, then the best": best_after(TESTED)}
    rows, curves, rest = list[Row](), dict[str, Any](), list[dict]()
    for n, (name, policy) in enumerate(policies.items()):
        found = run(policy, earned, visitors, runs, np.random.default_rng([1, n]))
        total = bootstrap_mean(found.cumulative[:, -1])
        rows.append(Row("all days", name, "regret", None, None, short(total.mean), short(total.lo), short(total.hi), runs))
        curves[name] = _curve(found)
        rest += _known(name, found, earned, order)
        say(f"{name}: {total.mean:.0f} clicks lost in {DAYS} days [{total.lo:.0f}, {total.hi:.0f}]")
    sizes = {"runs": runs, "days": DAYS, "visitors": VISITORS, "tested": TESTED, "viewers": len(stage.world)}
    labelled = [{"row": ROWS[name], "rate": short(rates[name])} for name in order]
    return Report(**facts(stage, "bandit"), rows=rows, more={**sizes, "rates": labelled, "curves": curves, "known": rest})


def true_rates(stage: Stage) -> dict[str, float]:
    """Exact chance of a click in each row of ten, with which a visitor drawn at random clicks: mean over viewers in a context of their habits."""
    viewers = np.arange(len(stage.world))
    contexts = draw(stage.world.habits, np.random.default_rng(0))
    clicked = lambda model: stage.world.expected_click(viewers, contexts, stage.lists(model, viewers, contexts)).any.mean()
    return {model: float(clicked(model)) for model in ROWS}


def _curve(found: Runs) -> dict[str, list[float]]:
    """By day: regret so far, its mean and the middle 95% of runs, and the mean share of the day's visits on the best row, which is the first."""
    lo, hi = np.quantile(found.cumulative, (0.025, 0.975), axis=0)
    share = (found.visits[:, :, 0] / found.visits.sum(axis=2)).mean(axis=0)
    columns = {"regret": found.cumulative.mean(axis=0), "lo": lo, "hi": hi, "share": share}
    return {name: [short(x) for x in values.tolist()] for name, values in columns.items()}


def _known(policy: str, found: Runs, rates: np.ndarray, order: list[str]) -> list[dict[str, Any]]:
    """What is known of each row at the end: visits, width of the interval, and how far the mean reward is off on average."""
    wide, off = widths(found).mean(axis=0), biases(found, rates)
    made = []
    for n, name in enumerate(order):
        bias = bootstrap_mean(off[np.isfinite(off[:, n]), n])
        figures = {"visits": found.visits[:, :, n].sum(axis=1).mean(), "width": wide[n], "bias": bias.mean, "lo": bias.lo, "hi": bias.hi}
        made.append({"policy": policy, "row": ROWS[name], **{key: short(float(value)) for key, value in figures.items()}})
    return made
