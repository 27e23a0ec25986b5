"""The tables of README.md and docs/: a report as Markdown, and its place between the markers that bear its name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from recommender.evaluate.cells import NONE, Column, cell, figures_of, grid, place
from recommender.evaluate.published import COPIED, PUBLISHED, PUBLISHED_ON
from recommender.evaluate.report import Contender, Report, ReportError, Row, files, read
from recommender.evaluate.studies import STUDIES


class League(NamedTuple):
    """How the table of one protocol looks. Models stand by the figure of the headline column, the best first."""

    asks: str  # what, and in which figure
    columns: tuple[Column, ...]
    headline: int = 0  # number of the column that orders the models
    digits: int = 3
    less_is_better: bool = False
    tells_time: bool = True  # say which models know the moment of the request


TARGETS = {"last": "last", "successive": "successive", "all": "all to come"}  # variant of P4 -> its name
LEAGUES = {
    "P1": League(
        "which film comes next, NDCG@10",
        (
            Column("HR@10", "HR"),
            Column("NDCG@10", "NDCG"),
            Column("NDCG@10 less that of {}", "NDCG", "difference"),
            Column("NDCG@10, ties shuffled", "NDCG", "mean", variant="ties shuffled"),
        ),
        headline=1,
    ),
    "P2": League(
        "which films did they rate besides, NDCG@10",
        (Column("P@10", "P"), Column("R@10", "R"), Column("NDCG@10", "NDCG"), Column("NDCG@10 less that of {}", "NDCG", "difference")),
        headline=2,
        tells_time=False,
    ),
    "P3": League(
        "how many stars, RMSE (less is better)",
        (
            Column("RMSE 90/10", "RMSE", k=None, variant="90/10"),
            Column("RMSE 90/10 less that of {}", "RMSE", "difference", None, "90/10"),
            Column("RMSE 80/20", "RMSE", k=None, variant="80/20"),
        ),
        digits=4,
        less_is_better=True,
    ),
    "P4": League(
        "what comes after today, NDCG@10 of the last film",
        (
            *(Column(f"{target}, warm users", "NDCG", variant=variant, segment="users=warm") for variant, target in TARGETS.items()),
            *(Column(f"{target}, everybody (less {{}})", "NDCG", "compared", variant=variant) for variant, target in TARGETS.items()),
        ),
    ),
}

TELLING = ("context", "audit", "together", "calibration", "aa", "interleaving", "off-policy", "bandit", "load")  # they say how many, or count others


def as_markdown(report: Report) -> str:
    """The block of one report: its table, what stands below it, and where its figures come from."""
    if report.protocol in LEAGUES:
        parts = [league(report), published(report), copied(report)]
    elif report.protocol in STUDIES:
        parts = [STUDIES[report.protocol](report)]
    else:
        raise ValueError(f"no table is made of a report on {report.protocol!r}, wanted one of {', '.join([*LEAGUES, *STUDIES])}")
    return "\n\n".join(part for part in [*parts, provenance(report)] if part)


def league(report: Report) -> str:
    """One line a model: figures, what the others are compared with, what it costs. Costs that were not measured are left out."""
    look, figures, first = LEAGUES[report.protocol], figures_of(report), _first_variant(report)
    columns = [c._replace(variant=c.variant or first) for c in look.columns]
    top = columns[look.headline]
    standing = sorted(report.models, key=lambda c: place(figures.rows.get(top.key(c.model)), look.less_is_better))
    shown = {"model": [_name(c) for c in standing]}
    shown |= {column.title.format(_baseline(report, column)): [cell(figures, column, c.model, look.digits) for c in standing] for column in columns}
    if look.tells_time:
        shown["knows the time"] = ["yes" if c.uses_time else "" for c in standing]
    if any(c.seeds > 1 for c in standing):
        shown["seeds"] = [_seeds(c, figures.rows.get(top.key(c.model)), look.digits) for c in standing]
    if any(c.fit_seconds for c in standing):
        shown["fit s"] = [f"{c.fit_seconds:,.{0 if c.fit_seconds >= 10 else 1}f}" for c in standing]
    if any(c.ms_per_query for c in standing):
        shown["ms a query"] = [f"{c.ms_per_query:.2f}" for c in standing]
    if any(c.megabytes for c in standing):
        shown["MB"] = [f"{c.megabytes:.1f}" for c in standing]
    return grid(shown, zip(*shown.values()))


def _first_variant(report: Report) -> str:
    if not report.rows:
        raise ReportError(f"the report {report.protocol} on {report.dataset} has 0 rows, wanted at least 1")
    return report.rows[0].variant


def _baseline(report: Report, column: Column) -> str:
    """What the others of a column are compared with."""
    against = (d.against for d in report.differences if (d.variant, d.metric, d.k) == (column.variant, column.metric, column.k))
    return report.label(next(against, "the best baseline"))


def _name(c: Contender) -> str:
    return f"{c.label} ({c.note})" if c.note else c.label


def _seeds(c: Contender, row: Row | None, digits: int) -> str:
    """3 ± 0.001: the number of seeds, and the standard deviation of the headline between them."""
    return f"{c.seeds} ± {row.spread:.{digits}f}" if row and row.spread is not None else str(c.seeds)


# -- what stands below a table -----------------------------------------------------------------------------------------


def published(report: Report) -> str:
    """Figures of others under this protocol, each with its source."""
    if report.dataset != PUBLISHED_ON:
        return ""
    said: dict[tuple[str, str], list[str]] = {}
    for p in PUBLISHED:
        if p.protocol == report.protocol:
            said.setdefault((p.label, p.source), []).append(f"{_metric(p.metric, p.k)} {p.value:g}" + (f" ({p.variant})" if p.variant else ""))
    lines = [f"{label} {', '.join(figures)} ({source})" for (label, source), figures in said.items()]
    if report.protocol == "P3":
        lines.append(f"the copied table below P2 RMSE {min(row[4] for row in COPIED):g}, protocol unknown")
    return f"Published, to compare with: {'; '.join(lines)}."


def copied(report: Report) -> str:
    """The footnote of P2: the copied table beside the best three here, and why its NDCG is not used."""
    if (report.protocol, report.dataset) != ("P2", PUBLISHED_ON):
        return ""
    figures, variant = figures_of(report), _first_variant(report)
    columns = [Column("", metric, "mean", variant=variant) for metric in ("P", "R", "NDCG", "own-hits NDCG")]
    best = sorted(report.models, key=lambda c: place(figures.rows.get(columns[0].key(c.model)), False))[:3]
    lines = [[c.label, *(cell(figures, column, c.model) for column in columns)] for c in best]
    lines += [[f"copied: {name}", f"{p:.3f}", f"{r:.3f}", NONE, f"{own:.3f}"] for name, own, p, r, _ in COPIED]
    return (
        "A widely copied table names no protocol; its precision and recall fit this one, its NDCG only a known mistake: the ideal list is made of "
        "the list's own hits, so that one right film in first place scores as much as ten. It stands beside ours once, here, and orders nothing.\n\n"
        + grid(("model", "P@10", "R@10", "NDCG@10", "NDCG@10 over own hits"), lines)
    )


def provenance(report: Report) -> str:
    """Data set, hash, checksum, users, date and command in one line."""
    told = report.protocol.startswith(TELLING)
    users = f"{report.rows[0].n:,} users" if report.rows and not told else ""
    if report.splits and "warm_users" in report.splits[0]:
        users += f", {report.splits[0]['warm_users']:,} of them warm"
    checksum = f"split checksum `{report.split_checksum[:16]}`" if report.split_checksum else ""
    facts = [f"data hash `{report.data_hash[:16]}`", checksum, users, report.date]
    return f"From {report.dataset}: {', '.join(fact for fact in facts if fact)}, `{report.command}`."


def _metric(name: str, k: int | None) -> str:
    return name if k is None else f"{name}@{k}"


# -- the file ----------------------------------------------------------------------------------------------------------


def blocks(folder: Path) -> dict[str, str]:
    """Name of a report -> its block, for every report in the folder; ReportError where one cannot be read."""
    return {path.stem: as_markdown(read(path)) for path in files(folder)}


def headlines(folder: Path) -> str:
    """A line a protocol: the best model, the best baseline, and the best figure that others published."""
    found = {path.stem: read(path) for path in files(folder) if path.stem in LEAGUES}
    return grid(("what is asked", "the best here", "the best baseline", "difference", "published by others"), map(_headline, found.values()))


def _headline(report: Report) -> list[str]:
    look, figures = LEAGUES[report.protocol], figures_of(report)
    top = look.columns[look.headline]
    column = Column("", top.metric, "interval", top.k, top.variant or _first_variant(report))
    best, *others = sorted(report.models, key=lambda c: place(figures.rows.get(column.key(c.model)), look.less_is_better))
    yardstick = next((c for c in others if c.label == _baseline(report, column)), best)
    said, against = (f"{c.label}: {cell(figures, column, c.model, look.digits)}" for c in (best, yardstick))
    less = cell(figures, column._replace(form="difference"), best.model, look.digits)
    return [f"{report.protocol}: {look.asks}", said, against, less, _best_published(report, column, look.less_is_better)]


def _best_published(report: Report, column: Column, less_is_better: bool) -> str:
    alike = [
        p
        for p in PUBLISHED
        if report.dataset == PUBLISHED_ON
        and (p.protocol, p.metric, p.k) == (report.protocol, column.metric, column.k)
        and p.variant in (None, column.variant)
    ]
    if not alike:
        return NONE
    best = (min if less_is_better else max)(alike, key=lambda p: p.value)
    return f"{best.value:g} ({best.label})"


MARK = re.compile(r"^<!-- report: (\S+) -->$", re.M)


def placed(pages: dict[str, str], made: dict[str, str]) -> dict[str, str]:
    """Pages by name, with every block between its markers; markers without a report say so. ValueError names what is missing or stands twice."""
    homes = [(page, name) for page, text in pages.items() for name in MARK.findall(text)]
    written = dict(pages)
    for name in dict.fromkeys([*made, *(name for _, name in homes)]):
        found = [page for page, marked in homes if marked == name]
        if len(found) != 1:
            raise ValueError(f"{', '.join(pages)}: <!-- report: {name} --> stands there {len(found)} times, wanted it once")
        block = made.get(name, f"Not measured yet: `python -m recommender evaluate {name} --data data/raw/ml-1m` does it.")
        written[found[0]] = between(written[found[0]], f"report: {name}", f"/report: {name}", block)
    return written


def between(text: str, opening: str, closing: str, block: str) -> str:
    """The text with a block between the comments <!-- opening --> and <!-- closing -->, each on a line of its own."""
    parts = re.split(rf"(?<=^<!-- {re.escape(opening)} -->\n)(.*?)(?=^<!-- {re.escape(closing)} -->$)", text, flags=re.M | re.S)
    if len(parts) != 3:
        raise ValueError(f"the page has {len(parts) // 2} times <!-- {opening} --> with <!-- {closing} --> after it, wanted it once")
    return f"{parts[0]}{block}\n{parts[2]}"
