"""LoRA at one site.

site_input (in_width) ──A──> rank ──B──> out_width ── × scale ──┐
site_output (out_width) ────────────────────────────────────────(+)──> site_output
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _Matrix(nn.Module):
    """A weight with the name that peft gives it, initialised by its owner."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)


class LoraLayer(nn.Module):
    """`site_output + scale * B(A(dropout(site_input)))` (Hu et al. 2021, arXiv:2106.09685).

    B starts at zero, so a fresh layer changes nothing.
    """

    def __init__(self, *, in_width: int, out_width: int, rank: int, scale: float, dropout: float = 0.0) -> None:
        super().__init__()
        self.scale = scale
        self.lora_A = _Matrix(torch.empty(rank, in_width))
        # Held as (rank, out_width), so that the weights of many adapters are gathered by copying whole rows.
        self.lora_B = _Matrix(torch.zeros(rank, out_width).t())
        self.dropout = nn.Dropout(dropout)
        if not self.lora_A.weight.is_meta:
            nn.init.kaiming_uniform_(self.lora_A.weight, a=math.sqrt(5))

    @property
    def rank(self) -> int:
        """How many rows A has."""
        return self.lora_A.weight.shape[0]

    def delta(self) -> Tensor:
        """What the layer amounts to as a change of the weight below it. Shape: (out_width, in_width), float32."""
        with torch.no_grad():
            return self.scale * (self.lora_B.weight.float() @ self.lora_A.weight.float())

    def forward(self, site_input: Tensor, site_output: Tensor) -> Tensor:
        """Add the low-rank term.

        Shape: site_input (..., in_width), site_output and result (..., out_width).
        """
        # Converting and scaling the small matrices is cheaper than doing it to the activations.
        narrow = F.linear(self.dropout(site_input), self.lora_A.weight.to(site_input.dtype))
        change = F.linear(narrow, (self.lora_B.weight * self.scale).to(narrow.dtype))
        return site_output + change.to(site_output.dtype)
