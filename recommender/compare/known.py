"""Whether a list was made by models that learned from the viewer's own ratings, as far as their cards and the data set tell."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from recommender import artifacts
from recommender.compare.lists import HOME, Side, row_of
from recommender.evaluate.split import split_users
from recommender.interactions import Interactions
from recommender.models.hybrid import PARTS
from recommender.serve.routing import way
from recommender.serve.service import Service
from recommender.serve.viewers import Viewer
from recommender.train import EXAM_SHARE, GATE_SHARE


def learned_from(service: Service, viewer: Viewer, side: Side) -> bool | None:
    """Whether any model behind this list learned from the viewer's ratings; None where that cannot be known.

    Demo viewers are made up and no data set holds them; people of MovieLens are in the training data of all models but for networks, which left
    some out (train.py). The exact user neighbours read the data set itself, but where ratings are hidden not this viewer's (compare/lists.py).
    """
    if not viewer.id.startswith("ml-"):
        return False
    interactions = service.interactions
    if interactions is None:
        return None
    row = row_of(interactions, viewer)
    found = [_learned(service, name, interactions, row) for name in behind(service, viewer, side) if name != "user_knn"]
    return True if any(found) else None if None in found else False


def behind(service: Service, viewer: Viewer, side: Side) -> tuple[str, ...]:
    """The models whose scores decide a list."""
    model = side.model
    if model == HOME:
        usual = "popularity" if way(len(viewer.profile), service.models, service.settings) == "popular" else "hybrid"
        model = wanted if (wanted := viewer.preferences.model) in service.models else usual
    return ("hybrid", *PARTS) if model == "hybrid" else (model,)


def _learned(service: Service, model: str, interactions: Interactions, row: int) -> bool | None:
    try:
        card = artifacts.card(model, service.folder)
        if card["data"]["sha256"] != _fingerprint(interactions):
            return None
        return str(card["fitted_on"]).startswith("all users") or bool(_fitted(interactions, int(card["seed"]))[row])
    except (artifacts.ArtifactError, KeyError, TypeError, ValueError):
        return None


@lru_cache(maxsize=2)
def _fingerprint(interactions: Interactions) -> str:
    return interactions.fingerprint()


@lru_cache(maxsize=2)
def _fitted(interactions: Interactions, seed: int) -> np.ndarray:  # (U,) bool
    """Who the models learn from that leave some viewers out."""
    fit = split_users(interactions, GATE_SHARE, EXAM_SHARE, seed).fit
    return np.bincount(fit.users, minlength=interactions.n_users) > 0


def people(service: Service) -> int:
    """How many people the published numbers of raters were counted over; 0 where no card tells."""
    try:
        return int(artifacts.card("popularity", service.folder)["data"]["users"])
    except (artifacts.ArtifactError, KeyError, TypeError, ValueError):
        return 0
