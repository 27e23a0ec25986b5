"""What people did, stored."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["feedback"])
