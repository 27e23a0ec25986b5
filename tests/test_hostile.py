"""Hostile values in every field of every route. What the fields are is read from the OpenAPI, so that one which is added later is tried by itself.

Whatever is sent: never a 5xx, an error is always a problem, nothing comes back as a page, nothing of it stands in the log, nothing is lost, and the
next ordinary question is answered as it was before. MARQUEE_HOSTILE=1 tries all values in all fields; without, each field gets one in four of them.
"""

from __future__ import annotations

import copy
import io
import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import pytest
from fastapi.testclient import TestClient
from loopback import served

EVERY = int(os.environ.get("MARQUEE_HOSTILE", "4"))
MARK = "zqxj"  # stands in every text, so that it can be looked for
CANARY = "canary-1"

WORDS = [
    f"{MARK}' OR 1=1; DROP TABLE events; --",
    f"{MARK}'); DELETE FROM people; SELECT ('",
    f"<script>alert('{MARK}')</script>",
    f'"><img src=x onerror=alert("{MARK}")>',
    f"{{{{7*7}}}}${{7*7}}#{{7*7}}<%= 7*7 %>{MARK}",
    f"{MARK}%s%n%d{{0}}{{0.__class__}}",
    f"../../../../etc/passwd?{MARK}",
    f"..\\..\\{MARK}\\..%2f..%2fetc%2fpasswd",
    f"file:///etc/passwd#{MARK}",
    f"{MARK}\x00after",
    f"\x1b[31m{MARK}\x07\x08\x7f",
    f'{MARK}\r\nX-Injected: yes\r\n\r\n{{"event": "forged"}}',
    f"{MARK}\u2028\u2029\x85\x0b",
    f"\u202e{MARK}\u2066\u200f",
    f"{MARK}👩‍👩‍👧‍👦🏳️‍🌈" * 3,
    MARK + "Z" + "\u0351\u0343\u0310" * 80,
    f"\ufeff{MARK}\u200b",
    "\ufdfa" * 40 + MARK,
    "İßſ" * 12 + MARK,
    f"{MARK}\ud800",
    f"\udfff\udc00{MARK}",
    MARK * 3000,
    f"$(id)`id`;|&{MARK}",
    f"__proto__[{MARK}]",
    f"=HYPERLINK({MARK})",
    f"%00%0d%0a{MARK}%",
    "",
    " ",
    "\x00",
    "NaN",
    "-Infinity",
    "1e400",
    "-0",
    "0x10",
    "1_000",
    "１２３",
    "9" * 400,
    "true",
    "null",
    "undefined",
    "None",
]  # fmt: skip
OTHERS: list[Any] = [True, False, None, -0.0, 5e-324, 1.7e308, -1, 2**31, 2**63, 10**300, [], {}, [[]], [None], {"$gt": ""}, {MARK: [MARK]}]
OTHERS += [[MARK] * 2000, {"__class__": MARK}, {"": ""}, {"a\x00": MARK}, [[[[[[[[MARK]]]]]]]]]
HEADERS = ("Authorization", "X-API-Key", "X-Request-ID", "Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Content-Encoding", "Cookie")
HEADERS += ("Forwarded", "Host", "If-None-Match", "Origin", "Range", "Referer", "User-Agent", "X-Forwarded-For", "X-HTTP-Method-Override")
BODIES = [
    b'{"k": NaN}',
    b'{"k": 1e400}',
    b'{"k": -Infinity}',
    b'{"k": ' + b"9" * 6000 + b"}",
    b'{"k": 5, "k": "zqxj", "k": 6}',
    b"[" * 30_000,
    b'{"note":' * 5000 + b"1" + b"}" * 5000,
    b'{"user_id": "\xff\xfezqxj"}',
    b'\xef\xbb\xbf{"k": 5}',
    '{"k": 5, "user_id": "zqxj"}'.encode("utf-16"),
    b'{"user_id": "\\ud800zqxj"}',
    b'{"user_id": "zqxj\x00"}',
    b"{'k': 'zqxj'}",
    b'{"k": 5}{"k": "zqxj"}',
    b"zqxj",
    b'"zqxj"',
    b"null",
    b"5",
    b"k=5&user_id=zqxj",
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;zqxj</a>",
]


class Field(NamedTuple):
    """One place of a request that takes a value: in its path, its query or its body, there by the keys that lead to it."""

    method: str
    path: str
    where: str
    name: tuple[str | int, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.where}.{'.'.join(map(str, self.name))}"


# -- the fields, and an ordinary request to each operation -------------------------------------------------------------


def leaves(schema: dict[str, Any], whole: dict[str, Any], name: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every field of a body, through all forms that it may have."""
    if "$ref" in schema:
        schema = whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if name:
        yield name
    for form in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from leaves(form, whole, name)
    for key, inner in schema.get("properties", {}).items():
        yield from leaves(inner, whole, (*name, key))
    if "items" in schema:
        yield from leaves(schema["items"], whole, (*name, 0))
    if isinstance(schema.get("additionalProperties"), dict | bool) and schema["additionalProperties"]:
        yield (*name, MARK)


def fields(schema: dict[str, Any]) -> list[Field]:
    """All of them, in the order of the description."""
    found: dict[Field, None] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                found[Field(method, path, parameter["in"], (parameter["name"],))] = None
            if "requestBody" in operation:
                body = operation["requestBody"]["content"]["application/json"]["schema"]
                found |= dict.fromkeys(Field(method, path, "body", name) for name in leaves(body, schema))
    return list(found)


def ordinary(schema: dict[str, Any], method: str, path: str) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """Path, query and body of a request as the description gives them as examples."""
    operation = schema["paths"][path][method]
    given = {"path": dict[str, Any](), "query": dict[str, Any]()}
    for parameter in operation.get("parameters", ()):
        if parameter["required"] or parameter["name"] == "title":
            given[parameter["in"]][parameter["name"]] = (parameter.get("examples") or parameter["schema"]["examples"])[0]
    body = None
    if "requestBody" in operation:
        form = operation["requestBody"]["content"]["application/json"]["schema"]
        form = next(iter([*form.get("anyOf", ()), *form.get("oneOf", ()), form]))
        body = schema["components"]["schemas"][form["$ref"].rpartition("/")[2]]["examples"][0]
    return given["path"], given["query"], body


def placed(body: Any, name: tuple[str | int, ...], value: Any) -> Any:
    """A copy of a body with a value at this place; a name that nobody gave is the value itself, where it is a text."""
    made = at = copy.deepcopy(body)
    for key, after in pairwise(name):
        inner: Any = [] if isinstance(after, int) else {}
        if isinstance(key, int):
            at[:] = [at[0]] if at and isinstance(at[0], type(inner)) else [inner]
            at = at[0]
        else:
            at[key] = at[key] if isinstance(at.get(key), type(inner)) else inner
            at = at[key]
    if isinstance(name[-1], int):
        at[:] = [value]
    elif name[-1] == MARK:
        at[value if isinstance(value, str) else MARK] = 4
        at[MARK] = value
    else:
        at[name[-1]] = value
    return made


def sent(api: TestClient, schema: dict[str, Any], field: Field, value: Any) -> Any:
    """The answer to an ordinary request but for one value."""
    path, query, body = ordinary(schema, field.method, field.path)
    text = value if isinstance(value, str) else json.dumps(value)
    if field.where == "path":
        path[str(field.name[0])] = text
    elif field.where == "query":
        query[str(field.name[0])] = text
    escaped = lambda word: quote(str(word).encode("utf-8", "surrogatepass"), safe="")
    address = re.sub(r"\{(\w+)\}", lambda found: escaped(path[found[1]]), field.path)
    address += "?" + "&".join(f"{name}={escaped(word)}" for name, word in query.items()) if query else ""
    if body is None:
        return api.request(field.method.upper(), address)
    made = placed(body, field.name, value) if field.where == "body" else body
    return api.post(address, content=json.dumps(made).encode(), headers={"content-type": "application/json"})


# -- the laws ----------------------------------------------------------------------------------------------------------


def lawful(answer: Any, what: str) -> None:
    """What holds of every answer."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    assert answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code >= 400:
        assert kind == "application/problem+json", f"{what}: {answer.status_code} as {kind}"
        assert answer.json()["status"] == answer.status_code
    else:
        assert kind in ("application/json", "text/plain", "application/openmetrics-text"), f"{what}: {kind}"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "x-injected" not in answer.headers
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", answer.headers["x-request-id"]), what
    if kind != "text/plain":
        json.loads(answer.content.decode("utf-8"), parse_constant=lambda constant: pytest.fail(f"{what}: {constant} in the answer"))


def quiet(log: str, what: str) -> None:
    """The log is a line of JSON a request, and holds nothing of what was sent."""
    assert MARK not in log, f"{what}: {next(line for line in log.splitlines() if MARK in line)[:300]}"
    for line in log.splitlines():
        told = json.loads(line)
        assert set(told) <= {"request_id", "route", "method", "status", "ms", "version", "key", "event", "level", "at"}, f"{what}: {line[:300]}"
        assert "forged" not in line


def steady(answer: Any) -> Any:
    """An answer without what differs from one time to the next."""
    told = re.sub(r'"(request_id|instance|inference_time_ms|at|ms)":("[^"]*"|[0-9.e+-]+)', "", answer.text)
    return answer.status_code, told


@pytest.fixture(scope="module")
def schema(api: TestClient) -> dict[str, Any]:
    return api.get("/openapi.json").json()


@pytest.fixture(autouse=True)
def nothing_is_lost(api: TestClient) -> Iterator[None]:
    """Somebody's film stands before and after, and what they are answered is the same."""
    api.post("/feedback", json={"user_id": CANARY, "kind": "like", "movie_id": 2571, "id": "canary"})
    looks = lambda: [steady(api.get(path)) for path in (f"/api/my_data?user_id={CANARY}", f"/api/recommend?user_id={CANARY}&k=5", "/api/users")]
    before = looks()
    assert before[0][0] == 200
    assert "canary" in before[0][1]
    yield
    assert looks() == before
    for viewer in (CANARY, "reader-42"):
        api.delete("/api/my_data", params={"user_id": viewer})


def test_every_field_takes_hostile_values_as_values(api: TestClient, schema: dict[str, Any]) -> None:
    values = [*WORDS, *OTHERS]
    there = fields(schema)
    assert {"path", "query", "body"} == {field.where for field in there}
    for n, field in enumerate(there):
        tried = values if field.where == "body" else WORDS
        log = io.StringIO()
        with redirect_stdout(log):
            answers = [(value, sent(api, schema, field, value)) for value in tried[n % EVERY :: EVERY]]
        for value, answer in answers:
            lawful(answer, f"{field} = {value!r:.80}")
        quiet(log.getvalue(), str(field))


def test_fields_that_nobody_knows_are_refused_or_unheard(api: TestClient, schema: dict[str, Any]) -> None:
    for path, methods in schema["paths"].items():
        for method in methods:
            log = io.StringIO()
            with redirect_stdout(log):
                for word in WORDS[:: 2 * EVERY]:
                    lawful(sent(api, schema, Field(method, path, "query", (quote(word.encode("utf-8", "replace"), safe=""),)), MARK), path)
            quiet(log.getvalue(), path)


def test_headers_are_believed_in_nothing(api: TestClient) -> None:
    for n, name in enumerate(HEADERS):
        log = io.StringIO()
        with redirect_stdout(log):
            for word in WORDS[n % EVERY :: EVERY]:
                value = re.sub(r"[\r\n\x00]", "?", word).encode("utf-8", "surrogatepass").strip()  # what can stand in a header at all
                for answer in (
                    api.get("/api/movie_genres", headers={name: value}),
                    api.post("/recommendations", content=b'{"k": 1}', headers={"content-type": "application/json", name: value}),
                ):
                    lawful(answer, f"{name}: {word!r:.80}")
                    assert MARK not in str(answer.headers), name
        quiet(log.getvalue(), name)


@pytest.mark.parametrize("path", ["/recommendations", "/feedback"])
def test_bodies_that_are_no_question(api: TestClient, path: str) -> None:
    log = io.StringIO()
    with redirect_stdout(log):
        for body in BODIES:
            answer = api.post(path, content=body, headers={"content-type": "application/json"})
            lawful(answer, f"{path} {body[:60]!r}")
            assert answer.status_code in (400, 413, 422), f"{path} {body[:60]!r}"
    quiet(log.getvalue(), path)


@pytest.mark.parametrize("query", ["k=1&k=zqxj", "k[]=1", "k=", "&&&=zqxj&=", "k=1;user_id=zqxj", "user_id=ines&user_id=zqxj'--", "%zz=%zz", "k=%FF"])
def test_queries_that_are_odd(api: TestClient, query: str) -> None:
    log = io.StringIO()
    with redirect_stdout(log):
        lawful(api.get(f"/api/recommend?{query}"), query)
    quiet(log.getvalue(), query)


NOWHERE = ("/zqxj", "/api/zqxj<script>", "//zqxj", "/api/movies/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/docs/files/..%2f..%2fapp.py")
NOWHERE += ("/api/movies/5%00zqxj", "/api/movies/5%0d%0aX-Injected:%20yes", "/ready/")


@pytest.mark.parametrize("path", NOWHERE)
def test_paths_that_lead_nowhere(api: TestClient, path: str) -> None:
    log = io.StringIO()
    with redirect_stdout(log):
        answer = api.get(path)
    lawful(answer, path)
    assert answer.status_code in (404, 422)
    assert "root:" not in answer.text
    quiet(log.getvalue(), path)


# -- bytes that no client sends ----------------------------------------------------------------------------------------

HOST = b"Host: 127.0.0.1\r\n"
RAW = [
    b"GET /api/movie_genres HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-ID: zqxj\r\n X-Injected: yes\r\n\r\n",
    b"GET /api/movie_genres HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-ID: zqxjzqxj%0d%0aX-Injected:yes\r\n\r\n",
    b"GET /api/movie_genres HTTP/1.1\r\n" + HOST + b"X-Api-Key: \x00zqxj\r\n\r\n",
    b"GET /api/movie_genres HTTP/1.1\r\n" + HOST + b"Host: zqxj.example\r\n\r\n",
    b"GET /api/movie_genres HTTP/1.1\r\n" + HOST + b"A: " + b"zqxj" * 30_000 + b"\r\n\r\n",
    b"GET /" + b"zqxj" * 30_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET http://zqxj.example/api/movie_genres HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /api/movies?q=\xff\xfezqxj HTTP/1.1\r\n" + HOST + b"\r\n",
    b"ZQXJ /api/movie_genres HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /api/movie_genres HTTP/9.9\r\n" + HOST + b"\r\n",
    b"POST /recommendations HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    b"POST /recommendations HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: -1\r\n\r\n{}",
    b"POST /recommendations HTTP/1.1\r\n"
    + HOST
    + b"Content-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /zqxj HTTP/1.1\r\n"
    + HOST
    + b"\r\n",
    b"POST /recommendations HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nTransfer-Encoding: zqxj\r\n\r\n{}",
    b"POST /recommendations HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzqxj\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03zqxj",
    b"zqxj\r\n\r\n",
]


def exchanged(line: socket.socket, raw: bytes) -> bytes:
    """All that comes back for some bytes, from a server that may hang up before it has read them."""
    said = b""
    with suppress(ConnectionError):
        line.sendall(raw)
        with suppress(OSError):
            line.shutdown(socket.SHUT_WR)
        while part := line.recv(65536):
            said += part
    return said


def test_bytes_that_are_no_request_hurt_nobody(api: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    log = io.StringIO()
    with served(api.app) as address, redirect_stdout(log):
        place = urlsplit(address)
        for raw in RAW:
            with socket.create_connection((place.hostname, place.port or 0), timeout=5) as line:
                said = exchanged(line, raw)
            head = said.partition(b"\r\n\r\n")[0].lower()
            statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", said)]
            assert all(status < 500 for status in statuses), (raw[:80], said[:300])
            assert b"x-injected" not in head, raw[:80]
            assert b"text/html" not in head, raw[:80]
            assert MARK.encode() not in head, raw[:80]
    quiet(log.getvalue(), "raw bytes")
    assert MARK not in caplog.text
