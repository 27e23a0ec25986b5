"""The Transformer as a Recommender: what comes next after the last films."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import torch

from recommender.catalog import Catalog
from recommender.interactions import UNKNOWN, Interactions
from recommender.models.loop import Loop
from recommender.models.transformer import Transformer
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Explanation, Query, Reason, context_reasons

REST = "all you watched, in its order"  # what no single film accounts for


def context_index(context: Context) -> tuple[int, int]:
    """(time, device) as embedding rows: 0 unknown, else position in TIMES_OF_DAY or DEVICES plus 1."""
    time = TIMES_OF_DAY.index(context.time_of_day) + 1 if context.time_of_day else 0
    device = DEVICES.index(context.device) + 1 if context.device else 0
    return time, device


class SoftmaxLoss(torch.autograd.Function):
    """Mean cross-entropy of softmax(h E') against y, 256 rows at a time: the same value and gradients as
    F.cross_entropy(h @ E.T, y) in half the time, because the (N, I) logits never leave the processor's cache."""

    @staticmethod
    def forward(ctx, h: torch.Tensor, table: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        dh, dtable, loss = torch.empty_like(h), torch.zeros_like(table), h.new_zeros(())
        for rows in torch.arange(len(h)).split(256):
            p = (h[rows] @ table.T).softmax(dim=1)
            answer = y[rows, None]
            loss -= p.gather(1, answer).clamp_min(1e-30).log().sum()
            p.scatter_add_(1, answer, -torch.ones_like(answer, dtype=p.dtype))  # d loss / d logits = p - [i = y]
            dh[rows] = p @ table
            dtable.addmm_(p.T, h[rows])
        ctx.save_for_backward(dh / len(h), dtable / len(h))
        return loss / len(h)

    @staticmethod
    def backward(ctx, grad: torch.Tensor):
        dh, dtable = ctx.saved_tensors
        return grad * dh, grad * dtable, None


@dataclass
class Sequence:
    """Causal Transformer over the latest films.

    Full-softmax cross-entropy on the next film at every position; scores are logits, centred over the films.

    Source: Kang & McAuley, SASRec, ICDM 2018, arXiv 1808.09781; full softmax: Klenitskiy & Vasilev, RecSys 2023, arXiv 2309.07602.
    """

    simulates: ClassVar[tuple[str, ...]] = ("device",)
    width: int = 64
    heads: int = 4
    layers: int = 2
    length: int = 100  # films looked back on
    dropout: float = 0.2
    rate: float = 1e-3
    batch: int = 64
    epochs: int = 40
    patience: int = 8
    unknown: float = 0.3  # share of training positions whose context is hidden, so that it may be unknown when served
    examined: int = 600  # viewers whose last film is kept for early stopping
    looked_back: int = 8  # films tried one by one for leave-one-out reasons
    seed: int = 0

    def fit(self, interactions: Interactions, catalog: Catalog, checkpoint=None) -> Self:
        torch.manual_seed(self.seed)
        rng = np.random.default_rng(self.seed)
        self.catalog = catalog
        network = Transformer(interactions.n_items, self.width, self.heads, self.layers, self.length, self.dropout)
        candidates = np.flatnonzero(interactions.lengths >= 5)
        if len(candidates) < 4:
            raise ValueError(f"{len(candidates)} viewers have five ratings or more, wanted at least 4 to train on and to examine")
        examined = rng.choice(candidates, min(self.examined, len(candidates) // 4), replace=False)
        last = np.zeros(len(interactions), bool)
        last[[interactions.rows(u).stop - 1 for u in examined]] = True
        train, answers = interactions.where(~last), interactions.items[last]
        # Outside the network's own context rows, the examination knows no context: the figure is one without simulated help.
        queries = [Query(train.profile(interactions.users[row])) for row in np.flatnonzero(last)]

        def loss(films, targets, times, devices) -> torch.Tensor:
            return SoftmaxLoss.apply(network(films, times, devices)[targets >= 0], network.table, targets[targets >= 0])

        def error() -> float:
            scores = np.concatenate([self._logits(network, queries[i : i + 256]) for i in range(0, len(queries), 256)])
            rows = np.arange(len(queries))
            better = (scores > scores[rows, answers][:, None]).sum(axis=1)
            return -float(np.where(better < 10, 1 / np.log2(better + 2), 0).mean())

        self.training = Loop("sequence", self.rate, self.epochs, self.patience, checkpoint).run(network, lambda: self._batches(train), loss, error)
        self.state_ = {k: v.numpy().copy() for k, v in network.state_dict().items()}
        self.__dict__.pop("_network", None)
        return self

    def _batches(self, data: Interactions) -> Iterator[tuple[torch.Tensor, ...]]:
        """Histories cut into windows at a random offset: films (B, T), next film or -1 (B, T), its time and device (B, T)."""
        rng = np.random.default_rng(int(torch.randint(2**62, ())))  # from torch's generator, whose state a checkpoint keeps
        windows = []
        for user in np.flatnonzero(data.lengths >= 2).tolist():
            r = data.rows(user)
            start = r.start - int(rng.integers(self.length)) if r.stop - r.start > self.length else r.start
            windows += [(max(s, r.start), min(s + self.length, r.stop - 1)) for s in range(start, r.stop - 1, self.length)]
        windows = [w for w in windows if w[1] > w[0]]
        order = rng.permutation(len(windows))
        for b in range(0, len(order), self.batch):
            chosen = [windows[i] for i in order[b : b + self.batch]]
            films = np.full((len(chosen), self.length), data.n_items)
            targets = np.full_like(films, -1)
            times, devices = np.zeros_like(films), np.zeros_like(films)
            for row, (start, stop) in enumerate(chosen):
                n = stop - start
                films[row, :n] = data.items[start:stop]
                targets[row, :n] = data.items[start + 1 : stop + 1]
                times[row, :n] = data.times_of_day[start + 1 : stop + 1] + 1
                devices[row, :n] = data.devices[start + 1 : stop + 1] + 1
            times[rng.random(times.shape) < self.unknown] = UNKNOWN + 1
            devices[rng.random(devices.shape) < self.unknown] = UNKNOWN + 1
            yield tuple(torch.from_numpy(a.astype(np.int64)) for a in (films, targets, times, devices))

    @cached_property
    def _network(self) -> Transformer:
        n_items = len(self.state_["films.weight"]) - 1
        network = Transformer(n_items, self.width, self.heads, self.layers, self.length, dropout=0.0)
        network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in self.state_.items()})
        return network.eval()

    def _logits(self, network: Transformer, queries: list[Query]) -> np.ndarray:  # (B, I)
        recent = [q.profile.items[-self.length :] for q in queries]
        films = np.full((len(queries), max(1, *map(len, recent))), len(network.table))
        for row, items in enumerate(recent):
            films[row, : len(items)] = items
        context = np.array([context_index(q.context) for q in queries])
        at = torch.tensor([max(len(items) - 1, 0) for items in recent])
        with torch.inference_mode():
            times, devices = (torch.from_numpy(np.repeat(c[:, None], films.shape[1], axis=1)) for c in context.T)
            vectors = network(torch.from_numpy(films), times, devices)[torch.arange(len(queries)), at]
            scores = vectors @ network.table.T
            return (scores - scores.mean(dim=1, keepdim=True)).numpy()

    def score(self, queries: list[Query]) -> np.ndarray:
        return self._logits(self._network, queries)

    def context_effect(self, query: Query) -> tuple[np.ndarray, np.ndarray]:  # (I,) each
        """Score points due to the time of day, and to the device (simulated) on top of it: scores with less scores without."""
        bare, timed, full = self.score([Query(query.profile, c) for c in _contexts(query.context)]).astype(np.float64)
        return timed - bare, full - timed

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        """Leave-one-out: how much lower the film would score without each of the latest films. Not exact.

        What no single film accounts for is given as one rest, and context by what it adds, so that the weights still sum
        to the score.
        """
        profile, contexts = query.profile, _contexts(query.context)
        tried = np.arange(len(profile))[-self.looked_back :]
        without = [Query(profile.keep(np.arange(len(profile)) != j), contexts[0]) for j in tried]
        scores = self.score([*(Query(profile, c) for c in contexts), *without])[:, items].astype(np.float64)
        bare, timed, full = scores[:3]
        drops = bare - scores[3:]  # (n tried, K)
        context = context_reasons(query.context, timed - bare, full - timed)
        answers = []
        for k in range(len(items)):
            reasons = [Reason("sequence", int(profile.items[j]), float(d)) for j, d in zip(tried, drops[:, k])]
            reasons.append(Reason("sequence", REST, float(bare[k] - drops[:, k].sum())))
            answers.append(Explanation.of([*reasons, *context[k]], exact=False))
        return answers


def _contexts(context: Context) -> tuple[Context, Context, Context]:
    """Nothing known, the time of day alone, the whole context."""
    return Context(), Context(time_of_day=context.time_of_day), context
