"""Whether the store of feedback is reached: what /ready, the figures and the log tell of it."""

from __future__ import annotations

import asyncio
import math
import threading
import time

import anyio
import anyio.to_thread

from recommender.api import metrics
from recommender.api.logs import log
from recommender.serve import tables
from recommender.serve.desk import Desk
from recommender.serve.feedback import FeedbackError
from recommender.serve.service import Service

LOOKS = 5.0  # seconds between two looks at the store
HANGS = 10.0  # seconds that a look takes where the store hangs, as one does that is frozen or cut off without a word
QUIET = 60.0  # seconds without a request that missed it, before a look is believed: a full disk can still be read


class Reach:
    """Found out by every request that misses the store, and by a look at it now and then, so that it is known also while nobody asks."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.away = desk, False
        self._missed = -math.inf  # when a request last missed it [s, monotonic]
        self._looks = math.inf  # since when it is looked at
        self._turn = threading.Lock()

    @property
    def kept(self) -> bool:
        """Whether what is said now is kept for good."""
        hangs = time.monotonic() - self._looks > HANGS
        return self.desk.ready and not self.away and not hangs and not self.desk.service.feedback.passing

    def missed(self, error: FeedbackError) -> None:
        """A request did not reach the store."""
        metrics.STORE_ERRORS.inc()
        self._missed = time.monotonic()
        self._found(error)

    def stored(self) -> None:
        """A request stored something."""
        self._missed = -math.inf
        self._found(None)

    def look(self) -> None:
        """Ask the store something, for nobody."""
        if not self.desk.ready:
            return
        try:
            lasting(self.desk.service)
            self.desk.service.feedback.has("")
        except FeedbackError as error:
            self._found(error)
        else:
            if time.monotonic() - self._missed >= QUIET:
                self._found(None)

    async def look_on(self) -> None:
        """Look now and then, in a thread of its own that nobody waits for at the end, until cancelled."""
        own = anyio.CapacityLimiter(1)
        while True:
            await asyncio.sleep(LOOKS)
            self._looks = time.monotonic()
            await anyio.to_thread.run_sync(self.look, abandon_on_cancel=True, limiter=own)
            self._looks = math.inf

    def _found(self, error: FeedbackError | None) -> None:
        """Keep what was found, and tell the log what is new in it. The error's words are left out: they may repeat what somebody sent."""
        with self._turn:
            changed, self.away = self.away == (error is None), error is not None
        if changed and error:
            why = type(error.__context__ or error).__name__
            log.error("the store of feedback is out of reach", where=_place(self.desk.settings.database_url), error=why)
        elif changed:
            log.info("the store of feedback is reached again")


def lasting(service: Service) -> None:
    """FeedbackError where the store that lasts was away when the process started: the one in its place holds nothing of anybody, and keeps nothing.

    Who is not found in that may be a child with a limit, and a demo viewer may have hidden films.
    """
    if service.feedback.passing:
        raise FeedbackError("the store that lasts is away")


def _place(address: str) -> str:
    try:
        return tables.place(tables.parsed(address))
    except FeedbackError:
        return "an address that cannot be read"
