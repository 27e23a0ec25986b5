"""Two processes over gloo take the steps that one would take, the first alone decides and writes, and neither waits for ever."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from safetensors.numpy import load_file, save_file
from torch import nn
from typer.testing import CliRunner

from recommender.models import processes, sequence
from recommender.models.loop import Loop
from recommender.models.sequence import Sequence
from recommender.world import checkerboard, simulate_devices


@pytest.fixture(scope="module", autouse=True)
def without_a_page() -> Iterator[None]:
    """A page that another test ran stays behind as the main module, and each process that is spawned would run it first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))
        yield


class Interrupted(Exception):
    """The machines are switched off."""


@contextmanager
def double() -> Iterator[None]:
    """Networks in float64, so that steps of Adam do not make much of the order of sums."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@double()
def _toy(checkpoint: Path | None = None, stop_in: int | None = None, rows: int = 11, examine: bool = True) -> tuple[dict[str, np.ndarray], dict]:
    """A small regression on rows of one to four terms, in batches of 5, 5 and 1 rows: unlike numbers of terms, and a process without a row."""
    torch.manual_seed(3)
    network = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    x, wanted = torch.rand(rows, 4, 3), torch.rand(rows, 4)
    told = torch.arange(4) < 1 + torch.arange(rows)[:, None] % 4
    epochs_run = []

    def batches():
        epochs_run.append(1)
        if len(epochs_run) - 1 == stop_in:
            raise Interrupted
        for chosen in torch.randperm(rows).split(5):
            yield x[chosen], wanted[chosen], told[chosen]

    def loss(a, b, known) -> torch.Tensor:
        return ((network(a)[..., 0] - b) ** 2)[known].mean()

    def error() -> float:
        assert examine, "only the first process examines"
        return float(loss(x, wanted, told))

    loop = Loop("toy", 0.05, 6, 9, checkpoint, average=0.8, cosine=True)
    found = loop.run(network, batches, loss, error, lambda a, b, known: int(known.sum()))
    return {name: weight.numpy() for name, weight in network.state_dict().items()}, found


def _interrupted(checkpoint: Path, **options) -> None:
    with pytest.raises(Interrupted):
        _toy(checkpoint, stop_in=3, **options)


@double()
def _small_sequence() -> tuple[dict[str, np.ndarray], dict]:
    """The Transformer without dropout: the order of sums is the only difference that several processes may make."""
    catalog, interactions = checkerboard(n_users=60)
    knows = ("time_of_day", "device", "stars", "moment")
    model = Sequence(knows=knows, width=16, length=8, epochs=3, batch=11, rate=0.01, average=0.9, thinned=0.5, dropout=0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequence, "half_precision", nullcontext)
        model.fit(simulate_devices(interactions, catalog, 1.0, np.random.default_rng(0)), catalog)
    return model.state_, model.training


def _chances() -> tuple[dict[str, np.ndarray], dict]:
    """What is drawn in steps 0, 1 and 0 again by this process, and what from the common generator after each."""
    torch.manual_seed(5)
    network, inside, outside = nn.Linear(1, 1), [], []

    def loss(rows: torch.Tensor) -> torch.Tensor:
        inside.append(torch.rand(4))
        return network(rows).mean()

    learn = processes.learning(network, loss, lambda rows: len(rows))
    for step in (0, 1, 0):
        learn([torch.ones(2, 1)], step)
        outside.append(torch.rand(1))
    return {"inside": torch.stack(inside).numpy(), "outside": torch.cat(outside).numpy()}, {"sum": processes.summed(1.5, torch.device("cpu"))}


def _command(folder: Path) -> tuple[dict[str, np.ndarray], dict]:
    from recommender.__main__ import app

    done = CliRunner().invoke(app, ["train", "sequence", "--data", str(folder / "data"), "--threads", "1"])
    assert done.exit_code == 0, done.output
    return {}, {"printed": done.output}


def _silent(folder: Path) -> tuple[dict[str, np.ndarray], dict]:
    """The second process says nothing until the first has given up."""
    while processes.rank() and not (folder / "silent-0.json").exists():
        time.sleep(0.1)
    return {}, {"sum": processes.summed(1.0, torch.device("cpu"))}


def _dead() -> tuple[dict[str, np.ndarray], dict]:
    """The second process ends in the middle of an epoch."""
    network = nn.Linear(1, 1)

    def loss(rows: torch.Tensor) -> torch.Tensor:
        if processes.rank():
            os._exit(0)
        return network(rows).mean()

    return {}, Loop("dead", 0.1, 3, 3).run(network, lambda: [[torch.ones(4, 1)]], loss, lambda: 0.0)


def _process(rank: int, folder: Path, ports: list[int]) -> None:
    """All cases one after the other; each process keeps what it found, or what went wrong, in files NAME-RANK."""
    own = folder / str(rank)  # the disk of a machine of its own
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1"}
    os.environ |= {"MARQUEE_ARTIFACTS": str(own / "artifacts"), "MARQUEE_CHECKPOINTS": str(own / "checkpoints"), "MARQUEE_MIN_RATERS": "1"}
    os.environ |= {"MARQUEE_FILMS": str(own / "films.csv")}
    torch.set_num_threads(1)
    first = rank == 0
    cases = {
        "toy": lambda: _toy(own / "toy.safetensors", examine=first),
        "resumed": lambda: _toy(own / "of_one.safetensors", examine=first),
        "interrupted": lambda: _toy(own / "of_two.safetensors", stop_in=3, examine=first),
        "small_sequence": _small_sequence,
        "chances": _chances,
        "too_many": lambda: _toy(rows=1),
        "command": lambda: _command(folder),
        "silent": lambda: _silent(folder),
        "dead": _dead,
    }
    for port, (name, case) in zip(ports, cases.items(), strict=True):
        os.environ["MASTER_PORT"] = str(port)
        arrays: dict[str, np.ndarray] = {}
        facts: dict = {}
        try:
            with nullcontext() if name == "command" else processes.joined(timedelta(seconds=3 if name == "silent" else 120)):
                try:
                    arrays, facts = case()
                except (Interrupted, ValueError) as error:
                    facts = {"wrong": f"{type(error).__name__}: {error}"}
        except ConnectionError as error:
            facts = {"wrong": f"{type(error).__name__}: {error}"}
        save_file(arrays, folder / f"{name}-{rank}.safetensors")
        (folder / f"{name}-{rank}.json").write_text(json.dumps(facts))
        if name == "silent":
            processes.dist.destroy_process_group()
    os._exit(0)  # all is written; after an error a process ends with 2


def _free_ports(n: int) -> list[int]:
    found = [socket.socket() for _ in range(n)]
    for one in found:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in found]
    for one in found:
        one.close()
    return ports


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where two processes have left what they found."""
    folder = tmp_path_factory.mktemp("processes")
    _interrupted(folder / "0" / "of_one.safetensors")
    (folder / "data").mkdir()
    lines = [f"{user},{film},4.0,{1000 * user + film}\n" for user in range(1, 41) for film in range(1, 21) if (user + film) % 3]
    (folder / "data" / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(lines))
    (folder / "data" / "movies.csv").write_text("movieId,title,genres\n" + "".join(f"{n},Film {n} (1990),Drama\n" for n in range(1, 21)))
    mp.spawn(_process, (folder, _free_ports(9)), nprocs=2)
    return folder


def left(folder: Path, name: str, rank: int) -> tuple[dict[str, np.ndarray], dict]:
    return load_file(folder / f"{name}-{rank}.safetensors"), json.loads((folder / f"{name}-{rank}.json").read_text())


def same(found: tuple[dict[str, np.ndarray], dict], wanted: tuple[dict[str, np.ndarray], dict]) -> None:
    """Weights up to the order of sums, and the same best epoch."""
    assert found[0].keys() == wanted[0].keys(), found[1]
    for name, weight in wanted[0].items():
        np.testing.assert_allclose(found[0][name], weight, atol=1e-9, err_msg=name)
    assert (found[1]["epochs"], found[1]["best_epoch"]) == (wanted[1]["epochs"], wanted[1]["best_epoch"])
    assert found[1]["error"] == pytest.approx(wanted[1]["error"], abs=1e-9)


@pytest.mark.parametrize("rank", [0, 1])
def test_two_processes_take_the_steps_of_one(folder: Path, rank: int) -> None:
    same(left(folder, "toy", rank), _toy())


@pytest.mark.parametrize("rank", [0, 1])
def test_the_transformer_learns_on_two_processes_what_it_learns_on_one(folder: Path, rank: int) -> None:
    same(left(folder, "small_sequence", rank), _small_sequence())


@pytest.mark.parametrize("rank", [0, 1])
def test_two_processes_go_on_from_the_checkpoint_of_one_that_only_the_first_has(folder: Path, rank: int) -> None:
    same(left(folder, "resumed", rank), _toy())


def test_one_process_goes_on_from_the_checkpoint_of_two(folder: Path) -> None:
    checkpoint = folder / "0" / "of_two.safetensors"
    assert left(folder, "interrupted", 0)[1]["wrong"].startswith("Interrupted")
    same(_toy(checkpoint), _toy())
    assert not checkpoint.exists()


def test_only_the_first_process_writes_and_prints(folder: Path) -> None:
    assert "1 artifacts" in left(folder, "command", 0)[1]["printed"]
    assert left(folder, "command", 1)[1] == {"printed": ""}
    written = {path.relative_to(folder).as_posix() for rank in "01" for path in (folder / rank).rglob("*") if path.is_file()}
    assert written - {"0/of_two.safetensors"} == {
        "0/artifacts/sequence/card.json",
        "0/artifacts/sequence/weights.safetensors",
        "0/films.csv",
        "1/films.csv",  # the same facts; each process may be on a machine of its own
    }


def test_processes_drop_out_each_their_own_and_shuffle_alike(folder: Path) -> None:
    (one, facts), (other, _) = (left(folder, "chances", rank) for rank in (0, 1))
    drawn = np.concatenate([one["inside"], other["inside"]])
    assert len(np.unique(drawn[[0, 1, 3, 4]])) == 16  # two processes, two steps
    np.testing.assert_array_equal(drawn[[0, 3]], drawn[[2, 5]])  # the same step draws the same
    torch.manual_seed(5)
    nn.Linear(1, 1)
    np.testing.assert_array_equal(one["outside"], torch.rand(1, 3)[0])
    np.testing.assert_array_equal(one["outside"], other["outside"])
    assert facts["sum"] == 3.0


@pytest.mark.parametrize("rank", [0, 1])
def test_more_processes_than_rows_are_told(folder: Path, rank: int) -> None:
    assert left(folder, "too_many", rank)[1]["wrong"] == (
        "ValueError: 2 processes for toy, whose largest batch has 1 rows; wanted at most a process a row"
    )


@pytest.mark.parametrize(("name", "wait"), [("silent", 3), ("dead", 120)])
def test_a_process_that_lost_the_other_says_so_and_ends(folder: Path, name: str, wait: int) -> None:
    wrong = left(folder, name, 0)[1]["wrong"]
    assert wrong.startswith(f"ConnectionError: process 0 of 2 stops: another ended early or was silent for {wait} s (")


def test_a_backend_that_torch_lacks_is_named(monkeypatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(processes.dist, "is_backend_available", lambda name: False)
    with pytest.raises(OSError, match="comes without the backend gloo"), processes.joined():
        pass
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(OSError, match="comes without the backend nccl"), processes.joined():
        pass


def test_fewer_graphics_cards_than_processes_are_told(monkeypatch) -> None:
    for name, value in {"WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "3", "LOCAL_RANK": "2", "RANK": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(processes.dist, "is_backend_available", lambda name: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(OSError, match="3 processes have 2 graphics cards, wanted one each: --nproc-per-node 2"), processes.joined():
        pass
