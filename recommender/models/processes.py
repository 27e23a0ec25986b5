"""Several processes that train one network together, as torchrun starts them (torch.distributed); without it, the first of one."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

WAIT = timedelta(minutes=10)  # for the others, before a process gives up

Made = TypeVar("Made")


def size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is; 0 is the first, which alone writes files and decides."""
    return dist.get_rank() if size() > 1 else 0


@contextmanager
def joined(wait: timedelta = WAIT) -> Iterator[None]:
    """Together with the processes that torchrun started: over nccl with a graphics card each, else over gloo. Without torchrun, alone.

    OSError where torch lacks the backend or cards are too few; ConnectionError where another process ends early or is silent for `wait`.
    After an error the process can join no other group, and ends with code 2.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    backend = _backend()
    try:
        dist.init_process_group(backend, timeout=wait)
        yield
    except BaseException as error:
        atexit.register(_end)
        if not isinstance(error, RuntimeError) or not (isinstance(error, dist.DistError) or "gloo" in str(error)):
            raise
        who = f"process {os.environ['RANK']} of {os.environ['WORLD_SIZE']}"
        raise ConnectionError(f"{who} stops: another ended early or was silent for {wait.total_seconds():.0f} s ({error})") from error
    dist.destroy_process_group()


def _end() -> None:
    """After an error torch's threads can wait for ever for the interpreter that takes them down; the others would wait with them."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(2)


def _backend() -> str:
    name = "nccl" if torch.cuda.is_available() else "gloo"
    if not dist.is_available() or not dist.is_backend_available(name):
        raise OSError(f"torch {torch.__version__} comes without the backend {name}, wanted for several processes; train without torchrun")
    if name == "nccl":
        card, cards = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if card >= cards:
            raise OSError(f"{os.environ['LOCAL_WORLD_SIZE']} processes have {cards} graphics cards, wanted one each: --nproc-per-node {cards}")
        torch.cuda.set_device(card)
    return name


def from_first(make: Callable[[], Made]) -> Made:
    """What the first process makes; the others make nothing, wait and get the same."""
    if size() == 1:
        return make()
    made = [make() if rank() == 0 else None]
    dist.broadcast_object_list(made, src=0)
    return made[0]  # type: ignore[return-value]


def summed(value: float, where: torch.device) -> float:
    """The sum over all processes."""
    if size() == 1:
        return value
    total = torch.tensor(value, dtype=torch.float64, device=where)
    dist.all_reduce(total)
    return total.item()


def _share(batch: Sequence[torch.Tensor], terms: Callable[..., int]) -> tuple[Sequence[torch.Tensor], float]:
    """This process's rows of a batch, and the weight of their mean loss in that of the batch: w_r = terms(rows) / terms(batch).

    Every size()-th row, so that rows in order of length are dealt out evenly. Where none is left: the first row, with no weight.
    """
    if size() == 1:
        return batch, 1.0
    mine = [part[rank() :: size()] for part in batch]
    if not len(mine[0]):
        return [part[:1] for part in batch], 0.0
    return mine, terms(*mine) / terms(*batch)


@contextmanager
def _own_chance(step: int) -> Iterator[None]:
    """Draws inside (dropout) are this process's own; the generator outside, which shuffles alike on all, does not move."""
    if size() == 1:
        yield
        return
    with torch.random.fork_rng([torch.cuda.current_device()] if torch.cuda.is_available() else []):
        seed = np.random.SeedSequence((torch.initial_seed(), step, rank()))
        torch.manual_seed(int(seed.generate_state(1, np.uint64)[0]))
        yield


class _Loss(nn.Module):
    """A loss as the module whose forward pass DistributedDataParallel watches."""

    def __init__(self, network: nn.Module, loss: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, *batch: torch.Tensor) -> torch.Tensor:
        return self.loss(*batch)


def learning(
    network: nn.Module, loss: Callable[..., torch.Tensor], terms: Callable[..., int]
) -> Callable[[Sequence[torch.Tensor], int], torch.Tensor]:
    """learn(batch, step): leaves the gradient of the batch's loss in the network of every process, and returns this one's part of the loss.

    All networks begin with the weights of the first process's. terms(*rows): how many terms the loss of some rows is the mean of.
    """
    where = next(network.parameters()).device
    together = DistributedDataParallel(_Loss(network, loss)) if size() > 1 else loss

    def learn(batch: Sequence[torch.Tensor], step: int) -> torch.Tensor:
        mine, weight = _share(batch, terms)
        with _own_chance(step):
            part = weight * together(*(column.to(where) for column in mine))  # L = sum_r w_r L_r
            (size() * part).backward()  # and the processes' gradients are averaged: dL = 1/N sum_r N w_r dL_r
        return part.detach()

    return learn
