"""The one training loop: epochs with a progress bar, early stopping, and a checkpoint that resumes."""

from __future__ import annotations

import ctypes
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from tqdm import tqdm

from recommender.models import processes


def device() -> torch.device:
    """Where networks are trained: the graphics card, where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half_precision() -> torch.autocast:
    """Matrix products in bfloat16 where the hardware has them; else nothing changes."""
    kind = device().type
    return torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda" or torch.cpu._is_avx512_bf16_supported())


def _hand_back_memory() -> None:
    """Batches of many shapes leave holes in the heap; glibc returns them when asked."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


@dataclass
class Loop:
    """Adam until `error` (lower is better) has not fallen for `patience` epochs; the best weights are kept.

    With a checkpoint path (safetensors, no pickle) an interrupted run goes on after its last finished epoch.
    Several processes (see processes.py) each take some rows of every batch; a step is the one that a single process would take on all of them,
    but for what dropout drops. The first examines, and writes the checkpoint, which any number of processes can go on from.
    average: share of the running mean of weights that a step keeps; the mean, not the last step, is examined and released (0: the last step).
    cosine: the rate rises for two epochs and then falls along a cosine to a twentieth at `epochs`.
    """

    name: str
    rate: float
    epochs: int
    patience: int
    checkpoint: Path | None = None
    average: float = 0.0
    cosine: bool = False

    def run(
        self,
        network: nn.Module,
        batches: Callable[[], Iterable[Sequence[torch.Tensor]]],
        loss: Callable[..., torch.Tensor],
        error: Callable[[], float],
        terms: Callable[..., int] = lambda *batch: len(batch[0]),
    ) -> dict:
        """The network ends with the weights of the best epoch; returns {"epochs", "best_epoch", "error", "seconds"}.

        terms: how many terms the loss of a batch is the mean of; its rows unless told otherwise.
        """
        network.to(device())
        adam = torch.optim.Adam(network.parameters(), lr=self.rate)
        state: dict = {"epochs": 0, "best_epoch": 0, "error": float("inf"), "seconds": 0.0, "steps": 0}
        best, mean = _copy(network), _copy(network)
        if read := processes.from_first(self._read):
            state, best, mean = self._resume(read, network, adam)
        learn = processes.learning(network, loss, terms)
        hidden = True if processes.rank() else None  # None: where there is no terminal
        bar = tqdm(range(state["epochs"], self.epochs), desc=self.name, initial=state["epochs"], total=self.epochs, disable=hidden)
        for epoch in bar:
            if epoch - state["best_epoch"] >= self.patience and epoch:
                break
            started = time.perf_counter()
            fall = self._epoch(network, adam, batches, learn, epoch, state, mean)
            now = _copy(network)
            if self.average:
                network.load_state_dict(mean)
            network.eval()
            with torch.no_grad():
                found = processes.from_first(error)
            if found < state["error"]:
                state.update(error=found, best_epoch=epoch + 1)
                best = _copy(network)
            network.load_state_dict(now)
            state.update(epochs=epoch + 1, seconds=round(state["seconds"] + time.perf_counter() - started, 1))
            bar.set_postfix_str(f"loss {fall:.4f}, held-out {found:.4f}, best {state['error']:.4f} at {state['best_epoch']}")
            self._save(network, adam, state, best, mean)
            _hand_back_memory()
        network.load_state_dict(best)
        network.cpu().eval()
        if self.checkpoint and processes.rank() == 0:
            self.checkpoint.unlink(missing_ok=True)
        return {key: value for key, value in state.items() if key != "steps"}

    def _epoch(self, network: nn.Module, adam: torch.optim.Adam, batches: Callable, learn: Callable, epoch: int, state: dict, mean: dict) -> float:
        """One pass over the batches; `state["steps"]` and `mean` move on with it. Returns the mean loss."""
        network.train()
        if self.cosine:
            for group in adam.param_groups:
                falling = 0.05 + 0.475 * (1 + math.cos(math.pi * epoch / self.epochs))
                group["lr"] = self.rate * min(1, (epoch + 0.5) / 2) * falling
        total, count, most = 0.0, 0, 0
        for batch in batches():
            adam.zero_grad(set_to_none=True)
            value = learn(batch, state["steps"])
            adam.step()
            state["steps"] += 1
            keep = min(self.average, 1 - 1 / (1 + state["steps"] / 10))  # a short memory at first
            if self.average:
                for name, weights in network.state_dict().items():
                    mean[name].lerp_(weights, 1 - keep)
            total, count, most = total + value.item(), count + 1, max(most, len(batch[0]))
        if 0 < most < processes.size():
            raise ValueError(f"{processes.size()} processes for {self.name}, whose largest batch has {most} rows; wanted at most a process a row")
        return processes.summed(total, device()) / max(count, 1)

    def _save(self, network: nn.Module, adam: torch.optim.Optimizer, state: dict, best: dict, mean: dict) -> None:
        if not self.checkpoint or processes.rank():
            return
        parts = {"now": network.state_dict(), "best": best} | ({"mean": mean} if self.average else {})
        tensors = {f"{part}.{k}": v for part, weights in parts.items() for k, v in weights.items()}
        for p, moments in adam.state_dict()["state"].items():
            tensors |= {f"adam.{p}.{k}": v for k, v in moments.items()}
        tensors["random"] = torch.get_rng_state()
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        part = self.checkpoint.with_suffix(".part")
        save_file({k: v.contiguous().clone() for k, v in tensors.items()}, part, metadata={"state": json.dumps(state)})
        part.replace(self.checkpoint)

    def _read(self) -> tuple[dict, dict[str, torch.Tensor]] | None:
        """State and tensors of the checkpoint, where there is one."""
        if not self.checkpoint or not self.checkpoint.exists():
            return None
        with safe_open(self.checkpoint, framework="pt") as f:
            return json.loads(f.metadata()["state"]), {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118 (not a dict)

    def _resume(self, read: tuple[dict, dict[str, torch.Tensor]], network: nn.Module, adam: torch.optim.Optimizer) -> tuple[dict, dict, dict]:
        state, tensors = read
        part = lambda name: {k.removeprefix(f"{name}."): v.to(device()) for k, v in tensors.items() if k.startswith(f"{name}.")}
        network.load_state_dict(part("now"))
        saved = adam.state_dict()
        for key, value in tensors.items():
            if key.startswith("adam."):
                _, p, name = key.split(".")
                saved["state"].setdefault(int(p), {})[name] = value
        adam.load_state_dict(saved)
        torch.set_rng_state(tensors["random"])
        return state, part("best"), part("mean") or _copy(network)


def _copy(network: nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in network.state_dict().items()}
