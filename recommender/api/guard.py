"""Who may ask, how often, and what a request may look like. Nothing of a request is believed before this.

Without keys only this machine is answered: the connection must come from it, not through a proxy, the host asked for must be it (else a web page
could reach the API by binding a name of its own to 127.0.0.1), and no other web page may send anything.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from email.message import Message as MailMessage
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recommender.api.problems import TYPES, Problem, allowed, answer
from recommender.api.rate import Rate
from recommender.settings import Settings

OPEN = ("/health", "/ready", "/metrics", "/api/health")  # asked by machines that watch; no key, no limit
READABLE = ("/docs", "/openapi.json", TYPES)  # how to ask, and what errors mean; no key
READING = ("GET", "HEAD", "OPTIONS")
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
KEY_LENGTH = 16  # characters at least
DEEPEST = 16  # lists and objects within each other, in a body
DIGITS = 1000  # of one whole number, in a body
DRAIN_SECONDS, DRAIN_BYTES = 1.0, 4_194_304  # of a body that is too long, to read before the answer
BODY_SECONDS = 10.0  # that a body may take to arrive
ADVICE = "set MARQUEE_API_KEYS, and send one of them as Authorization: Bearer KEY"


class Guard:
    """Refuses what may not pass, and hands on the rest with a body that has arrived and is strict JSON."""

    def __init__(self, app: ASGIApp, settings: Settings, rate: Rate) -> None:
        self.app, self.settings, self.rate = app, settings, rate
        self.keys = [hashlib.sha256(key.get_secret_value().encode()).digest() for key in settings.api_keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        kept = "no-cache" if scope["path"].startswith(READABLE) else "no-store"
        said = {"Cache-Control": kept, "X-Content-Type-Options": "nosniff"}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in said.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            if scope["path"] not in OPEN:
                said |= await self.rate.take(await self._who(scope))
            receive = await self._body(scope, receive)
        except Problem as problem:
            return await answer(problem)(scope, receive, sending)
        if scope["method"] == "OPTIONS" and (methods := allowed(scope["app"], scope)):
            return await Response(status_code=204, headers={"Allow": methods})(scope, receive, sending)
        await self.app(scope, receive, sending)

    # -- who -------------------------------------------------------------------------------------------------------

    async def _who(self, scope: Scope) -> str:
        """Whose requests are counted together: a key's, else an address's. Problem 401 or 403 for who may not ask."""
        headers, (address, _) = Headers(scope=scope), scope.get("client") or ("", 0)
        self._same_site(scope["method"], headers)
        if not self.keys:
            _local(address, headers)
            return "this machine"
        if scope["path"].startswith(READABLE):
            return counted(address)
        given = _key(headers)
        digest = hashlib.sha256(given.encode("latin-1", "replace")).digest()
        if not sum([hmac.compare_digest(digest, key) for key in self.keys]):
            await self.rate.wrong_key(counted(address))
            wrong = "the key is unknown" if given else "a key is wanted, as Authorization: Bearer KEY or X-API-Key: KEY"
            raise Problem(401, "no key" if not given else "unknown key", wrong, {"WWW-Authenticate": "Bearer"})
        scope["marquee.key"] = digest.hex()[:4]
        return digest.hex()

    def _same_site(self, method: str, headers: Headers) -> None:
        """Problem 403 where a web page of another site asks, also where it could not read the answer; to be opened by a link is no asking."""
        origin, host = headers.get("origin"), headers.get("host", "").lower()
        if method == "OPTIONS" or origin in self.settings.api_origins:
            return
        by_tag = headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-dest") != "document"
        if by_tag if origin is None else not host or urlsplit(origin).netloc.lower() != host:
            raise Problem(403, "another site", "the web page that asks this is not among MARQUEE_API_ORIGINS")

    # -- what ------------------------------------------------------------------------------------------------------

    async def _body(self, scope: Scope, receive: Receive) -> Receive:
        """The body, read whole and looked at. Problem 408, 413, 415 or 400 for what cannot be one."""
        headers, most = Headers(scope=scope), self.settings.api_bytes
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:19]) > most:
            await _drain(receive)
            raise _too_long(most)
        if scope["method"] in READING:
            return receive
        try:
            with anyio.fail_after(BODY_SECONDS):
                body = await _read(receive, most)
        except TimeoutError:
            raise Problem(408, "too slow", f"the body did not arrive within {BODY_SECONDS:.0f} s", {"Connection": "close"}) from None
        if body:
            _json_only(headers)
            strict(body)
        return _again(body, receive)


class Origins(CORSMiddleware):
    """CORS by list. A web page that is not on it is refused as a problem."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """What a browser asks before it lets a page send."""
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        return answer(Problem(400, "another site", f"{bytes(response.body).decode()}; MARQUEE_API_ORIGINS lists the web pages that may ask", kept))


def check(settings: Settings) -> None:
    """ValueError for settings that would guard badly."""
    for origin in settings.api_origins:
        parts = urlsplit(origin)
        if origin == "*":
            raise ValueError("MARQUEE_API_ORIGINS holds '*': any web page could ask; wanted the pages by name, such as https://example.org")
        if parts.scheme not in ("http", "https") or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}".lower():
            raise ValueError(f"MARQUEE_API_ORIGINS holds {origin!r}, wanted scheme and host only, such as https://example.org")
    for key in settings.api_keys:
        text = key.get_secret_value()
        if len(text) < KEY_LENGTH or not all("!" <= letter <= "~" for letter in text):
            raise ValueError(f"MARQUEE_API_KEYS holds a key that is not {KEY_LENGTH} or more letters, digits and signs without spaces")


def loopback(address: str) -> bool:
    """Whether an address, or localhost, is this machine."""
    try:
        found = ip_address(address)
    except ValueError:
        return address == "localhost"
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback


def counted(address: str) -> str:
    """Whom an address is counted as: of IPv6 all that share its first 64 bits, which is the least that anybody is given."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or f"{int(found) >> 64:x}/64")
    return str(found)


def _local(address: str, headers: Headers) -> None:
    """Problem 403 unless the request comes from this machine, straight, and asks for this machine."""
    if not loopback(address) or address == "localhost":
        raise Problem(403, "not from here", f"without keys only this machine is answered; {ADVICE}")
    if any(name in headers for name in FORWARDED):
        raise Problem(403, "not from here", f"the request came through a proxy, and without keys only this machine is answered; {ADVICE}")
    try:
        asked = [urlsplit(f"//{host}").hostname or "" for host in headers.getlist("host")]
    except ValueError:
        asked = []
    if not asked or not all(loopback(name) for name in asked):
        raise Problem(403, "not for here", f"without keys the host asked for must be localhost or 127.0.0.1; {ADVICE}")


def _key(headers: Headers) -> str:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _too_long(most: int) -> Problem:
    return Problem(413, "too long", f"the body has more than {most} bytes, as many as it may have", {"Connection": "close"})


async def _read(receive: Receive, most: int) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "bad request", "the body ends early")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most:
            await _drain(receive)
            raise _too_long(most)
    return bytes(body)


async def _drain(receive: Receive) -> None:
    """Read on for a little, so that whoever sends too much comes to read the answer."""
    read = 0
    with anyio.move_on_after(DRAIN_SECONDS):
        while read < DRAIN_BYTES:
            message = await receive()
            read += len(message.get("body", b""))
            if not message.get("more_body", False):
                return


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Message:
        return waiting.pop() if waiting else await receive()

    return receiving


def _json_only(headers: Headers) -> None:
    """Problem 415 where a body says that it is no JSON in UTF-8."""
    said = MailMessage()
    said["content-type"] = headers.get("content-type", "")
    kind, charset = said.get_content_type(), str(said.get_param("charset", "utf-8")).lower()
    if "content-type" not in headers or not (kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))):
        raise Problem(415, "not JSON", "the content type is wanted as application/json", {"Accept": "application/json"})
    if charset not in ("utf-8", "utf8") or headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "not JSON", "the body is wanted in UTF-8 and not packed", {"Accept": "application/json"})


def strict(body: bytes) -> None:
    """Problem 400 unless bytes are JSON (RFC 8259) in UTF-8: no NaN, no number beyond doubles, no half of a character, no name
    twice in an object (of which readers take different ones), no endless nesting."""
    try:
        text = body.decode("utf-8")
        value = json.loads(text, parse_constant=_refused, parse_float=_finite, parse_int=_whole, object_pairs_hook=_once)
        _shallow(value)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise Problem(400, "bad request", "the body is nested too deep") from None
    except UnicodeError:
        raise Problem(400, "bad request", "the body holds what is no character of UTF-8") from None
    except ValueError as error:
        raise Problem(400, "bad request", f"the body is no JSON: {error}") from None


def _shallow(value: Any) -> None:
    """RecursionError for what is nested deeper than DEEPEST."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [inner for outer in level if isinstance(outer, list | dict) for inner in (outer.values() if isinstance(outer, dict) else outer)]
        if not level:
            return
    raise RecursionError


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return made


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"a number has more than {DIGITS} digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number
