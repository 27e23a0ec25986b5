"""Answers that leave at once: the sockets of a web server that somebody else made."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

OPEN = Path("/dev/fd")  # what this process has open, on Linux and macOS


def undelayed() -> int:
    """Set TCP_NODELAY on every TCP socket of this process, and say how many there are; on Linux, what a listening one accepts inherits it.

    A server that sends an answer in several pieces waits after the first one until the other side has confirmed it (Nagle, RFC 896), and that side
    may take 40 ms to do so (RFC 1122, 4.2.3.2). asyncio sets the option where it makes the socket itself; Streamlit hands it one of its own.
    """
    found = 0
    for name in os.listdir(OPEN) if OPEN.is_dir() else ():
        with suppress(OSError):  # closed meanwhile, or not ours to ask
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                with socket.socket(fileno=os.dup(int(name))) as one:
                    if one.type == socket.SOCK_STREAM and one.family in (socket.AF_INET, socket.AF_INET6):
                        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        found += 1
    return found
