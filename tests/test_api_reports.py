"""Reports, experiments and models over HTTP: the same figures as the files and the commands, and nothing of few people."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from browsing import ROOT, got, refused
from logs import PLAN, log
from typer.testing import CliRunner

from recommender.__main__ import app
from recommender.api import browsed_experiments, browsed_reports
from recommender.api.browsed_experiments import BRIEF
from recommender.evaluate.report import files as report_files
from recommender.evaluate.report import latest, read
from recommender.experiment import plan as plans
from recommender.experiment.assign import arm_of, first_day, midnight
from recommender.experiment.plan import Plan, Simulation
from recommender.experiment.shelf import LEAST
from recommender.models import MODELS
from recommender.serve.events import Event
from recommender.serve.feedback import Feedback, FeedbackError

ARTIFACTS = Path(ROOT) / "artifacts"
PEOPLE = replace(PLAN, name="on-people", days=7)


@pytest.fixture
def desk(api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The front desk with an artifacts folder that holds no report and no experiment, and with a store of its own."""
    service, store = api.app.state.desk.service, Feedback.open(f"sqlite:///{tmp_path / 'own.sqlite'}")
    monkeypatch.setattr(service, "feedback", store)
    monkeypatch.setattr(service, "settings", service.settings.model_copy(update={"artifacts": tmp_path}))
    for name in ("reports", "experiments"):
        (tmp_path / name).mkdir()
    yield service
    store.close()


def put(desk, name: str, file: str) -> Path:
    """A committed report or experiment in the folder of this test."""
    source, home = ARTIFACTS / file, desk.settings.artifacts / Path(file).parent / name
    return Path(shutil.copytree(source, home) if source.is_dir() else shutil.copyfile(source, home))


# -- evaluation --------------------------------------------------------------------------------------------------------


def test_the_pages_of_a_report_hold_every_figure_once(api) -> None:
    report = read(ARTIFACTS / "reports" / "depaulmovie.json")
    pages = [got(api, "/api/evaluation/depaulmovie", browsed_reports.ReportOf, page=n, size=100) for n in range(1, 5)]
    rows = [row for page in pages for row in page["figures"]["rows"]]
    assert [(row["model"], row["metric"], row["segment"], row["mean"]) for row in rows] == [
        (r.model, r.metric, r.segment, r.mean) for r in report.rows
    ]
    assert [row["lo"] is None for row in rows] == [r.lo == r.hi for r in report.rows]
    pairs = [pair for page in pages for pair in page["differences"]["rows"]]
    assert pairs == [d._asdict() for d in report.differences]
    assert pages[0]["report"]["rows"] == len(rows) == pages[0]["figures"]["total"]
    assert pages[0]["more"] == report.more


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "ease", "metric": "NDCG", "k": 10, "segment": "all", "variant": "stable order"},
        {"metric": "HR"},
        {"segment": "all", "k": 10},
    ],
)
def test_figures_are_those_that_were_asked_for(api, asked) -> None:
    report, wanted = read(ARTIFACTS / "reports" / "P1.json"), {**asked, **({"segment": None} if asked.get("segment") == "all" else {})}
    said = got(api, "/api/evaluation/P1", browsed_reports.ReportOf, size=1000, **asked)["figures"]["rows"]
    by_hand = [r for r in report.rows if all(getattr(r, field) == value for field, value in wanted.items())]
    assert [row["mean"] for row in said] == [r.mean for r in by_hand]
    assert [row["lo"] for row in said] == [None if r.lo == r.hi else r.lo for r in by_hand]  # coverage has no interval
    assert 0 < len(said) < len(report.rows)


def test_all_reports_are_listed_and_each_is_told(api) -> None:
    said = got(api, "/api/evaluation", browsed_reports.Reports)
    assert said["damaged"] == []
    assert [report["name"] for report in said["reports"]] == sorted(path.stem for path in report_files(ARTIFACTS / "reports"))
    for report in said["reports"]:
        assert got(api, f"/api/evaluation/{report['name']}", browsed_reports.ReportOf)["report"] == report


def test_what_a_report_has_nowhere_is_refused_with_the_nearest(api) -> None:
    assert "did you mean ease" in refused(api, 404, "/api/evaluation/P1", model="eas")["detail"]
    assert "NDCG" in refused(api, 404, "/api/evaluation/P1", metric="NDCQ")["detail"]
    assert "did you mean P1" in refused(api, 404, "/api/evaluation/p1")["detail"]
    for name in ("..%2F..%2Fsettings", "P1.json", "..%2Freports%2FP1"):
        refused(api, 404, f"/api/evaluation/{name}")


def test_a_damaged_report_is_named_and_costs_itself_alone(api, desk) -> None:
    put(desk, "aa.json", "reports/aa.json")
    (desk.settings.artifacts / "reports" / "odd.json").write_text("{}")
    assert "odd" in refused(api, 503, "/api/evaluation/odd")["detail"]
    said = got(api, "/api/evaluation", browsed_reports.Reports)
    assert ([report["name"] for report in said["reports"]], said["damaged"]) == (["aa"], ["odd"])


def test_a_report_is_read_once_a_version(desk) -> None:
    path = put(desk, "aa.json", "reports/aa.json")
    first = latest(path)
    assert latest(path) is first
    path.write_text(path.read_text().replace('"protocol": "aa"', '"protocol": "anew"'))
    assert latest(path).protocol == "anew"


# -- experiments -------------------------------------------------------------------------------------------------------


def as_read(name: str, *more: str) -> dict:
    done = CliRunner().invoke(app, ["experiment", "read", name, *more, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_an_experiment_says_what_the_command_says(api) -> None:
    assert got(api, "/api/experiments/blend", browsed_experiments.ReadingOf) == as_read("blend")
    assert got(api, "/api/experiments/blend", browsed_experiments.ReadingOf, day=2) == as_read("blend", "--until", "2")
    assert "0 to 13" in refused(api, 422, "/api/experiments/blend", day=14)["detail"]
    assert "did you mean blend" in refused(api, 404, "/api/experiments/blnd")["detail"]


def test_results_are_parts_of_the_readings_and_say_that_they_are_simulated(api) -> None:
    said = got(api, "/api/ab_test_results", browsed_experiments.Results)
    assert {one["name"] for one in said["results"]} == {path.parent.name for path in (ARTIFACTS / "experiments").glob("*/plan.json")}
    assert (said["waiting"], said["damaged"]) == ([], [])
    for one in said["results"]:
        full = got(api, f"/api/experiments/{one['name']}", browsed_experiments.ReadingOf)
        assert {key: one[key] for key in BRIEF} == {key: full[key] for key in BRIEF}
        assert one["simulated"] is True
        assert one["decisions"][0]["verdict"] in ("ship", "roll back", "keep running", "invalid")


def test_all_that_are_planned_are_listed_as_the_command_lists_them(api) -> None:
    done = CliRunner().invoke(app, ["experiment", "list", "--json"])
    listed = {line["name"]: line for line in json.loads(done.stdout)}
    said = got(api, "/api/experiments", browsed_experiments.Overviews)
    assert {line.pop("waiting") for line in said["experiments"]} == {None}
    assert {line["name"]: line for line in said["experiments"]} == listed


def come(desk, plan: Plan, **arms: int) -> None:
    """So many people of each arm see films and click on one, on the first two days."""
    plans.write(plan, desk.settings.artifacts / "experiments" / plan.name)
    noon, names = midnight(first_day(plan)) + 43_200, (f"person-{n}" for n in count())
    wanted, events = dict(arms), list[Event]()
    while any(wanted.values()):
        arm = arm_of(plan, viewer := next(names)).name
        if not wanted[arm]:
            continue
        wanted[arm] -= 1
        for day in range(2):
            said = {"experiment": plan.name, "arm": arm, "at": noon + 86_400 * day, "recommendation": f"{viewer}-{day}", "row": "top"}
            events += [Event(viewer, "impression", film, position=n, **said) for n, film in enumerate((1, 260))]
            events += [Event(viewer, "click", 260, **said)]
    desk.feedback.add(events)


ARMS = ("without", "with")


@pytest.mark.parametrize("people", [(1, 0), (9, LEAST - 10), (LEAST - 1, LEAST + 9), (LEAST + 9, LEAST - 1)])
def test_nothing_is_told_of_few_people(api, desk, people) -> None:
    come(desk, PEOPLE, **dict(zip(ARMS, people)))
    for day in ({}, {"day": 0}):
        problem = refused(api, 404, "/api/experiments/on-people", **day)
        assert str(LEAST) in problem["detail"]
        assert not {"counts", "primary", "health"} & set(problem)
    said = got(api, "/api/ab_test_results", browsed_experiments.Results)
    assert said["results"] == []
    assert [one["name"] for one in said["waiting"]] == ["on-people"]
    line = got(api, "/api/experiments", browsed_experiments.Overviews)["experiments"][0]
    assert (line["on"], line["viewers"]) == ("people", sum(people))
    assert (line["events"] is None) == (sum(people) < LEAST)


def test_of_enough_people_everything_is_told(api, desk) -> None:
    come(desk, PEOPLE, **dict.fromkeys(ARMS, LEAST))
    said = got(api, "/api/experiments/on-people", browsed_experiments.ReadingOf)
    assert (said["simulated"], said["days"], said["counts"]) == (False, 2, dict.fromkeys(ARMS, LEAST))
    assert [one["name"] for one in got(api, "/api/ab_test_results", browsed_experiments.Results)["results"]] == ["on-people"]


def test_what_is_damaged_is_named_and_costs_itself_alone(api, desk) -> None:
    put(desk, "blend", "experiments/blend")
    home = desk.settings.artifacts / "experiments"
    (home / "odd").mkdir()
    (home / "odd" / "plan.json").write_text("{}")
    plans.write(replace(PLAN, name="cut", simulation=Simulation(viewers=300)), home / "cut")
    (home / "cut" / "log.npz").write_bytes(b"PK\3\4")
    for name in ("odd", "cut"):
        assert name in refused(api, 503, f"/api/experiments/{name}")["detail"]
    said = got(api, "/api/ab_test_results", browsed_experiments.Results)
    assert ([one["name"] for one in said["results"]], sorted(said["damaged"])) == (["blend"], ["cut", "odd"])
    assert got(api, "/api/experiments", browsed_experiments.Overviews)["damaged"] == ["odd"]


def test_a_new_log_is_read_anew(api, desk) -> None:
    plan, home = replace(PLAN, name="made-up", simulation=Simulation(viewers=300)), desk.settings.artifacts / "experiments" / "made-up"
    plans.write(plan, home)
    counted = []
    for viewers in (300, 400):
        log(viewers, plan=plan).save(home / "log.npz")
        counted.append(sum(got(api, "/api/experiments/made-up", browsed_experiments.ReadingOf)["counts"].values()))
    assert counted[0] < 300 < counted[1]


def test_without_the_store_simulations_are_read_and_people_are_not(api, desk, monkeypatch) -> None:
    put(desk, "blend", "experiments/blend")
    plans.write(PEOPLE, desk.settings.artifacts / "experiments" / PEOPLE.name)

    def away(_: Feedback) -> list:
        raise FeedbackError(f"the feedback database at {ROOT}/secret cannot be used")

    monkeypatch.setattr(Feedback, "experiments", away)
    assert [one["name"] for one in got(api, "/api/ab_test_results", browsed_experiments.Results)["results"]] == ["blend"]
    refused(api, 503, "/api/experiments/on-people")
    refused(api, 503, "/api/experiments")


# -- models ------------------------------------------------------------------------------------------------------------


def test_models_are_told_by_their_cards(api) -> None:
    service = api.app.state.desk.service
    said = got(api, "/api/models", browsed_reports.Models)
    assert said["version"] == service.version
    assert [model["name"] for model in said["models"]] == list(MODELS)
    for model in said["models"]:
        assert model["loaded"] == (model["name"] in service.models)
        if (path := ARTIFACTS / model["name"] / "card.json").exists():
            card = json.loads(path.read_text())
            assert (model["sha256"], model["data"], model["date"]) == (card["weights"]["sha256"], card["data"], card["date"])
            assert model["figures"]["NDCG@10"] == card["validation"]["NDCG@10"]
            assert model["simulated"] == card["simulated"]


def test_a_model_without_a_card_is_named_all_the_same(api, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(api.app.state.desk.service, "folder", tmp_path)
    said = {model["name"]: model for model in got(api, "/api/models", browsed_reports.Models)["models"]}
    assert (said["ease"]["loaded"], said["ease"]["date"], said["ease"]["figures"]) == (True, None, {})
