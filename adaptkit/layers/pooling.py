"""From the hidden states of tokens to one vector a text."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

Pool: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Makes one vector a row of hidden states and a mask."""


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean of the hidden states of real tokens, in float32.

    Shape: hidden (batch, seq, hidden_width), mask (batch, seq), result (batch, hidden_width).
    """
    weights = mask.to(torch.float32).unsqueeze(-1)
    summed = (hidden.to(torch.float32) * weights).sum(dim=1)
    return summed / weights.sum(dim=1).clamp(min=1)


def pool_texts(
    hidden: Tensor, mask: Tensor, first_lengths: Tensor | None, pool: Pool = mean_pool, *, paired: Tensor | None = None
) -> Tensor:
    """One vector a text by `pool`; rows may hold two texts: the first or only one of each row, then the second ones.

    `paired` are the numbers of the rows that hold two. Without them they are looked for, for which a GPU is waited for.

    Shape: hidden (batch, seq, hidden_width), mask (batch, seq), first_lengths (batch): tokens before the second text, 0
    where there is none; paired (n); result (batch + n, hidden_width), float32.
    """
    if first_lengths is None:
        return pool(hidden, mask)
    if paired is None:
        paired = first_lengths.nonzero().squeeze(1)
    if not len(paired):
        return pool(hidden, mask)
    places = torch.arange(mask.shape[1], device=mask.device)
    in_second = (first_lengths > 0)[:, None] & (places >= first_lengths[:, None])
    real = mask.bool()
    second = real[paired] & in_second[paired]
    return torch.cat([pool(hidden, real & ~in_second), pool(hidden[paired], second)])
