"""Team-draft interleaving: one list made of two rankings, whose clicks say which of them is preferred. One viewer, one unit.

Sources: Radlinski, Kurup & Joachims, How Does Clickthrough Data Reflect Retrieval Quality?, CIKM 2008 (the draft and its credit); Chapelle, Joachims,
Radlinski & Yue, Large-scale Validation and Analysis of Interleaved Search Evaluation, TOIS 30(1), 2012 (how many fewer viewers are needed).
Shapes: N visits, V viewers, K films shown. Columns 0 and 1 are the first and the second ranking.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit
from scipy.stats import binomtest

from recommender import rank
from recommender.stats.effects import Interval, upper

NOBODY = -1  # the team, and the film, of a place that a short draft leaves empty
BLOCK = 250  # resamples held at once


class Preference(NamedTuple):
    """second: mean over viewers of the share of their credited clicks that went to the second ranking; p: of its being a half, by Student's t;
    p_sign: of as many viewers preferring either, an exact sign test. Viewers without a credited click are in none of it, only in `viewers`."""

    second: Interval
    p: float
    p_sign: float
    won: int  # viewers with more clicks for the second ranking
    even: int
    lost: int
    viewers: int


class Sensitivity(NamedTuple):
    """(effect / standard error)^2 a viewer, of an A/B test in halves and of interleaving, and how many times fewer viewers interleaving needs for the
    same power: the ratio of the two."""

    ab: Interval
    interleaved: Interval
    ratio: Interval


def draft(first: np.ndarray, second: np.ndarray, k: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Films and teams (N, k), int64: the team draft of each row of two rankings (N, any), NOBODY where a draft is shorter than k."""
    films, teams = np.full((2, len(first), k), NOBODY)
    for row, (a, b) in enumerate(zip(first, second, strict=True)):
        drafted, brought = rank.team_draft(a, b, k, rng)
        films[row, : len(drafted)], teams[row, : len(brought)] = drafted, brought
    return films, teams


def credited(viewers: np.ndarray, teams: np.ndarray, clicks: np.ndarray) -> np.ndarray:  # (V, 2)
    """Clicks for either ranking by each of viewers 0 to V - 1. viewers (N,); teams and clicks (N, K): a click is a point for the team of the film."""
    clicks = np.asarray(clicks, bool)
    n = int(viewers.max(initial=-1)) + 1
    return np.stack([np.bincount(viewers, (clicks & (teams == team)).sum(axis=1), n) for team in (0, 1)], axis=1)


def preference(credits: np.ndarray, level: float = 0.95) -> Preference:
    """Which ranking viewers with credits (V, 2) prefer. Raises ValueError where fewer than two have a credited click.

    Where all shares are the same nothing is known of their spread: the interval is all of 0 to 1, and p that of the sign test.
    """
    credits = np.asarray(credits, np.float64)
    some = credits[credits.sum(axis=1) > 0]
    if len(some) < 2:
        raise ValueError(f"{len(some)} viewers have a credited click, wanted at least 2")
    shares = some[:, 1] / some.sum(axis=1)
    won, lost = int((shares > 0.5).sum()), int((shares < 0.5).sum())
    p_sign = float(binomtest(won, won + lost).pvalue) if won + lost else 1.0
    mean, se, freedom = float(shares.mean()), float(shares.std(ddof=1)) / math.sqrt(len(shares)), len(shares) - 1
    if se < 1e-12:
        return Preference(Interval(mean, 0.0, 1.0), p_sign, p_sign, won, len(shares) - won - lost, lost, len(credits))
    half = se * float(stdtrit(freedom, upper(level)))
    p = 2 * float(stdtr(freedom, -abs(mean - 0.5) / se))
    return Preference(Interval(mean, max(mean - half, 0.0), min(mean + half, 1.0)), p, p_sign, won, len(shares) - won - lost, lost, len(credits))


def votes(pair: Iterable[str], stored: Iterable[tuple[str, Mapping[str, Any]]]) -> np.ndarray:  # (V, 2)
    """Credits of real viewers, from (viewer, note) of stored votes by films ticked in one drafted list. Columns: the pair, by the alphabet.

    Every viewer is a row, however many votes they gave; other pairs, other ways of voting and notes that are no vote are passed over.
    """
    names = sorted(pair)
    if len(set(names)) != 2:
        raise ValueError(f"pair is {names}, wanted 2 different lists")
    of: dict[str, np.ndarray] = {}
    for viewer, note in stored:
        ticks = note.get("credits")
        if note.get("mode") != "one" or note.get("pair") != names or not isinstance(ticks, dict):
            continue
        if all(type(ticks.get(name)) is int and ticks[name] >= 0 for name in names):
            of[viewer] = of.get(viewer, np.zeros(2)) + [ticks[name] for name in names]
    return np.array([*of.values()], np.float64).reshape(-1, 2)


def voted(stored: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[tuple[str, str], np.ndarray]:
    """The credits of `votes` for every pair that was ever voted on in a drafted list, the pair with most viewers first."""
    kept = list(stored)
    pairs = {tuple(note["pair"]) for _, note in kept if note.get("mode") == "one" and _two(note.get("pair"))}
    found = {pair: votes(pair, kept) for pair in sorted(pairs)}
    return {pair: found[pair] for pair in sorted(found, key=lambda pair: -len(found[pair])) if len(found[pair])}


def _two(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(name, str) for name in pair) and pair[0] < pair[1]


# -- how many viewers it takes -----------------------------------------------------------------------------------------


def leanings(credits: np.ndarray) -> np.ndarray:  # (V,)
    """Share of the second ranking less a half; 0 for viewers without a credited click, so that each viewer who came counts."""
    total = credits.sum(axis=1)
    return np.divide(credits[:, 1], total, out=np.full(len(credits), 0.5), where=total > 0) - 0.5


def sensitivity(control: np.ndarray, treatment: np.ndarray, credits: np.ndarray, seed: int = 0, draws: int = 2000) -> Sensitivity:
    """How much a viewer tells in either test. control, treatment (S, V, 2): clicks and films shown of each viewer under either ranking; credits
    (S, V, 2) of the same viewers under the draft. S repeats of the same time make the effects surer; the variances stay those of one.
    Percentile bootstrap over viewers, each with all three. Raises ValueError where nothing varies.

    With r the ratio of sums and v the variance of a viewer's part in it by the delta method, as in stats/effects.py:
    ab = (r_t - r_c)^2 / (2 (v_c + v_t)),  interleaved = mean(d)^2 / var(d),  d the leanings.
    """
    d = np.stack([leanings(once) for once in credits])
    columns = np.column_stack([_squares(control), _squares(treatment), d.mean(axis=0), (d * d).mean(axis=0)])
    rng, n = np.random.default_rng(seed), len(columns)
    drawn = np.concatenate([_told(_counts(n, min(BLOCK, draws - start), rng) @ columns / n) for start in range(0, draws, BLOCK)])
    found = _told(columns.mean(axis=0)[None])[0]
    if not np.isfinite(found).all() or not found[0] > 0:
        raise ValueError(
            f"a viewer tells {found[0]:g} in an A/B test and {found[1]:g} in interleaving, wanted clicks that vary and rates that differ"
        )
    lo, hi = np.nanquantile(drawn, (0.025, 0.975), axis=0)
    return Sensitivity(*(Interval(*ends) for ends in zip(found.tolist(), lo.tolist(), hi.tolist())))


def needed(information: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """Viewers in all that a two-sided test of level alpha takes for the power, where each tells so much of (effect / standard error)^2."""
    return float((ndtri(1 - alpha / 2) + ndtri(power)) ** 2 / information) if information > 0 else math.inf


def _squares(arm: np.ndarray) -> np.ndarray:  # (V, 5)
    """Clicks, films shown and their products, means over repeats (S, V, 2)."""
    clicks, shown = np.moveaxis(np.asarray(arm, np.float64), 2, 0)
    return np.stack([clicks, shown, clicks * clicks, clicks * shown, shown * shown], axis=2).mean(axis=0)


def _counts(n: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """(size, n) how often each of n units is drawn, n times with replacement."""
    drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def _told(means: np.ndarray) -> np.ndarray:
    """(S, 3): ab, interleaved and their ratio for S rows of means of the columns of `sensitivity`."""
    rates, spreads = zip(*(_ratio(means[:, first : first + 5]) for first in (0, 5)))
    d, squares = means[:, 10], means[:, 11]
    with np.errstate(divide="ignore", invalid="ignore"):
        ab = (rates[1] - rates[0]) ** 2 / (2 * (spreads[0] + spreads[1]))
        interleaved = d * d / (squares - d * d)
        return np.stack([ab, interleaved, interleaved / ab], axis=1)


def _ratio(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """r = mean clicks / mean shown, and the variance of (clicks - r shown) / mean shown."""
    clicks, shown, cc, cs, ss = means.T
    r = clicks / shown
    return r, (cc - 2 * r * cs + r * r * ss) / (shown * shown)
