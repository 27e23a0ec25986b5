"""The front desk, open while releases come and go: one for the whole process, shared by the dashboard and the REST API."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
import weakref
from datetime import datetime

from threadpoolctl import threadpool_limits

from recommender.serve import releases
from recommender.serve.feedback import Feedback, FeedbackError
from recommender.serve.memory import few_heaps, give_back
from recommender.serve.moving import Moving
from recommender.serve.releases import Release, ReleaseError
from recommender.serve.service import Service
from recommender.serve.sockets import undelayed
from recommender.settings import Settings

_log = logging.getLogger(__name__)
AGAIN = 30  # looks after which a release that did not open is tried once more: a shared volume may show its files late
TRIM = 60.0  # seconds after which free memory is handed back once more: what runs leave in pieces is kept for good otherwise
STORE_AGAIN = 5  # looks after which a store that was away is tried once more
NOTHING = "", 0.0  # that failed
GRACE = 120.0  # seconds after which no request is under way that began before a change of releases


class Desk:
    """The service of the current release. A new release is opened beside it and takes its place between two requests.

    A release that does not open leaves the one before at work, and is told in `problem`. Whoever took `service` keeps what they took for as long
    as they hold it; nothing that is asked while releases change sees half of one and half of the other. A store that was away when the process
    started is tried again and again, and what was said meanwhile goes into it.
    """

    def __init__(self, settings: Settings, watch: bool = True) -> None:
        self.settings = settings
        self.problem: str | None = None
        self.release: Release | None = None  # what is at work
        self.since: float | None = None  # and from when on [unix s]
        self._watch = watch
        self._service: Service | None = None
        self._changing = threading.Lock()
        self._ended = threading.Event()
        self._away = 0  # looks that found a passing store
        self._moved: Moving | None = None  # the passing store that was just left: somebody may have said a last word in it
        self._failed = NOTHING  # what the pointer said and could not be opened, and when it may be tried again [s, monotonic]

    @property
    def ready(self) -> bool:
        """Whether models are loaded."""
        return self._service is not None and bool(self._service.models)

    @property
    def service(self) -> Service:
        """What answers now; opened at the first call, LookupError where it could not be."""
        if self._service is None:
            self.open()
        assert self._service is not None
        return self._service

    @property
    def made(self) -> datetime | None:
        """When the release at work was made; None for the committed artifacts."""
        return self.release.made if self.release else None

    def open(self) -> None:
        """Open and warm the current release, or the committed artifacts where it cannot be used; from then on watch for another."""
        with self._changing:
            if self._service is not None:
                return
            try:
                first = releases.current(self.settings)
                self._serve(first, self._opened(first))
            except (OSError, LookupError, ValueError) as error:
                self._give_up(str(error))
                committed = releases.named(self.settings, releases.COMMITTED)
                self._serve(committed, self._opened(committed))
        if self._watch:
            threading.Thread(target=self._look_on, name="releases", daemon=True).start()

    def again(self) -> None:
        """Open what is at work once more where no model was there: they may have been trained since."""
        with self._changing:
            if self._service is not None and self.release is not None and not self._service.models:
                self._serve(self.release, self._opened(self.release, self._service))

    def close(self) -> None:
        """Watch no longer."""
        self._ended.set()

    def look(self) -> bool:
        """Look at the pointer once, and change to the release it names; whether that was done. Nobody waits for it but who called."""
        with self._changing:
            self._find_store()
            try:
                wanted = releases.pointed(self.settings)
                if self.release is None or wanted == self.release.name:
                    self.problem, self._failed = None, NOTHING
                    return False
                if wanted == self._failed[0] and time.monotonic() < self._failed[1]:
                    return False
                release = releases.named(self.settings, wanted)
                self._serve(release, self._opened(release, self._service))
            except Exception as error:  # whatever it is, what is at work stays there, and is watched on
                self._give_up(str(error) or type(error).__name__)
                return False
            self.problem = None
            return True

    def _look_on(self) -> None:
        trimmed = time.monotonic()
        while not self._ended.wait(self.settings.look_seconds):
            self.look()
            if time.monotonic() >= trimmed + TRIM:
                give_back()
                trimmed = time.monotonic()

    def _find_store(self) -> None:
        """Where the store was away, try every few looks to open it, and go over to it with all that was said in the passing one."""
        service = self._service
        if service is None:
            return
        if self._moved is not None and self._move(self._moved, service.feedback, service):
            self._moved.source.close()
            self._moved = None
        self._away = self._away + 1 if service.feedback.passing else 0
        if self._away == 0 or self._away % STORE_AGAIN:
            return
        try:
            store = Feedback.open(self.settings.database_url)
        except FeedbackError:
            return
        moving = Moving(service.feedback)
        if self._move(moving, store, service):
            service.feedback, service.problems, self._moved = store, service.unread, moving
            service.people.clear()  # versions of another store say nothing here
        else:
            store.close()

    @staticmethod
    def _move(moving: Moving, store: Feedback, service: Service) -> bool:
        try:
            moving.to(store, service.catalog)
        except (FeedbackError, ValueError):
            return False
        service.people.clear()
        return True

    def _opened(self, release: Release, before: Service | None = None) -> Service:
        """A release, warm. What is not whole is refused, but for committed artifacts: those serve what there is."""
        if release.name != releases.COMMITTED:
            releases.match(release)
        service = Service.open(self.settings, release, before)
        if release.name != releases.COMMITTED and (bad := service.unread):
            raise ReleaseError(f"release {release.name!r} cannot be used: {'; '.join(bad)}")
        service.warm()
        return service

    def _serve(self, release: Release, service: Service) -> None:
        if self._service is None:
            _settle()
        else:
            _retire_later(self._service)
        self._service, self.release, self.since = service, release, time.time()
        gc.freeze()
        give_back()

    def _give_up(self, why: str) -> None:
        if why != self.problem:
            _log.error("the release that is wanted does not open: %s", why)
        self.problem = why
        try:
            self._failed = releases.pointed(self.settings), time.monotonic() + AGAIN * self.settings.look_seconds
        except ReleaseError:
            self._failed = NOTHING


def _settle() -> None:
    """One core a request, answers sent at once, and nothing but what is needed kept.

    What is loaded is frozen, so that it is not looked at again whenever garbage is collected, as Streamlit does after every run. A service refers to
    itself nowhere: one that nobody uses any more is given back at once, frozen or not, and a change of releases needs no collection, which would
    stop all requests for it.
    """
    threadpool_limits(1)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
    undelayed()
    gc.collect()


def _retire_later(service: Service) -> None:
    """Tabs that are left open hold the frame of their last run, and with it the service of a release that has gone: after a while it is emptied."""
    held = weakref.ref(service)

    def retire() -> None:
        if (old := held()) is not None:
            old.retire()
            del old
            give_back()

    later = threading.Timer(GRACE, retire)
    later.daemon = True
    later.start()


_one_at_a_time, _shared = threading.Lock(), list[Desk]()


def shared(settings: Settings) -> Desk:
    """The desk of this process."""
    with _one_at_a_time:
        if not _shared:
            few_heaps()
            _shared.append(Desk(settings))
        return _shared[0]
