"""Viewers: who can be asked for, what they said and what they want."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["viewers"])
