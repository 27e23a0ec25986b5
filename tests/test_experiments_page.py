"""The Experiments page over made-up experiments: healthy, A/A and each that is broken; its address, its damaged files; and one visit in a browser."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from apps import opened
from logs import PLAN, log, written
from streamlit.testing.v1 import AppTest
from test_evaluation_page import LAB, LMS, SEEN, linear
from walks import open_page

from recommender.evaluate.report import Paired, Report, write
from recommender.experiment import plan as plans
from recommender.experiment import shelf as shelves
from recommender.experiment.assign import arm_of, first_day, midnight
from recommender.experiment.plan import Arm, Plan, Simulation
from recommender.experiment.reading import read
from recommender.experiment.study_aa import tried
from recommender.serve.events import Event
from recommender.serve.feedback import Feedback
from recommender.settings import settings
from recommender.ui import desk, exp_shelf
from recommender.ui.exp_health import shares, standardised
from recommender.ui.exp_words import LOOKS

ROOT = Path(__file__).resolve().parents[1]
STEPS = ("plan", "health", "result", "over-time", "segments", "guardrails", "decision")
BROKEN = ("srm", "novelty", "bot")
HOSTILE = '<img src=x onerror="alert(1)">'
PLANNED = replace(PLAN, simulation=Simulation(viewers=6000))


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Path:
    """The folder of experiments of an artifacts folder that has all models and no report."""
    desk.desk()  # kept for the whole process: opened with all reports, whichever test comes first
    for path in (ROOT / "artifacts").iterdir():
        if path.name not in ("reports", "experiments"):
            (tmp_path / path.name).symlink_to(path)
    monkeypatch.setenv("MARQUEE_ARTIFACTS", str(tmp_path))
    monkeypatch.setattr(settings(), "artifacts", tmp_path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "experiments").mkdir()
    return tmp_path / "experiments"


def put(shelf: Path, name: str = "planted", lift: float = 0.15, plan: Plan = PLANNED, viewers: int = 6000, **more) -> Path:
    """An experiment with a planted lift that its analysis finds."""
    folder = shelf / name
    plans.write(replace(plan, name=name), folder)
    (folder / "log.npz").write_bytes(written(viewers, lift, 3, plan, **more))
    return folder


def page(**address: str) -> AppTest:
    return opened("experiments", **{"viewer": "vera", **address})


def text(at: AppTest) -> str:
    return " ".join(str(e.proto.body) for e in at.get("html") if not str(e.proto.body).startswith("<style"))


def head(at: AppTest) -> str:
    """The verdict and the four steps below it."""
    return next(str(e.proto.body) for e in at.get("html") if "mq-xp-head" in str(e.proto.body) and "<style" not in str(e.proto.body))


def verdict(at: AppTest) -> str:
    found = re.search(r"<h1>(.*?)</h1>", head(at))
    assert found
    return found[1]


def charts(at: AppTest) -> list[dict]:
    return [json.loads(c.proto.spec) for c in at.get("vega_lite_chart")]


def test_people_stand_first_then_the_largest() -> None:
    of = lambda name, viewers: replace(PLAN, name=name, simulation=viewers and Simulation(viewers=viewers))
    plans = [of("a-small", 100), of("large", 900), of("b-small", 100), of("people", None)]
    assert [plan.name for plan in sorted(plans, key=shelves.first)] == ["people", "large", "a-small", "b-small"]


def test_without_an_experiment_the_page_names_the_commands(shelf):
    at = page()
    said = " ".join(c.value for c in at.code)
    assert all(f"experiment {do}" in said for do in ("plan", "run", "read"))


def test_an_experiment_that_is_planned_and_has_not_run_is_named(shelf):
    plans.write(replace(PLANNED, name="tomorrow"), shelf / "tomorrow")
    at = page()
    assert "“tomorrow” is planned and has not run" in text(at)
    assert any("experiment run tomorrow" in c.value for c in at.code)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", [{}, {"aa": "on"}, *({"break": name} for name in BROKEN), {"day": "1"}])
def test_every_section_draws_in_every_state_and_says_simulated(shelf, step, state):
    put(shelf)
    at = page(step=step, **state)
    assert not at.warning
    assert "simulated" in head(at)
    assert all("simulated" in json.dumps(c["title"]) for c in charts(at))
    alone = step == "decision" or (step == "over-time" and "day" in state)  # words, and a course of one day
    assert alone or charts(at)
    assert ("without, again" in head(at)) == ("aa" in state)


def test_a_planted_lift_is_shipped_with_its_interval(shelf):
    put(shelf)
    at = page(step="decision")
    assert verdict(at) == "Ship"
    assert re.search(r"click-through rate rose by \d+\.\d% \[\+\d", text(at))
    assert "9 of 9 checks pass" in text(at)


def test_the_verdict_says_what_is_to_be_done_by_the_names_of_the_arms(shelf):
    put(shelf, plan=replace(PLANNED, arms=(replace(PLANNED.control, name="{old} <b>"), replace(PLANNED.arms[1], name="new"))))
    assert "<strong>Give “new” to everybody.</strong>" in head(page())
    assert "<strong>“{old} &lt;b&gt;” stays for everybody.</strong>" in head(page(aa="on"))
    assert "<strong>Believe no effect of this run.</strong>" in head(page(**{"break": "srm"}))
    assert "<strong>Decide nothing yet.</strong>" in head(page(**{"break": "novelty"}))


@pytest.mark.parametrize("step", STEPS)
def test_no_effect_is_called_a_win_where_viewers_were_lost(shelf, step):
    put(shelf)
    at = page(step=step, **{"break": "srm"})
    assert verdict(at) == "Invalid"
    assert head(at).count("Not read") == 2
    said = text(at) + json.dumps(charts(at), ensure_ascii=False)
    assert not [win for win in ("▲ better", "is better", "proven better: ", "beyond noise.", "Ship planted") if win in said]


def test_a_blocked_verdict_says_by_what(shelf):
    put(shelf)
    at = page(step="health", **{"break": "srm"})
    assert "Blocked: sample ratio." in text(at)
    assert "Not the shares that were dealt: the verdict is blocked" in text(at)


@pytest.mark.parametrize("lost", [0, 400])
def test_shares_stand_beside_the_planned_ones_and_what_chance_allows(lost):
    logged = log(4000, 0.0, 1)
    kept = logged.keep(np.concatenate([np.flatnonzero(logged.arms == 0), np.flatnonzero(logged.arms == 1)[lost:]]))
    drawn = shares(next(c for c in read(PLAN, kept).health if c.key == "srm"))
    counts = np.bincount(kept.arms[kept.exposed <= 13])
    assert drawn["found"].tolist() == pytest.approx((counts / counts.sum()).tolist())
    assert drawn["planned"].tolist() == [0.5, 0.5]
    assert drawn["found"].between(drawn["lo"], drawn["hi"]).tolist() == [not lost, not lost]
    assert (drawn["hi"] - 0.5).tolist() == pytest.approx([3.2905 * 0.5 / counts.sum() ** 0.5] * 2, rel=1e-3)  # z of .0005


def test_an_effect_that_wears_off_is_not_shipped(shelf):
    put(shelf)
    assert verdict(page(**{"break": "novelty"})) == "Keep running"


def test_a_machine_is_left_out_and_moves_nothing(shelf):
    put(shelf)

    def rise(**address: str) -> float:
        found = re.search(r"rose by (.*?)% \[", head(page(**address)))
        assert found
        return float(found[1])

    assert rise(**{"break": "bot"}) == pytest.approx(rise(), abs=0.15)
    assert "1 taken for a machine" in text(page(step="health", **{"break": "bot"}))


def test_the_day_that_is_read_stands_in_the_address_and_counts_only_what_came(shelf):
    put(shelf)
    at = page(day="3")
    assert "day 3 of 14" in head(at)
    assert "1 to 3 November 2026" in head(at)
    early = read(replace(PLANNED, name="planted"), log(6000, 0.15, 3, PLANNED), 2)
    assert f"{sum(early.counts.values()):,}" in head(at)
    at.select_slider(key="mq_xp_day_pick").set_value("5").run()
    assert "day 5 of 14" in head(at)
    assert at.query_params["day"] == "5"
    at.select_slider(key="mq_xp_day_pick").set_value("14").run()
    assert "day" not in at.query_params


@pytest.mark.parametrize("bad", ["", "<script>", "../..", "%00", "99", "-1", "0"])
def test_what_means_nothing_in_the_address_falls_back(shelf, bad):
    put(shelf)
    names = ("experiment", "day", "aa", "break", "arm", "step", "for-metric", "for-effect", "for-power", "for-alpha", "for-share", "for-cuped")
    at = page(**dict.fromkeys([*names, "for-baseline"], bad))
    assert head(at) == head(page())
    assert "Hypothesis" in text(at)


def test_another_experiment_is_picked_by_name_and_a_day_it_has_not_is_forgotten(shelf):
    put(shelf, "first")
    put(shelf, "second", lift=0.0, plan=replace(PLANNED, hypothesis="Nothing is different.", days=7), days=7)
    at = page(experiment="second", day="12")
    assert "Nothing is different." in text(at)
    assert "day 7 of 7" in head(at)
    at = page(experiment="first", day="12")
    assert "day 12 of 14" in head(at)
    at.selectbox(key="mq_ev_pick_experiment").set_value("second").run()
    assert not at.exception
    assert "day 7 of 7" in head(at)


def test_an_arm_is_picked_where_there_are_several(shelf):
    arms = (Arm("a", "hybrid", False, 0.4), Arm("b", "hybrid", True, 0.3), Arm("c", "ease", True, 0.3))
    put(shelf, plan=replace(PLANNED, arms=arms))
    assert "“b” against “a”" in head(page())
    assert "“c” against “a”" in head(page(arm="c"))
    assert text(page(step="decision")).count("mq-xp-card") == 2


def test_of_several_arms_none_is_told_to_be_for_everybody_beside_another(shelf):
    arms = (Arm("a", "hybrid", False, 0.4), Arm("b", "hybrid", True, 0.3), Arm("c", "ease", True, 0.3))
    put(shelf, plan=replace(PLANNED, arms=arms, guardrails={}), lift=0.5)
    assert "<strong>“c” may go to everybody, and so may “b”: take one.</strong>" in head(page(arm="c"))
    assert "<strong>“a, again” is dropped; no other arm is fit to ship.</strong>" in head(page(aa="on"))


@pytest.mark.parametrize("step", STEPS)
def test_names_from_files_are_text(shelf, step):
    arms = (Arm("control", "hybrid"), Arm(HOSTILE, HOSTILE))
    put(shelf, plan=replace(PLANNED, hypothesis=HOSTILE, arms=arms))
    at = page(step=step)
    assert "<img src=x" not in text(at)
    assert not at.warning
    if step == "plan":
        assert text(at).count("&lt;img src=x") >= 3


@pytest.mark.parametrize("file", ["plan.json", "log.npz"])
def test_a_damaged_file_costs_a_line_and_nothing_else(shelf, file):
    put(shelf, "whole")
    (put(shelf, "damaged") / file).write_text("{ neither")
    at = page()
    assert verdict(at) == "Ship"
    assert any("damaged" in w.value for w in at.warning)
    assert not any(str(shelf) in w.value for w in at.warning)


def test_a_log_that_is_of_another_plan_is_said_and_the_picker_stays(shelf):
    folder = put(shelf)
    strange = log(200, 0.0, 0)
    replace(strange, arms=np.full(200, 4)).save(folder / "log.npz")
    at = page()
    assert verdict(at) == "Cannot be read"
    assert "log has arms 4" in head(at)
    assert at.selectbox(key="mq_ev_pick_experiment").value == "planted"


def test_the_calculator_asks_more_viewers_for_less_and_fewer_with_cuped(shelf):
    put(shelf)

    def viewers(**address: str) -> int:
        found = re.search(r"mq-xp-answers[^>]*><div><b>([\d,]+)</b>", text(page(step="plan", **address)))
        assert found
        return int(found[1].replace(",", ""))

    usual = viewers()
    half, double = viewers(**{"for-effect": "2"}), viewers(**{"for-effect": "4"})
    assert half / double == pytest.approx(4, rel=0.02)  # n falls with the square of the effect
    assert viewers(**{"for-cuped": "off"}) > usual
    assert viewers(**{"for-share": "0.1"}) == pytest.approx(usual * 0.25 / 0.09, rel=0.01)  # (1 / s + 1 / (1 - s)) / 4
    assert viewers(**{"for-baseline": "2"}) == pytest.approx(usual / 2, rel=0.02)  # of counts, relative spread falls as the root of the mean


@pytest.mark.parametrize("share", ["0.05", "0.5"])
@pytest.mark.parametrize("effect, power, alpha, times", [("0.5", "0.95", "0.01", "0.25"), ("30", "0.7", "0.1", "3")])
def test_the_calculator_draws_at_the_ends_of_its_scales(shelf, effect, power, alpha, times, share):
    put(shelf, viewers=600)
    at = page(step="plan", **{"for-effect": effect, "for-power": power, "for-alpha": alpha, "for-baseline": times, "for-share": share})
    assert not at.warning
    assert len(charts(at)) == 2


def test_a_difference_before_in_standard_deviations_is_that_of_the_viewers(shelf):
    logged = log(4000, 0.0, 5)
    found = read(PLAN, logged)
    row = next(r for r in next(c for c in found.health if c.key == "balance").facts["rows"] if r["metric"] == "visits")
    drawn = standardised(row, found.counts, "without")
    visits = [logged.total("visits", before=True)[(logged.arms == arm) & (logged.exposed <= 13)] for arm in (0, 1)]
    spread = np.sqrt(sum(v.var(ddof=1) / len(v) for v in visits) / sum(1 / len(v) for v in visits))
    assert drawn
    assert drawn["d"] == pytest.approx((visits[1].mean() - visits[0].mean()) / spread, rel=0.02)
    assert drawn["lo"] < drawn["d"] < drawn["hi"]


@pytest.mark.browser
def test_the_page_in_a_browser(page, app_url):
    """A switch changes the verdict, the address, and not the place of what is below it."""
    open_page(page, app_url, "/experiments?viewer=vera&step=health")
    place = page.get_by_role("tab", name="Health").bounding_box()["y"]
    page.get_by_role("radio", name="Sample ratio").or_(page.locator(".st-key-mq_ev_pick_break button", has_text="Sample ratio")).first.click()
    page.locator(".mq-xp-invalid h1").wait_for()
    page.wait_for_url("**break=srm**")
    assert abs(page.get_by_role("tab", name="Health").bounding_box()["y"] - place) < 2
    assert [c for c in page.complaints if "404" not in c] == []


@pytest.mark.parametrize("seen", SEEN)
def test_verdicts_stay_apart_for_every_eye_and_can_be_read(seen):
    tones = {word: look.tone for word, look in LOOKS.items()}
    lab = {word: LAB @ np.cbrt(LMS @ np.clip(np.array(SEEN[seen]) @ linear(tone), 0, 1)) for word, tone in tones.items()}
    assert min(float(np.linalg.norm(lab[a] - lab[b])) for a, b in itertools.combinations(lab, 2)) > 0.1
    light = lambda c: float(linear(c) @ [0.2126, 0.7152, 0.0722]) + 0.05
    assert all(light(tone) / light(surface) >= 4.5 for tone in tones.values() for surface in ("#100d0b", "#1b1613"))
    assert len({look.word for look in LOOKS.values()}) == len({look.style for look in LOOKS.values()}) == 4


@pytest.mark.parametrize("people", [19, 60])
def test_people_are_read_from_the_store_once_there_are_enough(shelf, forgotten, people):
    plan = replace(PLAN, name="on-people", days=7)
    plans.write(plan, shelf / plan.name)
    store, noon = Feedback.open(settings().database_url), midnight(first_day(plan)) + 43_200
    met = {f"person-{n}": arm_of(plan, f"person-{n}") for n in range(people)}
    for viewer, arm in met.items():
        for day in range(2):
            said: dict[str, Any] = {"experiment": plan.name, "arm": arm.name if arm else "", "at": noon + 86_400 * day}
            said |= {"recommendation": f"{viewer}-{day}", "row": "top"}
            store.add(Event(viewer, "impression", film, position=at, **said) for at, film in enumerate((1, 260, 1196)))
            store.add([Event(viewer, "click", 260, **said)])
    store.close()
    exp_shelf._recorded.clear()
    at = page()
    if people < shelves.LEAST:
        assert "has 19 of the 20 viewers" in text(at)
        assert not at.get("vega_lite_chart")
    else:
        assert "day 2 of 7" in head(at)
        assert f"<dd>{people}</dd>" in head(at)
        assert "simulated" not in head(at)
        assert not any("simulated" in json.dumps(c.get("title", "")) for c in charts(at))


def test_with_the_report_the_switch_says_how_often_nothing_is_called_something(shelf):
    put(shelf)
    found = tried(PLANNED, log(300, 0.0, 1, PLANNED), lambda line: None, 20, 4)
    write(found, shelf.parent / "reports")
    at = page(aa="on", step="a-a")
    once = next(r for r in found.rows if (r.variant, r.model, r.metric) == ("A/A", "fixed, CUPED", "p below alpha"))
    assert f"Over 20 such runs the method called {100 * once.mean:.1f}% [" in text(at)
    assert len(charts(at)) == 3
    assert all("simulated" in json.dumps(c["title"]) for c in charts(at))
    assert "Planted" not in text(at)
    for name, check in (("Sample ratio", "srm"), ("Novelty", "novelty"), ("A machine", "machines")):
        sounds = next(r for r in found.rows if (r.variant, r.model, r.metric) == (name, check, "alarm"))
        assert re.search(rf"<b>{name}</b>.*?Its check sounds in {100 * sounds.mean:.1f}% \[", text(at))


def test_without_the_reports_their_commands_stand_in_their_places(shelf):
    put(shelf)
    assert any("experiment study aa" in c.value for c in page(step="a-a").code)
    assert any("experiment study doses" in c.value for c in page(step="plan").code)


def claimed(shelf: Path, lifts: tuple[float, float]) -> str:
    """The headline over claims of 10% on two metrics, of which the first has lifts of this size at doses 0 and 1 and the second has none."""
    doses = [("dose 0", "ctr", lifts[0]), ("dose 1", "ctr", lifts[1]), ("dose 0", "relevance", 0.0), ("dose 1", "relevance", 0.0)]
    pairs = []
    for dose, metric, x in doses:
        p = 1e-6 if x > 0.02 else 1.0
        pairs.append(Paired(dose, "told", "not told", metric, None, None, x, x - 0.02, x + 0.02, p, p, 900))
    needed = {"claimed": 700, "measured": 4000, "claimed, with CUPED": 500, "measured, with CUPED": 3000}
    more = {
        "claims": {"ctr": 0.1, "relevance": 0.1},
        "metrics": {"ctr": {"label": HOSTILE}, "relevance": {"label": "Relevance"}},
        "needed": {"ctr": {"0": needed, "1": needed}},
        "viewers": 900,
        "days": 14,
    }
    write(
        Report("doses", "simulated", "", "", [0], {}, "2026-11-22", "experiment study doses", differences=pairs, more=more), shelf.parent / "reports"
    )
    at = page(step="plan")
    assert HOSTILE not in text(at)
    assert text(at).count("no effect shown") == (2 if lifts[1] > 0.02 else 0)  # without any effect there are no columns for it
    assert ("No effect of ours is shown at any dose" in text(at)) == (lifts[1] <= 0.02)
    assert len(charts(at)) == 3
    return text(at)


def test_claims_stand_beside_what_was_measured_and_are_called_what_they_are(shelf):
    put(shelf)
    assert "1 of 2 claims is reached at some dose" in claimed(shelf, (0.0, 0.12))
    assert "No claim is reached at any dose; 1 of 2 is ruled out at every one" in claimed(shelf, (0.0, 0.09))  # its interval ends above the claim
    assert "No claim is reached at any dose; 2 of 2 are ruled out at every one" in claimed(shelf, (0.0, 0.05))


def test_a_report_that_is_broken_inside_costs_its_section(shelf):
    put(shelf)
    found = tried(PLANNED, log(300, 0.0, 1, PLANNED), lambda line: None, 5, 2)
    write(replace(found, more={}), shelf.parent / "reports")
    at = page(step="a-a")
    assert any("cannot be drawn" in w.value for w in at.warning)
    assert verdict(at) == "Ship"
    assert verdict(page(step="plan", aa="on")) != "Cannot be read"
