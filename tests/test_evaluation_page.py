"""The Evaluation page over made-up reports: its choices, its sentences, its damaged and missing files; and one visit in a real browser."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from apps import opened
from streamlit.testing.v1 import AppTest
from walks import open_page, settled

from recommender.evaluate.report import Contender, Paired, Report, Row, write
from recommender.ui import charts as drawing
from recommender.ui import league, measures, reports, vega
from recommender.ui.curves import spread
from recommender.ui.league import Pick

SKILL = {"chance": 0.01, "popularity": 0.2, "ease": 0.4, "hybrid": 0.45}
MODELS = [
    Contender("chance", "Chance", "baseline", False, 1, 0, 0.02, 0),
    Contender("popularity", "Popularity", "baseline", False, 1, 0.1, 0.01, 0.1),
    Contender("ease", "EASE", "collaborative", False, 1, 9, 0.4, 55),
    Contender("hybrid", "Hybrid", "hybrid", True, 3, 4000, 7, 60),
]


def report(protocol: str, variants: tuple[str, ...], metrics: dict[str, int | None], segments: tuple[str | None, ...], **more) -> Report:
    wide = lambda metric: 0.0 if metric == "coverage" else 0.01
    rows = [
        Row(v, m, metric, k, s, x, x - wide(metric), x + wide(metric), 600)
        for v, (metric, k), s in itertools.product(variants, metrics.items(), segments)
        for m, x in SKILL.items()
    ]
    pairs = [
        Paired(v, m, "ease", metric, k, s, x - 0.4, x - 0.41, x - 0.39, 1e-4, 4e-4, 600)
        for v, (metric, k), s in itertools.product(variants, metrics.items(), segments)
        for m, x in SKILL.items()
        if m != "ease"
    ]
    return Report(
        protocol, "ml-1m", "0" * 8, "1" * 8, [0], {}, "2026-11-22", f"python -m recommender evaluate {protocol}", [], MODELS, rows, pairs, more
    )


def fill(folder: Path) -> None:
    people = (None, "history=new", "history=power", "gender=F", "gender=M")
    ranking = {"NDCG": 10, "P": 10, "R": 10, "HR": 10, "diversity": 10, "own-hits NDCG": 10, "coverage": 10}
    write(report("P1", ("stable order", "ties shuffled"), ranking, people), folder)
    write(report("P2", ("80/20",), ranking, people), folder)
    promise = {"model": "hybrid", "stars": 3.1, "predicted": 3.1, "observed": 3.2, "lo": 3.1, "hi": 3.3, "n": 500}
    write(report("P3", ("90/10", "80/20"), {"RMSE": None, "MAE": None}, (None,), calibration=[promise, {**promise, "predicted": 4.0}]), folder)
    write(report("P4", ("last", "all"), ranking, (None, "users=warm", "users=cold")), folder)
    known = tuple(f"known={k}" for k in (0, 1, 5, 50))
    write(report("cold-start", ("first ratings",), {"NDCG": 10}, known, thresholds={"few": 3, "many": None}), folder)
    context = [
        Paired("observed", m, "no context", "NDCG", 10, None, d, d - 0.01, d + 0.01, p, p, 600)
        for m, d, p in (("context", 0.02, 0.001), ("shuffled", 0, 0.9))
    ]
    write(Report("context", "ml-1m", "", "", [0], {}, "2026-11-22", "evaluate context", [], MODELS, [], context, {}), folder)
    data = {
        "sizes": {"users": 6040, "density": 0.04, "first": "2000-04-25"},
        "tail": [{"share_of_films": x, "share_of_ratings": x**0.3} for x in (0.0, 0.2, 1.0)],
        "hours": [{"hour": h, "local": h + 1, "utc": 24 - h} for h in range(24)],
        "sessions": [{"sessions": "1", "users": 6}, {"sessions": "over 1", "users": 4}],
        "stars": [{"stars": s, "count": 10} for s in (1, 2, 3, 4, 5)],
        "lengths": [{"low": 20, "high": 40, "users": 5}, {"low": 41, "high": 80, "users": 9}],
    }
    write(Report("data", "ml-1m", "", "", [0], {}, "2026-11-22", "evaluate data", more=data), folder)


def page(**address: str) -> AppTest:
    return opened("evaluation", **{"viewer": "vera", **address})


def text(at: AppTest) -> str:
    return " ".join(str(e.proto.body) for e in at.get("html"))


def charts(at: AppTest) -> list[dict]:
    return [json.loads(c.proto.spec) for c in at.get("vega_lite_chart")]


def test_without_reports_the_page_names_the_command(folder):
    at = page()
    assert any("recommender evaluate all" in c.value for c in at.code)


def test_a_damaged_report_costs_a_line_and_nothing_else(folder):
    fill(folder)
    (folder / "P1.json").write_text("{ not a report")
    at = page()
    assert any("P1" in w.value for w in at.warning)
    assert not any(str(folder) in w.value for w in at.warning)
    assert "Hybrid leads with NDCG@10 .450 [.440, .460]; EASE, the best baseline, .400; popularity .200, chance .010." in text(at)


def test_the_league_draws_intervals_and_lines(folder):
    fill(folder)
    at = page(protocol="p2", metric="p")
    text_of = text(at)
    assert "Ahead of the best baseline, beyond noise, in " in text_of
    assert "What these numbers cannot tell you" in text_of
    assert "no ranking exceeds .531" in text_of
    assert "published figures carry noise of their own" in text_of
    assert "1,209 users" in text_of
    drawn = charts(at)
    assert len(drawn) == 2
    said = json.dumps(drawn[0])
    assert "chance .010" in said
    assert "popularity .200" in said
    assert "published by others" in text_of
    assert "Ferrari Dacrema" in text_of
    assert any("P2" in c.value and "evaluate P2" in c.value for c in at.caption)
    assert len(at.get("download_button")) == 3


@pytest.mark.parametrize("section", ["league", "trade-offs", "who-it-works-for", "stars", "context", "the-data"])
@pytest.mark.parametrize("protocol", ["p1", "p3", "p4"])
def test_every_section_under_every_protocol_says_something(folder, section, protocol):
    fill(folder)
    at = page(section=section, protocol=protocol)
    assert not at.warning
    assert charts(at)


def test_choices_never_lead_to_nothing(folder):
    fill(folder)
    at = page(protocol="p1", metric="ndcg", segment="gender-f", variant="ties-shuffled")
    assert "women" in text(at)
    at.segmented_control(key="mq_ev_pick_protocol").set_value("p3").run()
    assert not at.exception
    assert "RMSE under P3" in text(at)
    assert charts(at)


@pytest.mark.parametrize("bad", ["", "<script>", "../..", "%00", "p9"])
def test_hostile_addresses_fall_back(folder, bad):
    fill(folder)
    at = page(protocol=bad, metric=bad, k=bad, segment=bad, variant=bad, section=bad)
    assert "NDCG@10 under P2" in text(at)


def test_a_leader_that_is_the_best_baseline_is_called_so(folder):
    fill(folder)
    opened = reports.shelf().found["P2"]
    table = league.standing(opened, Pick("P2", "80/20", "NDCG", 10))
    alone = table[table["model"] != "hybrid"]
    assert league.spoken(alone, Pick("P2", "80/20", "NDCG", 10)).startswith("EASE, the best baseline, leads with NDCG@10 .400")
    assert league.compared(alone) == "EASE is the best baseline. No model is ahead of it beyond noise."


def test_a_figure_without_an_interval_has_none_drawn_or_said(folder):
    fill(folder)
    at = page(protocol="p2", metric="coverage")
    assert "Hybrid leads with coverage@10 .450; EASE" in text(at)
    league_chart = charts(at)[0]
    table = drawing.told(league.standing(reports.shelf().found["P2"], Pick("P2", "80/20", "coverage", 10)))
    assert set(table["range"]) == {"–"}
    assert table[["lo", "hi"]].isna().all(axis=None)
    assert all(vega.RANGED in json.dumps(layer) for layer in league_chart["layer"] if '"lo"' in json.dumps(layer["encoding"]))


@pytest.mark.parametrize("dataset, marks", [("ml-1m", 1), ("ml-100k", 0)])
def test_published_figures_stand_beside_their_own_data_set_alone(folder, dataset, marks):
    write(replace(report("P2", ("80/20",), {"P": 10, "R": 10, "NDCG": 10}, (None,)), dataset=dataset), folder)
    said = text(page(protocol="p2", metric="p"))
    assert said.count("best published figure") == said.count("A table that is often copied") == marks
    assert ("published by others" in said) == bool(marks)


def test_a_leader_of_another_library_is_not_ours(folder):
    ours = report("P2", ("80/20",), {"P": 10}, (None,))
    theirs = Contender("slim", "SLIM of RecTools", league.OTHERS, False, 1, 0, 0, 0)
    rows = [*ours.rows, Row("80/20", "slim", "P", 10, None, 0.6, 0.59, 0.61, 600)]
    write(replace(ours, models=[*MODELS, theirs], rows=rows), folder)
    opened = reports.shelf().found["P2"]
    tile = league.tiles({"P2": opened})[0]
    assert (tile.first["model"], tile.other["model"]) == ("hybrid", "slim")
    said = league.spoken(league.standing(opened, tile.pick), tile.pick)
    assert said.startswith("SLIM of RecTools (another library) leads with P@10 .600 [.590, .610]; Hybrid, the best of ours, .450; EASE")
    assert "SLIM of RecTools, another library, .600<i>run here</i></span><em class='mq-ev-bad'>behind" in text(page())


@pytest.mark.parametrize(
    "costs, said", [((4000, 7, 60), "67 min to fit, 7 ms a query, 60 MB"), ((0.063, 0, 0), "0.063 s to fit"), ((0, 0, 0), "not measured")]
)
def test_costs_that_nobody_measured_are_not_told(folder, costs, said):
    fit, ms, mb = costs
    made = replace(report("P2", ("80/20",), {"P": 10}, (None,)), models=[MODELS[3]._replace(fit_seconds=fit, ms_per_query=ms, megabytes=mb)])
    write(made, folder)
    told = drawing.told(league.standing(reports.shelf().found["P2"], Pick("P2", "80/20", "P", 10)))
    assert told.loc[told["model"] == "hybrid", "cost"].tolist() == [said]


def test_the_league_is_drawn_from_popularity_to_the_best_and_names_what_lies_outside(folder):
    fill(folder)
    pick = Pick("P1", "stable order", "NDCG", 10)
    spec = drawing.league(league.standing(reports.shelf().found["P1"], pick), pick, 7)
    edges = {row["model"]: (row["far"], row["edge"]) for row in spec["data"]["values"] if row["model"]}
    assert edges["chance"] == (True, "◀ .010")
    assert not edges["popularity"][0]
    assert "◀ chance .010" in json.dumps(spec, ensure_ascii=False)


def test_an_edition_without_zip_codes_has_one_clock_and_folded_bins_have_their_names(folder):
    more = {
        "sizes": {"users": 610, "density": 0.02},
        "ties": {"share": None, "longest": 3, "users": 20},
        "hours": [{"hour": h, "utc": h} for h in range(24)],
        "sessions": [{"sessions": "1-2", "users": 60}, {"sessions": "over 2", "users": 40}],
        "sitting": {"gap_hours": 6, "one_only": None},
        "stars": [{"stars": s, "count": 10} for s in (1, 2, 3, 4, 5)],
        "growth": [{"month": "1995-01", "until": "1996-05", "ratings": 60}, {"month": "1996-06", "until": "1996-06", "ratings": 40}],
    }
    write(Report("data", "ml-latest-small", "", "", [0], {}, "2026-11-22", "evaluate data", more=more), folder)
    at = page(section="the-data")
    assert not at.warning
    said = text(at)
    assert "By UTC, as stored, the busiest hour begins at 23:00" in said
    assert "60% of the viewers came in 1-2 sittings. A pause of over 6 hours ends a sitting." in said
    assert "60% of all ratings fall into January 1995 to May 1996." in said
    assert not [words for words in ("own clock", "Most came once", "One busy year", "Ratings are kind", "share their second") if words in said]


def test_sentences_about_the_data_follow_its_numbers(folder):
    growth = [{"month": "2000-11", "until": "2000-11", "ratings": 80}, {"month": "2001-01", "until": "2001-01", "ratings": 20}]
    sitting = {"gap_hours": 6, "one_only": 0.6}
    more = {"growth": growth, "sitting": sitting, "sessions": [{"sessions": "1", "users": 61}, {"sessions": "over 1", "users": 39}]}
    write(Report("data", "ml-1m", "", "", [0], {}, "2026-11-22", "evaluate data", more=more), folder)
    said = text(page(section="the-data"))
    assert "80% of all ratings fall into November 2000, 80% into the year 2000" in said
    assert "60% of the viewers rated everything in one sitting" in said
    assert "Most came once" in said


@pytest.mark.parametrize("x, said", [(0.4014, ".401"), (-0.02, "−.020"), (1.693, "1.693"), (1543.2, "1,543"), (0.9999, "1.000"), (float("nan"), "–")])
def test_numbers(x, said):
    assert measures.number(x) == said


def test_labels_move_apart_and_stay_below_the_top():
    moved = spread(np.array([0.1, 0.11, 0.5, 0.5]), 0.05, 0.52)
    assert (np.diff(moved) >= 0.05 - 1e-9).all()
    assert moved[-1] <= 0.52


SEEN = {  # Machado et al., IEEE TVCG 2009, severity 1, on linear RGB
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]])
LAB = np.array([[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]])


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("seen", SEEN)
def test_families_stay_apart_for_every_eye(seen):
    lab = {f: LAB @ np.cbrt(LMS @ np.clip(np.array(SEEN[seen]) @ linear(c), 0, 1)) for f, (c, _) in vega.FAMILIES.items()}
    near = {(a, b): float(np.linalg.norm(lab[a] - lab[b])) for a, b in itertools.combinations(lab, 2)}
    assert min(near.values()) > 0.1, min(near, key=near.get)


def test_colours_can_be_read_on_both_surfaces():
    light = lambda c: float(linear(c) @ [0.2126, 0.7152, 0.0722]) + 0.05
    for surface in ("#100d0b", "#1b1613"):
        for colour in [*(c for c, _ in vega.FAMILIES.values()), vega.IVORY, vega.SOFT, vega.DIM]:
            assert light(colour) / light(surface) >= 4.5, (colour, surface)


@pytest.mark.browser
def test_the_page_in_a_browser(page, app_url):
    """The same metric of longer lists moves nothing."""
    open_page(page, app_url, "/evaluation?viewer=vera")
    before = page.locator(".st-key-mq_chart_league").bounding_box()
    pills = page.locator(".st-key-mq_ev_pick_k")
    pills.get_by_role("radio", name="20").or_(pills.locator("button", has_text="20")).first.click()
    page.locator(".st-key-mq_ev_league h2", has_text="NDCG@20").wait_for()
    page.wait_for_url("**k=20**")
    settled(page)
    assert page.locator(".st-key-mq_chart_league").bounding_box() == pytest.approx(before, abs=2)
    assert [c for c in page.complaints if "404" not in c] == []
