"""The frame of every chart of the Experiments page: "simulated" is written on each that is."""

from __future__ import annotations

import pandas as pd

from recommender.ui import exhibits
from recommender.ui.exp_shelf import Shown
from recommender.ui.vega import Spec

STAMP = {"anchor": "end", "orient": "top", "color": "#d9a94f", "fontSize": 11, "fontWeight": 600, "offset": 4}


def draw(shown: Shown, key: str, head: str, sentence: str, spec: Spec, figures: pd.DataFrame) -> None:
    """A chart of this experiment with its sentence, its source and its figures as CSV."""
    exhibits.draw(f"exp_{key}", head, sentence, stamped(spec, shown.label), shown.source, figures)


def stamped(spec: Spec, label: str) -> Spec:
    """The chart with a word in its upper right corner; without a word as it is."""
    return {**spec, "title": {"text": label, **STAMP}} if label else spec
