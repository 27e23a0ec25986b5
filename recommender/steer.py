"""What a viewer set by hand, as points on top of a model's scores; each setting is a reason, so that the reasons still sum to the score.

Points are counted in spreads of the model's own scores over all films.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.catalog import Catalog
from recommender.models.content import Content
from recommender.models.hybrid import PARTS, Hybrid
from recommender.types import Explanation, Preferences, Query, Reason, ReasonKind, Recommender

ADVENTURE = 0.75  # spreads of scores that a film moves at adventure 1 for each standard deviation of rarity; chosen in docs/experiments.md
FLAT = 1e-9  # a spread below this is none: the model tells no film from another


@dataclass(frozen=True, eq=False)
class Push:
    """What one setting adds to each film: points (I,) in spreads of a model's scores."""

    kind: ReasonKind
    subject: str
    points: np.ndarray


def spread(scores: np.ndarray) -> np.ndarray:  # (...)
    """Standard deviation of scores (..., I) over all films, 1 where it is none. Films must not be masked yet: what is shown moves no score."""
    scores = np.asarray(scores, np.float64)
    if not np.isfinite(scores).all():
        raise ValueError(f"{(~np.isfinite(scores)).sum()} of {scores.size} scores are not finite; wanted those of all films, before any is masked")
    wide = scores.std(axis=-1)
    return np.where(wide > FLAT, wide, 1.0)


def rarity(raters: np.ndarray) -> np.ndarray:  # (I,)
    """How far the logarithm of a film's raters lies below the mean, in standard deviations over the films that anybody rated.

    Films nobody rated count as the rarest of those; 0 for all where every film has as many.
    """
    raters = np.asarray(raters, np.float64)
    if not (raters > 0).any():
        return np.zeros(len(raters))
    log = np.log(np.where(raters > 0, raters, raters[raters > 0].min()))
    wide = log[raters > 0].std()
    return (log[raters > 0].mean() - log) / wide if wide > FLAT else np.zeros(len(raters))


def pushes(
    preferences: Preferences,
    catalog: Catalog,
    closeness: Mapping[int, np.ndarray] | None,
    raters: np.ndarray,
    names: Mapping[int, str] | None = None,
) -> tuple[Push, ...]:
    """One push for each setting that is not 0: genres, decades, groups of films, familiar or adventurous.

    closeness: group -> how near each film (I,) is to it, 0 to 1, and names: what groups are called, both by the atlas; where it is None nothing
    is known of groups and they move nothing. raters (I,): people who rated each film. KeyError names an unknown genre or group.
    """
    asked = [(f"{name} films", nudge, catalog.genres[:, catalog.genre(name)]) for name, nudge in preferences.genres]
    asked += [(f"films of the {start}s", nudge, (catalog.years >= start) & (catalog.years < start + 10)) for start, nudge in preferences.decades]
    for group, nudge in preferences.groups if closeness is not None else ():
        if group not in (known := closeness or {}):
            raise KeyError(f"group {group} of films is unknown, wanted one of {', '.join(map(str, known)) or 'none'}")
        asked.append((f"films like “{(names or {}).get(group, f'group {group}')}”", nudge, known[group]))
    made = [Push("setting", f"{'more' if nudge > 0 else 'fewer'} {what}", nudge * share.astype(float)) for what, nudge, share in asked if nudge]
    if preferences.adventure:
        towards = "adventurous" if preferences.adventure > 0 else "familiar"
        made.append(Push("setting", f"more {towards} films", preferences.adventure * ADVENTURE * rarity(raters)))
    return tuple(made)


def steered(scores: np.ndarray, pushes: Sequence[Push], wide: np.ndarray | float | None = None) -> np.ndarray:
    """scores (I,) or (B, I) plus the points of all pushes, times `wide`, the spread of the scores where none is given. Without a push, scores."""
    if not pushes:
        return scores
    wide = spread(scores) if wide is None else np.asarray(wide)
    return (scores + wide[..., None] * sum(push.points for push in pushes)).astype(scores.dtype)


def reasons(pushes: Sequence[Push], items: np.ndarray, wide: float) -> list[list[Reason]]:
    """For each of items (K,), what every push gives it in score points, those that give nothing left out."""
    return [[Reason(p.kind, p.subject, wide * float(p.points[i])) for p in pushes if p.points[i]] for i in items]


def switched_off(model: Recommender, queries: Sequence[Query], people: Sequence[str], wide: np.ndarray) -> list[tuple[Push, ...]]:
    """For each query, a push against what each of these people adds to a model's scores: exact for content, and for the hybrid through its
    content part.

    Models that know no people are not moved. wide (B,): the spreads of the model's scores.
    """
    content, scales = model, 1 / wide
    if isinstance(model, Hybrid) and people:
        content = model.parts["content"]
        scales = scales * model.weights(list(queries))[:, PARTS.index("content")] / spread(content.score(list(queries)))
    if not isinstance(content, Content):
        return [()] * len(queries)
    return [
        tuple(Push("person", name, -scale * content.due_to(query, name)) for name in people) for query, scale in zip(queries, scales, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class Steering:
    """All that one viewer set by hand, for any model: pushes, and people who are no reason."""

    pushes: tuple[Push, ...] = ()
    without: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pushes or self.without)

    def scores(self, model: Recommender, queries: Sequence[Query], scores: np.ndarray) -> np.ndarray:
        """The model's own scores (B, I) for these queries, moved; the same array where nothing is set."""
        if not self or not len(scores):
            return scores
        wide = spread(scores)
        if not self.without:
            return steered(scores, self.pushes, wide)
        people = switched_off(model, queries, self.without, wide)
        return np.stack([steered(row, (*self.pushes, *off), w) for row, off, w in zip(scores, people, wide, strict=True)])

    def explain(self, model: Recommender, query: Query, scores: np.ndarray, items: np.ndarray, own: Sequence[Explanation]) -> list[Explanation]:
        """The model's own explanations of items (K,), given its own scores (I,), with what was set: they sum to the moved scores.

        A person who is switched off is no reason any more.
        """
        if not self:
            return list(own)
        wide = spread(scores)
        people = switched_off(model, [query], self.without, wide[None])[0]
        moved = (*self.pushes, *people)
        off = {("person", push.subject) for push in people}  # what they gave and what is taken for it are equal
        added = zip(own, reasons(moved, items, float(wide)), strict=True)
        return [Explanation.of([r for r in (*e.reasons, *more) if (r.kind, r.subject) not in off], e.exact) for e, more in added]
