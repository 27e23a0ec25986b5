"""The dashboard and the REST API in one process, and the command that starts them."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recommender.__main__ import app
from recommender.api import command
from recommender.api.loop import STEP
from recommender.settings import ROOT, Settings

TOGETHER = """
import json
from starlette.testclient import TestClient
from recommender.serve import desk
from recommender.settings import settings

desk.Desk.open = lambda self: None  # no models are wanted here
import server

with TestClient(server.app, "http://localhost", client=("127.0.0.1", 1)) as both:
    said = {}
    for path in ("/", "/compare", "/_stcore/health", "/health", "/ready", "/metrics", "/docs", "/api/nothing"):
        answer = both.get(path, headers={"Host": "localhost"})
        said[path] = [answer.status_code, answer.headers["content-type"].partition(";")[0]]
    said["stranger"] = both.get("/api/movie_genres", headers={"Host": "evil.example"}).status_code
    with both.websocket_connect("/_stcore/stream", subprotocols=["streamlit"]) as socket:
        said["socket"] = socket.accepted_subprotocol
    said["one desk"] = server.api.state.desk is desk.shared(settings())
print("said", json.dumps(said))
"""


def test_both_answer_at_one_address_over_one_desk(tmp_path: Path) -> None:
    place = os.environ | {"MARQUEE_DATABASE_URL": f"sqlite:///{tmp_path / 'f.sqlite'}", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ran = subprocess.run([sys.executable, "-c", TOGETHER], cwd=ROOT, env=place, capture_output=True, text=True, timeout=120)
    _, _, line = ran.stdout.partition("said {")  # the log of another thread may stand before it in its line
    assert line, (ran.returncode, ran.stdout[-2000:], ran.stderr[-3000:])
    page, problem = [200, "text/html"], "application/problem+json"
    assert json.JSONDecoder().raw_decode(f"{{{line}")[0] == {
        "/": page,
        "/compare": page,
        "/_stcore/health": [200, "text/plain"],
        "/health": [200, "application/json"],
        "/ready": [503, problem],
        "/metrics": [200, "text/plain"],
        "/docs": page,
        "/api/nothing": [404, problem],
        "stranger": 403,
        "socket": "streamlit",
        "one desk": True,
    }


def test_pages_and_the_api_do_not_share_names() -> None:
    from recommender.api.app import create
    from recommender.api.fork import names
    from recommender.serve.desk import Desk

    settings = Settings()  # type: ignore[call-arg]
    taken = names(create(Desk(settings), settings))
    assert {"api", "recommendations", "feedback", "health", "ready", "metrics", "docs", "openapi.json", "problems"} == taken
    assert not taken & ({page.stem for page in (ROOT / "pages").glob("*.py")} | {"", "_stcore", "static", "media", "component", "app"})


@pytest.fixture
def stays(monkeypatch: pytest.MonkeyPatch) -> list:
    """What would have been started."""
    started: list = []
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: started.append((self.config, sockets[0].getsockname())))
    monkeypatch.setattr("uvicorn.supervisors.Multiprocess.run", lambda self: started.append((self.config, os.environ["PROMETHEUS_MULTIPROC_DIR"])))
    monkeypatch.setattr(os, "execv", lambda program, words: started.append(words))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    return started


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def test_serve_listens_on_this_machine_and_believes_no_proxy(stays: list) -> None:
    port = free()
    assert CliRunner().invoke(app, ["serve", "--port", str(port)]).exit_code == 0
    config, place = stays[0]
    assert place == ("127.0.0.1", port)
    assert (config.proxy_headers, config.access_log, config.server_header) == (False, False, False)
    assert config.timeout_graceful_shutdown > 0


def test_workers_share_a_place_for_their_figures_that_is_gone_at_the_end(stays: list) -> None:
    assert CliRunner().invoke(app, ["serve", "--port", str(free()), "--workers", "2"]).exit_code == 0
    config, folder = stays[0]
    assert config.workers == 2
    assert folder
    assert not Path(folder).exists()


def test_a_process_leaves_new_connections_to_those_that_hold_fewer(stays: list, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first it takes at once, and only that; for each further one it waits, in which another process on the same socket may take it."""
    CliRunner().invoke(app, ["serve", "--port", str(free()), "--workers", "2"])
    loop, taken, failed, now = stays[0][0].get_loop_factory()(), [], [], [0.0]
    loop.set_exception_handler(lambda _, what: failed.append(what))
    monkeypatch.setattr(loop, "time", lambda: now[0])

    class Connection(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken.append(transport)

    def left(others: socket.socket) -> int:
        """How many connections another process finds; it lets them go."""
        for found in itertools.count():
            try:
                others.accept()[0].close()
            except BlockingIOError:
                return found

    def after(steps: float) -> int:
        """How many connections it has taken in all, some steps later."""
        now[0] += steps * STEP
        for _ in range(5):  # turns: to see it, to take it, to tell
            loop.call_soon(loop.stop)
            loop.run_forever()
        return len(taken)

    def connections() -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
            place, others = listening.getsockname(), socket.fromfd(listening.fileno(), socket.AF_INET, socket.SOCK_STREAM)
            serving = loop.run_until_complete(loop.create_server(Connection, sock=listening))
            asked = [socket.create_connection(place) for _ in range(5)]
            assert (after(0), left(others)) == (1, 4)
            after(1.1)  # what it waited for, another took
            asked += [socket.create_connection(place) for _ in range(2)]
            assert [after(0), after(1.1), after(1.1)] == [1, 2, 2]  # it holds one, and waits one step; then it holds two
            assert left(others) == 1
            after(1.1)
            asked += [socket.create_connection(place)]
            assert after(0) == 2
            serving.close()
            assert (after(3), failed) == (2, [])  # closed while it waits
        for one in (*asked, others, *taken, loop):
            one.close()

    with ThreadPoolExecutor(1) as other:  # a browser test may have left a loop at work in this thread
        other.submit(connections).result(60)


def test_one_process_alone_waits_with_none(stays: list) -> None:
    CliRunner().invoke(app, ["serve", "--port", str(free())])
    loop = stays[0][0].get_loop_factory()()
    assert type(loop) is asyncio.SelectorEventLoop
    loop.close()


def test_the_dashboard_comes_along(stays: list) -> None:
    port = str(free())
    CliRunner().invoke(app, ["serve", "--port", port, "--app"])
    assert stays[0][1:5] == ["-m", "streamlit", "run", str(ROOT / "server.py")]
    assert stays[0][5:9] == ["--server.address", "127.0.0.1", "--server.port", port]


@pytest.mark.parametrize(
    "words, says",
    [
        (["--host", "0.0.0.0"], "MARQUEE_API_KEYS"),
        (["--app", "--workers", "2"], "wanted 1 with --app"),
        (["--host", "192.0.2.1"], "MARQUEE"),
    ],
)
def test_what_would_open_it_to_whoever_comes_is_not_started(stays: list, words: list[str], says: str) -> None:
    ran = CliRunner().invoke(app, ["serve", "--port", str(free()), *words])
    assert isinstance(ran.exception, ValueError)
    assert says in str(ran.exception)
    assert not stays


def test_with_keys_it_may_listen_everywhere(stays: list, monkeypatch: pytest.MonkeyPatch) -> None:
    keyed = Settings(api_keys="a-key-for-the-tests")  # type: ignore[call-arg,arg-type]
    monkeypatch.setattr(command, "settings", lambda: keyed)
    assert CliRunner().invoke(app, ["serve", "--port", str(free()), "--host", "0.0.0.0"]).exit_code == 0
    assert stays[0][1][0] == "0.0.0.0"


def test_a_port_that_is_taken_is_named(stays: list) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = CliRunner().invoke(app, ["serve", "--port", str(port)])
    assert str(ran.exception) == f"cannot listen on port {port} of 127.0.0.1: Address already in use; wanted a free one, by --port"
    assert not stays
