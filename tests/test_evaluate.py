"""From a split to a report: lists against brute force, figures worked by hand, TREC's own program, stars, people, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from recommender import __main__ as command
from recommender.catalog import Catalog
from recommender.evaluate import protocol, report, runs, stars
from recommender.evaluate.contenders import ALWAYS, RANKERS, RATERS, Candidate, Folded, RaterCandidate
from recommender.evaluate.protocol import K, Measured, People, bands, measure
from recommender.evaluate.rankings import Ranking, fit, rank, rankings, top_many
from recommender.evaluate.report import Contender, Paired, Report, ReportError, Row
from recommender.evaluate.split import Split, leave_last_out, rating_folds, time_cut
from recommender.interactions import Interactions
from recommender.load import DataError
from recommender.load.people import read_people
from recommender.models.baselines import DAY, Chance, MostWatched
from recommender.models.linear import speaking
from recommender.models.neighbours import EASE
from recommender.models.ratings import Ratings
from recommender.settings import settings
from recommender.types import Context, Profile, Query
from recommender.world import checkerboard

FILMS = 60


@cache
def world() -> tuple[Catalog, Interactions]:
    return checkerboard(n_users=90, n_items=FILMS, seed=1, density=0.5)


@cache
def last_films() -> Split:
    return leave_last_out(world()[1])


@dataclass
class Tied:
    """Scores of few different values, a rule of what was watched; counts how often it is fitted and asked."""

    fits: ClassVar[int] = 0
    asked: ClassVar[int] = 0
    values: int = 5

    def fit(self, interactions: Interactions, catalog: Catalog) -> Tied:
        type(self).fits += 1
        self.weights_ = np.arange(interactions.n_items) * 7
        self.catalog = catalog
        return self

    def score(self, queries: list[Query]) -> np.ndarray:
        type(self).asked += len(queries)
        return np.stack([(self.weights_ + q.profile.items.sum()) % self.values for q in queries]).astype(np.float32)


@pytest.fixture
def counting():
    Tied.fits = Tied.asked = 0
    return Tied


# -- lists -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3, 20, 25])
def test_top_many_is_a_stable_sort(k: int) -> None:
    rng = np.random.default_rng(k)
    scores = np.concatenate([rng.integers(0, 4, (40, 25)), rng.random((10, 25)), np.zeros((1, 25))]).astype(np.float32)
    shown, values = top_many(scores, k)
    for row, own, found in zip(scores, shown, values):
        wanted = sorted(range(25), key=lambda i: (-row[i], i))[:k]  # equal scores by number, also at the cut
        assert own.tolist() == wanted
        assert found.tolist() == row[wanted].tolist()


def test_lists_are_the_best_candidates_the_viewer_has_not_seen() -> None:
    split = replace(last_films(), candidates=np.arange(FILMS) % 10 != 3)
    model = Tied().fit(split.train, world()[0])
    shown, scores = rank(model, split, 20)
    assert shown.shape == scores.shape == (len(split), 20)
    for query, own, found in zip(split.queries(slice(None)), shown, scores):
        points = model.score([query])[0]
        open_to = [i for i in range(FILMS) if i % 10 != 3 and i not in query.profile.items]
        wanted = sorted(open_to, key=lambda i: (-points[i], i))[:20]
        assert own.tolist() == wanted
        assert found.tolist() == points[wanted].tolist()


def test_more_can_be_hidden_than_is_known() -> None:
    split = last_films()
    blind = replace(split, spans=split.spans[:, [0, 0]], hidden=split.spans)
    model = Tied().fit(split.train, world()[0])
    shown, _ = rank(model, blind, 20)
    assert all(not set(own) & set(q.profile.items.tolist()) for own, q in zip(shown.tolist(), split.queries(slice(None))))
    assert (model.score(blind.queries(slice(None)))[0] == model.score([Query()])[0]).all()


def test_lists_end_where_the_fullest_viewer_has_nothing_left() -> None:
    split = last_films()
    left = FILMS - int(split.known.max())
    model = Tied().fit(split.train, world()[0])
    shown, scores = rank(model, split, 100)
    assert shown.shape == (len(split), left)
    assert np.isfinite(scores).all()
    few = replace(split, candidates=np.arange(FILMS) < 30)
    with pytest.raises(ValueError, match=r"P1 stable order: a viewer has .* films left to be ranked, wanted at least 20"):
        rank(model, few, 100)


def test_scores_that_are_not_finite_are_no_ranking() -> None:
    model = Tied().fit(last_films().train, world()[0])
    model.weights_ = np.where(np.arange(FILMS) == 4, np.nan, model.weights_)
    with pytest.raises(ValueError, match="broken gives 90 scores that are not finite"):
        rank(model, last_films(), 20, "broken")


def same(a: list[Ranking], b: list[Ranking]) -> bool:
    return all((x.shown == y.shown).all() and (x.scores == y.scores).all() and x.fit_seconds == y.fit_seconds for x, y in zip(a, b, strict=True))


def test_an_evaluation_is_taken_up_where_it_was(tmp_path: Path, counting) -> None:
    catalog, seen = world()
    splits = list(time_cut(seen, 0.8).values())
    first = list(rankings("tied", Tied(), splits, catalog, tmp_path))
    assert counting.fits == 1  # once for three splits of the same training rows
    asked = counting.asked
    assert same(first, list(rankings("tied", Tied(), splits, catalog, tmp_path)))
    assert (counting.fits, counting.asked) == (1, asked)  # everything was read back
    for file in (tmp_path / "rankings").iterdir():
        file.unlink()
    assert same(first, list(rankings("tied", Tied(), splits, catalog, tmp_path)))
    assert counting.fits == 1  # ranked again with the model that was kept
    list(rankings("tied", Tied(values=6), splits, catalog, tmp_path))
    assert counting.fits == 2  # another parameter
    list(rankings("tied", Tied(), [last_films()], catalog, tmp_path))
    assert counting.fits == 3  # other training rows


def test_the_shuffled_variant_is_fitted_on_its_own(tmp_path: Path, counting) -> None:
    catalog, seen = world()
    rough = Interactions.sorted(seen.users, seen.items, seen.ratings, seen.times // 10**6 * 10**6, n_users=seen.n_users, n_items=seen.n_items)
    stable, shuffled = leave_last_out(rough), leave_last_out(rough, shuffled=True)
    for split in (stable, shuffled, stable, shuffled):
        list(rankings("tied", Tied(), [split], catalog, tmp_path))
    assert counting.fits == 2


def flip(content: bytes) -> bytes:
    """One bit of the last third is another."""
    place = 2 * len(content) // 3
    return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [flip, lambda content: content[: len(content) // 2], lambda content: b"", lambda content: b"<html>"])
@pytest.mark.parametrize("kind", ["rankings", "models"])
def test_what_is_damaged_is_done_again(tmp_path: Path, counting, damage: Callable[[bytes], bytes], kind: str) -> None:
    catalog, _ = world()
    (first,) = rankings("tied", Tied(), [last_films()], catalog, tmp_path)
    for folder in ("rankings", "models"):
        (stored,) = (tmp_path / folder).iterdir()
        if folder == kind:
            stored.write_bytes(damage(stored.read_bytes()))
        elif folder == "rankings":
            stored.unlink()
    (again,) = rankings("tied", Tied(), [last_films()], catalog, tmp_path)
    assert (again.shown == first.shown).all()
    assert (again.scores == first.scores).all()
    assert counting.fits == (1 if kind == "rankings" else 2)
    list(rankings("tied", Tied(), [last_films()], catalog, tmp_path))
    assert counting.fits == (1 if kind == "rankings" else 2)  # and mended


@pytest.mark.parametrize("name", ALWAYS)
def test_a_kept_model_scores_as_it_did(tmp_path: Path, name: str) -> None:
    catalog, _ = world()
    split = last_films()
    queries = split.queries(slice(None))
    fresh, seconds = fit(RANKERS[name].make(0), split.train, catalog, tmp_path)
    kept, told = fit(RANKERS[name].make(0), split.train, catalog, tmp_path)
    assert kept is not fresh
    assert told == seconds > 0
    assert (kept.score(queries) == fresh.score(queries)).all()
    items = np.array([0, 7, 59])
    for query, points in zip(queries[:3], fresh.score(queries[:3])):
        assert [e.total for e in fresh.explain(query, items)] == pytest.approx(points[items].tolist(), abs=1e-5)


def test_the_name_under_which_work_is_kept_tells_models_apart() -> None:
    names = [repr(c.make(seed)) for c in [*RANKERS.values(), *RATERS.values()] for seed in (0, 1)]
    assert not [name for name in names if " at 0x" in name]  # an address is another in every run
    for candidate in RANKERS.values():
        assert candidate.trained <= (repr(candidate.make(0)) != repr(candidate.make(1)))
    assert len({repr(c.make(0)) for c in RANKERS.values()}) == len(RANKERS)
    assert repr(Folded(Ratings(factors=8))) != repr(Folded(Ratings(factors=9)))


# -- baselines ---------------------------------------------------------------------------------------------------------


def test_most_watched_by_hand() -> None:
    # film 0 three times long ago, film 1 twice and film 2 once of late; film 3 never
    times = np.array([0, 1, 2, 100, 101, 102]) * DAY
    seen = Interactions.sorted(np.arange(6), np.array([0, 0, 0, 1, 1, 2]), np.full(6, 3.0), times, n_users=6, n_items=4)
    catalog, _ = world()
    ever, lately = MostWatched().fit(seen, catalog), MostWatched(days=30).fit(seen, catalog)

    def order(model: MostWatched, *query) -> list[int]:
        return np.argsort(-model.score([Query(*query)])[0], kind="stable").tolist()

    def at(day: float) -> tuple[Profile, Context]:
        return Profile(), Context(at=int(day * DAY))

    def counts(day: float) -> list[int]:
        return np.expm1(lately.score([Query(*at(day))])[0]).astype(int).tolist()

    assert order(ever, *at(50)) == [0, 1, 2, 3]
    assert order(lately, *at(103)) == [1, 2, 0, 3]
    assert counts(101) == [0, 1, 0, 0]  # nothing of that moment or later is counted
    assert counts(2.5) == [3, 0, 0, 0]
    assert counts(60) == [0, 0, 0, 0]
    assert order(lately, *at(60)) == [0, 1, 2, 3]  # nobody watched anything in those days: all ratings decide
    assert order(lately) == [1, 2, 0, 3]  # no moment is known: the latest
    assert order(lately, Profile([3], [4.0], [3 * DAY])) == [0, 1, 2, 3]  # the moment of the viewer's latest film
    assert order(lately, *at(1000)) == [1, 2, 0, 3]  # long after all that was learned: the last days of that, not an empty window


def test_all_ratings_break_ties_and_only_ties() -> None:
    # of late 201 people watched film 0, 200 film 1 and 200 film 2; long ago 5,000 watched film 2
    items = np.repeat([0, 1, 2, 2], [201, 200, 200, 5000])
    times = np.where(np.arange(5601) < 601, 100 * DAY, 0)
    seen = Interactions.sorted(np.arange(5601), items, np.full(5601, 3.0), times, n_users=5601, n_items=3)
    score = MostWatched(days=30).fit(seen, world()[0]).score([Query()])[0]
    assert score[0] > score[2] > score[1]


def test_chance_is_fair_and_steady() -> None:
    catalog, seen = checkerboard(n_users=400, n_items=FILMS, seed=2, density=0.5)
    split = leave_last_out(seen)
    model = Chance(seed=3).fit(split.train, catalog)
    queries = split.queries(slice(None))
    assert (model.score(queries) == np.concatenate([model.score([q]) for q in queries])).all()
    assert (model.score(queries) != Chance(seed=4).fit(split.train, catalog).score(queries)).any()
    shown, _ = rank(model, split, 20)
    left = FILMS - split.known
    for k in (5, 10, 20):
        hit = protocol.accuracy(shown, split.relevant)["HR", k]
        wanted = k / left  # one film of those left is right
        assert abs(hit.mean() - wanted.mean()) < 4 * np.sqrt((wanted * (1 - wanted)).sum()) / len(left)


def test_a_fading_history_by_hand() -> None:
    profile = Profile(np.array([3, 1, 2]), np.array([5.0, 1, 4]), np.array([1, 2, 3]))
    everything = replace(profile, liked_from=0.0)
    e = np.exp(-0.5)
    np.testing.assert_allclose(speaking(everything, 2.0), [e**2, e, 1], rtol=1e-6)  # the latest film speaks loudest
    np.testing.assert_allclose(speaking(profile, 2.0), [e**2, 0, 1], rtol=1e-6)  # one star does not speak for a film
    assert speaking(everything).tolist() == [1, 1, 1]
    assert speaking(Profile(), 2.0).tolist() == []


def test_ease_with_a_fading_history_sums_its_reasons() -> None:
    catalog, seen = world()
    fading, plain = (EASE(penalty=5, neighbours=FILMS, fade=f).fit(seen, catalog) for f in (3.0, 0.0))
    queries = last_films().queries(slice(0, 8))
    assert (fading.weights_ != plain.weights_).nnz == 0  # only the questions differ
    w = plain.weights_.toarray()
    for query, own, flat in zip(queries, fading.score(queries), plain.score(queries)):
        items = query.profile.items
        back = np.arange(len(items))[::-1]
        np.testing.assert_allclose(own, np.exp(-back / 3) @ w[items], atol=1e-5)
        np.testing.assert_allclose(flat, w[items].sum(axis=0), atol=1e-5)
        for i, why in zip((0, 9), fading.explain(query, np.array([0, 9]))):
            assert why.exact
            assert why.total == pytest.approx(own[i], abs=1e-6)


# -- figures -----------------------------------------------------------------------------------------------------------

D = 1 / np.log2(np.arange(2, 12))  # 1, .63, .5, .43 ...


def made(relevant: list[list[int]], users: list[int], n_items: int = 24, spans: list[tuple[int, int]] | None = None) -> Split:
    """A split by hand: user u of five rated film u and film u + 1; those queries know what spans say."""
    rated = Interactions.sorted(
        np.repeat(np.arange(5), 2), np.array([[u, u + 1] for u in range(5)]).ravel(), np.full(10, 4.0), np.arange(10), n_users=5, n_items=n_items
    )
    rows = np.repeat(np.arange(len(relevant)), [len(r) for r in relevant])
    return Split(
        protocol="P9",
        variant="by hand",
        seed=0,
        train=rated,
        source=rated,
        spans=np.array(spans or [(2 * u, 2 * u + 2) for u in users]),
        users=np.array(users),
        relevant=sparse.csr_array((np.ones(len(rows), bool), (rows, np.concatenate(relevant).astype(int))), shape=(len(relevant), n_items)),
        at=np.zeros(len(users), int),
        times_of_day=np.full(len(users), -1),
        candidates=np.ones(n_items, bool),
    )


def ranking(shown) -> Ranking:
    shown = np.asarray(shown)
    return Ranking(shown, -np.arange(shown.shape[1]) + np.zeros(shown.shape), 1.0, 2.0, 3.0)


GENRES = np.eye(24, 3)[np.arange(24) % 3]
LIST = np.arange(20)  # films 0 to 19 in that order
NOBODY = People({})


def figures(split: Split, m: Measured, people: People = NOBODY) -> dict[tuple, Row]:
    return {(r.metric, r.k, r.segment): r for r in protocol.rows(split, "model", m, people)}


def test_figures_by_hand() -> None:
    # Anna's two films stand at ranks 1 and 2, one of Ben's two at rank 4, Cem's one nowhere
    split = made([[0, 1], [3, 22], [23]], [0, 1, 2])
    found = figures(split, measure(split, [ranking([LIST] * 3)], np.array([LIST + 4] * 3), GENRES))
    wanted = {
        ("P", 5): (2 / 5 + 1 / 5 + 0) / 3,
        ("P", 10): (2 / 10 + 1 / 10 + 0) / 3,
        ("P", 20): (2 / 20 + 1 / 20 + 0) / 3,
        ("R", 10): (1 + 1 / 2 + 0) / 3,
        ("HR", 10): 2 / 3,
        ("MRR", 10): (1 + 1 / 4 + 0) / 3,
        ("MAP", 10): (1 + 1 / 4 / 2 + 0) / 3,
        ("NDCG", 10): (1 + D[3] / (D[0] + D[1]) + 0) / 3,
        ("own-hits NDCG", 10): (1 + D[3] + 0) / 3,
        ("serendipity", 10): (2 / 10 + 1 / 10 + 0) / 3,  # films 0, 1 and 3 do not stand on the list from film 4 on
        ("coverage", 10): 10 / 24,
    }
    for (metric, k), value in wanted.items():
        row = found[metric, k, None]
        assert row.mean == pytest.approx(value, abs=1e-12), metric
        assert row.lo <= row.mean <= row.hi
        assert (row.n, row.variant, row.model, row.spread) == (3, "by hand", "model", None)
    assert found["NDCG", 10, None].lo < found["NDCG", 10, None].hi


def test_seeds_are_averaged_per_user_and_their_spread_is_told() -> None:
    # user 0 is asked three times and user 1 once; with the second seed every list begins with film 1
    split = made([[0], [0], [1], [1]], [0, 0, 0, 1], spans=[(0, 0), (0, 1), (0, 2), (2, 4)])
    seeds = [ranking([LIST] * 4), ranking([np.roll(LIST, -1)] * 4)]
    m = measure(split, seeds, np.array([LIST] * 4), GENRES)
    rr = np.array([[1, 1, 1 / 2, 1 / 2], [0, 0, 1, 1]])  # film 0 is last, at rank 20, with the second seed
    by_user = np.stack([rr[:, :3].mean(axis=1), rr[:, 3]], axis=1)  # (seeds, users)
    assert m.users.tolist() == [0, 1]
    np.testing.assert_allclose(m.values["MRR", 10], by_user.mean(axis=0))
    row = figures(split, m)["MRR", 10, None]
    assert row.mean == pytest.approx(by_user.mean())
    assert row.spread == pytest.approx(by_user.mean(axis=1).std(ddof=1))  # of the figure that is reported, a mean over users
    assert row.n == 2


def test_unit_event_is_the_mean_over_questions() -> None:
    split = made([[0], [0], [22], [1]], [0, 0, 0, 1], spans=[(0, 0), (0, 1), (0, 2), (2, 4)])
    found = figures(split, measure(split, [ranking([LIST] * 4)], np.array([LIST] * 4), GENRES))
    gains = [1, 1, 0, D[1]]
    assert found["NDCG", K, "unit=event"].mean == pytest.approx(sum(gains) / 4)
    assert found["NDCG", K, None].mean == pytest.approx((sum(gains[:3]) / 3 + gains[3]) / 2)
    once = made([[0], [1]], [0, 1])
    assert ("NDCG", K, "unit=event") not in figures(once, measure(once, [ranking([LIST] * 2)], np.array([LIST] * 2), GENRES))


def test_bands_share_the_ratings_in_thirds() -> None:
    assert bands(np.array([1, 6, 2, 3])).tolist() == [2, 0, 2, 1]  # drawn by those before: film 1 none, 3 six of 12, 2 nine, 0 eleven
    assert bands(np.full(9, 7)).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert bands(np.array([0, 5, 0])).tolist() == [2, 0, 2]
    rng = np.random.default_rng(0)
    for _ in range(20):
        raters = rng.geometric(0.01, 500)
        band = bands(raters)
        drawn = np.bincount(band, raters, 3) / raters.sum()
        assert np.abs(drawn - 1 / 3).max() <= raters.max() / raters.sum()  # up to the film that crosses the line
        assert raters[band == 0].min() >= raters[band == 1].max() >= raters[band == 1].min() >= raters[band == 2].max()


def test_a_band_counts_only_its_own_films() -> None:
    # raters of films 0 to 5 are 1 2 2 2 2 1: films 1 and 2 are head, 3 and 4 middle, 0, 5 and all others tail
    split = made([[1, 3, 20], [2], [0]], [0, 1, 2])
    assert bands(split.train.raters)[:7].tolist() == [2, 0, 0, 1, 1, 2, 2]
    m = measure(split, [ranking([LIST] * 3)], np.array([LIST] * 3), GENRES)
    users = {name: members.tolist() for name, (members, _) in m.by_band.items()}
    assert users == {"head": [0, 1], "middle": [0], "tail": [0, 2]}
    ndcg = {name: values["NDCG", K].tolist() for name, (_, values) in m.by_band.items()}
    assert ndcg["head"] == pytest.approx([D[1], D[2]])  # film 1 at rank 2, film 2 at rank 3
    assert ndcg["middle"] == pytest.approx([D[3]])
    assert ndcg["tail"] == pytest.approx([0, 1])  # film 20 is on no list; film 0 at rank 1
    recall = {name: values["R", K].tolist() for name, (_, values) in m.by_band.items()}
    assert recall == {"head": [1, 1], "middle": [1], "tail": [0, 1]}


def test_segments_of_history_part_the_users() -> None:
    split = time_cut(world()[1], 0.7)["successive"]
    lengths = np.array([0, 49, 50, 199, 200, 3])
    users = np.unique(split.users)
    first = np.array([np.flatnonzero(split.users == u)[0] for u in users])
    spans = split.spans.copy()
    spans[first] = np.stack([np.zeros(len(first), int), lengths[np.arange(len(first)) % 6]], axis=1)
    found = protocol.segments(replace(split, spans=spans), users, People({"gender=F": np.arange(90) % 3 == 0}))
    history = [found[f"history={name}"] for name in ("new", "moderate", "power")]
    assert (np.sum(history, axis=0) == 1).all()  # each user once, by what was known when they were first asked
    wanted = np.array([0, 0, 1, 1, 2, 0])[np.arange(len(users)) % 6]
    assert np.argmax(history, axis=0).tolist() == wanted.tolist()
    assert found["gender=F"].tolist() == (users % 3 == 0).tolist()
    assert (found["users=warm"] ^ found["users=cold"]).all()


def test_a_segment_is_the_mean_over_its_members() -> None:
    catalog, _ = world()
    split = last_films()
    shown, _ = rank(MostWatched().fit(split.train, catalog), split, 20)
    m = measure(split, [ranking(shown)], shown, catalog.genres.astype(float))
    third = np.arange(90) % 3 == 0
    found = figures(split, m, People({"gender=F": third, "age=few": np.arange(90) < 19}))
    row = found["NDCG", K, "gender=F"]
    assert (row.mean, row.n) == (pytest.approx(m.values["NDCG", K][third].mean()), 30)
    assert row.lo < row.mean < row.hi
    assert ("NDCG", K, "age=few") not in found  # fewer than 20 people are no figure
    assert sum(r.n for (metric, _, s), r in found.items() if metric == "NDCG" and s and s.startswith("history=")) == 90


def test_films_without_genres_leave_only_calibration_out() -> None:
    split = made([[0, 1], [3, 22], [23]], [0, 1, 2])
    found = figures(split, measure(split, [ranking([LIST] * 3)], np.array([LIST] * 3), np.zeros((24, 3))))
    assert ("calibration", K, None) not in found
    assert found["P", K, None].n == 3


def test_differences_are_against_the_best_baseline() -> None:
    catalog, _ = world()
    split = last_films()
    genres = catalog.genres.astype(float)
    (films,) = split.relevant.indices[:, None].T
    perfect = np.array([[film, *[i for i in range(FILMS) if i != film][:19]] for film in films])
    worst = np.array([[i for i in range(FILMS) if i != film][:20] for film in films])
    half = np.where((np.arange(90) < 45)[:, None], perfect, worst)
    found = {name: measure(split, [ranking(shown)], worst, genres) for name, shown in (("ease", half), ("chance", worst), ("oracle", perfect))}
    table = protocol.paired(split, found)
    assert {(d.model, d.against) for d in table} == {("oracle", "ease"), ("chance", "ease")}  # chance is worse; the oracle is no baseline
    assert {d.metric for d in table} == {"NDCG", "HR", "P", "R"}
    for d in table:
        assert d.delta == pytest.approx((0.5 if d.model == "oracle" else -0.5) / (10 if d.metric == "P" else 1))
        assert d.lo < d.delta < d.hi
        assert d.lo * d.hi > 0
        assert 0 < d.p < 0.001
        assert d.p_holm == pytest.approx(8 * d.p)  # eight pairs, all with the least p a random sample can have
    assert protocol.paired(split, {"ease": found["ease"]}) == []


# -- whole runs --------------------------------------------------------------------------------------------------------

FACTS = {"dataset": "checkerboard", "versions": {"python": "3"}, "command": "python -m recommender evaluate"}


@pytest.fixture
def drawn(monkeypatch) -> str:
    """The name of a contender that starts at random, and no slow ones."""
    for name in set(RANKERS) - set(ALWAYS):
        monkeypatch.delitem(RANKERS, name)
    monkeypatch.setitem(RANKERS, "drawn", Candidate("Drawn", "sequential", Chance, trained=True))
    return "drawn"


def trec(folder: Path, stem: str, model: str, by_user: bool) -> dict[str, float]:
    """P, R, NDCG, MAP, HR and MRR at 10 by trec_eval from the files alone: mean over users of the mean over their queries, mean over runs."""
    pytrec_eval = pytest.importorskip("pytrec_eval")
    judged: dict = {}
    for line in (folder / f"{stem}.qrels").read_text().splitlines():
        query, _, film, grade = line.split()
        judged.setdefault(query, {})[film] = int(grade)
    files = sorted([*folder.glob(f"{stem}-{model}.run"), *folder.glob(f"{stem}-{model}-[0-9].run")])
    means = []
    for file in files:
        run: dict = {}
        for line in file.read_text().splitlines():
            query, _, film, _, score, _ = line.split()
            run.setdefault(query, {})[film] = float(score)
        theirs = {"P": "P_10", "R": "recall_10", "NDCG": "ndcg_cut_10", "MAP": "map_cut_10", "HR": "success_10"}
        found = pytrec_eval.RelevanceEvaluator(judged, set(theirs.values())).evaluate(run)
        head = {q: dict(sorted(films.items(), key=lambda f: -f[1])[:10]) for q, films in run.items()}
        first = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank"}).evaluate(head)
        values = {q: [*(found[q][t] for t in theirs.values()), first[q]["recip_rank"]] for q in judged}
        groups: dict[str, list] = {}
        for q, row in values.items():
            groups.setdefault(q.split("-")[0] if by_user else q, []).append(row)
        means.append(np.mean([np.mean(rows, axis=0) for rows in groups.values()], axis=0))
    assert means
    return dict(zip((*theirs, "MRR"), np.mean(means, axis=0)))


@pytest.mark.parametrize("name", ["P1", "P2", "P4"])
def test_another_program_gets_the_same_figures(tmp_path: Path, drawn: str, name: str) -> None:
    catalog, seen = world()
    seen = replace(seen, user_ids=1000 - np.arange(90))
    (tmp_path / "trec").mkdir()
    said: list[str] = []
    job = runs.Job(catalog, seen, NOBODY, [drawn], [0, 1, 2], tmp_path, FACTS, run_dir=tmp_path / "trec", say=said.append)
    found = runs.evaluate(name, job)
    assert [c.model for c in found.models] == [*ALWAYS, drawn]
    assert [c.seeds for c in found.models] == [1] * len(ALWAYS) + [3]
    variants = {"P1": ["stable order", "ties shuffled"], "P2": ["80/20"], "P4": ["last", "successive", "all"]}[name]
    assert [s["variant"] for s in found.splits] == variants
    for variant in variants:
        stem = f"{name}-{variant.replace(' ', '_').replace('/', '-')}"
        for model in (*ALWAYS, drawn):
            for metric, value in trec(tmp_path / "trec", stem, model, by_user=True).items():
                assert found.mean(model, metric, 10, variant).mean == pytest.approx(value, abs=1e-6), (variant, model, metric)
    if name == "P4":
        events = trec(tmp_path / "trec", "P4-successive", "ease", by_user=False)
        for metric in ("NDCG", "HR", "P", "R"):
            assert found.mean("ease", metric, 10, "successive", "unit=event").mean == pytest.approx(events[metric], abs=1e-6)
    assert found.mean(drawn, "NDCG").spread > 0
    assert found.mean("ease", "NDCG").spread is None
    assert found.split_checksum == found.splits[0]["checksum"]
    assert len(said) == len(variants) * len(found.models)
    assert runs.evaluate(name, job) == found  # with everything read back


def test_a_report_written_and_read_is_the_same(tmp_path: Path) -> None:
    full = Report(
        "P1",
        "ml-1m",
        "abc",
        "def",
        [0, 1],
        {"numpy": "2"},
        "2026-01-01",
        "python -m recommender evaluate P1",
        splits=[{"variant": "stable order", "seed": 0}],
        models=[Contender("ease", "EASE", "collaborative", False, 1, 1.5, 0.25, 12.0, "é")],
        rows=[
            Row("stable order", "ease", "P", 10, None, 0.125, 0.1, 0.15, 20),
            Row("stable order", "ease", "P", 10, "history=new", 0.5, 0.4, 0.6, 7, 0.01),
        ],
        differences=[Paired("stable order", "ease", "popularity", "P", 10, None, 0.1, 0.05, 0.2, 0.001, 0.002, 20)],
        more={"calibration": [{"stars": 3.5}]},
    )
    path = report.write(full, tmp_path / "new" / "folder")
    assert path.name == "P1.json"
    assert report.read(path) == full
    assert len(path.read_text().splitlines()) > 15  # one figure a line
    assert full.mean("ease", "P").mean == 0.125
    assert full.mean("ease", "P", segment="history=new").n == 7
    assert (full.label("ease"), full.label("other")) == ("EASE", "other")
    with pytest.raises(KeyError, match="P1 has no R@10 of 'ease' for all users in 'stable order'"):
        full.mean("ease", "R")
    bare = replace(full, models=[], rows=[], differences=[], splits=[], more={})
    assert report.read(report.write(bare, tmp_path)) == bare


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-30],
        lambda text: "",
        lambda text: "[1, 2]",
        lambda text: text.replace('"lo"', '"low"'),
        lambda text: text.replace('"protocol": "P1",\n', ""),
        lambda text: text.replace('"rows": [', '"rows": 5, "more rows": ['),
        lambda text: text.replace('{"protocol"', '{"unknown": 1, "protocol"').replace('{\n"protocol"', '{"unknown": 1, "protocol"'),
        lambda text: text.replace("0.125", "NaN"),
        lambda text: text.replace("0.125", '"much"'),
        lambda text: "\udcff",
    ],
)
def test_a_damaged_report_is_named(tmp_path: Path, damage: Callable[[str], str]) -> None:
    good = Report("P1", "d", "a", "b", [0], {}, "2026-01-01", "c", rows=[Row("v", "ease", "P", 10, None, 0.125, 0.1, 0.2, 20)])
    path = report.write(good, tmp_path)
    broken = damage(path.read_text())
    assert broken != path.read_text()
    path.write_bytes(broken.encode("utf-8", "surrogateescape"))
    with pytest.raises(ReportError, match=r"P1\.json is not a report of this version"):
        report.read(path)


def test_a_folder_in_place_of_a_report_is_named(tmp_path: Path) -> None:
    (tmp_path / "P1.json").mkdir()
    with pytest.raises(ReportError, match=r"P1\.json cannot be read: Is a directory"):
        report.read(tmp_path / "P1.json")


def test_a_missing_report_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"P7\.json is not there; python -m recommender evaluate writes it"):
        report.read(tmp_path / "P7.json")


# -- stars -------------------------------------------------------------------------------------------------------------


@cache
def opinions() -> tuple[Catalog, Interactions]:
    """Everybody rates every second film: 5 to their own kind, 1 to the other, and 3 now and then."""
    catalog, _ = checkerboard()
    rng = np.random.default_rng(1)
    users, items = np.nonzero(rng.random((60, 40)) < 0.5)
    given = np.where(rng.random(len(users)) < 0.3, 3.0, np.where(users % 2 == items % 2, 5.0, 1.0))
    return catalog, Interactions.sorted(users, items, given, np.arange(len(users)), n_users=60, n_items=40)


def small_ratings(seed: int) -> Folded:
    return Folded(Ratings(factors=4, epochs=3, rate=0.02, batch=256, seed=seed))


@pytest.fixture
def raters(monkeypatch) -> None:
    for name in set(RATERS) - {"biases"}:
        monkeypatch.delitem(RATERS, name)
    monkeypatch.setitem(RATERS, "ratings", RaterCandidate("Factors", "collaborative", small_ratings))


@pytest.mark.usefixtures("raters")
def test_errors_of_stars_are_those_of_scikit_learn(tmp_path: Path) -> None:
    catalog, seen = opinions()
    variants = runs.rating_splits(seen, folds=3)
    contenders, rows, differences, _ = stars.run(
        variants, ["ratings"], 0, catalog, People({"gender=F": np.arange(60) % 2 == 0}), tmp_path, lambda _: None
    )
    assert [c.model for c in contenders] == ["biases", "ratings"]
    found = {(r.variant, r.model, r.metric, r.segment): r for r in rows}
    for variant, splits in variants.items():
        truth = np.concatenate([s.test.ratings for s in splits])
        women = np.concatenate([s.test.users for s in splits]) % 2 == 0
        for model in ("biases", "ratings"):
            guess = np.concatenate([stars.predict(model, s, catalog, tmp_path, 0)[0] for s in splits])  # the folds are pooled
            assert 1 <= guess.min() < guess.max() <= 5
            rmse, mae = (found[variant, model, metric, None] for metric in ("RMSE", "MAE"))
            assert rmse.mean == pytest.approx(root_mean_squared_error(truth, guess), rel=1e-9)
            assert mae.mean == pytest.approx(mean_absolute_error(truth, guess), rel=1e-9)
            assert rmse.lo < rmse.mean < rmse.hi
            assert rmse.k is None
            assert found[variant, model, "RMSE", "gender=F"].mean == pytest.approx(root_mean_squared_error(truth[women], guess[women]))
            for dimension in ("history=", "popularity="):  # every rating stands in one part of each
                assert {s for v, m, _, s in found if s and s.startswith(dimension) and (v, m) == (variant, model)}
    assert [(d.variant, d.model, d.against, d.metric) for d in differences] == [(v, "ratings", "biases", "RMSE") for v in variants]
    for d in differences:
        assert d.delta == pytest.approx(found[d.variant, "ratings", "RMSE", None].mean - found[d.variant, "biases", "RMSE", None].mean)


@pytest.mark.usefixtures("raters")
def test_predicted_stars_are_kept_and_made_again_where_damaged(tmp_path: Path) -> None:
    catalog, seen = opinions()
    split = next(rating_folds(seen))
    first, seconds = stars.predict("biases", split, catalog, tmp_path, 0)
    (stored,) = (tmp_path / "stars").iterdir()
    made_at = stored.stat().st_mtime_ns
    again, told = stars.predict("biases", split, catalog, tmp_path, 0)
    assert (again.tolist(), told) == (first.tolist(), seconds)
    assert stored.stat().st_mtime_ns == made_at
    stored.write_bytes(flip(stored.read_bytes()))
    assert stars.predict("biases", split, catalog, tmp_path, 0)[0].tolist() == first.tolist()
    stars.predict("ratings", split, catalog, tmp_path, 0)
    stars.predict("ratings", split, catalog, tmp_path, 1)
    assert len(list((tmp_path / "stars").glob("*.npz"))) == 3  # another seed is another model


def test_a_folded_model_never_reads_the_stars_it_is_asked_for() -> None:
    catalog, seen = opinions()
    split = next(rating_folds(seen))
    model = small_ratings(0).fit(split.train, catalog)
    hidden = replace(split.test, ratings=np.random.default_rng(0).permutation(split.test.ratings))
    assert (hidden.ratings != split.test.ratings).any()
    given = model.predict(split.test)
    assert model.predict(hidden).tolist() == given.tolist()
    u, i = int(split.test.users[7]), int(split.test.items[7])
    assert given[7] == pytest.approx(model.model.score([Query(split.train.profile(u))])[0, i])


def test_calibration_by_hand() -> None:
    # 120 ratings predicted at 3.3 got 3 and 4 in turn, 120 at exactly 5 got 5 and 4; 99 at 1.1 are too few, and so are 10 people at 2.1
    guess, n = np.repeat([3.3, 5.0, 1.1, 2.1], [120, 120, 99, 120]), 459
    given = np.concatenate([np.resize([3.0, 4.0], 120), np.resize([5.0, 5.0, 5.0, 4.0], 120), np.ones(99), np.ones(120)])
    users = np.concatenate([np.arange(339) % 30, np.arange(120) % 10])
    p = stars.Predicted(users, given, guess, np.zeros(n, int), np.zeros(n, int), 1.0)
    low, high = stars.calibration("model", p)
    assert (low["model"], low["stars"], low["predicted"], low["observed"], low["n"]) == ("model", 3.375, 3.3, 3.5, 120)
    assert (high["stars"], high["predicted"], high["observed"], high["n"]) == (4.875, 5.0, 4.75, 120)  # no bucket lies above five stars
    assert low["lo"] < 3.5 < low["hi"]


# -- people ------------------------------------------------------------------------------------------------------------


def test_people_of_both_layouts(tmp_path: Path) -> None:
    assert read_people(tmp_path, np.array([1, 2])) == {}  # an edition that says nothing of its users
    (tmp_path / "users.dat").write_text("1::F::1::10::1\n2::M::56::16::2\n3::M::25::15::3\n4::F::50::1::4\n5::M::18::1::5\n")
    found = read_people(tmp_path, np.array([4, 1, 3, 2, 9]))
    assert {name: members.tolist() for name, members in found.items()} == {
        "gender=F": [True, True, False, False, False],
        "gender=M": [False, False, True, True, False],  # user 9 is in no file, and so in no group
        "age=under 18": [False, True, False, False, False],
        "age=25-34": [False, False, True, False, False],
        "age=45-54": [True, False, False, False, False],
        "age=55 and over": [False, False, False, True, False],
    }
    other = tmp_path / "ml-100k"
    other.mkdir()
    (other / "u.user").write_text("1|24|M|technician|94103\n2|53|F|other|T8H1N\n")
    assert {name: members.tolist() for name, members in read_people(other, np.array([1, 2])).items()} == {
        "gender=F": [False, True],
        "gender=M": [True, False],
        "age=18-24": [True, False],
        "age=45-54": [False, True],
    }


@pytest.mark.parametrize(
    ("name", "lines", "wanted"),
    [
        ("users.dat", "1::F::1::10::1\n2::x::56::16::2\n", "users.dat line 2: gender is 'x', wanted F or M"),
        ("users.dat", "1::F::old::10::1\n", "users.dat line 1: age is 'old', wanted a whole number >= 1"),
        ("users.dat", "1::F::1::10\n", "users.dat line 1: 4 fields"),
        ("u.user", "1|24|M|t|9\n2|M|24|t|9\n", "u.user line 2: gender is '24', wanted F or M"),
        ("u.user", "1|-3|M|t|9\n", "u.user line 1: age is '-3', wanted a whole number >= 1"),
    ],
)
def test_a_bad_line_about_people_is_named(tmp_path: Path, name: str, lines: str, wanted: str) -> None:
    (tmp_path / name).write_text(lines)
    with pytest.raises(DataError, match=wanted):
        read_people(tmp_path, np.array([1, 2]))


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, monkeypatch, capsys):
    """Run the command line with a work place of its own -> (exit code, what it said, its complaints)."""
    monkeypatch.setenv("MARQUEE_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("MARQUEE_EVALUATIONS", str(tmp_path / "work"))
    settings.cache_clear()
    threads = torch.get_num_threads()

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["recommender", *words, "--threads", "1"])
        try:
            command.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    yield call
    torch.set_num_threads(threads)
    settings.cache_clear()


@pytest.fixture
def edition(tmp_path: Path) -> Path:
    """The checkerboard in the files of a CSV edition."""
    catalog, seen = world()
    folder = tmp_path / "ml-tiny"
    folder.mkdir()
    films = [f"{film},{title} (1999),{genre}" for film, title, genre in zip(catalog.ids, catalog.titles, ["Comedy", "Action"] * FILMS)]
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *films]) + "\n")
    rows = zip(seen.users + 1, catalog.ids[seen.items], seen.ratings, seen.times)
    (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *(f"{u},{i},{s},{t}" for u, i, s, t in rows)]) + "\n")
    return folder


def test_evaluate_says_in_one_line_what_is_wrong(run, edition: Path, tmp_path: Path) -> None:
    data = ("--data", str(edition))
    assert run("evaluate", "P1", *data, "--models", "eese") == (2, "", "error: model 'eese' takes no part in P1; did you mean ease?\n")
    code, _, complaint = run("evaluate", "P3", *data, "--models", "item_knn")
    assert code == 2
    assert complaint.startswith("error: model 'item_knn' takes no part in P3")
    code, _, complaint = run("evaluate", "P1", "--data", str(tmp_path / "nowhere"))
    assert (code, complaint.count("\n")) == (2, 1)
    assert "nowhere is not there, wanted the folder of a MovieLens data set" in complaint
    code, _, complaint = run("evaluate", "P5", *data)
    assert code == 2
    assert all(name in complaint for name in ("P5", "P1", "P4", "all"))
    assert not (tmp_path / "artifacts").exists()


def test_evaluate_all_writes_every_report(run, edition: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(edition)
    words = ("evaluate", "all", "--data", ".", "--models", "biases", "--seeds", "1", "--folds", "1", "--run-dir", str(tmp_path / "trec"))
    code, said, complaint = run(*words)
    assert (code, complaint) == (0, "")
    folder = tmp_path / "artifacts" / "reports"
    assert {p.name for p in folder.iterdir()} >= {"P1.json", "P2.json", "P3.json", "P4.json"}
    assert "cold-start left out: " in said  # there is no released model in this work place
    for name in ("P1", "P2", "P3", "P4"):
        raw = json.loads((folder / f"{name}.json").read_text())
        asked_for = {"protocol", "dataset", "data_hash", "split_checksum", "seeds", "versions", "date", "command", "rows"}
        assert asked_for <= set(raw)
        assert (raw["protocol"], raw["dataset"], raw["seeds"], len(raw["split_checksum"]), len(raw["data_hash"])) == (name, "ml-tiny", [0], 64, 64)
        assert raw["command"] == "python -m recommender evaluate all --data ml-tiny --models biases --seeds 1 --folds 1"
        assert {"python", "numpy", "torch"} <= set(raw["versions"])
        assert {"model", "metric", "k", "segment", "mean", "lo", "hi", "n"} <= set(raw["rows"][0])
        assert {r["model"] for r in raw["rows"]} == ({"biases"} if name == "P3" else set(ALWAYS))
        assert all(r["lo"] <= r["mean"] <= r["hi"] for r in raw["rows"])
        assert {s["checksum"] for s in raw["splits"]} >= {raw["split_checksum"]}
        assert f"{name}.json: {len(raw['rows'])} figures" in said.replace("\n", "")
    metrics = {r.metric for r in report.read(folder / "P1.json").rows}
    assert metrics >= {
        "P",
        "R",
        "NDCG",
        "HR",
        "MRR",
        "MAP",
        "novelty",
        "diversity",
        "coverage",
        "gini",
        "calibration",
        "serendipity",
        "IPS-R",
        "IPS-NDCG",
    }
    assert {r.metric for r in report.read(folder / "P3.json").rows} == {"RMSE", "MAE"}
    assert (tmp_path / "trec" / "P1-stable_order.qrels").exists()
    before = {p.name: p.read_text() for p in folder.iterdir()}
    assert run(*words)[0] == 0
    assert {p.name: p.read_text() for p in folder.iterdir()} == before  # taken up where it ended
