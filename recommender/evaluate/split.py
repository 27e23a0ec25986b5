"""Who is trained on and who is asked: the four protocols, and the split by user that the artifacts are examined on.

A model under test may learn from everything but the test items; what it needs for validation it holds out of that itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from recommender.interactions import Interactions
from recommender.types import TIMES_OF_DAY, Context, Profile, Query

NEW, POWER = 50, 200  # ratings known: fewer than NEW is a new user, POWER or more a power user


@dataclass(frozen=True, eq=False)
class Split:
    """Questions with known answers. Query b knows rows spans[b] of `source` and asks at moment `at[b]`; relevant[b] are the right films.

    users (B,) whose number each query belongs to (one user may be asked several times); relevant: bool csr (B, I);
    times_of_day (B,) index into TIMES_OF_DAY or -1; at (B,) unix seconds; candidates (I,) bool, the films that are ranked;
    groups: names of disjoint sets of queries that are reported apart, such as warm and cold users;
    hidden: rows (B, 2) of source whose films are not ranked, where they are more than those known; liked_from as in Profile;
    stands_for: (B,) how many questions each one was drawn from, where not all are asked.
    """

    protocol: str
    variant: str
    seed: int
    train: Interactions
    source: Interactions
    spans: np.ndarray
    users: np.ndarray
    relevant: sparse.csr_array
    at: np.ndarray
    times_of_day: np.ndarray
    candidates: np.ndarray
    groups: dict[str, np.ndarray] = field(default_factory=dict)
    hidden: np.ndarray | None = None
    liked_from: float = 0.0  # every rating counts as watched
    stands_for: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.users)

    def queries(self, rows: np.ndarray | slice) -> list[Query]:
        """The queries of these rows, made when they are asked for."""
        s = self.source
        return [
            Query(
                Profile(s.items[start:stop], s.ratings[start:stop], s.times[start:stop], liked_from=self.liked_from),
                Context(TIMES_OF_DAY[part] if part >= 0 else None, at=int(at)),
            )
            for (start, stop), part, at in zip(self.spans[rows].tolist(), self.times_of_day[rows].tolist(), self.at[rows].tolist())
        ]

    @property
    def known(self) -> np.ndarray:
        """(B,) number of ratings known of the asked viewer."""
        return self.spans[:, 1] - self.spans[:, 0]

    def checksum(self) -> str:
        """sha256 over (user id, film number) of all test items, in the order of the queries."""
        rows, items = self.relevant.nonzero()
        order = np.lexsort((items, rows))
        return _digest(self.source.user_ids[self.users[rows[order]]], items[order])

    def sizes(self) -> dict[str, int]:
        """What a report says of the split."""
        asked = {f"{name}_users": len(np.unique(self.users[rows])) for name, rows in self.groups.items()}
        return {
            "train": len(self.train),
            "queries": len(self),
            "users": len(np.unique(self.users)),
            "test_items": int(self.relevant.nnz),
            "films": int(self.candidates.sum()),
            **asked,
        }


@dataclass(frozen=True, eq=False)
class RatingSplit:
    """Ratings to learn from and ratings to predict."""

    protocol: str
    variant: str
    seed: int
    train: Interactions
    test: Interactions

    def checksum(self) -> str:
        """sha256 over (user id, film number) of the test rows."""
        return _digest(self.test.user_ids[self.test.users], self.test.items)

    def sizes(self) -> dict[str, int]:
        """What a report says of the split."""
        return {
            "train": len(self.train),
            "test_items": len(self.test),
            "users": len(np.unique(self.test.users)),
            "films": int((self.train.raters > 0).sum()),
        }


def stem(split: Split | RatingSplit) -> str:
    """The beginning of the names of a split's files: P1-stable_order."""
    return f"{split.protocol}-{split.variant.replace(' ', '_').replace('/', '-')}"


def _digest(*columns: np.ndarray) -> str:
    digest = hashlib.sha256()
    for column in columns:
        digest.update(np.ascontiguousarray(column, dtype="<i8").tobytes())
    return digest.hexdigest()


def core(interactions: Interactions, least: int = 5) -> Interactions:
    """Only users and films with `least` interactions or more among themselves, taken away until nothing changes."""
    kept = np.ones(len(interactions), bool)
    while True:
        items = np.bincount(interactions.items[kept], minlength=interactions.n_items)
        users = np.bincount(interactions.users[kept], minlength=interactions.n_users)
        again = kept & (items[interactions.items] >= least) & (users[interactions.users] >= least)
        if again.sum() == kept.sum():
            return interactions.where(kept)
        kept = again


def shuffle_ties(interactions: Interactions, seed: int) -> Interactions:
    """The same rows with those of one user and one second in random order."""
    return interactions.where(np.lexsort((np.random.default_rng(seed).random(len(interactions)), interactions.times, interactions.users)))


def leave_last_out(interactions: Interactions, shuffled: bool = False, seed: int = 0) -> Split:
    """P1: the last film of every user of the 5-core. Ties of time stay in file order, or are shuffled."""
    log = shuffle_ties(core(interactions), seed) if shuffled else core(interactions)
    users = np.flatnonzero(log.lengths >= 2)
    if not len(users):
        raise ValueError("no user is left with two interactions or more in the 5-core; wanted at least one")
    last = np.array([log.rows(u).stop - 1 for u in users.tolist()])
    train = log.where(~np.isin(np.arange(len(log)), last))
    return _asked("P1", "ties shuffled" if shuffled else "stable order", seed, train, log, last)


def _asked(protocol: str, variant: str, seed: int, train: Interactions, log: Interactions, rows: np.ndarray) -> Split:
    """Each row (B,) of the log is asked for with all that its user did before."""
    starts = np.searchsorted(log.users, log.users[rows])
    return Split(
        protocol=protocol,
        variant=variant,
        seed=seed,
        train=train,
        source=log,
        spans=np.stack([starts, rows], axis=1),
        users=log.users[rows],
        relevant=relevant_films(np.arange(len(rows)), log.items[rows], (len(rows), log.n_items)),
        at=log.times[rows],
        times_of_day=log.times_of_day[rows],
        candidates=log.raters > 0,
    )


def _rest(protocol: str, variant: str, seed: int, train: Interactions, log: Interactions, asked: np.ndarray) -> Split:
    """Each user of the rows `asked` (numbers or bool) is asked for all of them at once, with the training rows known; at the last of those."""
    users = np.unique(log.users[asked])
    spans = np.array([(r.start, r.stop) for r in map(train.rows, users.tolist())])
    return Split(
        protocol=protocol,
        variant=variant,
        seed=seed,
        train=train,
        source=train,
        spans=spans,
        users=users,
        relevant=relevant_films(np.searchsorted(users, log.users[asked]), log.items[asked], (len(users), log.n_items)),
        at=train.times[spans[:, 1] - 1],
        times_of_day=np.full(len(users), -1),
        candidates=log.raters > 0,
    )


def relevant_films(rows: np.ndarray, items: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """bool csr (B, I) of `shape`, true at each of the pairs rows (N,), items (N,)."""
    return sparse.csr_array((np.ones(len(rows), bool), (rows, items)), shape=shape)


def random_fifth(interactions: Interactions, seed: int = 0) -> Split:
    """P2: of every user a random fifth of the ratings, at least one; every rating is relevant, whatever its stars."""
    rng = np.random.default_rng(seed)
    test = np.zeros(len(interactions), bool)
    for user in np.flatnonzero(interactions.lengths >= 2).tolist():
        r = interactions.rows(user)
        n = r.stop - r.start
        test[r.start + rng.permutation(n)[: max(1, n // 5)]] = True
    return _rest("P2", "80/20", seed, interactions.where(~test), interactions, test)


def rating_folds(interactions: Interactions, folds: int = 10, seed: int = 0) -> Iterator[RatingSplit]:
    """P3: all ratings in random order, cut into equal folds; each is predicted once from the others."""
    order = np.random.default_rng(seed).permutation(len(interactions))
    for fold, rows in enumerate(np.array_split(order, folds)):
        test = np.zeros(len(interactions), bool)
        test[rows] = True
        share = round(100 / folds)
        yield RatingSplit("P3", f"{100 - share}/{share} fold {fold}", seed, interactions.where(~test), interactions.where(test))


def time_cut(interactions: Interactions, quantile: float = 0.9, seed: int = 0, each: int = 25) -> dict[str, Split]:
    """P4: everything before one moment is trained on; what came after is asked in three ways.

    last: each user's last film, with all before it known; successive: films after the cut, each with all before it known, and
    of a user with more than `each` of them so many drawn at random; all: what the user rated after the cut, knowing only what was before.
    Warm users rated something before the cut.
    """
    cut = int(np.quantile(interactions.times, quantile, method="higher"))
    train = interactions.before(cut)
    if not len(train):
        raise ValueError(f"no interaction is earlier than the {quantile} quantile of all times, {cut}; wanted at least one to learn from")
    after = np.flatnonzero(interactions.times >= cut)
    users = np.unique(interactions.users[after])
    last = np.array([interactions.rows(u).stop - 1 for u in users.tolist()])
    drawn = _some_of_each(interactions.users[after], each, seed)
    stands_for = (np.bincount(interactions.users[after]) / np.maximum(np.bincount(interactions.users[after[drawn]]), 1))[
        interactions.users[after[drawn]]
    ]
    splits = {
        "last": _asked("P4", "last", seed, train, interactions, last),
        "successive": replace(_asked("P4", "successive", seed, train, interactions, after[drawn]), stands_for=stands_for),
        "all": replace(_rest("P4", "all", seed, train, interactions, after), at=np.full(len(users), cut)),
    }
    return {name: replace(s, groups={"warm": train.lengths[s.users] > 0, "cold": train.lengths[s.users] == 0}) for name, s in splits.items()}


def _some_of_each(users: np.ndarray, each: int, seed: int) -> np.ndarray:  # numbers of rows, ascending
    """At most `each` rows of every user, drawn at random; users (N,) ascending."""
    order = np.lexsort((np.random.default_rng(seed).random(len(users)), users))
    return np.sort(order[np.arange(len(users)) - np.searchsorted(users, users) < each])


@dataclass(frozen=True)
class UserSplit:
    """Three groups of viewers, none in two: models learn from `fit`, the hybrid's gate from `gate`, cards report on `exam`."""

    fit: Interactions
    gate: Interactions
    exam: Interactions


def split_users(interactions: Interactions, gate: float, exam: float, seed: int) -> UserSplit:
    """Draw the groups by user; shares are of all users. Because models are inductive, the examined are strangers to them."""
    if not 0 < gate + exam < 1:
        raise ValueError(f"gate + exam == {gate + exam}, must lie between 0 and 1")
    draw = np.random.default_rng(seed).random(interactions.n_users)[interactions.users]
    return UserSplit(
        fit=interactions.where(draw >= gate + exam),
        gate=interactions.where(draw < gate),
        exam=interactions.where((draw >= gate) & (draw < gate + exam)),
    )


def leave_last(interactions: Interactions, least: int = 5) -> tuple[list[Query], np.ndarray]:
    """For each user with `least` interactions or more: all but the last, with the local time of day of the last; and the last film."""
    queries, targets = [], []
    for user in np.flatnonzero(interactions.lengths >= least).tolist():
        r = interactions.rows(user)
        profile = interactions.profile(user)
        part = int(interactions.times_of_day[r.stop - 1])
        context = Context(time_of_day=TIMES_OF_DAY[part] if part >= 0 else None)
        queries.append(Query(profile.keep(np.arange(len(profile)) < len(profile) - 1), context))
        targets.append(profile.items[-1])
    return queries, np.array(targets, np.int64)
