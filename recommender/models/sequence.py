"""The Transformer as a Recommender: what comes next after the last films."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch

from recommender.catalog import Catalog
from recommender.interactions import UNKNOWN, Interactions
from recommender.models.loop import Loop, half_precision
from recommender.models.softmax import SoftmaxLoss
from recommender.models.transformer import Transformer
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Explanation, Profile, Query, Reason, context_reasons

ASKED = 2000  # films asked for, at most, to see when to stop
KEPT = 8  # queries whose scores without each of the latest films are kept
Variant = tuple[int | None, Context]  # the place of a film in a profile that is left out, or None; and when the rest is asked for
REST = "all you watched, in its order"  # what no single film accounts for


def context_index(context: Context) -> tuple[int, int]:
    """(time, device) as embedding rows: 0 unknown, else position in TIMES_OF_DAY or DEVICES plus 1."""
    time = TIMES_OF_DAY.index(context.time_of_day) + 1 if context.time_of_day else 0
    device = DEVICES.index(context.device) + 1 if context.device else 0
    return time, device


@dataclass
class Sequence:
    """Causal Transformer over the latest films.

    Full-softmax cross-entropy on the next film at every position; scores are logits, centred over the films.

    Source: Kang & McAuley, SASRec, ICDM 2018, arXiv 1808.09781; full softmax: Klenitskiy & Vasilev, RecSys 2023, arXiv 2309.07602.
    """

    simulates = tuple[str, ...]()  # signals of the rows it was fitted on that were drawn from a rule
    knows: tuple[str, ...] = (
        "time_of_day",
        "device",
    )  # beside the order of films; further "stars" and "moment" (when each was watched and is asked for)
    width: int = 64
    heads: int = 4
    layers: int = 2
    length: int = 100  # films looked back on
    dropout: float = 0.2
    rate: float = 1e-3
    batch: int = 64  # windows of full length in a step; more where they are shorter
    epochs: int = 40
    patience: int = 8
    average: float = 0.0  # see Loop
    cosine: bool = False  # see Loop
    thinned: float = 0.0  # share of histories of which an epoch sees only some films: people name favourites, sites log whole pages
    unknown: float = 0.3  # share of training positions whose context is hidden, so that it may be unknown when served
    examined: int = 600  # viewers whose last film is kept for early stopping
    looked_back: int = 8  # films tried one by one for leave-one-out reasons
    seed: int = 0

    def fit(self, interactions: Interactions, catalog: Catalog, checkpoint=None) -> Self:
        torch.manual_seed(self.seed)
        rng = np.random.default_rng(self.seed)
        self.catalog = catalog
        self.simulates = tuple(name for name in interactions.simulated if name in self.knows)
        network = self._blank(interactions.n_items, self.dropout)
        candidates = np.flatnonzero(interactions.lengths >= 5)
        if len(candidates) < 4:
            raise ValueError(f"{len(candidates)} viewers have five ratings or more, wanted at least 4 to train on and to examine")
        examined = rng.choice(candidates, min(self.examined, len(candidates)), replace=False)
        last = np.zeros(len(interactions), bool)
        last[[interactions.rows(u).stop - 1 for u in examined]] = True
        train = interactions.where(~last)
        asked = np.flatnonzero(last)[:: math.ceil(len(examined) / ASKED)]
        answers = interactions.items[asked]
        # Outside the network's own context rows, the examination knows no context: the figure is one without simulated help.
        queries = [Query(train.profile(interactions.users[row]), Context(at=int(interactions.times[row]))) for row in asked]

        def loss(films, targets, times, devices, stars, clock) -> torch.Tensor:
            with half_precision():
                vectors = network(films, times, devices, stars, clock)[targets >= 0]
                return SoftmaxLoss.apply(
                    vectors.to(torch.bfloat16) if torch.is_autocast_enabled(films.device.type) else vectors, network.table, targets[targets >= 0]
                )

        def error() -> float:
            scores = np.concatenate([self._logits(network, queries[i : i + 128]) for i in range(0, len(queries), 128)])
            for row, query in enumerate(queries):
                scores[row, query.profile.items] = -np.inf
            better = (scores > scores[np.arange(len(queries)), answers][:, None]).sum(axis=1)
            return -float(np.where(better < 10, 1 / np.log2(better + 2), 0).mean())

        loop = Loop("sequence", self.rate, self.epochs, self.patience, checkpoint, self.average, self.cosine)
        asked_for = lambda films, targets, *_: int((targets >= 0).sum())
        self.training = loop.run(network, lambda: self._batches(train), loss, error, asked_for)
        self.state_ = {k: v.numpy().copy() for k, v in network.state_dict().items()}
        self.__dict__.pop("_network", None)
        return self

    def _blank(self, n_items: int, dropout: float) -> Transformer:
        clock = "moment" in self.knows
        return Transformer(n_items, self.width, self.heads, self.layers, self.length, dropout, stars="stars" in self.knows, clock=clock)

    def _batches(self, data: Interactions) -> Iterator[tuple[torch.Tensor, ...]]:
        """Histories cut into windows at a random offset, windows of like length together: films (B, T), next film or -1 (B, T), its time and
        device (B, T), half stars (B, T), the seconds of the films and of the last one asked for (B, T + 1)."""
        rng = np.random.default_rng(int(torch.randint(2**62, ())))  # from torch's generator, whose state a checkpoint keeps
        if self.thinned:
            share = np.where(rng.random(data.n_users) < self.thinned, rng.random(data.n_users), 1.0)
            data = data.where(rng.random(len(data)) < share[data.users])
        windows = []
        for user in np.flatnonzero(data.lengths >= 2).tolist():
            r = data.rows(user)
            start = r.start - int(rng.integers(self.length)) if r.stop - r.start > self.length else r.start
            windows += [(max(s, r.start), min(s + self.length, r.stop - 1)) for s in range(start, r.stop - 1, self.length)]
        spans = np.array([w for w in windows if w[1] > w[0]])
        spans = spans[np.argsort(spans[:, 1] - spans[:, 0] + rng.random(len(spans)) * self.length / 10)]
        longest = np.maximum.accumulate(spans[:, 1] - spans[:, 0])
        groups, start = [], 0
        for row in range(1, len(spans) + 1):
            if row == len(spans) or longest[row] * (row + 1 - start) > self.batch * self.length:
                groups.append(spans[start:row])
                start = row
        for group in rng.permutation(len(groups)).tolist():
            yield self._batch(data, groups[group], rng)

    def _batch(self, data: Interactions, spans: np.ndarray, rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
        longest = int((spans[:, 1] - spans[:, 0]).max())
        shape = len(spans), min(-(-longest // 16) * 16, self.length)  # few shapes, because each is compiled and cached
        films, targets = np.full(shape, data.n_items), np.full(shape, -1)
        times, devices, stars = (np.zeros(shape, np.int64) for _ in range(3))
        clock = np.zeros((shape[0], shape[1] + 1), np.int64)
        for row, (start, stop) in enumerate(spans.tolist()):
            n = stop - start
            films[row, :n] = data.items[start:stop]
            targets[row, :n] = data.items[start + 1 : stop + 1]
            times[row, :n] = data.times_of_day[start + 1 : stop + 1] + 1
            devices[row, :n] = data.devices[start + 1 : stop + 1] + 1
            stars[row, :n] = np.rint(2 * data.ratings[start:stop])
            clock[row, : n + 1], clock[row, n + 1 :] = data.times[start : stop + 1], data.times[stop]
        for name, context in (("time_of_day", times), ("device", devices)):
            context[rng.random(shape) < (self.unknown if name in self.knows else 1)] = UNKNOWN + 1
        return tuple(torch.from_numpy(a) for a in (films, targets, times, devices, stars, clock))

    @cached_property
    def _network(self) -> Transformer:
        network = self._blank(len(self.state_["films.weight"]) - 1, dropout=0.0)
        network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in self.state_.items()})
        return network.eval()

    def _logits(self, network: Transformer, queries: list[Query]) -> np.ndarray:  # (B, I)
        lengths = [min(len(q.profile), self.length) for q in queries]
        shape = len(queries), max(1, *lengths)
        films, stars = np.full(shape, len(network.table)), np.zeros(shape, np.int64)
        clock = np.zeros((shape[0], shape[1] + 1), np.int64)
        for row, (q, n) in enumerate(zip(queries, lengths)):
            recent = slice(len(q.profile) - n, None)
            films[row, :n], stars[row, :n], clock[row, :n] = q.profile.items[recent], np.rint(2 * q.profile.ratings[recent]), q.profile.times[recent]
            latest = q.profile.times[-1] if n else 0
            clock[row, n:] = latest if q.context.at is None else max(q.context.at, latest)  # an unknown moment counts as right after the last film
        times, devices = (np.repeat(told[:, None], shape[1], axis=1) for told in self._told([q.context for q in queries]))
        return _scores(network, films, times, devices, stars, clock, np.array([[max(n - 1, 0)] for n in lengths]))

    def _told(self, contexts: list[Context]) -> tuple[np.ndarray, np.ndarray]:  # (B,) each
        """The time of day and the device as embedding rows, 0 where the network knows no such thing."""
        times, devices = np.array([context_index(c) for c in contexts]).T
        return times * ("time_of_day" in self.knows), devices * ("device" in self.knows)

    def score(self, queries: list[Query]) -> np.ndarray:
        return self._logits(self._network, queries)

    def _variants(self, profile: Profile, asked: list[Variant]) -> np.ndarray:  # (V, I)
        """Scores of one profile less the film at one of the latest places (None: less nothing), each in a context.

        They are branches of one tree, whose trunk, the films before, is worked out once. Source: Miao et al., SpecInfer, ASPLOS 2024,
        arXiv 2305.09781 (tree attention). A network that knows moments is asked for each alone: without a film, its neighbours wait longer.
        """
        everything = np.arange(len(profile))
        if "moment" in self.knows:
            return self.score([Query(profile if out is None else profile.keep(everything != out), c) for out, c in asked])
        paths = [everything[-self.length :] if out is None else np.delete(everything, out)[-self.length :] for out, _ in asked]
        places, back, ends = branches([path if len(path) else np.array([-1]) for path in paths])
        times, devices = np.zeros((2, len(places)), np.int64)
        times[ends], devices[ends] = self._told([c for _, c in asked])
        films, stars = np.append(profile.items, len(self._network.table)), np.append(np.rint(2 * profile.ratings), 0).astype(np.int64)
        return _scores(self._network, films[places][None], times[None], devices[None], stars[places][None], None, ends[None], back)

    def context_effect(self, query: Query) -> tuple[np.ndarray, np.ndarray]:  # (I,) each
        """Score points due to the time of day, and to the device (simulated) on top of it: scores with less scores without."""
        bare, timed, full = self.score([Query(query.profile, c) for c in _contexts(query.context)]).astype(np.float64)
        return timed - bare, full - timed

    def _left_out(self, query: Query) -> tuple[np.ndarray, np.ndarray]:
        """Places of the films tried (n,), and scores (3 + n, I) in each of _contexts and without each film; kept for the queries asked last, because
        the rows of a page ask for the same one, and several pages are made at a time."""
        kept = self.__dict__.get("_asked", ())
        found = next((of for asked, state, of in kept if asked is query and state is self.state_), None)
        if found is None:
            profile, contexts = query.profile, _contexts(query.context)
            tried = np.arange(len(profile))[-self.looked_back :]
            different = list(dict.fromkeys(contexts))
            whole: list[Variant] = [(None, c) for c in different]
            less: list[Variant] = [(int(j), contexts[0]) for j in tried]
            trees = [whole + less] if len(profile) <= self.length else [whole, less]  # without a film, a longer history begins elsewhere
            scores = np.concatenate([self._variants(profile, asked) for asked in trees])
            three = [different.index(c) for c in contexts]
            found = tried, scores[[*three, *range(len(different), len(scores))]]
            self._asked = ((query, self.state_, found), *kept[: KEPT - 1])
        return found

    def own(self, query: Query) -> np.ndarray:  # (I,)
        """Scores of a query whose reasons are asked for next: both are worked out in one batch."""
        return self._left_out(query)[1][2]

    def less(self, query: Query, films: Iterable[int]) -> np.ndarray:  # (n, I)
        """Scores without each of these films in turn; those of the latest films are left over from the reasons, where these know all but the part
        of day and the device, whose points are the same for every profile."""
        films, profile = list(films), query.profile
        known: dict[int, np.ndarray] = {}
        if query.context.at is None:
            tried, scores = self._left_out(query)
            known = dict(zip(profile.items[tried].tolist(), scores[3:] + (scores[2] - scores[0])))
        missing = [film for film in films if film not in known]
        if missing:
            known |= zip(missing, self.score([Query(profile.keep(profile.items != film), query.context) for film in missing]))
        return np.stack([known[film] for film in films])

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        """Leave-one-out: how much lower the film would score without each of the latest films. Not exact.

        What no single film accounts for is given as one rest, and context by what it adds, so that the weights still sum
        to the score.
        """
        profile, (tried, left_out) = query.profile, self._left_out(query)
        scores = left_out[:, items].astype(np.float64)
        bare, timed, full = scores[:3]
        drops = bare - scores[3:]  # (n tried, K)
        context = context_reasons(query.context, timed - bare, full - timed, self.simulates)
        answers = []
        for k in range(len(items)):
            reasons = [Reason("sequence", int(profile.items[j]), float(d)) for j, d in zip(tried, drops[:, k])]
            reasons.append(Reason("sequence", REST, float(bare[k] - drops[:, k].sum())))
            answers.append(Explanation.of([*reasons, *context[k]], exact=False))
        return answers


def _contexts(context: Context) -> tuple[Context, Context, Context]:
    """Nothing known, the time of day alone, the whole context."""
    return Context(), Context(time_of_day=context.time_of_day), context


def _scores(
    network: Transformer, films: np.ndarray, times: np.ndarray, devices: np.ndarray, stars: np.ndarray, clock: np.ndarray | None, at: np.ndarray,
    back: np.ndarray | None = None,
) -> np.ndarray:  # (B * L, I)  # fmt: skip
    """Scores of all films at the positions (B, L) of what Transformer.forward takes, centred over the films."""
    where = network.table.device
    with torch.inference_mode():
        given = (None if part is None else torch.from_numpy(part).to(where) for part in (films, times, devices, stars, clock, at, back))
        scores = network(*given).flatten(0, 1) @ network.table.T
        return (scores - scores.mean(dim=1, keepdim=True)).cpu().numpy()


def branches(paths: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Paths as one tree: each goes along with the last one as far as they agree, and then its own way, by one node at least.

    What stands at each node (T,); how many nodes back each sees each, below 0 where it does not (T, T); and where each path ends (V,).
    """
    trunk, shared, tails = paths[-1][:-1], [], []
    for path in paths:
        apart = path[: min(len(trunk), len(path) - 1)] != trunk[: len(path) - 1]
        shared.append(int(apart.argmax()) if apart.any() else len(apart))
        tails.append(path[shared[-1] :])
    trunk = trunk[: max(shared)]
    depth, starts = np.arange(len(trunk)), len(trunk) + np.cumsum([0, *map(len, tails)])
    back = np.full((starts[-1], starts[-1]), -1)
    back[: len(trunk), : len(trunk)] = depth[:, None] - depth
    for start, stop, common in zip(starts, starts[1:], shared):
        own = common + np.arange(stop - start)
        back[start:stop, :common], back[start:stop, start:stop] = own[:, None] - depth[:common], own[:, None] - own
    return np.concatenate([trunk, *tails]), back, starts[1:] - 1
