"""What is found when a viewer asks why a film is not there, or what holds it there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from recommender.types import Context


class Change(NamedTuple):
    """One thing that would lift a film. film: item number, or None where the context changes; rank: by score, among the films the first row is then
    chosen from; place: in that row as it is then shown, None where it is not among the first."""

    what: Literal["rate", "drop", "context"]  # give this film five stars; do not use this film; this moment
    film: int | None
    context: Context | None
    rank: int
    place: int | None = None


class Held(NamedTuple):
    """What holds a film among the first of the first row: its place now, films of the viewer's without which it is not there (none where none were
    found), and its rank by score then (None where the row is then chosen from others)."""

    place: int
    films: tuple[int, ...]
    after: int | None


@dataclass(frozen=True)
class WhyNot:
    """Why a film is not among the first k of the viewer's first row.

    rank: by score, among the films that the row is chosen from, `among` of them; None where it is not one of them. gap: score points to the film
    in place k, which is `rival` (None where the row has none); parts: (model or signal, points it has less than the rival; negative where it has
    more), which sum to the gap, none where rank is None, for then it is no matter of points; simulated: signals that the models learned from a rule;
    kept_out: rules besides the score that keep it out, as phrases; changes: best first.
    """

    item: int
    model: str
    rank: int | None
    among: int
    k: int
    gap: float
    rival: int | None
    parts: tuple[tuple[str, float], ...]
    simulated: tuple[str, ...]
    kept_out: tuple[str, ...]
    changes: tuple[Change, ...]
