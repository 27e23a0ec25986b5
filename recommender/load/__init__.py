"""Data set files -> (Catalog, Interactions). The only room that reads other people's formats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from recommender.catalog import Catalog
from recommender.interactions import Interactions
from recommender.load import localtime, titles
from recommender.load.facts import Metadata, read_metadata
from recommender.load.files import DataError, fault
from recommender.load.films import genre_matrix, read_films, write_films
from recommender.load.formats import Raw, recognise

__all__ = ["DataError", "load", "local_offsets", "ratings", "read_films", "write_films"]


def load(path: Path, metadata: Path | None = None) -> tuple[Catalog, Interactions]:
    """Read a MovieLens folder (1M, 100K or a CSV edition); the catalogue holds every film of its film file, in file order.

    metadata: a folder of film facts (people, certificates, running times, texts) or our films.csv; joined by film id, for 100K by
    title and year. Film ids, titles and genres always stay the edition's own.
    Local parts of day are known where the edition has ZIP codes. Raises DataError naming file, line, value and what is wanted.
    """
    raw = recognise(Path(path))
    interactions = _interactions(raw)
    return _catalog(raw, read_metadata(Path(metadata)) if metadata else Metadata({}, {})), interactions


def ratings(path: Path, catalog: Catalog) -> Interactions:
    """The ratings of a MovieLens folder in the item numbers of a catalogue; those of films that it does not hold are left out."""
    theirs, found = load(path)
    known = {int(id_): n for n, id_ in enumerate(catalog.ids)}
    number = np.array([known.get(int(id_), -1) for id_ in theirs.ids])[found.items]
    kept = found.where(number >= 0)
    return replace(kept, items=number[number >= 0], n_items=len(catalog))


def local_offsets(path: Path, interactions: Interactions) -> np.ndarray:
    """int32 (N,) local minus universal time [seconds] of each row of what load(path) gave; UNKNOWN where no US ZIP code tells the zone."""
    zips = recognise(Path(path)).zips
    return localtime.local_offsets(interactions.users, interactions.times, [zips.get(user, "") for user in interactions.user_ids.tolist()])


def _catalog(raw: Raw, metadata: Metadata) -> Catalog:
    parsed = [titles.parse(t) for t in raw.titles]
    facts = [metadata.of(int(film), title, year, raw.own_numbers) for film, (title, year, _) in zip(raw.film_ids, parsed)]
    links = [raw.links.get(int(film), (0, 0)) for film in raw.film_ids]
    names, has = genre_matrix(raw.genres)
    return Catalog(
        ids=raw.film_ids,
        titles=tuple(title for title, _, _ in parsed),
        years=np.array([year or f.year for (_, year, _), f in zip(parsed, facts)]),
        genres=has,
        genre_names=names,
        directors=tuple(f.directors for f in facts),
        actors=tuple(f.actors for f in facts),
        certificates=tuple(f.certificate for f in facts),
        minutes=np.array([f.minutes for f in facts], float),
        imdb_ids=np.array([imdb or f.imdb for (imdb, _), f in zip(links, facts)]),
        tmdb_ids=np.array([tmdb or f.tmdb for (_, tmdb), f in zip(links, facts)]),
        text=tuple(f.text for f in facts) if any(f.text for f in facts) else (),
        also=tuple(also for _, _, also in parsed),
    )


def _interactions(raw: Raw) -> Interactions:
    """Number users (by id) and films (by place in the film file), check who and what they are, sort."""
    ratings, n_films = raw.ratings, len(raw.film_ids)
    order = np.argsort(raw.film_ids)
    films = ratings["film"].to_numpy()
    place = np.minimum(np.searchsorted(raw.film_ids, films, sorter=order), n_films - 1)
    items = order[place]
    _refuse(raw, raw.film_ids[items] != films, "film id", films, "one of the film file")
    user_ids, users = np.unique(ratings["user"].to_numpy(), return_inverse=True)
    if raw.zips:
        known = np.isin(user_ids, np.fromiter(raw.zips, np.int64, len(raw.zips)))
        _refuse(raw, ~known[users], "user id", ratings["user"].to_numpy(), "one of the user file")
    _refuse_twins(raw, users * n_films + items)
    times = ratings["time"].to_numpy()
    parts = {"times_of_day": localtime.times_of_day(users, times, [raw.zips[u] for u in user_ids.tolist()])} if raw.zips else {}
    stars = ratings["rating"].to_numpy()
    return Interactions.sorted(users, items, stars, times, n_users=len(user_ids), n_items=n_films, user_ids=user_ids, **parts)


def _refuse(raw: Raw, bad: np.ndarray, name: str, values: np.ndarray, wanted: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        raise fault(raw.ratings_file, raw.first_line + row, f"{name} is {values[row]}", wanted)


def _refuse_twins(raw: Raw, pairs: np.ndarray) -> None:
    """pairs (N,) one number for each (user, film); each may stand once."""
    ordered = np.sort(pairs)
    twins = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twins):
        return
    rows = np.flatnonzero(np.isin(pairs, twins))
    _, first = np.unique(pairs[rows], return_index=True)
    row = int(np.setdiff1d(rows, rows[first]).min())
    earlier = int(np.flatnonzero(pairs == pairs[row])[0])
    user, film = (int(raw.ratings[name].iloc[row]) for name in ("user", "film"))
    said = f"user {user} rates film {film} a second time (first in line {raw.first_line + earlier})"
    raise fault(raw.ratings_file, raw.first_line + row, said, "each pair once")
