"""Asking the routes that only read: what an answer and a problem must look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

ROOT = str(Path(__file__).resolve().parents[1])


def got(api, path: str, shape: type[BaseModel], /, **params: Any) -> dict[str, Any]:
    """The answer, which has the form that the documentation gives it."""
    answer = api.get(path, params=params)
    assert answer.status_code == 200, answer.text
    shape.model_validate_json(answer.content, strict=True)
    return answer.json()


def refused(api, status: int, path: str, /, **params: Any) -> dict[str, Any]:
    """The problem, which names no place of this machine."""
    answer = api.get(path, params=params)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert ROOT not in answer.text
    assert answer.json()["status"] == status
    return answer.json()
