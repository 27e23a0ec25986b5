"""The network alone: a causal Transformer over films, with the request's context added before the output."""

from __future__ import annotations

import torch
from torch import nn

GAPS = 32  # buckets of time between two moments, about 1.2 to a doubling: same second to two years


class Dropout(nn.Module):
    """Dropout with a rate in 1/256; its mask is cut from whole random words, 50 times faster on a processor than one draw a number."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.dropped = round(256 * rate)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or not self.dropped:
            return x
        words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device).random_(-(2**63), None)
        kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= self.dropped
        return x * (kept.to(x.dtype) * (256 / (256 - self.dropped)))


class Block(nn.Module):
    """Pre-norm attention and feed-forward, as in Vaswani et al. 2017 (arXiv 1706.03762) with Xiong et al. 2020 (arXiv 2002.04745).

    How far back a film lies, in films and where `clock` says so in time, moves its attention by a learned bias.
    Source of the time bias: Zhai et al., HSTU, ICML 2024, arXiv 2402.17152.
    """

    def __init__(self, width: int, heads: int, length: int, dropout: float, clock: bool) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Identity(), nn.Linear(4 * width, width))
        self.drop = Dropout(dropout)
        self.distance = nn.Parameter(torch.zeros(heads, length))  # bias for looking back 0, 1, 2, ... films
        self.elapsed = nn.Parameter(torch.zeros(heads, GAPS)) if clock else None  # bias for looking back so long

    def bias(self, back: torch.Tensor) -> torch.Tensor:  # (heads, T, T), hugely negative for what is not seen
        return self.distance.index_select(1, back.clamp(min=0).flatten()).view(-1, *back.shape).masked_fill(back < 0, -1e9)

    def forward(self, x: torch.Tensor, back: torch.Tensor, ages: torch.Tensor | None, at: torch.Tensor | None = None) -> torch.Tensor:
        """x (B, T, D); back (T, T) films from each position back to each other, below 0 for those it does not see; ages (B, T, T) bucket of the time
        from each film to each request, or None; what comes out at every position, or (B, L, D) at the positions (B, L)."""
        b, t, d = x.shape
        q, k, v = (h.view(b, t, self.heads, -1).transpose(1, 2) for h in self.qkv(self.norm1(x)).chunk(3, dim=-1))  # (B, heads, T, D / heads)
        each = torch.arange(b, device=x.device)[:, None]
        chosen = lambda h: h if at is None else h.expand(b, -1, -1, -1)[each, :, at].transpose(1, 2)  # (B, ., T, .) -> (B, ., L, .)
        logits = (chosen(q) @ k.transpose(-1, -2)) * (d // self.heads) ** -0.5 + chosen(self.bias(back)[None]).to(q.dtype)
        if self.elapsed is not None and ages is not None:
            logits = logits + chosen(self.elapsed[:, ages].transpose(0, 1)).to(q.dtype)
        a = logits.softmax(dim=-1).to(v.dtype) @ v
        x = chosen(x[:, None])[:, 0] + self.drop(self.out(a.transpose(1, 2).reshape(b, -1, d)))
        return x + self.drop(self.feed(self.norm2(x)))


def gaps(seconds: torch.Tensor) -> torch.Tensor:
    """Times passed [s] -> bucket 0 to GAPS - 1."""
    return (torch.log2(seconds.clamp(min=0).float() + 1) * 1.2).long().clamp(max=GAPS - 1)


class Transformer(nn.Module):
    """Films watched (B, T), left-aligned, padding = n_items -> a query vector for every position (B, T, D).

    Position is known only as distance, through the attention bias, so any window of a history looks alike.
    Context index 0 means unknown, as does 0 half stars. Next-film scores are vectors @ embedding.T (the output shares the input embedding).
    """

    def __init__(
        self,
        n_items: int,
        width: int = 64,
        heads: int = 4,
        layers: int = 2,
        length: int = 100,
        dropout: float = 0.2,
        stars: bool = False,
        clock: bool = False,
    ) -> None:
        super().__init__()
        self.length = length
        self.films = nn.Embedding(n_items + 1, width, padding_idx=n_items)
        self.times, self.devices = nn.Embedding(5, width), nn.Embedding(5, width)
        self.stars = nn.Embedding(11, width) if stars else None
        self.gap, self.gap_out = (nn.Embedding(GAPS, width) if clock else None for _ in range(2))  # to the request, before and after the blocks
        self.drop = Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, length, dropout, clock) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.films.weight, std=width**-0.5)
        for table in (self.times, self.devices, self.stars, self.gap, self.gap_out):
            if table is not None:
                nn.init.zeros_(table.weight)

    def forward(
        self,
        films: torch.Tensor,
        times: torch.Tensor,
        devices: torch.Tensor,
        stars: torch.Tensor | None = None,
        clock: torch.Tensor | None = None,
        at: torch.Tensor | None = None,
        back: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """times and devices (B, T): the context in which the next film is asked for; stars (B, T) in halves, 0 unknown;
        clock (B, T + 1): unix seconds of each film, and in place t + 1 of the request that follows film t.

        With at (B, L), only the vectors of those positions, (B, L, D): the last block is not asked for the others. back (T, T): how many films each
        position looks back to reach each other, below 0 for those it does not see; without it each sees all before it."""
        if back is None:
            place = torch.arange(films.shape[1], device=films.device)
            back = place[:, None] - place[None, :]
        x = self.films(films)
        if self.stars is not None and stars is not None:
            x = x + self.stars(stars)
        ages = None
        if self.gap is not None and clock is not None:
            wait = gaps(clock[:, 1:] - clock[:, :-1])
            x = x + self.gap(wait)
            ages = gaps(clock[:, 1:, None] - clock[:, None, :-1])
        x = self.drop(x)
        for block in self.blocks[:-1]:
            x = block(x, back, ages)
        x = self.blocks[-1](x, back, ages, at)
        here = lambda h: h if at is None else h.gather(1, at)  # (B, T) -> (B, L)
        x = self.norm(x) + self.times(here(times)) + self.devices(here(devices))
        if self.gap_out is not None and clock is not None:
            x = x + self.gap_out(here(wait))
        return x

    @property
    def table(self) -> torch.Tensor:  # (I, D)
        return self.films.weight[:-1]
