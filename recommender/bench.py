"""How fast, how large: `python -m recommender.bench [--json FILE]`. One thread, real artifacts, no assertion.

Times are medians and 99th percentiles. Models are timed on made-up profiles of several lengths, pages on the demo viewers.
With --json the same figures are a report, with 95% intervals of the quantiles, which the System page draws.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from recommender import artifacts
from recommender.about.process import resident, versions
from recommender.evaluate import report
from recommender.experiment import plan as plans
from recommender.experiment.log import Log
from recommender.experiment.reading import read
from recommender.serve import inquiry, releases
from recommender.serve.changes import changed
from recommender.serve.events import Event
from recommender.serve.logbook import Page
from recommender.serve.service import Service
from recommender.settings import ROOT, Settings, settings
from recommender.stats.places import quantile
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Preferences, Profile, Query

LENGTHS = (0, 3, 10, 50, 200, 500)  # films in a profile
CALLS = 400  # the least that bounds a 99th percentile from above is 368
GOALS = {"model": (5.0, "ms"), "page": (200.0, "ms"), "start": (8.0, "s"), "memory": (1000.0, "MB")}  # times of calls: of their 99th percentile
WORDS = ("matrix", "the godfather", "star wrs", "spielberg", "amelie", "schindlers list", "tom hanks", "2001", "toy stroy", "x")


@dataclass(frozen=True)
class Row:
    """One line of the table: `p99` is empty where a thing is measured once."""

    part: str
    what: str
    value: float | None  # the median where there are several
    p99: float | None
    unit: str
    calls: int
    note: str = ""
    took: tuple[float, ...] = ()  # each call, where there are several


def timed(part: str, what: str, call: Callable[[Any], object], arguments: Iterable[Any], calls: int = CALLS) -> Row:
    """Call with each argument in turn, over and over, after one unmeasured round; milliseconds."""
    arguments = list(arguments)
    for argument in arguments:
        call(argument)
    took = []
    for argument in itertools.islice(itertools.cycle(arguments), calls):
        started = time.perf_counter()
        call(argument)
        took.append(1000 * (time.perf_counter() - started))
    return Row(part, what, float(np.median(took)), float(np.percentile(took, 99)), "ms", calls, took=tuple(took))


def profiles(n_items: int, lengths: Iterable[int], each: int, seed: int) -> list[Query]:
    """Queries with made-up profiles, `each` of every length, in contexts that take turns."""
    rng = np.random.default_rng(seed)
    contexts = itertools.cycle(Context(t, d) for t in TIMES_OF_DAY for d in DEVICES)
    made = []
    for length in lengths:
        for _ in range(each):
            items = rng.choice(n_items, length, replace=False)
            made.append(Query(Profile(items, rng.integers(1, 6, length).astype(float), np.arange(length)), next(contexts)))
    return made


def models(service: Service, seed: int = 0) -> Iterator[Row]:
    """The scores of all films for one viewer: over all lengths of profile, and for the longest alone."""
    mixed, long = profiles(len(service.catalog), LENGTHS, 10, seed), profiles(len(service.catalog), LENGTHS[-1:], 20, seed)
    for name, model in service.models.items():
        score = lambda query, model=model: model.score([query])
        longest = timed("", "", score, long, 100)
        note = f"{longest.value:.2f}, p99 {longest.p99:.2f} with {LENGTHS[-1]} films"
        yield replace(timed("model", name, score, mixed), note=note)


def pages(service: Service, seed: int = 0) -> Iterator[Row]:
    """What a visit asks for, over the demo viewers in all contexts."""
    viewers = [service.person(name) for name in service.viewers]
    asked = [(v, service.query(v, Context(t, d))) for v in viewers for t in TIMES_OF_DAY for d in DEVICES]
    yield timed("page", "Home, every row with its reasons", lambda a: service.home(*a), asked)
    somebody = viewers[0]
    long = [(replace(somebody, profile=query.profile), query) for query in profiles(len(service.catalog), LENGTHS[-1:], 20, seed)]
    yield timed("page", f"Home for a profile of {LENGTHS[-1]} films", lambda a: service.home(*a), long, 60)
    rng = np.random.default_rng(seed)
    films = [(*a, int(rng.choice(np.flatnonzero(service.catalog.allowed(a[0].certificate)))), "hybrid") for a in asked]
    yield timed("page", "details of one film", lambda a: service.details(*a), films)
    yield timed("page", "why a film is not higher", lambda a: inquiry.why_not(service.request(*a[:2]), a[2], ("device",)), films, 60)
    yield timed("page", "search", lambda words: service.search(words, somebody), WORDS)
    change = [(v, q, service.query(v, Context("morning", "mobile"))) for v, q in asked]
    yield timed("page", "what changed with the context", lambda a: service.moved(*a), change)


SET = Preferences(adventure=0.5, variety=0.3, genres=(("Comedy", 1.0),), without=("Alfred Hitchcock",))


def words(service: Service, seed: int = 0) -> Iterator[Row]:
    """What a word costs: to store it, to serve the viewer as they are then, and to say what it changed."""
    rng, now = np.random.default_rng(seed), Context("evening", "tv")
    viewers = [service.person(name) for name in service.viewers]
    films = [(v, int(service.catalog.ids[rng.choice(np.flatnonzero(service.catalog.allowed(v.certificate)))])) for v in viewers for _ in range(5)]
    yield timed("feedback", "a word stored", lambda a: service.record([Event(a[0].id, "like", a[1])]), films, 100)

    def said(a: tuple) -> object:
        service.record([Event(a[0].id, "like", a[1])])
        viewer = service.person(a[0].id)
        return service.home(viewer, service.query(viewer, now))

    yield timed("feedback", "a word stored and Home after it", said, films, 100)
    request = lambda viewer: service.request(viewer, service.query(viewer, now))
    yield timed("feedback", "what the words changed", lambda v: changed(request(v), request(service.person(v.id))), viewers, 60)
    wanted = [replace(v, preferences=SET) for v in viewers]
    yield timed("feedback", "Home with settings by hand", lambda v: service.home(v, service.query(v, now)), wanted, 100)
    shown = [(v.id, Page(service.catalog, service.home(v, service.query(v, now)).carousels)) for v in viewers]
    yield timed(
        "feedback", "a page stored as shown", lambda a: service.record(Page(service.catalog, a[1].carousels).impressions(a[0], {})), shown, 60
    )


def readings(config: Settings) -> Iterator[Row]:
    """Committed experiments, read after each of their days."""
    for path in sorted((config.artifacts / "experiments").glob("*/log.npz")):
        plan, log = plans.read(path.with_name("plan.json")), Log.load(path)
        what = f"health, effects and verdict of {path.parent.name}"
        yield timed("experiment", what, lambda day, plan=plan, log=log: read(plan, log, day), range(plan.days), 42)  # type: ignore[misc]


def sizes(config: Settings) -> Iterator[Row]:
    """Artifacts on disk, largest first."""
    folders = {p.name: sum(f.stat().st_size for f in p.rglob("*") if f.is_file()) / 1e6 for p in config.artifacts.iterdir() if p.is_dir()}
    for name, size in sorted(folders.items(), key=lambda f: -f[1]):
        yield Row("artifact", name, size, None, "MB", 1)
    yield Row("artifact", "all", sum(folders.values()), None, "MB", 1)


@contextmanager
def _own_store() -> Iterator[None]:
    """A store of the measurement's own, also for the server it starts: nobody's is written to."""
    before = settings().database_url
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        settings().database_url = os.environ["MARQUEE_DATABASE_URL"] = f"sqlite:///{folder}/feedback.sqlite"
        try:
            yield
        finally:
            settings().database_url = before
            del os.environ["MARQUEE_DATABASE_URL"]


@contextmanager
def _server() -> Iterator[tuple[subprocess.Popen, str, float]]:
    """`streamlit run app.py` on a free port: the process, its address and when it was started."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    options = {"port": port, "address": "127.0.0.1", "headless": "true", "fileWatcherType": "none", "scriptHealthCheckEnabled": "true"}
    flags = [part for name, value in options.items() for part in (f"--server.{name}", str(value))]
    started = time.perf_counter()
    app = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", *flags], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield app, f"http://127.0.0.1:{port}/_stcore/", started
    finally:
        app.terminate()
        app.wait(20)


def _answers(address: str, app: subprocess.Popen, until: float = 120) -> float | None:
    """When the address first answers ok; None where it never does."""
    end = time.perf_counter() + until
    while time.perf_counter() < end and app.poll() is None:
        try:
            if urllib.request.urlopen(address, timeout=until).read() == b"ok":
                return time.perf_counter()
        except OSError:
            time.sleep(0.02)
    return None


def startup() -> Iterator[Row]:
    """From the command to the server's first answer, and to the end of the first page's script (models loaded on the way)."""
    if not (ROOT / "app.py").exists():
        yield Row("start", "streamlit run app.py", None, None, "s", 0, "app.py is not there")
        return
    with _server() as (app, address, started):
        for what, path in (("first answer", "health"), ("first page script run, models loaded", "script-health-check")):
            at = _answers(address + path, app)
            if at is None:
                yield Row("start", what, None, None, "s", 0, f"no answer; exit code {app.poll()}")
                return
            yield Row("start", what, at - started, None, "s", 1)
        took = []
        for _ in range(20):
            began = time.perf_counter()
            at = _answers(address + "script-health-check", app)
            took.append(1000 * ((at or float("nan")) - began))
        yield Row("start", "the same page again", float(np.median(took)), float(np.percentile(took, 99)), "ms", len(took), took=tuple(took))
        yield Row("memory", "streamlit server after that", resident(app.pid), None, "MB", 1)


def run() -> list[Row]:
    """Every measurement, on one thread."""
    import torch

    torch.set_num_threads(1)
    with threadpool_limits(1), _own_store():
        started = time.perf_counter()
        service = Service.open(settings(), releases.named(settings(), releases.COMMITTED))
        opened = Row("start", "opening catalogue, models and viewers", time.perf_counter() - started, None, "s", 1, "; ".join(service.problems))
        gc.collect()
        gc.freeze()
        memory = Row("memory", "a process that has opened everything", resident(), None, "MB", 1)
        return [*models(service), *pages(service), *words(service), *readings(settings()), opened, *startup(), memory, *sizes(settings())]


def reported(rows: list[Row], name: str = "bench") -> report.Report:
    """The rows as a report: variant is the part, model what was measured, metric "ms p50" and "ms p99" of calls, else "s", "MB" or "ms"."""
    found = [figure for row in rows for figure in _figures(row)]
    data = artifacts.cards(settings().artifacts)[0]["data"]
    machine = {"processor": platform.machine(), "cores": os.cpu_count(), "threads": 1, "load": round(os.getloadavg()[0], 1)}
    release = releases.named(settings(), releases.COMMITTED).version
    goals = {part: {"at_most": most, "unit": unit} for part, (most, unit) in GOALS.items()}
    notes = {row.what: row.note for row in rows if row.note}
    return report.Report(
        protocol=name,
        dataset=f"models of {data['ratings']:,} ratings",
        data_hash=data["sha256"],
        split_checksum="",
        seeds=[0],
        versions=versions(("torch", "numpy", "scipy")),
        date=datetime.now(UTC).date().isoformat(),
        command=f"python -m recommender.bench --json artifacts/reports/{name}.json",
        rows=found,
        more={"goals": goals, "machine": machine, "release": release, "notes": notes},
    )


def _figures(row: Row) -> Iterator[report.Row]:
    """A figure of a row that was measured; two where calls were many. An interval without length is none."""
    if row.value is None:
        return
    made = lambda metric, value, lo, hi: report.Row(row.part, row.what, metric, None, None, round(value, 4), round(lo, 4), round(hi, 4), row.calls)
    if not row.took:
        yield made(row.unit, row.value, row.value, row.value)
    for share in (0.5, 0.99) if row.took else ():
        value, lo, hi = quantile(np.array(row.took), share)
        yield made(f"ms p{round(100 * share)}", value, *((lo, hi) if np.isfinite(lo + hi) else (value, value)))


def table(rows: list[Row]) -> Table:
    """All rows under one head."""
    drawn = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("", "", "median", "p99", "", "calls", ""):
        drawn.add_column(name, justify="right" if name in ("median", "p99", "calls") else "left", no_wrap=True)
    number = lambda x: "–" if x is None else f"{x:,.2f}" if x < 100 else f"{x:,.0f}"
    previous = ""
    for r in rows:
        if previous and r.part != previous:
            drawn.add_section()
        drawn.add_row(
            r.part if r.part != previous else "", r.what, number(r.value), number(r.p99) if r.p99 is not None else "", r.unit, str(r.calls), r.note
        )
        previous = r.part
    return drawn


def main() -> None:
    """Measure, print one table, and write JSON where asked to."""
    parser = argparse.ArgumentParser(prog="python -m recommender.bench", description="Speed, memory and sizes of Marquee, on one thread.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well, as a report: artifacts/reports/bench.json")
    wanted = parser.parse_args()
    rows = run()
    Console(width=max(120, Console().width)).print(table(rows), highlight=False)
    if wanted.json:
        print(report.write(reported(rows, wanted.json.stem), wanted.json.parent))


if __name__ == "__main__":
    main()
