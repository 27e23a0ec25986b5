"""The hour on the clock of a browser that is driven: evening, whenever it is asked."""

from __future__ import annotations

from datetime import UTC, datetime


def zone(now: datetime | None = None) -> str:
    """A time zone in which it is past seven in the evening, and evening for an hour and more."""
    ahead = (19 - (now or datetime.now(UTC)).astimezone(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}"  # whose sign says how far Greenwich is ahead of it
