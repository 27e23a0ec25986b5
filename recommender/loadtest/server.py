"""A server under load and the users before it, as processes of this machine, and what both use of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from recommender.loadtest.questions import Question
from recommender.settings import ROOT

OPENING = 180  # seconds that a server may take to load
EVERY = 0.25  # seconds between two looks at the processes
CROWD = Path(__file__).with_name("crowd.py")


@dataclass(frozen=True)
class Look:
    """What the processes had used by a moment: seconds of processor by server and users, and the server's memory [MB]."""

    at: float
    server: float
    crowd: float
    megabytes: float


@contextmanager
def serving(workers: int) -> Iterator[tuple[str, psutil.Process]]:
    """`python -m recommender serve` on loopback with a store of its own and no limit of requests: its address and process, all workers ready."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="marquee-load-") as folder:
        store = {"MARQUEE_DATABASE_URL": f"sqlite:///{folder}/feedback.sqlite", "MARQUEE_API_RATE": "", "MARQUEE_API_KEYS": ""}
        command = [sys.executable, "-m", "recommender", "serve", "--port", str(port), "--workers", str(workers)]
        log = Path(folder) / "server.log"
        with log.open("w") as out:
            server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **store, "OMP_NUM_THREADS": "1"}, stdout=out, stderr=subprocess.STDOUT)
        try:
            _ready(f"http://127.0.0.1:{port}", server, log, workers)
            yield f"http://127.0.0.1:{port}", psutil.Process(server.pid)
        finally:
            ended(server)


def ended(server: subprocess.Popen) -> None:
    """Asked to end, and made to where it does not, with all its workers."""
    family = psutil.Process(server.pid).children(recursive=True) if server.poll() is None else []
    server.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.wait(30)
    for process in (*family, server):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    server.wait()
    psutil.wait_procs(family, 5)


def _ready(address: str, server: subprocess.Popen, log: Path, workers: int) -> None:
    """Wait until whichever worker is asked is ready: it must be so many times in a row."""
    end, row = time.monotonic() + OPENING, 0
    while row < 20 * workers:
        if server.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the server did not get ready (exit code {server.poll()}); it said:\n{log.read_text('utf-8')[-2000:]}")
        try:
            urllib.request.urlopen(f"{address}/ready", timeout=5).read()
            row += 1
        except OSError:
            row = 0
            time.sleep(0.2)


def visited(
    address: str, server: psutil.Process, questions: list[Question], users: int, think: float, seconds: float, most: int
) -> tuple[list[dict[str, Any]], list[Look]]:
    """Let so many users ask for so long, at most so many requests: every answer as noted by them, and looks at the processes meanwhile."""
    with tempfile.TemporaryDirectory(prefix="marquee-crowd-") as folder:
        asked, answered = Path(folder) / "questions.json", Path(folder) / "answers.json"
        asked.write_text(json.dumps(questions), "utf-8")
        told = {"QUESTIONS": asked, "ANSWERS": answered, "THINK": think, "MOST": most}
        command = [sys.executable, "-m", "locust", "-f", str(CROWD), "--headless", "--host", address, "--only-summary", "--loglevel", "ERROR"]
        command += [
            "--users",
            str(users),
            "--spawn-rate",
            str(users),
            "--run-time",
            f"{round(seconds)}s",
            "--stop-timeout",
            "10",
            "--exit-code-on-error",
            "0",
        ]
        crowd = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **{f"MARQUEE_LOAD_{name}": str(value) for name, value in told.items()}},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        looks, over = list[Look](), threading.Event()
        watching = threading.Thread(target=_watch, args=(server, psutil.Process(crowd.pid), looks, over))
        watching.start()
        try:
            _, said = crowd.communicate(timeout=seconds + 60)
        finally:
            over.set()
            watching.join()
            crowd.kill()
            crowd.wait()
        if not answered.is_file():
            raise RuntimeError(f"locust wrote nothing (exit code {crowd.returncode}); it said:\n{said.decode()[-2000:]}")
        return json.loads(answered.read_text("utf-8")), looks


def _watch(server: psutil.Process, crowd: psutil.Process, looks: list[Look], over: threading.Event) -> None:
    while not over.wait(EVERY):
        with suppress(psutil.NoSuchProcess):
            family = [server, *server.children(recursive=True)]
            looks.append(Look(time.time(), sum(map(_used, family)), _used(crowd), sum(p.memory_info().rss for p in family) / 1e6))


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
