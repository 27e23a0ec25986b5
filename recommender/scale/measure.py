"""What each step costs at each size: time, processor, memory and what is shuffled; and how that grows."""

from __future__ import annotations

import json
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recommender.scale import alternating, batch, common, fit
from recommender.scale.store import Facts, Store, gather
from recommender.types import Recommender

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EVERY = 0.5  # seconds between two looks at the memory
MOST = 8192  # films whose Gram matrix is solved on this machine
LISTED_USERS = 150_000  # users that lists are made for at most: the cost of a user is the same for all


class Cost(NamedTuple):
    """One step at one size. users: those it worked on; cpu_seconds and peak_mb: of all processes together, memory by proportional shares; covered:
    the share of the interactions that are with the films that took part, where only the most rated did."""

    step: str
    interactions: int
    users: int
    items: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    shuffle_mb: float
    covered: float | None = None


@dataclass
class Meter:
    """What the block did; complete when it has ended."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    shuffle_mb: float = 0.0


@contextmanager
def metered(spark: SparkSession) -> Iterator[Meter]:
    """Measure this process and all that came from it: the JVM and the Python workers. Linux only; the JVM keeps the memory of earlier blocks.

    What a process used is noted while it lives: Spark ends idle workers, and nobody inherits their times. Their last half second may be missed.
    """
    found, over, used = Meter(), threading.Event(), _cpu(_family())

    def look() -> None:
        while True:
            family = _family()
            found.peak_mb = max(found.peak_mb, _memory(family))
            used.update(_cpu(family))
            if over.wait(EVERY):
                return

    watcher = threading.Thread(target=look, daemon=True)
    started, before, shuffled = time.perf_counter(), sum(used.values()), _shuffled(spark)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()
        used.update(_cpu(_family()))
        found.seconds = time.perf_counter() - started
        found.cpu_seconds = sum(used.values()) - before
        found.shuffle_mb = (_shuffled(spark) - shuffled) / 1e6


def _family() -> list[Path]:
    """/proc folders of this process and all its descendants."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        if stat := _stat(folder):
            parents[int(folder.name)] = int(stat[1])
    family = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return [Path("/proc", str(pid)) for pid in family]


def _stat(folder: Path) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty where the process is gone."""
    try:
        return (folder / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def _cpu(family: list[Path]) -> dict[tuple[str, str], float]:
    """Processor seconds of each of these processes alone, by its number and start."""
    stats = ((folder.name, stat) for folder in family if (stat := _stat(folder)))
    return {(pid, stat[19]): (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK") for pid, stat in stats}


def _memory(family: list[Path]) -> float:  # MB
    total = 0
    for folder in family:
        try:
            total += int((folder / "smaps_rollup").read_text().partition("\nPss:")[2].split()[0])
        except (OSError, IndexError):
            continue
    return total / 1e3


def _shuffled(spark: SparkSession) -> int:  # bytes written so far
    context = spark.sparkContext._jsc.sc()  # type: ignore[union-attr]
    context.listenerBus().waitUntilEmpty()
    executors = context.statusStore().executorList(False)
    return sum(executors.apply(n).totalShuffleWrite() for n in range(executors.size()))


def run(spark: SparkSession, store: Store, write: Callable[[], Facts], min_raters: int, say: Callable[[str], None]) -> Iterator[Cost]:
    """Every step on one data set, smallest first; what each makes, the next one reads. als and mllib are one iteration each."""
    folder = store.folder / "artifacts"

    def cost(step: str, users: int, work: Callable[[], object], covered: float | None = None) -> Cost:
        with metered(spark) as found:
            work()
        facts = store.facts()
        seconds, cpu, peak, shuffled = (round(v, 1) for v in (found.seconds, found.cpu_seconds, found.peak_mb, found.shuffle_mb))
        row = Cost(step, facts.interactions, users or facts.users, facts.films, seconds, cpu, peak, shuffled, covered)
        say(f"{step}: {row.seconds:.0f} s, {row.cpu_seconds:.0f} s of processor, {row.peak_mb:.0f} MB, {row.shuffle_mb:.0f} MB shuffled")
        return row

    yield cost("write", 0, write)
    yield cost("gather", 0, lambda: gather(spark, store))
    on = fit.prepare(spark, store, min_raters)

    def fitted(name: str, make: Callable[[], Recommender]) -> Callable[[], object]:
        return lambda: fit.save(name, make(), store, folder, time.perf_counter())

    yield cost("popularity", 0, fitted("popularity", lambda: fit.popularity(on)))
    yield cost("common", 0, lambda: common.count(spark, store, on.films, spark.sparkContext.defaultParallelism))
    yield cost("item_knn", 0, fitted("item_knn", lambda: fit.item_knn(on)))
    yield cost("ease", 0, fitted("ease", lambda: fit.ease(on, MOST)), covering(on.raters, MOST))
    every = -(-store.facts().users // LISTED_USERS)
    histories = store.read(spark, "histories").where(f"user % {every} = 0")
    listed = histories.count()
    for name in ("popularity", "item_knn", "ease"):
        yield cost(f"recommend {name}", listed, lambda name=name: batch.recommend(spark, store, folder, name, 10, histories))  # type: ignore[misc]
    yield cost("als", 0, lambda: alternating.fit(on, 1))
    yield cost("mllib", 0, lambda: fit.mllib(on, iterations=1))


def covering(raters: np.ndarray, most: int) -> float:
    """Share of all interactions that are with the `most` most rated films."""
    return round(float(np.sort(raters)[::-1][:most].sum() / raters.sum()), 4)


def growth(rows: list[Cost]) -> list[dict]:
    """For each step, the slope of log cost over log interactions (or users listed) among the sizes of the largest catalogue: 1 is linear."""
    slopes, most = [], max((r.items for r in rows), default=0)
    for step, found in groupby(sorted((r for r in rows if r.items == most), key=lambda r: r.step), key=lambda r: r.step):
        same = sorted(found, key=lambda r: r.interactions)
        if len(same) > 1:
            work = np.log([r.users if step.startswith("recommend") else r.interactions for r in same])
            if np.ptp(work) > 0:
                line = {m: round(float(np.polyfit(work, np.log(np.maximum([getattr(r, m) for r in same], 0.1)), 1)[0]), 2) for m in MEASURES}
                slopes.append({"step": step, "sizes": len(same), **line})
    return slopes


MEASURES = ("seconds", "cpu_seconds", "peak_mb", "shuffle_mb")


def keep(path: Path, rows: list[Cost], command: str, memory: str) -> dict:
    """Put these rows into the report, in place of those of the same size, and its growth beside them."""
    report = read(path) if path.exists() else {"facts": {}, "rows": []}
    sizes = {(r.interactions, r.items, r.step) for r in rows}
    kept = [r for r in (Cost(**row) for row in report["rows"]) if (r.interactions, r.items, r.step) not in sizes]
    every = sorted([*kept, *rows], key=lambda r: (r.interactions, r.items))
    facts = {"date": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count(), "memory": memory, "python": platform.python_version()}
    runs = report["facts"].get("runs", {}) | {f"{rows[0].interactions}": {"command": command, "load": round(os.getloadavg()[2], 1)}}
    made = {**report, "facts": {**report["facts"], **facts, "runs": runs}, "rows": [r._asdict() for r in every], "growth": growth(every)}
    return _write(path, made)


def add(path: Path, name: str, found: object) -> dict:
    """Put another part into the report, such as what `same` found."""
    return _write(path, {**(read(path) if path.exists() else {"facts": {}, "rows": []}), name: found})


def read(path: Path) -> dict:
    """The report; ValueError where it is none."""
    found = json.loads(path.read_text("utf-8"))
    if not isinstance(found, dict) or not {"facts", "rows"} <= found.keys():
        raise ValueError(f"{path} has no facts and rows; python -m recommender scale measure writes it")
    return found


def _write(path: Path, report: dict) -> dict:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = ",\n".join(f"{json.dumps(k)}: {_lines(v)}" for k, v in report.items())
    part = path.with_suffix(".part")
    part.write_text(f"{{\n{text}\n}}\n", "utf-8")
    part.replace(path)
    return report


def _lines(value: object) -> str:
    if isinstance(value, list):
        return "[\n" + ",\n".join(json.dumps(v) for v in value) + "\n]"
    return json.dumps(value)
