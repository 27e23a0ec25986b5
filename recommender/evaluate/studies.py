"""The tables of docs/results.md for studies that are no protocol: of the released models, of context, of reasons, of the data."""

from __future__ import annotations

from recommender.evaluate import trials, ways
from recommender.evaluate.cells import NONE, SURE, Column, cell, difference, figures_of, grid, place
from recommender.evaluate.dislikes import AMONG, HEIGHT
from recommender.evaluate.report import Report
from recommender.settings import Settings


def cold_start(report: Report) -> str:
    """For each way of asking a line a model, a column a number of known ratings, and what the thresholds of the routing would be by it."""
    found = report.more.get("thresholds", {})
    default = {name: Settings.model_fields[f"{name}_ratings"].default for name in ("few", "many")}
    parts = [f"NDCG@10; \\* better than popularity, Holm p < .05. The routing's thresholds are {default['few']} and {default['many']} ratings."]
    for variant in dict.fromkeys(r.variant for r in report.rows):
        parts.append(_curve(report, variant))
        if measured := found.get(variant):
            hybrid, ease = (f"from {n} ratings on" if (n := measured[name]) is not None else "at no number for good" for name in ("few", "many"))
            parts.append(f"Better than popularity: the hybrid {hybrid}, EASE alone {ease}.")
    return "\n\n".join(parts)


def _curve(report: Report, variant: str) -> str:
    figures = figures_of(report)
    known = sorted({int(r.segment.partition("=")[2]) for r in report.rows if r.segment})
    columns = [Column(str(n), "NDCG", "mean", variant=variant, segment=f"known={n}") for n in known]

    def at(column: Column, model: str) -> str:
        pair = figures.pairs.get(column.key(model))
        return cell(figures, column, model) + ("*" if pair and pair.delta > 0 and pair.p_holm < SURE else "")

    standing = sorted(report.models, key=lambda c: place(figures.rows.get(columns[-1].key(c.model)), False))
    return grid(
        (f"{variant}; ratings known", *(c.title for c in columns)), [[c.label, *(at(column, c.model) for column in columns)] for c in standing]
    )


def context(report: Report) -> str:
    """A line a signal: the hybrid without, with, and with shuffled context, and the differences between them."""
    figures = figures_of(report)
    users = {r.variant: f"{r.n:,}" for r in report.rows}
    conditions = dict.fromkeys(r.model for r in report.rows)
    contrasts = dict.fromkeys((d.model, d.against) for d in report.differences)
    pairs = {(d.variant, d.model, d.against): d for d in report.differences if (d.metric, d.segment) == ("NDCG", None)}
    lines = []
    for variant, n in users.items():
        means = [cell(figures, Column("", "NDCG", "mean", variant=variant), name, 4) for name in conditions]
        lines.append([variant, n, *means, *(difference(pairs.get((variant, *contrast)), 4) for contrast in contrasts)])
    return grid(("NDCG@10", "users", *conditions, *(f"{a} less {b}" for a, b in contrasts)), lines)


def data(report: Report) -> str:
    """What the data set is like, a fact a line."""
    more = report.more
    sizes, share = more["sizes"], lambda part, key: f"{more[part][key]:.1%}" if more[part][key] is not None else NONE
    facts = {
        "users": f"{sizes['users']:,}",
        "films with a rating": f"{sizes['rated_films']:,} of {sizes['films']:,}",
        "ratings": f"{sizes['ratings']:,}",
        "viewer and film pairs with a rating": f"{sizes['density']:.1%}",
        "from, to": f"{sizes['first']}, {sizes['last']}",
        "most rated films that draw half of the ratings": f"{more['films_for_half']:,}",
        "users who rated everything in one sitting": share("sitting", "one_only"),
        "ratings in the same second as another of their user": share("ties", "share"),
    }
    return grid(("", report.dataset), facts.items())


def audit(report: Report) -> str:
    """A line a signal: who can tell anything, the largest shift of a genre, and what the signal explains against chance."""
    lines = []
    for s in report.more["signals"]:
        most, explained, largest = s["most"], s["explained"], s["largest"]
        shift = f"{most['segment'].partition('=')[2]}, {most['model']} {100 * most['delta']:+.2f} [{100 * most['lo']:+.2f}, {100 * most['hi']:+.2f}]"
        against = f"{100 * explained['value']:.4f}% against {100 * explained['chance']:.4f}%"
        lines.append([s["variant"], f"{s['users']:,}", shift, _p(largest["p"]), against, _p(explained["p"]), f"{s['found']} of {s['cells']}"])
    header = (
        f"genres by, in {report.dataset}", "users at more than one", "largest shift, points", "p of the largest", "explained, against chance",
        "p of it", "genres that move, Holm p < .05",
    )  # fmt: skip
    return grid(header, lines)


def _p(chance: float) -> str:
    return f"{chance:.3f}".replace("0.", ".", 1)


def real_context(report: Report) -> str:
    """For each way of folding a line a model: its error, what it gains on the yardstick, and what it gains on its own placebos."""
    figures, more = figures_of(report), report.more
    beside = (*more["placebos"], *more["dimensions"])
    models = [c for c in report.models if not c.model.endswith(tuple(f"_{name}" for name in beside))]
    placebo = "Less its own: than the same model with contexts dealt out anew within each viewer, or within viewer and film."
    parts = [f"RMSE in stars, five folds; \\* Holm p < .05. {placebo}"]
    for variant in reversed(list(dict.fromkeys(r.variant for r in report.rows))):
        column = Column("RMSE", "RMSE", k=None, variant=variant)
        pairs = {(d.model, d.against): d for d in report.differences if (d.variant, d.metric, d.segment) == (variant, "RMSE", None)}
        lines = []
        for c in sorted(models, key=lambda c: place(figures.rows.get(column.key(c.model)), True)):
            against = [pairs.get((c.model, name)) for name in (more["yardstick"], *(f"{c.model}_{placebo}" for placebo in more["placebos"]))]
            lines.append([c.label, cell(figures, column, c.model), *map(difference, against)])
        yardstick = report.label(more["yardstick"]).lower()
        parts.append(grid((variant, "RMSE", f"less {yardstick}", *(f"less its own {said}" for said in more["placebos"].values())), lines))
    return "\n\n".join(parts)


def explanations(report: Report) -> str:
    """A line a model: the areas under both curves in the order of its own reasons, less those in other orders; then whether single claims hold."""
    figures, own = figures_of(report), report.rows[0].variant
    others = list(dict.fromkeys(d.against for d in report.differences))
    areas = [Column("", metric, variant=own) for metric in ("deletion", "insertion")]
    pairs = {(d.model, d.metric, d.against): d for d in report.differences if d.segment is None}
    lines = [
        [
            c.label,
            *(text for area in areas for text in (cell(figures, area, c.model), *(difference(pairs.get((c.model, area.metric, o))) for o in others))),
        ]
        for c in report.models
    ]
    heads = [text for area in areas for text in (f"{area.metric}, own order", *(f"less {other}" for other in others))]
    return f"{grid(('first ten kept, area', *heads), lines)}\n\n{_claims(report)}"


def _claims(report: Report) -> str:
    """How often a film that is named holds, and how few films hold the first and the tenth."""
    figures, least = figures_of(report), Settings.model_fields["least_drop"].default
    holds = [Column("", "holds", k=least, variant="claim", segment=segment) for segment in (None, "named=by chance")]
    sizes = [(place, report.more[report.models[0].model]["smallest"][place]) for place in report.more[report.models[0].model]["smallest"]]
    lines = []
    for c in report.models:
        found = report.more[c.model]["smallest"]
        proven = [cell(figures, Column("", place, "mean", 10, "smallest set", "proven"), c.model) for place, _ in sizes]
        few = [f"{found[place]['size']:g} ({share})" for (place, _), share in zip(sizes, proven)]
        lines.append([c.label, *(cell(figures, column, c.model) for column in holds), *few])
    header = (
        f"share of named films without which it falls {least} places or more",
        "named by us",
        "drawn by chance",
        *(f"films that hold {place}, median (share proven fewest)" for place, _ in sizes),
    )
    return grid(header, lines)


def dislikes(report: Report) -> str:
    """A table a figure: a line a weight, a column a model."""
    figures, weights = figures_of(report), report.more["weights"]
    said: dict[tuple[str, int | None], str] = {("NDCG", 10): "NDCG@10 of liked films", ("R", 50): "recall@50 of liked films"}
    said |= {(HEIGHT, None): "share of films that stand below the disliked ones", (AMONG, 50): "disliked films among the first 50"}
    ways = list(dict.fromkeys(r.variant for r in report.rows))
    parts = [
        f"\\* differs from the first line, Holm p < .05. Chosen: {report.more['rule']}. That gives {weights['disliked']:g} for disliked films and "
        f"{weights['loved']:g} for those with five stars."
    ]
    for (metric, k), title in said.items():
        columns = [Column("", metric, "compared", k=k, variant=way) for way in ways]
        parts.append(
            grid((title, *(c.label for c in report.models)), [[c.variant, *(cell(figures, c, m.model) for m in report.models)] for c in columns])
        )
    return "\n\n".join(parts)


def sliders(report: Report) -> str:
    """A table a model: a line a place of one slider, the other left alone."""
    figures = figures_of(report)
    parts = ["\\* differs from the first line, Holm p < .05. Novelty in bits; raters: median of a list, mean of viewers."]
    for model in report.models:
        own, *others = report.more["settings"][model.model]
        by_adventure = [s for s in others if s["variety"] == own["variety"]]
        lines = []
        for setting in (own, *by_adventure, *(s for s in others if s["adventure"] == own["adventure"])):
            column = Column("", "NDCG", "mean", variant=setting["variant"])
            shown = [cell(figures, c, model.model) for c in (column._replace(metric="HR"), column, column._replace(form="difference"))]
            found = [figures.rows[column._replace(metric=name).key(model.model)].mean for name in ("novelty", "raters", "coverage", "diversity")]
            lines.append([setting["variant"], *shown, *(f"{value:{form}}" for value, form in zip(found, (".2f", ",.0f", ".1%", ".3f")))])
        users = figures.rows[Column("", "HR", variant=own["variant"]).key(model.model)].n
        header = (
            f"{model.label}, {users} viewers",
            "HR@10",
            "NDCG@10",
            "less the first line",
            "novelty",
            "raters",
            "catalogue shown",
            "genre diversity",
        )
        parts.append(grid(header, lines))
    return "\n\n".join(parts)


def together(report: Report) -> str:
    """A line a way of putting two people's wishes together: what the list gives both, and the one it serves worse; and pairs alike and apart."""
    figures, mean = figures_of(report), report.rows[0].variant
    variants = list(dict.fromkeys(r.variant for r in report.rows))
    pairs = {(d.variant, d.model): d for d in report.differences}
    against = report.label(report.differences[0].against).lower()
    segments = [Column("", "NDCG", "mean", variant=mean, segment=f"taste={taste}") for taste in ("alike", "apart")]
    lines = []
    for c in sorted(report.models, key=lambda c: place(figures.rows.get((mean, c.model, "NDCG", 10, None)), False)):
        both = [text for v in variants for text in (cell(figures, Column("", "NDCG", variant=v), c.model), difference(pairs.get((v, c.model))))]
        lines.append([c.label, *both, *(cell(figures, column, c.model) for column in segments)])
    heads = [text for v in variants for text in (v, f"less {against}")]
    return grid((f"NDCG@10, {report.more['pairs']} pairs", *heads, "tastes alike", "tastes apart"), lines)


def interview(report: Report) -> str:
    """For each way of folding in a line a strategy: how many films people could answer for, the error of their stars, and their lists."""
    figures, more = figures_of(report), report.more
    asked = list(dict.fromkeys(r.segment for r in report.rows if r.segment))
    chosen, against = asked[:1] + asked[2::2], report.label(report.differences[0].against).lower()
    parts = [
        f"\\* Holm p < .05, and in brackets the difference: against {against}. After so many questions; a quarter of each person's ratings is held "
        f"out. First rows are by popularity under {more['few']} answers, else by the hybrid."
    ]
    for variant in dict.fromkeys(r.variant for r in report.rows):
        columns = [
            Column(f"{name} after {n.partition('=')[2]}", metric, "compared", k, variant, n)
            for name, metric, k in (("RMSE", "RMSE", None), ("NDCG@10 of the first row", "NDCG", 10), ("NDCG@10 of the hybrid", "NDCG, hybrid", 10))
            for n in chosen
        ]
        answers = Column(f"answered of {chosen[-1].partition('=')[2]}", "answered", "mean", None, variant, chosen[-1])
        lines = [[c.label, cell(figures, answers, c.model, 1), *(cell(figures, column, c.model) for column in columns)] for c in report.models]
        parts.append(grid((variant, answers.title, *(column.title for column in columns)), lines))
    return "\n\n".join(parts)


def load(report: Report) -> str:
    """A line for each way of asking: requests a second, times with their intervals, and how many failed."""
    rows = {(r.variant, r.segment, r.metric): r for r in report.rows}
    timed = lambda r: f"{r.mean:.1f} [{r.lo:.1f}, {r.hi:.1f}]" if r.lo < r.hi else f"{r.mean:.1f}"
    lines = [
        [
            f"{variant}, {(segment or '').removeprefix('users=')} at a time",
            f"{rows[variant, segment, 'requests a second'].mean:.1f}",
            *(timed(rows[variant, segment, f"ms p{quantile}"]) for quantile in (50, 95, 99)),
            f"{rows[variant, segment, 'failures'].mean:.1%}",
        ]
        for variant, segment in dict.fromkeys((r.variant, r.segment) for r in report.rows)
    ]
    goal = report.more["goal"]
    films, cores = report.more["asked"]["films"], report.more["machine"]["cores"]
    asked = f"{films} films of the hybrid with their reasons, on {cores} cores, asked on the same machine"
    wanted = f"The goal is {goal['ms']:g} ms at the 99th percentile with {goal['users']} users."
    return f"{asked}. {wanted}\n\n{grid(('way', 'requests a second', 'ms p50', 'ms p95', 'ms p99', 'failed'), lines)}"


STUDIES = {
    "cold-start": cold_start,
    "interview": interview,
    "context": context,
    "data": data,
    "audit-ml-1m": audit,
    "audit-ml-100k": audit,
    "depaulmovie": real_context,
    "explanations": explanations,
    "together": together,
    "dislikes": dislikes,
    "sliders": sliders,
    "calibration": trials.calibration,
    "aa": trials.aa,
    "doses": trials.doses,
    "interleaving": ways.interleaving,
    "off-policy": ways.off_policy,
    "bandit": ways.bandit,
    "load": load,
}
