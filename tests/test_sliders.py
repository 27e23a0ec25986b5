"""The study of what both sliders cost, on rows worked by hand; and its reader for serving."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from recommender import rank, steer
from recommender.catalog import Catalog
from recommender.evaluate import sliders
from recommender.evaluate.report import read
from recommender.evaluate.sliders import ADVENTURES, CANDIDATES, MEASURES, NEWCOMERS, OWN, PLAIN, SERVED, VARIETIES, FirstRows, Setting
from recommender.evaluate.split import Split
from recommender.interactions import Interactions
from recommender.serve import carousels
from recommender.serve.costs import Cost, cost_of, costs
from recommender.settings import ROOT, Settings
from recommender.types import Explanation, Preferences, Query

REPORTS = ROOT / "artifacts" / "reports"
I = 600  # films  # noqa: E741
RATERS = np.arange(1, I + 1)[::-1]  # film 0 is the best known


def catalog() -> Catalog:
    """Films of two genres, the first 300 of one and the rest of the other."""
    nobody, first = ((),) * I, np.arange(I) < 300
    return Catalog(
        np.arange(I), ("",) * I, np.zeros(I, int), np.stack([first, ~first], axis=1), ("A", "B"), nobody, nobody, ("",) * I,
        np.full(I, np.nan), np.zeros(I, int), np.zeros(I, int),
    )  # fmt: skip


class Fixed:
    """The same scores for everybody; keeps the weights it was told."""

    def __init__(self, scores: np.ndarray) -> None:
        self.scores, self.catalog = scores.astype(np.float32), catalog()
        self.told: list[list[float]] = []

    def fit(self, interactions: Interactions, catalog: Catalog):
        return self

    def score(self, queries: list[Query]) -> np.ndarray:
        self.told += [q.profile.weights.tolist() for q in queries]
        return np.tile(self.scores, (len(queries), 1))

    def explain(self, query: Query, items: np.ndarray) -> list[Explanation]:
        return []


def split_of(seen: list[int], right: list[int]) -> Split:
    x = Interactions.sorted(np.zeros(len(seen), int), np.array(seen), np.array([5.0, 1])[: len(seen)], np.arange(len(seen)), n_users=1, n_items=I)
    return Split(
        protocol="", variant="", seed=0, train=x, source=x, spans=np.array([[0, len(seen)]]), users=np.zeros(1, int), at=np.zeros(1, int),
        relevant=sparse.csr_array(np.isin(np.arange(I), right)[None]), times_of_day=np.array([-1]), candidates=np.ones(I, bool), liked_from=3.0,
    )  # fmt: skip


def rows(model: Fixed, near: Fixed | None = None, right: list[int] | None = None) -> FirstRows:
    return FirstRows(model, near, split_of([0, 7], right or [1]), catalog(), RATERS)


def test_every_place_once_the_own_setting_first() -> None:
    for model, n in ((SERVED, len(ADVENTURES) * len(VARIETIES)), (PLAIN, len(ADVENTURES) + len(VARIETIES) - 1), (NEWCOMERS, 15)):
        settings = sliders.settings_of(model)
        assert len(settings) == len(set(settings)) == n
        assert settings[0] == (0, OWN[model])
        assert {s.adventure for s in settings} == set(ADVENTURES)
        assert {s.variety for s in settings} == set(VARIETIES)


def test_first_rows_are_those_of_the_app() -> None:
    assert carousels.CANDIDATES == CANDIDATES
    assert Settings.model_fields["diversity"].default == OWN[SERVED]


def test_a_row_without_settings_is_the_plain_one() -> None:
    model = Fixed(-np.arange(I))
    assert rows(model).shown([Setting(0, 0)])[0, 0].tolist() == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11]  # 0 and 7 were seen
    assert model.told == [[Settings.model_fields["love_weight"].default, Settings.model_fields["dislike_weight"].default]]


def test_adventure_moves_towards_what_few_rated() -> None:
    scores = np.random.default_rng(0).normal(size=I).astype(np.float32)
    scores[[10, 590]] = 10, 9.9
    known, own, rare = rows(Fixed(scores)).shown([Setting(a, 0) for a in (-1, 0, 1)])[0]
    assert own[:2].tolist() == [10, 590]
    assert rare[0] == 590
    assert known[0] == 10
    assert RATERS[known].mean() > RATERS[own].mean() > RATERS[rare].mean()
    points = steer.ADVENTURE * steer.rarity(RATERS) * scores.std()
    np.testing.assert_array_equal(rare, rank.top(rank.mask(scores + points, np.array([0, 7])), 10))


def test_another_model_may_choose_what_is_ranked() -> None:
    near = Fixed(np.where(np.arange(I) < 150, 0.0, 1.0) + 1e-4 * np.arange(I))  # the first 150 and some more are not among its 400
    row, moved = rows(Fixed(-np.arange(I)), near).shown([Setting(0, 0), Setting(-1, 0)])[0]
    assert row.tolist() == list(range(I - CANDIDATES, I - CANDIDATES + 10))
    assert moved[0] < row[0]  # the choice is moved as well, towards what many rated


def test_variety_mixes_genres() -> None:
    scores = np.where(np.arange(I) < 300, 20.0, 0.0) - np.arange(I) % 300
    alike, mixed = rows(Fixed(scores)).shown([Setting(0, 0), Setting(0, 0.7)])[0]
    assert (alike < 300).all()
    assert 0 < (mixed >= 300).sum() < 10


def test_figures_by_hand() -> None:
    # hits at the second and last place of two right films and one more out of reach
    shown = np.array([[599, 5, 1, 2, 3, 4, 6, 8, 9, 20]])
    found = dict(zip(MEASURES, rows(Fixed(np.zeros(I)), right=[5, 20, 400]).figures(shown, 1200)[0]))
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert found["HR"] == 1
    assert found["NDCG"] == pytest.approx((1 / np.log2(3) + 1 / np.log2(11)) / ideal)
    assert found["raters"] == (RATERS[5] + RATERS[6]) / 2
    assert found["novelty"] == pytest.approx(-np.log2(RATERS[shown[0]] / 1200).mean())
    assert found["diversity"] == pytest.approx(9 / 45)  # nine of 45 pairs are of two genres


def test_differences_are_to_the_own_setting() -> None:
    rng = np.random.default_rng(0)
    settings = [Setting(0, 0.2), Setting(1, 0.2), Setting(-1, 0.2)]
    values = [rng.random((50, 5)) for _ in settings]
    values[2][:, :2] = values[0][:, :2] + 0.1
    found = sliders.compare("hybrid", settings, values)
    assert [(d.variant, d.against, d.metric) for d in found[2:]] == [(str(settings[2]), str(settings[0]), m) for m in ("HR", "NDCG")]
    assert [d.delta for d in found[2:]] == [0.1, 0.1]
    assert found[1].delta == pytest.approx((values[1] - values[0])[:, 1].mean(), abs=1e-4)
    assert found[2].p_holm == pytest.approx(4 * found[2].p, abs=1e-3)


def test_the_report_is_of_these_settings() -> None:
    report = read(REPORTS / "sliders.json")
    assert report.more["scale"] == steer.ADVENTURE
    for model in OWN:
        assert [(s["adventure"], s["variety"]) for s in report.more["settings"][model]] == sliders.settings_of(model)
    assert report.more["weights"] == {name: Settings.model_fields[name].default for name in ("love_weight", "dislike_weight")}
    found = {(r.variant, r.metric): r.mean for r in report.rows if r.model == SERVED}
    for metric, sign in (("raters", -1), ("novelty", 1)):  # what the slider is for
        along = [sign * found[str(Setting(a, OWN[SERVED])), metric] for a in ADVENTURES]
        assert along == sorted(along)
    mixed = [found[str(Setting(0.0, v)), "diversity"] for v in VARIETIES]
    assert mixed == sorted(mixed)


# -- the reader --------------------------------------------------------------------------------------------------------


def test_costs_are_those_of_the_report() -> None:
    report, found = read(REPORTS / "sliders.json"), costs(REPORTS)
    assert set(found) == set(OWN)
    for d in report.differences:
        if d.metric == "NDCG":
            (cost,) = [c for c in found[d.model] if f"adventure {c.adventure:g}, variety {c.variety:g}" == d.variant]
            assert (cost.delta, cost.lo, cost.hi, cost.p, cost.n) == (d.delta, d.lo, d.hi, d.p_holm, d.n)
            assert cost.raters == report.mean(d.model, "raters", variant=d.variant).mean
            assert cost.own_raters == report.mean(d.model, "raters", variant=d.against).mean


def cost(adventure: float, variety: float, delta: float = 0.0) -> Cost:
    return Cost("hybrid", adventure, variety, delta, delta and delta - 0.006, delta and delta + 0.006, 1, 1200, 0, 250, 500, 3, 0.6, 0.1)


def test_the_nearest_place_counts() -> None:
    found: dict[str, tuple[Cost, ...]] = {"hybrid": (cost(0, 0.2), cost(0, 0), cost(1, 0.2), cost(0.5, 0.2), cost(0.5, 1))}
    place = lambda *set_, **of: (c := cost_of(found, Preferences(*set_), "hybrid", **of)) and (c.adventure, c.variety)
    assert place() == (0, 0.2)
    assert place(0.0, 0.05) == (0, 0)
    assert place(0.76) == (1, 0.2)
    assert place(0.74) == (0.5, 0.2)
    assert place(0.4, 0.9) == (0.5, 1)
    assert place(0.2, 0.62) == (0.5, 1)  # half a turn of adventure is as far as a quarter of variety
    assert place(variety=0.0) == (0, 0)  # the way's own, where the viewer set none
    assert place(0.0, 0.2, variety=0.0) == (0, 0.2)
    assert cost_of(found, Preferences(), "als") is None
    assert cost_of({}, Preferences(), "hybrid") is None


def test_what_a_cost_says() -> None:
    assert cost(0, 0.2).said == ""
    assert cost(1, 0.2, -0.012).said == "NDCG@10 -.012 [-.018, -.006] on 1,200 viewers; films with 250 raters instead of 500"


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"rows": 3}', "[" * 10_000])
def test_without_a_sound_report_nothing_is_known(tmp_path: Path, text: str) -> None:
    assert costs(tmp_path) == {}
    (tmp_path / "sliders.json").write_text(text)
    assert costs(tmp_path) == {}


@pytest.mark.parametrize("value", [float("nan"), "much", None, 7.0])
def test_a_figure_that_is_none_leaves_nothing(tmp_path: Path, value: object) -> None:
    raw = json.loads((REPORTS / "sliders.json").read_text("utf-8"))
    raw["differences"][1]["delta"] = value
    (tmp_path / "sliders.json").write_text(json.dumps(raw))
    assert costs(tmp_path) == {}
