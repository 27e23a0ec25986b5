"""The context audit: a shift worked by hand, worlds with and without one, and no figure that tells of a few people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

from recommender.evaluate import audit, report
from recommender.evaluate.audit import SIGNALS, Sessions, part_of_day, sessions_of, weekend
from recommender.evaluate.dataset import LEAST
from recommender.interactions import UNKNOWN, Interactions
from recommender.load import load, local_offsets
from recommender.settings import ROOT, settings
from recommender.stats.inference import holm
from recommender.stats.within import Panel, interval, panel, permutation_test, permuted, regress, rotated
from recommender.types import TIMES_OF_DAY
from recommender.ui.reports import _checked

MINUTE, DAY = 60, 86_400
EDITIONS = ("ml-1m", "ml-100k")
MORNING, AFTERNOON, EVENING, NIGHT = range(4)


# -- by hand -----------------------------------------------------------------------------------------------------------


def by_hand() -> Panel:
    """Ann and Bob rate in the morning (0) and in the evening (1), Cim in the evening only."""
    people, labels = np.array([3, 3, 5, 5, 8]), np.array([0, 1, 0, 1, 1])
    return panel(people, labels, 2, np.array([4, 4, 6, 2, 9]), np.array([[1], [3], [1], [1], [9]]))


def test_a_shift_by_hand() -> None:
    p = by_hand()
    assert (len(p.begins), p.members.tolist()) == (2, [2, 2])  # Cim tells nothing
    # Ann: 1 comedy of 4 in the morning, 3 of 4 in the evening, share 1/2: T = 3 - 4/2 = 1, D = 4 x 4 / 8 = 2, alone 1/2 = 3/4 - 1/4
    # Bob: 1 of 6 and 1 of 2, share 1/4: T = 1 - 2/4 = 1/2, D = 6 x 2 / 8 = 3/2, alone 1/3 = 1/2 - 1/6
    shifts, explained = regress(p, p.labels[None])
    assert shifts[0, 1, 0] == pytest.approx((1 + 1 / 2) / (2 + 3 / 2))
    assert shifts[0, 0, 0] == pytest.approx(-3 / 7)
    # of 8 x 1/2 x 1/2 + 8 x 1/4 x 3/4 = 7/2 the two labels explain T^2 / D = (3/2)^2 / (7/2)
    assert p.variation == pytest.approx(7 / 2)
    assert explained[0] == pytest.approx((9 / 4) / (7 / 2) / (7 / 2))


def test_p_by_hand() -> None:
    # of the 4 ways to lay the labels, T is 3/2, 1/2, -1/2, -3/2 with D always 7/2: two are as far from 0 as the one found
    found = permutation_test(by_hand(), (1,), 1, 4000)
    assert found.p.item() == pytest.approx(0.5, abs=0.03)
    assert found.largest.p == found.explained.p == found.p.item()
    assert found.largest.chance == pytest.approx((3 / 2 + 1 / 2) / 2 / (7 / 2), abs=0.01)
    assert found.largest.value == pytest.approx(3 / 7) == found.largest.chance_95


def test_the_regression_is_that_of_least_squares() -> None:
    """Against a regression on dummies of users and labels, rating by rating."""
    rng = np.random.default_rng(0)
    users, labels = np.repeat(np.arange(12), 5), rng.integers(3, size=60)
    sizes = rng.integers(1, 9, 60)
    counts = rng.binomial(sizes[:, None], rng.random((60, 4)))
    p = panel(users, labels, 3, sizes, counts)
    shifts, explained = regress(p, p.labels[None])
    who, what = np.repeat(p.people, p.sizes.astype(int)), np.repeat(p.labels, p.sizes.astype(int))
    has = np.concatenate([np.arange(n)[:, None] < c for n, c in zip(p.sizes, p.counts)]).astype(float)
    own, times = (np.eye(n)[of] for n, of in ((len(p.begins), who), (3, what)))

    def fit(*dummies: np.ndarray) -> tuple[np.ndarray, float]:
        columns = np.hstack(dummies)
        slopes = np.linalg.lstsq(columns, has, rcond=None)[0]
        return slopes[-1], float(((has - columns @ slopes) ** 2).sum())

    for label in range(3):
        np.testing.assert_allclose(shifts[0, label], fit(own, times[:, [label]])[0], atol=1e-10)
    assert explained[0] == pytest.approx(1 - fit(own, times[:, 1:])[1] / fit(own)[1])


def test_sessions_by_hand() -> None:
    # Ann pauses 30 minutes, then 30 minutes and a second; nobody knows the clock of Bob; Cim begins where Ann ends
    times = np.array([0, 1800, 3601, 0, 3601]) + 978_000_000
    x = Interactions(np.array([0, 0, 0, 1, 2]), np.array([0, 1, 0, 1, 1]), np.full(5, 4.0), times, n_users=3, n_items=2)
    genres = np.array([[True, False], [True, True]])  # of film 0 and film 1
    found = sessions_of(x, np.array([-3600, -3600, -3600, UNKNOWN, 7200]), genres)
    assert found.users.tolist() == [0, 0, 2]
    assert found.starts.tolist() == times[[0, 2, 4]].tolist()
    assert found.offsets.tolist() == [-3600, -3600, 7200]
    assert found.sizes.tolist() == [2, 1, 1]
    assert found.genres.tolist() == [[2, 1], [1, 0], [1, 1]]
    assert sessions_of(x, np.full(5, 0), genres, 60).users.tolist() == [0, 1, 2]
    assert (found.later.users.tolist(), found.later.starts.tolist()) == ([0], [times[2]])


def test_the_labels_of_a_moment() -> None:
    saturday = np.array([978_138_000])  # 30 December 2000, 01:00 UTC
    assert TIMES_OF_DAY[part_of_day(saturday).item()] == "night"
    assert TIMES_OF_DAY[part_of_day(saturday - 5 * 3600).item()] == "evening"  # 20:00 in New York
    days = weekend(saturday - 5 * 3600 + DAY * np.arange(7))
    assert days.tolist() == [0, 1, 1, 0, 0, 0, 0]  # there still Friday
    assert weekend(saturday).item() == 1


def test_each_signal_reads_its_clock() -> None:
    users = np.repeat(np.arange(LEAST), 2)
    starts = np.tile([978_138_000, 978_138_000 + 3600 * 60], LEAST)  # in New York Friday evening and Monday morning
    sessions = Sessions(users, starts, np.full(2 * LEAST, -5 * 3600), np.ones(2 * LEAST), np.ones((2 * LEAST, 1)))
    labels = {s.variant: sorted(set(s.panel(sessions).labels.tolist())) for s in SIGNALS if "local" not in s.variant or "part" in s.variant}
    assert labels == {"part of day, local": [MORNING, EVENING], "part of day, UTC": [AFTERNOON, NIGHT], "weekend, UTC": [0, 1]}
    with pytest.raises(ValueError, match="none of 20 people has more than one label"):
        SIGNALS[2].panel(sessions)  # both on working days


# -- worlds ------------------------------------------------------------------------------------------------------------


def world(
    seed: int, people: int = 40, occasions: int = 5, planted: float = 0.0, habit: float = 0.6, carried: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """People, labels, sizes, counts of 3 genres. Night owls (label 3) love genre 0; each session has a taste of its own.

    planted: by how much genre 2 is likelier under label 2; habit: how often a person keeps to the own label; carried: how much of the
    taste, and how often the label, of a session is that of the one before.
    """
    rng = np.random.default_rng(seed)
    own = rng.integers(4, size=people)
    base = np.stack([np.where(own == 3, 0.6, 0.2), rng.uniform(0.2, 0.6, people), rng.uniform(0.3, 0.5, people)], axis=1)
    rows = people * occasions
    labels = np.where(rng.random(rows) < habit, np.repeat(own, occasions), rng.integers(4, size=rows))
    mood = rng.normal(0, 0.15, (rows, 3))
    for row in range(rows):
        if row % occasions:
            labels[row] = labels[row - 1] if rng.random() < carried else labels[row]
            mood[row] = carried * mood[row - 1] + np.sqrt(1 - carried**2) * mood[row]
    chance = np.repeat(base, occasions, axis=0) + mood
    chance[:, 2] += planted * (labels == 2)
    sizes = rng.integers(5, 40, rows)
    return np.repeat(np.arange(people), occasions), labels, sizes, rng.binomial(sizes[:, None], np.clip(chance, 0, 1))


def p_values(seed: int, shuffles: int = 199, shuffled: Callable = permuted, **of) -> tuple[float, float, bool]:
    """p of all labels at once, p of the largest shift, and whether any cell stays after Holm, in one world."""
    people, labels, sizes, counts = world(seed, **of)
    found = permutation_test(panel(people, labels, 4, sizes, counts), (0, 2), 5, shuffles, seed, shuffled)
    return found.explained.p, found.largest.p, bool((found.p_holm < 0.05).any())


def test_a_planted_shift_is_found_and_its_size_recovered() -> None:
    people, labels, sizes, counts = world(0, people=400, planted=0.1)
    p = panel(people, labels, 4, sizes, counts)
    found = permutation_test(p, (0, 1, 2, 3), LEAST, 999)
    assert found.p_holm[2, 2] < 0.05
    assert found.explained.p == found.largest.p == 1 / 1000
    assert (found.p_holm[:, :2] > 0.05).all()  # not in the genres that nothing shifts
    lo, hi = interval(p, 2, 2)
    assert lo < 0.1 < hi
    assert hi - lo < 0.06
    assert found.shifts[2, 2] == pytest.approx(0.1, abs=0.03)


def test_intervals_cover_the_planted_shift() -> None:
    covered = 0
    for seed in range(60):
        people, labels, sizes, counts = world(seed, people=80, planted=0.08)
        lo, hi = interval(panel(people, labels, 4, sizes, counts), 2, 2, seed)
        covered += lo < 0.08 < hi
    assert 51 <= covered <= 60  # of 60; 95% are 57, three standard errors 5


def test_without_a_shift_p_is_uniform_and_alarms_are_rare() -> None:
    """Users differ, most at the hours they keep, and sessions have tastes of their own: neither is a shift."""
    every, largest, alarms = zip(*(p_values(seed) for seed in range(200)))
    assert kstest(every, "uniform").pvalue > 0.01
    assert kstest(largest, "uniform").pvalue > 0.01
    assert sum(alarms) <= 19  # of 200; 5% are 10, three standard errors 9


def test_labels_shuffled_among_users_would_raise_the_alarm() -> None:
    """The trap that the shuffles within users avoid: owls who love horror."""

    def among_all(p: Panel, size: int, rng: np.random.Generator) -> np.ndarray:
        return rng.permuted(np.tile(p.labels, (size, 1)), axis=1)

    people, labels, sizes, counts = world(1, people=200)
    p = panel(np.zeros(len(people)), labels, 4, sizes, counts)
    assert permutation_test(p, (3,), 1, 199, shuffled=among_all).p_holm[0, 0] < 0.05
    within = panel(people, labels, 4, sizes, counts)
    assert permutation_test(within, (3,), LEAST, 199).p_holm[0, 0] > 0.05


def test_ratings_shuffled_one_by_one_would_raise_the_alarm() -> None:
    """The trap that whole sessions avoid: the ratings of a session go together."""
    alarms = 0
    for seed in range(20):
        people, labels, sizes, counts = world(seed)
        has = np.concatenate([np.arange(n)[:, None] < c for n, c in zip(sizes, counts)]).astype(int)
        p = panel(np.repeat(people, sizes), np.repeat(labels, sizes), 4, np.ones(sizes.sum()), has)
        alarms += permutation_test(p, (0, 2), 5, 99).explained.p < 0.05
    assert alarms > 10


def test_labels_moved_along_bear_what_sessions_in_turn_share() -> None:
    """Where taste and hour both carry over to the next session, free shuffles alarm too often, and moved ones do not."""
    lasting = {"occasions": 16, "people": 30, "carried": 0.85, "habit": 0.0}
    free, moved = (sum(p_values(seed, 99, how, **lasting)[0] <= 0.05 for seed in range(60)) for how in (permuted, rotated))
    assert free >= 15
    assert moved <= 9  # of 60; 5% are 3, three standard errors 5


def test_shuffles_keep_to_each_person() -> None:
    people, labels, sizes, counts = world(2)
    p = panel(people, labels, 4, sizes, counts)
    rng = np.random.default_rng(0)
    free, moved = permuted(p, 50, rng), rotated(p, 50, rng)
    for person in range(len(p.begins)):
        own = p.people == person
        there = p.labels[own].tolist()
        assert {tuple(sorted(row)) for row in free[:, own].tolist()} == {tuple(sorted(there))}
        circles = {tuple(there[n:] + there[:n]) for n in range(len(there))}
        assert {tuple(row) for row in moved[:, own].tolist()} == circles
    assert len({tuple(row) for row in free.tolist()}) == 50


def test_the_order_of_users_is_none() -> None:
    people, labels, sizes, counts = world(3, planted=0.1)
    turned = np.argsort(-people, kind="stable")
    here, there = panel(people, labels, 4, sizes, counts), panel(40 - people[turned], labels[turned], 4, sizes[turned], counts[turned])
    for a, b in zip(regress(here, here.labels[None]), regress(there, there.labels[None])):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    one, two = (permutation_test(p, (0, 2), 5, 2000) for p in (here, there))
    np.testing.assert_allclose(one.p, two.p, atol=0.05)
    np.testing.assert_allclose(interval(here, 2, 2), interval(there, 2, 2), atol=0.01)


def test_nothing_is_tested_that_few_stand_behind() -> None:
    people, labels, sizes, counts = world(4)
    p = panel(people, labels, 4, sizes, counts * np.array([1, 1, 0]))
    assert permutation_test(p, (0, 1, 2, 3), 1, 9).outcomes.tolist() == [0, 1]
    least = int(np.sort(p.members)[1])
    assert permutation_test(p, (0, 1, 2, 3), least, 9).labels.tolist() == [n for n in range(4) if p.members[n] >= least]
    with pytest.raises(ValueError, match="0 labels and 0 outcomes have 41 people behind them, wanted at least one of each"):
        permutation_test(p, (0, 1, 2, 3), 41, 9)


# -- the report --------------------------------------------------------------------------------------------------------


def edition(folder: Path, people: int = 3 * LEAST, zip_code: str = "10001", comedies: int = 5, more: int = 0) -> Path:
    """MovieLens 1M in small. All rate 10 films on a Friday morning, 5 of them comedies, and 10 on the Saturday evening after, `comedies` of them;
    the first `more` people rate one on the afternoon between."""
    friday = 973_864_800 + 600  # 10 November 2000, 09:10 in New York
    evening = friday + DAY + 10 * 3600
    folder.mkdir(parents=True)
    (folder / "movies.dat").write_text("".join(f"{n}::Film {n} (1990)::{'Comedy' if n % 2 else 'Drama'}\n" for n in range(1, 41)))
    (folder / "users.dat").write_text("".join(f"{user}::F::25::1::{zip_code}\n" for user in range(1, people + 1)))
    early = [(n, friday + MINUTE * n) for n in range(1, 11)]
    late = [(film, evening + MINUTE * n) for n, film in enumerate([*range(11, 11 + 2 * comedies, 2), *range(12, 12 + 2 * (10 - comedies), 2)])]
    lines = [f"{user}::{film}::4::{time}\n" for user in range(1, people + 1) for film, time in early + late]
    lines += [f"{user}::40::4::{friday + 5 * 3600}\n" for user in range(1, more + 1)]
    (folder / "ratings.dat").write_text("".join(lines))
    return folder


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SHUFFLES", 499)
    monkeypatch.setattr(audit, "SHUFFLES_OF_A_CHECK", 99)


def made(folder: Path) -> report.Report:
    return audit.audit(folder, *load(folder), {"dataset": folder.name, "versions": {}, "command": "test"}, lambda _: None)


@pytest.mark.usefixtures("quick")
def test_the_report(tmp_path: Path) -> None:
    found = made(edition(tmp_path / "tiny", comedies=8))
    path = report.write(found, tmp_path)
    assert path.name == "audit-tiny.json"
    assert report.read(path) == found
    assert [row[:5] for row in found.rows] == [(d.variant, d.model, d.metric, d.k, d.segment) for d in found.differences]
    evening = found.mean("evening", "shift", None, "part of day, local", "genre=Comedy")
    assert evening.mean == pytest.approx(0.3)  # 8 of 10 less 5 of 10
    assert (evening.lo, evening.hi, evening.n) == pytest.approx((0.3, 0.3, 60))
    assert found.mean("evening", "shift", None, "part of day, local", "genre=Drama").mean == pytest.approx(-0.3)
    assert found.mean("weekend", "shift", None, "weekend, local", "genre=Comedy").mean == pytest.approx(0.3)
    assert {row.model for row in found.rows if row.variant == "part of day, UTC"} == {"afternoon", "night"}  # 14:10 and 00:10
    sizes = {"users": 60, "with_zone": 60, "ratings": 1200, "sessions": 120, "more_than_one_session": 60, "utc_another_part": 1}
    assert found.more["counts"] == sizes
    local = found.more["signals"][0]
    assert (local["users"], local["sessions"], local["ratings"], local["cells"], local["found"]) == (60, 120, 1200, 4, 4)
    assert local["most"]["delta"] in (0.3, -0.3)
    assert (local["explained"]["p"], local["explained"]["p_holm"]) == (1 / 500, 4 / 500)
    assert (local["surest"]["p"], local["surest"]["p_holm"]) == (1 / 500, 4 / 500)
    assert local["surest"]["delta"] in (0.3, -0.3)
    assert local["at_most"] == pytest.approx(0.3)
    checks = [(row["check"], row["variant"]) for row in found.more["checks"]]
    later = audit.CHECKS[2].name  # nobody has two of them
    assert checks == [(check.name, signal.variant) for check in audit.CHECKS for signal in SIGNALS if check.name != later]


@pytest.mark.usefixtures("quick")
def test_a_cell_counts_its_own_people(tmp_path: Path) -> None:
    rows = [row for row in made(edition(tmp_path / "tiny", more=LEAST + 5)).rows if row.variant == "part of day, local"]
    assert {(row.model, row.n) for row in rows} == {("morning", 60), ("afternoon", 25), ("evening", 60)}
    rows = made(edition(tmp_path / "fewer", more=LEAST - 1)).rows
    assert {row.model for row in rows if row.variant == "part of day, local"} == {"morning", "evening"}


@pytest.mark.usefixtures("quick")
def test_a_check_is_done_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is moved, everything found lies as far out as in every shuffle."""

    def unmoved(p: Panel, size: int, rng: np.random.Generator) -> np.ndarray:
        return np.tile(p.labels, (size, 1))

    monkeypatch.setattr(audit, "CHECKS", (audit.Check("unmoved", shuffled=unmoved),))
    found = made(edition(tmp_path / "tiny", comedies=8))
    assert [row["largest"]["p"] for row in found.more["checks"]] == [1, 1, 1, 1]
    assert [row["surest"]["p_holm"] for row in found.more["checks"]] == [1, 1, 1, 1]
    assert found.more["signals"][0]["surest"]["p"] == 1 / 500


@pytest.mark.usefixtures("quick")
def test_who_can_be_asked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="abroad has no US ZIP codes"):
        made(edition(tmp_path / "abroad", zip_code="V5A2B"))
    with pytest.raises(ValueError, match=r"19 users have sessions at different times \(part of day, local\), wanted at least 20"):
        made(edition(tmp_path / "few", people=LEAST - 1))


@pytest.mark.parametrize("name", EDITIONS)
def test_the_committed_report(name: str) -> None:
    path = ROOT / "artifacts" / "reports" / f"audit-{name}.json"
    found = report.read(path)
    assert (found.protocol, found.dataset) == (f"audit-{name}", name)
    assert path.stat().st_size < 150_000
    assert min(row.n for row in found.rows) >= LEAST
    assert (
        len(_checked(found.table(), ("mean", "lo", "hi", "n"))) == len(_checked(found.paired(), ("delta", "lo", "hi", "p_holm"))) == len(found.rows)
    )
    for signal in found.more["signals"]:
        cells = [d for d in found.differences if d.variant == signal["variant"]]
        np.testing.assert_allclose(holm(np.array([d.p for d in cells])), [d.p_holm for d in cells], atol=1e-6)
        assert (len(cells), sum(d.p_holm < 0.05 for d in cells)) == (signal["cells"], signal["found"])
        assert max(abs(d.delta) for d in cells) == signal["largest"]["value"] == abs(signal["most"]["delta"])
        assert signal["surest"]["p"] == min(d.p for d in cells)
    assert {(row["check"], row["variant"]) for row in found.more["checks"]} == {(c.name, s.variant) for c in audit.CHECKS for s in SIGNALS}


@pytest.mark.data
@pytest.mark.parametrize("name", EDITIONS)
def test_the_committed_shifts_are_those_of_the_data(name: str) -> None:
    folder = next((f for f in (settings().raw / name, ROOT.parent / "shared" / "data" / name) if f.is_dir()), None)
    if folder is None:
        pytest.skip(f"{name} is not here; `python -m recommender fetch --dataset {name}` gets it")
    committed = report.read(ROOT / "artifacts" / "reports" / f"audit-{name}.json")
    catalog, x = load(folder)
    sessions = sessions_of(x, local_offsets(folder, x), catalog.genres)
    assert committed.data_hash == x.fingerprint()
    assert committed.more["counts"]["sessions"] == len(sessions.users)
    for signal in SIGNALS:
        p = signal.panel(sessions)
        shifts, _ = regress(p, p.labels[None])
        for row in committed.rows:
            if row.variant == signal.variant:
                genre = catalog.genre(str(row.segment).removeprefix("genre="))
                assert row.n == p.members[signal.labels.index(row.model)]
                assert row.mean == pytest.approx(shifts[0, signal.labels.index(row.model), genre], abs=1e-7)
