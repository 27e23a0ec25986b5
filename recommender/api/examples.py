"""Real answers for the documentation, written by `PYTHONPATH=. python tests/examples.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("examples.json")


def kept() -> dict[str, dict[str, Any]]:
    """Operation -> how it was asked, the question, the form of the answer, and the answer."""
    return json.loads(FILE.read_text("utf-8")) if FILE.is_file() else {}


def shown(schemas: dict[str, dict[str, Any]]) -> None:
    """Put each answer into the description of its form. FastAPI would leave out what is null in it."""
    for example in kept().values():
        schemas[example["form"]]["examples"] = [example["answer"]]
