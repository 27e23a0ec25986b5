"""The REST API does what its description says; `PYTHONPATH=. python tests/contract.py` holds it to that for longer."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from loopback import served
from pydantic import BaseModel, SecretStr

contract = pytest.importorskip("contract", reason="schemathesis is not installed")

from recommender.api.app import create  # noqa: E402


def failures(run: dict[str, Any]) -> list[str]:
    return [failure for one in run["operations"] for failure in one["failures"]] + run["errors"]


def test_open_to_this_machine_it_keeps_its_contract(api: TestClient) -> None:
    with contract.UNCOUNTED, served(api.app) as address:
        run = contract.held(address, examples=2, phases=("examples", "coverage", "fuzzing"))
    assert not failures(run), "\n".join(failures(run))
    assert run["stop"] == "completed"
    assert {one["operation"] for one in run["operations"]} == set(run["described"])
    assert all(one["cases"] for one in run["operations"])
    assert {status for one in run["operations"] for status in one["statuses"]} >= {200, 201, 404, 405, 422}


def test_behind_keys_it_keeps_its_contract(api: TestClient) -> None:
    desk = api.app.state.desk
    keyed = create(desk, desk.settings.model_copy(update={"api_keys": (SecretStr(contract.KEY),)}))
    with contract.UNCOUNTED, served(keyed) as address:
        run = contract.held(address, examples=1, key=contract.KEY, phases=("examples",))
    assert not failures(run), "\n".join(failures(run))
    assert run["checks"]["ignored_auth"]


class Told(BaseModel):
    """What the description promises."""

    number: int


@pytest.mark.parametrize("fault", ["shape", "status", "crash", "plain", "bound"])
def test_a_broken_contract_is_found(fault: str) -> None:
    """Each law once broken by an API of one route."""
    from fastapi import HTTPException, Query
    from fastapi.responses import JSONResponse

    app = FastAPI(responses={status: {"description": "a problem"} for status in (404, 405, 422, 500)})

    @app.get("/it", response_model=Told)
    def it(k: int = Query(5, ge=1, le=5)) -> Any:
        match fault:
            case "shape":
                return JSONResponse({"number": "five"})
            case "status":
                return JSONResponse({"number": 5}, 202)
            case "crash":
                raise RuntimeError("a fault")
            case "plain":
                raise HTTPException(404)  # told by FastAPI, and no problem
            case "bound":
                wrong = [{"where": "query.k", "wrong": str(k), "wanted": "Input should be less than 2"}]
                told = {"title": "no", "status": 422, "detail": "no", "instance": "x", "type": "about:blank", "errors": wrong}
                return JSONResponse(told, 422, {"x-request-id": "x"}, "application/problem+json") if k >= 2 else JSONResponse({"number": k})

    with served(app) as address:
        run = contract.held(address, examples=1, phases=("examples", "coverage"))
    wanted = {
        "shape": "response_schema_conformance",
        "status": "status_code_conformance",
        "crash": "not_a_server_error",
        "plain": "errors_are_problems",
        "bound": "the_schema_says_what_it_refuses",
    }
    assert any(failure.startswith(wanted[fault]) for failure in failures(run)), failures(run)
