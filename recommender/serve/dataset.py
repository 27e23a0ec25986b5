"""The fetched data set of a house: found when it arrives, also while the house is open, and read once."""

from __future__ import annotations

import threading
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.load import DataError, ratings
from recommender.models import MODELS
from recommender.types import Recommender


@dataclass(frozen=True, eq=False)
class Held:
    """The ratings in the numbers of a catalogue, and the exact user neighbours that come with them."""

    interactions: Interactions
    neighbours: Recommender


class Dataset:
    """One data set folder, read by whoever asks first; who asks meanwhile is told that there is none yet, and waits for nothing."""

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        self.folder, self.catalog = folder, catalog
        self.problem: str | None = None  # why the folder that is there cannot be read
        self._held: Held | None = None
        self._reading = threading.Lock()
        self._failed: int | None = None  # when the folder that could not be read was last changed [ns]

    def read(self) -> Held | None:
        """What is there; None where nothing has been fetched, it cannot be read (`problem`), or somebody is reading it now."""
        try:
            changed = self.folder.stat().st_mtime_ns
        except OSError:
            return None
        if self._held is None and changed != self._failed and self._reading.acquire(blocking=False):
            try:
                self._held, self.problem = self._held or self._opened(), None
            except (DataError, OSError) as error:
                self.problem, self._failed = f"{self.folder.name} is there and cannot be read: {error}", changed
            finally:
                self._reading.release()
        return self._held

    def take(self, before: Dataset) -> None:
        """Keep what another house has read already, where its films have the same numbers."""
        if before._held is not None and np.array_equal(before.catalog.ids, self.catalog.ids):
            neighbours = copy(before._held.neighbours)
            neighbours.catalog = self.catalog  # type: ignore[attr-defined]
            self._held = Held(before._held.interactions, neighbours)

    def _opened(self) -> Held:
        kept = ratings(self.folder, self.catalog)
        return Held(kept, MODELS["user_knn"]().fit(kept, self.catalog))
