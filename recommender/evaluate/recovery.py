"""What gates learned of genres in a context, against what the rule of the simulation planted: both in log-odds."""

from __future__ import annotations

import numpy as np
from scipy.stats import linregress
from scipy.stats import t as student

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models.hybrid import Hybrid
from recommender.types import DEVICES, TIMES_OF_DAY
from recommender.world import planted_lifts

LEAST = 20  # viewers who were asked for a film of the genre; nothing is published about fewer


def effects(taught: dict[float, list[Hybrid]], timely: Hybrid, log: Interactions, catalog: Catalog) -> dict[str, list[dict]]:
    """Tables of a report: genres by device and dose, how well they were recovered, and genres by time of day.

    taught: for each dose, gates that learned from draws of the devices of `log`; timely: one that learned its observed times of day.
    genres: {dose, device, genre, planted, recovered, lo, hi, n}, recovered being the mean over the draws with its 95% interval;
    recovery: {dose, draws, points, correlation, slope, lo, hi, spread}, see _recovery;
    times: {time_of_day, genre, recovered, n}, where nothing is planted. n: viewers who were asked for a film of the genre.
    """
    viewers = viewers_asked(timely, log, catalog)
    kept = np.flatnonzero(viewers >= LEAST)
    genres, found = [], []
    for dose, gates in taught.items():
        planted = planted_lifts(catalog, log.raters, dose)
        recovered = np.stack([learned(gate, "device") for gate in gates])  # (draws, 4, G)
        mean, lo, hi = _over_draws(recovered)
        genres += [
            {"dose": dose, "device": device, "genre": catalog.genre_names[g], "n": int(viewers[g])}
            | {name: round(float(of[d, g]), 4) + 0.0 for name, of in (("planted", planted), ("recovered", mean), ("lo", lo), ("hi", hi))}
            for d, device in enumerate(DEVICES)
            for g in kept.tolist()
        ]
        found.append({"dose": dose, "draws": len(gates)} | _recovery(planted[:, kept].ravel(), recovered[:, :, kept].reshape(len(gates), -1)))
    by_time = learned(timely, "time")
    times = [
        {"time_of_day": part, "genre": catalog.genre_names[g], "recovered": round(float(by_time[t, g]), 4) + 0.0, "n": int(viewers[g])}
        for t, part in enumerate(TIMES_OF_DAY)
        for g in kept.tolist()
    ]
    return {"genres": genres, "recovery": found, "times": times}


def learned(hybrid: Hybrid, table: str) -> np.ndarray:  # (4, G)
    """Log-odds that a gate gives to the genres in each context of a table, "time" or "device": its points times its sharpness."""
    return np.exp(hybrid.state_["log_sharpness"]) * hybrid.state_[f"{table}_genres.weight"][1:]


def viewers_asked(hybrid: Hybrid, log: Interactions, catalog: Catalog) -> np.ndarray:  # (G,)
    """How many viewers of `log` the gate asked for a film of each genre."""
    _, films, viewers = hybrid.questions(log, np.random.default_rng(hybrid.seed))
    return np.array([len(np.unique(viewers[of])) for of in catalog.genres[films].T])


def _recovery(planted: np.ndarray, recovered: np.ndarray) -> dict:
    """How recovered (draws, P) follows planted (P,), each point a genre on a device, least squares with a constant.

    slope: of recovered on planted, mean over the draws with its 95% interval; below 1 the gate's ridge and early stop hold it back;
    correlation: mean over the draws; spread: standard deviation of what the line leaves, which at dose 0 is all noise. No line where
    nothing is planted.
    """
    facts = {"points": len(planted)}
    if np.ptp(planted) < 1e-9:
        left = recovered - recovered.mean(axis=1, keepdims=True)
        return facts | {"correlation": None, "slope": None, "lo": None, "hi": None, "spread": round(float(left.std(axis=1).mean()), 4)}
    lines = [linregress(planted, row) for row in recovered]
    slope, lo, hi = _over_draws(np.array([line.slope for line in lines]))
    left = [row - line.intercept - line.slope * planted for row, line in zip(recovered, lines)]
    figures = {"correlation": np.mean([line.rvalue for line in lines]), "slope": slope, "lo": lo, "hi": hi, "spread": np.std(left, axis=1).mean()}
    return facts | {name: round(float(value), 4) for name, value in figures.items()}


def _over_draws(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over the first axis, the draws, with its 95% interval by Student's t."""
    n = len(values)
    if n < 2:
        raise ValueError(f"{n} draws of the devices, wanted at least 2 for an interval")
    mean, half = values.mean(axis=0), student.ppf(0.975, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return mean, mean - half, mean + half
