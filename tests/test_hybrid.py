"""The gate, the points of time and device, and the one rule by which a device is simulated."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from scipy import stats

from recommender import rank
from recommender.catalog import Catalog
from recommender.interactions import UNKNOWN, Interactions
from recommender.models.hybrid import PARTS, PICKS, Gate, Hybrid
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Explanation, Profile, Query, Reason
from recommender.world import DEVICE_RULE, checkerboard, device_odds, simulate_devices

GENRES = ("Action", "Comedy", "Drama")
N = 24  # films, eight of each genre, of 100 minutes but for the last of each, of 160
CONTEXTS = [Context(t, d) for t in (None, *TIMES_OF_DAY) for d in (None, *DEVICES)]


@cache
def films() -> Catalog:
    nobody = ((),) * N
    kind = np.arange(N) // 8
    minutes = np.where(np.arange(N) % 8 == 7, 160.0, 100.0)
    return Catalog(
        np.arange(N), tuple(f"{GENRES[k]} {i}" for i, k in enumerate(kind)), np.full(N, 1999), kind[:, None] == np.arange(3), GENRES,
        nobody, nobody, ("PG",) * N, minutes, np.zeros(N, int), np.zeros(N, int),
    )  # fmt: skip


POPULARITY = np.random.default_rng(7).normal(size=N).astype(np.float32)


class Known:
    """A part that knows how popular films really are; each part with another constant and another unit."""

    def __init__(self, scale: float, shift: float) -> None:
        self.scale, self.shift = scale, shift

    def score(self, queries: list[Query]) -> np.ndarray:
        return np.tile(self.scale * POPULARITY + self.shift, (len(queries), 1)).astype(np.float32)

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        scores = self.score([query])[0, items]
        return [Explanation.of([Reason("film", 3, float(s) - 1), Reason("genre", "Drama", 1.0)]) for s in scores]


def parts() -> dict:
    return {"ease": Known(3, 0), "content": Known(0.1, 5), "sequence": Known(20, -9), "popularity": Known(1, 1)}


@cache
def log(n_users: int = 500) -> Interactions:
    """Every viewer watches ten films, drawn by popularity alone."""
    rng = np.random.default_rng(0)
    items = np.argsort(-(POPULARITY + rng.gumbel(size=(n_users, N))), axis=1)[:, :10]
    for row in items:
        rng.shuffle(row)
    users = np.repeat(np.arange(n_users), 10)
    part_of_day = rng.integers(0, 4, len(users)).astype(np.int8)
    return Interactions.sorted(
        users, items.ravel(), np.full(len(users), 4.0), np.arange(len(users)), n_users=n_users, n_items=N, times_of_day=part_of_day
    )


@cache
def trained(dose: float) -> Hybrid:
    """A gate taught on devices simulated at a dose; on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    simulated = simulate_devices(log(), films(), dose, np.random.default_rng(1))
    model = Hybrid(epochs=25, ridge=0.001).attach(parts()).fit_gate(simulated, films())
    torch.set_num_threads(threads)
    return model


def profile(n: int) -> Profile:
    return Profile(np.arange(n), np.full(n, 4.0), np.arange(n))


# -- the gate ----------------------------------------------------------------------------------------------------------


def test_shares_sum_to_one() -> None:
    model = trained(3.0)
    for length in (0, 1, 5, 20):
        weights = model.weights([Query(profile(length), c) for c in CONTEXTS])
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
        assert weights.min() > 0
    assert len({tuple(w) for w in model.weights([Query(profile(9), c) for c in CONTEXTS]).tolist()}) == len(CONTEXTS)  # the gate hears the context
    assert np.ptp([model.weights([Query(profile(n))])[0] for n in (0, 3, 20)], axis=0).max() > 1e-4  # and the length of the history


def test_contributions_sum_to_the_score() -> None:
    model, items = trained(3.0), np.arange(N)
    for query in [Query(profile(n), c) for n in (0, 3, 12) for c in CONTEXTS]:
        points = model.contributions(query, items)
        assert list(points) == [*PARTS, "time", "device"]
        score = model.score([query])[0]
        np.testing.assert_allclose(sum(points.values()), score, atol=1e-5)
        assert not points["time"].any() or query.context.time_of_day
        assert not points["device"].any() or query.context.device
        for explanation, s in zip(model.explain(query, items), score):
            assert explanation.total == pytest.approx(float(s), abs=1e-5)
            assert not explanation.exact
            assert len({(r.kind, r.subject) for r in explanation.reasons}) == len(explanation.reasons)  # the same film is named once
            context = {r.subject: r.simulated for r in explanation.reasons if r.kind == "context"}
            assert context == {label: simulated for label, simulated in ((query.context.time_of_day, False), (query.context.device, True)) if label}


def test_blend_by_hand() -> None:
    # a gate of zeros gives every part a third; each part is popularity over its spread, plus its constant over its own spread
    model = Hybrid().attach(parts())
    model.catalog, model.state_ = films(), {k: np.zeros(v.shape, np.float32) for k, v in Gate(3, 16).state_dict().items()}
    spread = float(POPULARITY.std())
    constant = (0 / 3 + 5 / 0.1 - 9 / 20) / 3 / spread
    np.testing.assert_allclose(model.score([Query(profile(5), CONTEXTS[7])])[0], POPULARITY / spread + constant, rtol=1e-4)
    # two thirds of the odds to the first part: softmax(log 4, 0, 0) = 4/6, 1/6, 1/6; and 2 points for drama at night, 3 on TV
    model = Hybrid().attach(parts())
    model.catalog, model.state_ = films(), {k: np.zeros(v.shape, np.float32) for k, v in Gate(3, 16).state_dict().items()}
    model.state_["out.bias"][0] = np.log(4)
    model.state_["time_genres.weight"][4, 2], model.state_["device_genres.weight"][4, 2] = 2, 3
    query = Query(profile(5), Context("night", "tv"))
    np.testing.assert_allclose(model.weights([query])[0], [4 / 6, 1 / 6, 1 / 6], rtol=1e-6)
    constant = (0 / 3 * 4 + 5 / 0.1 - 9 / 20) / 6 / spread
    np.testing.assert_allclose(model.score([query])[0], POPULARITY / spread + constant + 5 * (np.arange(N) >= 16), rtol=1e-4)
    for simulates in ((), ("device",), ("time_of_day",)):  # a reason is simulated where the rows it was learned from were
        model.simulates = simulates
        said = {(r.kind, r.subject): (r.weight, r.simulated) for r in model.explain(query, np.array([20]))[0].reasons}
        assert said["context", "night"] == (2, "time_of_day" in simulates)
        assert said["context", "tv"] == (3, "device" in simulates)


def test_the_gate_learns_what_to_do_where_a_signal_is_unknown() -> None:
    _, log = checkerboard(n_users=40)
    data = replace(log, devices=np.zeros(len(log), np.int8), times_of_day=np.ones(len(log), np.int8))
    hidden = Hybrid(unknown=0.3)._partly_unknown(data, np.random.default_rng(0))
    for column in (hidden.times_of_day, hidden.devices):
        assert 0.25 < (column == UNKNOWN).mean() < 0.35
    assert 0.05 < ((hidden.times_of_day == UNKNOWN) & (hidden.devices == UNKNOWN)).mean() < 0.13  # each on its own: .09 both
    assert (hidden.items == data.items).all()
    kept = Hybrid(unknown=0.0)._partly_unknown(data, np.random.default_rng(0))
    assert not (kept.devices == UNKNOWN).any()


def test_unknown_context_adds_nothing() -> None:
    gate = Gate(3, 8)
    for table in (gate.time_genres, gate.device_genres):
        torch.nn.init.normal_(table.weight)
    unknown, known = torch.tensor([0, 0]), torch.tensor([1, 4])
    by_time, by_device = gate.affinity(unknown, known)
    assert not by_time.any()
    assert by_device.all()
    by_time, by_device = gate.affinity(known, unknown)
    assert by_time.all()
    assert not by_device.any()


def test_context_reorders_films() -> None:
    model = trained(3.0)
    on = {d: rank.top(model.score([Query(profile(12), Context(device=d))])[0], N).tolist() for d in DEVICES}
    assert len({tuple(order) for order in on.values()}) == 4


def test_missing_parts_are_named() -> None:
    some = parts()
    del some["content"], some["sequence"]
    with pytest.raises(LookupError, match=r"needs the models ease, content, sequence; content, sequence did not load"):
        Hybrid().attach(some)


# -- what it learns of the simulated device ----------------------------------------------------------------------------


def device_points(model: Hybrid) -> np.ndarray:  # (4, G) in units of the softmax over films: log-odds
    return model.state_["device_genres.weight"][1:] * np.exp(model.state_["log_sharpness"])


def test_a_high_dose_is_recovered() -> None:
    # At dose 3 action is chosen on TV (log-odds 2.4), drama on the desktop (1.8), comedy on the phone (2.4); 100 minutes change nothing.
    points = device_points(trained(3.0))
    by_device = dict(zip(DEVICES, points))
    assert {d: GENRES[by_device[d].argmax()] for d in ("tv", "desktop", "mobile")} == {"tv": "Action", "desktop": "Drama", "mobile": "Comedy"}
    for device, genre in (("tv", 0), ("mobile", 1), ("desktop", 2)):
        others = np.delete(by_device[device], genre)
        assert by_device[device][genre] > 0.3
        assert by_device[device][genre] - others.max() > 0.7  # e**0.7: twice as likely
    assert np.ptp(by_device["tablet"]) < 0.6 * min(np.ptp(by_device[d]) for d in ("tv", "desktop", "mobile"))  # mixed


def test_no_dose_no_points() -> None:
    assert np.abs(device_points(trained(0.0))).max() < 0.25
    assert np.abs(device_points(trained(0.0))).max() < np.abs(device_points(trained(3.0))).max() / 4


def test_times_of_day_drawn_at_random_get_no_points() -> None:
    times = trained(3.0).state_["time_genres.weight"][1:] * np.exp(trained(3.0).state_["log_sharpness"])
    times = times - times.mean(axis=1, keepdims=True)  # the softmax over films knows only differences between genres,
    times = times - times.mean(axis=0)  # and what all times of day share says nothing of any
    assert np.abs(times).max() < 0.2


def test_questions_are_asked_in_the_context_of_the_film_and_after_what_went_before() -> None:
    data = simulate_devices(log(), films(), 1.0, np.random.default_rng(2))
    queries, targets, viewers = Hybrid(asked=3).questions(data, np.random.default_rng(0))
    assert viewers.tolist() == np.repeat(np.arange(data.n_users), 3).tolist()
    for n, (query, target) in enumerate(zip(queries, targets)):
        r = data.rows(n // 3)
        at = r.start + len(query.profile)
        assert data.items[at] == target
        assert query.profile.items.tolist() == data.items[r.start : at].tolist()
        assert query.context.time_of_day == TIMES_OF_DAY[data.times_of_day[at]]
        assert query.context.device == DEVICES[data.devices[at]]


def test_picked_questions_know_other_films_of_the_same_viewer() -> None:
    data = simulate_devices(log(), films(), 1.0, np.random.default_rng(2))
    queries, targets, viewers = Hybrid(asked=4, picked=1.0).questions(data, np.random.default_rng(0))
    later = 0
    for query, target, viewer in zip(queries, targets, viewers):
        own = data.items[data.rows(int(viewer))]
        known = query.profile.items
        assert set(known) < set(own)
        assert target in own
        assert target not in known
        assert len(known) <= PICKS
        places = [int(np.flatnonzero(own == i)[0]) for i in known]
        assert places == sorted(places)
        later += any(place > int(np.flatnonzero(own == target)[0]) for place in places)
    assert later > len(queries) / 4  # what is known is no longer only what went before


# -- the rule ----------------------------------------------------------------------------------------------------------


def many(item: int, n: int = 20_000) -> Interactions:
    """One film, watched by many."""
    return Interactions.sorted(np.arange(n), np.full(n, item), np.full(n, 4.0), np.zeros(n, int), n_users=n, n_items=N)


def test_odds_by_hand() -> None:
    odds = device_odds(films())  # mobile, tablet, desktop, tv
    np.testing.assert_allclose(odds[0], [0, 0, 0, 0.8])  # action
    np.testing.assert_allclose(odds[8], [0.8, 0, 0, 0])  # comedy
    np.testing.assert_allclose(odds[23], [-0.8, 0, 0.6, 0])  # drama of 160 minutes: one hour above 100
    assert set(DEVICE_RULE) == set(DEVICES)


@pytest.mark.parametrize(
    ("item", "dose", "shares"),
    [
        (8, 1.0, np.array([np.exp(0.8), 1, 1, 1])),  # comedy: e^0.8 / (e^0.8 + 3) = 0.43 on the phone
        (0, 2.0, np.array([1, 1, 1, np.exp(1.6)])),  # action at dose 2: e^1.6 / (e^1.6 + 3) = 0.62 on TV
        (23, 1.0, np.array([np.exp(-0.8), 1, np.exp(0.6), 1])),
        (23, 0.0, np.ones(4)),  # no dose: a quarter each
    ],
)
def test_devices_follow_their_odds(item: int, dose: float, shares: np.ndarray) -> None:
    drawn = simulate_devices(many(item), films(), dose, np.random.default_rng(0)).devices
    expected = len(drawn) * shares / shares.sum()
    assert stats.chisquare(np.bincount(drawn, minlength=4), expected).pvalue > 0.001


def test_only_devices_are_drawn() -> None:
    before = log()
    after = simulate_devices(before, films(), 1.0, np.random.default_rng(0))
    for column in ("users", "items", "ratings", "times", "times_of_day"):
        np.testing.assert_array_equal(getattr(after, column), getattr(before, column))
    assert (before.devices == -1).all()
    np.testing.assert_array_equal(after.devices, simulate_devices(before, films(), 1.0, np.random.default_rng(0)).devices)
    with pytest.raises(ValueError, match=r"dose == -1, must be >= 0"):
        simulate_devices(before, films(), -1, np.random.default_rng(0))


def test_unknown_running_time_changes_no_odds() -> None:
    unknown = replace(films(), minutes=np.full(N, np.nan))
    assert device_odds(unknown)[23].tolist() == [0, 0, 0.6, 0]
