"""What the C library keeps of memory, where it is glibc: few heaps, and nothing that is free."""

from __future__ import annotations

import ctypes
import sys

HEAPS = 2  # at most; by itself glibc gives threads up to eight for each core, and what is free in one is of no use to another
_M_ARENA_MAX = -8  # malloc.h


def few_heaps() -> bool:
    """Let threads share a few heaps, from now on; whether the C library does so. Before threads come; the lock of Python keeps them apart anyway."""
    set_ = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return bool(set_ and set_(_M_ARENA_MAX, HEAPS))


def give_back() -> None:
    """Hand free memory to the system: what opening needed for a moment stays with the process otherwise."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
