"""What changed in the first row, in words: no more than was found by scoring again or by counting places."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor

from recommender.catalog import Catalog
from recommender.serve.carousels import CANDIDATES
from recommender.serve.changes import Changed, Deed, Gate, Move, Why
from recommender.serve.phrases import listed, moment
from recommender.types import Way

EXAMPLES = 3  # films a sentence names
WAYS: dict[Way, str] = {
    "popular": "what is popular comes first",
    "balanced": "all films are ranked by a blend of three models",
    "collaborative": "only films that people with your history watched are ranked",
}
OPENED: dict[Gate, str] = {
    "seen": "seen films may be shown, or {they} no longer {count} as seen",
    "hidden": "you no longer hide {them}",
    "limit": "the limit is milder now",
    "filters": "{they} {fit} what you ask for now",
    "listed": "{they} {are} not on your watch-list, or such films may be shown now",
    "chance": "{their} match rose to {least} or more, and from there on films are offered",
    "candidates": "{they} {are} now among the {candidates} films that your history leads to most",
}
SHUT: dict[Gate, str] = {
    "seen": "you have seen {them}",
    "hidden": "you hid {them}",
    "limit": "{they} {are} over the limit",
    "filters": "{they} {do} not fit what you ask for now",
    "listed": "{they} {are} on your watch-list",
    "chance": "{their} match fell under {least}, and so low films are not offered",
    "candidates": "{they} {are} no longer among the {candidates} films that your history leads to most",
}
ONE = {"they": "it", "them": "it", "their": "its", "are": "is", "do": "does", "fit": "fits", "count": "counts"}


def sentences(found: Changed, catalog: Catalog, said: Mapping[int, str] | None = None) -> list[str]:
    """How many films moved, then one sentence for each reason with its first films.

    `said` has, by item number, what the viewer did to a film where it was no rating: "you loved Alien".
    """
    if found.unchanged:
        return [f"None of the first {found.k} films of your first row moved."]
    parts = _parts(found.moves)
    head = f"{_films(len(found.moves))} of your first row moved: {listed(parts)}."
    return [head, *(_group(of, found, catalog, said or {}) for of in found.groups)]


def line(move: Move, found: Changed, catalog: Catalog, said: Mapping[int, str] | None = None) -> str:
    """One film: where it stands, where it stood, and why, with the figures behind it."""
    because = _because(move.why, 1, found, catalog, said or {})
    return f"{catalog.titles[move.item]} {_where(move)}: {because}{_figures(move.why)}."


def _figures(why: Why) -> str:
    if why.ranks is not None:
        return f"; without that it would be number {why.ranks[0]:,} by score" + (f" instead of {why.ranks[1]:,}" if why.ranks[1] else "")
    if why.gate == "chance":
        return f"; it was {_percent(why.chance[0])} and is {_percent(why.chance[1])}"
    return f" ({_films(why.others)})" if why.others > 1 else ""


def _group(of: tuple[Move, ...], found: Changed, catalog: Catalog, said: Mapping[int, str]) -> str:
    some = [f"“{catalog.titles[m.item]}” {_where(m)}" for m in of[:EXAMPLES]]
    because = _because(of[0].why, len(of), found, catalog, said)
    return f"{_films(len(of))} moved because {because}: {', '.join(some)}{' and others' if len(of) > EXAMPLES else ''}."


def _parts(moves: tuple[Move, ...]) -> list[str]:
    counts = {how: sum(_how(m) == how for m in moves) for how in ("came in", "went up", "went down", "left")}
    return [f"{n} {how}" for how, n in counts.items() if n]


def _how(move: Move) -> str:
    was, now = move.places
    if was is None or now is None:
        return "left" if now is None else "came in"
    return "went up" if now < was else "went down"


def _percent(chance: float | None) -> str:
    return "unknown" if chance is None else f"{floor(100 * chance)}%"  # down, so that what is under a limit reads so


def _where(move: Move) -> str:
    was, now = move.places
    if was is None or now is None:
        return f"left place {was}" if now is None else f"came in at {now}"
    return f"went {'up' if now < was else 'down'} from {was} to {now}"


def _films(n: int) -> str:
    return f"{n} film{'' if n == 1 else 's'}"


def _because(why: Why, n: int, found: Changed, catalog: Catalog, said: Mapping[int, str]) -> str:
    """A clause that follows "because", of n films."""
    if why.gate is not None:
        words = {many: ONE[many] if n == 1 else many for many in ONE}
        return (OPENED if why.kind == "opened" else SHUT)[why.gate].format(**words, least=f"{found.least_match:.0%}", candidates=CANDIDATES)
    if why.kind == "rating":
        deed = next(d for d in found.deeds if d.film == why.film)
        return said.get(deed.film) or _deed(deed, catalog.titles[deed.film])
    if why.kind == "freed" and why.film is not None:
        return f"{catalog.titles[why.film]}, which stood above, made room"
    now = moment(found.context)
    return {
        "ratings": f"of what you now say of {len(found.deeds)} films, all together",
        "context": f"the row is now made for {now}" if now else "the row is now made for no moment in particular",
        "settings": "of what you set by hand",
        "way": f"the row is now made another way: {WAYS[found.way]}",
        "freed": "films made room that stood above and may no longer be shown",
        "overtook": "films that stood above now stand below",
        "passed": "other films now stand above",
        "variety": "the row is mixed another way, so that it is varied",
    }[why.kind]


def _deed(deed: Deed, title: str) -> str:
    if deed.stars is None:
        return f"{title} no longer counts"
    if deed.old is None:
        return f"you gave {title} {_stars(deed.stars)}"
    return f"you gave {title} {_stars(deed.stars)} instead of {deed.old:g}" if deed.stars != deed.old else f"of what you now say of {title}"


def _stars(stars: float) -> str:
    return f"{stars:g} star{'' if stars == 1 else 's'}"
