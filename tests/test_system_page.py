"""The System page over made-up reports: what it says of load and growth, and what it shows where reports are absent or damaged."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from apps import opened, text

from recommender.evaluate.report import Report, Row, write
from recommender.settings import settings
from recommender.ui import sys_charts, sys_load
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
    assert len(spec["data"]["values"]) == 4 * 3
    assert [r["lo"] for r in spec["data"]["values"] if r["metric"] != "ms p99"] == [None] * 8  # only p99 has its interval drawn


def test_the_page_says_how_it_answers_under_load(folder: Path) -> None:
    write(report(), folder)
    said = drawn()
    assert "Everything is open." in said
    assert "The goal of 20 ms is met" in said
    assert "Some <processor>" in said
    assert "Users who never pause keep the server as busy" in drawn(load="closed-loop")


def test_absent_reports_are_commands(folder: Path) -> None:
    assert "load.json has not been written yet" in (said := drawn())
    assert sys_load.COMMAND in said
    assert "scale.json has not been written yet" in drawn(about="beyond-one-machine")


def test_growth_is_told_in_words(folder: Path) -> None:
    scale(folder)
    said = drawn(about="beyond-one-machine")
    assert "1,000,000 to 10,000,000 interactions, 500 films: the most time is that of als, 30 s at 10,000,000." in said
    assert "Everything is open." in said  # scale.json is of another scheme and no damaged report


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
    assert "One thing is out of order." in said
    assert "load.json is not a report of this version" in said
    assert "Beyond one machine cannot be drawn" in drawn(about="beyond-one-machine")
    write(Report(**{**vars(report()), "more": {}}), folder)
    (folder / "scale.json").unlink()
    assert "Under load cannot be drawn" in drawn()


def test_releases_and_models_are_told() -> None:
    said = drawn(about="releases")
    assert "What is served now" in said
    assert "committed-" in said
    assert "the models that came with the code" in said
    assert "A blend of three models (hybrid)" in drawn(about="health")
    assert settings().releases.name.startswith("releases")
