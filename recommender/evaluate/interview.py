"""What an interview is worth: people are asked about films one after the other, and what was learned is tried on films never asked about.

A person can only answer for films they rated in the data and that are not held out; for all others the answer is that they have not seen the
film. That is strict: people have seen more than they rated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from recommender import rank
from recommender.catalog import Catalog
from recommender.evaluate.metrics import hits_of_lists, ndcg
from recommender.evaluate.report import Contender, Paired, Row
from recommender.evaluate.split import Split, UserSplit, relevant_films
from recommender.interactions import Interactions
from recommender.interview import PICK, Interview
from recommender.models.atlas import Atlas
from recommender.models.ratings import Ratings
from recommender.settings import Settings
from recommender.stats.inference import bootstrap_means, bootstrap_ratio, holm, paired_differences
from recommender.steer import pushes, steered
from recommender.types import Preferences, Profile, Query, Recommender

ASKED = (0, 5, 10, 15, 20)  # questions after which is measured
PEOPLE, HELD_OUT, K, LIKED = 250, 0.25, 10, 4.0  # persons, share of their ratings held out, length of lists, stars
PICKS = 3  # groups a person picks at first
FEW = Settings.model_fields["few_ratings"].default
OURS, GROUPS, FAMILIAR, POPULAR, RANDOM, ENTROPY = "ours", "groups", "familiar", "popular", "random", "entropy"
PICKING = (GROUPS, FAMILIAR)  # begin with groups
LABELS = {
    OURS: "What settles most, times who knows it",
    GROUPS: f"{PICKS} groups picked first, then the same",
    FAMILIAR: f"{PICKS} groups picked first, then what is likeliest known",
    POPULAR: "Most rated first",
    RANDOM: "Well-known films at random",
    ENTROPY: "Entropy of stars times log raters",
}
RELEASED = "stars as released"
SERVED, HYBRID = "NDCG", "NDCG, hybrid"  # of the model that is served at so many ratings; of the hybrid at any number
LEAST = 20  # ratings of a person


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody to interview: the stars they can answer with, the groups they pick, and the ratings (n,) held out."""

    number: int
    known: dict[int, float]
    picked: tuple[int, ...]
    items: np.ndarray
    stars: np.ndarray


@dataclass(frozen=True, eq=False)
class Talk:
    """Answers of one person in order: item and stars, and how many there were after each of ASKED."""

    items: list[int] = field(default_factory=list)
    stars: list[float] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)

    def query(self, n: int) -> Query:
        """What is known after n answers."""
        return Query(Profile(np.array(self.items[:n], np.int64), np.array(self.stars[:n]), np.arange(n)))


def people(log: Interactions, atlas: Atlas, seed: int, n: int = PEOPLE) -> list[Person]:
    """n people drawn from the log with LEAST ratings or more and a liked film held out; the films with a place only."""
    rng = np.random.default_rng(seed)
    found: list[Person] = []
    for user in rng.permutation(np.flatnonzero(log.lengths >= LEAST)).tolist():
        profile = log.profile(user)
        profile = profile.keep(atlas.known[profile.items])
        held = rng.random(len(profile)) < HELD_OUT
        if len(found) < n and (profile.ratings[held] >= LIKED).any():
            rest = profile.keep(~held)
            known = dict(zip(rest.items.tolist(), rest.ratings.tolist()))
            found.append(Person(user, known, favourites(rest, atlas), profile.items[held], profile.ratings[held]))
    return found


def favourites(profile: Profile, atlas: Atlas) -> tuple[int, ...]:
    """The PICKS groups with most of the liked films."""
    counts = np.bincount(atlas.group_[profile.items[profile.ratings >= LIKED]], minlength=len(atlas.centres))
    return tuple(np.argsort(-counts, kind="stable")[:PICKS].tolist())


def orders(log: Interactions, atlas: Atlas, seed: int) -> dict[str, Callable[[Person], np.ndarray]]:
    """The rivals: strategy -> the films (ASKED[-1],) that a person is asked about, whatever they answer.

    Source of the entropy: Rashid et al., Getting to Know You, IUI 2002.
    """
    counts = np.zeros((log.n_items, 5))
    np.add.at(counts, (log.items, np.clip(np.ceil(log.ratings), 1, 5).astype(int) - 1), 1)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(axis=1)
    popular = rank.top(rank.mask(atlas.raters_, ~atlas.known), ASKED[-1])
    uneven = rank.top(rank.mask(entropy * np.log(np.maximum(atlas.raters_, 1)), ~atlas.known), ASKED[-1])
    core = np.flatnonzero(atlas.core_)
    return {
        POPULAR: lambda person: popular,
        RANDOM: lambda person: np.random.default_rng([seed, person.number]).permutation(core)[: ASKED[-1]],
        ENTROPY: lambda person: uneven,
    }


def follow(person: Person, order: np.ndarray) -> Talk:
    """An interview by a list."""
    return _talk(person, lambda talk, asked: int(order[len(asked)]))


def adapt(person: Person, interview: Interview, picked: tuple[int, ...] = ()) -> Talk:
    """An interview by what settles most, changed by every answer."""
    everything = np.ones(len(interview.ratings.raters_), bool)
    return _talk(person, lambda talk, asked: interview.questions(np.array(talk.items, np.int64), everything, asked, 1, picked)[0].item)


def _talk(person: Person, choose: Callable[[Talk, list[int]], int]) -> Talk:
    talk, asked = Talk(), list[int]()
    for n in range(ASKED[-1] + 1):
        if n in ASKED:
            talk.answered.append(len(talk.items))
        if n < ASKED[-1]:
            asked.append(choose(talk, asked))
            if asked[-1] in person.known:
                talk.items.append(asked[-1])
                talk.stars.append(person.known[asked[-1]])
    return talk


# -- what was learned --------------------------------------------------------------------------------------------------


def errors(ratings: Ratings, persons: list[Person], talks: list[Talk]) -> np.ndarray:  # (B, len(ASKED))
    """Squared errors of the stars held out, added up for each person."""
    found = np.empty((len(persons), len(ASKED)))
    for b, (person, talk) in enumerate(zip(persons, talks)):
        guesses = ratings.score([talk.query(n) for n in talk.answered])[:, person.items]
        found[b] = ((np.clip(guesses, 0.5, 5) - person.stars) ** 2).sum(axis=1)
    return found


@dataclass(eq=False)
class Lists:
    """First K films for what was learned, none of them a film that the person could have answered for: so the same films are ranked whatever was
    asked, and only the knowledge differs. Lists already made are kept."""

    models: dict[str, Recommender]
    catalog: Catalog
    atlas: Atlas
    made: dict[tuple, np.ndarray] = field(default_factory=dict)

    def first(self, model: str, person: Person, query: Query, picked: tuple[int, ...]) -> np.ndarray:  # (K,)
        """The first films of a model, moved by the groups picked."""
        key = (model, person.number, picked, *(() if model == "popularity" else query.profile.items.tolist()))
        if key not in self.made:
            settings = Preferences(groups=tuple((g, PICK) for g in picked))
            moved = pushes(settings, self.catalog, {g: self.atlas.closeness(g) for g in picked}, self.atlas.raters_)
            scores = rank.mask(steered(self.models[model].score([query])[0], moved), ~self.atlas.known)
            self.made[key] = rank.top(rank.mask(scores, np.array(list(person.known), np.int64)), K)
        return self.made[key]

    def ndcg(self, persons: list[Person], talks: list[Talk], groups: bool, served: bool) -> np.ndarray:  # (B, len(ASKED))
        """Of the liked films held out: by the hybrid, or by the model that serves so many ratings."""
        relevant = [person.items[person.stars >= LIKED] for person in persons]
        right = relevant_films(
            np.repeat(np.arange(len(persons)), list(map(len, relevant))), np.concatenate(relevant), (len(persons), len(self.catalog))
        )
        columns = []
        for c in range(len(ASKED)):
            shown = [
                self.first("popularity" if served and t.answered[c] < FEW else "hybrid", p, t.query(t.answered[c]), p.picked if groups else ())
                for p, t in zip(persons, talks)
            ]
            columns.append(ndcg(hits_of_lists(np.stack(shown), right), np.diff(right.indptr), K))
        return np.column_stack(columns)


# -- the study ---------------------------------------------------------------------------------------------------------


def run(models: dict[str, Recommender], strangers: UserSplit, catalog: Catalog, say: Callable = print, seed: int = 0) -> tuple:
    """Splits, contenders, rows, differences and more, for people none of the models was trained on."""
    ratings = models["ratings"]
    assert isinstance(ratings, Ratings)
    atlas = Atlas().attach(models).fit(strangers.fit, catalog)
    persons = people(strangers.exam, atlas, seed)
    rivals, lists = orders(strangers.fit, atlas, seed), Lists(models, catalog, atlas)
    interview, table = Interview(ratings, atlas), {}
    rows: list[Row] = []
    for name in LABELS:
        talks = [_held(name, person, interview, rivals) for person in persons]
        table[name] = _measured(name, persons, talks, ratings, interview, lists)
        rows += _rows(name, table[name], persons)
        say(f"{name}: " + ", ".join(f"{r.metric} {r.mean:.3f}" for r in rows[-4 * len(ASKED) - 1 :: len(ASKED)]))
    more = {
        "groups": len(atlas.centres),
        "penalties": ratings.penalties_.tolist(),
        "people": len(persons),
        "few": FEW,
        "picks": PICKS,
        "points": PICK,
    }
    contenders = [Contender(name, label, "", False, 1, 0.0, 0.0, 0.0) for name, label in LABELS.items()]
    return [_split(strangers.exam, persons, seed)], contenders, rows, _compared(table, persons), more


def _held(name: str, person: Person, interview: Interview, rivals: dict) -> Talk:
    if name in rivals:
        return follow(person, rivals[name](person))
    if name == FAMILIAR:
        return follow(person, rank.top(rank.mask(interview.chances(person.picked), ~interview.atlas.known), ASKED[-1]))
    return adapt(person, interview, person.picked if name == GROUPS else ())


def _measured(name: str, persons: list[Person], talks: list[Talk], stars: Ratings, interview: Interview, lists: Lists) -> dict[str, np.ndarray]:
    """Metric -> (B, len(ASKED)); squared errors under RMSE."""
    settled = [[interview.progress(np.array(t.items[:n], np.int64)) for n in t.answered] for t in talks]
    return {
        "RMSE": errors(stars, persons, talks),
        SERVED: lists.ndcg(persons, talks, name in PICKING, served=True),
        HYBRID: lists.ndcg(persons, talks, name in PICKING, served=False),
        "answered": np.array([t.answered for t in talks], np.float64),
        "settled": np.array(settled),
    }


def _rows(name: str, table: dict[str, np.ndarray], persons: list[Person]) -> list[Row]:
    counts, rows = np.array([len(p.stars) for p in persons], np.float64), []
    for metric, values in table.items():
        found = [bootstrap_ratio(column, counts, np.sqrt) for column in values.T] if metric == "RMSE" else bootstrap_means(values)
        k = K if metric in (SERVED, HYBRID) else None
        rows += [Row(RELEASED, name, metric, k, f"asked={n}", *e) for n, e in zip(ASKED, found)]
    return rows


def _compared(tables: dict[str, dict[str, np.ndarray]], persons: list[Person]) -> list[Paired]:
    """Every strategy less the most rated first after each number of questions; p corrected over the whole table of one metric."""
    counts, found = np.array([len(p.stars) for p in persons], np.float64), []
    names = [name for name in tables if name != POPULAR]
    for metric in ("RMSE", SERVED, HYBRID):
        pairs = [(name, n, c) for name in names for c, n in enumerate(ASKED) if n or (name in PICKING and metric != "RMSE")]
        a, b = (np.column_stack([tables[of or name][metric][:, c] for name, _, c in pairs]) for of in ("", POPULAR))
        tested = paired_differences(a, b, denominators=counts, transform=np.sqrt) if metric == "RMSE" else paired_differences(a, b)
        corrected = holm(np.array([d.p for d in tested])).tolist()
        k = None if metric == "RMSE" else K
        found += [
            Paired(RELEASED, name, POPULAR, metric, k, f"asked={n}", d.delta, d.lo, d.hi, d.p, p, d.n)
            for (name, n, _), d, p in zip(pairs, tested, corrected)
        ]
    return found


def _split(log: Interactions, persons: list[Person], seed: int) -> Split:
    """What is held out, for the checksum of the report."""
    users = np.array([p.number for p in persons])
    pairs = np.repeat(np.arange(len(persons)), [len(p.items) for p in persons]), np.concatenate([p.items for p in persons])
    starts = np.searchsorted(log.users, users)
    return Split(
        protocol="interview",
        variant="a quarter held out",
        seed=seed,
        train=log.where(np.zeros(len(log), bool)),
        source=log,
        spans=np.stack([starts, starts], axis=1),
        users=users,
        relevant=relevant_films(*pairs, (len(persons), log.n_items)),
        at=np.zeros(len(persons), np.int64),
        times_of_day=np.full(len(persons), -1),
        candidates=log.raters >= 0,
    )
