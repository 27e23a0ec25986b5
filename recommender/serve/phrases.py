"""Reasons into sentences: the only place where prose is made, and it says no more than the numbers carry."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recommender.catalog import Catalog
from recommender.counterfactual import Smallest
from recommender.models import MODELS
from recommender.models.neighbours import Communities
from recommender.models.popularity import AMONG_MOST, MANY
from recommender.serve.answers import Change, Held, WhyNot
from recommender.serve.liking import LIKED, mostly_liked
from recommender.types import Context, Drop, Explanation, Profile, Reason

BASIS = 0.15  # share of the score from which on films are called its basis
HIGH_MARKS = 3.9  # average stars
NEAREST = Communities().nearest
NAMED = 3  # heaviest films of a kind that a sentence may name, if they hold

DEVICE_NAMES = {"mobile": "your phone", "tablet": "your tablet", "desktop": "your computer", "tv": "TV"}
TIME_NAMES = {"morning": "the morning", "afternoon": "the afternoon", "evening": "the evening", "night": "the night"}
PART_NAMES = {name: name.replace("_", " ").capitalize() for name in MODELS} | {
    "ease": "People who watched the same films",
    "item_knn": "Films watched together",
    "user_knn": "Viewers like you",
    "communities": "Taste communities",
    "pure_svd": "Latent factors",
    "als": "Latent factors (ALS)",
    "ratings": "Predicted stars",
    "content": "What the film is made of",
    "encoder": "Content, placed by taste",
    "sequence": "What tends to come next",
    "hybrid": "A blend of three models",
    "time": "Time of day",
    "device": "Device",
    "settings": "Your own settings",
}


def listed(names: list[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def films_listed(films: Collection[int], catalog: Catalog) -> str:
    """Titles as a list; in quotation marks where one of several could be taken for two."""
    titles = [catalog.titles[i] for i in films]
    unclear = len(titles) > 1 and any(" and " in title or "," in title for title in titles)
    return listed([f"“{title}”" for title in titles] if unclear else titles)


def moment(context: Context) -> str:
    """The context as a person says it: "the evening on TV", "the evening", "TV", or "" where nothing is known."""
    time, device = TIME_NAMES.get(context.time_of_day or ""), DEVICE_NAMES.get(context.device or "")
    return f"{time} on {device}" if time and device else time or device or ""


def supporters(explanation: Explanation, *kinds: str) -> list[Reason]:
    """Reasons that raise the film, heaviest first, of these kinds (or of any)."""
    return [r for r in explanation.reasons if r.weight > 0 and (not kinds or r.kind in kinds)]


class Said(NamedTuple):
    """A sentence, and the viewer's films that it gives as causes."""

    text: str
    films: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Case:
    """What one sentence is about: a film, why it has its score, for whom and when; `holds` are the viewer's films that may be named,
    because without each of them the film falls by as many ranks as the setting `least_drop` wants."""

    item: int
    explanation: Explanation
    score: float
    profile: Profile
    context: Context
    catalog: Catalog
    holds: Collection[int] = ()
    fits: bool = True  # whether the film stands well, and higher than it would if nothing were known of the viewer
    high: bool = False  # whether it stands well for somebody of whom nothing is known

    def supporters(self, *kinds: str) -> list[Reason]:
        return supporters(self.explanation, *kinds)

    def because(self, opening: str, reasons: list[Reason], closing: str = "") -> Said:
        """A sentence that names the first two films as causes."""
        films = tuple(int(r.subject) for r in reasons[:2])
        return Said(f"{opening} {films_listed(films, self.catalog)}{closing}", films)

    def films(self, kind: str) -> list[Reason]:
        """Of the heaviest films that raise the score, those that hold."""
        return [r for r in _films(self.explanation, kind) if r.subject in self.holds]

    def stars(self, film: int) -> float:
        return float(self.profile.ratings[self.profile.items == film][0])

    def preferred(self, genre: str) -> bool:
        """A genre is preferred where it was asked for, or where its films were mostly liked."""
        return genre in self.profile.genres or mostly_liked(self.catalog.genres[:, self.catalog.genre(genre)], self.profile)

    def liked_with(self, films: np.ndarray) -> str:
        """The title of the best rated, then latest, of the liked films among these (I,) bool; "" where there is none."""
        liked = np.flatnonzero(films[self.profile.items] & (self.profile.ratings >= LIKED))
        if not len(liked):
            return ""
        return self.catalog.titles[self.profile.items[max(liked, key=lambda n: (self.profile.ratings[n], n))]]

    def one(self, *ways: str) -> str:
        """One of several ways to say the same; a film always says it in the same way."""
        return ways[self.item % len(ways)]


def nameable(explanation: Explanation) -> list[int]:
    """The films a sentence might name: each is to be tried before it is."""
    return [int(r.subject) for kind in ("film", "sequence") for r in _films(explanation, kind)]


def _films(explanation: Explanation, kind: str) -> list[Reason]:
    return [r for r in supporters(explanation, kind) if isinstance(r.subject, int)][:NAMED]


def say(case: Case, lead: tuple[str, ...] = ()) -> Said:
    """One sentence for one film.

    The heaviest supporting reason speaks, one of the kinds in `lead` first if any of them supports the film at all;
    the context, which says nothing of the viewer, speaks last where it is not asked to lead.
    """
    if case.item in case.profile.items:
        return Said(f"You gave it {case.stars(case.item):g} stars")
    heaviest: dict[str, Reason] = {}  # of each kind that raises the film
    for reason in supporters(case.explanation):
        heaviest.setdefault(reason.kind, reason)
    by_weight = sorted(heaviest, key=lambda kind: kind == "context")
    for kind in dict.fromkeys((*lead, *by_weight)):
        if kind in heaviest:
            said = _SENTENCES[kind](heaviest[kind], case)
            if said:
                return said if isinstance(said, Said) else Said(said)
    if not len(case.profile):
        return Said("Chosen without knowing you yet")
    if case.fits:
        return Said("Fits what you watched as a whole")
    return Said("Stands high for everybody, more than for you" if case.high else "No reason stands out")


def _film(reason: Reason, case: Case) -> Said | str:
    films = case.films("film")
    liked = [r for r in films if case.stars(int(r.subject)) >= LIKED and r.weight >= films[0].weight / 2]
    if not films:
        return ""
    if not liked:
        return case.because("Because you watched", films[:1])
    if len(liked) == 1 and case.stars(int(liked[0].subject)) == 5 and case.item % 2:
        return case.because("Because you gave", liked, " five stars")
    return case.because("Because you liked", liked)


def _genre(reason: Reason, case: Case) -> str:
    genres = [str(r.subject) for r in case.supporters("genre") if r.weight >= reason.weight / 3]
    asked = [name for name in genres if name in case.profile.genres]
    if asked and not len(case.profile):
        return f"You asked for {listed(asked[:2])}"
    preferred = [name for name in genres if case.preferred(name)]
    if preferred:
        said = listed(preferred[:2])
        return case.one(f"Matches your preference for {said} films", f"More {said}, which you like")
    columns = [case.catalog.genre(name) for name in genres[:2]]
    alike = case.liked_with(np.logical_and.reduce(case.catalog.genres[:, columns], axis=1))
    return f"{listed(genres[:2])}, like {alike}, which you liked" if alike else ""


def _person(reason: Reason, case: Case) -> str:
    people = [str(r.subject) for r in case.supporters("person") if r.weight >= reason.weight / 2]
    found = {name: np.isin(np.arange(len(case.catalog)), case.catalog.people.get(name, ())) for name in people}
    preferred = [name for name, films in found.items() if mostly_liked(films, case.profile)]
    if preferred:
        return f"Matches your preference for films with {listed(preferred[:2])}"
    return next((f"With {name}, as in {alike}, which you liked" for name, films in found.items() if (alike := case.liked_with(films))), "")


def _crowd(reason: Reason, case: Case) -> str:
    if "viewers who favour" in str(reason.subject):
        share = sum(r.weight for r in case.explanation.reasons if r.kind == "crowd")
        if share == case.score or abs(share - case.score) < 1e-6:  # the communities alone made the score, so it is a share of people
            if len(case.supporters("crowd")) > NEAREST:  # no community is nearer than any other
                return f"{share:.0%} of everybody here gave it four stars or more"
            return f"People with similar tastes enjoyed this: {share:.0%} of them, the nearest counting most, gave it four stars or more"
        return f"People with similar tastes enjoyed this, above all {reason.subject}"
    return f"People with similar tastes watched this: {reason.subject}"


def _sequence(reason: Reason, case: Case) -> Said | str:
    """The latest films are named as the basis only where they carry a good part of the score."""
    films = case.films("sequence")
    if not films or not case.fits:
        return ""
    named = [r for r in films if r.weight >= films[0].weight / 2][:2]
    shared = [str(r.subject) for r in case.supporters("genre") if case.preferred(str(r.subject))]
    also = f"; matches your preference for {listed(shared[:2])} films" if shared else ""
    basis = sum(r.weight for r in named) >= BASIS * case.score > 0
    return case.because("Based on your recent viewing of" if basis else "Fits your viewing as a whole, most of all", named, also)


def _context(reason: Reason, case: Case) -> str:
    raising = {str(r.subject) for r in case.supporters("context")}
    time, device = (part if part in raising else None for part in (case.context.time_of_day, case.context.device))
    said = moment(Context(time, device))
    popular = any(str(r.subject).endswith(AMONG_MOST) or str(r.subject).startswith(f"{MANY} ") for r in case.supporters("popularity"))
    return f"{'Popular choice for' if popular else 'Suits'} {said}" if said else ""


def _popularity(reason: Reason, case: Case) -> str:
    facts = [str(r.subject) for r in case.explanation.reasons if r.kind == "popularity"]
    stars = next((f for f in facts if f.endswith("stars on average")), None)
    votes = next((f for f in facts if f[0].isdigit() and " ratings" in f), None)
    if stars and votes:
        said = f"{stars}, {votes.removesuffix(AMONG_MOST)}"
        if float(stars.split()[0]) >= HIGH_MARKS:
            return f"Rated highly: {said}"
        if f"{MANY} recent ratings" in facts:
            return f"Popular when the data end: {said}"
        return f"Among the most rated: {said}" if votes.endswith(AMONG_MOST) else said[:1].upper() + said[1:]
    if reason.subject == "average stars" and reason.weight >= HIGH_MARKS:
        return "Others give it high marks"
    return ""


_SENTENCES = {
    "film": _film,
    "genre": _genre,
    "person": _person,
    "crowd": _crowd,
    "sequence": _sequence,
    "context": _context,
    "popularity": _popularity,
    "setting": lambda reason, case: f"You asked for {reason.subject}",
}


def falls(drops: tuple[Drop, ...], catalog: Catalog) -> str:
    """ "Without Alien it would be number 85 instead of 62"; "" where no film was named."""
    if not drops:
        return ""
    each = [f"without {catalog.titles[d.film]} it would be number {d.after:,}" for d in drops]
    return f"Number {drops[0].before:,} by this model; {listed(each)}"


def smallest(found: Smallest, catalog: Catalog) -> str:
    """What holds a film among the first ten."""
    if not found.films:
        if found.hurried:
            return "In the time allowed, no set of your films was found without which it leaves the first ten."
        return f"No set of your films that was tried takes it out of the first ten; without any of them it would be number {found.after:,}."
    films = several(found.films, catalog)
    if len(found.films) == 1:
        return f"Without {films} it would be number {found.after} instead of {found.before}. No smaller set can be."
    how = "No smaller set does that; all were tried." if found.minimal else "A smaller set may exist; not all were tried."
    return f"Without {films} together it would be number {found.after} instead of {found.before}. {how}"


def held(h: Held, catalog: Catalog) -> list[str]:
    """Where a film of the first row stands, and which of the viewer's films hold it among the first ten."""
    lines = [f"It is number {h.place} of your first row."]
    if not h.films:
        return [*lines, "No set of your films that was tried takes it out of the first ten."]
    where = f"number {h.after:,} by score" if h.after else "not among the films the row is chosen from"
    smaller = "No smaller set can be." if len(h.films) == 1 else "A smaller set may exist."
    return [*lines, f"Without {several(h.films, catalog)} it would leave the first ten: {where}. {smaller}"]


def several(films: Collection[int], catalog: Catalog) -> str:
    """Titles as a list, the first three of more than five."""
    films = list(films)
    return films_listed(films, catalog) if len(films) <= 5 else f"{len(films)} of your films, {films_listed(films[:3], catalog)} among them,"


def why_not(w: WhyNot, catalog: Catalog) -> list[str]:
    """What keeps a film out, where it stands, what it lacks, what would lift it: one sentence each."""
    title = catalog.titles[w.item]
    lines = [f"{title} is not in your first row: {why}." for why in w.kept_out]
    if w.model == "popularity":
        lines.append("That row is what is popular, hardly personal yet.")
    if w.rank is not None and w.rank <= w.k:
        lines.append(f"By score it is number {w.rank} of the {w.among:,} films the row is chosen from; others went before it for variety.")
    elif w.rank is not None and w.rival is not None:
        lines.append(f"{title} is number {w.rank:,} by score, of the {w.among:,} films the row is chosen from.")
        lines.append(f"{catalog.titles[w.rival]}, in place {w.k}, has {w.gap:.2g} points more.")
    behind = [(name, gap) for name, gap in w.parts if gap > 0]
    if len(w.parts) > 1 and behind and w.rank is not None:
        most, gap = behind[0]
        marked = " (simulated)" if {"time": "time_of_day"}.get(most, most) in w.simulated else ""
        lines.append(f"Most of all “{PART_NAMES[most]}”{marked} holds it back, by {gap:.2g} points.")
    return lines + [change(c, catalog, w.simulated) for c in w.changes]


def change(c: Change, catalog: Catalog, simulated: Collection[str] = ()) -> str:
    """One thing that would lift a film, with the place in the first row, or else the rank by score, that it would have."""
    then = f"it would be number {c.place} of your first row." if c.place else f"it would be number {c.rank:,} by score."
    if c.context is not None:
        marked = " (simulated)" if "device" in simulated and c.context.device else ""
        return f"For {moment(c.context)}{marked} {then}"
    film = catalog.titles[c.film] if c.film is not None else ""
    return f"If you gave {film} five stars, {then}" if c.what == "rate" else f"Without {film}, {then}"


def subject(reason: Reason, catalog: Catalog) -> str:
    """What a reason is called in a chart or a list."""
    if isinstance(reason.subject, int):
        return catalog.titles[reason.subject]
    if reason.kind == "context":
        return f"{TIME_NAMES.get(reason.subject) or DEVICE_NAMES.get(reason.subject)}"
    return reason.subject
