"""A fitted model <-> weights.safetensors + card.json in one folder. Loading runs no code from the files.

A model's parameters are its dataclass fields; what it learned are its attributes that end in an underscore
(arrays, sparse arrays, or dicts of arrays). All artifacts together stay under 30 MB, so they are read, not mapped.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy import sparse

from recommender.catalog import Catalog
from recommender.models import BESIDE, MODELS
from recommender.models.atlas import Atlas
from recommender.types import Recommender

FORMAT = 1
CARD, WEIGHTS = "card.json", "weights.safetensors"
Learned = TypeVar("Learned", Recommender, Atlas)


class ArtifactError(ValueError):
    """An artifact that cannot be used: names the file, what is wrong and the command that mends it."""

    def __init__(self, path: Path, wrong: str, name: str) -> None:
        super().__init__(f"{path}: {wrong}; mend it with: python -m recommender train {name} --data DIR")


def save(name: str, model: Recommender | Atlas, folder: Path, **facts) -> dict:
    """Write one model, or the atlas, into folder/name and return its card; `facts` (data hash, seconds, validation, …) join the card."""
    if not getattr(model, "shipped", True):
        raise ValueError(f"model {name} holds people's histories and is never written to disk")
    arrays = {key: np.ascontiguousarray(a) for key, a in flatten(model).items()}
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    part = target / (WEIGHTS + ".part")
    save_file(arrays, part)
    part.replace(target / WEIGHTS)
    card = {
        "format": FORMAT,
        "name": name,
        "parameters": asdict(model),  # type: ignore[arg-type]
        "catalog": catalog_hash(model.catalog),
        "weights": {"sha256": _sha256(target / WEIGHTS), "bytes": (target / WEIGHTS).stat().st_size},
        "simulated": list(getattr(model, "simulates", ())),
        "date": datetime.now(UTC).date().isoformat(),
        **facts,
    }
    part = target / (CARD + ".part")
    part.write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    part.replace(target / CARD)
    return card


def card(name: str, folder: Path) -> dict:
    """The card of one artifact, checked for form and version."""
    path = folder / name / CARD
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ArtifactError(path, "the file is missing", name) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ArtifactError(path, f"not readable as JSON ({error})", name) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        version = found.get("format") if isinstance(found, dict) else type(found).__name__
        raise ArtifactError(path, f"format is {version!r}, this version reads {FORMAT}", name)
    for key in ("parameters", "weights"):
        if not isinstance(found.get(key), dict):
            raise ArtifactError(path, f"{key} is {found.get(key)!r}, wanted an object", name)
    if not isinstance(found.get("simulated"), list):
        raise ArtifactError(path, f"simulated is {found.get('simulated')!r}, wanted a list of signals", name)
    return found


def load(name: str, folder: Path, catalog: Catalog) -> Recommender:
    """Read one model back; raises ArtifactError where a file is missing, cut short, altered or of another version."""
    return _read(MODELS[name](), name, folder, catalog)


def load_atlas(folder: Path, catalog: Catalog, models: dict[str, Recommender]) -> tuple[Atlas | None, tuple[str, ...]]:
    """The atlas over the vectors of the loaded models; None, and one line that says why, where it cannot be used."""
    try:
        return _read(BESIDE["atlas"](), "atlas", folder, catalog).attach(models), ()
    except (ArtifactError, LookupError) as error:
        return None, (str(error.args[0]),)


def _read(blank: Learned, name: str, folder: Path, catalog: Catalog) -> Learned:
    """The fitted like of a blank model."""
    facts, path = card(name, folder), folder / name / WEIGHTS
    if not path.exists():
        raise ArtifactError(path, "the file is missing", name)
    wanted = facts["weights"]
    if path.stat().st_size != wanted.get("bytes"):
        raise ArtifactError(path, f"size is {path.stat().st_size} bytes, the card says {wanted.get('bytes')}", name)
    if _sha256(path) != wanted.get("sha256"):
        raise ArtifactError(path, "content does not match the sha256 on its card", name)
    if facts.get("catalog") != catalog_hash(catalog):
        raise ArtifactError(path, f"made for another catalogue than these {len(catalog)} films", name)
    known = {f.name for f in fields(blank)}  # type: ignore[arg-type]
    unknown = set(facts["parameters"]) - known
    if unknown:
        raise ArtifactError(folder / name / CARD, f"parameter {min(unknown)!r} is unknown to this version", name)
    model = type(blank)(**{k: tuple(v) if isinstance(v, list) else v for k, v in facts["parameters"].items()})  # type: ignore[arg-type]
    try:
        unflatten(model, load_file(path))
    except (SafetensorError, KeyError, ValueError) as error:
        raise ArtifactError(path, f"not readable ({error})", name) from None
    model.catalog = catalog
    model.simulates = tuple(facts["simulated"])  # type: ignore[attr-defined]
    return model


def load_all(folder: Path, catalog: Catalog) -> tuple[dict[str, Recommender], tuple[str, ...]]:
    """Every shipped model that loads, and one line for each that does not."""
    models: dict[str, Recommender] = {}
    problems: list[str] = []
    for name, factory in MODELS.items():
        blank = factory()
        if not getattr(blank, "shipped", True):
            continue
        try:
            model = load(name, folder, catalog)
            if hasattr(model, "attach"):
                model.attach(models)
            models[name] = model
        except (ArtifactError, LookupError) as error:
            problems.append(str(error.args[0]))
    return models, tuple(problems)


def cards(folder: Path) -> list[dict]:
    """The cards of all models that are shipped, in the order of MODELS."""
    return [card(name, folder) for name, make in MODELS.items() if getattr(make(), "shipped", True)]


def version(folder: Path) -> str:
    """Eight hexadecimal digits over the name and the weights' sha256 of every card of a folder, which change with any of them."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob(f"*/{CARD}")):
        try:
            digest.update(f"{path.parent.name} {card(path.parent.name, folder)['weights'].get('sha256')}\n".encode())
        except ArtifactError:
            digest.update(f"{path.parent.name} unreadable\n".encode())
    return digest.hexdigest()[:8]


COLUMNS = ("model", "what it is", "NDCG@10", "HR@10", "RMSE", "MB", "seconds", "simulated")


def facts(card: dict) -> list[str]:
    """One card as the cells of COLUMNS; estimates with their 95% interval."""
    size, simulated = f"{card['weights']['bytes'] / 1e6:.1f}", ", ".join(card["simulated"]) or "nothing"
    figures = [_figure(card["validation"].get(metric)) for metric in ("NDCG@10", "HR@10", "RMSE")]
    seconds = max(card["seconds"], (card.get("training") or {}).get("seconds", 0))
    return [card["name"], summary(card["name"]), *figures, size, f"{seconds:.0f}", simulated]


def summary(name: str) -> str:
    """What a model is, in a line."""
    return (type(MODELS[name]()).__doc__ or "").splitlines()[0].rstrip(".")


def _figure(estimate: dict | None) -> str:
    return f"{estimate['mean']:.3f} [{estimate['lo']:.3f}, {estimate['hi']:.3f}]" if estimate else ""


def as_markdown(cards: list[dict]) -> str:
    """The cards as a Markdown table, the sentence above it naming data, seed and dates."""
    card, dates = cards[0], sorted(c["date"] for c in cards)
    data = f"{card['data']['ratings']:,} ratings by {card['data']['users']:,} users (data hash `{card['data']['sha256'][:16]}`)"
    rows = [COLUMNS, ["---"] * len(COLUMNS), *map(facts, cards)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    when = " to ".join(dict.fromkeys((dates[0], dates[-1])))
    return f"From {data}, seed {card['seed']}, trained {when}. n = {card['validation']['NDCG@10']['n']} viewers.\n\n{table}"


def catalog_hash(catalog: Catalog) -> str:
    """sha256 of what item numbers, genre columns and person columns stand for; weights mean the same only where it agrees."""
    meaning = (catalog.ids.tolist(), catalog.genre_names, catalog.genres.tolist(), catalog.directors, catalog.actors)
    return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _learned(model: Recommender | Atlas) -> dict[str, object]:
    return {key: value for key, value in vars(model).items() if key.endswith("_") and not key.startswith("_")}


def flatten(model: Recommender | Atlas) -> dict[str, np.ndarray]:
    """Everything a model has learned as plain arrays by name; TypeError for anything else."""
    arrays: dict[str, np.ndarray] = {}
    for key, value in _learned(model).items():
        if isinstance(value, np.ndarray):
            arrays[key] = value
        elif isinstance(value, sparse.csr_array):
            where = {part: getattr(value, part).astype(np.int32, copy=False) for part in ("indices", "indptr")}  # fewer than 2^31 values
            parts = {"data": value.data, **where, "shape": np.array(value.shape)}
            arrays |= {f"{key}/{part}": array for part, array in parts.items()}
        elif isinstance(value, dict):
            arrays |= {f"{key}/dict/{name}": np.atleast_1d(array) for name, array in value.items()}
        else:
            raise TypeError(f"{type(model).__name__}.{key} is {type(value).__name__}, wanted an array, a csr_array or a dict of arrays")
    return arrays


def unflatten(model: Recommender | Atlas, arrays: dict[str, np.ndarray]) -> None:
    """Give a blank model what flatten took from its like."""
    for value in arrays.values():
        value.setflags(write=False)
    for key, value in arrays.items():
        name, _, rest = key.partition("/")
        if not rest:
            setattr(model, name, value)
        elif rest.startswith("dict/"):
            vars(model).setdefault(name, {})[rest.removeprefix("dict/")] = value
        elif rest == "data":
            parts = (arrays[f"{name}/data"], arrays[f"{name}/indices"], arrays[f"{name}/indptr"])
            setattr(model, name, sparse.csr_array(parts, shape=tuple(int(n) for n in arrays[f"{name}/shape"])))
