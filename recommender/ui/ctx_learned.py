"""What the model learned: the gate's weights in every context, genres recovered beside those planted, and which signals the app listens to."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from recommender.models.hybrid import PARTS, Hybrid
from recommender.serve import contexts, signals
from recommender.settings import settings
from recommender.types import DEVICES, TIMES_OF_DAY
from recommender.ui import ctx_charts, exhibits, league, words
from recommender.ui.ctx_rule import COMMAND, level, lifts, span
from recommender.ui.measures import chance_of, number, signed, titled
from recommender.ui.reports import Opened, Shelf
from recommender.ui.state import Frame
from recommender.ui.vega import FAMILIES, records, wrapped
from recommender.ui.words import counted

STRONG = 0.3  # log-odds from which a planted genre is asked for
SIGNALS = {"time_of_day": "Time of day", "device": "Device"}
TINT = dict(zip(PARTS, ("collaborative", "content", "sequential")))  # the family whose colour a part has everywhere


def learned(frame: Frame, shelf: Shelf) -> None:
    """The gate for this viewer, now; then what the reports tell."""
    _gate(frame)
    opened = shelf.found.get("context")
    if opened is None:
        return exhibits.missing("What was recovered of the planted truth", "context.json", COMMAND)
    served(opened)
    recovered(opened)


# -- the gate ----------------------------------------------------------------------------------------------------------


def _gate(frame: Frame) -> None:
    hybrid = frame.service.models.get("hybrid")
    if not isinstance(hybrid, Hybrid):
        st.info("The hybrid did not load: there is no gate to look into.", icon=":material/info:")
        return
    shares = contexts.gate(hybrid, frame.query.profile)
    n, few = len(frame.viewer.profile), frame.service.settings.few_ratings
    unused = f" {frame.viewer.name}’s rows do not use it yet: below {few} ratings they are those of everybody." if n < few else ""
    exhibits.title(gate_head(shares), gate_said(shares, n, len(frame.query.profile)) + unused)
    now = frame.asked.time_of_day, frame.asked.device
    st.html(f'<div class="mq-ev mq-cx-gates">{"".join(_table(shares[:, :, i], name, now) for i, name in enumerate(PARTS))}</div>')
    if None not in now:
        st.caption(outlined(told=frame.query.context == frame.asked))
    figures = pd.DataFrame(
        [
            {"time_of_day": t, "device_simulated": d, **{name: float(shares[i, j, m]) for m, name in enumerate(PARTS)}}
            for i, t in enumerate(TIMES_OF_DAY)
            for j, d in enumerate(DEVICES)
        ]
    )
    exhibits.note("gate", "worked out now by the gate of the hybrid · devices are simulated, times of day observed", figures)


def gate_head(shares: np.ndarray) -> str:
    """Whether the moment decides who has the say. shares (4, 4, 3)."""
    swing = float(np.ptp(shares, axis=(0, 1)).max())
    first = len(set(shares.argmax(axis=2).ravel().tolist())) == 1
    return "The moment hardly changes who has the say" if first and swing < 0.1 else "Who has the say depends on the moment"


def outlined(told: bool) -> str:
    """What the outlined cells are. told: whether the models are told all of this moment."""
    return "Outlined: now." if told else "Outlined: now, if all were told. The app does not tell the models all of this moment."


def gate_said(shares: np.ndarray, n: int, used: int) -> str:
    """The largest share and how far each moves over the sixteen contexts, for n ratings, of which some are used."""
    low, high = shares.min(axis=(0, 1)), shares.max(axis=(0, 1))
    said = [f"“{words.model(PARTS[m])}” {100 * low[m]:.0f} to {100 * high[m]:.0f}%" for m in np.argsort(-high)]
    history = counted(n, "rating") + (f", {used:,} of them in use" if used < n else "")
    return (
        f"The gate shares out one say among three models. For a history of {history}, over all sixteen moments: {'; '.join(said)}. "
        "Cells are % of the say, the brighter the larger; equal shares would be 33."
    )


def _table(shares: np.ndarray, part: str, now: tuple[str | None, str | None]) -> str:
    """One model's shares (4, 4) as a table, brightness by share."""
    colour = FAMILIES[TINT[part]][0]
    head = "".join(f"<th scope='col'>{escape(words.named(d))}</th>" for d in DEVICES)
    rows = []
    for i, time in enumerate(TIMES_OF_DAY):
        cells = "".join(
            f"<td style='--share:{100 * shares[i, j]:.1f}%'{' class=mq-cx-now' if (time, device) == now else ''}>{100 * shares[i, j]:.1f}</td>"
            for j, device in enumerate(DEVICES)
        )
        rows.append(f"<tr><th scope='row'>{escape(words.named(time))}</th>{cells}</tr>")
    return (
        f"<table style='--hue:{colour}'><caption><i></i>{escape(words.model(part))}</caption>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


# -- which signals the app listens to ----------------------------------------------------------------------------------


def served(opened: Opened) -> None:
    """What each signal adds to the models as they are served, and what follows from it."""
    trials = opened.report.more.get("signals") or []
    table = lifts(opened)
    rows = []
    for trial in trials:
        verdict = signals.verdicts(settings().artifacts / "reports", trial["model"]).get(trial["signal"])
        for row in league.rows(table, variant=trial["variant"]).to_dict("records"):
            name = f"{SIGNALS.get(trial['signal'], trial['signal'])}, {trial['source']} ({trial['model']})"
            rows.append({**row, **trial, "row": wrapped(name), "on": verdict is not None and verdict.on})
    if not rows:
        return exhibits.title("What the app listens to", "This report does not say what each signal adds to the models as they are served.")
    shown = pd.DataFrame(rows)
    shown = shown.assign(
        x=shown["delta"],
        hover=[f"{signed(d)}, {chance_of(p)}" for d, p in zip(shown["delta"], shown["p"])],
        said=[
            ("listened to" if on else "switched off") if series == ctx_charts.REAL else "shuffled" for on, series in zip(shown["on"], shown["series"])
        ],
    )
    title = titled("NDCG", shown["k"].iloc[0])
    spec = ctx_charts.intervals(
        shown,
        f"lift in {title}",
        list(dict.fromkeys(shown["row"])),
        ctx_charts.TRIAL_LOOK,
        zero="without the signal",
        mark="+.3~f",
    )
    exhibits.draw("served", heard(shown), verdict_said(shown, title), spec, opened, shown.drop(columns=["row", "hover"]))


def heard(shown: pd.DataFrame) -> str:
    """What the app listens to, and what not."""
    real = shown[shown["series"] == ctx_charts.REAL]
    on, off = ([str(r).replace("\n", " ") for r in real.loc[real["on"] == state, "row"]] for state in (True, False))
    if not on:
        return "The app listens to none of these signals"
    return f"Listened to: {'; '.join(on)}" + (f". Switched off: {'; '.join(off)}" if off else "")


def verdict_said(shown: pd.DataFrame, title: str) -> str:
    """Each lift with its interval and chance."""
    said = [
        f"{str(r['row']).replace(chr(10), ' ')} {span(r)}, {chance_of(r['p']) if r['sure'] else level(r)}"
        for r in records(shown[shown["series"] == ctx_charts.REAL])
    ]
    return f"A signal is listened to only where it adds to {title} beyond noise, on viewers never seen in training. {'; '.join(said)}."


# -- planted and recovered ---------------------------------------------------------------------------------------------


def recovered(opened: Opened) -> None:
    """Genres by device: what the gate learned over what the rule planted."""
    table = pd.DataFrame(opened.report.more.get("genres") or [])
    lines = {float(r["dose"]): r for r in opened.report.more.get("recovery") or []}
    if not len(table):
        return exhibits.title("Is the planted truth found again?", "This report does not say what was recovered of it.")
    options = sorted(table["dose"].unique().tolist())
    dose = exhibits.choose("dose", "Dose", options, options[-1], lambda d: f"{d:g}")
    shown = table[table["dose"] == dose]
    head, said = recovery_said(lines.get(float(dose)), dose, shown)
    exhibits.draw("recovered", head, said, ctx_charts.recovered(shown), opened, shown)
    exhibits.key({words.named(device): look for device, look in ctx_charts.DEVICE_LOOK.items()})
    st.caption(
        "Each mark is a genre on a device: planted by the rule of recommender/world.py (simulated), recovered by gates that saw only who watched "
        "what. On the broken line both agree; the gate is held back on purpose (ridge, early stop), so its marks lie nearer to zero."
    )


def recovery_said(line: dict | None, dose: float, points: pd.DataFrame) -> tuple[str, str]:
    """Headline and sentence from the report's own line through the points, and the point that falls furthest short."""
    if line is None:
        return "Is the planted truth found again?", f"{len(points)} genres on devices at dose {dose:g}."
    if line.get("slope") is None:
        return (
            "Nothing planted, and noise is what comes back",
            f"At dose {dose:g} nothing is planted: what {line['draws']} gates learned is noise, {number(line['spread'], 2)} log-odds wide.",
        )
    head = "What was planted is found again" if line["correlation"] > 0.7 else "What was planted is found again in part"
    slope = f"{number(line['slope'], 2)} [{number(line['lo'], 2)}, {number(line['hi'], 2)}]"
    return head, (
        f"At dose {dose:g}, over {line['points']} pairs of genre and device, planted and recovered correlate by {number(line['correlation'], 2)}; "
        f"the slope is {slope} over {line['draws']} draws of the devices, where 1 would be full strength.{_weakest(points)}"
    )


def _weakest(points: pd.DataFrame) -> str:
    """What falls furthest short of what was planted, among what was planted strongly."""
    strong = points[points["planted"].abs() >= STRONG]
    short = np.sign(strong["planted"]) * (strong["planted"] - strong["recovered"])
    if not len(short) or short.max() <= 0:
        return ""
    least = strong.loc[short.idxmax()]
    found = f"planted {signed(least['planted'], 2)}, recovered {signed(least['recovered'], 2)} ({counted(int(least['n']), 'viewer')})"
    return f" The weakest is {least['genre']} on {words.DEVICE[least['device']]}: {found}."
