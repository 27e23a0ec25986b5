"""A server of this machine that behaves like TMDB, and misbehaves where it is told to."""

from __future__ import annotations

import json
import socket
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from loopback import answering

V3 = "0123456789abcdef" * 2
V4 = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIHRlc3QifQ.c2lnbmVkLWJ5LW5vYm9keQ"
NOT_VALID = {"status_code": 7, "status_message": "Invalid API key: You must be granted a valid key.", "success": False}
NOT_FOUND = {"success": False, "status_code": 34, "status_message": "The resource you requested could not be found."}
TOO_MANY = {"status_code": 25, "status_message": "Your request count is over the allowed limit."}
SIZE = (342, 513)


def picture(number: int) -> bytes:
    """A PNG of one colour with a bright band, as large as a poster of TMDB."""
    w, h = SIZE
    colour = bytes((60 + number * 37 % 160, 60 + number * 91 % 160, 60 + number * 53 % 160))
    rows = b"".join(b"\0" + (b"\xff\xff\xff" if h // 3 < y < h // 3 + 12 else colour) * w for y in range(h))
    part = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    head = struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def film(number: int, **other: Any) -> dict[str, Any]:
    """The answer to a question for a film."""
    cast = [{"name": f"Player {n}", "character": f"Part {n} of {number}", "order": n} for n in range(12)]
    told = {
        "id": number,
        "title": f"Film {number}",
        "poster_path": f"/poster{number:06d}.png",
        "overview": f"What film {number} is about.",
        "runtime": 95,
    }
    return {**told, "adult": False, "credits": {"cast": cast, "crew": []}, **other}


@dataclass
class Tmdb:
    """What is wrong with which path (`ills`: by number of the film, or 0 for all), and what was asked for."""

    address: str = ""
    ills: dict[int, list[str] | str] = field(default_factory=dict)  # a list is used up, one ill a request; a word stays
    films: dict[int, dict[str, Any]] = field(default_factory=dict)  # answers that differ from film()
    pictures: dict[int, bytes] = field(default_factory=dict)
    none: set[int] = field(default_factory=set)  # films that TMDB does not know
    key: str = V3
    token: str = V4
    asked: list[str] = field(default_factory=list)  # paths, without queries
    signed: Counter[str] = field(default_factory=Counter)  # ways in which requests brought a key
    hang: threading.Event = field(default_factory=threading.Event)  # what hangs goes on when it is set

    @property
    def api(self) -> str:
        return f"{self.address}/3"

    @property
    def images(self) -> str:
        return f"{self.address}/t/p"

    def ill(self, number: int) -> str:
        for which in (number, 0):
            found = self.ills.get(which)
            if isinstance(found, list) and found:
                return found.pop(0)
            if isinstance(found, str):
                return found
        return ""


@contextmanager
def tmdb() -> Iterator[Tmdb]:
    """The server, running."""
    state = Tmdb()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            state.asked.append(url.path)
            number = int("".join(c for c in url.path.removeprefix("/3").rsplit("/", 1)[-1] if c.isdigit()) or 0)
            picture_asked = url.path.startswith("/t/p/")
            if (ill := state.ill(-number if picture_asked else number)) and self.misbehaves(ill, number):
                return
            if picture_asked:
                self.answer(200, state.pictures.get(number) or picture(number), "image/png")
            elif not self.allowed(parse_qs(url.query)):
                self.told(401, NOT_VALID)
            elif url.path == "/3/authentication":
                self.told(200, {"success": True, "status_code": 1, "status_message": "Success."})
            elif number in state.none or not url.path.startswith("/3/movie/"):
                self.told(404, NOT_FOUND)
            else:
                self.told(200, state.films.get(number) or film(number))

        def allowed(self, query: dict[str, list[str]]) -> bool:
            bearer = self.headers.get("Authorization")
            state.signed["v4" if bearer else "v3" if "api_key" in query else "none"] += 1
            return bearer == f"Bearer {state.token}" or query.get("api_key") == [state.key]

        def misbehaves(self, ill: str, number: int) -> bool:
            """Whether it answered in its own way."""
            if ill == "hang":
                state.hang.wait(60)
                return True
            if ill == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            elif ill == "cut":
                self.answer(200, b'{"id": 1', "application/json", length=5000)
            elif ill == "drip":
                self.answer(200, b"", "application/json", length=100)
                while not state.hang.wait(0.05):
                    self.wfile.write(b" ")
            elif ill == "broken":
                self.answer(200, b'{"id": 603, "poster_path": ', "application/json")
            elif ill == "list":
                self.answer(200, b"[1, 2, 3]", "application/json")
            elif ill == "html":
                self.answer(200, b"<html><script>alert(1)</script>", "text/html")
            elif ill == "html as json":
                self.answer(200, b"<html><script>alert(1)</script>", "application/json")
            elif ill == "html as picture":
                self.answer(200, b"<html><script>alert(1)</script>", "image/jpeg")
            elif ill == "huge":
                self.answer(200, b"x" * 3_000_000, "application/json")
            elif ill == "huge picture":
                self.answer(200, picture(1) + b"x" * 3_000_000, "image/png")
            elif ill == "elsewhere":
                self.answer(302, b"", "text/plain", {"Location": f"{state.address}/elsewhere"})
            elif ill.startswith("429"):
                self.told(429, TOO_MANY, {"Retry-After": ill.partition(" ")[2] or "1"})
            elif ill.isdigit():
                self.told(int(ill), {"success": False})
            else:
                return False
            return True

        def told(self, status: int, what: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            self.answer(status, json.dumps(what).encode(), "application/json;charset=utf-8", headers)

        def answer(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None, length: int | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(length or len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with answering(Handler) as state.address:
        try:
            yield state
        finally:
            state.hang.set()
