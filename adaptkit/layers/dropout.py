"""Dropout in the layers of adapters, drawn for a whole batch where a process computes some of its rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Share:
    """The rows of a batch that this process computes, and how many the batch has."""

    rows: slice
    n: int


# No context variable: gradient checkpointing computes again in another thread, and a compiled layer may read it.
_share: Share | None = None


def current_share() -> Share | None:
    """The share that is computed now; None where it is the whole batch."""
    return _share


@contextmanager
def share_of(share: Share | None) -> Iterator[None]:
    """While open, what is dropped is drawn for the batch that this is a share of."""
    global _share
    before, _share = _share, share
    try:
        yield
    finally:
        _share = before


def dropped(x: Tensor, probability: float, training: bool) -> Tensor:
    """Dropout whose zeros, in a share of a batch, are those that the whole batch has in these rows.

    Tensors of another number of rows, such as embeddings of distances, are no part of a batch.

    Shape: x and result (rows, ...).
    """
    if not training or probability == 0.0:
        return x
    share = _share
    if share is None or len(x) != share.rows.stop - share.rows.start:
        return F.dropout(x, probability)
    whole = F.dropout(x.new_ones((share.n, *x.shape[1:])), probability)
    return x * whole[share.rows]
