"""What the house cannot do or has not shown, each with its figure from a report. What a report does not say is left out and counted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from recommender.about.speed import clicks, judged
from recommender.evaluate.report import Report, Row
from recommender.models import MODELS

GOAL_P2 = 0.400  # precision at ten that was aimed at under P2
OTHERS = "other library"


class Limit(NamedTuple):
    """figure: what to look at first; head and said: what it means; report: where it stands, "" where it needs none."""

    group: str
    figure: str
    head: str
    said: str
    report: str = ""


class Found(NamedTuple):
    """What can be said, and the reports that others would need."""

    limits: list[Limit]
    absent: list[str]


def limits(reports: Mapping[str, Report], last_year: int) -> Found:
    """All limits whose reports are there. last_year: of the youngest film in the catalogue."""
    made = [
        Limit(
            "The data",
            str(last_year),
            "The catalogue ends here",
            "Later films, series and anything not in MovieLens 1M are unknown. Titles are English.",
        )
    ]
    absent = []
    for name, tell in TOLD:
        try:
            made.append(tell(reports[name])._replace(report=name))
        except (KeyError, StopIteration, ValueError, TypeError, ZeroDivisionError):
            absent.append(name)
    return Found(sorted(made + list(UNTRIED), key=lambda limit: GROUPS.index(limit.group)), list(dict.fromkeys(absent)))


GROUPS = ("The data", "Context", "Accuracy", "Who it serves less well", "Reasons", "Speed", "Never tried")
UNTRIED = (
    Limit(
        "Never tried",
        "0",
        "people who chose freely",
        "No viewer ever watched a film because of this house. All experiments that came with it are simulated.",
    ),
    Limit("Never tried", "1", "browser engine", "Everything was tried in Chromium. Firefox, Safari and a screen reader were not."),
    Limit("Never tried", "1", "machine", "It was written for several machines and a cluster too; it was run on one."),
)


def _short(x: float, digits: int = 3) -> str:
    """.372, −.014, 32.1."""
    text = f"{abs(x):.{digits}f}"
    return ("−" if x < 0 and float(text) else "") + text.removeprefix("0")


def _span(lo: float, hi: float, digits: int = 3) -> str:
    return f"[{_short(lo, digits)}, {_short(hi, digits)}]"


def _row(report: Report, **wanted: object) -> Row:
    return next(r for r in report.rows if all(getattr(r, key) == value for key, value in wanted.items()))


def _best(report: Report, metric: str, models: Collection[str]) -> Row:
    """The highest figure at ten of all people, among these models."""
    return max((r for r in report.rows if (r.metric, r.k, r.segment) == (metric, 10, None) and r.model in models), key=lambda r: r.mean)


def _rated(report: Report) -> Limit:
    once, tied = report.more["sitting"]["one_only"], report.more["ties"]["share"]
    return Limit(
        "The data",
        f"{once:.0%}",
        "rated everything in one sitting",
        f"{tied:.0%} of the ratings share their second with another. The log tells when people rated on a website, not when they watched.",
    )


def _tail(report: Report) -> Limit:
    half, films, few = report.more["films_for_half"], report.more["sizes"]["rated_films"], report.more["sizes"]["users"]
    return Limit(
        "The data",
        f"{half:,}",
        f"of {films:,} films have half of the ratings",
        f"Of the others little is known, and what nobody rated has no chance to be right in any test here. All {few:,} people chose what to rate.",
    )


def _people(report: Report) -> Limit:
    counts = {r.segment: r.n for r in report.rows if r.segment and r.segment.startswith("gender=")}
    men = counts["gender=M"] / sum(counts.values())
    return Limit(
        "The data",
        f"{men:.0%}",
        "of the raters are men",
        "They typed US ZIP codes, for the most part, between 2000 and 2003. Other tastes are hardly in it.",
    )


def _hour(report: Report) -> Limit:
    found = next(
        d for d in report.differences if d.variant.startswith("served hybrid: part of day") and d.model == "context" and d.against == "no context"
    )
    none = "a gain cannot be told from none, so the models are not told the hour unless somebody asks for it"
    sure = "a gain beyond noise, and a small one" if found.lo > 0 else none
    return Limit(
        "Context",
        _signed(found.delta),
        "NDCG@10 from the part of the day",
        f"{_span(found.lo, found.hi, 4)}: {sure}.",
    )


def _device(report: Report) -> Limit:
    at = {
        d.variant.rpartition(" ")[2]: d
        for d in report.differences
        if d.variant.startswith("device, simulated") and (d.model, d.against) == ("context", "no context")
    }
    none, one = at["0"], at["1"]
    return Limit(
        "Context",
        _signed(one.delta),
        "NDCG@10 from the device, inside a simulation",
        f"{_span(one.lo, one.hi, 4)} at dose 1, {_signed(none.delta)} {_span(none.lo, none.hi, 4)} at dose 0. MovieLens records no device: "
        "the gain says that the method finds what was planted, not that devices matter.",
    )


def _claims(report: Report) -> Limit:
    claimed = report.more["claims"]["ctr"]
    found = next(d for d in report.differences if d.variant == "dose 1" and d.metric == "ctr")
    most = max(d.hi for d in report.differences if d.metric == "ctr")
    reached = "an interval of some dose reaches it" if most >= claimed else f"no interval of any dose reaches beyond {_percent(most)}"
    return Limit(
        "Context",
        _percent(found.delta),
        "clicks from context, in the click world",
        f"{_percent(found.lo)} to {_percent(found.hi)} at dose 1. A gain of {claimed:.1%} was claimed; {reached}.",
    )


def _named(report: Report) -> Limit:
    sizes = report.more["sizes"]
    return Limit(
        "Context",
        f"{sizes['users']}",
        "people named their context",
        f"{sizes['ratings']:,} ratings of {sizes['films']} films in a survey: real context, and little of it.",
    )


def _goal(report: Report) -> Limit:
    own = {c.model for c in report.models if c.family != OTHERS}
    best = _best(report, "P", own)
    met = "met" if best.mean >= GOAL_P2 else "missed"
    served = "it is served" if best.model in MODELS else "it is not among the served models"
    return Limit(
        "Accuracy",
        _short(best.mean),
        f"precision at ten under P2, the goal of {_short(GOAL_P2)} {met}",
        f"{report.label(best.model)} {_span(best.lo, best.hi)}; {served}.",
    )


def _seeds(report: Report) -> Limit:
    seeds = min(c.seeds for c in report.models if c.family == "sequential")
    return Limit(
        "Accuracy",
        str(seeds),
        "training run" + "s" * (seeds > 1) + " of each Transformer",
        "Intervals cover the luck of who was asked, not that of the training. Another seed may stand elsewhere.",
    )


def _folds(report: Report) -> Limit:
    folds = sum(str(s["variant"]).startswith("90/10") for s in report.splits)
    return Limit(
        "Accuracy",
        f"{folds} of 10",
        "folds behind the error of stars",
        "It is measured on films that people chose to rate, so a small error makes no good list.",
    )


def _cold(report: Report) -> Limit:
    wanted = {"variant": "random ratings, liked otherwise", "metric": "NDCG", "k": 10, "segment": "known=5"}
    hybrid, crowd = (_row(report, model=model, **wanted) for model in ("hybrid", "popularity"))
    return Limit(
        "Accuracy",
        _short(hybrid.mean),
        "NDCG@10 of the hybrid with five ratings known",
        f"{_span(hybrid.lo, hybrid.hi)}; popularity has {_short(crowd.mean)} {_span(crowd.lo, crowd.hi)}. First rows are popular ones until then.",
    )


def _offline(report: Report) -> Limit:
    people = _row(report, segment=None).n
    return Limit(
        "Accuracy",
        f"{people:,}",
        "people were asked, all in a log",
        "Ratings were hidden and found again. Whether anybody would watch more, or like it better, only a test with people can tell.",
    )


def _groups(report: Report) -> Limit:
    best = _best(report, "NDCG", {c.model for c in report.models}).model
    women, men, old = (_row(report, model=best, metric="NDCG", k=10, segment=s) for s in ("gender=F", "gender=M", "age=55 and over"))
    return Limit(
        "Who it serves less well",
        _signed(women.mean - men.mean, 3),
        "NDCG@10 for women against men, under P2",
        f"{_short(women.mean)} {_span(women.lo, women.hi)} against {_short(men.mean)} {_span(men.lo, men.hi)} by {report.label(best)}; "
        f"{_short(old.mean)} {_span(old.lo, old.hi)} from 55 years on. Part of it is how much each group rated; it is measured, not mended.",
    )


def _rare(report: Report) -> Limit:
    best = _best(report, "NDCG", {c.model for c in report.models}).model
    head, tail = (_row(report, model=best, metric="NDCG", k=10, segment=f"popularity={s}") for s in ("head", "tail"))
    return Limit(
        "Who it serves less well",
        _short(tail.mean),
        "NDCG@10 for rarely rated films, under P2",
        f"{_short(head.mean)} for popular ones: who likes what few know is served worst.",
    )


def _reasons(report: Report) -> Limit:
    own, latest = (_row(report, variant=v, model="sequence", metric="deletion", segment=None) for v in ("own reasons", "latest first"))
    return Limit(
        "Reasons",
        f"{own.mean:.0%}",
        "of the Transformer’s list stands when the films it names are taken away",
        f"{latest.mean:.0%} where simply the latest films are taken away, step for step on average, less being better: its leave-one-out reasons "
        "miss part of what moves it.",
    )


def _load(report: Report) -> Limit:
    goal = report.more["goal"]
    rows = [r for r in report.rows if r.metric == "ms p99" and r.segment == f"users={goal['users']}" and r.variant.startswith("with think time")]
    best = min(rows, key=lambda r: r.mean)
    met = "met" if best.hi < goal["ms"] else "missed" if best.mean >= goal["ms"] else "met within the noise"
    return Limit(
        "Speed",
        f"{best.mean:.0f} ms",
        f"for 99 of 100 lists with {goal['users']} users, the goal of {goal['ms']:g} ms {met}",
        f"{_span(best.lo, best.hi, 1)} with {best.variant.rpartition(', ')[2]}, all on one machine of {report.more['machine']['cores']} cores.",
    )


def _bench(report: Report) -> Limit:
    rows = judged(report)
    missed = [r for r in rows if not r.met]
    said = "; ".join(f"{r.row} ({r.said})" for r in missed) or "All of them are met on one core."
    return Limit("Speed", f"{len(missed)} of {len(rows)}", "goals of speed and memory missed", said)


def _clicks(report: Report) -> Limit:
    goals, (medians, late) = report.more["goals"], clicks(report)
    most = max(float(sample["rss_mb"]) for sample in report.more["samples"])
    crowd, aim = report.more["hour"]["browsers"], goals["memory"]["at_most"]
    grown = f"An hour of {crowd} simulated browsers took the process to {most:,.0f} MB, of {aim:,.0f} MB aimed at."
    return Limit(
        "Speed", f"{len(late)} of {len(medians)}", f"kinds of click painted later than {goals['click']['at_most']:g} ms, by their medians", grown
    )


def _signed(x: float, digits: int = 4) -> str:
    return f"{'+' if x > 0 else ''}{_short(x, digits)}"


def _percent(x: float) -> str:
    return f"{x:+.1%}".replace("-", "−")


TOLD: tuple[tuple[str, Callable[[Report], Limit]], ...] = (
    ("data", _rated),
    ("data", _tail),
    ("P1", _people),
    ("context", _hour),
    ("context", _device),
    ("doses", _claims),
    ("depaulmovie", _named),
    ("P2", _goal),
    ("P1", _seeds),
    ("P3", _folds),
    ("cold-start", _cold),
    ("P1", _offline),
    ("P2", _groups),
    ("P2", _rare),
    ("explanations", _reasons),
    ("load", _load),
    ("bench", _bench),
    ("browser", _clicks),
)
