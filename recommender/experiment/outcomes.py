"""What was recorded in an experiment, one event a row, summed for each viewer and day: from the store to the log that is read."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from recommender.catalog import Catalog
from recommender.experiment.assign import arms_of, first_day, midnight
from recommender.experiment.log import STEPS, Log
from recommender.experiment.plan import Plan
from recommender.types import DEVICES, TIMES_OF_DAY

DAY = 86_400  # seconds
BEST_KNOWN = 200  # films with the most raters, which coverage does not count
UNKNOWN = "unknown"
HISTORY = ((0, "no visit"), (1, "1 or 2 visits"), (3, "3 or more"))  # from so many days on which somebody came before the experiment


class Outcomes(NamedTuple):
    """The log; moved: viewers who met another arm than the assignment gives them."""

    log: Log
    moved: int


class _Cells(NamedTuple):
    """Where each event belongs: its viewer, its day and its film, all (N,), in a log of V viewers and D days. film: -1 for none."""

    viewer: np.ndarray
    day: np.ndarray  # place in the log's days
    film: np.ndarray
    shape: tuple[int, int]

    def sum(self, chosen: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:  # (V, D)
        """Number of the chosen events of each viewer and day, or the sum of their weights."""
        place = self.viewer[chosen] * self.shape[1] + self.day[chosen]
        return np.bincount(place, weights, self.shape[0] * self.shape[1]).astype(np.float64).reshape(self.shape)


def outcomes(plan: Plan, events: pd.DataFrame, catalog: Catalog) -> Outcomes:
    """The log of an experiment, from what Feedback.outcomes gave. Days are those of universal time, day 0 the plan's first, the last the plan's last.

    A visit is a day with a film shown. A viewer's arm is the first one met in the experiment; the holdout meets none and is not in the log, so that
    shares are those of the arms among themselves. Of stars of a film the last of a day count; what was done on its days outside of it does not.
    Minutes are those noted with "watched", or else the film's running time. Raises ValueError where there is no event of a day of the experiment,
    LookupError for an arm or film that the plan or the catalogue does not know.
    """
    day = np.floor((events["at"].to_numpy() - midnight(first_day(plan))) / DAY).astype(np.int64)
    if not ((day >= 0) & (day < plan.days)).any():
        raise ValueError(f"experiment {plan.name} has {len(events)} events, none of them of its days from {first_day(plan)} on; wanted some")
    first = -plan.simulation.days_before if plan.simulation else day.min()
    inside = (first <= day) & (day < plan.days) & ((day < 0) | events["arm"].notna().to_numpy())
    events, day = events[inside], day[inside]
    days = np.arange(min(day.min(), 0), day.max() + 1)
    viewers = events["viewer"].cat.remove_unused_categories().cat
    cells = _Cells(viewers.codes.to_numpy(np.int64), day - days[0], _items(events["film"].to_numpy(), catalog), (len(viewers.categories), len(days)))
    arms, several = _arms(plan, events["arm"], cells, -days[0])
    simulated = bool(events["simulated"].any())
    log = Log(days, arms, _sums(events, cells, catalog), _segments(events, cells, catalog, -days[0]), several, simulated, first_day(plan))
    return Outcomes(log, int((arms != arms_of(plan, viewers.categories)).sum()))


def _items(films: np.ndarray, catalog: Catalog) -> np.ndarray:  # (N,)
    """Numbers of films by their ids, -1 where an event has none."""
    known, order = ~np.isnan(films), np.argsort(catalog.ids)
    place = order[np.minimum(np.searchsorted(catalog.ids, films[known], sorter=order), len(order) - 1)]
    if (absent := catalog.ids[place] != films[known]).any():
        raise LookupError(f"film {films[known][absent][0]:.0f} of the experiment is not in the catalogue, wanted the one it was shown from")
    items = np.full(len(films), -1)
    items[known] = place
    return items


def _arms(plan: Plan, names: pd.Series, cells: _Cells, begin: int) -> tuple[np.ndarray, np.ndarray]:
    """(V,) the arm each viewer met first, in the experiment where they came to it, and whether they met several there."""
    number = {arm.name: n for n, arm in enumerate(plan.arms)}
    used = names.cat.remove_unused_categories().cat
    if unknown := [name for name in used.categories if name not in number]:
        raise LookupError(f"arm {unknown[0]!r} of experiment {plan.name} is not in its plan, wanted one of {', '.join(number)}")
    met = np.array([*(number[name] for name in used.categories), -1])[used.codes.to_numpy()]
    during = cells.day >= begin
    order = np.flatnonzero(met >= 0)
    order = order[np.argsort(~during[order], kind="stable")]
    first, place = np.unique(cells.viewer[order], return_index=True)
    arms = np.full(cells.shape[0], -1)
    arms[first] = met[order[place]]
    there = np.zeros((cells.shape[0], len(plan.arms)), bool)
    there[cells.viewer[during & (met >= 0)], met[during & (met >= 0)]] = True
    return arms, there.sum(axis=1) > 1


def _sums(events: pd.DataFrame, cells: _Cells, catalog: Catalog) -> dict[str, np.ndarray]:
    """Field -> (V, D), as finely as a file keeps it, so that a log says the same from the store and from its file."""
    of = {kind: (events["kind"] == kind).to_numpy() for kind in ("impression", "click", "watched", "rating", "hide")}
    shown, rated = of["impression"], _last_of_a_day(of["rating"], cells)
    best = np.isin(np.arange(len(catalog)), np.argsort(-catalog.raters, kind="stable")[:BEST_KNOWN])
    minutes, running = _noted(events["note"], "minutes"), np.nan_to_num(catalog.minutes)[cells.film]
    took = _noted(events["note"], "ms")
    timed = shown & ~np.isnan(took)
    sums = {
        "visits": (cells.sum(shown) > 0).astype(np.float64),
        "shown": cells.sum(shown),
        "clicks": cells.sum(of["click"]),
        "watches": cells.sum(of["watched"]),
        "minutes": cells.sum(of["watched"], np.where(np.isnan(minutes), running, minutes)[of["watched"]]),
        "stars": cells.sum(rated, events["stars"].to_numpy()[rated]),
        "rated": cells.sum(rated),
        "diversity": _diversity(events, shown, cells, catalog),
        "rare": cells.sum(shown & ~best[cells.film]),
        "hides": cells.sum(of["hide"]),
        "latency": cells.sum(timed, took[timed]),
        "timed": cells.sum(timed),
    }
    return {name: np.rint(values / STEPS[name]) * STEPS[name] for name, values in sums.items()}


def _noted(notes: pd.Series, name: str) -> np.ndarray:  # (N,)
    """A number from 0 on in the notes, nan where there is none."""

    def value(note: str) -> float:
        found = json.loads(note).get(name)
        return found if isinstance(found, int | float) and not isinstance(found, bool) and found >= 0 else np.nan

    return np.array([*(value(note) for note in notes.cat.categories), np.nan])[notes.cat.codes.to_numpy()]


def _last_of_a_day(chosen: np.ndarray, cells: _Cells) -> np.ndarray:  # (N,) bool
    """Of the chosen events the last of each viewer, day and film."""
    back = np.flatnonzero(chosen)[::-1]
    _, last = np.unique(np.stack([cells.viewer[back], cells.day[back], cells.film[back]]), axis=1, return_index=True)
    return np.isin(np.arange(len(chosen)), back[last])


def _diversity(events: pd.DataFrame, shown: np.ndarray, cells: _Cells, catalog: Catalog) -> np.ndarray:  # (V, D)
    """1 - mean cosine of the genres of all pairs of a list, a list being a row of a page; of several lists a day their mean.

    Source: Smyth & McClave, ICCBR 2001, as intra_list_diversity in evaluate/metrics.py, here for lists of any length.
    """
    at = np.flatnonzero(shown)
    page, row = (events[name].cat.codes.to_numpy()[at].astype(np.int64) for name in ("recommendation", "row"))
    _, first, number = np.unique(
        (cells.viewer[at] * (page.max(initial=0) + 2) + page) * (row.max(initial=0) + 2) + row, return_index=True, return_inverse=True
    )
    unit = catalog.genres / np.maximum(np.linalg.norm(catalog.genres, axis=1, keepdims=True), 1e-12)
    films = csr_array((np.ones(len(at)), (number, cells.film[at])), shape=(len(first), len(catalog)))
    k = films.sum(axis=1)
    # |sum of u|^2 = sum of |u|^2 + 2 * sum over pairs of u.u'
    pairs = ((films @ unit) ** 2).sum(axis=1) - films @ (unit**2).sum(axis=1)
    lists = at[first][k > 1]
    chosen = np.zeros(len(shown), bool)
    chosen[lists] = True
    far = np.zeros(len(shown))
    far[lists] = np.clip(1 - pairs[k > 1] / (k * (k - 1))[k > 1], 0, 1)
    return cells.sum(chosen, far[chosen]) / np.maximum(cells.sum(chosen), 1)


# -- what is known of a viewer before the experiment -------------------------------------------------------------------------


def _segments(events: pd.DataFrame, cells: _Cells, catalog: Catalog, begin: int) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Name -> labels and (V,) codes, by what happened before day 0 alone; what tells nobody from anybody else is left out."""
    before = cells.day < begin
    shown, clicked = before & (events["kind"] == "impression").to_numpy(), before & (events["kind"] == "click").to_numpy()
    came = (cells.sum(shown) > 0).sum(axis=1)
    genres = catalog.genres / np.maximum(catalog.genres.sum(axis=1, keepdims=True), 1)
    liked = np.zeros((cells.shape[0], genres.shape[1]))
    np.add.at(liked, cells.viewer[clicked], genres[cells.film[clicked]])
    found = {
        "history": (tuple(label for _, label in HISTORY), np.searchsorted([least for least, _ in HISTORY], came, "right") - 1),
        "device": _mostly(events["device"], DEVICES, shown, cells),
        "time": _mostly(events["time_of_day"], TIMES_OF_DAY, shown, cells),
        "genre": _most(liked, catalog.genre_names),
    }
    used = {name: np.unique(codes, return_inverse=True) for name, (_, codes) in found.items()}
    return {name: (tuple(found[name][0][n] for n in kept), codes) for name, (kept, codes) in used.items() if len(kept) > 1}


def _mostly(words: pd.Series, known: tuple[str, ...], chosen: np.ndarray, cells: _Cells) -> tuple[tuple[str, ...], np.ndarray]:
    """What a viewer's chosen events say most often."""
    codes = pd.Categorical(words, categories=known).codes.astype(np.int64)
    said = chosen & (codes >= 0)
    counts = np.bincount(cells.viewer[said] * len(known) + codes[said], minlength=cells.shape[0] * len(known))
    return _most(counts.reshape(cells.shape[0], len(known)), known)


def _most(weights: np.ndarray, labels: tuple[str, ...]) -> tuple[tuple[str, ...], np.ndarray]:
    """The label of the greatest weight (V, L), the first of several; unknown where there is none."""
    return (*labels, UNKNOWN), np.where(weights.any(axis=1), weights.argmax(axis=1), len(labels))
