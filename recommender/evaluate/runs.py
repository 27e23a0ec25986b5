"""One protocol from the data set's folder to its report file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from recommender.catalog import Catalog
from recommender.evaluate import protocol as ranking
from recommender.evaluate import split, stars
from recommender.evaluate.contenders import RANKERS, RATERS
from recommender.evaluate.protocol import People
from recommender.evaluate.report import Report
from recommender.interactions import Interactions
from recommender.load import load
from recommender.load.people import read_people

PROTOCOLS = ("P1", "P2", "P3", "P4")


def read_data(folder: Path, films: Path) -> tuple[Catalog, Interactions, People]:
    """The data set with what is known of its films and its users."""
    catalog, interactions = load(folder, films)
    return catalog, interactions, People(read_people(folder, interactions.user_ids))


def ranking_splits(protocol: str, interactions: Interactions, seed: int = 0) -> list[split.Split]:
    """The splits of P1, P2 or P4, the headline first."""
    if protocol == "P1":
        return [split.leave_last_out(interactions, seed=seed), split.leave_last_out(interactions, shuffled=True, seed=seed)]
    if protocol == "P2":
        return [split.random_fifth(interactions, seed)]
    return list(split.time_cut(interactions, seed=seed).values())


def rating_splits(interactions: Interactions, folds: int, seed: int = 0) -> dict[str, list[split.RatingSplit]]:
    """The first `folds` of ten folds of P3, and one fifth."""
    tenths = list(islice(split.rating_folds(interactions, 10, seed), folds))
    return {"90/10": tenths, "80/20": list(islice(split.rating_folds(interactions, 5, seed), 1))}


def known_models(protocol: str) -> list[str]:
    """Names of the models that take part in a protocol."""
    return list(RATERS) if protocol == "P3" else [name for name, c in RANKERS.items() if protocol in c.protocols]


def evaluate(
    protocol: str,
    data: tuple[Catalog, Interactions, People],
    names: list[str],
    seeds: list[int],
    folds: int,
    work: Path,
    run_dir: Path | None,
    facts: dict,
    say: Callable[[str], object] = print,
) -> Report:
    """Run one protocol; facts are the report's dataset, versions and command. What `work` holds of an earlier run is not done again."""
    catalog, interactions, people = data
    more: dict = {}
    if protocol == "P3":
        variants = rating_splits(interactions, folds)
        splits: list = [s for of in variants.values() for s in of]
        contenders, rows, differences, more["calibration"] = stars.run(variants, names, seeds[0], catalog, people, work, say)
    else:
        splits = ranking_splits(protocol, interactions)
        contenders, rows, differences = ranking.run(splits, names, seeds, catalog, people, work, run_dir, say)
    return Report(
        protocol=protocol,
        data_hash=interactions.fingerprint(),
        split_checksum=splits[0].checksum(),
        seeds=seeds,
        date=datetime.now(UTC).date().isoformat(),
        splits=[{"variant": s.variant, "seed": s.seed, "checksum": s.checksum(), **s.sizes()} for s in splits],
        models=contenders,
        rows=[_rounded(row) for row in rows],
        differences=[_rounded(d) for d in differences],
        more=more,
        **facts,
    )


def _rounded(row):
    return row._replace(**{name: round(value, 6) for name, value in row._asdict().items() if isinstance(value, float)})
