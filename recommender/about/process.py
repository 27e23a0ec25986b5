"""This process: its memory and the versions of what it runs on."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path


def resident(pid: int | str = "self") -> float | None:
    """Resident memory of a process in MB; None where the system does not tell."""
    try:
        pages_used = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return None
    return pages_used * os.sysconf("SC_PAGE_SIZE") / 1e6


def versions(names: tuple[str, ...] = ("streamlit", "torch", "numpy", "scipy")) -> dict[str, str]:
    """Versions of Python and of what is loaded already; what is not, is not loaded for it."""
    loaded = {name: str(sys.modules[name].__version__) for name in names if name in sys.modules}
    return {"python": platform.python_version(), **loaded}
