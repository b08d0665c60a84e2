"""The way from hidden states to what embeddings of tokens are compared with, as an adapter keeps it."""

import torch
from torch import Tensor, nn

from adaptkit.layers.types import MasterLinear


class TokenProjection(nn.Module):
    """`norm(transform(state))`, and a number for each of `n_tokens`; a token's logit is `row . vector + number`."""

    def __init__(self, *, hidden_width: int, n_tokens: int) -> None:
        super().__init__()
        self.transform = MasterLinear(hidden_width, hidden_width)
        self.norm = nn.LayerNorm(hidden_width)
        self.bias = nn.Parameter(torch.zeros(n_tokens))

    def forward(self, states: Tensor) -> Tensor:
        """Shape: states and result (n, hidden_width)."""
        vectors: Tensor = self.norm(self.transform(states).to(self.norm.weight.dtype))
        return vectors
