"""Does the part of day, or the weekend, shift the genres that one and the same person rates? The context audit.

A session is a run of ratings of one user without a pause of more than SESSION_MINUTES; its label is that of the moment it began, by the user's
own clock and, to show what the wrong clock does, by UTC. Only users with sessions of more than one label tell anything; the regression within
users and the permutation of labels among sessions stand in stats/within.py. What sessions in turn have in common, such as a list that is
carried on after a break, could still raise a false alarm: therefore CHECKS repeat the test with longer sessions, without everybody's first one
(in which the site asks for well known films), and with labels moved along in their order. p_holm of a cell is over all
cells of its signal, that of a signal over all signals.
A label must have been met by LEAST users or more, and a genre rated by as many.
Shapes: N ratings, S sessions, I films, G genres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recommender.catalog import Catalog
from recommender.evaluate.dataset import LEAST, sittings
from recommender.evaluate.report import Paired, Report, Row
from recommender.interactions import UNKNOWN, Interactions
from recommender.load import local_offsets, localtime
from recommender.stats.inference import holm
from recommender.stats.within import Panel, Tested, interval, panel, permutation_test, permuted, rotated
from recommender.types import TIMES_OF_DAY

SESSION_MINUTES = 30
SHUFFLES, SHUFFLES_OF_A_CHECK = 10_000, 2_000
ALPHA = 0.05
OTHERS = "the same users at other times"
DAYS = ("weekday", "weekend")
_DAY = 86_400


@dataclass(frozen=True, eq=False)
class Sessions:
    """Parallel columns (S,), sorted by user, then time."""

    users: np.ndarray
    starts: np.ndarray  # unix seconds
    offsets: np.ndarray  # local less universal time, seconds
    sizes: np.ndarray  # ratings
    genres: np.ndarray  # (S, G) ratings of films that have the genre

    @property
    def later(self) -> Sessions:
        """Without the first session of each user."""
        rows = np.diff(self.users, prepend=-1) == 0
        return Sessions(self.users[rows], self.starts[rows], self.offsets[rows], self.sizes[rows], self.genres[rows])


def sessions_of(x: Interactions, offsets: np.ndarray, genres: np.ndarray, minutes: float = SESSION_MINUTES) -> Sessions:
    """Sessions of the users whose clock is known. offsets (N,) as of local_offsets; genres (I, G) bool, which film has which."""
    known = np.flatnonzero(offsets != UNKNOWN)
    users, sitting = x.users[known], sittings(x, minutes / 60)[known]
    begins = np.flatnonzero((np.diff(users, prepend=-1) != 0) | (np.diff(sitting, prepend=-1) != 0))
    counts = np.add.reduceat(genres[x.items[known]].astype(np.int64), begins)
    first = known[begins]
    return Sessions(x.users[first], x.times[first], offsets[first].astype(np.int64), np.diff(begins, append=len(known)), counts)


def part_of_day(seconds: np.ndarray) -> np.ndarray:
    """Seconds that a clock has run since 1970 began on it -> index into TIMES_OF_DAY."""
    return localtime.part_of_day(seconds % _DAY // 3600)


def weekend(seconds: np.ndarray) -> np.ndarray:
    """Seconds of a clock, as above -> index into DAYS; 1970 began on a Thursday, day 3 of a week that begins on Monday."""
    return ((seconds // _DAY + 3) % 7 >= 5).astype(np.int8)


class Signal(NamedTuple):
    """A label of sessions: its values, which of them are told (of two, one is the other's mirror), and how a clock gives it."""

    variant: str
    labels: tuple[str, ...]
    told: tuple[int, ...]
    of: Callable[[np.ndarray], np.ndarray]
    local: bool

    def panel(self, sessions: Sessions) -> Panel:
        """The sessions that tell anything. Raises ValueError where they are those of fewer than LEAST users."""
        labels = self.of(sessions.starts + sessions.offsets * self.local)
        found = panel(sessions.users, labels, len(self.labels), sessions.sizes, sessions.genres)
        if len(found.begins) < LEAST:
            raise ValueError(f"{len(found.begins)} users have sessions at different times ({self.variant}), wanted at least {LEAST}")
        return found


SIGNALS = (
    Signal("part of day, local", TIMES_OF_DAY, (0, 1, 2, 3), part_of_day, True),
    Signal("part of day, UTC", TIMES_OF_DAY, (0, 1, 2, 3), part_of_day, False),
    Signal("weekend, local", DAYS, (1,), weekend, True),
    Signal("weekend, UTC", DAYS, (1,), weekend, False),
)


class Check(NamedTuple):
    """The same test done otherwise."""

    name: str
    minutes: float = SESSION_MINUTES
    later: bool = False
    shuffled: Callable = permuted


CHECKS = (
    Check("sessions end after 60 minutes", minutes=60),
    Check("sessions end after 6 hours", minutes=360),
    Check("without the first session of each user", later=True),
    Check("labels moved along in their order", shuffled=rotated),
)


def audit(folder: Path, catalog: Catalog, x: Interactions, facts: dict, say: Callable[[str], object] = print) -> Report:
    """The audit of the data set in a folder; facts are the report's dataset, versions and command.

    Raises ValueError where the edition has no ZIP codes, or too few users have sessions at different times.
    """
    offsets = local_offsets(folder, x)
    if (offsets == UNKNOWN).all():
        raise ValueError(f"{folder.name} has no US ZIP codes, wanted an edition that tells where its users live, such as ml-1m or ml-100k")
    sessions = sessions_of(x, offsets, catalog.genres)
    cells: list[Paired] = []
    signals = []
    for signal in SIGNALS:
        p = signal.panel(sessions)
        tested = permutation_test(p, signal.told, LEAST, SHUFFLES)
        own = _cells(signal, p, tested, catalog.genre_names)
        cells += own
        signals.append({**_summary(signal, p, tested, catalog.genre_names), **_extremes(own)})
        say(f"{signal.variant}: {_told(signals[-1])}")
    return Report(
        protocol=f"audit-{facts['dataset']}",
        data_hash=x.fingerprint(),
        split_checksum="",
        seeds=[0],
        date=datetime.now(UTC).date().isoformat(),
        rows=[Row(d.variant, d.model, d.metric, d.k, d.segment, d.delta, d.lo, d.hi, d.n) for d in cells],
        differences=cells,
        more={
            "least_users": LEAST,
            "session_minutes": SESSION_MINUTES,
            "shuffles": SHUFFLES,
            "shuffles_of_a_check": SHUFFLES_OF_A_CHECK,
            "counts": _counts(x, sessions),
            "signals": _corrected(signals),
            "checks": [row for check in CHECKS for row in _again(check, catalog, x, offsets, say)],
        },
        **facts,
    )


def _cells(signal: Signal, p: Panel, tested: Tested, genre_names: tuple[str, ...]) -> list[Paired]:
    """Each shift with its interval, p values and the users who have sessions both of this label and of others."""
    found = []
    for row, label in enumerate(tested.labels.tolist()):
        for column, genre in enumerate(tested.outcomes.tolist()):
            lo, hi = interval(p, label, genre)
            delta, lo, hi, each, p_holm = map(_round, (tested.shifts[row, column], lo, hi, tested.p[row, column], tested.p_holm[row, column]))
            names = (signal.variant, signal.labels[label], OTHERS, "shift", None, f"genre={genre_names[genre]}")
            found.append(Paired(*names, delta, lo, hi, each, p_holm, int(p.members[label])))
    return found


def _counts(x: Interactions, sessions: Sessions) -> dict:
    """How much there is to learn from, before any label. utc_another_part: share of sessions that UTC puts in another part of day."""
    per_user = np.bincount(sessions.users, minlength=x.n_users)
    wrong = part_of_day(sessions.starts) != part_of_day(sessions.starts + sessions.offsets)
    return {
        "users": int((x.lengths > 0).sum()),
        "with_zone": int((per_user > 0).sum()),
        "ratings": int(sessions.sizes.sum()),
        "sessions": len(sessions.users),
        "more_than_one_session": int((per_user > 1).sum()),
        "utc_another_part": _round(wrong.mean()),
    }


def _summary(signal: Signal, p: Panel, tested: Tested, genre_names: tuple[str, ...]) -> dict:
    """Who tells anything of a signal, and what all its cells say together; surest: the cell of the smallest p.

    explained: share of the variation of genres within users.
    """
    row, column = np.unravel_index(np.lexsort((-np.abs(tested.shifts).ravel(), tested.p.ravel()))[0], tested.p.shape)
    figures = {"delta": tested.shifts, "p": tested.p, "p_holm": tested.p_holm}
    return {
        "variant": signal.variant,
        "users": len(p.begins),
        "sessions": len(p.people),
        "ratings": int(p.sizes.sum()),
        "cells": tested.p_holm.size,
        "found": int((tested.p_holm < ALPHA).sum()),
        "explained": {name: _round(value) for name, value in tested.explained._asdict().items()},
        "largest": {name: _round(value) for name, value in tested.largest._asdict().items()},
        "surest": {
            "model": signal.labels[tested.labels[row]],
            "segment": f"genre={genre_names[tested.outcomes[column]]}",
            **{name: _round(of.item(row, column)) for name, of in figures.items()},
        },
    }


def _corrected(signals: list[dict]) -> list[dict]:
    """The same with p of what the labels explain, and of the largest shift, corrected for there being several signals."""
    p = {name: holm(np.array([s[name]["p"] for s in signals])).tolist() for name in ("explained", "largest")}
    return [{**s, **{name: {**s[name], "p_holm": _round(p[name][n])} for name in p}} for n, s in enumerate(signals)]


def _extremes(cells: list[Paired]) -> dict:
    """The cell of the largest shift; at_most: the largest shift that any cell's interval leaves room for."""
    most = max(cells, key=lambda d: abs(d.delta))
    told = {name: getattr(most, name) for name in ("model", "segment", "delta", "lo", "hi", "p", "p_holm", "n")}
    return {"most": told, "at_most": max(max(abs(d.lo), abs(d.hi)) for d in cells)}


def _again(check: Check, catalog: Catalog, x: Interactions, offsets: np.ndarray, say: Callable[[str], object]) -> list[dict]:
    """Every signal once more, the way of a check; those that too few users then tell of are left out."""
    sessions = sessions_of(x, offsets, catalog.genres, check.minutes)
    sessions = sessions.later if check.later else sessions
    rows = []
    for signal in SIGNALS:
        try:
            p = signal.panel(sessions)
            tested = permutation_test(p, signal.told, LEAST, SHUFFLES_OF_A_CHECK, shuffled=check.shuffled)
        except ValueError as error:
            say(f"{check.name} left out: {error}")
            continue
        rows.append({"check": check.name, **_summary(signal, p, tested, catalog.genre_names)})
        say(f"{check.name}, {signal.variant}: {_told(rows[-1])}")
    return rows


def _told(s: dict) -> str:
    explained, largest = s["explained"], s["largest"]
    return (
        f"{s['users']} users, {s['sessions']} sessions; {explained['value']:.4%} explained, {explained['chance']:.4%} by chance, "
        f"p {explained['p']:.4f}; largest shift {largest['value']:.2%}, p {largest['p']:.4f}; {s['found']} of {s['cells']} after Holm"
    )


def _round(value: float) -> float:
    return round(float(value), 8)
