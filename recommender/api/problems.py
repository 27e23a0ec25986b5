"""Errors as problem details (RFC 9457): every answer that is none says what is wrong, in the same form."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE = "application/problem+json"


class ProblemDetails(BaseModel):
    """RFC 9457. Further members say more: `errors` (what of the request is wrong), `choices` (films that a title may mean)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field("about:blank", description="a name for this kind of problem, or about:blank where the status says it all")
    title: str = Field(description="the kind of problem in words")
    status: int
    detail: str = Field(description="what is wrong this time: the thing, its value, what is wanted")
    instance: str = Field(description="the request's id")


class Problem(Exception):
    """An answer that is an error. `more` becomes further members of the problem details."""

    def __init__(self, status: int, title: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.headers, self.more = status, title, detail, headers, more


WHEN = {
    400: "the request is not well-formed",
    401: "a key is wanted, or the key is unknown",
    403: "who asks may not",
    404: "there is no such thing",
    405: "this path is not asked in that way",
    409: "the words mean several things; `choices` names them",
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
