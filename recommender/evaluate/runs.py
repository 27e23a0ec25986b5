"""One protocol from the data set's folder to its report file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from recommender.catalog import Catalog
from recommender.evaluate import ablation, coldstart, dislikes, faithfulness, interview, realcontext, sliders, split, stars
from recommender.evaluate import protocol as ranking
from recommender.evaluate import together as grouped
from recommender.evaluate.contenders import RANKERS, RATERS
from recommender.evaluate.protocol import People
from recommender.evaluate.rankings import fit
from recommender.evaluate.report import Report
from recommender.interactions import Interactions
from recommender.load import load
from recommender.load.depaul import read_depaul
from recommender.load.people import read_people
from recommender.models.hybrid import PARTS
from recommender.models.moment import Moment
from recommender.types import Recommender

PROTOCOLS = ("P1", "P2", "P3", "P4")
STUDIES = (
    "cold-start",
    "context",
    "data",
    "audit",
    "explanations",
    "dislikes",
    "sliders",
    "together",
    "interview",
)  # of the released models, on viewers they never saw, and of the data set
STUDIED = {
    "cold-start": ("popularity", "item_knn", "communities", "ease", "pure_svd", "als", "content", "sequence", "hybrid"),
    "context": ("popularity", *PARTS, "hybrid"),
    "explanations": ("ease", "item_knn", "pure_svd", "als", "ratings", "content", "sequence", "hybrid"),  # those with films for reasons
    "together": ("popularity", *PARTS, "hybrid", "ratings"),
    "dislikes": ("ease", "item_knn", "als", "content", "sequence", "hybrid"),
    "sliders": ("popularity", *PARTS, "hybrid"),
    "interview": ("popularity", "ratings", "als", *PARTS, "hybrid"),
}


@dataclass(frozen=True, eq=False)
class Job:
    """What a run works on, and how: data set, models, seeds, folds of P3, where it keeps its work, where run files go.

    facts are the report's dataset, versions and command; say prints a line of progress.
    """

    catalog: Catalog
    interactions: Interactions
    people: People
    names: list[str]
    seeds: list[int]
    work: Path
    facts: dict
    folds: int = 3
    run_dir: Path | None = None
    say: Callable[[str], object] = print


NEWCOMERS = "newcomers"  # the first row of the popular way, at no moment in particular


@dataclass(frozen=True, eq=False)
class Found:
    """What a protocol found, before it is a report."""

    splits: list
    contenders: list
    rows: list
    differences: list
    more: dict = field(default_factory=dict)


def read_data(folder: Path, films: Path) -> tuple[Catalog, Interactions, People]:
    """The data set with what is known of its films and its users."""
    catalog, interactions = load(folder, films)
    return catalog, interactions, People(read_people(folder, interactions.user_ids))


def known_models(protocol: str) -> list[str]:
    """Names of the models that take part in a protocol."""
    if protocol in STUDIES:
        return []
    return list(RATERS) if protocol == "P3" else [name for name, c in RANKERS.items() if protocol in c.protocols]


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


def evaluate(protocol: str, job: Job) -> Report:
    """Run one of PROTOCOLS. What job.work holds of an earlier run is not done again."""
    if protocol == "P3":
        variants = rating_splits(job.interactions, job.folds)
        found = stars.run(variants, job.names, job.seeds[0], job.catalog, job.people, job.work, job.say)
        return _report(protocol, job, Found([s for of in variants.values() for s in of], *found[:3], {"calibration": found[3]}))
    splits = ranking_splits(protocol, job.interactions)
    found3 = ranking.run(splits, job.names, job.seeds, job.catalog, job.people, job.work, job.run_dir, job.say)
    return _report(protocol, job, Found(splits, *found3))


def cold_start(models: dict[str, Recommender], strangers: split.UserSplit, job: Job) -> Report:
    """The cold-start curve of models that know nobody of strangers.exam, and of what newcomers are served."""
    candidates = strangers.fit.raters > 0
    labels = {**_labels(models), NEWCOMERS: "Popularity moved by what was said"}
    served = Moment(*(models[name] for name in ("popularity", "hybrid", "ease")))  # type: ignore[arg-type]
    found = coldstart.run({**models, NEWCOMERS: served}, labels, strangers.exam, candidates, job.catalog, job.say)  # type: ignore[dict-item]
    splits = [coldstart.questions(strangers.exam, 0, candidates, variant) for variant in coldstart.VARIANTS]
    return _report("cold-start", job, Found(splits, *found))


def explanations(models: dict[str, Recommender], strangers: split.UserSplit, job: Job) -> Report:
    """How far the reasons of models hold that know nobody of strangers.exam."""
    watched = strangers.fit.raters
    study = faithfulness.Study(strangers.exam, watched > 0, watched, job.work, job.say)
    asked = [faithfulness.questions(strangers.exam, watched > 0, known) for known in (faithfulness.KNOWN, faithfulness.SHORT, None)]
    return _report("explanations", job, Found(asked, *faithfulness.run(models, _labels(models), study)))


def weights(models: dict[str, Recommender], strangers: split.UserSplit, job: Job) -> Report:
    """How far disliked and loved films should speak, for models that know nobody of strangers.exam."""
    models = {name: model for name, model in models.items() if name != "sequence"}  # which reads the stars themselves, whatever speaks
    return _report("dislikes", job, Found(*dislikes.run(models, _labels(models), strangers.exam, strangers.fit.raters > 0, job.say)))


def costs(models: dict[str, Recommender], strangers: split.UserSplit, job: Job) -> Report:
    """What a viewer's own settings cost, with models that know nobody of strangers.exam."""
    return _report("sliders", job, Found(*sliders.run(models, _labels(models), strangers, job.catalog, job.say)))


def together(models: dict[str, Recommender], strangers: split.UserSplit, job: Job) -> Report:
    """What one list gives two people, with models that know nobody of strangers.exam."""
    return _report("together", job, Found(*grouped.run(models, strangers, job.say)))


def interviews(models: dict[str, Recommender], strangers: split.UserSplit, job: Job) -> Report:
    """Which films to ask a newcomer about, with models that know nobody of strangers.exam."""
    return _report("interview", job, Found(*interview.run(models, strangers, job.catalog, job.say)))


def _labels(models: dict[str, Recommender]) -> dict[str, str]:
    return {name: RANKERS[name].label if name in RANKERS else name.replace("_", " ").capitalize() for name in models}


def context(models: dict[str, Recommender], strangers: split.UserSplit, dose: float, job: Job) -> Report:
    """What the moment of the request, the part of day and a device simulated as the models learned it (at `dose`) are worth."""
    asked = split.leave_last_out(job.interactions)
    without, aware = (fit(RANKERS[name].make(job.seeds[0]), asked.train, job.catalog, job.work)[0] for name in ("sequence", "sequence_time"))
    rows, differences = ablation.moment(asked, without, aware)
    more_rows, more_differences, more = ablation.run(models, strangers.gate, strangers.exam, job.catalog, dose, say=job.say)
    return _report("context", job, Found([asked], ablation.conditions(), rows + more_rows, differences + more_differences, more))


def real_context(folder: Path, facts: dict, say: Callable[[str], object] = print, seed: int = 0) -> Report:
    """What a context that people really named is worth for predicted stars, on DePaulMovie."""
    data = read_depaul(folder)
    splits, contenders, rows, differences, more = realcontext.run(data, seed, say)
    return Report(
        protocol="depaulmovie",
        data_hash=data.fingerprint(),
        split_checksum=splits[0]["checksum"],
        seeds=[seed],
        date=datetime.now(UTC).date().isoformat(),
        splits=splits,
        models=contenders,
        rows=[_rounded(row) for row in rows],
        differences=[_rounded(d) for d in differences],
        more=more,
        **facts,
    )


def _report(protocol: str, job: Job, found: Found) -> Report:
    return Report(
        protocol=protocol,
        data_hash=job.interactions.fingerprint(),
        split_checksum=found.splits[0].checksum(),
        seeds=job.seeds if protocol in PROTOCOLS and protocol != "P3" else job.seeds[:1],
        date=datetime.now(UTC).date().isoformat(),
        splits=[{"variant": s.variant, "seed": s.seed, "checksum": s.checksum(), **s.sizes()} for s in found.splits],
        models=found.contenders,
        rows=[_rounded(row) for row in found.rows],
        differences=[_rounded(d) for d in found.differences],
        more=found.more,
        **job.facts,
    )


def _rounded(row):
    return row._replace(**{name: round(value, 6) for name, value in row._asdict().items() if isinstance(value, float)})
