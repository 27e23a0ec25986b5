"""What a data set is like, as a report: how long its tail, how short its users' visits, whose clock its times follow.

Whatever is published rests on at least LEAST people: neighbouring cells are folded together, and what cannot be folded is left out.
Shapes: N ratings, U users, I films.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from recommender.datacard import SITTING_HOURS, DataCard, data_card
from recommender.evaluate.metrics import gini
from recommender.evaluate.report import Report
from recommender.interactions import UNKNOWN, Interactions
from recommender.load import load, localtime
from recommender.load.formats import recognise
from recommender.types import TIMES_OF_DAY

LEAST = 20  # people behind any published figure
GAPS = (0.5, 1, SITTING_HOURS, 24)  # hours: other pauses that could end a sitting
SITTINGS = np.array([1, 2, 3, 4, 6, 11])  # lowest number of each bin
TAIL_POINTS = 50


def describe(folder: Path, films: Path, facts: dict) -> Report:
    """Describe the data set in a folder; facts are the report's dataset, versions and command. Raises ValueError under LEAST users."""
    catalog, x = load(folder, films)
    card = data_card(catalog, x)
    if card.users < LEAST:
        raise ValueError(f"{folder.name} has {card.users} users, wanted at least {LEAST}: a report tells of no single person")
    return Report(
        protocol="data",
        data_hash=card.fingerprint,
        split_checksum="",
        seeds=[],
        date=datetime.now(UTC).date().isoformat(),
        more={
            "least_users": LEAST,
            "sizes": _sizes(card),
            "stars": _stars(x),
            **_tail(x),
            **_lengths(x),
            **_sittings(x),
            "ties": _ties(x),
            **_clock(x, _local_hours(folder, x)),
            "growth": _growth(x),
            "context": {"device": "not recorded in any MovieLens edition"},
        },
        **facts,
    )


# -- no cell of a few people -------------------------------------------------------------------------------------------


def fold(bins: np.ndarray, users: np.ndarray) -> list[tuple[int, int]]:
    """Ranges (first, last) of neighbouring bins, each with at least LEAST different users; one range where there are fewer in all.

    bins, users (n,): the bin and the user of each thing counted. A range begins and ends with a bin that holds something.
    """
    ranges: list[tuple[int, int]] = []
    people: set[int] = set()
    occupied, per_bin = _people(bins, users)
    for bin, members in zip(occupied.tolist(), per_bin):
        ranges.append((ranges.pop()[0] if people else bin, bin))
        people.update(members.tolist())
        if len(people) >= LEAST:
            people = set()
    if people and len(ranges) > 1:
        _, last = ranges.pop()
        ranges.append((ranges.pop()[0], last))
    return ranges


def _people(bins: np.ndarray, users: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The bins that hold anything, ascending, and the different users in each."""
    top = int(users.max()) + 1
    pairs = np.unique(bins.astype(np.int64) * top + users)
    occupied, begins = np.unique(pairs // top, return_index=True)
    return occupied, np.split(pairs % top, begins[1:])


def _thin(bins: np.ndarray, users: np.ndarray) -> bool:
    """Whether some bin holds fewer than LEAST users; a bin without any tells of nobody."""
    return any(len(members) < LEAST for members in _people(bins, users)[1])


def _share(chosen: np.ndarray, users: np.ndarray) -> float | None:
    """Share of things (n,) that are chosen; None where only a few users are behind those that are, or those that are not."""
    return None if _thin(chosen, users) else _rounded(chosen.mean())


def _rounded(share: float) -> float:
    return round(float(share), 4)


# -- what is told ------------------------------------------------------------------------------------------------------


def _sizes(card: DataCard) -> dict:
    first, last = (datetime.fromtimestamp(second, UTC).date().isoformat() for second in (card.first, card.last))
    counts = {"users": card.users, "films": card.films, "rated_films": card.rated_films, "ratings": card.ratings}
    return {**counts, "density": _rounded(card.density), "first": first, "last": last}


def _stars(x: Interactions) -> list[dict]:
    if _thin((2 * x.ratings).astype(int), x.users):
        return []
    return [{"stars": float(stars), "count": int(count)} for stars, count in zip(*np.unique(x.ratings, return_counts=True))]


def _tail(x: Interactions) -> dict:
    """The cumulative curve over the rated films, most rated first, from (0, 0) to (1, 1)."""
    order = np.argsort(-x.raters, kind="stable")[: int((x.raters > 0).sum())]
    n, reached = len(order), np.append(0, np.cumsum(x.raters[order]))
    edges = np.unique(np.round(n * np.arange(TAIL_POINTS + 1) / TAIL_POINTS).astype(int))  # films up to each point
    place = np.zeros(x.n_items, int)
    place[order] = np.arange(n)
    ranges = fold(np.searchsorted(edges, place[x.items], side="right") - 1, x.users)
    stops = [0, *(int(edges[last + 1]) for _, last in ranges)]
    return {
        "tail": [{"share_of_films": _rounded(stop / n), "share_of_ratings": _rounded(reached[stop] / len(x))} for stop in stops],
        "films_for_half": int(np.searchsorted(reached, len(x) / 2)),
        "gini": _rounded(gini(x.raters[order])) if n > 1 else 0.0,
    }


def _lengths(x: Interactions) -> dict:
    """Ratings a user and ratings a film, over those who have any."""
    people, rated = np.flatnonzero(x.lengths), np.flatnonzero(x.raters)
    per_user, per_film = x.lengths[people], x.raters[rated]
    place = np.zeros(x.n_items, int)
    place[rated] = np.arange(len(rated))
    return {
        "lengths": _histogram("users", per_user, np.arange(len(people)), people, len(rated)),
        "per_user": _centre(per_user),
        "films": _histogram("films", per_film, place[x.items], x.users, len(people)),
        "per_film": _centre(per_film),
    }


def _centre(numbers: np.ndarray) -> dict[str, float]:
    return {"median": float(np.median(numbers)), "mean": round(float(numbers.mean()), 2)}


def _histogram(what: str, sizes: np.ndarray, owners: np.ndarray, users: np.ndarray, limit: int) -> list[dict]:
    """How many things have low to high ratings; bins grow by the square root of 2, the last ends at the most that is possible.

    sizes (n,) ratings of each thing; owners and users (m,) which thing rests on which user; limit: the most ratings a thing can have.
    """
    lows = np.unique(np.round(2 ** (np.arange(64) / 2)).astype(np.int64))
    bins = np.searchsorted(lows, sizes, side="right") - 1
    ranges = fold(bins[owners], users)
    highs = [int(lows[last + 1]) - 1 for _, last in ranges[:-1]] + [limit]
    return [
        {"low": int(lows[first]), "high": high, what: int(((bins >= first) & (bins <= last)).sum())} for (first, last), high in zip(ranges, highs)
    ]


def sittings(x: Interactions, hours: float) -> np.ndarray:
    """(N,) number from 0 of the sitting, among its user's, in which each rating was given; a pause of more than `hours` ends one."""
    starts = (np.diff(x.users, prepend=-1) != 0) | (np.diff(x.times, prepend=0) > hours * 3600)
    running = np.cumsum(starts)
    first_rows = np.searchsorted(x.users, x.users)  # (N,) the first row of the user of each row
    return running - running[first_rows]


def _sittings(x: Interactions) -> dict:
    sitting = sittings(x, SITTING_HOURS)
    people = np.flatnonzero(x.lengths)
    bins = np.searchsorted(SITTINGS, _most(x, sitting) + 1, side="right") - 1
    counts = [(_sittings_label(first, last), ((bins >= first) & (bins <= last)).sum()) for first, last in fold(bins, people)]
    return {
        "sessions": [{"sessions": label, "users": int(users)} for label, users in counts],
        "sitting": {
            "gap_hours": SITTING_HOURS,
            "one_only": _share(bins == 0, people),
            "first_share": _share(sitting == 0, x.users),
            "gaps": [{"hours": hours, "one_only": _share(_most(x, sittings(x, hours)) == 0, people)} for hours in GAPS],
        },
    }


def _sittings_label(first: int, last: int) -> str:
    low = int(SITTINGS[first])
    if last == len(SITTINGS) - 1:
        return f"over {low - 1}"
    high = int(SITTINGS[last + 1]) - 1
    return str(low) if low == high else f"{low}-{high}"


def _most(x: Interactions, values: np.ndarray) -> np.ndarray:
    """The greatest of values (N,) of each user who has any."""
    return np.maximum.reduceat(values, np.unique(x.users, return_index=True)[1])


def _ties(x: Interactions) -> dict:
    """Ratings of one user within one second: nobody can tell their order. longest: a run that LEAST users or more have."""
    same = (np.diff(x.users) == 0) & (np.diff(x.times) == 0)
    run = np.append(0, np.cumsum(~same))
    lengths = np.bincount(run)[run]
    longest = np.sort(_most(x, lengths))[-LEAST]
    return {"share": _share(lengths > 1, x.users), "longest": int(longest), "users": LEAST}


def _local_hours(folder: Path, x: Interactions) -> np.ndarray:
    """(N,) hour on the user's own clock, UNKNOWN where nobody knows; the user file is asked only where it has ZIP codes."""
    if (x.times_of_day == UNKNOWN).all():
        return np.full(len(x), UNKNOWN, np.int8)
    zips = recognise(folder).zips
    return localtime.local_hours(x.users, x.times, [zips[user] for user in x.user_ids.tolist()])


def _clock(x: Interactions, local: np.ndarray) -> dict:
    """Hours and parts of day; nothing local where no local hour is known."""
    known = local != UNKNOWN
    columns = {"utc": _by_hour(x.times % 86_400 // 3600, x.users)}
    found: dict = {"local_known": _share(known, x.users)}
    if known.any():
        columns = {"local": _by_hour(local[known], x.users[known]), **columns}
        parts = np.bincount(x.times_of_day[known], minlength=len(TIMES_OF_DAY)) / known.sum()
        if not _thin(x.times_of_day[known], x.users[known]):
            found["parts"] = [{"part": name, "share": _rounded(share)} for name, share in zip(TIMES_OF_DAY, parts)]
    return {"hours": [{"hour": hour, **{name: _rounded(share[hour]) for name, share in columns.items()}} for hour in range(24)], **found}


def _by_hour(hours: np.ndarray, users: np.ndarray) -> np.ndarray:
    """(24,) share of ratings given in each hour; neighbouring hours of too few people all get their mean."""
    shares = np.bincount(hours, minlength=24) / len(hours)
    for first, last in fold(hours, users):
        shares[first : last + 1] = shares[first : last + 1].mean()
    return shares


def _growth(x: Interactions) -> list[dict]:
    """Ratings from the first day of `month` to the last of `until`, UTC; the two are one where enough people came that month."""
    months = x.times.astype("datetime64[s]").astype("datetime64[M]")
    number = (months - months.min()).astype(np.int64)
    counts = np.bincount(number)
    return [
        {"month": str(months.min() + first), "until": str(months.min() + last), "ratings": int(counts[first : last + 1].sum())}
        for first, last in fold(number, x.users)
    ]
