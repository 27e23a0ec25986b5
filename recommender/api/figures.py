"""Figures for Prometheus: those that are counted, what stands now, and how well the models were measured."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from recommender import artifacts
from recommender.api.reach import Reach
from recommender.artifacts import ArtifactError

PROTOCOL = "P2"  # the evaluation whose precision and recall are told
LAST, K = "last film", 10  # how the cards were examined: one film to be found of each viewer, among the first ten
WHOSE = (
    "fit=served: the models at work, from their cards, each as it was before it knew the viewers it was examined on, one film to find of each; "
    "fit=evaluation: models fitted for a stored report, none of which is at work."
)


class Figures:
    """All figures of this process, or of all processes of one server, and those that are read off the desk when they are asked for."""

    def __init__(self, reach: Reach) -> None:
        self.reach, self.desk = reach, reach.desk

    def collect(self) -> Iterator[Metric]:
        """What is counted, and what stands now."""
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            yield from MultiProcessCollector(None).collect()
        else:
            yield from REGISTRY.collect()
        yield from self._loaded()
        yield from self._measured()

    def _loaded(self) -> Iterator[Metric]:
        service = self.desk.service if self.desk.ready else None
        yield GaugeMetricFamily("marquee_models_loaded", "Models that answer now.", len(service.models) if service else 0)
        kept = "1 where feedback is kept for good, 0 where its store is out of reach."
        yield GaugeMetricFamily("marquee_feedback_kept", kept, self.reach.kept)
        yield GaugeMetricFamily("marquee_release_problem", "1 where the release that is wanted does not open.", self.desk.problem is not None)
        version = GaugeMetricFamily("marquee_model_version_info", "The version of the models that answer now.", labels=("version",))
        age = GaugeMetricFamily("marquee_release_age_seconds", "Time since the release at work was made; to the day for the committed models.")
        if service is not None:
            version.add_metric((service.version,), 1)
            made = self.desk.made.timestamp() if self.desk.made else _fitted(self.desk.settings.artifacts)
            for seconds in () if made is None else (time.time() - made,):
                age.add_metric((), max(0.0, seconds))
        yield version
        yield age

    def _measured(self) -> Iterator[Metric]:
        report = self.desk.settings.artifacts / "reports" / f"{PROTOCOL}.json"
        rows = _scores(report, report.stat().st_mtime_ns) if report.is_file() else ()
        service = self.desk.service if self.desk.ready else None
        found = _found(service.folder, service.version, tuple(service.models)) if service else ()
        for name, metric, what in (("precision", "P", "shown films that were hits"), ("recall", "R", "hits that were shown")):
            text = f"Share of {what}, the mean over viewers, measured before: no live figure. {WHOSE}"
            gauge = GaugeMetricFamily(f"recommendation_{name}_score", text, labels=("model", "protocol", "fit", "k"))
            for model, share in found:  # of one film to find the share found is the recall, and a K-th of it the precision
                gauge.add_metric((model, LAST, "served", str(K)), share if metric == "R" else share / K)
            for of, model, variant, k, mean in rows:
                if of == metric:
                    gauge.add_metric((model, f"{PROTOCOL} {variant}", "evaluation", str(k)), mean)
            yield gauge


def registry(reach: Reach) -> CollectorRegistry:
    """Everything that /metrics tells."""
    made = CollectorRegistry()
    made.register(Figures(reach))  # type: ignore[arg-type]
    return made


@lru_cache(1)
def _fitted(folder: Path) -> float | None:
    """Unix seconds, to the day, when the youngest of the committed models was fitted; None where their cards cannot be read."""
    try:
        youngest = max(str(card["date"]) for card in artifacts.cards(folder))
    except ArtifactError:
        return None
    return datetime.fromisoformat(youngest).replace(tzinfo=UTC).timestamp()


@lru_cache(1)
def _found(folder: Path, version: str, names: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """(model, share of viewers whose last film stood among the first K) by the card of each model that was examined; read once a version."""
    found = []
    for name in names:
        try:
            examined = artifacts.card(name, folder).get("validation") or {}
        except ArtifactError:
            continue
        if (hits := examined.get(f"HR@{K}")) is not None:
            found.append((name, float(hits["mean"])))
    return tuple(found)


@lru_cache(1)
def _scores(report: Path, changed: int) -> tuple[tuple[str, str, str, int, float], ...]:
    """(metric, model, variant, k, mean) of precision and recall over all viewers; read anew when the file has changed."""
    rows = json.loads(report.read_text("utf-8"))["rows"]
    return tuple((r["metric"], r["model"], r["variant"], r["k"], r["mean"]) for r in rows if r["metric"] in ("P", "R") and r["segment"] is None)
