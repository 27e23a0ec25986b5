"""One film's facts and its poster from The Movie Database (TMDB), asked politely with the viewer's own key.

    client = Client(key, Line.of(settings))
    film = client.film(603)                # GET /movie/603?append_to_response=credits
    picture = client.picture(film.poster)  # bytes of a JPEG or PNG

What a key is for stands at developer.themoviedb.org/docs/authentication-application. The key is in no message, log, address of an error or repr.
"""

from __future__ import annotations

import email.utils
import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import requests
import urllib3
from pydantic import BaseModel, Field, SecretStr, ValidationError
from requests.auth import AuthBase
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from recommender.settings import Settings

T = TypeVar("T")
SIZE = "w342"  # pixels wide: two a point for the widest card
POSTER = re.compile(r"/([A-Za-z0-9]{8,64})\.(?:jpe?g|png)")  # a poster_path; what is in brackets names our file
MAGIC = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"))
TIMEOUT = (5, 10)  # seconds: to connect, between two pieces
WHOLE = 20.0  # seconds: for one answer from first to last byte
MOST_FACTS, MOST_PICTURE = 2_000_000, 1_500_000  # bytes of an answer
ATTEMPTS = 3  # of one request
LONGEST = 30.0  # seconds that a request waits because it was told to; where more is asked, the line rests
FAILURES = 3  # requests in a row that may fail before the line rests
REST, LONGEST_REST = 60.0, 900.0  # seconds: the first rest, doubled each time up to the last
CAST, WORDS = 10, 2000  # people and signs that are kept
V3, V4 = re.compile(r"[0-9a-fA-F]{32}"), re.compile(r"[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}")


class TmdbError(Exception):
    """What went wrong, in words that hold no key."""


class KeyRefused(TmdbError):
    """TMDB does not know the key."""


class NotThere(TmdbError):
    """TMDB has no such film or picture."""


class Odd(TmdbError):
    """An answer that is not what was asked for."""


class Away(TmdbError):
    """TMDB cannot be reached, or wants to be left alone."""


class _Again(Exception):
    """A failure that may pass; `after` seconds where the server says so."""

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


@dataclass(frozen=True)
class Film:
    """What TMDB says of a film. Unknown: poster None, minutes 0, empty overview and cast."""

    tmdb: int
    poster: str | None  # "/name.jpg", of the form of POSTER
    overview: str
    minutes: int
    cast: tuple[tuple[str, str], ...]  # (name, part), the first of them first


class _Part(BaseModel):
    name: str
    character: str | None = None


class _Credits(BaseModel):
    cast: list[_Part] = []


class _Answer(BaseModel):
    id: int
    poster_path: str | None = Field(None, pattern=rf"^{POSTER.pattern}$")
    overview: str | None = None
    runtime: int | None = Field(None, ge=0, le=6000)
    credits: _Credits = _Credits()


class _Signed(AuthBase):
    """Adds the key to a request: as `api_key` (32 hexadecimal digits) or as a bearer token. Being there, it also keeps ~/.netrc out."""

    def __init__(self, key: SecretStr | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        said = self._key.get_secret_value() if self._key else ""
        if V3.fullmatch(said):
            request.prepare_url(request.url, {"api_key": said})
        elif said:
            request.headers["Authorization"] = f"Bearer {said}"
        return request


def _without_keys(record: logging.LogRecord) -> bool:
    """At its lowest level urllib3 writes down what it asks for: the key is taken out of it."""
    if isinstance(record.args, tuple):
        record.args = tuple(re.sub(r"(api_key=)[^&\s'\")]+", r"\1***", a) if isinstance(a, str) else a for a in record.args)
    return True


logging.getLogger("urllib3.connectionpool").addFilter(_without_keys)


class Line:
    """The way to TMDB, shared by all keys of a process: its addresses, how often it may ask, and a rest after repeated failures."""

    def __init__(self, api: str, images: str, rate: float, pause: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        """rate: requests a second. pause: seconds before the first retry, doubled each time. clock: seconds, monotonic."""
        self.api, self.images = api.rstrip("/"), images.rstrip("/")
        self._gap, self._pause, self._clock = 1 / rate, pause, clock
        self._next, self._rest_until, self._failures = 0.0, 0.0, 0
        self._turn, self._ended = threading.Lock(), threading.Event()
        self._session = requests.Session()

    @classmethod
    def of(cls, settings: Settings) -> Line:
        return cls(settings.tmdb_api, settings.tmdb_images, settings.tmdb_rate)

    @property
    def resting(self) -> float:
        """Seconds for which nothing will be asked; 0 where it may be."""
        return max(0.0, self._rest_until - self._clock())

    def rest(self) -> None:
        """Ask for nothing for a while."""
        self._rest_until = max(self._rest_until, self._clock() + REST)

    def close(self) -> None:
        """Nobody waits here any longer, and nothing more is asked."""
        self._ended.set()

    def get(self, url: str, most: int, kind: str, key: SecretStr | None = None) -> bytes:
        """The body of a good answer: at most `most` bytes of a content type that holds `kind`. Raises TmdbError."""
        if self.resting:
            raise Away(f"TMDB is left alone for {self.resting:.0f} more seconds")
        tries = 1 if self._failures >= FAILURES else ATTEMPTS  # after a rest one look is enough
        enough = lambda state: state.attempt_number >= tries or (_asked(state) or 0) > LONGEST
        again = Retrying(retry=retry_if_exception_type(_Again), stop=enough, wait=self._wait, sleep=self._sleep, reraise=True)
        try:
            body = again(self._once, url, most, kind, key)
        except _Again as error:
            why, after = str(error), error.after or 0.0
        except (KeyRefused, NotThere, Odd):
            self._failures = 0  # it answers
            raise
        else:
            self._failures = 0
            return body
        self._failed(after)
        raise Away(f"TMDB cannot be asked now: {why}")

    def _failed(self, after: float) -> None:
        self._failures += 1
        rest = after if after > LONGEST else 0.0
        if self._failures >= FAILURES:
            rest = max(rest, min(LONGEST_REST, REST * 2 ** (self._failures - FAILURES)))
        self._rest_until = max(self._rest_until, self._clock() + min(rest, LONGEST_REST))

    def _wait(self, state: RetryCallState) -> float:
        """As long as the server asked for, else 1, 2, … pauses."""
        after = _asked(state)
        return after if after is not None else self._pause * 2 ** (state.attempt_number - 1)

    def _sleep(self, seconds: float) -> None:
        if self._ended.wait(seconds):
            raise Away("the program ends")

    def _take_turn(self) -> None:
        """Requests of all threads together keep the rate."""
        with self._turn:
            now = self._clock()
            at, self._next = max(now, self._next), max(now, self._next) + self._gap
        if at > now:
            self._sleep(at - now)

    def _once(self, url: str, most: int, kind: str, key: SecretStr | None) -> bytes:
        self._take_turn()
        try:
            with self._session.get(
                url, auth=_Signed(key), timeout=TIMEOUT, stream=True, allow_redirects=False, headers={"Accept-Encoding": "identity"}
            ) as answer:
                self._judge(answer, kind)
                return _body(answer, most)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            broken = type(error).__name__
        raise _Again(f"the connection failed ({broken})")  # outside: the error it came from names the address, and so the key

    @staticmethod
    def _judge(answer: requests.Response, kind: str) -> None:
        status, said = answer.status_code, answer.headers.get("Content-Type", "")
        if status == 401:
            raise KeyRefused("TMDB refuses the key (401): it is not valid, or not confirmed yet")
        if status in (403, 404):
            raise NotThere(f"TMDB does not have it ({status})")
        if status == 429 or status >= 500:
            raise _Again(f"the server answers {status}", _seconds(answer.headers.get("Retry-After")))
        if status != 200:
            raise Odd(f"the server answers {status}, wanted 200")
        if kind not in said.lower():
            raise Odd(f"the answer is {said[:40]!r}, wanted {kind}")


def _asked(state: RetryCallState) -> float | None:
    """Seconds that the failed answer asks to wait."""
    error = state.outcome.exception() if state.outcome else None
    return error.after if isinstance(error, _Again) else None


def _seconds(after: str | None) -> float | None:
    """Retry-After in seconds: a number, or a date (RFC 9110, 10.2.3); None where it says nothing."""
    if after is None:
        return None
    if re.fullmatch(r"\d{1,6}", after.strip()):
        return float(after)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _body(answer: requests.Response, most: int) -> bytes:
    """All of it, in time and in bounds."""
    end, parts, size = time.monotonic() + WHOLE, list[bytes](), 0
    while piece := answer.raw.read1(1 << 16, decode_content=False):
        parts.append(piece)
        size += len(piece)
        if size > most:
            raise Odd(f"the answer has more than {most:,} bytes")
        if time.monotonic() > end:
            raise _Again(f"the answer took longer than {WHOLE:.0f} seconds")
    told = answer.headers.get("Content-Length", "")
    if told.isdigit() and int(told) != size:
        raise _Again(f"the connection ended at {size:,} of {told} bytes")
    return b"".join(parts)


class Client:
    """TMDB as one key sees it. `refused`: it does not know the key, and is not asked with it again."""

    def __init__(self, key: SecretStr, line: Line) -> None:
        """TmdbError where the key has not the form of one."""
        said = key.get_secret_value().strip()
        if not (V3.fullmatch(said) or V4.fullmatch(said)):
            raise TmdbError("this is no key of TMDB: wanted an API key (32 hexadecimal digits) or an API read access token")
        self.line, self.refused = line, False
        self._key = SecretStr(said)

    def __repr__(self) -> str:
        return f"Client(key=***, refused={self.refused})"

    def check(self) -> None:
        """Ask whether the key is valid. Raises TmdbError."""
        self._ask("authentication")

    def film(self, tmdb: int) -> Film:
        """The facts of a film by its number at TMDB. Raises TmdbError."""
        body = self._ask(f"movie/{int(tmdb)}?append_to_response=credits")
        try:
            found = _Answer.model_validate_json(body)
        except ValidationError as error:
            wrong = ".".join(map(str, error.errors()[0]["loc"])) or "form"
        else:
            if found.id == tmdb:
                cast = tuple((plain(p.name, 100), plain(p.character, 200)) for p in found.credits.cast[:CAST])
                return Film(tmdb, found.poster_path, plain(found.overview, WORDS), found.runtime or 0, cast)
            wrong = "id"
        raise Odd(f"film {tmdb}: the answer's {wrong} is not as wanted")

    def picture(self, poster: str) -> bytes:
        """A poster by its path: whole, and really a JPEG or PNG. Raises TmdbError."""
        if not POSTER.fullmatch(poster):
            raise Odd("the path of the poster is not as wanted")
        body = self.line.get(f"{self.line.images}/{SIZE}{poster}", MOST_PICTURE, "image/")
        if ending(body) is None:
            raise Odd("the poster is neither a JPEG nor a PNG")
        return body

    def _ask(self, what: str) -> bytes:
        if self.refused:
            raise KeyRefused("TMDB refused the key before")
        try:
            return self.line.get(f"{self.line.api}/{what}", MOST_FACTS, "json", self._key)
        except KeyRefused:
            self.refused = True
            raise


def ending(picture: bytes) -> str | None:
    """What kind of picture bytes are, by how they begin: jpg, png or None."""
    return next((kind for begin, kind in MAGIC if picture.startswith(begin)), None)


def plain(text: str | None, most: int) -> str:
    """Text without what cannot be seen, in one line, of at most `most` signs."""
    seen = "".join(c if c.isprintable() else " " for c in (text or "")[: 4 * most])
    line = " ".join(seen.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
