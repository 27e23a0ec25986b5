"""What a viewer sets by hand: laws of the points, cases worked by hand, and people who are switched off."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from recommender.models.content import Content
from recommender.models.factors import ALS
from recommender.models.hybrid import PARTS, Hybrid
from recommender.models.neighbours import EASE, ItemKNN
from recommender.models.popularity import Popularity
from recommender.steer import ADVENTURE, Push, Steering, pushes, rarity, reasons, spread, steered, switched_off
from recommender.types import NO_PREFERENCES, Preferences, Profile, Query, Recommender
from recommender.world import checkerboard

N = 40  # films of the checkerboard; the even ones are Comedy
CATALOG, LOG = checkerboard()
CATALOG = replace(CATALOG, years=np.array([1969, 1970, 1979, 1980, 1999] * 8))
GROUPS = {0: np.linspace(0, 1, N), 7: np.full(N, 0.5)}
EVEN = np.arange(0, 12, 2)


def made(preferences: Preferences) -> tuple[Push, ...]:
    return pushes(preferences, CATALOG, GROUPS, LOG.raters, {7: "slow burners"})


@cache
def fitted(name: str) -> Recommender:
    if name == "hybrid":
        parts = dict(zip(PARTS, (fitted("ease"), fitted("content"), ItemKNN(shrink=1, support=2).fit(LOG, CATALOG))))
        return Hybrid(epochs=2).attach(parts).fit_gate(LOG, CATALOG)
    blank: dict[str, Recommender] = {"ease": EASE(penalty=5.0), "content": Content(), "als": ALS(factors=8, reg=1), "popularity": Popularity()}
    return blank[name].fit(LOG, CATALOG)


def viewer(items, stars=5.0, speaks=()) -> Query:
    items = np.asarray(items, int)
    return Query(Profile(items, np.broadcast_to(stars, items.shape), np.arange(len(items)), speaks=np.array(speaks)))


# -- points ------------------------------------------------------------------------------------------------------------


def test_rarity_by_hand() -> None:
    # logs of 2, 20, 200 raters lie 1 apart in units of log 10, mean 1, standard deviation sqrt(2/3): 1.2247 above and below; nobody counts as 2
    np.testing.assert_allclose(rarity(np.array([2, 20, 200, 0])), [1.22474, 0, -1.22474, 1.22474], atol=1e-5)
    assert not rarity(np.array([5, 5, 0])).any()
    assert not rarity(np.zeros(3)).any()


def test_nothing_set_leaves_scores_bit_for_bit() -> None:
    scores = np.random.default_rng(0).normal(size=(3, N)).astype(np.float32)
    nothing = Preferences(genres=(("Comedy", 0.0),), decades=((1970, 0.0),), groups=((0, 0.0),))
    for preferences in (NO_PREFERENCES, nothing):
        assert made(preferences) == ()
        steering = Steering(made(preferences))
        assert not steering
        assert steering.scores(fitted("ease"), [viewer(EVEN)] * 3, scores) is scores
    assert steered(scores, ()) is scores


def test_points_by_hand() -> None:
    # scores 0, 2, 4 have a spread of sqrt(8/3): half a spread more for the last two
    push = Push("setting", "x", np.array([0, 0.5, 0.5]))
    half = 0.5 * np.sqrt(8 / 3)
    np.testing.assert_allclose(steered(np.array([0.0, 2, 4]), (push,)), [0, 2 + half, 4 + half])
    np.testing.assert_allclose(steered(np.array([0.0, 2, 4]), (push, push), wide=2.0), [0, 4, 6])
    assert [(r[0].subject, r[0].weight) for r in reasons((push,), np.array([2, 0, 1]), 3.0) if r] == [("x", 1.5)] * 2
    np.testing.assert_allclose(steered(np.ones(3), (push,)), [1, 1.5, 1.5])  # a model that tells no film from another: a spread of 1


def test_which_films_a_setting_moves() -> None:
    by_subject = {p.subject: p for p in made(
        Preferences(adventure=0.5, genres=(("comedy", 1.5),), decades=((1970, -1.0),), groups=((0, 2.0), (7, -0.5)))
    )}  # fmt: skip
    assert {p.kind for p in by_subject.values()} == {"setting"}
    assert list(by_subject) == [
        "more comedy films", "fewer films of the 1970s", "more films like “group 0”", "fewer films like “slow burners”", "more adventurous films",
    ]  # fmt: skip
    np.testing.assert_array_equal(by_subject["more comedy films"].points, np.where(np.arange(N) % 2 == 0, 1.5, 0))
    np.testing.assert_array_equal(by_subject["fewer films of the 1970s"].points[:5], [0, -1, -1, 0, 0])
    np.testing.assert_allclose(by_subject["more films like “group 0”"].points, 2 * GROUPS[0])
    np.testing.assert_allclose(by_subject["fewer films like “slow burners”"].points, -0.25)
    np.testing.assert_allclose(by_subject["more adventurous films"].points, 0.5 * ADVENTURE * rarity(LOG.raters))
    (familiar,) = made(Preferences(adventure=-0.5))
    assert (familiar.kind, familiar.subject) == ("setting", "more familiar films")
    np.testing.assert_array_equal(familiar.points, -by_subject["more adventurous films"].points)


def test_groups_and_genres_that_nobody_knows() -> None:
    some = Preferences(groups=((3, 1.0),))
    assert pushes(some, CATALOG, None, LOG.raters) == ()
    with pytest.raises(KeyError, match="group 3 of films is unknown, wanted one of 0, 7"):
        made(some)
    with pytest.raises(KeyError, match="genre 'Opera' is unknown"):
        made(Preferences(genres=(("Opera", 1.0),)))


@effort(max_examples=50)
@given(st.floats(0.01, 100), st.floats(-50, 50), st.integers(0, 99))
def test_settings_follow_the_scale_of_a_model(factor: float, shift: float, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(2, N))
    both = made(Preferences(adventure=-1, genres=(("Action", 2.0),)))
    np.testing.assert_allclose(steered(factor * scores + shift, both), factor * steered(scores, both) + shift, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(steered(scores, both), np.stack([steered(row, both) for row in scores]))


def test_a_spread_is_of_all_films() -> None:
    with pytest.raises(ValueError, match="1 of 3 scores are not finite; wanted those of all films, before any is masked"):
        spread(np.array([1.0, -np.inf, 2]))
    np.testing.assert_allclose(spread(np.array([[0.0, 2, 4], [7, 7, 7]])), [np.sqrt(8 / 3), 1])


# -- reasons -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ease", "als", "content", "popularity", "hybrid"])
@effort(max_examples=25)
@given(st.data())
def test_reasons_sum_to_the_moved_score(name: str, data: st.DataObject) -> None:
    films = data.draw(st.lists(st.integers(0, N - 1), unique=True, max_size=12))
    weights = data.draw(st.lists(st.floats(-2, 2, width=16), min_size=len(films), max_size=len(films)))
    nudge = st.floats(-2, 2, width=16)
    wanted = Preferences(
        data.draw(st.floats(-1, 1, width=16)),
        genres=(("Comedy", data.draw(nudge)), ("Action", data.draw(nudge))),
        decades=((1970, data.draw(nudge)),),
        groups=((0, data.draw(nudge)),),
        without=tuple(data.draw(st.lists(st.sampled_from(["Star 0", "Star 1", "Actor 2", "Nobody"]), unique=True))),
    )
    model, query, items = fitted(name), viewer(films, 5.0, weights), np.array([0, 1, 17, 38])
    steering = Steering(made(wanted), wanted.without)
    own = model.score([query])
    (moved,) = steering.scores(model, [query], own)
    for item, e, before in zip(items, steering.explain(model, query, own[0], items, model.explain(query, items)), model.explain(query, items)):
        assert e.total == pytest.approx(float(moved[item]), abs=1e-5 if name == "hybrid" else 3e-6)
        assert e.exact == before.exact
        assert sum(r.weight for r in e.reasons if r.kind == "person" and r.subject in wanted.without) == 0
        sizes = [abs(r.weight) for r in e.reasons]
        assert sizes == sorted(sizes, reverse=True)


def test_a_batch_is_moved_as_its_rows_are() -> None:
    queries = [viewer(EVEN), viewer(EVEN + 1, 5.0, [1, -1, 1, 0.5, 2, 1]), viewer([])]
    for name in ("content", "hybrid"):
        steering = Steering(made(Preferences(adventure=1)), ("Star 0",))
        own = fitted(name).score(queries)
        singles = [steering.scores(fitted(name), [q], row[None])[0] for q, row in zip(queries, own)]
        np.testing.assert_array_equal(steering.scores(fitted(name), queries, own), np.stack(singles))


# -- people ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("floor", [0.3, 0.75, 0.9])
@effort(max_examples=20)
@given(st.data())
def test_what_is_due_to_a_person_is_what_the_reasons_say(floor: float, data: st.DataObject) -> None:
    content = Content(floor=floor).fit(LOG, CATALOG)
    films = data.draw(st.lists(st.integers(0, N - 1), unique=True, min_size=1, max_size=12))
    query = viewer(films, 5.0, data.draw(st.lists(st.floats(-2, 2, width=16), min_size=len(films), max_size=len(films))))
    for person in ("Star 0", "Actor 3", "Director 1"):
        said = [sum(r.weight for r in e.reasons if (r.kind, r.subject) == ("person", person)) for e in content.explain(query, np.arange(N))]
        np.testing.assert_allclose(content.due_to(query, person), said, atol=1e-6)
    assert not content.due_to(query, "Nobody").any()


def test_likeness_under_the_floor_is_due_to_nobody() -> None:
    loose, strict = (Content(floor=floor).fit(LOG, CATALOG).due_to(viewer([0]), "Star 0") for floor in (0.3, 0.9))
    assert (loose[2:N:2] > 0.01).all()
    assert 0 < (strict > 0).sum() < (loose > 0).sum()


def test_a_person_switched_off_leaves_others_as_they_were() -> None:
    query, content, hybrid = viewer(EVEN), fitted("content"), fitted("hybrid")
    assert isinstance(content, Content)
    assert isinstance(hybrid, Hybrid)
    due = content.due_to(query, "Star 0")
    off = Steering(without=("Star 0",))
    own = content.score([query])
    np.testing.assert_allclose(own[0] - off.scores(content, [query], own)[0], due, atol=1e-6)
    np.testing.assert_array_equal(off.scores(content, [query], own)[0, 1::2], own[0, 1::2])  # odd films have another star
    blended = hybrid.score([query])
    share = hybrid.weights([query])[0, PARTS.index("content")] / own[0].std()
    np.testing.assert_allclose(blended[0] - off.scores(hybrid, [query], blended)[0], share * due, atol=1e-5)
    assert (share * due > 0.01).any()
    for name in ("ease", "als", "popularity"):
        scores = fitted(name).score([query])
        assert switched_off(fitted(name), [query], ("Star 0",), np.ones(1)) == [()]
        np.testing.assert_array_equal(off.scores(fitted(name), [query], scores), scores)
        assert off.explain(fitted(name), query, scores[0], np.arange(3), fitted(name).explain(query, np.arange(3))) == fitted(name).explain(
            query, np.arange(3)
        )


def test_a_person_who_speaks_against_is_taken_out_as_well() -> None:
    query, content = viewer(EVEN, 1.0, [-1] * 6), fitted("content")
    own = content.score([query])
    assert (Steering(without=("Star 0",)).scores(content, [query], own)[0, 14::2] > own[0, 14::2]).all()
