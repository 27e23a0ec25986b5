"""The event loop of a process that answers together with others."""

from __future__ import annotations

import asyncio
from typing import Any


class Loop(asyncio.SelectorEventLoop):
    """Takes one waiting connection a turn. asyncio's own takes all that wait, so that of several processes which listen on one socket the first to
    wake has every connection that came in the same moment, and keeps them."""

    def _accept_connection(self, protocol_factory: Any, sock: Any, sslcontext: Any = None, server: Any = None, backlog: int = 1, *more: Any) -> None:
        super()._accept_connection(protocol_factory, sock, sslcontext, server, 1, *more)  # type: ignore[misc]  # no public way to say so
