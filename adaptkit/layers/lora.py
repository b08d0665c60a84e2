"""LoRA at one site.

site_input (in_width) ──A──> rank ──B──> out_width ── × scale ──┐
site_output (out_width) ────────────────────────────────────────(+)──> site_output
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from adaptkit.config import SiteShape
from adaptkit.layers.adapter_layer import LowRankLayer
from adaptkit.layers.dropout import dropped
from adaptkit.layers.types import compute_type
from adaptkit.methods import LoraConfig


class _Matrix(nn.Module):
    """A weight with the name that peft gives it, initialised by its owner."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)


class LoraLayer(LowRankLayer):
    """`site_output + scale * B(A(dropout(site_input)))` (Hu et al. 2021, arXiv:2106.09685).

    B starts at zero, so a fresh layer changes nothing.
    """

    def __init__(self, *, in_width: int, out_width: int, rank: int, scale: float, dropout: float = 0.0) -> None:
        super().__init__()
        self.scale = scale
        self.lora_A = _Matrix(torch.empty(rank, in_width))
        # Held as (rank, out_width), so that the weights of many adapters are gathered by copying whole rows.
        self.lora_B = _Matrix(torch.zeros(rank, out_width).t())
        # A number, not a module: a model may hold thousands of these layers.
        self.dropout = dropout
        if not self.lora_A.weight.is_meta:
            nn.init.kaiming_uniform_(self.lora_A.weight, a=math.sqrt(5))

    @property
    def down(self) -> Tensor:
        """A. Shape: (rank, in_width)."""
        return self.lora_A.weight

    @property
    def up(self) -> Tensor:
        """B. Shape: (out_width, rank)."""
        return self.lora_B.weight

    def forward(self, site_input: Tensor, site_output: Tensor) -> Tensor:
        """Add the low-rank term.

        Shape: site_input (..., in_width), site_output and result (..., out_width).
        """
        x, a, b = dropped(site_input, self.dropout, self.training), self.lora_A.weight, self.lora_B.weight
        result: Tensor = _LowRankTerm.apply(site_output, x, a, b, self.scale)  # type: ignore[no-untyped-call]
        return result


def lora_layer(config: LoraConfig, place: SiteShape) -> LoraLayer:
    """A fresh layer at a site."""
    return LoraLayer(
        in_width=place.in_width,
        out_width=place.out_width,
        rank=config.rank,
        scale=config.scale,
        dropout=config.dropout,
    )


class _LowRankTerm(torch.autograd.Function):
    """`site_output + scale * B(A(x))`, with its gradients in as few operations as there can be.

    At a small rank the products take no time, and what autograd would record around them takes most of a step. All of
    them, forward and backward, are in one type, `compute_type(x)`; what else comes in is converted to it, and each
    gradient goes out in the type of what it belongs to.

    Shape: x (..., in_width), site_output and result (..., out_width), A (rank, in_width), B (out_width, rank).
    """

    @staticmethod
    def forward(ctx: Any, site_output: Tensor, x: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:  # noqa: ANN401
        # Converting and scaling the small matrices is cheaper than doing it to the activations.
        here = compute_type(x)
        x_here, a_here, b_here = x.to(here), a.to(here), (b * scale).to(here)
        narrow = x_here.reshape(-1, x.shape[-1]) @ a_here.t()
        ctx.save_for_backward(x_here, narrow, a_here, b_here)
        ctx.scale, ctx.types = scale, (x.dtype, a.dtype, b.dtype)
        if site_output.dtype != here:
            return site_output + (narrow @ b_here.t()).view_as(site_output).to(site_output.dtype)
        return torch.addmm(site_output.reshape(-1, len(b)), narrow, b_here.t()).view_as(site_output)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        x, narrow, a, b = ctx.saved_tensors
        type_of_x, type_of_a, type_of_b = ctx.types
        here = gradient.reshape(-1, len(b)).to(x.dtype)
        of_narrow = here @ b
        of_x = (of_narrow @ a).view_as(x).to(type_of_x) if ctx.needs_input_grad[1] else None
        of_a = of_b = None
        if ctx.needs_input_grad[2]:
            of_a = (of_narrow.t() @ x.reshape(-1, x.shape[-1])).to(type_of_a)
        if ctx.needs_input_grad[3]:
            of_b = (narrow.t() @ here).to(type_of_b).mul_(ctx.scale).t()
        return gradient if ctx.needs_input_grad[0] else None, of_x, of_a, of_b, None
