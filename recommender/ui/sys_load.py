"""The section "Under load": how long lists take and how many come in a second, by users and by processes that answer."""

from __future__ import annotations

from html import escape

import pandas as pd
import streamlit as st

from recommender.ui import exhibits, sys_charts
from recommender.ui.measures import number
from recommender.ui.reports import Opened

COMMAND = "python -m recommender.loadtest"
THINKING, CLOSED = "with think time", "closed loop"
SAYS = {THINKING: "Users who read", CLOSED: "Users who never pause"}
QUANTILES = ("ms p50", "ms p95", "ms p99")


def section(load: Opened | None) -> None:
    """Both ways of asking; or the command that measures them."""
    if load is None:
        exhibits.missing("How fast does it answer when many ask at a time?", "load.json", COMMAND)
        return
    figures = runs(load)
    way = exhibits.choose("load", "Who asks", [w for w in SAYS if w in set(figures["way"])], THINKING, lambda o: SAYS[o])
    shown = figures[figures["way"] == way]
    goal = load.report.more["goal"]
    left, right = st.columns(2, gap="large")
    with left:
        exhibits.draw("load_ms", *_times(load, figures, way), sys_charts.times(_quantiles(shown), float(goal["ms"])), load, _quantiles(shown))
    with right:
        exhibits.draw("load_rate", *_rates(load, shown, way), sys_charts.rates(shown), load, shown)
    exhibits.key(sys_charts.keys(shown["workers"].tolist()))
    _table(shown)
    _how(load)


def runs(load: Opened) -> pd.DataFrame:
    """One row a run: way, workers, users, and each metric as a column, `ms p99 lo` and `ms p99 hi` beside it."""
    table = load.table.copy()
    split = table["variant"].str.extract(r"^(.*), (\d+) workers?$")
    table["way"], table["workers"] = split[0], pd.to_numeric(split[1])
    table["users"] = pd.to_numeric(table["segment"].str.removeprefix("users="))
    keys = ["way", "workers", "users"]
    wide = table.pivot_table(index=keys, columns="metric", values="mean", sort=False)
    for end in ("lo", "hi"):
        wide[f"ms p99 {end}"] = table[table["metric"] == "ms p99"].set_index(keys)[end]
    made = wide.reset_index().sort_values(["users", "workers"], ignore_index=True)
    made["row"] = [f"{u} user{'s' * (u > 1)}, {w} worker{'s' * (w > 1)}" for u, w in zip(made["users"], made["workers"])]
    return made


def _quantiles(shown: pd.DataFrame) -> pd.DataFrame:
    """A row for each quantile of each run, as long as it was measured."""
    made = shown.melt(["row", "users", "workers", "ms p99 lo", "ms p99 hi"], QUANTILES, "metric", "ms").dropna(subset="ms")
    drawn = made["metric"].eq("ms p99") & (made["ms p99 lo"] < made["ms p99 hi"])  # as far as it was bounded
    made[["lo", "hi"]] = made[["ms p99 lo", "ms p99 hi"]].where(drawn, float("nan"))
    return made.drop(columns=["ms p99 lo", "ms p99 hi"])


def _times(load: Opened, runs: pd.DataFrame, way: str) -> tuple[str, str]:
    """Whether the goal is met, with the interval, by those who ask in this way; and how long those who ask in the other way wait."""
    goal = load.report.more["goal"]
    asked = runs[(runs["users"] == goal["users"]) & runs["ms p99"].notna()] if "ms p99" in runs else runs[:0]
    best = {of: min(found.to_dict("records"), key=lambda run: run["ms p99"]) for of, found in asked.groupby("way")}
    if way not in best:
        return "How long a list takes", f"No list was measured for {goal['users']} users, of whom the goal of {goal['ms']:g} ms speaks."
    pause = f"who think for {load.report.more['think']:g} s between two questions, on average" if way == THINKING else "who ask again at once"
    sentence = (
        f"{goal['users']} users {pause}: 99 of 100 lists of the hybrid, reasons included, are there within {_p99(best[way])}"
        f" with {best[way]['workers']:g} worker{'s' * (best[way]['workers'] > 1)}. The goal is {goal['ms']:g} ms."
    )
    if failed := float(best[way].get("failures", 0)):
        sentence += f" {failed:.1%} of their requests failed, and stand in no time."
    sentence += "".join(f" {SAYS[str(of)]} wait {_p99(run)}." for of, run in best.items() if of != way)
    return f"The goal of {goal['ms']:g} ms is {_judged(best[way], goal)}", sentence


def _judged(run: dict, goal: dict[str, float]) -> str:
    """Met only where the whole interval is below the goal, and hardly anything failed: a list that never comes is there within no time."""
    if run["ms p99"] >= goal["ms"] or float(run.get("failures", 0)) >= 1 - goal["quantile"]:
        return "missed"
    if not _bounded(run):
        return "met, but by too few lists to be sure"
    return "met" if run["ms p99 hi"] < goal["ms"] else "met, within the noise"


def _bounded(run: dict) -> bool:
    """Whether there were lists enough for an interval of the 99th percentile: one without length is none."""
    return bool(run["ms p99 lo"] < run["ms p99 hi"])


def _p99(run: dict) -> str:
    span = f" [{number(run['ms p99 lo'], 1)}, {number(run['ms p99 hi'], 1)}]" if _bounded(run) else ""
    return f"{number(run['ms p99'], 1)} ms{span}"


def _rates(load: Opened, shown: pd.DataFrame, way: str) -> tuple[str, str]:
    """How many requests a second there were, and what bounds them."""
    most = max(shown.to_dict("records"), key=lambda run: run["requests a second"])
    rate, wait = f"{most['requests a second']:,.0f}", f"{1000 * most['users'] / most['requests a second']:,.0f}"
    head = f"{rate} requests a second at most"
    used = most.get("server processors", float("nan")), most.get("users' processors", float("nan"))
    if way == THINKING:
        think = load.report.more["think"]
        return (
            head,
            f"{most['users']:g} users who think for {think:g} s could ask {most['users'] / think:,.0f} times a second, if answers took no time.",
        )
    cores = load.report.more["machine"]["cores"]
    who = f"{most['users']:g} user{'s' * (most['users'] > 1)}"
    cost = 1000 * used[0] / most["requests a second"]
    sentence = (
        f"Users who never pause keep the server as busy as it can be: a request then waits for all before it, {who} at "
        f"{rate} a second for {wait} ms each."
    )
    if pd.notna(cost):
        sentence += (
            f" A request takes {number(cost, 1)} ms of processor; the users themselves, who run on the same {cores} cores, take "
            f"{number(used[1], 2)} of them."
        )
    return head, sentence


def _table(shown: pd.DataFrame) -> None:
    """All figures of the way that is shown."""
    columns = {
        "requests a second": ("requests a second", 1), "ms p50": ("p50, ms", 1), "ms p95": ("p95, ms", 1), "ms p99": ("p99, ms", 1),
        "server ms p50": ("p50 in the server", 1), "server ms p99": ("p99 in the server", 1), "feedback ms p50": ("feedback p50, ms", 1),
        "failures": ("failed, %", 1), "server processors": ("processors", 2), "users' processors": ("of the users", 2),
        "server MB": ("memory, MB", 0),
    }  # fmt: skip
    there = {name: say for name, say in columns.items() if name in shown}
    head = "".join(f"<th scope=col>{escape(said)}</th>" for said, _ in there.values())
    rows = "".join(
        f"<tr><th scope=row>{escape(run['row'])}</th>"
        + "".join(f"<td>{'–' if pd.isna(run[name]) else number(float(run[name]), digits)}</td>" for name, (_, digits) in there.items())
        + "</tr>"
        for run in shown.to_dict("records")
    )
    st.html(
        f'<div class="mq-ev mq-ev-scroll mq-sys-wide" tabindex="0" role="region" aria-label="All figures under load">'
        f"<table><thead><tr><th scope=col>run</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _how(load: Opened) -> None:
    """How it was measured, from the report."""
    more = load.report.more
    machine, mix = more["machine"], more["asked"]
    fewest, most = mix["films sent"]
    lines: tuple[str, ...] = (
        f"<b>Where</b> {escape(str(machine['processor']))}, {machine['cores']} cores, {machine['memory_gb']:g} GB: the server and all users on this "
        "one machine, over loopback.",
        f"<b>What</b> {mix['films']} films of the hybrid with their reasons; {mix['demo viewers']:.0%} for demo viewers, the others for {fewest} to "
        f"{most} ratings sent along, at random times of the day and devices; {mix['feedback']:.0%} of the requests store feedback.",
        f"<b>How</b> {more['seconds']:g} s a run after {more['warm']:g} s that do not count, by Locust; times are as users have them. Each waits for "
        "an answer before the next question, so a slow server is asked less often than by people who come whenever they like. Brackets are 95% "
        "intervals of the quantile from order statistics, which take answers as independent of each other.",
        f"<b>Of which models</b> release {escape(str(more['release']))}.",
    )
    lines += tuple(f"<b>Failed</b> {times:,} times {escape(why)}" for why, times in more.get("failed", {}).items())
    items = "".join(f"<li>{line}</li>" for line in lines)
    st.html(f'<div class="mq-ev mq-ev-box mq-ev-limits"><h3>How it was measured</h3><ul>{items}</ul></div>')
