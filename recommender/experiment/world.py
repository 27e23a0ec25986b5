"""The click world: made-up viewers whose taste is known exactly, so that what an experiment says can be held against the truth.

Taste is an ideal-point model (Coombs, A Theory of Data, 1964, chapter 5): each viewer has one to three ideal films in a space of facts about films,
and the nearer a film is to the nearest of them, the better it is liked. Clicks are a cascade with abandonment: the list is looked through from the
top, each film looked at is clicked or not by itself, and the viewer goes on with a chance that depends on the screen, or stops satisfied
(Craswell, Zoeter, Taylor & Ramsey, WSDM 2008, section 3; Guo, Liu & Wang, WSDM 2009; Chapelle & Zhang, A Dynamic Bayesian Network Click Model, WWW
2009, section 3). No model under test is of this family: none has ideal points, and none knows the viewers' own noise.

Context moves the ideal points and makes long films a burden where there is little time, both in proportion to the dose. The device's part is
DEVICE_RULE of recommender/world.py, the same rule by which the devices were drawn that the released models were taught with; there is no other
truth about devices to be had. TIME_RULE is made up and no model was taught it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, reduce
from typing import NamedTuple, Self

import numpy as np
from scipy.special import expit, ndtri

from recommender.catalog import Catalog
from recommender.experiment.space import film_space, running_times, shrunken, standard
from recommender.experiment.truth import DEVICE_SHARE, MINUTES_THERE, TIME_RULE, TIME_SHARE, Truth
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Profile
from recommender.world import DEVICE_RULE

CONTEXTS = tuple(Context(time, device) for time in TIMES_OF_DAY for device in DEVICES)  # number c = 4 time + device
NOWHERE = -1  # the number of no context at all
YEAR = 365 * 86_400  # seconds


class Expected(NamedTuple):
    """What the truth expects of lists (B, K): a chance of a click at each place (B, K), their sum (B,), and the chance of at least one (B,)."""

    places: np.ndarray
    clicks: np.ndarray
    any: np.ndarray


class Visit(NamedTuple):
    """What happened to lists, all (B, K): looked at, clicked and hidden (bool); minutes watched, 0 where not clicked; stars, nan where none."""

    seen: np.ndarray
    clicked: np.ndarray
    minutes: np.ndarray
    stars: np.ndarray
    hidden: np.ndarray


class Chances(NamedTuple):
    """Of films in a context, all (B, K): liking in stars above the average film's; chance of a click once looked at, of being satisfied by it once
    clicked, of being hidden once looked at and not satisfying; and the stars it gets before noise."""

    liking: np.ndarray
    click: np.ndarray
    satisfied: np.ndarray
    hide: np.ndarray
    stars: np.ndarray


@dataclass(frozen=True, eq=False)
class World:
    """V viewers over the films of a catalogue that tells mean stars and raters. The same seed gives the same people whatever the dose.

    Viewers, contexts and films are numbers everywhere: 0 to V - 1, place in CONTEXTS or NOWHERE, item number.
    """

    catalog: Catalog
    dose: float
    seed: int
    truth: Truth
    ideals: np.ndarray  # (V, M, D) ideal points in the film space
    apart: np.ndarray  # (V, M) 0, or infinity for a point that the viewer does not have
    widths: np.ndarray  # (V,) tau, units of the film space
    response: np.ndarray  # (V,) how far context moves the viewer, 1 on average among those whom it moves
    leniency: np.ndarray  # (V,) stars
    eagerness: np.ndarray  # (V,) log-odds of a click
    rates: np.ndarray  # (V,) chance of a visit on a working day
    habits: np.ndarray  # (V, C) chance of each context

    @classmethod
    def make(cls, catalog: Catalog, viewers: int, dose: float = 1.0, seed: int = 0, truth: Truth | None = None) -> Self:
        """Draw the viewers. Raises ValueError where the catalogue tells no raters, or dose or number of viewers make no sense."""
        if not catalog.raters.any():
            raise ValueError("the catalogue tells no raters, wanted them and mean stars, as the service has them")
        if not (dose >= 0 and viewers >= 1):
            raise ValueError(f"dose == {dose}, must be >= 0; viewers == {viewers}, must be >= 1")
        t = truth or Truth()
        rng = np.random.default_rng([seed, 1])
        space = film_space(catalog, t)
        near = rng.choice(len(catalog), (viewers, len(t.ideals)), p=catalog.raters / catalog.raters.sum())
        points = 1 + rng.choice(len(t.ideals), viewers, p=t.ideals)
        base = np.outer(TIME_SHARE, np.ones(len(DEVICES))) * np.array(DEVICE_SHARE)
        drawn = rng.standard_gamma(t.habit * base.ravel(), (viewers, base.size)) + 1e-12  # a Dirichlet draw once divided by its sum
        moved = rng.random(viewers) >= t.unmoved
        return cls(
            catalog,
            dose,
            seed,
            t,
            ideals=space[near] + rng.normal(0, t.near, (*near.shape, space.shape[1])),
            apart=np.where(np.arange(len(t.ideals)) < points[:, None], 0.0, np.inf),
            widths=t.width * np.exp(t.width_spread * rng.standard_normal(viewers)),
            response=moved * rng.gamma(t.response_shape, 1 / t.response_shape, viewers),
            leniency=rng.normal(0, t.leniency, viewers),
            eagerness=rng.normal(0, t.eagerness, viewers),
            rates=rng.beta(*t.rate, viewers),
            habits=drawn / drawn.sum(axis=1, keepdims=True),
        )

    def __len__(self) -> int:
        return len(self.widths)

    # -- what is fixed for a film or a context -----------------------------------------------------------------------

    @cached_property
    def space(self) -> np.ndarray:  # (I, D)
        return film_space(self.catalog, self.truth)

    @cached_property
    def minutes(self) -> np.ndarray:  # (I,)
        return running_times(self.catalog)

    @cached_property
    def fame(self) -> np.ndarray:  # (I,) spreads above the average film
        return standard(np.log1p(self.catalog.raters))

    @cached_property
    def quality(self) -> np.ndarray:  # (I,) stars above the average rating
        return shrunken(self.catalog, self.truth.prior)

    @cached_property
    def rule(self) -> np.ndarray:
        """(C + 1, D) log-odds by which each context pulls towards each coordinate at dose 1; the last row, of no context, is 0."""
        pull = np.zeros((len(CONTEXTS) + 1, self.space.shape[1]))
        for c, context in enumerate(CONTEXTS):
            for rules, key in ((TIME_RULE, context.time_of_day), (DEVICE_RULE, context.device)):
                for genre, points in rules[key or ""].items():
                    if genre in self.catalog.genre_names:
                        pull[c, self.catalog.genre(genre)] += points
        return pull

    @cached_property
    def minutes_there(self) -> np.ndarray:
        """(C + 1,) minutes that a context usually leaves; without limit where there is no context."""
        by_time, by_device = MINUTES_THERE
        return np.array([by_time[c // len(DEVICES)] + by_device[c % len(DEVICES)] for c in range(len(CONTEXTS))] + [np.inf])

    @cached_property
    def patience(self) -> np.ndarray:
        """(C + 1,) chance to go on to the next film; the mean of all screens where there is no context."""
        screens = np.array(self.truth.patience)
        return np.append(np.tile(screens, len(TIMES_OF_DAY)), screens.mean())

    # -- what viewers want -------------------------------------------------------------------------------------------

    def peak(self, viewers: np.ndarray, contexts: np.ndarray, films: np.ndarray | None = None) -> np.ndarray:  # (B, K)
        """Height in [0, 1] of the viewers' taste at films (B, K), all films where None: 1 at an ideal point.

        peak = max_m exp(-|x - p_m - s|^2 / 2 tau^2),  s = dose x response x rule x tau^2: by so much that the rule's log-odds are what log(peak) of
        a film of that genre alone gains against a film without it.
        """
        x = self.space if films is None else self.space[films]
        tau2 = self.widths[viewers, None] ** 2
        p = self.ideals[viewers] + (self.dose * self.response[viewers, None] * tau2 * self.rule[contexts])[:, None]
        length = (x**2).sum(axis=-1)
        squared = (  # |x - p|^2 = |x|^2 - 2 x p + |p|^2
            length - 2 * (x @ p[:, m, :, None])[..., 0] + ((p[:, m] ** 2).sum(axis=1) + self.apart[viewers, m])[:, None] for m in range(p.shape[1])
        )
        return np.exp(-np.maximum(reduce(np.minimum, squared), 0) / (2 * tau2))

    def own(self, viewers: np.ndarray, films: np.ndarray | None = None) -> np.ndarray:  # (B, K)
        """What each viewer feels about each film that nobody can know, standard normal; always the same of the same two."""
        items = np.arange(len(self.catalog))[None] if films is None else films
        return hashed_normal(self.seed, np.asarray(viewers)[:, None], items)

    def liking(self, viewers: np.ndarray, contexts: np.ndarray, films: np.ndarray | None = None) -> np.ndarray:  # (B, K)
        """Stars above those of an average film, of films (B, K), all films where None."""
        t = self.truth
        quality = self.quality if films is None else self.quality[films]
        return t.quality * quality + t.taste * (self.peak(viewers, contexts, films) - t.neutral) + t.own * self.own(viewers, films)

    def chances(self, viewers: np.ndarray, contexts: np.ndarray, lists: np.ndarray) -> Chances:
        """All that the truth says of the films of lists (B, K), each shown to a viewer in a context (B,)."""
        t, liking = self.truth, self.liking(viewers, contexts, lists)
        over = np.maximum(self.minutes[lists] - self.minutes_there[contexts][:, None], 0) / 60  # hours that a film is too long
        burden = self.dose * t.pressure * over
        click = expit(t.click + self.eagerness[viewers, None] + t.click_liking * liking + t.click_fame * self.fame[lists] - burden)
        satisfied = expit(t.satisfied + t.satisfied_liking * liking - burden)
        hide = t.hide * expit(t.hide_sharp * (t.disliked - liking))
        return Chances(liking, click, satisfied, hide, t.average + self.leniency[viewers, None] + liking)

    # -- what viewers do ---------------------------------------------------------------------------------------------

    def expected_click(self, viewers: np.ndarray, contexts: np.ndarray, lists: np.ndarray) -> Expected:
        """Exactly what to expect of lists (B, K). With a the chance of a click and s of being satisfied, and g the patience:

        looked at: e_1 = 1, e_{k+1} = e_k g (1 - a_k s_k);  clicked: e_k a_k;
        nothing clicked so far: n_1 = 1, n_{k+1} = n_k g (1 - a_k);  any = sum_k n_k a_k.
        """
        c = self.chances(viewers, contexts, lists)
        goes_on = self.patience[contexts][:, None]
        first = np.ones((len(lists), 1))
        looked = np.cumprod(np.hstack([first, goes_on * (1 - c.click * c.satisfied)[:, :-1]]), axis=1)
        nothing = np.cumprod(np.hstack([first, goes_on * (1 - c.click)[:, :-1]]), axis=1)
        places = looked * c.click
        return Expected(places, places.sum(axis=1), (nothing * c.click).sum(axis=1))

    def visit(self, viewers: np.ndarray, contexts: np.ndarray, lists: np.ndarray, rng: np.random.Generator, lift: np.ndarray | float = 0.0) -> Visit:
        """One visit a row of lists (B, K). A click starts the film; who is satisfied sees its end and leaves, who is not gives up early.

        lift (B,), planted: clicks are 1 + lift times as likely, and satisfy so much less often that as many films are looked at as without.
        """
        t, c = self.truth, self.chances(viewers, contexts, lists)
        factor = 1 + np.broadcast_to(np.asarray(lift, np.float64), len(lists))[:, None]
        draw = rng.random((4, *lists.shape))
        clicks, pleased = draw[0] < c.click * factor, draw[1] < c.satisfied / factor
        goes_on = (draw[2] < self.patience[contexts][:, None]) & ~(clicks & pleased)
        seen = np.cumprod(np.hstack([np.ones((len(lists), 1), bool), goes_on[:, :-1]]), axis=1).astype(bool)
        clicked, pleased = clicks & seen, clicks & seen & pleased
        share = np.where(pleased, 1.0, rng.beta(*t.gives_up, lists.shape))
        minutes = np.where(clicked, np.maximum(np.rint(share * self.minutes[lists]), 1), 0)
        rates = clicked & (rng.random(lists.shape) < np.where(pleased, t.rates_finished, t.rates_left))
        stars = np.where(rates, half_stars(c.stars + t.noise * rng.standard_normal(lists.shape)), np.nan)
        return Visit(seen, clicked, minutes, stars, seen & ~pleased & (draw[3] < c.hide))

    def calendar(self, days: np.ndarray, first: date) -> tuple[np.ndarray, np.ndarray]:
        """Who comes on which day and where: bool (V, D), and contexts (V, D). first: the date of day 0; at most one visit a viewer and day."""
        rng = np.random.default_rng([self.seed, 2])
        weekend = np.array([(first + timedelta(int(day))).weekday() >= 5 for day in days])
        chance = np.minimum(self.rates[:, None] * np.where(weekend, self.truth.weekend, 1.0), 1)
        comes = rng.random(chance.shape) < chance
        above = rng.random(chance.shape)[:, :, None] > self.habits.cumsum(axis=1)[:, None]
        return comes, np.minimum(above.sum(axis=2), len(CONTEXTS) - 1)

    def histories(self, until: int, viewers: np.ndarray | None = None) -> list[Profile]:
        """What each viewer had watched and rated by the time `until` (unix seconds): all that a model may know of them.

        Films are drawn without replacement with weights exp(fame x log raters + liking), by the largest keys with Gumbel noise (Efraimidis &
        Spirakis, Information Processing Letters 97, 2006; Kool, van Hoof & Welling, ICML 2019), in the order of the draw dealt anew.
        """
        chosen = np.arange(len(self)) if viewers is None else np.asarray(viewers)
        return [profile for at in range(0, len(chosen), 250) for profile in self._some_histories(until, chosen[at : at + 250])]

    def _some_histories(self, until: int, viewers: np.ndarray) -> list[Profile]:
        t, profiles = self.truth, []
        liking = self.liking(viewers, np.full(len(viewers), NOWHERE))
        known = t.exposure * np.log(np.maximum(self.catalog.raters, 1))
        for viewer, likes in zip(viewers.tolist(), liking):
            rng = np.random.default_rng([self.seed, 3, viewer])
            n = min(int(np.clip(np.exp(rng.normal(np.log(t.history), t.history_spread)), *t.history_range)), len(known))
            keys = known + t.exposure_liking * likes + rng.gumbel(size=len(known))
            films = rng.permutation(np.argpartition(-keys, n - 1)[:n])
            stars = half_stars(t.average + self.leniency[viewer] + likes[films] + t.noise * rng.standard_normal(n))
            profiles.append(Profile(films, stars, np.sort(rng.integers(until - YEAR, until, n))))
        return profiles


def half_stars(values: np.ndarray) -> np.ndarray:
    """Rounded to half stars from 0.5 to 5."""
    return np.clip(np.rint(2 * values) / 2, 0.5, 5)


def hashed_normal(seed: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A standard normal draw for each pair of whole numbers below 2^32, always the same.

    The finaliser of SplitMix64 (Steele, Lea & Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014), through the normal quantile.
    """
    with np.errstate(over="ignore"):
        z = (np.asarray(a, np.uint64) << np.uint64(32)) + np.asarray(b, np.uint64) + np.uint64(seed + 1) * np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    return ndtri(((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53 + 2.0**-54)
