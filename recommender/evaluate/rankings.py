"""From a model and a split to ranked lists: the slow half of an evaluation. What is done is kept, so that a run can be taken up again."""

from __future__ import annotations

import hashlib
import inspect
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy import sparse
from tqdm import tqdm

from recommender import artifacts
from recommender.catalog import Catalog
from recommender.evaluate.split import Split, stem
from recommender.interactions import Interactions
from recommender.types import Recommender

BATCH = 256
DEPTH = 100  # films that are kept of every list, where there are not many lists
LEAST = 20  # films every list must hold, so that no figure suffers from too short a list; the largest cut-off of protocol.py
TIMED = 30  # queries asked one by one to time a model


@dataclass(frozen=True, eq=False)
class Ranking:
    """The lists of one trained model on one split: shown (B, K) item numbers, best first, and their scores (B, K)."""

    shown: np.ndarray
    scores: np.ndarray
    fit_seconds: float
    ms_per_query: float
    megabytes: float


def top_many(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k best item numbers of each row of scores (B, I), best first, equal scores by number; and their scores."""
    near = np.argpartition(-scores, k - 1, axis=1)[:, :k] if k < scores.shape[1] else np.tile(np.arange(scores.shape[1]), (len(scores), 1))
    if k < scores.shape[1]:  # where equals stand on both sides of the cut, their numbers decide and not the partition
        least = np.take_along_axis(scores, near, axis=1).min(axis=1)
        cut = np.flatnonzero((scores >= least[:, None]).sum(axis=1) > k)
        near[cut] = np.argsort(-scores[cut], axis=1, kind="stable")[:, :k]
    near = np.sort(near, axis=1)  # so that the stable sort below leaves equals in the order of their numbers
    found = np.take_along_axis(scores, near, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1), np.take_along_axis(found, order, axis=1)


def rank(model: Recommender, split: Split, k: int, name: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Lists (B, k) and scores (B, k) of a fitted model: the split's candidates without what the viewer has seen.

    Lists are shorter where a viewer has fewer films left, and ValueError where that are too few to measure.
    """
    hidden = split.spans if split.hidden is None else split.hidden
    taken = np.concatenate([[0], np.cumsum(split.candidates[split.source.items])])
    left = int(split.candidates.sum() - (taken[hidden[:, 1]] - taken[hidden[:, 0]]).max(initial=0))
    if left < min(k, LEAST):
        raise ValueError(f"{split.protocol} {split.variant}: a viewer has {left} films left to be ranked, wanted at least {min(k, LEAST)}")
    k = min(k, left)
    lists, values = [], []
    for start in tqdm(range(0, len(split), BATCH), desc=f"{split.protocol} {split.variant} {name}", disable=None, leave=False):
        rows = slice(start, min(start + BATCH, len(split)))
        scores = np.array(model.score(split.queries(rows)), np.float32)
        if not np.isfinite(scores).all():
            raise ValueError(f"{name or type(model).__name__} gives {(~np.isfinite(scores)).sum()} scores that are not finite")
        scores[:, ~split.candidates] = -np.inf
        for row, (first, last) in enumerate(hidden[rows].tolist()):
            scores[row, split.source.items[first:last]] = -np.inf
        shown, found = top_many(scores, k)
        lists.append(shown.astype(np.int32))
        values.append(found)
    return np.concatenate(lists), np.concatenate(values)


def milliseconds(model: Recommender, split: Split) -> float:
    """Median processor time to score one query [ms], asked one by one; what else the machine does makes no difference."""
    chosen = np.linspace(0, len(split) - 1, min(TIMED, len(split))).astype(int)
    took = []
    for query in split.queries(chosen):
        started = time.process_time()
        model.score([query])
        took.append(1e3 * (time.process_time() - started))
    return float(np.median(took[min(3, len(took) - 1) :]))


def learned_bytes(value: object) -> int:
    """Bytes of everything a model has learned, its parts included."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, sparse.csr_array):
        return value.data.nbytes + value.indices.nbytes + value.indptr.nbytes
    if isinstance(value, dict):
        return sum(map(learned_bytes, value.values()))
    if hasattr(value, "__dict__"):
        return sum(learned_bytes(v) for key, v in vars(value).items() if key.endswith("_") or key == "parts")
    return 0


def fit(model: Recommender, train: Interactions, catalog: Catalog, work: Path) -> tuple[Recommender, float]:
    """The fitted model and the seconds that took, its members included; taken from `work` where it was fitted on the same rows before.

    A model that learns in epochs goes on from its checkpoint.
    """
    mark = hashlib.sha256(f"{train.fingerprint()} {model!r}".encode()).hexdigest()[:12]
    stored = work / "models" / f"{type(model).__name__.lower()}-{mark}.safetensors"
    if arrays := _stored(stored):
        seconds = float(arrays.pop("seconds")[0])
        artifacts.unflatten(model, arrays)
        model.catalog = catalog
        return model, seconds
    extra: dict = {}
    if "checkpoint" in (accepted := inspect.signature(model.fit).parameters):
        extra["checkpoint"] = work / "checkpoints" / stored.name
    earlier: list[float] = []  # seconds spent in other runs on members that were read back

    def fitter(member: Recommender, rows: Interactions) -> Recommender:
        begun = time.perf_counter()
        fitted, took = fit(member, rows, catalog, work)
        earlier.append(took - (time.perf_counter() - begun))
        return fitted

    if "fitter" in accepted:  # the members of a mixture are kept one by one
        extra["fitter"] = fitter
    started = time.perf_counter()
    model.fit(train, catalog, **extra)
    seconds = max(time.perf_counter() - started + sum(earlier), (getattr(model, "training", None) or {}).get("seconds", 0.0))
    arrays = {key: np.ascontiguousarray(a) for key, a in artifacts.flatten(model).items()}
    if hasattr(model, "parts") or not arrays:  # what it learned is not all in arrays of its own
        return model, seconds
    stored.parent.mkdir(parents=True, exist_ok=True)
    part = stored.with_suffix(".part")
    arrays["seconds"] = np.array([seconds])
    save_file(arrays | {"sha256": _digest(arrays)}, part)
    part.replace(stored)
    return model, seconds


def _stored(path: Path) -> dict[str, np.ndarray]:
    """What was learned, or nothing where the file is not there or damaged: then it is learned again."""
    try:
        arrays = load_file(path)
    except (OSError, SafetensorError):
        return {}
    known = arrays.pop("sha256", None)
    return arrays if known is None or np.array_equal(known, _digest(arrays)) else {}


def _digest(arrays: dict[str, np.ndarray]) -> np.ndarray:  # (32,) uint8
    digest = hashlib.sha256()
    for key in sorted(arrays):
        digest.update(f"{key} {arrays[key].dtype} {arrays[key].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[key]).view(np.uint8).data)
    return np.frombuffer(digest.digest(), np.uint8)


def read_stored(path: Path, rows: int) -> dict[str, np.ndarray]:
    """The arrays of a stored .npz whose first has so many rows; nothing where it is missing, damaged (zip has checksums) or another's."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
    except (OSError, ValueError, EOFError, BadZipFile):
        return {}
    return arrays if arrays and len(next(iter(arrays.values()))) == rows else {}


def store(path: Path, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Write arrays for read_stored in one piece, and give them back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, allow_pickle=False, **arrays)
    part.replace(path)
    return arrays


def rankings(name: str, model: Recommender, splits: list[Split], catalog: Catalog, work: Path) -> Iterator[Ranking]:
    """The ranking of one model on each of `splits`, which share their training rows; stored lists are read back."""
    mark = f"{splits[0].train.fingerprint()} {model!r}"
    fitted, seconds = None, 0.0
    for split in splits:
        digest = hashlib.sha256(f"{mark} {split.checksum()} {split.variant}".encode()).hexdigest()[:12]
        path = work / "rankings" / f"{stem(split)}-{name}-{digest}.npz"
        if not (stored := read_stored(path, len(split))):
            if fitted is None:
                fitted, seconds = fit(model, splits[0].train, catalog, work)
            shown, scores = rank(fitted, split, DEPTH if len(split) < 20_000 else LEAST, name)
            cost = np.array([seconds, milliseconds(fitted, split), learned_bytes(fitted) / 1e6])
            stored = store(path, {"shown": shown, "scores": scores, "cost": cost})
        yield Ranking(stored["shown"], stored["scores"], *stored["cost"].tolist())
