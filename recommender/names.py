"""Finding a name by what people type: letters swapped, forgotten or unfinished, accents and punctuation left out."""

from __future__ import annotations

import difflib
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

ARTICLES = frozenset(("the", "a", "an", "la", "le", "les", "l", "il", "el", "los", "las", "der", "die", "das"))
_SMALL = ARTICLES | {"of", "and", "in", "on", "to", "for", "de", "du", "et", "und", "y"}  # say little about which name is meant
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_DROPPED = re.compile(r"['’`*.]")  # inside words: M*A*S*H, Schindler's, L.A.
_OTHER = re.compile(r"[\W_]+")
_MOST_WORDS = 8


def plain(text: str) -> str:
    """Small letters and digits, single spaces, no accents: "Amélie II" -> "amelie 2", "M*A*S*H" -> "mash"."""
    letters = unicodedata.normalize("NFKD", text[:300].casefold().replace("&", " and "))
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    words = _OTHER.sub(" ", _DROPPED.sub("", letters)).split()
    return " ".join(_ROMAN.get(word, word) for word in words)


def without_article(name: str) -> str:
    """A plain name without its first word where that is an article and not all there is."""
    first, _, rest = name.partition(" ")
    return rest if rest and first in ARTICLES else name


class Names:
    """Names prepared for being searched; `extra` are words that help to find a name but are no part of it, such as a year."""

    def __init__(self, names: Sequence[str], extra: Sequence[str] = ()) -> None:
        self.plain = [plain(name) for name in names]
        bare = [without_article(name) for name in self.plain]
        self._joined = [name.replace(" ", "") for name in bare]
        self._lengths = np.array([max(len(name), 1) for name in self._joined])
        parts = []
        for n, name in enumerate(self.plain):
            words = bare[n].split()
            pair = ["".join(words[:2])] if len(words) > 1 else []  # "starwars"
            parts.append([*name.split(), *pair, *(extra[n].split() if extra else ())] or [""])
        self._words = sorted({word for words in parts for word in words})
        number = {word: w for w, word in enumerate(self._words)}
        self._flat = np.array([number[word] for words in parts for word in words], np.int64)  # words of all names, one after the other
        self._starts = np.cumsum([0, *(len(words) for words in parts[:-1])])

    def likeness(self, typed: str) -> np.ndarray:  # (N,)
        """0 to 100 for each name: as a whole (up to 95), or word by word, whichever fits better; 101 for exactly this name.

        Word by word: the mean over typed words (by length; small words count a third) of the nearest word in the name, where the
        last word may be unfinished; times 1 for a name of the same length, down to 0.85 for a much longer one, or 0.88 if it begins so.
        Distances are optimal string alignment (Damerau-Levenshtein without overlaps), as swapped letters are the commonest error.
        """
        wanted = plain(typed)
        words = wanted.split()[:_MOST_WORDS]
        if not words or not self.plain:
            return np.zeros(len(self.plain))
        joined = without_article(wanted).replace(" ", "")
        whole = process.cdist([joined], self._joined, scorer=fuzz.ratio, score_cutoff=50, dtype=np.float32)[0]
        near = process.cdist(words, self._words, scorer=OSA.normalized_similarity, score_cutoff=0.6, dtype=np.float32)  # (words, vocabulary)
        last = words[-1]
        begun = slice(bisect_left(self._words, last), bisect_left(self._words, last + "\uffff"))
        near[-1, begun] = np.maximum(near[-1, begun], 0.9 if len(last) > 1 else 0.5)
        best = np.maximum.reduceat(near[:, self._flat], self._starts, axis=1)  # (words, N)
        weights = np.array([len(word) * (1 / 3 if word in _SMALL else 1) for word in words])
        by_word = 100 * (weights / weights.sum()) @ best * (0.85 + 0.15 * np.minimum(len(joined) / self._lengths, 1))
        by_word[[n for n, name in enumerate(self._joined) if name.startswith(joined)]] += 3
        result = np.minimum(np.maximum(0.95 * whole, by_word), 100)
        result[[n for n in np.flatnonzero(result >= 95) if self.plain[n] == wanted]] = 101
        return result


def nearest(name: str, known: list[str]) -> str:
    """The end of an error message about an unknown name: those it may have meant, else all there are."""
    if not known:
        return "; there is none"
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else f"; wanted one of {', '.join(known)}"
