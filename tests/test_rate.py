"""The rate limit with a real Redis: replicas count together, and where it ends everybody is answered."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import redis
from fastapi.testclient import TestClient
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed
from test_api_core import client

LIMIT = {"api_rate": "5/hour"}


@pytest.fixture
def server() -> Iterator[tuple[str, subprocess.Popen]]:
    """Its address, and its process."""
    if (program := shutil.which("redis-server")) is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = subprocess.Popen([program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as asked:
            Retrying(retry=retry_if_exception_type(redis.ConnectionError), stop=stop_after_delay(10), wait=wait_fixed(0.05))(asked.ping)
        yield f"redis://127.0.0.1:{port}", running
    finally:
        running.kill()
        running.wait()


def test_replicas_count_together(api: TestClient, server: tuple[str, subprocess.Popen]) -> None:
    with ExitStack() as open_:
        replicas = [open_.enter_context(client(api, api_rate_store=server[0], **LIMIT)) for _ in range(2)]
        found = [replicas[n % 2].get("/api/movie_genres") for n in range(7)]
    assert [answer.status_code for answer in found] == [200] * 5 + [429] * 2
    assert [answer.headers["ratelimit-remaining"] for answer in found] == ["4", "3", "2", "1", "0", "0", "0"]


def test_how_long_a_window_lasts_is_told_from_its_first_answer_on(api: TestClient, server: tuple[str, subprocess.Popen]) -> None:
    with client(api, api_rate="50/hour", api_rate_store=server[0]) as made:
        told = [int(made.get("/api/movie_genres").headers["ratelimit-reset"]) for _ in range(3)]
    assert all(3590 <= seconds <= 3600 for seconds in told), told


def test_in_memory_each_counts_for_itself(api: TestClient) -> None:
    with ExitStack() as open_:
        replicas = [open_.enter_context(client(api, **LIMIT)) for _ in range(2)]
        assert {replicas[n % 2].get("/api/movie_genres").status_code for n in range(7)} == {200}


def test_where_redis_ends_everybody_is_answered(api: TestClient, server: tuple[str, subprocess.Popen]) -> None:
    with client(api, api_rate_store=server[0], **LIMIT) as made:
        assert [made.get("/api/movie_genres").status_code for _ in range(6)] == [200] * 5 + [429]
        server[1].kill()
        server[1].wait()
        assert [made.get("/api/movie_genres").status_code for _ in range(3)] == [200] * 3
