"""What stands before every route of the REST API: problems, who may ask, how often, what a request may be, the log, the figures."""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from loops import apart
from prometheus_client.parser import text_string_to_metric_families

from recommender.api import guard, logs, metrics
from recommender.api.app import create
from recommender.api.fork import Fork
from recommender.api.guard import strict
from recommender.api.problems import KINDS, Problem, ProblemDetails, type_of
from recommender.api.titles import TITLES
from recommender.serve.desk import Desk
from recommender.serve.feedback import FeedbackError
from recommender.serve.viewers import NoViewer
from recommender.settings import ROOT, Settings

KEY, OTHER = "a-key-for-the-tests", "another-key-of-tests"
HOME = ("127.0.0.1", 50000)
JSON = {"Content-Type": "application/json"}


def client(api: TestClient, peer=HOME, **changed) -> TestClient:
    """The API over the same desk with other settings. Its life is not begun, so that the desk stays open."""
    settings = api.app.state.settings.model_copy(update=changed)
    app = create(api.app.state.desk, settings)
    return TestClient(app, "http://localhost", client=peer, raise_server_exceptions=False)


def keyed(*keys: str) -> dict:
    return {"api_keys": Settings(api_keys=",".join(keys)).api_keys}


def is_problem(response, status: int) -> dict:
    """The problem that an answer is; it has the form of RFC 9457 and the request's id."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert {"type", "title", "status", "detail", "instance"} <= set(told)
    assert told["status"] == status
    assert told["instance"] == response.headers["x-request-id"] != ""
    return told


@pytest.fixture
def odd(api: TestClient) -> TestClient:
    """The API with routes that fail in each way."""
    made = client(api)

    def fail(kind: str) -> None:
        errors = {
            "key": KeyError("secret-of-ours"),
            "lookup": LookupError("secret-of-ours"),
            "value": ValueError("secret-of-ours"),
            "viewer": NoViewer("viewer 'zoe' is unknown"),
            "store": FeedbackError("the feedback database at /secret-of-ours cannot be used"),
            "problem": Problem(409, "a title of several films", "a word means two films", choices=[1, 2]),
        }
        raise errors[kind]

    made.app.add_api_route("/fail/{kind}", fail)
    return made


# -- problems ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/nowhere", "/api/nowhere", "/docs/files/nowhere.js", "/health/", "//health", "/api/movies/%2e%2e/x"])
def test_unknown_paths_are_problems(api: TestClient, path: str) -> None:
    is_problem(api.get(path, follow_redirects=False), 404)


def titles(file: Path) -> Iterator[str]:
    """The titles of the problems that a file makes."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
            yield from (part.value for part in ast.walk(node.args[1]) if isinstance(part, ast.Constant) and isinstance(part.value, str))


def test_every_problem_has_a_type_that_answers_what_it_means(api: TestClient) -> None:
    made = {title for file in (ROOT / "recommender" / "api").rglob("*.py") for title in titles(file)} | set(TITLES.values())
    assert made == set(KINDS)
    assert len({type_of(title) for title in KINDS}) == len(KINDS)
    shut = client(api, ("10.0.0.7", 1), **keyed(KEY))
    for title, meaning in KINDS.items():
        assert shut.get(type_of(title)).json() == {"type": type_of(title), "title": title, "meaning": meaning}
    assert is_problem(api.get("/problems/nothing"), 404)["type"] == "about:blank"


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        ("/api/movies/99999", "no-such-film"),
        ("/api/similar_movies?title=xqzzy", "no-such-film"),
        ("/api/similar_movies?title=Sabrina", "a-title-of-several-films"),
        ("/api/similar_movies?title=Alien&user_id=mia", "over-the-limit"),
        ("/api/recommend?model=eas", "no-such-model"),
        ("/api/recommend?k=0", "not-wanted"),
        ("/api/evaluation/P9", "no-such-report"),
        ("/api/experiments/none", "no-such-experiment"),
        ("/fail/viewer", "no-such-viewer"),
        ("/fail/store", "store-away"),
        ("/fail/key", "fault"),
    ],
)
def test_programs_tell_problems_apart_by_type(odd: TestClient, path: str, type_: str) -> None:
    told = odd.get(path).json()
    assert told["type"] == f"/problems/{type_}"
    ProblemDetails.model_validate(told, strict=True)


def test_where_the_status_says_it_all_the_title_is_its_phrase(api: TestClient) -> None:
    for answer, title in ((api.get("/nowhere"), "Not Found"), (api.delete("/health"), "Method Not Allowed")):
        told = answer.json()
        assert (told["type"], told["title"]) == ("about:blank", title)  # RFC 9457, 4.2.1


def test_a_file_too_tells_how_it_is_asked(api: TestClient) -> None:
    answer = api.post("/docs/files/swagger-ui.css")
    assert is_problem(answer, 405)["detail"] == "this path is asked by GET, HEAD, OPTIONS"
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_an_unknown_method_is_told_those_there_are(api: TestClient) -> None:
    answer = api.delete("/health")
    assert "GET" in is_problem(answer, 405)["detail"]
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert is_problem(api.get("/feedback"), 405)["status"] == 405
    assert api.get("/feedback").headers["allow"] == "OPTIONS, POST"


def test_head_is_get_without_a_body_and_options_tell_the_methods(api: TestClient) -> None:
    head, get = api.head("/ready"), api.get("/ready")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", get.headers["content-length"])
    options = api.options("/feedback")
    assert (options.status_code, options.headers["allow"], options.content) == (204, "OPTIONS, POST", b"")
    is_problem(api.options("/nowhere"), 404)


@pytest.mark.parametrize("kind, status", [("key", 500), ("lookup", 500), ("value", 500), ("viewer", 404), ("store", 503), ("problem", 409)])
def test_only_errors_that_are_known_are_told(odd: TestClient, kind: str, status: int) -> None:
    answer = odd.get(f"/fail/{kind}")
    told = is_problem(answer, status)
    assert "secret-of-ours" not in answer.text
    assert told.get("choices") == ([1, 2] if kind == "problem" else None)
    assert ("retry-after" in answer.headers) == (kind == "store")


def test_a_fault_leaves_its_places_in_the_log_and_no_message(odd: TestClient) -> None:
    with structlog.testing.capture_logs() as lines:
        told = odd.get("/fail/key").json()
    fault = next(line for line in lines if line["event"] == "fault")
    assert fault["error"] == "KeyError"
    assert fault["request_id"] == told["instance"]
    assert fault["trace"][-1].startswith("tests/test_api_core.py:")
    assert "secret-of-ours" not in json.dumps(lines)


def test_what_is_wrong_is_named_one_by_one(api: TestClient) -> None:
    told = is_problem(api.post("/recommendations", json={"k": 0, "context": {"device": "toaster" * 50}}), 422)
    assert {error["where"] for error in told["errors"]} == {"body.k", "body.context.device"}
    wrong = {error["where"]: error["wrong"] for error in told["errors"]}
    assert wrong["body.k"] == "0"
    assert len(wrong["body.context.device"]) <= 81
    assert all(error["wanted"] for error in told["errors"])


@pytest.mark.parametrize(
    ("path", "body", "where", "wanted"),
    [
        ("/feedback", {"user_id": "r", "kind": "rating", "movie_id": 1, "rating": 7}, "rating", "or equal to 5"),
        ("/feedback", {"events": [{"user_id": "r", "kind": "rating", "movie_id": 1, "rating": 7}]}, "events.0.rating", "or equal to 5"),
        ("/feedback", {"events": []}, "events", "at least 1"),
        ("/feedback", {"user_id": "r", "movie_id": 1}, "kind", "required"),
        (
            "/feedback",
            {"events": [{"user_id": [], "kind": "like", "movie_id": 1}]},
            "events.0.user_id",
            "integer, or: Input should be a valid string",
        ),
        ("/recommendations", {"user_id": 1.5}, "user_id", "valid integer, or: Input should be a valid string"),
        ("/recommendations", {"ratings": {"Alien": 9}}, "ratings.Alien", "or equal to 5"),
        ("/recommendations", {"ratings": [{"movie_id": 1}]}, "ratings.0.rating", "required"),
        ("/recommendations", {"ratings": [{"rating": 3}]}, "ratings.0", "movie_id or title"),
        ("/recommendations", {"liked_movies": ["Alien", []]}, "liked_movies.1", "valid string"),
    ],
)
def test_what_is_wrong_is_named_once_and_as_it_was_sent(api: TestClient, path: str, body: dict, where: str, wanted: str) -> None:
    (error,) = is_problem(api.post(path, json=body), 422)["errors"]
    assert error["where"] == f"body.{where}"
    assert wanted in error["wanted"]


@pytest.mark.parametrize(
    ("method", "path", "where", "wanted"),
    [
        ("get", "/api/recommend?viewer=vera", "viewer", "user_id"),
        ("get", "/api/recommend?user=vera", "user", "did you mean user_id?"),
        ("get", "/api/recommend?K=5", "K", "k"),
        ("get", "/api/movies?genres=War", "genres", "did you mean genre?"),
        ("get", "/api/movie_genres?x=1", "x", "no parameter here"),
        ("get", "/api/recommend?=1", "", "user_id"),
        ("get", "/api/recommend?k=1&k=2", "k", "once"),
        ("get", "/api/recommend?k=1&k=1", "k", "once"),
        ("get", "/api/movies?page=1&size=5&page=2", "page", "once"),
        ("get", "/api/evaluation/P2?models=ease", "models", "did you mean model?"),
        ("delete", "/api/my_data?user_id=a&user_id=b", "user_id", "once"),
        ("delete", "/api/my_data?user_id=a&all=1", "all", "one of user_id"),
        ("post", "/feedback?user_id=a", "user_id", "no parameter here"),
    ],
)
def test_a_parameter_that_there_is_not_or_twice_is_named(api: TestClient, method: str, path: str, where: str, wanted: str) -> None:
    sent = {"json": {"user_id": "a", "kind": "like", "movie_id": 1}} if method == "post" else {}
    told = is_problem(api.request(method, path, **sent), 422)
    assert told["errors"][0]["where"] == f"query.{where}"
    assert wanted in told["errors"][0]["wanted"]


def test_who_watches_may_add_what_it_likes(api: TestClient) -> None:
    assert {api.get(f"{path}?at=1&at=2").status_code for path in guard.OPEN} == {200}


def test_values_are_told_as_json_writes_them(api: TestClient) -> None:
    told = is_problem(api.post("/recommendations", json={"k": None, "anyway": "x", "reasons": True, "filters": [None, "a"]}), 422)
    wrong = {error["where"]: error["wrong"] for error in told["errors"]}
    assert wrong == {"body.k": "null", "body.anyway": "'x'", "body.reasons": "true", "body.filters": '[null, "a"]'}
    assert told["detail"].startswith("body.k is null: ")
    assert is_problem(api.get("/api/similar_movies"), 422)["detail"] == "query.title is missing: wanted title or movie_id, one of them"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/recommendations", {"ratings": [{"rating": 3}]}),
        ("/recommendations", {"preferred_genres": ["xxxxx"]}),
        ("/recommendations", {"model": "xxxxx"}),
        ("/feedback", {"user_id": "r", "kind": "like"}),
        ("/feedback", {"user_id": "r", "kind": "like", "movie_id": 1, "at": "2242-01-01T00:00:00Z"}),
    ],
)
def test_what_is_wanted_is_said_once(api: TestClient, path: str, body: dict) -> None:
    told = api.post(path, json=body).json()
    assert "wanted" not in told["errors"][0]["wanted"]
    assert told["detail"].count("wanted") == 1


# -- what a request may be ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'{"k": NaN}',
        b'{"k": -Infinity}',
        b'{"k": 1e999}',
        b'{"user_id": "\\ud800"}',
        b'{"user_id": "\xff"}',
        b"\xff\xfe{\x00}\x00",
        b"{",
        b"[" * 60000,
        b'{"user_id": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"k": ' + b"9" * 5000 + b"}",
        b"\xef\xbb\xbf{}",
    ],
    ids=repr,
)
def test_only_strict_json_is_read(api: TestClient, body: bytes) -> None:
    told = is_problem(api.post("/recommendations", content=body, headers=JSON), 400)
    assert told["detail"].isascii()
    assert "sys." not in told["detail"]


def test_json_of_any_other_kind_passes() -> None:
    strict(json.dumps({"a": [1, 2.5, -1e300, None, True, {"é": "\U0001f3ac"}]}, ensure_ascii=False).encode())
    strict(b'"\\ud83c\\udfac"')  # one character in two halves


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "multipart/form-data"])
def test_another_type_of_content_is_refused(api: TestClient, kind: str | None) -> None:
    is_problem(api.post("/recommendations", content=b"{}", headers={"Content-Type": kind} if kind else {}), 415)


def test_json_by_other_names_is_read(api: TestClient) -> None:
    for kind in ("application/json", "application/json; charset=UTF-8", "application/merge-patch+json"):
        assert api.post("/recommendations", content=b'{"k": 1}', headers={"Content-Type": kind}).status_code == 200
    is_problem(api.post("/recommendations", content=b"{}", headers=JSON | {"Content-Encoding": "gzip"}), 415)


def test_a_long_body_is_refused_whether_its_length_is_told_or_not(api: TestClient) -> None:
    most = api.app.state.settings.api_bytes
    fits = json.dumps({"k": 1}).encode().ljust(most)
    assert api.post("/recommendations", content=fits, headers=JSON).status_code == 200
    is_problem(api.post("/recommendations", content=fits + b" ", headers=JSON), 413)

    def pieces() -> Iterator[bytes]:
        yield from [fits, b" "]

    is_problem(api.post("/recommendations", content=pieces(), headers=JSON), 413)
    is_problem(api.post("/recommendations", content=b"{}", headers=JSON | {"Content-Length": "9" * 30}), 413)


def test_a_body_that_does_not_come_is_not_waited_for(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    sent: list[dict] = []

    async def ask() -> None:
        async def never() -> dict:
            await anyio.sleep_forever()
            return {}

        async def keep(message) -> None:
            sent.append(message)

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/feedback", "headers": headers, "query_string": b"", "client": HOME}
        await api.app(scope, never, keep)

    apart(ask())
    assert sent[0]["status"] == 408


# -- who may ask -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_without_keys_this_machine_is_answered(api: TestClient, peer: str) -> None:
    assert client(api, (peer, 1)).get("/docs").status_code == 200


@pytest.mark.parametrize("peer", [("10.0.0.7", 1), ("::ffff:10.0.0.7", 1), ("testclient", 1), ("localhost", 1), None])
def test_without_keys_no_other_machine_is(api: TestClient, peer) -> None:
    assert "MARQUEE_API_KEYS" in is_problem(client(api, peer or ("", 0)).get("/docs"), 403)["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
        {"Via": "1.1 gate"},
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1.evil.example:8000"},
        {"Host": ""},
        {"Host": "[::1"},
        {"Host": "evil.example@x"},
    ],
    ids=str,
)
def test_without_keys_neither_proxies_nor_other_names_are_answered(api: TestClient, headers: dict) -> None:
    is_problem(api.get("/api/movie_genres", headers=headers), 403)


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_names_of_this_machine_are_answered(api: TestClient, host: str) -> None:
    assert api.get("/docs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("sent", [{"Authorization": f"Bearer {OTHER}"}, {"Authorization": f"bearer  {OTHER}"}, {"X-API-Key": OTHER}], ids=str)
def test_a_key_opens_from_anywhere(api: TestClient, sent: dict) -> None:
    made = client(api, ("10.0.0.7", 1), **keyed(KEY, OTHER))
    assert made.get("/api/movie_genres", headers=sent | {"Host": "films.example", "X-Forwarded-For": "10.1.1.1"}).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Authorization": f"Basic {KEY}"},
        {"X-API-Key": KEY[:-1]},
        {"X-API-Key": KEY + "x"},
        {"Authorization": f"Bearer {KEY},{OTHER}"},
        {"Authorization": "Bearer"},
        {"X-API-Key": "é".encode("latin-1")},
        {"X-API-Key": ""},
        {"X-API-Key": f"{KEY},{OTHER}"},
    ],
    ids=str,
)
def test_anything_else_does_not(api: TestClient, sent: dict) -> None:
    answer = client(api, **keyed(KEY, OTHER)).get("/api/movie_genres", headers=sent)
    is_problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert KEY not in answer.text


def test_who_watches_needs_no_key_and_is_not_counted(api: TestClient) -> None:
    made = client(api, ("10.0.0.7", 1), api_rate="1/hour", **keyed(KEY))
    for _ in range(3):
        assert [made.get(path).status_code for path in ("/health", "/ready", "/metrics", "/api/health")] == [200] * 4
    assert made.get("/docs").status_code == 200


def test_pages_of_other_sites_may_not_send(api: TestClient) -> None:
    made = client(api, api_origins=("https://films.example",))
    for origin in ("https://evil.example", "null", "http://localhost:3000", "https://films.example.evil.example", "http://films.example"):
        is_problem(made.post("/recommendations", json={"k": 1}, headers={"Origin": origin}), 403)
        is_problem(made.get("/api/movie_genres", headers={"Origin": origin}), 403)
    for origin in ("https://films.example", "http://localhost"):
        assert made.post("/recommendations", json={"k": 1}, headers={"Origin": origin}).status_code == 200
        assert made.get("/api/movie_genres", headers={"Origin": origin}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pages_of_other_sites_make_no_work_by_tags_and_frames(api: TestClient, site: str) -> None:
    for dest in ("image", "script", "iframe", "empty"):
        is_problem(api.get("/api/movie_genres", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Dest": dest}), 403)
    assert api.get("/docs", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "document"}).status_code == 200  # by a link
    assert api.get("/openapi.json", headers={"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"}).status_code == 200


def test_pages_that_are_listed_may_read(api: TestClient) -> None:
    made = client(api, api_origins=("https://films.example",))
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-API-Key"}
    good = made.options("/feedback", headers={"Origin": "https://films.example", **ask})
    assert (good.status_code, good.headers["access-control-allow-origin"]) == (200, "https://films.example")
    delete = made.options("/api/my_data", headers={"Origin": "https://films.example", "Access-Control-Request-Method": "DELETE"})
    assert (delete.status_code, "DELETE" in delete.headers["access-control-allow-methods"]) == (200, True)
    bad = made.options("/feedback", headers={"Origin": "https://evil.example", **ask})
    is_problem(bad, 400)
    for answer in (bad, made.get("/ready", headers={"Origin": "https://evil.example"})):
        assert "access-control-allow-origin" not in answer.headers
    for answer in (good, bad, made.get("/ready", headers={"Origin": "https://films.example"})):
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "changed, says",
    [
        ({"api_origins": ("*",)}, "any web page"),
        ({"api_origins": ("https://a.example/",)}, "scheme and host"),
        ({"api_origins": ("null",)}, "'null'"),
        ({"api_rate": "many"}, "600/minute"),
        ({"api_rate_store": "mongodb://x"}, "memory://"),
        (keyed("short"), "16"),
        (keyed("é" * 20), "signs"),
    ],
)
def test_settings_that_guard_badly_do_not_start(api: TestClient, changed: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        client(api, **changed)


# -- how often ---------------------------------------------------------------------------------------------------------


def test_a_key_may_ask_so_often_and_another_is_not_charged(api: TestClient) -> None:
    with client(api, ("10.0.0.7", 1), api_rate="3/hour", **keyed(KEY, OTHER)) as made:
        answers = [made.get("/docs", headers={"X-API-Key": KEY}) for _ in range(3)]
        assert [a.status_code for a in answers] == [200] * 3
        asked = [made.get("/api/movie_genres", headers={"X-API-Key": KEY}) for _ in range(4)]
        assert [a.headers["ratelimit-remaining"] for a in asked] == ["2", "1", "0", "0"]
        assert is_problem(asked[3], 429)["detail"] == "more than 3 requests in 3600 s"
        assert 1 <= int(asked[3].headers["retry-after"]) <= 3600
        assert made.get("/api/movie_genres", headers={"X-API-Key": OTHER}).status_code == 200


def test_keys_that_are_none_are_tried_only_so_often(api: TestClient) -> None:
    made = client(api, ("10.0.0.7", 1), **keyed(KEY))
    tried = [made.get("/api/movie_genres", headers={"X-API-Key": f"guess-{n}"}).status_code for n in range(22)]
    assert tried == [401] * 20 + [429] * 2
    assert made.get("/api/movie_genres", headers={"X-API-Key": KEY}).status_code == 200  # whoever shares the address is not shut out


def test_who_has_many_addresses_is_counted_once(api: TestClient) -> None:
    def asked(*peers: str, **changed) -> list[int]:
        app = client(api, api_rate="1/hour", **changed).app
        return [TestClient(app, "http://localhost", client=(peer, 1)).get("/docs").status_code for peer in peers]

    assert asked("2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::9", "2001:db8:0:1::1", **keyed(KEY)) == [200, 429, 429, 200]
    assert asked("10.0.0.7", "::ffff:10.0.0.7", "10.0.0.8", **keyed(KEY)) == [200, 429, 200]
    assert asked("127.0.0.1", "127.0.0.2", "::1") == [200, 429, 429]


def test_without_the_store_of_counts_all_are_answered(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    made = client(api, api_rate="1/hour", api_rate_store="redis://127.0.0.1:1")
    rate, tried = made.app.state.rate, []
    hit = rate.window.hit
    monkeypatch.setattr(rate.window, "hit", lambda *asked: tried.append(asked) or hit(*asked))
    before = metrics.UNCOUNTED._value.get()
    with structlog.testing.capture_logs() as lines:
        assert [made.get("/api/movie_genres").status_code for _ in range(3)] == [200] * 3
        assert len(tried) == 1  # then it is left alone
        rate._rests = 0.0
        assert made.get("/api/movie_genres").status_code == 200
        assert len(tried) == 2
    assert metrics.UNCOUNTED._value.get() == before + 4
    assert sum(line["event"].startswith("the store of the rate limit") for line in lines) == 1  # a minute


# -- what is told ------------------------------------------------------------------------------------------------------


def test_ids_of_requests_are_taken_over_where_they_are_harmless(api: TestClient) -> None:
    assert api.get("/health", headers={"X-Request-ID": "trace-0123_Abc"}).headers["x-request-id"] == "trace-0123_Abc"
    for bad in ("short", "not-an-id.of-feedback", "x" * 65, 'a"b-cdefgh', "a b-cdefghij", "<script>alert"):
        given = api.get("/health", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert given != bad
        assert len(given) == 32
    assert len({api.get("/health").headers["x-request-id"] for _ in range(3)}) == 3


def test_the_log_holds_a_line_a_request_and_nobody(api: TestClient) -> None:
    made = client(api, ("10.6.6.6", 1), **keyed(KEY))
    with structlog.testing.capture_logs() as lines:
        made.get("/api/movies/secret-film?q=secret-words", headers={"X-API-Key": KEY, "User-Agent": "secret-agent"})
        made.post("/recommendations", json={"user_id": "secret-viewer", "k": 1}, headers={"X-API-Key": KEY})
        made.get("/secret-path", headers={"X-API-Key": "secret-guess"})
    assert [line["route"] for line in lines] == ["/api/movies/{movie_id}", "/recommendations", "unknown"]
    assert [line["status"] for line in lines] == [422, 200, 401]
    assert [line["key"] is None for line in lines] == [False, False, True]
    text = json.dumps(lines)
    assert not any(word in text for word in ("secret", "10.6.6.6", KEY))
    assert all(line["version"] == api.app.state.desk.service.version for line in lines)


def test_lines_of_the_web_server_have_the_same_form_and_hold_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("", *logs.LEVELS)
    kept = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).level) for name in names}
    try:
        logging.config.dictConfig(logs.server())
        server = logging.getLogger("uvicorn.error")
        server.info('%s - "WebSocket %s" [accepted]', "10.6.6.6:1", "/_stcore/stream?secret")
        logging.getLogger("uvicorn.access").info("10.6.6.6 GET /secret")
        try:
            raise KeyError("secret")
        except KeyError:
            server.exception("Exception in %s", "ASGI application")
    finally:
        for name, (handlers, level) in kept.items():
            logging.getLogger(name).handlers[:] = handlers
            logging.getLogger(name).setLevel(level)
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["event"], told["error"], told["level"]) == ("Exception in ASGI application", "KeyError", "error")
    assert "secret" not in line


def figures(api: TestClient) -> dict[tuple, float]:
    families = text_string_to_metric_families(api.get("/metrics").text)
    return {(s.name, *sorted(s.labels.items())): s.value for family in families for s in family.samples}


def test_requests_are_counted_by_route_and_unknown_paths_as_one(api: TestClient) -> None:
    def count(route: str, method: str, status: str) -> float:
        return figures(api).get(("marquee_requests_total", ("method", method), ("route", route), ("status", status)), 0)

    before = count("unknown", "GET", "404"), count("/api/movies/{movie_id}", "GET", "404"), count("unknown", "other", "404")
    for n in range(3):
        api.get(f"/nowhere/{n}")
        api.get(f"/api/movies/{90_000_000 + n}")
        api.request(f"ODD{n}", "/nowhere")
    after = count("unknown", "GET", "404"), count("/api/movies/{movie_id}", "GET", "404"), count("unknown", "other", "404")
    assert [b - a for a, b in zip(before, after)] == [3, 3, 3]


def test_figures_of_models_are_those_of_the_report(api: TestClient, tmp_path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    report = json.loads((ROOT / "artifacts" / "reports" / "P2.json").read_text("utf-8"))
    row = next(r for r in report["rows"] if (r["model"], r["metric"], r["k"], r["segment"]) == ("ease", "P", 10, None))
    other = next(r for r in report["rows"] if (r["model"], r["metric"], r["k"]) == ("ease", "P", 10) and r["segment"])
    row["mean"], other["mean"] = 0.123, 0.456
    (folder / "P2.json").write_text(json.dumps(report), "utf-8")
    desk = Desk(api.app.state.settings.model_copy(update={"artifacts": tmp_path}), watch=False)
    name = ("recommendation_precision_score", ("fit", "evaluation"), ("k", "10"), ("model", "ease"), ("protocol", "P2 80/20"))
    told = figures(TestClient(create(desk, desk.settings), "http://localhost", client=HOME))
    assert told[name] == 0.123
    assert told["marquee_models_loaded",] == 0
    row["mean"] = 0.321
    (folder / "P2.json").write_text(json.dumps(report), "utf-8")
    os.utime(folder / "P2.json", (1, 1))
    assert figures(TestClient(create(desk, desk.settings), "http://localhost", client=HOME))[name] == 0.321
    real = figures(api)
    assert real[name] != 0.123
    assert real["marquee_models_loaded",] == len(api.app.state.desk.service.models)
    assert real["marquee_model_version_info", ("version", api.app.state.desk.service.version)] == 1
    assert real["marquee_release_age_seconds",] >= 0
    shutil.rmtree(folder)
    assert name not in figures(TestClient(create(desk, desk.settings), "http://localhost", client=HOME))


def test_figures_of_the_models_at_work_are_those_of_their_cards(api: TestClient, tmp_path) -> None:
    def told(version: str) -> dict[tuple[str, str], float]:
        desk = Desk(api.app.state.settings, watch=False)
        desk._service = replace(api.app.state.desk.service, folder=tmp_path, version=version)
        found = figures(TestClient(create(desk, desk.settings), "http://localhost", client=HOME))
        return {(name[0].split("_")[1], dict(name[1:])["model"]): value for name, value in found.items() if ("fit", "served") in name}

    for card in (ROOT / "artifacts").glob("*/card.json"):
        (tmp_path / card.parent.name).mkdir()
        shutil.copy(card, tmp_path / card.parent.name)
    card = json.loads((tmp_path / "hybrid" / "card.json").read_text("utf-8"))
    first = told("first")
    assert {model for _, model in first} == set(api.app.state.desk.service.models) - {"user_knn"}
    share = card["validation"]["HR@10"]["mean"]  # one film to find of each viewer: found among ten, all are found, and a tenth of the ten is it
    assert (first["recall", "hybrid"], first["precision", "hybrid"]) == (share, pytest.approx(share / 10))
    card["validation"]["HR@10"]["mean"] = 0.5
    (tmp_path / "hybrid" / "card.json").write_text(json.dumps(card), "utf-8")
    (tmp_path / "ease" / "card.json").unlink()
    (tmp_path / "als" / "card.json").write_text(json.dumps({**card, "validation": None}), "utf-8")
    second = told("second")
    assert (second["recall", "hybrid"], second["precision", "hybrid"]) == (0.5, 0.05)
    assert {model for _, model in first} - {model for _, model in second} == {"ease", "als"}


def test_what_routes_tell_is_counted(api: TestClient) -> None:
    names = [("marquee_recommendations_total", ("simulated", "false"), ("way", "popular")), ("marquee_models_used_total", ("model", "popularity"))]
    names += [("marquee_feedback_stored_total", ("kind", "like"))]
    before = figures(api)
    metrics.served("popular", ["popularity"], 0.01)
    metrics.stored(["like", "like"])
    after = figures(api)
    assert [after[name] - before.get(name, 0) for name in names] == [1, 1, 2]


def test_faults_and_a_store_out_of_reach_are_counted(odd: TestClient) -> None:
    before = figures(odd)
    odd.get("/fail/key")
    odd.get("/fail/store")
    after = figures(odd)
    names = [("marquee_errors_total", ("route", "/fail/{kind}"), ("status", s)) for s in ("500", "503")] + [("marquee_store_errors_total",)]
    assert [after[name] - before.get(name, 0) for name in names] == [1, 1, 1]


# -- life --------------------------------------------------------------------------------------------------------------


class Slow(Desk):
    """A desk that takes its time, and may fail."""

    def __init__(self, settings: Settings, error: Exception | None = None) -> None:
        super().__init__(settings, watch=False)
        self.go, self.error, self.closed = threading.Event(), error, False

    def open(self) -> None:
        self.go.wait(10)
        if self.error:
            raise self.error

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("error", [None, OSError("no such place")])
def test_it_lives_at_once_and_is_ready_only_with_models(api: TestClient, error: Exception | None) -> None:
    desk = Slow(api.app.state.settings, error)
    with TestClient(create(desk, desk.settings), "http://localhost", client=HOME) as made:
        assert made.get("/health").json() == {"status": "live"}
        assert made.get("/api/health").json() == {"status": "live", "ready": False, "what": None}
        for answer in (made.get("/ready"), made.post("/recommendations", json={})):
            assert is_problem(answer, 503)["title"] == "not ready"
            assert answer.headers["retry-after"] == "2"
        desk.go.set()
    assert desk.closed
    ready = api.get("/ready").json()
    assert ready["model_version"] == api.app.state.desk.service.version
    assert "hybrid" in ready["models"]


def test_requests_under_way_are_answered_before_the_end(api: TestClient) -> None:
    desk = Slow(api.app.state.settings)
    desk.go.set()
    app, order = create(desk, desk.settings), []

    def slow() -> str:
        order.append("asked")
        time.sleep(0.3)
        order.append("answered")
        return "done"

    app.add_api_route("/slow", slow)
    desk.close = lambda: order.append("closed")  # type: ignore[method-assign]
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=5))
    running = threading.Thread(target=server.run)
    running.start()
    while not server.started:
        time.sleep(0.01)
    port, got = server.servers[0].sockets[0].getsockname()[1], []
    asking = threading.Thread(target=lambda: got.append(_get(port, "/slow")))
    asking.start()
    while not order:
        time.sleep(0.01)
    server.should_exit = True
    running.join(10)
    asking.join(10)
    assert order == ["asked", "answered", "closed"]
    assert got == [b'"done"']


def _get(port: int, path: str) -> bytes:
    import urllib.request

    return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).read()


# -- how it is told to be asked ----------------------------------------------------------------------------------------


def test_every_route_is_described(api: TestClient) -> None:
    told = api.get("/openapi.json").json()
    operations = [(path, one) for path, methods in told["paths"].items() for one in methods.values()]
    names = [one["operationId"] for _, one in operations]
    assert len(names) == len(set(names))
    for path, one in operations:
        assert one["tags"], path
        assert one["description"], path
        for status in ("401", "403", "413", "422", "429", "500", "503"):
            (kind,) = one["responses"][status]["content"]
            assert kind == "application/problem+json", f"{path} {status}"
        assert (one.get("security") == []) == (path in guard.OPEN)
    shapes = told["components"]["schemas"]
    assert {"errors", "choices"} <= set(shapes["ProblemDetails"]["properties"])
    assert {name.rpartition("/")[2] for name in re.findall(r'"\$ref": "([^"]+)"', json.dumps(told))} <= set(shapes)
    assert set(told["components"]["securitySchemes"]) == {"bearer", "key"}
    assert {} in told["security"]
    assert {} not in client(api, **keyed(KEY)).get("/openapi.json").json()["security"]


def test_the_documentation_needs_no_network(api: TestClient) -> None:
    page = api.get("/docs").text
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    for file in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/docs/files/{file}" in page
        assert api.get(f"/docs/files/{file}").status_code == 200


def test_the_fork_takes_paths_of_the_api_and_no_others() -> None:
    api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    api.add_api_route("/api/films/{id}", lambda id: f"film {id}")
    dashboard = FastAPI(openapi_url=None)
    dashboard.add_api_route("/{path:path}", lambda path: f"page {path}")
    both = TestClient(Fork(dashboard, api))
    for path, said in {"/api/films/7": "film 7", "/": "page ", "/compare": "page compare", "/apifilms": "page apifilms"}.items():
        assert both.get(path).json() == said
    assert both.get("/api/nothing").status_code == 404
