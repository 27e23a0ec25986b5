"""Other libraries' models in our tables. They need an environment of their own, so they meet us through files: questions out, answers in.

A question is a folder PROTOCOL-variant-CHECKSUM with question.npz and question.json: what was known, who is asked, never what was right.
tests/peers/rank.py, run in the peers' environment, puts NAME.npz and NAME.json beside them. These files hold people's histories: never commit them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recommender.evaluate.rankings import DEPTH, Ranking
from recommender.evaluate.report import Contender
from recommender.evaluate.split import RatingSplit, Split, stem
from recommender.interactions import Interactions
from recommender.settings import settings


class PeerError(ValueError):
    """An answer that does not belong to the question, or is no answer."""


class Ranked(NamedTuple):
    """A peer's lists for one split."""

    contender: Contender
    ranking: Ranking


class Rated(NamedTuple):
    """A peer's predicted stars (N,) for the test rows of one split."""

    contender: Contender
    predicted: np.ndarray


def place(split: Split | RatingSplit, folder: Path) -> Path:
    """The folder of this split's question and its answers."""
    return folder / f"{stem(split)}-{_mark(split)[:12]}"


def export(split: Split | RatingSplit, folder: Path) -> Path:
    """Write what a peer may know of a split: the training rows in their order, and who is asked. Gives the folder of the question."""
    arrays, asked = _pairs(split) if isinstance(split, RatingSplit) else _queries(split)
    facts = {"protocol": split.protocol, "variant": split.variant, "checksum": _mark(split), **asked}
    to = place(split, folder)
    to.mkdir(parents=True, exist_ok=True)
    arrays |= _columns("train", split.train)
    np.savez_compressed(to / "question.npz", allow_pickle=False, **arrays)
    (to / "question.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    return to


def _queries(split: Split) -> tuple[dict[str, np.ndarray], dict]:
    seen = [split.source.items[first:last] for first, last in split.spans.tolist()]
    bounds = np.concatenate([[0], np.cumsum(split.known)])
    arrays = {"users": split.users, "seen": np.concatenate(seen), "bounds": bounds, "candidates": split.candidates}
    return arrays, {"k": _length(split), "films": split.train.n_items}


def _pairs(split: RatingSplit) -> tuple[dict[str, np.ndarray], dict]:
    test = _columns("test", split.test)
    del test["test_stars"]
    return test, {"lowest": float(split.train.ratings.min()), "highest": float(split.train.ratings.max()), "films": split.train.n_items}


def _columns(prefix: str, rows: Interactions) -> dict[str, np.ndarray]:
    return {f"{prefix}_users": rows.users, f"{prefix}_items": rows.items, f"{prefix}_stars": rows.ratings, f"{prefix}_times": rows.times}


def _length(split: Split) -> int:
    """Films in a list: as many as in our own, fewer where a viewer has fewer left."""
    return min(DEPTH, int(split.candidates.sum() - split.known.max()))


def _mark(split: Split | RatingSplit) -> str:
    """Names the test items and the training rows."""
    return f"{split.checksum()[:32]}{split.train.fingerprint()[:32]}"


def rankings(split: Split, folder: Path) -> dict[str, Ranked]:
    """name -> the lists that peers gave for exactly this split; empty where none was asked. PeerError names the file and what is wrong."""
    found = {}
    for path, contender, arrays in _answers(split, folder):
        shown, scores = _taken(path, arrays, "shown", "scores")
        ranking = Ranking(shown, scores, contender.fit_seconds, contender.ms_per_query, contender.megabytes)
        _check(path, split, ranking)
        found[contender.model] = Ranked(contender, ranking)
    return found


def ratings(split: RatingSplit, folder: Path) -> dict[str, Rated]:
    """name -> the stars that peers predicted for exactly this split; empty where none was asked. PeerError names the file and what is wrong."""
    found = {}
    low, high = split.train.ratings.min(), split.train.ratings.max()
    for path, contender, arrays in _answers(split, folder):
        (predicted,) = _taken(path, arrays, "predicted")
        if predicted.shape != (len(split.test),):
            raise PeerError(f"{path}: predicted has shape {predicted.shape}, wanted ({len(split.test)},)")
        if not ((predicted >= low) & (predicted <= high)).all():  # nan is wrong too
            raise PeerError(f"{path}: predicted runs from {predicted.min()} to {predicted.max()}, wanted {low} to {high} stars")
        found[contender.model] = Rated(contender, predicted.astype(float))
    return found


def folds(splits: list[RatingSplit], folder: Path) -> dict[str, list[Rated]]:
    """name -> the answers of the peers that answered every one of these splits."""
    answers = [ratings(split, folder) for split in splits]
    return {name: [of[name] for of in answers] for name in answers[0] if all(name in of for of in answers)}


def _answers(split: Split | RatingSplit, folder: Path) -> Iterator[tuple[Path, Contender, Mapping[str, np.ndarray]]]:
    for path in sorted(place(split, folder).glob("*.json")):
        if path.stem == "question":
            continue
        try:
            facts = json.loads(path.read_text("utf-8"))
            checksum = facts.pop("checksum")
            contender = Contender(path.stem, family="other library", uses_time=False, seeds=1, **facts)
            with np.load(path.with_suffix(".npz"), allow_pickle=False) as stored:
                arrays = dict(stored)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise PeerError(f"{path} is not an answer: {error}") from None
        if checksum != _mark(split):
            raise PeerError(f"{path} answers checksum {checksum}, wanted {_mark(split)}: it is of another split")
        yield path, contender, arrays


def _taken(path: Path, arrays: Mapping[str, np.ndarray], *names: str) -> list[np.ndarray]:
    missing = [name for name in names if name not in arrays]
    if missing:
        raise PeerError(f"{path}: {', '.join(missing)} missing; wanted {', '.join(names)}")
    return [arrays[name] for name in names]


def _check(path: Path, split: Split, ranking: Ranking) -> None:
    """Every list is full, of candidates, without what was seen and without a film twice, best first."""
    shown, scores = ranking.shown, ranking.scores
    wanted = (len(split), _length(split))
    if shown.shape != wanted or scores.shape != wanted:
        raise PeerError(f"{path}: shown has shape {shown.shape} and scores {scores.shape}, wanted {wanted}")
    if not np.issubdtype(shown.dtype, np.integer) or shown.min() < 0 or shown.max() >= len(split.candidates):
        raise PeerError(f"{path}: shown runs from {shown.min()} to {shown.max()}, wanted whole numbers from 0 to {len(split.candidates) - 1}")
    if not split.candidates[shown].all():
        raise PeerError(f"{path}: film {shown[~split.candidates[shown]][0]} is shown, which is no candidate")
    if (np.diff(np.sort(shown, axis=1), axis=1) == 0).any():
        raise PeerError(f"{path}: a list shows a film twice")
    for row, (first, last) in enumerate(split.spans.tolist()):
        if np.isin(shown[row], split.source.items[first:last]).any():
            raise PeerError(f"{path}: list {row} shows a film that its viewer has seen")
    if not np.isfinite(scores).all() or (np.diff(scores, axis=1) > 0).any():
        raise PeerError(f"{path}: scores must be finite and fall from the first film to the last")


def main() -> None:
    """Write the questions of the headline splits of P1 and P2 and of the folds of P3."""
    from recommender.evaluate import runs  # which reads what is found here

    parser = argparse.ArgumentParser(prog="python -m recommender.evaluate.peers", description="Questions for the models of other libraries.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of a MovieLens data set")
    parser.add_argument("--folds", type=int, default=3, help="how many of the ten folds of P3, as in the evaluate command")
    parser.add_argument("--to", type=Path, default=settings().evaluations / "peers", metavar="DIR", help="folder of the questions")
    wanted = parser.parse_args()
    interactions = runs.read_data(wanted.data, settings().films)[1]
    headlines: list[Split | RatingSplit] = [runs.ranking_splits(protocol, interactions)[0] for protocol in ("P1", "P2")]
    folds = [split for variant in runs.rating_splits(interactions, wanted.folds).values() for split in variant]
    for split in [*headlines, *folds]:
        print(export(split, wanted.to))


if __name__ == "__main__":
    main()
