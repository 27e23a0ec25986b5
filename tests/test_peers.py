"""Other libraries' answers: what they are told, what they must not be told, and which answers are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.evaluate import peers, protocol
from recommender.evaluate import stars as rating
from recommender.evaluate.peers import PeerError
from recommender.evaluate.protocol import People
from recommender.evaluate.split import RatingSplit, Split, random_fifth, rating_folds
from recommender.world import checkerboard


@pytest.fixture(scope="module")
def split() -> Split:
    return random_fifth(checkerboard()[1])


@pytest.fixture(scope="module")
def stars() -> RatingSplit:
    return next(rating_folds(checkerboard()[1], 5))


def question(folder: Path) -> tuple[dict, dict[str, np.ndarray]]:
    with np.load(folder / "question.npz", allow_pickle=False) as stored:
        return json.loads((folder / "question.json").read_text()), dict(stored)


def answer(folder: Path, name: str = "fake", checksum: str | None = None, **arrays: np.ndarray) -> None:
    facts = {"checksum": checksum or question(folder)[0]["checksum"], "label": "Fake", "note": "fake 1.0"}
    costs = {"fit_seconds": 2.0, "ms_per_query": 0.5, "megabytes": 3.0}
    (folder / f"{name}.json").write_text(json.dumps(facts | costs))
    np.savez(folder / f"{name}.npz", **arrays)


def by_popularity(folder: Path) -> dict[str, np.ndarray]:
    """A peer that knows the question alone."""
    facts, a = question(folder)
    counts = np.bincount(a["train_items"], minlength=facts["films"]).astype(float)
    scores = np.tile(np.where(a["candidates"], counts, -np.inf), (len(a["users"]), 1))
    for row, (first, last) in enumerate(zip(a["bounds"], a["bounds"][1:])):
        scores[row, a["seen"][first:last]] = -np.inf
    shown = np.argsort(-scores, axis=1, kind="stable")[:, : facts["k"]]
    return {"shown": shown, "scores": np.take_along_axis(scores, shown, axis=1)}


def test_there_and_back(split: Split, tmp_path: Path) -> None:
    assert peers.rankings(split, tmp_path) == {}
    folder = peers.export(split, tmp_path)
    assert peers.rankings(split, tmp_path) == {}
    given = by_popularity(folder)
    answer(folder, **given)
    ((name, (contender, ranking)),) = peers.rankings(split, tmp_path).items()
    assert (name, contender.label, contender.family, contender.note) == ("fake", "Fake", "other library", "fake 1.0")
    assert (ranking.fit_seconds, ranking.ms_per_query, ranking.megabytes) == (2.0, 0.5, 3.0)
    np.testing.assert_array_equal(ranking.shown, given["shown"])
    assert peers.rankings(random_fifth(checkerboard()[1], seed=1), tmp_path) == {}  # another split has no answers


def test_a_question_has_the_training_rows_in_their_order(split: Split, stars: RatingSplit, tmp_path: Path) -> None:
    for of in (split, stars):
        facts, a = question(peers.export(of, tmp_path))
        for name, column in (("users", of.train.users), ("items", of.train.items), ("stars", of.train.ratings), ("times", of.train.times)):
            np.testing.assert_array_equal(a[f"train_{name}"], column)
        assert (facts["protocol"], facts["variant"]) == (of.protocol, of.variant)


def test_what_is_right_is_never_in_a_question(split: Split, stars: RatingSplit, tmp_path: Path) -> None:
    right = question(peers.export(split, tmp_path / "a"))[1]
    turned = replace(split, relevant=split.relevant[::-1])  # other right films, all else alike
    assert turned.checksum() != split.checksum()
    other = question(peers.export(turned, tmp_path / "b"))[1]
    assert right.keys() == other.keys()
    assert all(np.array_equal(right[key], other[key]) for key in right)

    facts, asked = question(peers.export(stars, tmp_path))
    changed = replace(stars, test=replace(stars.test, ratings=6 - stars.test.ratings))
    assert not np.array_equal(changed.test.ratings, stars.test.ratings)
    facts_again, again = question(peers.export(changed, tmp_path))
    assert facts == facts_again
    assert all(np.array_equal(asked[key], again[key]) for key in asked)
    assert "test_stars" not in asked


def test_an_answer_to_another_split_is_refused(split: Split, stars: RatingSplit, tmp_path: Path) -> None:
    folder = peers.export(split, tmp_path)
    answer(folder, checksum="0" * 64, **by_popularity(folder))
    with pytest.raises(PeerError, match=r"fake\.json answers checksum 0+, wanted [0-9a-f]{64}: it is of another split"):
        peers.rankings(split, tmp_path)
    folder = peers.export(stars, tmp_path)
    answer(folder, checksum="0" * 64, predicted=np.full(len(stars.test), 3.0))
    with pytest.raises(PeerError, match="another split"):
        peers.ratings(stars, tmp_path)


@pytest.mark.parametrize(
    "spoil, complaint",
    [
        (lambda a, s: {"shown": a["shown"][:, :-1]}, "wanted"),
        (lambda a, s: {"scores": a["scores"][:-1]}, "wanted"),
        (lambda a, s: {"shown": a["shown"] + 1000}, "runs from 100"),
        (lambda a, s: {"shown": a["shown"].astype(float)}, "whole numbers"),
        (lambda a, s: {"shown": np.repeat(a["shown"][:, :1], a["shown"].shape[1], axis=1)}, "twice"),
        (lambda a, s: {"shown": np.column_stack([s.source.items[s.spans[:, 0]], a["shown"][:, 1:]])}, "has seen"),
        (lambda a, s: {"scores": a["scores"][:, ::-1]}, "fall"),
        (lambda a, s: {"scores": np.full_like(a["scores"], np.nan)}, "finite"),
    ],
)
def test_lists_that_cannot_be_are_refused(split: Split, tmp_path: Path, spoil, complaint: str) -> None:
    folder = peers.export(split, tmp_path)
    given = by_popularity(folder)
    answer(folder, **(given | spoil(given, split)))
    with pytest.raises(PeerError, match=rf"fake\.json.*{complaint}"):
        peers.rankings(split, tmp_path)


def test_a_film_that_is_no_candidate_is_refused(split: Split, tmp_path: Path) -> None:
    first = np.arange(split.train.n_items) != by_popularity(peers.export(split, tmp_path))["shown"][0, 0]
    fewer = replace(split, candidates=split.candidates & first)
    folder = peers.export(fewer, tmp_path)
    answer(folder, **by_popularity(folder))
    assert len(peers.rankings(fewer, tmp_path)) == 1
    given = by_popularity(folder)
    given["shown"][0, 0] = np.flatnonzero(~first)[0]
    answer(folder, **given)
    with pytest.raises(PeerError, match="no candidate"):
        peers.rankings(fewer, tmp_path)


def test_a_damaged_answer_is_named(split: Split, tmp_path: Path) -> None:
    folder = peers.export(split, tmp_path)
    (folder / "fake.json").write_text("{}")
    with pytest.raises(PeerError, match=r"fake\.json is not an answer"):
        peers.rankings(split, tmp_path)
    answer(folder, shown=by_popularity(folder)["shown"])
    with pytest.raises(PeerError, match="scores missing"):
        peers.rankings(split, tmp_path)


def test_stars_there_and_back(stars: RatingSplit, tmp_path: Path) -> None:
    folder = peers.export(stars, tmp_path)
    answer(folder, predicted=np.full(len(stars.test), stars.train.ratings.mean()))
    contender, predicted = peers.ratings(stars, tmp_path)["fake"]
    assert (contender.model, contender.fit_seconds, len(predicted)) == ("fake", 2.0, len(stars.test))


@pytest.mark.parametrize("wrong, complaint", [(3.0, "shape"), (np.nan, "runs from nan"), (7.0, "runs from 7.0")])
def test_stars_that_cannot_be_are_refused(stars: RatingSplit, tmp_path: Path, wrong: float, complaint: str) -> None:
    folder = peers.export(stars, tmp_path)
    answer(folder, predicted=np.full(len(stars.test) - (wrong == 3.0), wrong))
    with pytest.raises(PeerError, match=complaint):
        peers.ratings(stars, tmp_path)


def test_peers_join_the_table_of_rankings(split: Split, tmp_path: Path) -> None:
    folder = peers.export(split, tmp_path / "peers")
    answer(folder, **by_popularity(folder))
    contenders, rows, differences = protocol.run([split], [], [0], checkerboard()[0], People({}), tmp_path, say=lambda line: None)
    assert contenders[-1] == ("fake", "Fake", "other library", False, 1, 2.0, 0.5, 3.0, "fake 1.0")
    figures = {(r.model, r.metric): r.mean for r in rows if (r.k, r.segment) == (10, None)}
    assert figures["fake", "NDCG"] == figures["popularity", "NDCG"]  # the same lists
    assert "fake" in {d.model for d in differences}


def test_peers_join_the_table_of_stars_where_they_answered_every_fold(tmp_path: Path) -> None:
    catalog, interactions = checkerboard()
    variants = {"80/20": list(rating_folds(interactions, 5))[:2]}
    ask = lambda: rating.run(variants, [], 0, catalog, People({}), tmp_path, lambda line: None)
    for split in variants["80/20"]:
        assert [c.model for c in ask()[0]] == ["biases"]
        answer(peers.export(split, tmp_path / "peers"), predicted=np.full(len(split.test), 3.0))
    contenders, rows, differences, _ = ask()
    assert contenders[-1] == ("fake", "Fake", "other library", False, 1, 2.0, 0.5, 3.0, "fake 1.0")
    stars = np.concatenate([split.test.ratings for split in variants["80/20"]])
    (found,) = [r.mean for r in rows if (r.model, r.metric, r.segment) == ("fake", "RMSE", None)]
    assert found == pytest.approx(np.sqrt(np.mean((stars - 3) ** 2)))
    assert {d.model for d in differences} == {"fake"}
