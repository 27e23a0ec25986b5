"""The report on a data set: a log small enough to count by hand, and no figure that tells of a few people."""

from __future__ import annotations

from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.datacard import data_card
from recommender.evaluate import dataset, report
from recommender.evaluate.dataset import LEAST, describe, fold
from recommender.interactions import UNKNOWN, Interactions
from recommender.load import load, localtime
from recommender.settings import ROOT, settings
from recommender.types import TIMES_OF_DAY

FACTS = {"dataset": "tiny", "versions": {}, "command": "test"}
FILMS = ROOT / "data" / "films.csv"
HOUR = 3600
EDITIONS = ("ml-1m", "ml-100k", "ml-latest-small")

# New York put its clocks forward on 2 April 2000 at 2 in the night, 07:00 UTC; Phoenix never does.
HALF_PAST_SIX, HALF_PAST_SEVEN = 954657000, 954660600  # UTC
ANN = [(1, 5, HALF_PAST_SIX), (2, 4, HALF_PAST_SIX), (3, 3, HALF_PAST_SEVEN), (4, 3, HALF_PAST_SEVEN + 6 * HOUR)]  # New York
BOB = [(1, 5, HALF_PAST_SIX), (2, 1, HALF_PAST_SIX + 6 * HOUR + 1)]  # Phoenix
CIM = [(1, 4, HALF_PAST_SEVEN)]  # Canada
PEOPLE = [(ANN, "10001"), (BOB, "85001-1234"), (CIM, "V5A2B")]

Log = list[tuple[int, float, int]]


def edition(folder: Path, people: list[tuple[Log, str]], copies: int = 1, films: int = 5) -> Path:
    """A data set in the format of MovieLens 1M; people: what each rated as (film id, stars, time), and the ZIP code; all of them `copies` times."""
    everyone = people * copies
    folder.mkdir()
    (folder / "movies.dat").write_text("".join(f"{n}::Film {n} (1990)::Drama\n" for n in range(1, films + 1)))
    (folder / "users.dat").write_text("".join(f"{user}::F::25::1::{code}\n" for user, (_, code) in enumerate(everyone, 1)))
    lines = [f"{user}::{film}::{stars}::{time}\n" for user, (log, _) in enumerate(everyone, 1) for film, stars, time in log]
    (folder / "ratings.dat").write_text("".join(lines))
    return folder


def without_zips(folder: Path, logs: list[Log]) -> Path:
    """A data set in the format of the CSV editions."""
    folder.mkdir()
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "".join(f"{n},Film {n} (1990),Drama\n" for n in range(1, 6)))
    lines = [f"{user},{film},{stars},{time}\n" for user, log in enumerate(logs, 1) for film, stars, time in log]
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(lines))
    return folder


@pytest.fixture
def by_hand(tmp_path: Path) -> dict:
    return describe(edition(tmp_path / "tiny", PEOPLE, LEAST), FILMS, FACTS).more


def share(part: int, whole: int) -> float:
    return round(part / whole, 4)


# -- twenty of each, by hand -------------------------------------------------------------------------------------------


def test_the_frame(tmp_path: Path) -> None:
    folder = edition(tmp_path / "tiny", PEOPLE, LEAST)
    found = describe(folder, FILMS, FACTS)
    assert (found.protocol, found.dataset, found.command) == ("data", "tiny", "test")
    assert found.data_hash == load(folder)[1].fingerprint()
    assert [*found.rows, *found.models, *found.differences, *found.splits, *found.seeds] == []
    assert report.read(report.write(found, tmp_path)) == found


def test_sizes_and_stars(by_hand: dict) -> None:
    counts = {"users": 60, "films": 5, "rated_films": 4, "ratings": 140}
    assert by_hand["sizes"] == {**counts, "density": share(140, 60 * 4), "first": "2000-04-02", "last": "2000-04-02"}
    assert by_hand["stars"] == [{"stars": s, "count": n} for s, n in ((1, 20), (3, 40), (4, 40), (5, 40))]
    assert by_hand["growth"] == [{"month": "2000-04", "until": "2000-04", "ratings": 140}]
    assert by_hand["context"] == {"device": "not recorded in any MovieLens edition"}


def test_tail(by_hand: dict) -> None:
    # of every seven ratings film 1 has three, film 2 two, films 3 and 4 one each; film 5 has none
    points = [(0, 0), (0.25, share(3, 7)), (0.5, share(5, 7)), (0.75, share(6, 7)), (1, 1)]
    assert by_hand["tail"] == [{"share_of_films": films, "share_of_ratings": ratings} for films, ratings in points]
    assert by_hand["films_for_half"] == 2
    assert by_hand["gini"] == share(-3 * 1 - 1 * 1 + 1 * 2 + 3 * 3, 7 * 3)  # sum of (2j - n - 1) p_j over n - 1 = 3


def test_lengths(by_hand: dict) -> None:
    assert by_hand["lengths"] == [{"low": low, "high": high, "users": 20} for low, high in ((1, 1), (2, 2), (4, 4))]
    assert by_hand["per_user"] == {"median": 2.0, "mean": 2.33}
    # 60, 40, 20 and 20 raters; nobody can have more than all 60
    assert by_hand["films"] == [{"low": low, "high": high, "films": n} for low, high, n in ((16, 22, 2), (32, 44, 1), (45, 60, 1))]
    assert by_hand["per_film"] == {"median": 30.0, "mean": 35.0}


def test_sittings(by_hand: dict) -> None:
    # Ann's pauses are 0, 1 and exactly 6 hours: one sitting. Bob's is a second longer than 6: two.
    assert by_hand["sessions"] == [{"sessions": "1", "users": 40}, {"sessions": "2", "users": 20}]
    sitting = by_hand["sitting"]
    assert (sitting["gap_hours"], sitting["one_only"], sitting["first_share"]) == (6, share(2, 3), share(6, 7))
    assert [(gap["hours"], gap["one_only"]) for gap in sitting["gaps"]] == [(0.5, share(1, 3)), (1, share(1, 3)), (6, share(2, 3)), (24, 1)]


def test_the_number_of_each_sitting() -> None:
    users, times = np.array([1, 1, 1, 1, 3, 3]), np.array([0, HOUR, 2 * HOUR + 1, 9 * HOUR, 5, 5])
    x = Interactions(users, np.array([0, 1, 2, 3, 0, 1]), np.full(6, 3.0), times, n_users=4, n_items=4)
    assert dataset.sittings(x, 1).tolist() == [0, 0, 1, 2, 0, 0]
    assert dataset.sittings(x, 6).tolist() == [0, 0, 0, 1, 0, 0]


def test_ties(by_hand: dict) -> None:
    assert by_hand["ties"] == {"share": share(2, 7), "longest": 2, "users": LEAST}  # Ann's first two; Bob's film 1 is of the same second


def test_hours(by_hand: dict) -> None:
    """Ann's half past six is 01:30 and her half past seven 03:30, for there was no 2 o'clock; Bob's half past six is 23:30 of the day before."""
    utc = {6: 3 / 7, 7: 2 / 7, 12: 1 / 7, 13: 1 / 7}
    local = {1: 2 / 6, 3: 1 / 6, 9: 1 / 6, 23: 1 / 6, 5: 1 / 6}
    assert by_hand["hours"] == [{"hour": h, "local": round(local.get(h, 0), 4), "utc": round(utc.get(h, 0), 4)} for h in range(24)]
    assert by_hand["local_known"] == share(6, 7)
    shares = {"morning": share(2, 6), "afternoon": 0, "evening": 0, "night": share(4, 6)}
    assert by_hand["parts"] == [{"part": part, "share": shares[part]} for part in TIMES_OF_DAY]


def test_local_hours_over_the_change_of_clocks() -> None:
    users, times = np.array([0, 0, 1, 1, 2]), np.array([954658799, 954658800, 954658799, 954658800, 954658800])
    hours = localtime.local_hours(users, times, ["10001", "85001", "V5A2B"])
    assert hours.tolist() == [1, 3, 23, 0, UNKNOWN]
    parts = localtime.times_of_day(users, times, ["10001", "85001", "V5A2B"])
    assert [TIMES_OF_DAY[p] if p != UNKNOWN else None for p in parts] == ["night"] * 4 + [None]


def test_an_edition_without_zip_codes(tmp_path: Path) -> None:
    more = describe(without_zips(tmp_path / "tiny", [ANN, BOB, CIM] * LEAST), FILMS, FACTS).more
    assert more["local_known"] == 0
    assert "parts" not in more
    assert all(set(row) == {"hour", "utc"} for row in more["hours"])
    assert more["hours"][6]["utc"] == share(3, 7)


# -- no figure about a few people --------------------------------------------------------------------------------------


def test_folding_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "LEAST", 2)
    assert fold(np.array([0, 0, 1, 1]), np.array([7, 8, 7, 9])) == [(0, 0), (1, 1)]
    assert fold(np.array([0, 0, 1, 1]), np.array([7, 7, 7, 9])) == [(0, 1)]  # one user twice is one user, and nobody is left for a second range
    assert fold(np.array([1, 3, 6, 6]), np.array([7, 8, 7, 8])) == [(1, 3), (6, 6)]
    assert fold(np.array([1, 1, 5]), np.array([7, 8, 9])) == [(1, 5)]  # the last goes with those before it
    assert fold(np.array([2, 4]), np.array([7, 7])) == [(2, 4)]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), min_size=1, max_size=400))
def test_folded_ranges_hold_everything_and_enough_people(pairs: list[tuple[int, int]]) -> None:
    bins, users = np.array(pairs).T
    ranges = fold(bins, users)
    held = [set(users[(bins >= first) & (bins <= last)].tolist()) for first, last in ranges]
    assert all(a[1] < b[0] for a, b in pairwise(ranges))
    assert set().union(*held) == set(users.tolist())
    assert sum(int(((bins >= first) & (bins <= last)).sum()) for first, last in ranges) == len(bins)
    assert len(ranges) == 1 or min(map(len, held)) >= LEAST


def enough(more: dict, x: Interactions) -> None:
    """Count anew, from the ratings, the people behind every cell."""

    def people(rows: np.ndarray) -> int:
        return len(np.unique(x.users[rows]))

    assert min(row["users"] for row in more["sessions"] + more["lengths"]) >= LEAST
    assert sum(row["users"] for row in more["sessions"]) == sum(row["users"] for row in more["lengths"]) == more["sizes"]["users"]
    raters = x.raters[x.items]
    assert sum(row["films"] for row in more["films"]) == more["sizes"]["rated_films"]
    assert all(people((raters >= row["low"]) & (raters <= row["high"])) >= LEAST for row in more["films"])
    months = x.times.astype("datetime64[s]").astype("datetime64[M]").astype(str)
    assert sum(row["ratings"] for row in more["growth"]) == len(x)
    assert all(people((months >= row["month"]) & (months <= row["until"])) >= LEAST for row in more["growth"])
    assert all(people(x.ratings == row["stars"]) >= LEAST for row in more["stars"])
    place = np.argsort(np.argsort(-x.raters, kind="stable"), kind="stable")[x.items]
    stops = [round(point["share_of_films"] * more["sizes"]["rated_films"]) for point in more["tail"]]
    assert all(people((place >= low) & (place < high)) >= LEAST for low, high in pairwise(stops))
    for _, same in groupby(more["hours"], key=lambda row: row["utc"]):  # hours that were folded show one figure
        hours = list(same)
        assert hours[0]["utc"] == 0 or people(np.isin(x.times // HOUR % 24, [row["hour"] for row in hours])) >= LEAST


def test_a_few_odd_people_are_told_of_nowhere(tmp_path: Path) -> None:
    """Nineteen with what nobody else has: a month, an hour, half a day of sittings, a long history, one film, one figure of stars."""
    start = 972561600  # 2000-10-26 12:00 UTC
    plain: Log = [(film, 4, start + 60 * film) for film in range(1, 5)]
    odd: Log = [(film, 2, start + 40 * 86_400 * (film == 40) + film * 7 * HOUR) for film in range(1, 41)]
    folder = edition(tmp_path / "tiny", [(plain, "10001")] * 30 + [(odd, "10001")] * (LEAST - 1), films=40)
    more = describe(folder, FILMS, FACTS).more
    enough(more, load(folder)[1])
    assert more["sessions"] == [{"sessions": "over 0", "users": 49}]
    assert more["lengths"] == [{"low": 4, "high": 40, "users": 49}]
    assert more["growth"] == [{"month": "2000-10", "until": "2000-12", "ratings": 30 * 4 + 19 * 40}]
    assert more["stars"] == []
    assert len({row["utc"] for row in more["hours"]}) == 1
    assert more["sitting"]["one_only"] is more["sitting"]["first_share"] is None


def test_the_longest_run_is_one_that_twenty_have(tmp_path: Path) -> None:
    run: Log = [(film, 4, 972561600) for film in range(1, 31)]
    people = [(run, "")] + [(run[:3], "")] * LEAST + [(run[:1], "")] * LEAST
    assert describe(edition(tmp_path / "tiny", people, films=30), FILMS, FACTS).more["ties"]["longest"] == 3


def test_too_few_for_any_report(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="tiny has 3 users, wanted at least 20"):
        describe(edition(tmp_path / "tiny", PEOPLE), FILMS, FACTS)


# -- the real sets, and the report in the repository -------------------------------------------------------------------


def test_the_committed_report_is_small() -> None:
    path = ROOT / "artifacts" / "reports" / "data.json"
    found = report.read(path)
    assert (found.protocol, found.dataset) == ("data", "ml-1m")
    assert path.stat().st_size < 30_000


@pytest.mark.data
@pytest.mark.parametrize("name", EDITIONS)
def test_real(name: str, tmp_path: Path) -> None:
    folder = next((f for f in (settings().raw / name, ROOT.parent / "shared" / "data" / name) if f.is_dir()), None)
    if folder is None:
        pytest.skip(f"{name} is not here; `python -m recommender fetch --dataset {name}` gets it")
    found = describe(folder, settings().films, FACTS)
    assert report.write(found, tmp_path).stat().st_size < 30_000
    more, (catalog, x) = found.more, load(folder)
    enough(more, x)
    card = data_card(catalog, x)
    assert more["sitting"]["one_only"] == round(card.one_sitting, 4)
    assert more["local_known"] == round(card.local_time_known, 4)
    assert {row["part"]: row["share"] for row in more.get("parts", [])} == {
        part: round(part_share, 4) for part, part_share in card.times_of_day.items() if card.local_time_known
    }
    assert ("local" in more["hours"][0]) == (name != "ml-latest-small")
    for column in set(more["hours"][0]) - {"hour"}:
        assert sum(row[column] for row in more["hours"]) == pytest.approx(1, abs=0.002)
    if name == "ml-1m":
        committed = report.read(ROOT / "artifacts" / "reports" / "data.json")
        assert (committed.more, committed.data_hash) == (more, found.data_hash)
