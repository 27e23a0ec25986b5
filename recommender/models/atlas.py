"""The atlas of films: groups of well-known films with names and faces, and a place in two dimensions for every film that enough people rated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from sklearn.cluster import KMeans
from sklearn.manifold import TSNE, trustworthiness
from sklearn.metrics import silhouette_samples
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.models.factors import ALS
from recommender.models.naming import Films, Name, name_groups

NEAREST = 10  # films whose nearness on the map is measured


@dataclass(frozen=True)
class Group:
    """Films that the same people rated: what they are called, the best known of the most central ones (item numbers), and why they are so called."""

    number: int
    name: str
    films: tuple[int, ...]
    why: str


@dataclass
class Atlas:
    """Films in groups and on a map, by the directions of their ALS factors.

    Groups: spherical k-means (Dhillon & Modha, Machine Learning 42, 2001) of well-known films, each with the square root of its raters as
    weight; their number is the smallest within `fewest` and `most` whose silhouette (Rousseeuw, J. Comput. Appl. Math. 20, 1987) lies within one
    standard error of the largest. Every other film with a vector joins the group whose centre is nearest.
    Map: t-SNE by cosine (van der Maaten & Hinton, JMLR 9, 2008), started from principal components.
    """

    refits: ClassVar[bool] = True
    least: int = 20  # raters, below which a film has no place
    well_known: float = 1 / 30  # share of all people who must have rated a film that shapes the groups
    fewest: int = 18
    most: int = 28
    perplexity: float = 30.0
    seed: int = 0

    def attach(self, models: dict) -> Self:
        """Use the vectors of this fitted ALS."""
        if not isinstance(models.get("als"), ALS):
            raise LookupError("the atlas needs the model als, which did not load")
        self.als = models["als"]
        return self

    def fit(self, interactions: Interactions, catalog: Catalog) -> Self:
        """Group and place the films; `quality` then says how well that went."""
        self.catalog = catalog
        raters = interactions.raters
        known = (raters >= self.least) & (np.abs(self.als.factors_) > 0).any(axis=1)
        total = np.bincount(interactions.items, interactions.ratings, interactions.n_items)
        self.raters_ = np.where(known, raters, 0).astype(np.int32)
        self.people_ = np.array([interactions.n_users])
        self.stars_ = np.where(known, total / np.maximum(raters, 1), np.nan).astype(np.float32)
        self.core_ = known & (raters >= self.well_known * interactions.n_users)
        labels, silhouettes = self._groups()
        self.group_ = np.full(len(catalog), -1, np.int16)
        self.group_[self.core_] = labels
        self.group_[known] = (self.vectors[known] @ self.centres.T).argmax(axis=1)
        self.places_ = self._places()
        self.quality = self._quality(silhouettes)
        return self

    def _groups(self) -> tuple[np.ndarray, dict[int, float]]:
        """Group of each well-known film, and the silhouette at each number of groups that was tried."""
        x, weight = self.vectors[self.core_], np.sqrt(self.raters_[self.core_])
        tried = {}
        for k in range(self.fewest, min(self.most, len(x) - 1) + 1):
            labels = _settled(x, weight, KMeans(k, n_init=10, random_state=self.seed).fit(x, sample_weight=weight).labels_)
            tried[k] = silhouette_samples(x, labels, metric="cosine"), labels
        if not tried:
            raise ValueError(f"{len(x)} films are well known, wanted more than {self.fewest} to form groups")
        mean = {k: float(values.mean()) for k, (values, _) in tried.items()}
        best = tried[max(mean, key=mean.__getitem__)][0]
        enough = best.mean() - best.std() / np.sqrt(len(x))
        return tried[min(k for k in mean if mean[k] >= enough)][1], mean

    def _places(self) -> np.ndarray:  # float32 (I, 2)
        """Where each film with a vector lies, both axes within -1 and 1; nan for the others."""
        known = self.known
        places = np.full((len(known), 2), np.nan, np.float32)
        perplexity = min(self.perplexity, (known.sum() - 1) / 3)
        found = TSNE(2, perplexity=perplexity, metric="cosine", init="pca", random_state=self.seed, n_jobs=1).fit_transform(self.vectors[known])
        centred = found - (found.min(axis=0) + found.max(axis=0)) / 2
        places[known] = centred / np.abs(centred).max()
        return places

    def _quality(self, silhouettes: dict[int, float]) -> dict:
        """Of the map: share of the nearest films by vector that are nearest on it, trustworthiness (Venna & Kaski, ICANN 2001). Of the groups:
        silhouettes by their number."""
        x, y = self.vectors[self.known], self.places_[self.known]
        k = min(NEAREST, len(x) // 2 - 1)
        near = [NearestNeighbors(n_neighbors=k, metric=m).fit(v).kneighbors(return_distance=False) for m, v in (("cosine", x), ("euclidean", y))]
        kept = np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(*near)])
        return {
            "films": len(x),
            "well_known": int(self.core_.sum()),
            "groups": len(self.centres),
            "nearest": k,
            "kept": round(float(kept), 4),
            "by_chance": round(k / (len(x) - 1), 4),
            "trustworthiness": round(float(trustworthiness(x, y, n_neighbors=k, metric="cosine")), 4),
            "silhouettes": [[k, round(value, 4)] for k, value in silhouettes.items()],
        }

    # -- what it tells -------------------------------------------------------------------------------------------------

    @property
    def known(self) -> np.ndarray:  # (I,) bool
        """Films with a vector, a group and a place."""
        return self.raters_ > 0

    @cached_property
    def vectors(self) -> np.ndarray:  # (I, F), of length 1
        return normalize(self.als.factors_.astype(np.float64))

    @cached_property
    def centres(self) -> np.ndarray:  # (N, F), of length 1
        """The mean of each group's well-known films, as weighted as they are for k-means."""
        return _centres(self.vectors[self.core_], np.sqrt(self.raters_[self.core_]), self.group_[self.core_])

    @cached_property
    def likeness(self) -> np.ndarray:  # (N, I)
        """Cosine of every film with the centre of every group."""
        return self.centres @ self.vectors.T

    def closeness(self, group: int) -> np.ndarray:  # (I,)
        """How near each film is to a group, in spreads over the films with vectors: 0 for the mean of them and where nothing is known."""
        if not 0 <= group < len(self.centres):
            raise LookupError(f"group number is {group}, wanted 0 to {len(self.centres) - 1}")
        own = self.likeness[group][self.known]
        near = np.zeros(len(self.known))
        near[self.known] = (own - own.mean()) / own.std()
        return near

    @cached_property
    def names(self) -> list[Name]:
        """What each group is called; see name_groups."""
        known = np.flatnonzero(self.known)
        shaping = np.where(self.core_, self.group_, -1)
        return name_groups(Films(known, shaping[known], self.stars_[known], self.raters_[known]), self.catalog)

    def groups(self, allowed: np.ndarray, faces: int = 6, least: int = 4) -> tuple[Group, ...]:
        """The groups with up to `faces` films of allowed (I,) bool, the largest first; those with fewer than `least` such films are left out.

        Every face is what the name says. They stand by cosine with the centre times log raters: the best known of the most central ones.
        """
        found = []
        for g in np.argsort(-np.bincount(self.group_[self.core_], minlength=len(self.centres)), kind="stable").tolist():
            films = np.flatnonzero(self.known)[self.names[g].holds]
            films = films[(self.group_[films] == g) & allowed[films]]
            worth = self.likeness[g, films] * np.log(self.raters_[films])
            chosen = films[np.argsort(-worth, kind="stable")[:faces]]
            if len(chosen) >= least:
                found.append(Group(g, self.names[g].text, tuple(chosen.tolist()), self._why(g)))
        return tuple(found)

    def _why(self, group: int) -> str:
        n, name = int((self.group_[self.core_] == group).sum()), self.names[group]
        said = f"{name.inside:.0%} of them are what the name says, of all well-known films {name.overall:.0%}"
        return f"{n} well-known films that much the same people rated: {said}."


def _centres(x: np.ndarray, weight: np.ndarray, labels: np.ndarray) -> np.ndarray:  # (N, F)
    """Direction of the weighted sum of each group's unit vectors x (n, F)."""
    return normalize(np.stack([weight[labels == g] @ x[labels == g] for g in range(labels.max() + 1)]))


def _settled(x: np.ndarray, weight: np.ndarray, labels: np.ndarray) -> np.ndarray:  # (n,)
    """Groups from which no film (n, F) would move, each being in the one whose centre is nearest by cosine; started from `labels`."""
    while True:
        moved = np.unique((x @ _centres(x, weight, labels).T).argmax(axis=1), return_inverse=True)[1]
        if (moved == labels).all():
            return labels
        labels = moved
