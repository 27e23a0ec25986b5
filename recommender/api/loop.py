"""The event loop of a process that answers together with others."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

STEP = 0.001  # seconds that a connection waits for each one that is held already
MOST = 10  # steps


class Loop(asyncio.SelectorEventLoop):
    """Leaves new connections to processes that hold fewer: it takes one a turn, and waits before it the longer the more it holds.

    asyncio's own takes at once all that wait, so that of several processes which listen on one socket the first to wake has every connection that
    came in the same moment, and keeps them.
    """

    def _accept_connection(self, protocol_factory: Any, sock: socket.socket, *more: Any) -> None:
        held = len(self._transports)  # type: ignore[attr-defined]  # neither this nor how it accepts has a public name
        if held:
            self.remove_reader(sock)
            self.call_later(STEP * min(held, MOST), self._take, protocol_factory, sock, *more)
        else:
            self._take_one(protocol_factory, sock, *more)

    def _take(self, protocol_factory: Any, sock: socket.socket, *more: Any) -> None:
        if sock.fileno() >= 0:  # else it was closed while we waited
            self._start_serving(protocol_factory, sock, *more)  # type: ignore[attr-defined]
            self._take_one(protocol_factory, sock, *more)

    def _take_one(self, protocol_factory: Any, sock: socket.socket, sslcontext: Any = None, server: Any = None, backlog: int = 1, *more: Any) -> None:
        super()._accept_connection(protocol_factory, sock, sslcontext, server, 1, *more)  # type: ignore[misc]
