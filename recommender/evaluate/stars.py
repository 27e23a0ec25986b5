"""P3, predicted stars: raters x folds -> figures with intervals, and how far predictions keep what they promise."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommender.catalog import Catalog
from recommender.evaluate import peers
from recommender.evaluate.contenders import RATERS
from recommender.evaluate.metrics import star_errors
from recommender.evaluate.protocol import BANDS, People, bands
from recommender.evaluate.rankings import read_stored, store
from recommender.evaluate.report import Contender, Paired, Row
from recommender.evaluate.split import NEW, POWER, RatingSplit
from recommender.stats.inference import bootstrap_ratio, holm, paired_difference

BASELINE = "biases"


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions of one model for all test rows of a variant; parallel columns (N,)."""

    users: np.ndarray
    stars: np.ndarray
    predicted: np.ndarray
    band: np.ndarray  # 0 head, 1 middle, 2 tail of the film
    known: np.ndarray  # ratings known of the user
    fit_seconds: float


def predict(name: str, split: RatingSplit, catalog: Catalog, work: Path, seed: int) -> tuple[np.ndarray, float]:
    """Predicted stars (N,) of the test rows, and the seconds of the fit; what was done before is read back."""
    model = RATERS[name].make(seed)
    mark = hashlib.sha256(f"{split.train.fingerprint()} {split.checksum()} {model!r}".encode()).hexdigest()[:12]
    path = work / "stars" / f"{split.variant.replace(' ', '_').replace('/', '-')}-{name}-{mark}.npz"
    if not (stored := read_stored(path, len(split.test))):
        started = time.perf_counter()
        model.fit(split.train, catalog, checkpoint=work / "checkpoints" / f"{name}-{mark}.safetensors")
        seconds = time.perf_counter() - started
        predicted = np.clip(model.predict(split.test), split.train.ratings.min(), split.train.ratings.max())
        stored = store(path, {"predicted": predicted, "seconds": np.array(seconds)})
    return stored["predicted"], float(stored["seconds"])


def gather(splits: list[RatingSplit], answers: list[tuple[np.ndarray, float]]) -> Predicted:
    """One model's predicted stars and seconds for each fold of a variant, as one: every test row once."""
    parts = []
    for split, (predicted, seconds) in zip(splits, answers):
        t = split.test
        parts.append((t.users, t.ratings, predicted, bands(split.train.raters)[t.items], split.train.lengths[t.users], np.full(len(t), seconds)))
    columns = [np.concatenate(column) for column in zip(*parts)]
    return Predicted(columns[0], columns[1], columns[2], columns[3], columns[4], float(columns[5].mean()))


def rows(variant: str, model: str, p: Predicted, people: People) -> list[Row]:
    """RMSE and MAE in stars over all test ratings, for everybody and by segment; intervals over users."""
    segments: dict[str | None, np.ndarray] = {None: np.ones(len(p.users), bool)}
    segments |= {"history=new": p.known < NEW, "history=moderate": (p.known >= NEW) & (p.known < POWER), "history=power": p.known >= POWER}
    segments |= {f"popularity={name}": p.band == b for b, name in enumerate(BANDS)}
    segments |= {name: members[p.users] for name, members in people.segments.items()}
    found = []
    for segment, inside in segments.items():
        users, of_row = np.unique(p.users[inside], return_inverse=True)
        if segment and len(users) < 20:
            continue
        errors = star_errors(of_row, p.predicted[inside], p.stars[inside], len(users))
        found.append(Row(variant, model, "RMSE", None, segment, *bootstrap_ratio(errors.squared, errors.counts, np.sqrt)))
        found.append(Row(variant, model, "MAE", None, segment, *bootstrap_ratio(errors.absolute, errors.counts)))
    return found


def paired(variant: str, found: dict[str, Predicted]) -> list[Paired]:
    """RMSE of every model less that of the baseline, over the same ratings; p corrected over the table."""
    users, of_row = np.unique(found[BASELINE].users, return_inverse=True)
    errors = {name: star_errors(of_row, p.predicted, p.stars, len(users)) for name, p in found.items()}
    base, others = errors[BASELINE], [name for name in found if name != BASELINE]
    table = [paired_difference(errors[name].squared, base.squared, denominators=base.counts, transform=np.sqrt) for name in others]
    if not table:
        return []
    corrected = holm(np.array([d.p for d in table])).tolist()
    return [Paired(variant, name, BASELINE, "RMSE", None, None, d.delta, d.lo, d.hi, d.p, p, d.n) for name, d, p in zip(others, table, corrected)]


def calibration(model: str, p: Predicted, width: float = 0.25) -> list[dict]:
    """Mean stars given where so many were predicted, in buckets of `width` stars with 100 ratings or more; intervals over users."""
    bucket = np.floor(np.minimum(p.predicted, np.nextafter(5.0, 0)) / width).astype(int)  # five stars belong to the bucket that ends there
    found = []
    for b in np.unique(bucket).tolist():
        inside = bucket == b
        users, of_row = np.unique(p.users[inside], return_inverse=True)
        if inside.sum() < 100 or len(users) < 20:
            continue
        given = bootstrap_ratio(np.bincount(of_row, p.stars[inside]), np.bincount(of_row))
        where = {"stars": (b + 0.5) * width, "predicted": round(float(p.predicted[inside].mean()), 4), "observed": round(given.mean, 4)}
        found.append({"model": model, **where, "lo": round(given.lo, 4), "hi": round(given.hi, 4), "n": int(inside.sum())})
    return found


def run(
    variants: dict[str, list[RatingSplit]],
    names: list[str],
    seed: int,
    catalog: Catalog,
    people: People,
    work: Path,
    say: Callable[[str], object] = print,
) -> tuple[list[Contender], list[Row], list[Paired], list[dict]]:
    """Fit every rater on every fold, then measure; the last value is the calibration of each on the first variant."""
    wanted = [name for name in RATERS if name in names or name == BASELINE]
    contenders: list[Contender] = []
    figures: list[Row] = []
    differences: list[Paired] = []
    promises: list[dict] = []
    for variant, splits in variants.items():
        found = {name: gather(splits, [predict(name, s, catalog, work, seed) for s in splits]) for name in wanted}
        others = peers.folds(splits, work / "peers")
        found |= {name: gather(splits, [(a.predicted, a.contender.fit_seconds) for a in of]) for name, of in others.items()}
        for name, p in found.items():
            figures += rows(variant, name, p, people)
            say(f"P3 {variant} · {name}: RMSE {np.sqrt(np.mean((p.predicted - p.stars) ** 2)):.4f}")
        differences += paired(variant, found)
        promises = promises or [bucket for name, p in found.items() for bucket in calibration(name, p)]
        told = {c.model for c in contenders}
        contenders += [_contender(name, p, others) for name, p in found.items() if name not in told]
    return contenders, figures, differences, promises


def _contender(name: str, p: Predicted, others: dict[str, list[peers.Rated]]) -> Contender:
    seconds = round(p.fit_seconds, 1)
    if name in others:
        return others[name][0].contender._replace(fit_seconds=seconds)
    rater = RATERS[name]
    return Contender(name, rater.label, rater.family, rater.uses_time, 1, seconds, 0.0, 0.0, rater.note)
