"""The study of how far dislikes and loves should speak: its questions, its figures by hand, its rule, and the settings chosen by it."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import sparse

from recommender.evaluate import dislikes
from recommender.evaluate.dislikes import AMONG, BETTER, DISLIKES, HEIGHT, LOVES, TODAY
from recommender.evaluate.report import Paired, read
from recommender.evaluate.split import Split
from recommender.interactions import Interactions
from recommender.models.neighbours import EASE
from recommender.settings import ROOT, Settings
from recommender.types import Explanation, Profile, Query
from recommender.world import checkerboard


def log(n_users: int = 30, n: int = 40, n_items: int = 80, seed: int = 0) -> Interactions:
    rng = np.random.default_rng(seed)
    items = np.concatenate([rng.permutation(n_items)[:n] for _ in range(n_users)])
    stars = rng.integers(1, 6, n_users * n).astype(float)
    stars[:n] = 3  # the first viewer likes nothing and dislikes nothing
    return Interactions.sorted(np.repeat(np.arange(n_users), n), items, stars, np.tile(np.arange(n), n_users), n_users=n_users, n_items=n_items)


def films(matrix: sparse.csr_array, row: int) -> set[int]:
    return set(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]].tolist())


def test_a_fifth_is_held_out_and_never_known() -> None:
    x = log()
    candidates = np.arange(x.n_items) != 5
    split, disliked = dislikes.questions(x, candidates)
    assert 0 not in split.users  # nothing is right of the first
    assert np.diff(split.relevant.indptr).min() > 0
    assert len(split) == disliked.shape[0] > 25
    for row, user in enumerate(split.users.tolist()):
        whole, known = x.profile(user), split.queries(slice(row, row + 1))[0].profile
        held = ~np.isin(whole.items, known.items)
        assert held.sum() == 8
        assert known.liked_from == 3
        asked = held & (whole.items != 5)
        assert films(split.relevant, row) == set(whole.items[asked & (whole.ratings >= 4)].tolist())
        assert films(disliked, row) == set(whole.items[asked & (whole.ratings <= 2)].tolist())


def test_how_profiles_speak() -> None:
    profile = Profile(np.arange(6), np.array([5, 4, 3, 2.5, 2, 0.5]), np.arange(6))
    assert dislikes.spoken(profile, -0.5, 1.5).weights.tolist() == [1.5, 1, 1, 0, -0.5, -0.5]
    assert dislikes.spoken(profile, 0.0, 1.0).weights.tolist() == profile.weights.tolist()


class Numbered:
    """Scores are item numbers; keeps the weights it was told."""

    catalog = checkerboard()[0]

    def __init__(self, n_items: int) -> None:
        self.n_items = n_items
        self.told: list[list[float]] = []

    def fit(self, interactions: Interactions, catalog):
        return self

    def score(self, queries: list[Query]) -> np.ndarray:
        self.told += [q.profile.weights.tolist() for q in queries]
        return np.tile(np.arange(self.n_items, dtype=np.float32), (len(queries), 1))

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        return []


def test_figures_by_hand() -> None:
    # 102 films, the viewer knows the two best (100, 101): ranked are 99, 98, ... 1, and not 0, which is no candidate. Liked are 99, 97 and 10,
    # disliked 90 and 2: 99 films are ranked, below 90 stand 89 of the 98 others, below 2 one; 90 is among the first 50, 10 is not
    x = Interactions.sorted(np.zeros(2, int), np.array([100, 101]), np.array([5.0, 1]), np.arange(2), n_users=1, n_items=102)
    row = lambda items: sparse.csr_array(np.isin(np.arange(102), items)[None])
    split = Split(
        protocol="", variant="", seed=0, train=x, source=x, spans=np.array([[0, 2]]), users=np.zeros(1, int), relevant=row([99, 97, 10]),
        at=np.zeros(1, int), times_of_day=np.array([-1]), candidates=np.arange(102) > 0, liked_from=3.0,
    )  # fmt: skip
    model = Numbered(102)
    (found,) = dislikes.figures(model, split, row([90, 2]), partial(dislikes.spoken, disliked=-2.0, loved=1.5))
    assert model.told == [[1.5, -2]]
    gain = (1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3) + 1 / np.log2(4))
    np.testing.assert_allclose(found, [gain, 2 / 3, (89 / 98 + 1 / 98) / 2, 1], rtol=1e-6)


def pair(way: str, model: str, metric: str, k: int | None, delta: float, p: float) -> Paired:
    return Paired(way, model, TODAY, metric, k, None, delta, delta, delta, p, p, 9)


def test_the_smallest_weight_that_helps() -> None:
    first, second, third, _ = DISLIKES
    lower = [pair(way, "hybrid", HEIGHT, None, -0.1, 0.01) for way in (second, third)]  # less is better
    assert dislikes.pick(lower, DISLIKES, 0.0) == -0.5
    assert dislikes.pick([pair(first, "hybrid", HEIGHT, None, 0.1, 0.01), *lower], DISLIKES, 0.0) == -0.5
    assert dislikes.pick([pair(first, "hybrid", AMONG, 50, -1, 0.06), *lower], DISLIKES, 0.0) == -0.5  # not sure
    assert dislikes.pick([pair(first, "ease", AMONG, 50, -1, 0.01), *lower], DISLIKES, 0.0) == -0.5  # not the served model
    assert dislikes.pick([pair(second, "als", "NDCG", 10, -0.01, 0.01), *lower], DISLIKES, 0.0) == -1  # hurts another
    assert dislikes.pick([pair(second, "als", "R", 50, -0.01, 0.2), *lower], DISLIKES, 0.0) == -0.5
    assert dislikes.pick([], DISLIKES, 0.0) == 0
    assert dislikes.pick([pair(way, "hybrid", "NDCG", 10, 0.01, 0.01) for way in LOVES], LOVES, 1.0) == 1.5


def test_a_study_from_end_to_end() -> None:
    x = log(60)
    rest = Interactions.sorted(x.users, x.items, x.ratings, x.times, n_users=60, n_items=80)
    model = EASE(penalty=5.0).fit(rest, checkerboard()[0])
    splits, contenders, rows, differences, more = dislikes.run({"hybrid": model}, {"hybrid": "H"}, x, np.ones(80, bool), say=lambda _: None)
    ways = [TODAY, *DISLIKES, *LOVES, dislikes.CHOSEN]
    assert [(r.variant, r.metric, r.k) for r in rows] == [(way, *figure) for way in ways for figure in BETTER]
    assert [(d.variant, d.metric, d.k) for d in differences] == [(way, *figure) for way in ways[1:] for figure in BETTER]
    mean = {(r.variant, r.metric): r.mean for r in rows}
    for d in differences:
        assert d.delta == pytest.approx(mean[d.variant, d.metric] - mean[TODAY, d.metric])
    assert {r.n for r in rows} == {len(splits[0])}
    assert set(more["weights"]) == {"disliked", "loved"}
    assert [c.label for c in contenders] == ["H"]


def test_the_weights_in_use_are_those_chosen() -> None:
    report = read(ROOT / "artifacts" / "reports" / "dislikes.json")
    default = {name: Settings.model_fields[name].default for name in ("dislike_weight", "love_weight", "love_stars", "like_weight", "disliked_to")}
    assert report.more["weights"] == {"disliked": default["dislike_weight"], "loved": default["love_weight"]}
    assert (default["disliked_to"], default["love_stars"], default["like_weight"]) == (dislikes.DISLIKED, dislikes.LOVED, 1.0)  # as it measured
    assert dislikes.pick(report.differences, DISLIKES, 0.0) == report.more["weights"]["disliked"]
    assert dislikes.pick(report.differences, LOVES, 1.0) == report.more["weights"]["loved"]
