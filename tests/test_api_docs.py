"""docs/api.md and the examples of the OpenAPI say what the API is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from annotated_types import Le, MaxLen
from examples import ASKED, asked
from fastapi.testclient import TestClient

from recommender.api.asked import MOST, Events, Recommend, Said
from recommender.api.examples import kept
from recommender.api.guard import DEEPEST
from recommender.serve.checks import NOTE_BYTES
from recommender.settings import ROOT, Settings

KEPT = kept()
PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")


def test_every_route_stands_in_the_table_and_no_other(api: TestClient) -> None:
    described = {(method.upper(), path) for path, ways in api.get("/openapi.json").json()["paths"].items() for method in ways}
    assert set(re.findall(r"^\| `(GET|POST|DELETE|PUT) (/\S+)` \|", PAGE, re.M)) == described


def row(limit: str) -> list[int]:
    """The numbers that the table of limits gives for one of them."""
    (said,) = re.findall(rf"^\| {limit} \| (.*) \|$", PAGE, re.M)
    return [int(number.replace(",", "")) for number in re.findall(r"[0-9][0-9,]*", said)]


def most(name: str) -> int:
    """How many a list of a question may hold."""
    return next(m.max_length for m in Recommend.model_fields[name].metadata if isinstance(m, MaxLen))


def test_limits_are_those_of_the_code(api: TestClient) -> None:
    usual = Settings.model_fields
    ratings = {rule["maxItems"] for rule in Recommend.model_json_schema()["properties"]["ratings"]["anyOf"] if "maxItems" in rule}
    sizes = next(p["schema"] for p in api.get("/openapi.json").json()["paths"]["/api/compare"]["get"]["parameters"] if p["name"] == "k")
    assert row("body") == [usual["api_bytes"].default, DEEPEST]
    assert row("`k`") == [MOST, sizes["minimum"], sizes["maximum"]]
    assert next(m.le for m in Recommend.model_fields["k"].metadata if isinstance(m, Le)) == MOST
    assert row("sent along") == [most("liked_movies"), *ratings, most("exclude"), most("preferred_genres")]
    assert row("feedback") == [Events.model_json_schema()["properties"]["events"]["maxItems"], NOTE_BYTES]
    assert f"| {usual['api_rate'].default} |" in PAGE


@pytest.mark.parametrize("operation", ASKED)
def test_an_example_is_an_answer_of_the_api(api: TestClient, operation: str) -> None:
    """It has the form that is described, stands in the description, has the members of what is answered now, and its films are there."""
    method, path, question, form = ASKED[operation]
    example = KEPT[operation]
    assert (example["asked"], example["question"]) == (f"{method} {path}", question), "PYTHONPATH=. python tests/examples.py writes it anew"
    form.model_validate_json(json.dumps(example["answer"]), strict=True)
    assert api.get("/openapi.json").json()["components"]["schemas"][form.__name__]["examples"] == [example["answer"]]
    now = asked(api, operation)
    assert set(now) == set(example["answer"])
    catalog = api.app.state.desk.service.catalog
    for id_, title in films(example["answer"]):
        assert catalog.titles[catalog.index(id_)] == title
    if operation == "feedback":
        api.delete("/api/my_data", params={"user_id": question["user_id"]})


def films(said: Any) -> Iterator[tuple[int, str]]:
    """Every film that an answer gives with its id."""
    if isinstance(said, list):
        for part in said:
            yield from films(part)
    if isinstance(said, dict):
        title = said.get("film") or said.get("title") or said.get("subject")
        if isinstance(said.get("id"), int):
            yield said["id"], title
        for part in said.values():
            yield from films(part)


@pytest.mark.parametrize("form", [Recommend, Said])
def test_an_example_of_a_question_is_one(form: type[Recommend | Said]) -> None:
    examples = form.model_json_schema()["examples"]
    assert examples
    for example in examples:
        form.model_validate_json(json.dumps(example))


def test_the_worked_example_is_a_part_of_the_answer_kept() -> None:
    (shown,) = re.findall(r"```json\n(.*?)\n```", PAGE, re.S)
    told, example = json.loads(shown), KEPT["explain"]
    question = example["question"]
    assert told == {name: example["answer"][name] for name in told}
    assert f"/api/explain?user_id={question['user_id']}&movie_id={question['movie_id']}" in PAGE
