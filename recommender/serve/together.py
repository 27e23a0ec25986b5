"""One list for several people: how much each wants every film, made comparable and put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender import rank
from recommender.rank import How
from recommender.serve.carousels import Row
from recommender.serve.inquiry import first_row
from recommender.serve.phrases import listed
from recommender.serve.request import Request
from recommender.types import Recommendation

DEFAULT: How = "average"
EVEN = 0.05  # shares of what each could have that lie no further apart than this count as alike
WHY: dict[How, str] = {
    "average": "What each of you wants counts alike, added up. Among pairs of strangers no other way gave more, to both or to the worse served.",
    "least misery": "A film counts as much as it does for whoever of you wants it least: nothing that one of you would mind stands high.",
    "most pleasure": "A film counts as much as it does for whoever of you wants it most: what one loves stands high, whatever the others think.",
}


@dataclass(frozen=True)
class Shared:
    """One film for all. wants: how much each wants it, in spreads above the average film of the pool; value: these put together; ranks: its place by
    each person's own wishes in the pool; cards: each person's own card, with match and sentence, in the order of the people."""

    item: int
    value: float
    wants: tuple[float, ...]
    ranks: tuple[int, ...]
    cards: tuple[Recommendation, ...]


@dataclass(frozen=True)
class Together:
    """The list of several people. among: films in the pool; served: what the list gives each, as a share of what the best films for them alone
    would; better: number of the person it serves best, None where all are served alike; why: the way of combining; fairness: `served` in words."""

    how: How
    films: tuple[Shared, ...]
    among: int
    served: tuple[float, ...]
    better: int | None
    why: str
    fairness: str


def together(requests: Sequence[Request], how: How = DEFAULT, k: int = 20) -> Together:
    """The k best films for all of two or more people, each asked by their own request. Raises LookupError where one has no first row.

    Ranked are films that the first row of at least one is chosen from, that nobody has seen or hidden, and that are offered to all: within every
    certificate and filter, and nothing that one of them is expected to dislike. That is "average without misery", with the threshold of the Home
    page, whatever is done above it. Each person's wishes are the scores of their own first row; a model's points mean nothing beside another
    person's, so they are counted in spreads above the average film of the pool, which every person has alike.
    Source: Masthoff, Group Recommender Systems, in Recommender Systems Handbook, 2011, 2nd ed. 2015 (average, least misery, average without misery,
    most pleasure; normalising first); Baltrunas, Makcinskas & Ricci, RecSys 2010 (no way of combining is best for all groups; the more alike people
    are, the more a common list serves them).
    """
    if len(requests) < 2:
        raise ValueError(f"{len(requests)} people, wanted 2 or more")
    rows, pool = _pool(requests)
    if not pool.any():
        return Together(how, (), 0, (0.0,) * len(requests), None, WHY[how], "No film fits all of you.")
    wants = rank.comparable(np.stack([row.scores for row in rows]), pool)
    values = rank.combine(wants, how)
    items = rank.top(rank.mask(values, ~pool), k)
    places = rank.ranks(wants, items, pool)
    cards = [asked.recommendations(row, items) for asked, row in zip(requests, rows)]
    films = tuple(
        Shared(int(i), float(values[i]), tuple(wants[:, i].tolist()), tuple(places[:, n].tolist()), tuple(of[n] for of in cards))
        for n, i in enumerate(items)
    )
    served = _served(wants, items, pool)
    better = int(np.argmax(served)) if np.ptp(served) > EVEN else None
    return Together(how, films, int(pool.sum()), tuple(served.tolist()), better, WHY[how], _fairness(requests, served, better, len(items)))


def _pool(requests: Sequence[Request]) -> tuple[list[Row], np.ndarray]:
    """Everybody's first row, and the films (I,) bool that the list is chosen from."""
    rows, pools = zip(*(first_row(asked) for asked in requests))
    pool = np.logical_or.reduce(pools)
    for asked in requests:
        pool &= asked.offered
        pool[asked.seen] = False
    return list(rows), pool


def _served(wants: np.ndarray, items: np.ndarray, pool: np.ndarray) -> np.ndarray:  # (P,)
    """What the films give each person, in spreads above the average film, as a share of what as many films chosen for that person alone would.

    Source: Xiao et al., Fairness-Aware Group Recommendation with Pareto-Efficiency, RecSys 2017 (individual utility over its best possible).
    """
    best = np.sort(wants[:, pool], axis=1)[:, -len(items) :].sum(axis=1)
    found = wants[:, items].sum(axis=1)
    return np.where(best > 1e-9, found / np.where(best > 1e-9, best, 1.0), 1.0)


def _fairness(requests: Sequence[Request], served: np.ndarray, better: int | None, n: int) -> str:
    names = [asked.viewer.name for asked in requests]
    shares = listed([f"{name} {share:.0%}" if share > 0 else f"{name} nothing" for name, share in zip(names, served)])
    most = f"it serves {names[better]} best" if better is not None else "it serves you alike"
    films = f"the {n} of them" if n > 1 else "the one of them"
    return f"Of what {films} that each wants most would give, this list gives {shares}: {most}."
