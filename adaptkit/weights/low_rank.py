"""LoRA matrices of many modules as one adapter, whose rank and scale are the same everywhere."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from adaptkit.config import LINEAR_SITES, MAX_ALPHA, Scaling, SiteShape
from adaptkit.format.shapes import SiteAddress
from adaptkit.methods import LoraConfig


@dataclass(frozen=True)
class LowRank:
    """A change of one weight, `scale * B @ A`. Shape: a (rank, in_width), b (out_width, rank)."""

    a: Tensor
    b: Tensor
    scale: float

    @property
    def rank(self) -> int:
        """How many rows A has."""
        return len(self.a)

    def delta(self) -> Tensor:
        """The change itself. Shape: (out_width, in_width)."""
        return self.scale * (self.b @ self.a)

    def compressed(self, rank: int) -> "LowRank":
        """The nearest change of at most this rank, by a singular value decomposition of the factors."""
        if self.rank <= rank:
            return self
        left, left_rest = torch.linalg.qr(self.b.double())
        right, right_rest = torch.linalg.qr(self.a.double().t())
        inner = LowRank.of(left_rest @ right_rest.t(), rank)
        return LowRank((inner.a @ right.t()).float(), (left @ inner.b).float(), self.scale)

    @classmethod
    def of(cls, delta: Tensor, rank: int) -> "LowRank":
        """The nearest change of at most this rank to any change. Shape: delta (out_width, in_width)."""
        u, s, v = torch.linalg.svd(delta, full_matrices=False)
        root = s[:rank].sqrt()
        return cls(root[:, None] * v[:rank], u[:, :rank] * root, 1.0)


def lora_of(
    changes: Mapping[SiteAddress, LowRank], places: Mapping[SiteAddress, SiteShape], scaling: Scaling = "standard"
) -> tuple[LoraConfig, dict[str, Tensor]]:
    """The one LoRA that these changes are, with its tensors by name.

    It has the largest rank, filled up with zeros, and every site in every block that has any. Where scales differ, each
    is folded into its B.
    """
    rank = max(change.rank for change in changes.values())
    scales = {change.scale for change in changes.values()}
    scale = scales.pop() if len(scales) == 1 else 1.0
    if scale * rank > MAX_ALPHA:
        scale = 1.0
    blocks = sorted({address.block for address in changes})
    every = {address.block for address in places if address.site in LINEAR_SITES}
    config = LoraConfig(
        rank=rank,
        # As it was read, not as the division has left it.
        alpha=float(f"{scale * (math.sqrt(rank) if scaling == 'rank_stabilized' else rank):.12g}"),
        scaling=scaling,
        sites=tuple(site for site in LINEAR_SITES if any(address.site == site for address in changes)),
        blocks=None if set(blocks) == every else tuple(blocks),
    )
    tensors: dict[str, Tensor] = {}
    for address, place in places.items():
        if address.site in config.sites and address.block in blocks:
            a, b = torch.zeros(rank, place.in_width), torch.zeros(place.out_width, rank)
            if (change := changes.get(address)) is not None:
                a[: change.rank] = change.a
                b[:, : change.rank] = change.b if change.scale == scale else change.b * (change.scale / scale)
            tensors |= {f"{place.module}.lora_A.weight": a, f"{place.module}.lora_B.weight": b}
    return config, tensors
