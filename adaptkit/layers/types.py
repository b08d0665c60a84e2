"""The type in which a layer computes. It is said by what the layer reads, and by nothing else.

Weights that train are kept in float32; blocks of a backbone may compute in 16 bits. A layer converts its weights to the
type of what it reads, and its result to the type of what it is added to.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def compute_type(x: Tensor) -> torch.dtype:
    """The type of a product that reads `x`: that of `x`, or of an autocast that the caller has opened."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


class MasterLinear(nn.Linear):
    """A linear layer that computes in the type of its input, whatever the type of its weights."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Linear gives it
        """Shape: input (..., in_features), result (..., out_features), in the input's type."""
        bias = None if self.bias is None else self.bias.to(input.dtype)
        return F.linear(input, self.weight.to(input.dtype), bias)
