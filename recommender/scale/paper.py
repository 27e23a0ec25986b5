"""The tables of docs/scale.md: what was measured, whether it is the same, and what ten billion interactions would take by it."""

from __future__ import annotations

from pathlib import Path

from recommender.evaluate.tables import between
from recommender.scale.measure import Cost, read

GOAL, PEOPLE = 10_000_000_000, 100_000_000  # interactions and users of the plan
CORES, MACHINE = 400, 16  # cores of the cluster, and of one machine
BUSY = 0.6  # share of the time that cores of a cluster are at work: an assumption
BY_FILMS = ("item_knn", "ease")  # cost what the films cost, whatever the number of interactions
BY_PARTS = ("common", "als")  # shuffle the same again for every part of the users
PARTS = 2  # into which the users were cut here
TIMES = {"als": 12, "mllib": 12}  # iterations of a fit; one was measured


def blocks(path: Path) -> dict[str, str]:
    """Name of a block -> its Markdown, from the report."""
    report = read(path)
    rows = [Cost(**row) for row in report["rows"]]
    return {"measured": _measured(rows), "growth": _growth(report), "same": _same(report.get("same", {})), "plan": _plan(rows, report)}


def placed(text: str, made: dict[str, str]) -> str:
    """The page with every block between its markers."""
    for name, block in made.items():
        text = between(text, f"scale: {name}", f"/scale: {name}", block)
    return text


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] + ["---:"] * (len(head) - 1), *rows])


def _measured(rows: list[Cost]) -> str:
    head = ["step", "interactions", "users", "films", "seconds", "processor seconds", "peak MB", "shuffled MB"]
    text = _table(head, [[r.step, *(f"{v:,}" for v in r[1:4]), *(f"{v:,.0f}" for v in r[4:8])] for r in rows])
    shares = [f"{r.covered:.1%} of {r.interactions:,}" for r in rows if r.covered is not None]
    return text + (f"\n\nThe films that EASE took have {', '.join(shares)} interactions." if shares else "")


def _growth(report: dict) -> str:
    lines = report.get("growth", [])
    if not lines:
        return "One size of the large catalogue was measured, or none: there is no growth to tell yet."
    names = ["seconds", "cpu_seconds", "peak_mb", "shuffle_mb"]
    head = ["step", "sizes", "seconds", "processor seconds", "peak memory", "shuffled"]
    return _table(head, [[line["step"], str(line["sizes"]), *(f"{line[name]:.2f}" for name in names)] for line in lines])


def _same(found: dict) -> str:
    if not found:
        return "Not compared yet: `python -m recommender scale same` does it."
    rows = []
    for name, row in found.items():
        gaps = [gap["relative"] for gap in row.get("learned", {}).values() if gap["relative"] is not None]
        learned = f"{max(gaps):.0e}" if gaps and max(gaps) else "0" if gaps else "another model"
        rows.append(
            [
                name,
                learned,
                f"{row['users']:,}",
                f"{row['same_order']:.2%}",
                f"{row['same_films']:.2%}",
                f"{row['overlap']:.2%}" if "overlap" in row else "–",
            ]
        )
    text = _table(
        ["model", "largest relative difference of what was learned", "users", "same ten in the same order", "same ten films", "films in both"], rows
    )
    if "ndcg" in (other := found.get("mllib", {})):
        ours, theirs = (other["ndcg"][name] for name in ("ours", "mllib"))
        gap = other["difference"]
        text += (
            f"\n\nNDCG@10 of the last film of {ours['n']} viewers that neither knows: ours {_figure(ours)}, MLlib's {_figure(theirs)};"
            f" MLlib's less ours {gap['delta']:+.4f} [{gap['lo']:+.4f}, {gap['hi']:+.4f}], p {gap['p']:.2f}."
        )
    return text


def _figure(estimate: dict) -> str:
    return f"{estimate['mean']:.4f} [{estimate['lo']:.4f}, {estimate['hi']:.4f}]"


def _plan(rows: list[Cost], report: dict) -> str:
    """Every step at the largest size of the largest catalogue, carried on to GOAL: in proportion, or by its slope where that is steeper."""
    films = max((r.items for r in rows), default=0)
    slopes = {line["step"]: line["cpu_seconds"] for line in report.get("growth", [])}
    last = {r.step: r for r in sorted((r for r in rows if r.items == films), key=lambda r: r.interactions)}
    lines, hours, moved = [], 0.0, 0.0
    for step, row in last.items():
        more = 1.0 if step in BY_FILMS else PEOPLE / row.users if step.startswith("recommend") else GOAL / row.interactions
        cpu = row.cpu_seconds * more ** max(1.0, slopes.get(step, 1.0)) * TIMES.get(step, 1)
        spread = row.shuffle_mb * (CORES / PARTS if step in BY_PARTS else more) * TIMES.get(step, 1)
        took = cpu / (1 if step == "ease" else CORES * BUSY) / 3600  # ease is solved on one machine
        hours, moved = hours + took, moved + spread
        lines.append([step, f"{row.interactions:,}", f"{cpu / 3600:,.1f}", f"{took:,.2f}", f"{spread / 1e6:,.2f}"])
    lines.append(["all", "", "", f"{hours:,.1f}", f"{moved / 1e6:,.1f}"])
    head = ["step", "measured up to", "core hours", f"hours on {CORES} cores", "TB shuffled"]
    machines = CORES / MACHINE
    return f"{_table(head, lines)}\n\n{machines:.0f} machines for {hours:,.1f} hours are {machines * hours:,.0f} machine-hours."
