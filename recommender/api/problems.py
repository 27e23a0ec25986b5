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
