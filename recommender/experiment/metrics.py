"""What is measured in an experiment. Every metric is a sum over a viewer's days divided by another, or by the number of viewers."""

from __future__ import annotations

from typing import NamedTuple

# Sums that a log holds of each viewer and day; see log.py for their units.
FIELDS = ("visits", "shown", "clicks", "watches", "minutes", "stars", "rated", "diversity", "rare", "hides", "latency", "timed")


class Metric(NamedTuple):
    """above / below, both of FIELDS; below None: per viewer. better: 1 where more is better, -1 where less is. covariate: whether what was measured
    of a viewer before the experiment may sharpen it."""

    key: str
    label: str
    unit: str
    above: str
    below: str | None
    better: int
    about: str
    covariate: bool = True


METRICS = {
    m.key: m
    for m in (
        Metric("ctr", "Click-through rate", "clicks a film shown", "clicks", "shown", 1, "clicks divided by films shown"),
        Metric("engagement", "Engagement time", "minutes a viewer", "minutes", None, 1, "minutes watched by a viewer in all days"),
        Metric("relevance", "Relevance", "stars", "stars", "rated", 1, "mean stars that viewers gave what they watched"),
        Metric("visits", "Visits", "visits a viewer", "visits", None, 1, "days on which a viewer came"),
        Metric("diversity", "Diversity", "mean distance", "diversity", "visits", 1, "mean distance of genres between two films of a list"),
        Metric("coverage", "Coverage", "share of films", "rare", "shown", 1, "share of the films shown that are not among the 200 best known"),
        Metric("latency", "Latency", "milliseconds", "latency", "timed", -1, "time the model took for a list", covariate=False),
        Metric("complaints", "Complaints", "hides a film shown", "hides", "shown", -1, "films hidden divided by films shown"),
    )
}
