"""What a viewer's stars say of a kind of film."""

from __future__ import annotations

import numpy as np

from recommender.types import Profile

LIKED = 4.0  # stars from which on a film counts as liked in a sentence


def rated_and_liked(films: np.ndarray, profile: Profile) -> tuple[int, int]:
    """How many of these films (I,) bool the viewer has rated, and how many of those they liked."""
    mine = films[profile.items]
    return int(mine.sum()), int((mine & (profile.ratings >= LIKED)).sum())


def mostly_liked(films: np.ndarray, profile: Profile) -> bool:
    """Whether the viewer liked two or more of these films (I,) bool, and at least half of those they rated."""
    rated, liked = rated_and_liked(films, profile)
    return liked >= 2 and 2 * liked >= rated
