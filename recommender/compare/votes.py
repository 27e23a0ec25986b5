"""Blind votes between two lists: what is shown, what a vote says, and what all votes together say."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from scipy.stats import binomtest

from recommender import rank
from recommender.compare.lists import Side
from recommender.stats.inference import bootstrap_ratio

Mode = Literal["lists", "one"]
MODES: tuple[Mode, ...] = get_args(Mode)  # two lists without their names; one list made of both
SHOWN = 10  # films of a list that is voted on


@dataclass(frozen=True, eq=False)
class Ballot:
    """What one vote is asked about. pair: the keys of the two lists, in the order of the alphabet; shown: the same as they stand from left to right,
    or as teams 0 and 1; lists: their films, by item number. one: the films of the one list made of both, whose `teams` say who brought each."""

    mode: Mode
    pair: tuple[str, str]
    shown: tuple[str, str]
    seed: int
    lists: tuple[np.ndarray, np.ndarray]
    one: np.ndarray
    teams: np.ndarray

    @property
    def id(self) -> str:
        """The same for every copy of the same ballot, so that a vote sent twice counts once."""
        return f"vote-{self.seed:016x}"

    @property
    def fingerprint(self) -> str:
        """The same for the same films: who has seen their names once is not blind to them any more."""
        both = sorted(films.tolist() for films in self.lists)
        return hashlib.blake2b(repr(both).encode(), digest_size=8).hexdigest()

    @property
    def same(self) -> bool:
        """Whether both lists hold the same films in the same order, so that there is nothing to vote on."""
        return np.array_equal(self.lists[0], self.lists[1])


def names(sides: Sequence[Side]) -> tuple[str, ...]:
    """What the lists of a pair are called in a vote: by their keys, with their moments where those differ."""
    if len({side.context for side in sides}) == 1:
        return tuple(side.key for side in sides)
    return tuple(f"{s.key}@{s.context.time_of_day or 'any'}-{s.context.device or 'any'}" for s in sides)


def seed_of(secret: bytes, *about: object) -> int:
    """A number below 2 ** 63 that only who knows the secret can work out, the same whenever the same is asked for."""
    digest = hashlib.blake2b(repr(about).encode(), key=secret, digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def secret_pair(models: Sequence[str], seed: int, done: Iterable[Iterable[str]] = ()) -> tuple[str, str]:
    """Two different models drawn at random, from the pairs that are not among those `done` while there are any."""
    every = list(itertools.combinations(sorted(models), 2))
    if not every:
        raise LookupError(f"{len(models)} lists can be made, wanted 2 to compare")
    known = {tuple(sorted(pair)) for pair in done}
    left = [pair for pair in every if pair not in known] or every
    return left[int(np.random.default_rng(seed).integers(len(left)))]


def ballot(mode: Mode, lists: Mapping[str, np.ndarray], seed: int, k: int = SHOWN) -> Ballot:
    """Two lists by name, in an order that the seed decides; or their team draft. The order in which they are given decides nothing."""
    if len(lists) != 2:
        raise ValueError(f"{len(lists)} lists, wanted 2")
    rng, (a, b) = np.random.default_rng(seed), sorted(lists)
    shown = (b, a) if rng.integers(2) else (a, b)
    left, right = (np.asarray(lists[name])[:k] for name in shown)
    one, teams = rank.team_draft(left, right, k, rng)
    return Ballot(mode, (a, b), shown, seed, (left, right), one, teams)


def vote_for(asked: Ballot, picked: int | None) -> dict[str, Any]:
    """A vote between two lists, as it is stored: 0 for the left one, 1 for the right one, None for no difference."""
    if asked.mode != "lists" or not (picked is None or (type(picked) is int and picked in (0, 1))):
        raise ValueError(f"picked is {picked!r} of a ballot of mode {asked.mode!r}, must be 0, 1 or None between two lists")
    return {**_said(asked), "preferred": None if picked is None else asked.shown[picked]}


def vote_by(asked: Ballot, ticked: Iterable[int]) -> dict[str, Any]:
    """A vote by films ticked in the one list, by place from 0, as it is stored: each is a point for the list that brought it."""
    places = sorted(set(ticked))
    if asked.mode != "one" or not all(0 <= place < len(asked.teams) for place in places):
        raise ValueError(f"ticked is {places} of a ballot of mode {asked.mode!r}, must be places below {len(asked.teams)} in one list")
    credits = {name: int((asked.teams[places] == team).sum()) for team, name in enumerate(asked.shown)}
    most = [name for name in asked.pair if credits[name] == max(credits.values())]
    teams = [asked.shown[team] for team in asked.teams.tolist()]
    return {**_said(asked), "preferred": most[0] if len(most) == 1 else None, "credits": credits, "ticked": places, "teams": teams}


def _said(asked: Ballot) -> dict[str, Any]:
    return {"mode": asked.mode, "pair": list(asked.pair), "shown": list(asked.shown), "seed": asked.seed, "films": asked.fingerprint}


# -- all votes together ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """A part of all, with its 95% interval; lo and hi are None where there is too little for one."""

    part: float
    of: float
    lo: float | None = None
    hi: float | None = None

    @property
    def value(self) -> float | None:
        return self.part / self.of if self.of else None


@dataclass(frozen=True)
class Tally:
    """All votes between one pair, by mode. first: the share of votes for the first of the pair among those that preferred one; even: votes that
    preferred none; credited: its share of the ticked films, the interval over votes; voters: how many people voted."""

    pair: tuple[str, str]
    first: dict[Mode, Share]
    even: dict[Mode, int]
    credited: Share
    voters: int


def tally(pair: tuple[str, str], votes: Iterable[tuple[str, Mapping[str, Any]]]) -> Tally:
    """Counted over (viewer, note) of stored votes; other pairs and notes that are no vote are passed over.

    Shares of votes have Wilson's interval (JASA 22, 1927). Several films ticked in one vote are not independent, so their share has the
    bootstrap interval over votes, from two votes with a tick on.
    """
    a, b = sorted(pair)
    kept = [(viewer, note) for viewer, note in votes if _is_vote(note, [a, b])]
    first, even = dict[Mode, Share](), dict[Mode, int]()
    for mode in MODES:
        preferred = [note.get("preferred") for _, note in kept if note["mode"] == mode]
        first[mode], even[mode] = _wilson(preferred.count(a), preferred.count(b)), preferred.count(None)
    credits = [note["credits"] for _, note in kept if note["mode"] == "one"]
    points = np.array([[c[a], c[b]] for c in credits], np.float64).reshape(-1, 2)
    return Tally((a, b), first, even, _credited(points[points.sum(axis=1) > 0]), len({viewer for viewer, _ in kept}))


def _is_vote(note: Mapping[str, Any], pair: list[str]) -> bool:
    """Whether a stored note is a whole vote between this pair."""
    if note.get("pair") != pair or note.get("mode") not in MODES or note.get("preferred") not in (*pair, None):
        return False
    credits = note.get("credits")
    counted = isinstance(credits, dict) and all(type(credits.get(name)) is int and credits[name] >= 0 for name in pair)
    return counted or note["mode"] == "lists"


def _wilson(a: int, b: int) -> Share:
    if not a + b:
        return Share(0, 0)
    interval = binomtest(a, a + b).proportion_ci(method="wilson")
    return Share(a, a + b, float(interval.low), float(interval.high))


def _credited(points: np.ndarray) -> Share:
    """points (N, 2): ticked films of either list in each vote."""
    part, of = float(points[:, 0].sum()), float(points.sum())
    if len(points) < 2:
        return Share(part, of)
    found = bootstrap_ratio(points[:, 0], points.sum(axis=1))
    return Share(part, of, found.lo, found.hi)
