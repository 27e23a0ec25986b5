"""Cross-entropy over all films, without ever holding all logits."""

from __future__ import annotations

import torch


class SoftmaxLoss(torch.autograd.Function):
    """Mean cross-entropy of softmax(h E') against y, 512 rows at a time: the same value and gradients as
    F.cross_entropy(h @ E.T, y), but the (N, I) logits never leave the processor's cache. In the number format of h."""

    @staticmethod
    def forward(ctx, h: torch.Tensor, table: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        e = table.to(h.dtype)
        across = e.t().contiguous()
        dh, dtable, loss = torch.empty_like(h), torch.zeros_like(table), table.new_zeros(())
        for start in range(0, len(h), 512):
            rows = h[start : start + 512]
            p = (rows @ across).softmax(dim=1)
            answer = y[start : start + 512, None]
            loss -= p.gather(1, answer).float().clamp_min(1e-30).log().sum()
            p.scatter_add_(1, answer, -torch.ones_like(answer, dtype=p.dtype))  # d loss / d logits = p - [i = y]
            dh[start : start + 512] = p @ e
            dtable += p.t() @ rows
        ctx.save_for_backward(dh / len(h), dtable / len(h))
        return loss / len(h)

    @staticmethod
    def backward(ctx, grad: torch.Tensor):
        dh, dtable = ctx.saved_tensors
        return grad.to(dh.dtype) * dh, grad * dtable, None
