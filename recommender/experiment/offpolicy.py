"""What another way of choosing would have earned, from a log of what was chosen, with which chance, and what came of it.

A list is reduced to its first film: one decision a visit, so that a chance can be put on it. The unit is the viewer: decisions of one viewer go
together, and every estimate is a ratio of sums over viewers with its variance by the delta method. It holds where whatever the new policy may
choose could have been chosen, and the chances are right; `check` says what can be seen of that.
Sources: Horvitz & Thompson, JASA 47(260), 1952 (IPS); Swaminathan & Joachims, The Self-Normalized Estimator for Counterfactual Learning, NIPS 2015
(SNIPS); Dudik, Langford & Li, Doubly Robust Policy Evaluation and Learning, ICML 2011 (DR); Chernozhukov et al., Econometrics Journal 21(1),
2018 (fitting the rewards on other viewers); Kish, Survey Sampling, 1965, section 11.7 (effective size).
Shapes: N decisions, C films each could have been between, F features.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import softmax, stdtrit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from recommender.serve.events import Event
from recommender.stats.effects import Interval, estimate, upper
from recommender.stats.moments import Moments

LEAST, LEAST_SHARE = 100, 0.05  # effective decisions, and their share of all, below which a warning is given
MOST_UNSUPPORTED = 0.01  # chance of the new policy on what the log could never hold, above which IPS and SNIPS are refused
FOLDS = 5  # of viewers, for the reward model
LIKED = ("click", "love", "like", "list", "watched")  # what counts as a reward of a film drawn by lot


@dataclass(frozen=True, eq=False)
class Logged:
    """N decisions: who (numbers), what was taken, with which chance in (0, 1], and the reward."""

    viewers: np.ndarray
    actions: np.ndarray
    propensities: np.ndarray
    rewards: np.ndarray

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in ("viewers", "actions", "propensities", "rewards")}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"a log has {', '.join(f'{n} {name}' for name, n in lengths.items())}; wanted as many of each")
        odd = self.propensities[~((self.propensities > 0) & (self.propensities <= 1))]
        if len(odd):
            raise ValueError(f"propensity {odd[0]:g} of what was taken, must be above 0 and at most 1")
        if not np.isfinite(self.rewards).all():
            raise ValueError(f"{(~np.isfinite(self.rewards)).sum()} rewards are not finite")

    def __len__(self) -> int:
        return len(self.actions)


class Weights(NamedTuple):
    """How far a log carries. ess: effective number of decisions, (sum w)^2 / sum w^2; largest: the heaviest weight, share: its share of all; mean: 1
    but for luck where the chances are right and support is whole; unsupported: mean chance of the new policy on what the old one never took, None
    where the log does not say what else it could have taken."""

    n: int
    ess: float
    largest: float
    share: float
    mean: float
    unsupported: float | None
    warnings: tuple[str, ...]


def softmax_policy(scores: np.ndarray, temperature: float) -> np.ndarray:
    """(N, C) chances from scores (N, C) [in spreads of a row]: the hotter, the nearer to an even draw. Films at -inf are never taken."""
    if not temperature > 0:
        raise ValueError(f"temperature == {temperature}, must be above 0")
    return softmax(np.asarray(scores, np.float64) / temperature, axis=1)


def draw(policy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(N,) columns drawn by the chances (N, C) of a policy."""
    edges = np.cumsum(policy, axis=1)
    return (rng.random((len(policy), 1)) * edges[:, -1:] >= edges).sum(axis=1)


def weights_of(log: Logged, target: np.ndarray) -> np.ndarray:
    """(N,) chance that the new policy would have taken what was taken, target (N, C), over the chance it was taken with."""
    return target[np.arange(len(log)), log.actions] / log.propensities


def check(weights: np.ndarray, logging: np.ndarray | None = None, target: np.ndarray | None = None) -> Weights:
    """What the weights (N,) and, where known, the whole chances (N, C) of both policies say of how far the log carries, with warnings.

    The rule: a warning where the effective number is below LEAST or below LEAST_SHARE of all, where the new policy may choose what the old one never
    did, and, where that is not known, where the mean weight is more than 3 standard errors from 1.
    """
    w, n = np.asarray(weights, np.float64), len(weights)
    total, squares = float(w.sum()), float((w * w).sum())
    if not total > 0:
        raise ValueError(f"weights of {n} decisions sum to {total:g}: the new policy would have taken none of them, wanted one that could")
    ess, mean = total * total / squares, total / n
    said = []
    if ess < LEAST or ess < LEAST_SHARE * n:
        said.append(f"effective size {ess:.0f} of {n} decisions; below {LEAST}, or below {LEAST_SHARE:.0%} of all, an estimate hangs on few")
    unsupported = None
    if logging is not None and target is not None:
        unsupported = float(np.where(logging > 0, 0.0, target).sum(axis=1).mean())
        if unsupported > 0:
            said.append(f"{unsupported:.2%} of the new policy's choices could never have been logged")
    elif n > 1 and abs(mean - 1) > 3 * w.std(ddof=1) / math.sqrt(n):
        said.append(f"mean weight {mean:.3f}, which should be 1: the chances are wrong, or the new policy chooses what was never logged")
    return Weights(n, ess, float(w.max()), float(w.max()) / total, mean, unsupported, tuple(said))


def supported(weights: Weights) -> None:
    """Refuse an estimate by weights alone where too much of the new policy could never have been logged: a ValueError."""
    if weights.unsupported is not None and weights.unsupported > MOST_UNSUPPORTED:
        raise ValueError(
            f"{weights.unsupported:.1%} of the new policy's choices could never have been logged, at most {MOST_UNSUPPORTED:.0%} may be; "
            "log with a policy that takes them now and then"
        )


# -- estimates ---------------------------------------------------------------------------------------------------------


def ips(log: Logged, weights: np.ndarray, level: float = 0.95) -> Interval:
    """Mean of weight x reward: right on average, however wild. Needs two viewers."""
    return _over_viewers(log.viewers, weights * log.rewards, np.ones(len(log)), level)


def snips(log: Logged, weights: np.ndarray, level: float = 0.95) -> Interval:
    """Sum of weight x reward / sum of weights: within the range of the rewards, right in the long run."""
    return _over_viewers(log.viewers, weights * log.rewards, weights, level)


def doubly_robust(log: Logged, weights: np.ndarray, expected: np.ndarray, target: np.ndarray, level: float = 0.95) -> Interval:
    """What a reward model promises, corrected by what it got wrong: right where either the model, expected (N, C), or the chances are.

    mean of sum_c target_c expected_c + w (reward - expected of what was taken)
    """
    rows = np.arange(len(log))
    promised = (target * expected).sum(axis=1)
    return _over_viewers(log.viewers, promised + weights * (log.rewards - expected[rows, log.actions]), np.ones(len(log)), level)


def _over_viewers(viewers: np.ndarray, above: np.ndarray, below: np.ndarray, level: float) -> Interval:
    """Ratio of two sums with the interval of Student's t over viewers."""
    _, numbers = np.unique(viewers, return_inverse=True)
    sums = Moments.of(np.column_stack([np.bincount(numbers, above), np.bincount(numbers, below)]))
    value, variance = estimate(sums, 0, 1)
    half = math.sqrt(variance) * float(stdtrit(sums.n - 1, upper(level)))
    return Interval(value, value - half, value + half)


def expected_rewards(log: Logged, features: np.ndarray, folds: int = FOLDS) -> np.ndarray:  # (N, C)
    """Chance of a reward of 1 for every film that could have been taken: logistic regression on features (N, C, F), fitted on other viewers.

    Raises ValueError where rewards are not 0 and 1, or viewers are fewer than folds.
    """
    if odd := sorted(set(np.unique(log.rewards).tolist()) - {0.0, 1.0}):
        raise ValueError(f"reward {odd[0]:g}, must be 0 or 1 for a model of its chance")
    n, c, f = features.shape
    taken, found = features[np.arange(n), log.actions], np.empty((n, c))
    for fit, ask in GroupKFold(folds).split(taken, groups=log.viewers):
        known = log.rewards[fit]
        if known.min() == known.max():
            found[ask] = known[0]
            continue
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(taken[fit], known)
        found[ask] = model.predict_proba(features[ask].reshape(-1, f))[:, 1].reshape(len(ask), c)
    return found


# -- real feedback -----------------------------------------------------------------------------------------------------


def lots(events: Iterable[Event], rewarded: Collection[str] = LIKED) -> Logged:
    """Films that the app drew by lot for people, with the chance each had, from stored events in any order. actions: ids of films.

    The reward is 1 where the same viewer did something of `rewarded` with the film of that very page. Viewers are numbered by their first draw.
    """
    drawn, done = dict[tuple, Event](), set()
    for event in events:
        key = (event.viewer, event.recommendation, event.film)
        if event.kind == "impression" and event.propensity is not None and not event.simulated:
            drawn.setdefault(key, event)
        elif event.kind in rewarded and event.recommendation is not None:
            done.add(key)
    number = {viewer: n for n, viewer in enumerate(dict.fromkeys(viewer for viewer, _, _ in drawn))}
    return Logged(
        np.array([number[viewer] for viewer, _, _ in drawn], np.int64),
        np.array([event.film for event in drawn.values()], np.int64),
        np.array([event.propensity for event in drawn.values()], np.float64),
        np.array([key in done for key in drawn], np.float64),
    )
