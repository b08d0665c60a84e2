"""From the hidden states of tokens to one vector a sentence."""

import torch
from torch import Tensor


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean of the hidden states of real tokens, in float32.

    Shape: hidden (batch, seq, hidden_width), mask (batch, seq), result (batch, hidden_width).
    """
    weights = mask.to(torch.float32).unsqueeze(-1)
    summed = (hidden.to(torch.float32) * weights).sum(dim=1)
    return summed / weights.sum(dim=1).clamp(min=1)
