"""Reasons into sentences: the only place where prose is made, and it says no more than the numbers carry."""

from __future__ import annotations

from recommender.catalog import Catalog
from recommender.models.popularity import AMONG_MOST, MANY
from recommender.types import KINDS, Context, Explanation, Profile, Reason

BASIS = 0.15  # share of the score from which on films are called its basis
HIGH_MARKS = 3.9  # average stars
LIKED = 4.0  # stars from which on a film counts as liked in a sentence

DEVICE_NAMES = {"mobile": "your phone", "tablet": "your tablet", "desktop": "your computer", "tv": "TV"}
TIME_NAMES = {"morning": "the morning", "afternoon": "the afternoon", "evening": "the evening", "night": "the night"}
PART_NAMES = {
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
    "popularity": "Popularity",
    "time": "Time of day",
    "device": "Device",
}


def listed(names: list[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def moment(context: Context) -> str:
    """The context as a person says it: "the evening on TV", "the evening", "TV", or "" where nothing is known."""
    time, device = TIME_NAMES.get(context.time_of_day or ""), DEVICE_NAMES.get(context.device or "")
    return f"{time} on {device}" if time and device else time or device or ""


def supporters(explanation: Explanation, *kinds: str) -> list[Reason]:
    """Reasons that raise the film, heaviest first, of these kinds (or of any)."""
    return [r for r in explanation.reasons if r.weight > 0 and (not kinds or r.kind in kinds)]


def say(item: int, explanation: Explanation, score: float, profile: Profile, context: Context, catalog: Catalog, lead: tuple[str, ...] = ()) -> str:
    """One sentence for one film.

    The heaviest supporting reason speaks, one of the kinds in `lead` first if any of them supports the film at all;
    the context, which says nothing of the viewer, speaks last where it is not asked to lead.
    """
    if item in profile.items:
        return f"You gave it {float(profile.ratings[profile.items == item][0]):g} stars"
    personal = tuple(kind for kind in KINDS if kind != "context")
    for kinds in (*((kind,) for kind in lead), personal, ()):
        for reason in supporters(explanation, *kinds):
            sentence = _SENTENCES[reason.kind](reason, explanation, score, profile, context, catalog)
            if sentence:
                return sentence
    return "Fits what you watched as a whole; no single reason stands out" if len(profile) else "Chosen without knowing you yet"


def _film(reason: Reason, explanation: Explanation, score: float, profile: Profile, context: Context, catalog: Catalog) -> str:
    stars = dict(zip(profile.items.tolist(), profile.ratings.tolist()))
    supporting = [r for r in supporters(explanation, "film") if isinstance(r.subject, int)]
    liked = [catalog.titles[int(r.subject)] for r in supporting if stars[int(r.subject)] >= LIKED and r.weight >= supporting[0].weight / 2]
    if liked:
        return f"Because you liked {listed(liked[:2])}"
    return f"Because you watched {catalog.titles[int(supporting[0].subject)]}" if supporting else ""


def _genre(reason: Reason, explanation: Explanation, score: float, profile: Profile, context: Context, catalog: Catalog) -> str:
    genres = [str(r.subject) for r in supporters(explanation, "genre") if r.weight >= reason.weight / 3]
    asked = [name for name in genres if name in profile.genres]
    if asked and not len(profile):
        return f"You asked for {listed(asked[:2])}"
    preferred = [name for name in genres if _preferred(name, profile, catalog)]
    if preferred:
        return f"Matches your preference for {listed(preferred[:2])} films"
    return f"{listed(genres[:2])}, like a film you liked" if genres else ""


def _person(reason: Reason, explanation: Explanation, score: float, profile: Profile, context: Context, catalog: Catalog) -> str:
    people = [str(r.subject) for r in supporters(explanation, "person") if r.weight >= reason.weight / 2]
    return f"Matches your preference for films with {listed(people[:2])}"


def _crowd(reason: Reason, explanation: Explanation, score: float, profile: Profile, context: Context, catalog: Catalog) -> str:
    if "viewers who favour" in str(reason.subject):
        share = sum(r.weight for r in explanation.reasons if r.kind == "crowd")
        if share == score or abs(share - score) < 1e-6:  # the communities alone made the score, so it is a share of people
            return f"People with similar tastes enjoyed this: {share:.0%} of all of them gave it four stars or more"
        return f"People with similar tastes enjoyed this, above all {reason.subject}"
    return f"People with similar tastes watched this: {reason.subject}"


def _sequence(reason: Reason, explanation: Explanation, score: float, profile: Profile, context: Context, catalog: Catalog) -> str:
    """The latest films are named as the basis only where they carry a good part of the score."""
    films = [r for r in supporters(explanation, "sequence") if isinstance(r.subject, int)]
    if not films:
        return ""
    titles = [catalog.titles[int(r.subject)] for r in films if r.weight >= films[0].weight / 2][:2]
    if sum(r.weight for r in films[:2]) >= BASIS * score > 0:
        return f"Based on your recent viewing of {listed(titles)}{_also(reason, explanation, profile, catalog)}"
    return f"Fits your viewing as a whole, most of all {listed(titles)}{_also(reason, explanation, profile, catalog)}"


def _also(reason: Reason, explanation: Explanation, profile: Profile, catalog: Catalog) -> str:
    shared = [str(r.subject) for r in supporters(explanation, "genre") if _preferred(str(r.subject), profile, catalog)]
    return f"; matches your preference for {listed(shared[:2])} films" if shared else ""


def _preferred(genre: str, profile: Profile, catalog: Catalog) -> bool:
    """A genre counts as preferred from two liked films on, or where it was asked for."""
    liked = profile.items[profile.ratings >= LIKED]
    return genre in profile.genres or int(catalog.genres[liked, catalog.genre(genre)].sum()) >= 2


def _context(reason: Reason, explanation: Explanation, score: float, profile: Profile, context: Context, catalog: Catalog) -> str:
    raising = {str(r.subject) for r in supporters(explanation, "context")}
    time, device = (part if part in raising else None for part in (context.time_of_day, context.device))
    said = moment(Context(time, device))
    popular = any(" ratings" in str(r.subject) for r in supporters(explanation, "popularity"))
    return f"{'Popular choice for' if popular else 'Suits'} {said}" if said else ""


def _popularity(reason: Reason, explanation: Explanation, score: float, profile: Profile, context: Context, catalog: Catalog) -> str:
    facts = [str(r.subject) for r in explanation.reasons if r.kind == "popularity"]
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
        return f"Others give it high marks: {reason.weight:.1f} stars on average"
    return ""


_SENTENCES = {
    "film": _film,
    "genre": _genre,
    "person": _person,
    "crowd": _crowd,
    "sequence": _sequence,
    "context": _context,
    "popularity": _popularity,
}


def subject(reason: Reason, catalog: Catalog) -> str:
    """What a reason is called in a chart or a list."""
    if isinstance(reason.subject, int):
        return catalog.titles[reason.subject]
    if reason.kind == "context":
        return f"{TIME_NAMES.get(reason.subject) or DEVICE_NAMES.get(reason.subject)}"
    return reason.subject
