"""Errors as problem details (RFC 9457): every answer that is none says what is wrong, in the same form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from recommender.api.answered import Choice
from recommender.serve.feedback import FeedbackError
from recommender.serve.viewers import NoViewer

MEDIA_TYPE = "application/problem+json"
SHOWN = 80  # characters of a wrong value that are told back
LISTED = 20  # wrong values that are told one by one
TYPES = "/problems/"  # how the types of problems begin

KINDS = {  # the title of each kind of problem -> what it means; by the type made of the title programs tell them apart, so a title stays as it is
    "bad request": "The request is not well-formed.",
    "no key": "A key is wanted, and none was sent.",
    "unknown key": "The key that was sent is none.",
    "another site": "A web page asks that is not among MARQUEE_API_ORIGINS.",
    "not from here": "Without keys only the server's own machine is answered, and not through a proxy.",
    "not for here": "Without keys the host asked for must be localhost or 127.0.0.1.",
    "over the limit": "A film is over the limit of the viewer who asks.",
    "no such film": "No film has this id, or none is called so; `choices` are films with titles like it.",
    "no such viewer": "Nobody is called so here.",
    "no such model": "No model of this name is loaded.",
    "no such report": "There is no evaluation report of this name.",
    "not in this report": "The report has no figures of what was asked for.",
    "no such experiment": "There is no experiment of this name.",
    "nothing to read yet": "The experiment has too few people, or too few days, to say anything.",
    "too slow": "The body did not arrive in time.",
    "a title of several films": "Several films are called so, and `choices` are those.",
    "a name of several viewers": "Several viewers are called so; an id tells them apart.",
    "nothing to undo": "What is to be undone was not stored before it.",
    "too long": "The body is longer than one may be.",
    "not JSON": "The body does not say that it is JSON in UTF-8.",
    "not wanted": "A value is none that is wanted, or a parameter none that there is; `errors` names each.",
    "too many": "More requests, or more wrong keys, than are allowed; ask again after Retry-After seconds.",
    "fault": "A fault of ours; the request's id leads to it in the log.",
    "not ready": "No models are loaded; ask again after Retry-After seconds.",
    "store away": "The store of feedback is out of reach; ask again after Retry-After seconds.",
    "damaged": "A stored file cannot be read; to ask again is of no use until it is mended.",
}


class WrongValue(BaseModel):
    """One value of a request that is none that is wanted."""

    where: str = Field(description="where in the request: body, query or path, and the names that lead there, with dots")
    wrong: str = Field(description="the value as it was sent, or missing; long ones are cut")
    wanted: str
    choices: list[Choice] = Field([], description="films that a title may mean")


class ProblemDetails(BaseModel):
    """RFC 9457, with `errors` and `choices` where there is something to name."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        "about:blank",
        description=f"which kind of problem: {TYPES} and its title in small letters, hyphens between the words; a GET of it says what it means. "
        "about:blank where the status says it all",
    )
    title: str = Field(description="the kind of problem in words")
    status: int
    detail: str = Field(description="what is wrong this time: the thing, its value, what is wanted")
    instance: str = Field(description="the request's id, as in X-Request-ID and in the log")
    errors: list[WrongValue] = Field([], description=f"what of the request is wrong, the first {LISTED}; absent where it is no value")
    choices: list[Choice] = Field([], description="films that a title may mean, the likeliest first; absent where none is in question")


class Problem(Exception):
    """An answer that is an error. title: one of KINDS, or the phrase of the status. `more` becomes further members of the problem details."""

    def __init__(self, status: int, title: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.headers, self.more = status, title, detail, headers, more


WHEN = {
    400: "the request is not well-formed",
    401: "a key is wanted, or the key is unknown",
    403: "who asks may not",
    404: "there is no such thing",
    405: "this path is not asked in that way",
    408: "the body of the request did not arrive in time",
    409: "the words mean several things, and `choices` or the detail names them; or an undo takes back what is not there",
    413: "the request is too long",
    415: "the request is not JSON",
    422: "a value of the request is none that is wanted; `errors` names each",
    429: "too many requests; ask again after Retry-After seconds",
    500: "a fault of ours",
    503: "models or the store of feedback are away; ask again after Retry-After seconds",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route can answer with, for its `responses`."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {status: {"description": WHEN[status], "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses}


def type_of(title: str) -> str:
    """The type of a problem by its title (RFC 9457, 3.1.1): a path that answers what it means."""
    return f"{TYPES}{title.lower().replace(' ', '-')}" if title in KINDS else "about:blank"


def means(name: str) -> dict[str, str]:
    """What a type of problem is called and means. Problem 404 where there is none such."""
    for title, meaning in KINDS.items():
        if type_of(title) == f"{TYPES}{name}":
            return {"type": type_of(title), "title": title, "meaning": meaning}
    raise HTTPException(404)


def shown(value: object) -> str:
    """A value as whoever sent it wrote it: text in quotes, all else as JSON."""
    return repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def answer(problem: Problem) -> Response:
    """A problem on the wire."""
    said = {
        "type": type_of(problem.title),
        "title": problem.title,
        "status": problem.status,
        "detail": str(problem),
        "instance": correlation_id.get() or "",
    }
    text = json.dumps({**problem.more, **said}, ensure_ascii=False, allow_nan=False)
    return Response(text.encode("utf-8", "replace"), problem.status, problem.headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let an application tell its errors as problems. What is not named here is a fault of ours, and answered by the front."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NoViewer, lambda _, error: answer(Problem(404, "no such viewer", _said(error))))
    app.add_exception_handler(FeedbackError, _away)


def allowed(app: FastAPI, scope: Scope) -> str:
    """The methods by which the path of a request may be asked, as the header Allow tells them; empty for an unknown path."""
    methods = {method for route in _routes(app, scope) for method in route.methods or ("GET",)}
    also = {"HEAD", "OPTIONS"} if "GET" in methods else {"OPTIONS"}
    return ", ".join(sorted(methods | also)) if methods else ""


def template(app: FastAPI, scope: Scope) -> str:
    """The path of a request with names in place of what was asked for, the same for all unknown paths."""
    return next((str(route.path) for route in _routes(app, scope)), "unknown")


def _routes(app: FastAPI, scope: Scope) -> Iterator[RouteContext]:
    return (route for route in iter_route_contexts(app.routes) if route.matches(scope)[0] != Match.NONE)


def _said(error: Exception) -> str:
    return str(error.args[0] if error.args else error)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers: Mapping[str, str] = error.headers or {}
    title = HTTPStatus(error.status_code).phrase
    detail = str(error.detail)
    if error.status_code == 404:
        detail = "there is no such path; /openapi.json lists those there are"
    elif error.status_code == 405:
        outside = {"root_path": request.scope.get("app_root_path", request.scope.get("root_path", ""))}  # of what is mounted
        headers = {"Allow": allowed(request.app, {**request.scope, **outside})}
        detail = f"this path is asked by {headers['Allow']}"
    return answer(Problem(error.status_code, title, detail, dict(headers)))


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        return answer(Problem(400, "bad request", f"the body is no JSON: {found[0]['ctx']['error']}"))
    errors = _wrong(found, error.body)
    first = errors[0].copy()
    for one in errors:
        one["wanted"] = re.sub("^wanted,? ", "", one["wanted"])
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    return answer(Problem(422, "not wanted", f"{first['where']} is {first['wrong']}: {first['wanted']}{more}", errors=errors[:LISTED]))


def _wrong(found: Sequence[Mapping[str, Any]], body: Any) -> list[dict[str, str]]:
    """What is wrong, once for each place of the request. Of the forms of a value the one that fits furthest was meant, else any is wanted."""
    told: dict[tuple[int | str, ...], dict[str, str]] = {}
    for error in found:
        place = _place(error, body)
        value = "missing" if error["type"] == "missing" else shown(error.get("input"))
        wrong = {"where": ".".join(map(str, place)), "wrong": value if len(value) <= SHOWN else value[:SHOWN] + "…", "wanted": str(error["msg"])}
        if told.setdefault(place, wrong) is not wrong and wrong["wanted"] not in told[place]["wanted"]:
            told[place]["wanted"] += f", or: {wrong['wanted']}"
    around = {place[:n] for place in told for n in range(len(place))}
    return [wrong for place, wrong in told.items() if place not in around]


def _place(error: Mapping[str, Any], body: Any) -> tuple[int | str, ...]:
    """Where in the request, as whoever sent it wrote it: without the names that forms of a value have here."""
    source, *parts = error["loc"]
    if source != "body":
        return tuple(error["loc"])
    place, inner = [source], body
    for part in parts:
        if (isinstance(inner, dict) and part in inner) or (isinstance(inner, list) and isinstance(part, int) and part < len(inner)):
            inner = inner[part]
            place.append(part)
    return (*place, parts[-1]) if error["type"] == "missing" and parts else tuple(place)


async def _away(request: Request, error: Exception) -> Response:
    """The store of feedback is out of reach. Where it is, is for the log and not for whoever asks."""
    assert isinstance(error, FeedbackError)
    request.app.state.reach.missed(error)
    writes = request.method == "DELETE" or request.url.path == "/feedback"
    lost = "nothing was changed" if writes else "nobody can be answered by an id meanwhile, since what they hid or gave up is not known"
    detail = f"the stored feedback is out of reach; {lost}"
    return answer(Problem(503, "store away", detail, {"Retry-After": "5"}))
