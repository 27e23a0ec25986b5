"""Observed or simulated, from the data to the loaded model; and which signals the models are told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender import artifacts
from recommender.artifacts import ArtifactError
from recommender.catalog import Catalog
from recommender.evaluate import ablation
from recommender.interactions import Interactions
from recommender.models.content import Content
from recommender.models.hybrid import Hybrid
from recommender.models.neighbours import EASE
from recommender.models.sequence import Sequence
from recommender.serve.signals import SIGNALS, Verdict, heed, verdicts
from recommender.settings import ROOT
from recommender.types import Context
from recommender.world import checkerboard, simulate_devices

# -- from the data to the loaded model ---------------------------------------------------------------------------------


def observed() -> tuple[Catalog, Interactions]:
    """A world whose devices somebody recorded."""
    catalog, x = checkerboard(n_users=40)
    return catalog, replace(x, devices=np.random.default_rng(0).integers(0, 4, len(x)).astype(np.int8))


def simulated() -> tuple[Catalog, Interactions]:
    catalog, x = observed()
    return catalog, simulate_devices(x, catalog, 1.0, np.random.default_rng(0))


def sequence(data: tuple[Catalog, Interactions], **settings) -> Sequence:
    catalog, x = data
    return Sequence(width=8, heads=1, layers=1, length=8, epochs=1, examined=8, **settings).fit(x, catalog)


def hybrid(part: Sequence, data: tuple[Catalog, Interactions]) -> Hybrid:
    catalog, x = data
    parts = {"ease": EASE().fit(x, catalog), "content": Content().fit(x, catalog), "sequence": part}
    return Hybrid(epochs=1, asked=2).attach(parts).fit_gate(x, catalog)


def test_data_say_what_was_drawn_from_a_rule_whatever_becomes_of_their_rows() -> None:
    catalog, x = observed()
    assert x.simulated == ()
    drawn = simulate_devices(x, catalog, 0.0, np.random.default_rng(0))
    assert drawn.simulated == simulate_devices(drawn, catalog, 1.0, np.random.default_rng(0)).simulated == ("device",)
    both = simulate_devices(replace(x, simulated=("time_of_day",)), catalog, 1.0, np.random.default_rng(0))
    assert both.simulated == ("time_of_day", "device")
    for part in (drawn.where(drawn.items < 9), drawn.before(int(drawn.times[50])), drawn.supported(5), replace(drawn, ratings=drawn.ratings)):
        assert part.simulated == ("device",)
    again = Interactions.sorted(drawn.users, drawn.items, drawn.ratings, drawn.times, n_users=40, n_items=40, simulated=drawn.simulated)
    assert again.simulated == ("device",)
    assert replace(drawn, devices=x.devices, simulated=()).fingerprint() == drawn.fingerprint()  # artifacts keep their data hash
    with pytest.raises(ValueError, match="simulated names 'weather', wanted time_of_day or device"):
        replace(x, simulated=("weather",))


def test_a_model_simulates_what_its_data_do_if_it_uses_it() -> None:
    assert sequence(simulated()).simulates == ("device",)
    assert sequence(observed()).simulates == ()
    assert sequence(simulated(), knows=("time_of_day",)).simulates == ()
    hours = replace(observed()[1], simulated=("time_of_day",))
    assert sequence((observed()[0], hours)).simulates == ("time_of_day",)


def test_a_hybrid_simulates_what_its_gate_or_its_parts_do() -> None:
    true, drawn = sequence(observed()), sequence(simulated())
    assert hybrid(true, observed()).simulates == ()
    assert hybrid(drawn, observed()).simulates == ("device",)
    assert hybrid(true, simulated()).simulates == ("device",)
    assert hybrid(drawn, simulated()).simulates == ("device",)


@pytest.mark.parametrize(("data", "named"), [(observed, []), (simulated, ["device"])])
def test_a_loaded_model_says_what_its_card_says(data, named: list[str], tmp_path: Path) -> None:
    catalog, _ = world = data()
    part = sequence(world)
    for name, model in {"sequence": part, "hybrid": hybrid(part, world), "ease": EASE().fit(world[1], catalog)}.items():
        wanted = [] if name == "ease" else named
        assert artifacts.save(name, model, tmp_path)["simulated"] == wanted
        assert artifacts.load(name, tmp_path, catalog).simulates == tuple(wanted)  # type: ignore[attr-defined]


@pytest.mark.parametrize("wrong", [None, "device", {"device": True}])
def test_a_card_that_does_not_say_what_is_simulated_is_refused(wrong, tmp_path: Path) -> None:
    catalog, x = observed()
    artifacts.save("ease", EASE().fit(x, catalog), tmp_path)
    path = tmp_path / "ease" / artifacts.CARD
    path.write_text(json.dumps(json.loads(path.read_text()) | {"simulated": wrong}))
    with pytest.raises(ArtifactError, match=r"simulated is .*, wanted a list of signals"):
        artifacts.load("ease", tmp_path, catalog)


# -- the switch --------------------------------------------------------------------------------------------------------

GAIN = {"model": "context", "against": "no context", "metric": "NDCG", "k": 10, "segment": None}


def report(folder: Path, source: str = "observed", model: str = "hybrid", **figures) -> Path:
    """A report that measured the time of day: by default a gain of .0115 on 618 viewers, between decoys that must not be read."""
    row = GAIN | {"variant": "x", "delta": 0.0115, "lo": 0.0077, "hi": 0.0148, "p": 0.0001, "p_holm": 0.0003, "n": 618} | figures
    decoys = [{"model": "context shuffled within user"}, {"against": "context shuffled within user"}, {"metric": "HR"}, {"k": 20}, {"variant": "y"}]
    rows = [row | decoy | {"delta": -0.9, "lo": -0.95, "hi": -0.85} for decoy in decoys]
    trial = {"model": model, "signal": "time_of_day", "source": source, "variant": "x"}
    (folder / "context.json").write_text(json.dumps({"more": {"signals": [trial]}, "differences": [*rows[:3], row, *rows[3:]]}))
    return folder


def test_a_sure_gain_switches_on(tmp_path: Path) -> None:
    assert verdicts(report(tmp_path))["time_of_day"] == Verdict(
        "time_of_day", "observed", True, 0.0115, 0.0077, 0.0148, 0.0003, 618,
        "Switched on: on 618 viewers it changes NDCG@10 by +.0115 [+.0077, +.0148], a gain.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("figures", "on", "said"),
    [
        ({"delta": -0.0016, "lo": -0.0033, "hi": 0.00004, "p_holm": 0.19}, False, "-.0016 [-.0033, +.0000], not told apart from none."),
        ({"delta": -0.0016, "lo": -0.0033, "hi": -0.0004, "p_holm": 0.01}, False, "-.0016 [-.0033, -.0004], a loss."),
        ({"delta": -0.0016, "lo": -0.0033, "hi": -0.0004, "p_holm": 0.07}, False, "-.0016 [-.0033, -.0004], not told apart from none."),
        ({"delta": 0.001, "lo": 0.0001, "hi": 0.002, "p_holm": 0.0499}, True, "+.0010 [+.0001, +.0020], a gain."),
        ({"delta": 0.001, "lo": 0.0001, "hi": 0.002, "p_holm": 0.05}, False, "not told apart from none."),
        ({"delta": 0.001, "lo": 0.0, "hi": 0.002, "p_holm": 0.01}, False, "+.0010 [+.0000, +.0020], not told apart from none."),
        ({"delta": -0.00001, "lo": -0.001, "hi": 0.001, "p_holm": 1, "n": 1234}, False, "on 1,234 viewers it changes NDCG@10 by +.0000 ["),
    ],
)
def test_only_a_gain_beyond_noise_switches_on(figures: dict, on: bool, said: str, tmp_path: Path) -> None:
    found = verdicts(report(tmp_path, **figures))["time_of_day"]
    assert found.on == on
    assert said in found.why
    assert found.why.startswith("Switched on" if on else "Switched off")


def test_a_simulated_gain_is_one_inside_the_simulation(tmp_path: Path) -> None:
    found = verdicts(report(tmp_path, source="simulated"))["time_of_day"]
    assert (found.on, found.source) == (True, "simulated")
    assert found.why.endswith("a gain inside the simulation: the time of day is drawn from a rule, not observed.")


def test_what_was_not_measured_is_off(tmp_path: Path) -> None:
    nowhere = verdicts(tmp_path)
    elsewhere = verdicts(report(tmp_path))["device"], verdicts(report(tmp_path), "popularity")["time_of_day"]
    (tmp_path / "context.json").write_text('{"more": {}, "differences": []}')  # of a version that tried no served model
    for found in (*nowhere.values(), *elsewhere, *verdicts(tmp_path).values()):
        assert (found.on, found.delta, found.lo, found.hi, found.p, found.n) == (False, None, None, None, None, None)
        assert found.why.startswith("Switched off: what the ")
        assert found.why.endswith(" adds was not measured here.")
        assert found.source == SIGNALS[found.signal]
    assert list(nowhere) == list(SIGNALS)
    assert verdicts(report(tmp_path, model="popularity"), "popularity")["time_of_day"].on


@pytest.mark.parametrize(
    "figures",
    [
        {"delta": float("nan")}, {"lo": None}, {"hi": "0.1"}, {"p_holm": -0.1}, {"p_holm": 2}, {"n": 618.5}, {"n": True}, {"n": 1}, {"lo": 0.2},
        {"delta": True}, {"hi": 1.5}, {"delta": float("inf")}, {"k": 5}, {"source": "guessed"},
    ],
)  # fmt: skip
def test_damaged_figures_switch_off(figures: dict, tmp_path: Path) -> None:
    found = verdicts(report(tmp_path, **figures))["time_of_day"]
    assert (found.on, found.delta, found.n) == (False, None, None)
    assert found.why == "Switched off: context.json cannot be read, so nothing is known of what the time of day adds."


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "7", "[" * 100_000, '{"more": []}', '{"more": {"signals": 3}}', '{"more": {"signals": [{}]}}',
        '{"more": {"signals": [{"model": "hybrid", "signal": "device", "variant": "x"}, {"model": "hybrid", "signal": "time_of_day"}]}}',
        '{"more": {"signals": [{"model": "hybrid", "signal": "device", "variant": "x", "source": "observed"}]}, "differences": [3]}',
    ],
)  # fmt: skip
def test_damaged_reports_switch_off(text: str, tmp_path: Path) -> None:
    (tmp_path / "context.json").write_text(text)
    found = verdicts(tmp_path)["device"]
    assert (found.on, found.why) == (False, "Switched off: context.json cannot be read, so nothing is known of what the device adds.")


def test_cut_short_and_unreadable_files_switch_off(tmp_path: Path) -> None:
    whole = (report(tmp_path) / "context.json").read_bytes()
    for n in (1, len(whole) // 2, len(whole) - 1):
        (tmp_path / "context.json").write_bytes(whole[:n])
        assert not verdicts(tmp_path)["time_of_day"].on
    (tmp_path / "context.json").write_bytes(b"\xff" + whole)
    assert not verdicts(tmp_path)["time_of_day"].on
    (tmp_path / "context.json").unlink()
    (tmp_path / "context.json").mkdir()
    assert "cannot be read" in verdicts(tmp_path)["time_of_day"].why


def test_a_verdict_given_twice_is_none(tmp_path: Path) -> None:
    text = json.loads((report(tmp_path) / "context.json").read_text())
    text["differences"].append(text["differences"][3] | {"delta": 0.5})
    (tmp_path / "context.json").write_text(json.dumps(text))
    assert not verdicts(tmp_path)["time_of_day"].on


def test_what_is_off_is_not_told() -> None:
    def verdict(signal: str, on: bool) -> Verdict:
        return Verdict(signal, "observed", on, None, None, None, None, None, "")

    now = Context("evening", "tv", at=5)
    given = {name: verdict(name, on) for name, on in (("time_of_day", False), ("device", True))}
    assert heed(now, given) == Context(None, "tv", at=5)
    assert heed(now, given, ("time_of_day",)) == now
    assert heed(now, given, ("device",)) == Context(None, "tv", at=5)
    assert heed(now, {name: verdict(name, False) for name in SIGNALS}) == Context(at=5)
    assert heed(now, {name: verdict(name, True) for name in SIGNALS}) == now
    assert heed(Context(), given) == Context()
    with pytest.raises(ValueError, match="signal 'devices' is unknown, wanted time_of_day or device"):
        heed(now, given, ("devices",))


def test_the_published_report_gives_a_measured_verdict_on_every_signal() -> None:
    published = ROOT / "artifacts" / "reports"
    for model, signals in (("hybrid", SIGNALS), ("popularity", ("time_of_day",))):
        found = verdicts(published, model)
        for signal in signals:
            assert found[signal].delta is not None
            assert found[signal].source == SIGNALS[signal]  # MovieLens records the one and not the other
    raw = json.loads((published / "context.json").read_text("utf-8"))
    assert {GAIN[key] for key in ("model", "against")} == {ablation.WITH, ablation.WITHOUT}
    assert {t["variant"] for t in raw["more"]["signals"]} <= {d["variant"] for d in raw["differences"]}
