"""What the server writes about itself: one line of JSON a request, and nothing about people.

A line holds the template of the path, never the path, its query, a body, an address or a viewer. Of an error it holds the kind and the places
it went through, not its message, which may repeat what somebody sent.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from recommender.settings import ROOT


def _without_messages(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """An exception as its kind and its places."""
    found = event.pop("exc_info", None)
    if isinstance(found, tuple) and found[0] is not None:
        event.update(error=found[0].__qualname__, trace=places(found[2]))
    return event


STEPS = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", key="at"),
    _without_messages,
)
structlog.configure(processors=[*STEPS, structlog.processors.JSONRenderer()], logger_factory=structlog.PrintLoggerFactory())
LEVELS = {"uvicorn": "INFO", "uvicorn.error": "INFO", "uvicorn.asgi": "INFO", "uvicorn.access": "CRITICAL", "asgi_correlation_id": "ERROR"}
log = structlog.get_logger()


class NoPeople(logging.Filter):
    """Keeps out the lines of the web server that hold addresses and paths: those on WebSockets."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "WebSocket" not in str(record.msg) and not str(record.msg).startswith("connection ")


def server() -> dict[str, Any]:
    """The settings of logging for the web server: its lines in the same form, no line a request of its own."""
    finish = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"people": {"()": NoPeople}},
        "formatters": {"json": {"()": structlog.stdlib.ProcessorFormatter, "processors": finish, "foreign_pre_chain": STEPS}},
        "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json", "filters": ["people"]}},
        "root": {"handlers": ["out"], "level": "WARNING"},
        "loggers": {name: {"level": level, "propagate": True} for name, level in LEVELS.items()},
    }


def places(trace: TracebackType | None) -> list[str]:
    """The way an error took, outermost first: file:line function."""
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


def _short(file: str) -> str:
    path = Path(file)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else "/".join(path.parts[-2:])
