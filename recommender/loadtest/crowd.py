"""The users, as Locust runs them in a process of its own: `locust -f` this file. Each asks, waits, and asks again; every answer is noted."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

from locust import FastHttpUser, events, task
from locust.runners import STATE_STOPPED

from recommender.loadtest.answers import lacks, opened

QUESTIONS = json.loads(Path(os.environ["MARQUEE_LOAD_QUESTIONS"]).read_text("utf-8"))
THINK = float(os.environ["MARQUEE_LOAD_THINK"])  # seconds from an answer to the next question, on average; 0: none
MOST = int(os.environ["MARQUEE_LOAD_MOST"])  # requests, at which the run ends
LONGEST = 10  # seconds that anybody thinks
_noted: list[dict[str, Any]] = []
_asked = iter(range(MOST))


class Viewer(FastHttpUser):
    """Somebody who asks for films, and sometimes says something of one."""

    def wait_time(self) -> float:
        return min(random.expovariate(1 / THINK), LONGEST) if THINK else 0.0

    @task
    def ask(self) -> None:
        """The next question, and what the server says it took."""
        number = next(_asked, None)
        if number is None:
            self.environment.runner.quit()
            return
        question = QUESTIONS[number % len(QUESTIONS)]
        with self.client.post(question["path"], json=question["body"], catch_response=True) as answer:
            told: dict[str, Any] = {}
            if answer.status_code == 200 and question["path"] == "/recommendations":
                told = opened(answer.text)
                if wrong := lacks(told, question["body"]):
                    answer.failure(wrong)
            answer.request_meta["context"] = {"server_ms": told.get("metadata", {}).get("inference_time_ms")}


@events.request.add_listener
def _note(name: str, start_time: float, response_time: float, exception: object, context: dict[str, Any], **more: Any) -> None:
    why = None if exception is None else str(exception)[:200]
    _noted.append({"path": name, "at": start_time, "ms": response_time, "failed": exception is not None, "why": why, **context})


@events.quitting.add_listener
def _write(environment: Any, **more: Any) -> None:
    assert environment.runner.state == STATE_STOPPED
    Path(os.environ["MARQUEE_LOAD_ANSWERS"]).write_text(json.dumps(_noted), "utf-8")
