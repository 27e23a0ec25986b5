"""The examples of the REST API's documentation: `PYTHONPATH=. python tests/examples.py` asks the API and writes recommender/api/examples.json."""

from __future__ import annotations

import json
import tempfile
from typing import Any

from fastapi.testclient import TestClient
from pydantic import BaseModel

from recommender.api.answered import Recommendations, Stored
from recommender.api.app import create
from recommender.api.browsed_explain import Compared, Explained, Missing
from recommender.api.examples import FILE
from recommender.serve.desk import Desk
from recommender.settings import settings

EVENING = {"time_of_day": "evening", "device": "tv"}
ASKED: dict[str, tuple[str, str, dict[str, Any], type[BaseModel]]] = {  # operation: how it is asked, and the form of its answer
    "recommend": ("POST", "/recommendations", {"user_id": "vera", "context": EVENING, "k": 2, "reasons": 3}, Recommendations),
    "feedback": ("POST", "/feedback", {"user_id": "reader-42", "kind": "like", "title": "The Matrix (1999)", "id": "c-1"}, Stored),
    "explain": ("GET", "/api/explain", {"user_id": "leila", "movie_id": 1947}, Explained),
    "why_not": ("GET", "/api/why_not", {"user_id": "jonas", "title": "Alien"}, Missing),
    "compare": ("GET", "/api/compare", {"user_id": "kenji", "models": "hybrid,ease", "k": 5}, Compared),
}


def asked(api: TestClient, operation: str) -> dict[str, Any]:
    """What the API answers to the question of an example."""
    method, path, question, _ = ASKED[operation]
    answer = api.request(method, path, **{"json" if method == "POST" else "params": question})
    assert answer.is_success, answer.text
    return answer.json()


def main() -> None:
    """Ask each question once, on a store that nothing stays in, and keep the answers."""
    with tempfile.TemporaryDirectory() as place:
        desk = Desk(settings().model_copy(update={"api_rate": "", "database_url": f"sqlite:///{place}/feedback.sqlite"}))
        desk.open()
        with TestClient(create(desk, desk.settings), "http://localhost", client=("127.0.0.1", 50000)) as api:
            kept = {
                name: {"asked": f"{of[0]} {of[1]}", "question": of[2], "form": of[3].__name__, "answer": asked(api, name)}
                for name, of in ASKED.items()
            }
    FILE.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
