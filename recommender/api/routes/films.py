"""Films: what there is, and what is like what."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["films"])
