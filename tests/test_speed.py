"""What keeps the app quick and small: answers that leave at once, releases that are let go of, memory given back."""

from __future__ import annotations

import gc
import socket
import sys
import weakref

import psutil
import pytest

from recommender.serve.desk import Desk
from recommender.serve.memory import few_heaps, give_back
from recommender.serve.service import Service
from recommender.serve.sockets import undelayed
from recommender.settings import settings
from recommender.types import Context


def test_what_a_listening_socket_accepts_sends_at_once() -> None:
    with socket.socket() as server:  # as Streamlit makes it: without its protocol, so that asyncio leaves it alone
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert undelayed() >= 1
        with socket.create_connection(server.getsockname()) as client:
            accepted, _ = server.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0, "a socket made later is nobody's business here"


@pytest.fixture
def old() -> Service:
    desk = Desk(settings(), watch=False)
    desk.open()
    return desk.service


def test_a_retired_service_lets_go_of_its_models_whoever_holds_it(old: Service) -> None:
    viewer = old.viewers["vera"]
    request = old.request(viewer, old.query(viewer, Context("evening", "tv")))
    home = old.home(viewer, old.query(viewer, Context("evening", "tv")))
    models = [weakref.ref(model) for name, model in old.models.items() if name != "user_knn"]  # that is of the data set
    assert all(model() is not None for model in models)
    old.retire()
    gc.collect()
    assert [type(model()).__name__ for model in models if model() is not None] == []
    assert old.retired
    assert request
    assert home


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_free_memory_between_what_is_in_use_is_given_back() -> None:
    rss = lambda: psutil.Process().memory_info().rss / 1e6
    held = [bytearray(30_000) for _ in range(8_000)]  # 240 MB in pieces too small to be mapped one by one
    del held[::2], held[: len(held) - 10]
    before = rss()
    give_back()
    assert before - rss() > 50
    assert few_heaps()
