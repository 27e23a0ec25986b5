"""The Transformer asked for what is missing inside a history, not for what comes after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from recommender.models.sequence import Sequence
from recommender.types import Explanation, Query, Reason

POSITIONS = 512  # whose softmax over all films is held at once


@dataclass
class Filler(Sequence):
    """score_i = log(floor + sum over all places t of the history of p(film i comes next after place t)).

    Where films were left out of a history at random, each left a gap somewhere, and the sum is the expected number of times a film is the one
    that a gap misses. Every place knows the moment of the film that follows it. p is the next-film softmax of the causal Transformer.
    """

    floor: float = 0.01

    def score(self, queries: list[Query]) -> np.ndarray:
        network = self._network
        counts = torch.zeros(len(queries), len(network.table))
        with torch.inference_mode():
            for films, stars, clock, owner in self._windows(queries):
                none = torch.zeros_like(films)
                vectors = network(films, none, none, stars, clock)[films < len(network.table)]
                owners = owner[:, None].expand_as(films)[films < len(network.table)]
                for start in range(0, len(vectors), POSITIONS):
                    rows = slice(start, start + POSITIONS)
                    counts.index_add_(0, owners[rows], (vectors[rows] @ network.table.T).softmax(dim=1))
        return torch.log(counts + self.floor).numpy()

    def _windows(self, queries: list[Query], batch: int = 64):
        """Histories cut into windows of `length`, `batch` at a time: films, half stars (W, T), seconds (W, T + 1), the query of each (W,)."""
        spans = [(row, s) for row, q in enumerate(queries) for s in range(0, len(q.profile), self.length)]
        spans.sort(key=lambda span: min(len(queries[span[0]].profile) - span[1], self.length))
        for first in range(0, len(spans), batch):
            chosen = spans[first : first + batch]
            longest = max(min(len(queries[row].profile) - s, self.length) for row, s in chosen)
            films = np.full((len(chosen), longest), len(self._network.table))
            stars, clock = np.zeros(films.shape, np.int64), np.zeros((len(chosen), longest + 1), np.int64)
            for place, (row, s) in enumerate(chosen):
                p = queries[row].profile
                stop = min(s + self.length, len(p))
                n = stop - s
                films[place, :n], stars[place, :n] = p.items[s:stop], np.rint(2 * p.ratings[s:stop])
                clock[place, :n] = p.times[s:stop]
                clock[place, n:] = p.times[min(stop, len(p) - 1)]  # after the last film: at once
            yield *map(torch.from_numpy, (films, stars, clock)), torch.tensor([row for row, _ in chosen])

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        """One reason, the history as a whole: no single film accounts for a sum over places."""
        points = self.score([query])[0]
        return [Explanation.of([Reason("sequence", "the gaps in your history", float(points[i]))], exact=False) for i in items]
