"""Asking the routes that only read: what an answer and a problem must look like, and strings that no parameter may choke on."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

ROOT = str(Path(__file__).resolve().parents[1])
HOSTILE = (
    "'; DROP TABLE events; --",
    "<script>{{7*7}}</script>",
    "../../etc/passwd",
    "a\0b\r\nX-Evil: 1",
    "\u202e\ufeffﷺ🎬",
    "x" * 3000,
    "-1e309",
)


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


def attacked(api, path: str, named: str = "", **needed: Any) -> None:
    """Every parameter of a route takes every hostile string, or says that it does not. named: the parameter in the path."""
    given = {p["name"] for p in api.app.openapi()["paths"][path]["get"]["parameters"] if p["in"] == "query"}
    assert given or named
    for text in HOSTILE:
        tries = [(path.replace(f"{{{named}}}", next(iter(needed.values()), "x")), {**needed, name: text}) for name in given]
        for where, params in tries if not named else [*tries, (path.replace(f"{{{named}}}", quote(text, safe="")), {})]:
            answer = api.get(where, params=params)
            assert answer.status_code < 500, (where, params, answer.text)
            assert answer.status_code == 200 or answer.headers["content-type"] == "application/problem+json"
            assert ROOT not in answer.text
            assert "x-evil" not in answer.headers
            answer.json()
