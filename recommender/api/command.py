"""`python -m recommender serve`: the REST API, alone or beside the dashboard, until it is told to stop."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.settings import ROOT, Settings, settings

if TYPE_CHECKING:
    from fastapi import FastAPI

ENDING = 20  # seconds that requests under way have to finish
HEALTH = 30  # seconds after which a worker that does not stir is started anew


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; others than loopback need MARQUEE_API_KEYS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; each loads the models and counts requests in memory for itself.")] = 1,
    beside: Annotated[bool, typer.Option("--app", help="The dashboard too, in the same process.")] = False,
) -> None:
    """Serve the REST API over HTTP; /docs says how to ask. Ends at Ctrl+C or SIGTERM, when all requests under way are answered."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from recommender.api import logs

    _check(host, workers, beside, settings())
    listening = _listen(host, port)
    if beside:
        listening.close()
        flags = {"address": host, "port": str(port), "headless": "true", "fileWatcherType": "none"}
        given = [word for name, value in flags.items() for word in (f"--server.{name}", value)]
        os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(ROOT / "server.py"), *given])
    config = uvicorn.Config(
        "recommender.api.command:application",
        factory=True,
        loop="recommender.api.loop:Loop" if workers > 1 else "asyncio",
        workers=workers,
        log_config=logs.server(),
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=ENDING,
        timeout_worker_healthcheck=HEALTH,
    )
    if workers == 1:
        return uvicorn.Server(config).run(sockets=[listening])
    with tempfile.TemporaryDirectory(prefix="marquee-figures-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # read by prometheus_client where workers start
        Multiprocess(config, sockets=[listening]).run()


def application() -> FastAPI:
    """The REST API over the desk of this process, for a web server that makes its own processes."""
    from recommender.api.app import create
    from recommender.serve.desk import shared

    return create(shared(settings()), settings())


def _check(host: str, workers: int, beside: bool, settings: Settings) -> None:
    """ValueError for what would not be served, or be served to whoever comes."""
    from recommender.api import guard, rate

    guard.check(settings)
    rate.Rate(settings)
    if not settings.api_keys and not guard.loopback(host):
        raise ValueError(f"host is {host!r}, wanted 127.0.0.1 as long as MARQUEE_API_KEYS is empty: whoever reaches the API may ask it anything")
    if beside and workers > 1:
        raise ValueError(f"workers is {workers}, wanted 1 with --app: a visit to the dashboard stays in one process")


def _listen(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048)
    except OSError as error:
        raise OSError(f"cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}; wanted a free one, by --port") from None
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # for every connection: asyncio does so for its own sockets alone
    listening.set_inheritable(True)
    return listening
