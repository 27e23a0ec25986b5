"""The tables of docs/results.md for other ways to test than A/B: interleaving, off-policy estimates, a bandit."""

from __future__ import annotations

from typing import Any

from recommender.evaluate.cells import grid
from recommender.evaluate.report import Report, Row


def interleaving(report: Report) -> str:
    """A line a pair: the true lift, what one experiment of either kind said, viewers needed by each, and the ratio; then a ranking against itself."""
    more = report.more
    rows = {(r.variant, r.metric): r for r in report.rows}
    viewers = report.rows[0].n
    lines = []
    for pair in more["pairs"]:
        lift, share, fewer = (rows[pair["pair"], metric] for metric in ("lift", "share", "times fewer"))
        lines.append(
            [
                pair["pair"],
                f"{100 * pair['truth']:+.1f}%, {100 * pair['truth_of_half']:+.1f}%",
                f"{_percent(lift, '+.1f')}",
                _percent(share),
                *(_viewers(pair["needed"][test]) for test in ("A/B", "interleaving")),
                f"{fewer.mean:.3g} [{fewer.lo:.3g}, {fewer.hi:.3g}]",
            ]
        )
    header = (
        "pair, simulated", f"true lift of clicks, of the first {more['k'] // 2}", f"A/B of {viewers:,} viewers: lift", "interleaving: share",
        "viewers for 80% power, A/B", "interleaving", "times fewer",
    )  # fmt: skip
    alike = more["itself"]
    return (
        f"{grid(header, lines)}\n\nShare: of a viewer's clicks, for the first-named. A draft shows about the first half of either list. A ranking "
        f"against itself, {alike['runs']:,} times with {alike['viewers']} viewers: p < .05 in {_rate(alike['t'])} by the t test, in "
        f"{_rate(alike['sign'])} by the sign test."
    )


def off_policy(report: Report) -> str:
    """A line a policy and size of log: effective size, the error of each method, and how often its interval holds the truth."""
    more, rows = report.more, {(r.variant, r.model, r.segment, r.metric): r for r in report.rows}
    methods = list(dict.fromkeys(r.model for r in report.rows))
    lines = []
    for e in more["effective"]:
        of = lambda method, metric, e=e: rows[f"{e['visits']:,} visits", method, f"policy={e['policy']}", metric].mean
        figures = [f"{of(method, 'RMSE'):.4f} ({of(method, 'coverage'):.0%})" for method in methods]
        lines.append([e["policy"], f"{e['visits']:,}", f"{e['ess']:,.0f}", f"{e['largest']:.0f}", f"{e['warned']:.0%}", *figures])
    says = "; ".join(f"{name}: {p['says']}, {p['value']:.4f}" for name, p in more["policies"].items())
    refused = more["refused"]
    header = ("policy, simulated", "visits", "effective", "largest weight", "warned", *methods)
    return (
        f"RMSE against the truth over {more['samples']} logs, in brackets how many of the 95% intervals hold it. What each policy truly earns, "
        f"clicks on the first film a visit: {says}.\n\n{grid(header, lines)}\n\nRefused: {refused['says']}. {refused['refused']}. Its "
        f"truth is {refused['value']:.4f}; weights alone would have said {refused['IPS']:.4f}."
    )


def bandit(report: Report) -> str:
    """A line a way: clicks lost, the share of the last day's visits on the best row, and what is known of the worst row."""
    more = report.more
    worst = more["rates"][-1]["row"]
    known = {(k["policy"], k["row"]): k for k in more["known"]}
    lines = []
    for row in report.rows:
        curve, left = more["curves"][row.model], known[row.model, worst]
        band = f"{curve['lo'][-1]:.0f} to {curve['hi'][-1]:.0f}"
        bias = f"{100 * left['bias']:+.2f} [{100 * left['lo']:+.2f}, {100 * left['hi']:+.2f}]"
        lost = f"{row.mean:.0f} [{row.lo:.0f}, {row.hi:.0f}]"
        lines.append([row.model, lost, band, f"{curve['share'][-1]:.0%}", f"{left['visits']:,.0f}", f"{100 * left['width']:.1f}", bias])
    header = (
        f"{more['days']} days of {more['visitors']} visitors, simulated", f"clicks lost, mean of {more['runs']} runs", "95% of runs",
        "best row on the last day", f"visits to {worst}", "width of its interval, points", "bias of its mean, points",
    )  # fmt: skip
    rates = ", ".join(f"{r['row']} {r['rate']:.1%}" for r in more["rates"])
    return f"Chance of a click in the first row, by its model: {rates}.\n\n{grid(header, lines)}"


def _percent(row: Row, form: str = ".1f") -> str:
    return f"{100 * row.mean:{form}}% [{100 * row.lo:{form}}, {100 * row.hi:{form}}]"


def _viewers(needed: dict[str, Any]) -> str:
    told = {name: "no number" if n is None else f"{n:,}" for name, n in needed.items()}
    return f"{told['viewers']} [{told['lo']}, {told['hi']}]"


def _rate(of: dict[str, float]) -> str:
    return f"{of['mean']:.1%} [{100 * of['lo']:.1f}, {100 * of['hi']:.1f}]"
