"""Small worlds whose truth is known: for the tests, and the one rule by which a device is simulated.

MovieLens records no device. Where a model needs one, it is drawn here, from the genres and running time of the film
and from nothing else, and everything trained on it is marked `simulated: device`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import log_softmax

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.types import DEVICES

# Log-odds, at dose 1, that a film of the genre is watched on the device rather than on any other.
DEVICE_RULE: dict[str, dict[str, float]] = {
    "mobile": {"Comedy": 0.8, "Animation": 0.8, "Children's": 0.6, "Romance": 0.4},  # lighter, and shorter: see below
    "tablet": {},  # mixed
    "desktop": {"Documentary": 1.2, "Drama": 0.6},
    "tv": {"Action": 0.8, "Adventure": 0.8},
}
MOBILE_PER_HOUR = -0.8  # log-odds for each hour above 100 minutes, where the running time is known


def device_odds(catalog: Catalog) -> np.ndarray:  # (I, 4)
    """Log-odds of each device for each film at dose 1."""
    odds = np.zeros((len(catalog), len(DEVICES)))
    for d, device in enumerate(DEVICES):
        for genre, lift in DEVICE_RULE[device].items():
            if genre in catalog.genre_names:
                odds[:, d] += lift * catalog.genres[:, catalog.genre(genre)]
    odds[:, DEVICES.index("mobile")] += MOBILE_PER_HOUR * np.nan_to_num((catalog.minutes - 100) / 60)
    return odds


def simulate_devices(interactions: Interactions, catalog: Catalog, dose: float, rng: np.random.Generator) -> Interactions:
    """The same interactions, each with a device drawn with odds exp(dose x rule), and marked so; dose 0 draws uniformly."""
    if dose < 0:
        raise ValueError(f"dose == {dose}, must be >= 0")
    odds = dose * device_odds(catalog)
    noise = rng.gumbel(size=(len(interactions), len(DEVICES)))  # the largest of odds + Gumbel noise is a draw from softmax(odds)
    drawn = (odds[interactions.items] + noise).argmax(axis=1).astype(np.int8)
    return replace(interactions, devices=drawn, simulated=tuple(dict.fromkeys((*interactions.simulated, "device"))))


def planted_lifts(catalog: Catalog, raters: np.ndarray, dose: float) -> np.ndarray:  # (4, G) log-odds
    """By how much the rule lifts each genre on each device: log P(device | film) - log P(device), as far as it is linear in genres.

    The closed form of weighted least squares on a film's genres and a constant, a film counting as often as it is rated (raters (I,)).
    Running time, and how genres share the four devices, make the truth not quite linear.
    """
    log_share = log_softmax(dose * device_odds(catalog), axis=1)  # (I, 4)
    weight = raters / raters.sum()
    lift = log_share - np.log(weight @ np.exp(log_share))
    known = np.column_stack([catalog.genres, np.ones(len(catalog))])
    root = np.sqrt(weight)[:, None]
    return np.linalg.lstsq(root * known, root * lift)[0][:-1].T  # b = argmin sum_i w_i (lift_i - x_i b)^2


def checkerboard(n_users: int = 120, n_items: int = 40, seed: int = 0, density: float = 0.6) -> tuple[Catalog, Interactions]:
    """Even viewers watch even films, odd viewers odd films; even films are Comedy, odd ones Action.

    Every model must learn it: a viewer of even films wants the other even films.
    """
    rng = np.random.default_rng(seed)
    parity = np.arange(n_items) % 2
    watched = (np.arange(n_users)[:, None] % 2 == parity) & (rng.random((n_users, n_items)) < density)
    users, items = np.nonzero(watched)
    order = rng.permutation(len(users))
    users, items = users[order], items[order]
    stars = rng.integers(3, 6, len(users)).astype(np.float32)
    times = 1_000_000_000 + 3600 * np.arange(len(users))
    catalog = Catalog(
        ids=np.arange(100, 100 + n_items),
        titles=tuple(f"{'Even' if p == 0 else 'Odd'} Story {i}" for i, p in enumerate(parity)),
        years=np.full(n_items, 1999),
        genres=np.stack([parity == 0, parity == 1], axis=1),
        genre_names=("Comedy", "Action"),
        directors=tuple((f"Director {p}",) for p in parity),
        actors=tuple((f"Actor {i % 6}", f"Star {p}") for i, p in enumerate(parity)),
        certificates=tuple("PG" if p == 0 else "R" for p in parity),
        minutes=np.where(parity == 0, 90.0, 130.0),
        imdb_ids=np.zeros(n_items, np.int64),
        tmdb_ids=np.zeros(n_items, np.int64),
        text=tuple(f"{'laughter garden wedding' if p == 0 else 'explosion chase bullet'} tale number{i % 7}" for i, p in enumerate(parity)),
    )
    part_of_day = rng.integers(0, 4, len(users)).astype(np.int8)
    return catalog, Interactions.sorted(users, items, stars, times, n_users=n_users, n_items=n_items, times_of_day=part_of_day)
