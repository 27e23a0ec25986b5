"""The interview: gains are what refitting shows, what may not be asked is not, and the study asks nobody about what it measures."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from recommender.evaluate import interview as study
from recommender.evaluate.interview import Lists, Person, Talk, adapt, errors, favourites, follow, people
from recommender.interview import Interview, Question
from recommender.models.ratings import Ratings
from recommender.serve import interview as desk
from recommender.types import Context, Profile
from recommender.world import checkerboard

rng = np.random.default_rng(0)


def model(factors: np.ndarray, raters: list[int], penalties: tuple[float, float] = (1.0, 2.0)) -> Ratings:
    """Ratings with these film factors (I, F)."""
    found = Ratings()
    found.factors_, found.raters_ = np.array(factors, np.float32), np.array(raters)
    found.bias_, found.mean_ = np.zeros(len(raters), np.float32), np.array([3.5], np.float32)
    found.penalties_ = np.array(penalties, np.float32)
    return found


def atlas(raters: list[int], people: int = 100, groups: dict[int, list[float]] | None = None) -> SimpleNamespace:
    """What the interview reads of the atlas; groups: number -> closeness (I,)."""
    counts = np.array(raters)
    return SimpleNamespace(raters_=counts, people_=np.array([people]), known=counts > 0, closeness=lambda g: np.array((groups or {})[g]))


RATERS = [60, 50, 40, 30, 20, 0, 30, 10]
FACTORS = rng.normal(size=(8, 3))
INTERVIEW = Interview(model(FACTORS, RATERS), atlas(RATERS))
ANY = np.ones(8, bool)


def variance(interview: Interview, items: list[int]) -> float:
    """The average variance of predicted stars, by inverting F'F + penalties and adding film by film."""
    f = np.hstack([np.ones((8, 1)), interview.ratings.factors_.astype(float)])
    inverse = np.linalg.inv(f[items].T @ f[items] + np.diag([float(interview.ratings.penalties_[0])] + 3 * [float(interview.ratings.penalties_[1])]))
    share = interview.ratings.raters_ / interview.ratings.raters_.sum()
    return sum(s * row @ inverse @ row for s, row in zip(share, f))


# -- what is open --------------------------------------------------------------------------------------------------------


def test_one_film_and_no_factors_by_hand() -> None:
    # only the bias, penalty 1: the variance is 1 before and 1 / (1 + n) after n ratings
    plain = Interview(model(np.zeros((2, 1)), [3, 1], (1.0, 5.0)), atlas([3, 1]))
    none = np.empty(0, int)
    assert plain.open(none) == pytest.approx(1)
    assert plain.open(np.array([0])) == pytest.approx(1 / 2)
    assert plain.progress(np.array([0, 1])) == pytest.approx(2 / 3)
    assert plain.progress(none) == 0
    np.testing.assert_allclose(plain.gains(np.diag([1.0, 0.2])), [0.5, 0.5])


def test_two_films_apart_by_hand() -> None:
    # rows (1, 2) and (1, 0), penalties 1 and 2, shares 3/4 and 1/4: the variances are 1 + 4/2 = 3 and 1, so 2.5 is open
    two = Interview(model([[2.0], [0.0]], [3, 1]), atlas([3, 1]))
    assert two.open(np.empty(0, int)) == pytest.approx(2.5)
    # S f = (1, 1) for the first film: its own variance falls by 9/4, the other's by 1/4; for the second S f = (1, 0): both by 1/2
    np.testing.assert_allclose(two.gains(np.diag([1.0, 0.5])), [0.75 * 9 / 4 + 0.25 / 4, 1 / 2])


@pytest.mark.parametrize("known", [[], [2], [0, 3, 6]])
def test_a_gain_is_what_one_more_rating_takes_away(known: list[int]) -> None:
    gains = INTERVIEW.gains(np.linalg.inv(INTERVIEW.ratings.precision(np.array(known, int))))
    before = variance(INTERVIEW, known)
    assert INTERVIEW.open(np.array(known, int)) == pytest.approx(before)
    assert gains == pytest.approx([before - variance(INTERVIEW, [*known, film]) for film in range(8)])
    assert (gains >= 0).all()


def test_every_answer_settles_something_and_all_never_quite() -> None:
    settled = [INTERVIEW.progress(np.arange(n)) for n in range(9)]
    assert settled == sorted(settled)
    assert len(set(settled)) == 9
    assert 0 == settled[0] < settled[-1] < 1


# -- who knows what ------------------------------------------------------------------------------------------------------


def test_films_near_a_picked_group_are_likelier_known() -> None:
    near = Interview(INTERVIEW.ratings, atlas(RATERS, groups={4: [2, 0, -1, 0, 0, 0, 0, 3], 5: [0, 0, 0, 1, 0, 0, 0, 0]}))
    plain, one, both = near.chances(), near.chances([4]), near.chances([4, 5])
    np.testing.assert_allclose(plain, np.array(RATERS) / 100)
    assert (one[[0, 7]] > plain[[0, 7]]).all()
    np.testing.assert_allclose(one[1:7], plain[1:7])  # far from it is no less known
    assert both[3] > one[3]
    assert (both < 1).all()


# -- the questions -------------------------------------------------------------------------------------------------------


def test_the_first_question_is_the_best_expected_and_its_reason_is_true() -> None:
    first = INTERVIEW.questions(np.array([1]), ANY)[0]
    before = variance(INTERVIEW, [1])
    expected = {film: RATERS[film] / 100 * (1 - variance(INTERVIEW, [1, film]) / before) for film in (0, 2, 3, 4, 6, 7)}
    assert first.item == max(expected, key=expected.get)
    assert first.expected == pytest.approx(max(expected.values()))
    assert first.settles == pytest.approx(1 - variance(INTERVIEW, [1, first.item]) / before)
    assert first.known == RATERS[first.item] / 100


def test_later_questions_count_on_the_answers_before_them() -> None:
    round_ = INTERVIEW.questions(np.array([1]), ANY, k=3)
    second = INTERVIEW.questions(np.array([1, round_[0].item]), ANY)[0]
    assert (round_[1].item, round_[1].settles) == (second.item, pytest.approx(second.settles))


def test_twins_are_not_asked_about_in_a_row() -> None:
    factors = np.array([[3, 0], [3, 0], [0, 2.5]])
    twins = Interview(model(factors, [50, 50, 50]), atlas([50, 50, 50]))
    assert [q.item for q in twins.questions(np.empty(0, int), np.ones(3, bool), k=3)] == [0, 2, 1]


def test_what_may_not_be_asked_is_not() -> None:
    allowed = ANY.copy()
    allowed[3] = False
    found = [q.item for q in INTERVIEW.questions(np.array([1]), allowed, asked=[4, 0], k=8)]
    assert sorted(found) == [2, 6, 7]  # not 5, which too few people rated
    assert INTERVIEW.questions(np.array([1]), np.zeros(8, bool)) == ()


def test_films_that_have_no_place_are_not_asked_about() -> None:
    hidden = atlas(RATERS)
    hidden.known = np.arange(8) > 1
    found = Interview(INTERVIEW.ratings, hidden).questions(np.empty(0, int), ANY, k=8)
    assert sorted(q.item for q in found) == [2, 3, 4, 6, 7]


def test_the_same_question_twice_and_another_after_a_skip() -> None:
    none = np.empty(0, int)
    first = INTERVIEW.questions(none, ANY, k=2)
    assert first == INTERVIEW.questions(none, ANY, k=2)
    skipped = INTERVIEW.questions(none, ANY, asked=[first[0].item])[0]
    assert skipped.item != first[0].item
    expected = INTERVIEW.chances() * INTERVIEW.gains(np.linalg.inv(INTERVIEW.ratings.precision(none)))
    assert skipped.item == np.argsort(-expected)[1]


# -- at the desk ---------------------------------------------------------------------------------------------------------


def test_the_desk_asks_only_within_the_certificate_and_counts_progress(service) -> None:
    if service.atlas is None:
        pytest.skip("the atlas did not load")
    child = next(v for v in service.viewers.values() if v.certificate in ("G", "PG"))
    request = service.request(child, service.query(child, Context()))
    found = desk.next_round(request, k=12)
    items = [q.item for q in found.questions]
    assert len(set(items)) == 12
    assert service.catalog.allowed(child.certificate)[items].all()
    assert not set(items) & set(child.profile.items.tolist())
    assert 0 < found.progress < 1
    again = desk.next_round(request, asked=items[:6], k=12)
    assert not {q.item for q in again.questions} & set(items[:6])
    assert again.progress == found.progress  # a skip settles nothing


def test_the_desk_says_what_is_missing(service) -> None:
    viewer = next(iter(service.viewers.values()))
    request = service.request(viewer, service.query(viewer, Context()))
    request.atlas = None
    with pytest.raises(LookupError, match="needs the model ratings and the atlas"):
        desk.next_round(request)


def test_the_reason_is_told_in_numbers() -> None:
    told = desk.said(Question(3, 0.0912, 0.567))
    assert told == "An estimated 57 of 100 people know it; what you say would settle 9% of what is open about your taste."


# -- the study -----------------------------------------------------------------------------------------------------------

CATALOG, LOG = checkerboard(density=0.9)
GROUPED = SimpleNamespace(
    known=np.arange(40) != 7,
    group_=np.arange(40) % 2,
    centres=np.eye(2),
    core_=np.arange(40) > 9,
    raters_=LOG.raters,
    people_=np.array([120]),
    closeness=lambda g: np.where(np.arange(40) % 2 == g, 1.0, -1.0),
)
SHORT = Person(3, dict.fromkeys(range(0, 20, 2), 4.0), (0,), np.array([21, 23]), np.array([4.0, 2.0]))


def test_nobody_can_answer_for_what_is_held_out(monkeypatch) -> None:
    monkeypatch.setattr(study, "LEAST", 10)
    found = people(LOG, GROUPED, seed=0, n=30)
    assert len(found) == len({p.number for p in found}) == 30
    for person in found:
        profile = LOG.profile(person.number)
        assert not set(person.known) & set(person.items.tolist())
        assert set(person.known) | set(person.items.tolist()) == set(profile.items.tolist()) - {7}
        assert person.known.items() <= dict(zip(profile.items.tolist(), profile.ratings.tolist())).items()
        assert (person.stars >= 4).any()
    again = people(LOG, GROUPED, seed=0, n=30)
    assert [p.number for p in again] == [p.number for p in found]


def test_people_pick_the_groups_of_what_they_liked(monkeypatch) -> None:
    monkeypatch.setattr(study, "PICKS", 1)
    assert favourites(Profile(np.array([0, 2, 1]), np.array([3.0, 2.0, 4.0]), np.zeros(3)), GROUPED) == (1,)


def test_an_interview_by_a_list_asks_in_its_order_and_counts_answers() -> None:
    talk = follow(SHORT, np.array([1, 0, 3, 2, 5, *range(7, 15, 2), 4, *range(15, 25)]))
    assert talk.items == [0, 2, 4, 16, 18]
    assert talk.answered == [0, 2, 3, 5, 5]
    assert talk.query(2).profile.items.tolist() == [0, 2]
    assert talk.query(0).profile.ratings.tolist() == []


def test_an_adapted_interview_never_repeats_itself_and_changes_with_the_answers() -> None:
    factors = np.random.default_rng(1).normal(size=(40, 3))
    asked: list[int] = []

    class Listening(Interview):
        def questions(self, *of):
            found = super().questions(*of)
            asked.append(found[0].item)
            return found

    interview = Listening(model(factors, LOG.raters.tolist()), GROUPED)
    talk = adapt(SHORT, interview)
    first = asked.copy()
    asked.clear()
    assert adapt(Person(4, {}, (), SHORT.items, SHORT.stars), interview).answered == [0] * 5
    assert len(set(first)) == len(set(asked)) == 20
    assert first[0] == asked[0]
    assert first != asked
    assert talk.items == [i for i in first if i in SHORT.known] != []


def test_errors_are_those_of_what_was_learned_until_then() -> None:
    plain = model(np.zeros((40, 1)), [30] * 40, (1.0, 1.0))
    talk = Talk([0, 2], [4.5, 4.5], [0, 0, 1, 2, 2])
    # the bias is 0, then 1 / 2, then 2 / 3 over the mean of 3.5; held out are 4 and 2 stars
    guesses = np.array([3.5, 3.5, 4.0, 3.5 + 2 / 3, 3.5 + 2 / 3])
    np.testing.assert_allclose(errors(plain, [SHORT], [talk])[0], (guesses - 4) ** 2 + (guesses - 2) ** 2, rtol=1e-5)


def test_first_rows_are_of_the_model_that_serves_and_hold_no_answer() -> None:
    up, down = (SimpleNamespace(score=lambda queries, by=by: by[None].astype(np.float32)) for by in (np.arange(40.0), -np.arange(40.0)))
    lists = Lists({"popularity": up, "hybrid": down}, CATALOG, GROUPED)
    few, many = Talk([39], [5.0], [1] * 5), Talk(list(range(8)), [4.0] * 8, [8] * 5)
    held = Person(0, dict.fromkeys([39, *range(7)], 4.0), (), np.array([38, 8]), np.array([5.0, 5.0]))
    assert lists.first("popularity", held, few.query(1), ())[:2].tolist() == [38, 37]
    assert lists.first("popularity", held, few.query(0), ())[:2].tolist() == [38, 37]  # 39 could have been answered: it is never ranked
    assert lists.first("hybrid", held, many.query(8), ())[:2].tolist() == [8, 9]
    moved = lists.first("popularity", held, few.query(1), (0,))
    assert moved[0] == 38
    assert (moved % 2 == 0).sum() > 5  # even films are the group that was picked
    other = Person(1, {39: 5.0}, (), held.items, held.stars)
    served, hybrid = (lists.ndcg([held, other], [few, few], groups=False, served=served) for served in (True, False))
    ideal = 1 + 1 / np.log2(3)
    np.testing.assert_allclose(served[:, 0], [1 / ideal, 1 / ideal])
    np.testing.assert_allclose(hybrid[:, 0], [1 / ideal, 1 / np.log2(9) / ideal])  # without 7, of which too little is known, 8 stands eighth
    second = Person(2, held.known, (), np.array([37, 8]), held.stars)  # 37 stands second by the one, 8 first by the other
    shares = [float(lists.ndcg([second], [talk], groups=False, served=True)[0, 0]) for talk in (few, many)]
    assert shares == pytest.approx([1 / np.log2(3) / ideal, 1 / ideal])  # from eight answers on the hybrid serves
