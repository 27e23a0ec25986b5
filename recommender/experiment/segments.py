"""Whom an effect reaches: the primary metric among viewers alike in one thing that was known before."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.special import chdtrc, ndtri

from recommender.experiment.metrics import METRICS
from recommender.experiment.results import Dimension, Measured
from recommender.experiment.sample import Sample, fields_of, measure, planned
from recommender.stats.effects import Interval, upper
from recommender.stats.inference import benjamini_hochberg
from recommender.stats.moments import Moments

LEAST = 100  # viewers of each arm


def segments(sample: Sample) -> tuple[tuple[Measured, ...], tuple[Dimension, ...]]:
    """Every label with LEAST viewers in each arm, q over all of them (Benjamini-Hochberg); and whether effects differ between the labels."""
    metric, level = METRICS[sample.plan.primary], 1 - sample.plan.alpha
    fields = fields_of([metric])
    columns, matrix = sample.columns(metric, fields), sample.totals(fields)
    found, dimensions = list[Measured](), list[Dimension]()
    for name, (labels, codes) in sample.log.segments.items():
        parts = [[members[codes[members] == code] for members in sample.members] for code in range(len(labels))]
        moments = [[Moments.of(matrix[viewers]) for viewers in arms] for arms in parts]
        for number, arm in enumerate(sample.plan.treatments, 1):
            here, left_out = list[Measured](), dict[str, tuple[int, int]]()
            among = planned(sample.plan, arm, (whole := sum(len(sample.members[n]) for n in (0, number))))
            for label, arms in zip(labels, moments):
                pair = arms[0], arms[number]
                if min(m.n for m in pair) < LEAST:
                    left_out[label] = pair[0].n, pair[1].n
                    continue
                mine = max(round(among * sum(m.n for m in pair) / whole), 1)
                here.append(measure(metric, arm.name, pair, columns, mine, level, f"{name}={label}"))
            found.extend(here)
            dimensions.append(_dimension(name, arm.name, here, left_out, level))
    q = benjamini_hochberg(np.array([m.best.p for m in found]))
    return tuple(replace(m, q=float(each)) for m, each in zip(found, q)), tuple(dimensions)


def _dimension(name: str, arm: str, found: list[Measured], left_out: dict[str, tuple[int, int]], level: float) -> Dimension:
    """With v = log(treatment / control) of a label and w = 1 / var v:  Q = sum w (v - mean)^2, mean weighted by w, chi-squared of labels - 1.

    Source: Cochran, Biometrics 10(1), 1954.
    """
    labels = tuple((m.segment or "").partition("=")[2] for m in found)
    logs = [at for m in found if (at := _logarithm(m.best.relative, level))]
    if len(logs) < 2:
        return Dimension(name, arm, labels, left_out)
    v, sd = np.array(logs).T
    w = 1 / sd**2
    q = float((w * (v - (w @ v) / w.sum()) ** 2).sum())
    return Dimension(name, arm, labels, left_out, q, float(chdtrc(len(v) - 1, q)))


def _logarithm(relative: Interval, level: float) -> tuple[float, float] | None:
    """log(treatment / control) and its standard error, from the relative interval; None where there is none."""
    if not (relative.lo > -1 and relative.lo < relative.hi < math.inf):  # also nan
        return None
    return math.log1p(relative.estimate), (math.log1p(relative.hi) - math.log1p(relative.lo)) / 2 / float(ndtri(upper(level)))
