"""The Context page over made-up reports: each section with its report there, away and damaged; its sentences; a change of context in a browser."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest
from apps import opened, text
from hands import becomes
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest
from walks import open_page

from recommender.evaluate.report import Contender, Paired, Report, Row, write
from recommender.serve.contexts import side_by_side
from recommender.serve.signals import Verdict, verdicts
from recommender.types import DEVICES, TIMES_OF_DAY, Context, Query
from recommender.ui import ctx_learned, ctx_pair, ctx_real, ctx_rule, ctx_verdicts, desk, state
from recommender.ui.measures import signed
from recommender.world import DEVICE_RULE

SECTIONS = ("two-contexts", "what-the-data-support", "what-is-simulated", "what-was-learned", "real-context", "do-reasons-hold")
NONE, REAL, SHUFFLED = "no context", "context", "context shuffled within user"
HYBRID_TIME, HYBRID_DEVICE = "served hybrid: part of day, observed", "served hybrid: device, simulated at dose 1"


def page(**address: str) -> AppTest:
    return opened("context", **{"viewer": "kenji", "time": "evening", "device": "tv", **address})


def made(protocol: str, rows: list[Row], pairs: list[Paired], models: list[Contender], **more) -> Report:
    return Report(
        protocol, "ml-1m", "0" * 8, "1" * 8, [0], {}, "2026-11-22", f"python -m recommender evaluate {protocol}", [], models, rows, pairs, more
    )


def contenders(*names: str, aware: tuple[str, ...] = ()) -> list[Contender]:
    return [Contender(n, n.replace("_", " ").capitalize(), "hybrid", n in aware, 1, 0, 0, 0) for n in names]


def study(lifts: dict[str, float], **more) -> Report:
    """A context study: variant -> what the context adds; .01 or more is sure, and turns to harm when shuffled."""
    pairs = []
    for variant, lift in lifts.items():
        for model, d in ((REAL, lift), (SHUFFLED, -lift / 2)):
            p = 0.0003 if abs(lift) >= 0.01 else 0.4
            pairs.append(Paired(variant, model, NONE, "NDCG", 10, None, d, d - 0.004, d + 0.004, p, p, 618))
    return made("context", [], pairs, contenders(NONE, REAL, SHUFFLED), **more)


def fill_context(folder: Path) -> None:
    lifts = {"part of day, observed": -0.001, **{f"device, simulated at dose {d}": round(0.012 * d, 4) for d in (0, 0.25, 0.5, 1)}}
    signals = [
        {"model": "hybrid", "signal": "time_of_day", "source": "observed", "variant": HYBRID_TIME},
        {"model": "hybrid", "signal": "device", "source": "simulated", "variant": HYBRID_DEVICE},
    ]
    genres = [
        {
            "dose": dose,
            "device": device,
            "genre": genre,
            "planted": dose * x,
            "recovered": 0.6 * dose * x,
            "lo": 0.5 * dose * x,
            "hi": 0.7 * dose * x,
            "n": 90,
        }
        for dose, device, (genre, x) in itertools.product((0.5, 1.0), DEVICES, (("Comedy", 0.5), ("Drama", -0.4), ("Action", 0.1)))
    ]
    line = {"draws": 5, "points": 12, "correlation": 0.93, "slope": 0.6, "lo": 0.5, "hi": 0.7, "spread": 0.05}
    recovery = [{"dose": 0.0, **line, "correlation": None, "slope": None}, {"dose": 0.5, **line}, {"dose": 1.0, **line}]
    lifts["moment of the request, observed (no context: the network trained without times)"] = 0.04
    write(study({**lifts, HYBRID_TIME: 0.001, HYBRID_DEVICE: 0.011}, signals=signals, genres=genres, recovery=recovery), folder)


def fill_audit(folder: Path) -> None:
    tested = {"value": 0.0003, "chance": 0.0002, "chance_95": 0.0004, "p": 0.04, "p_holm": 0.2}
    cells = list(itertools.product(TIMES_OF_DAY, ("Comedy", "Drama", "Horror")))
    pairs = [
        Paired("part of day, local", time, "others", "shift", None, f"genre={genre}", 0.001 * n, 0.001 * n - 0.02, 0.001 * n + 0.02, 0.2, 1.0, 60)
        for n, (time, genre) in enumerate(cells)
    ]
    told = {
        "users": 293,
        "sessions": 1959,
        "ratings": 9000,
        "cells": len(cells),
        "found": 0,
        "explained": tested,
        "largest": tested,
        "at_most": 0.031,
    }
    signals = [{"variant": variant, **told} for variant in ("part of day, local", "weekend, local")]
    checks = [{"check": "sessions end after 6 hours", "variant": "part of day, local", **told}]
    counts = {"users": 943, "with_zone": 905, "ratings": 9000, "sessions": 2668, "more_than_one_session": 360, "utc_another_part": 0.89}
    write(made("audit-ml-100k", [], pairs, [], counts=counts, signals=signals, checks=checks, session_minutes=30), folder)


def fill_real(folder: Path) -> None:
    rmse = {"biases": 1.20, "gate": 1.05, "gate_shuffled": 1.19, "gate_within_film": 1.15, "gate_Time": 1.14, "gate_Time_within_film": 1.15}
    variants = ("random folds", "a film's ratings together")
    rows = [Row(v, m, "RMSE", None, s, x, x - 0.03, x + 0.03, 97) for v in variants for m, x in rmse.items() for s in (None, "context=known")]
    differences = [
        ("gate", "biases", -0.15),
        ("gate", "gate_within_film", -0.10),
        ("gate", "gate_shuffled", -0.14),
        ("gate_Time", "gate_Time_within_film", -0.01),
    ]
    pairs = [
        Paired(v, a, b, "RMSE", None, s, d, d - 0.02, d + 0.02, 0.4 if d > -0.05 else 0.001, 0.4 if d > -0.05 else 0.001, 97)
        for v in variants
        for a, b, d in differences
        for s in (None, "context=known")
    ]
    more = {"yardstick": "biases", "placebos": {"shuffled": "shuffled", "within_film": "shuffled within film"}, "dimensions": ["Time"]}
    write(
        made(
            "depaulmovie", rows, pairs, contenders(*rmse, aware=tuple(m for m in rmse if m != "biases")), **more, best=dict.fromkeys(variants, "gate")
        ),
        folder,
    )


def fill_reasons(folder: Path) -> None:
    orders = {"own reasons": 0.3, "random order": 0.6, "most watched first": 0.55, "latest first": 0.5}
    rows, pairs = [], []
    for model, metric in itertools.product(("ease", "hybrid"), ("deletion", "insertion")):
        for order, x in orders.items():
            y = x if metric == "deletion" else 1 - x
            rows += [Row(order, model, metric, 10, s, y, y - 0.01, y + 0.01, 600) for s in (None, "first=5", *(f"step={n}" for n in (0, 1, 5, 40)))]
        d = -0.3 if metric == "deletion" else 0.3
        pairs.append(Paired("own reasons", model, "random order", metric, 10, "first=5", d, d - 0.01, d + 0.01, 1e-4, 1e-4, 600))
    for model in ("ease", "hybrid"):
        rows += [Row("smallest set", model, "rank 1", 10, f"size={s}", 0.25, 0.2, 0.3, 600) for s in ("1", "2", "4-5", "none")]
        rows += [Row("smallest set", model, "rank 1", 10, "proven", 0.8, 0.7, 0.9, 600)]
        rows += [Row("claim", model, "holds", k, s, 0.9, 0.85, 0.95, 600) for k in (1, 3, 5, 10) for s in (None, "named=first", "named=by chance")]
    smallest = {"smallest": {"rank 1": {"viewers": 600, "found": 590, "size": 3.0, "share": 0.1}}}
    write(made("explanations", rows, pairs, contenders("ease", "hybrid"), ease=smallest, hybrid=smallest), folder)


FILLED = {"context": fill_context, "audit-ml-100k": fill_audit, "depaulmovie": fill_real, "explanations": fill_reasons}


def fill(folder: Path) -> None:
    for write_one in FILLED.values():
        write_one(folder)


def charts(at: AppTest) -> dict[str, list[dict]]:
    """The rows of each chart by its headline, with which its text alternative begins."""
    return {c.proto.alt.partition(". ")[0]: convert_arrow_bytes_to_pandas_df(c.proto.data.data).to_dict("records") for c in at.get("vega_lite_chart")}


def slope(at: AppTest) -> dict:
    """What the two lists are drawn from."""
    return next(json.loads(c.proto.json) for c in at.get("bidi_component") if '"slope"' in c.proto.json)


# -- every section, with its reports, without them, with damaged ones ---------------------------------------------------


@pytest.mark.parametrize("part", SECTIONS)
def test_every_section_says_something_and_warns_of_nothing(folder, part):
    fill(folder)
    at = page(part=part)
    assert not at.warning
    assert at.get("download_button")
    assert "Honest context" in text(at)


@pytest.mark.parametrize("part, file", list(zip(SECTIONS[1:], ("audit-ml-1m", "context", "context", "depaulmovie", "explanations"))))
def test_without_a_report_a_section_names_the_command(folder, part, file):
    at = page(part=part)
    assert f"{file}.json has not been written yet" in text(at)
    assert any("recommender evaluate" in c.value for c in at.code)


@pytest.mark.parametrize("part", SECTIONS)
@pytest.mark.parametrize("damage", ["{ not a report", "[]"])
def test_a_damaged_report_costs_a_line_and_the_page_stands(folder, part, damage):
    fill(folder)
    for name in FILLED:
        (folder / f"{name}.json").write_text(damage)
    at = page(part=part)
    assert len(at.warning) == len(FILLED)
    assert not any(str(folder) in w.value for w in at.warning)
    assert "Not measured yet" in text(at)


@pytest.mark.parametrize(
    "name, part",
    [
        ("context", "what-was-learned"),
        ("audit-ml-100k", "what-the-data-support"),
        ("depaulmovie", "real-context"),
        ("explanations", "do-reasons-hold"),
    ],
)
def test_a_report_that_is_broken_inside_costs_its_section(folder, name, part):
    """The tables of `more` hold nonsense: whatever needs them may not be drawn, the head of the page always is."""
    fill(folder)
    path = folder / f"{name}.json"
    raw = json.loads(path.read_text())
    raw["more"] = dict.fromkeys(raw["more"], 7)
    path.write_text(json.dumps(raw))
    at = page(part=part)
    assert "Honest context" in text(at)


@pytest.mark.parametrize("bad", ["", "<script>", "../..", "%00"])
def test_hostile_addresses_fall_back(folder, bad):
    fill(folder)
    at = page(part=bad, **{"a-time": bad, "b-device": bad})
    assert [s["name"] for s in slope(at)["sides"]] == ["Evening on TV", "Morning on mobile"]


# -- the verdicts -------------------------------------------------------------------------------------------------------


def test_the_head_says_what_the_reports_say(folder):
    fill(folder)
    said = text(page())
    assert "The time of day adds nothing measurable; a simulated device is found at full dose; a context that people named helps." in said
    assert "−.001 [−.005, +.003] NDCG@10, not told apart from none, 618 viewers" in said
    assert "+.012 [+.008, +.016] NDCG@10 at dose 1, p < .001, 618 viewers" in said
    assert "The moment itself, as the time since the last rating, for a network trained with it: +.040 [+.036, +.044], p < .001" in said
    assert "At dose 0, where nothing is planted: .000, not told apart from none" in said
    assert "Against itself, contexts shuffled within film: −.100 [−.120, −.080], p = .001" in said


def test_a_device_that_is_not_found_is_not_said_to_be(folder):
    write(study({"part of day, observed": 0.02, "device, simulated at dose 0": 0.0, "device, simulated at dose 1": 0.002}), folder)
    at = page(part="what-is-simulated")
    assert "The time of day helps; a simulated device is not found." in text(at)
    assert "No dose lifts beyond noise" in charts(at)


def test_a_lift_at_dose_zero_is_never_called_none(folder):
    write(study({"device, simulated at dose 0": 0.02, "device, simulated at dose 1": 0.03}), folder)
    assert not [head for head in charts(page(part="what-is-simulated")) if "No dose" in head]


def test_harm_is_said(folder):
    write(study({"part of day, observed": -0.02, "device, simulated at dose 1": -0.02}), folder)
    assert "The time of day does harm; a simulated device does harm." in text(page())


def test_a_loss_as_served_is_called_one():
    lost = Verdict("time_of_day", "observed", False, -0.008, -0.0094, -0.006, 0.0003, 618, "")
    level = Verdict("time_of_day", "observed", False, -0.008, -0.0094, 0.006, 0.4, 618, "")
    assert ctx_verdicts.time_of_day(None, lost).lines == ("In the app: switched off, as served a loss of −.008 [−.009, −.006]",)
    assert ctx_verdicts.time_of_day(None, level).lines == ("In the app: switched off, as served −.008 [−.009, +.006]",)


@pytest.mark.parametrize(
    "found, said",
    [((1,), " at full dose"), ((0.5,), " at dose 0.5"), ((0.5, 1), " at doses 0.5 and 1"), ((0.25, 0.5, 1), " at every dose"), ((), "")],
)
def test_the_doses_at_which_a_device_is_found_are_named(found, said):
    rows = [{"dose": d, "series": s, "delta": 0.02, "sure": s == "context" and d in found} for d in (0, 0.25, 0.5, 1) for s in ("context", "x")]
    assert ctx_verdicts.found_at(pd.DataFrame(rows)) == said


def test_what_only_correction_levels_is_said_to_be_so():
    assert [ctx_rule.level({"lo": lo, "hi": hi}) for lo, hi in ((-1, 1), (-2, -1), (1, 2))] == [
        "not told apart",
        "not after correction",
        "not after correction",
    ]


def test_a_rounded_zero_has_no_sign():
    assert [signed(x) for x in (-0.0004, 0.0, 0.0004, -0.0006, 0.0006)] == [".000", ".000", ".000", "−.001", "+.001"]


def test_dimensions_are_told_apart_each_alone():
    assert ctx_real.alone([]) == "No dimension is told apart alone"
    assert ctx_real.alone(["location"]) == "Only location is told apart alone"
    assert ctx_real.alone(["location", "companion"]) == "Location and companion are each told apart alone"


def test_the_weakest_recovery_is_named():
    points = pd.DataFrame(
        [("Drama", "tv", 0.29, 0.0, 40), ("Comedy", "mobile", 0.5, 0.4, 50), ("War", "tablet", -0.4, -0.1, 60)],
        columns=["genre", "device", "planted", "recovered", "n"],
    )
    line = {"draws": 5, "points": 3, "correlation": 0.9, "slope": 0.8, "lo": 0.7, "hi": 0.9, "spread": 0.1}
    said = ctx_learned.recovery_said(line, 1.0, points)[1]
    assert said.endswith("The weakest is War on tablet: planted −.40, recovered −.10 (60 viewers).")


def test_the_dose_response_has_its_placebo_and_its_intervals(folder):
    fill(folder)
    at = page(part="what-is-simulated")
    rows = charts(at)["No dose, no lift; more dose, more lift"]
    assert sorted((r["dose"], r["series"]) for r in rows) == [(d, s) for d in (0, 0.25, 0.5, 1) for s in ("context", "context shuffled")]
    assert all(r["lo"] < r["delta"] < r["hi"] for r in rows)
    assert next(r["span"] for r in rows if (r["dose"], r["series"]) == (1, "context")) == ".008 to .016"
    assert (
        "dose 1 +.012 [+.008, +.016]. Shuffled within viewer, no lift remains, and 1 of 4 loses beyond noise: a device that says nothing costs .006."
        in text(at)
    )


def test_the_drawn_rule_is_the_rule(folder):
    rows = charts(page(part="what-is-simulated"))["The rule that draws a device"]
    assert {(r["series"], r["genre"]): r["x"] for r in rows} == {(d, g): x for d, lifts in DEVICE_RULE.items() for g, x in lifts.items()}


def test_the_audit_draws_every_cell_and_counts_who_can_tell(folder):
    fill(folder)
    at = page(part="what-the-data-support")
    cells = charts(at)["No genre shifts beyond noise"]
    assert len(cells) == 12
    assert "The largest is Horror in night sessions: +1.1 points [−.9, +3.1], p = 1.00 after Holm" in text(at)
    assert "293 of 943 viewers" in text(at)
    assert "give p between .040 and .04, not corrected" in text(at)
    assert not any(r["sure"] for r in charts(at)["The same, done otherwise"])
    assert not any(r["sure"] for r in charts(at)["No signal explains more than chance after correction"])


def test_real_context_stands_beside_its_placebos(folder):
    fill(folder)
    at = page(part="real-context")
    rows = charts(at)["Where people name the context, it helps"]
    assert {(r["key"], r["series"]): r["x"] for r in rows} == {
        ("biases", "told no context"): 1.2,
        ("gate", "told the context"): 1.05,
        ("gate", "context shuffled"): 1.19,
        ("gate", "context shuffled within film"): 1.15,
    }
    assert "Gate is off by 1.050 stars (RMSE); the best that is told none, Biases, by 1.200." in text(at)
    assert "No dimension is told apart alone" in charts(at)


def test_a_model_that_does_not_beat_its_placebo_is_hollow(folder):
    fill_real(folder)
    path = folder / "depaulmovie.json"
    path.write_text(path.read_text().replace('"delta": -0.1,', '"delta": 0.0,').replace('"p": 0.001, "p_holm": 0.001', '"p": 0.6, "p_holm": 0.6'))
    at = page(part="real-context")
    rows = charts(at)["Even a context that people named is not told apart from its placebo"]
    assert [r["sure"] for r in rows if (r["key"], r["series"]) == ("gate", "told the context")] == [False]
    assert "not even a context that people named beats its placebo" in text(at).lower()


def test_reasons_are_drawn_against_random_and_popularity(folder):
    fill(folder)
    at = page(part="do-reasons-hold")
    falls = charts(at)["Take away what the reasons name first, and the list falls apart"]
    assert {r["series"] for r in falls} == {"own reasons", "random order", "most watched first", "latest first"}
    assert "Over the first five films, the reasons of 2 of 2 models beat random order, both ways" in charts(at)
    assert "falls by 3 ranks or more in 90% of cases" in text(at)
    assert "Half of the first films stand on 3 films or fewer" in charts(at)
    assert "found for 590 of 600 viewers, proven to be the smallest for 80%" in text(at)


def test_what_was_recovered_stands_beside_what_was_planted(folder):
    fill(folder)
    at = page(part="what-was-learned", dose="0.5")
    rows = charts(at)["What was planted is found again"]
    assert {r["dose"] for r in rows} == {0.5}
    assert "planted and recovered correlate by .93; the slope is .60 [.50, .70] over 5 draws" in text(at)
    heard = "Listened to: Device, simulated (hybrid). Switched off: Time of day, observed (hybrid)"
    assert heard in text(at)


# -- two contexts -------------------------------------------------------------------------------------------------------


def test_two_contexts_show_what_the_models_give_and_change_with_the_pills(folder):
    fill(folder)
    at = page()
    drawn = slope(at)
    service = desk.desk()
    kenji = service.person("kenji")
    found = side_by_side(service, kenji, kenji.profile, (Context("evening", "tv"), Context("morning", "mobile")))
    assert {f["id"]: tuple(f["ranks"]) for f in drawn["films"]} == {int(service.catalog.ids[f.item]): f.ranks for f in found.films}
    assert f"{len(found.entering)} of the first 12 films give way to others" in text(at)
    at.pills(key="mq_ev_pick_b-time").set_value("evening")
    at.pills(key="mq_ev_pick_b-device").set_value("tv").run()
    assert not at.exception
    assert "The same films in the same order" in text(at)
    assert all(f["ranks"][0] == f["ranks"][1] for f in slope(at)["films"])


def test_a_viewer_without_ratings_is_told_that_nothing_is_personal(folder):
    fill(folder)
    said = text(page(viewer="sam"))
    assert "Sam has rated nothing yet: hardly anything here is personal" in said
    assert "do not use it yet" in text(page(viewer="sam", part="what-was-learned"))


def test_films_that_are_rated_and_not_used_count_as_rated(folder, monkeypatch):
    """Only the film that is used weighs in the gate; the rows are personal by what was rated."""
    fill(folder)
    kenji = desk.desk().viewers["kenji"]
    monkeypatch.setattr(
        state.Frame, "query", property(lambda frame: Query(kenji.profile.keep(np.arange(len(kenji.profile)) < 1), Context("evening")))
    )
    said = text(page(part="what-was-learned"))
    assert f"For a history of {len(kenji.profile)} ratings, 1 of them in use" in said
    assert "do not use it yet" not in said
    assert "Outlined: now, if all were told" in said


def test_the_box_counts_what_was_rated_and_not_what_is_used(monkeypatch):
    service = desk.desk()
    few = service.viewers["kenji"].profile.keep(np.arange(len(service.viewers["kenji"].profile)) < 2)
    viewer, query = replace(service.viewers["kenji"], profile=few), Query(few.keep(np.arange(2) < 1))
    said: list[str] = []
    monkeypatch.setattr(ctx_pair.st, "html", said.append)
    ctx_pair._popular(cast(state.Frame, SimpleNamespace(viewer=viewer, query=query, service=service)))
    assert "has rated 2 films, fewer than" in said[0]


def test_a_signal_that_the_app_does_not_heed_is_named(folder, monkeypatch):
    fill(folder)
    monkeypatch.setattr(desk.desk(), "signals", {model: verdicts(folder, model) for model in ("hybrid", "popularity")})
    assert "Everywhere else in the app, the time of day is not told to the models." in text(page())


@pytest.mark.browser
def test_the_page_in_a_browser(page, app_url):
    """A change of context moves films and not the page."""
    open_page(page, app_url, "/context?viewer=kenji&time=evening&device=tv")
    page.locator(".mq-slope li").nth(23).wait_for()
    assert page.locator(".mq-lines path").count() >= 12
    top, before = page.locator(".mq-slope").bounding_box()["y"], page.locator(".mq-slope").inner_text()
    page.locator(".st-key-mq_ev_pick_b-device").get_by_text("Desktop").click()
    page.wait_for_url("**b-device=desktop**")
    page.locator(".mq-slope h3", has_text="Morning on desktop").wait_for()
    becomes(page, lambda page: page.locator(".mq-slope").inner_text(), lambda shown: shown != before)
    assert abs(page.locator(".mq-slope").bounding_box()["y"] - top) < 2
    assert [c for c in page.complaints if "404" not in c] == []
