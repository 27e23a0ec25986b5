"""Rating prediction: a planted world is learned, laws of the answers, and a fit that is cut short goes on to the same end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.interactions import Interactions
from recommender.models import bayes
from recommender.models.bayes import Bayes, Biases
from recommender.models.blend import Blend, FilmNeighbours
from recommender.models.occasions import Occasions

QUICK = {"factors": 3, "sweeps": 50, "burn": 20, "save_every": 10}


def planted(levels: tuple[float, ...] = (1, 2, 3, 4, 5), n_users: int = 120, n_items: int = 80, seed: int = 0) -> tuple[Interactions, Interactions]:
    """(known, asked) of a world of rank two; the last user and the last film have no known rating."""
    rng = np.random.default_rng(seed)
    p, q = rng.standard_normal((n_users, 2)), rng.standard_normal((n_items, 2))
    users, items = np.nonzero(rng.random((n_users, n_items)) < 0.5)
    latent = (p @ q.T)[users, items] + rng.standard_normal(n_items)[items] * 0.5 + rng.standard_normal(len(users)) * 0.5
    cuts = np.quantile(latent, np.linspace(0, 1, len(levels) + 1)[1:-1])
    stars = np.array(levels)[np.searchsorted(cuts, latent)]
    times = 1_000_000_000 + rng.integers(0, 10_000_000, len(users))
    world = Interactions.sorted(users, items, stars, times, n_users=n_users, n_items=n_items)
    known = (rng.random(len(world)) < 0.8) & (world.users < n_users - 1) & (world.items < n_items - 1)
    return world.where(known), world.where(~known)


def rmse(model, asked: Interactions) -> float:
    return float(np.sqrt(np.mean((model.predict(asked) - asked.ratings) ** 2)))


@pytest.fixture(scope="module")
def world() -> tuple[Interactions, Interactions]:
    return planted()


@pytest.fixture(scope="module")
def model(world) -> Bayes:
    return Bayes(**QUICK).fit(world[0], None)


def test_a_planted_world_is_learned(world, model) -> None:
    known, asked = world
    assert rmse(model, asked) < 0.75 * rmse(Biases().fit(known, None), asked)


def test_biases_are_damped_means() -> None:
    # one film, stars 5 and 3 by two users, mean 4: with no damping of users and one round, b_i = 0 and b_u = +1 and -1
    two = Interactions.sorted(np.array([0, 1]), np.array([0, 0]), np.array([5.0, 3.0]), np.array([1, 1]), n_users=2, n_items=1)
    assert Biases(user_damping=0, rounds=1).fit(two, None).predict(two).tolist() == [5, 3]
    assert Biases(user_damping=1, rounds=1).fit(two, None).predict(two).tolist() == [4.5, 3.5]


def test_answers_lie_on_the_scale_and_chances_sum_to_one(world, model) -> None:
    chances = model.chances(world[1])
    assert chances.shape == (len(world[1]), 5)
    assert (chances >= -1e-12).all()
    assert np.allclose(chances.sum(axis=1), 1)
    assert ((model.predict(world[1]) >= 1) & (model.predict(world[1]) <= 5)).all()


def test_chances_are_honest(world, model) -> None:
    chances = model.chances(world[1])
    for level, stars in enumerate(model.levels_):
        assert abs(chances[:, level].mean() - np.mean(world[1].ratings == stars)) < 0.05


def test_strangers_get_finite_answers(world, model) -> None:
    asked = world[1]
    stranger = (asked.users == asked.n_users - 1) | (asked.items == asked.n_items - 1)
    assert stranger.any()
    assert np.isfinite(model.predict(asked.where(stranger))).all()
    assert np.isfinite(Biases().fit(world[0], None).predict(asked)).all()


def test_the_stars_asked_for_are_not_read(world, model) -> None:
    hidden = replace(world[1], ratings=np.ones(len(world[1])))
    assert (model.predict(hidden) == model.predict(world[1])).all()


def test_same_seed_same_answer(world, model) -> None:
    again = Bayes(**QUICK).fit(world[0], None)
    assert (again.predict(world[1]) == model.predict(world[1])).all()


def test_an_interrupted_fit_goes_on_to_the_same_end(world, model, tmp_path, monkeypatch) -> None:
    path, steps = tmp_path / "chain.safetensors", bayes._Chain.step

    def fails(chain) -> None:
        if chain.sweep == 37:
            raise KeyboardInterrupt
        steps(chain)

    monkeypatch.setattr(bayes._Chain, "step", fails)
    with pytest.raises(KeyboardInterrupt):
        Bayes(**QUICK).fit(world[0], None, path)
    monkeypatch.undo()
    assert path.exists()
    resumed = Bayes(**QUICK).fit(world[0], None, path)
    assert (resumed.predict(world[1]) == model.predict(world[1])).all()
    assert not path.exists()


def test_half_stars() -> None:
    known, asked = planted(levels=tuple(np.arange(1, 11) / 2), n_users=60, n_items=40)
    model = Bayes(factors=2, sweeps=30, burn=15).fit(known, None)
    assert model.chances(asked).shape == (len(asked), 10)
    assert rmse(model, asked) < rmse(Biases().fit(known, None), asked)


def test_spectrum_keeps_the_inner_products() -> None:
    rng = np.random.default_rng(0)
    rows, columns = np.nonzero(rng.random((9, 14)) < 0.4)
    x = np.zeros((9, 14))
    x[rows, columns] = 1
    x /= np.sqrt(np.maximum(x.sum(axis=1, keepdims=True), 1))
    for r, c, m in ((rows, columns, x), (columns, rows, x.T > 0)):
        m = m / np.sqrt(np.maximum(m.sum(axis=1, keepdims=True), 1)) if m.dtype == bool else m
        basis = bayes.spectrum(r, c, m.shape)
        assert np.allclose(basis @ basis.T, m @ m.T, atol=1e-4)
        assert np.allclose(basis.T @ basis, np.diag((basis**2).sum(axis=0)), atol=1e-3)


def rows_at(times: list[int], users: list[int] | None = None) -> Interactions:
    n = len(times)
    users = np.zeros(n, np.int64) if users is None else np.array(users)
    return Interactions.sorted(users, np.arange(n), np.full(n, 3.0), np.array(times), n_users=2, n_items=20)


def test_occasions_of_other_rows_are_those_of_the_nearest() -> None:
    known = Occasions(rows_at([100, 100, 160, 9000, 9000], [0, 0, 0, 0, 1]))
    assert known.labels[0].tolist() == [0, 0, 0, 1, 2]  # sittings end after an hour, and with the user
    assert known.labels[3].tolist() == [0, 0, 1, 2, 3]  # seconds
    assert known.labels[4].tolist() == [0, 1, 1, 2, 0]  # floor of log2(1 + place)
    asked = known.of(rows_at([100, 120, 161, 5000, 9000], [0, 0, 0, 0, 1]))
    assert asked[0].tolist() == [0, 0, 0, -1, 2]
    assert asked[3].tolist() == [0, -1, -1, -1, 3]


def test_occasions_of_known_rows_are_their_own() -> None:
    known = planted()[0]
    occasions = Occasions(known)
    assert (occasions.of(known) == occasions.labels)[[0, 3, 6]].all()
    assert (occasions.labels.max(axis=1) < occasions.sizes).all()


def test_a_mood_of_the_sitting_is_learned() -> None:
    rng = np.random.default_rng(1)
    users, items = np.repeat(np.arange(40), 60), np.tile(np.arange(60), 40)
    sitting = np.tile(np.arange(60) % 6, 40)
    mood = rng.standard_normal((40, 6))[users, sitting]
    stars = np.clip(np.round(3 + mood + 0.3 * rng.standard_normal(len(users))), 1, 5)
    world = Interactions.sorted(users, items, stars, 1_000_000 + sitting * 100_000 + rng.permutation(len(users)), n_users=40, n_items=60)
    held = rng.random(len(world)) < 0.2
    known, asked = world.where(~held), world.where(held)
    model = Bayes(factors=2, sweeps=40, burn=20).fit(known, None)
    assert rmse(model, asked) < 0.75 * rmse(Biases().fit(known, None), asked)


def test_similarity_of_films_by_hand() -> None:
    # means of all are 3; no shrinkage of biases matters, as every user and film has mean 3: residuals are stars - 3
    stars = np.array([[5, 5, 1, 1], [1, 1, 5, 5]])
    users, items = np.nonzero(stars)
    world = Interactions.sorted(users, items, stars.ravel().astype(float), np.tile([1, 2, 3, 4], 2), n_users=2, n_items=4)
    model = FilmNeighbours(shrink=2, nearest=1, reaches=(1.0,), damping=0).fit(world, None)
    same = 2 / (2 + 2)  # correlation 1, two common raters
    assert np.allclose(model.similarity_, same * np.array([[0, 1, -1, -1], [1, 0, -1, -1], [-1, -1, 0, 1], [-1, -1, 1, 0]]))
    assert np.allclose(model.views(world)[:, 2:], (stars.ravel() - 3)[:, None])


def test_neighbours_help_where_vectors_do_not(world) -> None:
    known, asked = world
    blend = Blend(bayes=Bayes(factors=1, sweeps=20, burn=10)).fit(known, None)
    assert rmse(blend, asked) < rmse(blend.bayes, asked)
    assert ((blend.predict(asked) >= 1) & (blend.predict(asked) <= 5)).all()


def test_an_interrupted_blend_keeps_its_weights(world, tmp_path, monkeypatch) -> None:
    quick, path = {"factors": 1, "sweeps": 12, "burn": 8, "save_every": 3}, tmp_path / "blend.safetensors"
    whole = Blend(bayes=Bayes(**quick)).fit(world[0], None)
    steps, count = bayes._Chain.step, iter(range(1000))

    def fails(chain) -> None:
        if next(count) == 19:
            raise KeyboardInterrupt
        steps(chain)

    monkeypatch.setattr(bayes._Chain, "step", fails)
    with pytest.raises(KeyboardInterrupt):
        Blend(bayes=Bayes(**quick)).fit(world[0], None, path)
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 2
    resumed = Blend(bayes=Bayes(**quick)).fit(world[0], None, path)
    assert (resumed.predict(world[1]) == whole.predict(world[1])).all()
    assert not list(tmp_path.iterdir())
