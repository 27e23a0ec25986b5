"""The film that a person means by a title as they write it. A wrong film is worse than a question: in doubt there are choices and no film."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from recommender.catalog import Catalog
from recommender.load import titles
from recommender.names import plain

CHOICES = 5
TAKEN = 80.0  # likeness (see Names) from which a film is meant by a title that is not quite its own
CLEAR = 10.0  # by so much every other film has to be less like it
NEAR = 70.0  # likeness from which a film is offered as a choice
SHORTEST = 5  # letters and digits of a title that may be mistyped
_YEAR_AT_THE_END = re.compile(r"(\S.*?)[\s,]+((?:19|20)\d\d)")  # "The Matrix 1999"


@dataclass(frozen=True)
class Meant:
    """The film of a title; `exactly` where it is one of the film's titles, else it is so like one that no other can be meant."""

    item: int
    exactly: bool


@dataclass(frozen=True)
class Doubt:
    """No film, and up to CHOICES that may be meant, likeliest first. several: the title means any of them; else it means none that there is."""

    several: bool
    choices: tuple[int, ...]


def meant(words: str, catalog: Catalog, allowed: np.ndarray) -> Meant | Doubt:
    """The film of a title, its article before or behind, its year in brackets, at the end or left out, typing errors forgiven.

    allowed (I,) bool: other films are no choices, and are found only by a title exactly theirs.
    """
    found: list[int] = []
    for form in dict.fromkeys(_forms(words)):
        found = found or catalog.called(form)
    if len(found) == 1:
        return Meant(found[0], True)
    if found:
        return Doubt(True, tuple(i for i in found if allowed[i])[:CHOICES])
    near = [(item, likeness) for item, likeness in catalog.likest(words) if allowed[item] and likeness >= NEAR]
    if not near or near[0][1] < TAKEN or not _may_be(words, near[0][0], catalog):
        return Doubt(False, tuple(item for item, _ in near[:CHOICES]))
    rivals = [item for item, likeness in near if likeness > near[0][1] - CLEAR]
    return Meant(near[0][0], False) if len(rivals) == 1 else Doubt(True, tuple(rivals[:CHOICES]))


def _forms(words: str) -> list[str]:
    """A title as it stands, with its article in front and its year in brackets: "matrix, the", "The Matrix 1999"."""
    title, year, _ = titles.parse(words)
    ends = _YEAR_AT_THE_END.fullmatch(words.strip())
    return [words, f"{title} ({year})" if year else title, *([f"{titles.parse(ends[1])[0]} ({ends[2]})"] if ends else [])]


def _may_be(words: str, item: int, catalog: Catalog) -> bool:
    """Whether a mistyped title may be that of a film: long enough to tell, and with no number, or year, that is not the film's."""
    names = (catalog.titles[item], *catalog.also[item])
    known = {str(catalog.years[item]), *re.findall(r"\d+", " ".join(map(plain, names)))}
    return len(plain(words).replace(" ", "")) >= SHORTEST and set(re.findall(r"\d+", plain(words))) <= known
