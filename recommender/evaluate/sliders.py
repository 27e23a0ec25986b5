"""What a viewer's own settings cost: from familiar to adventurous, and from alike to varied, against the first row as it is without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from recommender import rank
from recommender.catalog import Catalog
from recommender.evaluate import coldstart, dislikes
from recommender.evaluate.metrics import coverage, exposures, hit_rate, hits_of_lists, intra_list_diversity, ndcg, novelty
from recommender.evaluate.rankings import BATCH, milliseconds
from recommender.evaluate.report import Contender, Paired, Row
from recommender.evaluate.split import Split, UserSplit
from recommender.settings import Settings
from recommender.stats.inference import bootstrap_means, holm, paired_differences
from recommender.steer import ADVENTURE, pushes, steered
from recommender.types import Preferences, Recommender

ADVENTURES = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)
VARIETIES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
K = 10
CANDIDATES = 400  # best by EASE, which the hybrid ranks, as on the collaborative way of the app
KNOWN = 5  # ratings of a newcomer
COMPARED = ("HR", "NDCG")  # with the model's own setting
MEASURES = (*COMPARED, "novelty", "raters", "diversity")
MIXED, LOVE, DISLIKE = (Settings.model_fields[name].default for name in ("diversity", "love_weight", "dislike_weight"))
as_served = partial(dislikes.spoken, disliked=DISLIKE, loved=LOVE)  # a profile, as loud as the app lets it speak
SERVED, PLAIN, NEWCOMERS = "hybrid", "ease", "popularity"  # they make the first row: of itself, where a viewer chose it, and for newcomers
OWN = {SERVED: MIXED, PLAIN: MIXED, NEWCOMERS: 0.0}  # variety where none is set


class Setting(NamedTuple):
    """One place of both sliders."""

    adventure: float
    variety: float

    def __str__(self) -> str:
        return f"adventure {self.adventure:g}, variety {self.variety:g}"


def settings_of(model: str) -> list[Setting]:
    """What is measured, the model's own setting first: all places of both sliders for the one that is served, one slider moved for others."""
    own = Setting(0.0, OWN[model])
    places = [Setting(a, v) for a in ADVENTURES for v in VARIETIES]
    return [own, *(s for s in places if s != own and (model == SERVED or s.adventure == own.adventure or s.variety == own.variety))]


@dataclass(frozen=True, eq=False)
class FirstRows:
    """First rows of a model for the viewers of a split. `near`, where there is one, chooses the CANDIDATES that the model ranks; all films may be
    shown, those nobody rated too."""

    model: Recommender
    near: Recommender | None
    split: Split
    catalog: Catalog
    raters: np.ndarray  # (I,)

    def shown(self, settings: list[Setting]) -> np.ndarray:  # (B, S, K) item numbers
        """The first K of every viewer at each setting."""
        hidden = self.split.spans if self.split.hidden is None else self.split.hidden
        found = []
        for start in range(0, len(self.split), BATCH):
            rows = slice(start, min(start + BATCH, len(self.split)))
            queries = [replace(q, profile=as_served(q.profile)) for q in self.split.queries(rows)]
            scores = self.model.score(queries)
            near = scores if self.near is None else self.near.score(queries)
            for own, by, (first, last) in zip(scores, near, hidden[rows].tolist()):
                found.append(self._rows(own, by, self.split.source.items[first:last], settings))
        return np.array(found)

    def _rows(self, own: np.ndarray, near: np.ndarray, seen: np.ndarray, settings: list[Setting]) -> list[np.ndarray]:
        ranked: dict[float, np.ndarray] = {}
        for adventure in {s.adventure for s in settings}:
            ranked[adventure] = rank.mask(self.moved(own, adventure), seen)
            if self.near is not None:
                out = np.ones(len(own), bool)
                out[rank.top(rank.mask(self.moved(near, adventure), seen), CANDIDATES)] = False
                ranked[adventure] = rank.mask(ranked[adventure], out)
        return [rank.diversify(ranked[s.adventure], self.catalog.genres, K, s.variety) for s in settings]

    def moved(self, scores: np.ndarray, adventure: float) -> np.ndarray:
        """Scores as the setting moves them."""
        return steered(scores, self._pushes[adventure])

    @cached_property
    def _pushes(self) -> dict[float, tuple]:
        return {a: pushes(Preferences(adventure=a), self.catalog, None, self.raters) for a in ADVENTURES}

    def figures(self, shown: np.ndarray, n_users: int) -> np.ndarray:  # (B, 5)
        """MEASURES of lists (B, K): novelty in bits, the median raters of a list, 1 less its mean likeness in genres."""
        hits, counts = hits_of_lists(shown, self.split.relevant), np.diff(self.split.relevant.indptr)
        return np.column_stack(
            [
                hit_rate(hits, counts, K),
                ndcg(hits, counts, K),
                novelty(shown, self.raters, n_users),
                np.median(self.raters[shown], axis=1),
                intra_list_diversity(shown, self.catalog.genres),
            ]
        )


def run(
    models: dict[str, Recommender], labels: dict[str, str], strangers: UserSplit, catalog: Catalog, say: Callable = print
) -> tuple[list[Split], list[Contender], list[Row], list[Paired], dict]:
    """Every setting of each of OWN, for viewers none of the models was trained on."""
    raters, everything = strangers.fit.raters, np.ones(len(catalog), bool)
    known, _ = dislikes.questions(strangers.exam, everything)
    new = coldstart.questions(strangers.exam, KNOWN, everything, coldstart.SAMPLED)
    table: list[Row] = []
    differences: list[Paired] = []
    contenders = []
    for name in OWN:
        near = models[PLAIN] if name == SERVED else None
        asked = FirstRows(models[name], near, new if name == NEWCOMERS else known, catalog, raters)
        settings = settings_of(name)
        shown = asked.shown(settings)  # (B, S, K)
        values = [asked.figures(shown[:, n], len(np.unique(strangers.fit.users))) for n in range(len(settings))]
        for n, setting in enumerate(settings):
            table += [_short(Row(str(setting), name, metric, K, None, *e)) for metric, e in zip(MEASURES, bootstrap_means(values[n]))]
            share = coverage(exposures(shown[:, n], len(catalog)))
            table.append(_short(Row(str(setting), name, "coverage", K, None, share, share, share, len(shown))))
        differences += compare(name, settings, values)
        contenders.append(Contender(name, labels[name], "", False, 1, 0.0, round(milliseconds(models[name], asked.split), 3), 0.0))
        say(f"sliders · {name}: {len(settings)} settings, " + ", ".join(f"{m} {v:.4f}" for m, v in zip(MEASURES, values[0].mean(axis=0))))
    measured = {name: [{"variant": str(s), **s._asdict()} for s in settings_of(name)] for name in OWN}  # the first is the model's own
    return (
        [known, new],
        contenders,
        table,
        differences,
        {"settings": measured, "scale": ADVENTURE, "weights": {"love_weight": LOVE, "dislike_weight": DISLIKE}},
    )


def compare(model: str, settings: list[Setting], values: list[np.ndarray]) -> list[Paired]:
    """Every other setting less the first in each of COMPARED; p corrected over all of one model."""
    n = len(COMPARED)
    others = np.column_stack([found[:, :n] for found in values[1:]])
    found = paired_differences(others, np.tile(values[0][:, :n], len(values) - 1))
    corrected = holm(np.array([d.p for d in found])).tolist()
    keys = [(str(s), metric) for s in settings[1:] for metric in COMPARED]
    return [
        _short(Paired(variant, model, str(settings[0]), metric, K, None, *d[:4], p, d.n))
        for (variant, metric), d, p in zip(keys, found, corrected, strict=True)
    ]


def _short(row):
    """Few digits, so that a report of hundreds of settings stays small."""
    return row._replace(**{name: round(value, 4 if abs(value) < 100 else 1) for name, value in row._asdict().items() if isinstance(value, float)})
