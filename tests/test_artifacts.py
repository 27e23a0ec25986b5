"""Artifacts: every way in which one can be broken is one clear line, and what is committed keeps its promises."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from recommender import artifacts
from recommender import train as training
from recommender.artifacts import ArtifactError
from recommender.catalog import Catalog
from recommender.load import read_films
from recommender.models import MODELS
from recommender.models.factors import PureSVD
from recommender.models.hybrid import PARTS, Gate, Hybrid
from recommender.models.neighbours import EASE
from recommender.models.popularity import Popularity
from recommender.settings import settings
from recommender.types import Query
from recommender.world import checkerboard

CATALOG, LOG = checkerboard()
SHIPPED = [name for name, make in MODELS.items() if getattr(make(), "shipped", True)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sound artifacts."""
    artifacts.save("ease", EASE().fit(LOG, CATALOG), tmp_path, seed=0)
    artifacts.save("pure_svd", PureSVD(factors=3).fit(LOG, CATALOG), tmp_path, seed=0)
    return tmp_path


# -- broken ones -------------------------------------------------------------------------------------------------------


def edit(folder: Path, **change) -> None:
    """Change the card of ease; None takes a key away."""
    path = folder / "ease" / "card.json"
    card = json.loads(path.read_text()) | change
    path.write_text(json.dumps({key: value for key, value in card.items() if value is not None}))


def flip(folder: Path) -> None:
    path = folder / "ease" / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def truncate(folder: Path) -> None:
    path = folder / "ease" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-7])


def resign(folder: Path) -> None:
    """A card that vouches for the weights as they are now."""
    path = folder / "ease" / "weights.safetensors"
    edit(folder, weights={"sha256": artifacts._sha256(path), "bytes": path.stat().st_size})


def not_safetensors(folder: Path) -> None:
    (folder / "ease" / "weights.safetensors").write_bytes(b"\x80\x04\x95 this begins like a pickle")
    resign(folder)


def lacking(folder: Path) -> None:
    """Sound in form, but a part of the sparse matrix is not there."""
    path = folder / "ease" / "weights.safetensors"
    arrays = load_file(path)
    del arrays["weights_/indices"]
    save_file(arrays, path)
    resign(folder)


CARD, WEIGHTS = "card.json", "weights.safetensors"
BREAKS = {
    "no folder": (lambda f: shutil.rmtree(f / "ease"), CARD, "the file is missing"),
    "no card": (lambda f: (f / "ease" / CARD).unlink(), CARD, "the file is missing"),
    "no weights": (lambda f: (f / "ease" / WEIGHTS).unlink(), WEIGHTS, "the file is missing"),
    "cut short": (truncate, WEIGHTS, "the card says"),
    "one bit flipped": (flip, WEIGHTS, "does not match the sha256"),
    "no safetensors": (not_safetensors, WEIGHTS, "not readable"),
    "an array is not there": (lacking, WEIGHTS, "not readable"),
    "card is no JSON": (lambda f: (f / "ease" / CARD).write_text("{'format': 1}"), CARD, "not readable as JSON"),
    "card is no text": (lambda f: (f / "ease" / CARD).write_bytes(b"\xff\xfe\x00"), CARD, "not readable as JSON"),
    "card is a list": (lambda f: (f / "ease" / CARD).write_text("[1]"), CARD, "format is 'list'"),
    "card is empty": (lambda f: (f / "ease" / CARD).write_text(""), CARD, "not readable as JSON"),
    "an older format": (lambda f: edit(f, format=0), CARD, "format is 0, this version reads 1"),
    "no format": (lambda f: edit(f, format=None), CARD, "format is None"),
    "unknown parameter": (lambda f: edit(f, parameters={"penalty": 1.0, "depth": 3}), CARD, "parameter 'depth' is unknown"),
    "parameters are no object": (lambda f: edit(f, parameters=[1]), CARD, "parameters is [1], wanted an object"),
    "no parameters": (lambda f: edit(f, parameters=None), CARD, "parameters is None, wanted an object"),
    "no weights on the card": (lambda f: edit(f, weights=None), CARD, "weights is None, wanted an object"),
    "weights on the card are a word": (lambda f: edit(f, weights="all"), CARD, "weights is 'all', wanted an object"),
    "no size on the card": (lambda f: edit(f, weights={}), WEIGHTS, "the card says None"),
    "another catalogue": (lambda f: edit(f, catalog="0" * 64), WEIGHTS, "made for another catalogue than these 40 films"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_broken_artifact_is_one_clear_line_and_the_others_load(folder: Path, case: str) -> None:
    break_it, file, wrong = BREAKS[case]
    break_it(folder)
    with pytest.raises(ArtifactError) as raised:
        artifacts.load("ease", folder, CATALOG)
    message = str(raised.value)
    assert message.startswith(str(folder / "ease" / file))
    assert wrong in message
    assert message.endswith("mend it with: python -m recommender train ease --data DIR")
    assert "\n" not in message
    models, problems = artifacts.load_all(folder, CATALOG)
    assert list(models) == ["pure_svd"]
    assert message in problems
    assert len(problems) == len(SHIPPED) - 1  # one line for each that did not load


def test_films_in_another_order_are_another_catalogue(folder: Path) -> None:
    others = {
        "ids": replace(CATALOG, ids=CATALOG.ids[::-1].copy()),
        "genres": replace(CATALOG, genres=~CATALOG.genres),
        "genre names": replace(CATALOG, genre_names=CATALOG.genre_names[::-1]),
        "directors": replace(CATALOG, directors=CATALOG.directors[1:] + CATALOG.directors[:1]),
    }
    for other in others.values():
        with pytest.raises(ArtifactError, match="another catalogue"):
            artifacts.load("ease", folder, other)
    artifacts.load("ease", folder, replace(CATALOG, titles=("x",) * 40, text=()))  # words on the screen change no number


def test_the_hybrid_says_which_part_is_missing(tmp_path: Path) -> None:
    gate = Hybrid()
    gate.catalog = CATALOG
    gate.state_ = {k: v.detach().numpy() for k, v in Gate(2, 16).state_dict().items()}
    artifacts.save("hybrid", gate, tmp_path)
    artifacts.save("ease", EASE().fit(LOG, CATALOG), tmp_path)
    models, problems = artifacts.load_all(tmp_path, CATALOG)
    assert list(models) == ["ease"]
    assert "the hybrid needs the models ease, content, sequence; content, sequence did not load" in problems


def test_what_stands_on_a_card(folder: Path) -> None:
    card = artifacts.card("ease", folder)
    path = folder / "ease" / WEIGHTS
    assert card["parameters"] == {"penalty": 1000.0, "neighbours": 200, "fade": 0.0}
    assert card["weights"]["bytes"] == path.stat().st_size
    assert card["seed"] == 0
    assert card["simulated"] == []
    assert not list(folder.rglob("*.part"))


def test_only_arrays_are_written(tmp_path: Path) -> None:
    model = Popularity().fit(LOG, CATALOG)
    model.secret_ = "a word"
    with pytest.raises(TypeError, match=r"Popularity.secret_ is str, wanted an array"):
        artifacts.save("popularity", model, tmp_path)


def test_training_leaves_out_the_examined_and_films_with_few_raters(tmp_path: Path, monkeypatch) -> None:
    log = LOG.where((LOG.items != 0) | (LOG.users < 12))
    votes = log.raters
    assert 0 < votes[0] < 20 <= votes[1:].min()
    examined, examine = [], training.examine
    monkeypatch.setattr(training, "examine", lambda model, exam: (examined.append((model, exam)), examine(model, exam))[1])
    cards = list(training.train(["popularity", "ease"], CATALOG, log, tmp_path, tmp_path / "checkpoints", seed=3, min_raters=20))
    published, _ = artifacts.load_all(tmp_path, CATALOG)
    np.testing.assert_array_equal(published["popularity"].parts_[2], np.where(votes >= 20, votes, 0))
    assert published["ease"].weights_[[0]].nnz == published["ease"].weights_[:, [0]].nnz == 0
    stranger, exam = examined[0]
    assert len(exam)
    assert (stranger.parts_[2] <= np.where(votes >= 20, votes, 0) - exam.raters).all()  # the examined voted for nothing in it
    for card in cards:
        assert card["data"] == {"sha256": log.fingerprint(), "ratings": len(log), "users": 120, "films": 40}
        assert (card["seed"], card["dose"], card["fitted_on"]) == (3, 1.0, "all users")
        assert 0 <= card["validation"]["HR@10"]["lo"] <= card["validation"]["HR@10"]["hi"] <= 1
        assert card["validation"]["NDCG@10"]["n"] == len(np.unique(exam.users))


# -- committed ones ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def films() -> Catalog:
    return read_films(settings().films)


def card_of(name: str) -> dict:
    """The card of a committed artifact."""
    if not (settings().artifacts / name).is_dir():
        pytest.fail(f"{settings().artifacts / name} is not there; make it with: python -m recommender train {name} --data DIR")
    return artifacts.card(name, settings().artifacts)


def test_all_load(films: Catalog) -> None:
    models, problems = artifacts.load_all(settings().artifacts, films)
    assert problems == ()
    assert list(models) == SHIPPED
    for model in models.values():
        scores = model.score([Query()])
        assert scores.shape == (1, len(films))
        assert np.isfinite(scores).all()


def test_sizes_and_forms() -> None:
    files = [p for p in settings().artifacts.rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) <= 30e6
    assert max(p.stat().st_size for p in files) <= 10e6
    logs = [p for p in files if p.suffix == ".npz"]
    assert {p.parent.parent.name for p in logs} <= {"experiments"}
    assert {p.suffix for p in files} - {".npz"} == {".json", ".safetensors"}
    for path in logs:
        with np.load(path, allow_pickle=False) as f:
            assert all(f[name].dtype.kind in "biufU" for name in f.files)
    for path in set(files) - set(logs):
        if path.suffix == ".safetensors":
            with safe_open(path, framework="np") as f:
                assert not f.metadata()
                places = [f.get_slice(key).get_dtype() for key in f.keys() if key.endswith(("/indices", "/indptr"))]  # noqa: SIM118, no mapping
                assert set(places) <= {"I32"}  # twice as small as what scipy likes to make
        else:
            json.loads(path.read_text("utf-8"))
            assert str(Path.home()) not in path.read_text("utf-8")


@pytest.mark.parametrize("name", SHIPPED)
def test_cards_say_where_an_artifact_comes_from(name: str) -> None:
    card = card_of(name)
    assert card["name"] == name
    assert len(card["data"]["sha256"]) == 64
    assert (card["data"]["ratings"], card["data"]["users"], card["data"]["films"]) == (1_000_209, 6040, 3883)
    assert isinstance(card["seed"], int)
    assert card["date"].count("-") == 2
    assert card["seconds"] > 0
    assert card["fitted_on"]
    assert card["simulated"] == (["device"] if name in ("sequence", "hybrid") else [])
    for metric in ("NDCG@10", "HR@10"):
        figure = card["validation"][metric]
        assert 0 <= figure["lo"] <= figure["mean"] <= figure["hi"] <= 1
        assert figure["n"] > 500
    assert "never trained on" in card["validation"]["protocol"]
    assert set(card["parameters"]) == set(vars(MODELS[name]()))  # as this version writes it


def test_all_come_from_the_same_data_and_seed() -> None:
    cards = [card_of(name) for name in SHIPPED]
    assert len({(c["data"]["sha256"], c["seed"], c["dose"], c["catalog"]) for c in cards}) == 1


@pytest.mark.parametrize("name", PARTS)
def test_the_hybrid_was_taught_with_these_parts(name: str) -> None:
    assert card_of(name)["date"] <= card_of("hybrid")["date"]


def test_nothing_is_told_of_films_with_few_raters(films: Catalog) -> None:
    models, _ = artifacts.load_all(settings().artifacts, films)
    popularity = models["popularity"]
    votes = popularity.parts_[2]
    least = settings().min_raters
    few = votes == 0
    assert few.any()
    assert votes[~few].min() >= least
    assert not popularity.parts_[0, few].any()  # no trend
    assert np.unique(popularity.parts_[1, few]).size == 1  # the mean of all films, not their own
    for name in ("ease", "item_knn"):
        weights = models[name].weights_
        assert not np.diff(weights.indptr)[few].any(), f"{name}: such a film gives something"
        assert not few[weights.indices].any(), f"{name}: such a film gets something"
    assert not models["communities"].shares_[:, few].any()
    assert np.abs(models["pure_svd"].factors_[few]).max() < 1e-4  # the noise of a random start
    assert not models["als"].factors_[few].any()
    ratings = models["ratings"]
    assert not ratings.factors_[few].any()
    assert not ratings.bias_[few].any()
    assert not ratings.raters_[few].any()
    assert np.unique(models["content"].quality_[few]).size == 1


def test_communities_are_large_and_tell_of_five_people_or_more(films: Catalog) -> None:
    model = artifacts.load("communities", settings().artifacts, films)
    assert model.sizes_.min() >= 20
    people = model.shares_ * model.sizes_[:, None]
    assert people[people > 0].min() > 4.5
