"""Context that people named: the reader, the deals of a placebo, each model by hand, and worlds whose truth is planted."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from recommender import __main__ as command
from recommender import examine
from recommender.evaluate import realcontext
from recommender.evaluate.realcontext import KNOWN, VARIANTS, YARDSTICK, Entry, Errors, left_out, with_placebos
from recommender.evaluate.report import read
from recommender.load.depaul import CONDITIONS, FILE, ContextRatings, read_depaul
from recommender.load.files import DataError
from recommender.models.contextual import Chosen, GatedBlend, PostFilter, PreFilter, gate_loss
from recommender.models.terms import Factorisation, Term, _Chain, _pairs, labels
from recommender.settings import settings

HEADER = "user_id:token,item_id:token,rating:float,time:token,location:token,companion:token,contexts:token,uc_id:token"
TWO = {"place": ("Home", "Cinema")}


def ratings(rows: list[tuple], conditions: dict[str, tuple[str, ...]] = TWO) -> ContextRatings:
    """Rows (user, film, stars, condition of each dimension)."""
    users, items, stars, *contexts = (np.array(column) for column in zip(*rows))
    return ContextRatings(users, items, stars.astype(float), np.stack(contexts, axis=1), conditions, int(users.max()) + 1, int(items.max()) + 1)


def survey(seed: int = 0, users: int = 40, films: int = 30, per_user: int = 10, by_user: float = 0.0, by_page: float = 0.0) -> ContextRatings:
    """Everybody rates films without a context, then at home and in the cinema, alone or not.

    by_user: how far the stars of a user move with the place, plus or minus. by_page: half of a user's films are asked about at home alone or with a
    partner, half in the cinema, and the stars move with the half, not with the place: a page of the survey.
    """
    rng = np.random.default_rng(seed)
    b, c, taste = rng.normal(0, 0.4, users), rng.normal(0, 0.4, films), rng.choice([-1, 1], users)
    rows = []
    for u in range(users):
        for n, i in enumerate(rng.permutation(films)[:per_user]):
            page = n % 2
            said = [(-1, -1), (page, 0), (page, 1)] if by_page else [(-1, -1), (0, int(rng.integers(2))), (1, int(rng.integers(2)))]
            for place, company in said:
                moved = by_user * taste[u] * (2 * place - 1) if place >= 0 else 0.0
                moved += by_page * taste[u] * (2 * page - 1)
                rows.append((u, i, np.clip(3 + b[u] + c[i] + moved + rng.normal(0, 0.5), 1, 5), place, company))
    return ratings(rows, {"place": ("Home", "Cinema"), "company": ("Alone", "Partner")})


def rmse(errors: Errors) -> float:
    return float(np.sqrt(errors.squared.mean()))


# -- the reader --------------------------------------------------------------------------------------------------------


def written(folder: Path, *lines: str, header: str = HEADER) -> Path:
    (folder / FILE).write_text("\n".join([header, *lines]) + "\n")
    return folder


GOOD = "1003,tt0454876,1,Weekday,Cinema,Alone,Weekday_Cinema_Alone,1003_Weekday_Cinema_Alone"


def test_the_reader_numbers_users_films_and_conditions(tmp_path: Path) -> None:
    folder = written(tmp_path, GOOD, "1003,tt0111161,5,NA,NA,NA,NA_NA_NA,x", "1001,tt0454876,4,Weekend,Home,Partner,x,x")
    data = read_depaul(folder)
    assert (data.n_users, data.n_items, data.conditions) == (2, 2, CONDITIONS)
    assert data.users.tolist() == [1, 1, 0]
    assert data.items.tolist() == [1, 0, 1]
    assert data.stars.tolist() == [1, 5, 4]
    assert data.contexts.tolist() == [[0, 0, 0], [-1, -1, -1], [1, 1, 2]]
    assert data.asked.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GOOD.replace(",1,", ",6,"), "line 3: rating is '6', wanted 1 to 5 stars in whole steps"),
        (GOOD.replace(",1,", ",3.5,"), "line 3: rating is '3.5', wanted 1 to 5 stars in whole steps"),
        (GOOD.replace("Weekday,", "Monday,"), "line 3: time is 'Monday', wanted Weekday, Weekend or NA"),
        (GOOD.replace(",Cinema,", ",,"), "line 3: location is '', wanted Cinema, Home or NA"),
        (GOOD.replace("Alone,", "Dog,"), "line 3: companion is 'Dog', wanted Alone, Family, Partner or NA"),
        (GOOD.replace("1003,tt", "x,tt"), "line 3: user id is 'x', wanted a whole number >= 1"),
        (GOOD.replace("tt0454876", "0454876"), "line 3: film id is '0454876', wanted tt and what IMDb has after it"),
        ("1003,tt1,5", "line 3: 3 fields in '1003,tt1,5', wanted 8"),
    ],
)
def test_a_fault_is_named_with_its_place(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(DataError, match=f"{FILE} {said}"):
        read_depaul(written(tmp_path, GOOD, line))


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there, wanted a file"):
        read_depaul(tmp_path)
    with pytest.raises(DataError, match="line 1: the header is 'user,item'"):
        read_depaul(written(tmp_path, "1,2", header="user,item"))
    with pytest.raises(DataError, match="a header and nothing else, wanted ratings below it"):
        read_depaul(written(tmp_path))


def test_columns_that_do_not_fit_are_refused() -> None:
    sound = ratings([(0, 0, 3, 0), (1, 1, 4, 1)])
    with pytest.raises(ValueError, match="place runs from 0 to 2; wanted -1 to 1"):
        replace(sound, contexts=np.array([[0], [2]]))
    with pytest.raises(ValueError, match="items has 1 rows, users has 2"):
        replace(sound, items=np.array([0]))
    with pytest.raises(ValueError, match=r"contexts is \(2, 2\), wanted \(2, 1\)"):
        replace(sound, contexts=np.zeros((2, 2), int))
    with pytest.raises(ValueError, match="dimension is 'mood', wanted one of place"):
        sound.only("mood")


# -- deals and folds ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_pair", [False, True])
def test_a_deal_keeps_each_owners_contexts_and_the_rows_without(by_pair: bool) -> None:
    data = survey(1)
    dealt = data.shuffled(np.random.default_rng(0), by_pair)
    owners = data.pairs if by_pair else data.users
    held = lambda d: Counter(zip(owners.tolist(), map(tuple, d.contexts.tolist())))
    assert held(dealt) == held(data)
    assert (dealt.asked == data.asked).all()
    assert (dealt.contexts != data.contexts).any(axis=1)[data.asked].mean() > 0.3
    for name in ("users", "items", "stars"):
        assert (getattr(dealt, name) == getattr(data, name)).all()


def test_a_deal_within_the_user_crosses_films_and_one_within_the_film_does_not() -> None:
    data = survey(1, by_page=1.0)  # each film has one place
    assert (data.shuffled(np.random.default_rng(0), by_pair=True).contexts[:, 0] == data.contexts[:, 0]).all()
    assert (data.shuffled(np.random.default_rng(0)).contexts[:, 0] != data.contexts[:, 0]).mean() > 0.2


def test_folds_are_even_and_grouped_ones_split_no_pair() -> None:
    data = survey(2)
    loose, together = (data.folds(5, np.random.default_rng(0), by_pair) for by_pair in (False, True))
    assert np.ptp(np.bincount(loose)) <= 1
    folds_of_pair = lambda fold: np.array([len(np.unique(fold[data.pairs == pair])) for pair in np.unique(data.pairs)])
    assert (folds_of_pair(together) == 1).all()
    assert (folds_of_pair(loose) > 1).mean() > 0.5
    assert np.bincount(together).min() > len(data) / 5 * 0.9


def test_one_dimension_alone() -> None:
    data = ratings([(0, 0, 3, 0, 1), (0, 0, 4, -1, -1)], {"place": ("Home", "Cinema"), "company": ("Alone", "Partner")})
    assert data.only("company").contexts.tolist() == [[-1, 1], [-1, -1]]
    assert data.only("place").contexts.tolist() == [[0, -1], [-1, -1]]


# -- terms and the sampler ---------------------------------------------------------------------------------------------


def test_levels_by_hand() -> None:
    data = ratings([(1, 0, 3, 1, 0), (0, 2, 4, -1, -1), (1, 1, 4, 0, -1)], {"place": ("Home", "Cinema"), "company": ("Alone", "Partner")})
    assert labels(data, "place")[0].tolist() == [1, -1, 0]
    assert labels(data, "asked")[0].tolist() == [1, 0, 1]
    label, n = labels(data, "user:place")
    assert (label.tolist(), n) == ([1 * 2 + 1, -1, 1 * 2 + 0], 4)
    label, n = labels(data, "situation")  # unknown is a third value of each
    assert (label.tolist(), n) == ([(1 + 1) * 3 + (0 + 1), -1, (0 + 1) * 3 + 0], 9)
    with pytest.raises(ValueError, match="term is 'mood', wanted one of asked, situation, user, item, place, company"):
        labels(data, "mood")


def test_pairs_of_vectors() -> None:
    a, b, c = np.random.default_rng(0).normal(size=(3, 5, 4))
    assert np.allclose(_pairs([a, b, c]), (a * b + a * c + b * c).sum(axis=1))


def test_the_error_of_the_chain_is_that_of_its_state() -> None:
    data = survey(3)
    model = Factorisation(("user", "place", "user:place"), ("user", "item", "company"), factors=3)
    chain = _Chain(model, data)
    for _ in range(5):
        chain.step()
    effects = sum(Term(data, name).spread(values) for name, values in chain.effects.items())
    vectors = _pairs([Term(data, name).spread(values) for name, values in chain.vectors.items()])
    assert np.allclose(chain.error, data.stars - chain.mean - effects - vectors)


def test_effects_are_those_of_ridge_at_the_drawn_precisions() -> None:
    data = survey(4)
    model = Factorisation(("user", "item"), sweeps=400, burn=50).fit(data)
    chain = _Chain(model, data)
    drawn = []
    for _ in range(300):
        chain.step()
        drawn.append((chain.noise, chain.tightness["user"], chain.tightness["item"]))
    noise, user, item = np.mean(drawn[50:], axis=0)
    x = np.hstack([np.eye(data.n_users)[data.users], np.eye(data.n_items)[data.items]])
    penalty = np.diag(np.repeat([user, item], [data.n_users, data.n_items])) / noise
    ridge = x @ np.linalg.solve(x.T @ x + penalty, x.T @ (data.stars - data.stars.mean()))
    assert np.abs(model.unclipped(data) - data.stars.mean() - ridge).max() < 0.05


def test_a_level_nobody_rated_adds_nothing() -> None:
    known = survey(5)
    asked = replace(known, users=np.full(len(known), known.n_users), n_users=known.n_users + 1)
    known = replace(known, n_users=known.n_users + 1)
    model = Factorisation(("user", "item"), ("user", "item"), factors=2).fit(known)
    alone = Factorisation(("user", "item")).fit(known)
    assert model.effects_["user"][-1] == alone.effects_["user"][-1] == 0
    assert np.allclose(model.unclipped(asked), model.mean_ + model.effects_["item"][asked.items])


def test_an_unknown_context_adds_nothing() -> None:
    data = survey(5, by_user=1.0)
    model = Factorisation(("user", "item", "place", "user:place", "situation"), ("user", "place"), factors=2).fit(data)
    sides = model.mean_ + model.effects_["user"][data.users] + model.effects_["item"][data.items]
    found = model.unclipped(data)
    assert np.allclose(found[~data.asked], sides[~data.asked])
    assert np.abs(found - sides)[data.asked].mean() > 0.5


def test_vectors_find_what_biases_cannot_say() -> None:
    """Even users like even films."""
    rng = np.random.default_rng(0)
    pairs = [(u, i) for u in range(30) for i in range(30) if rng.random() < 0.5]
    data = ratings([(u, i, 4 if (u + i) % 2 == 0 else 2, -1) for u, i in pairs])
    held = rng.random(len(data)) < 0.2
    error = lambda model: np.sqrt(np.mean((model.fit(data.where(~held)).predict(data.where(held)) - data.stars[held]) ** 2))
    assert error(Factorisation()) > 0.9
    assert error(Factorisation(vectors=("user", "item"), factors=2)) < 0.3


def test_predictions_stay_on_the_scale_and_read_no_stars() -> None:
    data = survey(6, by_user=2.0)
    model = Factorisation(("user", "item", "user:place")).fit(data)
    found = model.predict(data)
    assert found.min() >= data.stars.min()
    assert found.max() <= data.stars.max()
    assert model.unclipped(data).max() > data.stars.max()
    assert (model.predict(replace(data, stars=np.ones(len(data)))) == found).all()


# -- filters, choice and gate, by hand ---------------------------------------------------------------------------------


HALVES = [(0, i, s, 0) for i, s in enumerate((5, 4, 5, 4))] + [(0, i, s, 1) for i, s in enumerate((2, 1, 2, 1))]  # means 4.5 and 1.5, variances 1/3
EVEN = [(1, i, s, c) for c in (0, 1) for i, s in enumerate((5, 1, 5, 1))]


def test_the_pre_filter_splits_by_t() -> None:
    data = ratings([*HALVES, *EVEN, (0, 0, 3, -1), (1, 0, 3, -1)])
    t = 3 / np.sqrt((1 / 3) / 4 + (1 / 3) / 4)  # 7.35
    for threshold, found in ((t - 0.01, [0, 0]), (t + 0.01, [-1, -1])):
        assert PreFilter(threshold).split(data, "user").tolist() == [found, [-1, -1]]
    assert PreFilter(1.0, least=5).split(data, "user").tolist() == [[-1, -1]] * 2
    model = PreFilter(3.0).fit(data)
    filtered = model.filtered(data)
    assert filtered.users.tolist() == [2] * 4 + [0] * 4 + [1] * 8 + [0, 1]  # at home, user 0 is user 0 + 2; without a context the old one
    assert (filtered.n_users, filtered.n_items) == (4, 8)


def test_the_spread_of_equal_stars_counts_as_that_of_rounding() -> None:
    rows = [(0, i, 4, 0) for i in range(4)] + [(0, i, 3, 1) for i in range(4)]
    t = 1 / np.sqrt((1 / 12) / 4 + (1 / 12) / 4)  # 4.9
    assert PreFilter(t - 0.01).split(ratings(rows), "user").tolist() == [[0, 0]]
    assert PreFilter(t + 0.01).split(ratings(rows), "user").tolist() == [[-1, -1]]


def test_the_post_filter_adds_damped_means_of_what_is_left() -> None:
    data = survey(7, users=6, by_user=1.0)
    model = PostFilter(damping=2.0).fit(data)
    rest = data.stars - model.base_.unclipped(data)
    said = [tuple(c) if c[0] >= 0 else None for c in data.contexts.tolist()]
    for n in (0, 1, 2, 7, 50):
        shift = 0.0
        if said[n]:
            everybody = {c: (lambda r: r.sum() / (len(r) + 2))(rest[[s == c for s in said]]) for c in set(said) if c}
            mine = np.array([s == said[n] for s in said]) & (data.users == data.users[n])
            left = rest[mine] - everybody[said[n]]
            shift = everybody[said[n]] + left.sum() / (mine.sum() + 2)
        wanted = np.clip(model.base_.unclipped(data)[n] + shift, *model.base_.range_)
        assert model.predict(data)[n] == pytest.approx(wanted)


class Says:
    """Predicts by a rule and learns nothing."""

    def __init__(self, rule) -> None:
        self.rule, self.learned = rule, []

    def fit(self, known: ContextRatings):
        self.learned.append(len(known))
        return self

    def predict(self, asked: ContextRatings) -> np.ndarray:
        return self.rule(asked)


def by_film(n: int = 400) -> ContextRatings:
    """At home film i gets 1 + i % 5 stars, in the cinema 5 - i % 5, and the mean of both where nobody asked."""
    rng = np.random.default_rng(0)
    film, place = rng.integers(10, size=n), rng.integers(-1, 2, size=n)
    stars = np.where(place == 0, 1 + film % 5, np.where(place == 1, 5 - film % 5, 3))
    return ratings(list(zip(rng.integers(20, size=n), film, stars, place)))


def test_the_gate_gives_each_context_the_part_that_is_right_there() -> None:
    data = by_film()
    home, cinema = Says(lambda d: 1 + d.items % 5.0), Says(lambda d: 5 - d.items % 5.0)
    model = GatedBlend([home, cinema]).fit(data)
    shares = model.weights(data)
    assert np.allclose(shares.sum(axis=1), 1)
    place = data.contexts[:, 0]
    assert shares[place == 0, 0].min() > 0.95
    assert shares[place == 1, 0].max() < 0.05
    assert np.allclose(shares[place == -1, 0], 0.5, atol=0.02)
    assert np.sqrt(np.mean((model.predict(data) - data.stars) ** 2)) < 0.2
    assert home.learned == [320] * 5 + [400]  # learned from what the part had not seen, then from all


def test_the_slope_of_the_gates_loss() -> None:
    rng = np.random.default_rng(0)
    z, x, stars = rng.normal(3, 1, (30, 3)), np.hstack([np.ones((30, 1)), rng.random((30, 2)) < 0.5]), rng.normal(3, 1, 30)
    loss = lambda theta: gate_loss(theta, z, x, stars, 0.3, 0.2)
    for _ in range(5):
        theta = rng.normal(size=3 * 3 + 2)
        assert approx_fprime(theta, lambda t: loss(t)[0], 1e-6) == pytest.approx(loss(theta)[1], abs=1e-4)
    assert loss(np.zeros(11))[0] == pytest.approx(np.mean((z.mean(axis=1) - stars) ** 2))  # equal shares, no points: no penalty


def test_alike_parts_are_shared_evenly_and_points_belong_to_the_context() -> None:
    data = by_film()
    place = data.contexts[:, 0]
    data = replace(data, stars=np.where(place == 0, 4.0, np.where(place == 1, 2.0, 3.0)))
    same = Says(lambda d: np.full(len(d), 3.0))
    model = GatedBlend([same, Says(same.rule), Says(same.rule)]).fit(data)
    assert np.allclose(model.weights(data), 1 / 3)
    most = 1 / (1 + 0.01 / np.mean(place == 0))  # least squares with ridge 0.01: a share p of rows at +1 gives p / (p + 0.01)
    assert model.points(data)[place == 0][0] == pytest.approx(most, abs=0.01)
    assert model.points(data)[place == -1][0] == 0
    assert model.points(data)[place == 1][0] < -0.9


def test_the_choice_is_made_on_a_part_that_is_not_learned_from() -> None:
    data = by_film()
    wrong, right = Says(lambda d: np.full(len(d), 1.0)), Says(lambda d: np.full(len(d), 3.0))
    model = Chosen([wrong, right]).fit(data)
    assert model.best_ == 1
    assert right.learned == [320, 400]
    assert wrong.learned == [320]
    assert (model.predict(data) == 3).all()


# -- planted worlds ----------------------------------------------------------------------------------------------------


def study(data: ContextRatings, *keys: str, by_pair: bool = True) -> dict[str, float]:
    """RMSE of the yardstick, and of models with their placebos."""
    fold = data.folds(5, np.random.default_rng(0), by_pair)
    table = realcontext.entries(tuple(data.conditions))
    found = {YARDSTICK: left_out(table[YARDSTICK].make(by_pair, 0), data, fold)}
    for key in keys:
        found |= with_placebos(key, table[key].make(by_pair, 0), data, fold, 0)
    return {name: rmse(e) for name, e in found.items()}


@pytest.mark.parametrize("by_pair", VARIANTS.values())
def test_a_users_own_effect_of_context_is_found_where_it_can_be_said(by_pair: bool) -> None:
    found = study(survey(8, by_user=1.0), "user_context", "post_filter", "pre_filter", "context_bias", "item_context", by_pair=by_pair)
    for key in ("user_context", "post_filter", "pre_filter"):
        assert found[key] < found[YARDSTICK] - 0.15
        assert found[f"{key}_shuffled"] > found[YARDSTICK] - 0.03
        assert found[f"{key}_within_film"] > found[YARDSTICK] - 0.03
    for key in ("context_bias", "item_context"):
        assert found[key] > found[YARDSTICK] - 0.03


def test_the_machine_and_the_gate_find_it_too() -> None:
    data = survey(8, by_user=1.0, users=30)
    held = data.folds(4, np.random.default_rng(0), True) == 0
    table = realcontext.entries(tuple(data.conditions))
    error = lambda key, d: np.sqrt(np.mean((table[key].make(True, 0).fit(d.where(~held)).predict(d.where(held)) - d.stars[held]) ** 2))
    floor, dealt = error(YARDSTICK, data), data.shuffled(np.random.default_rng(0))
    for key in ("machine", "gate"):
        assert error(key, data) < floor - 0.15
        assert error(key, dealt) > floor - 0.04


def test_where_there_is_no_effect_there_is_no_gain() -> None:
    found = study(survey(9), "user_context", "post_filter", "pre_filter", "context_bias", "item_context")
    assert min(found.values()) > found[YARDSTICK] - 0.02


def test_a_gain_by_pages_is_kept_by_the_placebo_within_the_film_alone() -> None:
    found = study(survey(10, by_page=1.0), "user_context")
    assert found["user_context"] < found[YARDSTICK] - 0.15
    assert found["user_context_shuffled"] > found[YARDSTICK] - 0.03
    assert found["user_context_within_film"] == pytest.approx(found["user_context"], abs=0.03)


def test_one_dimension_carries_the_gain_that_was_planted_in_it() -> None:
    data = survey(8, by_user=1.0)
    fold = data.folds(5, np.random.default_rng(0), True)
    alone = {d: rmse(left_out(realcontext.entries((d,))["user_context"].make(True, 0), data.only(d), fold)) for d in data.conditions}
    assert alone["place"] < alone["company"] - 0.15


# -- the report --------------------------------------------------------------------------------------------------------


def test_figures_by_hand() -> None:
    rows = [(u, u, 3, c) for u in range(20) for c in (-1, 0)] + [(0, 1, 3, -1)]
    data = ratings(rows)
    off = np.where(data.asked, 2.0, 1.0)
    found = {YARDSTICK: Errors(off**2, off, 0.0), "user_context": Errors((off / 2) ** 2, off / 2, 0.0)}
    made = {(r.model, r.metric, r.segment): r for r in realcontext.rows("v", data, found)}
    assert made[YARDSTICK, "RMSE", None].mean == pytest.approx(np.sqrt((20 * 4 + 21 * 1) / 41))
    assert made[YARDSTICK, "MAE", None].mean == pytest.approx((20 * 2 + 21) / 41)
    assert made[YARDSTICK, "RMSE", KNOWN].mean == 2
    assert made["user_context", "RMSE", KNOWN].n == 20
    by = {(d.model, d.against, d.segment): d for d in realcontext.paired("v", data, found)}
    assert by["user_context", YARDSTICK, KNOWN].delta == pytest.approx(-1)
    assert by["user_context", YARDSTICK, None].delta == pytest.approx(-np.sqrt(101 / 41) / 2)
    with pytest.raises(ValueError, match="19 users, wanted at least 20"):
        realcontext.rows("v", data.where(data.users < 19), {YARDSTICK: Errors(off[data.users < 19] ** 2, off[data.users < 19], 0.0)})


def test_each_model_meets_the_yardstick_and_its_placebos() -> None:
    names = [YARDSTICK, "gate", "gate_shuffled", "gate_within_film", "gate_time", "gate_time_shuffled"]
    pairs = realcontext.contrasts(dict.fromkeys(names))  # type: ignore[arg-type]
    assert {(a, b) for a, b in pairs if a == "gate"} == {("gate", YARDSTICK), ("gate", "gate_shuffled"), ("gate", "gate_within_film")}
    assert ("gate_time", "gate_time_shuffled") in pairs
    assert all(a in names and b in names for a, b in pairs)
    assert len(set(pairs)) == len(pairs)


@pytest.fixture
def work(tmp_path: Path, monkeypatch) -> Path:
    """A place for reports, and models that take no time."""
    monkeypatch.setenv("MARQUEE_ARTIFACTS", str(tmp_path / "artifacts"))
    settings.cache_clear()
    full = realcontext.entries
    quick = lambda: Factorisation(("user", "item", "situation"), sweeps=3, burn=1)

    def entries(dimensions: tuple[str, ...]) -> dict[str, Entry]:
        made = {key: replace(entry, make=lambda by_pair, seed: quick()) for key, entry in full(dimensions).items()}
        made = {key: made[key] for key in ("mean", YARDSTICK, "user_context")} | {"gate": made["gate"]}
        return made | {"gate": replace(made["gate"], make=lambda by_pair, seed: GatedBlend([quick() for _ in realcontext.GATE_PARTS]))}

    monkeypatch.setattr(realcontext, "entries", entries)
    yield tmp_path
    settings.cache_clear()


def test_the_command_writes_the_report(work: Path, monkeypatch, capsys) -> None:
    folder = work / "depaulmovie"
    folder.mkdir()
    rng = np.random.default_rng(0)
    said = [("NA",) * 3, ("Weekday", "Home", "Alone"), ("Weekend", "Cinema", "Partner"), ("Weekend", "Cinema", "Family")]
    lines = [f"{u},tt{i},{rng.integers(1, 6)},{','.join(c)},x,x" for u in range(1, 23) for i in rng.permutation(9)[:3] for c in said[: 3 + (u > 12)]]
    written(folder, *lines)
    monkeypatch.setattr("sys.argv", ["recommender", "evaluate", "depaulmovie", "--data", str(folder)])
    with pytest.raises(SystemExit) as end:
        command.main()
    assert not end.value.code, capsys.readouterr().err
    report = read(work / "artifacts" / "reports" / "depaulmovie.json")
    assert (report.protocol, report.dataset) == ("depaulmovie", "depaulmovie")
    assert report.command == "python -m recommender evaluate depaulmovie --data depaulmovie"
    assert report.data_hash == read_depaul(folder).fingerprint()
    assert [s["variant"] for s in report.splits] == list(VARIANTS)
    assert {r.variant for r in report.rows} == set(VARIANTS)
    models = {c.model for c in report.models}
    assert {r.model for r in report.rows} == models
    assert {d.model for d in report.differences} | {d.against for d in report.differences} <= models
    for best in report.more["best"].values():
        assert {f"{best}_{d}" for d in CONDITIONS} <= models
    told = report.more["gate"]
    assert [cell["ratings"] for cell in told] == [66, 66, 66]  # the fourth situation has ten users: not told
    assert all(sum(cell["shares"].values()) == pytest.approx(1, abs=0.001) for cell in told)


def test_it_is_no_part_of_all_and_refuses_another_data_set(work: Path, monkeypatch, capsys) -> None:
    assert examine.REAL_CONTEXT not in examine.PROTOCOLS
    monkeypatch.setattr("sys.argv", ["recommender", "evaluate", "depaulmovie", "--data", str(work)])
    with pytest.raises(SystemExit) as end:
        command.main()
    assert end.value.code == 2
    assert f"{FILE} is not there, wanted a file" in capsys.readouterr().err
    assert not (work / "artifacts").exists()


def test_the_committed_report_is_of_this_version() -> None:
    path = Path(__file__).parents[1] / "artifacts" / "reports" / "depaulmovie.json"
    if not path.exists():
        pytest.skip("no report of DePaulMovie")
    report = read(path)
    assert json.dumps(report.more["placebos"]) == json.dumps(realcontext.PLACEBOS)
    assert min(r.n for r in report.rows) >= realcontext.LEAST
    assert min(cell["users"] for cell in report.more["gate"]) >= realcontext.LEAST
