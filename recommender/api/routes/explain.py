"""Why a film stands where it stands, why another does not, and models side by side."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["explain"])
