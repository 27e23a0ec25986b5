"""From a data set to artifacts: fit, examine on strangers, write."""

from __future__ import annotations

import hashlib
import inspect
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recommender import artifacts
from recommender.catalog import Catalog
from recommender.evaluate.metrics import hit_rate, hits_of_ranks, ndcg, ranks, star_errors
from recommender.evaluate.split import UserSplit, leave_last, split_users
from recommender.interactions import Interactions
from recommender.models import BESIDE, MODELS, processes
from recommender.models.atlas import Atlas
from recommender.models.hybrid import PARTS, Hybrid
from recommender.models.ratings import Ratings, examination
from recommender.stats.inference import Estimate, bootstrap_mean, bootstrap_ratio
from recommender.types import Recommender
from recommender.world import simulate_devices

GATE_SHARE, EXAM_SHARE = 0.1, 0.1  # of all users


class Strangers(NamedTuple):
    """Models, and the split of the viewers: none of the models knows those of split.exam, nor, but for the hybrid's gate, those of split.gate."""

    models: dict[str, Recommender]
    split: UserSplit


def train(
    names: list[str],
    catalog: Catalog,
    interactions: Interactions,
    folder: Path,
    checkpoints: Path,
    seed: int = 0,
    dose: float = 1.0,
    min_raters: int = 20,
) -> Iterator[dict]:
    """Train models by name, one artifact each; yields their cards as they are done.

    Films with fewer than `min_raters` raters take no part, so that nothing about so few people is published.
    Devices are simulated at `dose` (see world.py). Closed-form models are examined on a fit without the examined users
    and then fitted again on everybody; networks are released as examined. Of several processes (see models/processes.py) the first writes;
    they share the work on networks, and each fits the other models for itself.
    """
    kept = simulate_devices(interactions.supported(min_raters), catalog, dose, np.random.default_rng(seed))
    split = split_users(kept, GATE_SHARE, EXAM_SHARE, seed)
    for name in names:
        started = time.perf_counter()
        model: Recommender | Atlas
        if name in BESIDE:
            model, facts = _drawn(name, catalog, kept, folder, seed)
        else:
            model, facts = _examined(name, catalog, kept, split, folder, checkpoints, seed)
        write = partial(
            artifacts.save,
            name,
            model,
            folder,
            data={"sha256": interactions.fingerprint(), "ratings": len(interactions), "users": interactions.n_users, "films": len(catalog)},
            seed=seed,
            dose=dose,
            seconds=round(time.perf_counter() - started, 1),
            **facts,
        )
        yield processes.from_first(write)


def _examined(
    name: str, catalog: Catalog, kept: Interactions, split: UserSplit, folder: Path, checkpoints: Path, seed: int
) -> tuple[Recommender, dict]:
    """A model as it is released, and what its card says of how it was fitted and examined."""
    model = _fit(name, catalog, split, folder, checkpoints, seed)
    validation = examine(model, split.exam)
    again = getattr(model, "refits", False)
    if again:
        model = _blank(name, seed).fit(kept, catalog)
    fitted_on = "all users" if again else f"{len(np.unique(split.fit.users))} users; the others choose and examine"
    return model, {"fitted_on": fitted_on, "training": getattr(model, "training", None), "validation": validation}


def _drawn(name: str, catalog: Catalog, kept: Interactions, folder: Path, seed: int) -> tuple[Atlas, dict]:
    """The atlas over the vectors of the artifact als, and what its card says of how good it is."""
    atlas = BESIDE[name]()
    atlas.seed = seed
    atlas.attach({"als": artifacts.load("als", folder, catalog)}).fit(kept, catalog)
    return atlas, {"fitted_on": "all users", "validation": atlas.quality}


def _blank(name: str, seed: int) -> Recommender:
    model = MODELS[name]()
    if hasattr(model, "seed"):
        model.seed = seed
    return model


def _fit(name: str, catalog: Catalog, split: UserSplit, folder: Path, checkpoints: Path, seed: int) -> Recommender:
    model = _blank(name, seed)
    work = f"{split.fit.fingerprint()} {split.fit.devices.sum()} {model!r}"  # another data set, dose or parameter begins anew
    checkpoint = checkpoints / f"{name}-{hashlib.sha256(work.encode()).hexdigest()[:12]}.safetensors"
    if isinstance(model, Hybrid):
        return model.attach({part: _stranger(part, catalog, split, folder, seed) for part in PARTS}).fit_gate(split.gate, catalog, checkpoint)
    extra: dict = {}
    if "checkpoint" in inspect.signature(model.fit).parameters:
        extra["checkpoint"] = checkpoint
    return model.fit(split.fit, catalog, **extra)


def _stranger(part: str, catalog: Catalog, split: UserSplit, folder: Path, seed: int) -> Recommender:
    """A part of the hybrid that knows no viewer of the gate: the artifact where it was released so, else a fresh fit."""
    model = _blank(part, seed)
    return model.fit(split.fit, catalog) if getattr(model, "refits", False) else artifacts.load(part, folder, catalog)


def strangers(names: list[str], catalog: Catalog, interactions: Interactions, folder: Path, seed: int = 0, min_raters: int = 20) -> Strangers:
    """The released models as they were before they knew the viewers they are examined on: networks from their artifacts, the others fitted again."""
    kept = interactions.supported(min_raters)
    split = split_users(kept, GATE_SHARE, EXAM_SHARE, seed)
    models = {name: _stranger(name, catalog, split, folder, seed) for name in names if name != "hybrid"}
    if "hybrid" in names:
        models["hybrid"] = artifacts.load("hybrid", folder, catalog)
        models["hybrid"].attach({part: models[part] for part in PARTS})  # type: ignore[attr-defined]
    return Strangers(models, split)


def examine(model: Recommender, exam: Interactions, k: int = 10) -> dict:
    """Leave-last-out on users the model never saw, full ranking, seen films left out, device unknown."""
    found = last_ranks(model, exam)
    hits, one = hits_of_ranks(found, k), np.ones(len(found), np.int64)
    rows = {f"NDCG@{k}": bootstrap_mean(ndcg(hits, one, k)), f"HR@{k}": bootstrap_mean(hit_rate(hits, one, k))}
    if isinstance(model, Ratings):
        rows["RMSE"] = _star_error(model, exam)
    return {
        "protocol": "users never trained on; their last film ranked among all unseen films; time of day known, device unknown",
        **{metric: {key: round(v, 4) if key != "n" else v for key, v in e._asdict().items()} for metric, e in rows.items()},
    }


def last_ranks(model: Recommender, exam: Interactions) -> np.ndarray:  # (V,)
    """The rank of each viewer's last film among all that they had not seen, for viewers of five films or more, in the order of the users."""
    queries, targets = leave_last(exam)
    found = [np.empty(0, np.int64)]
    for start in range(0, len(queries), 256):
        batch = queries[start : start + 256]
        scores = np.array(model.score(batch))
        for row, query in enumerate(batch):
            scores[row, query.profile.items] = -np.inf
        found.append(ranks(scores, targets[start : start + 256]))
    return np.concatenate(found)


def _star_error(model: Ratings, exam: Interactions, seed: int = 0) -> Estimate:
    """RMSE in stars on a fifth of each examined viewer's ratings, folded in from the rest; bootstrap over viewers asked for any."""
    known, asked = examination(exam, np.unique(exam.users), np.random.default_rng(seed))
    predicted = np.concatenate([np.clip(model.score([q])[0][items], 0.5, 5) for q, (items, _) in zip(known, asked)])
    viewers, owner = np.unique(np.repeat(np.arange(len(asked)), [len(items) for items, _ in asked]), return_inverse=True)
    errors = star_errors(owner, predicted, np.concatenate([stars for _, stars in asked]), len(viewers))
    return bootstrap_ratio(errors.squared, errors.counts, np.sqrt, seed)
