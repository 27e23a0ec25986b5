"""Killed under load, the server has every event that it acknowledged, once; asked to end, it answers all that it took."""

from __future__ import annotations

import signal
from pathlib import Path

from killing import Server, over_a_restart, round_of

THREADS = 6


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    server = Server(f"sqlite:///{tmp_path / 'feedback.sqlite'}", tmp_path)
    server.start()
    try:
        server.ready()
        sent, acknowledged, once = over_a_restart(server, 0.7, THREADS)  # killed in the middle, and started again
        assert sent == acknowledged == once >= 2 * THREADS
        ended = round_of(server, signal.SIGTERM, 0.7, THREADS)
        assert (ended.lost, ended.twice, ended.unsaid) == (0, 0, 0)
        assert ended.acknowledged >= THREADS
        assert ended.status in (0, -signal.SIGTERM)
    finally:
        if server.process is not None and server.process.poll() is None:
            server.end(signal.SIGKILL)
