"""What the house says it is made of: model cards held against the models, lineage, limits and goals held against the reports."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender import artifacts
from recommender.about import data, lineage, models, speed
from recommender.about.limits import TOLD, UNTRIED, limits
from recommender.about.lineage import Written
from recommender.about.words import ABOUT, DEVICE, FILMS, HOUR, ORDER, STARS
from recommender.evaluate.report import Contender, Report, Row, files, read
from recommender.models import MODELS
from recommender.serve.service import Service
from recommender.settings import settings
from recommender.types import Context, Profile, Query

REPORTS = Path(settings().artifacts, "reports")


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    return {path.stem: read(path) for path in [*files(REPORTS), REPORTS / "bench.json", REPORTS / "browser.json"]}


@pytest.fixture(scope="module")
def cards() -> dict[str, dict]:
    return {card["name"]: card for card in artifacts.cards(settings().artifacts)}


def raw(name: str) -> dict:
    return json.loads((REPORTS / f"{name}.json").read_text())


# -- model cards -------------------------------------------------------------------------------------------------------


def test_every_served_model_has_its_words() -> None:
    assert set(ABOUT) == {name for name, make in MODELS.items() if getattr(make(), "shipped", True)}
    assert len({about.short for about in ABOUT.values()}) == len(ABOUT)


def test_a_model_may_use_what_moves_its_scores_and_nothing_else(service: Service) -> None:
    rng = np.random.default_rng(0)
    items = rng.choice(np.flatnonzero(service.catalog.raters > 200), 13, replace=False)
    stars, times = np.array([5, 4, 3, 5, 2, 4, 5, 1, 4, 3, 5, 4.0]), np.arange(12) * 1000
    profile = Profile(items[:12], stars, times)
    asked = Query(profile, Context("evening", "tv"))
    loath = np.where(np.arange(12) % 2, 1.0, stars)  # every other film has one star
    changed = {
        FILMS: replace(asked, profile=Profile(items[1:], stars, times)),
        STARS: replace(asked, profile=Profile(items[:12], loath, times)),
        ORDER: replace(asked, profile=Profile(items[:12][::-1], stars[::-1], times)),
        HOUR: replace(asked, context=Context("morning", "tv")),
        DEVICE: replace(asked, context=Context("evening", "mobile")),
    }
    for name, about in ABOUT.items():
        model = service.models[name]
        usual = model.score([asked])[0]
        moved = {signal for signal, query in changed.items() if not np.allclose(model.score([query])[0], usual, atol=1e-4)}
        assert moved == set(about.inputs), name
        assert model.explain(asked, [int(items[12])])[0].exact == about.exact, name


def test_a_card_tells_in_what_the_tested_model_differs(cards: dict) -> None:
    assert models.otherwise("als", cards["als"]) == "factors 128, served 96; alpha 10, served 4; reg 100, served 10"
    assert models.otherwise("pure_svd", cards["pure_svd"]) == ""
    assert models.otherwise("hybrid", cards["hybrid"]) == ""  # takes part in none of them
    assert models.otherwise("ease", {"parameters": {"neighbours": 1_000_000, "penalty": 1000.0}}) == ""
    assert models.otherwise("ease", cards["ease"]) == "neighbours all, served 200"


def test_figures_are_those_of_the_files(cards: dict, reports: dict) -> None:
    found = {f.test: f for f in models.figures("ease", cards, reports)}
    wanted = next(
        r for r in raw("P2")["rows"] if (r["model"], r["metric"], r["k"], r["segment"], r["variant"]) == ("ease", "NDCG", 10, None, "80/20")
    )
    assert tuple(found["Hidden fifth (P2)"].found) == tuple(wanted.values())
    assert found["Hidden fifth (P2)"].beside.model == "popularity"
    assert (
        found["Strangers’ last film"].found.mean == json.loads((settings().artifacts / "ease/card.json").read_text())["validation"]["NDCG@10"]["mean"]
    )
    assert len(found) == 6
    assert [f.test for f in models.figures("ease", cards, {})] == ["Strangers’ last film"]
    assert models.figures("ease", {"ease": {}}, {}) == []
    best = models.at_home(cards)
    assert [r.mean for r in best] == sorted((c["validation"]["NDCG@10"]["mean"] for c in cards.values()), reverse=True)


def test_stars_are_off_by_the_mean_of_their_bins() -> None:
    told = [{"model": "ratings", "predicted": 2.0, "observed": 2.5, "n": 30}, {"model": "ratings", "predicted": 4.0, "observed": 3.9, "n": 10}]
    rows = [Row("90/10", name, "RMSE", None, None, x, x - 0.1, x + 0.1, 40) for name, x in (("ratings", 0.85), ("biases", 0.91))]
    report = Report("P3", "ml-1m", "", "", [0], {}, "2026-11-22", "", rows=rows, more={"calibration": told})
    error, off = models.stars("ratings", {"P3": report})
    assert (error.found.mean, error.beside.mean) == (0.85, 0.91)
    assert off == pytest.approx((30 * 0.5 + 10 * 0.1) / 40)
    assert models.stars("ease", {"P3": report}) == models.stars("ratings", {}) == (None, None)


# -- lineage -----------------------------------------------------------------------------------------------------------

OLD = Written("x", "ml-1m", "aaaa", "", "2026-01-01", "", {})


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (OLD, ""),
        (OLD._replace(data_hash="bbbb"), "of data bbbb, the models are of aaaa"),
        (OLD._replace(dataset="ml-100k", data_hash="bbbb"), ""),
        (OLD._replace(release="r2"), "measured on r2, r1 is at work"),
        (OLD._replace(release="r1"), ""),
        (OLD._replace(dataset="the click world, simulated", data_hash="eeee"), "of weights eeee, the committed ones are wwww"),
        (OLD._replace(dataset="the click world, simulated", data_hash="wwww"), ""),
        (OLD._replace(name="cold-start"), "of 2026-01-01, before als of 2026-02-02"),
        (OLD._replace(name="cold-start", date="2026-02-02"), ""),
    ],
)
def test_a_report_is_stale_where_it_says_that_it_is_of_something_else(report: Written, why: str) -> None:
    assert lineage.stale(report, "aaaa", "r1", "wwww", {"als": "2026-02-02", "ease": "2026-01-01"}) == why


def graph_of(service: Service, cards: dict, written: list[Written], loaded: set[str] | None = None) -> lineage.Graph:
    weights = lineage.weights_hash(settings().artifacts, cards)
    return lineage.graph(cards, loaded or set(cards), written, service.catalog, service.version, weights)


def test_the_committed_house_is_of_one_piece(service: Service, cards: dict, reports: dict) -> None:
    found = graph_of(service, cards, [Written.of(r) for r in reports.values()])
    assert found.stale == []
    assert {node.name for node in found.silent} == {name for name, r in reports.items() if lineage.silent(Written.of(r))} <= {
        "aa", "calibration", "audit-ml-100k", "depaulmovie", "browser",
    }  # fmt: skip
    nodes = {node.key: node for node in found.nodes}
    assert nodes["model ease"].hash == cards["ease"]["weights"]["sha256"]
    assert ("set ml-1m", "ratings ml-1m") in found.edges
    assert ("ratings ml-1m", "model ease") in found.edges
    assert ("model ease", "model hybrid") in found.edges
    assert ("model hybrid", "report cold-start") in found.edges
    assert ("report cold-start", "page Evaluation") in found.edges
    assert {end for edge in found.edges for end in edge} <= set(nodes)


def test_what_is_planted_is_lit_down_to_the_page(service: Service, cards: dict, reports: dict) -> None:
    planted = Written.of(reports["P2"])._replace(data_hash="0" * 64)
    other = {name: json.loads(json.dumps(card)) for name, card in cards.items()}
    other["als"]["data"]["sha256"] = "1" * 64
    found = graph_of(service, other, [Written.of(reports["P1"]), planted], set(cards) - {"content"})
    why = {node.key: node.stale for node in found.stale}
    assert why["report P2"].startswith("of data 000000000000, the models are of ")
    assert why["page Evaluation"] == "draws P2"
    assert why["model content"] == "did not load"
    assert why["model als"] == "of other data than the rest"
    assert set(why) == {"report P2", "page Evaluation", "page System", "model content", "model als"}


def test_reports_of_other_schemes_say_what_they_are_of() -> None:
    found = lineage.written("api", {"facts": {"release": "committed-1", "date": "2026-11-22", "command": "run"}, "open": {}})
    assert (found.release, found.date, found.command, found.data_hash) == ("committed-1", "2026-11-22", "run", "")
    assert not lineage.silent(found)
    assert lineage.silent(lineage.written("scale", {"facts": {"date": "2026-11-22"}}))


# -- speed and limits --------------------------------------------------------------------------------------------------


def bench(*rows: Row) -> Report:
    goals = {"model": {"at_most": 5.0, "unit": "ms"}, "start": {"at_most": 8.0, "unit": "s"}}
    return Report("bench", "", "", "", [0], {}, "2026-11-22", "", rows=list(rows), more={"goals": goals})


def test_things_stand_beside_their_goals() -> None:
    report = bench(
        Row("model", "ease", "ms p50", None, None, 1.0, 0.9, 1.1, 400),
        Row("model", "ease", "ms p99", None, None, 6.0, 4.0, 7.0, 400),
        Row("start", "first answer", "s", None, None, 2.0, 2.0, 2.0, 1),
        Row("start", "again", "ms p99", None, None, 900.0, 900.0, 900.0, 20),  # in another unit than the goal of its part
        Row("artifact", "ease", "MB", None, None, 7.0, 7.0, 7.0, 1),
    )
    first, second = speed.judged(report, {"ease": "EASE"})
    assert (first.row, first.share, first.lo, first.hi, first.met, first.said) == ("EASE: one list", 1.2, 0.8, 1.4, False, "6.0 of 5 ms")
    assert (second.row, second.share, second.met, second.said) == ("first answer", 0.25, True, "2.0 of 8 s")
    assert np.isnan(second.lo)
    assert [r.mean for r in speed.of_model("ease", report)] == [1.0, 6.0]
    assert speed.of_model("als", report) is speed.of_model("ease", None) is None


def test_every_limit_is_told_of_the_committed_reports(reports: dict) -> None:
    found = limits(reports, 2000)
    assert found.absent == []
    assert len(found.limits) == 1 + len(TOLD) + len(UNTRIED)
    at = {limit.head: limit for limit in found.limits}
    p2 = raw("P2")["rows"]
    best = max((r for r in p2 if (r["metric"], r["k"], r["segment"]) == ("NDCG", 10, None)), key=lambda r: r["mean"])["model"]
    mean = {r["segment"]: r["mean"] for r in p2 if (r["model"], r["metric"], r["k"]) == (best, "NDCG", 10)}
    assert at["NDCG@10 for women against men, under P2"].figure == f"{mean['gender=F'] - mean['gender=M']:+.3f}".replace("0.", ".").replace("-", "−")
    tail = at["NDCG@10 for rarely rated films, under P2"]
    assert (tail.figure, tail.said.partition(" ")[0]) == tuple(f"{mean[f'popularity={s}']:.3f}".removeprefix("0") for s in ("tail", "head"))
    people = {r["segment"]: r["n"] for r in raw("P1")["rows"] if (r["segment"] or "").startswith("gender=")}
    assert at["of the raters are men"].figure == f"{people['gender=M'] / (people['gender=M'] + people['gender=F']):.0%}"
    once = raw("data")["more"]["sitting"]["one_only"]
    assert at["rated everything in one sitting"].figure == f"{once:.0%}"
    seeds = [m["seeds"] for m in raw("P1")["models"] if m["family"] == "sequential"]
    assert at[f"training run{'s' * (min(seeds) > 1)} of each Transformer"].figure == str(min(seeds))


def test_without_reports_only_what_needs_none_is_said() -> None:
    found = limits({}, 1999)
    assert [limit.figure for limit in found.limits] == ["1999", *(limit.figure for limit in UNTRIED)]
    assert set(found.absent) == {name for name, _ in TOLD}


def test_a_gain_from_the_hour_is_sure_only_where_its_interval_is_above_zero(reports: dict) -> None:
    report = reports["context"]
    for lo, said in ((-0.001, "cannot be told from none"), (0.001, "beyond noise")):
        planted = replace(report, differences=[d._replace(delta=0.002, lo=lo, hi=0.003) for d in report.differences])
        (limit,) = [x for x in limits({"context": planted}, 2000).limits if x.head == "NDCG@10 from the part of the day"]
        assert said in limit.said


def test_a_goal_under_load_is_missed_or_met(reports: dict) -> None:
    load = reports["load"]
    quick = [r._replace(mean=9.0, lo=8.0, hi=10.0) if r.metric == "ms p99" else r for r in load.rows]
    noisy = [r._replace(mean=19.0, lo=8.0, hi=30.0) if r.metric == "ms p99" else r for r in load.rows]
    for rows, said in ((quick, "met"), (noisy, "met within the noise"), ([r._replace(mean=50.0) for r in load.rows], "missed")):
        limit = next(x for x in limits({"load": replace(load, rows=rows)}, 2000).limits if x.group == "Speed")
        assert limit.head.endswith(f"the goal of 20 ms {said}")


# -- data --------------------------------------------------------------------------------------------------------------


def test_the_card_of_the_data_counts(service: Service, reports: dict) -> None:
    said = dict(data.answers(service.catalog, reports))
    assert f"{len(service.catalog):,} films of {service.catalog.years.min()} to {service.catalog.years.max()}" in said["What is in it?"]
    assert f"{sum(d != () for d in service.catalog.directors):,} with a director" in said["What is in it?"]
    assert f"{np.isfinite(service.catalog.minutes).sum():,} with a running time" in said["What is in it?"]
    stars = raw("data")["more"]["stars"]
    share = sum(s["count"] for s in stars if s["stars"] >= 4) / sum(s["count"] for s in stars)
    assert f"{share:.0%} of the ratings are four stars or more" in said["Where does it lean?"]
    bare = dict(data.answers(service.catalog, {}))
    assert bare["Who is in it?"] == "P1.json counts it, and has not been written yet."


def test_groups_of_few_people_are_not_told() -> None:
    counts = {None: 100, "gender=F": data.KEPT - 1, "age=18-24": data.KEPT, "age=under 18": 3}
    rows = [Row("v", "ease", "NDCG", 10, segment, 0.5, 0.4, 0.6, n) for segment, n in counts.items()]
    report = Report("P1", "ml-1m", "", "", [0], {}, "", "", models=[Contender("ease", "EASE", "collaborative", False, 1, 1, 1, 1)], rows=rows)
    said = data.people(report)
    assert said == "100 people, by the age, gender and US ZIP code they typed, 20% aged 18–24, the largest group."
