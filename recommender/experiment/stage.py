"""The released models before the made-up viewers of a click world: who comes where, and the list each model shows them."""

from __future__ import annotations

import hashlib
import platform
import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy
import sklearn

from recommender import rank
from recommender.experiment.assign import midnight
from recommender.experiment.lists import SHOWN, query
from recommender.experiment.world import World
from recommender.serve import releases
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.types import Profile, Recommender

FIRST = date(2001, 1, 1)  # day 0, a Monday
BATCH = 500  # queries scored at once: at 3,883 films 8 MB


@dataclass(frozen=True, eq=False)
class Stage:
    """A world of V viewers, their histories, and the models by name."""

    world: World
    models: dict[str, Recommender]
    histories: list[Profile]

    @classmethod
    def open(cls, viewers: int, dose: float = 1.0, seed: int = 0) -> Self:
        """The committed models and that many new viewers; nothing is stored."""
        with tempfile.TemporaryDirectory() as folder:
            own = settings().model_copy(update={"database_url": f"sqlite:///{Path(folder, 'none.sqlite').as_posix()}"})
            service = Service.open(own, releases.named(own, releases.COMMITTED))
            service.feedback.close()
        world = World.make(service.catalog, viewers, dose, seed)
        return cls(world, service.models, world.histories(midnight(FIRST)))

    def scores(self, model: str, viewers: np.ndarray, told: np.ndarray) -> np.ndarray:  # (B, I)
        """Scores for viewers (B,) told the numbers of contexts (B,), or NOWHERE; the viewers' own films at -inf."""
        queries = [query(self.histories[v], c) for v, c in zip(viewers.tolist(), told.tolist(), strict=True)]
        return np.stack([rank.mask(row, q.profile.items) for row, q in zip(self.models[model].score(queries), queries)])

    def lists(self, model: str, viewers: np.ndarray, told: np.ndarray, k: int = SHOWN) -> np.ndarray:  # (B, k)
        """The k best films for each visit; the same viewer told the same context is asked for once."""
        asked, which = np.unique(np.column_stack([viewers, told]), axis=0, return_inverse=True)
        found = [rank.top(row, k) for at in range(0, len(asked), BATCH) for row in self.scores(model, *asked[at : at + BATCH].T)]
        return np.stack(found)[which.ravel()]

    def visits(self, days: int) -> tuple[np.ndarray, np.ndarray]:
        """Viewers and contexts (N,) of all visits of so many days."""
        comes, contexts = self.world.calendar(np.arange(days), FIRST)
        viewers, on = np.nonzero(comes)
        return viewers, contexts[viewers, on]


def facts(stage: Stage, name: str) -> dict[str, Any]:
    """What a report on a study of this stage says of itself. data_hash: of the weights of all models."""
    folder = settings().artifacts
    weights = sorted((folder / model / "weights.safetensors").read_bytes() for model in stage.models)
    return {
        "protocol": name,
        "dataset": f"the click world at dose {stage.world.dose:g}, simulated",
        "data_hash": hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in weights)).hexdigest(),
        "split_checksum": "",
        "seeds": [stage.world.seed],
        "versions": {"python": platform.python_version(), **{m.__name__: m.__version__ for m in (np, scipy, sklearn)}},
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python -m recommender experiment study {name}",
    }


def short(value: float, digits: int = 4) -> float:
    """As many digits as tell something in a report."""
    return float(f"{value:.{digits}g}")
