"""How many requests a key, or an address, may make: counted in memory, or in Redis for several processes."""

from __future__ import annotations

import hashlib
import math
import time
from typing import Any

import limits
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from recommender.api import metrics
from recommender.api.logs import log
from recommender.api.problems import Problem
from recommender.settings import Settings

WRONG_KEYS = limits.parse("20/minute")  # from one address; more are not even looked at
WAIT = 0.25  # seconds that the store of counts has to answer
REST = 5.0  # seconds that it is left alone after it did not
TOLD = 60.0  # seconds between two lines of the log about it


class Rate:
    """Counts in a sliding window. Where the store of counts is out of reach, everybody is answered."""

    def __init__(self, settings: Settings) -> None:
        self.each = parsed(settings.api_rate)
        self.window = SlidingWindowCounterRateLimiter(_store(settings.api_rate_store))
        self._rests, self._told = 0.0, -math.inf  # until when, and when the log was told

    async def take(self, who: str) -> dict[str, str]:
        """Count one request of a key or an address, and say what is left as headers; Problem 429 where there were too many."""
        return await self._take(self.each, "requests", who) if self.each else {}

    async def wrong_key(self, address: str) -> None:
        """Count a key that is none; Problem 429 where an address has tried too many."""
        await self._take(WRONG_KEYS, "keys", address)

    async def close(self) -> None:
        """Give the connections to the store back."""
        if (bridge := getattr(self.window.storage, "bridge", None)) is not None:
            await bridge.get_connection().aclose()

    async def _take(self, item: limits.RateLimitItem, what: str, who: str) -> dict[str, str]:
        if time.monotonic() < self._rests:
            metrics.UNCOUNTED.inc()
            return {}
        hidden = hashlib.sha256(who.encode()).hexdigest()[:32]  # no address is kept
        try:
            taken = await self.window.hit(item, what, hidden)
            stats = await self.window.get_window_stats(item, what, hidden)
        except (StorageError, OSError, TimeoutError) as error:
            self._away(error)
            return {}
        left = stats.reset_time - time.time()
        wait = str(item.get_expiry() if taken and left <= 0 else max(1, math.ceil(left)))  # Redis says of a window that just began that none is left
        said = {"RateLimit-Limit": str(item.amount), "RateLimit-Remaining": str(max(0, stats.remaining)), "RateLimit-Reset": wait}
        if not taken:
            metrics.REFUSED.labels(what).inc()
            said["RateLimit-Remaining"] = "0"
            raise Problem(429, "too many", f"more than {item.amount} {what} in {_span(item)}", {**said, "Retry-After": wait})
        return said

    def _away(self, error: Exception) -> None:
        now = time.monotonic()
        self._rests = now + REST
        metrics.UNCOUNTED.inc()
        if now - self._told >= TOLD:
            self._told = now
            log.warning("the store of the rate limit is out of reach; requests are answered uncounted", error=type(error.__cause__ or error).__name__)


def parsed(rate: str) -> limits.RateLimitItem | None:
    """A rate as people write it, such as 600/minute; None for no limit. ValueError for what is none."""
    try:
        return limits.parse(rate) if rate.strip() else None
    except ValueError:
        raise ValueError(f"MARQUEE_API_RATE is {rate!r}, wanted a rate such as 600/minute, or nothing") from None


def _store(address: str) -> Any:
    scheme = address.partition("://")[0]
    if scheme == "memory":
        return storage_from_string("async+memory://")
    if scheme not in ("redis", "rediss", "redis+unix"):
        raise ValueError(f"MARQUEE_API_RATE_STORE begins with {scheme!r}, wanted memory:// or redis://HOST:PORT")
    options: dict[str, Any] = {"socket_timeout": WAIT, "socket_connect_timeout": WAIT, "retry": Retry(NoBackoff(), 0)}
    return storage_from_string(f"async+{address}", implementation="redispy", wrap_exceptions=True, **options)


def _span(item: limits.RateLimitItem) -> str:
    return f"{item.get_expiry()} s"
