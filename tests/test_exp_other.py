"""Other ways to test on the Experiments page: three made-up reports there, away and broken; what their sentences say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from recommender.evaluate.report import Report, Row, write
from recommender.evaluate.tables import as_markdown
from recommender.experiment.truth import Truth
from recommender.settings import settings
from recommender.ui import desk, exp_bandit, exp_interleaving, exp_offpolicy, exp_other, reports

NAMES = ("interleaving", "off-policy", "bandit")
METHODS = ("mean of the log", "IPS", "SNIPS", "DR")


def made(protocol: str, rows: list[Row], **more) -> Report:
    command = f"python -m recommender experiment study {protocol}"
    return Report(protocol, "the click world at dose 1, simulated", "0" * 8, "", [0], {}, "2026-11-22", command, rows=rows, more=more)


def interleaving(**times: tuple[float, float, float]) -> Report:
    """Pairs by name with how many times fewer viewers; the A/B test always needs 10,000."""
    rows, pairs = list[Row](), []
    for name, (fewer, lo, hi) in times.items():
        rows += [
            Row(name, "A/B", "lift", 10, None, 0.05, 0.01, 0.09, 5000),
            Row(name, "interleaving", "share", 10, None, 0.53, 0.51, 0.55, 5000),
            Row(name, "interleaving", "times fewer", 10, None, fewer, lo, hi, 5000),
        ]
        need = {"A/B": {"viewers": 10_000, "lo": 5000, "hi": None}, "interleaving": {"viewers": 10_000 / fewer, "lo": 10_000 / hi, "hi": 10_000 / lo}}
        pairs.append(
            {
                "pair": name,
                "truth": 0.056,
                "truth_of_half": 0.003,
                "share": {"mean": 0.53, "lo": 0.51, "hi": 0.55},
                "p": {"A/B": 0.01, "interleaving": 0.001, "sign": 0.002},
                "viewers": {"won": 30, "even": 10, "lost": 20},
                "common": 0.4,
                "needed": need,
                "power": {"A/B": None, "interleaving": None},
            }
        )
    rate = {"mean": 0.05, "lo": 0.04, "hi": 0.06}
    alike = {"runs": 1000, "viewers": 200, "t": rate, "sign": rate, "share": {"mean": 0.5, "lo": 0.49, "hi": 0.51}}
    return made("interleaving", rows, viewers=5000, visits=25_000, days=14, repeats=12, k=10, pairs=pairs, itself=alike)


def off_policy(error: float = 0.005) -> Report:
    """Each method off by as much, the mean of the log by .01."""
    rows, effective = list[Row](), []
    for n in (500, 8000):
        for policy in ("near", "far"):
            effective.append({"visits": n, "policy": policy, "ess": n / 4, "largest": 12.0, "warned": 0.5})
            for method in METHODS:
                off, held = (0.01, 0.4) if method == METHODS[0] else (error, 0.95)
                figures = {"bias": -off / 2, "RMSE": off, "coverage": held, "width": 0.02}
                rows += [Row(f"{n:,} visits", method, m, None, f"policy={policy}", x, 0.9 * x, 1.1 * x, 200) for m, x in figures.items()]
    policies = {name: {"says": f"the {name} one", "value": value} for name, value in (("logging", 0.14), ("near", 0.147), ("far", 0.154))}
    refused = {"says": "another", "visits": 8000, "value": 0.13, "IPS": 0.05, "refused": "63% could never have been logged"}
    return made("off-policy", rows, viewers=6000, among=50, samples=200, policies=policies, effective=effective, refused=refused)


def bandit() -> Report:
    ways = {"Thompson sampling": (70.0, 300, 0.1), "equal shares": (230.0, 2000, 0.04)}
    spread = {"equal shares": 0}  # every run loses the same
    rows = [
        Row("all days", name, "regret", None, None, lost, lost - spread.get(name, 3), lost + spread.get(name, 3), 200)
        for name, (lost, _, _) in ways.items()
    ]
    curves = {
        name: {"regret": [lost / 2, lost], "lo": [1, lost - 30], "hi": [lost, lost + 30], "share": [0.5, 0.8]} for name, (lost, _, _) in ways.items()
    }
    known = [
        {
            "policy": name,
            "row": row,
            "visits": visits,
            "width": width * scale,
            "bias": -0.01 * width,
            "lo": -0.02 * width,
            "hi": -0.001 if width > 0.05 else 0.01,
        }
        for name, (_, visits, width) in ways.items()
        for row, scale in (("EASE", 0.5), ("content", 1.0))
    ]
    rates = [{"row": "EASE", "rate": 0.5}, {"row": "content", "rate": 0.44}]
    return made("bandit", rows, runs=200, days=2, visitors=400, tested=1, viewers=6000, rates=rates, curves=curves, known=known)


def usual() -> dict[str, Report]:
    return {"interleaving": interleaving(good=(4.0, 2.0, 9.0), bad=(0.2, 0.05, 0.6)), "off-policy": off_policy(), "bandit": bandit()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    desk.desk()  # kept for the whole process: opened with all models, whichever test comes first
    monkeypatch.setattr(settings(), "artifacts", tmp_path)
    return tmp_path / "reports"


def drawn(**address: str) -> AppTest:
    def page() -> None:
        from recommender.ui import exp_other, reports

        exp_other.section(reports.shelf())

    at = AppTest.from_function(page, default_timeout=60)
    for name, value in address.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def heads(at: AppTest) -> list[str]:
    return [c.proto.alt for c in at.get("vega_lite_chart")]


def test_every_chart_says_that_it_is_simulated(folder: Path) -> None:
    for report in usual().values():
        write(report, folder)
    at = drawn()
    assert len(heads(at)) == 5
    assert all("simulated" in alt.lower() for alt in heads(at))
    assert all(json.loads(c.proto.spec)["title"]["text"] == "simulated" for c in at.get("vega_lite_chart"))
    assert not at.warning


@pytest.mark.parametrize("measure", ["rmse", "bias", "coverage"])
def test_every_measure_of_every_policy_is_drawn(folder: Path, measure: str) -> None:
    write(off_policy(), folder)
    at = drawn(**{"off-measure": measure, "off-policy": "near"})
    assert "for the near policy, simulated" in heads(at)[0]
    assert len(heads(at)) == 1


def test_without_reports_each_names_its_command_and_the_world_is_told(folder: Path) -> None:
    at = drawn()
    assert [c.value for c in at.code] == [f"python -m recommender experiment study {name}" for name in NAMES]
    assert not heads(at)
    assert at.expander[0].label == "What is true in the click world"


@pytest.mark.parametrize("broken", NAMES)
def test_a_report_broken_inside_does_not_take_the_others_along(folder: Path, broken: str) -> None:
    for report in usual().values():
        write(report, folder)
    path = folder / f"{broken}.json"
    raw = json.loads(path.read_text())
    raw["more"] = dict.fromkeys(raw["more"], 7)
    path.write_text(json.dumps(raw))
    at = drawn()
    assert [f"experiment study {broken}" in w.value for w in at.warning] == [True]
    assert len(heads(at)) >= 2


def test_interleaving_is_praised_only_where_its_interval_is(folder: Path) -> None:
    def said(report: Report) -> tuple[str, str]:
        write(report, folder)
        return exp_interleaving.needs_said(reports.shelf().found["interleaving"])

    head, sentence = said(interleaving(good=(4.0, 2.0, 9.0), bad=(0.2, 0.05, 0.6)))
    assert head == "Interleaving surely needs fewer viewers in 1 of 2 pairs, simulated"
    assert "Most surely for good: 4.0 times fewer" in sentence
    assert "For bad it surely needs more" in sentence
    assert "the true lift is +0.3%, not +5.6%" in sentence
    head, sentence = said(interleaving(open=(3.0, 0.5, 20.0)))
    assert head.startswith("Interleaving surely needs fewer viewers in 0 of 1")
    assert "which leaves open whether it is any" in sentence
    wrong = interleaving(odd=(3.0, 2.0, 20.0))
    wrong.more["pairs"][0]["truth"] = -0.02
    assert "For odd it prefers the ranking whose lists truly get fewer clicks." in said(wrong)[1]


def test_a_number_of_viewers_out_of_reach_is_said_so() -> None:
    points = exp_interleaving.needs(interleaving(one=(4.0, 2.0, 9.0)).more["pairs"])
    assert points["said"].tolist() == ["10,000", "2,500"]
    assert points["span"].tolist() == ["5,000 to over 10 million", "1,111 to 5,000"]


@pytest.mark.parametrize(
    "error, nearest",
    [(0.005, "IPS comes nearest"), (0.0095, "No estimate comes surely nearer"), (0.02, "The plain mean of the log comes nearest")],
)
def test_the_nearest_estimate_is_named_whichever_it_is(folder: Path, error: float, nearest: str) -> None:
    write(off_policy(error), folder)
    head, sentence = exp_offpolicy.judged_said(reports.shelf().found["off-policy"], "far")
    assert head.startswith(nearest)
    assert "truly earns +10.0% against the log" in sentence
    assert "2,000 effective visits" in sentence
    assert "in 95% to 95% of 200 logs" in sentence


def test_what_a_bandit_costs_is_said(folder: Path) -> None:
    write(bandit(), folder)
    found = reports.shelf().found["bandit"]
    head, sentence = exp_bandit.bandit_said(found)
    assert head == "Thompson sampling loses least, simulated"
    write(replace(close := bandit(), rows=[row._replace(lo=row.lo - 200) for row in close.rows]), folder)
    assert exp_bandit.bandit_said(reports.shelf().found["bandit"])[0] == "Thompson sampling and equal shares lose least, simulated"
    assert "Thompson sampling 70.0 [67.0, 73.0]; equal shares 230." in sentence
    known = exp_bandit.known_said(found.report.more)
    assert "gives content 300 visits and knows its rate to within 10.0 points; equal shares give it 2,000 and 4.0 points" in known
    assert "Plain means of 2 of 2 rows come out too low" in known


def test_votes_of_people_are_read_as_interleavings() -> None:
    ticked = lambda als, ease: {"mode": "one", "pair": ["als", "ease"], "credits": {"als": als, "ease": ease}}
    stored = [
        *((f"v{n}", ticked(0, 2)) for n in range(9)),
        ("v9", ticked(1, 1)),
        ("w", {"mode": "one", "pair": ["als", "hybrid"], "credits": {"als": 1, "hybrid": 0}}),
    ]
    first, second = exp_other.preferences(stored)
    assert first == {"pair": "ease against als", "viewers": "10", "share for the first-named": "95% [84%, 100%]", "sign test": "p = .004"}
    assert second["share for the first-named"] == "1 viewers have a credited click, wanted at least 2"
    assert exp_other.preferences([]) == []


def test_every_parameter_of_the_world_is_told() -> None:
    told = {row["parameter"]: row for row in exp_other.parameters()}
    assert {name for name, _, _ in Truth().described()} < set(told)
    assert told["patience"]["value"] == "0.82, 0.86, 0.88, 0.9"
    assert "Children's +0.8" in told["time: morning"]["value"]
    assert "Documentary +1.2" in told["device: desktop"]["value"]
    assert all(row["meaning"] for row in told.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_has_a_table_of_each(name: str) -> None:
    block = as_markdown(usual()[name])
    assert "simulated" in block
    assert f"`python -m recommender experiment study {name}`" in block
    assert "users" not in block
    assert len({line.count("|") for line in block.splitlines() if line.startswith("|")}) == 1


def test_a_committed_report_is_drawn_as_it_is() -> None:
    there = [name for name in NAMES if (settings().artifacts / "reports" / f"{name}.json").exists()]
    at = drawn()
    assert len(heads(at)) == sum({"interleaving": 1, "off-policy": 1, "bandit": 3}[name] for name in there)
    assert not at.warning


def test_what_has_no_interval_has_no_empty_layer_for_one(folder: Path) -> None:
    write(usual()["bandit"], folder)
    by_alt = {c.proto.alt: json.loads(c.proto.spec) for c in drawn().get("vega_lite_chart")}
    known = next(spec for alt, spec in by_alt.items() if alt.startswith("What is known of each row"))
    assert "rule" not in [part["mark"]["type"] for part in known["layer"]]
