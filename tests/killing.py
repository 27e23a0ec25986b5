"""Kill the server while people send feedback, and count what is left: `PYTHONPATH=. python tests/killing.py`, over both stores, by 1 and 2 workers.

Law: whatever was acknowledged is stored, and nothing is stored twice. Where the server was asked to end (SIGTERM) instead of killed, every event that
is stored was acknowledged too: no request was cut off.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import postgres

from recommender.api.asked import Recommend, Said
from recommender.client import ApiError, Client, NoAnswer
from recommender.serve.feedback import Feedback
from recommender.settings import ROOT

OPENING = 180  # seconds that a server may take to load


@dataclass
class Server:
    """`python -m recommender serve` over a store, in a process group of its own, always at the same address."""

    store: str
    folder: Path
    workers: int = 1
    port: int = 0
    process: subprocess.Popen | None = None

    def __post_init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; returns at once."""
        place = {"MARQUEE_DATABASE_URL": self.store, "MARQUEE_API_RATE": "", "MARQUEE_API_KEYS": "", "MARQUEE_RELEASES": str(self.folder)}
        command = [sys.executable, "-m", "recommender", "serve", "--port", str(self.port), "--workers", str(self.workers)]
        with (self.folder / "server.log").open("a") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **place, "OMP_NUM_THREADS": "1"}, stdout=out, stderr=out, start_new_session=True
            )

    def ready(self) -> None:
        """Wait until it has answered with films, in a row as often as it has workers twice over."""
        end, row = time.monotonic() + OPENING, 0
        while row < 2 * self.workers:
            assert self.process is not None
            said = (self.folder / "server.log").read_text()[-2000:]
            assert self.process.poll() is None, f"the server ended:\n{said}"
            assert time.monotonic() < end, f"the server did not get ready:\n{said}"
            try:
                with Client(self.address, retries=0) as client:
                    row += len(client.recommend(Recommend(k=1)).recommendations)
            except (ApiError, NoAnswer):
                row = 0
                time.sleep(0.1)

    def end(self, how: signal.Signals) -> int:
        """End the whole group, and say with what status."""
        assert self.process is not None
        if how == signal.SIGKILL:
            os.killpg(self.process.pid, how)
        else:
            self.process.send_signal(how)
        return self.process.wait(60)


@dataclass
class Crowd:
    """Threads that send one like after the other, each under an id of its own; every event is noted before it is sent and when it is acknowledged.

    retries: of each request. Without any, each is a connection of its own, so that only what was accepted can be cut off.
    """

    address: str
    threads: int
    retries: int = 0
    name: str = field(default_factory=lambda: f"k{uuid4().hex[:8]}")
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    troubles: Counter[str] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)
    _at_work: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._at_work = [threading.Thread(target=self._send, args=(n,), daemon=True) for n in range(self.threads)]
        for thread in self._at_work:
            thread.start()

    def stop(self) -> None:
        """Let everybody finish what they are about."""
        self.over.set()
        for thread in self._at_work:
            thread.join(120)
            assert not thread.is_alive(), "a sender does not end"

    def _send(self, thread: int) -> None:
        client, number = Client(self.address, retries=self.retries, timeout=30), 0
        while not self.over.is_set():
            id_ = f"{self.name}-{thread}-{number}"
            number += 1
            self.sent.add(id_)
            try:
                told = client.feedback(Said(user_id=f"{self.name}-{thread}", kind="like", movie_id=2571, id=id_))
                self.acknowledged.update(told.ids)
            except (ApiError, NoAnswer) as error:
                self.troubles[str(error).partition(": ")[2][:60]] += 1
                self.over.wait(0.02)
            if not self.retries:
                client.close()

    def stored(self, store: str) -> Counter[str]:
        """How often each of the events is stored."""
        feedback = Feedback.open(store)
        try:
            found = [event["id"] for n in range(self.threads) for event in feedback.export(f"{self.name}-{n}")["events"]]
        finally:
            feedback.close()
        return Counter(found)


@dataclass(frozen=True)
class Round:
    """What came of one round: events by what became of them."""

    sent: int
    acknowledged: int
    found: int
    lost: int
    twice: int
    unsaid: int  # stored, and never acknowledged
    status: int


def round_of(server: Server, how: signal.Signals, seconds: float, threads: int) -> Round:
    """Send to a ready server for so long, then end it, and look into the store."""
    crowd = Crowd(server.address, threads)
    crowd.start()
    time.sleep(seconds)
    status = server.end(how)
    crowd.stop()
    found = crowd.stored(server.store)
    twice = sum(count > 1 for count in found.values())
    lost, unsaid = len(crowd.acknowledged - set(found)), len(set(found) - crowd.acknowledged)
    return Round(len(crowd.sent), len(crowd.acknowledged), len(found), lost, twice, unsaid, status)


def over_a_restart(server: Server, seconds: float, threads: int) -> tuple[int, int, int]:
    """Send with retries to a ready server, kill it, start it again, and go on a little: events sent, acknowledged, and stored exactly once."""
    crowd = Crowd(server.address, threads, retries=40)
    crowd.start()
    time.sleep(seconds)
    server.end(signal.SIGKILL)
    before = len(crowd.acknowledged)
    server.start()
    server.ready()
    end = time.monotonic() + 30
    while len(crowd.acknowledged) < before + threads and time.monotonic() < end:
        time.sleep(0.05)
    crowd.stop()
    found = crowd.stored(server.store)
    return len(crowd.sent), len(crowd.acknowledged), sum(found[id_] == 1 for id_ in crowd.sent)


@contextmanager
def stores(folder: Path) -> Iterator[dict[str, str]]:
    """Name -> address of an empty store of each kind."""
    programs = postgres.programs()
    kinds = {"sqlite": f"sqlite:///{folder / 'feedback.sqlite'}"}
    if programs is None:
        yield kinds
        return
    with postgres.server(programs) as address, postgres.database(address, "killing") as fresh:
        yield {**kinds, "postgresql": fresh}


def main() -> None:
    """Several rounds of each kind, in a table."""
    parser = argparse.ArgumentParser(prog="tests/killing.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="of each kind")
    parser.add_argument("--threads", type=int, default=16, help="that send at a time")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="marquee-killing-") as folder, stores(Path(folder)) as kinds:
        for kind, store in kinds.items():
            for workers in (1, 2):
                server = Server(store, Path(folder), workers)
                for n in range(asked.rounds):
                    for how in (signal.SIGKILL, signal.SIGTERM):
                        server.start()
                        server.ready()
                        print(kind, workers, how.name, n, round_of(server, how, rng.uniform(0.5, 4), asked.threads), flush=True)
                server.start()
                server.ready()
                sent, acknowledged, once = over_a_restart(server, rng.uniform(0.5, 3), asked.threads)
                server.end(signal.SIGTERM)
                print(kind, workers, f"over a restart: sent {sent}, acknowledged {acknowledged}, stored exactly once {once}", flush=True)


if __name__ == "__main__":
    main()
