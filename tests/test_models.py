"""One suite that every model passes, tiny matrices worked by hand, and the laws of the network and its training loop."""

from __future__ import annotations

import builtins
import pickle
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from torch import nn

from recommender import artifacts, rank
from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models import MODELS, hybrid
from recommender.models.content import Content, Encoder
from recommender.models.factors import ALS, PureSVD
from recommender.models.hybrid import Hybrid
from recommender.models.linear import damped_means, strongest
from recommender.models.loop import Loop
from recommender.models.neighbours import EASE, Communities, ItemKNN, UserKNN, _dissolve_small
from recommender.models.popularity import Popularity
from recommender.models.ratings import CUTS, Factorisation, Ratings, examination, shortened
from recommender.models.sequence import Sequence
from recommender.models.softmax import SoftmaxLoss
from recommender.models.transformer import Dropout, Transformer
from recommender.types import Context, Profile, Query, Recommender
from recommender.world import checkerboard, simulate_devices

COLD = (36, 37)  # one even film, one odd film, rated by nobody
EVEN = np.arange(0, 12, 2)
N = 40  # films
NETWORKS = ("sequence", "hybrid")  # explained by leave-one-out


def _small_sequence(seed: int = 0) -> Sequence:
    return Sequence(width=16, length=16, epochs=15, rate=0.02, batch=32, dropout=0.0, seed=seed)


# What the chosen values are too large, too slow or too cautious for in a world of 120 viewers and 40 films.
SMALL = {
    "item_knn": lambda: ItemKNN(shrink=1, support=2),
    "pure_svd": lambda: PureSVD(factors=4),
    "als": lambda: ALS(factors=8, reg=1),
    "ratings": lambda: Ratings(factors=4, epochs=8, rate=0.02, batch=256),
    "encoder": lambda: Encoder(factors=8, reg=1, epochs=60, hidden=32, rate=0.01),
    "sequence": _small_sequence,
    "hybrid": lambda: Hybrid(epochs=15),
}


def blank(name: str) -> Recommender:
    return SMALL.get(name, MODELS[name])()


def fit(model: Recommender, interactions: Interactions, catalog: Catalog) -> Recommender:
    """Fit on one thread; a hybrid gets a small sequence model among its parts."""
    threads, chosen = torch.get_num_threads(), hybrid.Sequence
    torch.set_num_threads(1)
    hybrid.Sequence = _small_sequence
    try:
        return model.fit(interactions, catalog)
    finally:
        hybrid.Sequence = chosen
        torch.set_num_threads(threads)


@cache
def world() -> tuple[Catalog, Interactions]:
    catalog, interactions = checkerboard()
    interactions = interactions.where(~np.isin(interactions.items, COLD))
    return catalog, simulate_devices(interactions, catalog, 1.0, np.random.default_rng(0))


@cache
def opinions() -> tuple[Catalog, Interactions]:
    """The checkerboard for a model of stars: everybody watches every second film, and gives 5 to their own kind and 1 to the other."""
    catalog, _ = checkerboard()
    watched = np.random.default_rng(1).random((120, N)) < 0.5
    users, items = np.nonzero(watched)
    stars = np.where(users % 2 == items % 2, 5.0, 1.0)
    return catalog, Interactions.sorted(users, items, stars, np.arange(len(users)), n_users=120, n_items=N)


@cache
def fitted(name: str) -> Recommender:
    catalog, interactions = world()
    return fit(blank(name), interactions, catalog)


def profile(items, stars=5.0, genres: tuple[str, ...] = ()) -> Profile:
    items = np.asarray(items)
    return Profile(items, np.broadcast_to(stars, items.shape), np.arange(len(items)), genres)


QUERIES = [
    Query(),
    Query(profile([], genres=("Comedy",))),
    Query(profile(EVEN), Context("evening", "tv")),
    Query(profile([1, 3, 5], [5, 1, 4]), Context("morning")),
    Query(profile([2, 9], 1.0), Context(device="mobile")),
    Query(profile(np.arange(30)[::-1], 4.0), Context("night", "desktop")),  # longer than the small sequence model looks back
    Query(profile(COLD)),
]
every_model = pytest.mark.parametrize("name", MODELS)


# -- the suite ---------------------------------------------------------------------------------------------------------


@every_model
def test_shape_type_and_finite(name: str) -> None:
    scores = fitted(name).score(QUERIES)
    assert scores.shape == (len(QUERIES), N)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert fitted(name).catalog is world()[0]


@every_model
def test_a_batch_equals_its_singles(name: str) -> None:
    model = fitted(name)
    singles = np.concatenate([model.score([q]) for q in QUERIES])
    np.testing.assert_allclose(model.score(QUERIES), singles, atol=1e-5)
    np.testing.assert_allclose(model.score(QUERIES[::-1])[::-1], singles, atol=1e-5)


@every_model
def test_same_seed_same_scores_and_no_memory_of_an_earlier_fit(name: str) -> None:
    catalog, interactions = world()
    wanted = fitted(name).score(QUERIES)
    np.testing.assert_array_equal(fit(blank(name), interactions, catalog).score(QUERIES), wanted)
    used = fit(blank(name), interactions.where(interactions.users < 100), catalog)
    used.score(QUERIES)
    np.testing.assert_array_equal(fit(used, interactions, catalog).score(QUERIES), wanted)


@every_model
def test_scoring_changes_nothing(name: str) -> None:
    model = fitted(name)
    before = model.score(QUERIES).copy()
    model.score(QUERIES)[:] = 0
    model.explain(QUERIES[2], np.arange(N))
    np.testing.assert_array_equal(model.score(QUERIES), before)


@every_model
def test_learns_the_checkerboard(name: str) -> None:
    """A viewer of even films wants the other even films.

    Popularity is exempt: it gives everybody the same list, so it cannot tell the two kinds of viewers apart. A model of
    stars learns from stars, so it gets the same board made of opinions, and a viewer who has some.
    """
    if name == "popularity":
        scores = fitted(name).score([Query(profile(EVEN)), Query(profile(EVEN + 1))])
        np.testing.assert_array_equal(scores[0], scores[1])
        return
    if name == "ratings":
        catalog, interactions = opinions()
        model = fit(Ratings(factors=4, epochs=40, rate=0.02, batch=256), interactions, catalog)
        query, seen = Query(profile(np.arange(12), np.where(np.arange(12) % 2, 1.0, 5.0))), np.arange(12)
    else:
        model, query, seen = fitted(name), Query(profile(EVEN)), EVEN
    warm = np.setdiff1d(np.arange(N), COLD)
    best = rank.top(rank.mask(model.score([query])[0], seen), N)
    best = best[np.isin(best, warm)]
    wanted = [i for i in warm if i % 2 == 0 and i not in seen]
    assert set(best[: len(wanted)].tolist()) == set(wanted)


@every_model
def test_seen_films_never_come(name: str) -> None:
    for query in QUERIES:
        scores = rank.mask(fitted(name).score([query])[0], query.profile.items)
        for shown in (rank.top(scores, N), rank.diversify(scores, world()[0].genres, N, 0.3)):
            assert len(shown) == N - len(query.profile)
            assert not np.isin(shown, query.profile.items).any()


@every_model
@effort(max_examples=25)
@given(st.data())
def test_reasons_sum_to_the_score(name: str, data: st.DataObject) -> None:
    films = data.draw(st.lists(st.integers(0, N - 1), unique=True, max_size=25))
    stars = data.draw(st.lists(st.integers(1, 10), min_size=len(films), max_size=len(films)))
    asked = data.draw(st.sampled_from([(), ("Comedy",), ("Comedy", "Action")]))
    context = Context(data.draw(st.sampled_from([None, "morning", "night"])), data.draw(st.sampled_from([None, "tv", "mobile"])))
    items = np.array(data.draw(st.lists(st.integers(0, N - 1), min_size=1, max_size=5)))
    query = Query(profile(np.array(films, int), np.array(stars) / 2, asked), context)
    model = fitted(name)
    scores = model.score([query])[0, items].astype(float)
    for explanation, score in zip(model.explain(query, items), scores, strict=True):
        assert explanation.exact == (name not in NETWORKS)
        # float32 scores hold seven digits, so a leave-one-out answer of several forward passes gets a wider margin
        assert explanation.total == pytest.approx(score, abs=1e-6 if explanation.exact else 1e-4)
        weights = [abs(r.weight) for r in explanation.reasons]
        assert weights == sorted(weights, reverse=True)
        for reason in explanation.reasons:
            if isinstance(reason.subject, int):
                assert reason.subject in films
            if reason.kind == "context":
                assert reason.subject in (context.time_of_day, context.device)
                assert reason.simulated == (reason.subject == context.device)


@every_model
def test_a_film_nobody_rated(name: str) -> None:
    model = fitted(name)
    scores = model.score(QUERIES)[:, COLD]
    assert np.isfinite(scores).all()
    assert all(np.isfinite(e.total) for q in QUERIES for e in model.explain(q, np.array(COLD)))
    if name in ("content", "encoder"):  # placed by what it is made of, so each kind of viewer prefers their kind
        likes_even, likes_odd = model.score([Query(profile(EVEN)), Query(profile(EVEN + 1))])[:, COLD]
        assert likes_even[0] > likes_even[1] + 0.05
        assert likes_odd[1] > likes_odd[0] + 0.05
    if name == "ratings":  # nothing is known of it, so it gets the viewer's own mean and no reason from any film
        assert not model.factors_[list(COLD)].any()
        assert not model.bias_[list(COLD)].any()


@every_model
def test_an_artifact_gives_the_same_scores(name: str, tmp_path, monkeypatch) -> None:
    model, catalog = fitted(name), world()[0]
    if name == "user_knn":
        with pytest.raises(ValueError, match="user_knn holds people's histories and is never written"):
            artifacts.save(name, model, tmp_path)
        assert not list(tmp_path.iterdir())
        return
    card = artifacts.save(name, model, tmp_path, seed=0)
    assert sorted(p.name for p in (tmp_path / name).iterdir()) == ["card.json", "weights.safetensors"]
    assert card["simulated"] == (["device"] if name in NETWORKS else [])
    for module, function in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load"), (builtins, "eval"), (builtins, "exec")):
        monkeypatch.setattr(module, function, lambda *a, f=function, **k: pytest.fail(f"reading an artifact ran {f}"))
    copy = artifacts.load(name, tmp_path, catalog)
    monkeypatch.undo()
    if isinstance(copy, Hybrid):
        copy.attach(model.parts)
    assert copy == model  # the same parameters
    np.testing.assert_array_equal(copy.score(QUERIES), model.score(QUERIES))
    assert copy.explain(QUERIES[2], np.arange(N)) == model.explain(QUERIES[2], np.arange(N))
    for key, array in artifacts.flatten(copy).items():
        assert key.endswith("/shape") or not array.flags.writeable  # what all viewers share cannot be changed by one


# -- by hand -----------------------------------------------------------------------------------------------------------


def tiny(films: int, **facts) -> Catalog:
    """A catalogue of `films` films of which nothing is known but `facts`."""
    nobody = ((),) * films
    known = {
        "ids": np.arange(films), "titles": tuple("ABCDEFG"[:films]), "years": np.zeros(films, int), "genres": np.zeros((films, 1), bool),
        "genre_names": ("Drama",), "directors": nobody, "actors": nobody, "certificates": ("",) * films, "minutes": np.full(films, np.nan),
        "imdb_ids": np.zeros(films, int), "tmdb_ids": np.zeros(films, int),
    }  # fmt: skip
    return Catalog(**known | facts)


def log(*rows: tuple[int, int, float, int], users: int, films: int) -> Interactions:
    """Rows of user, film, stars and day."""
    u, i, r, t = (np.array(column) for column in zip(*rows))
    return Interactions.sorted(u, i, r.astype(float), t * 86_400, n_users=users, n_items=films)


# Viewers of {A, B}, {A}, {A}, {B}, {C}: A 3 times, B twice, C once, A and B together once.
FIVE = log((0, 0, 5, 0), (0, 1, 5, 1), (1, 0, 5, 0), (2, 0, 5, 0), (3, 1, 5, 0), (4, 2, 5, 0), users=5, films=3)


def test_ease_by_hand() -> None:
    # G + 1 = [4 1 0; 1 3 0; 0 0 2], its inverse P = 1/11 [3 -1 0; -1 4 0; 0 0 5.5]
    # W_ji = -P_ji / P_ii:  what A gives B = (1/11) / (4/11) = 1/4,  what B gives A = (1/11) / (3/11) = 1/3
    model = EASE(penalty=1.0, neighbours=3).fit(FIVE, tiny(3))
    np.testing.assert_allclose(model.weights_.toarray(), [[0, 1 / 4, 0], [1 / 3, 0, 0], [0, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(model.score([Query(profile([0, 2])), Query(profile([1], 2.0))]), [[0, 1 / 4, 0], [0, 0, 0]], atol=1e-6)
    (reason,) = model.explain(Query(profile([0, 2])), np.array([1]))[0].reasons
    assert (reason.kind, reason.subject, reason.weight) == ("film", 0, pytest.approx(1 / 4))


def test_item_knn_by_hand() -> None:
    # cosine of A and B with shrinkage 1: 1 common viewer / (sqrt(3) sqrt(2) + 1) = 0.28990
    model = ItemKNN(shrink=1, support=1).fit(FIVE, tiny(3))
    np.testing.assert_allclose(model.weights_.toarray(), 0.28990 * np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]), atol=1e-5)
    assert ItemKNN(shrink=1, support=2).fit(FIVE, tiny(3)).weights_.nnz == 0  # one common viewer is too few


def test_strongest_keeps_what_others_give_each_film() -> None:
    # column 0 holds 1, -3, 2: the two largest in size are -3 and 2; column 1 holds 0, 5, 4; column 2 holds 6, 0, 0
    kept = strongest(np.array([[1.0, 0, 6], [-3, 5, 0], [2, 4, 0]]), 2)
    np.testing.assert_array_equal(kept.toarray(), [[0, 0, 6], [-3, 5, 0], [2, 4, 0]])


def test_als_fold_in_by_hand() -> None:
    model = ALS(factors=1, alpha=2.0, reg=1.0)
    model.factors_, model.gram_, model.catalog = np.array([[1.0], [2], [3]], np.float32), np.array([[14.0]]), tiny(3)
    # y = 1, 2, 3; Y'Y = 14. Watched A and B: x = (1 + 2)(1 + 2) / (14 + 1 + 2 (1 + 4)) = 9/25, so C scores 27/25,
    # of it 3 x 1 x 3 / 25 = 9/25 from A and 18/25 from B. A film disliked says nothing.
    for query in (Query(profile([0, 1])), Query(profile([0, 1, 2], [5, 3, 2.5]))):
        np.testing.assert_allclose(model.score([query])[0], np.array([9, 18, 27]) / 25, rtol=1e-6)
        assert [(r.subject, round(r.weight, 6)) for r in model.explain(query, np.array([2]))[0].reasons] == [(1, 18 / 25), (0, 9 / 25)]


def test_als_solves_its_least_squares() -> None:
    # x_u = (Y' C Y + reg)^-1 Y' C p with C = 1 + alpha on what was watched, 1 elsewhere; in full, film by film
    model, y = ALS(factors=3, alpha=4.0, reg=0.5), np.random.default_rng(0).normal(size=(3, 3))
    watched = FIVE.matrix()
    for found, p in zip(model.solve(watched, y), watched.toarray()):
        c = np.diag(1 + 4.0 * p)
        np.testing.assert_allclose(found, np.linalg.solve(y.T @ c @ y + 0.5 * np.eye(3), y.T @ c @ p), rtol=1e-6)


def test_popularity_by_hand() -> None:
    # A: 5 and 3 stars today; B: 2 stars, 60 days ago; C: nothing. Prior 1, so the mean of all, 10/3, counts once.
    ratings = log((0, 0, 5, 60), (1, 0, 3, 60), (2, 1, 2, 0), users=3, films=3)
    catalog = tiny(3, genres=np.array([[1, 0], [0, 1], [1, 1]], bool), genre_names=("Comedy", "Drama"))
    np.testing.assert_allclose(damped_means(ratings, prior=1), [(8 + 10 / 3) / 3, (2 + 10 / 3) / 2, 10 / 3])  # 3.78, 2.67, 3.33
    # scaled to 0..1: trending 2, 1/2, 0 -> 1, 1/4, 0; rating -> 1, 0, (10/3 - 8/3) / (34/9 - 8/3) = 0.6; votes 2, 1, 0 -> 1, 1/2, 0
    model = Popularity(prior=1.0).fit(ratings, catalog)
    base = np.array([0.4 + 0.3 + 0.3, 0.1 + 0 + 0.15, 0 + 0.18 + 0])
    np.testing.assert_allclose(model.score([Query(), Query(profile([0]))]), [base, base], atol=1e-6)
    # half a point for the genre asked for, a quarter each for two
    one, two = Query(profile([], genres=("Comedy",))), Query(profile([], genres=("comedy", "Drama")))
    np.testing.assert_allclose(model.score([one, two]), base + np.array([[0.5, 0, 0.5], [0.25, 0.25, 0.5]]), atol=1e-6)
    # among dramas (B and C): trending 1, 0; rating 0, 1; votes 1, 0
    np.testing.assert_allclose(model.in_genre("Drama"), [-np.inf, 0.4 + 0.3, 0.3], atol=1e-6)
    assert [e.total for e in model.explain_in_genre("Drama", np.array([1, 2]))] == pytest.approx([0.7, 0.3], abs=1e-6)


def test_ratings_fold_in_by_hand() -> None:
    model = Ratings(factors=1)
    model.mean_, model.bias_ = np.array([3], np.float32), np.array([0.5, -0.5, 0], np.float32)
    model.factors_, model.penalties_ = np.array([[1], [2], [-1]], np.float32), np.array([1, 3], np.float32)
    # A got 5 stars: residual 5 - 3 - 0.5 = 1.5, design (1, 1). ([1 1; 1 1] + diag(1, 3)) x = (1.5, 1.5), determinant 7:
    # viewer's bias (4 - 1) 1.5 / 7 = 4.5/7, viewer's factor (2 - 1) 1.5 / 7 = 1.5/7
    scores = model.score([Query(profile([0]))])[0]
    np.testing.assert_allclose(scores, [3.5 + 4.5 / 7 + 1.5 / 7, 2.5 + 4.5 / 7 + 3 / 7, 3 + 4.5 / 7 - 1.5 / 7], rtol=1e-6)
    film, average = model.explain(Query(profile([0])), np.array([1]))[0].reasons[::-1]
    assert (film.subject, film.weight, average.weight) == (0, pytest.approx(7.5 / 7), pytest.approx(2.5))
    np.testing.assert_allclose(model.score([Query()])[0], [3.5, 2.5, 3])


def test_an_empty_profile_predicts_the_average_viewer_by_hand() -> None:
    network = Factorisation(3, 2, 1, mean=3.0)
    tables = {"users": [[1], [2], [9]], "user_bias": [[0.5], [0.1], [7]], "items": [[0.2], [-1]], "item_bias": [[0.25], [0]]}
    network.load_state_dict({f"{name}.weight": torch.tensor(rows, dtype=torch.float32) for name, rows in tables.items()})
    model = Ratings(factors=1)
    model.raters_ = np.array([4, 4])
    model._take(network, np.array([0, 1]))  # the third user was not trained on
    # 3 + 0.5 + 0.25 + 0.2 = 3.95 and 3 + 0.1 + 0.25 + 0.4 = 3.75; 3 + 0.5 - 1 = 2.5 and 3 + 0.1 - 2 = 1.1
    np.testing.assert_allclose(model.score([Query()])[0], [(3.95 + 3.75) / 2, (2.5 + 1.1) / 2], rtol=1e-6)


def test_long_histories_choose_the_penalty_on_the_factors_and_all_together_that_on_the_bias(monkeypatch) -> None:
    # by the longest, 2 on the factors; then 1.5^2 + 1.2^2 + 0.8^2 = 4.33 for 1 on the bias, 3.16 for 2; over all lengths (2, 1) would err least
    errors = {(1, 1): [1.0, 1.0, 0.9], (2, 1): [0.5, 0.5, 0.9], (1, 2): [1.5, 1.2, 0.8], (2, 2): [1.2, 1.0, 0.85]}
    model = Ratings()
    monkeypatch.setattr("recommender.models.ratings.ON_BIAS", (1.0, 2.0))
    monkeypatch.setattr("recommender.models.ratings.ON_FACTORS", (1.0, 2.0))
    monkeypatch.setattr(Ratings, "rmse", lambda self, known, asked: errors[tuple(self.penalties_.tolist())][known])
    model._tune([0, 1, 2], [])
    assert model.penalties_.tolist() == [2, 2]


def test_shortened_histories_hold_so_many_of_the_ratings_and_no_others() -> None:
    whole = [Query(profile(np.arange(30), np.linspace(0.5, 5, 30))), Query(profile([7, 9]))]
    histories = shortened(whole, np.random.default_rng(0))
    assert [[len(q.profile) for q in known] for known in histories] == [[min(n, 30), min(n, 2)] for n in CUTS]
    for long, short in ((whole[0], known[0]) for known in histories):
        stars = dict(zip(long.profile.items.tolist(), long.profile.ratings.tolist()))
        assert dict(zip(short.profile.items.tolist(), short.profile.ratings.tolist())).items() <= stars.items()
    assert len({tuple(shortened(whole, np.random.default_rng(seed))[3][0].profile.items) for seed in range(5)}) > 1


@cache
def tasteful(n_users: int = 1600, n_items: int = 40) -> tuple[Interactions, Ratings]:
    """A log of people whose tastes lie about a common one, and stars as learned from the first half of them."""
    rng = np.random.default_rng(1)
    films = rng.normal(scale=0.5, size=(n_items, 2))
    tastes = rng.normal((1.5, -1.2), 0.7, size=(n_users, 2))
    truth = 3.4 + rng.normal(scale=0.3, size=(n_users, 1)) + tastes @ films.T
    users, items = np.nonzero(rng.random(truth.shape) < 0.5)
    stars = np.clip(truth[users, items] + rng.normal(scale=0.8, size=len(users)), 0.5, 5).astype(np.float32)
    people = Interactions.sorted(users, items, stars, np.arange(len(users)), n_users=n_users, n_items=n_items)
    learned = people.where(people.users < n_users // 2)
    return people, fit(Ratings(factors=4, epochs=15, rate=0.01, batch=256, held_out=0.1), learned, world()[0])


def test_an_empty_profile_predicts_the_average_stars_of_each_film() -> None:
    people, model = tasteful()
    off = model.score([Query()])[0] - damped_means(people.where(people.users < 800))
    assert np.sqrt(np.mean(off**2)) < 0.07  # twice as far where the mean of the tastes is left out
    assert np.ptp(damped_means(people)) > 2


def test_three_ratings_are_better_than_none() -> None:
    people, model = tasteful()
    known, asked = examination(people, np.arange(800, 1600), np.random.default_rng(0))
    errors = [model.rmse(history, asked) for history in shortened(known, np.random.default_rng(0))]
    assert max(errors[1:4]) < errors[0]
    assert errors[-1] < errors[3] < errors[0]


def test_the_chance_of_four_stars_holds_whatever_is_known() -> None:
    people, model = tasteful()
    known, asked = examination(people, np.arange(800, 1600), np.random.default_rng(0))
    liked = np.concatenate([stars >= 4 for _, stars in asked])
    for history in shortened(known, np.random.default_rng(0))[::2]:
        said = np.concatenate([model.chance(model.score([q])[0, items], len(q.profile)) for q, (items, _) in zip(history, asked)])
        for low, high in ((0, 0.25), (0.25, 0.5), (0.5, 1)):
            inside = (said >= low) & (said < high)
            assert inside.sum() > 300
            assert said[inside].mean() == pytest.approx(liked[inside].mean(), abs=0.06)


def test_chance_by_hand() -> None:
    model = Ratings()
    model.mean_, model.calibration_ = np.array([3.5], np.float32), np.array([2.0, -1.0, 0.5, 0.0])
    # 5 ratings: short = 1 / (1 + 5 / 5) = 1/2; log-odds 2 over - 1 over/2 + 0.5/2 = 0.25 at the mean, 1.75 one star above
    np.testing.assert_allclose(model.chance(np.array([3.5, 4.5]), 5), 1 / (1 + np.exp([-0.25, -1.75])))


def test_content_cosine_by_hand() -> None:
    # Columns: Comedy and Drama (weight 2), director X (Y is in one film only and links nothing), PG, R.
    #   A comedy, X, PG: 2 0 1 1 0, length sqrt(6)      B comedy and drama, X, R: 2 2 1 0 1, length sqrt(10)
    #   C drama, Y, PG:  0 2 0 1 0, length sqrt(5)      D comedy, PG:             2 0 0 1 0, length sqrt(5)
    catalog = tiny(
        4, genres=np.array([[1, 0], [1, 1], [0, 1], [1, 0]], bool), genre_names=("Comedy", "Drama"),
        directors=(("X",), ("X",), ("Y",), ()), certificates=("PG", "R", "PG", "PG"),
    )  # fmt: skip
    ratings = log((0, 0, 4, 0), users=1, films=4)
    model = Content(quality=0.0).fit(ratings, catalog)
    a_b, a_d = 5 / np.sqrt(60), 5 / np.sqrt(30)
    # A to C: 1 / sqrt(30) = 0.18, under the floor of 0.3
    np.testing.assert_allclose(model.score([Query(profile([0]))])[0], [0, a_b, 0, a_d], atol=1e-6)
    to_b, to_d = ({(r.kind, r.subject): r.weight for r in e.reasons if r.weight} for e in model.explain(Query(profile([0])), np.array([1, 3])))
    assert to_b == {("genre", "Comedy"): pytest.approx(4 / np.sqrt(60)), ("person", "X"): pytest.approx(1 / np.sqrt(60))}
    assert to_d == {("genre", "Comedy"): pytest.approx(4 / np.sqrt(30)), ("film", 0): pytest.approx(1 / np.sqrt(30))}  # the certificate
    # two films speak with 1 / sqrt(2) each: D gets A's 5 / sqrt(30), and from B (4 / sqrt(50) = 0.57)
    np.testing.assert_allclose(model.score([Query(profile([0, 1]))])[0, 3], (a_d + 4 / np.sqrt(50)) / np.sqrt(2), atol=1e-6)
    # the director alone: A's X is 1 / sqrt(6) of its length, B's is 1 / sqrt(10) of its own
    np.testing.assert_allclose(model.person_points(Query(profile([0])), "X"), [1 / 6, 1 / np.sqrt(60), 0, 0], atol=1e-6)


def test_content_quality_by_hand() -> None:
    # one rating of 4 for A, so every damped mean is 4; times log(1 + votes): 4 log 2 and 0, scaled to 1 and 0, worth 0.2 points
    model = Content().fit(log((0, 0, 4, 0), users=1, films=2), tiny(2))
    np.testing.assert_allclose(model.score([Query()])[0], [0.2, 0], atol=1e-6)


def test_words_of_the_plot_link_films() -> None:
    text = ("the shark eats a swimmer", "a swimmer meets the shark", "a lawyer in court", "the court and the lawyer")
    model = Content(quality=0.0).fit(log((0, 0, 4, 0), users=1, films=4), tiny(4, text=text))
    scores = model.score([Query(profile([0]))])[0]
    assert scores[1] > 0.9
    assert scores[2] == scores[3] == 0
    bare = replace(model.catalog, text=())
    assert Content(quality=0.0).fit(log((0, 0, 4, 0), users=1, films=4), bare).score([Query(profile([0]))]).max() == 0


def test_small_communities_dissolve() -> None:
    # 25 people at the right, 20 at the top, 5 a little above the right: the five join those at the right
    place = np.repeat([[1.0, 0], [0, 1], [0.9, 0.2]], [25, 20, 5], axis=0)
    home = _dissolve_small(place, np.repeat([1, 2, 0], [25, 20, 5]), 20)
    assert home.tolist() == [0] * 25 + [1] * 20 + [0] * 5
    assert _dissolve_small(place, np.arange(50), 20).tolist() == [0] * 50  # all too small: one of all
    with pytest.raises(ValueError, match="19 viewers, wanted at least 20"):
        _dissolve_small(place[:19], np.zeros(19, int), 20)


def test_communities_by_hand() -> None:
    # 20 people are one community. A: 10 gave 4 stars, 5 gave 3: half enjoyed it. B: 4 gave 5 stars, fewer than 5, so it counts as none.
    rows = [(u, 0, 4 if u < 10 else 3, 0) for u in range(15)] + [(u, 1, 5, 1) for u in range(4)] + [(u, 2, 1, 2) for u in range(20)]
    model = Communities().fit(log(*rows, users=20, films=3), tiny(3))
    assert model.sizes_.tolist() == [20]
    for query in (Query(), Query(profile([2])), Query(profile([0]))):
        np.testing.assert_allclose(model.score([query])[0], [0.5, 0, 0])


def test_no_community_tells_of_few_people() -> None:
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((300, N)) < 0.2)
    catalog, _ = world()
    ratings = Interactions.sorted(users, items, rng.integers(1, 6, len(users)).astype(float), np.arange(len(users)), n_users=300, n_items=N)
    model = Communities().fit(ratings, catalog)
    assert model.sizes_.min() >= 20
    assert model.sizes_.sum() == 300
    enjoyed = np.rint(model.shares_ * model.sizes_[:, None])
    assert len(model.sizes_) > 1
    assert enjoyed.max() > 4
    assert set(np.unique(enjoyed)).isdisjoint({1, 2, 3, 4})


def test_a_small_group_is_no_community_of_its_own() -> None:
    # 56 viewers of even films, 56 of odd ones and 8 of four films that nobody else watches: asked for three clusters, the
    # eight are one, and they are fewer than 20, so they join a larger one
    rng = np.random.default_rng(0)
    watched = (np.arange(112)[:, None] % 2 == np.arange(N) % 2) & (rng.random((112, N)) < 0.7)
    watched[:, 36:] = False
    few = np.zeros((8, N), bool)
    few[:, 36:] = True
    users, items = np.nonzero(np.vstack([watched, few]))
    log_of_three = Interactions.sorted(users, items, np.full(len(users), 5.0), np.arange(len(users)), n_users=120, n_items=N)
    sizes = Communities().fit(log_of_three, world()[0]).sizes_
    assert sorted(sizes.tolist()) == [56, 64]


# -- the network and its training --------------------------------------------------------------------------------------


def test_softmax_loss_is_cross_entropy() -> None:
    torch.manual_seed(0)
    h, table = torch.randn(600, 8, requires_grad=True), torch.randn(50, 8, requires_grad=True)
    y = torch.randint(50, (600,))
    mine, theirs = SoftmaxLoss.apply(h, table, y), nn.functional.cross_entropy(h @ table.T, y)
    torch.testing.assert_close(mine, theirs)
    for a, b in zip(torch.autograd.grad(3 * mine, (h, table)), torch.autograd.grad(3 * theirs, (h, table))):
        torch.testing.assert_close(a, b)


def test_the_future_is_invisible() -> None:
    torch.manual_seed(0)
    network = Transformer(50, width=16, heads=4, layers=2, length=12).eval()
    for block in network.blocks:
        nn.init.normal_(block.distance)
    films, times, devices = torch.randint(50, (3, 12)), torch.randint(5, (3, 12)), torch.randint(5, (3, 12))
    with torch.inference_mode():
        before = network(films, times, devices)
        for t in range(11):
            later = films.clone()
            later[:, t + 1 :] = (later[:, t + 1 :] + 1) % 51  # other films, and padding
            after = network(later, times, devices)
            torch.testing.assert_close(after[:, : t + 1], before[:, : t + 1])
            assert (after[:, t + 1 :] - before[:, t + 1 :]).abs().min(dim=2).values.max() > 0
            # and the past is not: every film up to t moves the vector at t
            for past in range(t + 1):
                other = films.clone()
                other[:, past] = (other[:, past] + 1) % 50
                assert ((network(other, times, devices)[:, t] - before[:, t]).abs().max(dim=1).values > 1e-4).all()


def test_the_future_is_invisible_where_the_clock_is_known() -> None:
    torch.manual_seed(0)
    network = Transformer(50, width=16, heads=4, layers=2, length=12, stars=True, clock=True).eval()
    for name, weights in network.named_parameters():
        if "elapsed" in name or name.startswith(("stars", "gap")):
            nn.init.normal_(weights)
    films, none = torch.randint(50, (3, 12)), torch.zeros(3, 12, dtype=torch.int64)
    stars, clock = torch.randint(1, 11, (3, 12)), torch.cumsum(torch.randint(1, 10_000, (3, 13)), dim=1)
    with torch.inference_mode():
        before = network(films, none, none, stars, clock)
        for t in range(11):
            later = clock.clone()
            later[:, t + 2 :] += 10**6  # the request after film t is known to it, those after are not
            rated = stars.clone()
            rated[:, t + 1 :] = stars[:, t + 1 :] % 10 + 1
            torch.testing.assert_close(network(films, none, none, rated, later)[:, : t + 1], before[:, : t + 1])
            asked = clock.clone()
            asked[:, t + 1 :] += 10**6
            assert ((network(films, none, none, stars, asked)[:, t] - before[:, t]).abs().max(dim=1).values > 1e-4).all()
            given = stars.clone()
            given[:, t] = stars[:, t] % 10 + 1
            assert ((network(films, none, none, given, clock)[:, t] - before[:, t]).abs().max(dim=1).values > 1e-4).all()


def test_dropout_keeps_its_share_and_the_mean() -> None:
    torch.manual_seed(0)
    drop = Dropout(0.25)
    x = torch.ones(1001, 99)
    kept = drop(x)
    assert kept.unique().tolist() == pytest.approx([0, 256 / 192])
    assert kept.mean() == pytest.approx(1, abs=4 * (0.25 / 0.75 / x.numel()) ** 0.5)
    assert torch.equal(drop.eval()(x), x)


@pytest.mark.parametrize("seed", range(5))
def test_windows_cover_every_next_film_once(seed: int) -> None:
    torch.manual_seed(seed)
    lengths = [1, 2, 8, 9, 10, 26, 40, 3]
    users = np.repeat(np.arange(len(lengths)), lengths)
    n = len(users)  # every row is a film of its own, so a film tells its row
    part, device = np.arange(n) % 4, np.arange(n) // 4 % 4
    given = np.arange(n) % 10 / 2 + 0.5
    data = Interactions.sorted(users, np.arange(n), given, 7 * np.arange(n), n_users=8, n_items=n, times_of_day=part, devices=device)
    found = []
    for films, targets, times, devices, stars, clock in Sequence(length=8, batch=4, unknown=0.0)._batches(data):
        assert films.shape[1] <= 8
        assert len(films) * int((targets >= 0).sum(dim=1).max()) <= 4 * 8
        asked = targets >= 0
        assert (films[asked] == targets[asked] - 1).all()  # the film before it stands in its place
        assert (films[~asked] == n).all()
        assert (times[asked] == targets[asked] % 4 + 1).all()  # the context is that of the film asked for
        assert (devices[asked] == targets[asked] // 4 % 4 + 1).all()
        assert (stars[asked] == films[asked] % 10 + 1).all()
        assert (clock[:, 1:][asked] == 7 * targets[asked]).all()  # the moment of the film asked for
        assert (clock[:, :-1][asked] == 7 * films[asked]).all()
        for row, mask in zip(films, asked):
            assert (row[mask].diff() == 1).all()
            assert len(set(users[row[mask].numpy()])) == 1
        found += targets[asked].tolist()
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    assert sorted(found) == sorted(set(range(n)) - set(first.tolist()))


def test_thinned_histories_keep_their_order_and_lose_films() -> None:
    torch.manual_seed(0)
    users = np.repeat(np.arange(200), 50)
    data = Interactions.sorted(users, np.arange(10_000), np.full(10_000, 4.0), np.arange(10_000), n_users=200, n_items=10_000)
    whole = thinned = 0
    for films, targets, *_ in Sequence(length=50, batch=8, thinned=0.5)._batches(data):
        for row, mask in zip(films, targets >= 0):
            seen = row[mask].numpy()
            assert len(set(users[seen])) == 1
            assert (np.diff(seen) > 0).all()
            whole, thinned = whole + (len(seen) == 49), thinned + (len(seen) < 49)
    assert whole == pytest.approx(100, abs=4 * 50**0.5)  # half of 200 viewers, four standard errors
    assert thinned > 70


def test_context_is_hidden_as_often_as_stated() -> None:
    n = 20_000
    context = {"times_of_day": np.full(n, 2), "devices": np.full(n, 1)}
    data = Interactions.sorted(np.zeros(n, int), np.arange(n), np.full(n, 4.0), np.arange(n), n_users=1, n_items=n, **context)
    batches = list(Sequence(length=100, unknown=0.3)._batches(data))
    for column, known in ((2, 3), (3, 2)):
        values = torch.cat([b[column][b[1] >= 0] for b in batches])
        assert set(values.tolist()) == {0, known}
        assert (values == 0).float().mean() == pytest.approx(0.3, abs=0.013)  # four standard errors


def test_only_the_latest_films_count_and_their_order_does() -> None:
    model = fitted("sequence")
    films = np.arange(30)
    scores = model.score([Query(profile(films)), Query(profile(films[-16:])), Query(profile(np.roll(films[-16:], 1)))])
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-5)
    assert np.abs(scores[1] - scores[2]).max() > 1e-3


class Interrupted(Exception):
    """The machine is switched off."""


def _train(checkpoint, stop_in: int | None = None, epochs: int = 6, patience: int = 9, **options) -> tuple[nn.Module, list[int], dict]:
    """A small regression with dropout and shuffling; interrupted in the middle of epoch `stop_in`."""
    torch.manual_seed(3)
    network = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.3), nn.Linear(8, 1))
    x = torch.arange(60.0).reshape(20, 3) / 60
    y = x.sum(dim=1, keepdim=True)
    epochs_run = []

    def batches():
        epochs_run.append(1)
        for number, rows in enumerate(torch.randperm(20).split(5)):
            if len(epochs_run) - 1 == stop_in and number == 2:
                raise Interrupted
            yield [x[rows], y[rows]]

    loss = lambda a, b: ((network(a) - b) ** 2).mean()
    best = Loop("test", 0.01, epochs, patience, checkpoint, **options).run(network, batches, loss, lambda: float(loss(x, y)))
    return network, epochs_run, best


@pytest.mark.parametrize("options", [{}, {"average": 0.9, "cosine": True}])
def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(tmp_path, options) -> None:
    whole, _, best = _train(None, **options)
    checkpoint = tmp_path / "deep" / "test.safetensors"
    with pytest.raises(Interrupted):
        _train(checkpoint, stop_in=3, **options)
    assert checkpoint.exists()
    resumed, epochs, again = _train(checkpoint, **options)
    assert len(epochs) == 3  # three of six epochs were done
    assert {**again, "seconds": 0} == {**best, "seconds": 0}
    for name, weight in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], weight, rtol=0, atol=0)
    assert not list(checkpoint.parent.iterdir())


@pytest.mark.parametrize("name", ["ratings", "encoder", "sequence"])
def test_an_interrupted_fit_goes_on_as_if_nothing_had_happened(name: str, tmp_path, monkeypatch) -> None:
    catalog, interactions = world()
    wanted = fitted(name).score(QUERIES)
    saved, save = [], Loop._save

    def save_three(*args) -> None:
        save(*args)
        saved.append(1)
        if len(saved) == 3:
            raise Interrupted

    monkeypatch.setattr(Loop, "_save", save_three)
    with pytest.raises(Interrupted):
        blank(name).fit(interactions, catalog, checkpoint=tmp_path / "c.safetensors")
    monkeypatch.undo()
    resumed = blank(name).fit(interactions, catalog, checkpoint=tmp_path / "c.safetensors")
    np.testing.assert_allclose(resumed.score(QUERIES), wanted, atol=1e-4)  # threads may differ, and with them the last digits


def test_the_best_weights_are_kept_and_patience_ends(tmp_path) -> None:
    network, seen = nn.Linear(1, 1), []
    errors = iter([5.0, 3.0, 4.0, 4.0, 1.0])

    def error() -> float:
        seen.append(network.weight.item())
        return next(errors)

    loss = lambda x: (network(x) - 9).square().mean()
    best = Loop("test", 0.1, 5, 2).run(network, lambda: [[torch.ones(1, 1)]], loss, error)
    # errors 5, 3, 4, 4: two epochs without a better one end it before the 1, and the weights of epoch 2 come back
    assert (best["epochs"], best["best_epoch"], best["error"]) == (4, 2, 3.0)
    assert len(seen) == 4
    assert network.weight.item() == seen[1]


def test_user_neighbours_leave_out_the_viewer_and_nobody_else() -> None:
    """Four viewers: A and A's double (films 0 1 2), B (0 1 3), C (4). A asks: the doubles are A, cosine 1, and stay out;
    B is alike by 2 / (sqrt 3 sqrt 3) = 2/3 and the only one left, so film 3 gets all of the weight."""
    users, items = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 3]), np.array([0, 1, 2, 0, 1, 2, 0, 1, 3, 4])
    n = len(users)
    data = Interactions.sorted(users, items, np.full(n, 4.0, np.float32), np.arange(n), n_users=4, n_items=N)
    model = UserKNN().fit(data, world()[0])
    query = Query(Profile(np.arange(3), np.full(3, 4.0), np.zeros(3)))
    assert np.flatnonzero(model.score([query])[0] > 0).tolist() == [0, 1, 3]
    assert model.score([query])[0, 3] == 1
    assert model.explain(query, np.array([3]))[0].reasons[0].subject == "1 of the 1 viewers most like you"
