"""Anchors on a share of a batch's rows, so that the frozen backbone reads that share alone."""

import torch
from torch import Tensor


def thinned(anchors: Tensor, share: float) -> Tensor:
    """Anchors of this share of the rows that have one, at least one row, and 0 for the others.

    Rows are chosen at even distances from a random start, the weakest anchors first and each weight from short to long,
    as a batch goes. What is chosen weighs so much more that every row's anchor is as before on average. Draws one
    number from torch's random state.

    Shape: anchors (batch), result (batch).
    """
    held = anchors.nonzero().squeeze(1)
    if not len(held):
        return anchors
    held = held[anchors[held].argsort(stable=True)]
    n = max(1, round(share * len(held)))
    start = float(torch.rand(()))
    rows = held[[min(int((place + start) * len(held) / n), len(held) - 1) for place in range(n)]]
    chosen = torch.zeros_like(anchors)
    chosen[rows] = anchors[rows] * (len(held) / n)
    return chosen
