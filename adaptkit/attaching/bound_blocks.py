"""A bound network that gives the states of several blocks."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from adaptkit.attaching.bound import BoundNetwork
from adaptkit.attaching.hooks import outputs_of
from adaptkit.backbones import blocks_of


class BoundBlocks(nn.Module):
    """What these blocks of a bound network give, side by side."""

    def __init__(self, bound: BoundNetwork, blocks: Sequence[int]) -> None:
        super().__init__()
        self.bound = bound
        every = blocks_of(bound.network)
        # In a list: they have their place in the network.
        self._blocks = [every[block] for block in blocks]

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Shape: both (batch, seq), result (batch, seq, n_blocks * hidden_width)."""
        with outputs_of(self._blocks) as states:
            self.bound(ids, mask)
        return torch.cat(list(states.values()), dim=-1)
