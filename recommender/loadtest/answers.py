"""What users look for in an answer: one that is not what was asked for counts as failed, however fast it was."""

from __future__ import annotations

import json
from typing import Any


def opened(text: str) -> dict[str, Any]:
    """The object that the body of an answer holds; empty where it holds none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def lacks(told: dict[str, Any], body: dict[str, Any]) -> str | None:
    """What keeps an answer from being the list that `body` asked for, with its reasons; None where nothing does."""
    films = told.get("recommendations", [])
    if len(films) != body["k"]:
        return f"{len(films)} films, wanted {body['k']}"
    if others := {film["model"] for film in films} - {body["model"]}:
        return f"{body['model']} was asked for, {', '.join(sorted(others))} answered"
    return None if all(film["reasons"] and film["recommendation_reason"] for film in films) else "a film without reasons"
