"""Ranking metrics, one number per user. Means and intervals are made by the caller."""

from __future__ import annotations

import numpy as np


def ranks(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(B,) rank of one target film per row of scores (B, I), 1 for the best; ties count against the target."""
    own = scores[np.arange(len(scores)), targets]
    return (scores >= own[:, None]).sum(axis=1)


def hit_rate(ranks: np.ndarray, k: int) -> np.ndarray:
    """1 where the target stands among the first k."""
    return (ranks <= k).astype(np.float64)


def ndcg(ranks: np.ndarray, k: int) -> np.ndarray:
    """NDCG with one relevant film: 1 / log2(1 + rank) within the first k, else 0. Source: Järvelin & Kekäläinen, TOIS 2002."""
    return np.where(ranks <= k, 1 / np.log2(1 + ranks), 0.0)
