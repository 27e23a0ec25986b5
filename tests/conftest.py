"""The front desk on the committed artifacts; a running app and a real browser, for the tests marked `browser`."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy and torch look: processes of tests share the cores, and sums have one order

import hypothesis
import postgres as postgresql
import pytest
from fastapi.testclient import TestClient
from hands import waited
from sqlalchemy import select
from streamlit.components.v2 import manifest_scanner

from recommender.api.app import create
from recommender.loadtest import evening
from recommender.serve.desk import Desk, shared
from recommender.serve.feedback import Feedback
from recommender.serve.service import Service
from recommender.serve.tables import events
from recommender.settings import settings

gc.set_threshold(50_000, 50, 100)  # the libraries’ many objects are not looked through again and again, which took 7% of the time

# how long an example takes says nothing on a busy machine, and two runs of the same code try the same examples
hypothesis.settings.register_profile("marquee", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("marquee")

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")  # the first takes half the processor
CHROMIUM = next((path for name in BROWSERS if (path := shutil.which(name))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session", autouse=True)
def away_from_data(tmp_path_factory) -> Iterator[str]:
    """What the tests and the servers they start store goes to places of its own, never to data/; the committed artifacts are at work."""
    address = f"sqlite:///{tmp_path_factory.mktemp('store') / 'feedback.sqlite'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARQUEE_DATABASE_URL", address)
        patch.delenv("COLUMNS", raising=False)  # set where several processes run the tests; commands print as they do without a terminal
        patch.setattr(settings(), "database_url", address)
        releases = tmp_path_factory.mktemp("releases")
        patch.setenv("MARQUEE_RELEASES", str(releases))
        patch.setattr(settings(), "releases", releases)
        shared(settings()).open()  # before a test sets what it would be opened on
        yield address


@pytest.fixture(scope="session", autouse=True)
def scanned_once() -> Iterator[None]:
    """Streamlit looks through all that is installed for components, once and not for every app that a test opens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server, without a database."""
    if (programs := postgresql.programs()) is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with postgresql.server(programs) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty place for a database, one of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'feedback.sqlite'}"
        return
    with postgresql.database(request.getfixturevalue("postgres"), f"t{uuid4().hex}") as fresh:
        yield fresh


@pytest.fixture
def feedback(address: str) -> Iterator[Feedback]:
    with opened(address) as store:
        yield store


@contextmanager
def opened(address: str) -> Iterator[Feedback]:
    store = Feedback.open(address)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture(scope="module", autouse=True)
def left_empty() -> Iterator[None]:
    """What the tests of a file had viewers say is forgotten when the file ends: no file depends on those run before it."""
    yield
    with opened(settings().database_url) as store:
        _forget(store)


@pytest.fixture
def forgotten() -> Iterator[Feedback]:
    """The store of the app under test, to which nobody has said anything before the test, nor after it."""
    with opened(settings().database_url) as store:
        _forget(store)
        yield store
        _forget(store)


def _forget(store: Feedback) -> None:
    with store.engine.connect() as connection:
        viewers = [row.viewer for row in connection.execute(select(events.c.viewer).distinct())]
    for viewer in viewers:
        store.forget(viewer)


@pytest.fixture(scope="module")
def service() -> Service:
    """The front desk on the committed artifacts."""
    opened = Service.open(settings())
    if opened.problems:
        pytest.skip(f"not all models loaded: {'; '.join(opened.problems)}")
    return opened


@pytest.fixture(scope="session")
def api(away_from_data: str) -> Iterator[TestClient]:
    """The REST API over the committed artifacts, asked from this machine and without keys. Nobody may change its settings."""
    desk = Desk(settings().model_copy(update={"api_rate": ""}))
    desk.open()
    with TestClient(create(desk, desk.settings), "http://localhost", client=("127.0.0.1", 50000), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The reports folder of an artifacts folder that holds everything else as it is."""
    for path in (ROOT / "artifacts").iterdir():
        if path.name != "reports":
            (tmp_path / path.name).symlink_to(path)
    monkeypatch.setenv("MARQUEE_ARTIFACTS", str(tmp_path))
    monkeypatch.setattr(settings(), "artifacts", tmp_path)
    (tmp_path / "reports").mkdir()
    return tmp_path / "reports"


@contextmanager
def serving(log: Path, script: str = "app.py", **environment: str) -> Iterator[str]:
    """The address of a fresh server of the app, or of another script, on a free port of this machine."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true", "--server.fileWatcherType", "none"]
    with log.open("w") as out:
        command = [sys.executable, "-m", "streamlit", "run", script, *options]
        server = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **environment})
    try:
        _wait(server, f"http://127.0.0.1:{port}/_stcore/health", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def _wait(server: subprocess.Popen, address: str, log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"streamlit ended with {server.returncode}:\n{log.read_text()}")
        try:
            if urllib.request.urlopen(address, timeout=1).read() == b"ok":
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"streamlit did not answer within {seconds:.0f} s:\n{log.read_text()}")


@pytest.fixture(scope="session")
def app_url(tmp_path_factory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("app") / "streamlit.log") as url:
        yield url


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(playwright.Page, "wait_for_function", waited)
            yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page at 1440 px, in the evening; page.complaints collects what it writes to the console as an error."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id=evening.zone(), reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
