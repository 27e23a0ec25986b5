"""The context-aware hybrid: a gate weighs three models by context and length of history, and context moves genres."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from recommender.catalog import Catalog
from recommender.interactions import UNKNOWN, Interactions
from recommender.models.content import Content
from recommender.models.loop import Loop
from recommender.models.neighbours import EASE
from recommender.models.sequence import Sequence, context_index
from recommender.rank import standardise
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Explanation, Query, Reason, ReasonKind, Recommender, context_reasons

PARTS = ("ease", "content", "sequence")  # collaborative, content, sequential
PICKS = 50  # films a person may have named


class Gate(nn.Module):
    """Context and length of history -> weights of the parts; context -> points for each genre. Index 0 is unknown."""

    def __init__(self, n_genres: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(5 + 5 + 1, hidden)
        self.out = nn.Linear(hidden, len(PARTS))
        self.time_genres, self.device_genres = nn.Embedding(5, n_genres), nn.Embedding(5, n_genres)
        self.log_sharpness = nn.Parameter(torch.zeros(()))  # of the softmax over films; moves no film
        for table in (self.time_genres, self.device_genres):
            nn.init.zeros_(table.weight)

    def weights(self, time: torch.Tensor, device: torch.Tensor, length: torch.Tensor) -> torch.Tensor:  # (B, 3)
        known = torch.cat([F.one_hot(time, 5), F.one_hot(device, 5), torch.log1p(length)[:, None] / 5], dim=1).float()
        return self.out(torch.tanh(self.hidden(known))).softmax(dim=1)

    def affinity(self, time: torch.Tensor, device: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # (B, G) each
        """Points a genre gains by the time and by the device; an unknown context gives none."""
        return self.time_genres(time) * (time > 0)[:, None], self.device_genres(device) * (device > 0)[:, None]


@dataclass
class Hybrid:
    """Gate over EASE, content and sequence, with context points by genre.

    score_i = sum_m g_m(context, n) z_m,i + (a_time + a_device) . genres_i, with z the scores of a part over their spread.

    Trained end to end on films the parts never saw (viewers left out of their training), with the composite loss
    cross-entropy(next film) + pull x KL(uniform || gate) + ridge x |a|^2: the gate stays near equal weights, and context
    near no effect, where the data do not speak against it.
    """

    simulates = tuple[str, ...]()  # signals of the rows it was fitted on, or its parts were, that were drawn from a rule
    hidden: int = 16
    pull: float = 0.02
    ridge: float = 0.01
    rate: float = 0.01
    batch: int = 256
    epochs: int = 60
    patience: int = 8
    asked: int = 8  # films asked for, per viewer
    picked: float = 0.0  # share of questions about some films of a viewer, drawn at random, and any other: people name favourites, sites log pages
    unknown: float = 0.3  # share of questions in which a signal of the context is hidden, so that it may be unknown when served
    held_out: float = 0.15  # share of viewers, for the gate when no group is given
    seed: int = 0

    def fit(self, interactions: Interactions, catalog: Catalog, checkpoint=None) -> Self:
        """Fit the parts on most viewers and the gate on the rest."""
        rng = np.random.default_rng(self.seed)
        users = np.unique(interactions.users)
        kept = np.isin(interactions.users, rng.choice(users, max(1, round(self.held_out * len(users))), replace=False))
        rest = interactions.where(~kept)
        parts: dict[str, Recommender] = {"ease": EASE(), "content": Content(), "sequence": Sequence(seed=self.seed)}
        self.attach({name: part.fit(rest, catalog) for name, part in parts.items()})
        return self.fit_gate(interactions.where(kept), catalog, checkpoint)

    def attach(self, models: dict[str, Recommender]) -> Self:
        """Use these fitted models as the parts."""
        missing = [name for name in PARTS if name not in models]
        if missing:
            raise LookupError(f"the hybrid needs the models {', '.join(PARTS)}; {', '.join(missing)} did not load")
        self.parts = {name: models[name] for name in PARTS}
        return self

    def fit_gate(self, interactions: Interactions, catalog: Catalog, checkpoint=None) -> Self:
        """Learn the gate and the context points from viewers whom the parts do not know."""
        torch.manual_seed(self.seed)
        self.catalog = catalog
        self.simulates = tuple(dict.fromkeys((*interactions.simulated, *(s for part in self.parts.values() for s in getattr(part, "simulates", ())))))
        rng = np.random.default_rng(self.seed)
        queries, targets, viewers = self.questions(self._partly_unknown(interactions, rng), rng)
        z = torch.from_numpy(np.concatenate([self.part_scores(queries[i : i + 128]) for i in range(0, len(queries), 128)]))  # (N, 3, I)
        context = torch.tensor([context_index(q.context) for q in queries])
        length = torch.tensor([len(q.profile) for q in queries])
        answer = torch.from_numpy(targets)
        genres = torch.from_numpy(catalog.genres.astype(np.float32))
        gate = Gate(genres.shape[1], self.hidden)
        examined = torch.from_numpy(viewers % 5 == 0)  # (N,)

        def nll(rows: torch.Tensor) -> torch.Tensor:
            weights = gate.weights(context[rows, 0], context[rows, 1], length[rows])
            by_time, by_device = gate.affinity(context[rows, 0], context[rows, 1])
            logits = torch.einsum("bm,bmi->bi", weights, z[rows]) + (by_time + by_device) @ genres.T
            return F.cross_entropy(logits * gate.log_sharpness.exp(), answer[rows])

        def loss(rows: torch.Tensor) -> torch.Tensor:
            weights = gate.weights(context[rows, 0], context[rows, 1], length[rows])
            kl = -(weights * len(PARTS)).log().mean()
            size = (gate.time_genres.weight**2).sum() + (gate.device_genres.weight**2).sum()
            return nll(rows) + self.pull * kl + self.ridge * size

        learned = torch.where(~examined)[0]
        batches = lambda: ([rows] for rows in learned[torch.randperm(len(learned))].split(self.batch))
        error = lambda: float(nll(torch.where(examined)[0]))
        self.training = Loop("hybrid", self.rate, self.epochs, self.patience, checkpoint).run(gate, batches, loss, error)
        self.state_ = {k: v.detach().numpy().copy() for k, v in gate.state_dict().items()}
        for made in ("_network", "_shares", "_points"):
            self.__dict__.pop(made, None)
        return self

    def _partly_unknown(self, data: Interactions, rng: np.random.Generator) -> Interactions:
        """The same rows, each signal of the context hidden in a share of them."""
        hide = lambda column: np.where(rng.random(len(data)) < self.unknown, np.int8(UNKNOWN), column)
        return replace(data, times_of_day=hide(data.times_of_day), devices=hide(data.devices))

    def questions(self, data: Interactions, rng: np.random.Generator) -> tuple[list[Query], np.ndarray, np.ndarray]:
        """Some films of each viewer, each asked for in the context it was watched in: queries, films, viewers.

        Known is what went before, or, for the share `picked` of them, 1 to PICKS of the viewer's other films.
        """
        queries, targets, viewers = [], [], []
        for viewer, user in enumerate(np.flatnonzero(data.lengths >= 2).tolist()):
            r, profile = data.rows(user), data.profile(user)
            for at in rng.choice(np.arange(1, len(profile)), min(self.asked, len(profile) - 1), replace=False):
                time, device = int(data.times_of_day[r.start + at]), int(data.devices[r.start + at])
                context = Context(TIMES_OF_DAY[time] if time >= 0 else None, DEVICES[device] if device >= 0 else None)
                known = np.arange(len(profile)) < at
                if self.picked and rng.random() < self.picked:
                    known[:] = False
                    known[rng.choice(len(profile), min(int(rng.integers(1, PICKS + 1)), len(profile) - 1), replace=False)] = True
                    known[at] = False
                queries.append(Query(profile.keep(known), context))
                targets.append(int(profile.items[at]))
                viewers.append(viewer)
        return queries, np.array(targets), np.array(viewers)

    def part_scores(self, queries: list[Query]) -> np.ndarray:  # float32 (B, 3, I)
        """Scores of each part over their spread; of time and device a part knows what it was trained to use."""
        return together([self.parts[name].score(queries) for name in PARTS])

    @cached_property
    def _network(self) -> Gate:
        gate = Gate(self.state_["time_genres.weight"].shape[1], self.hidden)
        shapes = gate.state_dict()
        gate.load_state_dict({k: torch.from_numpy(np.array(v)).reshape(shapes[k].shape) for k, v in self.state_.items()})
        return gate.eval()

    def weights(self, queries: list[Query]) -> np.ndarray:  # (B, 3)
        """The gate's shares of ease, content and sequence; they sum to 1."""
        asked = [(*context_index(q.context), len(q.profile)) for q in queries]
        if new := [one for one in dict.fromkeys(asked) if one not in self._shares]:
            with torch.inference_mode():
                self._shares.update(zip(new, self._network.weights(*torch.tensor(new).T).numpy()))
        return np.stack([self._shares[one] for one in asked])

    @cached_property
    def _shares(self) -> dict[tuple[int, int, int], np.ndarray]:
        """What the gate said before, by time, device and length of history: there are few, and they are asked for again and again."""
        return {}

    @cached_property
    def _points(self) -> tuple[np.ndarray, np.ndarray]:  # float32 (5, I) each
        """Score points of each film at each time of day, and on each device."""
        each = torch.arange(5)
        with torch.inference_mode():
            time, device = self._network.affinity(each, each)
            return time.numpy() @ self.catalog.films_by_genre, device.numpy() @ self.catalog.films_by_genre

    def context_points(self, queries: list[Query]) -> tuple[np.ndarray, np.ndarray]:  # (B, I) each
        """Score points that the time of day (observed) and the device (simulated) give to each film."""
        times, devices = np.array([context_index(q.context) for q in queries]).T
        return self._points[0][times], self._points[1][devices]

    def score(self, queries: list[Query]) -> np.ndarray:
        return self.blend(queries, self.part_scores(queries))

    def blend(self, queries: list[Query], z: np.ndarray) -> np.ndarray:  # float32 (B, I)
        """Scores from those of the parts (B, 3, I), with what the gate makes of the context."""
        time, device = self.context_points(queries)
        return np.asarray(np.einsum("bm,bmi->bi", self.weights(queries), z) + time + device, np.float32)

    def contributions(self, query: Query, items: np.ndarray) -> dict[str, np.ndarray]:
        """Points of each part, of the time and of the device for items (K,); they sum to the score."""
        weights = self.weights([query])[0]
        shares = dict(zip(PARTS, weights[:, None] * self.part_scores([query])[0][:, items]))
        time, device = (points[0, items] for points in self.context_points([query]))
        sequence = self.parts["sequence"]
        if isinstance(sequence, Sequence):  # what context adds inside the sequence model belongs to context
            scale = weights[PARTS.index("sequence")] / max(float(sequence.score([query])[0].std()), 1e-9)
            by_time, by_device = (scale * effect[items] for effect in sequence.context_effect(query))
            shares["sequence"] = shares["sequence"] - by_time - by_device
            time, device = time + by_time, device + by_device
        return {**shares, "time": time, "device": device}

    def explain(self, query: Query, items: np.ndarray, own: list[np.ndarray] | None = None) -> list[Explanation]:
        """The reasons of the parts in points of the blend, and one reason each for time and device; `own` are the scores (I,) of the PARTS, where
        they are known already."""
        items = np.asarray(items)
        spreads = [float(scores.std()) for scores in own or [self.parts[name].score([query])[0] for name in PARTS]]
        scales = [float(share) / (spread if spread > 1e-9 else 1.0) for share, spread in zip(self.weights([query])[0], spreads)]
        told = [self.parts[name].explain(query, items) for name in PARTS]
        time, device = (points[0, items] for points in self.context_points([query]))
        context = context_reasons(query.context, time, device, self.simulates)
        return [Explanation.of(_merged([*zip(scales, (e.reasons for e in of)), (1.0, c)]), exact=False) for *of, c in zip(*told, context)]


def together(scores: list[np.ndarray]) -> np.ndarray:  # float32 (B, 3, I)
    """Scores (B, I) of each part over their spread."""
    return np.stack([standardise(of) for of in scores], axis=1).astype(np.float32)


def _merged(told: list[tuple[float, Iterable[Reason]]]) -> list[Reason]:
    """Reasons of several parts, each times the scale of its part, those of the same kind and subject added up."""
    points: dict[tuple[ReasonKind, int | str, bool], float] = {}
    for scale, reasons in told:
        for kind, subject, weight, simulated in reasons:
            key = (kind, subject, simulated)
            points[key] = points.get(key, 0.0) + weight * scale
    return [Reason(kind, subject, weight, simulated) for (kind, subject, simulated), weight in points.items()]
