"""Films for somebody, each with its reason."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["recommendations"])
