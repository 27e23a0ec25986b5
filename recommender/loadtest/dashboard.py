"""The dashboard as its own process on loopback, with an empty store of its own, and how much memory it holds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from recommender.loadtest.server import ended
from recommender.settings import ROOT

OPENING = 120  # seconds that a server may take to answer
ENTRIES = ("app.py", "server.py")


@dataclass(frozen=True)
class Dashboard:
    """A server that was just started: its address, its process, and when it was started [unix s]."""

    address: str
    process: psutil.Process
    started: float

    def healthy(self) -> float:
        """Wait for the first sign of life; seconds from the start to it."""
        while time.time() < self.started + OPENING and self.process.is_running():
            try:
                if urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=5).read() == b"ok":
                    return time.time() - self.started
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(f"the dashboard did not answer within {OPENING} s")

    def memory(self) -> dict[str, float]:
        """Resident memory [MB]; with files that others read, too, by the number of readers; and without what is shared."""
        found = self.process.memory_full_info()
        return {"rss_mb": round(found.rss / 1e6, 1), "pss_mb": round(getattr(found, "pss", found.rss) / 1e6, 1), "uss_mb": round(found.uss / 1e6, 1)}


def commit(root: Path) -> str:
    """The commit of a checkout, with a plus where its files differ from it."""
    ask = lambda *words: subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    changed = ask("status", "--porcelain", "--untracked-files=no")
    return ask("rev-parse", "--short", "HEAD") + ("+" if changed else "")


@contextmanager
def dashboard(root: Path = ROOT, entry: str = "app.py", raw: Path | None = None) -> Iterator[Dashboard]:
    """`streamlit run app.py` or `server.py` of a checkout; `raw` is the folder of fetched data sets, none where it is not said."""
    if entry not in ENTRIES:
        raise ValueError(f"entry is {entry!r}, wanted one of {', '.join(ENTRIES)}")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    options = {"port": port, "address": "127.0.0.1", "headless": "true", "fileWatcherType": "none"}
    flags = [part for name, value in options.items() for part in (f"--server.{name}", str(value))]
    with tempfile.TemporaryDirectory(prefix="marquee-speed-") as folder:
        own = {"DATABASE_URL": f"sqlite:///{folder}/feedback.sqlite", "RELEASES": f"{folder}/releases", "RAW": str(raw or Path(folder, "none"))}
        own |= {"API_RATE": "", "API_KEYS": ""}
        with Path(folder, "server.log").open("w") as out:
            started = time.time()
            process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", entry, *flags],
                cwd=root,
                env={**os.environ, **{f"MARQUEE_{name}": value for name, value in own.items()}},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            yield Dashboard(f"http://127.0.0.1:{port}", psutil.Process(process.pid), started)
        finally:
            ended(process)
