"""Two contexts side by side: ranks are those of the model, points are what the context moved, and what enters, leaves and moves adds up."""

from __future__ import annotations

import numpy as np
import pytest

from recommender import rank
from recommender.models.moment import Moment
from recommender.serve.contexts import Placed, SideBySide, contrast, gate, side_by_side
from recommender.serve.service import Service
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Filters, Profile, Query

A, B = Context("evening", "tv"), Context("morning", "mobile")


def masked(service: Service, viewer, scores: np.ndarray) -> np.ndarray:
    out = ~service.catalog.allowed(viewer.certificate)
    out[viewer.profile.items] = True
    return rank.mask(scores, out)


@pytest.mark.parametrize("name", ["kenji", "vera", "mia"])
def test_ranks_are_those_of_the_hybrid(service, name):
    viewer = service.viewers[name]
    found = side_by_side(service, viewer, viewer.profile, (A, B), 12)
    assert found.model == "hybrid"
    for side, context in enumerate((A, B)):
        scores = masked(service, viewer, service.models["hybrid"].score([Query(viewer.profile, context)])[0])
        assert {f.item: f.ranks[side] for f in found.films} == {f.item: rank.rank_of(scores, f.item) for f in found.films}
        top = rank.top(scores, 12).tolist()
        assert [f.item for f in sorted(found.films, key=lambda f: f.ranks[side])][:12] == top


def test_points_are_what_the_context_moves(service):
    viewer, hybrid = service.viewers["kenji"], service.models["hybrid"]
    found = side_by_side(service, viewer, viewer.profile, (A, B))
    items = np.array([f.item for f in found.films])
    for side, context in enumerate((A, B)):
        parts = hybrid.contributions(Query(viewer.profile, context), items)
        np.testing.assert_allclose([f.time[side] for f in found.films], parts["time"], atol=1e-6)
        np.testing.assert_allclose([f.device[side] for f in found.films], parts["device"], atol=1e-6)


def test_what_is_unknown_gives_no_points(service):
    viewer = service.viewers["kenji"]
    found = side_by_side(service, viewer, viewer.profile, (Context(), Context("night", None)))
    assert {f.time[0] for f in found.films} == {f.device[0] for f in found.films} == {f.device[1] for f in found.films} == {0.0}
    assert any(f.time[1] for f in found.films)


def test_the_same_context_twice_moves_nothing(service):
    viewer = service.viewers["vera"]
    found = side_by_side(service, viewer, viewer.profile, (A, A))
    assert (found.moved, found.leaving, found.entering) == ((), (), ())
    assert [f.ranks for f in found.films] == [(n, n) for n in range(1, 13)]


def test_nobody_s_rows_are_those_of_everybody(service):
    viewer = service.viewers["sam"]
    found = side_by_side(service, viewer, viewer.profile, (A, B), 10)
    assert not found.personal
    scores = Moment(service.models["popularity"], service.models["hybrid"]).score([Query(Profile(), A)])[0]
    scores[service.models["popularity"].parts_[2] == 0] = -np.inf
    first = [f.item for f in sorted(found.films, key=lambda f: f.ranks[0])][:10]
    assert first == rank.top(masked(service, viewer, scores), 10).tolist()
    row = service.home(viewer, service.query(viewer, A, anyway=("time_of_day", "device"))).carousels[0]
    assert [r.item for r in row.recommendations][:10] == first


def test_what_was_seen_and_what_is_too_strict_stays_away(service):
    viewer = service.viewers["mia"]
    kept = viewer.profile.keep(np.arange(len(viewer.profile)) > 3)
    items = {f.item for f in side_by_side(service, viewer, kept, (A, B)).films}
    assert not items & set(viewer.profile.items.tolist())
    assert service.catalog.allowed(viewer.certificate)[list(items)].all()


def test_filters_hold_in_both_contexts(service):
    viewer = service.viewers["kenji"]
    items = [f.item for f in side_by_side(service, viewer, viewer.profile, (A, B), 12, Filters(minutes=95)).films]
    assert len(items) >= 12
    assert (service.catalog.minutes[items] <= 95).all()


def test_without_the_hybrid_there_is_nothing_to_compare(service, monkeypatch):
    monkeypatch.setattr(service, "models", {name: m for name, m in service.models.items() if name != "hybrid"})
    with pytest.raises(LookupError, match="hybrid did not load"):
        side_by_side(service, service.viewers["kenji"], service.viewers["kenji"].profile, (A, B))


def test_entering_leaving_and_moving_share_the_list_out():
    films = tuple(Placed(i, ranks, (0.0, 0.0), (0.0, 0.0)) for i, ranks in enumerate(((1, 1), (2, 3), (3, 40), (9, 2))))
    found = SideBySide("hybrid", True, 3, films)
    assert [f.item for f in found.leaving] == [2]
    assert [f.item for f in found.entering] == [3]
    assert [f.item for f in found.moved] == [1]
    assert [f.rise for f in films] == [0, -1, -37, 7]


def test_a_contrast_differs_in_both_parts():
    for time in (*TIMES_OF_DAY, None):
        for device in (*DEVICES, None):
            other = contrast(Context(time, device))
            assert other.time_of_day not in (None, time)
            assert other.device not in (None, device)


def test_the_gate_is_asked_in_every_context(service):
    profile, hybrid = service.viewers["kenji"].profile, service.models["hybrid"]
    shares = gate(hybrid, profile)
    np.testing.assert_allclose(shares.sum(axis=2), 1, atol=1e-5)
    one = hybrid.weights([Query(profile, Context("night", "tablet"))])[0]
    np.testing.assert_allclose(shares[TIMES_OF_DAY.index("night"), DEVICES.index("tablet")], one, atol=1e-6)
