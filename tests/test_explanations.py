"""The law of reasons on the released models: what they weigh sums to the score, or says that it does not."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from recommender import artifacts
from recommender.load.films import read_films
from recommender.models.hybrid import PARTS
from recommender.models.mixture import Mixture
from recommender.settings import settings
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Explanation, Profile, Query, Recommender

EXACT = ("ease", "item_knn", "als", "pure_svd", "ratings", "content", "popularity", "communities", "encoder")
BY_TASTE = ("ease", "item_knn", "als", "pure_svd", "content", "encoder")  # to which a film below liked_from says nothing
SUMS = 1e-6  # of a score of 1 or less; beyond it a share of the score, which is stored in seven digits
PASSES = 1e-5  # the same, where float32 answers of several passes of a network are added and taken from each other


@cache
def models() -> dict[str, Recommender]:
    found, problems = artifacts.load_all(settings().artifacts, read_films(settings().films))
    assert not problems
    return found


@st.composite
def asked(draw: st.DrawFn) -> tuple[Query, np.ndarray]:
    """A viewer of films that many people or any watched, with stars from half to five; and films: some watched, some likely, some of any kind."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    raters = models()["popularity"].parts_[2].astype(float)  # type: ignore[attr-defined]
    n, crowd = draw(st.sampled_from([0, 1, 3, 30, 200])), draw(st.sampled_from([0.0, 1.0]))
    odds = raters**crowd
    films = rng.choice(len(raters), n, replace=False, p=odds / odds.sum())
    genres = draw(st.sampled_from([(), ("Comedy",), ("Drama", "Thriller", "War")]))
    profile = Profile(films, rng.integers(1, 11, n) / 2, np.sort(rng.integers(900_000_000, 1_000_000_000, n)), genres)
    context = Context(draw(st.sampled_from([None, *TIMES_OF_DAY])), draw(st.sampled_from([None, *DEVICES])))
    return Query(profile, context), np.concatenate([films[:2], np.argsort(-raters)[: 2 * n : n // 5 + 1], rng.integers(0, len(raters), 5)])


def close(found: float, score: float, tolerance: float) -> bool:
    return abs(found - score) <= tolerance * max(1.0, abs(score))


def explained(model: Recommender, query: Query, items: np.ndarray) -> list[tuple[Explanation, float]]:
    """Explanations of items and of the model's own first five, each with the score asked for apart."""
    scores = model.score([query])[0]
    items = np.concatenate([items, np.argsort(-scores)[:5]])
    return list(zip(model.explain(query, items), scores[items].astype(float).tolist(), strict=True))


@pytest.mark.parametrize("name", EXACT)
@effort(max_examples=30)
@given(asked())
def test_exact_reasons_sum_to_the_score(name: str, question: tuple[Query, np.ndarray]) -> None:
    query, items = question
    liked = set(query.profile.items[query.profile.ratings >= query.profile.liked_from].tolist())
    for explanation, score in explained(models()[name], query, items):
        assert explanation.exact
        assert close(explanation.total, score, SUMS), f"{name}: reasons sum to {explanation.total}, the score is {score}"
        films = {r.subject for r in explanation.reasons if isinstance(r.subject, int)}
        assert films <= (liked if name in BY_TASTE else set(query.profile.items.tolist()))


@effort(max_examples=20)
@given(asked(), st.lists(st.floats(0.0, 3.0), min_size=3, max_size=3))
def test_a_mixture_is_exact_where_its_members_are(question: tuple[Query, np.ndarray], weights: list[float]) -> None:
    query, items = question
    for last, exact in (("ratings", True), ("sequence", False)):
        mixture = Mixture(())
        mixture.parts = {name: models()[name] for name in ("ease", "content", last)}
        mixture.weights_ = np.array(weights)
        for explanation, score in explained(mixture, query, items):
            assert explanation.exact == exact
            assert close(explanation.total, score, SUMS if exact else PASSES), f"{last}: {explanation.total}, not {score}"


@effort(max_examples=20)
@given(asked())
def test_parts_and_context_of_the_hybrid_sum_to_its_score(question: tuple[Query, np.ndarray]) -> None:
    query, items = question
    hybrid = models()["hybrid"]
    shares = hybrid.contributions(query, items)  # type: ignore[attr-defined]
    assert list(shares) == [*PARTS, "time", "device"]
    for found, score in zip(sum(shares.values()), hybrid.score([query])[0, items].astype(float)):
        assert close(found, score, PASSES)
    for part, known in (("time", query.context.time_of_day), ("device", query.context.device)):
        assert known or not np.any(shares[part])
    for explanation, score in explained(hybrid, query, items):
        assert not explanation.exact
        assert close(explanation.total, score, PASSES), f"reasons sum to {explanation.total}, the score is {score}"


@effort(max_examples=20)
@given(asked())
def test_reasons_of_the_sequence_are_what_leaving_out_gives(question: tuple[Query, np.ndarray]) -> None:
    query, items = question
    model, films = models()["sequence"], query.profile.items
    latest = films[-model.looked_back :].tolist()  # type: ignore[attr-defined]
    bare = model.score([Query(query.profile)])[0].astype(float)
    without = {j: model.score([Query(query.profile.keep(films != j))])[0].astype(float) for j in latest}
    for item, explanation, score in zip(items, model.explain(query, items), model.score([query])[0, items].astype(float)):
        weights = {r.subject: r.weight for r in explanation.reasons if isinstance(r.subject, int)}
        assert sorted(weights) == sorted(latest)
        for j, weight in weights.items():
            assert abs(weight - (bare[item] - without[j][item])) < 1e-4, f"film {j} for film {item}"
        assert abs(sum(r.weight for r in explanation.reasons if r.kind == "context") - (score - bare[item])) < 1e-4
        assert not explanation.exact
        assert close(explanation.total, score, PASSES)
