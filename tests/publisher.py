"""A publisher of data sets on this machine, who behaves and misbehaves."""

from __future__ import annotations

import hashlib
import io
import stat
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from loopback import answering

README = "SUMMARY\n=======\n\nAbout.\n\nUSAGE LICENSE\n=============\n\nNo warranty.\n\nCITATION\n========\n\nUs.\n"
FILES = {
    "movies.dat": "1::Toy Story (1995)::Animation\n2::Heat (1995)::Action\n",
    "users.dat": "1::F::1::10::48067\n",
    "ratings.dat": "1::1::5::978300760\n1::2::3::978300761\n",
    "README": README,
}


def zipped(files: dict[str, str] | None = None, links: dict[str, str] | None = None, prefix: str = "ml-1m/", pad: int = 0) -> bytes:
    """A data set as it is published; pad: so many bytes more, which do not pack well."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (FILES if files is None else files).items():
            archive.writestr(prefix + name, text)
        for name, to in (links or {}).items():
            info = zipfile.ZipInfo(prefix + name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, to)
        if pad:
            archive.writestr(zipfile.ZipInfo(prefix + "pad"), bytes(i * 7 % 251 for i in range(pad)))
    return out.getvalue()


@dataclass
class Server:
    """What is served, what goes wrong, and what was asked for."""

    content: bytes
    md5: str | None = None
    status: list[int] = field(default_factory=list)  # answers for the zip before it works
    cut: list[int] = field(default_factory=list)  # bytes after which a connection drops
    ranges: bool = True
    shift: int = 0  # how far off the asked-for place a range begins
    pause_at: int | None = None  # after so many bytes of the zip it waits for `go`
    base: str = ""
    asked: list[str | None] = field(default_factory=list)  # Range headers of requests for the zip
    requests: int = 0  # of all kinds
    go: threading.Event = field(default_factory=threading.Event)


@contextmanager
def publishing() -> Iterator[Server]:
    """A server of the made-up data set, with its checksum beside it."""
    state = Server(zipped())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests += 1
            if self.path.endswith(".md5"):
                text = f"MD5 (ml-1m.zip) = {hashlib.md5(state.content).hexdigest()}\n" if state.md5 is None else state.md5
                self.answer(404 if text == "404" else 200, text.encode())
                return
            wanted = self.headers.get("Range")
            state.asked.append(wanted)
            if state.status:
                self.answer(state.status.pop(0), b"trouble")
                return
            start = int(wanted[6:-1]) + state.shift if wanted and state.ranges else 0
            if start >= len(state.content):
                self.answer(416, b"")
                return
            self.zip(start)

        def zip(self, start: int) -> None:
            body = state.content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(state.content) - 1}/{len(state.content)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if state.cut:
                body = body[: state.cut.pop(0)]
            if state.pause_at is not None:
                self.wfile.write(body[: state.pause_at])
                state.go.wait(60)
                body = body[state.pause_at :]
            self.wfile.write(body)

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with answering(Handler) as state.base:
        try:
            yield state
        finally:
            state.go.set()
