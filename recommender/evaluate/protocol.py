"""Models x splits -> a report: the fast half of an evaluation, from ranked lists to figures with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from scipy import sparse

from recommender.catalog import Catalog
from recommender.evaluate import metrics, peers, trec
from recommender.evaluate.contenders import ALWAYS, BASELINES, RANKERS
from recommender.evaluate.rankings import LEAST, Ranking, rankings
from recommender.evaluate.report import Contender, Paired, Row
from recommender.evaluate.split import NEW, POWER, Split, relevant_films
from recommender.stats.inference import Estimate, bootstrap_means, bootstrap_ratio, holm, paired_differences

CUTS = (5, 10, LEAST)
K = 10  # of everything that is reported at one cut-off only
SEGMENTED = ("NDCG", "HR", "P", "R")  # metrics reported by segment and compared in pairs
BANDS = ("head", "middle", "tail")
CHUNK = 4096  # queries whose relevant films are held densely at once

Key = tuple[str, int | None]  # metric, k


@dataclass(frozen=True, eq=False)
class People:
    """What is known of users beside their ratings: segment -> (U,) bool, such as "gender=F"; empty where the edition does not say."""

    segments: dict[str, np.ndarray]


def bands(raters: np.ndarray) -> np.ndarray:
    """(I,) 0 head, 1 middle, 2 tail: the most rated films that together draw a third of the ratings, the next third, the rest."""
    order = np.argsort(-raters, kind="stable")
    share = (np.cumsum(raters[order]) - raters[order]) / max(raters.sum(), 1)  # drawn by the films before it
    band = np.empty(len(raters), int)
    band[order] = np.minimum((3 * share).astype(int), 2)
    return band


def accuracy(shown: np.ndarray, relevant: sparse.csr_array, cuts: Iterable[int] = CUTS) -> dict[Key, np.ndarray]:
    """Every ranking metric of the lists shown (B, K) at every cut, one number per query."""
    parts: list[dict[Key, np.ndarray]] = []
    for start in range(0, len(shown), CHUNK):
        rows = slice(start, start + CHUNK)
        hits, counts = metrics.hits_of_lists(shown[rows], relevant[rows]), np.diff(relevant[rows].indptr)
        parts.append({(name, k): of(hits, counts, k) for name, of in metrics.RANKING.items() for k in cuts})
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def beyond(split: Split, shown: np.ndarray, expected: np.ndarray, genres: np.ndarray) -> dict[Key, np.ndarray]:
    """What a list is beside accurate, at K, one number per query; nan where a viewer's taste in genres is unknown."""
    raters, lists = split.train.raters, shown[:, :K]
    weights = metrics.inverse_propensities(raters)
    parts = []
    for start in range(0, len(shown), CHUNK):
        rows = slice(start, start + CHUNK)
        relevant = split.relevant[rows]
        hits = metrics.hits_of_lists(lists[rows], relevant)
        parts.append(
            {
                "novelty": metrics.novelty(lists[rows], raters, split.train.n_users),
                "diversity": metrics.intra_list_diversity(lists[rows], genres),
                "popularity": metrics.popularity(lists[rows], raters),
                "serendipity": metrics.serendipity(hits, lists[rows], expected[rows, :K]),
                "IPS-R": metrics.weighted_recall(lists[rows], relevant, weights, K),
                "IPS-NDCG": metrics.weighted_ndcg(lists[rows], relevant, weights, K),
                "own-hits NDCG": metrics.own_hits_ndcg(hits, np.diff(relevant.indptr), K),
                "calibration": _calibration(split, rows, lists[rows], genres),
            }
        )
    return {(name, K): np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _calibration(split: Split, rows: slice, lists: np.ndarray, genres: np.ndarray) -> np.ndarray:
    lengths = split.known[rows]
    items = np.concatenate([split.source.items[start:stop] for start, stop in split.spans[rows].tolist()])
    profiles = sparse.csr_array((np.ones(len(items)), items, np.concatenate([[0], np.cumsum(lengths)])), shape=(len(lists), len(genres)))
    taste = metrics.genre_shares(profiles, genres)
    known = np.isclose(taste.sum(axis=1), 1)
    found = np.full(len(lists), np.nan)
    if known.any():
        found[known] = metrics.miscalibration(lists[known], genres, taste[known])
    return found


@dataclass(frozen=True, eq=False)
class Measured:
    """One model on one split: values per user, mean over seeds; the spread of the mean between seeds; figures of the system as a whole."""

    users: np.ndarray  # (U,) user numbers
    values: dict[Key, np.ndarray]  # (U,) each
    by_band: dict[str, tuple[np.ndarray, dict[Key, np.ndarray]]]  # band -> who has a right film in it (U,), values of those
    spread: dict[Key, float]
    system: dict[str, float]
    events: dict[Key, tuple[np.ndarray, np.ndarray]]  # sums and numbers of queries per user, where a user is asked several times


def measure(split: Split, found: list[Ranking], expected: np.ndarray, genres: np.ndarray) -> Measured:
    """Per-user values of one model's rankings, one ranking a seed."""
    per_seed = []
    band = bands(split.train.raters)
    banded: dict[str, list[dict[Key, np.ndarray]]] = {name: [] for name in BANDS}
    inside = {name: _only(split.relevant, band == b) for b, name in enumerate(BANDS)}
    has = {name: np.flatnonzero(np.diff(m.indptr)) for name, m in inside.items()}
    for ranking in found:
        per_seed.append(accuracy(ranking.shown, split.relevant) | beyond(split, ranking.shown, expected, genres))
        for name in BANDS:
            if len(has[name]):
                banded[name].append(accuracy(ranking.shown[has[name]], inside[name][has[name]], (K,)))
    users, of_user = np.unique(split.users, return_inverse=True)
    weight = np.ones(len(split)) if split.stands_for is None else split.stands_for
    mean = {key: np.mean([values[key] for values in per_seed], axis=0) for key in per_seed[0]}
    shows = [metrics.exposures(r.shown[:, :K], split.train.n_items)[split.candidates] for r in found]
    told = [key for key, v in mean.items() if len(found) > 1 and np.isfinite(v).any()]
    seeds = {key: [float(np.nanmean(_by_user(values[key], of_user))) for values in per_seed] for key in told}
    return Measured(
        users=users,
        values={key: _by_user(v, of_user) for key, v in mean.items()},
        by_band={
            name: (
                np.unique(split.users[has[name]]),
                {key: _by_user(np.mean([v[key] for v in banded[name]], axis=0), _again(split.users[has[name]])) for key in banded[name][0]},
            )
            for name in BANDS
            if len(has[name])
        },
        spread={key: float(np.std(v, ddof=1)) for key, v in seeds.items()},
        system={"coverage": float(np.mean([metrics.coverage(s) for s in shows])), "gini": float(np.mean([metrics.gini(s) for s in shows]))},
        events={(m, K): (np.bincount(of_user, weight * mean[m, K]), np.bincount(of_user, weight)) for m in SEGMENTED}
        if len(users) < len(split)
        else {},
    )


def _only(relevant: sparse.csr_array, films: np.ndarray) -> sparse.csr_array:
    """The relevant films (B, I) that are among films (I,) bool."""
    rows, items = relevant.nonzero()
    kept = films[items]
    return relevant_films(rows[kept], items[kept], relevant.shape)


def _again(users: np.ndarray) -> np.ndarray:
    return np.unique(users, return_inverse=True)[1]


def _by_user(values: np.ndarray, of_user: np.ndarray) -> np.ndarray:
    """Mean of a user's queries; nan where any is."""
    return np.bincount(of_user, values) / np.bincount(of_user)


def segments(split: Split, users: np.ndarray, people: People) -> dict[str, np.ndarray]:
    """segment -> (U,) which of `users` belong to it. History counts the ratings known when the user is first asked."""
    order = np.argsort(split.users, kind="stable")
    first = order[np.searchsorted(split.users[order], users)]
    known = split.known[first]
    own = {
        "history=new": known < NEW,
        "history=moderate": (known >= NEW) & (known < POWER),
        "history=power": known >= POWER,
        **{f"users={name}": members[first] for name, members in split.groups.items()},
    }
    return own | {name: members[users] for name, members in people.segments.items()}


def rows(split: Split, model: str, m: Measured, people: People) -> Iterator[Row]:
    """All figures of one model on one split: for all users, for the system, by segment, by band of the right film."""
    yield from _estimated(split, model, m.values, None, m.spread)
    for name, value in m.system.items():
        yield Row(split.variant, model, name, K, None, value, value, value, len(m.users))
    for (name, k), (sums, counts) in m.events.items():
        yield Row(split.variant, model, name, k, "unit=event", *bootstrap_ratio(sums, counts))
    chosen = [(name, K) for name in SEGMENTED]
    for segment, members in segments(split, m.users, people).items():
        if members.sum() >= 20:
            yield from _estimated(split, model, {key: m.values[key][members] for key in chosen}, segment, {})
    for band, (users, values) in m.by_band.items():
        if len(users) >= 20:
            yield from _estimated(split, model, {key: values[key] for key in chosen}, f"popularity={band}", {})


def _estimated(split: Split, model: str, values: dict[Key, np.ndarray], segment: str | None, spread: dict[Key, float]) -> Iterator[Row]:
    """Means with intervals; users without a value are left out, and n says how many are in."""
    complete = [key for key, v in values.items() if np.isfinite(v).all()]
    estimates = dict(zip(complete, bootstrap_means(np.column_stack([values[key] for key in complete]))))
    for (name, k), v in values.items():
        known = np.isfinite(v)
        if known.sum() < 2:  # as genres where no film has any
            continue
        e: Estimate = estimates[name, k] if (name, k) in estimates else bootstrap_means(v[known, None])[0]
        yield Row(split.variant, model, name, k, segment, *e, spread.get((name, k)))


def paired(split: Split, found: dict[str, Measured]) -> list[Paired]:
    """Every model less the best of BASELINES (by NDCG@10), user by user; p corrected over the whole table."""
    best = max((name for name in BASELINES if name in found), key=lambda name: found[name].values["NDCG", K].mean())
    others = [name for name in found if name != best]
    if not others:
        return []
    table = []
    for metric in SEGMENTED:
        a = np.column_stack([found[name].values[metric, K] for name in others])
        table += [(name, metric, d) for name, d in zip(others, paired_differences(a, found[best].values[metric, K][:, None]))]
    corrected = holm(np.array([d.p for _, _, d in table])).tolist()
    return [Paired(split.variant, name, best, metric, K, None, d.delta, d.lo, d.hi, d.p, p, d.n) for (name, metric, d), p in zip(table, corrected)]


def run(
    splits: list[Split],
    names: list[str],
    seeds: list[int],
    catalog: Catalog,
    people: People,
    work: Path,
    run_dir: Path | None = None,
    say: Callable[[str], object] = print,
) -> tuple[list[Contender], list[Row], list[Paired]]:
    """Fit and rank every model on every split, then measure. Splits that share their training rows stand next to each other."""
    protocol = splits[0].protocol
    wanted = [name for name in RANKERS if protocol in RANKERS[name].protocols and (name in names or name in ALWAYS)]
    genres = catalog.genres.astype(float)
    contenders: list[Contender] = []
    figures: list[Row] = []
    differences: list[Paired] = []
    for _, group in groupby(splits, key=lambda s: s.train.fingerprint()):
        together = list(group)
        found: list[dict[str, list[Ranking]]] = [{} for _ in together]
        for name in wanted:
            candidate = RANKERS[name]
            if candidate.variants is not None and together[0].variant not in candidate.variants:
                continue
            for seed in seeds if candidate.trained else seeds[:1]:
                for place, ranking in enumerate(rankings(name, candidate.make(seed), together, catalog, work)):
                    found[place].setdefault(name, []).append(ranking)
        others = [peers.rankings(split, work / "peers") for split in together]
        for split, lists, answers in zip(together, found, others):
            lists |= {name: [answer.ranking] for name, answer in answers.items()}
            measured = {name: measure(split, of, lists["popularity"][0].shown, genres) for name, of in lists.items()}
            for name, m in measured.items():
                figures += list(rows(split, name, m, people))
                say(_headline(split, name, m))
            differences += paired(split, measured)
            if run_dir:
                trec.write(split, lists, catalog, run_dir)
        if not contenders:
            contenders = [others[0][name].contender if name in others[0] else _contender(name, of) for name, of in found[0].items()]
    return contenders, figures, differences


def _contender(name: str, found: list[Ranking]) -> Contender:
    candidate, mean = RANKERS[name], lambda field: round(float(np.mean([getattr(r, field) for r in found])), 3)
    cost = (mean("fit_seconds"), mean("ms_per_query"), mean("megabytes"))
    return Contender(name, candidate.label, candidate.family, candidate.uses_time, len(found), *cost, candidate.note)


def _headline(split: Split, name: str, m: Measured) -> str:
    shown = ", ".join(f"{metric}@{K} {m.values[metric, K].mean():.4f}" for metric in SEGMENTED)
    return f"{split.protocol} {split.variant} · {name}: {shown}"
