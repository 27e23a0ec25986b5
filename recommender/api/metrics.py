"""What is counted for Prometheus: what is asked and answered, and which models answer."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import Counter, Histogram

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
