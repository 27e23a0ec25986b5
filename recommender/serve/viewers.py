"""The demo viewers of data/viewers.json: people made up by us, with the taste their ratings show.

An avatar is one of SHAPES and a hue; the screen draws it, nothing is fetched.
"""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recommender.catalog import Catalog
from recommender.load import DataError
from recommender.types import CERTIFICATES, NO_PREFERENCES, Preferences, Profile

# What the screen draws: faces seen from the front, filled with the avatar's hue, features in a dark shade of it.
SHAPES = {
    "bear": "round head, two small round ears, a pale muzzle",
    "cat": "round head, two upright triangular ears, whiskers",
    "fox": "triangular head pointing down, large triangular ears, pale cheeks",
    "frog": "wide flat head, two eyes on top of it, a broad mouth",
    "ghost": "dome with a wavy lower edge, two oval eyes, an open mouth",
    "koala": "round head, two large round ears at the sides, a tall oval nose",
    "lion": "round head inside a ring of mane, two small round ears",
    "owl": "round head with two ear tufts, two very large ringed eyes, a beak",
    "panda": "pale round head, dark round ears and dark patches around the eyes",
    "penguin": "dark head with a pale heart-shaped face, a small beak",
    "rabbit": "round head, two long upright ears, two front teeth",
    "robot": "square head, an antenna, two square eyes, a grille for a mouth",
}
_FIELDS = {"id", "name", "line", "avatar", "certificate", "genres", "ratings"}


class NoViewer(KeyError):
    """There is no viewer of this id, or not any more."""


@dataclass(frozen=True, eq=False)
class Viewer:
    """Somebody to look at the films as."""

    id: str
    name: str
    line: str  # who they are, in one sentence
    avatar: dict[str, Any]  # shape: one of SHAPES; hue: degrees on the colour wheel, 0 to 359
    profile: Profile
    certificate: str | None  # nothing stricter is shown; None for no limit
    hidden: frozenset[int] = frozenset()  # item numbers: never shown
    listed: tuple[int, ...] = ()  # on the watch-list, oldest first
    unused: frozenset[int] = frozenset()  # rated, and no model is told of it
    preferences: Preferences = NO_PREFERENCES


def load_viewers(path: Path, catalog: Catalog) -> dict[str, Viewer]:
    """Viewer id -> viewer, in the order of the file. Raises DataError naming the viewer, the value and what is wanted."""
    try:
        people = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} is not there, wanted the file of demo viewers") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name}: {error}, wanted JSON in UTF-8") from None
    if not isinstance(people, list) or not all(isinstance(p, dict) for p in people) or not people:
        raise DataError(f"{path.name} holds no list of viewers, wanted [{{…}}, …]")
    viewers: dict[str, Viewer] = {}
    names: set[str] = set()
    for number, person in enumerate(people, 1):
        where = f"{path.name} viewer {person.get('id', number)!r}"
        viewer = _viewer(where, person, catalog)
        if viewer.id in viewers or _plain(viewer.name) in names:
            raise DataError(f"{where}: id or name {viewer.name!r} stands twice, wanted each once")
        names.add(_plain(viewer.name))
        viewers[viewer.id] = viewer
    return viewers


def _viewer(where: str, person: dict[str, Any], catalog: Catalog) -> Viewer:
    if set(person) != _FIELDS:
        odd = ", ".join(sorted(set(person) ^ _FIELDS))
        raise DataError(f"{where}: fields differ by {odd}, wanted {', '.join(sorted(_FIELDS))}")
    for name in ("id", "name", "line"):
        if not isinstance(person[name], str) or not person[name].strip() or "\n" in person[name]:
            raise DataError(f"{where}: {name} is {person[name]!r}, wanted a line of text")
    if not (person["id"].isascii() and person["id"].replace("-", "").isalnum() and person["id"] == person["id"].lower()):
        raise DataError(f"{where}: id is {person['id']!r}, wanted small letters, digits and hyphens")
    limit = person["certificate"]
    if limit is not None and limit not in CERTIFICATES:
        raise DataError(f"{where}: certificate is {limit!r}, wanted one of {', '.join(CERTIFICATES)}, or null")
    return Viewer(person["id"], person["name"], person["line"], _avatar(where, person["avatar"]), _profile(where, person, catalog), limit)


def _avatar(where: str, avatar: Any) -> dict[str, Any]:
    if not isinstance(avatar, dict) or set(avatar) != {"shape", "hue"}:
        raise DataError(f"{where}: avatar is {avatar!r}, wanted a shape and a hue")
    if avatar["shape"] not in SHAPES:
        raise DataError(f"{where}: shape is {avatar['shape']!r}, wanted one of {', '.join(SHAPES)}")
    if type(avatar["hue"]) is not int or not 0 <= avatar["hue"] < 360:
        raise DataError(f"{where}: hue is {avatar['hue']!r}, wanted 0 to 359 degrees")
    return dict(avatar)


def _profile(where: str, person: dict[str, Any], catalog: Catalog) -> Profile:
    """Times stay 0, unknown: only the order was written down."""
    genres, ratings = person["genres"], person["ratings"]
    for value in genres if isinstance(genres, list) else [genres]:
        if value not in catalog.genre_names:
            raise DataError(f"{where}: genre is {value!r}, wanted one of {', '.join(catalog.genre_names)}")
    if not isinstance(ratings, list):
        raise DataError(f"{where}: ratings is {ratings!r}, wanted [[film id, stars], …]")
    allowed = catalog.allowed(person["certificate"])
    items: list[int] = []
    for pair in ratings:
        if not (isinstance(pair, list) and len(pair) == 2 and type(pair[0]) is int and type(pair[1]) in (int, float)):
            raise DataError(f"{where}: rating is {pair!r}, wanted [film id, stars]")
        film, stars = pair
        try:
            item = catalog.index(film)
        except KeyError:
            raise DataError(f"{where}: film id is {film}, wanted one of the catalogue") from None
        if not 0.5 <= stars <= 5 or stars * 2 % 1:
            raise DataError(f"{where}: film {film} has {stars!r} stars, wanted 0.5 to 5 in steps of 0.5")
        if item in items:
            raise DataError(f"{where}: film {film} ({catalog.titles[item]}) stands twice, wanted each film once")
        if not allowed[item]:
            has = catalog.certificates[item] or "no certificate"
            raise DataError(f"{where}: film {film} ({catalog.titles[item]}) has {has}, wanted at most {person['certificate']}")
        items.append(item)
    return Profile(np.array(items, np.int64), np.array([s for _, s in ratings]), np.zeros(len(items)), tuple(genres))


def viewer_named(viewers: Mapping[str, Viewer], name: str) -> Viewer:
    """The viewer with this id, else the one of this name, capitals and accents aside.

    A KeyError names the nearest where there is none, a ValueError the ids where several have the name.
    """
    if name in viewers:
        return viewers[name]
    known = {_plain(key): viewer for viewer in viewers.values() for key in (viewer.name, viewer.id)}
    meant = [viewer for viewer in viewers.values() if _plain(name) in (_plain(viewer.name), _plain(viewer.id))]
    if len(meant) > 1:
        raise ValueError(f"viewer {name!r} is the name of {len(meant)} viewers, wanted one of their ids: {', '.join(v.id for v in meant)}")
    if meant:
        return meant[0]
    near = [known[n].name for n in difflib.get_close_matches(_plain(name), known, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else f"wanted one of {', '.join(v.name for v in viewers.values())}"
    raise KeyError(f"viewer {name!r} is unknown; {hint}")


def _plain(name: str) -> str:
    """Small letters without accents: "Inês" -> "ines"."""
    letters = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(c for c in letters if not unicodedata.combining(c))
