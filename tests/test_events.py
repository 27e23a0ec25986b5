"""What an event may be, and what stands after any run of likes, switches and undos."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.serve.events import ASPECTS, KINDS, OF_NO_FILM, OPINIONS, SILENT, Event, fold, note_of, preferences_of, standing
from recommender.types import NO_PREFERENCES, Preferences


def said(kind: str, film: int | None = 1, id_: str | None = None, **more) -> Event:
    return Event("vera", kind, film, **({"id": id_} if id_ else {}), **more)


def undo(target: Event | str, id_: str | None = None) -> Event:
    return said("undo", None, id_, target=target if isinstance(target, str) else target.id)


# -- what an event may be -------------------------------------------------------------------------------------------------

REFUSED = {
    "viewer": ["", "Vera", "vera!", "a" * 65, None, 3, "véra", "vera\n"],
    "kind": ["liked", "", None, "LIKE"],
    "film": ["1", 1.0, True, -1, 2**63, None],
    "stars": [0, 5.5, 0.75, "4", math.nan, math.inf, True, None],
    "id": ["", "a b", "a" * 65, "é", "a;b", None, 7, "a\n"],
    "at": [math.nan, math.inf, -math.inf, "now", None, 10**400, 1e300, 2**33, -1],
    "recommendation": ["", "a/b", "a" * 65],
    "row": ["", "a\0b", "a" * 121, 5, "\ud800"],
    "position": [-1, 1.5, "0", True, 2**31],
    "model": ["", "\0", 5],
    "score": [math.nan, math.inf, "1", True],
    "propensity": [0, -0.1, 1.01, math.nan, "0.5"],
    "time_of_day": ["noon", "", 5],
    "device": ["watch", ""],
    "seen_device": ["phone"],
    "local_hour": [-1, 24, 1.5, "3"],
    "experiment": ["", "Context", "-a", "a b", "a" * 49, 5, "a\n"],
    "arm": ["", "a\0b", "a" * 121, 5],
    "simulated": [None, 1, 0, "True"],
    "note": [None, [], "x", {"a": math.nan}, {"a": {1, 2}}, {"a": "é" * 2048}, {"a": "\ud800"}],
}


@pytest.mark.parametrize("name, value", [(name, value) for name, values in REFUSED.items() for value in values])
def test_a_wrong_field_is_refused_by_name(name: str, value: object) -> None:
    good = Event("vera", "rating", 1, 4.0)
    with pytest.raises(ValueError) as error:
        replace(good, **{name: value})
    assert str(error.value).startswith(f"{name} is ")
    assert repr(value)[:40] in str(error.value)
    assert "wanted " in str(error.value)
    assert len(str(error.value)) < 250


def test_every_field_has_its_limits() -> None:
    assert set(REFUSED) | {"target"} == set(Event.__dataclass_fields__)


@pytest.mark.parametrize("stars", np.arange(0.5, 5.5, 0.5))
def test_half_stars_are_stars(stars: float) -> None:
    assert said("rating", stars=stars).stars == stars


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_needs_and_what_it_must_not_have(kind: str) -> None:
    needs = {"stars": 4.0} if kind == "rating" else {"target": "a"} if kind == "undo" else {}
    assert said(kind, **needs).kind == kind
    for name, value in (("stars", 4.0), ("target", "a")):
        wrong = {k: v for k, v in needs.items() if k != name} if name in needs else {**needs, name: value}
        with pytest.raises(ValueError, match=f"{name} is .*{kind}"):
            said(kind, **wrong)
    if kind in OF_NO_FILM:
        assert said(kind, None, **needs).film is None
    else:
        with pytest.raises(ValueError, match=f"film is None, wanted the film of this {kind}"):
            said(kind, None, **needs)


def test_an_undo_of_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="target is 'a'"):
        said("undo", id_="a", target="a")


def test_numbers_of_numpy_become_plain() -> None:
    event = Event("vera", "impression", np.int64(7), position=np.int32(2), score=np.float32(0.5), propensity=np.float64(1), local_hour=np.int8(23))
    assert [type(getattr(event, name)) for name in ("film", "position", "score", "propensity", "local_hour")] == [int, int, float, float, int]


def test_a_note_is_as_json_gives_it_back() -> None:
    assert said("vote", note={"pair": ("a", "b"), 1: "\0 ' \" 🎬"}).note == {"pair": ["a", "b"], "1": "\0 ' \" 🎬"}


def test_two_events_have_two_ids_and_a_time_between_now_and_then() -> None:
    first, second = said("like"), said("like")
    assert first.id != second.id
    assert 1.7e9 < first.at <= second.at


@pytest.mark.parametrize("one", [{"experiment": "context"}, {"arm": "told"}])
def test_an_arm_is_of_an_experiment_and_an_experiment_has_arms(one: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"arm is .*wanted .*, or neither"):
        said("like", **one)
    assert said("like", experiment="context", arm="told", simulated=np.True_).simulated is True


# -- what stands ----------------------------------------------------------------------------------------------------------


def test_opinions_of_a_film_replace_each_other() -> None:
    love, rating, other = said("love", 1), said("rating", 1, stars=2.0), said("dislike", 2)
    taste = fold([love, other, rating])
    assert list(taste.opinions) == [2, 1]  # the opinion of 1 is the newer one
    assert (taste.opinions[1].kind, taste.opinions[1].stars, taste.opinions[1].id) == ("rating", 2.0, rating.id)
    assert (taste.opinions[2].kind, taste.opinions[2].stars) == ("dislike", None)
    assert taste.standing(1)["opinion"] == (love.id, rating.id)


def test_an_undo_restores_what_stood_before_and_its_undo_too() -> None:
    like, love = said("like"), said("love")
    back = undo(love)
    assert fold([like, love]).opinions[1].kind == "love"
    assert fold([like, love, back]).opinions[1].kind == "like"
    assert fold([like, love, back, undo(back)]).opinions[1].kind == "love"
    assert fold([like, love, back, undo(like)]).opinions == {}


def test_the_order_of_storing_decides_and_not_the_clock() -> None:
    late, early = said("like", at=2e9), said("dislike", at=1e9)
    assert fold([late, early]).opinions[1].kind == "dislike"
    assert fold([undo(late), late]).opinions[1].kind == "like"  # an undo takes back only what was there


def test_two_undos_hold_until_both_are_taken_back() -> None:
    like = said("like")
    first, second = undo(like), undo(like)
    assert fold([like, first, second, undo(second)]).opinions == {}
    assert fold([like, first, second, undo(second), undo(first)]).opinions[1].id == like.id


def test_watched_and_the_switches_stand_beside_an_opinion() -> None:
    events = [said("like"), said("watched", at=5.0), said("list", id_="l"), said("hide", id_="h"), said("unuse", id_="u")]
    taste = fold(events)
    assert taste.opinions[1].kind == "like"
    assert (taste.watched[1].kind, taste.watched[1].at, taste.watched[1].stars) == ("watched", 5.0, None)
    assert (taste.listed, taste.hidden, taste.unused) == ({1: "l"}, {1: "h"}, {1: "u"})


def test_switching_off_undoes_every_event_of_the_aspect() -> None:
    events = [said("list", id_="a"), said("list", id_="b"), said("like")]
    off = [undo(id_) for id_ in fold(events).standing(1)["list"]]
    assert len(off) == 2
    taste = fold([*events, *off])
    assert taste.listed == {}
    assert taste.opinions[1].kind == "like"
    assert taste.standing(1)["list"] == ()
    assert taste.standing(99) == dict.fromkeys(("opinion", "watched", "list", "hide", "unuse"), ())


WISHES = Preferences(0.5, 0.25, (("Drama", -2.0),), ((1970, 1.5),), ((3, 0.5),), ("Orson Welles",), "ease", listed=False, seen=True)


def test_the_last_standing_preferences_hold() -> None:
    first = said("prefer", None, note=note_of(Preferences(adventure=-1)))
    last = said("prefer", None, note=note_of(WISHES))
    assert fold([first, last]).preferences == WISHES
    assert fold([first, last, undo(last)]).preferences == Preferences(adventure=-1)
    assert fold([first, undo(first)]).preferences == NO_PREFERENCES


@pytest.mark.parametrize(
    "note, named",
    [
        ({"adventure": 2}, "adventure is 2"),
        ({"adventure": "much"}, "adventure is 'much'"),
        ({"genres": [["Drama", 9]]}, "genres gives 'Drama' 9"),
        ({"genres": "Drama"}, "genres is 'Drama'"),
        ({"loudness": 3}, "'loudness' is no preference"),
        ({"listed": 1}, "listed is 1"),
    ],
)
def test_preferences_that_cannot_be_read_are_passed_over_with_a_note(note: dict, named: str) -> None:
    kept = said("prefer", None, note=note_of(WISHES))
    taste = fold([kept, said("prefer", None, id_="bad", note=note)])
    assert taste.preferences == WISHES
    assert len(taste.notes) == 1
    assert "bad" in taste.notes[0]
    assert named in taste.notes[0]


def test_preferences_not_named_are_as_if_never_set() -> None:
    assert preferences_of({}) == NO_PREFERENCES
    assert preferences_of({"adventure": 1}) == Preferences(adventure=1)


@given(
    st.builds(
        Preferences,
        adventure=st.floats(-1, 1),
        variety=st.none() | st.floats(0, 1),
        genres=st.lists(st.tuples(st.text(max_size=20), st.floats(-2, 2)), max_size=4).map(tuple),
        listed=st.booleans(),
    )
)
def test_preferences_come_back_from_a_note(wishes: Preferences) -> None:
    assert preferences_of(said("prefer", None, note=note_of(wishes)).note) == wishes


# -- any run of events, against the obvious way ---------------------------------------------------------------------------


@st.composite
def runs(draw) -> list[Event]:
    """Up to 25 events of three films; undos take back any earlier one, undos included, or one that is not there."""
    events: list[Event] = []
    for n in range(draw(st.integers(0, 25))):
        kind = draw(st.sampled_from((*KINDS, *["undo"] * 8)))
        film = None if kind in OF_NO_FILM else draw(st.integers(1, 3))
        stars = draw(st.sampled_from([0.5, 3.0, 5.0])) if kind == "rating" else None
        target = f"e{draw(st.integers(0, max(n - 1, 0)))}" if kind == "undo" and n else "elsewhere" if kind == "undo" else None
        note = draw(st.sampled_from([{"adventure": 0.5}, {"adventure": -0.5}, {"adventure": 7}])) if kind == "prefer" else {}
        events.append(Event("vera", kind, film, stars, target, f"e{n}", float(draw(st.integers(0, 9))), note=note))
    return events


def stands(events: list[Event], n: int) -> bool:
    """Whether no later undo of it stands: asked again for each."""
    return not any(e.kind == "undo" and e.target == events[n].id and stands(events, m) for m, e in enumerate(events) if m > n)


@given(runs())
def test_the_taste_is_what_the_obvious_way_finds(events: list[Event]) -> None:
    kept = [e for n, e in enumerate(events) if stands(events, n) and e.kind != "undo"]
    taste = fold(events)
    assert standing(events) == kept

    def last_of(kinds: tuple[str, ...]) -> list[Event]:
        of = [e for e in kept if e.kind in kinds]
        return [e for n, e in enumerate(of) if all(later.film != e.film for later in of[n + 1 :])]

    assert [(film, o.kind, o.stars, o.at, o.id) for film, o in taste.opinions.items()] == [
        (e.film, e.kind, e.stars, e.at, e.id) for e in last_of(OPINIONS)
    ]
    assert [(film, o.at, o.id) for film, o in taste.watched.items()] == [(e.film, e.at, e.id) for e in last_of(("watched",))]
    for kind, found in (("list", taste.listed), ("hide", taste.hidden), ("unuse", taste.unused)):
        assert list(found.items()) == [(e.film, e.id) for e in last_of((kind,))]
    readable = [e.note["adventure"] for e in kept if e.kind == "prefer" and e.note["adventure"] != 7]
    assert taste.preferences.adventure == (readable[-1] if readable else 0)
    assert len(taste.notes) == sum(e.kind == "prefer" and e.note["adventure"] == 7 for e in kept)
    for film in (1, 2, 3):
        for aspect, ids in taste.standing(film).items():
            assert list(ids) == [e.id for e in kept if e.film == film and ASPECTS.get(e.kind) == aspect]


@given(runs(), st.integers(1, 3), st.sampled_from([k for k in KINDS if k not in ("undo", "rating")]))
def test_an_undo_restores_and_its_undo_does_again(events: list[Event], film: int, kind: str) -> None:
    more = Event("vera", kind, film, id="more", note={"adventure": 1} if kind == "prefer" else {})
    back, again = undo("more", "back"), undo("back", "again")
    assert fold([*events, more, back]) == fold(events)
    assert fold([*events, more, back, again]) == fold([*events, more])


@given(runs(), st.integers(1, 3), st.sampled_from(sorted(set(ASPECTS.values()))))
def test_switching_off_takes_away_one_aspect_of_one_film_and_nothing_else(events: list[Event], film: int, aspect: str) -> None:
    before = fold(events)
    after = fold([*events, *map(undo, before.standing(film)[aspect])])
    names = {"opinion": "opinions", "watched": "watched", "list": "listed", "hide": "hidden", "unuse": "unused"}
    for one, name in names.items():
        left = {f: of for f, of in getattr(before, name).items() if (f, one) != (film, aspect)}
        assert getattr(after, name) == left
    assert after.preferences == before.preferences


@given(runs())
def test_what_says_nothing_of_taste_changes_nothing_of_it(events: list[Event]) -> None:
    silent = {e.id for e in events if e.kind in SILENT}
    assert fold([e for e in events if e.id not in silent]) == fold(events)
