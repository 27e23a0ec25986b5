"""Which signals of the context the models are told: those whose held-out gain can be told from none, by the report of the context study."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from recommender.types import Context

REPORT = "context.json"
SIGNALS = {"time_of_day": "observed", "device": "simulated"}  # what they are in MovieLens, where no report says it
NAMES = {"time_of_day": "the time of day", "device": "the device"}
GAIN = {"model": "context", "against": "no context", "metric": "NDCG", "k": 10, "segment": None}
SURE = 0.05


@dataclass(frozen=True)
class Verdict:
    """Whether the models are told a signal: `delta` is the gain in NDCG@10 on viewers they never saw, with its 95% interval, p corrected by Holm
    and n viewers; all None where it was not measured. source: observed or simulated; why: one sentence for the screen."""

    signal: str
    source: str
    on: bool
    delta: float | None
    lo: float | None
    hi: float | None
    p: float | None
    n: int | None
    why: str


def verdicts(reports: Path, model: str = "hybrid") -> dict[str, Verdict]:
    """One for each of SIGNALS, for the model that is told it: "hybrid" or "popularity". What no report shows to help is switched off."""
    try:
        report = json.loads((reports / REPORT).read_text("utf-8"))
    except FileNotFoundError:
        return {signal: _unmeasured(signal) for signal in SIGNALS}
    except (OSError, ValueError, RecursionError):
        return {signal: _unreadable(signal) for signal in SIGNALS}
    return {signal: _verdict(report, model, signal) for signal in SIGNALS}


def heed(context: Context, verdicts: Mapping[str, Verdict], anyway: Collection[str] = ()) -> Context:
    """The context without the signals that are switched off, but for those in `anyway`."""
    for name in anyway:
        if name not in SIGNALS:
            raise ValueError(f"signal {name!r} is unknown, wanted {' or '.join(SIGNALS)}")
    off = [v.signal for v in verdicts.values() if not v.on and v.signal not in anyway]
    return replace(context, **dict.fromkeys(off))


def _verdict(report: dict, model: str, signal: str) -> Verdict:
    try:
        trials = [t for t in report["more"].get("signals", []) if (t["model"], t["signal"]) == (model, signal)]
        if not trials:
            return _unmeasured(signal)
        (trial,) = trials
        (row,) = [d for d in report["differences"] if d["variant"] == trial["variant"] and all(d[k] == v for k, v in GAIN.items())]
        delta, lo, hi, p, n, source = (*(row[name] for name in ("delta", "lo", "hi", "p_holm", "n")), trial["source"])
        if not _sound(delta, lo, hi, p, n) or source not in ("observed", "simulated"):
            return _unreadable(signal)
    except (KeyError, TypeError, ValueError, AttributeError):
        return _unreadable(signal)
    on = lo > 0 and p < SURE
    found = "a gain" if on else "a loss" if hi < 0 and p < SURE else "not told apart from none"
    where = f" inside the simulation: {NAMES[signal]} is drawn from a rule, not observed" if source == "simulated" else ""
    span = f"{_signed(delta)} [{_signed(lo)}, {_signed(hi)}]"
    why = f"Switched {'on' if on else 'off'}: on {n:,} viewers it changes NDCG@10 by {span}, {found}{where}."
    return Verdict(signal, source, on, delta, lo, hi, p, n, why)


def _sound(delta: object, lo: object, hi: object, p: object, n: object) -> bool:
    """Whether these are a difference of two NDCGs, its interval, a chance and a number of viewers."""
    numbers = [x for x in (delta, lo, hi, p) if isinstance(x, int | float) and not isinstance(x, bool)]
    if len(numbers) < 4 or not isinstance(n, int) or n < 2:
        return False
    gain, low, high, chance = numbers
    return -1 <= low <= high <= 1 and -1 <= gain <= 1 and 0 <= chance <= 1


def _unmeasured(signal: str) -> Verdict:
    return _unknown(signal, f"Switched off: what {NAMES[signal]} adds was not measured here.")


def _unreadable(signal: str) -> Verdict:
    return _unknown(signal, f"Switched off: {REPORT} cannot be read, so nothing is known of what {NAMES[signal]} adds.")


def _unknown(signal: str, why: str) -> Verdict:
    return Verdict(signal, SIGNALS[signal], False, None, None, None, None, None, why)


def _signed(value: float) -> str:
    """+.0115; a rounded zero has no minus."""
    return f"{round(value, 4) + 0.0:+.4f}".replace("0.", ".", 1)
