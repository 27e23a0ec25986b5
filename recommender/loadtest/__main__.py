"""`python -m recommender.loadtest`: measure the REST API under load on this machine and write artifacts/reports/load.json."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastapi
import numpy as np
import scipy
import uvicorn
from rich.console import Console

from recommender import artifacts
from recommender.evaluate.report import Report, Row, write
from recommender.settings import settings

WARM = 3  # seconds of each run that count for nothing
THINK = 1.0  # seconds between an answer and the next question, on average, of users who read
GOAL = {"quantile": 0.99, "ms": 20.0, "users": 8, "processors": 2}
MOST = 50_000  # requests of one run
WAYS = {"closed loop": 0.0, "with think time": THINK}


def main() -> None:
    """Serve, let users ask, and write down what it took."""
    parser = argparse.ArgumentParser(prog="python -m recommender.loadtest", description="The REST API under load, on loopback.")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], metavar="N", help="processes that answer")
    parser.add_argument("--users", type=int, nargs="+", default=[1, 8, 32], metavar="N", help="users who ask at a time")
    parser.add_argument("--seconds", type=int, default=60, help="of each run that count; too few bound no 99th percentile")
    parser.add_argument("--seed", type=int, default=0, help="of what is asked")
    parser.add_argument("--out", type=Path, default=None, metavar="FOLDER", help="where load.json goes; the reports where there is none")
    asked = parser.parse_args()
    for name, values, most in (("--workers", asked.workers, 16), ("--users", asked.users, 200), ("--seconds", [asked.seconds], 300)):
        if any(not 1 <= value <= most for value in values):
            parser.error(f"{name} is {' '.join(f'{v:g}' for v in values)}, wanted 1 to {most}")
    if locust() is None:
        parser.error("Locust is not installed; get it with: pip install -r requirements-dev.txt")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended, too
    try:
        report = measured(asked.workers, asked.users, asked.seconds, asked.seed)
    except (RuntimeError, ValueError, OSError, subprocess.TimeoutExpired) as error:
        parser.exit(1, f"error: {error}\n")
    Console().print(f"written to {write(report, asked.out or settings().artifacts / 'reports')}", highlight=False)


def measured(workers: list[int], users: list[int], seconds: int, seed: int) -> Report:
    """All runs, one after the other: each number of processes, with and without time to think, each number of users."""
    from recommender.loadtest.figures import figures
    from recommender.loadtest.questions import DEMO, FEWEST, TOLD, K, questions
    from recommender.loadtest.questions import MOST as MOST_FILMS
    from recommender.loadtest.server import serving, visited
    from recommender.serve.service import Service

    console, rows, failed = Console(), list[Row](), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="marquee-load-") as folder:
        service = Service.open(settings().model_copy(update={"database_url": f"sqlite:///{folder}/feedback.sqlite"}))
        asks = questions(service, 2000, np.random.default_rng(seed))
    for processes in workers:
        with serving(processes) as (address, server):
            for way, think in WAYS.items():
                for many in users:
                    noted, looks = visited(address, server, asks, many, think, seconds + WARM, MOST)
                    found = figures(f"{way}, {processes} worker{'s' * (processes > 1)}", many, noted, looks, WARM)
                    rows += found
                    failed.update(f"{a['path']}: {a['why']}" for a in noted if a["failed"])
                    told = ", ".join(f"{r.metric} {r.mean:,.1f}" for r in found if r.metric in ("requests a second", "ms p50", "ms p99"))
                    console.print(f"{found[0].variant}, {many} users: {told}", highlight=False)
    mix = {"films": K, "demo viewers": DEMO, "films sent": [FEWEST, MOST_FILMS], "feedback": TOLD}
    more = {
        "goal": GOAL,
        "machine": machine(),
        "failed": dict(failed),
        "seconds": seconds,
        "warm": WARM,
        "think": THINK,
        "asked": mix,
        "release": service.version,
    }
    card = artifacts.card("hybrid", settings().artifacts)
    data = card["data"]
    command = f"python -m recommender.loadtest --workers {_words(workers)} --users {_words(users)} --seconds {seconds} --seed {seed}"
    versions = {"python": platform.python_version(), "locust": locust() or "", **{p.__name__: p.__version__ for p in (fastapi, uvicorn, np, scipy)}}
    return Report(
        "load", f"models of {data['ratings']:,} ratings", str(data["sha256"]), "", [seed], versions, datetime.now(UTC).date().isoformat(), command,
        rows=rows, more=more,
    )  # fmt: skip


def locust() -> str | None:
    """The version of Locust; None where it is not installed. It is never imported here: that would change how this process waits."""
    done = subprocess.run([sys.executable, "-m", "locust", "--version"], capture_output=True, text=True)
    return done.stdout.split()[1] if done.returncode == 0 else None


def machine() -> dict[str, Any]:
    """The processor by name, the cores this process may use, and the memory [GB]."""
    said = Path("/proc/cpuinfo")
    lines = said.read_text("utf-8").splitlines() if said.is_file() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {"processor": name, "cores": cores, "memory_gb": round(memory, 1), "system": platform.system()}


def _words(numbers: list[int]) -> str:
    return " ".join(map(str, numbers))


if __name__ == "__main__":
    main()
