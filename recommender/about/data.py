"""The card of the data: the questions of a datasheet, answered from catalogue and reports.

Source: Gebru et al., "Datasheets for Datasets", Communications of the ACM 64(12), 2021, arXiv 1803.09010.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from recommender.catalog import Catalog
from recommender.evaluate.report import Report

KEPT = 20  # people behind whatever is shown of people


class Source(NamedTuple):
    """Where something comes from, on which terms, and whether it stands in the repository."""

    what: str
    whose: str
    terms: str
    kept: bool


SOURCES = (
    Source("MovieLens ratings", "GroupLens, University of Minnesota", "research, with acknowledgement; commercial use needs permission", False),
    Source("Titles, years, genres", "MovieLens", "facts", True),
    Source("Numbers at IMDb and TMDB", "links.csv of MovieLens", "facts", True),
    Source("Directors, actors, certificates", "a public collection of IMDb facts", "facts", True),
    Source("Running times", "TMDB 5000", "TMDB terms, with attribution", True),
    Source("Plots and overviews", "IMDb, TMDB", "somebody’s prose: features are computed, texts are not kept", False),
    Source("Black and white", "marked by hand for this house", "as this code", True),
    Source("Demo viewers", "made up for this house", "as this code", True),
    Source("DePaulMovie", "Zheng, Mobasher & Burke, CARSKit, 2015", "no licence stated; cited, used for one report", False),
)
CITED = "MovieLens: Harper & Konstan, ACM TiiS 5(4), 2015. This product uses TMDB data but is not endorsed or certified by TMDB."
WHY = "By GroupLens, to study recommendation: people rated films on a website to be recommended others. It was not made for this house."
OBSERVED = (
    "Stars, their second, and the ZIP code that people typed: from it comes the hour on their own clock. When somebody watched was never recorded."
)
SIMULATED = "The device. MovieLens records none, so it is drawn from one stated rule, and whatever uses it says so."
WITHHELD = (
    f"Everybody’s history. Nothing is published of fewer than {KEPT} people: no pair of films, no group, no drawing. "
    "Neighbours among viewers need the data set and never leave the machine that has it."
)
ALLOWED = "Study and teach, naming GroupLens. The ratings themselves may not be passed on, and this repository holds no row of them."
UNWRITTEN = "{} counts it, and has not been written yet."


def answers(catalog: Catalog, reports: Mapping[str, Report]) -> list[tuple[str, str]]:
    """Question and answer; what a report is missing for says so."""
    return [
        ("Why was it gathered?", WHY),
        ("What is in it?", films(catalog)),
        ("Who is in it?", people(reports["P1"]) if "P1" in reports else UNWRITTEN.format("P1.json")),
        ("What is observed?", OBSERVED),
        ("What is simulated?", SIMULATED),
        ("What is withheld?", WITHHELD),
        ("Where does it lean?", leaning(reports["data"]) if "data" in reports else UNWRITTEN.format("data.json")),
        ("What may be done with it?", ALLOWED),
    ]


def films(catalog: Catalog) -> str:
    """How many, of which years, and what is known of them."""
    known = {
        "a director": sum(map(bool, catalog.directors)),
        "a certificate": sum(map(bool, catalog.certificates)),
        "a running time": int((catalog.minutes > 0).sum()),
    }
    parts = ", ".join(f"{count:,} with {what}" for what, count in known.items())
    years = catalog.years[catalog.years > 0]
    return f"{len(catalog):,} films of {years.min()} to {years.max()} in {len(catalog.genre_names)} genres: {parts}. What is unknown stays empty."


def people(report: Report) -> str:
    """Groups of the people that a report asked, by their number; those of fewer than KEPT are left out."""
    counts = {r.segment: r.n for r in report.rows if r.segment and r.n >= KEPT}
    whole = max(r.n for r in report.rows if r.segment is None)
    ages = {name.removeprefix("age="): n for name, n in counts.items() if name.startswith("age=")}
    said = f"{whole:,} people, by the age, gender and US ZIP code they typed"
    said += f": {counts['gender=F'] / whole:.0%} women" if "gender=F" in counts else ""
    most = max(ages, key=lambda age: ages[age], default="")
    return said + (f", {ages[most] / whole:.0%} aged {most.replace('-', '–')}, the largest group." if most else ".")


def leaning(report: Report) -> str:
    """What is over-represented."""
    more = report.more
    good, whole = (sum(s["count"] for s in more["stars"] if s["stars"] >= least) for least in (4, 0))
    return (
        f"To films people chose: {good / whole:.0%} of the ratings are four stars or more. To the well-known: {more['films_for_half']:,} films have "
        f"half of all ratings. To single sittings: {more['sitting']['one_only']:.0%} came once. To the diligent: half of the people rated "
        f"{more['per_user']['median']:.0f} films or more."
    )
