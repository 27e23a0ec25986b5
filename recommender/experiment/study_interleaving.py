"""Interleaving against the A/B test of the same two rankings, on the same viewers of the click world: which way, how surely, how many viewers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest
from scipy.stats import t as student

from recommender.evaluate.report import Report, Row
from recommender.experiment.interleave import credited, draft, leanings, needed, preference, sensitivity
from recommender.experiment.lists import SHOWN
from recommender.experiment.stage import Stage, facts, short
from recommender.experiment.world import NOWHERE
from recommender.stats.effects import Interval, ratio_effect
from recommender.stats.inference import bootstrap_mean
from recommender.stats.moments import Moments

VIEWERS, DAYS = 6_000, 14
REPEATS = 12  # fortnights of the same viewers, so that the effects are sure enough for a ratio of two of them
RUNS, A_RUN = 1_000, 200  # of a ranking against itself, and viewers in each
CHECKED, MOST = 500, 60_000  # experiments drawn anew at the size that was worked out, where that takes no more viewers than so many


class Side(NamedTuple):
    """A model, told the moment and the screen or not."""

    label: str
    model: str
    told: bool = True


HYBRID, BLIND = Side("hybrid", "hybrid"), Side("hybrid, not told the context", "hybrid", False)
PAIRS = (
    (Side("popularity", "popularity", False), HYBRID),
    (Side("EASE", "ease", False), HYBRID),
    (Side("EASE", "ease", False), Side("ALS", "als", False)),
    (Side("content", "content", False), HYBRID),
    (BLIND, HYBRID),
)


def interleaving(say: Callable[[str], object] = print, stage: Stage | None = None, repeats: int = REPEATS, runs: int = RUNS) -> Report:
    """Each pair both ways, and the hybrid against itself `runs` times.

    For the ratio every viewer is seen under either ranking and under the draft, again and again, as only made-up viewers can be: it makes the
    effects sure, and leaves the variance that each test has when it sees a viewer once.
    """
    stage = stage or Stage.open(VIEWERS)
    viewers, contexts = stage.visits(DAYS)
    say(f"{len(viewers):,} visits by {len(np.unique(viewers)):,} viewers in {DAYS} days")
    lists = {side: stage.lists(side.model, viewers, contexts if side.told else np.full(len(contexts), NOWHERE)) for pair in PAIRS for side in pair}
    found, rows = [], list[Row]()
    for n, (first, second) in enumerate(PAIRS):
        told, figures = compared(stage, viewers, contexts, lists[first], lists[second], repeats, np.random.default_rng([1, n]))
        name = f"{second.label} against {first.label}"
        found.append({"pair": name, "first": first.label, "second": second.label, **told})
        rows += [row._replace(variant=name) for row in figures]
        say(f"{name}: {_said(told)}")
    alike = itself(stage, viewers, contexts, lists[HYBRID], runs, np.random.default_rng(2))
    say(f"itself: {alike}")
    sizes = {"viewers": len(np.unique(viewers)), "visits": len(viewers), "days": DAYS, "repeats": repeats, "k": SHOWN}
    return Report(**facts(stage, "interleaving"), rows=rows, more={**sizes, "pairs": found, "itself": alike})


def compared(
    stage: Stage, viewers: np.ndarray, contexts: np.ndarray, first: np.ndarray, second: np.ndarray, repeats: int, rng: np.random.Generator
) -> tuple[dict[str, Any], list[Row]]:
    """One pair of lists (N, K), as an A/B test in halves of the viewers and as an interleaving of all of them; and both `repeats` times over."""
    world = stage.world
    truth = lambda k: _true_lift(*(world.expected_click(viewers, contexts, lists[:, :k]).clicks.sum() for lists in (first, second)))
    _, who = np.unique(viewers, return_inverse=True)
    control, treatment, credits = (
        np.stack(parts) for parts in zip(*(_once(stage, who, viewers, contexts, first, second, rng) for _ in range(repeats)))
    )
    half = rng.permutation(len(control[0])) % 2 == 0
    effect = ratio_effect(Moments.of(control[0][half]), Moments.of(treatment[0][~half]), 0, 1)
    liked, told = preference(credits[0]), sensitivity(control, treatment, credits)
    need = {"A/B": _need(told.ab), "interleaving": _need(told.interleaved)}
    rows = [
        Row("", name, metric, SHOWN, None, short(interval.estimate), short(interval.lo), short(interval.hi), len(half))
        for name, metric, interval in (
            ("A/B", "lift", effect.relative),
            ("interleaving", "share", liked.second),
            ("interleaving", "times fewer", told.ratio),
        )
    ]
    shares = bootstrap_mean(0.5 + np.mean([leanings(once) for once in credits], axis=0))
    return {
        "truth": truth(SHOWN),
        "truth_of_half": truth(SHOWN // 2),  # about what a draft shows of either list
        "share": {"mean": short(shares.mean), "lo": short(shares.lo), "hi": short(shares.hi)},
        "p": {"A/B": short(effect.p), "interleaving": short(liked.p), "sign": short(liked.p_sign)},
        "viewers": {"won": liked.won, "even": liked.even, "lost": liked.lost},
        "common": short(sum(len(np.intersect1d(a, b)) for a, b in zip(first, second)) / first.size),
        "needed": need,
        "power": {
            "A/B": power_of_halves(control, treatment, need["A/B"]["viewers"], rng),
            "interleaving": power_of_drafts(credits, need["interleaving"]["viewers"], rng),
        },
    }, rows


def _true_lift(first: float, second: float) -> float:
    return short(second / first - 1)


def _once(stage: Stage, who: np.ndarray, viewers: np.ndarray, contexts: np.ndarray, first: np.ndarray, second: np.ndarray, rng: np.random.Generator):
    """Clicks and films shown (V, 2) under either ranking, and credits (V, 2) under their draft."""
    arms = [_clicks(who, stage.world.visit(viewers, contexts, lists, rng).clicked) for lists in (first, second)]
    films, teams = draft(first, second, SHOWN, rng)
    return *arms, credited(who, teams, stage.world.visit(viewers, contexts, films, rng).clicked)


def itself(stage: Stage, viewers: np.ndarray, contexts: np.ndarray, lists: np.ndarray, runs: int, rng: np.random.Generator) -> dict[str, Any]:
    """A ranking against itself, again and again, each time with A_RUN viewers of those who came: how often a test sees what is not there."""
    came, first, counts = np.unique(viewers, return_index=True, return_counts=True)
    alarms, shares = np.zeros(2, np.int64), np.empty(runs)
    for n in range(runs):
        some = rng.choice(len(came), min(A_RUN, len(came)), replace=False)
        who = np.repeat(np.arange(len(some)), counts[some])
        visits = np.concatenate([np.arange(first[v], first[v] + counts[v]) for v in some])
        films, teams = draft(lists[visits], lists[visits], SHOWN, rng)
        found = preference(credited(who, teams, stage.world.visit(viewers[visits], contexts[visits], films, rng).clicked))
        alarms += (found.p < 0.05, found.p_sign < 0.05)
        shares[n] = found.second.estimate
    half = float(student.ppf(0.975, runs - 1) * shares.std(ddof=1) / np.sqrt(runs))
    share = {"mean": short(float(shares.mean())), "lo": short(float(shares.mean()) - half), "hi": short(float(shares.mean()) + half)}
    return {"runs": runs, "viewers": min(A_RUN, len(came)), "t": _rate(int(alarms[0]), runs), "sign": _rate(int(alarms[1]), runs), "share": share}


def power_of_drafts(credits: np.ndarray, n: int | None, rng: np.random.Generator) -> dict[str, float] | None:
    """Share of interleavings of n viewers, drawn from the repeats there are, whose t test finds a preference; None where n is too large to try."""
    d = np.concatenate([leanings(once) for once in credits])
    return None if n is None or n > MOST else _rate(sum(_beyond(d[rng.integers(len(d), size=n)]) for _ in range(CHECKED)), CHECKED)


def power_of_halves(control: np.ndarray, treatment: np.ndarray, n: int | None, rng: np.random.Generator) -> dict[str, float] | None:
    """The same of A/B tests of n viewers in halves."""
    if n is None or n > MOST:
        return None
    drawn = lambda arm: Moments.of(arm.reshape(-1, 2)[rng.integers(arm.shape[0] * arm.shape[1], size=n // 2)])
    return _rate(sum(ratio_effect(drawn(control), drawn(treatment), 0, 1).p < 0.05 for _ in range(CHECKED)), CHECKED)


def _beyond(d: np.ndarray) -> bool:
    se = d.std(ddof=1) / np.sqrt(len(d))
    return bool(se > 0 and abs(d.mean()) > se * student.ppf(0.975, len(d) - 1))


def _clicks(who: np.ndarray, clicked: np.ndarray) -> np.ndarray:  # (V, 2)
    """Clicks and films shown of each viewer."""
    return np.column_stack([np.bincount(who, clicked.sum(axis=1)), np.bincount(who) * clicked.shape[1]])


def _need(information: Interval) -> dict[str, int | None]:
    """Viewers for 80% power with their interval, None where no number is enough: the more a viewer tells, the fewer."""
    told = {"viewers": information.estimate, "lo": information.hi, "hi": information.lo}
    return {name: max(round(n), 4) if (n := needed(value)) < 1e12 else None for name, value in told.items()}


def _rate(hits: int, of: int) -> dict[str, float]:
    interval = binomtest(hits, of).proportion_ci(method="wilson")
    return {"mean": hits / of, "lo": short(interval.low), "hi": short(interval.high)}


def _said(told: dict[str, Any]) -> str:
    need = told["needed"]
    return f"true lift {told['truth']:+.1%}; viewers for 80% power: A/B {need['A/B']['viewers']}, interleaving {need['interleaving']['viewers']}"
