"""Mixtures, the cold-start curve and the context ablation, on worlds whose answers are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from recommender.catalog import Catalog
from recommender.evaluate import ablation, coldstart, recovery
from recommender.evaluate.coldstart import FIRST, LATER, NEXT, SAMPLED
from recommender.evaluate.report import Paired, read
from recommender.evaluate.split import leave_last_out
from recommender.interactions import Interactions
from recommender.models.baselines import Chance, MostWatched
from recommender.models.hybrid import Hybrid
from recommender.models.mixture import Mixture
from recommender.models.neighbours import EASE
from recommender.models.popularity import Popularity
from recommender.settings import ROOT, Settings
from recommender.types import Context, Explanation, Profile, Query, Reason
from recommender.world import checkerboard, device_odds, planted_lifts, simulate_devices


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
    asked = ablation.Asked([Query(Profile(), c) for c in contexts], np.zeros(6, int), np.array([0, 0, 0, 1, 1, 1]))
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


def test_context_is_worth_what_the_scores_make_of_it() -> None:
    # 300 viewers, two questions each; scores know which film was watched on which device, and nothing without one
    films = np.tile([0, 1], 300)
    queries = [Query(Profile(), Context(device=("mobile", "tv")[film])) for film in films]
    asked = ablation.Asked(queries, films, np.repeat(np.arange(300), 2))

    def told(queries: list[Query], rows: slice) -> np.ndarray:
        assert len(queries) == len(films[rows])
        return np.array([np.eye(40)[{"mobile": 0, "tv": 1, None: 39}[q.context.device]] for q in queries])

    values = asked.conditions(told, told, seed=3)
    assert (values[ablation.WITHOUT] == 0).all()  # all but film 39 tie, which counts against the film asked for
    assert (values[ablation.WITH] == 1).all()
    swapped = ablation._shuffled(asked, np.random.default_rng(3))
    kept = np.array([q.context == c for q, c in zip(queries, swapped)])[::2]
    assert 100 < kept.sum() < 200
    np.testing.assert_array_equal(values[ablation.SHUFFLED], kept)


class Listener(Oracle):
    """An oracle that keeps what it was asked; unless it is told a context, it knows only what comes after even films."""

    def fit(self, interactions: Interactions, catalog: Catalog):
        self.heard: list[Context] = []
        return super().fit(interactions, catalog)

    def score(self, queries: list[Query]) -> np.ndarray:
        self.heard += [q.context for q in queries]
        return super().score(queries) * [[0 if q.context == Context() and q.profile.items[-1] % 2 else 1] for q in queries]


def recorded_steps() -> tuple[Catalog, Interactions]:
    """Steps whose part of day and device somebody recorded."""
    catalog, x = steps()
    hours, devices = np.random.default_rng(4).integers(0, 4, (2, len(x))).astype(np.int8)
    return catalog, replace(x, times_of_day=hours, devices=devices)


def context_study() -> tuple[list, list[Paired], dict, list[Context]]:
    """A study of models whose sequence part knows more when it hears a context, and the contexts that it heard."""
    catalog, x = recorded_steps()
    crowd = Popularity().fit(x, catalog)
    parts = {"ease": crowd, "content": crowd, "sequence": Listener().fit(x, catalog)}
    hybrid = Hybrid(epochs=1, asked=2).attach(parts).fit_gate(x, catalog)
    models = {**parts, "hybrid": hybrid, "popularity": crowd}
    parts["sequence"].heard.clear()
    return *ablation.run(models, x, x, catalog, dose=0.5, asked=3, draws=2, say=lambda line: None), parts["sequence"].heard


def test_the_context_study_tries_each_signal_on_refitted_gates_and_as_served() -> None:
    rows, differences, more, heard = context_study()
    doses = [f"device, simulated at dose {d}" for d in ("0", "0.25", "0.5", "1")]
    served = ["served hybrid: part of day, observed", "served hybrid: device, simulated at dose 0.5", "popularity: part of day, observed"]
    assert list(dict.fromkeys(d.variant for d in differences)) == ["part of day, observed", *doses, *served]
    assert more["signals"] == [
        {"model": "hybrid", "signal": "time_of_day", "source": "observed", "variant": served[0]},
        {"model": "hybrid", "signal": "device", "source": "simulated", "variant": served[1]},
        {"model": "popularity", "signal": "time_of_day", "source": "observed", "variant": served[2]},
    ]
    # the parts of refitted gates hear nothing; the served sequence hears one signal at a time, known and shuffled
    assert not any(c.time_of_day and c.device for c in heard)
    assert sum(c.time_of_day is not None for c in heard) == sum(c.device is not None for c in heard) == 2 * 60 * 3
    catalog, x = recorded_steps()
    drawn = simulate_devices(x, catalog, 0.5, np.random.default_rng([0, 1]))  # as for the gate that was fitted at the same dose
    on_devices = [c.device for c in heard if c.device]
    known, shuffled = on_devices[: len(on_devices) // 2], on_devices[len(on_devices) // 2 :]
    assert known == [q.context.device for q in Hybrid(asked=3).questions(drawn, np.random.default_rng(0))[0]]
    assert known != shuffled
    assert sorted(known) == sorted(shuffled)
    gain = {d.variant: d.delta for d in differences if (d.model, d.against) == (ablation.WITH, ablation.WITHOUT)}
    assert all(gain[name] > 0.3 for name in served[:2])  # the sequence part knows the other half only when it is told something
    without = {r.variant: r.mean for r in rows if r.model == ablation.WITHOUT}
    assert len({without[name] for name in ["part of day, observed", *doses]}) == 1


def test_recovered_effects_by_hand() -> None:
    catalog, x = checkerboard()

    def gate(slope: float, shift: float, log_sharpness: float) -> Hybrid:
        made = Hybrid(asked=2)
        table = np.zeros((5, 2), np.float32)
        table[1:] = slope * planted_lifts(catalog, x.raters, 1.0) + shift
        made.state_ = {"log_sharpness": np.log(log_sharpness), "device_genres.weight": table, "time_genres.weight": -table}
        return made

    two = [gate(0.1, 0.3, 2.0), gate(0.3, 0.0, 2.0)]  # sharpness doubles the points: slopes .2 and .6
    found = recovery.effects({0.0: two, 1.0: two}, two[0], x, catalog)
    none, full = found["recovery"]
    assert (none["slope"], none["correlation"]) == (None, None)
    assert (full["slope"], full["correlation"], full["points"], full["draws"]) == (0.4, 1.0, 8, 2)
    assert full["hi"] - full["slope"] == pytest.approx(12.706 * np.std([0.2, 0.6], ddof=1) / np.sqrt(2), abs=1e-3)  # t of one degree of freedom
    assert (full["spread"], none["spread"] > 0.1) == (0.0, True)
    at = {(p["dose"], p["device"], p["genre"]): p for p in found["genres"]}
    comedy = planted_lifts(catalog, x.raters, 1.0)[0, 0]
    assert at[1.0, "mobile", "Comedy"]["planted"] == pytest.approx(comedy, abs=1e-4)
    assert at[0.0, "mobile", "Comedy"]["planted"] == 0
    assert at[1.0, "mobile", "Comedy"]["recovered"] == pytest.approx(0.4 * comedy + 0.3, abs=1e-4)
    hours = {(p["time_of_day"], p["genre"]): p["recovered"] for p in found["times"]}
    assert hours["morning", "Comedy"] == pytest.approx(-0.2 * comedy - 0.6, abs=1e-4)
    assert {p["n"] for p in (*found["genres"], *found["times"])} == {60}
    with pytest.raises(ValueError, match="1 draws of the devices, wanted at least 2"):
        recovery.effects({1.0: two[:1]}, two[0], x, catalog)


def test_nothing_is_told_of_a_genre_that_few_viewers_were_asked_for() -> None:
    catalog, x = checkerboard()
    made = Hybrid(asked=2)
    made.state_ = {"log_sharpness": np.zeros(()), "device_genres.weight": np.zeros((5, 2)), "time_genres.weight": np.zeros((5, 2))}
    few = x.where((x.users % 2 == 0) | (x.users < 38))  # 60 who watch Comedy, 19 who watch Action
    found = recovery.effects({0.0: [made, made]}, made, few, catalog)
    assert {p["genre"] for p in (*found["genres"], *found["times"])} == {"Comedy"}
    assert found["recovery"][0]["points"] == 4


# -- what the rule plants ----------------------------------------------------------------------------------------------


def genre_films(genres: tuple[str, ...], member: list[tuple[int, ...]]) -> Catalog:
    n, nobody = len(member), ((),) * len(member)
    return Catalog(
        np.arange(n), tuple(f"Film {i}" for i in range(n)), np.full(n, 1999), np.array(member, bool), genres,
        nobody, nobody, ("PG",) * n, np.full(n, np.nan), np.zeros(n, int), np.zeros(n, int),
    )  # fmt: skip


def test_planted_lifts_of_one_genre_by_hand() -> None:
    films = genre_films(("Comedy",), [(1,), (0,), (1,)])
    odds = np.exp(0.8)  # of the phone, dose 1
    for raters in (np.array([1, 1, 1]), np.array([9, 2, 1])):
        mobile, tablet, desktop, tv = planted_lifts(films, raters, 1.0)[:, 0]
        assert mobile == pytest.approx(np.log(odds / (odds + 3)) - np.log(1 / 4))
        assert tablet == desktop == pytest.approx(np.log(1 / (odds + 3)) - np.log(1 / 4))
        assert tv == pytest.approx(tablet)
    assert planted_lifts(films, np.ones(3), 2.0)[0, 0] == pytest.approx(np.log(odds**2 / (odds**2 + 3)) - np.log(1 / 4))
    np.testing.assert_allclose(planted_lifts(films, np.ones(3), 0.0), 0, atol=1e-12)


def test_planted_lifts_are_the_weighted_least_squares_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    names = ("Comedy", "Action", "Drama", "Western")
    films = genre_films(names, [tuple(row) for row in rng.integers(0, 2, (50, 4)).tolist()])
    raters = rng.integers(0, 100, 50)
    odds = 0.5 * device_odds(films)
    share = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    lift = np.log(share / np.average(share, axis=0, weights=raters))
    wanted = LinearRegression().fit(films.genres, lift, sample_weight=raters).coef_  # (4, G)
    np.testing.assert_allclose(planted_lifts(films, raters, 0.5), wanted, atol=1e-9)
    assert np.abs(planted_lifts(films, np.ones(50), 0.5) - wanted).max() > 1e-4  # what is rated often counts


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
