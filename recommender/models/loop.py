"""The one training loop: epochs with a progress bar, early stopping, and a checkpoint that resumes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from tqdm import tqdm


@dataclass
class Loop:
    """Adam until `error` (lower is better) has not fallen for `patience` epochs; the best weights are kept.

    With a checkpoint path (safetensors, no pickle) an interrupted run goes on after its last finished epoch.
    """

    name: str
    rate: float
    epochs: int
    patience: int
    checkpoint: Path | None = None

    def run(
        self,
        network: nn.Module,
        batches: Callable[[], Iterable[Sequence[torch.Tensor]]],
        loss: Callable[..., torch.Tensor],
        error: Callable[[], float],
    ) -> dict:
        """The network ends with the weights of the best epoch; returns {"epochs", "best_epoch", "error", "seconds"}."""
        adam = torch.optim.Adam(network.parameters(), lr=self.rate)
        state: dict = {"epochs": 0, "best_epoch": 0, "error": float("inf"), "seconds": 0.0}
        best = {k: v.clone() for k, v in network.state_dict().items()}
        if self.checkpoint and self.checkpoint.exists():
            state, best = self._resume(network, adam)
        bar = tqdm(range(state["epochs"], self.epochs), desc=self.name, initial=state["epochs"], total=self.epochs, disable=None)
        for epoch in bar:
            if epoch - state["best_epoch"] >= self.patience and epoch:
                break
            started = time.perf_counter()
            network.train()
            total = count = 0.0
            for batch in batches():
                adam.zero_grad(set_to_none=True)
                value = loss(*batch)
                value.backward()
                adam.step()
                total, count = total + value.item(), count + 1
            network.eval()
            with torch.no_grad():
                now = error()
            if now < state["error"]:
                state.update(error=now, best_epoch=epoch + 1)
                best = {k: v.clone() for k, v in network.state_dict().items()}
            state.update(epochs=epoch + 1, seconds=round(state["seconds"] + time.perf_counter() - started, 1))
            bar.set_postfix_str(f"loss {total / max(count, 1):.4f}, held-out {now:.4f}, best {state['error']:.4f} at {state['best_epoch']}")
            self._save(network, adam, state, best)
        network.load_state_dict(best)
        network.eval()
        if self.checkpoint:
            self.checkpoint.unlink(missing_ok=True)
        return state

    def _save(self, network: nn.Module, adam: torch.optim.Optimizer, state: dict, best: dict) -> None:
        if not self.checkpoint:
            return
        tensors = {f"now.{k}": v for k, v in network.state_dict().items()} | {f"best.{k}": v for k, v in best.items()}
        for p, moments in adam.state_dict()["state"].items():
            tensors |= {f"adam.{p}.{k}": v for k, v in moments.items()}
        tensors["random"] = torch.get_rng_state()
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        part = self.checkpoint.with_suffix(".part")
        save_file({k: v.contiguous().clone() for k, v in tensors.items()}, part, metadata={"state": json.dumps(state)})
        part.replace(self.checkpoint)

    def _resume(self, network: nn.Module, adam: torch.optim.Optimizer) -> tuple[dict, dict]:
        with safe_open(self.checkpoint, framework="pt") as f:
            state = json.loads(f.metadata()["state"])
            tensors = {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118 (not a dict)
        network.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("now.")})
        saved = adam.state_dict()
        for key, value in tensors.items():
            if key.startswith("adam."):
                _, p, name = key.split(".")
                saved["state"].setdefault(int(p), {})[name] = value
        adam.load_state_dict(saved)
        torch.set_rng_state(tensors["random"])
        return state, {k[5:]: v for k, v in tensors.items() if k.startswith("best.")}
