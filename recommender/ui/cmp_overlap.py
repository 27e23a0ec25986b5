"""How alike the lists are: two heat maps, and what they have in common at each depth."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from recommender.compare import overlap
from recommender.ui import cmp_charts, exhibits
from recommender.ui.cmp_lists import Stand, source
from recommender.ui.cmp_sides import code
from recommender.ui.measures import number
from recommender.ui.vega import Spec

PATIENCE = (0.8, 0.9, 0.95, 0.98)


def alike(found: Stand) -> None:
    """Two matrices side by side, then agreement by depth."""
    lists, labels = [made.items for made in found.made], [f"{c.letter} {code(c.side.model)}" for c in found.columns]
    p = exhibits.choose("p", "Patience p of rank-biased overlap", PATIENCE, overlap.PATIENCE, lambda p: number(p, 2))
    left, right = st.columns(2, gap="large")
    said = source(found)
    jaccard, rbo = overlap.matrix(lists, overlap.jaccard), overlap.matrix(lists, partial(overlap.rbo, p=p))
    with left:
        head = _closest(jaccard, found, "No two lists share a film", "{pairs} share most: {x} of all films on either")
        exhibits.draw("jaccard", head, "Jaccard: films on both lists over films on either, whatever their places.", *_heat(jaccard, labels, said))
    with right:
        head = _closest(rbo, found, "No two lists agree anywhere", "By place, {pairs} are nearest: {x}")
        ten = round(100 * overlap.head_weight(p, 10))
        how = f"Rank-biased overlap, extrapolated, p = {number(p, 2)}: the reader goes on to the next place with chance p, so the first 10 places "
        exhibits.draw("rbo", head, f"{how}carry {ten}% of the weight. Webber, Moffat & Zobel, TOIS 2010.", *_heat(rbo, labels, said))
    _depth(found, said)


def _closest(values: np.ndarray, found: Stand, none: str, some: str) -> str:
    """The two lists that are most alike, in a sentence; all pairs that are as much alike as any."""
    apart = np.where(np.triu(np.ones_like(values), 1) > 0, values, np.nan)
    if not (most := np.nanmax(apart, initial=0.0)) > 0:
        return none
    pairs = [f"{found.columns[a].letter} and {found.columns[b].letter}" for a, b in np.argwhere(np.isclose(apart, most)).tolist()]
    return some.format(pairs=", ".join(pairs), x=number(float(most), 2))


def _heat(values: np.ndarray, labels: list[str], said: str) -> tuple[Spec, str, pd.DataFrame]:
    """A matrix as a chart, where it comes from, and its figures."""
    cells = pd.DataFrame(
        [
            {"row": a, "column": b, "x": x, "said": "–" if np.isnan(x) else number(x, 2)}
            for (a, b), x in zip(itertools.product(labels, labels), values.ravel().tolist())
        ]
    )
    return cmp_charts.heat(cells, labels), said, cells.drop(columns="said")


def _depth(found: Stand, said: str) -> None:
    pairs = list(itertools.combinations(range(len(found.made)), 2))
    lines = [
        pd.DataFrame({"pair": f"{found.columns[a].letter}–{found.columns[b].letter}", "depth": np.arange(1, len(x) + 1), "x": x})
        for a, b in pairs
        if len(x := overlap.agreement(found.made[a].items, found.made[b].items))
    ]
    if not lines:
        return
    points = pd.concat(lines, ignore_index=True)
    last = points.groupby("pair", sort=False).tail(1)
    best = [pair.replace("–", " and ") for pair in last["pair"][np.isclose(last["x"], last["x"].max())]]
    head = f"Of the first {found.k} places, {', '.join(best)} have {round(100 * last['x'].max())}% in common"
    exhibits.draw(
        "depth", head, "The share of the first d places that two lists have in common, for each depth d.", cmp_charts.depth(points), said, points
    )
