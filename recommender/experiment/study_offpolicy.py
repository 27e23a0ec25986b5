"""Off-policy estimates against the truth: many logs of the click world, new policies near the old one and far from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from recommender import rank
from recommender.evaluate.report import Report, Row
from recommender.experiment.offpolicy import (
    Logged,
    check,
    doubly_robust,
    draw,
    expected_rewards,
    ips,
    snips,
    softmax_policy,
    supported,
    weights_of,
)
from recommender.experiment.stage import BATCH, Stage, facts, short
from recommender.stats.effects import Interval
from recommender.stats.inference import bootstrap_mean, bootstrap_ratio

VIEWERS, AMONG = 6_000, 50  # films the first place is drawn from: the logging model's best
SIZES, SAMPLES = (500, 2_000, 8_000), 200  # visits in a log, and logs of each size
HOT, WARM, COOL = 2.0, 1.0, 0.5  # temperatures, in spreads of a viewer's scores
OLD, NEAR, MIDDLE, FAR, BEYOND = "logging", "near", "middle", "far", "beyond"
POLICIES = {
    OLD: f"EASE, drawn from its best {AMONG} by softmax at temperature {HOT:g}",
    NEAR: f"the same, at temperature {WARM:g}",
    MIDDLE: f"the hybrid, told the context, over the same films at temperature {COOL:g}",
    FAR: "the hybrid's best of those films, always",
    BEYOND: "the best of all films by content, always",
}
TRIED, METHODS = (NEAR, MIDDLE, FAR), ("mean of the log", "IPS", "SNIPS", "DR")


@dataclass(frozen=True, eq=False)
class Setting:
    """N viewers at one visit each; the C films their first place is drawn from, and in a last column one that the log can never hold."""

    expected: np.ndarray  # (N, C + 1) true chance of a click
    policies: dict[str, np.ndarray]  # (N, C + 1) chances
    features: np.ndarray  # (N, C + 1, F) what a reward model may see: never the truth

    def value(self, policy: str) -> float:
        """Exactly what the policy earns a visit."""
        return float((self.policies[policy] * self.expected).sum(axis=1).mean())


def off_policy(say: Callable[[str], object] = print, stage: Stage | None = None, samples: int = SAMPLES) -> Report:
    """Bias, error and coverage of IPS, SNIPS and DR, for each size of log and new policy, against the true value; and one policy that is refused."""
    stage = stage or Stage.open(VIEWERS)
    setting = prepared(stage, np.random.default_rng(1))
    rows, effective = list[Row](), []
    for n in SIZES:
        found = [_estimated(setting, n, np.random.default_rng([2, n, s])) for s in range(samples)]
        for policy in TRIED:
            truth = setting.value(policy)
            for method in METHODS:
                rows += _judged(f"{n:,} visits", method, f"policy={policy}", [each[policy][method] for each in found], truth)
            weights = [each[policy]["weights"] for each in found]
            effective.append(
                {
                    "visits": n,
                    "policy": policy,
                    "ess": short(float(np.mean([w.ess for w in weights]))),
                    "largest": short(float(np.mean([w.largest for w in weights]))),
                    "warned": sum(bool(w.warnings) for w in weights) / samples,
                }
            )
        say(f"{n:,} visits: {samples} logs")
    values = {name: {"says": POLICIES[name], "value": short(setting.value(name))} for name in (OLD, *TRIED)}
    more = {"viewers": len(setting.expected), "among": AMONG, "samples": samples, "policies": values, "effective": effective}
    return Report(**facts(stage, "off-policy"), rows=rows, more={**more, "refused": _refusal(setting)})


def prepared(stage: Stage, rng: np.random.Generator) -> Setting:
    """One visit a viewer, in a context of their habits; films, policies and features."""
    viewers = np.arange(len(stage.world))
    contexts = draw(stage.world.habits, rng)
    films, scores = np.empty((len(viewers), AMONG + 1), np.int64), np.empty((2, len(viewers), AMONG + 1))
    for at in range(0, len(viewers), BATCH):
        some = slice(at, at + BATCH)
        ease, hybrid, content = (stage.scores(model, viewers[some], contexts[some]) for model in ("ease", "hybrid", "content"))
        films[some] = np.column_stack([[rank.top(row, AMONG) for row in ease], content.argmax(axis=1)])
        scores[:, some] = [np.take_along_axis(of, films[some], axis=1) for of in (ease, hybrid)]
    ease, hybrid = (scores - scores[:, :, :-1].mean(axis=2, keepdims=True)) / scores[:, :, :-1].std(axis=2, keepdims=True)
    within = np.append(np.zeros(AMONG), -np.inf)  # the last film is never drawn
    policies = {
        OLD: softmax_policy(ease + within, HOT),
        NEAR: softmax_policy(ease + within, WARM),
        MIDDLE: softmax_policy(hybrid + within, COOL),
        FAR: _always((hybrid + within).argmax(axis=1)),
        BEYOND: _always((films == films[:, -1:]).argmax(axis=1)),  # where it is among the first, there
    }
    return Setting(stage.world.chances(viewers, contexts, films).click, policies, _features(stage, films, ease, hybrid))


def _always(columns: np.ndarray) -> np.ndarray:
    return (columns[:, None] == np.arange(AMONG + 1)).astype(np.float64)


def _features(stage: Stage, films: np.ndarray, ease: np.ndarray, hybrid: np.ndarray) -> np.ndarray:  # (N, C, 7)
    """Both scores, raters, mean stars, running time, share of the history that has one of the film's genres, and length of the history."""
    catalog = stage.world.catalog
    common = np.stack(
        [(catalog.genres[p.items].astype(float) @ catalog.genres[f].T.astype(float) > 0).mean(axis=0) for p, f in zip(stage.histories, films)]
    )
    length = np.log([[len(p)] for p in stage.histories])
    facts_of_films = (np.log1p(catalog.raters)[films], stage.world.quality[films], stage.world.minutes[films])
    return np.stack([ease, hybrid, *facts_of_films, common, np.broadcast_to(length, films.shape)], axis=2)


def logged(setting: Setting, n: int, rng: np.random.Generator) -> Logged:
    """n visits by viewers drawn anew, the first film drawn by the old policy, rewarded where it was clicked."""
    viewers, rows = rng.integers(len(setting.expected), size=n), np.arange(n)
    chances = setting.policies[OLD][viewers]
    taken = draw(chances, rng)
    clicked = rng.random(n) < setting.expected[viewers, taken]
    return Logged(viewers, taken, chances[rows, taken], clicked.astype(np.float64))


def _estimated(setting: Setting, n: int, rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """One log, and what each method makes of it for each new policy."""
    log = logged(setting, n, rng)
    promised = expected_rewards(log, setting.features[log.viewers])
    found: dict[str, dict[str, Any]] = {}
    for policy in TRIED:
        target = setting.policies[policy][log.viewers]
        w = weights_of(log, target)
        found[policy] = {
            "mean of the log": ips(log, np.ones(n)),
            "IPS": ips(log, w),
            "SNIPS": snips(log, w),
            "DR": doubly_robust(log, w, promised, target),
            "weights": check(w, setting.policies[OLD][log.viewers], target),
        }
    return found


def _judged(variant: str, method: str, segment: str, found: list[Interval], truth: float) -> list[Row]:
    """Bias, root of the mean squared error, coverage of the intervals and their mean width, over logs."""
    values = np.array([f.estimate for f in found]) - truth
    bias = bootstrap_mean(values)
    rmse = bootstrap_ratio(values**2, np.ones(len(values)), np.sqrt)
    hits = sum(f.lo <= truth <= f.hi for f in found)
    covered = binomtest(hits, len(found)).proportion_ci(method="wilson")
    width = float(np.mean([f.hi - f.lo for f in found]))
    figures = {"bias": bias[:3], "RMSE": rmse[:3], "coverage": (hits / len(found), covered.low, covered.high), "width": (width, width, width)}
    return [Row(variant, method, metric, None, segment, short(x), short(lo), short(hi), len(found)) for metric, (x, lo, hi) in figures.items()]


def _refusal(setting: Setting) -> dict[str, Any]:
    """What is said of a policy that mostly chooses what the log could never hold, and how wrong the estimate would have been."""
    log = logged(setting, SIZES[-1], np.random.default_rng(3))
    target = setting.policies[BEYOND][log.viewers]
    w = weights_of(log, target)
    found = check(w, setting.policies[OLD][log.viewers], target)
    told = {"says": POLICIES[BEYOND], "visits": len(log), "value": short(setting.value(BEYOND)), "IPS": short(ips(log, w).estimate)}
    try:
        supported(found)
    except ValueError as error:
        return told | {"refused": str(error)}
    return told | {"refused": None}
