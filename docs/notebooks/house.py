"""What the three notebooks share: the house on their path, the data at hand, and charts in its colours."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.load import load
from recommender.settings import settings
from recommender.ui.vega import FAMILIES, FONT, IVORY, NIGHT, TOP, Spec, dress
from recommender.world import checkerboard, simulate_devices

GOLD, BLUE, GREEN = (FAMILIES[name][0] for name in ("hybrid", "sequential", "collaborative"))
EDITIONS = ("ml-1m", "ml-100k")
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"


def data() -> tuple[str, Catalog, Interactions]:
    """MovieLens where it was fetched (1M before 100K), else a small synthetic world: half its viewers watch the even films, half the odd ones."""
    for edition in EDITIONS:
        if (folder := settings().raw / edition).is_dir():
            return f"MovieLens, {edition}", *load(folder, settings().films)
    catalog, interactions = checkerboard(n_users=400, n_items=80, density=0.4)
    return "A synthetic world", catalog, simulate_devices(interactions, catalog, 1.0, np.random.default_rng(0))


@dataclass(frozen=True)
class Chart:
    """A chart of Vega-Lite, drawn by the notebook itself: no network is asked."""

    spec: Spec

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"application/vnd.vegalite.v5+json": self.spec, "text/plain": self.spec["title"]["text"]}


def chart(title: str, layers: list[Spec], rows: pd.DataFrame, height: int = 260) -> Chart:
    """Layers over rows in the look of the app, on its own dark ground, with a title."""
    head = {"text": title, "color": IVORY, "font": f"{FONT}, sans-serif", "fontSize": 15, "anchor": "start", "fontWeight": 500, "offset": 12}
    padding = {"left": 12, "right": 16, "top": TOP // 2, "bottom": 8}
    return Chart({**dress(layers, rows, height), "$schema": SCHEMA, "width": 620, "background": NIGHT, "title": head, "padding": padding})
