"""What pages show of TMDB: given at once where it is there, fetched by one thread of the process where it is not. No page waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pydantic import SecretStr

from recommender.serve.posters import Cache, Entry, Figures
from recommender.serve.tmdb import Client, Film, KeyRefused, Line, NotThere, Odd, TmdbError
from recommender.settings import Settings

MOST = 600  # films that wait at a time; who waits longest goes first where there are more
IDLE = 30.0  # seconds without work after which the thread ends
SWEEP = 6 * 3600.0  # seconds from one look at everything to the next


class Found(NamedTuple):
    """Of the films that were asked for: files of pictures, those that have none, and how many are still to come."""

    pictures: dict[int, str]
    none: list[int]
    coming: int


class Trouble(NamedTuple):
    """What went wrong last, and when [unix s]."""

    line: str
    at: float


def bring(cache: Cache, client: Client, tmdb: int) -> Entry:
    """What there is of a film: from the disk where another process has fetched it, else from TMDB. Raises TmdbError and OSError."""
    if (kept := cache.entry(tmdb)) is not None:
        return kept
    try:
        film = client.film(tmdb)
    except (NotThere, Odd) as error:
        return cache.missing(tmdb, str(error))
    return cache.keep(film, *_picture(client, film))


def _picture(client: Client, film: Film) -> tuple[bytes | None, str]:
    """The poster, or why there is none."""
    if film.poster is None:
        return None, "TMDB has no poster of it"
    try:
        return client.picture(film.poster), ""
    except (NotThere, Odd) as error:
        return None, str(error)


class Gallery:
    """The cache, the way to TMDB, the key of the settings, and the thread that fetches while there is something to fetch."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.cache, self.line = Cache.of(settings, clock), Line.of(settings)
        self.trouble: Trouble | None = None
        self.own = self._own(settings.tmdb_key)
        self._waiting: dict[int, Client] = {}  # by TMDB's number, in the order they were asked for; 0 asks whether the key is valid
        self._busy: int | None = None
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed, self._swept = False, -float("inf")  # [s, monotonic]

    def _own(self, key: SecretStr) -> Client | None:
        if not key.get_secret_value().strip():
            return None
        try:
            return self.client(key)
        except TmdbError as error:
            self._trouble(f"MARQUEE_TMDB_KEY: {error}")
            return None

    def client(self, key: SecretStr) -> Client:
        """TMDB by this key; TmdbError where it has not the form of one."""
        return Client(key, self.line)

    def have(self, films: Iterable[int], client: Client) -> Found:
        """What is there of films, by TMDB's numbers, from memory; the others are fetched with the key of `client`."""
        pictures, none, missing = dict[int, str](), list[int](), list[int]()
        for tmdb in dict.fromkeys(films):
            kept = self.cache.known(tmdb)
            if kept is None:
                missing.append(tmdb)
            elif kept.file:
                pictures[tmdb] = kept.file
            else:
                none.append(tmdb)
        return Found(pictures, none, self._want(missing, client))

    def forget(self, client: Client) -> None:
        """Ask for nothing more with this key."""
        with self._change:
            self._waiting = {tmdb: by for tmdb, by in self._waiting.items() if by is not client}

    def check(self, client: Client) -> None:
        """Find out in a moment, not now, whether the key is valid: `client.refused` says so then."""
        self._want([0], client)

    def figures(self) -> Figures:
        """How much is kept; everything is looked at where that was not done before."""
        if self._swept < 0:
            self.cache.sweep()
            self._swept = time.monotonic()
        return self.cache.figures()

    @property
    def coming(self) -> int:
        """How many films wait or are being fetched."""
        with self._change:
            return len(self._waiting) + (self._busy is not None)

    def clear(self) -> int:
        """Delete everything that is kept; how many entries there were."""
        with self._change:
            self._waiting.clear()
        return self.cache.clear()

    def close(self, seconds: float = 5.0) -> None:
        """Fetch no more, and wait for the thread to end."""
        with self._change:
            self._closed = True
            self._waiting.clear()
            self._change.notify_all()
            thread = self._thread
        self.line.close()
        if thread is not None:
            thread.join(seconds)

    def _want(self, missing: list[int], client: Client) -> int:
        """Put films into the queue; how many of them will come."""
        if not missing or client.refused or self.line.resting:
            return 0
        with self._change:
            if self._closed:
                return 0
            for tmdb in reversed(missing):  # the last one in goes first
                if tmdb != self._busy:
                    self._waiting.pop(tmdb, None)
                    self._waiting[tmdb] = client
            while len(self._waiting) > MOST:
                del self._waiting[next(iter(self._waiting))]
            if self._thread is None and self._waiting:
                self._thread = threading.Thread(target=self._work, name="posters", daemon=True)
                self._thread.start()
            self._change.notify_all()
            return sum(tmdb in self._waiting or tmdb == self._busy for tmdb in missing)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                if time.monotonic() - self._swept > SWEEP or self.cache.over:
                    self.cache.sweep()
                    self._swept = time.monotonic()
                self._do(*job)
            except Exception as error:  # whatever it is, the next film is tried
                self._gave_up(error, job[1])

    def _next(self) -> tuple[int, Client] | None:
        """The film that was asked for last: its page is the one that is open. None where there is nothing more to do."""
        with self._change:
            self._busy = None
            if not self._change.wait_for(lambda: self._waiting or self._closed, IDLE) or self._closed:
                self._thread = None
                return None
            tmdb = next(reversed(self._waiting))
            self._busy, client = tmdb, self._waiting.pop(tmdb)
            return tmdb, client

    def _do(self, tmdb: int, client: Client) -> None:
        if tmdb == 0:
            client.check()
        else:
            bring(self.cache, client, tmdb)
        self.trouble = None

    def _gave_up(self, error: Exception, client: Client) -> None:
        if not isinstance(error, TmdbError):
            self._trouble(f"what was fetched cannot be kept: {getattr(error, 'strerror', None) or type(error).__name__}")
            self.line.rest()
        elif not isinstance(error, KeyRefused):
            self._trouble(str(error))
        with self._change:
            if isinstance(error, KeyRefused):
                self._waiting = {tmdb: by for tmdb, by in self._waiting.items() if by is not client}
            elif self.line.resting:
                self._waiting.clear()

    def _trouble(self, line: str) -> None:
        self.trouble = Trouble(line, self.cache.clock())


_one_at_a_time, _shared = threading.Lock(), list[Gallery]()


def shared(settings: Settings) -> Gallery:
    """The gallery of this process. Making it asks for nothing and starts nothing."""
    with _one_at_a_time:
        if not _shared:
            _shared.append(Gallery(settings))
        return _shared[0]
