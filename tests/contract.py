"""The REST API held to its own description by schemathesis. `PYTHONPATH=. python tests/contract.py` runs it for long and writes reports/api.json.

Every operation of the OpenAPI is asked with its examples, with values at and beyond every bound, with drawn values, and in chains where one answer
gives the next question. Besides the checks of schemathesis: an error is a problem of RFC 9457 in the status it has, with the request's id; and what
the description allows is refused by a rule of the house that no schema can say, never by a bound that it could have said.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
from collections import Counter, defaultdict
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import limits
import schemathesis
from loopback import served
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.specs.openapi import checks as _  # noqa: F401  registers the checks of OpenAPI

from recommender.api import rate
from recommender.api.app import create
from recommender.serve.desk import Desk
from recommender.settings import ROOT, Settings, settings

KEY = "a-key-for-the-contract"
PHASES = ("examples", "coverage", "fuzzing", "stateful")
SCHEMA_SAYS = ("Input should", "String should", "List should", "Dictionary should", "Tuple should", "Field required", "Extra inputs", "Unable to")
SHOWN = 600  # characters of a failure
UNCOUNTED = patch.object(rate, "WRONG_KEYS", limits.parse("1000000/minute"))  # else all keys that are none are 429 after the twentieth


@schemathesis.check
def errors_are_problems(ctx: Any, response: Any, case: Any) -> None:
    """Whatever is no answer is a problem in its own status, under the request's id."""
    if response.status_code < 400:
        return
    if not (type_ := response.headers.get("content-type", [""])[0]).startswith("application/problem+json"):
        assert b"Invalid HTTP request received" in response.content, f"{response.status_code} comes as {type_}"  # no request at all, says h11
        return
    told = json.loads(response.content)
    assert told["status"] == response.status_code
    assert told["instance"] == response.headers["x-request-id"][0]
    assert told["title"]
    assert told["detail"]


@schemathesis.check
def the_schema_says_what_it_refuses(ctx: Any, response: Any, case: Any) -> None:
    """What the description allows is not refused for a type or a bound."""
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    if not positive or response.status_code not in (400, 413, 415, 422):
        return
    told = json.loads(response.content)
    assert response.status_code in (413, 422), f"{response.status_code} for what the schema allows: {told['detail']}"
    errors = [error for error in told.get("errors", ()) if "[" not in error["where"]]  # of two forms of a field one is always refused
    wrong = [error for error in errors if error["wanted"].startswith(SCHEMA_SAYS)]
    assert not wrong, f"the schema allows what is refused: {wrong[0]}"


def held(address: str, examples: int, key: str | None = None, phases: tuple[str, ...] = PHASES, seed: int = 0) -> dict[str, Any]:
    """What came of it: (operation -> cases, statuses, failures), checks made by name, and the time it took.

    examples: drawn cases of an operation; what stands in the examples and at the bounds is asked whatever the number.
    """
    heads = {"Authorization": f"Bearer {key}"} if key else {}
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "headers": heads,
            "continue-on-failure": True,
            "generation": {"max-examples": examples, "database": "none", "no-shrink": True},
            "phases": {name: {"enabled": name in phases} for name in PHASES},
            "checks": {"positive_data_acceptance": {"enabled": False}},  # the_schema_says_what_it_refuses is in its place
        }
    )
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json", config=config)
    told: dict[str, dict[str, Any]] = defaultdict(lambda: {"cases": 0, "statuses": Counter(), "failures": []})
    checks, errors, ended = Counter[str](), list[str](), None
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _noted(event, told, checks)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            errors.append(str(getattr(event, "value", None) or getattr(event, "exception", event))[:SHOWN])
        elif isinstance(event, events.EngineFinished):
            ended = event
    assert ended is not None
    operations = [{"operation": name, **one, "statuses": dict(sorted(one["statuses"].items()))} for name, one in sorted(told.items())]
    return {
        "operations": operations,
        "checks": dict(sorted(checks.items())),
        "errors": errors,
        "stop": ended.stop_reason.value,
        "seconds": round(ended.running_time, 1),
        "described": sorted(found.ok().label for found in schema.get_all_operations()),
    }


def _noted(event: events.ScenarioFinished, told: dict[str, dict[str, Any]], checks: Counter[str]) -> None:
    for id_, node in event.recorder.cases.items():
        one, interaction = told[node.value.operation.label], event.recorder.interactions.get(id_)
        if interaction is not None and interaction.response is not None:
            one["cases"] += 1
            one["statuses"][interaction.response.status_code] += 1
        for check in event.recorder.checks.get(id_, ()):
            checks[check.name] += 1
            if check.status == Status.FAILURE:
                assert check.failure_info is not None
                failure = check.failure_info.failure
                said = f"{check.name}: {failure.title}: {failure.message}; {node.value.as_curl_command()}"
                one["failures"].append(said[:SHOWN])


def main() -> None:
    """Run it for long, with keys and without, over a store of its own, and write down what came of it where nothing was found."""
    parser = argparse.ArgumentParser(prog="tests/contract.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=200, help="drawn cases of an operation and a phase")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "artifacts" / "reports", metavar="FOLDER")
    asked = parser.parse_args()
    runs = {}
    with tempfile.TemporaryDirectory(prefix="marquee-contract-") as folder:
        place = {"database_url": f"sqlite:///{folder}/feedback.sqlite", "api_rate": "", "releases": Path(folder)}
        desk = Desk(settings().model_copy(update=place))
        desk.open()
        for name, key in (("open", None), ("with keys", KEY)):
            with redirect_stdout(io.StringIO()), UNCOUNTED, served(create(desk, Settings(**place, api_keys=key or ()))) as address:
                runs[name] = held(address, asked.examples, key, seed=asked.seed)
        version = desk.service.version
        desk.close()
        desk.service.feedback.close()
    found = [failure for run in runs.values() for one in run["operations"] for failure in one["failures"]]
    found += [error for run in runs.values() for error in run["errors"]]
    for name, run in runs.items():
        cases = sum(one["cases"] for one in run["operations"])
        print(f"{name}: {cases:,} cases of {len(run['operations'])} operations, {sum(run['checks'].values()):,} checks, {run['seconds']:.0f} s")
    if found:
        raise SystemExit("\n".join([f"{len(found)} findings:", *found]))
    facts = {
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"PYTHONPATH=. python tests/contract.py --examples {asked.examples} --seed {asked.seed}",
        "schemathesis": schemathesis.__version__,
        "release": version,
    }
    path = asked.out / "api.json"
    path.write_text(_written(facts, runs), "utf-8")
    print(f"written to {path}")


def _written(facts: dict[str, Any], runs: dict[str, Any]) -> str:
    """As JSON, an operation a line so that a diff can be read."""
    lines = [f'"facts": {json.dumps(facts)}']
    for name, run in runs.items():
        operations = ",\n".join(json.dumps({**one, "failures": len(one["failures"])}) for one in run["operations"])
        lines.append(f'"{name}": {{"seconds": {run["seconds"]}, "checks": {json.dumps(run["checks"])}, "operations": [\n{operations}\n]}}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()
