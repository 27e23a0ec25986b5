"""What was found out: evaluation reports, experiments, models."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["reports"])
