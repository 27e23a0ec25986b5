"""Whether the process lives, whether it can answer, and its figures. Asked by machines that watch: no key, no limit."""

from __future__ import annotations

from fastapi import APIRouter, Request
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from recommender.api.figures import registry
from recommender.api.problems import Problem
from recommender.api.reach import Reach

router = APIRouter(tags=["health"])


class Live(BaseModel):
    """The process lives."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "live"}})

    status: str = "live"


class Ready(BaseModel):
    """What answers now."""

    model_config = ConfigDict(
        protected_namespaces=(),
        json_schema_extra={"example": {"status": "ready", "model_version": "committed-5f2b90aa", "models": ["ease", "hybrid"], "stored": True}},
    )

    status: str = "ready"
    model_version: str = Field(description="release, and a hash of the weights")
    models: list[str] = Field(description="models that answer")
    stored: bool = Field(description="whether feedback is kept for good; false while its store is out of reach")
    behind: bool = Field(False, description="whether a newer release would not open, and the one before is still at work")


class Health(BaseModel):
    """Both in one."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "live", "ready": False, "what": None}})

    status: str = "live"
    ready: bool
    what: Ready | None = Field(description="what answers now; null until models are loaded")


@router.get("/health", operation_id="live", response_model=Live)
async def live() -> Live:
    """Whether the process lives. Answers at once, also while models are loaded."""
    return Live()


@router.get("/ready", operation_id="ready", response_model=Ready)
async def ready(request: Request) -> Ready:
    """Whether models are loaded; 503 until they are."""
    found = _ready(request.app.state.reach)
    if found is None:
        raise Problem(503, "not ready", "no models are loaded yet", {"Retry-After": "2"})
    return found


@router.get("/api/health", operation_id="health", response_model=Health)
async def health(request: Request) -> Health:
    """Whether the process lives and what it answers with."""
    found = _ready(request.app.state.reach)
    return Health(ready=found is not None, what=found)


@router.get("/metrics", operation_id="metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
async def figures(request: Request) -> Response:
    """Figures for Prometheus, in the format that it asks for."""
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry(request.app.state.reach)), headers={"Content-Type": media_type})


def _ready(reach: Reach) -> Ready | None:
    desk = reach.desk
    if not desk.ready:
        return None
    service = desk.service
    return Ready(
        model_version=service.version,
        models=sorted(service.models),
        stored=reach.kept,
        behind=desk.problem is not None,
    )
