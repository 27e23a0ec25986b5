"""The tables of docs/results.md for studies of experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from recommender.evaluate.cells import NONE, SURE, grid
from recommender.evaluate.report import Report, Row
from recommender.stats.calibration import ALARMS, COVERAGE, DISCOVERIES, EVER, FALSE


def calibration(report: Report) -> str:
    """Four tables: intervals and tests at one look, many looks, checks of shares, many comparisons."""
    more = report.more
    rows = {(r.variant, r.model, r.metric): r for r in report.rows}

    def table(title: str, names: Iterable[tuple[str, ...]], columns: dict[str, Callable[..., tuple[str, str, str]]]) -> str:
        lines = [[*name, *(_percent(rows.get(column(*name))) for column in columns.values())] for name in dict.fromkeys(names)]
        return grid((*title.split(" | "), *columns), lines)

    def of(metric: str) -> list[tuple[str, str]]:
        return [(r.variant, r.model) for r in report.rows if r.metric == metric]

    looked, checked, compared = of(EVER), of(ALARMS), of(DISCOVERIES)
    return "\n\n".join(
        (
            f"Simulated: {more['viewers_an_arm']:,} viewers an arm, of whom {more['without_minutes']:.0%} watch nothing; minutes have a mean of "
            f"{more['mean_minutes']:.0f} and a standard deviation of {more['sd_minutes']:.0f}. In brackets the 95% interval over {more['runs']:,} "
            f"runs (the bootstrap: fewer). The method that is wrong on purpose shows that a wrong one is found.",
            table(
                "at one look | measured",
                of(COVERAGE),
                {
                    "truth in the 95% interval": lambda name, on: (name, on, COVERAGE),
                    "false positives at 5%, A/A": lambda name, on: (name, on, FALSE),
                },
            ),
            f"The same when somebody looks again and again at an A/A test and stops at the first p < .05: {more['peeked']['viewers']:,} viewers "
            f"in both arms, or {2 * more['viewers_an_arm']:,} who come back for {more['peeked']['days']} days.",
            table(
                "ever significant, A/A",
                [(name,) for name, _ in looked],
                {on: lambda name, on=on: (name, on, EVER) for on in dict.fromkeys(on for _, on in looked)},
            ),
            f"Alarms of the check of shares, planned half and half, {more['checked']:,} viewers:",
            table(
                "check",
                [(name,) for name, _ in checked],
                {on: lambda name, on=on: (name, on, ALARMS) for on in dict.fromkeys(on for _, on in checked)},
            ),
            "Many comparisons at once, each true effect of 3 standard errors:",
            table(
                "corrected by | compared",
                compared,
                {
                    "runs with a false alarm": lambda name, on: (name, on, FALSE),
                    "false among the alarms, mean": lambda name, on: (name, on, DISCOVERIES),
                },
            ),
        )
    )


def aa(report: Report) -> str:
    """Errors where nothing is to be found, verdicts, what seems better, guardrails, and which check catches which fault: a table each."""
    more = report.more
    rows = {(r.variant, r.model, r.metric): r for r in report.rows}
    variants = list(dict.fromkeys(r.variant for r in report.rows))
    nothing, below, ever, better = variants[0], "p below alpha", "ever on one of the days", "proven better"

    def models(variant: str, *metrics: str) -> list[str]:
        return list(dict.fromkeys(r.model for r in report.rows if r.variant == variant and r.metric in metrics))

    def lines(names: Iterable[str], cells: Callable[[str], Iterable[tuple[str, str, str]]]) -> list[list[str]]:
        return [[name, *(_percent(rows.get(key)) for key in cells(name))] for name in names]

    verdicts, planted = models(nothing, "verdict"), variants[1:]
    faults = [variant for variant in variants if models(variant, "alarm")]
    return "\n\n".join(
        (
            f"{more['metric']}{', simulated' if more['simulated'] else ''}: the control of {more['experiment']} dealt anew {more['runs']:,} times "
            f"({more['viewers']:,} viewers, {more['days']} days). In brackets the exact 95% interval.",
            grid(
                ("A/A, nothing to find", f"p < {more['alpha']:g} at the end", f"ever on one of {more['days']} days"),
                lines(models(nothing, below, ever), lambda name: [(nothing, name, metric) for metric in (below, ever)]),
            ),
            f"What follows; each planted {more['runs_planted']:,} times, in {more['viewers_with_a_lift']:,} viewers drawn again from the control:",
            grid(("verdict", *variants), lines(verdicts, lambda name: [(variant, name, "verdict") for variant in variants])),
            "How often the arm with it seems better, whatever the checks say:",
            grid(("by", *planted), lines(models(planted[0], better), lambda name: [(variant, name, better) for variant in planted])),
            f"How often each guardrail is proven within its margin, with {planted[0]} and no loss; shipping takes all of them:",
            grid(("guardrail", "proven safe"), lines(models(planted[0], "proven safe"), lambda name: [(planted[0], name, "proven safe")])),
            "Alarms of the checks:",
            grid(("check", *faults), lines(models(nothing, "alarm"), lambda name: [(variant, name, "alarm") for variant in faults])),
        )
    )


def doses(report: Report) -> str:
    """A line a metric and dose: both arms, the lift, and the viewers that the claimed and the measured lift take."""
    more, rows = report.more, {(r.variant, r.model, r.metric): r for r in report.rows}
    control, treatment = (c.model for c in report.models)

    def many(n: int | None) -> str:
        return NONE if n is None else f"{n:,}"

    def line(metric: str, dose: float) -> list[str]:
        pair = next(d for d in report.differences if (d.variant, d.metric) == (f"dose {dose:g}", metric))
        lift = f"{100 * pair.delta:+.1f}%{'*' if pair.p_holm < SURE else ''} [{100 * pair.lo:+.1f}, {100 * pair.hi:+.1f}]"
        told, needed = more["metrics"][metric], more["needed"][metric][f"{dose:g}"]
        arms = [f"{rows[pair.variant, arm, metric].mean:.4g}" for arm in (control, treatment)]
        claim = f"{100 * more['claims'][metric]:+.1f}%"
        return [f"{told['label']}, {told['unit']}", f"{dose:g}", *arms, lift, claim, many(needed["claimed"]), many(needed["measured"])]

    arms = f"{report.label(treatment)}, against {report.label(control).lower()}"
    said = (
        f"{arms}: {more['viewers']:,} simulated viewers, {more['days']} days, at each dose the same people, visits and lists. \\* Holm p < .05. "
        "Viewers needed: both arms together, so many days, 80% power at 5%, without CUPED; for the measured lift where it is beyond noise (\\*)."
    )
    header = ("simulated", "dose", "not told", "told", "lift [95% interval]", "claimed", "viewers to see the claimed lift", "to see the measured")
    lines = [line(metric, dose) for metric in more["claims"] for dose in more["doses"]]
    told = list(dict.fromkeys(f["told"] for f in more["first_lists"]))
    exact = {(f["told"], f["dose"]): f"{100 * f['lift']:+.1f}% [{100 * f['lo']:+.1f}, {100 * f['hi']:+.1f}]" for f in more["first_lists"]}
    header_of_first = ("first lists, told", *(f"dose {dose:g}" for dose in more["doses"]))
    first = grid(header_of_first, [[name, *(exact[name, dose] for dose in more["doses"])] for name in told])
    why = "Expected clicks on a viewer's first list, by the world's own truth, against the same ranking told nothing:"
    return "\n\n".join((said, grid(header, lines), why, first))


def _percent(row: Row | None) -> str:
    if row is None:
        return NONE
    digits = 2 if row.hi < 0.01 else 1
    return f"{100 * row.mean:.{digits}f}% [{100 * row.lo:.{digits}f}, {100 * row.hi:.{digits}f}]"
