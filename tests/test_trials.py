"""The commands for experiments, and an experiment on the people of the app: what is fixed stays, what is wrong is told, and both are read alike."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apps import opened as opened_page
from apps import told as told_of
from apps import views
from conftest import opened
from logs import PLAN, log
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from recommender import __main__ as command_line
from recommender import trials
from recommender.experiment import plan as plans
from recommender.experiment.assign import arm_of
from recommender.experiment.log import Log
from recommender.experiment.plan import Arm, Plan, PlanError, Simulation
from recommender.serve.feedback import Event, Feedback, FeedbackError
from recommender.settings import ROOT, settings
from recommender.ui import desk, trial

TODAY = datetime.now(UTC).date()
CONFIRMED = ("--hypothesis", "Told, people click more.", "--arm", "blind=hybrid:blind", "--arm", "told=hybrid:context")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where experiments are kept: none yet, beside the models as they are."""
    desk.desk()  # kept for the whole process: opened with what is committed, whichever test comes first
    for path in (ROOT / "artifacts").iterdir():
        if path.name != "experiments":
            (tmp_path / path.name).symlink_to(path)
    monkeypatch.setattr(settings(), "artifacts", tmp_path)
    return tmp_path / "experiments"


@pytest.fixture
def home(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, and a store without events."""
    monkeypatch.setattr(settings(), "database_url", f"sqlite:///{shelf.parent / 'feedback.sqlite'}")
    return shelf


def command(*words: str, typed: str = ""):
    return CliRunner().invoke(command_line.app, ["experiment", *words], input=typed)


def written(shelf: Path, plan: Plan, viewers: int = 2000, **more) -> Log:
    """A plan with the log of an experiment of known truth."""
    plans.write(plan, shelf / plan.name)
    made = log(viewers, plan=plan, **more)
    made.save(shelf / plan.name / "log.npz")
    return made


# -- plan -----------------------------------------------------------------------------------------------------------------


def test_a_plan_is_written_and_fixed_today(home: Path) -> None:
    done = command("plan", "moment", *CONFIRMED, "--guardrail", "diversity=0.2", "--mde", "0.1", "--days", "7", "--viewers", "500", "--seed", "3")
    assert done.exit_code == 0, done.output
    made = plans.read(home / "moment" / "plan.json")
    assert (made.frozen, made.mde, made.days, made.guardrails, made.secondary) == (TODAY, 0.1, 7, {"diversity": 0.2}, ("engagement", "relevance"))
    assert [(arm.name, arm.model, arm.context, arm.share) for arm in made.arms] == [("blind", "hybrid", False, 0.5), ("told", "hybrid", True, 0.5)]
    assert made.simulation is not None
    assert (made.simulation.viewers, made.simulation.seed, made.viewers) == (500, 3, None)
    assert made.checksum in done.output
    assert "is not known" in done.output


@pytest.mark.parametrize(
    ("text", "context", "variety"),
    [
        ("b=ease", True, None),
        ("b=ease:blind", False, None),
        ("b=ease:context:0.3", True, 0.3),
        ("b=ease:blind:.25", False, 0.25),
        ("b=ease:1", True, 1.0),
    ],
)
def test_an_arm_in_words(text: str, context: bool, variety: float | None) -> None:
    assert trials._arm(text, 0.5) == {"name": "b", "model": "ease", "context": context, "share": 0.5, "variety": variety}


@pytest.mark.parametrize("text", ["b", "b=", "=ease", "b=ease:dark", "b=ease:blind:2", "b=ease:0.3:blind", "b=ease:blind:"])
def test_an_arm_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="--arm is"):
        trials._arm(text, 0.5)


def test_a_fixed_plan_is_never_changed(home: Path) -> None:
    command("plan", "moment", *CONFIRMED)
    before = (home / "moment" / "plan.json").read_bytes()
    assert command("plan", "moment", *CONFIRMED).exit_code == 0  # the same once more
    for other in (("--mde", "0.01"), ("--people",), ("--primary", "engagement")):
        with pytest.raises(PlanError, match="is frozen since"):
            raised(command("plan", "moment", *CONFIRMED, *other))
    assert (home / "moment" / "plan.json").read_bytes() == before


def raised(result) -> None:
    """What a command raised, which the command line turns into one line and exit code 2."""
    assert result.exception is not None, result.output
    raise result.exception


@pytest.mark.parametrize(
    "words, told",
    [
        (("--arm", "third=hybird"), "model 'hybird' of arm third is not known; did you mean hybrid"),
        (("--arm", "third"), "--arm is 'third', wanted NAME=MODEL"),
        (("--arm", "third=ease:deaf"), "--arm is 'third=ease:deaf', wanted NAME=MODEL"),
        (("--guardrail", "diversity"), "--guardrail is 'diversity', wanted METRIC=MARGIN"),
        (("--guardrail", "joy=0.1"), "metric 'joy' is not known"),
        (("--primary", "joy"), "metric 'joy' is not known"),
        (("--alpha", "0.7"), "alpha is 0.7"),
        (("--holdout", "1.5"), "holdout|share"),
        (("--dose", "9"), r"simulation\.dose is 9.0"),
        (("--people", "--dose", "1"), "--dose and --seed are of a simulation"),
        (("--people", "--seed", "0"), "--dose and --seed are of a simulation"),
        (("--guardrail", "latency=0.1", "--guardrail", "latency=0.2"), "--guardrail is 'latency=0.2', wanted each metric once"),
        (("--secondary", "ctr"), "metrics are ctr, ctr, wanted each once"),
        (("--hypothesis", " "), "hypothesis is ' ', wanted a line"),
        (("--arm", "a\nb=ease"), "name of an arm is .*, wanted a line of 1 to 40"),
    ],
)
def test_what_cannot_be_planned_is_told(home: Path, words: tuple[str, ...], told: str) -> None:
    with pytest.raises((ValueError, LookupError), match=told):
        raised(command("plan", "moment", *CONFIRMED, *words))
    assert not home.exists()


def test_a_plan_says_how_many_viewers_it_takes_as_measured_before(home: Path) -> None:
    before = written(home, PLAN)
    for people in ("--simulate", "--people"):
        found = json.loads(command("plan", f"new{people}", *CONFIRMED, "--mde", "0.1", people, "--json").output)
        needed = found["needed"]
        assert (needed["as_in"], needed["days"]) == (PLAN.name, 14)
        clicks, shown = (before.total(name)[before.arms == 0] for name in ("clicks", "shown"))
        assert needed["mean"] == pytest.approx(clicks.sum() / shown.sum(), rel=1e-6)
        plain = 4 * (1.959964 + 0.841621) ** 2 * needed["sd"] ** 2 / (0.1 * needed["mean"]) ** 2
        assert needed["viewers"] == pytest.approx(plain, rel=0.02)  # both arms together, by the normal approximation
        assert needed["with_cuped"] == pytest.approx(plain * (1 - needed["saved"]), rel=0.02)
    assert f"as in 14 days of {PLAN.name}" in command("plan", "three", *CONFIRMED).output


# -- run, list, drop ------------------------------------------------------------------------------------------------------


def test_a_simulation_runs_into_the_store_and_is_read(home: Path) -> None:
    command("plan", "small", *CONFIRMED[:2], "--arm", "old=popularity", "--arm", "new=ease:blind", "--viewers", "60", "--days", "8")
    done = command("run", "small")
    assert done.exit_code == 0, done.output
    assert re.search(r"[\d,]+ events of \d+ simulated viewers stored", done.output)
    with opened(settings().database_url) as store:
        [first] = store.experiments()
        assert (first.experiment, first.simulated) == ("small", True)
        assert first.viewers <= 60
        store.add([Event("sim-old", "click", 1, experiment="small", arm="old", simulated=True)])  # of a run that ended half way
        assert command("run", "small").exit_code == 0  # begins anew, and gives the same
        assert store.experiments() == [first]
    found = json.loads(command("read", "small", "--json").output)
    kept = Log.load(home / "small" / "log.npz")
    assert found["plan"]["name"] == "small"
    assert found["simulated"] is True
    assert found["days"] == 8
    assert sum(found["counts"].values()) + sum(found["left_out"].values()) == len(kept)
    assert json.loads(command("read", "small", "--json", "--until", "2").output)["days"] == 3
    listed = json.loads(command("list", "--json").output)
    assert [(row["name"], row["events"], row["log"]) for row in listed] == [("small", first.events, True)]
    assert command("drop", "small", typed="n\n").exit_code == 1
    assert command("drop", "small", "--yes").output == f"{first.events:,} simulated events of small deleted\n"
    assert json.loads(command("read", "small", "--json").output) == found  # from the log beside the plan


def test_another_run_at_the_same_time_is_told_and_writes_no_log(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command("plan", "small", *CONFIRMED[:2], "--arm", "old=popularity", "--arm", "new=popularity", "--viewers", "40", "--days", "2")
    add, calls = Feedback.add_columns, []

    def begun_again(feedback: Feedback, batch: dict) -> int:
        """Another process begins the same run after the first days."""
        if len(calls) == 3:
            feedback.drop_experiment("small")
        calls.append(1)
        return add(feedback, batch)

    monkeypatch.setattr(Feedback, "add_columns", begun_again)
    with pytest.raises(ValueError, match=r"the store has [\d,]+ events of small, wanted [\d,]+: another run"):
        raised(command("run", "small"))
    assert not (home / "small" / "log.npz").exists()
    done = command("read", "small", "--json")  # what is there of it
    assert json.loads(done.stdout)["simulated"] is True
    assert "a run that was broken off" in done.stderr


def test_a_run_without_a_store_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command("plan", "small", *CONFIRMED)
    monkeypatch.setattr(settings(), "database_url", f"sqlite:///{home / 'small' / 'plan.json'}")
    with pytest.raises(FeedbackError, match="not a database"):
        raised(command("run", "small"))


def test_the_list_names_what_cannot_be_read_and_goes_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(home, PLAN, 200)
    (home / "broken").mkdir()
    (home / "broken" / "plan.json").write_text("{")
    plans.write(PLAN, home / "moved")
    done = command("list", "--json")
    assert [row["name"] for row in json.loads(done.stdout)] == [PLAN.name]
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == ["warning", "warning"]
    for columns, whole in ((80, False), (200, True)):
        monkeypatch.setenv("COLUMNS", str(columns))
        shown = [command("list").stdout, command("read", PLAN.name).stdout]
        assert [PLAN.hypothesis in shown[0], "saved by CUPED" in shown[1]] == [whole, whole]
        assert max(map(len, "".join(shown).splitlines())) <= columns


def test_the_committed_log_is_read_where_the_store_has_nothing(home: Path) -> None:
    written(home, replace(PLAN, guardrails={"diversity": 0.1}), 4000, lift=0.3)
    shown = command("read", PLAN.name)
    assert shown.exit_code == 0, shown.output
    assert "SHIP" in shown.output
    assert "Sample ratio" in shown.output
    assert "SHIP" not in command("read", PLAN.name, "--until", "0").output  # a verdict that says no is no error


def test_what_was_not_measured_is_a_dash(home: Path) -> None:
    plan = replace(PLAN, name="unmeasured", guardrails={"latency": 0.5})
    made = written(home, plan, 200)
    replace(made, sums=made.sums | {name: 0 * made.sums[name] for name in ("stars", "rated", "timed", "latency")}).save(home / plan.name / "log.npz")
    shown = command("read", plan.name).stdout
    assert re.search(r"Relevance +with +– +– +– +– +–", shown)
    assert re.search(r"Latency +with +– +– +– +– +– +50% +unsure", shown)
    assert "nan" not in shown


@pytest.mark.parametrize(
    "words, told",
    [
        (("read", "planed"), "experiment 'planed' is not planned in .*; did you mean planted"),
        (("run", "nothing"), "experiment 'nothing' is not planned"),
        (("run", "planted"), "experiment planted is one on people, wanted a simulated one"),
        (("read", "empty"), "experiment empty has no events yet, wanted some: MARQUEE_EXPERIMENT=empty"),
        (("read", "loose"), "experiment loose is not frozen"),
        (("read", "planted", "--until", "99"), "99"),
        (("drop", "planted"), "experiment 'planted' has no simulated events in .*; there is none"),
        (("read", "moved"), "is the plan of 'planted', wanted that of 'moved'"),
        (("study", "calibrations"), "study 'calibrations' is not known; did you mean calibration"),
        (("study", "joy"), "study 'joy' is not known; wanted one of aa, calibration, .*, all"),
    ],
)
def test_what_cannot_be_done_is_told(home: Path, words: tuple[str, ...], told: str) -> None:
    written(home, PLAN, 200)
    plans.write(replace(PLAN, name="empty"), home / "empty")
    plans.write(PLAN, home / "moved")
    plans.write(replace(PLAN, name="loose", frozen=None), home / "loose")
    with pytest.raises((ValueError, LookupError), match=told):
        raised(command(*words))


# -- on people ------------------------------------------------------------------------------------------------------------


def on_people(shelf: Path, begun: int = 1, **other) -> Plan:
    """A plan whose day 0 was `begun` days ago."""
    arms = (Arm("plain", "popularity", False), Arm("close", "item_knn", True))
    plan = Plan("live", "Closer films are clicked more.", arms, frozen=TODAY - timedelta(begun + 1), **other)
    plans.write(plan, shelf / "live")
    return plan


def test_what_people_did_is_read_as_an_experiment(home: Path) -> None:
    plan = on_people(home, begun=1)
    start = datetime.combine(TODAY - timedelta(1), datetime.min.time(), UTC).timestamp()
    with opened(settings().database_url) as store:
        for n in range(60):
            viewer = f"ml-{n + 1}"
            arm = arm_of(plan, viewer)
            assert arm is not None
            stamp = {"experiment": "live", "arm": arm.name, "recommendation": f"p{n}", "row": "first"}
            shown = [Event(viewer, "impression", film, at=start + n, position=film - 1, **stamp) for film in (1, 2, 3)]  # type: ignore[arg-type]
            store.add([*shown, Event(viewer, "click", 1 + n % 3, at=start + n + 5, **stamp)])
        store.add([Event("sim-1", "click", 1, at=start, experiment="live", arm="plain", simulated=True)])
    done = command("read", "live", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["simulated"] is False
    assert sum(found["counts"].values()) == 60
    assert found["primary"][0]["plain"]["control"] == pytest.approx(1 / 3)


def test_an_experiment_runs_on_its_days_alone(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = ("popularity", "item_knn", "ease")
    assert trial.running(models) is None
    assert trial.problems(models) == ()
    monkeypatch.setattr(settings(), "experiment", "live")
    assert "MARQUEE_EXPERIMENT is 'live': experiment 'live' is not planned in" in trial.problems(models)[0]
    plan = on_people(shelf, begun=0, days=2)
    for frozen, runs in ((0, False), (1, True), (2, True), (3, False)):
        (shelf / "live" / "plan.json").write_text(replace(plan, frozen=TODAY - timedelta(frozen)).as_json())
        assert (trial.running(models) is not None) == runs
        assert bool(trial.said(models)) == runs
    assert trial.problems(models) == ()
    for other, told in (
        (replace(plan, frozen=None), "experiment live is not frozen"),
        (replace(plan, name="lively"), "is the plan of 'lively', wanted that of 'live'"),
        (replace(plan, simulation=Simulation()), "'live', one on simulated viewers; wanted one on people"),
        (replace(plan, arms=(plan.control, Arm("far", "als"))), "model 'als' of live did not load"),
    ):
        (shelf / "live" / "plan.json").write_text(replace(other, frozen=other.frozen and TODAY - timedelta(1)).as_json())
        assert told in trial.problems(models)[0]
        assert trial.running(models) is None
        assert trial.said(models) == ""
    monkeypatch.setattr(settings(), "experiment", "../live")
    assert trial.problems(models)


def page(viewer: str, **address: str) -> AppTest:
    return opened_page(**{"viewer": viewer, "time": "evening", "device": "tv", **address})


def drawn(at: AppTest) -> dict:
    """What Home was given to draw."""
    return views(at)["home"]


@pytest.mark.parametrize("viewer", ["vera", "nobody"])
def test_a_wrong_setting_is_told_on_every_page(shelf: Path, monkeypatch: pytest.MonkeyPatch, viewer: str) -> None:
    on_people(shelf)
    for name, told in (("lives", ["No experiment runs: MARQUEE_EXPERIMENT is 'lives': "]), ("live", []), ("", [])):
        monkeypatch.setattr(settings(), "experiment", name)
        lines = [line.value for line in page(viewer).code]
        assert [line[: len(told[0])] for line in lines if told] == told
        assert bool(lines) == bool(told)


DEALT = {"plain": "rosa", "close": "kenji"}  # the arms of these viewers where the plan is named live


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("arm", ["plain", "close"])
def test_on_home_the_arm_makes_the_first_row_and_events_say_so(shelf: Path, monkeypatch: pytest.MonkeyPatch, arm: str) -> None:
    monkeypatch.setattr(settings(), "experiment", "live")
    plan = on_people(shelf)
    viewer = DEALT[arm]
    assert arm_of(plan, viewer) == plan.arm(arm)
    at = page(viewer)
    home = drawn(at)
    assert home["rows"][0]["name"] == plan.arm(arm).model
    assert home["rows"][0]["why"] == f"Ranked by one model: {home['rows'][0]['model']}"
    assert "An experiment runs" in home["strategy"]["why"]
    assert home["strategy"]["weights"] == []
    assert arm not in home["strategy"]["why"]
    told = at.session_state["mq_rows"].frame.query.context
    assert (told.time_of_day, told.device) == (("evening", "tv") if plan.arm(arm).context else (None, None))
    told_of(at, "mq_home", do="open", film=home["hero"]["id"], row=home["rows"][0]["key"])
    at.run()
    with opened(settings().database_url) as store:
        stored = store.events(viewer)
    assert {(e.experiment, e.arm, e.simulated) for e in stored} == {("live", arm, False)}
    assert {e.kind for e in stored} == {"impression", "click"}
    assert "ms" in stored[0].note
    assert {e.time_of_day for e in stored} == {"evening"}  # what is stored is the moment, whatever the model was told


@pytest.mark.usefixtures("forgotten")
def test_who_chose_a_model_has_company_or_is_held_out_is_in_no_experiment(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = drawn(page("kenji"))
    with opened(settings().database_url) as store:
        store.forget("kenji")
        monkeypatch.setattr(settings(), "experiment", "live")
        plan = on_people(shelf)
        assert drawn(page("kenji", model="als"))["rows"][0]["name"] == "als"
        assert "An experiment" not in drawn(page("kenji", model="als"))["strategy"]["why"]
        page("kenji", **{"with": "rosa"})
        assert {e.experiment for e in store.events("kenji")} <= {None}
        store.add([Event("kenji", "prefer", note={"model": "ease"})])
        assert drawn(page("kenji"))["rows"][0]["name"] == "ease"
        assert {e.experiment for e in store.events("kenji")} == {None}
        store.forget("kenji")
        held = replace(plan, arms=tuple(replace(arm, share=1e-9) for arm in plan.arms), holdout=1 - 2e-9)
        (shelf / "live" / "plan.json").write_text(held.as_json())
        assert [row["name"] for row in drawn(page("kenji"))["rows"]] == [row["name"] for row in usual["rows"]]
        assert {e.experiment for e in store.events("kenji")} == {None}


@pytest.mark.usefixtures("forgotten")
def test_the_variety_of_an_arm_is_that_of_the_page_and_who_set_their_own_is_not_in_it(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "experiment", "live")
    plan = on_people(shelf)
    first = lambda at: [film["id"] for film in drawn(at)["rows"][0]["films"]]
    shown = {}
    for variety in (0.0, 0.9):
        varied = replace(plan, arms=(plan.control, replace(plan.arms[1], variety=variety)))
        (shelf / "live" / "plan.json").write_text(varied.as_json())
        at = page("kenji")
        assert at.session_state["mq_rows"].frame.viewer.preferences.variety == variety
        shown[variety] = first(at)
    assert shown[0.0] != shown[0.9]
    with opened(settings().database_url) as store:
        store.forget("kenji")
        store.add([Event("kenji", "prefer", note={"variety": 0.1})])
        page("kenji")
        assert {e.experiment for e in store.events("kenji")} == {None}
        (shelf / "live" / "plan.json").write_text(plan.as_json())  # where no arm has its own, it is not asked
        page("kenji")
        assert {e.experiment for e in store.events("kenji")} == {None, "live"}


@pytest.mark.usefixtures("forgotten")
def test_a_childs_limit_holds_in_an_experiment(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "experiment", "live")
    on_people(shelf)
    at = page("mia")
    frame, shown = at.session_state["mq_rows"].frame, at.session_state["mq_rows"].home
    assert frame.trial is not None
    assert frame.viewer.certificate is not None
    assert all(frame.service.may_see(frame.viewer, r.item) for c in shown.carousels for r in c.recommendations)
