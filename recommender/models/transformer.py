"""The network alone: a causal Transformer over films, with the request's context added before the output."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    """Pre-norm attention and feed-forward, as in Vaswani et al. 2017 (arXiv 1706.03762) with Xiong et al. 2020 (arXiv 2002.04745)."""

    def __init__(self, width: int, heads: int, length: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * width, width), nn.Dropout(dropout))
        self.distance = nn.Parameter(torch.zeros(heads, length))  # bias for looking back 0, 1, 2, ... films

    def bias(self, t: int) -> torch.Tensor:  # (1, heads, T, T), -inf for the future
        back = torch.arange(t)[:, None] - torch.arange(t)[None, :]
        return self.distance[:, back.clamp(min=0)].masked_fill(back < 0, float("-inf"))[None]

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # (B, T, D)
        b, t, d = x.shape
        q, k, v = (h.view(b, t, self.heads, -1).transpose(1, 2) for h in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=self.bias(t), dropout_p=self.dropout if self.training else 0.0)
        x = x + F.dropout(self.out(a.transpose(1, 2).reshape(b, t, d)), self.dropout, self.training)
        return x + self.feed(self.norm2(x))


class Transformer(nn.Module):
    """Films watched (B, T), left-aligned, padding = n_items -> a query vector for every position (B, T, D).

    Position is known only as distance, through the attention bias, so any window of a history looks alike.
    Context index 0 means unknown. Next-film scores are vectors @ embedding.T (the output shares the input embedding).
    """

    def __init__(self, n_items: int, width: int = 64, heads: int = 4, layers: int = 2, length: int = 100, dropout: float = 0.2) -> None:
        super().__init__()
        self.length = length
        self.films = nn.Embedding(n_items + 1, width, padding_idx=n_items)
        self.times, self.devices = nn.Embedding(5, width), nn.Embedding(5, width)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, length, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.films.weight, std=width**-0.5)
        nn.init.zeros_(self.times.weight)
        nn.init.zeros_(self.devices.weight)

    def forward(self, films: torch.Tensor, times: torch.Tensor, devices: torch.Tensor) -> torch.Tensor:
        """times and devices (B, T): the context in which the next film is asked for."""
        x = self.drop(self.films(films))
        for block in self.blocks:
            x = block(x)
        return self.norm(x) + self.times(times) + self.devices(devices)

    @property
    def table(self) -> torch.Tensor:  # (I, D)
        return self.films.weight[:-1]
