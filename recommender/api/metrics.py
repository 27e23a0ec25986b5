"""Figures for Prometheus: what is asked and answered, which models answer, and how well those models were measured."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from recommender import artifacts
from recommender.artifacts import ArtifactError
from recommender.serve.desk import Desk

PROTOCOL = "P2"  # the evaluation whose precision and recall are told
SECONDS = (0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 10)
METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT")

REQUESTS = Counter("marquee_requests", "Requests to the REST API.", ("route", "method", "status"))
REQUEST_SECONDS = Histogram("marquee_request_seconds", "Time from a request to its answer.", ("route", "method", "status"), buckets=SECONDS)
ERRORS = Counter("marquee_errors", "Requests that were answered with a status of 500 or more.", ("route", "status"))
ANSWERS = Counter("marquee_recommendations", "Lists of recommendations, by the way they were made.", ("way", "simulated"))
ANSWER_SECONDS = Histogram("marquee_recommendation_seconds", "Time to make a list of recommendations.", ("way",), buckets=SECONDS)
MODELS = Counter("marquee_models_used", "Lists of recommendations that a model had a part in.", ("model",))
STORED = Counter("marquee_feedback_stored", "Events of feedback that were stored.", ("kind",))
STORE_ERRORS = Counter("marquee_store_errors", "Requests that found the store of feedback out of reach.")
REFUSED = Counter("marquee_rate_limited", "Requests that were refused because there were too many.", ("what",))
UNCOUNTED = Counter("marquee_rate_store_errors", "Requests that were answered uncounted, the store of the rate limit being out of reach.")


def asked(route: str, method: str, status: int, seconds: float) -> None:
    """One request was answered. `route` is a template of a path, never the path itself."""
    labels = (route, method if method in METHODS else "other", str(status))
    REQUESTS.labels(*labels).inc()
    REQUEST_SECONDS.labels(*labels).observe(seconds)
    if status >= 500:
        ERRORS.labels(route, str(status)).inc()


def served(route: str, models: Collection[str], seconds: float, simulated: bool = False) -> None:
    """A list of recommendations was made: the way (popular, balanced, …), the models that had a part in it, and how long it took."""
    ANSWERS.labels(route, str(simulated).lower()).inc()
    ANSWER_SECONDS.labels(route).observe(seconds)
    for model in models:
        MODELS.labels(model).inc()


def stored(kinds: Collection[str]) -> None:
    """Events of these kinds, one for each, were stored for good."""
    for kind in kinds:
        STORED.labels(kind).inc()


class Figures:
    """All figures of this process, or of all processes of one server, and those that are read off the desk when they are asked for."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

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
        kept = service is not None and not service.feedback.passing
        yield GaugeMetricFamily("marquee_feedback_kept", "1 where feedback is kept for good, 0 where it would end with the process.", kept)
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
        for name, metric, what in (("precision", "P", "shown films that were hits"), ("recall", "R", "hits that were shown")):
            text = f"Share of {what}, the mean over viewers, by the stored evaluation."
            gauge = GaugeMetricFamily(f"recommendation_{name}_score", text, labels=("model", "protocol", "k"))
            for of, model, variant, k, mean in rows:
                if of == metric:
                    gauge.add_metric((model, f"{PROTOCOL} {variant}", str(k)), mean)
            yield gauge


def registry(desk: Desk) -> CollectorRegistry:
    """Everything that /metrics tells."""
    made = CollectorRegistry()
    made.register(Figures(desk))  # type: ignore[arg-type]
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
def _scores(report: Path, changed: int) -> tuple[tuple[str, str, str, int, float], ...]:
    """(metric, model, variant, k, mean) of precision and recall over all viewers; read anew when the file has changed."""
    rows = json.loads(report.read_text("utf-8"))["rows"]
    return tuple((r["metric"], r["model"], r["variant"], r["k"], r["mean"]) for r in rows if r["metric"] in ("P", "R") and r["segment"] is None)
