"""Where films stand for one viewer, and where they would stand without one of the viewer's films: every claim about a film is tried here.

What the viewer set by hand moves the scores of every model but those that foretell stars.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from recommender.counterfactual import less, without
from recommender.models.hybrid import PARTS, Hybrid, together
from recommender.models.sequence import Sequence
from recommender.rank import ranks
from recommender.steer import Steering
from recommender.types import Context, Explanation, Query, Recommender

WELL = 200  # places from the top within which a film stands well
UNMOVED = ("ratings",)  # models whose scores are a promise


class Ranked(NamedTuple):
    """Scores (I,) of one query, their reasons, and how other queries of the same viewer's would be scored."""

    scores: np.ndarray
    explain: Callable[[np.ndarray], list[Explanation]]
    rescore: Callable[[list[Query]], np.ndarray]


@dataclass
class Scores:
    """The scores of each model for one query, and for the same query less one film: worked out once, shared by all rows."""

    models: dict[str, Recommender]
    query: Query
    pool: np.ndarray  # (I,) bool: films within the viewer's limit that they have not seen
    steering: Steering = field(default_factory=Steering)
    own: dict[str, np.ndarray] = field(default_factory=dict)  # by the models alone
    done: dict[str, np.ndarray] = field(default_factory=dict)  # moved by what the viewer set
    less: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)
    nobody: dict[tuple[int, Context], np.ndarray] = field(default_factory=dict)  # scores for an empty profile, which outlive the query

    def __contains__(self, name: str) -> bool:
        return name in self.models

    def __getitem__(self, name: str) -> np.ndarray:  # (I,)
        if name not in self.done:
            self.done[name] = self._moved(name, [self.query], self._own(name)[None])[0]
        return self.done[name]

    def _own(self, name: str) -> np.ndarray:  # (I,)
        if name not in self.own:
            model = self.models[name]
            if isinstance(model, Hybrid):
                self.own[name] = model.blend([self.query], together([self._own(part)[None] for part in PARTS]))[0]
            else:
                self.own[name] = model.own(self.query) if isinstance(model, Sequence) else model.score([self.query])[0]
        return self.own[name]

    def _moved(self, name: str, queries: list[Query], scores: np.ndarray) -> np.ndarray:  # (B, I)
        return scores if name in UNMOVED else self.steering.scores(self.models[name], queries, scores)

    def scorer(self, name: str) -> Callable[[list[Query]], np.ndarray]:
        """What scores other queries of the same viewer's as this one is scored."""
        return lambda queries: self._moved(name, queries, self.models[name].score(queries))

    def explain(self, name: str) -> Callable[[np.ndarray], list[Explanation]]:
        model = self.models[name]
        parts = {"own": [self._own(part) for part in PARTS]} if isinstance(model, Hybrid) else {}
        if name in UNMOVED or not self.steering:
            return lambda items: model.explain(self.query, items, **parts)
        return lambda items: self.steering.explain(model, self.query, self._own(name), items, model.explain(self.query, items, **parts))

    def without(self, name: str, films: Iterable[int]) -> np.ndarray:  # (n, I)
        """Scores for the viewer less each of these films in turn."""
        films = list(films)
        return self._moved(name, [without(self.query, [film]) for film in films] if self.steering else [], self._less(name, films))

    def _less(self, name: str, films: list[int]) -> np.ndarray:  # (n, I)
        """By the model alone; the hybrid is put together from what its parts say."""
        missing = [film for film in films if (name, film) not in self.less]
        if missing:
            model = self.models[name]
            if isinstance(model, Hybrid):
                queries = [without(self.query, [film]) for film in missing]
                found = model.blend(queries, together([self._less(part, missing) for part in PARTS]))
            else:
                found = less(model, self.query, missing)
            self.less |= {(name, film): row for film, row in zip(missing, found)}
        return np.stack([self.less[name, film] for film in films]) if films else np.empty((0, len(self.pool)), np.float32)

    def placed(self, name: str, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # (K,) bool each
        """Whether each film stands well because of the viewer's films, and whether it stands well for somebody of whom nothing is known.

        Well is among the first WELL. A model that tells no film from another for an empty profile lifts those that score above it.
        """
        own, nobody = self[name], self._unknown(name)
        mine = ranks(own[None], items, self.pool)[0]
        if np.ptp(nobody) < 1e-9:
            return (mine <= WELL) & (own[items] > nobody[items]), np.zeros(len(items), bool)
        theirs = ranks(nobody[None], items, self.pool)[0]
        return (mine <= WELL) & (mine < theirs), theirs <= WELL

    def _unknown(self, name: str) -> np.ndarray:  # (I,)
        """Scores for an empty profile at the same part of day and on the same device."""
        model, context = self.models[name], replace(self.query.context, at=None)  # so that there are few
        if (id(model), context) not in self.nobody:
            self.nobody[id(model), context] = model.score([Query(context=context)])[0]
        return self._moved(name, [Query(context=context)], self.nobody[id(model), context][None])[0]

    def of(self, model: Any, moved: bool = True) -> Ranked:
        """By what scores and explains as a model does and is none of `models`; moved by what the viewer set by hand, or not."""
        steering, query = self.steering if moved else Steering(), self.query
        rescore = lambda queries: steering.scores(model, queries, model.score(queries))
        explain = lambda items: steering.explain(model, query, model.score([query])[0], items, model.explain(query, items))
        return Ranked(rescore([query])[0], explain, rescore)

    def falls(self, name: str, items: np.ndarray, films: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
        """Ranks of items (K,) among the pool: as things stand (K,), and for the viewer less each of these films in turn (n, K)."""
        return ranks(self[name][None], items, self.pool)[0], ranks(self.without(name, films), items, self.pool)

    def falls_by(self, rescore: Callable[[list[Query]], np.ndarray], items: np.ndarray, films: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
        """The same, by what is no model of the desk."""
        before, *after = ranks(rescore([self.query, *(without(self.query, [film]) for film in films)]), items, self.pool)
        return before, np.array(after).reshape(-1, len(items))
