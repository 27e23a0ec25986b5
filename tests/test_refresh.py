"""A refresh learns from stored people as the house reads their words, and never lets a worse candidate pass."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import opened
from typer.testing import CliRunner

from recommender import refresh as room
from recommender.__main__ import app
from recommender.catalog import Catalog
from recommender.evaluate.split import split_users
from recommender.interactions import Interactions
from recommender.load import read_films
from recommender.models.neighbours import EASE
from recommender.refresh import RATINGS, Examined, joined, numbered, read_ratings
from recommender.serve import releases
from recommender.serve.events import Event
from recommender.serve.learners import LEAST, learners, mark
from recommender.serve.releases import ReleaseError
from recommender.settings import Settings, settings
from recommender.stats.inference import Difference
from recommender.train import EXAM_SHARE, GATE_SHARE
from recommender.types import Home, Profile, Strategy

LOVED = [1, 2, 3, 5, 6, 7]  # film ids


@cache
def films() -> Catalog:
    return read_films(settings().films)


def planted(users: int = 600, seed: int = 0, mixed: bool = False) -> Interactions:
    """Two groups of viewers with films of their own, 80 each, who watch 25 of them; mixed: everybody watches anything, at the same times."""
    rng, rows = np.random.default_rng(seed), []
    for user in range(users):
        own = np.arange(160) if mixed else 80 * (user % 2) + np.arange(80)
        rows.append(rng.choice(own, 25, replace=False))
    items, who = np.concatenate(rows), np.repeat(np.arange(users), 25)
    times = np.tile(np.arange(25) * 60, users)
    return Interactions.sorted(who, items, np.full(len(items), 4.0), times, n_users=users, n_items=len(films()), user_ids=100 + np.arange(users))


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Planted viewers as the data set, and as what the committed artifacts were fitted on."""
    found = Settings(releases=tmp_path / "releases", database_url=f"sqlite:///{tmp_path / 'f.sqlite'}", raw=tmp_path)  # type: ignore[call-arg]
    data = planted()
    monkeypatch.setattr(room, "ratings", lambda folder, catalog: data)
    monkeypatch.setattr(room.artifacts, "card", lambda name, folder: {"data": {"sha256": data.fingerprint()}})
    return found


def run(house: Settings, data: Interactions, monkeypatch: pytest.MonkeyPatch, dry: bool = False) -> room.Outcome:
    """A refresh of EASE, a part of the hybrid; what is fitted on planted viewers need fill no Home page."""
    first = room._learned(house, releases.current(house), films(), planted(), None)
    monkeypatch.setattr(room, "_learned", lambda *_: first)
    monkeypatch.setattr(room, "ratings", lambda folder, catalog: data)
    monkeypatch.setattr(room, "_faults", lambda *_: ())
    monkeypatch.setattr(room.releases, "verify", lambda *_: None)
    monkeypatch.setattr(room.artifacts, "card", _card)
    return room.refresh(house, Path("data"), ["ease"], dry_run=dry)


_card = room.artifacts.card


# -- whether a candidate passes ----------------------------------------------------------------------------------------


def test_an_equal_candidate_passes_and_is_put_to_work(house: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run(house, planted(), monkeypatch)
    assert not outcome.why
    assert all(row.difference.delta == row.difference.lo == 0 for row in outcome.examined)
    now = releases.current(house)
    assert now.name == outcome.release
    assert now.facts()["parent"] == "committed"
    assert read_ratings(now.folder / RATINGS, len(films())).fingerprint() == planted().fingerprint()


def test_a_worse_candidate_is_kept_back(house: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run(house, planted(mixed=True), monkeypatch)
    assert any("as they were" in line for line in outcome.why), "what the champion learned from finds it, whatever the new data say of themselves"
    assert outcome.release is None
    assert releases.pointed(house) == "committed"
    assert releases.listed(house)[1:] == []
    assert {path.name for path in house.releases.iterdir()} == {".lock"}


def test_data_too_small_to_be_examined_are_an_error_and_change_nothing(house: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="wanted at least"):
        run(house, planted().where(planted().users % 4 == 0), monkeypatch)
    assert {path.name for path in house.releases.iterdir()} == {".lock"}


def test_a_dry_run_changes_nothing(house: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run(house, planted(), monkeypatch, dry=True)
    assert (outcome.why, outcome.release) == ((), None)
    assert {path.name for path in house.releases.iterdir()} == {".lock"}


def test_nobody_is_asked_whom_either_side_was_fitted_on(house: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real examination, with what EASE was fitted on and whom each model was asked about written down; new users, and people, on one side."""
    people = [f"me-{n}" for n in range(60)]
    profiles = {name: Profile(np.arange(n, n + 6), np.full(6, 4.0), np.arange(6)) for n, name in enumerate(people)}
    was, now = numbered(planted(), planted(700, seed=1))
    sides = room.Sides(now, joined(was, {}, people), joined(now, profiles, people), 0, len(people))
    fitted, asked, fit, pair = set[int](), list[tuple[str, str, np.ndarray]](), EASE.fit, room._pair
    monkeypatch.setattr(room.artifacts, "card", _card)
    monkeypatch.setattr(EASE, "fit", lambda self, data, catalog: fitted.update(data.users.tolist()) or fit(self, data, catalog))
    monkeypatch.setattr(room, "_pair", lambda *a: asked.append((a[0], a[1], np.unique(a[4].users))) or pair(*a))
    rows = room._examined(house, films(), house.artifacts, house.artifacts, ["ease"], sides)
    assert [row[:2] for row in rows] == [(name, f"as they {when}") for when in ("are now", "were") for name in ("ease", "hybrid")]
    gate = {user for data in (sides.old, sides.new) for user in split_users(data, GATE_SHARE, EXAM_SHARE, room.SEED).gate.users.tolist()}
    for name, viewers, users in asked:
        assert not fitted & set(users.tolist()), (name, viewers)
        assert (users >= now.n_users).any() == (viewers == "as they are now"), "people are asked, too, where the candidate learned from people"
        assert name != "hybrid" or not gate & set(users.tolist())
    assert len(fitted) > 500


@pytest.mark.parametrize(("lo", "passes"), [(0.001, True), (-0.0049, True), (-0.005, False), (-0.2, False)])
def test_the_lower_end_of_the_interval_decides(lo: float, passes: bool) -> None:
    row = Examined("ease", "as they are now", 0.1, 0.1, Difference(0.05, lo, 0.1, 0.5, 100))
    assert room._passed(row, 0.005) == passes


def test_too_few_viewers_are_no_examination() -> None:
    class Any:
        def score(self, queries):
            return np.zeros((len(queries), len(films())))

    few = planted().where(planted().users < room.ASKED - 1)
    with pytest.raises(ReleaseError, match="only 49 viewers"):
        room._pair("any", "as they are now", Any(), Any(), few)


def test_a_candidate_that_scores_no_number_or_leaves_a_home_page_empty_is_named(house: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.artifacts, "card", _card)
    assert room._faults(house, house.artifacts) == ()
    really = room.Service.open

    def broken(*args):
        service = really(*args)
        service.models["ease"].score = lambda queries: np.full((len(queries), len(films())), np.nan)
        return service

    with monkeypatch.context() as patch:
        patch.setattr(room.Service, "open", broken)
        assert room._faults(house, house.artifacts) == tuple(f"{name} scores some films with no number" for name in ("ease", "hybrid"))
    monkeypatch.setattr(room.Service, "home", lambda *_: Home(Strategy("popular", "", {}), (), {}))
    assert "the Home page of" in room._faults(house, house.artifacts)[0]


def test_the_order_of_training_is_that_of_what_stands_on_what() -> None:
    assert room._ordered(["hybrid", "als", "ease"]) == ["ease", "als", "hybrid", "atlas"]
    with pytest.raises(KeyError, match="user_knn"):
        room._ordered(["user_knn"])


# -- what is learned from ----------------------------------------------------------------------------------------------


def test_users_keep_their_number_and_new_ones_come_behind() -> None:
    """Ids 7, 3 | 3, 9: numbers 0, 1 | 1, 2."""
    make = lambda ids, n: Interactions.sorted(
        np.arange(2), np.array([n, n]), np.array([4.0, 5.0]), np.array([0, 0]), n_users=2, n_items=5, user_ids=np.array(ids)
    )
    old, new = numbered(make([7, 3], 1), make([3, 9], 2))
    assert old.user_ids.tolist() == new.user_ids.tolist() == [7, 3, 9]
    assert old.users.tolist() == [0, 1]
    assert new.users.tolist() == [1, 2]
    assert new.ratings.tolist() == [4.0, 5.0]


def test_people_stand_behind_the_users_each_in_their_place_on_both_sides() -> None:
    data = planted(users=4)
    profile = Profile(np.array([5, 6]), np.array([4.0, 2.0]), np.array([9, 10]))
    both = joined(data, {"b": profile}, ["a", "b"])
    assert both.n_users == 6
    assert len(both) == len(data) + 2
    assert both.lengths.tolist()[4:] == [0, 2]
    assert both.profile(5).ratings.tolist() == [4.0, 2.0]
    assert both.user_ids.tolist()[4:] == [-1, -2]
    assert joined(data, {}, []).fingerprint() == data.fingerprint()


def test_words_become_stars_and_what_is_kept_from_the_models_is_kept(address: str) -> None:
    with opened(address) as store:
        said = [Event("me-a", "love", film=1), Event("me-a", "dislike", film=2), Event("me-a", "rating", film=3, stars=2.5)]
        said += [Event("me-a", "watched", film=film) for film in LOVED[3:]] + [Event("me-a", "like", film=9), Event("me-a", "unuse", film=9)]
        store.add(said)
        found = learners(store, films(), settings(), {}, mark(store))["me-a"]
    stars = dict(zip(films().ids[found.items].tolist(), found.ratings.tolist()))
    assert stars == {1: 5.0, 2: 1.5, 3: 2.5, 5: 3.5, 6: 3.5, 7: 3.5}


def test_who_counts_as_a_person(address: str) -> None:
    """Not a demo viewer, not a MovieLens user somebody plays, not who said too little, not who was simulated; up to the mark only."""
    with opened(address) as store:
        for name in ("me-a", "api-1", "vera", "ml-12"):
            store.add([Event(name, "love", film=film) for film in LOVED])
        store.add([Event("short", "love", film=film) for film in LOVED[: LEAST - 1]])
        store.add([Event("made-up", "love", film=film, simulated=True) for film in LOVED])
        then = mark(store)
        store.add([Event("late", "love", film=film) for film in LOVED])
        assert list(learners(store, films(), settings(), {"vera"}, then)) == ["me-a", "api-1"]
        assert list(learners(store, films(), settings(), {"vera"}, mark(store))) == ["me-a", "api-1", "late"]
        store.forget("api-1")
        assert list(learners(store, films(), settings(), {"vera"}, then)) == ["me-a"]


@pytest.mark.parametrize("here", [19, 20])
def test_fewer_people_than_a_film_needs_raters_are_not_learned_from(house: Settings, here: int) -> None:
    with opened(house.database_url) as store:
        store.add([Event(f"me-{n}", "love", film=film) for n in range(here) for film in LOVED])
    sides = room._sides(house, releases.current(house), films(), Path("data"), None)
    assert (sides.people, len(sides.new) - len(sides.data)) == ((20, 120) if here == 20 else (0, 0))
    assert len(sides.old) == len(sides.data), "the committed artifacts know nobody"


def test_the_data_of_the_committed_artifacts_must_be_there(tmp_path: Path) -> None:
    house = Settings(releases=tmp_path, raw=tmp_path)  # type: ignore[call-arg]
    with pytest.raises(ReleaseError, match="name its folder by --before"):
        room._learned(house, releases.current(house), films(), planted(), None)


def test_a_damaged_copy_of_the_ratings_is_an_error(tmp_path: Path) -> None:
    (tmp_path / RATINGS).write_bytes(b"no archive")
    with pytest.raises(ReleaseError, match="rollback NAME"):
        read_ratings(tmp_path / RATINGS, 5)


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("why", "code"), [((), 0), (("ease may be worse",), 3)])
def test_the_exit_code_says_what_became_of_it(monkeypatch: pytest.MonkeyPatch, why: tuple[str, ...], code: int) -> None:
    outcome = room.Outcome("committed", (), why, {"parent": "committed"}, None if why else "20261122-031500-00000000")
    monkeypatch.setattr(room, "refresh", lambda *_: outcome)
    done = CliRunner().invoke(app, ["refresh", "--json"])
    assert done.exit_code == code, done.output
    assert json.loads(done.stdout)["why"] == list(why)
    assert CliRunner().invoke(app, ["refresh"]).exit_code == code
