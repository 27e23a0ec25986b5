"""Implicit ALS without factors of users on any disk: each half-step for films is a sum over users, made where their histories lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from recommender.catalog import Catalog
from recommender.models.factors import ALS
from recommender.scale import common
from recommender.scale.session import at_once

if TYPE_CHECKING:
    from recommender.scale.fit import Fitting

BLOCK = 256  # films whose normal equations are added in one place
PARTIAL = "block int, equations binary"
VECTORS = "film int, vector array<double>"


def fit(on: Fitting, iterations: int | None = None) -> ALS:
    """The model of one machine, from the same first vectors: after each step the films' vectors (I, F) go to all workers anew.

    A worker solves its viewers, x_u = (Y'Y + reg I + alpha Y_u'Y_u)^-1 (1 + alpha) sum_j y_j, keeps them only as long as it needs, and sends on, for
    each film i, sum_u x_u x_u' and sum_u x_u over its viewers of i, and X'X; whoever adds a block of films solves them.
    I F^2 numbers leave every part, so it is made for few films and many users. Source: Hu, Koren & Volinsky, ICDM 2008, section 4.
    """
    from tqdm import trange

    model, n = ALS(), len(on.raters)
    y, taking_part = model.start(n), common.numbering(on.films, n)
    places = np.where(taking_part < 0, taking_part, np.arange(n, dtype=np.int32))  # all films have a place: their first vectors count in Y'Y
    at_once(on.spark, common.USERS)
    histories = on.store.read(on.spark, "histories").select("item").coalesce(on.spark.sparkContext.defaultParallelism)
    for _ in trange(iterations or model.iterations, desc="ALS", leave=False, disable=None):
        sums = histories.mapInArrow(_equations(model, y, places), PARTIAL)
        found = sums.groupBy("block").applyInArrow(_solved(model), VECTORS).toArrow()
        y = np.zeros_like(y)
        y[found["film"].to_numpy()] = found["vector"].combine_chunks().flatten().to_numpy().reshape(-1, model.factors)
    return filled(model, y, on.store.catalog())


def filled(model: ALS, films: np.ndarray, catalog: Catalog) -> ALS:
    """A model of ours from vectors of films, float64 (I, F), that were fitted anywhere."""
    model.factors_ = films.astype(np.float32)
    model.gram_ = films.T @ films
    model.catalog = catalog
    return model


def _equations(model: ALS, y: np.ndarray, places: np.ndarray) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a worker does with its part of the users: sums of x x' (F, F) and of x (F,) for every film, and of x x' for all."""

    def equations(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        watched = common.watched(batches, places, len(y))
        viewers = model.solve(watched, y)
        by_film, everybody = watched.T.tocsr(), viewers.T @ viewers
        for start in range(0, len(y), BLOCK):
            out = np.zeros((min(BLOCK, len(y) - start) + 1, model.factors, model.factors + 1))
            out[-1, :, :-1] = everybody
            for film in range(len(out) - 1):
                x = viewers[by_film.indices[by_film.indptr[start + film] : by_film.indptr[start + film + 1]]]
                out[film, :, :-1], out[film, :, -1] = x.T @ x, x.sum(axis=0)
            columns = [pa.array([start // BLOCK], pa.int32()), pa.array([out.tobytes()], pa.binary())]
            yield pa.RecordBatch.from_arrays(columns, ["block", "equations"])

    return equations


def _solved(model: ALS) -> Callable[[pa.Table], pa.Table]:
    """What adds the equations of a block of films over all parts, and solves them."""

    def solved(table: pa.Table) -> pa.Table:
        shape = (-1, model.factors, model.factors + 1)
        total = sum(np.frombuffer(part.as_py()).reshape(shape) for part in table["equations"])
        assert isinstance(total, np.ndarray)
        base = total[-1, :, :-1] + model.reg * np.eye(model.factors)
        vectors = np.linalg.solve(base + model.alpha * total[:-1, :, :-1], (1 + model.alpha) * total[:-1, :, -1:])[..., 0]
        first = table["block"][0].as_py() * BLOCK
        offsets = pa.array(np.arange(0, vectors.size + 1, model.factors, dtype=np.int32))
        films = pa.array(np.arange(first, first + len(vectors), dtype=np.int32))
        return pa.Table.from_arrays([films, pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel()))], ["film", "vector"])

    return solved
