"""Fetching the data set while the house is open: one thread of the process, which any number of pages look at and one may stop."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from recommender.fetch import FetchError, Stopped, Watch, fetch, licence, part_of
from recommender.load import DataError
from recommender.serve.desk import Desk
from recommender.serve.desk import shared as the_desk
from recommender.settings import Settings

STAGES = ("fetching", "checking", "unpacking", "reading")
ROOM = 100 << 20  # bytes of disk that must be free: the zip, its files, and as much again
MEMORY = 400 << 20  # bytes of memory that must be free to read it beside the models; measured in docs/community-cloud.md
_WINDOW = 3.0  # seconds over which the speed is told


@dataclass(frozen=True)
class State:
    """How far it is. stage: "idle", one of STAGES, "done", "stopped" or "failed"; done, total: bytes; speed: bytes a second.

    kind, said: of a failure, as FetchError has it ("data" where the files cannot be read), and in the words of the log.
    """

    stage: str = "idle"
    done: int = 0
    total: int | None = None
    speed: float | None = None
    kind: str = ""
    said: str = ""

    @property
    def running(self) -> bool:
        return self.stage in STAGES


class Fetching:
    """Fetches the data set of the settings and has the house read it. No request is made before `start`."""

    def __init__(self, desk: Desk, pause: float = 1.0) -> None:
        self.settings = desk.settings
        self.state = State()
        self._desk, self._pause = desk, pause
        self._starting = threading.Lock()
        self._stop = threading.Event()
        self._seen: deque[tuple[float, int]] = deque()  # (seconds, bytes so far)

    def start(self) -> bool:
        """Begin, or go on from what is kept; False where it runs already."""
        with self._starting:
            if self.state.running:
                return False
            self._stop = threading.Event()
            self._seen.clear()
            self.state = State("fetching", self.kept())
            threading.Thread(target=self._run, args=(self._stop,), name="fetch", daemon=True).start()
            return True

    def stop(self) -> None:
        """Stop after the next piece; what came is kept. What is checked and unpacked already is not stopped."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        return self.state.stage == "fetching" and self._stop.is_set()

    def kept(self) -> int:
        """Bytes of an unfinished download."""
        try:
            return part_of(self.settings.raw, self.settings.dataset).stat().st_size
        except OSError:
            return 0

    def discard(self) -> None:
        """Throw away what came of an unfinished download."""
        with self._starting:
            if not self.state.running:
                part_of(self.settings.raw, self.settings.dataset).unlink(missing_ok=True)
                self.state = State()

    def licence(self) -> str:
        """The publisher's own conditions, as they came with the data set."""
        return licence(self.settings.raw / self.settings.dataset)

    def _run(self, stop: threading.Event) -> None:
        try:
            fetch(
                self.settings.dataset,
                self.settings.raw,
                base=self.settings.publisher,
                say=lambda _: None,
                pause=self._pause,
                watch=Watch(self._told, stop),
            )
            self.state = State("reading")
            if not self._desk.service.dataset_users():
                raise DataError(self._desk.service.data.problem or "the data set is there and has nobody in it")
            self.state = State("done")
        except Stopped:
            self.state = State("stopped", self.kept())
        except FetchError as error:
            self.state = State("failed", self.kept(), kind=error.kind, said=self._without_places(error))
        except Exception as error:  # a thread has nobody else to tell
            self.state = State("failed", self.kept(), kind="data", said=self._without_places(error))

    def _without_places(self, error: Exception) -> str:
        """Its words, as they may stand on a screen: folders of this computer are nobody's business there."""
        return str(error).replace(str(self.settings.raw.parent), "…") or type(error).__name__

    def _told(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if stage != "fetching":
            self.state = State(stage)
            return
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()
        (since, before), speed = self._seen[0], None
        if now - since > 0.2:
            speed = max(0.0, (done - before) / (now - since))
        self.state = replace(self.state, stage=stage, done=done, total=total, speed=speed)


def obstacle(settings: Settings) -> tuple[str, str] | None:
    """What speaks against fetching here, if anything: ("strangers" | "closed" | "disk" | "memory", the place or how much there is)."""
    if not settings.household:
        return "strangers", ""
    place = settings.raw
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        return "closed", "/".join(settings.raw.parts[-2:])
    if (free := shutil.disk_usage(place).free) < ROOM:
        return "disk", f"{free / 2**20:.0f} MB"
    if (memory := free_memory()) is not None and memory < MEMORY:
        return "memory", f"{memory / 2**20:.0f} MB"
    return None


def free_memory(files: Path = Path("/")) -> int | None:
    """Bytes that this process may still take: of its control group where that has a limit, else of the machine; None where nobody says."""
    try:
        told = dict(line.split(":", 1) for line in (files / "proc/meminfo").read_text().splitlines())
        free = int(told["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
    group = files / "sys/fs/cgroup"
    try:
        taken = int((group / "memory.current").read_text()) - _reclaimable(group / "memory.stat")
        return min(free, int((group / "memory.max").read_text()) - taken)
    except (OSError, ValueError):  # no group, or "max": no limit
        return free


def _reclaimable(stat: Path) -> int:
    """Bytes of files that the kernel gives up when memory is wanted."""
    told = dict(line.split() for line in stat.read_text().splitlines())
    return int(told.get("inactive_file", 0))


_one_at_a_time, _shared = threading.Lock(), dict[int, Fetching]()


def shared(settings: Settings) -> Fetching:
    """The one of this process: of its front desk."""
    desk = the_desk(settings)
    with _one_at_a_time:
        return _shared.setdefault(id(desk), Fetching(desk))
