"""Titles as MovieLens writes them -> titles as people say them."""

from __future__ import annotations

import html
import re

# Articles that MovieLens moves behind a comma. (", I" is Italian: "Bambini ci guardano, I".)
_ARTICLES = "the a an la le les l' il lo gli i el los las der die das den det de het een un una une uno ein eine en ett o os as"
ARTICLES = frozenset(_ARTICLES.split())
_YEAR = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*\d{0,4})?\)\s*(?:\((?:V|TV)\))?\s*$")
_BRACKETS = re.compile(r"\s*\(([^()]*)\)\s*$")
_KNOWN_AS = re.compile(r"^a\.?k\.?a\.?\s+", re.IGNORECASE)


def parse(raw: str) -> tuple[str, int, tuple[str, ...]]:
    """(title, year or 0, other titles): "Postino, Il (The Postman) (1994)" -> ("Il Postino", 1994, ("The Postman",)).

    The last brackets hold the year; brackets before it hold what the film is called elsewhere, and are no part of the title.
    """
    text = html.unescape(raw).strip()
    year = 0
    if found := _YEAR.search(text):
        year, text = int(found[1]), text[: found.start()].strip()
    others: list[str] = []
    while (found := _BRACKETS.search(text)) and found.start() > 0 and not text[: found.start()].lower().endswith(" or"):
        parts = re.split(r",\s*a\.?k\.?a\.?\s+", found[1]) if _KNOWN_AS.match(found[1]) else [found[1]]
        others = [_front(_KNOWN_AS.sub("", part).strip()) for part in parts] + others
        text = text[: found.start()].strip()
    title = _front(text)
    return title, year, tuple(dict.fromkeys(o for o in others if o and o != title))


def _front(text: str) -> str:
    """ "Haine, La" -> "La Haine"; "Assedio, L'" -> "L'Assedio"."""
    head, comma, last = text.rpartition(", ")
    if not comma or last.lower() not in ARTICLES:
        return re.sub(r"^L' ", "L'", text)
    return f"{last}{head}" if last.endswith("'") else f"{last} {head}"
