"""Can an experiment be believed? Checks that are asked before any effect is looked at.

Those that block take the verdict away at p < .001, so that one sound experiment in a thousand is refused; the others warn at p < .01.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.special import ndtr
from scipy.stats import binomtest

from recommender.experiment.metrics import METRICS
from recommender.experiment.plan import Arm
from recommender.experiment.results import Check, Exposure
from recommender.experiment.said import chance, listed, percent, several, share
from recommender.experiment.sample import FEWEST, NEVER, Sample, compare, fields_of, measured
from recommender.stats.allocation import srm, srm_sequence
from recommender.stats.effects import gradient, quadratic
from recommender.stats.inference import holm
from recommender.stats.moments import Moments

REFUSED = 0.001
WARNED = 0.01
MOST_SEVERAL = 0.01  # share of viewers who may have met more than one arm
WEEK = 7  # days
EARLY = 3  # the first days are one in so many of all


def checks(sample: Sample) -> tuple[Check, ...]:
    """All of them, those that can block first."""
    asked = (ratio, ratio_by_day, several_arms, machines, balance, novelty, exposure, week, data)
    return tuple(check(sample) for check in asked)


def exposures(sample: Sample) -> tuple[Exposure, ...]:
    """For each day and arm who came for the first time and who came at all, before anybody is left out."""
    new, came = _by_day(sample)
    return tuple(Exposure(day, arm.name, int(new[day, n]), int(came[day, n])) for day in range(sample.days) for n, arm in enumerate(sample.plan.arms))


def _by_day(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """(days, arms) viewers who came for the first time, and who came."""
    visits = sample.log.sums["visits"][:, sample.begin :] > 0
    new, came = (np.zeros((sample.days, len(sample.plan.arms)), np.int64) for _ in range(2))
    for n in range(len(sample.plan.arms)):
        mine = sample.log.arms == n
        came[:, n] = visits[mine].sum(axis=0)
        new[:, n] = np.bincount(sample.came[mine & sample.exposed], minlength=sample.days)
    return new, came


def ratio(sample: Sample) -> Check:
    """Sample-ratio mismatch: were as many viewers seen in each arm as the plan deals it? Counted before anybody is left out."""
    label, counts = "Sample ratio", _counts(sample)
    if not sum(counts):
        return Check("srm", label, True, True, "Nobody has come yet.")
    found = srm(np.array(counts), np.array([arm.share for arm in sample.plan.arms]))
    seen = listed([f"{n:,} in {arm.name}" for n, arm in zip(counts, sample.plan.arms)])
    planned = listed([f"{n:,.0f}" for n in found.expected])
    said = f"{seen}, where {planned} were to be expected: {chance(found.p)}. Below .001 the verdict is refused."
    facts = {"observed": counts, "expected": list(found.expected), "arms": [arm.name for arm in sample.plan.arms]}
    return Check("srm", label, found.p >= REFUSED, True, said, found.p, facts)


def ratio_by_day(sample: Sample) -> Check:
    """The same looked at after every day, by a test that allows it."""
    label, (new, _) = "Sample ratio, day by day", _by_day(sample)
    if not new.sum():
        return Check("srm-daily", label, True, False, "Nobody has come yet.")
    found = srm_sequence(new, np.array([arm.share for arm in sample.plan.arms])).p
    p, ok = float(found[-1]), bool(found[-1] >= REFUSED)
    since = "no day raised the alarm" if ok else f"the alarm was raised on day {int((found < REFUSED).argmax()) + 1}"
    return Check("srm-daily", label, ok, False, f"Asked after every day, {since}: {chance(p)}.", p, {"p": found.tolist()})


def several_arms(sample: Sample) -> Check:
    """Multiple exposure: viewers who met more than one arm tell nothing of either, and show that the assignment leaks."""
    n, of = int((sample.exposed & sample.log.several).sum()), int(sample.exposed.sum())
    part = n / of if of else 0.0
    said = f"{several(n, 'viewer')} of {of:,} met more than one arm ({share(part)}) and {'is' if n == 1 else 'are'} left out; above 1% blocks."
    return Check("several", "One arm a viewer", part <= MOST_SEVERAL, True, said if n else "No viewer met more than one arm.", None, {"viewers": n})


def machines(sample: Sample) -> Check:
    """Who clicks more on a day than the plan allows is left out of every arm; blocks where an arm has more of them than chance gives it."""
    arms, most = sample.plan.arms, sample.plan.most_clicks
    found = sample.exposed & (sample.machine < NEVER)
    counts = [int((found & (sample.log.arms == n)).sum()) for n in range(len(arms))]
    if not sum(counts):
        return Check("machines", "Machines", True, True, f"Nobody clicked more than {most} times on one day.", None, {"counts": counts})
    seen = _counts(sample)
    tests = [binomtest(counts[n], counts[0] + counts[n], seen[n] / (seen[0] + seen[n])).pvalue for n in range(1, len(arms)) if counts[0] + counts[n]]
    p = float(holm(np.array(tests)).min())
    where = listed([f"{k} in {arm.name}" for k, arm in zip(counts, arms)])
    said = f"{several(sum(counts), 'viewer')} clicked more than {most} times on one day and left out as machines: {where}"
    said = said.replace(" and left", f" and {'is' if sum(counts) == 1 else 'are'} left", 1)
    beyond = "more unlike than chance makes them" if p < REFUSED else "no more unlike than chance makes them"
    return Check("machines", "Machines", False, p < REFUSED, f"{said}, {beyond} ({chance(p)}).", p, {"counts": counts})


def balance(sample: Sample) -> Check:
    """Were the arms alike before the experiment? Every metric of the days before, Holm over metrics and arms."""
    label = "Balance before exposure"
    if not sample.begin:
        return Check("balance", label, True, False, "Nothing was measured before the experiment, so balance cannot be asked.", None, {"rows": []})
    metrics = [m for m in METRICS.values() if m.covariate]
    fields = fields_of(metrics)
    matrix = sample.totals(fields)[:, len(fields) :]
    moments = [Moments.of(matrix[members]) for members in sample.members]
    rows: list[dict[str, Any]] = []
    for arm, m in ((arm, m) for arm in range(1, len(moments)) for m in metrics):
        effect, _ = compare(moments[0], moments[arm], sample.columns(m, fields)._replace(before=None), 1 - sample.plan.alpha)
        if not math.isnan(effect.se):
            name = sample.plan.arms[arm].name
            rows.append({"metric": m.key, "arm": name, "control": effect.control, "treatment": effect.treatment, "relative": effect.relative})
            rows[-1] |= {"p": effect.p}
    if not rows:
        return Check("balance", label, True, False, "Too few viewers were measured before the experiment to ask.", None, {"rows": []})
    corrected = holm(np.array([row["p"] for row in rows]))
    rows = [row | {"p_holm": float(p)} for row, p in zip(rows, corrected)]
    most = min(rows, key=lambda row: row["p"])
    ok = most["p_holm"] >= WARNED
    by = most["relative"].estimate
    apart = f"from {most['control']:.4g} to {most['treatment']:.4g}" if math.isnan(by) else percent(by)  # nothing to be relative to
    what = f"{METRICS[most['metric']].label.lower()} ({apart} in {most['arm']})"
    said = f"In the {several(sample.begin, 'day')} before, the arms differ most in {what}: Holm {chance(most['p_holm'])} of {len(rows)} comparisons."
    return Check("balance", label, ok, False, said, most["p_holm"], {"rows": rows})


def novelty(sample: Sample) -> Check:
    """Does the effect on the primary metric of the first days differ from that of the later ones? The same viewers stand in both.

    With v = log(treatment / control) of each part, z = (v_early - v_late) / sd, variances of each arm by the delta method on its viewers' four sums.
    """
    label, metric = "Novelty", METRICS[sample.plan.primary]
    early = math.ceil(sample.days / EARLY)
    facts: dict[str, Any] = {"early_days": early, "arms": []}
    if sample.days < 2 * EARLY:
        return Check("novelty", label, True, False, f"Asked from {2 * EARLY} days on: too early to say.", None, facts)
    parts = (slice(sample.begin, sample.begin + early), slice(sample.begin + early, None))
    fields = fields_of([metric])
    matrix = np.column_stack([sample.log.sums[name][:, part].sum(axis=1) for part in parts for name in fields])
    arms = [_drift(Moments.of(matrix[members]), len(fields)) for members in sample.members]
    pairs = [(arm.name, arms[0], found) for arm, found in zip(sample.plan.treatments, arms[1:]) if arms[0] and found]
    if not pairs:
        return Check("novelty", label, True, False, f"Too little was measured of {metric.label.lower()} to ask.", None, facts)
    z = np.array([_score(control, treatment) for _, control, treatment in pairs])
    corrected = holm(2 * ndtr(-np.abs(z)))
    changes: list[dict[str, Any]] = [
        {"arm": name, "early": t[0] / c[0] - 1, "late": t[1] / c[1] - 1, "z": float(at), "p_holm": float(p), "differs": bool(p < WARNED)}
        for (name, c, t), at, p in zip(pairs, z, corrected)
    ]
    most = min(changes, key=lambda row: row["p_holm"])
    said = (
        f"{metric.label} of {most['arm']}: {percent(most['early'])} in the first {early} days, {percent(most['late'])} in the {sample.days - early} "
        f"after; {'the effect changed' if most['differs'] else 'no change is shown'} ({chance(most['p_holm'])})."
    )
    return Check("novelty", label, not most["differs"], False, said, most["p_holm"], facts | {"arms": changes})


def _drift(m: Moments, width: int) -> tuple[float, float, float] | None:
    """The values of an arm early and late, and the variance of log(early / late); None where one is not above 0. width: columns of a part."""
    below = [1, width + 1] if width == 2 else [None, None]
    if not all(measured(m, column) for column in below) or min(m.mean[0], m.mean[width]) <= 0:
        return None
    (early, by_early), (late, by_late) = gradient(m, 0, below[0]), gradient(m, width, below[1])
    return early, late, quadratic(by_early / early - by_late / late, m.cov) / m.n


def _score(control: tuple[float, float, float], treatment: tuple[float, float, float]) -> float:
    change = math.log(treatment[0] / treatment[1] / (control[0] / control[1]))
    sd = math.sqrt(control[2] + treatment[2])
    return change / sd if sd > 0 else 0.0


def exposure(sample: Sample) -> Check:
    """Was there a day on which an arm saw nobody?"""
    _, came = _by_day(sample)
    empty = np.flatnonzero((came == 0).any(axis=1))
    said = f"On day {listed([str(day + 1) for day in empty[:5]])} an arm saw nobody: was anything recorded?"
    if len(empty) > 5:
        said = f"On {len(empty)} days an arm saw nobody: was anything recorded?"
    return Check("exposures", "Viewers every day", not len(empty), False, said if len(empty) else _said_came(came), None, {"empty": empty.tolist()})


def _said_came(came: np.ndarray) -> str:
    if not len(came):
        return "The experiment has not begun."
    each = came.sum(axis=1)
    return f"Between {each.min():,} and {each.max():,} viewers came on each of {several(len(came), 'day')}."


def week(sample: Sample) -> Check:
    """Are all days of the week in it? People watch otherwise on weekends."""
    said = f"{several(sample.days, 'day')} read, {several(sample.plan.days, 'day')} planned; a full week is {WEEK}."
    return Check("days", "A full week", sample.days >= WEEK, False, said, None, {"days": sample.days, "planned": sample.plan.days})


def data(sample: Sample) -> Check:
    """Was every metric of the plan measured on FEWEST viewers of every arm? One that was not can prove nothing."""
    plan = sample.plan
    keys = tuple(dict.fromkeys((plan.primary, *plan.secondary, *plan.guardrails)))
    viewers = {key: sample.viewers(METRICS[key]) for key in keys}
    lacking = [METRICS[key].label.lower() for key, counts in viewers.items() if min(counts) < FEWEST]
    if lacking:
        said = f"Measured on fewer than {FEWEST} viewers of an arm: {listed(lacking)}. What is hardly measured is not proven safe or better."
        return Check("data", "Every metric measured", False, False, said, None, {"viewers": viewers})
    least = min(viewers, key=lambda key: min(viewers[key]))
    said = f"All {len(keys)} metrics were measured, {METRICS[least].label.lower()} on fewest viewers: {_in_arms(plan.arms, viewers[least])}."
    return Check("data", "Every metric measured", True, False, said, None, {"viewers": viewers})


def _in_arms(arms: Iterable[Arm], counts: Iterable[int]) -> str:
    return listed([f"{n:,} in {arm.name}" for n, arm in zip(counts, arms)])


def _counts(sample: Sample) -> list[int]:
    """Viewers of each arm who came, before anybody is left out."""
    return [int((sample.exposed & (sample.log.arms == n)).sum()) for n in range(len(sample.plan.arms))]
