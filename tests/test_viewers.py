"""The demo viewers: the committed file keeps its promises, and a broken one is refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.catalog import Catalog
from recommender.load import DataError, read_films
from recommender.serve.viewers import SHAPES, load_viewers, viewer_named
from recommender.settings import settings


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_films(settings().films)


@pytest.fixture(scope="module")
def viewers(catalog: Catalog) -> dict:
    return load_viewers(settings().viewers, catalog)


def test_twelve_people(viewers: dict) -> None:
    sizes = [len(v.profile) for v in viewers.values()]
    assert len(viewers) == 12
    assert sizes.count(0) == 2
    assert sum(3 <= n <= 9 for n in sizes) == 3
    assert sum(15 <= n <= 60 for n in sizes) == 7
    new = [v for v in viewers.values() if not len(v.profile)]
    assert sorted(bool(v.profile.genres) for v in new) == [False, True]
    assert {v.avatar["shape"] for v in viewers.values()} == set(SHAPES)  # no two alike
    for viewer in viewers.values():
        if len(viewer.profile):
            assert viewer.profile.ratings[-1] >= 3, f"{viewer.name}: the last film, which rows are named after, is one they liked"


def test_the_child_saw_nothing_beyond_the_limit(viewers: dict, catalog: Catalog) -> None:
    limited = [v for v in viewers.values() if v.certificate]
    assert [v.certificate for v in limited] == ["PG"]
    assert {catalog.certificates[i] for i in limited[0].profile.items} == {"G", "PG"}


def test_tastes_differ(viewers: dict, catalog: Catalog) -> None:
    liked = [set(v.profile.items[v.profile.ratings >= 4].tolist()) for v in viewers.values() if len(v.profile) >= 15]
    for n, mine in enumerate(liked):
        for other in liked[:n]:
            assert len(mine & other) <= 0.25 * min(len(mine), len(other))


PERSON = {"id": "ann", "name": "Ann", "line": "Test", "avatar": {"shape": "fox", "hue": 1}, "certificate": None, "genres": [], "ratings": [[1, 4.5]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ratings": [[99999, 4]]}, "viewer 'ann': film id is 99999, wanted one of the catalogue"),
        ({"ratings": [[1, 6]]}, "film 1 has 6 stars, wanted 0.5 to 5 in steps of 0.5"),
        ({"ratings": [[1, 4.2]]}, "film 1 has 4.2 stars"),
        ({"ratings": [[1, float("nan")]]}, "film 1 has nan stars"),
        ({"ratings": [[1, 4], [1, 4]]}, "film 1 (Toy Story) stands twice"),
        ({"ratings": [[1]]}, "rating is [1], wanted [film id, stars]"),
        ({"ratings": {"1": 4}}, "wanted [[film id, stars], …]"),
        ({"certificate": "G", "ratings": [[2571, 4]]}, "film 2571 (The Matrix) has R, wanted at most G"),
        ({"certificate": "PG", "ratings": [[913, 4]]}, "film 913 (The Maltese Falcon) has no certificate, wanted at most PG"),
        ({"certificate": "X"}, "certificate is 'X', wanted one of G, PG"),
        ({"genres": ["Comdy"]}, "genre is 'Comdy', wanted one of Action"),
        ({"avatar": {"shape": "dog", "hue": 1}}, "shape is 'dog', wanted one of bear, cat"),
        ({"avatar": {"shape": "fox", "hue": 360}}, "hue is 360, wanted 0 to 359"),
        ({"avatar": "fox"}, "avatar is 'fox', wanted a shape and a hue"),
        ({"name": " "}, "name is ' ', wanted a line of text"),
        ({"id": "Ann B"}, "id is 'Ann B', wanted small letters"),
        ({"age": 7}, "fields differ by age"),
    ],
)
def test_broken_viewers(tmp_path: Path, catalog: Catalog, change: dict, message: str) -> None:
    path = tmp_path / "viewers.json"
    path.write_text(json.dumps([PERSON | change]))
    with pytest.raises(DataError) as raised:
        load_viewers(path, catalog)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("[{]", "wanted JSON in UTF-8"), ("{}", "holds no list of viewers"), (json.dumps([PERSON, PERSON]), "'Ann' stands twice")],
)
def test_broken_file(tmp_path: Path, catalog: Catalog, text: str, message: str) -> None:
    path = tmp_path / "viewers.json"
    with pytest.raises(DataError, match="is not there"):
        load_viewers(path, catalog)
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        load_viewers(path, catalog)


def test_order_and_stars_are_kept(tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "viewers.json"
    path.write_text(json.dumps([PERSON | {"ratings": [[2571, 0.5], [1, 5], [34, 3]]}]))
    profile = load_viewers(path, catalog)["ann"].profile
    assert catalog.ids[profile.items].tolist() == [2571, 1, 34]
    np.testing.assert_array_equal(profile.ratings, np.array([0.5, 5, 3], np.float32))
    assert not profile.times.any()


def test_names_are_forgiven(viewers: dict) -> None:
    for name in ("Inês", "INES", " ines "):
        assert viewer_named(viewers, name).id == "ines"
    assert viewer_named(viewers, "Amára").id == "amara"
    with pytest.raises(KeyError, match="viewer 'Kenny' is unknown; did you mean Kenji"):
        viewer_named(viewers, "Kenny")
    with pytest.raises(KeyError, match="wanted one of Sam, Inês, Jonas"):
        viewer_named(viewers, "qqqqqq")


def test_an_id_wins_and_a_name_that_two_have_is_refused(viewers: dict) -> None:
    """Whoever calls their own viewer Mia does not get her limit out of the way."""
    known = viewers | {"me-1": replace(viewers["sam"], id="me-1", name="MIA"), "me-2": replace(viewers["sam"], id="me-2", name="Zoë")}
    assert viewer_named(known, "mia") is viewers["mia"]
    assert viewer_named(known, "zoe").id == viewer_named(known, "me-2").id == "me-2"
    for name in ("Mia", "MIA", "mía"):
        with pytest.raises(ValueError, match=f"viewer '{name}' is the name of 2 viewers, wanted one of their ids: mia, me-1"):
            viewer_named(known, name)
