"""Events stored as columns are the events they would be one by one; what was recorded in an experiment comes back whole. On both databases."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_events import REFUSED
from test_feedback import liked

from recommender.serve import columns
from recommender.serve.feedback import Event, Feedback

N = 6
DAY = 86_400.0


def said(**other: Any) -> dict[str, Any]:
    """Two viewers who were shown two films each; one clicked, the other gave stars."""
    return {
        "viewer": np.array(["sim-b", "sim-a", "sim-a", "sim-b", "sim-b", "sim-a"]),
        "kind": ["impression", "impression", "impression", "impression", "click", "rating"],
        "film": np.array([3, 1, 2, 4, 3, 2]),
        "stars": [np.nan, np.nan, np.nan, np.nan, np.nan, 3.5],
        "id": [f"e{n}" for n in range(N)],
        "at": 1.7e9 + np.arange(N) / 7,
        "recommendation": ["p1", "p2", "p2", "p1", "p1", "p2"],
        "row": "first",
        "position": np.array([0, 0, 1, 1, 0, np.nan]),
        "model": "ease",
        "score": np.arange(N, dtype=np.float32) - 2,
        "propensity": pd.Series([0.1, 0.2, 1, 1, None, None]),
        "time_of_day": pd.Categorical(["night", "night", None, "evening", "night", "night"]),
        "device": "tv",
        "local_hour": [23, None, None, None, None, 22],
        "experiment": "context",
        "arm": ["told", "blind", "blind", "told", "told", "blind"],
        "simulated": True,
        "note": ['{"ms": 3.5}', "{}", "{}", "{}", "{}", '{"minutes": 90}'],
        **other,
    }


def one_by_one(given: dict[str, Any]) -> list[Event]:
    """The same as events."""
    rows = pd.DataFrame(given).astype(object)
    rows = rows.where(rows.notna(), None).to_dict("records")
    whole = lambda row: {k: int(row[k]) for k in ("film", "position", "local_hour") if row[k] is not None}
    return [Event(**{**row, **whole(row), "note": json.loads(row["note"])}) for row in rows]


def test_columns_are_stored_as_the_events_they_stand_for(feedback: Feedback) -> None:
    assert feedback.add_columns(said()) == N
    wanted = one_by_one(said())
    for viewer in ("sim-a", "sim-b"):
        assert feedback.events(viewer) == [event for event in wanted if event.viewer == viewer]
    assert [type(v) for e in feedback.events("sim-a") for v in asdict(e).values()] == [
        type(v) for e in wanted if e.viewer == "sim-a" for v in asdict(e).values()
    ]


def test_known_ids_are_skipped_and_nothing_is_stored_by_halves(feedback: Feedback) -> None:
    assert feedback.add_columns(said()) == N
    assert feedback.add_columns(said(kind="hide", stars=None)) == 0  # the id decides
    assert feedback.add_columns(said(id=["e0", "e1", "e2", "e3", "new", "new"])) == 2  # nobody can keep another's event out by its id
    assert feedback.add_columns({name: values[:0] if np.ndim(values) else values for name, values in said().items()}) == 0
    with pytest.raises(ValueError, match="id is 'a b'"):
        feedback.add_columns(said(id=["x0", "x1", "x2", "x3", "x4", "a b"]))
    assert len(feedback.events("sim-a") + feedback.events("sim-b")) == N + 2


def unknown(name: str, value: object) -> bool:
    """Whether a column may hold this: it means nothing, or among others the same as what is allowed."""
    same = value is True or (name, value) in (("film", 1.0), ("simulated", 1))
    return same or ((value is None or value != value) and name not in columns.ALWAYS)


WRONG = [(name, value) for name, values in REFUSED.items() for value in values if name not in ("target", "note")]


@pytest.mark.parametrize("name, value", [(name, value) for name, value in WRONG if not unknown(name, value)])
def test_a_wrong_value_is_refused_as_it_is_in_an_event(name: str, value: object) -> None:
    given = said(kind="rating", stars=4.0, position=0, score=0.5, propensity=0.5, time_of_day="night", local_hour=3, seen_device="tv", note="{}")
    several = np.array([given[name]] * N if np.ndim(given[name]) == 0 else list(given[name]), object)
    several[4] = value
    for wrong in (value, several, [*several]):
        with pytest.raises(ValueError, match=f"^{name} is .*wanted") as error:
            columns.checked({**given, name: wrong})
        assert repr(value)[:20] in str(error.value) or value != value


@pytest.mark.parametrize(
    "other, told",
    [
        ({"simulated": [True] * 5 + [False]}, "simulated is False, wanted True"),
        ({"kind": "undo", "stars": None}, "kind is 'undo', wanted another"),
        ({"film": None}, "film is None, wanted a film"),
        ({"stars": None}, "stars is nan|stars is None, wanted stars for each rating"),
        ({"stars": 4.0}, "stars is 4.0, wanted stars for each rating, and for nothing else"),
        ({"arm": None}, "arm is None, wanted an experiment and its arm, or neither"),
        ({"experiment": None}, "arm is 'told', wanted an experiment and its arm, or neither"),
        ({"position": [0.5] * N}, r"position is .*0\.5.*, wanted a whole number"),
        ({"score": [0.0] * 5 + [np.inf]}, "score is .*inf.*, wanted a finite number"),
        ({"propensity": [0.5] * 5 + [0.0]}, "propensity is .*0.0.*, wanted a chance"),
        ({"propensity": [0.5] * 5 + [1.5]}, "propensity is .*1.5.*, wanted a chance"),
        ({"note": ["[]"] * N}, r"note is \[\], wanted an object of JSON"),
        ({"note": "nonsense"}, "note is 'nonsense', wanted text of JSON"),
        ({"note": [{}] * N}, r"note is \[{}.*, wanted plain values"),
        ({"device": ["tv"] * 5}, "column 'device' has 5 rows, 'viewer' has 6"),
        ({"target": "a"}, "column 'target' is not known"),
        ({"colour": "red"}, "column 'colour' is not known"),
    ],
)
def test_what_columns_must_be_to_each_other(other: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=f"^({told})"):
        columns.checked(said(**other))


@pytest.mark.parametrize("name", columns.NEEDED)
def test_a_column_that_must_be_there_is_asked_for(name: str) -> None:
    with pytest.raises(ValueError, match=f"column '{name}' is missing"):
        columns.checked({k: v for k, v in said().items() if k != name})


def test_what_was_recorded_comes_back_in_the_order_of_storing(feedback: Feedback, monkeypatch: pytest.MonkeyPatch) -> None:
    feedback.add_columns(said())
    feedback.add_columns(said(experiment="another"))
    feedback.add_columns(said(id=[f"x{n}" for n in range(N)], viewer="sim-c", device=None))
    monkeypatch.setattr(columns, "AT_ONCE", 5)  # read in parts, the same
    found = feedback.outcomes("context")
    wanted = sorted(one_by_one(said()), key=lambda e: e.viewer) + one_by_one(said(id=[f"x{n}" for n in range(N)], viewer="sim-c", device=None))
    assert list(found.columns) == list(columns.READ)
    assert found["seq"].is_monotonic_increasing
    for name in set(columns.READ) - {"seq", "note"}:
        got = found[name].astype(object)
        assert got.where(got.notna(), None).tolist() == [getattr(event, name) for event in wanted], name
    assert [json.loads(note) for note in found["note"]] == [event.note for event in wanted]
    assert len(feedback.outcomes("nothing")) == 0


def test_of_people_the_days_before_are_read_too_and_what_was_taken_back_is_not(feedback: Feedback) -> None:
    def event(viewer: str, film: int, day: float, kind: str = "click", experiment: str | None = "context", **more: Any) -> Event:
        return Event(viewer, kind, film, at=1.7e9 + day * DAY, experiment=experiment, arm=experiment and "told", **more)

    kept = [event("ann", 1, -27, experiment=None), event("ann", 2, -1, experiment="another"), event("ann", 3, 0), event("ben", 4, 2)]
    hidden = [event("ann", 5, -2, "hide", None, id="h"), event("ann", 6, 1, "hide", id="i"), event("ann", 7, 2, "hide", id="j")]
    other = [event("ann", 8, -29, experiment=None), event("ann", 9, 3, experiment=None), event("eve", 10, -1, experiment=None)]
    other.append(event("ann", 11, -1, experiment="another", simulated=True))
    undos = [Event("ann", "undo", target=target, id=f"u{target}") for target in ("h", "i", "j")]
    feedback.add([*kept, *hidden, *other, *undos, Event("ann", "undo", target="uj"), replace(kept[3], id="s", simulated=True)])
    found = feedback.outcomes("context")
    assert sorted(found["film"]) == [1, 2, 3, 4, 4, 7]
    assert found[found["simulated"]]["film"].tolist() == [4]
    assert found[found["arm"].isna()]["film"].tolist() == [1, 2]


def test_what_is_simulated_touches_nobody(feedback: Feedback) -> None:
    feedback.add(liked(1))
    vote = Event("vera", "vote", id="v")
    feedback.add([vote])
    before = feedback.taste("vera"), feedback.version("vera"), feedback.votes()
    feedback.add_columns(said(viewer="vera"))
    feedback.add([Event("vera", "vote", simulated=True), Event("vera", "undo", target="v", simulated=True), Event("vera", "love", 1, simulated=True)])
    assert (feedback.taste("vera"), feedback.version("vera"), feedback.votes()) == before
    assert len(feedback.events("vera")) == N + 5


def test_experiments_are_counted_and_dropped_without_what_people_did(feedback: Feedback) -> None:
    assert feedback.experiments() == []
    feedback.add_columns(said())
    feedback.add_columns(said(experiment="another", id=[f"x{n}" for n in range(N)], at=1.6e9))
    real = Event("vera", "click", 1, at=1.8e9, experiment="context", arm="told")
    feedback.add([real])
    at = said()["at"]
    assert feedback.experiments() == [
        ("context", False, 1, 1, 1.8e9, 1.8e9),
        ("context", True, 2, N, at[0], at[-1]),
        ("another", True, 2, N, 1.6e9, 1.6e9),
    ]
    assert feedback.drop_experiment("context") == N
    assert feedback.drop_experiment("context") == 0
    assert [name for name, *_ in feedback.experiments()] == ["context", "another"]
    assert feedback.events("vera") == [real]


def test_simulated_viewers_can_be_exported_and_forgotten(feedback: Feedback) -> None:
    feedback.add_columns(said())
    assert {event["simulated"] for event in feedback.export("sim-a")["events"]} == {True}
    assert feedback.export_csv("sim-a").count("context") == 3
    assert feedback.forget("sim-a") == 3
    assert feedback.experiments()[0].viewers == 1
