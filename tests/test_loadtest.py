"""The figures of a load test by hand, what is asked in one, and one tiny run against nothing but a stand-in for the server's processes."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from scipy.stats import binom
from starlette.testclient import TestClient

import recommender.loadtest.__main__ as load
from recommender.api.command import _listen
from recommender.evaluate.report import Report, Row, read, write
from recommender.loadtest.answers import lacks, opened
from recommender.loadtest.figures import figures, quantile
from recommender.loadtest.questions import FEWEST, MOST, questions
from recommender.loadtest.server import Look
from recommender.serve.service import Service

ROOT = Path(__file__).resolve().parents[1]


def test_a_quantile_is_bounded_by_places_of_the_binomial() -> None:
    # Of 1000 values 0..999, the number below the true 99th percentile is binomial(1000, .99), whose middle 95% is 983 to 996.
    assert (binom.ppf(0.025, 1000, 0.99), binom.ppf(0.975, 1000, 0.99)) == (983, 996)
    value, lo, hi = quantile(np.random.default_rng(0).permutation(1000), 0.99)
    assert (value, lo, hi) == (pytest.approx(989.01), 982, 996)
    # 20 values cannot bound their 99th percentile from above.
    assert np.isnan(quantile(np.arange(20), 0.99)[1:]).all()


def test_the_interval_covers_the_true_quantile_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    truth = -np.log(0.05)  # 95th percentile of the exponential distribution
    covered = [lo <= truth <= hi for _, lo, hi in (quantile(rng.exponential(size=400), 0.95) for _ in range(1000))]
    assert 0.94 <= np.mean(covered) <= 0.985


def noted(n: int = 100) -> list[dict]:
    """One request every 100 ms from second 10 on, of 10 ms, 8 of them the server's; every tenth is feedback of 2 ms, one of the last lists fails."""
    answers = [{"path": "/recommendations", "at": 10 + i / 10, "ms": 10.0, "failed": False, "server_ms": 8.0} for i in range(n)]
    for answer in answers[9::10]:
        answer |= {"path": "/feedback", "ms": 2.0, "server_ms": None}
    answers[-3] |= {"failed": True, "ms": 150.0, "server_ms": 0.0}
    return answers


def test_figures_leave_out_the_warm_up_and_what_failed() -> None:
    slow = noted()
    for answer in slow[:30]:  # the first three seconds
        answer["ms"] = 900.0
    looks = [Look(10 + t, 0.8 * t, 0.1 * t, 500 + t) for t in range(12)]
    found = {r.metric: r for r in figures("closed loop, 1 worker", 4, slow, looks, 3.0)}
    assert {r.segment for r in found.values()} == {"users=4"}
    # 70 requests from second 13 to the end of the last, 19.9 s + 2 ms.
    assert found["requests a second"].mean == pytest.approx(70 / 6.902, abs=1e-3)
    assert found["failures"].mean == pytest.approx(1 / 70, abs=1e-3)
    assert (found["ms p50"].mean, found["ms p99"].mean, found["ms p50"].n) == (10, 10, 62)
    assert (found["server ms p99"].mean, found["feedback ms p50"].mean, found["feedback ms p50"].n) == (8, 2, 7)
    assert (found["server processors"].mean, found["users' processors"].mean) == (pytest.approx(0.8), pytest.approx(0.1))
    assert found["server MB"].mean == 509  # the last look within the run
    with pytest.raises(ValueError, match="none of them after the first 30 s"):
        figures("closed loop, 1 worker", 4, slow, looks, 30.0)


def test_what_is_asked_is_answered(service: Service, api: TestClient, forgotten: None) -> None:
    asks = questions(service, 300, np.random.default_rng(3))
    assert asks == questions(service, 300, np.random.default_rng(3))
    lists = [q["body"] for q in asks if q["path"] == "/recommendations"]
    sent = [len(body["ratings"]) for body in lists if "ratings" in body]
    assert min(sent) >= FEWEST
    assert max(sent) <= MOST
    assert 0.35 < len(sent) / len(lists) < 0.65
    assert {q["path"] for q in asks} == {"/recommendations", "/feedback"}
    assert 0.05 < 1 - len(lists) / len(asks) < 0.16
    first_of_each = {(q["path"], "ratings" in q["body"]): q for q in reversed(asks)}
    for question in first_of_each.values():
        answer = api.post(question["path"], json=question["body"])
        assert answer.status_code in (200, 201), answer.text
        if question["path"] == "/recommendations":
            told = opened(answer.text)
            assert lacks(told, question["body"]) is None
            assert lacks({}, question["body"]) == "0 films, wanted 10"
            assert lacks(told, {**question["body"], "k": 11}) == "10 films, wanted 11"
            assert lacks(told, {**question["body"], "model": "ease"}) == "ease was asked for, hybrid answered"
            told["recommendations"][3]["reasons"] = []
            assert lacks(told, question["body"]) == "a film without reasons"
            assert answer.json()["metadata"]["inference_time_ms"] > 0


def test_a_report_of_load_is_a_report(tmp_path: Path) -> None:
    rows = [Row("closed loop, 1 worker", "hybrid", "ms p99", None, "users=8", 12.5, 11.0, 14.0, 700)]
    made = Report("load", "ml-1m", "", "", [0], {"python": "3.11"}, "2026-11-22", "python -m recommender.loadtest", rows=rows, more={"think": 1.0})
    assert read(write(made, tmp_path)) == made
    assert json.loads((tmp_path / "load.json").read_text())["rows"][0]["mean"] == 12.5


@pytest.mark.parametrize(("words", "said"), [(["--users", "500"], "--users is 500, wanted 1 to 200"), (["--seconds", "0"], "--seconds is 0")])
def test_a_run_is_bounded(words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["loadtest", *words])
    with pytest.raises(SystemExit) as ended:
        load.main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_what_keeps_a_run_from_ending_well_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def measured(*asked: object) -> Report:
        raise RuntimeError("the server did not get ready")

    monkeypatch.setattr(sys, "argv", ["loadtest"])
    monkeypatch.setattr(load, "locust", lambda: "2")
    monkeypatch.setattr(load, "measured", measured)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            load.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: the server did not get ready\n"


def test_answers_do_not_wait_for_the_acknowledgement_of_their_head() -> None:
    """Nagle's algorithm against delayed acknowledgements costs 40 ms a request on a connection that is kept."""
    with _listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_is_no_object_holds_nothing() -> None:
    assert [opened(text) for text in ("", "{", "[1]", "<html>", '{"a": 1}')] == [{}, {}, {}, {}, {"a": 1}]


STOPPED = """
import subprocess, sys, time
import recommender.loadtest.__main__ as load
from recommender.loadtest.server import ended

def measured(*asked):
    sleeping = "import time; time.sleep(60)"
    working = f"import subprocess, sys; worker = subprocess.Popen([sys.executable, '-c', '{sleeping}']); print(worker.pid, flush=True); worker.wait()"
    server = subprocess.Popen([sys.executable, "-c", working], stdout=subprocess.PIPE, text=True)
    try:
        print(server.pid, server.stdout.readline(), flush=True)
        time.sleep(60)
    finally:
        ended(server)

load.measured, load.locust, sys.argv = measured, lambda: "2", ["loadtest"]
load.main()
"""


def test_a_run_that_is_ended_leaves_nothing_behind() -> None:
    with subprocess.Popen([sys.executable, "-c", STOPPED], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        family = [int(pid) for pid in run.stdout.readline().split()]
        run.terminate()
        assert run.wait(20) == 143
    assert len(family) == 2
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in family)
