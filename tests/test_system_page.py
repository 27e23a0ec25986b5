"""The System page over made-up and real reports: what it says of models, speed and growth, and where reports are absent or damaged."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from apps import opened, text, views, where
from streamlit.testing.v1 import AppTest

from recommender import artifacts
from recommender.evaluate.report import Report, Row, write
from recommender.loadtest.collect import GOALS
from recommender.settings import settings
from recommender.ui import sys_charts, sys_load, sys_models
from recommender.ui.reports import shelf

MORE = {
    "goal": {"quantile": 0.99, "ms": 20.0, "users": 8, "processors": 2},
    "machine": {"processor": "Some <processor>", "cores": 2, "memory_gb": 16.0},
    "asked": {"films": 10, "demo viewers": 0.5, "films sent": [3, 50], "feedback": 0.1},
    "seconds": 20.0,
    "warm": 3.0,
    "think": 1.0,
    "release": "committed-00000000",
}


def one_run(way: str, workers: int, users: int, p99: float, hi: float) -> list[Row]:
    made = lambda metric, x, lo=None, up=None: Row(variant, "hybrid", metric, None, f"users={users}", x, lo or x, up or x, 500)
    variant, slow = f"{way}, {workers} worker{'s' * (workers > 1)}", users / 8 / workers * 2
    times = [made(f"ms p{p}", slow * ms) for p, ms in ((50, 5.0), (95, 9.0))] + [made("ms p99", slow * p99, slow * 14.0, slow * hi)]
    rates = [made("requests a second", 50.0 * workers), made("failures", 0.0), made("server processors", 0.5 * workers)]
    return [*times, *rates, made("users' processors", 0.2), made("server MB", 800.0 * workers)]


def report(p99: float = 16.0, hi: float = 18.0) -> Report:
    """Twice as many users are twice as slow; two workers are twice as fast."""
    rows = [row for run in itertools.product(("closed loop", "with think time"), (1, 2), (8, 16)) for row in one_run(*run, p99, hi)]
    return Report("load", "ml-1m", "", "", [0], {}, "2026-11-22", "python -m recommender.loadtest", rows=rows, more=MORE)


def scale(folder: Path, **more) -> None:
    row = {"users": 9, "items": 500, "cpu_seconds": 2.0, "peak_mb": 2000.0, "shuffle_mb": 1.0}
    rows = [{"step": step, "interactions": n, "seconds": n / 1e6 * f, **row} for step, f in (("ease", 2.0), ("als", 3.0)) for n in (10**6, 10**7)]
    growth = [{"step": step, "sizes": 2, "seconds": 1.0, "cpu_seconds": 0.0, "peak_mb": 0.25, "shuffle_mb": 0.0} for step in ("ease", "als")]
    found = {"facts": {"date": "2026-11-22", "cores": 2}, "rows": rows, "growth": growth, **more}
    (folder / "scale.json").write_text(json.dumps(found))


def drawn(**address: str) -> str:
    at = opened("system", viewer="kenji", **address)
    return " ".join([text(at), *(w.value for w in at.warning), *(c.value for c in at.code)])


@pytest.mark.parametrize(
    ("p99", "hi", "said"),
    [(16.0, 18.0, "The goal of 20 ms is met:"), (16.0, 23.0, "is met, within the noise:"), (21.0, 23.0, "is missed:")],
)
def test_the_goal_is_judged_with_its_interval(folder: Path, p99: float, hi: float, said: str) -> None:
    write(report(p99, hi), folder)
    load = shelf().found["load"]
    head, sentence = sys_load._times(load, sys_load.runs(load), sys_load.THINKING)
    assert f"{head}:".endswith(said.removeprefix("The goal of 20 ms "))
    assert f"within {p99:.1f} ms [14.0, {hi:.1f}] with 2 workers" in sentence
    assert sentence.endswith(f"Users who never pause wait {p99:.1f} ms [14.0, {hi:.1f}].")


def test_too_few_lists_or_lists_that_fail_meet_no_goal(folder: Path) -> None:
    for change, said in (
        (lambda r: r._replace(lo=r.mean, hi=r.mean) if r.metric == "ms p99" else r, "is met, but by too few lists to be sure"),
        (lambda r: r._replace(mean=0.02) if r.metric == "failures" else r, "is missed"),
        (lambda r: r._replace(metric="another") if r.metric.startswith("ms ") else r, "How long a list takes"),
    ):
        made = report()
        write(replace(made, rows=[change(r) for r in made.rows]), folder)
        load = shelf().found["load"]
        head, sentence = sys_load._times(load, sys_load.runs(load), sys_load.CLOSED)
        assert head.endswith(said)
        assert ("[" in sentence) == (said == "is missed")
        assert ("2.0% of their requests failed" in sentence) == (said == "is missed")


def test_runs_are_rows_with_their_metrics(folder: Path) -> None:
    write(report(), folder)
    runs = sys_load.runs(shelf().found["load"])
    assert len(runs) == 8
    one = runs[(runs["way"] == "closed loop") & (runs["workers"] == 1) & (runs["users"] == 16)].iloc[0]
    assert (one["ms p99"], one["ms p99 lo"], one["ms p99 hi"], one["requests a second"]) == (64, 56, 72, 50)
    assert one["row"] == "16 users, 1 worker"
    # 16 users at 50 requests a second wait 320 ms each; half a processor at 50 a second is 10 ms a request.
    _, sentence = sys_load._rates(shelf().found["load"], runs[(runs["way"] == "closed loop") & (runs["workers"] == 1)], sys_load.CLOSED)
    assert "8 users at 50 a second for 160 ms each" in sentence
    assert "10.0 ms of processor" in sentence


def test_times_stand_on_one_scale_with_the_goal(folder: Path) -> None:
    write(report(), folder)
    runs = sys_load.runs(shelf().found["load"])
    spec = sys_charts.times(sys_load._quantiles(runs[runs["way"] == "closed loop"]), 20.0)
    low, high = spec["layer"][0]["encoding"]["x"]["scale"]["domain"] if "scale" in spec["layer"][0]["encoding"]["x"] else (0, 0)
    assert low < 10 <= 20 < 64 < high
    assert spec["layer"][1]["data"]["values"][0]["name"] == "goal for p99: 20 ms"
    assert len(spec["data"]["values"]) == 4 * 3
    assert [r["lo"] for r in spec["data"]["values"] if r["metric"] != "ms p99"] == [None] * 8  # only p99 has its interval drawn


def test_the_axis_of_times_holds_every_whisker() -> None:
    points = pd.DataFrame([{"row": "close", "workers": "click to paint", "metric": "ms p50", "ms": 57.0, "lo": 3.0, "hi": 900.0}])
    low, high = sys_charts.times(points, 200.0)["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert low < 3
    assert high > 900


def test_the_page_says_how_it_answers_under_load(folder: Path) -> None:
    write(report(), folder)
    said = drawn(about="under-load")  # the address of before
    assert "The goal of 20 ms is met" in said
    assert "Some <processor>" in said
    assert "Users who never pause keep the server as busy" in drawn(about="speed", speed="under-load", load="closed-loop")


def test_absent_reports_are_commands(folder: Path) -> None:
    assert "load.json has not been written yet" in (said := drawn(about="speed", speed="under-load"))
    assert sys_load.COMMAND in said
    assert "scale.json has not been written yet" in drawn(about="beyond-one-machine")


def test_growth_is_told_in_words(folder: Path) -> None:
    scale(folder)
    said = drawn(about="beyond-one-machine")
    assert "1,000,000 to 10,000,000 interactions, 500 films: the most time is that of als, 30 s at 10,000,000." in said
    assert "all is in order" in said  # scale.json is of another scheme and no damaged report


def test_costs_are_rows_from_the_dearest_with_a_point_for_each_size() -> None:
    points = pd.DataFrame(
        {"step": ["als", "ease"] * 3, "interactions": [4_817_863] * 2 + [19_296_932] * 2 + [10**8] * 2, "seconds": [1, 9, 2, 30, 90, 50]}
    )
    spec = sys_charts.growth(points, "seconds", "seconds")
    line, point = spec["layer"]
    assert line["encoding"]["y"]["sort"] == ["als", "ease"]
    low, high = point["encoding"]["x"]["scale"]["domain"]
    assert low < 1 < 90 < high
    assert list(sys_charts.sizes(points["interactions"].tolist())) == ["4.8 M interactions", "19 M interactions", "100 M interactions"]
    assert {row["size"] for row in spec["data"]["values"]} == set(point["encoding"]["color"]["scale"]["domain"])


def test_releases_are_told_with_what_they_were_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "releases", tmp_path)
    least = {"model": "hybrid", "difference": {"delta": -0.0001, "lo": -0.0034, "hi": 0.0029}}
    other = {"model": "ease", "difference": {"delta": 0.0004, "lo": -0.0021, "hi": 0.0031}}
    facts = {"models": ["ease", "hybrid"], "data": {"ratings": 1000209}, "feedback": {"ratings": 1412}, "exam": {"rows": [other, least]}}
    for name, told in (("18-031500-1f2e3d4c", json.dumps(facts)), ("19-031502-aabbccdd", '{"models": ["als"]}'), ("20-031507-0badcafe", "[1")):
        (folder := tmp_path / f"202611{name}").mkdir()
        (folder / "release.json").write_text(told)
    said = drawn(about="releases")
    assert said.index("20261120-031507") < said.index("20261119-031502") < said.index("20261118-031500")  # the newest first
    assert "release.json cannot be read" in said
    assert "fitted again: als; what it was examined on is not told" in said
    assert "on 1,000,209 ratings of the data set and 1,412 of feedback" in said
    assert "least sure of hybrid: −.0001 NDCG@10 [−.0034, +.0029]" in said


def test_damaged_reports_cost_their_section_and_are_told(folder: Path) -> None:
    write(report(), folder)
    (folder / "load.json").write_text((folder / "load.json").read_text().replace('"more"', '"other"'))
    (folder / "scale.json").write_text("[1")
    said = drawn(about="health")
    assert "1 thing out of order" in said
    assert "load.json is not a report of this version" in said
    assert "Scale cannot be drawn" in drawn(about="beyond-one-machine")
    write(Report(**{**vars(report()), "more": {}}), folder)
    (folder / "scale.json").unlink()
    assert "Speed cannot be drawn" in drawn(about="under-load")


def test_releases_and_models_are_told() -> None:
    said = drawn(about="releases")
    assert "What is served now" in said
    assert "committed-" in said
    assert "the models that came with the code" in said
    assert "A blend of three models (hybrid)" in drawn(about="health")
    assert settings().releases.name.startswith("releases")


# -- what the house is made of -----------------------------------------------------------------------------------------


REAL = Path(__file__).resolve().parents[1] / "artifacts" / "reports"


def alts(at: AppTest) -> list[str]:
    return [c.proto.alt for c in at.get("vega_lite_chart")]


def raw(name: str) -> dict:
    return json.loads((REAL / f"{name}.json").read_text())


def three(x: float) -> str:
    return f"{x:.3f}".removeprefix("0")


def test_the_head_says_what_is_at_work(folder: Path) -> None:
    said, card = drawn(), artifacts.card("ease", settings().artifacts)
    assert re.search(rf"1[12] models for 3,883 films, taught by {card['data']['ratings']:,} ratings: all is in order\.", said)


def test_a_model_card_has_the_figures_of_card_and_reports() -> None:
    at = opened("system", viewer="kenji", card="ease")
    card, said = artifacts.card("ease", settings().artifacts), text(at)
    rows = raw("cold-start")["rows"]
    wanted = ("random ratings, liked otherwise", "ease", "NDCG", 10, "known=50")
    row = next(r for r in rows if (r["variant"], r["model"], r["metric"], r["k"], r["segment"]) == wanted)
    assert f"“Fifty random ratings known”: NDCG@10 {three(row['mean'])} [{three(row['lo'])}, {three(row['hi'])}]" in said
    v = card["validation"]["NDCG@10"]
    assert f"EASE has NDCG@10 {three(v['mean'])} [{three(v['lo'])}, {three(v['hi'])}]" in said
    assert f"{card['weights']['bytes'] / 1e6:.2f} MB" in said
    assert card["weights"]["sha256"] in said
    assert "sum to the score, exactly" in said
    assert "not device, simulated" in said
    p99 = next(r for r in raw("bench")["rows"] if (r["variant"], r["model"], r["metric"]) == ("model", "ease", "ms p99"))
    assert f"99 of 100 within {p99['mean']:.2f}".replace(" 0.", " .") in said
    assert len(alts(at)) == 2
    assert all("NDCG@10" in alt for alt in alts(at))


def test_the_card_of_the_model_of_stars_says_what_its_stars_are_worth() -> None:
    said = " ".join(alts(opened("system", viewer="kenji", card="ratings")))
    rows = {r["model"]: r for r in raw("P3")["rows"] if (r["variant"], r["metric"], r["segment"]) == ("90/10", "RMSE", None)}
    assert f"RMSE {three(rows['ratings']['mean'])} stars" in said
    assert f"User and film means {three(rows['biases']['mean'])}" in said


def test_a_model_whose_card_is_gone_has_no_card_and_the_others_have(tmp_path: Path) -> None:
    for name in ("ease", "als"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "card.json").write_bytes((REAL.parent / name / "card.json").read_bytes())
    (tmp_path / "als" / "card.json").write_text("{")
    assert list(sys_models.found(SimpleNamespace(folder=tmp_path))) == ["ease"]


def test_without_reports_cards_stand_and_commands_say_what_is_missing(folder: Path) -> None:
    assert "not measured yet python -m recommender.bench" in (said := drawn()).replace("<i>", "").replace("</i>", "")
    assert "Ahead of popularity everywhere" in said  # its own examination is on its card
    assert "bench.json has not been written yet" in drawn(about="speed")
    assert "browser.json has not been written yet" in drawn(about="speed", speed="in-a-browser")
    assert "data.json counts it, and has not been written yet." in drawn(about="data")
    said = drawn(about="limits")
    assert "people who chose freely" in said
    assert "cold-start.json" in said.partition("What is not known to be a limit")[2]
    assert "Nothing is out of date" in drawn(about="lineage")


def test_a_bench_that_cannot_be_read_is_told(folder: Path) -> None:
    (folder / "bench.json").write_text("[1")
    said = drawn(about="speed")
    assert "1 thing out of order" in said
    assert "Speed cannot be drawn" in said
    assert "bench.json is not a report of this version" in drawn(about="health")
    assert "not measured yet" in drawn(about="models")


def test_goals_are_drawn_with_what_misses_them(folder: Path) -> None:
    made = json.loads((REAL / "bench.json").read_text())
    for row in made["rows"]:
        row.update(dict.fromkeys(("mean", "lo", "hi"), 0.001) if row["variant"] != "memory" else {"mean": 900.0, "lo": 900.0, "hi": 900.0})
    (folder / "bench.json").write_text(json.dumps(made))
    assert "Every goal is met on one core" in drawn(about="speed")
    next(r for r in made["rows"] if r["variant"] == "memory")["mean"] = 1200.0
    (folder / "bench.json").write_text(json.dumps(made))
    at = opened("system", viewer="kenji", about="speed")
    assert re.search(r"1 of \d+ goals is missed\. Over the goal: [^;(]* \(1,200 of 1,000 MB\)\.", alts(at)[0])


def test_a_stale_report_is_lit_with_the_pages_that_draw_it(folder: Path) -> None:
    for name in ("P1", "P2"):
        (folder / f"{name}.json").write_bytes((REAL / f"{name}.json").read_bytes())
    assert "Nothing is out of date" in drawn(about="lineage")
    planted = {**raw("P2"), "data_hash": "0" * 64}
    (folder / "P2.json").write_text(json.dumps(planted))
    write(report(), folder)  # of a release that is not at work
    at = opened("system", viewer="kenji", about="lineage")
    assert "2 things out of date" in text(at)
    told = " ".join(w.value for w in at.warning).replace("\\", "")
    assert re.search(r"P2: of data 0{12}, the models are of f93bf6d17b9c", told)
    assert re.search(r"load: measured on committed.*00000000, committed.* is at work", told)
    found = views(at)["lineage"]
    nodes = [node for stage in found["stages"] for box in stage["nodes"] for node in box.get("parts", [box])]
    stale = {node["name"] for node in nodes if node["stale"]}
    assert stale == {"P2", "load", "Evaluation", "System"}
    assert found["said"].startswith("2 things out of date.")
    lit = {(a, b) for a, b, late in found["edges"] if late}
    assert lit == {("Reports Protocols", "page Evaluation"), ("Reports Protocols", "page System"), ("Reports Operations", "page System")}


def test_old_addresses_lead_to_where_things_are_now(folder: Path) -> None:
    at = opened("system", viewer="kenji", about="under-load")
    assert (where(at, "about"), where(at, "speed")) == ("speed", "under-load")
    assert where(opened("system", viewer="kenji", about="beyond-one-machine"), "about") == "scale"


def test_what_a_browser_sees_is_drawn_where_it_was_measured(folder: Path) -> None:
    rows = [
        Row(of, "app", f"ms {p}", None, f"act={act}", ms, ms - 1, ms + 1, 50)
        for of, times in (("before", 900.0), ("after", 70.0), ("hour", 800.0))
        for act, slow in (("rate", 1), ("open a film", 3))
        for p, ms in (("p50", times * slow), ("p95", 3 * times * slow))
    ]  # as loadtest.collect writes them: what was before, and what simulated browsers waited for, are no paints of this app
    samples = [{"minute": m, "rss_mb": 700.0 + 10 * m} for m in (0, 30, 60)]
    write(Report("browser", "", "", "", [0], {}, "2026-11-22", "run", rows=rows, more={"samples": samples, "goals": GOALS}), folder)
    at = opened("system", viewer="kenji", about="speed", speed="in-a-browser")
    said = alts(at)
    assert said[0].startswith("1 of 2 acts are painted late, by their medians. The slowest is “open a film”: 210 ms (p50), 630 ms (p95)")
    assert "goal for the median: 200 ms" in at.get("vega_lite_chart")[0].proto.spec
    assert said[1] == "Memory goes over the goal. 700 MB at first, 1,300 MB after 60 minutes, 1,300 MB at most; the goal is 1,000 MB."
