"""The Transformer asked for what is missing inside a history."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models.filler import Filler
from recommender.types import Profile, Query
from recommender.world import checkerboard

N = 40


def rings(users: int = 240) -> tuple[Catalog, Interactions]:
    """Everybody walks along the film numbers, a film left out now and then."""
    catalog = checkerboard()[0]
    rng = np.random.default_rng(0)
    rows = []
    for user in range(users):
        walk = (int(rng.integers(N)) + np.arange(14)) % N
        rows += [(user, film, step) for step, film in enumerate(walk) if rng.random() > 0.1]
    user, film, step = np.array(rows).T
    return catalog, Interactions.sorted(user, film, np.full(len(rows), 4.0), step * 60, n_users=users, n_items=N)


@pytest.fixture(scope="module")
def filler() -> Filler:
    catalog, x = rings()
    return Filler(knows=("stars", "moment"), width=16, heads=2, length=8, epochs=30, rate=0.01, batch=32, dropout=0.0, average=0.9).fit(x, catalog)


def query(films: list[int], times: list[int]) -> Query:
    return Query(Profile(np.array(films), np.full(len(films), 4.0), np.array(times), liked_from=0.0))


def test_the_film_missing_from_a_gap_comes_first(filler: Filler) -> None:
    found = 0
    for start in range(10):
        films = [(start + k) % N for k in range(12)]
        scores = filler.score([query(films[:5] + films[6:], [60 * k for k in range(12) if k != 5])])[0]
        scores[films[:5] + films[6:]] = -np.inf
        found += films[5] in np.argsort(-scores)[:3]
    assert found >= 8


def test_counts_by_hand(filler: Filler) -> None:
    """A history of 11 films in windows of 8: places 0-7, then 8-10, each asked at the moment of the film that follows, the last at once."""
    films, times = list(range(3, 14)), [100 * k * k for k in range(11)]
    network, total = filler._network, np.zeros(N)
    for start, stop in ((0, 8), (8, 11)):
        clock = [*times[start:stop], times[min(stop, 10)]]
        args = [torch.tensor([films[start:stop]]), *2 * [torch.zeros(1, stop - start, dtype=torch.int64)]]
        with torch.inference_mode():
            vectors = network(*args, torch.full((1, stop - start), 8), torch.tensor([clock]))[0]
            total += (vectors @ network.table.T).softmax(dim=1).sum(dim=0).numpy()
    scores = filler.score([query(films, times)])[0]
    np.testing.assert_allclose(np.exp(scores) - filler.floor, total, rtol=1e-4)
    assert (np.exp(scores.astype(float)) - filler.floor).sum() == pytest.approx(11, rel=1e-3)  # one film follows each place


def test_a_batch_gives_what_its_queries_give_alone(filler: Filler) -> None:
    queries = [query([1, 2, 3], [0, 60, 120]), query([], []), query(list(range(20)), [60 * k for k in range(20)])]
    together = filler.score(queries)
    for row, alone in zip(together, queries):
        np.testing.assert_allclose(row, filler.score([alone])[0], atol=1e-4)
    np.testing.assert_allclose(together[1], np.log(filler.floor))
