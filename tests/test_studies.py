"""Mixtures, the cold-start curve and the context ablation, on worlds whose answers are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from recommender.catalog import Catalog
from recommender.evaluate import ablation, coldstart
from recommender.evaluate.coldstart import FIRST, LATER, NEXT, SAMPLED
from recommender.evaluate.report import Paired, read
from recommender.evaluate.split import leave_last_out
from recommender.interactions import Interactions
from recommender.models.baselines import Chance, MostWatched
from recommender.models.mixture import Mixture
from recommender.models.neighbours import EASE
from recommender.settings import ROOT, Settings
from recommender.types import Context, Explanation, Profile, Query, Reason
from recommender.world import checkerboard


def log(n_users: int = 30, n: int = 70, n_items: int = 120, seed: int = 0) -> Interactions:
    rng = np.random.default_rng(seed)
    items = np.concatenate([rng.permutation(n_items)[:n] for _ in range(n_users)])
    stars = rng.integers(1, 6, n_users * n).astype(float)
    return Interactions.sorted(np.repeat(np.arange(n_users), n), items, stars, np.tile(np.arange(n) * 60, n_users), n_users=n_users, n_items=n_items)


# -- mixtures ----------------------------------------------------------------------------------------------------------


@dataclass
class Oracle:
    """Knows what everybody watches next: the film one number up."""

    def fit(self, interactions: Interactions, catalog: Catalog):
        self.catalog, self.n_items_ = catalog, np.array([interactions.n_items])
        return self

    def score(self, queries: list[Query]) -> np.ndarray:
        scores = np.zeros((len(queries), self.n_items_[0]), np.float32)
        for row, q in enumerate(queries):
            if len(q.profile):
                scores[row, (q.profile.items[-1] + 1) % self.n_items_[0]] = 1
        return scores

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        points = self.score([query])[0]
        return [Explanation.of([Reason("sequence", int(query.profile.items[-1]), float(points[i]))]) for i in items]


def steps() -> tuple[Catalog, Interactions]:
    """Everybody walks up the film numbers from a start of their own."""
    catalog = checkerboard()[0]
    rng, n = np.random.default_rng(1), len(catalog)
    items = np.concatenate([(int(rng.integers(n)) + np.arange(6)) % n for _ in range(60)])
    users = np.repeat(np.arange(60), 6)
    return catalog, Interactions.sorted(users, items, np.full(360, 4.0), np.tile(np.arange(6), 60), n_users=60, n_items=n)


def test_a_mixture_trusts_the_member_that_knows() -> None:
    catalog, x = steps()
    mixture = Mixture((Chance(), Oracle())).fit(x, catalog)
    assert mixture.weights_[1] > 3 * mixture.weights_[0]
    queries = [Query(x.profile(u)) for u in range(9)]
    assert (mixture.score(queries).argmax(axis=1) == Oracle().fit(x, catalog).score(queries).argmax(axis=1)).all()
    np.testing.assert_allclose(mixture.score(queries)[3], mixture.score(queries[3:4])[0], atol=1e-6)
    assert np.isfinite(mixture.score([Query()])).all()


def test_members_never_see_the_films_the_weights_are_learned_from() -> None:
    catalog, x = steps()
    shown = []
    Mixture((Chance(), Oracle())).fit(x, catalog, fitter=lambda member, rows: (shown.append(rows), member.fit(rows, catalog))[1])
    for rows in shown:
        assert (rows.lengths == x.lengths - 1).all()
        assert all((rows.profile(u).items == x.profile(u).items[:-1]).all() for u in range(60))


@pytest.mark.parametrize("how", [{"share": 0.2}, {"future": 0.2}])
def test_members_of_a_closed_form_are_fitted_again_on_everything(how: dict) -> None:
    catalog, x = steps()
    x = replace(x, times=np.tile(np.arange(6), 60) + 7 * np.repeat(np.arange(60), 6))
    shown: list[tuple[str, Interactions]] = []
    mixture = Mixture((MostWatched(), Oracle()), **how)
    mixture.fit(x, catalog, fitter=lambda member, rows: (shown.append((type(member).__name__, rows)), member.fit(rows, catalog))[1])
    assert [(name, len(rows) == len(x)) for name, rows in shown] == [("MostWatched", False), ("Oracle", False), ("MostWatched", True)]
    kept = len(x) - len(shown[0][1])
    assert kept == pytest.approx(0.2 * len(x), rel=0.3)
    if "future" in how:
        assert shown[0][1].times.max() < np.sort(x.times)[-kept]
    assert len(mixture.parts) == 2


def test_a_mixture_of_exact_members_is_exact() -> None:
    catalog, x = steps()
    mixture = Mixture((EASE(penalty=5.0), Oracle())).fit(x, catalog)
    query = Query(Profile(x.profile(0).items, x.profile(0).ratings, x.profile(0).times, liked_from=0.0))
    items = np.array([0, 3, 7])
    for item, e in zip(items, mixture.explain(query, items)):
        assert e.exact
        assert e.total == pytest.approx(mixture.score([query])[0, item], abs=1e-5)


# -- cold start --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", [LATER, SAMPLED])
def test_only_the_knowledge_differs(variant: str) -> None:
    x = log()
    candidates = np.ones(x.n_items, bool)
    splits = [coldstart.questions(x, n, candidates, variant, least=3) for n in FIRST]
    assert len({s.checksum() for s in splits}) == 1
    for n, s in zip(FIRST, splits):
        assert (s.known == n).all()
        for row, user in enumerate(s.users.tolist()):
            fifty = s.source.items[slice(*s.hidden[row])]
            right = s.relevant.indices[s.relevant.indptr[row] : s.relevant.indptr[row + 1]]
            own = x.profile(user)
            assert len(set(fifty)) == 50
            assert set(fifty) <= set(own.items)
            assert set(right) == set(own.items[(own.ratings >= 4) & ~np.isin(own.items, fifty)])
            if variant == LATER:
                assert (fifty == own.items[:50]).all()
    drawn = splits[-1].source.items[splits[-1].hidden[0, 0] : splits[-1].hidden[0, 1]]
    assert (variant == LATER) == (drawn == x.profile(int(splits[-1].users[0])).items[:50]).all()


def test_the_next_ten_are_the_next_ten() -> None:
    x = log()
    s = coldstart.questions(x, 8, np.ones(x.n_items, bool), NEXT, least=3)
    for row, user in enumerate(s.users.tolist()):
        right = s.relevant.indices[s.relevant.indptr[row] : s.relevant.indptr[row + 1]]
        assert set(right) == set(x.profile(user).items[8:18])
    assert s.hidden is None


def test_thresholds_by_hand() -> None:
    def rows(model: str, p: list[float], delta: list[float]) -> list[Paired]:
        return [Paired(LATER, model, "popularity", "NDCG", 10, f"known={n}", d, 0, 0, q, q, 9) for n, q, d in zip(FIRST, p, delta)]

    hybrid = rows("hybrid", [0.5, 0.01, 0.5, 0.01, 0.01, 0.01, 0.01, 0.5, 0.01, 0.01], [0.1] * 10)  # loses its lead at 15
    ease = rows("ease", [0.01] * 10, [-0.1] * 3 + [0.1] * 7)  # ahead from 3 on
    assert coldstart.thresholds(hybrid + ease, LATER) == {"few": 3, "many": 20}
    assert coldstart.thresholds(rows("hybrid", [0.9] * 10, [0.1] * 10) + rows("ease", [0.01] * 10, [-0.1] * 10), LATER) == {"few": None, "many": None}


def test_the_thresholds_in_use_are_those_measured() -> None:
    report = read(ROOT / "artifacts" / "reports" / "cold-start.json")
    default = {name: Settings.model_fields[name].default for name in ("few_ratings", "many_ratings")}
    assert report.more["thresholds"][SAMPLED] == {"few": default["few_ratings"], "many": default["many_ratings"]}


# -- context -----------------------------------------------------------------------------------------------------------


def test_shuffling_permutes_within_the_viewer() -> None:
    contexts = [Context(device=d) for d in ("tv", "mobile", "tablet", "tv", "desktop", "desktop")]
    asked = ablation.Asked([Query(Profile(), c) for c in contexts], np.zeros(6, int), np.array([0, 0, 0, 1, 1, 1]), np.zeros((6, 3, 4)))
    shuffled = [c.device for c in ablation._shuffled(asked, np.random.default_rng(1))]
    assert sorted(shuffled[:3]) == ["mobile", "tablet", "tv"]
    assert sorted(shuffled[3:]) == ["desktop", "desktop", "tv"]
    assert shuffled != [c.device for c in contexts]


def test_a_blind_part_is_not_told_the_context() -> None:
    catalog, x = steps()
    model = MostWatched(days=1).fit(x, catalog)
    early, late = (Query(x.profile(0), Context(at=at)) for at in (1, 10**9))
    assert not (model.score([early]) == model.score([late])).all()
    assert (ablation.Blind(model).score([early]) == ablation.Blind(model).score([late])).all()


def test_what_context_adds_has_the_right_sign() -> None:
    rng = np.random.default_rng(0)
    base = rng.random(300)
    rows, differences = ablation.compare("x", {ablation.WITHOUT: base, ablation.WITH: base + 0.1, ablation.SHUFFLED: base})
    assert [r.mean for r in rows] == pytest.approx([base.mean(), base.mean() + 0.1, base.mean()])
    gain, placebo, over = differences
    assert (gain.model, gain.against, gain.delta) == (ablation.WITH, ablation.WITHOUT, pytest.approx(0.1))
    assert gain.p_holm < 0.01
    assert (placebo.delta, placebo.p) == (0, 1)
    assert over.delta == pytest.approx(0.1)


def test_the_moment_is_shuffled_among_the_viewers_own_pauses() -> None:
    catalog, x = steps()
    x = replace(x, times=np.tile([0, 10, 30, 60, 100, 200], 60))
    split = leave_last_out(x)
    asked = []

    class Listens(Oracle):
        def score(self, queries):
            asked.extend(q.context.at - q.profile.times[-1] for q in queries)
            return super().score(queries)

    model = Listens().fit(x, catalog)
    rows, _ = ablation.moment(split, Oracle().fit(x, catalog), model)
    own = [split.source.times[start:stop] for start, stop in split.spans]
    assert asked[: len(split)] == [int(at - times[-1]) for at, times in zip(split.at, own)]
    assert all(pause in np.diff(times) for pause, times in zip(asked[len(split) :], own))
    assert asked[: len(split)] != asked[len(split) :]
    assert all(row.mean == 1 for row in rows)
