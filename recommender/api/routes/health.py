"""Whether the process lives, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["health"])


@router.get("/health", operation_id="health")
def live() -> dict[str, str]:
    """The process lives."""
    return {"status": "live"}
