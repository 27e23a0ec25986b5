"""Measures of reasons: curves and areas worked by hand, laws on planted models, and that the measure can say no."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from recommender.catalog import Catalog
from recommender.counterfactual import Smallest
from recommender.evaluate import faithfulness as f
from recommender.evaluate.report import Paired, Row
from recommender.interactions import Interactions
from recommender.models.content import Content
from recommender.stats.inference import holm
from recommender.types import Explanation, Profile, Query, Reason
from recommender.world import checkerboard

N = 120  # films


@dataclass
class Planted:
    """score_i = base_i + the sum of gives[j, i] over the films j of the profile; its reasons are these points, or those of films in other places."""

    gives: np.ndarray  # (I, I)
    base: np.ndarray  # (I,)
    shuffled: bool = False
    asked: int = 0
    catalog: Catalog = field(default_factory=lambda: checkerboard()[0])

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        return self

    def score(self, queries: list[Query]) -> np.ndarray:
        self.asked += len(queries)
        return np.stack([self.base + self.gives[q.profile.items].sum(axis=0) for q in queries]).astype(np.float32)

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        points = self.gives[np.ix_(query.profile.items, items)]
        if self.shuffled:
            points = np.random.default_rng(query.profile.items.sum()).permutation(points)
        return [
            Explanation.of([*(Reason("film", j, float(w)) for j, w in zip(query.profile.items.tolist(), column)), Reason("genre", "Drama", 9.0)])
            for column in points.T
        ]


def planted(shuffled: bool = False) -> Planted:
    rng = np.random.default_rng(5)
    return Planted(rng.gamma(0.1, size=(N, N)), 0.01 * rng.random(N), shuffled)


def log(n_users: int = 60, seed: int = 0) -> Interactions:
    """Everybody rates 5 to 50 films, in an order drawn at random."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(5, 51, n_users)
    items = np.concatenate([rng.choice(N, n, replace=False) for n in lengths])
    times = np.concatenate([np.arange(n) for n in lengths])
    return Interactions.sorted(np.repeat(np.arange(n_users), lengths), items, np.full(len(items), 4.0), times, n_users=n_users, n_items=N)


def viewer(*films: int) -> Query:
    return Query(Profile(np.array(films, np.int64), np.full(len(films), 4.0), np.arange(len(films))))


def without_films(query: Query) -> Query:
    return Query(query.profile.keep(np.zeros(len(query.profile), bool)))


EVERYTHING = np.ones(N, bool)


# -- who is asked ------------------------------------------------------------------------------------------------------


def test_the_first_ratings_are_known_and_all_else_is_ranked() -> None:
    x = log(20)
    candidates = np.arange(N) != 7
    for known in (10, None):
        split = f.questions(x, candidates, known)
        assert (split.known == np.minimum(x.lengths, known or 999)).all()
        assert split.sizes()["test_items"] == split.known.sum()
        for row, (query, pool) in enumerate(f.asked(split)):
            own = x.profile(row).items[:known]
            assert query.profile.items.tolist() == own.tolist()
            assert (query.context.at, query.context.time_of_day, query.context.device) == (None, None, None)
            assert set(np.flatnonzero(~pool)) == {7, *own}
            assert set(split.relevant[[row]].indices) == set(own)


# -- deletion and insertion --------------------------------------------------------------------------------------------


def by_hand() -> tuple[Planted, Query, np.ndarray]:
    """Films 0, 1 and 2 are rated and give film 3 three points, film 4 two and film 5 one; film 6 has half a point of its own, film 5 a tenth."""
    gives, base = np.zeros((7, 7)), np.zeros(7)
    gives[0, 3], gives[1, 4], gives[2, 5] = 3, 2, 1
    base[6], base[5] = 0.5, 0.1
    return Planted(gives, base), viewer(0, 1, 2), np.array([False, False, False, True, True, True, True])


def test_curves_by_hand() -> None:
    model, query, pool = by_hand()
    wanted = f.first(model, query, pool, 2)
    assert wanted.tolist() == [3, 4]
    # Deleted 0, 1, 2 in turn the lists are {3, 4}, {4, 5}, {5, 6}, {6, 5}; known in turn {6, 5}, {3, 6}, {3, 4}, {3, 4}.
    # Deleted 2, 1, 0 in turn they are {3, 4}, {3, 4}, {3, 6}, {6, 5}; known in turn {6, 5}, {5, 6}, {4, 5}, {3, 4}.
    found = f.curves(model.score, query, pool, wanted, np.array([[0, 1, 2], [2, 1, 0]]))
    (deleted, deleted_last), (known, known_last) = found[..., :4].tolist()
    assert (deleted, deleted_last) == ([1, 0.5, 0, 0], [1, 1, 0.5, 0])
    assert (known, known_last) == ([0, 0.5, 1, 1], [0, 0, 0.5, 1])
    assert (found[..., 4:] == found[..., [3]]).all()  # beyond the profile's length
    # Trapezoids of width 1/3: (1 + .5) / 2 / 3 + (.5 + 0) / 2 / 3 = 1/3, and so on.
    assert f.areas(found, 3) == pytest.approx(np.array([[1 / 3, 2 / 3], [2 / 3, 1 / 3]]))
    # Over the first two films, of width 1/2: (1 + .5) / 4 + (.5 + 0) / 4 = 1/2; (1 + 1) / 4 + (1 + .5) / 4 = 7/8.
    assert f.areas(found, 3, 2) == pytest.approx(np.array([[0.5, 0.875], [0.5, 0.125]]))


@pytest.mark.parametrize("seed", range(5))
def test_curves_begin_and_end_where_they_must(seed: int) -> None:
    model, rng = planted(), np.random.default_rng(seed)
    query = viewer(*rng.choice(N, int(rng.integers(1, 45)), replace=False).tolist())
    pool = EVERYTHING.copy()
    pool[query.profile.items] = False
    wanted = f.first(model, query, pool)
    assert not set(wanted) & set(query.profile.items)
    n = len(query.profile)
    bare = len(set(wanted) & set(f.first(model, without_films(query), pool))) / f.K
    found = f.curves(model.score, query, pool, wanted, np.stack([rng.permutation(n) for _ in range(4)]))
    assert (found[0, :, 0] == 1).all()
    assert (found[1, :, -1] == 1).all()
    if n <= f.STEPS[-1]:
        assert (found[0, :, -1] == bare).all()
    assert (found[1, :, 0] == bare).all()
    assert found.shape == (2, 4, len(f.STEPS))


def test_orders() -> None:
    points, watched = np.array([0.0, 2.0, 0.0, -1.0, 0.0]), np.array([5, 9, 7, 1, 7])
    drawn = [f.orders(points, watched, np.random.default_rng(seed)) for seed in range(20)]
    for found in drawn:
        assert found.shape == (3 + f.DRAWS, 5)
        assert (found[0, 0], found[0, 4]) == (1, 3)
        assert found[1].tolist() == [1, 2, 4, 0, 3]
        assert found[2].tolist() == [4, 3, 2, 1, 0]
        assert (np.sort(found, axis=1) == np.arange(5)).all()
    assert len({tuple(found[0, 1:4]) for found in drawn}) > 1  # what no reason names stands in no order of its own


def test_importance_adds_up_what_names_films() -> None:
    model, query, _ = by_hand()
    assert f.importance(model, query, np.array([3, 4])).tolist() == [3, 2, 0]  # the genre's nine points belong to no film
    catalog, x = checkerboard()
    content = Content().fit(x, catalog)
    query, items = Query(x.profile(0)), np.array([1, 6, 11])
    found = f.importance(content, query, items)
    scale = np.sqrt(query.profile.weights.sum())
    merit = content.quality * content.quality_[items]
    assert found.sum() / scale == pytest.approx((content.score([query])[0, items] - merit).sum(), rel=1e-5)


def compared(model: Planted) -> dict[tuple[str, str, str | None], Paired]:
    split = f.questions(log(), EVERYTHING)
    _, differences = f.curve_rows("planted", f.curves_of(model, split, np.arange(N)), split.known)
    return {(d.metric, d.against, d.segment): d for d in differences}


def test_true_reasons_beat_every_other_order() -> None:
    for (metric, _, _), d in compared(planted()).items():
        assert d.p < 0.01
        assert (d.hi < 0) if metric == f.DELETION else (d.lo > 0)


def test_shuffled_reasons_beat_nothing() -> None:
    found = [*compared(planted(shuffled=True)).values()]
    assert (holm(np.array([d.p for d in found])) > 0.05).all()
    assert all(abs(d.delta) < 0.05 for d in found)


def test_rows_are_means_over_viewers() -> None:
    # Two viewers of 40 films; deletion in the own order keeps all of the list for one and nothing, but for the first step, for the other.
    found = np.zeros((2, 2, len(f.ORDERS), len(f.STEPS)))
    found[0, 0, 0], found[1, 0, 0, 0] = 1, 1
    rows, differences = f.curve_rows("m", found, np.array([40, 40]))
    figures = {(r.variant, r.metric, r.segment): r.mean for r in rows}
    assert figures[f.OWN, f.DELETION, None] == pytest.approx((1 + 1 / 2 / 40) / 2)
    assert figures[f.OWN, f.DELETION, f"first={f.FEW}"] == pytest.approx((1 + 1 / 2 / 5) / 2)
    assert figures[f.OWN, f.DELETION, "step=0"] == 1
    assert figures[f.OWN, f.DELETION, "step=3"] == 0.5
    assert {d.against for d in differences} == {f.RANDOM, f.POPULAR, f.LATEST}
    assert all(d.delta == (figures[f.OWN, d.metric, d.segment] if d.metric == f.DELETION else 0) for d in differences)


# -- the smallest sets -------------------------------------------------------------------------------------------------


def test_smallest_sets_by_hand() -> None:
    found = [
        Smallest((1,), 1, 11, True), Smallest((1, 2), 1, 12, True), Smallest(tuple(range(5)), 1, 11, False, True), Smallest((), 1, 1, False)
    ]  # fmt: skip
    rows, medians = f.smallest_rows("m", found, np.array([10, 10, 10, 10]), 1)
    shares = {r.segment: r.mean for r in rows}
    assert shares == {
        "size=1": 0.25, "size=2": 0.25, "size=3": 0, "size=4-5": 0.25, "size=6-10": 0, "size=over 10": 0, "size=none": 0.25,
        "proven": 0.5, "bounded": 0.25,
    }  # fmt: skip
    assert {r.variant for r in rows} == {f.SET}
    assert medians == {"viewers": 4, "found": 3, "size": 2.0, "share": 0.2}


def test_smallest_sets_take_the_film_of_that_rank_out() -> None:
    model, split = planted(), f.questions(log(8), EVERYTHING, 6)
    for place in f.RANKS:
        for found, (query, pool) in zip(f.smallest_of(model, split, place), f.asked(split), strict=True):
            assert found.before == place
            item = f.first(model, query, pool)[place - 1]
            left = Query(query.profile.keep(~np.isin(query.profile.items, found.films)))
            assert (item not in f.first(model, left, pool)) == bool(found.films)


# -- do named films hold? ----------------------------------------------------------------------------------------------


def test_what_a_sentence_would_name() -> None:
    def spoken(*reasons: Reason) -> list[tuple[int, str]]:
        return f._spoken(Explanation.of([*reasons]), np.array([1, 2, 3]), np.random.default_rng(0))

    film = lambda subject, weight: Reason("film", subject, weight)
    assert spoken(film(1, 2.0), film(2, 1.0), Reason("genre", "Drama", 5.0)) == [(1, f.FIRST), (2, f.SECOND), (3, f.CHANCE)]
    assert spoken(film(2, 1.1), Reason("sequence", 3, 2.0), film(1, -9.0)) == [(3, f.FIRST), (2, f.SECOND), (1, f.CHANCE)]
    assert [how for _, how in spoken(film(1, 2.0), film(2, 0.9))] == [f.FIRST, f.CHANCE]
    assert spoken(film(1, 2.0), Reason("sequence", 1, 1.5), film(2, 1.2))[:2] == [(1, f.FIRST), (2, f.SECOND)]  # a film is named once
    assert [how for _, how in spoken(film(1, 2.0), Reason("sequence", 1, 1.5), film(2, 0.9))] == [f.FIRST, f.CHANCE]
    assert spoken(film(1, -1.0), Reason("genre", "Drama", 5.0)) == []


def test_falls_are_ranks_lost() -> None:
    model, split = planted(), f.questions(log(12), EVERYTHING, 8)
    claims = f.claims_of(model, split)
    held = {}
    for row, (query, pool) in enumerate(f.asked(split)):
        for rank, item in enumerate(f.first(model, query, pool, f.SHOWN).tolist(), start=1):
            film = query.profile.items[model.gives[query.profile.items, item].argmax()]
            left = Query(query.profile.keep(query.profile.items != film))
            held[row, rank] = int(np.flatnonzero(f.first(model, left, pool, int(pool.sum())) == item)[0]) + 1 - rank
    own = claims.how == f.FIRST
    assert {(v, r): fall for v, r, fall in zip(claims.viewers[own], claims.ranks[own], claims.falls[own])} == held
    assert claims.falls[own].mean() > claims.falls[claims.how == f.CHANCE].mean() + 3


def test_shares_of_claims_by_hand() -> None:
    claims = f.Claims(
        np.array([0, 0, 2, 2, 2]), np.array([1, 2, 1, 1, 2]), np.array([f.FIRST, f.SECOND] * 2 + [f.CHANCE]), np.array([0, 3, 5, 12, 9])
    )
    assert f.FALLS == (1, 3, 5, 10)
    assert claims.shares(claims.how != f.CHANCE).tolist() == [[0.5, 0.5, 0, 0], [1, 1, 1, 0.5]]
    assert claims.shares(claims.how == f.CHANCE).tolist() == [[1, 1, 1, 0]]


def test_claims_are_reported_for_twenty_viewers_or_more() -> None:
    viewers = np.arange(25)
    claims = f.Claims(viewers, np.where(viewers < 21, 1, 15), np.full(25, f.FIRST), np.where(viewers < 5, 0, 4))
    rows = {(r.segment, r.k): r for r in f.claim_rows("m", claims, np.where(viewers < 22, 30, 300))}
    assert {segment for segment, _ in rows} == {None, f.FIRST, "rank=1", "length=under 50"}  # four stand elsewhere, three are longer
    assert rows[None, 3].mean == pytest.approx(20 / 25)
    assert rows[None, 5].mean == 0
    assert rows["rank=1", 1].mean == pytest.approx(16 / 21)
    assert rows["length=under 50", 1].n == 22
    assert [r.segment for r in f.claim_rows("m", claims, np.full(25, 10), 10)] == ["known=10"] * 4


# -- all of it ---------------------------------------------------------------------------------------------------------


def test_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    said: list[str] = []
    study = f.Study(log(24), EVERYTHING, np.arange(N), tmp_path, said.append)
    model, labels = planted(), {"a": "A", "b": "B"}
    contenders, rows, differences, more = f.run({"a": model}, labels, study)
    assert [c.label for c in contenders] == ["A"]
    assert all(isinstance(r, Row) and r.lo <= r.mean <= r.hi for r in rows)
    assert all(d.p <= d.p_holm for d in differences)
    assert more["settings"]["known"] == f.KNOWN
    assert more["a"]["claims"]["whole"] > 24 * f.SHOWN
    told, asked = len(said), model.asked
    again = f.run({"a": model}, labels, study)
    assert again[1:] == (rows, differences, more)
    assert len(said) == told
    assert model.asked < 1.2 * asked  # only to see that it is the same model, and to time it
    f.run({"a": planted(shuffled=True)}, labels, study)
    assert len(said) == 2 * told  # a model with other reasons is another model
